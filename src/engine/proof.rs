//! What of a store may be believed. Trust comes from the digest: while the records that were read are not those the newest
//! audit entry vouches for, nothing is vouched for until each record has been compared with the entry that wrote it last.
//! What is not proven is refused, the rest goes on.
//!
//! Entries prove by hash, from the newest back to the first gap. An entry beyond a gap proves nothing: what is missing there
//! may have taken away what it gave.
//!
//! Where entries were taken out of the store, the newest one says which, and the walk ends there: what they said of records is
//! said again by entries after them, see `trim`.

use std::collections::{HashMap, HashSet};

use super::audit_log::Doubt;
use super::ledger::{Head, hex};
use super::rows::{AUDIT, AuditRow, audit_key, open_row, seq_of};
use crate::crypto::Keyring;
use crate::crypto::chain::AuditChain;
use crate::crypto::record::{self, Sealer};
use crate::domain::audit::{Entry, RecordLine, Trimmed};
use crate::domain::proof::{Against, Proof};
use crate::domain::{RecordKey, Timestamp};
use crate::store::{KeyRange, Seal, Store, StoreError};

/// Records told one by one; of more than these it is told how many there are.
const NAMED: usize = 1_000;

/// The newest entry of the trail.
pub struct Newest {
    /// Where the chain stands; its hash is only right when the entry can be read.
    pub head: Head,
    /// The digest of all records it vouches for, hex, or why it cannot be read. `None` before the first entry.
    pub vouched: Option<Result<String, Doubt>>,
    /// When it was written, if it can be read.
    pub at: Option<Timestamp>,
    /// The generation of the journal of denials it names; 0 when it names none, or cannot be read.
    pub journal: u64,
    /// Which entries it says are no longer in the store.
    pub trimmed: Option<Trimmed>,
}

impl Newest {
    const fn unread(head: Head, vouched: Option<Result<String, Doubt>>) -> Self {
        Self { head, vouched, at: None, journal: 0, trimmed: None }
    }

    /// The entry before the first one of the trail.
    pub fn base(&self) -> u64 {
        self.trimmed.map_or(0, |trimmed| trimmed.upto)
    }
}

/// Reads the trail of one store.
pub struct Trail<'a> {
    store: &'a dyn Store,
    sealer: &'a Sealer,
    chain: AuditChain,
}

impl<'a> Trail<'a> {
    /// The trail of a store that `keyring` unseals.
    pub fn of(store: &'a dyn Store, keyring: &Keyring, sealer: &'a Sealer) -> Self {
        Self { store, sealer, chain: keyring.audit_chain() }
    }

    /// Its newest entry.
    pub fn newest(&self) -> Result<Newest, StoreError> {
        let none = Head { seq: 0, hash: self.chain.genesis() };
        let page = match self.store.range_back(&KeyRange::prefix(AUDIT), None, 1) {
            Ok(page) => page,
            Err(StoreError::Damaged(why)) => {
                let doubt = Doubt::altered(format!("the newest audit entry cannot be read: {why}"));
                return Ok(Newest::unread(none, Some(Err(doubt))));
            }
            Err(error) => return Err(error),
        };
        let Some((key, row)) = page.rows.into_iter().next() else {
            return Ok(Newest::unread(none, None));
        };
        let seq = seq_of(&key).unwrap_or(0);
        let unreadable = |why: String| {
            let doubt = Doubt::altered(format!("the newest audit entry ({seq}) {why}"));
            Newest::unread(Head { seq, ..none }, Some(Err(doubt)))
        };
        Ok(match open_row(self.sealer, &self.chain, seq, &row.value) {
            Err(why) => unreadable(format!("cannot be read: {why}")),
            Ok(row) => match serde_json::from_str::<Entry>(&row.body) {
                Ok(entry) if entry.seq == seq => Newest {
                    head: Head { seq, hash: row.hash },
                    at: Some(Timestamp(entry.at)),
                    journal: entry.journal,
                    trimmed: entry.trimmed,
                    vouched: Some(Ok(entry.state)),
                },
                _ => unreadable("cannot be read by this keydeck".into()),
            },
        })
    }

