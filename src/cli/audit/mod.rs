//! `keydeck audit`: read, check, anchor, export and trim the trail. [`show`] reads and exports, [`check`] checks, [`tried`]
//! looks for one token, [`trim`] takes old entries out of the store.

mod check;
mod show;
mod tried;
mod trim;

pub(in crate::cli) use self::check::read_anchors;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Outcome;
use super::door::Deck;
use super::number::whole;

/// What can be done with the audit trail.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// The newest entries first: all for an admin (which is noted), for others what concerns them
    List(List),
    /// Check that nothing in the trail was edited, moved, forged or cut off
    #[command(
        after_help = "Exit codes of this command: 0 whole, 1 altered, reordered or forged, 2 shorter than the \
                            anchor or with a gap, 3 sealed or not to be checked, 4 usage."
    )]
    Verify(Verify),
    /// One line to keep elsewhere: with it, nobody can cut or rewrite the trail unseen
    Anchor,
    /// The whole trail to standard output (admins; noted in the trail)
    Export(Export),
    /// Take the oldest entries out of the store, into a file that goes on proving them (admins; noted in the trail)
    #[command(
        after_help = "Whole segments of 10000 entries go. What they say of records that were not written since is said again in \
                      the trail first, so that after damage each record can still be proven. The file is written, read again \
                      and checked before anything leaves the store; where it is stands in the trail. Keep it: nothing else \
                      has those entries. `keydeck audit verify --trimmed FILE` checks it together with the store. Keydecks of \
                      before do not open a store whose trail was trimmed."
    )]
    Trim(trim::Trim),
    /// Whether a token that leaked was ever tried here, when and where from: the token on standard input (admins; noted)
    #[command(
        after_help = "Exit codes of this command: 0 it was tried, 1 it never was.\nThe trail keeps no token. What nobody \
                      issued is known by its fingerprint: of a flood, the first 32 of each minute. Of an access token it \
                      tells what happened to the tokens of its app."
    )]
    Fingerprint(Fingerprint),
}

/// Words of `audit fingerprint`.
#[derive(Debug, Args)]
pub struct Fingerprint {
    /// Read the token from standard input, the only place it is ever read from
    #[arg(long)]
    stdin: bool,
}

/// Words of `audit list`.
#[derive(Debug, Args)]
pub struct List {
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = whole::<u32>(1..=100_000))]
    limit: u32,
    /// Only what is about this key: its id, hint or name
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// Words of `audit verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// Check this export (JSON lines) instead of the store; needs no passphrase. Several, each of which goes on where the one
    /// before it ends, are checked as one
    #[arg(long, value_name = "FILE")]
    export: Vec<PathBuf>,
    /// Check the files that `audit trim` wrote together with the store, which goes on where the last of them ends: the oldest
    /// first
    #[arg(long, value_name = "FILE", conflicts_with = "export")]
    trimmed: Vec<PathBuf>,
    /// A file with lines of `keydeck audit anchor`, one or many: the trail must go through all of them
    #[arg(long, value_name = "FILE")]
    anchor: Option<PathBuf>,
}

/// Words of `audit export`.
#[derive(Debug, Args)]
pub struct Export {
    /// JSON lines, which `audit verify --export` can check, or CSV for a spreadsheet
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// Only entries from then on: a date, a time, or 7d for the last seven days
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Only entries up to then, a date with its whole day. A part says which it is; `audit verify --export` checks it as that
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
}

/// The forms of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One JSON object on each line
    Jsonl,
    /// Comma-separated, harmless in a spreadsheet
    Csv,
}

/// `audit verify` cannot check: the store stays sealed, or the trail is not readable.
pub const UNVERIFIABLE: u8 = 3;
/// `audit verify` was called wrongly; its 2 means something else.
pub const USAGE: u8 = 4;

/// Whether the words call `audit verify`, which has exit codes of its own even when they are wrong.
pub fn is_verify(words: &[OsString]) -> bool {
    words.windows(2).any(|pair| pair[0] == "audit" && pair[1] == "verify")
}

/// Runs one of them.
pub fn run(deck: &Deck, verb: &Verb) -> Outcome {
    match verb {
        Verb::List(args) => show::list(deck, args),
        Verb::Verify(args) => check::run(deck, args),
        Verb::Anchor => show::anchor(deck),
        Verb::Export(args) => show::export(deck, args),
        Verb::Trim(args) => trim::run(deck, args),
        Verb::Fingerprint(args) => tried::run(deck, args),
    }
}
