//! `keydeck audit list`, `anchor` and `export`. Reading the whole trail leaves an entry in it.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use super::{Export, Format, List};
use crate::cli::Outcome;
use crate::cli::door::{Deck, Signed};
use crate::cli::fault::Fault;
use crate::cli::find;
use crate::cli::table::{Cell, Table, Tone};
use crate::cli::times;
use crate::domain::audit::{ActorLine, ChangeLine, Entry, Outcome as Happened, SubjectLine, TriesLine};
use crate::domain::sheet;
use crate::domain::view::Sought;
use crate::domain::{Command, Role, Timestamp};
use crate::engine::audit_log::{AuditLine, Part, Span, export_line};
use crate::engine::open::Wants;

#[derive(Serialize)]
struct EntryLine<'a> {
    seq: u64,
    at: String,
    event: &'a str,
    outcome: Happened,
    reason: Option<&'a str>,
    actor: &'a ActorLine,
    subjects: &'a [SubjectLine],
    changes: &'a [ChangeLine],
    #[serde(skip_serializing_if = "Option::is_none")]
    tries: Option<&'a TriesLine>,
    hash: &'a str,
}

impl<'a> EntryLine<'a> {
    fn of(line: &'a AuditLine) -> Self {
        let entry = &line.entry;
        Self {
            seq: entry.seq,
            at: Timestamp(entry.at).rfc3339(),
            event: &entry.event,
            outcome: entry.outcome,
            reason: entry.reason.as_deref(),
            actor: &entry.actor,
            subjects: &entry.subjects,
            changes: &entry.changes,
            tries: entry.tries.as_ref(),
            hash: &line.hash,
        }
    }
}

pub(super) fn list(deck: &Deck, args: &List) -> Outcome {
    let signed = deck.sign_in_for(Wants::Named)?;
    let about = match &args.key {
        Some(reference) => Some(find::key(&signed, reference, Sought::Living)?.id),
        None => None,
    };
    if about.is_none() && signed.see(|view| view.role()) == Role::Admin {
        signed.engine.execute(&signed.session, Command::ReadAudit)?;
        if deck.globals.read_only {
            deck.output.say(
                "These are the entries that concern you. Who reads the whole trail is noted in it, which --read-only \
                 rules out.",
            );
        }
    }
    let page = signed.engine.audit(&signed.session, None, args.limit as usize, about)?;
    if deck.output.is_json() {
        let lines: Vec<EntryLine<'_>> = page.lines.iter().map(EntryLine::of).collect();
        deck.output.value(&lines)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&["No.", "When", "Who", "What", "About", "Details"]);
    for line in &page.lines {
        let entry = &line.entry;
        let tone = if entry.outcome == Happened::Refused { Tone::Warn } else { Tone::Plain };
        table.row([
            entry.seq.to_string().into(),
            times::local(Timestamp(entry.at)).into(),
            entry.actor.name.as_str().into(),
            Cell::toned(what(entry), tone),
            subjects(entry).into(),
            details(entry).into(),
        ]);
    }
    deck.output.text(&table.render(deck.output))?;
    if page.next.is_some() {
        deck.output.say("There are older entries; --limit shows more.");
    } else if let Some(older) = &page.older {
        deck.output.say(&format!("Older entries are not in the store: {}.", older.in_words(times::local)));
    }
    Ok(ExitCode::SUCCESS)
}

fn what(entry: &Entry) -> String {
    match (entry.outcome, entry.denial()) {
        (_, Some(denial)) => denial,
        _ if entry.event == Entry::CARRIED => format!("{} {} records", entry.event, entry.records.len()),
        (Happened::Done, _) => match entry.unasked() {
            Some(why) => format!("{} by itself: {why}", entry.event),
            None => entry.event.clone(),
        },
        (Happened::Refused, _) => {
            format!("{} refused{}: {}", entry.event, again(entry), entry.reason.as_deref().unwrap_or("?"))
        }
    }
}

fn again(entry: &Entry) -> String {
    entry.refused_again().map(|n| format!(" {n}× more")).unwrap_or_default()
}

/// Names shown of an entry that is about many things.
const SHOWN: usize = 3;

