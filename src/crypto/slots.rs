//! One slot: the root key wrapped by one secret, and how it is written down.
//!
//! A passphrase goes through Argon2id, a recovery code or key file (187 and 256 bits) through HKDF. The wrap is
//! XChaCha20-Poly1305 bound to store, slot, kind and parameters, so a slot fits no other header and its parameters
//! cannot be lowered. Parameters are checked before a byte is allocated for them.

use std::fmt;

use minicbor::{Decode, Encode};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::CryptoError;
use super::aead::{Cipher, NONCE, TAG};
use super::keyfile::KeyFileSecret;
use super::keyring::RootKey;
use super::mac::{Subkey, hkdf};
use super::passphrase::{Cost, Passphrase, SALT};
use super::random::{self, Entropy};
use super::recovery::RecoveryCode;
use super::store_id::StoreId;

/// Bytes of a slot's label at most.
pub const MAX_LABEL: usize = 256;

const WRAPPED: usize = 32 + TAG;
const WRAP_DOMAIN: &[u8] = b"kd/slot/v1";
const KDF_ARGON2ID: u8 = 1;
const KDF_HKDF: u8 = 2;

/// Names a slot within its header; random, never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub(super) [u8; 8]);

impl SlotId {
    /// As a number, for the record that says which slots count.
    pub const fn number(self) -> u64 {
        u64::from_be_bytes(self.0)
    }
}

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.number())
    }
}

impl fmt::Debug for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SlotId({self})")
    }
}

/// What opens a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum SlotKind {
    /// An operator's passphrase; the label is the operator's name.
    #[n(0)]
    Passphrase,
    /// The recovery code.
    #[n(1)]
    Recovery,
    /// A key file.
    #[n(2)]
    KeyFile,
}

impl SlotKind {
    const fn code(self) -> u8 {
        match self {
            Self::Passphrase => 1,
            Self::Recovery => 2,
            Self::KeyFile => 3,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Passphrase),
            2 => Some(Self::Recovery),
            3 => Some(Self::KeyFile),
            _ => None,
        }
    }
}

