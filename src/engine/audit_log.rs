//! Reading the audit trail and checking it. What a session may read is decided per entry: an admin reads all,
//! others what they did and what concerns their keys.

mod export;
mod older;

use std::ops::ControlFlow;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

pub use self::export::{Part, check_export, export_line};
pub use self::older::{Older, Span, Told};
use super::error::EngineError;
use super::ledger::{Head, hex};
use super::rows::{AUDIT, audit_key, open_row, seq_of};
use super::session::Session;
use crate::crypto::Keyring;
use crate::domain::audit::Entry;
use crate::domain::{Action, KeyId, OperatorId, Refusal, Role, State, authorize};
use crate::store::{KeyRange, Store};

/// An entry with the text that was chained and its place in the chain.
#[derive(Clone, Debug)]
pub struct AuditLine {
    /// The entry.
    pub entry: Entry,
    /// Its JSON text, byte for byte.
    pub body: String,
    /// Hash of the chain after it, hex.
    pub hash: String,
    /// Its MAC, hex.
    pub mac: String,
}

/// An entry travels as the text that was chained.
impl<C> Encode<C> for AuditLine {
    fn encode<W: encode::Write>(
        &self,
        to: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        (&self.body, &self.hash, &self.mac).encode(to, ctx)
    }
}

impl<'b, C> Decode<'b, C> for AuditLine {
    fn decode(from: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        let (body, hash, mac): (String, _, _) = from.decode_with(ctx)?;
        let entry = serde_json::from_str(&body).map_err(|_| decode::Error::message("not an entry"))?;
        Ok(Self { entry, body, hash, mac })
    }
}

/// A page of the trail, newest first.
#[derive(Clone, Debug, Default, Encode, Decode)]
pub struct AuditPage {
    /// The entries.
    #[n(0)]
    pub lines: Vec<AuditLine>,
    /// Hand it back as `before` for older ones; `None` at the beginning of the trail.
    #[n(1)]
    pub next: Option<u64>,
    /// Where the entries are that are no longer in the store, at the beginning of such a trail.
    #[n(2)]
    pub older: Option<Box<Older>>,
}

/// How the chain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Integrity {
    /// Whole, and the records are what it says.
    #[n(0)]
    Intact,
    /// An entry or a record was edited, moved, inserted or forged.
    #[n(1)]
    Altered,
    /// Entries are missing: a gap, or less than a seal or anchor knows.
    #[n(2)]
    Short,
    /// It cannot be checked.
    #[n(3)]
    Unverifiable,
}

/// Something that does not agree between the store, its audit trail and its seal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Doubt {
    /// What it makes of the trail.
    #[n(0)]
    pub integrity: Integrity,
    /// In words.
    #[n(1)]
    pub what: String,
}

impl Doubt {
    pub(super) fn altered(what: impl Into<String>) -> Self {
        Self { integrity: Integrity::Altered, what: what.into() }
    }

    pub(super) fn short(what: impl Into<String>) -> Self {
        Self { integrity: Integrity::Short, what: what.into() }
    }
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

/// All doubts in one line.
pub(super) fn in_one_line(doubts: &[Doubt]) -> String {
    doubts.iter().map(|d| d.what.as_str()).collect::<Vec<_>>().join("; ")
}

/// What a check found.
#[derive(Clone, Debug, Encode, Decode)]
pub struct AuditReport {
    /// The verdict.
    #[n(0)]
    pub integrity: Integrity,
    /// What is wrong, in words; empty when intact.
    #[n(1)]
    pub faults: Vec<String>,
    /// Entries checked.
    #[n(2)]
    pub entries: u64,
    /// Hash of the newest entry, hex: keep it elsewhere, and nobody can cut the trail unseen.
    #[n(3)]
    pub head: String,
    /// The entry before the first that was checked: of a store those up to it are elsewhere.
    #[n(4)]
    pub base: u64,
    /// Of an export that is a part of the trail, which.
    #[n(5)]
    pub part: Option<Part>,
}

/// Rows read at once while paging.
const PAGE: usize = 256;
/// Entries in one answer: it is read while nobody waits for it, and fits a frame of the control socket.
const ANSWER: usize = 1_000;
/// Faults after which the list of them says no more than it did.
const MAX_FAULTS: usize = 50;

/// Which entries somebody may read.
pub(super) struct Readable {
    operator: OperatorId,
    role: Role,
    /// Those about this key alone.
    about: Option<KeyId>,
}

impl Readable {
    /// What a session may read, or what it may read about a key that it sees.
    pub fn of(state: &State, session: &Session, about: Option<KeyId>) -> Result<Self, Refusal> {
        let actor = session.actor();
        authorize(state, &actor, Action::ReadOwnAudit)?;
        if let Some(id) = about {
            state.key(id).filter(|key| actor.sees(state, key)).ok_or(Refusal::NoSuchKey)?;
        }
        let role = state.operator(actor.operator).map_or(Role::Viewer, |operator| operator.role);
        Ok(Self { operator: actor.operator, role, about })
    }

