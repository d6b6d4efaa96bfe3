//! What is wrong in the configuration file, and where.

use crate::tui::Located;

/// A mistake in the file.
pub struct Problem {
    /// Where, in bytes from its beginning.
    at: usize,
    /// What is wrong, as a sentence.
    pub what: String,
}

impl Problem {
    /// A mistake that begins at a byte of the file.
    pub fn at(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }

    /// Where it begins, in bytes.
    pub const fn start(&self) -> usize {
        self.at
    }

    /// What is wrong, with its place in that text, which came from `file`.
    pub fn place(&self, file: &str, text: &str) -> Located {
        let before = text.get(..self.at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Located { file: file.to_owned(), line, column, message: self.what.clone() }
    }

    /// What is wrong in that text, with the line.
    pub fn located(&self, text: &str) -> String {
        let line = text.bytes().take(self.at).filter(|b| *b == b'\n').count() + 1;
        format!("line {line}: {}", self.what)
    }
}
