//! What durability costs, and how long a large store takes to open.
//!
//! `cargo bench --bench store [-- FILTER]`. A durable issue is timed in turns with what it cannot be quicker than:
//! one insert made durable in a bare sled, and one write made durable in a plain file. Opening is timed in fresh
//! processes, beside a bare sled that reads the same rows of the same files, and one of which each row's seal is opened on as
//! many threads: less work there is none. With it, what of memory is held for each key, by the engine alone and with a console
//! that shows them. All of it on the disk that holds the target directory. `KEYDECK_BENCH_KEYS=1000000` for a large store of a million keys.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where its scene cannot be set")]
#![expect(clippy::print_stdout, reason = "a benchmark's table is its result")]
#![expect(clippy::cast_precision_loss, reason = "figures")]

mod support;

use std::any::Any;
use std::fs::File;
use std::hint::black_box;
use std::io::{Seek, Write};
use std::path::Path;
use std::process::Command as Process;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use keydeck::crypto::Keyring;
use keydeck::crypto::header::Unlock;
use keydeck::crypto::header_file::HeaderFile;
use keydeck::crypto::keyfile::KeyFileSecret;
use keydeck::domain::{Command, Counted, Grace, KeyId, KeyState, RecordKey, Rotation};
use keydeck::engine::handover::Purse;
use keydeck::engine::open::{Key, Open, open};
use keydeck::engine::{Engine, Many, Origin};
use keydeck::serve::control::client::attach;
use keydeck::serve::control::{Control, Settings};
use rustix::fs::{Advice, fadvise};
use support::large::{copy, found_in, issue, keys, large_store, options, scratch, token};
use support::{human, median, print_latencies, processor_time, quick, resident, wanted};

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

/// What an issue and a revoke cost in a small store and in a large one, in turns.
fn beside_many() {
    if !wanted("beside") {
        return;
    }
    let (rounds, row_of) = if quick() { (2, 5) } else { (20, 25) };
    let sizes = [1_000, keys()];
    let homes = sizes.map(|_| scratch());
    let stores: Vec<_> = homes
        .iter()
        .zip(sizes)
        .map(|(home, size)| {
            let store = large_store(home.path(), size);
            let secret = KeyFileSecret::read(&home.path().join("key")).unwrap();
            let open = open(&options(&store), &Key::KeyFile(&secret)).unwrap();
            // What was written to it until now is not theirs to wait for.
            open.engine.settle().unwrap();
            open
        })
        .collect();
    let mut taken = [const { (Vec::new(), Vec::new()) }; 2];
    for round in 0..=rounds {
        for (store, (issued, revoked)) in stores.iter().zip(&mut taken) {
            let numbers = round * row_of..(round + 1) * row_of;
            let ids: Vec<KeyId> = numbers.map(|n| timed(issued, || issue(store, n))).collect();
            for id in ids {
                timed(revoked, || store.engine.execute(&store.session, Command::revoke(id)).unwrap());
            }
        }
    }
    let [small, large] = &mut taken;
    for taken in [&mut small.0, &mut small.1, &mut large.0, &mut large.1] {
        // The first round only warms up.
        taken.drain(..row_of);
    }
    println!(
        "\ndurable changes beside {} keys and beside {}  ({rounds} rounds of {row_of})",
        sizes[0], sizes[1]
    );
    for (what, small, large) in [("issue", &small.0, &large.0), ("revoke", &small.1, &large.1)] {
        print_latencies(&format!("{what} a key beside {} keys", sizes[0]), small, median(small));
        print_latencies(&format!("{what} a key beside {} keys", sizes[1]), large, median(small));
    }
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
    /// Of all processors.
    worked: Duration,
    resident: u64,
    rows: u64,
}

fn in_a_process(store: &Path, how: &str) -> Opened {
    let run = Process::new(std::env::current_exe().unwrap()).env(OPEN, store).env(HOW, how).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let said = String::from_utf8(run.stdout).unwrap();
    let numbers: Vec<u64> = said.split_whitespace().map(|n| n.parse().unwrap()).collect();
    let [took, worked, resident, rows] = <[u64; 4]>::try_from(numbers).unwrap();
    let [took, worked] = [took, worked].map(Duration::from_micros);
    Opened { took, worked, resident, rows }
}

