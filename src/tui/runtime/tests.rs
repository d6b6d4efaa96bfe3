use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::{buffer::Buffer, layout::Position};
use tokio::sync::{
    Notify,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use super::*;
use crate::tui::{
    clock::{Now, SteadyClock},
    input::TextFocus,
    program::{Capture, Task},
};

/// Nothing here takes as long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was heard so far, and a bell that rings with each line.
#[derive(Default)]
struct Lines {
    lines: Mutex<Vec<String>>,
    bell: Notify,
}

/// A model that writes down what it hears and does what the keys say.
#[derive(Default)]
struct Diary {
    heard: Arc<Lines>,
    wake: Option<Moment>,
}

impl Program for Diary {
    type Effect = &'static str;
    type Outcome = &'static str;

    fn update(&mut self, msg: Msg<&'static str>, now: Now, orders: &mut Orders<&'static str>) {
        let line = match &msg {
            Msg::Input(Input::Key { chord, .. }) => format!("key {chord}"),
            Msg::Input(Input::Paste(text)) => format!("paste {}", text.text()),
            Msg::Done { outcome, .. } => format!("done {outcome}"),
            Msg::News(news) => format!("news {news}"),
            other => format!("{other:?}").split('(').next().unwrap_or_default().to_owned(),
        };
        match line.as_str() {
            "key q" => orders.quit(),
            "key b" => drop(orders.perform("block")),
            "key p" => drop(orders.perform("panic")),
            "key t" => self.wake = Some(now.at + Duration::from_millis(30)),
            "key x" => orders.wipe(),
            "key s" => orders.still(),
            "key z" => orders.suspend(),
            "Tick" => self.wake = None,
            _ => {}
        }
        self.heard.lines.lock().unwrap().push(line);
        self.heard.bell.notify_one();
    }

    fn view(&mut self, _: &mut Buffer, _: Now) -> Option<Position> {
        None
    }

    fn text_focus(&self) -> TextFocus {
        TextFocus::Elsewhere
    }

    fn wake_at(&self) -> Option<Moment> {
        self.wake
    }

    fn farewell(&mut self, _: Now) -> Vec<&'static str> {
        vec!["farewell"]
    }
}

struct Hand {
    farewells: Arc<AtomicUsize>,
    /// Frames that had been drawn when something was begun.
    seen: Arc<AtomicUsize>,
    frames: Arc<AtomicUsize>,
}

