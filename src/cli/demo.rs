//! `keydeck demo`: sample data to look at, in memory, or as large as one likes, there or in a directory.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;

use super::Outcome;
use super::console::{self, ConsoleArgs};
use super::door::Deck;
use super::fault::Fault;
use super::interrupt::Interrupt;
use super::number::whole;
use crate::domain::Name;
use crate::engine::demo::large::{self, Making, Progress, Size, Stage};
use crate::files;

/// Who founds a sample store, where nobody is named.
const FOUNDER: &str = "maria";
/// Between two words of how far it is.
const OFTEN: Duration = Duration::from_millis(100);

/// Words of `demo`.
#[derive(Debug, Args)]
#[command(
    after_help = "With --keys the store is made for you: a year of issuing, use, expiry, rotation and ends, all of it random but \
                  the same for the same --seed (ids and secrets differ). It takes about 7 KB of memory a key while it is made. \
                  With --data DIR as well it is written into that directory, which must be empty; --operator (or maria) is its \
                  founder, the passphrase comes from --passphrase-file or is asked for twice, and the recovery code is printed. \
                  The other operators get a passphrase with `keydeck operator passphrase`."
)]
pub struct Demo {
    #[command(flatten)]
    look: ConsoleArgs,
    /// So many keys, ended ones too
    #[arg(long, value_name = "N", value_parser = whole::<usize>(1..=5_000_000))]
    keys: Option<usize>,
    /// So many operators [default: one for each thousand keys, at least 6]
    #[arg(long, value_name = "N", value_parser = whole::<usize>(1..=1_024), requires = "keys")]
    operators: Option<usize>,
    /// Another number tells another story [default: 1]
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=u32::MAX), requires = "keys")]
    seed: Option<u64>,
}

/// Shows it, or writes it.
pub fn run(deck: &Deck, args: Demo, before: ConsoleArgs) -> Outcome {
    let Demo { look, keys, operators, seed } = args;
    let look = look.or(before);
    let Some(keys) = keys else { return console::demo(deck, &look, None) };
    let operators = operators.unwrap_or_else(|| Size::operators_for(keys));
    let size = Size { keys, operators, seed: seed.unwrap_or(1) };
    if let Some(dir) = deck.globals.data.as_deref().filter(|_| is_said()) {
        return write(deck, size, dir);
    }
    console::must_be_possible(deck)?;
    let made = large::open(size, &mut told(deck))?.ok_or_else(given_up)?;
    console::demo(deck, &look, Some(made))
}

/// Whether a directory was named here: the one in the environment is that of the store one works on.
fn is_said() -> bool {
    std::env::args_os().any(|word| word == "--data" || word.as_encoded_bytes().starts_with(b"--data="))
}

fn write(deck: &Deck, size: Size, dir: &Path) -> Outcome {
    let named = deck.globals.operator.as_deref().unwrap_or(FOUNDER);
    let operator = Name::new(named).map_err(|why| Fault::bad_text("operator", why))?;
    let agency = Name::new("Acme Wellness Group").map_err(|why| Fault::bad_text("agency", why))?;
    if deck.globals.key_file.is_some() || deck.globals.read_only {
        return Err(Fault::usage(
            "A sample store in a directory is founded with a passphrase, and written: leave out --key-file and --read-only.",
        ));
    }
    let is_full = std::fs::read_dir(dir).is_ok_and(|mut items| items.next().is_some());
    if is_full {
        return Err(Fault::refused(
            "not_empty",
            format!(
                "There is something in {}. Name an empty directory with --data; nothing was made.",
                dir.display()
            ),
        ));
    }
    if let Some(why) = files::not_writable(dir) {
        let said = format!("No sample store can be written to {}: {why}. Nothing was made.", dir.display());
        return Err(Fault::refused("not_writable", said));
    }
    let passphrase = deck.founders_passphrase(&operator)?;
    let making = Making::begin(&deck.options()?, agency, operator.clone(), &passphrase)?;
    let code = making.recovery().reveal();
    let written = if deck.output.is_json() {
        deck.output
            .secret_value(&serde_json::json!({ "data": dir.display().to_string(), "recovery_code": *code }))
    } else {
        deck.output.secret(&code)
    };
    if let Err(error) = written {
        let why = format!("The recovery code could not be written ({error}), so nothing was made.");
        return Err(Fault::refused("recovery_code_lost", why));
    }
    making.complete(size, &mut told(deck))?.ok_or_else(given_up)?;
    deck.output.say(&format!(
        "{} keys of {} operators are in {}, and {operator} is the admin. The line above is the recovery code.",
        size.keys,
        size.operators,
        dir.display()
    ));
    Ok(ExitCode::SUCCESS)
}

fn given_up() -> Fault {
    Fault::refused("stopped", "Stopped: no sample store was made.")
}

/// Says how far it is and how long it still takes, and listens for Ctrl-C.
fn told(deck: &Deck) -> impl FnMut(Progress) -> ControlFlow<()> + use<'_> {
    let interrupt = Interrupt::listen();
    let begun = Instant::now();
    let (mut stage, mut said) = ((None, begun), None::<Instant>);
    move |Progress { stage: at, done, all }| {
        let now = Instant::now();
        if stage.0 != Some(at) {
            stage = (Some(at), now);
        }
        if done == all || said.is_none_or(|said| now.duration_since(said) >= OFTEN) {
            said = Some(now);
            let label = match at {
                Stage::Operators => "operators added",
                Stage::Keys => "keys issued",
                Stage::Uses => "keys used",
                Stage::Rows => "rows written",
            };
            let left = rest(now.duration_since(stage.1), done, all);
            deck.output.progress(done, all, &format!("{label}{left}; Ctrl-C stops it"));
        }
        if interrupt.has_come() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// How long the rest takes, if it goes on as it went; nothing before that can be said.
fn rest(spent: Duration, done: usize, all: usize) -> String {
    if spent < Duration::from_secs(1) || done == 0 {
        return String::new();
    }
    let left = spent.as_millis() * (all.saturating_sub(done) as u128) / (done as u128);
    format!(", {} s left", (left + 500) / 1_000)
}
