//! Who can get in: the slots of the header, kept in step with the operators. The header lies beside the store, so a
//! change takes two writes, and either can fail. The commit decides: its record names the slots that count. A slot is
//! written before and opens nothing until it is named; one that is replaced opens until it no longer is. What is in the
//! header and not named is removed after, when the disk allows.

use std::sync::{MutexGuard, PoisonError};

use minicbor::{Decode, Encode};

use super::local::LocalEngine;
use super::session::Session;
use super::{Brought, Done, Engine as _, EngineError};
use crate::crypto::CryptoError;
use crate::crypto::header::Header;
use crate::crypto::header::Unlock;
use crate::crypto::header_file::HeaderFile;
use crate::crypto::keyring::RootKey;
use crate::crypto::random::OsEntropy;
use crate::crypto::recovery::RecoveryCode;
use crate::crypto::slots::{NewSlot, Slot, SlotId, SlotKind, SlotSecret};
use crate::domain::authorize::acting;
use crate::domain::command::About;
use crate::domain::{Access, Command, HeaderMark, Refusal, Role, Timestamp};

/// Label of the recovery slot.
pub(super) const RECOVERY_LABEL: &str = "recovery";

/// One slot, as people may know of it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Door {
    /// What opens it.
    #[n(0)]
    pub kind: SlotKind,
    /// Whose it is: an operator's name, or a name for the recovery code.
    #[n(1)]
    pub label: String,
    /// When it was made.
    #[n(2)]
    pub created_at: Timestamp,
}

/// Where the store lies and what opens it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Doors {
    /// The data directory, as it is shown; `None` for a store in memory.
    #[n(0)]
    pub dir: Option<String>,
    /// The slots one may know of; none for a store in memory, whose key nobody keeps.
    #[n(1)]
    pub slots: Vec<Door>,
    /// When the seal beside the database was written last.
    #[n(2)]
    pub sealed_at: Option<Timestamp>,
}

pub(super) fn doors(engine: &LocalEngine, session: &Session) -> Result<Doors, EngineError> {
    let (own, sees_all) = {
        let state = engine.state();
        let operator = acting(&state, &session.actor())?;
        let sees_all = operator.role == Role::Admin && session.actor().access != Access::Recovery;
        (operator.name.clone(), sees_all)
    };
    if engine.header.is_none() {
        return Ok(Doors::default());
    }
    let slots = current(engine, &mut *header(engine)?)?
        .slots()
        .iter()
        .filter(|slot| sees_all || slot.kind() == SlotKind::Recovery || slot.label() == own.as_str())
        .map(|slot| Door {
            kind: slot.kind(),
            label: slot.label().to_owned(),
            created_at: Timestamp(i64::try_from(slot.created_ms()).unwrap_or(i64::MAX)),
        })
        .collect();
    let sealed_at = engine.dir().and_then(|dir| {
        let written = std::fs::metadata(dir.join("seal")).and_then(|file| file.modified()).ok()?;
        let since = written.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
    });
    Ok(Doors { dir: engine.dir().map(|dir| dir.display().to_string()), slots, sealed_at })
}

/// Ends the access a command is about, and takes the slots away that go with it.
pub(super) fn shut_out(
    engine: &LocalEngine,
    session: &Session,
    command: &Command,
) -> Result<Done, EngineError> {
    if engine.header.is_none() {
        return engine.run(session, command);
    }
    let mut file = header(engine)?;
    // Whether there is such an operator is the command's to say.
    let name = name_of(engine, command).unwrap_or_default();
    let before = current(engine, &mut file)?;
    let mark = engine.state().header().clone();
    let named = naming(&before, |slot| mark.counts(slot.id().number()) && !is_of(slot, &name));
    let done = engine.run_naming(session, command, named)?;
    tidy(engine, &mut file, &before);
    Ok(done)
}