    /// What speaks against the trail, which begins after entry `base`, reaching as far as it once did. The seal is written before the first entry, so that a
    /// store with entries and without a seal has lost it.
    pub fn check_seal(
        &self,
        keyring: &Keyring,
        (head, base): (Head, u64),
        seal: Option<&Seal>,
    ) -> Result<Option<Doubt>, StoreError> {
        let Some(seal) = seal else {
            return Ok((head.seq > 0).then(|| {
                Doubt::altered(
                    "the seal is missing: whether the store went back in time cannot be told. Put the file `seal` back, or your backup of the whole data directory",
                )
            }));
        };
        let sealed = Head::from_bytes(&seal.audit_head);
        let mac: Option<[u8; 32]> = seal.mac.as_slice().try_into().ok();
        let (Some(sealed), Some(mac)) = (sealed, mac) else {
            return Ok(Some(Doubt::altered("the seal file is not one this keydeck writes")));
        };
        let genuine = seal.store == keyring.store().0
            && keyring.seal_key().verify(seal.rev.0, &sealed.hash, &mac).is_ok();
        if !genuine {
            return Ok(Some(Doubt::altered("the seal file belongs to another store or was changed")));
        }
        // The number is not under the MAC, the hash is: it must be that of the entry with this number.
        let known = if sealed.seq == 0 {
            Some(self.chain.genesis())
        } else if sealed.seq == base {
            self.entry(base + 1)?.map(|(row, _)| row.previous)
        } else {
            self.entry(sealed.seq)?.map(|(row, _)| row.hash)
        };
        Ok((known != Some(sealed.hash)).then(|| {
            if sealed.seq < base {
                return Doubt::short(format!(
                    "the seal file is of a time before the entries up to {base} were taken out of the audit trail: whether \
                     the store went back in time cannot be told. Put the newest file `seal` back"
                ));
            }
            Doubt::short(format!(
                "the store went back in time: the seal file knows audit entry {}, the store does not",
                sealed.seq
            ))
        }))
    }

    /// An entry that can be read, with its row. `Ok(None)` when it cannot, or is not there.
    fn entry(&self, seq: u64) -> Result<Option<(AuditRow, Entry)>, StoreError> {
        let found = match self.store.get(&audit_key(seq)) {
            Ok(found) => found,
            Err(StoreError::Damaged(_)) => None,
            Err(error) => return Err(error),
        };
        let row = found.and_then(|row| open_row(self.sealer, &self.chain, seq, &row.value).ok());
        Ok(row.and_then(|row| {
            let entry = serde_json::from_str::<Entry>(&row.body).ok()?;
            (entry.seq == seq).then_some((row, entry))
        }))
    }

    /// The entries after `after` up to `head`, the oldest first. With a gap, those behind the newest one that is missing or
    /// does not belong, and its number.
    pub fn since(&self, head: Head, after: u64) -> Result<(Vec<Entry>, Option<u64>), StoreError> {
        let mut entries = Vec::new();
        let (mut seq, mut expected) = (head.seq, head.hash);
        let mut gap = None;
        while seq > after {
            let Some((row, entry)) = self.entry(seq)?.filter(|(row, _)| row.hash == expected) else {
                gap = Some(seq);
                break;
            };
            entries.push(entry);
            (seq, expected) = (seq - 1, row.previous);
        }
        entries.reverse();
        Ok((entries, gap))
    }

    /// Reads the trail from its newest entry back to the one after `base` for what it says of each record.
    pub fn testimony(&self, head: Head, base: u64) -> Result<Testimony, StoreError> {
        let mut said = Testimony::default();
        let (mut seq, mut expected) = (head.seq, head.hash);
        while seq > base {
            let Some((row, entry)) = self.entry(seq)?.filter(|(row, _)| row.hash == expected) else { break };
            for line in entry.records {
                // From the newest back: the first that is met wrote last.
                let wrote = line.wrote.unwrap_or(seq);
                said.last.entry(line.key).or_insert(Line { seq, wrote, tag: line.tag });
            }
            (seq, expected) = (seq - 1, row.previous);
        }
        // Where the chain goes on from is in the hash of the first entry there is.
        if seq == base && (base > 0 || expected == self.chain.genesis()) {
            return Ok(said);
        }
        // What lies beyond proves nothing, but names what there was.
        said.gap = Some(seq);
        for seq in base + 1..=seq {
            for line in self.entry(seq)?.map(|(_, entry)| entry.records).unwrap_or_default() {
                if !said.last.contains_key(&line.key) {
                    said.beyond.insert(line.key);
                }
            }
        }
        Ok(said)
    }
}

struct Line {
    /// The newest entry that says so.
    seq: u64,
    /// The entry that wrote it: the same, or one that was taken out of the store.
    wrote: u64,
    tag: String,
}

