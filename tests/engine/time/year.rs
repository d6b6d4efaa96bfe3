//! A year in the life of a store, on a real engine and a real disk: keys that are used, forgotten, rotated, lost, paused,
//! protected, deleted and restored, an agency that changes its mind about the rules, days on which nobody sweeps, clocks that
//! are wrong for an hour, restarts. Held day by day against the reckoning that the rules themselves are tested with.
//!
//! `KEYDECK_YEAR_KEYS=500` for the long run, `KEYDECK_YEAR_SEED=7` for another year. `KEYDECK_YEAR_LOG=FILE` writes down what
//! was done (JSON), what each sweep did (`=`) and what each caller was told (`?`), for another model of the same rules.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where a promise breaks")]

use std::collections::HashMap;
use std::fmt::Write as _;

use keydeck::crypto::passphrase::Passphrase;
use keydeck::domain::command::KeyEdit;
use keydeck::domain::lifecycle::deletes_at;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{
    Command, Counted, Expiry, Grace, Grounds, KeyId, KeyState, NewKey, Note, Place, PublicId, Refusal,
    Rotation, State, Timestamp,
};
use keydeck::engine::clock::{Clock as _, TestClock};
use keydeck::engine::open::{self, Open, found, open};
use keydeck::engine::{Engine as _, EngineError, Integrity, Sweeping};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::reckoning::{Entry, Reckoning};
use super::witness::{Did, stands};
use crate::support::dice::Dice;
use crate::sweeps::{START, name, options};

const KEYS: &str = "KEYDECK_YEAR_KEYS";
const SEED: &str = "KEYDECK_YEAR_SEED";
const LOG: &str = "KEYDECK_YEAR_LOG";
/// Keys of an everyday run: some seconds.
const FEW: usize = 60;
const HOUR: i64 = 3_600_000;
const PHRASE: &str = "correct horse battery staple";

/// How a key is used: once in so many days on the average, until that day.
#[derive(Clone, Copy)]
struct Habit {
    every: usize,
    until: i64,
}

struct Year {
    dir: TempDir,
    clock: TestClock,
    open: Open,
    dice: Dice,
    reckoning: Reckoning,
    /// In the order in which they were made.
    keys: Vec<KeyId>,
    tokens: HashMap<KeyId, (String, Habit)>,
    log: String,
    /// What happened how often.
    tally: HashMap<String, usize>,
}

