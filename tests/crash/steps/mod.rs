//! Killed at every single step of a change: before the step happens, when half of it is written, and as soon as it
//! has happened. What was said to be done is done, nothing is half done, and the store opens as if nothing had been.
//!
//! The real program is stopped at each system call that changes the data directory or keeps what was changed, so no
//! step is left to chance; `issue` kills at random moments, under load.
//!
//! - `step`: what a step is. `tracer`: a program followed step by step and killed at one.
//! - `site`: a store that is copied for each death, and what must hold after it.
//! - `ways`: a change by a command alone, or by the server it is attached to. `walk`: all the deaths of one of them.
//! - `faults`: the disk fails instead.
//!
//! `KEYDECK_CRASH_WALK=all cargo nextest run --test crash steps:: --no-capture` walks with every command in all ways.

// Registers are known for this processor.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops where a promise breaks, and says what it did or what it needs"
)]

mod faults;
mod site;
mod step;
mod tracer;
mod walk;
mod ways;

use site::{Deed, Site};
use walk::{Figures, Walk, all_ways, one_way};

const REVOKE: Deed =
    Deed { words: &["key", "revoke", "Nightly"], answer: "is revoked", verdict: "deny revoked" };
const CREATE: Deed = Deed {
    words: &["key", "create", "--name", "Yearly", "--agency", "--scope", "contacts.read"],
    answer: "kdag_",
    verdict: "allow",
};
const DELETE: Deed =
    Deed { words: &["key", "delete", "Nightly"], answer: "is deleted", verdict: "deny tombstoned" };
const PAUSE: Deed =
    Deed { words: &["key", "pause", "Nightly"], answer: "is paused", verdict: "deny disabled" };
const RESCOPE: Deed = Deed {
    words: &["key", "rescope", "Nightly", "--scope", "contacts.write"],
    answer: "has other scopes",
    verdict: "allow",
};

/// Whether everything is wanted, whatever time it takes.
fn at_length() -> bool {
    std::env::var_os("KEYDECK_CRASH_WALK").is_some()
}

/// A walk proves something only if some deaths came before the change and some after, and before and after the answer.
#[track_caller]
fn tells(figures: &Figures) {
    println!("{figures:?}");
    assert!(0 < figures.said && figures.said < figures.done && figures.done < figures.deaths, "{figures:?}");
}

#[test]
fn a_revocation_killed_at_any_step_is_in_force_if_it_was_said_to_be() {
    let site = Site::new();
    let Some(walk) = Walk::of(&site, &REVOKE, ways::alone) else { return };
    let steps = &walk.steps;
    let deaths = if at_length() {
        all_ways(steps, 1)
    } else {
        let own = walk.first_of_its_own();
        [one_way(steps, 1, own - 1), all_ways(steps, own)].concat()
    };
    tells(&walk.die(&deaths));
    walk.comes_to_its_end();
}

#[test]
fn a_revocation_by_a_server_killed_at_any_step_is_in_force_if_it_was_said_to_be() {
    let site = Site::new();
    let Some(walk) = Walk::of(&site, &REVOKE, ways::served) else { return };
    tells(&walk.die(&all_ways(&walk.steps, 1)));
    walk.comes_to_its_end();
}

#[test]
fn other_changes_killed_at_any_step_are_done_or_not_done_and_never_half() {
    let site = Site::new();
    let deeds = [CREATE, DELETE, PAUSE, RESCOPE];
    for deed in if at_length() { &deeds[..] } else { &deeds[..1] } {
        let Some(walk) = Walk::of(&site, deed, ways::alone) else { return };
        // Up to there each of them does as a revocation does.
        tells(&walk.die(&all_ways(&walk.steps, walk.first_of_its_own())));
        walk.comes_to_its_end();
    }
}
