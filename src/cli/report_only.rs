//! That fewer scopes are tried on a key, as JSON, the shape scripts rely on.

use serde::Serialize;

use super::usage::CallerLine;
use crate::domain::history::Lacked;
use crate::domain::{Key, ScopeId, Timestamp, View};

/// What is tried, and what that would have refused.
#[derive(Serialize)]
pub struct ReportOnlyLine<'a> {
    /// The scopes it would keep.
    scopes: Vec<&'a str>,
    begun_at: String,
    until: String,
    /// Whether its time is over, and somebody has to enforce or drop it.
    over: bool,
    by: &'a str,
    /// Absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    would_refuse: Option<RefusedLine>,
}

/// Requests that were let through.
#[derive(Serialize)]
pub struct RefusedLine {
    requests: u64,
    last_at: Option<String>,
    /// What they lacked.
    scopes: Vec<LackedLine>,
    /// Who sent them, as far as they are told apart.
    callers: Vec<CallerLine>,
}

#[derive(Serialize)]
struct LackedLine {
    scope: String,
    count: u64,
    last_at: String,
}

impl<'a> ReportOnlyLine<'a> {
    /// Of a key on which something is tried.
    pub fn of(key: &'a Key, view: View<'a>, now: Timestamp, lacked: Option<&Lacked>) -> Option<Self> {
        let tried = key.reports_only()?;
        Some(Self {
            scopes: tried.scopes.iter().map(ScopeId::as_str).collect(),
            begun_at: tried.begun.rfc3339(),
            until: tried.until.rfc3339(),
            over: !tried.runs(now),
            by: view.name_of(tried.by),
            would_refuse: lacked.map(RefusedLine::from),
        })
    }
}

impl From<&Lacked> for RefusedLine {
    fn from(lacked: &Lacked) -> Self {
        let scopes = lacked.scopes.iter().map(|known| LackedLine {
            scope: known.scope.to_string(),
            count: known.count,
            last_at: known.last.rfc3339(),
        });
        Self {
            requests: lacked.count,
            last_at: (lacked.count > 0).then(|| lacked.last.rfc3339()),
            scopes: scopes.collect(),
            callers: lacked.callers.iter().map(CallerLine::from).collect(),
        }
    }
}
