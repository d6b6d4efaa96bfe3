//! What takes a deed on a key back, as far as a deed can be: what was ended stays ended. Told from what happened; whoever
//! takes it back changes nothing that somebody else made of the key meanwhile.

use minicbor::{Decode, Encode};

use super::basis::Basis;
use super::command::KeyEdit;
use super::{Command, Event, KeyId, Note, OperatorId, Refusal, Scopes, View};

/// How a deed is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Back {
    /// Of a pause.
    #[n(0)]
    Resume,
    /// Of a resumption.
    #[n(1)]
    Pause,
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
            Self::Pause => "the resumption",
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
            Self::Pause => "paused",
            Self::Give(_) => "with the former owner again",
            Self::Rescope(_) => "given the former scopes",
            Self::Edit(_) => "as before the edit",
            Self::Protect(_) => "protected again",
            Self::Unprotect => "protected no longer",
        }
    }

    /// Whether it may take access away.
    pub const fn denies(&self) -> bool {
        match self {
            Self::Pause | Self::Rescope(_) => true,
            Self::Resume | Self::Give(_) | Self::Edit(_) | Self::Protect(_) | Self::Unprotect => false,
        }
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Undo {
    /// Of which key.
    #[n(0)]
    pub key: KeyId,
    /// What the deed made of it.
    #[n(1)]
    became: Basis,
    /// How.
    #[n(2)]
    pub back: Back,
}

impl Undo {
    /// Of what happened, if it can be taken back.
    pub fn of(event: &Event) -> Option<Self> {
        let (key, back) = match event {
            Event::KeyPaused(key, false) => (key, Back::Resume),
            Event::KeyResumed(key) => (key, Back::Pause),
            Event::KeyGiven(key, _, from) => (key, Back::Give(*from)),
            Event::KeyRescoped(key, before) | Event::ReportOnlyEnforced(key, before) => {
                (key, Back::Rescope(before.clone()))
            }
            Event::KeyEdited(key, before) => (key, Back::Edit(Box::new(KeyEdit::of(before)))),
            Event::KeyProtected(key) => (key, Back::Unprotect),
            Event::KeyUnprotected(key, why) => (key, Back::Protect(why.clone())),
            // What ended stays ended, what was paused before is not resumed, and the rest changes no key or is no deed.
            Event::KeyPaused(_, true)
            | Event::AgencyFounded(..)
            | Event::SessionStarted(..)
            | Event::SessionEnded
            | Event::AgencyViewOpened
            | Event::AuditRead
            | Event::AuditExported
            | Event::OperatorAdded(..)
            | Event::RoleSet(..)
            | Event::SecretSet(..)
            | Event::RecoveryRenewed
            | Event::OperatorDisabled(..)
            | Event::OperatorEnabled(..)
            | Event::LocationAdded(..)
            | Event::LocationRenamed(..)
            | Event::LocationRemoved(..)
            | Event::LockedDown(..)
            | Event::LockdownLifted(..)
            | Event::KeyIssued(..)
            | Event::KeyRevoked(..)
            | Event::KeyDeleted(..)
            | Event::KeyRestored(..)
            | Event::AppCreated(..)
            | Event::AppEdited(..)
            | Event::AppSecretRenewed(..)
            | Event::AppPaused(..)
            | Event::AppResumed(..)
            | Event::AppDeleted(..)
            | Event::AppGiven(..)
            | Event::TokenRevoked(..)
            | Event::AppTokensEnded(..)
            | Event::SigningKeyAdded(..)
            | Event::KeyImported(..)
            | Event::ClockConfirmed(..)
            | Event::KeyKept(..)
            | Event::KeyHandedOver(..)
            | Event::NoticeGiven(..)
            | Event::NoticesRenewed(..)
            | Event::NoticeSeen(..)
            | Event::DeletionsHeld(..)
            | Event::BackupBegun
            | Event::BackedUp { .. }
            | Event::Upgraded { .. }
            | Event::AuditTrimmed(..)
            | Event::ReportOnlyBegun(..)
            | Event::ReportOnlyDropped(..)
            | Event::ReviewSigned(..)
            | Event::ReviewKept(..)
            | Event::AppHandedOver(..)
            | Event::StorePutBack(..)
            | Event::HoldConfirmed(..)
            | Event::KeyPurged(..)
            | Event::ChannelMoved(..)
            | Event::KeySucceeded(..)
            | Event::KeySuperseded(..)
            | Event::KeyReinstated(..)
            | Event::AppSecretReinstated(..)
            | Event::AppSecretEnds(..)
            | Event::AppSecretEnded(..)
            | Event::AppSecretMissed(..)
            | Event::PolicySet(..) => return None,
        };
        Some(Self { key: key.id, became: Basis::of_whole_key(key), back })
    }

    /// Of all that happened; both halves of a rotation are one key to people, and are taken back as one.
    pub fn of_all(events: &[Event], view: View<'_>) -> Vec<Self> {
        let mut all: Vec<Self> = events.iter().filter_map(Self::of).collect();
        let told: std::collections::HashSet<KeyId> = all.iter().map(|undo| undo.key).collect();
        all.retain(|undo| {
            let by = view.key(undo.key).and_then(|key| key.superseded.as_ref()).map(|how| how.by);
            by.is_none_or(|by| !told.contains(&by))
        });
        all
    }

    /// The command that takes it back.
    ///
    /// # Errors
    /// When the key is not in view, or is not what the deed made of it any more.
    pub fn command(&self, view: View<'_>) -> Result<Command, Refusal> {
        let key = view.key(self.key).ok_or(Refusal::NoSuchKey)?;
        Basis::holds(Some(self.became), Basis::of_whole_key(key), || {
            (format!("the key {}", key.name), "it is not what that made of it any more".to_owned())
        })?;
        let (id, basis) = (key.id, Some(Basis::of_key(key)));
        Ok(match &self.back {
            Back::Resume => Command::ResumeKey(id),
            Back::Pause => Command::PauseKey(id, None),
            Back::Give(to) => Command::TransferKey { key: id, to: *to },
            Back::Rescope(scopes) => {
                let scopes = scopes.iter().map(ToString::to_string).collect();
                Command::RescopeKey { key: id, scopes, basis }
            }
            Back::Edit(change) => Command::EditKey { key: id, change: (**change).clone(), basis },
            Back::Protect(why) => Command::ProtectKey { key: id, why: why.clone() },
            Back::Unprotect => Command::UnprotectKey(id),
        })
    }
}
