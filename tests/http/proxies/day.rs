//! The day every proxy must get through: who may pass passes, whatever they do on the way, and nobody else does,
//! whatever becomes of keydeck.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use keydeck::domain::Command as Order;
use keydeck::serve::http::Endpoint;

use super::hostile;
use super::street::{Keydeck, Pages, Site, Street};
use super::upstream::SOCKET_KEY;
use crate::support::http::{Heard, connect, read};
use crate::support::wait::{PATIENCE, until};

/// What stands for "asked, and no answer came" at one proxy or another.
const NO_ANSWER: [u16; 4] = [500, 502, 503, 504];

/// The whole day, the same for every proxy.
#[expect(clippy::print_stdout, reason = "says what was tried")]
pub fn day(program: &Path, keydeck: Keydeck, command: impl Fn(&Site<'_>) -> Command) {
    let mut street = Street::open(keydeck, Pages::Off, &command);
    who_may_and_who_may_not(&street);
    let tried = hostile::all(&street);
    bodies_pass(&street);
    one_connection_carries_many(&street);
    web_sockets_pass(&street);
    keydecks_own_addresses(&street);
    pages_are_not_let_in(&street);
    the_address_noted_is_the_callers(&street);
    the_next_request_after_a_change_meets_it(&street);
    keydeck_goes_and_hangs_and_comes_back(&mut street);
    drop(street);
    pages_are_let_in(&Street::open(keydeck, Pages::On, &command));
    println!("{} by {keydeck:?}: {tried}", program.display());
}

fn who_may_and_who_may_not(street: &Street) {
    let (reader, other) = (&street.reader.1, &street.other.1);
    let sent = street.passes(&street.with("/contacts/7?x=y&scope=none", reader));
    assert_eq!(sent.target(), "/contacts/7?x=y&scope=none");
    let id = street.reader.0.to_string();
    let known = [
        ("keydeck-key-id", id.as_str()),
        ("keydeck-kind", "agency"),
        ("keydeck-name", "M%C3%BCller%2C 100 %25"),
        ("keydeck-owner", "maria"),
        ("keydeck-scopes", "contacts.read"),
    ];
    for (name, value) in known {
        assert_eq!(sent.all(name), [value], "{name}: {sent:?}");
    }
    for secret in ["authorization", "x-api-key"] {
        assert!(sent.all(secret).is_empty() && !sent.0.contains(reader.as_str()), "{sent:?}");
    }
    street.passes(&street.ask("/", &format!("X-API-Key: {other}\r\n")));
    street.passes(&street.ask("/", &format!("Authorization: Bearer  {other}\r\n")));
    street.stops(&[403], || street.with("/contacts", other));
    street.stops(&[403], || street.with("/contacts/7", other));
    // RFC 6750 §3: an error only for who presented something.
    let nobody = street.stops(&[401], || street.ask("/", ""));
    assert_eq!(nobody.one("www-authenticate"), "Bearer realm=\"keydeck\"");
    let bad = street.stops(&[401], || street.with("/", "kdag_nonsense"));
    assert_eq!(bad.one("www-authenticate"), "Bearer realm=\"keydeck\", error=\"invalid_token\"");
    street.stops(&[401], || street.ask("/", "Authorization: Basic dTpw\r\n"));
    let twice = format!("Authorization: Bearer {reader}\r\nX-API-Key: {reader}\r\n");
    street.stops(&[400, 401], || street.ask("/", &twice));
    let two = format!("X-API-Key: {reader}\r\nX-API-Key: {other}\r\n");
    street.stops(&[400, 401], || street.ask("/", &two));
}

fn bodies_pass(street: &Street) {
    let token = &street.reader.1;
    let head = format!("Host: shop.example\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n");
    let post = |length: usize| {
        let body = "x".repeat(length);
        street.says(format!("POST /contacts HTTP/1.1\r\n{head}Content-Length: {length}\r\n\r\n{body}"))
    };
    // 60 MB is more than some let through as they come.
    for length in [0, 5, 100_000, 60_000_000] {
        let sent = street.passes(&post(length));
        assert!(sent.0.starts_with("POST /contacts "), "{sent:?}");
        assert_eq!(sent.all("content-length"), [length.to_string()]);
    }
    let chunked =
        format!("PUT /contacts HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    assert!(street.passes(&street.says(chunked)).0.starts_with("PUT /contacts "));
    let longer = format!("GET /contacts HTTP/1.1\r\n{head}X-Padding: {}\r\n\r\n", "x".repeat(6_000));
    street.passes(&street.says(longer));
}

/// Whoever asked before on the same connection lends nobody anything.
fn one_connection_carries_many(street: &Street) {
    let (reader, other) = (&street.reader.1, &street.other.1);
    let mut socket = connect(street.address);
    for round in 0..5 {
        for (token, target, status) in [
            (reader.as_str(), "/contacts", 200),
            (other, "/contacts", 403),
            (other, "/", 200),
            ("nobody", "/", 401),
            (reader, "/contacts/9", 200),
        ] {
            let text = format!(
                "POST {target} HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 2\r\nX-API-Key: {token}\r\n\r\nhi"
            );
            // A proxy may close after a refusal.
            let heard = socket.write_all(text.as_bytes()).ok().and_then(|()| read(&mut socket));
            let heard = heard.unwrap_or_else(|| {
                socket = connect(street.address);
                socket.write_all(text.as_bytes()).unwrap();
                read(&mut socket).unwrap()
            });
            assert_eq!(heard.status, status, "{round} {target}: {heard:?}");
        }
    }
}

fn web_socket(path: &str, token: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {SOCKET_KEY}\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
}

fn web_sockets_pass(street: &Street) {
    let mut socket = connect(street.address);
    socket.write_all(web_socket("/contacts", &street.reader.1).as_bytes()).unwrap();
    assert_eq!(read(&mut socket).unwrap().status, 101);
    socket.write_all(b"hello").unwrap();
    let mut back = [0; 5];
    socket.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"hello");
    street.stops(&[403], || street.says(web_socket("/contacts", &street.other.1)));
    street.stops(&[401], || street.says(web_socket("/", "nobody")));
    // What else could be spoken after an upgrade, keydeck would never be asked about.
    let other = web_socket("/", &street.other.1).replace("Upgrade: websocket", "Upgrade: h2c");
    if let Some(sent) = street.stops_or_passes(|| street.says(other)) {
        assert!(sent.all("upgrade").is_empty(), "{sent:?}");
    }
}

fn keydecks_own_addresses(street: &Street) {
    let keys = street.ask("/.well-known/jwks.json", "");
    assert_eq!((keys.status, keys.body.starts_with("{\"keys\":")), (200, true), "{keys:?}");
    for path in ["/oauth/token", "/oauth/introspect", "/oauth/revoke"] {
        let heard = street.says(format!(
            "POST {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nContent-Length: 7\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Basic YXBwOm5v\r\n\r\ntoken=x"
        ));
        assert_eq!(heard.status, 401, "{path}: {heard:?}");
        assert!(heard.body.contains("invalid_client"), "{path}: {heard:?}");
        assert!(heard.one("www-authenticate").starts_with("Basic "), "{heard:?}");
    }
    // The rest of keydeck is nobody's business.
    for path in
        ["/metrics", "/healthz", "/readyz", "/verify", "/envoy/", "/oauth/", "/oauth/x", "/oauth/token/x"]
    {
        street.stops(&[401], || street.ask(path, ""));
    }
}

fn preflight(street: &Street) -> Heard {
    street.says(
        "OPTIONS /contacts HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\
         Origin: https://app.example\r\nAccess-Control-Request-Method: PUT\r\n\r\n",
    )
}

fn pages_are_not_let_in(street: &Street) {
    let heard = street.stops(&[401], || preflight(street));
    assert!(heard.all("access-control-allow-origin").is_empty(), "{heard:?}");
}

/// With the lines that are off as printed: the proxy answers, and the server behind hears nothing without a key.
fn pages_are_let_in(street: &Street) {
    let heard = street.stops(&[200, 204], || preflight(street));
    assert_eq!(heard.one("access-control-allow-origin"), "https://app.example");
    assert!(heard.one("access-control-allow-headers").contains("Authorization"), "{heard:?}");
    let bare = "OPTIONS /contacts HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n";
    street.stops(&[401], || street.says(bare));
    street.stops(&[401], || street.ask("/", "Origin: https://app.example\r\n"));
    street.stops(&[403], || street.with("/contacts", &street.other.1));
    street.passes(&street.with("/contacts", &street.reader.1));
}

/// The trail names who tried, not who they say they are.
fn the_address_noted_is_the_callers(street: &Street) {
    street.house.open.engine.write_uses_every(std::time::Duration::from_millis(5));
    let (id, token) = street.house.issue("Left behind", keydeck::domain::Place::Agency, &["contacts.read"]);
    street.house.does(Order::revoke(id));
    let said = "X-Forwarded-For: 203.0.113.9\r\nX-Real-IP: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\n";
    let text = format!(
        "GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{said}Authorization: Bearer {token}\r\n\r\n"
    );
    let mut socket = from("127.0.0.7", street.address);
    socket.write_all(text.as_bytes()).unwrap();
    assert_eq!(read(&mut socket).unwrap().status, 401);
    let noted = || {
        let page = street.house.open.engine.audit(&street.house.open.session, None, 100, None).unwrap();
        let mut tries = page
            .lines
            .into_iter()
            .filter(|line| line.entry.denial().is_some_and(|text| text.contains("Left behind")));
        tries.find_map(|line| line.entry.tries.and_then(|tries| tries.address))
    };
    street.house.clock.pass(60_000);
    until("the entry", || noted().is_some());
    assert_eq!(noted().as_deref(), Some("127.0.0.7"));
}

/// A connection from an address of one's own.
fn from(source: &str, to: std::net::SocketAddr) -> std::net::TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(format!("{source}:0").parse().unwrap()).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn the_next_request_after_a_change_meets_it(street: &Street) {
    let (id, token) = (street.reader.0, &street.reader.1);
    street.passes(&street.with("/contacts", token));
    street.house.does(Order::revoke(id));
    street.stops(&[401], || street.with("/contacts", token));
    street.passes(&street.with("/", &street.other.1));
}

/// Without keydeck nobody passes, be it gone or silent, and who waits for one that is silent is told soon: the answer
/// comes while it still is. Once it is back all goes on.
fn keydeck_goes_and_hangs_and_comes_back(street: &mut Street) {
    let token = street.other.1.clone();
    street.house.tell_to_stop();
    assert!(street.house.has_ended(PATIENCE));
    street.stops(&NO_ANSWER, || street.with("/", &token));
    {
        let _silent = Silent::at(&street.house.endpoint);
        street.stops(&NO_ANSWER, || street.with("/", &token));
        street.stops(&NO_ANSWER, || street.with("/contacts", &token));
    }
    street.stops(&NO_ANSWER, || street.with("/", &token));
    street.house.starts_again();
    until("keydeck is asked again", || street.with("/", &token).status == 200);
    street.stops(&[403], || street.with("/contacts", &token));
}

/// Somebody who lets connections in and never says a word.
enum Silent {
    Port { _listener: TcpListener },
    Socket { _listener: UnixListener, path: std::path::PathBuf },
}

impl Silent {
    fn at(endpoint: &Endpoint) -> Self {
        match endpoint {
            Endpoint::Tcp(address) => Self::Port { _listener: TcpListener::bind(address).unwrap() },
            Endpoint::Unix(path) => {
                Self::Socket { _listener: UnixListener::bind(path).unwrap(), path: path.clone() }
            }
        }
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        if let Self::Socket { path, .. } = self {
            std::fs::remove_file(path).unwrap();
        }
    }
}
