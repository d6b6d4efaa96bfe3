//! What can go wrong in a store, in words for the person who reads them.

use std::fmt;
use std::path::PathBuf;

use super::rows::Rev;

/// A read, or the store as a whole, failed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// Not now; the store tries to come back by itself.
    #[error("The store cannot be read right now: {0}.")]
    Unavailable(String),
    /// Stored rows are broken or do not add up.
    #[error("The store is damaged: {0}. Put your backup of the data directory in its place.")]
    Damaged(String),
    /// The call itself was wrong.
    #[error("The store was asked wrongly: {0}.")]
    Invalid(String),
}

impl StoreError {
    /// What went wrong, as part of another sentence.
    pub(super) fn into_reason(self) -> String {
        match self {
            Self::Unavailable(why) | Self::Damaged(why) | Self::Invalid(why) => why,
        }
    }
}

/// A commit was not, or perhaps not, done.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum CommitError {
    /// A guard does not hold: somebody else was first. Nothing was changed.
    #[error("Somebody else changed the same thing first. Look at the new state and try again.")]
    Conflict {
        /// Which of the commit's guards, counted from 0; the first one that fails.
        guard: usize,
    },
    /// It may have happened. Read back before trying again.
    #[error("The store failed while writing, and the change may or may not have been made: {0}.")]
    Unknown(String),
    /// Over a limit. Nothing was changed.
    #[error("The change is too large for one step: {got} {what}, at most {limit}.")]
    TooLarge {
        /// Which limit.
        what: Limit,
        /// Its value.
        limit: usize,
        /// What the commit had.
        got: usize,
    },
    /// The store takes no changes until a person decides. Nothing was changed.
    #[error("The store is read-only: {0}.")]
    ReadOnly(String),
    /// Not now. Nothing was changed.
    #[error("The store cannot be written right now: {0}. Nothing was changed.")]
    Unavailable(String),
    /// The call itself was wrong. Nothing was changed.
    #[error("The change was refused: {0}.")]
    Invalid(String),
}

impl CommitError {
    /// How the words of one end that changed nothing.
    pub const NOTHING: &str = " Nothing was changed.";
}

/// The limits a commit can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Operations in one commit.
    Ops,
    /// Guards in one commit.
    Guards,
    /// Bytes of one key.
    Key,
    /// Bytes of one value.
    Value,
    /// Bytes of the whole commit.
    Commit,
}

impl Limit {
    /// `Err` when `got` is over `limit`.
    pub(super) fn check(self, got: usize, limit: usize) -> Result<(), CommitError> {
        if got > limit { Err(CommitError::TooLarge { what: self, limit, got }) } else { Ok(()) }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ops => "rows",
            Self::Guards => "conditions",
            Self::Key => "bytes in a key",
            Self::Value => "bytes in a row",
            Self::Commit => "bytes",
        })
    }
}

/// The store in a data directory was not opened. Nothing in it was destroyed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "The store in {} is in use by {holder}. Stop that process, or choose another store with --data.",
        dir.display()
    )]
    InUse {
        /// The data directory.
        dir: PathBuf,
        /// Process, program and start, as the holder wrote them.
        holder: String,
    },
    /// The directory cannot hold a store.
    #[error("{} cannot be the data directory: {why}.", dir.display())]
    BadDirectory {
        /// The data directory.
        dir: PathBuf,
        /// What is wrong with it and how to put it right.
        why: String,
    },
    /// There is no store and none was asked for.
    #[error("There is no store in {}. Create one with `keydeck init`, or choose another with --data.", dir.display())]
    Absent {
        /// The data directory.
        dir: PathBuf,
    },
    /// Too little space to open safely.
    #[error(
        "{} has only {} MiB free; opening the store needs {} MiB, because a disk that fills up meanwhile can \
         damage it. Free some space and try again.",
        dir.display(), free / MIB, need.div_ceil(MIB)
    )]
    NoSpace {
        /// The data directory.
        dir: PathBuf,
        /// Bytes free.
        free: u64,
        /// Bytes needed.
        need: u64,
    },
    /// The database is gone although what lies beside it says it was there.
    #[error(
        "The database in {} is missing or empty, but what lies beside it says it stood at revision {rev}. An empty \
         store was not created instead. Put your backup of the data directory back.",
        dir.display()
    )]
    Missing {
        /// The data directory.
        dir: PathBuf,
        /// The revision its seal or its newest commits name; 0 when the seal cannot be read.
        rev: Rev,
    },
    /// The database is damaged beyond what can be rebuilt from its own files.
    #[error(
        "The database in {} is damaged and cannot be opened ({why}). Its files are left in {}. Put your backup of the data \
         directory in its place.",
        dir.display(), store.display()
    )]
    Damaged {
        /// The data directory.
        dir: PathBuf,
        /// Where the damaged files lie.
        store: PathBuf,
        /// What the database said.
        why: String,
    },
    /// The operating system said no.
    #[error("The store in {} cannot be opened: {why}.", dir.display())]
    Io {
        /// The data directory.
        dir: PathBuf,
        /// What was tried and what the system answered.
        why: String,
    },
}

/// Bytes in a mebibyte.
const MIB: u64 = 1024 * 1024;
