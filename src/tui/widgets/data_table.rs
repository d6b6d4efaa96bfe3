//! The table of keys, apps or entries: any number of rows, of which only those shown are ever asked for.
//!
//! The selection is an id, not a row number, so it stays on its key through sorting, filtering and refreshes.
//! Columns give way by priority when the window is narrow. Sorting and filtering are the screen's; the table
//! keeps what was asked for and shows it.

mod columns;
mod draw;
mod state;

use std::borrow::Cow;

pub use self::{
    columns::{Align, Column},
    draw::View,
    state::{Direction, Sort, TableState},
};
use crate::tui::theme::Role;

/// What a table shows. Asked only for the rows on the screen, each frame anew.
pub trait Rows {
    /// What identifies a row.
    type Id: Clone + Eq + std::hash::Hash;

    /// How many rows there are, filtered and sorted.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Which row is at `index`; `None` past the end.
    fn id(&self, index: usize) -> Option<Self::Id>;

    /// Where the row of `id` is now. The default looks at each; override it when there is an index.
    fn find(&self, id: &Self::Id) -> Option<usize> {
        (0..self.len()).find(|index| self.id(*index).as_ref() == Some(id))
    }

    /// What stands in `column` (its [`Column::id`]) of the row at `index`.
    fn cell(&self, index: usize, column: &'static str) -> Cell<'_>;
}

/// What stands in one place of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell<'a> {
    /// A sign before the text, for states.
    pub sign: &'static str,
    /// The text; shortened when it does not fit.
    pub text: Cow<'a, str>,
    /// Its look, unless the row is selected.
    pub role: Role,
}

impl<'a> Cell<'a> {
    /// Plain text.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self { sign: "", text: text.into(), role: Role::Text }
    }

    /// Text with a look of its own.
    pub fn with_role(text: impl Into<Cow<'a, str>>, role: Role) -> Self {
        Self { sign: "", text: text.into(), role }
    }

    /// A sign and words: never the sign alone.
    pub fn state(sign: &'static str, words: impl Into<Cow<'a, str>>, role: Role) -> Self {
        Self { sign, text: words.into(), role }
    }
}

#[cfg(test)]
mod tests;
