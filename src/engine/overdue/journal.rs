//! What waits, as it lies beside the database: sealed under a key of its own and bound to this store, so that nobody can
//! write a denial there or bring one from another store. It holds requests and no secrets, and names who asked.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use minicbor::{Decode, Encode};

use super::super::audit_log::Doubt;
use super::super::session::Session;
use crate::crypto::Keyring;
use crate::crypto::record::{OVERHEAD, Sealer};
use crate::domain::audit::{Entry, Outcome, SubjectLine};
use crate::domain::command::About;
use crate::domain::{Command, Extent, RecordKey, Timestamp};
use crate::store::{Journal, JournalCopy};

/// What the sealed text is bound to besides the store.
const PLACE: &[u8] = b"journal";

/// Bytes around the notes: the seal of the text, and the length of the list.
const ENVELOPE: usize = OVERHEAD + 9;

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
    /// The newest audit entry at that time: its own comes later. Notes of before have none.
    #[n(4)]
    pub after: Option<u64>,
}

impl Note {
    /// Whether `entry` is the one this denial was written with.
    pub fn is_told_by(&self, entry: &Entry) -> bool {
        // As it stands in the trail: all but that of a key begin with what they are of.
        let of = |id: String| entry.subjects.iter().any(|subject| subject.id == id);
        self.after.is_none_or(|after| entry.seq > after)
            && entry.outcome == Outcome::Done
            && entry.at == self.at.0
            && self.command.comes_with(&entry.event)
            && self.session.is(&entry.actor.session)
            && match self.command.about() {
                About::Nothing | About::Policy => true,
                About::Operator(id) => of(id.to_string()),
                About::Location(id) => of(id.to_string()),
                About::Key(id) => of(id.to_string()),
                // Each part has an entry of its own, and no key is in two of them.
                About::Keys => self.command.keys().any(|id| of(id.to_string())),
                About::App(id) | About::Token(id) => of(id.to_string()),
                About::Extent(extent) => of(extent.id().unwrap_or_else(|| SubjectLine::AGENCY.to_owned())),
            }
    }

    /// The records it is about.
    pub fn records(&self) -> Vec<RecordKey> {
        match self.command.about() {
            About::Nothing => Vec::new(),
            About::Policy => vec![RecordKey::Policy],
            About::Operator(id) => vec![RecordKey::Operator(id)],
            About::Location(id) => vec![RecordKey::Location(id)],
            About::Key(id) => vec![RecordKey::Key(id)],
            About::Keys => self.command.keys().map(RecordKey::Key).collect(),
            About::App(id) => vec![RecordKey::App(id)],
            About::Token(id) => vec![RecordKey::Revoked(id)],
            About::Extent(extent) => vec![match extent {
                Extent::Agency => RecordKey::Agency,
                Extent::Owner(id) => RecordKey::Operator(id),
                Extent::Location(id) => RecordKey::Location(id),
                Extent::App(id) => RecordKey::App(id),
            }],
        }
    }

    /// Whether `entry` changed one of them after this was asked for.
    pub fn is_outdated_by(&self, entry: &Entry) -> bool {
        let later = self.after.map_or(entry.at > self.at.0, |after| entry.seq > after);
        let written = |record: RecordKey| entry.records.iter().any(|line| line.key == record.to_string());
        later && self.records().into_iter().any(written)
    }
}

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
