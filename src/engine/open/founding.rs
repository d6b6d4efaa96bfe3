//! Stores that are about to be: on disk, where the recovery code is made before the store is, and in memory.

use std::sync::Arc;

use super::{Open, Options, is_store, plausible, read_catalog};
use crate::crypto::StoreId;
use crate::crypto::digest::Pepper;
use crate::crypto::header::Header;
use crate::crypto::header_file::HeaderFile;
use crate::crypto::keyring::RootKey;
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::crypto::random::{Entropy, OsEntropy};
use crate::crypto::recovery::RecoveryCode;
use crate::crypto::slots::{NewSlot, SlotSecret};
use crate::crypto::{CryptoError, Keyring, public_id};
use crate::domain::{Access, Actor, Catalog, Command, Name, OperatorId, Proof, State};
use crate::engine::clock::Clock;
use crate::engine::error::{EngineError, OpenError};
use crate::engine::ledger::Head;
use crate::engine::load::{Loaded, Others};
use crate::engine::local::{LocalEngine, Parts};
use crate::engine::overdue::Kept;
use crate::engine::session::{Auth, Session, Via};
use crate::engine::{Engine as _, doors};
use crate::store::{MemoryStore, Opened, Rev, SledStore, Store};

/// A store just founded.
pub struct Founded {
    /// The open store.
    pub open: Open,
    /// To be shown once and kept on paper.
    pub recovery: RecoveryCode,
}

/// A store that is about to be founded: its header is there and its recovery code, and no record yet. Let go of before it is
/// complete, it is an interrupted set-up, which is begun anew.
pub struct Founding {
    options: Options,
    catalog: Arc<Catalog>,
    opened: Opened,
    file: HeaderFile,
    header: Header,
    keyring: Keyring,
    founder: (Name, Name),
    recovery: RecoveryCode,
}

impl Founding {
    /// To be shown once and kept on paper.
    pub const fn recovery(&self) -> &RecoveryCode {
        &self.recovery
    }

    /// Founds it: agency and first admin. From then on it is a store.
    ///
    /// # Errors
    /// When the disk does not take it, or does not say whether it did.
    pub fn complete(self) -> Result<Founded, OpenError> {
        let Self { options, catalog, opened, file, header, keyring, founder, recovery } = self;
        let (agency, operator) = founder;
        let mut notices = opened.notices();
        // What an interrupted set-up left there is sealed under a key nobody has.
        let kept = Kept::begin(&options.dir, &keyring);
        let session = founding_session(Auth::Passphrase, options.via)?;
        let loaded = empty(&keyring);
        let engine = LocalEngine::new(Parts {
            store: Arc::new(opened.store),
            keyring,
            loaded,
            catalog,
            clock: options.clock,
            callers: options.callers,
            entropy: Box::new(OsEntropy),
            header: Some(file),
            cost: options.cost,
            dir: Some(options.dir),
            kept,
        });
        // Before the first entry: from then on a store without a seal is one that lost it.
        engine.write_first_seal()?;
        let mark = doors::naming(&header, |_| true);
        engine.run_naming(&session, &Command::Found { agency, operator }, mark)?;
        // The store is there from now on: what cannot be tidied is only said.
        let settled = engine.settle().and_then(|()| engine.register.vouch());
        notices.extend(settled.err().map(|why| why.to_string()));
        if options.via == Via::Console {
            engine.write_uses();
        }
        Ok(Founded { open: Open { engine, session, notices }, recovery })
    }
}

/// Begins a store: root key, header with the founder's slot and a recovery slot.
pub fn begin(
    options: &Options,
    agency: Name,
    operator: Name,
    passphrase: &Passphrase,
) -> Result<Founding, OpenError> {
    plausible(&*options.clock)?;
    let catalog = read_catalog(options)?;
    let begun = is_store(&options.dir)?;
    let opened = SledStore::open(&options.sled().create())?;
    // A header or a seal beside a store that never got its first entry is left of an interrupted set-up: begun anew.
    if opened.rev > Rev(0) || opened.seal.as_ref().is_some_and(|seal| seal.rev > Rev(0)) {
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
    if begun { file.replace(&header) } else { file.create(&header) }.map_err(EngineError::from)?;
    let (options, keyring) = (options.clone(), Keyring::new(root, id));
    Ok(Founding { options, catalog, opened, file, header, keyring, founder: (agency, operator), recovery })
}

/// Begins a store and completes it, for whoever shows the recovery code afterwards.
///
/// # Errors
/// [`OpenError::PerhapsFounded`] when nobody can have the code of a store that may be there.
pub fn found(
    options: &Options,
    agency: Name,
    operator: Name,
    passphrase: &Passphrase,
) -> Result<Founded, OpenError> {
    begin(options, agency, operator, passphrase)?.complete().map_err(|error| match error {
        OpenError::Engine(why) if why.may_be_made() => {
            OpenError::PerhapsFounded { dir: options.dir.display().to_string(), why }
        }
        other => other,
    })
}

/// The session of somebody who is about to become the first admin.
pub(in crate::engine) fn founding_session(auth: Auth, via: Via) -> Result<Session, EngineError> {
    let founder = OperatorId(public_id::generate(&mut OsEntropy)?);
    let actor = Actor { operator: founder, access: Access::Own };
    Ok(Session::new(&mut OsEntropy, actor, auth, via)?)
}

/// Of a store with its founder's slot and a recovery slot.
pub(in crate::engine) fn first_header(
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

/// Nothing, read from nowhere.
pub(in crate::engine) fn empty(keyring: &Keyring) -> Loaded {
    Loaded {
        state: State::default(),
        head: Head { seq: 0, hash: keyring.audit_chain().genesis() },
        digest: keyring.empty_state(),
        rev: Rev(0),
        trimmed: None,
        mark: None,
        unbroken: None,
        covered: None,
        others: Others::default(),
        journal: 0,
        unshown: None,
        doubts: Vec::new(),
        proof: Proof::default(),
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
        callers: Arc::default(),
        entropy,
        header: None,
        cost: Cost::SLOT,
        dir: None,
        kept: None,
    });
    engine.execute(&session, Command::Found { agency, operator })?;
    Ok(Open { engine, session, notices: Vec::new() })
}
