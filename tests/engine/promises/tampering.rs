//! Everything somebody with the files can do to a record, each together with one fault that has nothing to do with it and
//! with the seal there, gone, old or bent: what was ended opens nothing, ever, and the record is named. Everyday some of the
//! combinations are tried; `KEYDECK_TAMPER=all` tries every one.

use std::collections::BTreeSet;
use std::path::Path;

use keydeck::domain::{Command, Reason};
use keydeck::engine::Engine as _;
use keydeck::store::{Op, SledOptions, SledStore, Store};

use super::estate::Estate;

/// What is done to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    OldRow,
    Deleted,
    OtherRow,
    Junk,
}

/// What else is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    StrangeKey,
    StrangeRow,
    OtherRecordBent,
    OtherRecordGone,
    WriterGone,
    EntryGone,
    NewestBent,
    UseBent,
    ClockGone,
}

/// What became of the seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sealed {
    Kept,
    Gone,
    Old,
    Bent,
    Renumbered,
}

const DEEDS: [Deed; 4] = [Deed::OldRow, Deed::Deleted, Deed::OtherRow, Deed::Junk];
const FAULTS: [Fault; 10] = [
    Fault::None,
    Fault::StrangeKey,
    Fault::StrangeRow,
    Fault::OtherRecordBent,
    Fault::OtherRecordGone,
    Fault::WriterGone,
    Fault::EntryGone,
    Fault::NewestBent,
    Fault::UseBent,
    Fault::ClockGone,
];
const SEALS: [Sealed; 5] = [Sealed::Kept, Sealed::Gone, Sealed::Old, Sealed::Bent, Sealed::Renumbered];

/// `None` when the deed would leave the record as it is.
fn deed_on(estate: &Estate, record: &str, deed: Deed) -> Option<Op> {
    let key = record.as_bytes().to_vec();
    let prefix = &record[..2];
    Some(match deed {
        Deed::OldRow => Op::Put(key, estate.before(record)?.clone()),
        Deed::Deleted => Op::Delete(key),
        Deed::OtherRow => {
            let other = estate
                .present
                .iter()
                .find(|(at, _)| at.starts_with(prefix.as_bytes()) && **at != key)
                .or_else(|| estate.present.iter().find(|(at, _)| at.starts_with(b"u/")));
            Op::Put(key, other?.1.clone())
        }
        Deed::Junk => Op::Put(key, b"junk".to_vec()),
    })
}

fn bent(row: &[u8]) -> Vec<u8> {
    let mut row = row.to_vec();
    let last = row.len() - 1;
    row[last] ^= 1;
    row
}

/// The keys of all audit entries, in their order.
fn entries(estate: &Estate) -> Vec<&Vec<u8>> {
    estate.present.keys().filter(|key| key.starts_with(b"a/")).collect()
}

fn fault_in(estate: &Estate, record: &str, fault: Fault) -> Vec<Op> {
    let at = |key: &str| key.as_bytes().to_vec();
    let other = &estate.bystander_record;
    let entries = entries(estate);
    match fault {
        Fault::None => Vec::new(),
        Fault::StrangeKey => vec![Op::Put(at("p/111111111111"), b"junk".to_vec())],
        Fault::StrangeRow => vec![Op::Put(at("m/backdoor"), b"junk".to_vec())],
        Fault::OtherRecordBent => {
            vec![Op::Put(at(other), bent(&estate.present[other.as_bytes()]))]
        }
        Fault::OtherRecordGone => vec![Op::Delete(at(other))],
        // The record's revision is the number of the entry that wrote it; an attacker who cannot read it takes each in turn.
        Fault::WriterGone => {
            let written_since: BTreeSet<_> =
                entries.iter().filter(|key| !estate.past.contains_key(**key)).collect();
            let place = record.bytes().map(usize::from).sum::<usize>() % written_since.len();
            vec![Op::Delete((**written_since.into_iter().nth(place).unwrap()).clone())]
        }
        Fault::EntryGone => vec![Op::Delete(entries[entries.len() / 3].clone())],
        Fault::NewestBent => {
            let newest = entries[entries.len() - 1];
            vec![Op::Put(newest.clone(), bent(&estate.present[newest]))]
        }
        Fault::UseBent => {
            let used = estate.present.keys().find(|key| key.starts_with(b"t/")).unwrap();
            vec![Op::Put(used.clone(), bent(&estate.present[used]))]
        }
        Fault::ClockGone => vec![Op::Delete(at("c/clock"))],
    }
}

/// Changes rows as somebody with the database's own library can: its revision and sums are made to fit.
fn tamper(dir: &Path, ops: &[Op]) {
    // Without the seal nothing keeps the store from taking the change.
    let (seal, aside) = (dir.join("seal"), dir.join("aside"));
    std::fs::rename(&seal, &aside).unwrap();
    let opened = SledStore::open(&SledOptions::new(dir)).unwrap();
    for op in ops {
        opened.store.commit(&[], std::slice::from_ref(op)).unwrap();
    }
    drop(opened);
    std::fs::rename(&aside, &seal).unwrap();
}

