//! The rules that `keydeck guide` prints for scanners of others: they find what is issued here and leave the rest alone.

use std::process::Command;

use keydeck::crypto::random::OsEntropy;
use keydeck::crypto::recovery::RecoveryCode;
use keydeck::crypto::token::{Token, TokenKind};
use regex::Regex;

use crate::support::desk::Desk;

/// One fresh secret of each kind, in the order of the rules.
fn secrets() -> Vec<String> {
    let mint = |kind| Token::mint(kind, &mut OsEntropy).unwrap().reveal().to_owned();
    let mut all: Vec<String> = TokenKind::ALL.into_iter().map(mint).collect();
    all.push("kdim_7HqP2mVx9KtR_Legacy-Secret_2019".into());
    all.push(RecoveryCode::generate(&mut OsEntropy).unwrap().reveal().to_string());
    all
}

fn gitleaks(rules: &str) -> Vec<(Regex, String)> {
    let rules: toml::Table = rules.parse().unwrap();
    let rule = |rule: &toml::Value| {
        let text = |name: &str| rule[name].as_str().unwrap().to_owned();
        assert!(!text("id").is_empty() && !text("description").is_empty());
        (Regex::new(&text("regex")).unwrap(), rule["keywords"][0].as_str().unwrap().to_owned())
    };
    rules["rules"].as_array().unwrap().iter().map(rule).collect()
}

fn secretlint(rules: &str) -> Vec<Regex> {
    let rules: serde_json::Value = serde_json::from_str(rules).unwrap();
    let patterns = rules["rules"][0]["options"]["patterns"].as_array().unwrap().clone();
    let regex = |rule: &serde_json::Value| {
        let text = rule["patterns"][0].as_str().unwrap();
        Regex::new(text.strip_prefix('/').and_then(|text| text.strip_suffix('/')).unwrap()).unwrap()
    };
    patterns.iter().map(regex).collect()
}

#[test]
fn the_rules_for_scanners_find_every_kind_and_no_neighbour() {
    let desk = Desk::new();
    let guide = |name: &str| desk.run(&["guide", name], "").expect(0).out;
    let (leaks, lint) = (gitleaks(&guide("gitleaks")), secretlint(&guide("secretlint")));
    for _ in 0..200 {
        let secrets = secrets();
        assert_eq!((leaks.len(), lint.len()), (secrets.len(), secrets.len()));
        for (at, secret) in secrets.iter().enumerate() {
            for text in [secret.clone(), format!("x={secret};"), format!(r#"{{"a":"b\n{secret}\n"}}"#)] {
                for (other, ((regex, keyword), lint)) in leaks.iter().zip(&lint).enumerate() {
                    let is_theirs = at == other;
                    assert_eq!(text.contains(keyword.as_str()), is_theirs, "{keyword} {text}");
                    for regex in [regex, lint] {
                        let found = regex.find(&text).map(|found| found.as_str());
                        assert_eq!(found, is_theirs.then_some(secret.as_str()), "{regex} {text}");
                    }
                }
            }
        }
        let token = &secrets[0];
        let hint = format!("{}_…", &token[..17]);
        let shorter = token[..55].to_owned();
        let (longer, zero) = (format!("{token}9"), token.replacen(&token[20..21], "0", 9));
        for near in [hint, shorter, longer, zero, token.replacen("kd", "xk", 1), "kdim_7HqP2mVx9KtR_…".into()]
        {
            let none = leaks.iter().map(|(regex, _)| regex).chain(&lint).all(|regex| !regex.is_match(&near));
            assert!(none, "{near}");
        }
    }
    let hook = guide("pre-commit");
    assert!(hook.contains("entry: keydeck scan --no-store --\n"), "{hook}");
}

#[test]
fn gitleaks_itself_finds_every_kind() {
    let desk = Desk::new();
    desk.file("gitleaks.toml", desk.run(&["guide", "gitleaks"], "").expect(0).out);
    std::fs::create_dir(desk.path("files")).unwrap();
    for (at, secret) in secrets().iter().enumerate() {
        desk.file(&format!("files/{at}.txt"), format!("key = {secret}\n"));
    }
    let mut command = Command::new("gitleaks");
    command.current_dir(desk.path("")).args(["dir", "files", "--config", "gitleaks.toml", "--no-banner"]);
    let Ok(ran) = command.args(["--report-format", "json", "--report-path", "report.json"]).output() else {
        println!("skipped: needs gitleaks");
        return;
    };
    assert_eq!(ran.status.code(), Some(1), "{}", String::from_utf8_lossy(&ran.stderr));
    let report: serde_json::Value = serde_json::from_str(&desk.read("report.json")).unwrap();
    let found = |rule: &str| report.as_array().unwrap().iter().any(|leak| leak["RuleID"] == rule);
    for kind in ["agency-key", "location-key", "app-key", "app-secret", "imported-key", "recovery-code"] {
        assert!(found(&format!("keydeck-{kind}")), "{kind}: {report}");
    }
}
