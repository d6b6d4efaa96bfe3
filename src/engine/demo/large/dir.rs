//! A large sample store in a directory. It is made in memory and then written row by row: a million keys would else wait for
//! the disk two million times. What is in the directory before the last row is no store.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use super::town::Town;
use super::{Halt, Hear, SPAN_MS, Size, Stage, failed, fill, tell};
use crate::crypto::header::Header;
use crate::crypto::header_file::{HeaderDisk, HeaderFile};
use crate::crypto::keyring::RootKey;
use crate::crypto::passphrase::Passphrase;
use crate::crypto::random::OsEntropy;
use crate::crypto::recovery::RecoveryCode;
use crate::crypto::{CryptoError, Keyring, StoreId};
use crate::domain::{Command, Name};
use crate::engine::clock::{Clock as _, SystemClock};
use crate::engine::demo::PastClock;
use crate::engine::doors;
use crate::engine::local::{LocalEngine, Parts};
use crate::engine::open::founding::{empty, first_header, founding_session};
use crate::engine::open::{Options, read_catalog};
use crate::engine::{Auth, EngineError, OpenError, Session};
use crate::store::{Filling, MemoryStore, Store as _, StoreError};

/// Rows between two words of how far it is.
const AT_ONCE: usize = 16_384;

/// A sample store that is about to be: founded in memory, with a recovery code, and nothing in its directory yet.
pub struct Making {
    options: Options,
    store: Arc<MemoryStore>,
    engine: Arc<LocalEngine>,
    founder: Session,
    clock: Arc<PastClock>,
    recovery: RecoveryCode,
}

impl Making {
    /// Founds it for an admin with that passphrase.
    ///
    /// # Errors
    /// As of founding a store.
    pub fn begin(
        options: &Options,
        agency: Name,
        operator: Name,
        passphrase: &Passphrase,
    ) -> Result<Self, OpenError> {
        let unmade = |error: CryptoError| OpenError::Engine(error.into());
        let clock = PastClock::begin(Arc::new(SystemClock), SPAN_MS);
        let created_ms = u64::try_from(clock.read().wall.0).unwrap_or(0);
        let root = RootKey::generate(&mut OsEntropy).map_err(unmade)?;
        let id = StoreId::generate(&mut OsEntropy).map_err(unmade)?;
        let recovery = RecoveryCode::generate(&mut OsEntropy).map_err(unmade)?;
        let slot = (passphrase, options.cost);
        let header =
            first_header(id, &root, operator.as_str(), slot, &recovery, created_ms).map_err(unmade)?;
        let mut file = HeaderFile::on(Box::new(Paper::default()) as Box<_>, &options.dir);
        file.create(&header).map_err(unmade)?;
        let keyring = Keyring::new(root, id);
        let store = Arc::new(MemoryStore::new());
        let founder = founding_session(Auth::Passphrase, options.via)?;
        let engine = LocalEngine::new(Parts {
            store: store.clone(),
            loaded: empty(&keyring),
            keyring,
            catalog: read_catalog(options)?,
            clock: clock.clone(),
            callers: Arc::default(),
            entropy: Box::new(OsEntropy),
            header: Some(file),
            cost: options.cost,
            dir: None,
            kept: None,
        });
        engine.write_first_seal()?;
        engine.run_naming(
            &founder,
            &Command::Found { agency, operator },
            doors::naming(&header, |_| true),
        )?;
        Ok(Self { options: options.clone(), store, engine, founder, clock, recovery })
    }

    /// To be shown once.
    pub const fn recovery(&self) -> &RecoveryCode {
        &self.recovery
    }

    /// Fills it and writes it into its directory, which must be empty or not there. `None` when it was given up; then, and when
    /// it fails, nothing is left there.
    ///
    /// # Errors
    /// When the disk does not take it, or something is in the directory.
    pub fn complete(self, size: Size, hear: Hear<'_>) -> Result<Option<()>, OpenError> {
        let Self { options, store, engine, founder, clock, .. } = self;
        Halt::told(make(&options, &store, engine, (founder, clock), size, hear))
    }
}

fn make(
    options: &Options,
    store: &MemoryStore,
    engine: Arc<LocalEngine>,
    (founder, clock): (Session, Arc<PastClock>),
    size: Size,
    hear: Hear<'_>,
) -> Result<(), Halt> {
    fill(Town::new(Arc::clone(&engine), founder, clock, size), hear)?;
    let held = engine.held().map(|mut held| held.current());
    let header = held.ok_or(CryptoError::SlotUnknown).and_then(|header| header).map_err(failed)?;
    // What it has to say at its end is written.
    drop(engine);
    let (dir, was_there) = (&options.dir, options.dir.exists());
    if was_there && fs::read_dir(dir).map_or(true, |mut items| items.next().is_some()) {
        return Err(OpenError::Exists(dir.display().to_string()).into());
    }
    let poured = pour(options, store, &header, hear);
    if poured.is_err() {
        // It was empty, or not there.
        let _gone = fs::remove_dir_all(dir);
        if was_there {
            let _back = fs::create_dir(dir);
        }
    }
    poured
}

/// Writes all rows, and the header last.
fn pour(options: &Options, store: &MemoryStore, header: &Header, hear: Hear<'_>) -> Result<(), Halt> {
    let unreadable = |error: StoreError| Halt::from(EngineError::from(error));
    let mut all = 0;
    store
        .scan(b"", &mut |_| {
            all += 1;
            ControlFlow::Continue(())
        })
        .map_err(unreadable)?;
    let mut filling = Filling::begin(&options.dir, &options.command).map_err(OpenError::Store)?;
    let (mut done, mut halted) = (0, Ok(()));
    let rev = store.scan(b"", &mut |row| {
        if done % AT_ONCE == 0 {
            halted = tell(hear, Stage::Rows, done, all);
        }
        done += 1;
        if halted.is_ok() {
            halted = filling.row(row).map_err(|error| Halt::from(EngineError::from(error)));
        }
        if halted.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let rev = rev.map_err(unreadable)?;
    halted?;
    let unsealed = || EngineError::from(StoreError::Damaged("it has no seal".into()));
    let seal = store.read_seal().ok().flatten().ok_or_else(unsealed)?;
    filling.complete(rev, &seal).map_err(OpenError::Store)?;
    HeaderFile::new(&options.dir).create(header).map_err(OpenError::Unseal)?;
    tell(hear, Stage::Rows, all, all)
}

/// Where the header is until it comes to its directory.
#[derive(Default)]
struct Paper(BTreeMap<PathBuf, Vec<u8>>);

impl HeaderDisk for Paper {
    fn read(&mut self, path: &Path, _: usize) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.get(path).cloned())
    }

    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.0.insert(path.to_owned(), bytes.to_owned());
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let bytes = self.0.remove(from).ok_or(io::ErrorKind::NotFound)?;
        self.0.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn sync_directory(&mut self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}
