//! The histories of keys and apps: increments gathered between two writes, of those that were active and no others, and
//! joined to the rows when they are written or asked for. Written once a minute, in the thread that writes uses, and when
//! a process ends. Never on the request path, never read but when somebody asks.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::PoisonError;

use super::{Book, COURTESY, Register};
use crate::crypto::record::Sealer;
use crate::domain::blast::many::Busy;
use crate::domain::history::picture::Day;
use crate::domain::history::{Coverage, History, Lacked, Picture};
use crate::domain::trace::Sighting;
use crate::domain::{AppId, Bearer, Key, KeyId, PublicId, ScopeId, State, Timestamp, Trace, View};
use crate::engine::denials::Refused;
use crate::engine::error::EngineError;
use crate::engine::ledger::Ledger;
use crate::engine::reading::Reading;
use crate::engine::rows::{COVERAGE_KEY, HistoryRow, history_key};
use crate::engine::uses::Use;
use crate::store::{CommitError, Store};

/// How long increments are gathered: their rows are larger than those of uses.
const EVERY_MS: i64 = 60_000;
/// Of more keys and apps than this, what was gathered is written at once.
const SOON: usize = 4_096;
/// While a disk fails no more are gathered: that time is told as not known.
const MOST: usize = 65_536;
/// Rows that are joined under one lock of the ledger.
const AT_ONCE: usize = 64;

/// An increment that may have been written: if so, the row says at least that many writes.
struct Tried {
    id: PublicId,
    writes: u64,
    more: History,
}

/// What is not written yet.
pub(super) struct Histories {
    waiting: HashMap<PublicId, History>,
    tried: Vec<Tried>,
    /// Since when something waits.
    since: Option<Timestamp>,
    coverage: Coverage,
}

impl Histories {
    /// Nothing waits. `stored` is of which time all is known; that of no process is known too, if the last one ended in order.
    pub fn new(stored: Option<Coverage>, in_order: bool, now: Timestamp) -> Self {
        let mut coverage = stored.unwrap_or_default();
        if in_order {
            coverage.extend(now);
        } else {
            coverage.begin(now);
        }
        Self { waiting: HashMap::new(), tried: Vec::new(), since: None, coverage }
    }

    /// Whether something waits to be written.
    pub fn wait(&self) -> bool {
        self.since.is_some()
    }

    /// Whether it has waited for long enough.
    pub fn are_due(&self, now: Timestamp) -> bool {
        // A clock that was put back must not hold them for as long as it was ahead.
        self.since.is_some_and(|since| !(0..EVERY_MS).contains(&now.since(since)))
            || self.waiting.len() > SOON
    }

    /// Of which time all is known at `now`.
    pub fn coverage(&self, now: Timestamp) -> Coverage {
        let mut coverage = self.coverage.clone();
        coverage.extend(now);
        coverage
    }

    /// The same, as far as it is written.
    pub const fn written(&self) -> &Coverage {
        &self.coverage
    }

    fn of(&mut self, id: PublicId, now: Timestamp) -> Option<&mut History> {
        self.since.get_or_insert(now);
        if self.waiting.len() >= MOST && !self.waiting.contains_key(&id) {
            self.coverage.begin(now);
            return None;
        }
        Some(self.waiting.entry(id).or_default())
    }

    /// Adds what was used; `first` is who came first of all, if that was now.
    pub fn gather(&mut self, used: &Use, first: Option<Sighting>, now: Timestamp) {
        let Some(history) = self.of(used.id, now) else { return };
        if let Some(at) = used.usage.last_used_at {
            history.allow(at, used.usage.count);
        }
        for (seen, count) in &used.callers {
            history.see(seen, u64::from(*count));
        }
        if let Some(first) = first {
            history.begin(first);
        }
        for needed in used.trace.scopes() {
            history.exercise(&needed.scope, needed.at);
        }
        used.lacked.iter().for_each(|lacked| history.lack(lacked));
    }

    /// Adds what was refused, of those that `exist`.
    pub fn refuse(&mut self, refused: Refused, now: Timestamp, exist: impl Fn(PublicId) -> bool) {
        if refused.lost {
            self.coverage.begin(now);
        }
        for (id, (count, at)) in refused.by.into_iter().filter(|(id, _)| exist(*id)) {
            if let Some(history) = self.of(id, now) {
                history.deny(at, count);
            }
        }
    }

    /// Adds what the row does not say yet.
    fn complete(&self, id: PublicId, row: &mut HistoryRow) {
        for tried in self.tried.iter().filter(|tried| tried.id == id && tried.writes > row.writes) {
            row.history.merge(&tried.more);
        }
        if let Some(more) = self.waiting.get(&id) {
            row.history.merge(more);
        }
    }

