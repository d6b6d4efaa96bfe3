//! `--dry-run`: what would stop, and nothing is changed. Whether the rules would let it be done is asked of them. Of many at
//! once: how much it is, and which of them matter most.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::door::{Deck, Signed};
use super::output::shown;
use super::report_only::RefusedLine;
use super::table::Table;
use super::times;
use super::usage::CallerLine;
use crate::domain::blast::many::{Busy, Named, Struck};
use crate::domain::blast::{Blast, Day};
use crate::domain::history::{Lacked, Picture};
use crate::domain::{App, Bearer, Command, Grounds, Key, ScopeId, Timestamp, View};
use crate::tui::app::times::{Times, Zone};
use crate::tui::sight::deeds::objection;
use crate::tui::sight::seen::Seen;
use crate::tui::sight::{radius, report_only};

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
    /// Whether that is not longer ago than five minutes; null where uses may have been lost since.
    in_use: Option<bool>,
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
    /// When the last that may be alive is over by itself.
    access_tokens_live_until: Option<String>,
    notices_end: usize,
    /// Of a key whose report-only would be enforced, what that would have refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    would_refuse: Option<RefusedLine>,
}

/// Requests of the last 24 hours.
#[derive(Serialize)]
pub(super) struct Requests {
    allowed: u64,
    denied: u64,
    /// Whether that is all, or only what is known.
    complete: bool,
}

impl From<Day> for Requests {
    fn from(day: Day) -> Self {
        Self { allowed: day.tally.allowed, denied: day.tally.denied, complete: day.whole }
    }
}

#[derive(Serialize)]
struct Lost {
    scope: String,
    last_used_at: String,
}

impl BlastLine {
    fn of(id: String, name: String, blast: &Blast, grounds: Grounds) -> Self {
        let by = blast.by.as_ref();
        Self {
            id,
            name,
            last_used_at: blast.last.at().map(Timestamp::rfc3339),
            in_use: blast.is_in_use(grounds.now, grounds.complete_since),
            last_used_from: by.and_then(|seen| seen.address).map(|address| address.to_string()),
            last_used_agent: by.and_then(|seen| seen.agent.as_ref()).map(ToString::to_string),
            requests: blast.day.map(Into::into),
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
            access_tokens_end: blast.tokens.until().is_some(),
            access_tokens_live_until: blast.tokens.until().map(Timestamp::rfc3339),
            notices_end: blast.notices,
            would_refuse: None,
        }
    }
}

/// One of many, in JSON.
#[derive(Serialize)]
pub(super) struct NamedLine {
    kind: &'static str,
    id: String,
    name: String,
    hint: String,
    owner: String,
    last_used_at: Option<String>,
    last_used_from: Option<String>,
    /// Of the last 24 hours, of the busiest.
    requests: Option<Requests>,
}

impl NamedLine {
    /// Whether anybody is known to have used it.
    pub const fn is_used(&self) -> bool {
        self.last_used_at.is_some()
    }

    fn of(one: Named<'_>) -> Self {
        let (kind, id) = match one.what {
            Bearer::Key(key) => ("key", key.to_string()),
            Bearer::App(app) => ("app", app.to_string()),
        };
        Self {
            kind,
            id,
            name: one.name.to_owned(),
            hint: one.hint,
            owner: one.owner.to_owned(),
            last_used_at: one.last.at().map(Timestamp::rfc3339),
            last_used_from: one.caller,
            requests: one.day.map(Into::into),
        }
    }
}

/// What stops with what is many, in JSON.
#[derive(Serialize)]
pub(super) struct CrushLine {
    /// Keys in view.
    keys: usize,
    /// Live keys of others besides.
    others: usize,
    apps: usize,
    apps_with_tokens: usize,
    #[serde(flatten)]
    used: UseLine,
    used_last: Vec<NamedLine>,
}

