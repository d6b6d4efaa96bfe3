//! `keydeck location`: branches of the agency, one or thousands. A list is judged whole before anything is
//! written, and every mistake in it is named with its line.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Outcome;
use super::base::Base;
use super::consent::Consent;
use super::door::{Deck, Signed};
use super::fault::Fault;
use super::key::find_location;
use super::table::Table;
use super::times;
use crate::domain::basis::Basis;
use crate::domain::command::MAX_LOCATIONS_AT_ONCE;
use crate::domain::{Command, Event, Key, Location, LocationId, Name, Timestamp};

/// What can be done with locations.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Add locations by name, or many from a CSV file
    Add(Add),
    /// The locations, with the number of your live keys in each
    List(List),
    /// Rename a location; its keys go on working
    Rename(Rename),
    /// Remove a location; all its keys are refused from then on
    Remove(Remove),
}

/// Words of `location add`.
#[derive(Debug, Args)]
pub struct Add {
    /// Their names
    #[arg(value_name = "NAME", required_unless_present = "from", conflicts_with = "from")]
    names: Vec<String>,
    /// CSV file with a column `name`, or with one column and no heading; `-` for standard input
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

/// Words of `location list`.
#[derive(Debug, Args)]
pub struct List {
    /// Count everybody's keys (admins; noted in the audit trail)
    #[arg(long)]
    all: bool,
}

/// Words of `location rename`.
#[derive(Debug, Args)]
pub struct Rename {
    /// Its id or name
    location: String,
    /// Its new name
    name: String,
    #[command(flatten)]
    base: Base,
}

/// Words of `location remove`.
#[derive(Debug, Args)]
pub struct Remove {
    /// Its id or name
    location: String,
    #[command(flatten)]
    consent: Consent,
}

/// Runs one of them.
pub fn run(deck: &Deck, verb: &Verb) -> Outcome {
    match verb {
        Verb::Add(args) => add(deck, args),
        Verb::List(args) => list(deck, args),
        Verb::Rename(args) => rename(deck, args),
        Verb::Remove(args) => remove(deck, args),
    }
}

/// A name with where it stands: the line of a file, or the place on the command line.
struct Written {
    place: u64,
    name: Name,
}

/// Mistakes shown at once; a file in another encoding has one on every line.
const SHOWN: usize = 20;
/// Longest file read: a hundred thousand names of the longest kind.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

fn add(deck: &Deck, args: &Add) -> Outcome {
    let (what, names) = match &args.from {
        Some(path) => ("line", from_file(path)?),
        None => ("name", args.names.iter().zip(1..).map(|(n, at)| (at, Ok(n.clone()))).collect()),
    };
    let (written, mut problems) = judge(names);
    // What is wrong in itself is said before a passphrase is asked for.
    refuse(what, &mut problems)?;
    if written.is_empty() {
        return Err(Fault::usage("There is no name in it. Write one location on each line."));
    }
    let signed = deck.sign_in()?;
    problems.extend(taken(&signed, &written));
    refuse(what, &mut problems)?;

    let mut added: Vec<Location> = Vec::with_capacity(written.len());
    for chunk in written.chunks(MAX_LOCATIONS_AT_ONCE) {
        let names = chunk.iter().map(|w| w.name.clone()).collect();
        let done = signed.engine.execute(&signed.session, Command::AddLocations(names)).map_err(|error| {
            let fault = Fault::from(error);
            if added.is_empty() {
                return fault;
            }
            fault.because(&format!(
                "{} of {} locations were added, up to {what} {}; the others were not.",
                added.len(),
                written.len(),
                written.get(added.len() - 1).map_or(0, |w| w.place)
            ))
        })?;
        added.extend(done.events.into_iter().filter_map(|event| match event {
            Event::LocationAdded(location) => Some(location),
            _ => None,
        }));
    }
    if deck.output.is_json() {
        let lines: Vec<_> = added.iter().map(|l| LocationLine::of(l, 0)).collect();
        deck.output.value(&lines)?;
    } else if let [one] = added.as_slice() {
        deck.output.text(&format!("{}\n", one.id))?;
        deck.output.say(&format!("{} is added.", one.name));
    } else {
        deck.output.say(&format!("{} locations are added.", added.len()));
    }
    Ok(ExitCode::SUCCESS)
}

type Line = (u64, Result<String, String>);

/// The names in a CSV file with their lines.
fn from_file(path: &Path) -> Result<Vec<Line>, Fault> {
    let fail = |why: String| {
        Fault::usage(format!("The file {} cannot be read: {why}. Nothing was added.", path.display()))
    };
    let mut bytes = Vec::new();
    let read = |source: &mut dyn std::io::Read, bytes: &mut Vec<u8>| {
        std::io::Read::read_to_end(&mut std::io::Read::take(source, MAX_BYTES + 1), bytes)
    };
    if path.as_os_str() == "-" {
        read(&mut std::io::stdin().lock(), &mut bytes).map_err(|e| fail(e.to_string()))?;
    } else {
        let mut file = std::fs::File::open(path).map_err(|e| fail(e.to_string()))?;
        read(&mut file, &mut bytes).map_err(|e| fail(e.to_string()))?;
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(fail(format!("it is larger than {} MiB; split it", MAX_BYTES / 1024 / 1024)));
    }
    Ok(read_csv(&bytes))
}

/// Lines of the column `name` when the first line has one, else of the only column.
fn read_csv(bytes: &[u8]) -> Vec<Line> {
    // Spreadsheets put a byte order mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut lines = Vec::new();
    let mut column = None;
    let mut counter = LineCounter { bytes, at: 0, line: 1 };
    for (at, record) in reader.byte_records().enumerate() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                lines.push((counter.line, Err(error.to_string())));
                break;
            }
        };
        let line = counter.line_of(record.position().map_or(0, csv::Position::byte));
        if at == 0 {
            column = record.iter().position(|field| field.trim_ascii().eq_ignore_ascii_case(b"name"));
            if column.is_some() {
                continue;
            }
        }
        let field = match column {
            Some(column) => record.get(column).ok_or("it has no column `name`"),
            None if record.len() == 1 => record.get(0).ok_or("it is empty"),
            None => Err("it has several columns, and the first line has no heading `name`"),
        };
        let text = field.map_err(str::to_owned).and_then(|field| {
            std::str::from_utf8(field).map(str::to_owned).map_err(|_| "it is not UTF-8 text".to_owned())
        });
        lines.push((line, text));
    }
    lines
}

