//! What is fixed about a form, and its fields numbered through.

use std::hash::{DefaultHasher, Hasher as _};
use std::ops::Range;

use super::field::{Build, Field};
use crate::tui::action::Danger;
use crate::tui::overlay::Secrecy;

/// How the pages of a form follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// Beside each other where there is room, else one after the other; the keyboard goes through all.
    Beside,
    /// As steps with these names; the keyboard stays in one until it is finished.
    Steps(&'static [&'static str]),
    /// The same, and `Action::Submit` finishes the form from each: all was filled in before.
    Edits(&'static [&'static str]),
}

impl Paging {
    /// The names of the steps.
    pub const fn steps(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Beside => None,
            Self::Steps(names) | Self::Edits(names) => Some(names),
        }
    }
}

/// Whether Enter walks through a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enter {
    /// To the next field.
    Walks,
    /// No: it does it, from each field.
    Does,
}

/// What is fixed about a form.
#[derive(Clone, Copy)]
pub struct Manner {
    /// Its name among the overlays.
    pub name: &'static str,
    /// The button that gives up; none when it is empty.
    pub leaves: &'static str,
    /// The button that does it.
    pub does: &'static str,
    /// What the spinner says meanwhile: `adding the operator`.
    pub doing: &'static str,
    /// Whether it takes access away.
    pub danger: Danger,
    /// What Esc says before it throws away what is filled in.
    pub leaving: &'static str,
    /// How its pages follow each other.
    pub paging: Paging,
    /// What Enter does in a field.
    pub enter: Enter,
    /// Columns of the box.
    pub width: u16,
    /// Columns of the labels.
    pub labels: u16,
    /// Rows of the box when it takes what there is, up to that; else it is as high as it must be.
    pub tall: Option<u16>,
    /// Whether what is filled in is secret.
    pub secrecy: Secrecy,
    /// Whether it waits behind a locked console.
    pub waits: bool,
}

impl Manner {
    /// A small one of the usual width.
    pub const fn small(name: &'static str) -> Self {
        Self {
            name,
            leaves: "Cancel",
            does: "Change",
            doing: "changing it",
            danger: Danger::Safe,
            leaving: "nothing is changed yet; esc again gives the changes up",
            paging: Paging::Beside,
            enter: Enter::Walks,
            width: 74,
            labels: 14,
            tall: None,
            secrecy: Secrecy::Open,
            waits: true,
        }
    }

    /// A small one that takes access away: it neither waits nor asks twice before it is left.
    pub const fn dangerous(name: &'static str) -> Self {
        Self { danger: Danger::Dangerous, waits: false, leaving: "", ..Self::small(name) }
    }

    /// A small one for a secret.
    pub const fn secret(name: &'static str) -> Self {
        Self {
            secrecy: Secrecy::Secret,
            waits: false,
            leaving: "nothing is done yet; esc again throws it away",
            ..Self::small(name)
        }
    }
}

/// The fields there are now, page by page.
pub type Pages<'a> = Vec<Vec<&'a mut dyn Field>>;

/// The same, numbered through.
pub struct Sheet<'a> {
    pub(super) fields: Vec<&'a mut dyn Field>,
    /// One past the last field of each page.
    pub(super) ends: Vec<usize>,
}

impl<'a> From<Pages<'a>> for Sheet<'a> {
    fn from(pages: Pages<'a>) -> Self {
        let mut sheet = Self { fields: Vec::new(), ends: Vec::new() };
        for page in pages {
            sheet.fields.extend(page);
            sheet.ends.push(sheet.fields.len());
        }
        sheet
    }
}

impl Sheet<'_> {
    /// The fields of a page.
    pub(super) fn page(&self, page: usize) -> Range<usize> {
        let start = page.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        start..self.ends.get(page).copied().unwrap_or(self.fields.len())
    }

    pub(super) fn page_of(&self, at: usize) -> usize {
        self.ends.iter().position(|end| at < *end).unwrap_or(0)
    }

    pub(super) fn is(&self, at: usize, build: Build) -> bool {
        self.fields.get(at).is_some_and(|field| field.build() == build)
    }

    /// Whether a field takes the keyboard.
    pub(super) fn listens(&self, at: usize) -> bool {
        self.fields.get(at).is_some_and(|field| matches!(field.build(), Build::Low | Build::Tall))
    }

    pub(super) fn signed(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for field in &self.fields {
            field.sign(&mut hasher);
            hasher.write_u8(0);
        }
        hasher.finish()
    }
}
