//! Many keys of another system, from a table. It is judged whole before the first is imported: what is wrong in itself before a
//! passphrase is asked for, the rest as if each line came after those above it. Then each is a commit of its own, and where
//! they end early it is said how far they came.

use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use zeroize::Zeroizing;

use super::super::issue::{expiry, scopes};
use super::super::lines::KeyLine;
use super::{FAIR_BITS, Import, must_be_carried, only_one_on_stdin, too_weak};
use crate::cli::Outcome;
use crate::cli::door::{Deck, Signed};
use crate::cli::fault::Fault;
use crate::cli::find;
use crate::cli::interrupt::Interrupt;
use crate::cli::listed;
use crate::cli::table::{Cell, Table};
use crate::crypto::foreign;
use crate::crypto::strength::most_bits;
use crate::crypto::sum::Sum;
use crate::domain::name::first_few;
use crate::domain::sheet::{self, Headings, Mistake};
use crate::domain::view::Sought;
use crate::domain::{Command, Event, Expiry, Key, Name, NewKey, Note, OperatorId, Place, Timestamp};
use crate::engine::{Brought, Unwritten, foretell_imports};

/// The columns, in the order in which [`Line::read`] takes them.
const COLUMNS: [Headings; 8] = [
    &["name", "keyname"],
    &["place", "location"],
    &["scopes", "scope", "permissions"],
    &["expires", "expiry", "expiresat"],
    &["note", "description"],
    &["owner"],
    &["secret"],
    &["sha256", "digest"],
];
/// Longest file read: as many of the longest lines as are taken.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Keys at once: each costs a slow hash and a commit.
const MAX_LINES: usize = 10_000;

/// What a line brings to know the key by.
enum Known {
    Secret(Zeroizing<String>),
    Sha256([u8; 32]),
}

impl Known {
    fn read(secret: String, digest: &str) -> Result<Self, String> {
        let secret = Zeroizing::new(secret);
        match (secret.is_empty(), digest.is_empty()) {
            (false, true) => {
                must_be_carried(secret.as_bytes()).map_err(|why| why.to_string())?;
                Ok(Self::Secret(secret))
            }
            (true, false) => foreign::sha256(digest).map(Self::Sha256).map_err(|why| why.to_string()),
            (true, true) => Err("it has neither a secret nor a sha256".into()),
            (false, false) => Err("it has both a secret and a sha256; leave one of them out".into()),
        }
    }

    /// What tells two of the same secret.
    fn sha256(&self) -> [u8; 32] {
        match self {
            Self::Secret(secret) => {
                let mut sum = Sum::default();
                sum.add(secret.as_bytes());
                sum.so_far()
            }
            Self::Sha256(digest) => *digest,
        }
    }

    fn brought(&self) -> Brought<'_> {
        match self {
            Self::Secret(secret) => Brought::Imported(secret.as_bytes()),
            Self::Sha256(digest) => Brought::ImportedSha256(digest),
        }
    }

    fn bits(&self) -> Option<u32> {
        match self {
            Self::Secret(secret) => Some(most_bits(secret.as_bytes())),
            Self::Sha256(_) => None,
        }
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::Secret(_) => "secret",
            Self::Sha256(_) => "sha256",
        }
    }
}

/// A key as a line has it.
struct Line {
    at: u64,
    name: Name,
    place: String,
    scopes: Vec<String>,
    expiry: Option<Expiry>,
    note: Note,
    owner: String,
    known: Known,
}

impl Line {
    fn read(at: u64, cells: Vec<String>, args: &Import, now: Timestamp) -> Result<Self, String> {
        let [name, place, scopes, expires, note, owner, secret, digest] =
            <[String; 8]>::try_from(cells).map_err(|_| "it has no columns".to_owned())?;
        let name = Name::new(&name).map_err(|why| format!("name: {why}"))?;
        let note = if note.is_empty() { args.new.note.as_deref().unwrap_or_default() } else { &note };
        let note = Note::new(note).map_err(|why| format!("note: {why}"))?;
        let expires = Some(expires).filter(|text| !text.is_empty());
        let expiry = expiry(expires.as_deref().or(args.new.expires.as_deref()), now);
        let expiry = expiry.map_err(|why| why.to_string())?;
        let known = Known::read(secret, &digest)?;
        let parts = |c: char| c.is_whitespace() || c == ',' || c == ';';
        let scopes = scopes.split(parts).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        Ok(Self { at, name, place, scopes, expiry, note, owner, known })
    }
}

