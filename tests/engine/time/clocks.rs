//! Clocks that are wrong: set while the machine runs, in the middle of a sweep, before it was started. Whatever they say,
//! nothing is deleted, nothing is told and nothing is told twice that would not have been by the right time; once it is right
//! again all goes on. A machine that starts with a clock far ahead is believed, for it may have been off: what that comes to
//! is at the end.
//!
//! `KEYDECK_CLOCK_ROUNDS=10000` for the long run, `KEYDECK_CLOCK_SEED=7` for other rounds.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where a promise breaks")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use keydeck::crypto::passphrase::Passphrase;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{
    Command, Counted, Expiry, KeyId, NewKey, Note, Place, Reason, Refusal, Rotation, Status, Timestamp,
};
use keydeck::engine::clock::{Clock, Reading, TestClock};
use keydeck::engine::open::{self, Open, Options, found, open};
use keydeck::engine::{Engine as _, EngineError, Integrity, News, OpenError, Sweeping};
use tempfile::TempDir;

use super::reckoning::{Entry, Reckoning};
use super::witness::Did;
use crate::support::dice::Dice;
use crate::sweeps::{START, name, options};

const ROUNDS: &str = "KEYDECK_CLOCK_ROUNDS";
const SEED: &str = "KEYDECK_CLOCK_SEED";
/// Rounds of an everyday run: some seconds.
const FEW: usize = 160;
/// Rounds a store lives through.
const LIVES: usize = 50;
const HOUR: i64 = 3_600_000;
const PHRASE: &str = "correct horse battery staple";

/// What a clock says that should say `right`.
fn wrong(dice: &mut Dice, right: i64) -> i64 {
    dice.one_of(&[
        right + 55 * DAY_MS,
        right + 400 * DAY_MS,
        right - 3_650 * DAY_MS,
        right - 20 * DAY_MS,
        right + HOUR,
        right - HOUR,
        // 1969, 1970, 2038, 9999 and beyond.
        -1,
        0,
        2_147_483_648_000,
        253_402_300_799_000,
        i64::MAX,
        i64::MIN,
    ])
}

/// A clock that somebody sets while others look at it.
struct Fickle {
    clock: TestClock,
    /// Looks until it is set; below nothing, nobody does.
    looks: AtomicI64,
    then: AtomicI64,
}

impl Fickle {
    fn set_after(&self, looks: i64, then: i64) {
        self.then.store(then, Ordering::SeqCst);
        self.looks.store(looks, Ordering::SeqCst);
    }

    fn look(&self) {
        if self.looks.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.clock.set(Timestamp(self.then.load(Ordering::SeqCst)));
        }
    }
}

impl Clock for Fickle {
    fn read(&self) -> Reading {
        self.look();
        self.clock.read()
    }
    fn wall(&self) -> Timestamp {
        self.look();
        self.clock.wall()
    }
    fn boot(&self) -> String {
        self.clock.boot()
    }
}

/// A machine with a store.
struct Machine {
    dir: TempDir,
    fickle: Arc<Fickle>,
    open: Option<Open>,
    reckoning: Reckoning,
    keys: Vec<KeyId>,
    tokens: HashMap<KeyId, String>,
}

