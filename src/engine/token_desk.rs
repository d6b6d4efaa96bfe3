//! What the engine keeps in memory for access tokens: the keys that sign, and the names they sign under.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::crypto::jwt::{self, AccessToken, Claims, Fault, PublicJwk, TokenConfig, TokenKey};
use crate::crypto::{Keyring, StoreId};
use crate::domain::signing::SigningKeys;
use crate::domain::{AppId, Event, Proof, Reason, Record, ScopeId, State, Timestamp};

/// Why an app gets no token or no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// Unknown app, wrong secret, or an app that does not work: not told apart.
    #[error("The application id or the secret is wrong, or the app does not work.")]
    InvalidClient,
    /// The app has API keys instead.
    #[error("This app uses API keys, not access tokens.")]
    UnauthorizedClient,
    /// Not a list of scopes.
    #[error("The scopes are not names separated by single spaces, each once.")]
    ScopesUnreadable,
    /// More than the app may do.
    #[error("The app does not have the scope {0}.")]
    ScopeNotHeld(ScopeId),
    /// The token would not fit a header.
    #[error("A token for that many scopes is too long. Ask for fewer.")]
    TooManyScopes,
    /// Nobody should believe the clock: a token that ends in a far future would be believed by whoever checks it
    /// without asking here.
    #[error("Access tokens are not signed while the clock of this server is in doubt. Try again later.")]
    ClockSuspect,
    /// The store cannot vouch for apps now, or did not take a change. What was asked for may not be in force.
    #[error("Access tokens cannot be dealt with now. Try again.")]
    Unavailable,
}

/// The keys of a state, derived once.
#[derive(Default)]
struct Keys {
    known: SigningKeys,
    derived: BTreeMap<u32, TokenKey>,
}

/// See the module.
pub(super) struct TokenDesk {
    store: StoreId,
    /// The names tokens may bear: the store's own, former ones, and last those they are issued under.
    parties: RwLock<Vec<TokenConfig>>,
    keys: RwLock<Keys>,
    making: Mutex<()>,
    /// Which records are vouched for.
    proof: Arc<Proof>,
    /// Whether nothing was signed the last time for want of a clock: the log tells when that begins and ends.
    silent: AtomicBool,
}

impl TokenDesk {
    /// For a store and what it holds.
    pub(super) fn new(keyring: &Keyring, state: &State, proof: Arc<Proof>) -> Self {
        let desk = Self {
            store: keyring.store(),
            parties: RwLock::default(),
            keys: RwLock::default(),
            making: Mutex::default(),
            proof,
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

    /// Takes in what happened.
    pub(super) fn apply(&self, keyring: &Keyring, state: &State, events: &[Event]) {
        for record in events.iter().flat_map(Event::records) {
            match record {
                Record::Signing(_) => self.learn(keyring, state),
                Record::Policy(_) => self.learn_names(state),
                _ => {}
            }
        }
    }

    /// Why a token of an app that is not known here is refused.
    pub(super) fn absent(&self, app: AppId) -> Reason {
        self.proof.of_absent_app(app)
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

    /// Why a text that was not read as a token of this store is refused.
    pub(super) fn unrecognised(&self, fault: Fault) -> Reason {
        match fault {
            Fault::Shape | Fault::Claims(_) => Reason::Malformed,
            // Which keys signed, and under which names, is only known from records that can be believed.
            Fault::Key | Fault::Party => self.proof.of_tokens().unwrap_or(Reason::Unknown),
            Fault::Signature => Reason::MacMismatch,
        }
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
