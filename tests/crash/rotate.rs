//! Killed while keys are rotated, lost, rotated again, taken back, while time passes and its sweeps do what is due, and while
//! that is told through a program: never are two secrets alive that should not be, never none, nothing that was acknowledged
//! is lost, and a message comes again only if it was on its way, with the id it had.
//!
//! `KEYDECK_CRASH_ROUNDS=1000 cargo nextest run --test crash rotate:: --no-capture` for the long run.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where a promise breaks")]

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::deliver::{Program, Quit, Setup, Way, run};
use keydeck::domain::delivery::Tiding;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{
    Command, Counted, Event, Expiry, KeyId, KeyState, Name, NewKey, Note, Place, Reason, Rotation, State,
    Timestamp,
};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Key, Open, Options, found, open};
use keydeck::engine::{Engine as _, EngineError, Integrity, OpenError, Sweeping, Via};
use keydeck::store;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::dice::Dice;
use crate::support::wait::until;
use crate::victim::{Victim, say};

const DIR: &str = "KEYDECK_CRASH_CHILD";
const NOW: &str = "KEYDECK_CRASH_NOW";
const ROUNDS: &str = "KEYDECK_CRASH_ROUNDS";
/// The program that is killed.
const VICTIM: &str = concat!(module_path!(), "::victim");
const PHRASE: &str = "correct horse battery staple";
const START: i64 = 1_790_000_000_000;
const HOUR: i64 = 3_600_000;

/// Rounds of a plain `cargo test`: some seconds.
const FEW: u32 = 8;
/// Deaths a directory lives through.
const LIVES: u32 = 20;
const AT_WORK: Range<u64> = 20..400;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A machine that has not been started anew since the beginning.
fn options(dir: &Path, now: i64) -> (Options, TestClock) {
    let clock = TestClock::at(Timestamp(START));
    clock.pass(now - START);
    let with = Arc::new(clock.clone());
    let data = dir.join("data");
    (
        Options { clock: with, cost: Cost::IMPORTED, ..Options::new(&data, "crash test", Via::CommandLine) },
        clock,
    )
}

fn sign_in(dir: &Path, now: i64) -> (Open, TestClock) {
    let (options, clock) = options(dir, now);
    let passphrase = Passphrase::present(PHRASE).unwrap();
    let (key, mut opened) = (Key::Operator { name: "maria", passphrase: &passphrase }, None);
    // A program that whoever was killed was about to start has the lock of that process until it has started.
    until("the store to be let go of", || match open(&options, &key) {
        Err(OpenError::Store(store::OpenError::InUse { .. })) => false,
        Err(error) => panic!("the store does not open any more: {error}"),
        Ok(open) => opened.replace(open).is_none(),
    });
    (opened.unwrap(), clock)
}

/// A program that keeps each message in a file of its own.
fn channel(dir: &Path) -> [Setup; 1] {
    let mail = dir.join("mail").display().to_string();
    let script = format!("f=$(mktemp {mail}/XXXXXXXX) && cat >$f && mv $f $f.json");
    let way = Way::Program(Program {
        path: "/bin/sh".into(),
        arguments: vec!["-c".into(), script],
        limit: Duration::from_secs(300),
    });
    [Setup { name: "mail".parse().unwrap(), way, only: Vec::new() }]
}

fn begun() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("mail")).unwrap();
    let passphrase = Passphrase::choose(PHRASE).unwrap();
    let open = found(&options(dir.path(), START).0, name("Acme"), name("maria"), &passphrase).unwrap().open;
    for (rule, value) in [("keys-per-operator", "10000"), ("idle-days", "off")] {
        let rule = Command::SetPolicy { name: rule.into(), value: value.into(), basis: None };
        open.engine.execute(&open.session, rule).unwrap();
    }
    // A channel tells of what happens after it was first seen.
    assert_eq!(run(&open.engine, &channel(dir.path()), &Quit::default()).failed, []);
    dir
}

#[test]
#[ignore = "not a test: the program that is killed"]
fn victim() {
    let number = |variable| std::env::var(variable).ok().and_then(|text: String| text.parse().ok());
    if let (Some(dir), Some(now)) = (std::env::var_os(DIR), number(NOW)) {
        Worker::begins(Path::new(&dir), now).works();
    }
}

