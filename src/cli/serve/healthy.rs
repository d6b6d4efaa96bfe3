//! `keydeck serve --healthy`: asks a running server, for whoever has nothing else in a container that could.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Duration;

use crate::cli::Outcome;
use crate::cli::door::Deck;
use crate::cli::fault::Fault;
use crate::serve::http::Endpoint;

/// Who takes longer to answer is not well.
const PATIENCE: Duration = Duration::from_secs(5);
/// Far more than it says.
const MOST: u64 = 16 * 1024;

/// Prints what the server says of itself.
pub fn run(deck: &Deck, endpoint: &Endpoint) -> Outcome {
    let answer =
        ask(endpoint).map_err(|error| Fault::unavailable(format!("{endpoint} does not answer: {error}.")))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.split(' ').nth(1) == Some("200") {
        deck.output.text(body)?;
        return Ok(ExitCode::SUCCESS);
    }
    Err(Fault::unavailable(format!("{endpoint}: {}", body.trim_end())))
}

fn ask(endpoint: &Endpoint) -> io::Result<String> {
    match endpoint {
        Endpoint::Tcp(address) => {
            let socket = TcpStream::connect_timeout(&reachable(*address), PATIENCE)?;
            socket.set_read_timeout(Some(PATIENCE))?;
            talk(socket)
        }
        Endpoint::Unix(path) => {
            let socket = UnixStream::connect(path)?;
            socket.set_read_timeout(Some(PATIENCE))?;
            talk(socket)
        }
    }
}

/// Who listens at all addresses is asked at the nearest.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn talk(mut socket: impl Read + Write) -> io::Result<String> {
    socket.write_all(b"GET /readyz HTTP/1.1\r\nHost: keydeck\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    socket.take(MOST).read_to_string(&mut answer)?;
    Ok(answer)
}
