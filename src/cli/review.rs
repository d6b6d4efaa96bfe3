//! `keydeck review`: which keys and apps may do more than they need, or should not be there; and of one, what to type about
//! it. To read it changes nothing, and ends well whatever it says. [`sign`] says that somebody looked at it, [`report`] writes it
//! down for auditors.

mod matrix;
mod report;
mod sign;

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Outcome;
use super::door::{Deck, Signed};
use super::fault::Fault;
use super::find;
use super::output::shown;
use super::report_only::ReportOnlyLine;
use super::table::{Cell, Table, Tone};
use super::times;
use super::usage::UseLine;
use crate::domain::history::{Lacked, Picture};
use crate::domain::review::{About, Breadth, Concern, Reviewer, Row, review, why};
use crate::domain::view::Sought;
use crate::domain::{Bearer, Key, Refusal, ScopeId, Timestamp, View};
use crate::tui::sight::report_only;
use crate::tui::sight::review::{bar, kept_words, needed, scopes};

/// Words of `review`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Review {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// One key or app, and what to type about it: its id, its hint, or its name if only one has it
    #[arg(value_name = "KEY")]
    key: Option<String>,
    /// These keys side by side: which scopes each has, and which of them were needed
    #[arg(long, value_name = "KEY", num_args = 1.., conflicts_with_all = ["key", "all_concerns"])]
    matrix: Vec<String>,
    /// Everybody's keys and apps (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
    /// Also what most keys give reason for: those that nothing is said of but that they never end
    #[arg(long, conflicts_with = "key")]
    all_concerns: bool,
}

/// What can be done with a review besides reading it.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Sign it off: who looked at what, what was kept and why, noted in the audit trail
    Sign(sign::Sign),
    /// Write it to a file for auditors, with what was done since it was signed off last: .md or .json
    Report(report::Report),
}

/// One key or app, in JSON.
#[derive(Serialize)]
struct Line<'a> {
    /// The sum of the weights.
    risk: u16,
    why: String,
    /// That it was kept in spite of all that, lately.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<KeptLine<'a>>,
    findings: Vec<Finding>,
    kind: &'static str,
    id: String,
    name: &'a str,
    hint: String,
    owner: &'a str,
    /// How many scopes it has.
    granted: usize,
    /// How many of them requests have needed; null where that is not known.
    needed: Option<usize>,
    last_used_at: Option<String>,
    /// As of a key that is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    uses_known_since: Option<String>,
    /// That fewer scopes are tried on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    report_only: Option<ReportOnlyLine<'a>>,
    /// Scopes that can be taken away and that no request has needed; absent but of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    unneeded: Option<Vec<&'a str>>,
    /// How it was used over time; absent but of one.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    over_time: Option<UseLine>,
}

/// Who kept it, when and why.
#[derive(Serialize)]
struct KeptLine<'a> {
    by: &'a str,
    at: String,
    because: &'a str,
}

/// What is said of it.
#[derive(Serialize)]
struct Finding {
    code: &'static str,
    weight: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requests: Option<u64>,
    /// The command that does something about it.
    command: String,
}

/// One of them with all that is told of it.
struct Told<'a> {
    row: Row,
    by: Reviewer<'a>,
    about: About<'a>,
    concerns: Vec<Concern>,
}

impl<'a> Told<'a> {
    fn of(by: Reviewer<'a>, row: Row) -> Option<Self> {
        Some(Self { row, by, about: by.about(row.who)?, concerns: by.of(&row) })
    }

    fn id(&self) -> String {
        match self.row.who {
            Bearer::Key(id) => id.to_string(),
            Bearer::App(id) => id.to_string(),
        }
    }

    fn hint(&self) -> String {
        match self.row.who {
            Bearer::Key(id) => self.by.view.key(id).map(Key::hint).unwrap_or_default(),
            Bearer::App(_) => self.id(),
        }
    }

