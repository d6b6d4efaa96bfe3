//! What can go wrong when a command runs or a store is opened, in words for the person who reads them.

use std::sync::Arc;
use std::time::Duration;

use minicbor::{Decode, Encode};

use crate::crypto::CryptoError;
use crate::domain::Refusal;
use crate::domain::record::BadRecord;
use crate::store::{CommitError, StoreError};

/// A command or a read was not done.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The rules say no.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The store did not take the change.
    #[error("{0}")]
    Commit(#[from] CommitError),
    /// The store could not be read.
    #[error("{0}")]
    Read(#[from] StoreError),
    /// A secret, the header or randomness failed.
    #[error("{0}")]
    Crypto(#[from] CryptoError),
    /// Access was taken away in this process, but the disk did not take it.
    #[error("The keys concerned are refused from now on by this process, but the change could not be written: {why} {then}", why = unsaid(.0), then = next(.0, Lasting::No))]
    DeniedNotDurable(Box<EngineError>),
    /// Access was taken away and is kept beside the database, but the database did not take it.
    #[error(
        "The keys concerned are refused from now on, after a restart too, but the change could not be written into the \
         store yet: {why} {then}",
        why = unsaid(.0),
        then = next(.0, Lasting::Yes)
    )]
    DeniedKept(Box<EngineError>),
    /// A secret may have been made, and nobody will ever see it.
    #[error(
        "It is not known whether the secret was made, and nobody has it: {0} If it was, keydeck takes it back as soon \
         as the disk allows, and the audit trail says so. Put the disk right, and see that before you restart keydeck; \
         then issue another one."
    )]
    NeverShown(Box<EngineError>),
    /// What was to be written cannot be brought into bytes.
    #[error(
        "The change cannot be brought into the form the store keeps it in, and nothing was written: {0}. This is a fault of \
         keydeck: please report it."
    )]
    Unwritable(String),
    /// The store and its audit trail do not agree; nothing is changed until a person has looked.
    #[error(
        "The store does not agree with its audit trail, so nothing may be changed: {0}. Keys concerned are refused. \
         Look with `keydeck audit verify`, then restore a backup."
    )]
    Suspect(String),
    /// A command came without what it goes with, or with what it does not go with.
    #[error("Nothing was done: the secret that belongs to this change is missing, or another came with it.")]
    Misfit,
    /// It was opened for looking only.
    #[error(
        "This was started with --read-only and changes nothing: nothing was done. Start it without --read-only to do it."
    )]
    LookOnly,
    /// The token of one of many keys could not be put where they go.
    #[error("{0}")]
    Unkept(String),
    /// The engine was locked or closed.
    #[error("The store is locked. Sign in again.")]
    Closed,
    /// The process that owns the store said no, or could not.
    #[error("{text}")]
    Remote {
        /// What kind of no.
        class: Class,
        /// The short word for scripts.
        code: String,
        /// What that process said.
        text: String,
    },
    /// The process that owned the store has gone, or ended the session.
    #[error("{0}")]
    Gone(Arc<str>),
}

/// Whether a denial outlives the process although it is not written.
#[derive(Clone, Copy)]
enum Lasting {
    Yes,
    No,
}

/// The words of an error without the word that nothing was changed, which is not true of more than what it is of.
pub(super) fn unsaid(error: &EngineError) -> String {
    let text = error.to_string();
    text.strip_suffix(CommitError::NOTHING).map_or_else(|| text.clone(), str::to_owned)
}

/// What is to be done about a denial that was not written, because of `why`.
const fn next(why: &EngineError, lasting: Lasting) -> &'static str {
    match (why, lasting) {
        (EngineError::Suspect(_), _) => {
            "A store in doubt is not written to, and a backup does not know of this change: make it again there."
        }
        (_, Lasting::Yes) => "keydeck tries again by itself. Put the disk right.",
        (_, Lasting::No) => {
            "keydeck tries again by itself. Put the disk right, and see that it was written before you restart keydeck."
        }
    }
}

/// What kind of no an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Class {
    /// A rule says no, or there is no such thing.
    #[n(0)]
    Refused,
    /// The store cannot be used.
    #[n(1)]
    Unavailable,
    /// The store cannot be unsealed.
    #[n(2)]
    Sealed,
    /// What was asked cannot be understood.
    #[n(3)]
    Usage,
}

impl From<BadRecord> for EngineError {
    fn from(error: BadRecord) -> Self {
        Self::Unwritable(error.to_string())
    }
}

impl EngineError {
    /// An answer to something that was not asked.
    pub fn unexpected() -> Self {
        Self::Remote {
            class: Class::Unavailable,
            code: "store_unavailable".into(),
            text: "The process that has the store open gave an answer that cannot be understood. End it and start it again."
                .into(),
        }
    }

    /// Whether the store may hold the change all the same, whatever else is said of it.
    pub const fn may_be_made(&self) -> bool {
        match self {
            Self::Commit(CommitError::Unknown(_)) => true,
            Self::DeniedKept(why) | Self::DeniedNotDurable(why) | Self::NeverShown(why) => why.may_be_made(),
            Self::Commit(
                CommitError::Unavailable(_)
                | CommitError::ReadOnly(_)
                | CommitError::Conflict { .. }
                | CommitError::TooLarge { .. }
                | CommitError::Invalid(_),
            )
            | Self::Refused(_)
            | Self::Read(_)
            | Self::Crypto(_)
            | Self::Unwritable(_)
            | Self::Suspect(_)
            | Self::Misfit
            | Self::LookOnly
            | Self::Unkept(_)
            | Self::Closed
            | Self::Remote { .. }
            | Self::Gone(_) => false,
        }
    }

