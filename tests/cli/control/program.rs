//! The real program beside a process that has the store: every command works as it does alone, and consoles share.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::sync::Arc;

use keydeck::domain::{Command, Role};
use keydeck::engine::Engine as _;
use portable_pty::CommandBuilder;
use rustix::process::Signal;

use super::house::{House, PHRASE, key, phrase_of};
use crate::support::day::{Wanted, issue, reveal};
use crate::support::pty::Pty;
use crate::support::wait::until;

const KEYDECK: &str = env!("CARGO_BIN_EXE_keydeck");

struct Said {
    code: i32,
    out: String,
    err: String,
}

/// Runs the program in the house's directory, as `who`, whose passphrase it reads from a file.
fn says(dir: &Path, who: &str, words: &[&str], input: &str) -> Said {
    let file = dir.join(format!("{who}.pass"));
    if !file.exists() {
        let mut pass = std::fs::File::create(&file).unwrap();
        pass.write_all(phrase_of(who).as_bytes()).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&file, mode).unwrap();
    }
    let mut process = Process::new(KEYDECK);
    process.args(words).args(["--operator", who, "--passphrase-file"]).arg(&file).arg("--data").arg(dir);
    process.current_dir(dir).env_clear().env("HOME", dir).env("TZ", "UTC");
    process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = process.spawn().unwrap();
    // A program that needs no input may be gone before it is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let done = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: done.status.code().unwrap_or(-1), out: text(done.stdout), err: text(done.stderr) }
}

/// What differs from run to run: ids, tokens, times, codes, paths, processes.
fn shape(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "_-.:/".contains(c) { c } else { ' ' })
        .collect();
    let words = plain.split_whitespace().map(|word| {
        let telling = word.len() < 12 && !word.contains(|c: char| c.is_ascii_digit());
        if telling { word } else { "·" }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A day at the command line: who, the words, standard input. The same words mean the same in each store.
const DAY: [(&str, &[&str], &str); 45] = [
    ("maria", &["key", "create", "--name", "Nightly", "--agency", "--scope", "contacts.read"], ""),
    ("maria", &["key", "create", "--name", "Nightly", "--agency", "--scope", "contacts.read"], ""),
    ("maria", &["key", "create", "--name", "Odd", "--agency", "--scope", "no.such"], ""),
    (
        "maria",
        &["key", "create", "--name", "Odd", "--agency", "--scope", "contacts.read", "--expires", "x"],
        "",
    ),
    ("maria", &["key", "create", "--name", "Json", "--agency", "--scope", "contacts.read", "--json"], ""),
    ("maria", &["key", "list"], ""),
    ("maria", &["key", "list", "--json"], ""),
    ("maria", &["key", "show", "Nightly"], ""),
    ("maria", &["key", "show", "Nobody"], ""),
    ("maria", &["key", "pause", "Nightly"], ""),
    ("maria", &["key", "pause", "Nightly"], ""),
    ("maria", &["key", "resume", "Nightly"], ""),
    ("maria", &["key", "rescope", "Nightly", "--scope", "contacts.write"], ""),
    ("maria", &["key", "revoke", "Nightly"], ""),
    ("maria", &["key", "resume", "Nightly"], ""),
    ("maria", &["key", "delete", "Nightly"], ""),
    ("maria", &["key", "restore", "Nightly"], ""),
    ("maria", &["location", "add", "Harbour"], ""),
    ("maria", &["location", "add", "Harbour"], ""),
    ("maria", &["location", "list"], ""),
    ("maria", &["location", "rename", "Harbour", "Port"], ""),
    ("maria", &["location", "remove", "Port"], ""),
    ("maria", &["policy", "show"], ""),
    ("maria", &["policy", "set", "notice-days", "9"], ""),
    ("maria", &["policy", "set", "notice-days", "many"], ""),
    ("maria", &["operator", "add", "erik", "--role", "viewer", "--new-passphrase-file", "new.pass"], ""),
    ("maria", &["operator", "add", "short", "--role", "viewer", "--new-passphrase-file", "short.pass"], ""),
    ("maria", &["operator", "add", "fay", "--role", "manager", "--new-key-file", "fay.key"], ""),
    ("maria", &["operator", "add", "gus", "--role", "manager", "--new-key-file", "fay.key"], ""),
    ("maria", &["operator", "list"], ""),
    ("maria", &["operator", "list", "--json"], ""),
    ("maria", &["operator", "role", "erik", "manager"], ""),
    ("maria", &["operator", "disable", "erik", "--keys-stop"], ""),
    ("maria", &["verify", "--scope", "contacts.read"], "nonsense"),
    ("maria", &["audit", "list"], ""),
    ("maria", &["audit", "verify"], ""),
    ("maria", &["audit", "anchor"], ""),
    ("maria", &["audit", "export"], ""),
    ("carl", &["key", "create", "--name", "Mine", "--agency", "--scope", "contacts.read"], ""),
    ("carl", &["key", "list", "--all"], ""),
    ("carl", &["operator", "add", "hal", "--role", "viewer", "--new-passphrase-file", "new.pass"], ""),
    ("carl", &["policy", "set", "notice-days", "3"], ""),
    ("carl", &["audit", "list", "--all"], ""),
    ("nobody", &["key", "list"], ""),
    ("maria", &["key", "list", "--all"], ""),
];

#[test]
fn a_day_at_the_command_line_is_the_same_attached_and_alone() {
    let people = [("carl", Role::Manager)];
    let (attached, mut alone) = (House::with(&people), House::with(&people));
    alone.close();
    for house in [&attached, &alone] {
        std::fs::write(house.path().join("new.pass"), "a passphrase for somebody new").unwrap();
        std::fs::write(house.path().join("short.pass"), "short").unwrap();
    }
    let mut codes = std::collections::BTreeSet::new();
    for (who, words, input) in DAY {
        let there = says(alone.path(), who, words, input);
        let here = says(attached.path(), who, words, input);
        assert_eq!(
            here.code, there.code,
            "{words:?}: attached {} {}, alone {} {}",
            here.out, here.err, there.out, there.err
        );
        let about = |said: &Said| (shape(&said.out), shape(&said.err));
        assert_eq!(about(&here), about(&there), "{words:?}");
        codes.insert(here.code);
    }
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), [0, 1, 2, 4], "all ways to end were tried");
    until("all to be gone", || attached.control.as_ref().unwrap().attached() == 0);
}

