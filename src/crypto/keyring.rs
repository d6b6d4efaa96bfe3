//! The root key of a store and the keys derived from it.
//!
//! One key for one purpose: HKDF-SHA-256 with the store id as salt and `keydeck/v1/<purpose>` as info. Slots wrap
//! the root; nothing else ever stores it. Everything here is wiped when dropped, as far as a process can.

use std::fmt::Write as _;

use subtle::ConstantTimeEq as _;

use super::CryptoError;
use super::chain::AuditChain;
use super::digest::Pepper;
use super::jwt::TokenKey;
pub use super::mac::Subkey;
use super::mac::{MacKey, hkdf};
use super::phc::ImportedSecrets;
use super::random::Entropy;
use super::record::Sealer;
use super::seal::SealKey;
use super::state_digest::StateDigest;
use super::store_id::StoreId;
use crate::domain::TokenAlg;

/// What a derived key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Sealing records.
    Records,
    /// Digests of generated tokens, first version.
    Pepper,
    /// The audit chain.
    Audit,
    /// The header's authenticator.
    Header,
    /// The seal file.
    Seal,
    /// The digest of the record set.
    StateDigest,
    /// Imported secrets, before Argon2.
    Imported,
    /// Fingerprints of unknown tokens in the audit trail.
    Fingerprint,
    /// Sealing what is kept beside the database while it cannot be written.
    Journal,
    /// Signing access tokens with Ed25519, with the key's number.
    AccessTokens(u32),
    /// Signing access tokens with ECDSA on P-256, with the key's number, and how often no key of the curve came of it.
    AccessTokensP256(u32, u32),
}

impl Purpose {
    const fn info(self) -> &'static str {
        match self {
            Self::Records => "keydeck/v1/records",
            Self::Pepper => "keydeck/v1/pepper/1",
            Self::Audit => "keydeck/v1/audit",
            Self::Header => "keydeck/v1/header",
            Self::Seal => "keydeck/v1/seal",
            Self::StateDigest => "keydeck/v1/state-digest",
            Self::Imported => "keydeck/v1/imported",
            Self::Fingerprint => "keydeck/v1/fingerprint",
            Self::Journal => "keydeck/v1/journal",
            Self::AccessTokens(_) => "keydeck/v1/access-tokens/",
            Self::AccessTokensP256(..) => "keydeck/v1/access-tokens-p256/",
        }
    }

    /// What follows the info, where one purpose has many keys.
    fn number(self) -> String {
        match self {
            Self::AccessTokens(number) => number.to_string(),
            Self::AccessTokensP256(number, tried) => format!("{number}/{tried}"),
            _ => String::new(),
        }
    }
}

/// The 32 random bytes everything else is derived from. Cannot be copied or printed; wiped when dropped.
pub struct RootKey(Subkey);

impl RootKey {
    /// A new root key.
    pub fn generate(entropy: &mut (impl Entropy + ?Sized)) -> Result<Self, CryptoError> {
        let mut key = Subkey::blank();
        entropy.fill(key.bytes_mut())?;
        Ok(Self(key))
    }

    pub(super) fn from_bytes(key: Subkey) -> Self {
        Self(key)
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key for one purpose of one store.
    pub fn derive(&self, store: StoreId, purpose: Purpose) -> Subkey {
        hkdf(&store.0, &self.0[..], &[purpose.info().as_bytes(), purpose.number().as_bytes()])
    }
}

/// An unsealed store's tools, each with a key of its own. Dropping it seals the store again.
pub struct Keyring {
    store: StoreId,
    root: RootKey,
}

impl Keyring {
    /// The tools of `store`, from its unwrapped root key.
    pub const fn new(root: RootKey, store: StoreId) -> Self {
        Self { store, root }
    }

    /// The store these keys belong to.
    pub const fn store(&self) -> StoreId {
        self.store
    }

    /// The root key, for changing slots.
    pub const fn root(&self) -> &RootKey {
        &self.root
    }

    /// Digests tokens.
    pub fn pepper(&self) -> Pepper {
        Pepper::new(&self.derive(Purpose::Pepper))
    }

