//! `keydeck location add`: one location or thousands. A list is judged whole before anything is written, and every
//! mistake in it is named with its line. One that was broken off goes on where it stopped.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::{LocationLine, Outcome};
use crate::cli::door::{Deck, Signed};
use crate::cli::fault::Fault;
use crate::cli::listed;
use crate::domain::command::MAX_LOCATIONS_AT_ONCE;
use crate::domain::name::first_few;
use crate::domain::sheet::{self, Column, First, Mistake, Said, Sheet, Ways};
use crate::domain::{Action, Command, Event, Location, Name, authorize};

/// Words of `location add`.
#[derive(Debug, Args)]
pub struct Add {
    /// Their names, unless --from brings them
    #[arg(value_name = "NAME", required_unless_present = "from", conflicts_with = "from")]
    names: Vec<String>,
    /// CSV file with a heading such as `name` or `Location`, or with one name on each line; `-` for standard input
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// The column that holds the names, by its heading or its number
    #[arg(long, value_name = "NAME|N", requires = "from", conflicts_with = "names")]
    column: Option<Column>,
    #[command(flatten)]
    first_line: FirstLine,
    /// Each line is one name, whatever is in it: there are no columns and no heading
    #[arg(long, requires = "from", conflicts_with_all = ["names", "column", "heading", "no_heading"])]
    lines: bool,
    /// Leave out the names that are there already, instead of refusing the list
    #[arg(long)]
    skip_existing: bool,
    /// Say what would be added, and add nothing
    #[arg(long)]
    dry_run: bool,
}

/// What the first line of a list is, where somebody says so.
#[derive(Debug, Args)]
struct FirstLine {
    /// The first line says what the columns are called; needed where that cannot be told
    #[arg(long, requires = "from", conflicts_with_all = ["no_heading", "names"])]
    heading: bool,
    /// The first line is the first of the names
    #[arg(long, requires = "from", conflicts_with = "names")]
    no_heading: bool,
}

impl Add {
    fn said(&self) -> Said<'_> {
        let first = match (self.first_line.heading, self.first_line.no_heading) {
            (true, _) => Some(First::Heading),
            (false, true) => Some(First::Name),
            (false, false) => None,
        };
        let ways = Ways {
            column: "say which with --column; where a name holds commas, put it in double quotes, or say with --lines \
                     that each line is one name",
            first: "say which with --heading or --no-heading",
            lines: ", or say with --lines that each line is one name",
        };
        Said { column: self.column.as_ref(), first, ways }
    }
}

/// A name with where it stands: the line of a file, or the place on the command line.
struct Written {
    place: u64,
    name: Name,
}

/// Longest file read: a hundred thousand names of the longest kind.
const MAX_BYTES: usize = 32 * 1024 * 1024;

pub(super) fn run(deck: &Deck, args: &Add) -> Outcome {
    let (what, twice, sheet) = match &args.from {
        Some(path) if args.lines => {
            ("line", "on line", sheet::lines(&listed::bytes_of(path, MAX_BYTES, None)?))
        }
        Some(path) => {
            ("line", "on line", sheet::read(&listed::bytes_of(path, MAX_BYTES, None)?, args.said()))
        }
        None => {
            let names = args.names.iter().zip(1..).map(|(n, at)| (at, Ok(n.clone()))).collect();
            ("name", "name", Ok(Sheet { names, taken: String::new() }))
        }
    };
    let sheet = sheet.or_else(|mistake| refuse(what, &mut [mistake]).map(|()| Sheet::default()))?;
    let (written, mut mistakes) = judge(twice, sheet.names);
    if !sheet.taken.is_empty() {
        deck.output.say(&sheet.taken);
    }
    // What is wrong in itself is said before a passphrase is asked for.
    refuse(what, &mut mistakes)?;
    if written.is_empty() {
        return Err(Fault::usage("There is no name in it. Write one location on each line."));
    }
    let signed = deck.sign_in()?;
    let (there, new) = apart(&signed, written);
    if !args.skip_existing {
        let clash =
            |(w, old): &(Written, Location)| (w.place, format!("{} is there already ({})", w.name, old.id));
        refuse(what, &mut there.iter().map(clash).collect::<Vec<_>>())?;
    }
    if args.dry_run {
        return foretell(deck, &signed, &new, &there);
    }
    let added = add(&signed, what, &new)?;
    tell(deck, &signed, &added, &there)
}

/// Adds them, as many at once as one commit takes; says how far it got when it does not get to the end.
fn add(signed: &Signed, what: &str, new: &[Written]) -> Result<Vec<Location>, Fault> {
    let mut added: Vec<Location> = Vec::with_capacity(new.len());
    for chunk in new.chunks(MAX_LOCATIONS_AT_ONCE) {
        let names = chunk.iter().map(|w| w.name.clone()).collect();
        let done = signed.engine.execute(&signed.session, Command::AddLocations(names)).map_err(|error| {
            let fault = Fault::from(error);
            let Some(last) = added.len().checked_sub(1).and_then(|last| new.get(last)) else { return fault };
            fault.because(&format!(
                "{} of {} locations were added, up to {what} {}; the others were not. Repeat it with \
                 --skip-existing to go on from there.",
                added.len(),
                new.len(),
                last.place
            ))
        })?;
        added.extend(done.events.iter().filter_map(Event::location).cloned());
    }
    Ok(added)
}

