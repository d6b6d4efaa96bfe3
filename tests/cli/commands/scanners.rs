//! The rules that `keydeck guide` prints for scanners of others: they find what is issued here and leave the rest alone.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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

/// What nearly looks like a secret, and is none.
fn near(token: &str) -> Vec<String> {
    let hint = format!("{}_…", &token[..17]);
    let shorter = token[..55].to_owned();
    let (longer, zero) = (format!("{token}9"), token.replacen(&token[20..21], "0", 9));
    vec![hint, shorter, longer, zero, token.replacen("kd", "xk", 1), "kdim_7HqP2mVx9KtR_…".into()]
}

/// A program that `.ci/run` installs below `target/scanners` (or wherever `KEYDECK_TEST_SCANNERS` says), if it is there.
#[expect(clippy::print_stdout, reason = "says why a test does nothing")]
fn installed(name: &str, file: &str) -> Option<PathBuf> {
    let place = std::env::var_os("KEYDECK_TEST_SCANNERS").map(PathBuf::from);
    let place = place.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/scanners"));
    let found = Some(place.join(name).join(file)).filter(|file| file.exists());
    if found.is_none() {
        println!("skipped: needs {name}");
    }
    found
}

fn ran(command: &mut Command, code: i32) -> Output {
    let ran = command.output().unwrap();
    assert_eq!(ran.status.code(), Some(code), "{ran:?}");
    ran
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
        for near in near(&secrets[0]) {
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

#[test]
fn secretlint_itself_finds_every_kind_and_no_neighbour() {
    let Some(program) = installed("secretlint", "node_modules/.bin/secretlint") else { return };
    let desk = Desk::new();
    desk.file(".secretlintrc.json", desk.run(&["guide", "secretlint"], "").expect(0).out);
    let secrets = secrets();
    for (at, secret) in secrets.iter().enumerate() {
        desk.file(&format!("{at}.txt"), format!("x={secret};\n{{\"a\":\"b\\n{secret}\"}}\n"));
    }
    desk.file("near.txt", near(&secrets[0]).join("\n"));
    let words = ["--format", "json", "--no-maskSecrets", "*.txt"];
    let said = ran(Command::new(program).current_dir(desk.path("")).args(words), 1);
    let report: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    let report = report.as_array().unwrap();
    assert_eq!(report.len(), secrets.len() + 1, "{report:?}");
    let names = ["agency key", "location key", "app key", "app secret", "imported key", "recovery code"];
    for file in report {
        let name = Path::new(file["filePath"].as_str().unwrap()).file_stem().unwrap().to_str().unwrap();
        let found: Vec<(&str, &str)> = file["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|hit| &hit["data"])
            .map(|data| (data["PATTERN_NAME"].as_str().unwrap(), data["CREDENTIAL"].as_str().unwrap()))
            .collect();
        let expected = name.parse::<usize>().ok().map(|at| (format!("keydeck {}", names[at]), &secrets[at]));
        let expected = expected.as_ref().map(|(name, secret)| (name.as_str(), secret.as_str()));
        assert_eq!(found, expected.into_iter().chain(expected).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn the_hook_for_pre_commit_stops_a_secret_and_nothing_else() {
    let Some(packages) = installed("pre-commit", "pre_commit") else { return };
    let desk = Desk::new();
    let git = |words: &[&str]| drop(ran(Command::new("git").current_dir(desk.path("")).args(words), 0));
    let program = Path::new(env!("CARGO_BIN_EXE_keydeck")).parent().unwrap().to_owned();
    let places = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([program].into_iter().chain(std::env::split_paths(&places))).unwrap();
    let hook = |code: i32| {
        let mut python = Command::new("python3");
        python.current_dir(desk.path("")).args(["-m", "pre_commit", "run"]).env("PATH", &path);
        python.env("PYTHONPATH", packages.parent().unwrap()).env("PRE_COMMIT_HOME", desk.path("cache"));
        String::from_utf8(ran(&mut python, code).stdout).unwrap()
    };
    git(&["init", "--quiet"]);
    desk.file(".pre-commit-config.yaml", desk.run(&["guide", "pre-commit"], "").expect(0).out);
    let secrets = secrets();
    // The checksum ends a token, whatever follows it.
    let near: Vec<String> =
        near(&secrets[0]).into_iter().filter(|near| !near.contains(&secrets[0])).collect();
    desk.file("near.txt", near.join("\n"));
    git(&["add", ".pre-commit-config.yaml", "near.txt"]);
    let passed = hook(0);
    assert!(passed.contains("no keydeck secrets") && passed.contains("Passed"), "{passed}");
    for (at, secret) in secrets.iter().enumerate() {
        let name = format!("{at}.txt");
        desk.file(&name, format!("key = {secret}\n"));
        git(&["add", &name]);
        let said = hook(1);
        assert!(said.contains(&format!("{name}:1:7: ")) && !said.contains(secret.as_str()), "{said}");
        git(&["rm", "--quiet", "--cached", &name]);
    }
}