    fn owner(&self) -> &'a str {
        self.by.view.name_of(self.about.owner)
    }

    /// What to type about one concern.
    fn command(&self, concern: Concern) -> String {
        let (id, surplus) = (self.id(), self.about.surplus());
        let deed = match self.row.who {
            Bearer::Key(_) => of_key(concern, &id, &surplus, self.by),
            Bearer::App(_) => {
                let kept = self.about.scopes.iter().filter(|scope| !surplus.contains(scope));
                of_app(concern, &id, &surplus, &kept.collect::<Vec<_>>())
            }
        };
        let is_own = self.about.owner == self.by.view.actor().operator;
        format!("keydeck {deed}{}", if is_own { "" } else { " --all" })
    }

    fn kept(&self) -> Option<KeptLine<'a>> {
        let kept = self.by.kept(self.row.who, &self.concerns)?;
        Some(KeptLine {
            by: self.by.view.name_of(kept.word.by),
            at: kept.word.at.rfc3339(),
            because: kept.why.as_str(),
        })
    }

    /// What is said of it, who kept it in spite of that, and why.
    fn why(&self) -> String {
        let said = why(&self.concerns);
        self.by
            .kept(self.row.who, &self.concerns)
            .map_or(said.clone(), |kept| kept_words(kept, self.by, &said))
    }

    fn report_only(&self, lacked: Option<&Lacked>) -> Option<ReportOnlyLine<'a>> {
        let Bearer::Key(id) = self.row.who else { return None };
        ReportOnlyLine::of(self.by.view.key(id)?, self.by.view, self.by.now, lacked)
    }

    fn line(&self) -> Line<'a> {
        let finding = |concern: &Concern| Finding {
            code: concern.code(),
            weight: concern.weight(),
            days: concern.days(),
            scopes: concern.scopes(),
            requests: concern.requests(),
            command: self.command(*concern),
        };
        Line {
            risk: self.row.risk,
            why: why(&self.concerns),
            kept: self.kept(),
            findings: self.concerns.iter().map(finding).collect(),
            kind: if matches!(self.row.who, Bearer::Key(_)) { "key" } else { "app" },
            id: self.id(),
            name: self.about.name,
            hint: self.hint(),
            owner: self.owner(),
            granted: self.about.scopes.len(),
            needed: self.about.needed_count(),
            last_used_at: self.about.last.at().map(Timestamp::rfc3339),
            uses_known_since: self.about.last.known_since().map(Timestamp::rfc3339),
            report_only: self.report_only(None),
            unneeded: None,
            over_time: None,
        }
    }
}

/// Some scopes as words of a command line.
fn words(scopes: &[&ScopeId]) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
}

fn of_key(concern: Concern, id: &str, surplus: &[&ScopeId], by: Reviewer<'_>) -> String {
    let tried = id.parse().ok().and_then(|id| by.view.key(id)).and_then(Key::reports_only);
    match concern {
        // What is tried already is decided, not begun again.
        Concern::ReportOnlyOver(_) => format!("key rescope {id} --enforce"),
        Concern::AdminUnneeded(_) | Concern::ScopesUnneeded { .. } if tried.is_some() => {
            format!("key rescope {id} --enforce")
        }
        Concern::AdminUnneeded(_) if !surplus.is_empty() => {
            let admin: Vec<&ScopeId> = surplus.iter().copied().filter(|scope| by.is_admin(scope)).collect();
            format!("key rescope {id} --remove {}", words(&admin))
        }
        Concern::ScopesUnneeded { .. } => format!("key rescope {id} --remove {}", words(surplus)),
        Concern::OwnerGone => format!("key transfer {id} --to OPERATOR"),
        Concern::Presented | Concern::DeniedOften(_) => format!("audit list --key {id}"),
        Concern::AdminUnneeded(_) | Concern::NeverUsed(_) | Concern::Unused(_) => {
            format!("key revoke {id} --reason unused")
        }
        Concern::NotRotated(_) | Concern::MadeElsewhere => format!("key rotate {id}"),
        Concern::NoEnd => format!("key edit {id} --expires 1y"),
        Concern::SameName => format!("key edit {id} --name NAME"),
    }
}

