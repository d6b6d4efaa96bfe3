//! The loop: signals first, then results, then input; drain what is there, draw once, wait.
//!
//! Frames come at most every 16 ms and only when something changed; a timer runs only while the model asks for
//! one. At the end, however it comes, what must still be done is done, within a second.

use std::{io, time::Duration};

use rustix::io::Errno;
use tokio::{
    sync::mpsc,
    task::{JoinSet, spawn_blocking},
    time::{Instant, sleep_until, timeout},
};

use super::{
    clock::{Moment, SteadyClock},
    input::{Burst, Heard, Input, Keys, More, read},
    program::{Frame, JobId, Msg, Order, Orders, Program, Worker},
    signals::Signal,
    terminal::{Stage, Suspended},
};

/// Time between two frames at least.
pub const FRAME: Duration = Duration::from_millis(16);
/// Time between two ticks at least, should a model ask for a moment that has passed.
const TICK_FLOOR: Duration = Duration::from_millis(10);
/// What the last effects may take together.
const FAREWELL: Duration = Duration::from_millis(800);
/// Messages handled before a frame is drawn even though more are waiting.
const DRAIN: usize = 1024;
/// Outcomes that may wait to be heard. Effects that bring more wait themselves.
const QUEUE: usize = 256;

/// Why the console ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Quit,
    /// A signal wanted it: its number.
    Terminated(u8),
    HungUp,
}

impl Ending {
    /// What the shell is told: 0, or 128 and the signal's number, as shells say it themselves.
    pub const fn code(self) -> u8 {
        match self {
            Self::Quit => 0,
            Self::Terminated(signal) => 128 + signal,
            Self::HungUp => 128 + 1,
        }
    }
}

/// Everything outside the model.
pub struct Surroundings<W, S, I> {
    pub worker: W,
    pub stage: S,
    pub input: I,
    pub signals: mpsc::Receiver<Signal>,
    pub clock: SteadyClock,
}

/// A console that is about to run.
pub struct Runtime<P: Program, W, S, I> {
    program: P,
    around: Surroundings<W, S, I>,
    orders: Orders<P::Effect>,
    tasks: JoinSet<()>,
    results: Channel<Returned<P::Outcome>>,
    news: Channel<P::Outcome>,
    burst: Burst,
    /// An event already taken from the input, to see whether one was there.
    ahead: Option<Heard>,
    dirty: bool,
    /// The window changed since the last frame. It may be as large as before by now, and what was cut off meanwhile is gone.
    resized: bool,
    /// The terminal is the shell's: nothing is drawn and no key is heard until the process is continued.
    background: bool,
    drawn: Option<Instant>,
    ticked: Moment,
}

/// Both ends of a bounded channel.
type Channel<T> = (mpsc::Sender<T>, mpsc::Receiver<T>);

/// An effect that came back, or did not.
struct Returned<M> {
    job: JobId,
    outcome: Option<M>,
}

impl<P: Program, W: Worker<P>, S: Stage, I: Keys> Runtime<P, W, S, I> {
    /// Puts a model into its surroundings.
    pub fn new(program: P, around: Surroundings<W, S, I>) -> Self {
        Self {
            program,
            around,
            orders: Orders::new(),
            tasks: JoinSet::new(),
            results: mpsc::channel(QUEUE),
            news: mpsc::channel(QUEUE),
            burst: Burst::default(),
            ahead: None,
            dirty: true,
            resized: false,
            background: false,
            drawn: None,
            ticked: Moment::default(),
        }
    }

    /// Where news are put in; bounded, so a flood outside waits outside.
    pub fn feed(&self) -> mpsc::Sender<P::Outcome> {
        self.news.0.clone()
    }

    /// Runs until the end, and returns the model with the reason.
    pub async fn run(mut self) -> io::Result<(P, Ending)> {
        let ended = match self.live().await {
            // A dead terminal is first noticed by whoever uses it first, and not everybody says so in the same words:
            // who asks for its size and gets no answer has another error for that.
            Err(error)
                if error.raw_os_error() == Some(Errno::IO.raw_os_error()) || self.around.stage.is_lost() =>
            {
                Ok(Ending::HungUp)
            }
            ended => ended,
        };
        self.farewell().await;
        ended.map(|ending| (self.program, ending))
    }