impl Year {
    fn begins(seed: u64) -> Self {
        let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::at(START));
        let phrase = Passphrase::choose(PHRASE).unwrap();
        let open = found(&options(dir.path(), &clock), name("Acme"), name("maria"), &phrase).unwrap().open;
        let (dice, reckoning) = (Dice::of(seed), Reckoning::new(Some(90), 7));
        let (keys, tokens, tally) = (Vec::new(), HashMap::new(), HashMap::new());
        let year = Self { dir, clock, open, dice, reckoning, keys, tokens, log: "new\n".into(), tally };
        assert!(year.does(rule("keys-per-operator", "10000")));
        year
    }

    /// The process ends; another opens the store, now and then after the machine was started anew.
    fn goes_on(mut self) -> Self {
        self.open.engine.settle().unwrap();
        let Self { dir, clock, open: before, .. } = self;
        drop(before);
        if self.dice.once_in(3) {
            clock.boots(Timestamp(clock.wall().0 + self.dice.moment(HOUR)));
        }
        let passphrase = Passphrase::present(PHRASE).unwrap();
        let key = open::Key::Operator { name: "maria", passphrase: &passphrase };
        let open = open(&options(dir.path(), &clock), &key).unwrap();
        assert_eq!((&open.notices[..], open.engine.doubts().len()), (&[] as &[String], 0));
        self.tally.entry("restarts".into()).and_modify(|n| *n += 1).or_insert(1);
        Self { dir, clock, open, ..self }
    }

    fn now(&self) -> i64 {
        self.open.engine.now().time.0
    }

    fn day(&self) -> i64 {
        (self.now() - START.0) / DAY_MS
    }

    fn counts(&mut self, what: &str) {
        *self.tally.entry(what.into()).or_default() += 1;
    }

    fn logs(&mut self, what: &str, key: KeyId, more: &Value) {
        let mut line = json!({ "do": what, "at": self.now(), "key": key.to_string() });
        let more = more.as_object().unwrap();
        line.as_object_mut().unwrap().extend(more.clone());
        writeln!(self.log, "{line}").unwrap();
    }

    fn does(&self, command: Command) -> bool {
        match self.open.engine.execute(&self.open.session, command) {
            Ok(_) => true,
            Err(EngineError::Refused(_)) => false,
            Err(other) => panic!("day {}: {other}", self.day()),
        }
    }

    /// Has a command make a key that will be used as such keys are.
    fn makes(&mut self, command: Command) -> Option<KeyId> {
        let done = match self.open.engine.execute(&self.open.session, command) {
            Ok(done) => done,
            Err(EngineError::Refused(_)) => return None,
            Err(other) => panic!("day {}: {other}", self.day()),
        };
        let (token, day) = (done.token.unwrap(), self.day());
        let key = KeyId(token.id());
        let until = if self.dice.once_in(2) { day + self.dice.number(250) } else { i64::MAX };
        let habit = Habit { every: self.dice.one_of(&[1, 3, 7, 20, 60, 100_000, 100_000]), until };
        self.tokens.insert(key, (token.reveal().to_owned(), habit));
        self.keys.push(key);
        Some(key)
    }

    fn issues(&mut self) {
        let days = if self.dice.once_in(3) { Some(15 + self.dice.number(185)) } else { None };
        let expiry = days.map_or(Expiry::Never, |days| Expiry::At(Timestamp(self.now() + days * DAY_MS)));
        let new = NewKey {
            name: name(&format!("Key {}", self.keys.len())),
            place: Place::Agency,
            scopes: vec!["contacts.read".into()],
            expiry: Some(expiry),
            note: Note::default(),
            decoy: false,
        };
        let key = self.makes(Command::IssueKey(new)).unwrap();
        let own = if self.dice.once_in(4) { Some(self.dice.one_of(&[1, 2, 14, 30])) } else { None };
        if own.is_some() {
            assert!(self.does(self.edit(key, expiry, own)));
        }
        let (now, end) = (self.now(), expiry.instant().map(|at| at.0));
        self.reckoning.happens(key, now, Entry::Made);
        self.reckoning.happens(key, now, Entry::Ends(end, own));
        self.logs("create", key, &json!({ "expiry": end, "notice": own }));
    }

    /// The key as it is, but for its end and when that is told of.
    fn edit(&self, key: KeyId, expiry: Expiry, notice_days: Option<u32>) -> Command {
        let change = KeyEdit::of(self.open.engine.state().key(key).unwrap());
        Command::EditKey { key, change: KeyEdit { expiry, notice_days, ..change }, basis: None }
    }

    /// Where two works are one key to people.
    fn is_half(&self, key: KeyId) -> bool {
        let (state, now) = (self.open.engine.state(), Timestamp(self.now()));
        state.key(key).and_then(|key| state.halves(key)).is_some_and(|halves| halves.in_grace(now))
    }

    /// The one it took over from, while that works.
    fn old_half(&self, key: KeyId) -> Option<KeyId> {
        let (state, now) = (self.open.engine.state(), Timestamp(self.now()));
        Some(state.old_half(state.key(key)?, now)?.id)
    }

    fn is_used(&mut self, key: KeyId) {
        let allowed = self.open.engine.verify(self.tokens[&key].0.as_bytes(), &[]).is_allow();
        let now = self.now();
        assert_eq!(allowed, self.reckoning.happens(key, now, Entry::Used), "day {}: {key}", self.day());
        self.logs("use", key, &json!({}));
        writeln!(self.log, "? {allowed}").unwrap();
        self.counts(if allowed { "uses" } else { "refusals" });
        let starts = |state: &State| {
            let halves = state.halves(state.key(key)?)?;
            (halves.new.id == key && halves.how.waits.is_some()).then_some(())
        };
        // A sweep that comes late lets the old half work for longer; here it comes at once.
        let starts_a_grace = allowed && starts(&self.open.engine.state()).is_some();
        if starts_a_grace {
            self.sweeps();
        }
    }

    /// What is done to one key that is not to be used, and whether it should have been.
    fn happens(&mut self, what: &str, key: KeyId, command: Command, entry: Entry) {
        let now = self.now();
        let both = matches!(entry, Entry::Paused | Entry::Resumed | Entry::Revoked | Entry::Deleted);
        let old = self.old_half(key);
        let expected = if both {
            self.reckoning.happens_to_both(key, now, entry)
        } else {
            self.reckoning.happens(key, now, entry)
        };
        assert_eq!(self.does(command), expected, "day {}: {what} {key}", self.day());
        if !expected {
            return;
        }
        self.counts(what);
        let end = if let Entry::Ends(end, _) = entry { json!({ "expiry": end }) } else { json!({}) };
        self.logs(what, key, &end);
        if let Some(old) = old.filter(|_| both) {
            self.logs(what, old, &json!({}));
        }
    }

    fn rotates(&mut self, key: KeyId, hours: i64, counted: Counted) {
        let grace = if hours == 0 { Grace::NONE } else { format!("{hours}h").parse().unwrap() };
        let old = self.old_half(key);
        let rotation = Rotation { id: None, grace, counted, expiry: None };
        let made = self.makes(Command::RotateKey { key, rotation });
        let (now, waits) = (self.now(), counted == Counted::FromFirstUse && hours > 0);
        // Where none was made, it is asked whether one should have been.
        let to = made.unwrap_or(KeyId(PublicId::NOBODY));
        let expected = self.reckoning.rotate(key, to, now, (hours * HOUR, waits));
        assert_eq!(made.is_some(), expected, "day {}: rotation of {key}", self.day());
        let Some(to) = made else { return };
        let from = if waits { "first-use" } else { "now" };
        self.logs("rotate", key, &json!({ "to": to.to_string(), "grace": hours * HOUR, "from": from }));
        self.counts(if hours == 0 { "lost" } else { from });
        for lost in [Some(key), old].into_iter().flatten().filter(|_| hours == 0) {
            self.logs("revoke", lost, &json!({}));
        }
    }

    fn rotates_again(&mut self, key: KeyId) {
        let made = self.makes(Command::RepeatRotation(key));
        let (now, to) = (self.now(), made.unwrap_or(KeyId(PublicId::NOBODY)));
        let expected = self.reckoning.again(key, to, now);
        assert_eq!(made.is_some(), expected, "day {}: again of {key}", self.day());
        if let Some(to) = made {
            self.counts("again");
            self.logs("again", key, &json!({ "to": to.to_string() }));
        }
    }

    fn cancels(&mut self, key: KeyId) {
        if self.open.engine.state().key(key).is_none_or(|key| key.superseded.is_none()) {
            return;
        }
        let now = self.now();
        let expected = self.reckoning.cancel(key, now);
        assert_eq!(self.does(Command::CancelRotation(key)), expected, "day {}: cancel {key}", self.day());
        if expected {
            self.counts("cancel");
            self.logs("cancel-rotation", key, &json!({}));
        }
    }

    fn rules(&mut self) {
        let (idle, notice) = (self.reckoning.idle_days, self.reckoning.notice_days);
        let idle =
            if self.dice.once_in(2) { self.dice.one_of(&[None, Some(40), Some(90), Some(90)]) } else { idle };
        let notice = if self.dice.once_in(2) { self.dice.one_of(&[3, 7, 7, 14]) } else { notice };
        let before = (self.reckoning.idle_days, self.reckoning.notice_days);
        let text = idle.map_or("off".to_owned(), |days: u32| days.to_string());
        assert_eq!(self.does(rule("idle-days", &text)), idle != before.0);
        assert_eq!(self.does(rule("notice-days", &notice.to_string())), notice != before.1);
        (self.reckoning.idle_days, self.reckoning.notice_days) = (idle, notice);
        if (idle, notice) != before {
            self.counts("policy");
            let line = json!({ "do": "policy", "at": self.now(), "idle": idle, "notice": notice });
            writeln!(self.log, "{line}").unwrap();
        }
    }

    fn lets_go(&mut self) {
        let count = u32::try_from(self.open.engine.state().hold().keys.len()).unwrap();
        let expected = self.reckoning.confirm();
        assert_eq!(self.does(Command::ConfirmHold { count }), expected, "day {}", self.day());
        if expected {
            self.counts("confirm");
            writeln!(self.log, "{}", json!({ "do": "confirm", "at": self.now() })).unwrap();
        }
    }

    /// Something that somebody does.
    fn deed(&mut self) {
        // Half of it concerns what was made last.
        let (all, recent) = (self.keys.len(), self.keys.len().min(20));
        let among = if self.dice.once_in(2) { recent } else { all };
        let key = self.keys[all - 1 - self.dice.roll(among)];
        match self.dice.roll(100) {
            0..=17 => {
                let hours = self.dice.one_of(&[1, 24, 24, 100, 168]);
                let counted = self.dice.one_of(&[Counted::FromFirstUse, Counted::FromNow]);
                self.rotates(key, hours, counted);
            }
            18..=21 => self.rotates(key, 0, Counted::FromNow),
            22..=31 => self.rotates_again(key),
            32..=39 => self.cancels(key),
            // What another model may see otherwise than one key: its halves, stopped.
            40..=44 if !self.is_half(key) => {
                self.happens("pause", key, Command::PauseKey(key, None), Entry::Paused);
            }
            45..=50 if !self.is_half(key) => {
                self.happens("resume", key, Command::ResumeKey(key), Entry::Resumed);
            }
            51..=53 => {
                let why = Note::new("needed once a year").unwrap();
                self.happens("protect", key, Command::ProtectKey { key, why }, Entry::Protected);
            }
            54..=59 => self.happens("unprotect", key, Command::UnprotectKey(key), Entry::Unprotected),
            60..=64 => self.happens("keep", key, Command::KeepKey(key), Entry::Kept),
            65..=67 => self.happens("revoke", key, Command::revoke(key), Entry::Revoked),
            68..=70 => self.happens("delete", key, Command::DeleteKey(key), Entry::Deleted),
            71..=77 => self.happens("restore", key, Command::RestoreKey(key), Entry::Restored),
            78..=85 => {
                let own = self.open.engine.state().key(key).unwrap().notice_days;
                let end = self.now() + (1 + self.dice.number(120)) * DAY_MS;
                let command = self.edit(key, Expiry::At(Timestamp(end)), own);
                self.happens("extend", key, command, Entry::Ends(Some(end), own));
            }
            86..=87 => self.rules(),
            88..=93 => self.lets_go(),
            _ => self.issues(),
        }
    }

    /// Whoever has a token comes when they do.
    fn callers(&mut self) {
        for key in self.keys.clone() {
            let Habit { every, until } = self.tokens[&key].1;
            let comes = self.day() < until && self.dice.once_in(every);
            let (state, now) = (self.open.engine.state(), Timestamp(self.now()));
            let works = matches!(state.key(key).unwrap().state(now), KeyState::Active | KeyState::Superseded);
            drop(state);
            // Of those who are refused most give up.
            if comes && (works || self.dice.once_in(20)) {
                self.is_used(key);
            }
        }
    }

    fn sweeps(&mut self) {
        let swept = self.open.engine.sweep(&self.open.session, Sweeping::Do).unwrap();
        let mut did: Vec<Did> = swept.events.iter().filter_map(Did::of).collect();
        did.sort_unstable();
        let now = self.now();
        assert_eq!(self.open.engine.condition().complete_since, Some(START), "no use was ever lost");
        assert_eq!(did, self.reckoning.sweep(now, Some(START.0)), "day {}", self.day());
        let mut lines = Vec::new();
        for did in did {
            let (what, line) = match did {
                Did::Idle(key, days) => (format!("idle {days}"), json!(["idle", key.to_string(), days])),
                Did::Ends(key, days) => ("ends".into(), json!(["expiry", key.to_string(), days])),
                Did::Held(count) => ("held".into(), json!(["hold", count])),
                Did::Deleted(key) => ("deleted".into(), json!(["delete", key.to_string()])),
                Did::Purged(key) => ("purged".into(), json!(["purge", key.to_string()])),
                Did::GraceEnded(key) => ("grace ended".into(), json!(["grace-ended", key.to_string()])),
                Did::Resumed(key) => ("resumed".into(), json!(["resumed", key.to_string()])),
            };
            self.counts(&what);
            lines.push(line);
        }
        self.logs_sweep(false, &lines);
        for key in &self.keys {
            let state = self.open.engine.state();
            let grounds = Grounds::of(Timestamp(now), false, Some(START));
            let at = deletes_at(&state, state.key(*key).unwrap(), grounds).map(|(at, told)| (at.0, told > 0));
            assert_eq!(at, self.reckoning.deletes_at(*key, now, START.0), "day {}: {key}", self.day());
        }
    }

    fn logs_sweep(&mut self, suspect: bool, lines: &[Value]) {
        let sweep = json!({ "do": "sweep", "at": self.now(), "suspect": suspect, "complete_since": START.0 });
        writeln!(self.log, "{sweep}\n= {}", Value::from(lines.to_vec())).unwrap();
    }

    /// For an hour the clock says something else.
    fn is_misled(&mut self) {
        let right = self.clock.wall();
        let wrong = self.dice.one_of(&[55, 400, -20, -3_650, 2_900_000]);
        self.clock.set(Timestamp(right.0 + wrong * DAY_MS));
        for how in [Sweeping::Tell, Sweeping::Do] {
            let told = self.open.engine.sweep(&self.open.session, how).map(drop).unwrap_err();
            assert!(matches!(told, EngineError::Refused(Refusal::ClockSuspect)), "{told}");
        }
        self.clock.set(right);
        self.clock.pass(HOUR);
        self.counts("wrong clocks");
        self.logs_sweep(true, &[]);
    }

    fn stands_as_reckoned(&self) {
        let now = self.now();
        for key in &self.keys {
            let seen = stands(self.open.engine.state().key(*key).unwrap(), Timestamp(now));
            assert_eq!(seen, self.reckoning.stands(*key, now), "day {}: {key}", self.day());
        }
    }
}

