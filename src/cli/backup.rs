//! `keydeck backup` and `keydeck restore`: the whole store as one sealed file, while it is in use, and a store from it where
//! none is.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use super::Outcome;
use super::audit::read_anchors;
use super::door::Deck;
use super::fault::Fault;
use super::handover::unfit_for;
use super::interrupt::Interrupt;
use super::secrets::{prompt, read_file, twice};
use super::times;
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::crypto::public_id;
use crate::crypto::random::OsEntropy;
use crate::engine::Anchor;
use crate::engine::backup::{
    Anchors, Closing, Opening, Source, Target, Under, hex, restore as put_back, save, sealed_lock,
};
use crate::engine::handover::Recipients;
use crate::engine::open::{Options, Wants};
use crate::store::Seal;

/// Words of `backup`.
#[derive(Debug, Args)]
#[command(
    after_help = "The store stays in use meanwhile. The file is sealed as the store is: it opens with the passphrases, key files \
                  and recovery code of the day it was made, with --under only together with a passphrase of its own. It holds everything but the configuration file. Keep it on \
                  another disk."
)]
pub struct Backup {
    /// The file to write; it appears when the copy was read again and checked
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace a file of that name
    #[arg(long)]
    force: bool,
    /// Put it under a passphrase of its own, from a file or asked for: whoever puts it back needs that besides their own secret
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[expect(
        clippy::option_option,
        reason = "asked for, asked for without a file, or neither: as clap has it"
    )]
    under: Option<Option<PathBuf>>,
    /// Put it under a passphrase that is drawn for it and sealed to this age or SSH public key, or to those in this file; may be
    /// repeated
    #[arg(long, value_name = "RECIPIENT", conflicts_with = "under")]
    seal_to: Vec<String>,
}

/// Words of `restore`.
#[derive(Debug, Args)]
#[command(
    after_help = "Sign in as an admin of the day the backup was made. The store comes into --data, where nothing may be. What was \
                  revoked after the backup lives again in it: give the newest line of `keydeck audit anchor` to be told how \
                  much is missing. Keys are deleted for want of use again when an admin has said so with `keydeck sweep \
                  --confirm`. Never use the old directory beside it."
)]
pub struct Restore {
    /// A file that `keydeck backup` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A line of `keydeck audit anchor` that was kept elsewhere, a file of such lines, or the old data directory, whose seal knows:
    /// the backup must reach as far
    #[arg(long, value_name = "FILE|LINE|DIR")]
    anchor: Option<String>,
    /// The passphrase of its own that the backup was put under, from a file or asked for
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[expect(
        clippy::option_option,
        reason = "asked for, asked for without a file, or neither: as clap has it"
    )]
    under: Option<Option<PathBuf>>,
    /// Print what the passphrase of a backup was sealed to public keys as, for `age --decrypt`, and restore nothing
    #[arg(long, conflicts_with_all = ["under", "anchor"])]
    sealed_key: bool,
    /// Restore a backup that an anchor says is older, knowing that what was ended since lives again
    #[arg(long, requires = "anchor")]
    accept_loss: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    store: String,
    made_at: String,
    version: &'a str,
    rows: u64,
    revision: u64,
    audit_seq: u64,
    audit_head: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<u64>,
}

impl<'a> Line<'a> {
    fn of(file: &Path, opening: &'a Opening, closing: &Closing, rows: u64) -> Self {
        Self {
            file: file.display().to_string(),
            data: None,
            store: hex(&opening.store),
            made_at: opening.made.rfc3339(),
            version: &opening.version,
            rows,
            revision: closing.rev,
            audit_seq: closing.seq,
            audit_head: hex(&closing.head),
            bytes: None,
            sha256: None,
            missing: None,
        }
    }
}

/// Makes a backup.
pub fn backup(deck: &Deck, args: &Backup) -> Outcome {
    let globals = &deck.globals;
    let new = |file: &Option<PathBuf>| match file {
        Some(path) => read_file(path, deck.output),
        None => twice("the backup", "--under=FILE"),
    };
    let recipients = Recipients::read(&args.seal_to);
    let recipients = recipients.map_err(|unfit| unfit_for(&unfit, "The backup is not made."))?;
    let chosen = match (&args.under, &recipients) {
        (Some(file), _) => Some(new(file)?),
        (None, Some(_)) => Some(drawn()?),
        (None, None) => None,
    };
    let sealed = recipients.zip(chosen.as_deref()).map(|(keys, text)| keys.seal(text)).transpose();
    let sealed = sealed.map_err(|why| Fault::usage(format!("The passphrase could not be sealed: {why}.")))?;
    let chosen = chosen.map(|text| Passphrase::choose(&text)).transpose()?;
    let under = chosen.as_ref();
    let under = under.map(|passphrase| Under { passphrase, cost: Cost::SLOT, sealed: sealed.as_deref() });
    let (signed, saved) =
        deck.with_secret(globals.passphrase_file.as_deref(), globals.key_file.as_deref(), |key| {
            let signed = deck.sign_in_with(key, Wants::Named)?;
            let saved = {
                let _others = signed.waiting();
                let interrupt = Interrupt::listen();
                let stops = || interrupt.has_come();
                let target = Target { path: &args.file, replace: args.force, under, stops: &stops };
                save(&*signed.engine, &signed.session, key, target)?
            };
            Ok((signed, saved))
        })?;
    if let Some(why) = &saved.untold {
        deck.output.warn(&format!("the backup is made, but the audit trail does not say so: {why}"));
    }
    let line = Line {
        bytes: Some(saved.bytes),
        sha256: Some(&saved.sha256),
        ..Line::of(&args.file, &saved.opening, &saved.closing, saved.rows)
    };
    if deck.output.is_json() {
        deck.output.value(&line)?;
    } else {
        deck.output.text(&format!(
            "{}: {} rows at revision {}, audit entry {}, {} bytes, SHA-256 {}\n",
            line.file, line.rows, line.revision, line.audit_seq, saved.bytes, saved.sha256
        ))?;
        deck.output.say(
            "It was read again and holds what the store vouches for. What is revoked from now on is not in it: make another \
             one after that.",
        );
    }
    Ok(deck.done(signed.engine.settle()))
}

