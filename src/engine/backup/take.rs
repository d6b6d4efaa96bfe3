//! Copying a store that others work on, and the file it goes into.
//!
//! The copy is whole at one moment without anybody waiting for it: pages of rows come from whatever moment each was read in,
//! and the changes since the beginning, in their order, bring all of them to the last one. That one is taken while nobody
//! writes, with the header, the seal and the file of denials that belong to it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{Advice, fadvise};

use super::container::{Outline, Writer};
use super::error::BackupError;
use super::prove::prove;
use super::under::{Under, close};
use super::{Closing, Opening, Part, Row, Want};
use crate::crypto::CryptoError;
use crate::domain::authorize::{Action, authorize};
use crate::domain::{Catalog, Command, Refusal};
use crate::engine::ledger::hex;
use crate::engine::open::Key;
use crate::engine::scribe::Refused;
use crate::engine::{Engine, EngineError, LocalEngine, Session};
use crate::files::{Beside, There};
use crate::store::{Change, CommitError, KeyRange, Rev, Update};

/// Rows in one page.
const PAGE: usize = 256;
/// Bytes of changes in one answer, about.
const CHANGES: usize = 512 * 1024;
/// How often a copy is begun anew that the store outran.
const TRIES: usize = 3;

/// A backup that lies on the disk, was read again and is what the store vouched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// What stands at its beginning.
    pub opening: Opening,
    /// What stands at its end.
    pub closing: Closing,
    /// Rows of the store.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// Why the trail does not say that it was made, where that could not be written.
    pub untold: Option<String>,
}

/// Whether it is to be broken off.
pub type Stops<'a> = &'a dyn Fn() -> bool;

/// A file that cannot be read any more once its backup is broken off.
struct Stopping<'a> {
    file: &'a File,
    stops: Stops<'a>,
}

impl Read for Stopping<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if (self.stops)() {
            return Err(std::io::Error::other("it was broken off"));
        }
        self.file.read(into)
    }
}

impl Seek for Stopping<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

/// Where a backup goes.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The file.
    pub path: &'a Path,
    /// Whether one of that name is replaced.
    pub replace: bool,
    /// A passphrase of its own, besides the secrets that open the store.
    pub under: Option<Under<'a>>,
    /// Whether whoever has it made wants it no more: asked again and again.
    pub stops: Stops<'a>,
}

/// Copies a store into a file, which appears only when it was read again and proven with `key`, a secret that
/// opens the store.
///
/// # Errors
/// When the store is not to be copied, or the file cannot be written or does not prove right. Nothing is left then.
pub fn save(
    engine: &dyn Engine,
    session: &Session,
    key: &Key<'_>,
    target: Target<'_>,
) -> Result<Saved, BackupError> {
    let Target { path, replace, under, stops } = target;
    if !replace && path.symlink_metadata().is_ok() {
        return Err(exists(path));
    }
    let fail = |error: std::io::Error| {
        let why =
            format!("The backup {} cannot be written: {error}. Nothing was kept of it.", path.display());
        BackupError::Io(std::io::Error::new(error.kind(), why))
    };
    let mut part = Beside::of(path).map_err(fail)?;
    let mut tries = 1;
    while let Err(error) = copy(engine, session, part.file(), (under, stops)) {
        match error {
            BackupError::Outrun if tries < TRIES => tries += 1,
            BackupError::Io(error) => return Err(fail(error)),
            error => return Err(error),
        }
    }
    part.file().sync_all().map_err(fail)?;
    // Read from the drive, not from memory, as far as the system follows advice.
    let _advised = fadvise(part.file(), 0, None, Advice::DontNeed);
    let (mut saved, sum) = read_again(part.file(), key, (under, stops))?;
    if stops() {
        return Err(BackupError::BrokenOff);
    }
    part.appear(if replace { There::Goes } else { There::Stays }).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(path),
        _ => fail(error),
    })?;
    let told = engine.execute(session, Command::CloseBackup { sum, seq: saved.closing.seq });
    saved.untold = told.err().map(|error| error.to_string());
    Ok(saved)
}

