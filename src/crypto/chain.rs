//! The audit chain: each entry names the one before it, and a key signs every link.
//!
//! `hash = SHA-256("kd/audit/v1" ‖ previous hash ‖ body)`, `mac = HMAC-SHA-256(audit key, hash)`. The hashes alone
//! let an export be checked against an anchor without any key; the MACs make an entry that only the unsealed
//! store could have written. What a chain cannot see is its own missing tail: that takes an anchor kept elsewhere.

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::CryptoError;
use super::mac::MacKey;
use super::store_id::StoreId;

const DOMAIN: &[u8] = b"kd/audit/v1";
const GENESIS: &[u8] = b"kd/audit/v1/genesis";

/// The hash of an entry, or of the beginning.
pub type ChainHash = [u8; 32];

/// What an entry carries beside its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The hash of the entry: the `previous` of the next one.
    pub hash: ChainHash,
    /// Proof that the unsealed store wrote it.
    pub mac: [u8; 32],
}

/// How a chain can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ChainFault {
    /// Body or predecessor are not those that were hashed.
    #[error("an entry was edited, inserted, removed or moved")]
    Hash,
    /// The hashes fit, but the link was not made with this store's key.
    #[error("an entry was written by somebody without this store's key")]
    Mac,
}

/// Where the chain of a store begins.
pub fn genesis(store: StoreId) -> ChainHash {
    // Shorter than any input of `next`, so the two never meet.
    Sha256::new().chain_update(GENESIS).chain_update(store.0).finalize().into()
}

/// The hash of the entry after `previous`; needs no key.
pub fn next(previous: &ChainHash, body: &[u8]) -> ChainHash {
    Sha256::new().chain_update(DOMAIN).chain_update(previous).chain_update(body).finalize().into()
}

/// Extends and checks the chain of one store.
pub struct AuditChain {
    key: MacKey,
    genesis: ChainHash,
}

impl AuditChain {
    pub(super) fn new(key: &[u8; 32], store: StoreId) -> Self {
        Self { key: MacKey::new(key), genesis: genesis(store) }
    }

    /// The `previous` of the first entry.
    pub const fn genesis(&self) -> ChainHash {
        self.genesis
    }

    /// The link for a new entry after `previous`.
    pub fn extend(&self, previous: &ChainHash, body: &[u8]) -> Link {
        let hash = next(previous, body);
        Link { hash, mac: self.key.mac(&[&hash]) }
    }

    /// Checks one entry against the one before it.
    pub fn verify(&self, previous: &ChainHash, body: &[u8], link: &Link) -> Result<(), CryptoError> {
        if next(previous, body) != link.hash {
            return Err(ChainFault::Hash.into());
        }
        if !self.key.verify(&[&link.hash], &link.mac) {
            return Err(ChainFault::Mac.into());
        }
        Ok(())
    }
}
