//! Room kept in reserve beside the database: a small file whose blocks exist before they are needed, so that a few
//! bytes can be made durable when the disk is full or the database cannot be written. It holds one text at a time,
//! twice: a write that is cut off spoils one copy at most, and a copy that rots has the other beside it. Bytes in,
//! bytes out; whose they are is the caller's to prove.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

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
    /// No text can be that long.
    Torn,
}

/// The file of one data directory.
#[derive(Debug)]
pub struct Journal {
    // Held open: a full table of descriptors must not stand between an operator and a denial.
    file: Mutex<File>,
}

impl Journal {
    /// The most bytes a text may have.
    pub const ROOM: usize = COPY - LENGTH;

    /// Whether something that is no file lies in its place.
    pub fn is_displaced(dir: &Path) -> bool {
        std::fs::symlink_metadata(dir.join(FILE)).is_ok_and(|meta| !meta.is_file())
    }

    /// Opens the file in `dir`, and makes room for it when there is none yet. Zeros are written and not merely
    /// allocated: an allocated block may still need another one when it is written for the first time. A file
    /// system that never writes in place (btrfs, ZFS) may want room all the same, and says so when it does.
    pub fn claim(dir: &Path) -> io::Result<Self> {
        let safe = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(safe);
        let file = options.open(dir.join(FILE))?;
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(io::Error::other(format!("{FILE} is not a file")));
        }
        let there = usize::try_from(about.len()).unwrap_or(usize::MAX);
        if there < 2 * COPY {
            file.write_all_at(&vec![0; 2 * COPY - there], about.len())?;
            file.sync_all()?;
            File::open(dir)?.sync_all()?;
        }
        Ok(Self { file: Mutex::new(file) })
    }

    /// Both copies.
    pub fn read(&self) -> io::Result<[Copy; 2]> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let copy = |at: u64| {
            let mut length = [0; LENGTH];
            file.read_exact_at(&mut length, at)?;
            let length = u32::from_be_bytes(length) as usize;
            if length == 0 {
                return Ok(Copy::Blank);
            }
            if length > Self::ROOM {
                return Ok(Copy::Torn);
            }
            let mut text = vec![0; length];
            file.read_exact_at(&mut text, at + LENGTH as u64)?;
            Ok::<_, io::Error>(Copy::Text(text))
        };
        Ok([copy(0)?, copy(COPY as u64)?])
    }

    /// Puts `text` in place of what was there, durably. After an error the former text may still be there, or this one.
    pub fn write(&self, text: &[u8]) -> io::Result<()> {
        let length = u32::try_from(text.len()).ok().filter(|_| text.len() <= Self::ROOM);
        let Some(length) = length else {
            return Err(io::Error::other("there is no room for so much beside the database"));
        };
        let whole = [&length.to_be_bytes()[..], text].concat();
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // One after the other: until the first is durable, the second still has what was promised before.
        for at in [0, COPY as u64] {
            file.write_all_at(&whole, at)?;
            file.sync_data()?;
        }
        Ok(())
    }
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
    }
}
