//! One record, sealed: nobody without the root key reads it, changes it, or moves it to another place.
//!
//! `algorithm (1) ‖ epoch (4) ‖ revision (8) ‖ nonce (24) ‖ ciphertext ‖ tag (16)`, numbers big-endian, with
//! XChaCha20-Poly1305 bound to store, key, epoch and revision. It cannot stop somebody from putting back an older
//! sealed form of the same record; [`super::state_digest`] is there for that.

use thiserror::Error;
use zeroize::Zeroizing;

use super::CryptoError;
use super::aead::{Cipher, NONCE, TAG};
use super::random::{self, Entropy, OsEntropy};
use super::store_id::StoreId;

const ALGORITHM: u8 = 1;
/// Counts root keys of this store; a new one re-seals every record.
const EPOCH: u32 = 1;
const DOMAIN: &[u8] = b"kd/rec/v1";
const HEAD: usize = 1 + 4 + 8 + NONCE;

/// Bytes a sealed record has beyond its text.
pub const OVERHEAD: usize = HEAD + TAG;

/// Why a sealed record was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RecordFault {
    /// Shorter than an empty sealed record.
    #[error("it is too short")]
    Truncated,
    /// Sealed by a newer version or not at all.
    #[error("it is sealed in an unknown way; a newer keydeck may have written it")]
    Algorithm,
    /// Sealed under a root key this store no longer or not yet has.
    #[error("it is sealed under another root key")]
    Epoch,
    /// Changed, moved from another key or store, or sealed with another root key.
    #[error("it was changed or moved since keydeck wrote it")]
    Altered,
    /// A text or key beyond what can be sealed.
    #[error("it is too large")]
    TooLarge,
}

/// An opened record.
pub struct Opened {
    /// The revision it was sealed with.
    pub revision: u64,
    /// Its text; wiped when dropped.
    pub plain: Zeroizing<Vec<u8>>,
}

/// Seals and opens the records of one store.
pub struct Sealer {
    cipher: Cipher,
    store: StoreId,
}

impl Sealer {
    pub(super) fn new(key: &[u8; 32], store: StoreId) -> Self {
        Self { cipher: Cipher::new(key), store }
    }

    /// Seals `plain` for its place in the store, with a nonce from the operating system. `revision` must grow
    /// with every write of the same key.
    pub fn seal(&self, key: &[u8], revision: u64, plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.seal_with(&mut OsEntropy, key, revision, plain)
    }

    /// [`Sealer::seal`] with a given source of randomness.
    pub fn seal_with(
        &self,
        entropy: &mut (impl Entropy + ?Sized),
        key: &[u8],
        revision: u64,
        plain: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let nonce: [u8; NONCE] = random::bytes(entropy)?;
        // At full size from the start: growing would leave copies of the text behind.
        let mut sealed = Vec::with_capacity(OVERHEAD + plain.len());
        sealed.push(ALGORITHM);
        sealed.extend(EPOCH.to_be_bytes());
        sealed.extend(revision.to_be_bytes());
        sealed.extend(nonce);
        sealed.extend_from_slice(plain);
        let bound = self.bound(key, EPOCH, revision)?;
        let tag = self.cipher.encrypt(&nonce, &bound, &mut sealed[HEAD..]).ok_or(RecordFault::TooLarge)?;
        sealed.extend(tag);
        Ok(sealed)
    }

    /// Opens what was sealed for this key of this store, or says why not. Never returns altered text.
    pub fn open(&self, key: &[u8], sealed: &[u8]) -> Result<Opened, CryptoError> {
        let parts = Parts::split(sealed)?;
        let bound = self.bound(key, parts.epoch, parts.revision)?;
        let mut plain = Zeroizing::new(parts.text.to_vec());
        self.cipher.decrypt(parts.nonce, &bound, &mut plain, parts.tag).ok_or(RecordFault::Altered)?;
        Ok(Opened { revision: parts.revision, plain })
    }

    /// What the tag covers besides the text. The length before the key keeps the fields from running together.
    fn bound(&self, key: &[u8], epoch: u32, revision: u64) -> Result<Vec<u8>, CryptoError> {
        let length = u32::try_from(key.len()).map_err(|_| RecordFault::TooLarge)?;
        Ok([DOMAIN, &self.store.0, &length.to_be_bytes(), key, &epoch.to_be_bytes(), &revision.to_be_bytes()]
            .concat())
    }
}

/// The authentication tag of a sealed record: its name in the audit trail and in the state digest.
pub fn tag(sealed: &[u8]) -> Result<[u8; TAG], CryptoError> {
    Ok(*Parts::split(sealed)?.tag)
}

struct Parts<'a> {
    epoch: u32,
    revision: u64,
    nonce: &'a [u8; NONCE],
    text: &'a [u8],
    tag: &'a [u8; TAG],
}

impl<'a> Parts<'a> {
    fn split(sealed: &'a [u8]) -> Result<Self, RecordFault> {
        let cut = || {
            let (algorithm, rest) = sealed.split_first()?;
            let (epoch, rest) = rest.split_first_chunk()?;
            let (revision, rest) = rest.split_first_chunk()?;
            let (nonce, rest) = rest.split_first_chunk()?;
            let (text, tag) = rest.split_last_chunk()?;
            let parts = Parts {
                epoch: u32::from_be_bytes(*epoch),
                revision: u64::from_be_bytes(*revision),
                nonce,
                text,
                tag,
            };
            Some((*algorithm, parts))
        };
        let (algorithm, parts) = cut().ok_or(RecordFault::Truncated)?;
        if algorithm != ALGORITHM {
            return Err(RecordFault::Algorithm);
        }
        if parts.epoch != EPOCH {
            return Err(RecordFault::Epoch);
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stores have keys of their own, so this shows only with the same key under two names.
    #[test]
    fn a_record_names_its_store_even_under_the_same_key() {
        let [one, other] = [1, 2].map(|store| Sealer::new(&[7; 32], StoreId([store; 16])));
        let sealed = one.seal(b"k", 1, b"text").unwrap();
        assert!(one.open(b"k", &sealed).is_ok());
        assert!(matches!(other.open(b"k", &sealed), Err(CryptoError::Record(RecordFault::Altered))));
    }
}
