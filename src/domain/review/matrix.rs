//! Several keys side by side: which scope each may use, and which of these its requests needed.

use std::collections::BTreeSet;

use super::{About, Reviewer};
use crate::domain::{Key, KeyId, LastUse, ScopeId};

/// How a key stands to a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// It does not have it.
    None,
    /// It has it, and a request needed it.
    Needed,
    /// It has it, and for certain no request needed it.
    Unneeded,
    /// It has it, and nobody knows whether a request needed it.
    Unknown,
}

impl Grant {
    /// All of them, in the order in which they are explained.
    pub const ALL: [Self; 4] = [Self::Needed, Self::Unneeded, Self::Unknown, Self::None];

    /// Its word for scripts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::None => "not_granted",
            Self::Needed => "needed",
            Self::Unneeded => "unneeded",
            Self::Unknown => "unknown",
        }
    }

    /// Its word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "not granted",
            Self::Needed => "needed",
            Self::Unneeded => "never needed",
            Self::Unknown => "not known",
        }
    }

    /// Its sign in a table: each differs from the others in form.
    pub const fn sign(self) -> char {
        match self {
            Self::None => '·',
            Self::Needed => '●',
            Self::Unneeded => '○',
            Self::Unknown => '?',
        }
    }

    fn of(about: &About<'_>, scope: &ScopeId) -> Self {
        if !about.scopes.contains(scope) {
            return Self::None;
        }
        match about.needed(scope) {
            Some(LastUse::At(_)) => Self::Needed,
            Some(LastUse::Never) => Self::Unneeded,
            Some(LastUse::NotKnown(_)) | None => Self::Unknown,
        }
    }
}

/// How many grants there are of something, and how many of them were needed.
pub fn count<'g>(grants: impl IntoIterator<Item = &'g Grant>) -> (usize, usize) {
    grants.into_iter().fold((0, 0), |(granted, needed), grant| {
        (granted + usize::from(*grant != Grant::None), needed + usize::from(*grant == Grant::Needed))
    })
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Matrix<'a> {
    /// Its columns.
    pub keys: Vec<&'a Key>,
    /// Its rows, by name: a scope that one of the keys has, and for each key how it stands to it.
    pub rows: Vec<(&'a ScopeId, Vec<Grant>)>,
}

impl Matrix<'_> {
    /// How many scopes the key of a column has, and how many of them were needed.
    pub fn column(&self, at: usize) -> (usize, usize) {
        count(self.rows.iter().filter_map(|(_, grants)| grants.get(at)))
    }
}

impl<'a> Reviewer<'a> {
    /// Those of some keys that are seen, side by side in that order.
    pub fn matrix(self, keys: &[KeyId]) -> Matrix<'a> {
        let keys: Vec<&Key> = keys.iter().filter_map(|id| self.view.key(*id)).collect();
        let abouts: Vec<About<'a>> = keys.iter().map(|key| About::key(self.view, key)).collect();
        let scopes: BTreeSet<&ScopeId> = keys.iter().flat_map(|key| key.scopes.iter()).collect();
        let row = |scope: &'a ScopeId| {
            (scope, abouts.iter().map(|about| Grant::of(about, scope)).collect::<Vec<_>>())
        };
        Matrix { rows: scopes.into_iter().map(row).collect(), keys }
    }
}
