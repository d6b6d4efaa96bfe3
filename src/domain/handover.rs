//! How the token of a key or the secret of an app reached whoever uses it, where that was not by being shown: which way and when, so that a review can tell
//! a secret that somebody took from one that lies about.

use std::fmt;

use minicbor::{Decode, Encode};

use super::trace::Sighting;
use super::{App, Key, Note, Timestamp, Usage, View};

/// The way of a token.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Way {
    /// Written to a file that only whoever asked for it can read.
    #[n(0)]
    File,
    /// Written to such a file as the value of a variable.
    #[n(1)]
    Variable(#[n(0)] Note),
    /// Sealed to public keys, told by the first of them.
    #[n(2)]
    Sealed(#[n(0)] Note),
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("in a file"),
            Self::Variable(name) => write!(f, "in a file, as {name}"),
            Self::Sealed(to) => write!(f, "sealed to {to}"),
        }
    }
}

impl Way {
    /// The word of it that scripts read.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Variable(_) => "variable",
            Self::Sealed(_) => "sealed",
        }
    }
}

/// That a token was handed over.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Handed {
    /// How.
    #[n(0)]
    pub way: Way,
    /// When.
    #[n(1)]
    pub at: Timestamp,
}

impl Handed {
    /// How and when, and what came of it: `sealed to age1…, 2 h ago; first used 3 min later`. `relative` says how long ago
    /// something was, `first` where the first request came from, if somebody looked that up and it is this one's.
    fn words(
        &self,
        usage: Usage,
        first: Option<&Sighting>,
        relative: impl FnOnce(Timestamp) -> String,
    ) -> String {
        let Self { way, at } = self;
        let used = match usage.first_used_at {
            Some(used) => {
                // Of both halves of a rotation one was first.
                let from = first.filter(|first| first.at == used).map(|first| format!(" from {first}"));
                format!("first used {} later{}", span(used.since(*at)), from.unwrap_or_default())
            }
            None if usage.last_used_at.is_some() => "used since".to_owned(),
            None => "not used yet".to_owned(),
        };
        format!("{way}, {}; {used}", relative(*at))
    }
}

impl Key {
    /// How and when its token was handed over, and what came of it. Nothing of a token that was shown, where that is all there
    /// is to say.
    pub fn handed_words(
        &self,
        usage: Usage,
        first: Option<&Sighting>,
        relative: impl FnOnce(Timestamp) -> String,
    ) -> Option<String> {
        self.handed.as_deref().map(|handed| handed.words(usage, first, relative))
    }
}

impl View<'_> {
    /// The same of the present secret of an app.
    pub fn app_handed_words(self, app: &App, relative: impl FnOnce(Timestamp) -> String) -> Option<String> {
        // Of one that took the place of another the use is noted apart.
        let usage = app.replaced.as_ref().map_or_else(|| self.app_usage(app), |how| self.noted(how.uses).0);
        app.handed.as_deref().map(|handed| handed.words(usage, None, relative))
    }
}

/// A length of time in one unit, rounded down: what happened within a minute took less than one.
fn span(ms: i64) -> String {
    let minutes = ms.max(0) / 60_000;
    match minutes {
        0 => "less than 1 min".to_owned(),
        1..60 => format!("{minutes} min"),
        60..1_440 => format!("{} h", minutes / 60),
        _ => format!("{} d", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_a_token_is_told_in_the_unit_that_fits() {
        for (ms, said) in [
            (-5, "less than 1 min"),
            (59_999, "less than 1 min"),
            (60_000, "1 min"),
            (3_599_999, "59 min"),
            (3_600_000, "1 h"),
            (86_399_999, "23 h"),
            (86_400_000, "1 d"),
        ] {
            assert_eq!(span(ms), said, "{ms}");
        }
    }
}