/// A line as a command.
struct Asked {
    at: u64,
    new: NewKey,
    owner: Option<OperatorId>,
    known: Known,
}

impl Asked {
    fn command(&self) -> Command {
        Command::ImportKey(self.new.clone(), self.owner)
    }
}

pub(super) fn run(deck: &Deck, args: &Import, from: &Path) -> Outcome {
    only_one_on_stdin(deck, from)?;
    let bytes = Zeroizing::new(listed::bytes_of(from, MAX_BYTES, Some(deck.output))?);
    let (lines, weak) = read(&bytes, args)?;
    drop(bytes);
    let usual = scopes(&args.new.scope, args.new.preset.as_deref(), &*deck.catalog()?)?;
    warn(deck, &lines);
    let signed = deck.sign_in()?;
    let strangers = lines.iter().any(|line| !line.owner.is_empty());
    // Whether a name of theirs is free is seen only where their keys are.
    let signed = signed.widened(strangers)?;
    let (there, asked) = judge(&signed, args, &usual, lines, weak)?;
    if args.dry_run {
        return foretell(deck, &signed, &asked, &there);
    }
    import(deck, &signed, &asked, &there)
}

fn refuse(mistakes: &mut [Mistake]) -> Result<(), Fault> {
    listed::refuse("bad_keys", ("line", "imported"), mistakes)
}

/// The lines of the table, where each is right in itself, and those whose secret is too weak: these are named with what is wrong
/// of the others.
fn read(bytes: &[u8], args: &Import) -> Result<(Vec<Line>, Vec<Mistake>), Fault> {
    let rows =
        sheet::table(bytes, &COLUMNS).or_else(|mistake| refuse(&mut [mistake]).map(|()| Vec::new()))?;
    if rows.len() > MAX_LINES {
        return Err(Fault::usage(format!(
            "It has {} lines, and {MAX_LINES} keys are imported at once at most. Nothing was imported; part the file.",
            rows.len()
        )));
    }
    let now = Deck::wall();
    let (mut lines, mut mistakes) = (Vec::with_capacity(rows.len()), Vec::new());
    let mut seen: HashMap<[u8; 32], u64> = HashMap::new();
    for (at, cells) in rows {
        match cells.and_then(|cells| Line::read(at, cells, args, now)) {
            Err(why) => mistakes.push((at, why)),
            Ok(line) => match seen.insert(line.known.sha256(), at) {
                Some(first) => mistakes.push((
                    at,
                    format!(
                        "it is the secret of line {first} again: who ends one of the two keys leaves it alive"
                    ),
                )),
                None => lines.push(line),
            },
        }
    }
    let weak = lines.iter().filter_map(|line| Some((line.at, too_weak(line.known.bits()?, args.weak)?)));
    let weak: Vec<Mistake> = weak.collect();
    if !mistakes.is_empty() {
        mistakes.extend(weak);
        return refuse(&mut mistakes).map(|()| Default::default());
    }
    if lines.is_empty() {
        return Err(Fault::usage("There is no key in it. Write one on each line, below a line of headings."));
    }
    Ok((lines, weak))
}

fn warn(deck: &Deck, lines: &[Line]) {
    let weak = lines.iter().filter(|line| line.known.bits().is_some_and(|bits| bits < FAIR_BITS)).count();
    if weak > 0 {
        deck.output.warn(&format!(
            "on {weak} of the lines the secret has less than {FAIR_BITS} bits, where a generated one has 187. Replace those keys as soon \
             as their callers can be changed."
        ));
    }
    let blind = lines.iter().filter(|line| line.known.bits().is_none()).count();
    if blind > 0 {
        deck.output.warn(&format!(
            "only a digest of the secret is known on {blind} of the lines, so nobody can say whether it can be guessed. Rotate those \
             keys as soon as their callers can be changed."
        ));
    }
}

/// A line, and the key that is there already.
type There = (u64, Key);

