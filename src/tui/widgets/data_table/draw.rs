//! Drawing a table: header, the rows in the window, scrollbar.
//!
//! ```text
//!   Name ▲                Key                  Scopes  State
//! ▸ Marketing automation  kdag_7HqP2mVx9KtR_…       3  ● active        █
//! ✓ Nightly export        kdag_Qm4Tz8WcB1Ys_…       1  ◐ deleted in 9 d │
//! ```

use ratatui::{layout::Rect, text::Span};

use super::{
    Align, Cell, Column, Direction, Rows, TableState,
    columns::{self, GAP, Shown},
};
use crate::tui::{
    canvas::{Canvas, Target},
    theme::Role,
    widgets::{Focus, layout, scrollbar, text},
};

/// Cells before the first column: selection, mark, blank.
const MARGIN: u16 = 3;

impl<Id: Clone + Eq + std::hash::Hash> TableState<Id> {
    /// Draws the table in `area`. `empty` is what to say when there are no rows; `pane` tells the screen's lists
    /// apart for the mouse.
    pub fn draw<R: Rows<Id = Id>>(
        &mut self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        columns: &[Column],
        rows: &R,
        View { focus, pane, empty }: View<'_>,
    ) {
        canvas.hit(area, Target::Pane(pane));
        // With less than three rows of room the header is the first to go.
        let (header, body) = layout::top(area, u16::from(area.height >= 3));
        let inner = layout::left(layout::right(area, area.width.saturating_sub(MARGIN)).1, area.width).0;
        let inner = Rect { width: inner.width.saturating_sub(2), ..inner };
        let shown = columns::fit(columns, |column| self.is_hidden(column.id), inner.width);
        self.draw_header(canvas, Rect { x: inner.x, width: inner.width, ..header }, columns, &shown, pane);

        self.page = usize::from(body.height).max(1);
        self.keep_in_sight(rows.len());
        if rows.is_empty() {
            let lines = text::wrap(empty, body.width.saturating_sub(4).max(1));
            for (line, said) in (1..).zip(lines) {
                let row = layout::row(body, line);
                if row.is_empty() {
                    break;
                }
                canvas.fit(inner.x, row.y, inner.width, &said, Role::Dim);
            }
            return;
        }
        for line in 0..body.height {
            let index = self.offset + usize::from(line);
            let Some(id) = rows.id(index).filter(|_| index < rows.len()) else { break };
            let row = layout::row(body, line);
            canvas.hit(row, Target::Row { pane, row: index });
            let selected = self.selected() == Some(&id);
            let look = match (selected, focus) {
                (true, Focus::Here) => Some(Role::Selected),
                (true, Focus::Elsewhere) => Some(Role::SelectedIdle),
                (false, _) => None,
            };
            let bar = Rect { width: row.width.saturating_sub(1), ..row };
            draw_margin(canvas, bar, look, selected, self.is_marked(&id));
            let mut x = inner.x;
            for place in &shown {
                let Some(column) = columns.get(place.column) else { continue };
                let at =
                    Rect { x, y: row.y, width: place.width.min(inner.right().saturating_sub(x)), height: 1 };
                draw_cell(canvas, at, &rows.cell(index, column.id), column.align, look);
                x = x.saturating_add(place.width).saturating_add(GAP);
            }
            if selected && focus.is_here() {
                canvas.cursor(row.x, row.y);
            }
        }
        scrollbar::draw(canvas, body, self.offset, body.height.into(), rows.len());
    }

    fn draw_header(
        &self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        columns: &[Column],
        shown: &[Shown],
        pane: u8,
    ) {
        if area.is_empty() {
            return;
        }
        let mut x = area.x;
        for place in shown {
            let Some(column) = columns.get(place.column) else { continue };
            let glyphs = canvas.glyphs();
            let arrow = match self.sort.filter(|sort| sort.column == column.id) {
                Some(sort) if sort.direction == Direction::Ascending => glyphs.ascending,
                Some(_) => glyphs.descending,
                None => "",
            };
            let title =
                if arrow.is_empty() { column.title.to_owned() } else { format!("{} {arrow}", column.title) };
            let width = place.width.min(area.right().saturating_sub(x));
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
            canvas.hit(
                Rect { x, y: area.y, width: room, height: 1 },
                Target::Header { pane, column: place.column },
            );
            x = x.saturating_add(place.width).saturating_add(GAP);
        }
    }

    /// Scrolls as little as possible so that the selected row is in the window and no room is wasted.
    fn keep_in_sight(&mut self, len: usize) {
        self.offset = self.offset.min(len.saturating_sub(self.page));
        if let Some(at) = self.selected_index() {
            self.offset = self.offset.clamp((at + 1).saturating_sub(self.page), at);
        }
    }
}

/// How a table is looked at.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Whether the keyboard is here.
    pub focus: Focus,
    /// Which list of the screen this is.
    pub pane: u8,
    /// What to say when there is no row, and what to do about it.
    pub empty: &'a str,
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
    let sign_cells = if cell.sign.is_empty() { 0 } else { 2 };
    let shown = text::fit(&cell.text, at.width.saturating_sub(sign_cells), canvas.glyphs().ellipsis);
    let mut spans = Vec::with_capacity(3);
    if !cell.sign.is_empty() {
        spans.push(Span::styled(cell.sign, style));
        spans.push(Span::styled(" ", style));
    }
    spans.push(Span::styled(shown, style));
    match align {
        Align::Left => {
            canvas.spans(at.x, at.y, at.width, &spans);
        }
        Align::Right => {
            canvas.spans_right(at.right(), at.y, at.width, &spans);
        }
    }
}
