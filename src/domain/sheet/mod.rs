//! The names in a table that somebody made elsewhere: which character parts the columns, whether the first line is a
//! heading, which column holds the names. What cannot be told for certain is a mistake with its line, never a guess;
//! what was taken for what is said.
//!
//! - `text`: how it is written. `records`: tables as spreadsheets save them. `markdown`: as people write them into texts.
//! - [`table()`]: several columns, each under a heading that is known.
//! - [`row()`]: the other way, harmless in a spreadsheet.
//! - [`read`]: of somebody who says it is one. [`pasted`]: of somebody who may as well mean one name on each line.

mod markdown;
mod records;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod write;

use std::convert::Infallible;
use std::str::FromStr;

use self::records::rows;
pub use self::table::{Cells, Headings, table};
use self::text::decode;
pub use self::write::row;
use super::name::fold;

/// A mistake and its line, as an editor counts lines.
pub type Mistake = (u64, String);

/// The fields of a record, and its line.
type Row = (u64, Vec<String>);

/// Which column holds the names, in somebody's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// Counted from 1.
    Number(usize),
    /// By its heading.
    Heading(String),
}

impl FromStr for Column {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.trim().parse().map_or_else(|_| Self::Heading(text.to_owned()), Self::Number))
    }
}

/// What the first line is, in somebody's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// What the columns are called.
    Heading,
    /// The first of the names.
    Name,
}

/// What somebody says of a table.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said<'a> {
    /// Which column holds the names.
    pub column: Option<&'a Column>,
    /// What its first line is.
    pub first: Option<First>,
    /// How they can say more.
    pub ways: Ways,
}

/// How somebody says what a table leaves open, where it is read; each goes on from a `;`.
#[derive(Clone, Copy, Debug)]
pub struct Ways {
    /// Which column holds the names.
    pub column: &'static str,
    /// What the first line is.
    pub first: &'static str,
    /// That each line is a name as it stands; empty where nobody can say so.
    pub lines: &'static str,
}

impl Default for Ways {
    fn default() -> Self {
        Self { column: "say which column", first: "say which", lines: "" }
    }
}

/// What a table holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// The names as they are written, each with its line, or what is wrong there.
    pub names: Vec<(u64, Result<String, String>)>,
    /// What was taken for what.
    pub taken: String,
}

/// How a name holds what parts columns.
const QUOTE: &str = "put a name that holds the separator in double quotes";
/// What may part columns, and its name.
const SEPARATORS: [(char, &str); 4] = [(',', "comma"), (';', "semicolon"), ('\t', "tab"), ('|', "bar")];
/// Headings of a column of locations, as [`key`] makes them. There are more in the world than anybody can list: a first
/// line that is none of them may still be one.
const HEADINGS: [&str; 17] = [
    "name",
    "location",
    "locationname",
    "branch",
    "branchname",
    "site",
    "sitename",
    "office",
    "officename",
    "store",
    "storename",
    "shop",
    "standort",
    "standortname",
    "filiale",
    "filialname",
    "niederlassung",
];

/// Reads a table of names.
pub fn read(bytes: &[u8], told: Said<'_>) -> Result<Sheet, Mistake> {
    let text = decode(bytes)?.replace("\r\n", "\n").replace('\r', "\n");
    if let Some(rows) = markdown::rows(&text) {
        // Markdown has no table without a heading.
        let told = Said { first: told.first.or(Some(First::Heading)), ..told };
        return names(&rows, '|', told, "write a bar within a name as \\|");
    }
    let (parted, table, first) = declared(&text)?;
    let heading = first_record(table);
    let standing: Vec<char> =
        SEPARATORS.map(|(separator, _)| separator).into_iter().filter(|c| heading.contains(*c)).collect();
    let separator = match (parted, standing.as_slice()) {
        (Some(parted), _) => parted,
        (None, []) => return one_column(table, told),
        (None, [one]) => *one,
        (None, several) => settle(table, several, told).ok_or_else(|| {
            let said = "commas, semicolons, tabs or bars stand side by side in it, and any of them may part the columns; \
                        say which by a line `sep=;` above it";
            (first, said.to_owned())
        })?,
    };
    names(&rows(table, separator, first)?, separator, told, QUOTE)
}

/// Reads names that stand one on each line, whatever is in them.
pub fn lines(bytes: &[u8]) -> Result<Sheet, Mistake> {
    let text = decode(bytes)?.replace("\r\n", "\n").replace('\r', "\n");
    let lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty());
    Ok(Sheet {
        names: lines.map(|(at, line)| (at, whole(line))).collect(),
        taken: "Each line is one name.".into(),
    })
}

