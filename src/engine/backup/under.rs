//! A passphrase of a backup's own. The header of the store, without which nobody gets to what is sealed, lies in the file sealed by
//! a key that was drawn for it, and that key in a header of one slot, which the passphrase opens. So it is one lock more: the
//! secrets that opened the store open it as ever, once the header is there.

use super::{BackupError, Closing};
use crate::crypto::header::{Header, Unlock};
use crate::crypto::keyring::{Keyring, RootKey};
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::crypto::random::OsEntropy;
use crate::crypto::slots::{NewSlot, Slot, SlotSecret};
use crate::crypto::{CryptoError, StoreId};

/// Whose the only slot is.
const LABEL: &str = "backup";
/// What is sealed under the key that was drawn for it.
const HEADER: &[u8] = b"backup/header";

/// The passphrase of a backup, and what guessing it shall cost.
#[derive(Clone, Copy)]
pub struct Under<'a> {
    /// As it was chosen.
    pub passphrase: &'a Passphrase,
    /// Of one guess.
    pub cost: Cost,
    /// The passphrase sealed to whoever may open the backup, as text that goes with it.
    pub sealed: Option<&'a str>,
}

/// The end of a file under a passphrase.
pub(super) fn close(closing: Closing, store: [u8; 16], under: Under<'_>) -> Result<Closing, CryptoError> {
    let store = StoreId(store);
    let root = RootKey::generate(&mut OsEntropy)?;
    let secret = SlotSecret::Passphrase(under.passphrase, under.cost);
    let new = NewSlot { label: LABEL, created_ms: 0, secret };
    let lock = Header::create(store, &root, new, &mut OsEntropy)?.encode();
    let header = Keyring::new(root, store).sealer().seal(HEADER, 1, &closing.header)?;
    let sealed = under.sealed.map(str::to_owned);
    Ok(Closing { header, lock: Some(lock), sealed_lock: sealed, ..closing })
}

/// No keydeck asks for more, and a file from anywhere is not believed about what one try may cost.
pub(super) fn affordable(header: &Header) -> Result<(), BackupError> {
    if header.slots().iter().filter_map(Slot::cost).any(Cost::is_above_slot) {
        let why = "to try a passphrase on it would cost more than on any that keydeck makes";
        return Err(BackupError::Unproven(why.into()));
    }
    Ok(())
}

/// The header of the store, with the passphrase where the file is under one.
pub(super) fn header(closing: &Closing, passphrase: Option<&Passphrase>) -> Result<Vec<u8>, BackupError> {
    let Some(lock) = &closing.lock else { return Ok(closing.header.clone()) };
    let passphrase = passphrase.ok_or(BackupError::Locked)?;
    let lock = Header::decode(lock).map_err(BackupError::Unseal)?;
    affordable(&lock)?;
    let opened = lock.unlock(&Unlock::Operator { name: LABEL, passphrase }).map_err(|error| match error {
        CryptoError::WrongSecret => BackupError::WrongLock,
        error => BackupError::Unseal(error),
    })?;
    let keyring = Keyring::new(opened.root, lock.store());
    let plain = keyring
        .sealer()
        .open(HEADER, &closing.header)
        .map_err(|why| BackupError::Unproven(why.to_string()))?;
    Ok(plain.plain.to_vec())
}
