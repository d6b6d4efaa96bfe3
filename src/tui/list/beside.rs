//! A list with the detail of its selected row: beside it or below it where there is room, over it where there is none.

use ratatui::layout::Rect;

use super::page::{Line, Page, wrapped};
use super::{Change, Column, List, Listed};
use crate::tui::action::{Action, Layer};
use crate::tui::canvas::{Canvas, Target};
use crate::tui::input::TextFocus;
use crate::tui::keymap::Keymap;
use crate::tui::overlay::Cue;
use crate::tui::theme::Role;
use crate::tui::widgets::{Focus, layout};

/// Columns from which list and detail stand side by side.
pub const WIDE: u16 = 104;
/// Rows from which list and detail stand one below the other.
const TALL: u16 = 16;
/// Rows that a list above its detail keeps, however short it is.
const LEAST: u16 = 5;
/// Columns of the labels.
const LABELS: u16 = 11;
/// Columns left free on both sides of a detail over its list.
const ASIDE: u16 = 2;

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Beside<L: Listed> {
    pub list: List<L>,
    page: Page,
    /// The detail's number for the mouse.
    pane: u8,
    /// A person closed the detail that stood beside.
    closed: bool,
    /// The keyboard is in the detail.
    inside: bool,
    /// The last frame had room for both.
    wide: bool,
    /// There was one.
    drawn: bool,
    side: Side,
}

/// Where the detail stands when there is room for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Right,
    Below,
}

impl<L: Listed> Beside<L> {
    /// An empty list; the panes are the list's and the detail's numbers for the mouse.
    pub fn new((list, detail): (u8, u8), columns: Vec<&'static Column<L>>) -> Self {
        Self {
            list: List::new(list, columns),
            page: Page::default(),
            pane: detail,
            closed: false,
            inside: false,
            wide: false,
            drawn: false,
            side: Side::Right,
        }
    }

    /// The same with the detail below the list.
    #[must_use]
    pub fn below(self) -> Self {
        Self { side: Side::Below, ..self }
    }

    /// Whether the detail is shown.
    pub const fn is_open(&self) -> bool {
        let open = if self.wide { !self.closed } else { self.inside };
        open && self.list.selected().is_some()
    }

    /// Whether the keyboard is in the detail.
    pub const fn is_inside(&self) -> bool {
        self.inside
    }

    /// Back to the list.
    pub const fn leave(&mut self) {
        self.inside = false;
    }

    pub const fn enter(&mut self) {
        (self.inside, self.closed) = (true, false);
    }

    /// Opens the detail: beside the list, or over it where there is room for one.
    pub const fn show(&mut self) {
        (self.closed, self.inside) = (false, !self.wide);
    }

    /// Closes the detail if it is open, and says whether it was.
    pub const fn close(&mut self) -> bool {
        let was = self.is_open();
        (self.closed, self.inside) = (true, false);
        was
    }

    /// Whether a person closed the detail that stood beside.
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Has the detail that stands beside closed, or open.
    pub const fn set_closed(&mut self, closed: bool) {
        (self.closed, self.inside) = (closed, false);
    }

    /// The selection is another row.
    pub const fn rewind(&mut self) {
        self.page.offset = 0;
    }

    /// Hears a cue. What it says of the list, [`List::settle`] does.
    pub fn hear(&mut self, cue: Cue<'_>) -> Change {
        if self.list.text_focus() == TextFocus::Elsewhere
            && let Some(change) = self.hear_detail(cue)
        {
            return change;
        }
        let before = self.list.selected();
        let mut change = self.list.hear(cue);
        // One step back: out of the detail, then filter, marks, detail.
        if change == Change::Ignored && cue == Cue::Do(Action::Back) && self.close() {
            change = Change::Looks;
        }
        if self.list.selected() != before {
            self.rewind();
        }
        change
    }

    fn hear_detail(&mut self, cue: Cue<'_>) -> Option<Change> {
        match cue {
            Cue::Do(action) if self.inside && self.page.act(action) => {}
            Cue::Do(Action::Open | Action::Right) => {
                self.list.selected()?;
                self.inside = self.is_open() || !self.wide;
                self.closed = false;
            }
            Cue::Do(Action::Left | Action::Back) if self.inside => self.leave(),
            Cue::Wheel { pane, rows } if pane == self.pane => self.page.scroll(rows),
            Cue::Click(Target::Pane(pane)) if pane == self.pane => self.enter(),
            Cue::Click(_) => {
                self.leave();
                return None;
            }
            _ => return None,
        }
        Some(Change::Looks)
    }

    /// How wide the room is that the two share.
    pub const fn note_width(&mut self, cells: u16) {
        self.wide = cells >= WIDE;
        // Opened before anybody knew that there is room for both.
        if self.wide && !self.drawn {
            self.inside = false;
        }
        self.drawn = true;
    }

    /// The rooms of list and detail in `area`, with a line between; of two that do not fit, one is empty.
    pub fn rooms(&mut self, canvas: &mut Canvas<'_>, area: Rect) -> (Rect, Rect) {
        match self.side {
            Side::Right => self.note_width(area.width),
            Side::Below => self.wide = area.height >= TALL,
        }
        let none = Rect { width: 0, ..area };
        match (self.is_open(), self.wide) {
            (false, _) => (area, none),
            (true, false) => (none, area),
            (true, true) if self.side == Side::Below => {
                // What a short list leaves is the detail's, whatever its filter hides.
                let listed = u16::try_from(self.list.listed()).unwrap_or(u16::MAX).saturating_add(2);
                let (list, rest) = layout::top(area, listed.max(LEAST).min(area.height - area.height / 2));
                canvas.rule(rest.x, rest.y, rest.width);
                (list, layout::inset(layout::top(rest, 1).1, 2, 0))
            }
            (true, true) => split(canvas, area),
        }
    }

    /// Cells that stand beside a label in a detail drawn into `room`.
    pub const fn cells(&self, room: Rect) -> u16 {
        let aside = if self.wide { 0 } else { 2 * ASIDE };
        room.width.saturating_sub(aside).saturating_sub(2).saturating_sub(LABELS)
    }

    /// Draws the detail, made of `lines`.
    pub fn draw_detail(
        &mut self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        keymap: &Keymap,
        focus: Focus,
        lines: Vec<Line>,
    ) {
        let mut area = area;
        if !self.wide {
            let (first, rest) = layout::top(layout::inset(area, ASIDE, 0), 1);
            let back = keymap.label(Layer::Screen, Action::Back).unwrap_or_default();
            let spans = [canvas.span(Role::Key, back), canvas.span(Role::Dim, " back to the table")];
            canvas.spans(first.x, first.y, first.width, &spans);
            area = rest;
        }
        canvas.hit(area, Target::Pane(self.pane));
        let laid = wrapped(lines, LABELS, area.width.saturating_sub(2));
        self.page.draw(canvas, area, LABELS, &laid, |_| false);
        if focus.is_here() && (self.inside || !self.wide) {
            canvas.cursor(area.x, area.y);
        }
    }
}

/// Rooms for a list and for a detail beside it.
pub fn split(canvas: &mut Canvas<'_>, area: Rect) -> (Rect, Rect) {
    let cells = (area.width * 2 / 5).clamp(44, 60);
    let (left, right) = layout::right(area, cells);
    canvas.vertical(right.x, right.y, right.height);
    (left, layout::right(right, cells.saturating_sub(3)).1)
}
