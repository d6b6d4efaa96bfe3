//! What a key press costs on the screen: from the press to the drawn frame, with a hundred thousand keys behind it
//! (`KEYDECK_BENCH_KEYS=1000000`: a million).
//!
//! `cargo bench --bench frame [-- FILTER]`, of `sweep`, `press` and `many`. The console runs on a terminal made of memory (120×40), so this is keydeck's own
//! work: routing, update, layout, cells. The yardstick is the same press on the demo's store of 150 keys: what a
//! screen costs whatever lies behind it. And what a sweep costs over all those keys when nothing is due, beside one HMAC for
//! each of them (the budget: 150 ms of processor time), and whether a frame is late because sweeps go on meanwhile, or because ten
//! thousand keys are revoked.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where its scene cannot be set")]
#![expect(clippy::print_stdout, reason = "a benchmark's table is its result")]
#![expect(clippy::disallowed_methods, reason = "whoever presses keys lets time pass between them")]
#![expect(clippy::cast_precision_loss, reason = "figures")]

mod support;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use keydeck::crypto::keyfile::KeyFileSecret;
use keydeck::domain::{Command, KeyState};
use keydeck::engine::open::{Key, Open, open};
use keydeck::engine::{Engine, LocalEngine, Many, Pace, Session, Sweeping};
use keydeck::tui::app::effect::Outcome;
use keydeck::tui::app::testing::{Console, desk_on, sample};
use keydeck::tui::screens;
use keydeck::tui::testing::FakeClipboard;
use sha2::Sha256;
use support::large::{keys, large_store, options, scratch};
use support::{Case, Effort, compare, median, print_latencies, quick, wanted};

/// What a frame may take.
const IN_TIME: Duration = Duration::from_millis(16);
/// What is behind the `kd` of a token.
const MESSAGE: [u8; 54] = [b'7'; 54];

fn console(open: Open) -> Console {
    desk_on(open, screens::all(), (120, 40), &FakeClipboard::default())
}

/// Presses each key of the script over and over. Times every press, to its frame and until everything it asked for on other
/// threads is on the screen.
fn presses(console: &mut Console, keys: &[&str], rounds: usize) -> (Vec<Duration>, Vec<Duration>) {
    (0..rounds)
        .flat_map(|_| keys.iter().copied())
        .map(|key| {
            let start = Instant::now();
            console.stall().press(key);
            let frame = start.elapsed();
            console.go_on();
            (frame, start.elapsed())
        })
        .unzip()
}

/// A sweep that finds nothing to do.
fn sweeps(engine: &dyn Engine, session: &Session, keys: usize) {
    let hmac = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
    let rounds = if quick() { 3 } else { 21 };
    // What came due since the store was made.
    engine.sweep(session, Sweeping::Do).unwrap();
    compare(
        &format!("a sweep over {keys} keys with nothing due"),
        Effort { rounds, batch: 1 },
        &mut [
            Case::new("one HMAC-SHA-256 of 54 bytes for each key", |n| {
                for _ in 0..n * keys {
                    let mut hmac = hmac.clone();
                    hmac.update(black_box(&MESSAGE));
                    black_box(hmac.finalize());
                }
            }),
            Case::new("Engine::sweep", |n| {
                for _ in 0..n {
                    black_box(engine.sweep(session, Sweeping::Do).unwrap());
                }
            }),
            Case::new("Engine::sweep, only told", |n| {
                for _ in 0..n {
                    black_box(engine.sweep(session, Sweeping::Tell).unwrap());
                }
            }),
        ],
    );
    println!();
}

/// Moving about while one sweep follows the other, beside the same without any.
fn frames_beside_sweeps(engine: &Arc<LocalEngine>, console: &mut Console, rounds: usize) {
    const KEYS: [&str; 4] = ["j", "k", "pgdn", "pgup"];
    let (alone, _) = presses(console, &KEYS, rounds);
    let without_end =
        Pace { first: Duration::ZERO, least: Duration::ZERO, again: Duration::ZERO, most: Duration::ZERO };
    let sweeper = engine.sweep_by_itself(without_end);
    let (beside, _) = presses(console, &KEYS, rounds);
    drop(sweeper);
    for (what, taken) in [("move about", &alone), ("move about while one sweep follows the other", &beside)] {
        print_latencies(what, taken, median(&alone));
        let late = taken.iter().filter(|taken| **taken > IN_TIME).count();
        println!("    later than {IN_TIME:?}: {late} of {}", taken.len());
    }
}

