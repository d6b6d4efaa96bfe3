//! What time does by itself, and the word that lets it: each sweep goes by the plan of [`crate::domain::lifecycle`] as it is
//! at the moment of the commit, a bounded part of it at a time.

use super::{actor_id, believed};
use crate::domain::authorize::{Action, authorize};
use crate::domain::command::Context;
use crate::domain::event::Event;
use crate::domain::lifecycle::{Grounds, Hold, Pass, Word, plan};
use crate::domain::{Refusal, State};

pub(super) fn sweep(state: &State, pass: Pass, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::Sweep)?;
    believed(context)?;
    if context.complete_since.is_none() {
        return Err(Refusal::UsesIncomplete);
    }
    let grounds = Grounds::of(context.now, false, context.complete_since);
    let events: Vec<Event> = plan(state, grounds).events(pass, context.now).take(Pass::AT_ONCE).collect();
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
