//! Rows that others write beside ours: merged when they are read, and never written again as ours.

use minicbor::Encode;

use std::sync::mpsc;

use super::gather::send_rows;
use super::*;
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::crypto::random::OsEntropy;
use crate::domain::time::DAY_MS;
use crate::domain::{Command, KeyId, Name, NewKey, Note, Place};
use crate::engine::clock::TestClock;
use crate::engine::open::{Key, Open, Options, found, open};
use crate::engine::rows::{UseRow, usage_key};
use crate::engine::{Engine as _, Via};
use crate::store::Op;

const START: Timestamp = Timestamp(1_790_000_000_000);

fn day(n: i64) -> Timestamp {
    Timestamp(START.0 + n * DAY_MS)
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// What another process writes under a key of ours.
fn write(open: &Open, key: &[u8], node: &str, row: impl Encode<()>) {
    let key = [key, b"/", node.as_bytes()].concat();
    let plain = minicbor::to_vec(row).unwrap();
    let sealed = open.engine.keyring.sealer().seal_with(&mut OsEntropy, &key, 1, &plain).unwrap();
    open.engine.store.commit(&[], &[Op::Put(key, sealed)]).unwrap();
}

#[test]
fn what_several_write_down_is_merged_and_nobody_writes_the_part_of_others() {
    let (home, clock) = (tempfile::tempdir().unwrap(), TestClock::at(START));
    let phrase = Passphrase::choose("correct horse battery staple").unwrap();
    let options = Options {
        cost: Cost::IMPORTED,
        clock: std::sync::Arc::new(clock.clone()),
        ..Options::new(&home.path().join("data"), "test", Via::CommandLine)
    };
    let again = || open(&options, &Key::Operator { name: "maria", passphrase: &phrase }).unwrap();
    let first = found(&options, name("Acme"), name("maria"), &phrase).unwrap().open;
    let new = NewKey {
        name: name("Relay"),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: None,
        note: Note::default(),
        decoy: false,
    };
    let token = first.engine.execute(&first.session, Command::IssueKey(new)).unwrap().token.unwrap();
    let (id, token) = (token.id(), token.reveal().to_owned());
    let uses = |open: &Open, times: usize| {
        for _ in 0..times {
            assert!(open.engine.verify(token.as_bytes(), &[]).is_allow());
        }
        open.engine.settle().unwrap();
    };
    clock.pass(40 * DAY_MS);
    uses(&first, 3);
    let theirs = |first: i64, last: i64, count| UseRow {
        last_used_at: Some(day(last)),
        count,
        trace: None,
        first_used_at: Some(day(first)),
    };
    // One of them saw it last long before we did, and the other since: the latest time is the last use, in whatever order.
    clock.pass(10 * DAY_MS);
    write(&first, &usage_key(id), "b", theirs(1, 2, 5));
    write(&first, &usage_key(id), "c", theirs(39, 49, 7));
    write(&first, &usage_key(id), "d", theirs(3, 4, 1));
    write(&first, UNBROKEN_KEY, "b", Unbroken { since: day(30), open: true });
    drop(first);
    for (uses_here, all) in [(0, 16), (1, 17), (1, 18)] {
        let open = again();
        uses(&open, uses_here);
        let usage = open.engine.state().usage(KeyId(id));
        assert_eq!((usage.count, usage.first_used_at), (all, Some(day(1))));
        assert_eq!(usage.last_used_at, Some(day(if all == 16 { 49 } else { 50 })));
        assert_eq!(
            open.engine.condition().complete_since,
            Some(day(30)),
            "before that somebody may have lost some"
        );
        assert!(!open.engine.now().suspect);
    }
    // The highest time that anybody believed is behind nobody.
    let open = again();
    write(&open, CLOCK_KEY, "b", Mark { wall: day(60), since_boot: 0, boot: "another".into() });
    drop(open);
    assert!(again().engine.now().suspect);
    clock.boots(day(60));
    assert!(!again().engine.now().suspect);
}

/// The same process writes its history anew each time, and never what the other one counted.
#[test]
fn histories_of_several_are_one_and_each_writes_its_own_part() {
    let (home, clock) = (tempfile::tempdir().unwrap(), TestClock::at(START));
    let phrase = Passphrase::choose("correct horse battery staple").unwrap();
    let options = Options {
        cost: Cost::IMPORTED,
        clock: std::sync::Arc::new(clock.clone()),
        ..Options::new(&home.path().join("data"), "test", Via::CommandLine)
    };
    let first = found(&options, name("Acme"), name("maria"), &phrase).unwrap().open;
    let new = NewKey {
        name: name("Relay"),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: None,
        note: Note::default(),
        decoy: false,
    };
    let token = first.engine.execute(&first.session, Command::IssueKey(new)).unwrap().token.unwrap();
    let about = crate::domain::Bearer::Key(KeyId(token.id()));
    let mut theirs = crate::domain::history::History::default();
    theirs.allow(START, 5);
    let row = crate::engine::rows::HistoryRow { writes: 1, history: theirs };
    write(&first, &crate::engine::rows::history_key(token.id()), "b", row);
    for (uses, all) in [(2, 7), (1, 8), (0, 8)] {
        for _ in 0..uses {
            assert!(first.engine.verify(token.reveal().as_bytes(), &[]).is_allow());
        }
        first.engine.settle().unwrap();
        let picture = first.engine.history(&first.session, about).unwrap();
        assert_eq!(picture.days.last().unwrap().tally.allowed, all);
    }
}

#[test]
fn whoever_stops_waiting_gets_no_store_of_which_half_was_read() {
    let (patience, (to, _from)) = (Patience::default(), mpsc::sync_channel(64));
    patience.end();
    let sent = send_rows(&store::MemoryStore::new(), to, &patience);
    assert!(matches!(sent, Err(StoreError::Unavailable(_))), "{sent:?}");
}
