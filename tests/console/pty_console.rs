//! The program itself in a real terminal: first start, sign-in, demo, and every way out.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::pty::{self, Pty};
use keydeck::store::{SledOptions, SledStore};
use rustix::process::Signal;

const PROGRAM: &str = env!("CARGO_BIN_EXE_keydeck");
const PHRASE: &str = "correct horse battery staple";

/// A home of its own, so that nobody's configuration or store is read or written.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let home = self.path().display().to_string();
        let mut all: Vec<_> = ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"]
            .map(|name| (name, home.clone()))
            .to_vec();
        all.push(("KEYDECK_DATA", self.path().join("store").display().to_string()));
        all.push(("RUST_BACKTRACE", "0".into()));
        all
    }

    /// Runs the program in a terminal.
    fn run(&self, arguments: &[&str], env: &[(&str, &str)], (columns, rows): (u16, u16)) -> Pty {
        let mut command = pty::command(PROGRAM);
        command.args(arguments);
        self.spawn(command, env, (columns, rows))
    }

    /// Runs a shell that runs the program as `"$0"`.
    fn shell(&self, script: &str, size: (u16, u16)) -> Pty {
        let mut command = pty::command("sh");
        command.args(["-ic", script, PROGRAM]);
        self.spawn(command, &[("PS1", "")], size)
    }

    fn spawn(
        &self,
        mut command: portable_pty::CommandBuilder,
        env: &[(&str, &str)],
        (columns, rows): (u16, u16),
    ) -> Pty {
        for (name, value) in self.variables() {
            command.env(name, value);
        }
        for (name, value) in env {
            command.env(name, value);
        }
        Pty::spawn(command, columns, rows)
    }

    /// Founds a store for maria by the command line.
    fn founded() -> Self {
        let home = Self::new();
        let file = home.path().join("passphrase");
        fs::write(&file, PHRASE).unwrap();
        let done = Command::new(PROGRAM)
            .args(["init", "--agency", "Acme", "--operator", "maria", "--passphrase-file"])
            .arg(&file)
            .envs(home.variables())
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        home
    }

    fn demo(&self) -> Pty {
        let pty = self.run(&["demo"], &[], (100, 30));
        pty.sees("maria · admin · whole agency");
        pty
    }
}

fn left_clean(pty: &Pty) {
    let screen = pty.look();
    let now = screen.now();
    assert!(!now.alternate_screen(), "still on the alternate screen");
    assert!(!now.hide_cursor(), "the cursor is hidden");
    assert!(!now.bracketed_paste(), "bracketed paste is on");
    assert_eq!(now.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    assert!(!screen.text().contains("keydeck ·"), "{}", screen.text());
    assert!(!screen.text().contains('\u{1b}') && !screen.text().contains("[?"), "{}", screen.text());
    drop(screen);
    assert!(pty.is_cooked(), "the terminal is raw");
}

/// Ends within a second, which is what a person who closes the terminal waits for.
fn ends_soon(pty: &mut Pty, end: impl FnOnce(&Pty)) -> u32 {
    let begun = Instant::now();
    end(pty);
    let status = pty.exit();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(2), "it took {took:?}");
    status.exit_code()
}

#[test]
fn the_first_start_leads_from_an_empty_directory_to_the_desk() {
    let home = Home::new();
    let mut pty = home.run(&[], &[], (80, 24));
    pty.sees("Welcome to keydeck");
    pty.type_text("Acme").press("enter").type_text("maria").press("enter");
    pty.type_text(PHRASE).press("enter").sees("the same once more");
    pty.type_text(PHRASE).press("enter").sees("It is shown only now");
    let text = pty.look().text();
    let code: String =
        text[text.find("kdrc_").unwrap()..].chars().take_while(|c| !c.is_whitespace()).collect();
    pty.type_text(&code).sees("That is it");
    pty.press("enter").sees("maria · admin · own keys · sealed ✓");
    assert!(!pty.look().text().contains("kdrc_"));
    pty.press("q");
    assert_eq!(pty.exit().exit_code(), 0);
    left_clean(&pty);
    assert!(!text.contains("battery"), "the passphrase was on the screen");
}

#[test]
fn a_wrong_passphrase_then_the_right_one() {
    let home = Home::founded();
    let mut pty = home.run(&[], &[], (80, 24));
    // Only one person can sign in here, so the name is filled in.
    pty.sees("Passphrase").sees("maria");
    pty.type_text("not this one at all").press("enter").sees("no slot of this store opens with that");
    pty.sees("keydeck operator passphrase maria").sees("--recovery-file FILE");
    pty.type_text(PHRASE).press("enter").sees("maria · admin · own keys · sealed ✓");
    pty.press("ctrl-x").sees("Locked.").sees_no("sealed");
    pty.type_text(PHRASE).press("enter").sees("sealed ✓");
    pty.press("ctrl-c");
    assert_eq!(pty.exit().exit_code(), 0);
    left_clean(&pty);
}

