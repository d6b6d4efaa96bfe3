//! The contract of a store: what every backend promises, and the limits that let one suite prove them all.
//!
//! Limits are those of the strictest backend, so that nothing works on one machine and fails on several.

use std::cell::Cell;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::time::Instant;

use minicbor::{Decode, Encode};

use super::error::{CommitError, Limit, StoreError};
use super::feed::Watch;
use super::rows::{Entry, KeyRange, Page, Rev};
use super::seal::{Seal, SealError};

/// Ordered rows with atomic, guarded, durable commits and a change feed.
///
/// What an implementation promises:
///
/// - **Revisions.** A commit that changes something gets the next [`Rev`]; no two commits share one, and none is
///   skipped while the store is open. A put of an equal value is a change; a delete of an absent key is not.
/// - **Reads** ([`get`](Store::get), [`range`](Store::range), [`scan`](Store::scan)) see exactly the commits up to
///   one revision, and only durable ones: what was read cannot be unread by a power cut.
/// - **[`commit`](Store::commit)** is all or nothing. `Ok` means durable on this backend. `Unknown` means it may
///   have happened; after it, a read of any key the commit touched tells the truth or fails, it never guesses.
/// - **[`watch`](Store::watch)** shows each commit once, whole, in order of revision, after it is durable.
/// - A writer never waits for a reader of the feed, however slow, stopped or gone it is.
///
/// No call may be made on the store from inside the closure of `scan`: it would wait for itself. Such a call is
/// answered with an error instead.
pub trait Store: Send + Sync {
    /// The entry under `key`, if there is one.
    fn get(&self, key: &[u8]) -> Result<Option<Entry>, StoreError>;

    /// Up to `limit` rows of `range` in ascending order, starting behind `after`.
    fn range(&self, range: &KeyRange, after: Option<&[u8]>, limit: usize) -> Result<Page, StoreError>;

    /// Up to `limit` rows of `range` in descending order, starting in front of `before`: the newest rows of a log.
    fn range_back(&self, range: &KeyRange, before: Option<&[u8]>, limit: usize) -> Result<Page, StoreError>;

    /// Hands every row under `prefix` to `row`, in ascending order and from one revision, which is returned.
    ///
    /// Writers wait until the scan has ended. `row` stops it early with [`ControlFlow::Break`]. An error may come
    /// after rows were handed out (a damaged page, a family of rows that does not add up): throw them away then.
    fn scan(
        &self,
        prefix: &[u8],
        row: &mut dyn FnMut(RowView<'_>) -> ControlFlow<()>,
    ) -> Result<Rev, StoreError>;

    /// How many rows lie under `prefix`, where that is known without reading them.
    fn count(&self, _prefix: &[u8]) -> Option<u64> {
        None
    }

    /// Applies all of `ops` if all of `guards` hold, and answers when the result is durable.
    ///
    /// The answer is the revision of the commit, or the current one when nothing changed. Guards see the store
    /// as it is right before the commit. [`limits`] apply.
    fn commit(&self, guards: &[Guard], ops: &[Op]) -> Result<Rev, CommitError>;

    /// The changes under `prefix` in commits after `from`. Never blocks a writer; see [`Watch`].
    fn watch(&self, prefix: &[u8], from: Rev) -> Watch;

    /// Replaces the seal, outside the database, durably. A seal older than the one kept is ignored (two writers
    /// may race), one ahead of the store is refused.
    fn write_seal(&self, seal: &Seal) -> Result<(), SealError>;

    /// The seal as it was written last.
    fn read_seal(&self) -> Result<Option<Seal>, SealError>;

    /// How the store is doing, cheaply: fit for a status bar.
    fn health(&self) -> Health;
}

/// A condition of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The key must not exist.
    Absent(Vec<u8>),
    /// The key must exist and have been changed last by this revision.
    At(Vec<u8>, Rev),
    /// No key with this prefix may have been put after this revision. Rows deleted since do not count.
    NoneNewerIn(Vec<u8>, Rev),
}

/// A change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Creates or replaces.
    Put(Vec<u8>, Vec<u8>),
    /// Removes; absent is fine.
    Delete(Vec<u8>),
}

impl Op {
    /// The key it touches.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        match self {
            Self::Put(key, _) | Self::Delete(key) => key,
        }
    }

    /// Bytes that count against [`limits::COMMIT_BYTES`].
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Put(key, value) => key.len() + value.len(),
            Self::Delete(key) => key.len(),
        }
    }
}

/// A row lent by [`Store::scan`] for the length of one call.
#[derive(Clone, Copy, Debug)]
pub struct RowView<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The bytes that were put.
    pub value: &'a [u8],
    /// The commit that created the row.
    pub create_rev: Rev,
    /// The commit that changed it last.
    pub mod_rev: Rev,
}

