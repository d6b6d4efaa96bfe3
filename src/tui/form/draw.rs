//! Drawing a form: what is to be known, the fields of its page or of all, what is said of it, its buttons. Where room is
//! short the air between fields goes first, then what is to be known, then what is above the focus.
//!
//! ```text
//! ╭─ New key ──────────────────────────────────────────────────────────────────────────────╮
//! │  Name      Nightly export              Preset    Read only                             │
//! │  Kind      (*) Agency  ( ) Location    ▾ [–] Contacts              1 of 4              │
//! │  Expires   90d   30d  1y  never        ▸   [✓] contacts.read       read   Read contacts│
//! │  Issues an agency key: 1 scope, risk read, expires in 90 d      Cancel   [ Issue key ] │
//! ╰────────────────────────────────────────────────────────────────────────────────────────╯
//! ```

use std::ops::Range;

use ratatui::layout::Rect;

use super::body::{Body, Phase};
use super::field::{Build, Slot, rows};
use super::manner::{Paging, Sheet};
use crate::tui::canvas::Canvas;
use crate::tui::theme::Role;
use crate::tui::widgets::{Focus, layout, popup, scrollbar, text};

/// Columns from which all pages are seen beside each other.
const BESIDE: u16 = 98;
/// Rows from which a page with a tall field has air between its fields.
const AIRY: u16 = 12;
/// Rows inside the frame from which there is air around the page.
const ROOMY: u16 = 14;

/// What a form says of itself at present, apart from its fields.
#[derive(Default)]
pub struct Face {
    /// Above the box.
    pub title: String,
    /// What to know before anything is filled in.
    pub intro: String,
    /// What stands in its way as a whole, in the place of `lines`.
    pub wrong: Option<String>,
    /// What is said of it above the buttons.
    pub lines: Vec<(Role, String)>,
    /// Beside the buttons.
    pub aside: String,
}

/// Where somebody is in a form.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    /// The field with the keyboard, counted through.
    pub at: Option<usize>,
    /// The page that is seen; none when all are.
    pub page: Option<usize>,
    /// Columns of a line across all of it.
    pub cells: u16,
}

/// The steps of something, with the present one marked.
pub fn draw_steps(canvas: &mut Canvas<'_>, row: Rect, names: &[&str], step: usize) {
    let glyphs = canvas.glyphs();
    let mut spans = Vec::new();
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            spans.push(canvas.span(Role::Dim, format!(" {} ", glyphs.dot)));
        }
        spans.push(match at.cmp(&step) {
            std::cmp::Ordering::Less => canvas.span(Role::Good, format!("{} {name}", glyphs.good)),
            std::cmp::Ordering::Equal => canvas.span(Role::TabOpen, format!("{} {name}", glyphs.selected)),
            std::cmp::Ordering::Greater => canvas.span(Role::Dim, *name),
        });
    }
    canvas.spans(row.x, row.y, row.width, &spans);
}

/// Rows of lines, with one of air after them if there are any.
fn with_air(lines: usize) -> u16 {
    rows(lines + usize::from(lines > 0))
}

/// What is said, as far as there is room for it: that something is not is said too.
fn in_room(mut said: Vec<(Role, String)>, height: u16) -> Vec<(Role, String)> {
    let (all, room) = (said.len(), usize::from(height));
    if all > room && room > 0 {
        said.truncate(room - 1);
        said.push((Role::Dim, format!("{} lines more; a larger window shows them", all + 1 - room)));
    }
    said
}

impl Body {
    /// Where somebody is, in a window of that many columns.
    pub fn spot(&self, width: u16, pages: usize) -> Spot {
        let whole = self.manner.paging == Paging::Beside && (pages < 2 || width >= BESIDE);
        let cells = self.manner.width.min(width).saturating_sub(6).max(1);
        Spot { at: self.at, page: (!whole).then_some(self.page), cells }
    }

