//! Reading all rows of a store on all processors: one thread reads, others open and decode, and one makes the state of what
//! they read while they go on.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError, mpsc};

use crate::crypto::Keyring;
use crate::crypto::record::{self, Sealer};
use crate::crypto::state_digest::StateDigest;
use crate::domain::scope::{Familiar, Sets};
use crate::domain::trace::Agent;
use crate::domain::{Catalog, KeyId, PublicId, Record, RecordKey, State, Usage};
use crate::engine::Patience;
use crate::engine::audit_log::Doubt;
use crate::engine::proof::Testimony;
use crate::engine::rows::{USES, UseRow};
use crate::store::{Rev, Store, StoreError};

/// Bundle handed on at once.
const CHUNK: usize = 512;
/// Threads beyond which reading is what takes the time.
const MAX_WORKERS: usize = 8;
/// Handfuls that may wait for whoever takes them.
const WAITING: usize = 8;
/// Programs of which the name is kept once for all that call with it.
const AGENTS: usize = 4_096;

/// Keys for which room is made on the word of the store that they are there, which nobody vouches for.
const BELIEVED: usize = 1 << 22;
/// How the rows of keys begin.
const KEYS: &[u8] = b"p/";

/// Threads that are worth beginning here.
pub fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).clamp(1, MAX_WORKERS)
}

/// Bundle as they lie in the store, one behind the other: a place for each would come from memory and go back to it.
#[derive(Default)]
pub(super) struct Bundle {
    bytes: Vec<u8>,
    /// Where the key and the value of each end.
    ends: Vec<(usize, usize)>,
}

impl Bundle {
    /// Those that follow take about as much room as these did.
    fn take(&mut self) -> Self {
        let room = self.bytes.len() + self.bytes.len() / 8;
        std::mem::replace(self, Self { bytes: Vec::with_capacity(room), ends: Vec::with_capacity(CHUNK) })
    }

    fn push(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.extend_from_slice(key);
        let key_ends = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.ends.push((key_ends, self.bytes.len()));
    }

    const fn len(&self) -> usize {
        self.ends.len()
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut begins = 0;
        self.ends.iter().filter_map(move |(key_ends, ends)| {
            let key = self.bytes.get(begins..*key_ends)?;
            begins = *ends;
            Some((key, self.bytes.get(*key_ends..*ends)?))
        })
    }
}

/// Whose a row is of those that several may write.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Us,
    Others,
}

/// Bundle that were opened.
#[derive(Default)]
struct Handful {
    records: Vec<Record>,
    uses: Vec<(PublicId, By, UseRow)>,
}

/// What one thread found besides.
pub(super) struct Part {
    pub digest: StateDigest,
    pub doubts: Vec<Doubt>,
    /// The records that were read.
    pub found: Vec<RecordKey>,
    /// Bundle in the place of a record that are none.
    pub unreadable: Vec<RecordKey>,
}

/// All of it together.
pub(super) struct Read {
    pub state: State,
    pub part: Part,
    /// What others counted.
    pub counted: HashMap<PublicId, u64>,
}

/// What it takes to read the rows of a store.
pub(super) struct Intake<'a> {
    pub store: &'a dyn Store,
    keyring: &'a Keyring,
    sealer: &'a Sealer,
    /// Most keys hold one of a few sets of scopes: read once and kept once, not a million times.
    sets: Sets<'a>,
}

/// The state while it is made.
#[derive(Default)]
struct Draft {
    state: State,
    agents: HashSet<Agent>,
    counted: HashMap<PublicId, u64>,
    /// Where those came from that were used before they were read.
    early: Vec<(PublicId, UseRow)>,
}

impl Draft {
    fn take(&mut self, Handful { records, uses }: Handful) {
        for record in records {
            self.state.put(record);
        }
        for (id, by, row) in uses {
            if by == By::Others {
                let known = self.counted.entry(id).or_default();
                *known = known.saturating_add(row.count);
            }
            let UseRow { last_used_at, count, first_used_at, .. } = row;
            self.state.merge_use(id, Usage { last_used_at, count, first_used_at });
            if row.trace.is_some() {
                // What is kept of it hangs on the scopes of its key or app.
                if self.state.key(KeyId(id)).is_some() {
                    self.trace(id, row);
                } else {
                    self.early.push((id, row));
                }
            }
        }
    }

    fn trace(&mut self, id: PublicId, row: UseRow) {
        let Some(mut trace) = row.trace else { return };
        trace.share_agent(|agent| match self.agents.get(&agent) {
            Some(known) => known.clone(),
            None => {
                if self.agents.len() < AGENTS {
                    self.agents.insert(agent.clone());
                }
                agent
            }
        });
        self.state.note_trace(id, &trace);
    }

    fn done(mut self, part: Part) -> Read {
        for (id, row) in std::mem::take(&mut self.early) {
            self.trace(id, row);
        }
        Read { state: self.state, part, counted: self.counted }
    }
}

impl<'a> Intake<'a> {
    /// Of a store that `keyring` unseals.
    pub fn of(store: &'a dyn Store, keyring: &'a Keyring, sealer: &'a Sealer, catalog: &'a Catalog) -> Self {
        Self { store, keyring, sealer, sets: catalog.sets() }
    }

