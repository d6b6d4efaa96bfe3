//! Requests that were refused and not yet told in the audit trail: counted per key and reason, for a minute at a time,
//! so that a flood costs a counter and not a disk. What nobody recognises is known by a fingerprint and never by
//! itself. Everything here is bounded: beyond the bounds requests still count, together.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::uses::{agent, sighting};
use super::{Origin, imported};
use crate::crypto::token;
use crate::domain::audit::{ActorLine, Entry, Outcome, SubjectLine, TokenLine, TriesLine};
use crate::domain::trace::{Address, Sighting};
use crate::domain::{Bearer, Decision, KeyId, PublicId, Reason, ScopeId, State, Timestamp};

/// How long requests are counted before they are told.
pub const WINDOW_MS: i64 = 60_000;
/// Keys and reasons told apart in one window. All of them, each with a long name, fit one commit of the store.
const PAIRS: usize = 64;
/// Unrecognised texts told apart in one window, whatever they claim to be.
const TOKENS: usize = 32;
/// Keys and apps whose refused requests are counted for their history, between two takes.
const BEARERS: usize = 4_096;
/// Bytes of an agent that are kept.
const AGENT_BYTES: usize = 256;

/// For whom, if that is known, and why.
type Pair = (Option<Bearer>, Reason);

/// Refused requests of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Count {
    n: u64,
    first: Timestamp,
    last: Timestamp,
    address: Option<IpAddr>,
    agent: Vec<u8>,
    missing: Option<ScopeId>,
    tokens: Vec<TokenCount>,
    /// Whether the last of them is not told as who presented a key that opens nothing.
    unseen: bool,
}

/// A text that was not recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
struct TokenCount {
    /// What knows it again in this process, at less cost than its fingerprint.
    mark: u64,
    fingerprint: String,
    n: u64,
    first: Timestamp,
    last: Timestamp,
    address: Option<IpAddr>,
}

/// What was counted since it was taken last.
#[derive(Clone, Default)]
pub(super) struct Book {
    since: Option<Timestamp>,
    pairs: HashMap<Pair, Count>,
    /// Of all pairs together.
    tokens: usize,
    /// Of pairs beyond those that are told apart.
    beyond: Option<Count>,
    histories: Refused,
}

/// Refused requests of keys and apps that were recognised, for their histories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Refused {
    /// How many of whom, and when the last.
    pub by: HashMap<PublicId, (u64, Timestamp)>,
    /// Who came last with a key that opens nothing at all. It is told from what is counted of every refusal, when that is taken: a
    /// request with such a key costs what one with any other dead key does.
    pub presented: HashMap<PublicId, Sighting>,
    /// Of some there was no room to count them.
    pub lost: bool,
}

impl Refused {
    fn count(&mut self, id: PublicId, now: Timestamp) {
        let room = self.by.len() < BEARERS;
        match self.by.entry(id) {
            Slot::Occupied(mut known) => {
                let (n, last) = known.get_mut();
                (*n, *last) = (n.saturating_add(1), now.max(*last));
            }
            Slot::Vacant(place) if room => {
                place.insert((1, now));
            }
            Slot::Vacant(_) => self.lost = true,
        }
    }
}

/// Where refused requests are counted.
#[derive(Default)]
pub(super) struct Denials {
    book: Mutex<Book>,
    marks: RandomState,
}

impl Denials {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a refused request; false for one the trail does not tell of. `fingerprint` names the presented text, and
    /// is asked for the first few that nobody recognises.
    pub fn note(
        &self,
        presented: &[u8],
        decision: &Decision,
        origin: Origin<'_>,
        now: Timestamp,
        fingerprint: impl FnOnce() -> String,
    ) -> bool {
        let Some(reason) = decision.reason() else { return false };
        // What is no token says nothing about any, and a store in doubt takes no entry: both are metrics only.
        if matches!(reason, Reason::Malformed | Reason::StoreError) {
            return false;
        }
        let known = decision.bearer();
        let mark = known.is_none().then(|| self.marks.hash_one(presented));
        let mut book = self.book();
        let book = &mut *book;
        book.since.get_or_insert(now);
        if let Some(bearer) = known {
            book.histories.count(bearer.public(), now);
        }
        let room = TOKENS.saturating_sub(book.tokens);
        let Some(count) = book.count((known.or_else(|| named(presented, reason)), reason), now) else {
            if let Some(key) = opens_nothing((known, reason)) {
                book.histories.presented.insert(key, sighting(origin, now));
            }
            return true;
        };
        count.see(origin, decision.missing(), now);
        let Some(mark) = mark else { return true };
        match count.tokens.iter_mut().find(|token| token.mark == mark) {
            Some(token) => token.see(origin.address, now),
            None if room > 0 => {
                let address = origin.address;
                let fingerprint = fingerprint();
                count.tokens.push(TokenCount { mark, fingerprint, n: 1, first: now, last: now, address });
                book.tokens += 1;
            }
            None => {}
        }
        true
    }

