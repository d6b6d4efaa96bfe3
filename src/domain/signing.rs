//! The keys that sign access tokens: when each was made, when it signs and how long others must know it. The keys
//! themselves are derived from the store's root by their number, so none is ever written down.

use minicbor::{Decode, Encode};

use super::Timestamp;

/// The longest life of an access token, in seconds.
pub const TOKEN_LIFE_MAX: u32 = 3_600;
/// What clocks may disagree by, in seconds.
pub const LEEWAY: u32 = 30;
/// Milliseconds for which a new key is published before it signs, and an old one after it stopped.
const OVERLAP_MS: i64 = (TOKEN_LIFE_MAX as i64 + 2 * LEEWAY as i64) * 1_000;

/// One key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SigningKey {
    /// Which: never used twice.
    #[n(0)]
    pub number: u32,
    /// When it was made, and published.
    #[n(1)]
    pub created_at: Timestamp,
    /// When it begins to sign.
    #[n(2)]
    pub signs_from: Timestamp,
}

/// All keys that still matter, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct SigningKeys {
    /// The keys.
    #[n(0)]
    pub keys: Vec<SigningKey>,
}

impl SigningKeys {
    /// The key that signs at `now`.
    pub fn signer(&self, now: Timestamp) -> Option<SigningKey> {
        self.keys.iter().rev().find(|key| key.signs_from <= now).copied()
    }

    /// The keys a verifier must know at `now`: the one that signs, those that will, and those whose last token may
    /// still live.
    pub fn published(&self, now: Timestamp) -> impl Iterator<Item = SigningKey> + '_ {
        self.keys.iter().enumerate().filter(move |(at, _)| !self.is_over(*at, now)).map(|(_, key)| *key)
    }

    fn is_over(&self, at: usize, now: Timestamp) -> bool {
        self.keys.get(at + 1).is_some_and(|next| now.since(next.signs_from) > OVERLAP_MS)
    }

    /// With one key more. The first signs at once; the next when everybody had time to fetch it. Those that are
    /// over are dropped.
    #[must_use]
    pub fn with_next(&self, now: Timestamp) -> Self {
        let number = self.keys.last().map_or(1, |key| key.number.saturating_add(1));
        let signs_from = if self.keys.is_empty() { now } else { Timestamp(now.0.saturating_add(OVERLAP_MS)) };
        let mut keys: Vec<_> = self.published(now).collect();
        keys.push(SigningKey { number, created_at: now, signs_from });
        Self { keys }
    }

    /// Whether the newest is older than `days`, or there is none.
    pub fn is_due(&self, days: u32, now: Timestamp) -> bool {
        let life = i64::from(days) * super::time::DAY_MS;
        self.keys.last().is_none_or(|key| now.since(key.created_at) >= life)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn after(ms: i64) -> Timestamp {
        Timestamp(NOW.0 + ms)
    }

    fn numbers(keys: &SigningKeys, now: Timestamp) -> Vec<u32> {
        keys.published(now).map(|k| k.number).collect()
    }

    #[test]
    fn the_first_signs_at_once_and_the_next_when_it_is_known_everywhere() {
        let none = SigningKeys::default();
        assert!(none.is_due(30, NOW));
        assert_eq!(none.signer(NOW), None);
        let one = none.with_next(NOW);
        assert_eq!(one.signer(NOW).map(|k| k.number), Some(1));
        assert!(!one.is_due(30, after(29 * super::super::time::DAY_MS)));
        assert!(one.is_due(30, after(30 * super::super::time::DAY_MS)));

        let two = one.with_next(NOW);
        assert_eq!(two.signer(after(OVERLAP_MS - 1)).map(|k| k.number), Some(1));
        assert_eq!(two.signer(after(OVERLAP_MS)).map(|k| k.number), Some(2));
        assert_eq!(numbers(&two, NOW), [1, 2]);
        // The last token of the first key may live for an hour after the second took over.
        assert_eq!(numbers(&two, after(2 * OVERLAP_MS)), [1, 2]);
        assert_eq!(numbers(&two, after(2 * OVERLAP_MS + 1)), [2]);
    }

    #[test]
    fn numbers_are_never_used_twice_though_old_keys_are_dropped() {
        let mut keys = SigningKeys::default();
        for day in 0..50 {
            keys = keys.with_next(after(day * super::super::time::DAY_MS));
        }
        assert_eq!(keys.keys.last().map(|k| k.number), Some(50));
        assert_eq!(keys.keys.len(), 2);
    }
}
