//! Rotation on a real engine: both secrets work for the grace and the old one not a millisecond longer, also one that was
//! made elsewhere; a grace from the first use begins with that, and what is known of it outlives a restart.

#![expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]

use std::path::Path;
use std::sync::Arc;

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::{
    Command, Counted, Event, Expiry, KeyId, Name, NewKey, Note, Place, Reason, Rotation, Timestamp,
};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Key, Open, Options, found, open};
use keydeck::engine::{Brought, Engine, EngineError, Integrity, Sweeping, Via};

const START: Timestamp = Timestamp(1_790_000_000_000);
const PHRASE: &str = "correct horse battery staple";
const SECRET: &[u8] = b"Legacy-Secret_2019!";
const HOUR: i64 = 3_600_000;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn options(dir: &Path, clock: &TestClock) -> Options {
    let clock = Arc::new(clock.clone());
    Options { clock, cost: Cost::IMPORTED, ..Options::new(dir, "test", Via::CommandLine) }
}

struct House {
    dir: tempfile::TempDir,
    clock: TestClock,
    open: Open,
}

impl House {
    fn founded() -> Self {
        let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::at(START));
        let phrase = Passphrase::choose(PHRASE).unwrap();
        let open = found(&options(dir.path(), &clock), name("Acme"), name("maria"), &phrase).unwrap().open;
        Self { dir, clock, open }
    }

    fn reopened(self) -> Self {
        let Self { dir, clock, open: before } = self;
        drop(before);
        let passphrase = Passphrase::present(PHRASE).unwrap();
        let key = Key::Operator { name: "maria", passphrase: &passphrase };
        let open = open(&options(dir.path(), &clock), &key).unwrap();
        Self { dir, clock, open }
    }

    /// The key that a command made, and its token.
    fn makes(&self, command: Command) -> Result<(KeyId, Vec<u8>), EngineError> {
        let done = self.open.engine.execute(&self.open.session, command)?;
        let key = done.events.iter().find_map(Event::key).unwrap().id;
        Ok((key, done.token.unwrap().reveal().as_bytes().to_vec()))
    }

    fn issue(&self, called: &str, expiry: Option<Expiry>) -> (KeyId, Vec<u8>) {
        self.makes(Command::IssueKey(new_key(called, expiry))).unwrap()
    }

    fn rotate(&self, key: KeyId, grace: &str, counted: Counted) -> (KeyId, Vec<u8>) {
        let rotation = Rotation { id: None, grace: grace.parse().unwrap(), counted, expiry: None };
        self.makes(Command::RotateKey { key, rotation }).unwrap()
    }

    fn answer(&self, token: &[u8]) -> Option<Reason> {
        self.open.engine.verify(token, &[]).reason()
    }

    fn does(&self, command: Command) {
        self.open.engine.execute(&self.open.session, command).unwrap();
    }

    fn sweep(&self) -> usize {
        let swept = self.open.engine.sweep(&self.open.session, Sweeping::Do).unwrap();
        swept.events.iter().filter(|event| matches!(event, Event::KeySuperseded(..))).count()
    }

    fn grace_ends(&self, key: KeyId) -> Option<Timestamp> {
        self.open.engine.state().key(key).unwrap().grace_ends()
    }
}

fn new_key(called: &str, expiry: Option<Expiry>) -> NewKey {
    NewKey {
        name: name(called),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry,
        note: Note::default(),
        decoy: false,
    }
}

