//! The day a disk dies: a backup made while the server answers, put back on another day, and what it says of what is missing.
//!
//! `KEYDECK_BACKUP_KILLS=50` for the long run of those that are killed.

use std::fs;
use std::io::Read as _;
use std::process::Stdio;

use keydeck::domain::Timestamp;
use keydeck::domain::time::DAY_MS;
use keydeck::engine::clock::{Clock as _, SystemClock};
use rustix::process::{Pid, kill_process};

use crate::support::desk::Desk;
use crate::support::wait::until;

#[test]
fn a_store_in_use_is_copied_and_put_back_elsewhere() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let bob = desk.hire("bob", "manager");
    let (lives, leaked) = (ann.issues("Lives", "contacts.read"), ann.issues("Leaked", "contacts.read"));
    let words = ann.words(&["serve", "--listen", "127.0.0.1:0"]);
    let mut server = desk.command(&words).stderr(Stdio::null()).spawn().unwrap();
    until("the server to be there", || desk.data().join("control.sock").exists());
    let made = ann.asks(&["backup", "backup.kdb"]);
    let bytes = fs::metadata(desk.path("backup.kdb")).unwrap().len();
    assert_eq!(made["bytes"], bytes, "{made}");
    ann.says(&["backup", "backup.kdb"]).fails(2, "--force");
    ann.does(&["backup", "backup.kdb", "--force"]);
    bob.says(&["backup", "other.kdb"]).fails(1, "needs the role admin");
    ann.says(&["backup", "other.kdb", "--read-only"]).fails(1, "--read-only");
    assert!(!desk.path("other.kdb").exists());
    ann.does(&["key", "revoke", "Leaked"]);
    let anchor = ann.does(&["audit", "anchor"]).out;
    kill_process(Pid::from_child(&server), rustix::process::Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());

    desk.file("anchors", format!("{anchor}\n"));
    let into = ["--data", "new"];
    let older = [&["restore", "backup.kdb", "--anchor", "anchors"][..], &into].concat();
    ann.says(&older).fails(1, "would live again");
    // Nobody kept an anchor, but the old directory is still there.
    for seal in [".local/share/keydeck", ".local/share/keydeck/seal"] {
        ann.says(&[&["restore", "backup.kdb", "--anchor", seal][..], &into].concat())
            .fails(1, "of the seal of the old directory");
    }
    let seal = desk.read(".local/share/keydeck/seal");
    let forged =
        seal.lines().filter(|line| !line.starts_with("crc")).map(|line| match line.strip_prefix("rev ") {
            Some(_) => "rev 1\n".to_owned(),
            None => format!("{line}\n"),
        });
    let forged: String = forged.collect();
    desk.file("seal", format!("{forged}crc {:08x}\n", crc32fast::hash(forged.as_bytes())));
    ann.says(&[&["restore", "backup.kdb", "--anchor", "seal"][..], &into].concat())
        .fails(2, "not written by this store");
    ann.says(&[&["restore", "backup.kdb"][..], &["--data", ".local/share/keydeck"]].concat())
        .fails(1, "not an empty directory");
    bob.says(&[&["restore", "backup.kdb"][..], &into].concat()).fails(1, "needs the role admin");
    assert!(!desk.path("new").exists(), "nothing is left of what was refused");
    let said = ann.says(&[&older[..], &["--accept-loss"]].concat()).expect(0);
    assert!(said.err.contains("audit entries are missing: what was ended in them lives again"), "{said:?}");
    let verify = |token: &str| {
        let words = ann.words(&["verify", "--data", "new"]);
        desk.run(&words, token).out.trim().to_owned()
    };
    assert_eq!((verify(&lives), verify(&leaked)), ("allow".to_owned(), "allow".to_owned()));
    ann.does(&["audit", "verify", "--data", "new"]);
    let shown = ann.does(&["notices", "list", "--data", "new"]).out;
    assert!(shown.contains("`keydeck sweep --confirm 0` lets deletions go on"), "{shown}");
    let notices = ann.asks(&["notices", "list", "--data", "new"]);
    assert_eq!(notices[0]["what"], "put_back", "{notices}");
    ann.does(&["sweep", "--confirm", "0", "--data", "new"]);
    assert_eq!(ann.asks(&["notices", "list", "--data", "new"]).as_array().unwrap().len(), 0);
    let entries = ann.asks(&["audit", "list", "--data", "new"]).to_string();
    assert!(entries.contains("store.restore") && entries.contains("entries missing"), "{entries}");
}

