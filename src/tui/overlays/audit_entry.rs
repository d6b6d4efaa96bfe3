//! One entry of the audit trail in full: who, what, from where, what changed from what to what, the records it
//! wrote and its place in the chain. Copies the hash. And what a check of the whole chain found.

use super::reader::Reader;
use crate::domain::audit::{Entry, Outcome, TriesLine};
use crate::domain::{Reason, Timestamp};
use crate::engine::audit_log::AuditLine;
use crate::engine::{AuditReport, Integrity};
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::list::page::Line;
use crate::tui::sight::words;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::widgets::text::sentence;

/// The reader of one entry. Who owns what it is about is named as the entry names them, else as they are called now.
pub fn entry(line: &AuditLine, look: &Look) -> Reader {
    let times = Times::of(look);
    let entry = &line.entry;
    let at = Timestamp(entry.at);
    let outcome = match entry.outcome {
        Outcome::Done => Line::fact(
            "Outcome",
            entry.unasked().map_or_else(|| "done".to_owned(), |why| format!("done by keydeck itself: {why}")),
        ),
        Outcome::Refused => Line::told(
            Role::Bad,
            "Outcome",
            match (entry.denial(), entry.reason.as_deref()) {
                (Some(_), Some(code)) => format!("refused: {code}"),
                (Some(_), None) => "refused, for several reasons".into(),
                (None, code) => format!("refused: {}", words::reason(code)),
            },
        ),
    };
    let actor = &entry.actor;
    let mut blocks = vec![
        Line::of(Role::Title, words::what(entry)),
        Line::blank(),
        Line::fact("When", format!("{} ({})", times.exact(at), times.relative(at))),
        Line::fact("In UTC", at.rfc3339()),
        Line::fact("Who", format!("{} ({}), {}", actor.name, actor.role, actor.id)),
        Line::fact("Signed in with", words::auth(&actor.auth)),
        Line::fact("Reach", words::access(&actor.access)),
        Line::fact(
            "Via",
            format!(
                "{}, session {}, user id {}, process {}",
                words::via(&actor.via),
                actor.session,
                actor.uid,
                actor.pid
            ),
        ),
        Line::fact("Event", entry.event.clone()),
        outcome,
    ];
    if !entry.subjects.is_empty() {
        blocks.extend([Line::blank(), Line::of(Role::Title, "About")]);
        for subject in &entry.subjects {
            let owner = subject.owner.as_deref().map(|id| format!(", owner {}", owner(id, entry, look)));
            let owner = owner.unwrap_or_default();
            blocks.push(Line::fact(
                sentence(&subject.kind),
                format!("{} ({}{owner})", subject.name, subject.id),
            ));
        }
    }
    if let Some(tries) = &entry.tries {
        let (heading, facts) = match entry.refused_again() {
            Some(_) => ("Asked again", when(tries, times)),
            None => ("Requests", requests(tries, entry.reason.as_deref(), times)),
        };
        blocks.extend([Line::blank(), Line::of(Role::Title, heading)]);
        blocks.extend(facts);
    }
    if !entry.changes.is_empty() {
        blocks.extend([Line::blank(), Line::of(Role::Title, "Changes")]);
        for change in &entry.changes {
            let from = if change.from.is_empty() { "nothing" } else { &change.from };
            let to = if change.to.is_empty() { "nothing" } else { &change.to };
            let whose = change.of.as_ref().and_then(|of| entry.subjects.iter().find(|known| known.id == *of));
            let whose = whose.map_or_else(String::new, |subject| format!("{}: ", subject.name));
            blocks.push(Line::fact(sentence(&change.field), format!("{whose}{from} → {to}")));
        }
    }
    blocks.extend([Line::blank(), Line::of(Role::Title, "In the chain")]);
    blocks.push(Line::fact("Number", entry.seq.to_string()));
    blocks.push(Line::fact("Hash", line.hash.clone()));
    blocks.push(Line::fact("MAC", line.mac.clone()));
    blocks.push(Line::fact("State after", entry.state.clone()));
    blocks.push(Line::fact("Store", entry.store.clone()));
    if entry.records.is_empty() {
        blocks.push(Line::fact("Records", "none written"));
    }
    for (at, record) in entry.records.iter().enumerate() {
        let label = if at == 0 { "Records" } else { "" };
        blocks.push(Line::fact(label, format!("{}  tag {}", record.key, record.tag)));
    }
    Reader::new("audit-entry", format!("Audit entry {}", entry.seq), blocks, Some(line.hash.clone()))
}