fn exists(path: &Path) -> BackupError {
    let why = format!(
        "{} is there already and was left as it is. Name another file, or say --force.",
        path.display()
    );
    BackupError::Io(std::io::Error::new(std::io::ErrorKind::AlreadyExists, why))
}

/// Checks what was written, as whoever puts it back would.
fn read_again(
    file: &mut File,
    key: &Key<'_>,
    (under, stops): (Option<Under<'_>>, Stops<'_>),
) -> Result<(Saved, [u8; 32]), BackupError> {
    let broken_off = |error| if stops() { BackupError::BrokenOff } else { error };
    file.rewind()?;
    let outline = Outline::of(BufReader::new(Stopping { file, stops })).map_err(broken_off)?;
    file.rewind()?;
    let proven = prove(
        &outline,
        BufReader::new(Stopping { file, stops }),
        (key, under.map(|under| under.passphrase)),
        std::iter::empty(),
    )
    .map_err(broken_off)?;
    let Outline { opening, closing, bytes, sum, .. } = outline;
    Ok((Saved { opening, closing, rows: proven.rows, bytes, sha256: hex(&sum), untold: None }, sum))
}

/// Writes one copy over whatever is in `file`.
fn copy(
    engine: &dyn Engine,
    session: &Session,
    file: &mut File,
    (under, stops): (Option<Under<'_>>, Stops<'_>),
) -> Result<(), BackupError> {
    file.rewind()?;
    file.set_len(0)?;
    let ask = |want| {
        if stops() { Err(BackupError::BrokenOff) } else { Ok(engine.copy(session, want)?) }
    };
    let Part::Begun(opening, begun) = ask(Want::Begin)? else { return Err(EngineError::unexpected().into()) };
    let mut writer = Writer::begin(BufWriter::new(&*file), &opening, under.is_some())?;
    let (mut after, mut seen) = (None, begun);
    loop {
        let Part::Rows { rows, next, rev } = ask(Want::Rows(after))? else {
            return Err(EngineError::unexpected().into());
        };
        writer.rows(rows)?;
        // As they come: what the store remembers of them is bounded.
        if rev > seen {
            seen = take_changes(&mut writer, ask(Want::Since(seen))?)?;
        }
        match next {
            Some(_) => after = next,
            None => break,
        }
    }
    loop {
        match ask(Want::Close(seen))? {
            Part::Last(rows, closing) => {
                writer.changes(rows)?;
                let closing = match under {
                    None => *closing,
                    Some(under) => close(*closing, opening.store, under).map_err(EngineError::from)?,
                };
                writer.close(&closing)?.flush()?;
                return Ok(());
            }
            more => seen = take_changes(&mut writer, more)?,
        }
    }
}

fn take_changes(writer: &mut Writer<impl Write>, part: Part) -> Result<u64, BackupError> {
    match part {
        Part::Changes { rows, upto } => writer.changes(rows).map(|()| upto),
        Part::Behind => Err(BackupError::Outrun),
        Part::Begun(..) | Part::Rows { .. } | Part::Last(..) => Err(EngineError::unexpected().into()),
    }
}

/// Who copies: the sessions of which the trail tells it, until they have the last part.
#[derive(Default)]
pub struct Copying(Mutex<BTreeSet<String>>);

