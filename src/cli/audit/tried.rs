//! `keydeck audit fingerprint`: was a token that leaked ever tried here, when, and where from? The token comes on
//! standard input and is neither kept nor shown.

use std::process::ExitCode;

use serde::Serialize;

use super::Fingerprint;
use crate::cli::door::Deck;
use crate::cli::fault::Exit;
use crate::cli::table::{Cell, Table, Tone};
use crate::cli::{Outcome, code, secrets, times};
use crate::domain::{Reason, Timestamp};
use crate::engine::open::Wants;
use crate::engine::{Tried, Try};

#[derive(Serialize)]
struct TriedLine<'a> {
    fingerprint: &'a str,
    speaks_for: Option<PartyLine<'a>>,
    allowed: u64,
    last_allowed_at: Option<String>,
    last_allowed_from: Option<String>,
    refused: u64,
    /// Refused requests are known from the entry after this one on.
    #[serde(skip_serializing_if = "Option::is_none")]
    trimmed_upto: Option<u64>,
    tries: Vec<TryLine<'a>>,
}

#[derive(Serialize)]
struct PartyLine<'a> {
    kind: &'a str,
    id: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct TryLine<'a> {
    seq: u64,
    reason: &'a str,
    n: u64,
    first_at: String,
    last_at: String,
    address: Option<&'a str>,
}

impl<'a> TriedLine<'a> {
    fn of(tried: &'a Tried) -> Self {
        let line = |one: &'a Try| TryLine {
            seq: one.seq,
            reason: &one.reason,
            n: one.n,
            first_at: one.first.rfc3339(),
            last_at: one.last.rfc3339(),
            address: one.address.as_deref(),
        };
        Self {
            fingerprint: &tried.fingerprint,
            speaks_for: tried.speaks_for.as_ref().map(|party| PartyLine {
                kind: &party.kind,
                id: &party.id,
                name: &party.name,
            }),
            allowed: tried.usage.count,
            last_allowed_at: tried.usage.last_used_at.map(Timestamp::rfc3339),
            last_allowed_from: tried.seen.as_ref().map(ToString::to_string),
            refused: tried.refused,
            trimmed_upto: Some(tried.base).filter(|base| *base > 0),
            tries: tried.tries.iter().map(line).collect(),
        }
    }
}

pub(super) fn run(deck: &Deck, _: &Fingerprint) -> Outcome {
    secrets::free_stdin(deck.globals.passphrase_file.as_deref())?;
    let signed = deck.sign_in_for(Wants::Named)?;
    let presented = secrets::presented()?;
    let tried = signed.engine.tried(&signed.session, &presented)?;
    drop(presented);
    if deck.output.is_json() {
        deck.output.value(&TriedLine::of(&tried))?;
    } else {
        tell(deck, &tried)?;
    }
    Ok(if tried.is_never() { code(Exit::Refused) } else { ExitCode::SUCCESS })
}

/// From where on that is known.
fn say_since(deck: &Deck, tried: &Tried) {
    if tried.base > 0 {
        deck.output.say(&format!(
            "Of refused requests only entries after {} were asked: the older ones were trimmed. `keydeck audit list` says where \
             they are.",
            tried.base
        ));
    }
}

fn tell(deck: &Deck, tried: &Tried) -> Result<(), crate::cli::fault::Fault> {
    let whose = match &tried.speaks_for {
        Some(party) => format!("of the {} {} ({})", party.kind, party.name, party.id),
        None => "nobody's here".into(),
    };
    deck.output.text(&format!("fingerprint {}, {whose}\n", tried.fingerprint))?;
    if tried.is_never() {
        deck.output.text("never tried\n")?;
        say_since(deck, tried);
        return Ok(());
    }
    if let Some(at) = tried.usage.last_used_at {
        let from = tried.seen.as_ref().map(|seen| format!(" from {seen}")).unwrap_or_default();
        let times = tried.usage.count;
        deck.output.text(&format!("allowed {times}×, the last time {}{from}\n", times::local(at)))?;
    }
    say_since(deck, tried);
    if tried.refused == 0 {
        return Ok(());
    }
    deck.output.text(&format!("denied {}×\n", tried.refused))?;
    let mut table = Table::new(&["No.", "First", "Last", "Times", "Why", "Last from"]);
    for one in &tried.tries {
        let why = Reason::of_code(&one.reason).map_or(one.reason.as_str(), |reason| reason.brief());
        table.row([
            one.seq.to_string().into(),
            times::local(one.first).into(),
            times::local(one.last).into(),
            one.n.to_string().into(),
            Cell::toned(why, Tone::Warn),
            one.address.as_deref().unwrap_or("not told").into(),
        ]);
    }
    deck.output.text(&table.render(deck.output))
}
