//! The one list: rows known by their ids, typed columns, a filter line, marks, and a selection that stays on its row.
//! Any number of rows, of which only those on the screen are ever made. What a row is, each list says as [`Listed`].
//!
//! - [`column`]: header, order and cell. `line`: typing a filter line; what it means is [`crate::domain::filter`]'s.
//!   [`lines`]: those of before, and those that have a name. [`complete`]: how it may go on.
//! - [`search`]: order and filter. `draw`: all of it on the screen. [`page`]: lines to read. [`beside`]: a list with the detail of its selected row.
//! - [`habit`]: what is remembered of how somebody has it.

pub mod beside;
pub mod column;
pub mod complete;
mod draw;
pub mod habit;
mod line;
pub mod lines;
pub mod page;
pub mod search;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

pub use self::column::{Cell, Column, Rank};
use self::line::Mode;
use self::lines::Lines;
use super::action::Action;
use super::widgets::field::TextField;
use super::widgets::{Handled, walk};
use crate::domain::filter::{Filter, Term, push_plain};

/// What the rows of a list are.
pub trait Listed: Sized + 'static {
    /// What identifies a row.
    type Id: Copy + Eq + Hash + Ord + Send + Sync;
    /// What a row is made from.
    type Row;
    /// What has to be looked at meanwhile.
    type Sight<'a>;
    /// What may be asked of a row in the filter line.
    type Term: Term + Clone + Send;

    /// One of them, in a word.
    const ONE: &'static str;
    /// Which rows are out of sight, in a word, and the term that asks for them.
    const HIDDEN: (&'static str, &'static str) = ("deleted", "state:deleted");
    /// Cells before the first column: selection, mark where rows can be marked, blank.
    const MARGIN: u16 = 3;

    /// The row of an id, if it is still there.
    fn row<'a>(sight: &'a Self::Sight<'_>, id: Self::Id) -> Option<&'a Self::Row>;

    /// What it is called: rows that are equal otherwise are in the order of their names.
    fn name<'a>(row: &'a Self::Row, sight: &'a Self::Sight<'_>) -> &'a str;

    /// Adds what words are looked for in, as [`plain`] has it, one field per line so that no word spans two.
    fn text(row: &Self::Row, sight: &Self::Sight<'_>, room: &mut String) {
        push_plain(room, Self::name(row, sight));
    }

    /// Whether a term holds for it.
    fn fits(_term: &Self::Term, _row: &Self::Row, _sight: &Self::Sight<'_>) -> bool {
        false
    }

    /// What may be asked for in a field, for whoever writes it.
    fn values(_field: &str, _sign: char, _sight: &Self::Sight<'_>) -> Vec<String> {
        Vec::new()
    }

    /// Whether it is out of sight unless a term asks for it.
    fn is_hidden(_row: &Self::Row, _sight: &Self::Sight<'_>) -> bool {
        false
    }
}

/// What a cue changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not for the list.
    Ignored,
    /// Only the selection, marks or the look.
    Looks,
    /// What is shown: sift again.
    Filter,
    /// The order: sort again.
    Order,
}

/// A column's letter, and whether the largest come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub letter: char,
    pub falling: bool,
}

/// The letter of no column, until there are any.
const UNSORTED: char = ' ';

