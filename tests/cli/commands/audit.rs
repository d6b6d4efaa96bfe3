//! The audit trail from outside: what an export proves, what an anchor adds, and the exit codes of the check.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::desk::{Desk, Person, Said, with_checksum};

fn check(desk: &Desk, words: &[&str]) -> Said {
    desk.run(&[&["audit", "verify"], words].concat(), "")
}

#[test]
fn an_export_is_checked_without_any_key_and_every_edit_shows() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let bob = desk.hire("bob", "manager");
    for name in ["One", "Two", "Three"] {
        ann.issues(name, "contacts.read");
    }
    desk.file("anchor", ann.does(&["audit", "anchor"]).out);
    ann.does(&["key", "revoke", "Two"]);
    let export = ann.does(&["audit", "export"]).out;
    bob.says(&["audit", "export"]).fails(1, "needs the role admin");
    desk.file("e.jsonl", &export);
    let whole = check(&desk, &["--export", "e.jsonl", "--anchor", "anchor", "--json"]).expect(0).json();
    let lines: Vec<&str> = export.lines().collect();
    assert_eq!((&whole["standing"], &whole["entries"]), (&"intact".into(), &lines.len().into()));

    let with = |lines: &[&str]| {
        desk.file("bad.jsonl", lines.join("\n"));
        check(&desk, &["--export", "bad.jsonl", "--anchor", "anchor"])
    };
    let edited = export.replacen("\"One\"", "\"Uno\"", 1);
    assert_ne!(edited, export);
    with(&edited.lines().collect::<Vec<_>>()).expect(1);
    // Cut behind the anchor, nobody can tell; cut before it, everybody can.
    with(&lines[..lines.len() - 1]).expect(0);
    let said = with(&lines[..3]).expect(2);
    assert!(said.err.contains("does not reach it"), "{said:?}");
    check(&desk, &["--export", "bad.jsonl"]).expect(0);
    let mut gap = lines.clone();
    gap.remove(3);
    assert!([1, 2].contains(&with(&gap).code));
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    assert!([1, 2].contains(&with(&swapped).code));
    let mut twice = lines.clone();
    twice.insert(3, lines[2]);
    assert!([1, 2].contains(&with(&twice).code));
    assert_eq!(with(&lines[2..]).code, 2);
    with(&["nonsense"]).expect(3);
    with(&[]).expect(2);
    check(&desk, &["--export", "bad.jsonl"]).expect(3);
    // Rewritten from some point on: whole in itself, but not through the anchor.
    let moved = desk.read("anchor").replace(" 6 ", " 5 ");
    assert_ne!(moved, desk.read("anchor"));
    desk.file("anchor", moved);
    check(&desk, &["--export", "e.jsonl", "--anchor", "anchor"]).expect(1);
}