fn of_app(concern: Concern, id: &str, surplus: &[&ScopeId], kept: &[&ScopeId]) -> String {
    match concern {
        Concern::AdminUnneeded(_) | Concern::ScopesUnneeded { .. } if !surplus.is_empty() => {
            format!("app edit {id} --scope {}", words(kept))
        }
        Concern::NotRotated(_) => format!("app rotate {id}"),
        Concern::AdminUnneeded(_) | Concern::NeverUsed(_) | Concern::Unused(_) => format!("app delete {id}"),
        Concern::OwnerGone
        | Concern::ScopesUnneeded { .. }
        | Concern::ReportOnlyOver(_)
        | Concern::DeniedOften(_)
        | Concern::Presented
        | Concern::NoEnd
        | Concern::SameName
        | Concern::MadeElsewhere => format!("app show {id}"),
    }
}

/// Runs it.
pub fn run(deck: &Deck, args: &Review) -> Outcome {
    match &args.verb {
        Some(Verb::Sign(args)) => return sign::run(deck, args),
        Some(Verb::Report(args)) => return report::run(deck, args),
        None => {}
    }
    let signed = deck.sign_in()?.widened(args.all)?;
    if !args.matrix.is_empty() {
        return matrix::run(deck, &signed, &args.matrix);
    }
    match &args.key {
        Some(reference) => one(deck, &signed, reference)?,
        None => list(deck, &signed, if args.all_concerns { Breadth::All } else { Breadth::Telling })?,
    }
    Ok(ExitCode::SUCCESS)
}

