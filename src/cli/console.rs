//! The way to the full-screen console: what the command line knows is handed over, and a place without a terminal
//! is told so.

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use clap::Args;

use super::Outcome;
use super::door::Deck;
use super::fault::Fault;
use crate::engine::Via;
use crate::engine::open::Open;
use crate::serve::door::is_reachable;
use crate::tui::{Start, Store};

/// How the console looks and what it may do, this time.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Console options")]
pub struct ConsoleArgs {
    /// auto, dark, light, mono, contrast, or a theme file [default: the configuration's, else auto]
    #[arg(long, value_name = "THEME")]
    pub theme: Option<String>,
    /// Draw with ASCII only
    #[arg(long)]
    pub ascii: bool,
    /// Leave the mouse to the terminal
    #[arg(long)]
    pub no_mouse: bool,
}

impl ConsoleArgs {
    /// What is said here, and else there: the options may stand before the command or after it.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            theme: self.theme.or(other.theme),
            ascii: self.ascii || other.ascii,
            no_mouse: self.no_mouse || other.no_mouse,
        }
    }
}

/// Opens the console on the store that is configured.
pub fn run(deck: &Deck, args: &ConsoleArgs) -> Outcome {
    let mut options = deck.options()?;
    // Whoever is attached delivers nothing, nor does who only looks.
    if !options.read_only && !is_reachable(&options.dir) {
        deck.channels()?;
    }
    options.via = Via::Console;
    let options = Box::new(options);
    let operator = deck.globals.operator.clone().or_else(|| deck.config.operator.clone());
    enter(deck, args, Store::At { options, operator })
}

/// Opens the console on a throw-away store: on this one, or on the usual one.
pub fn demo(deck: &Deck, args: &ConsoleArgs, made: Option<Open>) -> Outcome {
    enter(deck, args, Store::Demo(made.map(Box::new)))
}

/// Whether there can be a console: it is asked before somebody waits for one.
pub fn must_be_possible(deck: &Deck) -> Result<(), Fault> {
    let globals = &deck.globals;
    for (given, option) in [
        (globals.passphrase_file.is_some(), "--passphrase-file"),
        (globals.key_file.is_some(), "--key-file"),
        (globals.json, "--json"),
    ] {
        if given {
            return Err(Fault::usage(format!(
                "The console takes no {option}: it asks on its own screen, and shows there what it finds. Leave it out, \
                 or name a command: `keydeck --help` lists them."
            )));
        }
    }
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Fault::no_terminal(
            "The console needs a terminal, and this is none. For scripts there are commands: `keydeck key list` and \
             the others in `keydeck --help`.",
        ));
    }
    Ok(())
}

fn enter(deck: &Deck, args: &ConsoleArgs, store: Store) -> Outcome {
    must_be_possible(deck)?;
    let config = &deck.config;
    let start = Start {
        store,
        theme: args.theme.clone().unwrap_or_else(|| config.theme.clone()),
        keymap: config.keymap.clone(),
        clipboard: config.clipboard,
        ascii: config.ascii || args.ascii,
        still: config.still,
        mistakes: config.mistakes.clone(),
        mouse: config.mouse && !args.no_mouse,
        read_only: deck.globals.read_only,
        channels: config.channels.clone(),
        habits: deck.places.habits(),
    };
    let ending = crate::tui::run(start).map_err(|e| Fault::unavailable(e.to_string()))?;
    Ok(ExitCode::from(ending.code()))
}