#[test]
fn the_old_directory_says_that_nothing_was_done_since_the_backup() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    ann.issues("Lives", "contacts.read");
    ann.does(&["backup", "copy"]);
    let restore =
        |into: &str| ann.says(&["restore", "copy", "--anchor", ".local/share/keydeck", "--data", into]);
    let said = restore("new").expect(0);
    assert!(said.err.contains("knows of nothing that was done since it was made"), "{said:?}");
    ann.does(&["key", "revoke", "Lives"]);
    restore("other").fails(1, "would live again");
    assert!(!desk.path("other").exists());
}

#[test]
fn a_backup_is_put_under_a_passphrase_of_its_own() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let token = ann.issues("Lives", "contacts.read");
    desk.file("vault.pass", "a passphrase for the vault\n");
    desk.file("short.pass", "short\n");
    ann.says(&["backup", "copy", "--under=short.pass"]).fails(1, "15");
    ann.says(&["backup", "copy", "--under"]).fails(2, "--under=FILE");
    assert!(!desk.path("copy").exists());
    ann.does(&["backup", "copy", "--under=vault.pass"]);
    let into = ["restore", "copy", "--data", "new"];
    ann.says(&into).fails(4, "--under=FILE");
    ann.says(&[&into[..], &["--under=maria.pass"]].concat())
        .fails(4, "not the passphrase the backup was put under");
    assert!(!desk.path("new").exists());
    ann.does(&[&into[..], &["--under=vault.pass"]].concat());
    assert_eq!(desk.run(&ann.words(&["verify", "--data", "new"]), &token).out.trim(), "allow");
}

/// The seal of the old directory, naming the entry of that number instead.
fn sealed_at(desk: &Desk, number: u64) -> String {
    let seal = desk.read(".local/share/keydeck/seal");
    let lines = seal.lines().filter(|line| !line.starts_with("crc"));
    let forged: String = lines
        .map(|line| match line.strip_prefix("audit ") {
            Some(head) => format!("audit {number:016x}{}\n", &head[16..]),
            None => format!("{line}\n"),
        })
        .collect();
    format!("{forged}crc {:08x}\n", crc32fast::hash(forged.as_bytes()))
}

#[test]
fn a_seal_whose_number_was_lowered_makes_no_older_backup_good() {
    let desk = Desk::founded();
    let ann = desk.maria();
    let create =
        |name: &str| ann.does(&["key", "create", "--name", name, "--agency", "--scope", "contacts.read"]);
    create("Leaked");
    for name in ["One", "Two", "Three", "Four", "Five", "Six"] {
        create(name);
    }
    ann.does(&["backup", "whole.kdb"]);
    ann.does(&["audit", "trim", "--before", "9", "--segment", "4", "--to", "old.jsonl", "--yes"]);
    ann.does(&["backup", "trimmed.kdb"]);
    ann.does(&["key", "revoke", "Leaked"]);
    let restore = |file: &str| ann.says(&["restore", file, "--anchor", "seal", "--data", "new"]);
    let tells: u64 = ann.asks(&["info"])["store"]["unsealed"]["trail"]["entries"].as_u64().unwrap_or(99);
    desk.file("seal", sealed_at(&desk, tells + 99));
    restore("whole.kdb").fails(1, "of the seal of the old directory");
    for (file, number) in [("whole.kdb", 0), ("whole.kdb", 3), ("trimmed.kdb", 0), ("trimmed.kdb", 3)] {
        desk.file("seal", sealed_at(&desk, number));
        let said = restore(file);
        assert!(said.code != 0 && !desk.path("new").exists(), "{file} {number}: {said:?}");
    }
}

