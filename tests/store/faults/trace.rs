//! The store's system calls, seen from outside: every acknowledgement comes after an `fdatasync` that follows the
//! last write, and never is more than half a segment of sled's log (2 MiB) written without one.

use std::process::{Command, Stdio};

use super::child::{self, Load};

/// Half a segment of the log: with a whole one unsynced, a power cut can make it unreadable.
const MOST_UNSYNCED: u64 = 2 * 1024 * 1024;

/// Runs a child of one writer under strace; `None` when there is no strace that works here.
fn trace(load: Load, commits: u64) -> Option<String> {
    let works = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    if !works.is_ok_and(|status| status.success()) {
        println!("skipped: needs strace");
        return None;
    }
    let scratch = tempfile::tempdir().unwrap();
    let (dir, acks, log) =
        (scratch.path().join("data"), scratch.path().join("acks"), scratch.path().join("log"));
    let inner = child::command(&dir, &acks, load, 1, commits);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-e", "trace=write,pwrite64,fdatasync", "-s", "4", "-o"]).arg(&log);
    strace.arg(inner.get_program()).args(inner.get_args());
    strace.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let status = strace.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success());
    assert_eq!(child::acknowledged(&acks).get(&0), Some(&commits));
    Some(std::fs::read_to_string(log).unwrap())
}

/// Walks through a trace and answers with (acknowledgements, most bytes ever unsynced before one).
fn walk(log: &str) -> (u64, u64) {
    let (mut acks, mut unsynced, mut most, mut synced) = (0, 0, 0, false);
    for line in log.lines() {
        if line.contains("pwrite64(") {
            // `pwrite64(fd, data, COUNT, offset) = n`, blanks before the `=` on a short line, or
            // `… COUNT, offset <unfinished ...>`.
            let call = line.split(" <unfinished").next().unwrap();
            let call =
                call.rsplit_once(" = ").map_or(call, |(call, _)| call.trim_end().trim_end_matches(')'));
            let count = call.rsplit(", ").nth(1).unwrap();
            unsynced += count.parse::<u64>().unwrap();
            synced = false;
            if acks > 0 {
                most = most.max(unsynced);
            }
        } else if line.contains("fdatasync") && line.trim_end().ends_with("= 0") {
            unsynced = 0;
            synced = true;
        } else if line.contains("write(") && line.contains("\"A 0 ") {
            assert!(synced, "acknowledgement {acks} without a sync after the last write");
            acks += 1;
            // Each acknowledgement needs a sync of its own.
            synced = false;
        }
    }
    (acks, most)
}

#[test]
fn every_acknowledgement_follows_a_sync_and_little_is_ever_unsynced() {
    for (load, commits) in [(Load::Issue, 200), (Load::Touch, 200), (Load::Sweep, 200), (Load::Import, 120)] {
        let Some(log) = trace(load, commits) else { return };
        let (acks, most) = walk(&log);
        assert_eq!(acks, commits, "{load:?}: the trace shows every acknowledgement");
        println!("{load:?}: at most {most} bytes unsynced");
        assert!(most > 0 && most <= MOST_UNSYNCED, "{load:?}: {most} bytes were unsynced");
    }
}