    /// Finds out about increments that may have been written.
    fn settle(&mut self, store: &dyn Store, sealer: &Sealer) -> Result<(), EngineError> {
        while let Some(tried) = self.tried.last() {
            let written = read(store, sealer, &history_key(tried.id))?.writes >= tried.writes;
            let Some(tried) = self.tried.pop() else { break };
            if !written {
                self.waiting.entry(tried.id).or_default().merge(&tried.more);
            }
        }
        Ok(())
    }
}

/// Whose histories are one: the rows, and since when there is what they tell of.
pub type Rows = (Vec<PublicId>, Timestamp);

/// To people both halves of a rotation are one key, as long as both work.
pub fn rows_of(view: View<'_>, key: &Key, now: Timestamp) -> Rows {
    let old = view.old_half(key, now);
    let ids = old.into_iter().chain([key]).map(|half| *half.id.public());
    (ids.collect(), old.map_or(key.created_at, |old| old.created_at))
}

/// Whether a history is kept of what has this id: of secrets of apps and of what is forgotten there is none.
pub(super) fn is_kept(state: &State, id: PublicId) -> bool {
    state.key(KeyId(id)).is_some_and(|key| !key.is_purged()) || state.app(AppId(id)).is_some()
}

/// A row. One that cannot be read is as good as none, as of uses.
fn read(store: &dyn Store, sealer: &Sealer, key: &[u8]) -> Result<HistoryRow, EngineError> {
    let Some(row) = store.get(key)? else { return Ok(HistoryRow::default()) };
    let opened = sealer.open(key, &row.value).ok();
    let read = opened.and_then(|opened| minicbor::decode(&opened.plain).ok());
    if read.is_none() {
        tracing::warn!(row = %String::from_utf8_lossy(key), "a history cannot be read and is ignored");
    }
    Ok(read.unwrap_or_default())
}

impl Register {
    /// Writes what waits. Increments: what may have been written is found out before it is written again. Says of which it was
    /// noted meanwhile how often they are refused.
    pub(super) fn write_histories(&self, all: &mut Histories) -> Result<Vec<PublicId>, EngineError> {
        let parts = &self.overdue.parts;
        let sealer = parts.image.keyring.sealer();
        all.settle(&*parts.store, &sealer)?;
        let now = self.time.now().time;
        let coverage = all.coverage(now);
        let mut often: Vec<(PublicId, Trace)> = Vec::new();
        let mut ids: Vec<PublicId> = all.waiting.keys().copied().collect();
        ids.sort_unstable();
        while !ids.is_empty() {
            let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
            let some = ids.split_off(ids.len().saturating_sub(AT_ONCE));
            // Whoever is forgotten while the ledger is held is forgotten here.
            let (kept, gone): (Vec<PublicId>, Vec<PublicId>) = {
                let state = Reading::of(&self.state);
                some.into_iter().partition(|id| is_kept(&state, *id))
            };
            for id in &gone {
                all.waiting.remove(id);
            }
            let mut rows = Vec::with_capacity(kept.len());
            for id in kept {
                let mut row = read(&*parts.store, &sealer, &history_key(id))?;
                all.complete(id, &mut row);
                row.history.bound(now);
                let known = Reading::of(&self.state).trace_of(id).and_then(Trace::denied);
                often.extend(row.history.denied_often(known, now).map(|denied| (id, Trace::refused(denied))));
                row.writes = row.writes.saturating_add(1);
                rows.push((id, row));
            }
            // All is whole when the last of all is written.
            let whole = if ids.is_empty() { &coverage } else { &all.coverage };
            let left = Self::write_rows(&mut ledger, &rows, whole, (&mut all.waiting, &mut all.tried))?;
            ids.extend(left);
            drop(ledger);
            if !ids.is_empty() {
                self.verifier.uses().bell.pause(COURTESY);
            }
        }
        all.coverage = coverage;
        all.since = None;
        if !often.is_empty() {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            for (id, denied) in &often {
                state.note_trace(*id, denied);
            }
        }
        Ok(often.into_iter().map(|(id, _)| id).collect())
    }

    /// The same, and with the uses how often keys and apps are refused, of those of which that became another.
    pub(super) fn write_histories_of(&self, book: &mut Book) -> Result<Vec<PublicId>, EngineError> {
        let often = self.write_histories(&mut book.histories)?;
        book.unwritten.extend(often);
        self.write_book(book)
    }

