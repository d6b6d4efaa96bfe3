//! Killed while something is done to many keys: each part is done whole or not at all, what was acknowledged holds, and the
//! trail tells of each key what the store says.
//!
//! The child pauses all keys part by part and resumes them part by part, and says after each part which keys those were. The
//! parent kills it at a random moment, opens the store and compares. `KEYDECK_CRASH_ROUNDS` is how often.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where a promise breaks")]

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::{Command, KeyId, KeyState, Name, NewKey, Note, Place};
use keydeck::engine::open::{Key, Open, Options, found, open};
use keydeck::engine::{Integrity, Many, Via};

use crate::victim::{Victim, say};

/// A verb of many, and the word of what keys are then.
type Verb = (&'static str, fn(KeyId) -> Command);

const CHILD: &str = "KEYDECK_CRASH_EACH_CHILD";
/// The program that is killed.
const VICTIM: &str = concat!(module_path!(), "::victim");
const ROUNDS: &str = "KEYDECK_CRASH_ROUNDS";
const PHRASE: &str = "correct horse battery staple";
/// Rounds of a plain run: a few seconds.
const FEW: u32 = 6;
/// More than three parts.
const KEYS: usize = 200;
/// When the child is killed: this long after it opened the store, in milliseconds.
const AT_WORK: Range<u64> = 5..200;

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

fn found_in(dir: &Path) {
    let name = |text: &str| Name::new(text).unwrap();
    let Open { engine, session, .. } =
        found(&options(dir), name("Acme Agency"), name("maria"), &phrase()).unwrap().open;
    let raise = Command::SetPolicy { name: "keys-per-operator".into(), value: "10000".into(), basis: None };
    engine.execute(&session, raise).unwrap();
    for n in 0..KEYS {
        let scopes = vec!["contacts.read".into()];
        let name = name(&format!("Till {n}"));
        let new =
            NewKey { name, place: Place::Agency, scopes, expiry: None, note: Note::default(), decoy: false };
        engine.execute(&session, Command::IssueKey(new)).unwrap();
    }
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
    loop {
        let pauses: [Verb; 2] =
            [("paused", |key| Command::PauseKey(key, None)), ("active", Command::ResumeKey)];
        for (word, command) in pauses {
            let mut many = Many::of(keys.iter().copied().map(command).collect());
            let mut told = 0;
            while !many.is_over() {
                many.go_on(&*engine, &session);
                let ids: Vec<String> = many.done[told..].iter().map(ToString::to_string).collect();
                told = many.done.len();
                say(&format!("{word} {}", ids.join(" ")));
            }
        }
    }
}

/// What the keys are as far as somebody was told.
type Said = BTreeMap<String, KeyState>;

/// Takes in what a victim said; how many parts that were.
fn hear(said: &mut Said, lines: &[String]) -> usize {
    let mut parts = 0;
    for line in lines {
        let (word, ids) = line.split_once(' ').unwrap_or((line, ""));
        let state = match word {
            "paused" => KeyState::Paused,
            "active" => KeyState::Active,
            _ => continue,
        };
        // A part of which nothing was to be done has no entry.
        parts += usize::from(!ids.is_empty());
        said.extend(ids.split_whitespace().map(|id| (id.to_owned(), state)));
    }
    parts
}

/// Opens the store and compares. The number of entries that tell of a pause or its end.
fn check(said: &mut Said, dir: &Path) -> usize {
    let Open { engine, session, notices } = sign_in(dir);
    assert!(engine.doubts().is_empty() && notices.is_empty(), "{notices:?} {:?}", engine.doubts());
    let report = engine.check_audit(&session).unwrap();
    assert_eq!(report.integrity, Integrity::Intact, "{:?}", report.faults);
    let now = engine.now().time;
    let found: Said = engine.state().keys().map(|key| (key.id.to_string(), key.state(now))).collect();
    let other: Vec<&String> =
        found.keys().filter(|id| said.get(*id).is_some_and(|s| *s != found[*id])).collect();
    // What was on its way when the kill came is one part, whole.
    let state = other.first().map(|id| found[*id]);
    assert!(other.iter().all(|id| Some(found[*id]) == state) && other.len() <= 64, "half done: {other:?}");
    let lines = engine.audit(&session, None, usize::MAX, None).unwrap().lines;
    let entries: Vec<_> =
        lines.iter().filter(|l| l.entry.event == "key.pause" || l.entry.event == "key.resume").collect();
    for (id, state) in &found {
        let last = entries.iter().find(|l| l.entry.subjects.iter().any(|subject| subject.id == *id));
        let told = last.map_or(KeyState::Active, |line| match line.entry.event.as_str() {
            "key.pause" => KeyState::Paused,
            _ => KeyState::Active,
        });
        let refused = last.is_some_and(|line| line.entry.reason.is_some());
        assert!(refused || told == *state, "{id} is {state}, and the trail says {told}");
    }
    *said = found;
    entries.iter().filter(|line| line.entry.reason.is_none()).count()
}

#[test]
fn many_are_done_part_by_part_and_no_part_is_half_done_after_a_kill() {
    let rounds = std::env::var(ROUNDS).map_or(FEW, |n| n.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    found_in(dir.path());
    let (mut said, mut before, mut acknowledged) = (Said::new(), 0, 0);
    for round in 0..rounds {
        let victim = Victim::start(VICTIM, &[(CHILD, dir.path().as_os_str())]);
        let parts = hear(&mut said, &victim.kill(round, AT_WORK));
        let entries = check(&mut said, dir.path());
        let more = entries - before - parts;
        assert!(more <= 1, "{more} entries that nobody was told of");
        (before, acknowledged) = (entries, acknowledged + parts);
    }
    assert!(acknowledged > 0, "no child ever got to work");
    println!("{rounds} rounds, {acknowledged} parts acknowledged, none half done");
}