/// Reads all rows that are read at an opening, and opens their seals. How many there were.
fn unseal(store: &Path, db: &sled::Db) -> u64 {
    let secret = KeyFileSecret::read(&store.with_file_name("key")).unwrap();
    let (header, _) = HeaderFile::new(store).copies().unwrap();
    let root = header.unlock(&Unlock::KeyFile(&secret)).unwrap().root;
    let sealer = Keyring::new(root, header.store()).sealer();
    let (to, from) = mpsc::sync_channel::<Vec<(sled::IVec, sled::IVec)>>(64);
    let from = Mutex::new(from);
    let next = || from.lock().unwrap().recv();
    let work = || {
        let mut opened = 0;
        while let Ok(rows) = next() {
            for (key, raw) in rows {
                // In front of what is sealed are its layout and two revisions.
                black_box(sealer.open(&key, &raw[17..]).unwrap());
                opened += 1;
            }
        }
        opened
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().unwrap().get();
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for prefix in RecordKey::PREFIXES.into_iter().chain(["t/"]) {
            let rows = db.scan_prefix(prefix).map(Result::unwrap).filter(|(key, _)| key != b"m/rev");
            let mut rows = rows.peekable();
            while rows.peek().is_some() {
                to.send(rows.by_ref().take(512).collect()).unwrap();
            }
        }
        drop(to);
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    })
}

/// A console that shows all of them, in another order too, and a tab with keys of another kind.
#[cfg(feature = "console")]
fn show(mut open: Open) -> Box<dyn Any> {
    use keydeck::tui::app::testing::desk_on;
    use keydeck::tui::{screens, testing::FakeClipboard};

    open.session = open.engine.execute(&open.session, Command::OpenAgencyView).unwrap().session.unwrap();
    let mut console = desk_on(open, screens::all(), (120, 40), &FakeClipboard::default());
    console.advance(Duration::from_millis(50));
    for key in ["s", "u", "tab", "shift-tab", "s", "n"] {
        console.press(key);
    }
    Box::new(console)
}

/// Without a console there is none.
#[cfg(not(feature = "console"))]
fn show(open: Open) -> Box<dyn Any> {
    Box::new(open)
}

/// The process itself.
fn open_and_say(store: &Path, how: &str) {
    let (before, worked) = (resident(), processor_time());
    let start = Instant::now();
    let (rows, _held): (u64, Box<dyn Any>) = if how == "engine" || how == "console" {
        let secret = KeyFileSecret::read(&store.with_file_name("key")).unwrap();
        let open = open(&options(store), &Key::KeyFile(&secret)).unwrap();
        let keys = open.engine.state().key_count() as u64;
        if how == "console" { (keys, show(open)) } else { (keys, Box::new(open)) }
    } else {
        let config = bare(&store.join("store"));
        let db = config.open().unwrap();
        let rows = match how {
            "scan" => db.scan_prefix("p/").map(Result::unwrap).count() as u64,
            "unseal" => unseal(store, &db),
            _ => 0,
        };
        (rows, Box::new(db))
    };
    let (took, worked) = (start.elapsed(), processor_time().saturating_sub(worked));
    let resident = resident().saturating_sub(before);
    println!("{} {} {resident} {rows}", took.as_micros(), worked.as_micros());
    // What a drop would take is not asked.
    std::process::exit(0);
}

