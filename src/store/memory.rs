//! The store in memory: for tests, which can make it fail on purpose, and for the demo. Nothing outlives it.
//!
//! It is written as plainly as possible, because the other backends are checked against it.

use std::collections::{BTreeMap, VecDeque};
use std::ops::{Bound, ControlFlow};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::contract::{self, Guard, Health, Op, RowView, Standing, Store};
use super::error::{CommitError, StoreError};
use super::feed::{Batch, Change, Event, Feed, Watch};
use super::rows::{Entry, KeyRange, Page, Rev};
use super::seal::{Seal, SealError};

/// A failure the next commit shall meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `Unavailable`; nothing is changed.
    Unavailable,
    /// `ReadOnly`; nothing is changed.
    ReadOnly,
    /// `Unknown`, and it did happen.
    UnknownDone,
    /// `Unknown`, and it did not happen.
    UnknownLost,
    /// `Unknown`, it did happen, and nothing can be read or written until [`MemoryStore::come_back`].
    DownDone,
    /// `Unknown`, it did not happen, and nothing can be read or written until [`MemoryStore::come_back`].
    DownLost,
}

/// A [`Store`] in memory.
#[derive(Debug)]
pub struct MemoryStore {
    state: Mutex<State>,
    feed: Arc<Feed>,
}

#[derive(Debug, Default)]
struct State {
    rows: BTreeMap<Vec<u8>, Entry>,
    rev: Rev,
    seal: Option<Seal>,
    faults: VecDeque<Fault>,
    down: bool,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self { state: Mutex::default(), feed: Feed::new(Rev(0)) }
    }
}

impl MemoryStore {
    /// An empty store at revision 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a coming commit fail; several calls queue up, one per commit.
    pub fn fail_next(&self, fault: Fault) {
        self.lock().faults.push_back(fault);
    }

    /// Fails everything until [`MemoryStore::come_back`].
    pub fn go_down(&self) {
        self.lock().down = true;
    }

    /// Ends what a fault began.
    pub fn come_back(&self) {
        self.lock().down = false;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state for a reader, unless the reader is inside a scan of this very store.
    fn look(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        contract::refuse_inside_scan().map_err(StoreError::Invalid)?;
        let state = self.lock();
        if state.down { Err(StoreError::Unavailable("a test wants it so".into())) } else { Ok(state) }
    }
}

impl State {
    fn holds(&self, guard: &Guard) -> bool {
        match guard {
            Guard::Absent(key) => !self.rows.contains_key(key),
            Guard::At(key, rev) => self.rows.get(key).is_some_and(|entry| entry.mod_rev == *rev),
            Guard::NoneNewerIn(prefix, rev) => self.under(prefix).all(|(_, entry)| entry.mod_rev <= *rev),
        }
    }

    fn under<'a>(&'a self, prefix: &'a [u8]) -> impl Iterator<Item = (&'a Vec<u8>, &'a Entry)> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        self.rows.range::<[u8], _>(from).take_while(move |(key, _)| key.starts_with(prefix))
    }

    fn apply(&mut self, ops: &[Op]) -> Option<Batch> {
        let rev = self.rev.next();
        let mut events = Vec::with_capacity(ops.len());
        for op in ops {
            let change = match op {
                Op::Put(key, value) => {
                    let create_rev = self.rows.get(key).map_or(rev, |old| old.create_rev);
                    let entry = Entry { value: value.clone(), create_rev, mod_rev: rev };
                    self.rows.insert(key.clone(), entry.clone());
                    Change::Put(entry)
                }
                Op::Delete(key) => match self.rows.remove(key) {
                    Some(_) => Change::Deleted,
                    None => continue,
                },
            };
            events.push(Event { key: op.key().to_vec(), change });
        }
        if events.is_empty() {
            return None;
        }
        self.rev = rev;
        Some(Batch { rev, events })
    }
}

