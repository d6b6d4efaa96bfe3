//! Why a command did not do what was asked: the words for a person, the code for a script, the number for the
//! shell. Everything that goes wrong below this folder becomes a [`Fault`] here and nowhere else.

use std::borrow::Cow;
use std::fmt;

use crate::crypto::CryptoError;
use crate::domain::Refusal;
use crate::domain::name::BadText;
use crate::engine::backup::BackupError;
use crate::engine::{Class, EngineError, OpenError};

/// What the shell is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Refused by a rule, or not found.
    Refused = 1,
    /// Wrong words on the command line, or a terminal is needed and there is none.
    Usage = 2,
    /// The store cannot be used.
    Unavailable = 3,
    /// The store cannot be unsealed.
    Sealed = 4,
}

impl From<Class> for Exit {
    fn from(class: Class) -> Self {
        match class {
            Class::Refused => Self::Refused,
            Class::Unavailable => Self::Unavailable,
            Class::Sealed => Self::Sealed,
            Class::Usage => Self::Usage,
        }
    }
}

/// A failure, told to the person who asked.
#[derive(Debug)]
pub struct Fault {
    exit: Exit,
    code: Cow<'static, str>,
    message: String,
}

impl Fault {
    /// A rule said no, or there is no such thing.
    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, code: code.into(), message: message.into() }
    }

    /// The command line cannot be carried out as written.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, code: "usage".into(), message: message.into() }
    }

    /// A person at a terminal is needed.
    pub fn no_terminal(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, code: "no_terminal".into(), message: message.into() }
    }

    /// The store, or something it needs, cannot be used.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self { exit: Exit::Unavailable, code: "store_unavailable".into(), message: message.into() }
    }

    /// The store stays sealed.
    pub fn sealed(message: impl Into<String>) -> Self {
        Self { exit: Exit::Sealed, code: "cannot_unseal".into(), message: message.into() }
    }

    /// A text that cannot be the name or note it is meant to be.
    pub fn bad_text(field: &'static str, why: BadText) -> Self {
        let refusal = Refusal::BadText { field, why };
        Self { exit: Exit::Usage, code: refusal.code().into(), message: refusal.to_string() }
    }

    /// What the shell is told.
    pub const fn exit(&self) -> Exit {
        self.exit
    }

    /// A short word for scripts.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The same failure, with what it means here said in front.
    #[must_use]
    pub fn because(mut self, what: &str) -> Self {
        self.message = format!("{what} {}", self.message);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::refused(refusal.code(), refusal.to_string())
    }
}

impl From<EngineError> for Fault {
    fn from(error: EngineError) -> Self {
        Self { exit: error.class().into(), code: error.code().to_owned().into(), message: error.to_string() }
    }
}

impl From<OpenError> for Fault {
    fn from(error: OpenError) -> Self {
        let (exit, code) = match error {
            OpenError::Engine(error) => return error.into(),
            OpenError::Exists(_) => (Exit::Refused, "store_exists"),
            OpenError::Throttled { .. } => (Exit::Sealed, "too_many_attempts"),
            OpenError::Unseal(_) | OpenError::NoOperator | OpenError::OldHeader | OpenError::Unproven(_) => {
                (Exit::Sealed, "cannot_unseal")
            }
            OpenError::PerhapsFounded { .. } => (Exit::Unavailable, "recovery_code_lost"),
            OpenError::File { .. } | OpenError::Channels(_) => (Exit::Usage, "bad_file"),
            OpenError::Clock(_) => (Exit::Unavailable, "clock_before_1970"),
            OpenError::Store(_) | OpenError::Unfounded => (Exit::Unavailable, "store_unavailable"),
        };
        Self { exit, code: code.into(), message: error.to_string() }
    }
}

impl From<BackupError> for Fault {
    fn from(error: BackupError) -> Self {
        let exit = match error {
            BackupError::Engine(error) => return error.into(),
            BackupError::Open(error) => return error.into(),
            BackupError::Unseal(_) | BackupError::WrongLock | BackupError::Locked => Exit::Sealed,
            BackupError::Io(_) | BackupError::Foreign(_) => Exit::Usage,
            BackupError::Damaged { .. }
            | BackupError::Unproven(_)
            | BackupError::Older { .. }
            | BackupError::NotEmpty(_)
            | BackupError::Outrun
            | BackupError::BrokenOff => Exit::Refused,
        };
        Self { exit, code: error.code().to_owned().into(), message: error.to_string() }
    }
}

impl From<CryptoError> for Fault {
    fn from(error: CryptoError) -> Self {
        EngineError::from(error).into()
    }
}
