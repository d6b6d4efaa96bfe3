//! Is this token good? One function for the library, the command line and everything to come: parse, find by
//! id, digest, then the rules. Never an allow out of an error: allow is made in
//! `domain::verdict::judge` and nowhere else.

mod terms;

use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use hashbrown::HashTable;

use self::terms::{Sought, Terms, hash_of};
use super::Origin;
use super::caller::Caller;
use super::load::workers;
use super::table::{Gate, HashedId, Hit, Table};
use super::uses::{Use, Uses};
use crate::crypto::digest::Pepper;
use crate::crypto::token::{self, TokenKind};
use crate::domain::verdict::{closed, judge};
use crate::domain::{
    Bearer, Decision, Key, KeyId, Place, Proof, PublicId, Reason, ReportOnly, ScopeId, State, Timestamp,
    Usage,
};

/// Checks tokens against tables kept in step with the state. A change that has returned is in force for the next
/// call.
pub struct Verifier {
    pepper: Pepper,
    // Readers of one lock write to its counter, and that line of memory would travel between processors at each
    // call; with many locks two readers seldom meet. It also keeps short how long readers wait while one grows.
    shards: Vec<RwLock<Shard>>,
    /// Which records are vouched for.
    proof: Arc<Proof>,
    uses: Uses,
}

/// The part of the keys that share a lock.
#[repr(align(128))]
struct Shard {
    table: Table,
    terms: Vec<Terms>,
    /// Where in it to look.
    known: HashTable<u32>,
    hasher: RandomState,
}

/// A key whose secret was right, and where it was found.
#[derive(Clone, Copy)]
struct Known<'s> {
    shard: &'s Shard,
    hit: Hit<'s>,
    key: KeyId,
}

/// Whether an allow counts as a use, and of whom.
#[derive(Clone, Copy)]
pub(super) enum Counting<'a> {
    /// It does; the request came from there.
    From(Origin<'a>),
    /// It does not: somebody only wants to know.
    Off,
}

impl Counting<'_> {
    /// Where the request came from, as far as anybody told.
    pub(super) const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::From(origin) => origin.address,
            Self::Off => None,
        }
    }
}

const SHARDS: usize = 16;
/// Keys that are put in sooner than another thread has begun.
const ALONE: usize = 10_000;

impl Verifier {
    /// Knows all keys of `state`.
    pub fn new(pepper: Pepper, state: &State, proof: Arc<Proof>) -> Self {
        // Shards differ by a few per cent; with that much to spare none has to grow at once.
        let each = state.key_count() / SHARDS;
        let each = each + each / 32;
        let mut shards: Vec<Shard> =
            std::iter::repeat_with(|| Shard::with_capacity(each)).take(SHARDS).collect();
        let workers = if state.key_count() < ALONE { 1 } else { workers().min(SHARDS) };
        // Each takes all keys of some shards.
        let each = SHARDS.div_ceil(workers);
        let put_in = |first: usize, mine: &mut [Shard]| {
            for key in state.keys() {
                let part = HashedId::of(key.id.public()).part(SHARDS);
                if let Some(shard) = part.checked_sub(first).and_then(|at| mine.get_mut(at)) {
                    let _nothing_noted = shard.put(key, &Sought::of(state, key), closed(state, key));
                }
            }
        };
        std::thread::scope(|scope| {
            let mut parts = shards.chunks_mut(each).enumerate();
            let own = parts.next();
            for (nth, mine) in parts {
                scope.spawn(move || put_in(nth * each, mine));
            }
            if let Some((_, mine)) = own {
                put_in(0, mine);
            }
        });
        let shards = shards.into_iter().map(RwLock::new).collect();
        Self { pepper, shards, proof, uses: Uses::default() }
    }

    /// The digest of a fresh token, for its record.
    pub fn digest(&self, token: &token::Token) -> crate::domain::Verifier {
        crate::domain::Verifier { digest: self.pepper.digest(token.bytes()), pepper: Pepper::NOW }
    }

    /// Which of those `stored` recognise a presented token. Nothing to compare with costs the same.
    pub fn recognises<const N: usize>(
        &self,
        presented: &token::Presented<'_>,
        stored: [Option<&crate::domain::Verifier>; N],
    ) -> [bool; N] {
        let digest = self.pepper.digest(presented.bytes());
        stored.map(|stored| {
            let stored =
                stored.map_or((&Pepper::NO_DIGEST, Pepper::NOW), |stored| (&stored.digest, stored.pepper));
            self.pepper.recognises(presented.bytes(), &digest, stored)
        })
    }