/// Counts lines as an editor does. The reader's own count stands still between `\r` and `\n` and on empty lines.
struct LineCounter<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl LineCounter<'_> {
    /// The line of the record found from this offset on; offsets only grow.
    fn line_of(&mut self, offset: u64) -> u64 {
        let mut start = usize::try_from(offset).unwrap_or(usize::MAX).clamp(self.at, self.bytes.len());
        while matches!(self.bytes.get(start), Some(b'\r' | b'\n')) {
            start += 1;
        }
        let passed = self.bytes.get(self.at..start).unwrap_or_default();
        self.line += passed.split(|b| *b == b'\n').skip(1).count() as u64;
        self.at = start;
        self.line
    }
}

/// What is wrong with the names themselves: no name, or the same twice.
fn judge(lines: Vec<Line>) -> (Vec<Written>, Vec<(u64, String)>) {
    let (mut names, mut problems) = (Vec::new(), Vec::new());
    let mut seen: HashMap<String, u64> = HashMap::new();
    for (place, text) in lines {
        match text.and_then(|text| Name::new(&text).map_err(|why| why.to_string())) {
            Err(why) => problems.push((place, why)),
            Ok(name) => match seen.insert(name.folded(), place) {
                Some(first) => problems.push((place, format!("{name} is the same name as on {first}"))),
                None => names.push(Written { place, name }),
            },
        }
    }
    (names, problems)
}

/// Names that other locations have.
fn taken(signed: &Signed, names: &[Written]) -> Vec<(u64, String)> {
    signed.see(|view| {
        let open: HashMap<String, LocationId> =
            view.locations().into_iter().map(|l| (l.name.folded(), l.id)).collect();
        let clash = |w: &Written| {
            open.get(&w.name.folded()).map(|id| (w.place, format!("{} is there already ({id})", w.name)))
        };
        names.iter().filter_map(clash).collect()
    })
}

fn refuse(what: &str, problems: &mut [(u64, String)]) -> Result<(), Fault> {
    if problems.is_empty() {
        return Ok(());
    }
    problems.sort();
    let mut text = String::from("Nothing was added, because not all of it can be:");
    for (place, why) in problems.iter().take(SHOWN) {
        let _ = write!(text, "\n{what} {place}: {why}");
    }
    if problems.len() > SHOWN {
        let _ = write!(text, "\n… and {} more. Mend these first.", problems.len() - SHOWN);
    }
    Err(Fault::refused("bad_locations", text))
}

