//! Client, proxy, keydeck and server in a row: how they are started, and what a client says and hears.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use keydeck::crypto::random::{self, OsEntropy};
use keydeck::domain::{Command as Order, KeyId, LocationId, Name, Place};
use keydeck::serve::guide::{Proxy, Wiring, snippet};
use keydeck::serve::http::Endpoint;

use super::upstream::Upstream;
use crate::support::http::{Heard, House, send};
use crate::support::wait::until;

/// A proxy that runs until it is dropped.
struct Running {
    child: Child,
    dir: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// The four in a row, and two keys: one with `contacts.read`, and a location's without.
pub struct Street {
    pub house: House,
    pub upstream: Upstream,
    pub address: SocketAddr,
    pub reader: (KeyId, String),
    pub other: (KeyId, String),
    pub location: LocationId,
    proxy: Running,
    /// Where keydeck's socket file is, if it has one.
    _socket: Option<tempfile::TempDir>,
}

/// Where keydeck listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keydeck {
    Port,
    Socket,
}

/// Whether pages of another origin may call: the lines of a configuration that are off as printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    Off,
    On,
}

/// What a proxy's own files are made of: its configuration filled in, and a directory to put it in.
pub struct Site<'s> {
    pub dir: &'s Path,
    wiring: Wiring<'s>,
    pages: Pages,
}

impl Site<'_> {
    pub fn snippet(&self, proxy: Proxy) -> String {
        let text = snippet(proxy, self.wiring).unwrap();
        match self.pages {
            Pages::Off => text,
            Pages::On => text.replace("#- ", ""),
        }
    }

    pub fn write(&self, name: &str, text: &str) -> std::path::PathBuf {
        let path = self.dir.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

/// A port nobody has at this moment, and which is not given to a program that takes any: until the proxy has it, another
/// test's keydeck would answer there in its place.
pub fn free_port() -> u16 {
    let drawn = std::iter::repeat_with(|| u16::from_ne_bytes(random::bytes(&mut OsEntropy).unwrap()));
    let mut ports = drawn.map(|drawn| 10_000 + drawn % 20_000);
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

impl Street {
    /// Starts all four; `command` writes the proxy's files and says how to start it.
    pub fn open(keydeck: Keydeck, pages: Pages, command: impl Fn(&Site<'_>) -> Command) -> Self {
        let socket = (keydeck == Keydeck::Socket).then(|| tempfile::tempdir().unwrap());
        let house =
            socket.as_ref().map_or_else(House::new, |dir| House::on_socket(&dir.path().join("http.sock")));
        let listen = match &house.endpoint {
            Endpoint::Tcp(address) => address.to_string(),
            socket @ Endpoint::Unix(_) => socket.to_string(),
        };
        house.does(Order::AddLocations(vec![Name::new("Downtown").unwrap()]));
        let location = house.open.engine.state().locations().next().unwrap().id;
        let reader = house.issue("Müller, 100 %", Place::Agency, &["contacts.read"]);
        let other = house.issue("Calendar", Place::Location(location), &["calendars.read"]);
        let upstream = Upstream::start();
        let behind = upstream.address.to_string();
        // Between choosing a free port and taking it somebody else may.
        for _ in 0..5 {
            let port = free_port();
            let dir = tempfile::tempdir().unwrap();
            let wiring = Wiring { keydeck: &listen, upstream: &behind, port };
            let mut command = command(&Site { dir: dir.path(), wiring, pages });
            let log = File::create(dir.path().join("log")).unwrap();
            command.current_dir(dir.path()).env_clear().env("HOME", dir.path());
            command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
            let mut proxy = Running { child: command.spawn().unwrap(), dir };
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            if proxy.answers_at(address) {
                return Self { house, upstream, address, reader, other, location, proxy, _socket: socket };
            }
            assert!(proxy.log().contains("in use"), "the proxy did not start:\n{}", proxy.log());
        }
        panic!("no port was free for the proxy");
    }

    pub fn ask(&self, target: &str, headers: &str) -> Heard {
        self.says(format!(
            "GET {target} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{headers}\r\n"
        ))
    }

    pub fn says(&self, text: impl AsRef<[u8]>) -> Heard {
        send(self.address, text.as_ref())
    }

    pub fn with(&self, target: &str, token: &str) -> Heard {
        self.ask(target, &format!("Authorization: Bearer {token}\r\n"))
    }

    /// It passes, and this is what the server behind was sent.
    #[track_caller]
    pub fn passes(&self, heard: &Heard) -> Sent {
        assert_eq!(heard.status, 200, "{heard:?}\n{}", self.proxy.log());
        Sent(heard.body.clone())
    }

    /// Nothing of it reaches the server behind.
    #[track_caller]
    pub fn stops(&self, statuses: &[u16], ask: impl FnOnce() -> Heard) -> Heard {
        let before = self.upstream.reached();
        let heard = ask();
        assert!(statuses.contains(&heard.status), "{heard:?}\n{}", self.proxy.log());
        assert_eq!(self.upstream.reached(), before, "{heard:?}");
        assert!(!heard.headers.iter().any(|(name, _)| name.starts_with("keydeck")), "{heard:?}");
        heard
    }

    /// It is refused before the server behind hears of it, or this is what that server was sent.
    #[track_caller]
    pub fn stops_or_passes(&self, ask: impl FnOnce() -> Heard) -> Option<Sent> {
        let before = self.upstream.reached();
        let heard = ask();
        if heard.status == 200 {
            return Some(Sent(heard.body));
        }
        assert!([400, 401, 403, 404].contains(&heard.status), "{heard:?}\n{}", self.proxy.log());
        assert_eq!(self.upstream.reached(), before, "{heard:?}");
        None
    }
}

impl Running {
    /// Waits until it has read its configuration and lets keydeck's own public keys through; false when it has ended
    /// instead.
    fn answers_at(&mut self, address: SocketAddr) -> bool {
        let keys = b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n";
        let mut lets_through = false;
        until("the proxy to let somebody through", || {
            lets_through = TcpStream::connect(address).is_ok() && send(address, keys).status == 200;
            lets_through || self.child.try_wait().unwrap().is_some()
        });
        lets_through
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

/// What the server behind was sent.
#[derive(Debug)]
pub struct Sent(pub String);

impl Sent {
    /// The path and query it was asked for.
    pub fn target(&self) -> &str {
        self.0.split(' ').nth(1).unwrap()
    }

    /// The values of a header in any spelling a server may take for it.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let same = |known: &str| {
            known.to_ascii_lowercase().replace(|sign: char| !sign.is_ascii_alphanumeric(), "-") == name
        };
        let lines = self.0.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.filter(|(known, _)| same(known)).map(|(_, value)| value.trim()).collect()
    }
}