/// What is asked for, where all of it may be done; and the lines that are left out, with the keys that are there already.
fn judge(
    signed: &Signed,
    args: &Import,
    usual: &[String],
    lines: Vec<Line>,
    mut mistakes: Vec<Mistake>,
) -> Result<(Vec<There>, Vec<Asked>), Fault> {
    let mut known =
        Places { signed, usual: usual_place(signed, args)?, named: HashMap::new(), owners: HashMap::new() };
    let (now, me) = (signed.now(), signed.session.actor().operator);
    let (mut there, mut asked) = (Vec::new(), Vec::new());
    for line in lines {
        let (place, owner) = match (known.place(&line.place), known.owner(&line.owner)) {
            (Ok(place), Ok(owner)) => (place, owner),
            (Err(why), _) | (_, Err(why)) => {
                mistakes.push((line.at, why));
                continue;
            }
        };
        let theirs = signed.engine.state().live_key_named(owner.unwrap_or(me), &line.name, now).cloned();
        if let Some(old) = theirs.filter(|_| args.skip_existing) {
            there.push((line.at, old));
            continue;
        }
        let Line { at, name, scopes, expiry, note, known, .. } = line;
        let scopes = if scopes.is_empty() { usual.to_vec() } else { scopes };
        asked.push(Asked {
            at,
            new: NewKey { name, place, scopes, expiry, note, decoy: false },
            owner,
            known,
        });
    }
    let commands: Vec<Command> = asked.iter().map(Asked::command).collect();
    let refusals = foretell_imports(&*signed.engine, &signed.session, &commands)?;
    let refused = asked.iter().zip(refusals);
    mistakes.extend(refused.filter_map(|(asked, refusal)| Some((asked.at, refusal?.to_string()))));
    refuse(&mut mistakes)?;
    Ok((there, asked))
}

/// Where keys are whose lines do not say it.
fn usual_place(signed: &Signed, args: &Import) -> Result<Option<Place>, Fault> {
    Ok(match (&args.new.location, &args.new.app) {
        (Some(reference), _) => Some(Place::Location(find::location(signed, reference)?)),
        (None, Some(reference)) => Some(Place::App(find::app(signed, reference)?.id)),
        (None, None) => args.new.agency.then_some(Place::Agency),
    })
}

/// What places and owners are meant, each looked for once.
struct Places<'s> {
    signed: &'s Signed,
    usual: Option<Place>,
    named: HashMap<String, Result<Place, String>>,
    owners: HashMap<String, Result<OperatorId, String>>,
}

impl Places<'_> {
    fn place(&mut self, text: &str) -> Result<Place, String> {
        if text.is_empty() {
            return self.usual.ok_or_else(|| "it names no place: agency, or a location".into());
        }
        let find = || {
            let found = find::location(self.signed, text);
            match (found, text.eq_ignore_ascii_case("agency")) {
                (Ok(_), true) => {
                    Err(format!("a location is called {text} as well; write its id, or say --agency"))
                }
                (Ok(location), false) => Ok(Place::Location(location)),
                (Err(_), true) => Ok(Place::Agency),
                (Err(why), false) => Err(format!("place {text}: {why}")),
            }
        };
        self.named.entry(text.to_owned()).or_insert_with(find).clone()
    }

    /// Nobody where whoever imports owns it.
    fn owner(&mut self, text: &str) -> Result<Option<OperatorId>, String> {
        if text.is_empty() {
            return Ok(None);
        }
        let find = || {
            find::operator(self.signed, text, Sought::Living).map_err(|why| format!("owner {text}: {why}"))
        };
        self.owners.entry(text.to_owned()).or_insert_with(find).clone().map(Some)
    }
}

/// Imports them one after another, and tells which were.
fn import(deck: &Deck, signed: &Signed, asked: &[Asked], there: &[(u64, Key)]) -> Outcome {
    let interrupt = Interrupt::listen();
    let others = signed.waiting();
    let mut done: Vec<(u64, Key)> = Vec::with_capacity(asked.len());
    let mut ended = None;
    for one in asked {
        if interrupt.has_come() {
            ended = Some(Fault::refused("interrupted", "It was interrupted."));
            break;
        }
        match signed.engine.act(&signed.session, one.command(), one.known.brought()) {
            Ok(came) => done.extend(came.events.iter().find_map(Event::key).map(|key| (one.at, key.clone()))),
            Err(error) => {
                ended = Some(Fault::from(error));
                break;
            }
        }
        deck.output.progress(done.len(), asked.len(), "imported");
    }
    drop(others);
    tell(deck, signed, &done, there)?;
    match ended {
        None => Ok(deck.done(signed.engine.settle())),
        Some(fault) => {
            let far = done.last().map_or_else(
                || "None of the keys was imported.".to_owned(),
                |(at, _)| {
                    format!(
                        "{} of {} keys were imported, up to line {at}; the others were not. Repeat it with --skip-existing to go on \
                         from there.",
                        done.len(),
                        asked.len()
                    )
                },
            );
            Err(fault.because(&far))
        }
    }
}