#[cfg(not(feature = "age"))]
#[test]
fn a_build_without_age_seals_no_backup() {
    let desk = Desk::founded();
    desk.maria().says(&["backup", "copy", "--seal-to", "age1xyz"]).fails(1, "The backup is not made.");
    assert!(!desk.path("copy").exists());
}

#[cfg(feature = "age")]
#[test]
fn a_backup_sealed_to_a_public_key_is_opened_by_what_its_private_key_reads() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let token = ann.issues("Lives", "contacts.read");
    let identity = age::x25519::Identity::generate();
    ann.does(&["backup", "plain"]);
    ann.does(&["backup", "copy", "--seal-to", &identity.to_public().to_string()]);
    desk.run(&["restore", "plain", "--sealed-key"], "").fails(1, "not sealed to a public key");
    let sealed = desk.run(&["restore", "copy", "--sealed-key"], "").expect(0).out;
    let opener = age::Decryptor::new(age::armor::ArmoredReader::new(sealed.as_bytes())).unwrap();
    let mut text = String::new();
    let identity: &dyn age::Identity = &identity;
    opener.decrypt(std::iter::once(identity)).unwrap().read_to_string(&mut text).unwrap();
    desk.file("vault.pass", text);
    let into = ["restore", "copy", "--data", "new"];
    ann.says(&into).fails(4, "--sealed-key prints");
    ann.does(&[&into[..], &["--under=vault.pass"]].concat());
    assert_eq!(desk.run(&ann.words(&["verify", "--data", "new"]), &token).out.trim(), "allow");
}

#[test]
fn what_is_no_backup_is_said_to_be_none() {
    let desk = Desk::founded();
    let maria = desk.maria();
    desk.file("note", "not a backup at all, but long enough");
    maria.says(&["restore", "note", "--data", "new"]).fails(2, "no backup that keydeck made");
    maria.says(&["restore", "none", "--data", "new"]).fails(2, "cannot be read");
    maria.does(&["backup", "copy"]);
    let whole = fs::read(desk.path("copy")).unwrap();
    fs::write(desk.path("cut"), &whole[..whole.len() / 2]).unwrap();
    maria.says(&["restore", "cut", "--data", "new"]).fails(1, "cut off here");
    desk.file("wrong.pass", "a wrong horse battery staple");
    let other = desk.by_passphrase("maria", "wrong.pass");
    other.says(&["restore", "copy", "--data", "new"]).fails(4, "opens with the secrets");
    assert!(!desk.path("new").exists());
}

#[test]
fn one_that_is_killed_while_it_copies_leaves_no_file_of_that_name() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    ann.issues("Lives", "contacts.read");
    let words = ann.words(&["backup", "copy"]);
    let kills: u32 = std::env::var("KEYDECK_BACKUP_KILLS").map_or(8, |kills| kills.parse().unwrap());
    for patience in 0..kills {
        let mut child = desk.command(&words).spawn().unwrap();
        // However far it has come by then: the first time hardly begun, the last time perhaps done.
        let mut some = vec![0; 1];
        for _ in 0..patience * 16_000 / kills.max(1) {
            std::thread::yield_now();
        }
        let killed = child.kill();
        let _ = child.stdout.take().unwrap().read(&mut some);
        child.wait().unwrap();
        drop(killed);
        if desk.path("copy").exists() {
            let into = format!("new{patience}");
            ann.does(&["restore", "copy", "--data", &into]);
            fs::remove_file(desk.path("copy")).unwrap();
        }
    }
    // And the next one is made all the same.
    ann.does(&["backup", "copy"]);
}

