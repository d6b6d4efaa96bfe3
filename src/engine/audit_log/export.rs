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

/// Checks an exported trail without any key: the hashes must lead from line to line. Forgery by whoever can
/// recompute them shows only against an anchor.
pub fn check_export(lines: impl Iterator<Item = String>, anchors: &[Anchor]) -> AuditReport {
    let mut report = AuditReport::begin();
    let mut previous: Option<ChainHash> = None;
    // The entries that anchors name, as far as they were met.
    let mut found: HashMap<u64, String> = HashMap::new();
    let asked: HashSet<u64> = anchors.iter().map(|anchor| anchor.seq).collect();
    let mut before = 0;
    for (number, line) in lines.enumerate().map(|(n, line)| (n + 1, line)) {
        if let Some(part) = Part::read(&line).filter(|_| number == 1) {
            previous = sum::from_hex(&part.hash);
            before = part.after;
            found.insert(part.after, part.hash.clone());
            report.part = Some(part);
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
        let expected = before + report.entries + 1;
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
    if let Some(part) = report.part.clone() {
        let last = before + report.entries;
        if report.faults.is_empty() && last != part.upto {
            report
                .fault(Integrity::Short, format!("the part ends with entry {last}, not with {}", part.upto));
        }
        if !anchors.is_empty() && !anchors.iter().any(|anchor| part.is_told_by(anchor)) {
            let why = format!("no anchor lies within the part, which is entries {} to {last}", before + 1);
            report.fault(Integrity::Unverifiable, why);
        }
    }
    if report.faults.is_empty() {
        let part = report.part.clone();
        for anchor in anchors.iter().filter(|anchor| part.as_ref().is_none_or(|part| part.is_told_by(anchor)))
        {
            report.hold_against(anchor, found.get(&anchor.seq).map(String::as_str));
        }
    }
    if report.entries == 0 && report.faults.is_empty() {
        report.fault(Integrity::Unverifiable, "the export is empty".into());
    }
    report
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
