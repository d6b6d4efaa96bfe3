//! Who can get in: the slots of the header, kept in step with the operators. The order of the two writes is what
//! matters. Giving access: slot first, record after; a slot without a record opens nothing. Taking access: record
//! first, slot after; a slot left behind belongs to somebody disabled and opens nothing either.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use super::local::LocalEngine;
use super::session::Session;
use super::{Done, Engine, EngineError, NewSecret};
use crate::crypto::CryptoError;
use crate::crypto::header::Header;
use crate::crypto::header::Unlock;
use crate::crypto::header_file::HeaderFile;
use crate::crypto::keyfile::KeyFileSecret;
use crate::crypto::random::OsEntropy;
use crate::crypto::recovery::RecoveryCode;
use crate::crypto::slots::{NewSlot, Slot, SlotId, SlotKind, SlotSecret};
use crate::domain::authorize::acting;
use crate::domain::{Access, Command, KeysAfter, Name, OperatorId, Refusal, Role, Timestamp};

/// Label of the recovery slot.
pub(super) const RECOVERY_LABEL: &str = "recovery";

/// One slot, as people may know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// What opens it.
    pub kind: SlotKind,
    /// Whose it is: an operator's name, or a name for the recovery code.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Where the store lies and what opens it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doors {
    /// The data directory; `None` for a store in memory.
    pub dir: Option<PathBuf>,
    /// The slots one may know of; none for a store in memory, whose key nobody keeps.
    pub slots: Vec<Door>,
    /// When the seal beside the database was written last.
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
    let slots = header(engine)?
        .load()?
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
    Ok(Doors { dir: engine.dir().map(ToOwned::to_owned), slots, sealed_at })
}

pub(super) fn add_operator(
    engine: &LocalEngine,
    session: &Session,
    name: &Name,
    role: Role,
    secret: &NewSecret<'_>,
) -> Result<Done, EngineError> {
    let command = Command::AddOperator { name: name.clone(), role };
    let_in(engine, session, command, secret, || Ok(name.to_string()))
}

pub(super) fn enable_operator(
    engine: &LocalEngine,
    session: &Session,
    operator: OperatorId,
    secret: &NewSecret<'_>,
) -> Result<Done, EngineError> {
    let_in(engine, session, Command::EnableOperator(operator), secret, || name_of(engine, operator))
}

pub(super) fn set_secret(
    engine: &LocalEngine,
    session: &Session,
    operator: OperatorId,
    secret: &NewSecret<'_>,
) -> Result<Done, EngineError> {
    let_in(engine, session, Command::SetSecret(operator), secret, || name_of(engine, operator))
}

pub(super) fn disable_operator(
    engine: &LocalEngine,
    session: &Session,
    operator: OperatorId,
    keys: KeysAfter,
) -> Result<Done, EngineError> {
    let done = engine.execute(session, Command::DisableOperator { operator, keys })?;
    if engine.header.is_none() {
        return Ok(done);
    }
    let name = name_of(engine, operator)?;
    let mut file = header(engine)?;
    let mut now = file.load()?;
    for slot in slots_of(&now, &name) {
        now = now.remove_slot(engine.keyring.root(), slot)?;
    }
    write(engine, &mut file, &now)?;
    Ok(done)
}

pub(super) fn renew_recovery(engine: &LocalEngine, session: &Session) -> Result<RecoveryCode, EngineError> {
    engine.rehearse(session, &Command::ReplaceRecovery)?;
    let code = RecoveryCode::generate(&mut OsEntropy)?;
    let root = engine.keyring.root();
    let mut file = header(engine)?;
    let before = file.load()?;
    let old = before.slots().iter().find(|s| s.kind() == SlotKind::Recovery).map(Slot::id);
    let created_ms = now_ms(engine);
    if let Some(old) = old {
        let change =
            before.replace_slot(root, old, SlotSecret::Recovery(&code), created_ms, &mut OsEntropy)?;
        write(engine, &mut file, &change.with_both)?;
        file.load()?.unlock(&Unlock::Recovery(&code))?;
        write(engine, &mut file, &change.finished)?;
    } else {
        let slot = NewSlot { label: RECOVERY_LABEL, created_ms, secret: SlotSecret::Recovery(&code) };
        write(engine, &mut file, &before.add_slot(root, slot, &mut OsEntropy)?)?;
    }
    drop(file);
    engine.execute(session, Command::ReplaceRecovery)?;
    Ok(code)
}

/// Gives a slot to the one a command lets in, and lets them in. Who they are is asked only if the command may be given.
fn let_in(
    engine: &LocalEngine,
    session: &Session,
    command: Command,
    secret: &NewSecret<'_>,
    name: impl FnOnce() -> Result<String, EngineError>,
) -> Result<Done, EngineError> {
    engine.rehearse(session, &command)?;
    give_slot(engine, &name()?, secret)?;
    engine.execute(session, command)
}

