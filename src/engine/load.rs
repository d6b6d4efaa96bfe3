//! Reading a store into memory at open, and checking while reading that it is what the audit trail says: every
//! record opens under its own key, their digest is the one the newest entry vouches for, and the seal file knows
//! no later state.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError, mpsc};

use super::audit_log::Doubt;
use super::error::EngineError;
use super::ledger::{AuditRow, CLOCK_KEY, Head, UNBROKEN_KEY, UseRow, hex, open_row};
use super::scribe::Unbroken;
use super::timekeeper::Mark;
use crate::crypto::Keyring;
use crate::crypto::chain::AuditChain;
use crate::crypto::record::{self, Sealer};
use crate::crypto::state_digest::StateDigest;
use crate::domain::audit::Entry;
use crate::domain::{Catalog, KeyId, PublicId, Record, RecordKey, Scopes, State, Usage};
use crate::store::{KeyRange, Rev, Seal, Store, StoreError};

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
    /// The highest believed time.
    pub mark: Option<Mark>,
    /// Since when no use was lost.
    pub unbroken: Option<Unbroken>,
    /// What does not agree, in words; empty when all is well.
    pub doubts: Vec<Doubt>,
    /// Keys whose records are not as their last entry says, when only these are concerned.
    pub suspects: Vec<KeyId>,
}

/// Rows handed to a worker at once.
const CHUNK: usize = 512;
/// Threads beyond which reading is what takes the time.
const MAX_WORKERS: usize = 8;

type Row = (Vec<u8>, Vec<u8>);

struct Part {
    records: Vec<Record>,
    uses: Vec<(PublicId, UseRow)>,
    digest: StateDigest,
    doubts: Vec<Doubt>,
    suspects: Vec<KeyId>,
}

/// Reads and checks everything but the body of the audit trail.
pub fn load(
    store: &dyn Store,
    keyring: &Keyring,
    catalog: &Catalog,
    seal: Option<&Seal>,
) -> Result<Loaded, EngineError> {
    let sealer = keyring.sealer();
    let chain = keyring.audit_chain();
    let (part, rev) = read_records(store, keyring, &sealer)?;
    let mut doubts = part.doubts;
    let (head, vouched) = match newest(store, &sealer, &chain)? {
        Newest::None => (Head { seq: 0, hash: chain.genesis() }, None),
        Newest::Entry(head, entry) => (head, Some(entry.state)),
        Newest::Broken(head, why) => {
            doubts.push(why);
            (head, None)
        }
    };
    let mut suspects = part.suspects;
    let agrees = match &vouched {
        Some(state) => *state == hex(&part.digest.commitment()),
        // No entry: only a store with no record at all is a new one.
        None => part.records.is_empty(),
    };
    if !agrees && doubts.is_empty() {
        let found = find_strays(store, keyring, &sealer, head)?;
        doubts.extend(found.iter().map(|key| {
            Doubt::altered(format!("the record {key} is not the one its last audit entry wrote"))
        }));
        suspects.extend(found.iter().filter_map(|key| match RecordKey::parse(key.as_bytes()) {
            Some(RecordKey::Key(id)) => Some(id),
            _ => None,
        }));
        if doubts.is_empty() {
            doubts
                .push(Doubt::altered("the records together are not what the newest audit entry vouches for"));
        }
    }
    if let Some(seal) = seal {
        doubts.extend(check_seal(store, keyring, &sealer, &chain, seal)?);
    }
    let mark = read_unlisted(store, &sealer, CLOCK_KEY)?;
    let unbroken = read_unlisted(store, &sealer, UNBROKEN_KEY)?;
    let mut state = State::default();
    // Most keys hold one of a few sets of scopes: kept once, not a million times.
    let mut sets: HashSet<Scopes> = HashSet::new();
    for mut record in part.records {
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
    for (id, row) in part.uses {
        state.note_use(id, Usage { last_used_at: row.last_used_at, count: row.count });
        if let Some(trace) = &row.trace {
            state.note_trace(id, trace);
        }
    }
    Ok(Loaded { state, head, digest: part.digest, rev, mark, unbroken, doubts, suspects })
}

/// Reads all rows on this thread while others open and decode them: opening a record is most of the work.
fn read_records(store: &dyn Store, keyring: &Keyring, sealer: &Sealer) -> Result<(Part, Rev), EngineError> {
    let empty = || Part {
        records: Vec::new(),
        uses: Vec::new(),
        digest: keyring.empty_state(),
        doubts: Vec::new(),
        suspects: Vec::new(),
    };
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
        let rev = send_rows(store, tx)?;
        let mut whole = empty();
        for worker in workers {
            let part = worker.join().map_err(|_| StoreError::Damaged("a record could not be read".into()))?;
            whole.records.extend(part.records);
            whole.uses.extend(part.uses);
            whole.digest.merge(&part.digest);
            whole.doubts.extend(part.doubts);
            whole.suspects.extend(part.suspects);
        }
        Ok((whole, rev))
    })
}

