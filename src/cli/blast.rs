//! `--dry-run`: what would stop, and nothing is changed. Whether the rules would let it be done is asked of them.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::door::{Deck, Signed};
use super::output::shown;
use super::times;
use super::usage::CallerLine;
use crate::domain::blast::Blast;
use crate::domain::history::Picture;
use crate::domain::{App, Bearer, Command, Key, ScopeId, Timestamp, View};
use crate::tui::app::times::{Times, Zone};
use crate::tui::sight::deeds::objection;
use crate::tui::sight::radius;
use crate::tui::sight::seen::Seen;

/// The word that has nothing done.
#[derive(Clone, Copy, Debug, Args)]
pub struct DryRun {
    /// Only say what would become of it, who uses it and what for
    #[arg(long)]
    pub dry_run: bool,
}

/// What would stop, in JSON.
#[derive(Serialize)]
struct BlastLine {
    id: String,
    name: String,
    last_used_at: Option<String>,
    /// Whether that is not longer ago than five minutes.
    in_use: bool,
    last_used_from: Option<String>,
    last_used_agent: Option<String>,
    /// Of the last 24 hours; null where that could not be read.
    requests: Option<Requests>,
    callers: Vec<CallerLine>,
    /// Allowed requests of seven days by others than those.
    others: u64,
    scopes_lost: Vec<Lost>,
    /// Scopes that would be lost and no request is known to have needed.
    scopes_unused: usize,
    app_keys_stop: usize,
    app_keys_go_on: usize,
    access_tokens_end: bool,
    notices_end: usize,
}

#[derive(Serialize)]
struct Requests {
    allowed: u64,
    denied: u64,
    /// Whether that is all, or only what is known.
    complete: bool,
}

#[derive(Serialize)]
struct Lost {
    scope: String,
    last_used_at: String,
}

impl BlastLine {
    fn of(id: String, name: String, blast: &Blast, now: Timestamp) -> Self {
        let by = blast.by.as_ref();
        Self {
            id,
            name,
            last_used_at: blast.last.at().map(Timestamp::rfc3339),
            in_use: blast.in_use(now).is_some(),
            last_used_from: by.and_then(|seen| seen.address).map(|address| address.to_string()),
            last_used_agent: by.and_then(|seen| seen.agent.as_ref()).map(ToString::to_string),
            requests: blast.day.map(|day| Requests {
                allowed: day.tally.allowed,
                denied: day.tally.denied,
                complete: day.whole,
            }),
            callers: blast.callers.iter().map(Into::into).collect(),
            others: blast.others,
            scopes_lost: blast
                .lost
                .iter()
                .map(|(scope, at)| Lost { scope: scope.to_string(), last_used_at: at.rfc3339() })
                .collect(),
            scopes_unused: blast.unused,
            app_keys_stop: blast.keys,
            app_keys_go_on: blast.siblings,
            access_tokens_end: blast.tokens,
            notices_end: blast.notices,
        }
    }
}

/// Tells what stops if `command` is carried out on a key, which then loses all its scopes, or those that it does not keep.
pub fn of_key(deck: &Deck, signed: &Signed, key: &Key, command: &Command) -> Outcome {
    let keeps = if let Command::RescopeKey { scopes, .. } = command { Some(scopes) } else { None };
    let picture = signed.engine.history(&signed.session, Bearer::Key(key.id)).ok();
    let goes = |scope: &&ScopeId| keeps.is_none_or(|kept| kept.iter().all(|kept| kept != scope.as_str()));
    let of =
        |view: View<'_>, now| Blast::of_key(view, key, key.scopes.iter().filter(goes), picture.as_ref(), now);
    tell(deck, signed, (key.id.to_string(), key.name.to_string()), command, &of)
}

/// The same for an app, which is stopped.
pub fn of_app(deck: &Deck, signed: &Signed, app: &App, command: &Command) -> Outcome {
    let picture: Option<Picture> = signed.engine.history(&signed.session, Bearer::App(app.id)).ok();
    let of = |view: View<'_>, now| Blast::of_app(view, app, picture.as_ref(), now);
    tell(deck, signed, (app.id.to_string(), app.name.to_string()), command, &of)
}

fn tell(
    deck: &Deck,
    signed: &Signed,
    (id, name): (String, String),
    command: &Command,
    of: &dyn Fn(View<'_>, Timestamp) -> Blast,
) -> Outcome {
    let now = signed.now();
    let blast = {
        let state = signed.engine.state();
        let seen =
            Seen::new(&state, signed.session.actor(), Times::new(now, Zone::Here), signed.engine.catalog());
        if let Some(refusal) = objection(command, &seen) {
            return Err(refusal.into());
        }
        of(seen.view, now)
    };
    if deck.output.is_json() {
        deck.output.value(&BlastLine::of(id, name, &blast, now))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut page = String::new();
    let mut line = |label: &str, said: &str| {
        let _ = writeln!(page, "{label:<12}{}", shown(said));
    };
    line("Name", &name);
    line("Last used", &blast.last.words(|at| times::both(at, now)));
    for (label, said) in radius::lines(&blast, now, |at| times::relative(at, now)) {
        line(label, &said);
    }
    if blast.unused > 0 {
        line("Not needed", &format!("{} of the scopes that go, as far as is known", blast.unused));
    }
    deck.output.text(&page)?;
    deck.output.say("Nothing was changed.");
    Ok(ExitCode::SUCCESS)
}
