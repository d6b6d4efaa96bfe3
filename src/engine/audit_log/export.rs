//! The trail as text outside the store: its lines, and checking them without any key.

use std::collections::{HashMap, HashSet};

use super::{Anchor, AuditLine, AuditReport, Integrity};
use crate::crypto::chain::{self, ChainHash};
use crate::domain::audit::Entry;
use crate::engine::ledger::hex;

/// Checks an exported trail without any key: the hashes must lead from line to line. Forgery by whoever can
/// recompute them shows only against an anchor.
pub fn check_export(lines: impl Iterator<Item = String>, anchors: &[Anchor]) -> AuditReport {
    let mut report =
        AuditReport { integrity: Integrity::Intact, faults: Vec::new(), entries: 0, head: String::new() };
    let mut previous: Option<ChainHash> = None;
    // The entries that anchors name, as far as they were met.
    let mut found: HashMap<u64, String> = HashMap::new();
    let asked: HashSet<u64> = anchors.iter().map(|anchor| anchor.seq).collect();
    for (number, line) in lines.enumerate().map(|(n, line)| (n + 1, line)) {
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
        if entry.seq != report.entries + 1 {
            report.fault(
                Integrity::Short,
                format!("line {number} is entry {}, not {}", entry.seq, report.entries + 1),
            );
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
    if report.faults.is_empty() {
        for anchor in anchors {
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
