//! A child that says what it does, line by line, and is killed at it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where a promise breaks")]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write as _};
use std::ops::Range;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use keydeck::crypto::random::{self, OsEntropy};

use crate::support::child;
use crate::support::wait::PATIENCE;

/// Every so many rounds a child is killed earlier: this long after it set out to open the store, in milliseconds.
const OPENING_EVERY: u32 = 4;
const OPENING: Range<u64> = 0..100;

/// A child and what it says.
pub struct Victim {
    child: Child,
    lines: mpsc::Receiver<String>,
}

/// What a child says. A line is written whole by one call, so that a line that was read was said.
pub fn say(line: &str) {
    let mut out = std::io::stdout();
    // The parent may be gone; then this process soon is, too.
    let _ = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
}

impl Victim {
    /// Starts the function at `path` alone, with these variables.
    pub fn start(path: &str, variables: &[(&str, &OsStr)]) -> Self {
        let mut child = child::command(path)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tx, lines) = mpsc::channel();
        std::thread::spawn(move || {
            // The pipe takes a line whole or not at all: it is shorter than PIPE_BUF (POSIX write).
            for line in out.lines().map_while(Result::ok) {
                if tx.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// Everything it said, up to its death some time after it opened the store; now and then while it does that.
    pub fn kill(mut self, round: u32, at_work: Range<u64>) -> Vec<String> {
        let (word, within) = if is_killed_opening(round) { ("begin", OPENING) } else { ("open", at_work) };
        let mut said = Vec::new();
        let patience = Instant::now() + PATIENCE;
        while let Some(left) = patience.checked_duration_since(Instant::now()) {
            match self.lines.recv_timeout(left) {
                Ok(line) if line.ends_with(word) => break,
                Ok(line) => said.push(line),
                Err(mpsc::RecvTimeoutError::Timeout | mpsc::RecvTimeoutError::Disconnected) => {
                    panic!("the child did not get to work; it said {said:?}")
                }
            }
        }
        let deadline = Instant::now() + Duration::from_millis(somewhere_in(within));
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            match self.lines.recv_timeout(left) {
                Ok(line) => said.push(line),
                Err(mpsc::RecvTimeoutError::Timeout) => break,
                Err(mpsc::RecvTimeoutError::Disconnected) => panic!("the child ended by itself: {said:?}"),
            }
        }
        // SIGKILL.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        said.extend(self.lines.iter());
        said
    }
}

/// Whether the child of that round is killed before it gets to work.
pub const fn is_killed_opening(round: u32) -> bool {
    round % OPENING_EVERY == OPENING_EVERY - 1
}

fn somewhere_in(range: Range<u64>) -> u64 {
    let drawn = u64::from_ne_bytes(random::bytes(&mut OsEntropy).unwrap());
    range.start + drawn % (range.end - range.start)
}