/// A passphrase nobody chose: 210 bits.
fn drawn() -> Result<Zeroizing<String>, Fault> {
    let mut text = Zeroizing::new(String::with_capacity(48));
    for _ in 0..3 {
        let part = public_id::generate(&mut OsEntropy)?;
        text.push_str(part.as_str());
    }
    Ok(text)
}

/// Puts a store back.
pub fn restore(deck: &Deck, args: &Restore) -> Outcome {
    if args.sealed_key {
        let none = || Fault::refused("no_sealed_key", "The backup was not sealed to a public key.");
        deck.output.text(&sealed_lock(&args.file)?.ok_or_else(none)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let options = deck.options()?;
    if options.read_only {
        return Err(Fault::usage("Restoring a store makes one: leave out --read-only."));
    }
    let anchors = args.anchor.as_deref().map(anchors).transpose()?.unwrap_or_default();
    let anchors = Anchors { accept_loss: args.accept_loss, ..anchors };
    let globals = &deck.globals;
    let known = |file: &Option<PathBuf>| match file {
        Some(path) => read_file(path, deck.output),
        None => prompt("Passphrase of the backup: ", "--under=FILE"),
    };
    let under = args.under.as_ref().map(known).transpose()?;
    let under = under.map(|text| Passphrase::present(&text)).transpose()?;
    let source = Source { file: &args.file, under: under.as_ref() };
    let restored =
        deck.with_secret(globals.passphrase_file.as_deref(), globals.key_file.as_deref(), |key| {
            Ok(put_back(&options, key, source, &anchors)?)
        })?;
    let data = options.dir.display().to_string();
    let line = Line {
        data: Some(data.clone()),
        missing: (!anchors.is_empty()).then_some(restored.missing),
        ..Line::of(&args.file, &restored.opening, &restored.closing, restored.rows)
    };
    if deck.output.is_json() {
        deck.output.value(&line)?;
    } else {
        let made = times::local(restored.opening.made);
        deck.output.text(&format!(
            "The store of {made} is in {data}: {} rows, audit entry {}.\n",
            line.rows, line.audit_seq
        ))?;
        tell(deck, &options, &anchors, restored.missing);
        if restored.unchecked > 0 {
            deck.output.say(&format!(
                "{} of the anchors name entries that had been trimmed. `keydeck audit verify --trimmed FILE --anchor FILE` checks \
                 them with the file that has those.",
                restored.unchecked
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What knows how far the store had come: a line, a file of lines, or the old directory's seal.
fn anchors(text: &str) -> Result<Anchors, Fault> {
    if let Some(anchor) = Anchor::parse(text) {
        return Ok(Anchors { lines: vec![anchor], ..Anchors::default() });
    }
    let path = Path::new(text);
    let old = path.is_dir().then(|| path.to_owned());
    let path = old.as_ref().map_or_else(|| path.to_owned(), |old| old.join(Seal::FILE));
    match Seal::read(&path) {
        Ok(Some(seal)) => Ok(Anchors { seal: Some(seal), old, ..Anchors::default() }),
        _ => Ok(Anchors { lines: read_anchors(&path)?, ..Anchors::default() }),
    }
}

fn tell(deck: &Deck, options: &Options, anchors: &Anchors, missing: u64) {
    let dir = options.dir.display();
    let lost = match (anchors.is_empty(), missing) {
        (true, _) => {
            "Whether anything was revoked since it was made cannot be told without an anchor. ".to_owned()
        }
        (false, 0) => "The anchor knows of nothing that was done since it was made. ".to_owned(),
        (false, n) => format!("{n} audit entries are missing: what was ended in them lives again. "),
    };
    deck.output.say(&format!(
        "{lost}Look through what was ended since and end it anew before anything asks this store. Never use the old directory \
         beside it. No key is deleted for want of use before `keydeck --data {dir} sweep --confirm COUNT` says so."
    ));
}
