//! Locking everything of somebody or something down, and lifting that again.

use super::actor_id;
use crate::domain::authorize::{Action, authorize};
use crate::domain::basis::Basis;
use crate::domain::command::Context;
use crate::domain::event::Event;
use crate::domain::lockdown::{Extent, Lockdown, Locked};
use crate::domain::{AppStatus, Note, OperatorId, Refusal, Role, State};

/// One lockdown of a thing stands at a time. That of an owner who locked their own down is an admin's from when an admin says the
/// same: then it is no more for the owner to lift.
pub(super) fn begin(
    state: &State,
    what: Extent,
    why: &Note,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::LockDown(what))?;
    let found = Locked::find(state, what)?;
    match &found {
        Locked::Location(location) if !location.is_open() => return Err(Refusal::NoSuchLocation),
        Locked::App(app) if matches!(app.status, AppStatus::Deleted(_)) => {
            return Err(Refusal::WrongAppState { state: "deleted", why: "nothing of it works." });
        }
        Locked::Agency(_) | Locked::Operator(_) | Locked::Location(_) | Locked::App(_) => {}
    }
    let by = actor_id(context);
    let stands = state.lockdown(what);
    if stands.is_some_and(|stands| stands.by == by || is_admin(state, stands.by)) {
        return Err(Refusal::NoChange("it is locked down already"));
    }
    let since = stands.map_or(context.now, |stands| stands.since);
    let lockdown = Lockdown { since, by, why: why.clone(), lifted: None };
    Ok(vec![Event::LockedDown(found.with(lockdown))])
}

pub(super) fn lift(
    state: &State,
    what: Extent,
    basis: Option<Basis>,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let stands = state.lockdown(what);
    // Who may not lift it is told no more where none stands.
    let by = stands.map_or(actor_id(context), |stands| stands.by);
    authorize(state, &context.actor, Action::LiftLockdown(what, by))?;
    let found = Locked::find(state, what)?;
    let stands = stands.ok_or(Refusal::NoChange("it is not locked down"))?;
    Basis::holds(basis, Basis::of_lockdown(what, stands), || {
        let by = state.operator(stands.by).map_or("somebody", |by| by.name.as_str());
        ("the lockdown".to_owned(), format!("it is that of {by} since {}", stands.since))
    })?;
    Ok(vec![Event::LockdownLifted(found.with(Lockdown { lifted: Some(context.now), ..stands.clone() }))])
}

/// Refuses to give away what is refused as long as its owner is locked down: it would work for somebody else.
pub(super) fn stays(state: &State, owner: OperatorId) -> Result<(), Refusal> {
    if state.lockdown(Extent::Owner(owner)).is_none() {
        return Ok(());
    }
    let name = state.operator(owner).map_or_else(String::new, |owner| owner.name.to_string());
    Err(Refusal::LockedDown { name })
}

fn is_admin(state: &State, who: OperatorId) -> bool {
    state.operator(who).is_some_and(|who| who.role == Role::Admin)
}
