//! Reading a store into memory at open, and checking while reading that it is what the audit trail says: every
//! record opens under its own key, their digest is the one the newest entry vouches for, and the seal file knows
//! no later state.

mod gather;

use std::collections::HashMap;
use std::ops::ControlFlow;

pub(super) use self::gather::workers;
use self::gather::{Intake, Read};
use super::audit_log::Doubt;
use super::error::EngineError;
use super::ledger::{Head, hex};
use super::owed::Note;
use super::patience::Patience;
use super::proof::{Newest, Trail};
use super::rows::{CLOCK_KEY, COVERAGE_KEY, UNBROKEN_KEY, UNSHOWN_KEY, Unbroken};
use super::timekeeper::Mark;
use crate::crypto::Keyring;
use crate::crypto::record::Sealer;
use crate::crypto::state_digest::StateDigest;
use crate::domain::audit::Trimmed;
use crate::domain::history::Coverage;
use crate::domain::proof::Against;
use crate::domain::{Catalog, Proof, PublicId, State, Timestamp};
use crate::store::{self, Opened, Rev, Seal, Store, StoreError};

/// What was read.
pub struct Loaded {
    /// The records.
    pub state: State,
    /// Where the chain stands.
    pub head: Head,
    /// Digest of the records.
    pub digest: StateDigest,
    /// The store's revision.
    pub rev: Rev,
    /// Which entries of the trail are no longer in the store.
    pub trimmed: Option<Trimmed>,
    /// The highest believed time.
    pub mark: Option<Mark>,
    /// Since when no use was lost.
    pub unbroken: Option<Unbroken>,
    /// Of which time histories are whole.
    pub covered: Option<Coverage>,
    /// What others write down of uses.
    pub others: Others,
    /// The generation of the journal of denials that the newest entry names; 0 when it names none.
    pub journal: u64,
    /// What takes back the newest secret, when it was made and nobody was shown it.
    pub unshown: Option<Note>,
    /// What does not agree, in words; empty when all is well.
    pub doubts: Vec<Doubt>,
    /// What may be believed of it.
    pub proof: Proof,
}

/// What rows of uses that others write say, so that ours go on saying what we saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// Requests they counted, by key or app.
    pub counted: HashMap<PublicId, u64>,
    /// Since when none of them lost a use.
    pub since: Option<Timestamp>,
}

/// What lies beside the database and says how far it should go.
#[derive(Clone, Copy, Debug)]
pub struct Witness<'a> {
    seal: Option<&'a Seal>,
    doubt: Option<&'a store::Doubt>,
}

impl<'a> Witness<'a> {
    /// Of a store in memory.
    #[cfg(test)]
    pub(super) const fn of_seal(seal: Option<&'a Seal>) -> Self {
        Self { seal, doubt: None }
    }

    /// Of a store that was opened.
    pub const fn of(opened: &'a Opened) -> Self {
        Self { seal: opened.seal.as_ref(), doubt: opened.doubt.as_ref() }
    }
}

/// Reads and checks everything but the body of the audit trail, and that too when the rest does not agree.
pub fn load(
    store: &dyn Store,
    keyring: &Keyring,
    catalog: &Catalog,
    witness: Witness<'_>,
    patience: &Patience,
) -> Result<Loaded, EngineError> {
    let sealer = keyring.sealer();
    let trail = Trail::of(store, keyring, &sealer);
    let mut proof = Proof::default();
    let newest = trail.newest()?;
    let (head, newest_at, journal) = (newest.head, newest.at, newest.journal);
    let (base, trimmed) = (newest.base(), newest.trimmed);
    let intake = Intake::of(store, keyring, &sealer, catalog);
    let (Read { state, part, counted }, rev, mut doubts) =
        prove(&intake, patience, &trail, newest, &mut proof)?;
    doubts.extend(witness.doubt.map(|doubt| match doubt {
        store::Doubt::RolledBack { .. } => Doubt::short(doubt.in_words()),
        store::Doubt::SealDamaged(_) => Doubt::altered(doubt.in_words()),
    }));
    // A seal that is damaged is told of already.
    let damaged = matches!(witness.doubt, Some(store::Doubt::SealDamaged(_)));
    let missed = if damaged { None } else { trail.check_seal(keyring, (head, base), witness.seal)? };
    if damaged || missed.is_some() {
        proof.vouch_for_nothing();
    }
    doubts.extend(missed);
    // Without the highest believed time the newest entry tells one; as of another boot, so that a later clock is believed.
    let seen = newest_at.map(|wall| Mark { wall, since_boot: 0, boot: String::new() });
    let ours: Option<Mark> = read_unlisted(store, &sealer, CLOCK_KEY)?.or(seen);
    // The highest time counts, whoever believed it.
    let mark = read_others(store, &sealer, CLOCK_KEY)?.into_iter().chain(ours).max_by_key(|mark| mark.wall);
    let unbroken = read_unlisted(store, &sealer, UNBROKEN_KEY)?;
    let covered = read_unlisted(store, &sealer, COVERAGE_KEY)?;
    let elsewhere: Vec<Unbroken> = read_others(store, &sealer, UNBROKEN_KEY)?;
    let since = elsewhere.iter().map(|unbroken| unbroken.since).max();
    let others = Others { counted, since };
    let unshown = if doubts.is_empty() { read_unshown(store, &sealer, head, witness.seal)? } else { None };
    Ok(Loaded {
        state,
        head,
        digest: part.digest,
        rev,
        trimmed,
        mark,
        unbroken,
        covered,
        others,
        journal,
        unshown,
        doubts,
        proof,
    })
}

