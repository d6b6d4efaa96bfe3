//! The trail as text outside the store: its lines, and checking them without any key.

use std::collections::{HashMap, HashSet};

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{Anchor, AuditLine, AuditReport, Integrity};
use crate::crypto::chain::{self, ChainHash};
use crate::crypto::sum;
use crate::domain::audit::Entry;
use crate::engine::ledger::hex;

/// What stands before a part of a trail: without it what is missing was cut off.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartLine {
    part: Part,
}

/// Which part of a trail somebody exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The store.
    #[n(0)]
    pub store: String,
    /// The entry before the first one that is in it; 0 where it begins with the first there is.
    #[n(1)]
    pub after: u64,
    /// The hash of that entry, hex.
    #[n(2)]
    pub hash: String,
    /// The last entry that is in it.
    #[n(3)]
    pub upto: u64,
}

impl Part {
    /// Its line.
    pub fn line(self) -> String {
        serde_json::to_string(&PartLine { part: self }).unwrap_or_default()
    }

    fn read(line: &str) -> Option<Self> {
        serde_json::from_str::<PartLine>(line).ok().map(|line| line.part)
    }

    /// Whether an anchor says something of it.
    const fn is_told_by(&self, anchor: &Anchor) -> bool {
        self.after <= anchor.seq && anchor.seq <= self.upto
    }
}

/// Checks an exported trail without any key, or parts of one that follow on each other: the hashes must lead from line to line.
/// Forgery by whoever can recompute them shows only against an anchor.
pub fn check_export(lines: impl Iterator<Item = String>, anchors: &[Anchor]) -> AuditReport {
    let mut report = AuditReport::after(0);
    let mut previous: Option<ChainHash> = None;
    // The entries that anchors name, as far as they were met.
    let mut found: HashMap<u64, String> = HashMap::new();
    let asked: HashSet<u64> = anchors.iter().map(|anchor| anchor.seq).collect();
    for (number, line) in lines.enumerate().map(|(n, line)| (n + 1, line)) {
        if let Some(part) = Part::read(&line) {
            if number == 1 {
                previous = sum::from_hex(&part.hash);
                report.base = part.after;
                found.insert(part.after, part.hash.clone());
                report.part = Some(part);
            } else if !report.goes_on(&part, previous) {
                break;
            }
            continue;
        }
        let Some((body, hash)) = split_export(&line) else {
            report.fault(Integrity::Unverifiable, format!("line {number} is not a line of an export"));
            break;
        };
        let Ok(entry) = serde_json::from_str::<Entry>(&body) else {
            report.fault(
                Integrity::Unverifiable,
                format!("line {number} is of a version this keydeck does not know"),
            );
            break;
        };
        let start = previous.or_else(|| genesis_of(&entry.store).filter(|_| entry.seq == 1));
        let Some(start) = start else {
            report.fault(Integrity::Short, format!("the export starts at entry {}, not at 1", entry.seq));
            break;
        };
        let expected = report.last() + 1;
        if entry.seq != expected {
            report.fault(Integrity::Short, format!("line {number} is entry {}, not {expected}", entry.seq));
            break;
        }
        let computed = chain::next(&start, body.as_bytes());
        if hex(&computed) != hash {
            report.fault(Integrity::Altered, format!("entry {} was edited, or the one before it", entry.seq));
            break;
        }
        if asked.contains(&entry.seq) {
            if anchors.iter().any(|anchor| anchor.seq == entry.seq && anchor.store != entry.store) {
                report.fault(Integrity::Unverifiable, "the anchor is of another store".into());
            }
            found.insert(entry.seq, hash.clone());
        }
        previous = Some(computed);
        report.entries += 1;
        report.head = hash;
    }
    report.end(anchors, &found);
    report
}

impl AuditReport {
    /// The last entry that was checked.
    const fn last(&self) -> u64 {
        self.base + self.entries
    }

    /// A further part: whether it begins where the one before it ends, with the entry of that hash.
    fn goes_on(&mut self, next: &Part, previous: Option<ChainHash>) -> bool {
        let last = self.last();
        let is_whole = self.part.as_ref().is_none_or(|part| part.upto == last);
        if next.after != last || !is_whole {
            let what =
                format!("one part ends with entry {last}, and the next begins with {}", next.after + 1);
            self.fault(Integrity::Short, what);
        } else if previous.is_none_or(|previous| hex(&previous) != next.hash) {
            self.fault(Integrity::Altered, format!("the part after entry {last} goes on from another entry"));
        } else if let Some(part) = &mut self.part {
            part.upto = next.upto;
        }
        self.faults.is_empty()
    }

    /// Everything was read: of a part up to its end, and anchors that say something of it.
    fn end(&mut self, anchors: &[Anchor], found: &HashMap<u64, String>) {
        let (part, first, last) = (self.part.clone(), self.base + 1, self.last());
        if let Some(part) = &part {
            if self.faults.is_empty() && last != part.upto {
                let what = format!("the part ends with entry {last}, not with {}", part.upto);
                self.fault(Integrity::Short, what);
            }
            if !anchors.is_empty() && !anchors.iter().any(|anchor| part.is_told_by(anchor)) {
                let why = format!("no anchor lies within the part, which is entries {first} to {last}");
                self.fault(Integrity::Unverifiable, why);
            }
        }
        if self.faults.is_empty() {
            let is_told = |anchor: &&Anchor| part.as_ref().is_none_or(|part| part.is_told_by(anchor));
            for anchor in anchors.iter().filter(is_told) {
                self.hold_against(anchor, found.get(&anchor.seq).map(String::as_str));
            }
        }
        if self.entries == 0 && self.faults.is_empty() {
            self.fault(Integrity::Unverifiable, "the export is empty".into());
        }
    }
}

fn genesis_of(store: &str) -> Option<ChainHash> {
    store.parse().ok().map(chain::genesis)
}

/// A line of an export: `{"hash":"…","mac":"…","body":<the chained text>}`. The body comes last and is taken
/// as it stands, because it is what was hashed.
pub fn export_line(line: &AuditLine) -> String {
    format!(r#"{{"hash":"{}","mac":"{}","body":{}}}"#, line.hash, line.mac, line.body)
}

fn split_export(line: &str) -> Option<(String, String)> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line<'a> {
        hash: String,
        #[expect(dead_code, reason = "only the store's own key can check it")]
        mac: String,
        #[serde(borrow)]
        body: &'a serde_json::value::RawValue,
    }
    let line: Line<'_> = serde_json::from_str(line).ok()?;
    Some((line.body.get().to_owned(), line.hash))
}
