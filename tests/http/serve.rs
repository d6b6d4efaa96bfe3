//! `keydeck serve` as a supervisor runs it: started, asked, told to stop, started again.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is not as it must be")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use crate::support::http::{ask, connect, read};
use crate::support::wait::{PATIENCE, until};
use rustix::process::{Pid, Signal, kill_process};

pub const PASSPHRASE: &str = "correct horse battery staple";

/// A machine with one home and Acme's store in it.
pub struct Machine {
    pub home: tempfile::TempDir,
}

/// A running `keydeck serve`.
pub struct Served {
    child: Child,
    errors: BufReader<ChildStderr>,
    pub address: SocketAddr,
}

impl Machine {
    pub fn new() -> Self {
        let machine = Self { home: tempfile::tempdir().unwrap() };
        machine.file("pass", PASSPHRASE);
        machine.does(&["init", "--agency", "Acme"]);
        machine
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keydeck"));
        command.args(words).current_dir(self.home.path()).env_clear().env("HOME", self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command as maria; its standard output.
    #[track_caller]
    pub fn does(&self, words: &[&str]) -> String {
        let sign_in = ["--operator", "maria", "--passphrase-file", "pass"];
        let words: Vec<&str> = words.iter().chain(&sign_in).copied().collect();
        let done = self.command(&words).output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    pub fn serve(&self, words: &[&str], variables: &[(&str, &str)]) -> Served {
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
        Served::start(self.command(&words).envs(variables.iter().copied()))
    }

    pub fn serve_as_maria(&self) -> Served {
        self.serve(&["--operator", "maria", "--passphrase-file", "pass"], &[])
    }
}

impl Served {
    /// One that a command starts, and the line it says first.
    pub fn start(command: &mut Command) -> (Self, String) {
        let mut child = command.spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        (Self { child, errors, address: SocketAddr::from(([0, 0, 0, 0], 0)) }, line)
    }

    pub fn signals(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub fn stop(&mut self, signal: Signal) -> ExitStatus {
        self.signals(signal);
        let mut ended = None;
        until("the server to stop", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap()
    }

    pub fn rest(&mut self) -> String {
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

#[test]
fn a_server_whose_data_directory_is_gone_is_not_ready_and_says_so() {
    let machine = Machine::new();
    let served = machine.serve_as_maria();
    let data = machine.home.path().join(".local/share/keydeck");
    let ready = || ask(served.address, "GET", "/readyz", "");
    assert_eq!(ready().status, 200);
    let away = machine.home.path().join("away");
    fs::rename(&data, &away).unwrap();
    // A write that is under way is seen to its end first.
    until("the server to see it", || ready().status == 503);
    assert_eq!(ready().body, "not ready: the store cannot be written\n");
    assert!(ask(served.address, "GET", "/metrics", "").body.contains("\nkeydeck_ready 0\n"));
    fs::create_dir_all(data.join("store")).unwrap();
    fs::write(data.join("store/db"), b"another").unwrap();
    assert_eq!(ready().status, 503, "another database is not this one");
    fs::remove_dir_all(&data).unwrap();
    fs::rename(&away, &data).unwrap();
    assert_eq!(ready().status, 200);
}

#[test]
fn what_a_supervisor_collects_as_json_is_nothing_else() {
    let machine = Machine::new();
    let words = ["--log-format", "json", "--operator", "maria", "--passphrase-file", "pass"];
    let (mut served, line) = machine.serve_at("127.0.0.1:0", &words, &[]);
    assert!(served.stop(Signal::TERM).success());
    let rest = served.rest();
    let lines: Vec<serde_json::Value> = std::iter::once(line.as_str())
        .chain(rest.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told = |at: usize| (lines[at]["level"].as_str().unwrap(), lines[at]["message"].as_str().unwrap());
    assert!(told(0).0 == "INFO" && told(0).1.starts_with("listening on http://"), "{line}");
    assert_eq!(told(lines.len() - 1), ("INFO", "stopped"));
    // What keeps it from starting, too.
    let taken = UnixListener::bind(machine.home.path().join("taken.sock")).unwrap();
    let (mut served, line) = machine.serve_at("unix:taken.sock", &words, &[]);
    drop(taken);
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(said["error"]["message"].as_str().unwrap().contains("taken.sock"), "{line}");
    assert!(!served.child.wait().unwrap().success());
}

#[test]
fn a_log_that_somebody_collects_is_told_on_standard_error() {
    let machine = Machine::new();
    let words = ["--operator", "maria", "--passphrase-file", "pass"];
    let (mut served, line) = machine.serve_at("127.0.0.1:0", &words, &[("KEYDECK_LOG", "keydeck=debug")]);
    let mut said = line;
    while !said.contains("listening on") {
        assert!(served.errors.read_line(&mut said).unwrap() > 0, "{said}");
    }
    assert!(served.stop(Signal::TERM).success());
    assert!(said.contains("DEBUG"), "{said}");
    assert!(!machine.home.path().join(".local/state/keydeck/keydeck.log").exists());
}

#[test]
fn no_counter_is_called_as_a_gauge_is_and_somebody_elses_parser_reads_them_all() {
    let machine = Machine::new();
    let served = machine.serve_as_maria();
    let text = ask(served.address, "GET", "/metrics", "").body;
    let families: Vec<(&str, &str)> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    // OpenMetrics has a counter's name without its ending.
    let mut names: Vec<&str> = families.iter().map(|(name, _)| name.trim_end_matches("_total")).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert!(all > 5 && names.len() == all, "{families:?}");
    assert!(
        families.iter().all(|(name, kind)| name.ends_with("_total") == (*kind == "counter")),
        "{families:?}"
    );
    parsed_elsewhere(&text);
}

/// Has Prometheus' own parser for Python read the text, where there is one.
#[expect(clippy::print_stdout, reason = "says why a test does nothing")]
fn parsed_elsewhere(text: &str) {
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let mut command = Command::new(&python);
    let has = command.args(["-c", "import prometheus_client"]).stderr(Stdio::null()).status();
    if !has.is_ok_and(|status| status.success()) {
        println!("skipped: needs prometheus_client for python3");
        return;
    }
    let script = "import sys\n\
        from prometheus_client.parser import text_string_to_metric_families as old\n\
        from prometheus_client.openmetrics.parser import text_string_to_metric_families as new\n\
        text = sys.stdin.read()\n\
        assert len(list(old(text))) > 5\n\
        lines = [l.replace('_total', '', 1) if l.startswith('#') else l for l in text.splitlines()]\n\
        assert len(list(new('\\n'.join(lines) + '\\n# EOF\\n'))) > 5\n";
    let mut child = Command::new(&python);
    let mut child = child.args(["-c", script]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}\n{text}", String::from_utf8_lossy(&done.stderr));
}