    async fn live(&mut self) -> io::Result<Ending> {
        loop {
            if self.background {
                if let Some(ending) = self.wait_for_foreground().await? {
                    return Ok(ending);
                }
                continue;
            }
            self.draw_if_due()?;
            let (frame, tick, burst) = self.deadlines();
            let ending = tokio::select! {
                biased;
                Some(signal) = self.around.signals.recv() => self.hear_signal(signal)?,
                Some(returned) = self.results.1.recv() => self.hear_result(returned)?,
                Some(news) = self.news.1.recv() => self.tell(Msg::News(news))?,
                event = next(&mut self.ahead, &mut self.around.input) => self.hear_event(event)?,
                () = sleep_until(burst.unwrap_or(frame)), if burst.is_some() => self.let_burst_go()?,
                () = sleep_until(frame), if self.dirty => None,
                () = sleep_until(tick.unwrap_or(frame)), if tick.is_some() => self.tick()?,
            };
            if let Some(ending) = ending {
                return Ok(ending);
            }
            if let Some(ending) = self.drain()? {
                return Ok(ending);
            }
        }
    }

    async fn wait_for_foreground(&mut self) -> io::Result<Option<Ending>> {
        match self.around.signals.recv().await {
            Some(Signal::Suspend) => Ok(None),
            Some(signal) => self.hear_signal(signal),
            None => Ok(Some(Ending::HungUp)),
        }
    }

    /// Handles what else is already there, so that one frame shows it all.
    fn drain(&mut self) -> io::Result<Option<Ending>> {
        for _ in 0..DRAIN {
            if self.background {
                return Ok(None);
            }
            let ending = if let Ok(signal) = self.around.signals.try_recv() {
                self.hear_signal(signal)?
            } else if let Ok(returned) = self.results.1.try_recv() {
                self.hear_result(returned)?
            } else if let Ok(news) = self.news.1.try_recv() {
                self.tell(Msg::News(news))?
            } else if let Some(event) = self.ahead.take().or_else(|| self.around.input.waiting()) {
                self.hear_event(event)?
            } else {
                return Ok(None);
            };
            if ending.is_some() {
                return Ok(ending);
            }
        }
        Ok(None)
    }

    fn draw_if_due(&mut self) -> io::Result<()> {
        if !self.dirty || self.drawn.is_some_and(|drawn| drawn.elapsed() < FRAME) {
            return Ok(());
        }
        if std::mem::take(&mut self.resized) {
            self.around.stage.wipe()?;
        }
        let now = self.around.clock.now();
        let program = &mut self.program;
        self.around.stage.draw(&mut |buffer| program.view(buffer, now))?;
        self.dirty = false;
        self.drawn = Some(Instant::now());
        Ok(())
    }

    /// When the next frame may be drawn, when the model wants its tick, when held keys are let go.
    fn deadlines(&self) -> (Instant, Option<Instant>, Option<Instant>) {
        let now = self.around.clock.now().at;
        let at = |moment: Moment| Instant::now() + moment.since(now);
        let frame = self.drawn.map_or_else(Instant::now, |drawn| drawn + FRAME);
        let tick = self.program.wake_at().map(|wanted| {
            let floor = self.ticked + TICK_FLOOR;
            at(if wanted > floor { wanted } else { floor })
        });
        (frame, tick, self.burst.due().map(at))
    }

    fn tick(&mut self) -> io::Result<Option<Ending>> {
        self.ticked = self.around.clock.now().at;
        self.tell(Msg::Tick)
    }

