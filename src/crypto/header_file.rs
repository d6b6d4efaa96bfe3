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
use super::header::{Header, MAX_BYTES, Replacement, Unlock, Unlocked};
use super::keyring::Keyring;
use super::passphrase::{Cost, Passphrase};
use super::random::Entropy;
use super::slots::SlotId;

/// The first copy: written first, read first.
pub const HEADER: &str = "header";
/// The second copy.
pub const HEADER_COPY: &str = "header.bak";
const TEMPORARY: &str = "header.new";

/// The steps a header takes to the disk.
pub trait HeaderDisk {
    /// The file's bytes, at most `limit` and one more; `None` when it does not exist.
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
        let file = match File::open(path) {
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

/// An unsealed store.
pub struct Unsealed {
    /// Its tools.
    pub keyring: Keyring,
    /// The slot that opened, for the audit trail.
    pub slot: SlotId,
    /// The header that opened, or the one that ends the change it was in.
    pub header: Header,
    /// Why the two copies could not be made alike. The store works all the same; the operator should know.
    pub unrepaired: Option<CryptoError>,
}

/// The header of the store in one directory. Callers hold the store's lock.
pub struct HeaderFile<D = OsDisk> {
    directory: PathBuf,
    disk: D,
}

impl HeaderFile {
    /// The header of the store in `directory`.
    pub fn new(directory: &Path) -> Self {
        Self::on(OsDisk, directory)
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
        let first = self.read(HEADER)?.map(|bytes| Header::decode(&bytes));
        if let Some(Ok(header)) = first {
            return Ok(header);
        }
        let second = self.read(HEADER_COPY)?.map(|bytes| Header::decode(&bytes));
        match (first, second) {
            (_, Some(Ok(header))) => Ok(header),
            // What is wrong with the first copy tells more than what is wrong with its spare.
            (Some(fault), _) | (None, Some(fault)) => fault,
            (None, None) => Err(CryptoError::HeaderMissing(self.directory.join(HEADER))),
        }
    }

    /// Opens the store. Afterwards both copies hold the header that opened, and a change of secret that was cut off
    /// is ended in favour of the secret that opened. A disk that cannot be written to is reported in
    /// [`Unsealed::unrepaired`] and keeps nobody out.
    pub fn unseal(&mut self, with: &Unlock<'_>) -> Result<Unsealed, CryptoError> {
        let loaded = self.load()?;
        let Unlocked { root, slot } = loaded.unlock(with)?;
        let header = loaded.settle(&root, slot)?.unwrap_or(loaded);
        let unrepaired = self.heal(&header).err();
        Ok(Unsealed { keyring: Keyring::new(root, header.store()), slot, header, unrepaired })
    }

    /// Writes the next header in place of the one on disk.
    pub fn replace(&mut self, header: &Header) -> Result<(), CryptoError> {
        let bytes = header.encode();
        self.put(HEADER, &bytes)?;
        self.put(HEADER_COPY, &bytes)
    }

    /// Changes an operator's passphrase: the new slot goes beside the old one, is read back from disk and opened with
    /// the new passphrase, and only then the old one goes. Cut off anywhere, the old or the new passphrase opens.
    pub fn change_passphrase(
        &mut self,
        name: &str,
        old: &Passphrase,
        (new, cost): (&Passphrase, Cost),
        created_ms: u64,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<Header, CryptoError> {
        let steps = self.load()?.change_passphrase(name, old, (new, cost), created_ms, entropy)?;
        self.carry_out(steps, &Unlock::Operator { name, passphrase: new })
    }

    /// Carries out a [`Replacement`] for any kind of slot; `new` is what must open the header in between.
    pub fn carry_out(&mut self, steps: Replacement, new: &Unlock<'_>) -> Result<Header, CryptoError> {
        self.replace(&steps.with_both)?;
        self.load()?.unlock(new)?;
        self.replace(&steps.finished)?;
        Ok(steps.finished)
    }

    /// Makes a damaged, missing or older copy like `header`, which the caller has unlocked.
    fn heal(&mut self, header: &Header) -> Result<(), CryptoError> {
        let bytes = header.encode();
        for name in [HEADER, HEADER_COPY] {
            if self.read(name)?.as_deref() != Some(&bytes[..]) {
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
