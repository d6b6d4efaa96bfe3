//! Instants and expiry. Stored times are UTC milliseconds since 1970; "never" is a value of its own and not a
//! number, so no arithmetic slip turns a short life into an endless one.

use std::fmt;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, TimeZone, Utc};
use minicbor::{Decode, Encode};

/// Milliseconds in a day.
pub const DAY_MS: i64 = 86_400_000;
/// Milliseconds in an hour.
pub const HOUR_MS: i64 = DAY_MS / 24;
/// The longest life that can be asked for: ten years of 366 days.
pub const MAX_LIFE_DAYS: u32 = 3_660;

/// UTC milliseconds since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
#[cbor(transparent)]
pub struct Timestamp(#[n(0)] pub i64);

impl Timestamp {
    /// This instant and `days` more, unless that leaves the range.
    pub fn plus_days(self, days: u32) -> Option<Self> {
        self.0.checked_add(i64::from(days).checked_mul(DAY_MS)?).map(Self)
    }

    /// Milliseconds from `earlier` to this instant; never overflows.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The instant as a calendar date and time, if chrono can express it.
    pub fn to_utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0)
    }

    /// RFC 3339, UTC, to the second: `2027-01-31T00:00:00Z`.
    pub fn rfc3339(self) -> String {
        self.to_utc()
            .map_or_else(|| format!("{} ms", self.0), |t| t.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// When a key stops working.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Expiry {
    /// It does not, by time.
    #[n(0)]
    Never,
    /// At this instant; at the instant itself it is already over.
    #[n(1)]
    At(#[n(0)] Timestamp),
}

/// Why a text is not an expiry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadExpiry {
    /// Not one of the forms.
    #[error("write never, a number of days such as 90d (also 12h, 8w, 1y), or a date such as 2027-01-31")]
    Unreadable,
    /// Written like a date, and none.
    #[error("there is no such day in the calendar")]
    NoSuchDay,
    /// Not in the future.
    #[error("that is not in the future")]
    Past,
    /// Longer than ten years.
    #[error("that is more than ten years away; write never if it must not expire")]
    TooFar,
}

impl Expiry {
    /// Reads `never`, a life from `now` (`12h`, `90d`, `8w`, `1y`), a date (`2027-01-31`: the last instant of that
    /// day in `zone`) or an RFC 3339 time. Nothing else: no zero, no sign, no fraction, no bare number.
    pub fn parse<Z: TimeZone>(text: &str, now: Timestamp, zone: &Z) -> Result<Self, BadExpiry> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("never") {
            return Ok(Self::Never);
        }
        if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            return Self::at(end_of_day(day, zone).ok_or(BadExpiry::TooFar)?, now);
        }
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Self::at(Timestamp(time.timestamp_millis()), now);
        }
        if is_like_a_date(text) {
            return Err(BadExpiry::NoSuchDay);
        }
        let (digits, unit) = text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadExpiry::Unreadable);
        }
        let hours: i64 = match unit {
            "h" => 1,
            "d" => 24,
            "w" => 24 * 7,
            "y" => 24 * 365,
            _ => return Err(BadExpiry::Unreadable),
        };
        let count: i64 = digits.parse().map_err(|_| BadExpiry::TooFar)?;
        let life = count.checked_mul(hours * 3_600_000).ok_or(BadExpiry::TooFar)?;
        Self::at(Timestamp(now.0.checked_add(life).ok_or(BadExpiry::TooFar)?), now)
    }

    /// An expiry at an instant, which must lie after `now` and within ten years of it.
    pub fn at(instant: Timestamp, now: Timestamp) -> Result<Self, BadExpiry> {
        if instant <= now {
            Err(BadExpiry::Past)
        } else if instant.since(now) > i64::from(MAX_LIFE_DAYS) * DAY_MS {
            Err(BadExpiry::TooFar)
        } else {
            Ok(Self::At(instant))
        }
    }

    /// Whether it is over at `now`: closed boundary, the instant itself counts.
    pub fn is_over(self, now: Timestamp) -> bool {
        matches!(self, Self::At(at) if now >= at)
    }

    /// The instant, unless never.
    pub const fn instant(self) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::At(at) => Some(at),
        }
    }
}

