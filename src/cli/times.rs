//! Times as people read them: local, and how long ago or ahead. Scripts get RFC 3339 from the domain itself.

use chrono::Local;

use crate::domain::time::DAY_MS;
use crate::domain::{Expiry, Timestamp};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;

/// Local date and time to the minute.
pub fn local(at: Timestamp) -> String {
    at.to_utc().map_or_else(|| at.rfc3339(), |t| t.with_timezone(&Local).format("%Y-%m-%d %H:%M").to_string())
}

/// Local date and time to the second with the offset, for what somebody may have to rely on to the hour.
pub fn exact(at: Timestamp) -> String {
    at.to_utc()
        .map_or_else(|| at.rfc3339(), |t| t.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S %:z").to_string())
}

/// How far `at` is from `now`: `just now`, `2 h ago`, `in 84 d`.
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let ms = at.since(now);
    let far = span(ms.saturating_abs());
    match (far, ms < 0) {
        (None, true) => "just now".into(),
        (None, false) => "in less than a minute".into(),
        (Some(far), true) => format!("{far} ago"),
        (Some(far), false) => format!("in {far}"),
    }
}

/// The largest whole unit: minutes, hours, days.
pub fn span(ms: i64) -> Option<String> {
    match ms {
        ms if ms < MINUTE_MS => None,
        ms if ms < HOUR_MS => Some(format!("{} min", ms / MINUTE_MS)),
        ms if ms < DAY_MS => Some(format!("{} h", ms / HOUR_MS)),
        _ => Some(format!("{} d", ms / DAY_MS)),
    }
}

/// Both: `2027-01-31 01:00 (in 84 d)`.
pub fn both(at: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", local(at), relative(at, now))
}

/// An expiry for a table.
pub fn expiry(expiry: Expiry, now: Timestamp) -> String {
    expiry.instant().map_or_else(|| "never".into(), |at| relative(at, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_read_as_people_say_them() {
        let now = Timestamp(1_790_000_000_000);
        for (ms, said) in [
            (0, "in less than a minute"),
            (-1, "just now"),
            (-2 * HOUR_MS - 5, "2 h ago"),
            (-81 * DAY_MS, "81 d ago"),
            (84 * DAY_MS + HOUR_MS, "in 84 d"),
            (59 * MINUTE_MS, "in 59 min"),
        ] {
            assert_eq!(relative(Timestamp(now.0 + ms), now), said);
        }
        assert!(relative(Timestamp(i64::MIN), now).ends_with("d ago"));
    }
}
