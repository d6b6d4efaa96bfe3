//! Cutting rectangles without ever going below zero, and the smallest window the console draws in.

use ratatui::layout::Rect;

/// Columns the console needs.
pub const MIN_WIDTH: u16 = 60;
/// Rows the console needs.
pub const MIN_HEIGHT: u16 = 15;

/// What to say instead of drawing when the window is too small.
pub fn too_small(area: Rect) -> Option<String> {
    (area.width < MIN_WIDTH || area.height < MIN_HEIGHT)
        .then(|| format!("too small, need {MIN_WIDTH}×{MIN_HEIGHT} (now {}×{})", area.width, area.height))
}

/// The first `rows` of `area`, and the rest.
pub fn top(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    (
        Rect { height: rows, ..area },
        Rect { y: area.y.saturating_add(rows), height: area.height - rows, ..area },
    )
}

/// The last `rows` of `area` second, and what is above them first.
pub fn bottom(area: Rect, rows: u16) -> (Rect, Rect) {
    top(area, area.height.saturating_sub(rows))
}

/// The first `columns` of `area`, and the rest.
pub fn left(area: Rect, columns: u16) -> (Rect, Rect) {
    let columns = columns.min(area.width);
    (
        Rect { width: columns, ..area },
        Rect { x: area.x.saturating_add(columns), width: area.width - columns, ..area },
    )
}

/// The last `columns` of `area` second, and what is left of them first.
pub fn right(area: Rect, columns: u16) -> (Rect, Rect) {
    left(area, area.width.saturating_sub(columns))
}

/// `area` without `columns` on both sides and `rows` above and below.
pub fn inset(area: Rect, columns: u16, rows: u16) -> Rect {
    let width = area.width.saturating_sub(columns.saturating_mul(2));
    let height = area.height.saturating_sub(rows.saturating_mul(2));
    Rect {
        x: area.x.saturating_add(columns.min(area.width)),
        y: area.y.saturating_add(rows.min(area.height)),
        width,
        height,
    }
}

/// Row `index` of `area` as a rectangle of its own; empty when there is none.
pub fn row(area: Rect, index: u16) -> Rect {
    let (_, below) = top(area, index);
    top(below, 1).0
}

/// A rectangle of at most `width` × `height` in the middle of `area`.
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let width = width.min(area.width);
    let height = height.min(area.height);
    Rect {
        x: area.x.saturating_add((area.width - width) / 2),
        y: area.y.saturating_add((area.height - height) / 2),
        width,
        height,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_small_window_says_what_it_needs() {
        assert_eq!(too_small(Rect::new(0, 0, 60, 15)), None);
        let said = too_small(Rect::new(0, 0, 40, 10));
        assert_eq!(said.as_deref(), Some("too small, need 60×15 (now 40×10)"));
        assert!(too_small(Rect::new(0, 0, 1, 400)).is_some());
    }

    proptest! {
        #[test]
        fn pieces_never_leave_the_whole(w in 0_u16..40, h in 0_u16..40, a: u16, b: u16) {
            let whole = Rect::new(3, 5, w, h);
            let pieces = [
                top(whole, a).0, top(whole, a).1, bottom(whole, a).0, bottom(whole, a).1,
                left(whole, a).0, left(whole, a).1, right(whole, a).0, right(whole, a).1,
                inset(whole, a, b), row(whole, a), centred(whole, a, b),
            ];
            for piece in pieces {
                prop_assert!(piece.is_empty() || whole.union(piece) == whole, "{piece:?}");
            }
            prop_assert_eq!(bottom(whole, a).1.height, a.min(h));
            prop_assert_eq!(right(whole, a).1.width, a.min(w));
        }
    }
}