    /// Seals and opens records.
    pub fn sealer(&self) -> Sealer {
        Sealer::new(&self.derive(Purpose::Records), self.store)
    }

    /// Seals and opens what is kept beside the database. Under a key of its own: nothing from there can be put among
    /// the records, and no record there.
    pub fn journal_sealer(&self) -> Sealer {
        Sealer::new(&self.derive(Purpose::Journal), self.store)
    }

    /// Extends and checks the audit chain.
    pub fn audit_chain(&self) -> AuditChain {
        AuditChain::new(&self.derive(Purpose::Audit), self.store)
    }

    /// Authenticates the seal file.
    pub fn seal_key(&self) -> SealKey {
        SealKey::new(&self.derive(Purpose::Seal), self.store)
    }

    /// The digest of an empty record set, to be filled.
    pub fn empty_state(&self) -> StateDigest {
        StateDigest::empty(&self.derive(Purpose::StateDigest))
    }

    /// Hashes and checks imported secrets.
    pub fn imported_secrets(&self) -> ImportedSecrets {
        ImportedSecrets::new(&self.derive(Purpose::Imported))
    }

    /// One of the keys that sign access tokens. Those of both algorithms come and go with their number.
    pub fn token_key(&self, number: u32, alg: TokenAlg) -> TokenKey {
        match alg {
            TokenAlg::EdDsa => TokenKey::ed25519(&self.derive(Purpose::AccessTokens(number))),
            // Drawn until it is one (FIPS 186-5 A.2.2): the first is, but for one time in 2^32.
            TokenAlg::Es256 => {
                let mut tried = 0_u32;
                loop {
                    let drawn = self.derive(Purpose::AccessTokensP256(number, tried));
                    if let Some(key) = TokenKey::p256(&drawn) {
                        return key;
                    }
                    tried = tried.wrapping_add(1);
                }
            }
        }
    }

    /// Names an unknown presented text in the audit trail without storing it: 16 hexadecimal digits of its MAC, so
    /// that "was this leaked token tried, and when" has an answer. Not invertible without the root key.
    pub fn fingerprint(&self, presented: &[u8]) -> String {
        let mac = MacKey::new(&self.derive(Purpose::Fingerprint)).mac(&[presented]);
        mac.iter().take(8).fold(String::with_capacity(16), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Whether both unseal the same store.
    pub fn opens_same(&self, other: &Self) -> bool {
        self.store == other.store && bool::from(self.root.bytes().ct_eq(other.root.bytes()))
    }

    fn derive(&self, purpose: Purpose) -> Subkey {
        self.root.derive(self.store, purpose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::random::OsEntropy;

    #[test]
    fn every_purpose_and_every_store_has_a_key_of_its_own() {
        let root = RootKey::generate(&mut OsEntropy).unwrap();
        let purposes = [
            Purpose::Records,
            Purpose::Pepper,
            Purpose::Audit,
            Purpose::Header,
            Purpose::Seal,
            Purpose::StateDigest,
            Purpose::Imported,
            Purpose::Fingerprint,
            Purpose::Journal,
            Purpose::AccessTokens(1),
            Purpose::AccessTokens(11),
            Purpose::AccessTokensP256(1, 0),
            Purpose::AccessTokensP256(1, 1),
            Purpose::AccessTokensP256(11, 0),
        ];
        let mut keys: Vec<[u8; 32]> = vec![*root.bytes()];
        for store in [StoreId([1; 16]), StoreId([2; 16])] {
            keys.extend(purposes.iter().map(|purpose| *root.derive(store, *purpose)));
        }
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!((keys.len(), all), (29, 29));
    }

    #[test]
    fn a_store_id_is_read_back_in_its_one_spelling() {
        let id = StoreId::generate(&mut OsEntropy).unwrap();
        assert_eq!(id.to_string().parse::<StoreId>().unwrap(), id);
        let odd = "0123456789abcdef0123456789abcde";
        for wrong in ["", odd, "0123456789ABCDEF0123456789abcdef", "+123456789abcdef0123456789abcdef"] {
            assert!(wrong.parse::<StoreId>().is_err(), "{wrong}");
        }
    }
}
