//! `keydeck key import`: a key whose secret was made elsewhere, or, as `list` has it, all those of another system.

mod list;

use std::path::{Path, PathBuf};

use clap::Args;

use super::NewWords;
use super::issue::{prepare, told_of};
use super::lines::KeyLine;
use crate::cli::Outcome;
use crate::cli::door::Deck;
use crate::cli::fault::Fault;
use crate::cli::secrets;
use crate::crypto::CryptoError;
use crate::crypto::phc::MAX_SECRET;
use crate::crypto::strength::{WEAK_BITS, most_bits};
use crate::domain::{Command, Event, View};
use crate::engine::{Brought, Unwritten};

/// Below, a secret is found by whoever has the unsealed store; that is said.
const FAIR_BITS: u32 = 80;

/// Words of `key import`.
#[derive(Debug, Args)]
#[command(
    mut_arg("name", |arg| arg.required_unless_present("from")),
    mut_arg("scope", |arg| arg.required_unless_present("from")),
    mut_group("placed", |group| group.arg("from")),
    after_help = "With --from the columns are name, place (agency, or a location), scopes, expires, note, owner, and secret or sha256, \
                  the digest that another system stored. What is said on the command line holds for lines that say nothing of \
                  it. All lines are judged before the first is imported."
)]
pub struct Import {
    #[command(flatten)]
    new: NewWords,
    /// File with the secret, `-` for standard input; one newline at its end is not part of it
    #[arg(long, value_name = "FILE", required_unless_present = "from")]
    secret_file: Option<PathBuf>,
    /// Many keys: a CSV file with a line of headings, `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "like", "secret_file", "contact"])]
    from: Option<PathBuf>,
    /// Leave out lines whose owner has a live key of that name already, instead of refusing the list
    #[arg(long, requires = "from")]
    skip_existing: bool,
    /// Say what would be imported, and import nothing
    #[arg(long, requires = "from")]
    dry_run: bool,
    /// Import it although it can be guessed
    #[arg(long)]
    weak: bool,
}

pub(super) fn run(deck: &Deck, args: &Import) -> Outcome {
    match (&args.from, &args.secret_file) {
        (Some(from), _) => list::run(deck, args, from),
        (None, Some(file)) => one(deck, args, file),
        (None, None) => Err(Fault::usage("Say with --secret-file where the secret is.")),
    }
}

fn one(deck: &Deck, args: &Import, file: &Path) -> Outcome {
    only_one_on_stdin(deck, file)?;
    let secret = secrets::read_file(file, deck.output)?;
    must_be_carried(secret.as_bytes()).map_err(|why| Fault::usage(why.to_string()))?;
    let bits = most_bits(secret.as_bytes());
    if let Some(why) = too_weak(bits, args.weak) {
        return Err(Fault::refused("weak_secret", format!("Nothing was imported: {why}")));
    }
    if bits < FAIR_BITS {
        deck.output
            .warn(&format!("{}. Replace it as soon as its callers can be changed.", has_at_most(bits)));
    }
    let (signed, new, told) = prepare(deck, &args.new)?;
    let command = Command::ImportKey(new, None);
    let done = signed.engine.act(&signed.session, command, Brought::Imported(secret.as_bytes()))?;
    drop(secret);
    let key = done.events.iter().find_map(Event::key).cloned();
    let key = key.ok_or_else(|| Fault::unavailable("The key was not imported. Try again."))?;
    let key = told_of(&signed, key, &told).map_err(|(_, fault)| fault)?;
    deck.output.say(&format!(
        "{} is imported. Its callers present kdim_{}_ followed by the secret they have, and nothing else changes \
         for them.",
        key.name, key.id
    ));
    if deck.output.is_json() {
        let state = signed.engine.state();
        let view = View::new(&state, signed.session.actor());
        deck.output.value(&KeyLine::of(&key, view, &Unwritten::default(), signed.grounds()))?;
    } else {
        deck.output.text(&format!("{}\n", key.id))?;
    }
    Ok(deck.done(signed.engine.settle()))
}

/// Refuses to look for the passphrase and something else on standard input.
fn only_one_on_stdin(deck: &Deck, other: &Path) -> Result<(), Fault> {
    if deck.globals.passphrase_file.as_deref() == Some(Path::new("-")) && other == Path::new("-") {
        return Err(Fault::usage(
            "Standard input holds one secret. Put the passphrase or the secret in a file.",
        ));
    }
    Ok(())
}

/// Whether a request can carry it.
fn must_be_carried(secret: &[u8]) -> Result<(), CryptoError> {
    let fits = (1..=MAX_SECRET).contains(&secret.len()) && secret.iter().all(u8::is_ascii_graphic);
    if fits { Ok(()) } else { Err(CryptoError::ImportedSecret) }
}

fn has_at_most(bits: u32) -> String {
    format!("the secret has at most {bits} bits, where a generated one has 187")
}

/// Whoever reaches `/verify` can try dozens of secrets a second for as long as they like, so one with few possibilities
/// is found: that takes a word of the person who wants it all the same.
fn too_weak(bits: u32, weak: bool) -> Option<String> {
    (bits < WEAK_BITS && !weak).then(|| {
        format!(
            "{}, and can be guessed. Have keydeck make a new one with `keydeck key create`, or say --weak if its callers cannot \
             be changed.",
            has_at_most(bits)
        )
    })
}