impl Machine {
    fn founded() -> Self {
        let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::at(START));
        let fickle = Arc::new(Fickle { clock, looks: AtomicI64::new(-1), then: AtomicI64::new(0) });
        let phrase = Passphrase::choose(PHRASE).unwrap();
        let options = Options { clock: Arc::<Fickle>::clone(&fickle), ..options(dir.path(), &fickle.clock) };
        let open = found(&options, name("Acme"), name("maria"), &phrase).unwrap().open;
        let many = Command::SetPolicy { name: "keys-per-operator".into(), value: "1000".into(), basis: None };
        open.engine.execute(&open.session, many).unwrap();
        let (reckoning, keys, tokens) = (Reckoning::new(Some(90), 7), Vec::new(), HashMap::new());
        Self { dir, fickle, open: Some(open), reckoning, keys, tokens }
    }

    fn clock(&self) -> &TestClock {
        &self.fickle.clock
    }

    fn open(&self) -> &Open {
        self.open.as_ref().unwrap()
    }

    fn closes(&mut self) {
        if let Some(open) = self.open.take() {
            open.engine.settle().unwrap();
        }
    }

    fn opens(&mut self) -> Result<(), OpenError> {
        let passphrase = Passphrase::present(PHRASE).unwrap();
        let key = open::Key::Operator { name: "maria", passphrase: &passphrase };
        let clock = Arc::<Fickle>::clone(&self.fickle);
        let options = Options { clock, ..options(self.dir.path(), self.clock()) };
        self.open = Some(open(&options, &key)?);
        Ok(())
    }

    /// The machine is started anew, and its clock says that.
    fn boots(&mut self, wall: i64) -> Result<(), OpenError> {
        self.closes();
        self.clock().boots(Timestamp(wall));
        self.opens()
    }

    fn does(&self, command: Command) -> Result<Option<KeyId>, EngineError> {
        let done = self.open().engine.execute(&self.open().session, command)?;
        Ok(done.token.map(|token| KeyId(token.id())))
    }

    fn issues(&mut self, days: Option<i64>) -> KeyId {
        let now = self.open().engine.now().time.0;
        let end = days.map(|days| now + days * DAY_MS);
        let new = NewKey {
            name: name(&format!("Key {}", self.keys.len())),
            place: Place::Agency,
            scopes: vec!["contacts.read".into()],
            expiry: Some(end.map_or(Expiry::Never, |end| Expiry::At(Timestamp(end)))),
            note: Note::default(),
            decoy: false,
        };
        let done = self.open().engine.execute(&self.open().session, Command::IssueKey(new)).unwrap();
        let token = done.token.unwrap();
        let key = KeyId(token.id());
        self.tokens.insert(key, token.reveal().to_owned());
        self.keys.push(key);
        self.reckoning.happens(key, now, Entry::Made);
        self.reckoning.happens(key, now, Entry::Ends(end, None));
        key
    }

    fn answer(&self, key: KeyId) -> Option<Reason> {
        self.open().engine.verify(self.tokens[&key].as_bytes(), &[]).reason()
    }

    /// What a sweep came to do until it was done or the clock forbade the rest.
    fn sweeps(&self) -> (Vec<Did>, bool) {
        let mut news = self.open().engine.subscribe();
        let swept = self.open().engine.sweep(&self.open().session, Sweeping::Do);
        let mut did = Vec::new();
        while let Ok(what) = news.try_recv() {
            if let News::Happened(events) = what {
                did.extend(events.iter().filter_map(Did::of));
            }
        }
        did.sort_unstable();
        match swept {
            Ok(_) => (did, true),
            Err(EngineError::Refused(Refusal::ClockSuspect)) => (did, false),
            Err(other) => panic!("{other}"),
        }
    }

    #[track_caller]
    fn is_refused(&self) {
        assert_eq!(self.sweeps(), (Vec::new(), false));
        let told = self.open().engine.sweep(&self.open().session, Sweeping::Tell).map(drop).unwrap_err();
        assert!(matches!(told, EngineError::Refused(Refusal::ClockSuspect)), "{told}");
    }

    /// Days pass in which the machine runs and its keys are made and used.
    fn lives(&mut self, dice: &mut Dice) {
        self.clock().pass(dice.moment(3 * DAY_MS));
        let days = dice.one_of(&[None, None, Some(20), Some(60)]);
        if self.keys.len() < 6 || dice.once_in(8) {
            self.issues(days);
        }
        let key = self.keys[dice.roll(self.keys.len())];
        let now = self.open().engine.now().time.0;
        if dice.once_in(6) {
            let allowed = self.answer(key).is_none();
            assert_eq!(allowed, self.reckoning.happens(key, now, Entry::Used));
        }
    }

    fn is_whole(&self) {
        let report = self.open().engine.check_audit(&self.open().session).unwrap();
        assert_eq!(report.integrity, Integrity::Intact, "{:?}", report.faults);
    }
}

/// How often something happened.
#[derive(Debug, Default)]
struct Figures {
    rounds: usize,
    /// Sweeps that were broken off in the middle, having done something.
    broken_off: usize,
    boots: usize,
    not_opened: usize,
    told: usize,
    deleted: usize,
}

