//! Handing a fresh secret over, once: to a file that nobody else can read, or sealed to somebody's public key. Whatever can be
//! refused is refused before the secret is made, so that none is made which cannot be handed over.
//!
//! - [`Handover`]: the way of one secret. [`Purse`]: where those of many keys go. `file`: files for secrets. `sealing`: public
//!   keys that a secret is sealed to.

mod file;
mod purse;
mod sealing;

use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub use self::file::{SecretFile, Variable, words_of};
pub use self::purse::Purse;
pub use self::sealing::Recipients;
use crate::domain::Note;
use crate::domain::handover::Way;

/// Whether secrets can be sealed to public keys in this build.
pub const SEALS: bool = cfg!(feature = "age");

/// Why a secret cannot go the way that was asked for. None was made.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// What is wrong with the words for it, and what to do.
    #[error("{0}")]
    Words(String),
    /// This build seals nothing.
    #[error(
        "This keydeck was built without age, so it seals nothing. Build it with --features age, or have the secret written to \
         a file."
    )]
    NotBuilt,
}

/// Where a secret goes.
pub struct Handover {
    file: Option<SecretFile>,
    /// The variable whose value it is in that file.
    name: Option<Variable>,
    recipients: Option<Recipients>,
}

/// A secret that went its way.
pub struct Gone {
    /// Which way, where it was not by being shown.
    pub way: Option<Way>,
    /// The file that holds it.
    pub file: Option<PathBuf>,
    /// What is to be shown where no file holds it: the secret, or what it is sealed in.
    pub text: Zeroizing<String>,
    /// Whether it is sealed.
    pub sealed: bool,
}

impl Handover {
    /// Opens the way: to this file, there as the value of a variable, sealed to these public keys or to those in these files.
    ///
    /// # Errors
    /// What is in the way.
    pub fn open(file: Option<&Path>, name: Option<&Variable>, seal_to: &[String]) -> Result<Self, Unfit> {
        let recipients = Recipients::read(seal_to)?;
        let file = match (file, name) {
            (None, _) => None,
            (Some(path), None) => Some(SecretFile::create(path)?),
            (Some(path), Some(name)) => Some(SecretFile::with_room_for(path, name)?),
        };
        Ok(Self { file, name: name.cloned(), recipients })
    }

    /// Has the secret go its way. In a file it outlives a power cut.
    ///
    /// # Errors
    /// The system's answer; nobody has it then.
    pub fn take(self, secret: &str) -> io::Result<Gone> {
        let sealed = self.recipients.as_ref().map(|to| to.seal(secret)).transpose()?;
        let is_sealed = sealed.is_some();
        let text = Zeroizing::new(sealed.unwrap_or_else(|| secret.to_owned()));
        let way = match (&self.recipients, &self.name, &self.file) {
            (Some(to), ..) => Some(Way::Sealed(to.called())),
            (None, Some(name), _) => Some(Way::Variable(name.as_note())),
            (None, None, Some(_)) => Some(Way::File),
            (None, None, None) => None,
        };
        let mut path = None;
        if let Some(mut file) = self.file {
            match &self.name {
                Some(name) => file.add(&Zeroizing::new(format!("{name}={}", text.trim_end())))?,
                None => file.add(&text)?,
            }
            path = Some(file.path().to_owned());
        }
        Ok(Gone { way, file: path, text, sealed: is_sealed })
    }
}

/// A text for the record; what has no room there is told by its beginning.
fn note(text: &str) -> Note {
    Note::new(text).unwrap_or_default()
}
