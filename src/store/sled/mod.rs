//! The store on one machine's disk: sled, and around it everything sled does not promise.
//!
//! sled 0.34 survives a killed process but not a power cut, rolls back silently when its newest pages are
//! damaged, and can panic on broken files. So: one committer thread with its own `fdatasync`, a ledger that shows
//! rows which quietly went back, a second copy of the newest commits and a seal outside the database, a lock with a name on it, an open that sets damaged
//! files aside. What the store guarantees after damage: it opens whole, or it refuses, or it opens read-only and
//! says what is lost, or a scan of the damaged rows fails. It does not answer with old rows as if they were new,
//! except where the newest commits are gone without trace and no seal was written since.

mod codec;
mod committer;
mod core;
mod directory;
mod fill;
mod live;
mod lock;
mod open;
mod plan;
mod quiet;
mod recent;
mod verify;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::thread::JoinHandle;

pub use self::fill::Filling;
pub use self::lock::holder_of;
pub use self::quiet::panic_is_expected;

use self::codec::{Row, Tally};
use self::committer::{Committer, OUT_OF_PLACE, Request};
use self::core::Shared;
use self::directory::DataDir;
use self::lock::DirLock;
use self::open::Opening;
use self::recent::Recent;
use super::contract::{self, Guard, Health, Op, RowView, Store};
use super::error::{CommitError, OpenError, StoreError};
use super::feed::Watch;
use super::rows::{Entry, KeyRange, Page, Rev};
use super::seal::{Seal, SealError, SealFile};

/// Bytes in a mebibyte.
const MIB: u64 = 1024 * 1024;
/// Commits that may wait for the committer before callers wait for a place.
const QUEUE: usize = 256;

/// How to open a store.
#[derive(Clone, Debug)]
pub struct SledOptions {
    dir: PathBuf,
    command: String,
    since: Option<i64>,
    create: bool,
    read_only: bool,
    cache_bytes: u64,
    free_to_open: u64,
    free_to_write: u64,
}

impl SledOptions {
    /// The store in this data directory, which must exist.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            command: String::new(),
            since: None,
            create: false,
            read_only: false,
            cache_bytes: 48 * MIB,
            free_to_open: 64 * MIB,
            free_to_write: 16 * MIB,
        }
    }

    /// Creates directory and store when there is none. Never in place of a store that was there.
    #[must_use]
    pub fn create(mut self) -> Self {
        self.create = true;
        self
    }

    /// Takes no commit and writes no seal.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// What another process is told about this one: the command, without its arguments' secrets, and since when
    /// it runs, in UTC milliseconds.
    #[must_use]
    pub fn holder(mut self, command: &str, since: i64) -> Self {
        command.clone_into(&mut self.command);
        self.since = Some(since);
        self
    }

    /// Bytes of sled's page cache; 48 MiB unless said.
    #[must_use]
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// Bytes that must be free to open (64 MiB unless said) and to commit (16 MiB unless said).
    #[must_use]
    pub fn free_bytes(mut self, to_open: u64, to_write: u64) -> Self {
        self.free_to_open = to_open;
        self.free_to_write = to_write;
        self
    }
}

/// A store that was opened, and what there is to say about it.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: SledStore,
    /// Where it stands.
    pub rev: Rev,
    /// Whether it was created just now.
    pub created: bool,
    /// Its seal; the caller checks the MAC.
    pub seal: Option<Seal>,
    /// Files that were damaged or unfinished and were moved away, relative to the data directory. Worth a notice.
    pub set_aside: Vec<String>,
    /// From where to where it was brought with the second copy of its newest commits, when it had lost some. Worth a notice.
    pub put_back: Option<(Rev, Rev)>,
    /// The mode the data directory had, when others could read it. It is 0700 now.
    pub closed: Option<u32>,
    /// Why it is read-only, if it is.
    pub doubt: Option<Doubt>,
}

impl Opened {
    /// What was set aside or put right and why, for people.
    pub fn notices(&self) -> Vec<String> {
        let words = |file: &String| {
            // A process that is killed while it opens a store leaves one; it holds nothing that the log does not.
            let why = if directory::is_unfinished(file) { "left unfinished" } else { "damaged" };
            format!("{file} was {why} and has been set aside")
        };
        let put_back = self.put_back.map(|(from, to)| {
            format!(
                "the database had lost its revisions {} to {to}; they were put back from their second copy",
                from.next()
            )
        });
        let closed = self.closed.map(|mode| {
            format!(
                "other users could read the data directory (mode {mode:03o}); it is closed to them now (700)"
            )
        });
        self.set_aside.iter().map(words).chain(put_back).chain(closed).collect()
    }
}

/// Why a store that opened cannot be trusted to be the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It went back in time: commits after `store`, up to and including `sealed`, are lost.
    RolledBack {
        /// Where the database stands.
        store: Rev,
        /// Where it once stood.
        sealed: Rev,
    },
    /// The seal cannot be read, so nobody knows where it should stand.
    SealDamaged(String),
}

