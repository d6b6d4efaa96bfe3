//! `keydeck audit verify`: of the store with its keys, or of an export with nothing but the export.

use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::{UNVERIFIABLE, Verify};
use crate::cli::Outcome;
use crate::cli::door::Deck;
use crate::cli::fault::Fault;
use crate::engine::audit_log::{Anchor, check_export};
use crate::engine::open::Wants;
use crate::engine::{AuditReport, Integrity};
use crate::files;

/// A line an hour for a lifetime is less.
const ANCHORS_MAX: usize = 64 * 1024 * 1024;
/// No line of an export is as long: an entry fits a row of the store.
const LINE_MAX: u64 = 1024 * 1024;

pub(super) fn run(deck: &Deck, args: &Verify) -> Outcome {
    let anchors = args.anchor.as_deref().map(read_anchors).transpose()?.unwrap_or_default();
    let report = match &args.export {
        Some(path) => check_file(path, &anchors)?,
        None => check_store(deck, &anchors)?,
    };
    tell(deck, &report)
}

/// The anchors of a file: at least one, a line each.
pub(in crate::cli) fn read_anchors(path: &Path) -> Result<Vec<Anchor>, Fault> {
    let fail = |why: &str| Fault::usage(format!("The anchor file {} cannot be used: {why}.", path.display()));
    let opened = files::open_given(path).and_then(|file| files::text_of(file, ANCHORS_MAX));
    let text = opened.map_err(|e| fail(&e.to_string()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(at, line): (usize, &str)| {
        Anchor::parse(line)
            .ok_or_else(|| fail(&format!("line {} is no line of `keydeck audit anchor`", at + 1)))
    };
    let anchors = lines.map(read).collect::<Result<Vec<_>, _>>()?;
    if anchors.is_empty() {
        return Err(fail("it must hold a line of `keydeck audit anchor`"));
    }
    Ok(anchors)
}

fn check_file(path: &Path, anchors: &[Anchor]) -> Result<AuditReport, Fault> {
    let fail =
        |e: std::io::Error| Fault::usage(format!("The export {} cannot be read: {e}.", path.display()));
    let mut reader = BufReader::new(files::open_given(path).map_err(fail)?);
    let mut failed = None;
    let lines = std::iter::from_fn(|| match next_line(&mut reader) {
        Ok(line) => line,
        Err(error) => {
            failed = Some(error);
            None
        }
    });
    let report = check_export(lines, anchors);
    match failed {
        Some(error) => Err(fail(error)),
        None => Ok(report),
    }
}

/// The next line without its end. What is not text is left for the check to refuse, line by line.
fn next_line(reader: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn check_store(deck: &Deck, anchors: &[Anchor]) -> Result<AuditReport, Fault> {
    let signed = deck.sign_in_for(Wants::Named)?;
    let mut report = signed.engine.check_audit(&signed.session)?;
    let store = signed.engine.anchor(&signed.session)?.store;
    for anchor in anchors {
        if anchor.store != store {
            return Err(Fault::unavailable(
                "The anchor is of another store, so it says nothing about this one. Use this store's anchor.",
            ));
        }
        let found = signed.engine.audit_hash(&signed.session, anchor.seq).ok().flatten();
        report.hold_against(anchor, found.as_deref());
    }
    Ok(report)
}

#[derive(Serialize)]
struct ReportLine<'a> {
    standing: &'static str,
    entries: u64,
    head: &'a str,
    /// The first and the last entry, of an export that is a part of the trail.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<[u64; 2]>,
    faults: &'a [String],
}

fn tell(deck: &Deck, report: &AuditReport) -> Outcome {
    let (word, code) = match report.integrity {
        Integrity::Intact => ("intact", 0),
        Integrity::Altered => ("altered", 1),
        Integrity::Short => ("short", 2),
        Integrity::Unverifiable => ("unverifiable", UNVERIFIABLE),
    };
    if deck.output.is_json() {
        let line = ReportLine {
            standing: word,
            entries: report.entries,
            head: &report.head,
            part: report.part.as_ref().map(|part| [part.after + 1, part.after + report.entries]),
            faults: &report.faults,
        };
        deck.output.value(&line)?;
    } else {
        deck.output.text(&format!("{word}: {} entries checked, head {}\n", report.entries, report.head))?;
        for fault in &report.faults {
            deck.output.say(fault);
        }
        if let Some(part) = &report.part {
            deck.output.say(&format!(
                "It is a part of the trail, entries {} to {}. What was before and after it, the whole trail or an anchor tells.",
                part.after + 1,
                part.after + report.entries
            ));
        }
        if code == 1 || code == 2 {
            deck.output.say(
                "Keep the files as they are, find out who could write them, and restore a backup you trust.",
            );
        }
    }
    Ok(ExitCode::from(code))
}
