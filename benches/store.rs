//! What durability costs, and how long a large store takes to open.
//!
//! `cargo bench --bench store [-- FILTER]`. A durable issue is timed in turns with what it cannot be quicker than:
//! one insert made durable in a bare sled, and one write made durable in a plain file. Opening is timed in fresh
//! processes, beside a bare sled that reads the same rows of the same files. All of it on the disk that holds the
//! target directory; the large store is made on a file system in memory when there is one, and copied.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where its scene cannot be set")]
#![expect(clippy::print_stdout, reason = "a benchmark's table is its result")]
#![expect(clippy::cast_precision_loss, reason = "figures")]

mod support;

use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::process::Command as Process;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keydeck::crypto::keyfile::KeyFileSecret;
use keydeck::domain::{Command, Counted, Grace, KeyId, Rotation};
use keydeck::engine::handover::Purse;
use keydeck::engine::open::{Key, open};
use keydeck::engine::{Engine, Many};
use keydeck::serve::control::client::attach;
use keydeck::serve::control::{Control, Settings};
use rustix::fs::{Advice, fadvise};
use support::large::{EACH, copy, found_in, issue, large_store, options, scratch};
use support::{human, median, print_latencies, quick, resident, wanted};

/// A process of this benchmark that opens the store named here, says how it went, and ends.
const OPEN: &str = "KEYDECK_BENCH_OPEN";
const HOW: &str = "KEYDECK_BENCH_HOW";
/// The cache keydeck gives sled.
const CACHE: u64 = 48 * 1024 * 1024;
const SEGMENT: usize = 4 * 1024 * 1024;

fn timed<T>(taken: &mut Vec<Duration>, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    taken.push(start.elapsed());
    done
}

fn durable_changes() {
    if !wanted("durable") {
        return;
    }
    // In turns, but several of a kind in a row: a sync also carries what the one before it left to the journal.
    let (rounds, row_of) = if quick() { (3, 10) } else { (25, 25) };
    let dir = scratch();
    let open = found_in(dir.path());
    let mut plain = File::create(dir.path().join("plain")).unwrap();
    // Written once before, so that a sync has no growth of the file to make durable.
    plain.write_all(&vec![0; 1024 * (rounds + 1) * row_of]).unwrap();
    plain.sync_all().unwrap();
    plain.rewind().unwrap();
    let bare = bare(&dir.path().join("bare"));
    let bare = bare.open().unwrap();
    let bare_file = File::open(dir.path().join("bare/db")).unwrap();
    let row = [7; 1024];
    let (mut write, mut insert, mut issued, mut revoked) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds {
        let numbers = round * row_of..(round + 1) * row_of;
        for _ in numbers.clone() {
            timed(&mut write, || {
                plain.write_all(&row).unwrap();
                plain.sync_data().unwrap();
            });
        }
        for n in numbers.clone() {
            timed(&mut insert, || {
                bare.insert(format!("p/{n:012}"), row.as_slice()).unwrap();
                bare.flush().unwrap();
                bare_file.sync_data().unwrap();
            });
        }
        let ids: Vec<KeyId> = numbers.map(|n| timed(&mut issued, || issue(&open, n))).collect();
        for id in ids {
            timed(&mut revoked, || open.engine.execute(&open.session, Command::revoke(id)).unwrap());
        }
    }
    for taken in [&mut write, &mut insert, &mut issued, &mut revoked] {
        // The first round only warms up.
        taken.drain(..row_of);
    }
    let yardstick = median(&insert);
    println!("\ndurable changes, one at a time  ({rounds} rounds of {row_of} each)");
    print_latencies("1 KiB written + fdatasync, plain file", &write, yardstick);
    print_latencies("bare sled: 1 KiB insert, flush, fdatasync", &insert, yardstick);
    print_latencies("issue a key", &issued, yardstick);
    print_latencies("revoke a key, seal file included", &revoked, yardstick);
}

/// sled as keydeck configures it, with nothing around it.
fn bare(dir: &Path) -> sled::Config {
    sled::Config::new().path(dir).cache_capacity(CACHE).segment_size(SEGMENT).flush_every_ms(None)
}

/// Lets go of what the kernel keeps of the files in memory.
fn forget(dir: &Path) {
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            forget(&entry.path());
        } else if let Ok(file) = File::open(entry.path()) {
            let _ = file.sync_all();
            let _ = fadvise(&file, 0, None, Advice::DontNeed);
        }
    }
}

/// What a process that opened the store in one way says of it.
struct Opened {
    took: Duration,
    resident: u64,
    rows: u64,
}

fn in_a_process(store: &Path, how: &str) -> Opened {
    let run = Process::new(std::env::current_exe().unwrap()).env(OPEN, store).env(HOW, how).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let said = String::from_utf8(run.stdout).unwrap();
    let numbers: Vec<u64> = said.split_whitespace().map(|n| n.parse().unwrap()).collect();
    let [took, resident, rows] = <[u64; 3]>::try_from(numbers).unwrap();
    Opened { took: Duration::from_micros(took), resident, rows }
}

