//! Handing a fresh secret over, once: to standard output, or the ways past it that the engine knows. Whatever can be refused is
//! refused before the secret is made.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::door::{Deck, Signed};
use super::fault::Fault;
use super::output::Output;
use crate::crypto::token::{Token, TokenKind};
use crate::domain::Command;
use crate::domain::handover::{Handed, Way};
use crate::engine::handover::{Gone, Handover, Unfit, Variable};

/// Where the token of a key or the secret of an app goes, as it is asked for.
#[derive(Clone, Debug, Default, Args)]
pub struct Aim {
    /// Write the secret to this new file, readable by you alone, instead of standard output
    #[arg(long, value_name = "FILE", alias = "secret-file")]
    token_file: Option<PathBuf>,
    /// Write it there as NAME=SECRET; a file that is there already, and that only you can read, gets this line more
    #[arg(long, value_name = "NAME", requires = "token_file")]
    env: Option<Variable>,
    /// Seal it to this age or SSH public key, or to those in this file, instead of showing it; may be repeated
    #[arg(long, value_name = "RECIPIENT", conflicts_with = "env")]
    pub seal_to: Vec<String>,
}

/// An object with the secret in it, or the file that holds it.
#[derive(Serialize)]
struct Object<'a, T> {
    #[serde(flatten)]
    about: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_file: Option<String>,
    /// The secret, sealed: what `age --decrypt` reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<&'a str>,
}

/// How a secret was handed over, for scripts.
#[derive(Serialize)]
pub struct HandedOver {
    way: &'static str,
    said: String,
    at: String,
}

impl From<&Handed> for HandedOver {
    fn from(handed: &Handed) -> Self {
        Self { way: handed.way.code(), said: handed.way.to_string(), at: handed.at.rfc3339() }
    }
}

impl From<Unfit> for Fault {
    fn from(unfit: Unfit) -> Self {
        unfit_for(&unfit, "No secret was made.")
    }
}

/// That something does not go that way, and what `follows`.
pub fn unfit_for(unfit: &Unfit, follows: &str) -> Fault {
    let said = format!("{unfit} {follows}");
    match unfit {
        Unfit::Words(_) => Fault::usage(said),
        Unfit::NotBuilt => Fault::refused("not_built", said),
    }
}

impl Aim {
    /// Opens the way, or says what is in it.
    pub fn open(&self, output: Output) -> Result<Handover, Fault> {
        if self.token_file.as_deref() == Some(Path::new("-")) {
            return Err(Fault::usage(
                "Standard output is where a secret goes without --token-file. No secret was made.",
            ));
        }
        let way = Handover::open(self.token_file.as_deref(), self.env.as_ref(), &self.seal_to)?;
        if self.token_file.is_none() {
            output.must_lead_somewhere()?;
        }
        Ok(way)
    }

    /// Where the secret is then, for the remark that follows: "Its token is …".
    pub fn where_it_is(&self) -> String {
        let sealed = if self.seal_to.is_empty() { "" } else { "sealed, " };
        let place = match (&self.token_file, &self.env) {
            (None, _) if !sealed.is_empty() => "on standard output".to_owned(),
            (None, _) => "shown this once".to_owned(),
            (Some(path), None) => format!("in {}", path.display()),
            (Some(path), Some(name)) => format!("in {} as {name}", path.display()),
        };
        format!("{sealed}{place}")
    }
}

/// Gives a secret away, and says which way that was where it was not by showing it. For scripts together with `about`, under
/// `token` for a key's and `secret` for an app's.
pub fn give(way: Handover, output: Output, token: &Token, about: impl Serialize) -> io::Result<Option<Way>> {
    let Gone { way, file, text, sealed } = way.take(token.reveal())?;
    if output.is_json() {
        let is_app = token.kind() == TokenKind::AppSecret;
        let shown = file.is_none().then_some(text.as_str());
        let open = shown.filter(|_| !sealed);
        let file = file.map(|file| file.display().to_string());
        output.secret_value(&Object {
            about,
            token: open.filter(|_| !is_app),
            secret: open.filter(|_| is_app),
            token_file: file.clone().filter(|_| !is_app),
            secret_file: file.filter(|_| is_app),
            sealed: shown.filter(|_| sealed),
        })?;
    } else if file.is_none() {
        output.secret(text.trim_end())?;
    }
    Ok(way)
}

/// Has the record say how a secret was handed over, if not by being shown. It is where it is, whether that can be written or
/// not.
pub fn note(deck: &Deck, signed: &Signed, way: Option<Way>, command: impl FnOnce(Way) -> Command) {
    if let Some(way) = way
        && let Err(error) = signed.engine.execute(&signed.session, command(way))
    {
        let why = Fault::from(error);
        deck.output
            .warn(&format!("the secret is handed over, but its record could not be made to say how: {why}"));
    }
}
