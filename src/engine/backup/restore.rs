//! A store put back from a backup, into a directory in which nothing is.
//!
//! The file is read whole and proven before the first byte is written. The new store is made in a directory of its own within
//! the one it is for, opened there as it will be, and told what it is: deletions wait for a word, and days without use count
//! anew. Only then its files move up, the header last: without that nobody takes what is there for a store.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::container::Outline;
use super::error::BackupError;
use super::prove::{Proven, prove};
use super::{Closing, Opening, Row};
use crate::crypto::chain;
use crate::crypto::header_file::{HEADER, HEADER_COPY, HeaderFile};
use crate::crypto::passphrase::Passphrase;
use crate::domain::audit::{Entry, Outcome};
use crate::domain::event::BACKUP_SUM;
use crate::domain::{Command, CommandKind};
use crate::engine::audit_log::in_one_line;
use crate::engine::ledger::{Head, hex};
use crate::engine::open::{CATALOG_FILE, Key, Open, Options, open};
use crate::engine::overdue::Kept;
use crate::engine::rows::{UNBROKEN_KEY, audit_key, open_row};
use crate::engine::{Anchor, Engine as _, EngineError};
use crate::files;
use crate::store::{Filling, Journal, Rev, RowView, Seal, SledOptions, SledStore, Store as _, StoreError};

/// Where the new store is made, within the directory it is for.
const WORK: &str = "restoring";
/// What an anchor that was a seal says of itself.
const OF_SEAL: &str = "the seal of the old directory";

/// What knows how far a store had come: lines of `keydeck audit anchor` that were kept elsewhere, the seal of the old directory;
/// and what it means that one names more than the backup has.
#[derive(Clone, Debug, Default)]
pub struct Anchors {
    /// The lines.
    pub lines: Vec<Anchor>,
    /// The seal of the old directory, which names the newest entry there was.
    pub seal: Option<Seal>,
    /// The old directory itself: it tells whether the one entry that is missing says no more than that the backup was made.
    pub old: Option<PathBuf>,
    /// Whoever puts the backup back knows that something is missing.
    pub accept_loss: bool,
}

/// A backup to put back.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// Its file.
    pub file: &'a Path,
    /// Its own passphrase, where it is under one.
    pub under: Option<&'a Passphrase>,
}

impl<'a> Source<'a> {
    /// One without a passphrase of its own.
    pub const fn of(file: &'a Path) -> Self {
        Self { file, under: None }
    }
}

/// A store that was put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What stood at the beginning of the backup.
    pub opening: Opening,
    /// What stood at its end.
    pub closing: Closing,
    /// Rows of the store.
    pub rows: u64,
    /// Audit entries that an anchor knows of and the store does not have.
    pub missing: u64,
    /// Anchors of entries that had been taken out of the trail: they say nothing here without the file that has those.
    pub unchecked: usize,
}

/// Puts the store of a backup into `options.dir`, which must be empty or not there, with a secret of an admin that opened it
/// when the backup was made.
///
/// # Errors
/// When the file is not whole, not proven, or older than an anchor; when there is something in the directory; when the disk
/// fails. Nothing is left in the directory then.
pub fn restore(
    options: &Options,
    key: &Key<'_>,
    source: Source<'_>,
    anchors: &Anchors,
) -> Result<Restored, BackupError> {
    let (dir, file) = (&options.dir, source.file);
    must_be_empty(dir)?;
    let read = || reader(file);
    let outline = Outline::of(read()?)?;
    let known = anchors.all()?;
    let proven = prove(&outline, read()?, (key, source.under), known.iter().map(|anchor| anchor.seq))?;
    let missing = anchors.hold_against(&known, &outline, &proven)?;
    let unchecked = known.iter().filter(|anchor| is_gone(anchor, &proven)).count();
    let (made, was_there) = (dir.join(WORK), dir.exists());
    let done = build(&made, options, &outline, &proven, read()?)
        .and_then(|()| begin_anew(&made, options, key, &outline, missing))
        .and_then(|()| move_up(&made, dir).map_err(BackupError::from));
    if let Err(error) = done {
        // Whatever is left of it is in there, but for what was moved already: without a header that is no store.
        let _gone = fs::remove_dir_all(&made);
        if !was_there {
            let _gone = fs::remove_dir(dir);
        }
        return Err(error);
    }
    let Outline { opening, closing, .. } = outline;
    Ok(Restored { opening, closing, rows: proven.rows, missing, unchecked })
}

