//! What the command line tells about the use of a key.

#![expect(clippy::unwrap_used, reason = "a test stops where the program does not do as it should")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::crypto::token::Token;
use keydeck::domain::{Command as Wish, Name, NewKey, Note, Place, ScopeId};
use keydeck::engine::open::{Key, Open, Options, found, open};
use keydeck::engine::{Engine as _, Origin, Via};

use crate::support::wait::until;

const PHRASE: &str = "correct horse battery staple";

/// A new store.
fn founded(home: &Path) -> Open {
    let options =
        Options { cost: Cost::IMPORTED, ..Options::new(&home.join("data"), "test", Via::CommandLine) };
    let name = |text| Name::new(text).unwrap();
    let phrase = Passphrase::choose(PHRASE).unwrap();
    found(&options, name("Acme"), name("maria"), &phrase).unwrap().open
}

fn issue(open: &Open, called: &str) -> Token {
    let new = NewKey {
        name: Name::new(called).unwrap(),
        place: Place::Agency,
        scopes: vec!["contacts.read".into(), "contacts.write".into()],
        expiry: None,
        note: Note::default(),
        decoy: false,
    };
    open.engine.execute(&open.session, Wish::IssueKey(new)).unwrap().token.unwrap()
}

/// A store whose one key was used from somewhere by somebody.
fn used_store(home: &Path, agent: &[u8]) {
    let open = founded(home);
    let token = issue(&open, "Nightly export");
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
    assert!(
        page.contains("\n48 hours    ") && page.contains("1 allowed, 0 refused; a sign is 1 h\n"),
        "{page}"
    );
    assert!(page.contains("\nCallers     1× 2001:db8::7 by curl/8.5, last "), "{page}");
    let said = says(home.path(), &["key", "show", "Nightly export", "--json"]);
    let used = &serde_json::from_str::<serde_json::Value>(&said).unwrap()["use"];
    let count = |what: &str| used[what].as_array().unwrap().len();
    assert_eq!((count("hours"), count("days"), count("callers"), count("scopes")), (48, 90, 1, 1));
    assert_eq!((&used["days"][89]["allowed"], &used["days"][89]["complete"]), (&1.into(), &true.into()));
    assert_eq!(
        (&used["callers"][0]["from"], &used["callers"][0]["count"]),
        (&"2001:db8::7".into(), &1.into())
    );
    assert_eq!(used["scopes"][0]["days"][0], used["days"][89]["at"]);
    let info: serde_json::Value = serde_json::from_str(&says(home.path(), &["info", "--json"])).unwrap();
    assert!(info["store"]["unsealed"]["uses_failing"].is_null());
    assert!(info["store"]["unsealed"]["uses_complete_since"].is_string());
    assert!(says(home.path(), &["info"]).contains("uses       none lost since 20"));
}

#[test]
fn a_dry_run_says_who_would_miss_a_key_and_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    used_store(home.path(), b"curl/8.5");
    let dry = |words: &[&str]| -> serde_json::Value {
        let words: Vec<&str> = words.iter().copied().chain(["--dry-run", "--json"]).collect();
        serde_json::from_str(&says(home.path(), &words)).unwrap()
    };
    for verb in ["pause", "revoke", "delete"] {
        let told = dry(&["key", verb, "Nightly export"]);
        assert_eq!(
            (&told["in_use"], &told["requests"]["allowed"]),
            (&true.into(), &1.into()),
            "{verb}: {told}"
        );
        assert_eq!(told["callers"][0]["from"], "2001:db8::7");
        assert_eq!(
            (&told["scopes_lost"][0]["scope"], &told["scopes_unused"]),
            (&"contacts.read".into(), &1.into())
        );
    }
    let told = dry(&["key", "rescope", "Nightly export", "--remove", "contacts.write"]);
    assert_eq!((&told["scopes_lost"], &told["scopes_unused"]), (&serde_json::json!([]), &1.into()));
    let page = says(home.path(), &["key", "revoke", "Nightly export", "--dry-run"]);
    assert!(page.contains("In use now  ") && page.contains("Would stop  contacts.read, used "), "{page}");
    let key: serde_json::Value =
        serde_json::from_str(&says(home.path(), &["key", "show", "Nightly export", "--json"])).unwrap();
    assert_eq!((&key["state"], key["scopes"].as_array().unwrap().len()), (&"active".into(), 2));
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

