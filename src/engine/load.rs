//! Reading a store into memory at open, and checking while reading that it is what the audit trail says: every
//! record opens under its own key, their digest is the one the newest entry vouches for, and the seal file knows
//! no later state.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError, mpsc};

use super::audit_log::Doubt;
use super::error::EngineError;
use super::ledger::{Head, hex};
use super::owed::Note;
use super::patience::Patience;
use super::proof::{Newest, Testimony, Trail};
use super::rows::{CLOCK_KEY, COVERAGE_KEY, UNBROKEN_KEY, UNSHOWN_KEY, USES, Unbroken, UseRow};
use super::timekeeper::Mark;
use crate::crypto::Keyring;
use crate::crypto::record::{self, Sealer};
use crate::crypto::state_digest::StateDigest;
use crate::domain::audit::Trimmed;
use crate::domain::history::Coverage;
use crate::domain::proof::Against;
use crate::domain::{Catalog, Proof, PublicId, Record, RecordKey, Scopes, State, Timestamp, Usage};
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

/// Rows handed to a worker at once.
const CHUNK: usize = 512;
/// Threads beyond which reading is what takes the time.
const MAX_WORKERS: usize = 8;

type Row = (Vec<u8>, Vec<u8>);

/// Whose a row is of those that several may write.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Us,
    Others,
}

struct Part {
    records: Vec<Record>,
    uses: Vec<(PublicId, By, UseRow)>,
    digest: StateDigest,
    doubts: Vec<Doubt>,
    /// Rows in the place of a record that are none.
    unreadable: Vec<RecordKey>,
}

