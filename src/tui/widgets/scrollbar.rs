//! The bar at the right of a list that is longer than its window.

use ratatui::layout::Rect;

use crate::tui::{canvas::Canvas, theme::Role};

/// Draws the bar in the last column of `area` for `shown` of `total` rows from `offset` on; nothing when all
/// rows are shown.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, offset: usize, shown: usize, total: usize) {
    let Some((start, length)) = thumb(area.height, offset, shown, total) else { return };
    let x = area.right().saturating_sub(1);
    let (track, thumb) = (canvas.glyphs().track, canvas.glyphs().thumb);
    let style = canvas.style(Role::Rule);
    for row in 0..area.height {
        let sign = if row >= start && row - start < length { thumb } else { track };
        canvas.print(x, area.y.saturating_add(row), 1, sign, style);
    }
}

/// First row and length of the thumb.
fn thumb(height: u16, offset: usize, shown: usize, total: usize) -> Option<(u16, u16)> {
    if height == 0 || shown >= total {
        return None;
    }
    let cells = usize::from(height);
    let length = (cells * shown / total).clamp(1, cells);
    let last = total - shown;
    // At the end only when the last row is shown, at the start only when the first is.
    let start = (cells - length) * offset.min(last) / last;
    Some((u16::try_from(start).ok()?, u16::try_from(length).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumb_says_where_one_is() {
        assert_eq!(thumb(10, 0, 10, 10), None);
        assert_eq!(thumb(0, 0, 0, 10), None);
        assert_eq!(thumb(10, 0, 10, 100), Some((0, 1)));
        assert_eq!(thumb(10, 90, 10, 100), Some((9, 1)));
        assert_eq!(thumb(10, usize::MAX, 10, 1_000_000), Some((9, 1)));
        assert_eq!(thumb(10, 10, 10, 20), Some((5, 5)));
    }
}