#[test]
fn what_was_trimmed_lies_in_a_file_that_proves_it_and_the_store_says_so() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let bob = desk.hire("bob", "manager");
    desk.file("early", ann.does(&["audit", "anchor"]).out);
    for name in ["One", "Two"] {
        ann.issues(name, "contacts.read");
    }
    ann.does(&["key", "revoke", "Two"]);
    let trim = |before, to: &'static str, more: &[&'static str]| {
        let words = ["audit", "trim", "--before", before, "--to", to, "--segment", "4"];
        [&words[..], more].concat()
    };
    bob.says(&trim("9", "old.jsonl", &["--yes"])).fails(1, "needs the role admin");
    ann.says(&trim("9", "old.jsonl", &[])).fails(2, "Nobody sits here");
    ann.says(&trim("soon", "old.jsonl", &["--yes"])).fails(2, "--before");
    ann.says(&trim("2001-01-01", "old.jsonl", &["--yes"])).fails(1, "No whole segment of 4 entries");
    ann.says(&["audit", "trim", "--before", "9"]).fails(2, "--to");
    let told = ann.does(&["audit", "trim", "--before", "9", "--segment", "4", "--dry-run", "--json"]).json();
    assert_eq!((&told["first"], &told["upto"], &told["trimmed"]), (&1.into(), &8.into(), &false.into()));
    assert!(!desk.path("old.jsonl").exists());
    check_in(&ann, &[]).expect(0);

    // A name that the trail cannot have is refused before anything is written.
    ann.says(&trim("9", "o\u{7}ld.jsonl", &["--yes"])).fails(2, "file");
    let said = ann.does(&trim("9", "old.jsonl", &["--yes"]));
    assert!(said.out.starts_with("Entries 1 to 8 are in "), "{said:?}");
    assert_eq!(fs::metadata(desk.path("old.jsonl")).unwrap().permissions().mode() & 0o777, 0o600);
    ann.says(&trim("13", "old.jsonl", &["--yes"])).fails(2, "there is something of that name");
    let said = check_in(&ann, &[]).expect(0);
    assert!(said.out.contains("after entry 8"), "{said:?}");
    // An anchor of an entry that is elsewhere is neither good nor bad without the file.
    let said = check_in(&ann, &["--anchor", "early"]).expect(3);
    assert!(said.err.contains("no longer in the store"), "{said:?}");
    check_in(&ann, &["--anchor", "early", "--trimmed", "old.jsonl"]).expect(0);
    desk.file("late", ann.does(&["audit", "anchor"]).out);
    desk.file("both", desk.read("early") + &desk.read("late"));
    let whole = check_in(&ann, &["--anchor", "both", "--trimmed", "old.jsonl", "--json"]).expect(0).json();
    assert_eq!(whole["trimmed_upto"], serde_json::Value::Null);
    // Edited, cut, or another one.
    let old = desk.read("old.jsonl");
    let with = |text: &str| {
        desk.file("bad.jsonl", text);
        check_in(&ann, &["--trimmed", "bad.jsonl"]).code
    };
    assert_eq!(with(&old.replacen("\"ann\"", "\"eve\"", 1)), 1);
    assert_eq!(with(&old.lines().take(6).fold(String::new(), |all, line| all + line + "\n")), 2);
    assert_eq!(with(&old.lines().skip(2).fold(String::new(), |all, line| all + line + "\n")), 2);

    // The rest goes on where the file ends.
    let said = ann.does(&["audit", "export"]);
    assert!(said.err.contains("It begins with entry 9"), "{said:?}");
    desk.file("rest.jsonl", &said.out);
    let said = check(&desk, &["--export", "rest.jsonl"]).expect(0);
    assert!(said.err.contains("It is a part of the trail, entries 9 to "), "{said:?}");
    check(&desk, &["--export", "old.jsonl", "--export", "rest.jsonl", "--anchor", "both"]).expect(0);
    check(&desk, &["--export", "rest.jsonl", "--export", "old.jsonl"]).expect(2);

    // Where it is, for whoever looks.
    let file = desk.path("old.jsonl").display().to_string();
    let said = ann.does(&["audit", "list", "--key", "One"]);
    assert!(said.err.contains(&format!("are in {file}, trimmed by ann")), "{said:?}");
    let info = ann.does(&["info", "--json"]).json();
    assert_eq!(info["store"]["unsealed"]["trail"]["trimmed_into"], file.as_str());
    let said = ann.gives(&["audit", "fingerprint", "--stdin"], "kdag_nonsense");
    assert!(said.err.contains("only entries after 8"), "{said:?}");

    // Again, and put back elsewhere.
    ann.does(&["backup", "early.kdb"]);
    ann.does(&trim("17", "newer.jsonl", &["--yes"]));
    let newer = desk.path("newer.jsonl").display().to_string();
    let said = ann.does(&["audit", "list", "--key", "One"]);
    assert!(
        said.err.contains(&format!("(up to 16): the last, 9 to 16, are in {newer}, trimmed by ann on ")),
        "{said:?}"
    );
    assert_eq!(ann.asks(&["info"])["store"]["unsealed"]["trail"]["trimmed_into_from"], 9);
    check_in(&ann, &["--anchor", "both", "--trimmed", "old.jsonl", "--trimmed", "newer.jsonl"]).expect(0);
    let said = check_in(&ann, &["--trimmed", "newer.jsonl"]).expect(3);
    assert!(said.err.contains("begin with entry 9"), "{said:?}");
    let maria = desk.maria();
    maria.does(&["backup", "copy.kdb"]);
    let said = maria.does(&["--data", "new", "restore", "copy.kdb", "--anchor", "both"]);
    assert!(said.err.contains("of the anchors name entries that had been trimmed"), "{said:?}");
    maria.does(&["--data", "new", "audit", "verify", "--trimmed", "old.jsonl", "--trimmed", "newer.jsonl"]);
    maria.says(&["--data", "new", "audit", "verify"]).expect(0);
    // A store of before the second file has what that holds.
    maria.does(&["--data", "early-store", "restore", "early.kdb", "--anchor", "both"]);
    let words =
        ["--data", "early-store", "audit", "verify", "--trimmed", "old.jsonl", "--trimmed", "newer.jsonl"];
    let said = maria.says(&words).expect(3);
    assert!(said.err.contains("they overlap") || said.out.contains("they overlap"), "{said:?}");
}

