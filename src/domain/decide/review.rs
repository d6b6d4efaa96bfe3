//! Signing a review off.

use std::collections::BTreeSet;

use super::actor_id;
use super::keys::{LIVE, find, need};
use crate::domain::authorize::{Action, authorize};
use crate::domain::command::Context;
use crate::domain::event::Event;
use crate::domain::lifecycle::Word;
use crate::domain::name::BadText;
use crate::domain::review::{Concern, Keep, Kept, Looked, Reviewer, Signed};
use crate::domain::{Key, Note, Refusal, State, View};

pub(super) fn sign(
    state: &State,
    looked: &[Looked],
    kept: &[Keep],
    note: &Note,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::SignReview)?;
    let limit = Signed::MOST;
    let once: BTreeSet<_> = kept.iter().map(|keep| keep.key).collect();
    let codes: BTreeSet<_> = looked.iter().map(|looked| looked.code.as_str()).collect();
    let is_told = codes.len() == looked.len() && codes.iter().all(|code| Concern::CODES.contains(code));
    if kept.len() > limit || once.len() < kept.len() || !is_told {
        return Err(Refusal::BadSignOff { limit });
    }
    let view = View::new(state, context.actor);
    let by = Reviewer { view, catalog: context.catalog, now: context.now };
    let word = Word { by: actor_id(context), at: context.now };
    let mut events = vec![Event::ReviewSigned(Signed { looked: looked.to_vec(), note: note.clone() })];
    for Keep { key, why } in kept {
        let key = find(state, *key, context)?;
        need(key, LIVE, None, context)?;
        if why.as_str().is_empty() {
            return Err(Refusal::BadText { field: "why", why: BadText::NoReason });
        }
        let kept = Kept::new(why.clone(), word, &by.of_key(key, false));
        events.push(Event::ReviewKept(Key { kept: Some(Box::new(kept)), ..key.clone() }));
    }
    Ok(events)
}