    /// Why a key that is not known here is refused.
    pub(super) fn absent(&self, id: KeyId) -> Reason {
        self.proof.of_absent_key(id)
    }

    /// Brings one key up to date with the state. One that is not vouched for stays refused.
    pub fn refresh(&self, state: &State, key: &Key) {
        self.put(state, key, closed(state, key));
    }

    /// Refuses a key from now on, whatever the state says, until it is refreshed. Whether it was used since uses were
    /// taken; no request that was let in comes later than that answer.
    pub(super) fn shut(&self, state: &State, key: &Key) -> bool {
        self.put(state, key, closed(state, key).or(Some(Reason::Tombstoned)));
        let hashed = HashedId::of(key.id.public());
        let shard = self.shard(hashed);
        shard.is_none_or(|shard| shard.table.find(hashed, key.id.public()).is_some_and(Hit::is_used))
    }

    fn put(&self, state: &State, key: &Key, closed: Option<Reason>) {
        let (hashed, terms) = (HashedId::of(key.id.public()), Sought::of(state, key));
        if let Some(shard) = self.shards.get(hashed.part(SHARDS)) {
            let left = shard.write().unwrap_or_else(PoisonError::into_inner).put(key, &terms, closed);
            for (scope, at) in left {
                self.uses.note_scope(*key.id.public(), &scope, at);
            }
        }
    }

