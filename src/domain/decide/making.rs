//! Making keys, issued or taken over from elsewhere: where, whose, of what name, with which scopes and until when.

use super::{actor_id, believed};
use crate::domain::app::KEYS_PER_APP;
use crate::domain::authorize::{Action, authorize};
use crate::domain::catalog::{AuthMethod, Level};
use crate::domain::command::{Context, Minted, NewKey};
use crate::domain::decoy::Decoy;
use crate::domain::event::Event;
use crate::domain::name::BadText;
use crate::domain::time::DAY_MS;
use crate::domain::{
    AppId, Expiry, Key, KeyId, Location, Name, Operator, OperatorId, Place, Policy, PublicId, Refusal,
    Scopes, State, Status, Timestamp,
};

pub(super) fn issue(state: &State, new: &NewKey, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    Ok(vec![Event::KeyIssued(made(state, new, actor_id(context), context)?)])
}

pub(super) fn import(
    state: &State,
    new: &NewKey,
    owner: Option<OperatorId>,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let owner = owner.unwrap_or(actor_id(context));
    if owner != actor_id(context) {
        authorize(state, &context.actor, Action::ManageOperators)?;
    }
    let key = made(state, new, owner, context)?;
    // Without it the key would be one that nothing recognises.
    if key.imported.is_some() { Ok(vec![Event::KeyImported(key)]) } else { Err(Refusal::IdTaken) }
}

/// Whoever another live key of that name may be given to.
pub(super) fn may_be_theirs<'s>(
    state: &'s State,
    to: OperatorId,
    name: &Name,
    context: &Context<'_>,
) -> Result<&'s Operator, Refusal> {
    let heir = state.operator(to).filter(|heir| heir.may_own()).ok_or(Refusal::BadHeir)?;
    if let Some(same) = state.live_key_named(to, name, context.now) {
        return Err(Refusal::NameTaken { name: same.name.to_string(), what: "key of theirs" });
    }
    let limit = state.policy().keys_per_operator;
    if state.live_keys_of(to, context.now) >= limit as usize {
        return Err(Refusal::HeirFull { name: heir.name.to_string(), limit });
    }
    Ok(heir)
}

fn made(state: &State, new: &NewKey, owner: OperatorId, context: &Context<'_>) -> Result<Key, Refusal> {
    let now = context.now;
    authorize(
        state,
        &context.actor,
        match new.place {
            Place::Agency => Action::IssueAgencyKey,
            Place::Location(_) => Action::IssueLocationKey,
            Place::App(_) => Action::CreateApp,
        },
    )?;
    if let Some(location) = new.place.location()
        && !state.location(location).is_some_and(Location::is_open)
    {
        return Err(Refusal::NoSuchLocation);
    }
    if owner == actor_id(context) {
        name_is_free(state, owner, None, &new.name, now)?;
        there_is_room(state, owner, context)?;
    } else {
        is_no_id(state, &new.name)?;
        may_be_theirs(state, owner, &new.name, context)?;
    }
    if let Some(app) = new.place.app() {
        check_app(state, app, context)?;
    }
    let scopes = check_scopes(&new.scopes, level_of(new.place), AuthMethod::ApiKey, context)?;
    if let Some(app) = new.place.app() {
        within_app(state, app, &scopes)?;
    }
    let expiry = expiry(state.policy(), new, now)?;
    if expiry != Expiry::Never {
        believed(context)?;
    }
    let minted = minted(state, context)?;
    Ok(Key {
        id: KeyId(minted.id),
        name: new.name.clone(),
        place: new.place,
        owner,
        scopes,
        note: new.note.clone(),
        created_at: now,
        expiry,
        status: Status::Active,
        verifier: minted.verifier,
        imported: minted.imported.clone(),
        counted_from: None,
        protection: None,
        notice_days: None,
        contacts: None,
        succeeds: None,
        superseded: None,
        motive: None,
        pause_ends: None,
        handed: None,
        decoy: new.decoy.then_some(Decoy),
        report_only: None,
        kept: None,
    })
}

/// What recognises the token that was made for a new key, under an id that no other has.
pub(super) fn minted<'c>(state: &State, context: &'c Context<'_>) -> Result<&'c Minted, Refusal> {
    context.minted.as_ref().filter(|minted| state.key(KeyId(minted.id)).is_none()).ok_or(Refusal::IdTaken)
}

/// Refuses another live key for whoever has as many as the policy allows.
pub(super) fn there_is_room(state: &State, owner: OperatorId, context: &Context<'_>) -> Result<(), Refusal> {
    let limit = state.policy().keys_per_operator;
    if state.live_keys_of(owner, context.now) < limit as usize {
        Ok(())
    } else {
        Err(Refusal::QuotaReached { limit })
    }
}

