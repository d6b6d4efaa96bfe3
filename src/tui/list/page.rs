//! Lines to read, of one kind wherever they stand: beside a list, in a reader, on a sheet of settings. What one says is
//! wrapped beside its label; of several pieces the last is wrapped below itself, unless something stands at the right end.
//! And the page that shows and scrolls them.

use std::borrow::Cow;

use ratatui::layout::Rect;

use crate::tui::action::Action;
use crate::tui::canvas::Canvas;
use crate::tui::theme::Role;
use crate::tui::widgets::{layout, scrollbar, text, walk};

#[derive(Clone, Debug, Default)]
pub struct Line {
    /// What it is about; `Some("")` goes on below the line before it, `None` begins at the left.
    pub label: Option<(Role, Cow<'static, str>)>,
    /// Cells left free before it.
    pub indent: u16,
    pub spans: Vec<(Role, String)>,
    /// Shown at the right end.
    pub end: Option<(Role, String)>,
}

impl Line {
    /// Words, in as many lines as they take.
    pub fn of(role: Role, text: impl Into<String>) -> Self {
        Self { spans: vec![(role, text.into())], ..Self::default() }
    }

    pub fn blank() -> Self {
        Self::default()
    }

    /// A label and what it stands for.
    pub fn fact(label: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        Self::told(Role::Text, label, text)
    }

    /// A fact with a look of its own.
    pub fn told(role: Role, label: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        Self { label: Some((Role::Dim, label.into())), ..Self::of(role, text) }
    }

    /// All it says, for a search.
    pub fn text(&self) -> String {
        let label = self.label.as_ref().map_or("", |(_, label)| label);
        self.spans.iter().fold(label.to_owned(), |all, (_, said)| all + " " + said)
    }
}

/// Cells below which words are rather cut than wrapped.
const NARROWEST: u16 = 12;

/// `lines` as they stand in `width` cells, of which labels take `labels`.
pub fn wrapped(lines: impl IntoIterator<Item = Line>, labels: u16, width: u16) -> Vec<Line> {
    let mut laid = Vec::new();
    for line in lines {
        match (line.spans.as_slice(), &line.end) {
            ([(role, said)], None) => {
                let before = line.indent + line.label.as_ref().map_or(0, |_| labels);
                let cells = width.saturating_sub(before).max(8);
                for (at, said) in text::wrap(said, cells).into_iter().enumerate() {
                    let label = line
                        .label
                        .clone()
                        .map(|(role, label)| (role, if at == 0 { label } else { "".into() }));
                    laid.push(Line { label, indent: line.indent, ..Line::of(*role, said) });
                }
            }
            ([before @ .., (role, last)], None) => {
                let said = last.trim_start();
                let gap = " ".repeat(text::width(last).saturating_sub(text::width(said)));
                let lead = gap.len() + before.iter().map(|(_, said)| text::width(said)).sum::<usize>();
                let labels = line.label.as_ref().map_or(0, |_| labels);
                let hang = line.indent.saturating_add(u16::try_from(lead).unwrap_or(u16::MAX));
                let cells = width.saturating_sub(hang).saturating_sub(labels);
                if cells < NARROWEST || text::width(said) <= usize::from(cells) {
                    laid.push(line);
                    continue;
                }
                let below = line.label.as_ref().map(|(role, _)| (*role, Cow::Borrowed("")));
                for (at, said) in text::wrap(said, cells).into_iter().enumerate() {
                    laid.push(if at == 0 {
                        let spans = before.iter().cloned().chain([(*role, format!("{gap}{said}"))]).collect();
                        Line { spans, ..line.clone() }
                    } else {
                        Line { label: below.clone(), indent: hang, ..Line::of(*role, said) }
                    });
                }
            }
            _ => laid.push(line),
        }
    }
    laid
}

/// Where some lines are scrolled to.
#[derive(Debug, Default)]
pub struct Page {
    pub offset: usize,
    /// Lines and rows of the last frame.
    lines: usize,
    rows: usize,
}

impl Page {
    /// The last offset there is.
    pub const fn last(&self) -> usize {
        self.lines.saturating_sub(self.rows)
    }

    /// The last line in sight.
    pub const fn end(&self) -> usize {
        (self.offset + self.rows).saturating_sub(1)
    }

    /// Scrolls by so many lines.
    pub fn scroll(&mut self, by: isize) {
        self.offset = self.offset.saturating_add_signed(by).min(self.last());
    }

    /// Shows so many rows of so many lines from now on.
    pub fn fit(&mut self, lines: usize, rows: u16) {
        (self.lines, self.rows) = (lines, rows.into());
        self.scroll(0);
    }

    /// Scrolls as a verb says; `false` for verbs of another kind.
    pub fn act(&mut self, action: Action) -> bool {
        let to = walk(action, self.offset, self.rows, self.last() + 1);
        self.offset = to.unwrap_or(self.offset);
        to.is_some()
    }

    /// Draws lines as [`wrapped`] laid them for two cells less than `area` is wide: those are the scrollbar's. `found` says
    /// which of them somebody looks for.
    pub fn draw(
        &mut self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        labels: u16,
        lines: &[Line],
        found: impl Fn(&Line) -> bool,
    ) {
        let inner = Rect { width: area.width.saturating_sub(2), ..area };
        self.fit(lines.len(), area.height);
        for (row, line) in (0..area.height).zip(lines.iter().skip(self.offset)) {
            draw_line(canvas, layout::row(inner, row), labels, line, found(line));
        }
        scrollbar::draw(canvas, area, self.offset, self.rows, self.lines);
    }
}

fn draw_line(canvas: &mut Canvas<'_>, row: Rect, labels: u16, line: &Line, found: bool) {
    let mut x = row.x.saturating_add(line.indent);
    if let Some((role, label)) = &line.label {
        canvas.fit(row.x, row.y, labels.min(row.width), label, *role);
        x = x.saturating_add(labels);
    }
    let mut right = row.right();
    if let Some((role, end)) = &line.end {
        let span = canvas.span(*role, end.as_str());
        right = canvas.spans_right(right, row.y, row.width / 2, &[span]).saturating_sub(1);
    }
    for (role, said) in &line.spans {
        let role = if found { Role::Match } else { *role };
        x = canvas.fit(x, row.y, right.saturating_sub(x), said, role);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_says_what_became_of_a_key_is_never_cut_off() {
        let what = "maria tried resuming it: refused";
        let line = || Line {
            spans: vec![(Role::Dim, "2027-01-31 12:00  ".into()), (Role::Bad, what.into())],
            ..Line::default()
        };
        assert_eq!(wrapped([line()], 0, 50).len(), 1);
        let laid = wrapped([line()], 0, 42);
        let told: Vec<_> = laid.iter().map(|line| (line.indent, line.text())).collect();
        let first = " 2027-01-31 12:00   maria tried resuming it:".to_owned();
        assert_eq!(told, [(0, first), (18, " refused".to_owned())]);
        assert!(laid.iter().all(|line| line.spans.last().is_some_and(|(role, _)| *role == Role::Bad)));
        // Where not even a word has room it stays on its line.
        assert_eq!(wrapped([line()], 0, 24).len(), 1);
    }
}
