//! What time does to keys of a real engine: told before it happens, never for a key that was used, never half, never while
//! a disk or a clock cannot be relied upon.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where a promise breaks")]

use std::path::Path;
use std::sync::{Arc, Mutex};

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::crypto::random::OsEntropy;
use keydeck::domain::lifecycle::Told;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{
    Command, Event, Expiry, KeyId, Name, NewKey, Note, Place, Reason, Refusal, Role, Status, Timestamp,
};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Key, Open, Options, found, in_store, open};
use keydeck::engine::{Brought, Engine, EngineError, Integrity, Sweeping, Swept, Via};
use keydeck::store::{Fault, Store};

use crate::watched::{Hook, Watched};

pub const START: Timestamp = Timestamp(1_790_000_000_000);
const HOUR: i64 = 3_600_000;
const NOTHING: [&str; 0] = [];

/// A store in memory with a clock of its own.
pub struct House {
    pub store: Arc<Watched>,
    pub clock: TestClock,
    pub open: Open,
}

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

impl House {
    pub fn founded() -> Self {
        let (store, clock) = (Arc::new(Watched::default()), TestClock::at(START));
        let own = Arc::clone(&store) as Arc<dyn Store>;
        let with = Arc::new(clock.clone());
        let open = in_store(own, name("Acme"), name("maria"), with, Via::CommandLine, Box::new(OsEntropy));
        Self { store, clock, open: open.unwrap() }
    }

    pub fn issue(&self, called: &str) -> (KeyId, String) {
        issue(&self.open, called)
    }

    pub fn sweep(&self) -> Vec<String> {
        said(&self.open.engine.sweep(&self.open.session, Sweeping::Do).unwrap())
    }

    /// A sweep each day until `day` days after the beginning; what each did, with the day.
    fn days(&self, until: i64) -> Vec<(i64, String)> {
        let mut all = Vec::new();
        while self.day() < until {
            self.clock.pass(DAY_MS);
            all.extend(self.sweep().into_iter().map(|what| (self.day(), what)));
        }
        all
    }

    pub fn day(&self) -> i64 {
        self.open.engine.now().time.since(START) / DAY_MS
    }

    fn verify(&self, token: &str) -> Option<Reason> {
        self.open.engine.verify(token.as_bytes(), &[]).reason()
    }

    pub fn does(&self, command: Command) -> Result<(), EngineError> {
        self.open.engine.execute(&self.open.session, command).map(drop)
    }

    fn status(&self, id: KeyId) -> Status {
        self.open.engine.state().key(id).unwrap().status
    }

    pub fn is_whole(&self) -> bool {
        let report = self.open.engine.check_audit(&self.open.session).unwrap();
        report.integrity == Integrity::Intact
    }
}

pub fn issue(open: &Open, called: &str) -> (KeyId, String) {
    let new = NewKey {
        name: name(called),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: Some(Expiry::Never),
        note: Note::default(),
        decoy: false,
    };
    let token = open.engine.execute(&open.session, Command::IssueKey(new)).unwrap().token.unwrap();
    (KeyId(token.id()), token.reveal().to_owned())
}

/// What a sweep did, in short.
fn said(swept: &Swept) -> Vec<String> {
    let words = |event: &Event| match event {
        Event::NoticeGiven(key, _, Told::Unused { days, .. }) => format!("{} unused, {days}", key.name),
        Event::NoticeGiven(key, _, Told::Ends { days, .. }) => format!("{} ends, {days}", key.name),
        Event::NoticeGiven(key, _, Told::Presented { .. }) => format!("{} presented", key.name),
        Event::NoticesRenewed(key, _) => format!("{} withdrawn", key.name),
        Event::KeyDeleted(key) => format!("{} deleted", key.name),
        Event::KeyRevoked(key) => format!("{} over", key.name),
        Event::DeletionsHeld(hold, _) => format!("{} held", hold.keys.len()),
        Event::KeyPurged(_, before) => format!("{} purged", before.name),
        other => panic!("{other:?}"),
    };
    let mut said: Vec<String> = swept.events.iter().map(words).collect();
    if swept.others > 0 {
        said.push(format!("{} of others", swept.others));
    }
    said
}

