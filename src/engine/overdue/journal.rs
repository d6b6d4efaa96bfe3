//! What waits, as it lies beside the database: sealed under a key of its own and bound to this store, so that nobody can
//! write a denial there or bring one from another store. It holds requests and no secrets, and names who asked.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::audit_log::Doubt;
use super::super::owed::Note;
use crate::crypto::Keyring;
use crate::crypto::record::{OVERHEAD, Sealer};
use crate::store::{Journal, JournalCopy};

/// What the sealed text is bound to besides the store.
const PLACE: &[u8] = b"journal";

/// Bytes around the notes: the seal of the text, and the length of the list.
const ENVELOPE: usize = OVERHEAD + 9;

/// The journal of an unsealed store.
pub struct Kept {
    journal: Journal,
    sealer: Sealer,
    /// Of the text that is durable there. Each audit entry names it, so that a journal that is gone, emptied or an
    /// older one does not pass for one in which nothing was kept.
    generation: Arc<AtomicU64>,
    /// The last number a text was given, whatever became of it; of two copies the later one counts.
    given: Mutex<u64>,
}

impl Kept {
    /// What the process before left, where the newest audit entry names the text of generation `named`; 0 is a store
    /// that never named one. `Ok(None)` when nothing was ever kept. `Err` is a doubt: something was, and nobody can say
    /// what. Nothing is written.
    pub fn open(dir: &Path, keyring: &Keyring, named: u64) -> Result<Option<(Self, Vec<Note>)>, Doubt> {
        let doubt = |why: &str| {
            let advice = if named == 0 {
                "If nothing was denied on a failing disk lately, move it away"
            } else {
                "Put the file `denials` back as it was, or your backup of the whole data directory"
            };
            Doubt::altered(format!(
                "the file denials, which keeps what was denied while the disk failed, cannot be relied upon: {why}. \
                 {advice}"
            ))
        };
        let journal = match Journal::open(dir) {
            Ok(Some(journal)) => journal,
            Ok(None) if named == 0 => return Ok(None),
            Ok(None) => return Err(doubt("it is missing")),
            Err(error) => return Err(doubt(&error.to_string())),
        };
        let kept = Self::on(journal, keyring);
        let copies = kept.journal.read().map_err(|error| doubt(&error.to_string()))?;
        let mut newest: Option<(usize, u64, Vec<Note>)> = None;
        let mut damage = None;
        for (at, copy) in copies.iter().enumerate() {
            match kept.decode(copy) {
                Ok(Some((generation, notes))) => {
                    if newest.as_ref().is_none_or(|(_, newer, _)| *newer < generation) {
                        newest = Some((at, generation, notes));
                    }
                }
                Ok(None) => {}
                Err(why) => damage = Some(why),
            }
        }
        match (newest, damage) {
            // One copy may be spoilt by a write that was cut off; what was promised is in the other.
            (Some((at, generation, notes)), _) if generation >= named => {
                kept.journal.distrust(1 - at);
                kept.generation.store(generation, Ordering::Release);
                *kept.given.lock().unwrap_or_else(PoisonError::into_inner) = generation;
                Ok(Some((kept, notes)))
            }
            (Some(_), _) => Err(doubt("it is an older one than the audit trail knows")),
            (None, Some(why)) if named > 0 => Err(doubt(&why)),
            (None, None) if named > 0 => Err(doubt("it was emptied")),
            // The first write of all was cut off before it was promised.
            (None, Some(_)) if copies.contains(&JournalCopy::Blank) => Ok(None),
            (None, Some(why)) => Err(doubt(&why)),
            (None, None) => Ok(None),
        }
    }

    /// Makes room where nothing was kept, and keeps an empty list: from then on there is a text that can be missed. Without
    /// room, what the disk does not take is in force in this process only, and whoever asks for it is told so.
    pub fn begin(dir: &Path, keyring: &Keyring) -> Option<Self> {
        let claimed = Journal::claim(dir).map(|journal| Self::on(journal, keyring));
        let kept = claimed
            .inspect_err(
                |error| tracing::warn!(%error, "no room is kept in reserve for denials on a full disk"),
            )
            .ok()?;
        if let Err(why) = kept.write(&[]) {
            tracing::warn!(%why, "the audit trail cannot name the file denials yet");
        }
        Some(kept)
    }

    /// Makes room again in a file that was cut short.
    pub fn fill_up(&self) {
        if let Err(error) = self.journal.fill_up() {
            tracing::warn!(%error, "the file denials has less room than it needs on a full disk");
        }
    }

    fn on(journal: Journal, keyring: &Keyring) -> Self {
        Self {
            journal,
            sealer: keyring.journal_sealer(),
            generation: Arc::default(),
            given: Mutex::default(),
        }
    }

    /// The text that is durable there, as it lies: what a backup needs to be whole.
    pub fn text(&self) -> Result<Vec<u8>, String> {
        let named = self.generation.load(Ordering::Acquire);
        let copies = self.journal.read().map_err(|error| error.to_string())?;
        let current = copies.into_iter().find_map(|copy| match (self.decode(&copy), copy) {
            (Ok(Some((generation, _))), JournalCopy::Text(text)) if generation == named => Some(text),
            _ => None,
        });
        current.ok_or_else(|| "the file denials cannot be read as it was written".into())
    }

    fn decode(&self, copy: &JournalCopy) -> Result<Option<(u64, Vec<Note>)>, String> {
        let text = match copy {
            JournalCopy::Blank => return Ok(None),
            JournalCopy::Torn => return Err("its length is wrong".into()),
            JournalCopy::Text(text) => text,
        };
        let opened = self.sealer.open(PLACE, text).map_err(|error| error.to_string())?;
        let notes = minicbor::decode(&opened.plain).map_err(|error| error.to_string())?;
        Ok(Some((opened.revision, notes)))
    }

    /// What audit entries name, as it will be when they are written.
    pub fn generation(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.generation)
    }

    /// Keeps exactly these, durably, and says of each whether there was room for it, or why none is kept. What callers did
    /// by themselves takes at most half of the room: the other half is for those who answer for the store.
    pub fn write(&self, notes: &[&Note]) -> Result<Vec<bool>, String> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut room, mut for_callers) = (Journal::ROOM - ENVELOPE, Journal::ROOM / 2);
        let (mut fit, mut kept) = (Vec::with_capacity(notes.len()), Vec::new());
        for note in notes {
            let size = minicbor::to_vec(note).map_err(|error| error.to_string())?.len();
            let fits = size <= room && (!note.session.is_service() || size <= for_callers);
            if fits {
                room -= size;
                for_callers = for_callers.saturating_sub(if note.session.is_service() { size } else { 0 });
                kept.push(*note);
            }
            fit.push(fits);
        }
        let plain = minicbor::to_vec(&kept).map_err(|error| error.to_string())?;
        let next = given.saturating_add(1);
        let sealed = self.sealer.seal(PLACE, next, &plain).map_err(|error| error.to_string())?;
        // Whatever becomes of it: a number is not used twice.
        *given = next;
        self.journal.write(&sealed).map_err(|error| error.to_string())?;
        self.generation.store(next, Ordering::Release);
        Ok(fit)
    }
}
