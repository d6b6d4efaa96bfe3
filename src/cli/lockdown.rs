//! `keydeck lockdown`: the panic button. Everything of an owner, a location, an app or the agency is refused at once, and as
//! it was when that is lifted. What it stops is shown first.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Outcome;
use super::base::Base;
use super::blast::{Crush, CrushLine};
use super::consent::Consent;
use super::door::{Deck, Signed};
use super::fault::Fault;
use super::find;
use super::table::{Cell, Table, Tone};
use super::times;
use crate::domain::basis::Basis;
use crate::domain::blast::many::Struck;
use crate::domain::lockdown::{given_back, stops};
use crate::domain::view::Sought;
use crate::domain::{Command, Extent, Lockdown as Stands, Note, Refusal, Timestamp, View};
use crate::engine::foretell;

/// Words of `lockdown`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Lockdown {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    begin: Begin,
}

/// What else can be done with lockdowns.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// The lockdowns that stand
    List,
    /// Lift a lockdown: each key and app is as if there had been none
    Lift(Lift),
}

/// Words that begin one.
#[derive(Debug, Args)]
pub struct Begin {
    #[command(flatten)]
    what: What,
    /// Why, for whoever wonders later
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    how: How,
}

/// Words of `lockdown lift`.
#[derive(Debug, Args)]
pub struct Lift {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    base: Base,
}

/// Whose or what's it is: one of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// All keys and apps of this operator: a name or id
    #[arg(long, value_name = "OPERATOR")]
    owner: Option<String>,
    /// All keys of this location: a name or id
    #[arg(long, value_name = "LOCATION")]
    location: Option<String>,
    /// This app, its keys and its access tokens: a name or id
    #[arg(long, value_name = "APP")]
    app: Option<String>,
    /// Everything
    #[arg(long)]
    agency: bool,
}

#[derive(Debug, Args)]
struct How {
    /// Tell what it stops or gives back, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Look at everybody's keys and apps when telling that (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    consent: Consent,
}

/// Runs it.
pub fn run(deck: &Deck, words: &Lockdown) -> Outcome {
    match &words.verb {
        None => begin(deck, &words.begin),
        Some(Verb::List) => list(deck),
        Some(Verb::Lift(words)) => lift(deck, words),
    }
}

/// A lockdown in JSON.
#[derive(Serialize)]
pub(super) struct LockdownLine {
    covers: &'static str,
    id: Option<String>,
    name: String,
    since: String,
    by: String,
    reason: String,
    /// Who may lift it, in words.
    may_lift: String,
    rev: String,
}

impl LockdownLine {
    pub(super) fn of(view: View<'_>, extent: Extent, stands: &Stands) -> Self {
        Self {
            covers: extent.code(),
            id: extent.id(),
            name: view.extent_name(extent).to_owned(),
            since: stands.since.rfc3339(),
            by: view.name_of(stands.by).to_owned(),
            reason: stands.why.to_string(),
            may_lift: view.lifters_in_words(extent, stands),
            rev: Basis::of_lockdown(extent, stands).to_string(),
        }
    }

    /// In one line.
    pub(super) fn in_words(&self) -> String {
        let why = if self.reason.is_empty() { String::new() } else { format!(": {}", self.reason) };
        format!("{} {} since {}, by {}{why}", self.covers, self.name, self.since, self.by)
    }
}

/// What keeps a key or an app from working that a lockdown covers: whose word, since when and why, each on a line.
pub(super) fn in_words(view: View<'_>, covering: &[(Extent, &Stands)], now: Timestamp) -> Vec<String> {
    let each = covering.iter().map(|(extent, stands)| {
        let why = match stands.why.as_str() {
            "" => String::new(),
            why => format!(": {why}"),
        };
        let (since, by) = (times::both(stands.since, now), view.name_of(stands.by));
        format!("with {}, since {since}, by {by}{why}", view.extent_in_words(*extent))
    });
    each.collect()
}

/// What was done, or would be.
#[derive(Serialize)]
struct DoneLine {
    covers: &'static str,
    id: Option<String>,
    name: String,
    done: bool,
    #[serde(flatten)]
    stops: CrushLine,
}

/// What it comes to, copied out so that the state is not held while somebody reads.
struct Told {
    /// What it is, in words.
    called: String,
    /// What has to be typed.
    word: String,
    /// How much it is.
    much: String,
    /// How it is used.
    used: String,
    line: DoneLine,
}

