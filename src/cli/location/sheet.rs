//! The names in a table that somebody made elsewhere: which character parts the columns, whether the first line is a
//! heading, which column holds the names. What cannot be told for certain is a mistake with its line, never a guess;
//! what was taken for what is said.

use std::convert::Infallible;
use std::str::FromStr;

use crate::domain::name::fold;

/// A mistake and its line, as an editor counts lines.
pub type Mistake = (u64, String);

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
}

/// What a table holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// The names as they are written, each with its line, or what is wrong there.
    pub names: Vec<(u64, Result<String, String>)>,
    /// What was taken for what.
    pub taken: String,
}

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
    let rows = rows(table, separator, first)?;
    let Some((line, top)) = rows.first() else { return Ok(Sheet::default()) };
    let choice = choose(top, told, rows.len()).map_err(|why| (*line, why))?;
    Ok(Sheet {
        names: rows
            .iter()
            .skip(usize::from(choice.heading))
            .map(|row| named(row, top.len(), choice.at))
            .collect(),
        taken: choice.in_words(top, separator),
    })
}

/// Text from what spreadsheets write: UTF-8, and UTF-16 where a byte order mark says so.
fn decode(bytes: &[u8]) -> Result<String, Mistake> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let mut text = String::with_capacity(pairs.len());
        for c in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
            let broken = |_| (line_at(&text, text.len()), "it is not UTF-16 text as it says".to_owned());
            text.push(c.map_err(broken)?);
        }
        if rest.is_empty() {
            Ok(text)
        } else {
            Err((line_at(&text, text.len()), "it ends within a character".into()))
        }
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => return wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return wide(rest, u16::from_be_bytes),
        _ => {}
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let save = "save it as UTF-8 (in a spreadsheet: CSV UTF-8)";
    match str::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => Err((1, format!("it holds bytes that no text has; {save}"))),
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let good = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default());
            Err((line_at(&good, good.len()), format!("it is not UTF-8 text; {save}")))
        }
    }
}

/// The line on which the byte of that offset stands.
fn line_at(text: &str, offset: usize) -> u64 {
    1 + text.get(..offset).unwrap_or_default().matches('\n').count() as u64
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
            sheet.names =
                rows.iter().skip(usize::from(choice.heading)).map(|row| named(row, usize::MAX, 0)).collect();
        }
        let below = rows.iter().skip(usize::from(choice.heading));
        for ((_, row), name) in below.zip(&mut sheet.names) {
            if row.len() > 1 {
                let why = format!(
                    "a {word} parts it, and the first line has one column; put a name in double quotes"
                );
                name.1 = Err(why);
            }
        }
    }
    Ok(sheet)
}

