//! The real terminal: entered, drawn on, suspended, and always left as it was found, by whatever way.
//!
//! Mouse buttons are taken, motion is not. A panic restores the terminal before it says a word, and says only
//! where it happened: a panic's text may hold what was being worked on.

use std::{
    io::{self, IsTerminal as _, Write as _},
    panic,
    sync::{
        Mutex, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, ThreadId},
    time::Duration,
};

use crossterm::{
    cursor::{Hide, Show},
    event::{self, DisableBracketedPaste, EnableBracketedPaste, Event},
    queue,
    style::{Attribute, SetAttribute, force_color_output},
    terminal::{
        Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
    },
};
use nix::unistd::{getppid, getsid};
use ratatui::{
    Terminal,
    backend::{Backend as _, CrosstermBackend},
    buffer::Buffer,
    layout::Position,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::kill_current_process_group;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{
    input::{Heard, Keys},
    output::{END, Output, RawStdout},
    program::Capture,
    theme::{Background, take_answer},
};

/// Button presses and the wheel, in the form that knows large windows (xterm modes 1000 and 1006).
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
/// Also what other programs may have left on (1002, 1003: motion).
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l";

/// Events handed over in one piece at most; more come in the next.
const LARGEST_BATCH: usize = 4096;

/// Why there is no console.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// Standard input or output leads elsewhere.
    #[error(
        "the console needs a terminal, and standard {stream} is none; in scripts use a command, such as `keydeck key list --json`"
    )]
    NotATerminal {
        /// Which of the two.
        stream: &'static str,
    },
    #[error("the terminal cannot be used: {0}")]
    Refused(#[from] io::Error),
}

/// Whether the terminal is ours right now, and whose panic concerns it.
static ENTERED: AtomicBool = AtomicBool::new(false);
static CONSOLE_THREAD: Mutex<Option<ThreadId>> = Mutex::new(None);
/// Held while the terminal's modes are changed, so that nobody puts back what somebody else has just changed.
static MODES: Mutex<()> = Mutex::new(());
static HOOK: Once = Once::new();

/// What the runtime needs of a screen; the real one is [`Tty`].
pub trait Stage {
    /// Draws a frame; `paint` says where the cursor stands.
    fn draw(&mut self, paint: &mut dyn FnMut(&mut Buffer) -> Option<Position>) -> io::Result<()>;

    /// Clears the screen and everything remembered of it.
    fn wipe(&mut self) -> io::Result<()>;

    /// Takes the mouse or gives it back.
    fn mouse(&mut self, capture: Capture) -> io::Result<()>;

    /// Gives the terminal back and asks the system to stop the process. It may go on for a moment: whoever calls
    /// this must leave the terminal alone until the system says that the process was continued.
    fn suspend(&mut self) -> io::Result<Suspended>;

    /// Enters again after the process was continued.
    fn resume(&mut self) -> io::Result<()>;

    /// Whether there is nothing behind it any more.
    fn is_lost(&self) -> bool {
        false
    }
}

/// How a suspension went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspended {
    /// The terminal is given back; the process stops any moment.
    Stopping,
    /// There is no shell that could bring it back, so it stayed.
    NoShell,
}

/// The terminal, ours until dropped.
pub struct Tty {
    terminal: Terminal<CrosstermBackend<Output>>,
    output: Output,
    capture: Capture,
    /// What to ask the terminal once somebody sees something.
    question: Option<&'static [u8]>,
}

impl Tty {
    /// Takes the terminal over.
    pub fn enter(capture: Capture) -> Result<Self, TerminalError> {
        check()?;
        install_hook();
        *CONSOLE_THREAD.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current().id());
        // NO_COLOR is ours to honour, by a theme without colours: crossterm would drop the reverse of the
        // selected row along with the colours.
        force_color_output(true);
        let output = Output::stdout();
        let terminal = Terminal::new(CrosstermBackend::new(output.clone()))?;
        let mut tty = Self { terminal, output, capture, question: None };
        tty.resume()?;
        Ok(tty)
    }

    /// Asks the terminal this after the first frame, which waits for nothing. The answer comes among the keys.
    pub const fn ask(&mut self, question: &'static [u8]) {
        self.question = Some(question);
    }

    /// The way to the terminal past the frames, for the clipboard.
    pub fn output(&self) -> Output {
        self.output.clone()
    }

    /// Forgets both frames kept for comparison, and with them every character that was on the screen.
    fn forget(&mut self) {
        self.terminal.current_buffer_mut().reset();
        self.terminal.swap_buffers();
        self.terminal.current_buffer_mut().reset();
    }
}

