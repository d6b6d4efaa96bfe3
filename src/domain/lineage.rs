//! Rotation: a key takes over from another. Both are records of their own with a secret each; what ties them is here. The
//! old half works until its expiry, which the rotation sets to the end of a grace, so nothing that verifies has to know
//! of it. People see one key: what is done to the new half is done to the old one as long as that works.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};

use super::{Command, Event, Expiry, Key, KeyId, KeyState, Name, Refusal, State, Timestamp};

/// How long the old half goes on working: whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Grace(#[n(0)] u32);

/// A text is not a grace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write 0, or a time up to seven days such as 30m, 1h, 24h or 7d")]
pub struct BadGrace;

impl Grace {
    /// The old half ends with the rotation.
    pub const NONE: Self = Self(0);
    /// A day.
    pub const DEFAULT: Self = Self(86_400);
    /// Seven days: two secrets for one thing are twice as many to lose.
    pub const MAX: Self = Self(7 * 86_400);

    /// In milliseconds.
    pub const fn ms(self) -> i64 {
        self.0 as i64 * 1_000
    }

    /// Whether it is no longer than may be.
    pub fn is_allowed(self) -> bool {
        self <= Self::MAX
    }

    /// This and another after it, as far as may be.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0)).min(Self::MAX)
    }

    /// When it ends that begins then.
    pub const fn after(self, at: Timestamp) -> Timestamp {
        Timestamp(at.0.saturating_add(self.ms()))
    }
}

impl FromStr for Grace {
    type Err = BadGrace;

    fn from_str(text: &str) -> Result<Self, BadGrace> {
        if text == "0" {
            return Ok(Self::NONE);
        }
        let unit = match text.chars().last() {
            Some('m') => 60,
            Some('h') => 3_600,
            Some('d') => 86_400,
            _ => return Err(BadGrace),
        };
        let digits = text.get(..text.len() - 1).filter(|n| n.bytes().all(|byte| byte.is_ascii_digit()));
        let count: u32 = digits.and_then(|digits| digits.parse().ok()).ok_or(BadGrace)?;
        count.checked_mul(unit).map(Self).filter(|grace| grace.is_allowed()).ok_or(BadGrace)
    }
}

impl fmt::Display for Grace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0"),
            n if n % 86_400 == 0 && n > 86_400 => write!(f, "{} d", n / 86_400),
            n if n % 3_600 == 0 => write!(f, "{} h", n / 3_600),
            n => write!(f, "{} min", n.div_ceil(60)),
        }
    }
}

/// Since when a grace counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Counted {
    /// Since the rotation.
    #[n(0)]
    FromNow,
    /// Since the new half was used for the first time; until then the old half's own end holds.
    #[n(1)]
    FromFirstUse,
}

/// How a key is rotated.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Rotation {
    /// Which rotation it is, in the caller's words: the same one asked for again makes no other secret.
    #[n(0)]
    pub id: Option<Name>,
    /// How long the old half goes on working. [`Grace::NONE`] is for a key that was lost.
    #[n(1)]
    pub grace: Grace,
    /// Since when that counts.
    #[n(2)]
    pub counted: Counted,
    /// When the new half stops working; `None` is when the old one would have.
    #[n(3)]
    pub expiry: Option<Expiry>,
}

/// That another key took over.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Superseded {
    /// Which.
    #[n(0)]
    pub by: KeyId,
    /// When it was made.
    #[n(1)]
    pub since: Timestamp,
    /// What whoever asked for it called the rotation.
    #[n(2)]
    pub rotation: Option<Name>,
    /// When the key would have stopped working, and will if the rotation is cancelled.
    #[n(3)]
    pub expiry: Expiry,
    /// The grace that begins with the first use of the new half, while that is not known; `None` once the end is fixed.
    #[n(4)]
    pub waits: Option<Grace>,
    /// When that first use was, once the end is fixed by it.
    #[n(5)]
    pub begun: Option<Timestamp>,
}

/// The earlier of an end and an instant.
pub(super) fn sooner(expiry: Expiry, at: Timestamp) -> Expiry {
    Expiry::At(expiry.instant().map_or(at, |own| own.min(at)))
}

/// The earlier of two ends.
pub(super) fn earlier(one: Expiry, other: Expiry) -> Expiry {
    other.instant().map_or(one, |at| sooner(one, at))
}

/// The two keys of a rotation.
#[derive(Clone, Copy, Debug)]
pub struct Halves<'s> {
    /// The one that was rotated.
    pub old: &'s Key,
    /// The one that took over.
    pub new: &'s Key,
    /// What the old one remembers of it.
    pub how: &'s Superseded,
}

