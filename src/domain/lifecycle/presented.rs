//! Who comes with a key that opens nothing: one that was deleted, until its record is purged, or a decoy, until somebody ends
//! it. That is told soon, and again when it goes on.

use super::cycle::after;
use super::{Cycle, Plan, Told, earliest};
use crate::domain::{Key, State, Status, Timestamp};

/// Days for which it is news that somebody presented a key.
const NEWS_DAYS: u32 = 7;

/// Days after which it is told again. A program that nobody has changed comes back for weeks; who tries a decoy again, perhaps
/// from somewhere else, is not to be waited for.
const fn again_after(key: &Key) -> u32 {
    if key.is_laid() { 1 } else { 7 }
}

/// Whether it is noted that somebody presents a key.
pub fn is_noted(key: &Key) -> bool {
    key.is_laid() || key.restorable_until().is_some()
}

/// Whether it is to be told that somebody presents a key.
pub(super) fn ring<'s>(state: &'s State, key: &'s Key, now: Timestamp, plan: &mut Plan<'s>) {
    let Some((at, told)) = presented(state, key, now) else { return };
    let cycle = state.cycle(key.id).cloned().unwrap_or_else(|| Cycle::of(key.id));
    let next = match told {
        Some(told) if at <= told => return,
        Some(told) => after(told, again_after(key)),
        None => now,
    };
    if now < next {
        plan.next = earliest(plan.next, Some(next));
    } else {
        plan.notices.push((key, Cycle { presented: Some(now), ..cycle }, Told::Presented { at }));
    }
}

/// Whether a sweep would tell now that somebody presents a key.
pub fn rings(state: &State, key: &Key, now: Timestamp) -> bool {
    let mut plan = Plan::default();
    ring(state, key, now, &mut plan);
    !plan.is_empty()
}

/// When a key was presented last since it opens nothing, as far as that is news, and when that was told last. What a clock saw
/// or told that was ahead counts for nothing.
pub(in crate::domain) fn presented(
    state: &State,
    key: &Key,
    now: Timestamp,
) -> Option<(Timestamp, Option<Timestamp>)> {
    let since = match key.status {
        Status::Deleted(since) => since,
        _ if key.is_laid() => key.created_at,
        _ => return None,
    };
    if key.restorable_until().is_some_and(|until| until <= now) {
        return None;
    }
    let of_now = |at: &Timestamp| since <= *at && *at <= now;
    let at = Some(state.trace(key.id)?.presented()?.at).filter(of_now)?;
    let told = state.cycle(key.id).and_then(|cycle| cycle.presented).filter(of_now);
    (now < after(at, NEWS_DAYS)).then_some((at, told))
}
