//! The command line: one file per command family, results as text for people or as JSON for scripts.
//!
//! - `args`, `globals`: the words, `number` those among them that count, `lacking` those that are missing; `fault`: what goes
//!   wrong, and the exit codes; `output`, `table`, `times`, `stopped`: what is shown.
//! - `door`: signing in; `find`: what a reference means; `secrets`: passphrases from files and prompts; `handover`: a fresh
//!   secret on its way out; `tokens`: secrets in the wrong place.
//! - `interrupt`: Ctrl-C while many things are done.
//! - `config`, `channels`, `places`: the configuration file and this machine's directories; `logging`, `process`: the log, and
//!   keeping other processes out.
//! - `init`, `operator`, `location`, `key`, `app`, `lockdown`, `scope`, `policy`, `clock`, `due`, `review`, `report`, `delivery`, `tail`, `verify`, `audit`, `backup`, `scan`, `serve`, `guide`, `info`,
//!   `completions`, `man`: the commands. `book`: the guide's pages; `complete`: what a
//!   shell may propose.
//! - `console`: the way to the full-screen console; `demo`: to one on sample data.
//!
//! A command signs in, sends the engine what the console would send, and prints what came back. No rule lives here.

mod app;
mod args;
mod audit;
mod backup;
mod base;
mod blast;
mod book;
mod channels;
mod clock;
mod complete;
mod completions;
pub mod config;
mod consent;
pub mod console;
mod delivery;
mod demo;
mod door;
mod due;
mod fault;
mod find;
mod globals;
mod guide;
mod handover;
mod info;
mod init;
mod interrupt;
mod key;
mod lacking;
mod listed;
mod location;
mod lockdown;
mod logging;
mod man;
mod notices;
mod number;
mod operator;
mod output;
mod places;
mod policy;
mod problem;
mod process;
mod report;
mod report_only;
mod review;
mod scan;
mod scope;
mod secrets;
mod serve;
mod stopped;
mod table;
mod tail;
mod times;
mod tokens;
mod usage;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};

use self::args::{Cli, Command};
use self::door::Deck;
use self::fault::{Exit, Fault};
use self::output::Output;
use self::places::Places;
use crate::tui::app::times::unknown_zone;

/// What a command leads to: done with a number for the shell, or not.
type Outcome = Result<ExitCode, Fault>;

/// Runs one command line, the program's name first.
pub fn main(words: &[OsString]) -> ExitCode {
    process::harden();
    if let Some(told) = complete::told(words) {
        return told;
    }
    // Asked for before the words are understood, so that misunderstandings are told in the form asked for.
    let output = Output::new(words.iter().any(|word| word == "--json"));
    let usage = if audit::is_verify(words) { ExitCode::from(audit::USAGE) } else { code(Exit::Usage) };
    if words.iter().any(|word| tokens::in_word(word)) {
        output.fault(&Fault::usage(
            "A secret stands on the command line, where the shell's history and other users can read it. It was \
             not used. Revoke that key now, then give the new one on standard input or in a file.",
        ));
        return usage;
    }
    match Cli::try_parse_from(words) {
        Ok(cli) => run(cli, output, usage),
        Err(error) => misunderstood(&error, words, output, usage),
    }
}

fn code(exit: Exit) -> ExitCode {
    ExitCode::from(exit as u8)
}

/// Help that was asked for is a result; anything else is a mistake in the words.
fn misunderstood(error: &clap::Error, words: &[OsString], output: Output, usage: ExitCode) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A reader who has seen enough and closed the pipe is no failure.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if let Some(told) = lacking::in_words(error, words) {
        output.fault(&Fault::usage(told));
    } else if output.is_json() {
        output.fault(&Fault::usage(error.render().to_string().trim_end()));
    } else {
        let _ = error.print();
    }
    usage
}

