//! The console in a real terminal: entered and left clean, by every way out.
//!
//! Each test starts this very test program again as [`demo_console`], a console with a tiny model, inside a
//! pseudo-terminal.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::{
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use crate::support::child;
use crate::support::pty::{self, Pty};
use keydeck::tui::{
    action::{Action, Layer},
    canvas::{Canvas, HitMap},
    clock::{Moment, Now, SteadyClock},
    input::{Gesture, Input, Mouse, TextFocus},
    keymap::Keymap,
    program::{Capture, Msg, Orders, Program, Task, Worker},
    router::{Cue, route},
    runtime::{Ending, Runtime, Surroundings},
    signals,
    terminal::{TerminalKeys, Tty},
    theme::{Background, Environment, GlyphSet, Role, Theme},
};
use ratatui::{buffer::Buffer, layout::Position};
use rustix::process::Signal;

/// A model with one line on the screen and a key for each thing to be tested.
struct Demo {
    theme: Theme,
    keymap: Keymap,
    hits: HitMap,
    line: String,
    /// Keys that were heard.
    keys: u32,
    farewell: Option<String>,
}

impl Program for Demo {
    type Effect = String;
    type Outcome = ();

    fn update(&mut self, msg: Msg<()>, _: Now, orders: &mut Orders<String>) {
        match msg {
            Msg::Input(Input::Paste(pasted)) => self.line = format!("pasted {}", pasted.text().len()),
            Msg::Input(Input::Resize { width, height }) => self.line = format!("{width} by {height}"),
            Msg::Input(Input::Mouse(Mouse { x, y, gesture: Gesture::Click })) => {
                self.line = format!("click {x} {y}");
            }
            Msg::Input(Input::Key { chord, held }) => {
                self.keys += 1;
                match route(&self.keymap, Layer::Screen, TextFocus::Elsewhere, chord, held) {
                    Some(Cue::Do(Action::Quit)) => orders.quit(),
                    Some(Cue::Do(Action::Suspend)) => orders.suspend(),
                    Some(Cue::Do(Action::MouseToggle)) => orders.mouse(Capture::Free),
                    Some(Cue::Do(Action::Pause)) => panic!("the token is kdag_hidden"),
                    Some(Cue::Do(Action::New)) => "kdag_shown_once".clone_into(&mut self.line),
                    Some(Cue::Do(Action::Redraw)) => {
                        "wiped".clone_into(&mut self.line);
                        orders.wipe();
                    }
                    Some(meaning) => self.line = format!("heard {meaning:?}"),
                    None => {}
                }
            }
            Msg::Suspending => orders.suspend(),
            Msg::Resumed => "back again".clone_into(&mut self.line),
            Msg::CannotSuspend => "no shell to come back to".clone_into(&mut self.line),
            Msg::Done { .. } | Msg::Lost { .. } | Msg::News(()) | Msg::Tick | Msg::Input(Input::Mouse(_)) => {
            }
        }
    }

    fn view(&mut self, buffer: &mut Buffer, _: Now) -> Option<Position> {
        let mut canvas = Canvas::new(buffer, &self.theme, &mut self.hits);
        let area = canvas.area();
        canvas.fit(0, 0, area.width, "demo console", Role::Good);
        canvas.fit(0, 1, area.width, "a selected row", Role::Selected);
        canvas.fit(0, 2, area.width, &self.line, Role::Warn);
        canvas.fit(0, 3, area.width, &format!("{} keys", self.keys), Role::Dim);
        canvas.cursor_position()
    }

    fn text_focus(&self) -> TextFocus {
        TextFocus::Elsewhere
    }

    fn wake_at(&self) -> Option<Moment> {
        None
    }

    fn farewell(&mut self, _: Now) -> Vec<String> {
        self.farewell.take().into_iter().collect()
    }
}

/// Writes the file it is told to: the trace that the last effect was done.
struct Hand;

impl Worker<Demo> for Hand {
    fn task(&self, path: String) -> Task<()> {
        Box::new(move || std::fs::write(path, "settled").unwrap())
    }
}

#[test]
#[ignore = "not a test: the program that the other tests start"]
fn demo_console() {
    let Ok(farewell) = std::env::var("DEMO_FAREWELL") else {
        println!("skipped: needs to be started by a test");
        return;
    };
    println!("what was here before");
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let env = Environment { ask: false, ..Environment::read(|name| std::env::var(name).ok()) };
    let demo = Demo {
        theme: Theme::choose("dark", &env, Some(Background::Dark), GlyphSet::Unicode).unwrap(),
        keymap: Keymap::standard(),
        hits: HitMap::default(),
        line: "ready".to_owned(),
        keys: 0,
        farewell: Some(farewell),
    };
    let ended = tokio.block_on(async {
        let signals = signals::listen().unwrap();
        let stage = Tty::enter(Capture::Taken).unwrap();
        let input = TerminalKeys::listen(drop).unwrap();
        let clock = SteadyClock::start(|| 0);
        let around = Surroundings { worker: Hand, stage, input, signals, clock };
        Runtime::new(demo, around).run().await.map(|(_, ending)| ending)
    });
    tokio.shutdown_background();
    let _terminal_may_be_gone = writeln!(std::io::stdout(), "after the console");
    std::process::exit(match ended.unwrap() {
        Ending::Quit => 0,
        Ending::Terminated(_) => 40,
        Ending::HungUp => 41,
    });
}

