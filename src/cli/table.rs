//! Tables for people: columns as wide as what stands in them, counted in terminal cells. Colour repeats what a
//! word already says and is left out where nobody sees it.

use unicode_width::UnicodeWidthStr as _;

use super::output::{Output, shown};

/// How a cell looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// All is well.
    Good,
    /// Wants a look.
    Warn,
    /// Stopped.
    Bad,
    /// Of little interest.
    Faint,
}

impl Tone {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Good => "\u{1b}[32m",
            Self::Warn => "\u{1b}[33m",
            Self::Bad => "\u{1b}[31m",
            Self::Faint => "\u{1b}[2m",
        }
    }
}

/// What stands in one place of a table.
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// Text in a tone.
    pub fn toned(text: impl AsRef<str>, tone: Tone) -> Self {
        Self { text: shown(text.as_ref()), tone }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(text, Tone::Plain)
    }
}

/// Rows under a line of headings.
pub struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// Between two columns.
const GAP: usize = 2;

impl Table {
    /// A table with these headings and no rows.
    pub fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The whole table as lines; the last column is not padded.
    pub fn render(&self, output: Output) -> String {
        let mut widths: Vec<usize> = self.headings.iter().map(|h| h.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.width());
            }
        }
        let headings: Vec<Cell> =
            self.headings.iter().map(|h| Cell { text: (*h).to_owned(), tone: Tone::Faint }).collect();
        let mut out = String::new();
        for row in std::iter::once(&headings).chain(&self.rows) {
            let last = row.iter().rposition(|cell| !cell.text.is_empty());
            for (at, (cell, width)) in row.iter().zip(&widths).enumerate().take(last.map_or(0, |l| l + 1)) {
                let toned = output.has_colour() && cell.tone != Tone::Plain;
                if toned {
                    out.push_str(cell.tone.code());
                }
                out.push_str(&cell.text);
                if toned {
                    out.push_str("\u{1b}[0m");
                }
                if Some(at) != last {
                    out.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.text.width()) + GAP));
                }
            }
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_for_wide_and_combined_characters() {
        let mut table = Table::new(&["Name", "State"]);
        table.row(["東京".into(), "a".into()]);
        table.row(["e\u{301}x".into(), "b".into()]);
        table.row(["plain".into(), Cell::from("")]);
        let text = table.render(Output::new(false));
        assert_eq!(text, "Name   State\n東京   a\ne\u{301}x     b\nplain\n");
    }
}
