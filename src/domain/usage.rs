//! How often and when something was used, as far as that is known.

use minicbor::{Decode, Encode};

use super::Timestamp;

/// What is known of a key's use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Encode, Decode)]
pub struct Usage {
    /// The last time a request was allowed.
    #[n(0)]
    pub last_used_at: Option<Timestamp>,
    /// How many requests were allowed.
    #[n(1)]
    pub count: u64,
    /// The first time; `None` also when uses were counted before that was noted.
    #[n(2)]
    pub first_used_at: Option<Timestamp>,
}

impl Usage {
    /// Both together: the earlier first and the later last time, the sum of the counts.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        let is_known = |usage: &Self| usage.count == 0 || usage.first_used_at.is_some();
        let first = self.first_used_at.into_iter().chain(other.first_used_at).min();
        Self {
            last_used_at: self.last_used_at.max(other.last_used_at),
            count: self.count.saturating_add(other.count),
            first_used_at: first.filter(|_| is_known(&self) && is_known(&other)),
        }
    }
}

/// When something was last used, as far as that is known. In the order in which several make one: a known use says more than
/// an unknown one, and that more than none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum LastUse {
    /// It never was, and no use was lost since it was made.
    #[n(0)]
    Never,
    /// No use is known, and before that time some may have been lost; without a time they still may be.
    #[n(1)]
    NotKnown(#[n(0)] Option<Timestamp>),
    /// Then.
    #[n(2)]
    At(#[n(0)] Timestamp),
}

impl LastUse {
    /// Of what is there since `made`, where no use was lost since `complete`.
    pub fn of(known: Option<Timestamp>, made: Timestamp, complete: Option<Timestamp>) -> Self {
        match (known, complete) {
            (Some(at), _) => Self::At(at),
            (None, Some(since)) if since <= made => Self::Never,
            (None, since) => Self::NotKnown(since),
        }
    }

    /// The time, where it is known.
    pub const fn at(self) -> Option<Timestamp> {
        if let Self::At(at) = self { Some(at) } else { None }
    }

    /// Since when it was not used, of what may have been used before.
    pub const fn known_since(self) -> Option<Timestamp> {
        if let Self::NotKnown(since) = self { since } else { None }
    }

    /// In words, with a way to say times: `never`, `not known before 2026-11-28 02:00`.
    pub fn words(self, say: impl FnOnce(Timestamp) -> String) -> String {
        match self {
            Self::At(at) => say(at),
            Self::Never => "never".to_owned(),
            Self::NotKnown(None) => "not known".to_owned(),
            Self::NotKnown(Some(since)) => format!("not known before {}", say(since)),
        }
    }

    /// The same, as short as a column is.
    pub fn brief(self, say: impl FnOnce(Timestamp) -> String) -> String {
        if matches!(self, Self::NotKnown(_)) { "not known".to_owned() } else { self.words(say) }
    }
}
