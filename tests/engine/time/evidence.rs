//! What the rules of time go by, gone, damaged or from another moment: then nothing is deleted, and somebody is told. A store
//! that was put back whole cannot know what it missed; it tells of a key before it deletes it, like any other.

#![expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]

use std::fs;
use std::path::Path;

use keydeck::crypto::passphrase::Passphrase;
use keydeck::domain::lifecycle::Told;
use keydeck::domain::notice::Trouble;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{Event, KeyId, Status, Timestamp};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Key, Open, found, open};
use keydeck::engine::{Engine as _, EngineError, Sweeping, troubles};
use keydeck::store::Fault;
use tempfile::TempDir;

use crate::sweeps::{House, START, issue, name, options};

const PHRASE: &str = "correct horse battery staple";

fn enter(dir: &Path, clock: &TestClock) -> Open {
    let passphrase = Passphrase::present(PHRASE).unwrap();
    open(&options(dir, clock), &Key::Operator { name: "maria", passphrase: &passphrase }).unwrap()
}

/// A store on the disk of a machine that was started on day 0.
fn machine() -> (TempDir, TestClock, Open) {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::at(START));
    let passphrase = Passphrase::choose(PHRASE).unwrap();
    let open = found(&options(&dir.path().join("data"), &clock), name("Acme"), name("maria"), &passphrase);
    (dir, clock, open.unwrap().open)
}

/// Notices of a deletion that a sweep gives, so many days before, and the keys it deletes.
type Unused = (Vec<(KeyId, u32)>, Vec<KeyId>);

fn swept(open: &Open) -> Result<Unused, EngineError> {
    let swept = open.engine.sweep(&open.session, Sweeping::Do)?;
    let told = |event: &Event| match event {
        Event::NoticeGiven(key, _, Told::Unused { days, .. }) => Some((key.id, *days)),
        _ => None,
    };
    let deleted = |event: &Event| match event {
        Event::KeyDeleted(key) => Some(key.id),
        _ => None,
    };
    let events = &swept.events;
    Ok((events.iter().filter_map(told).collect(), events.iter().filter_map(deleted).collect()))
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copied(&entry.path(), &target);
        } else if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The database itself, with no regard for what its keeper makes of it.
fn behind(dir: &Path) -> sled::Db {
    sled::Config::new().path(dir.join("store")).segment_size(4 << 20).open().unwrap()
}

#[test]
fn a_machine_put_back_as_it_was_40_days_ago_tells_of_a_key_before_it_deletes_it() {
    let (home, clock, open) = machine();
    let [data, snapshot] = ["data", "snapshot"].map(|name| home.path().join(name));
    let (used, token) = issue(&open, "Booking widget");
    let (unused, _) = issue(&open, "Webhook relay");
    drop(open);
    clock.pass(60 * DAY_MS);
    copied(&data, &snapshot);
    // Another forty days on the machine, most of them with requests.
    let open = enter(&data, &clock);
    for _ in 0..40 {
        clock.pass(DAY_MS);
        assert!(open.engine.verify(token.as_bytes(), &[]).is_allow());
        swept(&open).unwrap();
    }
    assert!(matches!(open.engine.state().key(unused).unwrap().status, Status::Deleted(_)));
    open.engine.settle().unwrap();
    let anchor = open.engine.anchor(&open.session).unwrap();
    drop(open);
    fs::remove_dir_all(&data).unwrap();
    copied(&snapshot, &data);
    clock.boots(Timestamp(START.0 + 100 * DAY_MS));
    let open = enter(&data, &clock);
    let (mut told, deleted) = swept(&open).unwrap();
    told.sort_unstable();
    let mut both = [(used, 15), (unused, 15)];
    both.sort_unstable();
    assert_eq!(
        (told, deleted),
        (both.to_vec(), vec![]),
        "for all it knows nobody has used either for a hundred days"
    );
    assert!(open.engine.verify(token.as_bytes(), &[]).is_allow());
    for _ in 0..8 {
        clock.pass(DAY_MS);
    }
    assert_eq!(swept(&open).unwrap(), (vec![(unused, 7)], vec![]), "a use counts from then on");
    // Whoever kept a word of the trail sees that this one goes another way.
    let now = open.engine.anchor(&open.session).unwrap();
    let found = open.engine.audit_hash(&open.session, anchor.seq).unwrap();
    assert!(now.seq < anchor.seq && found.is_none(), "{now} is before {anchor}");
    while open.engine.anchor(&open.session).unwrap().seq < anchor.seq {
        issue(&open, &format!("Key {}", open.engine.state().key_count()));
    }
    let found = open.engine.audit_hash(&open.session, anchor.seq).unwrap().unwrap();
    assert_ne!(found, anchor.head);
}