impl Stage for Tty {
    fn is_lost(&self) -> bool {
        // A terminal that was hung up answers EIO; there is no other reason to get no answer here.
        tcgetattr(rustix::stdio::stdout()).is_err()
    }

    fn draw(&mut self, paint: &mut dyn FnMut(&mut Buffer) -> Option<Position>) -> io::Result<()> {
        self.output.begin_frame();
        let drawn = self.terminal.draw(|frame| {
            if let Some(cursor) = paint(frame.buffer_mut()) {
                frame.set_cursor_position(cursor);
            }
        });
        let drawn = drawn.map(drop);
        self.output.end_frame().and(drawn)?;
        self.question.take().map_or(Ok(()), |question| self.output.send(question))
    }

    fn wipe(&mut self) -> io::Result<()> {
        // Not `Terminal::clear`: that asks the terminal where its cursor is and waits for the answer.
        self.terminal.backend_mut().clear()?;
        self.forget();
        Ok(())
    }

    fn mouse(&mut self, capture: Capture) -> io::Result<()> {
        self.capture = capture;
        self.output.send(match capture {
            Capture::Taken => MOUSE_ON,
            Capture::Free => MOUSE_OFF,
        })
    }

    fn suspend(&mut self) -> io::Result<Suspended> {
        // In a group whose parent is in another session nobody could continue us: Ctrl-Z would be for ever.
        // In a container a parent, or the leader of a session, may be a process we have no number for: it is then 0,
        // which `getsid` would read as ourselves.
        let (ours, parent) = (getsid(None)?, getppid());
        if parent.as_raw() == 0 || getsid(Some(parent)) != Ok(ours) {
            return Ok(Suspended::NoShell);
        }
        restore()?;
        kill_current_process_group(rustix::process::Signal::STOP)?;
        Ok(Suspended::Stopping)
    }

