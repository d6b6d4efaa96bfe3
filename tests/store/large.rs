//! A large store on disk: it opens, reads whole and stays within memory. `KEYDECK_LARGE_ROWS=1000000` for a million;
//! fewer by default.

#![expect(clippy::unwrap_used, reason = "a test stops where its store cannot be made")]

use std::ops::ControlFlow;
use std::time::Instant;

use crate::support::child;
use keydeck::store::{Op, SledOptions, SledStore, Store};

/// Memory a process may hold with a large store open and read, in MiB.
const MOST_MIB: u64 = 256;
const BATCH: usize = 100;

/// Resident memory of this process in MiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn a_large_store_opens_reads_whole_and_stays_within_memory() {
    if !child::is_alone(concat!(module_path!(), "::a_large_store_opens_reads_whole_and_stays_within_memory"))
    {
        return;
    }
    let rows: usize = std::env::var("KEYDECK_LARGE_ROWS").map_or(20_000, |n| n.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let options = || SledOptions::new(dir.path()).create().free_bytes(0, 0);
    let store = SledStore::open(&options()).unwrap().store;
    let value = vec![0x5a; 400];
    for first in (0..rows).step_by(BATCH) {
        let put = |n| Op::Put(format!("p/{n:012}").into_bytes(), value.clone());
        let ops: Vec<Op> = (first..rows.min(first + BATCH)).map(put).collect();
        store.commit(&[], &ops).unwrap();
    }
    drop(store);
    let start = Instant::now();
    let store = SledStore::open(&options()).unwrap().store;
    let opened = start.elapsed();
    let mut seen = 0;
    let each = &mut |row: keydeck::store::RowView<'_>| {
        assert_eq!(row.key, format!("p/{seen:012}").as_bytes());
        assert_eq!(row.value, value);
        seen += 1;
        ControlFlow::Continue(())
    };
    store.scan(b"p/", each).unwrap();
    assert_eq!(seen, rows);
    let resident = resident();
    println!("{rows} rows: open {opened:?}, open and scan {:?}, {resident} MiB resident", start.elapsed());
    assert!(resident <= MOST_MIB, "{resident} MiB are resident");
}
