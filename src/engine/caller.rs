//! Who an allowed request comes from, in the words that are told to whoever answers it. Lent, never kept: it is as it
//! was at the moment of the decision.

use std::fmt;

use super::table::Hit;
use crate::domain::{App, AppId, LocationId, PublicId, ScopeId, SourceApp, State, UserType};

/// What is known of whoever sent an allowed request.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The key; none with an access token.
    pub key: Option<PublicId>,
    /// The key's kind: `agency`, `location` or `app`.
    pub kind: &'static str,
    pub(super) named: Named<'a>,
    /// The operator who owns it; empty when nobody does.
    pub owner: &'a str,
    /// What a key may do; with an access token, what was asked for and found.
    pub scopes: &'a [ScopeId],
    /// The location of a location key.
    pub location: Option<LocationId>,
    /// The app of an app key or access token, what kind of app it is and who signs in through it.
    pub app: Option<(AppId, SourceApp, UserType)>,
}

/// Where a name is to be had: nobody reads it unless somebody asks.
#[derive(Clone, Copy)]
pub(super) enum Named<'a> {
    Here(&'a str),
    InTable(Hit<'a>),
}

impl fmt::Debug for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.text(), f)
    }
}

impl<'a> Named<'a> {
    fn text(&self) -> &'a str {
        match self {
            Self::Here(text) => text,
            Self::InTable(hit) => hit.name(),
        }
    }
}

impl<'a> Caller<'a> {
    /// The name of the key or, with an access token, of the app.
    pub fn name(&self) -> &'a str {
        self.named.text()
    }
}

impl Caller<'_> {
    /// Tells who an access token of `app` speaks for. The token may hold less than the app, so the scopes are those
    /// that were `wanted`.
    pub(super) fn with_token(state: &State, app: &App, wanted: &[ScopeId], tell: impl FnOnce(&Caller<'_>)) {
        tell(&Caller {
            key: None,
            kind: "app",
            named: Named::Here(app.name.as_str()),
            owner: state.operator(app.owner).map_or("", |owner| owner.name.as_str()),
            scopes: wanted,
            location: None,
            app: Some((app.id, app.profile.source, app.profile.user_type)),
        });
    }
}
