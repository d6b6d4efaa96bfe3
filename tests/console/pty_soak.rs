//! Two consoles in real terminals beside the server that has the store, and nobody who knows what they do: random keys, texts,
//! pastes, mouse and window sizes, while requests arrive, keys are issued and ended by others, and the clock is set.
//!
//! `KEYDECK_SOAK_MINUTES=120 KEYDECK_SOAK_KEYS=100000 cargo nextest run --release --test console pty_soak --no-capture` for a long
//! run; without them it is a short one. The clock can be set only where debug assertions are on
//! (`CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true`).
#![expect(clippy::unwrap_used, reason = "a test may stop")]
#![expect(clippy::print_stderr, reason = "what a long run came to is for who reads it")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::support::desk::{Desk, PASSPHRASE, Person};
use crate::support::dice::Dice;
use crate::support::http;
use crate::support::pty::{self, Pty, Screen};

/// What a hand falls on. The keys that suspend and quit while typing are for other tests; `q` is among these.
const KEYS: &str = "1 2 3 4 5 6 7 k j j j up down down ctrl-u ctrl-d pgup pgdn g G home end h l left right enter enter enter \
    enter esc esc esc esc 0 # tab tab tab shift-tab [ ] / space space v a A s S n m e o - _ Y = K f d z y O P X D I i N B u R L \
    F + Z r x > H b w t V p E C T ? : f1 f2 c q ctrl-s ctrl-k ctrl-p ctrl-l ctrl-x backspace delete W M Q . , ; ~ é 漢";
const TEXTS: [&str; 8] = [
    "night",
    "expires<7d OR used:never",
    "(owner:maria",
    "Köln 東京",
    "0",
    "999999999999999999999",
    "revoke",
    "kd_live_",
];
const PASTES: [&str; 4] = [
    "a\nb\tc\u{1b}[31m",
    "\u{202e}gnol",
    "two lines\nof text that goes on for longer than any field is wide, and on",
    "",
];
const SIZES: [(u16, u16); 10] =
    [(120, 40), (100, 30), (80, 24), (60, 15), (59, 14), (20, 5), (1, 1), (300, 90), (200, 20), (61, 60)];

/// A console somebody leans on.
struct Seat<'d> {
    desk: &'d Desk,
    name: &'static str,
    pty: Pty,
    /// What was done to it, for whoever looks into a failure.
    done: Vec<String>,
}

impl<'d> Seat<'d> {
    fn take(desk: &'d Desk, name: &'static str) -> Self {
        Self { desk, name, pty: Self::start(desk, name), done: Vec::new() }
    }

    fn start(desk: &Desk, name: &str) -> Pty {
        let mut command = pty::command(env!("CARGO_BIN_EXE_keydeck"));
        command.cwd(desk.path(""));
        command.env("HOME", desk.path(""));
        // Each leaves the console as they like it, and remembers that for themselves.
        command.env("XDG_STATE_HOME", desk.path(name));
        command.env("KEYDECK_TEST_CLOCK", desk.path("clock"));
        command.env("TZ", "UTC");
        Pty::spawn(command, 100, 30)
    }

    /// Signed in and at a size at which something can be seen, whatever was done before.
    fn wake(&mut self) {
        self.pty.resize(100, 30);
        loop {
            let shown = |screen: &Screen| is_open(screen) || is_locked(screen);
            if !self.pty.within(Duration::from_secs(2), &|screen| shown(screen)) && self.is_gone() {
                assert_eq!(self.pty.exit().exit_code(), 0, "{}: it ended by itself", self.name);
                self.pty = Self::start(self.desk, self.name);
            }
            self.pty.wait("the door or the desk", shown);
            if is_open(&self.pty.look()) {
                return;
            }
            self.sign_in();
            if !self.pty.within(Duration::from_secs(40), &is_open) {
                let last = &self.done[self.done.len().saturating_sub(8)..];
                eprintln!("{}: not let in after {last:?}:\n{}", self.name, self.pty.look().text());
            }
        }
    }

    /// Whatever has the keyboard and was typed already.
    fn sign_in(&mut self) {
        for _ in 0..4 {
            let (row, line) = {
                let screen = self.pty.look();
                let (row, _) = screen.now().cursor_position();
                (row, screen.now().rows(0, u16::MAX).nth(row.into()).unwrap_or_default())
            };
            let types = match line {
                line if line.contains("Operator") => "maria",
                line if line.contains("Passphrase") => PASSPHRASE,
                _ => "",
            };
            if !types.is_empty() {
                self.slowly(&["end", "ctrl-u"]);
                self.pty.type_text(types);
            }
            self.slowly(&[if types == PASSPHRASE { "enter" } else { "tab" }]);
            if types == PASSPHRASE {
                return;
            }
            self.pty.within(Duration::from_secs(1), &|screen| screen.now().cursor_position().0 != row);
        }
    }

