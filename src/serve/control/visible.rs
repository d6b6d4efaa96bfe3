//! What may be sent to whom: what a [`View`] of the session shows and nothing else. A new kind of record does not compile
//! before somebody has decided about it here; what recognises a secret is left out by its own encoding.

use std::collections::{BTreeMap, HashSet};
use std::io;

use super::wire::Row;
use crate::domain::app::RevokedTokens;
use crate::domain::view::Sought;
use crate::domain::{
    Access, Actor, App, Cycle, Event, OperatorId, Outside, Place, Proof, PublicId, Record, RecordKey, Role,
    State, Timestamp, Trace, Usage, View,
};
use crate::engine::open::Wants;

/// What decides how much is in view. When it changes, everything is sent anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InView {
    whole: bool,
    people: bool,
    active: bool,
}

impl InView {
    /// As it is now.
    pub fn of(state: &State, actor: Actor) -> Self {
        let view = View::new(state, actor);
        Self { whole: view.is_whole(), people: sees_people(&view), active: view.operator().is_some() }
    }

    /// Whether there is nothing to see any more: the operator was disabled.
    pub const fn is_blind(self) -> bool {
        !self.active
    }
}

/// Whether the actor knows of all operators, as [`View::operators`] has it.
fn sees_people(view: &View<'_>) -> bool {
    view.role() == Role::Admin && view.actor().access != Access::Recovery
}

/// One record as the actor may see it now.
pub fn record(state: &State, actor: Actor, at: RecordKey) -> Option<Record> {
    let view = View::new(state, actor);
    view.operator()?;
    match at {
        RecordKey::Agency => state.agency().cloned().map(Record::Agency),
        RecordKey::Policy => Some(Record::Policy(view.policy().clone())),
        // Of the store's own house-keeping nobody needs to know.
        RecordKey::Header => None,
        RecordKey::Signing => sees_people(&view).then(|| Record::Signing(state.signing().clone())),
        RecordKey::Operator(id) => {
            let seen = sees_people(&view) || id == actor.operator;
            state.operator(id).filter(|_| seen).cloned().map(Record::Operator)
        }
        RecordKey::Location(id) => view.location(id).cloned().map(Record::Location),
        // One that was purged is sent as such, so that whoever has it forgets what it was.
        RecordKey::Key(id) => state.key(id).filter(|key| actor.sees(state, key)).cloned().map(Record::Key),
        RecordKey::App(id) => view.app(id).cloned().map(Record::App),
        RecordKey::Revoked(id) => {
            let app = view.app(id)?.id;
            Some(Record::Revoked(RevokedTokens { app, tokens: state.revoked_tokens(app).to_vec() }))
        }
        RecordKey::Cycle(id) => {
            let key = view.key(id)?.id;
            Some(Record::Cycle(state.cycle(key).cloned().unwrap_or_else(|| Cycle::of(key))))
        }
        RecordKey::Hold => Some(Record::Hold(view.hold())),
        // It names whom others are told through, and what those answered.
        RecordKey::Channel(name) => {
            view.channels().find(|channel| channel.name == name).cloned().map(Record::Channel)
        }
    }
}

/// Where everything lies that the actor may see now, or has seen already of what it does not want all of.
pub fn all(state: &State, actor: Actor, wants: Wants, seen: &HashSet<RecordKey>) -> Vec<RecordKey> {
    let view = View::new(state, actor);
    let mut all = vec![RecordKey::Agency, RecordKey::Policy, RecordKey::Signing, RecordKey::Hold];
    all.extend(view.operators().into_iter().map(|operator| RecordKey::Operator(operator.id)));
    all.extend(view.channels().map(|channel| RecordKey::Channel(channel.name)));
    all.extend(state.locations().map(|location| RecordKey::Location(location.id)));
    match wants {
        Wants::All => {
            for app in view.apps() {
                all.extend([RecordKey::App(app.id), RecordKey::Revoked(app.id)]);
            }
            for key in view.keys() {
                all.push(RecordKey::Key(key.id));
                all.extend(state.cycle(key.id).map(|cycle| RecordKey::Cycle(cycle.key)));
            }
        }
        Wants::Named => all.extend(
            seen.iter()
                .filter(|at| matches!(at, RecordKey::App(_) | RecordKey::Key(_) | RecordKey::Cycle(_))),
        ),
    }
    all
}

