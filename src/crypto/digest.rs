//! The stored form of a token keydeck generated: HMAC-SHA-256 under the store's pepper of the 54 bytes behind the constant
//! `kd`: kind, id, secret and checksum, which are all that can differ. SHA-256 pads; of 56 bytes it makes a block more, and
//! a third more work of each request. Stores of the first version hold digests of all 56; those go on being recognised.
//!
//! 187 bits of randomness cannot be guessed, so no slow hash is needed, and none may be: whoever can send requests
//! could make the server spend it. The pepper makes a stolen digest useless for checking and a written one
//! worthless without the root key.

use super::mac::{MacKey, same};
use super::token;
use crate::domain::PublicId;

/// Bytes of a digest.
pub const LEN: usize = 32;

/// The keyed hash with its key already worked in: one call costs the compressions of the message and no more.
pub struct Pepper(MacKey);

impl Pepper {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(MacKey::new(key))
    }

    /// What is noted beside the digests made now.
    pub const NOW: u32 = 2;
    /// … and beside those of the first version.
    const FIRST: u32 = 1;

    /// The digest to store for a token, or to compare a presented one by.
    pub fn digest(&self, token: &[u8; token::LEN]) -> [u8; LEN] {
        // The parser has seen that the others are the constant.
        let (_, behind) = token.split_at(token::CONSTANT);
        self.0.mac(&[behind])
    }

    /// Whether a token whose digest is `made` is the one that `stored` was made of, as it was made in its time. In constant
    /// time for each form.
    #[inline]
    pub fn recognises(
        &self,
        token: &[u8; token::LEN],
        made: &[u8; LEN],
        (stored, form): (&[u8; LEN], u32),
    ) -> bool {
        let same = same(made, stored);
        match form {
            Self::NOW => same,
            Self::FIRST => self.first(token, stored),
            _ => false,
        }
    }

    #[cold]
    fn first(&self, token: &[u8; token::LEN], stored: &[u8; LEN]) -> bool {
        same(&self.0.mac(&[token]), stored)
    }

    /// The digest by which an imported secret is known again while the process lives. Never stored.
    pub fn imported(&self, id: &PublicId, secret: &[u8]) -> [u8; LEN] {
        self.0.mac(&[b"imported", id.as_bytes(), secret])
    }

    /// Whether a digest just made is the stored one, in constant time.
    pub fn same(made: &[u8; LEN], stored: &[u8; LEN]) -> bool {
        same(made, stored)
    }

    /// Whether `token` has the stored digest, in constant time.
    pub fn verify(&self, token: &[u8; token::LEN], stored: &[u8; LEN]) -> bool {
        same(&self.digest(token), stored)
    }

    /// Stands in for the digest of a record that does not exist, so that a stranger cannot tell a known id by the time it
    /// takes. No token is known to have it: finding one is inverting HMAC-SHA-256.
    pub const NO_DIGEST: [u8; LEN] = [0; LEN];
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_digest_is_recognised_and_no_other_is(key: [u8; 32], seed: u8) {
            let token: [u8; token::LEN] = std::array::from_fn(|i| seed.wrapping_add(u8::try_from(i).unwrap_or(0)));
            let pepper = Pepper::new(&key);
            let digest = pepper.digest(&token);
            let mac = MacKey::new(&key);
            prop_assert_eq!(digest, mac.mac(&[&token[2..9], &token[9..]]));
            prop_assert!(pepper.verify(&token, &digest));
            // The form of each is part of what is compared: neither stands in for the other.
            let whole = mac.mac(&[&token]);
            let recognised = |stored, form| pepper.recognises(&token, &digest, (stored, form));
            prop_assert!(recognised(&digest, 2) && recognised(&whole, 1));
            prop_assert!(!recognised(&digest, 1) && !recognised(&whole, 2));
            prop_assert!([0, 3, u32::MAX].iter().all(|form| !recognised(&digest, *form) && !recognised(&whole, *form)));
            prop_assert!(Pepper::same(&digest, digest.first_chunk().unwrap()));
            for bit in 0..256 {
                let mut other = digest;
                other[bit / 8] ^= 1 << (bit % 8);
                prop_assert!(!pepper.verify(&token, &other));
                prop_assert!(!Pepper::same(&digest, &other));
            }
        }
    }
}