/// The name in a line, which is the whole of it. What only draws a table or a list on a screen is none.
pub fn whole(line: &str) -> Result<String, String> {
    let drawn = |c: char| matches!(c, '-' | '=' | '+' | '|' | '─' | '═' | '┼' | '│');
    let rule = line.chars().count() > 1 && line.chars().all(|c| drawn(c) || c == ' ');
    let rows =
        line.strip_prefix('(').and_then(|rest| rest.strip_suffix(" rows)").or(rest.strip_suffix(" row)")));
    if rule || rows.is_some_and(|count| count.bytes().all(|b| b.is_ascii_digit())) {
        return Err("it belongs to a table drawn for a screen, not to its names; export it as CSV".into());
    }
    if ["- ", "* ", "+ ", "• "].iter().any(|bullet| line.starts_with(bullet)) {
        return Err("a bullet stands before the name; leave out the bullets".into());
    }
    Ok(line.to_owned())
}

/// The table in lines that were pasted where names are expected; `None` where each line is a name as it stands.
pub fn pasted(text: &str, ways: Ways) -> Option<Result<Sheet, Mistake>> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let told = Said { ways, ..Said::default() };
    if markdown::rows(&text).is_some() || !matches!(declared(&text), Ok((None, ..))) {
        return Some(read(text.as_bytes(), told));
    }
    let heading = first_record(&text);
    let parts = |c: &char| heading.contains(*c);
    let commas = rows(&text, ',', 1);
    let top = commas.iter().flatten().next().map_or_else(Vec::new, |(_, top)| top.clone());
    let known = top.iter().any(|field| is_known(field));
    if SEPARATORS.iter().map(|(separator, _)| separator).any(parts) {
        // Names may hold commas; a table has as many in each row.
        let even = commas.is_ok_and(|rows| rows.iter().all(|(_, row)| row.len() == top.len()));
        let table = known || even || SEPARATORS.iter().any(|(c, _)| *c != ',' && parts(c));
        return table.then(|| read(text.as_bytes(), told));
    }
    let quoted = text.lines().any(|line| line.starts_with('"'));
    let first = if known { None } else { Some(First::Name) };
    (known || quoted).then(|| read(text.as_bytes(), Said { first, ..told }))
}

/// The names in the rows of a table; `advice` says how a name holds a separator.
fn names(rows: &[Row], separator: char, told: Said<'_>, advice: &str) -> Result<Sheet, Mistake> {
    let Some((line, top)) = rows.first() else { return Ok(Sheet::default()) };
    let choice = choose(top, told, rows.len()).map_err(|why| (*line, why))?;
    let below = rows.iter().skip(usize::from(choice.heading));
    Ok(Sheet {
        names: below.map(|row| named(row, top.len(), choice.at, advice)).collect(),
        taken: choice.in_words(top, separator),
    })
}

/// The separator that the first line names, as spreadsheets write it; the table itself, and the line it begins on.
fn declared(text: &str) -> Result<(Option<char>, &str, u64), Mistake> {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let Some(told) = line.strip_prefix("sep=").or_else(|| line.strip_prefix("SEP=")) else {
        return Ok((None, text, 1));
    };
    match SEPARATORS.iter().find(|(separator, _)| told.chars().eq([*separator])) {
        Some((separator, _)) => Ok((Some(*separator), rest, 2)),
        None => Err((1, "`sep=` must be followed by a comma, a semicolon, a tab or a bar".into())),
    }
}

/// What stands outside of quotes in the first record.
fn first_record(table: &str) -> String {
    let mut quoted = false;
    let outside = |c: &char| {
        quoted ^= *c == '"';
        !quoted
    };
    let record = table.trim_start_matches('\n').chars().filter(outside);
    record.take_while(|c| *c != '\n').collect()
}

/// The one separator under which the column is found.
fn settle(table: &str, several: &[char], told: Said<'_>) -> Option<char> {
    let finds = |separator: &&char| {
        let rows = rows(table, **separator, 1).ok();
        rows.and_then(|rows| choose(&rows.first()?.1, told, rows.len()).ok())
            .is_some_and(|choice| choice.heading)
    };
    let mut fitting = several.iter().filter(finds);
    fitting.next().copied().filter(|_| fitting.next().is_none())
}