/// Reads the records and holds them against the trail.
fn prove(
    intake: &Intake<'_>,
    patience: &Patience,
    trail: &Trail<'_>,
    newest: Newest,
    proof: &mut Proof,
) -> Result<(Read, Rev, Vec<Doubt>), EngineError> {
    let (head, base) = (newest.head, newest.base());
    let read = intake.all(patience);
    let vouched = match (newest.vouched, &read) {
        (Some(Err(why)), _) => Err(why),
        (Some(Ok(state)), Ok((read, _))) if state == hex(&read.part.digest.commitment()) => Ok(true),
        // No entry: only a store with no record at all is a new one.
        (None, Ok((read, _))) => Ok(read.part.found.is_empty() && read.part.unreadable.is_empty()),
        _ => Ok(false),
    };
    let (mut read, rev, said) = match read {
        Ok((read, rev)) if vouched == Ok(true) => {
            // The set is whole: what could not be read does not belong to it.
            proof.doubt(read.part.unreadable.iter().copied(), Against::Word);
            let doubts = read.part.doubts.clone();
            return Ok((read, rev, doubts));
        }
        Ok((read, rev)) => (read, rev, trail.testimony(head, base)?),
        Err(StoreError::Damaged(why)) => {
            let said = trail.testimony(head, base)?;
            let mut read = intake.named(&said)?;
            read.part.doubts.push(Doubt::altered(why));
            (read, intake.store.health().rev, said)
        }
        Err(error) => return Err(error.into()),
    };
    let part = &mut read.part;
    let mut doubts = std::mem::take(&mut part.doubts);
    let found = part.found.iter().copied();
    let strays = said.judge(intake.store, found, part.unreadable.iter(), proof)?;
    proof.doubt(part.unreadable.iter().copied(), Against::Word);
    match vouched {
        Err(why) => {
            proof.vouch_for_nothing();
            doubts.push(why);
        }
        // The trail is whole and each record is as it says, yet not all together: nobody knows what is wrong.
        Ok(_) if strays.is_empty() && doubts.is_empty() => {
            proof.vouch_for_nothing();
            let what = "the records together are not what the newest audit entry vouches for";
            doubts.push(Doubt::altered(what));
        }
        Ok(_) => doubts.extend(strays),
    }
    Ok((read, rev, doubts))
}

/// A secret is shown when the seal knows of the commit that made it, and not before. So while the trail ends with that
/// commit and the seal does not reach as far, nobody has seen it.
fn read_unshown(
    store: &dyn Store,
    sealer: &Sealer,
    head: Head,
    seal: Option<&Seal>,
) -> Result<Option<Note>, EngineError> {
    let sealed = seal.and_then(|seal| Head::from_bytes(&seal.audit_head));
    if sealed.is_none_or(|sealed| sealed.seq >= head.seq) {
        return Ok(None);
    }
    let Some(row) = store.get(UNSHOWN_KEY)? else { return Ok(None) };
    let opened = sealer.open(UNSHOWN_KEY, &row.value).ok().filter(|opened| opened.revision == head.seq);
    Ok(opened.and_then(|opened| minicbor::decode(&opened.plain).ok()))
}

/// The rows that others have of what we have under a key.
fn read_others<T>(store: &dyn Store, sealer: &Sealer, key: &[u8]) -> Result<Vec<T>, EngineError>
where
    T: for<'b> minicbor::Decode<'b, ()>,
{
    let mut found = Vec::new();
    store.scan(&[key, b"/"].concat(), &mut |row| {
        let opened = sealer.open(row.key, row.value).ok();
        found.extend(opened.and_then(|opened| minicbor::decode(&opened.plain).ok()));
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// A row the audit trail does not list. One that cannot be read is as good as none.
fn read_unlisted<T>(store: &dyn Store, sealer: &Sealer, key: &[u8]) -> Result<Option<T>, EngineError>
where
    T: for<'b> minicbor::Decode<'b, ()>,
{
    let Some(entry) = store.get(key)? else { return Ok(None) };
    Ok(sealer.open(key, &entry.value).ok().and_then(|o| minicbor::decode(&o.plain).ok()))
}

#[cfg(test)]
mod tests;
