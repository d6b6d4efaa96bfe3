//! Killed while the trail is trimmed: the store opens, the trail is whole from where it begins, and of each record it is known
//! who wrote it last, whether its entry is there or not.
//!
//! The child lives and trims in turn. The parent kills it at a random moment, opens the store and compares, and damages one
//! record of a copy: that one is named, and no other. `KEYDECK_CRASH_ROUNDS` is how often.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where a promise breaks")]

use std::fs;
use std::ops::Range;
use std::path::Path;

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::{Command, KeyId, Name, NewKey, Note, Place, Reason};
use keydeck::engine::open::{Key, Open, Options, found, open};
use keydeck::engine::{Integrity, Sweeping, Via};
use keydeck::store::{Op, SledOptions, SledStore, Store as _};

use crate::victim::{Victim, say};

const CHILD: &str = "KEYDECK_CRASH_TRIM_CHILD";
/// The program that is killed.
const VICTIM: &str = concat!(module_path!(), "::victim");
const ROUNDS: &str = "KEYDECK_CRASH_ROUNDS";
const PHRASE: &str = "correct horse battery staple";
/// Rounds of a plain run: a few seconds.
const FEW: u32 = 8;
/// Keys: two entries say again who wrote them last.
const KEYS: usize = 150;
/// When the child is killed: this long after it opened the store, in milliseconds.
const AT_WORK: Range<u64> = 5..600;

fn options(dir: &Path) -> Options {
    Options { cost: Cost::IMPORTED, ..Options::new(dir, "crash test", Via::CommandLine) }
}

fn phrase() -> Passphrase {
    Passphrase::choose(PHRASE).unwrap()
}

fn sign_in(dir: &Path) -> Open {
    open(&options(dir), &Key::Operator { name: "maria", passphrase: &phrase() })
        .unwrap_or_else(|error| panic!("the store does not open any more: {error}"))
}

/// Founds a store, and has the tokens of its keys.
fn found_in(dir: &Path) -> Vec<(KeyId, String)> {
    let name = |text: &str| Name::new(text).unwrap();
    let Open { engine, session, .. } =
        found(&options(dir), name("Acme Agency"), name("maria"), &phrase()).unwrap().open;
    let raise = Command::SetPolicy { name: "keys-per-operator".into(), value: "10000".into(), basis: None };
    engine.execute(&session, raise).unwrap();
    let issue = |n| {
        let scopes = vec!["contacts.read".into()];
        let name = name(&format!("Till {n}"));
        let new =
            NewKey { name, place: Place::Agency, scopes, expiry: None, note: Note::default(), decoy: false };
        let token = engine.execute(&session, Command::IssueKey(new)).unwrap().token.unwrap();
        (KeyId(token.id()), token.reveal().to_owned())
    };
    (0..KEYS).map(issue).collect()
}

#[test]
#[ignore = "not a test: the program that is killed"]
fn victim() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    say("begin");
    let Open { engine, session, .. } = sign_in(Path::new(&dir));
    say("open");
    let mut keys: Vec<KeyId> = engine.state().keys().map(|key| key.id).collect();
    keys.sort_unstable();
    for turn in 0.. {
        let key = keys[turn % keys.len()];
        // Paused by a round before, it is resumed.
        if engine.execute(&session, Command::PauseKey(key, None)).is_err() {
            engine.execute(&session, Command::ResumeKey(key)).unwrap();
        }
        let upto = engine.anchor(&session).unwrap().seq - 1;
        let Some(head) = engine.audit_hash(&session, upto).unwrap() else { continue };
        let file = "/mnt/other/trail.jsonl".to_owned();
        if engine.execute(&session, Command::TrimAudit { upto, head, file }).is_ok() {
            say(&format!("trimmed {upto}"));
        }
    }
}

/// Damages one record of a copy.
fn is_still_proven(dir: &Path, tokens: &[(KeyId, String)], which: usize) {
    let aside = tempfile::tempdir().unwrap();
    copy(dir, aside.path());
    // Without the seal nothing keeps the store from taking the change.
    let (seal, away) = (aside.path().join("seal"), aside.path().join("away"));
    fs::rename(&seal, &away).unwrap();
    let opened = SledStore::open(&SledOptions::new(aside.path())).unwrap();
    let at = format!("p/{}", tokens[which].0);
    opened.store.commit(&[], &[Op::Put(at.clone().into_bytes(), b"junk".to_vec())]).unwrap();
    drop(opened);
    fs::rename(&away, &seal).unwrap();
    let Open { engine, .. } = sign_in(aside.path());
    let doubts = engine.doubts();
    assert!(!doubts.is_empty() && doubts.iter().all(|doubt| doubt.what.contains(&at)), "{doubts:?}");
    for (id, token) in tokens {
        let reason = engine.verify(token.as_bytes(), &[]).reason();
        assert_eq!(reason == Some(Reason::StoreError), *id == tokens[which].0, "{id}: {reason:?}");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn a_trail_that_was_being_trimmed_is_whole_after_a_kill_and_proves_what_it_proved() {
    let rounds = std::env::var(ROUNDS).map_or(FEW, |n| n.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let tokens = found_in(dir.path());
    let mut trimmed = 0;
    for round in 0..rounds {
        let victim = Victim::start(VICTIM, &[(CHILD, dir.path().as_os_str())]);
        let said = victim.kill(round, AT_WORK);
        let upto = said.iter().filter_map(|line| line.strip_prefix("trimmed ")).next_back();
        let Open { engine, session, notices } = sign_in(dir.path());
        // What the seal had not heard of yet, and a file that the database was writing for itself, are as after any kill.
        let is_usual = |notice: &String| {
            notice.contains("the seal does not know of") || notice.contains("was left unfinished")
        };
        let harmless = notices.iter().all(is_usual);
        assert!(engine.doubts().is_empty() && harmless, "{notices:?} {:?}", engine.doubts());
        let report = engine.check_audit(&session).unwrap();
        assert_eq!(report.integrity, Integrity::Intact, "{:?}", report.faults);
        let span = engine.span(&session).unwrap();
        if let Some(upto) = upto {
            assert!(span.first > upto.parse().unwrap(), "what was said to be taken out came back");
            trimmed += 1;
        }
        engine.sweep(&session, Sweeping::Do).unwrap();
        assert_eq!(engine.check_audit(&session).unwrap().integrity, Integrity::Intact);
        engine.settle().unwrap();
        drop(engine);
        is_still_proven(dir.path(), &tokens, usize::try_from(round).unwrap() * 7 % tokens.len());
    }
    assert!(trimmed > 0, "no child ever got to work");
    println!("{rounds} rounds, the trail whole after each, {trimmed} after a trimming");
}
