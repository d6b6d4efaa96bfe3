//! Time as the console knows it: how long it has been running, and what the calendar says.
//!
//! An update is handed a [`Now`] and never reads a clock, so a test can make an hour pass in one line.

use std::{
    ops::Add,
    time::{Duration, Instant},
};

/// A point in the console's own life: time since it started. Never goes back, whatever the calendar does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Moment {
    /// The moment `since_start` after the console began.
    pub const fn after_start(since_start: Duration) -> Self {
        Self(since_start)
    }

    /// Time that passed from `earlier` to here; zero when `earlier` is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// Whole seconds from `now` to here, rounded up: 0 only when it is over.
    pub fn seconds_from(self, now: Self) -> u64 {
        u64::try_from(self.since(now).as_millis().div_ceil(1000)).unwrap_or(u64::MAX)
    }

    /// When that number changes next; nothing when it is over.
    pub fn next_second(self, now: Self) -> Option<Self> {
        let left = self.since(now);
        let part = Duration::from_nanos(left.subsec_nanos().into());
        (!left.is_zero()).then(|| now + if part.is_zero() { Duration::from_secs(1) } else { part })
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait))
    }
}

/// Both times, read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For deadlines, countdowns and spinners.
    pub at: Moment,
    /// For dates on the screen: UTC milliseconds since 1970.
    pub utc_ms: i64,
}

/// Where the console's time comes from: the system's steady clock, and a calendar given by whoever may read it.
pub struct SteadyClock {
    started: Instant,
    calendar: Box<dyn Fn() -> i64 + Send>,
}

impl SteadyClock {
    /// Starts counting now; `calendar` answers in UTC milliseconds.
    pub fn start(calendar: impl Fn() -> i64 + Send + 'static) -> Self {
        Self { started: Instant::now(), calendar: Box::new(calendar) }
    }

    pub fn now(&self) -> Now {
        Now { at: Moment(self.started.elapsed()), utc_ms: (self.calendar)() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_never_runs_backwards() {
        let early = Moment::after_start(Duration::from_secs(1));
        let late = early + Duration::from_secs(44);
        assert_eq!(late.since(early), Duration::from_secs(44));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(Moment::after_start(Duration::MAX) + Duration::from_secs(1), Moment(Duration::MAX));
    }

    #[test]
    fn the_steady_clock_moves_on_whatever_the_calendar_says() {
        let clock = SteadyClock::start(|| -5);
        let first = clock.now();
        assert_eq!(first.utc_ms, -5);
        assert!(clock.now().at >= first.at);
    }
}
