//! The rows of a store that are no records, as they lie there, sealed, and the keys they lie under. What is written and
//! read of them is said in `ledger`, `load`, `scribe` and `backup`; which there are, here and nowhere else.

use minicbor::{Decode, Encode};

use crate::crypto::CryptoError;
use crate::crypto::chain::{AuditChain, ChainHash, Link};
use crate::crypto::record::{self, Sealer};
use crate::domain::history::History;
use crate::domain::{PublicId, Timestamp, Trace};

/// How the keys of audit entries begin.
pub const AUDIT: &[u8] = b"a/";
/// How those of uses begin.
pub const USES: &[u8] = b"t/";
/// How those of histories begin.
const HISTORIES: &[u8] = b"h/";
/// How those of clocks, spans of time and the newest secret begin.
const MARKS: &[u8] = b"c/";

/// Whether nobody vouches for what lies under a key: it gives and takes no access.
pub fn is_unlisted(key: &[u8]) -> bool {
    [USES, HISTORIES, MARKS].iter().any(|begins| key.starts_with(begins))
}

/// An audit row as it lies in the store, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AuditRow {
    /// The JSON text that is chained.
    #[n(0)]
    pub body: String,
    /// Hash of the entry before.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub previous: ChainHash,
    /// Hash of this entry.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub hash: ChainHash,
    /// Proof that the unsealed store wrote it.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub mac: [u8; 32],
}

impl AuditRow {
    /// Hash and MAC together.
    pub const fn link(&self) -> Link {
        Link { hash: self.hash, mac: self.mac }
    }
}

/// Row key of an audit entry.
pub fn audit_key(seq: u64) -> Vec<u8> {
    format!("a/{seq:020}").into_bytes()
}

/// The number of the entry that lies under a key.
pub fn seq_of(key: &[u8]) -> Option<u64> {
    std::str::from_utf8(key.strip_prefix(AUDIT)?).ok()?.parse().ok()
}

/// Opens the audit row of `seq` and checks that it carries this store's MAC.
pub fn open_row(
    sealer: &Sealer,
    chain: &AuditChain,
    seq: u64,
    sealed: &[u8],
) -> Result<AuditRow, CryptoError> {
    let opened = sealer.open(&audit_key(seq), sealed)?;
    let row: AuditRow = minicbor::decode(&opened.plain).map_err(|_| record::RecordFault::Altered)?;
    chain.verify(&row.previous, row.body.as_bytes(), &row.link())?;
    Ok(row)
}

/// What is known of the use of a key or an app, as it lies in the store, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct UseRow {
    /// The last time a request was allowed.
    #[n(0)]
    pub last_used_at: Option<Timestamp>,
    /// How many requests were allowed.
    #[n(1)]
    pub count: u64,
    /// Where from and what for. Rows written before this was known have none.
    #[n(2)]
    pub trace: Option<Trace>,
    /// The first time a request was allowed. Rows written before this was noted have none.
    #[n(3)]
    pub first_used_at: Option<Timestamp>,
}

/// A history as it lies in the store, sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct HistoryRow {
    /// How often it was written: tells whether a write was made whose answer never came.
    #[n(0)]
    pub writes: u64,
    /// What is known.
    #[n(1)]
    pub history: History,
}

/// Since when no use was lost, as the store keeps it. A process that gathers uses for longer than a command takes
/// leaves the row open, and closes it when the last use is written. Who finds it open knows that the one before
/// did not end in order: whether its disk had failed for days or a power cut took two seconds cannot be told, so
/// the time without a gap begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Unbroken {
    /// Since when.
    #[n(0)]
    pub since: Timestamp,
    /// Whether somebody gathers uses.
    #[n(1)]
    pub open: bool,
}

/// Row key of the use of a key or an app, as far as this process saw it. Whoever else writes to a store has rows of its own
/// beside it, `t/ID/NODE`, and so of the clock and of the time since when no use was lost, `c/clock/NODE` and `c/uses/NODE`:
/// nobody writes another's, and whoever reads merges them. On one machine there are none.
pub fn usage_key(id: PublicId) -> Vec<u8> {
    format!("t/{id}").into_bytes()
}

/// Row key of the history of a key or an app, as far as this process saw it; beside it, as of uses, `h/ID/NODE`.
pub fn history_key(id: PublicId) -> Vec<u8> {
    format!("h/{id}").into_bytes()
}

/// Row key of the time of which histories are whole.
pub const COVERAGE_KEY: &[u8] = b"c/history";

/// Row key of the highest believed time.
pub const CLOCK_KEY: &[u8] = b"c/clock";

/// Row key of the time since when no use was lost.
pub const UNBROKEN_KEY: &[u8] = b"c/uses";

/// Row key of what takes back the newest secret, written with it: as long as the seal does not know of that commit,
/// nobody was shown the secret.
pub const UNSHOWN_KEY: &[u8] = b"c/unshown";
