//! `keydeck review report`: the review as a file for auditors, with who signed it off last and what was done since. What others chose,
//! names and notes, is escaped: it is text in whatever shows the file.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::{Breadth, Line, Told, told};
use crate::cli::Outcome;
use crate::cli::door::{Deck, Signed as Session};
use crate::cli::fault::Fault;
use crate::cli::output::shown;
use crate::domain::audit::{Entry, Outcome as Happened};
use crate::domain::review::{Concern, Reviewer, Signed, looked};
use crate::domain::{Command, Role, Timestamp, View};
use crate::engine::audit_log::Anchor;
use crate::files::{Beside, There};
use crate::tui::sight::words;

/// Entries of the trail that are looked back through.
const MOST: usize = 10_000;
/// Entries that are asked for at once.
const PAGE: usize = 500;

/// Words of `review report`.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// The file, which is not there yet: FILE.md or FILE.json
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Everybody's keys and apps (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
}

/// How the file is written.
#[derive(Clone, Copy)]
enum Form {
    Markdown,
    Json,
}

impl Form {
    fn of(path: &Path) -> Result<Self, Fault> {
        match path.extension().and_then(|end| end.to_str()) {
            Some("md") => Ok(Self::Markdown),
            Some("json") => Ok(Self::Json),
            _ => Err(Fault::usage(format!("{}: name a file that ends in .md or .json.", path.display()))),
        }
    }
}

/// The whole of it.
#[derive(Serialize)]
struct Whole<'a> {
    agency: String,
    made_at: String,
    by: String,
    /// `agency`, or `own` keys and apps.
    extent: &'static str,
    /// The newest entry of the trail: who has it can prove that nothing before was changed.
    audit: Head,
    /// How often each thing is said.
    counts: Vec<Count>,
    rows: Vec<Line<'a>>,
    /// Null where it was never signed off, or too long ago to be found.
    last_sign_off: Option<SignOff>,
    done_since: Vec<Done>,
    /// Whether there was more than could be read.
    older_left_out: bool,
}

/// Where it went.
#[derive(Serialize)]
struct Written {
    file: String,
    rows: usize,
}

#[derive(Serialize)]
struct Head {
    store: String,
    seq: u64,
    hash: String,
}

#[derive(Serialize)]
struct Count {
    code: String,
    count: u32,
}

#[derive(Serialize)]
struct SignOff {
    seq: u64,
    at: String,
    by: String,
    note: Option<String>,
    looked_at: Vec<Count>,
    kept: Vec<KeptThen>,
}

#[derive(Serialize)]
struct KeptThen {
    id: String,
    name: String,
    because: String,
}

/// Something that was done to a key, an app or an operator.
#[derive(Serialize)]
struct Done {
    seq: u64,
    at: String,
    by: String,
    what: String,
}

pub(super) fn run(deck: &Deck, args: &Report) -> Outcome {
    let form = Form::of(&args.file)?;
    let signed = deck.sign_in()?.widened(args.all)?;
    if signed.see(|view| view.role()) == Role::Admin {
        signed.engine.execute(&signed.session, Command::ReadAudit)?;
    }
    let anchor = signed.engine.anchor(&signed.session)?;
    let (last_sign_off, done_since, older_left_out) = since(&signed)?;
    let state = signed.engine.state();
    let view = View::new(&state, signed.session.actor());
    let by = Reviewer { view, catalog: signed.engine.catalog(), now: signed.now() };
    let rows = told(by, Breadth::Telling);
    let whole = Whole {
        agency: state.agency().map_or_else(String::new, |agency| agency.name.to_string()),
        made_at: by.now.rfc3339(),
        by: view.name_of(view.actor().operator).to_owned(),
        extent: if view.is_whole() { "agency" } else { "own" },
        audit: Head::from(anchor),
        counts: counts(looked(rows.iter().map(|row| row.concerns.as_slice()))),
        rows: rows.iter().map(Told::line).collect(),
        last_sign_off,
        done_since,
        older_left_out,
    };
    let text = match form {
        Form::Markdown => markdown(&whole),
        Form::Json => {
            serde_json::to_string_pretty(&whole).map_err(|e| Fault::refused("output", e.to_string()))? + "\n"
        }
    };
    write(&args.file, &text)?;
    if deck.output.is_json() {
        deck.output.value(&Written { file: args.file.display().to_string(), rows: rows.len() })?;
    }
    deck.output.say(&format!("The review is in {}.", args.file.display()));
    Ok(ExitCode::SUCCESS)
}

