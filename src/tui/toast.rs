//! Short notes on what just happened. Good news leaves by itself; an error stays until it is dismissed and can be
//! copied. One line of it stands on the rule above the status bar and covers nothing; what needs more lines grows
//! from there over the screen, but never over the row that has the cursor.

use std::time::Duration;

use ratatui::layout::Rect;

use super::{
    action::Action,
    canvas::{Canvas, Target},
    clock::Moment,
    theme::Role,
    widgets::text,
};

/// How long good news stays.
pub const STAY: Duration = Duration::from_secs(4);
/// Notes shown at once; more wait their turn below.
const SHOWN: usize = 3;
/// Lines from which on that many are shown. Below it there is one that leaves by itself, and one error.
const TALL: u16 = 30;
/// Lines one note may take.
const LINES: usize = 4;

/// What kind of note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Worth knowing.
    Info,
    /// It worked.
    Success,
    /// It did not work.
    Error,
}

/// What notes must not cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shield {
    /// The row with the cursor: what is selected.
    Cursor,
    /// Anything but the lowest line: a secret is on the screen, and what to do with it.
    All,
}

/// One note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// Its kind.
    pub tone: Tone,
    /// What happened, and what to do. Never a secret.
    pub text: String,
    until: Option<Moment>,
}

/// The notes, newest first.
#[derive(Debug, Default)]
pub struct Toasts {
    notes: Vec<Toast>,
}

impl Toasts {
    /// Worth knowing.
    pub fn info(&mut self, text: impl Into<String>, now: Moment) {
        self.add(Tone::Info, text.into(), Some(now + STAY));
    }

    /// It worked.
    pub fn success(&mut self, text: impl Into<String>, now: Moment) {
        self.add(Tone::Success, text.into(), Some(now + STAY));
    }

    /// It did not work.
    pub fn error(&mut self, text: impl Into<String>) {
        self.add(Tone::Error, text.into(), None);
    }

    /// The note shown first.
    pub fn current(&self) -> Option<&Toast> {
        self.notes.first()
    }

    /// Dismisses the newest error, or else the newest note; `None` when there is none.
    pub fn dismiss(&mut self) -> Option<Toast> {
        let error = self.notes.iter().position(|note| note.tone == Tone::Error);
        let at = error.unwrap_or(0);
        (at < self.notes.len()).then(|| self.notes.remove(at))
    }

    /// What copying the message means: the newest error, or else the newest note.
    pub fn to_copy(&self) -> Option<&str> {
        let error = self.notes.iter().find(|note| note.tone == Tone::Error);
        error.or_else(|| self.notes.first()).map(|note| note.text.as_str())
    }

    /// Lets go of notes whose time is over.
    pub fn tick(&mut self, now: Moment) {
        self.notes.retain(|note| note.until.is_none_or(|until| until > now));
    }

    /// When the next note leaves.
    pub fn wake_at(&self) -> Option<Moment> {
        self.notes.iter().filter_map(|note| note.until).reduce(|a, b| if a < b { a } else { b })
    }

    /// The notes for a window of so many lines, from the bottom up.
    fn shown(&self, height: u16) -> Vec<&Toast> {
        if height >= TALL {
            return self.notes.iter().take(SHOWN).collect();
        }
        let passing = self.notes.iter().find(|note| note.tone != Tone::Error);
        let error = self.notes.iter().find(|note| note.tone == Tone::Error);
        passing.into_iter().chain(error).collect()
    }

