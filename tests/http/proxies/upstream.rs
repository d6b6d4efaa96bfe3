//! The platform's own server, as small as it can be: it answers with what it was sent. And how servers read a path.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What every WebSocket is opened with here, and the answer to it (RFC 6455 §1.3).
pub const SOCKET_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const SOCKET_ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Answers for as long as the test runs.
pub struct Upstream {
    pub address: SocketAddr,
    reached: Arc<AtomicUsize>,
}

impl Upstream {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let reached = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&reached);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let count = Arc::clone(&count);
                std::thread::spawn(move || while answer(&socket, &count).is_some() {});
            }
        });
        Self { address, reached }
    }

    /// Requests that got this far.
    pub fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }
}

/// The head goes back as the body of the answer, once all of the request is read: who answers before and closes cuts off
/// a proxy that is still sending. A connection that closes without a request was a look.
fn answer(mut socket: &TcpStream, count: &AtomicUsize) -> Option<()> {
    let mut reader = BufReader::new(socket);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    count.fetch_add(1, Ordering::SeqCst);
    let value = |name: &str| {
        let same = |line: &&str| line.split(':').next().is_some_and(|known| known.eq_ignore_ascii_case(name));
        head.lines().find(same).and_then(|line| Some(line.split_once(':')?.1.trim().to_owned()))
    };
    if let Some(length) = value("content-length") {
        std::io::copy(&mut reader.by_ref().take(length.parse().ok()?), &mut std::io::sink()).ok()?;
    } else if value("transfer-encoding").is_some() {
        read_chunks(&mut reader)?;
    }
    if value("upgrade").is_some() {
        let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
        socket.write_all(format!("{answer}Sec-WebSocket-Accept: {SOCKET_ACCEPT}\r\n\r\n").as_bytes()).ok()?;
        std::io::copy(&mut reader, &mut socket).ok()?;
        return None;
    }
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{head}", head.len());
    socket.write_all(answer.as_bytes()).ok()
}

fn read_chunks(reader: &mut impl std::io::BufRead) -> Option<()> {
    let mut line = String::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        match u64::from_str_radix(line.trim(), 16).ok()? {
            0 => break,
            length => drop(std::io::copy(&mut reader.take(length + 2), &mut std::io::sink()).ok()?),
        }
    }
    while line.trim() != "" {
        line.clear();
        reader.read_line(&mut line).ok()?;
    }
    Some(())
}

/// How a server makes a page out of a path.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// By its bytes.
    AsWritten,
    /// After decoding, once or twice, cutting off parameters and resolving dots and slashes, in one order or another.
    Decoding,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::AsWritten, Self::Decoding];

    /// Whether such a server could serve its contacts for this target.
    pub fn serves_contacts(self, target: &str) -> bool {
        let path = target.split(['?', '#']).next().unwrap().to_owned();
        let once = decoded(&path);
        let twice = decoded(&once);
        let readings = match self {
            Self::AsWritten => vec![path],
            Self::Decoding => {
                let mut all = vec![path.clone(), once.clone(), twice.clone()];
                all.extend([&path, &once, &twice].map(|path| resolved(&without_parameters(path))));
                all.extend([&path, &once, &twice].map(|path| resolved(path)));
                all.push(resolved(&decoded(&without_parameters(&path))));
                all.push(decoded(&resolved(&path)));
                all
            }
        };
        readings.iter().any(|path| path.starts_with("/contacts"))
    }
}

/// Percent-decoded as a careless server does it: overlong forms are taken for what they mean.
fn decoded(path: &str) -> String {
    let careless =
        ["%c0%ae", "%c0%af", "%e0%80%af", "%u002e", "%u002f"].into_iter().zip([".", "/", "/", ".", "/"]);
    let path = careless.fold(path.to_owned(), |path, (long, short)| {
        path.replace(long, short).replace(&long.to_uppercase(), short)
    });
    percent_encoding::percent_decode_str(&path).decode_utf8_lossy().replace('\0', "")
}

fn without_parameters(path: &str) -> String {
    path.split('/').map(|segment| segment.split(';').next().unwrap()).collect::<Vec<_>>().join("/")
}

fn resolved(path: &str) -> String {
    let path = path.replace('\\', "/");
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            name => segments.push(name),
        }
    }
    format!("/{}", segments.join("/"))
}

#[test]
fn a_server_that_decodes_finds_contacts_where_one_that_does_not_finds_none() {
    for path in [
        "/%63ontacts",
        "/x/..;/contacts",
        "/;/contacts",
        "/\\contacts",
        "/%252e/contacts",
        "/x%2f..%2fcontacts",
    ] {
        assert!(Kind::Decoding.serves_contacts(path), "{path}");
        assert!(!Kind::AsWritten.serves_contacts(path), "{path}");
    }
    for kind in Kind::ALL {
        assert!(kind.serves_contacts("/contacts/7?x=y") && !kind.serves_contacts("/calendars?x=/contacts"));
    }
}
