//! `keydeck scan`: which of our secrets stand in these files? Looks first, offline, and asks the store about what was found
//! only if it can be opened. No secret is shown, and none is kept.
//!
//! `walk` reads, `store` asks, `report` and `sarif` tell.

mod report;
mod sarif;
mod store;
mod walk;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use self::walk::Gathered;
use super::door::Deck;
use super::fault::{Exit, Fault};
use super::{Outcome, code, secrets};

/// A path that means standard input.
const STDIN: &str = "-";

/// Words of `scan`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing found, 1 something was found, 2 usage, 3 something could not be read and \
                        nothing was found.\nHidden files are searched, links are not followed; what .gitignore names and \
                        what lies in .git is left out.\nAs a hook: git diff --cached --unified=0 | grep '^+' | keydeck scan --no-store -"
)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
pub struct Scan {
    /// Files and directories, `-` for standard input
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Do not ask the store whose the secrets are: for machines that have none
    #[arg(long)]
    no_store: bool,
    /// Search what .gitignore names, too
    #[arg(long)]
    no_ignore: bool,
    /// The result as SARIF 2.1.0, for code scanning
    #[arg(long, conflicts_with = "quiet")]
    sarif: bool,
    /// Say nothing and stop at the first secret: the exit code tells
    #[arg(long, short)]
    quiet: bool,
}

/// Searches.
pub fn run(deck: &Deck, args: &Scan) -> Outcome {
    if args.sarif && deck.output.is_json() {
        return Err(Fault::usage("--sarif is JSON of its own. Leave one of --sarif and --json out."));
    }
    if !args.no_store && args.paths.iter().any(|path| path.as_os_str() == STDIN) {
        secrets::free_stdin(deck.globals.passphrase_file.as_deref())?;
    }
    let gathered = walk::search(args);
    for why in &gathered.unread {
        deck.output.warn(why);
    }
    if gathered.passed > 0 {
        let what = if gathered.passed == 1 {
            "pipe, socket or device was"
        } else {
            "pipes, sockets and devices were"
        };
        deck.output.warn(&format!("{} {what} passed over.", gathered.passed));
    }
    if !args.quiet {
        tell(deck, args, &gathered)?;
    }
    Ok(match (gathered.found.is_empty(), gathered.unread.is_empty()) {
        (false, _) => code(Exit::Refused),
        (true, false) => code(Exit::Unavailable),
        (true, true) => ExitCode::SUCCESS,
    })
}

fn tell(deck: &Deck, args: &Scan, gathered: &Gathered) -> Result<(), Fault> {
    let asked = if args.no_store || gathered.found.is_empty() {
        store::Answers::default()
    } else {
        // What leaked is told, whatever becomes of the store.
        store::ask(deck, &gathered.found).unwrap_or_else(|why| {
            deck.output.warn(&why);
            store::Answers::default()
        })
    };
    let told: Vec<_> = gathered.found.iter().map(|found| (found, asked.about(found))).collect();
    if args.sarif {
        deck.output.value(&sarif::log(&told))?;
    } else if deck.output.is_json() {
        deck.output.value(&report::lines(&told))?;
    } else {
        report::text(deck.output, &told, &asked)?;
    }
    if gathered.more > 0 {
        deck.output.warn(&format!("{} more secrets were found and are not listed.", gathered.more));
    }
    Ok(())
}
