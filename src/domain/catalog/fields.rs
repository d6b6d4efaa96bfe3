//! Reads single fields of a catalog file and remembers what is wrong with them.
//!
//! Each function takes one field from a table of the TOML tree, reports at its place whatever is wrong with it,
//! and returns what is sound. What the fields mean together is for `read` to say.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::Catalog;
use super::problem::{CatalogFault as Fault, CatalogProblem, Lines};
use super::text::{hidden_character, nearest};
use super::words::{Auth, Level, Levels, listed};
use crate::domain::scope::{ScopeId, is_scope_part, shown};

/// What is known of a permission's name once it was seen, valid or not.
pub(super) struct Known {
    pub(super) offset: usize,
    pub(super) scope: ScopeId,
    /// None when the permission itself has a problem: then nothing more is said about it.
    pub(super) rules: Option<(Levels, Auth)>,
}

pub(super) struct CatalogReader<'a> {
    pub(super) lines: Lines<'a>,
    pub(super) found: Vec<(usize, Fault)>,
    pub(super) permissions: BTreeMap<String, Known>,
}

/// One table of the file: what a message calls it, where it begins, what is in it.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a, 'i> {
    pub(super) place: &'static str,
    pub(super) offset: usize,
    pub(super) table: &'a DeTable<'i>,
}

impl<'a, 'i> Fields<'a, 'i> {
    pub(super) fn value(self, field: &str) -> Option<&'a Spanned<DeValue<'i>>> {
        self.table.iter().find(|(key, _)| key.get_ref() == field).map(|(_, value)| value)
    }

    /// Is anything but an empty list under this name?
    pub(super) fn has_entries(self, field: &str) -> bool {
        self.value(field).is_some_and(|value| match value.get_ref() {
            DeValue::Array(array) => !array.is_empty(),
            _ => true,
        })
    }
}

