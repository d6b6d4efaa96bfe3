//! The only writer: seals changed records and one audit entry, and commits both together or not at all. Keeps
//! the head of the chain and the digest of all records, so that each entry vouches for the whole store.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use minicbor::Encode;

use super::denials::Book;
use super::error::EngineError;
use super::owed::Note;
use super::rows::{
    AuditRow, CLOCK_KEY, COVERAGE_KEY, HistoryRow, UNBROKEN_KEY, UNSHOWN_KEY, Unbroken, UseRow, audit_key,
    history_key, usage_key,
};
use super::timekeeper::Mark;
use crate::crypto::chain::{AuditChain, ChainHash};
use crate::crypto::random::Entropy;
use crate::crypto::record::{self, Sealer};
use crate::crypto::seal::SealKey;
use crate::crypto::state_digest::StateDigest;
use crate::crypto::{Keyring, StoreId};
use crate::domain::audit::{Entry, RecordLine, Trimmed};
use crate::domain::history::Coverage;
use crate::domain::{Event, HeaderMark, PublicId, Record};
use crate::store::{CommitError, Guard, Op, Rev, Seal, Store};

/// Where the chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Number of the newest entry; 0 before the first.
    pub seq: u64,
    /// Its hash.
    pub hash: ChainHash,
}

impl Head {
    /// As the seal file keeps it.
    pub fn to_bytes(self) -> Vec<u8> {
        [&self.seq.to_be_bytes()[..], &self.hash].concat()
    }

    /// Reads it back.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (seq, hash) = bytes.split_first_chunk::<8>()?;
        Some(Self { seq: u64::from_be_bytes(*seq), hash: hash.try_into().ok()? })
    }
}

/// Where a ledger goes on.
pub struct Standing {
    /// Where the chain stands.
    pub head: Head,
    /// Digest of all records.
    pub digest: StateDigest,
    /// The revision of the store.
    pub rev: Rev,
    /// Which entries are no longer in the store.
    pub trimmed: Option<Trimmed>,
}

/// An entry in its place in the chain, sealed and not yet written.
struct Chained {
    head: Head,
    trimmed: Option<Trimmed>,
    key: Vec<u8>,
    sealed: Vec<u8>,
}

/// What follows from a commit once it is known to have been made.
pub enum Sequel {
    /// Nothing that anybody waits for.
    Nothing,
    /// A change that memory does not show yet, or shows before it was written.
    Change(Change),
    /// Refused requests, which are told once.
    Told(Box<Book>),
}

/// A change of records.
pub struct Change {
    /// What happens with it.
    pub events: Arc<Vec<Event>>,
    /// The header's mark, where it is written too.
    pub header: Option<HeaderMark>,
}

/// What became of a commit.
pub enum Fate {
    /// It was made.
    Made,
    /// It was not, and never will be.
    NotMade,
}

/// Whether the ledger knows what the store holds.
enum Footing {
    Settled,
    /// This commit may have been made. Nothing may follow before that is known.
    Unknown(Box<Attempt>),
}

/// A commit as it was tried.
struct Attempt {
    /// Its last entry.
    last: Chained,
    digest: StateDigest,
    sequel: Sequel,
}

/// Uses written in one commit at most, by number and by bytes: below the store's limits with room for the clock.
const USES_PER_COMMIT: usize = 90;
const USE_BYTES_PER_COMMIT: usize = 128 * 1024;

/// Writes to one store.
pub struct Ledger {
    store: Arc<dyn Store>,
    id: StoreId,
    sealer: Arc<Sealer>,
    chain: Arc<AuditChain>,
    seal_key: SealKey,
    head: Head,
    digest: StateDigest,
    rev: Rev,
    trimmed: Option<Trimmed>,
    footing: Footing,
    /// The generation of the journal of denials, which each entry names.
    journal: Arc<AtomicU64>,
    entropy: Box<dyn Entropy + Send>,
}