impl From<Anchor> for Head {
    fn from(Anchor { store, seq, head, .. }: Anchor) -> Self {
        Self { store, seq, hash: head }
    }
}

fn counts(looked: Vec<crate::domain::review::Looked>) -> Vec<Count> {
    looked.into_iter().map(|one| Count { code: one.code, count: one.count }).collect()
}

/// A new file that only its owner reads. Nothing that is there is written over.
fn write(path: &Path, text: &str) -> Result<(), Fault> {
    let failed = |error: &std::io::Error| {
        let then = if error.kind() == ErrorKind::AlreadyExists {
            "Name one that is not there yet"
        } else {
            "Name another"
        };
        Fault::refused("file", format!("{} cannot be written: {error}. {then}.", path.display()))
    };
    let mut part = Beside::of(path).map_err(|error| failed(&error))?;
    part.file().write_all(text.as_bytes()).map_err(|error| failed(&error))?;
    part.appear(There::Stays).map_err(|error| failed(&error))
}

/// The last sign-off as far as these keys reach, what was done since, the newest first, and whether more could not be read.
fn since(signed: &Session) -> Result<(Option<SignOff>, Vec<Done>, bool), Fault> {
    let actor = signed.session.actor();
    let reach = signed.see(|view| view.is_whole());
    let own = actor.operator.to_string();
    // What somebody signed of their own keys says nothing of those of others.
    let is_last = |entry: &Entry| {
        entry.event == Signed::EVENT
            && entry.outcome == Happened::Done
            && if reach { entry.actor.access == "agency" } else { entry.actor.id == own }
    };
    let (mut done, mut before, mut read) = (Vec::new(), None, 0);
    loop {
        let page = signed.engine.audit(&signed.session, before, PAGE, None)?;
        for line in &page.lines {
            let entry = &line.entry;
            if is_last(entry) {
                return Ok((Some(SignOff::of(entry)), done, false));
            }
            done.extend(Done::of(entry));
        }
        read += page.lines.len();
        before = page.next;
        if before.is_none() || read >= MOST {
            return Ok((None, done, before.is_some()));
        }
    }
}

impl SignOff {
    fn of(entry: &Entry) -> Self {
        let said = |field: &str| entry.changes.iter().find(|change| change.field == field);
        let looked = entry.changes.iter().filter(|change| Concern::CODES.contains(&change.field.as_str()));
        let kept = entry.changes.iter().filter(|change| change.field == Signed::KEPT).map(|change| {
            let whose = |id: &str| entry.subjects.iter().find(|subject| subject.id == id);
            let whose = change.of.as_deref().and_then(whose).or_else(|| entry.subjects.first());
            KeptThen {
                id: whose.map_or_else(String::new, |subject| subject.id.clone()),
                name: whose.map_or_else(String::new, |subject| subject.name.clone()),
                because: change.to.clone(),
            }
        });
        Self {
            seq: entry.seq,
            at: Timestamp(entry.at).rfc3339(),
            by: entry.actor.name.clone(),
            note: said(Signed::NOTE).map(|note| note.to.clone()),
            looked_at: looked
                .map(|change| Count {
                    code: change.field.clone(),
                    count: change.to.parse().unwrap_or_default(),
                })
                .collect(),
            kept: kept.collect(),
        }
    }
}

impl Done {
    /// What changes who may do what; the rest of the trail is no answer to a review.
    fn of(entry: &Entry) -> Option<Self> {
        let is_answer = ["key.", "app.", "operator.", "lockdown.", "location."]
            .iter()
            .any(|subject| entry.event.starts_with(subject));
        (is_answer && entry.outcome == Happened::Done).then(|| Self {
            seq: entry.seq,
            at: Timestamp(entry.at).rfc3339(),
            by: entry.actor.name.clone(),
            what: words::what(entry),
        })
    }
}

