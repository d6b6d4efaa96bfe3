//! What a key press costs on the screen: from the press to the drawn frame, with a hundred thousand keys behind it.
//!
//! `cargo bench --bench frame`. The console runs on a terminal made of memory (120×40), so this is keydeck's own
//! work: routing, update, layout, cells. The yardstick is the same press on the demo's store of 150 keys: what a
//! screen costs whatever lies behind it. And what a sweep costs over all those keys when nothing is due, beside one HMAC for
//! each of them (the budget: 150 ms of processor time), and whether a frame is late because sweeps go on meanwhile.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where its scene cannot be set")]
#![expect(clippy::print_stdout, reason = "a benchmark's table is its result")]
#![expect(clippy::cast_precision_loss, reason = "figures")]

mod support;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use keydeck::crypto::keyfile::KeyFileSecret;
use keydeck::domain::Command;
use keydeck::engine::open::{Key, Open, open};
use keydeck::engine::{Engine, LocalEngine, Pace, Session, Sweeping};
use keydeck::tui::app::testing::{Console, desk_on, sample};
use keydeck::tui::screens;
use keydeck::tui::testing::FakeClipboard;
use sha2::Sha256;
use support::large::{EACH, large_store, options, scratch};
use support::{Case, Effort, compare, median, print_latencies, quick};

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
    let swept = engine.sweep(session, Sweeping::Do).unwrap();
    assert!(swept.events.is_empty() && swept.others == 0, "something is due");
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

fn main() {
    let operators = if quick() { 1 } else { 50 };
    let rounds = if quick() { 5 } else { 40 };
    let dir = scratch();
    let store = large_store(dir.path(), operators);
    let secret = KeyFileSecret::read(&dir.path().join("key")).unwrap();
    let mut large = open(&options(&store), &Key::KeyFile(&secret)).unwrap();
    large.session = large.engine.execute(&large.session, Command::OpenAgencyView).unwrap().session.unwrap();
    println!("frames over {} keys, beside the demo's 150", operators * EACH);
    let (engine, session) = (Arc::clone(&large.engine), large.session.clone());
    sweeps(&*engine, &session, operators * EACH);
    let start = Instant::now();
    let mut large = console(large);
    println!("  first frame on the open store: {:?}", start.elapsed());
    large.advance(Duration::from_millis(50));
    println!("  first whole table on the open store: {:?}", start.elapsed());
    let mut small = console(sample());
    for (what, keys) in [
        ("move down, up, page, end", &["j", "k", "pgdn", "pgup", "G", "g"][..]),
        ("next tab and back", &["tab", "shift-tab"][..]),
        ("filter: type three letters, clear", &["/", "9", "9", "7", "esc"][..]),
        ("sort by another column and back", &["s", "e", "s", "n"][..]),
        ("one's own keys, the whole agency", &["W", "W"][..]),
    ] {
        let (yardstick, _) = presses(&mut small, keys, rounds);
        let (frames, ends) = presses(&mut large, keys, rounds);
        print_latencies(&format!("{what} (demo)"), &yardstick, median(&yardstick));
        print_latencies(what, &frames, median(&yardstick));
        print_latencies(&format!("{what}, with all rows"), &ends, median(&yardstick));
    }
    frames_beside_sweeps(&engine, &mut large, rounds * 10);
}