impl Ledger {
    /// Goes on where the chain, the records and the store stand, beside a journal of denials of that generation.
    pub fn new(
        store: Arc<dyn Store>,
        keyring: &Keyring,
        Standing { head, digest, rev, trimmed }: Standing,
        journal: Arc<AtomicU64>,
        entropy: Box<dyn Entropy + Send>,
    ) -> Self {
        Self {
            store,
            id: keyring.store(),
            sealer: Arc::new(keyring.sealer()),
            chain: Arc::new(keyring.audit_chain()),
            seal_key: keyring.seal_key(),
            head,
            digest,
            rev,
            trimmed,
            footing: Footing::Settled,
            journal,
            entropy,
        }
    }

    /// Asks the store what became of a commit whose outcome is open, and goes on from there. `Err` while the store
    /// cannot tell; nothing is written until it can.
    pub fn settle(&mut self) -> Result<Option<(Fate, Sequel)>, EngineError> {
        let Footing::Unknown(attempt) = &self.footing else { return Ok(None) };
        let found = self.store.get(&attempt.last.key)?;
        let made = match &found {
            Some(entry) if entry.value == attempt.last.sealed => Some(entry.mod_rev),
            // Somebody else goes on with this chain: it is not ours any more.
            Some(_) => return Err(CommitError::Conflict { guard: 0 }.into()),
            None => None,
        };
        let Footing::Unknown(attempt) = std::mem::replace(&mut self.footing, Footing::Settled) else {
            return Ok(None);
        };
        let Attempt { last, digest, sequel } = *attempt;
        let Some(rev) = made else { return Ok(Some((Fate::NotMade, sequel))) };
        (self.head, self.digest, self.rev) = (last.head, digest, self.rev.max(rev));
        self.trimmed = last.trimmed;
        Ok(Some((Fate::Made, sequel)))
    }

    /// `Err` while it is open what the store holds.
    fn must_be_settled(&self) -> Result<(), CommitError> {
        match self.footing {
            Footing::Settled => Ok(()),
            Footing::Unknown(_) => Err(CommitError::Unavailable(
                "it cannot tell yet whether the change before this one was made".into(),
            )),
        }
    }

    /// Where the chain stands.
    pub const fn head(&self) -> Head {
        self.head
    }

    /// Which entries are no longer in the store, or are on their way out.
    pub const fn trimmed(&self) -> Option<Trimmed> {
        self.trimmed
    }

    /// The source of randomness.
    pub fn entropy(&mut self) -> &mut (dyn Entropy + Send) {
        &mut *self.entropy
    }

    /// Writes `records` and `entry` in one durable commit. `entry` comes without number, records and digest,
    /// which are filled in here; `unshown` is what takes back the secret this makes. Nothing is changed unless `Ok`, or the
    /// error is `Unknown`: then `sequel` is handed back by [`Ledger::settle`].
    pub fn write(
        &mut self,
        mut entry: Entry,
        records: Vec<Record>,
        mark: Option<&Mark>,
        unshown: Option<&Note>,
        sequel: Sequel,
    ) -> Result<(), EngineError> {
        self.must_be_settled()?;
        let seq = self.head.seq + 1;
        let mut digest = self.digest.clone();
        let mut ops = Vec::new();
        // One row per key: of two events about one record the later one counts.
        let latest: BTreeMap<_, _> = records.into_iter().map(|r| (r.key(), r)).collect();
        for (at, record) in latest {
            let key = at.to_string().into_bytes();
            if let Some(old) = self.store.get(&key)? {
                let opened = self.sealer.open(&key, &old.value)?;
                digest.remove(&key, opened.revision, &record::tag(&old.value)?);
            }
            let sealed = self.sealer.seal_with(&mut *self.entropy, &key, seq, &record.encode()?)?;
            let tag = record::tag(&sealed)?;
            digest.add(&key, seq, &tag);
            entry.records.push(RecordLine { key: at.to_string(), tag: hex(&tag), wrote: None });
            ops.push(Op::Put(key, sealed));
        }
        if let Some(mark) = mark {
            let sealed = self.sealer.seal_with(&mut *self.entropy, CLOCK_KEY, seq, &encoded(mark)?)?;
            ops.push(Op::Put(CLOCK_KEY.to_vec(), sealed));
        }
        if let Some(unshown) = unshown {
            let sealed = self.sealer.seal_with(&mut *self.entropy, UNSHOWN_KEY, seq, &encoded(unshown)?)?;
            ops.push(Op::Put(UNSHOWN_KEY.to_vec(), sealed));
        }
        let last = self.chain_on(self.head, entry, &digest)?;
        self.commit_chained(ops, vec![last], digest, sequel)
    }

