//! The texts of a command. Names and notes are read from the store without a second look, for keydeck sealed what it had
//! looked at. A command may come from a file or from another process, and its texts go to everybody's screen: so they are
//! looked at before it is judged.

use super::{Back, Command, KeyEdit, NewApp, NewKey, Undo};
use crate::domain::handover::Way;
use crate::domain::name::BadText;
use crate::domain::{Motive, Name, Note, Refusal};

impl Command {
    /// Each text in it is one that could be typed, in the form in which it is kept.
    ///
    /// # Errors
    /// The first that is not, by its field.
    pub fn is_typed(&self) -> Result<(), Refusal> {
        match self {
            Self::Found { agency, operator } => name("agency", agency).and(name("name", operator)),
            Self::AddOperator { name: new, .. } | Self::RenameLocation { name: new, .. } => name("name", new),
            Self::AddLocations(names) => names.iter().try_for_each(|new| name("name", new)),
            Self::IssueKey(new) | Self::ImportKey(new, _) => new_key(new),
            Self::EditKey { change, .. } => key_edit(change),
            Self::CreateApp(new) | Self::EditApp { change: new, .. } => app(new),
            Self::LockDown { why, .. } | Self::ProtectKey { why, .. } => note("why", why),
            Self::RevokeKey(_, Motive { because: why, .. }) => note("because", why),
            Self::SignReview { note: said, kept, .. } => {
                kept.iter().try_for_each(|keep| note("why", &keep.why)).and(note("note", said))
            }
            Self::HandOver { way, .. } | Self::HandOverSecret { way, .. } => match way {
                Way::Variable(to) | Way::Sealed(to) => note("way", to),
                Way::File => Ok(()),
            },
            Self::TakeBack(Undo { back, .. }) => match back {
                Back::Edit(change) => key_edit(change),
                Back::Protect(why) => note("why", why),
                Back::Resume | Back::Pause(_) | Back::Give(_) | Back::Rescope(_) | Back::Unprotect => Ok(()),
            },
            Self::Each(together) => together.commands().iter().try_for_each(Self::is_typed),
            // What is a text in these is parsed where it is judged.
            Self::StartSession { .. }
            | Self::EndSession
            | Self::OpenAgencyView
            | Self::ReadAudit
            | Self::ExportAudit
            | Self::SetRole { .. }
            | Self::SetSecret(..)
            | Self::ReplaceRecovery
            | Self::DisableOperator { .. }
            | Self::EnableOperator(..)
            | Self::RemoveLocation { .. }
            | Self::LiftLockdown { .. }
            | Self::PauseKey(..)
            | Self::ResumeDue
            | Self::ResumeKey(..)
            | Self::DeleteKey(..)
            | Self::RestoreKey(..)
            | Self::RescopeKey { .. }
            | Self::BeginReportOnly { .. }
            | Self::EnforceReportOnly { .. }
            | Self::DropReportOnly(..)
            | Self::RenewAppSecret(..)
            | Self::RepeatAppSecret(..)
            | Self::CancelAppSecret { .. }
            | Self::EndAppSecret(..)
            | Self::LengthenAppSecret { .. }
            | Self::PauseApp(..)
            | Self::ResumeApp(..)
            | Self::DeleteApp(..)
            | Self::RevokeToken { .. }
            | Self::RotateSigningKey
            | Self::ConfirmClock
            | Self::RotateKey { .. }
            | Self::RepeatRotation(..)
            | Self::CancelRotation(..)
            | Self::LengthenGrace { .. }
            | Self::StartGraces
            | Self::EndGraces
            | Self::KeepKey(..)
            | Self::UnprotectKey(..)
            | Self::TransferKey { .. }
            | Self::BackUp
            | Self::CloseBackup { .. }
            | Self::Upgrade { .. }
            | Self::PutBack { .. }
            | Self::TrimAudit { .. }
            | Self::ConfirmHold { .. }
            | Self::AckNotice(..)
            | Self::SnoozeNotice { .. }
            | Self::GiveNotices
            | Self::RenewNotices
            | Self::DeleteUnused
            | Self::HoldDeletions
            | Self::ClearEnded
            | Self::PurgeDeleted
            | Self::MoveChannel { .. }
            | Self::EmptyChannel { .. }
            | Self::SetPolicy { .. } => Ok(()),
        }
    }
}

