//! Waiting for what sends no news: looked at again and again, with more patience than any machine needs.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Nothing a test waits for takes as long, on a slow machine either.
pub const PATIENCE: Duration = Duration::from_secs(120);
const BREATH: Duration = Duration::from_millis(10);

/// Waits until it holds.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let (deadline, (_quiet, never)) = (Instant::now() + PATIENCE, channel::<()>());
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        let _elapsed = never.recv_timeout(BREATH);
    }
}
