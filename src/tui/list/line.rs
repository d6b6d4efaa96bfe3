//! The line above a list: what is typed there filters, or names a column to sort by, to show or to hide.

use ratatui::layout::Rect;
use ratatui::text::Span;

use super::{Change, List, Listed};
use crate::domain::filter::Filter;
use crate::tui::action::Action;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::input::TextFocus;
use crate::tui::overlay::Cue;
use crate::tui::theme::Role;
use crate::tui::widgets::{Focus, Handled, layout, text};

/// Who takes the next character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Browse,
    Filter,
    /// A column's letter, to sort by.
    Sort,
    /// Column letters, to show and hide.
    Columns,
}

impl<L: Listed> List<L> {
    /// Puts `text` into the filter line, as if it had been typed and kept. Takes effect with the next sifting.
    pub fn set_filter(&mut self, text: &str) {
        self.filter.set(text);
        self.query = Filter::parse(text);
        self.mode = Mode::Browse;
    }

    /// Whether a filter is on.
    pub fn is_filtered(&self) -> bool {
        !self.filter.is_empty()
    }

    /// Whether characters go to the line.
    pub fn text_focus(&self) -> TextFocus {
        if self.mode == Mode::Browse { TextFocus::Elsewhere } else { TextFocus::Here }
    }

    /// Hears a cue. What it says of it, [`List::settle`] does.
    pub fn hear(&mut self, cue: Cue<'_>) -> Change {
        let change = self.take_in(cue);
        if matches!(change, Change::Looks | Change::Pressed) {
            // Who moves has chosen anew.
            self.awaited = None;
        }
        change
    }

    fn take_in(&mut self, cue: Cue<'_>) -> Change {
        match (self.mode, cue) {
            (_, Cue::Wheel { pane, rows }) if pane == self.pane => {
                self.scroll(rows);
                Change::Looks
            }
            // A click leaves the line.
            (_, Cue::Click(target)) => {
                self.mode = Mode::Browse;
                self.click(target)
            }
            (Mode::Filter, cue) => self.hear_filter(cue),
            (Mode::Sort | Mode::Columns, cue) => self.hear_letter(cue),
            (Mode::Browse, Cue::Do(Action::Back)) => {
                if self.is_filtered() {
                    self.set_filter("");
                    return Change::Filter;
                }
                if self.unmark() == Handled::Changed { Change::Looks } else { Change::Ignored }
            }
            (Mode::Browse, Cue::Do(action)) => {
                self.mode = match action {
                    Action::Filter => Mode::Filter,
                    Action::Sort => Mode::Sort,
                    Action::Columns => Mode::Columns,
                    _ => return self.walk(action),
                };
                Change::Looks
            }
            (Mode::Browse, _) => Change::Ignored,
        }
    }

    fn walk(&mut self, action: Action) -> Change {
        match self.act(action) {
            Handled::Ignored => Change::Ignored,
            Handled::Changed | Handled::Unmoved => Change::Looks,
        }
    }

    fn click(&mut self, target: Target) -> Change {
        match target {
            Target::Row { pane, row } if pane == self.pane => {
                let again = row == self.at;
                self.go(row);
                if again { Change::Pressed } else { Change::Looks }
            }
            Target::Header { pane, column } if pane == self.pane => {
                let column = self.columns.get(column).filter(|column| column.rank.is_some());
                let Some(column) = column else { return Change::Looks };
                self.sort_by(column.letter);
                Change::Order
            }
            Target::Pane(pane) if pane == self.pane => Change::Looks,
            _ => Change::Ignored,
        }
    }

    fn hear_filter(&mut self, cue: Cue<'_>) -> Change {
        match cue {
            cue if self.filter.take_in(cue) => {}
            Cue::Do(Action::Open | Action::Press) => {
                self.mode = Mode::Browse;
                return Change::Looks;
            }
            Cue::Do(Action::Back | Action::Cancel) => self.set_filter(""),
            // Rows can be walked while typing.
            Cue::Do(action) => return self.walk(action),
            _ => return Change::Ignored,
        }
        self.query = Filter::parse(self.filter.text());
        Change::Filter
    }

    fn hear_letter(&mut self, cue: Cue<'_>) -> Change {
        match cue {
            Cue::Type(typed) => {
                let column = self.columns.iter().find(|column| column.letter == typed.0).copied();
                if self.mode == Mode::Sort {
                    self.mode = Mode::Browse;
                    let Some(column) = column.filter(|column| column.rank.is_some()) else {
                        return Change::Looks;
                    };
                    self.sort_by(column.letter);
                    return Change::Order;
                }
                // What is never dropped is never hidden either.
                if let Some(column) = column.filter(|column| column.priority > 0)
                    && !self.off.remove(&column.letter)
                {
                    self.off.insert(column.letter);
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

    /// Draws the line, and what the filter does not understand. Gives back the room below.
    pub(super) fn draw_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> Rect {
        let choosing = matches!(self.mode, Mode::Sort | Mode::Columns);
        let letters = if choosing { self.letters(canvas, area.width) } else { Vec::new() };
        let wrong = self.query.mistakes.first().filter(|_| !choosing);
        let wrong = wrong.map(|mistake| format!("{} {mistake}", canvas.glyphs().bad));
        let wrong =
            wrong.map_or_else(Vec::new, |said| text::wrap(&said, area.width.saturating_sub(4).max(1)));
        let line = self.mode == Mode::Filter || self.is_filtered() || self.marks() > 0;
        let lines = if choosing { letters.len() } else { usize::from(line) + wrong.len() };
        // The rows keep more than half of the room.
        let (above, below) = layout::top(area, u16::try_from(lines).unwrap_or(u16::MAX).min(area.height / 2));
        for (row, spans) in (0..above.height).zip(&letters) {
            let row = layout::row(above, row);
            canvas.spans(row.x, row.y, row.width, spans);
        }
        if choosing || above.is_empty() {
            return below;
        }
        self.draw_filter(canvas, layout::row(above, 0));
        for (row, said) in (1..above.height).zip(&wrong) {
            let row = layout::row(above, row);
            canvas.fit(row.x + 3, row.y, row.width.saturating_sub(4), said, Role::Bad);
        }
        below
    }

    fn draw_filter(&self, canvas: &mut Canvas<'_>, row: Rect) {
        let mut counted = Vec::new();
        if self.marks() > 0 {
            counted.push(format!("{} {} marked", canvas.glyphs().marked, self.marks()));
        }
        if self.is_filtered() {
            let all = if self.query.reveals() { self.all.len() } else { self.listed() };
            counted.push(format!("{} of {all}", self.shown.len()));
        }
        let span = canvas.span(Role::Count, counted.join("   "));
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
        let offered = |column: &&&_| {
            let column: &super::Column<L> = column;
            if sorting { column.rank.is_some() } else { column.priority > 0 }
        };
        for column in self.columns.iter().filter(offered) {
            let mut group = Vec::new();
            if !sorting {
                let off = self.off.contains(&column.letter);
                let sign = if off { glyphs.box_off } else { glyphs.box_on };
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
