//! Killed while something is done to many keys: each part is done whole or not at all, what was acknowledged holds, and the
//! trail tells of each key what the store says.
//!
//! The child ends old halves, pauses all keys part by part and resumes them part by part, and rotates them one by one into a
//! file, and says after each part which keys those were. The parent kills it at a random moment, opens the store and compares:
//! the token of each key that took over is in a file and works, or the key can be given another.
//!
//! `KEYDECK_CRASH_ROUNDS=1000 cargo nextest run --test crash each:: --no-capture` for the long run.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where a promise breaks")]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::ops::Range;
use std::path::Path;

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::audit::{Entry, Outcome};
use keydeck::domain::{
    Command, Counted, Grace, Key as Record, KeyId, KeyState, Motive, Name, NewKey, Note, Place, Rotation,
    Status,
};
use keydeck::engine::handover::Purse;
use keydeck::engine::open::{Key, Open, Options, found, open};
use keydeck::engine::{Integrity, LocalEngine, Many, Session, Via};
use tempfile::TempDir;

use crate::victim::{Victim, say};

const CHILD: &str = "KEYDECK_CRASH_EACH_CHILD";
/// The program that is killed.
const VICTIM: &str = concat!(module_path!(), "::victim");
const ROUNDS: &str = "KEYDECK_CRASH_ROUNDS";
const PHRASE: &str = "correct horse battery staple";
/// Rounds of a plain run: a few seconds.
const FEW: u32 = 8;
/// Deaths a store lives through: each rotation leaves a record.
const LIVES: u32 = 25;
/// More than two parts.
const KEYS: usize = 150;
/// When the child is killed: this long after it opened the store, in milliseconds.
const AT_WORK: Range<u64> = 5..400;

fn options(dir: &Path) -> Options {
    Options { cost: Cost::IMPORTED, ..Options::new(&dir.join("data"), "crash test", Via::CommandLine) }
}

fn phrase() -> Passphrase {
    Passphrase::choose(PHRASE).unwrap()
}

fn sign_in(dir: &Path) -> Open {
    open(&options(dir), &Key::Operator { name: "maria", passphrase: &phrase() })
        .unwrap_or_else(|error| panic!("the store does not open any more: {error}"))
}

fn begun() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let name = |text: &str| Name::new(text).unwrap();
    let Open { engine, session, .. } =
        found(&options(dir.path()), name("Acme Agency"), name("maria"), &phrase()).unwrap().open;
    let raise = Command::SetPolicy { name: "keys-per-operator".into(), value: "10000".into(), basis: None };
    engine.execute(&session, raise).unwrap();
    for n in 0..KEYS {
        let scopes = vec!["contacts.read".into()];
        let name = name(&format!("Till {n}"));
        let new =
            NewKey { name, place: Place::Agency, scopes, expiry: None, note: Note::default(), decoy: false };
        engine.execute(&session, Command::IssueKey(new)).unwrap();
    }
    dir
}

#[test]
#[ignore = "not a test: the program that is killed"]
fn victim() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let dir = Path::new(&dir);
    say("begin");
    let Open { engine, session, .. } = sign_in(dir);
    say("open");
    let does = |word: &str, mut many: Many| {
        let mut told = 0;
        while !many.is_over() {
            many.go_on(&*engine, &session);
            let ids: Vec<String> = many.done[told..].iter().map(ToString::to_string).collect();
            told = many.done.len();
            say(&format!("{word} {}", ids.join(" ")));
        }
    };
    let keys = |fits: fn(KeyState) -> bool| {
        let now = engine.now().time;
        let mut keys: Vec<KeyId> =
            engine.state().keys().filter(|key| fits(key.state(now))).map(|key| key.id).collect();
        keys.sort_unstable();
        keys
    };
    let each = |keys: Vec<KeyId>, command: &dyn Fn(KeyId) -> Command| {
        Many::of(keys.into_iter().map(command).collect())
    };
    for turn in 0.. {
        let old = keys(|state| state == KeyState::Superseded);
        does("revoked", each(old, &|key| Command::RevokeKey(key, Motive::replaced())));
        // Half of them begin with what the others seldom come to.
        if turn > 0 || std::process::id().is_multiple_of(2) {
            does("paused", each(keys(KeyState::is_live), &|key| Command::PauseKey(key, None)));
        }
        does("active", each(keys(KeyState::is_live), &Command::ResumeKey));
        let to = dir.join(format!("{}-{turn}.jsonl", std::process::id()));
        let rotation =
            Rotation { id: None, grace: Grace::DEFAULT, counted: Counted::FromFirstUse, expiry: None };
        let rotates = |key| Command::RotateKey { key, rotation: rotation.clone() };
        let purse = Purse::open(&to, "", &[]).unwrap();
        does("superseded", each(keys(KeyState::is_live), &rotates).keeping(purse));
    }
}

