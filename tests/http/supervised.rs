//! `keydeck serve` under systemd, or whatever speaks as it does: told how the server goes, and handing it an open socket. Asked
//! beforehand whether it would start, and told to read its configuration again.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;

use crate::serve::{Machine, PASSPHRASE, Served};
use crate::support::http::{ask, read};
use crate::support::pty::{self, Pty};
use crate::support::wait::PATIENCE;

const MARIA: [&str; 4] = ["--operator", "maria", "--passphrase-file", "pass"];

/// Somebody whom a service tells how it goes.
struct Supervisor(UnixDatagram);

impl Supervisor {
    fn at(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    fn hears(&self) -> String {
        let mut bytes = [0; 4_096];
        let length = self.0.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    /// The next message with that line in it.
    fn hears_of(&self, line: &str) -> String {
        loop {
            let heard = self.hears();
            if heard.lines().any(|one| one == line) {
                return heard;
            }
        }
    }
}

/// A command that finds a socket as systemd passes one: as its descriptor 3, with its own process id in a variable.
fn handed(machine: &Machine, socket: OwnedFd, words: &[&str]) -> Command {
    let own = machine.command(words);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", r#"export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@" 3<&0 </dev/null"#, "sh"]);
    command.arg(own.get_program()).args(own.get_args()).current_dir(own.get_current_dir().unwrap());
    command.env_clear().env("HOME", machine.home.path()).stdin(socket);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    command
}

#[test]
fn a_supervisor_is_told_when_it_answers_reloads_and_stops_and_that_it_is_awake() {
    let machine = Machine::new();
    let path = machine.home.path().join("notify");
    let supervisor = Supervisor::at(&path);
    let notify = path.to_str().unwrap();
    let mut served = machine.serve(&MARIA, &[("NOTIFY_SOCKET", notify), ("WATCHDOG_USEC", "200000")]);
    assert_eq!(supervisor.hears(), "STATUS=opening the store\n");
    let ready = supervisor.hears_of("READY=1");
    assert!(ready.contains(&format!("STATUS=listening on http://{} with 0 keys", served.address)), "{ready}");
    supervisor.hears_of("WATCHDOG=1");
    supervisor.hears_of("WATCHDOG=1");
    // A program that takes notices, from now on; what counts at the start only is said so.
    let file = machine.file(
        ".config/keydeck/config.toml",
        "listen = '127.0.0.1:1'\n[channel.mail]\ncommand = ['/bin/true']\n",
    );
    served.signals(Signal::HUP);
    let reloading = supervisor.hears_of("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    let done = supervisor.hears_of("READY=1");
    assert!(
        done.contains("STATUS=reloaded: 1 channels, no anchors kept; a restart is needed for listen"),
        "{done}"
    );
    std::fs::write(file, "[channel.mail]\ncomand = ['/bin/true']\n").unwrap();
    served.signals(Signal::HUP);
    let done = supervisor.hears_of("READY=1");
    assert!(done.contains("STATUS=not reloaded, all stays as it was: ") && done.contains("comand"), "{done}");
    assert_eq!(ask(served.address, "GET", "/readyz", "").status, 200);
    assert!(served.stop(Signal::TERM).success());
    supervisor.hears_of("STOPPING=1");
    let said = served.rest();
    assert!(said.contains("reloaded: 1 channels") && said.contains("not reloaded"), "{said}");
}

#[test]
fn a_socket_that_a_supervisor_opened_is_answered_on_and_left_where_it_is() {
    let machine = Machine::new();
    let path = machine.home.path().join("http.sock");
    let listener = UnixListener::bind(&path).unwrap();
    // Who asks before the server is there waits for it.
    let mut early = UnixStream::connect(&path).unwrap();
    early.set_read_timeout(Some(PATIENCE)).unwrap();
    early.write_all(b"GET /readyz HTTP/1.1\r\n\r\n").unwrap();
    let words = [&["serve"], &MARIA[..]].concat();
    let (mut served, line) =
        Served::start(&mut handed(&machine, listener.try_clone().unwrap().into(), &words));
    assert_eq!(line, format!("listening on unix:{} with 0 keys\n", path.display()));
    assert_eq!(read(&mut early).unwrap().status, 200);
    drop(early);
    assert!(served.stop(Signal::TERM).success());
    assert!(path.exists(), "it is the supervisor's");
    drop(listener);

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (mut served, line) = Served::start(&mut handed(&machine, listener.into(), &words));
    assert!(line.contains(&address.to_string()), "{line}");
    assert_eq!(ask(address, "GET", "/readyz", "").status, 200);
    assert!(served.stop(Signal::TERM).success());
    // Two places, or nothing to answer on.
    let both = [&words[..], &["--listen", "127.0.0.1:0"]].concat();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (datagram, _other) = UnixDatagram::pair().unwrap();
    for (socket, words, why) in
        [(listener.into(), &both, "--listen"), (datagram.into(), &words, "The socket that was passed")]
    {
        let done = handed(&machine, socket, words).output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.code() == Some(2) && said.contains(why), "{said}");
    }
}

#[test]
fn it_is_told_beforehand_whether_it_would_start_and_nothing_is_changed() {
    let machine = Machine::new();
    let wrong = machine.file("wrong", "incorrect horse battery staple");
    let wrong = ["--operator", "maria", "--passphrase-file", wrong.to_str().unwrap()];
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let free = machine.home.path().join("http.sock");
    let free = format!("unix:{}", free.display());
    let check = |listen: &str, sign_in: &[&str]| {
        let words = [&["serve", "--check", "--listen", listen], sign_in].concat();
        let done = machine.command(&words).output().unwrap();
        (done.status.code().unwrap(), String::from_utf8(done.stdout).unwrap())
    };
    let data = machine.home.path().join(".local/share/keydeck");
    let files = || ["seal", "header", "attempts"].map(|file| std::fs::read(data.join(file)).ok());
    let before = files();
    let (code, said) = check(&free, &MARIA);
    assert!(code == 0 && said.lines().all(|line| line.starts_with("ok  ")), "{said}");
    assert!(
        said.contains("no file: 0 channels") && said.contains(": 0 keys") && said.contains(&free),
        "{said}"
    );
    assert!(!machine.home.path().join("http.sock").exists());
    assert!(before[0].is_some() && files() == before, "something was written");
    for (listen, sign_in, expected, why) in [
        (&taken, &MARIA[..], 3, "no  address        http://127.0.0.1"),
        (&free, &wrong[..], 4, "no  store          "),
        (&free, &["--operator", "maria", "--passphrase-file", "none"], 2, "no  store          The file none"),
    ] {
        let (code, said) = check(listen, sign_in);
        assert!(code == expected && said.contains(why) && said.matches("no  ").count() == 1, "{code} {said}");
    }
    // While another has the store, it is said who.
    let served = machine.serve_as_maria();
    let (code, said) = check(&free, &MARIA);
    assert!(code == 3 && said.contains("keydeck serve"), "{code} {said}");
    let healthy = |listen: &str| {
        let done = machine.command(&["serve", "--healthy", "--listen", listen]).output().unwrap();
        (done.status.code().unwrap(), String::from_utf8(done.stdout).unwrap())
    };
    assert_eq!(healthy(&served.address.to_string()), (0, "ready\n".to_owned()));
    assert_eq!(healthy(&free).0, 3);
    drop(served);
    let json = check(&free, &[&MARIA[..], &["--json"]].concat()).1;
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(report["would_start"] == true && report["checks"][1]["what"] == "store", "{json}");
    assert!(!json.contains(PASSPHRASE));
}

#[test]
fn a_line_for_the_journal_bears_its_priority_and_no_time() {
    let machine = Machine::new();
    let (reader, writer) = std::io::pipe().unwrap();
    let about = rustix::fs::fstat(&writer).unwrap();
    let mut command = machine.command(&[&["serve", "--listen", "127.0.0.1:0"], &MARIA[..]].concat());
    command.env("JOURNAL_STREAM", format!("{}:{}", about.st_dev, about.st_ino));
    let mut child = command.env("KEYDECK_LOG", "keydeck=debug").stderr(writer).spawn().unwrap();
    drop(command);
    let mut lines = BufReader::new(reader).lines().map(Result::unwrap);
    let before: Vec<String> = lines.by_ref().take_while(|line| !line.starts_with("listening on")).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(before.iter().any(|line| line.starts_with("<7>keydeck")), "{before:?}");
    assert!(before.iter().all(|line| line.starts_with('<') && !line.contains("DEBUG")), "{before:?}");
}

#[test]
fn a_terminal_that_is_closed_stops_the_server() {
    let machine = Machine::new();
    let mut command = pty::command(env!("CARGO_BIN_EXE_keydeck"));
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command.args(MARIA);
    command.cwd(machine.home.path());
    for name in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "KEYDECK_DATA", "NOTIFY_SOCKET"] {
        command.env_remove(name);
    }
    command.env("HOME", machine.home.path());
    let mut terminal = Pty::spawn(command, 120, 20);
    terminal.sees("listening on");
    // The terminal itself answers a key, by showing it.
    terminal.hang_up("x");
    assert!(terminal.exit().success());
}
