//! Times as people read them: relative in tables ("2 h ago", "in 84 d"), absolute and local where there is room.
//!
//! The present is given, and the zone. Stored times stay UTC.

use std::ffi::OsStr;
use std::path::Path;

use chrono::{DateTime, FixedOffset, Local, NaiveDate, Utc};

use crate::domain::time::BadExpiry;
use crate::domain::{Expiry, Timestamp};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Hours are counted up to here.
const TWO_DAYS: i64 = 2 * DAY;
/// From here on years are easier to grasp than days.
const YEARS_FROM: i64 = 1_100 * DAY;

/// Whose calendar is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// The one of this machine, or of `TZ`; it knows summer from winter.
    Here,
    /// So far east of UTC all year.
    East(FixedOffset),
}

impl Zone {
    pub const UTC: Self = match FixedOffset::east_opt(0) {
        Some(offset) => Self::East(offset),
        None => Self::Here,
    };

    fn tell(self, at: DateTime<Utc>) -> DateTime<FixedOffset> {
        match self {
            Self::Here => at.with_timezone(&Local).fixed_offset(),
            Self::East(offset) => at.with_timezone(&offset),
        }
    }
}

/// How to say times now and here.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    now: Timestamp,
    zone: Zone,
}

impl Times {
    /// For the present `now` in `zone`.
    pub const fn new(now: Timestamp, zone: Zone) -> Self {
        Self { now, zone }
    }

    pub const fn now(self) -> Timestamp {
        self.now
    }

    /// What somebody typed as an expiry means.
    pub fn read_expiry(self, text: &str) -> Result<Expiry, BadExpiry> {
        match self.zone {
            Zone::Here => Expiry::parse(text, self.now, &Local),
            Zone::East(offset) => Expiry::parse(text, self.now, &offset),
        }
    }

    /// How far away `at` is: `just now`, `5 min ago`, `2 h ago`, `81 d ago`, `in 84 d`.
    pub fn relative(self, at: Timestamp) -> String {
        let passed = self.now.since(at);
        if (0..MINUTE).contains(&passed) {
            "just now".to_owned()
        } else if passed > 0 {
            format!("{} ago", duration(passed))
        } else {
            format!("in {}", remaining(at.since(self.now)))
        }
    }

    /// A moment that may never have come: `never` or how far away.
    pub fn relative_or(self, at: Option<Timestamp>, never: &str) -> String {
        at.map_or_else(|| never.to_owned(), |at| self.relative(at))
    }

    /// `never`, `in 84 d` or `3 d ago`.
    pub fn expiry(self, expiry: Expiry) -> String {
        self.relative_or(expiry.instant(), "never")
    }

    /// The day it is here.
    pub fn day(self, at: Timestamp) -> NaiveDate {
        at.to_utc().map_or(NaiveDate::MAX, |time| self.zone.tell(time).date_naive())
    }

    /// Local time to the minute: `14:05`.
    pub fn clock(self, at: Timestamp) -> String {
        self.format(at, "%H:%M")
    }

    /// Local date: `2027-01-31`.
    pub fn date(self, at: Timestamp) -> String {
        self.format(at, "%Y-%m-%d")
    }

    /// Local date and time to the minute: `2027-01-31 14:05`.
    pub fn minute(self, at: Timestamp) -> String {
        self.format(at, "%Y-%m-%d %H:%M")
    }

    /// Local date and time to the minute with the offset: `2027-01-31 14:05 +02:00`.
    pub fn zoned(self, at: Timestamp) -> String {
        self.format(at, "%Y-%m-%d %H:%M %:z")
    }

    /// Local date and time to the second with the offset: `2027-01-31 14:05:09 +02:00`.
    pub fn exact(self, at: Timestamp) -> String {
        self.format(at, "%Y-%m-%d %H:%M:%S %:z")
    }

    /// Local time to the second: `14:05:09`, of what happens now.
    pub fn second(self, at: Timestamp) -> String {
        self.format(at, "%H:%M:%S")
    }

    /// Both: `2027-01-31 14:05, in 84 d`.
    pub fn both(self, at: Timestamp) -> String {
        format!("{}, {}", self.minute(at), self.relative(at))
    }

    fn format(self, at: Timestamp, form: &str) -> String {
        at.to_utc()
            .map_or_else(|| format!("{} ms", at.0), |time| self.zone.tell(time).format(form).to_string())
    }
}

/// A stretch of time that is over, in its largest full unit: `40 s`, `5 min`, `2 h`, `81 d`, `4 y`.
pub fn duration(ms: i64) -> String {
    if ms < MINUTE {
        format!("{} s", ms.max(0) / SECOND)
    } else if ms < HOUR {
        format!("{} min", ms / MINUTE)
    } else if ms < TWO_DAYS {
        format!("{} h", ms / HOUR)
    } else if ms < YEARS_FROM {
        format!("{} d", ms / DAY)
    } else {
        format!("{} y", ms / (365 * DAY))
    }
}

