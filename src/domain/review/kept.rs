//! A review that was signed off: what was looked at, and which keys were kept in spite of what is said of them. A kept key weighs next
//! to nothing for a time, as long as nothing else is said of it than what was known.

use minicbor::{Decode, Encode};

use super::Concern;
use crate::domain::lifecycle::Word;
use crate::domain::time::DAY_MS;
use crate::domain::{KeyId, Note, Timestamp};

/// That a key was kept.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Kept {
    /// Why, for whoever reviews next.
    #[n(0)]
    pub why: Note,
    /// Who said so, and when.
    #[n(1)]
    pub word: Word,
    /// What was said of it then: see [`Concern::bit`].
    #[n(2)]
    known: u16,
}

impl Kept {
    /// Days for which it holds.
    pub const DAYS: i64 = 90;

    /// In spite of these.
    pub fn new(why: Note, word: Word, concerns: &[Concern]) -> Self {
        // Whether another has its name takes all keys to know, and weighs little.
        let known = concerns.iter().fold(Concern::SameName.bit(), |known, concern| known | concern.bit());
        Self { why, word, known }
    }

    /// Whether it still holds, and these were all known.
    pub fn holds(&self, concerns: &[Concern], now: Timestamp) -> bool {
        now.since(self.word.at) < Self::DAYS * DAY_MS
            && concerns.iter().all(|concern| self.known & concern.bit() != 0)
    }
}

/// How often one thing was said in the list that somebody looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Looked {
    /// What: its word for scripts.
    #[n(0)]
    pub code: String,
    /// Of how many keys and apps.
    #[n(1)]
    pub count: u32,
}

/// A key that is to be kept, and why.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Keep {
    /// Which.
    #[n(0)]
    pub key: KeyId,
    /// For whoever reviews next.
    #[n(1)]
    pub why: Note,
}

/// What was signed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Signed {
    /// What was looked at, as the list said it.
    #[n(0)]
    pub looked: Vec<Looked>,
    /// What whoever signed has to say.
    #[n(1)]
    pub note: Note,
}

impl Signed {
    /// The command's name in the audit trail.
    pub const EVENT: &str = "review.sign";
    /// The field of its entry that says why a key was kept.
    pub const KEPT: &str = "kept";
    /// The field that holds the note.
    pub const NOTE: &str = "note";
    /// Keys that can be kept at once: their records must fit a commit.
    pub const MOST: usize = 64;
}

/// How often each thing is said of some, in the order in which they weigh.
pub fn looked<'c>(all: impl IntoIterator<Item = &'c [Concern]>) -> Vec<Looked> {
    let mut counts: Vec<(Concern, u32)> = Vec::new();
    for concern in all.into_iter().flatten() {
        match counts.iter_mut().find(|(known, _)| known.bit() == concern.bit()) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => counts.push((*concern, 1)),
        }
    }
    counts.sort_unstable();
    counts.into_iter().map(|(concern, count)| Looked { code: concern.code().to_owned(), count }).collect()
}