/// Hands all rows to the workers. The channel closes when this returns, and they end.
fn send_rows(store: &dyn Store, to: mpsc::SyncSender<Vec<Row>>) -> Result<Rev, StoreError> {
    let mut rev = Rev(0);
    for prefix in RecordKey::PREFIXES.into_iter().chain(["t/"]) {
        let mut rows = Vec::with_capacity(CHUNK);
        rev = store.scan(prefix.as_bytes(), &mut |row| {
            rows.push((row.key.to_vec(), row.value.to_vec()));
            if rows.len() == CHUNK
                && to.send(std::mem::replace(&mut rows, Vec::with_capacity(CHUNK))).is_err()
            {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        // Workers that are gone are noticed when they are joined.
        let _ = to.send(rows);
    }
    drop(to);
    Ok(rev)
}

fn read_row(part: &mut Part, sealer: &Sealer, key: &[u8], value: &[u8]) {
    let name = || String::from_utf8_lossy(key).into_owned();
    let Some(at) = RecordKey::parse(key) else {
        match key.strip_prefix(b"t/") {
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
            if let RecordKey::Key(id) = at {
                part.suspects.push(id);
            }
        }
    }
}

/// A use that cannot be read is forgotten with a word: it gives and takes nothing.
fn read_use(part: &mut Part, sealer: &Sealer, key: &[u8], id: &[u8], value: &[u8]) {
    let id = std::str::from_utf8(id).ok().and_then(|id| id.parse().ok());
    let usage = sealer.open(key, value).ok().and_then(|opened| minicbor::decode(&opened.plain).ok());
    if let (Some(id), Some(usage)) = (id, usage) {
        part.uses.push((id, usage));
    } else {
        tracing::warn!(row = %String::from_utf8_lossy(key), "a row of use cannot be read and is ignored");
    }
}

enum Newest {
    None,
    Entry(Head, Box<Entry>),
    Broken(Head, Doubt),
}

fn newest(store: &dyn Store, sealer: &Sealer, chain: &AuditChain) -> Result<Newest, EngineError> {
    let page = store.range_back(&KeyRange::prefix(b"a/"), None, 1)?;
    let Some((key, entry)) = page.rows.into_iter().next() else { return Ok(Newest::None) };
    let seq = std::str::from_utf8(&key).ok().and_then(|k| k.strip_prefix("a/")?.parse().ok()).unwrap_or(0);
    let row = match open_row(sealer, chain, seq, &entry.value) {
        Ok(row) => row,
        Err(why) => {
            let head = Head { seq, hash: chain.genesis() };
            return Ok(Newest::Broken(
                head,
                Doubt::altered(format!("the newest audit entry ({seq}): {why}")),
            ));
        }
    };
    let head = Head { seq, hash: row.hash };
    Ok(match serde_json::from_str::<Entry>(&row.body) {
        Ok(body) if body.seq == seq => Newest::Entry(head, Box::new(body)),
        _ => Newest::Broken(
            head,
            Doubt::altered(format!("the newest audit entry ({seq}) cannot be read by this keydeck")),
        ),
    })
}

/// Walks the whole trail for what each record's last entry says, and names the records that differ.
fn find_strays(
    store: &dyn Store,
    keyring: &Keyring,
    sealer: &Sealer,
    head: Head,
) -> Result<Vec<String>, EngineError> {
    let chain = keyring.audit_chain();
    let mut last: HashMap<String, String> = HashMap::new();
    let mut broken = None;
    store.scan(b"a/", &mut |row| {
        let seq =
            std::str::from_utf8(row.key).ok().and_then(|k| k.strip_prefix("a/")?.parse().ok()).unwrap_or(0);
        match open_row(sealer, &chain, seq, row.value)
            .ok()
            .and_then(|r| serde_json::from_str::<Entry>(&r.body).ok())
        {
            Some(entry) => last.extend(entry.records.into_iter().map(|r| (r.key, r.tag))),
            None => broken = Some(seq),
        }
        ControlFlow::Continue(())
    })?;
    if let Some(seq) = broken.filter(|seq| *seq <= head.seq) {
        return Ok(vec![format!("(audit entry {seq} is broken)")]);
    }
    let mut strays = Vec::new();
    for prefix in RecordKey::PREFIXES {
        store.scan(prefix.as_bytes(), &mut |row| {
            let key = String::from_utf8_lossy(row.key).into_owned();
            let tag = record::tag(row.value).map(|t| hex(&t)).unwrap_or_default();
            if last.remove(&key).is_none_or(|said| said != tag) {
                strays.push(key);
            }
            ControlFlow::Continue(())
        })?;
    }
    // What the trail wrote and the store no longer has.
    strays.extend(last.into_keys());
    strays.sort();
    Ok(strays)
}

fn check_seal(
    store: &dyn Store,
    keyring: &Keyring,
    sealer: &Sealer,
    chain: &AuditChain,
    seal: &Seal,
) -> Result<Option<Doubt>, EngineError> {
    let head = Head::from_bytes(&seal.audit_head);
    let mac: Option<[u8; 32]> = seal.mac.as_slice().try_into().ok();
    let (Some(head), Some(mac)) = (head, mac) else {
        return Ok(Some(Doubt::altered("the seal file is not one this keydeck writes")));
    };
    let genuine =
        seal.store == keyring.store().0 && keyring.seal_key().verify(seal.rev.0, &head.hash, &mac).is_ok();
    if !genuine {
        return Ok(Some(Doubt::altered("the seal file belongs to another store or was changed")));
    }
    if head.seq == 0 {
        return Ok(None);
    }
    let sealed: Option<AuditRow> = store
        .get(&super::ledger::audit_key(head.seq))?
        .and_then(|entry| open_row(sealer, chain, head.seq, &entry.value).ok());
    Ok(match sealed {
        Some(row) if row.hash == head.hash => None,
        _ => Some(Doubt::short(format!(
            "the store went back in time: the seal file knows audit entry {}, the store does not",
            head.seq
        ))),
    })
}

/// A row the audit trail does not list. One that cannot be read is as good as none.
fn read_unlisted<T>(store: &dyn Store, sealer: &Sealer, key: &[u8]) -> Result<Option<T>, EngineError>
where
    T: for<'b> minicbor::Decode<'b, ()>,
{
    let Some(entry) = store.get(key)? else { return Ok(None) };
    Ok(sealer.open(key, &entry.value).ok().and_then(|o| minicbor::decode(&o.plain).ok()))
}