fn rule(name: &str, value: &str) -> Command {
    Command::SetPolicy { name: name.into(), value: value.into(), basis: None }
}

fn number<T: std::str::FromStr>(variable: &str, otherwise: T) -> T {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn a_year_goes_as_the_rules_say_day_by_day() {
    let (keys, seed) = (number(KEYS, FEW), number(SEED, 1));
    let mut year = Year::begins(seed);
    // The rest is made in the course of the year, most of it by rotation.
    while year.keys.len() < keys / 2 {
        year.issues();
    }
    let mut asleep_until = 0;
    for day in 1..=365 {
        let deeds = 1 + year.dice.roll(2 + keys / 60);
        for _ in 0..deeds {
            let hours = year.dice.moment(24 * HOUR / i64::try_from(deeds + 1).unwrap());
            year.clock.pass(hours);
            year.deed();
        }
        year.callers();
        if year.dice.once_in(30) {
            year.is_misled();
        }
        if year.dice.once_in(15) {
            year = year.goes_on();
        }
        if year.dice.once_in(40) {
            asleep_until = day + year.dice.number(20);
        }
        let midnight = START.0 + day * DAY_MS;
        year.clock.pass((midnight - year.now()).max(0));
        year.stands_as_reckoned();
        if day >= asleep_until {
            year.sweeps();
            year.stands_as_reckoned();
        }
    }
    let report = year.open.engine.check_audit(&year.open.session).unwrap();
    assert_eq!(report.integrity, Integrity::Intact, "{:?}", report.faults);
    if let Some(file) = std::env::var_os(LOG) {
        std::fs::write(file, &year.log).unwrap();
    }
    let mut tally: Vec<_> = year.tally.into_iter().collect();
    tally.sort();
    println!("{} keys: {tally:?}", year.keys.len());
    let happened = |what: &str| tally.iter().any(|(known, _)| known == what);
    // What a short year has as well.
    for what in [
        "idle 15",
        "idle 7",
        "idle 1",
        "ends",
        "deleted",
        "purged",
        "grace ended",
        "first-use",
        "now",
        "lost",
        "again",
        "policy",
        "restarts",
        "wrong clocks",
        "uses",
        "refusals",
    ] {
        assert!(happened(what), "no {what} in this year: {tally:?}");
    }
}
