//! A key file: 32 random bytes that open a store without a person, for a service that starts by itself.
//!
//! It is taken only when nobody but its owner can have read or written it: a regular file, not a link, mode 0600 or
//! 0400, owned by the user keydeck runs as, exactly 32 bytes. Checked on the open file, so that nothing can be
//! swapped between the look and the read. One that is root's and in no other group is taken as well, when this user may read
//! it: that is how systemd hands a credential to a service, by an access list that shows as the mode of the group.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};
use thiserror::Error;
use zeroize::Zeroizing;

use super::CryptoError;
use super::random::Entropy;

/// Bytes of a key file.
pub const LEN: usize = 32;
/// The number of root, and of its group.
const ROOT: u32 = 0;

/// Why a key file was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyFileRefusal {
    /// A symbolic link could be pointed elsewhere.
    #[error("it is a symbolic link; name the file itself")]
    Link,
    /// A directory, pipe, socket or device.
    #[error("it is not a regular file")]
    NotRegular,
    /// Somebody else may read or write it.
    #[error("its mode is {0:04o}; make it 0600 with `chmod 600`")]
    Mode(u32),
    /// It belongs to another user.
    #[error("it belongs to user {owner}, and keydeck runs as user {runs_as}")]
    Owner {
        /// The file's owner.
        owner: u32,
        /// The effective user of this process.
        runs_as: u32,
    },
    /// Shorter or longer than 32 bytes: a newline at its end counts.
    #[error("it holds {0} bytes instead of exactly 32; a key file has no newline at its end")]
    Length(u64),
}

/// Whether nobody but `runs_as` and root can read or write a file of that owner, group and mode.
const fn closed((owner, group): (u32, u32), mode: u32, runs_as: u32) -> Result<(), KeyFileRefusal> {
    if runs_as != ROOT && owner == ROOT && group == ROOT && mode & !0o640 == 0 {
        return Ok(());
    }
    if owner != runs_as {
        return Err(KeyFileRefusal::Owner { owner, runs_as });
    }
    if mode & !0o600 != 0 {
        return Err(KeyFileRefusal::Mode(mode));
    }
    Ok(())
}

/// The bytes of a key file; wiped when dropped.
pub struct KeyFileSecret(Box<Zeroizing<[u8; LEN]>>);

impl KeyFileSecret {
    /// Reads a key file, or says why it may not be used.
    pub fn read(path: &Path) -> Result<Self, CryptoError> {
        let refused = |reason| CryptoError::KeyFile { path: path.to_owned(), reason };
        let failed = |source: io::Error| CryptoError::Io { what: "read", path: path.to_owned(), source };

        // Without NONBLOCK a pipe would hang the open; without NOFOLLOW a link would be followed.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(file) => file,
            Err(rustix::io::Errno::LOOP) => return Err(refused(KeyFileRefusal::Link)),
            Err(error) => return Err(failed(error.into())),
        };
        let stat = rustix::fs::fstat(&file).map_err(|error| failed(error.into()))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(refused(KeyFileRefusal::NotRegular));
        }
        let runs_as = rustix::process::geteuid().as_raw();
        closed((stat.st_uid, stat.st_gid), stat.st_mode & 0o7777, runs_as).map_err(refused)?;
        let length = u64::try_from(stat.st_size).unwrap_or_default();
        if length != LEN as u64 {
            return Err(refused(KeyFileRefusal::Length(length)));
        }
        let mut key = Box::new(Zeroizing::new([0; LEN]));
        File::from(file).read_exact(&mut key[..]).map_err(failed)?;
        Ok(Self(key))
    }

    /// Writes a new key file with mode 0600 and forces it to disk. An existing file is never replaced.
    pub fn create(path: &Path, entropy: &mut (impl Entropy + ?Sized)) -> Result<Self, CryptoError> {
        let failed = |source: io::Error| CryptoError::Io { what: "create", path: path.to_owned(), source };
        let mut key = Box::new(Zeroizing::new([0; LEN]));
        entropy.fill(&mut key[..])?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file =
            rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR).map_err(|error| failed(error.into()))?;
        let mut file = File::from(file);
        file.write_all(&key[..]).and_then(|()| file.sync_all()).map_err(failed)?;
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)?;
        Ok(Self(key))
    }

    /// The content of a key file somebody else read.
    pub(crate) fn received(content: &[u8]) -> Option<Self> {
        let mut key = Box::new(Zeroizing::new([0; LEN]));
        key.copy_from_slice(content.get(..).filter(|bytes| bytes.len() == LEN)?);
        Some(Self(key))
    }

    pub(super) fn bytes(&self) -> &[u8; LEN] {
        &self.0
    }

    /// The content, for the process that owns the store to try. Only for the control socket.
    pub(crate) fn expose(&self) -> &[u8; LEN] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ones_own_file_or_one_that_root_hands_over_is_closed_to_others() {
        let (keydeck, other) = (999, 1_000);
        for (owner, mode, runs_as, taken) in [
            ((keydeck, keydeck), 0o600, keydeck, true),
            ((keydeck, other), 0o400, keydeck, true),
            ((keydeck, keydeck), 0o440, keydeck, false),
            ((other, keydeck), 0o600, keydeck, false),
            ((ROOT, ROOT), 0o440, keydeck, true),
            ((ROOT, ROOT), 0o400, keydeck, true),
            ((ROOT, other), 0o440, keydeck, false),
            ((ROOT, ROOT), 0o444, keydeck, false),
            ((ROOT, ROOT), 0o460, keydeck, false),
            ((ROOT, ROOT), 0o440, ROOT, false),
            ((ROOT, ROOT), 0o600, ROOT, true),
        ] {
            assert_eq!(closed(owner, mode, runs_as).is_ok(), taken, "{owner:?} {mode:o} {runs_as}");
        }
    }
}