#[test]
fn a_second_console_attaches_and_the_store_is_free_when_the_first_ends() {
    let home = Home::founded();
    let mut first = home.run(&[], &[], (80, 24));
    first.sees("Passphrase");
    first.type_text(PHRASE).press("enter").sees("sealed ✓");
    let mut second = home.run(&[], &[], (80, 24));
    second.sees("Passphrase");
    second.type_text(PHRASE).press("enter").sees("sealed ✓");
    first.press("q");
    assert_eq!(first.exit().exit_code(), 0);
    // Whoever was attached is told, and signs in again: to the store itself now.
    second.sees("Passphrase");
    second.type_text(PHRASE).press("enter").sees("sealed ✓");
    second.press("q");
    assert_eq!(second.exit().exit_code(), 0);
    left_clean(&second);
    let third = home.run(&[], &[], (80, 24));
    third.sees("Passphrase");
}

#[test]
fn a_time_zone_that_does_not_exist_is_told_where_it_is_seen() {
    let home = Home::new();
    let mut pty = home.run(&["demo"], &[("TZ", "Mars/Base")], (100, 30));
    pty.sees("There is no time zone called Mars/Base");
    pty.press("q");
    assert_eq!(pty.exit().exit_code(), 0);
}

#[test]
fn the_demo_opens_and_leaves_nothing_behind() {
    let home = Home::new();
    let mut pty = home.demo();
    pty.press("?").sees("type to search");
    pty.press("esc").sees_no("type to search");
    pty.press("q");
    assert_eq!(pty.exit().exit_code(), 0);
    left_clean(&pty);
    assert!(!home.path().join("store").exists(), "the demo wrote a store");
}

#[test]
fn a_storm_of_sizes_ends_on_a_right_frame() {
    let home = Home::new();
    let mut pty = home.demo();
    pty.press(":").sees("or what to do");
    pty.type_text("quit").sees("Quit");
    for step in 0..200_u16 {
        pty.resize(20 + step % 97, 3 + step % 37);
    }
    pty.resize(90, 28).sees("demo").sees("╭─ Jump").sees("Quit");
    pty.press("ctrl-l").wait("a whole frame", |screen| {
        let rows: Vec<String> = screen.now().rows(0, 90).collect();
        rows.len() == 28
            && rows[0].contains("keydeck")
            && rows[2].starts_with("───")
            && rows[27].contains("esc")
    });
    pty.press("ctrl-c");
    assert_eq!(pty.exit().exit_code(), 0);
}

#[test]
fn ctrl_z_locks_and_gives_the_shell_its_terminal_back() {
    let home = Home::founded();
    let mut pty = home.shell("set -m; \"$0\"; echo stopped-$?; read line; fg; echo ended-$?", (80, 24));
    pty.sees("Passphrase").sees("maria");
    pty.type_text(PHRASE).press("enter").sees("sealed ✓");
    pty.press("ctrl-z").sees("stopped-").sees_no("sealed");
    assert!(!pty.look().now().alternate_screen() && pty.is_cooked());
    pty.press("enter").sees("Locked while keydeck was in the background").sees_no("stopped-");
    pty.type_text(PHRASE).press("enter").sees("sealed ✓");
    pty.press("q").sees("ended-0");
}

#[test]
fn terminate_and_hang_up_end_it_at_once() {
    let codes = [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130), (Signal::QUIT, 131)];
    for (signal, code) in codes {
        let home = Home::founded();
        let mut pty = home.run(&[], &[], (80, 24));
        pty.sees("Passphrase").sees("maria");
        pty.type_text(PHRASE).press("enter").sees("sealed ✓");
        let told = ends_soon(&mut pty, |pty| {
            pty.signal(signal);
        });
        // As a shell says of a program that a signal ended.
        assert_eq!(told, code, "{signal:?}");
        left_clean(&pty);
        // The store is free again.
        let mut again = home.run(&[], &[], (80, 24));
        again.sees("Passphrase");
        again.paste(PHRASE).press("enter").sees("sealed ✓");
    }
}

#[test]
fn a_closed_terminal_ends_it_at_once() {
    let home = Home::new();
    let mut pty = home.demo();
    pty.hang_up("?");
    assert_eq!(ends_soon(&mut pty, |_| {}), 129);
}

