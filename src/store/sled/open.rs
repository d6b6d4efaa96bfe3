//! Opening the database so that a damaged one is noticed, rebuilt if its log allows it, and never replaced by an
//! empty one.
//!
//! The caller holds the directory's lock. A rebuild works on a copy, without sled's snapshot (a broken snapshot
//! alone makes sled refuse a whole log); only a copy that opens and adds up takes the damaged store's place.

use std::os::unix::fs::FileExt as _;
use std::sync::mpsc;
use std::time::Duration;
use std::{fs, io};

use rustix::fs::{FlockOperation, flock};

use super::codec::Ledger;
use super::directory::DataDir;
use super::live::{Broken, Live};
use super::recent::Recent;
use super::verify;
use crate::store::error::OpenError;
use crate::store::rows::Rev;

/// How often, and how long apart, a database still being let go of by this process is tried again.
const BUSY_TRIES: u32 = 100;
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// Bytes of the log written again at a time.
const REWRITTEN_AT_ONCE: usize = 1024 * 1024;

/// What opening needs to know.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    pub(super) dir: DataDir,
    pub(super) cache_bytes: u64,
    /// Bytes that must be free: sled writes while it opens, and a disk that fills up then can leave a snapshot
    /// half-written.
    pub(super) free_bytes: u64,
    /// The lowest revision the store can be at if nothing was lost; `None` when it may be new.
    pub(super) at_least: Option<Rev>,
    /// Whether an empty store may be created.
    pub(super) create: bool,
}

/// An open database and what was done to get there.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) live: Live,
    pub(super) ledger: Ledger,
    pub(super) created: bool,
    /// Files moved to the quarantine, relative to the data directory.
    pub(super) set_aside: Vec<String>,
    /// Where the newest commits are written a second time.
    pub(super) recent: Recent,
    /// From where to where the database was brought with them, when it had lost some.
    pub(super) put_back: Option<(Rev, Rev)>,
}

/// How the files of [`Recent`] are called where one cannot be read or written.
const RECENT: &str = "the files recent.0 and recent.1, which hold the newest changes once more";

impl Opening {
    /// Opens, rebuilds or refuses.
    pub(super) fn open(&self) -> Result<Ready, OpenError> {
        let mut set_aside = self.dir.finish_promotion()?;
        self.dir.discard_attempt()?;
        let created = !self.dir.has_database();
        if created {
            self.may_create()?;
            self.dir.forget_settings()?;
            Recent::forget(self.dir.root()).map_err(|error| self.dir.io(RECENT, &error))?;
        }
        self.dir.require_free(self.free_bytes)?;
        self.dir.create_store()?;
        for path in self.dir.snapshots(true)? {
            set_aside.push(self.dir.set_aside(&path)?);
        }
        let (live, mut ledger) = match self.patiently() {
            Ok(open) => open,
            Err(Broken::Damaged(why)) => {
                set_aside.extend(self.rebuild(&why)?);
                self.patiently().map_err(|broken| self.refusal(broken))?
            }
            Err(broken) => return Err(self.refusal(broken)),
        };
        let (recent, put_back) =
            Recent::open(self.dir.root(), &live, &mut ledger).map_err(|error| self.dir.io(RECENT, &error))?;
        if ledger.rev == Rev(0) && self.at_least.is_some_and(|rev| rev > Rev(0)) {
            return Err(self.missing(Rev(0)));
        }
        // What a killed process had written but not yet synced is readable now; it must not be lost later.
        self.dir.settle(&self.dir.store())?;
        Ok(Ready { live, ledger, created, set_aside, recent, put_back })
    }

    /// `Err` when there is no database and there should be one, or none is wanted.
    fn may_create(&self) -> Result<(), OpenError> {
        let orphaned = self.dir.store().exists() && !self.dir.snapshots(false)?.is_empty();
        let reached = Recent::reached(self.dir.root()).map_err(|error| self.dir.io(RECENT, &error))?;
        // A founding that was cut off may have come as far as its one commit.
        if self.at_least.is_some() || orphaned || reached > Rev(1) {
            return Err(self.missing(reached));
        }
        if !self.create {
            return Err(OpenError::Absent { dir: self.dir.root().to_path_buf() });
        }
        Ok(())
    }