#[test]
fn ninety_days_in_which_no_use_could_be_written_delete_nothing_and_are_told_of() {
    let house = House::founded();
    let (used, token) = house.issue("Booking widget");
    let (unused, _) = house.issue("Webhook relay");
    house.store.inner.fail_next(Fault::DownLost);
    for day in 1..=95 {
        house.clock.pass(DAY_MS);
        assert!(house.open.engine.verify(token.as_bytes(), &[]).is_allow());
        assert!(swept(&house.open).is_err(), "day {day}");
        let wrong = troubles(&*house.open.engine);
        assert!(
            wrong.when().iter().any(|(trouble, _)| *trouble == Trouble::Uses),
            "day {day}: {:?}",
            wrong.when()
        );
    }
    house.store.inner.come_back();
    assert_eq!(swept(&house.open).unwrap(), (vec![(unused, 15)], vec![]), "the first notice comes first");
    assert_eq!(house.open.engine.state().usage(used).count, 95, "and no use is lost");
    assert_eq!(house.open.engine.condition().complete_since, Some(START));
    assert!(troubles(&*house.open.engine).when().is_empty());
    assert!(house.is_whole());
}

#[test]
fn a_key_whose_notices_are_gone_or_older_or_damaged_is_not_deleted() {
    let (home, clock, open) = machine();
    let data = home.path().join("data");
    let (key, _) = issue(&open, "Webhook relay");
    let row = format!("i/{key}");
    let sweep_on = |open: &Open, days: &[i64]| {
        for day in days {
            clock.pass(START.0 + day * DAY_MS - open.engine.now().time.0);
            swept(open).unwrap();
        }
    };
    sweep_on(&open, &[75]);
    open.engine.settle().unwrap();
    drop(open);
    let earlier = behind(&data).get(&row).unwrap().expect("a notice was given");
    let open = enter(&data, &clock);
    sweep_on(&open, &[83, 89]);
    open.engine.settle().unwrap();
    drop(open);
    let last = behind(&data).get(&row).unwrap().unwrap();
    let bent: Vec<u8> =
        last.iter().enumerate().map(|(n, byte)| if n + 1 == last.len() { byte ^ 1 } else { *byte }).collect();
    clock.pass(2 * DAY_MS);
    for (how, value) in [("gone", None), ("older", Some(earlier.to_vec())), ("damaged", Some(bent))] {
        let copy = home.path().join(how);
        copied(&data, &copy);
        let database = behind(&copy);
        match value {
            None => drop(database.remove(&row).unwrap()),
            Some(value) => drop(database.insert(row.as_bytes(), value).unwrap()),
        }
        drop(database);
        let open = enter(&copy, &clock);
        assert!(!open.engine.doubts().is_empty(), "{how}: nobody noticed");
        let wrong = troubles(&*open.engine);
        assert!(
            wrong.when().iter().any(|(trouble, _)| *trouble == Trouble::Doubt),
            "{how}: {:?}",
            wrong.when()
        );
        assert!(swept(&open).is_err(), "{how}: it was swept");
        let status = open.engine.state().key(key).unwrap().status;
        assert_eq!(status, Status::Active, "{how}");
    }
    // As it was left it goes.
    let open = enter(&data, &clock);
    assert_eq!(swept(&open).unwrap(), (vec![], vec![key]));
}
