//! All that can be done to a key that is there.

use super::making::{check_scopes, level_of, may_be_theirs, name_is_free, within_app, within_limits};
use super::{actor_id, believed, lockdown};
use crate::domain::authorize::{Action, authorize};
use crate::domain::basis::Basis;
use crate::domain::catalog::AuthMethod;
use crate::domain::command::{Back, Context, KeyEdit, Undo};
use crate::domain::event::Event;
use crate::domain::handover::{Handed, Way};
use crate::domain::lifecycle::{Protection, Word};
use crate::domain::lineage::{Superseded, earlier};
use crate::domain::name::BadText;
use crate::domain::{
    Grace, Key, KeyId, KeyState, Motive, Note, OperatorId, Policy, Refusal, State, Status, Timestamp,
};

/// For some time, or until somebody resumes it. A pause that would end by itself can be made another; one that would not
/// gives nothing back by being asked for again.
pub(super) fn pause(
    state: &State,
    id: KeyId,
    time: Option<Grace>,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let key = can_be_paused(state, id, context)?;
    if let Some(time) = time {
        if time == Grace::NONE || !time.is_allowed() {
            return Err(Refusal::BadPause);
        }
        believed(context)?;
    }
    Ok(paused(state, key, time.map(|time| time.after(context.now)), context))
}

/// Whether a pause has no end.
fn lasts(half: &Key) -> bool {
    matches!(half.status, Status::Paused(_)) && half.pause_ends.is_none()
}

fn can_be_paused<'s>(state: &'s State, id: KeyId, context: &Context<'_>) -> Result<&'s Key, Refusal> {
    let key = find(state, id, context)?;
    key.opens_something()?;
    let fit: &[KeyState] =
        if lasts(key) { &[] } else { &[KeyState::Active, KeyState::Paused, KeyState::Superseded] };
    let already = lasts(key).then(|| (key.state(context.now), "it is stopped already."));
    need(key, fit, already, context)?;
    Ok(key)
}

fn paused(state: &State, key: &Key, pause_ends: Option<Timestamp>, context: &Context<'_>) -> Vec<Event> {
    let paused = |half: &Key| {
        let (since, again) = match half.status {
            Status::Paused(since) => (since, true),
            _ => (context.now, false),
        };
        Event::KeyPaused(Key { pause_ends, ..with(half, Status::Paused(since)) }, again)
    };
    whole(state, key, context).filter(|half| !lasts(half)).map(paused).collect()
}

/// What a deed made of a key is taken back, if that is what the key still is.
pub(super) fn take_back(state: &State, undo: &Undo, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let id = undo.key;
    undo.holds_of(find(state, id, context)?)?;
    match &undo.back {
        Back::Resume => resume(state, id, context),
        Back::Pause(None) => pause(state, id, None, context),
        Back::Pause(Some(end)) if *end > Grace::MAX.after(context.now) => Err(Refusal::BadPause),
        Back::Pause(ends @ Some(end)) => {
            let key = can_be_paused(state, id, context)?;
            believed(context)?;
            if context.now >= *end {
                return Err(Refusal::NoChange("the pause it had would be over by now"));
            }
            Ok(paused(state, key, *ends, context))
        }
        Back::Give(to) => transfer(state, id, *to, context),
        Back::Rescope(scopes) => {
            let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
            rescope(state, id, &scopes, None, context)
        }
        Back::Edit(change) => edit(state, id, change, None, context),
        Back::Protect(why) => protect(state, id, why, context),
        Back::Unprotect => unprotect(state, id, context),
    }
}

pub(super) fn resume(state: &State, id: KeyId, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let key = find(state, id, context)?;
    key.opens_something()?;
    let is_stopped = matches!(key.status, Status::Paused(_));
    let fit: &[KeyState] = if is_stopped { &[KeyState::Paused, KeyState::Superseded] } else { &[] };
    let works = if state.halves(key).is_some_and(|halves| halves.old.id == id) {
        KeyState::Superseded
    } else {
        KeyState::Active
    };
    need(key, fit, Some((works, "it works already.")), context)?;
    let counted_from = Some(context.now);
    let stopped = whole(state, key, context).filter(|half| matches!(half.status, Status::Paused(_)));
    let works = |half: &Key| Key { counted_from, ..with(half, Status::Active) };
    Ok(stopped.map(|half| Event::KeyResumed(works(half), half.pause_ends)).collect())
}

