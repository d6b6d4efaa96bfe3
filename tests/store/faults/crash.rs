//! Processes killed with `SIGKILL` while they open and write a store. Every acknowledged commit must be there
//! afterwards, whole. `KEYDECK_CRASH_ROUNDS` sets how many are killed in all (everyday: 40).

use std::time::Duration;

use super::child::{self, Load};
use super::rounds;

/// Kills `rounds` children one after the other, each after a moment between `from` and `to` milliseconds. Every
/// tenth starts with a fresh directory, the others go on with what the last one left. Until a child has written something,
/// each gets twice the time of the one before: on a busy machine a moment is longer.
fn kill(rounds: u32, load: Load, writers: u64, from: u64, to: u64) {
    let (mut acked, mut stretch) = (0, 1);
    let mut scratch = None;
    for round in 0..rounds {
        if round % 10 == 0 {
            scratch = None;
        }
        let scratch = scratch.get_or_insert_with(|| tempfile::tempdir().unwrap());
        let (dir, acks) = (scratch.path().join("data"), scratch.path().join("acks"));
        let mut process = child::spawn(&dir, &acks, load, writers);
        rounds::let_run(
            &mut process,
            Duration::from_millis(from + rounds::scatter(round, to - from)) * stretch,
        );
        process.kill().unwrap();
        process.wait().unwrap();
        let seen = child::acknowledged(&acks);
        child::check(&dir, load, &seen, &format!("round {round}, {writers} writers, {load:?}"));
        acked = acked.max(seen.values().sum());
        stretch = if acked == 0 { (stretch * 2).min(256) } else { 1 };
    }
    println!(
        "{rounds} rounds, {writers} writers, {load:?}: up to {acked} acknowledged commits in one directory"
    );
    assert!(rounds == 0 || acked > 0, "no child ever got to write");
}

fn share(parts: u32) -> u32 {
    rounds::rounds("KEYDECK_CRASH_ROUNDS", 40) * parts / 10
}

#[test]
fn one_writer_killed_at_random_loses_nothing_acknowledged() {
    kill(share(3), Load::Issue, 1, 20, 300);
}

#[test]
fn four_writers_killed_at_random_lose_nothing_acknowledged() {
    kill(share(3), Load::Issue, 4, 20, 300);
}

#[test]
fn an_import_killed_at_random_is_whole_up_to_its_last_acknowledgement() {
    kill(share(2), Load::Import, 2, 20, 300);
}

#[test]
fn a_store_killed_while_it_opens_opens_again() {
    kill(share(2), Load::Issue, 2, 2, 60);
}