    fn shard(&self, hashed: HashedId) -> Option<RwLockReadGuard<'_, Shard>> {
        let shard = self.shards.get(hashed.part(SHARDS))?;
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
        self.decide(presented, wanted, Counting::From(origin), now, |_| ())
    }

    /// The same decision, with or without a use that counts. Of an allowed request `tell` hears who it comes from,
    /// while nothing can change it.
    #[inline]
    pub(super) fn decide(
        &self,
        presented: &[u8],
        wanted: &[ScopeId],
        counting: Counting<'_>,
        now: Timestamp,
        tell: impl FnOnce(&Caller<'_>),
    ) -> Decision {
        let Ok(presented) = token::parse(presented) else { return Decision::deny(Reason::Malformed, None) };
        let id = presented.id();
        let hashed = HashedId::of(&id);
        let Some(shard) = self.shard(hashed) else { return Decision::deny(Reason::StoreError, None) };
        shard.table.touch(hashed);
        let digest = self.pepper.digest(presented.bytes());
        // An unknown id costs the same digest and the same comparison as a known one.
        let hit = shard.table.find(hashed, &id);
        let stored =
            hit.as_ref().map_or((&Pepper::NO_DIGEST, Pepper::NOW), |hit| (hit.digest(), hit.pepper()));
        let same = self.pepper.recognises(presented.bytes(), &digest, stored);
        let Some(hit) = hit else { return Decision::deny(self.absent(KeyId(id)), None) };
        let gate = hit.gate();
        if kind_code(presented.kind()) != Some(gate.kind) {
            return Decision::deny(Reason::KindMismatch, None);
        }
        if !same {
            return Decision::deny(Reason::MacMismatch, None);
        }
        self.admit(Known { shard: &shard, hit, key: KeyId(id) }, wanted, counting, now, tell)
    }

    /// Decides about a key whose secret somebody else has recognised.
    pub(super) fn admit_known(
        &self,
        id: KeyId,
        wanted: &[ScopeId],
        counting: Counting<'_>,
        now: Timestamp,
        tell: impl FnOnce(&Caller<'_>),
    ) -> Decision {
        let hashed = HashedId::of(id.public());
        let Some(shard) = self.shard(hashed) else { return Decision::deny(Reason::StoreError, None) };
        match shard.table.find(hashed, id.public()) {
            Some(hit) => self.admit(Known { shard: &shard, hit, key: id }, wanted, counting, now, tell),
            None => Decision::deny(self.absent(id), None),
        }
    }

    /// Judges a key whose secret was right, and notes its use.
    #[inline]
    fn admit(
        &self,
        Known { shard, hit, key }: Known<'_>,
        wanted: &[ScopeId],
        counting: Counting<'_>,
        now: Timestamp,
        tell: impl FnOnce(&Caller<'_>),
    ) -> Decision {
        let id = *key.public();
        let (gate, bearer) = (hit.gate(), Some(Bearer::Key(key)));
        let Some(terms) = shard.terms.get(gate.terms as usize) else {
            return Decision::deny(Reason::StoreError, bearer);
        };
        let scopes = &terms.scopes;
        let decision = judge(Bearer::Key(key), gate.closed, gate.expiry, scopes, wanted, now);
        if !decision.is_allow() {
            return decision;
        }
        if let Counting::From(origin) = counting {
            if !wanted.is_empty() {
                if !hit.note_scopes(scopes, wanted) {
                    for scope in wanted {
                        self.uses.note_scope(id, scope, now);
                    }
                }
                if let Some(tried) = &terms.report_only {
                    self.report(id, tried, wanted, origin, now);
                }
            }
            if !origin.is_nowhere() {
                self.uses.note_origin(id, origin, now);
            }
            // Last, so that whoever takes the count finds all that belongs to it.
            if hit.note_use(now) {
                self.uses.enlist(id, now);
            }
        }
        tell(&terms.caller(id, hit));
        decision
    }

    /// Counts an allowed request that a narrower set would refuse.
    #[cold]
    fn report(
        &self,
        id: PublicId,
        tried: &ReportOnly,
        wanted: &[ScopeId],
        origin: Origin<'_>,
        now: Timestamp,
    ) {
        let lacks = |scope: &&ScopeId| !tried.scopes.contains(scope);
        if tried.runs(now) && wanted.iter().any(|scope| lacks(&scope)) {
            self.uses.note_lacked(id, tried.begun, wanted.iter().filter(lacks), origin, now);
        }
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
        uses.retain(|used| used.usage.count > 0 || !used.trace.is_empty() || used.lacked.is_some());
        uses
    }

    /// Adds what the table noted of a key.
    fn complete(&self, used: &mut Use) {
        let hashed = HashedId::of(&used.id);
        let Some(shard) = self.shard(hashed) else { return };
        let Some(hit) = shard.table.find(hashed, &used.id) else { return };
        let taken = hit.take_uses();
        // One that was counted and not enlisted yet: the first of those few is not known.
        let first_used_at = used.usage.first_used_at.or(taken.last_used_at);
        used.usage = Usage { first_used_at, ..taken };
        if let Some(terms) = shard.terms.get(hit.gate().terms as usize) {
            for scope in hit.take_scopes(&terms.scopes) {
                used.trace.note_scope(&scope, hit.last_used());
            }
        }
    }
}

impl Shard {
    fn with_capacity(keys: usize) -> Self {
        Self {
            table: Table::with_capacity(keys),
            terms: Vec::new(),
            known: HashTable::new(),
            hasher: RandomState::new(),
        }
    }

    /// Returns which scopes were needed of a set the key had before, and when at the latest: the bits that said so
    /// would mean others now.
    fn put(&mut self, key: &Key, terms: &Sought<'_>, closed: Option<Reason>) -> Vec<(ScopeId, Timestamp)> {
        let kind = match key.place {
            Place::Agency => 0,
            Place::Location(_) => 1,
            Place::App(_) => 2,
        };
        let id = key.id.public();
        let left = self.table.find(HashedId::of(id), id).map_or_else(Vec::new, |hit| {
            let before = self.terms.get(hit.gate().terms as usize).map(|before| &before.scopes);
            let other = before.filter(|before| *before != terms.scopes);
            let needed = other.map(|before| hit.take_scopes(before)).unwrap_or_default();
            needed.into_iter().map(|scope| (scope, hit.last_used())).collect()
        });
        let gate = Gate { closed, expiry: key.expiry, terms: self.agree(terms), kind };
        self.table.put(key.id, &key.name, &key.verifier, gate);
        left
    }

    /// Where terms are kept: once, however many keys have them.
    fn agree(&mut self, sought: &Sought<'_>) -> u32 {
        let Self { terms: all, known, hasher, .. } = self;
        let hash = hash_of(hasher, sought.scopes, sought.owner, sought.place);
        let of = |at: u32| all.get(at as usize);
        if let Some(at) = known.find(hash, |at| of(*at).is_some_and(|terms| sought.is(terms))) {
            return *at;
        }
        let at = u32::try_from(all.len()).unwrap_or(u32::MAX);
        known.insert_unique(hash, at, |at| of(*at).map_or(0, |terms| terms.hash(hasher)));
        all.push(sought.to_terms());
        at
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
