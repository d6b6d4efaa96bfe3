//! What can be done to an app, and whether the rules would let it be done now: judged by the very function that
//! judges the command when it is run.

use crate::domain::{App, AppId, AppStatus, Command, NewApp, Place, Refusal};
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
}

impl AppDeed {
    /// What an action means for an app.
    pub const fn of(action: Action, app: &App) -> Option<Self> {
        Some(match (action, app.status) {
            (Action::Pause, AppStatus::Paused(_)) => Self::Resume,
            (Action::Pause, _) => Self::Pause,
            (Action::Delete, _) => Self::Delete,
            (Action::NewSecret, _) => Self::NewSecret,
            _ => return None,
        })
    }

    /// The command for one app.
    pub const fn command(self, app: AppId) -> Command {
        match self {
            Self::Pause => Command::PauseApp(app),
            Self::Resume => Command::ResumeApp(app),
            Self::Delete => Command::DeleteApp(app),
            Self::NewSecret => Command::RenewAppSecret(app, None),
        }
    }

    /// The verb on its button.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Pause => "Pause",
            Self::Resume => "Resume",
            Self::Delete => "Delete",
            Self::NewSecret => "New secret",
        }
    }

    /// Whether it takes access away.
    pub const fn danger(self) -> Danger {
        match self {
            Self::Resume => Danger::Safe,
            Self::Pause | Self::Delete | Self::NewSecret => Danger::Dangerous,
        }
    }
}

/// All of an app as it is, as a wish.
fn as_it_is(app: &App) -> NewApp {
    NewApp {
        name: app.name.clone(),
        profile: app.profile.clone(),
        method: app.method,
        scopes: app.scopes.iter().map(ToString::to_string).collect(),
    }
}

/// Why an action on an app is not possible, if it is not.
pub fn enabled(action: Action, app: Option<AppId>, seen: &Seen<'_>) -> Result<(), Reason> {
    let Some(app) = app.and_then(|id| seen.view.app(id)) else { return Err("there is no app here".into()) };
    let said = |refusal: Refusal| Err(Reason::from(refusal.to_string()));
    match action {
        Action::NewKey => may_issue(Place::App(app.id), seen).or_else(said),
        Action::Edit => {
            let same = Command::EditApp { app: app.id, change: as_it_is(app), basis: None };
            may_edit(&same, seen)
        }
        _ => match AppDeed::of(action, app) {
            Some(deed) => objection(&deed.command(app.id), seen).map_or(Ok(()), said),
            None => Ok(()),
        },
    }
}
