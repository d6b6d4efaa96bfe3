//! From a directory and a secret to an engine and a session; `founding`: to a new store. The lock comes first, the
//! header second, the records last, so two processes never work on one store and nothing is read before it is
//! unsealed.

pub(super) mod founding;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use minicbor::{Decode, Encode};

pub use self::founding::{Founded, Founding, begin, found, in_memory, in_store, in_store_holding};
use super::audit_log::{Doubt, in_one_line};
use super::clock::{Clock, SystemClock};
use super::error::{EngineError, OpenError};
use super::load::{self, Loaded, Witness};
use super::local::{LocalEngine, Parts};
use super::overdue::{self, Kept, Left};
use super::proof::Trail;
use super::session::Purpose;
use super::session::{Auth, Session, Via};
use super::throttle::Callers;
use super::{Engine, Patience, Unwritten, doors};
use crate::crypto::header::{Header, Unlock, Unlocked};
use crate::crypto::header_file::{HEADER, HEADER_COPY, HeaderFile};
use crate::crypto::keyfile::KeyFileSecret;
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::crypto::random::OsEntropy;
use crate::crypto::recovery::RecoveryCode;
use crate::crypto::slots::{Slot, SlotId, SlotKind};
use crate::crypto::{CryptoError, Keyring};
use crate::domain::catalog::CatalogProblem;
use crate::domain::name::fold;
use crate::domain::{Access, Actor, Catalog, State};
use crate::files;
use crate::store::{SledOptions, SledStore, Store, StoreError};

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
    /// Who tried to sign in before; the same for all attempts of a process.
    pub callers: Arc<Callers>,
    /// Nothing is written: no record, no entry of the trail, no seal. Only wrong secrets are counted as always.
    pub read_only: bool,
    /// What it must have of the keys and apps, should another process have the store.
    pub wants: Wants,
    /// Hears how far it is, and may end it. For one attempt.
    pub patience: Arc<Patience>,
}

/// What of the keys and apps that its operator may see is sent to a process that attaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Wants {
    /// All of them, and what becomes of them.
    #[default]
    #[n(0)]
    All,
    /// Those it names, see [`Question::Called`](super::Question::Called).
    #[n(1)]
    Named,
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
            callers: Arc::default(),
            read_only: false,
            wants: Wants::All,
            patience: Arc::default(),
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
/// When that cannot be seen: a place one may not look into is not an empty one. When the store's header is gone: what is
/// left is neither a store that opens nor room for another.
pub fn is_store(dir: &Path) -> Result<bool, OpenError> {
    if is_there(&dir.join(HEADER))? || is_there(&dir.join(HEADER_COPY))? {
        return Ok(true);
    }
    if SledStore::has_history(dir) {
        return Err(OpenError::Unseal(CryptoError::HeaderMissing(dir.join(HEADER))));
    }
    Ok(false)
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
    let text = files::read_text(&path, 16 * Catalog::MAX_BYTES).map_err(|e| fail(e.to_string()))?;
    let parsed = Catalog::parse(&text);
    parsed
        .map(Arc::new)
        .map_err(|problems| fail(problems.first().map_or_else(String::new, CatalogProblem::to_string)))
}

