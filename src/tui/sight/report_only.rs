//! What is said of a key on which fewer scopes are tried: until when, what it would lose, and which requests that would have
//! refused. On the command line as in the console.

use crate::domain::history::Lacked;
use crate::domain::trace::Sighting;
use crate::domain::{Key, Timestamp};

/// In lines; nothing of a key on which nothing is tried. `lacked` is `None` where it is not read. `by` is who wanted it.
pub fn lines(
    key: &Key,
    by: &str,
    lacked: Option<&Lacked>,
    now: Timestamp,
    ago: impl Fn(Timestamp) -> String,
) -> Vec<String> {
    let (Some(tried), Some(lost)) = (key.reports_only(), key.would_lose()) else { return Vec::new() };
    let when = if tried.runs(now) { "ends" } else { "over: enforce it or drop it; ended" };
    let mut all = vec![format!("{when} {}, by {by}: it would lose {lost}", ago(tried.until))];
    let Some(lacked) = lacked else { return all };
    all.extend(counted(lacked, ago));
    all
}

/// Which requests it would have refused: how many, for want of which scopes, and from whom, each on a line.
pub fn counted(lacked: &Lacked, ago: impl Fn(Timestamp) -> String) -> Vec<String> {
    let mut all = vec![refused(lacked, &ago)];
    all.extend(
        lacked
            .scopes
            .iter()
            .map(|known| format!("{} {}×, last {}", known.scope, known.count, ago(known.last))),
    );
    all.extend(lacked.callers.iter().map(|caller| {
        let whence = Sighting { at: caller.last, address: caller.address, agent: caller.agent.clone() };
        format!("from {whence} {}×, last {}", caller.count, ago(caller.last))
    }));
    all
}

/// How many requests: `14 requests would have been refused, the last 2 h ago`.
pub fn refused(lacked: &Lacked, ago: impl Fn(Timestamp) -> String) -> String {
    match lacked.count {
        0 => "no request would have been refused".to_owned(),
        1 => format!("1 request would have been refused, {}", ago(lacked.last)),
        count => format!("{count} requests would have been refused, the last {}", ago(lacked.last)),
    }
}
