//! `keydeck audit trim`: the oldest entries go into a file, and leave the store only when that was written and checked.

use std::io::{BufReader, BufWriter, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::check::next_line;
use super::show::{CHUNK, oldest_first};
use crate::cli::Outcome;
use crate::cli::consent::Consent;
use crate::cli::door::{Deck, Signed};
use crate::cli::fault::Fault;
use crate::cli::number::whole;
use crate::cli::times;
use crate::domain::decide::file_name;
use crate::domain::{Command, Timestamp};
use crate::engine::audit_log::{Part, Span, check_export, export_line};
use crate::engine::open::Wants;
use crate::engine::{Integrity, SEGMENT};
use crate::files::{Beside, There};

/// Words of `audit trim`.
#[derive(Debug, Args)]
pub struct Trim {
    /// Segments that are older than this: a date, a time, 400d for 400 days ago, or the number of the first entry that stays
    #[arg(long, value_name = "N|WHEN")]
    before: String,
    /// The file they go into, JSON lines as `audit export` writes them; it must not be there yet
    #[arg(long, value_name = "FILE", required_unless_present = "dry_run")]
    to: Option<PathBuf>,
    /// Say what would go, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    consent: Consent,
    /// Entries of a segment
    #[arg(long, value_name = "N", hide = true, default_value_t = SEGMENT, value_parser = whole::<u64>(1..=1_000_000))]
    segment: u64,
}

/// What goes is older than this.
#[derive(Clone, Copy)]
enum Before {
    Entry(u64),
    Time(Timestamp),
}

/// Entries that go: from the first in the store up to one.
struct Cut {
    first: u64,
    upto: u64,
    /// How many stay.
    left: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    first: u64,
    upto: u64,
    left: u64,
    trimmed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<&'a str>,
}

pub(super) fn run(deck: &Deck, args: &Trim) -> Outcome {
    let before = before(&args.before)?;
    let file = args.to.as_deref().map(named).transpose()?;
    let signed = deck.sign_in_for(Wants::Named)?;
    let reads = if args.dry_run { Command::ReadAudit } else { Command::ExportAudit };
    signed.engine.execute(&signed.session, reads)?;
    let span = signed.engine.span(&signed.session)?;
    let cut = measure(&signed, &span, before, args.segment)?;
    let (first, upto, left) = (cut.first, cut.upto, cut.left);
    let line = Line { first, upto, left, trimmed: false, file: None, bytes: None, head: None };
    let Some((path, file)) = file.filter(|_| !args.dry_run) else {
        if deck.output.is_json() {
            deck.output.value(&line)?;
        } else {
            deck.output.text(&format!("Entries {first} to {upto} would go, {left} would stay.\n"))?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let question = format!("Entries {first} to {upto} leave the store. From then on only {file} has them.");
    args.consent.ask_word(&signed, &question, &(upto + 1 - first).to_string())?;
    let (head, bytes) = {
        let _others = signed.waiting();
        write(&signed, &cut, &path)?
    };
    let trimmed = Command::TrimAudit { upto, head: head.clone(), file: file.clone() };
    if let Err(error) = signed.engine.execute(&signed.session, trimmed) {
        deck.output.say(&format!(
            "{file} was written and stays. `keydeck info` says from where on entries are in the store."
        ));
        return Err(error.into());
    }
    if deck.output.is_json() {
        let line = Line { trimmed: true, file: Some(&file), bytes: Some(bytes), head: Some(&head), ..line };
        deck.output.value(&line)?;
    } else {
        deck.output
            .text(&format!("Entries {first} to {upto} are in {file} ({bytes} bytes), {left} stayed.\n"))?;
        deck.output.say(
            "It was read again and checked before anything left the store. Keep it: nothing else has those entries.",
        );
    }
    Ok(deck.done(signed.engine.settle()))
}

fn before(text: &str) -> Result<Before, Fault> {
    let wrong = || {
        Fault::usage(
            "--before: a date such as 2027-01-31, a time with its offset, 400d, or the number of the first entry that stays.",
        )
    };
    match text.trim().parse() {
        Ok(number) => Ok(Before::Entry(number)),
        Err(_) => times::moment(text, Deck::wall(), times::Edge::First).map(Before::Time).ok_or_else(wrong),
    }
}

/// Where the file will be, and how the trail names that.
fn named(path: &Path) -> Result<(PathBuf, String), Fault> {
    let wrong = |why: &str| Fault::usage(format!("{} cannot be written: {why}.", path.display()));
    let whole = std::path::absolute(path).map_err(|error| wrong(&error.to_string()))?;
    let text = whole.to_str().ok_or_else(|| wrong("its name is not text, and the trail is to name it"))?;
    file_name(text).map_err(|why| Fault::bad_text("file", why))?;
    if whole.symlink_metadata().is_ok() {
        return Err(wrong("there is something of that name. Name another file"));
    }
    Ok((whole.clone(), text.to_owned()))
}

/// The whole segments that are older.
fn measure(signed: &Signed, span: &Span, before: Before, segment: u64) -> Result<Cut, Fault> {
    let mut upto = span.first - 1;
    loop {
        let end = (upto / segment + 1).saturating_mul(segment);
        let goes = end <= span.last
            && match before {
                Before::Entry(number) => end < number,
                Before::Time(time) => is_before(signed, upto + 1, end, time)?,
            };
        if !goes {
            break;
        }
        upto = end;
    }
    if upto < span.first {
        let since = span.since.map_or_else(String::new, |at| format!(", which begins {}", times::local(at)));
        return Err(Fault::refused(
            "nothing_to_trim",
            format!(
                "No whole segment of {segment} entries is older than that: the trail in the store{since} goes from entry {} to \
                 {}. Nothing was done.",
                span.first, span.last
            ),
        ));
    }
    Ok(Cut { first: span.first, upto, left: span.last - upto })
}

/// Whether all of these entries are older.
fn is_before(signed: &Signed, first: u64, last: u64, time: Timestamp) -> Result<bool, Fault> {
    let mut next = first;
    while next <= last {
        let lines = oldest_first(signed, next, last)?;
        if lines.iter().any(|line| Timestamp(line.entry.at) >= time) {
            return Ok(false);
        }
        next += CHUNK;
    }
    Ok(true)
}

/// Writes the entries into a file that appears when it was read again and follows on what is before it; the hash of the last
/// one, and how many bytes.
fn write(signed: &Signed, cut: &Cut, path: &Path) -> Result<(String, u64), Fault> {
    let fail = |error: std::io::Error| {
        let why = format!("{} cannot be written: {error}. Nothing left the store.", path.display());
        Fault::refused("output", why)
    };
    let mut part = Beside::of(path).map_err(fail)?;
    let base = cut.first - 1;
    let said = Part {
        store: signed.engine.anchor(&signed.session)?.store,
        after: base,
        hash: signed.engine.audit_hash(&signed.session, base)?.unwrap_or_default(),
        upto: cut.upto,
    };
    let mut out = BufWriter::new(part.file());
    writeln!(out, "{}", said.clone().line()).map_err(fail)?;
    let mut next = cut.first;
    while next <= cut.upto {
        for line in oldest_first(signed, next, cut.upto)? {
            writeln!(out, "{}", export_line(&line)).map_err(fail)?;
        }
        next += CHUNK;
    }
    out.flush().map_err(fail)?;
    drop(out);
    part.file().sync_all().map_err(fail)?;
    part.file().rewind().map_err(fail)?;
    let mut failed = None;
    let mut reader = BufReader::new(part.file());
    let lines =
        std::iter::from_fn(|| next_line(&mut reader).map_err(|error| failed = Some(error)).ok().flatten());
    let report = check_export(lines, &[]);
    if let Some(error) = failed {
        return Err(fail(error));
    }
    if report.integrity != Integrity::Intact || report.part != Some(said) {
        let found = report.faults.first().map_or("it is not whole", String::as_str);
        return Err(Fault::refused(
            "unproven",
            format!("What was read does not follow from entry to entry ({found}). Nothing left the store."),
        ));
    }
    let bytes = part.file().metadata().map_err(fail)?.len();
    part.appear(There::Stays).map_err(fail)?;
    Ok((report.head, bytes))
}