/// The process itself.
fn open_and_say(store: &Path, how: &str) {
    let before = resident();
    let start = Instant::now();
    let (rows, _held): (u64, Box<dyn std::any::Any>) = if how == "engine" {
        let secret = KeyFileSecret::read(&store.with_file_name("key")).unwrap();
        let open = open(&options(store), &Key::KeyFile(&secret)).unwrap();
        let keys = open.engine.state().key_count() as u64;
        (keys, Box::new(open))
    } else {
        let config = bare(&store.join("store"));
        let db = config.open().unwrap();
        let rows = if how == "scan" { db.scan_prefix("p/").map(Result::unwrap).count() as u64 } else { 0 };
        (rows, Box::new(db))
    };
    let took = start.elapsed();
    println!("{} {} {rows}", took.as_micros(), resident().saturating_sub(before));
}

fn opening() {
    if !wanted("open") {
        return;
    }
    let operators = if quick() { 1 } else { 50 };
    let dir = scratch();
    let start = Instant::now();
    let store = large_store(dir.path(), operators);
    println!(
        "\nopening a store of {} keys  (made in {})",
        operators * EACH,
        human(start.elapsed().as_secs_f64())
    );
    let rounds = if quick() { 2 } else { 7 };
    for cold in [true, false] {
        let hows = ["open", "scan", "engine"];
        let mut taken: [Vec<Opened>; 3] = Default::default();
        for _ in 0..rounds {
            for (how, taken) in hows.iter().zip(&mut taken) {
                if cold {
                    forget(&store);
                }
                taken.push(in_a_process(&store, how));
            }
        }
        let temper = if cold { "files not in memory" } else { "files in memory" };
        let times = |of: &[Opened]| -> Vec<Duration> { of.iter().map(|o| o.took).collect() };
        let [bare, scan, engine] = &taken;
        let yardstick = median(&times(scan));
        print_latencies(&format!("bare sled, opened ({temper})"), &times(bare), yardstick);
        print_latencies("bare sled, opened and keys read", &times(scan), yardstick);
        print_latencies("keydeck, opened, unsealed and checked", &times(engine), yardstick);
        let memory = |of: &[Opened]| of.iter().map(|o| o.resident).max().unwrap_or_default();
        let (sled, ours, rows) = (memory(scan), memory(engine), engine.first().map_or(1, |o| o.rows));
        println!(
            "  resident: bare sled {} MiB, keydeck {} MiB: {:.0} bytes a key beyond sled",
            sled >> 20,
            ours >> 20,
            ours.saturating_sub(sled) as f64 / rows as f64
        );
    }
}

/// Ten thousand keys ended at once, by the process that has the store and by one that is attached to it: what a person waits
/// for, and one part of it. And a thousand rotated into a file.
fn many_at_once() {
    if !wanted("many") {
        return;
    }
    let dir = scratch();
    let made = large_store(dir.path(), if quick() { 1 } else { 5 });
    let secret = KeyFileSecret::read(&made.with_file_name("key")).unwrap();
    let key = Key::KeyFile(&secret);
    for attached in [false, true] {
        let store = dir.path().join(if attached { "attached" } else { "alone" });
        copy(&made, &store);
        let open = open(&options(&store), &key).unwrap();
        let settings = Settings { socket: None, command: "benchmark".into() };
        let _control = Control::start(Arc::clone(&open.engine), &settings).unwrap();
        let (engine, session): (Arc<dyn Engine>, _) = if attached {
            let (engine, session) = attach(&options(&store), &key).ok().unwrap();
            (Arc::new(engine), session)
        } else {
            (open.engine.clone(), open.session.clone())
        };
        let view = engine.execute(&session, Command::OpenAgencyView).unwrap().session.unwrap();
        let mut keys: Vec<_> = open.engine.state().keys().map(|key| (key.owner, key.id)).collect();
        keys.sort_unstable();
        let keys: Vec<KeyId> = keys.into_iter().map(|(_, key)| key).collect();
        let how = if attached { "attached" } else { "by itself" };
        let some = keys.iter().take(if quick() { 20 } else { 1_000 });
        let rotation =
            Rotation { id: None, grace: Grace::DEFAULT, counted: Counted::FromFirstUse, expiry: None };
        let rotates = |key: &KeyId| Command::RotateKey { key: *key, rotation: rotation.clone() };
        let purse = Purse::open(&dir.path().join(format!("{how}.env")), "", &[]).unwrap();
        let rotated = Many::of(some.map(rotates).collect()).keeping(purse);
        for (does, mut many) in [
            ("rotated", rotated),
            ("revoked", Many::of(keys.iter().map(|key| Command::revoke(*key)).collect())),
        ] {
            let (start, mut parts) = (Instant::now(), Vec::new());
            while !many.is_over() {
                timed(&mut parts, || many.go_on(&*engine, &view));
            }
            let took = human(start.elapsed().as_secs_f64());
            println!("\n{} keys {does} in {took}, {how}; {} not", many.done.len(), many.left.len());
            print_latencies("keydeck, one part", &parts, median(&parts));
        }
    }
}

fn main() {
    if let Some(store) = std::env::var_os(OPEN) {
        let how = std::env::var(HOW).unwrap_or_default();
        return open_and_say(Path::new(&store), &how);
    }
    durable_changes();
    many_at_once();
    opening();
}
