//! The newest commits once more, in two files beside the database.
//!
//! Behind a damaged place sled knows no log: one flipped bit in the segment it writes to takes every later commit away, which
//! in a store of a few thousand rows is nearly all of them. So each commit is written here too, before sled gets it and
//! without a sync of its own (damage comes long after the kernel wrote both), and marked when sled has it. A database that
//! comes back at an older revision gets the marked commits put back. What lies here is believed as little as the database
//! itself: whether the rows are the right ones is for those to say who can open them.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use minicbor::{Decode, Encode};

use super::codec::{Ledger, Row};
use super::live::Live;
use crate::store::contract::{RESERVED_KEY, limits};
use crate::store::rows::Rev;

/// A file longer than this is full, and the other one begun anew: together they hold more than one segment of sled's log,
/// which is what it can lose at once.
const FULL: usize = 4 * 1024 * 1024;
/// A longer line is none.
const LONGEST: usize = 2 * FULL;
const NAMES: [&str; 2] = ["recent.0", "recent.1"];
/// `length | CRC-32`, big-endian, in front of every line.
const HEAD: usize = 8;

/// What one write changed, or that it is in the database.
#[derive(Debug, Encode, Decode)]
struct Line {
    /// Where the store stood before.
    #[n(0)]
    before: u64,
    /// Where it stands after.
    #[n(1)]
    after: u64,
    /// The rows as they are stored, without a value those that are removed. `None` marks that the database has it.
    #[n(2)]
    rows: Option<Vec<Change>>,
}

#[derive(Debug, Encode, Decode)]
struct Change {
    #[cbor(n(0), with = "minicbor::bytes")]
    key: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    raw: Option<Vec<u8>>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Recent {
    paths: [PathBuf; 2],
    /// Which of them is written to, and how long it is.
    current: usize,
    file: File,
    len: usize,
    /// The database came back before what is noted here, and could not be brought up to it: nothing is noted that would hide
    /// that.
    behind: bool,
}

impl Recent {
    /// Brings a database that lost its newest commits up to them, and the files up to a database that knows more. The second
    /// part of the answer says from where to where the database was brought.
    pub(super) fn open(
        root: &Path,
        live: &Live,
        ledger: &mut Ledger,
    ) -> io::Result<(Self, Option<(Rev, Rev)>)> {
        let paths = NAMES.map(|name| root.join(name));
        let [(one, one_len), (two, two_len)] = [read(&paths[0])?, read(&paths[1])?];
        let newest = |lines: &[Line]| Rev(lines.iter().map(|line| line.after).max().unwrap_or(0));
        let second = newest(&two) > newest(&one);
        let (current, len) = if second { (1, two_len) } else { (0, one_len) };
        let lines: Vec<Line> =
            if second { one.into_iter().chain(two) } else { two.into_iter().chain(one) }.collect();
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&paths[current])?;
        // What was cut off half-way would hide what follows it. What is whole is left as it is: somebody may only look.
        if file.metadata()?.len() > len as u64 {
            file.set_len(len as u64)?;
        }
        let (from, reached) = (ledger.rev, newest(&lines));
        replay(&lines, live, ledger).map_err(io::Error::other)?;
        let mut recent = Self { paths, current, file, len, behind: ledger.rev < reached };
        if ledger.rev > reached {
            recent.catch_up(live, reached, ledger.rev);
        }
        if !lines.last().is_some_and(|last| last.rows.is_none() && last.after == ledger.rev.0) {
            recent.mark(ledger.rev);
        }
        Ok((recent, (ledger.rev > from).then_some((from, ledger.rev))))
    }

    /// How far the commits noted in `root` reach. Reads only.
    pub(super) fn reached(root: &Path) -> io::Result<Rev> {
        let mut reached = Rev(0);
        for name in NAMES {
            let (lines, _) = read(&root.join(name))?;
            reached = lines.iter().map(|line| Rev(line.after)).fold(reached, Rev::max);
        }
        Ok(reached)
    }

