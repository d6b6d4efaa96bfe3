//! An open database: the one place that touches sled's handle.
//!
//! sled's own flush asks the kernel to write but not the drive to keep, so each flush is followed by an
//! `fdatasync` on a descriptor of our own. No second tree, no transaction closures (they lock the whole process),
//! no subscribers (a full one blocks every writer), no background flushes.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::fs::{Advice, fadvise};

use super::codec::Ledger;
use super::quiet::guarded;
use crate::store::contract::RESERVED_KEY;
use crate::store::error::StoreError;

/// A segment of sled's log. A segment is written over as soon as a later one that replaces its pages is complete and
/// the one after that is begun, so while a whole segment's worth of log is not yet on the drive, a power cut can take
/// both versions of a page. One commit writes up to six times its own size (every touched page may be written whole):
/// with sled's default of 512 KiB that is more than a segment, with 4 MiB it is less than half of one. Part of the
/// format: stores made with another value do not open.
const SEGMENT_BYTES: usize = 4 * 1024 * 1024;

/// How long a flush may take until somebody asks what became of it.
const PATIENCE: Duration = Duration::from_secs(1);

/// sled's handle, and the descriptor that makes its writes durable.
#[derive(Debug)]
pub(super) struct Live {
    db: Handle,
    file: File,
}

/// The handle alone. Whoever lets go of the last one syncs the file, and where the disk does not take that, sled
/// panics: a commit that was acknowledged must not end as a crash, and a thread that writes must live through it.
#[derive(Debug)]
struct Handle(Option<::sled::Db>);

impl Handle {
    /// Calls into sled; the outer error is a panic.
    fn call<T>(
        &self,
        call: impl FnOnce(&::sled::Db) -> ::sled::Result<T>,
    ) -> Result<::sled::Result<T>, String> {
        let db = self.0.as_ref().ok_or("it was let go of")?;
        guarded(|| call(db))
    }
}

/// sled's flush, which comes back where a write fails too. sled notes such an error without waking who waits for that
/// write already (`exit_reservation` in 0.34.7) and they wait for ever, with all who read and write behind them; but
/// whoever asks for a flush later wakes them all. So somebody does, ever more rarely: while a disk is merely slow, who
/// asks comes to wait with the others.
fn flush(db: &::sled::Db) -> ::sled::Result<usize> {
    let (done, waiting) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let knock = move || {
            let mut patience = PATIENCE;
            while waiting.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                patience *= 2;
                let asks = || guarded(|| db.flush()).map(drop);
                if let Err(error) = thread::Builder::new().spawn_scoped(scope, asks) {
                    tracing::warn!(%error, "no thread that asks what became of a slow write");
                }
            }
        };
        if let Err(error) = thread::Builder::new().name("keydeck-flush".into()).spawn_scoped(scope, knock) {
            tracing::warn!(%error, "nobody asks what became of a write if it is slow");
        }
        let flushed = db.flush();
        drop(done);
        flushed
    })
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Whatever it still had to say about the disk, each commit has heard for itself.
        let _gone = guarded(|| drop(self.0.take()));
    }
}

/// Why a database did not open.
#[derive(Debug)]
pub(super) enum Broken {
    /// Its files are damaged; rebuilding from the log may help.
    Damaged(String),
    /// The system said no; the files may be fine.
    Io(String),
    /// A handle of this process is still letting go of the files.
    Busy(String),
}

impl Live {
    /// Opens the database in `path`, creating an empty one when there is none.
    pub(super) fn open(path: &Path, cache_bytes: u64) -> Result<(Self, Ledger), Broken> {
        let config = ::sled::Config::new()
            .path(path)
            .cache_capacity(cache_bytes)
            .segment_size(SEGMENT_BYTES)
            .flush_every_ms(None);
        let db = match guarded(|| config.open()) {
            Ok(Ok(db)) => Handle(Some(db)),
            Ok(Err(error)) => return Err(broken(error)),
            Err(panicked) => return Err(Broken::Damaged(panicked)),
        };
        let file = File::open(path.join("db")).map_err(|error| Broken::Io(error.to_string()))?;
        let live = Self { db, file };
        let raw = live.raw(RESERVED_KEY).map_err(|error| Broken::Damaged(error.to_string()))?;
        let ledger = match raw {
            Some(raw) => {
                Ledger::decode(&raw).ok_or_else(|| Broken::Damaged("its ledger cannot be read".into()))?
            }
            None => Ledger::default(),
        };
        Ok((live, ledger))
    }

