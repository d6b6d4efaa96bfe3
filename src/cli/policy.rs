//! `keydeck policy`: the agency's rules, read and set one at a time.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Map, Value};

use super::blast::{Crush, CrushLine};
use super::consent::Consent;
use super::door::{Deck, Signed};
use super::fault::Fault;
use super::table::Table;
use super::{Outcome, times};
use crate::domain::basis::Basis;
use crate::domain::blast::many::Struck;
use crate::domain::preview::{Touched, is_about_keys, touched};
use crate::domain::{Command, KeyId, Policy, Refusal, Timestamp, View};
use crate::engine::open::Wants;

/// What can be done with the policy.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Every rule with its value
    Show,
    /// Change one rule (admins)
    Set(Set),
}

/// Words of `policy set`.
#[derive(Debug, Args)]
pub struct Set {
    /// The rule; `keydeck policy show` lists them
    name: String,
    /// Its new value
    #[arg(allow_hyphen_values = true)]
    value: String,
    /// Only if this is still its value
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    was: Option<String>,
    /// Show which keys and operators it would touch, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Tell of everybody's keys (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    consent: Consent,
}

/// Something a change would bring about, in JSON.
#[derive(Serialize)]
struct TouchedLine {
    what: &'static str,
    names: Vec<String>,
    /// Keys of others besides; null where they were not looked at.
    others: Option<usize>,
    first_at: Option<String>,
    /// How the keys in view are used that it would end, or sooner than now.
    stops: Option<CrushLine>,
}

/// Something a change would bring about, copied out of the state.
struct Brought {
    said: String,
    line: TouchedLine,
    /// The keys in view that it would end, or sooner than now.
    ends: Vec<KeyId>,
}

impl Brought {
    fn of(one: &Touched<'_>, now: Timestamp) -> Self {
        let names = one.names.iter().map(ToString::to_string).collect();
        let first_at = one.first.map(Timestamp::rfc3339);
        let line =
            TouchedLine { what: one.what.code(), names, others: Some(one.others), first_at, stops: None };
        Self { said: in_words(one, now), line, ends: if one.ends() { one.keys.clone() } else { Vec::new() } }
    }

    /// Who uses what it would end.
    fn crush(&self, signed: &Signed) -> Option<Crush> {
        let keys =
            |view: View<'_>, now| Struck::of(view, self.ends.iter().filter_map(|id| view.key(*id)), [], now);
        (!self.ends.is_empty()).then(|| Crush::of(signed, keys))
    }
}

/// Tells what it would bring about, and nothing is changed.
fn foretell(deck: &Deck, signed: &Signed, brought: Vec<Brought>, unseen: Option<usize>) -> Outcome {
    let nothing = brought.is_empty() && unseen.is_none();
    let mut lines = Vec::new();
    for one in brought {
        deck.output.say(&one.said);
        let crush = one.crush(signed);
        if let Some(crush) = crush.as_ref().filter(|_| !deck.output.is_json()) {
            deck.output.say(crush.page(deck, signed).trim_end());
        }
        let others = one.line.others.filter(|others| *others > 0 || unseen.is_none());
        lines.push(TouchedLine { others, stops: crush.map(|crush| crush.line(signed)), ..one.line });
    }
    if let Some(others) = unseen {
        deck.output.say(&not_looked_at(others));
        let (what, others) = ("not_looked_at", Some(others));
        lines.push(TouchedLine { what, names: Vec::new(), others, first_at: None, stops: None });
    }
    if deck.output.is_json() {
        deck.output.value(&lines)?;
    } else {
        let nothing = if nothing { "It would touch no key and no operator. " } else { "" };
        deck.output.say(&format!("{nothing}Nothing was changed."));
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs one of them.
pub fn run(deck: &Deck, verb: &Verb) -> Outcome {
    let Verb::Set(args) = verb else {
        let signed = deck.sign_in_for(Wants::Named)?;
        show(deck, &signed.see(|view| view.policy().clone()))?;
        return Ok(ExitCode::SUCCESS);
    };
    let signed = deck.sign_in()?.widened(args.all)?;
    let (name, value) = (args.name.clone(), args.value.clone());
    let (grounds, now) = (signed.grounds(), signed.now());
    let elsewhere = signed.engine.state().keys_elsewhere();
    let (brought, unseen) = signed.see(|view| {
        let after = view.policy().with(&name, &value).map_err(Refusal::Policy)?;
        let brought = touched(view, &after, grounds).iter().map(|one| Brought::of(one, now)).collect();
        let is_unseen = elsewhere > 0 && is_about_keys(view.policy(), &after);
        Ok::<(Vec<Brought>, _), Fault>((brought, is_unseen.then_some(elsewhere)))
    })?;
    if args.dry_run {
        return foretell(deck, &signed, brought, unseen);
    }
    let told: Vec<String> =
        brought.into_iter().map(|one| one.said).chain(unseen.map(not_looked_at)).collect();
    if !told.is_empty() {
        args.consent.ask(&signed, || format!("{} Set {name} to {value}?", told.join(" ")))?;
    }
    let basis = args.was.as_ref().map(|was| {
        // As the rule itself would write it: 90 is 90d.
        let written = signed.see(|view| view.policy().with(&name, was).ok()?.get(&name));
        Basis::of_rule(&name, written.as_ref().unwrap_or(was))
    });
    signed.engine.execute(&signed.session, Command::SetPolicy { name, value, basis })?;
    let policy = signed.see(|view| view.policy().clone());
    if deck.output.is_json() {
        show(deck, &policy)?;
    } else {
        let value = policy.get(&args.name).unwrap_or_default();
        deck.output.say(&format!("{} is {value} from now on.", args.name));
    }
    Ok(ExitCode::SUCCESS)
}

/// The keys of others are with the process that has the store.
fn not_looked_at(elsewhere: usize) -> String {
    let keys = if elsewhere == 1 {
        "1 key of others was".into()
    } else {
        format!("{elsewhere} keys of others were")
    };
    format!("{keys} not looked at: with --all it tells of all.")
}

fn in_words(one: &Touched<'_>, now: Timestamp) -> String {
    let first = one.first.map_or_else(String::new, |at| format!(" (the first {})", times::both(at, now)));
    format!("{}{first}.", one.in_words())
}

fn show(deck: &Deck, policy: &Policy) -> Result<(), Fault> {
    let rules = Policy::RULES.iter().map(|rule| (rule, policy.get(rule.name).unwrap_or_default()));
    if deck.output.is_json() {
        let object: Map<String, Value> =
            rules.map(|(rule, value)| (rule.name.into(), value.into())).collect();
        return deck.output.value(&object);
    }
    let mut table = Table::new(&["Rule", "Value", "What it does"]);
    for (rule, value) in rules {
        table.row([rule.name.into(), value.into(), rule.about.into()]);
    }
    deck.output.text(&table.render(deck.output))
}
