//! Signing a review off.

use std::collections::BTreeSet;

use super::actor_id;
use super::keys::{LIVE, find, need};
use crate::domain::authorize::{Action, authorize};
use crate::domain::command::Context;
use crate::domain::event::Event;
use crate::domain::lifecycle::Word;
use crate::domain::name::BadText;
use crate::domain::review::{Breadth, Concern, Keep, Kept, Looked, Reviewer, Signed, looked, review};
use crate::domain::{Key, Note, Refusal, State, View};

/// What the review says now, to whoever signs it.
fn found(by: Reviewer<'_>) -> Vec<Looked> {
    let said: Vec<_> = review(by, Breadth::Telling).iter().map(|row| by.of(row)).collect();
    looked(said.iter().map(Vec::as_slice))
}

/// What whoever signs says the review said is what it says.
pub(super) fn sign(
    state: &State,
    seen: &[Looked],
    kept: &[Keep],
    note: &Note,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::SignReview)?;
    let limit = Signed::MOST;
    let once: BTreeSet<_> = kept.iter().map(|keep| keep.key).collect();
    let codes: BTreeSet<_> = seen.iter().map(|one| one.code.as_str()).collect();
    let is_told = codes.len() == seen.len() && codes.iter().all(|code| Concern::CODES.contains(code));
    if kept.len() > limit || once.len() < kept.len() || !is_told {
        return Err(Refusal::BadSignOff { limit });
    }
    let view = View::new(state, context.actor);
    let by = Reviewer { view, catalog: context.catalog, now: context.now };
    let word = Word { by: actor_id(context), at: context.now };
    let mut events = vec![Event::ReviewSigned(Signed { looked: seen.to_vec(), note: note.clone() })];
    for Keep { key, why } in kept {
        let key = find(state, *key, context)?;
        need(key, LIVE, None, context)?;
        if why.as_str().is_empty() {
            return Err(Refusal::BadText { field: "why", why: BadText::NoReason });
        }
        let kept = Kept::new(why.clone(), word, &by.of_key(key, false));
        events.push(Event::ReviewKept(Key { kept: Some(Box::new(kept)), ..key.clone() }));
    }
    let found = found(by);
    if seen.iter().collect::<BTreeSet<_>>() != found.iter().collect() {
        let said = found.iter().map(|one| format!("{} {}", one.count, one.code.replace('_', " ")));
        let now = format!("it says {}", said.collect::<Vec<_>>().join(", "));
        return Err(Refusal::ChangedMeanwhile { what: "the review".to_owned(), now });
    }
    Ok(events)
}