/// A list of names with nothing beside them. A line that any separator would part is a mistake: whether it is one name
/// or two cannot be seen.
fn one_column(table: &str, told: Said<'_>) -> Result<Sheet, Mistake> {
    let mut sheet = Sheet::default();
    for (separator, word) in SEPARATORS {
        let rows = rows(table, separator, 1)?;
        let Some((line, top)) = rows.first() else { break };
        let choice = choose(top, told, rows.len()).map_err(|why| (*line, why))?;
        if sheet.names.is_empty() {
            sheet.taken = choice.in_words(top, separator);
            sheet.names = rows
                .iter()
                .skip(usize::from(choice.heading))
                .map(|row| named(row, usize::MAX, 0, QUOTE))
                .collect();
        }
        let below = rows.iter().skip(usize::from(choice.heading));
        for ((_, row), name) in below.zip(&mut sheet.names) {
            if row.len() > 1 {
                let why = format!(
                    "a {word} parts it, and the first line has one column; put a name with {word}s in double \
                     quotes{}",
                    told.ways.lines
                );
                name.1 = Err(why);
            }
        }
    }
    Ok(sheet)
}

/// Which column holds the names, and whether the first line is a heading.
struct Choice {
    at: usize,
    heading: bool,
}

/// Letters and digits of a heading, so that `branch_name`, `Branch Name` and `branchName` are one.
fn key(heading: &str) -> String {
    fold(heading).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Which column of a table of so many rows holds the names, and whether its first row is a heading.
fn choose(top: &[String], told: Said<'_>, rows: usize) -> Result<Choice, String> {
    let (at, named) = column(top, told)?;
    let known = named || top.iter().any(|field| is_known(field));
    let heading = match told.first {
        Some(First::Name) if named && told.column.is_some() => {
            return Err("a column that is named is found by its heading; give its number".into());
        }
        Some(first) => first == First::Heading,
        None if known => true,
        // Nobody calls a column by a number, and a heading of nothing is none.
        None if rows == 1 || top.iter().any(|field| is_number(field)) => false,
        None => {
            let field = top.get(at).map_or("", String::as_str);
            return Err(format!(
                "`{field}` may be what the column is called or the first of the names; {}",
                told.ways.first
            ));
        }
    };
    Ok(Choice { at, heading })
}

fn is_known(field: &str) -> bool {
    HEADINGS.contains(&key(field).as_str())
}

fn is_number(field: &str) -> bool {
    field.contains(|c: char| c.is_numeric()) && !field.contains(char::is_alphabetic)
}

/// Which column holds the names, and whether its heading says so.
fn column(top: &[String], told: Said<'_>) -> Result<(usize, bool), String> {
    let listed = || top.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
    let only = |fits: &dyn Fn(&String) -> bool| {
        let mut found = top.iter().enumerate().filter(|(_, field)| fits(field)).map(|(at, _)| at);
        (found.next(), found.next().is_some())
    };
    match told.column {
        Some(Column::Number(n)) => match n.checked_sub(1).filter(|at| *at < top.len()) {
            Some(at) => Ok((at, false)),
            None => Err(format!("there is no column {n}; it has {}", top.len())),
        },
        Some(Column::Heading(wanted)) => match only(&|field| key(field) == key(wanted)) {
            (Some(at), false) => Ok((at, true)),
            (Some(_), true) => Err(format!("several columns are called `{wanted}`; give its number")),
            (None, _) => Err(format!("no column is called `{wanted}`; the headings are {}", listed())),
        },
        None => match only(&|field| is_known(field)) {
            (Some(at), false) => Ok((at, true)),
            (Some(_), true) => {
                Err(format!("several columns may hold the names: {}; {}", listed(), told.ways.column))
            }
            (None, _) if top.len() == 1 => Ok((0, false)),
            (None, _) => Err(format!(
                "it has several columns, and none of {} is a heading known for names; {}",
                listed(),
                told.ways.column
            )),
        },
    }
}

impl Choice {
    fn in_words(&self, top: &[String], separator: char) -> String {
        let field = top.get(self.at).map_or("", String::as_str);
        let parted = SEPARATORS.iter().find(|(known, _)| *known == separator).map_or("", |(_, word)| word);
        let of = match top.len() {
            1 => "the only column".to_owned(),
            all => format!("column {} of {all}, parted by {parted}s", self.at + 1),
        };
        if self.heading {
            format!("The names are read from {of}; its heading is `{field}`.")
        } else {
            format!("The names are read from {of}; the first line, `{field}`, is a name and no heading.")
        }
    }
}

/// The name in a row of a table of that width. A row may end early, as spreadsheets write it, but not before its name.
fn named((line, row): &Row, width: usize, at: usize, advice: &str) -> (u64, Result<String, String>) {
    if let Some(Err(drawn)) = row.first().filter(|_| row.len() == 1).map(|line| whole(line.trim())) {
        return (*line, Err(drawn));
    }
    let name = match row.get(at) {
        _ if row.len() > width => {
            Err(format!("it has {} columns, the first line has {width}; {advice}", row.len()))
        }
        Some(name) => whole(name.trim()).map(|_| name.clone()),
        None => Err(format!("it ends before column {}, where the names are", at + 1)),
    };
    (*line, name)
}
