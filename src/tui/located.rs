//! Reading our TOML files so that a mistake is answered with its place and the nearest valid name. What is right in them
//! counts all the same.
//!
//! Used by the keymap and the themes; knows nothing of either.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::domain::catalog::text::nearest;

/// One mistake in a file of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct Located {
    /// The file as the person named it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

/// A text being read, and the mistakes found so far.
pub struct TomlReader<'a> {
    file: &'a str,
    text: &'a str,
    mistakes: Vec<Located>,
}

impl<'a> TomlReader<'a> {
    /// Starts reading `text`, which came from `file`.
    pub fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, mistakes: Vec::new() }
    }

    /// The file's tables, or nothing when it is no TOML at all (noted as a mistake).
    pub fn table(&mut self) -> Option<DeTable<'a>> {
        match DeTable::parse(self.text) {
            Ok(table) => Some(table.into_inner()),
            Err(error) => {
                let message = error.message().to_owned();
                self.note(error.span().unwrap_or(0..0), message);
                None
            }
        }
    }

    /// Notes a mistake at `span`.
    pub fn note(&mut self, span: Range<usize>, message: String) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        self.mistakes.push(Located { file: self.file.to_owned(), line, column, message });
    }

    /// Notes that `name` is not one of `known`, and which is nearest.
    pub fn unknown<'n>(
        &mut self,
        span: Range<usize>,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        let hint = nearest(name, known).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
        self.note(span, format!("unknown {what} \"{name}\"{hint}"));
    }

    /// The mistakes, in the order in which they stand in the file.
    pub fn finish(mut self) -> Vec<Located> {
        self.mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        self.mistakes
    }
}

/// The string in `value`, or a noted mistake.
pub fn string<'v>(
    reader: &mut TomlReader<'_>,
    value: &'v Spanned<DeValue<'_>>,
    what: &str,
) -> Option<&'v str> {
    if let DeValue::String(text) = value.get_ref() {
        return Some(text);
    }
    reader.note(value.span(), format!("{what} must be a text in quotes"));
    None
}

/// The strings in `value`: one text, or a list of them. Mistakes are noted and left out.
pub fn strings<'v>(
    reader: &mut TomlReader<'_>,
    value: &'v Spanned<DeValue<'_>>,
    what: &str,
) -> Vec<(Range<usize>, &'v str)> {
    match value.get_ref() {
        DeValue::Array(items) => items
            .iter()
            .filter_map(|item| string(reader, item, what).map(|text| (item.span(), text)))
            .collect(),
        _ => string(reader, value, what).map(|text| (value.span(), text)).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_from_one_in_characters() {
        let mut reader = TomlReader::new("f", "é = 1\nüx = 2\n");
        reader.note(9..10, "here".into());
        let found = reader.finish();
        assert_eq!(found[0].to_string(), "f:2:2: here");
    }

    #[test]
    fn broken_toml_is_located_too() {
        let mut reader = TomlReader::new("k.toml", "[screen]\nup = [\n");
        assert!(reader.table().is_none());
        assert!(reader.finish()[0].to_string().starts_with("k.toml:2:"));
    }
}
