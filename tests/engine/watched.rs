//! A store in memory that tells what is done with it.

#![expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use keydeck::store::{
    CommitError, Entry, Guard, Health, KeyRange, MemoryStore, Op, Page, Rev, RowView, Seal, SealError, Store,
    StoreError, Watch,
};

/// Hears what a commit is about to write.
pub type Hook = Box<dyn FnMut(&[Op]) + Send>;

/// See the module.
#[derive(Default)]
pub struct Watched {
    pub inner: MemoryStore,
    /// How often it was read in one go, which keeps its writers waiting.
    pub scans: AtomicUsize,
    /// Called before each commit, if there is one.
    pub before_commit: Mutex<Option<Hook>>,
    /// Why the seal is behind, if it is.
    pub seal_behind: Mutex<Option<String>>,
}

impl Store for Watched {
    fn get(&self, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        self.inner.get(key)
    }
    fn range(&self, range: &KeyRange, after: Option<&[u8]>, limit: usize) -> Result<Page, StoreError> {
        self.inner.range(range, after, limit)
    }
    fn range_back(&self, range: &KeyRange, before: Option<&[u8]>, limit: usize) -> Result<Page, StoreError> {
        self.inner.range_back(range, before, limit)
    }
    fn scan(
        &self,
        prefix: &[u8],
        row: &mut dyn FnMut(RowView<'_>) -> ControlFlow<()>,
    ) -> Result<Rev, StoreError> {
        self.scans.fetch_add(1, Ordering::SeqCst);
        self.inner.scan(prefix, row)
    }
    fn commit(&self, guards: &[Guard], ops: &[Op]) -> Result<Rev, CommitError> {
        let hook = self.before_commit.lock().unwrap().take();
        if let Some(mut hook) = hook {
            hook(ops);
            self.before_commit.lock().unwrap().get_or_insert(hook);
        }
        self.inner.commit(guards, ops)
    }
    fn watch(&self, prefix: &[u8], from: Rev) -> Watch {
        self.inner.watch(prefix, from)
    }
    fn write_seal(&self, seal: &Seal) -> Result<(), SealError> {
        self.inner.write_seal(seal)
    }
    fn read_seal(&self) -> Result<Option<Seal>, SealError> {
        self.inner.read_seal()
    }
    fn health(&self) -> Health {
        Health { seal_behind: self.seal_behind.lock().unwrap().clone(), ..self.inner.health() }
    }
}
