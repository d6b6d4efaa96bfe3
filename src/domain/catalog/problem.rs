//! What can be wrong: in a catalog file ([`CatalogProblem`], with its place) and in a choice of scopes
//! ([`ScopeProblem`]).
//!
//! Each says what was found, why it is refused and what would be right. Text taken from the file is shown with
//! hidden characters spelt out.

use std::fmt;

use super::Catalog;
use super::text::did_you_mean;
use super::words::{Auth, AuthMethod, Level, Levels};
use crate::domain::scope::{ScopeError, ScopeId};

/// One problem in a catalog file, and where. Shown as `line 12, column 8: …`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {fault}")]
pub struct CatalogProblem {
    /// Line in the file, from 1; always a line the file has.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub fault: CatalogFault,
}

/// What is wrong at one place of a catalog file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogFault {
    /// The file is larger than [`Catalog::MAX_BYTES`].
    #[error("The file has {bytes} bytes; a catalog has at most {}. Split it.", Catalog::MAX_BYTES)]
    TooLarge {
        /// Size of the file.
        bytes: usize,
    },
    /// Not TOML.
    #[error("This is not TOML: {detail}. Nothing else is checked until the file can be read.")]
    Syntax {
        /// What the TOML reader said.
        detail: String,
    },
    /// A field nobody reads; usually a spelling mistake in one that matters.
    #[error("{place} has no field \"{field}\".{} It knows {known}.", did_you_mean(*.nearest))]
    UnknownField {
        /// The table: "A permission".
        place: &'static str,
        /// The field as written.
        field: String,
        /// The known field that looks most like it.
        nearest: Option<&'static str>,
        /// All known fields, as a sentence lists them.
        known: String,
    },
    /// A field that must be there.
    #[error("{place} needs the field \"{field}\".")]
    MissingField {
        /// The table: "A permission".
        place: &'static str,
        /// The missing field.
        field: &'static str,
    },
    /// A number where a text belongs, and the like.
    #[error("\"{field}\" is {found} here; it must be {expected}.")]
    WrongType {
        /// The field.
        field: &'static str,
        /// What stands there.
        found: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// A word outside the closed list of its field.
    #[error("\"{word}\" is not a word for \"{field}\".{} Use {allowed}.", did_you_mean(*.nearest))]
    UnknownWord {
        /// The field.
        field: &'static str,
        /// The word as written.
        word: String,
        /// The allowed word that looks most like it.
        nearest: Option<&'static str>,
        /// All allowed words, as a sentence lists them.
        allowed: String,
    },
    /// An id of a catalog, group or preset that is not one.
    #[error(
        "\"{id}\" cannot be an id: a lowercase letter first, then lowercase letters, digits, _ or -, \
         at most {most} in all."
    )]
    BadId {
        /// The id as written.
        id: String,
        /// The longest such id.
        most: usize,
    },
    /// A permission id that is not a scope name.
    #[error("{0}")]
    BadScope(ScopeError),
    /// A permission written under a group its name does not belong to.
    #[error("The permission {scope} stands in the group {group}; its name must begin with \"{group}.\".")]
    WrongGroup {
        /// The permission.
        scope: ScopeId,
        /// The group it stands in.
        group: String,
    },
    /// An id, or a word in a list, that was there before.
    #[error("{what} \"{id}\" was already there on line {first_line}. Each appears once.")]
    Duplicate {
        /// "The group", "The permission" and so on.
        what: &'static str,
        /// The repeated id.
        id: String,
        /// Line of the first one.
        first_line: usize,
    },
    /// A text, list, group or catalog with nothing in it.
    #[error("{what} is empty. {fix}")]
    Empty {
        /// What is empty.
        what: &'static str,
        /// What belongs there.
        fix: &'static str,
    },
    /// A control, bidirectional or invisible character in text people will read.
    #[error("\"{field}\" contains the hidden character U+{code:04X}; text here must show all it contains.")]
    HiddenCharacter {
        /// The field.
        field: &'static str,
        /// The character's code point.
        code: u32,
    },
    /// More characters than the screen has use for.
    #[error("\"{field}\" has {length} characters; {most} is the most.")]
    TextTooLong {
        /// The field.
        field: &'static str,
        /// Characters found.
        length: usize,
        /// Characters allowed.
        most: usize,
    },
    /// More of a thing than a catalog may have; the rest is not read.
    #[error("There are too many {what}: {most} is the most. What follows is not checked.")]
    TooMany {
        /// The things, in plural.
        what: &'static str,
        /// How many are allowed.
        most: usize,
    },
    /// A preset with a scope that no group defines.
    #[error("No permission is called {scope}.{}", did_you_mean(.nearest.as_ref().map(ScopeId::as_str)))]
    UnknownScope {
        /// The scope as written.
        scope: ScopeId,
        /// The scope that looks most like it.
        nearest: Option<ScopeId>,
    },
    /// A preset with a scope that a key of the preset's level cannot hold.
    #[error("{scope} is not for the level {levels}, which this preset is for. Drop the scope or the level.")]
    NotAtLevel {
        /// The scope.
        scope: ScopeId,
        /// The preset's levels that the permission does not have.
        levels: Levels,
    },
    /// A permission that only access tokens may use, offered to keys that have none.
    #[error("Only apps have access tokens: with auth = \"jwt\", levels must be [\"app\"], not {levels}.")]
    JwtOutsideApps {
        /// The levels that have no access tokens.
        levels: Levels,
    },
    /// A preset no key could use whole.
    #[error(
        "{api_key} is for API keys only and {jwt} for access tokens only, so nothing could use this preset. \
         Make two presets."
    )]
    MixedAuth {
        /// A scope for API keys only.
        api_key: ScopeId,
        /// A scope for access tokens only.
        jwt: ScopeId,
    },
    /// The list of problems was cut.
    #[error("There are more problems after this one. Mend these first, then check again.")]
    More,
}