impl CatalogReader<'_> {
    pub(super) fn report(&mut self, offset: usize, fault: Fault) {
        // One more than is shown, so that the cut is noticed; the rest only costs time.
        if self.found.len() <= Catalog::MAX_PROBLEMS {
            self.found.push((offset, fault));
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.found.len() > Catalog::MAX_PROBLEMS
    }

    pub(super) fn into_problems(mut self) -> Vec<CatalogProblem> {
        let full = self.is_full();
        self.found.truncate(Catalog::MAX_PROBLEMS);
        self.found.sort_by_key(|(offset, _)| *offset);
        if full && let Some((offset, fault)) = self.found.last_mut() {
            (*offset, *fault) = (*offset, Fault::More);
        }
        let lines = self.lines;
        self.found.into_iter().map(|(offset, fault)| lines.problem(offset, fault)).collect()
    }

    /// Reports fields nobody reads.
    pub(super) fn known(&mut self, fields: Fields<'_, '_>, names: &[&'static str]) {
        for key in fields.table.keys() {
            let name: &str = key.get_ref();
            if !names.contains(&name) {
                let nearest = nearest(name, names.iter().copied());
                let known = listed(names, "and");
                let fault = Fault::UnknownField { place: fields.place, field: shown(name), nearest, known };
                self.report(key.span().start, fault);
            }
        }
    }

    /// A field that must be a string, with its place.
    pub(super) fn string<'a>(
        &mut self,
        fields: Fields<'a, '_>,
        field: &'static str,
    ) -> Option<(&'a str, usize)> {
        let Some(value) = fields.value(field) else {
            self.report(fields.offset, Fault::MissingField { place: fields.place, field });
            return None;
        };
        self.item(field, value)
    }

    /// A value that must be a string, with its place.
    pub(super) fn item<'a>(
        &mut self,
        field: &'static str,
        value: &'a Spanned<DeValue<'_>>,
    ) -> Option<(&'a str, usize)> {
        let offset = value.span().start;
        if let DeValue::String(text) = value.get_ref() {
            return Some((text, offset));
        }
        self.report(offset, Fault::WrongType { field, found: kind_of(value), expected: "a text in quotes" });
        None
    }

    /// Text for people: something in it, nothing hidden in it, not too long.
    pub(super) fn text(
        &mut self,
        fields: Fields<'_, '_>,
        field: &'static str,
        most: usize,
    ) -> Option<String> {
        let (text, offset) = self.string(fields, field)?;
        let length = text.chars().count();
        let fault = if text.trim().is_empty() {
            Fault::Empty { what: "This text", fix: "Write what people should read." }
        } else if length > most {
            Fault::TextTooLong { field, length, most }
        } else if let Some(hidden) = hidden_character(text) {
            Fault::HiddenCharacter { field, code: u32::from(hidden) }
        } else {
            return Some(text.to_owned());
        };
        self.report(offset, fault);
        None
    }

    /// The id of a catalog, group or preset.
    pub(super) fn id(&mut self, fields: Fields<'_, '_>) -> Option<String> {
        let (text, offset) = self.string(fields, "id")?;
        if is_scope_part(text) && text.len() <= Catalog::MAX_ID {
            return Some(text.to_owned());
        }
        self.report(offset, Fault::BadId { id: shown(text), most: Catalog::MAX_ID });
        None
    }

    pub(super) fn levels(&mut self, fields: Fields<'_, '_>) -> Option<Levels> {
        let list = self.list(fields, "levels", "levels", Level::ALL.len())?;
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut levels = Vec::new();
        for item in list {
            let (text, offset) = self.item("levels", item)?;
            let level = self.one_of("levels", text, offset, &Level::ALL, Level::as_str)?;
            self.unique("The level", text, offset, &mut seen);
            levels.push(level);
        }
        Some(Levels::from_iter(levels))
    }

    pub(super) fn word<T: Copy>(
        &mut self,
        fields: Fields<'_, '_>,
        field: &'static str,
        all: &[T],
        word: fn(T) -> &'static str,
    ) -> Option<T> {
        let (text, offset) = self.string(fields, field)?;
        self.one_of(field, text, offset, all, word)
    }

    pub(super) fn one_of<T: Copy>(
        &mut self,
        field: &'static str,
        text: &str,
        offset: usize,
        all: &[T],
        word: fn(T) -> &'static str,
    ) -> Option<T> {
        if let Some(found) = all.iter().copied().find(|one| word(*one) == text) {
            return Some(found);
        }
        let words: Vec<&'static str> = all.iter().copied().map(word).collect();
        let nearest = nearest(text, words.iter().copied());
        let allowed = listed(&words, "or");
        self.report(offset, Fault::UnknownWord { field, word: shown(text), nearest, allowed });
        None
    }

    /// A list that must be there and have something in it; what exceeds the limit is reported and left out.
    pub(super) fn list<'a, 'i>(
        &mut self,
        fields: Fields<'a, 'i>,
        field: &'static str,
        what: &'static str,
        most: usize,
    ) -> Option<&'a [Spanned<DeValue<'i>>]> {
        let Some(value) = fields.value(field) else {
            self.report(fields.offset, Fault::MissingField { place: fields.place, field });
            return None;
        };
        let DeValue::Array(array) = value.get_ref() else {
            let (found, expected) = (kind_of(value), "a list in [ ]");
            self.report(value.span().start, Fault::WrongType { field, found, expected });
            return None;
        };
        if array.is_empty() {
            let fix = "Write at least one entry between [ and ].";
            self.report(value.span().start, Fault::Empty { what: "This list", fix });
            return None;
        }
        Some(self.at_most(array, what, most))
    }

    /// The tables of `[[field]]`; none when there is no such field.
    pub(super) fn tables<'a, 'i>(
        &mut self,
        fields: Fields<'a, 'i>,
        field: &'static str,
        place: &'static str,
        what: &'static str,
        most: usize,
    ) -> Vec<Fields<'a, 'i>> {
        let Some(value) = fields.value(field) else { return Vec::new() };
        let expected = "tables, each under its own [[ ]]";
        let DeValue::Array(array) = value.get_ref() else {
            self.report(value.span().start, Fault::WrongType { field, found: kind_of(value), expected });
            return Vec::new();
        };
        let mut tables = Vec::new();
        for entry in self.at_most(array, what, most) {
            let offset = entry.span().start;
            match entry.get_ref() {
                DeValue::Table(table) => tables.push(Fields { place, offset, table }),
                _ => self.report(offset, Fault::WrongType { field, found: kind_of(entry), expected }),
            }
        }
        tables
    }

    pub(super) fn at_most<'a, 'i>(
        &mut self,
        array: &'a DeArray<'i>,
        what: &'static str,
        most: usize,
    ) -> &'a [Spanned<DeValue<'i>>] {
        let all: &[Spanned<DeValue<'i>>] = array;
        if let Some(first_beyond) = all.get(most) {
            self.report(first_beyond.span().start, Fault::TooMany { what, most });
        }
        all.get(..most).unwrap_or(all)
    }

    pub(super) fn unique(
        &mut self,
        what: &'static str,
        id: &str,
        offset: usize,
        seen: &mut BTreeMap<String, usize>,
    ) {
        if let Some(first) = seen.get(id) {
            let (first_line, _) = self.lines.place(*first);
            self.report(offset, Fault::Duplicate { what, id: id.to_owned(), first_line });
        } else {
            seen.insert(id.to_owned(), offset);
        }
    }
}

/// Where the value of a field stands, or the table when it has no such field.
pub(super) fn offset_of(fields: Fields<'_, '_>, field: &str) -> usize {
    fields.value(field).map_or(fields.offset, |value| value.span().start)
}

fn kind_of(value: &Spanned<DeValue<'_>>) -> &'static str {
    match value.get_ref() {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
