//! Creating apps, and all that can be done to one afterwards.

use super::{actor_id, making};
use crate::domain::app::{KEYS_PER_APP, Revoked, RevokedTokens, URLS_MAX};
use crate::domain::authorize::{Action, authorize};
use crate::domain::basis::Basis;
use crate::domain::catalog::{AuthMethod, Level};
use crate::domain::command::{Context, NewApp};
use crate::domain::event::Event;
use crate::domain::signing::PartyName;
use crate::domain::{
    App, AppId, AppStatus, Key, Name, OperatorId, Profile, Refusal, Scopes, State, Status, Terms, TokenAlg,
    Url,
};

pub(super) fn pause(state: &State, id: AppId, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let app = living(state, id, context)?;
    if app.status != AppStatus::Active {
        return Err(Refusal::WrongAppState { state: "paused", why: "it is stopped already." });
    }
    Ok(vec![Event::AppPaused(App { status: AppStatus::Paused(context.now), ..app.clone() })])
}

pub(super) fn resume(state: &State, id: AppId, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let app = living(state, id, context)?;
    if app.status == AppStatus::Active {
        return Err(Refusal::WrongAppState { state: "active", why: "it works already." });
    }
    Ok(vec![Event::AppResumed(App { status: AppStatus::Active, ..app.clone() })])
}

pub(super) fn delete(state: &State, id: AppId, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let app = living(state, id, context)?;
    let now = context.now;
    let mut events = vec![Event::AppDeleted(App { status: AppStatus::Deleted(now), ..app.clone() })];
    let takes_along = |k: &&Key| !matches!(k.status, Status::Revoked(_) | Status::Deleted(_));
    let mut keys: Vec<_> = state.keys_of_app(app.id).filter(takes_along).collect();
    // What still works comes first; the rest is refused through the app in any case.
    keys.sort_by_key(|key| (key.state(now).is_over(), key.id));
    events.extend(
        keys.into_iter()
            .take(2 * KEYS_PER_APP)
            .map(|k| Event::KeyRevoked(Key { status: Status::Revoked(now), ..k.clone() })),
    );
    Ok(events)
}

/// The app, if the actor may change it and it still is there.
pub(super) fn living<'s>(state: &'s State, id: AppId, context: &Context<'_>) -> Result<&'s App, Refusal> {
    let app = state.app(id).ok_or(Refusal::NoSuchApp)?;
    authorize(state, &context.actor, Action::ManageApp(app))?;
    if app.is_deleted() {
        return Err(Refusal::WrongAppState { state: "deleted", why: "that is final. Create a new app." });
    }
    Ok(app)
}

/// Revokes one access token; too many at a time revoke all there are.
pub(super) fn revoke_token(
    state: &State,
    id: AppId,
    token: &Revoked,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::RevokeToken)?;
    let app = state.app(id).ok_or(Refusal::NoSuchApp)?;
    let mut tokens: Vec<_> = state.revoked_tokens(app.id).to_vec();
    tokens.retain(|old| old.until >= context.now && old.token != token.token);
    if tokens.len() >= RevokedTokens::MAX {
        let none = RevokedTokens { app: app.id, tokens: Vec::new() };
        let after = app.without_tokens(context.now);
        return Ok(vec![Event::TokenRevoked(app.clone(), none), Event::AppTokensEnded(after)]);
    }
    tokens.push(token.clone());
    Ok(vec![Event::TokenRevoked(app.clone(), RevokedTokens { app: app.id, tokens })])
}

pub(super) fn create(state: &State, new: &NewApp, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::CreateApp)?;
    let owner = actor_id(context);
    name_is_free(state, owner, None, &new.name)?;
    check_profile(&new.profile)?;
    check_terms(new)?;
    let scopes = check_scopes(new, context)?;
    let minted = context.minted.as_ref().ok_or(Refusal::IdTaken)?;
    let id = AppId(minted.id);
    if state.app(id).is_some() {
        return Err(Refusal::IdTaken);
    }
    Ok(vec![Event::AppCreated(App {
        id,
        name: new.name.clone(),
        owner,
        profile: new.profile.clone(),
        method: new.method,
        scopes,
        created_at: context.now,
        status: AppStatus::Active,
        secret: minted.verifier,
        not_before: context.now,
        replaced: None,
        spent: None,
        lockdown: None,
        handed: None,
        terms: new.terms.kept(),
    })])
}

