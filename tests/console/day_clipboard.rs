//! A token in a real desktop's clipboard: it gets there whole, is marked to be left out of clipboard histories, and
//! is gone when keydeck ends or the lease does, unless somebody copied something else since.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::support::day::{Day, Wanted, has, issue, put_away, quit, reveal, sign_in, token_in};
use crate::support::pty::Pty;
use crate::support::wait::until;

/// The lease, and time for a slow machine.
const LEASE: Duration = Duration::from_secs(45);
/// What KDE's and other clipboard managers look for before they keep a copy.
const HINT: &str = "x-kde-passwordManagerHint";

/// An X server nobody looks at.
struct Desktop {
    server: Child,
    display: String,
}

impl Desktop {
    /// Starts one on a free display; `None` when a program for it is missing here.
    fn start() -> Option<Self> {
        if !has("Xvfb") || !has("xclip") {
            return None;
        }
        let mut server = Command::new("Xvfb");
        server.args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"]);
        let mut server = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        // It writes the number once it accepts clients.
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        assert!(!number.trim().is_empty(), "the X server does not start");
        Some(Self { server, display: format!(":{}", number.trim()) })
    }

    fn xclip(&self, words: &[&str]) -> Command {
        let mut command = Command::new("xclip");
        command.env("DISPLAY", &self.display).args(["-selection", "clipboard"]).args(words);
        command
    }

    /// What would be pasted: nothing when nobody owns the clipboard.
    fn pasted(&self) -> String {
        String::from_utf8(self.xclip(&["-o"]).output().unwrap().stdout).unwrap()
    }

    /// The forms in which the clipboard is offered.
    fn offered(&self) -> String {
        String::from_utf8(self.xclip(&["-o", "-t", "TARGETS"]).output().unwrap().stdout).unwrap()
    }

    /// What is said under one of these forms.
    fn offered_as(&self, form: &str) -> String {
        String::from_utf8(self.xclip(&["-o", "-t", form]).output().unwrap().stdout).unwrap()
    }

    /// Somebody else copies something.
    fn copies(&self, text: &str) {
        // It serves the text from the background, with none of our pipes.
        let mut other = self.xclip(&["-i"]);
        let mut other =
            other.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        other.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(other.wait().unwrap().success());
        assert_eq!(self.pasted(), text);
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        let _gone = self.server.kill();
        let _reaped = self.server.wait();
    }
}

fn founded_at(desktop: &Desktop) -> Day {
    let mut day = Day::founded();
    day.set("DISPLAY", desktop.display.clone());
    day
}

/// Issues a key and copies its token, still hidden behind dots, as the clipboard then has it.
fn copied(console: &mut Pty, desktop: &Desktop, name: &str) -> String {
    issue(console, &Wanted { name, location: None, expires: "30d", scope: "contacts.read" });
    assert_eq!(token_in(&console.look().text()), None, "shown without being asked for");
    console.press("c").sees("copied");
    console.wait("the countdown", |screen| screen.text().contains("cleared in"));
    let token = desktop.pasted();
    assert_eq!(token_in(&token).as_ref(), Some(&token), "not a whole token and nothing else");
    assert!(!String::from_utf8_lossy(&console.look().bytes).contains("\x1b]52"), "sent to the terminal too");
    token
}

#[test]
fn a_copied_token_is_whole_and_marked_and_gone_when_keydeck_ends() {
    let Some(desktop) = Desktop::start() else { return };
    let day = founded_at(&desktop);
    let mut console = day.signed_in();
    let token = copied(&mut console, &desktop, "Booking");
    assert!(desktop.offered().contains(HINT), "{}", desktop.offered());
    assert_eq!(desktop.offered_as(HINT), "secret");
    assert_eq!(reveal(&mut console), token);
    put_away(&mut console);
    assert_eq!(desktop.pasted(), token, "putting it away on the screen ends no lease");
    quit(&mut console);
    assert_eq!(desktop.pasted(), "");
    assert_eq!(day.verify(&token, &["contacts.read"]), "allow");
}

#[test]
fn a_copied_token_is_taken_back_when_its_lease_ends() {
    let Some(desktop) = Desktop::start() else { return };
    let day = founded_at(&desktop);
    let mut console = day.signed_in();
    let before = Instant::now();
    let token = copied(&mut console, &desktop, "Booking");
    until("the clipboard to be cleared", || desktop.pasted() != token);
    let took = before.elapsed();
    assert_eq!(desktop.pasted(), "");
    assert!(took >= LEASE, "cleared after {took:?} already");
    console.sees_no("cleared in").sees("I stored it");
    put_away(&mut console);
    quit(&mut console);
}

#[test]
fn what_somebody_else_copied_since_is_left_alone() {
    let Some(desktop) = Desktop::start() else { return };
    let day = founded_at(&desktop);
    let mut console = day.signed_in();
    copied(&mut console, &desktop, "Booking");
    desktop.copies("shopping list");
    put_away(&mut console);
    quit(&mut console);
    assert_eq!(desktop.pasted(), "shopping list");
}

#[test]
fn a_lock_a_signal_and_a_kill_take_it_back_too() {
    let Some(desktop) = Desktop::start() else { return };
    let day = founded_at(&desktop);
    let mut console = day.signed_in();
    let token = copied(&mut console, &desktop, "Locked");
    put_away(&mut console);
    console.press("ctrl-x").sees("Locked");
    until("the clipboard to be cleared", || desktop.pasted() != token);
    assert_eq!(desktop.pasted(), "");
    sign_in(&mut console);
    for (name, signal) in
        [("Terminated", rustix::process::Signal::TERM), ("Killed", rustix::process::Signal::KILL)]
    {
        copied(&mut console, &desktop, name);
        console.signal(signal);
        console.exit();
        assert_eq!(desktop.pasted(), "", "{name}");
        console = day.signed_in();
    }
}