fn check_in(person: &Person<'_>, words: &[&str]) -> Said {
    person.says(&[&["audit", "verify"], words].concat())
}

#[test]
fn the_check_has_exit_codes_of_its_own() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    desk.file("anchor", ann.does(&["audit", "anchor"]).out);
    let said = ann.says(&["audit", "verify", "--anchor", "anchor"]).expect(0);
    assert!(said.out.starts_with("intact: "), "{said:?}");
    // A viewer may check, too.
    desk.hire("eve", "viewer").does(&["audit", "verify"]);
    desk.file("wrong.pass", "correct horse battery stapler");
    desk.by_passphrase("maria", "wrong.pass").says(&["audit", "verify"]).expect(3);
    desk.run(&["--data", "absent", "audit", "verify", "--key-file", "ann.key"], "").expect(3);
    for words in [
        &["--nonsense"][..],
        &["--anchor", "absent"],
        &["--anchor", "ann.key"],
        &["--export", "absent"],
        &["--export"],
    ] {
        check(&desk, words).expect(4);
    }
    // The anchor of another store says nothing about this one.
    let other = Desk::founded();
    let foreign = other.maria().does(&["audit", "anchor"]).out;
    desk.file("foreign", foreign);
    let said = ann.says(&["audit", "verify", "--anchor", "foreign"]).expect(3);
    assert!(said.err.contains("another store"), "{said:?}");
    let anchor = desk.read("anchor");
    let with = |place: usize, word: &str| {
        anchor
            .split(' ')
            .enumerate()
            .map(|(at, old)| if at == place { word } else { old })
            .collect::<Vec<_>>()
            .join(" ")
    };
    // An anchor ahead of the trail: the trail was cut. One with another hash: it was rewritten.
    desk.file("ahead", with(3, "9999"));
    ann.says(&["audit", "verify", "--anchor", "ahead"]).expect(2);
    desk.file("forged", with(4, &"0".repeat(64)));
    ann.says(&["audit", "verify", "--anchor", "forged"]).expect(1);
}

#[test]
fn the_trail_says_who_did_what_and_who_read_it() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    ann.issues("A", "contacts.read");
    ann.says(&["key", "create", "--name", "a", "--agency", "--scope", "contacts.read"]).fails(1, "taken");
    ann.does(&["key", "revoke", "A"]);
    let trail = ann.asks(&["audit", "list", "--limit", "4"]);
    let told: Vec<(String, String)> = trail
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["event"].as_str().unwrap().to_owned(), e["outcome"].as_str().unwrap().to_owned()))
        .collect();
    let want =
        [("audit.read", "done"), ("key.revoke", "done"), ("key.issue", "refused"), ("key.issue", "done")];
    assert_eq!(told, want.map(|(event, outcome)| (event.to_owned(), outcome.to_owned())));
    assert_eq!((&trail[1]["actor"]["name"], &trail[1]["actor"]["auth"]), (&"ann".into(), &"keyfile".into()));
    assert_eq!(trail[2]["reason"], "name_taken");
    assert!(trail[0]["at"].as_str().unwrap().ends_with('Z'));
    let about = ann.asks(&["audit", "list", "--key", "A"]);
    assert_eq!(about.as_array().unwrap().len(), 2);
    assert_eq!(ann.asks(&["audit", "list", "--limit", "1"])[0]["event"], "audit.read");
    ann.says(&["audit", "list", "--limit", "0"]).expect(2);
}

