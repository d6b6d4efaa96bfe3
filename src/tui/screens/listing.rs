//! A table with a line above it, as the lists of keys and of apps have it: what is typed there filters, or names a
//! column to sort by, to show or to hide. Knows ids and columns only; which rows fit, and what stands in them, is the
//! list's own.

use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::tui::action::Action;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::input::TextFocus;
use crate::tui::overlay::Cue;
use crate::tui::theme::Role;
use crate::tui::widgets::data_table::{Cell, Column, Rows, Sort, TableState, View};
use crate::tui::widgets::{Focus, Handled, field::TextField, layout, text};

/// Who takes the next character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Characters are commands.
    Browse,
    /// The filter line.
    Filter,
    /// A column's letter, to sort by.
    Sort,
    /// Column letters, to show and hide.
    Columns,
}

/// What changed, so that whoever holds the list looks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing it knows.
    Ignored,
    /// Only the selection, marks or the look.
    Looks,
    /// What is shown: filter again.
    Filter,
    /// The order: sort again.
    Order,
}

/// Rows known by their ids, and what makes their cells when they are drawn.
struct Ids<'a, Id, F>(&'a [Id], F);

impl<'a, Id, F> Rows for Ids<'a, Id, F>
where
    Id: Copy + Eq + std::hash::Hash,
    F: Fn(Id, &'static str) -> Cell<'a>,
{
    type Id = Id;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn id(&self, index: usize) -> Option<Id> {
        self.0.get(index).copied()
    }

    fn cell(&self, index: usize, column: &'static str) -> Cell<'_> {
        self.id(index).map_or(Cell::new(""), |id| (self.1)(id, column))
    }
}

/// Rows known by their ids alone: enough for moving and marking.
fn ids<Id: Copy + Eq + std::hash::Hash>(shown: &[Id]) -> impl Rows<Id = Id> {
    Ids(shown, |_, _| Cell::new(""))
}

/// What a list says around its rows.
pub struct Words<'a> {
    /// At the right of the line above: counts.
    pub counted: &'a str,
    /// What the filter does not understand.
    pub mistake: Option<&'a str>,
    /// In place of rows when there are none.
    pub empty: &'a str,
}

/// The table and its line.
pub struct Listing<Id: Clone + Eq + std::hash::Hash> {
    /// Which columns there are.
    pub columns: Vec<Column>,
    table: TableState<Id>,
    shown: Vec<Id>,
    filter: TextField,
    mode: Mode,
    pane: u8,
    by: Sort,
}

impl<Id: Copy + Eq + std::hash::Hash> Listing<Id> {
    /// An empty one, sorted so at first; `terms` says what may be typed, `pane` is its number for the mouse.
    pub fn new(pane: u8, by: Sort, terms: &str) -> Self {
        let mut table = TableState::new();
        table.sort = Some(by);
        let filter = TextField::new("").placeholder(terms);
        Self { columns: Vec::new(), table, shown: Vec::new(), filter, mode: Mode::Browse, pane, by }
    }

    /// What the rows are sorted by.
    pub fn sort(&self) -> Sort {
        self.table.sort.unwrap_or(self.by)
    }

    /// Shows these rows. The selection stays, by id.
    pub fn show(&mut self, rows: Vec<Id>) {
        self.shown = rows;
        self.table.settle(&ids(&self.shown));
    }

    /// The rows that are shown.
    pub fn shown(&self) -> &[Id] {
        &self.shown
    }

    /// The selected row.
    pub fn selected(&self) -> Option<Id> {
        self.table.selected().copied()
    }

    /// Selects a row that is shown.
    pub fn select(&mut self, id: Id) {
        self.table.select(&ids(&self.shown), &id);
    }

    /// The marked rows that are shown.
    pub fn marked(&self) -> Vec<Id> {
        self.table.marked(&ids(&self.shown))
    }

    /// How many rows are marked.
    pub fn marks(&self) -> usize {
        self.table.marks()
    }

    /// Forgets the marks of rows that do not exist any more.
    pub fn keep_marks(&mut self, exists: impl Fn(&Id) -> bool) {
        self.table.keep_marks(exists);
    }

    /// Forgets all marks.
    pub fn unmark(&mut self) -> Handled {
        self.table.unmark()
    }

    /// Puts `text` into the filter line, as if it had been typed and kept.
    pub fn set_filter(&mut self, text: &str) {
        self.filter.set(text);
        self.mode = Mode::Browse;
    }

    /// What stands in the filter line.
    pub fn filter(&self) -> &str {
        self.filter.text()
    }

    /// Whether a filter is on.
    pub fn is_filtered(&self) -> bool {
        !self.filter.is_empty()
    }

    /// Whether characters go to the line.
    pub fn text_focus(&self) -> TextFocus {
        if self.mode == Mode::Browse { TextFocus::Elsewhere } else { TextFocus::Here }
    }

    /// Hears a cue.
    pub fn hear(&mut self, cue: Cue<'_>) -> Change {
        match (self.mode, cue) {
            (_, Cue::Wheel { pane, rows }) if pane == self.pane => {
                self.table.scroll(&ids(&self.shown), rows);
                Change::Looks
            }
            // A click leaves the line.
            (_, Cue::Click(target)) => {
                self.mode = Mode::Browse;
                self.click(target)
            }
            (Mode::Filter, cue) => self.hear_filter(cue),
            (Mode::Sort | Mode::Columns, cue) => self.hear_letter(cue),
            (Mode::Browse, Cue::Do(action)) => self.act(action),
            (Mode::Browse, _) => Change::Ignored,
        }
    }

    fn act(&mut self, action: Action) -> Change {
        match action {
            Action::Filter => self.mode = Mode::Filter,
            Action::Sort => self.mode = Mode::Sort,
            Action::Columns => self.mode = Mode::Columns,
            _ => return self.walk(action),
        }
        Change::Looks
    }

    fn walk(&mut self, action: Action) -> Change {
        match self.table.act(action, &ids(&self.shown)) {
            Handled::Ignored => Change::Ignored,
            Handled::Changed | Handled::Unmoved => Change::Looks,
        }
    }

    fn click(&mut self, target: Target) -> Change {
        match target {
            Target::Row { pane, row } if pane == self.pane => self.table.go(&ids(&self.shown), row),
            Target::Header { pane, column } if pane == self.pane => {
                let Some(column) = self.columns.get(column) else { return Change::Ignored };
                self.table.sort_by(column.id);
                return Change::Order;
            }
            Target::Pane(pane) if pane == self.pane => {}
            _ => return Change::Ignored,
        }
        Change::Looks
    }

    fn hear_filter(&mut self, cue: Cue<'_>) -> Change {
        match cue {
            Cue::Type(typed) => self.filter.type_char(typed.0),
            Cue::Paste(pasted) => self.filter.paste(pasted.0),
            Cue::Edit(edit) => self.filter.edit(edit),
            Cue::Do(Action::Open | Action::Press) => {
                self.mode = Mode::Browse;
                return Change::Looks;
            }
            Cue::Do(Action::Back | Action::Cancel) => self.set_filter(""),
            // Rows can be walked while typing.
            Cue::Do(action) => return self.walk(action),
            Cue::Click(_) | Cue::Wheel { .. } | Cue::Tick => return Change::Ignored,
        }
        Change::Filter
    }

    fn hear_letter(&mut self, cue: Cue<'_>) -> Change {
        match cue {
            Cue::Type(typed) => {
                let column = TableState::<Id>::column_of(&self.columns, typed.0);
                if self.mode == Mode::Sort {
                    self.mode = Mode::Browse;
                    let Some(column) = column else { return Change::Looks };
                    self.table.sort_by(column);
                    return Change::Order;
                }
                // What is never dropped is never hidden either.
                let known = |known: &&Column| Some(known.id) == column && known.priority > 0;
                if let Some(column) = self.columns.iter().find(known) {
                    self.table.toggle_column(column.id);
                }
                Change::Looks
            }
            Cue::Do(Action::Back | Action::Cancel | Action::Open | Action::Press) => {
                self.mode = Mode::Browse;
                Change::Looks
            }
            _ => Change::Ignored,
        }
    }

    /// Draws line and table; `cell` says what stands in a column of a row, asked for those on the screen only.
    pub fn draw<'a>(
        &'a mut self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        cell: impl Fn(Id, &'static str) -> Cell<'a>,
        focus: Focus,
        words: &Words<'_>,
    ) {
        let letters =
            matches!(self.mode, Mode::Sort | Mode::Columns).then(|| self.letters(canvas, area.width));
        let wrong = words.mistake.filter(|_| letters.is_none());
        let wrong = wrong.map(|mistake| format!("{} {mistake}", canvas.glyphs().bad));
        let wrong =
            wrong.map_or_else(Vec::new, |said| text::wrap(&said, area.width.saturating_sub(4).max(1)));
        let line = self.mode == Mode::Filter || self.is_filtered() || self.marks() > 0 || !wrong.is_empty();
        let lines = letters.as_ref().map_or(usize::from(line) + wrong.len(), Vec::len);
        // The table keeps more than half of the room.
        let lines = u16::try_from(lines).unwrap_or(u16::MAX).min(area.height / 2);
        let (above, below) = layout::top(area, lines);
        if let Some(letters) = letters {
            for (row, spans) in (0..above.height).zip(&letters) {
                let row = layout::row(above, row);
                canvas.spans(row.x, row.y, row.width, spans);
            }
        } else {
            self.draw_line(canvas, layout::row(above, 0), words.counted);
            for (row, said) in (1..above.height).zip(&wrong) {
                let row = layout::row(above, row);
                canvas.fit(row.x + 3, row.y, row.width.saturating_sub(4), said, Role::Bad);
            }
        }
        let focus = Focus::when(focus.is_here() && self.mode != Mode::Filter);
        let view = View { focus, pane: self.pane, empty: words.empty };
        self.table.draw(canvas, below, &self.columns, &Ids(&self.shown, cell), view);
    }

    fn draw_line(&self, canvas: &mut Canvas<'_>, row: Rect, counted: &str) {
        if row.is_empty() {
            return;
        }
        let span = canvas.span(Role::Count, counted);
        let right = canvas.spans_right(row.right().saturating_sub(2), row.y, row.width / 2, &[span]);
        if self.mode != Mode::Filter && !self.is_filtered() {
            return;
        }
        let style = canvas.style(Role::Key);
        let x = canvas.print(row.x.saturating_add(1), row.y, 2, "/ ", style);
        let input = Rect { x, width: right.saturating_sub(x).saturating_sub(2), ..row };
        if self.mode == Mode::Filter {
            self.filter.draw_input(canvas, input, Focus::Here);
        } else {
            canvas.fit(input.x, input.y, input.width, self.filter.text(), Role::Accent);
        }
    }

    /// The columns by their letters, on as many lines as they need; none is cut in its middle.
    fn letters(&self, canvas: &Canvas<'_>, cells: u16) -> Vec<Vec<Span<'static>>> {
        let sorting = self.mode == Mode::Sort;
        let glyphs = canvas.glyphs();
        let mut groups = Vec::new();
        for column in self.columns.iter().filter(|column| sorting || column.priority > 0) {
            let mut group = Vec::new();
            if !sorting {
                let hidden = self.table.is_hidden(column.id);
                let sign = if hidden { glyphs.box_off } else { glyphs.box_on };
                group.push(canvas.span(Role::Dim, format!("{sign} ")));
            }
            group.push(canvas.span(Role::Key, column.letter.to_string()));
            group.push(canvas.span(Role::Text, format!(" {}  ", column.title.to_lowercase())));
            groups.push(group);
        }
        let end = if sorting { "the same again turns it round" } else { "esc done" };
        groups.push(vec![canvas.span(Role::Dim, end)]);
        let wide = |spans: &[Span<'_>]| spans.iter().map(|span| text::width(&span.content)).sum::<usize>();
        let head = if sorting { " Sort by  " } else { " Columns  " };
        let mut lines = vec![vec![canvas.span(Role::Accent, head)]];
        for group in groups {
            let full = |line: &Vec<Span<'_>>| wide(line) + wide(&group) > usize::from(cells) + 2;
            match lines.last_mut().filter(|line| !full(line)) {
                Some(line) => line.extend(group),
                None => {
                    let mut line = vec![canvas.span(Role::Text, " ".repeat(text::width(head)))];
                    line.extend(group);
                    lines.push(line);
                }
            }
        }
        lines
    }
}