/// Refuses a name that is the id of a key or an app: a command with it would be about that one.
pub(super) fn is_no_id(state: &State, name: &Name) -> Result<(), Refusal> {
    let id: Option<PublicId> = name.as_str().parse().ok();
    match id.filter(|id| state.key(KeyId(*id)).is_some() || state.app(AppId(*id)).is_some()) {
        Some(_) => Err(Refusal::BadText { field: "name", why: BadText::LikeAnId }),
        None => Ok(()),
    }
}

/// An operator's live keys have different names, so that a name typed later means one key.
pub(super) fn name_is_free(
    state: &State,
    owner: OperatorId,
    but: Option<KeyId>,
    name: &Name,
    now: Timestamp,
) -> Result<(), Refusal> {
    is_no_id(state, name)?;
    match state.live_key_named(owner, name, now) {
        Some(key) if Some(key.id) != but => {
            let what = if but.is_some() { "key of the same owner" } else { "key of yours" };
            Err(Refusal::NameTaken { name: name.to_string(), what })
        }
        _ => Ok(()),
    }
}

pub(super) fn check_scopes(
    wanted: &[String],
    level: Level,
    method: AuthMethod,
    context: &Context<'_>,
) -> Result<Scopes, Refusal> {
    if wanted.is_empty() {
        return Err(Refusal::NoScopes);
    }
    context.catalog.check(wanted.iter().map(String::as_str), level, method).map_err(Refusal::Scopes)
}

/// Checks that a key may be issued for an app.
fn check_app(state: &State, app: AppId, context: &Context<'_>) -> Result<(), Refusal> {
    let app = state.app(app).ok_or(Refusal::NoSuchApp)?;
    authorize(state, &context.actor, Action::ManageApp(app))?;
    if app.is_deleted() {
        return Err(Refusal::WrongAppState { state: "deleted", why: "no key of it would work." });
    }
    if app.method != AuthMethod::ApiKey {
        return Err(Refusal::AppWithoutKeys { name: app.name.to_string() });
    }
    if state.keys_of_app(app.id).filter(|k| k.state(context.now).is_live()).count() >= KEYS_PER_APP {
        return Err(Refusal::AppFull { limit: KEYS_PER_APP });
    }
    Ok(())
}

/// A key may do no more than its app.
pub(super) fn within_app(state: &State, app: AppId, scopes: &Scopes) -> Result<(), Refusal> {
    let app = state.app(app).ok_or(Refusal::NoSuchApp)?;
    let beyond = scopes.difference(&app.scopes);
    if beyond.is_empty() { Ok(()) } else { Err(Refusal::BeyondApp { scopes: beyond.to_string() }) }
}

/// The catalog's level for keys of a place.
pub const fn level_of(place: Place) -> Level {
    match place {
        Place::Agency => Level::Agency,
        Place::Location(_) => Level::Location,
        Place::App(_) => Level::App,
    }
}

fn expiry(policy: &Policy, new: &NewKey, now: Timestamp) -> Result<Expiry, Refusal> {
    let default = match new.place {
        Place::Agency => policy.default_life_agency,
        Place::Location(_) => policy.default_life_location,
        Place::App(_) => policy.default_life_app,
    };
    // How long access lasts is no concern of what gives none.
    let limit = policy.max_life.filter(|_| !new.decoy);
    let chosen = match new.expiry {
        Some(chosen) => chosen,
        // The default bends to the limit: only an explicit wish can break it.
        None if new.decoy => Expiry::Never,
        None => match (default, limit) {
            (None, None) => Expiry::Never,
            (Some(days), None) | (None, Some(days)) => life(now, days)?,
            (Some(days), Some(limit)) => life(now, days.min(limit))?,
        },
    };
    within_limits(limit, chosen, now)?;
    Ok(chosen)
}

/// Refuses an end that is no end, or one beyond the longest life in days, where there is one.
pub(super) fn within_limits(limit: Option<u32>, chosen: Expiry, now: Timestamp) -> Result<(), Refusal> {
    if let Expiry::At(at) = chosen {
        Expiry::at(at, now).map_err(Refusal::BadExpiry)?;
    }
    if let Some(limit) = limit {
        let fits = match chosen {
            Expiry::Never => false,
            Expiry::At(at) => at.since(now) <= i64::from(limit) * DAY_MS,
        };
        if !fits {
            return Err(Refusal::LifeTooLong { limit });
        }
    }
    Ok(())
}

fn life(now: Timestamp, days: u32) -> Result<Expiry, Refusal> {
    now.plus_days(days).map(Expiry::At).ok_or(Refusal::LifeTooLong { limit: days })
}
