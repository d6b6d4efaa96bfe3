//! The header: which secrets open the store. A list of slots, authenticated as a whole by the root key they wrap.
//!
//! `magic (8) ‖ format (2) ‖ store id (16) ‖ generation (8) ‖ slot count (2) ‖ slots ‖ MAC (32) ‖ CRC-32 (4)`,
//! numbers big-endian. The CRC tells an accident without any key, so that the other copy can be taken; the MAC,
//! checked after every unwrap, tells an added slot, a swapped label, or a weakened parameter. All functions here are
//! pure: they return the next header and leave writing to `header_file`.
//!
//! A slot more is inert until the store's sealed record names it: who opens a store asks that record which slots count.

use std::collections::{HashMap, HashSet};

use super::CryptoError;
use super::keyfile::KeyFileSecret;
use super::keyring::{Purpose, RootKey};
use super::mac::MacKey;
use super::passphrase::{Cost, Passphrase};
use super::random::Entropy;
use super::recovery::RecoveryCode;
use super::slots::{Cursor, MAX_LABEL, NewSlot, Slot, SlotId, SlotKind, normal_label};
use super::store_id::StoreId;

/// Slots a header holds at most: those of a thousand and twenty-four operators, the recovery code's, and the second one of a
/// change in progress. The store's record of those that count is one value of at most 16 KiB, which takes them all.
pub const MAX_SLOTS: usize = 1_026;

/// Bytes of a header at most; more is refused unread.
pub const MAX_BYTES: usize = 36 + MAX_SLOTS * (8 + 30 + 24 + 48 + 8 + 2 + MAX_LABEL) + 36;

const MAGIC: &[u8; 8] = b"keydeck\0";
/// The format that is written. It grows when a store may hold what an older keydeck must not ignore: one that does not know of
/// lockdowns would let in what is locked down; one that takes 64 slots at most would call a header of more damaged.
const FORMAT: u16 = 3;
/// The oldest one that is read.
const OLDEST: u16 = 1;
const MAC: usize = 32;
const CRC: usize = 4;
/// During a change the old and the new slot stand side by side under one name; never more.
const MAX_SAME_NAME: usize = 2;

/// Who wants in, and with what.
#[derive(Clone, Copy)]
pub enum Unlock<'a> {
    /// An operator by name and passphrase.
    Operator {
        /// The operator's name: the label of the slot.
        name: &'a str,
        /// The passphrase.
        passphrase: &'a Passphrase,
    },
    /// Whoever holds the recovery code.
    Recovery(&'a RecoveryCode),
    /// A service with its key file.
    KeyFile(&'a KeyFileSecret),
}

/// An opened header.
pub struct Unlocked {
    /// The store's root key.
    pub root: RootKey,
    /// The slot that opened, for the audit trail.
    pub slot: SlotId,
}

/// A well-formed header. That it is genuine shows when it is unlocked.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    format: u16,
    store: StoreId,
    generation: u64,
    slots: Vec<Slot>,
    mac: [u8; MAC],
}

impl Header {
    /// The format in which headers are written.
    pub const FORMAT: u16 = FORMAT;

    /// The header of a new store with its first slot, which must be a passphrase or a recovery code.
    pub fn create(
        store: StoreId,
        root: &RootKey,
        first: NewSlot<'_>,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<Self, CryptoError> {
        let slot = Slot::wrap(store, root, first, entropy)?;
        Self { format: FORMAT, store, generation: 0, slots: Vec::new(), mac: [0; MAC] }
            .succeed(root, vec![slot])
    }

    /// The store this header opens.
    pub const fn store(&self) -> StoreId {
        self.store
    }

    /// Counts the changes to this header.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The format it is written in, where that is an older one.
    pub const fn old_format(&self) -> Option<u16> {
        if self.format < FORMAT { Some(self.format) } else { None }
    }

    /// The same slots in a header of the present [`Header::FORMAT`].
    pub fn upgraded(&self, root: &RootKey) -> Result<Self, CryptoError> {
        self.authenticate(root)?;
        self.succeed(root, self.slots.clone())
    }

