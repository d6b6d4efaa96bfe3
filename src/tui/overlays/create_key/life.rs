//! When a key stops working: a field with suggestions that the policy allows, and what is said of it.

use crate::domain::catalog::Level;
use crate::domain::time::{BadExpiry, DAY_MS};
use crate::domain::{Expiry, Policy};
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::form::choice::{Reading, TypedChoice};

/// Days a key of this level lives when nothing is chosen.
fn default_life(policy: &Policy, level: Level) -> Option<u32> {
    let wanted = match level {
        Level::Agency => policy.default_life_agency,
        Level::Location => policy.default_life_location,
        Level::App => policy.default_life_app,
    };
    match (wanted, policy.max_life) {
        (Some(days), Some(limit)) => Some(days.min(limit)),
        (days, limit) => days.or(limit),
    }
}

/// The field; `None` takes the policy's default.
pub fn field(look: &Look, level: Option<Level>) -> TypedChoice<Option<Expiry>> {
    let times = Times::of(look);
    let rules = |level| look.view(|view| (default_life(view.policy(), level), view.policy().max_life));
    let (default, limit) = level.map(rules).unwrap_or_default();
    let fits = |days: u32| limit.is_none_or(|limit| days <= limit);
    let mut suggestions = vec!["default".to_owned()];
    suggestions.extend([30, 90].into_iter().filter(|days| fits(*days)).map(|days| format!("{days}d")));
    if fits(365) {
        suggestions.push("1y".to_owned());
    }
    if limit.is_none() {
        suggestions.push("never".to_owned());
    }
    TypedChoice::new("Expires", suggestions, move |text| read(text, times, default, limit))
}

/// What becomes of a key with the life that is filled in.
pub fn said(life: &TypedChoice<Option<Expiry>>, look: &Look, level: Level) -> String {
    let Some(wanted) = life.value() else { return "no valid expiry yet".to_owned() };
    match (wanted, look.view(|view| default_life(view.policy(), level))) {
        (Some(Expiry::Never), _) | (None, None) => "never expires".to_owned(),
        (Some(Expiry::At(at)), _) => format!("expires {}", Times::of(look).relative(at)),
        (None, Some(days)) => format!("expires in {days} d"),
    }
}

fn read(text: &str, times: Times, default: Option<u32>, limit: Option<u32>) -> Reading<Option<Expiry>> {
    if text.trim() == "default" {
        let says = match default.and_then(|days| times.now().plus_days(days).map(|at| (days, at))) {
            Some((days, at)) => format!("the agency's rule: {days} days, until {}", times.date(at)),
            None => "the agency's rule: it never expires".to_owned(),
        };
        return Ok((None, says));
    }
    // Said shorter than elsewhere: it stands below a narrow field.
    let expiry = times.read_expiry(text).map_err(|why| match why {
        BadExpiry::Unreadable => "write 90d, 12h, a date (its end) or never".to_owned(),
        other => other.to_string(),
    })?;
    if let Some(limit) = limit {
        let fits = expiry.instant().is_some_and(|at| at.since(times.now()) <= i64::from(limit) * DAY_MS);
        if !fits {
            return Err(format!("the agency allows {limit} days at most"));
        }
    }
    let says = match expiry {
        Expiry::Never => "it works until somebody revokes it".to_owned(),
        Expiry::At(at) => format!("until {}, {}", times.zoned(at), times.relative(at)),
    };
    Ok((Some(expiry), says))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::tui::app::times::Zone;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    #[test]
    fn a_life_is_bounded_by_the_policy() {
        let times = Times::new(NOW, Zone::UTC);
        assert_eq!(read("default", times, Some(365), Some(365)).unwrap().0, None);
        assert!(read("365d", times, None, Some(365)).is_ok());
        for bad in ["366d", "never", "2y"] {
            assert_eq!(
                read(bad, times, None, Some(365)),
                Err("the agency allows 365 days at most".into()),
                "{bad}"
            );
        }
        assert!(read("soon", times, None, None).unwrap_err().contains("90d"));
        assert_eq!(read("90d", times, None, None).unwrap().1, "until 2026-12-20 14:13 +00:00, in 90 d");
        assert_eq!(
            read("2026-12-01", times, None, None).unwrap().1,
            "until 2026-12-01 23:59 +00:00, in 72 d"
        );
    }
}
