//! Taking the oldest entries out of the trail, once they lie in a file; [`SEGMENT`] at a time, as people are offered it.
//!
//! What must not be lost with them is who wrote each record last: without it nobody could say, after damage, which records are
//! still to be believed. So entries after them say it again first: the record, the tag that was written, and the number of the
//! entry that wrote it. Those are entries like any other, chained, sealed and vouched for by all that follow. They are true
//! and change nothing, so a crash among them leaves a trail that is whole.
//!
//! Then one entry names the last one that goes, and every entry after it does so too: from there on the trail begins behind
//! that one. Only when it and a seal that knows it are durable, rows are removed, some at a time; what a crash leaves of them
//! is no part of the trail any more, and goes with the next sweep.

use std::sync::Arc;

use super::ledger::{Sequel, hex};
use super::local::Aside;
use super::proof::{Testimony, Trail};
use super::rows::{audit_key, seq_of};
use super::{Done, EngineError, LocalEngine, Session};
use crate::crypto::record;
use crate::domain::audit::{Entry, RecordLine};
use crate::domain::{Command, Refusal};
use crate::store::{CommitError, KeyRange, StoreError};

/// Entries of one segment.
pub const SEGMENT: u64 = 10_000;

/// Records that one entry names again: it fits a row, however long its actor's name is.
const RECORDS: usize = 128;
/// Such entries in one commit.
const ENTRIES: usize = 12;
/// Rows removed in one commit.
const ROWS: usize = 100;

impl LocalEngine {
    /// Takes out the entries up to one whose hash, hex, whoever asks has seen. Nothing is removed unless all that remains
    /// proves what the whole trail proved.
    pub(super) fn trim(
        &self,
        session: &Session,
        command: &Command,
        (upto, head): (u64, &str),
    ) -> Result<Done, EngineError> {
        self.rehearse(session, command)?;
        let _turn = self.turn();
        self.must_spare(upto, head)?;
        let sealer = self.keyring.sealer();
        let trail = Trail::of(&*self.store, &self.keyring, &sealer);
        let (known, base) = {
            let ledger = self.ledger();
            (ledger.head(), ledger.trimmed().map_or(0, |trimmed| trimmed.upto))
        };
        let whole = readable(trail.testimony(known, base)?)?;
        self.say_again(session, known.seq, whole.said_upto(upto))?;
        // As it will be read when the rest is gone, from the disk.
        let now = self.ledger().head();
        let rest = readable(trail.testimony(now, upto)?)?;
        if let Some(key) = rest.lacks(&whole, known.seq) {
            let why = format!("who wrote the record {key} last would not be known any more");
            return Err(StoreError::Damaged(why).into());
        }
        let done = self.run_with(session, command, Aside::default(), None)?;
        if let Err(error) = self.clear_trimmed() {
            tracing::warn!(%error, "entries that were taken out of the trail go with the next sweep");
        }
        Ok(done)
    }

    /// Whether the trail can spare them, and whoever asks has the same.
    fn must_spare(&self, upto: u64, head: &str) -> Result<(), EngineError> {
        let mut ledger = self.ledger();
        self.overdue.clear_the_way(&mut ledger)?;
        let (last, base) = (ledger.head().seq, ledger.trimmed().map_or(0, |trimmed| trimmed.upto));
        drop(ledger);
        let kept = |why| Err(Refusal::TrailKept(why).into());
        if !self.overdue.is_at_rest() {
            // Whether the trail tells of those is found out by reading it back to when they were asked for.
            return kept(
                "the file `denials` keeps what the trail may not tell of. keydeck says what that is when it starts",
            );
        }
        if upto <= base {
            return kept("they were taken out before");
        }
        if upto > last {
            return kept("it does not reach as far");
        }
        if self.trail().hash(upto)?.as_deref() != Some(head) {
            return kept("the file ends with another entry than the trail has there");
        }
        Ok(())
    }

    /// Has entries say again what those that go say of records, as far as that is true still: what was written since the
    /// trail was read, up to entry `known`, has a newer entry.
    fn say_again(&self, session: &Session, known: u64, lines: Vec<RecordLine>) -> Result<(), EngineError> {
        let mut lines = lines.into_iter().peekable();
        while lines.peek().is_some() {
            let mut ledger = self.ledger();
            self.overdue.clear_the_way(&mut ledger)?;
            let said = Entry::of(session.line(&self.state()), self.now().time, Entry::CARRIED);
            let mut entries = Vec::with_capacity(ENTRIES);
            for _ in 0..ENTRIES {
                let mut records = Vec::new();
                for line in lines.by_ref().take(RECORDS) {
                    if self.stands(&line, known)? {
                        records.push(line);
                    }
                }
                if !records.is_empty() {
                    entries.push(Entry { records, ..said.clone() });
                }
            }
            ledger.write_notes(entries, &self.time.mark(), Sequel::Nothing)?;
            self.sealing.soon(ledger.seal());
            drop(ledger);
            // The trail is longer; no record changed.
            self.tell(&Arc::default());
        }
        Ok(())
    }

    /// Whether the record is the one the line is about. One that is neither that nor written since was tampered with.
    fn stands(&self, line: &RecordLine, known: u64) -> Result<bool, EngineError> {
        let key = line.key.as_bytes();
        if let Some(row) = self.store.get(key)? {
            if hex(&record::tag(&row.value)?) == line.tag {
                return Ok(true);
            }
            if self.keyring.sealer().open(key, &row.value)?.revision > known {
                return Ok(false);
            }
        }
        let wrote = line.wrote.unwrap_or_default();
        Err(StoreError::Damaged(format!("the record {} is not the one audit entry {wrote} wrote", line.key))
            .into())
    }

    /// Removes what is left in the store of entries that were taken out of the trail.
    pub(super) fn clear_trimmed(&self) -> Result<(), EngineError> {
        if !self.doubts.is_empty() {
            return Ok(());
        }
        let mut sealed = false;
        loop {
            let mut ledger = self.ledger();
            let Some(trimmed) = ledger.trimmed() else { return Ok(()) };
            let range = KeyRange::between(&audit_key(0), &audit_key(trimmed.upto + 1));
            let left = self.store.range(&range, None, ROWS)?;
            let seqs: Vec<u64> = left.rows.iter().filter_map(|(key, _)| seq_of(key)).collect();
            if seqs.is_empty() {
                return Ok(());
            }
            if !sealed {
                // One that names an entry which is gone would be no proof of anything.
                let seal = self.store.write_seal(&ledger.seal());
                seal.map_err(|error| CommitError::Unavailable(error.to_string()))?;
                sealed = true;
            }
            ledger.remove_trimmed(&seqs)?;
        }
    }
}

/// What the trail says, if it says it of every record.
fn readable(said: Testimony) -> Result<Testimony, EngineError> {
    if said.is_whole() {
        Ok(said)
    } else {
        Err(StoreError::Damaged("an audit entry is missing or was changed".into()).into())
    }
}

#[cfg(test)]
mod tests;
