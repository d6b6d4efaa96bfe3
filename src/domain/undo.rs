//! What takes a deed on a key back, as far as a deed can be: what was ended stays ended. Told from what happened; whoever
//! takes it back changes nothing that somebody else made of the key meanwhile.

use super::basis::Basis;
pub use super::command::Undo;
use super::command::{Back, KeyEdit};
use super::{Command, Event, Key, KeyId, Refusal, View};

impl Undo {
    /// Of what happened, if it can be taken back.
    pub fn of(event: &Event) -> Option<Self> {
        let (key, back) = match event {
            Event::KeyPaused(key, false) => (key, Back::Resume),
            Event::KeyResumed(key, ends) => (key, Back::Pause(*ends)),
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
    /// When the key is not in view, or is not what the deed made of it any more. Both are judged again when it is run.
    pub fn command(&self, view: View<'_>) -> Result<Command, Refusal> {
        self.holds_of(view.key(self.key).ok_or(Refusal::NoSuchKey)?)?;
        Ok(Command::TakeBack(self.clone()))
    }

    /// Refuses where somebody made something else of the key since.
    pub(super) fn holds_of(&self, key: &Key) -> Result<(), Refusal> {
        Basis::holds(Some(self.became), Basis::of_whole_key(key), || {
            ("the key".to_owned(), "it is not what that made of it any more".to_owned())
        })
    }
}