impl Doubt {
    /// What it means and what to do, for people.
    pub fn in_words(&self) -> String {
        match self {
            Self::RolledBack { store, sealed } => format!(
                "the database went back in time: it stands at revision {store}, and revisions {} to {sealed} \
                 are lost. Put your backup of the data directory in its place",
                store.next()
            ),
            Self::SealDamaged(why) => format!("its seal cannot be read ({why})"),
        }
    }
}

/// A [`Store`] on sled. Dropping it ends the committer after the commits already asked for.
#[derive(Debug)]
pub struct SledStore {
    shared: Arc<Shared>,
    requests: SyncSender<Request>,
    committer: Option<JoinHandle<()>>,
    dir: DataDir,
    seal: SealFile,
    // Declared last: others are let in when everything else is gone.
    _lock: DirLock,
}

impl SledStore {
    /// Opens the store, or says why not; see [`OpenError`].
    pub fn open(options: &SledOptions) -> Result<Opened, OpenError> {
        let dir = DataDir::claim(&options.dir, options.create)?;
        let lock = DirLock::take(dir.root(), &options.command, options.since)?;
        let seal_file = SealFile::new(dir.root());
        let seal = seal_file.read();
        let opening = Opening {
            dir: dir.clone(),
            cache_bytes: options.cache_bytes,
            free_bytes: options.free_to_open,
            at_least: seal.as_ref().map_or(Some(Rev(0)), |seal| {
                // One of revision 0 is left of a founding that did not come to its first commit.
                seal.as_ref().map(|seal| seal.rev).filter(|rev| *rev > Rev(0))
            }),
            create: options.create,
        };
        let ready = opening.open()?;
        let rev = ready.ledger.rev;
        let doubt = match &seal {
            Ok(Some(seal)) if seal.rev > rev => Some(Doubt::RolledBack { store: rev, sealed: seal.rev }),
            Err(error) => Some(Doubt::SealDamaged(error.to_string())),
            _ => None,
        };
        let asked = options.read_only.then(|| "it was opened with --read-only".to_owned());
        let shared = Shared::new(ready.live, ready.ledger, doubt.as_ref().map(Doubt::in_words).or(asked));
        let (requests, inbox) = mpsc::sync_channel(QUEUE);
        let committer = Committer {
            shared: Arc::clone(&shared),
            requests: inbox,
            opening,
            recent: ready.recent,
            free_to_write: options.free_to_write,
            last_try: None,
        };
        let thread = std::thread::Builder::new()
            .name("keydeck-committer".into())
            .spawn(move || committer.run())
            .map_err(|error| dir.io("the thread that writes could not be started", &error))?;
        let closed = dir.closed;
        let store = Self { shared, requests, committer: Some(thread), dir, seal: seal_file, _lock: lock };
        let seal = seal.ok().flatten();
        Ok(Opened {
            store,
            rev,
            created: ready.created,
            seal,
            set_aside: ready.set_aside,
            put_back: ready.put_back,
            closed,
            doubt,
        })
    }

    /// Whether a store in `dir` ever had a commit, by what lies beside its database, which is not opened. What is there
    /// and cannot be read speaks for one.
    pub fn has_history(dir: &Path) -> bool {
        SealFile::new(dir).read().map_or(true, |seal| seal.is_some_and(|seal| seal.rev > Rev(0)))
            || Recent::reached(dir).map_or(true, |rev| rev > Rev(0))
    }

    /// Reads every row and checks that all are there as they were last written.
    pub fn verify(&self) -> Result<Rev, StoreError> {
        self.scan(b"", &mut |_| ControlFlow::Continue(()))
    }

    fn ask(
        &self,
        request: impl FnOnce(SyncSender<Result<Rev, CommitError>>) -> Request,
    ) -> Result<Rev, CommitError> {
        contract::refuse_inside_scan().map_err(CommitError::Invalid)?;
        let (answer, outcome) = mpsc::sync_channel(1);
        let closed = |_| CommitError::Unavailable("it was closed".into());
        self.requests.send(request(answer)).map_err(closed)?;
        outcome.recv().map_err(|_| CommitError::Unknown("its writer ended".into()))?
    }

    fn page(
        &self,
        range: &KeyRange,
        limit: usize,
        step: impl Fn(&mut live::Rows) -> Option<<live::Rows as Iterator>::Item>,
    ) -> Result<Page, StoreError> {
        let core = self.shared.read()?;
        let rev = core.ledger.rev;
        let live = core.readable(range)?;
        let mut found = Page { rows: Vec::new(), next: None, rev };
        if range.is_void() {
            return Ok(found);
        }
        let mut rows = live.rows(&range.from, range.to.as_deref());
        while let Some(row) = step(&mut rows) {
            let (key, raw) = row?;
            if found.rows.len() == limit {
                found.next = found.rows.last().map(|(key, _)| key.clone());
                break;
            }
            let entry = Row::decode(&raw).ok_or_else(|| verify::unreadable(&key))?.to_entry();
            found.rows.push((key.to_vec(), entry));
        }
        Ok(found)
    }