/// The text to which the passphrase of a backup was sealed, of one that was sealed to public keys.
///
/// # Errors
/// When the file is not whole, or that is no text: nothing vouches for it yet, and a terminal is to show it.
pub fn sealed_lock(file: &Path) -> Result<Option<String>, BackupError> {
    let sealed = Outline::of(reader(file)?)?.closing.sealed_lock;
    if sealed.as_deref().is_some_and(|text| !is_plain(text)) {
        return Err(BackupError::Unproven(
            "what its passphrase was sealed as holds characters that no such text has".to_owned(),
        ));
    }
    Ok(sealed)
}

/// Whether it is nothing but printable ASCII and ends of lines.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r'))
}

fn reader(file: &Path) -> Result<BufReader<File>, BackupError> {
    let opened = files::open(file).map_err(|error| {
        let why = format!("The backup {} cannot be read: {error}.", file.display());
        std::io::Error::new(error.kind(), why)
    })?;
    Ok(BufReader::new(opened))
}

fn must_be_empty(dir: &Path) -> Result<(), BackupError> {
    match fs::read_dir(dir).map(|mut items| items.next().is_none()) {
        Ok(true) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Ok(false) | Err(_) => Err(BackupError::NotEmpty(dir.display().to_string())),
    }
}

impl Anchors {
    /// Whether there is any.
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.seal.is_none()
    }

    /// Whether the one entry that is missing says no more than that the backup was made.
    fn tells_only_of(&self, newest: &Anchor, outline: &Outline, proven: &Proven) -> bool {
        newest.seq == outline.closing.seq + 1
            && self.old.as_deref().and_then(|old| saying_it_was_made(old, outline, proven))
                == Some(newest.head.clone())
    }

    /// All of them as lines.
    fn all(&self) -> Result<Vec<Anchor>, BackupError> {
        let mut all = self.lines.clone();
        if let Some(seal) = &self.seal {
            let no_head = || BackupError::Foreign("The seal given as an anchor names no audit entry.".into());
            let head = Head::from_bytes(&seal.audit_head).ok_or_else(no_head)?;
            let at = OF_SEAL.to_owned();
            all.push(Anchor { store: hex(&seal.store), seq: head.seq, head: hex(&head.hash), at });
        }
        Ok(all)
    }

    /// How many entries they know of that the backup does not have. `Err` unless that is accepted, and when they tell of
    /// another trail.
    fn hold_against(&self, known: &[Anchor], outline: &Outline, proven: &Proven) -> Result<u64, BackupError> {
        let head = outline.closing.seq;
        for anchor in known {
            if anchor.store != hex(&outline.opening.store) {
                return Err(BackupError::Foreign(
                    "The anchor is of another store. Name one that was taken of this one; nothing was written.".into(),
                ));
            }
            if anchor.seq > head {
                continue;
            }
            let known = proven.hashes.get(&anchor.seq);
            let is_it = match anchor.seq {
                0 => anchor.head == hex(&chain::genesis(proven.header.store())),
                _ => is_gone(anchor, proven) || known == Some(&anchor.head),
            };
            if !is_it {
                let why = format!("audit entry {} is not the one the anchor names", anchor.seq);
                return Err(BackupError::Unproven(why));
            }
        }
        if let Some(seal) = &self.seal {
            let hash = Head::from_bytes(&seal.audit_head).map(|head| head.hash);
            let mac: Option<[u8; 32]> = seal.mac.as_slice().try_into().ok();
            let is_ours = hash
                .zip(mac)
                .is_some_and(|(hash, mac)| proven.keyring.seal_key().verify(seal.rev.0, &hash, &mac).is_ok());
            if !is_ours {
                return Err(BackupError::Foreign(
                    "The seal given as an anchor was not written by this store. Name the file `seal` of the old directory; nothing \
                     was written."
                        .into(),
                ));
            }
            // Its MAC speaks for its revision and the hash, and not for the number of the entry. One that names an entry which had
            // left the trail was written before that.
            let gone = known.iter().any(|anchor| anchor.at == OF_SEAL && is_gone(anchor, proven));
            if gone && seal.rev.0 > outline.closing.rev {
                let why = "the seal given as an anchor is newer, and names an entry that had left the trail"
                    .to_owned();
                return Err(BackupError::Unproven(why));
            }
        }
        match known.iter().max_by_key(|anchor| anchor.seq).filter(|anchor| anchor.seq > head) {
            None => Ok(0),
            Some(newest) if self.tells_only_of(newest, outline, proven) => Ok(0),
            Some(newest) if self.accept_loss => Ok(newest.seq - head),
            Some(newest) => Err(BackupError::Older { anchor: newest.seq, at: newest.at.clone(), head }),
        }
    }
}