/// Opens a store and signs in.
pub fn open(options: &Options, key: &Key<'_>) -> Result<Open, OpenError> {
    plausible(&*options.clock)?;
    let catalog = read_catalog(options)?;
    if !is_store(&options.dir)? {
        return Err(crate::store::OpenError::Absent { dir: options.dir.clone() }.into());
    }
    let opened = SledStore::open(&options.sled())?;
    let mut notices = opened.notices();
    let mut file = HeaderFile::new(&options.dir);
    let (header, spare) = file.copies().map_err(OpenError::Unseal)?;
    let since_boot = options.clock.read().since_boot;
    let attempt = options.callers.attempt(std::process::id(), &options.dir, since_boot)?;
    let (header, spare, Unlocked { root, mut slot }) = attempt.judge(unlock_either(header, spare, key))?;
    let keyring = Keyring::new(root, header.store());
    let mut loaded = load::load(&opened.store, &keyring, &catalog, Witness::of(&opened), &options.patience)?;
    let (kept, mut left) = keep(options, &opened.store, &keyring, &mut loaded)?;
    // Whoever only looks takes nothing back.
    left.unshown = loaded.unshown.take().filter(|_| options.purpose() == Purpose::Work);
    notices.extend(loaded.doubts.iter().map(|d| d.what.clone()));
    if loaded.state.agency().is_none() {
        return Err(if loaded.head.seq == 0 { OpenError::Unfounded } else { damaged(&loaded) });
    }
    if loaded.proof.belies_slots(loaded.state.header()) {
        return Err(unproven(&loaded.doubts));
    }
    // One copy may be from another moment: the one that belongs to the store counts.
    let belongs = |header: &Header| {
        !loaded.proof.may_be_old_slots() && doors::belongs(header, keyring.root(), loaded.state.header())
    };
    let header = match spare.filter(|spare| !belongs(&header) && belongs(spare)) {
        Some(spare) => {
            slot = attempt.judge(unlock(&spare, key, |_| true))?.slot;
            spare
        }
        None => header,
    };
    if header.generation() < loaded.state.header().generation {
        return Err(OpenError::OldHeader);
    }
    // Which slots count stands in the store, so it is known only now.
    let in_doubt = !loaded.doubts.is_empty();
    let counts = doors::counting(&header, loaded.state.header(), loaded.proof.may_be_old_slots());
    if !counts(slot) {
        slot = attempt.judge(unlock(&header, key, &counts))?.slot;
    }
    let (actor, auth) = actor_of(key, label_of(&header, slot), &loaded.state)?;
    if !loaded.state.operator(actor.operator).is_some_and(|operator| loaded.proof.admits(operator)) {
        return Err(unproven(&loaded.doubts));
    }
    let failed_before = attempt.passed(options.purpose());
    // What a change of secret left behind that did not come to its end, or did and could not clean up.
    let settled = match options.purpose() {
        Purpose::Looking => Ok(()),
        Purpose::Work => header
            .keep(keyring.root(), |slot| in_doubt || counts(slot.id()))
            .and_then(|header| file.heal(&header)),
    };
    notices.extend(settled.err().map(|why| format!("a copy of the header could not be repaired: {why}")));
    let session = Session::new(&mut OsEntropy, actor, auth, options.via).map_err(EngineError::from)?;
    let engine = LocalEngine::new(Parts {
        store: Arc::new(opened.store),
        keyring,
        loaded,
        catalog,
        clock: Arc::clone(&options.clock),
        callers: Arc::clone(&options.callers),
        entropy: Box::new(OsEntropy),
        header: Some(file),
        cost: options.cost,
        dir: Some(options.dir.clone()),
        kept,
    });
    // Before anybody is answered.
    let (taken, said) = engine.overdue.take_up(left);
    notices.extend(said);
    if taken > 0 {
        notices.push(taken_up(taken, &engine.condition().unwritten));
    }
    if options.purpose() == Purpose::Work {
        // Before anything is written that a keydeck of before would ignore.
        if let Err(why) = engine.upgrade(&session) {
            notices.push(format!(
                "an older keydeck may still open this store, and would ignore what it does not know; that is mended at the next \
                 start: {why}"
            ));
        }
        engine.note_start(&session, failed_before)?;
    }
    if options.via == Via::Console && !options.read_only {
        engine.write_uses();
    }
    Ok(Open { engine, session, notices })
}

/// The room in reserve beside the database, and what was left there. One that cannot be relied upon is evidence: it is
/// not written to.
fn keep(
    options: &Options,
    store: &dyn Store,
    keyring: &Keyring,
    loaded: &mut Loaded,
) -> Result<(Option<Kept>, Left), StoreError> {
    let work = options.purpose() == Purpose::Work;
    let (kept, notes) = match Kept::open(&options.dir, keyring, loaded.journal) {
        Ok(Some((kept, notes))) => (Some(kept).filter(|_| work).inspect(Kept::fill_up), notes),
        Ok(None) if work => (Kept::begin(&options.dir, keyring), Vec::new()),
        Ok(None) => (None, Vec::new()),
        Err(doubt) => {
            // Something was denied there, and nobody can say what.
            loaded.proof.vouch_for_nothing();
            loaded.doubts.push(doubt);
            (None, Vec::new())
        }
    };
    let sealer = keyring.sealer();
    let left = overdue::sort_out(&Trail::of(store, keyring, &sealer), notes, loaded)?;
    Ok((kept, left))
}