    /// Whether something waits to be told.
    pub fn wait(&self) -> bool {
        self.book().since.is_some()
    }

    /// Whether what waits has waited long enough.
    pub fn are_due(&self, now: Timestamp) -> bool {
        // A clock that was put back must not hold them for as long as it was ahead.
        self.book().since.is_some_and(|since| !(0..WINDOW_MS).contains(&now.since(since)))
    }

    /// Takes all that waits, but for histories.
    pub fn take(&self) -> Book {
        let mut book = self.book();
        book.see_presented();
        let histories = std::mem::take(&mut book.histories);
        std::mem::replace(&mut *book, Book { histories, ..Book::default() })
    }

    /// Takes what was counted for histories.
    pub fn take_refused(&self) -> Refused {
        let mut book = self.book();
        book.see_presented();
        std::mem::take(&mut book.histories)
    }

    /// Puts back what could not be written, before what came since.
    pub fn put_back(&self, older: Book) {
        let mut book = self.book();
        let newer = std::mem::replace(&mut *book, older);
        book.add(newer);
    }
}

/// The key of a pair, where that opens nothing at all.
fn opens_nothing((bearer, reason): Pair) -> Option<PublicId> {
    match (bearer, reason) {
        (Some(Bearer::Key(key)), Reason::Tombstoned | Reason::Decoy) => Some(*key.public()),
        _ => None,
    }
}

/// The key that an unrecognised text names, where that key exists.
fn named(presented: &[u8], reason: Reason) -> Option<Bearer> {
    if !matches!(reason, Reason::MacMismatch | Reason::KindMismatch | Reason::Rate) {
        return None;
    }
    let id = token::parse(presented).ok().map(|token| KeyId(token.id()));
    id.or_else(|| imported::parse(presented).map(|theirs| theirs.id)).map(Bearer::Key)
}

impl Book {
    /// Tells who came with keys that open nothing, of those that were refused since that was taken last.
    fn see_presented(&mut self) {
        for (pair, count) in &mut self.pairs {
            let Some(key) = opens_nothing(*pair) else { continue };
            if std::mem::take(&mut count.unseen) {
                let address = count.address.map(Address::from);
                let seen = Sighting { at: count.last, address, agent: agent(&count.agent) };
                self.histories.presented.insert(key, seen);
            }
        }
    }

    /// Where a request of a pair is counted. Those beyond the bound have been counted when it is `None`.
    fn count(&mut self, pair: Pair, now: Timestamp) -> Option<&mut Count> {
        // There are few reasons to refuse what nobody owns, so these are always told apart.
        let room = self.pairs.len() < PAIRS || pair.0.is_none();
        match self.pairs.entry(pair) {
            Slot::Occupied(count) => Some(count.into_mut()),
            Slot::Vacant(place) if room => Some(place.insert(Count::none(now))),
            Slot::Vacant(_) => {
                self.beyond.get_or_insert_with(|| Count::none(now)).see(Origin::default(), None, now);
                None
            }
        }
    }

