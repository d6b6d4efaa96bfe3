//! The stored form of a secret keydeck did not make: an imported key whose entropy nobody knows.
//!
//! Argon2id over an HMAC of the secret, or of its digest where another system handed over no more than that, written as a PHC string
//! (`$argon2id$v=19$m=19456,t=2,p=1$<salt>$<output>`). The string is read back from a store somebody may have
//! written to, so it is accepted in one spelling and one range only, before any work is done.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64Unpadded, Encoding};
use thiserror::Error;

use super::CryptoError;
use super::mac::{MacKey, same};
use super::passphrase::{Cost, SALT, Workspace};
use super::random::{self, Entropy};
use super::sum::Sum;
use crate::domain::key::Digested;

/// Bytes an imported secret has at most.
pub const MAX_SECRET: usize = 1024;

const OUTPUT: usize = 32;
/// Stands before a digest that stands in for its secret. No secret begins so: what requests carry is visible ASCII.
const SHA_256: &[u8] = b"sha256\0";
/// Characters of 16 and 32 bytes in Base64 without padding.
const SALT_CHARS: usize = 22;
const OUTPUT_CHARS: usize = 43;
/// No accepted string is longer.
const MAX_CHARS: usize = 128;

/// Why a PHC string was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PhcRejected {
    /// Not six parts, or too long.
    #[error("it is not a PHC string")]
    Shape,
    /// Another function than argon2id.
    #[error("it is not argon2id")]
    Algorithm,
    /// Another version than 0x13.
    #[error("it is not Argon2 version 19")]
    Version,
    /// Parameters missing, misspelt or outside the accepted range.
    #[error("its parameters are out of range")]
    Parameters,
    /// Not 16 bytes of canonical Base64.
    #[error("its salt is not 16 bytes")]
    Salt,
    /// Not 32 bytes of canonical Base64.
    #[error("its output is not 32 bytes")]
    Output,
}

/// A PHC string inside the accepted range. Written and read in one spelling.
#[derive(Clone, PartialEq, Eq)]
pub struct Phc {
    cost: Cost,
    salt: [u8; SALT],
    output: [u8; OUTPUT],
}

impl Phc {
    /// The cost it was made with.
    pub const fn cost(&self) -> Cost {
        self.cost
    }
}

impl FromStr for Phc {
    type Err = PhcRejected;

    fn from_str(text: &str) -> Result<Self, PhcRejected> {
        if text.len() > MAX_CHARS {
            return Err(PhcRejected::Shape);
        }
        let mut parts = text.split('$');
        let mut part = || parts.next().ok_or(PhcRejected::Shape);
        let (before, algorithm, version, parameters, salt, output) =
            (part()?, part()?, part()?, part()?, part()?, part()?);
        if !before.is_empty() || parts.next().is_some() {
            return Err(PhcRejected::Shape);
        }
        if algorithm != "argon2id" {
            return Err(PhcRejected::Algorithm);
        }
        if version != "v=19" {
            return Err(PhcRejected::Version);
        }
        Ok(Self {
            cost: cost(parameters).ok_or(PhcRejected::Parameters)?,
            salt: base64(salt, SALT_CHARS).ok_or(PhcRejected::Salt)?,
            output: base64(output, OUTPUT_CHARS).ok_or(PhcRejected::Output)?,
        })
    }
}

impl fmt::Display for Phc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut salt, mut output) = ([0; SALT_CHARS], [0; OUTPUT_CHARS]);
        let salt = Base64Unpadded::encode(&self.salt, &mut salt).map_err(|_| fmt::Error)?;
        let output = Base64Unpadded::encode(&self.output, &mut output).map_err(|_| fmt::Error)?;
        let (memory, passes, lanes) = (self.cost.memory_kib(), self.cost.passes(), self.cost.lanes());
        write!(f, "$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${output}")
    }
}

fn cost(text: &str) -> Option<Cost> {
    let (memory, rest) = text.strip_prefix("m=")?.split_once(",t=")?;
    let (passes, lanes) = rest.split_once(",p=")?;
    Cost::new(decimal(memory)?, decimal(passes)?, decimal(lanes)?).ok()
}

/// A number in its one spelling: digits only, no sign, no leading zero.
fn decimal(text: &str) -> Option<u32> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| canonical)
}

pub(super) fn base64<const N: usize>(text: &str, chars: usize) -> Option<[u8; N]> {
    let mut out = [0; N];
    // The decoder refuses stray bits beyond the last byte, so there is one spelling.
    let whole = text.len() == chars && Base64Unpadded::decode(text, &mut out).ok()?.len() == N;
    whole.then_some(out)
}

/// What is known of a secret that another system made.
#[derive(Clone, Copy)]
pub enum Known<'s> {
    /// The secret: 1 to [`MAX_SECRET`] bytes.
    Secret(&'s [u8]),
    /// Its SHA-256, and nothing else.
    Sha256(&'s [u8; 32]),
}

impl Known<'_> {
    /// What has to be made of a presented secret before it is compared.
    pub const fn digested(self) -> Option<Digested> {
        match self {
            Self::Secret(_) => None,
            Self::Sha256(_) => Some(Digested::Sha256),
        }
    }
}

/// Hashes and checks imported secrets. Each call costs 19 MiB and some 30 ms: callers bound how many run at once,
/// and find the record by its public id first.
pub struct ImportedSecrets(MacKey);

impl ImportedSecrets {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(MacKey::new(key))
    }

    /// The string to store for a secret.
    pub fn hash(&self, known: Known<'_>, entropy: &mut (impl Entropy + ?Sized)) -> Result<Phc, CryptoError> {
        let salt = random::bytes(entropy)?;
        let output = *Cost::IMPORTED.derive(&self.mac(known)?, &salt)?;
        Ok(Phc { cost: Cost::IMPORTED, salt, output })
    }

    /// Whether `secret` is the one of which that is stored, in constant time after the hash. A digest presented in the place of
    /// its secret is a wrong secret: it is digested like any other.
    pub fn verify(
        &self,
        secret: &[u8],
        digested: Option<Digested>,
        stored: &Phc,
        memory: &mut Workspace,
    ) -> Result<bool, CryptoError> {
        check_length(secret)?;
        let mut sum = Sum::default();
        let digest;
        let known = match digested {
            None => Known::Secret(secret),
            Some(Digested::Sha256) => {
                sum.add(secret);
                digest = sum.so_far();
                Known::Sha256(&digest)
            }
        };
        let made = stored.cost.derive_in(memory, &self.mac(known)?, &stored.salt)?;
        Ok(same(&made, &stored.output))
    }

    /// What Argon2 is asked about: nothing that another system stores.
    fn mac(&self, known: Known<'_>) -> Result<[u8; 32], CryptoError> {
        Ok(match known {
            Known::Secret(secret) => {
                check_length(secret)?;
                self.0.mac(&[secret])
            }
            Known::Sha256(digest) => self.0.mac(&[SHA_256, digest]),
        })
    }
}

const fn check_length(secret: &[u8]) -> Result<(), CryptoError> {
    if secret.is_empty() || secret.len() > MAX_SECRET { Err(CryptoError::ImportedSecret) } else { Ok(()) }
}