pub struct List<L: Listed> {
    /// Its number for the mouse.
    pane: u8,
    columns: Vec<&'static Column<L>>,
    sort: Sort,
    /// Letters of the columns a person has switched off.
    off: HashSet<char>,
    /// Cells of the columns to which a person gave a width.
    widths: BTreeMap<char, u16>,
    /// The column named last while columns are chosen: the arrows are about it.
    named: Option<char>,
    /// How many columns are ticked for which the last frame had no room.
    roomless: usize,
    all: Arc<Vec<L::Id>>,
    /// How many of these are out of sight unless asked for.
    hidden: usize,
    /// What the filter lets through.
    shown: Vec<L::Id>,
    query: Filter<L::Term>,
    filter: TextField,
    /// Lines of before.
    pub lines: Lines,
    /// How many steps back the one in the field is; nothing once somebody writes.
    steps: Option<usize>,
    /// How the line may go on, as it was last drawn.
    offered: Vec<String>,
    mode: Mode,
    selected: Option<L::Id>,
    /// The row to be selected when it comes.
    awaited: Option<L::Id>,
    /// Which filter is the latest.
    turn: u64,
    /// Where the selected row was last seen; where the selection goes when its row is gone.
    at: usize,
    marked: HashSet<L::Id>,
    /// The marked ones among those shown: what is acted on.
    chosen: Vec<L::Id>,
    /// Where marking a range began.
    anchor: Option<L::Id>,
    offset: usize,
    /// Rows shown in the last frame: what a page is.
    page: usize,
    /// Letters of the columns shown in it, and how wide they were.
    drawn: Vec<(char, u16)>,
}

impl<L: Listed> List<L> {
    /// An empty one, sorted by the first of its columns; `pane` is its number for the mouse.
    pub fn new(pane: u8, columns: Vec<&'static Column<L>>) -> Self {
        let letter = columns.first().map_or(UNSORTED, |column| column.letter);
        Self {
            pane,
            columns,
            sort: Sort { letter, falling: false },
            off: HashSet::new(),
            widths: BTreeMap::new(),
            named: None,
            roomless: 0,
            all: Arc::default(),
            hidden: 0,
            shown: Vec::new(),
            query: Filter::default(),
            filter: TextField::new("").placeholder(L::Term::EXAMPLES),
            lines: Lines::default(),
            steps: None,
            offered: Vec::new(),
            mode: Mode::Browse,
            selected: None,
            awaited: None,
            turn: 0,
            at: 0,
            marked: HashSet::new(),
            chosen: Vec::new(),
            anchor: None,
            offset: 0,
            page: 1,
            drawn: Vec::new(),
        }
    }

    /// Has these columns from now on.
    pub fn set_columns(&mut self, columns: Vec<&'static Column<L>>) {
        if self.sort.letter == UNSORTED {
            self.sort.letter = columns.first().map_or(UNSORTED, |column| column.letter);
        }
        self.columns = columns;
    }

    /// Shows these rows, in the order chosen. Selection and marks stay, by id.
    pub fn fill(&mut self, rows: impl IntoIterator<Item = L::Id>, sight: &L::Sight<'_>) {
        let mut order = self.order();
        rows.into_iter().for_each(|id| order.add(id, sight));
        self.take(order.finish());
        self.forget(sight);
        self.sift(sight);
    }

    /// Forgets the marks of rows that are gone.
    pub fn forget(&mut self, sight: &L::Sight<'_>) {
        self.marked.retain(|id| L::row(sight, *id).is_some());
    }

    /// Shows nothing until other rows come.
    pub fn clear(&mut self) {
        (self.all, self.hidden, self.awaited) = (Arc::default(), 0, None);
        self.turn += 1;
        self.shown.clear();
        self.go(0);
        self.choose();
    }

    /// Does what a change asks for, and says whether the cue was for the list.
    pub fn settle(&mut self, change: Change, sight: &L::Sight<'_>) -> bool {
        match change {
            Change::Ignored => return false,
            Change::Looks => {}
            Change::Filter => self.sift(sight),
            Change::Order => {
                let rows = std::mem::take(&mut self.all);
                self.fill(rows.iter().copied(), sight);
            }
        }
        true
    }

    fn find(&self, id: L::Id) -> Option<usize> {
        self.shown.iter().position(|shown| *shown == id)
    }

    /// How many rows are shown.
    pub const fn shown(&self) -> usize {
        self.shown.len()
    }

