//! The platform's own server, as small as it can be: it answers with what it was sent.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
                std::thread::spawn(move || answer(socket, &count));
            }
        });
        Self { address, reached }
    }

    /// Requests that got this far.
    pub fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }
}

/// The head goes back as the body of the answer. A connection that closes without a request was a look.
fn answer(socket: TcpStream, count: &AtomicUsize) -> Option<()> {
    let mut reader = BufReader::new(socket.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    count.fetch_add(1, Ordering::SeqCst);
    let answer =
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{head}", head.len());
    let mut socket = socket;
    socket.write_all(answer.as_bytes()).ok()
}
