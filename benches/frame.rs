//! What a key press costs on the screen: from the press to the drawn frame, with a hundred thousand keys behind it.
//!
//! `cargo bench --bench frame`. The console runs on a terminal made of memory (120×40), so this is keydeck's own
//! work: routing, update, layout, cells. The yardstick is the same press on the demo's store of 150 keys: what a
//! screen costs whatever lies behind it. And what a sweep costs over all those keys when nothing is due, and the frames beside it.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where its scene cannot be set")]
#![expect(clippy::print_stdout, reason = "a benchmark's table is its result")]
#![expect(clippy::cast_precision_loss, reason = "figures")]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use keydeck::crypto::keyfile::KeyFileSecret;
use keydeck::domain::Command;
use keydeck::engine::open::{Key, Open, open};
use keydeck::engine::{Engine, Pace, Sweeping};
use keydeck::tui::app::testing::{Console, desk_on, sample};
use keydeck::tui::screens;
use keydeck::tui::testing::FakeClipboard;
use support::large::{EACH, large_store, options, scratch};
use support::{median, print_latencies, processor_time, quick};

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
    let before = processor_time();
    engine.sweep(&session, Sweeping::Do).unwrap();
    println!("  a sweep with nothing due: {:?} of processor time", processor_time().saturating_sub(before));
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
    let (frames, _) = presses(&mut large, &["j", "k", "pgdn", "pgup"], rounds);
    let without_end =
        Pace { first: Duration::ZERO, least: Duration::ZERO, again: Duration::ZERO, most: Duration::ZERO };
    let sweeper = engine.sweep_by_itself(without_end);
    let (beside, _) = presses(&mut large, &["j", "k", "pgdn", "pgup"], rounds);
    drop(sweeper);
    print_latencies("move about", &frames, median(&frames));
    print_latencies("move about while one sweep follows the other", &beside, median(&frames));
}
