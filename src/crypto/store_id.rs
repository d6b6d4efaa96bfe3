//! What tells one store from another.

use std::fmt;
use std::str::FromStr;

use super::CryptoError;
use super::random::{self, Entropy};

/// The identity of a store: 16 random bytes, public. A record, header or seal of one store fits no other.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoreId(pub [u8; 16]);

impl StoreId {
    /// A fresh identity.
    pub fn generate(entropy: &mut (impl Entropy + ?Sized)) -> Result<Self, CryptoError> {
        Ok(Self(random::bytes(entropy)?))
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreId({self})")
    }
}

impl FromStr for StoreId {
    type Err = CryptoError;

    fn from_str(text: &str) -> Result<Self, CryptoError> {
        let mut id = [0; 16];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != id.len() || !rest.is_empty() {
            return Err(CryptoError::StoreId);
        }
        for (byte, [high, low]) in id.iter_mut().zip(pairs) {
            let digit = |c: u8| char::from(c).to_digit(16).filter(|_| !c.is_ascii_uppercase());
            let (Some(high), Some(low)) = (digit(*high), digit(*low)) else {
                return Err(CryptoError::StoreId);
            };
            *byte = u8::try_from(high << 4 | low).map_err(|_| CryptoError::StoreId)?;
        }
        Ok(Self(id))
    }
}