    /// Draws the notes at the right of `area`, the newest at its lowest line. `shield` says what must not be
    /// covered; when that cannot be kept below, they stand at the top.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, dismiss_key: &str, shield: Shield) {
        let cells = area.width.saturating_sub(6).min(64);
        let notes: Vec<(&Toast, Vec<String>)> = self
            .shown(area.height)
            .into_iter()
            .map(|note| (note, lines(note, cells.saturating_sub(2).max(1), dismiss_key)))
            .collect();
        let height: usize = notes.iter().map(|(_, lines)| lines.len()).sum();
        let height = u16::try_from(height).unwrap_or(u16::MAX);
        let above = area.bottom().saturating_sub(height.max(1));
        let covers = match shield {
            Shield::Cursor => canvas.cursor_position().is_some_and(|cursor| cursor.y >= above),
            Shield::All => height > 1,
        };
        let mut bottom =
            if covers { area.y.saturating_add(height).min(area.bottom()) } else { area.bottom() };
        for (note, lines) in notes {
            let glyphs = canvas.glyphs();
            let (sign, role) = match note.tone {
                Tone::Info => (glyphs.info, Role::Info),
                Tone::Success => (glyphs.good, Role::Good),
                Tone::Error => (glyphs.bad, Role::Bad),
            };
            let wide = lines.iter().map(|line| text::width(line)).max().unwrap_or_default();
            let width = u16::try_from(wide).unwrap_or(u16::MAX).saturating_add(6).min(area.width);
            let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
            let Some(y) = bottom.checked_sub(height).filter(|y| *y >= area.y) else { break };
            let place = Rect { x: area.right().saturating_sub(width), y, width, height };
            canvas.erase(place);
            let style = canvas.style(role);
            for (row, line) in (y..).zip(&lines) {
                canvas.print(place.x, row, 1, glyphs.vertical, style);
                let body = if row + 1 == place.bottom() && note.tone == Tone::Error {
                    Role::Dim
                } else {
                    Role::Text
                };
                canvas.fit(place.x.saturating_add(4), row, width.saturating_sub(5), line, body);
            }
            canvas.print(place.x.saturating_add(2), y, 1, sign, style);
            canvas.hit(place, Target::Do(Action::Dismiss));
            bottom = y;
        }
    }

    fn add(&mut self, tone: Tone, text: String, until: Option<Moment>) {
        // The same note again starts its time anew instead of standing there twice.
        self.notes.retain(|note| note.tone != tone || note.text != text);
        self.notes.insert(0, Toast { tone, text, until });
    }
}

fn lines(note: &Toast, cells: u16, dismiss_key: &str) -> Vec<String> {
    let mut lines = text::wrap(&note.text, cells);
    if note.tone == Tone::Error {
        lines.truncate(LINES - 1);
        lines.push(format!("({dismiss_key} dismisses)"));
    }
    lines.truncate(LINES);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing;

    fn at(seconds: u64) -> Moment {
        Moment::after_start(Duration::from_secs(seconds))
    }

    #[test]
    fn good_news_leaves_and_errors_stay() {
        let mut toasts = Toasts::default();
        toasts.success("Revoked Nightly export", at(0));
        toasts.error("The store is full. Free some space and try again.");
        assert_eq!(toasts.wake_at(), Some(at(4)));
        toasts.tick(at(3));
        assert_eq!(toasts.notes.len(), 2);
        toasts.tick(at(4));
        assert_eq!((toasts.notes.len(), toasts.wake_at()), (1, None));
        assert!(toasts.to_copy().unwrap().starts_with("The store is full"));
        toasts.dismiss();
        assert_eq!(toasts.current(), None);
        assert_eq!(toasts.dismiss(), None);
    }

    #[test]
    fn the_same_note_stands_there_once() {
        let mut toasts = Toasts::default();
        toasts.info("select a key first", at(0));
        toasts.info("select a key first", at(2));
        assert_eq!((toasts.notes.len(), toasts.wake_at()), (1, Some(at(6))));
    }

    #[test]
    fn notes_stand_at_the_lower_right() {
        let mut toasts = Toasts::default();
        toasts.error("No answer from the store.");
        toasts.success("Copied", at(0));
        let drawn =
            testing::draw(40, 4, |canvas, area| toasts.draw(canvas, area, "backspace", Shield::Cursor));
        assert_eq!(
            drawn,
            [
                "",
                "         │ ✗ No answer from the store.",
                "         │   (backspace dismisses)",
                "                            │ ✓ Copied",
            ]
        );
        for width in 0..10 {
            for height in 0..4 {
                testing::draw(width, height, |canvas, area| toasts.draw(canvas, area, "x", Shield::All));
            }
        }
    }

    #[test]
    fn in_a_small_window_one_line_of_good_news_and_never_over_the_selection() {
        let mut toasts = Toasts::default();
        toasts.success("Paused A", at(0));
        toasts.success("Paused B", at(0));
        let draw = |toasts: &Toasts, shield, cursor: u16| {
            testing::draw(40, 6, |canvas, area| {
                canvas.cursor(0, cursor);
                toasts.draw(canvas, area, "x", shield);
            })
        };
        let one = draw(&toasts, Shield::Cursor, 0);
        assert!(one[5].contains("Paused B") && one[..5].iter().all(String::is_empty), "{one:?}");
        assert_eq!(draw(&toasts, Shield::All, 0), one);
        toasts.error("No answer from the store.");
        assert!(draw(&toasts, Shield::Cursor, 0)[5].contains("Paused B"));
        for moved in [draw(&toasts, Shield::Cursor, 4), draw(&toasts, Shield::All, 0)] {
            assert!(moved[0].contains("No answer") && moved[2].contains("Paused B"), "{moved:?}");
            assert!(moved[3..].iter().all(String::is_empty), "{moved:?}");
        }
    }
}
