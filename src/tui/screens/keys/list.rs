//! The table of keys with its filter line: which keys are in it, in which order, selected and marked. Keeps ids
//! only; what stands in a row is looked up when it is drawn.

use ratatui::layout::Rect;

use super::{
    columns::{self, BY_NAME, Extra, Ids, Shown, Whose},
    query::{Query, TERMS, search_text},
    seen::Seen,
};
use crate::{
    domain::{AppId, Key, KeyId, KeyState, LocationId, Place},
    tui::{
        action::Action,
        canvas::{Canvas, Target},
        input::TextFocus,
        overlay::Cue,
        theme::Role,
        widgets::{
            Focus, Handled,
            data_table::{Column, TableState, View},
            field::TextField,
            layout,
        },
    },
};

/// The table's number for the mouse.
pub const PANE: u8 = 1;

/// Which keys a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subset {
    /// The agency keys.
    Agency,
    /// The keys of all locations.
    Locations,
    /// The keys of one.
    At(LocationId),
    /// The keys of all apps.
    Apps,
    /// The keys of one app.
    Of(AppId),
}

impl Subset {
    /// Whether a key of this place belongs to it.
    pub fn holds(self, place: Place) -> bool {
        match self {
            Self::Agency => place == Place::Agency,
            Self::Locations => place.location().is_some(),
            Self::At(location) => place.location() == Some(location),
            Self::Apps => place.app().is_some(),
            Self::Of(app) => place.app() == Some(app),
        }
    }
}

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

/// A list of keys.
pub struct KeyList {
    subset: Subset,
    columns: Vec<Column>,
    /// All keys of the subset, sorted, with the text words are looked for in once that was needed.
    all: Vec<KeyId>,
    texts: Vec<Box<str>>,
    shown: Vec<KeyId>,
    /// Live keys of the subset.
    live: usize,
    deleted: usize,
    table: TableState<KeyId>,
    filter: TextField,
    query: Query,
    mode: Mode,
}

impl KeyList {
    /// An empty list of `subset`, by name.
    pub fn new(subset: Subset) -> Self {
        let mut table = TableState::new();
        table.sort = Some(BY_NAME);
        Self {
            subset,
            columns: Vec::new(),
            all: Vec::new(),
            texts: Vec::new(),
            shown: Vec::new(),
            live: 0,
            deleted: 0,
            table,
            filter: TextField::new("").placeholder(TERMS),
            query: Query::default(),
            mode: Mode::Browse,
        }
    }

    /// Which keys it holds.
    pub const fn subset(&self) -> Subset {
        self.subset
    }

    /// Holds other keys from the next look on.
    pub fn hold(&mut self, subset: Subset) {
        self.subset = subset;
    }

    /// Live keys.
    pub const fn live(&self) -> usize {
        self.live
    }

    /// Whether there is no key at all, not even a deleted one.
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Looks at all keys again, sorts and filters. Selection and marks stay, by id.
    pub fn refresh(&mut self, seen: &Seen<'_>) {
        let keys: Vec<&Key> = match self.subset {
            Subset::At(location) => seen.view.keys_at(location).collect(),
            Subset::Of(app) => seen.view.keys_of_app(app).collect(),
            subset => seen.view.keys().filter(|key| subset.holds(key.place)).collect(),
        };
        let whose = match self.subset {
            Subset::Locations => Whose::Location,
            Subset::Apps => Whose::App,
            Subset::Agency | Subset::At(_) | Subset::Of(_) => Whose::Known,
        };
        let owner = if seen.view.is_whole() { Extra::Wanted } else { Extra::Needless };
        self.columns = columns::columns(whose, owner);
        self.live = keys.iter().filter(|key| key.state(seen.now()).is_live()).count();
        self.deleted = keys.iter().filter(|key| key.state(seen.now()) == KeyState::Deleted).count();
        self.all = columns::sort(&keys, self.table.sort.unwrap_or(BY_NAME), seen);
        self.texts.clear();
        self.table.keep_marks(|id| seen.view.key(*id).is_some());
        self.apply(seen);
    }

