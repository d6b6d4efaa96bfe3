//! Small files that somebody else may have put there: read whole or not at all. A pipe or device does not hang the
//! reader, a file without end does not fill memory, and what is no plain file is said to be none.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

#[cfg(feature = "console")]
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags};
use tempfile::NamedTempFile;

/// How long a pipe is waited for.
#[cfg(feature = "console")]
const PATIENCE: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

/// Opens a regular file for reading, or says what else is there. A link is followed.
///
/// # Errors
/// The system's answer, or that it is no regular file.
pub fn open(path: &Path) -> io::Result<File> {
    open_with(path, OFlags::RDONLY)
}

fn open_with(path: &Path, how: OFlags) -> io::Result<File> {
    // Without NONBLOCK a pipe would hold up the open until somebody comes to the other end.
    let flags = how | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    regular(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?)
}

fn regular(file: OwnedFd) -> io::Result<File> {
    let there = FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode);
    let what = match there {
        FileType::RegularFile => return Ok(File::from(file)),
        FileType::Directory => "a directory",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        _ => "something else",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what} and no regular file")))
}

/// Why nothing can be written in a directory that is there, or can be made; `None` where it can.
#[cfg(feature = "console")]
pub fn not_writable(dir: &Path) -> Option<String> {
    use rustix::fs::Access;

    let there = dir.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    let why = if there.is_dir() {
        rustix::fs::access(there, Access::WRITE_OK | Access::EXEC_OK).err()?.to_string()
    } else {
        "it is no directory".to_owned()
    };
    Some(format!("{}: {why}", there.display()))
}

/// Refuses a file that somebody else can write or put another in place of: it and all directories above it are ours or
/// root's, and writable by nobody else. A directory such as `/tmp`, in which nobody touches what is not theirs, will do.
///
/// # Errors
/// The system's answer, or which of them others may write.
pub fn must_be_ours(path: &Path) -> io::Result<()> {
    let real = path.canonicalize()?;
    let named = std::path::absolute(path)?;
    // Where links lead through other directories, those count as well.
    for at in real.ancestors().chain(named.parent().into_iter().flat_map(Path::ancestors)) {
        let about = at.metadata()?;
        let is_ours = about.uid() == 0 || about.uid() == rustix::process::geteuid().as_raw();
        let is_sticky = about.is_dir() && about.mode() & 0o1000 != 0;
        if is_ours && (about.mode() & 0o022 == 0 || is_sticky) {
            continue;
        }
        let (at, how) =
            (at.display(), if is_ours { "others may write it" } else { "it belongs to somebody else" });
        let why =
            format!("{at} is not safe: {how}. Make it yours or root's, and close it with `chmod go-w {at}`");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    Ok(())
}

/// Opens a file that somebody names on a command line: a regular one, or a pipe that another command fills. A pipe into
/// which nobody writes is not waited for without end.
///
/// # Errors
/// The system's answer, or that it is neither, or that nothing came.
#[cfg(feature = "console")]
pub fn open_given(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty())?;
    if FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) != FileType::Fifo {
        return regular(file);
    }
    if poll(&mut [PollFd::new(&file, PollFlags::IN)], Some(&PATIENCE))? == 0 {
        return Err(io::Error::new(io::ErrorKind::TimedOut, "it is a pipe, and nobody writes into it"));
    }
    rustix::fs::fcntl_setfl(&file, OFlags::empty())?;
    Ok(File::from(file))
}

/// The bytes of a regular file of at most `limit` bytes.
///
/// # Errors
/// The system's answer, or that it is no regular file or too long.
pub fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    bytes_of(open(path)?, limit)
}

