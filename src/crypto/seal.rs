//! The authenticator of the seal file, which stands outside the database and remembers how far it had come.
//!
//! A database that went back in time no longer matches the revision and audit head its seal file holds. A MAC keeps
//! anybody else from writing a seal file that fits an old database.

use super::CryptoError;
use super::chain::ChainHash;
use super::mac::MacKey;
use super::store_id::StoreId;

const DOMAIN: &[u8] = b"kd/seal/v1";

/// Authenticates the seal file of one store.
pub struct SealKey {
    key: MacKey,
    store: StoreId,
}

impl SealKey {
    pub(super) fn new(key: &[u8; 32], store: StoreId) -> Self {
        Self { key: MacKey::new(key), store }
    }

    /// The MAC to write beside store id, `revision` and `audit_head`.
    pub fn mac(&self, revision: u64, audit_head: &ChainHash) -> [u8; 32] {
        self.key.mac(&[DOMAIN, &self.store.0, &revision.to_be_bytes(), audit_head])
    }

    /// Checks what was read back, in constant time.
    pub fn verify(&self, revision: u64, audit_head: &ChainHash, mac: &[u8; 32]) -> Result<(), CryptoError> {
        let expected: &[&[u8]] = &[DOMAIN, &self.store.0, &revision.to_be_bytes(), audit_head];
        if self.key.verify(expected, mac) { Ok(()) } else { Err(CryptoError::Seal) }
    }
}