fn subjects(entry: &Entry) -> String {
    let mut text = entry
        .subjects
        .iter()
        .take(SHOWN)
        .map(|s| format!("{} {}", s.kind, s.name))
        .collect::<Vec<_>>()
        .join(", ");
    if entry.subjects.len() > SHOWN {
        let _ = write!(text, " and {} more", entry.subjects.len() - SHOWN);
    }
    text
}

fn changes(entry: &Entry) -> String {
    let one = |c: &ChangeLine| {
        let whose = c.of.as_ref().and_then(|of| entry.subjects.iter().find(|known| known.id == *of));
        let whose = whose.map_or_else(String::new, |subject| format!("{}: ", subject.name));
        if c.from.is_empty() {
            format!("{whose}{}: {}", c.field, c.to)
        } else {
            format!("{whose}{}: {} → {}", c.field, c.from, c.to)
        }
    };
    let mut told: Vec<String> = Vec::new();
    for said in entry.changes.iter().map(one) {
        // What is done to both halves of a rotation is told once.
        if !told.contains(&said) {
            told.push(said);
        }
    }
    told.join("; ")
}

/// What changed; of refused requests, when and where from.
fn details(entry: &Entry) -> String {
    let Some(tries) = &entry.tries else { return changes(entry) };
    let at = |at| times::local(Timestamp(at));
    let mut text = match tries.n {
        1 => at(tries.last),
        _ => format!("{} to {}", at(tries.first), at(tries.last)),
    };
    if let Some(address) = &tries.address {
        let _ = write!(text, ", last from {address}");
    }
    if let Some(agent) = &tries.agent {
        let _ = write!(text, " by {agent}");
    }
    for token in &tries.tokens {
        let _ = write!(text, "; fingerprint {} {}×", token.fp, token.n);
    }
    text
}

#[derive(Serialize)]
struct AnchorLine<'a> {
    store: &'a str,
    seq: u64,
    head: &'a str,
    at: &'a str,
    line: String,
}

