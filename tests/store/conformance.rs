//! One suite for every backend: the same seeded history must lead to the same answers, revisions, rows and events
//! on each, with sled closed and opened again in between. What a backend promises stands on `keydeck::store::Store`.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use keydeck::store::{
    Change, CommitError, Entry, Event, Guard, KeyRange, MemoryStore, Op, Rev, SledOptions, SledStore, Store,
    StoreError, Update, Watch,
};

use crate::support::dice::Dice;

/// Opens the store in `dir` without asking for more room than a test machine may have.
fn open(dir: &Path) -> SledStore {
    SledStore::open(&SledOptions::new(dir).create().free_bytes(0, 0)).unwrap().store
}

fn put(key: &str, value: &[u8]) -> Op {
    Op::Put(key.as_bytes().to_vec(), value.to_vec())
}

fn delete(key: &str) -> Op {
    Op::Delete(key.as_bytes().to_vec())
}

/// Runs `check` on a fresh store of every backend.
fn on_every_backend(check: impl Fn(&dyn Store)) {
    check(&MemoryStore::new());
    let dir = tempfile::tempdir().unwrap();
    check(&open(&dir.path().join("data")));
}

/// What a history is made of.
impl Dice {
    fn key(&mut self) -> Vec<u8> {
        let family = ["k/", "p/", "a/", "m/", "plain", "x/\u{fff}"][self.roll(6)];
        let mut key = format!("{family}{:03}", self.roll(60)).into_bytes();
        if self.roll(20) == 0 {
            key.push(0xff);
        }
        key
    }

    fn ops(&mut self) -> Vec<Op> {
        let mut keys: Vec<_> = (0..self.roll(7)).map(|_| self.key()).collect();
        keys.sort();
        keys.dedup();
        keys.into_iter().map(|key| if self.roll(4) == 0 { Op::Delete(key) } else { self.put(key) }).collect()
    }

    fn put(&mut self, key: Vec<u8>) -> Op {
        let value = vec![u8::try_from(self.roll(256)).unwrap(); self.roll(700)];
        Op::Put(key, value)
    }

    fn guards(&mut self, newest: Rev) -> Vec<Guard> {
        let rev = Rev(newest.0.saturating_sub(self.roll(40) as u64));
        match self.roll(8) {
            0 => vec![Guard::Absent(self.key())],
            1 => vec![Guard::At(self.key(), rev)],
            2 => vec![Guard::NoneNewerIn(self.key(), rev)],
            3 => vec![Guard::NoneNewerIn(b"k/".to_vec(), rev), Guard::Absent(self.key())],
            _ => vec![],
        }
    }
}