/// What the keys are as far as somebody was told.
type Said = BTreeMap<String, KeyState>;

/// The state of which a word tells.
fn state_of(word: &str) -> Option<KeyState> {
    KeyState::ALL.into_iter().find(|state| state.as_str() == word)
}

/// Takes in what a victim said; how many parts that were.
fn hear(said: &mut Said, lines: &[String]) -> usize {
    let mut parts = 0;
    for line in lines {
        let (word, ids) = line.split_once(' ').unwrap_or((line, ""));
        let Some(state) = state_of(word) else { continue };
        // A part of which nothing was to be done has no entry.
        parts += usize::from(!ids.is_empty());
        said.extend(ids.split_whitespace().map(|id| (id.to_owned(), state)));
    }
    parts
}

/// The tokens that are whole in the files, by the ids of their keys.
fn written(dir: &Path) -> HashMap<String, String> {
    let mut tokens = HashMap::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.path().extension().is_none_or(|end| end != "jsonl") {
            continue;
        }
        for line in fs::read_to_string(entry.path()).unwrap().lines() {
            // The kill may have come while the last one was written.
            let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            tokens.insert(line["id"].as_str().unwrap().into(), line["token"].as_str().unwrap().into());
        }
    }
    tokens
}

/// What an entry says a key is from then on.
fn told_by(entry: &Entry, id: &str) -> Option<KeyState> {
    let at = entry.subjects.iter().position(|subject| subject.id == id)?;
    Some(match (entry.event.as_str(), at) {
        _ if entry.outcome == Outcome::Refused => return None,
        ("key.pause", _) => KeyState::Paused,
        ("key.resume", _) | ("key.rotate" | "key.rotate-again" | "key.rotate-cancel", 0) => KeyState::Active,
        ("key.rotate" | "key.rotate-again", 1) => KeyState::Superseded,
        ("key.revoke" | "key.rotate-again" | "key.rotate-cancel", _) => KeyState::Revoked,
        _ => return None,
    })
}

/// Opens the store and compares. The number of entries that tell of parts, and of keys that were given another token.
fn check(said: &mut Said, dir: &Path) -> (usize, usize) {
    let Open { engine, session, notices } = sign_in(dir);
    assert!(engine.doubts().is_empty(), "{:?}", engine.doubts());
    // A rotation of which the seal did not know yet is taken back; and the database may have begun a snapshot.
    let known = |notice: &&String| {
        !notice.contains("the seal does not know of") && !notice.contains("was left unfinished")
    };
    assert_eq!(notices.iter().find(known), None);
    let report = engine.check_audit(&session).unwrap();
    assert_eq!(report.integrity, Integrity::Intact, "{:?}", report.faults);
    let now = engine.now().time;
    let states =
        || -> Said { engine.state().keys().map(|key| (key.id.to_string(), key.state(now))).collect() };
    let found = states();
    let other: Vec<&String> =
        found.keys().filter(|id| said.get(*id).is_some_and(|s| *s != found[*id])).collect();
    // What was on its way when the kill came is one part, whole.
    let state = other.first().map(|id| found[*id]);
    assert!(other.iter().all(|id| Some(found[*id]) == state) && other.len() <= 64, "half done: {other:?}");
    let lines = engine.audit(&session, None, usize::MAX, None).unwrap().lines;
    for (id, state) in &found {
        let told = lines.iter().find_map(|line| told_by(&line.entry, id)).unwrap_or(KeyState::Active);
        assert_eq!(told, *state, "{id}: what the trail says, and what it is");
    }
    let given = gives_again(&engine, &session, dir);
    *said = states();
    let parts = ["key.pause", "key.resume", "key.rotate", "key.revoke"];
    let is_part = |entry: &Entry| entry.outcome == Outcome::Done && parts.contains(&entry.event.as_str());
    (lines.iter().filter(|line| is_part(&line.entry)).count(), given)
}

