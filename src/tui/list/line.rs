//! The line above a list: what is typed there filters, or names a column to sort by, to show or to hide.

use ratatui::layout::Rect;
use ratatui::text::Span;

use super::habit::WIDEST;
use super::lines::naming;
use super::{Change, List, Listed, complete};
use crate::domain::filter::{Filter, Term as _};
use crate::tui::action::Action;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::input::TextFocus;
use crate::tui::overlay::Cue;
use crate::tui::router::Edit;
use crate::tui::theme::Role;
use crate::tui::widgets::{Focus, Handled, layout, text};

/// The narrowest a column is made by hand.
const NARROWEST: u16 = 4;

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
        self.understand();
        self.mode = Mode::Browse;
    }

    /// Reads the line, with the names it holds.
    fn understand(&mut self) {
        let line = self.filter.text();
        let meant = naming(line).map_or(line, |(_, line)| line);
        self.query = Filter::parse_with(meant, &|name| self.lines.named(name));
    }

    /// What the line may go on with.
    pub(super) fn offer(&mut self, sight: &L::Sight<'_>) {
        self.offered.clear();
        if self.mode == Mode::Filter && self.filter.is_at_end() {
            let values = |field: &str, sign| L::values(field, sign, sight);
            self.offered = complete::offers(self.filter.text(), L::Term::FIELDS, self.lines.names(), values);
        }
    }

    /// Takes the first of what is offered.
    fn complete(&mut self) -> Change {
        let Some(offer) = self.offered.first() else { return Change::Ignored };
        let line = complete::taken(self.filter.text(), offer);
        self.filter.set(&line);
        self.steps = None;
        self.understand();
        Change::Filter
    }

    /// Shows the line so many steps back; none is an empty one.
    fn recall(&mut self, steps: usize) -> Change {
        let line = if steps == 0 { Some("") } else { self.lines.back(steps) };
        let Some(line) = line.map(str::to_owned) else { return Change::Looks };
        self.steps = Some(steps);
        self.filter.set(&line);
        self.understand();
        Change::Filter
    }

    /// The line is as it is meant: it is kept, and a name it gives goes out of it.
    fn finish(&mut self) -> Change {
        self.mode = Mode::Browse;
        let line = self.filter.text().to_owned();
        self.lines.keep(&line);
        if let Some((_, meant)) = naming(&line) {
            self.set_filter(meant);
            return Change::Filter;
        }
        Change::Looks
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
        if change == Change::Looks {
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
                    Action::Filter => {
                        // What is shown may be the latest, and the step back from it is to the one before.
                        let latest = self.lines.back(1) == Some(self.filter.text());
                        self.steps = Some(usize::from(latest));
                        Mode::Filter
                    }
                    Action::Sort => Mode::Sort,
                    Action::Columns => {
                        self.named = None;
                        Mode::Columns
                    }
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
                self.go(row);
                Change::Looks
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
            cue if self.filter.take_in(cue) => self.steps = None,
            Cue::Do(Action::Open | Action::Press) => return self.finish(),
            Cue::Do(Action::Back | Action::Cancel) => self.set_filter(""),
            Cue::Do(Action::NextTab) => return self.complete(),
            // Before somebody writes, up and down go through what was written before; then through the rows.
            Cue::Do(action) => {
                return match (action, self.steps) {
                    (Action::Up, Some(steps)) => self.recall(steps + 1),
                    (Action::Down, Some(steps @ 1..)) => self.recall(steps - 1),
                    (action, _) => self.walk(action),
                };
            }
            _ => return Change::Ignored,
        }
        self.understand();
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
                self.named = column.map(|column| column.letter).or(self.named);
                // What is never dropped is never hidden either.
                if let Some(column) = column.filter(|column| column.priority > 0)
                    && !self.off.remove(&column.letter)
                {
                    self.off.insert(column.letter);
                }
                Change::Looks
            }
            Cue::Edit(edit @ (Edit::Left | Edit::Right)) if self.mode == Mode::Columns => {
                self.widen(if edit == Edit::Right { 1 } else { -1 });
                Change::Looks
            }
            Cue::Do(Action::Back | Action::Cancel | Action::Open | Action::Press) => {
                self.mode = Mode::Browse;
                Change::Looks
            }
            _ => Change::Ignored,
        }
    }

    /// Gives the column named last so many cells more, and shows it.
    fn widen(&mut self, by: i16) {
        let Some(letter) = self.named else { return };
        let Some(column) = self.columns.iter().find(|column| column.letter == letter) else { return };
        self.off.remove(&letter);
        let drawn =
            self.drawn.iter().find(|(drawn, _)| *drawn == letter).map_or(column.min, |(_, cells)| *cells);
        self.widths.insert(letter, drawn.saturating_add_signed(by).clamp(NARROWEST, WIDEST));
    }

    /// Draws the line, and what the filter does not understand. Gives back the room below.
    pub(super) fn draw_line(&self, canvas: &mut Canvas<'_>, area: Rect) -> Rect {
        let choosing = matches!(self.mode, Mode::Sort | Mode::Columns);
        let letters = if choosing { self.letters(canvas, area.width) } else { Vec::new() };
        let said = if choosing { Vec::new() } else { self.said(canvas, area.width.saturating_sub(4)) };
        let line = self.mode == Mode::Filter || self.is_filtered() || self.marks() > 0;
        let lines = if choosing { letters.len() } else { usize::from(line) + said.len() };
        // The rows keep more than half of the room.
        let (above, below) = layout::top(area, u16::try_from(lines).unwrap_or(u16::MAX).min(area.height / 2));
        for (row, spans) in (0..above.height).zip(&letters) {
            let row = layout::row(above, row);
            canvas.spans(row.x, row.y, row.width, spans);
        }
        if choosing {
            canvas.cursor(above.x.saturating_add(1), above.y);
        }
        if choosing || above.is_empty() {
            return below;
        }
        self.draw_filter(canvas, layout::row(above, 0));
        for (row, said) in (1..above.height).zip(&said) {
            let row = layout::row(above, row);
            canvas.spans(row.x + 3, row.y, row.width.saturating_sub(4), said);
        }
        below
    }

    /// Below the line: how it may go on, or else what it does not understand, or what can be done with it.
    fn said(&self, canvas: &Canvas<'_>, cells: u16) -> Vec<Vec<Span<'static>>> {
        if let Some((first, more)) = self.offered.split_first() {
            let mut spans =
                vec![canvas.span(Role::Key, "tab"), canvas.span(Role::Accent, format!(" {first}"))];
            let mut wide = 4 + text::width(first);
            for offer in more {
                wide += 2 + text::width(offer);
                if wide <= usize::from(cells) {
                    spans.push(canvas.span(Role::Dim, format!("  {offer}")));
                }
            }
            return vec![spans];
        }
        if let Some(mistake) = self.query.mistakes.first() {
            let said = format!("{} {mistake}", canvas.glyphs().bad);
            let lines = text::wrap(&said, cells.max(1)).into_iter();
            return lines.map(|line| vec![canvas.span(Role::Bad, line)]).collect();
        }
        if self.mode == Mode::Filter && !L::Term::FIELDS.is_empty() {
            let said = text::fit(
                "up: lines of before   @name=… keeps a line under a name",
                cells,
                canvas.glyphs().ellipsis,
            );
            return vec![vec![canvas.span(Role::Dim, said.into_owned())]];
        }
        Vec::new()
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
        let end = match (sorting, self.named) {
            (true, _) => "the same again turns it round".to_owned(),
            (false, None) => "esc done".to_owned(),
            (false, Some(letter)) => format!("left right: width of {letter}  esc done"),
        };
        match self.roomless {
            _ if sorting => {}
            0 => {}
            1 => groups.push(vec![canvas.span(Role::Warn, "1 column has no room  ")]),
            n => groups.push(vec![canvas.span(Role::Warn, format!("{n} columns have no room  "))]),
        }
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