    fn has(&self, entry: &Entry) -> bool {
        self.about.map_or_else(|| entry.readable_by(self.operator, self.role), |id| entry.is_about(id))
    }
}

/// The trail as the store holds it.
#[derive(Clone, Copy)]
pub(super) struct Trail<'e> {
    pub store: &'e dyn Store,
    pub keyring: &'e Keyring,
}

impl Trail<'_> {
    /// Entries that may be read, the newest first: no more than `limit`, nor than fit an answer.
    pub fn page(
        self,
        readable: &Readable,
        before: Option<u64>,
        limit: usize,
    ) -> Result<AuditPage, EngineError> {
        let (sealer, chain) = (self.keyring.sealer(), self.keyring.audit_chain());
        let mut page = AuditPage::default();
        let mut before = before.map(audit_key);
        loop {
            let rows = self.store.range_back(&KeyRange::prefix(AUDIT), before.as_deref(), PAGE)?;
            for (key, row) in &rows.rows {
                let Some(seq) = seq_of(key) else { continue };
                if page.lines.len() == limit.min(ANSWER) {
                    page.next = Some(seq + 1);
                    return Ok(page);
                }
                let row = open_row(&sealer, &chain, seq, &row.value)?;
                let Ok(entry) = serde_json::from_str::<Entry>(&row.body) else { continue };
                if readable.has(&entry) {
                    let (hash, mac) = (hex(&row.hash), hex(&row.mac));
                    page.lines.push(AuditLine { entry, body: row.body, hash, mac });
                }
            }
            match rows.next {
                Some(next) => before = Some(next),
                None => {
                    page.older = self.older()?.map(Box::new);
                    return Ok(page);
                }
            }
        }
    }

    /// Hands out the rows of the trail after entry `after` up to `last`, the oldest first. A page at a time: no writer waits for a reader of a
    /// long trail. What is missing is not handed out.
    pub fn walk(
        self,
        after: u64,
        last: Head,
        row: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), EngineError> {
        let range = KeyRange::between(&audit_key(after + 1), &audit_key(last.seq + 1));
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self.store.range(&range, after.as_deref(), PAGE)?;
            for (key, found) in &page.rows {
                if row(seq_of(key).unwrap_or(0), &found.value).is_break() {
                    return Ok(());
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// Checks the whole chain, which is known to begin after entry `base`, to end at `known` and to be doubted as `doubts` say.
    pub fn check(self, known: Head, base: u64, doubts: &[Doubt]) -> Result<AuditReport, EngineError> {
        let (sealer, chain) = (self.keyring.sealer(), self.keyring.audit_chain());
        let mut report = AuditReport::after(base);
        let mut head = Head { seq: base, hash: chain.genesis() };
        let walked = self.walk(base, known, &mut |seq, value| {
            let expected = head.seq + 1;
            if seq != expected {
                report.fault(
                    Integrity::Short,
                    format!("entries {expected} to {} are missing", seq.saturating_sub(1)),
                );
            }
            match open_row(&sealer, &chain, seq, value) {
                Ok(entry) => {
                    let begins = base > 0 && seq == base + 1;
                    if seq == expected && !begins && entry.previous != head.hash {
                        report.fault(
                            Integrity::Altered,
                            format!("entry {seq} does not follow entry {}", head.seq),
                        );
                    }
                    match serde_json::from_str::<Entry>(&entry.body) {
                        Ok(body) if body.seq == seq && body.store == self.keyring.store().to_string() => {}
                        Ok(_) => {
                            report.fault(
                                Integrity::Altered,
                                format!("entry {seq} names another place or store"),
                            );
                        }
                        Err(_) => report.fault(
                            Integrity::Unverifiable,
                            format!("entry {seq} is of a version this keydeck does not know"),
                        ),
                    }
                    head = Head { seq, hash: entry.hash };
                }
                Err(why) => {
                    report.fault(Integrity::Altered, format!("entry {seq}: {why}"));
                    head.seq = seq;
                }
            }
            report.entries += 1;
            if report.faults.len() > MAX_FAULTS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if walked.is_err() || !report.faults.is_empty() {
            // The store judges its rows as a whole too, and takes no more commits when they do not add up.
            self.store.scan(AUDIT, &mut |_| ControlFlow::Continue(()))?;
        }
        walked?;
        report.head = hex(&head.hash);
        if known.seq > head.seq {
            report.fault(Integrity::Short, format!("entries {} to {} are missing", head.seq + 1, known.seq));
        }
        for doubt in doubts {
            report.fault(doubt.integrity, doubt.what.clone());
        }
        Ok(report)
    }

    /// The hash of one entry, hex, if the trail has it.
    pub fn hash(self, seq: u64) -> Result<Option<String>, EngineError> {
        let (sealer, chain) = (self.keyring.sealer(), self.keyring.audit_chain());
        if seq == 0 {
            return Ok(Some(hex(&chain.genesis())));
        }
        let Some(entry) = self.store.get(&audit_key(seq))? else { return self.hash_before(seq + 1) };
        Ok(Some(hex(&open_row(&sealer, &chain, seq, &entry.value)?.hash)))
    }
}

impl AuditReport {
    /// Nothing was checked yet of a trail that begins after that entry.
    fn after(base: u64) -> Self {
        Self {
            integrity: Integrity::Intact,
            faults: Vec::new(),
            entries: 0,
            head: String::new(),
            base,
            part: None,
        }
    }

    fn fault(&mut self, integrity: Integrity, what: String) {
        self.integrity = match (self.integrity, integrity) {
            // What is missing comes first: records newer than a cut trail look altered because of the cut.
            (Integrity::Short, _) | (_, Integrity::Short) => Integrity::Short,
            (Integrity::Altered, _) | (_, Integrity::Altered) => Integrity::Altered,
            _ => integrity,
        };
        self.faults.push(what);
    }

    /// Takes in what a check of the entries before those of this trail found. They must lead to the entry with the hash
    /// `ends`, hex, which the trail goes on from.
    pub fn go_on_from(&mut self, before: &Self, ends: &str) {
        let base = self.base;
        for fault in &before.faults {
            self.fault(before.integrity, format!("before entry {}: {fault}", base + 1));
        }
        if !before.faults.is_empty() {
            return;
        }
        let last = before.base + before.entries;
        if before.base > 0 {
            let first = before.base + 1;
            let what =
                format!("the files begin with entry {first}: name those before it too, in their order");
            self.fault(Integrity::Unverifiable, what);
        } else if (last, before.head.as_str()) == (base, ends) {
            (self.entries, self.base) = (self.entries + base, 0);
        } else if last < base {
            let what = format!("the files end with entry {last}, and the store goes on after entry {base}");
            self.fault(Integrity::Short, what);
        } else if last > base {
            let what = format!(
                "the files reach to entry {last}, and the store has the entries after {base} itself: they overlap, and are not \
                 compared. Name only files that end with entry {base} or before"
            );
            self.fault(Integrity::Unverifiable, what);
        } else {
            let what = format!("the files do not lead to entry {base}, which the store goes on from");
            self.fault(Integrity::Altered, what);
        }
    }

    /// Compares with a line that was kept elsewhere. The chain must go through it.
    pub fn hold_against(&mut self, anchor: &Anchor, found: Option<&str>) {
        match found {
            _ if self.faults.len() > MAX_FAULTS => {}
            Some(hash) if hash == anchor.head => {}
            Some(_) => self.fault(
                Integrity::Altered,
                format!("entry {} is not the one the anchor names: the trail was rewritten", anchor.seq),
            ),
            None if anchor.seq <= self.base => self.fault(
                Integrity::Unverifiable,
                format!(
                    "the anchor names entry {}, which is no longer in the store: it can be checked with the file that holds \
                     the entries up to {} (`audit verify --trimmed FILE`), and not without it",
                    anchor.seq, self.base
                ),
            ),
            None => self.fault(
                Integrity::Short,
                format!("the anchor names entry {}, the trail does not reach it", anchor.seq),
            ),
        }
    }
}

/// One line to keep elsewhere: store, number and hash of an entry, when.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Anchor {
    /// The store, hex.
    #[n(0)]
    pub store: String,
    /// Number of the entry.
    #[n(1)]
    pub seq: u64,
    /// Its hash, hex.
    #[n(2)]
    pub head: String,
    /// When the anchor was taken, RFC 3339.
    #[n(3)]
    pub at: String,
}

impl std::fmt::Display for Anchor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "keydeck-anchor 1 {} {} {} {}", self.store, self.seq, self.head, self.at)
    }
}

impl Anchor {
    /// Reads the line back.
    pub fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["keydeck-anchor", "1", store, seq, head, at] = words.as_slice() else { return None };
        let is_hex = |text: &str, len| text.len() == len && text.bytes().all(|b| b.is_ascii_hexdigit());
        (is_hex(store, 32) && is_hex(head, 64)).then_some(())?;
        Some(Self { store: (*store).into(), seq: seq.parse().ok()?, head: (*head).into(), at: (*at).into() })
    }
}
