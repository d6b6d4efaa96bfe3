//! From a directory and a secret to an engine and a session; founding a new store. The lock comes first, the
//! header second, the records last, so two processes never work on one store and nothing is read before it is
//! unsealed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::audit_log::{Doubt, in_one_line};
use super::clock::{Clock, SystemClock};
use super::error::{EngineError, OpenError};
use super::ledger::Head;
use super::load::{self, Loaded};
use super::local::{LocalEngine, Parts};
use super::session::{Auth, Session, Via};
use super::throttle::Throttle;
use super::{Engine, doors};
use crate::crypto::digest::Pepper;
use crate::crypto::header::{Header, Unlock};
use crate::crypto::header_file::{HEADER, HEADER_COPY, HeaderFile, Unsealed};
use crate::crypto::keyfile::KeyFileSecret;
use crate::crypto::keyring::{RootKey, StoreId};
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::crypto::random::{Entropy, OsEntropy};
use crate::crypto::recovery::RecoveryCode;
use crate::crypto::slots::{NewSlot, SlotSecret};
use crate::crypto::{CryptoError, Keyring, public_id};
use crate::domain::catalog::CatalogProblem;
use crate::domain::name::fold;
use crate::domain::{Access, Actor, Catalog, Command, Name, OperatorId, State, Timestamp};
use crate::store::{MemoryStore, Rev, SledOptions, SledStore, Store};

/// The catalog of a store, beside its database, when the agency has its own.
pub const CATALOG_FILE: &str = "catalog.toml";

/// What opens a store.
pub enum Key<'a> {
    /// An operator's name and passphrase.
    Operator {
        /// As it was typed.
        name: &'a str,
        /// Theirs.
        passphrase: &'a Passphrase,
    },
    /// The recovery code, on behalf of an operator who needs a new passphrase.
    Recovery {
        /// Whose passphrase will be set.
        name: &'a str,
        /// The code.
        code: &'a RecoveryCode,
    },
    /// An operator's key file.
    KeyFile(&'a KeyFileSecret),
}

/// Where and how to open.
#[derive(Clone)]
pub struct Options {
    /// The data directory.
    pub dir: PathBuf,
    /// An own catalog; else [`CATALOG_FILE`] in the data directory, else the built-in one.
    pub catalog: Option<PathBuf>,
    /// What another process is told about this one: the command's words without arguments.
    pub command: String,
    /// Where the session comes from.
    pub via: Via,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// What guessing a passphrase shall cost.
    pub cost: Cost,
    /// Nothing is written: no record, no entry of the trail, no seal. Only wrong secrets are counted as always.
    pub read_only: bool,
}

impl Options {
    /// For a data directory, with the machine's clock and the full price of a passphrase.
    pub fn new(dir: &Path, command: &str, via: Via) -> Self {
        Self {
            dir: dir.to_owned(),
            catalog: None,
            command: command.to_owned(),
            via,
            clock: Arc::new(SystemClock),
            cost: Cost::SLOT,
            read_only: false,
        }
    }

    const fn purpose(&self) -> Purpose {
        if self.read_only { Purpose::Looking } else { Purpose::Work }
    }

    fn sled(&self) -> SledOptions {
        let options = SledOptions::new(&self.dir).holder(&self.command, self.clock.read().wall.0);
        if self.read_only { options.read_only() } else { options }
    }
}

/// What somebody signs in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Whatever their role lets them do.
    Work,
    /// Changing nothing, and leaving no trace.
    Looking,
}

/// An open store.
pub struct Open {
    /// What runs commands.
    pub engine: Arc<LocalEngine>,
    /// Who is signed in.
    pub session: Session,
    /// What was put right or set aside while opening, in words.
    pub notices: Vec<String>,
}

/// Whether a directory holds a founded store, without opening it.
///
/// # Errors
/// When that cannot be seen: a place one may not look into is not an empty one.
pub fn is_store(dir: &Path) -> Result<bool, OpenError> {
    Ok(is_there(&dir.join(HEADER))? || is_there(&dir.join(HEADER_COPY))?)
}

