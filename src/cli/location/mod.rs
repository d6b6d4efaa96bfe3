//! `keydeck location`: branches of the agency. `add` takes one or thousands of them.

mod add;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Outcome;
use super::base::Base;
use super::blast::Crush;
use super::consent::Consent;
use super::door::{Deck, Signed};
use super::fault::Fault;
use super::find;
use super::stopped::{self, Stopped};
use super::table::Table;
use super::times;
use crate::domain::basis::Basis;
use crate::domain::lockdown::stops;
use crate::domain::{
    Action, Command, Extent, Key, Location, LocationId, Name, Refusal, Timestamp, authorize,
};

/// What can be done with locations.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Add locations by name, or many from a CSV file
    Add(add::Add),
    /// The locations, with the number of your live keys in each
    List(List),
    /// Rename a location; its keys go on working
    Rename(Rename),
    /// Remove a location; all its keys are refused from then on
    Remove(Remove),
}

/// Words of `location list`.
#[derive(Debug, Args)]
pub struct List {
    /// Count everybody's keys (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
}

/// Words of `location rename`.
#[derive(Debug, Args)]
pub struct Rename {
    /// Its id or name
    location: String,
    /// Its new name
    name: String,
    #[command(flatten)]
    base: Base,
}

/// Words of `location remove`.
#[derive(Debug, Args)]
pub struct Remove {
    /// Its id or name
    location: String,
    /// Only say which keys would stop, who uses them and how much
    #[arg(long)]
    dry_run: bool,
    /// Look at everybody's keys when telling that (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    consent: Consent,
}

/// Runs one of them.
pub fn run(deck: &Deck, verb: &Verb) -> Outcome {
    match verb {
        Verb::Add(args) => add::run(deck, args),
        Verb::List(args) => list(deck, args),
        Verb::Rename(args) => rename(deck, args),
        Verb::Remove(args) => remove(deck, args),
    }
}

#[derive(Serialize)]
struct LocationLine<'a> {
    id: String,
    name: &'a str,
    created_at: String,
    keys: usize,
    rev: String,
}

impl<'a> LocationLine<'a> {
    fn of(location: &'a Location, keys: usize) -> Self {
        Self {
            id: location.id.to_string(),
            name: location.name.as_str(),
            created_at: location.created_at.rfc3339(),
            keys,
            rev: Basis::of_location(location).to_string(),
        }
    }
}

fn list(deck: &Deck, args: &List) -> Outcome {
    let signed = deck.sign_in()?.widened(args.all)?;
    let now = signed.now();
    let live = |key: &&Key| key.state(now).is_live();
    let locations: Vec<(Location, usize)> = signed.see(|view| {
        let counted = |l: &Location| (l.clone(), view.keys_at(l.id).filter(live).count());
        view.locations().into_iter().map(counted).collect()
    });
    if deck.output.is_json() {
        let lines: Vec<_> = locations.iter().map(|(l, keys)| LocationLine::of(l, *keys)).collect();
        deck.output.value(&lines)?;
        return Ok(ExitCode::SUCCESS);
    }
    if locations.is_empty() {
        deck.output.say("There are no locations yet. `keydeck location add NAME` adds one.");
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&["Name", "Live keys", "Added", "Id"]);
    for (location, keys) in &locations {
        table.row([
            location.name.as_str().into(),
            keys.to_string().into(),
            times::local(location.created_at).into(),
            location.id.to_string().into(),
        ]);
    }
    deck.output.text(&table.render(deck.output))?;
    Ok(ExitCode::SUCCESS)
}

fn rename(deck: &Deck, args: &Rename) -> Outcome {
    let name = Name::new(&args.name).map_err(|why| Fault::bad_text("name", why))?;
    let signed = deck.sign_in()?;
    let location = find::location(&signed, &args.location)?;
    let command = Command::RenameLocation { location, name: name.clone(), basis: args.base.if_rev };
    signed.engine.execute(&signed.session, command)?;
    deck.output.say(&format!("It is called {name} from now on."));
    print(deck, &signed, location, signed.now())
}

fn remove(deck: &Deck, args: &Remove) -> Outcome {
    let signed = deck.sign_in()?.widened(args.all)?;
    let id = find::location(&signed, &args.location)?;
    let crush = Crush::of(&signed, |view, now| stops(view, Extent::Location(id), now));
    let (count, used) = (crush.struck.count_in_words(), crush.struck.use_in_words());
    if args.dry_run {
        authorize(&signed.engine.state(), &signed.session.actor(), Action::ManageLocations)?;
        let location = signed.see(|view| view.location(id).cloned()).ok_or(Refusal::NoSuchLocation)?;
        let said = format!("Removing the location {} stops {count}: {used}.", location.name);
        return crush.show(deck, &signed, &said, &LocationLine::of(&location, crush.struck.keys));
    }
    // Also those the operator does not see: a number is no look at somebody's keys.
    let live = || signed.engine.state().live_keys_at(id, signed.now());
    args.consent.ask_in_use(&signed, (crush.struck.in_use(), &args.location), || {
        format!(
            "Remove the location {}? Its {}, whoever owns them, are refused from then on: {used}.",
            args.location,
            stopped::live(live())
        )
    })?;
    let keys_stopped = live();
    signed.engine.execute(&signed.session, Command::RemoveLocation { location: id })?;
    deck.output.say(&format!(
        "The location is removed. Refused from now on with it: {}.",
        stopped::live(keys_stopped)
    ));
    if deck.output.is_json() {
        let location = signed.see(|view| view.location(id).cloned()).ok_or(Refusal::NoSuchLocation)?;
        deck.output.value(&Stopped { about: LocationLine::of(&location, 0), keys_stopped })?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(deck: &Deck, signed: &Signed, id: LocationId, now: Timestamp) -> Outcome {
    if deck.output.is_json() {
        let found = signed.see(|view| {
            let live = view.keys_at(id).filter(|key| key.state(now).is_live()).count();
            view.location(id).cloned().map(|location| (location, live))
        });
        if let Some((location, keys)) = found {
            deck.output.value(&LocationLine::of(&location, keys))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
