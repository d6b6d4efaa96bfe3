//! One sled batch in the making: several commits judged one after the other, each seeing those before it.
//!
//! Only reads the database; what comes of it is written by the committer in one piece.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::codec::{Ledger, Row};
use super::live::Live;
use super::verify::unreadable;
use crate::store::contract::{Guard, Op, RESERVED_KEY};
use crate::store::error::{CommitError, StoreError};
use crate::store::feed::{Batch, Change, Event, Feed};
use crate::store::rows::{KeyRange, Rev};

/// The rows, revision and events a batch of commits leads to.
pub(super) struct Plan<'a> {
    live: &'a Live,
    feed: &'a Feed,
    pub(super) ledger: Ledger,
    /// Rows as they will be stored; `None` is removed.
    pub(super) rows: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    pub(super) batches: Vec<Batch>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(live: &'a Live, feed: &'a Feed, ledger: Ledger) -> Self {
        Self { live, feed, ledger, rows: BTreeMap::new(), batches: Vec::new() }
    }

    /// Adds one commit if its guards hold.
    pub(super) fn admit(&mut self, guards: &[Guard], ops: Vec<Op>) -> Result<Rev, CommitError> {
        for (guard, condition) in guards.iter().enumerate() {
            if !self.holds(condition).map_err(not_done)? {
                return Err(CommitError::Conflict { guard });
            }
        }
        // All reads come before the first change: a failed one leaves the plan as it was.
        let old = ops.iter().map(|op| self.old(op.key())).collect::<Result<Vec<_>, _>>().map_err(not_done)?;
        let rev = self.ledger.rev.next();
        let mut events = Vec::with_capacity(ops.len());
        for (op, old) in ops.into_iter().zip(old) {
            let (key, new, change) = match op {
                Op::Put(key, value) => {
                    let create_rev = old.as_ref().map_or(rev, |(_, create_rev)| *create_rev);
                    let row = Row { create_rev, mod_rev: rev, value: &value };
                    (key, Some(row.encode()), Change::Put(row.to_entry()))
                }
                Op::Delete(_) if old.is_none() => continue,
                Op::Delete(key) => (key, None, Change::Deleted),
            };
            let old = old.as_ref().map(|(raw, _)| raw.as_slice());
            self.ledger.enter(&key, old, new.as_deref());
            events.push(Event { key: key.clone(), change });
            self.rows.insert(key, new);
        }
        if !events.is_empty() {
            self.ledger.rev = rev;
            self.batches.push(Batch { rev, events });
        }
        Ok(self.ledger.rev)
    }

    /// The plan as one batch, the new ledger in it.
    pub(super) fn to_batch(&self) -> ::sled::Batch {
        let mut batch = ::sled::Batch::default();
        for (key, row) in &self.rows {
            match row {
                Some(raw) => batch.insert(key.as_slice(), raw.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        batch.insert(RESERVED_KEY, self.ledger.encode());
        batch
    }

    fn raw(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.rows.get(key) {
            Some(planned) => Ok(planned.clone()),
            None => Ok(self.live.raw(key)?.map(|raw| raw.to_vec())),
        }
    }

    /// The row as stored so far, and the commit that created it.
    fn old(&self, key: &[u8]) -> Result<Option<(Vec<u8>, Rev)>, StoreError> {
        let Some(raw) = self.raw(key)? else { return Ok(None) };
        let create_rev = Row::decode(&raw).ok_or_else(|| unreadable(key))?.create_rev;
        Ok(Some((raw, create_rev)))
    }

    fn mod_rev(&self, key: &[u8]) -> Result<Option<Rev>, StoreError> {
        let Some(raw) = self.raw(key)? else { return Ok(None) };
        Row::decode(&raw).map(|row| Some(row.mod_rev)).ok_or_else(|| unreadable(key))
    }

    fn holds(&self, guard: &Guard) -> Result<bool, StoreError> {
        match guard {
            Guard::Absent(key) => Ok(self.mod_rev(key)?.is_none()),
            Guard::At(key, rev) => Ok(self.mod_rev(key)? == Some(*rev)),
            Guard::NoneNewerIn(prefix, rev) => self.none_newer(prefix, *rev),
        }
    }

    fn none_newer(&self, prefix: &[u8], rev: Rev) -> Result<bool, StoreError> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let planned = self.rows.range::<[u8], _>(from).take_while(|(key, _)| key.starts_with(prefix));
        for (_, row) in planned {
            if let Some(raw) = row
                && Row::decode(raw).is_none_or(|row| row.mod_rev > rev)
            {
                return Ok(false);
            }
        }
        // The feed remembers what was put lately; only a caller with an old revision costs a scan.
        if let Some(keys) = self.feed.put_since(prefix, rev) {
            for key in keys {
                if self.mod_rev(&key)?.is_some_and(|changed| changed > rev) {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        let range = KeyRange::prefix(prefix);
        for row in self.live.rows(&range.from, range.to.as_deref()) {
            let (key, raw) = row?;
            let newer = Row::decode(&raw).ok_or_else(|| unreadable(&key))?.mod_rev > rev;
            if newer && !self.rows.contains_key(key.as_ref()) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// A commit that failed before anything was written.
fn not_done(error: StoreError) -> CommitError {
    CommitError::Unavailable(error.into_reason())
}
