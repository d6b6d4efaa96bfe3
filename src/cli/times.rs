//! Times as people read them: local, and how long ago or ahead. Scripts get RFC 3339 from the domain itself.

use std::ffi::OsStr;
use std::path::Path;

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
        format!("there is no time zone called {name}, so times are not in yours. Set TZ to one such as Europe/Berlin.")
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