/// The fields of all records that are not empty, each record with its line.
fn rows(table: &str, separator: char, first: u64) -> Result<Vec<(u64, Vec<String>)>, Mistake> {
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
    let (at, named) = column(top, told.column)?;
    let known = named || top.iter().any(|field| is_known(field));
    let heading = match told.first {
        Some(First::Name) if named && told.column.is_some() => {
            return Err("a column that is named is found by its heading; give its number to --column".into());
        }
        Some(first) => first == First::Heading,
        None if known => true,
        // Nobody calls a column by a number, and a heading of nothing is none.
        None if rows == 1 || top.iter().any(|field| is_number(field)) => false,
        None => {
            let field = top.get(at).map_or("", String::as_str);
            return Err(format!(
                "`{field}` may be what the column is called or the first of the names; say which with --heading or \
                 --no-heading"
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
fn column(top: &[String], column: Option<&Column>) -> Result<(usize, bool), String> {
    let listed = || top.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
    let only = |fits: &dyn Fn(&String) -> bool| {
        let mut found = top.iter().enumerate().filter(|(_, field)| fits(field)).map(|(at, _)| at);
        (found.next(), found.next().is_some())
    };
    match column {
        Some(Column::Number(n)) => match n.checked_sub(1).filter(|at| *at < top.len()) {
            Some(at) => Ok((at, false)),
            None => Err(format!("there is no column {n}; it has {}", top.len())),
        },
        Some(Column::Heading(wanted)) => match only(&|field| key(field) == key(wanted)) {
            (Some(at), false) => Ok((at, true)),
            (Some(_), true) => {
                Err(format!("several columns are called `{wanted}`; give its number to --column"))
            }
            (None, _) => Err(format!("no column is called `{wanted}`; the headings are {}", listed())),
        },
        None => match only(&|field| is_known(field)) {
            (Some(at), false) => Ok((at, true)),
            (Some(_), true) => {
                Err(format!("several columns may hold the names: {}; say which with --column", listed()))
            }
            (None, _) if top.len() == 1 => Ok((0, false)),
            (None, _) => Err(format!(
                "it has several columns, and none of {} is a heading known for names; say which with --column",
                listed()
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
fn named((line, row): &(u64, Vec<String>), width: usize, at: usize) -> (u64, Result<String, String>) {
    let name = match row.get(at) {
        _ if row.len() > width => Err(format!(
            "it has {} columns, the first line has {width}; put a name that holds the separator in double quotes",
            row.len()
        )),
        Some(name) => Ok(name.clone()),
        None => Err(format!("it ends before column {}, where the names are", at + 1)),
    };
    (*line, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: impl AsRef<[u8]>) -> Vec<(u64, String)> {
        let sheet = read(text.as_ref(), Said::default()).unwrap();
        sheet.names.into_iter().map(|(line, name)| (line, name.unwrap())).collect()
    }

    fn told(text: &str, column: Option<&str>, first: Option<First>) -> Result<Vec<String>, Mistake> {
        let column = column.map(|column| column.parse().unwrap());
        let sheet = read(text.as_bytes(), Said { column: column.as_ref(), first })?;
        Ok(sheet.names.into_iter().map(|(_, name)| name.unwrap()).collect())
    }

    fn column(text: &str, column: &str) -> Vec<String> {
        told(text, Some(column), None).unwrap()
    }

    fn mistake(text: impl AsRef<[u8]>) -> Mistake {
        read(text.as_ref(), Said::default()).map_or_else(
            |mistake| mistake,
            |sheet| {
                let (line, name) = sheet.names.into_iter().find(|(_, name)| name.is_err()).unwrap();
                (line, name.unwrap_err())
            },
        )
    }

    #[test]
    fn a_list_from_a_spreadsheet_is_read_whatever_it_was_saved_as() {
        let wanted: Vec<(u64, String)> =
            vec![(2, "Berlin".into()), (3, "Köln; Deutz".into()), (5, "Rome".into())];
        let text = "city,Name\n1,Berlin\n2,\"Köln; Deutz\"\n\n3,Rome\n";
        let semicolons = "city;Name\n1;Berlin\n2;\"Köln; Deutz\"\n\n3;Rome\n".to_owned();
        let tabs = text.replace(',', "\t");
        for plain in [text.to_owned(), semicolons, tabs] {
            for ends in ["\n", "\r\n", "\r"] {
                let text = plain.replace('\n', ends);
                assert_eq!(names(&text), wanted, "{text:?}");
                assert_eq!(names(format!("\u{feff}{text}")), wanted, "{text:?}");
                let wide = |order: fn(u16) -> [u8; 2]| {
                    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(order).collect::<Vec<u8>>()
                };
                assert_eq!(names(wide(u16::to_le_bytes)), wanted, "{text:?}");
                assert_eq!(names(wide(u16::to_be_bytes)), wanted, "{text:?}");
            }
        }
    }

    #[test]
    fn the_column_is_found_by_the_headings_people_use() {
        for heading in
            ["name", "Location", "branch_name", "branchName", "Branch Name", "Standort", "LOCATION NAME"]
        {
            assert_eq!(names(format!("id,{heading}\n7,Berlin\n")), [(2, "Berlin".into())], "{heading}");
            assert_eq!(names(format!("{heading}\nBerlin\n")), [(2, "Berlin".into())], "{heading}");
        }
        assert_eq!(column("id;Wo\n1;Berlin\n", "wo"), ["Berlin"]);
        assert_eq!(column("1;Berlin\n2;Rome\n", "2"), ["Berlin", "Rome"]);
        assert_eq!(column("name;location\nx;Berlin\n", "location"), ["Berlin"]);
        assert_eq!(names("sep=;\nid,x;name\n1;Berlin\n"), [(3, "Berlin".into())]);
        // Where two of them stand side by side, the heading tells which parts the columns.
        assert_eq!(names("id;name;a,b\n1;Berlin;c\n"), [(2, "Berlin".into())]);
        let only = |column: &str| told("id,name\n", Some(column), None).unwrap_err();
        assert_eq!(only("wo"), (1, "no column is called `wo`; the headings are `id`, `name`".into()));
        assert_eq!(only("3"), (1, "there is no column 3; it has 2".into()));
        assert_eq!(only("0"), (1, "there is no column 0; it has 2".into()));
    }

    #[test]
    fn a_heading_in_no_list_does_not_become_a_location() {
        for heading in ["Filialen", "Nom", "拠点", "Sede"] {
            let (line, why) = mistake(format!("{heading}\nBerlin\nRome\n"));
            assert!(line == 1 && why.contains(heading) && why.contains("--heading or --no-heading"), "{why}");
        }
        let list = "Nom\nBerlin\n";
        assert_eq!(told(list, None, Some(First::Heading)).unwrap(), ["Berlin"]);
        assert_eq!(told(list, None, Some(First::Name)).unwrap(), ["Nom", "Berlin"]);
        assert_eq!(told("nr;Wo\n1;Berlin\n", Some("2"), Some(First::Heading)).unwrap(), ["Berlin"]);
        assert!(told("nr;Wo\n1;Berlin\n", Some("2"), None).unwrap_err().1.contains("`Wo` may be"));
        assert!(told("nr;Wo\n1;Berlin\n", Some("wo"), Some(First::Name)).is_err());
        assert_eq!(names("name|city\nBerlin|Mitte\n"), [(2, "Berlin".into())]);
        // A name alone is no heading, and neither is what stands beside a number.
        assert_eq!(names("Berlin\n"), [(1, "Berlin".into())]);
        assert_eq!(names("Branch 7\n"), [(1, "Branch 7".into())]);
        assert_eq!(told("Site\nBerlin\n", None, Some(First::Name)).unwrap(), ["Site", "Berlin"]);
    }

    #[test]
    fn what_was_taken_for_what_is_said() {
        let taken = |text: &str, first| read(text.as_bytes(), Said { column: None, first }).unwrap().taken;
        assert_eq!(
            taken("id;Standort\n1;Berlin\n", None),
            "The names are read from column 2 of 2, parted by semicolons; its heading is `Standort`."
        );
        assert_eq!(
            taken("Berlin\nRome\n", Some(First::Name)),
            "The names are read from the only column; the first line, `Berlin`, is a name and no heading."
        );
    }

    #[test]
    fn what_would_be_stored_as_something_else_is_a_mistake_with_its_line() {
        for (text, line, why) in [
            ("name,city\nBerlin,Mitte\nRome,\"x\nParis,y\nOslo,z\n", 3, "never closed"),
            ("name\nBerlin\nSmith, Jones & Co\n", 3, "a comma parts it"),
            ("site\nRome;Roma\n", 2, "a semicolon parts it"),
            ("site\nRome\tRoma\n", 2, "a tab parts it"),
            ("site\nRome|Roma\n", 2, "a bar parts it"),
            ("name,city\nSmith, Jones & Co,Berlin\n", 2, "it has 3 columns"),
            ("id,name\n1,Berlin\n2\n", 3, "it ends before column 2"),
            ("name,city\nThe \"Best\" Shop,x\n", 2, "within a field"),
            ("name,city\n\"The\" Shop,x\n", 2, "text follows"),
            ("a;b\n1;2\n", 1, "none of `a`, `b`"),
            ("name;location\n1;2\n", 1, "several columns may hold the names"),
            ("a,b;c\n1,2;3\n", 1, "side by side"),
            ("sep=/\nname/x\n", 1, "`sep=` must be followed"),
            ("name\nB\0e\0", 1, "no text has"),
        ] {
            let (found, said) = mistake(text);
            assert!(found == line && said.contains(why), "{text:?}: {found} {said}");
        }
        let (line, said) = mistake(b"name\nBerlin\nM\xfcnchen\n");
        assert!(line == 3 && said.contains("UTF-8"), "{line} {said}");
        assert_eq!(mistake(b"\xff\xfea\0b").1, "it ends within a character");
        assert_eq!(mistake(b"\xff\xfea\0\0\xd8a\0").1, "it is not UTF-16 text as it says");
        // In quotes each of them is a name.
        assert_eq!(names("name\n\"Smith, Jones & Co\"\n\"A;B\"\n").len(), 2);
        assert_eq!(names("name\n\"The \"\"Best\"\" Shop\"\n"), [(2, "The \"Best\" Shop".into())]);
        assert!(read(b"", Said::default()).unwrap().names.is_empty());
    }
}