/// A parent that ignores the hang-up signal, as nohup does, must not leave an orphan that reads from a dead terminal
/// for ever.
#[test]
fn a_closed_terminal_ends_it_even_where_hang_ups_are_ignored() {
    let home = Home::founded();
    for arguments in ["demo", ""] {
        let (mut pty, key) = if arguments == "demo" {
            let pty = home.shell("trap '' HUP; exec \"$0\" demo", (100, 30));
            pty.sees("maria · admin · whole agency");
            (pty, "?")
        } else {
            // At the door, too, where nobody is signed in yet.
            let pty = home.shell("trap '' HUP; exec \"$0\"", (100, 30));
            pty.sees("Passphrase").sees("maria");
            (pty, "x")
        };
        pty.hang_up(key);
        assert_eq!(ends_soon(&mut pty, |_| {}), 129, "{arguments:?}");
    }
}

#[test]
fn a_fault_of_its_own_restores_the_terminal() {
    if !cfg!(debug_assertions) {
        println!("skipped: needs a debug build");
        return;
    }
    let home = Home::new();
    let mut pty = home.run(&["demo"], &[("KEYDECK_TEST_BREAK", "1")], (80, 24));
    pty.sees("admin");
    pty.write(b"\x1b[24~").sees("keydeck stopped on a fault of its own at src/tui/app/console.rs");
    assert_eq!(pty.exit().exit_code(), 101);
    assert!(!pty.look().text().contains("broken on purpose"), "{}", pty.look().text());
    left_clean(&pty);
}

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let home = Home::new();
    let done =
        Command::new(PROGRAM).arg("demo").envs(home.variables()).stdin(Stdio::null()).output().unwrap();
    assert_eq!(done.status.code(), Some(2));
    assert!(done.stdout.is_empty());
    assert!(String::from_utf8_lossy(&done.stderr).contains("keydeck key list"));
}

