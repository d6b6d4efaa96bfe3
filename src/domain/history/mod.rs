//! The use of a key or an app over time: requests by the hour and by the day, who sent them, which scopes they needed.
//! Increments of it are gathered off the request path and joined to what is stored; joining is exact in any order and in any
//! groups, so several may write rows of their own. [`History::bound`] makes it fit a row. Nothing here goes by a clock
//! that was wrong: what lies ahead of now is forgotten first.
//!
//! - [`ring`]: slots by number. [`picture`]: what is shown. [`coverage`]: of which time all is known. [`lacked`]: what fewer scopes
//!   would have refused. [`spark`]: the last days of many.

pub mod coverage;
pub mod lacked;
pub mod picture;
pub mod ring;
pub mod spark;

use minicbor::{Decode, Encode};

pub use self::coverage::Coverage;
pub use self::lacked::Lacked;
pub use self::picture::{Picture, Visit};
use self::ring::{Bits, Joins as _, Ring, Tally};
use super::time::{DAY_MS, HOUR_MS};
use super::trace::{Address, Agent, Denied, Sighting};
use super::{ScopeId, Timestamp};

/// Hours with requests that are kept: those that are shown, and a day for a clock that was ahead.
const HOURS_KEPT: usize = 72;
/// Days with requests that are kept, with a month for such a clock.
const DAYS_KEPT: usize = 120;
/// Callers that are told apart: half of them the busiest, half the latest.
pub const VISITORS: usize = 32;
/// Days of one caller that are kept.
const VISITOR_DAYS: usize = 8;
/// A caller who has not come for so long is forgotten.
const VISITOR_MS: i64 = 30 * DAY_MS;
/// Blocks of days that are kept of a scope: 90 days lie in three at most.
const BLOCKS_KEPT: usize = 4;
/// Bytes that callers and scopes together may take, about: with hours and days it fits a row of the store.
const WEIGHT_MAX: usize = 10 * 1024;
/// Fewer refused requests in a week are not often, nor is less than one of [`OFTEN_OF`].
const OFTEN: u64 = 20;
/// See [`OFTEN`].
const OFTEN_OF: u64 = 10;
/// Callers that are told apart between two writes; requests of others count without one.
const GATHERED: usize = 128;

/// Who sent requests.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Visitor {
    #[n(0)]
    address: Option<Address>,
    #[n(1)]
    agent: Option<Agent>,
    #[n(2)]
    last: Timestamp,
    #[n(3)]
    days: Ring<u64>,
}

impl Visitor {
    const fn who(&self) -> (Option<&Address>, Option<&Agent>) {
        (self.address.as_ref(), self.agent.as_ref())
    }

    fn count(&self) -> u64 {
        self.days.iter().fold(0, |all, (_, count)| all.saturating_add(count))
    }
}

/// On which days a scope was needed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct ScopeDays {
    #[n(0)]
    scope: ScopeId,
    #[n(1)]
    days: Ring<Bits>,
}

impl ScopeDays {
    fn newest(&self) -> i64 {
        self.days.iter().next_back().map_or(i64::MIN, |(block, days)| {
            block.saturating_mul(Bits::DAYS).saturating_add(63 - i64::from(days.0.leading_zeros()))
        })
    }
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct History {
    #[n(0)]
    hours: Ring<Tally>,
    #[n(1)]
    days: Ring<Tally>,
    /// Each once, in order.
    #[n(2)]
    visitors: Vec<Visitor>,
    /// Each once, by name.
    #[n(3)]
    scopes: Vec<ScopeDays>,
    /// What fewer scopes would have refused, while that is or was tried.
    #[n(4)]
    lacked: Option<Box<Lacked>>,
    /// Where the first request of all came from.
    #[n(5)]
    first: Option<Sighting>,
}

impl History {
    /// Counts requests that were allowed, all at about the same time.
    pub fn allow(&mut self, at: Timestamp, count: u64) {
        self.count(at, Tally { allowed: count, denied: 0 });
    }

    /// Counts requests that were refused although the secret was right.
    pub fn deny(&mut self, at: Timestamp, count: u64) {
        self.count(at, Tally { allowed: 0, denied: count });
    }

    fn count(&mut self, at: Timestamp, tally: Tally) {
        if !tally.is_zero() {
            self.hours.add(at.0.div_euclid(HOUR_MS), tally);
            self.days.add(at.0.div_euclid(DAY_MS), tally);
        }
    }

    /// Notes where so many of the allowed requests came from.
    pub fn see(&mut self, seen: &Sighting, count: u64) {
        let mut days = Ring::default();
        days.add(seen.at.0.div_euclid(DAY_MS), count);
        let visitor = Visitor { address: seen.address, agent: seen.agent.clone(), last: seen.at, days };
        // Those of one flood are not all remembered until they are written.
        if self.visitors.len() < GATHERED || self.place_of(&visitor).is_ok() {
            self.visit(&visitor);
        }
    }

    /// Notes where the first request of all came from.
    pub fn begin(&mut self, first: Sighting) {
        let earlier = |known: &Sighting, other: &Sighting| {
            (known.at, &known.address, &known.agent) <= (other.at, &other.address, &other.agent)
        };
        if self.first.as_ref().is_none_or(|known| !earlier(known, &first)) {
            self.first = Some(first);
        }
    }

    /// Notes that a scope was needed.
    pub fn exercise(&mut self, scope: &ScopeId, at: Timestamp) {
        let (block, bit) = Bits::of(at.0.div_euclid(DAY_MS));
        let mut days = Ring::default();
        days.add(block, bit);
        self.need(scope, &days);
    }

