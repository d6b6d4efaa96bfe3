//! How long `keydeck scan` takes for a directory of one gigabyte, beside ripgrep with the same pattern where it is installed,
//! and beside a search with the `regex` crate that reads the same files with as many threads.
//!
//! `cargo bench --bench scan`. The files are read once before, so that memory is searched and not a disk.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where its scene cannot be set")]
#![expect(clippy::print_stdout, reason = "a benchmark's table is its result")]
#![allow(dead_code, reason = "the support files serve several benchmarks")]
#![allow(clippy::allow_attributes, reason = "what is unused differs from one to the next")]
#![expect(clippy::cast_precision_loss, reason = "figures")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use keydeck::crypto::random::OsEntropy;
use keydeck::crypto::token::{Token, TokenKind};
use support::{human, median, median_of, quick};

const PATTERN: &str = "kd(?:ag|lo|ap|as|im|rc)_[1-9A-HJ-NP-Za-km-z]{12}_[1-9A-HJ-NP-Za-km-z]{38}";

/// Files of some code and some prose, one secret in every hundredth.
fn scene(dir: &Path, files: usize, bytes: usize) -> Vec<PathBuf> {
    let lines = [
        "    let path = root.join(\"keydeck\").join(name); // mkdir -p",
        "The clerk asked for the booked day, and nobody knew who had kept the deck.",
        "{\"id\":\"7HqP2mVx9KtR\",\"state\":\"active\",\"scopes\":[\"contacts.read\"]}",
    ];
    let mut paths = Vec::new();
    for file in 0..files {
        let mut text = String::with_capacity(bytes + 128);
        let mut line = file;
        while text.len() < bytes {
            writeln!(text, "{line:>6} {}", lines[line % lines.len()]).unwrap();
            line += 1;
        }
        if file % 100 == 0 {
            text.push_str(Token::mint(TokenKind::Agency, &mut OsEntropy).unwrap().reveal());
        }
        let path = dir.join(format!("{:02}/{file}.txt", file % 64));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        paths.push(path);
    }
    paths
}

fn program(name: &str, args: &[&str], dir: &Path) -> Option<Duration> {
    let start = Instant::now();
    Command::new(name).args(args).arg(dir).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    Some(start.elapsed())
}

fn plain(paths: &[PathBuf]) -> Duration {
    let regex = regex::bytes::Regex::new(&format!("(?-u){PATTERN}")).unwrap();
    let (start, next, found) = (Instant::now(), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let hits = regex.find_iter(&fs::read(path).unwrap()).count();
                    found.fetch_add(hits, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(found.into_inner(), paths.len().div_ceil(100));
    start.elapsed()
}

fn main() {
    let (files, bytes, rounds) = if quick() { (200, 64 * 1024, 2) } else { (8_192, 128 * 1024, 11) };
    let dir = tempfile::tempdir().unwrap();
    let paths = scene(dir.path(), files, bytes);
    let keydeck = env!("CARGO_BIN_EXE_keydeck");
    let (mut ours, mut rg, mut regex) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds {
        let mine = program(keydeck, &["scan", "--no-store"], dir.path()).unwrap();
        let theirs = program("rg", &["--hidden", "--text", "--no-config", "-e", PATTERN], dir.path());
        let yardstick = plain(&paths);
        // The first reads the files into memory.
        if round > 0 {
            ours.push(mine);
            rg.extend(theirs);
            regex.push(yardstick);
        }
    }
    println!("\nscan  ({} MiB in {files} files, {rounds} rounds)", files * bytes / (1024 * 1024));
    let ratio = |others: &[Duration]| {
        let each: Vec<f64> =
            ours.iter().zip(others).map(|(o, t)| o.as_secs_f64() / t.as_secs_f64()).collect();
        median_of(&each)
    };
    println!("  {:<46} {:>10}", "keydeck scan --no-store", human(median(&ours).as_secs_f64()));
    for (name, taken) in [("rg, the same pattern", &rg), ("the regex crate, the same files", &regex)] {
        if taken.is_empty() {
            println!("  {name:<46} not installed");
        } else {
            let time = human(median(taken).as_secs_f64());
            println!("  {name:<46} {time:>10}   keydeck takes {:.2} of it", ratio(taken));
        }
    }
}
