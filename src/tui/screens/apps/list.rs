//! The table of apps with its filter line. Keeps ids only; what stands in a row is looked up when it is drawn.

use ratatui::layout::Rect;

use super::query::{Query, TERMS};
use super::table::{self, BY_NAME, Ids, Shown};
use crate::domain::AppId;
use crate::tui::action::Action;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::input::TextFocus;
use crate::tui::overlay::Cue;
use crate::tui::screens::keys::seen::Seen;
use crate::tui::theme::Role;
use crate::tui::widgets::data_table::{Column, TableState, View};
use crate::tui::widgets::{Focus, Handled, field::TextField, layout};

/// The table's number for the mouse.
pub const PANE: u8 = 3;

/// Who takes the next character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Browse,
    Filter,
    Sort,
    Columns,
}

/// What changed, so that whoever holds the list looks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing it knows.
    Ignored,
    /// Only the selection or the look.
    Looks,
    /// Filter or order: look at all again.
    All,
}

/// A list of apps.
pub struct AppList {
    columns: Vec<Column>,
    /// All apps that may be shown, deleted ones left out.
    kept: usize,
    any: bool,
    shown: Vec<AppId>,
    table: TableState<AppId>,
    filter: TextField,
    query: Query,
    mode: Mode,
}

impl AppList {
    /// An empty list, by name.
    pub fn new() -> Self {
        let mut table = TableState::new();
        table.sort = Some(BY_NAME);
        Self {
            columns: Vec::new(),
            kept: 0,
            any: false,
            shown: Vec::new(),
            table,
            filter: TextField::new("").placeholder(TERMS),
            query: Query::default(),
            mode: Mode::Browse,
        }
    }

    /// Looks at all apps again, sorts and filters. The selection stays, by id.
    pub fn refresh(&mut self, seen: &Seen<'_>) {
        let apps = seen.view.apps();
        self.any = !apps.is_empty();
        self.kept = apps.iter().filter(|app| !app.is_deleted()).count();
        self.columns = table::columns(seen.view.is_whole());
        let wanted: Vec<_> = apps.into_iter().filter(|app| self.query.fits(app, seen)).collect();
        self.shown = table::sort(&wanted, self.table.sort.unwrap_or(BY_NAME), seen);
        self.table.settle(&Ids(&self.shown));
    }

    /// Apps that are not deleted.
    pub const fn kept(&self) -> usize {
        self.kept
    }

    /// Whether there is no app at all, not even a deleted one.
    pub const fn is_bare(&self) -> bool {
        !self.any
    }

    /// How many are shown.
    pub const fn shown(&self) -> usize {
        self.shown.len()
    }

    /// The selected app.
    pub fn selected(&self) -> Option<AppId> {
        self.table.selected().copied()
    }

    /// Selects an app; when a filter hides it, the filter goes.
    pub fn select(&mut self, app: AppId, seen: &Seen<'_>) {
        if !self.shown.contains(&app) {
            self.set_filter("");
            self.refresh(seen);
        }
        self.table.select(&Ids(&self.shown), &app);
    }

    /// Filters by `text`, as if it had been typed and kept. Takes effect with the next look.
    pub fn set_filter(&mut self, text: &str) {
        self.filter.set(text);
        self.query = Query::parse(text);
        self.mode = Mode::Browse;
    }

    /// Whether a filter is on.
    pub fn is_filtered(&self) -> bool {
        !self.filter.is_empty()
    }

    /// Whether characters go to a line of the list.
    pub fn text_focus(&self) -> TextFocus {
        if self.mode == Mode::Browse { TextFocus::Elsewhere } else { TextFocus::Here }
    }

    /// Hears a cue.
    pub fn hear(&mut self, cue: Cue<'_>) -> Change {
        match (self.mode, cue) {
            (_, Cue::Wheel { pane: PANE, rows }) => {
                self.table.scroll(&Ids(&self.shown), rows);
                Change::Looks
            }
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
            Action::Mark | Action::MarkAll | Action::MarkRange | Action::MarkNone => return Change::Ignored,
            _ => return self.walk(action),
        }
        Change::Looks
    }

    fn walk(&mut self, action: Action) -> Change {
        match self.table.act(action, &Ids(&self.shown)) {
            Handled::Ignored => Change::Ignored,
            Handled::Changed | Handled::Unmoved => Change::Looks,
        }
    }