    /// Draws it; `area` is what lies between the lines around.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, sheet: &mut Sheet<'_>, face: &Face) {
        let manner = &self.manner;
        let Spot { page, cells, .. } = self.spot(area.width, sheet.ends.len());
        let intro = if face.intro.is_empty() { Vec::new() } else { text::wrap(&face.intro, cells) };
        let intro: Vec<_> = intro.into_iter().map(|line| (Role::Text, line)).collect();
        let said = self.said(canvas, face, cells);
        let shown = page.map_or(0..sheet.fields.len(), |page| sheet.page(page));
        let room = cells.saturating_sub(manner.labels);
        let wanted = match manner.tall {
            Some(most) => area.height.clamp(14, most.max(14)),
            None => {
                let fields: u16 = heights(sheet, shown.clone(), room, 1).iter().sum();
                fields
                    .saturating_add(with_air(intro.len()))
                    .saturating_add(with_air(said.len()))
                    .saturating_add(6)
            }
        };
        let inner = popup::draw(canvas, &face.title, manner.width, wanted);
        let gap = u16::from(manner.tall.is_none() || inner.height >= ROOMY);
        let (above, last) = layout::bottom(inner, 1);
        self.draw_buttons(canvas, last, &face.aside);
        let above = match manner.paging.steps() {
            Some(names) => {
                draw_steps(canvas, layout::row(above, 0), names, self.page);
                layout::top(above, 1 + gap).1
            }
            None => above,
        };
        let below = match manner.tall {
            Some(_) => rows(said.len()).clamp(1, (inner.height / 3).max(1)) + gap,
            None => with_air(said.len()).min(above.height / 2),
        };
        let (above, below) = layout::bottom(above, below);
        let told = layout::bottom(below, gap.min(below.height)).0;
        canvas.lines(told, &in_room(said, told.height));
        let least: u16 = heights(sheet, shown.clone(), room, 0).iter().sum();
        let head = with_air(intro.len());
        let (head, body) =
            layout::top(above, if head.saturating_add(least) <= above.height { head } else { 0 });
        canvas.lines(head, &intro);
        if page.is_none() && sheet.ends.len() > 1 {
            let (left, right) = layout::left(body, body.width * 13 / 25);
            canvas.vertical(right.x, right.y, right.height);
            let left = layout::left(left, left.width.saturating_sub(3)).0;
            self.draw_page(canvas, left, sheet, sheet.page(0));
            let right = layout::right(right, right.width.saturating_sub(3)).1;
            self.draw_page(canvas, right, sheet, sheet.page(1));
        } else {
            self.draw_page(canvas, body, sheet, shown);
        }
        if let Some(field) = self.at.and_then(|at| sheet.fields.get_mut(at)) {
            field.draw_above(canvas);
        }
    }

    /// What is said above the buttons: why it was not done, else the form's own lines.
    fn said(&self, canvas: &Canvas<'_>, face: &Face, cells: u16) -> Vec<(Role, String)> {
        let Some(problem) = self.problem.as_ref().or(face.wrong.as_ref()) else {
            let lines = face.lines.iter();
            let wrapped =
                lines.flat_map(|(role, line)| text::wrap(line, cells).into_iter().map(|line| (*role, line)));
            return wrapped.collect();
        };
        let bad = canvas.glyphs().bad;
        let lines = text::wrap(problem, cells.saturating_sub(2).max(1)).into_iter().enumerate();
        lines.map(|(at, line)| (Role::Bad, format!("{} {line}", if at == 0 { bad } else { " " }))).collect()
    }

    fn draw_buttons(&self, canvas: &mut Canvas<'_>, row: Rect, aside: &str) {
        if let Phase::Waiting(step, _) = self.phase {
            let said = format!("{} {}…", canvas.glyphs().spin(step), self.manner.doing);
            canvas.fit(row.x, row.y, row.width, &said, Role::Info);
            return;
        }
        canvas.fit(row.x, row.y, row.width.saturating_sub(30), aside, Role::Dim);
        self.buttons.draw(canvas, row, Focus::when(self.at.is_none()));
    }

    fn draw_page(&self, canvas: &mut Canvas<'_>, body: Rect, sheet: &mut Sheet<'_>, shown: Range<usize>) {
        let labels = self.manner.labels;
        let room = body.width.saturating_sub(labels);
        let tall = shown.clone().find(|at| is_tall(sheet, *at));
        let mut heights = heights(sheet, shown.clone(), room, 1);
        if heights.iter().sum::<u16>() > body.height || (tall.is_some() && body.height < AIRY) {
            heights = self::heights(sheet, shown.clone(), room, 0);
        }
        let total: u16 = heights.iter().sum();
        if let Some(height) = tall.and_then(|at| heights.get_mut(at - shown.start)) {
            *height = height.saturating_add(body.height.saturating_sub(total));
        }
        // The focused field is in sight, and of those above it as many as there is room for.
        let at = self.at.filter(|at| shown.contains(at)).unwrap_or(shown.end.saturating_sub(1));
        let above: u16 = heights.iter().take(at - shown.start).sum();
        let own = heights.get(at - shown.start).copied().unwrap_or_default();
        let seen = sheet.fields.get(at).and_then(|field| field.seen(room)).unwrap_or(own);
        let hidden = above.saturating_add(seen).saturating_sub(body.height);
        if tall.is_none() {
            let bar = Rect { width: body.width.saturating_add(2), ..body };
            scrollbar::draw(canvas, bar, hidden.into(), body.height.into(), total.into());
        }
        let mut top = 0_u16;
        for (number, height) in shown.zip(heights) {
            let start = top;
            top = top.saturating_add(height);
            let Some(field) = sheet.fields.get_mut(number) else { break };
            let skip = hidden.saturating_sub(start);
            if skip > 0 && (field.seen(room).is_none() || skip >= height) {
                continue;
            }
            let area = layout::top(layout::top(body, start.saturating_sub(hidden)).1, height - skip).0;
            if area.is_empty() {
                break;
            }
            let focus = Focus::when(self.at == Some(number) && !self.waits());
            let number = u8::try_from(number).unwrap_or(u8::MAX);
            field.draw(canvas, area, Slot { labels, focus, number, skip });
        }
    }
}

/// Rows of each field.
fn heights(sheet: &Sheet<'_>, shown: Range<usize>, cells: u16, air: u16) -> Vec<u16> {
    sheet.fields.get(shown).unwrap_or_default().iter().map(|field| field.rows(cells, air)).collect()
}

fn is_tall(sheet: &Sheet<'_>, at: usize) -> bool {
    sheet.fields.get(at).is_some_and(|field| matches!(field.build(), Build::Tall | Build::Pane))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_no_room_for_is_not_cut_unsaid() {
        let said = |count: usize| (0..count).map(|n| (Role::Warn, format!("line {n}"))).collect::<Vec<_>>();
        assert_eq!(in_room(said(3), 3), said(3));
        let cut = in_room(said(5), 3);
        assert_eq!(cut[..2], said(2)[..]);
        assert_eq!(cut[2].1, "3 lines more; a larger window shows them");
        assert_eq!(in_room(said(2), 0).len(), 2, "where there is none at all nothing is drawn");
    }
}
