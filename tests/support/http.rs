//! A server on a store in memory, and a client that sends exactly the bytes it is told to.

use super::wait::PATIENCE;
use std::io::{ErrorKind, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use keydeck::crypto::random::OsEntropy;
use keydeck::domain::{Command, Event, Expiry, KeyId, Name, NewKey, Note, Place, Timestamp};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Open, in_memory};
use keydeck::engine::{Brought, Engine as _, Via};
use keydeck::serve::http::{Endpoint, Limits, Server};

pub const START: Timestamp = Timestamp(1_790_000_000_000);

/// A server that runs until it is dropped.
pub struct House {
    pub open: Open,
    pub clock: TestClock,
    pub address: SocketAddr,
    pub endpoint: Endpoint,
    running: Running,
}

/// What runs until it is told to stop.
struct Running {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    ended: Receiver<()>,
}

/// An answer: status, headers in order, body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl House {
    pub fn new() -> Self {
        Self::with(Limits::default())
    }

    pub fn with(limits: Limits) -> Self {
        let (clock, open) = Self::store();
        Self::over(open, clock, limits)
    }

    fn store() -> (TestClock, Open) {
        let clock = TestClock::at(START);
        let name = |text| Name::new(text).unwrap();
        let own = Arc::new(clock.clone());
        let open =
            in_memory(name("Acme"), name("maria"), own, Via::CommandLine, Box::new(OsEntropy)).unwrap();
        (clock, open)
    }

    /// A server on a store that is open already.
    pub fn over(open: Open, clock: TestClock, limits: Limits) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), open, clock, limits)
    }

    /// A server on a socket file. Nobody asks it by its address, which it has not.
    pub fn on_socket(path: &std::path::Path) -> Self {
        let (clock, open) = Self::store();
        Self::at(Endpoint::Unix(path.to_owned()), open, clock, Limits::default())
    }

    fn at(endpoint: Endpoint, open: Open, clock: TestClock, limits: Limits) -> Self {
        let (endpoint, running) = Self::serve(&open, endpoint, limits);
        let address = match &endpoint {
            Endpoint::Tcp(address) => *address,
            Endpoint::Unix(_) => SocketAddr::from(([0, 0, 0, 0], 0)),
        };
        Self { open, clock, address, endpoint, running }
    }

    /// Starts again where it was, after it has ended.
    pub fn starts_again(&mut self) {
        self.running = Self::serve(&self.open, self.endpoint.clone(), Limits::default()).1;
    }

    fn serve(open: &Open, endpoint: Endpoint, limits: Limits) -> (Endpoint, Running) {
        let engine = Arc::clone(&open.engine);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (tell, bound) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::bind(engine, &endpoint, limits).unwrap();
                tell.send(server.endpoint().clone()).unwrap();
                server.run(async { drop(stopped.await) }).await;
            });
            let _gone = end.send(());
        });
        (bound.recv_timeout(PATIENCE).unwrap(), Running { stop: Some(stop), ended })
    }

    /// Issues a key; its id and its token.
    pub fn issue(&self, name: &str, place: Place, scopes: &[&str]) -> (KeyId, String) {
        self.issue_until(name, place, scopes, None)
    }

    /// The same, with an end; without one, as the policy has it.
    pub fn issue_until(
        &self,
        name: &str,
        place: Place,
        scopes: &[&str],
        expiry: Option<Expiry>,
    ) -> (KeyId, String) {
        self.makes(NewKey {
            name: Name::new(name).unwrap(),
            place,
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            expiry,
            note: Note::default(),
            decoy: false,
        })
    }

    /// Issues a decoy among the agency keys; its token.
    pub fn lays(&self, name: &str, scopes: &[&str]) -> String {
        let (name, place) = (Name::new(name).unwrap(), Place::Agency);
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.makes(NewKey { name, place, scopes, expiry: None, note: Note::default(), decoy: true }).1
    }

    fn makes(&self, new: NewKey) -> (KeyId, String) {
        let token = self.does(Command::IssueKey(new)).token.unwrap();
        (KeyId(token.id()), token.reveal().to_owned())
    }

    /// Takes over a key that was made elsewhere; what is presented for it.
    pub fn import(&self, name: &str, scopes: &[&str], secret: &[u8]) -> String {
        let new = NewKey {
            name: Name::new(name).unwrap(),
            place: Place::Agency,
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            expiry: None,
            note: Note::default(),
            decoy: false,
        };
        let done = self
            .open
            .engine
            .act(&self.open.session, Command::ImportKey(new, None), Brought::Imported(secret))
            .unwrap();
        let id = done.events.iter().find_map(|event| match event {
            Event::KeyImported(key) => Some(key.id),
            _ => None,
        });
        format!("kdim_{}_{}", id.unwrap(), std::str::from_utf8(secret).unwrap())
    }

    /// Runs a command as maria.
    pub fn does(&self, command: Command) -> keydeck::engine::Done {
        self.open.engine.execute(&self.open.session, command).unwrap()
    }

    /// Asks with these headers, each ending in `\r\n`.
    pub fn ask(&self, target: &str, headers: &str) -> Heard {
        ask(self.address, "GET", target, headers)
    }

    /// Asks with a token as bearer.
    pub fn bearer(&self, target: &str, token: &str) -> Heard {
        self.ask(target, &format!("Authorization: Bearer {token}\r\n"))
    }

    /// The value of a metric, by the whole of its name and labels.
    pub fn metric(&self, name: &str) -> Option<u64> {
        let text = self.ask("/metrics", "").body;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map(|value| value.parse().unwrap())
    }

    /// Tells it to stop, without waiting.
    pub fn tell_to_stop(&mut self) {
        drop(self.running.stop.take());
    }

    /// Whether it has ended.
    pub fn has_ended(&self, within: Duration) -> bool {
        self.running.ended.recv_timeout(within).is_ok()
    }
}

impl Heard {
    /// The values of a header, by its name in small letters.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The one value of a header.
    #[track_caller]
    pub fn one(&self, name: &str) -> &str {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "{name} in {self:?}");
        all[0]
    }

    /// The same without the date, which changes while nobody looks.
    pub fn undated(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "date");
        self
    }
}

pub fn ask(address: SocketAddr, method: &str, target: &str, headers: &str) -> Heard {
    let text = format!("{method} {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n");
    send(address, text.as_bytes())
}

/// Sends bytes on a connection of its own and reads one answer.
pub fn send(address: SocketAddr, bytes: &[u8]) -> Heard {
    let mut socket = connect(address);
    // A server that has heard enough may close before it has all.
    let _closed = socket.write_all(bytes);
    read(&mut socket).unwrap()
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

/// Reads one answer; `None` when the connection closes before its head is whole.
pub fn read(socket: &mut impl std::io::Read) -> Option<Heard> {
    let mut bytes = Vec::new();
    let mut byte = [0; 1];
    while !bytes.ends_with(b"\r\n\r\n") {
        match socket.read(&mut byte) {
            Ok(1) => bytes.push(byte[0]),
            Ok(_) => return None,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&bytes)),
        }
    }
    let head = String::from_utf8(bytes).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    socket.read_exact(&mut body).unwrap();
    Some(Heard { status, headers, body: String::from_utf8(body).unwrap() })
}