/// The number of the entry a seal names is changed, and its checksum made to fit.
fn renumbered(text: &str) -> String {
    let body: String = text
        .lines()
        .filter(|line| !line.starts_with("crc "))
        .map(|line| match line.strip_prefix("audit ") {
            Some(head) => format!("audit {}{}\n", "0".repeat(16), &head[16..]),
            None => format!("{line}\n"),
        })
        .collect();
    format!("{body}crc {:08x}\n", crc32fast::hash(body.as_bytes()))
}

fn change_seal(estate: &Estate, dir: &Path, sealed: Sealed) {
    let seal = dir.join("seal");
    match sealed {
        Sealed::Kept => {}
        Sealed::Gone => std::fs::remove_file(seal).unwrap(),
        Sealed::Old => drop(std::fs::copy(estate.past_dir().join("seal"), seal).unwrap()),
        Sealed::Bent => {
            let bytes = bent(&std::fs::read(&seal).unwrap());
            std::fs::write(seal, bytes).unwrap();
        }
        Sealed::Renumbered => {
            let text = std::fs::read_to_string(&seal).unwrap();
            std::fs::write(seal, renumbered(&text)).unwrap();
        }
    }
}

#[test]
fn nothing_done_to_the_files_brings_back_what_was_ended() {
    try_everything(&Estate::new(), Sealed::Old);
}

/// What proves each record is said by entries after those that were taken out, and the same faults are noticed.
#[test]
fn nothing_done_to_the_files_of_a_trimmed_trail_brings_back_what_was_ended() {
    // A seal of before the trimming names an entry that is not there.
    try_everything(&Estate::trimmed(), Sealed::Kept);
}

/// `as_good` is a seal with which it can still be told that the store is not an older one.
fn try_everything(estate: &Estate, as_good: Sealed) {
    let every = std::env::var("KEYDECK_TAMPER").is_ok_and(|which| which == "all");
    let mut records: Vec<String> = estate.ended.iter().map(|ended| ended.record.clone()).collect();
    records.extend(["m/agency", "m/policy", "m/header", "m/signing"].map(str::to_owned));
    let (mut opened, mut others_went_on) = (0, 0);
    let mut number = 0_usize;
    for record in &records {
        for deed in DEEDS {
            let Some(op) = deed_on(estate, record, deed) else { continue };
            for fault in FAULTS {
                for sealed in SEALS {
                    number += 1;
                    // A prime, so that over the records every pair of deed, fault and seal is met.
                    if !every && !number.is_multiple_of(17) {
                        continue;
                    }
                    let case = format!("{record} {deed:?}, {fault:?}, seal {sealed:?}");
                    let dir = estate.copy();
                    let mut ops = vec![op.clone()];
                    ops.extend(fault_in(estate, record, fault));
                    tamper(dir.path(), &ops);
                    change_seal(estate, dir.path(), sealed);
                    // A store that does not open at all lets nobody in either.
                    let Ok(open) = estate.open(dir.path()) else {
                        continue;
                    };
                    opened += 1;
                    estate.assert_ended(&open, &case);
                    let doubts = open.engine.doubts();
                    assert!(!doubts.is_empty(), "{case}: went unnoticed");
                    let sealed_well = sealed == Sealed::Kept || sealed == as_good;
                    let trail_whole =
                        !matches!(fault, Fault::WriterGone | Fault::EntryGone | Fault::NewestBent);
                    if trail_whole {
                        let named = doubts.iter().any(|doubt| doubt.what.contains(record.as_str()));
                        assert!(named, "{case}: {record} is not named in {doubts:?}");
                    }
                    // All keys hang on the record of the agency: it may say that all are locked down.
                    let untouched = record != "m/agency"
                        && !matches!(fault, Fault::OtherRecordBent | Fault::OtherRecordGone);
                    if sealed_well && trail_whole && untouched {
                        assert!(estate.bystander_works(&open), "{case}: an unrelated key was refused");
                        others_went_on += 1;
                    }
                    if !sealed_well {
                        assert!(!estate.bystander_works(&open), "{case}: nothing is known without the seal");
                    }
                }
            }
        }
    }
    assert!(opened > 80 && others_went_on > 5, "the kit tried nothing");
}

#[test]
fn an_old_store_put_back_with_its_seal_removed_is_not_called_intact() {
    let estate = Estate::new();
    for sealed in [Sealed::Kept, Sealed::Gone, Sealed::Bent, Sealed::Renumbered] {
        for second_copy in [true, false] {
            let dir = estate.copy();
            std::fs::remove_dir_all(dir.path().join("store")).unwrap();
            super::copy(&estate.past_dir().join("store"), &dir.path().join("store"));
            if !second_copy {
                std::fs::remove_file(dir.path().join("recent.0")).unwrap();
            }
            change_seal(&estate, dir.path(), sealed);
            let case = format!("the whole database, seal {sealed:?}, second copy {second_copy}");
            let Ok(open) = estate.open(dir.path()) else { continue };
            estate.assert_ended(&open, &case);
            assert!(!open.notices.is_empty(), "{case}: went unnoticed");
            let healed = second_copy && sealed == Sealed::Kept;
            assert_eq!(open.engine.doubts().is_empty(), healed, "{case}: {:?}", open.notices);
            let decision = open.engine.verify(estate.bystander.as_bytes(), &[]);
            assert_eq!(decision.reason(), (!healed).then_some(Reason::StoreError), "{case}");
        }
    }
}