/// Moving about while somebody revokes ten thousand of the keys.
fn frames_beside_many(engine: &Arc<LocalEngine>, session: &Session, console: &mut Console) {
    let now = engine.now().time;
    let state = engine.state();
    let live = state.keys().filter(|key| key.state(now) == KeyState::Active);
    let mut keys: Vec<_> = live.map(|key| (key.owner, key.id)).collect();
    drop(state);
    keys.sort_unstable();
    keys.truncate(if quick() { 1_000 } else { 10_000 });
    let mut many = Many::of(keys.into_iter().map(|(_, key)| Command::revoke(key)).collect());
    let mut news = engine.subscribe();
    let (engine, session) = (Arc::clone(engine), session.clone());
    let revokes = std::thread::spawn(move || {
        let start = Instant::now();
        while !many.is_over() {
            many.go_on(&*engine, &session);
        }
        (many.done.len(), start.elapsed())
    });
    let (mut pressed, mut told) = (Vec::new(), Vec::new());
    let mut keys = ["j", "k", "pgdn", "pgup"].into_iter().cycle();
    while !revokes.is_finished() {
        let heard = std::iter::from_fn(|| news.try_recv().ok()).count();
        console.stall();
        if heard > 0 {
            let start = Instant::now();
            console.news(Outcome::Changed);
            told.push(start.elapsed());
        }
        let start = Instant::now();
        console.press(keys.next().unwrap());
        pressed.push(start.elapsed());
        // What is put in order elsewhere is ready only now and then; here it would stop the hand.
        if pressed.len().is_multiple_of(40) {
            console.go_on();
        }
        // As fast as anybody presses keys and more; the other processor is somebody else's.
        std::thread::sleep(Duration::from_millis(5));
    }
    let (done, took) = revokes.join().unwrap();
    println!("  {done} keys revoked in {took:?} meanwhile");
    for (what, taken) in [("move about while keys are revoked", &pressed), ("told of it", &told)] {
        if !taken.is_empty() {
            print_latencies(what, taken, median(taken));
        }
        let late = taken.iter().filter(|taken| **taken > IN_TIME).count();
        println!("    later than {IN_TIME:?}: {late} of {}", taken.len());
    }
}

fn main() {
    let rounds = if quick() { 5 } else { 40 };
    let dir = scratch();
    let store = large_store(dir.path(), keys());
    let secret = KeyFileSecret::read(&dir.path().join("key")).unwrap();
    let mut large = open(&options(&store), &Key::KeyFile(&secret)).unwrap();
    large.session = large.engine.execute(&large.session, Command::OpenAgencyView).unwrap().session.unwrap();
    println!("frames over {} keys, beside the demo's 150", keys());
    let (engine, session) = (Arc::clone(&large.engine), large.session.clone());
    if wanted("sweep") {
        sweeps(&*engine, &session, keys());
    }
    let start = Instant::now();
    let mut large = console(large);
    println!("  first frame on the open store: {:?}", start.elapsed());
    large.advance(Duration::from_millis(50));
    println!("  first whole table on the open store: {:?}", start.elapsed());
    let mut small = console(sample());
    let scripts = [
        ("move down, up, page, end", &["j", "k", "pgdn", "pgup", "G", "g"][..]),
        ("next tab and back", &["tab", "shift-tab"][..]),
        ("filter: type three letters, clear", &["/", "9", "9", "7", "esc"][..]),
        ("sort by another column and back", &["s", "e", "s", "n"][..]),
        ("sort by use, and back", &["s", "u", "s", "n"][..]),
        ("one's own keys, the whole agency", &["W", "W"][..]),
    ];
    for (what, keys) in scripts.into_iter().filter(|_| wanted("press")) {
        let (yardstick, _) = presses(&mut small, keys, rounds);
        let (frames, ends) = presses(&mut large, keys, rounds);
        print_latencies(&format!("{what} (demo)"), &yardstick, median(&yardstick));
        print_latencies(what, &frames, median(&yardstick));
        print_latencies(&format!("{what}, with all rows"), &ends, median(&yardstick));
    }
    if wanted("sweep") {
        frames_beside_sweeps(&engine, &mut large, rounds * 10);
    }
    if wanted("many") {
        frames_beside_many(&engine, &session, &mut large);
    }
}
