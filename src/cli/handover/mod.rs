//! Handing a fresh secret over, once: to standard output, to a file that nobody else can read, or sealed to somebody's public
//! key. Whatever can be refused is refused before the secret is made, so that none is made which cannot be handed over.
//!
//! - [`Aim`]: what is asked for. `file`: files for secrets. `sealing`: public keys that a secret is sealed to.

mod file;
mod sealing;

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

pub use self::file::Variable;
use self::file::{Line, SecretFile};
use self::sealing::Recipients;
use super::fault::Fault;
use super::output::Output;
use crate::crypto::token::{Token, TokenKind};
use crate::domain::Note;
use crate::domain::handover::Way;

/// Where the token of a key goes, as it is asked for.
#[derive(Clone, Debug, Default, Args)]
pub struct Aim {
    /// Write the token to this new file, readable by you alone, instead of standard output
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Write it there as NAME=TOKEN; a file that is there already, and that only you can read, gets this line more
    #[arg(long, value_name = "NAME", requires = "token_file")]
    env: Option<Variable>,
    /// Seal it to this age or SSH public key, or to those in this file, instead of showing it; may be repeated
    #[arg(long, value_name = "RECIPIENT", conflicts_with = "env")]
    seal_to: Vec<String>,
}

/// Where a secret goes.
pub struct Handover<'a> {
    file: Option<SecretFile<'a>>,
    line: Line<'a>,
    recipients: Option<Recipients>,
}

/// An object with the secret in it, or the file that holds it.
#[derive(Serialize)]
struct Handed<'a, T> {
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
    /// The token, sealed: what `age --decrypt` reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<&'a str>,
}

impl Aim {
    /// To a new file at this path, if there is one.
    pub fn at(path: Option<&Path>) -> Self {
        Self { token_file: path.map(Path::to_owned), ..Self::default() }
    }

    /// Opens the way, or says what is in it.
    pub fn open(&self, output: Output) -> Result<Handover<'_>, Fault> {
        if self.token_file.as_deref() == Some(Path::new("-")) {
            return Err(Fault::usage(
                "Standard output is where a token goes without --token-file. No secret was made.",
            ));
        }
        let recipients = Recipients::read(&self.seal_to)?;
        let file = match (&self.token_file, &self.env) {
            (None, _) => {
                output.must_lead_somewhere()?;
                None
            }
            (Some(path), None) => Some(SecretFile::create(path)?),
            (Some(path), Some(name)) => Some(SecretFile::with_room_for(path, name)?),
        };
        let line = self.env.as_ref().map_or(Line::Alone, Line::Of);
        Ok(Handover { file, line, recipients })
    }

    /// Where the token is then, for the remark that follows: "Its token is …".
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

impl Handover<'_> {
    /// Gives it away, and says which way that was where it was not by showing it. For scripts together with `about`, under
    /// `token` for a key's and `secret` for an app's.
    pub fn give(self, output: Output, token: &Token, about: impl Serialize) -> io::Result<Option<Way>> {
        let sealed = self.recipients.as_ref().map(|to| to.seal(token.reveal())).transpose()?;
        let text = Zeroizing::new(sealed.unwrap_or_else(|| token.reveal().to_owned()));
        let way = match (&self.recipients, &self.line, &self.file) {
            (Some(to), ..) => Some(Way::Sealed(to.called())),
            (None, Line::Of(name), _) => Some(Way::Variable(name.as_note())),
            (None, Line::Alone, Some(_)) => Some(Way::File),
            (None, Line::Alone, None) => None,
        };
        let in_file = self.file.as_ref().map(|file| file.path().display().to_string());
        if let Some(file) = self.file {
            file.fill(&self.line, &text)?;
        }
        if output.is_json() {
            let is_app = token.kind() == TokenKind::AppSecret;
            let shown = in_file.is_none().then_some(text.as_str());
            let open = shown.filter(|_| self.recipients.is_none());
            output.secret_value(&Handed {
                about,
                token: open.filter(|_| !is_app),
                secret: open.filter(|_| is_app),
                token_file: in_file.clone().filter(|_| !is_app),
                secret_file: in_file.filter(|_| is_app),
                sealed: shown.filter(|_| self.recipients.is_some()),
            })?;
        } else if in_file.is_none() {
            output.secret(text.trim_end())?;
        }
        Ok(way)
    }
}

/// A text for the record; what has no room there is told by its beginning.
fn note(text: &str) -> Note {
    Note::new(text).unwrap_or_default()
}
