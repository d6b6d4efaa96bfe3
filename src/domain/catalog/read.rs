//! Reads a catalog file and finds everything wrong with it.
//!
//! Walks the TOML tree with its source positions. A part with a problem is left out of the catalog but
//! remembered by name, so that one mistake is reported once and not again wherever the part is referred to.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::fields::{CatalogReader, Fields, Known, offset_of};
use super::problem::{CatalogFault as Fault, CatalogProblem, Lines};
use super::text::nearest;
use super::words::{Auth, Level, Levels, Risk};
use super::{Catalog, Group, Permission, Preset};
use crate::domain::scope::{ScopeId, Scopes};

/// Reads the whole file; see [`Catalog::parse`].
pub(super) fn catalog(text: &str) -> Result<Catalog, Vec<CatalogProblem>> {
    let lines = Lines::of(if text.len() > Catalog::MAX_BYTES { "" } else { text });
    if text.len() > Catalog::MAX_BYTES {
        return Err(vec![lines.problem(0, Fault::TooLarge { bytes: text.len() })]);
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = CatalogReader { lines, found: Vec::new(), permissions: BTreeMap::new() };
    for error in errors.iter().take(Catalog::MAX_PROBLEMS + 1) {
        let detail = error.message().chars().flat_map(char::escape_debug).collect();
        reader.report(error.span().map_or(text.len(), |span| span.start), Fault::Syntax { detail });
    }
    let catalog = if errors.is_empty() { reader.document(document.get_ref()) } else { None };
    match catalog {
        Some(catalog) if reader.found.is_empty() => Ok(Catalog { source: text.into(), ..catalog }),
        _ => Err(reader.into_problems()),
    }
}

impl CatalogReader<'_> {
    fn document(&mut self, table: &DeTable<'_>) -> Option<Catalog> {
        let fields = Fields { place: "A catalog", offset: 0, table };
        self.known(fields, &["id", "title", "version", "group", "preset"]);
        let id = self.id(fields);
        let title = self.text(fields, "title", Catalog::MAX_TITLE);
        let version = self.text(fields, "version", Catalog::MAX_TITLE);
        let groups = self.groups(fields);
        let presets = self.presets(fields);
        let mut places = BTreeMap::new();
        for (nth, group) in groups.iter().enumerate() {
            places.extend(group.permissions.iter().enumerate().map(|(at, p)| (p.id.clone(), (nth, at))));
        }
        Some(Catalog {
            id: id?,
            title: title?,
            version: version?,
            groups,
            presets,
            places,
            source: "".into(),
        })
    }

    fn groups(&mut self, catalog: Fields<'_, '_>) -> Vec<Group> {
        let fix = "Write at least one [[group]] with one [[group.permission]].";
        let entries = self.tables(catalog, "group", "A group", "groups", Catalog::MAX_GROUPS);
        if !catalog.has_entries("group") {
            self.report(catalog.offset, Fault::Empty { what: "The catalog", fix });
        }
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut total = 0;
        let mut groups = Vec::new();
        for fields in entries {
            self.known(fields, &["id", "title", "description", "permission"]);
            let id = self.id(fields);
            if let Some(id) = &id {
                self.unique("The group", id, offset_of(fields, "id"), &mut seen);
            }
            let title = self.text(fields, "title", Catalog::MAX_TITLE);
            let description = self.text(fields, "description", Catalog::MAX_DESCRIPTION);
            let most = Catalog::MAX_PERMISSIONS_IN_GROUP;
            let entries =
                self.tables(fields, "permission", "A permission", "permissions in this group", most);
            if !fields.has_entries("permission") {
                let fix = "Write at least one [[group.permission]] below it, or leave the group out.";
                self.report(fields.offset, Fault::Empty { what: "The group", fix });
            }
            let mut permissions = Vec::new();
            for entry in entries {
                total += 1;
                if total == Catalog::MAX_PERMISSIONS + 1 {
                    let most = Catalog::MAX_PERMISSIONS;
                    self.report(entry.offset, Fault::TooMany { what: "permissions in the catalog", most });
                }
                if total <= Catalog::MAX_PERMISSIONS {
                    permissions.extend(self.permission(entry, id.as_deref()));
                }
            }
            if let (Some(id), Some(title), Some(description)) = (id, title, description) {
                groups.push(Group { id, title, description, permissions });
            }
        }
        groups
    }

    fn permission(&mut self, fields: Fields<'_, '_>, group: Option<&str>) -> Option<Permission> {
        let problems_before = self.found.len();
        self.known(fields, &["id", "title", "description", "levels", "auth", "risk"]);
        let id = self.scope_id(fields, group);
        let title = self.text(fields, "title", Catalog::MAX_TITLE);
        let description = self.text(fields, "description", Catalog::MAX_DESCRIPTION);
        let levels = self.levels(fields);
        let auth = self.word(fields, "auth", &Auth::ALL, Auth::as_str);
        let risk = self.word(fields, "risk", &Risk::ALL, Risk::as_str);
        if let (Some(levels), Some(Auth::Jwt)) = (levels, auth) {
            let levels = levels.difference(Levels::from_iter([Level::App]));
            if !levels.is_empty() {
                self.report(offset_of(fields, "levels"), Fault::JwtOutsideApps { levels });
            }
        }
        if let Some(id) = &id {
            let offset = offset_of(fields, "id");
            if let Some(first) = self.permissions.get(id.as_str()) {
                let (first_line, _) = self.lines.place(first.offset);
                self.report(
                    offset,
                    Fault::Duplicate { what: "The permission", id: id.to_string(), first_line },
                );
            } else {
                let sound = self.found.len() == problems_before;
                let rules = levels.zip(auth).filter(|_| sound);
                self.permissions.insert(id.to_string(), Known { offset, scope: id.clone(), rules });
            }
        }
        Some(Permission {
            id: id?,
            title: title?,
            description: description?,
            levels: levels?,
            auth: auth?,
            risk: risk?,
        })
    }

    fn scope_id(&mut self, fields: Fields<'_, '_>, group: Option<&str>) -> Option<ScopeId> {
        let (text, offset) = self.string(fields, "id")?;
        match text.parse::<ScopeId>() {
            Ok(scope) => {
                if let Some(group) = group.filter(|group| *group != scope.group()) {
                    self.report(offset, Fault::WrongGroup { scope: scope.clone(), group: group.to_owned() });
                }
                Some(scope)
            }
            Err(error) => {
                self.report(offset, Fault::BadScope(error));
                None
            }
        }
    }

    fn presets(&mut self, catalog: Fields<'_, '_>) -> Vec<Preset> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut presets = Vec::new();
        for fields in self.tables(catalog, "preset", "A preset", "presets", Catalog::MAX_PRESETS) {
            self.known(fields, &["id", "title", "description", "levels", "scopes"]);
            let id = self.id(fields);
            if let Some(id) = &id {
                self.unique("The preset", id, offset_of(fields, "id"), &mut seen);
            }
            let title = self.text(fields, "title", Catalog::MAX_TITLE);
            let description = self.text(fields, "description", Catalog::MAX_DESCRIPTION);
            let levels = self.levels(fields);
            let scopes = self.preset_scopes(fields, levels.unwrap_or_default());
            if let (Some(id), Some(title), Some(description), Some(levels), Some(scopes)) =
                (id, title, description, levels, scopes)
            {
                presets.push(Preset { id, title, description, levels, scopes });
            }
        }
        presets
    }

    fn preset_scopes(&mut self, fields: Fields<'_, '_>, levels: Levels) -> Option<Scopes> {
        let list = self.list(fields, "scopes", "scopes in this preset", Scopes::MAX)?;
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut scopes = Vec::new();
        let mut only: [Option<ScopeId>; 2] = [None, None];
        for item in list {
            let Some((name, offset)) = self.item("scopes", item) else { continue };
            let scope = match name.parse::<ScopeId>() {
                Ok(scope) => scope,
                Err(error) => {
                    self.report(offset, Fault::BadScope(error));
                    continue;
                }
            };
            self.unique("The scope", scope.as_str(), offset, &mut seen);
            match self.permissions.get(scope.as_str()) {
                None if self.is_full() => {}
                None => {
                    let names = self.permissions.keys().map(String::as_str);
                    let nearest = nearest(scope.as_str(), names)
                        .and_then(|name| self.permissions.get(name))
                        .map(|seen| seen.scope.clone());
                    self.report(offset, Fault::UnknownScope { scope: scope.clone(), nearest });
                }
                Some(Known { rules: Some((has, auth)), .. }) => {
                    match auth {
                        Auth::ApiKey => only[0] = Some(scope.clone()),
                        Auth::Jwt => only[1] = Some(scope.clone()),
                        Auth::Both => {}
                    }
                    let levels = levels.difference(*has);
                    if !levels.is_empty() {
                        self.report(offset, Fault::NotAtLevel { scope: scope.clone(), levels });
                    }
                }
                Some(Known { rules: None, .. }) => {}
            }
            scopes.push(scope);
        }
        if let [Some(api_key), Some(jwt)] = only {
            self.report(offset_of(fields, "scopes"), Fault::MixedAuth { api_key, jwt });
        }
        Scopes::new(scopes).ok()
    }
}