/// Everything a reader can see: all rows by pages of `limit`, the same rows from the end, and by a scan.
fn picture(store: &dyn Store, limit: usize) -> (Rev, Vec<(Vec<u8>, Entry)>) {
    let all = KeyRange::all();
    let (mut rows, mut back, mut scanned) = (Vec::new(), Vec::new(), Vec::new());
    let (mut after, mut before) = (None, None);
    loop {
        let page = store.range(&all, after.as_deref(), limit).unwrap();
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    loop {
        let page = store.range_back(&all, before.as_deref(), limit).unwrap();
        back.extend(page.rows);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let rev = store.scan(b"", &mut |row| {
        let entry = Entry { value: row.value.to_vec(), create_rev: row.create_rev, mod_rev: row.mod_rev };
        scanned.push((row.key.to_vec(), entry));
        ControlFlow::Continue(())
    });
    back.reverse();
    assert_eq!(rows, back);
    assert_eq!(rows, scanned);
    (rev.unwrap(), rows)
}

fn drain(watch: &mut Watch) -> Vec<Update> {
    std::iter::from_fn(|| watch.try_next()).collect()
}

#[test]
fn the_same_history_is_the_same_on_every_backend() {
    for seed in 1..=6_u64 {
        let mut dice = Dice::of(seed);
        let dir = tempfile::tempdir().unwrap();
        let memory = MemoryStore::new();
        let mut disk = open(dir.path());
        let (mut watch_memory, mut watch_disk) = (memory.watch(b"k/", Rev(0)), disk.watch(b"k/", Rev(0)));
        let mut conflicts = 0;
        for step in 0..400 {
            let newest = memory.health().rev;
            let (guards, ops) = (dice.guards(newest), dice.ops());
            let expected = memory.commit(&guards, &ops);
            assert_eq!(disk.commit(&guards, &ops), expected, "seed {seed} step {step} {guards:?}");
            conflicts += usize::from(matches!(expected, Err(CommitError::Conflict { .. })));
            let key = dice.key();
            assert_eq!(disk.get(&key), memory.get(&key), "seed {seed} step {step}");
            let (from, to) = (dice.key(), dice.key());
            let range = KeyRange::between(&from, &to);
            let (after, limit) = (dice.key(), 1 + dice.roll(9));
            assert_eq!(disk.range(&range, Some(&after), limit), memory.range(&range, Some(&after), limit));
            assert_eq!(
                disk.range_back(&range, Some(&after), limit),
                memory.range_back(&range, Some(&after), limit)
            );
            if dice.roll(40) == 0 {
                assert_eq!(drain(&mut watch_disk), drain(&mut watch_memory), "seed {seed} step {step}");
                let seen = watch_memory.seen();
                assert_eq!(watch_disk.seen(), seen);
                drop(disk);
                disk = open(dir.path());
                watch_disk = disk.watch(b"k/", seen);
            }
        }
        assert_eq!(drain(&mut watch_disk), drain(&mut watch_memory), "seed {seed}");
        assert_eq!(picture(&disk, 7), picture(&memory, 1000), "seed {seed}");
        assert!(conflicts > 20, "the history has to meet conflicts, it met {conflicts}");
    }
}

#[test]
fn a_commit_is_all_or_nothing_and_guards_see_what_is_there() {
    on_every_backend(|store| {
        let first = store.commit(&[Guard::Absent(b"k/1".into())], &[put("k/1", b"a"), put("k/2", b"b")]);
        assert_eq!(first, Ok(Rev(1)));
        let late = store.commit(
            &[Guard::At(b"k/2".into(), Rev(1)), Guard::Absent(b"k/1".into())],
            &[put("k/1", b"stolen"), put("k/3", b"new")],
        );
        assert_eq!(late, Err(CommitError::Conflict { guard: 1 }));
        assert_eq!(store.get(b"k/1").unwrap().unwrap().value, b"a");
        assert_eq!(store.get(b"k/3"), Ok(None));
        assert_eq!(store.commit(&[], &[delete("k/9")]), Ok(Rev(1)), "nothing changed, no revision");
        assert_eq!(store.commit(&[], &[put("k/1", b"a")]), Ok(Rev(2)), "an equal value is a change");
        let entry = store.get(b"k/1").unwrap().unwrap();
        assert_eq!((entry.create_rev, entry.mod_rev), (Rev(1), Rev(2)));
        assert_eq!(store.commit(&[Guard::NoneNewerIn(b"k/".into(), Rev(2))], &[delete("k/1")]), Ok(Rev(3)));
        assert_eq!(
            store.commit(&[Guard::NoneNewerIn(b"k/".into(), Rev(0))], &[delete("k/2")]),
            Err(CommitError::Conflict { guard: 0 })
        );
        assert_eq!(store.get(b"m/rev"), Ok(None), "the store's own row is nobody's business");
    });
}

#[test]
fn events_come_whole_in_order_and_only_for_the_watched() {
    on_every_backend(|store| {
        let mut watch = store.watch(b"k/", Rev(0));
        store.commit(&[], &[put("k/2", b"b"), put("other", b"x"), put("k/1", b"a")]).unwrap();
        store.commit(&[], &[put("other", b"y")]).unwrap();
        store.commit(&[], &[delete("k/2"), delete("k/7")]).unwrap();
        let new = |value: &[u8]| Entry { value: value.to_vec(), create_rev: Rev(1), mod_rev: Rev(1) };
        let event = |key: &str, change| Event { key: key.into(), change };
        let first = vec![event("k/2", Change::Put(new(b"b"))), event("k/1", Change::Put(new(b"a")))];
        assert_eq!(watch.try_next(), Some(Update::Batch { rev: Rev(1), events: first }));
        let last = vec![event("k/2", Change::Deleted)];
        assert_eq!(watch.try_next(), Some(Update::Batch { rev: Rev(3), events: last }));
        assert_eq!(watch.try_next(), None);
    });
}

#[test]
fn of_two_racing_commits_one_wins_and_the_other_is_told() {
    on_every_backend(|store| {
        store.commit(&[], &[put("k/1", b"active"), put("tally", b"")]).unwrap();
        for round in 0..50 {
            let seen = store.get(b"k/1").unwrap().unwrap().mod_rev;
            let wins = AtomicUsize::new(0);
            std::thread::scope(|scope| {
                for who in 0..4 {
                    let wins = &wins;
                    scope.spawn(move || {
                        let guards = [Guard::At(b"k/1".into(), seen)];
                        let ops = [put("k/1", &[who]), put(&format!("a/{round}"), &[who])];
                        match store.commit(&guards, &ops) {
                            Ok(_) => wins.fetch_add(1, Ordering::Relaxed),
                            Err(CommitError::Conflict { guard: 0 }) => 0,
                            Err(other) => panic!("{other}"),
                        }
                    });
                }
            });
            assert_eq!(wins.load(Ordering::Relaxed), 1);
            let (winner, effect) = (store.get(b"k/1"), store.get(format!("a/{round}").as_bytes()));
            assert_eq!(winner.unwrap().unwrap().value, effect.unwrap().unwrap().value);
        }
    });
}

#[test]
fn a_slow_a_stopped_and_a_dropped_reader_cost_the_writer_nothing() {
    const COMMITS: u64 = 10_000;
    on_every_backend(|store| {
        let mut slow = store.watch(b"", Rev(0));
        let mut stopped = store.watch(b"", Rev(0));
        drop(store.watch(b"", Rev(0)));
        let mut seen_by_slow = 0;
        // Several writers, as a batch is synced once for all of them.
        for round in 0..COMMITS / 50 {
            std::thread::scope(|scope| {
                for writer in 0..10 {
                    scope.spawn(move || {
                        for n in 0..5 {
                            store.commit(&[], &[put(&format!("k/{writer}"), &[n])]).unwrap();
                        }
                    });
                }
            });
            if round % 10 == 0 && matches!(slow.try_next(), Some(Update::Batch { .. })) {
                seen_by_slow += 1;
            }
        }
        assert!(seen_by_slow > 0);
        assert_eq!(stopped.try_next(), Some(Update::Relist { oldest: Rev(COMMITS) }));
        assert_eq!(stopped.try_next(), None);
        store.commit(&[], &[put("k/after", b"")]).unwrap();
        let exact = stopped.next_within(Duration::from_secs(10));
        assert!(matches!(exact, Some(Update::Batch { rev, .. }) if rev == Rev(COMMITS + 1)));
    });
}

#[test]
fn a_sleeping_reader_wakes_for_its_prefix_and_when_the_store_closes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut watch = store.watch(b"k/", Rev(0));
    let reader = std::thread::spawn(move || {
        let patience = Duration::from_secs(30);
        (watch.next_within(patience), watch.next_within(patience))
    });
    store.commit(&[], &[put("other", b"")]).unwrap();
    store.commit(&[], &[put("k/1", b"")]).unwrap();
    drop(store);
    let (first, second) = reader.join().unwrap();
    assert!(matches!(first, Some(Update::Batch { rev: Rev(2), .. })), "{first:?}");
    assert_eq!(second, Some(Update::Lost));
    let begun = Instant::now();
    let mut idle = MemoryStore::new().watch(b"", Rev(0));
    assert_eq!(idle.next_within(Duration::from_millis(20)), Some(Update::Lost));
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_call_from_inside_a_scan_is_refused_instead_of_waiting_for_itself() {
    on_every_backend(|store| {
        store.commit(&[], &[put("k/1", b"a")]).unwrap();
        let mut answers = (None, None);
        store
            .scan(b"", &mut |_| {
                answers = (Some(store.get(b"k/1")), Some(store.commit(&[], &[put("k/2", b"")])));
                ControlFlow::Continue(())
            })
            .unwrap();
        assert!(matches!(answers.0, Some(Err(StoreError::Invalid(_)))), "{answers:?}");
        assert!(matches!(answers.1, Some(Err(CommitError::Invalid(_)))), "{answers:?}");
        assert!(store.get(b"k/1").unwrap().is_some());
    });
}

#[test]
fn a_scan_beside_writers_shows_one_revision() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let keys: Vec<_> = (0..100).map(|n| format!("k/{n:03}")).collect();
    let write = |round: u32| {
        let ops: Vec<_> = keys.iter().map(|key| put(key, &round.to_be_bytes())).collect();
        store.commit(&[], &ops).unwrap();
    };
    write(0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (1..150).for_each(write));
        let mut scans = 0;
        while !writer.is_finished() || scans == 0 {
            let mut values = std::collections::BTreeSet::new();
            store
                .scan(b"k/", &mut |row| {
                    values.insert(row.value.to_vec());
                    ControlFlow::Continue(())
                })
                .unwrap();
            assert_eq!(values.len(), 1, "two commits mixed in one scan");
            scans += 1;
        }
    });
}