/// The bytes of an open file or of standard input, at most `limit` of them.
///
/// # Errors
/// The system's answer, or that there are more.
pub fn bytes_of(source: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        let why = format!("it is longer than the {limit} bytes it may have");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

/// [`read`], as UTF-8 text.
///
/// # Errors
/// As [`read`], or that it is no such text.
pub fn read_text(path: &Path, limit: usize) -> io::Result<String> {
    text_of(open(path)?, limit)
}

/// The UTF-8 text of an open file of at most `limit` bytes.
///
/// # Errors
/// The system's answer, or that it is too long or no such text.
pub fn text_of(file: File, limit: usize) -> io::Result<String> {
    String::from_utf8(bytes_of(file, limit)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// Writes a small file for its owner alone over what was in it. A link is not followed; nothing but a regular file is
/// written to.
///
/// # Errors
/// The system's answer, or that it is no regular file.
pub fn overwrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = open_with(path, OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW)?;
    file.set_len(0)?;
    file.write_all(bytes)
}

/// Adds a line to the end of a file for its owner alone, durably; it is made when there is none. Not to one that somebody else
/// can write or replace, which proves nothing.
///
/// # Errors
/// The system's answer, or that it is no regular file, or not safe.
pub fn append(path: &Path, line: &[u8]) -> io::Result<()> {
    let mut file = open_with(path, OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW)?;
    must_be_ours(path)?;
    file.write_all(line)?;
    file.sync_all()
}

/// A file that is written beside its place, closed to others, and stands there only when it is whole. It is gone with this
/// process's end but for a kill.
pub struct Beside {
    path: PathBuf,
    dir: PathBuf,
    part: NamedTempFile,
}

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum There {
    /// It stays, and the new one does not appear.
    Stays,
    /// The new one takes its place.
    Goes,
}

impl Beside {
    /// Begins one.
    ///
    /// # Errors
    /// The system's answer.
    pub fn of(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let dir = path.parent().unwrap_or(Path::new("/")).to_owned();
        let part = tempfile::Builder::new().prefix(".keydeck-").suffix(".part").tempfile_in(&dir)?;
        Ok(Self { path, dir, part })
    }

    /// What is written so far.
    pub fn file(&mut self) -> &mut File {
        self.part.as_file_mut()
    }

    /// Has it stand in its place, so that it outlives a power cut.
    ///
    /// # Errors
    /// The system's answer; of what is not whole nothing stays.
    pub fn appear(self, there: There) -> io::Result<()> {
        self.part.as_file().sync_all()?;
        let placed = match there {
            There::Stays => self.part.persist_noclobber(&self.path),
            There::Goes => self.part.persist(&self.path),
        };
        placed.map_err(|error| error.error)?;
        File::open(self.dir)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_others_can_write_or_replace_is_not_ours() {
        use std::fs::{Permissions, create_dir, set_permissions, write};
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let (above, path) = (dir.path().join("above"), dir.path().join("above/file"));
        create_dir(&above).unwrap();
        write(&path, "").unwrap();
        let set = |path: &Path, mode| set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for (file, directory, culprit) in [
            (0o755, 0o755, None),
            (0o775, 0o755, Some("above/file")),
            (0o757, 0o755, Some("above/file")),
            (0o755, 0o775, Some("above")),
            (0o755, 0o757, Some("above")),
            (0o755, 0o1777, None),
        ] {
            set(&path, file);
            set(&above, directory);
            for named in [&path, &link] {
                let said = must_be_ours(named).err().map(|error| error.to_string());
                let whole = culprit.map(|culprit| dir.path().canonicalize().unwrap().join(culprit));
                let begins =
                    whole.map(|whole| format!("{} is not safe: others may write it", whole.display()));
                let as_expected = match (&said, &begins) {
                    (Some(said), Some(begins)) => said.starts_with(begins) && said.contains("chmod go-w"),
                    (said, begins) => said.is_none() && begins.is_none(),
                };
                assert!(as_expected, "{file:o} in {directory:o}: {said:?}");
            }
        }
    }

    #[test]
    fn what_is_no_plain_file_or_too_long_is_said_and_hangs_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("small");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert!(read(&path, 4).unwrap_err().to_string().contains("longer than the 4 bytes"));
        overwrite(&path, b"6").unwrap();
        assert_eq!(read_text(&path, 5).unwrap(), "6");
        std::fs::write(&path, [0xff]).unwrap();
        assert!(read_text(&path, 5).unwrap_err().to_string().contains("UTF-8"));

        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(read(&link, 5).is_ok());
        assert!(overwrite(&link, b"7").is_err(), "somebody else's file is not written to");
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, 0o600.into(), 0).unwrap();
        for (path, what) in
            [(&*pipe, "a pipe"), (dir.path(), "a directory"), (Path::new("/dev/zero"), "a device")]
        {
            assert!(read(path, 5).unwrap_err().to_string().contains(what), "{}", path.display());
        }
        assert!(overwrite(&pipe, b"8").is_err());
        assert_eq!(read(&dir.path().join("none"), 5).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_file_appears_whole_for_its_owner_alone_or_not_at_all() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("copy");
        let begin = |text: &[u8]| {
            let mut beside = Beside::of(&path).unwrap();
            beside.file().write_all(text).unwrap();
            beside
        };
        drop(begin(b"half"));
        assert_eq!(dir.path().read_dir().unwrap().count(), 0);
        begin(b"one").appear(There::Stays).unwrap();
        let taken = begin(b"two").appear(There::Stays).unwrap_err();
        assert_eq!(
            (taken.kind(), std::fs::read(&path).unwrap()),
            (io::ErrorKind::AlreadyExists, b"one".to_vec())
        );
        begin(b"three").appear(There::Goes).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"three");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(dir.path().read_dir().unwrap().count(), 1);
    }
}
