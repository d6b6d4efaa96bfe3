//! How errors travel: class, code and words always; what a front end decides by, as it is.

use std::time::Duration;

use minicbor::{Decode, Encode};

use crate::crypto::CryptoError;
use crate::engine::{Class, EngineError, OpenError};

/// An error on its way.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Fault {
    #[n(0)]
    class: Class,
    /// The short word for scripts.
    #[n(1)]
    pub code: String,
    /// The words.
    #[n(2)]
    pub text: String,
    #[n(3)]
    door: Option<DoorLine>,
}

/// Why somebody was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
enum DoorLine {
    #[n(0)]
    Throttled {
        #[n(0)]
        failed: u32,
        #[n(1)]
        wait_ms: u64,
    },
    #[n(1)]
    WrongSecret,
    #[n(2)]
    NoOperator,
    #[n(3)]
    OldHeader,
}

impl Fault {
    /// What was asked makes no sense, or is not for attached processes to ask.
    pub fn usage(code: &str, text: &str) -> Self {
        Self { class: Class::Usage, code: code.into(), text: text.into(), door: None }
    }

    /// A rule says no.
    pub fn refused(code: &str, text: &str) -> Self {
        Self { class: Class::Refused, code: code.into(), text: text.into(), door: None }
    }

    /// An error of the engine.
    pub fn of(error: &EngineError) -> Self {
        Self { class: error.class(), code: error.code().into(), text: error.to_string(), door: None }
    }

    /// Somebody was not let in.
    pub fn at_door(error: &OpenError) -> Self {
        let door = match error {
            OpenError::Engine(error) => return Self::of(error),
            OpenError::Throttled { failed, wait } => Some(DoorLine::Throttled {
                failed: *failed,
                wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            }),
            OpenError::Unseal(CryptoError::WrongSecret) => Some(DoorLine::WrongSecret),
            OpenError::NoOperator => Some(DoorLine::NoOperator),
            OpenError::OldHeader => Some(DoorLine::OldHeader),
            _ => None,
        };
        let (class, code) = if error.is_unseal() {
            (Class::Sealed, "cannot_unseal")
        } else {
            (Class::Unavailable, "store_unavailable")
        };
        Self { class, code: code.into(), text: error.to_string(), door }
    }

    /// As the engine would have said it.
    pub fn into_engine(self) -> EngineError {
        EngineError::Remote { class: self.class, code: self.code, text: self.text }
    }

    /// As the door would have said it.
    pub fn into_open(self) -> OpenError {
        match self.door {
            Some(DoorLine::Throttled { failed, wait_ms }) => {
                OpenError::Throttled { failed, wait: Duration::from_millis(wait_ms) }
            }
            Some(DoorLine::WrongSecret) => OpenError::Unseal(CryptoError::WrongSecret),
            Some(DoorLine::NoOperator) => OpenError::NoOperator,
            Some(DoorLine::OldHeader) => OpenError::OldHeader,
            None => OpenError::Engine(self.into_engine()),
        }
    }
}
