//! What was found, as lines for people and as JSON for scripts. Of a secret only what may be shown.

use std::fmt::Write as _;

use serde::Serialize;

use super::store::{Answers, code, remedies};
use super::walk::Found;
use crate::cli::fault::Fault;
use crate::cli::output::{Output, shown};
use crate::cli::times;
use crate::crypto::scan::Kind;
use crate::domain::Timestamp;
use crate::engine::Whose;

/// A secret that was found, and what the store says of it if it was asked.
pub type Told<'t> = (&'t Found, Option<&'t Whose>);

/// What was found, in JSON.
#[derive(Serialize)]
pub struct Line<'t> {
    path: &'t str,
    #[serde(rename = "line")]
    number: usize,
    column: usize,
    kind: &'static str,
    id: Option<String>,
    hint: String,
    /// `checksum`, or `shape` where the kind has none and it may be something else.
    told_by: &'static str,
    /// Null when the store was not asked.
    store: Option<StoreLine<'t>>,
}

#[derive(Serialize)]
struct StoreLine<'t> {
    secret: &'static str,
    works: bool,
    refused: Option<&'static str>,
    /// `key` or `app`, its id and its name, as far as the store tells.
    whose: Option<&'t str>,
    whose_id: Option<&'t str>,
    name: Option<&'t str>,
    owner: Option<&'t str>,
    last_used_at: Option<String>,
    remedies: Vec<String>,
}

/// All of them in JSON.
pub fn lines<'t>(told: &[Told<'t>]) -> Vec<Line<'t>> {
    let line = |(found, whose): &Told<'t>| Line {
        path: &found.path,
        number: found.place.line,
        column: found.place.column,
        kind: found.kind.code(),
        id: found.id.map(|id| id.to_string()),
        hint: found.hint(),
        told_by: if found.kind == Kind::Imported { "shape" } else { "checksum" },
        store: whose.map(store_line),
    };
    told.iter().map(line).collect()
}

fn store_line(whose: &Whose) -> StoreLine<'_> {
    let (party, holder) = match whose {
        Whose::Known(holder) => (Some(&holder.party), Some(holder)),
        Whose::Other(party) => (party.as_ref(), None),
        Whose::ThisStore | Whose::Nobody | Whose::NotTold(_) => (None, None),
    };
    let refused = match whose {
        Whose::NotTold(reason) => Some(*reason),
        Whose::Known(holder) => holder.refused,
        Whose::ThisStore | Whose::Other(_) | Whose::Nobody => None,
    };
    StoreLine {
        secret: code(whose),
        works: whose.works(),
        refused: refused.map(crate::domain::Reason::code),
        whose: party.map(|party| party.kind.as_str()),
        whose_id: party.map(|party| party.id.as_str()),
        name: party.map(|party| party.name.as_str()),
        owner: holder.map(|holder| holder.owner.as_str()),
        last_used_at: holder.and_then(|holder| holder.last_use.at()).map(Timestamp::rfc3339),
        remedies: remedies(whose),
    }
}

/// What the store says of a secret, in words; times as far off as they are from `now`.
pub fn words(whose: &Whose, now: Option<Timestamp>) -> String {
    whose.words(|at| now.map_or_else(|| times::local(at), |now| times::relative(at, now)))
}

/// All of them for people, each where editors find it, and what can be done below those that work.
pub fn text(output: Output, told: &[Told<'_>], answers: &Answers<'_>) -> Result<(), Fault> {
    let mut text = String::new();
    for (found, whose) in told {
        let known = match (whose, found.kind) {
            (Some(whose), _) => format!(": {}", shown(&words(whose, answers.at))),
            (None, Kind::Imported) => ": by its shape only, which has no checksum".into(),
            (None, _) => String::new(),
        };
        let (path, line, column) = (shown(&found.path), found.place.line, found.place.column);
        let _ = writeln!(text, "{path}:{line}:{column}: {} {}{known}", found.kind.title(), found.hint());
        for remedy in whose.map(remedies).unwrap_or_default() {
            let _ = writeln!(text, "    {remedy}");
        }
    }
    output.text(&text)?;
    output.say(&summary(told));
    Ok(())
}

fn summary(told: &[Told<'_>]) -> String {
    let working = told.iter().filter(|(_, whose)| whose.is_some_and(Whose::works)).count();
    let asked = told.iter().any(|(_, whose)| whose.is_some());
    let found = match told.len() {
        0 => "No secret of keydeck's was found".to_owned(),
        1 => "1 secret was found".to_owned(),
        all => format!("{all} secrets were found"),
    };
    if asked { format!("{found}, {working} working today.") } else { format!("{found}.") }
}