/// An owner by name and id; by id alone when the one who looks may not know them.
fn owner(id: &str, entry: &Entry, look: &Look) -> String {
    let told = entry.subjects.iter().find(|subject| subject.kind == "operator" && subject.id == id);
    let told = told.map(|subject| &subject.name);
    let told = told.or_else(|| (entry.actor.id == id).then_some(&entry.actor.name)).cloned();
    let known = || {
        look.view(|view| {
            let operators = view.operators();
            operators.iter().find(|operator| operator.id.to_string() == id).map(|o| o.name.to_string())
        })
    };
    told.or_else(known).map_or_else(|| id.to_owned(), |name| format!("{name}, {id}"))
}

/// When they came, and how many.
fn when(tries: &TriesLine, times: Times) -> Vec<Line> {
    let exact = |at| times.exact(Timestamp(at));
    vec![
        Line::fact("How many", tries.n.to_string()),
        Line::fact("First", exact(tries.first)),
        Line::fact("Last", exact(tries.last)),
    ]
}

/// When they came, how many, where from, what they presented, and what would help.
fn requests(tries: &TriesLine, reason: Option<&str>, times: Times) -> Vec<Line> {
    let not_told = || "not told".to_owned();
    let mut blocks = when(tries, times);
    blocks.extend([
        Line::fact("Last from", tries.address.clone().unwrap_or_else(not_told)),
        Line::fact("Last by", tries.agent.clone().unwrap_or_else(not_told)),
    ]);
    blocks.extend(tries.scope.as_ref().map(|scope| Line::fact("Lacked", scope.clone())));
    for (at, token) in tries.tokens.iter().enumerate() {
        let label = if at == 0 { "Fingerprints" } else { "" };
        let from = token.address.as_ref().map(|address| format!(" from {address}")).unwrap_or_default();
        blocks.push(Line::fact(label, format!("{}  {}×{from}", token.fp, token.n)));
    }
    let told: u64 = tries.tokens.iter().map(|token| token.n).sum();
    if !tries.tokens.is_empty() && told < tries.n {
        blocks.push(Line::fact("", format!("and {} more, not told apart", tries.n - told)));
    }
    if let Some(reason) = reason.and_then(Reason::of_code) {
        blocks.push(Line::fact("What it means", sentence(reason.advice())));
    }
    blocks
}

/// The reader of what a check found.
pub fn report(report: &AuditReport, glyphs: &Glyphs) -> Reader {
    let (sign, role, verdict, meaning) = match report.integrity {
        Integrity::Intact => (
            glyphs.good,
            Role::Good,
            "The chain is intact",
            "Every entry follows the one before it, and the records are what the trail says they are.",
        ),
        Integrity::Altered => (
            glyphs.bad,
            Role::Bad,
            "The trail was altered",
            "An entry or a record was edited, moved, inserted or forged. Keep this store as evidence and restore a \
             backup from before.",
        ),
        Integrity::Short => (
            glyphs.bad,
            Role::Bad,
            "Entries are missing",
            "The trail has a gap, or ends before what its seal knows. The store may have been put back in time: \
             restore the newest backup.",
        ),
        Integrity::Unverifiable => (
            glyphs.warn,
            Role::Warn,
            "The chain cannot be checked",
            "Some of it is of a version this keydeck does not know. Check it with the version that wrote it.",
        ),
    };
    let checked = match report.base {
        0 => report.entries.to_string(),
        base => format!("{}, after entry {base}: older ones are no longer in the store", report.entries),
    };
    let mut blocks = vec![
        Line::of(role, format!("{sign} {verdict}")),
        Line::of(Role::Text, meaning),
        Line::blank(),
        Line::fact("Entries checked", checked),
        Line::fact("Head hash", report.head.clone()),
        Line::blank(),
        Line::of(
            Role::Dim,
            "Keep the head hash somewhere else: whoever holds it can tell later that no entry before it was cut off.",
        ),
    ];
    if !report.faults.is_empty() {
        blocks.push(Line::blank());
        blocks.push(Line::of(
            Role::Title,
            match report.faults.len() {
                1 => "1 fault".into(),
                count => format!("{count} faults"),
            },
        ));
        blocks.extend(report.faults.iter().map(|fault| Line::of(role, format!("{sign} {fault}"))));
    }
    Reader::new("audit-report", "Check of the audit chain", blocks, Some(report.head.clone()))
}
