//! What may be asked of apps in a filter line: `state:paused`, `method:tokens`, `source:bot`, `user:guest`, and what
//! words are looked for in. The grammar around it is [`filter`]'s.

use crate::domain::filter::{self, needs};
use crate::domain::name::plain;
use crate::domain::{App, AppStatus};
use crate::tui::sight::app_standing::{method_word, source_word, standing};
use crate::tui::sight::seen::{IN_DOUBT, LOCKED_DOWN, Seen, Standing};

/// Something asked of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    State(String),
    /// Refused although nobody paused it.
    Stopped(&'static [Standing]),
    Method(String),
    Source(String),
    User(String),
    Scope(String),
    Owner(String),
}

impl Term {
    /// Whether it holds for an app.
    pub fn fits(&self, app: &App, seen: &Seen<'_>) -> bool {
        match self {
            Self::State(wanted) => {
                let status = match app.status {
                    AppStatus::Active => "active",
                    AppStatus::Paused(_) => "paused",
                    AppStatus::Deleted(_) => "deleted",
                };
                status == wanted
            }
            Self::Stopped(as_shown) => as_shown.contains(&standing(app, seen)),
            Self::Method(wanted) => plain(method_word(app.method)).contains(wanted.as_str()),
            Self::Source(wanted) => {
                let source = app.profile.source;
                plain(source_word(source)).contains(wanted.as_str())
                    || source.code().contains(wanted.as_str())
            }
            Self::User(wanted) => app.profile.user_type.code().contains(wanted.as_str()),
            Self::Scope(wanted) => app.scopes.iter().any(|scope| scope.as_str().contains(wanted.as_str())),
            Self::Owner(wanted) => plain(seen.view.app_owner_name(app)).contains(wanted.as_str()),
        }
    }
}

impl filter::Term for Term {
    const EXAMPLES: &'static str =
        "state:paused  method:tokens  NOT source:bot  user:guest  scope:contacts.read  owner:jonas";
    const FIELDS: &'static str = "state: method: source: user: scope: owner:";

    fn read(field: &str, sign: char, value: String) -> Option<Result<Self, String>> {
        Some(match (field, value.as_str()) {
            ("state", "active" | "paused" | "deleted") => Ok(Self::State(value)),
            ("state", "stopped") => {
                Ok(Self::Stopped(&[Standing::LockedDown, Standing::OwnerStopped, Standing::InDoubt]))
            }
            ("state", "owner stopped") => Ok(Self::Stopped(&[Standing::OwnerStopped])),
            ("state", LOCKED_DOWN) => Ok(Self::Stopped(&[Standing::LockedDown])),
            ("state", IN_DOUBT) => Ok(Self::Stopped(&[Standing::InDoubt])),
            ("state", _) => needs(field, sign, "active, paused, stopped or deleted"),
            ("method", "") => needs(field, sign, "key or tokens"),
            ("method", "jwt") => Ok(Self::Method("tokens".to_owned())),
            ("method", _) => Ok(Self::Method(value)),
            ("source", "") => needs(field, sign, "a source app: cma, webstore, client or bot"),
            ("source", _) => Ok(Self::Source(value)),
            ("user", "guest" | "guests") => Ok(Self::User("guest".to_owned())),
            ("user", "employee" | "employees") => Ok(Self::User("employee".to_owned())),
            ("user", _) => needs(field, sign, "guest or employee"),
            ("scope", "") => needs(field, sign, "a scope, such as contacts.read"),
            ("scope", _) => Ok(Self::Scope(value)),
            ("owner", "") => needs(field, sign, "a name"),
            ("owner", _) => Ok(Self::Owner(value)),
            _ => return None,
        })
    }

    fn reveals(&self) -> bool {
        matches!(self, Self::State(state) if state == "deleted")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::filter::Filter;

    type Query = Filter<Term>;

    #[test]
    fn terms_of_apps_are_read() {
        let query = Query::parse("Booking state:paused method:jwt https://example.com NOT user:guests");
        assert!(query.mistakes.is_empty() && !query.reveals());
        assert!(Query::parse("state:deleted").reveals());
        assert!(Query::parse("state:stopped state:\"owner stopped\" state:\"in doubt\"").mistakes.is_empty());
        for (text, said) in [
            ("state:purple", "state: needs active, paused, stopped or deleted"),
            ("user:robot", "user: needs guest or employee"),
            ("scope:", "scope: needs a scope"),
            ("colour:red", "there is no filter colour:"),
        ] {
            assert!(Query::parse(text).mistakes[0].starts_with(said), "{text}");
        }
    }
}