    /// The stored bytes under `key`.
    pub(super) fn raw(&self, key: &[u8]) -> Result<Option<::sled::IVec>, StoreError> {
        self.db.call(|db| db.get(key)).map_err(StoreError::Damaged)?.map_err(|error| store_error(&error))
    }

    /// Keys and stored bytes from `from` on, up to and without `to`, the ledger left out. Once an error was given
    /// out, the rows end.
    pub(super) fn rows(&self, from: &[u8], to: Option<&[u8]>) -> Rows {
        let from = std::ops::Bound::Included(from);
        let to = to.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        Rows(self.db.0.as_ref().map(|db| db.range::<&[u8], _>((from, to))))
    }

    /// Applies a batch and makes it durable: in the log, through the kernel, onto the drive.
    pub(super) fn write(&self, batch: ::sled::Batch) -> Result<(), String> {
        let logged = self.db.call(|db| {
            db.apply_batch(batch)?;
            flush(db)
        })?;
        logged.map_err(|error| error.to_string())?;
        self.file.sync_data().map_err(|error| error.to_string())
    }

    /// Makes everything in the log durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Whether the database file still has a name. A handle goes on working after its files were deleted or
    /// replaced, and everything written then is lost.
    pub(super) fn is_in_place(&self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let here = self.file.metadata().map(|meta| (meta.dev(), meta.ino())).ok();
        let there = std::fs::metadata(path.join("db")).map(|meta| (meta.dev(), meta.ino())).ok();
        here.is_some() && here == there
    }

    /// Lets go of the database, and of what the kernel caches of its file: after a failed write the cache holds
    /// pages the drive never got, and a reopened store must not take them for stored.
    pub(super) fn abandon(self) {
        let Self { db, file } = self;
        drop(db);
        // Only advice; a file system that ignores it leaves things as they were.
        let _dropped = fadvise(&file, 0, None, Advice::DontNeed);
    }
}

/// Rows of the database in key order, from either end.
pub(super) struct Rows(Option<::sled::Iter>);

impl Rows {
    fn step(
        &mut self,
        step: impl Fn(&mut ::sled::Iter) -> Option<::sled::Result<(::sled::IVec, ::sled::IVec)>>,
    ) -> Option<Result<(::sled::IVec, ::sled::IVec), StoreError>> {
        loop {
            let iter = self.0.as_mut()?;
            let failure = match guarded(|| step(iter)) {
                Ok(None) => return None,
                Ok(Some(Ok((key, _)))) if key == RESERVED_KEY => continue,
                Ok(Some(Ok(row))) => return Some(Ok(row)),
                Ok(Some(Err(error))) => store_error(&error),
                Err(panicked) => StoreError::Damaged(panicked),
            };
            self.0 = None;
            return Some(Err(failure));
        }
    }
}

impl Iterator for Rows {
    type Item = Result<(::sled::IVec, ::sled::IVec), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step(Iterator::next)
    }
}

impl DoubleEndedIterator for Rows {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.step(DoubleEndedIterator::next_back)
    }
}

/// Sorts sled's errors into what can be waited out and what cannot.
fn store_error(error: &::sled::Error) -> StoreError {
    match error {
        ::sled::Error::Io(error) => StoreError::Unavailable(error.to_string()),
        other => StoreError::Damaged(other.to_string()),
    }
}

fn broken(error: ::sled::Error) -> Broken {
    match error {
        // sled wraps the refused lock in an error of kind `Other`; only the text tells it apart.
        ::sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => {
            Broken::Busy(error.to_string())
        }
        ::sled::Error::Io(error) => match error.kind() {
            // A log shorter than its snapshot says.
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => Broken::Damaged(error.to_string()),
            _ => Broken::Io(error.to_string()),
        },
        other => Broken::Damaged(other.to_string()),
    }
}
