//! A key or an app as a review looks at it: what it may do, what of that was needed, and when it was last used, as far as
//! that is known.

use crate::domain::catalog::AuthMethod;
use crate::domain::time::DAY_MS;
use crate::domain::{App, Key, LastUse, OperatorId, ScopeId, Scopes, Timestamp, Trace, View};

/// Rotations that are looked back through.
const LINEAGE: usize = 32;
/// What was counted before is not of these days.
const WEEK_MS: i64 = 7 * DAY_MS;

/// See the module.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Whose it is.
    pub owner: OperatorId,
    /// What it may do.
    pub scopes: &'a Scopes,
    /// When it was last used: of an app, also one of its keys.
    pub last: LastUse,
    /// Since when it is there.
    pub made: Timestamp,
    /// What is noted of it.
    trace: Option<&'a Trace>,
    /// The key it took over from, by rotation: what that needed it needs.
    before: Option<&'a Key>,
    /// Whether what its requests needed is told of it, and not of something of it.
    is_told: bool,
    /// Whether nobody ever did anything that takes one of its scopes.
    is_untouched: bool,
    view: View<'a>,
}

impl<'a> About<'a> {
    /// A key.
    pub fn key(view: View<'a>, key: &'a Key) -> Self {
        let last = view.last_use(key);
        Self {
            name: key.name.as_str(),
            owner: key.owner,
            scopes: &key.scopes,
            last,
            made: key.created_at,
            trace: view.trace(key),
            before: key.succeeds.and_then(|id| view.state().key(id)),
            is_told: true,
            is_untouched: last == LastUse::Never,
            view,
        }
    }

    /// An app. What its keys need is told of them.
    pub fn app(view: View<'a>, app: &'a App) -> Self {
        let by_token = view.last_use_since(view.app_usage(app).last_used_at, app.created_at);
        let tokens = app.method == AuthMethod::Jwt;
        Self {
            name: app.name.as_str(),
            owner: app.owner,
            scopes: &app.scopes,
            last: view.last_use_of_app(app),
            made: app.created_at,
            trace: view.app_trace(app),
            before: None,
            is_told: tokens,
            is_untouched: tokens && by_token == LastUse::Never,
            view,
        }
    }

    /// What requests with it needed, and with those it took over from.
    fn traces(self) -> impl Iterator<Item = &'a Trace> {
        let state = self.view.state();
        let before = move |key: &&'a Key| key.succeeds.and_then(|id| state.key(id));
        let lineage = std::iter::successors(self.before, before).take(LINEAGE);
        let all = self.trace.into_iter().chain(lineage.filter_map(move |key| state.trace(key.id)));
        all.filter(move |_| self.is_told)
    }

    /// Whether any request said what it needs.
    fn says_what_it_needs(self) -> bool {
        self.traces().any(|trace| !trace.scopes().is_empty())
    }

    /// How many requests of the last seven days were refused, where that is often.
    pub fn denied_often(self, now: Timestamp) -> Option<u64> {
        let denied = self.trace?.denied()?;
        (denied.count > 0 && now.since(denied.at) < WEEK_MS).then_some(denied.count)
    }

    /// When a scope was last needed; `None` where no request says what it needs.
    pub fn needed(&self, scope: &ScopeId) -> Option<LastUse> {
        if self.says_what_it_needs() {
            let at = self.traces().filter_map(|trace| trace.scope_used_at(scope)).max();
            return Some(self.view.last_use_since(at, self.made));
        }
        self.is_untouched.then_some(LastUse::Never)
    }

    /// How many of its scopes were needed, where that is known.
    pub fn needed_count(&self) -> Option<usize> {
        if self.says_what_it_needs() {
            let needed = |scope: &&ScopeId| self.traces().any(|trace| trace.scope_used_at(scope).is_some());
            return Some(self.scopes.iter().filter(needed).count());
        }
        self.is_untouched.then_some(0)
    }

    /// The scopes of which it is certain that no request has needed them, by name.
    pub fn unneeded(self) -> impl Iterator<Item = &'a ScopeId> {
        self.scopes.iter().filter(move |scope| self.needed(scope) == Some(LastUse::Never))
    }

    /// Those of them that can be taken away so that something is left.
    pub fn surplus(self) -> Vec<&'a ScopeId> {
        let unneeded: Vec<_> = self.unneeded().collect();
        if unneeded.len() < self.scopes.len() { unneeded } else { Vec::new() }
    }
}
