//! Time, injected. The only file that reads a clock; everything above asks the engine, tests bring their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::Timestamp;

/// One look at both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock: what people agree on, and what anybody may set.
    pub wall: Timestamp,
    /// Milliseconds since boot, suspend included: nobody can set it.
    pub since_boot: i64,
}

/// Where time comes from.
pub trait Clock: Send + Sync {
    /// Both clocks, now.
    fn read(&self) -> Reading;
    /// The wall clock alone, as [`Clock::read`] tells it.
    fn wall(&self) -> Timestamp {
        self.read().wall
    }
    /// Names this boot of the machine, as long as it lasts.
    fn boot(&self) -> String;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn read(&self) -> Reading {
        #[cfg(target_os = "linux")]
        let since_boot = rustix::time::ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        let since_boot = rustix::time::ClockId::Monotonic;
        Reading { wall: self.wall(), since_boot: milliseconds(since_boot) }
    }

    /// As of the last tick of the system, a few milliseconds ago at most: reading it takes a fifth of the time, and
    /// every request asks.
    fn wall(&self) -> Timestamp {
        #[cfg(target_os = "linux")]
        let wall = rustix::time::ClockId::RealtimeCoarse;
        #[cfg(not(target_os = "linux"))]
        let wall = rustix::time::ClockId::Realtime;
        let wall = Timestamp(milliseconds(wall));
        #[cfg(debug_assertions)]
        let wall = pretended::wall(wall);
        wall
    }

    fn boot(&self) -> String {
        #[cfg(debug_assertions)]
        if let Some(boot) = pretended::boot() {
            return boot;
        }
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map(|id| id.trim().chars().take(64).collect())
            .unwrap_or_default()
    }
}

fn milliseconds(clock: rustix::time::ClockId) -> i64 {
    let time = rustix::time::clock_gettime(clock);
    time.tv_sec.saturating_mul(1_000).saturating_add(time.tv_nsec / 1_000_000)
}

/// Another time than the machine's, for tests of the whole program. The system's own calls for this do not reach a
/// program that reads the clock without calling the system. Not in a release: there nothing but the clock sets the clock.
#[cfg(debug_assertions)]
mod pretended {
    use super::Timestamp;

    /// Names a file with milliseconds to add to the wall clock, and after a blank the name of the boot. Read again
    /// each time, so that a test can set the clock of a program that runs.
    const VARIABLE: &str = "KEYDECK_TEST_CLOCK";

    fn text() -> Option<String> {
        std::fs::read_to_string(std::env::var_os(VARIABLE)?).ok()
    }

    pub fn wall(real: Timestamp) -> Timestamp {
        let ahead = text().and_then(|text| text.split_whitespace().next()?.parse().ok()).unwrap_or(0);
        Timestamp(real.0.saturating_add(ahead))
    }

    pub fn boot() -> Option<String> {
        text()?.split_whitespace().nth(1).map(str::to_owned)
    }
}

/// A clock that stands still until told otherwise.
#[derive(Clone, Debug)]
pub struct TestClock {
    wall: Arc<AtomicI64>,
    since_boot: Arc<AtomicI64>,
    boots: Arc<AtomicI64>,
}

impl TestClock {
    /// Starts at `wall`, one hour after boot.
    pub fn at(wall: Timestamp) -> Self {
        let [wall, since_boot, boots] = [wall.0, 3_600_000, 1].map(|n| Arc::new(AtomicI64::new(n)));
        Self { wall, since_boot, boots }
    }

    /// The machine starts anew, and its wall clock says `wall` from then on.
    pub fn boots(&self, wall: Timestamp) {
        self.boots.fetch_add(1, Ordering::SeqCst);
        self.since_boot.store(60_000, Ordering::SeqCst);
        self.set(wall);
    }

    /// Lets honest time pass: both clocks move.
    pub fn pass(&self, ms: i64) {
        self.wall.fetch_add(ms, Ordering::SeqCst);
        self.since_boot.fetch_add(ms, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock; the other one knows better.
    pub fn set(&self, wall: Timestamp) {
        self.wall.store(wall.0, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn read(&self) -> Reading {
        Reading {
            wall: Timestamp(self.wall.load(Ordering::SeqCst)),
            since_boot: self.since_boot.load(Ordering::SeqCst),
        }
    }

    fn boot(&self) -> String {
        format!("test {}", self.boots.load(Ordering::SeqCst))
    }
}
