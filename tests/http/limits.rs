//! Whoever sends more, slower or longer than a request needs is cut off, and everybody else is served meanwhile.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::http::{House, connect, read, send};
use crate::support::wait::{PATIENCE, until};
use keydeck::domain::Place;
use keydeck::serve::http::Limits;
use keydeck::serve::http::limits::{HEAD_BYTES, HEADERS, URI_BYTES};

/// Whether the other side has closed, once all that was sent is read.
fn is_closed(socket: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    match socket.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

fn quick() -> Limits {
    let moment = Duration::from_millis(300);
    Limits { head: moment, idle: moment, answer: moment, ..Limits::default() }
}

#[test]
fn the_defaults_are_what_is_promised() {
    let limits = Limits::default();
    assert_eq!((limits.head, limits.idle), (Duration::from_secs(10), Duration::from_secs(75)));
    assert_eq!((limits.connections, limits.drain), (4_096, Duration::from_secs(5)));
    assert_eq!((HEAD_BYTES, HEADERS, URI_BYTES), (32 * 1024, 100, 8 * 1024));
}

#[test]
fn a_head_that_is_too_much_is_refused_and_the_server_lives() {
    let house = House::new();
    let (_, token) = house.issue("A", Place::Agency, &["contacts.read"]);
    let key = format!("X-API-Key: {token}\r\n");
    let status = |target: &str, headers: &str| house.ask(target, headers).status;
    // Host, Connection and the key are three of them.
    assert_eq!(status("/verify", &format!("{key}{}", "a: b\r\n".repeat(HEADERS - 3))), 200);
    assert_eq!(status("/verify", &format!("{key}{}", "a: b\r\n".repeat(HEADERS - 2))), 431);
    assert_eq!(status("/verify", &format!("{key}{}", "a: b\r\n".repeat(1_000))), 431);
    assert_eq!(status("/verify", &format!("{key}a: {}\r\n", "b".repeat(HEAD_BYTES - 1_000))), 200);
    assert_eq!(status("/verify", &format!("{key}a: {}\r\n", "b".repeat(HEAD_BYTES))), 431);
    assert_eq!(status("/verify", &format!("{key}a: {}\r\n", "b".repeat(2 * HEAD_BYTES))), 431);
    let long = |length: usize| format!("/envoy/?{}", "x".repeat(length - "/envoy/?".len()));
    assert_eq!(status(&long(URI_BYTES), &key), 200);
    assert_eq!(status(&long(URI_BYTES + 1), &key), 414);
    assert_eq!(send(house.address, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n").status, 400);
    // HTTP/2 is not spoken, and not answered.
    let mut two = connect(house.address);
    two.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    assert_eq!(read(&mut two), None);
    assert_eq!(status("/verify", &key), 200);
    let counted = || house.metric(r#"keydeck_http_faults_total{kind="malformed"}"#) == Some(6);
    until("each to be counted, which is after its answer", counted);
}

#[test]
fn a_body_is_never_waited_for() {
    let house = House::new();
    let (_, token) = house.issue("A", Place::Agency, &["contacts.read"]);
    let head = format!("POST /verify HTTP/1.1\r\nX-API-Key: {token}\r\n");
    for body in [
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "Content-Length: 1000000000\r\n\r\nhello",
        "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    ] {
        let mut socket = connect(house.address);
        socket.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let heard = read(&mut socket).unwrap();
        assert_eq!(heard.status, 200, "{body}");
        assert!(
            is_closed(&mut socket),
            "what remains of a body must not be taken for the next request: {body}"
        );
    }
    // Two lengths are no length.
    let smuggled = format!("{head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello");
    assert_eq!(send(house.address, smuggled.as_bytes()).status, 400);
}

#[test]
fn half_a_question_behind_a_hash_sign_opens_no_door() {
    let house = House::new();
    let (_, token) = house.issue("A", Place::Agency, &["contacts.read"]);
    for target in [
        "/verify?scope=contacts.read#scope=contacts.write",
        "/verify?scope=contacts.read#",
        "/verify#?scope=contacts.write",
        "/envoy/x#/../contacts",
        "http://keydeck/verify#x",
    ] {
        let text = format!("GET {target} HTTP/1.1\r\nX-API-Key: {token}\r\n\r\n");
        let mut socket = connect(house.address);
        socket.write_all(text.as_bytes()).unwrap();
        assert_eq!(read(&mut socket).unwrap().status, 400, "{target}");
        assert!(is_closed(&mut socket), "{target}");
    }
    let heard = house.ask("/verify?scope=contacts.read", &format!("X-API-Key: {token}\r\nCookie: a#b\r\n"));
    assert_eq!(heard.status, 200, "elsewhere the sign is one like any other");
    let counted = || house.metric(r#"keydeck_http_faults_total{kind="malformed"}"#) == Some(5);
    until("each to be counted, which is after its answer", counted);
}

/// RFC 9112 §6.1: the length does not count, and nothing that follows is taken for a request.
#[test]
fn what_is_hidden_between_two_lengths_is_never_answered() {
    let house = House::new();
    let (_, token) = house.issue("A", Place::Agency, &["contacts.read"]);
    let hidden = format!("GET /verify HTTP/1.1\r\nX-API-Key: {token}\r\n\r\n");
    let (coded, length) =
        ("Transfer-Encoding: chunked\r\n", format!("Content-Length: {}\r\n", 5 + hidden.len()));
    for lines in [format!("{coded}{length}"), format!("{length}{coded}")] {
        for target in ["/verify", "/oauth/token"] {
            let text = format!("POST {target} HTTP/1.1\r\n{lines}\r\n0\r\n\r\n{hidden}");
            let mut socket = connect(house.address);
            socket.write_all(text.as_bytes()).unwrap();
            assert!(matches!(read(&mut socket).unwrap().status, 400 | 401), "{text}");
            assert!(is_closed(&mut socket), "{text}");
        }
    }
    for odd in [
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Content-Length: +5\r\n",
        "A: b\r\n c\r\n",
        "A: b\rc\r\n",
        "A : b\r\n",
    ] {
        let text = format!("GET /verify HTTP/1.1\r\nX-API-Key: {token}\r\n{odd}\r\n");
        assert_eq!(send(house.address, text.as_bytes()).status, 400, "{odd:?}");
    }
}

/// The slow hash of an imported key, and a form: both take longer than it takes to see that the caller closed their half.
#[test]
fn who_closes_their_half_after_asking_still_gets_the_answer() {
    let house = House::new();
    let (_, quick) = house.issue("A", Place::Agency, &["contacts.read"]);
    let slow = house.import("Old", &["contacts.read"], b"legacy-secret-0001");
    let token = "POST /oauth/token HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                 Content-Length: 29\r\n\r\ngrant_type=client_credentials";
    let verify = |key: &str| format!("GET /verify HTTP/1.1\r\nX-API-Key: {key}\r\n\r\n");
    for (text, status) in [(verify(&quick), 200), (verify(&slow), 200), (token.to_owned(), 401)] {
        let mut socket = connect(house.address);
        socket.write_all(text.as_bytes()).unwrap();
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        let heard = read(&mut socket).unwrap_or_else(|| panic!("no answer to {text}"));
        assert_eq!(heard.status, status, "{text}");
        assert!(is_closed(&mut socket), "nothing more will come, so nobody waits for it");
    }
}

#[test]
fn requests_follow_each_other_on_one_connection() {
    let house = House::new();
    let (_, token) = house.issue("A", Place::Agency, &["contacts.read"]);
    let mut socket = connect(house.address);
    let one = format!("GET /verify HTTP/1.1\r\nX-API-Key: {token}\r\n\r\n");
    let two = "GET /verify HTTP/1.1\r\n\r\n";
    for _ in 0..50 {
        socket.write_all(format!("{one}{two}{one}").as_bytes()).unwrap();
        let heard: Vec<_> = (0..3).map(|_| read(&mut socket).unwrap().status).collect();
        assert_eq!(heard, [200, 401, 200]);
    }
    assert_eq!(house.metric("keydeck_http_connections_total"), Some(2));
}

#[test]
fn who_is_silent_or_slow_is_cut_off() {
    let house = House::with(quick());
    let mut silent = connect(house.address);
    let mut half = connect(house.address);
    half.write_all(b"GET /verify HTTP/1.1\r\nX-API").unwrap();
    let mut idle = connect(house.address);
    idle.write_all(b"GET /healthz HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(read(&mut idle).unwrap().status, 200);
    let mut dripping = connect(house.address);
    dripping.write_all(b"GET /verify HTTP/1.1\r\n").unwrap();
    let mut drops = 0;
    until("the dripping one to be cut off", || {
        drops += 1;
        dripping.write_all(b"a: b\r\n").is_err()
    });
    assert!(drops > 3, "it was heard for a while");
    assert!(is_closed(&mut silent) && is_closed(&mut half) && is_closed(&mut idle));
    let counted = || house.metric(r#"keydeck_http_faults_total{kind="slow"}"#) == Some(4);
    until("each to be counted, which is after its answer", counted);
    until("only the one that asks", || house.metric("keydeck_http_connections_open") == Some(1));
}

/// Row 47.
#[test]
fn a_crowd_of_slow_strangers_shuts_nobody_out() {
    let house = House::with(Limits { connections: 64, ..Limits::default() });
    let (_, token) = house.issue("A", Place::Agency, &["contacts.read"]);
    let mut good = connect(house.address);
    let ask = format!("GET /verify HTTP/1.1\r\nX-API-Key: {token}\r\n\r\n");
    let is_served = |socket: &mut TcpStream| {
        socket.write_all(ask.as_bytes()).unwrap();
        read(socket).unwrap().status == 200
    };
    assert!(is_served(&mut good));
    let mut crowd = Vec::new();
    for n in 0..500 {
        let mut slow = connect(house.address);
        // Some say nothing, some begin.
        let _closed = slow.write_all(b"GET / HTTP/1.1\r\nx".get(..n % 17).unwrap());
        crowd.push(slow);
        if n % 25 == 0 {
            assert!(is_served(&mut good), "a connection that works is kept, after {n}");
            assert_eq!(house.bearer("/verify", &token).status, 200, "and a new one gets in, after {n}");
        }
    }
    assert!(is_closed(&mut crowd.swap_remove(0)));
    let open = house.metric("keydeck_http_connections_open").unwrap();
    assert!(open <= 64, "{open}");
}

#[test]
fn idle_connections_by_the_hundred_are_no_burden() {
    let house = House::new();
    let (_, token) = house.issue("A", Place::Agency, &["contacts.read"]);
    // As many as a test process may open, on both ends; the limit itself is met above.
    let idle: Vec<_> = (0..300).map(|_| connect(house.address)).collect();
    until("all to be taken", || house.metric("keydeck_http_connections_open") == Some(301));
    assert_eq!(house.bearer("/verify", &token).status, 200);
    drop(idle);
    until("all to be given back", || house.metric("keydeck_http_connections_open") == Some(1));
}

#[test]
fn stopping_finishes_what_is_in_hand_and_takes_no_more() {
    // It ends when all is said, which a busy machine may take its time for.
    let mut house = House::with(Limits { drain: PATIENCE, ..Limits::default() });
    let mut idle = connect(house.address);
    idle.write_all(b"GET /readyz HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(read(&mut idle).unwrap().status, 200);
    // A request under way when the order comes.
    let mut asking = connect(house.address);
    asking.write_all(b"GET /readyz HTTP/1.1\r\n").unwrap();
    until("both to be seated", || house.metric("keydeck_http_connections_open") == Some(3));
    house.tell_to_stop();
    assert!(is_closed(&mut idle));
    asking.write_all(b"\r\n").unwrap();
    let heard = read(&mut asking).unwrap();
    assert_eq!((heard.status, heard.one("connection")), (503, "close"));
    assert!(is_closed(&mut asking));
    assert!(house.has_ended(PATIENCE));
    assert!(TcpStream::connect(house.address).is_err());
}

#[test]
fn who_never_ends_does_not_keep_the_server_from_stopping() {
    let mut house = House::with(Limits { drain: Duration::from_millis(100), ..Limits::default() });
    let mut asking = connect(house.address);
    asking.write_all(b"GET /verify HTTP/1.1\r\n").unwrap();
    until("it to be seated", || house.metric("keydeck_http_connections_open") == Some(2));
    house.tell_to_stop();
    assert!(house.has_ended(PATIENCE));
    let mut rest = [0; 1];
    assert!(!matches!(asking.read(&mut rest), Ok(1)), "nothing is answered to half a request");
}