/// Whether something is at `path`; not knowing is no `false`.
fn is_there(path: &Path) -> Result<bool, OpenError> {
    path.try_exists().map_err(|error| OpenError::File {
        what: path.display().to_string(),
        why: error.to_string(),
        advice: "Whether a store is there cannot be seen. Work as the user it belongs to, or put right who may read it.",
    })
}

/// Reads the catalog a store uses.
pub fn read_catalog(options: &Options) -> Result<Arc<Catalog>, OpenError> {
    let own = options.dir.join(CATALOG_FILE);
    let path = match &options.catalog {
        Some(path) => path.clone(),
        None if is_there(&own)? => own,
        None => return Ok(Arc::new(Catalog::builtin().clone())),
    };
    let fail = |why: String| OpenError::File {
        what: format!("The scope catalog {}", path.display()),
        why,
        advice: "Check it with `keydeck scope check`.",
    };
    let text = std::fs::read_to_string(&path).map_err(|e| fail(e.to_string()))?;
    let parsed = Catalog::parse(&text);
    parsed
        .map(Arc::new)
        .map_err(|problems| fail(problems.first().map_or_else(String::new, CatalogProblem::to_string)))
}

/// Opens a store and signs in.
pub fn open(options: &Options, key: &Key<'_>) -> Result<Open, OpenError> {
    let catalog = read_catalog(options)?;
    if !is_store(&options.dir)? {
        return Err(crate::store::OpenError::Absent { dir: options.dir.clone() }.into());
    }
    let opened = SledStore::open(&options.sled())?;
    let mut notices = opened.set_aside_in_words();
    let now = options.clock.read().wall;
    let mut header = HeaderFile::new(&options.dir);
    let (unsealed, failed_before) = unseal(&options.dir, now, &mut header, key, options.purpose())?;
    let mut loaded = load::load(&opened.store, &unsealed.keyring, &catalog, opened.seal.as_ref())?;
    if let Some(doubt) = &opened.doubt {
        let what = doubt.in_words();
        loaded.doubts.push(match doubt {
            crate::store::Doubt::RolledBack { .. } => Doubt::short(what),
            crate::store::Doubt::SealDamaged(_) => Doubt::altered(what),
        });
    }
    notices.extend(
        unsealed.unrepaired.iter().map(|why| format!("a copy of the header could not be repaired: {why}")),
    );
    notices.extend(loaded.doubts.iter().map(|d| d.what.clone()));
    if loaded.state.agency().is_none() {
        return Err(if loaded.head.seq == 0 { OpenError::Unfounded } else { damaged(&loaded) });
    }
    if unsealed.header.generation() < loaded.state.header().generation {
        return Err(OpenError::OldHeader);
    }
    let (actor, auth) = actor_of(key, &unsealed, &loaded.state)?;
    let session = Session::new(&mut OsEntropy, actor, auth, options.via).map_err(EngineError::from)?;
    let engine = LocalEngine::new(Parts {
        store: Arc::new(opened.store),
        keyring: unsealed.keyring,
        loaded,
        catalog,
        clock: Arc::clone(&options.clock),
        entropy: Box::new(OsEntropy),
        header: Some(HeaderFile::new(&options.dir)),
        header_generation: unsealed.header.generation(),
        cost: options.cost,
        dir: Some(options.dir.clone()),
    });
    if options.purpose() == Purpose::Work {
        engine.note_start(&session, failed_before)?;
    }
    if options.via == Via::Console && !options.read_only {
        engine.write_uses();
    }
    Ok(Open { engine, session, notices })
}

fn damaged(loaded: &Loaded) -> OpenError {
    let why = if loaded.doubts.is_empty() {
        "the agency's record is missing".into()
    } else {
        in_one_line(&loaded.doubts)
    };
    OpenError::Engine(EngineError::Suspect(why))
}

