//! What time does by itself, and the word that lets it: each sweep goes by the plan of [`crate::domain::lifecycle`] as it is
//! at the moment of the commit, a bounded part of it at a time.

use super::keys::find;
use super::{actor_id, believed};
use crate::domain::authorize::{Action, authorize};
use crate::domain::command::{Context, NoticeRef};
use crate::domain::delivery::{Channel, ChannelName, WAITING_MAX};
use crate::domain::event::Event;
use crate::domain::invisible::invisible;
use crate::domain::lifecycle::{Cycle, Grounds, Hold, Pass, Seen, Word, plan};
use crate::domain::name::BadText;
use crate::domain::{Expiry, Refusal, State, Timestamp, notice};

pub(super) fn sweep(state: &State, pass: Pass, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::Sweep)?;
    believed(context)?;
    if context.complete_since.is_none() {
        return Err(Refusal::UsesIncomplete);
    }
    let grounds = Grounds::of(context.now, false, context.complete_since);
    let plan = context.outlook.map_or_else(|| plan(state, grounds), |outlook| outlook.plan(state, grounds));
    let events: Vec<Event> = plan.events(pass, context.now).take(Pass::AT_ONCE).collect();
    if events.is_empty() { Err(Refusal::NoChange("nothing is due")) } else { Ok(events) }
}

/// Remembers that somebody has seen a notice: as they saw it, so that none is put away that nobody has read.
pub(super) fn see(
    state: &State,
    wanted: NoticeRef,
    until: Option<Timestamp>,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let NoticeRef { key, kind, since } = wanted;
    let key = find(state, key, context)?;
    if let Some(until) = until {
        believed(context)?;
        Expiry::at(until, context.now).map_err(Refusal::BadExpiry)?;
    }
    let grounds = Grounds::of(context.now, context.doubted.is_some(), context.complete_since);
    let found = notice::of_key(state, key, grounds).into_iter().find(|found| found.what.kind() == Some(kind));
    let found = found.ok_or(Refusal::NoChange("there is no such notice of the key any more"))?;
    if !found.can_be_seen() {
        return Err(Refusal::NoChange("no notice of that was given yet; the next sweep gives the first"));
    }
    if found.since != since {
        let now = "it says something else by now".to_owned();
        return Err(Refusal::ChangedMeanwhile { what: format!("the notice of {}", key.name), now });
    }
    if found.seen.is_some_and(|seen| seen.until == until) {
        return Err(Refusal::NoChange("that was said of this notice already"));
    }
    let seen = Seen::of(key, kind, Word { by: actor_id(context), at: context.now }, until);
    let cycle = state.cycle(key.id).cloned().unwrap_or_else(|| Cycle::of(key.id)).with_seen(seen);
    Ok(vec![Event::NoticeSeen(key.clone(), cycle, seen)])
}

pub(super) fn confirm_hold(state: &State, count: u32, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::ConfirmHold)?;
    let hold = state.hold();
    if hold.is_empty() && hold.put_back.is_none() {
        return Err(Refusal::NoChange("no deletion waits for a word"));
    }
    if hold.confirmed.is_some() {
        return Err(Refusal::NoChange("that was said already; the next sweep deletes them"));
    }
    if hold.keys.len() != count as usize {
        return Err(Refusal::OtherHold { held: hold.keys.len(), said: count });
    }
    if hold.is_empty() {
        return Ok(vec![Event::HoldConfirmed(Hold::default())]);
    }
    let word = Word { by: actor_id(context), at: context.now };
    Ok(vec![Event::HoldConfirmed(Hold { confirmed: Some(word), put_back: None, ..hold.clone() })])
}

/// What was ended after a backup was made is not known to be ended in a store put back from it, and what was used is not
/// known to be: no deletion is done before an admin has said so.
pub(super) fn put_back(
    state: &State,
    made: Timestamp,
    missing: u64,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::BackUp)?;
    let hold =
        Hold { since: Some(context.now), confirmed: None, put_back: Some(made), ..state.hold().clone() };
    Ok(vec![Event::StorePutBack(hold, missing)])
}