/// What the one that is killed does. It says what it sets out to do, and that it was done.
struct Worker<'d> {
    dir: &'d Path,
    open: Open,
    clock: TestClock,
    now: i64,
    dice: Dice,
    /// Of the secrets it has seen itself.
    tokens: HashMap<KeyId, String>,
}

impl<'d> Worker<'d> {
    fn begins(dir: &'d Path, now: i64) -> Self {
        say("begin");
        let (open, clock) = sign_in(dir, now);
        say("open");
        Self { dir, open, clock, now, dice: Dice::of(u64::from(std::process::id())), tokens: HashMap::new() }
    }

    fn works(mut self) {
        loop {
            for _ in 0..3 {
                self.changes();
            }
            self.uses();
            self.lets_time_pass();
            say("do deliver -");
            let report = run(&self.open.engine, &channel(self.dir), &Quit::default());
            say(&format!("did deliver {}", report.sent));
        }
    }

    fn makes(&mut self, command: Command) -> Option<(Vec<Event>, KeyId, String)> {
        let done = match self.open.engine.execute(&self.open.session, command) {
            Ok(done) => done,
            Err(EngineError::Refused(_)) => {
                say("no");
                return None;
            }
            Err(other) => panic!("{other}"),
        };
        let token = done.token.unwrap();
        let (key, token) = (KeyId(token.id()), token.reveal().to_owned());
        self.tokens.insert(key, token.clone());
        Some((done.events, key, token))
    }

    fn issues(&mut self) {
        let ends = self.dice.once_in(3).then(|| self.now + (2 + self.dice.number(12)) * DAY_MS);
        let called = format!("Key {} {}", std::process::id(), self.tokens.len());
        let new = NewKey {
            name: name(&called),
            place: Place::Agency,
            scopes: vec!["contacts.read".into()],
            expiry: Some(ends.map_or(Expiry::Never, |at| Expiry::At(Timestamp(at)))),
            note: Note::default(),
            decoy: false,
        };
        say("do issue -");
        let (_, key, token) = self.makes(Command::IssueKey(new)).unwrap();
        say(&format!("did issue {key} {token} {}", ends.unwrap_or(i64::MAX)));
    }

    /// A key in that state that never ends, of those made last.
    fn one(&mut self, fits: impl Fn(&State, &keydeck::domain::Key) -> bool) -> Option<KeyId> {
        let state = self.open.engine.state();
        let all: Vec<KeyId> = state.keys().filter(|key| fits(&state, key)).map(|key| key.id).collect();
        drop(state);
        let last = &all[all.len().saturating_sub(12)..];
        (!last.is_empty()).then(|| self.dice.one_of(last))
    }

    fn changes(&mut self) {
        let now = Timestamp(self.now);
        let works = move |_: &State, key: &keydeck::domain::Key| {
            key.state(now) == KeyState::Active && key.expiry == Expiry::Never
        };
        let superseded = move |_: &State, key: &keydeck::domain::Key| key.state(now) == KeyState::Superseded;
        match self.dice.roll(10) {
            0..=2 => self.issues(),
            3..=6 => {
                let Some(old) = self.one(works) else { return };
                let hours = self.dice.one_of(&[0, 1, 24, 168]);
                let counted = self.dice.one_of(&[Counted::FromNow, Counted::FromFirstUse]);
                let grace = if hours == 0 { "0".into() } else { format!("{hours}h") }.parse().unwrap();
                let rotation = Rotation { id: None, grace, counted, expiry: None };
                let what = if hours == 0 { "lost" } else { "rotate" };
                say(&format!("do {what} {old}"));
                let Some((_, new, token)) = self.makes(Command::RotateKey { key: old, rotation }) else {
                    return;
                };
                let until = if counted == Counted::FromNow { self.now + hours * HOUR } else { i64::MAX };
                say(&format!("did {what} {old} {new} {token} {until}"));
            }
            7..=8 => {
                let Some(old) = self.one(superseded) else { return };
                say(&format!("do again {old}"));
                let Some((events, new, token)) = self.makes(Command::RepeatRotation(old)) else { return };
                let dead = events.iter().find_map(|event| match event {
                    Event::KeyRevoked(key) => Some(key.id),
                    _ => None,
                });
                say(&format!("did again {old} {new} {token} {}", dead.unwrap()));
            }
            _ => {
                let Some(old) = self.one(superseded) else { return };
                let new = self.open.engine.state().key(old).unwrap().superseded.as_ref().unwrap().by;
                say(&format!("do cancel {old}"));
                self.open.engine.execute(&self.open.session, Command::CancelRotation(old)).unwrap();
                say(&format!("did cancel {old} {new}"));
            }
        }
    }

