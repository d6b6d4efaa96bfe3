//! `keydeck policy`: the agency's rules, read and set one at a time.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::Outcome;
use super::door::Deck;
use super::table::Table;
use crate::domain::basis::Basis;
use crate::domain::{Command, Policy};
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
}

/// Runs one of them.
pub fn run(deck: &Deck, verb: &Verb) -> Outcome {
    let signed = deck.sign_in_for(Wants::Named)?;
    if let Verb::Set(args) = verb {
        let (name, value) = (args.name.clone(), args.value.clone());
        let basis = args.was.as_ref().map(|was| {
            // As the rule itself would write it: 90 is 90d.
            let written = signed.see(|view| view.policy().with(&name, was).ok()?.get(&name));
            Basis::of_rule(&name, written.as_ref().unwrap_or(was))
        });
        signed.engine.execute(&signed.session, Command::SetPolicy { name, value, basis })?;
    }
    let policy = signed.see(|view| view.policy().clone());
    match verb {
        Verb::Set(args) if !deck.output.is_json() => {
            deck.output.say(&format!(
                "{} is {} from now on.",
                args.name,
                policy.get(&args.name).unwrap_or_default()
            ));
        }
        _ => show(deck, &policy)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn show(deck: &Deck, policy: &Policy) -> Result<(), super::Fault> {
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