/// Why one of the chosen scopes cannot be given to a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeProblem {
    /// Not a scope name, listed twice, too many, or none at all.
    #[error("{error}{}", did_you_mean(.nearest.as_ref().map(ScopeId::as_str)))]
    Refused {
        /// The reason.
        error: ScopeError,
        /// The scope that looks most like what was written.
        nearest: Option<ScopeId>,
    },
    /// A well-formed name the catalog does not have.
    #[error("No permission is called {scope}.{}", did_you_mean(.nearest.as_ref().map(ScopeId::as_str)))]
    Unknown {
        /// The scope as written.
        scope: ScopeId,
        /// The scope that looks most like it.
        nearest: Option<ScopeId>,
    },
    /// A permission that keys of this level cannot hold.
    #[error("{scope} is not for {level} keys; it is for the level {levels}.")]
    NotForLevel {
        /// The scope.
        scope: ScopeId,
        /// The level asked for.
        level: Level,
        /// The levels the permission has.
        levels: Levels,
    },
    /// A permission that cannot be used with this authentication.
    #[error("{scope} cannot be used with {method}; its authentication is {auth}.")]
    NotForAuth {
        /// The scope.
        scope: ScopeId,
        /// The authentication asked for.
        method: AuthMethod,
        /// The authentication the permission has.
        auth: Auth,
    },
}

/// Where a byte offset is, for people: line and column from 1.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// Line and column of the character at this offset. What is missing at the end of the file is reported at
    /// the end of its last line, not on a line the file does not have.
    pub(super) fn place(&self, offset: usize) -> (usize, usize) {
        let end = self.text.strip_suffix('\n').unwrap_or(self.text).len();
        let mut offset = offset.min(end);
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|nth| self.starts.get(nth)).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(1, |before| before.chars().count() + 1);
        (line.max(1), column)
    }

    pub(super) fn problem(&self, offset: usize, fault: CatalogFault) -> CatalogProblem {
        let (line, column) = self.place(offset);
        CatalogProblem { line, column, fault }
    }
}

/// All problems of a file, one on each line: what a person reads after `scope check`.
pub struct ProblemList<'a>(pub &'a [CatalogProblem]);

impl fmt::Display for ProblemList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in self.0 {
            writeln!(f, "{problem}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_always_inside_the_file() {
        let lines = Lines::of("aä\nb\n");
        assert_eq!(lines.place(0), (1, 1));
        assert_eq!(lines.place(3), (1, 3), "columns count characters");
        assert_eq!(lines.place(2), (1, 2), "within ä");
        assert_eq!(lines.place(4), (2, 1));
        assert_eq!(lines.place(6), (2, 2), "the end is on the last line that has something");
        assert_eq!(lines.place(usize::MAX), (2, 2));
        assert_eq!(Lines::of("").place(5), (1, 1));
        assert_eq!(Lines::of("\n").place(1), (1, 1));
    }
}