struct Started {
    pty: Pty,
    /// Where the last effect leaves its trace.
    farewell: tempfile::TempDir,
}

impl Started {
    fn with(shell: Option<&str>, env: &[(&str, &str)]) -> Self {
        let farewell = tempfile::tempdir().unwrap();
        let (me, arguments) = child::program(concat!(module_path!(), "::demo_console"));
        let mut command = match shell {
            None => {
                let mut command = pty::command(me);
                command.args(arguments);
                command
            }
            Some(script) => {
                let mut command = pty::command("sh");
                command.args(["-c", script, "sh"]);
                command.arg(me);
                command.args(arguments);
                command
            }
        };
        command.env("DEMO_FAREWELL", farewell.path().join("settled"));
        command.env("RUST_BACKTRACE", "0");
        for (name, value) in env {
            command.env(name, value);
        }
        let pty = Pty::spawn(command, 80, 24);
        pty.sees("ready");
        Self { pty, farewell }
    }

    fn start() -> Self {
        Self::with(None, &[])
    }

    fn settled(&self) -> bool {
        Path::new(&self.farewell.path().join("settled")).exists()
    }

    /// Asserts that nothing of the console is left on the terminal.
    fn left_clean(&self) {
        let screen = self.pty.look();
        let now = screen.now();
        assert!(!now.alternate_screen(), "still on the alternate screen");
        assert!(!now.hide_cursor(), "the cursor is hidden");
        assert!(!now.bracketed_paste(), "bracketed paste is on");
        assert_eq!(now.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert!(screen.text().contains("what was here before"), "{}", screen.text());
        assert!(!screen.text().contains("demo console"), "{}", screen.text());
        drop(screen);
        assert!(self.pty.is_cooked(), "the terminal is raw");
    }
}

fn count(bytes: &[u8], sequence: &str) -> usize {
    bytes.windows(sequence.len()).filter(|window| *window == sequence.as_bytes()).count()
}

#[test]
fn the_terminal_is_entered_and_left_as_it_was() {
    let mut demo = Started::start();
    {
        let screen = demo.pty.look();
        assert!(
            screen.now().alternate_screen() && screen.now().bracketed_paste() && screen.now().hide_cursor()
        );
        assert_eq!(screen.now().mouse_protocol_mode(), vt100::MouseProtocolMode::PressRelease);
        assert_eq!(
            count(&screen.bytes, "\x1b[?1002h") + count(&screen.bytes, "\x1b[?1003h"),
            0,
            "motion asked for"
        );
    }
    assert!(!demo.pty.is_cooked());
    demo.pty.press("q");
    assert_eq!(demo.pty.exit().exit_code(), 0);
    demo.left_clean();
    assert!(demo.settled());
}

#[test]
fn every_frame_is_marked_as_one() {
    let mut demo = Started::start();
    demo.pty.press("j").sees("heard Do(Down)");
    demo.pty.press("q").exit();
    let screen = demo.pty.look();
    let (begun, ended) = (count(&screen.bytes, "\x1b[?2026h"), count(&screen.bytes, "\x1b[?2026l"));
    // One more end than begins: leaving ends a frame that a panic may have left open.
    assert!(begun >= 2 && ended == begun + 1, "{begun} begun, {ended} ended");
}

#[test]
fn a_panic_restores_the_terminal_and_tells_no_secret() {
    let mut demo = Started::start();
    demo.pty.press("P");
    assert_eq!(demo.pty.exit().exit_code(), 101);
    demo.left_clean();
    let screen = demo.pty.look();
    assert!(screen.text().contains("keydeck stopped on a fault of its own at"), "{}", screen.text());
    assert_eq!(count(&screen.bytes, "kdag_hidden"), 0);
}

#[test]
fn signals_end_it_cleanly_within_a_second() {
    for (signal, code) in [(Signal::TERM, 40), (Signal::INT, 40), (Signal::QUIT, 40), (Signal::HUP, 41)] {
        let mut demo = Started::start();
        let sent = Instant::now();
        demo.pty.signal(signal);
        assert_eq!(demo.pty.exit().exit_code(), code, "{signal:?}");
        assert!(sent.elapsed() < Duration::from_secs(5), "{signal:?} took {:?}", sent.elapsed());
        demo.left_clean();
        assert!(demo.settled(), "{signal:?}");
    }
}

#[test]
fn a_lost_terminal_ends_it_even_when_hang_ups_are_ignored() {
    let mut demo = Started::with(Some("trap '' HUP; exec \"$@\""), &[]);
    demo.pty.hang_up("j");
    assert_eq!(demo.pty.exit().exit_code(), 41);
    assert!(demo.settled());
}

#[test]
fn ctrl_z_gives_the_shell_back_and_fg_the_console() {
    let mut demo = Started::with(Some("set -m; \"$@\"; echo stopped-$?; fg; echo ended-$?"), &[]);
    demo.pty.press("j").sees("heard Do(Down)");
    demo.pty.press("ctrl-z");
    demo.pty.sees("back again");
    demo.pty.press("q");
    demo.pty.exit();
    let screen = demo.pty.look();
    assert!(
        screen.text().contains("stopped-1"),
        "{:?} {}",
        String::from_utf8_lossy(&screen.bytes),
        screen.text()
    );
    assert!(screen.text().contains("ended-0"), "{}", screen.text());
    assert_eq!(count(&screen.bytes, "\x1b[?1049h"), 2, "entered twice");
    assert_eq!(count(&screen.bytes, "\x1b[?1049l"), 2, "left twice");
}

#[test]
fn without_a_shell_ctrl_z_does_not_stop_for_ever() {
    let mut demo = Started::start();
    demo.pty.press("ctrl-z").sees("no shell to come back to");
    demo.pty.press("j").sees("heard Do(Down)");
    demo.pty.signal(Signal::TSTP).sees("no shell to come back to");
    demo.pty.press("q");
    assert_eq!(demo.pty.exit().exit_code(), 0);
}

#[test]
fn no_color_means_no_colour_and_still_a_selection() {
    let mut demo = Started::with(None, &[("NO_COLOR", "1")]);
    {
        let screen = demo.pty.look();
        assert!(screen.now().cell(1, 0).unwrap().inverse(), "the selection is not seen");
        for row in 0..3 {
            for column in 0..20 {
                let cell = screen.now().cell(row, column).unwrap();
                assert_eq!((cell.fgcolor(), cell.bgcolor()), (vt100::Color::Default, vt100::Color::Default));
            }
        }
    }
    demo.pty.press("q").exit();
    let coloured = Started::start();
    assert_ne!(coloured.pty.look().now().cell(0, 0).unwrap().fgcolor(), vt100::Color::Default);
}

#[test]
fn a_paste_runs_nothing_with_or_without_brackets() {
    let mut demo = Started::start();
    demo.pty.paste("qqq").sees("pasted 3");
    demo.pty.type_text("PPqqqPPP").sees("pasted 8");
    demo.pty.press("q");
    assert_eq!(demo.pty.exit().exit_code(), 0);
}

#[test]
fn a_wiped_screen_keeps_nothing_of_a_secret() {
    let mut demo = Started::start();
    demo.pty.press("n").sees("kdag_shown_once");
    demo.pty.press("ctrl-l").sees("wiped").sees_no("kdag");
    demo.pty.press("q").exit();
    demo.left_clean();
    assert!(!demo.pty.look().text().contains("kdag"));
}

#[test]
fn clicks_and_sizes_arrive() {
    let mut demo = Started::start();
    demo.pty.write(b"\x1b[<0;11;6M").sees("click 10 5");
    for columns in 60..100 {
        demo.pty.resize(columns, 20);
    }
    demo.pty.resize(70, 18).sees("70 by 18");
    demo.pty.press("M q").exit();
    demo.left_clean();
}

#[test]
fn a_key_pressed_while_the_window_changes_does_not_wait_for_the_next() {
    let mut demo = Started::start();
    for round in 0..300_u16 {
        // Often enough that it hears of both at once.
        demo.pty.resize(60 + round % 40, 20).press("j").sees(&format!("\n{} keys", round + 1));
    }
    demo.pty.press("q").exit();
    demo.left_clean();
}

#[test]
fn an_idle_console_writes_nothing_and_takes_no_time() {
    let demo = Started::start();
    let before = (demo.pty.look().bytes.len(), processor_ticks(demo.pty.pid));
    let quiet = !demo.pty.within(Duration::from_secs(1), &|screen| screen.bytes.len() != before.0);
    assert!(quiet, "something was drawn");
    let spent = processor_ticks(demo.pty.pid) - before.1;
    assert!(spent <= 1, "{spent} ticks of 10 ms");
}

/// User and system time of a process in ticks of 10 ms; 0 where there is no /proc.
fn processor_ticks(pid: i32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let field = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    field(11) + field(12)
}
