use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::thread::{self, JoinHandle};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use super::*;
use crate::domain::Timestamp;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What a server was sent.
struct Request {
    first: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        &found.unwrap_or_else(|| panic!("{name} is missing")).1
    }
}

/// Reads one request and answers it.
fn answer(stream: impl Read + Write, with: &str) -> Request {
    let mut stream = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let first = line();
    let mut headers = Vec::new();
    loop {
        let line = line();
        let Some((name, value)) = line.split_once(": ") else { break };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut request = Request { first, headers, body: Vec::new() };
    let length = request.header("content-length").parse().unwrap();
    request.body.resize(length, 0);
    stream.read_exact(&mut request.body).unwrap();
    // Who hangs up in the middle of a flood has heard enough.
    let _ = stream.get_mut().write_all(with.as_bytes());
    let _ = stream.get_mut().flush();
    request
}

/// A server for one request.
fn server(with: String) -> (String, JoinHandle<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks?a=b", listener.local_addr().unwrap());
    (url, thread::spawn(move || answer(listener.accept().unwrap().0, &with)))
}

fn hook(dir: &TempDir, url: &str) -> Webhook {
    let secret = dir.path().join("secret");
    fs::write(&secret, format!("{SECRET}\n")).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let url = WebhookUrl::parse(url).unwrap();
    Webhook { url, secret, authorities: None, limit: Duration::from_secs(60) }
}

fn letter() -> Letter {
    let body = "{\"recipient\":\"maria\"}".to_owned();
    Letter { id: "msg_0123".into(), at: Timestamp(1_790_000_000_999), body }
}

fn sent(status: &str, more: &str) -> Result<(), Unsent> {
    let dir = tempfile::tempdir().unwrap();
    let (url, server) = server(format!("HTTP/1.1 {status}\r\n{more}"));
    let sent = hook(&dir, &url).take(&letter(), &Quit::default());
    server.join().unwrap();
    sent
}

#[test]
fn a_server_gets_the_message_with_the_headers_by_which_it_knows_who_sent_it() {
    let dir = tempfile::tempdir().unwrap();
    let (url, server) = server("HTTP/1.1 204 No Content\r\n\r\n".into());
    assert_eq!(hook(&dir, &url).take(&letter(), &Quit::default()), Ok(()));
    let request = server.join().unwrap();
    assert_eq!(request.first, "POST /hooks?a=b HTTP/1.1");
    assert_eq!(request.header("webhook-id"), "msg_0123");
    assert_eq!(request.header("webhook-timestamp"), "1790000000");
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(request.body, letter().body.as_bytes());
    let secret = WebhookSecret::parse(SECRET).unwrap();
    assert_eq!(request.header("webhook-signature"), secret.sign("msg_0123", 1_790_000_000, &request.body));
}

#[test]
fn what_a_server_refuses_is_said_and_no_more_of_it_than_is_kept() {
    let failed = |sent| match sent {
        Err(Unsent::Failed(why)) => why,
        other => panic!("{other:?}"),
    };
    let why = failed(sent("500 Oops", "content-length: 4\r\n\r\nfull"));
    assert_eq!(why, "it answered 500: full");
    let long = "x".repeat(1_000_000);
    let why = failed(sent("503 No", &format!("content-length: 1000000\r\n\r\n{long}")));
    assert!(why.len() < 5_000, "{} bytes", why.len());
    let why = failed(sent("302 Found", "location: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"));
    assert_eq!(why, "it answered 302: no redirect is followed");
    assert!(matches!(sent("410 Gone", "content-length: 0\r\n\r\n"), Err(Unsent::Gone(_))));
    assert!(!failed(sent("garbage", "")).contains("/hooks"), "the address may be a secret");
}

#[test]
fn a_server_that_does_not_answer_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let hook = Webhook { limit: Duration::from_millis(300), ..hook(&dir, &url) };
    assert!(matches!(hook.take(&letter(), &Quit::default()), Err(Unsent::Failed(_))));
    let quit = Quit::default();
    quit.say();
    let patient = Webhook { limit: Duration::from_secs(600), ..hook };
    assert_eq!(patient.take(&letter(), &quit), Err(Unsent::BrokenOff));
}

#[test]
fn a_secret_that_others_may_read_signs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let hook = hook(&dir, "http://127.0.0.1:1/");
    fs::set_permissions(&hook.secret, fs::Permissions::from_mode(0o640)).unwrap();
    let told = hook.take(&letter(), &Quit::default()).unwrap_err().to_string();
    assert!(told.contains("others may read it"), "{told}");
    fs::remove_file(&hook.secret).unwrap();
    let told = hook.take(&letter(), &Quit::default()).unwrap_err().to_string();
    assert!(told.contains("the secret in ") && told.contains("No such file"), "{told}");
}

#[test]
fn messages_leave_this_machine_encrypted_or_not_at_all() {
    for good in [
        "https://hooks.example.com/keys",
        "https://[2001:db8::1]:8443/",
        "http://127.0.0.1:8080/x",
        "http://[::1]/",
    ] {
        assert!(WebhookUrl::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "http://hooks.example.com/",
        "http://10.0.0.1/",
        "http://localhost/",
        "ftp://127.0.0.1/",
        "https:///x",
        "https://maria:secret@hooks.example.com/",
        "https://hooks.example.com/#x",
        "hooks.example.com",
        "",
    ] {
        assert!(WebhookUrl::parse(bad).is_err(), "{bad}");
    }
}

/// An authority of the test's own, and a certificate of it for this machine.
fn certify(dir: &Path) -> Option<()> {
    let openssl = |words: &str| {
        let done = Command::new("openssl").args(words.split(' ')).current_dir(dir).output().ok()?;
        assert!(done.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&done.stderr));
        Some(())
    };
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    fs::write(dir.join("names"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n").unwrap();
    openssl(&format!("req -x509 {new} -keyout ca.key -out ca.pem -days 3650 -subj /CN=authority"))?;
    openssl(&format!("req {new} -keyout key.pem -out request.pem -subj /CN=server"))?;
    openssl(
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 3650 -extfile names",
    )
}

fn encrypted(stream: TcpStream, config: &Arc<ServerConfig>) -> Option<Request> {
    let mut connection = ServerConnection::new(Arc::clone(config)).unwrap();
    let mut stream = stream;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).ok()?;
    }
    Some(answer(StreamOwned::new(connection, stream), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"))
}

#[test]
fn a_server_is_spoken_to_when_the_authority_that_was_named_vouches_for_it() {
    let dir = tempfile::tempdir().unwrap();
    if certify(dir.path()).is_none() {
        eprintln!("skipped: needs openssl");
        return;
    }
    let pem = |name: &str| fs::read(dir.path().join(name)).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(&pem("cert.pem")).unwrap()],
            PrivateKeyDer::from_pem_slice(&pem("key.pem")).unwrap(),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let config = Arc::new(config);
    let server = thread::spawn(move || {
        let accept = || encrypted(listener.accept().unwrap().0, &config);
        (accept(), accept())
    });
    let known = Webhook { authorities: Some(dir.path().join("ca.pem")), ..hook(&dir, &url) };
    assert_eq!(known.take(&letter(), &Quit::default()), Ok(()));
    // The authorities of the system do not know the one of this test.
    let unknown = Webhook { authorities: None, ..known };
    assert!(matches!(unknown.take(&letter(), &Quit::default()), Err(Unsent::Failed(_))));
    let (first, second) = server.join().unwrap();
    assert_eq!(first.unwrap().header("webhook-id"), "msg_0123");
    assert!(second.is_none(), "a stranger was told");
}