    fn resume(&mut self) -> io::Result<()> {
        let mut sequence = Vec::new();
        let modes = MODES.lock().unwrap_or_else(PoisonError::into_inner);
        if ENTERED.swap(true, Ordering::SeqCst) {
            // Stopped and continued behind our back. The shell had the terminal, but we never left the alternate
            // screen: entering it again would lose the place on the first. And only a change of mode is carried
            // out, so the old one is put back first.
            disable_raw_mode()?;
        } else {
            queue!(sequence, EnterAlternateScreen)?;
        }
        enable_raw_mode()?;
        drop(modes);
        queue!(sequence, EnableBracketedPaste, Clear(ClearType::All), Hide)?;
        if self.capture == Capture::Taken {
            sequence.extend_from_slice(MOUSE_ON);
        }
        self.output.send(&sequence)?;
        self.forget();
        Ok(())
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        // Nobody is left to tell: the terminal may be gone.
        let _gone = restore();
        // The drawing library shows the cursor once more when dropped, and panics when the terminal is gone.
        self.output.close();
        *CONSOLE_THREAD.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The terminal's events, read by a thread of their own. There must be only one in a process.
///
/// The thread is not a nicety: when the terminal is gone, crossterm 0.29 reads it over and over and never returns.
/// Then the loop must still be free to hear of it and end.
pub struct TerminalKeys {
    batches: UnboundedReceiver<Vec<io::Result<Event>>>,
    /// Events of the last batch that are still to be heard, in order.
    batch: std::vec::IntoIter<io::Result<Event>>,
}

impl TerminalKeys {
    /// Starts listening; the terminal must have been entered. What it answers about its background is `told`.
    pub fn listen(told: impl Fn(Background) + Send + 'static) -> io::Result<Self> {
        let (sender, batches) = unbounded_channel();
        thread::Builder::new().name("keys".to_owned()).spawn(move || {
            // What is there at once goes over at once: a paste without brackets is known by that.
            loop {
                let mut batch = vec![event::read()];
                while batch.len() < LARGEST_BATCH && matches!(event::poll(Duration::ZERO), Ok(true)) {
                    batch.push(event::read());
                }
                if matches!(batch.last(), Some(Ok(Event::Resize(..)))) {
                    remind_of_keys();
                }
                if let Some(background) = take_answer(&mut batch) {
                    told(background);
                }
                let broken = batch.iter().any(Result::is_err);
                if sender.send(batch).is_err() || broken {
                    return;
                }
            }
        })?;
        Ok(Self { batches, batch: Vec::new().into_iter() })
    }
}

/// Has the system tell once more that there are keys to read. It tells so once; when a window changes and a key is pressed
/// at the same moment, crossterm 0.29 returns with the one and forgets that it was told of the other, and the key would lie
/// there until the next is pressed. To set the modes of a terminal, to what they are, is to be told again.
fn remind_of_keys() {
    let input = rustix::stdio::stdin();
    let mut asked = [PollFd::new(&input, PollFlags::IN)];
    if poll(&mut asked, Some(&Timespec::default())) != Ok(1) {
        return;
    }
    let _modes = MODES.lock().unwrap_or_else(PoisonError::into_inner);
    if ENTERED.load(Ordering::SeqCst)
        && let Ok(modes) = tcgetattr(input)
    {
        // Where that is refused the key comes with the next.
        let _refused = tcsetattr(input, OptionalActions::Now, &modes);
    }
}

impl Keys for TerminalKeys {
    async fn next(&mut self) -> Heard {
        while self.batch.len() == 0 {
            self.batch = self.batches.recv().await?.into_iter();
        }
        self.batch.next()
    }

    fn waiting(&mut self) -> Option<Heard> {
        if self.batch.len() == 0 {
            self.batch = self.batches.try_recv().ok()?.into_iter();
        }
        self.batch.next().map(Some)
    }
}

/// Whether there is a terminal to enter.
pub fn check() -> Result<(), TerminalError> {
    if !io::stdin().is_terminal() {
        return Err(TerminalError::NotATerminal { stream: "input" });
    }
    if !io::stdout().is_terminal() {
        return Err(TerminalError::NotATerminal { stream: "output" });
    }
    Ok(())
}

/// Leaves the terminal as it was, once, however often it is called. The alternate screen is emptied first: some
/// terminals keep it for the next program.
pub fn restore() -> io::Result<()> {
    let _modes = MODES.lock().unwrap_or_else(PoisonError::into_inner);
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    let mut sequence = END.to_vec();
    sequence.extend_from_slice(MOUSE_OFF);
    queue!(
        sequence,
        DisableBracketedPaste,
        SetAttribute(Attribute::Reset),
        Clear(ClearType::All),
        LeaveAlternateScreen,
        Show
    )?;
    let written = RawStdout.write_all(&sequence);
    disable_raw_mode().and(written)
}

/// Puts our hook before the one there is, which goes on serving panics that happen while no console is open.
fn install_hook() {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // The store catches these itself and reports them as errors.
            if crate::store::panic_is_expected() {
                return;
            }
            let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
            let console = *CONSOLE_THREAD.lock().unwrap_or_else(PoisonError::into_inner);
            match console {
                None => before(info),
                Some(thread) if thread == thread::current().id() => {
                    let _gone = restore();
                    let _gone = writeln!(
                        io::stderr(),
                        "keydeck stopped on a fault of its own at {place}. Nothing that was saved is lost. Please report this place."
                    );
                }
                // A fault in an effect: the console says so itself and goes on.
                Some(_) => tracing::error!(%place, "an effect stopped on a fault of its own"),
            }
        }));
    });
}