fn opening() {
    if !wanted("open") {
        return;
    }
    let dir = scratch();
    let start = Instant::now();
    let store = large_store(dir.path(), keys());
    println!("\nopening a store of {} keys  (made in {})", keys(), human(start.elapsed().as_secs_f64()));
    let rounds = if quick() { 2 } else { 7 };
    for cold in [true, false] {
        let hows = ["open", "scan", "unseal", "engine", "console"];
        let mut taken: [Vec<Opened>; 5] = Default::default();
        for _ in 0..rounds {
            for (how, taken) in hows.iter().zip(&mut taken) {
                if cold {
                    forget(&store);
                }
                taken.push(in_a_process(&store, how));
            }
        }
        let temper = if cold { "files not in memory" } else { "files in memory" };
        let [bare, scan, unseal, engine, console] = &taken;
        let rows = [
            (format!("bare sled, opened ({temper})"), bare),
            ("bare sled, opened and keys read".to_owned(), scan),
            ("… all rows read, each seal opened".to_owned(), unseal),
            ("keydeck, opened, unsealed and checked".to_owned(), engine),
        ];
        let times = |of: &[Opened]| -> Vec<Duration> { of.iter().map(|o| o.took).collect() };
        let worked = |of: &[Opened]| -> Vec<Duration> { of.iter().map(|o| o.worked).collect() };
        for (what, of) in &rows {
            print_latencies(what, &times(of), median(&times(unseal)));
        }
        println!("  the same in processor time:");
        for (what, of) in &rows {
            print_latencies(what, &worked(of), median(&worked(unseal)));
        }
        let memory = |of: &[Opened]| of.iter().map(|o| o.resident).max().unwrap_or_default();
        let keys = engine.first().map_or(1, |o| o.rows);
        let held = [("keydeck", engine), ("keydeck and its console", console)];
        // Without a console there is nothing more to tell.
        for (what, of) in held.into_iter().take(if cfg!(feature = "console") { 2 } else { 1 }) {
            let (sled, ours) = (memory(scan), memory(of));
            println!(
                "  resident: bare sled {} MiB, {what} {} MiB: {:.0} bytes a key beyond sled",
                sled >> 20,
                ours >> 20,
                ours.saturating_sub(sled) as f64 / keys as f64
            );
        }
    }
}

/// Ten thousand keys ended at once, by the process that has the store and by one that is attached to it: what a person waits
/// for, and one part of it. And a thousand rotated into a file.
fn many_at_once() {
    if !wanted("many") {
        return;
    }
    let dir = scratch();
    let made = large_store(dir.path(), if quick() { 2_000 } else { 12_000 });
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
        let now = open.engine.now().time;
        let state = open.engine.state();
        let live = state.keys().filter(|key| key.state(now) == KeyState::Active);
        let mut keys: Vec<_> = live.map(|key| (key.owner, key.id)).collect();
        drop(state);
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

/// What a minute's requests of ten thousand keys cost to write down, each key's last use, hours, days, caller and scope, beside
/// as many rows of that size made durable in a bare sled.
fn uses_written() {
    if !wanted("uses") {
        return;
    }
    let (keys, rounds) = if quick() { (200, 2) } else { (10_000, 7) };
    let dir = scratch();
    let open = found_in(&dir.path().join("data"));
    let tokens: Vec<String> = (0..keys).map(|n| token(&open, n)).collect();
    let bare = bare(&dir.path().join("bare")).open().unwrap();
    let wanted = ["contacts.read".parse().unwrap()];
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        for (n, token) in tokens.iter().enumerate() {
            let address = Some([10, 2, 0, u8::try_from(n % 200).unwrap()].into());
            let origin = Origin { address, agent: Some(b"backup/3.2") };
            assert!(open.engine.verify_from(token.as_bytes(), &wanted, origin).is_allow());
        }
        timed(&mut ours, || open.engine.settle().unwrap());
        timed(&mut theirs, || {
            // A row of its last use and one of its history, by as many at once as keydeck writes.
            for part in (0..keys).collect::<Vec<_>>().chunks(500) {
                let mut batch = sled::Batch::default();
                for n in part {
                    batch.insert(format!("t/{n:012}").as_bytes(), vec![round; 120]);
                    batch.insert(format!("h/{n:012}").as_bytes(), vec![round; 240]);
                }
                bare.apply_batch(batch).unwrap();
                bare.flush().unwrap();
            }
        });
    }
    println!("\nuses of {keys} keys written down");
    print_latencies("bare sled, two rows a key", &theirs, median(&theirs));
    print_latencies("keydeck, uses and histories", &ours, median(&theirs));
}

fn main() {
    if let Some(store) = std::env::var_os(OPEN) {
        let how = std::env::var(HOW).unwrap_or_default();
        return open_and_say(Path::new(&store), &how);
    }
    durable_changes();
    uses_written();
    beside_many();
    many_at_once();
    opening();
}
