//! The seal: a small file beside the database that says how far the store had come.
//!
//! A database whose newest log pages were lost opens without complaint at an older state; only something outside
//! it can tell. The seal is that witness. Its MAC is the caller's: here it is bytes, checked for accidents only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::rows::Rev;
use crate::files;

/// The first line of the file.
const MAGIC: &str = "keydeck-seal 1";
/// More than any seal needs; a longer file is not one.
const MAX_BYTES: usize = 4096;
/// The longest audit head and MAC.
const MAX_FIELD: usize = 128;

/// How far a store had come when it was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Which store: chosen by the caller when the store is created.
    pub store: [u8; 16],
    /// The newest revision at that time.
    pub rev: Rev,
    /// The head of the audit chain, at most 128 bytes.
    pub audit_head: Vec<u8>,
    /// The caller's authentication of the fields above, at most 128 bytes.
    pub mac: Vec<u8>,
}

/// The seal could not be read or replaced.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    /// The file is there and is not a seal.
    #[error("The seal is damaged: {0}. Put your backup of the data directory in its place.")]
    Damaged(String),
    /// The seal names a revision the store has not reached, or a field is too long.
    #[error("The seal was refused: {0}.")]
    Refused(String),
    /// The store is read-only: its old seal is evidence and stays.
    #[error("The seal is kept as it is while the store is read-only.")]
    ReadOnly,
    /// The operating system said no.
    #[error("The seal cannot be kept: {0}.")]
    Io(String),
}

impl Seal {
    /// What its file is called, beside the database.
    pub const FILE: &str = "seal";

    /// The seal in a file. `Ok(None)` when there is no file.
    pub fn read(path: &Path) -> Result<Option<Self>, SealError> {
        let bytes = match files::read(path, MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error)
                if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::FileTooLarge) =>
            {
                return Err(SealError::Damaged(error.to_string()));
            }
            Err(error) => return Err(SealError::Io(error.to_string())),
        };
        let text = String::from_utf8(bytes).ok();
        let seal = text.as_deref().and_then(Self::decode);
        seal.map(Some).ok_or_else(|| SealError::Damaged("its checksum does not match".into()))
    }

    /// The file's text: one field a line, a CRC-32 at the end.
    fn encode(&self) -> String {
        let body = format!(
            "{MAGIC}\nstore {}\nrev {}\naudit {}\nmac {}\n",
            hex(&self.store),
            self.rev,
            hex(&self.audit_head),
            hex(&self.mac)
        );
        let sum = crc32fast::hash(body.as_bytes());
        format!("{body}crc {sum:08x}\n")
    }

    fn decode(text: &str) -> Option<Self> {
        let body_len = text.rfind("crc ")?;
        let (body, tail) = text.split_at_checked(body_len)?;
        if tail != format!("crc {:08x}\n", crc32fast::hash(body.as_bytes())) {
            return None;
        }
        let mut lines = body.lines();
        if lines.next()? != MAGIC {
            return None;
        }
        let store = unhex(lines.next()?.strip_prefix("store ")?)?.try_into().ok()?;
        let rev = Rev(lines.next()?.strip_prefix("rev ")?.parse().ok()?);
        let audit_head = unhex(lines.next()?.strip_prefix("audit ")?)?;
        let mac = unhex(lines.next()?.strip_prefix("mac ")?)?;
        lines.next().is_none().then_some(Self { store, rev, audit_head, mac })
    }

    /// Refuses what no store may be sealed with.
    pub(super) fn check(&self, store_rev: Rev) -> Result<(), SealError> {
        if self.rev > store_rev {
            let why = format!("it names revision {}, the store is at {store_rev}", self.rev);
            return Err(SealError::Refused(why));
        }
        if self.audit_head.len() > MAX_FIELD || self.mac.len() > MAX_FIELD {
            return Err(SealError::Refused(format!("a field is longer than {MAX_FIELD} bytes")));
        }
        Ok(())
    }
}

/// The seal of one data directory.
#[derive(Debug)]
pub(super) struct SealFile {
    dir: PathBuf,
    /// The revision on disk, so that a late writer cannot put an older seal over a newer one.
    written: Mutex<Option<Rev>>,
    /// Why the last attempt failed, if it did.
    behind: Mutex<Option<String>>,
}

impl SealFile {
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_path_buf(), written: Mutex::default(), behind: Mutex::default() }
    }

    /// The seal on disk. `Ok(None)` when there never was one.
    pub(super) fn read(&self) -> Result<Option<Seal>, SealError> {
        Seal::read(&self.dir.join(Seal::FILE))
    }

    /// Replaces the seal: a reader finds the old one or the new one, after a power cut too. An older one is
    /// ignored.
    pub(super) fn write(&self, seal: &Seal) -> Result<(), SealError> {
        let written = self.write_newer(seal);
        let mut behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        *behind = written.as_ref().err().map(ToString::to_string);
        written
    }

    fn write_newer(&self, seal: &Seal) -> Result<(), SealError> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.is_none() {
            *written = self.read()?.map(|old| old.rev);
        }
        if written.is_some_and(|old| old > seal.rev) {
            return Ok(());
        }
        self.replace(seal).map_err(|error| SealError::Io(error.to_string()))?;
        *written = Some(seal.rev);
        Ok(())
    }

    /// Why the last attempt to replace it failed; nothing when it did not.
    pub(super) fn behind(&self) -> Option<String> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, seal: &Seal) -> io::Result<()> {
        let fresh = self.dir.join("seal.new");
        // A leftover of an interrupted write, or a link, pipe or folder somebody put there: gone, never written to.
        let gone = match fs::symlink_metadata(&fresh) {
            Ok(meta) if meta.is_dir() => fs::remove_dir_all(&fresh),
            _ => fs::remove_file(&fresh),
        };
        match gone {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(seal.encode().as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, self.dir.join("seal"))?;
        File::open(&self.dir)?.sync_all()
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) || text.len() > 2 * MAX_FIELD {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(rev: u64) -> Seal {
        Seal { store: [0xa5; 16], rev: Rev(rev), audit_head: vec![1, 2, 255], mac: vec![9; 32] }
    }

    #[test]
    fn any_flipped_bit_or_missing_byte_is_damage() {
        let dir = tempfile::tempdir().unwrap();
        let file = SealFile::new(dir.path());
        assert_eq!(file.read(), Ok(None));
        file.write(&seal(7)).unwrap();
        assert_eq!(file.read(), Ok(Some(seal(7))));
        let path = dir.path().join("seal");
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() * 8 {
            let mut bent = whole.clone();
            bent[at / 8] ^= 1 << (at % 8);
            fs::write(&path, &bent).unwrap();
            assert!(matches!(file.read(), Err(SealError::Damaged(_))), "bit {at}");
        }
        for keep in 0..whole.len() {
            fs::write(&path, &whole[..keep]).unwrap();
            assert!(matches!(file.read(), Err(SealError::Damaged(_))), "{keep} bytes kept");
        }
    }

    #[test]
    fn a_late_writer_cannot_put_an_older_seal_over_a_newer_one() {
        let dir = tempfile::tempdir().unwrap();
        SealFile::new(dir.path()).write(&seal(9)).unwrap();
        let again = SealFile::new(dir.path());
        again.write(&seal(8)).unwrap();
        assert_eq!(again.read(), Ok(Some(seal(9))));
        again.write(&seal(10)).unwrap();
        assert_eq!(again.read(), Ok(Some(seal(10))));
    }
}
