//! How an app stands, in the words of the screens, and the short words of its columns.

use crate::domain::catalog::AuthMethod;
use crate::domain::{App, AppStatus, Reason, SourceApp, Timestamp, UserType};
use crate::tui::sight::seen::{IN_DOUBT, REFUSED_IN_DOUBT, Seen};
use crate::tui::theme::Badge;

/// How an app stands, as a person would say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Refused because the store does not vouch for it.
    InDoubt,
    /// Refused because its owner's keys were stopped.
    OwnerStopped,
    /// Stopped for a while.
    Paused(Timestamp),
    Active,
    Deleted(Timestamp),
}

impl Standing {
    pub fn of(app: &App, seen: &Seen<'_>) -> Self {
        // The verifier says whether it works, and so what the screen may say of it.
        match (seen.view.app_refused(app), app.status) {
            (None, _) => Self::Active,
            (Some(_), AppStatus::Deleted(at)) => Self::Deleted(at),
            (Some(Reason::StoreError), _) => Self::InDoubt,
            (Some(Reason::OwnerDisabled), _) | (Some(_), AppStatus::Active) => Self::OwnerStopped,
            (Some(_), AppStatus::Paused(at)) => Self::Paused(at),
        }
    }

    /// Its sign and look.
    pub const fn badge(self) -> Badge {
        match self {
            Self::Active => Badge::Active,
            Self::Paused(_) => Badge::Paused,
            Self::InDoubt | Self::OwnerStopped => Badge::Pending,
            Self::Deleted(_) => Badge::Deleted,
        }
    }

    /// Its words, at most 16 cells.
    pub const fn words(self) -> &'static str {
        match self {
            Self::InDoubt => IN_DOUBT,
            Self::OwnerStopped => "owner stopped",
            other => other.badge().word(),
        }
    }

    /// Whether requests of the app are allowed now.
    pub const fn works(self) -> bool {
        matches!(self, Self::Active)
    }

    /// What it means, and what to do about it.
    pub fn means(self, seen: &Seen<'_>) -> String {
        match self {
            Self::Active => "It works.".to_owned(),
            Self::Paused(at) => format!(
                "Paused on {}. Its keys and access tokens are refused until it is resumed.",
                seen.times.minute(at)
            ),
            Self::InDoubt => REFUSED_IN_DOUBT.to_owned(),
            Self::OwnerStopped => {
                "Refused: its owner was disabled and their keys stopped. An admin can give it to somebody else."
                    .to_owned()
            }
            Self::Deleted(at) => {
                format!("Deleted on {}, its keys with it. That is final.", seen.times.minute(at))
            }
        }
    }
}

/// How it authenticates, in a word or two.
pub const fn method_word(method: AuthMethod) -> &'static str {
    match method {
        AuthMethod::ApiKey => "API key",
        AuthMethod::Jwt => "tokens",
    }
}

/// What kind of app it is, in a word or two.
pub const fn source_word(source: SourceApp) -> &'static str {
    match source {
        SourceApp::ExternalCma => "mobile app",
        SourceApp::ExternalWebstore => "web store",
        SourceApp::ClientApp => "client app",
        SourceApp::Bot => "bot",
    }
}

/// Who signs in through it, in a word.
pub const fn user_word(user: UserType) -> &'static str {
    match user {
        UserType::Guest => "guests",
        UserType::Employee => "employees",
        UserType::Both => "both",
    }
}

/// When a key or an access token of the app was last used.
pub fn last_used(app: &App, seen: &Seen<'_>) -> Option<Timestamp> {
    let keys = seen.view.keys_of_app(app.id).filter_map(|key| seen.usage(key).last_used_at);
    keys.chain(seen.view.app_usage(app).last_used_at).max()
}

pub fn live_keys(app: &App, seen: &Seen<'_>) -> usize {
    seen.view.keys_of_app(app.id).filter(|key| key.state(seen.now()).is_live()).count()
}
