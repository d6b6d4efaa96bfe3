//! A real terminal for tests: a program runs in a pseudo-terminal, somebody reads its screen, somebody presses keys.
//!
//! Nothing here sleeps: every wait is for the screen to change or the program to end, with a deadline that fails
//! the test and shows the screen.

use super::wait::PATIENCE;
use std::{
    ffi::OsStr,
    io::{Read as _, Write},
    num::NonZero,
    sync::{Arc, Condvar, Mutex, MutexGuard, mpsc},
    thread,
    time::{Duration, Instant},
};

use portable_pty::{ChildKiller, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// A program in a terminal.
pub struct Pty {
    /// The program's process number.
    pub pid: i32,
    killer: Box<dyn ChildKiller + Send + Sync>,
    ended: mpsc::Receiver<ExitStatus>,
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    seen: Arc<Seen>,
}

/// A command for an ordinary terminal at the machine itself: sixteen colours, no ssh.
pub fn command(program: impl AsRef<OsStr>) -> CommandBuilder {
    let mut command = CommandBuilder::new(program);
    for name in ["COLORTERM", "NO_COLOR", "SSH_TTY", "SSH_CONNECTION", "DISPLAY", "WAYLAND_DISPLAY"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm-256color");
    command
}

/// What came out so far.
struct Seen {
    state: Mutex<Screen>,
    changed: Condvar,
}

/// The screen, and every byte that made it.
pub struct Screen {
    parser: vt100::Parser,
    /// All output, oldest first.
    pub bytes: Vec<u8>,
    closed: bool,
    /// Whether the reader should let go of the terminal.
    leave: bool,
}

impl Screen {
    /// The terminal as it is now.
    pub fn now(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// Whether nobody writes to it any more.
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Its text.
    pub fn text(&self) -> String {
        self.parser.screen().contents()
    }
}

impl Pty {
    /// Starts `command` in a terminal of `columns` × `rows`.
    pub fn spawn(command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let pid = i32::try_from(child.process_id().unwrap()).unwrap();
        let killer = child.clone_killer();
        let (tell, ended) = mpsc::channel();
        thread::spawn(move || tell.send(child.wait().unwrap()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let parser = vt100::Parser::new(cells(rows), cells(columns), 0);
        let screen = Screen { parser, bytes: Vec::new(), closed: false, leave: false };
        let seen = Arc::new(Seen { state: Mutex::new(screen), changed: Condvar::new() });
        let told = Arc::clone(&seen);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                // When the last process lets go of the terminal, reading it is an error.
                let read = reader.read(&mut buffer).unwrap_or(0);
                let mut screen = told.state.lock().unwrap();
                screen.closed = read == 0 || screen.leave;
                screen.parser.process(&buffer[..read]);
                screen.bytes.extend_from_slice(&buffer[..read]);
                told.changed.notify_all();
                if screen.closed {
                    return;
                }
            }
        });
        Self { pid, killer, ended, master: Some(pair.master), writer: Some(writer), seen }
    }

    /// Waits until `text` is on the screen.
    pub fn sees(&self, text: &str) -> &Self {
        self.wait(&format!("\"{text}\" to appear"), |screen| screen.text().contains(text))
    }

    /// Waits until `text` is not on the screen.
    pub fn sees_no(&self, text: &str) -> &Self {
        self.wait(&format!("\"{text}\" to go"), |screen| !screen.text().contains(text))
    }

    /// Waits until `holds` holds; `what` is what the failure says was waited for.
    pub fn wait(&self, what: &str, holds: impl Fn(&Screen) -> bool) -> &Self {
        assert!(
            self.within(PATIENCE, &holds),
            "waited in vain for {what}; the screen:\n{}",
            self.look().text()
        );
        self
    }

    /// Whether `holds` comes to hold within `limit`.
    pub fn within(&self, limit: Duration, holds: &dyn Fn(&Screen) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        let mut screen = self.look();
        while !holds(&screen) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || screen.closed {
                return false;
            }
            screen = self.seen.changed.wait_timeout(screen, left).unwrap().0;
        }
        true
    }

    /// The screen as it is now; hold it only briefly.
    pub fn look(&self) -> MutexGuard<'_, Screen> {
        self.seen.state.lock().unwrap()
    }

    /// Presses keys, written as in the keymap and separated by blanks. Each is written by itself; still, wait for
    /// the screen between keys that must not be taken for a paste.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split_whitespace() {
            let bytes = bytes_of(key);
            self.write(&bytes);
        }
        self
    }

    /// Types text in one piece, as fast as a terminal can.
    pub fn type_text(&mut self, text: &str) -> &mut Self {
        self.write(text.as_bytes())
    }

    /// Pastes, in brackets.
    pub fn paste(&mut self, text: &str) -> &mut Self {
        self.write(format!("\x1b[200~{text}\x1b[201~").as_bytes())
    }

    /// Writes bytes to the program.
    pub fn write(&mut self, bytes: &[u8]) -> &mut Self {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(bytes).unwrap();
        writer.flush().unwrap();
        self
    }

    /// Changes the size of the window.
    pub fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.look().parser.screen_mut().set_size(cells(rows), cells(columns));
        self.master.as_ref().unwrap().resize(size).unwrap();
        self
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: rustix::process::Signal) -> &Self {
        rustix::process::kill_process(rustix::process::Pid::from_raw(self.pid).unwrap(), signal).unwrap();
        self
    }

    /// Whether the terminal echoes and waits for whole lines, as a shell wants it.
    pub fn is_cooked(&self) -> bool {
        let termios = self.master.as_ref().unwrap().get_termios().unwrap();
        let flags = format!("{:?}", termios.local_flags);
        flags.contains("ECHO") && flags.contains("ICANON")
    }

    /// Closes the terminal under the program, which must answer `key` by writing something: only then does the
    /// reader let go of its end.
    pub fn hang_up(&mut self, key: &str) {
        self.look().leave = true;
        self.press(key);
        self.wait("the reader to let go", |screen| screen.closed);
        self.writer = None;
        self.master = None;
    }

    /// Waits for the program to end, and for all it wrote.
    pub fn exit(&mut self) -> ExitStatus {
        let status = self.ended.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            panic!("the program does not end; the screen:\n{}", self.look().text());
        });
        let _all = self.within(PATIENCE, &|screen| screen.closed);
        status
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _already_gone = self.killer.kill();
    }
}

/// A size as the reader wants it: it knows no empty screen.
fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap_or(NonZero::<u16>::MIN)
}

/// What a terminal sends for a key.
fn bytes_of(key: &str) -> Vec<u8> {
    if let Some(letter) = key.strip_prefix("ctrl-") {
        return vec![letter.as_bytes()[0] & 0x1f];
    }
    let sequence = match key {
        "enter" => "\r",
        "esc" => "\x1b",
        "tab" => "\t",
        "shift-tab" => "\x1b[Z",
        "space" => " ",
        "backspace" => "\x7f",
        "delete" => "\x1b[3~",
        "up" => "\x1b[A",
        "down" => "\x1b[B",
        "right" => "\x1b[C",
        "left" => "\x1b[D",
        "home" => "\x1b[H",
        "end" => "\x1b[F",
        "pgup" => "\x1b[5~",
        "pgdn" => "\x1b[6~",
        "f1" => "\x1bOP",
        "f2" => "\x1bOQ",
        "f10" => "\x1b[21~",
        single => single,
    };
    sequence.as_bytes().to_vec()
}
