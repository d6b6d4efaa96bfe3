//! The day of somebody who has read the README and nothing else: from an empty folder to keys that work, one that
//! no longer does, and a trail that proves it.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::os::unix::fs::PermissionsExt as _;

use crate::support::day::{Day, PASSPHRASE, Wanted, issue, put_away, quit, reveal};
use crate::support::pty::Pty;

fn found_in_the_console(console: &mut Pty) -> String {
    console.sees("Welcome to keydeck").sees("And again");
    console.type_text("Acme Wellness").press("tab");
    console.press("ctrl-u").type_text("maria").press("tab");
    console.type_text(PASSPHRASE).press("tab");
    console.type_text(PASSPHRASE).press("enter");
    console.sees("kdrc_");
    let text = console.look().text();
    let code = text.split_whitespace().find(|word| word.starts_with("kdrc_")).unwrap().to_owned();
    // Typed back wrong once, as people do; then as it is on the paper.
    console.type_text("kdrc_1111").press("enter").sees("kdrc_1111").sees(&code);
    console.press("ctrl-u").type_text(&code).press("enter");
    console.sees("1 Agency").sees_no(&code);
    code
}

fn add_locations(console: &mut Pty, names: [&str; 2]) {
    console.press("2").press("n").sees("puts it on the list");
    for name in names {
        console.type_text(name).press("enter");
    }
    console.press("ctrl-s").sees("2 locations are added").sees_no("puts it on the list");
    for name in names {
        console.sees(name);
    }
}

#[test]
fn a_new_person_issues_uses_and_revokes_keys_and_finds_all_of_it_again() {
    let day = Day::new();
    let mut console = day.console();
    let code = found_in_the_console(&mut console);
    add_locations(&mut console, ["Berlin Mitte", "Paris Marais"]);
    let wanted = [
        Wanted { name: "Nightly export", location: None, expires: "never", scope: "payments.read" },
        Wanted {
            name: "Widget Berlin",
            location: Some("Berlin Mitte"),
            expires: "90d",
            scope: "contacts.read",
        },
        Wanted {
            name: "Widget Paris",
            location: Some("Paris Marais"),
            expires: "1y",
            scope: "calendars.read",
        },
    ];
    let tokens = wanted.each_ref().map(|wanted| {
        issue(&mut console, wanted);
        let token = reveal(&mut console);
        put_away(&mut console);
        token
    });
    quit(&mut console);
    for (token, wanted) in tokens.iter().zip(&wanted) {
        assert_eq!(day.verify(token, &[]), "allow", "{}", wanted.name);
        assert_eq!(day.verify(token, &[wanted.scope]), "allow", "{}", wanted.name);
        assert!(day.verify(token, &["workflows.read"]).starts_with("deny"), "{}", wanted.name);
    }
    assert!(
        tokens[0].starts_with("kdag_") && tokens[1].starts_with("kdlo_") && tokens[2].starts_with("kdlo_")
    );

    let mut console = day.signed_in();
    console.press("1").sees("Nightly export");
    console.press("X").sees("Cancel");
    console.type_text("Nightly export").press("enter").sees_no("Cancel").sees("revoked");
    // The table shows it as soon as it is in force; only the answer ends the work, and quitting before that asks.
    console.sees("Nightly export is revoked");
    quit(&mut console);
    assert_eq!(day.verify(&tokens[0], &[]), "deny revoked");
    assert_eq!(day.verify(&tokens[1], &["contacts.read"]), "allow");

    let mut console = day.signed_in();
    console.press("1").sees("Nightly export").sees("revoked");
    console.press("2").sees("Berlin Mitte").sees("Paris Marais").sees("Widget Berlin");
    console.press("6").sees("Nightly export");
    quit(&mut console);

    let keys: serde_json::Value =
        serde_json::from_str(&day.maria(&["key", "list", "--json"]).expect(0).out).unwrap();
    let mut seen: Vec<_> = keys
        .as_array()
        .unwrap()
        .iter()
        .map(|key| {
            (key["name"].as_str().unwrap(), key["state"].as_str().unwrap(), key["expires_at"].is_null())
        })
        .collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            ("Nightly export", "revoked", true),
            ("Widget Berlin", "active", false),
            ("Widget Paris", "active", false),
        ]
    );
    let trail = day.maria(&["audit", "verify"]).expect(0);
    assert!(trail.out.contains("intact"), "{trail:?}");

    the_paper_works_when_the_passphrase_is_forgotten(&day, &code);
}

fn the_paper_works_when_the_passphrase_is_forgotten(day: &Day, code: &str) {
    const NEW: &str = "a quite different set of words";
    let paper = day.path("paper");
    std::fs::write(&paper, code).unwrap();
    std::fs::set_permissions(&paper, std::fs::Permissions::from_mode(0o600)).unwrap();
    let words = ["operator", "passphrase", "--operator", "maria", "--recovery-file", "paper"];
    let words: Vec<&str> = words.into_iter().chain(["--new-passphrase-file", "-"]).collect();
    let said = day.runs(&words, NEW).expect(0);
    assert!(said.out.starts_with("kdrc_") && said.out.trim_end() != code, "{said:?}");
    day.maria(&["key", "list"]).expect(4);
    let list = ["key", "list", "--operator", "maria", "--passphrase-file", "-"];
    assert!(day.runs(&list, NEW).expect(0).out.contains("Widget Berlin"));
    // Spent.
    day.runs(&words, PASSPHRASE).expect(4);
}