impl Halves<'_> {
    /// Whether the old half still works, or would if it were not paused.
    pub fn in_grace(&self, now: Timestamp) -> bool {
        self.old.state(now) == KeyState::Superseded
    }
}

impl State {
    /// The rotation a key is a half of. Of one that was rotated more than once, the last.
    pub fn halves<'s>(&'s self, key: &'s Key) -> Option<Halves<'s>> {
        let (old, new) = match &key.superseded {
            Some(superseded) => (key, self.key(superseded.by)?),
            None => (self.key(key.succeeds?)?, key),
        };
        let how = old.superseded.as_deref().filter(|superseded| superseded.by == new.id)?;
        Some(Halves { old, new, how })
    }

    /// The old half of a key that took over, while its grace runs.
    pub fn old_half<'s>(&'s self, key: &'s Key, now: Timestamp) -> Option<&'s Key> {
        let halves = self.halves(key).filter(|halves| halves.new.id == key.id && halves.in_grace(now))?;
        Some(halves.old)
    }

    /// The key that took over in the rotation of that name, of all that led to a key, and of the one that led on from it.
    pub fn rotated_as(&self, key: &Key, name: &Name) -> Option<KeyId> {
        let before = |key: &&Key| key.succeeds.and_then(|old| self.key(old));
        let all = std::iter::successors(Some(key), before);
        let mut told = all.filter_map(|key| key.superseded.as_deref());
        told.find(|how| how.rotation.as_ref() == Some(name)).map(|how| how.by)
    }

    /// Whether it was to take over from a key and does not: the rotation was taken back, or another took its place.
    pub fn is_given_up(&self, key: &Key, now: Timestamp) -> bool {
        let old = key.succeeds.and_then(|old| self.key(old));
        let by = old.map(|old| old.superseded.as_ref().map(|how| how.by));
        key.state(now) == KeyState::Revoked && by.is_some_and(|by| by != Some(key.id))
    }

    /// When the new half was used for the first time, of a grace that waits for that, and when the grace ends.
    pub(super) fn grace_end(&self, key: &Key, now: Timestamp) -> Option<(Timestamp, Expiry)> {
        let superseded = key.superseded.as_deref().filter(|_| key.state(now) == KeyState::Superseded)?;
        let used = self.usage(superseded.by);
        // Of uses that were counted before the first was noted the last is known: a later end.
        // A clock that was ahead may have been believed when it was noted.
        let first = used.first_used_at.or(used.last_used_at)?.min(now);
        Some((first, sooner(key.expiry, superseded.waits?.after(first))))
    }
}

/// What takes back what these events made at `now`, a key or a new secret of an app, when nobody was shown it. Where it took
/// over from one that works on, that one becomes again what it was; one that was lost stays dead, and what an app has is
/// not ended for a secret that nothing else can take the place of.
pub fn taking_back(events: &[Event], now: Timestamp) -> Option<Command> {
    if let Some(app) = events.iter().find_map(Event::app) {
        return app
            .old_secret(now)
            .map(|_| Command::CancelAppSecret { app: app.id, epoch: Some(app.not_before) });
    }
    let new = events.iter().find_map(Event::key)?.id;
    let in_grace = |event: &Event| matches!(event, Event::KeySuperseded(old, _) if old.state(now) == KeyState::Superseded);
    Some(if events.iter().any(in_grace) { Command::CancelRotation(new) } else { Command::revoke(new) })
}

/// What takes back a key that nobody was shown when the rotation cannot be cancelled any more, which was refused with that
/// code: its old half has ended. Where that is the secret of an app there is nothing: the app needs another new one.
pub fn instead(back: &Command, refused: &str) -> Option<Command> {
    let Command::CancelRotation(new) = back else { return None };
    (refused == Refusal::OVER).then(|| Command::revoke(*new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grace_is_read_up_to_seven_days_and_nothing_else_is() {
        for (text, said) in [("0", "0"), ("30m", "30 min"), ("1h", "1 h"), ("24h", "24 h"), ("7d", "7 d")] {
            assert_eq!(text.parse::<Grace>().unwrap().to_string(), said);
        }
        assert_eq!("1d".parse(), Ok(Grace::DEFAULT));
        for bad in ["", "1", "8d", "169h", "-1h", "1.5h", "h", "1 h", "99999999999d", "1w", "４h", "+1h"] {
            assert_eq!(bad.parse::<Grace>(), Err(BadGrace), "{bad}");
        }
        assert_eq!(Grace::DEFAULT.and(Grace::MAX), Grace::MAX);
    }
}
