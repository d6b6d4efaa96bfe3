//! What the engine keeps in memory for access tokens: the keys that sign, and the names they sign under.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::crypto::jwt::{self, AccessToken, Claims, Fault, PublicJwk, TokenConfig, TokenKey};
use crate::crypto::{Keyring, StoreId};
use crate::domain::signing::{FormerNames, SigningKeys};
use crate::domain::{AppId, Event, Proof, Reason, Record, ScopeId, State, Timestamp, TokenAlg};

/// Why an app gets no token or no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// Unknown app, wrong secret, or an app that does not work: not told apart.
    #[error("The application id or the secret is wrong, or the app does not work.")]
    InvalidClient,
    /// The app has API keys instead, or checks what others present.
    #[error("This app does not use access tokens.")]
    UnauthorizedClient,
    /// A token of another app, which goes on.
    #[error("This token is another app's, and it goes on. Only that app, or an operator, ends it.")]
    NotYours,
    /// A key, which goes on.
    #[error("This is no access token, and it goes on. Keys are ended by operators.")]
    NoAccessToken,
    /// For whom the app may have no token, or nobody.
    #[error("This app may have no token for that resource. Its operator says which it may.")]
    InvalidTarget,
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

/// The keys of a state, derived once: of each number one for each algorithm.
#[derive(Default)]
struct Keys {
    known: SigningKeys,
    derived: BTreeMap<(u32, TokenAlg), TokenKey>,
}

impl Keys {
    /// Those a verifier must know.
    fn published(&self, now: Timestamp) -> impl Iterator<Item = &TokenKey> {
        let numbers = self.known.published(now).map(|key| key.number);
        numbers
            .flat_map(|number| TokenAlg::ALL.map(|alg| (number, alg)))
            .filter_map(|which| self.derived.get(&which))
    }
}

/// What a presented token says, and what else is known of it.
pub(super) struct Read {
    pub(super) claims: Claims,
    /// The names it bears.
    pub(super) config: TokenConfig,
    /// Whether it is for the platform, under names that are or were in force.
    pub(super) own: bool,
    pub(super) alg: TokenAlg,
}

/// The names that tokens bear: those in force, and former ones.
#[derive(Default)]
struct Parties {
    now: Option<TokenConfig>,
    former: Vec<(TokenConfig, FormerNames)>,
}

impl Parties {
    /// Those that hold, the ones in force before all, and when they were given up.
    fn find(&self, holds: impl Fn(&TokenConfig) -> bool) -> Option<(TokenConfig, Option<&FormerNames>)> {
        let now = self.now.iter().map(|party| (party, None));
        let former = self.former.iter().rev().map(|(party, former)| (party, Some(former)));
        now.chain(former).find(|(party, _)| holds(party)).map(|(party, former)| (party.clone(), former))
    }
}

/// For whom a token may be that is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom {
    /// The platform alone: what is for somebody else opens nothing here.
    Platform,
    /// Anybody an app may have tokens for.
    Anybody,
}

/// See the module.
pub(super) struct TokenDesk {
    store: StoreId,
    /// The names tokens may bear: the store's own, former ones, and last those they are issued under.
    parties: RwLock<Parties>,
    /// Where it is written who gives out tokens, for whoever is refused.
    resource_metadata: RwLock<Option<Arc<str>>>,
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
            resource_metadata: RwLock::default(),
            keys: RwLock::default(),
            making: Mutex::default(),
            proof,
            silent: AtomicBool::default(),
        };
        desk.learn(keyring, state);
        desk.learn_names(state);
        desk
    }

    /// Takes over the names of the policy.
    fn learn_names(&self, state: &State) {
        let naming = &state.policy().token_names;
        let named = |names| TokenConfig::named(self.store, names);
        let former = naming.former.iter().map(|former| (named(&former.names), former.clone())).collect();
        let parties = Parties { now: Some(named(&naming.now)), former };
        *self.parties.write().unwrap_or_else(PoisonError::into_inner) = parties;
        let metadata = naming.now.resource_metadata().map(Arc::from);
        *self.resource_metadata.write().unwrap_or_else(PoisonError::into_inner) = metadata;
    }

    pub(super) fn resource_metadata(&self) -> Option<Arc<str>> {
        self.resource_metadata.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn config(&self) -> TokenConfig {
        let parties = self.parties.read().unwrap_or_else(PoisonError::into_inner);
        parties.now.clone().unwrap_or_else(|| TokenConfig::of_store(self.store))
    }

    /// Takes over the keys of the state.
    fn learn(&self, keyring: &Keyring, state: &State) {
        let known = state.signing().clone();
        let numbers = known.keys.iter().flat_map(|key| TokenAlg::ALL.map(|alg| (key.number, alg)));
        let derived = numbers.map(|(number, alg)| ((number, alg), keyring.token_key(number, alg))).collect();
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
    pub(super) fn read(&self, presented: &[u8], whom: Whom, now: Timestamp) -> Result<Read, Fault> {
        let (payload, alg) = {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            jwt::open(presented, keys.published(now))?
        };
        let parties = self.parties.read().unwrap_or_else(PoisonError::into_inner);
        let found = Claims::read(&payload, now, |issuer, audience| {
            parties.find(|party| party.is(issuer, audience)).map(|found| (found, true)).or_else(|| {
                let (config, former) =
                    parties.find(|party| party.issuer() == issuer && whom == Whom::Anybody)?;
                Some(((config.aimed(audience), former), false))
            })
        });
        let (claims, ((config, former), own)) = found?;
        if former.is_some_and(|former| !former.count_for(claims.issued, now)) {
            return Err(Fault::Party);
        }
        Ok(Read { claims, config, own, alg })
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

    /// Signs with the key of that algorithm whose turn it is, for `audience`, or for the platform. `None` within when the
    /// token would be too long.
    pub(super) fn sign(
        &self,
        claims: &Claims,
        alg: TokenAlg,
        audience: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<AccessToken>, TokenRefusal> {
        let own = self.config();
        let config = audience.map_or_else(|| own.clone(), |audience| own.aimed(audience));
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.known.signer(now).and_then(|key| keys.derived.get(&(key.number, alg)));
        key.map(|key| key.sign(claims, &config)).ok_or(TokenRefusal::Unavailable)
    }

    /// The public keys of the moment.
    pub(super) fn public(&self, now: Timestamp) -> Vec<PublicJwk> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.published(now).map(TokenKey::public).collect()
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
