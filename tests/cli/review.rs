//! What the command line tells of keys that may do too much or should not be there, and that what it says to type does it.

#![expect(clippy::unwrap_used, reason = "a test stops where the program does not do as it should")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{Command as Wish, Expiry, Name, NewKey, Note, Place, ScopeId, Timestamp};
use keydeck::engine::clock::{Clock as _, SystemClock, TestClock};
use keydeck::engine::open::{Open, Options, found};
use keydeck::engine::{Origin, Via};
use serde_json::Value;

const PHRASE: &str = "correct horse battery staple";

fn issue(open: &Open, called: &str, scopes: &[&str], expiry: Expiry) -> String {
    let new = NewKey {
        name: Name::new(called).unwrap(),
        place: Place::Agency,
        scopes: scopes.iter().map(ToString::to_string).collect(),
        expiry: Some(expiry),
        note: Note::default(),
        decoy: false,
    };
    let done = open.engine.execute(&open.session, Wish::IssueKey(new)).unwrap();
    done.token.unwrap().reveal().to_owned()
}

fn used(open: &Open, token: &str, wanted: &[&str]) {
    let wanted: Vec<ScopeId> = wanted.iter().map(|scope| scope.parse().unwrap()).collect();
    assert!(open.engine.verify_from(token.as_bytes(), &wanted, Origin::default()).is_allow());
}

/// A store in which a key may do too much, one was never used, and one is as it should be.
fn store(home: &Path) {
    let now = SystemClock.read().wall;
    let clock = TestClock::at(Timestamp(now.0 - 20 * DAY_MS));
    let options = Options {
        cost: Cost::IMPORTED,
        clock: Arc::new(clock.clone()),
        ..Options::new(&home.join("data"), "test", Via::CommandLine)
    };
    let name = |text| Name::new(text).unwrap();
    let phrase = Passphrase::choose(PHRASE).unwrap();
    let open = found(&options, name("Acme"), name("maria"), &phrase).unwrap().open;
    let ends = Expiry::At(Timestamp(now.0 + 100 * DAY_MS));
    let wide = ["contacts.read", "contacts.write", "contacts.delete"];
    let wide = issue(&open, "Data warehouse", &wide, Expiry::Never);
    issue(&open, "Audit snapshot", &["contacts.read"], ends);
    let fine = issue(&open, "Front desk", &["contacts.read"], ends);
    clock.pass(19 * DAY_MS);
    used(&open, &wide, &["contacts.read"]);
    used(&open, &fine, &["contacts.read"]);
}

fn says(home: &Path, words: &[&str]) -> String {
    let file = home.join("maria.pass");
    std::fs::write(&file, PHRASE).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_keydeck"));
    command.args(words).args(["--operator", "maria", "--passphrase-file"]).arg(file);
    command.arg("--data").arg(home.join("data")).env_clear().env("HOME", home).env("TZ", "UTC");
    let done = command.output().unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn the_worst_stands_first_with_the_reason_and_a_key_as_it_should_be_is_not_named() {
    let home = tempfile::tempdir().unwrap();
    store(home.path());
    let table = says(home.path(), &["review"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[0].starts_with("Risk  Why"), "{table}");
    assert!(
        lines[1].starts_with("███   admin scope never needed, 2 of 3 scopes never needed, no expiry  Data"),
        "{table}"
    );
    assert!(lines[2].starts_with("█     never used in ") && lines[2].contains("Audit snapshot"), "{table}");
    let all: Value = serde_json::from_str(&says(home.path(), &["review", "--json"])).unwrap();
    let [wide, unused] = all.as_array().unwrap().as_slice() else { unreachable!("{all}") };
    let codes = |of: &Value| -> Vec<String> {
        of["findings"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap().into()).collect()
    };
    assert_eq!(codes(wide), ["admin_scopes_unneeded", "scopes_unneeded", "no_expiry"]);
    assert_eq!((&wide["risk"], &wide["granted"], &wide["needed"]), (&52.into(), &3.into(), &1.into()));
    assert_eq!((codes(unused), &unused["last_used_at"]), (vec!["never_used".to_owned()], &Value::Null));
}

#[test]
fn what_a_key_is_told_to_be_relieved_of_can_be_typed_as_it_stands() {
    let home = tempfile::tempdir().unwrap();
    store(home.path());
    let at = home.path();
    let page = says(at, &["review", "Data warehouse"]);
    let of = |page: &str, words: &str| -> Vec<String> {
        let line = page.lines().find(|line| line.contains(words)).unwrap().to_owned();
        line.split("→ keydeck ").nth(1).unwrap().split(' ').map(str::to_owned).collect()
    };
    assert!(page.contains("contacts.delete  ") && page.contains("never  admin"), "{page}");
    let deed = of(&page, "2 of 3 scopes never needed");
    assert_eq!(deed[0..2], ["key", "rescope"]);
    assert_eq!(deed[3..], ["--remove", "contacts.delete", "contacts.write"]);
    let typed: Vec<&str> = deed.iter().map(String::as_str).collect();
    says(at, &typed);
    let deed = of(&page, "no expiry");
    says(at, &deed.iter().map(String::as_str).collect::<Vec<_>>());
    let page = says(at, &["review", "Data warehouse"]);
    assert!(page.contains("Findings    none") && !page.contains("→"), "{page}");
    let one: Value = serde_json::from_str(&says(at, &["review", "Audit snapshot", "--json"])).unwrap();
    assert_eq!(one["use"]["days"].as_array().unwrap().len(), 90);
    let deed = one["findings"][0]["command"].as_str().unwrap();
    assert!(deed.starts_with("keydeck key revoke ") && deed.ends_with(" --reason unused"), "{deed}");
}

#[test]
fn keys_stand_side_by_side_with_what_each_needed() {
    let home = tempfile::tempdir().unwrap();
    store(home.path());
    let words = ["review", "--matrix", "Data warehouse", "Audit snapshot"];
    let page = says(home.path(), &words);
    assert!(page.contains("contacts.delete  ○  ·  0/1") && page.contains("1 of 3 needed"), "{page}");
    let all: Value = serde_json::from_str(&says(home.path(), &[&words[..], &["--json"]].concat())).unwrap();
    assert_eq!(all["scopes"][0]["cells"], serde_json::json!(["unneeded", "not_granted"]));
    assert_eq!((&all["keys"][0]["granted"], &all["keys"][0]["needed"]), (&3.into(), &1.into()));
}
