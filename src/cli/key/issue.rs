//! `keydeck key create`. The token passes through here once: to standard output or a new file. A key whose token
//! reached nobody is revoked before the command ends, so that none is left alive that nobody holds.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::lines::KeyLine;
use super::{Create, find_location};
use crate::cli::Outcome;
use crate::cli::door::{Deck, Signed};
use crate::cli::fault::Fault;
use crate::cli::times;
use crate::crypto::token::Token;
use crate::domain::catalog::text::{did_you_mean, nearest};
use crate::domain::{Catalog, Command, Event, Expiry, Key, Name, NewKey, Note, Place, View};

pub(super) fn run(deck: &Deck, args: &Create) -> Outcome {
    let name = Name::new(&args.name).map_err(|why| Fault::bad_text("name", why))?;
    let note = Note::new(&args.note).map_err(|why| Fault::bad_text("note", why))?;
    // Judged before a passphrase is asked for; what counts is computed again when the key is made.
    expiry(args, Deck::wall())?;
    let scopes = scopes(args, &*deck.catalog()?)?;
    let signed = deck.sign_in()?;
    let place = match &args.location {
        Some(reference) => Place::Location(signed.see(|view| find_location(view, reference))?),
        None => Place::Agency,
    };
    let expiry = expiry(args, signed.now())?;
    // Made first: if the file cannot be made, no key is.
    let file = args.token_file.as_deref().map(TokenFile::create).transpose()?;
    let new = NewKey { name, place, scopes, expiry, note };
    let done = match signed.engine.execute(&signed.session, Command::IssueKey(new)) {
        Ok(done) => done,
        Err(error) => {
            drop(file);
            return Err(error.into());
        }
    };
    let key = done.events.into_iter().find_map(|event| match event {
        Event::KeyIssued(key) => Some(key),
        _ => None,
    });
    let (Some(key), Some(token)) = (key, done.token) else {
        return Err(Fault::unavailable("The key was issued without a token. Revoke it and issue another."));
    };
    let handed = hand_over(deck, &signed, &key, &token, file);
    drop(token);
    if let Err(error) = handed {
        return Err(take_back(&signed, &key, &error));
    }
    let until = key.expiry.instant().map_or_else(
        || "It never expires.".into(),
        |at| format!("It expires {}.", times::both(at, signed.now())),
    );
    let lost = match &args.token_file {
        Some(path) => format!("Its token is in {}", path.display()),
        None => "Its token is shown this once".into(),
    };
    deck.output.say(&format!(
        "{} is issued: {}. {until}\n{lost}; keydeck keeps only a digest of it.",
        key.name,
        key.hint()
    ));
    signed.engine.settle()?;
    Ok(ExitCode::SUCCESS)
}

fn expiry(args: &Create, now: crate::domain::Timestamp) -> Result<Option<Expiry>, Fault> {
    let read = |text: &String| {
        Expiry::parse(text, now).map_err(|why| Fault::usage(format!("--expires {text}: {why}.")))
    };
    args.expires.as_ref().map(read).transpose()
}

/// The preset's scopes, and those named besides.
fn scopes(args: &Create, catalog: &Catalog) -> Result<Vec<String>, Fault> {
    let mut all = args.scope.clone();
    if let Some(wanted) = &args.preset {
        let preset = catalog.preset(wanted).ok_or_else(|| {
            let known: Vec<&str> = catalog.presets().iter().map(|p| p.id.as_str()).collect();
            let hint = did_you_mean(nearest(wanted, known.iter().copied()));
            Fault::usage(format!("There is no preset called {wanted}.{hint} There are {}.", known.join(", ")))
        })?;
        let besides = preset.scopes.iter().map(ToString::to_string).filter(|s| !args.scope.contains(s));
        all.extend(besides);
    }
    Ok(all)
}

/// What `key create --json` prints.
#[derive(Serialize)]
struct Issued<'a> {
    #[serde(flatten)]
    key: KeyLine<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_file: Option<String>,
}

fn hand_over(
    deck: &Deck,
    signed: &Signed,
    key: &Key,
    token: &Token,
    file: Option<TokenFile<'_>>,
) -> io::Result<()> {
    let token_file = file.as_ref().map(|file| file.path.display().to_string());
    let in_file = file.is_some();
    if let Some(file) = file {
        file.fill(token)?;
    }
    if deck.output.is_json() {
        let state = signed.engine.state();
        let view = View::new(&state, signed.session.actor());
        let token = (!in_file).then(|| token.reveal());
        deck.output.secret_value(&Issued { key: KeyLine::of(key, view, signed.now()), token, token_file })
    } else if in_file {
        Ok(())
    } else {
        deck.output.secret(token.reveal())
    }
}

/// Nobody has the token: the key must not live.
fn take_back(signed: &Signed, key: &Key, error: &io::Error) -> Fault {
    let what = format!("The token of {} could not be written ({error}), so nobody has it.", key.name);
    match signed.engine.execute(&signed.session, Command::RevokeKey(key.id)) {
        Ok(_) => Fault::refused(
            "token_lost",
            format!("{what} The key {} was revoked at once. Issue it again.", key.id),
        ),
        Err(failed) => Fault::from(failed).because(&format!(
            "{what} It could not be revoked either: do it with `keydeck key revoke {}`.",
            key.id
        )),
    }
}

/// A new file for a token; gone again unless the token was written to it.
struct TokenFile<'a> {
    path: &'a Path,
    file: File,
    keep: bool,
}

impl<'a> TokenFile<'a> {
    fn create(path: &'a Path) -> Result<Self, Fault> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|e| {
            Fault::usage(format!(
                "The token file {} cannot be made: {e}. Name one that is not there yet. No key was issued.",
                path.display()
            ))
        })?;
        Ok(Self { path, file, keep: false })
    }

    fn fill(mut self, token: &Token) -> io::Result<()> {
        self.file.write_all(token.reveal().as_bytes())?;
        self.file.write_all(b"\n")?;
        self.file.sync_all()?;
        self.keep = true;
        Ok(())
    }
}

impl Drop for TokenFile<'_> {
    fn drop(&mut self) {
        if !self.keep {
            let _ = fs::remove_file(self.path);
        }
    }
}
