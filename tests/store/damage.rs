//! Damaged files. Whatever is done to them, a store opens whole, or opens read-only and says what is lost, or says
//! that it is damaged, or a scan says so; it never answers with old rows as if they were new, and never puts an
//! empty store in the place of a damaged one. `KEYDECK_FLIPS` sets the number of flipped bits (everyday: 60).

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use keydeck::store::{
    CommitError, Doubt, Op, OpenError, Opened, Rev, Seal, SealError, SledOptions, SledStore, Standing, Store,
    StoreError,
};
use tempfile::TempDir;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

fn open(dir: &Path) -> Result<Opened, OpenError> {
    SledStore::open(&SledOptions::new(dir).create().free_bytes(0, 0))
}

fn rows(store: &dyn Store) -> Result<Rows, StoreError> {
    let mut rows = Rows::new();
    store.scan(b"", &mut |row| {
        rows.insert(row.key.to_vec(), row.value.to_vec());
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

fn seal(rev: Rev) -> Seal {
    Seal { store: [3; 16], rev, audit_head: vec![1; 32], mac: vec![2; 32] }
}

/// Writes `keys` records, active, and one commit later for each, revoked.
fn live_a_little(store: &SledStore, keys: u32) {
    for (state, step) in [("active", 1), ("paused", 3), ("revoked", 2)] {
        let chosen: Vec<_> = (0..keys).filter(|key| key % step == 0).collect();
        for some in chosen.chunks(50) {
            let row = |key: &u32| {
                let value = format!("{state} {}", "x".repeat(400 + (*key as usize * 7) % 300));
                Op::Put(format!("k/{key:06}").into_bytes(), value.into_bytes())
            };
            store.commit(&[], &some.iter().map(row).collect::<Vec<_>>()).unwrap();
        }
    }
}

/// A closed, sealed store, and what is in it.
fn sample(keys: u32) -> (TempDir, Rows, Rev) {
    let scratch = tempfile::tempdir().unwrap();
    let store = open(&scratch.path().join("data")).unwrap().store;
    live_a_little(&store, keys);
    let rev = store.health().rev;
    store.write_seal(&seal(rev)).unwrap();
    let rows = rows(&store).unwrap();
    drop(store);
    // Closed and opened once more, so that sled has made a snapshot.
    drop(open(&scratch.path().join("data")).unwrap());
    (scratch, rows, rev)
}

fn copy(from: &Path, to: &Path) {
    let _absent = fs::remove_dir_all(to);
    fs::create_dir(to).unwrap();
    for item in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(item.file_name());
        if item.file_type().unwrap().is_dir() {
            copy(&item.path(), &target);
        } else {
            fs::copy(item.path(), target).unwrap();
        }
    }
}

/// Takes the second copy of the newest commits away.
fn forget_recent(dir: &Path) {
    for file in ["recent.0", "recent.1"] {
        let _absent = fs::remove_file(dir.join(file));
    }
}

fn snapshot(dir: &Path) -> std::path::PathBuf {
    let files = fs::read_dir(dir.join("store")).unwrap().flatten().map(|item| item.path());
    let is_snapshot =
        |path: &std::path::PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("snap.");
    files.into_iter().find(is_snapshot).unwrap()
}

/// How far a file is filled: sled's log ends in zeros.
fn filled(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

fn flip(path: &Path, bit: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = bit % (filled(&bytes) * 8);
    bytes[at / 8] ^= 1 << (at % 8);
    fs::write(path, bytes).unwrap();
}

type Damage = fn(&Path);

/// How a damaged store turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Intact,
    Rebuilt,
    PutBack,
    RolledBack,
    Refused,
    ScanFailed,
}

/// Opens a damaged store and makes sure that whatever it says is true.
fn judge(dir: &Path, expected: &Rows, sealed: Rev, context: &str) -> Outcome {
    let opened = match open(dir) {
        Ok(opened) => opened,
        Err(OpenError::Damaged { .. } | OpenError::Missing { .. }) => {
            // What is refused stays where it was, and no half-made replacement is left beside it.
            assert!(!dir.join("store.attempt").exists() && !dir.join("store.rebuilt").exists(), "{context}");
            assert!(!dir.join("quarantine/001-store").exists(), "{context}");
            return Outcome::Refused;
        }
        Err(other) => panic!("{context}: {other}"),
    };
    let found = rows(&opened.store);
    match opened.doubt {
        Some(Doubt::RolledBack { store, sealed: named }) => {
            assert!(store < named && named == sealed, "{context}");
            let refused = opened.store.commit(&[], &[Op::Delete(b"k/000000".to_vec())]);
            assert!(matches!(refused, Err(CommitError::ReadOnly(_))), "{context}: {refused:?}");
            Outcome::RolledBack
        }
        Some(doubt) => panic!("{context}: {doubt:?}"),
        None => match found {
            Err(StoreError::Damaged(_) | StoreError::Unavailable(_)) => Outcome::ScanFailed,
            Err(other) => panic!("{context}: {other}"),
            Ok(found) => {
                let strange = expected.iter().find(|(key, value)| found.get(*key) != Some(value));
                assert!(found == *expected, "{context}: silently wrong, for one {strange:?}");
                match (opened.put_back, opened.set_aside.is_empty()) {
                    (Some((from, to)), _) => {
                        assert!(from < to && to == sealed, "{context}: {from} to {to}");
                        Outcome::PutBack
                    }
                    (None, true) => Outcome::Intact,
                    (None, false) => Outcome::Rebuilt,
                }
            }
        },
    }
}

#[test]
fn one_flipped_bit_anywhere_is_harmless_or_noticed() {
    let flips: usize = std::env::var("KEYDECK_FLIPS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    let (scratch, expected, sealed) = sample(3000);
    let (base, dir) = (scratch.path().join("data"), scratch.path().join("bent"));
    let mut outcomes = BTreeMap::new();
    for n in 0..flips {
        copy(&base, &dir);
        let db = dir.join("store/db");
        let place = n.wrapping_mul(0x9e37_79b1) >> 3;
        if n % 3 == 0 {
            fs::remove_file(snapshot(&dir)).unwrap();
        }
        flip(&db, place);
        let outcome = judge(&dir, &expected, sealed, &format!("flip {n}"));
        *outcomes.entry(outcome).or_insert(0) += 1;
    }
    println!("{flips} flipped bits: {outcomes:?}");
    assert!(outcomes.len() > 1 || flips < 60, "the damage never did anything: {outcomes:?}");
}

#[test]
fn a_cut_off_or_broken_snapshot_is_set_aside_and_every_row_is_there() {
    let (scratch, expected, sealed) = sample(500);
    let (base, dir) = (scratch.path().join("data"), scratch.path().join("bent"));
    let whole = fs::read(snapshot(&base)).unwrap();
    for keep in [0, 1, whole.len() / 2, whole.len()] {
        copy(&base, &dir);
        fs::write(dir.join("store/snap.0000000000FFFFFF.generating"), &whole[..keep]).unwrap();
        let opened = open(&dir).unwrap();
        assert_eq!(opened.set_aside, ["quarantine/001-snap.0000000000FFFFFF.generating"], "{keep} bytes");
        let words = opened.notices();
        assert!(words[0].ends_with(".generating was left unfinished and has been set aside"), "{words:?}");
        assert_eq!(opened.doubt, None);
        assert!(rows(&opened.store).unwrap() == expected, "{keep} bytes");
        assert_eq!(fs::read(dir.join(&opened.set_aside[0])).unwrap(), whole[..keep]);
    }
    let damages: [(&str, Damage); 6] = [
        ("snapshot emptied", |dir| fs::write(snapshot(dir), "").unwrap()),
        ("snapshot halved", |dir| {
            let file = snapshot(dir);
            let whole = fs::read(&file).unwrap();
            fs::write(file, &whole[..whole.len() / 2]).unwrap();
        }),
        ("snapshot flipped", |dir| flip(&snapshot(dir), 12345)),
        ("conf cut", |dir| fs::write(dir.join("store/conf"), "segment_size: 4").unwrap()),
        ("conf emptied", |dir| fs::write(dir.join("store/conf"), "").unwrap()),
        ("conf removed", |dir| fs::remove_file(dir.join("store/conf")).unwrap()),
    ];
    for (what, damage) in damages {
        copy(&base, &dir);
        damage(&dir);
        let outcome = judge(&dir, &expected, sealed, what);
        assert!(matches!(outcome, Outcome::Intact | Outcome::Rebuilt), "{what}: {outcome:?}");
        // And it stays well.
        assert_eq!(judge(&dir, &expected, sealed, what), Outcome::Intact, "{what}, opened again");
    }
}

#[test]
fn a_lost_database_is_never_replaced_by_an_empty_one() {
    let (scratch, expected, sealed) = sample(500);
    let (base, dir) = (scratch.path().join("data"), scratch.path().join("bent"));
    for (keep_snapshot, keep_recent) in [(true, true), (true, false), (false, true), (false, false)] {
        for keep in [None, Some(0), Some(30), Some(50), Some(90)] {
            copy(&base, &dir);
            if !keep_recent {
                forget_recent(&dir);
            }
            let (db, snap) = (dir.join("store/db"), snapshot(&dir));
            if !keep_snapshot {
                fs::remove_file(snap).unwrap();
            }
            let whole = fs::read(&db).unwrap();
            match keep {
                None => fs::remove_file(&db).unwrap(),
                Some(part) => fs::write(&db, &whole[..filled(&whole) * part / 100]).unwrap(),
            }
            let what = format!(
                "{keep:?} % of the log kept, snapshot kept: {keep_snapshot}, second copy: {keep_recent}"
            );
            let outcome = judge(&dir, &expected, sealed, &what);
            let again = judge(&dir, &expected, sealed, &what);
            if outcome == Outcome::PutBack {
                assert!(keep_recent && again == Outcome::Intact, "{what}: {again:?}");
                continue;
            }
            for outcome in [outcome, again] {
                assert!(matches!(outcome, Outcome::Refused | Outcome::RolledBack), "{what}: {outcome:?}");
            }
        }
    }
    // The log is there and nothing in it can be read: what a rebuild makes of it is empty, and is not taken.
    for garbage in [0, 0xa5] {
        copy(&base, &dir);
        let log = vec![garbage; fs::read(dir.join("store/db")).unwrap().len()];
        fs::write(dir.join("store/db"), &log).unwrap();
        let what = format!("log of {garbage:#x}");
        for _ in 0..2 {
            assert_eq!(judge(&dir, &expected, sealed, &what), Outcome::Refused, "{what}");
        }
    }
    // Without a seal there is still the second copy of the newest commits to tell that something was there, or the snapshot.
    copy(&base, &dir);
    fs::remove_file(dir.join("seal")).unwrap();
    fs::remove_file(dir.join("store/db")).unwrap();
    assert!(matches!(open(&dir), Err(OpenError::Missing { rev, .. }) if rev >= sealed));
    forget_recent(&dir);
    assert!(matches!(open(&dir), Err(OpenError::Missing { rev: Rev(0), .. })));
}

#[test]
fn an_older_copy_stays_read_only_until_what_was_lost_is_put_back() {
    let scratch = tempfile::tempdir().unwrap();
    let (dir, older) = (scratch.path().join("data"), scratch.path().join("older"));
    let newer = scratch.path().join("newer");
    let store = open(&dir).unwrap().store;
    store.commit(&[], &[Op::Put(b"k/1".to_vec(), b"active".to_vec())]).unwrap();
    drop(store);
    copy(&dir.join("store"), &older);
    let store = open(&dir).unwrap().store;
    let sealed = store.commit(&[], &[Op::Put(b"k/1".to_vec(), b"revoked".to_vec())]).unwrap();
    store.write_seal(&seal(sealed)).unwrap();
    drop(store);
    copy(&dir.join("store"), &newer);
    copy(&older, &dir.join("store"));
    forget_recent(&dir);

    let opened = open(&dir).unwrap();
    assert_eq!(opened.doubt, Some(Doubt::RolledBack { store: Rev(1), sealed: Rev(2) }));
    assert_eq!(opened.seal, Some(seal(sealed)));
    let store = opened.store;
    let Standing::ReadOnly(why) = store.health().standing else { panic!("it is writable") };
    assert!(why.contains("stands at revision 1, and revisions 2 to 2 are lost"), "{why}");
    assert_eq!(store.get(b"k/1").unwrap().unwrap().value, b"active");
    assert_eq!(store.write_seal(&seal(Rev(1))), Err(SealError::ReadOnly));
    drop(store);
    let store = open(&dir).unwrap().store;
    assert!(matches!(store.commit(&[], &[Op::Delete(b"k/1".to_vec())]), Err(CommitError::ReadOnly(_))));

    drop(store);
    copy(&newer, &dir.join("store"));
    let opened = open(&dir).unwrap();
    assert_eq!((opened.rev, opened.doubt), (sealed, None));
    opened.store.commit(&[], &[Op::Delete(b"k/1".to_vec())]).unwrap();
}

#[test]
fn an_older_copy_gets_its_newest_commits_back_and_none_that_failed() {
    let scratch = tempfile::tempdir().unwrap();
    let (dir, older) = (scratch.path().join("data"), scratch.path().join("older"));
    let put = |store: &SledStore, value: &[u8]| {
        store.commit(&[], &[Op::Put(b"k/1".to_vec(), value.to_vec())]).unwrap()
    };
    let store = open(&dir).unwrap().store;
    put(&store, b"active");
    drop(store);
    copy(&dir.join("store"), &older);
    let store = open(&dir).unwrap().store;
    let large = Op::Put(b"k/2".to_vec(), vec![7; 16_000]);
    store.commit(&[], std::slice::from_ref(&large)).unwrap();
    let sealed = put(&store, b"revoked");
    store.write_seal(&seal(sealed)).unwrap();
    drop(store);
    let whole = fs::read(dir.join("recent.0")).unwrap();

    copy(&older, &dir.join("store"));
    let opened = open(&dir).unwrap();
    assert_eq!((opened.put_back, opened.doubt.clone()), (Some((Rev(1), Rev(3))), None));
    let said = "the database had lost its revisions 2 to 3; they were put back from their second copy";
    assert_eq!(opened.notices(), [said]);
    assert_eq!(opened.store.get(b"k/1").unwrap().unwrap().value, b"revoked");
    assert_eq!(opened.store.get(b"k/2").unwrap().unwrap().value, vec![7; 16_000]);
    assert_eq!(opened.store.verify(), Ok(Rev(3)));
    drop(opened);

    // The mark behind the last commit is what says that it was done: cut off, nobody puts it back.
    let lines = whole.len();
    for cut in 1..45 {
        copy(&older, &dir.join("store"));
        fs::write(dir.join("recent.0"), &whole[..lines - cut]).unwrap();
        let opened = open(&dir).unwrap();
        assert_eq!(opened.put_back, Some((Rev(1), Rev(2))), "{cut} bytes cut off");
        assert!(opened.doubt.is_some(), "{cut} bytes cut off");
    }
    // A bit flipped in it costs at most the copy, never a wrong row.
    for bit in (0..lines * 8).step_by(lines / 40 * 8 + 3) {
        copy(&older, &dir.join("store"));
        let mut bent = whole.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        fs::write(dir.join("recent.0"), bent).unwrap();
        let opened = open(&dir).unwrap();
        let value = opened.store.get(b"k/1").unwrap().unwrap().value;
        assert_eq!(value == b"revoked", opened.doubt.is_none(), "bit {bit}");
    }
}

#[test]
fn the_second_copy_is_bounded_and_reaches_back_far_enough() {
    let scratch = tempfile::tempdir().unwrap();
    let (dir, older) = (scratch.path().join("data"), scratch.path().join("older"));
    // Twenty-two of them are nearly four mebibytes.
    let write = |store: &SledStore, from: u8, to: u8| {
        for n in from..to {
            let row = |k: u8| Op::Put(format!("k/{k}").into_bytes(), vec![n; 15_000]);
            store.commit(&[], &(0..12).map(row).collect::<Vec<_>>()).unwrap();
        }
        store.health().rev
    };
    let store = open(&dir).unwrap().store;
    let then = write(&store, 0, 80);
    drop(store);
    copy(&dir.join("store"), &older);
    let store = open(&dir).unwrap().store;
    let sealed = write(&store, 80, 102);
    store.write_seal(&seal(sealed)).unwrap();
    drop(store);
    let sizes = ["recent.0", "recent.1"].map(|file| fs::metadata(dir.join(file)).unwrap().len());
    assert!(sizes.iter().all(|size| *size < 5 << 20), "{sizes:?}");
    copy(&older, &dir.join("store"));
    let opened = open(&dir).unwrap();
    assert_eq!((opened.put_back, opened.doubt), (Some((then, sealed)), None));
    assert_eq!(opened.store.get(b"k/11").unwrap().unwrap().value, vec![101; 15_000]);
}

#[test]
fn a_damaged_seal_makes_the_store_read_only_until_it_is_put_back() {
    let (scratch, expected, sealed) = sample(50);
    let dir = scratch.path().join("data");
    let whole = fs::read(dir.join("seal")).unwrap();
    flip(&dir.join("seal"), 200);
    let opened = open(&dir).unwrap();
    assert!(matches!(opened.doubt, Some(Doubt::SealDamaged(_))), "{:?}", opened.doubt);
    assert!(opened.store.read_seal().is_err());
    assert!(rows(&opened.store).unwrap() == expected);
    assert_eq!(opened.store.write_seal(&seal(sealed)), Err(SealError::ReadOnly));
    drop(opened);
    fs::write(dir.join("seal"), whole).unwrap();
    assert_eq!(open(&dir).unwrap().doubt, None);
    fs::remove_file(dir.join("store/db")).unwrap();
    flip(&dir.join("seal"), 200);
    assert!(matches!(open(&dir), Err(OpenError::Missing { .. })));
}

#[test]
fn a_rebuild_cut_off_half_way_is_finished_or_forgotten() {
    let (scratch, expected, sealed) = sample(200);
    let (base, dir) = (scratch.path().join("data"), scratch.path().join("bent"));
    // Killed before the rebuilt store was whole.
    copy(&base, &dir);
    copy(&base.join("store"), &dir.join("store.attempt"));
    fs::write(dir.join("store.attempt/db"), "half").unwrap();
    assert_eq!(judge(&dir, &expected, sealed, "attempt left"), Outcome::Intact);
    assert!(!dir.join("store.attempt").exists());
    // Killed between the two renames, and before both.
    copy(&base, &dir);
    fs::rename(dir.join("store"), dir.join("store.rebuilt")).unwrap();
    assert_eq!(judge(&dir, &expected, sealed, "old store gone"), Outcome::Intact);
    copy(&base, &dir);
    fs::rename(dir.join("store"), dir.join("store.rebuilt")).unwrap();
    fs::create_dir(dir.join("store")).unwrap();
    fs::write(dir.join("store/db"), "damaged").unwrap();
    assert_eq!(judge(&dir, &expected, sealed, "old store still there"), Outcome::Rebuilt);
    assert_eq!(fs::read(dir.join("quarantine/001-store/db")).unwrap(), b"damaged");
}

#[test]
fn a_row_that_went_back_fails_the_scan_of_its_family_and_freezes_the_store() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let store = open(&dir).unwrap().store;
    for value in [b"active!", b"revoked"] {
        store
            .commit(&[], &[Op::Put(b"k/1".to_vec(), value.to_vec()), Op::Put(b"p/1".to_vec(), vec![])])
            .unwrap();
    }
    drop(store);
    // What damage does at its worst: a well-formed older version of one row, behind the store's back.
    let behind = sled::Config::new().path(dir.join("store")).segment_size(4 << 20).open().unwrap();
    let mut old = behind.get("k/1").unwrap().unwrap().to_vec();
    old[9..17].copy_from_slice(&1_u64.to_be_bytes());
    old[17..].copy_from_slice(b"active!");
    behind.insert("k/1", old).unwrap();
    drop(behind);

    let opened = open(&dir).unwrap();
    let nothing = &mut |_: keydeck::store::RowView<'_>| ControlFlow::Continue(());
    assert_eq!(opened.store.scan(b"p/", nothing), Ok(Rev(2)), "the other family is fine");
    let said = opened.store.scan(b"k/", nothing).unwrap_err();
    let expected = "some of the 1 rows in k/ are not as they were last written";
    assert_eq!(said, StoreError::Damaged(expected.into()));
    assert!(opened.store.verify().is_err());
    let refused = opened.store.commit(&[], &[Op::Delete(b"p/1".to_vec())]);
    assert!(matches!(refused, Err(CommitError::ReadOnly(_))), "{refused:?}");
}