impl Copying {
    fn change<T>(&self, change: impl FnOnce(&mut BTreeSet<String>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl LocalEngine {
    /// A part of a copy, for somebody who may have it and of whom the trail tells it.
    pub(in crate::engine) fn copy_part(&self, session: &Session, want: Want) -> Result<Part, EngineError> {
        if want == Want::Begin {
            return self.begin_copy(session);
        }
        authorize(&self.state(), &session.actor(), Action::BackUp)?;
        if !self.copying.change(|copying| copying.contains(session.id())) {
            return Err(Refusal::NoChange("no copy was begun").into());
        }
        match want {
            Want::Begin => self.begin_copy(session),
            Want::Rows(after) => self.copy_rows(after.as_deref()),
            Want::Since(rev) => Ok(self
                .changes_since(rev)
                .map_or(Part::Behind, |(rows, upto, _)| Part::Changes { rows, upto })),
            Want::Close(rev) => {
                let part = self.close_copy(rev)?;
                if matches!(part, Part::Last(..)) {
                    self.copying.change(|copying| copying.remove(session.id()));
                }
                Ok(part)
            }
        }
    }

    /// The entry that tells of it comes first, and so is in the copy; and what was used until now.
    fn begin_copy(&self, session: &Session) -> Result<Part, EngineError> {
        self.execute(session, Command::BackUp)?;
        self.register.write(Refused::WhenDue)?;
        self.copying.change(|copying| copying.insert(session.id().to_owned()));
        let (store, made) = (self.keyring.store().0, self.now().time);
        let opening = Opening { store, made, version: env!("CARGO_PKG_VERSION").to_owned() };
        // While nobody writes: the feed has told of all there is.
        let _ledger = self.ledger();
        Ok(Part::Begun(opening, self.store.health().rev.0))
    }

    fn copy_rows(&self, after: Option<&[u8]>) -> Result<Part, EngineError> {
        let page = self.store.range(&KeyRange::all(), after, PAGE)?;
        let row = |(key, entry): (Vec<u8>, crate::store::Entry)| Row {
            key,
            value: Some(entry.value),
            created: entry.create_rev.0,
            changed: entry.mod_rev.0,
        };
        Ok(Part::Rows { rows: page.rows.into_iter().map(row).collect(), next: page.next, rev: page.rev.0 })
    }

    /// What changed after a revision, to which one that leads, and whether that is all. None when it is not remembered.
    fn changes_since(&self, rev: u64) -> Option<(Vec<Row>, u64, bool)> {
        let mut watch = self.store.watch(b"", Rev(rev));
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while bytes < CHANGES {
            match watch.try_next() {
                None => return Some((rows, watch.seen().0, true)),
                Some(Update::Batch { rev, events }) => {
                    for event in events {
                        let (value, created, changed) = match event.change {
                            Change::Put(entry) => (Some(entry.value), entry.create_rev.0, entry.mod_rev.0),
                            Change::Deleted => (None, rev.0, rev.0),
                        };
                        bytes += event.key.len() + value.as_ref().map_or(0, Vec::len);
                        rows.push(Row { key: event.key, value, created, changed });
                    }
                }
                Some(Update::Relist { .. } | Update::Lost) => return None,
            }
        }
        Some((rows, watch.seen().0, false))
    }

    /// The last part, if what is still missing is little: while it is made, whoever changes something waits.
    fn close_copy(&self, since: u64) -> Result<Part, EngineError> {
        let mut held = self.held().ok_or(CryptoError::SlotUnknown)?;
        let mut ledger = self.ledger();
        // What took access away and waits for the disk would be missing.
        self.overdue.clear_the_way(&mut ledger)?;
        let Some((rows, rev, is_all)) = self.changes_since(since) else { return Ok(Part::Behind) };
        if !is_all {
            return Ok(Part::Changes { rows, upto: rev });
        }
        let kept = self.overdue.parts.kept.as_ref();
        let denials = kept.map(crate::engine::overdue::Kept::text).transpose();
        let denials = denials.map_err(CommitError::Unavailable)?;
        let (head, seal) = (ledger.head(), ledger.seal());
        let mac = seal.mac.try_into().map_err(|_| EngineError::unexpected())?;
        let own = self.catalog().source() != Catalog::builtin().source();
        Ok(Part::Last(
            rows,
            Box::new(Closing {
                rev,
                seq: head.seq,
                head: head.hash,
                sealed: seal.rev.0,
                mac,
                header: held.current()?.encode(),
                denials,
                catalog: own.then(|| self.catalog().source().to_owned()),
                lock: None,
                sealed_lock: None,
            }),
        ))
    }
}
