//! What the rules of time have to remember: which notices a key was given, and which deletions wait for a word.

use minicbor::{Decode, Encode};

use super::STEPS;
use crate::domain::time::DAY_MS;
use crate::domain::{Key, KeyId, Note, OperatorId, Timestamp};

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

/// What kinds of notices of one key there are, as who has seen one is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum NoticeKind {
    /// It is going to be deleted for want of use.
    #[n(0)]
    Deletion,
    /// Its end is near.
    #[n(1)]
    Ends,
    /// It has ended.
    #[n(2)]
    Ended,
    /// It was deleted for want of use.
    #[n(3)]
    Deleted,
    /// It was deleted or is a decoy, and somebody presents it.
    #[n(4)]
    Presented,
    /// Its record was deleted and is back, revoked.
    #[n(5)]
    Restored,
}

impl NoticeKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Deletion, Self::Ends, Self::Ended, Self::Deleted, Self::Presented, Self::Restored];

    /// Its word for scripts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Deletion => "deletion",
            Self::Ends => "ends",
            Self::Ended => "ended",
            Self::Deleted => "deleted",
            Self::Presented => "presented",
            Self::Restored => "restored",
        }
    }
}

/// That somebody has seen a notice and need not be shown it any more: until its next step, or for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Seen {
    /// Of what kind. Which step of it, the time says: what began later was not seen.
    #[n(0)]
    pub kind: NoticeKind,
    /// Who said so, and when.
    #[n(1)]
    pub word: Word,
    /// When it is shown again, if that was said.
    #[n(2)]
    pub until: Option<Timestamp>,
    /// Whose the key was: to whoever has it from then on, nobody has shown it.
    #[n(3)]
    pub whose: Option<OperatorId>,
    /// Of an end, when that was: another end is another notice.
    #[n(4)]
    pub end: Option<Timestamp>,
}

impl Seen {
    /// Of a notice of that kind, of a key as it is.
    pub fn of(key: &Key, kind: NoticeKind, word: Word, until: Option<Timestamp>) -> Self {
        let end = match kind {
            NoticeKind::Ends | NoticeKind::Ended => key.expiry.instant(),
            NoticeKind::Deletion | NoticeKind::Deleted | NoticeKind::Presented | NoticeKind::Restored => None,
        };
        Self { kind, word, until, whose: Some(key.owner), end }
    }

    /// Whether it was said of the key as it is.
    pub fn is_of(&self, key: &Key) -> bool {
        self.whose.is_none_or(|whose| whose == key.owner)
            && self.end.is_none_or(|end| key.expiry.instant() == Some(end))
    }
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
    /// Who has seen what of it; one for a kind.
    #[cbor(n(3), default)]
    pub seen: Vec<Seen>,
    /// The end of the grace of which its callers' people were told: that it is near, and the old half still used.
    #[n(4)]
    pub missed: Option<Timestamp>,
    /// When it was told that it has ended. Its record is not cleared away before the policy's days have passed since.
    #[n(5)]
    pub ended: Option<Timestamp>,
    /// When it was told last that somebody presents the key though it opens nothing.
    #[n(6)]
    pub presented: Option<Timestamp>,
}

impl Cycle {
    /// No notice yet.
    pub const fn of(key: KeyId) -> Self {
        Self {
            key,
            idle: Vec::new(),
            ends: Vec::new(),
            seen: Vec::new(),
            missed: None,
            ended: None,
            presented: None,
        }
    }

    /// Whether it says nothing.
    pub const fn is_empty(&self) -> bool {
        let told_at = self.missed.is_some() || self.ended.is_some() || self.presented.is_some();
        self.idle.is_empty() && self.ends.is_empty() && self.seen.is_empty() && !told_at
    }

    /// Who has seen a notice of that kind last.
    pub fn seen(&self, kind: NoticeKind) -> Option<&Seen> {
        self.seen.iter().find(|seen| seen.kind == kind)
    }

    /// The same, with what somebody has seen in place of what was known of that kind.
    #[must_use]
    pub fn with_seen(mut self, seen: Seen) -> Self {
        self.forget(&[seen.kind]);
        self.seen.push(seen);
        self
    }

    /// Forgets who has seen notices of these kinds.
    pub(super) fn forget(&mut self, kinds: &[NoticeKind]) {
        self.seen.retain(|seen| !kinds.contains(&seen.kind));
    }

    /// The same without notices of a deletion that lie ahead: a clock that was wrong gave them. Two that disagree by less than
    /// a day do no harm.
    #[must_use]
    pub(super) fn believed(mut self, now: Timestamp) -> Self {
        if let Some(wrong) = self.idle.iter().position(|step| before(step.at, 1) > now) {
            self.idle.truncate(wrong);
            self.forget(&[NoticeKind::Deletion]);
        }
        self
    }

    /// Forgets what was told of an end, and who has seen it.
    pub(super) fn forget_end(&mut self) {
        self.ends.clear();
        self.ended = None;
        self.forget(&[NoticeKind::Ends, NoticeKind::Ended]);
    }

    /// When it was told of that end that it had come. A clock that was wrong told what lies ahead, and what was told before.
    pub(super) fn told_ended(&self, end: Timestamp, now: Timestamp) -> Option<Timestamp> {
        self.ended.filter(|told| end <= *told && before(*told, 1) <= now)
    }

    /// The same without that, where a wrong clock told it: it is told anew.
    pub(super) fn believe_end(&mut self, end: Timestamp, now: Timestamp) {
        if self.ended.is_some() && self.told_ended(end, now).is_none() {
            self.ended = None;
            self.ends.retain(|days| *days != 0);
            self.forget(&[NoticeKind::Ended]);
        }
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
    /// When the backup was made that the store was put back from. Until somebody has said that deletions go on, each waits,
    /// however few are due.
    #[n(3)]
    pub put_back: Option<Timestamp>,
}

impl Hold {
    /// Keys one hold names at most: it must fit a commit. Those beyond wait for the next.
    pub const MAX: usize = 4_096;
    /// The word of the trail for how many of them did not wait before.
    pub const NEW: &'static str = "not held before";

    /// Whether nothing is held.
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether this key waits for somebody to say that it may go.
    pub fn keeps(&self, key: KeyId) -> bool {
        self.confirmed.is_none() && self.keys.binary_search(&key).is_ok()
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
pub(in crate::domain) fn before(at: Timestamp, days: u32) -> Timestamp {
    Timestamp(at.0.saturating_sub(i64::from(days) * DAY_MS))
}
