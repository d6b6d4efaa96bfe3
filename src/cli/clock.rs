//! `keydeck clock`: what this machine's clocks say and what a wrong one left behind, and an admin's word that the clock
//! is right.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Outcome;
use super::consent::Consent;
use super::door::{Deck, Signed};
use super::fault::Fault;
use super::output::shown;
use super::times;
use crate::domain::{Aftermath, Command, Key, Role};
use crate::engine::Dial;
use crate::tui::app::times::duration;

/// What can be done about the clock.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// What the clocks say, whether they are believed, and what a wrong one left behind
    Show(Show),
    /// Say that the wall clock is right, however long it was wrong before (admins)
    Confirm(Confirm),
}

/// Words of `clock show`.
#[derive(Debug, Args)]
pub struct Show {
    /// Everybody's keys (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
}

/// Words of `clock confirm`.
#[derive(Debug, Args)]
pub struct Confirm {
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    consent: Consent,
}

#[derive(Serialize)]
struct Line<'a> {
    wall: String,
    since_boot_ms: i64,
    highest_stored: String,
    expected: String,
    decisions_go_by: String,
    suspect: bool,
    why: Option<String>,
    expired_only_by_it: Vec<KeyName<'a>>,
    made_in_the_future: Vec<KeyName<'a>>,
    used_in_the_future: Vec<KeyName<'a>>,
    confirmed: bool,
}

#[derive(Serialize)]
struct KeyName<'a> {
    id: String,
    name: &'a str,
}

/// Runs one of them.
pub fn run(deck: &Deck, verb: &Verb) -> Outcome {
    match verb {
        Verb::Show(args) => {
            let signed = deck.sign_in()?.widened(args.all)?;
            tell(deck, &signed, &signed.engine.clock(), false)?;
        }
        Verb::Confirm(args) => confirm(deck, args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn confirm(deck: &Deck, args: &Confirm) -> Result<(), Fault> {
    let signed = deck.sign_in()?;
    // It concerns everybody's keys. Who is no admin is refused below, and the trail says what they wanted.
    let admin = signed.see(|view| view.role() == Role::Admin);
    let signed = signed.widened(admin || args.dry_run)?;
    let before = signed.engine.clock();
    if args.dry_run {
        tell(deck, &signed, &before, false)?;
        deck.output.say("Nothing was changed.");
        return Ok(());
    }
    if admin && before.now.suspect {
        if !deck.output.is_json() {
            tell(deck, &signed, &before, false)?;
        }
        args.consent.ask(&signed, || format!("Is it {} now?", times::exact(before.wall)))?;
    }
    signed.engine.execute(&signed.session, Command::ConfirmClock)?;
    if deck.output.is_json() {
        return tell(deck, &signed, &before, true);
    }
    deck.output.say(&format!(
        "The clock is believed from now on: {}. Access tokens that were signed in a later hour are worthless, and a \
         revoked key stays revoked.",
        times::exact(signed.engine.clock().wall)
    ));
    Ok(())
}

fn tell(deck: &Deck, signed: &Signed, dial: &Dial, confirmed: bool) -> Result<(), Fault> {
    signed.see(|view| {
        let left = Aftermath::of(view, dial.now.time, dial.wall);
        if deck.output.is_json() {
            deck.output.value(&line(dial, &left, confirmed))
        } else {
            deck.output.text(&page(dial, &left))
        }
    })
}

fn line<'a>(dial: &Dial, left: &Aftermath<'a>, confirmed: bool) -> Line<'a> {
    let names = |keys: &[&'a Key]| {
        keys.iter().map(|key| KeyName { id: key.id.to_string(), name: key.name.as_str() }).collect()
    };
    Line {
        wall: dial.wall.rfc3339(),
        since_boot_ms: dial.since_boot,
        highest_stored: dial.mark.wall.rfc3339(),
        expected: dial.expected.rfc3339(),
        decisions_go_by: dial.now.time.rfc3339(),
        suspect: dial.now.suspect,
        why: dial.doubt(),
        expired_only_by_it: names(&left.expired),
        made_in_the_future: names(&left.made),
        used_in_the_future: names(&left.used),
        confirmed,
    }
}

fn page(dial: &Dial, left: &Aftermath<'_>) -> String {
    let mut out = String::new();
    let mut line = |what: &str, text: &str| {
        let _ = writeln!(out, "{what:<16}{}", shown(text));
    };
    line("Wall clock", &times::exact(dial.wall));
    line("Latest seen", &times::exact(dial.mark.wall));
    line("Machine runs", &duration(dial.since_boot));
    match dial.doubt() {
        None => line("Believed", "yes"),
        Some(why) => {
            line("Believed", &format!("no: {why}"));
            line("Decisions by", &times::exact(dial.now.time));
            line(
                "",
                "No access token is signed and no key that is to end is made until the clock is believed.",
            );
            line("", "Set the clock right; when it is right, an admin says so with `keydeck clock confirm`.");
        }
    }
    for (what, keys) in
        [("Over only by it", &left.expired), ("Made in future", &left.made), ("Used in future", &left.used)]
    {
        for key in keys {
            let when = match what {
                "Made in future" => format!(", made {}", times::both(key.created_at, dial.wall)),
                _ => String::new(),
            };
            let until = key
                .expiry
                .instant()
                .map_or_else(String::new, |at| format!(", until {}", times::both(at, dial.wall)));
            line(what, &format!("{} ({}){when}{until}", key.name, key.hint()));
        }
    }
    out
}
