//! A history as it is looked at: the last 48 hours, the last 90 days, the callers of the last seven and the scopes, with
//! what is not known marked as such. Hours and days are those of UTC.

use minicbor::{Decode, Encode};

use super::ring::{Bits, Ring, Tally};
use super::{DAYS_KEPT, HOURS_KEPT, History, Lacked, VISITORS};
use crate::domain::time::{DAY_MS, HOUR_MS};
use crate::domain::trace::{Address, Agent, Sighting};
use crate::domain::{ScopeId, Timestamp};

/// One hour or one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Bar {
    /// When it begins.
    #[n(0)]
    pub at: Timestamp,
    /// Requests in it, as far as they are known.
    #[n(1)]
    pub tally: Tally,
    /// Whether none was lost.
    #[n(2)]
    pub whole: bool,
}

impl Bar {
    /// The requests, at least; `None` where nothing is known.
    pub fn known(&self) -> Option<Tally> {
        (self.whole || !self.tally.is_zero()).then_some(self.tally)
    }
}

/// Requests of the last 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Day {
    /// As far as they are known.
    #[n(0)]
    pub tally: Tally,
    /// Whether none was lost.
    #[n(1)]
    pub whole: bool,
}

impl Day {
    const HOURS: u8 = 24;

    /// Of `history` alone, with the words of [`Picture::of`].
    pub fn of(
        history: &History,
        since: (Timestamp, Timestamp),
        covered: &dyn Fn(Timestamp, Timestamp) -> bool,
    ) -> Self {
        Self::told(&bars(&history.hours, since, (HOUR_MS, Self::HOURS, HOURS_KEPT), covered))
    }

    fn told(hours: &[Bar]) -> Self {
        Self { tally: total(hours.iter()), whole: hours.iter().all(|bar| bar.whole) }
    }
}

/// So many units of time, the oldest first, of what was made at `made`.
fn bars(
    ring: &Ring<Tally>,
    (now, made): (Timestamp, Timestamp),
    (unit, count, keep): (i64, u8, usize),
    covered: &dyn Fn(Timestamp, Timestamp) -> bool,
) -> Vec<Bar> {
    let (newest, begins) = (now.0.div_euclid(unit), ring.begins(keep));
    let bar = |ago: u8| {
        let slot = newest.saturating_sub(i64::from(ago));
        let at = Timestamp(slot.saturating_mul(unit));
        let (from, to) = (at.max(made), Timestamp(at.0.saturating_add(unit)).min(now));
        let kept = begins.is_none_or(|oldest| oldest <= slot);
        let whole = from >= to || (kept && covered(from, to));
        Bar { at, tally: ring.get(slot).unwrap_or_default(), whole }
    };
    (0..count).rev().map(bar).collect()
}

/// A caller of the last days.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Visit {
    /// From where.
    #[n(0)]
    pub address: Option<Address>,
    /// With what, in its own words.
    #[n(1)]
    pub agent: Option<Agent>,
    /// When last.
    #[n(2)]
    pub last: Timestamp,
    /// How often.
    #[n(3)]
    pub count: u64,
}

/// A scope that was needed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Exercised {
    /// Which.
    #[n(0)]
    pub scope: ScopeId,
    /// When last, where that is known to more than the day.
    #[n(1)]
    pub last: Option<Timestamp>,
    /// How many days ago it was, each of the last 90 on which it was, the latest first: 0 is today.
    #[n(2)]
    pub days: Vec<u8>,
}

