//! The blast radius: what stops when a key or an app is stopped, or holds less. Computed from what is known when somebody
//! asks; nothing of it is stored, and what is not known is told as such.

use super::catalog::AuthMethod;
use super::history::Picture;
use super::history::picture::Visit;
use super::history::ring::Tally;
use super::trace::Sighting;
use super::{App, Key, LastUse, ScopeId, Timestamp, Trace, View};

/// What was used no longer ago than this is in use.
pub const IN_USE_MS: i64 = 5 * 60_000;

/// Requests of the last 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// As far as they are known.
    pub tally: Tally,
    /// Whether none was lost.
    pub whole: bool,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blast {
    /// When it was used last.
    pub last: LastUse,
    /// Where that came from, if anybody told.
    pub by: Option<Sighting>,
    /// Requests of the last 24 hours; `None` while nobody has looked.
    pub day: Option<Day>,
    /// Callers of the last seven days, the busiest first.
    pub callers: Vec<Visit>,
    /// Requests of those days by others.
    pub others: u64,
    /// Scopes that would be lost and were needed, the latest first.
    pub lost: Vec<(ScopeId, Timestamp)>,
    /// Scopes that would be lost and were not needed, as far as that is known.
    pub unused: usize,
    /// Other live keys of the same app, which go on.
    pub siblings: usize,
    /// Live keys of an app, which stop with it.
    pub keys: usize,
    /// Whether access tokens end with it, however many are alive: nobody counts them.
    pub tokens: bool,
    /// Notices that end with it.
    pub notices: usize,
}

impl Blast {
    /// Of a key that would lose `scopes`: all it has, when it is stopped.
    pub fn of_key<'v, 's>(
        view: View<'v>,
        key: &'v Key,
        scopes: impl Iterator<Item = &'s ScopeId>,
        picture: Option<&Picture>,
        now: Timestamp,
    ) -> Self {
        // To people both halves of a rotation are one key.
        let halves = || [Some(key), view.old_half(key, now)].into_iter().flatten();
        let last = halves().map(|half| view.last_use(half)).max().unwrap_or(LastUse::Never);
        let by = halves().filter_map(|half| view.trace(half)?.of_last_use(view.usage(half)));
        let by = by.max_by_key(|seen| seen.at).cloned();
        let traces: Vec<&Trace> = halves().filter_map(|half| view.trace(half)).collect();
        let siblings = key.place.app().map_or(0, |app| {
            view.keys_of_app(app).filter(|other| other.id != key.id && other.state(now).is_live()).count()
        });
        let cycle = view.cycle(key);
        let notices = cycle
            .map_or(0, |cycle| usize::from(!cycle.idle.is_empty()) + usize::from(!cycle.ends.is_empty()));
        Self { siblings, notices, ..Self::of(last, by, scopes, &traces, picture) }
    }

    /// Of an app that is stopped, with its keys.
    pub fn of_app(view: View<'_>, app: &App, picture: Option<&Picture>, now: Timestamp) -> Self {
        let keys: Vec<&Key> = view.keys_of_app(app.id).collect();
        let used = view.app_trace(app).and_then(|trace| trace.of_last_use(view.app_usage(app)));
        let seen = keys.iter().filter_map(|key| view.trace(key)?.of_last_use(view.usage(key)));
        let by = used.into_iter().chain(seen).max_by_key(|seen| seen.at).cloned();
        let of_keys = keys.iter().filter_map(|key| view.trace(key));
        let traces: Vec<&Trace> = view.app_trace(app).into_iter().chain(of_keys).collect();
        let live = keys.iter().filter(|key| key.state(now).is_live()).count();
        let last = view.last_use_of_app(app);
        let tokens = app.method == AuthMethod::Jwt;
        Self { keys: live, tokens, ..Self::of(last, by, app.scopes.iter(), &traces, picture) }
    }

    fn of<'s>(
        last: LastUse,
        by: Option<Sighting>,
        scopes: impl Iterator<Item = &'s ScopeId>,
        traces: &[&Trace],
        picture: Option<&Picture>,
    ) -> Self {
        let (mut lost, mut unused) = (Vec::new(), 0);
        for scope in scopes {
            match traces.iter().filter_map(|trace| trace.scope_used_at(scope)).max() {
                Some(at) => lost.push((scope.clone(), at)),
                None => unused += 1,
            }
        }
        lost.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
        let day = picture.map(|picture| Day {
            tally: picture.last_day(),
            whole: picture.hours.iter().rev().take(24).all(|bar| bar.whole),
        });
        Self {
            last,
            by,
            day,
            callers: picture.map_or_else(Vec::new, |picture| picture.visits.clone()),
            others: picture.map_or(0, |picture| picture.others),
            lost,
            unused,
            siblings: 0,
            keys: 0,
            tokens: false,
            notices: 0,
        }
    }

    /// When it was used last, where that is now: what happens, happens to somebody.
    pub fn in_use(&self, now: Timestamp) -> Option<Timestamp> {
        self.last.at().filter(|at| now.since(*at) <= IN_USE_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blast(last: LastUse) -> Blast {
        Blast::of(last, None, std::iter::empty(), &[], None)
    }

    #[test]
    fn five_minutes_are_now() {
        let now = Timestamp(1_790_000_000_000);
        let used = |ago: i64| blast(LastUse::At(Timestamp(now.0 - ago))).in_use(now).is_some();
        assert!(used(0) && used(IN_USE_MS) && !used(IN_USE_MS + 1));
        // By a clock that was ahead.
        assert!(used(-IN_USE_MS));
        assert!(blast(LastUse::Never).in_use(now).is_none());
        assert!(blast(LastUse::NotKnown(None)).in_use(now).is_none());
    }

    #[test]
    fn scopes_that_were_needed_are_named_and_the_others_counted() {
        let scope = |name: &str| name.parse::<ScopeId>().unwrap();
        let held = ["a.read", "b.read", "c.read"].map(scope);
        let mut trace = Trace::default();
        trace.note_scope(&held[0], Timestamp(5));
        trace.note_scope(&held[2], Timestamp(9));
        let blast = Blast::of(LastUse::Never, None, held.iter(), &[&trace], None);
        let lost: Vec<(&str, i64)> = blast.lost.iter().map(|(scope, at)| (scope.as_str(), at.0)).collect();
        assert_eq!((lost, blast.unused, blast.day), (vec![("c.read", 9), ("a.read", 5)], 1, None));
    }
}