    fn add(&mut self, newer: Self) {
        self.histories = newer.histories;
        self.since = [self.since, newer.since].into_iter().flatten().min();
        for (pair, count) in newer.pairs {
            let room = self.pairs.len() < PAIRS || pair.0.is_none();
            match self.pairs.entry(pair) {
                Slot::Occupied(mut known) => self.tokens += known.get_mut().add(count, TOKENS - self.tokens),
                Slot::Vacant(place) if room => {
                    let mut known = Count { tokens: Vec::new(), ..count.clone() };
                    known.n = 0;
                    self.tokens += place.insert(known).add(count, TOKENS - self.tokens);
                }
                Slot::Vacant(_) => {
                    let beyond = self.beyond.get_or_insert_with(|| Count::none(count.first));
                    beyond.add(count, 0);
                }
            }
        }
        if let Some(count) = newer.beyond {
            self.beyond.get_or_insert_with(|| Count::none(count.first)).add(count, 0);
        }
    }

    /// As entries of the trail, the earliest first. `state` names whom they are about.
    pub fn entries(&self, state: &State, actor: &ActorLine, now: Timestamp) -> Vec<Entry> {
        let mut pairs: Vec<(&Pair, &Count)> = self.pairs.iter().collect();
        pairs.sort_by_key(|((bearer, reason), count)| {
            (count.first, bearer.map(Bearer::public), reason.code())
        });
        let entry = |count: &Count, reason: Option<Reason>, bearer: Option<Bearer>| Entry {
            outcome: Outcome::Refused,
            reason: reason.map(|reason| reason.code().into()),
            subjects: bearer.and_then(|bearer| SubjectLine::of_bearer(state, bearer)).into_iter().collect(),
            tries: Some(count.line()),
            ..Entry::of(actor.clone(), now, Entry::DENIED)
        };
        let told = pairs.into_iter().map(|((bearer, reason), count)| entry(count, Some(*reason), *bearer));
        told.chain(self.beyond.iter().map(|count| entry(count, None, None))).collect()
    }
}

impl Count {
    const fn none(now: Timestamp) -> Self {
        Self {
            n: 0,
            first: now,
            last: now,
            address: None,
            agent: Vec::new(),
            missing: None,
            tokens: Vec::new(),
            unseen: false,
        }
    }

    fn see(&mut self, origin: Origin<'_>, missing: Option<&ScopeId>, now: Timestamp) {
        self.n = self.n.saturating_add(1);
        self.last = self.last.max(now);
        self.unseen = true;
        self.address = origin.address;
        let said = origin.agent.unwrap_or_default();
        self.agent.clear();
        self.agent.extend_from_slice(said.get(..AGENT_BYTES).unwrap_or(said));
        if missing != self.missing.as_ref() {
            self.missing = missing.cloned();
        }
    }

    /// Adds what was counted later; how many texts that told apart anew, at most `room`.
    fn add(&mut self, later: Self, room: usize) -> usize {
        self.n = self.n.saturating_add(later.n);
        self.first = self.first.min(later.first);
        self.last = self.last.max(later.last);
        (self.address, self.agent, self.missing) = (later.address, later.agent, later.missing);
        self.unseen |= later.unseen;
        let mut anew = 0;
        for token in later.tokens {
            match self.tokens.iter_mut().find(|known| known.mark == token.mark) {
                Some(known) => {
                    known.n = known.n.saturating_add(token.n);
                    known.last = known.last.max(token.last);
                    known.address = token.address;
                }
                None if anew < room => {
                    self.tokens.push(token);
                    anew += 1;
                }
                None => {}
            }
        }
        anew
    }

    fn line(&self) -> TriesLine {
        TriesLine {
            n: self.n,
            first: self.first.0,
            last: self.last.0,
            address: text(self.address),
            agent: agent(&self.agent).map(|agent| agent.to_string()),
            scope: self.missing.as_ref().map(ToString::to_string),
            tokens: self.tokens.iter().map(TokenCount::line).collect(),
        }
    }
}

impl TokenCount {
    fn see(&mut self, address: Option<IpAddr>, now: Timestamp) {
        self.n = self.n.saturating_add(1);
        self.last = self.last.max(now);
        self.address = address;
    }

    fn line(&self) -> TokenLine {
        TokenLine {
            fp: self.fingerprint.clone(),
            n: self.n,
            first: self.first.0,
            last: self.last.0,
            address: text(self.address),
        }
    }
}

fn text(address: Option<IpAddr>) -> Option<String> {
    address.map(|address| Address::from(address).to_string())
}

#[cfg(test)]
mod tests;