/// Makes `secret` the one that opens for that name: the new slot is written and tried before the old ones go.
fn give_slot(engine: &LocalEngine, name: &str, secret: &NewSecret<'_>) -> Result<(), EngineError> {
    // A store in memory is never unsealed again: it has no slots, and its operators are names.
    if engine.header.is_none() {
        return Ok(());
    }
    let root = engine.keyring.root();
    let mut file = header(engine)?;
    let before = file.load()?;
    let key_file;
    let (slot_secret, kind) = match secret {
        NewSecret::Passphrase(passphrase) => {
            (SlotSecret::Passphrase(passphrase, engine.cost), SlotKind::Passphrase)
        }
        NewSecret::KeyFile(path) => {
            key_file = KeyFileSecret::create(path, &mut OsEntropy)?;
            (SlotSecret::KeyFile(&key_file), SlotKind::KeyFile)
        }
    };
    let created_ms = now_ms(engine);
    let old = slots_of(&before, name);
    let twin = before.slots().iter().find(|s| old.contains(&s.id()) && s.kind() == kind).map(Slot::id);
    let mut after = match twin {
        Some(twin) => {
            let change = before.replace_slot(root, twin, slot_secret, created_ms, &mut OsEntropy)?;
            write(engine, &mut file, &change.with_both)?;
            change.finished
        }
        None => {
            let slot = NewSlot { label: name, created_ms, secret: slot_secret };
            let added = before.add_slot(root, slot, &mut OsEntropy)?;
            write(engine, &mut file, &added)?;
            added
        }
    };
    // What cannot be opened must not replace what can.
    let written = file.load()?;
    match slot_secret {
        SlotSecret::Passphrase(passphrase, _) => written.unlock(&Unlock::Operator { name, passphrase }),
        SlotSecret::Recovery(code) => written.unlock(&Unlock::Recovery(code)),
        SlotSecret::KeyFile(file) => written.unlock(&Unlock::KeyFile(file)),
    }?;
    for slot in old.into_iter().filter(|slot| Some(*slot) != twin) {
        after = after.remove_slot(root, slot)?;
    }
    write(engine, &mut file, &after)?;
    Ok(())
}

/// The slots of an operator: under the name just as it was written, for another's may be compared as the same.
fn slots_of(header: &Header, name: &str) -> Vec<SlotId> {
    header
        .slots()
        .iter()
        .filter(|s| s.kind() != SlotKind::Recovery && s.label() == name)
        .map(Slot::id)
        .collect()
}

/// Writes the header and counts it, so that the next commit remembers it.
fn write(engine: &LocalEngine, file: &mut HeaderFile, header: &Header) -> Result<(), EngineError> {
    file.replace(header)?;
    engine.header_generation.fetch_max(header.generation(), Ordering::SeqCst);
    Ok(())
}

fn header(engine: &LocalEngine) -> Result<MutexGuard<'_, HeaderFile>, EngineError> {
    let header = engine.header.as_ref().ok_or(EngineError::Crypto(CryptoError::SlotUnknown))?;
    Ok(header.lock().unwrap_or_else(PoisonError::into_inner))
}

fn name_of(engine: &LocalEngine, operator: OperatorId) -> Result<String, EngineError> {
    let state = engine.state();
    Ok(state.operator(operator).ok_or(Refusal::NoSuchOperator)?.name.to_string())
}

fn now_ms(engine: &LocalEngine) -> u64 {
    u64::try_from(engine.now().time.0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::passphrase::{Cost, Passphrase};
    use crate::domain::audit::Entry;
    use crate::domain::{Operator, PublicId, Record, Standing};
    use crate::engine::Via;
    use crate::engine::open::{Key, Options, found, open};

    #[test]
    fn a_store_in_which_two_names_have_become_one_opens_for_both() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { cost: Cost::IMPORTED, ..Options::new(dir.path(), "test", Via::CommandLine) };
        let name = |text: &str| Name::new(text).unwrap();
        let phrase = |text: &str| Passphrase::choose(&format!("the passphrase of {text}")).unwrap();
        let store = found(&options, name("Acme"), name("maria"), &phrase("maria")).unwrap().open;
        let both = [
            ("Straße", OperatorId(PublicId::from_bytes([b'2'; 12]).unwrap())),
            ("STRASSE", OperatorId(PublicId::from_bytes([b'3'; 12]).unwrap())),
        ];
        for (called, id) in both {
            // Written as when these were two names: the rules would refuse the second by now.
            let at = store.engine.now().time;
            let operator = Operator {
                id,
                name: name(called),
                role: Role::Viewer,
                standing: Standing::Active,
                created_at: at,
            };
            let entry = Entry::of(store.session.line(&store.engine.state()), at, "operator.add");
            store.engine.ledger().write(entry, vec![Record::Operator(operator)], None).unwrap();
            give_slot(&store.engine, called, &NewSecret::Passphrase(&phrase(called))).unwrap();
        }
        drop(store);
        let enter = |called: &str, secret: &Passphrase| {
            open(&options, &Key::Operator { name: called, passphrase: secret })
        };
        for (called, id) in both {
            let entered = enter(called, &phrase(called)).unwrap();
            assert_eq!(entered.session.actor().operator, id, "{called}");
        }
        // A new secret of the one leaves the other's alone.
        let entered = enter("Straße", &phrase("Straße")).unwrap();
        set_secret(&entered.engine, &entered.session, both[0].1, &NewSecret::Passphrase(&phrase("x")))
            .unwrap();
        drop(entered);
        assert!(enter("STRASSE", &phrase("STRASSE")).is_ok());
        assert!(enter("Straße", &phrase("x")).is_ok());
    }
}