/// Characters of the name of a file.
const FILE_MAX: usize = 1_000;

/// Whether the trail can name a file so.
///
/// # Errors
/// Why not.
pub fn file_name(file: &str) -> Result<(), BadText> {
    let length = file.chars().count();
    match invisible(file).next() {
        _ if length == 0 => Err(BadText::Empty),
        _ if length > FILE_MAX => Err(BadText::TooLong { length, limit: FILE_MAX }),
        Some((_, c)) => Err(BadText::Invisible { code: c.into() }),
        None => Ok(()),
    }
}

/// Entries leave the trail when nobody is still to be told what they say. Whether the trail can spare them otherwise is for
/// whoever has it to say.
pub(super) fn trim_audit(state: &State, upto: u64, head: &str, file: &str) -> Result<Vec<Event>, Refusal> {
    file_name(file).map_err(|why| Refusal::BadText { field: "file", why })?;
    if state.channels().filter_map(Channel::reads_after).any(|after| after < upto) {
        return Err(Refusal::TrailKept(
            "a channel still has to tell what they say. Let it, or give that up with `keydeck notices drop`",
        ));
    }
    Ok(vec![Event::AuditTrimmed(upto, head.to_owned(), file.to_owned())])
}

/// What a channel delivered is remembered only on top of what whoever delivered knew: of two who want to send the same, one
/// is told so before anything leaves.
pub(super) fn move_channel(
    state: &State,
    to: &Channel,
    from: Option<&Channel>,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::Sweep)?;
    let known = state.channel(to.name);
    if known != from || from.is_some_and(|from| to.upto < from.upto || to.name != from.name) {
        return Err(Refusal::NoChange("somebody else delivers through this channel"));
    }
    Ok(vec![Event::ChannelMoved(Box::new(to.clone()), known.cloned().map(Box::new))])
}

/// What waits for a channel that nobody has any more, or that stays broken, is given to another or to nobody. One that has told
/// nobody anything goes on where the other stopped.
pub(super) fn empty_channel(
    state: &State,
    name: ChannelName,
    into: Option<ChannelName>,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::ManageChannels)?;
    let known = quiet(state, name, context)?;
    let nothing = Refusal::NoChange("nothing waits for this channel, and nothing was given up");
    let moved = |after: Channel, before: &Channel| {
        (after != *before).then(|| Event::ChannelMoved(Box::new(after), Some(Box::new(before.clone()))))
    };
    let (emptied, messages) = known.emptied();
    let Some(into) = into else {
        return moved(emptied.stopped(), known).map(|event| vec![event]).ok_or(nothing);
    };
    let other = quiet(state, into, context)?;
    if into == name || other.gone.is_some() {
        return Err(Refusal::NoChange("nothing leaves through the channel that it shall go to"));
    }
    if other.waiting.len() + messages.len() > WAITING_MAX {
        return Err(Refusal::ChannelFull { limit: WAITING_MAX });
    }
    let (emptied, taken) = if other.has_told_nothing() {
        (emptied.stopped(), other.clone().going_on_from(known))
    } else {
        (emptied, other.clone())
    };
    let events = [moved(emptied, known), moved(taken.with_waiting(messages, context.now), other)];
    let events: Vec<Event> = events.into_iter().flatten().collect();
    if events.is_empty() {
        return Err(if known.is_under_way() { Refusal::ChannelUnderWay } else { nothing });
    }
    Ok(events)
}

/// A channel through which nobody sends just now.
fn quiet<'s>(state: &'s State, name: ChannelName, context: &Context<'_>) -> Result<&'s Channel, Refusal> {
    let channel = state.channel(name).ok_or(Refusal::NoSuchChannel)?;
    if channel.claimed(context.now).is_some() { Err(Refusal::ChannelBusy) } else { Ok(channel) }
}
