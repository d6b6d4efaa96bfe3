//! Where the server is reached: a TCP address, or a socket file on this machine, which is cheaper and which no other
//! machine can reach. What follows is the same for both.

use std::fmt;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener as StdTcpListener};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::serve::socket_file;

/// What stands before the path of a socket file, as nginx writes it.
const UNIX: &str = "unix:";
/// The proxy is another user: it gets in by the group of the file.
const MODE: u32 = 0o660;

/// A place to listen at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A socket file.
    Unix(PathBuf),
}

/// Not a place to listen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write an address with its port, such as 127.0.0.1:8787, or unix: and a path, such as unix:/run/keydeck/http.sock"
)]
pub struct BadEndpoint;

impl FromStr for Endpoint {
    type Err = BadEndpoint;

    fn from_str(text: &str) -> Result<Self, BadEndpoint> {
        match text.strip_prefix(UNIX) {
            Some("") => Err(BadEndpoint),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| BadEndpoint),
        }
    }
}

impl fmt::Display for Endpoint {
    /// `http://127.0.0.1:8787` or `unix:/run/keydeck/http.sock`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "http://{address}"),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

/// A place that is taken and not served yet; given back when dropped.
pub struct Bound {
    socket: Socket,
    endpoint: Endpoint,
}

enum Socket {
    Tcp(StdTcpListener),
    /// With its file, unless whoever opened it looks after that.
    Unix(StdUnixListener, Option<SocketFile>),
}

impl Endpoint {
    /// Takes it.
    ///
    /// # Errors
    /// The system's answer, or that another process answers there.
    pub fn bind(&self) -> io::Result<Bound> {
        match self {
            Self::Tcp(address) => Bound::of_tcp(StdTcpListener::bind(address)?),
            Self::Unix(path) => {
                let path = std::path::absolute(path)?;
                let (listener, file) = SocketFile::offer(&path)?;
                Ok(Bound { socket: Socket::Unix(listener, Some(file)), endpoint: Self::Unix(path) })
            }
        }
    }
}

impl Bound {
    /// A port that somebody else opened, such as a supervisor.
    ///
    /// # Errors
    /// It has no address.
    pub fn of_tcp(listener: StdTcpListener) -> io::Result<Self> {
        let endpoint = Endpoint::Tcp(listener.local_addr()?);
        Ok(Self { socket: Socket::Tcp(listener), endpoint })
    }

    /// A socket file that somebody else opened, and removes.
    ///
    /// # Errors
    /// It has no address.
    pub fn of_unix(listener: StdUnixListener) -> io::Result<Self> {
        let path = listener.local_addr()?.as_pathname().map(Path::to_owned).unwrap_or_default();
        Ok(Self { socket: Socket::Unix(listener, None), endpoint: Endpoint::Unix(path) })
    }

    /// Where it is, in full.
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Listens. Must be called on a tokio runtime.
    pub(super) fn listen(self) -> io::Result<(Listener, Endpoint)> {
        let listener = match self.socket {
            Socket::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                Listener::Tcp(TcpListener::from_std(listener)?)
            }
            Socket::Unix(listener, file) => {
                listener.set_nonblocking(true)?;
                Listener::Unix(UnixPlace { listener: UnixListener::from_std(listener)?, _file: file })
            }
        };
        Ok((listener, self.endpoint))
    }
}

/// An open listener.
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixPlace),
}

/// A socket file that is listened on.
pub(super) struct UnixPlace {
    listener: UnixListener,
    _file: Option<SocketFile>,
}

/// The file of a socket; removed when dropped.
struct SocketFile {
    path: PathBuf,
    /// Device and number of the file: one that somebody else put there later is theirs.
    file: (u64, u64),
}

impl SocketFile {
    fn offer(path: &Path) -> io::Result<(StdUnixListener, Self)> {
        socket_file::must_fit(path)?;
        // Left of a process that is gone, unless somebody answers.
        match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => return Err(io::Error::new(io::ErrorKind::AddrInUse, "another process answers there")),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
            Err(_) => socket_file::clear(path)?,
        }
        let listener = StdUnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
        let there = fs::symlink_metadata(path)?;
        Ok((listener, Self { path: path.to_owned(), file: (there.dev(), there.ino()) }))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let still =
            fs::symlink_metadata(&self.path).is_ok_and(|there| (there.dev(), there.ino()) == self.file);
        if still {
            // What somebody else removed is gone just as well.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Something connections come from.
pub(super) trait Accept {
    /// What a connection is read from and written to.
    type Socket: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// The next connection, and where it comes from if that has an address.
    fn next(&self) -> impl Future<Output = io::Result<(Self::Socket, Option<IpAddr>)>> + Send;
}

impl Accept for TcpListener {
    type Socket = TcpStream;

    async fn next(&self) -> io::Result<(TcpStream, Option<IpAddr>)> {
        let (socket, peer) = self.accept().await?;
        // An answer is one small packet and shall not wait for another.
        let _ = socket.set_nodelay(true);
        Ok((socket, Some(peer.ip())))
    }
}

impl Accept for UnixPlace {
    type Socket = UnixStream;

    async fn next(&self) -> io::Result<(UnixStream, Option<IpAddr>)> {
        Ok((self.listener.accept().await?.0, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_told_as_people_write_it() {
        for (text, told) in [
            ("127.0.0.1:8787", "http://127.0.0.1:8787"),
            ("[::1]:0", "http://[::1]:0"),
            ("unix:/run/keydeck/http.sock", "unix:/run/keydeck/http.sock"),
            ("unix:here.sock", "unix:here.sock"),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), told);
        }
        for bad in [
            "",
            "unix:",
            "8787",
            "localhost:8787",
            "127.0.0.1",
            "/run/keydeck/http.sock",
            "http://127.0.0.1:1",
        ] {
            assert_eq!(bad.parse::<Endpoint>(), Err(BadEndpoint), "{bad}");
        }
    }

    #[test]
    fn only_a_file_that_nobody_answers_on_is_replaced_and_only_ones_own_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("http.sock");
        drop(StdUnixListener::bind(&path).unwrap());
        assert!(path.exists(), "as a process leaves it that was killed");
        let first = SocketFile::offer(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        let second = SocketFile::offer(&path).err().unwrap();
        assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
        // Somebody moves it away and puts their own there.
        fs::rename(&path, dir.path().join("moved.sock")).unwrap();
        let other = SocketFile::offer(&path).unwrap();
        drop(first);
        assert!(path.exists(), "it is another's now");
        drop(other);
        assert!(!path.exists());
        fs::write(&path, "precious").unwrap();
        assert!(SocketFile::offer(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        assert!(SocketFile::offer(&dir.path().join("x".repeat(120))).is_err());
    }
}
