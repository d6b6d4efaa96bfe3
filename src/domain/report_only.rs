//! Report only: for a time it is counted which requests with a key a narrower set of scopes would refuse. They are let through
//! as before: what is counted decides nothing. When the time is over nothing follows by itself; somebody enforces the narrower set
//! or drops it.
//!
//! Any change of the key's scopes ends it, since what was counted was of others; a rotation carries it over, and both halves count.
//! Of a key that was ended it says nothing any more.

use minicbor::{Decode, Encode};

use super::time::DAY_MS;
use super::{Key, OperatorId, PublicId, Scopes, State, Timestamp};

/// That it is counted, and of what.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct ReportOnly {
    /// The narrower set: some of the key's scopes and not all.
    #[n(0)]
    pub scopes: Scopes,
    /// Since when; also tells one from another.
    #[n(1)]
    pub begun: Timestamp,
    /// From then on nothing is counted.
    #[n(2)]
    pub until: Timestamp,
    /// Who wanted it.
    #[n(3)]
    pub by: OperatorId,
}

impl ReportOnly {
    /// Days it lasts at most.
    pub const MAX_DAYS: u32 = 90;
    /// Days it lasts where nothing is said.
    pub const DAYS: u32 = 14;

    /// Whether it still counts.
    pub fn runs(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// For how many whole days it has been over.
    pub fn over_for(&self, now: Timestamp) -> Option<i64> {
        (!self.runs(now)).then(|| now.since(self.until) / DAY_MS)
    }
}

impl Key {
    /// The narrower set that is tried, as long as anything may become of it.
    pub fn reports_only(&self) -> Option<&ReportOnly> {
        self.report_only.as_deref().filter(|_| !self.is_ended())
    }

    /// What an enforced narrower set takes away.
    pub fn would_lose(&self) -> Option<Scopes> {
        self.reports_only().map(|tried| self.scopes.difference(&tried.scopes))
    }
}

/// Rotations that are looked back through: in the days of one report-only there are hardly more.
const LINEAGE: usize = 32;

/// The keys on which the narrower set of `key` is tried, each after the one that took over from it, and since when.
pub fn lineage(state: &State, key: &Key) -> Option<(Vec<PublicId>, Timestamp)> {
    let begun = key.reports_only()?.begun;
    let before = |key: &&Key| key.succeeds.and_then(|id| state.key(id));
    let same = |key: &&Key| key.report_only.as_ref().is_some_and(|tried| tried.begun == begun);
    let all = std::iter::successors(Some(key), before).take_while(same).take(LINEAGE);
    Some((all.map(|key| *key.id.public()).collect(), begun))
}
