//! `keydeck key undo`: what a deed on many keys did, taken back by its report, of exactly those it was done to. A key that is
//! not what the deed made of it any more is left as it is and told.

use std::io::Read as _;
use std::path::PathBuf;

use clap::Args;

use super::{Crowd, Deed, Which};
use crate::cli::Outcome;
use crate::cli::blast::DryRun;
use crate::cli::door::Deck;
use crate::cli::fault::Fault;
use crate::cli::number::whole;
use crate::domain::Key;
use crate::domain::undo::Undo;
use crate::engine::many::taken_back;
use crate::engine::{EngineError, Left};

/// Longest report read: of ten thousand keys with all their scopes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Where a report has what takes it back.
const TAKES_BACK: &str = "takes_back";

/// Words of `key undo`.
#[derive(Debug, Args)]
pub struct Words {
    /// The report of what was done to many keys, as --json printed it; `-` for standard input
    #[arg(value_name = "REPORT")]
    report: PathBuf,
    /// Look among everybody's keys (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
    /// How many keys are meant: where there are more or fewer, nothing is done
    #[arg(long, value_name = "N", value_parser = whole::<usize>(0..=10_000_000))]
    expect: Option<usize>,
    #[command(flatten)]
    dry: DryRun,
}

fn read(words: &Words) -> Result<Vec<Undo>, Fault> {
    let bad = |why: String| Fault::usage(format!("{}: {why}", words.report.display()));
    let mut text = String::new();
    let read = if words.report.as_os_str() == "-" {
        std::io::stdin().lock().take(MAX_BYTES).read_to_string(&mut text)
    } else {
        std::fs::File::open(&words.report).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text))
    };
    read.map_err(|error| bad(format!("it cannot be read: {error}.")))?;
    let report: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| bad(format!("it is no report: {error}.")))?;
    let undos = report.get(TAKES_BACK).and_then(serde_json::Value::as_array);
    let undos = undos.ok_or_else(|| {
        bad("it is no report of what was done to many keys, as --json prints it.".to_owned())
    })?;
    let undos: Option<Vec<&str>> = undos.iter().map(serde_json::Value::as_str).collect();
    let undos = undos.and_then(|undos| taken_back(&undos));
    undos.ok_or_else(|| bad("what it says of taking back was altered.".to_owned()))
}

pub(in crate::cli::key) fn run(deck: &Deck, words: &Words) -> Outcome {
    let undos = read(words)?;
    let Some(first) = undos.first() else {
        return Err(Fault::refused(
            "nothing_to_undo",
            "Nothing of what was done can be taken back. Nothing was done.",
        ));
    };
    let deed = Deed { verb: "take back what was done to", done: first.back.done(), undo: None };
    let signed = deck.sign_in()?.widened(words.all)?;
    let (keys, commands, gone) = signed.see(|view| {
        let (mut keys, mut commands, mut gone) = (Vec::<Key>::new(), Vec::new(), Vec::new());
        for undo in &undos {
            keys.extend(view.key(undo.key).cloned());
            match undo.command(view) {
                Ok(command) => commands.push(command),
                Err(refusal) => {
                    let error = EngineError::from(refusal);
                    let (class, code, text) = (error.class(), error.code().to_owned(), error.to_string());
                    gone.push(Left { key: undo.key, class, code, text });
                }
            }
        }
        (keys, commands, gone)
    });
    let which = Which {
        key: None,
        all: words.all,
        filter: None,
        ids: undos.iter().map(|undo| undo.key.to_string()).collect(),
        expect: words.expect,
        dry: words.dry,
    };
    Crowd { signed, which: &which, keys }.carries_out(deck, deed, None, (commands, gone))
}