    fn need(&mut self, scope: &ScopeId, days: &Ring<Bits>) {
        match self.scopes.binary_search_by(|known| known.scope.cmp(scope)) {
            Ok(known) => {
                if let Some(known) = self.scopes.get_mut(known) {
                    known.days.merge(days);
                }
            }
            Err(place) => {
                self.scopes.insert(place, ScopeDays { scope: scope.clone(), days: days.clone() });
            }
        }
    }

    fn place_of(&self, visitor: &Visitor) -> Result<usize, usize> {
        self.visitors.binary_search_by(|known| known.who().cmp(&visitor.who()))
    }

    fn visit(&mut self, visitor: &Visitor) {
        match self.place_of(visitor) {
            Ok(known) => {
                if let Some(known) = self.visitors.get_mut(known) {
                    known.last = known.last.max(visitor.last);
                    known.days.merge(&visitor.days);
                }
            }
            Err(place) => self.visitors.insert(place, visitor.clone()),
        }
    }

    /// Adds what fewer scopes would have refused.
    pub fn lack(&mut self, more: &Lacked) {
        match &mut self.lacked {
            Some(lacked) => lacked.merge(more),
            None => self.lacked = Some(Box::new(more.clone())),
        }
    }

    /// What fewer scopes would have refused, of what was tried last.
    pub fn lacked(&self) -> Option<&Lacked> {
        self.lacked.as_deref()
    }

    /// Adds all of another: what was counted later, or by somebody else. In whatever order and groups parts are added, the
    /// whole is the same.
    pub fn merge(&mut self, other: &Self) {
        self.hours.merge(&other.hours);
        self.days.merge(&other.days);
        other.visitors.iter().for_each(|visitor| self.visit(visitor));
        other.scopes.iter().for_each(|known| self.need(&known.scope, &known.days));
        other.lacked.iter().for_each(|lacked| self.lack(lacked));
        other.first.iter().for_each(|first| self.begin(first.clone()));
    }

    /// The requests of the last seven days.
    pub fn last_week(&self, now: Timestamp) -> Tally {
        let today = now.0.div_euclid(DAY_MS);
        let week = self.days.iter().filter(|(day, _)| (today.saturating_sub(6)..=today).contains(day));
        week.fold(Tally::default(), |all, (_, tally)| all.join(tally))
    }

    /// What is to be remembered of how often requests are refused, where that is often, or was by what is `known`.
    pub fn denied_often(&self, known: Option<Denied>, now: Timestamp) -> Option<Denied> {
        let Tally { allowed, denied } = self.last_week(now);
        let is_often = denied >= OFTEN && denied.saturating_mul(OFTEN_OF) >= allowed.saturating_add(denied);
        let count = if is_often { denied } else { 0 };
        let before = known.map_or(0, |known| known.count);
        (count != before).then_some(Denied { at: now, count })
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Forgets what is too much for a row.
    pub fn bound(&mut self, now: Timestamp) {
        let today = now.0.div_euclid(DAY_MS);
        self.hours.bound(HOURS_KEPT, now.0.div_euclid(HOUR_MS));
        self.days.bound(DAYS_KEPT, today);
        self.visitors.retain(|visitor| now.since(visitor.last) <= VISITOR_MS);
        for visitor in &mut self.visitors {
            // What a clock saw that was ahead gives way to what follows it.
            visitor.last = visitor.last.min(now);
            visitor.days.bound(VISITOR_DAYS, today);
        }
        self.keep_visitors(VISITORS);
        self.scopes.iter_mut().for_each(|known| known.days.bound(BLOCKS_KEPT, today.div_euclid(Bits::DAYS)));
        self.lacked.iter_mut().for_each(|lacked| lacked.bound(now));
        // A caller says what it likes, and as much as an agent may be long.
        while self.weight() > WEIGHT_MAX && !self.visitors.is_empty() {
            self.keep_visitors(self.visitors.len() / 2);
        }
        while self.weight() > WEIGHT_MAX && !self.scopes.is_empty() {
            let oldest = self.scopes.iter().map(ScopeDays::newest).min();
            let oldest = self.scopes.iter().position(|known| Some(known.newest()) == oldest);
            self.scopes.remove(oldest.unwrap_or_default());
        }
    }

    /// Keeps so many callers: half of them the busiest, of the others the latest.
    fn keep_visitors(&mut self, keep: usize) {
        if self.visitors.len() <= keep {
            return;
        }
        let mut all = std::mem::take(&mut self.visitors);
        all.sort_by_key(|visitor| std::cmp::Reverse(visitor.count()));
        let mut rest = all.split_off(keep.div_ceil(2).min(all.len()));
        rest.sort_by_key(|visitor| std::cmp::Reverse(visitor.last));
        all.extend(rest.into_iter().take(keep / 2));
        all.sort_by(|one, other| one.who().cmp(&other.who()));
        self.visitors = all;
    }

    fn weight(&self) -> usize {
        let agent = |visitor: &Visitor| visitor.agent.as_ref().map_or(0, |agent| agent.as_str().len());
        let visitors: usize = self.visitors.iter().map(|visitor| 140 + agent(visitor)).sum();
        let lacked = self.lacked().map_or(0, Lacked::weight);
        lacked + visitors + self.scopes.iter().map(|known| 56 + known.scope.as_str().len()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests;