#[test]
fn a_key_nobody_uses_is_told_of_three_times_then_deleted_then_purged() {
    let house = House::founded();
    let (id, token) = house.issue("Webhook relay");
    let seen = house.days(89);
    let told = ["unused, 15", "unused, 7", "unused, 1"].map(|what| format!("Webhook relay {what}"));
    assert_eq!(seen, [75, 83, 89].into_iter().zip(told).collect::<Vec<_>>());
    assert_eq!(house.verify(&token), None, "it works to its last day, and that was a use");
    assert_eq!(house.days(90), [(90, "Webhook relay withdrawn".to_owned())]);
    // From that use on the days count anew.
    let again = house.days(89 + 90);
    let days: Vec<i64> = again.iter().map(|(day, _)| *day).collect();
    assert_eq!(days, [89 + 75, 89 + 83, 89 + 89, 89 + 90]);
    assert_eq!(again.last().unwrap().1, "Webhook relay deleted");
    assert_eq!(house.verify(&token), Some(Reason::Tombstoned));
    house.open.engine.settle().unwrap();
    let history = || house.store.get(format!("h/{id}").as_bytes()).unwrap().is_some();
    assert!(history());
    let then =
        [(180, "presented"), (209, "purged")].map(|(day, what)| (day, format!("Webhook relay {what}")));
    assert_eq!(house.days(179 + 30), then);
    assert!(house.open.engine.state().key(id).is_some(), "its id is never given again");
    assert_eq!(house.verify(&token), Some(Reason::Tombstoned), "who still has it is nobody who guesses");
    house.open.engine.settle().unwrap();
    assert!(!history(), "nor is anything kept of who used it");
    assert!(house.is_whole());
}

#[test]
fn a_dry_run_says_what_the_sweep_after_it_does_and_changes_nothing() {
    let house = House::founded();
    (0..3).for_each(|n| drop(house.issue(&format!("K{n}"))));
    house.clock.pass(80 * DAY_MS);
    let tell = || house.open.engine.sweep(&house.open.session, Sweeping::Tell).unwrap();
    let before = house.open.engine.anchor(&house.open.session).unwrap().to_string();
    let dry = tell();
    assert_eq!(said(&dry).len(), 3);
    assert_eq!(house.open.engine.anchor(&house.open.session).unwrap().to_string(), before);
    assert_eq!(said(&tell()), said(&dry));
    assert_eq!(house.sweep(), said(&dry));
    let after = tell();
    assert_eq!(said(&after), NOTHING);
    assert_eq!(after.next.unwrap().since(house.open.engine.now().time), 8 * DAY_MS);
}

#[test]
fn a_use_that_comes_while_the_deletion_is_prepared_keeps_the_key() {
    let house = House::founded();
    let (id, token) = house.issue("Booking widget");
    let (_, other) = house.issue("Other");
    house.days(89);
    house.clock.pass(DAY_MS);
    // The sweep writes this use down, and while it does that the key is used: too late to be seen, early enough to count.
    assert_eq!(house.verify(&other), None);
    let (engine, late) = (Arc::clone(&house.open.engine), token.clone());
    let hook: Hook = Box::new(move |ops| {
        if ops.iter().any(|op| op.key().starts_with(b"t/")) {
            assert!(engine.verify(late.as_bytes(), &[]).is_allow());
        }
    });
    *house.store.before_commit.lock().unwrap() = Some(hook);
    let done = house.sweep();
    *house.store.before_commit.lock().unwrap() = None;
    assert!(!done.iter().any(|what| what.ends_with("deleted")), "{done:?}");
    assert_eq!((house.status(id), house.verify(&token)), (Status::Active, None));
    assert!(house.days(100).iter().all(|(_, what)| !what.ends_with("deleted")));
    assert!(house.is_whole());
}