fn new_key(new: &NewKey) -> Result<(), Refusal> {
    name("name", &new.name).and(note("note", &new.note))
}

fn key_edit(change: &KeyEdit) -> Result<(), Refusal> {
    name("name", &change.name).and(note("note", &change.note))
}

fn app(new: &NewApp) -> Result<(), Refusal> {
    name("name", &new.name).and(note("description", &new.profile.description))
}

fn name(field: &'static str, given: &Name) -> Result<(), Refusal> {
    typed(field, Name::new(given.as_str()), given)
}

fn note(field: &'static str, given: &Note) -> Result<(), Refusal> {
    typed(field, Note::new(given.as_str()), given)
}

fn typed<T: PartialEq>(field: &'static str, kept: Result<T, BadText>, given: &T) -> Result<(), Refusal> {
    match kept {
        Ok(kept) if kept == *given => Ok(()),
        Ok(_) => Err(Refusal::BadText { field, why: BadText::Untidy }),
        Err(why) => Err(Refusal::BadText { field, why }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::basis::Basis;
    use crate::domain::command::Together;
    use crate::domain::lockdown::Extent;
    use crate::domain::review::Keep;
    use crate::domain::{AppId, Expiry, KeyId, LocationId, Place, PublicId, Role, Why};

    /// As it is read where nobody looks at it.
    fn read<T: for<'b> minicbor::Decode<'b, ()>>(text: &str) -> T {
        minicbor::decode(&minicbor::to_vec(text).unwrap()).unwrap()
    }

    fn id() -> PublicId {
        "7K3MQ9TX2MB4".parse().unwrap()
    }

    /// A command of each kind that holds texts, with this one in each field of its kind.
    fn with(name: &str, note: &str) -> Vec<Command> {
        let key = KeyId(id());
        let new = NewKey {
            name: read(name),
            place: Place::Agency,
            scopes: Vec::new(),
            expiry: None,
            note: read(note),
            decoy: false,
        };
        let change = KeyEdit {
            name: read(name),
            note: read(note),
            expiry: Expiry::Never,
            notice_days: None,
            contacts: crate::domain::Contacts::default(),
        };
        let basis = None::<Basis>;
        let edit = Command::EditKey { key, change: change.clone(), basis };
        vec![
            Command::Found { agency: read(name), operator: Name::new("Maria").unwrap() },
            Command::Found { agency: Name::new("Acme").unwrap(), operator: read(name) },
            Command::AddOperator { name: read(name), role: Role::Manager },
            Command::AddLocations(vec![Name::new("Rome").unwrap(), read(name)]),
            Command::RenameLocation { location: LocationId(id()), name: read(name), basis },
            Command::IssueKey(new.clone()),
            Command::ImportKey(new, None),
            edit.clone(),
            Command::Each(Together::of(vec![edit]).unwrap()),
            Command::LockDown { what: Extent::Agency, why: read(note) },
            Command::RevokeKey(key, Motive { why: Why::Other, because: read(note) }),
            Command::SignReview {
                looked: Vec::new(),
                kept: vec![Keep { key, why: read(note) }],
                note: Note::default(),
            },
            Command::SignReview { looked: Vec::new(), kept: Vec::new(), note: read(note) },
            Command::ProtectKey { key, why: read(note) },
            Command::HandOver { key, way: Way::Sealed(read(note)) },
            Command::HandOverSecret { app: AppId(id()), way: Way::Variable(read(note)) },
        ]
    }

    #[test]
    fn a_text_that_nobody_could_type_is_refused_in_whichever_command_it_comes() {
        for good in with("Nightly export", "for the ledger") {
            assert_eq!(good.is_typed(), Ok(()), "{good:?}");
        }
        for bad in ["a\u{1b}[31m", "two\nlines", "a\u{202e}b", " a ", "a  b", "e\u{301}"] {
            for forged in with(bad, bad) {
                let why = forged.is_typed().unwrap_err();
                assert!(matches!(why, Refusal::BadText { .. }), "{forged:?}: {why:?}");
            }
        }
        let named = with("", "").into_iter().filter(|command| command.is_typed().is_err()).count();
        assert_eq!(named, 9, "a name may not be empty, a note may");
    }
}
