//! The store: ordered rows, guarded commits, a change feed. [`Store`] is the contract, [`SledStore`] keeps it on
//! one machine's disk, [`MemoryStore`] keeps it for tests and the demo.
//!
//! Bytes in, bytes out: this folder knows nothing of keys, operators or sealing, and reads no clock. Everything
//! here is synchronous; callers bring their own threads.

mod contract;
mod error;
mod feed;
mod journal;
mod memory;
mod rows;
mod seal;
mod sled;

pub use self::contract::{Guard, Health, Op, RowView, Standing, Store, limits};
pub use self::error::{CommitError, Limit, OpenError, StoreError};
pub use self::feed::{Change, Event, Update, Watch};
pub use self::journal::{Copy as JournalCopy, Journal};
pub use self::memory::{Fault, MemoryStore};
pub use self::rows::{Entry, KeyRange, Page, Rev};
pub use self::seal::{Seal, SealError};
pub use self::sled::{Doubt, Filling, Opened, SledOptions, SledStore, holder_of, panic_is_expected};