#[derive(Serialize)]
struct LocationLine<'a> {
    id: String,
    name: &'a str,
    created_at: String,
    keys: usize,
    rev: String,
}

impl<'a> LocationLine<'a> {
    fn of(location: &'a Location, keys: usize) -> Self {
        Self {
            id: location.id.to_string(),
            name: location.name.as_str(),
            created_at: location.created_at.rfc3339(),
            keys,
            rev: Basis::of_location(location).to_string(),
        }
    }
}

fn list(deck: &Deck, args: &List) -> Outcome {
    let signed = deck.sign_in()?.widened(args.all)?;
    let now = signed.now();
    let live = |key: &&Key| key.state(now).is_live();
    let locations: Vec<(Location, usize)> = signed.see(|view| {
        let counted = |l: &Location| (l.clone(), view.keys_at(l.id).filter(live).count());
        view.locations().into_iter().map(counted).collect()
    });
    if deck.output.is_json() {
        let lines: Vec<_> = locations.iter().map(|(l, keys)| LocationLine::of(l, *keys)).collect();
        deck.output.value(&lines)?;
        return Ok(ExitCode::SUCCESS);
    }
    if locations.is_empty() {
        deck.output.say("There are no locations yet. `keydeck location add NAME` adds one.");
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&["Name", "Live keys", "Added", "Id"]);
    for (location, keys) in &locations {
        table.row([
            location.name.as_str().into(),
            keys.to_string().into(),
            times::local(location.created_at).into(),
            location.id.to_string().into(),
        ]);
    }
    deck.output.text(&table.render(deck.output))?;
    Ok(ExitCode::SUCCESS)
}

fn rename(deck: &Deck, args: &Rename) -> Outcome {
    let name = Name::new(&args.name).map_err(|why| Fault::bad_text("name", why))?;
    let signed = deck.sign_in()?;
    let location = signed.see(|view| find_location(view, &args.location))?;
    let command = Command::RenameLocation { location, name: name.clone(), basis: args.base.if_rev };
    signed.engine.execute(&signed.session, command)?;
    deck.output.say(&format!("It is called {name} from now on."));
    print(deck, &signed, location, signed.now())
}

fn remove(deck: &Deck, args: &Remove) -> Outcome {
    let signed = deck.sign_in()?;
    let location = signed.see(|view| find_location(view, &args.location))?;
    args.consent.ask(|| {
        format!(
            "Remove the location {}? All its keys, whoever owns them, are refused from then on.",
            args.location
        )
    })?;
    signed.engine.execute(&signed.session, Command::RemoveLocation { location })?;
    deck.output.say("The location is removed; its keys are refused from now on.");
    print(deck, &signed, location, signed.now())
}

fn print(deck: &Deck, signed: &Signed, id: LocationId, now: Timestamp) -> Outcome {
    if deck.output.is_json() {
        let found = signed.see(|view| {
            let live = view.keys_at(id).filter(|key| key.state(now).is_live()).count();
            view.location(id).cloned().map(|location| (location, live))
        });
        if let Some((location, keys)) = found {
            deck.output.value(&LocationLine::of(&location, keys))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<(u64, Result<String, String>)> {
        read_csv(text)
    }

    #[test]
    fn the_column_is_found_by_its_heading_and_lines_are_counted_as_an_editor_does() {
        let lines = read(b"\xef\xbb\xbfid,Name\r\n7,Berlin\r\n8,\"Paris,\r\nNord\"\r\n9,Rome\r\n");
        let got: Vec<_> = lines.into_iter().map(|(line, text)| (line, text.unwrap())).collect();
        assert_eq!(got, [(2, "Berlin".into()), (3, "Paris,\r\nNord".into()), (5, "Rome".into())]);
        let plain = read(b"Berlin\n\n\nParis\n");
        assert_eq!(plain, [(1, Ok("Berlin".into())), (4, Ok("Paris".into()))]);
    }

    #[test]
    fn every_bad_line_is_named() {
        let (names, problems) =
            judge(read("name,x\nBerlin,1\n,2\nBERLIN,3\nA\u{202e}B,4\nOslo,5\n".as_bytes()));
        assert_eq!(names.len(), 2);
        let lines: Vec<u64> = problems.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 4, 5]);
        assert!(read(b"a,b\n")[0].1.as_ref().is_err_and(|why| why.contains("several columns")));
        assert!(read(b"M\xfcnchen\n")[0].1.as_ref().is_err_and(|why| why.contains("UTF-8")));
    }
}