    /// Reads all rows.
    pub fn all(&self, patience: &Patience) -> Result<(Read, Rev), StoreError> {
        let (to, rows) = mpsc::sync_channel::<Bundle>(WAITING);
        let rows = Mutex::new(rows);
        let next = || rows.lock().unwrap_or_else(PoisonError::into_inner).recv();
        std::thread::scope(|scope| {
            let (done, handfuls) = mpsc::sync_channel::<Handful>(WAITING);
            let work = |done: mpsc::SyncSender<Handful>| {
                let mut opener = Opener::of(self);
                while let Ok(rows) = next() {
                    for (key, value) in rows.iter() {
                        opener.read(key, value);
                    }
                    // Nobody takes it when all is given up.
                    let _given_up = done.send(std::mem::take(&mut opener.hand));
                }
                opener.part
            };
            let workers: Vec<_> =
                std::iter::repeat_n(done, workers()).map(|done| scope.spawn(move || work(done))).collect();
            let keys = self.store.count(KEYS).and_then(|keys| usize::try_from(keys).ok());
            let maker = scope.spawn(move || {
                let mut draft = Draft::default();
                draft.state.reserve(keys.unwrap_or(0).min(BELIEVED));
                for handful in handfuls {
                    draft.take(handful);
                }
                draft
            });
            let rev = send_rows(self.store, to, patience)?;
            let broken = |_| StoreError::Damaged("a record could not be read".into());
            let mut whole = self.nothing();
            for worker in workers {
                let part = worker.join().map_err(broken)?;
                whole.digest.merge(&part.digest);
                whole.doubts.extend(part.doubts);
                whole.found.extend(part.found);
                whole.unreadable.extend(part.unreadable);
            }
            Ok((maker.join().map_err(broken)?.done(whole), rev))
        })
    }

    /// Reads, one by one, the records the trail knows of and whatever uses can be had: some of the rows cannot be read, and
    /// reading them all in order ends at the first such one.
    pub fn named(&self, said: &Testimony) -> Result<Read, StoreError> {
        let (mut opener, mut draft) = (Opener::of(self), Draft::default());
        for key in said.records() {
            match self.store.get(key.as_bytes()) {
                Ok(Some(row)) => opener.read(key.as_bytes(), &row.value),
                // Both are told of when the records are held against the trail.
                Ok(None) | Err(StoreError::Damaged(_)) => {}
                Err(error) => return Err(error),
            }
        }
        draft.take(opener.hand);
        let mut uses = Opener::of(self);
        let whole = self.store.scan(USES, &mut |row| {
            uses.read(row.key, row.value);
            ControlFlow::Continue(())
        });
        match whole {
            Ok(_) | Err(StoreError::Damaged(_)) => {
                draft.take(Handful { uses: uses.hand.uses, ..Handful::default() });
            }
            Err(error) => return Err(error),
        }
        Ok(draft.done(opener.part))
    }

    fn nothing(&self) -> Part {
        let digest = self.keyring.empty_state();
        Part { digest, doubts: Vec::new(), found: Vec::new(), unreadable: Vec::new() }
    }
}

/// Hands all rows to the workers. The channel closes when this returns, and they end.
pub(super) fn send_rows(
    store: &dyn Store,
    to: mpsc::SyncSender<Bundle>,
    patience: &Patience,
) -> Result<Rev, StoreError> {
    let prefixes = || RecordKey::PREFIXES.into_iter().map(str::as_bytes).chain([USES]);
    patience.expect(prefixes().filter_map(|prefix| store.count(prefix)).sum());
    let mut rev = Rev(0);
    for prefix in prefixes() {
        let mut rows = Bundle::default();
        rev = store.scan(prefix, &mut |row| {
            rows.push(row.key, row.value);
            if rows.len() == CHUNK {
                patience.more(CHUNK);
                let sent = to.send(rows.take());
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

/// Opens rows, one after another.
struct Opener<'a> {
    sealer: &'a Sealer,
    sets: Familiar<'a>,
    hand: Handful,
    part: Part,
}

impl<'a> Opener<'a> {
    fn of(intake: &'a Intake<'_>) -> Self {
        let (sealer, sets) = (intake.sealer, intake.sets.familiar());
        Self { sealer, sets, hand: Handful::default(), part: intake.nothing() }
    }

    fn read(&mut self, key: &[u8], value: &[u8]) {
        let name = || String::from_utf8_lossy(key).into_owned();
        let Some(at) = RecordKey::parse(key) else {
            match key.strip_prefix(USES) {
                Some(id) => self.read_use(key, id, value),
                None => {
                    let what = format!("there is a row {} that no keydeck writes", name());
                    self.part.doubts.push(Doubt::altered(what));
                }
            }
            return;
        };
        let opened = self.sealer.open(key, value).map_err(|e| e.to_string()).and_then(|opened| {
            let tag = record::tag(value).map_err(|e| e.to_string())?;
            let record = Record::decode_for(at, &opened.plain, &mut self.sets).map_err(|e| e.to_string())?;
            Ok((record, opened.revision, tag))
        });
        match opened {
            Ok((record, revision, tag)) => {
                self.part.digest.add(key, revision, &tag);
                self.part.found.push(at);
                self.hand.records.push(record);
            }
            Err(why) => {
                self.part.doubts.push(Doubt::altered(format!("the record {}: {why}", name())));
                self.part.unreadable.push(at);
            }
        }
    }

    /// A use that cannot be read is forgotten with a word: it gives and takes nothing.
    fn read_use(&mut self, key: &[u8], id: &[u8], value: &[u8]) {
        let mut parts = id.splitn(2, |byte| *byte == b'/');
        let id = parts.next().and_then(|id| std::str::from_utf8(id).ok()).and_then(|id| id.parse().ok());
        let by = if parts.next().is_some() { By::Others } else { By::Us };
        let usage = self.sealer.open(key, value).ok().and_then(|opened| minicbor::decode(&opened.plain).ok());
        if let (Some(id), Some(usage)) = (id, usage) {
            self.hand.uses.push((id, by, usage));
        } else {
            tracing::warn!(row = %String::from_utf8_lossy(key), "a row of use cannot be read and is ignored");
        }
    }
}
