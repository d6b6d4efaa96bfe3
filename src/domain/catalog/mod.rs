//! The catalog: every permission of a platform, in groups, and the presets made of them.
//!
//! A catalog comes from a TOML file ([`Catalog::parse`]) or is the one built in ([`Catalog::builtin`]). It
//! answers which permissions there are, what each means, and whether a key of a given level and authentication
//! may hold them ([`Catalog::check`]). It decides nothing at verification: that compares names and nothing else.
//! No I/O: the text of a file is handed in.

mod fields;
mod problem;
mod read;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod words;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

pub use problem::{CatalogFault, CatalogProblem, ProblemList, ScopeProblem};
pub use words::{Auth, AuthMethod, Level, Levels, Risk};

use super::scope::{ScopeError, ScopeId, Scopes, Sets};

/// One thing a key can be allowed to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Its name, `contacts.read`.
    pub id: ScopeId,
    /// A few words for a list: "Read contacts".
    pub title: String,
    /// One sentence: what a program may do with it, and what not.
    pub description: String,
    /// Which keys may hold it; never empty.
    pub levels: Levels,
    /// With which authentication it may be used.
    pub auth: Auth,
    /// How much harm it does in the wrong hands.
    pub risk: Risk,
}

impl Permission {
    /// May a key of this level, used with this authentication, hold it?
    pub const fn allows(&self, level: Level, method: AuthMethod) -> bool {
        self.levels.contains(level) && self.auth.accepts(method)
    }

    /// What a search looks at, best field first: id, title, description.
    pub fn search_text(&self) -> String {
        format!("{} {} {}", self.id, self.title, self.description)
    }
}

/// Permissions over one kind of thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name; the part before the dot in each of its permissions.
    pub id: String,
    /// A few words for a list: "Contacts".
    pub title: String,
    /// One sentence: what the group is about.
    pub description: String,
    /// Its permissions in the order of the file; never empty.
    pub permissions: Vec<Permission>,
}

impl Group {
    /// What a search looks at, best field first: id, title, description.
    pub fn search_text(&self) -> String {
        format!("{} {} {}", self.id, self.title, self.description)
    }

    /// Those of its permissions that such a key may hold, in the order of the file.
    pub fn allowed_for(&self, level: Level, method: AuthMethod) -> impl Iterator<Item = &Permission> {
        self.permissions.iter().filter(move |permission| permission.allows(level, method))
    }
}

/// A ready choice of scopes for a common use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its name.
    pub id: String,
    /// A few words for a list: "Read only".
    pub title: String,
    /// One sentence: what it is for.
    pub description: String,
    /// For which keys it is meant; each of its scopes is allowed at each of these levels.
    pub levels: Levels,
    /// The scopes; never empty.
    pub scopes: Scopes,
}

/// Where a permission is: indices of its group and of itself within the group.
type Place = (usize, usize);

/// All permissions of a platform. Made by [`Catalog::parse`] only, so what it holds is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    id: String,
    title: String,
    version: String,
    groups: Vec<Group>,
    presets: Vec<Preset>,
    places: BTreeMap<ScopeId, Place>,
    source: Arc<str>,
}

impl Catalog {
    /// The largest catalog file, in bytes.
    pub const MAX_BYTES: usize = 1024 * 1024;
    /// The most groups.
    pub const MAX_GROUPS: usize = 64;
    /// The most permissions in one group.
    pub const MAX_PERMISSIONS_IN_GROUP: usize = 64;
    /// The most permissions in all.
    pub const MAX_PERMISSIONS: usize = 2048;
    /// The most presets.
    pub const MAX_PRESETS: usize = 64;
    /// The longest title and version, in characters.
    pub const MAX_TITLE: usize = 60;
    /// The longest description, in characters.
    pub const MAX_DESCRIPTION: usize = 300;
    /// The longest id of a catalog, group or preset, in bytes: leaves room for a dot and an action.
    pub const MAX_ID: usize = 40;
    /// How many problems of one file are listed before the list is cut.
    pub const MAX_PROBLEMS: usize = 200;

    /// A small catalog with comments, to start one's own from.
    pub const EXAMPLE: &str = include_str!("../../../assets/catalogs/minimal.toml");

    /// Text of the catalog that is built in.
    pub const BUILTIN: &str = include_str!("../../../assets/catalogs/crm-booking.toml");

    /// The text it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Reads a catalog file (TOML; its format is explained at the top of [`Catalog::EXAMPLE`]).
    ///
    /// # Errors
    /// Every problem in the order of the file, each with its line and column, at most [`Self::MAX_PROBLEMS`].
    /// A text that is not TOML yields its syntax problems alone: anything further would be guessed.
    pub fn parse(text: &str) -> Result<Self, Vec<CatalogProblem>> {
        read::catalog(text)
    }

