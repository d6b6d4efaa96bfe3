//! One number for the whole set of live records, kept up to date in constant time per change.
//!
//! The multiset hash MSet-Add-Hash of Clarke, Devadas, van Dijk, Gassend and Suh (ASIACRYPT 2003): the sum modulo
//! 2^256 of HMAC-SHA-256 over each element, here (key, revision, tag). Order does not matter, removing is
//! subtracting. The audit head carries [`StateDigest::commitment`], so at opening one pass over the records shows
//! whether one was put back, deleted or inserted since the last entry, without replaying the chain.
//!
//! Limits. Somebody who puts back the whole store with its audit trail has a matching pair: only the seal file or
//! an anchor kept elsewhere shows that. The sum itself must stay secret: knowing the sums of many sets, one can
//! solve for another set with the same sum (Wagner's generalised birthday), which is why the construction masks
//! it with a nonce. Here what leaves is a MAC of sum and count, which shows equality and nothing else;
//! [`StateDigest::to_bytes`] gives the sum and belongs inside a sealed record only.

use super::mac::MacKey;

/// Bytes of [`StateDigest::to_bytes`].
pub const LEN: usize = 40;

const ELEMENT: u8 = 1;
const COMMITMENT: u8 = 2;

/// The digest of a set of sealed records.
#[derive(Clone)]
pub struct StateDigest {
    key: MacKey,
    /// Little-endian words of the sum.
    sum: [u64; 4],
    count: u64,
}

impl StateDigest {
    pub(super) fn empty(key: &[u8; 32]) -> Self {
        Self { key: MacKey::new(key), sum: [0; 4], count: 0 }
    }

    /// Takes a record in.
    pub fn add(&mut self, key: &[u8], revision: u64, tag: &[u8; 16]) {
        let term = self.element(key, revision, tag);
        add_to(&mut self.sum, term);
        self.count = self.count.wrapping_add(1);
    }

    /// Takes a record out. It must be in: what was not leaves a digest that fits no set.
    pub fn remove(&mut self, key: &[u8], revision: u64, tag: &[u8; 16]) {
        let term = self.element(key, revision, tag);
        subtract_from(&mut self.sum, term);
        self.count = self.count.wrapping_sub(1);
    }

    /// Takes in all records of another set under the same key.
    pub fn merge(&mut self, other: &Self) {
        add_to(&mut self.sum, other.sum);
        self.count = self.count.wrapping_add(other.count);
    }

    /// Records in the set.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// 32 bytes that are equal for equal sets and tell nothing else; safe to store in the open.
    pub fn commitment(&self) -> [u8; 32] {
        self.key.mac(&[&[COMMITMENT], &self.to_bytes()])
    }

    /// Whether this set is the one committed to, in constant time.
    pub fn matches(&self, commitment: &[u8; 32]) -> bool {
        self.key.verify(&[&[COMMITMENT], &self.to_bytes()], commitment)
    }

    /// Count and sum. Secret: only for the inside of a sealed record.
    pub fn to_bytes(&self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        let words = [self.count].into_iter().chain(self.sum);
        for (chunk, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *chunk = word.to_le_bytes();
        }
        bytes
    }

    /// Goes on from [`StateDigest::to_bytes`], with the key of `self`.
    #[must_use]
    pub fn resume(&self, bytes: &[u8; LEN]) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        let word = |place: usize| words.get(place).map_or(0, |word| u64::from_le_bytes(*word));
        Self { key: self.key.clone(), sum: std::array::from_fn(|place| word(place + 1)), count: word(0) }
    }

    fn element(&self, key: &[u8], revision: u64, tag: &[u8; 16]) -> [u64; 4] {
        // Fixed-size fields first, the key last: no two elements share an encoding.
        let mac = self.key.mac(&[&[ELEMENT], &revision.to_be_bytes(), tag, key]);
        let (words, _) = mac.as_chunks::<8>();
        std::array::from_fn(|place| words.get(place).map_or(0, |word| u64::from_le_bytes(*word)))
    }
}

/// Addition modulo 2^256, little-endian words.
fn add_to(sum: &mut [u64; 4], term: [u64; 4]) {
    let mut carry = false;
    for (word, term) in sum.iter_mut().zip(term) {
        let (total, over) = word.overflowing_add(term);
        let (total, over_again) = total.overflowing_add(u64::from(carry));
        (*word, carry) = (total, over | over_again);
    }
}

/// Subtraction modulo 2^256, little-endian words.
fn subtract_from(sum: &mut [u64; 4], term: [u64; 4]) {
    let mut borrow = false;
    for (word, term) in sum.iter_mut().zip(term) {
        let (rest, under) = word.overflowing_sub(term);
        let (rest, under_again) = rest.overflowing_sub(u64::from(borrow));
        (*word, borrow) = (rest, under | under_again);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u64 = u64::MAX;

    #[test]
    fn sums_carry_through_every_word_and_wrap_around() {
        let cases = [
            ([1, 0, 0, 0], [2, 0, 0, 0], [3, 0, 0, 0]),
            ([MAX, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0]),
            // The carry itself overflows the next word.
            ([1, MAX, 0, 7], [MAX, 0, 0, 0], [0, 0, 1, 7]),
            ([1, 0, 0, 7], [MAX, MAX, MAX, 0], [0, 0, 0, 8]),
            ([MAX; 4], [1, 0, 0, 0], [0; 4]),
            ([MAX; 4], [MAX; 4], [MAX - 1, MAX, MAX, MAX]),
        ];
        for (left, right, sum) in cases {
            let mut value = left;
            add_to(&mut value, right);
            assert_eq!(value, sum);
            subtract_from(&mut value, right);
            assert_eq!(value, left);
            let mut value = sum;
            subtract_from(&mut value, left);
            assert_eq!(value, right);
        }
    }

    #[test]
    fn parts_together_are_the_whole_in_any_order() {
        let empty = || StateDigest::empty(&[7; 32]);
        let (mut whole, mut left, mut right) = (empty(), empty(), empty());
        for n in 0..9_u8 {
            whole.add(&[n], 1, &[n; 16]);
            if n % 3 == 0 { left.add(&[n], 1, &[n; 16]) } else { right.add(&[n], 1, &[n; 16]) }
        }
        right.merge(&left);
        assert_eq!(right.commitment(), whole.commitment());
        assert_ne!(left.commitment(), whole.commitment());
    }
}