pub(super) fn revoke(
    state: &State,
    id: KeyId,
    motive: &Motive,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let key = find(state, id, context)?;
    let ended = (KeyState::Revoked, "there is nothing left to do.");
    let fit = [KeyState::Active, KeyState::Paused, KeyState::Superseded, KeyState::Expired];
    need(key, &fit, Some(ended), context)?;
    let halves = whole(state, key, context);
    let revoked =
        |half: &Key| Key { motive: motive.clone().kept(), ..with(half, Status::Revoked(context.now)) };
    Ok(halves.map(|half| Event::KeyRevoked(revoked(half))).collect())
}

pub(super) fn delete(state: &State, id: KeyId, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let key = find(state, id, context)?;
    let there =
        [KeyState::Active, KeyState::Paused, KeyState::Superseded, KeyState::Expired, KeyState::Revoked];
    need(key, &there, None, context)?;
    let halves = whole(state, key, context);
    Ok(halves.map(|half| Event::KeyDeleted(with(half, Status::Deleted(context.now)))).collect())
}

pub(super) fn restore(state: &State, id: KeyId, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let key = find(state, id, context)?;
    need(key, &[KeyState::Deleted], None, context)?;
    if let Some(ended) = key.restorable_until().filter(|end| context.now >= *end) {
        return Err(Refusal::RestoreTooLate { ended });
    }
    let back = with(key, Status::Revoked(context.now));
    let motive = back.motive.clone().or_else(|| Motive::restored().kept());
    Ok(vec![Event::KeyRestored(Key { motive, ..back })])
}

pub(super) fn rescope(
    state: &State,
    id: KeyId,
    scopes: &[String],
    basis: Option<Basis>,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let key = find(state, id, context)?;
    need(key, &[KeyState::Active, KeyState::Paused], None, context)?;
    let scopes = check_scopes(scopes, level_of(key.place), AuthMethod::ApiKey, context)?;
    if let Some(app) = key.place.app() {
        within_app(state, app, &scopes)?;
    }
    if scopes == key.scopes {
        return Err(Refusal::NoChange("the key has exactly these scopes"));
    }
    let found = Basis::of_key(key);
    Basis::holds(basis, found, || {
        (format!("the key {}", key.name), format!("it may do {}, revision {found}", key.scopes))
    })?;
    let others = whole(state, key, context).filter(|half| half.scopes != scopes);
    let rescoped = |half: &Key| Key { scopes: scopes.clone(), report_only: None, ..half.clone() };
    Ok(others.map(|half| Event::KeyRescoped(rescoped(half), half.scopes.clone())).collect())
}

pub(super) fn edit(
    state: &State,
    id: KeyId,
    change: &KeyEdit,
    basis: Option<Basis>,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let key = find(state, id, context)?;
    need(key, LIVE, None, context)?;
    let KeyEdit { name, note, expiry, notice_days, contacts } = change;
    if *name != key.name {
        name_is_free(state, key.owner, Some(key.id), name, context.now)?;
    }
    if *expiry != key.expiry {
        // How long access lasts is no concern of what gives none.
        within_limits(state.policy().max_life.filter(|_| !key.is_decoy()), *expiry, context.now)?;
        believed(context)?;
    }
    if let Some(days) = notice_days {
        Policy::notice(*days).ok_or(Refusal::BadNotice)?;
    }
    let after = Key {
        name: name.clone(),
        note: note.clone(),
        expiry: *expiry,
        notice_days: *notice_days,
        contacts: contacts.clone().kept(),
        ..key.clone()
    };
    if after == *key {
        return Err(Refusal::NoChange("the key is exactly so"));
    }
    let found = Basis::of_key(key);
    Basis::holds(basis, found, || (format!("the key {}", key.name), format!("revision {found}")))?;
    let mut events = vec![Event::KeyEdited(after, Box::new(key.clone()))];
    // No half works for longer than the key that people see, also when the rotation is taken back.
    if let Some(old) = state.old_half(key, context.now) {
        let sooner = |expiry| earlier(expiry, change.expiry);
        let how =
            old.superseded.clone().map(|how| Box::new(Superseded { expiry: sooner(how.expiry), ..*how }));
        let ends = Key { expiry: sooner(old.expiry), superseded: how, ..old.clone() };
        if ends != *old {
            events.push(Event::KeySuperseded(ends, old.expiry));
        }
    }
    Ok(events)
}