/// The secret a slot is made for.
#[derive(Clone, Copy)]
pub enum SlotSecret<'a> {
    /// A passphrase and what guessing it shall cost.
    Passphrase(&'a Passphrase, Cost),
    /// A recovery code.
    Recovery(&'a RecoveryCode),
    /// The bytes of a key file.
    KeyFile(&'a KeyFileSecret),
}

/// A slot to be made.
#[derive(Clone, Copy)]
pub struct NewSlot<'a> {
    /// The operator's name for a passphrase, else a name people know it by; 1 to [`MAX_LABEL`] bytes.
    pub label: &'a str,
    /// Now, in milliseconds since 1970 UTC.
    pub created_ms: u64,
    /// What opens it.
    pub secret: SlotSecret<'a>,
}

/// A slot as it stands in the header. Holds no secret in the clear.
#[derive(Clone, PartialEq, Eq)]
pub struct Slot {
    id: SlotId,
    kind: SlotKind,
    /// Argon2id's parameters; only passphrases have them.
    cost: Option<Cost>,
    salt: [u8; SALT],
    nonce: [u8; NONCE],
    wrapped: [u8; WRAPPED],
    created_ms: u64,
    label: String,
}

impl Slot {
    /// Its id.
    pub const fn id(&self) -> SlotId {
        self.id
    }

    /// What opens it.
    pub const fn kind(&self) -> SlotKind {
        self.kind
    }

    /// What one guess costs; `None` where the secret cannot be guessed.
    pub const fn cost(&self) -> Option<Cost> {
        self.cost
    }

    /// When it was made, in milliseconds since 1970 UTC.
    pub const fn created_ms(&self) -> u64 {
        self.created_ms
    }

    /// Its name, in Unicode NFC.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Wraps `root` for a new secret.
    pub(super) fn wrap(
        store: StoreId,
        root: &RootKey,
        new: NewSlot<'_>,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<Self, CryptoError> {
        let label = normal_label(new.label);
        if !(1..=MAX_LABEL).contains(&label.len()) {
            return Err(CryptoError::SlotLabel { max: MAX_LABEL });
        }
        let (kind, cost) = match new.secret {
            SlotSecret::Passphrase(_, cost) => (SlotKind::Passphrase, Some(cost)),
            SlotSecret::Recovery(_) => (SlotKind::Recovery, None),
            SlotSecret::KeyFile(_) => (SlotKind::KeyFile, None),
        };
        let mut slot = Self {
            id: SlotId(random::bytes(entropy)?),
            kind,
            cost,
            salt: random::bytes(entropy)?,
            nonce: random::bytes(entropy)?,
            wrapped: [0; WRAPPED],
            created_ms: new.created_ms,
            label,
        };
        let key = match new.secret {
            SlotSecret::Passphrase(passphrase, cost) => cost.derive(passphrase.bytes(), &slot.salt)?,
            SlotSecret::Recovery(code) => slot.hkdf(code.bytes()),
            SlotSecret::KeyFile(file) => slot.hkdf(file.bytes()),
        };
        let mut text = Zeroizing::new(*root.bytes());
        let tag = Cipher::new(&key)
            .encrypt(&slot.nonce, &slot.bound(store), &mut text[..])
            .ok_or(CryptoError::HeaderDamaged("a slot could not be wrapped"))?;
        let (head, tail) = slot.wrapped.split_at_mut(text.len());
        head.copy_from_slice(&text[..]);
        tail.copy_from_slice(&tag);
        Ok(slot)
    }

    /// The root key, if `passphrase` opens this slot. Costs one Argon2id.
    pub(super) fn open_with_passphrase(
        &self,
        store: StoreId,
        passphrase: &Passphrase,
    ) -> Result<Option<RootKey>, CryptoError> {
        let Some(cost) = self.cost else { return Ok(None) };
        let key = cost.derive(passphrase.bytes(), &self.salt)?;
        Ok(self.unwrap_root(store, &key))
    }

    /// The root key, if this recovery code or key file opens this slot.
    pub(super) fn open_with_key(&self, store: StoreId, secret: &[u8]) -> Option<RootKey> {
        self.unwrap_root(store, &self.hkdf(secret))
    }

    fn hkdf(&self, secret: &[u8]) -> Subkey {
        hkdf(&self.salt, secret, &[b"keydeck/v1/slot/", &[self.kind.code()]])
    }

    fn unwrap_root(&self, store: StoreId, key: &[u8; 32]) -> Option<RootKey> {
        let (text, tag) = self.wrapped.split_last_chunk::<TAG>()?;
        let mut root = Subkey::blank();
        root.bytes_mut().copy_from_slice(text);
        Cipher::new(key).decrypt(&self.nonce, &self.bound(store), root.bytes_mut(), tag)?;
        Some(RootKey::from_bytes(root))
    }

    /// What the wrap is bound to: fixed sizes, so the fields cannot run together.
    fn bound(&self, store: StoreId) -> Vec<u8> {
        let mut bound = Vec::with_capacity(96);
        bound.extend_from_slice(WRAP_DOMAIN);
        bound.extend_from_slice(&store.0);
        bound.extend_from_slice(&self.id.0);
        self.write_kdf(&mut bound);
        bound
    }

    /// Kind, derivation, its parameters (zeros for HKDF) and salt: 30 bytes.
    fn write_kdf(&self, out: &mut Vec<u8>) {
        out.push(self.kind.code());
        out.push(if self.cost.is_some() { KDF_ARGON2ID } else { KDF_HKDF });
        let numbers = self.cost.map_or([0; 3], |cost| [cost.memory_kib(), cost.passes(), cost.lanes()]);
        out.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        out.extend_from_slice(&self.salt);
    }

    /// Appends the slot to a header: id, kind and derivation, nonce, wrapped root, time, label.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id.0);
        self.write_kdf(out);
        out.extend_from_slice(&self.nonce);
        out.extend_from_slice(&self.wrapped);
        out.extend(self.created_ms.to_be_bytes());
        // MAX_LABEL fits into two bytes: both makers of a slot check it.
        out.extend(u16::try_from(self.label.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(self.label.as_bytes());
    }

    /// Reads what [`Slot::write`] wrote, refusing anything it would not have written.
    pub(super) fn read(from: &mut Cursor<'_>) -> Result<Self, CryptoError> {
        let id = SlotId(*from.take()?);
        let kind =
            SlotKind::from_code(from.take::<1>()?[0]).ok_or(damaged("a slot is of an unknown kind"))?;
        let kdf = from.take::<1>()?[0];
        let (memory, passes, lanes) = (from.number()?, from.number()?, from.number()?);
        let cost = match (kind, kdf) {
            (SlotKind::Passphrase, KDF_ARGON2ID) => Some(Cost::new(memory, passes, lanes)?),
            (SlotKind::Recovery | SlotKind::KeyFile, KDF_HKDF) if (memory, passes, lanes) == (0, 0, 0) => {
                None
            }
            _ => return Err(damaged("the key derivation of a slot does not fit its kind")),
        };
        let (salt, nonce, wrapped) = (*from.take()?, *from.take()?, *from.take()?);
        let created_ms = u64::from_be_bytes(*from.take()?);
        let length = usize::from(u16::from_be_bytes(*from.take()?));
        if !(1..=MAX_LABEL).contains(&length) {
            return Err(damaged("a slot has no name or one that is too long"));
        }
        let label = str::from_utf8(from.slice(length)?).map_err(|_| damaged("a slot's name is not text"))?;
        if normal_label(label) != label {
            return Err(damaged("a slot's name is not in its normal form"));
        }
        Ok(Self { id, kind, cost, salt, nonce, wrapped, created_ms, label: label.to_owned() })
    }
}

/// A label in the one form it is stored and compared in: Unicode NFC, otherwise byte-exact.
pub(super) fn normal_label(label: &str) -> String {
    // ASCII is in that form already, and a header has a thousand of them.
    if label.is_ascii() { label.to_owned() } else { label.nfc().collect() }
}

const fn damaged(what: &'static str) -> CryptoError {
    CryptoError::HeaderDamaged(what)
}

/// Takes fixed pieces off the front of untrusted bytes; running out is an error, never a panic.
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], CryptoError> {
        let (piece, rest) = self.0.split_first_chunk().ok_or(damaged("it is cut short"))?;
        self.0 = rest;
        Ok(piece)
    }

    fn number(&mut self) -> Result<u32, CryptoError> {
        Ok(u32::from_be_bytes(*self.take()?))
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8], CryptoError> {
        let (piece, rest) = self.0.split_at_checked(length).ok_or(damaged("it is cut short"))?;
        self.0 = rest;
        Ok(piece)
    }
}
