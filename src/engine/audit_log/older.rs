//! Where the trail begins in the store, and what it says of the entries before that, which were taken out into a file.

use minicbor::{Decode, Encode};

use super::Trail;
use crate::crypto::chain::ChainHash;
use crate::domain::audit::Entry;
use crate::domain::{Event, Timestamp};
use crate::engine::error::EngineError;
use crate::engine::ledger::hex;
use crate::engine::rows::{AUDIT, AuditRow, audit_key, open_row, seq_of};
use crate::store::{KeyRange, StoreError};

/// From where to where the trail goes that is in the store.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Span {
    /// Number of the oldest entry.
    #[n(0)]
    pub first: u64,
    /// Number of the newest.
    #[n(1)]
    pub last: u64,
    /// When the oldest was written, if it can be read.
    #[n(2)]
    pub since: Option<Timestamp>,
    /// Where those before it are; nothing of a trail that is whole.
    #[n(3)]
    pub older: Option<Older>,
}

/// The entries that are no longer in the store.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Older {
    /// Number of the last of them.
    #[n(0)]
    pub upto: u64,
    /// When the first was written that is still there, if it can be read.
    #[n(1)]
    pub before: Option<Timestamp>,
    /// What the trail tells of it, if that can be read.
    #[n(2)]
    pub told: Option<Told>,
}

/// Who took entries out, and where they are.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Told {
    /// The file, on the machine of whoever did it.
    #[n(0)]
    pub file: String,
    /// The operator's name.
    #[n(1)]
    pub by: String,
    /// When.
    #[n(2)]
    pub at: Timestamp,
    /// Number of the first entry that the file holds, if that is known.
    #[n(3)]
    pub first: Option<u64>,
    /// Number of the entry that tells where those before it are, where there are any.
    #[n(4)]
    pub earlier: Option<u64>,
}

impl Told {
    /// Which of the entries up to `upto` the file holds, and which entry tells where the others are, in words; nothing where it
    /// holds them all.
    fn in_part(&self, upto: u64) -> Option<(String, String)> {
        let which = match self.first {
            Some(1) => return None,
            Some(first) => format!(", {first} to {upto},"),
            None => String::new(),
        };
        let before = self.earlier.map(|entry| format!("; entry {entry} tells where those before are"));
        Some((format!("the last{which}"), before.unwrap_or_default()))
    }
}

impl Older {
    /// In a sentence, with times as `date` writes them.
    pub fn in_words(&self, date: impl Fn(Timestamp) -> String) -> String {
        let before = self.before.map(|at| format!(" before {}", date(at))).unwrap_or_default();
        let upto = self.upto;
        match &self.told {
            Some(told) => {
                let (file, by) = (&told.file, format!("trimmed by {} on {}", told.by, date(told.at)));
                match told.in_part(upto) {
                    None => format!("entries{before} (up to {upto}) are in {file}, {by}"),
                    // The file first: a line of a screen may have no room for the rest.
                    Some((last, rest)) => {
                        format!("entries{before} (up to {upto}): {last} are in {file}, {by}{rest}")
                    }
                }
            }
            None => {
                format!("entries{before} (up to {upto}) were trimmed; which file has them cannot be read")
            }
        }
    }
}

impl Trail<'_> {
    /// From where to where the trail goes.
    pub fn span(self) -> Result<Span, EngineError> {
        let newest = self.newest()?;
        let older = self.older()?;
        let first = older.as_ref().map_or(0, |older| older.upto) + 1;
        let since = self.entry(first)?.map(|(_, entry)| Timestamp(entry.at));
        Ok(Span { first, last: newest.map_or(0, |(seq, _)| seq), since, older })
    }

    /// What the newest entry says of entries that are no longer in the store.
    pub(super) fn older(self) -> Result<Option<Older>, EngineError> {
        let trimmed = self.newest()?.and_then(|(_, entry)| entry).and_then(|entry| entry.trimmed);
        let Some(trimmed) = trimmed else { return Ok(None) };
        let before = self.entry(trimmed.upto + 1)?.map(|(_, entry)| Timestamp(entry.at));
        let told = match self.entry(trimmed.told)? {
            Some((_, entry)) => self.told(&entry)?,
            None => None,
        };
        Ok(Some(Older { upto: trimmed.upto, before, told }))
    }

    /// The hash of the entry that the trail goes on from, hex, if that is the one before `seq`.
    pub(super) fn hash_before(self, seq: u64) -> Result<Option<String>, EngineError> {
        let trimmed = self.newest()?.and_then(|(_, entry)| entry).and_then(|entry| entry.trimmed);
        if trimmed.is_none_or(|trimmed| trimmed.upto + 1 != seq) {
            return Ok(None);
        }
        let before: Option<ChainHash> = self.entry(seq)?.map(|(row, _)| row.previous);
        Ok(before.map(|hash| hex(&hash)))
    }

    /// The number of the newest entry, and what it says, if that can be read.
    fn newest(self) -> Result<Option<(u64, Option<Entry>)>, EngineError> {
        let page = self.store.range_back(&KeyRange::prefix(AUDIT), None, 1)?;
        let Some(seq) = page.rows.first().and_then(|(key, _)| seq_of(key)) else { return Ok(None) };
        Ok(Some((seq, self.entry(seq)?.map(|(_, entry)| entry))))
    }

    /// An entry that can be read, with its row.
    fn entry(self, seq: u64) -> Result<Option<(AuditRow, Entry)>, EngineError> {
        let found = match self.store.get(&audit_key(seq)) {
            Ok(Some(found)) => found,
            Ok(None) | Err(StoreError::Damaged(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let opened = open_row(&self.keyring.sealer(), &self.keyring.audit_chain(), seq, &found.value);
        Ok(opened.ok().and_then(|row| {
            let entry = serde_json::from_str::<Entry>(&row.body).ok()?;
            Some((row, entry))
        }))
    }

    /// What an entry says of those that were taken out with it. What had been taken out before, the entry before it knows.
    fn told(self, entry: &Entry) -> Result<Option<Told>, EngineError> {
        let Some(file) = entry.changes.iter().find(|change| change.field == Event::TRIMMED_INTO) else {
            return Ok(None);
        };
        let known = self.entry(entry.seq.saturating_sub(1))?.map(|(_, before)| before.trimmed);
        let first = known.as_ref().map(|trimmed| trimmed.as_ref().map_or(0, |trimmed| trimmed.upto) + 1);
        let earlier = known.flatten().map(|trimmed| trimmed.told);
        let (file, by) = (file.to.clone(), entry.actor.name.clone());
        Ok(Some(Told { file, by, at: Timestamp(entry.at), first, earlier }))
    }
}