    fn is_gone(&self) -> bool {
        self.pty.look().is_closed()
    }

    fn pid(&self) -> u32 {
        self.pty.pid.unsigned_abs()
    }

    fn lean(&mut self, dice: &mut Dice) {
        match dice.roll(100) {
            0..70 => {
                let keys: Vec<&str> = KEYS.split_whitespace().collect();
                let keys: Vec<&str> = (0..=dice.roll(6)).map(|_| dice.one_of(&keys)).collect();
                let keys = keys.join(" ");
                self.pty.press(&keys);
                self.done.push(keys);
            }
            70..77 => {
                let text = dice.one_of(&TEXTS);
                self.pty.type_text(text);
                self.done.push(format!("typed {text:?}"));
            }
            77..82 => {
                let text = dice.one_of(&PASTES);
                self.pty.paste(text);
                self.done.push(format!("pasted {text:?}"));
            }
            82..92 => {
                let button = dice.one_of(&[0, 0, 0, 64, 65]);
                let at = format!("{button};{};{}", 1 + dice.roll(100), 1 + dice.roll(30));
                self.pty.write(format!("\x1b[<{at}M\x1b[<{at}m").as_bytes());
                self.done.push(format!("mouse {at}"));
            }
            _ => {
                let (columns, rows) = dice.one_of(&SIZES);
                self.pty.resize(columns, rows);
                self.done.push(format!("resized to {columns}×{rows}"));
            }
        }
    }

    /// Where the keyboard is can be seen.
    fn shows_its_focus(&self) {
        self.pty.wait("the cursor on what has the keyboard", |screen| {
            let now = screen.now();
            let (row, column) = now.cursor_position();
            let rest = now.rows(column, u16::MAX).nth(row.into()).unwrap_or_default();
            let (rows, columns) = now.size();
            let too_small = columns.get() < 60 || rows.get() < 15;
            screen.is_closed()
                || too_small
                || !is_open(screen)
                || (!now.hide_cursor() && !rest.trim().is_empty())
        });
    }
}

/// Somebody is signed in, whatever lies above the tables.
fn is_open(screen: &Screen) -> bool {
    screen.now().alternate_screen() && !screen.text().trim().is_empty() && !is_locked(screen)
}

fn is_locked(screen: &Screen) -> bool {
    let text = screen.text();
    text.contains("─ keydeck ─") || text.contains("─ Locked ─")
}

/// Resident memory of a process, in kibibytes.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or("VmRSS: 0");
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The server that has the store.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(desk: &Desk) -> Self {
        let words =
            ["serve", "--listen", "127.0.0.1:0", "--operator", "maria", "--passphrase-file", "maria.pass"];
        let mut child = desk.command(&words).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = lines.by_ref().map(Result::unwrap).find(|line| line.starts_with("listening on ")).unwrap();
        let address =
            line.strip_prefix("listening on http://").and_then(|rest| rest.split(' ').next()).unwrap();
        let address = address.parse().unwrap();
        // Its log is read to the end, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Seat<'_> {
    /// Everything put away, the whole agency in view, tables as they come; then the keys of the agency after one key more.
    fn show(&mut self, page: &str) -> String {
        self.wake();
        self.slowly(&["esc"; 12]);
        self.wake();
        if !self.pty.look().text().contains("whole agency") {
            self.slowly(&["1", "W"]);
            self.pty.sees("whole agency");
        }
        self.slowly(&["backspace", "1", "f10", "esc", page]);
        self.pty.look().text()
    }

    /// One key after the other: an escape and a key that come together are a third.
    fn slowly(&mut self, keys: &[&str]) {
        for key in keys {
            self.pty.press(key).within(Duration::from_millis(80), &|_| false);
        }
    }
}

/// How long it lasts, and on what.
struct Soak {
    until: Option<Instant>,
    turns: usize,
    keys: String,
    seed: u64,
}

