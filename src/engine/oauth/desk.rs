//! What the engine keeps in memory for access tokens: the keys that sign, the names they sign under, and what a failed
//! disk did not take.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use super::{TokenRefusal, closed};
use crate::crypto::jwt::{self, AccessToken, Claims, Fault, PublicJwk, TokenConfig, TokenKey};
use crate::crypto::{Keyring, StoreId};
use crate::domain::app::Revoked;
use crate::domain::signing::SigningKeys;
use crate::domain::verdict::closed_app;
use crate::domain::{App, AppId, Event, Reason, Record, State, Timestamp};

/// The keys of a state, derived once.
#[derive(Default)]
struct Keys {
    known: SigningKeys,
    derived: BTreeMap<u32, TokenKey>,
}

/// How an app stands after a change the disk did not take.
struct Held {
    app: App,
    revoked: Vec<Revoked>,
    closed: Option<Reason>,
}

/// See the module.
pub(in crate::engine) struct TokenDesk {
    store: StoreId,
    /// The names tokens may bear: the store's own, former ones, and last those they are issued under.
    parties: RwLock<Vec<TokenConfig>>,
    keys: RwLock<Keys>,
    /// In force in this process until a change of the same app is written.
    held: RwLock<BTreeMap<AppId, Held>>,
    making: Mutex<()>,
    /// Whether nothing was signed the last time for want of a clock: the log tells when that begins and ends.
    silent: AtomicBool,
}

impl TokenDesk {
    /// For a store and what it holds.
    pub(in crate::engine) fn new(keyring: &Keyring, state: &State) -> Self {
        let desk = Self {
            store: keyring.store(),
            parties: RwLock::default(),
            keys: RwLock::default(),
            held: RwLock::default(),
            making: Mutex::default(),
            silent: AtomicBool::default(),
        };
        desk.learn(keyring, state);
        desk.learn_names(state);
        desk
    }

    /// Takes over the names of the policy. A former name that lasts too long does no harm: what bears it says itself when
    /// it is over.
    fn learn_names(&self, state: &State) {
        let naming = &state.policy().token_names;
        let chosen = naming.former.iter().map(|former| &former.names).chain([&naming.now]);
        let parties = chosen.map(|names| TokenConfig::named(self.store, names));
        let parties = std::iter::once(TokenConfig::of_store(self.store)).chain(parties).collect();
        *self.parties.write().unwrap_or_else(PoisonError::into_inner) = parties;
    }

    pub(super) fn config(&self) -> TokenConfig {
        let parties = self.parties.read().unwrap_or_else(PoisonError::into_inner);
        parties.last().cloned().unwrap_or_else(|| TokenConfig::of_store(self.store))
    }

    /// Takes over the keys of the state.
    fn learn(&self, keyring: &Keyring, state: &State) {
        let known = state.signing().clone();
        let derived = known.keys.iter().map(|key| (key.number, keyring.token_key(key.number))).collect();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Keys { known, derived };
    }

    /// What happened is written: it counts, and nothing else does for the apps concerned.
    pub(in crate::engine) fn apply(&self, keyring: &Keyring, state: &State, events: &[Event]) {
        for record in events.iter().flat_map(Event::records) {
            match record {
                Record::Signing(_) => self.learn(keyring, state),
                Record::Policy(_) => self.learn_names(state),
                _ => {}
            }
        }
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if !held.is_empty() {
            for app in touched(state, events) {
                held.remove(&app);
            }
        }
    }

    /// What takes access away could not be written: it is in force here all the same, as `after` says.
    pub(in crate::engine) fn hold(&self, after: &State, events: &[Event]) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        for app in touched(after, events).into_iter().filter_map(|id| after.app(id)) {
            let revoked = after.revoked_tokens(app.id).to_vec();
            held.insert(app.id, Held { app: app.clone(), revoked, closed: closed_app(after, app) });
        }
    }

    /// Why an app may not even ask.
    pub(super) fn closed(&self, state: &State, app: &App) -> Option<Reason> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let as_held = held.get(&app.id).and_then(|held| held.closed);
        as_held.or_else(|| closed_app(state, app))
    }

    /// Why a token is refused, whatever is asked of it.
    pub(super) fn closed_to(&self, state: &State, claims: &Claims) -> Option<Reason> {
        let Some(app) = state.app(claims.app) else { return Some(Reason::Unknown) };
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let as_held = held
            .get(&app.id)
            .and_then(|held| held.closed.or_else(|| closed(state, &held.app, &held.revoked, claims)));
        as_held.or_else(|| closed(state, app, state.revoked_tokens(app.id), claims))
    }

    /// Checks signature and claims of a presented token.
    pub(super) fn read(&self, presented: &[u8], now: Timestamp) -> Result<(Claims, TokenConfig), Fault> {
        let payload = {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            jwt::open(presented, keys.known.published(now).filter_map(|key| keys.derived.get(&key.number)))?
        };
        let parties = self.parties.read().unwrap_or_else(PoisonError::into_inner);
        Claims::read(&payload, &parties, now).map(|(claims, party)| (claims, party.clone()))
    }

    /// Signs with the key whose turn it is. `None` within when the token would be too long.
    pub(super) fn sign(&self, claims: &Claims, now: Timestamp) -> Result<Option<AccessToken>, TokenRefusal> {
        let config = self.config();
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.known.signer(now).and_then(|key| keys.derived.get(&key.number));
        key.map(|key| key.sign(claims, &config)).ok_or(TokenRefusal::Unavailable)
    }

    /// The public keys of the moment.
    pub(super) fn public(&self, now: Timestamp) -> Vec<PublicJwk> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.known
            .published(now)
            .filter_map(|key| keys.derived.get(&key.number))
            .map(TokenKey::public)
            .collect()
    }

    /// Hears whether the clock is in doubt, and answers the same.
    pub(super) fn heed(&self, suspect: bool) -> bool {
        let before = self.silent.swap(suspect, Ordering::Relaxed);
        if suspect && !before {
            tracing::warn!(
                reason = "clock_suspect",
                "no access token is signed while this machine's clock is in doubt; see `keydeck clock show`"
            );
        } else if before && !suspect {
            tracing::info!("access tokens are signed again: the clock is not in doubt any more");
        }
        suspect
    }

    /// One at a time: two who find the key due shall not make two.
    pub(super) fn making(&self) -> MutexGuard<'_, ()> {
        self.making.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The apps whose tokens an event may concern.
fn touched(state: &State, events: &[Event]) -> Vec<AppId> {
    let mut apps = Vec::new();
    for record in events.iter().flat_map(Event::records) {
        match record {
            Record::App(app) => apps.push(app.id),
            Record::Revoked(revoked) => apps.push(revoked.app),
            Record::Operator(operator) => apps.extend(state.apps_of(operator.id).map(|app| app.id)),
            _ => {}
        }
    }
    apps
}