#[test]
fn from_the_moment_a_deletion_is_written_no_request_is_let_in_that_would_not_count() {
    let house = House::founded();
    let (id, token) = house.issue("Booking widget");
    house.days(89);
    house.clock.pass(DAY_MS);
    let (engine, late) = (Arc::clone(&house.open.engine), token.clone());
    let answers: Arc<Mutex<Vec<Option<Reason>>>> = Arc::default();
    let heard = Arc::clone(&answers);
    let row = format!("p/{id}").into_bytes();
    let hook: Hook = Box::new(move |ops| {
        if ops.iter().any(|op| *op.key() == *row) {
            heard.lock().unwrap().push(engine.verify(late.as_bytes(), &[]).reason());
        }
    });
    *house.store.before_commit.lock().unwrap() = Some(hook);
    assert_eq!(house.sweep(), ["Booking widget deleted"]);
    *house.store.before_commit.lock().unwrap() = None;
    assert_eq!(*answers.lock().unwrap(), [Some(Reason::Tombstoned)]);
    assert_eq!(house.open.engine.state().usage(id).count, 0);
}

#[test]
fn a_deletion_the_disk_does_not_take_did_not_happen() {
    for (fault, known) in [(Fault::Unavailable, true), (Fault::UnknownLost, true), (Fault::DownLost, false)] {
        let house = House::founded();
        let (id, token) = house.issue("Booking widget");
        house.days(89);
        house.clock.pass(DAY_MS);
        house.store.inner.fail_next(fault);
        house.open.engine.sweep(&house.open.session, Sweeping::Do).map(drop).unwrap_err();
        assert_eq!(house.status(id), Status::Active);
        if !known {
            // It may have been written: nothing is let in before that is known.
            assert_eq!(house.verify(&token), Some(Reason::Tombstoned));
            house.store.inner.come_back();
            house.open.engine.write_overdue().unwrap();
        }
        assert_eq!(house.verify(&token), None, "{fault:?}");
        assert_eq!(house.sweep(), ["Booking widget withdrawn"], "that was a use");
        assert!(house.is_whole());
    }
}

#[test]
fn a_deletion_that_was_written_although_the_disk_did_not_say_so_holds() {
    let house = House::founded();
    let (id, token) = house.issue("Booking widget");
    house.days(89);
    house.clock.pass(DAY_MS);
    house.store.inner.fail_next(Fault::DownDone);
    house.open.engine.sweep(&house.open.session, Sweeping::Do).map(drop).unwrap_err();
    assert_eq!(house.verify(&token), Some(Reason::Tombstoned));
    house.store.inner.come_back();
    house.open.engine.write_overdue().unwrap();
    assert!(matches!(house.status(id), Status::Deleted(_)));
    assert_eq!(house.verify(&token), Some(Reason::Tombstoned));
    assert_eq!(house.sweep(), ["Booking widget presented"]);
}

#[test]
fn nothing_is_told_and_nothing_deleted_while_uses_cannot_be_written_or_the_clock_is_in_doubt() {
    let house = House::founded();
    let (id, token) = house.issue("Booking widget");
    house.clock.pass(95 * DAY_MS);
    assert_eq!(house.verify(&token), None);
    house.store.inner.fail_next(Fault::Unavailable);
    house.open.engine.sweep(&house.open.session, Sweeping::Do).map(drop).unwrap_err();
    house.store.inner.fail_next(Fault::Unavailable);
    let told = house.open.engine.sweep(&house.open.session, Sweeping::Tell).map(drop).unwrap_err();
    assert!(matches!(told, EngineError::Refused(Refusal::UsesIncomplete)), "{told}");
    assert_eq!(house.sweep(), NOTHING, "it can again, and the key was used");
    house.clock.set(Timestamp(START.0 + 4_000 * DAY_MS));
    for how in [Sweeping::Do, Sweeping::Tell] {
        let told = house.open.engine.sweep(&house.open.session, how).map(drop).unwrap_err();
        assert!(matches!(told, EngineError::Refused(Refusal::ClockSuspect)), "{told}");
    }
    house.clock.set(Timestamp(START.0 + 95 * DAY_MS));
    assert_eq!(house.sweep(), NOTHING);
    assert_eq!(house.status(id), Status::Active);
}