/// Makes a new recovery code. The old one goes only when the new one is sure to open the store: until its slot is gone
/// from the header, both are named, so that whatever fails on the way, the code somebody has on paper opens.
pub(super) fn renew_recovery(
    engine: &LocalEngine,
    session: &Session,
    command: &Command,
) -> Result<Done, EngineError> {
    let mut file = header(engine)?;
    engine.rehearse(session, command)?;
    let code = RecoveryCode::generate(&mut OsEntropy)?;
    let new =
        NewSlot { label: RECOVERY_LABEL, created_ms: now_ms(engine), secret: SlotSecret::Recovery(&code) };
    let is_recovery = |slot: &Slot| slot.kind() == SlotKind::Recovery;
    let before = current(engine, &mut file)?;
    let mark = engine.state().header().clone();
    // A renewal that was cut off leaves two that count. The later one was shown to nobody and makes room.
    let counting = |slot: &&Slot| is_recovery(slot) && mark.counts(slot.id().number());
    let on_paper = before.slots().iter().find(counting).map(Slot::id);
    let base = before.keep(engine.keyring.root(), |slot| {
        !is_recovery(slot) || on_paper.is_none_or(|old| old == slot.id())
    })?;
    let added = add(engine, &mut file, &base, new, &Unlock::Recovery(&code), is_recovery)?;
    let named = naming(&added.header, |slot| added.is(slot) || mark.counts(slot.id().number()));
    let done = engine
        .run_naming(session, command, named)
        .inspect_err(|error| take_back(&mut file, &before, error))?;
    let ended = added.header.keep(engine.keyring.root(), |slot| added.is(slot) || !is_recovery(slot))?;
    if let Err(error) = file.replace(&ended) {
        // Nobody has the new code yet. It is not shown while the old one may still open.
        let old_opens = current(engine, &mut file)
            .map_or(true, |now| now.slots().iter().any(|s| is_recovery(s) && !added.is(s)));
        if old_opens {
            return Err(error.into());
        }
        tracing::warn!(%error, "the header is changed, but not its copy");
    }
    // From now on a header in which the old one still is, a copy that was not written or that somebody kept, is an old one.
    let named = naming(&ended, |slot| added.is(slot) || mark.counts(slot.id().number()));
    if let Err(error) = engine.run_naming(session, command, named) {
        tracing::warn!(%error, "an older header would still let the old recovery code in");
    }
    Ok(Done { code: Some(code), ..done })
}

/// Gives a slot to the one a command lets in, and lets them in: the new slot is written and tried, then the commit
/// names it and the old ones no more. Who they are is asked only if the command may be given.
pub(super) fn let_in(
    engine: &LocalEngine,
    session: &Session,
    command: &Command,
    secret: Brought<'_>,
) -> Result<Done, EngineError> {
    // A store in memory is never unsealed again: it has no slots, and its operators are names.
    if engine.header.is_none() {
        return engine.run(session, command);
    }
    // To the end: of two who give one name at the same time, the later one is judged by what the earlier one did.
    let mut file = header(engine)?;
    engine.rehearse(session, command)?;
    let name = name_of(engine, command)?;
    let (secret, opens) = match secret {
        Brought::Passphrase(passphrase) => {
            (SlotSecret::Passphrase(passphrase, engine.cost), Unlock::Operator { name: &name, passphrase })
        }
        Brought::KeyFile(content) => (SlotSecret::KeyFile(content), Unlock::KeyFile(content)),
        Brought::Nothing | Brought::Imported(_) => return Err(EngineError::Misfit),
    };
    let new = NewSlot { label: &name, created_ms: now_ms(engine), secret };
    let before = current(engine, &mut file)?;
    let added = add(engine, &mut file, &before, new, &opens, |slot| is_of(slot, &name))?;
    let mark = engine.state().header().clone();
    let named = naming(&added.header, |slot| {
        added.is(slot) || mark.counts(slot.id().number()) && !is_of(slot, &name)
    });
    let done = engine
        .run_naming(session, command, named)
        .inspect_err(|error| take_back(&mut file, &before, error))?;
    tidy(engine, &mut file, &added.header);
    Ok(done)
}

/// The header on disk, with a slot in it that nothing names yet.
struct Added {
    header: Header,
    slot: SlotId,
}

impl Added {
    fn is(&self, slot: &Slot) -> bool {
        slot.id() == self.slot
    }
}

/// Writes a slot beside those it is to replace, and sees that it `opens`: what cannot be opened must not replace what
/// can. What an earlier change left behind that came to nothing makes room.
fn add(
    engine: &LocalEngine,
    file: &mut HeaderFile,
    before: &Header,
    new: NewSlot<'_>,
    opens: &Unlock<'_>,
    theirs: impl Fn(&Slot) -> bool,
) -> Result<Added, EngineError> {
    let root = engine.keyring.root();
    let mark = engine.state().header().clone();
    let base = before.keep(root, |slot| mark.counts(slot.id().number()) || !theirs(slot))?;
    let header = base.add_slot(root, new, &mut OsEntropy)?;
    let slot = header.slots().last().map(Slot::id).ok_or(CryptoError::SlotUnknown)?;
    let written =
        file.replace(&header).and_then(|()| file.load()?.unlock_among(opens, |other| other == slot));
    if let Err(error) = written {
        let _ = file.replace(before);
        return Err(error.into());
    }
    Ok(Added { header, slot })
}