/// What is shown of a history.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Picture {
    /// As of when.
    #[n(0)]
    pub at: Timestamp,
    /// [`Picture::HOURS`] hours, the oldest first; the last one goes on.
    #[n(1)]
    pub hours: Vec<Bar>,
    /// [`Picture::DAYS`] days, the oldest first; the last one goes on.
    #[n(2)]
    pub days: Vec<Bar>,
    /// Callers of the last [`Picture::CALLER_DAYS`] days, the busiest first.
    #[n(3)]
    pub visits: Vec<Visit>,
    /// Requests of those days that were allowed and are not told with a caller: of too many, or from nowhere that was told.
    #[n(4)]
    pub others: u64,
    /// By name.
    #[n(5)]
    pub scopes: Vec<Exercised>,
    /// What fewer scopes would have refused, of a key on which that is tried.
    #[n(6)]
    pub lacked: Option<Box<Lacked>>,
    /// Where the first request of all came from, where that was told.
    #[n(7)]
    pub first: Option<Sighting>,
}

impl Picture {
    /// Hours that are shown.
    pub const HOURS: u8 = 48;
    /// Days that are shown.
    pub const DAYS: u8 = 90;
    /// Days whose callers are.
    pub const CALLER_DAYS: u8 = 7;

    /// Of `history`, of something made at `made`, before which there was nothing to be lost. `covered` says whether no use
    /// between two times was lost, `last` when a scope was needed last.
    pub fn of(
        history: &History,
        (now, made): (Timestamp, Timestamp),
        covered: &dyn Fn(Timestamp, Timestamp) -> bool,
        last: &dyn Fn(&ScopeId) -> Option<Timestamp>,
    ) -> Self {
        let since = (now, made);
        let hours = bars(&history.hours, since, (HOUR_MS, Self::HOURS, HOURS_KEPT), covered);
        let days = bars(&history.days, since, (DAY_MS, Self::DAYS, DAYS_KEPT), covered);
        let today = now.0.div_euclid(DAY_MS);
        let ago = |day: i64| today.checked_sub(day).and_then(|ago| u8::try_from(ago).ok());
        let is_late = |day: i64| ago(day).is_some_and(|ago| ago < Self::CALLER_DAYS);
        let mut visits: Vec<Visit> = history
            .visitors
            .iter()
            .map(|visitor| Visit {
                address: visitor.address,
                agent: visitor.agent.clone(),
                last: visitor.last,
                count: sum(visitor.days.iter().filter(|(day, _)| is_late(*day)).map(|(_, count)| count)),
            })
            .filter(|visit| visit.count > 0)
            .collect();
        visits.sort_by_key(|visit| (std::cmp::Reverse(visit.count), std::cmp::Reverse(visit.last)));
        visits.truncate(VISITORS);
        let allowed = sum(days.iter().rev().take(Self::CALLER_DAYS.into()).map(|bar| bar.tally.allowed));
        let others = allowed.saturating_sub(sum(visits.iter().map(|visit| visit.count)));
        let scopes = history.scopes.iter().map(|known| Exercised {
            scope: known.scope.clone(),
            last: last(&known.scope),
            days: (0..Self::DAYS)
                .filter(|ago| {
                    let (block, bit) = Bits::of(today.saturating_sub(i64::from(*ago)));
                    known.days.get(block).is_some_and(|days| days.0 & bit.0 != 0)
                })
                .collect(),
        });
        let scopes = scopes.filter(|scope| !scope.days.is_empty() || scope.last.is_some()).collect();
        let first = history.first.clone();
        Self { at: now, hours, days, visits, others, scopes, lacked: None, first }
    }

    /// Requests of the last 24 hours.
    pub fn last_day(&self) -> Day {
        Day::told(self.hours.split_at(self.hours.len().saturating_sub(Day::HOURS.into())).1)
    }

    /// Whether there is nothing to tell: all of it is known, and none was.
    pub fn is_blank(&self) -> bool {
        let bars = || self.hours.iter().chain(&self.days);
        bars().all(|bar| bar.whole && bar.tally.is_zero()) && self.scopes.is_empty()
    }
}

fn sum(counts: impl Iterator<Item = u64>) -> u64 {
    counts.fold(0, u64::saturating_add)
}

/// All requests of some bars.
pub fn total<'b>(bars: impl Iterator<Item = &'b Bar>) -> Tally {
    use super::ring::Joins as _;
    bars.fold(Tally::default(), |all, bar| all.join(bar.tally))
}
