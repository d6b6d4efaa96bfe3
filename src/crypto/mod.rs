//! Every secret of the store: how it is made, written down, checked and forgotten.
//!
//! One primitive per file. Nothing here reads a clock, prints, or knows what a key is for; the only I/O is the
//! header file pair and the key file. The engine holds a [`keyring::Keyring`] while the store is unsealed and
//! takes every tool from it.
//!
//! | file | holds |
//! |---|---|
//! | `random` | the operating system's generator, unbiased Base58 |
//! | `token`, `public_id` | the 56-byte token and its public part |
//! | `recovery` | the recovery code a person keeps on paper |
//! | `scan` | all of these in any text, by shape and checksum |
//! | `digest` | the stored form of a generated token |
//! | `phc` | the stored form of an imported secret (Argon2id) |
//! | `foreign` | digests by which other systems know their secrets |
//! | `passphrase` | passphrases and the cost of guessing them |
//! | `strength` | what a secret is worth that somebody chose |
//! | `keyring`, `store_id` | root key and subkeys; what they belong to |
//! | `slots`, `header`, `header_file` | what wraps the root key, the sealed list of it, its two copies on disk |
//! | `jwt` | access tokens and the keys that sign them |
//! | `keyfile` | the rules for a key file |
//! | `record`, `aead` | one sealed record |
//! | `state_digest` | one number for the whole set of records |
//! | `chain` | the audit chain |
//! | `seal` | the seal file's authenticator |
//! | `webhook` | signatures of outgoing messages |
//! | `mac` | HMAC, HKDF and comparison in constant time |

mod aead;
pub mod chain;
pub mod digest;
mod error;
#[cfg(feature = "console")]
pub mod foreign;
#[doc(hidden)]
pub mod fuzzing;
pub mod header;
pub mod header_file;
pub mod jwt;
pub mod keyfile;
pub mod keyring;
mod mac;
pub mod passphrase;
pub mod phc;
pub mod public_id;
pub mod random;
pub mod record;
pub mod recovery;
#[cfg(feature = "console")]
pub mod scan;
pub mod seal;
pub mod slots;
pub mod state_digest;
mod store_id;
pub mod strength;
pub mod sum;
pub mod token;
#[cfg(test)]
mod vectors;
#[cfg(feature = "webhook")]
pub mod webhook;

pub use error::CryptoError;
pub use keyring::Keyring;
pub use store_id::StoreId;