    fn click(&mut self, target: Target) -> Change {
        match target {
            Target::Row { pane: PANE, row } => self.table.go(&Ids(&self.shown), row),
            Target::Header { pane: PANE, column } => {
                let Some(column) = self.columns.get(column) else { return Change::Ignored };
                self.table.sort_by(column.id);
                return Change::All;
            }
            Target::Pane(PANE) => {}
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
        self.query = Query::parse(self.filter.text());
        Change::All
    }

    fn hear_letter(&mut self, cue: Cue<'_>) -> Change {
        match cue {
            Cue::Type(typed) => {
                let column = TableState::<AppId>::column_of(&self.columns, typed.0);
                if self.mode == Mode::Sort {
                    self.mode = Mode::Browse;
                    let Some(column) = column else { return Change::Looks };
                    self.table.sort_by(column);
                    return Change::All;
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

    /// Draws filter line and table; `empty` is what to say when there is no app at all.
    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, seen: &Seen<'_>, focus: Focus, empty: &str) {
        let mistake = self.query.mistakes.first();
        let lines = u16::from(self.mode != Mode::Browse || self.is_filtered()) + u16::from(mistake.is_some());
        let (above, below) = layout::top(area, lines);
        self.draw_line(canvas, layout::row(above, 0));
        if let Some(mistake) = mistake {
            let row = layout::row(above, 1);
            let said = format!("{} {mistake}", canvas.glyphs().bad);
            canvas.fit(row.x + 3, row.y, row.width.saturating_sub(4), &said, Role::Bad);
        }
        let nothing = if self.is_filtered() {
            "No app matches. Esc clears the filter."
        } else if self.any {
            "Only deleted apps are left here; the filter state:deleted shows them."
        } else {
            empty
        };
        let rows = Shown { ids: &self.shown, seen, glyphs: canvas.glyphs() };
        let table_focus = Focus::when(focus.is_here() && self.mode != Mode::Filter);
        let view = View { focus: table_focus, pane: PANE, empty: nothing };
        self.table.draw(canvas, below, &self.columns, &rows, view);
    }

    fn draw_line(&self, canvas: &mut Canvas<'_>, row: Rect) {
        if row.is_empty() {
            return;
        }
        if matches!(self.mode, Mode::Sort | Mode::Columns) {
            return self.draw_letters(canvas, row);
        }
        let counted = format!("{} of {}", self.shown.len(), self.kept.max(self.shown.len()));
        let span = canvas.span(Role::Count, counted);
        let right = canvas.spans_right(row.right().saturating_sub(2), row.y, row.width / 2, &[span]);
        let style = canvas.style(Role::Key);
        let x = canvas.print(row.x.saturating_add(1), row.y, 2, "/ ", style);
        let input = Rect { x, width: right.saturating_sub(x).saturating_sub(2), ..row };
        if self.mode == Mode::Filter {
            self.filter.draw_input(canvas, input, Focus::Here);
        } else {
            canvas.fit(input.x, input.y, input.width, self.filter.text(), Role::Accent);
        }
    }

    fn draw_letters(&self, canvas: &mut Canvas<'_>, row: Rect) {
        let sorting = self.mode == Mode::Sort;
        let glyphs = canvas.glyphs();
        let mut spans = vec![canvas.span(Role::Accent, if sorting { " Sort by  " } else { " Columns  " })];
        for column in self.columns.iter().filter(|column| sorting || column.priority > 0) {
            if !sorting {
                let hidden = self.table.is_hidden(column.id);
                spans.push(canvas.span(Role::Dim, if hidden { glyphs.box_off } else { glyphs.box_on }));
                spans.push(canvas.span(Role::Dim, " "));
            }
            spans.push(canvas.span(Role::Key, column.letter.to_string()));
            spans.push(canvas.span(Role::Text, format!(" {}  ", column.title.to_lowercase())));
        }
        let end = if sorting { "the same again turns it round" } else { "esc done" };
        spans.push(canvas.span(Role::Dim, end));
        canvas.spans(row.x, row.y, row.width, &spans);
    }
}

impl Default for AppList {
    fn default() -> Self {
        Self::new()
    }
}