/// What the store shall remember of a header: its generation, and the slots that count.
pub(super) fn naming(header: &Header, counts: impl Fn(&Slot) -> bool) -> HeaderMark {
    let slots = header.slots().iter().filter(|slot| counts(slot)).map(|slot| slot.id().number()).collect();
    HeaderMark { generation: header.generation(), slots: Some(slots) }
}

/// The header that belongs to what the store says of it. A copy of another moment beside it counts for nothing.
pub(super) fn current(engine: &LocalEngine, file: &mut HeaderFile) -> Result<Header, CryptoError> {
    let mark = engine.state().header().clone();
    file.load_fitting(|header| belongs(header, engine.keyring.root(), &mark))
}

/// Whether a header is of this store and holds all that the store's latest change of it named.
pub(super) fn belongs(header: &Header, root: &RootKey, mark: &HeaderMark) -> bool {
    let holds = |named: &u64| header.slots().iter().any(|slot| slot.id().number() == *named);
    header.generation() >= mark.generation
        && mark.slots.iter().flatten().all(holds)
        && header.is_genuine(root)
}

/// Which slots open the store. Where the mark may be from a time before the latest change, so does the only one that
/// somebody has: nothing can be changed there, and somebody has to look.
pub(super) fn counting(
    header: &Header,
    mark: &HeaderMark,
    may_be_old: bool,
) -> impl Fn(SlotId) -> bool + use<> {
    let named = |slot: &&Slot| mark.counts(slot.id().number());
    let same_door = |one: &Slot, other: &Slot| match one.kind() {
        SlotKind::Recovery => other.kind() == SlotKind::Recovery,
        SlotKind::Passphrase | SlotKind::KeyFile => is_of(other, one.label()),
    };
    let alone = |slot: &&Slot| !header.slots().iter().filter(named).any(|other| same_door(slot, other));
    let counting: Vec<_> =
        header.slots().iter().filter(|slot| named(slot) || may_be_old && alone(slot)).map(Slot::id).collect();
    move |slot| counting.contains(&slot)
}

/// Removes a slot that no commit names. One that stays behind opens nothing, and goes when the store is opened again.
fn take_back(file: &mut HeaderFile, before: &Header, error: &EngineError) {
    // Which of the two the store names is not known: both stay.
    if !error.may_be_made() {
        let _ = file.replace(before);
    }
}

/// Removes from the header what the store names no more. What stays behind opens nothing, and goes when the store is
/// opened again.
fn tidy(engine: &LocalEngine, file: &mut HeaderFile, header: &Header) {
    let mark = engine.state().header().clone();
    let kept = header.keep(engine.keyring.root(), |slot| mark.counts(slot.id().number()));
    if let Err(error) = kept.and_then(|kept| file.replace(&kept)) {
        tracing::warn!(%error, "slots that open nothing any more are still in the header");
    }
}

/// Whether a slot is an operator's: by the name just as it was written, for another's may be compared as the same.
fn is_of(slot: &Slot, name: &str) -> bool {
    slot.kind() != SlotKind::Recovery && slot.label() == name
}

fn header(engine: &LocalEngine) -> Result<MutexGuard<'_, HeaderFile>, EngineError> {
    let header = engine.header.as_ref().ok_or(EngineError::Crypto(CryptoError::SlotUnknown))?;
    Ok(header.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The name of the operator a command is about, who may not exist yet.
fn name_of(engine: &LocalEngine, command: &Command) -> Result<String, EngineError> {
    if let Command::AddOperator { name, .. } = command {
        return Ok(name.to_string());
    }
    let About::Operator(id) = command.about() else { return Err(Refusal::NoSuchOperator.into()) };
    Ok(engine.state().operator(id).ok_or(Refusal::NoSuchOperator)?.name.to_string())
}

fn now_ms(engine: &LocalEngine) -> u64 {
    u64::try_from(engine.now().time.0).unwrap_or(0)
}

#[cfg(test)]
mod tests;
