//! The stored form of a token keydeck generated: HMAC-SHA-256 of all 56 bytes under the store's pepper.
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

    /// The digest to store for a token, or to compare a presented one by.
    pub fn digest(&self, token: &[u8; token::LEN]) -> [u8; LEN] {
        self.0.mac(&[token])
    }

    /// The digest by which an imported secret is known again while the process lives. Never stored.
    pub fn imported(&self, id: &PublicId, secret: &[u8]) -> [u8; LEN] {
        self.0.mac(&[b"imported", id.as_bytes(), secret])
    }

    /// Whether a digest just made is the stored one, in constant time. For an unknown id compare with
    /// [`Pepper::NO_DIGEST`], so that a stranger cannot tell a known id by the time it takes.
    pub fn same(made: &[u8; LEN], stored: &[u8; LEN]) -> bool {
        same(made, stored)
    }

    /// Whether `token` has the stored digest, in constant time.
    pub fn verify(&self, token: &[u8; token::LEN], stored: &[u8; LEN]) -> bool {
        same(&self.digest(token), stored)
    }

    /// Stands in for the digest of a record that does not exist. No token is known to have it: finding one is
    /// inverting HMAC-SHA-256.
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
            prop_assert_eq!(digest, MacKey::new(&key).mac(&[&token[..9], &token[9..]]));
            prop_assert!(pepper.verify(&token, &digest));
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
