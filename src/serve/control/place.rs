//! Where the socket is. Its name is always `control.sock` in the data directory, so that nobody has to be told; where
//! that path is longer than a socket's may be, or another was asked for, a link of that name leads to it.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::serve::socket_file::{clear, fits, must_fit};

/// The socket, or a link to it, in the data directory.
pub const SOCKET_FILE: &str = "control.sock";

/// A socket that is offered; removed when dropped.
pub struct Place {
    /// The socket itself.
    socket: PathBuf,
    /// The link to it, when it is elsewhere.
    link: Option<PathBuf>,
    /// A directory of its own, when it needed one.
    _dir: Option<TempDir>,
}

impl Place {
    /// Offers a socket for the store in `dir`, at `wanted` if somewhere else is wanted. The caller holds the store's
    /// lock, so whatever has that name now is left of a process that is gone.
    pub fn offer(dir: &Path, wanted: Option<&Path>) -> io::Result<(Self, UnixListener)> {
        let name = dir.join(SOCKET_FILE);
        clear(&name)?;
        let (socket, own) = match wanted {
            Some(path) => (std::path::absolute(path)?, None),
            None if fits(&name) => (name.clone(), None),
            None => {
                let own = short_dir()?;
                (own.path().join(SOCKET_FILE), Some(own))
            }
        };
        must_fit(&socket)?;
        if socket != name {
            clear(&socket)?;
        }
        let listener = UnixListener::bind(&socket)?;
        let mut place = Self { socket, link: None, _dir: own };
        fs::set_permissions(&place.socket, fs::Permissions::from_mode(0o600))?;
        if place.socket != name {
            symlink(&place.socket, &name)?;
            place.link = Some(name);
        }
        Ok((place, listener))
    }

    /// The socket itself.
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for path in self.link.iter().chain([&self.socket]) {
            // What somebody else removed is gone just as well.
            let _ = fs::remove_file(path);
        }
    }
}

/// Whether a socket could be offered, by offering one for an instant. As with `Place::offer`, the caller holds the lock.
///
/// # Errors
/// Why none could.
pub fn try_offer(dir: &Path, wanted: Option<&Path>) -> io::Result<()> {
    Place::offer(dir, wanted).map(drop)
}

/// Knocks at the socket of the store in `dir`.
pub fn knock(dir: &Path) -> io::Result<UnixStream> {
    let name = dir.join(SOCKET_FILE);
    // The link is followed here, not by the kernel: the link's own path may be too long for it.
    let socket = fs::read_link(&name).unwrap_or(name);
    UnixStream::connect(socket)
}

/// A directory of our own with a short path, where this system keeps such things.
fn short_dir() -> io::Result<TempDir> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_absolute());
    let parent = runtime.filter(|dir| dir.is_dir()).unwrap_or_else(std::env::temp_dir);
    tempfile::Builder::new()
        .prefix("keydeck-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_socket_is_replaced_and_a_file_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let name = dir.path().join(SOCKET_FILE);
        // Dropping a listener leaves its file, as a killed process does.
        drop(UnixListener::bind(&name).unwrap());
        assert!(knock(dir.path()).is_err());
        let (place, listener) = Place::offer(dir.path(), None).unwrap();
        assert_eq!(fs::metadata(&name).unwrap().permissions().mode() & 0o777, 0o600);
        knock(dir.path()).unwrap();
        drop((place, listener));
        assert!(!name.exists(), "removed at the end");
        fs::write(&name, "precious").unwrap();
        assert!(Place::offer(dir.path(), None).is_err());
        assert_eq!(fs::read_to_string(&name).unwrap(), "precious");
    }

    #[test]
    fn a_long_path_and_a_wanted_one_are_found_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("d".repeat(100));
        fs::create_dir(&deep).unwrap();
        let (place, listener) = Place::offer(&deep, None).unwrap();
        let socket = place.socket().to_owned();
        assert!(fits(&socket) && socket.exists());
        assert_eq!(fs::metadata(socket.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        knock(&deep).unwrap();
        drop((place, listener));
        assert!(!socket.exists() && fs::symlink_metadata(deep.join(SOCKET_FILE)).is_err());

        let wanted = dir.path().join("elsewhere.sock");
        let (place, listener) = Place::offer(dir.path(), Some(&wanted)).unwrap();
        assert_eq!(place.socket(), wanted);
        knock(dir.path()).unwrap();
        drop((place, listener));
        assert!(Place::offer(&deep, Some(&deep.join(SOCKET_FILE))).is_err(), "asked for, and too long");
    }
}