#[test]
fn a_server_keeps_anchors_elsewhere_and_the_trail_goes_through_all_of_them() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    desk.file("config.toml", "[anchor]\nfile = \"anchors\"\nevery = \"1h\"\n");
    for _ in 0..2 {
        ann.issues("Lives", "contacts.read");
        let before = fs::read_to_string(desk.path("anchors")).unwrap_or_default().lines().count();
        let words = ann.words(&["serve", "--listen", "127.0.0.1:0", "--config", "config.toml"]);
        let mut server = desk.command(&words).stderr(Stdio::null()).spawn().unwrap();
        until("an anchor", || {
            fs::read_to_string(desk.path("anchors")).is_ok_and(|text| text.lines().count() > before)
        });
        kill_process(Pid::from_child(&server), rustix::process::Signal::TERM).unwrap();
        assert!(server.wait().unwrap().success());
        ann.does(&["key", "revoke", "Lives"]);
    }
    ann.says(&["audit", "verify", "--anchor", "anchors"]).expect(0);
    let kept = desk.read("anchors");
    assert_eq!(kept.lines().count(), 2);
    let first: Vec<&str> = kept.lines().next().unwrap().split(' ').collect();
    let forged = kept.replacen(first[4], &"0".repeat(64), 1);
    desk.file("forged", &forged);
    ann.says(&["audit", "verify", "--anchor", "forged"]).expect(1);
    desk.file("config.toml", "[anchor]\nfil = \"anchors\"\n");
    ann.says(&["serve", "--listen", "127.0.0.1:0", "--config", "config.toml"]).fails(2, "Did you mean file?");
    ann.does(&["key", "list", "--config", "config.toml"]);
}

#[test]
fn a_part_of_the_trail_is_exported_by_when_it_was() {
    let desk = Desk::founded();
    let maria = desk.maria();
    let lines = |words: &[&str]| maria.does(&[&["audit", "export"], words].concat()).out.lines().count();
    let whole = lines(&[]);
    assert!(whole > 0 && lines(&["--since", "1d"]) > whole, "those of the exports too");
    assert_eq!(lines(&["--until", "2020-01-31"]), 0);
    assert_eq!(lines(&["--since", "2100-01-01", "--format", "csv"]), 1, "its heading");
    maria.says(&["audit", "export", "--since", "soon"]).fails(2, "--since: a date such as");
}

#[test]
fn a_part_of_the_trail_is_checked_as_the_part_it_is() {
    let desk = Desk::founded();
    let maria = desk.maria();
    maria.issues("Before", "contacts.read");
    let middle = maria.does(&["audit", "anchor"]).out;
    // Three days later, on a machine that was started again.
    desk.file("clock", format!("{} later", 3 * DAY_MS));
    let between = SystemClock.read().wall.plus_days(1).unwrap().rfc3339();
    let before = Timestamp(SystemClock.read().wall.0 - DAY_MS).rfc3339();
    maria.issues("After", "contacts.read");
    let newest = maria.does(&["audit", "anchor"]).out;
    let export = |name: &str, words: &[&str]| {
        let part = maria.does(&[&["audit", "export"], words].concat()).out;
        desk.file(name, &part);
        part
    };
    let check =
        |name: &str, words: &[&str]| desk.run(&[&["audit", "verify", "--export", name], words].concat(), "");
    for (name, words) in [
        ("late", &["--since", &between][..]),
        ("early", &["--until", &between]),
        ("both", &["--since", &before, "--until", &between]),
    ] {
        let part = export(name, words);
        let said = check(name, &[]).expect(0);
        assert!(
            said.out.starts_with("intact") && said.err.contains("a part of the trail"),
            "{name}: {said:?}"
        );
        let lines: Vec<&str> = part.lines().collect();
        desk.file("shorter", lines[..lines.len() - 1].join("\n"));
        check("shorter", &[]).expect(2);
        desk.file("edited", part.replacen("maria", "mario", 1));
        check("edited", &[]).expect(1);
        desk.file("unsaid", lines[1..].join("\n"));
        check("unsaid", &[]).expect(if name == "late" { 2 } else { 0 });
    }
    desk.file("middle", &middle);
    desk.file("newest", &newest);
    check("late", &["--anchor", "newest"]).expect(0);
    check("early", &["--anchor", "middle"]).expect(0);
    let said = check("early", &["--anchor", "newest"]).expect(3);
    assert!(said.err.contains("no anchor lies within the part"), "{said:?}");
    let forged = newest.replace(newest.split(' ').nth(4).unwrap(), &"0".repeat(64));
    desk.file("forged", forged);
    check("late", &["--anchor", "forged"]).expect(1);
}