/// What the trail says of the records.
#[derive(Default)]
pub struct Testimony {
    /// By row key: which entry wrote it last, and the tag it wrote.
    last: HashMap<String, Line>,
    /// The newest entry that is missing or does not belong, and with it all before it.
    gap: Option<u64>,
    /// Row keys named beyond the gap only.
    beyond: HashSet<String>,
}

impl Testimony {
    /// The row keys of all records it knows of.
    pub fn records(&self) -> impl Iterator<Item = &str> {
        self.last.keys().chain(&self.beyond).map(String::as_str)
    }

    /// Whether it is known of every record.
    pub const fn is_whole(&self) -> bool {
        self.gap.is_none()
    }

    /// What entries up to this one say of records that none after it names, to be said again.
    pub fn said_upto(&self, upto: u64) -> Vec<RecordLine> {
        let old = self.last.iter().filter(|(_, line)| line.seq <= upto);
        let again = |(key, line): (&String, &Line)| RecordLine {
            key: key.clone(),
            tag: line.tag.clone(),
            wrote: Some(line.wrote),
        };
        let mut lines: Vec<RecordLine> = old.map(again).collect();
        lines.sort_by_key(|line| line.wrote);
        lines
    }

    /// A record of which `before`, which reached as far as entry `known`, says what this says no more.
    pub fn lacks<'b>(&self, before: &'b Self, known: u64) -> Option<&'b str> {
        let is_kept = |key: &str, line: &Line| {
            self.last
                .get(key)
                .is_some_and(|now| now.wrote > known || (now.wrote == line.wrote && now.tag == line.tag))
        };
        before.last.iter().find(|(key, line)| !is_kept(key, line)).map(|(key, _)| key.as_str())
    }

    /// Compares all records with it. `found` are those that were read, `unreadable` those that could not be and are told of
    /// already. What is not proven is taken into `proof`, and told.
    pub fn judge<'r>(
        &self,
        store: &dyn Store,
        found: impl Iterator<Item = RecordKey>,
        unreadable: impl Iterator<Item = &'r RecordKey>,
        proof: &mut Proof,
    ) -> Result<Vec<Doubt>, StoreError> {
        let told: HashSet<RecordKey> = unreadable.copied().collect();
        let mut strays: Vec<(RecordKey, String)> = Vec::new();
        for (key, Line { wrote: seq, tag, .. }) in &self.last {
            let Some(at) = RecordKey::parse(key.as_bytes()) else { continue };
            let what = match store.get(key.as_bytes()) {
                Ok(Some(row)) if record::tag(&row.value).is_ok_and(|found| hex(&found) == *tag) => continue,
                Ok(Some(_)) => format!("the record {key} is not the one audit entry {seq} wrote"),
                Ok(None) => format!("the record {key}, which audit entry {seq} wrote, is missing"),
                Err(StoreError::Damaged(why)) => format!("the record {key} cannot be read: {why}"),
                Err(error) => return Err(error),
            };
            strays.push((at, what));
        }
        let mut beyond = 0_usize;
        let mut unvouched: HashSet<RecordKey> =
            self.beyond.iter().filter_map(|key| RecordKey::parse(key.as_bytes())).collect();
        unvouched.extend(found.filter(|at| !self.last.contains_key(&at.to_string())));
        for at in unvouched {
            if self.gap.is_some() {
                beyond += 1;
                proof.doubt([at], Against::Silence);
            } else {
                strays.push((at, format!("no audit entry wrote the record {at}")));
            }
        }
        strays.sort();
        proof.doubt(strays.iter().map(|(at, _)| *at), Against::Word);
        if self.gap.is_some() {
            proof.be_blind();
        }
        let more = strays.len().saturating_sub(NAMED);
        let mut doubts: Vec<Doubt> = self
            .gap
            .map(|seq| {
                Doubt::short(format!(
                    "audit entry {seq} is missing or was changed: nobody vouches for the {beyond} records that were last written up to then"
                ))
            })
            .into_iter()
            .collect();
        let named = strays.into_iter().filter(|(at, _)| !told.contains(at)).take(NAMED);
        doubts.extend(named.map(|(_, what)| Doubt::altered(what)));
        if more > 0 {
            doubts.push(Doubt::altered(format!("{more} more records are not what the audit trail says")));
        }
        Ok(doubts)
    }
}
