//! What a person did, in the console's own words: keys, pasted text, mouse buttons, a new window size.
//!
//! Turns the terminal's events into [`Input`] and drops what nobody asked for. A terminal without bracketed
//! paste sends a paste as typing; [`Burst`] tells the two apart by speed, so a pasted paragraph does not run
//! commands. Never prints what was typed.

use std::{fmt, future::Future, io, time::Duration};

use crossterm::event::{Event, KeyCode, KeyEventKind, MouseButton, MouseEventKind};

use super::{chord::Chord, clock::Moment};

/// One thing a person did.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A key went down; `held` when the keyboard repeats it.
    Key {
        chord: Chord,
        /// Whether this is a repeat of a key held down.
        held: Held,
    },
    /// Text arrived in one piece.
    Paste(Pasted),
    /// A mouse button or the wheel, in screen cells.
    Mouse(Mouse),
    /// The window is now `width` × `height` cells.
    Resize { width: u16, height: u16 },
}

/// Whether a key press is the first or a repeat. Only movement acts on repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    First,
    /// The key is still down and the keyboard repeats it.
    Repeat,
}

/// Pasted text, its lines ended by `\n`. `Debug` tells only its length: people paste secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Pasted(String);

impl Pasted {
    /// As a terminal sent it: the line ends of files, and the bare carriage return that most terminals and tmux send
    /// in place of them, as if Enter had been pressed.
    pub fn new(sent: String) -> Self {
        if sent.contains('\r') { Self(sent.replace("\r\n", "\n").replace('\r', "\n")) } else { Self(sent) }
    }

    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pasted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pasted({} bytes)", self.0.len())
    }
}

/// What the mouse did and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    /// Column, from 0.
    pub x: u16,
    /// Row, from 0.
    pub y: u16,
    pub gesture: Gesture,
}

/// The gestures the console knows; motion is not even asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gesture {
    /// The left button went down.
    Click,
    /// The wheel, away from the person.
    WheelUp,
    /// The wheel, towards the person.
    WheelDown,
}

/// What a source of events gave: an event, an error, or its end.
pub type Heard = Option<io::Result<Event>>;

/// Where the terminal's events come from.
pub trait Keys: Send {
    /// Waits for the next. May be dropped while waiting without losing one.
    fn next(&mut self) -> impl Future<Output = Heard> + Send;

    /// The next, if it is there already.
    fn waiting(&mut self) -> Option<Heard>;
}

/// Reads a terminal event; `None` for key releases, focus changes and mouse motion.
pub fn read(event: Event) -> Option<Input> {
    match event {
        Event::Key(key) => {
            let held = match key.kind {
                KeyEventKind::Press => Held::First,
                KeyEventKind::Repeat => Held::Repeat,
                KeyEventKind::Release => return None,
            };
            Some(Input::Key { chord: Chord::new(key.code, key.modifiers), held })
        }
        Event::Paste(text) => Some(Input::Paste(Pasted::new(text))),
        Event::Mouse(mouse) => {
            let gesture = match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => Gesture::Click,
                MouseEventKind::ScrollUp => Gesture::WheelUp,
                MouseEventKind::ScrollDown => Gesture::WheelDown,
                _ => return None,
            };
            Some(Input::Mouse(Mouse { x: mouse.column, y: mouse.row, gesture }))
        }
        Event::Resize(width, height) => Some(Input::Resize { width, height }),
        Event::FocusGained | Event::FocusLost => None,
    }
}

/// More printable keys than this within [`BURST_WINDOW`] were not typed by a hand.
pub const BURST_KEYS: usize = 6;
/// The window in which a burst is counted.
pub const BURST_WINDOW: Duration = Duration::from_millis(10);

/// Holds back printable keys that come with others hard behind them until it is clear whether a hand or a
/// paste sent them.
#[derive(Default)]
pub struct Burst {
    waiting: Vec<Chord>,
    since: Moment,
}

impl Burst {
    /// Takes one input and gives back what may now be acted on, in order. `more` says that further input is
    /// already there: a lone key is let through at once. `text` says that the focus takes text: then every key
    /// is what it is.
    pub fn feed(&mut self, input: Input, at: Moment, more: More, text: TextFocus) -> Vec<Input> {
        let collected = match (&input, text) {
            (Input::Key { chord, .. }, TextFocus::Elsewhere) => self.collect(*chord, at, more),
            _ => None,
        };
        if let Some(ready) = collected {
            return ready;
        }
        let mut ready = self.release();
        ready.push(input);
        ready
    }

    /// When the held keys must be let go even if nothing more comes.
    pub fn due(&self) -> Option<Moment> {
        (!self.waiting.is_empty()).then(|| self.since + BURST_WINDOW)
    }

    /// Lets go what was held: as a paste when it was a burst, else as the keys it was.
    pub fn release(&mut self) -> Vec<Input> {
        let keys = std::mem::take(&mut self.waiting);
        // One key many times over is a held key on a slow line, not a paste.
        let one_key = keys.windows(2).all(|pair| pair.first() == pair.last());
        if keys.len() > BURST_KEYS && !one_key {
            let text = keys.iter().filter_map(|chord| burst_char(*chord)).collect();
            return vec![Input::Paste(Pasted::new(text))];
        }
        keys.into_iter().map(|chord| Input::Key { chord, held: Held::First }).collect()
    }