    /// What kind of no it is.
    pub const fn class(&self) -> Class {
        match self {
            // The store is well where a token could not be put beside it.
            Self::Refused(_)
            | Self::LookOnly
            | Self::Unkept(_)
            | Self::Commit(CommitError::Conflict { .. } | CommitError::TooLarge { .. }) => Class::Refused,
            Self::Commit(_)
            | Self::DeniedNotDurable(_)
            | Self::DeniedKept(_)
            | Self::NeverShown(_)
            | Self::Unwritable(_)
            | Self::Suspect(_)
            | Self::Read(_)
            | Self::Closed
            | Self::Gone(_) => Class::Unavailable,
            Self::Misfit => Class::Usage,
            Self::Crypto(error) => secret(error).0,
            Self::Remote { class, .. } => *class,
        }
    }

    /// A short word for scripts.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Misfit => "bad_request",
            Self::LookOnly => "read_only",
            Self::Unkept(_) => "token_lost",
            Self::Commit(CommitError::Conflict { .. }) => "conflict",
            Self::Commit(CommitError::TooLarge { .. }) => "too_large",
            Self::Commit(_) | Self::Unwritable(_) => "not_written",
            Self::DeniedNotDurable(_) => "denied_not_durable",
            Self::DeniedKept(_) => "denied_kept",
            Self::NeverShown(_) => "never_shown",
            Self::Suspect(_) => "store_suspect",
            Self::Read(_) | Self::Closed => "store_unavailable",
            Self::Gone(_) => "owner_gone",
            Self::Crypto(error) => secret(error).1,
            Self::Remote { code, .. } => code,
        }
    }
}

/// A secret somebody chose was refused, or a file beside the store failed.
const fn secret(error: &CryptoError) -> (Class, &'static str) {
    match error {
        CryptoError::PassphraseTooShort { .. } => (Class::Refused, "passphrase_too_short"),
        CryptoError::PassphraseSimple => (Class::Refused, "passphrase_too_simple"),
        CryptoError::PassphraseUntypable { .. } => (Class::Refused, "passphrase_untypable"),
        CryptoError::PassphraseEmpty | CryptoError::PassphraseLength { .. } => {
            (Class::Refused, "passphrase_length")
        }
        CryptoError::SlotsFull { .. } => (Class::Refused, "slots_full"),
        CryptoError::LastSlot => (Class::Refused, "last_slot"),
        CryptoError::KeyFile { .. } => (Class::Refused, "key_file"),
        CryptoError::RecoveryCode(_) => (Class::Refused, "recovery_code"),
        CryptoError::HeaderExists(_) => (Class::Refused, "store_exists"),
        _ => (Class::Unavailable, "store_unavailable"),
    }
}

/// A store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store itself.
    #[error("{0}")]
    Store(#[from] crate::store::OpenError),
    /// The header or the secret given for it.
    #[error("{0}")]
    Unseal(CryptoError),
    /// Too many wrong secrets in a row: wait.
    #[error("There were {failed} failed attempts to unseal this store. Wait {} s and try again.", wait.as_secs().max(1))]
    Throttled {
        /// Attempts since the last success.
        failed: u32,
        /// How long to wait.
        wait: Duration,
    },
    /// The secret opens a slot that belongs to nobody who may sign in.
    #[error("Cannot unseal: that operator may not sign in any more. Ask an admin.")]
    NoOperator,
    /// The header is older than the store: somebody put it back, and old passphrases with it.
    #[error(
        "Cannot unseal: the header of this store is older than the store itself. An old passphrase may have been put \
         back with it. Restore the header that belongs to the store from your backup."
    )]
    OldHeader,
    /// The records that say who may sign in are not what the audit trail says.
    #[error(
        "Cannot unseal: the store does not agree with its audit trail, and nothing proves that you may still sign in: \
         {0}. An admin may be able to look with `keydeck audit verify`; else put your backup of the whole data directory \
         in its place."
    )]
    Unproven(String),
    /// The wall clock says what it cannot have said since there are such machines.
    #[error(
        "This machine's clock says {0}, before 1970, and no store can be opened in such a time. Set the clock right, then try again."
    )]
    Clock(crate::domain::Timestamp),
    /// Set-up was interrupted before the first operator existed.
    #[error("The set-up of this store was interrupted before it was complete. Run `keydeck init` again.")]
    Unfounded,
    /// The first commit was handed to a disk that failed, and the recovery code was shown to nobody.
    #[error(
        "{why} Whether or not the store in {dir} is founded, nobody has its recovery code, and nothing else is in it: when \
         the disk is well, remove that directory and run `keydeck init` again."
    )]
    PerhapsFounded {
        /// The data directory.
        dir: String,
        /// What the store said.
        why: EngineError,
    },
    /// There is a store already.
    #[error("There already is a store in {0}. Use it, or choose another directory with --data.")]
    Exists(String),
    /// Anything while reading or writing after unsealing.
    #[error("{0}")]
    Engine(#[from] EngineError),
    /// What a process that has the store is to deliver through is not set up as it must be.
    #[error("{0}")]
    Channels(String),
    /// Something beside the store could not be read.
    #[error("{what} cannot be read: {why}. {advice}")]
    File {
        /// Which file.
        what: String,
        /// What the system said.
        why: String,
        /// What to do.
        advice: &'static str,
    },
}

impl OpenError {
    /// Whether the store could not be unsealed, as opposed to not being there or not being usable.
    pub const fn is_unseal(&self) -> bool {
        matches!(
            self,
            Self::Unseal(_) | Self::Throttled { .. } | Self::NoOperator | Self::OldHeader | Self::Unproven(_)
        )
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.into())
    }
}
