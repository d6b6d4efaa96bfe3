//! A key or an app as a review looks at it: what it may do, what of that was needed, and when it was last used, as far as
//! that is known.

use crate::domain::catalog::AuthMethod;
use crate::domain::{App, Key, LastUse, OperatorId, ScopeId, Scopes, Timestamp, Trace, View};

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
    /// What requests said that they needed, if any has said so.
    told: Option<&'a Trace>,
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
            told: told(view.trace(key)),
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
            told: told(view.app_trace(app)).filter(|_| tokens),
            is_untouched: tokens && by_token == LastUse::Never,
            view,
        }
    }

    /// When a scope was last needed; `None` where no request says what it needs.
    pub fn needed(&self, scope: &ScopeId) -> Option<LastUse> {
        let told = self.told.map(|trace| self.view.last_use_since(trace.scope_used_at(scope), self.made));
        told.or(self.is_untouched.then_some(LastUse::Never))
    }

    /// How many of its scopes were needed, where that is known.
    pub fn needed_count(&self) -> Option<usize> {
        self.told.map(|trace| trace.scopes().len()).or(self.is_untouched.then_some(0))
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

fn told(trace: Option<&Trace>) -> Option<&Trace> {
    trace.filter(|trace| !trace.scopes().is_empty())
}