/// A key for scripts, and whether it was imported just now or left as it was.
#[derive(Serialize)]
struct Told<'a> {
    line: u64,
    #[serde(flatten)]
    key: KeyLine<'a>,
    imported: bool,
}

fn tell(deck: &Deck, signed: &Signed, done: &[(u64, Key)], there: &[(u64, Key)]) -> Result<(), Fault> {
    if deck.output.is_json() {
        let (grounds, left) = (signed.grounds(), Unwritten::default());
        return signed.see(|view| {
            let all = [(done, true), (there, false)]
                .into_iter()
                .flat_map(|(keys, imported)| keys.iter().map(move |(line, key)| (*line, key, imported)));
            let told =
                |(line, key, imported)| Told { line, key: KeyLine::of(key, view, &left, grounds), imported };
            deck.output.value(&all.map(told).collect::<Vec<_>>())
        });
    }
    let mut table = Table::new(&["Id", "Key", "Name"]);
    for (_, key) in done {
        table.row([key.id.to_string(), key.hint(), key.name.to_string()].map(Cell::from));
    }
    if !done.is_empty() {
        deck.output.text(&table.render(deck.output))?;
    }
    deck.output.say(&format!(
        "{} imported. Callers present kdim_, the id, _ and the secret they have.{}",
        keys(done.len()),
        left_out(there)
    ));
    Ok(())
}

fn keys(count: usize) -> String {
    if count == 1 { "1 key is".to_owned() } else { format!("{count} keys are") }
}

fn left_out(there: &[(u64, Key)]) -> String {
    if there.is_empty() {
        return String::new();
    }
    let names = first_few(there.iter().map(|(_, key)| key.name.as_str()));
    format!(" {} there already: {names}.", keys(there.len()))
}

#[derive(Serialize)]
struct Foretold<'a> {
    line: u64,
    name: &'a str,
    kind: &'static str,
    location: Option<&'a str>,
    owner: &'a str,
    scopes: &'a [String],
    expires_at: Option<String>,
    by: &'static str,
}

/// What would be imported. The policy's default end is reckoned when it is.
fn foretell(deck: &Deck, signed: &Signed, asked: &[Asked], there: &[(u64, Key)]) -> Outcome {
    let me = signed.session.actor().operator;
    signed.see(|view| {
        let rows = asked.iter().map(|one| Foretold {
            line: one.at,
            name: one.new.name.as_str(),
            kind: one.new.place.kind(),
            location: one.new.place.location().and_then(|_| view.place_name(one.new.place)),
            owner: view.name_of(one.owner.unwrap_or(me)),
            scopes: &one.new.scopes,
            expires_at: one.new.expiry.and_then(Expiry::instant).map(Timestamp::rfc3339),
            by: one.known.word(),
        });
        if deck.output.is_json() {
            return deck.output.value(&rows.collect::<Vec<_>>());
        }
        let mut table = Table::new(&["Line", "Name", "Place", "Owner", "Scopes", "Known by"]);
        for row in rows {
            let place = row.location.unwrap_or(row.kind);
            let scopes = row.scopes.join(" ");
            table.row([&row.line.to_string(), row.name, place, row.owner, &scopes, row.by].map(Cell::from));
        }
        deck.output.text(&table.render(deck.output))
    })?;
    deck.output.say(&format!("{} would be imported.{} Nothing was changed.", asked.len(), left_out(there)));
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_brings_a_secret_or_its_digest_and_not_both_or_neither() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let of = |secret: &str, digest: &str| Known::read(secret.to_owned(), digest);
        let (plain, digested) = (of("abc", "").unwrap(), of("", digest).unwrap());
        assert_eq!((plain.word(), digested.word()), ("secret", "sha256"));
        assert_eq!(plain.sha256(), digested.sha256(), "one secret is the same however it is known");
        for (secret, digest) in [("", ""), ("abc", digest), ("two words", ""), ("", "$2b$12$abc")] {
            assert!(of(secret, digest).is_err(), "{secret} {digest}");
        }
    }
}