#[test]
fn a_token_issued_attached_is_shown_once_and_works() {
    let house = House::with(&[]);
    let words = ["key", "create", "--name", "Nightly", "--agency", "--scope", "contacts.read"];
    let token = says(house.path(), "maria", &words, "").out.trim_end().to_owned();
    assert!(house.engine().verify(token.as_bytes(), &[]).is_allow());
    let said = says(house.path(), "maria", &["verify", "--json"], &token);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("contacts.read"));
    says(house.path(), "maria", &["key", "revoke", "Nightly"], "");
    assert!(!house.engine().verify(token.as_bytes(), &[]).is_allow(), "refused by the owner at once");
}

#[test]
fn a_trail_is_trimmed_through_the_process_that_has_the_store() {
    let house = House::with(&[]);
    let words = ["audit", "trim", "--before", "3", "--to", "old.jsonl", "--segment", "2", "--yes"];
    let said = says(house.path(), "maria", &words, "");
    assert_eq!(said.code, 0, "{}", said.err);
    let owner = house.owner();
    assert_eq!(owner.engine.span(&owner.session).unwrap().first, 3);
    let page = says(house.path(), "maria", &["audit", "verify", "--trimmed", "old.jsonl"], "");
    assert_eq!(page.code, 0, "{}", page.err);
}

