//! Times as people read them: local, and how long ago or ahead. Scripts get RFC 3339 from the domain itself.

use chrono::Local;

use crate::domain::{Expiry, Timestamp};
use crate::tui::app::times::{Times, Zone};

/// Local date and time to the minute.
pub fn local(at: Timestamp) -> String {
    at.to_utc().map_or_else(|| at.rfc3339(), |t| t.with_timezone(&Local).format("%Y-%m-%d %H:%M").to_string())
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

/// An expiry for a table.
pub fn expiry(expiry: Expiry, now: Timestamp) -> String {
    expiry.instant().map_or_else(|| "never".into(), |at| relative(at, now))
}