    /// The slots.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Opens the header. An operator's passphrase is tried on the slots of that name alone; for an unknown name the
    /// same work is done for nothing, so that time does not tell who is an operator.
    pub fn unlock(&self, with: &Unlock<'_>) -> Result<Unlocked, CryptoError> {
        self.unlock_among(with, |_| true)
    }

    /// [`Header::unlock`] by one of the slots that count.
    pub fn unlock_among(
        &self,
        with: &Unlock<'_>,
        counts: impl Fn(SlotId) -> bool,
    ) -> Result<Unlocked, CryptoError> {
        let counting = || self.slots.iter().filter(|slot| counts(slot.id()));
        let unlocked = match with {
            Unlock::Operator { name, passphrase } => self.unlock_as(counting(), name, passphrase)?,
            Unlock::Recovery(code) => self.unlock_by(counting(), SlotKind::Recovery, code.bytes()),
            Unlock::KeyFile(file) => self.unlock_by(counting(), SlotKind::KeyFile, file.bytes()),
        };
        let unlocked = unlocked.ok_or(CryptoError::WrongSecret)?;
        self.authenticate(&unlocked.root)?;
        Ok(unlocked)
    }

    fn unlock_as<'s>(
        &self,
        slots: impl Iterator<Item = &'s Slot>,
        name: &str,
        passphrase: &Passphrase,
    ) -> Result<Option<Unlocked>, CryptoError> {
        let name = normal_label(name);
        let mut tried = false;
        for slot in slots.filter(|slot| slot.kind() == SlotKind::Passphrase && slot.label() == name) {
            tried = true;
            if let Some(root) = slot.open_with_passphrase(self.store, passphrase)? {
                return Ok(Some(Unlocked { root, slot: slot.id() }));
            }
        }
        if !tried {
            let cost = self.slots.iter().find_map(Slot::cost).unwrap_or(Cost::SLOT);
            cost.derive(passphrase.bytes(), &self.store.0)?;
        }
        Ok(None)
    }

    fn unlock_by<'s>(
        &self,
        mut slots: impl Iterator<Item = &'s Slot>,
        kind: SlotKind,
        secret: &[u8],
    ) -> Option<Unlocked> {
        slots.find_map(|slot| {
            if slot.kind() != kind {
                return None;
            }
            let root = slot.open_with_key(self.store, secret)?;
            Some(Unlocked { root, slot: slot.id() })
        })
    }

    /// The header with one slot more. Beside it there may be one other of its kind and name: the one it is to replace.
    pub fn add_slot(
        &self,
        root: &RootKey,
        new: NewSlot<'_>,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<Self, CryptoError> {
        self.authenticate(root)?;
        let new = Slot::wrap(self.store, root, new, entropy)?;
        let twins =
            self.slots.iter().filter(|slot| slot.kind() == new.kind() && slot.label() == new.label()).count();
        if twins >= MAX_SAME_NAME {
            return Err(CryptoError::SlotTaken(new.label().to_owned()));
        }
        // One place stays free, or nobody could change a passphrase any more, or get one for a key file.
        let is_recovery = |slot: &Slot| slot.kind() == SlotKind::Recovery;
        let replaces = |slot: &Slot| slot.label() == new.label() && is_recovery(slot) == is_recovery(&new);
        if self.slots.len() + 1 >= MAX_SLOTS && !self.slots.iter().any(replaces) {
            return Err(CryptoError::SlotsFull { max: MAX_SLOTS - 1 });
        }
        let slots = self.slots.iter().cloned().chain([new]).collect();
        self.succeed(root, slots)
    }

    /// The header with those slots alone that are `kept`; itself when that is all of them. A passphrase or recovery code
    /// must remain.
    pub fn keep(&self, root: &RootKey, kept: impl Fn(&Slot) -> bool) -> Result<Self, CryptoError> {
        self.authenticate(root)?;
        let slots: Vec<_> = self.slots.iter().filter(|slot| kept(slot)).cloned().collect();
        if slots.len() == self.slots.len() { Ok(self.clone()) } else { self.succeed(root, slots) }
    }

    /// The bytes to store.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.authenticated_bytes();
        bytes.extend_from_slice(&self.mac);
        let crc = crc32fast::hash(&bytes);
        bytes.extend(crc.to_be_bytes());
        bytes
    }

    /// Reads untrusted bytes: bounded, allocating nothing a length in them could inflate, in one spelling only.
    pub fn decode(bytes: &[u8]) -> Result<Self, CryptoError> {
        if bytes.len() > MAX_BYTES {
            return Err(CryptoError::HeaderDamaged("it is too large"));
        }
        let mut from = Cursor(bytes);
        if from.take()? != MAGIC {
            return Err(CryptoError::HeaderDamaged("it does not begin like a header"));
        }
        let found = u16::from_be_bytes(*from.take()?);
        if !(OLDEST..=FORMAT).contains(&found) {
            return Err(CryptoError::HeaderVersion { found, known: FORMAT });
        }
        let (body, crc) =
            bytes.split_last_chunk::<CRC>().ok_or(CryptoError::HeaderDamaged("it is cut short"))?;
        if crc32fast::hash(body).to_be_bytes() != *crc {
            return Err(CryptoError::HeaderDamaged("its checksum does not match"));
        }
        let store = StoreId(*from.take()?);
        let generation = u64::from_be_bytes(*from.take()?);
        let count = usize::from(u16::from_be_bytes(*from.take()?));
        if !(1..=MAX_SLOTS).contains(&count) {
            return Err(CryptoError::HeaderDamaged("it has no slot, or more than there may be"));
        }
        let slots = (0..count).map(|_| Slot::read(&mut from)).collect::<Result<Vec<_>, _>>()?;
        let mac = *from.take()?;
        from.take::<CRC>()?;
        if !from.0.is_empty() {
            return Err(CryptoError::HeaderDamaged("something follows it"));
        }
        check(&slots)?;
        Ok(Self { format: found, store, generation, slots, mac })
    }

    /// The next header, with these slots.
    fn succeed(&self, root: &RootKey, slots: Vec<Slot>) -> Result<Self, CryptoError> {
        check(&slots)?;
        let generation = self.generation.saturating_add(1);
        let mut next = Self { format: FORMAT, store: self.store, generation, slots, mac: [0; MAC] };
        next.mac = next.mac_key(root).mac(&[&next.authenticated_bytes()]);
        Ok(next)
    }

    /// Whether the holder of `root` wrote this header as it stands.
    pub fn is_genuine(&self, root: &RootKey) -> bool {
        self.mac_key(root).verify(&[&self.authenticated_bytes()], &self.mac)
    }

    fn authenticate(&self, root: &RootKey) -> Result<(), CryptoError> {
        if self.is_genuine(root) { Ok(()) } else { Err(CryptoError::HeaderAltered) }
    }

    fn mac_key(&self, root: &RootKey) -> MacKey {
        MacKey::new(&root.derive(self.store, Purpose::Header))
    }

    fn authenticated_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1024);
        bytes.extend_from_slice(MAGIC);
        bytes.extend(self.format.to_be_bytes());
        bytes.extend_from_slice(&self.store.0);
        bytes.extend(self.generation.to_be_bytes());
        // MAX_SLOTS fits into two bytes: `check` has seen to it.
        bytes.extend(u16::try_from(self.slots.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.slots.iter().for_each(|slot| slot.write(&mut bytes));
        bytes
    }
}

/// The rules a list of slots keeps, read or made: a person can open it, it is bounded, ids are unique, and a name has
/// at most the two slots of a change.
fn check(slots: &[Slot]) -> Result<(), CryptoError> {
    if slots.len() > MAX_SLOTS {
        return Err(CryptoError::SlotsFull { max: MAX_SLOTS });
    }
    if slots.iter().all(|slot| slot.kind() == SlotKind::KeyFile) {
        return Err(CryptoError::LastSlot);
    }
    let (mut ids, mut names) = (HashSet::new(), HashMap::new());
    for slot in slots {
        if !ids.insert(slot.id()) {
            return Err(CryptoError::HeaderDamaged("two slots have the same id"));
        }
        let same = names.entry((slot.kind(), slot.label())).or_insert(0_usize);
        *same += 1;
        if *same > MAX_SAME_NAME {
            return Err(CryptoError::HeaderDamaged("more than two slots have the same name"));
        }
    }
    Ok(())
}