#[test]
fn the_old_secret_works_to_the_last_millisecond_of_the_grace_also_one_made_elsewhere() {
    let house = House::founded();
    let (made_here, token) = house.issue("Widget", None);
    let import = Command::ImportKey(new_key("Legacy", None), None);
    let done = house.open.engine.act(&house.open.session, import, Brought::Imported(SECRET)).unwrap();
    let imported = done.events.iter().find_map(Event::key).unwrap().id;
    let legacy = [format!("kdim_{imported}_").as_bytes(), SECRET].concat();
    for (old, token) in [(made_here, token), (imported, legacy)] {
        let begun = house.open.engine.now().time;
        let (_, new) = house.rotate(old, "1h", Counted::FromNow);
        assert_eq!(house.grace_ends(old), Some(Timestamp(begun.0 + HOUR)));
        assert!(new.starts_with(b"kdag_"), "it is rotated into one made here");
        for (pass, works) in [(0, true), (HOUR - 1, true), (1, false), (1, false)] {
            house.clock.pass(pass);
            assert_eq!(house.answer(&token), (!works).then_some(Reason::Expired), "after {pass}");
            assert_eq!(house.answer(&new), None);
        }
    }
    let report = house.open.engine.check_audit(&house.open.session).unwrap();
    assert_eq!(report.integrity, Integrity::Intact, "{:?}", report.faults);
}

#[test]
fn a_key_that_expires_in_a_second_is_rotated_and_both_end_then() {
    let house = House::founded();
    let (old, token) = house.issue("Widget", Some(Expiry::At(Timestamp(START.0 + 1_000))));
    let (_, new) = house.rotate(old, "24h", Counted::FromFirstUse);
    house.clock.pass(999);
    assert_eq!((house.answer(&token), house.answer(&new)), (None, None));
    house.clock.pass(1);
    assert_eq!((house.answer(&token), house.answer(&new)), (Some(Reason::Expired), Some(Reason::Expired)));
}

#[test]
fn a_grace_from_the_first_use_is_counted_from_it_also_after_a_restart() {
    let house = House::founded();
    let (old, token) = house.issue("Widget", None);
    let (new, fresh) = house.rotate(old, "1h", Counted::FromFirstUse);
    house.clock.pass(1_000 * HOUR);
    assert_eq!((house.answer(&token), house.sweep()), (None, 0), "nobody has used the new one");
    let first = house.open.engine.now().time;
    assert_eq!(house.answer(&fresh), None);
    house.clock.pass(HOUR / 2);
    assert_eq!(house.answer(&fresh), None);
    house.open.engine.settle().unwrap();
    let house = house.reopened();
    assert_eq!(house.open.engine.state().usage(new).first_used_at, Some(first));
    assert_eq!((house.sweep(), house.sweep()), (1, 0));
    assert_eq!(house.grace_ends(old), Some(Timestamp(first.0 + HOUR)));
    house.clock.pass(HOUR / 2 - 1);
    assert_eq!(house.answer(&token), None);
    house.clock.pass(1);
    assert_eq!((house.answer(&token), house.answer(&fresh)), (Some(Reason::Expired), None));
}

#[test]
fn a_cancelled_rotation_and_one_done_again_leave_the_right_secrets_working() {
    let house = House::founded();
    let (old, token) = house.issue("Widget", None);
    let (_, lost) = house.rotate(old, "24h", Counted::FromNow);
    let (new, again) = house.makes(Command::RepeatRotation(old)).unwrap();
    let answers = |house: &House| [&token, &lost, &again].map(|token| house.answer(token));
    assert_eq!(answers(&house), [None, Some(Reason::Revoked), None]);
    house.does(Command::CancelRotation(new));
    house.clock.pass(48 * HOUR);
    let dead = Some(Reason::Revoked);
    assert_eq!(answers(&house), [None, dead, dead], "the old half has no end again");
    let house = house.reopened();
    assert_eq!(answers(&house), [None, dead, dead]);
}

#[test]
fn a_secret_in_use_is_not_replaced_although_its_use_was_not_written_down_yet() {
    let house = House::founded();
    let (old, _) = house.issue("Widget", None);
    let (_, fresh) = house.rotate(old, "24h", Counted::FromNow);
    assert_eq!(house.answer(&fresh), None);
    let refused = house.makes(Command::RepeatRotation(old)).unwrap_err();
    assert!(refused.to_string().contains("in use already"), "{refused}");
    assert_eq!(house.answer(&fresh), None);
}
