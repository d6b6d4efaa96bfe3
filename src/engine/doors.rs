//! Who can get in: the slots of the header, kept in step with the operators. The header lies beside the store, so a
//! change takes two writes, and either can fail. The commit decides: its record names the slots that count. A slot is
//! written before and opens nothing until it is named; one that is replaced opens until it no longer is. What is in the
//! header and not named is removed after, when the disk allows.

use std::collections::HashSet;
use std::sync::{MutexGuard, RwLock};

use minicbor::{Decode, Encode};

use super::reading::Reading;
use super::{Done, EngineError};
use crate::crypto::CryptoError;
use crate::crypto::header::{Header, Unlock};
use crate::crypto::header_file::HeaderFile;
use crate::crypto::keyring::RootKey;
use crate::crypto::random::OsEntropy;
use crate::crypto::recovery::RecoveryCode;
use crate::crypto::slots::{NewSlot, Slot, SlotId, SlotKind, SlotSecret};
use crate::domain::{HeaderMark, Name, State, Timestamp};

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

/// The header of a store, held for the whole of a change to it: of two who give one name at the same time, the later one is
/// judged by what the earlier one did.
pub(super) struct Held<'e> {
    pub file: MutexGuard<'e, HeaderFile>,
    pub root: &'e RootKey,
    /// Whose record says which slots count.
    pub state: &'e RwLock<State>,
}