/// Cuts `rows` to `limit` and says where to go on.
fn page<'a>(rows: impl Iterator<Item = (&'a Vec<u8>, &'a Entry)>, limit: usize, rev: Rev) -> Page {
    let mut rows: Vec<_> =
        rows.take(limit.saturating_add(1)).map(|(key, entry)| (key.clone(), entry.clone())).collect();
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more { rows.last().map(|(key, _)| key.clone()) } else { None };
    Page { rows, next, rev }
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        Ok(self.look()?.rows.get(key).cloned())
    }

    fn range(&self, range: &KeyRange, after: Option<&[u8]>, limit: usize) -> Result<Page, StoreError> {
        let state = self.look()?;
        let behind = |key: &Vec<u8>| after.is_none_or(|after| key.as_slice() > after);
        let rows = state.rows.iter().filter(|(key, _)| range.contains(key) && behind(key));
        Ok(page(rows, limit, state.rev))
    }

    fn range_back(&self, range: &KeyRange, before: Option<&[u8]>, limit: usize) -> Result<Page, StoreError> {
        let state = self.look()?;
        let in_front = |key: &Vec<u8>| before.is_none_or(|before| key.as_slice() < before);
        let rows = state.rows.iter().rev().filter(|(key, _)| range.contains(key) && in_front(key));
        Ok(page(rows, limit, state.rev))
    }

    fn scan(
        &self,
        prefix: &[u8],
        row: &mut dyn FnMut(RowView<'_>) -> ControlFlow<()>,
    ) -> Result<Rev, StoreError> {
        let state = self.look()?;
        let _inside = contract::InsideScan::enter();
        for (key, entry) in state.under(prefix) {
            let Entry { value, create_rev, mod_rev } = entry;
            let view = RowView { key, value, create_rev: *create_rev, mod_rev: *mod_rev };
            if row(view).is_break() {
                break;
            }
        }
        Ok(state.rev)
    }

    fn commit(&self, guards: &[Guard], ops: &[Op]) -> Result<Rev, CommitError> {
        contract::refuse_inside_scan().map_err(CommitError::Invalid)?;
        contract::check(guards, ops)?;
        let mut state = self.lock();
        if state.down {
            return Err(CommitError::Unavailable("a test wants it so".into()));
        }
        let fault = state.faults.pop_front();
        state.down = matches!(fault, Some(Fault::DownDone | Fault::DownLost));
        match fault {
            Some(Fault::Unavailable) => return Err(CommitError::Unavailable("a test wants it so".into())),
            Some(Fault::ReadOnly) => return Err(CommitError::ReadOnly("a test wants it so".into())),
            Some(Fault::UnknownLost | Fault::DownLost) => {
                return Err(CommitError::Unknown("a test wants it so".into()));
            }
            Some(Fault::UnknownDone | Fault::DownDone) | None => {}
        }
        if let Some(guard) = guards.iter().position(|guard| !state.holds(guard)) {
            return Err(CommitError::Conflict { guard });
        }
        if let Some(batch) = state.apply(ops) {
            self.feed.publish(vec![batch]);
        }
        match fault {
            Some(_) => Err(CommitError::Unknown("a test wants it so".into())),
            None => Ok(state.rev),
        }
    }

    fn watch(&self, prefix: &[u8], from: Rev) -> Watch {
        self.feed.watch(prefix, from)
    }

    fn write_seal(&self, seal: &Seal) -> Result<(), SealError> {
        let mut state = self.lock();
        seal.check(state.rev)?;
        if state.seal.as_ref().is_none_or(|old| old.rev <= seal.rev) {
            state.seal = Some(seal.clone());
        }
        Ok(())
    }

    fn read_seal(&self) -> Result<Option<Seal>, SealError> {
        Ok(self.lock().seal.clone())
    }

    fn health(&self) -> Health {
        let state = self.lock();
        let why = || "a test wants it so".into();
        let standing = if state.down { Standing::Down(why()) } else { Standing::Writable };
        Health {
            backend: "memory",
            rev: state.rev,
            standing,
            disk_bytes: None,
            free_bytes: None,
            last_sync: None,
            seal_behind: None,
        }
    }
}

impl Drop for MemoryStore {
    fn drop(&mut self) {
        self.feed.close();
    }
}