pub(super) fn edit(
    state: &State,
    id: AppId,
    change: &NewApp,
    basis: Option<Basis>,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let app = living(state, id, context)?;
    name_is_free(state, app.owner, Some(app.id), &change.name)?;
    check_profile(&change.profile)?;
    if change.method != app.method {
        return Err(Refusal::NoChange("how an app authenticates stays as it was made; create another app"));
    }
    check_terms(change)?;
    let scopes = check_scopes(change, context)?;
    let after = App {
        name: change.name.clone(),
        profile: change.profile.clone(),
        scopes: scopes.clone(),
        terms: change.terms.kept(),
        ..app.clone()
    };
    if after == *app {
        return Err(Refusal::NoChange("the app is exactly so"));
    }
    // Tokens that promise more than the app may do are refused, and nothing it may do again brings those back. Nor are tokens
    // good that were made in another way or for others.
    let ends_tokens = !scopes.is_subset(&app.scopes) || app.terms != after.terms;
    let after = if ends_tokens { after.without_tokens(context.now) } else { after };
    let found = Basis::of_app(app);
    Basis::holds(basis, found, || {
        let show = format!("`keydeck app show {}` tells how it is, revision {found}", app.id);
        (format!("the app {}", app.name), show)
    })?;
    let mut events = vec![Event::AppEdited(after, Box::new(app.clone()))];
    if scopes != app.scopes {
        let works = state.keys_of_app(app.id).filter(|k| !k.state(context.now).is_over());
        for key in works {
            let kept = if key.scopes == app.scopes { scopes.clone() } else { common(&key.scopes, &scopes) };
            if kept.is_empty() {
                return Err(Refusal::KeyLeftEmpty { name: key.name.to_string() });
            }
            if kept != key.scopes {
                events.push(Event::KeyRescoped(
                    Key { scopes: kept, report_only: None, ..key.clone() },
                    key.scopes.clone(),
                ));
            }
        }
    }
    Ok(events)
}

fn common(one: &Scopes, other: &Scopes) -> Scopes {
    one.difference(&one.difference(other))
}

fn check_scopes(new: &NewApp, context: &Context<'_>) -> Result<Scopes, Refusal> {
    if new.method == AuthMethod::ResourceServer {
        let none = new.scopes.is_empty().then(Scopes::default);
        return none.ok_or(Refusal::TermsWithoutTokens { method: new.method });
    }
    making::check_scopes(&new.scopes, Level::App, new.method, context)
}

/// What is said of access tokens is for apps that have some; of an app that checks them, whom it does so for.
fn check_terms(new: &NewApp) -> Result<(), Refusal> {
    let Terms { alg, audiences } = &new.terms;
    let apart = match new.method {
        AuthMethod::Jwt => true,
        AuthMethod::ResourceServer => *alg == TokenAlg::default(),
        AuthMethod::ApiKey => new.terms == Terms::default(),
    };
    if !apart {
        return Err(Refusal::TermsWithoutTokens { method: new.method });
    }
    let twice = |(at, name): (usize, &PartyName)| audiences.iter().skip(at + 1).any(|other| other == name);
    if audiences.len() > Terms::AUDIENCES || audiences.iter().enumerate().any(twice) {
        return Err(Refusal::Audiences { limit: Terms::AUDIENCES });
    }
    Ok(())
}

fn check_profile(profile: &Profile) -> Result<(), Refusal> {
    for (field, list) in
        [("post-login URLs", &profile.post_login), ("post-logout URLs", &profile.post_logout)]
    {
        let twice = |(at, url): (usize, &Url)| list.iter().skip(at + 1).any(|other| other == url);
        if list.len() > URLS_MAX || list.iter().enumerate().any(twice) {
            return Err(Refusal::UrlList { field, limit: URLS_MAX });
        }
    }
    Ok(())
}

/// The apps of one owner that are not deleted have different names.
fn name_is_free(state: &State, owner: OperatorId, but: Option<AppId>, name: &Name) -> Result<(), Refusal> {
    making::is_no_id(state, name)?;
    if state.app_named(owner, name, but).is_some() {
        Err(Refusal::NameTaken { name: name.to_string(), what: "app of yours" })
    } else {
        Ok(())
    }
}
