//! Who an allowed request comes from, in the words that are told to whoever answers it. Lent, never kept: it is as it
//! was at the moment of the decision.

use crate::domain::{App, AppId, LocationId, PublicId, ScopeId, SourceApp, State, UserType};

/// What is known of whoever sent an allowed request.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The key; none with an access token.
    pub key: Option<PublicId>,
    /// The key's kind: `agency`, `location` or `app`.
    pub kind: &'static str,
    /// The name of the key or, with an access token, of the app.
    pub name: &'a str,
    /// The operator who owns it; empty when nobody does.
    pub owner: &'a str,
    /// What a key may do; with an access token, what was asked for and found.
    pub scopes: &'a [ScopeId],
    /// The location of a location key.
    pub location: Option<LocationId>,
    /// The app of an app key or access token, what kind of app it is and who signs in through it.
    pub app: Option<(AppId, SourceApp, UserType)>,
}

impl Caller<'_> {
    /// Tells who an access token of `app` speaks for. The token may hold less than the app, so the scopes are those
    /// that were `wanted`.
    pub(super) fn with_token(state: &State, app: &App, wanted: &[ScopeId], tell: impl FnOnce(&Caller<'_>)) {
        tell(&Caller {
            key: None,
            kind: "app",
            name: app.name.as_str(),
            owner: state.operator(app.owner).map_or("", |owner| owner.name.as_str()),
            scopes: wanted,
            location: None,
            app: Some((app.id, app.profile.source, app.profile.user_type)),
        });
    }
}
