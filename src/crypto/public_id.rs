//! Drawing the public part of a token: what lists, logs and the audit trail show, and what a record is found by.
//!
//! 12 Base58 characters, 70.3 bits: 3e-8 collisions are expected among ten million, and the issuer redraws on one.

use super::CryptoError;
use super::random::{self, BASE58, Entropy};
use crate::domain::PublicId;

/// Characters of an id.
pub const LEN: usize = crate::domain::id::PUBLIC_ID_LEN;

/// For each byte its Base58 digit, or [`NOT_BASE58`].
pub(super) const DIGIT: [u8; 256] = digits();
/// Marks a byte outside the alphabet; the top bit, which no digit has.
pub(super) const NOT_BASE58: u8 = 0x80;

const fn digits() -> [u8; 256] {
    let mut table = [NOT_BASE58; 256];
    let mut digit = 0;
    while digit < 58 {
        table[BASE58[digit as usize] as usize] = digit;
        digit += 1;
    }
    table
}

/// A fresh random id.
pub fn generate(entropy: &mut (impl Entropy + ?Sized)) -> Result<PublicId, CryptoError> {
    let mut id = [0; LEN];
    random::base58(entropy, &mut id)?;
    PublicId::from_bytes(id).ok_or(CryptoError::PublicId)
}