/// The clock is wrong for a while, and right again. Whatever is done meanwhile and after is what would have been done by the
/// right time, once.
fn round(machine: &mut Machine, dice: &mut Dice, figures: &mut Figures) {
    machine.lives(dice);
    let right = machine.clock().wall().0;
    let expected = machine.reckoning.sweep(right, Some(START.0));
    let (wrong, mut did) = (wrong(dice, right), Vec::new());
    match dice.roll(4) {
        0 => {
            machine.clock().set(Timestamp(wrong));
            (0..=dice.roll(2)).for_each(|_| machine.is_refused());
        }
        1 | 2 => {
            machine.fickle.set_after(dice.number(60), wrong);
            let (done, whole) = machine.sweeps();
            figures.broken_off += usize::from(!whole && !done.is_empty());
            did = done;
            machine.fickle.set_after(-1, 0);
        }
        // Ahead it would be believed. This store has seen the right time: it made a key then.
        _ => {
            figures.boots += 1;
            machine.issues(None);
            match machine.boots(wrong.min(right - HOUR)) {
                Ok(()) => machine.is_refused(),
                Err(OpenError::Clock(_)) => {
                    figures.not_opened += 1;
                    machine.clock().set(Timestamp(right));
                    machine.opens().unwrap();
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
    machine.clock().set(Timestamp(right));
    let (rest, whole) = machine.sweeps();
    assert!(whole, "it is right again");
    did.extend(rest);
    did.sort_unstable();
    assert_eq!(did, expected, "the clock said {wrong} at {right}");
    figures.rounds += 1;
    figures.deleted += did.iter().filter(|did| matches!(did, Did::Deleted(_))).count();
    figures.told += did.len();
}

#[test]
fn a_wrong_clock_deletes_nothing_and_tells_nothing_twice() {
    let number = |variable: &str| std::env::var(variable).ok().and_then(|text| text.parse::<usize>().ok());
    let rounds = number(ROUNDS).unwrap_or(FEW);
    let mut dice = Dice::of(number(SEED).unwrap_or(1) as u64);
    let (mut figures, mut machine) = (Figures::default(), Machine::founded());
    for n in 0..rounds {
        if n % LIVES == 0 {
            machine = Machine::founded();
        }
        round(&mut machine, &mut dice, &mut figures);
        if n % LIVES == LIVES - 1 || n + 1 == rounds {
            machine.is_whole();
        }
        if n % 500 == 499 {
            println!("{figures:?}");
        }
    }
    println!("{figures:?}");
    assert!(figures.broken_off > 0 && figures.boots > 0 && figures.told > 0, "{figures:?}");
}

#[test]
fn an_expired_key_is_refused_whatever_the_clock_says_and_another_works_again_once_it_is_right() {
    let mut machine = Machine::founded();
    let [over, live] = [Some(1), Some(100)].map(|days| machine.issues(days));
    machine.clock().pass(2 * DAY_MS);
    let right = machine.clock().wall().0;
    assert_eq!((machine.answer(over), machine.answer(live)), (Some(Reason::Expired), None));
    for ahead in [-3_650, -20, 55, 400, 2_900_000] {
        machine.clock().set(Timestamp(right + ahead * DAY_MS));
        assert_eq!(machine.answer(over), Some(Reason::Expired), "{ahead}");
        let expected = (ahead > 98).then_some(Reason::Expired);
        assert_eq!(machine.answer(live), expected, "{ahead}");
        machine.clock().set(Timestamp(right));
        assert_eq!(machine.answer(live), None, "{ahead}");
    }
}

/// Days until the moment of which the next test tells.
const TOLD: i64 = 89;

#[test]
fn a_machine_that_starts_a_year_ahead_is_believed_and_deletes_only_what_was_told_three_times() {
    let mut machine = Machine::founded();
    let [ready, told_twice] = [(); 2].map(|()| machine.issues(None));
    let gone = machine.issues(None);
    // The second is a day behind the first, so that its last notice has not come.
    for day in 1..=TOLD {
        machine.clock().pass(DAY_MS);
        if day == 2 {
            assert_eq!(machine.answer(told_twice), None);
        }
        if day == 80 {
            machine.does(Command::DeleteKey(gone)).unwrap();
        }
        machine.sweeps();
    }
    let (fresh, ending) = (machine.issues(None), machine.issues(Some(200)));
    let grace = "7d".parse().unwrap();
    let rotation = Rotation { id: None, grace, counted: Counted::FromNow, expiry: None };
    let rotated = machine.issues(None);
    machine.does(Command::RotateKey { key: rotated, rotation }).unwrap();
    let right = machine.clock().wall().0;

    machine.boots(right + 400 * DAY_MS).unwrap();
    let (did, whole) = machine.sweeps();
    assert!(whole, "nobody can tell that it was not off for a year");
    let deleted: Vec<_> = did.iter().filter(|did| matches!(did, Did::Deleted(_))).collect();
    assert_eq!(deleted, [&Did::Deleted(ready)], "the one that was told of 15, 7 and 1 days before");
    for expected in [
        Did::Idle(told_twice, 1),
        Did::Idle(fresh, 15),
        Did::Ends(ending, 0),
        Did::Purged(gone),
        Did::GraceEnded(rotated),
    ] {
        assert!(did.contains(&expected), "{expected:?}: {did:?}");
    }
    // The new half of the rotation is unused, too.
    assert_eq!(did.len(), 7, "each once, the tightest only: {did:?}");
    assert_eq!(machine.sweeps(), (Vec::new(), true), "one boot is one step");

    // The next boot has the right time, which nobody believes before an admin says so: nothing is told, nothing deleted.
    machine.boots(right + HOUR).unwrap();
    machine.is_refused();
    assert_eq!(machine.answer(ending), Some(Reason::Expired), "nor is anything revived");
    machine.does(Command::ConfirmClock).unwrap();
    assert_eq!(machine.answer(ending), None);
    assert_eq!(machine.answer(ready), Some(Reason::Tombstoned));
    assert_eq!(
        machine.sweeps(),
        (Vec::new(), true),
        "what was told by the wrong clock is withdrawn without a word"
    );
    machine.does(Command::RestoreKey(ready)).unwrap();
    assert_eq!(machine.answer(ready), Some(Reason::Revoked));

    // From then on all goes by the right time. A notice of the wrong clock counts for nothing.
    let mut days = Vec::new();
    for day in 0..119 {
        machine.clock().pass(DAY_MS);
        days.extend(machine.sweeps().0.into_iter().map(|did| (day + 1, did)));
    }
    let of = |key: KeyId| -> Vec<_> {
        let about = |did: &Did| match did {
            Did::Idle(of, _)
            | Did::Ends(of, _)
            | Did::Deleted(of)
            | Did::Purged(of)
            | Did::GraceEnded(of)
            | Did::Resumed(of) => *of == key,
            Did::Held(_) => false,
        };
        days.iter().filter(|(_, did)| about(did)).copied().collect()
    };
    let fresh_ones = [(75, 15), (83, 7), (89, 1)].map(|(day, n)| (day, Did::Idle(fresh, n)));
    assert_eq!(of(fresh), [&fresh_ones[..], &[(90, Did::Deleted(fresh))]].concat());
    let twice = [(2, Did::Idle(told_twice, 1)), (3, Did::Deleted(told_twice)), (33, Did::Purged(told_twice))];
    assert_eq!(
        of(told_twice),
        twice,
        "its last notice is given anew by the right clock, and its day waited for"
    );
    machine.is_whole();
}

#[test]
fn a_request_under_a_clock_that_is_ahead_keeps_its_key_and_gives_no_old_half_a_year() {
    let mut machine = Machine::founded();
    let key = machine.issues(None);
    let grace = "24h".parse().unwrap();
    let rotation = Rotation { id: None, grace, counted: Counted::FromFirstUse, expiry: None };
    let made = Command::RotateKey { key, rotation };
    let token = machine.open().engine.execute(&machine.open().session, made).unwrap().token.unwrap();
    let right = machine.clock().wall().0;
    machine.clock().set(Timestamp(right + 400 * DAY_MS));
    assert!(machine.open().engine.verify(token.reveal().as_bytes(), &[]).is_allow());
    machine.is_refused();
    machine.clock().set(Timestamp(right));
    assert_eq!(machine.sweeps(), (Vec::new(), true));
    let ends = machine.open().engine.state().key(key).unwrap().grace_ends();
    assert_eq!(ends, Some(Timestamp(right + DAY_MS)));
    machine.clock().pass(DAY_MS);
    assert_eq!(machine.answer(key), Some(Reason::Expired));
    assert_eq!(machine.sweeps(), (vec![Did::GraceEnded(key)], true));
    let status = machine.open().engine.state().key(key).unwrap().status;
    assert!(matches!(status, Status::Revoked(_)), "{status:?}");
}