fn run(cli: Cli, output: Output, usage: ExitCode) -> ExitCode {
    // Whoever collects JSON gets nothing else.
    let json = matches!(&cli.command, Some(Command::Serve(args)) if args.log_format() == Some(logging::Format::Json));
    let output = if json { Output::new(true) } else { output }.in_ascii(cli.console.ascii);
    let places = Places::find();
    let log = places.log_file();
    match (&cli.command, log.clone()) {
        (Some(Command::Serve(args)), path) if args.stays() => logging::start_serving(path, args.log_format()),
        (_, Some(path)) => logging::start(path),
        (_, None) => {}
    }
    process::quiet_panics(log);
    let is_audit_verify = matches!(cli.command, Some(Command::Audit(audit::Verb::Verify(_))));
    match dispatch(cli, places, output) {
        Ok(code) => code,
        Err(fault) => {
            output.fault(&fault);
            tracing::info!(code = fault.code(), message = %fault, "not done");
            match fault.exit() {
                Exit::Usage => usage,
                _ if is_audit_verify => ExitCode::from(audit::UNVERIFIABLE),
                exit => code(exit),
            }
        }
    }
}

fn dispatch(cli: Cli, places: Places, output: Output) -> Outcome {
    let mut globals = cli.globals;
    // An empty variable is as good as none.
    globals.data = globals.data.filter(|dir| !dir.as_os_str().is_empty());
    globals.operator = globals.operator.filter(|name| !name.is_empty());
    let config = config::read(globals.config.as_deref(), &places)?;
    // The console starts all the same and lists them; so does what is asked what is wrong.
    let is_console = matches!(cli.command, None | Some(Command::Demo(_)));
    if !is_console && !matches!(cli.command, Some(Command::Info)) {
        config.strictly()?;
    }
    let output = output.in_ascii(config.ascii || cli.console.ascii);
    let words = cli.command.as_ref().map_or("keydeck", Command::words);
    tracing::debug!(words, "asked for");
    // The console says it itself, where it is seen.
    if !is_console && let Some(why) = unknown_zone(std::env::var_os("TZ").as_deref()) {
        output.warn(&why);
    }
    let deck = Deck { globals, config, places, output, words };
    match cli.command {
        None => console::run(&deck, &cli.console),
        Some(Command::Demo(args)) => demo::run(&deck, args, cli.console),
        Some(Command::Init(args)) => init::run(&deck, &args),
        Some(Command::Operator(verb)) => operator::run(&deck, &verb),
        Some(Command::Location(verb)) => location::run(&deck, &verb),
        Some(Command::Key(verb)) => key::run(&deck, &verb),
        Some(Command::App(verb)) => app::run(&deck, &verb),
        Some(Command::Lockdown(words)) => lockdown::run(&deck, &words),
        Some(Command::Scope(verb)) => scope::run(&deck, &verb),
        Some(Command::Policy(verb)) => policy::run(&deck, &verb),
        Some(Command::Clock(verb)) => clock::run(&deck, &verb),
        Some(Command::Sweep(args)) => due::sweep(&deck, &args),
        Some(Command::Due(args)) => due::due(&deck, &args),
        Some(Command::Notices(verb)) => notices::run(&deck, &verb),
        Some(Command::Review(args)) => review::run(&deck, &args),
        Some(Command::Report(args)) => report::run(&deck, &args),
        Some(Command::Tail(args)) => tail::run(&deck, &args),
        Some(Command::Verify(args)) => verify::run(&deck, &args),
        Some(Command::Audit(verb)) => audit::run(&deck, &verb),
        Some(Command::Backup(args)) => backup::backup(&deck, &args),
        Some(Command::Restore(args)) => backup::restore(&deck, &args),
        Some(Command::Scan(args)) => scan::run(&deck, &args),
        Some(Command::Serve(args)) => serve::run(&deck, &args),
        Some(Command::Guide(args)) => guide::run(&deck, &args),
        Some(Command::Info) => info::run(&deck),
        Some(Command::Completions(args)) => completions::run(&deck, &args),
        Some(Command::Man(args)) => man::run(&deck, &args, Cli::command()),
    }
}
