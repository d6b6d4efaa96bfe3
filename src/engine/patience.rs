//! How far a store is read that somebody waits for, and whether they still do.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// See the module.
#[derive(Debug, Default)]
pub struct Patience {
    done: AtomicU64,
    all: AtomicU64,
    over: AtomicBool,
}

impl Patience {
    /// Rows that were read, and how many there are; `None` before that is known.
    pub fn so_far(&self) -> Option<(u64, u64)> {
        let all = self.all.load(Ordering::Relaxed);
        (all > 0).then(|| (self.done.load(Ordering::Relaxed).min(all), all))
    }

    /// Nobody waits any more: reading ends, and the store is not opened.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// So many rows there will be.
    pub(crate) fn expect(&self, all: u64) {
        self.all.store(all, Ordering::Relaxed);
    }

    /// So many more were read.
    pub(crate) fn more(&self, rows: usize) {
        self.done.fetch_add(rows as u64, Ordering::Relaxed);
    }
}
