//! The marked keys side by side: which scopes each has, and which of them were needed.

use crate::domain::KeyId;
use crate::tui::app::look::Look;
use crate::tui::list::page::Line;
use crate::tui::overlays::reader::Reader;
use crate::tui::sight::matrix;
use crate::tui::sight::seen::seen;
use crate::tui::theme::Role;

/// Keys that stand beside each other: what a small window leaves room for.
const BESIDE: usize = 8;

/// A text to read and to search.
pub fn new(look: &Look, keys: &[KeyId]) -> Reader {
    let lines = seen(look, |seen| matrix::lines(&seen.reviewer().matrix(keys), BESIDE));
    let lines = lines.iter().map(|line| laid(line)).collect();
    Reader::new("matrix", "Scopes side by side", lines, None)
}

/// A line with its leading blanks as an indent: the numbers of the columns stand over their columns.
fn laid(line: &str) -> Line {
    let words = line.trim_start();
    let indent = u16::try_from(line.len().saturating_sub(words.len())).unwrap_or_default();
    Line { indent, ..Line::of(Role::Text, words) }
}