fn taken_up(taken: usize, left: &Unwritten) -> String {
    let changes = if taken == 1 { "1 change".to_owned() } else { format!("{taken} changes") };
    let now = if left.denials == 0 { "written now" } else { "in force, and still not written" };
    format!("{changes} that took access away on a failing disk: {now}")
}

/// The database counts from 1970 and panics before.
fn plausible(clock: &dyn Clock) -> Result<(), OpenError> {
    let wall = clock.wall();
    if wall.0 < 0 { Err(OpenError::Clock(wall)) } else { Ok(()) }
}

/// Nobody is let in on the word of a record that its last writer did not write.
pub(super) fn unproven(doubts: &[Doubt]) -> OpenError {
    OpenError::Unproven(in_one_line(doubts))
}

fn damaged(loaded: &Loaded) -> OpenError {
    let why = if loaded.doubts.is_empty() {
        "the agency's record is missing".into()
    } else {
        in_one_line(&loaded.doubts)
    };
    OpenError::Engine(EngineError::Suspect(why))
}

/// Tries a secret on the copies of the header, and hands back first the one that it opened.
fn unlock_either(
    header: Header,
    spare: Option<Header>,
    key: &Key<'_>,
) -> Result<(Header, Option<Header>, Unlocked), CryptoError> {
    let first = unlock(&header, key, |_| true);
    match (first, spare) {
        (Ok(unlocked), spare) => Ok((header, spare, unlocked)),
        (Err(error), Some(spare)) => {
            let unlocked = unlock(&spare, key, |_| true).map_err(|_| error)?;
            Ok((spare, Some(header), unlocked))
        }
        (Err(error), None) => Err(error),
    }
}

/// Tries a secret on those slots that count.
pub(super) fn unlock(
    header: &Header,
    key: &Key<'_>,
    counts: impl Fn(SlotId) -> bool,
) -> Result<Unlocked, CryptoError> {
    match key {
        Key::Operator { name, passphrase } => {
            // Names are compared as names are. The typed text itself when there is none, so that an unknown operator
            // costs the same work.
            let wanted = fold(name);
            let theirs = |slot: &&Slot| slot.kind() == SlotKind::Passphrase && fold(slot.label()) == wanted;
            let mut same = header.slots().iter().filter(theirs).map(Slot::label);
            let first = same.next();
            // Who writes their name just so is meant before somebody whose name is compared as the same.
            let name = first.into_iter().chain(same).find(|label| label == name).or(first).unwrap_or(name);
            header.unlock_among(&Unlock::Operator { name, passphrase }, counts)
        }
        Key::Recovery { code, .. } => header.unlock_among(&Unlock::Recovery(code), counts),
        Key::KeyFile(secret) => header.unlock_among(&Unlock::KeyFile(secret), counts),
    }
}

/// The name a slot goes by.
pub(super) fn label_of(header: &Header, slot: SlotId) -> &str {
    header.slots().iter().find(|other| other.id() == slot).map_or("", Slot::label)
}

/// Whom a secret lets in that opened the slot of that label.
pub(super) fn actor_of(key: &Key<'_>, label: &str, state: &State) -> Result<(Actor, Auth), OpenError> {
    let (name, access, auth) = match key {
        Key::Operator { .. } => (label, Access::Own, Auth::Passphrase),
        Key::KeyFile(_) => (label, Access::Own, Auth::KeyFile),
        Key::Recovery { name, .. } => (*name, Access::Recovery, Auth::Recovery),
    };
    let operator =
        state.operator_named(name).filter(|o| o.standing.is_active()).ok_or(OpenError::NoOperator)?;
    Ok((Actor { operator: operator.id, access }, auth))
}
