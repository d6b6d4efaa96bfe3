//! What a command that takes a deed on a key back carries: which key, what the deed made of it, and how it is taken back.

use minicbor::{Decode, Encode};

use super::{CommandKind, KeyEdit};
use crate::domain::basis::Basis;
use crate::domain::{KeyId, Note, OperatorId, Scopes, Timestamp};

/// How a deed is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Back {
    /// Of a pause.
    #[n(0)]
    Resume,
    /// Of a resumption; when the pause would have ended by itself, if it would.
    #[n(1)]
    Pause(#[n(0)] Option<Timestamp>),
    /// Of a change of owner.
    #[n(2)]
    Give(#[n(0)] OperatorId),
    /// Of other scopes.
    #[n(3)]
    Rescope(#[n(0)] Scopes),
    /// Of an edit: another end, or whatever it was.
    #[n(4)]
    Edit(#[n(0)] Box<KeyEdit>),
    /// Of the end of a protection, which had this reason.
    #[n(5)]
    Protect(#[n(0)] Note),
    /// Of a protection.
    #[n(6)]
    Unprotect,
}

impl Back {
    /// What is taken back, as a noun: `the pause`.
    pub const fn what(&self) -> &'static str {
        match self {
            Self::Resume => "the pause",
            Self::Pause(_) => "the resumption",
            Self::Give(_) => "the change of owner",
            Self::Rescope(_) => "the change of scopes",
            Self::Edit(_) => "the edit",
            Self::Protect(_) => "the end of the protection",
            Self::Unprotect => "the protection",
        }
    }

    /// What a key is afterwards.
    pub const fn done(&self) -> &'static str {
        match self {
            Self::Resume => "active again",
            Self::Pause(None) => "paused",
            Self::Pause(Some(_)) => "paused as before, for as long",
            Self::Give(_) => "with the former owner again",
            Self::Rescope(_) => "given the former scopes",
            Self::Edit(_) => "as before the edit",
            Self::Protect(_) => "protected again",
            Self::Unprotect => "protected no longer",
        }
    }

    /// What is done to the key, as the trail has it.
    pub(super) const fn kind(&self) -> CommandKind {
        match self {
            Self::Resume => CommandKind::ResumeKey,
            Self::Pause(_) => CommandKind::PauseKey,
            Self::Give(_) => CommandKind::TransferKey,
            Self::Rescope(_) => CommandKind::RescopeKey,
            Self::Edit(_) => CommandKind::EditKey,
            Self::Protect(_) => CommandKind::ProtectKey,
            Self::Unprotect => CommandKind::UnprotectKey,
        }
    }

    /// Whether it may take access away.
    pub const fn denies(&self) -> bool {
        match self {
            Self::Pause(_) | Self::Rescope(_) => true,
            Self::Resume | Self::Give(_) | Self::Edit(_) | Self::Protect(_) | Self::Unprotect => false,
        }
    }
}

/// See the module. It is judged on what the deed made of the key, so that nobody's change in between is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Undo {
    /// Of which key.
    #[n(0)]
    pub key: KeyId,
    /// What the deed made of it.
    #[n(1)]
    pub(in crate::domain) became: Basis,
    /// How.
    #[n(2)]
    pub back: Back,
}