/// Those of which a rule of time asks whether they are needed.
pub(super) const LIVE: &[KeyState] = &[KeyState::Active, KeyState::Paused];

pub(super) fn keep(state: &State, id: KeyId, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let key = find(state, id, context)?;
    key.opens_something()?;
    need(key, LIVE, None, context)?;
    believed(context)?;
    Ok(vec![Event::KeyKept(Key { counted_from: Some(context.now), ..key.clone() })])
}

pub(super) fn protect(
    state: &State,
    id: KeyId,
    why: &Note,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let key = find(state, id, context)?;
    key.opens_something()?;
    need(key, LIVE, None, context)?;
    if why.as_str().is_empty() {
        return Err(Refusal::BadText { field: "why", why: BadText::NoReason });
    }
    if key.protection.is_some() {
        return Err(Refusal::NoChange("the key is protected already"));
    }
    let word = Word { by: actor_id(context), at: context.now };
    let protection = Some(Box::new(Protection { word, why: why.clone() }));
    Ok(vec![Event::KeyProtected(Key { protection, ..key.clone() })])
}

pub(super) fn unprotect(state: &State, id: KeyId, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let key = find(state, id, context)?;
    let Some(protection) = &key.protection else {
        return Err(Refusal::NoChange("nobody protects the key"));
    };
    let after = Key { counted_from: Some(context.now), protection: None, ..key.clone() };
    Ok(vec![Event::KeyUnprotected(after, protection.why.clone())])
}

pub(super) fn hand_over(
    state: &State,
    id: KeyId,
    way: &Way,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let key = find(state, id, context)?;
    need(key, LIVE, None, context)?;
    let handed = Some(Box::new(Handed { way: way.clone(), at: context.now }));
    Ok(vec![Event::KeyHandedOver(Key { handed, ..key.clone() })])
}

pub(super) fn transfer(
    state: &State,
    id: KeyId,
    to: OperatorId,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let key = find(state, id, context)?;
    authorize(state, &context.actor, Action::ManageOperators)?;
    need(key, LIVE, None, context)?;
    if key.owner == to {
        return Err(Refusal::NoChange("the key is theirs already"));
    }
    lockdown::stays(state, key.owner)?;
    let heir = may_be_theirs(state, to, &key.name, context)?;
    let given = |half: &Key| Event::KeyGiven(Key { owner: to, ..half.clone() }, heir.clone(), half.owner);
    Ok(whole(state, key, context).map(given).collect())
}

/// The key and, where its grace still runs, the one it took over from: people see one key, and what they do to it must not
/// leave a secret alive that they do not see.
pub(super) fn whole<'s>(
    state: &'s State,
    key: &'s Key,
    context: &Context<'_>,
) -> impl Iterator<Item = &'s Key> + use<'s> {
    [key].into_iter().chain(state.old_half(key, context.now))
}

/// The key, if the actor may change it.
pub(super) fn find<'s>(state: &'s State, id: KeyId, context: &Context<'_>) -> Result<&'s Key, Refusal> {
    let key = state.key(id).ok_or(Refusal::NoSuchKey)?;
    authorize(state, &context.actor, Action::ManageKey(key))?;
    Ok(key)
}

/// Refuses unless the key is in one of the states that `fit`; of the state `already` it says why by itself.
pub(super) fn need(
    key: &Key,
    fit: &[KeyState],
    already: Option<(KeyState, &'static str)>,
    context: &Context<'_>,
) -> Result<(), Refusal> {
    let state = key.state(context.now);
    if fit.contains(&state) {
        return Ok(());
    }
    let why = match (state, already) {
        (state, Some((same, why))) if same == state => why,
        (KeyState::Revoked | KeyState::Superseded, _) if key.superseded.is_some() => {
            "another took over from it. Do that to the key that took over."
        }
        (KeyState::Revoked | KeyState::Superseded, _) => "that is final. Issue a new key.",
        (KeyState::Deleted, _) => "restore it first; its secret stays dead.",
        (KeyState::Expired, _) if fit != [KeyState::Deleted] => "its time is over. Issue a new key.",
        (KeyState::Active | KeyState::Paused | KeyState::Expired, _) => "only a deleted key can be restored.",
    };
    Err(Refusal::WrongState { state, why })
}

fn with(key: &Key, status: Status) -> Key {
    Key { status, pause_ends: None, ..key.clone() }
}