    /// Writes entries that change no record, all in one durable commit, and the highest believed time. Nothing is changed
    /// unless `Ok` or `Unknown`, as with [`Ledger::write`].
    pub fn write_notes(
        &mut self,
        entries: Vec<Entry>,
        mark: &Mark,
        sequel: Sequel,
    ) -> Result<(), EngineError> {
        self.must_be_settled()?;
        let mut chained: Vec<Chained> = Vec::with_capacity(entries.len());
        for entry in entries {
            let head = chained.last().map_or(self.head, |before| before.head);
            let digest = self.digest.clone();
            chained.push(self.chain_on(head, entry, &digest)?);
        }
        let clock = self.unlisted(CLOCK_KEY, mark)?;
        let digest = self.digest.clone();
        self.commit_chained(vec![clock], chained, digest, sequel)
    }

    /// An entry as it follows `head`, over records with that digest.
    fn chain_on(
        &mut self,
        head: Head,
        mut entry: Entry,
        digest: &StateDigest,
    ) -> Result<Chained, EngineError> {
        let seq = head.seq + 1;
        entry.seq = seq;
        entry.store = self.id.to_string();
        entry.state = hex(&digest.commitment());
        entry.journal = self.journal.load(Ordering::Acquire);
        // The one that tells of a trimming comes with it.
        let trimmed = entry.trimmed.or(self.trimmed);
        entry.trimmed = trimmed;
        let body =
            serde_json::to_string(&entry).map_err(|error| EngineError::Unwritable(error.to_string()))?;
        let link = self.chain.extend(&head.hash, body.as_bytes());
        let row = AuditRow { body, previous: head.hash, hash: link.hash, mac: link.mac };
        let key = audit_key(seq);
        let plain = encoded(&row)?;
        let sealed = self.sealer.seal_with(&mut *self.entropy, &key, seq, &plain)?;
        Ok(Chained { head: Head { seq, hash: link.hash }, trimmed, key, sealed })
    }