pub(super) fn anchor(deck: &Deck) -> Outcome {
    let signed = deck.sign_in_for(Wants::Named)?;
    let anchor = signed.engine.anchor(&signed.session)?;
    if deck.output.is_json() {
        let line = anchor.to_string();
        let (store, head, at) = (&anchor.store, &anchor.head, &anchor.at);
        deck.output.value(&AnchorLine { store, seq: anchor.seq, head, at, line })?;
    } else {
        deck.output.text(&format!("{anchor}\n"))?;
        deck.output.say(
            "Keep this line where whoever can write the store cannot. `audit verify --anchor` reads it.",
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Entries read at once while exporting.
pub(super) const CHUNK: u64 = 500;

pub(super) fn export(deck: &Deck, args: &Export) -> Outcome {
    let moment = |name: &str, text: &Option<String>, edge| {
        let wrong =
            || Fault::usage(format!("{name}: a date such as 2027-01-31, a time with its offset, or 7d."));
        text.as_deref().map(|text| times::moment(text, Deck::wall(), edge).ok_or_else(wrong)).transpose()
    };
    let since = moment("--since", &args.since, times::Edge::First)?;
    let until = moment("--until", &args.until, times::Edge::Last)?;
    let format = args.format;
    let signed = deck.sign_in_for(Wants::Named)?;
    signed.engine.execute(&signed.session, Command::ExportAudit)?;
    let newest = signed.engine.anchor(&signed.session)?;
    let all = signed.engine.span(&signed.session)?;
    if let Some(older) = &all.older {
        deck.output.say(&format!("It begins with entry {}: {}.", all.first, older.in_words(times::local)));
    }
    if format == Format::Csv {
        let heading = csv_row(CSV_COLUMNS.iter().map(ToString::to_string))?;
        deck.output.bytes(&heading)?;
    }
    let is_all = since.is_none() && until.is_none();
    let chosen = if is_all { Some((all.first, all.last)) } else { within(&signed, &all, (since, until))? };
    let Some((mut first, last)) = chosen else { return Ok(ExitCode::SUCCESS) };
    if format == Format::Jsonl && !(is_all && first == 1) {
        let hash = signed.engine.audit_hash(&signed.session, first - 1)?.unwrap_or_default();
        let part = Part { store: newest.store, after: first - 1, hash, upto: last };
        deck.output.bytes(format!("{}\n", part.line()).as_bytes())?;
    }
    while first <= last {
        let chunk = oldest_first(&signed, first, last)?;
        let mut bytes = Vec::new();
        for line in &chunk {
            match format {
                Format::Jsonl => {
                    bytes.extend_from_slice(export_line(line).as_bytes());
                    bytes.push(b'\n');
                }
                Format::Csv => bytes.extend(csv_line(line)?),
            }
        }
        if !deck.output.bytes(&bytes)? {
            return Ok(ExitCode::SUCCESS);
        }
        first += CHUNK;
    }
    Ok(ExitCode::SUCCESS)
}

/// From the first entry of a time to its last, and all between them: in a part without gaps each line proves the next.
fn within(
    signed: &Signed,
    all: &Span,
    (since, until): (Option<Timestamp>, Option<Timestamp>),
) -> Result<Option<(u64, u64)>, Fault> {
    let wanted = |line: &&AuditLine| {
        let at = Timestamp(line.entry.at);
        since.is_none_or(|since| since <= at) && until.is_none_or(|until| at <= until)
    };
    let (mut first, mut found) = (all.first, None::<(u64, u64)>);
    while first <= all.last {
        for line in oldest_first(signed, first, all.last)?.iter().filter(wanted) {
            let seq = line.entry.seq;
            found = Some((found.map_or(seq, |(first, _)| first), seq));
        }
        first += CHUNK;
    }
    Ok(found)
}

/// A chunk of the trail from entry `first`; an export is read from its beginning.
pub(super) fn oldest_first(signed: &Signed, first: u64, last: u64) -> Result<Vec<AuditLine>, Fault> {
    let end = last.min(first + CHUNK - 1);
    let count = usize::try_from(end + 1 - first).unwrap_or(usize::MAX);
    let mut lines = signed.engine.audit(&signed.session, Some(end + 1), count, None)?.lines;
    lines.reverse();
    Ok(lines)
}

const CSV_COLUMNS: [&str; 13] = [
    "seq", "at", "event", "outcome", "reason", "actor", "role", "auth", "access", "via", "subjects",
    "changes", "hash",
];

fn csv_line(line: &AuditLine) -> Result<Vec<u8>, Fault> {
    let entry = &line.entry;
    let outcome = match entry.outcome {
        Happened::Done => "done",
        Happened::Refused => "refused",
    };
    let all_subjects = entry
        .subjects
        .iter()
        .map(|s| format!("{} {} ({})", s.kind, s.name, s.id))
        .collect::<Vec<_>>()
        .join("; ");
    let actor = &entry.actor;
    csv_row(
        [
            entry.seq.to_string(),
            Timestamp(entry.at).rfc3339(),
            entry.event.clone(),
            outcome.to_owned(),
            entry.reason.clone().unwrap_or_default(),
            actor.name.clone(),
            actor.role.clone(),
            actor.auth.clone(),
            actor.access.clone(),
            actor.via.clone(),
            all_subjects,
            details(entry),
            line.hash.clone(),
        ]
        .into_iter(),
    )
}

fn csv_row(fields: impl Iterator<Item = String>) -> Result<Vec<u8>, Fault> {
    let row = sheet::row(fields)
        .map_err(|e| Fault::refused("output", format!("The export could not be written as CSV: {e}.")))?;
    Ok(row.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keydeck_did_by_itself_does_not_look_as_if_somebody_had_asked_for_it() {
        let actor = ActorLine::of("maria", "admin");
        let mut entry = Entry::of(actor, Timestamp(7), "key.revoke");
        assert_eq!(what(&entry), "key.revoke");
        entry.reason = Some(Entry::UNCONFIRMED.into());
        assert_eq!(what(&entry), "key.revoke by itself: nothing says that its secret was shown");
        entry.outcome = Happened::Refused;
        assert_eq!(what(&entry), "key.revoke refused: secret_unconfirmed");
    }
}