/// Whether it has the form of `2027-01-31`, whatever its numbers are.
fn is_like_a_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let digits = |part: Option<&str>, length: usize| {
        part.is_some_and(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    digits(parts.next(), 4) && digits(parts.next(), 2) && digits(parts.next(), 2) && parts.next().is_none()
}

/// The last millisecond of a day in a zone: the one before the next day begins there. Where clocks are put forward at
/// midnight the next day begins later; where they are put back, at the first of two midnights. A day that is left out
/// has ended before it began.
fn end_of_day<Z: TimeZone>(day: NaiveDate, zone: &Z) -> Option<Timestamp> {
    let midnight = day.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN);
    (0..=QUARTERS_LEFT_OUT)
        .filter_map(|quarter| midnight.checked_add_signed(TimeDelta::minutes(15 * quarter)))
        .find_map(|begin| zone.from_local_datetime(&begin).earliest())
        .map(|begin| Timestamp(begin.timestamp_millis() - 1))
}

/// No zone leaves out more than a day, and none less than a quarter of an hour.
const QUARTERS_LEFT_OUT: i64 = 4 * 25;

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::At(at) => write!(f, "{at}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000); // 2026-09-21

    #[test]
    fn the_forms_people_write_are_read() {
        assert_eq!(Expiry::parse("Never", NOW, &Utc), Ok(Expiry::Never));
        assert_eq!(Expiry::parse("90d", NOW, &Utc), Ok(Expiry::At(Timestamp(NOW.0 + 90 * DAY_MS))));
        assert_eq!(Expiry::parse(" 12h ", NOW, &Utc), Ok(Expiry::At(Timestamp(NOW.0 + DAY_MS / 2))));
        assert_eq!(Expiry::parse("1y", NOW, &Utc), Ok(Expiry::At(Timestamp(NOW.0 + 365 * DAY_MS))));
        assert_eq!(Expiry::parse("2027-01-31", NOW, &Utc).unwrap().to_string(), "2027-01-31T23:59:59Z");
        assert_eq!(
            Expiry::parse("2027-01-31T10:00:00+02:00", NOW, &Utc).unwrap().to_string(),
            "2027-01-31T08:00:00Z"
        );
    }

    #[test]
    fn lives_that_are_no_lives_are_refused() {
        for bad in ["", "0", "90", "-1d", "1.5d", "d", "90 d", "inf", "9️⃣d", "tomorrow", "1e3d", "2027-1-"]
        {
            assert_eq!(Expiry::parse(bad, NOW, &Utc), Err(BadExpiry::Unreadable), "{bad}");
        }
        for none in ["2026-02-30", "2027-13-01", "2027-02-29", "2027-00-10"] {
            assert_eq!(Expiry::parse(none, NOW, &Utc), Err(BadExpiry::NoSuchDay), "{none}");
        }
        assert_eq!(Expiry::parse("0d", NOW, &Utc), Err(BadExpiry::Past));
        assert_eq!(Expiry::parse("2020-01-01", NOW, &Utc), Err(BadExpiry::Past));
        for far in ["11y", "9223372036854775807d", "99999999999999999999h", "2050-01-01"] {
            assert_eq!(Expiry::parse(far, NOW, &Utc), Err(BadExpiry::TooFar), "{far}");
        }
    }

    #[test]
    fn a_bare_date_ends_when_the_day_ends_where_the_operator_sits() {
        let ends = |hours_east: i32| {
            let zone = chrono::FixedOffset::east_opt(hours_east * 3_600).unwrap();
            Expiry::parse("2026-12-01", NOW, &zone).unwrap().instant().unwrap()
        };
        assert_eq!(ends(0), Timestamp(1_796_169_600_000 - 1));
        assert_eq!(ends(-8).to_string(), "2026-12-02T07:59:59Z");
        assert_eq!(ends(14).to_string(), "2026-12-01T09:59:59Z");
        // Today is not over yet, yesterday is.
        assert!(Expiry::parse("2026-09-21", NOW, &Utc).is_ok());
        assert_eq!(Expiry::parse("2026-09-20", NOW, &Utc), Err(BadExpiry::Past));
        assert_eq!(Expiry::parse("+262142-12-31", NOW, &Utc), Err(BadExpiry::TooFar));
    }

    #[test]
    fn the_boundary_is_closed() {
        let at = Expiry::At(NOW);
        assert!(!at.is_over(Timestamp(NOW.0 - 1)));
        assert!(at.is_over(NOW));
        assert!(at.is_over(Timestamp(NOW.0 + 1)));
        assert!(!Expiry::Never.is_over(Timestamp(i64::MAX)));
    }
}
