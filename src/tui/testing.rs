//! A terminal made of memory, a clock that obeys, and a person who presses keys: for tests of the console, here
//! and in `tests/`.
//!
//! [`Console`] runs a model without the runtime's waiting: effects are performed at once, in order, until nothing
//! is left to do; then the screen is drawn. So a test never waits and never depends on timing.

mod clipboard;

use std::time::Duration;

use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::{Buffer, Cell},
    layout::{Position, Rect},
};

pub use self::clipboard::FakeClipboard;
use super::{
    canvas::{Canvas, HitMap},
    chord::Chord,
    clock::{Moment, Now},
    input::{Gesture, Held, Input, Mouse, Pasted},
    program::{Capture, Frame, JobId, Msg, Order, Orders, Program, Worker},
    theme::{GlyphSet, Theme},
    widgets::text,
};

/// What `paint` draws on a frame of this size in the plain theme, one string per row without trailing blanks.
pub fn draw(width: u16, height: u16, paint: impl FnOnce(&mut Canvas<'_>, Rect)) -> Vec<String> {
    draw_hits(width, height, paint).0
}

/// As [`draw`], with what can be clicked.
pub fn draw_hits(
    width: u16,
    height: u16,
    paint: impl FnOnce(&mut Canvas<'_>, Rect),
) -> (Vec<String>, HitMap) {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    let mut hits = HitMap::default();
    let theme = Theme::plain(GlyphSet::Unicode);
    paint(&mut Canvas::new(&mut buffer, &theme, &mut hits), area);
    (rows(&buffer), hits)
}

/// The text of a buffer, one string per row without trailing blanks.
pub fn rows(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let row = |y| {
        let mut line = String::new();
        let mut x = area.x;
        while x < area.right() {
            let symbol = buffer.cell(Position { x, y }).map_or(" ", |cell| cell.symbol());
            line.push_str(symbol);
            x += u16::try_from(text::width(symbol)).unwrap_or(1).max(1);
        }
        line.trim_end().to_owned()
    };
    (area.y..area.bottom()).map(row).collect()
}

/// A console in memory.
pub struct Console<P: Program, W> {
    program: P,
    worker: W,
    terminal: Terminal<TestBackend>,
    orders: Orders<P::Effect>,
    now: Now,
    /// Times the screen was wiped.
    pub wipes: usize,
    /// Frames that were drawn.
    pub frames: usize,
    /// Times it went to the background.
    pub suspensions: usize,
    /// Who was given the mouse last, if anybody was.
    pub mouse: Option<Capture>,
    quit: bool,
    cursor: Option<Position>,
    /// Effects ordered while nothing is performed.
    parked: Option<Vec<(JobId, P::Effect)>>,
}

impl<P: Program, W: Worker<P>> Console<P, W> {
    /// Starts `program` on a screen of this size at `utc_ms`, and draws the first frame.
    pub fn start(program: P, worker: W, (width, height): (u16, u16), utc_ms: i64) -> Self {
        let Ok(terminal) = Terminal::new(TestBackend::new(width, height));
        let mut console = Self {
            program,
            worker,
            terminal,
            orders: Orders::new(),
            now: Now { at: Moment::default(), utc_ms },
            wipes: 0,
            frames: 0,
            suspensions: 0,
            mouse: None,
            quit: false,
            cursor: None,
            parked: None,
        };
        console.draw();
        console
    }

    /// Presses keys, written as in the keymap and separated by blanks: `"n tab ctrl-s"`.
    ///
    /// # Panics
    /// When one of them is no key.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split_whitespace() {
            self.key(key);
        }
        self
    }

    /// Types text, key by key.
    pub fn type_text(&mut self, typed: &str) -> &mut Self {
        for c in typed.chars() {
            let mut utf8 = [0; 4];
            let name = if c == ' ' { "space" } else { c.encode_utf8(&mut utf8) };
            self.key(name);
        }
        self
    }

    /// Pastes, in brackets.
    pub fn paste(&mut self, pasted: &str) -> &mut Self {
        self.hear(Msg::Input(Input::Paste(Pasted::new(pasted.to_owned()))))
    }

    /// Clicks on the first place where `wanted` stands.
    ///
    /// # Panics
    /// When it stands nowhere.
    pub fn click_on(&mut self, wanted: &str) -> &mut Self {
        self.mouse_on(wanted, Gesture::Click)
    }

    #[expect(clippy::panic, reason = "a test may stop")]
    fn mouse_on(&mut self, wanted: &str, gesture: Gesture) -> &mut Self {
        for (y, row) in (0..).zip(rows(self.terminal.backend().buffer())) {
            if let Some((before, _)) = row.split_once(wanted) {
                let x = u16::try_from(text::width(before)).unwrap_or(0);
                return self.hear(Msg::Input(Input::Mouse(Mouse { x, y, gesture })));
            }
        }
        panic!("\"{wanted}\" is nowhere on the screen:\n{}", self.screen());
    }

    /// Turns the wheel over the first place where `wanted` stands.
    ///
    /// # Panics
    /// When it stands nowhere.
    pub fn wheel_on(&mut self, wanted: &str, gesture: Gesture) -> &mut Self {
        self.mouse_on(wanted, gesture)
    }

    pub fn resize(&mut self, width: u16, height: u16) -> &mut Self {
        self.terminal.backend_mut().resize(width, height);
        self.hear(Msg::Input(Input::Resize { width, height }))
    }

    /// Tells news, as another process would.
    pub fn news(&mut self, news: P::Outcome) -> &mut Self {
        self.hear(Msg::News(news))
    }

    /// Lets time pass; every tick the model asks for on the way comes at its moment.
    pub fn advance(&mut self, by: Duration) -> &mut Self {
        let end = self.now.at + by;
        while let Some(wake) = self.program.wake_at().filter(|wake| *wake <= end) {
            // A model that asks for the past gets its tick a little later, as from the runtime.
            let next = if wake > self.now.at { wake } else { self.now.at + Duration::from_millis(10) };
            if next > end {
                break;
            }
            self.go_to(next);
            self.hear(Msg::Tick);
        }
        self.go_to(end);
        self
    }

    /// Asserts that `text` is on the screen.
    ///
    /// # Panics
    /// When it is not; the screen is shown.
    pub fn sees(&mut self, text: &str) -> &mut Self {
        let screen = self.screen();
        assert!(screen.contains(text), "\"{text}\" is not on the screen:\n{screen}");
        self
    }

    /// Asserts that `text` is not on the screen.
    ///
    /// # Panics
    /// When it is; the screen is shown.
    pub fn sees_no(&mut self, text: &str) -> &mut Self {
        let screen = self.screen();
        assert!(!screen.contains(text), "\"{text}\" is on the screen:\n{screen}");
        self
    }

    /// The screen with its colours.
    pub fn buffer(&self) -> &Buffer {
        self.terminal.backend().buffer()
    }

    /// The screen's text, rows separated by line breaks.
    pub fn screen(&self) -> String {
        rows(self.terminal.backend().buffer()).join("\n")
    }

    pub const fn has_quit(&self) -> bool {
        self.quit
    }

    /// Ends the console as a signal would, doing the last effects.
    pub fn end(&mut self) -> &mut Self {
        for effect in self.program.farewell(self.now) {
            self.complete(effect);
        }
        self.quit = true;
        self
    }

    /// From now on nothing ordered is performed, as on a slow disk.
    pub fn stall(&mut self) -> &mut Self {
        self.parked.get_or_insert_default();
        self
    }

    /// Performs what was ordered meanwhile. When the console has ended, nobody hears what comes of it.
    pub fn go_on(&mut self) -> &mut Self {
        for (job, effect) in self.parked.take().unwrap_or_default() {
            let outcome = self.complete(effect);
            if !self.has_quit() {
                self.hear(Msg::Done { job, outcome });
            }
        }
        self
    }

    /// The model, to look at.
    pub const fn program(&self) -> &P {
        &self.program
    }

    /// Draws now, as after a message that changed something.
    pub fn draw(&mut self) {
        self.frames += 1;
        let (program, now) = (&mut self.program, self.now);
        let mut cursor = None;
        let Ok(_) = self.terminal.draw(|frame| {
            cursor = program.view(frame.buffer_mut(), now);
            if let Some(cursor) = cursor {
                frame.set_cursor_position(cursor);
            }
        });
        self.cursor = cursor;
    }

    /// What stands from the terminal's cursor to the end of its row; nothing while it has none.
    pub fn at_cursor(&self) -> Option<String> {
        let Position { x, y } = self.cursor?;
        let area = *self.terminal.backend().buffer().area();
        let rest = Rect { x, y, width: area.width.checked_sub(x)?, height: 1 };
        let cells = rest.positions().filter_map(|at| self.terminal.backend().buffer().cell(at));
        Some(cells.map(Cell::symbol).collect())
    }

    /// Tells the model what happened and does all that follows.
    pub fn hear(&mut self, msg: Msg<P::Outcome>) -> &mut Self {
        let mut waiting = vec![msg];
        let mut changed = Frame::Same;
        while !waiting.is_empty() {
            for msg in std::mem::take(&mut waiting) {
                if self.has_quit() {
                    return self;
                }
                self.program.update(msg, self.now, &mut self.orders);
                let (orders, frame) = self.orders.take();
                if frame == Frame::Changed {
                    changed = Frame::Changed;
                }
                for order in orders {
                    match order {
                        Order::Perform(job, effect) => match &mut self.parked {
                            Some(parked) => parked.push((job, effect)),
                            None => {
                                let outcome = self.complete(effect);
                                waiting.push(Msg::Done { job, outcome });
                            }
                        },
                        Order::Wipe => {
                            self.wipes += 1;
                            changed = Frame::Changed;
                        }
                        Order::Mouse(capture) => self.mouse = Some(capture),
                        Order::Suspend => {
                            self.suspensions += 1;
                            waiting.push(Msg::Resumed);
                        }
                        Order::Quit => {
                            self.end();
                        }
                    }
                }
            }
        }
        if changed == Frame::Changed && !self.has_quit() {
            self.draw();
        }
        self
    }

    #[expect(clippy::expect_used, reason = "a test may stop")]
    fn key(&mut self, name: &str) {
        let chord = Chord::parse(name).expect("a key");
        self.hear(Msg::Input(Input::Key { chord, held: Held::First }));
    }

    fn complete(&self, effect: P::Effect) -> P::Outcome {
        self.worker.task(effect)()
    }

    fn go_to(&mut self, at: Moment) {
        let passed = i64::try_from(at.since(self.now.at).as_millis()).unwrap_or(i64::MAX);
        self.now = Now { at, utc_ms: self.now.utc_ms.saturating_add(passed) };
    }
}