impl Worker<Diary> for Hand {
    fn task(&self, effect: &'static str) -> Task<&'static str> {
        let farewells = Arc::clone(&self.farewells);
        self.seen.store(self.frames.load(Ordering::SeqCst), Ordering::SeqCst);
        match effect {
            "panic" => Box::new(|| panic!("on purpose")),
            "farewell" => Box::new(move || {
                farewells.fetch_add(1, Ordering::SeqCst);
                "gone"
            }),
            other => Box::new(move || other),
        }
    }
}

#[derive(Clone, Default)]
struct Screen {
    frames: Arc<AtomicUsize>,
    wipes: Arc<AtomicUsize>,
}

impl Stage for Screen {
    fn draw(&mut self, paint: &mut dyn FnMut(&mut Buffer) -> Option<Position>) -> io::Result<()> {
        paint(&mut Buffer::default());
        self.frames.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn wipe(&mut self) -> io::Result<()> {
        self.wipes.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn mouse(&mut self, _: Capture) -> io::Result<()> {
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<Suspended> {
        Ok(Suspended::NoShell)
    }

    fn resume(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Pressed(UnboundedReceiver<io::Result<Event>>);

impl Keys for Pressed {
    async fn next(&mut self) -> Heard {
        self.0.recv().await
    }

    fn waiting(&mut self) -> Option<Heard> {
        self.0.try_recv().ok().map(Some)
    }
}

/// A running console and the ends by which a test holds it.
struct Held {
    keys: UnboundedSender<io::Result<Event>>,
    signals: mpsc::Sender<Signal>,
    feed: mpsc::Sender<&'static str>,
    heard: Arc<Lines>,
    screen: Screen,
    farewells: Arc<AtomicUsize>,
    seen: Arc<AtomicUsize>,
    running: tokio::task::JoinHandle<io::Result<(Diary, Ending)>>,
}

impl Held {
    fn start() -> Self {
        let (keys, pressed) = unbounded_channel();
        let (signals, raised) = mpsc::channel(8);
        let screen = Screen::default();
        let (farewells, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let program = Diary::default();
        let heard = Arc::clone(&program.heard);
        let runtime = Runtime::new(
            program,
            Surroundings {
                worker: Hand {
                    farewells: Arc::clone(&farewells),
                    seen: Arc::clone(&seen),
                    frames: Arc::clone(&screen.frames),
                },
                stage: screen.clone(),
                input: Pressed(pressed),
                signals: raised,
                clock: SteadyClock::start(|| 0),
            },
        );
        let feed = runtime.feed();
        let running = tokio::spawn(runtime.run());
        Self { keys, signals, feed, heard, screen, farewells, seen, running }
    }

    fn press(&self, keys: &str) {
        for c in keys.chars() {
            self.keys.send(Ok(Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)))).unwrap();
        }
    }

    /// Waits until the model has heard `line`.
    async fn hears(&self, line: &str) {
        let heard = async {
            while !self.heard.lines.lock().unwrap().iter().any(|heard| heard == line) {
                self.heard.bell.notified().await;
            }
        };
        let heard = timeout(PATIENCE, heard).await;
        assert!(heard.is_ok(), "never heard {line:?}, only {:?}", self.heard.lines.lock().unwrap());
    }

    async fn ends(self) -> (Ending, usize, Vec<String>) {
        let ended = timeout(PATIENCE, self.running).await.expect("ends in time");
        let (program, ending) = ended.unwrap().unwrap();
        let heard = program.heard.lines.lock().unwrap().clone();
        (ending, self.farewells.load(Ordering::SeqCst), heard)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_heard_an_effect_comes_back_and_q_ends() {
    let console = Held::start();
    console.press("b");
    console.hears("done block").await;
    console.press("q");
    let (ending, farewells, heard) = console.ends().await;
    assert_eq!((ending, farewells), (Ending::Quit, 1));
    assert_eq!(heard, ["key b", "done block", "key q"]);
}

// On one thread: the key is there before the console runs at all.
#[tokio::test]
async fn the_first_frame_comes_before_any_key_is_heard_or_work_begun() {
    let console = Held::start();
    console.press("b");
    console.hears("done block").await;
    assert_eq!(console.seen.load(Ordering::SeqCst), 1, "one frame, and then the work");
    console.press("q");
    console.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_it_and_the_last_effects_are_done() {
    for (signal, ending) in
        [(Signal::Terminate(15), Ending::Terminated(15)), (Signal::HangUp, Ending::HungUp)]
    {
        let console = Held::start();
        console.signals.send(signal).await.unwrap();
        let (ended, farewells, _) = console.ends().await;
        assert_eq!((ended, farewells), (ending, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_terminal_is_gone_the_console_ends() {
    let console = Held::start();
    console.keys.send(Err(io::Error::from(io::ErrorKind::BrokenPipe))).unwrap();
    assert_eq!(console.ends().await.0, Ending::HungUp);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_in_an_effect_is_told_and_survived() {
    let console = Held::start();
    console.press("p");
    console.hears("Lost").await;
    console.press("q");
    assert_eq!(console.ends().await.0, Ending::Quit);
}

// On one thread: all keys are waiting before the first is read, as from a terminal, however busy the machine is.
#[tokio::test]
async fn a_paste_without_brackets_is_one_paste_and_a_tick_comes_once() {
    let console = Held::start();
    console.press("qqqrxqqq");
    console.hears("paste qqqrxqqq").await;
    console.press("t");
    console.hears("Tick").await;
    console.feed.send("from outside").await.unwrap();
    console.hears("news from outside").await;
    console.press("z");
    console.hears("CannotSuspend").await;
    console.press("q");
    let (_, _, heard) = console.ends().await;
    assert_eq!(heard.iter().filter(|line| *line == "Tick").count(), 1);
}

// What a window cut off while it was small is not there when it is large again, whoever missed how small it was.
#[tokio::test(start_paused = true)]
async fn a_window_that_changed_is_drawn_from_nothing_even_when_it_is_as_large_as_before() {
    let console = Held::start();
    console.press("a");
    console.hears("key a").await;
    let wiped = |console: &Held| console.screen.wipes.load(Ordering::SeqCst);
    assert_eq!(wiped(&console), 0);
    for _ in 0..3 {
        console.keys.send(Ok(Event::Resize(80, 24))).unwrap();
    }
    console.press("b");
    console.hears("key b").await;
    console.press("t");
    console.hears("Tick").await;
    let (wipes, frames) = (wiped(&console), console.screen.frames.load(Ordering::SeqCst));
    assert!((1..=3).contains(&wipes) && wipes < frames, "{wipes} of {frames}");
    console.press("q");
    console.ends().await;
}

// Time stands still while there is something to do, and goes on by itself to the next moment when there is not.
#[tokio::test(start_paused = true)]
async fn an_idle_console_draws_nothing_and_a_flood_few_frames() {
    let console = Held::start();
    console.press("a");
    console.hears("key a").await;
    let started = Instant::now();
    for _ in 0..200 {
        console.keys.send(Ok(Event::Resize(80, 24))).unwrap();
    }
    console.press("s");
    console.hears("key s").await;
    tokio::time::sleep(FRAME * 3).await;
    let after_flood = console.screen.frames.load(Ordering::SeqCst);
    let most = 3 + started.elapsed().as_millis() / FRAME.as_millis();
    assert!(after_flood as u128 <= most, "{after_flood} frames");
    // Nothing changed since: not one more frame, even for a message that changed nothing.
    console.press("s");
    tokio::time::sleep(FRAME * 10).await;
    assert_eq!(console.screen.frames.load(Ordering::SeqCst), after_flood);
    let for_the_window = console.screen.wipes.load(Ordering::SeqCst);
    console.press("x");
    console.hears("key x").await;
    console.press("q");
    let screen = console.screen.clone();
    console.ends().await;
    assert_eq!(screen.wipes.load(Ordering::SeqCst), for_the_window + 1);
}
