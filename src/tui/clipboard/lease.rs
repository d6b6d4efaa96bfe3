//! The lease on a copied secret, as the screen counts it down. Pure: told the time, it says what is left.

use std::time::Duration;

use super::Route;
use crate::tui::clock::Moment;

/// How long a copied secret may stay in the clipboard.
pub const LEASE: Duration = Duration::from_secs(45);

/// A secret of ours is in a clipboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    route: Route,
    until: Moment,
}

impl Lease {
    pub fn start(route: Route, now: Moment) -> Self {
        Self { route, until: now + LEASE }
    }

    /// Whether the clipboard must be cleared now.
    pub fn is_over(&self, now: Moment) -> bool {
        now >= self.until
    }

    /// When the number on the screen changes next.
    pub fn wake_at(&self, now: Moment) -> Moment {
        self.until.next_second(now).unwrap_or(now)
    }

    /// What the screen says.
    pub fn said(&self, now: Moment) -> String {
        let left = self.until.seconds_from(now);
        match self.route {
            Route::Native => format!("clipboard is cleared in {left} s, or when keydeck ends"),
            Route::Terminal => format!("the terminal is asked to clear its clipboard in {left} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Moment {
        Moment::after_start(Duration::from_millis(ms))
    }

    #[test]
    fn it_counts_down_second_by_second_and_ends() {
        let lease = Lease::start(Route::Native, at(500));
        assert_eq!((lease.until.seconds_from(at(500)), lease.until.seconds_from(at(501))), (45, 45));
        assert_eq!(lease.until.seconds_from(at(1500)), 44);
        assert_eq!(lease.wake_at(at(500)), at(1500));
        assert_eq!(lease.wake_at(at(700)), at(1500));
        assert_eq!(lease.wake_at(at(45_499)), at(45_500));
        assert!(!lease.is_over(at(45_499)) && lease.is_over(at(45_500)));
        assert_eq!(lease.until.seconds_from(at(99_000)), 0);
        assert_eq!(lease.said(at(40_500)), "clipboard is cleared in 5 s, or when keydeck ends");
    }
}
