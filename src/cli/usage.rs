//! How a key or an app was used, as JSON, the shape scripts rely on. The words are those of the console.

use serde::Serialize;

use crate::domain::Timestamp;
use crate::domain::history::picture::{Bar, Exercised, Picture, Visit};
use crate::domain::time::DAY_MS;

/// Its use over time.
#[derive(Serialize)]
pub struct UseLine {
    /// 48, the oldest first; the last one goes on.
    hours: Vec<BarLine>,
    /// 90, the same.
    days: Vec<BarLine>,
    /// Of the last seven days, the busiest first.
    callers: Vec<CallerLine>,
    /// Requests of those days that were allowed and are not told with a caller.
    others: u64,
    scopes: Vec<ScopeLine>,
}

/// An hour or a day.
#[derive(Serialize)]
struct BarLine {
    at: String,
    /// Null where it is not known.
    allowed: Option<u64>,
    denied: Option<u64>,
    /// Whether that is all, or only what is known.
    complete: bool,
}

/// A caller.
#[derive(Serialize)]
pub struct CallerLine {
    from: Option<String>,
    agent: Option<String>,
    count: u64,
    last_at: String,
}

#[derive(Serialize)]
struct ScopeLine {
    scope: String,
    last_used_at: Option<String>,
    /// Days on which it was needed, the latest first.
    days: Vec<String>,
}

impl From<&Bar> for BarLine {
    fn from(bar: &Bar) -> Self {
        let known = bar.known();
        Self {
            at: bar.at.rfc3339(),
            allowed: known.map(|tally| tally.allowed),
            denied: known.map(|tally| tally.denied),
            complete: bar.whole,
        }
    }
}

impl From<&Visit> for CallerLine {
    fn from(visit: &Visit) -> Self {
        Self {
            from: visit.address.map(|address| address.to_string()),
            agent: visit.agent.as_ref().map(ToString::to_string),
            count: visit.count,
            last_at: visit.last.rfc3339(),
        }
    }
}

impl ScopeLine {
    fn of(used: &Exercised, today: Timestamp) -> Self {
        let day = |ago: &u8| Timestamp(today.0.saturating_sub(i64::from(*ago) * DAY_MS)).rfc3339();
        Self {
            scope: used.scope.to_string(),
            last_used_at: used.last.map(Timestamp::rfc3339),
            days: used.days.iter().map(day).collect(),
        }
    }
}

impl From<&Picture> for UseLine {
    fn from(picture: &Picture) -> Self {
        let today = picture.days.last().map_or(picture.at, |bar| bar.at);
        Self {
            hours: picture.hours.iter().map(Into::into).collect(),
            days: picture.days.iter().map(Into::into).collect(),
            callers: picture.visits.iter().map(Into::into).collect(),
            others: picture.others,
            scopes: picture.scopes.iter().map(|used| ScopeLine::of(used, today)).collect(),
        }
    }
}
