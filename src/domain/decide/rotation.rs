//! Rotation: a new key takes over from one, which works on for a grace. What follows from there: another new half, the
//! old one as before, more time. To end the old half is to revoke it.

use super::believed;
use super::keys::{find, need};
use super::making::{minted, within_limits};
use crate::domain::command::Context;
use crate::domain::event::Event;
use crate::domain::lineage::{BadGrace, earlier, sooner};
use crate::domain::{
    Counted, Expiry, Grace, Halves, Key, KeyId, KeyState, Motive, Refusal, Rotation, State, Status,
    Superseded, Timestamp,
};

pub(super) fn rotate(
    state: &State,
    id: KeyId,
    rotation: &Rotation,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let (key, now) = (find(state, id, context)?, context.now);
    key.opens_something()?;
    if let Some(by) = rotation.id.as_ref().and_then(|name| state.rotated_as(key, name)) {
        return Err(Refusal::RotatedBefore { by });
    }
    if !rotation.grace.is_allowed() {
        return Err(Refusal::BadGrace(BadGrace));
    }
    let is_lost = rotation.grace == Grace::NONE;
    // Of one that is lost nobody shall be let in again for a moment only to be shut out.
    let stopped = (KeyState::Paused, "resume it first. If it is lost, revoke it and issue a new one.");
    need(key, &[KeyState::Active], Some(stopped), context)?;
    let third = state.old_half(key, now);
    if let Some(old) = third.filter(|_| !is_lost) {
        return Err(Refusal::InGrace { old: old.id, new: key.id });
    }
    if let Some(expiry) = rotation.expiry.filter(|expiry| *expiry != key.expiry) {
        within_limits(state.policy().max_life, expiry, now)?;
        believed(context)?;
    }
    if !is_lost {
        believed(context)?;
    }
    let new = successor(state, key, key.id, rotation.expiry.unwrap_or(key.expiry), context)?;
    let waits = (rotation.counted == Counted::FromFirstUse && !is_lost).then_some(rotation.grace);
    let how = Superseded {
        by: new.id,
        since: now,
        rotation: rotation.id.clone(),
        expiry: key.expiry,
        waits,
        begun: None,
    };
    let old = Key { superseded: Some(Box::new(how)), ..key.clone() };
    let mut events = vec![Event::KeySucceeded(new, key.expiry)];
    if is_lost {
        // Not by an end that a clock could take back.
        events.push(replaced(&old, now));
        events.extend(third.map(|half| replaced(half, now)));
    } else {
        // Nor does it work for longer than the one that took over, which is the key people see.
        let own = earlier(key.expiry, rotation.expiry.unwrap_or(key.expiry));
        let expiry = if waits.is_some() { own } else { sooner(own, rotation.grace.after(now)) };
        events.push(Event::KeySuperseded(Key { expiry, ..old }, key.expiry));
    }
    Ok(events)
}

pub(super) fn again(state: &State, id: KeyId, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let Halves { old, new, how } = halves(state, id, context)?;
    if new.superseded.is_some() {
        let why = "another took over from it. Do that to the key that took over.";
        return Err(Refusal::WrongState { state: KeyState::Superseded, why });
    }
    let stopped = (KeyState::Paused, "resume it first.");
    need(new, &[KeyState::Active], Some(stopped), context)?;
    let used = state.usage(new.id);
    if used.count > 0 || used.last_used_at.is_some() {
        return Err(Refusal::SuccessorUsed { new: new.id });
    }
    if new.expiry != Expiry::Never {
        believed(context)?;
    }
    let other = successor(state, new, old.id, new.expiry, context)?;
    let how = Superseded { by: other.id, ..how.clone() };
    let kept = Event::KeySuperseded(Key { superseded: Some(Box::new(how)), ..old.clone() }, old.expiry);
    Ok(vec![Event::KeySucceeded(other, new.expiry), kept, replaced(new, context.now)])
}

pub(super) fn cancel(state: &State, id: KeyId, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let halves @ Halves { old, new, how } = halves(state, id, context)?;
    works(&halves, context)?;
    // What people told of the key meanwhile they told of the new half.
    let before = Key {
        verifier: old.verifier,
        imported: old.imported.clone(),
        id: old.id,
        created_at: old.created_at,
        status: old.status,
        pause_ends: old.pause_ends,
        expiry: how.expiry,
        succeeds: old.succeeds,
        superseded: None,
        motive: None,
        counted_from: Some(context.now),
        handed: old.handed.clone(),
        ..new.clone()
    };
    let mut events = vec![Event::KeyReinstated(before, old.expiry)];
    if !new.is_ended() {
        events.push(replaced(new, context.now));
    }
    Ok(events)
}

pub(super) fn lengthen(
    state: &State,
    id: KeyId,
    by: Grace,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let halves @ Halves { old, new, how } = halves(state, id, context)?;
    works(&halves, context)?;
    if !by.is_allowed() {
        return Err(Refusal::BadGrace(BadGrace));
    }
    believed(context)?;
    let after = if let Some(grace) = how.waits {
        let how = Superseded { waits: Some(grace.and(by)), ..how.clone() };
        Key { superseded: Some(Box::new(how)), ..old.clone() }
    } else {
        // Seven days in all, from where the grace was counted.
        let begun = how.begun.unwrap_or(how.since);
        let end = old.expiry.instant().map_or(context.now, |end| by.after(end)).min(Grace::MAX.after(begun));
        let end = end.max(old.expiry.instant().unwrap_or(end));
        Key { expiry: sooner(earlier(how.expiry, new.expiry), end), ..old.clone() }
    };
    if after == *old {
        return Err(Refusal::NoChange(
            "the old half works for seven days at most, and never longer than it would have without a rotation",
        ));
    }
    Ok(vec![Event::KeySuperseded(after, old.expiry)])
}

/// The rotation that either of its halves names, if the actor may change them.
fn halves<'s>(state: &'s State, id: KeyId, context: &Context<'_>) -> Result<Halves<'s>, Refusal> {
    let key = find(state, id, context)?;
    let halves = state.halves(key).ok_or(Refusal::NotRotated { key: id })?;
    find(state, halves.old.id, context)?;
    find(state, halves.new.id, context)?;
    Ok(halves)
}

/// The end of a half whose place another has taken.
fn replaced(half: &Key, now: Timestamp) -> Event {
    let motive = Motive::replaced().kept();
    Event::KeyRevoked(Key { status: Status::Revoked(now), motive, ..half.clone() })
}

/// Refuses when the old half is over.
fn works(halves: &Halves<'_>, context: &Context<'_>) -> Result<(), Refusal> {
    let (old, new) = (halves.old.id, halves.new.id);
    if halves.in_grace(context.now) { Ok(()) } else { Err(Refusal::OldHalfOver { old, new }) }
}

/// A key that is as `key` is, but for its secret and its age, and takes over from `from`.
fn successor(
    state: &State,
    key: &Key,
    from: KeyId,
    expiry: Expiry,
    context: &Context<'_>,
) -> Result<Key, Refusal> {
    let minted = minted(state, context)?;
    Ok(Key {
        id: KeyId(minted.id),
        created_at: context.now,
        expiry,
        status: Status::Active,
        verifier: minted.verifier,
        imported: None,
        counted_from: None,
        succeeds: Some(from),
        superseded: None,
        motive: None,
        pause_ends: None,
        handed: None,
        ..key.clone()
    })
}
