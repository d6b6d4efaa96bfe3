//! What the rules of time have to remember: which notices a key was given, and which deletions wait for a word.

use minicbor::{Decode, Encode};

use super::STEPS;
use crate::domain::time::DAY_MS;
use crate::domain::{KeyId, Note, OperatorId, Timestamp};

/// A notice before a deletion, as it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Step {
    /// Days before the deletion: one of [`STEPS`].
    #[n(0)]
    pub days: u32,
    /// When it was given. No deletion comes before so many days have passed since.
    #[n(1)]
    pub at: Timestamp,
}

/// The notices one key was given. A record of its own: who changes a key does not touch it, and it does not wear the key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Cycle {
    /// Which key.
    #[n(0)]
    pub key: KeyId,
    /// That it is going to be deleted for want of use, in the order of [`STEPS`] and without a gap.
    #[n(1)]
    pub idle: Vec<Step>,
    /// That its end is near: so many days before it. 0 is the end itself.
    #[n(2)]
    pub ends: Vec<u32>,
}

impl Cycle {
    /// No notice yet.
    pub const fn of(key: KeyId) -> Self {
        Self { key, idle: Vec::new(), ends: Vec::new() }
    }

    /// Whether it says nothing.
    pub const fn is_empty(&self) -> bool {
        self.idle.is_empty() && self.ends.is_empty()
    }

    /// The notice before a deletion that comes next; `None` when all were given.
    pub fn next_step(&self) -> Option<u32> {
        STEPS.get(self.idle.len()).copied()
    }
}

/// Deletions that were due together and were too many: none is done before an operator has said so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Hold {
    /// The keys, by id. None: nothing is held.
    #[n(0)]
    pub keys: Vec<KeyId>,
    /// Since when.
    #[n(1)]
    pub since: Option<Timestamp>,
    /// Who said that they may go, and when.
    #[n(2)]
    pub confirmed: Option<Word>,
}

impl Hold {
    /// Keys one hold names at most: it must fit a commit. Those beyond wait for the next.
    pub const MAX: usize = 4_096;

    /// Whether nothing is held.
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether somebody has said that this key may go.
    pub fn lets_go(&self, key: KeyId) -> bool {
        self.confirmed.is_some() && self.keys.binary_search(&key).is_ok()
    }

    /// The part of it that is about some keys.
    #[must_use]
    pub fn about(&self, of: impl Fn(KeyId) -> bool) -> Self {
        Self { keys: self.keys.iter().copied().filter(|key| of(*key)).collect(), ..self.clone() }
    }
}

/// That somebody said something, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Word {
    /// Who.
    #[n(0)]
    pub by: OperatorId,
    /// When.
    #[n(1)]
    pub at: Timestamp,
}

/// That a key is never deleted for want of use.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Protection {
    /// Who said so, and when.
    #[n(0)]
    pub word: Word,
    /// Why.
    #[n(1)]
    pub why: Note,
}

/// `days` after an instant; the end of time where there is no such instant.
pub(super) fn after(at: Timestamp, days: u32) -> Timestamp {
    Timestamp(at.0.saturating_add(i64::from(days) * DAY_MS))
}

/// `days` before an instant.
pub(super) fn before(at: Timestamp, days: u32) -> Timestamp {
    Timestamp(at.0.saturating_sub(i64::from(days) * DAY_MS))
}
