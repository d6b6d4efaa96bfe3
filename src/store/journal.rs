//! Room kept in reserve beside the database: a small file whose blocks exist before they are needed, so that a few
//! bytes can be made durable when the disk is full or the database cannot be written. It holds one text at a time,
//! twice: a write that is cut off spoils one copy at most, and a copy that rots has the other beside it. Bytes in,
//! bytes out; whose they are is the caller's to prove.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::OFlags;

/// Its name in the data directory.
const FILE: &str = "denials";
/// Bytes of each copy, the four of its length among them.
const COPY: usize = 64 * 1024;
const LENGTH: usize = 4;

/// One copy, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Copy {
    /// Nothing was ever written there.
    Blank,
    /// What was written, or what became of it.
    Text(Vec<u8>),
    /// No text can be that long, or there is less of it.
    Torn,
}

/// The file of one data directory.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    // Held open: a full table of descriptors must not stand between an operator and a denial.
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    file: File,
    /// The copy that may be spoilt, and so is the one that is written first.
    first: usize,
}

impl Journal {
    /// The most bytes a text may have.
    pub const ROOM: usize = COPY - LENGTH;

    /// Opens the file in `dir` as it is, if there is one. Where it may only be read, writing fails.
    pub fn open(dir: &Path) -> io::Result<Option<Self>> {
        let opened = match options().open(dir.join(FILE)) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                options().write(false).open(dir.join(FILE))
            }
            other => other,
        };
        match opened {
            Ok(file) => Self::on(dir, file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the file in `dir`, and makes room for it when there is none yet. Zeros are written and not merely
    /// allocated: an allocated block may still need another one when it is written for the first time. A file
    /// system that never writes in place (btrfs, ZFS) may want room all the same, and says so when it does.
    pub fn claim(dir: &Path) -> io::Result<Self> {
        let file = options().create(true).truncate(false).mode(0o600).open(dir.join(FILE))?;
        let journal = Self::on(dir, file)?;
        if journal.fill_up()? {
            File::open(dir)?.sync_all()?;
        }
        Ok(journal)
    }

    /// Makes room where there is less than there should be. Whether there was.
    pub fn fill_up(&self) -> io::Result<bool> {
        let held = self.held();
        let length = held.file.metadata()?.len();
        let there = usize::try_from(length).unwrap_or(usize::MAX);
        if there >= 2 * COPY {
            return Ok(false);
        }
        held.file.write_all_at(&vec![0; 2 * COPY - there], length)?;
        held.file.sync_all()?;
        Ok(true)
    }

    fn on(dir: &Path, file: File) -> io::Result<Self> {
        if !file.metadata()?.is_file() {
            return Err(io::Error::other(format!("{FILE} is not a file")));
        }
        Ok(Self { path: dir.join(FILE), held: Mutex::new(Held { file, first: 0 }) })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Both copies.
    pub fn read(&self) -> io::Result<[Copy; 2]> {
        let held = self.held();
        let filled = |bytes: &mut [u8], at: u64| match held.file.read_exact_at(bytes, at) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        };
        let copy = |at: u64| {
            let mut length = [0; LENGTH];
            let there = filled(&mut length, at)?;
            let length = u32::from_be_bytes(length) as usize;
            if !there || length == 0 {
                return Ok(Copy::Blank);
            }
            if length > Self::ROOM {
                return Ok(Copy::Torn);
            }
            let mut text = vec![0; length];
            let whole = filled(&mut text, at + LENGTH as u64)?;
            Ok::<_, io::Error>(if whole { Copy::Text(text) } else { Copy::Torn })
        };
        Ok([copy(0)?, copy(COPY as u64)?])
    }

    /// Says that this copy, 0 or 1, holds nothing that counts: it is the one to be written first.
    pub fn distrust(&self, copy: usize) {
        self.held().first = copy.min(1);
    }

    /// Puts `text` in place of what was there, durably. After an error the former text may still be there, or this one.
    pub fn write(&self, text: &[u8]) -> io::Result<()> {
        let length = u32::try_from(text.len()).ok().filter(|_| text.len() <= Self::ROOM);
        let Some(length) = length else {
            return Err(io::Error::other("there is no room for so much beside the database"));
        };
        let whole = [&length.to_be_bytes()[..], text].concat();
        let mut held = self.held();
        // Somebody may have put another file in its place: what is written into this one nobody would find again.
        let (own, there) = (held.file.metadata()?, self.path.symlink_metadata()?);
        if (own.dev(), own.ino()) != (there.dev(), there.ino()) {
            return Err(io::Error::other(format!("{FILE} was replaced by another file while it was in use")));
        }
        // One after the other: until the first is durable, the second still has what was promised before. One that was
        // not written to its end is no such promise, and is the first of the next text.
        for copy in [held.first, 1 - held.first] {
            held.first = copy;
            held.file.write_all_at(&whole, (copy * COPY) as u64)?;
            held.file.sync_data()?;
        }
        held.first = 0;
        Ok(())
    }
}

/// Neither followed, where it is a link, nor waited for, where it is a pipe.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    let safe = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    options.read(true).write(true).custom_flags(safe);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_there_twice_and_a_copy_cut_short_has_the_other_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::claim(dir.path()).unwrap();
        assert_eq!(journal.read().unwrap(), [Copy::Blank, Copy::Blank]);
        journal.write(b"one").unwrap();
        journal.write(b"two").unwrap();
        let again = Journal::claim(dir.path()).unwrap();
        assert_eq!(again.read().unwrap(), [Copy::Text(b"two".into()), Copy::Text(b"two".into())]);
        let file = OpenOptions::new().write(true).open(dir.path().join(FILE)).unwrap();
        file.write_all_at(&[0xff; 9], 0).unwrap();
        assert_eq!(again.read().unwrap(), [Copy::Torn, Copy::Text(b"two".into())]);
        assert!(again.write(&vec![1; Journal::ROOM + 1]).is_err());
        assert!(again.write(&vec![1; Journal::ROOM]).is_ok());
        assert_eq!(file.metadata().unwrap().len(), 2 * COPY as u64, "it never grows");
    }

    #[test]
    fn a_file_cut_short_is_read_as_far_as_it_goes_and_one_that_is_gone_is_not_made_by_looking() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Journal::open(dir.path()).unwrap().is_none());
        assert!(!dir.path().join(FILE).exists());
        let journal = Journal::claim(dir.path()).unwrap();
        journal.write(b"two").unwrap();
        let file = OpenOptions::new().write(true).open(dir.path().join(FILE)).unwrap();
        for (length, read) in [
            (COPY + 6, [Copy::Text(b"two".into()), Copy::Torn]),
            (COPY + 2, [Copy::Text(b"two".into()), Copy::Blank]),
            (5, [Copy::Torn, Copy::Blank]),
            (0, [Copy::Blank, Copy::Blank]),
        ] {
            file.set_len(length as u64).unwrap();
            let again = Journal::open(dir.path()).unwrap().unwrap();
            assert_eq!(again.read().unwrap(), read, "{length}");
            assert_eq!(file.metadata().unwrap().len(), length as u64, "looking changes nothing");
        }
    }

    #[test]
    fn a_pipe_in_its_place_is_refused_and_does_not_hang() {
        let dir = tempfile::tempdir().unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            dir.path().join(FILE),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        assert!(Journal::claim(dir.path()).is_err());
        assert!(Journal::open(dir.path()).is_err());
    }

    #[test]
    fn a_file_cut_short_gets_its_room_back_and_one_put_in_its_place_is_not_taken_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        Journal::claim(dir.path()).unwrap().write(b"one").unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(100).unwrap();
        let journal = Journal::open(dir.path()).unwrap().unwrap();
        assert!(journal.fill_up().unwrap() && !journal.fill_up().unwrap());
        assert_eq!(path.metadata().unwrap().len(), 2 * COPY as u64);
        assert_eq!(journal.read().unwrap(), [Copy::Text(b"one".into()), Copy::Blank]);
        let other = dir.path().join("other");
        std::fs::copy(&path, &other).unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert!(journal.write(b"two").is_err(), "nobody would find it again");
        std::fs::remove_file(&path).unwrap();
        assert!(journal.write(b"two").is_err());
    }
}