/// A stretch that is to come, rounded up, so that a key issued for 90 days a minute ago does not say 89. Years are
/// rounded to the nearest.
pub fn remaining(ms: i64) -> String {
    let up = |unit: i64| (ms.saturating_add(unit - 1)) / unit;
    if ms < MINUTE {
        "< 1 min".to_owned()
    } else if up(MINUTE) < 60 {
        format!("{} min", up(MINUTE))
    } else if up(HOUR) < 48 {
        format!("{} h", up(HOUR))
    } else if ms < YEARS_FROM {
        format!("{} d", up(DAY))
    } else {
        let year = 365 * DAY;
        format!("{} y", ms.saturating_add(year / 2) / year)
    }
}

/// What is wrong with the zone that `TZ` names, if it names none: every local time is then said in another.
pub fn unknown_zone(tz: Option<&OsStr>) -> Option<String> {
    let named = tz?.to_string_lossy();
    let name = named.strip_prefix(':').unwrap_or(&named);
    if ["", "UTC", "GMT", "localtime"].contains(&name) || is_rule(name) {
        return None;
    }
    // Of these the file is looked for; an absolute path stands for itself.
    let known = ZONES.iter().any(|directory| Path::new(directory).join(name).is_file());
    (!known).then(|| {
        format!("There is no time zone called {name}, so times are not in yours. Set TZ to one such as Europe/Berlin.")
    })
}

/// Where systems keep them.
const ZONES: [&str; 4] =
    ["/usr/share/zoneinfo", "/share/zoneinfo", "/etc/zoneinfo", "/usr/share/lib/zoneinfo"];

/// Whether it is a rule instead of a name, as POSIX has it: `CET-1CEST`, `<+03>-3`.
fn is_rule(text: &str) -> bool {
    let rest = match text.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        Some((_, rest)) => rest,
        None => text.trim_start_matches(|c: char| c.is_ascii_alphabetic()),
    };
    text.len() > rest.len() && rest.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000); // 2026-09-21 14:13:20 UTC

    fn east(hours: i32) -> Zone {
        Zone::East(FixedOffset::east_opt(hours * 3_600).unwrap())
    }

    fn said(offset_ms: i64) -> String {
        Times::new(NOW, Zone::UTC).relative(Timestamp(NOW.0 + offset_ms))
    }

    #[test]
    fn the_past_is_counted_in_full_units() {
        assert_eq!(said(0), "just now");
        assert_eq!(said(-59 * SECOND), "just now");
        assert_eq!(said(-119 * SECOND), "1 min ago");
        assert_eq!(said(-2 * HOUR - 59 * MINUTE), "2 h ago");
        assert_eq!(said(-47 * HOUR), "47 h ago");
        assert_eq!(said(-48 * HOUR), "2 d ago");
        assert_eq!(said(-81 * DAY - 23 * HOUR), "81 d ago");
        assert_eq!(said(-4 * 365 * DAY), "4 y ago");
    }

    #[test]
    fn a_life_of_ninety_days_says_ninety_a_minute_later() {
        assert_eq!(said(90 * DAY - MINUTE), "in 90 d");
        assert_eq!(said(84 * DAY + MINUTE), "in 85 d");
        assert_eq!(said(12 * HOUR - MINUTE), "in 12 h");
        assert_eq!(said(47 * HOUR + 31 * MINUTE), "in 2 d");
        assert_eq!(said(59 * MINUTE + 40 * SECOND), "in 1 h");
        assert_eq!(said(30 * SECOND), "in < 1 min");
        assert_eq!(said(3660 * DAY), "in 10 y");
    }

    #[test]
    fn dates_are_local() {
        let here = Times::new(NOW, east(2));
        assert_eq!(here.minute(NOW), "2026-09-21 16:13");
        assert_eq!(here.exact(NOW), "2026-09-21 16:13:20 +02:00");
        assert_eq!(Times::new(NOW, east(-15)).date(NOW), "2026-09-20");
        assert_eq!(here.both(Timestamp(NOW.0 - DAY)), "2026-09-20 16:13, 24 h ago");
    }

    #[test]
    fn no_time_is_too_far_to_be_said() {
        for at in [i64::MIN, i64::MAX, 0, -1] {
            let (time, now) = (Timestamp(at), Times::new(NOW, east(23)));
            assert!(!now.both(time).is_empty() && !Times::new(time, Zone::UTC).relative(NOW).is_empty());
        }
        assert_eq!(Times::new(NOW, Zone::UTC).expiry(Expiry::Never), "never");
    }

    #[test]
    fn a_zone_that_does_not_exist_is_told_and_one_that_does_is_not() {
        let said = |tz: &str| unknown_zone(Some(OsStr::new(tz)));
        for tz in ["", "UTC", "CET-1CEST,M3.5.0,M10.5.0/3", "<+03>-3", "EST5EDT", "localtime"] {
            assert_eq!(said(tz), None, "{tz}");
        }
        assert_eq!(unknown_zone(None), None);
        for tz in ["Mars/Base", ":Mars/Base", "Nowhere", "/no/such/file"] {
            assert!(said(tz).unwrap().contains(tz.trim_start_matches(':')), "{tz}");
        }
    }
}