/// The hash of the entry that the store in `old` has next to a backup and that says that this backup was made; none where there is
/// another, or more than that one, or the store is not to be had: then nobody knows what is missing.
fn saying_it_was_made(old: &Path, outline: &Outline, proven: &Proven) -> Option<String> {
    let store = SledStore::open(&SledOptions::new(old).read_only()).ok()?.store;
    let seq = outline.closing.seq + 1;
    let sealed = store.get(&audit_key(seq)).ok()??.value;
    if store.get(&audit_key(seq + 1)).ok()?.is_some() {
        return None;
    }
    let (sealer, chain) = (proven.keyring.sealer(), proven.keyring.audit_chain());
    let row = open_row(&sealer, &chain, seq, &sealed).ok()?;
    let entry: Entry = serde_json::from_str(&row.body).ok()?;
    let (made, sum) = (CommandKind::CloseBackup.spec().code, hex(&outline.sum));
    let is_it = row.previous == outline.closing.head
        && (entry.seq, entry.event.as_str(), entry.outcome) == (seq, made, Outcome::Done)
        && entry.changes.iter().any(|line| line.field == BACKUP_SUM && line.to == sum);
    // What was denied while the disk failed waits beside the trail, not in it.
    let waits = match Kept::open(old, &proven.keyring, entry.journal) {
        Ok(None) => false,
        Ok(Some((_, notes))) => !notes.is_empty(),
        Err(_) => true,
    };
    (is_it && !waits).then(|| hex(&row.hash))
}

/// Whether an anchor names an entry that was taken out of the trail before the backup was made.
fn is_gone(anchor: &Anchor, proven: &Proven) -> bool {
    (1..=proven.base).contains(&anchor.seq) && !proven.hashes.contains_key(&anchor.seq)
}

/// Makes the store as it was.
fn build(
    made: &Path,
    options: &Options,
    outline: &Outline,
    proven: &Proven,
    from: BufReader<File>,
) -> Result<(), BackupError> {
    let closing = &outline.closing;
    let opening = |error| BackupError::Open(crate::engine::OpenError::Store(error));
    let mut filling = Filling::begin(made, &options.command).map_err(opening)?;
    outline.each(from, &mut |row| {
        // Since the backup others may have used keys: since when no use was lost is said anew.
        if row.key.starts_with(UNBROKEN_KEY) {
            return Ok(());
        }
        filling.row(view(row)).map_err(|error: StoreError| EngineError::from(error).into())
    })?;
    let head = Head { seq: closing.seq, hash: closing.head };
    let seal = Seal {
        store: outline.opening.store,
        rev: Rev(closing.sealed),
        audit_head: head.to_bytes(),
        mac: closing.mac.to_vec(),
    };
    filling.complete(Rev(closing.rev), &seal).map_err(opening)?;
    if let Some(text) = &closing.denials {
        Journal::claim(made)?.write(text)?;
    }
    if let Some(text) = &closing.catalog {
        files::overwrite(&made.join(CATALOG_FILE), text.as_bytes())?;
    }
    HeaderFile::new(made).create(&proven.header).map_err(BackupError::Unseal)
}

fn view(row: &Row) -> RowView<'_> {
    RowView {
        key: &row.key,
        value: row.value.as_deref().unwrap_or_default(),
        create_rev: Rev(row.created),
        mod_rev: Rev(row.changed),
    }
}

/// Opens it as it will be opened, and has it know what it is.
fn begin_anew(
    made: &Path,
    options: &Options,
    key: &Key<'_>,
    outline: &Outline,
    missing: u64,
) -> Result<(), BackupError> {
    let there =
        Options { dir: made.to_owned(), read_only: false, callers: Arc::default(), ..options.clone() };
    let Open { engine, session, .. } = open(&there, key)?;
    if !engine.doubts().is_empty() {
        return Err(BackupError::Unproven(in_one_line(engine.doubts())));
    }
    engine.execute(&session, Command::PutBack { made: outline.opening.made, missing })?;
    engine.vouch_for_uses()?;
    Ok(engine.settle()?)
}

/// Moves all files where they belong, the headers last.
fn move_up(made: &Path, dir: &Path) -> std::io::Result<()> {
    let sync = |dir: &Path| File::open(dir)?.sync_all();
    let mut names: Vec<PathBuf> = Vec::new();
    for item in fs::read_dir(made)? {
        names.push(item?.file_name().into());
    }
    let (headers, others): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| [HEADER, HEADER_COPY].map(Path::new).contains(&name.as_path()));
    sync(made)?;
    for (step, names) in [others, headers].iter().enumerate() {
        if step > 0 {
            sync(dir)?;
        }
        names.iter().try_for_each(|name| fs::rename(made.join(name), dir.join(name)))?;
    }
    sync(dir)?;
    fs::remove_dir(made)?;
    sync(dir)
}