/// What a kill leaves of a directory.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else if path.is_file() {
            // The seal comes and goes by renaming.
            assert!(std::fs::copy(&path, to.join(name)).is_ok() || !path.exists());
        }
    }
}

#[test]
fn a_key_whose_uses_went_with_a_killed_process_is_not_called_never_used() {
    let (home, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open = founded(home.path());
    let (unused, rung) = (issue(&open, "Nightly export"), issue(&open, "Other"));
    open.engine.write_uses_every(Duration::from_millis(5));
    assert!(open.engine.verify(rung.reveal().as_bytes(), &[]).is_allow());
    until("the note that uses are gathered", || open.engine.use_writer_wakes() > 0);
    open.engine.settle().unwrap();
    copy(&home.path().join("data"), &killed.path().join("data"));
    drop((open, unused));
    let page = says(home.path(), &["key", "show", "Nightly export"]);
    assert!(page.contains("Last used   never"), "who ended in order lost nothing: {page}");

    let at = killed.path();
    let list = says(at, &["key", "list"]);
    assert!(list.contains("not known"), "{list}");
    let page = says(at, &["key", "show", "Nightly export"]);
    assert!(page.contains("Last used   not known before 2"), "{page}");
    let key: serde_json::Value =
        serde_json::from_str(&says(at, &["key", "show", "Nightly export", "--json"])).unwrap();
    assert_eq!((&key["last_used_at"], &key["use_count"]), (&serde_json::Value::Null, &0.into()));
    assert!(key["uses_known_since"].is_string(), "{key}");
    let last = &key["use"]["hours"][47];
    let nothing = (&serde_json::Value::Null, &serde_json::Value::Null, &false.into());
    assert_eq!((&last["allowed"], &last["denied"], &last["complete"]), nothing, "it is never shown as none");
    assert!(page.contains("none is known") && page.contains(": not counted, or lost"), "{page}");
    // Of what is known nothing is taken away, and once a sweep has noted that, nothing was lost of what is made later.
    let other = says(at, &["key", "show", "Other"]);
    says(at, &["sweep"]);
    assert!(other.contains("; uses in all: 1"), "{other}");
    says(
        at,
        &["key", "create", "--name", "New", "--agency", "--scope", "contacts.read", "--expires", "never"],
    );
    assert!(says(at, &["key", "show", "New"]).contains("Last used   never"));
}

#[test]
fn a_token_that_was_handed_over_says_when_it_was_first_used_and_from_where() {
    let home = tempfile::tempdir().unwrap();
    drop(founded(home.path()));
    let file = home.path().join("export.token");
    let words = ["key", "create", "--name", "Export", "--agency", "--scope", "contacts.read", "--token-file"];
    says(home.path(), &[&words[..], &[file.to_str().unwrap()]].concat());
    let token = std::fs::read_to_string(&file).unwrap();
    let phrase = Passphrase::present(PHRASE).unwrap();
    let options = Options::new(&home.path().join("data"), "test", Via::CommandLine);
    let open = open(&options, &Key::Operator { name: "maria", passphrase: &phrase }).unwrap();
    let origin = Origin { address: Some("10.2.0.7".parse().unwrap()), agent: Some(b"kiosk/2.1") };
    assert!(open.engine.verify_from(token.trim().as_bytes(), &[], origin).is_allow());
    drop(open);
    let page = says(home.path(), &["key", "show", "Export"]);
    assert!(page.contains("; first used less than 1 min later from 10.2.0.7 by kiosk/2.1\n"), "{page}");
}