/// How many are used, in JSON.
#[derive(Serialize)]
pub(super) struct UseLine {
    /// At least these; null where none is known to be and keys of others are not in view.
    used_within_5_min: Option<usize>,
    used_within_a_day: Option<usize>,
    /// Of which that is not known.
    use_unknown: usize,
    /// Of the last 24 hours, of all together.
    requests: Requests,
    notices_end: usize,
}

/// What something is about, and what stops with it.
#[derive(Serialize)]
struct Would<'a, T> {
    #[serde(flatten)]
    about: &'a T,
    stops: CrushLine,
}

/// Many at once, copied out so that the state is not held while somebody reads.
pub(super) struct Crush {
    pub struck: Struck,
    busy: Busy,
    /// What is in use, and the sum of requests, as labels and what stands beside them.
    summary: Vec<(&'static str, String)>,
}

impl Crush {
    /// Asks the histories of what `struck` finds in view.
    pub fn of(signed: &Signed, struck: impl FnOnce(View<'_>, Timestamp) -> Struck) -> Self {
        let now = signed.now();
        let struck = signed.see(|view| struck(view, now));
        // What cannot be read is not known.
        let busy = signed.engine.busy(&signed.session, &struck.all);
        let busy = busy.unwrap_or_else(|_| Busy::unknown(struck.all.len()));
        let summary = signed.see(|view| radius::summary(&struck, Some(&busy), (view, now)));
        Self { struck, busy, summary }
    }

    /// The ten that matter most.
    pub fn first<R>(&self, signed: &Signed, each: impl Fn(Named<'_>) -> R) -> Vec<R> {
        let now = signed.now();
        signed.see(|view| self.struck.first(view, Some(&self.busy), now).into_iter().map(each).collect())
    }

    pub fn line(&self, signed: &Signed) -> CrushLine {
        let (struck, used_last) = (&self.struck, self.first_lines(signed));
        CrushLine {
            keys: struck.keys,
            others: struck.others,
            apps: struck.apps,
            apps_with_tokens: struck.token_apps,
            used: self.use_line(),
            used_last: used_last.into_iter().filter(NamedLine::is_used).collect(),
        }
    }

    /// How much it is and how it is used, for people.
    pub fn page(&self, deck: &Deck, signed: &Signed) -> String {
        if self.struck.all.is_empty() {
            return String::new();
        }
        format!("{}{}", self.summary(), self.table(deck, signed))
    }

    /// Says what stops, and that nothing was changed. `said` is a sentence for people, `about` what else there is to know.
    pub fn show(&self, deck: &Deck, signed: &Signed, said: &str, about: &impl Serialize) -> Outcome {
        if deck.output.is_json() {
            deck.output.value(&Would { about, stops: self.line(signed) })?;
        } else {
            deck.output.text(&format!("{}\n{}", shown(said), self.page(deck, signed)))?;
            deck.output.say("Nothing was changed.");
        }
        Ok(ExitCode::SUCCESS)
    }

    pub fn first_lines(&self, signed: &Signed) -> Vec<NamedLine> {
        self.first(signed, NamedLine::of)
    }

    pub fn use_line(&self) -> UseLine {
        UseLine {
            used_within_5_min: self.struck.known(self.struck.used_now),
            used_within_a_day: self.struck.known(self.struck.used_today),
            use_unknown: self.struck.use_unknown(),
            requests: self.struck.day(&self.busy).into(),
            notices_end: self.struck.notices,
        }
    }

    /// For people.
    pub fn summary(&self) -> String {
        let mut page = String::new();
        for (label, said) in &self.summary {
            let _ = writeln!(page, "{label:<12}{}", shown(said));
        }
        page
    }

    /// Those of the ten that were used, as a table; nothing where none was.
    pub fn table(&self, deck: &Deck, signed: &Signed) -> String {
        let now = signed.now();
        let rows = self.first(signed, |one| {
            let used = one.last.at().map(|at| times::relative(at, now));
            (used.is_some() || one.day.is_some()).then(|| {
                let day = one.day.map_or_else(String::new, |day| day.tally.allowed.to_string());
                let used = used.unwrap_or_default();
                [
                    used,
                    day,
                    format!("{} ({})", one.name, one.hint),
                    one.owner.to_owned(),
                    one.caller.unwrap_or_default(),
                ]
            })
        });
        let mut table = Table::new(&["Used", "Requests in 24 h", "Key or app", "Owner", "From"]);
        let rows: Vec<_> = rows.into_iter().flatten().collect();
        if rows.is_empty() {
            return String::new();
        }
        for row in rows {
            table.row(row.map(Into::into));
        }
        table.render(deck.output.plain())
    }
}

/// Tells what stops if `command` is carried out on a key, which then loses all its scopes, or those that it does not keep.
pub fn of_key(deck: &Deck, signed: &Signed, key: &Key, command: &Command) -> Outcome {
    let tried = if let Command::EnforceReportOnly { .. } = command { key.reports_only() } else { None };
    let left: Option<Vec<String>> = tried.map(|tried| tried.scopes.iter().map(ToString::to_string).collect());
    let keeps = if let Command::RescopeKey { scopes, .. } = command { Some(scopes) } else { left.as_ref() };
    signed.engine.know_uses(&signed.session)?;
    let picture = signed.engine.history(&signed.session, Bearer::Key(key.id)).ok();
    let goes = |scope: &&ScopeId| keeps.is_none_or(|kept| kept.iter().all(|kept| kept != scope.as_str()));
    let of = |view: View<'_>, now| {
        let blast = Blast::of_key(view, key, key.scopes.iter().filter(goes), picture.as_ref(), now);
        // What goes on with fewer scopes is told of as before.
        if keeps.is_some() { Blast { notices: 0, siblings: 0, ..blast } } else { blast }
    };
    let lacked = picture.as_ref().and_then(|picture| picture.lacked.as_deref()).filter(|_| tried.is_some());
    tell(deck, signed, (key.id.to_string(), key.name.to_string()), command, (&of, lacked))
}

/// The same for an app, which then loses all its scopes, or those that it does not keep.
pub fn of_app(deck: &Deck, signed: &Signed, app: &App, command: &Command) -> Outcome {
    signed.engine.know_uses(&signed.session)?;
    let picture: Option<Picture> = signed.engine.history(&signed.session, Bearer::App(app.id)).ok();
    let keeps = if let Command::EditApp { change, .. } = command { Some(&change.scopes) } else { None };
    let goes = |scope: &&ScopeId| keeps.is_none_or(|kept| kept.iter().all(|kept| kept != scope.as_str()));
    let of = |view: View<'_>, now| {
        let scopes: Vec<&ScopeId> = app.scopes.iter().filter(goes).collect();
        Blast::of_app(view, app, &scopes, picture.as_ref(), now)
    };
    tell(deck, signed, (app.id.to_string(), app.name.to_string()), command, (&of, None))
}

/// What is computed of a view at a time.
type Telling<'a> = &'a dyn Fn(View<'_>, Timestamp) -> Blast;

fn tell(
    deck: &Deck,
    signed: &Signed,
    (id, name): (String, String),
    command: &Command,
    (of, lacked): (Telling<'_>, Option<&Lacked>),
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
        let would_refuse = lacked.map(RefusedLine::from);
        deck.output
            .value(&BlastLine { would_refuse, ..BlastLine::of(id, name, &blast, signed.grounds()) })?;
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
    for (at, said) in lacked
        .map(|lacked| report_only::counted(lacked, |at| times::relative(at, now)))
        .iter()
        .flatten()
        .enumerate()
    {
        line(if at == 0 { "Report only" } else { "" }, said);
    }
    deck.output.text(&page)?;
    deck.output.say("Nothing was changed.");
    Ok(ExitCode::SUCCESS)
}
