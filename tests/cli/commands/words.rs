//! The words themselves: help, completions and manual come from one source, and a change in them is seen.

use std::fmt::Write as _;

use crate::support::desk::Desk;

const COMMANDS: &[&str] = &[
    "",
    "init",
    "operator",
    "operator add",
    "operator list",
    "operator role",
    "operator passphrase",
    "operator disable",
    "operator enable",
    "location",
    "location add",
    "location list",
    "location rename",
    "location remove",
    "key",
    "key create",
    "key list",
    "key show",
    "key pause",
    "key resume",
    "key revoke",
    "key delete",
    "key restore",
    "key rescope",
    "scope",
    "scope list",
    "scope check",
    "policy",
    "policy show",
    "policy set",
    "review",
    "report",
    "verify",
    "audit",
    "audit list",
    "audit verify",
    "audit anchor",
    "audit export",
    "audit trim",
    "scan",
    "serve",
    "guide",
    "info",
    "demo",
    "completions",
    "man",
];

#[test]
fn the_help_of_every_command_is_as_it_was_read() {
    let desk = Desk::new();
    let mut all = String::new();
    for command in COMMANDS {
        let words: Vec<&str> = command.split_whitespace().chain(["-h"]).collect();
        let said = desk.run(&words, "").expect(0);
        let help = said.out.split("\nGlobal options:").next().unwrap();
        writeln!(all, "──── keydeck {command}\n{help}").unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn completions_and_manual_know_every_command() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = desk.run(&["completions", shell], "").expect(0).out;
        assert!(text.contains("KEYDECK_COMPLETE") && text.contains("keydeck"), "{shell}: {text}");
    }
    desk.run(&["completions", "tcsh"], "").fails(2, "bash");
    let man = desk.run(&["man"], "").expect(0).out;
    assert!(man.starts_with(".ie") || man.starts_with(".TH"), "{}", &man[..80]);
    for command in COMMANDS.iter().filter(|c| !c.is_empty()) {
        assert!(man.contains(&format!("keydeck\\-{}", command.replace(' ', "\\-"))), "{command} is missing");
    }
}

#[test]
fn mistakes_in_the_words_are_told_as_they_were_asked_for() {
    let desk = Desk::new();
    desk.run(&["key", "lsit"], "").fails(2, "list");
    desk.run(&["key", "create", "--name", "A", "--scope", "contacts.read"], "").fails(2, "--agency");
    let said = desk.run(&["--json", "key", "lsit"], "").expect(2);
    let error: serde_json::Value = serde_json::from_str(&said.err).unwrap();
    assert_eq!(error["error"]["code"], "usage");
    assert!(desk.run(&["--version"], "").expect(0).out.starts_with("keydeck "));
    // Asking for a key that is not there says so in the same form.
    let said =
        desk.run(&["key", "list", "--json", "--operator", "m", "--passphrase-file", "x"], "").expect(3);
    let error: serde_json::Value = serde_json::from_str(&said.err).unwrap();
    assert_eq!(error["error"]["code"], "store_unavailable");
}

#[test]
fn the_catalog_is_listed_and_a_file_is_checked_before_it_is_used() {
    let desk = Desk::new();
    let all = desk.run(&["scope", "list", "--json"], "").expect(0).json();
    let some = desk
        .run(&["scope", "list", "--json", "--level", "location", "--group", "contacts"], "")
        .expect(0)
        .json();
    let (all, some) = (all.as_array().unwrap(), some.as_array().unwrap());
    assert!(some.len() < all.len() && !some.is_empty());
    assert!(some.iter().all(|s| s["group"] == "contacts" && s["levels"].as_array().unwrap().contains(&"location".into())));
    desk.run(&["scope", "list", "--group", "contcats"], "").fails(1, "Did you mean contacts?");

    desk.file("good.toml", keydeck::domain::Catalog::EXAMPLE);
    desk.run(&["scope", "check", "good.toml"], "").expect(0);
    let bad = keydeck::domain::Catalog::EXAMPLE.replacen("title", "titel", 1);
    desk.file("bad.toml", bad);
    let said = desk.run(&["scope", "check", "bad.toml"], "").expect(1);
    assert!(said.out.contains("bad.toml: line ") && said.out.contains("Did you mean title?"), "{said:?}");
    let said = desk.run(&["scope", "check", "bad.toml", "--json"], "").expect(1).json();
    assert!(said["ok"] == false && said["problems"][0]["line"].is_u64(), "{said}");
    desk.run(&["scope", "check", "absent.toml"], "").fails(2, "cannot be read");
}

#[test]
fn a_number_that_is_none_is_answered_with_those_there_may_be() {
    let desk = Desk::new();
    for (words, range) in [
        (&["audit", "list", "--limit"][..], "from 1 to 100000"),
        (&["serve", "--workers"], "from 1 to 256"),
        (&["guide", "nginx", "--port"], "from 1 to 65535"),
    ] {
        for given in ["abc", "0", "99999999", "99999999999999999999", "1.5", ""] {
            let said = desk.run(&[words, &[given]].concat(), "").expect(2);
            let told = format!("write a whole number {range}");
            assert!(said.err.contains(&told) && said.err.contains(given), "{given}: {said:?}");
            assert!(!said.err.contains("digit"), "{said:?}");
        }
    }
}

#[test]
fn whoever_leaves_a_word_out_is_told_which_what_it_is_for_and_how_it_would_read() {
    let desk = Desk::new();
    let said = desk.run(&["key", "create", "--name", "A"], "").expect(2);
    for part in [
        "keydeck: `keydeck key create` needs more than that. Missing:",
        "--scope <SCOPE>...: What it may do, unless --preset says it",
        "one of these",
        "--location <LOCATION>: A key for one location",
        "For example: keydeck key create --name Export --agency --scope contacts.read",
        "All its words: keydeck key create --help",
    ] {
        assert!(said.err.contains(part), "{part}: {said:?}");
    }
    let said = desk.run(&["policy", "set", "idle-days", "--json"], "").expect(2);
    let error: serde_json::Value = serde_json::from_str(&said.err).unwrap();
    let told = error["error"]["message"].as_str().unwrap();
    assert!(told.contains("<VALUE>: Its new value"), "{told}");
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let desk = Desk::new();
    let said = desk.run(&["app", "create"], "").expect(2);
    // Whether scopes are missing depends on --auth.
    for option in ["--name", "--uri", "--user-type", "--source", "--auth"] {
        assert!(said.err.contains(&format!("\n  {option} <")), "{option}: {said:?}");
    }
    let said = desk.run(&["init"], "").expect(2);
    assert!(said.err.contains("--agency <NAME>: ") && said.err.contains("--operator <NAME>: "), "{said:?}");
    let said = desk.run(&["init", "--operator", "maria"], "").expect(2);
    assert!(!said.err.contains("  --operator <NAME>: "), "{said:?}");
}

#[test]
fn what_the_console_does_not_take_is_not_left_out_without_a_word() {
    let desk = Desk::new();
    for words in [&["--json"][..], &["--passphrase-file", "x"], &["--key-file", "x"], &["demo", "--json"]] {
        desk.run(words, "").fails(2, "The console takes no --");
    }
}