    /// Filters again.
    pub fn apply(&mut self, seen: &Seen<'_>) {
        if self.query.has_words() && self.texts.len() != self.all.len() {
            let text =
                |id: &KeyId| seen.view.key(*id).map_or_else(Box::default, |key| search_text(key, seen));
            self.texts = self.all.iter().map(text).collect();
        }
        let deleted = self.query.wants_deleted();
        let query = &self.query;
        let texts = &self.texts;
        let shown = self.all.iter().enumerate().filter(|(at, id)| {
            if query.has_words() && !texts.get(*at).is_some_and(|text| query.finds(text)) {
                return false;
            }
            let Some(key) = seen.view.key(**id) else { return false };
            (deleted || key.state(seen.now()) != KeyState::Deleted) && query.fits(key, seen)
        });
        self.shown = shown.map(|(_, id)| *id).collect();
        self.table.settle(&Ids(&self.shown));
    }

    /// The selected key.
    pub fn selected(&self) -> Option<KeyId> {
        self.table.selected().copied()
    }

    /// Selects a key; when a filter hides it, the filter goes.
    pub fn select(&mut self, key: KeyId, seen: &Seen<'_>) {
        if !self.shown.contains(&key) {
            self.set_filter("");
            self.apply(seen);
        }
        self.table.select(&Ids(&self.shown), &key);
    }

    /// The keys an action is about: the marked ones that are shown, or else the selected one.
    pub fn targets(&self) -> Vec<KeyId> {
        if self.table.marks() > 0 {
            self.table.marked(&Ids(&self.shown))
        } else {
            self.selected().into_iter().collect()
        }
    }

    /// How many keys are marked.
    pub fn marks(&self) -> usize {
        self.table.marks()
    }

    /// Forgets all marks.
    pub fn unmark(&mut self) -> Handled {
        self.table.unmark()
    }

    /// How many keys are shown.
    pub const fn shown(&self) -> usize {
        self.shown.len()
    }