    fn hear_signal(&mut self, signal: Signal) -> io::Result<Option<Ending>> {
        match signal {
            Signal::Terminate(number) => Ok(Some(Ending::Terminated(number))),
            Signal::HangUp => Ok(Some(Ending::HungUp)),
            Signal::Suspend => self.tell(Msg::Suspending),
            Signal::Continue => {
                self.background = false;
                self.around.stage.resume()?;
                self.tell(Msg::Resumed)
            }
        }
    }

    fn hear_result(&mut self, returned: Returned<P::Outcome>) -> io::Result<Option<Ending>> {
        let Returned { job, outcome } = returned;
        self.tell(outcome.map_or(Msg::Lost { job }, |outcome| Msg::Done { job, outcome }))
    }

    fn hear_event(&mut self, event: Heard) -> io::Result<Option<Ending>> {
        let event = match event {
            Some(Ok(event)) => event,
            Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => return Ok(None),
            Some(Err(_)) | None => return Ok(Some(Ending::HungUp)),
        };
        let Some(input) = read(event) else { return Ok(None) };
        if matches!(input, Input::Resize { .. }) {
            (self.resized, self.dirty) = (true, true);
        }
        self.hear_input(input)
    }

    fn hear_input(&mut self, input: Input) -> io::Result<Option<Ending>> {
        self.ahead = self.around.input.waiting();
        let more = if self.ahead.is_some() { More::Coming } else { More::Nothing };
        let at = self.around.clock.now().at;
        for ready in self.burst.feed(input, at, more, self.program.text_focus()) {
            if let Some(ending) = self.tell(Msg::Input(ready))? {
                return Ok(Some(ending));
            }
        }
        Ok(None)
    }

    fn let_burst_go(&mut self) -> io::Result<Option<Ending>> {
        for ready in self.burst.release() {
            if let Some(ending) = self.tell(Msg::Input(ready))? {
                return Ok(Some(ending));
            }
        }
        Ok(None)
    }

    /// Tells the model what happened and does what it orders.
    fn tell(&mut self, msg: Msg<P::Outcome>) -> io::Result<Option<Ending>> {
        let now = self.around.clock.now();
        self.program.update(msg, now, &mut self.orders);
        let (orders, frame) = self.orders.take();
        self.dirty |= frame == Frame::Changed;
        for order in orders {
            match order {
                Order::Perform(job, effect) => self.perform(job, effect),
                Order::Wipe => {
                    self.around.stage.wipe()?;
                    self.dirty = true;
                }
                Order::Mouse(capture) => self.around.stage.mouse(capture)?,
                Order::Suspend => {
                    if let Some(ending) = self.suspend()? {
                        return Ok(Some(ending));
                    }
                }
                Order::Quit => return Ok(Some(Ending::Quit)),
            }
        }
        Ok(None)
    }

    fn suspend(&mut self) -> io::Result<Option<Ending>> {
        match self.around.stage.suspend()? {
            Suspended::Stopping => {
                self.background = true;
                Ok(None)
            }
            Suspended::NoShell => self.tell(Msg::CannotSuspend),
        }
    }

    fn perform(&mut self, job: JobId, effect: P::Effect) {
        let task = self.around.worker.task(effect);
        let sender = self.results.0.clone();
        self.tasks.spawn(async move {
            // None when it broke on a fault of its own.
            let outcome = spawn_blocking(task).await.ok();
            let _console_gone = sender.send(Returned { job, outcome }).await;
        });
        // Those that ended are only counted here; their outcome came by the channel.
        while self.tasks.try_join_next().is_some() {}
    }

    async fn farewell(&mut self) {
        self.tasks.abort_all();
        let effects = self.program.farewell(self.around.clock.now());
        let mut last = JoinSet::new();
        for effect in effects {
            last.spawn_blocking(self.around.worker.task(effect));
        }
        let _late = timeout(FAREWELL, async { while last.join_next().await.is_some() {} }).await;
    }
}

/// The next thing from the input, the one looked at first.
async fn next(ahead: &mut Option<Heard>, input: &mut impl Keys) -> Heard {
    match ahead.take() {
        Some(heard) => heard,
        None => input.next().await,
    }
}

#[cfg(test)]
mod tests;
