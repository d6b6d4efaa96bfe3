//! Socket files: how long their path may be, and how one that is in the way is removed.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

/// Bytes a socket's path may have: `sun_path` without its end (unix(7)).
const PATH_MAX: usize = 107;

/// Whether a socket can have that path.
pub fn fits(path: &Path) -> bool {
    path.as_os_str().len() <= PATH_MAX
}

/// Refuses a path that no socket can have.
pub fn must_fit(path: &Path) -> io::Result<()> {
    if fits(path) {
        return Ok(());
    }
    let why = format!(
        "{} is longer than the {PATH_MAX} bytes a socket's path may have; name a shorter one",
        path.display()
    );
    Err(io::Error::new(io::ErrorKind::InvalidInput, why))
}

/// Removes a socket or link of that name, and nothing else.
pub fn clear(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(there) if there.file_type().is_socket() || there.is_symlink() => fs::remove_file(path),
        Ok(_) => {
            let why = format!("{} is in the way, and it is no socket; move it elsewhere", path.display());
            Err(io::Error::new(io::ErrorKind::AlreadyExists, why))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