impl Soak {
    fn asked_for() -> Self {
        let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
        let minutes = number("KEYDECK_SOAK_MINUTES");
        Self {
            until: minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes)),
            turns: 0,
            keys: number("KEYDECK_SOAK_KEYS").unwrap_or(200).to_string(),
            seed: number("KEYDECK_SOAK_SEED").unwrap_or(1),
        }
    }

    fn goes_on(&mut self) -> bool {
        self.turns += 1;
        self.until.map_or(self.turns <= 60, |until| Instant::now() < until)
    }
}

/// Requests with these tokens until somebody says stop: each is answered.
fn knock(address: SocketAddr, tokens: &[String], stop: &Receiver<()>) -> usize {
    let mut answered = 0;
    while stop.recv_timeout(Duration::from_millis(5)) == Err(RecvTimeoutError::Timeout) {
        let token = &tokens[answered % tokens.len()];
        let heard = http::ask(address, "GET", "/verify", &format!("Authorization: Bearer {token}\r\n"));
        assert!([200, 204, 401, 403, 429, 503].contains(&heard.status), "{heard:?}");
        answered += 1;
    }
    answered
}

/// Another operator at work until somebody says stop: what is refused while a clock is wrong is refused, and no more.
fn work(ann: &Person<'_>, stop: &Receiver<()>) -> usize {
    let mut done = 0;
    while stop.recv_timeout(Duration::from_millis(300)) == Err(RecvTimeoutError::Timeout) {
        let name = format!("Work {done}");
        let first = ann.says(&["key", "create", "--name", &name, "--agency", "--scope", "contacts.read"]);
        let second = ann.says(&["key", ["revoke", "pause", "protect"][done % 3], &name]);
        for said in [first, second] {
            assert!((0..=4).contains(&said.code) && !said.err.contains("panicked"), "{said:?}");
        }
        done += 1;
    }
    done
}

#[test]
fn two_consoles_hold_whatever_is_done_to_them_and_show_the_same_at_the_end() {
    let mut soak = Soak::asked_for();
    let mut dice = Dice::of(soak.seed);
    let desk = Desk::new();
    desk.file("maria.pass", PASSPHRASE);
    desk.file("clock", "0");
    let data = desk.data().display().to_string();
    let make = [
        "demo",
        "--keys",
        &soak.keys,
        "--operators",
        "6",
        "--data",
        &data,
        "--passphrase-file",
        "maria.pass",
    ];
    desk.run(&make, "").expect(0);
    let server = Server::start(&desk);
    let ann = desk.hire("ann", "admin");
    let tokens: Vec<String> = (0..6).map(|n| ann.issues(&format!("Soak {n}"), "contacts.read")).collect();
    let mut seats = [Seat::take(&desk, "left"), Seat::take(&desk, "right")];
    seats.iter_mut().for_each(Seat::wake);
    let (mut ahead, mut first) = (0_i64, None);
    let memory = |seats: &[Seat<'_>; 2]| [server.child.id(), seats[0].pid(), seats[1].pid()].map(resident);
    std::thread::scope(|scope| {
        let (end_knocking, stop_knocking) = channel();
        let (end_work, stop_work) = channel();
        let knocking = scope.spawn(move || knock(server.address, &tokens, &stop_knocking));
        let working = scope.spawn(|| work(&ann, &{ stop_work }));
        while soak.goes_on() {
            for seat in &mut seats {
                seat.wake();
                seat.lean(&mut dice);
                seat.shows_its_focus();
            }
            if dice.once_in(40) {
                ahead += dice.one_of(&[3_600_000, -3_600_000, 61_000, 86_400_000, -2 * 86_400_000]);
                desk.file("clock", ahead.to_string());
            }
            if soak.turns == 30 {
                first = Some(memory(&seats));
            }
        }
        drop((end_knocking, end_work));
        eprintln!(
            "{} turns, {} requests, {} changes",
            soak.turns,
            knocking.join().unwrap(),
            working.join().unwrap()
        );
    });
    for page in ["0", "g"] {
        let mut shown = [String::new(), String::new()];
        for _ in 0..20 {
            shown = [seats[0].show(page), seats[1].show(page)];
            if shown[0] == shown[1] {
                break;
            }
        }
        assert!(shown[0] == shown[1], "page {page}, left and right:\n{}\n{}", shown[0], shown[1]);
    }
    let (first, last) = (first.unwrap(), memory(&seats));
    eprintln!("resident, server and consoles: {first:?} KiB at first, {last:?} at the end");
    assert!(first.iter().zip(&last).all(|(first, last)| *last < 2 * first + 65_536), "{first:?} {last:?}");
}
