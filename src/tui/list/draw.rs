//! Drawing a list: its line, header, the rows in the window, scrollbar.
//!
//! ```text
//!   Name ▲                Key                  Scopes  State
//! ▸ Marketing automation  kdag_7HqP2mVx9KtR_…       3  ● active        █
//! ✓ Nightly export        kdag_Qm4Tz8WcB1Ys_…       1  ◐ deleted in 9 d │
//! ```

use ratatui::{layout::Rect, text::Span};

use super::column::{self, Align, Cell, GAP, Shown};
use super::{List, Listed};
use crate::tui::canvas::{Canvas, Target};
use crate::tui::input::TextFocus;
use crate::tui::theme::Role;
use crate::tui::widgets::{Focus, layout, scrollbar, text};

impl<L: Listed> List<L> {
    /// Draws it. `empty` is what to say when there is no row at all.
    pub fn draw(
        &mut self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        sight: &L::Sight<'_>,
        focus: Focus,
        empty: &str,
    ) {
        self.offer(sight);
        let inner = layout::right(area, area.width.saturating_sub(L::MARGIN)).1;
        let cells = inner.width.saturating_sub(2);
        let shown = column::fit(
            &self.columns,
            |letter| self.off.contains(&letter),
            |letter| self.widths.get(&letter).copied(),
            cells,
        );
        let ticked = |column: &&&_| {
            let column: &column::Column<L> = column;
            column.priority == 0 || !self.off.contains(&column.letter)
        };
        self.roomless = self.columns.iter().filter(ticked).count().saturating_sub(shown.len());
        let area = self.draw_line(canvas, area);
        let focus = Focus::when(focus.is_here() && self.text_focus() == TextFocus::Elsewhere);
        canvas.hit(area, Target::Pane(self.pane));
        let titled = self.columns.iter().any(|column| !column.title.is_empty());
        // With less than three rows of room the header is the first to go.
        let (header, body) = layout::top(area, u16::from(titled && area.height >= 3));
        let inner = Rect { width: cells, ..layout::right(area, area.width.saturating_sub(L::MARGIN)).1 };
        self.draw_header(canvas, Rect { x: inner.x, width: inner.width, ..header }, &shown);
        self.drawn = shown.iter().map(|place| (place.column.letter, place.width)).collect();
        self.page = usize::from(body.height).max(1);
        // As little as possible, so that the selected row is in the window and no room is wasted.
        self.offset = self.offset.min(self.shown.len().saturating_sub(self.page));
        self.offset = self.offset.clamp((self.at + 1).saturating_sub(self.page), self.at);
        if self.shown.is_empty() {
            let lines = text::wrap(&self.nothing(empty), body.width.saturating_sub(4).max(1));
            if focus.is_here() {
                canvas.cursor(inner.x, body.y.saturating_add(1).min(body.bottom().saturating_sub(1)));
            }
            for (line, said) in (1..body.height).zip(lines) {
                let row = layout::row(body, line);
                canvas.fit(inner.x, row.y, inner.width, &said, Role::Dim);
            }
            return;
        }
        for (line, (index, id)) in (0..body.height).zip(self.shown.iter().enumerate().skip(self.offset)) {
            let row = layout::row(body, line);
            canvas.hit(row, Target::Row { pane: self.pane, row: index });
            let selected = self.selected == Some(*id);
            let look = match (selected, focus) {
                (true, Focus::Here) => Some(Role::Selected),
                (true, Focus::Elsewhere) => Some(Role::SelectedIdle),
                (false, _) => None,
            };
            let bar = Rect { width: row.width.saturating_sub(1), ..row };
            draw_margin(canvas, bar, look, selected, self.marked.contains(id));
            let mut x = inner.x;
            for Shown { column, width } in &shown {
                let at =
                    Rect { x, y: row.y, width: (*width).min(inner.right().saturating_sub(x)), height: 1 };
                if let Some(made) = L::row(sight, *id).map(|row| (column.cell)(row, sight)) {
                    draw_cell(canvas, at, &made, column.align, look);
                }
                x = x.saturating_add(*width).saturating_add(GAP);
            }
            if selected && focus.is_here() {
                canvas.cursor(row.x, row.y);
            }
        }
        scrollbar::draw(canvas, body, self.offset, body.height.into(), self.shown.len());
    }