    /// The scan itself, under the readers' lock.
    fn scan_rows(
        &self,
        prefix: &[u8],
        row: &mut dyn FnMut(RowView<'_>) -> ControlFlow<()>,
    ) -> Result<Rev, StoreError> {
        let core = self.shared.read()?;
        let range = KeyRange::prefix(prefix);
        let live = core.readable(&range)?;
        let expected = if prefix.is_empty() { Some(core.ledger.total()) } else { core.ledger.tally(prefix) };
        let mut found = Tally::default();
        let _inside = contract::InsideScan::enter();
        for item in live.rows(&range.from, range.to.as_deref()) {
            let (key, raw) = item?;
            let Row { create_rev, mod_rev, value } =
                Row::decode(&raw).ok_or_else(|| verify::unreadable(&key))?;
            if expected.is_some() {
                found.add(&key, &raw);
            }
            if row(RowView { key: &key, value, create_rev, mod_rev }).is_break() {
                return Ok(core.ledger.rev);
            }
        }
        if let Some(expected) = expected {
            verify::compare(prefix, found, expected)?;
        }
        Ok(core.ledger.rev)
    }
}

impl Store for SledStore {
    fn get(&self, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        let core = self.shared.read()?;
        let live = core.readable(&KeyRange::between(key, &[key, b"\0"].concat()))?;
        if key == contract::RESERVED_KEY {
            return Ok(None);
        }
        let Some(raw) = live.raw(key)? else { return Ok(None) };
        Row::decode(&raw).map(|row| Some(row.to_entry())).ok_or_else(|| verify::unreadable(key))
    }

    fn range(&self, range: &KeyRange, after: Option<&[u8]>, limit: usize) -> Result<Page, StoreError> {
        let mut range = range.clone();
        if let Some(after) = after {
            // The first key behind `after`.
            range.from = range.from.max([after, b"\0"].concat());
        }
        self.page(&range, limit, Iterator::next)
    }

    fn range_back(&self, range: &KeyRange, before: Option<&[u8]>, limit: usize) -> Result<Page, StoreError> {
        let mut range = range.clone();
        if let Some(before) = before {
            range.to = Some(range.to.map_or_else(|| before.to_vec(), |to| to.min(before.to_vec())));
        }
        self.page(&range, limit, DoubleEndedIterator::next_back)
    }

    fn scan(
        &self,
        prefix: &[u8],
        row: &mut dyn FnMut(RowView<'_>) -> ControlFlow<()>,
    ) -> Result<Rev, StoreError> {
        let scanned = self.scan_rows(prefix, row);
        if let Err(StoreError::Damaged(why)) = &scanned {
            self.shared.freeze(why);
        }
        scanned
    }

    fn count(&self, prefix: &[u8]) -> Option<u64> {
        self.shared.read().ok()?.ledger.tally(prefix).map(|tally| tally.rows)
    }

    fn commit(&self, guards: &[Guard], ops: &[Op]) -> Result<Rev, CommitError> {
        contract::check(guards, ops)?;
        let (guards, ops) = (guards.to_vec(), ops.to_vec());
        let weight = ops.iter().map(Op::weight).sum();
        self.ask(|answer| Request::Commit { guards, ops, weight, answer })
    }

    fn watch(&self, prefix: &[u8], from: Rev) -> Watch {
        self.shared.feed.watch(prefix, from)
    }

    fn write_seal(&self, seal: &Seal) -> Result<(), SealError> {
        let glance = self.shared.glance().clone();
        if matches!(glance.standing, contract::Standing::ReadOnly(_)) {
            return Err(SealError::ReadOnly);
        }
        seal.check(glance.rev)?;
        self.seal.write(seal)
    }

    fn read_seal(&self) -> Result<Option<Seal>, SealError> {
        self.seal.read()
    }

    fn health(&self) -> Health {
        let glance = self.shared.glance().clone();
        let gone =
            glance.standing == contract::Standing::Writable && !self.shared.is_in_place(&self.dir.store());
        Health {
            backend: "sled",
            rev: glance.rev,
            standing: if gone { contract::Standing::Down(OUT_OF_PLACE.into()) } else { glance.standing },
            disk_bytes: Some(self.dir.store_bytes()),
            free_bytes: self.dir.free_bytes(),
            last_sync: glance.last_sync,
            seal_behind: self.seal.behind(),
        }
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        // When the committer is gone already, there is nobody to tell and nothing to wait for.
        let _gone = self.requests.send(Request::Stop);
        if let Some(thread) = self.committer.take() {
            let _ended = thread.join();
        }
    }
}