    fn uses(&mut self) {
        let mut all: Vec<KeyId> = self.tokens.keys().copied().collect();
        all.sort_unstable();
        for key in all {
            if self.dice.once_in(4) {
                say(&format!("used {key}"));
                let _whatever = self.open.engine.verify(self.tokens[&key].as_bytes(), &[]);
            }
        }
    }

    fn lets_time_pass(&mut self) {
        let ms = 6 * HOUR + self.dice.number(24 * HOUR);
        self.now += ms;
        // Said before it is so: no clock that is set by it is behind.
        say(&format!("now {}", self.now));
        self.clock.pass(ms);
        say("do sweep -");
        self.open.engine.sweep(&self.open.session, Sweeping::Do).unwrap();
        say("did sweep");
    }
}

/// How a secret stands by what was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Works,
    /// Until then, if that was said.
    Superseded(KeyId, Option<i64>),
    Dead,
}

/// What those who were told know of the store.
struct Said {
    dir: TempDir,
    now: i64,
    tokens: HashMap<KeyId, String>,
    ends: HashMap<KeyId, i64>,
    stands: HashMap<KeyId, Stands>,
    used: HashSet<KeyId>,
    /// Those of a key that was lost, whose new half was taken back.
    given_up: HashSet<KeyId>,
    /// What was begun when the kill came.
    under_way: Option<(String, Option<KeyId>)>,
    killed_delivering: usize,
}

#[derive(Debug, Default)]
struct Figures {
    rounds: u32,
    /// What was under way when the kill came, and how often.
    killed: HashMap<String, usize>,
    acknowledged: usize,
    /// Keys that were lost, and whose new half was taken back.
    given_up: usize,
    messages: usize,
    repeated: usize,
    most_often: usize,
}

fn id(text: &str) -> KeyId {
    text.parse().unwrap()
}

impl Said {
    fn new() -> Self {
        let (tokens, ends, stands) = (HashMap::new(), HashMap::new(), HashMap::new());
        let (used, given_up, under_way, killed_delivering) = (HashSet::new(), HashSet::new(), None, 0);
        Self { dir: begun(), now: START, tokens, ends, stands, used, given_up, under_way, killed_delivering }
    }

    fn knows(&mut self, key: KeyId, token: &str, ends: i64) {
        self.tokens.insert(key, token.into());
        self.ends.insert(key, ends);
        self.stands.insert(key, Stands::Works);
    }

