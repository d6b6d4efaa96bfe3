//! That a backup holds what its store vouched for: with a secret that opens its header, every record and every entry of the
//! trail is opened under its own key, the trail is followed link by link to its end, and the records together are those its
//! newest entry names. A row at a time: nothing of it stays in memory.

use std::collections::HashMap;
use std::io::{Read, Seek};

use super::container::Outline;
use super::error::BackupError;
use super::{Closing, Row, under};
use crate::crypto::Keyring;
use crate::crypto::chain::{AuditChain, ChainHash};
use crate::crypto::header::Header;
use crate::crypto::passphrase::Passphrase;
use crate::crypto::record::{self, Sealer};
use crate::crypto::state_digest::StateDigest;
use crate::domain::audit::Entry;
use crate::domain::{Record, RecordKey};
use crate::engine::ledger::{Head, hex};
use crate::engine::open::{Key, unlock};
use crate::engine::rows::{is_unlisted, open_row, seq_of};

/// What was proven.
pub struct Proven {
    /// The header of the store.
    pub header: Header,
    /// Rows of the store.
    pub rows: u64,
    /// Hashes of the entries that were asked for, hex, as far as the trail has them.
    pub hashes: HashMap<u64, String>,
    /// Knows the seals of its store and what lies sealed in it.
    pub keyring: Keyring,
    /// The entry before the first of the trail: those up to it had been taken out of the store.
    pub base: u64,
}

/// Proves a file of which `outline` was read: with the secret `key`, behind the passphrase of its own where it has one, and with
/// the hashes of the entries `asked` kept.
///
/// # Errors
/// When the secret opens it not, or something in it is not what its store wrote.
pub fn prove(
    outline: &Outline,
    from: impl Read + Seek,
    (key, lock): (&Key<'_>, Option<&Passphrase>),
    asked: impl Iterator<Item = u64>,
) -> Result<Proven, BackupError> {
    let closing = &outline.closing;
    let header = Header::decode(&under::header(closing, lock)?).map_err(BackupError::Unseal)?;
    under::affordable(&header)?;
    let root = unlock(&header, key, |_| true).map_err(BackupError::Unseal)?.root;
    let keyring = Keyring::new(root, header.store());
    if header.store().0 != outline.opening.store {
        return Err(BackupError::Unproven("its header is that of another store".into()));
    }
    if keyring.seal_key().verify(closing.sealed, &closing.head, &closing.mac).is_err() {
        return Err(BackupError::Unproven("its seal is not one of this store, or of another moment".into()));
    }
    let hashes = asked.map(|seq| (seq, String::new())).collect();
    let mut proof = Proof::of(&keyring, hashes);
    let rows = outline.each(from, &mut |row| proof.add(row))?;
    let (hashes, base) = proof.end(closing)?;
    Ok(Proven { header, rows, hashes, keyring, base })
}

/// What was seen so far.
struct Proof {
    sealer: Sealer,
    chain: AuditChain,
    digest: StateDigest,
    head: Head,
    /// The entry before the first of those that were followed without a gap.
    begins: u64,
    /// Text of the newest entry.
    newest: String,
    store: String,
    hashes: HashMap<u64, String>,
}

impl Proof {
    fn of(keyring: &Keyring, hashes: HashMap<u64, String>) -> Self {
        let chain = keyring.audit_chain();
        let head = Head { seq: 0, hash: chain.genesis() };
        let (sealer, digest) = (keyring.sealer(), keyring.empty_state());
        let store = keyring.store().to_string();
        Self { sealer, chain, digest, head, begins: 0, newest: String::new(), store, hashes }
    }

    fn add(&mut self, row: &Row) -> Result<(), BackupError> {
        let (key, value) = (&row.key, row.value.as_deref().unwrap_or_default());
        if let Some(seq) = seq_of(key) {
            return self.add_entry(seq, value);
        }
        let name = String::from_utf8_lossy(key);
        if let Some(at) = RecordKey::parse(key) {
            let wrong = |why: String| BackupError::Unproven(format!("the record {name}: {why}"));
            let opened = self.sealer.open(key, value).map_err(|why| wrong(why.to_string()))?;
            Record::decode(at, &opened.plain).map_err(|why| wrong(why.to_string()))?;
            let tag = record::tag(value).map_err(|why| wrong(why.to_string()))?;
            self.digest.add(key, opened.revision, &tag);
            return Ok(());
        }
        // What nobody vouches for gives and takes nothing: uses, their histories, the clock.
        if is_unlisted(key) {
            return Ok(());
        }
        Err(BackupError::Unproven(format!("there is a row {name} that no keydeck writes")))
    }

    fn add_entry(&mut self, seq: u64, value: &[u8]) -> Result<(), BackupError> {
        let wrong = |why: String| BackupError::Unproven(format!("audit entry {seq}: {why}"));
        let row = open_row(&self.sealer, &self.chain, seq, value).map_err(|why| wrong(why.to_string()))?;
        if seq != self.head.seq + 1 {
            // Whether those before it may be missing is for the newest entry to say.
            self.begins = seq.saturating_sub(1);
            self.keep(self.begins, &row.previous);
        } else if row.previous != self.head.hash {
            return Err(wrong("it does not follow the one before it".into()));
        }
        self.keep(seq, &row.hash);
        self.head = Head { seq, hash: row.hash };
        self.newest = row.body;
        Ok(())
    }

    fn keep(&mut self, seq: u64, hash: &ChainHash) {
        if let Some(kept) = self.hashes.get_mut(&seq) {
            *kept = hex(hash);
        }
    }

    /// That the trail ends where the file says, and vouches for the records that were in it.
    fn end(mut self, closing: &Closing) -> Result<(HashMap<u64, String>, u64), BackupError> {
        let unproven = |why: &str| Err(BackupError::Unproven(why.into()));
        if (self.head.seq, self.head.hash) != (closing.seq, closing.head) {
            return unproven("its audit trail does not end where it should");
        }
        let Ok(newest) = serde_json::from_str::<Entry>(&self.newest) else {
            return unproven("its newest audit entry cannot be read by this keydeck");
        };
        if newest.seq != closing.seq || newest.store != self.store {
            return unproven("its newest audit entry names another place or store");
        }
        let base = newest.trimmed.map_or(0, |trimmed| trimmed.upto);
        if self.begins > base {
            return Err(BackupError::Unproven(format!("audit entry {} is missing", self.begins)));
        }
        if newest.state != hex(&self.digest.commitment()) {
            return unproven("its records are not those that its newest audit entry vouches for");
        }
        self.hashes.retain(|_, hash| !hash.is_empty());
        Ok((self.hashes, base))
    }
}