    /// `None` when the key has no part in a burst.
    fn collect(&mut self, chord: Chord, at: Moment, more: More) -> Option<Vec<Input>> {
        let typed = chord.typed().is_some();
        // Enter and Tab are in a pasted text too, but one alone is a command and must not wait.
        if !typed && (self.waiting.is_empty() || burst_char(chord).is_none()) {
            return None;
        }
        if self.waiting.is_empty() && more == More::Nothing {
            return None;
        }
        // A paste longer than the window stays one paste as long as its keys keep coming.
        if !self.waiting.is_empty() && at.since(self.since) > BURST_WINDOW && self.waiting.len() <= BURST_KEYS
        {
            let ready = self.release();
            if more == More::Nothing {
                return Some(ready.into_iter().chain([Input::Key { chord, held: Held::First }]).collect());
            }
            self.hold(chord, at);
            return Some(ready);
        }
        self.hold(chord, at);
        Some(Vec::new())
    }

    fn hold(&mut self, chord: Chord, at: Moment) {
        if self.waiting.is_empty() || self.waiting.len() > BURST_KEYS {
            self.since = at;
        }
        self.waiting.push(chord);
    }
}

/// Whether further input is already waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    Coming,
    /// This was the last for now.
    Nothing,
}

/// Whether the focus is in a text field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFocus {
    Here,
    Elsewhere,
}

fn burst_char(chord: Chord) -> Option<char> {
    match chord.code() {
        KeyCode::Enter => Some('\n'),
        KeyCode::Tab => Some('\t'),
        _ => chord.typed(),
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyEvent, KeyModifiers};

    use super::*;

    fn key(text: &str) -> Input {
        Input::Key { chord: Chord::parse(text).unwrap(), held: Held::First }
    }

    fn at(ms: u64) -> Moment {
        Moment::after_start(Duration::from_millis(ms))
    }

    fn feed_all(burst: &mut Burst, text: &str, start: u64) -> Vec<Input> {
        let last = text.chars().count() - 1;
        let mut out = Vec::new();
        for (i, c) in text.chars().enumerate() {
            let more = if i == last { More::Nothing } else { More::Coming };
            let name = if c == '\n' { "enter".to_owned() } else { c.to_string() };
            out.extend(burst.feed(key(&name), at(start), more, TextFocus::Elsewhere));
        }
        out
    }

    #[test]
    fn a_lone_key_is_never_held() {
        let mut burst = Burst::default();
        assert_eq!(burst.feed(key("n"), at(0), More::Nothing, TextFocus::Elsewhere), vec![key("n")]);
        assert_eq!(burst.due(), None);
    }

    #[test]
    fn a_pasted_list_has_its_lines_whatever_the_terminal_ends_them_with() {
        for sent in ["North\rSouth\rWest\r", "North\r\nSouth\r\nWest\r\n", "North\nSouth\rWest\r\n"] {
            let read = read(Event::Paste(sent.into()));
            assert_eq!(read, Some(Input::Paste(Pasted("North\nSouth\nWest\n".into()))), "{sent:?}");
        }
    }

    #[test]
    fn pasted_without_brackets_outside_a_field_runs_no_command() {
        let mut burst = Burst::default();
        assert_eq!(feed_all(&mut burst, "RXq\nRXq", 0), vec![]);
        assert_eq!(burst.due(), Some(at(10)));
        assert_eq!(burst.release(), vec![Input::Paste(Pasted::new("RXq\nRXq".into()))]);
        assert_eq!(burst.due(), None);
    }

    #[test]
    fn six_quick_keys_are_still_keys() {
        let mut burst = Burst::default();
        assert_eq!(feed_all(&mut burst, "jkjkjk", 0), vec![]);
        assert_eq!(burst.release().len(), 6);
        assert_eq!(feed_all(&mut burst, "jjjjjjjjjjjj", 20), vec![]);
        assert_eq!(burst.release(), vec![key("j"); 12]);
    }

    #[test]
    fn in_a_field_every_key_is_text() {
        let mut burst = Burst::default();
        for c in "Nightly export".chars().filter(|c| *c != ' ') {
            let press = key(&c.to_string());
            assert_eq!(burst.feed(press.clone(), at(0), More::Coming, TextFocus::Here), vec![press]);
        }
    }

    #[test]
    fn slow_keys_are_let_go_in_order() {
        let mut burst = Burst::default();
        assert_eq!(burst.feed(key("j"), at(0), More::Coming, TextFocus::Elsewhere), vec![]);
        assert_eq!(
            burst.feed(key("k"), at(11), More::Nothing, TextFocus::Elsewhere),
            vec![key("j"), key("k")]
        );
        assert_eq!(burst.feed(key("j"), at(30), More::Coming, TextFocus::Elsewhere), vec![]);
        assert_eq!(
            burst.feed(key("esc"), at(31), More::Nothing, TextFocus::Elsewhere),
            vec![key("j"), key("esc")]
        );
    }

    #[test]
    fn a_long_paste_in_slow_pieces_stays_one() {
        let mut burst = Burst::default();
        assert_eq!(feed_all(&mut burst, "abcdefgh", 0), vec![]);
        assert_eq!(feed_all(&mut burst, "ijklmnop", 9), vec![]);
        assert_eq!(burst.due(), Some(at(19)));
        assert_eq!(burst.release(), vec![Input::Paste(Pasted::new("abcdefghijklmnop".into()))]);
    }

    #[test]
    fn releases_and_focus_changes_are_not_input() {
        let mut up = KeyEvent::new(KeyCode::Char('x'), KeyModifiers::NONE);
        up.kind = KeyEventKind::Release;
        assert_eq!(read(Event::Key(up)), None);
        up.kind = KeyEventKind::Repeat;
        assert!(matches!(read(Event::Key(up)), Some(Input::Key { held: Held::Repeat, .. })));
        assert_eq!(read(Event::FocusLost), None);
        assert_eq!(format!("{:?}", Pasted::new("secret".into())), "Pasted(6 bytes)");
    }
}