/// Each key that took over has its token in a file, where it opens the key, or is the one that was under way: that is given
/// another token. How many those were.
fn gives_again(engine: &LocalEngine, session: &Session, dir: &Path) -> usize {
    let now = engine.now().time;
    let tokens = written(dir);
    let made: Vec<Record> = engine.state().keys().filter(|key| key.succeeds.is_some()).cloned().collect();
    for key in &made {
        let Some(token) = tokens.get(&key.id.to_string()) else { continue };
        let answer = engine.test(session, token.as_bytes(), &[]).unwrap().reason().map(keydeck::Reason::code);
        let fits = match key.state(now) {
            KeyState::Active | KeyState::Superseded if key.status == Status::Active => answer.is_none(),
            KeyState::Revoked => answer == Some("revoked"),
            _ => answer == Some("disabled"),
        };
        assert!(fits, "{key:?} answered {answer:?}");
    }
    let lost = |key: &&Record| {
        !tokens.contains_key(&key.id.to_string()) && !matches!(key.state(now), KeyState::Revoked)
    };
    let lost: Vec<&Record> = made.iter().filter(lost).collect();
    assert!(lost.len() <= 1, "tokens of {} keys are nowhere", lost.len());
    for key in &lost {
        let done = engine.execute(session, Command::RepeatRotation(key.id)).unwrap();
        let token = done.token.unwrap();
        assert!(engine.test(session, token.reveal().as_bytes(), &[]).unwrap().reason().is_none());
        // As whoever does that keeps it.
        let line = serde_json::json!({ "id": KeyId(token.id()).to_string(), "token": token.reveal() });
        fs::write(dir.join(format!("{}.jsonl", key.id)), line.to_string()).unwrap();
    }
    lost.len()
}

#[test]
fn many_are_done_part_by_part_and_no_part_is_half_done_after_a_kill() {
    let rounds = std::env::var(ROUNDS).map_or(FEW, |n| n.parse().unwrap());
    let (mut dir, mut said, mut before) = (begun(), Said::new(), 0);
    let (mut acknowledged, mut again, mut rotated) = (0, 0, 0);
    for round in 0..rounds {
        if round > 0 && round % LIVES == 0 {
            rotated += written(dir.path()).len();
            (dir, said, before) = (begun(), Said::new(), 0);
        }
        let victim = Victim::start(VICTIM, &[(CHILD, dir.path().as_os_str())]);
        let parts = hear(&mut said, &victim.kill(round, AT_WORK));
        let (entries, given) = check(&mut said, dir.path());
        let more = entries - before - parts;
        assert!(more <= 1, "{more} entries that nobody was told of");
        (before, acknowledged, again) = (entries, acknowledged + parts, again + given);
    }
    rotated += written(dir.path()).len();
    assert!(acknowledged > 0, "no child ever got to work");
    println!(
        "{rounds} rounds, {acknowledged} parts acknowledged, none half done; {rotated} tokens in files, {again} given again"
    );
}