    /// The rows in sight, where a column is shown beside them.
    pub fn in_sight(&self, letter: char) -> &[L::Id] {
        let end = self.offset.saturating_add(self.page).min(self.shown.len());
        let rows = self.shown.get(self.offset..end).unwrap_or_default();
        if self.drawn.iter().any(|(drawn, _)| *drawn == letter) { rows } else { &[] }
    }

    /// How many there are without a filter.
    pub fn listed(&self) -> usize {
        self.all.len() - self.hidden
    }

    /// Whether there is no row at all, not even one out of sight.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub const fn selected(&self) -> Option<L::Id> {
        self.selected
    }

    /// Its number among those shown.
    pub const fn index(&self) -> usize {
        self.at
    }

    /// Selects the row at `index`, or the last one.
    pub fn go(&mut self, index: usize) {
        self.at = index.min(self.shown.len().saturating_sub(1));
        self.selected = self.shown.get(self.at).copied();
    }

    /// Selects a row; when a filter hides it, the filter goes.
    pub fn select(&mut self, id: L::Id, sight: &L::Sight<'_>) {
        if self.is_filtered() && self.find(id).is_none() {
            self.set_filter("");
            self.sift(sight);
        }
        match self.find(id) {
            Some(at) => self.go(at),
            // Its row is on its way.
            None => self.awaited = Some(id),
        }
    }

    /// The rows an action is about: the marked ones that are shown, or else the selected one.
    pub fn targets(&self) -> &[L::Id] {
        if self.marked.is_empty() { self.selected.as_slice() } else { &self.chosen }
    }

    /// How many rows are marked, also among those filtered out.
    pub fn marks(&self) -> usize {
        self.marked.len()
    }

    pub fn unmark(&mut self) -> Handled {
        self.anchor = None;
        self.chosen.clear();
        if self.marked.is_empty() {
            return Handled::Unmoved;
        }
        self.marked.clear();
        Handled::Changed
    }

    fn choose(&mut self) {
        self.chosen.clear();
        if !self.marked.is_empty() {
            self.chosen.extend(self.shown.iter().filter(|id| self.marked.contains(id)));
        }
    }

    fn act(&mut self, action: Action) -> Handled {
        if let Some(to) = walk(action, self.at, self.page, self.shown.len()) {
            let before = self.at;
            self.go(to);
            return if self.at == before { Handled::Unmoved } else { Handled::Changed };
        }
        match action {
            Action::Mark => self.mark(),
            Action::MarkRange => self.mark_range(),
            Action::MarkAll => self.marked.extend(&self.shown),
            Action::MarkNone => return self.unmark(),
            _ => return Handled::Ignored,
        }
        self.choose();
        Handled::Changed
    }

    fn mark(&mut self) {
        let Some(id) = self.selected else { return };
        if !self.marked.remove(&id) {
            self.marked.insert(id);
        }
        self.anchor = Some(id);
        self.go(self.at + 1);
    }

    /// The first press begins a range at the selected row, the second marks everything up to it.
    fn mark_range(&mut self) {
        let Some(id) = self.selected else { return };
        if let Some(from) = self.anchor.take().and_then(|anchor| self.find(anchor)) {
            let range = from.min(self.at)..=from.max(self.at);
            self.marked.extend(self.shown.get(range).unwrap_or_default());
        } else {
            self.marked.insert(id);
            self.anchor = Some(id);
        }
    }

    /// Scrolls by so many rows down, or up when negative; the selection stays within the window.
    pub fn scroll(&mut self, by: isize) {
        let last = self.shown.len().saturating_sub(self.page);
        self.offset = self.offset.saturating_add_signed(by).min(last);
        self.go(self.at.clamp(self.offset, (self.offset + self.page).saturating_sub(1)));
    }

    /// Sorts by a column from the next fill on; the same column again turns the direction round.
    fn sort_by(&mut self, letter: char) {
        let falling = self.sort == Sort { letter, falling: false };
        self.sort = Sort { letter, falling };
    }
}