/// Which of them were there already, if any were.
fn left(there: &[(Written, Location)]) -> Option<String> {
    let are = if there.len() == 1 { "1 is".to_owned() } else { format!("{} are", there.len()) };
    let names = first_few(there.iter().map(|(written, _)| written.name.as_str()));
    (!there.is_empty()).then(|| format!("{are} there already: {names}."))
}

/// A location for scripts, and whether it was added just now or left as it was.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    location: LocationLine<'a>,
    added: bool,
}

fn tell(deck: &Deck, signed: &Signed, added: &[Location], there: &[(Written, Location)]) -> Outcome {
    if deck.output.is_json() {
        let now = signed.now();
        let new = added.iter().map(|l| Told { location: LocationLine::of(l, 0), added: true });
        let lines: Vec<_> = signed.see(|view| {
            let keys = |l: &Location| view.keys_at(l.id).filter(|key| key.state(now).is_live()).count();
            let left =
                there.iter().map(|(_, l)| Told { location: LocationLine::of(l, keys(l)), added: false });
            new.chain(left).collect()
        });
        deck.output.value(&lines)?;
        return Ok(ExitCode::SUCCESS);
    }
    let left = left(there).map_or_else(String::new, |left| format!(" {left}"));
    match added {
        [] => deck.output.say(&format!("Nothing is added.{left}")),
        [one] => {
            deck.output.text(&format!("{}\n", one.id))?;
            deck.output.say(&format!("{} is added.{left}", one.name));
        }
        many => deck.output.say(&format!("{} locations are added.{left}", many.len())),
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Foretold<'a> {
    add: Vec<&'a str>,
    existing: Vec<&'a str>,
}

/// What would be added and what is there already.
fn foretell(deck: &Deck, signed: &Signed, new: &[Written], there: &[(Written, Location)]) -> Outcome {
    authorize(&signed.engine.state(), &signed.session.actor(), Action::ManageLocations)
        .map_err(|refusal| Fault::from(crate::engine::EngineError::from(refusal)))?;
    let add: Vec<&str> = new.iter().map(|w| w.name.as_str()).collect();
    if deck.output.is_json() {
        deck.output
            .value(&Foretold { add, existing: there.iter().map(|(w, _)| w.name.as_str()).collect() })?;
    } else {
        let lines = add.iter().flat_map(|name| [*name, "\n"]).collect::<String>();
        deck.output.text(&lines)?;
        let left = left(there).map_or_else(String::new, |left| format!("{left} "));
        deck.output.say(&format!("{} would be added. {left}Nothing was changed.", add.len()));
    }
    Ok(ExitCode::SUCCESS)
}

/// What is wrong with the names themselves: no name, or the same twice, which is where `what` says.
fn judge(what: &str, lines: Vec<(u64, Result<String, String>)>) -> (Vec<Written>, Vec<Mistake>) {
    let (mut names, mut mistakes) = (Vec::new(), Vec::new());
    let mut seen: HashMap<String, u64> = HashMap::new();
    for (place, text) in lines {
        match text.and_then(|text| Name::new(&text).map_err(|why| why.to_string())) {
            Err(why) => mistakes.push((place, why)),
            Ok(name) => match seen.insert(name.folded(), place) {
                Some(first) => mistakes.push((place, format!("{name} is the same name as {what} {first}"))),
                None => names.push(Written { place, name }),
            },
        }
    }
    (names, mistakes)
}

/// Those that are there already, and those that are not.
fn apart(signed: &Signed, written: Vec<Written>) -> (Vec<(Written, Location)>, Vec<Written>) {
    let state = signed.engine.state();
    let (mut there, mut new) = (Vec::new(), Vec::new());
    for name in written {
        match state.location_named(&name.name) {
            Some(old) => there.push((name, old.clone())),
            None => new.push(name),
        }
    }
    (there, new)
}

fn refuse(what: &str, mistakes: &mut [Mistake]) -> Result<(), Fault> {
    listed::refuse("bad_locations", (what, "added"), mistakes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_line_is_named() {
        let sheet =
            sheet::read("name,x\nBerlin,1\n,2\nBERLIN,3\nA\u{202e}B,4\nOslo,5\n".as_bytes(), Said::default())
                .unwrap();
        let (names, mistakes) = judge("on line", sheet.names);
        assert_eq!(names.len(), 2);
        let lines: Vec<u64> = mistakes.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 4, 5]);
    }
}