#[test]
fn info_says_who_has_the_store_and_init_does_not_touch_it() {
    let mut house = House::with(&[]);
    let said = says(house.path(), "maria", &["info"], "");
    assert_eq!(said.code, 0, "{}", said.err);
    let pid = std::process::id();
    assert!(said.out.contains(&format!("process {pid} (keydeck test")), "{}", said.out);
    assert!(said.out.contains("this command is attached to it"), "{}", said.out);
    let said = says(house.path(), "maria", &["info", "--json"], "");
    let info: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(info["store"]["attached"], true);
    assert_eq!(
        says(house.path(), "maria", &["init", "--agency", "Another"], "").code,
        3,
        "init needs the store itself"
    );
    house.close();
    let said = says(house.path(), "maria", &["info", "--json"], "");
    let info: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (&info["store"]["attached"], &info["store"]["owner"]),
        (&false.into(), &serde_json::Value::Null)
    );
}

#[test]
fn another_version_and_an_owner_without_a_socket_end_with_three() {
    let mut house = House::with(&[]);
    house.control = None;
    let said = says(house.path(), "maria", &["key", "list"], "");
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("is in use by process"), "{}", said.err);
    let listener = std::os::unix::net::UnixListener::bind(house.path().join("control.sock")).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.unwrap().write_all(b"kdctl\n\x01\x059.9.9");
        }
    });
    let said = says(house.path(), "maria", &["key", "list"], "");
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("Another version of keydeck owns the store"), "{}", said.err);
}

/// The console in a terminal, signed in as maria.
fn console(dir: &Path) -> Pty {
    let mut command = CommandBuilder::new(KEYDECK);
    command.env_clear();
    for (name, value) in [("TERM", "xterm-256color"), ("TZ", "UTC"), ("LANG", "C.UTF-8")] {
        command.env(name, value);
    }
    command.env("HOME", dir);
    command.args(["--operator", "maria", "--data"]);
    command.arg(dir);
    command.cwd(dir);
    let mut console = Pty::spawn(command, 120, 40);
    unlock(&mut console);
    console
}

fn unlock(console: &mut Pty) {
    console.sees("Passphrase");
    console.type_text(PHRASE).press("enter").sees("1 Agency");
}

#[test]
fn consoles_share_a_store_and_take_it_over_from_one_that_is_killed() {
    let mut house = House::with(&[]);
    house.close();
    let first = console(house.path());
    let mut second = console(house.path());
    let words = ["key", "create", "--name", "From the shell", "--agency", "--scope", "contacts.read"];
    let said = says(house.path(), "maria", &words, "");
    assert_eq!(said.code, 0, "{}", said.err);
    first.sees("From the shell").sees_no("attached");
    let pid = first.pid;
    second.sees("From the shell").sees(&format!("attached to keydeck {pid}"));
    first.signal(Signal::KILL);
    second.sees("Locked").sees(&format!("process {pid})")).sees("has gone").sees("Sign in again");
    unlock(&mut second);
    second.sees("From the shell");
    // It has the store itself now, and offers it to others.
    let words = ["key", "create", "--name", "Once more", "--agency", "--scope", "contacts.read"];
    assert_eq!(says(house.path(), "maria", &words, "").code, 0);
    second.sees("Once more");
    let third = console(house.path());
    third.sees("Once more");
    second.press("q");
    assert!(second.exit().success());
    third.sees("has closed it").sees("Locked");
    until("the store is free", || keydeck::store::holder_of(house.path()).is_none());
}

#[test]
fn a_console_that_locks_itself_lets_go_of_the_store_and_says_so_to_others() {
    let mut house = House::with(&[]);
    house.close();
    let mut first = console(house.path());
    let mut second = console(house.path());
    first.press("ctrl-x").sees("Locked");
    second.sees("has closed it");
    unlock(&mut second);
    // The first finds it open elsewhere, and attaches.
    unlock(&mut first);
    let words = ["key", "create", "--name", "Seen by both", "--agency", "--scope", "contacts.read"];
    assert_eq!(says(house.path(), "maria", &words, "").code, 0);
    first.sees("Seen by both");
    second.sees("Seen by both");
}

