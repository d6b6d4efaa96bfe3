//! Handing a fresh secret over, once: to standard output, or to a new file that nobody else can read. The file is
//! made before the secret is, so that none is made which cannot be written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::Serialize;

use super::fault::Fault;
use super::output::Output;
use crate::crypto::token::Token;

/// Where a secret goes.
pub struct Handover<'a> {
    file: Option<SecretFile<'a>>,
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
}

impl<'a> Handover<'a> {
    /// To a new file at `path`, or to standard output.
    pub fn to(path: Option<&'a Path>, output: Output) -> Result<Self, Fault> {
        if path.is_none() {
            output.must_lead_somewhere()?;
        }
        Ok(Self { file: path.map(SecretFile::create).transpose()? })
    }

    /// Gives it away. For scripts together with `about`, under `token` for a key's and `secret` for an app's.
    pub fn give(self, output: Output, token: &Token, about: impl Serialize) -> io::Result<()> {
        let in_file = self.file.as_ref().map(|file| file.path.display().to_string());
        if let Some(file) = self.file {
            file.fill(token)?;
        }
        if output.is_json() {
            let text = in_file.is_none().then(|| token.reveal());
            let is_app = token.kind() == crate::crypto::token::TokenKind::AppSecret;
            let pick = |wanted: bool| move |value| Some(value).filter(|_| wanted);
            output.secret_value(&Handed {
                about,
                token: text.and_then(pick(!is_app)),
                secret: text.and_then(pick(is_app)),
                token_file: in_file.clone().filter(|_| !is_app),
                secret_file: in_file.filter(|_| is_app),
            })
        } else if in_file.is_some() {
            Ok(())
        } else {
            output.secret(token.reveal())
        }
    }

    /// Where it went, for the remark that follows: "Its token is …".
    pub fn where_it_is(path: Option<&Path>) -> String {
        path.map_or_else(|| "shown this once".into(), |path| format!("in {}", path.display()))
    }
}

/// A new file for a secret; gone again unless the secret was written to it.
struct SecretFile<'a> {
    path: &'a Path,
    file: File,
    keep: bool,
}

impl<'a> SecretFile<'a> {
    fn create(path: &'a Path) -> Result<Self, Fault> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|e| {
            Fault::usage(format!(
                "The file {} cannot be made: {e}. Name one that is not there yet. No secret was made.",
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

impl Drop for SecretFile<'_> {
    fn drop(&mut self) {
        if !self.keep {
            let _ = fs::remove_file(self.path);
        }
    }
}
