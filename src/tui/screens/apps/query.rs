//! What a filter line over the apps means: words that must all be found, and terms such as `state:paused`,
//! `method:tokens`, `source:bot`, `user:guest`. A term that means nothing is told. Pure text; knows no table.

use super::standing::{Standing, method_word, source_word};
use crate::domain::App;
use crate::domain::name::plain;
use crate::tui::screens::keys::seen::Seen;

/// The filters there are, for the line under an empty filter.
pub const TERMS: &str =
    "state:paused  method:tokens  source:bot  user:guest  scope:contacts.read  owner:jonas";

#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    State(String),
    Method(String),
    Source(String),
    User(String),
    Scope(String),
    Owner(String),
}

/// A filter line that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    words: Vec<String>,
    terms: Vec<Term>,
    /// Terms that mean nothing, in words for the person who typed them.
    pub mistakes: Vec<String>,
}

impl Query {
    /// Reads a filter line.
    pub fn parse(text: &str) -> Self {
        let mut query = Self::default();
        for word in text.split_whitespace() {
            match term(word) {
                Ok(Some(term)) => query.terms.push(term),
                Ok(None) => query.words.push(plain(word)),
                Err(mistake) => query.mistakes.push(mistake),
            }
        }
        query
    }

    /// Whether deleted apps were asked for; otherwise they stay out of sight.
    pub fn wants_deleted(&self) -> bool {
        self.terms.contains(&Term::State("deleted".to_owned()))
    }

    /// Whether an app is among those asked for.
    pub fn fits(&self, app: &App, seen: &Seen<'_>) -> bool {
        let text = || {
            let owner = seen.view.app_owner_name(app);
            let (uri, about) = (app.profile.uri.as_str(), app.profile.description.as_str());
            plain(&format!("{}\n{}\n{}\n{uri}\n{about}\n{owner}", app.name, app.id, app.secret_hint()))
        };
        let found = self.words.is_empty() || {
            let text = text();
            self.words.iter().all(|word| text.contains(word.as_str()))
        };
        let deleted = self.wants_deleted() || !app.is_deleted();
        found && deleted && self.terms.iter().all(|term| term.fits(app, seen))
    }
}

impl Term {
    fn fits(&self, app: &App, seen: &Seen<'_>) -> bool {
        match self {
            Self::State(wanted) => {
                Standing::of(app, seen).badge().word() == wanted || (wanted == "active" && app.is_active())
            }
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

/// A term, `None` for an ordinary word, or what is wrong with it.
fn term(word: &str) -> Result<Option<Term>, String> {
    let Some((field, value)) = word.split_once(':').filter(|(field, _)| !field.is_empty()) else {
        return Ok(None);
    };
    let (field, value) = (field.to_ascii_lowercase(), plain(value));
    // Anything else with a colon is a text somebody looks for, such as an address.
    if !field.bytes().all(|b| b.is_ascii_alphabetic()) || value.starts_with("//") {
        return Ok(None);
    }
    let needs = |what: &str| Err(format!("{field}: needs {what}"));
    Ok(Some(match (field.as_str(), value.as_str()) {
        ("state", "active" | "paused" | "deleted") => Term::State(value),
        ("state", _) => return needs("active, paused or deleted"),
        ("method", "") => return needs("key or tokens"),
        ("method", "jwt") => Term::Method("tokens".to_owned()),
        ("method", _) => Term::Method(value),
        ("source", "") => return needs("a source app: cma, webstore, client or bot"),
        ("source", _) => Term::Source(value),
        ("user", "guest" | "guests") => Term::User("guest".to_owned()),
        ("user", "employee" | "employees") => Term::User("employee".to_owned()),
        ("user", _) => return needs("guest or employee"),
        ("scope", "") => return needs("a scope, such as contacts.read"),
        ("scope", _) => Term::Scope(value),
        ("owner", "") => return needs("a name"),
        ("owner", _) => Term::Owner(value),
        _ => {
            return Err(format!(
                "there is no filter {field}:; there are state: method: source: user: scope: owner:"
            ));
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_terms_are_told_apart() {
        let query = Query::parse("Booking state:paused method:jwt https://example.com user:guests");
        assert_eq!(query.words, ["booking", "https://example.com"]);
        assert_eq!(
            query.terms,
            [Term::State("paused".into()), Term::Method("tokens".into()), Term::User("guest".into())]
        );
        assert!(query.mistakes.is_empty() && !query.wants_deleted());
        assert!(Query::parse("state:deleted").wants_deleted());
    }

    #[test]
    fn a_term_that_means_nothing_is_told() {
        for (text, said) in [
            ("state:purple", "state: needs active, paused or deleted"),
            ("user:robot", "user: needs guest or employee"),
            ("scope:", "scope: needs a scope"),
            ("colour:red", "there is no filter colour:"),
        ] {
            assert!(Query::parse(text).mistakes[0].starts_with(said), "{text}");
        }
    }
}