impl Told {
    fn of(
        deck: &Deck,
        signed: &Signed,
        extent: Extent,
        struck: impl FnOnce(View<'_>, Timestamp) -> Struck,
    ) -> Self {
        let crush = Crush::of(signed, struck);
        let (called, word) =
            signed.see(|view| (view.extent_in_words(extent), view.extent_name(extent).to_owned()));
        let (covers, id, name) = (extent.code(), extent.id(), word.clone());
        let line = DoneLine { covers, id, name, done: false, stops: crush.line(signed) };
        let much = format!("{}: {}", crush.struck.count_in_words(), crush.struck.use_in_words());
        let used = crush.page(deck, signed);
        Self { called, word, much, used, line }
    }

    /// Before it is done; a dry run has nothing else to say.
    fn show(&self, deck: &Deck, verb: &str, dry_run: bool) -> Result<(), Fault> {
        let said = format!("{verb} {}.", self.much);
        match (dry_run, deck.output.is_json()) {
            (true, true) => return deck.output.value(&self.line),
            (true, false) => {
                deck.output.text(&format!("{said}\n{}", self.used))?;
                deck.output.say("Nothing was changed.");
            }
            (false, _) => {
                deck.output.say(&said);
                if !self.used.is_empty() {
                    deck.output.say(self.used.trim_end());
                }
            }
        }
        Ok(())
    }

    fn done(self, deck: &Deck, said: &str) -> Outcome {
        if deck.output.is_json() {
            deck.output.value(&DoneLine { done: true, ..self.line })?;
        }
        deck.output.say(said);
        Ok(ExitCode::SUCCESS)
    }
}

fn begin(deck: &Deck, words: &Begin) -> Outcome {
    let why = words.reason.as_deref().map(Note::new).transpose();
    let why = why.map_err(|why| Fault::usage(format!("--reason: {why}.")))?.unwrap_or_default();
    let signed = deck.sign_in()?.widened(words.how.all)?;
    let what = extent(&signed, &words.what)?;
    let begins = Command::LockDown { what, why: why.clone() };
    if let Some(refusal) = refused(&signed, &begins) {
        return Err(refusal.into());
    }
    signed.engine.know_uses(&signed.session)?;
    let told = Told::of(deck, &signed, what, |view, now| stops(view, what, now));
    told.show(deck, &format!("Locking down {} stops", told.called), words.how.dry_run)?;
    if words.how.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    words.how.consent.ask_word(&signed, &format!("Lock down {}?", told.called), &told.word)?;
    signed.engine.execute(&signed.session, Command::LockDown { what, why })?;
    let said = format!(
        "Locked down: {}. What that covers is refused from now on, and what is issued meanwhile with it. `keydeck lockdown lift \
         {}` makes it as it was.",
        told.called,
        words.what.again()
    );
    told.done(deck, &said)
}

/// Why it would be refused now, if it would.
fn refused(signed: &Signed, command: &Command) -> Option<Refusal> {
    foretell(&*signed.engine, &signed.session, std::slice::from_ref(command)).into_iter().next().flatten()
}

fn lift(deck: &Deck, words: &Lift) -> Outcome {
    let signed = deck.sign_in()?.widened(words.how.all)?;
    let what = standing(&signed, &words.what).map_or_else(|| extent(&signed, &words.what), Ok)?;
    // What is lifted is what was shown.
    let seen = signed.engine.state().lockdown(what).map(|stands| Basis::of_lockdown(what, stands));
    let basis = words.base.if_rev.or(seen);
    // What would be refused is not told as if it gave something back.
    if let Some(refusal) = refused(&signed, &Command::LiftLockdown { what, basis }) {
        return Err(refusal.into());
    }
    let told = Told::of(deck, &signed, what, |view, now| given_back(view, what, now));
    let verb = format!("Lifting the lockdown of {} gives back", told.called);
    told.show(deck, &verb, words.how.dry_run)?;
    if words.how.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    words.how.consent.ask_word(&signed, &format!("Lift the lockdown of {}?", told.called), &told.word)?;
    signed.engine.execute(&signed.session, Command::LiftLockdown { what, basis })?;
    let said = format!(
        "Lifted: the lockdown of {}. All of it is as if there had been none: what was paused is paused, what ended has ended.",
        told.called
    );
    told.done(deck, &said)
}

fn list(deck: &Deck) -> Outcome {
    let signed = deck.sign_in()?;
    let now = signed.now();
    signed.see(|view| {
        let all = view.lockdowns();
        if deck.output.is_json() {
            let lines: Vec<_> =
                all.into_iter().map(|(extent, stands)| LockdownLine::of(view, extent, stands)).collect();
            return deck.output.value(&lines);
        }
        if all.is_empty() {
            deck.output.say("Nothing is locked down.");
            return Ok(());
        }
        let mut table = Table::new(&["Locked down", "Since", "By", "May lift it", "Why"]);
        for (extent, stands) in all {
            table.row([
                Cell::toned(view.extent_in_words(extent), Tone::Bad),
                times::both(stands.since, now).into(),
                view.name_of(stands.by).into(),
                view.lifters_in_words(extent, stands).into(),
                stands.why.as_str().into(),
            ]);
        }
        deck.output.text(&table.render(deck.output))
    })?;
    Ok(ExitCode::SUCCESS)
}

impl What {
    /// The same words once more.
    fn again(&self) -> String {
        let quoted = |text: &str| if text.contains(' ') { format!("'{text}'") } else { text.to_owned() };
        match (&self.owner, &self.location, &self.app) {
            (Some(owner), ..) => format!("--owner {}", quoted(owner)),
            (_, Some(location), _) => format!("--location {}", quoted(location)),
            (.., Some(app)) => format!("--app {}", quoted(app)),
            _ => "--agency".to_owned(),
        }
    }
}

fn extent(signed: &Signed, what: &What) -> Result<Extent, Fault> {
    match (&what.owner, &what.location, &what.app) {
        (Some(owner), ..) => find::operator(signed, owner, Sought::Living).map(Extent::Owner),
        (_, Some(location), _) => find::location(signed, location).map(Extent::Location),
        (.., Some(app)) => find::app(signed, app).map(|app| Extent::App(app.id)),
        _ => Ok(Extent::Agency),
    }
}

/// The lockdown that stands of what is called so, also where that is gone by now.
fn standing(signed: &Signed, what: &What) -> Option<Extent> {
    let (code, called) = match (&what.owner, &what.location, &what.app) {
        (Some(owner), ..) => ("owner", owner),
        (_, Some(location), _) => ("location", location),
        (.., Some(app)) => ("app", app),
        _ => return None,
    };
    signed.see(|view| {
        let is_meant = |extent: &Extent| {
            extent.code() == code
                && (view.extent_name(*extent) == called || extent.id().as_ref() == Some(called))
        };
        let mut all = view.lockdowns().into_iter().map(|(extent, _)| extent).filter(is_meant);
        // Of two that share a name nobody can tell which is meant.
        all.next().filter(|_| all.next().is_none())
    })
}