impl Part {
    fn empty(keyring: &Keyring) -> Self {
        Self {
            records: Vec::new(),
            uses: Vec::new(),
            digest: keyring.empty_state(),
            doubts: Vec::new(),
            unreadable: Vec::new(),
        }
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
    let read = read_records(store, keyring, &sealer, patience);
    let (part, rev, mut doubts) = prove(store, keyring, &sealer, &trail, (newest, read), &mut proof)?;
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
    let others = Others { counted: counted(&part.uses), since };
    let unshown = if doubts.is_empty() { read_unshown(store, &sealer, head, witness.seal)? } else { None };
    let state = assemble(part.records, part.uses, catalog);
    let digest = part.digest;
    Ok(Loaded {
        state,
        head,
        digest,
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

/// Holds the records that were read against the trail.
fn prove(
    store: &dyn Store,
    keyring: &Keyring,
    sealer: &Sealer,
    trail: &Trail<'_>,
    (newest, read): (Newest, Result<(Part, Rev), StoreError>),
    proof: &mut Proof,
) -> Result<(Part, Rev, Vec<Doubt>), EngineError> {
    let (head, base) = (newest.head, newest.base());
    let vouched = match (newest.vouched, &read) {
        (Some(Err(why)), _) => Err(why),
        (Some(Ok(state)), Ok((part, _))) if state == hex(&part.digest.commitment()) => Ok(true),
        // No entry: only a store with no record at all is a new one.
        (None, Ok((part, _))) => Ok(part.records.is_empty() && part.unreadable.is_empty()),
        _ => Ok(false),
    };
    let (mut part, rev, said) = match read {
        Ok((part, rev)) if vouched == Ok(true) => {
            // The set is whole: what could not be read does not belong to it.
            proof.doubt(part.unreadable.iter().copied(), Against::Word);
            let doubts = part.doubts.clone();
            return Ok((part, rev, doubts));
        }
        Ok((part, rev)) => (part, rev, trail.testimony(head, base)?),
        Err(StoreError::Damaged(why)) => {
            let said = trail.testimony(head, base)?;
            let mut part = read_named(store, keyring, sealer, &said)?;
            part.doubts.push(Doubt::altered(why));
            (part, store.health().rev, said)
        }
        Err(error) => return Err(error.into()),
    };
    let mut doubts = std::mem::take(&mut part.doubts);
    let found = part.records.iter().map(Record::key);
    let strays = said.judge(store, found, part.unreadable.iter(), proof)?;
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
    Ok((part, rev, doubts))
}

/// The state that records and uses make.
fn assemble(records: Vec<Record>, uses: Vec<(PublicId, By, UseRow)>, catalog: &Catalog) -> State {
    let mut state = State::default();
    // Most keys hold one of a few sets of scopes: kept once, not a million times.
    let mut sets: HashSet<Scopes> = HashSet::new();
    for mut record in records {
        if let Record::Key(key) = &mut record {
            match sets.get(&key.scopes) {
                Some(set) => key.scopes = set.clone(),
                None => {
                    key.scopes = catalog.share(&key.scopes);
                    sets.insert(key.scopes.clone());
                }
            }
        }
        state.put(record);
    }
    for (id, _, row) in uses {
        let UseRow { last_used_at, count, first_used_at, .. } = row;
        state.merge_use(id, Usage { last_used_at, count, first_used_at });
        if let Some(trace) = &row.trace {
            state.note_trace(id, trace);
        }
    }
    state
}

/// What others counted.
fn counted(uses: &[(PublicId, By, UseRow)]) -> HashMap<PublicId, u64> {
    let mut counted: HashMap<PublicId, u64> = HashMap::new();
    for (id, _, row) in uses.iter().filter(|(_, by, _)| *by == By::Others) {
        let known = counted.entry(*id).or_default();
        *known = known.saturating_add(row.count);
    }
    counted
}

/// Reads, one by one, the records the trail knows of and whatever uses can be had: some of the rows cannot be read, and
/// reading them all in order ends at the first such one.
fn read_named(
    store: &dyn Store,
    keyring: &Keyring,
    sealer: &Sealer,
    said: &Testimony,
) -> Result<Part, StoreError> {
    let mut part = Part::empty(keyring);
    for key in said.records() {
        match store.get(key.as_bytes()) {
            Ok(Some(row)) => read_row(&mut part, sealer, key.as_bytes(), &row.value),
            // Both are told of when the records are held against the trail.
            Ok(None) | Err(StoreError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let mut uses = Part::empty(keyring);
    let whole = store.scan(USES, &mut |row| {
        read_row(&mut uses, sealer, row.key, row.value);
        ControlFlow::Continue(())
    });
    match whole {
        Ok(_) | Err(StoreError::Damaged(_)) => part.uses = uses.uses,
        Err(error) => return Err(error),
    }
    Ok(part)
}

/// Reads all rows on this thread while others open and decode them: opening a record is most of the work.
fn read_records(
    store: &dyn Store,
    keyring: &Keyring,
    sealer: &Sealer,
    patience: &Patience,
) -> Result<(Part, Rev), StoreError> {
    let empty = || Part::empty(keyring);
    let (tx, rx) = mpsc::sync_channel::<Vec<Row>>(64);
    let rx = Mutex::new(rx);
    let next = || rx.lock().unwrap_or_else(PoisonError::into_inner).recv();
    let workers = std::thread::available_parallelism().map_or(1, usize::from).clamp(1, MAX_WORKERS);
    std::thread::scope(|scope| {
        let work = || {
            let mut part = empty();
            while let Ok(rows) = next() {
                for (key, value) in rows {
                    read_row(&mut part, sealer, &key, &value);
                }
            }
            part
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let rev = send_rows(store, tx, patience)?;
        let mut whole = empty();
        for worker in workers {
            let part = worker.join().map_err(|_| StoreError::Damaged("a record could not be read".into()))?;
            whole.records.extend(part.records);
            whole.uses.extend(part.uses);
            whole.digest.merge(&part.digest);
            whole.doubts.extend(part.doubts);
            whole.unreadable.extend(part.unreadable);
        }
        Ok((whole, rev))
    })
}

/// Hands all rows to the workers. The channel closes when this returns, and they end.
fn send_rows(
    store: &dyn Store,
    to: mpsc::SyncSender<Vec<Row>>,
    patience: &Patience,
) -> Result<Rev, StoreError> {
    let prefixes = || RecordKey::PREFIXES.into_iter().map(str::as_bytes).chain([USES]);
    patience.expect(prefixes().filter_map(|prefix| store.count(prefix)).sum());
    let mut rev = Rev(0);
    for prefix in prefixes() {
        let mut rows = Vec::with_capacity(CHUNK);
        rev = store.scan(prefix, &mut |row| {
            rows.push((row.key.to_vec(), row.value.to_vec()));
            if rows.len() == CHUNK {
                patience.more(CHUNK);
                let sent = to.send(std::mem::replace(&mut rows, Vec::with_capacity(CHUNK)));
                if sent.is_err() || patience.is_over() {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        if patience.is_over() {
            return Err(StoreError::Unavailable("nobody waits for it any more".into()));
        }
        patience.more(rows.len());
        // Workers that are gone are noticed when they are joined.
        let _ = to.send(rows);
    }
    drop(to);
    Ok(rev)
}

fn read_row(part: &mut Part, sealer: &Sealer, key: &[u8], value: &[u8]) {
    let name = || String::from_utf8_lossy(key).into_owned();
    let Some(at) = RecordKey::parse(key) else {
        match key.strip_prefix(USES) {
            Some(id) => read_use(part, sealer, key, id, value),
            None => {
                part.doubts.push(Doubt::altered(format!("there is a row {} that no keydeck writes", name())));
            }
        }
        return;
    };
    let opened = sealer.open(key, value).map_err(|e| e.to_string()).and_then(|opened| {
        let tag = record::tag(value).map_err(|e| e.to_string())?;
        let record = Record::decode(at, &opened.plain).map_err(|e| e.to_string())?;
        Ok((record, opened.revision, tag))
    });
    match opened {
        Ok((record, revision, tag)) => {
            part.digest.add(key, revision, &tag);
            part.records.push(record);
        }
        Err(why) => {
            part.doubts.push(Doubt::altered(format!("the record {}: {why}", name())));
            part.unreadable.push(at);
        }
    }
}

/// A use that cannot be read is forgotten with a word: it gives and takes nothing.
fn read_use(part: &mut Part, sealer: &Sealer, key: &[u8], id: &[u8], value: &[u8]) {
    let mut parts = id.splitn(2, |byte| *byte == b'/');
    let id = parts.next().and_then(|id| std::str::from_utf8(id).ok()).and_then(|id| id.parse().ok());
    let by = if parts.next().is_some() { By::Others } else { By::Us };
    let usage = sealer.open(key, value).ok().and_then(|opened| minicbor::decode(&opened.plain).ok());
    if let (Some(id), Some(usage)) = (id, usage) {
        part.uses.push((id, by, usage));
    } else {
        tracing::warn!(row = %String::from_utf8_lossy(key), "a row of use cannot be read and is ignored");
    }
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

/// A row the audit trail does not list. One that cannot be read is as good as none.
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

fn read_unlisted<T>(store: &dyn Store, sealer: &Sealer, key: &[u8]) -> Result<Option<T>, EngineError>
where
    T: for<'b> minicbor::Decode<'b, ()>,
{
    let Some(entry) = store.get(key)? else { return Ok(None) };
    Ok(sealer.open(key, &entry.value).ok().and_then(|o| minicbor::decode(&o.plain).ok()))
}

#[cfg(test)]
mod tests;
