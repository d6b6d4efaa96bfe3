//! `keydeck serve` as a supervisor runs it: started, asked, told to stop, started again.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is not as it must be")]
#![allow(dead_code, reason = "the support files serve several tests")]
#![allow(clippy::allow_attributes, reason = "what is unused differs from one test to the next")]

#[path = "support/http.rs"]
mod http;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::Instant;

use http::{PATIENCE, ask, connect, read};
use rustix::process::{Pid, Signal, kill_process};

const PASSPHRASE: &str = "correct horse battery staple";

/// A machine with one home and Acme's store in it.
struct Machine {
    home: tempfile::TempDir,
}

/// A running `keydeck serve`.
struct Served {
    child: Child,
    errors: BufReader<ChildStderr>,
    address: SocketAddr,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { home: tempfile::tempdir().unwrap() };
        machine.file("pass", PASSPHRASE);
        machine.does(&["init", "--agency", "Acme"]);
        machine
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keydeck"));
        command.args(words).current_dir(self.home.path()).env_clear().env("HOME", self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command as maria; its standard output.
    #[track_caller]
    fn does(&self, words: &[&str]) -> String {
        let sign_in = ["--operator", "maria", "--passphrase-file", "pass"];
        let words: Vec<&str> = words.iter().chain(&sign_in).copied().collect();
        let done = self.command(&words).output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    fn serve(&self, words: &[&str], variables: &[(&str, &str)]) -> Served {
        let (served, line) = self.serve_at("127.0.0.1:0", words, variables);
        let address = line.strip_prefix("listening on http://").and_then(|rest| rest.split(' ').next());
        let address = address.unwrap_or_else(|| panic!("{line}")).parse().unwrap();
        let mut served = served;
        served.address = address;
        served
    }

    /// A server at any place, and the line it says first.
    fn serve_at(&self, place: &str, words: &[&str], variables: &[(&str, &str)]) -> (Served, String) {
        let words: Vec<&str> = ["serve", "--listen", place].iter().chain(words).copied().collect();
        let mut child = self.command(&words).envs(variables.iter().copied()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        (Served { child, errors, address: SocketAddr::from(([0, 0, 0, 0], 0)) }, line)
    }

    fn serve_as_maria(&self) -> Served {
        self.serve(&["--operator", "maria", "--passphrase-file", "pass"], &[])
    }
}

impl Served {
    fn stop(&mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not stop");
            std::thread::park_timeout(std::time::Duration::from_millis(10));
        }
    }

    fn rest(&mut self) -> String {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut self.errors, &mut text).unwrap();
        text
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

#[test]
fn it_serves_until_it_is_told_to_stop_and_keeps_what_it_saw() {
    let machine = Machine::new();
    let token = machine.does(&["key", "create", "--name", "Export", "--agency", "--scope", "contacts.read"]);
    for signal in [Signal::TERM, Signal::INT] {
        let mut served = machine.serve_as_maria();
        let bearer = format!("Authorization: Bearer {token}\r\n");
        for _ in 0..3 {
            assert_eq!(ask(served.address, "GET", "/verify?scope=contacts.read", &bearer).status, 200);
        }
        assert_eq!(ask(served.address, "GET", "/verify?scope=contacts.write", &bearer).status, 403);
        assert_eq!(ask(served.address, "GET", "/readyz", "").body, "ready\n");
        let mut idle = connect(served.address);
        idle.write_all(b"GET /healthz HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!(read(&mut idle).unwrap().status, 200);
        assert!(served.stop(signal).success());
        let rest = served.rest();
        assert!(rest.contains("stopped") && !rest.contains(&token), "{rest}");
    }
    let shown = machine.does(&["key", "list", "--json"]);
    assert!(shown.contains(r#""use_count":6"#), "{shown}");
}

#[test]
fn a_supervisor_brings_the_passphrase() {
    let machine = Machine::new();
    let file = machine.file("credentials/keydeck.passphrase", PASSPHRASE);
    let dir = file.parent().unwrap().to_str().unwrap();
    let mut served = machine.serve(&["--operator", "maria"], &[("CREDENTIALS_DIRECTORY", dir)]);
    assert_eq!(ask(served.address, "GET", "/readyz", "").status, 200);
    assert!(served.stop(Signal::TERM).success());
    // An empty directory is no way in, and there is nobody to ask.
    let empty = machine.home.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let mut command = machine.command(&["serve", "--listen", "127.0.0.1:0", "--operator", "maria"]);
    let done = command.env("CREDENTIALS_DIRECTORY", &empty).output().unwrap();
    assert_eq!(done.status.code(), Some(2), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn an_address_in_use_is_said_so() {
    let machine = Machine::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let words = ["serve", "--listen", &address, "--operator", "maria", "--passphrase-file", "pass"];
    let done = machine.command(&words).output().unwrap();
    let error = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(3), "{error}");
    assert!(error.contains(&address) && error.contains("--listen"), "{error}");
}

#[test]
fn a_socket_file_is_served_as_an_address_is_and_gone_when_the_server_is() {
    let machine = Machine::new();
    let token = machine.does(&["key", "create", "--name", "Export", "--agency", "--scope", "contacts.read"]);
    let maria = ["--operator", "maria", "--passphrase-file", "pass"];
    let path = machine.home.path().join("http.sock");
    let place = format!("unix:{}", path.display());
    let ask = |target: &str| {
        let mut socket = UnixStream::connect(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(socket, "GET {target} HTTP/1.1\r\nX-Forwarded-For: 203.0.113.7\r\nX-API-Key: {token}\r\n\r\n")
            .unwrap();
        read(&mut socket).unwrap().status
    };
    let (mut served, line) = machine.serve_at("unix:http.sock", &maria, &[]);
    assert_eq!(line, format!("listening on {place} with 1 keys\n"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660, "by its group, the proxy's");
    assert_eq!([ask("/verify?scope=contacts.read"), ask("/verify?scope=contacts.write")], [200, 403]);
    // One that is idle does not keep it from stopping.
    let idle = UnixStream::connect(&path).unwrap();
    assert!(served.stop(Signal::TERM).success());
    drop(idle);
    assert!(!path.exists());
    // Killed, it leaves its file, and the next one takes its place.
    let (mut killed, _) = machine.serve_at(&place, &maria, &[]);
    assert!(!killed.stop(Signal::KILL).success());
    assert!(path.exists() && UnixStream::connect(&path).is_err());
    let (mut next, _) = machine.serve_at(&place, &maria, &[]);
    assert_eq!(ask("/verify"), 200);
    assert!(next.stop(Signal::TERM).success());
    let shown = machine.does(&["key", "show", "Export", "--json"]);
    assert!(shown.contains("203.0.113.7"), "the caller is whom the proxy says: {shown}");
    // Where somebody answers, nobody is pushed aside; what is no socket stays.
    let taken = UnixListener::bind(&path).unwrap();
    let refused = |why: &str| {
        let words = [&["serve", "--listen", &place], &maria[..]].concat();
        let done = machine.command(&words).output().unwrap();
        let error = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.code() == Some(3) && error.contains(why) && error.contains(&place), "{error}");
    };
    refused("another process answers there");
    drop(taken);
    fs::remove_file(&path).unwrap();
    fs::write(&path, "precious").unwrap();
    refused("it is no socket");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}
