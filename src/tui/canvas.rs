//! Where the screens draw: a buffer, a theme, and a memory of what can be clicked and where the cursor stands.
//!
//! Everything drawn here is clipped to the buffer and freed of control characters, so no text and no size can
//! make drawing fail or move the terminal's cursor. Layout is written once: what is drawn is what is clicked.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::{Color, Modifier, Style},
    text::Span,
};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{
    action::Action,
    theme::{Glyphs, Role, Theme},
    widgets::text,
};

/// What lies under the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A word that stands for an action: a hint, a status message.
    Do(Action),
    /// The tab with this number, from 0.
    Tab(usize),
    /// A row of a list, counted over all rows, not only those shown.
    Row {
        /// Which list of the screen.
        pane: u8,
        row: usize,
    },
    /// A tick box in a row.
    Tick {
        /// Which list of the screen.
        pane: u8,
        row: usize,
    },
    Header {
        /// Which table of the screen.
        pane: u8,
        /// Which column of the table's definition.
        column: usize,
    },
    /// A button of the open dialog.
    Button(usize),
    /// A field of the open form.
    Field(usize),
    /// Somewhere in a list or text: the wheel scrolls it, a click focuses it.
    Pane(u8),
    /// Beside the open overlay: what lies below cannot be reached.
    Outside,
}

/// What the last frame drew where.
#[derive(Debug, Default, Clone)]
pub struct HitMap {
    areas: Vec<(Rect, Target)>,
}

impl HitMap {
    /// Forgets everything, before a new frame.
    pub fn clear(&mut self) {
        self.areas.clear();
    }

    /// Notes that `target` is at `area`; later notes lie above earlier ones.
    pub fn note(&mut self, area: Rect, target: Target) {
        if !area.is_empty() {
            self.areas.push((area, target));
        }
    }

    /// The topmost target at this cell.
    pub fn at(&self, x: u16, y: u16) -> Option<Target> {
        let here = Position { x, y };
        self.areas.iter().rev().find(|(area, _)| area.contains(here)).map(|(_, target)| *target)
    }

    /// The pane at this cell, for the wheel; nothing below an open overlay.
    pub fn pane_at(&self, x: u16, y: u16) -> Option<u8> {
        let here = Position { x, y };
        let above = self.areas.iter().rev().filter(|(area, _)| area.contains(here));
        above.map(|(_, target)| *target).take_while(|target| *target != Target::Outside).find_map(|target| {
            match target {
                Target::Pane(pane)
                | Target::Row { pane, .. }
                | Target::Tick { pane, .. }
                | Target::Header { pane, .. } => Some(pane),
                _ => None,
            }
        })
    }
}

/// One frame being drawn.
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    theme: &'a Theme,
    hits: &'a mut HitMap,
    cursor: Option<Position>,
    kept: Option<Rect>,
    ground: Option<Rect>,
}