/// Text in a cell or a line of Markdown, whatever somebody chose for it: no sign of it means anything.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in shown(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            ' ' | ',' | ';' | '-' | '%' | '/' | '\'' | '(' | ')' => out.push(c),
            c if c.is_ascii_punctuation() => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn markdown(whole: &Whole<'_>) -> String {
    let Whole { agency, made_at, by, extent, audit, counts, rows, last_sign_off, done_since, older_left_out } =
        whole;
    let mut out = String::new();
    let reach = if *extent == "agency" { "all keys and apps" } else { "own keys and apps" };
    let _ = writeln!(out, "# Review of keys: {}\n", cell(agency));
    let _ = writeln!(out, "- Made {made_at} by {}, of {reach}", cell(by));
    let _ = writeln!(out, "- Store {}, audit entry {}, hash `{}`\n", audit.store, audit.seq, audit.hash);
    let _ = writeln!(out, "## What is said\n\n| What | Keys and apps |\n|---|---:|");
    for Count { code, count } in counts {
        let _ = writeln!(out, "| {} | {count} |", cell(code));
    }
    let _ = writeln!(out, "\n## Keys and apps, the worst first\n");
    let _ = writeln!(
        out,
        "| Risk | Name | Key | Owner | Why | Scopes | Needed | Last used | Kept |\n|---:|---|---|---|---|---:|---:|---|---|"
    );
    for row in rows {
        let kept = row.kept.as_ref().map_or_else(String::new, |kept| {
            format!("by {} on {}: {}", cell(kept.by), kept.at, cell(kept.because))
        });
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {kept} |",
            row.risk,
            cell(row.name),
            cell(&row.id),
            cell(row.owner),
            cell(&row.why),
            row.granted,
            row.needed.map_or_else(|| "not known".to_owned(), |needed| needed.to_string()),
            row.last_used_at.as_deref().unwrap_or("-"),
        );
    }
    let _ = writeln!(out, "\n## Last sign-off\n");
    match last_sign_off {
        None if *older_left_out => {
            let _ = writeln!(out, "None in the last {MOST} entries of the trail.");
        }
        None => {
            let _ = writeln!(out, "None.");
        }
        Some(last) => {
            let _ = writeln!(out, "- {} by {}, audit entry {}", last.at, cell(&last.by), last.seq);
            if let Some(note) = &last.note {
                let _ = writeln!(out, "- Note: {}", cell(note));
            }
            for Count { code, count } in &last.looked_at {
                let _ = writeln!(out, "- Looked at: {} {count}", cell(code));
            }
            for KeptThen { id, name, because } in &last.kept {
                let _ = writeln!(out, "- Kept: {} ({}), because {}", cell(name), cell(id), cell(because));
            }
        }
    }
    let _ = writeln!(out, "\n## Done since\n");
    if done_since.is_empty() {
        let _ = writeln!(out, "Nothing.");
    } else {
        let _ = writeln!(out, "| Entry | When | Who | What |\n|---:|---|---|---|");
    }
    for Done { seq, at, by, what } in done_since {
        let _ = writeln!(out, "| {seq} | {at} | {} | {} |", cell(by), cell(what));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_breaks_out_of_its_cell_or_becomes_a_link_or_markup() {
        let hostile = "a|b\n<img src=x> [x](https://e.example) *b* `c` \\| &lt; \u{202e}";
        let told = cell(hostile);
        let bare: Vec<char> = "|<>[]*`".chars().collect();
        let mut before = ' ';
        for c in told.chars() {
            assert!(!bare.contains(&c) || before == '\\', "{c} in {told}");
            before = if before == '\\' && c == '\\' { ' ' } else { c };
        }
        assert!(!told.contains('\n') && !told.contains("https:/") && !told.contains('\u{202e}'), "{told}");
        assert_eq!(cell("Müller & Söhne, 東京"), "Müller &amp; Söhne, 東京");
    }
}