    /// Builds the store anew from its log alone and puts it in place of the damaged one.
    fn rebuild(&self, why: &str) -> Result<Vec<String>, OpenError> {
        let damaged = |more: &str| OpenError::Damaged {
            dir: self.dir.root().to_path_buf(),
            store: self.dir.store(),
            why: format!("{why}; rebuilding it from its log: {more}"),
        };
        self.dir.require_free(self.free_bytes.saturating_add(self.dir.store_bytes()))?;
        self.dir.copy_for_attempt()?;
        let outcome = match Live::open(&self.dir.attempt(), self.cache_bytes) {
            Ok((live, ledger)) if ledger.rev == Rev(0) => {
                live.abandon();
                Err("no rows were found in it".to_owned())
            }
            Ok((live, ledger)) => {
                let sound = verify::adds_up(&live, &ledger).map_err(|error| error.to_string());
                live.abandon();
                sound
            }
            Err(Broken::Damaged(why) | Broken::Io(why) | Broken::Busy(why)) => Err(why),
        };
        match outcome {
            Ok(()) => self.dir.promote_attempt(),
            Err(why) => {
                self.dir.discard_attempt()?;
                Err(damaged(&why))
            }
        }
    }

    /// Makes sure that what can be read from the log is on the drive. After a failed sync the kernel may call pages clean
    /// that the drive never got, and the next sync, which finds nothing to do, says yes to all. So every byte is
    /// written again where it lies, and then synced. Nobody may have the database open meanwhile.
    pub(super) fn write_again(&self) -> io::Result<()> {
        let file = fs::OpenOptions::new().read(true).write(true).open(self.dir.store().join("db"))?;
        // A drive that still fails is not given all of it.
        file.sync_data()?;
        let (_quiet, never) = mpsc::channel::<()>();
        let mut tries = 1;
        // sled's own lock: an earlier handle may still be letting go of the file.
        while let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if tries == BUSY_TRIES {
                return Err(error.into());
            }
            tries += 1;
            let _elapsed = never.recv_timeout(BUSY_PAUSE);
        }
        let mut part = vec![0; REWRITTEN_AT_ONCE];
        let mut at = 0;
        loop {
            let read = file.read_at(&mut part, at)?;
            let Some(bytes) = part.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            file.write_all_at(bytes, at)?;
            at += bytes.len() as u64;
        }
        file.sync_data()
    }

    /// Opens, and tries again while an earlier handle of this process is still letting go.
    fn patiently(&self) -> Result<(Live, Ledger), Broken> {
        // Nobody sends on this channel: waiting on it is waiting for the deadline.
        let (_quiet, never) = mpsc::channel::<()>();
        for _ in 1..BUSY_TRIES {
            match Live::open(&self.dir.store(), self.cache_bytes) {
                Err(Broken::Busy(_)) => {
                    let _elapsed = never.recv_timeout(BUSY_PAUSE);
                }
                answer => return answer,
            }
        }
        Live::open(&self.dir.store(), self.cache_bytes)
    }

    /// It should be there: by the seal, or as far as its newest commits lie beside it.
    fn missing(&self, reached: Rev) -> OpenError {
        let rev = self.at_least.unwrap_or_default().max(reached);
        OpenError::Missing { dir: self.dir.root().to_path_buf(), rev }
    }

    fn refusal(&self, broken: Broken) -> OpenError {
        let dir = self.dir.root().to_path_buf();
        match broken {
            Broken::Damaged(why) => OpenError::Damaged { dir, store: self.dir.store(), why },
            Broken::Io(why) | Broken::Busy(why) => OpenError::Io { dir, why },
        }
    }
}