/// Where the keys and apps lie that a reference may mean, whichever of those that share a name is sought, and the apps of
/// those keys.
pub fn called(state: &State, actor: Actor, reference: &str, now: Timestamp) -> Vec<RecordKey> {
    let view = View::new(state, actor);
    let mut called: Vec<_> =
        view.find_app(reference).all().into_iter().map(|app| RecordKey::App(app.id)).collect();
    for sought in [Sought::Living, Sought::Ended, Sought::Deleted] {
        for key in view.find_key(reference, sought, now).all() {
            called.push(RecordKey::Key(key.id));
            called.extend(state.cycle(key.id).map(|cycle| RecordKey::Cycle(cycle.key)));
            called.extend(key.place.app().map(RecordKey::App));
            // The other half of its rotation belongs to what is told of it.
            let halves = state.halves(key).into_iter().flat_map(|halves| [halves.old.id, halves.new.id]);
            called.extend(halves.map(RecordKey::Key));
        }
    }
    called
}

/// What is known of the use of a key, or of an app and its secrets, under their public ids.
pub fn used(state: &State, at: RecordKey) -> Vec<(PublicId, Usage, Option<Trace>)> {
    let noted = |id: PublicId| (id, state.usage_of(id), state.trace_of(id).cloned());
    match at {
        RecordKey::Key(id) => vec![noted(*id.public())],
        RecordKey::App(id) => {
            let secrets = state.app(id).into_iter().flat_map(App::notes_uses);
            std::iter::once(*id.public()).chain(secrets).map(noted).collect()
        }
        _ => Vec::new(),
    }
}

/// Keys and apps in view that were used no longer ago than `since`: news of it may still be on its way.
pub fn used_since(state: &State, actor: Actor, since: Timestamp) -> Vec<PublicId> {
    let view = View::new(state, actor);
    let late = |id: &PublicId| state.usage_of(*id).last_used_at.is_some_and(|at| at >= since);
    let apps = view.apps().into_iter().map(|app| *app.id.public());
    view.keys().map(|key| *key.id.public()).chain(apps).filter(late).collect()
}

/// Live keys the actor may not see, counted by owner and place: for those who see all operators. A number is no look
/// at somebody's keys.
pub fn census(state: &State, actor: Actor, now: Timestamp) -> Option<BTreeMap<(OperatorId, Place), u32>> {
    let view = View::new(state, actor);
    if view.is_whole() || !sees_people(&view) {
        return None;
    }
    let mut census = BTreeMap::new();
    for key in state.keys().filter(|key| key.state(now).is_live() && !actor.sees(state, key)) {
        *census.entry((key.owner, key.place)).or_insert(0) += 1;
    }
    Some(census)
}

/// Those of the events that are about what the actor may see. Events about nothing, such as a sign-in,
/// are for those who see all operators.
pub fn events<'e>(state: &State, actor: Actor, events: impl IntoIterator<Item = &'e Event>) -> Vec<Event> {
    let view = View::new(state, actor);
    let seen = |event: &&Event| {
        let records = event.records();
        if records.is_empty() {
            return sees_people(&view);
        }
        records.iter().all(|at| record(state, actor, at.key()).is_some())
    };
    let told = |event: &Event| match event {
        // How many of them are new is for the trail.
        Event::DeletionsHeld(hold, _) => Event::DeletionsHeld(view.part_of(hold), 0),
        Event::HoldConfirmed(hold) => Event::HoldConfirmed(view.part_of(hold)),
        Event::StorePutBack(hold, missing) => Event::StorePutBack(view.part_of(hold), *missing),
        event => event.clone(),
    };
    events.into_iter().filter(seen).map(told).collect()
}

/// A record as it travels. Only records that [`visible`] let through come here.
pub fn row(record: &Record, proof: &Proof) -> io::Result<Row> {
    let unproven = match record {
        Record::Key(key) => proof.of_key(key).is_some(),
        Record::App(app) => proof.of_app(app).is_some(),
        Record::Agency(_)
        | Record::Policy(_)
        | Record::Header(_)
        | Record::Signing(_)
        | Record::Operator(_)
        | Record::Location(_)
        | Record::Cycle(_)
        | Record::Hold(_)
        | Record::Channel(_)
        | Record::Revoked(_) => false,
    };
    Ok(Row {
        key: record.key().to_string(),
        value: record.encode_for(&mut Outside).map_err(io::Error::other)?,
        unproven,
    })
}