    /// Filters by `text`, as if it had been typed and kept.
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
            (Mode::Filter, cue) => self.hear_filter(cue),
            (Mode::Sort | Mode::Columns, cue) => self.hear_letter(cue),
            (Mode::Browse, Cue::Do(action)) => self.act(action),
            (Mode::Browse, Cue::Wheel { pane: PANE, rows }) => {
                self.table.scroll(&Ids(&self.shown), rows);
                Change::Looks
            }
            (Mode::Browse, Cue::Click(target)) => self.click(target),
            (Mode::Browse, _) => Change::Ignored,
        }
    }

    fn act(&mut self, action: Action) -> Change {
        match action {
            Action::Filter => self.mode = Mode::Filter,
            Action::Sort => self.mode = Mode::Sort,
            Action::Columns => self.mode = Mode::Columns,
            _ => {
                return match self.table.act(action, &Ids(&self.shown)) {
                    Handled::Ignored => Change::Ignored,
                    Handled::Changed | Handled::Unmoved => Change::Looks,
                };
            }
        }
        Change::Looks
    }

    fn click(&mut self, target: Target) -> Change {
        match target {
            Target::Row { pane: PANE, row } => self.table.go(&Ids(&self.shown), row),
            Target::Header { pane: PANE, column } => {
                let Some(column) = self.columns.get(column) else { return Change::Ignored };
                self.table.sort_by(column.id);
                return Change::Order;
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
            // Rows can be walked while typing; a click leaves the line.
            Cue::Do(action) => {
                return match self.table.act(action, &Ids(&self.shown)) {
                    Handled::Ignored => Change::Ignored,
                    Handled::Changed | Handled::Unmoved => Change::Looks,
                };
            }
            Cue::Click(target) => {
                self.mode = Mode::Browse;
                return self.click(target);
            }
            Cue::Wheel { .. } | Cue::Tick => return Change::Ignored,
        }
        self.query = Query::parse(self.filter.text());
        Change::Filter
    }

    fn hear_letter(&mut self, cue: Cue<'_>) -> Change {
        match cue {
            Cue::Type(typed) => match TableState::<KeyId>::column_of(&self.columns, typed.0) {
                Some(column) if self.mode == Mode::Sort => {
                    self.mode = Mode::Browse;
                    self.table.sort_by(column);
                    Change::Order
                }
                Some(column) => {
                    // What is never dropped is never hidden either.
                    if self.columns.iter().any(|known| known.id == column && known.priority > 0) {
                        self.table.toggle_column(column);
                    }
                    Change::Looks
                }
                None if self.mode == Mode::Sort => {
                    self.mode = Mode::Browse;
                    Change::Looks
                }
                None => Change::Looks,
            },
            Cue::Do(Action::Back | Action::Cancel | Action::Open | Action::Press) => {
                self.mode = Mode::Browse;
                Change::Looks
            }
            Cue::Click(target) => {
                self.mode = Mode::Browse;
                self.click(target)
            }
            _ => Change::Ignored,
        }
    }

    /// Draws filter line and table; `empty` is what to say when there is no key at all.
    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, seen: &Seen<'_>, focus: Focus, empty: &str) {
        let lines = self.lines();
        let (above, table) = layout::top(area, lines);
        self.draw_line(canvas, layout::row(above, 0));
        if let Some(mistake) = self.query.mistakes.first().filter(|_| lines > 1) {
            let row = layout::row(above, 1);
            let said = format!("{} {mistake}", canvas.glyphs().bad);
            canvas.fit(row.x + 3, row.y, row.width.saturating_sub(4), &said, Role::Bad);
        }
        let nothing = if self.all.is_empty() && !self.is_filtered() {
            empty.to_owned()
        } else if self.is_filtered() {
            "No key matches. Esc clears the filter.".to_owned()
        } else {
            "Only deleted keys are left here; the filter state:deleted shows them.".to_owned()
        };
        let glyphs = canvas.glyphs();
        let rows = Shown { ids: &self.shown, seen, glyphs };
        let table_focus = Focus::when(focus.is_here() && self.mode != Mode::Filter);
        self.table.draw(
            canvas,
            table,
            &self.columns,
            &rows,
            View { focus: table_focus, pane: PANE, empty: &nothing },
        );
    }

    /// Lines above the table.
    fn lines(&self) -> u16 {
        match self.mode {
            Mode::Filter | Mode::Browse if !self.query.mistakes.is_empty() => 2,
            Mode::Filter | Mode::Sort | Mode::Columns => 1,
            Mode::Browse => u16::from(self.is_filtered() || self.marks() > 0),
        }
    }

    fn draw_line(&self, canvas: &mut Canvas<'_>, row: Rect) {
        if row.is_empty() {
            return;
        }
        if matches!(self.mode, Mode::Sort | Mode::Columns) {
            return self.draw_letters(canvas, row);
        }
        let mut facts = Vec::new();
        if self.marks() > 0 {
            facts.push(format!("{} {} marked", canvas.glyphs().marked, self.marks()));
        }
        if self.is_filtered() {
            facts.push(format!("{} of {}", self.shown.len(), self.all.len() - self.hidden_deleted()));
        }
        let facts = facts.join("   ");
        let span = canvas.span(Role::Count, facts.as_str());
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

    fn hidden_deleted(&self) -> usize {
        if self.query.wants_deleted() { 0 } else { self.deleted }
    }

    fn draw_letters(&self, canvas: &mut Canvas<'_>, row: Rect) {
        let sorting = self.mode == Mode::Sort;
        let glyphs = canvas.glyphs();
        let mut spans = vec![canvas.span(Role::Accent, if sorting { " Sort by  " } else { " Columns  " })];
        for column in &self.columns {
            if !sorting && column.priority == 0 {
                continue;
            }
            if !sorting {
                let hidden = self.table.is_hidden(column.id);
                spans.push(canvas.span(Role::Dim, if hidden { glyphs.box_off } else { glyphs.box_on }));
                spans.push(canvas.span(Role::Dim, " "));
            }
            spans.push(canvas.span(Role::Key, column.letter.to_string()));
            spans.push(canvas.span(Role::Text, format!(" {}  ", column.title.to_lowercase())));
        }
        spans
            .push(canvas.span(Role::Dim, if sorting { "the same again turns it round" } else { "esc done" }));
        canvas.spans(row.x, row.y, row.width, &spans);
    }
}

#[cfg(test)]
mod tests;
