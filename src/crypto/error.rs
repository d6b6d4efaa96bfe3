//! What can go wrong with a secret, told to the person who has to act on it.
//!
//! No text here ever contains a secret, and a wrong passphrase reads the same as an unknown operator.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::chain::ChainFault;
use super::keyfile::KeyFileRefusal;
use super::phc::PhcRejected;
use super::record::RecordFault;
use super::token::Malformed;

/// Every failure of this folder.
#[derive(Debug, Error)]
pub enum CryptoError {
    /// The generator failed or returned nonsense; nothing was issued.
    #[error("The operating system's random generator failed: {0}. Nothing was created. Try again.")]
    Randomness(String),
    /// A text that is not a token.
    #[error("This is not a keydeck token: {0}.")]
    Token(#[from] Malformed),
    /// A text that is not a recovery code.
    #[error("This is not a recovery code: {0}. Type it as it was printed; spaces and dashes do not matter.")]
    RecoveryCode(Malformed),
    /// A text that is not a public id.
    #[error("This is not an id: it takes {len} letters and digits without 0, O, I and l.", len = super::public_id::LEN)]
    PublicId,
    /// A text that is not a store id.
    #[error("This is not a store id: it takes 32 hexadecimal digits.")]
    StoreId,
    /// A new passphrase is below the minimum length.
    #[error("The passphrase is too short. Use at least {min} characters; several words are easiest.")]
    PassphraseTooShort {
        /// Characters asked for.
        min: usize,
    },
    /// A new passphrase that has hardly anything to guess.
    #[error(
        "The passphrase is too simple: most of it repeats, or goes on as it began. Use several unrelated words."
    )]
    PassphraseSimple,
    /// A new passphrase that could not be typed again.
    #[error(
        "The passphrase holds {what}: nobody could type it again. Take that away; one newline at the end of a file is fine."
    )]
    PassphraseUntypable {
        /// What is in it.
        what: &'static str,
    },
    /// No passphrase at all.
    #[error("The passphrase is empty.")]
    PassphraseEmpty,
    /// A passphrase beyond what is hashed.
    #[error("The passphrase is longer than {max} bytes.")]
    PassphraseLength {
        /// Bytes accepted.
        max: usize,
    },
    /// An imported secret that no request could carry.
    #[error("The secret is not 1 to 1024 visible ASCII characters, and no request could carry it.")]
    ImportedSecret,
    /// Argon2 parameters outside the accepted range.
    #[error(
        "Argon2 parameters out of range: {0}. The store or file was altered, or comes from another program."
    )]
    Cost(&'static str),
    /// Argon2 could not get its memory.
    #[error("Not enough memory to check the passphrase ({kib} KiB are needed). Free some and try again.")]
    Memory {
        /// Memory asked for, in KiB.
        kib: u32,
    },
    /// A stored PHC string was refused before any work.
    #[error("The stored hash of an imported key was refused: {0}. It was altered; issue the key anew.")]
    Phc(#[from] PhcRejected),
    /// Wrong secret, unknown operator, or an altered slot: not told apart on purpose.
    #[error(
        "Cannot unseal: no slot of this store opens with that. Check the operator name and the passphrase."
    )]
    WrongSecret,
    /// Neither copy of the header exists.
    #[error(
        "The header of this store is missing: neither {0} nor its copy is there, and nothing else unseals it. Put your \
         backup of the whole data directory in its place, or choose another with --data."
    )]
    HeaderMissing(PathBuf),
    /// A header is already there.
    #[error("There already is a store here: {0} exists. Choose another --data directory.")]
    HeaderExists(PathBuf),
    /// The header cannot be read.
    #[error("The store header is damaged: {0}. Restore it from a backup.")]
    HeaderDamaged(&'static str),
    /// The header was written by another version.
    #[error(
        "The store was written by a newer keydeck: its header has format {found}, and this one reads up to {known}. Use that \
         keydeck, or a newer one."
    )]
    HeaderVersion {
        /// Format found.
        found: u16,
        /// Format known here.
        known: u16,
    },
    /// The secret was right, but the header is not the one keydeck wrote.
    #[error(
        "The store header was changed by somebody else: its seal does not match. Restore it from a backup."
    )]
    HeaderAltered,
    /// No such slot.
    #[error("There is no such slot.")]
    SlotUnknown,
    /// Two slots would answer to one name.
    #[error("There already is a slot named {0:?}. Remove it or choose another name.")]
    SlotTaken(String),
    /// A slot name that cannot be stored.
    #[error("A slot name takes 1 to {max} bytes.")]
    SlotLabel {
        /// Bytes accepted.
        max: usize,
    },
    /// All slots are in use.
    #[error("All {max} slots are in use. Remove one first.")]
    SlotsFull {
        /// Slots a header holds.
        max: usize,
    },
    /// Without this slot no person could open the store.
    #[error(
        "This is the last passphrase or recovery code: without it nobody could open the store. Add another first."
    )]
    LastSlot,
    /// A key file was refused.
    #[error("The key file {path} was refused: {reason}.")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: KeyFileRefusal,
    },
    /// A sealed record does not open.
    #[error("A sealed record was refused: {0}.")]
    Record(#[from] RecordFault),
    /// The audit chain is broken.
    #[error("The audit chain is broken: {0}.")]
    Chain(#[from] ChainFault),
    /// The seal file was not written with this store's key.
    #[error("The seal file does not belong to this store or was changed.")]
    Seal,
    /// The header or key file could not be read or written.
    #[error("Could not {what} {path}: {source}.")]
    Io {
        /// The step, as a verb.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}
