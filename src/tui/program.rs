//! The console's core, as the runtime sees it: a model that hears what happened and orders what to do.
//!
//! An update is pure: it is told the time, does no I/O and does not wait. What takes time is an effect, performed
//! elsewhere by a [`Worker`]; its outcome is heard later like a key press.

use std::fmt;

use ratatui::{buffer::Buffer, layout::Position};

use super::{
    clock::{Moment, Now},
    input::{Input, TextFocus},
};

/// What happened. `M` is what effects bring back.
pub enum Msg<M> {
    /// A person did something.
    Input(Input),
    /// An effect came back.
    Done { job: JobId, outcome: M },
    /// An effect broke on a fault of its own; it will not come back.
    Lost { job: JobId },
    /// Something happened that nobody here asked for: another process changed the store.
    News(M),
    /// The moment the model asked for has come.
    Tick,
    /// The system asks the console to go to the background. It goes when the model orders it, so that nothing
    /// secret is left behind in a stopped process.
    Suspending,
    /// The console is back in the foreground.
    Resumed,
    /// The console cannot be suspended: no shell is there to bring it back.
    CannotSuspend,
}

/// Never what an effect brought back: it may hold a new secret.
impl<M> fmt::Debug for Msg<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(input) => write!(f, "Input({input:?})"),
            Self::Done { job, .. } => write!(f, "Done({})", job.0),
            Self::Lost { job } => write!(f, "Lost({})", job.0),
            Self::News(_) => f.write_str("News"),
            Self::Tick => f.write_str("Tick"),
            Self::Suspending => f.write_str("Suspending"),
            Self::Resumed => f.write_str("Resumed"),
            Self::CannotSuspend => f.write_str("CannotSuspend"),
        }
    }
}

/// One performance of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(u64);

/// Whether the console takes the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capture {
    /// Clicks and the wheel come to the console.
    Taken,
    /// The mouse is the terminal's, for selecting text.
    Free,
}

/// What an update wants done.
#[derive(Debug)]
pub enum Order<E> {
    Perform(JobId, E),
    /// Clear the screen and everything remembered of it: a secret was on it.
    Wipe,
    /// Take the mouse or give it back.
    Mouse(Capture),
    /// Go to the background.
    Suspend,
    Quit,
}

/// Where an update writes its orders.
#[derive(Debug)]
pub struct Orders<E> {
    list: Vec<Order<E>>,
    next_job: u64,
    still: bool,
}

impl<E> Orders<E> {
    pub(crate) const fn new() -> Self {
        Self { list: Vec::new(), next_job: 0, still: false }
    }

    /// Performs `effect`; its outcome comes back under the returned id.
    pub fn perform(&mut self, effect: E) -> JobId {
        let job = JobId(self.next_job);
        self.next_job += 1;
        self.list.push(Order::Perform(job, effect));
        job
    }

    /// Clears the screen and what is remembered of it.
    pub fn wipe(&mut self) {
        self.list.push(Order::Wipe);
    }

    pub fn mouse(&mut self, capture: Capture) {
        self.list.push(Order::Mouse(capture));
    }

    pub fn suspend(&mut self) {
        self.list.push(Order::Suspend);
    }

    pub fn quit(&mut self) {
        self.list.push(Order::Quit);
    }

    /// Nothing of what is on the screen changed: no frame is needed for this message.
    pub fn still(&mut self) {
        self.still = true;
    }

    /// The orders of the last update, and whether a frame is needed for it.
    pub fn take(&mut self) -> (Vec<Order<E>>, Frame) {
        let frame = if std::mem::take(&mut self.still) { Frame::Same } else { Frame::Changed };
        (std::mem::take(&mut self.list), frame)
    }
}

/// Whether the screen has to be drawn again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    Changed,
    Same,
}

/// The model of a console.
pub trait Program {
    /// What it may ask to be done.
    type Effect: Send + 'static;
    /// What that brings back.
    type Outcome: Send + 'static;

    /// Hears what happened and changes the model.
    fn update(&mut self, msg: Msg<Self::Outcome>, now: Now, orders: &mut Orders<Self::Effect>);

    /// Draws the model and says where the cursor stands. Changes nothing but what it remembers of the layout.
    fn view(&mut self, buffer: &mut Buffer, now: Now) -> Option<Position>;

    /// Whether the focus takes text: then fast typing is typing, elsewhere it is a paste.
    fn text_focus(&self) -> TextFocus;

    /// When it next wants a tick: only while a countdown, a note or a spinner is on the screen.
    fn wake_at(&self) -> Option<Moment>;

    /// The console ends, whatever the reason. What must still be done, such as emptying the clipboard; together
    /// these effects have less than a second.
    fn farewell(&mut self, now: Now) -> Vec<Self::Effect>;
}

/// Who performs the effects of a model. Has the store, the clipboard, the network; never the model.
pub trait Worker<P: Program>: Send + Sync + 'static {
    /// How `effect` is to be performed. Itself quick.
    fn task(&self, effect: P::Effect) -> Task<P::Outcome>;
}

/// Work to be done elsewhere, where it may block its thread: the store, a key derivation.
pub type Task<M> = Box<dyn FnOnce() -> M + Send>;
