//! Issuing keys, and all that can be done to one afterwards.

use super::{actor_id, apps, believed};
use crate::domain::authorize::{Action, authorize, fits};
use crate::domain::basis::Basis;
use crate::domain::catalog::{AuthMethod, Level};
use crate::domain::command::{Command, Context, NewKey};
use crate::domain::event::Event;
use crate::domain::time::DAY_MS;
use crate::domain::{
    AppId, Expiry, Key, KeyId, KeyState, Location, Place, Policy, Refusal, Scopes, State, Status, Timestamp,
};

pub(super) fn decide(state: &State, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::IssueKey(new) => return Ok(vec![Event::KeyIssued(issue(state, new, context)?)]),
        Command::ImportKey(new) => {
            let key = issue(state, new, context)?;
            // Without it the key would be one that nothing recognises.
            return if key.imported.is_some() {
                Ok(vec![Event::KeyImported(key)])
            } else {
                Err(Refusal::IdTaken)
            };
        }
        _ => {}
    }
    let key = command.key().and_then(|id| state.key(id)).ok_or(Refusal::NoSuchKey)?;
    authorize(state, &context.actor, Action::ManageKey(key))?;
    let now = context.now;
    let at_present = key.state(now);
    if !fits(at_present, command) {
        return Err(Refusal::WrongState { state: at_present, why: why_not(at_present, command) });
    }
    let with = |status| Key { status, ..key.clone() };
    let event = match command {
        Command::PauseKey(_) => Event::KeyPaused(with(Status::Paused(now))),
        Command::ResumeKey(_) => Event::KeyResumed(with(Status::Active)),
        Command::RevokeKey(_) => Event::KeyRevoked(with(Status::Revoked(now))),
        Command::DeleteKey(_) => Event::KeyDeleted(with(Status::Deleted(now))),
        Command::RestoreKey(_) => {
            if let Some(ended) = key.restorable_until().filter(|end| now >= *end) {
                return Err(Refusal::RestoreTooLate { ended });
            }
            Event::KeyRestored(with(Status::Revoked(now)))
        }
        Command::RescopeKey { scopes, basis, .. } => {
            let scopes = check_scopes(scopes, level_of(key.place), AuthMethod::ApiKey, context)?;
            if let Some(app) = key.place.app() {
                within_app(state, app, &scopes)?;
            }
            let after = Key { scopes, ..key.clone() };
            if after.scopes == key.scopes {
                return Err(Refusal::NoChange("the key has exactly these scopes"));
            }
            let found = Basis::of_key(key.id, &key.scopes);
            Basis::holds(*basis, found, || {
                (format!("the key {}", key.name), format!("it may do {}, revision {found}", key.scopes))
            })?;
            Event::KeyRescoped(after, key.scopes.clone())
        }
        _ => return Err(Refusal::NoSuchKey),
    };
    Ok(vec![event])
}

fn issue(state: &State, new: &NewKey, context: &Context<'_>) -> Result<Key, Refusal> {
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
    let owner = actor_id(context);
    name_is_free(state, new, context)?;
    let limit = state.policy().keys_per_operator;
    if state.live_keys_of(owner, now) >= limit as usize {
        return Err(Refusal::QuotaReached { limit });
    }
    if let Some(app) = new.place.app() {
        apps::check_app(state, app, context)?;
    }
    let scopes = check_scopes(&new.scopes, level_of(new.place), AuthMethod::ApiKey, context)?;
    if let Some(app) = new.place.app() {
        within_app(state, app, &scopes)?;
    }
    let expiry = expiry(state.policy(), new, now)?;
    if expiry != Expiry::Never {
        believed(context)?;
    }
    let minted = context.minted.as_ref().ok_or(Refusal::IdTaken)?;
    let id = KeyId(minted.id);
    if state.key(id).is_some() {
        return Err(Refusal::IdTaken);
    }
    Ok(Key {
        id,
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
    })
}

/// An operator's live keys have different names, so that a name typed later means one key.
fn name_is_free(state: &State, new: &NewKey, context: &Context<'_>) -> Result<(), Refusal> {
    let taken = state.live_key_named(actor_id(context), &new.name, context.now).is_some();
    if taken { Err(Refusal::NameTaken { name: new.name.to_string(), what: "key of yours" }) } else { Ok(()) }
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

/// A key may do no more than its app.
fn within_app(state: &State, app: AppId, scopes: &Scopes) -> Result<(), Refusal> {
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
    let chosen = match new.expiry {
        Some(chosen) => chosen,
        // The default bends to the limit: only an explicit wish can break it.
        None => match (default, policy.max_life) {
            (None, None) => Expiry::Never,
            (Some(days), None) | (None, Some(days)) => life(now, days)?,
            (Some(days), Some(limit)) => life(now, days.min(limit))?,
        },
    };
    if let Expiry::At(at) = chosen {
        Expiry::at(at, now).map_err(Refusal::BadExpiry)?;
    }
    if let Some(limit) = policy.max_life {
        let fits = match chosen {
            Expiry::Never => false,
            Expiry::At(at) => at.since(now) <= i64::from(limit) * DAY_MS,
        };
        if !fits {
            return Err(Refusal::LifeTooLong { limit });
        }
    }
    Ok(chosen)
}

fn life(now: Timestamp, days: u32) -> Result<Expiry, Refusal> {
    now.plus_days(days).map(Expiry::At).ok_or(Refusal::LifeTooLong { limit: days })
}

const fn why_not(state: KeyState, command: &Command) -> &'static str {
    match (state, command) {
        (KeyState::Revoked, Command::RevokeKey(_)) => "it does not work any more already.",
        (KeyState::Revoked, _) => "that is final. Issue a new key.",
        (KeyState::Deleted, _) => "restore it first; its secret stays dead.",
        (KeyState::Expired, _) => "its time is over. Issue a new key.",
        (KeyState::Paused, Command::PauseKey(_)) => "it is stopped already.",
        (KeyState::Active, Command::ResumeKey(_)) => "it works already.",
        (_, Command::RestoreKey(_)) => "only a deleted key can be restored.",
        _ => "that is not possible now.",
    }
}
