//! The records of a table whose separator is known. Only what RFC 4180 has is read: readers of CSV forgive more, and each
//! takes another table out of it.

use super::{Mistake, Row};

/// The fields of all records that are not empty, each record with its line.
pub(super) fn rows(table: &str, separator: char, first: u64) -> Result<Vec<Row>, Mistake> {
    check_quotes(table, separator, first)?;
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true).delimiter(u8::try_from(separator).unwrap_or(b','));
    let (mut rows, mut at, mut line) = (Vec::new(), 0, first);
    for record in reader.from_reader(table.as_bytes()).records() {
        let record = record.map_err(|error| (line, error.to_string()))?;
        // The reader's own count stands still on empty lines, which it reports as the beginning of the next record.
        let start = record.position().map_or(0, |start| usize::try_from(start.byte()).unwrap_or(usize::MAX));
        let passed = table.get(at..start).unwrap_or_default();
        let rest = table.get(start..).unwrap_or_default();
        let empty = rest.len() - rest.trim_start_matches('\n').len();
        line += (passed.matches('\n').count() + empty) as u64;
        at = start + empty;
        rows.push((line, record.iter().map(str::to_owned).collect()));
    }
    Ok(rows)
}

/// Where in a field the reading stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Bare,
    Quoted,
    /// Behind a quote that closes the field or is the first half of a written one.
    Closed,
}

/// Quotes stand where RFC 4180 §2 has them. Readers of CSV forgive any other, and take a different table out of it.
fn check_quotes(table: &str, separator: char, first: u64) -> Result<(), Mistake> {
    let (mut at, mut line, mut opened) = (At::Start, first, first);
    for c in table.chars() {
        let ends = c == separator || c == '\n';
        at = match (at, c) {
            (At::Start, '"') => {
                opened = line;
                At::Quoted
            }
            (At::Bare, '"') => {
                let why =
                    "a double quote stands within a field; put the field in quotes and write the quote twice";
                return Err((line, why.into()));
            }
            (At::Quoted, '"') => At::Closed,
            (At::Quoted, _) | (At::Closed, '"') => At::Quoted,
            (At::Start | At::Bare | At::Closed, _) if ends => At::Start,
            (At::Start | At::Bare, _) => At::Bare,
            (At::Closed, _) => {
                let why =
                    "text follows the double quote that ends a field; write a quote within a field twice";
                return Err((line, why.into()));
            }
        };
        line += u64::from(c == '\n');
    }
    if at == At::Quoted {
        Err((opened, "the double quote that opens here is never closed".into()))
    } else {
        Ok(())
    }
}
