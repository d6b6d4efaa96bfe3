//! What readers and the committer share: the open database, what is durable, what is in doubt.
//!
//! Readers hold the lock for reading, the committer for writing from the first changed byte until the drive has
//! it. So a reader never sees a commit that a power cut could still take back, and a scan sees one revision:
//! sled's own scans would mix commits.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
};
use std::time::Instant;

use super::codec::Ledger;
use super::live::Live;
use crate::store::contract::{self, Standing};
use crate::store::error::StoreError;
use crate::store::feed::Feed;
use crate::store::rows::{KeyRange, Rev};

/// Shared between the store's handle and its committer.
#[derive(Debug)]
pub(super) struct Shared {
    core: RwLock<Core>,
    glance: Mutex<Glance>,
    pub(super) feed: Arc<Feed>,
}

/// The database and what is known about it.
#[derive(Debug)]
pub(super) struct Core {
    /// `None` while it is being reopened or cannot be.
    pub(super) live: Option<Live>,
    /// As of the last durable commit.
    pub(super) ledger: Ledger,
    /// Keys of a write that failed half-way: their rows are not answered for until the database was reopened.
    pub(super) uncertain: BTreeSet<Vec<u8>>,
    /// Why writing is impossible at the moment.
    pub(super) down: Option<String>,
    /// Why no commits are taken until a person decides.
    pub(super) read_only: Option<String>,
}

/// What [`Health`](contract::Health) needs, without waiting for a writer or a scan.
#[derive(Clone, Debug)]
pub(super) struct Glance {
    pub(super) rev: Rev,
    pub(super) standing: Standing,
    pub(super) last_sync: Option<Instant>,
}

impl Shared {
    pub(super) fn new(live: Live, ledger: Ledger, read_only: Option<String>) -> Arc<Self> {
        let rev = ledger.rev;
        let core = Core { live: Some(live), ledger, uncertain: BTreeSet::new(), down: None, read_only };
        let glance = Glance { rev, standing: core.standing(), last_sync: None };
        Arc::new(Self { core: RwLock::new(core), glance: Mutex::new(glance), feed: Feed::new(rev) })
    }

    /// For a reader, unless it is inside a scan, where waiting would be for ever.
    pub(super) fn read(&self) -> Result<RwLockReadGuard<'_, Core>, StoreError> {
        contract::refuse_inside_scan().map_err(StoreError::Invalid)?;
        Ok(self.peek())
    }

    /// For the committer's own looks, which are never inside a scan.
    pub(super) fn peek(&self) -> RwLockReadGuard<'_, Core> {
        self.core.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// For the committer only.
    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Core> {
        self.core.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the database lies where it was opened. While somebody writes, who finds out too, it is taken to.
    pub(super) fn is_in_place(&self, store: &Path) -> bool {
        let core = match self.core.try_read() {
            Ok(core) => core,
            Err(TryLockError::Poisoned(core)) => core.into_inner(),
            Err(TryLockError::WouldBlock) => return true,
        };
        core.live.as_ref().is_none_or(|live| live.is_in_place(store))
    }

    pub(super) fn glance(&self) -> MutexGuard<'_, Glance> {
        self.glance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the glance up to date with `core`.
    pub(super) fn note(&self, core: &Core, synced: Option<Instant>) {
        let mut glance = self.glance();
        glance.rev = core.ledger.rev;
        glance.standing = core.standing();
        glance.last_sync = synced.or(glance.last_sync);
    }

    /// Takes no more commits, because `why`: something was read that cannot be built upon.
    pub(super) fn freeze(&self, why: &str) {
        let mut core = self.write();
        core.read_only.get_or_insert_with(|| format!("it is damaged: {why}"));
        self.note(&core, None);
    }
}

impl Core {
    /// The database, if its answer about `range` can be relied upon.
    pub(super) fn readable(&self, range: &KeyRange) -> Result<&Live, StoreError> {
        let down = || StoreError::Unavailable(self.down.clone().unwrap_or_default());
        if self.uncertain.iter().any(|key| range.contains(key)) {
            return Err(down());
        }
        self.live.as_ref().ok_or_else(down)
    }

    fn standing(&self) -> Standing {
        match (&self.down, &self.read_only) {
            (Some(why), _) => Standing::Down(why.clone()),
            (None, Some(why)) => Standing::ReadOnly(why.clone()),
            (None, None) => Standing::Writable,
        }
    }
}