#[test]
fn the_engine_of_a_console_at_work_serves_a_crowd() {
    let house = House::with(&[]);
    let owner = house.owner();
    let set = Command::SetPolicy { name: "keys-per-operator".into(), value: "100".into(), basis: None };
    owner.engine.execute(&owner.session, set).unwrap();
    let dir = Arc::new(house.path().to_owned());
    let crowd: Vec<_> = (0..6)
        .map(|n| {
            let dir = Arc::clone(&dir);
            std::thread::spawn(move || {
                let called = format!("Key {n}");
                let words = ["key", "create", "--name", &called, "--agency", "--scope", "contacts.read"];
                says(&dir, "maria", &words, "").code
            })
        })
        .collect();
    owner.engine.execute(&owner.session, key("Own")).unwrap();
    let codes: Vec<_> = crowd.into_iter().map(|one| one.join().unwrap()).collect();
    assert_eq!(codes, [0; 6]);
    assert_eq!(house.engine().state().key_count(), 7);
}

#[test]
fn a_token_that_is_shown_once_stays_on_the_screen_when_the_owner_is_killed() {
    let mut house = House::with(&[]);
    house.close();
    let first = console(house.path());
    let mut second = console(house.path());
    let wanted = Wanted { name: "Nightly", location: None, expires: "90d", scope: "contacts.read" };
    issue(&mut second, &wanted);
    first.signal(Signal::KILL);
    second.sees("Put this away first");
    let token = reveal(&mut second);
    second.press("space").sees("enter closes");
    second.press("enter").sees("Locked").sees("has gone");
    unlock(&mut second);
    let said = says(house.path(), "maria", &["verify"], &token);
    assert_eq!((said.code, said.out.as_str()), (0, "allow\n"), "{}", said.err);
}

/// `keydeck serve`, until dropped.
struct Serve(std::process::Child);

impl Serve {
    fn start(dir: &Path, words: &[&str]) -> Self {
        says(dir, "maria", &["info"], "");
        let mut process = Process::new(KEYDECK);
        process
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(words)
            .args(["--operator", "maria", "--data"])
            .arg(dir);
        process.arg("--passphrase-file").arg(dir.join("maria.pass"));
        process.current_dir(dir).env_clear().env("HOME", dir).stdin(Stdio::null());
        let mut serve = Self(process.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
        let said = BufReader::new(serve.0.stderr.take().unwrap());
        assert!(said.lines().map_while(Result::ok).any(|line| line.contains("listening on")), "it serves");
        serve
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn commands_work_beside_the_server_wherever_its_socket_is() {
    let mut house = House::with(&[]);
    house.close();
    let elsewhere = house.path().join("elsewhere.sock");
    let mut serve = Serve::start(house.path(), &["--socket", elsewhere.to_str().unwrap()]);
    assert!(elsewhere.exists());
    let words = ["key", "create", "--name", "Nightly", "--agency", "--scope", "contacts.read"];
    assert_eq!(says(house.path(), "maria", &words, "").code, 0);
    let watcher = house.attach("maria");
    assert_eq!(watcher.sees(), ["Nightly"]);
    assert!(
        watcher.engine.condition().complete_since.is_some(),
        "what a rule for idle keys asks is known here"
    );
    let info: serde_json::Value =
        serde_json::from_str(&says(house.path(), "maria", &["info", "--json"], "").out).unwrap();
    assert_eq!(info["store"]["attached"], true);
    assert!(info["store"]["owner"].as_str().unwrap().contains("keydeck serve"), "{info}");
    let mut news = watcher.listen();
    let pid = rustix::process::Pid::from_child(&serve.0);
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    assert!(news.end().contains("has closed it"));
    assert!(serve.0.wait().unwrap().success());
    assert!(!elsewhere.exists() && !house.path().join("control.sock").is_symlink(), "nothing is left behind");
    let serve = Serve::start(house.path(), &[]);
    assert_eq!(house.attach("maria").sees(), ["Nightly"]);
    drop(serve);
    assert_eq!(
        says(house.path(), "maria", &["key", "revoke", "Nightly"], "").code,
        0,
        "by itself, after a kill"
    );
}