/// All that is to be told, the worst first.
fn told(by: Reviewer<'_>, breadth: Breadth) -> Vec<Told<'_>> {
    review(by, breadth).into_iter().filter_map(|row| Told::of(by, row)).collect()
}

fn list(deck: &Deck, signed: &Signed, breadth: Breadth) -> Result<(), Fault> {
    let (now, catalog) = (signed.now(), signed.engine.catalog());
    let state = signed.engine.state();
    let view = View::new(&state, signed.session.actor());
    let by = Reviewer { view, catalog, now };
    let rows = told(by, breadth);
    if deck.output.is_json() {
        return deck.output.value(&rows.iter().map(Told::line).collect::<Vec<_>>());
    }
    if rows.is_empty() {
        let whose = if view.is_whole() { "any key or app" } else { "a key or app of yours" };
        deck.output.say(&format!("There is nothing to say against {whose}."));
        return Ok(());
    }
    let mut table = Table::new(&["Risk", "Why", "Key", "Granted", "Used", "Last used", "Owner"]);
    for told in &rows {
        let about = told.about;
        let app = if matches!(told.row.who, Bearer::App(_)) { " (app)" } else { "" };
        let tone = if told.row.risk >= HIGH { Tone::Bad } else { Tone::Warn };
        table.row([
            Cell::toned(bar(told.row.risk), tone),
            told.why().into(),
            format!("{}{app}", about.name).into(),
            about.scopes.len().to_string().into(),
            needed(&about).into(),
            about.last.brief(|at| times::relative(at, by.now)).into(),
            told.owner().into(),
        ]);
    }
    deck.output.text(&table.render(deck.output))?;
    deck.output.say("`keydeck review KEY` tells what to do about one of them.");
    Ok(())
}

/// From here on a bar is told as bad.
const HIGH: u16 = 50;

/// Cells of the days of a scope: each stands for two.
const CELLS: usize = 45;

fn one(deck: &Deck, signed: &Signed, reference: &str) -> Result<(), Fault> {
    let who = match find::key(signed, reference, Sought::Living) {
        Ok(key) => Bearer::Key(key.id),
        Err(fault) if fault.code() == Refusal::NoSuchKey.code() => match find::app(signed, reference) {
            Ok(app) => Bearer::App(app.id),
            Err(_) => return Err(fault),
        },
        Err(fault) => return Err(fault),
    };
    // The page is worth having without it.
    let used = signed.engine.history(&signed.session, who).ok();
    let (now, catalog) = (signed.now(), signed.engine.catalog());
    let state = signed.engine.state();
    let by = Reviewer { view: View::new(&state, signed.session.actor()), catalog, now };
    let quiet = Row { who, risk: 0, shares_name: false };
    let row = review(by, Breadth::All).into_iter().find(|row| row.who == who).unwrap_or(quiet);
    let Some(told) = Told::of(by, row) else { return Err(Refusal::NoSuchKey.into()) };
    if deck.output.is_json() {
        let unneeded = told.about.surplus().into_iter().map(ScopeId::as_str).collect();
        let over_time = used.as_ref().map(UseLine::from);
        let report_only = told.report_only(used.as_ref().and_then(|used| used.lacked.as_deref()));
        return deck.output.value(&Line { unneeded: Some(unneeded), over_time, report_only, ..told.line() });
    }
    deck.output.text(&page(&told, used.as_ref()))
}

fn page(told: &Told<'_>, used: Option<&Picture>) -> String {
    let (by, about) = (told.by, told.about);
    let ago = |at: Timestamp| times::relative(at, by.now);
    let mut out = String::new();
    let mut line = |what: &str, text: &str| {
        let _ = writeln!(out, "{what:<12}{}", shown(text));
    };
    line("Name", about.name);
    line(if matches!(told.row.who, Bearer::Key(_)) { "Key" } else { "App" }, &told.hint());
    line("Owner", told.owner());
    line("Last used", &about.last.words(|at| times::both(at, by.now)));
    if let Bearer::Key(id) = told.row.who
        && let Some(key) = by.view.key(id)
        && let Some(handed) =
            key.handed_words(by.view.usage(key), used.and_then(|used| used.first.as_ref()), ago)
    {
        line("Handed over", &handed);
    }
    if let Some(kept) = by.kept(told.row.who, &told.concerns) {
        let (who, at) = (by.view.name_of(kept.word.by), ago(kept.word.at));
        line("Kept", &format!("by {who} {at}, because {}", kept.why));
    }
    line("Risk", format!("{} {}", bar(told.row.risk), told.row.risk).trim_start());
    if told.concerns.is_empty() {
        line("Findings", "none");
    }
    for (at, concern) in told.concerns.iter().enumerate() {
        let label = if at == 0 { "Findings" } else { "" };
        line(label, &format!("{} → {}", concern.words(), told.command(*concern)));
    }
    if let Bearer::Key(id) = told.row.who
        && let Some(key) = by.view.key(id)
    {
        let who = key.reports_only().map_or("", |tried| by.view.name_of(tried.by));
        let lacked = used.and_then(|used| used.lacked.as_deref());
        for (at, text) in report_only::lines(key, who, lacked, by.now, ago).iter().enumerate() {
            line(if at == 0 { "Report only" } else { "" }, text);
        }
    }
    let lines = scopes(by, &about, used, CELLS, ago);
    let widest = lines.iter().map(|line| line.scope.as_str().len()).max().unwrap_or_default();
    for (at, scope) in lines.iter().enumerate() {
        let days = scope.days.as_ref().map_or_else(String::new, |days| format!("  {days}"));
        let admin = if scope.is_admin { "  admin" } else { "" };
        let name = scope.scope.as_str();
        let text = format!("{name:<widest$}{days}  {}{admin}", scope.last);
        line(if at == 0 { "Scopes" } else { "" }, text.trim_end());
    }
    if lines.iter().any(|scope| scope.days.is_some()) {
        line("", "a sign is 2 d of the last 90: · not needed, ? not known");
    }
    out
}