/// Tries a secret, and counts failures.
pub(super) fn unseal(
    dir: &Path,
    now: Timestamp,
    file: &mut HeaderFile,
    key: &Key<'_>,
    purpose: Purpose,
) -> Result<(Unsealed, u32), OpenError> {
    let mut throttle = Throttle::read(dir);
    if let Some(wait) = throttle.wait(now) {
        return Err(OpenError::Throttled { failed: throttle.failed(), wait });
    }
    let result = match key {
        Key::Operator { name, passphrase } => {
            let label = label_of(file, name)?;
            file.unseal(&Unlock::Operator { name: &label, passphrase })
        }
        Key::Recovery { code, .. } => file.unseal(&Unlock::Recovery(code)),
        Key::KeyFile(secret) => file.unseal(&Unlock::KeyFile(secret)),
    };
    match result {
        Ok(unsealed) => {
            let failed = throttle.failed();
            // Who signs in to change nothing leaves the count to be told to the next one.
            if purpose == Purpose::Work {
                throttle.clear();
            }
            Ok((unsealed, failed))
        }
        Err(error) => {
            if matches!(error, CryptoError::WrongSecret) {
                throttle.fail(now);
            }
            Err(OpenError::Unseal(error))
        }
    }
}

/// The label whose name is the one typed, compared as names are; the typed text itself when there is none, so
/// that an unknown operator costs the same work.
fn label_of(file: &mut HeaderFile, typed: &str) -> Result<String, OpenError> {
    let wanted = fold(typed);
    let header = file.load().map_err(OpenError::Unseal)?;
    let found = header.slots().iter().find(|slot| fold(slot.label()) == wanted);
    Ok(found.map_or_else(|| typed.to_owned(), |slot| slot.label().to_owned()))
}

pub(super) fn actor_of(
    key: &Key<'_>,
    unsealed: &Unsealed,
    state: &State,
) -> Result<(Actor, Auth), OpenError> {
    let slot = unsealed.header.slots().iter().find(|slot| slot.id() == unsealed.slot);
    let label = slot.map_or("", |slot| slot.label());
    let (name, access, auth) = match key {
        Key::Operator { .. } => (label, Access::Own, Auth::Passphrase),
        Key::KeyFile(_) => (label, Access::Own, Auth::KeyFile),
        Key::Recovery { name, .. } => (*name, Access::Recovery, Auth::Recovery),
    };
    let operator =
        state.operator_named(name).filter(|o| o.standing.is_active()).ok_or(OpenError::NoOperator)?;
    Ok((Actor { operator: operator.id, access }, auth))
}

/// A store just founded.
pub struct Founded {
    /// The open store.
    pub open: Open,
    /// To be shown once and kept on paper.
    pub recovery: RecoveryCode,
}

/// Founds a store: root key, header with the founder's slot and a recovery slot, agency and first admin.
pub fn found(
    options: &Options,
    agency: Name,
    operator: Name,
    passphrase: &Passphrase,
) -> Result<Founded, OpenError> {
    let catalog = read_catalog(options)?;
    let opened = SledStore::open(&options.sled().create())?;
    // A header beside a store that never got its first entry is left of an interrupted set-up: begun anew.
    if opened.rev > Rev(0) || opened.seal.is_some() {
        return Err(OpenError::Exists(options.dir.display().to_string()));
    }
    let mut file = HeaderFile::new(&options.dir);
    let id = StoreId::generate(&mut OsEntropy).map_err(EngineError::from)?;
    let root = RootKey::generate(&mut OsEntropy).map_err(EngineError::from)?;
    let recovery = RecoveryCode::generate(&mut OsEntropy).map_err(EngineError::from)?;
    let created_ms = u64::try_from(options.clock.read().wall.0).unwrap_or(0);
    let header =
        first_header(id, &root, operator.as_str(), (passphrase, options.cost), &recovery, created_ms)
            .map_err(EngineError::from)?;
    if is_store(&options.dir)? { file.replace(&header) } else { file.create(&header) }
        .map_err(EngineError::from)?;
    let keyring = Keyring::new(root, id);
    let session = founding_session(Auth::Passphrase, options.via)?;
    let loaded = empty(&keyring);
    let engine = LocalEngine::new(Parts {
        store: Arc::new(opened.store),
        keyring,
        loaded,
        catalog,
        clock: Arc::clone(&options.clock),
        entropy: Box::new(OsEntropy),
        header: Some(file),
        header_generation: header.generation(),
        cost: options.cost,
        dir: Some(options.dir.clone()),
    });
    engine.execute(&session, Command::Found { agency, operator })?;
    engine.settle()?;
    if options.via == Via::Console {
        engine.write_uses();
    }
    Ok(Founded { open: Open { engine, session, notices: Vec::new() }, recovery })
}