    /// What to say in place of rows.
    fn nothing(&self, empty: &str) -> String {
        if self.is_filtered() {
            format!("No {} matches. Esc clears the filter.", L::ONE)
        } else if self.all.is_empty() {
            empty.to_owned()
        } else {
            let (which, term) = L::HIDDEN;
            format!("Only {which} {}s are left here; the filter {term} shows them.", L::ONE)
        }
    }

    fn draw_header(&self, canvas: &mut Canvas<'_>, area: Rect, shown: &[Shown<L>]) {
        if area.is_empty() {
            return;
        }
        let mut x = area.x;
        for Shown { column, width } in shown {
            let glyphs = canvas.glyphs();
            let is_sorted = self.sort.letter == column.letter && column.rank.is_some();
            let title = match (is_sorted, self.sort.falling != column.is_greatest_first) {
                (true, false) => format!("{} {}", column.title, glyphs.ascending),
                (true, true) => format!("{} {}", column.title, glyphs.descending),
                (false, _) => column.title.to_owned(),
            };
            let width = (*width).min(area.right().saturating_sub(x));
            // The gap behind a column is its header's too, so that the arrow has room in a narrow one.
            let room = width.saturating_add(GAP - 1).min(area.right().saturating_sub(x));
            let title = text::fit(&title, room, glyphs.ellipsis);
            let cells = u16::try_from(text::width(&title)).unwrap_or(u16::MAX);
            let start = match column.align {
                Align::Left => x,
                Align::Right => x.saturating_add(width).saturating_sub(cells).max(x),
            };
            let style = canvas.style(Role::Header);
            canvas.print(start, area.y, room, &title, style);
            let number = self.columns.iter().position(|known| known.letter == column.letter);
            let target = Target::Header { pane: self.pane, column: number.unwrap_or_default() };
            canvas.hit(Rect { x, y: area.y, width: room, height: 1 }, target);
            x = x.saturating_add(width).saturating_add(GAP);
        }
    }
}

fn draw_margin(canvas: &mut Canvas<'_>, row: Rect, look: Option<Role>, selected: bool, marked: bool) {
    let glyphs = canvas.glyphs();
    if let Some(look) = look {
        let style = canvas.style(look);
        canvas.print(row.x, row.y, row.width, &" ".repeat(row.width.into()), style);
    }
    let sign = if selected { glyphs.selected } else { " " };
    let style = canvas.style(look.unwrap_or(Role::Accent));
    canvas.print(row.x, row.y, row.width.min(1), sign, style);
    if marked && row.width > 1 {
        let style = canvas.style(look.unwrap_or(Role::Marked));
        canvas.print(row.x.saturating_add(1), row.y, 1, glyphs.marked, style);
    }
}

fn draw_cell(canvas: &mut Canvas<'_>, at: Rect, cell: &Cell<'_>, align: Align, look: Option<Role>) {
    let style = canvas.style(look.unwrap_or(cell.role));
    let glyphs = canvas.glyphs();
    let sign = cell.badge.map(|badge| glyphs.badge(badge));
    let room = at.width.saturating_sub(if sign.is_some() { 2 } else { 0 });
    let shown = text::fit(&cell.text, room, glyphs.ellipsis);
    let mut spans: Vec<Span<'_>> = Vec::with_capacity(3);
    spans.extend(sign.into_iter().flat_map(|sign| [sign, " "]).map(|sign| Span::styled(sign, style)));
    spans.push(Span::styled(shown, style));
    match align {
        Align::Left => canvas.spans(at.x, at.y, at.width, &spans),
        Align::Right => canvas.spans_right(at.right(), at.y, at.width, &spans),
    };
}
