//! What may be sent to whom: what a [`View`] of the session shows and nothing else, and never what recognises a
//! secret. A new kind of record or event does not compile before somebody has decided about it here.

use std::collections::BTreeMap;

use crate::domain::app::RevokedTokens;
use crate::domain::{
    Access, Actor, App, Event, Imported, Key, OperatorId, Place, PublicId, Record, RecordKey, Role, State,
    Timestamp, Trace, Usage, Verifier, View,
};

/// In place of a digest.
const NOTHING: Verifier = Verifier { digest: [0; 32], pepper: 0 };

/// What decides how much is in view. When it changes, everything is sent anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    whole: bool,
    people: bool,
    active: bool,
}

impl Sight {
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
        RecordKey::Key(id) => view.key(id).map(|key| Record::Key(blank_key(key))),
        RecordKey::App(id) => view.app(id).map(|app| Record::App(blank_app(app))),
        RecordKey::Revoked(id) => {
            let app = view.app(id)?.id;
            Some(Record::Revoked(RevokedTokens { app, tokens: state.revoked_tokens(app).to_vec() }))
        }
    }
}

/// Where everything lies that the actor may see now.
pub fn all(state: &State, actor: Actor) -> Vec<RecordKey> {
    let view = View::new(state, actor);
    let mut all = vec![RecordKey::Agency, RecordKey::Policy, RecordKey::Signing];
    all.extend(view.operators().into_iter().map(|operator| RecordKey::Operator(operator.id)));
    all.extend(state.locations().map(|location| RecordKey::Location(location.id)));
    for app in view.apps() {
        all.extend([RecordKey::App(app.id), RecordKey::Revoked(app.id)]);
    }
    all.extend(view.keys().map(|key| RecordKey::Key(key.id)));
    all
}

/// What is known of the use of a key or an app, under its public id.
pub fn used(state: &State, at: RecordKey) -> Option<(PublicId, Usage, Option<Trace>)> {
    match at {
        RecordKey::Key(id) => Some((*id.public(), state.usage(id), state.trace(id).cloned())),
        RecordKey::App(id) => Some((*id.public(), state.app_usage(id), state.app_trace(id).cloned())),
        _ => None,
    }
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

/// Those of the events that are about what the actor may see, without digests. Events about nothing, such as a sign-in,
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
    events.into_iter().filter(seen).map(blank_event).collect()
}

/// A key without its digest.
pub fn blank_key(key: &Key) -> Key {
    let imported = key.imported.as_ref().map(|_| Box::new(Imported { phc: String::new() }));
    Key { verifier: NOTHING, imported, ..key.clone() }
}

fn blank_app(app: &App) -> App {
    App { secret: NOTHING, ..app.clone() }
}

fn blank_event(event: &Event) -> Event {
    use Event as E;
    match event {
        E::KeyGiven(key, to) => E::KeyGiven(blank_key(key), to.clone()),
        E::KeyIssued(key) => E::KeyIssued(blank_key(key)),
        E::KeyImported(key) => E::KeyImported(blank_key(key)),
        E::KeyPaused(key) => E::KeyPaused(blank_key(key)),
        E::KeyResumed(key) => E::KeyResumed(blank_key(key)),
        E::KeyRevoked(key) => E::KeyRevoked(blank_key(key)),
        E::KeyDeleted(key) => E::KeyDeleted(blank_key(key)),
        E::KeyRestored(key) => E::KeyRestored(blank_key(key)),
        E::KeyRescoped(key, before) => E::KeyRescoped(blank_key(key), before.clone()),
        E::AppCreated(app) => E::AppCreated(blank_app(app)),
        E::AppEdited(app, before) => E::AppEdited(blank_app(app), Box::new(blank_app(before))),
        E::AppSecretRenewed(app) => E::AppSecretRenewed(blank_app(app)),
        E::AppPaused(app) => E::AppPaused(blank_app(app)),
        E::AppResumed(app) => E::AppResumed(blank_app(app)),
        E::AppDeleted(app) => E::AppDeleted(blank_app(app)),
        E::AppGiven(app, to) => E::AppGiven(blank_app(app), to.clone()),
        E::TokenRevoked(app, tokens) => E::TokenRevoked(blank_app(app), tokens.clone()),
        E::AppTokensEnded(app) => E::AppTokensEnded(blank_app(app)),
        E::AgencyFounded(..)
        | E::SessionStarted(_)
        | E::SessionEnded
        | E::AgencyViewOpened
        | E::AuditRead
        | E::AuditExported
        | E::OperatorAdded(_)
        | E::RoleSet(..)
        | E::SecretSet(_)
        | E::RecoveryRenewed
        | E::OperatorDisabled(_)
        | E::OperatorEnabled(_)
        | E::LocationAdded(_)
        | E::LocationRenamed(..)
        | E::LocationRemoved(_)
        | E::SigningKeyAdded(_)
        | E::ClockConfirmed(..)
        | E::PolicySet(..) => event.clone(),
    }
}
