//! A table of several columns, each of which has a heading that is known. One that is not is a mistake, since it may be a known
//! one misspelt: what a column says that nobody reads does not hold.

use super::records::rows;
use super::text::decode;
use super::{Mistake, QUOTE, Row, SEPARATORS, declared, first_record, key, markdown};

/// What a column may be called; the first is what it is called here.
pub type Headings = &'static [&'static str];

/// The cells of each row in the order of the columns that were asked for, with its line; empty where the table has no such
/// column, or nothing in it.
pub type Cells = Vec<(u64, Result<Vec<String>, String>)>;

/// Reads a table of these columns, of which it may leave out some.
///
/// # Errors
/// When it is no such table, where and why.
pub fn table(bytes: &[u8], columns: &[Headings]) -> Result<Cells, Mistake> {
    let text = decode(bytes)?.replace("\r\n", "\n").replace('\r', "\n");
    let rows = match markdown::rows(&text) {
        Some(rows) => rows,
        None => parted(&text, columns)?,
    };
    let Some(((line, top), below)) = rows.split_first() else { return Ok(Vec::new()) };
    let at = find(top, columns).map_err(|why| (*line, why))?;
    Ok(below.iter().map(|row| (row.0, cells(row, top.len(), &at))).collect())
}

/// The rows, under the separator that makes known columns of the first.
fn parted(text: &str, columns: &[Headings]) -> Result<Vec<Row>, Mistake> {
    let (said, table, first) = declared(text)?;
    let heading = first_record(table);
    let fits = |separator: &char| {
        let rows = rows(table, *separator, first);
        rows.is_ok_and(|rows| rows.first().is_some_and(|(_, top)| find(top, columns).is_ok()))
    };
    let standing = || SEPARATORS.map(|(separator, _)| separator).into_iter().filter(|c| heading.contains(*c));
    // Where none fits, what is wrong is said of the first that stands there.
    let found = said.or_else(|| standing().find(fits)).or_else(|| standing().next());
    rows(table, found.unwrap_or(','), first)
}

/// Where each of the columns is, as far as it is there.
fn find(top: &[String], columns: &[Headings]) -> Result<Vec<Option<usize>>, String> {
    let mut at = vec![None; columns.len()];
    for (here, field) in top.iter().enumerate() {
        let known = columns.iter().position(|column| column.contains(&key(field).as_str()));
        let Some(place) = known.and_then(|known| at.get_mut(known)) else {
            let names: Vec<&str> = columns.iter().filter_map(|column| column.first().copied()).collect();
            return Err(format!(
                "no column is called `{field}`; there are {}. Leave out what is none of them",
                names.join(", ")
            ));
        };
        if place.replace(here).is_some() {
            return Err(format!("two columns are taken for the same; the second is `{field}`"));
        }
    }
    Ok(at)
}

/// What a row of a table of that width says. It may end early, as spreadsheets write it.
fn cells((_, row): &Row, width: usize, at: &[Option<usize>]) -> Result<Vec<String>, String> {
    if row.len() > width {
        return Err(format!("it has {} columns, the first line has {width}; {QUOTE}", row.len()));
    }
    let cell = |at: &Option<usize>| {
        at.and_then(|at| row.get(at)).map_or_else(String::new, |cell| cell.trim().to_owned())
    };
    Ok(at.iter().map(cell).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Headings; 3] = [&["name"], &["scopes", "scope"], &["note"]];

    fn read(text: &str) -> Result<Vec<(u64, Vec<String>)>, Mistake> {
        table(text.as_bytes(), &COLUMNS)?
            .into_iter()
            .map(|(line, row)| row.map(|row| (line, row)).map_err(|why| (line, why)))
            .collect()
    }

    #[test]
    fn columns_are_found_by_their_headings_in_any_order_and_whatever_parts_them() {
        let wanted = vec![
            (2, vec!["Export".to_owned(), "a.read b.read".into(), "x, y".into()]),
            (4, vec!["Import".to_owned(), "a.read".into(), String::new()]),
        ];
        let commas = "Scope,NAME,note\na.read b.read,Export,\"x, y\"\n\n a.read ,Import\n";
        assert_eq!(read(commas).unwrap(), wanted);
        for separator in [';', '\t'] {
            let text = format!(
                "scopes{separator}name{separator}note\na.read b.read{separator}Export{separator}\"x, y\"\n\na.read{separator}Import{separator}\n"
            );
            assert_eq!(read(&text).unwrap(), wanted, "{separator:?}");
            assert!(read(&format!("sep={separator}\n{text}")).is_ok(), "{separator:?}");
        }
        let bars = "| name | scopes | note |\n|---|---|---|\n| Export | a.read b.read | x, y |\n";
        assert_eq!(read(bars).unwrap(), [(3, wanted[0].1.clone())]);
        assert_eq!(read("name\nOnly\n").unwrap()[0].1, ["Only", "", ""]);
        assert_eq!(read("").unwrap(), []);
    }

    #[test]
    fn what_is_no_known_column_is_a_mistake_and_never_left_out() {
        for (text, line, why) in [
            ("name,expires\nA,never\n", 1, "no column is called `expires`; there are name, scopes, note"),
            ("name,scope,scopes\nA,b,c\n", 1, "two columns are taken for the same; the second is `scopes`"),
            ("Export\nImport\n", 1, "no column is called `Export`"),
            ("name,note\nA,b,c\n", 2, "it has 3 columns, the first line has 2"),
            ("name,note\n\"A,b\n", 2, "never closed"),
        ] {
            let (at, said) = read(text).unwrap_err();
            assert!(at == line && said.contains(why), "{text:?}: line {at}: {said}");
        }
    }
}
