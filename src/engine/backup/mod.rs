//! Backups: the rows of a store as they lie at one moment, sealed as they are, in one file; and a store put back from it.
//!
//! - `take`: the copy. Rows are read a page at a time while others read and write; what changed meanwhile follows from the
//!   store's feed, so that all of it together is the store at the moment of the last part. Only that part is made while
//!   nobody writes, and it is small.
//! - [`container`]: the file. `prove`: that a file holds what its store vouched for, with a secret that opens it.
//! - [`restore()`]: a new directory from a file. `under`: a passphrase of its own.
//!
//! Nothing in a file is readable but names of rows, sizes and revisions: records are sealed for their place in their store,
//! and the header opens with the secrets it opened with, or lies behind one lock more.

pub mod container;
mod error;
mod prove;
mod restore;
mod take;
mod under;

use minicbor::{Decode, Encode};

pub use self::error::BackupError;
pub use self::prove::{Proven, prove};
pub use self::restore::{Anchors, Restored, Source, restore, sealed_lock};
pub(super) use self::take::Copying;
pub use self::take::{Saved, Target, save};
pub use self::under::Under;
pub use super::ledger::hex;
use crate::domain::Timestamp;

/// One row of a store, as it lies there.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Row {
    /// Its key.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub key: Vec<u8>,
    /// The bytes that were put; none when it was removed.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub value: Option<Vec<u8>>,
    /// The revision that created it.
    #[n(2)]
    pub created: u64,
    /// The revision that changed it last.
    #[n(3)]
    pub changed: u64,
}

/// What whoever copies asks for next.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Want {
    /// To begin, which the trail tells.
    #[n(0)]
    Begin,
    /// The rows behind this key, or the first.
    #[n(1)]
    Rows(#[cbor(n(0), with = "minicbor::bytes")] Option<Vec<u8>>),
    /// What changed after this revision.
    #[n(2)]
    Since(#[n(0)] u64),
    /// The same, and the end if that is all.
    #[n(3)]
    Close(#[n(0)] u64),
}

/// A part of a copy.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Part {
    /// The copy has begun.
    #[n(0)]
    Begun(#[n(0)] Opening, #[n(1)] u64),
    /// Rows in the order of their keys.
    #[n(1)]
    Rows {
        /// The rows.
        #[n(0)]
        rows: Vec<Row>,
        /// Behind which key it goes on; nowhere after the last.
        #[cbor(n(1), with = "minicbor::bytes")]
        next: Option<Vec<u8>>,
        /// The revision they are of.
        #[n(2)]
        rev: u64,
    },
    /// Changes in the order in which they were made.
    #[n(2)]
    Changes {
        /// The rows as they are since then.
        #[n(0)]
        rows: Vec<Row>,
        /// The revision these changes lead to.
        #[n(1)]
        upto: u64,
    },
    /// The last changes, and all that belongs to the store beside its rows.
    #[n(3)]
    Last(#[n(0)] Vec<Row>, #[n(1)] Box<Closing>),
    /// More has changed than is remembered: the copy begins anew.
    #[n(4)]
    Behind,
}

/// What stands at the beginning of a file.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Opening {
    /// The store.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub store: [u8; 16],
    /// When the copy was begun.
    #[n(1)]
    pub made: Timestamp,
    /// The keydeck that made it.
    #[n(2)]
    pub version: String,
}

/// What stands at its end: where the store stood, and what lay beside its database then.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Closing {
    /// The revision of the store.
    #[n(0)]
    pub rev: u64,
    /// Number of the newest audit entry.
    #[n(1)]
    pub seq: u64,
    /// Its hash.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub head: [u8; 32],
    /// The revision the seal names.
    #[n(3)]
    pub sealed: u64,
    /// The MAC of the seal.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub mac: [u8; 32],
    /// The header, with the slots that open the store.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub header: Vec<u8>,
    /// The sealed text of the file `denials`, which the audit entries name, where there is one.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub denials: Option<Vec<u8>>,
    /// The scope catalog, where it is the agency's own.
    #[n(7)]
    pub catalog: Option<String>,
    /// The header of one slot that opens to what the header of the store is sealed with, where the file is under a passphrase of its
    /// own.
    #[cbor(n(8), with = "minicbor::bytes")]
    pub lock: Option<Vec<u8>>,
    /// That passphrase, sealed to the public keys of whoever may have it: text for another program.
    #[n(9)]
    pub sealed_lock: Option<String>,
}

/// What must hold for any bytes at all: an entry point for fuzzers and property tests, no part of the API.
pub mod fuzzing {
    /// A file is refused, or it is read whole; nothing panics, nothing large is allocated for a length that is claimed.
    pub fn container(bytes: &[u8]) {
        let Ok(outline) = super::container::Outline::of(bytes) else { return };
        let again = outline.each(std::io::Cursor::new(bytes), &mut |_| Ok(()));
        assert!(again.is_ok(), "a file that was read once is read again");
    }
}
