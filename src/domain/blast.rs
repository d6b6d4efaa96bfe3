//! The blast radius: what stops when a key or an app is stopped, or holds less. Computed from what is known when somebody
//! asks; nothing of it is stored, and what is not known is told as such. [`many`]: of many at once.

pub mod many;

use super::catalog::AuthMethod;
use super::history::Picture;
pub use super::history::picture::Day;
use super::history::picture::Visit;
use super::signing::TOKEN_LIFE_MAX;
use super::trace::Sighting;
use super::{App, Key, LastUse, ScopeId, Timestamp, Trace, View};

/// What was used no longer ago than this is in use.
pub const IN_USE_MS: i64 = 5 * 60_000;

/// The access tokens of an app. They are kept and counted nowhere, since each ends by itself within the hour: what can be said
/// is when the last of them is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// None is alive.
    Over,
    /// Some may be, and none longer than this.
    Until(Timestamp),
}

impl Tokens {
    /// Of an app, by when it last fetched or sent one.
    fn of(view: View<'_>, app: &App, now: Timestamp) -> Self {
        if app.method != AuthMethod::Jwt {
            return Self::Over;
        }
        Self::since(view.last_use_since(view.app_usage(app).last_used_at, app.created_at), now)
    }

    fn since(last: LastUse, now: Timestamp) -> Self {
        let ends = |last: Timestamp| Timestamp(last.0.saturating_add(i64::from(TOKEN_LIFE_MAX) * 1_000));
        let last = match last {
            LastUse::Never => return Self::Over,
            LastUse::At(at) | LastUse::NotKnown(Some(at)) => ends(at),
            LastUse::NotKnown(None) => ends(now),
        };
        if last <= now { Self::Over } else { Self::Until(last) }
    }

    /// Until when one may be alive.
    pub const fn until(self) -> Option<Timestamp> {
        if let Self::Until(at) = self { Some(at) } else { None }
    }
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
    /// Access tokens that end with it.
    pub tokens: Tokens,
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
        let (last, by) = (view.last_use_of_whole(key, now), view.last_seen_of_whole(key, now).cloned());
        let traces: Vec<&Trace> = view.halves_of(key, now).filter_map(|half| view.trace(half)).collect();
        let siblings = key.place.app().map_or(0, |app| {
            view.keys_of_app(app).filter(|other| other.id != key.id && other.state(now).is_live()).count()
        });
        let notices = notices_of(view, key);
        Self { siblings, notices, ..Self::of(last, by, scopes, &traces, picture) }
    }

    /// Of an app that would lose `scopes`: all it has, when it is stopped. Its keys lose them with it, and an access token
    /// that promises one of them is refused whatever is asked of it.
    pub fn of_app(
        view: View<'_>,
        app: &App,
        scopes: &[&ScopeId],
        picture: Option<&Picture>,
        now: Timestamp,
    ) -> Self {
        let keys: Vec<&Key> = view.keys_of_app(app.id).collect();
        let used = view.app_trace(app).and_then(|trace| trace.of_last_use(view.app_usage(app)));
        let seen = keys.iter().filter_map(|key| view.trace(key)?.of_last_use(view.usage(key)));
        let by = used.into_iter().chain(seen).max_by_key(|seen| seen.at).cloned();
        let of_keys = keys.iter().filter_map(|key| view.trace(key));
        let traces: Vec<&Trace> = view.app_trace(app).into_iter().chain(of_keys).collect();
        let loses = |key: &&&Key| scopes.iter().any(|scope| key.scopes.contains(scope));
        let live = keys.iter().filter(|key| key.state(now).is_live()).filter(loses).count();
        let last = view.last_use_of_app(app);
        let tokens = if scopes.is_empty() { Tokens::Over } else { Tokens::of(view, app, now) };
        Self { keys: live, tokens, ..Self::of(last, by, scopes.iter().copied(), &traces, picture) }
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
        let day = picture.map(Picture::last_day);
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
            tokens: Tokens::Over,
            notices: 0,
        }
    }

    /// Whether it is in use; `None` where uses may have been lost in the minutes that decide it. `complete` is since when none
    /// was.
    pub fn is_in_use(&self, now: Timestamp, complete: Option<Timestamp>) -> Option<bool> {
        let known =
            self.last == LastUse::Never || complete.is_some_and(|since| now.since(since) >= IN_USE_MS);
        if self.in_use(now).is_some() { Some(true) } else { known.then_some(false) }
    }

    /// When it was used last, where that is now: what happens, happens to somebody.
    pub fn in_use(&self, now: Timestamp) -> Option<Timestamp> {
        self.last.at().filter(|at| now.since(*at) <= IN_USE_MS)
    }
}

/// Notices of a key that end with it.
fn notices_of(view: View<'_>, key: &Key) -> usize {
    let of = |cycle: &super::Cycle| usize::from(!cycle.idle.is_empty()) + usize::from(!cycle.ends.is_empty());
    view.cycle(key).map_or(0, of)
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
    fn where_uses_were_lost_nobody_says_that_it_is_not_in_use() {
        let now = Timestamp(1_790_000_000_000);
        let ago = |ms: i64| Timestamp(now.0 - ms);
        let of = |last, complete| blast(last).is_in_use(now, complete);
        assert_eq!(of(LastUse::At(ago(0)), None), Some(true));
        assert_eq!(of(LastUse::Never, Some(ago(0))), Some(false));
        for last in [LastUse::At(ago(IN_USE_MS + 1)), LastUse::NotKnown(Some(ago(IN_USE_MS)))] {
            assert_eq!(of(last, Some(ago(IN_USE_MS))), Some(false));
            assert_eq!(of(last, Some(ago(IN_USE_MS - 1))), None);
            assert_eq!(of(last, None), None);
        }
    }

    #[test]
    fn a_token_may_be_alive_for_an_hour_after_the_last_was_fetched_and_not_longer() {
        let (now, hour) = (Timestamp(1_790_000_000_000), i64::from(TOKEN_LIFE_MAX) * 1_000);
        let ago = |ms: i64| Timestamp(now.0 - ms);
        for (last, until) in [
            (LastUse::Never, None),
            (LastUse::At(now), Some(ago(-hour))),
            (LastUse::At(ago(hour - 1)), Some(ago(-1))),
            (LastUse::At(ago(hour)), None),
            // What was lost may have been the fetching of one.
            (LastUse::NotKnown(None), Some(ago(-hour))),
            (LastUse::NotKnown(Some(ago(1))), Some(ago(1 - hour))),
            (LastUse::NotKnown(Some(ago(hour))), None),
        ] {
            assert_eq!(Tokens::since(last, now).until(), until, "{last:?}");
        }
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
