//! What this process holds of the store in memory and decides by: the records, and the tables made of them. It
//! follows events, whole or not at all; who calls must hold the ledger, so that events come in their order.

use std::sync::{Arc, PoisonError, RwLock};

use super::imported::Imported;
use super::reading::Reading;
use super::token_desk::TokenDesk;
use super::verifier::Verifier;
use crate::crypto::Keyring;
use crate::domain::{Event, HeaderMark, Key, Record, State};

/// The records and all that is derived from them.
pub(super) struct Image {
    pub state: Arc<RwLock<State>>,
    pub verifier: Arc<Verifier>,
    pub imported: Arc<Imported>,
    pub tokens: Arc<TokenDesk>,
    pub keyring: Arc<Keyring>,
}

impl Image {
    /// Takes in what happened. The next request is answered by it.
    pub fn apply(&self, events: &[Event], header: Option<HeaderMark>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(header) = header {
            state.put(Record::Header(header));
        }
        for event in events {
            state.apply(event);
        }
        for key in touched(&state, events) {
            self.verifier.refresh(&state, key);
            self.imported.put(key);
        }
        self.tokens.apply(&self.keyring, &state, events);
    }
}

impl Image {
    /// Has requests with the keys of events that did not happen answered by the state again.
    pub fn refresh(&self, events: &[Event]) {
        let state = Reading::of(&self.state);
        for key in touched(&state, events) {
            self.verifier.refresh(&state, key);
        }
    }
}

/// The keys whose answer an event may change.
pub(super) fn touched<'s>(state: &'s State, events: &[Event]) -> Vec<&'s Key> {
    let mut keys: Vec<&Key> = Vec::new();
    for record in events.iter().flat_map(Event::records) {
        match record {
            Record::Key(key) => keys.extend(state.key(key.id)),
            Record::Operator(operator) => {
                keys.extend(state.keys_of(operator.id));
                // A lockdown of theirs covers the keys of their apps, whoever issued them.
                keys.extend(state.apps_of(operator.id).flat_map(|app| state.keys_of_app(app.id)));
            }
            Record::Location(location) => keys.extend(state.keys_at(location.id)),
            Record::App(app) => keys.extend(state.keys_of_app(app.id)),
            Record::Agency(_) => keys.extend(state.keys()),
            Record::Policy(_)
            | Record::Header(_)
            | Record::Signing(_)
            | Record::Cycle(_)
            | Record::Hold(_)
            | Record::Channel(_)
            | Record::Revoked(_) => {}
        }
    }
    keys
}
