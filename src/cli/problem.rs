//! What is wrong in the configuration file, and where.

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

    /// What is wrong in that text, with the line.
    pub fn located(&self, text: &str) -> String {
        let line = text.bytes().take(self.at).filter(|b| *b == b'\n').count() + 1;
        format!("line {line}: {}", self.what)
    }
}
