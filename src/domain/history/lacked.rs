//! Requests that were let through and that a narrower set of scopes would have refused: how many, for want of which scopes, and
//! who sent them. Joined in any order and in any groups it is the same, as all of a history is; of two that were begun at different
//! times the later one counts.

use minicbor::{Decode, Encode};

use super::Visit;
use crate::domain::trace::Sighting;
use crate::domain::{ScopeId, Timestamp};

/// Callers that are kept: the busiest.
const CALLERS_KEPT: usize = 8;
/// Scopes that are kept: those that most requests lacked.
const SCOPES_KEPT: usize = 32;
/// Callers that are told apart between two writes.
const GATHERED: usize = 64;

/// A scope that was lacking.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LackedScope {
    /// Which.
    #[n(0)]
    pub scope: ScopeId,
    /// To how many requests.
    #[n(1)]
    pub count: u64,
    /// When last.
    #[n(2)]
    pub last: Timestamp,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Lacked {
    /// Since when it is counted; tells one count from another.
    #[n(0)]
    pub begun: Timestamp,
    /// Requests, each once, whatever it lacked.
    #[n(1)]
    pub count: u64,
    /// When the last one came; the beginning where none did.
    #[n(2)]
    pub last: Timestamp,
    /// Each once, by name.
    #[n(3)]
    pub scopes: Vec<LackedScope>,
    /// Each once, in order.
    #[n(4)]
    pub callers: Vec<Visit>,
}

impl Lacked {
    /// Nothing was counted yet.
    pub const fn since(begun: Timestamp) -> Self {
        Self { begun, count: 0, last: begun, scopes: Vec::new(), callers: Vec::new() }
    }

    /// Counts a request that needs scopes which the narrower set lacks.
    pub fn note<'s>(&mut self, lacking: impl IntoIterator<Item = &'s ScopeId>, seen: &Sighting) {
        self.count = self.count.saturating_add(1);
        self.last = self.last.max(seen.at);
        let mut noted: Vec<&ScopeId> = lacking.into_iter().collect();
        noted.sort_unstable();
        noted.dedup();
        for scope in noted {
            self.lack(&LackedScope { scope: scope.clone(), count: 1, last: seen.at });
        }
        let Sighting { at, address, agent } = seen.clone();
        let caller = Visit { address, agent, last: at, count: 1 };
        if self.callers.len() < GATHERED || self.place_of(&caller).is_ok() {
            self.visit(&caller);
        }
    }

    fn lack(&mut self, more: &LackedScope) {
        match self.scopes.binary_search_by(|known| known.scope.cmp(&more.scope)) {
            Ok(known) => {
                if let Some(known) = self.scopes.get_mut(known) {
                    known.count = known.count.saturating_add(more.count);
                    known.last = known.last.max(more.last);
                }
            }
            Err(place) => self.scopes.insert(place, more.clone()),
        }
    }

    fn place_of(&self, caller: &Visit) -> Result<usize, usize> {
        let who = |visit: &Visit| (visit.address, visit.agent.clone());
        self.callers.binary_search_by(|known| who(known).cmp(&who(caller)))
    }

    fn visit(&mut self, more: &Visit) {
        match self.place_of(more) {
            Ok(known) => {
                if let Some(known) = self.callers.get_mut(known) {
                    known.count = known.count.saturating_add(more.count);
                    known.last = known.last.max(more.last);
                }
            }
            Err(place) => self.callers.insert(place, more.clone()),
        }
    }

    /// Adds another count of the same time; a later one takes the place of an earlier one.
    pub fn merge(&mut self, other: &Self) {
        if other.begun < self.begun {
            return;
        }
        if other.begun > self.begun {
            *self = other.clone();
            return;
        }
        self.count = self.count.saturating_add(other.count);
        self.last = self.last.max(other.last);
        other.scopes.iter().for_each(|known| self.lack(known));
        other.callers.iter().for_each(|caller| self.visit(caller));
    }

    /// Forgets what is too much for a row. What a clock saw that was ahead gives way to what follows it.
    pub fn bound(&mut self, now: Timestamp) {
        self.last = self.last.min(now.max(self.begun));
        self.scopes.iter_mut().for_each(|known| known.last = known.last.min(now));
        self.callers.iter_mut().for_each(|caller| caller.last = caller.last.min(now));
        keep_most(&mut self.scopes, SCOPES_KEPT, |known| known.count);
        keep_most(&mut self.callers, CALLERS_KEPT, |caller| caller.count);
    }

    /// About how many bytes it takes.
    pub fn weight(&self) -> usize {
        let agent = |visit: &Visit| visit.agent.as_ref().map_or(0, |agent| agent.as_str().len());
        let callers: usize = self.callers.iter().map(|caller| 80 + agent(caller)).sum();
        callers + self.scopes.iter().map(|known| 24 + known.scope.as_str().len()).sum::<usize>()
    }
}

/// Keeps so many, those with the most, in the order they were in.
fn keep_most<T>(all: &mut Vec<T>, keep: usize, count: impl Fn(&T) -> u64) {
    if all.len() <= keep {
        return;
    }
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(all.get(*at).map_or(0, &count)));
    order.truncate(keep);
    let mut at = 0;
    all.retain(|_| {
        at += 1;
        order.contains(&(at - 1))
    });
}
