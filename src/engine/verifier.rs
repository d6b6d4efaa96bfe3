//! Is this token good? One function for the library, the command line and everything to come: parse, find by
//! id, digest over all bytes, then the rules. Never an allow out of an error: allow is made in
//! `domain::verdict::judge` and nowhere else.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::Origin;
use super::table::{Gate, Hit, Spot, Table};
use super::uses::{Use, Uses};
use crate::crypto::digest::Pepper;
use crate::crypto::token::{self, TokenKind};
use crate::domain::verdict::{closed, judge};
use crate::domain::{
    Bearer, Decision, Key, KeyId, Place, PublicId, Reason, ScopeId, Scopes, State, Timestamp,
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
    uses: Uses,
}

/// The part of the keys that share a lock.
#[repr(align(128))]
struct Shard {
    table: Table,
    sets: Vec<Scopes>,
    set_of: HashMap<Scopes, u32>,
}

/// Whether an allow counts as a use, and of whom.
#[derive(Clone, Copy)]
pub(super) enum Counting<'a> {
    /// It does; the request came from there.
    From(Origin<'a>),
    /// It does not: somebody only wants to know.
    Off,
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
        let verifier = Self { pepper, shards, shut: AtomicBool::new(false), uses: Uses::default() };
        for key in state.keys() {
            verifier.put(key, closed(state, key));
        }
        verifier
    }

    /// The digest of a fresh token, for its record.
    pub fn digest(&self, token: &token::Token) -> crate::domain::Verifier {
        crate::domain::Verifier { digest: self.pepper.digest(token.bytes()), pepper: PEPPER }
    }

    /// Whether a presented token is the one `stored` recognises. Nothing to compare with costs the same.
    pub fn recognises(
        &self,
        presented: &token::Presented<'_>,
        stored: Option<&crate::domain::Verifier>,
    ) -> bool {
        let digest = self.pepper.digest(presented.bytes());
        let same = Pepper::same(&digest, stored.map_or(&Pepper::NO_DIGEST, |stored| &stored.digest));
        same & stored.is_some_and(|stored| stored.pepper == PEPPER)
    }

    /// Whether the store as a whole cannot vouch for any key.
    pub fn is_shut(&self) -> bool {
        self.shut.load(Ordering::Acquire)
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
            let left = shard.write().unwrap_or_else(PoisonError::into_inner).put(key, closed);
            for (scope, at) in left {
                self.uses.note_scope(*key.id.public(), &scope, at);
            }
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
        origin: Origin<'_>,
        now: Timestamp,
    ) -> Decision {
        self.decide(presented, wanted, Counting::From(origin), now)
    }

    /// The same decision, with or without a use that counts.
    #[inline]
    pub(super) fn decide(
        &self,
        presented: &[u8],
        wanted: &[ScopeId],
        counting: Counting<'_>,
        now: Timestamp,
    ) -> Decision {
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
        self.admit(&shard, hit, KeyId(id), wanted, counting, now)
    }

    /// Decides about a key whose secret somebody else has recognised.
    pub(super) fn admit_known(
        &self,
        id: KeyId,
        wanted: &[ScopeId],
        counting: Counting<'_>,
        now: Timestamp,
    ) -> Decision {
        let spot = Spot::of(id.public());
        let Some(shard) = self.shard(spot) else { return Decision::deny(Reason::StoreError, None) };
        match shard.table.find(spot, id.public()) {
            Some(hit) => self.admit(&shard, hit, id, wanted, counting, now),
            None => Decision::deny(Reason::Unknown, None),
        }
    }

    /// Judges a key whose secret was right, and notes its use.
    #[inline]
    fn admit(
        &self,
        shard: &Shard,
        hit: Hit<'_>,
        key: KeyId,
        wanted: &[ScopeId],
        counting: Counting<'_>,
        now: Timestamp,
    ) -> Decision {
        let id = *key.public();
        let (gate, bearer) = (hit.gate(), Some(Bearer::Key(key)));
        if self.is_shut() {
            return Decision::deny(Reason::StoreError, bearer);
        }
        let Some(scopes) = shard.sets.get(gate.scopes as usize) else {
            return Decision::deny(Reason::StoreError, bearer);
        };
        let decision = judge(Bearer::Key(key), gate.closed, gate.expiry, scopes, wanted, now);
        if let Counting::From(origin) = counting
            && decision.is_allow()
        {
            if !wanted.is_empty() && !hit.note_scopes(scopes, wanted) {
                for scope in wanted {
                    self.uses.note_scope(id, scope, now);
                }
            }
            if !origin.is_nowhere() {
                self.uses.note_origin(id, origin, now);
            }
            // Last, so that whoever takes the count finds all that belongs to it.
            if hit.note_use(now) {
                self.uses.enlist(id);
            }
        }
        decision
    }

    /// Notes an allowed use of an access token: the table knows keys only, so whoever decided says so here. `id` is
    /// the app's.
    pub fn note(&self, id: PublicId, wanted: &[ScopeId], origin: Origin<'_>, now: Timestamp) {
        self.uses.note(id, wanted, origin, now);
    }

    /// Where uses wait until they are taken.
    pub(super) const fn uses(&self) -> &Uses {
        &self.uses
    }

    /// Takes all uses noted since the last time, each key and app once.
    pub(super) fn take_uses(&self) -> Vec<Use> {
        let mut uses = self.uses.take();
        for used in &mut uses {
            self.complete(used);
        }
        uses.retain(|used| used.usage.count > 0 || !used.trace.is_empty());
        uses
    }

    /// Adds what the table noted of a key.
    fn complete(&self, used: &mut Use) {
        let spot = Spot::of(&used.id);
        let Some(shard) = self.shard(spot) else { return };
        let Some(hit) = shard.table.find(spot, &used.id) else { return };
        let usage = hit.take_uses();
        used.usage = used.usage.merged(usage);
        if let Some(held) = shard.sets.get(hit.gate().scopes as usize) {
            for scope in hit.take_scopes(held) {
                used.trace.note_scope(&scope, hit.last_used());
            }
        }
    }
}

impl Shard {
    fn with_capacity(keys: usize) -> Self {
        Self { table: Table::with_capacity(keys), sets: Vec::new(), set_of: HashMap::new() }
    }

    /// Returns which scopes were needed of a set the key had before, and when at the latest: the bits that said so
    /// would mean others now.
    fn put(&mut self, key: &Key, closed: Option<Reason>) -> Vec<(ScopeId, Timestamp)> {
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
        let id = key.id.public();
        let before = self.table.find(Spot::of(id), id).filter(|hit| hit.gate().scopes != scopes);
        let left = before.map_or_else(Vec::new, |hit| {
            let held = self.sets.get(hit.gate().scopes as usize);
            let needed = held.map(|held| hit.take_scopes(held)).unwrap_or_default();
            needed.into_iter().map(|scope| (scope, hit.last_used())).collect()
        });
        self.table.put(key.id, &key.verifier, Gate { closed, expiry: key.expiry, scopes, kind });
        left
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
