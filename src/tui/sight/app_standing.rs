//! How an app stands, in the words of the screens, and the short words of its columns.

use crate::domain::catalog::AuthMethod;
use crate::domain::{App, AppStatus, Reason, SourceApp, Timestamp, UserType};
use crate::tui::sight::seen::{REFUSED_IN_DOUBT, REFUSED_WITH_ITS_OWNER, Seen, Standing, locked_down};

/// How an app stands. The verifier says whether it works, and so what the screen may say of it.
pub fn standing(app: &App, seen: &Seen<'_>) -> Standing {
    match (seen.view.app_refused(app), app.status) {
        (None, _) => match app.old_secret(seen.now()) {
            Some(old) => Standing::InGrace(old.until.instant().map(|at| at.since(seen.now()))),
            None => Standing::Active,
        },
        (Some(_), AppStatus::Deleted(_)) => Standing::Deleted,
        (Some(Reason::StoreError), _) => Standing::InDoubt,
        (Some(Reason::LockedDown), _) => Standing::LockedDown,
        (Some(Reason::OwnerDisabled), _) | (Some(_), AppStatus::Active) => Standing::OwnerStopped,
        (Some(_), AppStatus::Paused(_)) => Standing::Paused,
    }
}

/// What that means, and what to do about it.
pub fn means(app: &App, seen: &Seen<'_>) -> String {
    match (standing(app, seen), app.status) {
        (Standing::Active, _) if app.method == AuthMethod::ApiKey && live_keys(app, seen) == 0 => {
            "Nothing can call with it yet: it has no key that works.".to_owned()
        }
        (Standing::Active, _) => "It works.".to_owned(),
        (Standing::InGrace(Some(ms)), _) => {
            let ends = seen.times.minute(Timestamp(seen.now().0.saturating_add(ms)));
            format!("It works, and so does the secret it had before, until {ends}.")
        }
        (Standing::InGrace(None), _) => {
            "It works, and so does the secret it had before, until the new one has been in use for the grace."
                .to_owned()
        }
        (Standing::Paused, AppStatus::Paused(at)) => format!(
            "Paused on {}. Its keys and access tokens are refused until it is resumed.",
            seen.times.minute(at)
        ),
        (Standing::Deleted, AppStatus::Deleted(at)) => {
            format!("Deleted on {}, its keys with it. That is final.", seen.times.minute(at))
        }
        (Standing::InDoubt, _) => REFUSED_IN_DOUBT.to_owned(),
        (Standing::LockedDown, _) => locked_down(&seen.view.lockdowns_of_app(app), seen),
        _ => REFUSED_WITH_ITS_OWNER.to_owned(),
    }
}

/// How it authenticates, in a word or two.
pub const fn method_word(method: AuthMethod) -> &'static str {
    match method {
        AuthMethod::ApiKey => "API key",
        AuthMethod::Jwt => "tokens",
        AuthMethod::ResourceServer => "checks",
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

pub fn live_keys(app: &App, seen: &Seen<'_>) -> usize {
    seen.view.keys_of_app(app.id).filter(|key| key.state(seen.now()).is_live()).count()
}
