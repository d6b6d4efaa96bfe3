//! `keydeck review sign`: that somebody looked at the review, which keys were kept in spite of what is said of them, and why.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::{Breadth, told};
use crate::cli::Outcome;
use crate::cli::door::Deck;
use crate::cli::fault::Fault;
use crate::cli::find;
use crate::domain::review::{Keep, Kept, Reviewer, looked};
use crate::domain::view::Sought;
use crate::domain::{Command, Note, View};

/// Words of `review sign`.
#[derive(Debug, Args)]
pub(super) struct Sign {
    /// What you have to say of it, for whoever reviews next
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// A key that is kept in spite of what is said of it, and why: it is quiet for 90 days, unless more is said of it
    #[arg(long, value_name = "KEY=REASON", num_args = 1..)]
    keep: Vec<String>,
    /// Everybody's keys and apps (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
}

/// What was signed, in JSON.
#[derive(Serialize)]
struct SignedLine {
    /// Keys and apps in the list.
    listed: usize,
    /// How often each thing was said.
    looked_at: BTreeMap<String, u32>,
    /// Ids of the keys that were kept.
    kept: Vec<String>,
}

pub(super) fn run(deck: &Deck, args: &Sign) -> Outcome {
    let text =
        |word: &str, text: &str| Note::new(text).map_err(|why| Fault::usage(format!("{word}: {why}.")));
    let note = text("--note", args.note.as_deref().unwrap_or_default())?;
    let mut reasons = Vec::with_capacity(args.keep.len());
    for said in &args.keep {
        let parts = said.split_once('=').filter(|(_, why)| !why.trim().is_empty());
        let form = || {
            Fault::usage(format!(
                "--keep {said}: a key, = and why it is kept: 7HqP2mVx9KtR='for the auditors'."
            ))
        };
        let (key, why) = parts.ok_or_else(form)?;
        reasons.push((key, text("--keep", why)?));
    }
    let signed = deck.sign_in()?.widened(args.all)?;
    let mut kept = Vec::with_capacity(reasons.len());
    for (key, why) in reasons {
        kept.push(Keep { key: find::key(&signed, key, Sought::Living)?.id, why });
    }
    // Told and judged of the same uses.
    signed.engine.know_uses(&signed.session)?;
    let (listed, counts) = {
        let state = signed.engine.state();
        let view = View::new(&state, signed.session.actor());
        let by = Reviewer { view, catalog: signed.engine.catalog(), now: signed.now() };
        let rows = told(by, Breadth::Telling);
        (rows.len(), looked(rows.iter().map(|row| row.concerns.as_slice())))
    };
    let line = SignedLine {
        listed,
        looked_at: counts.iter().map(|one| (one.code.clone(), one.count)).collect(),
        kept: kept.iter().map(|keep| keep.key.to_string()).collect(),
    };
    let many = kept.len();
    signed.engine.execute(&signed.session, Command::SignReview { looked: counts, kept, note })?;
    if deck.output.is_json() {
        deck.output.value(&line)?;
        return Ok(ExitCode::SUCCESS);
    }
    let quiet = if many == 0 {
        String::new()
    } else {
        format!(" {many} kept: quiet for {} days, unless more is said of them.", Kept::DAYS)
    };
    deck.output.say(&format!(
        "The review is signed off: {listed} keys and apps were listed.{quiet} `keydeck review report FILE.md` writes it down."
    ));
    Ok(ExitCode::SUCCESS)
}