#[test]
fn many_deletions_at_once_wait_for_a_word_and_go_with_it() {
    let house = House::founded();
    house
        .does(Command::SetPolicy { name: "keys-per-operator".into(), value: "500".into(), basis: None })
        .unwrap();
    let keys: Vec<_> = (0..130).map(|n| house.issue(&format!("K{n}"))).collect();
    let seen = house.days(92);
    assert_eq!(seen.iter().filter(|(day, _)| *day == 75).count(), 130);
    assert_eq!(seen.last().unwrap(), &(90, "130 held".to_owned()));
    let other = house.does(Command::ConfirmHold { count: 129 }).unwrap_err();
    assert!(matches!(other, EngineError::Refused(Refusal::OtherHold { held: 130, said: 129 })), "{other}");
    // One of them is used before the word is carried out.
    house.does(Command::ConfirmHold { count: 130 }).unwrap();
    assert_eq!(house.verify(&keys[7].1), None);
    let done = house.sweep();
    assert_eq!(done.iter().filter(|what| what.ends_with("deleted")).count(), 129, "{done:?}");
    assert_eq!(done.last().unwrap(), "0 held");
    assert_eq!(house.verify(&keys[7].1), None);
    assert_eq!(house.verify(&keys[8].1), Some(Reason::Tombstoned));
    assert!(house.is_whole());
}

pub fn options(dir: &Path, clock: &TestClock) -> Options {
    Options {
        clock: Arc::new(clock.clone()),
        cost: Cost::IMPORTED,
        ..Options::new(dir, "test", Via::CommandLine)
    }
}

#[test]
fn notices_outlive_the_process_and_a_store_that_was_closed_for_a_year_begins_with_the_first() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::at(START));
    let phrase = Passphrase::choose("correct horse battery staple").unwrap();
    let enter =
        || open(&options(dir.path(), &clock), &Key::Operator { name: "maria", passphrase: &phrase }).unwrap();
    let sweep = |open: &Open| said(&open.engine.sweep(&open.session, Sweeping::Do).unwrap());
    let first = found(&options(dir.path(), &clock), name("Acme"), name("maria"), &phrase).unwrap().open;
    issue(&first, "Nightly export");
    drop(first);
    clock.pass(400 * DAY_MS);
    for (hours, expected) in [
        (0, "Nightly export unused, 15"),
        (0, ""),
        (8 * 24 - 1, ""),
        (1, "Nightly export unused, 7"),
        (6 * 24, "Nightly export unused, 1"),
        (23, ""),
        (1, "Nightly export deleted"),
        (24, ""),
    ] {
        clock.pass(hours * HOUR);
        let open = enter();
        let done = sweep(&open);
        assert_eq!(done.join(", "), expected, "after {hours} h");
        assert!(open.engine.doubts().is_empty());
    }
}

#[test]
fn an_operator_hears_of_their_own_keys_and_how_many_are_others() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::at(START));
    let phrases = ["correct horse battery staple", "quite another passphrase"];
    let [ours, theirs] = phrases.map(|phrase| Passphrase::choose(phrase).unwrap());
    let options = options(dir.path(), &clock);
    let maria = found(&options, name("Acme"), name("maria"), &ours).unwrap().open;
    let add = Command::AddOperator { name: name("jonas"), role: Role::Admin };
    maria.engine.act(&maria.session, add, Brought::Passphrase(&theirs)).unwrap();
    issue(&maria, "Maria's");
    drop(maria);
    let jonas = open(&options, &Key::Operator { name: "jonas", passphrase: &theirs }).unwrap();
    issue(&jonas, "Jonas's");
    clock.pass(80 * DAY_MS);
    let swept = jonas.engine.sweep(&jonas.session, Sweeping::Tell).unwrap();
    assert_eq!(said(&swept), ["Jonas's unused, 15", "1 of others"]);
    let whole = jonas.engine.execute(&jonas.session, Command::OpenAgencyView).unwrap().session.unwrap();
    let mut all = said(&jonas.engine.sweep(&whole, Sweeping::Do).unwrap());
    all.sort();
    assert_eq!(all, ["Jonas's unused, 15", "Maria's unused, 15"]);
}
