//! Times as people read them: local, and how long ago or ahead. Scripts get RFC 3339 from the domain itself.

use chrono::{DateTime, Local, NaiveDate, NaiveTime};

use crate::domain::{Expiry, Timestamp};
use crate::tui::app::times::{Times, Zone};

/// Local date and time to the minute.
pub fn local(at: Timestamp) -> String {
    at.to_utc().map_or_else(|| at.rfc3339(), |t| t.with_timezone(&Local).format("%Y-%m-%d %H:%M").to_string())
}

/// Local time to the second, of what happens now.
pub fn second(at: Timestamp) -> String {
    at.to_utc().map_or_else(|| at.rfc3339(), |t| t.with_timezone(&Local).format("%H:%M:%S").to_string())
}

/// Local date and time to the second with the offset, for what somebody may have to rely on to the hour.
pub fn exact(at: Timestamp) -> String {
    at.to_utc()
        .map_or_else(|| at.rfc3339(), |t| t.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S %:z").to_string())
}

/// How far `at` is from `now`, as the console says it: `just now`, `2 h ago`, `in 84 d`.
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    Times::new(now, Zone::Here).relative(at)
}

/// Both: `2027-01-31 01:00 (in 84 d)`.
pub fn both(at: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", local(at), relative(at, now))
}

/// Which end of a day a bare date means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Its beginning.
    First,
    /// Its end.
    Last,
}

/// A moment of the past as it is typed: a date where the operator sits, a time with its offset, or so long before `now`.
pub fn moment(text: &str, now: Timestamp, edge: Edge) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        // Not every day has 24 hours, nor a midnight.
        let begins = |date: NaiveDate| {
            let begins = date.and_time(NaiveTime::MIN).and_local_timezone(Local).earliest();
            begins.map(|at| at.timestamp_millis())
        };
        return Some(Timestamp(match edge {
            Edge::First => begins(date)?,
            Edge::Last => begins(date.succ_opt()?)? - 1,
        }));
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(Timestamp(at.timestamp_millis()));
    }
    let length = Expiry::parse(text, Timestamp(0), &Local).ok()?.instant()?;
    Some(Timestamp(now.0.saturating_sub(length.0)))
}

/// An expiry for a table.
pub fn expiry(expiry: Expiry, now: Timestamp) -> String {
    expiry.instant().map_or_else(|| "never".into(), |at| relative(at, now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::DAY_MS;

    #[test]
    fn a_moment_of_the_past_is_a_day_a_time_or_so_long_ago() {
        let now = Timestamp(1_790_000_000_000);
        let of = |text, edge| moment(text, now, edge);
        assert_eq!(of("7d", Edge::First), Some(Timestamp(now.0 - 7 * DAY_MS)));
        let at = of("2026-01-31T10:00:00+02:00", Edge::Last).unwrap();
        assert_eq!(at.rfc3339(), "2026-01-31T08:00:00Z");
        let (first, last) = (of("2026-01-31", Edge::First).unwrap(), of("2026-01-31", Edge::Last).unwrap());
        assert_eq!(last.since(first), DAY_MS - 1);
        assert_eq!(of("yesterday", Edge::First), None);
    }
}
