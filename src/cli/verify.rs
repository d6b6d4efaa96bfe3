//! `keydeck verify`: the same decision as every other front end gets, about one token on standard input.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::door::Deck;
use super::fault::{Exit, Fault};
use super::secrets;
use crate::domain::catalog::text::{did_you_mean, nearest};
use crate::domain::verdict::steps::{self, Step};
use crate::domain::{Catalog, Decision, ScopeId};
use crate::engine::open::Wants;

/// Words of `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// A scope the request needs; all that are named must be held
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,

    /// Tell the decision step by step, and count no use: for finding out why a token is refused
    #[arg(long)]
    explain: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    decision: &'static str,
    reason: Option<&'static str>,
    key: Option<String>,
    /// The app whose access token it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    scopes: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<Told>>,
}

#[derive(Serialize)]
struct Told {
    step: &'static str,
    outcome: &'static str,
}

const fn outcome(step: Step) -> &'static str {
    match step.outcome {
        steps::Outcome::Passed => "passed",
        steps::Outcome::Failed(_) => "failed",
        steps::Outcome::NotReached => "not reached",
    }
}

/// Decides.
pub fn run(deck: &Deck, args: &Verify) -> Outcome {
    let wanted = scopes(args, &*deck.catalog()?)?;
    secrets::free_stdin(deck.globals.passphrase_file.as_deref())?;
    let signed = deck.sign_in_for(Wants::Named)?;
    let presented = secrets::presented()?;
    let decision = if args.explain {
        signed.engine.test(&signed.session, &presented, &wanted)?
    } else {
        signed.engine.verify_for(&signed.session, &presented, &wanted)?
    };
    drop(presented);
    answer(deck, &signed, &decision, args.explain.then(|| steps::steps(&decision)))?;
    if args.explain {
        return Ok(exit(&decision));
    }
    if let Err(error) = signed.engine.settle() {
        deck.output.warn(&format!("The decision stands, but this use could not be written down: {error}"));
    }
    Ok(exit(&decision))
}

fn exit(decision: &Decision) -> ExitCode {
    if decision.is_allow() { ExitCode::SUCCESS } else { super::code(Exit::Refused) }
}

/// A misspelt scope would be denied for the wrong reason, so it is a mistake in the words.
fn scopes(args: &Verify, catalog: &Catalog) -> Result<Vec<ScopeId>, Fault> {
    let known = |text: &String| {
        let permission = catalog.permission(text).ok_or_else(|| {
            let hint = did_you_mean(nearest(text, catalog.permissions().map(|p| p.id.as_str())));
            Fault::usage(format!(
                "--scope: no permission is called {text}.{hint} `keydeck scope list` shows them."
            ))
        })?;
        Ok(permission.id.clone())
    };
    args.scope.iter().map(known).collect()
}

fn answer(
    deck: &Deck,
    signed: &super::door::Signed,
    decision: &Decision,
    steps: Option<Vec<Step>>,
) -> Result<(), Fault> {
    let state = signed.engine.state();
    // Whoever holds the secret may know what it opens, whoever's key it is.
    let key = decision.key().and_then(|id| state.key(id));
    let app = decision.app().and_then(|id| state.app(id));
    let word = if decision.is_allow() { "allow" } else { "deny" };
    if deck.output.is_json() {
        return deck.output.value(&Answer {
            decision: word,
            reason: decision.reason().map(crate::domain::Reason::code),
            key: decision.key().map(|id| id.to_string()),
            app: decision.app().map(|id| id.to_string()),
            scopes: key.map(|k| k.scopes.iter().map(ScopeId::as_str).collect()).unwrap_or_default(),
            steps: steps.map(|steps| {
                steps
                    .iter()
                    .map(|step| Told { step: step.question.code(), outcome: outcome(*step) })
                    .collect()
            }),
        });
    }
    match decision.reason() {
        None => deck.output.text("allow\n")?,
        Some(reason) => {
            deck.output.text(&format!("deny {reason}\n"))?;
            let (about, advice) = match (key, app) {
                (Some(key), _) => (format!("{} ({}): ", key.name, key.id), reason.advice()),
                (None, Some(app)) => (format!("{} ({}): ", app.name, app.id), reason.token_advice()),
                (None, None) => (String::new(), reason.advice()),
            };
            let missing = decision.missing().map_or_else(String::new, |s| format!(" Missing: {s}."));
            deck.output.say(&format!("{about}{advice}{missing}"));
        }
    }
    for step in steps.unwrap_or_default() {
        deck.output.text(&format!("{:<12} {}\n", outcome(step), step.question.title()))?;
    }
    Ok(())
}
