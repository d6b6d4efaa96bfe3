//! Why no backup was made, or nothing was put back from one.

use std::io;

use crate::crypto::CryptoError;
use crate::engine::{EngineError, OpenError};

/// A backup was not made, or is not one to rely on.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store did not hand its rows out.
    #[error("{0}")]
    Engine(#[from] EngineError),
    /// The restored store did not open.
    #[error("{0}")]
    Open(#[from] OpenError),
    /// The secret opens no slot of the backup's header, or that header is broken.
    #[error(
        "The backup cannot be unsealed: {0} It opens with the secrets that opened the store when it was made."
    )]
    Unseal(CryptoError),
    /// It is under a passphrase of its own, and none was given.
    #[error(
        "The backup is under a passphrase of its own. Name the file that holds it with --under=FILE, or say --under to be asked \
         for it; what it was sealed to public keys as, --sealed-key prints. The secret of an admin of that day is needed besides."
    )]
    Locked,
    /// It is under another one.
    #[error("That is not the passphrase the backup was put under. Nothing was written.")]
    WrongLock,
    /// The file could not be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is none, or one of a later version.
    #[error("{0}")]
    Foreign(String),
    /// It was cut or damaged.
    #[error("The backup is damaged at byte {at}: {why}. Use another one; nothing was written.")]
    Damaged {
        /// Where the part begins that cannot be relied upon.
        at: u64,
        /// What is wrong with it.
        why: String,
    },
    /// It is whole, but not what its store vouched for.
    #[error("The backup is not what its store vouched for: {0}. Do not use it; nothing was written.")]
    Unproven(String),
    /// Its store went on after it was made.
    #[error(
        "The anchor names audit entry {anchor}, of {at}, and the backup ends with entry {head}: {}. Usually one says that the \
         backup was made: the old data directory, named as the anchor while nothing has it open, tells whether it says no more. What \
         was revoked, paused or deleted in the others would live again. Look for a newer backup; to go on without them, say \
         --accept-loss.",
        match anchor.saturating_sub(*head) {
            1 => "1 entry is missing".to_owned(),
            more => format!("{more} entries are missing"),
        }
    )]
    Older {
        /// The entry the anchor names.
        anchor: u64,
        /// When the anchor was taken.
        at: String,
        /// The last entry of the backup.
        head: u64,
    },
    /// There is something where it should be put.
    #[error(
        "{0} is not an empty directory: a store is put back only where nothing is. Choose another with --data, or move away what \
         is there."
    )]
    NotEmpty(String),
    /// So many commits came while it was made that not all were remembered.
    #[error("The store changed faster than it could be copied. Nothing was kept of the copy; try again.")]
    Outrun,
    /// Whoever had it made broke it off.
    #[error("The backup was broken off. Nothing was kept of it.")]
    BrokenOff,
}

impl BackupError {
    /// Something at byte `at` that no keydeck writes.
    pub(super) fn damaged(at: u64, why: impl Into<String>) -> Self {
        Self::Damaged { at, why: why.into() }
    }

    /// A short word for scripts.
    pub fn code(&self) -> &str {
        match self {
            Self::Engine(error) | Self::Open(OpenError::Engine(error)) => error.code(),
            Self::Open(_) => "store_unavailable",
            Self::Unseal(_) | Self::WrongLock => "cannot_unseal",
            Self::Locked => "backup_locked",
            Self::Io(_) => "bad_file",
            Self::Foreign(_) => "no_backup",
            Self::Damaged { .. } => "backup_damaged",
            Self::Unproven(_) => "backup_unproven",
            Self::Older { .. } => "backup_older",
            Self::NotEmpty(_) => "not_empty",
            Self::Outrun => "backup_outrun",
            Self::BrokenOff => "broken_off",
        }
    }
}
