//! The scopes a key of a level may hold, as a tree to tick: groups of the catalog, its permissions with their risk
//! in words, and what the selected one means.

use std::collections::BTreeSet;

use crate::domain::catalog::{AuthMethod, Level};
use crate::domain::{Catalog, Place, ScopeId, Scopes};
use crate::tui::form::tree::{TreeItem, TreeState};

/// What may be ticked.
#[derive(Clone, Copy)]
pub struct Reach<'a> {
    level: Level,
    method: AuthMethod,
    /// Nothing beyond these.
    within: Option<&'a Scopes>,
}

impl<'a> Reach<'a> {
    /// What a key of this level may hold.
    pub const fn key(level: Level) -> Self {
        Self { level, method: AuthMethod::ApiKey, within: None }
    }

    /// What an app that authenticates so may hold.
    pub const fn app(method: AuthMethod) -> Self {
        Self { level: Level::App, method, within: None }
    }

    /// What a key of the app that holds `scopes` may hold.
    pub const fn within_app(scopes: &'a Scopes) -> Self {
        Self { level: Level::App, method: AuthMethod::ApiKey, within: Some(scopes) }
    }
}

/// A tree of the scopes within `reach`, with those of `ticked` ticked that may be. What the catalog does not know any
/// more comes last, unticked: it cannot be given again.
pub fn tree(
    catalog: &Catalog,
    reach: Reach<'_>,
    ticked: impl IntoIterator<Item = ScopeId>,
    held: Option<&Scopes>,
) -> TreeState<ScopeId> {
    let mut items = Vec::new();
    let mut allowed = BTreeSet::new();
    for group in catalog.groups() {
        let held_by_app = |scope: &ScopeId| reach.within.is_none_or(|within| within.contains(scope));
        let permissions = group.allowed_for(reach.level, reach.method);
        let mut permissions = permissions.filter(|known| held_by_app(&known.id)).peekable();
        if permissions.peek().is_none() {
            continue;
        }
        let about = group.description.clone();
        items.push(TreeItem { about, ..TreeItem::group(group.title.clone(), "", 0) });
        for permission in permissions {
            let note = format!("{:<5}  {}", permission.risk.as_str(), permission.title);
            let about = permission.description.clone();
            let leaf = TreeItem::leaf(permission.id.clone(), permission.id.as_str(), note, 1);
            items.push(TreeItem { about, ..leaf });
            allowed.insert(permission.id.clone());
        }
    }
    let lost: Vec<&ScopeId> =
        held.into_iter().flat_map(Scopes::iter).filter(|scope| !allowed.contains(*scope)).collect();
    if !lost.is_empty() {
        items.push(TreeItem::group("Not possible any more", "", 0));
        for scope in lost {
            let why = "catalog or app do not allow it any more; it goes with this change";
            let leaf = TreeItem::leaf(scope.clone(), scope.as_str(), "", 1);
            items.push(TreeItem { locked: Some(why.into()), ..leaf });
        }
    }
    TreeState::new(items, ticked.into_iter().filter(|scope| allowed.contains(scope)))
}

/// The catalog's level for keys of a place.
pub const fn level_of(place: Place) -> Level {
    match place {
        Place::Agency => Level::Agency,
        Place::Location(_) => Level::Location,
        Place::App(_) => Level::App,
    }
}

/// `3 scopes, up to write`.
pub fn count(catalog: &Catalog, ticked: &BTreeSet<ScopeId>) -> String {
    let risk =
        ticked.iter().filter_map(|scope| catalog.permission(scope.as_str())).map(|known| known.risk).max();
    match (ticked.len(), risk) {
        (0, _) => "no scope yet".to_owned(),
        (1, Some(risk)) => format!("1 scope, risk {risk}"),
        (n, Some(risk)) => format!("{n} scopes, risk up to {risk}"),
        (n, None) => format!("{n} scopes"),
    }
}
