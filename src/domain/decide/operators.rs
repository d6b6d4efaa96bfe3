//! Adding operators, changing their roles and secrets, ending and renewing their access.

use super::{fresh_ids, lockdown};
use crate::domain::authorize::{Action, authorize};
use crate::domain::basis::Basis;
use crate::domain::command::{Context, KeysAfter};
use crate::domain::event::Event;
use crate::domain::{App, Key, Name, Operator, OperatorId, Refusal, Role, Standing, State};

/// Keys and apps that may change owner in one change: with the operator and the audit entry they fit one commit.
const MAX_GIVEN: usize = 40;

pub(super) fn add(
    state: &State,
    name: &Name,
    role: Role,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::ManageOperators)?;
    if state.operator_named(name.as_str()).is_some() {
        return Err(Refusal::NameTaken { name: name.to_string(), what: "operator" });
    }
    let id =
        fresh_ids(context, OperatorId, |id| state.operator(*id).is_some()).next().ok_or(Refusal::IdTaken)?;
    let created_at = context.now;
    let operator =
        Operator { id, name: name.clone(), role, standing: Standing::Active, created_at, lockdown: None };
    Ok(vec![Event::OperatorAdded(operator)])
}

pub(super) fn set_role(
    state: &State,
    id: OperatorId,
    role: Role,
    basis: Option<Basis>,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::ManageOperators)?;
    let before = find(state, id)?;
    if before.role == role {
        return Err(Refusal::NoChange("they already have that role"));
    }
    let found = Basis::of_role(before.id, before.role);
    Basis::holds(basis, found, || {
        (format!("the role of {}", before.name), format!("it is {}, revision {found}", before.role))
    })?;
    keep_an_admin(state, before)?;
    Ok(vec![Event::RoleSet(Operator { role, ..before.clone() }, before.role)])
}

pub(super) fn set_secret(
    state: &State,
    id: OperatorId,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::SetPassphrase(id))?;
    let before = find(state, id)?;
    if !before.standing.is_active() {
        return Err(Refusal::NoSuchOperator);
    }
    Ok(vec![Event::SecretSet(before.clone())])
}

pub(super) fn enable(state: &State, id: OperatorId, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::ManageOperators)?;
    let before = find(state, id)?;
    if before.standing.is_active() {
        return Err(Refusal::NoChange("they can sign in already"));
    }
    Ok(vec![Event::OperatorEnabled(Operator { standing: Standing::Active, ..before.clone() })])
}

pub(super) fn disable(
    state: &State,
    id: OperatorId,
    keys: KeysAfter,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::ManageOperators)?;
    let before = find(state, id)?;
    let standing = match keys {
        KeysAfter::Work => Standing::DisabledKeysWork(context.now),
        KeysAfter::Stop | KeysAfter::GiveTo(_) => Standing::DisabledKeysStopped(context.now),
    };
    let same = before.standing.keys_work() == standing.keys_work() && !matches!(keys, KeysAfter::GiveTo(_));
    if !before.standing.is_active() && same {
        return Err(Refusal::NoChange("they are disabled already, and so are their keys as you say"));
    }
    keep_an_admin(state, before)?;
    let mut events = vec![Event::OperatorDisabled(Operator { standing, ..before.clone() })];
    if let KeysAfter::GiveTo(heir) = keys {
        lockdown::stays(state, id)?;
        let heir = state.operator(heir).filter(|h| h.id != id && h.may_own()).ok_or(Refusal::BadHeir)?;
        // The dead keys stay where they are: only what still works needs an owner.
        let mut given: Vec<&Key> = state.keys_of(id).filter(|k| !k.state(context.now).is_over()).collect();
        given.sort_by_key(|k| k.id);
        let apps: Vec<_> = state.apps_of(id).filter(|a| !a.is_deleted()).collect();
        let count = given.len() + apps.len();
        if count > MAX_GIVEN {
            return Err(Refusal::TooManyKeys { count, limit: MAX_GIVEN });
        }
        events.extend(
            apps.into_iter().map(|a| Event::AppGiven(App { owner: heir.id, ..a.clone() }, heir.clone())),
        );
        events.extend(
            given.into_iter().map(|k| Event::KeyGiven(Key { owner: heir.id, ..k.clone() }, heir.clone(), id)),
        );
    }
    Ok(events)
}

fn find(state: &State, id: OperatorId) -> Result<&Operator, Refusal> {
    state.operator(id).ok_or(Refusal::NoSuchOperator)
}

/// Refuses to take the last active admin away.
fn keep_an_admin(state: &State, leaving: &Operator) -> Result<(), Refusal> {
    let active_admin = |o: &&Operator| o.role == Role::Admin && o.standing.is_active();
    if active_admin(&leaving) && state.operators().filter(active_admin).count() == 1 {
        return Err(Refusal::LastAdmin);
    }
    Ok(())
}
