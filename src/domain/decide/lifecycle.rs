//! What time does by itself, and the word that lets it: each sweep goes by the plan of [`crate::domain::lifecycle`] as it is
//! at the moment of the commit, a bounded part of it at a time.

use super::actor_id;
use crate::domain::authorize::{Action, authorize};
use crate::domain::command::Context;
use crate::domain::event::Event;
use crate::domain::key::{Key, Status};
use crate::domain::lifecycle::{Grounds, Hold, Plan, Word, plan};
use crate::domain::{Refusal, State};

/// Keys one commit is about: their records and its entry must fit it.
const AT_ONCE: usize = 64;

pub(super) fn give_notices(state: &State, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    due(planned(state, context)?.notices, |(key, cycle, told)| Event::NoticeGiven(key.clone(), cycle, told))
}

pub(super) fn renew_notices(state: &State, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    due(planned(state, context)?.renewed, |(key, cycle)| Event::NoticesRenewed(key.clone(), cycle))
}

pub(super) fn delete_unused(state: &State, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let status = Status::Deleted(context.now);
    due(planned(state, context)?.deletions, |key| Event::KeyDeleted(Key { status, ..key.clone() }))
}

pub(super) fn hold_deletions(state: &State, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    due(planned(state, context)?.hold.into_iter().collect(), Event::DeletionsHeld)
}

pub(super) fn purge_deleted(state: &State, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let purged = |key: &Key| Event::KeyPurged(key.purged(context.now), Box::new(key.clone()));
    due(planned(state, context)?.purges, purged)
}

fn planned<'s>(state: &'s State, context: &Context<'_>) -> Result<Plan<'s>, Refusal> {
    authorize(state, &context.actor, Action::Sweep)?;
    Ok(plan(state, Grounds::of(context.now, context.doubted.is_some(), context.complete_since)?))
}

fn due<T>(all: Vec<T>, event: impl Fn(T) -> Event) -> Result<Vec<Event>, Refusal> {
    let events: Vec<Event> = all.into_iter().take(AT_ONCE).map(event).collect();
    if events.is_empty() { Err(Refusal::NoChange("nothing is due")) } else { Ok(events) }
}

pub(super) fn confirm_hold(state: &State, count: u32, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::ConfirmHold)?;
    let hold = state.hold();
    if hold.is_empty() {
        return Err(Refusal::NoChange("no deletion waits for a word"));
    }
    if hold.confirmed.is_some() {
        return Err(Refusal::NoChange("that was said already; the next sweep deletes them"));
    }
    if hold.keys.len() != count as usize {
        return Err(Refusal::OtherHold { held: hold.keys.len(), said: count });
    }
    let word = Word { by: actor_id(context), at: context.now };
    Ok(vec![Event::HoldConfirmed(Hold { confirmed: Some(word), ..hold.clone() })])
}