#[test]
fn a_key_whose_record_was_damaged_is_not_called_one_that_was_never_issued() {
    let estate = Estate::new();
    for op in [
        Op::Put(estate.bystander_record.clone().into_bytes(), b"junk".to_vec()),
        Op::Delete(estate.bystander_record.clone().into_bytes()),
    ] {
        let dir = estate.copy();
        tamper(dir.path(), std::slice::from_ref(&op));
        let open = estate.open(dir.path()).unwrap();
        let decision = open.engine.verify(estate.bystander.as_bytes(), &[]);
        assert_eq!(decision.reason(), Some(Reason::StoreError), "{op:?}");
    }
}

#[test]
fn a_folder_in_the_way_of_the_seal_does_not_stop_it() {
    let estate = Estate::new();
    let dir = tempfile::tempdir().unwrap();
    super::copy(&estate.past_dir(), dir.path());
    let open = estate.open(dir.path()).unwrap();
    std::fs::create_dir(dir.path().join("seal.new")).unwrap();
    let id = estate.bystander_record[2..].parse().unwrap();
    open.engine.execute(&open.session, Command::revoke(id)).unwrap();
    drop(open);
    std::fs::remove_dir_all(dir.path().join("store")).unwrap();
    super::copy(&estate.past_dir().join("store"), &dir.path().join("store"));
    std::fs::remove_file(dir.path().join("recent.0")).unwrap();
    let open = estate.open(dir.path()).unwrap();
    assert!(!estate.bystander_works(&open), "the seal did not know of the revocation");
    assert!(!open.engine.doubts().is_empty());
}

#[test]
fn something_else_in_the_place_of_what_was_denied_vouches_for_nothing() {
    let estate = Estate::new();
    let dir = estate.copy();
    std::fs::remove_file(dir.path().join("denials")).unwrap();
    std::fs::create_dir(dir.path().join("denials")).unwrap();
    let open = estate.open(dir.path()).unwrap();
    assert!(!estate.bystander_works(&open));
    assert!(!open.engine.doubts().is_empty());
}

/// The database itself, with no regard for what its keeper makes of it.
fn behind(dir: &Path) -> sled::Db {
    sled::Config::new().path(dir.join("store")).segment_size(4 << 20).open().unwrap()
}

#[test]
fn a_row_that_fell_back_by_itself_is_refused_and_the_others_go_on() {
    let estate = Estate::new();
    let past = behind(&estate.past_dir());
    for ended in &estate.ended {
        let dir = estate.copy();
        let now = behind(dir.path());
        // Neither the revision nor the sums are made to fit: reading all rows in order fails.
        match past.get(&ended.record).unwrap() {
            Some(row) => drop(now.insert(ended.record.as_bytes(), row).unwrap()),
            None => drop(now.remove(ended.record.as_bytes()).unwrap()),
        }
        drop(now);
        let open = estate.open(dir.path()).unwrap();
        estate.assert_ended(&open, ended.what);
        let named = open.engine.doubts().iter().any(|doubt| doubt.what.contains(&ended.record));
        assert!(named, "{}: {:?}", ended.what, open.engine.doubts());
        assert!(estate.bystander_works(&open), "{}: an unrelated key was refused", ended.what);
    }
}

#[test]
fn flipped_bits_bring_nothing_back() {
    let flips: usize = std::env::var("KEYDECK_FLIPS").ok().and_then(|n| n.parse().ok()).unwrap_or(30);
    let estate = Estate::new();
    let (mut well, mut partly, mut nothing, mut closed) = (0, 0, 0, 0);
    for flip in 0..flips {
        let dir = estate.copy();
        let path = dir.path().join("store/db");
        let mut bytes = std::fs::read(&path).unwrap();
        let filled = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        let bit = (flip.wrapping_mul(0x9e37_79b1) >> 3) % (filled * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, bytes).unwrap();
        let Ok(open) = estate.open(dir.path()) else {
            closed += 1;
            continue;
        };
        estate.assert_ended(&open, &format!("bit {bit}"));
        match (open.engine.doubts().is_empty(), estate.bystander_works(&open)) {
            (true, works) => {
                assert!(works, "bit {bit}: refused without a doubt");
                well += 1;
            }
            (false, true) => partly += 1,
            // Behind a damaged place sled knows no log: what was lost there may have ended anything.
            (false, false) => nothing += 1,
        }
    }
    println!(
        "{flips} flipped bits: {well} harmless, {partly} noticed with the other keys going on, {nothing} with all refused, {closed} did not open"
    );
}
