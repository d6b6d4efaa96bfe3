//! The frame of everything that lies above a screen.

use ratatui::layout::Rect;

use super::layout;
use crate::tui::{canvas::Canvas, theme::Role};

/// Columns beside a box below which what stands there says nothing any more.
const SCRAP: u16 = 24;

/// Rows of a window below which a box spends none on air.
pub const LOW: u16 = 20;

/// Draws an empty framed box of at most `width` × `height` in the middle of the frame, shields what is below
/// from the mouse, and returns the room inside: one line, where there is room for it, and two columns from the border. The last line of the
/// frame stays free: it says which keys work in the box.
pub fn draw(canvas: &mut Canvas<'_>, title: &str, width: u16, height: u16) -> Rect {
    let (room, _) = layout::bottom(canvas.area(), 1);
    let area = layout::centred(canvas.area(), width, height.min(room.height));
    let area = Rect { y: area.y.min(room.bottom().saturating_sub(area.height)), ..area };
    framed(canvas, area, title)
}

/// As [`draw`], at a place of the caller's choice.
pub fn framed(canvas: &mut Canvas<'_>, area: Rect, title: &str) -> Rect {
    let area = area.intersection(canvas.area());
    canvas.shield();
    canvas.recede(area, SCRAP);
    canvas.erase(area);
    canvas.keep(area);
    if area.width < 2 || area.height < 2 {
        return Rect { height: 0, ..area };
    }
    let signs = canvas.glyphs();
    let style = canvas.style(Role::Rule);
    let (right, bottom) = (area.right() - 1, area.bottom() - 1);
    canvas.rule(area.x, area.y, area.width);
    canvas.rule(area.x, bottom, area.width);
    canvas.vertical(area.x, area.y + 1, area.height - 2);
    canvas.vertical(right, area.y + 1, area.height - 2);
    canvas.print(area.x, area.y, 1, signs.corner_top_left, style);
    canvas.print(right, area.y, 1, signs.corner_top_right, style);
    canvas.print(area.x, bottom, 1, signs.corner_bottom_left, style);
    canvas.print(right, bottom, 1, signs.corner_bottom_right, style);
    if !title.is_empty() && area.width > 6 {
        canvas.title_on(area.x + 2, area.y, area.width - 4, title, Role::Title);
    }
    // In a small window every row says something.
    let free = if canvas.area().height < LOW { 1 } else { 2 };
    layout::inset(area, 3, free.min(area.height / 4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing;

    #[test]
    fn a_box_stands_in_the_middle_with_its_title() {
        let drawn = testing::draw(24, 7, |canvas, _| {
            let inner = draw(canvas, "Revoke key", 20, 5);
            canvas.fit(inner.x, inner.y, inner.width, "inside", Role::Text);
        });
        assert_eq!(
            drawn,
            [
                "",
                "  ╭─ Revoke key ─────╮",
                "  │  inside          │",
                "  │                  │",
                "  │                  │",
                "  ╰──────────────────╯",
                "",
            ]
        );
    }

    #[test]
    fn a_title_is_no_dimmer_than_what_it_stands_over() {
        use ratatui::{buffer::Buffer, style::Modifier};

        use crate::tui::{
            canvas::HitMap,
            theme::{GlyphSet, Theme},
        };

        let (theme, mut hits) = (Theme::plain(GlyphSet::Unicode), HitMap::default());
        let mut buffer = Buffer::empty(Rect::new(0, 0, 24, 7));
        draw(&mut Canvas::new(&mut buffer, &theme, &mut hits), "Revoke key", 20, 5);
        let cell = &buffer[(5, 1)];
        assert_eq!((cell.symbol(), cell.modifier), ("R", Modifier::BOLD));
        assert!(buffer[(2, 1)].modifier.contains(Modifier::DIM), "the line itself is");
    }

    #[test]
    fn no_window_is_too_small_for_a_box() {
        for width in 0..12 {
            for height in 0..6 {
                testing::draw(width, height, |canvas, _| {
                    let inner = draw(canvas, "Title", 40, 20);
                    canvas.fit(inner.x, inner.y, inner.width, "inside", Role::Text);
                    framed(canvas, Rect::new(u16::MAX - 2, 3, 9, 9), "x");
                });
            }
        }
    }
}
