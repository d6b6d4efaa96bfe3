//! Is this token good? One function for the library, the command line and everything to come: parse, find by
//! id, digest over all bytes, then the rules. Never an allow out of an error: allow is made in
//! `domain::verdict::judge` and nowhere else.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use super::Origin;
use super::table::{Gate, Hit, Spot, Table};
use crate::crypto::digest::Pepper;
use crate::crypto::token::{self, TokenKind};
use crate::domain::verdict::{closed, judge};
use crate::domain::{
    Bearer, Decision, Key, KeyId, Place, PublicId, Reason, ScopeId, Scopes, State, Timestamp, Usage,
};

/// Checks tokens against tables kept in step with the state. A change that has returned is in force for the next
/// call.
pub struct Verifier {
    pepper: Pepper,
    // Readers of one lock write to its counter, and that line of memory would travel between processors at each
    // call; with many locks two readers seldom meet. It also keeps short how long readers wait while one grows.
    shards: Vec<RwLock<Shard>>,
    /// Set while the store as a whole cannot vouch for any key.
    shut: AtomicBool,
    used: Mutex<Vec<KeyId>>,
}

/// The part of the keys that share a lock.
#[repr(align(128))]
struct Shard {
    table: Table,
    sets: Vec<Scopes>,
    set_of: HashMap<Scopes, u32>,
}

/// Whether an allow counts as a use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Uses {
    Counted,
    Untouched,
}

const PEPPER: u32 = 1;
const SHARDS: usize = 64;
impl Verifier {
    /// Knows all keys of `state`.
    pub fn new(pepper: Pepper, state: &State) -> Self {
        // Shards differ by a few per cent; with that much to spare none has to grow at once.
        let each = state.key_count() / SHARDS;
        let each = each + each / 32;
        let shards =
            std::iter::repeat_with(|| RwLock::new(Shard::with_capacity(each))).take(SHARDS).collect();
        let verifier = Self { pepper, shards, shut: AtomicBool::new(false), used: Mutex::default() };
        for key in state.keys() {
            verifier.put(key, closed(state, key));
        }
        verifier
    }

    /// The digest of a fresh token, for its record.
    pub fn digest(&self, token: &token::Token) -> crate::domain::Verifier {
        crate::domain::Verifier { digest: self.pepper.digest(token.bytes()), pepper: PEPPER }
    }

    /// Brings one key up to date with the state.
    pub fn refresh(&self, state: &State, key: &Key) {
        self.put(key, closed(state, key));
    }

    /// Refuses a key whatever the state says, until the next refresh.
    pub fn close(&self, key: &Key, reason: Reason) {
        self.put(key, Some(reason));
    }

    /// Refuses everything: the store cannot vouch for any key.
    pub fn shut(&self) {
        self.shut.store(true, Ordering::SeqCst);
    }

    fn put(&self, key: &Key, closed: Option<Reason>) {
        let spot = Spot::of(key.id.public());
        if let Some(shard) = self.shards.get(spot.part(SHARDS)) {
            shard.write().unwrap_or_else(PoisonError::into_inner).put(key, closed);
        }
    }

    fn shard(&self, spot: Spot) -> Option<RwLockReadGuard<'_, Shard>> {
        let shard = self.shards.get(spot.part(SHARDS))?;
        Some(shard.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Decides about a presented token for a request that needs all of `wanted`, and notes its use.
    pub fn verify(&self, presented: &[u8], wanted: &[ScopeId], now: Timestamp) -> Decision {
        self.verify_from(presented, wanted, Origin::default(), now)
    }

    /// [`Verifier::verify`] for a request that came from somewhere.
    pub fn verify_from(
        &self,
        presented: &[u8],
        wanted: &[ScopeId],
        _origin: Origin<'_>,
        now: Timestamp,
    ) -> Decision {
        self.decide(presented, wanted, now, Uses::Counted)
    }

    /// The same decision for somebody who only wants to know: no use is noted.
    pub fn test(&self, presented: &[u8], wanted: &[ScopeId], now: Timestamp) -> Decision {
        self.decide(presented, wanted, now, Uses::Untouched)
    }

    fn decide(&self, presented: &[u8], wanted: &[ScopeId], now: Timestamp, uses: Uses) -> Decision {
        let Ok(presented) = token::parse(presented) else { return Decision::deny(Reason::Malformed, None) };
        let id = presented.id();
        let spot = Spot::of(&id);
        let Some(shard) = self.shard(spot) else { return Decision::deny(Reason::StoreError, None) };
        shard.table.touch(spot);
        let digest = self.pepper.digest(presented.bytes());
        // An unknown id costs the same digest and the same comparison as a known one.
        let hit = shard.table.find(spot, &id);
        let same = Pepper::same(&digest, hit.as_ref().map_or(&Pepper::NO_DIGEST, Hit::digest));
        let Some(hit) = hit else { return Decision::deny(Reason::Unknown, None) };
        let gate = hit.gate();
        if kind_code(presented.kind()) != Some(gate.kind) {
            return Decision::deny(Reason::KindMismatch, None);
        }
        if !same || hit.pepper() != PEPPER {
            return Decision::deny(Reason::MacMismatch, None);
        }
        let (key, bearer) = (KeyId(id), Some(Bearer::Key(KeyId(id))));
        if self.shut.load(Ordering::Acquire) {
            return Decision::deny(Reason::StoreError, bearer);
        }
        let Some(scopes) = shard.sets.get(gate.scopes as usize) else {
            return Decision::deny(Reason::StoreError, bearer);
        };
        let decision = judge(Bearer::Key(key), gate.closed, gate.expiry, scopes, wanted, now);
        if decision.is_allow() && uses == Uses::Counted && hit.note_use(now) {
            self.used.lock().unwrap_or_else(PoisonError::into_inner).push(key);
        }
        decision
    }

    /// Takes all uses noted since the last time.
    pub fn take_uses(&self) -> Vec<(KeyId, Usage)> {
        let ids = std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner));
        ids.into_iter()
            .filter_map(|id| Some((id, self.uses_of(id.public())?)))
            .filter(|(_, usage)| usage.count > 0)
            .collect()
    }

    fn uses_of(&self, id: &PublicId) -> Option<Usage> {
        Some(self.shard(Spot::of(id))?.table.take_uses(id))
    }
}

impl Shard {
    fn with_capacity(keys: usize) -> Self {
        Self { table: Table::with_capacity(keys), sets: Vec::new(), set_of: HashMap::new() }
    }

    fn put(&mut self, key: &Key, closed: Option<Reason>) {
        let scopes = match self.set_of.get(&key.scopes) {
            Some(at) => *at,
            None => {
                let at = u32::try_from(self.sets.len()).unwrap_or(u32::MAX);
                self.sets.push(key.scopes.clone());
                self.set_of.insert(key.scopes.clone(), at);
                at
            }
        };
        let kind = match key.place {
            Place::Agency => 0,
            Place::Location(_) => 1,
            Place::App(_) => 2,
        };
        self.table.put(key.id, &key.verifier, Gate { closed, expiry: key.expiry, scopes, kind });
    }
}

/// The kind a record must have for a token of that prefix. The secret of an app is no key.
const fn kind_code(kind: TokenKind) -> Option<u8> {
    match kind {
        TokenKind::Agency => Some(0),
        TokenKind::Location => Some(1),
        TokenKind::App => Some(2),
        TokenKind::AppSecret => None,
    }
}