    /// Commits entries that follow the head one after another and lead to `digest`, and what belongs to them.
    fn commit_chained(
        &mut self,
        mut ops: Vec<Op>,
        mut entries: Vec<Chained>,
        digest: StateDigest,
        sequel: Sequel,
    ) -> Result<(), EngineError> {
        ops.extend(entries.iter().map(|entry| Op::Put(entry.key.clone(), entry.sealed.clone())));
        // The guard makes the chain one line: whoever else extended it first makes this commit fail whole.
        let guards: Vec<Guard> =
            entries.iter().take(1).map(|first| Guard::Absent(first.key.clone())).collect();
        let Some(last) = entries.pop() else { return Ok(()) };
        match self.store.commit(&guards, &ops) {
            Ok(rev) => {
                (self.head, self.digest, self.rev) = (last.head, digest, self.rev.max(rev));
                self.trimmed = last.trimmed;
                Ok(())
            }
            Err(CommitError::Unknown(why)) => {
                self.footing = Footing::Unknown(Box::new(Attempt { last, digest, sequel }));
                match self.settle() {
                    Ok(Some((Fate::Made, _)) | None) => Ok(()),
                    Ok(Some((Fate::NotMade, _))) => Err(CommitError::Unavailable(why).into()),
                    Err(_) => Err(CommitError::Unknown(why).into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the first of what was used, as many as fit one commit, and the highest believed time; how many there
    /// were. These rows have no audit entry and no place in the digest: they take no access away and give none.
    pub fn write_uses(&mut self, uses: &[(PublicId, UseRow)], mark: &Mark) -> Result<usize, EngineError> {
        self.must_be_settled()?;
        let clock = self.unlisted(CLOCK_KEY, mark)?;
        self.write_first(vec![clock], uses, usage_key, None)
    }

    /// Writes the first of some histories, as [`Ledger::write_uses`] does; with the last of them, of which time all is
    /// written.
    pub fn write_histories(
        &mut self,
        rows: &[(PublicId, HistoryRow)],
        coverage: &Coverage,
    ) -> Result<usize, EngineError> {
        self.must_be_settled()?;
        let whole = self.unlisted(COVERAGE_KEY, coverage)?;
        self.write_first(Vec::new(), rows, history_key, Some(whole))
    }

    /// Writes the first of some rows, as many as fit one commit; `last` goes with the last of them.
    fn write_first<T: Encode<()>>(
        &mut self,
        mut ops: Vec<Op>,
        rows: &[(PublicId, T)],
        key: fn(PublicId) -> Vec<u8>,
        last: Option<Op>,
    ) -> Result<usize, EngineError> {
        let mut bytes = 0;
        let mut written = 0;
        for (id, row) in rows.iter().take(USES_PER_COMMIT) {
            let op = self.unlisted(&key(*id), row)?;
            if let Op::Put(_, sealed) = &op {
                bytes += sealed.len();
            }
            if bytes > USE_BYTES_PER_COMMIT && written > 0 {
                break;
            }
            written += 1;
            ops.push(op);
        }
        ops.extend(last.filter(|_| written == rows.len()));
        self.rev = self.rev.max(self.store.commit(&[], &ops)?);
        Ok(written)
    }

    /// Removes the histories of keys that are about to be forgotten, whoever wrote them.
    pub fn forget_histories(&mut self, keys: &[PublicId]) -> Result<(), EngineError> {
        self.must_be_settled()?;
        for id in keys {
            let own = history_key(*id);
            let mut ops = Vec::new();
            self.store.scan(&[&own[..], b"/"].concat(), &mut |row| {
                ops.push(Op::Delete(row.key.to_vec()));
                ControlFlow::Continue(())
            })?;
            if self.store.get(&own)?.is_some() {
                ops.push(Op::Delete(own));
            }
            if !ops.is_empty() {
                self.rev = self.rev.max(self.store.commit(&[], &ops)?);
            }
        }
        Ok(())
    }

    /// Removes entries of which the trail says that they were taken out of the store.
    pub fn remove_trimmed(&mut self, seqs: &[u64]) -> Result<(), EngineError> {
        self.must_be_settled()?;
        let upto = self.trimmed.map_or(0, |trimmed| trimmed.upto);
        let gone = seqs.iter().filter(|seq| **seq <= upto);
        let ops: Vec<Op> = gone.map(|seq| Op::Delete(audit_key(*seq))).collect();
        self.rev = self.rev.max(self.store.commit(&[], &ops)?);
        Ok(())
    }

    /// Writes since when no use was lost, and of which time histories are whole.
    pub fn write_unbroken(&mut self, unbroken: Unbroken, coverage: &Coverage) -> Result<(), EngineError> {
        self.must_be_settled()?;
        let ops = [self.unlisted(UNBROKEN_KEY, &unbroken)?, self.unlisted(COVERAGE_KEY, coverage)?];
        self.rev = self.rev.max(self.store.commit(&[], &ops)?);
        Ok(())
    }

    /// A row the audit trail does not list, sealed.
    fn unlisted(&mut self, key: &[u8], row: &impl Encode<()>) -> Result<Op, EngineError> {
        let plain = encoded(row)?;
        let sealed = self.sealer.seal_with(&mut *self.entropy, key, self.head.seq, &plain)?;
        Ok(Op::Put(key.to_vec(), sealed))
    }

    /// What the seal file should say now.
    pub fn seal(&self) -> Seal {
        Seal {
            store: self.id.0,
            rev: self.rev,
            audit_head: self.head.to_bytes(),
            mac: self.seal_key.mac(self.rev.0, &self.head.hash).to_vec(),
        }
    }
}

/// The bytes of a row. What cannot be brought into bytes stops the commit: an empty row would be sealed as the truth.
fn encoded(row: &impl Encode<()>) -> Result<Vec<u8>, EngineError> {
    minicbor::to_vec(row).map_err(|error| EngineError::Unwritable(error.to_string()))
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