/// Time on a processor so far, in hundredths of a second.
fn ticks(pid: i32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn nothing_happens_while_nobody_does_anything() {
    let home = Home::new();
    let mut pty = home.demo();
    // Whatever the start still has to say is said before the count begins.
    while pty.within(Duration::from_millis(300), &{
        let before = pty.look().bytes.len();
        move |screen: &pty::Screen| screen.bytes.len() != before
    }) {}
    let (bytes, before) = (pty.look().bytes.len(), ticks(pty.pid));
    assert!(
        !pty.within(Duration::from_secs(3), &|screen| screen.bytes.len() != bytes),
        "something was drawn"
    );
    assert!(ticks(pty.pid) - before <= 2, "{} ticks of a hundredth", ticks(pty.pid) - before);
    pty.press("q").exit();
}

#[test]
fn no_color_means_none_and_the_selection_is_still_seen() {
    let home = Home::new();
    let mut pty = home.run(&["demo"], &[("NO_COLOR", "1")], (80, 24));
    pty.sees("admin");
    pty.press(":").sees("or what to do").wait("a reversed row", |screen| {
        let now = screen.now();
        let (rows, columns) = now.size();
        let reversed =
            |row: u16| (0..u16::from(columns)).any(|x| now.cell(row, x).is_some_and(vt100::Cell::inverse));
        (0..u16::from(rows)).any(reversed)
    });
    pty.press("ctrl-c").exit();
    let bytes = String::from_utf8_lossy(&pty.look().bytes).into_owned();
    for sequence in bytes.split("\u{1b}[").skip(1) {
        let Some((parameters, _)) = sequence.split_once('m') else { continue };
        if !parameters.chars().all(|c| c.is_ascii_digit() || c == ';') {
            continue;
        }
        for parameter in parameters.split(';').filter_map(|p| p.parse::<u16>().ok()) {
            let colour = (30..=38).contains(&parameter)
                || (40..=48).contains(&parameter)
                || (90..=107).contains(&parameter);
            assert!(!colour, "a colour: {parameters}");
        }
    }
}

/// Where a sequence was written first.
fn at(pty: &Pty, sequence: &str) -> Option<usize> {
    pty.look().bytes.windows(sequence.len()).position(|window| window == sequence.as_bytes())
}

const FRAME_END: &str = "\x1b[?2026l";
const QUESTION: &str = "\x1b]11;?";

#[test]
fn the_first_frame_waits_for_no_answer_and_the_theme_follows_it() {
    let home = Home::new();
    let mut pty = home.demo();
    let brand = |pty: &Pty| pty.look().now().cell(0, 1).map(vt100::Cell::fgcolor);
    // Drawn dark, and only then is it asked; nobody answered yet.
    assert!(at(&pty, FRAME_END).unwrap() < at(&pty, QUESTION).unwrap());
    assert_eq!(brand(&pty), Some(vt100::Color::Idx(6)));
    // Keys that come before and with the answer are heard, and the answer is none.
    pty.press(":").sees("or what to do");
    pty.write(b"qu\x1b]11;rgb:ffff/ffff/ffff\x1b\\it").sees("Quit").sees_no("rgb");
    pty.wait("the light theme", |screen| {
        screen.now().cell(0, 1).map(vt100::Cell::fgcolor) == Some(vt100::Color::Idx(4))
    });
    pty.press("ctrl-c");
    assert_eq!(pty.exit().exit_code(), 0);
    left_clean(&pty);
}

#[test]
fn a_named_theme_is_readable_on_either_background_and_nobody_is_asked_over_ssh() {
    let home = Home::new();
    let mut pty = home.run(&["demo", "--theme", "light"], &[], (100, 30));
    pty.sees("maria · admin · whole agency");
    let ground = |screen: &pty::Screen| screen.now().cell(2, 0).map(vt100::Cell::bgcolor);
    // Nobody knows: it brings its own.
    pty.wait("a ground", |screen| ground(screen) == Some(vt100::Color::Idx(15)));
    pty.write(b"\x1b]11;rgb:1c1c/1c1c/1c1c\x07").press("?").sees("type to search");
    assert_eq!(ground(&pty.look()), Some(vt100::Color::Idx(15)), "dark is the other one");
    // Where the terminal is light itself its own is left alone.
    pty.write(b"\x1b]11;rgb:ffff/ffff/ffff\x07");
    pty.wait("no ground", |screen| ground(screen) == Some(vt100::Color::Default));
    pty.press("ctrl-c").exit();
    let far = home.run(&["demo"], &[("SSH_TTY", "/dev/pts/9")], (100, 30));
    far.sees("maria · admin · whole agency");
    assert_eq!(at(&far, QUESTION), None);
}

#[test]
fn without_the_mouse_it_is_taken_only_when_asked_for() {
    let home = Home::new();
    let mut pty = home.run(&["demo", "--no-mouse"], &[], (100, 30));
    pty.sees("maria · admin · whole agency");
    assert_eq!(pty.look().now().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    assert_eq!(at(&pty, "\x1b[?1000h"), None);
    pty.press("M").sees("click tabs, rows and hints");
    assert_eq!(pty.look().now().mouse_protocol_mode(), vt100::MouseProtocolMode::PressRelease);
    pty.press("q");
    assert_eq!(pty.exit().exit_code(), 0);
    left_clean(&pty);
}

#[test]
fn where_another_process_has_the_store_it_is_named_and_the_console_ends() {
    let home = Home::founded();
    // One that lets nobody attach: this process.
    let held = SledStore::open(&SledOptions::new(home.path().join("store"))).unwrap();
    let mut pty = home.run(&[], &[], (100, 30));
    assert_eq!(pty.exit().exit_code(), 3);
    let said = pty.look().text();
    let pid = format!("process {}", std::process::id());
    assert!(said.contains("in use") && said.contains(&pid), "{said}");
    assert!(!said.contains("Passphrase"), "nobody types one in vain: {said}");
    left_clean(&pty);
    drop(held);
    home.run(&[], &[], (100, 30)).sees("Passphrase");
}

#[test]
fn a_new_secret_is_in_no_title_no_log_and_no_history_and_not_on_the_screen_once_it_is_closed() {
    let home = Home::founded();
    let mut pty = home.run(&[], &[("KEYDECK_LOG", "trace")], (80, 24));
    pty.sees("Passphrase").sees("maria");
    pty.type_text(PHRASE).press("enter").sees("sealed ✓");
    pty.press("n").sees("New key");
    pty.type_text("Nightly").sees("Nightly");
    pty.press("ctrl-s").sees("2 of 2");
    pty.press("space").sees("[✓] Contacts");
    pty.press("ctrl-s").sees("I stored it");
    pty.press("p").sees_no("I stored it").sees("kdag_");
    let screen = pty.look().text();
    let token = screen.lines().map(str::trim).find(|line| line.starts_with("kdag_")).unwrap().to_owned();
    assert_eq!(token.len(), 56, "on one line, and nothing beside it: {screen}");
    pty.press("esc").sees("I stored it");
    pty.press("space").sees("[✓]");
    pty.press("enter").sees_no("I stored it").sees_no(&token);
    pty.press("q");
    assert_eq!(pty.exit().exit_code(), 0);
    left_clean(&pty);
    let secret = &token[18..50];
    assert!(!pty.look().text().contains(secret));
    // No title is set at all, on the terminal or of its icon.
    for title in ["\x1b]0;", "\x1b]1;", "\x1b]2;"] {
        assert_eq!(at(&pty, title), None);
    }
    let (mut left, mut files) = (vec![home.path().to_owned()], 0);
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let bytes = fs::read(&path).unwrap();
            assert!(
                !bytes.windows(secret.len()).any(|found| found == secret.as_bytes()),
                "{}",
                path.display()
            );
            files += 1;
        }
    }
    assert!(files > 3, "{files} files: store, log and how the console was left");
}