/// The session of somebody who is about to become the first admin.
fn founding_session(auth: Auth, via: Via) -> Result<Session, EngineError> {
    let founder = OperatorId(public_id::generate(&mut OsEntropy)?);
    let actor = Actor { operator: founder, access: Access::Own };
    Ok(Session::new(&mut OsEntropy, actor, auth, via)?)
}

fn first_header(
    id: StoreId,
    root: &RootKey,
    operator: &str,
    (passphrase, cost): (&Passphrase, Cost),
    recovery: &RecoveryCode,
    created_ms: u64,
) -> Result<Header, CryptoError> {
    let first = NewSlot { label: operator, created_ms, secret: SlotSecret::Passphrase(passphrase, cost) };
    let second = NewSlot { label: doors::RECOVERY_LABEL, created_ms, secret: SlotSecret::Recovery(recovery) };
    Header::create(id, root, first, &mut OsEntropy)?.add_slot(root, second, &mut OsEntropy)
}

fn empty(keyring: &Keyring) -> Loaded {
    Loaded {
        state: State::default(),
        head: Head { seq: 0, hash: keyring.audit_chain().genesis() },
        digest: keyring.empty_state(),
        rev: Rev(0),
        mark: None,
        unbroken: None,
        doubts: Vec::new(),
        suspects: Vec::new(),
    }
}

/// An engine on a store in memory, founded for `operator`: for the demo and for tests. Sealed like any other,
/// under a key nobody keeps.
pub fn in_memory(
    agency: Name,
    operator: Name,
    clock: Arc<dyn Clock>,
    via: Via,
    entropy: Box<dyn Entropy + Send>,
) -> Result<Open, OpenError> {
    in_store(Arc::new(MemoryStore::new()), agency, operator, clock, via, entropy)
}

/// [`in_memory`] on a given empty store.
pub fn in_store(
    store: Arc<dyn Store>,
    agency: Name,
    operator: Name,
    clock: Arc<dyn Clock>,
    via: Via,
    entropy: Box<dyn Entropy + Send>,
) -> Result<Open, OpenError> {
    in_store_holding(store, agency, operator, clock, via, entropy, |_, _, _| {})
}

/// [`in_store`] with a state that `fill` has put keys of the founder into, under digests of the store's pepper: for
/// benchmarks, which need a million keys and not the commits that made them.
#[doc(hidden)]
pub fn in_store_holding(
    store: Arc<dyn Store>,
    agency: Name,
    operator: Name,
    clock: Arc<dyn Clock>,
    via: Via,
    entropy: Box<dyn Entropy + Send>,
    fill: impl FnOnce(&Pepper, OperatorId, &mut State),
) -> Result<Open, OpenError> {
    let root = RootKey::generate(&mut OsEntropy).map_err(EngineError::from)?;
    let id = StoreId::generate(&mut OsEntropy).map_err(EngineError::from)?;
    let keyring = Keyring::new(root, id);
    let session = founding_session(Auth::Demo, via)?;
    let mut loaded = empty(&keyring);
    fill(&keyring.pepper(), session.actor().operator, &mut loaded.state);
    let engine = LocalEngine::new(Parts {
        store,
        keyring,
        loaded,
        catalog: Arc::new(Catalog::builtin().clone()),
        clock,
        entropy,
        header: None,
        header_generation: 0,
        cost: Cost::SLOT,
        dir: None,
    });
    engine.execute(&session, Command::Found { agency, operator })?;
    Ok(Open { engine, session, notices: Vec::new() })
}