impl Held<'_> {
    /// What the store says of its header.
    fn mark(&self) -> HeaderMark {
        Reading::of(self.state).header().clone()
    }

    /// The header that belongs to what the store says of it. A copy of another moment beside it counts for nothing.
    pub fn current(&mut self) -> Result<Header, CryptoError> {
        let (root, mark) = (self.root, self.mark());
        self.file.load_fitting(|header| belongs(header, root, &mark))
    }

    /// All slots that count for whoever `sees_all`, else the recovery slot and `own`.
    pub fn doors(&mut self, own: &Name, sees_all: bool) -> Result<Vec<Door>, CryptoError> {
        let header = self.current()?;
        let seen =
            |slot: &&Slot| sees_all || slot.kind() == SlotKind::Recovery || slot.label() == own.as_str();
        let door = |slot: &Slot| Door {
            kind: slot.kind(),
            label: slot.label().to_owned(),
            created_at: Timestamp(i64::try_from(slot.created_ms()).unwrap_or(i64::MAX)),
        };
        Ok(header.slots().iter().filter(seen).map(door).collect())
    }

    /// Makes a change after which no slot of `name` counts, and takes those away.
    pub fn shut_out(
        &mut self,
        name: &str,
        change: impl FnOnce(HeaderMark) -> Result<Done, EngineError>,
    ) -> Result<Done, EngineError> {
        let before = self.current()?;
        let mark = self.mark();
        let done = change(naming(&before, |slot| mark.counts(slot.id().number()) && !is_of(slot, name)))?;
        self.tidy(&before);
        Ok(done)
    }

    /// Makes a new recovery code. The old one goes only when the new one is sure to open the store: until its slot is gone
    /// from the header, both are named, so that whatever fails on the way, the code somebody has on paper opens.
    pub fn renew_recovery(
        &mut self,
        created_ms: u64,
        change: impl Fn(HeaderMark) -> Result<Done, EngineError>,
    ) -> Result<Done, EngineError> {
        let code = RecoveryCode::generate(&mut OsEntropy)?;
        let new = NewSlot { label: RECOVERY_LABEL, created_ms, secret: SlotSecret::Recovery(&code) };
        let is_recovery = |slot: &Slot| slot.kind() == SlotKind::Recovery;
        let before = self.current()?;
        let mark = self.mark();
        // A renewal that was cut off leaves two that count. The later one was shown to nobody and makes room.
        let counting = |slot: &&Slot| is_recovery(slot) && mark.counts(slot.id().number());
        let on_paper = before.slots().iter().find(counting).map(Slot::id);
        let base = before
            .keep(self.root, |slot| !is_recovery(slot) || on_paper.is_none_or(|old| old == slot.id()))?;
        let added = self.add(&base, new, &Unlock::Recovery(&code), is_recovery)?;
        let named = naming(&added.header, |slot| added.is(slot) || mark.counts(slot.id().number()));
        let done = change(named).inspect_err(|error| self.take_back(&before, error))?;
        let ended = added.header.keep(self.root, |slot| added.is(slot) || !is_recovery(slot))?;
        if let Err(error) = self.file.replace(&ended) {
            // Nobody has the new code yet. It is not shown while the old one may still open.
            let old_opens =
                self.current().map_or(true, |now| now.slots().iter().any(|s| is_recovery(s) && !added.is(s)));
            if old_opens {
                return Err(error.into());
            }
            tracing::warn!(%error, "the header is changed, but not its copy");
        }
        // From now on a header in which the old one still is, a copy that was not written or that somebody kept, is an old one.
        let named = naming(&ended, |slot| added.is(slot) || mark.counts(slot.id().number()));
        if let Err(error) = change(named) {
            tracing::warn!(%error, "an older header would still let the old recovery code in");
        }
        Ok(Done { code: Some(code), ..done })
    }

    /// Writes a header of an older format anew and has the store name it: from then on nobody opens with one of before, and no
    /// keydeck that knows that format only opens at all. Until it is named, both open.
    pub fn upgrade(
        &mut self,
        change: impl FnOnce(u16, HeaderMark) -> Result<Done, EngineError>,
    ) -> Result<(), EngineError> {
        let before = self.current()?;
        let Some(from) = before.old_format() else { return Ok(()) };
        let next = before.upgraded(self.root)?;
        self.file.replace(&next)?;
        let mark = self.mark();
        change(from, naming(&next, |slot| mark.counts(slot.id().number()))).map(drop)
    }

    /// Gives somebody the slot `new`, which `opens`: it is written and tried, then the change names it and their old ones
    /// no more.
    pub fn let_in(
        &mut self,
        new: NewSlot<'_>,
        opens: &Unlock<'_>,
        change: impl FnOnce(HeaderMark) -> Result<Done, EngineError>,
    ) -> Result<Done, EngineError> {
        let theirs = |slot: &Slot| is_of(slot, new.label);
        let before = self.current()?;
        let added = self.add(&before, new, opens, theirs)?;
        let mark = self.mark();
        let named =
            naming(&added.header, |slot| added.is(slot) || mark.counts(slot.id().number()) && !theirs(slot));
        let done = change(named).inspect_err(|error| self.take_back(&before, error))?;
        self.tidy(&added.header);
        Ok(done)
    }

    /// Writes a slot beside those it is to replace, and sees that it `opens`: what cannot be opened must not replace what
    /// can. What an earlier change left behind that came to nothing makes room.
    fn add(
        &mut self,
        before: &Header,
        new: NewSlot<'_>,
        opens: &Unlock<'_>,
        theirs: impl Fn(&Slot) -> bool,
    ) -> Result<Added, EngineError> {
        let mark = self.mark();
        let base = before.keep(self.root, |slot| mark.counts(slot.id().number()) || !theirs(slot))?;
        let header = base.add_slot(self.root, new, &mut OsEntropy)?;
        let slot = header.slots().last().map(Slot::id).ok_or(CryptoError::SlotUnknown)?;
        let tried = self.file.replace(&header).and_then(|()| self.file.load());
        if let Err(error) = tried.and_then(|written| written.unlock_among(opens, |other| other == slot)) {
            let _ = self.file.replace(before);
            return Err(error.into());
        }
        Ok(Added { header, slot })
    }

    /// Removes a slot that no commit names. One that stays behind opens nothing, and goes when the store is opened again.
    fn take_back(&mut self, before: &Header, error: &EngineError) {
        // Which of the two the store names is not known: both stay.
        if !error.may_be_made() {
            let _ = self.file.replace(before);
        }
    }

    /// Removes from the header what the store names no more. What stays behind opens nothing, and goes when the store is
    /// opened again.
    fn tidy(&mut self, header: &Header) {
        let mark = self.mark();
        let kept = header.keep(self.root, |slot| mark.counts(slot.id().number()));
        // What is written already as it shall be is not written again.
        if let Err(error) = kept.and_then(|kept| self.file.heal(&kept)) {
            tracing::warn!(%error, "slots that open nothing any more are still in the header");
        }
    }
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

/// What the store shall remember of a header: its generation, and the slots that count.
pub(super) fn naming(header: &Header, counts: impl Fn(&Slot) -> bool) -> HeaderMark {
    let slots = header.slots().iter().filter(|slot| counts(slot)).map(|slot| slot.id().number()).collect();
    HeaderMark { generation: header.generation(), slots: Some(slots) }
}

/// Whether a header is of this store and holds all that the store's latest change of it named.
pub(super) fn belongs(header: &Header, root: &RootKey, mark: &HeaderMark) -> bool {
    let held: HashSet<u64> = header.slots().iter().map(|slot| slot.id().number()).collect();
    header.generation() >= mark.generation
        && mark.slots.iter().flatten().all(|named| held.contains(named))
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
    let counting: HashSet<_> =
        header.slots().iter().filter(|slot| named(slot) || may_be_old && alone(slot)).map(Slot::id).collect();
    move |slot| counting.contains(&slot)
}

/// Whether a slot is an operator's: by the name just as it was written, for another's may be compared as the same.
fn is_of(slot: &Slot, name: &str) -> bool {
    slot.kind() != SlotKind::Recovery && slot.label() == name
}

#[cfg(test)]
mod tests;