    /// Removes what is left of a store that is no more.
    pub(super) fn forget(root: &Path) -> io::Result<()> {
        NAMES.iter().try_for_each(|name| match fs::remove_file(root.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
    }

    /// Notes what is about to be written. A failure costs the second copy, not the commit: the database is whole without it.
    pub(super) fn note(&mut self, before: Rev, after: Rev, rows: &BTreeMap<Vec<u8>, Option<Vec<u8>>>) {
        let rows = rows.iter().map(|(key, raw)| Change { key: key.clone(), raw: raw.clone() }).collect();
        self.append(&Line { before: before.0, after: after.0, rows: Some(rows) });
    }

    /// Notes that the database has what was noted up to `after`.
    pub(super) fn mark(&mut self, after: Rev) {
        self.append(&Line { before: after.0, after: after.0, rows: None });
    }

    fn append(&mut self, line: &Line) {
        if self.behind {
            return;
        }
        if let Err(error) = self.try_append(line) {
            tracing::warn!(%error, "the newest commits are not written a second time");
            // Part of a line would hide what follows. If even that fails, the next opening sees to it.
            let _cut = self.file.set_len(self.len as u64);
        }
    }

    fn try_append(&mut self, line: &Line) -> io::Result<()> {
        if self.len > FULL && line.rows.is_some() {
            let next = 1 - self.current;
            let path = self.paths.get(next).ok_or(io::ErrorKind::NotFound)?;
            self.file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
            self.file.set_len(0)?;
            (self.current, self.len) = (next, 0);
        }
        let body = minicbor::to_vec(line).map_err(io::Error::other)?;
        let size = u32::try_from(body.len()).map_err(io::Error::other)?;
        let whole = [&size.to_be_bytes()[..], &crc32fast::hash(&body).to_be_bytes(), &body].concat();
        self.file.write_all(&whole)?;
        self.len += whole.len();
        Ok(())
    }

    /// Notes what the database has and these files do not: a power cut took the end of them, or they are new. Rows that were
    /// removed meanwhile are not known; keydeck removes none. What would not fit is left out: what is noted from then on
    /// still counts.
    fn catch_up(&mut self, live: &Live, known: Rev, rev: Rev) {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        for row in live.rows(b"", None) {
            // A row that cannot be read is not for these files to tell of.
            let Ok((key, raw)) = row else { return };
            if Row::decode(&raw).is_some_and(|row| row.mod_rev > known) {
                bytes += key.len() + raw.len();
                if bytes > FULL {
                    return;
                }
                rows.push(Change { key: key.to_vec(), raw: Some(raw.to_vec()) });
            }
        }
        self.append(&Line { before: known.0, after: rev.0, rows: Some(rows) });
    }
}

/// The lines of a file up to the first that is broken, and where that begins.
fn read(path: &Path) -> io::Result<(Vec<Line>, usize)> {
    let bytes = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() && meta.len() <= 2 * LONGEST as u64 => fs::read(path)?,
        Ok(_) => return Err(io::Error::other("it is not a file keydeck wrote; move it away")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let (mut lines, mut rest) = (Vec::new(), bytes.as_slice());
    while let Some((line, after)) = next(rest) {
        lines.push(line);
        rest = after;
    }
    Ok((lines, bytes.len() - rest.len()))
}

fn next(bytes: &[u8]) -> Option<(Line, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    let (size, sum) = head.split_first_chunk::<4>()?;
    let size = usize::try_from(u32::from_be_bytes(*size)).ok().filter(|size| *size <= LONGEST)?;
    let (body, rest) = rest.split_at_checked(size)?;
    (crc32fast::hash(body).to_be_bytes() == sum).then_some(())?;
    Some((minicbor::decode(body).ok()?, rest))
}

/// Puts back, one after another, the commits that follow where the database stands and that it once had.
fn replay(lines: &[Line], live: &Live, ledger: &mut Ledger) -> Result<(), String> {
    // Up to here the database once was: a commit began there, or is marked.
    let had = lines.iter().map(|line| if line.rows.is_some() { line.before } else { line.after }).max();
    let follows = |line: &&Line, rev: Rev| line.before == rev.0 && line.after > rev.0;
    // A commit that failed is followed by another from the same place, if by any: the last one counts.
    while let Some(line) = lines.iter().rev().find(|line| follows(line, ledger.rev))
        && Some(line.after) <= had
    {
        let changes = line.rows.as_deref().unwrap_or_default();
        let mut written = 0;
        while written < changes.len() {
            // What is written at once stays as small as a commit; the last piece brings the revision.
            let (mut batch, mut then, mut bytes) = (::sled::Batch::default(), ledger.clone(), 0);
            for Change { key, raw } in changes.iter().skip(written) {
                bytes += key.len() + raw.as_ref().map_or(0, Vec::len);
                if bytes > limits::COMMIT_BYTES && bytes > key.len() + raw.as_ref().map_or(0, Vec::len) {
                    break;
                }
                let old = live.raw(key).map_err(|error| error.to_string())?;
                then.enter(key, old.as_deref(), raw.as_deref());
                match raw {
                    Some(raw) => batch.insert(key.as_slice(), raw.as_slice()),
                    None => batch.remove(key.as_slice()),
                }
                written += 1;
            }
            if written == changes.len() {
                then.rev = Rev(line.after);
            }
            batch.insert(RESERVED_KEY, then.encode());
            live.write(batch)?;
            *ledger = then;
        }
        if ledger.rev.0 < line.after {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::store::sled::{SledOptions, SledStore};
    use crate::store::{Op, Store as _};

    #[test]
    fn the_first_commit_of_a_store_is_noted_alone_however_many_wait() {
        const WRITERS: u8 = 8;
        for _ in 0..12 {
            let dir = tempfile::tempdir().unwrap();
            let store = SledStore::open(&SledOptions::new(dir.path()).create()).unwrap().store;
            let ready = Barrier::new(WRITERS.into());
            std::thread::scope(|scope| {
                for writer in 0..WRITERS {
                    let (store, ready) = (&store, &ready);
                    scope.spawn(move || {
                        ready.wait();
                        store.commit(&[], &[Op::Put(vec![b'k', b'0' + writer], vec![1])]).unwrap();
                    });
                }
            });
            drop(store);
            let (lines, _) = read(&dir.path().join(NAMES[0])).unwrap();
            let noted: Vec<_> = lines.iter().filter(|line| line.rows.is_some()).collect();
            assert_eq!((noted[0].before, noted[0].after), (0, 1));
            assert_eq!(noted.last().unwrap().after, u64::from(WRITERS));
        }
    }
}