impl<'a> Canvas<'a> {
    /// Starts a frame on `buffer`; `hits` is emptied.
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme, hits: &'a mut HitMap) -> Self {
        hits.clear();
        buffer.set_style(buffer.area, theme.style(Role::Ground));
        Self { buffer, theme, hits, cursor: None, kept: None, ground: None }
    }

    pub const fn area(&self) -> Rect {
        self.buffer.area
    }

    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// The signs to draw with.
    pub const fn glyphs(&self) -> &'static Glyphs {
        self.theme.glyphs()
    }

    /// A styled text for [`Canvas::spans`].
    pub fn span<'t>(&self, role: Role, text: impl Into<std::borrow::Cow<'t, str>>) -> Span<'t> {
        Span::styled(text, self.style(role))
    }

    /// Prints `text` from `x`, at most `cells` wide, and says where it ended. What does not fit is cut.
    pub fn print(&mut self, x: u16, y: u16, cells: u16, text: &str, style: Style) -> u16 {
        let end = x.saturating_add(cells).min(self.buffer.area.right());
        let mut at = x;
        let shown = text::clean(text);
        for grapheme in shown.graphemes(true) {
            let Ok(width) = u16::try_from(text::width(grapheme)) else { break };
            if width == 0 {
                continue;
            }
            if at.saturating_add(width) > end {
                break;
            }
            if let Some(cell) = self.buffer.cell_mut((at, y)) {
                cell.set_symbol(self.theme.glyphs().spell(grapheme)).set_style(style);
            }
            for covered in at + 1..at + width {
                if let Some(cell) = self.buffer.cell_mut((covered, y)) {
                    cell.reset();
                    cell.set_style(self.theme.style(Role::Ground)).set_style(style);
                }
            }
            at += width;
        }
        at
    }

    /// Prints `text` in `role`, with an ellipsis when it does not fit.
    pub fn fit(&mut self, x: u16, y: u16, cells: u16, text: &str, role: Role) -> u16 {
        let style = self.style(role);
        let fitted = text::fit(text, cells, self.glyphs().ellipsis);
        self.print(x, y, cells, &fitted, style)
    }

    /// Prints texts, one a row, as many as there is room for.
    pub fn lines(&mut self, area: Rect, lines: &[(Role, String)]) {
        for (y, (role, text)) in (area.top()..area.bottom()).zip(lines) {
            self.fit(area.x, y, area.width, text, *role);
        }
    }

    /// Prints styled texts one after the other and says where they ended.
    pub fn spans(&mut self, x: u16, y: u16, cells: u16, spans: &[Span<'_>]) -> u16 {
        let end = x.saturating_add(cells);
        spans.iter().fold(x, |at, span| self.print(at, y, end.saturating_sub(at), &span.content, span.style))
    }

    /// Prints styled texts so that they end at `right`; returns where they begin.
    pub fn spans_right(&mut self, right: u16, y: u16, cells: u16, spans: &[Span<'_>]) -> u16 {
        let wide: usize = spans.iter().map(|span| text::width(&text::clean(&span.content))).sum();
        let wide = u16::try_from(wide).unwrap_or(u16::MAX).min(cells);
        let x = right.saturating_sub(wide);
        self.spans(x, y, wide, spans);
        x
    }

    pub fn erase(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for position in area.positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.reset();
                cell.set_style(self.theme.style(Role::Ground));
            }
        }
    }

    /// Says that overlays lie over what was drawn in `area`.
    pub const fn lay_ground(&mut self, area: Rect) {
        self.ground = Some(area);
    }

    /// Makes the ground step back behind a box at `area`: it is dimmed but for the row that is selected, which is drawn as one
    /// where the focus is not; or it goes where fewer than `scrap` columns of it are left on both sides.
    pub fn recede(&mut self, area: Rect, scrap: u16) {
        let Some(ground) = self.ground.map(|ground| ground.intersection(self.buffer.area)) else { return };
        let beside = area.x.saturating_sub(ground.x).max(ground.right().saturating_sub(area.right()));
        if beside < scrap {
            // Of the lines above it too, where the box lies over them.
            let top = area.y.min(ground.y);
            return self.erase(Rect { y: top, height: ground.bottom().saturating_sub(top), ..ground });
        }
        let below = self.style(Role::Ground);
        let look = |role| Style::reset().patch(below).patch(self.style(role));
        let (dim, idle, selected) = (look(Role::Dim), look(Role::SelectedIdle), self.style(Role::Selected));
        for position in ground.positions() {
            let Some(cell) = self.buffer.cell_mut(position) else { continue };
            let is_reversed = cell.modifier.contains(Modifier::REVERSED);
            if is_reversed || (selected.bg.is_some() && Some(cell.bg) == selected.bg) {
                cell.set_style(idle);
            } else if cell.bg == below.bg.unwrap_or(Color::Reset) {
                cell.set_style(dim);
            }
        }
    }

    /// A horizontal line along row `y`.
    pub fn rule(&mut self, x: u16, y: u16, cells: u16) {
        let style = self.style(Role::Rule);
        let line = self.glyphs().horizontal.repeat(cells.into());
        self.print(x, y, cells, &line, style);
    }

    /// A title on a line that is there, with a blank at both ends. Looks add up: without them it would be as dim as the line.
    pub fn title_on(&mut self, x: u16, y: u16, cells: u16, title: &str, role: Role) {
        let title = text::fit(title, cells.saturating_sub(2), self.glyphs().ellipsis);
        let wide = u16::try_from(text::width(&text::clean(&title))).unwrap_or(u16::MAX).saturating_add(2);
        self.erase(Rect { x, y, width: wide.min(cells), height: 1 });
        let style = self.style(role);
        self.print(x.saturating_add(1), y, cells.saturating_sub(2), &title, style);
    }

    /// A vertical line down column `x`.
    pub fn vertical(&mut self, x: u16, y: u16, cells: u16) {
        let style = self.style(Role::Rule);
        let line = self.glyphs().vertical;
        for row in y..y.saturating_add(cells) {
            self.print(x, row, 1, line, style);
        }
    }

    /// Notes that a click on `area` means `target`.
    pub fn hit(&mut self, area: Rect, target: Target) {
        self.hits.note(area.intersection(self.buffer.area), target);
    }

    /// The same for the cells of a row from `x` to where something ended.
    pub fn hit_to(&mut self, x: u16, y: u16, end: u16, target: Target) {
        self.hit(Rect { x, y, width: end.saturating_sub(x), height: 1 }, target);
    }

    /// Shields everything drawn so far from the mouse, and takes the cursor from it: an overlay comes on top.
    pub fn shield(&mut self) {
        self.cursor = None;
        self.hits.note(self.buffer.area, Target::Outside);
    }

    /// Puts the terminal's cursor here; screen readers and magnifiers follow it.
    pub fn cursor(&mut self, x: u16, y: u16) {
        let here = Position { x, y };
        if self.buffer.area.contains(here) {
            self.cursor = Some(here);
        }
    }

    /// Says that notes must not lie over `area`; the last one wins.
    pub const fn keep(&mut self, area: Rect) {
        self.kept = Some(area);
    }

    /// Where notes must not lie, if anybody said.
    pub const fn kept(&self) -> Option<Rect> {
        self.kept
    }

    /// The row below the lowest names of columns.
    pub fn headers_end(&self) -> u16 {
        let headers = self.hits.areas.iter().filter(|(_, target)| matches!(target, Target::Header { .. }));
        headers.map(|(area, _)| area.bottom()).max().unwrap_or(0)
    }

    /// Where the cursor was put; the last one wins.
    pub const fn cursor_position(&self) -> Option<Position> {
        self.cursor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::GlyphSet;

    fn with_canvas(width: u16, height: u16, draw: impl FnOnce(&mut Canvas<'_>)) -> (Buffer, HitMap) {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        let theme = Theme::plain(GlyphSet::Unicode);
        let mut hits = HitMap::default();
        draw(&mut Canvas::new(&mut buffer, &theme, &mut hits));
        (buffer, hits)
    }

    #[test]
    fn nothing_is_drawn_outside_and_nothing_panics() {
        for (width, height) in [(0, 0), (1, 1), (3, 2)] {
            with_canvas(width, height, |canvas| {
                for (x, y) in [(0, 0), (2, 9), (u16::MAX, u16::MAX)] {
                    canvas.print(x, y, u16::MAX, "日本語 text", Style::new());
                    canvas.rule(x, y, u16::MAX);
                    canvas.vertical(x, y, 7);
                    canvas.erase(Rect::new(x, y, 9, 9));
                    canvas.cursor(x, y);
                }
            });
        }
    }

    #[test]
    fn escape_sequences_are_shown_not_sent() {
        let (buffer, _) = with_canvas(12, 1, |canvas| {
            canvas.print(0, 0, 12, "a\x1b[2Jb", Style::new());
        });
        assert_eq!(buffer, Buffer::with_lines(["a\\x1b[2Jb   "]));
    }

    #[test]
    fn a_text_of_ours_is_ascii_where_nothing_else_is_wanted() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 40, 1));
        let theme = Theme::plain(GlyphSet::Ascii);
        let mut hits = HitMap::default();
        let text = "kdag_7HqP_… · denied 3× → ● Müller";
        Canvas::new(&mut buffer, &theme, &mut hits).print(0, 0, 40, text, Style::new());
        assert_eq!(buffer, Buffer::with_lines([format!("{:40}", "kdag_7HqP_~ - denied 3x > * Müller")]));
    }

    #[test]
    fn a_wide_character_is_not_cut_in_half() {
        let (buffer, _) = with_canvas(4, 1, |canvas| {
            assert_eq!(canvas.print(0, 0, 3, "日本", Style::new()), 2);
        });
        assert_eq!(buffer, Buffer::with_lines(["日  "]));
    }

    #[test]
    fn what_lies_below_a_box_steps_back_or_goes() {
        let receded = |scrap| {
            with_canvas(20, 3, |canvas| {
                let bold = Style::new().add_modifier(Modifier::BOLD);
                canvas.print(0, 0, 20, "above", bold);
                canvas.print(0, 1, 20, "title", bold);
                canvas.print(0, 2, 20, "chosen", bold.add_modifier(Modifier::REVERSED));
                canvas.lay_ground(Rect::new(0, 1, 20, 2));
                canvas.recede(Rect::new(8, 1, 4, 2), scrap);
            })
            .0
        };
        let (dimmed, gone) = (receded(8), receded(9));
        assert_eq!(dimmed[(0, 1)].modifier, Modifier::DIM);
        assert_eq!(dimmed[(0, 2)].modifier, Modifier::BOLD, "as where the focus is not");
        assert_eq!((gone[(0, 0)].symbol(), gone[(0, 1)].symbol(), gone[(0, 2)].symbol()), ("a", " ", " "));
    }

    #[test]
    fn the_topmost_target_is_hit_and_a_shield_hides_the_rest() {
        let (_, mut hits) = with_canvas(10, 4, |canvas| {
            canvas.hit(Rect::new(0, 0, 10, 4), Target::Pane(1));
            canvas.hit(Rect::new(0, 1, 10, 1), Target::Row { pane: 1, row: 7 });
        });
        assert_eq!(hits.at(3, 1), Some(Target::Row { pane: 1, row: 7 }));
        assert_eq!((hits.pane_at(3, 1), hits.pane_at(0, 0), hits.at(10, 0)), (Some(1), Some(1), None));
        hits.note(Rect::new(0, 0, 10, 4), Target::Outside);
        hits.note(Rect::new(4, 2, 2, 1), Target::Button(0));
        assert_eq!(hits.at(3, 1), Some(Target::Outside));
        assert_eq!(hits.at(4, 2), Some(Target::Button(0)));
        assert_eq!(hits.pane_at(3, 1), None);
    }
}
