//! What a person has done to a table: selected, marked, sorted, scrolled, hidden columns.

use std::collections::HashSet;

use super::{Column, Rows};
use crate::tui::{action::Action, widgets::Handled};

/// Which way a column is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// What a table is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The column's id.
    pub column: &'static str,
    /// Which way.
    pub direction: Direction,
}

/// The state of one table. `Id` is what identifies a row.
#[derive(Debug)]
pub struct TableState<Id> {
    selected: Option<Id>,
    /// Where the selected row was last seen; where the selection goes when its row is gone.
    at: usize,
    marked: HashSet<Id>,
    /// Where marking a range began.
    anchor: Option<Id>,
    /// What to sort by.
    pub sort: Option<Sort>,
    hidden: HashSet<&'static str>,
    pub(super) offset: usize,
    /// Rows shown in the last frame: what a page is.
    pub(super) page: usize,
}

impl<Id: Clone + Eq + std::hash::Hash> TableState<Id> {
    /// Nothing selected, nothing marked.
    pub fn new() -> Self {
        Self {
            selected: None,
            at: 0,
            marked: HashSet::new(),
            anchor: None,
            sort: None,
            hidden: HashSet::new(),
            offset: 0,
            page: 1,
        }
    }

    /// The selected row.
    pub const fn selected(&self) -> Option<&Id> {
        self.selected.as_ref()
    }

    /// Its number among all rows.
    pub fn selected_index(&self) -> Option<usize> {
        self.selected.as_ref().map(|_| self.at)
    }

    /// Must be called after the rows changed, were sorted or filtered: finds the selected row again. When it is
    /// gone the row that took its place is selected. Marks of rows that are merely filtered out are kept.
    pub fn settle(&mut self, rows: &impl Rows<Id = Id>) {
        let still_here = |id: &Id| rows.id(self.at).as_ref() == Some(id);
        let found =
            self.selected.as_ref().and_then(|id| if still_here(id) { Some(self.at) } else { rows.find(id) });
        self.go(rows, found.unwrap_or(self.at));
    }

    /// Selects the row at `index`, or the last one.
    pub fn go(&mut self, rows: &impl Rows<Id = Id>, index: usize) {
        self.at = index.min(rows.len().saturating_sub(1));
        self.selected = rows.id(self.at);
    }

    /// Selects the row of `id` if it is there, and says whether it is.
    pub fn select(&mut self, rows: &impl Rows<Id = Id>, id: &Id) -> Handled {
        match rows.find(id) {
            Some(index) => {
                self.go(rows, index);
                Handled::Changed
            }
            None => Handled::Unmoved,
        }
    }

    /// Moves, marks. Sorting and columns are asked of [`TableState::sort_by`] and [`TableState::toggle_column`].
    pub fn act(&mut self, action: Action, rows: &impl Rows<Id = Id>) -> Handled {
        if let Some(to) = self.destination(action, rows.len()) {
            let before = self.at;
            self.go(rows, to);
            return if self.at == before { Handled::Unmoved } else { Handled::Changed };
        }
        match action {
            Action::Mark => self.mark(rows),
            Action::MarkRange => self.mark_range(rows),
            Action::MarkAll => {
                self.marked.extend((0..rows.len()).filter_map(|index| rows.id(index)));
                Handled::Changed
            }
            Action::MarkNone => self.unmark(),
            _ => Handled::Ignored,
        }
    }

    /// Scrolls by `rows` down (or up, when negative), the selection staying within the window.
    pub fn scroll(&mut self, rows: &impl Rows<Id = Id>, by: isize) {
        let last = rows.len().saturating_sub(self.page);
        self.offset = self.offset.saturating_add_signed(by).min(last);
        let window = self.offset..=(self.offset + self.page).saturating_sub(1);
        self.go(rows, self.at.clamp(*window.start(), *window.end()));
    }

    /// How many rows are marked, also among those filtered out.
    pub fn marks(&self) -> usize {
        self.marked.len()
    }

    /// Whether this row is marked.
    pub fn is_marked(&self, id: &Id) -> bool {
        self.marked.contains(id)
    }

    /// The marked rows in the order shown; those filtered out are not among them.
    pub fn marked(&self, rows: &impl Rows<Id = Id>) -> Vec<Id> {
        let all = (0..rows.len()).filter_map(|index| rows.id(index));
        all.filter(|id| self.marked.contains(id)).collect()
    }

    /// Forgets all marks.
    pub fn unmark(&mut self) -> Handled {
        self.anchor = None;
        if self.marked.is_empty() {
            return Handled::Unmoved;
        }
        self.marked.clear();
        Handled::Changed
    }

    /// Forgets the marks of rows that no longer exist.
    pub fn keep_marks(&mut self, exists: impl Fn(&Id) -> bool) {
        self.marked.retain(exists);
    }

    /// Sorts by `column`; the same column again turns the direction round.
    pub fn sort_by(&mut self, column: &'static str) {
        let direction = match self.sort {
            Some(Sort { column: now, direction: Direction::Ascending }) if now == column => {
                Direction::Descending
            }
            _ => Direction::Ascending,
        };
        self.sort = Some(Sort { column, direction });
    }

    /// The column that `letter` sorts by.
    pub fn column_of(columns: &[Column], letter: char) -> Option<&'static str> {
        columns.iter().find(|column| column.letter == letter).map(|column| column.id)
    }

    /// Shows or hides a column.
    pub fn toggle_column(&mut self, column: &'static str) {
        if !self.hidden.remove(column) {
            self.hidden.insert(column);
        }
    }

    /// Whether a person has hidden this column.
    pub fn is_hidden(&self, column: &str) -> bool {
        self.hidden.contains(column)
    }

    /// Hidden columns, to be remembered.
    pub fn hidden(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.hidden.iter().copied()
    }

    fn destination(&self, action: Action, len: usize) -> Option<usize> {
        let half = (self.page / 2).max(1);
        Some(match action {
            Action::Up => self.at.saturating_sub(1),
            Action::Down => self.at + 1,
            Action::HalfUp => self.at.saturating_sub(half),
            Action::HalfDown => self.at + half,
            Action::PageUp => self.at.saturating_sub(self.page),
            Action::PageDown => self.at + self.page,
            Action::Top => 0,
            Action::Bottom => len.saturating_sub(1),
            _ => return None,
        })
    }

    fn mark(&mut self, rows: &impl Rows<Id = Id>) -> Handled {
        let Some(id) = self.selected.clone() else { return Handled::Unmoved };
        if !self.marked.remove(&id) {
            self.marked.insert(id.clone());
        }
        self.anchor = Some(id);
        self.go(rows, self.at + 1);
        Handled::Changed
    }

    /// The first press begins a range at the selected row, the second marks everything up to it.
    fn mark_range(&mut self, rows: &impl Rows<Id = Id>) -> Handled {
        let Some(id) = self.selected.clone() else { return Handled::Unmoved };
        let Some(from) = self.anchor.take().and_then(|anchor| rows.find(&anchor)) else {
            self.marked.insert(id.clone());
            self.anchor = Some(id);
            return Handled::Changed;
        };
        let range = from.min(self.at)..=from.max(self.at);
        self.marked.extend(range.filter_map(|index| rows.id(index)));
        Handled::Changed
    }
}

impl<Id: Clone + Eq + std::hash::Hash> Default for TableState<Id> {
    fn default() -> Self {
        Self::new()
    }
}