/// Whether the store takes commits, and if not, why, in words for a status bar.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Standing {
    /// Commits are taken.
    #[n(0)]
    Writable,
    /// Reads only until a person decides.
    #[n(1)]
    ReadOnly(#[n(0)] String),
    /// Not usable now; the store tries to come back by itself.
    #[n(2)]
    Down(#[n(0)] String),
}

/// A quick look at a store.
#[derive(Clone, Debug)]
pub struct Health {
    /// Which backend: `sled`, `memory`.
    pub backend: &'static str,
    /// The newest durable revision.
    pub rev: Rev,
    /// Whether it takes commits.
    pub standing: Standing,
    /// Bytes on disk.
    pub disk_bytes: Option<u64>,
    /// Bytes free where it lives.
    pub free_bytes: Option<u64>,
    /// When something became durable last, in this process.
    pub last_sync: Option<Instant>,
    /// Why the seal could not be replaced, until it was: a store put back in time might go unnoticed meanwhile.
    pub seal_behind: Option<String>,
}

/// What a single commit may hold, on every backend.
pub mod limits {
    /// Operations in one commit (etcd allows 128 and counts guards apart).
    pub const OPS: usize = 100;
    /// Guards in one commit.
    pub const GUARDS: usize = 100;
    /// Keys and values of one commit, in bytes. Far below etcd's 1.5 MiB because sled writes several times as much
    /// to its log before the one sync that makes the commit durable, and a power cut in the middle of a whole log
    /// segment can make the database unreadable.
    pub const COMMIT_BYTES: usize = 200 * 1024;
    /// One value, in bytes.
    pub const VALUE_BYTES: usize = 16 * 1024;
    /// One key, in bytes.
    pub const KEY_BYTES: usize = 512;
}

/// The key under which a backend without revisions of its own keeps its counter. Callers cannot see or touch it.
pub(super) const RESERVED_KEY: &[u8] = b"m/rev";

/// Checks everything about a commit that can be known without looking at the store.
pub(super) fn check(guards: &[Guard], ops: &[Op]) -> Result<(), CommitError> {
    Limit::Ops.check(ops.len(), limits::OPS)?;
    Limit::Guards.check(guards.len(), limits::GUARDS)?;
    let mut weight = 0;
    let mut seen = HashSet::with_capacity(ops.len());
    for op in ops {
        let key = op.key();
        Limit::Key.check(key.len(), limits::KEY_BYTES)?;
        if let Op::Put(_, value) = op {
            Limit::Value.check(value.len(), limits::VALUE_BYTES)?;
        }
        if key.is_empty() {
            return Err(CommitError::Invalid("a key must not be empty".into()));
        }
        if key == RESERVED_KEY {
            return Err(CommitError::Invalid("the key m/rev belongs to the store itself".into()));
        }
        if !seen.insert(key) {
            let key = String::from_utf8_lossy(key).into_owned();
            return Err(CommitError::Invalid(format!("the key {key:?} is changed twice in one commit")));
        }
        weight += op.weight();
    }
    Limit::Commit.check(weight, limits::COMMIT_BYTES)
}

thread_local! {
    static IN_SCAN: Cell<bool> = const { Cell::new(false) };
}

/// Marks this thread as being inside the closure of a scan, until dropped.
pub(super) struct InsideScan;

impl InsideScan {
    pub(super) fn enter() -> Self {
        IN_SCAN.set(true);
        Self
    }
}

impl Drop for InsideScan {
    fn drop(&mut self) {
        IN_SCAN.set(false);
    }
}

/// `Err` with the reason when this thread is inside a scan: the call would wait for itself for ever.
pub(super) fn refuse_inside_scan() -> Result<(), String> {
    if IN_SCAN.get() { Err("it was called from inside a scan".into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: &[u8], bytes: usize) -> Op {
        Op::Put(key.to_vec(), vec![0; bytes])
    }

    #[test]
    fn limits_are_closed_and_each_has_its_name() {
        let full: Vec<_> = (0..100_u8).map(|n| put(&[n], 10)).collect();
        assert!(check(&[], &full).is_ok());
        let over: Vec<_> = (0..101_u8).map(|n| put(&[n], 10)).collect();
        assert!(matches!(check(&[], &over), Err(CommitError::TooLarge { what: Limit::Ops, .. })));
        assert!(check(&[], &[put(b"k", limits::VALUE_BYTES)]).is_ok());
        let big = check(&[], &[put(b"k", limits::VALUE_BYTES + 1)]);
        assert!(matches!(big, Err(CommitError::TooLarge { what: Limit::Value, .. })));
        let long = check(&[], &[Op::Delete(vec![b'k'; limits::KEY_BYTES + 1])]);
        assert!(matches!(long, Err(CommitError::TooLarge { what: Limit::Key, .. })));
        let heavy: Vec<_> = (0..13_u8).map(|n| put(&[n], limits::VALUE_BYTES)).collect();
        assert!(matches!(check(&[], &heavy), Err(CommitError::TooLarge { what: Limit::Commit, .. })));
    }

    #[test]
    fn a_key_twice_an_empty_key_and_the_reserved_key_are_invalid() {
        let twice = check(&[], &[put(b"k", 1), Op::Delete(b"k".to_vec())]);
        assert!(matches!(twice, Err(CommitError::Invalid(_))));
        assert!(matches!(check(&[], &[put(b"", 1)]), Err(CommitError::Invalid(_))));
        assert!(matches!(check(&[], &[put(b"m/rev", 1)]), Err(CommitError::Invalid(_))));
    }
}
