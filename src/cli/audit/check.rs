//! `keydeck audit verify`: of the store with its keys, or of an export with nothing but the export.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
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
    let report = if args.export.is_empty() {
        check_store(deck, &args.trimmed, &anchors)?
    } else {
        check_files(&args.export, &anchors)?
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

/// Checks files of which each goes on where the one before it ends.
fn check_files(paths: &[PathBuf], anchors: &[Anchor]) -> Result<AuditReport, Fault> {
    let fail = |path: &Path, e: std::io::Error| {
        Fault::usage(format!("The export {} cannot be read: {e}.", path.display()))
    };
    let open = |path: &PathBuf| match files::open_given(path) {
        Ok(file) => Ok((path.clone(), BufReader::new(file))),
        Err(error) => Err(fail(path, error)),
    };
    let mut readers = paths.iter().map(open).collect::<Result<VecDeque<_>, _>>()?;
    let mut failed = None;
    let lines = std::iter::from_fn(|| {
        loop {
            let (path, reader) = readers.front_mut()?;
            match next_line(reader) {
                Ok(None) => drop(readers.pop_front()),
                Ok(line) => return line,
                Err(error) => {
                    failed = Some(fail(path, error));
                    return None;
                }
            }
        }
    });
    let report = check_export(lines, anchors);
    failed.map_or(Ok(report), Err)
}

/// The next line without its end. What is not text is left for the check to refuse, line by line.
pub(super) fn next_line(reader: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Checks the store; with the files that have the entries before its own, those too.
fn check_store(deck: &Deck, trimmed: &[PathBuf], anchors: &[Anchor]) -> Result<AuditReport, Fault> {
    let signed = deck.sign_in_for(Wants::Named)?;
    let mut report = signed.engine.check_audit(&signed.session)?;
    let store = signed.engine.anchor(&signed.session)?.store;
    let (older, anchors): (Vec<Anchor>, Vec<Anchor>) =
        anchors.iter().cloned().partition(|anchor| !trimmed.is_empty() && anchor.seq <= report.base);
    if !trimmed.is_empty() {
        let ends = signed.engine.audit_hash(&signed.session, report.base)?.unwrap_or_default();
        report.go_on_from(&check_files(trimmed, &older)?, &ends);
    }
    for anchor in &anchors {
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
    /// The entry after which it was checked: those up to it are elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    trimmed_upto: Option<u64>,
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
            trimmed_upto: Some(report.base).filter(|base| *base > 0 && report.part.is_none()),
            head: &report.head,
            part: report.part.as_ref().map(|part| [part.after + 1, part.after + report.entries]),
            faults: &report.faults,
        };
        deck.output.value(&line)?;
    } else {
        let after = match (&report.part, report.base) {
            (Some(_), _) | (None, 0) => String::new(),
            (None, base) => format!(" after entry {base}"),
        };
        deck.output
            .text(&format!("{word}: {} entries checked{after}, head {}\n", report.entries, report.head))?;
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