    /// The catalog for a CRM and booking platform that comes with keydeck.
    pub fn builtin() -> &'static Self {
        #[expect(clippy::expect_used, reason = "the text is part of the program; a test parses it")]
        static BUILTIN: LazyLock<Catalog> =
            LazyLock::new(|| Catalog::parse(Catalog::BUILTIN).expect("the built-in catalog is valid"));
        &BUILTIN
    }

    /// Its name: letters, digits, `_` and `-`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What people call it.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Which edition it is, in its author's own counting.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The groups in the order of the file; never empty.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The presets in the order of the file.
    pub fn presets(&self) -> &[Preset] {
        &self.presets
    }

    /// All permissions in the order of the file.
    pub fn permissions(&self) -> impl Iterator<Item = &Permission> {
        self.groups.iter().flat_map(|group| &group.permissions)
    }

    /// How many permissions there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Never true of a catalog that was parsed.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The permission with exactly this name.
    pub fn permission(&self, scope: &str) -> Option<&Permission> {
        let &(group, at) = self.places.get(scope)?;
        self.groups.get(group)?.permissions.get(at)
    }

    /// The group with exactly this id.
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.id == id)
    }

    /// The preset with exactly this id.
    pub fn preset(&self, id: &str) -> Option<&Preset> {
        self.presets.iter().find(|preset| preset.id == id)
    }

    /// All permissions such a key may hold, in the order of the file.
    pub fn allowed_for(&self, level: Level, method: AuthMethod) -> impl Iterator<Item = &Permission> {
        self.groups.iter().flat_map(move |group| group.allowed_for(level, method))
    }

    /// The presets such a key may use whole.
    pub fn presets_for(&self, level: Level, method: AuthMethod) -> impl Iterator<Item = &Preset> {
        self.presets.iter().filter(move |preset| {
            preset.levels.contains(level)
                && preset.scopes.iter().all(|scope| {
                    self.permission(scope.as_str()).is_some_and(|permission| permission.allows(level, method))
                })
        })
    }

    /// Makes a set of the scopes chosen for a key of this level and authentication. `candidates` are names as a
    /// person or a program wrote them.
    ///
    /// # Errors
    /// Every reason why not: a name that is no scope name, listed twice, not in this catalog (with the nearest
    /// that is), not for this level, not for this authentication; none at all; more than [`Scopes::MAX`].
    pub fn check<'a>(
        &self,
        candidates: impl IntoIterator<Item = &'a str>,
        level: Level,
        method: AuthMethod,
    ) -> Result<Scopes, Vec<ScopeProblem>> {
        let names: Vec<&str> = candidates.into_iter().take(Scopes::MAX + 1).collect();
        if names.len() > Scopes::MAX {
            return Err(vec![ScopeProblem::Refused { error: ScopeError::TooMany, nearest: None }]);
        }
        let mut problems = Vec::new();
        let mut chosen: Vec<ScopeId> = Vec::with_capacity(names.len());
        for name in names {
            let scope = match name.parse::<ScopeId>() {
                Ok(scope) => scope,
                Err(error) => {
                    problems
                        .push(ScopeProblem::Refused { error, nearest: self.nearest(name, level, method) });
                    continue;
                }
            };
            if chosen.contains(&scope) {
                problems
                    .push(ScopeProblem::Refused { error: ScopeError::Duplicate { scope }, nearest: None });
                continue;
            }
            problems.extend(self.objections(&scope, level, method));
            chosen.push(scope);
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Scopes::new(chosen)
            .and_then(Scopes::require_some)
            .map_err(|error| vec![ScopeProblem::Refused { error, nearest: None }])
    }

    fn objections(&self, scope: &ScopeId, level: Level, method: AuthMethod) -> Vec<ScopeProblem> {
        let Some(permission) = self.permission(scope.as_str()) else {
            let nearest = self.nearest(scope.as_str(), level, method);
            return vec![ScopeProblem::Unknown { scope: scope.clone(), nearest }];
        };
        let mut problems = Vec::new();
        if !permission.levels.contains(level) {
            let levels = permission.levels;
            problems.push(ScopeProblem::NotForLevel { scope: scope.clone(), level, levels });
        }
        if !permission.auth.accepts(method) {
            let auth = permission.auth;
            problems.push(ScopeProblem::NotForAuth { scope: scope.clone(), method, auth });
        }
        problems
    }

    /// The scope that was probably meant, among those such a key may hold: proposing another would only earn a
    /// second refusal.
    fn nearest(&self, typed: &str, level: Level, method: AuthMethod) -> Option<ScopeId> {
        let candidates = self.allowed_for(level, method).map(|permission| permission.id.as_str());
        let name = text::nearest(typed, candidates)?;
        self.permission(name).map(|permission| permission.id.clone())
    }

    /// The highest risk among these scopes; none when the catalog knows none of them.
    pub fn highest_risk(&self, scopes: &Scopes) -> Option<Risk> {
        scopes
            .iter()
            .filter_map(|scope| self.permission(scope.as_str()))
            .map(|permission| permission.risk)
            .max()
    }

    /// Sets of scopes to be read from a store.
    pub fn sets(&self) -> Sets<'_> {
        Sets::of(self)
    }

    /// The same set, made of the catalog's own names where it has them. A million keys read from a store then
    /// hold a million pointers instead of a million copies of `contacts.read`.
    #[must_use]
    pub fn share(&self, scopes: &Scopes) -> Scopes {
        let shared = scopes.iter().map(|scope| {
            self.places.get_key_value(scope.as_str()).map_or_else(|| scope.clone(), |(own, _)| own.clone())
        });
        // The names are equal to those of a valid set, so this set is valid too.
        Scopes::new(shared).unwrap_or_else(|_| scopes.clone())
    }
}
