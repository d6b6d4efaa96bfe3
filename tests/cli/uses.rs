//! What the command line tells about the use of a key.

#![expect(clippy::unwrap_used, reason = "a test stops where the program does not do as it should")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::{Command as Wish, Name, NewKey, Note, Place, ScopeId};
use keydeck::engine::open::{Options, found};
use keydeck::engine::{Engine as _, Origin, Via};

const PHRASE: &str = "correct horse battery staple";

/// A store whose one key was used from somewhere by somebody.
fn used_store(home: &Path, agent: &[u8]) {
    let options =
        Options { cost: Cost::IMPORTED, ..Options::new(&home.join("data"), "test", Via::CommandLine) };
    let name = |text| Name::new(text).unwrap();
    let phrase = Passphrase::choose(PHRASE).unwrap();
    let open = found(&options, name("Acme"), name("maria"), &phrase).unwrap().open;
    let new = NewKey {
        name: name("Nightly export"),
        place: Place::Agency,
        scopes: vec!["contacts.read".into(), "contacts.write".into()],
        expiry: None,
        note: Note::default(),
    };
    let token = open.engine.execute(&open.session, Wish::IssueKey(new)).unwrap().token.unwrap();
    let origin = Origin { address: Some("2001:db8::7".parse().unwrap()), agent: Some(agent) };
    let wanted: [ScopeId; 1] = ["contacts.read".parse().unwrap()];
    assert!(open.engine.verify_from(token.reveal().as_bytes(), &wanted, origin).is_allow());
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
fn a_key_shows_where_it_was_used_from_and_what_for() {
    let home = tempfile::tempdir().unwrap();
    used_store(home.path(), b"curl/8.5");
    let page = says(home.path(), &["key", "show", "Nightly export"]);
    assert!(page.contains(" from 2001:db8::7 by curl/8.5; uses in all: 1\n"), "{page}");
    assert!(page.contains("contacts.read (used ") && page.contains("contacts.write (never used)"), "{page}");
    assert!(page.contains("Scopes used 1 of 2\n"), "{page}");
    for words in [&["key", "show", "Nightly export", "--json"][..], &["key", "list", "--json"]] {
        let said: serde_json::Value = serde_json::from_str(&says(home.path(), words)).unwrap();
        let key = said.get(0).unwrap_or(&said);
        assert_eq!(key["last_used_from"], "2001:db8::7");
        assert_eq!(key["last_used_agent"], "curl/8.5");
        assert_eq!(key["scopes_used"][0]["scope"], "contacts.read");
        assert_eq!(key["scopes_used"].as_array().unwrap().len(), 1);
        assert_eq!(key["scopes_used"][0]["last_used_at"], key["last_used_at"]);
    }
    let info: serde_json::Value = serde_json::from_str(&says(home.path(), &["info", "--json"])).unwrap();
    assert!(info["store"]["unsealed"]["uses_failing"].is_null());
    assert!(info["store"]["unsealed"]["uses_complete_since"].is_string());
    assert!(says(home.path(), &["info"]).contains("uses       none lost since 20"));
}

#[test]
fn a_hostile_agent_cannot_touch_the_terminal() {
    let home = tempfile::tempdir().unwrap();
    used_store(home.path(), b"\x1b[2J\xe2\x80\xae\xff\x00\r\nScopes used 9 of 9");
    for words in [&["key", "show", "Nightly export"][..], &["key", "show", "Nightly export", "--json"]] {
        let said = says(home.path(), words);
        assert!(said.is_ascii() || !said.contains(['\x1b', '\u{202e}', '\u{fffd}', '\0', '\r']), "{said:?}");
        assert!(said.contains("u{1b}[2J") && !said.contains("\nScopes used 9"), "{said}");
    }
}