#[test]
fn a_leaked_token_is_looked_for_by_whoever_found_it() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let bob = desk.hire("bob", "manager");
    let (token, other) =
        (ann.issues("Nightly export", "contacts.read"), ann.issues("Other", "contacts.read"));
    let stranger = with_checksum(&format!("kdag_7HqP2mVx9KtR_{}", "A".repeat(38)));
    let fingerprint = |input: &str| ann.gives(&["audit", "fingerprint", "--stdin"], input);
    for never in [&token, &stranger, "no token at all"] {
        let said = fingerprint(never).expect(1);
        assert!(said.out.ends_with("never tried\n") && !said.out.contains(never), "{said:?}");
    }
    ann.verifies(&token);
    let said = fingerprint(&token).expect(0);
    assert!(said.out.contains("of the key Nightly export (") && said.out.contains("allowed 1×"), "{said:?}");
    ann.does(&["key", "revoke", "Nightly export"]);
    assert_eq!(ann.verifies(&token), "deny revoked");
    assert_eq!(ann.verifies(&stranger), "deny unknown");
    for (known, why) in [(&token, "revoked"), (&stranger, "never issued here")] {
        let said = fingerprint(known).expect(0);
        assert!(said.out.contains("denied 1×") && said.out.contains(why), "{said:?}");
        assert!(!said.out.contains(&known[18..]), "{said:?}");
    }
    let said = ann.gives(&["audit", "fingerprint", "--json"], &stranger).expect(0).json();
    assert_eq!((&said["refused"], &said["speaks_for"]), (&1.into(), &serde_json::Value::Null));
    assert_eq!(said["tries"][0]["reason"], "unknown");
    fingerprint(&other).expect(1);
    bob.gives(&["audit", "fingerprint"], &token).fails(1, "needs the role admin");
    desk.run(&["audit", "fingerprint", "--operator", "ann", "--passphrase-file", "-"], &token).expect(2);
    // In the list in words, in an export as facts, and the export is whole.
    let list = ann.does(&["audit", "list"]).out;
    assert!(list.contains("denied 1× · revoked · Nightly export"), "{list}");
    assert!(list.contains(said["fingerprint"].as_str().unwrap()), "{list}");
    let about = ann.asks(&["audit", "list", "--key", "Nightly export"]);
    assert_eq!((&about[0]["event"], &about[0]["tries"]["n"]), (&"verify.denied".into(), &1.into()));
    desk.file("e.jsonl", ann.does(&["audit", "export"]).out);
    check(&desk, &["--export", "e.jsonl"]).expect(0);
    ann.does(&["audit", "verify"]);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let there = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &there) } else { fs::copy(&path, &there).map(drop).unwrap() }
    }
}

#[test]
fn a_database_put_back_in_time_revives_no_key_and_changes_nothing_until_somebody_has_looked() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let token = ann.issues("A", "contacts.read");
    let (database, kept) = (desk.data().join("store"), desk.path("kept"));
    copy(&database, &kept);
    ann.does(&["key", "revoke", "A"]);
    let put_back = || {
        fs::remove_dir_all(&database).unwrap();
        copy(&kept, &database);
    };
    // With the second copy of the newest commits it is as new as before, and that is said.
    put_back();
    let said = ann.says(&["key", "list"]).expect(0);
    assert!(said.err.contains("put back from their second copy"), "{said:?}");
    assert_eq!(ann.verifies(&token), "deny revoked");

    put_back();
    fs::remove_file(desk.data().join("recent.0")).unwrap();
    assert_eq!(ann.verifies(&token), "deny store_error");
    let said = ann.says(&["audit", "verify"]).expect(2);
    assert!(said.err.contains("went back in time"), "{said:?}");
    ann.says(&["key", "pause", "A"]).fails(3, "nothing may be changed");
    ann.says(&["audit", "export"]).fails(3, "nothing may be changed");
    let said = ann.says(&["key", "list"]).expect(0);
    assert!(said.err.contains("went back in time"), "{said:?}");
}

#[test]
fn who_only_looks_reads_the_entries_that_concern_them_and_leaves_none() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    ann.issues("Nightly export", "contacts.read");
    desk.maria().issues("Monthly export", "contacts.read");
    let own = ann.asks(&["audit", "list", "--read-only"]);
    assert!(
        own.to_string().contains("Nightly export") && !own.to_string().contains("Monthly export"),
        "{own}"
    );
    assert!(ann.does(&["audit", "list", "--read-only"]).err.contains("the entries that concern you"));
    let all = ann.asks(&["audit", "list"]).to_string();
    assert!(all.contains("Monthly export") && all.matches("audit.read").count() == 1, "{all}");
    ann.says(&["audit", "export", "--read-only"]).fails(1, "--read-only");
}