    /// Takes in what a victim said. The number of acknowledgements.
    fn hears(&mut self, lines: &[String]) -> usize {
        self.under_way = None;
        let mut acknowledged = 0;
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["do", what, key] => self.under_way = Some((what.into(), key.parse().ok())),
                ["no"] => self.under_way = None,
                ["now", at] => self.now = at.parse().unwrap(),
                ["used", key] => _ = self.used.insert(id(key)),
                ["did", ref done @ ..] => {
                    self.was_done(done);
                    self.under_way = None;
                    acknowledged += 1;
                }
                _ => {}
            }
        }
        acknowledged
    }

    fn was_done(&mut self, words: &[&str]) {
        match *words {
            ["issue", key, token, ends] => self.knows(id(key), token, ends.parse().unwrap()),
            ["rotate", old, new, token, until] => {
                let until = until.parse().ok().filter(|until| *until != i64::MAX);
                self.stands.insert(id(old), Stands::Superseded(id(new), until));
                self.knows(id(new), token, i64::MAX);
            }
            ["lost", old, new, token, _] => {
                let third = self
                    .stands
                    .iter()
                    .find(|(_, how)| matches!(how, Stands::Superseded(by, _) if *by == id(old)));
                for dead in third.map(|(third, _)| *third).into_iter().chain([id(old)]) {
                    self.stands.insert(dead, Stands::Dead);
                }
                self.knows(id(new), token, i64::MAX);
            }
            ["again", old, new, token, dead] => {
                let until = match self.stands.get(&id(old)) {
                    Some(Stands::Superseded(_, until)) => *until,
                    other => panic!("{old} was {other:?} when it was rotated again"),
                };
                self.stands.insert(id(old), Stands::Superseded(id(new), until));
                self.stands.insert(id(dead), Stands::Dead);
                self.knows(id(new), token, i64::MAX);
            }
            ["cancel", old, new] => {
                self.stands.insert(id(old), Stands::Works);
                self.stands.insert(id(new), Stands::Dead);
            }
            _ => {}
        }
    }

    /// Opens the store and finds everything in force.
    fn checks(&mut self, figures: &mut Figures) {
        let (open, _) = sign_in(self.dir.path(), self.now);
        let Open { engine, session, notices } = &open;
        assert!(engine.doubts().is_empty(), "{:?}", engine.doubts());
        // Nobody told the seal any more, and the database had begun a snapshot.
        let known = |notice: &&String| {
            !notice.contains("the seal does not know of") && !notice.contains("was left unfinished")
        };
        assert_eq!(notices.iter().find(known), None);
        if let Some((_, Some(key))) = self.under_way.clone() {
            self.finds_out(&open, key, figures);
        }
        for (key, token) in &self.tokens {
            let answer = engine.test(session, token.as_bytes(), &[]).unwrap().reason();
            let is_over = self.now >= self.ends[key];
            let fits = match (self.stands[key], answer) {
                (Stands::Works, None) => !is_over,
                (Stands::Works, Some(Reason::Expired)) => is_over,
                (Stands::Superseded(_, Some(until)), None) => self.now < until,
                (Stands::Superseded(_, Some(until)), Some(Reason::Expired | Reason::Revoked)) => {
                    self.now >= until
                }
                (Stands::Superseded(_, None), None) | (Stands::Dead, Some(Reason::Revoked)) => true,
                // From its first use on, which only that process knew.
                (Stands::Superseded(by, None), Some(Reason::Expired | Reason::Revoked)) => {
                    self.used.contains(&by)
                }
                _ => false,
            };
            let under_way = &self.under_way;
            assert!(fits, "{key} {:?} answered {answer:?}; under way: {under_way:?}", self.stands[key]);
        }
        self.no_line_has_three_or_none(&engine.state());
        let report = engine.check_audit(session).unwrap();
        assert_eq!(report.integrity, Integrity::Intact, "{:?}", report.faults);
        engine.settle().unwrap();
    }

    /// What was under way with a key was done, or was not, or was done and taken back. From now on it counts as said.
    fn finds_out(&mut self, open: &Open, old: KeyId, figures: &mut Figures) {
        let now = Timestamp(self.now);
        let state = open.engine.state();
        // The keys of this line, before and after.
        let mut line: BTreeSet<KeyId> = BTreeSet::from([old]);
        loop {
            let more: Vec<KeyId> = state
                .keys()
                .filter(|key| {
                    key.succeeds.is_some_and(|before| line.contains(&before)) && !line.contains(&key.id)
                })
                .map(|key| key.id)
                .collect();
            if more.is_empty() {
                break;
            }
            line.extend(more);
        }
        let third = state.key(old).and_then(|key| key.succeeds);
        line.extend(third);
        for key in &line {
            let record = state.key(*key).unwrap();
            let how = match (&record.superseded, record.state(now)) {
                (_, KeyState::Active) => Stands::Works,
                // Also one whose grace is over, which nobody has written down yet.
                (Some(how), _) if !record.is_ended() => Stands::Superseded(
                    how.by,
                    how.waits.is_none().then(|| record.expiry.instant().unwrap().0),
                ),
                _ => Stands::Dead,
            };
            self.stands.insert(*key, how);
        }
        let works = |key: &KeyId| {
            matches!(state.key(*key).unwrap().state(now), KeyState::Active | KeyState::Superseded)
        };
        if line.iter().any(works) {
            return;
        }
        drop(state);
        // A key that was lost is dead, by somebody's word, although nobody was shown the one that took over: nor does that
        // come back.
        assert_eq!(self.under_way.as_ref().map(|(what, _)| &what[..]), Some("lost"));
        let again = open.engine.execute(&open.session, Command::RepeatRotation(old)).map(drop);
        assert!(matches!(again, Err(EngineError::Refused(_))), "{again:?}");
        self.given_up.extend(line);
        figures.given_up += 1;
    }

    /// Of the keys that took over from one another one secret works, or two for a grace.
    fn no_line_has_three_or_none(&self, state: &State) {
        let now = Timestamp(self.now);
        let mut lines: HashMap<KeyId, Vec<&keydeck::domain::Key>> = HashMap::new();
        for key in state.keys() {
            let mut first = key;
            while let Some(before) = first.succeeds.and_then(|before| state.key(before)) {
                first = before;
            }
            lines.entry(first.id).or_default().push(key);
        }
        for (first, keys) in lines {
            let of = |wanted| keys.iter().filter(|key| key.state(now) == wanted).collect::<Vec<_>>();
            let (active, superseded) = (of(KeyState::Active), of(KeyState::Superseded));
            let is_over = keys.iter().any(|key| key.state(now) == KeyState::Expired);
            // The one that was issued and shown to nobody is taken back; it has no other.
            let is_unshown = keys.len() == 1 && !self.tokens.contains_key(&first);
            let is_none = is_over || is_unshown || keys.iter().any(|key| self.given_up.contains(&key.id));
            assert_eq!(active.len(), usize::from(!is_none || !active.is_empty()), "{keys:?}");
            assert!(superseded.len() <= 1, "{keys:?}");
            for old in superseded {
                assert_eq!(old.superseded.as_ref().map(|how| how.by), Some(active[0].id));
            }
        }
    }

    /// The messages: each notice in one, and one again only if a kill came when it was on its way.
    fn checks_mail(self, figures: &mut Figures) {
        let mail = self.dir.path().join("mail");
        let files = || fs::read_dir(&mail).unwrap().map(|entry| entry.unwrap().path());
        // What was run by those who were killed may still write.
        until("the messages to be there", || files().all(|file| file.extension().is_some()));
        let mut times: HashMap<String, usize> = HashMap::new();
        let mut told: HashMap<(String, String), BTreeSet<String>> = HashMap::new();
        for file in files() {
            let text = fs::read(file).unwrap();
            if text.is_empty() {
                // The kill came when the program was there and its message was not.
                continue;
            }
            let message: Value = serde_json::from_slice(&text).unwrap();
            let id = message["id"].as_str().unwrap().to_owned();
            assert_eq!(message["recipient"], "maria");
            for notice in message["notices"].as_array().unwrap() {
                let what = notice["what"].as_str().unwrap().to_owned();
                // What is wrong with the store is no key's.
                let Some(key) = notice["key"].as_str() else { continue };
                told.entry((what, key.to_owned())).or_default().insert(id.clone());
            }
            *times.entry(id).or_default() += 1;
        }
        let (open, _) = sign_in(self.dir.path(), self.now);
        let mut given: HashMap<(String, String), usize> = HashMap::new();
        for (_, tiding) in open.engine.tidings(0).unwrap().all {
            let (Tiding::Done(matter) | Tiding::First(matter)) = tiding else { continue };
            *given.entry((matter.code().into(), matter.key().unwrap().to_string())).or_default() += 1;
        }
        for (what, messages) in told {
            let given = given.get(&what).copied().unwrap_or_default();
            assert!(messages.len() <= given, "{what:?} was told {given} times, and by {messages:?}");
        }
        let repeated: usize = times.values().map(|times| times - 1).sum();
        assert!(repeated <= self.killed_delivering, "{repeated} again, {} kills", self.killed_delivering);
        figures.messages += times.len();
        figures.repeated += repeated;
        figures.most_often = figures.most_often.max(times.values().copied().max().unwrap_or_default());
    }
}

#[test]
fn a_kill_at_any_moment_leaves_each_key_one_secret_or_two_for_its_grace_and_repeats_no_other_message() {
    let rounds = std::env::var(ROUNDS).map_or(FEW, |n| n.parse().unwrap());
    let mut figures = Figures::default();
    let mut said = Said::new();
    for round in 0..rounds {
        if round > 0 && round % LIVES == 0 {
            std::mem::replace(&mut said, Said::new()).checks_mail(&mut figures);
        }
        let now = said.now.to_string();
        let variables = [(DIR, said.dir.path().as_os_str()), (NOW, OsStr::new(&now))];
        let victim = Victim::start(VICTIM, &variables);
        figures.acknowledged += said.hears(&victim.kill(round, AT_WORK));
        figures.rounds += 1;
        if let Some((what, _)) = &said.under_way {
            said.killed_delivering += usize::from(what == "deliver");
            *figures.killed.entry(what.clone()).or_default() += 1;
        }
        said.checks(&mut figures);
        if round % 50 == 49 {
            println!("{figures:?}");
        }
    }
    said.checks_mail(&mut figures);
    assert!(figures.acknowledged > 0, "no child ever got to work");
    println!("{figures:?}");
}
