//! What waits, as it lies beside the database: sealed under a key of its own and bound to this store, so that nobody can
//! write a denial there or bring one from another store. It holds requests and no secrets, and names who asked.

use std::sync::{Mutex, PoisonError};

use minicbor::{Decode, Encode};

use super::super::audit_log::Doubt;
use super::super::session::Session;
use crate::crypto::Keyring;
use crate::crypto::record::Sealer;
use crate::domain::{Command, Timestamp};
use crate::store::{Journal, JournalCopy};

/// What the sealed text is bound to besides the store.
const PLACE: &[u8] = b"journal";

/// Why something waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Why {
    /// Somebody asked for it.
    #[n(0)]
    Asked,
    /// Its secret was made, perhaps, and never shown to anybody.
    #[n(1)]
    NeverShown,
}

/// One denial.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Note {
    /// Who asked.
    #[n(0)]
    pub session: Session,
    /// For what.
    #[n(1)]
    pub command: Command,
    /// When.
    #[n(2)]
    pub at: Timestamp,
    /// Why it waits.
    #[n(3)]
    pub why: Why,
}

/// The journal of an unsealed store.
pub struct Kept {
    journal: Journal,
    sealer: Sealer,
    /// Grows with each write; of two copies the later one counts.
    generation: Mutex<u64>,
}

impl Kept {
    /// What the process before left. `Err` is a doubt: something was kept there, and nobody can say what.
    pub fn open(journal: Journal, keyring: &Keyring) -> (Self, Result<Vec<Note>, Doubt>) {
        let kept = Self { journal, sealer: keyring.journal_sealer(), generation: Mutex::new(0) };
        let notes = kept.read();
        (kept, notes)
    }

    fn read(&self) -> Result<Vec<Note>, Doubt> {
        let doubt = |why: &str| {
            Doubt::altered(format!(
                "the file denials, which keeps what was denied while the disk failed, cannot be relied upon: {why}. If \
                 nothing was denied on a failing disk lately, move it away"
            ))
        };
        let copies = self.journal.read().map_err(|error| doubt(&error.to_string()))?;
        let mut newest: Option<(u64, Vec<Note>)> = None;
        let mut damage = None;
        for copy in &copies {
            let text = match copy {
                JournalCopy::Blank => continue,
                JournalCopy::Torn => Err("its length is wrong".to_owned()),
                JournalCopy::Text(text) => self.sealer.open(PLACE, text).map_err(|error| error.to_string()),
            };
            let read = text.and_then(|opened| {
                let notes = minicbor::decode(&opened.plain).map_err(|error| error.to_string())?;
                Ok((opened.revision, notes))
            });
            match read {
                Ok((generation, notes)) if newest.as_ref().is_none_or(|(newer, _)| *newer < generation) => {
                    newest = Some((generation, notes));
                }
                Ok(_) => {}
                Err(why) => damage = Some(why),
            }
        }
        match (newest, damage) {
            // One copy is spoilt by a write that was cut off; what was promised is in the other.
            (Some((generation, notes)), _) => {
                *self.generation.lock().unwrap_or_else(PoisonError::into_inner) = generation;
                Ok(notes)
            }
            // The first write of all was cut off before it was promised.
            (None, Some(_)) if copies.contains(&JournalCopy::Blank) => Ok(Vec::new()),
            (None, Some(why)) => Err(doubt(&why)),
            (None, None) => Ok(Vec::new()),
        }
    }

    /// Keeps exactly these, durably, or says why not.
    pub fn write(&self, notes: &[&Note]) -> Result<(), String> {
        let mut generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        let plain = minicbor::to_vec(notes).map_err(|error| error.to_string())?;
        let next = generation.saturating_add(1);
        let sealed = self.sealer.seal(PLACE, next, &plain).map_err(|error| error.to_string())?;
        // Whatever becomes of it: a number is not used twice.
        *generation = next;
        self.journal.write(&sealed).map_err(|error| error.to_string())
    }
}