    /// Writes as many of some rows as fit, and says which are left.
    fn write_rows(
        ledger: &mut Ledger,
        rows: &[(PublicId, HistoryRow)],
        coverage: &Coverage,
        (waiting, tried): (&mut HashMap<PublicId, History>, &mut Vec<Tried>),
    ) -> Result<Vec<PublicId>, EngineError> {
        match ledger.write_histories(rows, coverage) {
            Ok(written) => {
                let (done, left) = rows.split_at(written.min(rows.len()));
                for (id, _) in done {
                    waiting.remove(id);
                }
                Ok(left.iter().map(|(id, _)| *id).collect())
            }
            Err(error) => {
                if matches!(error, EngineError::Commit(CommitError::Unknown(_))) {
                    tried.extend(rows.iter().filter_map(|(id, row)| {
                        waiting.remove(id).map(|more| Tried { id: *id, writes: row.writes, more })
                    }));
                }
                Err(error)
            }
        }
    }

    /// Writes what waits now.
    pub fn settle_histories(&self) -> Result<(), EngineError> {
        if self.frozen {
            return Ok(());
        }
        let mut book = self.book();
        if book.histories.wait() { self.write_histories_of(&mut book).map(drop) } else { Ok(()) }
    }

    /// What is to be shown of the histories of `ids` together, of what was made at `made` and is known to have needed what
    /// `traces` say: as all who write say it, with what is not written yet.
    pub fn picture(
        &self,
        ids: &[PublicId],
        made: Timestamp,
        traces: &[Trace],
    ) -> Result<Picture, EngineError> {
        let book = self.book();
        let now = self.time.now().time;
        let mut whole = History::default();
        for id in ids {
            whole.merge(&self.history(&book.histories, *id)?);
        }
        let needed = || traces.iter().flat_map(Trace::scopes);
        // Known before there were histories.
        needed().for_each(|used| whole.exercise(&used.scope, used.at));
        let last = |scope: &ScopeId| needed().filter(|used| used.scope == *scope).map(|used| used.at).max();
        // Only of what all who write know, nothing was lost.
        let coverages = self.coverages(&book.histories, now)?;
        let covered = |from, to| coverages.iter().all(|coverage| coverage.covers(from, to));
        Ok(Picture::of(&whole, (now, made), &covered, &last))
    }

    /// What fewer scopes would have refused, tried since `begun` on keys of one lineage: of all of them together.
    pub fn lacked(&self, ids: &[PublicId], begun: Timestamp) -> Result<Lacked, EngineError> {
        let book = self.book();
        let mut all = Lacked::since(begun);
        for id in ids {
            let history = self.history(&book.histories, *id)?;
            // What was tried later is another.
            history
                .lacked()
                .filter(|lacked| lacked.begun == begun)
                .into_iter()
                .for_each(|more| all.merge(more));
        }
        Ok(all)
    }

    /// Adds how many requests each of these had of late.
    pub fn days(&self, about: &[(Bearer, Rows)], into: &mut Busy) -> Result<(), EngineError> {
        for some in about.chunks(AT_ONCE) {
            // Whoever writes what was used waits for so many and no more.
            let book = self.book();
            let now = self.time.now().time;
            let coverages = self.coverages(&book.histories, now)?;
            let covered = |from, to| coverages.iter().all(|coverage| coverage.covers(from, to));
            for (what, (ids, made)) in some {
                let mut whole = History::default();
                for id in ids {
                    whole.merge(&self.history(&book.histories, *id)?);
                }
                into.add(*what, Day::of(&whole, (now, *made), &covered));
            }
        }
        Ok(())
    }

    fn history(&self, all: &Histories, id: PublicId) -> Result<History, EngineError> {
        let parts = &self.overdue.parts;
        let sealer = parts.image.keyring.sealer();
        let own = history_key(id);
        let mut row = read(&*parts.store, &sealer, &own)?;
        all.complete(id, &mut row);
        let mut others: Vec<HistoryRow> = Vec::new();
        parts.store.scan(&[&own[..], b"/"].concat(), &mut |row| {
            let opened = sealer.open(row.key, row.value).ok();
            others.extend(opened.and_then(|opened| minicbor::decode(&opened.plain).ok()));
            ControlFlow::Continue(())
        })?;
        for other in &others {
            row.history.merge(&other.history);
        }
        Ok(row.history)
    }

    fn coverages(&self, all: &Histories, now: Timestamp) -> Result<Vec<Coverage>, EngineError> {
        let parts = &self.overdue.parts;
        let sealer = parts.image.keyring.sealer();
        // Of a store in doubt nothing is known of now.
        let mut coverages = vec![if self.frozen { all.coverage.clone() } else { all.coverage(now) }];
        parts.store.scan(&[COVERAGE_KEY, b"/"].concat(), &mut |row| {
            let opened = sealer.open(row.key, row.value).ok();
            // Of what cannot be read nothing is known.
            let read: Option<Coverage> = opened.and_then(|opened| minicbor::decode(&opened.plain).ok());
            coverages.push(read.unwrap_or_default());
            ControlFlow::Continue(())
        })?;
        Ok(coverages)
    }
}
