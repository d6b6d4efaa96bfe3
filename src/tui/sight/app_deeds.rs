//! What can be done to an app, and whether the rules would let it be done now: judged by the very function that
//! judges the command when it is run.

use crate::domain::{App, AppId, AppStatus, Command, Counted, Grace, NewApp, Place, Refusal, Rotation};
use crate::tui::action::{Action, Danger, Reason};
use crate::tui::sight::deeds::{may_edit, may_issue, objection};
use crate::tui::sight::seen::Seen;

/// Something done to an app that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppDeed {
    Pause,
    Resume,
    Delete,
    NewSecret,
    /// End the secret it had before.
    EndOld,
    /// End the present secret and leave the one before as it was.
    TakeBack,
    /// Replace the present secret, which nobody has used.
    Again,
}

impl AppDeed {
    /// What an action means for an app.
    pub const fn of(action: Action, app: &App) -> Option<Self> {
        Some(match (action, app.status) {
            (Action::Pause, AppStatus::Paused(_)) => Self::Resume,
            (Action::Pause, _) => Self::Pause,
            (Action::Delete, _) => Self::Delete,
            (Action::NewSecret | Action::Lost, _) => Self::NewSecret,
            (Action::FinishGrace, _) => Self::EndOld,
            (Action::CancelRotation, _) => Self::TakeBack,
            (Action::RotateAgain, _) => Self::Again,
            _ => return None,
        })
    }

    /// The command for one app.
    pub const fn command(self, app: &App) -> Command {
        match self {
            Self::Pause => Command::PauseApp(app.id),
            Self::Resume => Command::ResumeApp(app.id),
            Self::Delete => Command::DeleteApp(app.id),
            Self::NewSecret => Command::RenewAppSecret(app.id, None),
            Self::EndOld => Command::EndAppSecret(app.id),
            Self::TakeBack => Command::CancelAppSecret { app: app.id, epoch: Some(app.not_before) },
            Self::Again => Command::RepeatAppSecret(app.id),
        }
    }

    /// The verb on its button.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Pause => "Pause",
            Self::Resume => "Resume",
            Self::Delete => "Delete",
            Self::NewSecret => "New secret",
            Self::EndOld => "End",
            Self::TakeBack => "Take back",
            Self::Again => "Rotate",
        }
    }

    /// Whether it takes access away.
    pub const fn danger(self) -> Danger {
        match self {
            Self::Resume => Danger::Safe,
            Self::Pause | Self::Delete | Self::NewSecret | Self::EndOld | Self::TakeBack | Self::Again => {
                Danger::Dangerous
            }
        }
    }
}

/// A new secret for an app, whose old one works on for a day.
pub const fn rotate(app: AppId) -> Command {
    let rotation = Rotation { id: None, grace: Grace::DEFAULT, counted: Counted::FromNow, expiry: None };
    Command::RenewAppSecret(app, Some(rotation))
}

/// A day more for the old secret of an app.
pub const fn longer(app: AppId) -> Command {
    Command::LengthenAppSecret { app, by: Grace::DEFAULT }
}

/// All of an app as it is, as a wish.
fn as_it_is(app: &App) -> NewApp {
    NewApp {
        name: app.name.clone(),
        profile: app.profile.clone(),
        method: app.method,
        scopes: app.scopes.iter().map(ToString::to_string).collect(),
        terms: app.terms(),
    }
}

/// Why nothing is done, where the rules name a command line.
fn in_words(refusal: &Refusal) -> Reason {
    match refusal {
        Refusal::SecretInGrace { .. } => {
            "the secret it had before still works, and more than two are never alive".into()
        }
        Refusal::NoOldSecret { .. } => "it has one secret, and what has ended stays so".into(),
        Refusal::SecretUsed { .. } => "the new secret is in use: end the old one, then rotate again".into(),
        _ => refusal.to_string().into(),
    }
}

/// Why an action on an app is not possible, if it is not.
pub fn enabled(action: Action, app: Option<AppId>, seen: &Seen<'_>) -> Result<(), Reason> {
    let Some(app) = app.and_then(|id| seen.view.app(id)) else { return Err("there is no app here".into()) };
    let said = |refusal: Refusal| Err(in_words(&refusal));
    match action {
        Action::NewKey => may_issue(Place::App(app.id), seen).or_else(said),
        Action::Edit => {
            let same = Command::EditApp { app: app.id, change: as_it_is(app), basis: None };
            may_edit(&same, seen)
        }
        Action::Rotate => objection(&rotate(app.id), seen).map_or(Ok(()), said),
        Action::LongerGrace => objection(&longer(app.id), seen).map_or(Ok(()), said),
        _ => match AppDeed::of(action, app) {
            Some(deed) => objection(&deed.command(app), seen).map_or(Ok(()), said),
            None => Ok(()),
        },
    }
}
