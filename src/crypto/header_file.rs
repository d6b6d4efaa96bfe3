//! The header on disk: two copies, `header` and `header.bak`, each replaced as a whole.
//!
//! Write to a temporary file, force it to disk, rename, force the directory: first for `header`, then for the copy.
//! Whatever moment the power goes, at least one whole header is there, and it is the old or the new one. The steps go
//! through [`HeaderDisk`], so that tests can stop between any two.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::CryptoError;
use super::header::{Header, MAX_BYTES};
use crate::files;

/// The first copy: written first, read first.
pub const HEADER: &str = "header";
/// The second copy.
pub const HEADER_COPY: &str = "header.bak";
const TEMPORARY: &str = "header.new";

/// The steps a header takes to the disk.
pub trait HeaderDisk {
    /// The file's bytes, at most `limit` and one more; `None` when it does not exist. What is no regular file is an error.
    fn read(&mut self, path: &Path, limit: usize) -> io::Result<Option<Vec<u8>>>;
    /// Writes a new file for its owner alone, in place of any old one, and forces its bytes to disk.
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Puts `from` in the place of `to` in one step.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    /// Forces the names in a directory to disk.
    fn sync_directory(&mut self, path: &Path) -> io::Result<()>;
}

/// The real disk.
#[derive(Debug, Default, Clone, Copy)]
pub struct OsDisk;

impl HeaderDisk for OsDisk {
    fn read(&mut self, path: &Path, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let file = match files::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(limit as u64 + 1).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // A leftover of an interrupted write, or a link somebody put there: gone, never followed.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_directory(&mut self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

impl HeaderDisk for Box<dyn HeaderDisk + Send> {
    fn read(&mut self, path: &Path, limit: usize) -> io::Result<Option<Vec<u8>>> {
        (**self).read(path, limit)
    }

    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        (**self).write(path, bytes)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        (**self).rename(from, to)
    }

    fn sync_directory(&mut self, path: &Path) -> io::Result<()> {
        (**self).sync_directory(path)
    }
}

/// The header of the store in one directory. Callers hold the store's lock.
pub struct HeaderFile<D = Box<dyn HeaderDisk + Send>> {
    directory: PathBuf,
    disk: D,
}

impl HeaderFile {
    /// The header of the store in `directory`.
    pub fn new(directory: &Path) -> Self {
        Self::on(Box::new(OsDisk), directory)
    }
}

impl<D: HeaderDisk> HeaderFile<D> {
    /// The header of the store in `directory` of a given disk.
    pub fn on(disk: D, directory: &Path) -> Self {
        Self { directory: directory.to_owned(), disk }
    }

    /// Writes the first header. Fails when either copy is there already.
    pub fn create(&mut self, header: &Header) -> Result<(), CryptoError> {
        for name in [HEADER, HEADER_COPY] {
            if self.read(name)?.is_some() {
                return Err(CryptoError::HeaderExists(self.directory.join(name)));
            }
        }
        self.replace(header)
    }

    /// The header: the first copy, or the second where the first is missing or damaged.
    pub fn load(&mut self) -> Result<Header, CryptoError> {
        self.load_fitting(|_| true)
    }

    /// The first copy that `fits`, for one of them may be from another moment. Where none does, [`HeaderFile::load`].
    pub fn load_fitting(&mut self, fits: impl Fn(&Header) -> bool) -> Result<Header, CryptoError> {
        let (first, second) = self.copies()?;
        Ok(second.filter(|second| !fits(&first) && fits(second)).unwrap_or(first))
    }

    /// What can be read, the first copy first. The second is left out where it says the same.
    pub fn copies(&mut self) -> Result<(Header, Option<Header>), CryptoError> {
        // What cannot be read at all is as good as damaged.
        let (first, second) = (self.read(HEADER), self.read(HEADER_COPY));
        let same = matches!((&first, &second), (Ok(first), Ok(second)) if first == second);
        let copy = |read: Result<Option<Vec<u8>>, CryptoError>| {
            read.and_then(|bytes| bytes.map(|b| Header::decode(&b)).transpose()).transpose()
        };
        match (copy(first), if same { None } else { copy(second) }) {
            (Some(Ok(first)), second) => Ok((first, second.and_then(Result::ok))),
            (_, Some(Ok(second))) => Ok((second, None)),
            // What is wrong with the first copy tells more than what is wrong with its spare.
            (Some(Err(fault)), _) | (None, Some(Err(fault))) => Err(fault),
            (None, None) => Err(CryptoError::HeaderMissing(self.directory.join(HEADER))),
        }
    }

    /// Writes the next header in place of the one on disk.
    pub fn replace(&mut self, header: &Header) -> Result<(), CryptoError> {
        let bytes = header.encode();
        self.put(HEADER, &bytes)?;
        self.put(HEADER_COPY, &bytes)
    }

    /// Makes a damaged, missing or older copy like `header`, which the caller has unlocked.
    pub fn heal(&mut self, header: &Header) -> Result<(), CryptoError> {
        let bytes = header.encode();
        for name in [HEADER, HEADER_COPY] {
            if self.read(name).ok().flatten().as_deref() != Some(&bytes[..]) {
                self.put(name, &bytes)?;
            }
        }
        Ok(())
    }

    fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>, CryptoError> {
        let path = self.directory.join(name);
        self.disk.read(&path, MAX_BYTES).map_err(|source| CryptoError::Io { what: "read", path, source })
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), CryptoError> {
        let (new, path) = (self.directory.join(TEMPORARY), self.directory.join(name));
        let written = self
            .disk
            .write(&new, bytes)
            .and_then(|()| self.disk.rename(&new, &path))
            .and_then(|()| self.disk.sync_directory(&self.directory));
        written.map_err(|source| CryptoError::Io { what: "write", path, source })
    }
}
