//! Short notes on what just happened. Good news leaves by itself, or with the next of it; an answer to a key press leaves
//! with the next key press; an error can be copied and stays until it is dismissed or its cause is gone. One line of
//! it stands on the rule above the status bar and covers nothing; what needs more lines grows from there over the
//! screen, but never over the row that has the cursor.

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
    Info,
    Success,
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    pub tone: Tone,
    /// What happened, and what to do. Never a secret.
    pub text: String,
    until: Option<Moment>,
    cause: Option<Cause>,
}

/// What an error or answer is about, so that it goes when that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A key press; the next one is about something else.
    Press,
    /// A copy that failed, until one succeeds.
    Copy,
    /// Something that was refused, called by what is said when it is done.
    Deed(String),
}

/// The notes, newest first.
#[derive(Debug, Default)]
pub struct Toasts {
    notes: Vec<Toast>,
}

impl Toasts {
    /// Worth knowing, whatever is pressed meanwhile.
    pub fn info(&mut self, text: impl Into<String>, now: Moment) {
        self.add(Tone::Info, text.into(), Some(now + STAY), None);
    }

    /// What there is to say to a key press.
    pub fn answer(&mut self, text: impl Into<String>, now: Moment) {
        self.add(Tone::Info, text.into(), Some(now + STAY), Some(Cause::Press));
    }

    /// It worked. The one before is old news, and may not be so any more.
    pub fn success(&mut self, text: impl Into<String>, now: Moment) {
        self.notes.retain(|note| note.tone != Tone::Success);
        self.add(Tone::Success, text.into(), Some(now + STAY), None);
    }

    /// It did not work, and nothing that happens later can change that.
    pub fn error(&mut self, text: impl Into<String>) {
        self.add(Tone::Error, text.into(), None, None);
    }

    /// It did not work so far.
    pub fn failure(&mut self, text: impl Into<String>, cause: Cause) {
        self.over(&cause);
        self.add(Tone::Error, text.into(), None, Some(cause));
    }

    /// Lets go of what is said about `cause`, which is over.
    pub fn over(&mut self, cause: &Cause) {
        self.notes.retain(|note| note.cause.as_ref() != Some(cause));
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

    /// Another screen is looked at: what went well on the one before, and may offer a key that means nothing here, was seen.
    pub fn elsewhere(&mut self) {
        self.notes.retain(|note| note.tone != Tone::Success);
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

    /// Draws the notes at the right of `area`, the newest at its lowest line. They never cover `kept`, should it leave
    /// a line: what has no room below it stands above it, and what has none there either is cut and ends in an
    /// ellipsis.
    pub fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, dismiss_key: &str, kept: Option<Rect>) {
        let kept = kept.map(|kept| kept.intersection(area)).filter(|kept| !kept.is_empty());
        let below = kept.map_or(area.height, |kept| area.bottom() - kept.bottom());
        let above = kept.map_or(0, |kept| kept.y - area.y);
        let cells = area.width.saturating_sub(8).clamp(1, 62);
        let mut notes: Vec<(&Toast, Vec<String>)> = self
            .shown(area.height)
            .into_iter()
            .map(|note| (note, lines(note, cells, dismiss_key, area.height)))
            .collect();
        let height: usize = notes.iter().map(|(_, lines)| lines.len()).sum();
        let height = u16::try_from(height).unwrap_or(u16::MAX);
        let on_top = height > below && above > below;
        let mut room = if on_top { above } else { below.max(1) };
        let more = canvas.glyphs().ellipsis;
        for (note, lines) in &mut notes {
            shorten(note, lines, room, more);
            room -= u16::try_from(lines.len()).unwrap_or(room);
        }
        let height = if on_top { height.min(above) } else { area.height };
        let mut bottom = area.y.saturating_add(height);
        for (note, lines) in notes.into_iter().filter(|(_, lines)| !lines.is_empty()) {
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

    fn add(&mut self, tone: Tone, text: String, until: Option<Moment>, cause: Option<Cause>) {
        // The same note again starts its time anew instead of standing there twice.
        self.notes.retain(|note| note.tone != tone || note.text != text);
        self.notes.insert(0, Toast { tone, text, until, cause });
    }
}

/// The lines of a note in a window of so many. An error is told whole as far as half the window goes: it says what to do
/// at its end.
fn lines(note: &Toast, cells: u16, dismiss_key: &str, height: u16) -> Vec<String> {
    let mut lines = text::wrap(&note.text, cells);
    if note.tone == Tone::Error {
        lines.truncate(usize::from(height / 2).max(LINES) - 1);
        lines.push(format!("({dismiss_key} dismisses)"));
    } else {
        lines.truncate(LINES);
    }
    lines
}

/// Cuts a note to `room` lines, and says so. The line that tells how to dismiss an error goes before any of what it says.
fn shorten(note: &Toast, lines: &mut Vec<String>, room: u16, more: &str) {
    let room = usize::from(room);
    let told = lines.len().saturating_sub(usize::from(note.tone == Tone::Error));
    lines.truncate(room);
    if told > room
        && let Some(last) = lines.last_mut()
    {
        last.push_str(more);
    }
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
    fn what_was_said_goes_when_its_cause_is_gone() {
        let mut toasts = Toasts::default();
        let texts = |toasts: &Toasts| toasts.notes.iter().map(|note| note.text.clone()).collect::<Vec<_>>();
        toasts.info("the clipboard was cleared", at(0));
        toasts.answer("esc again throws the form away", at(0));
        toasts.over(&Cause::Press);
        assert_eq!(texts(&toasts), ["the clipboard was cleared"]);
        toasts.success("A is paused; u resumes it", at(1));
        toasts.success("A is active again", at(1));
        assert_eq!(texts(&toasts), ["A is active again", "the clipboard was cleared"]);
        toasts.tick(at(9));
        let deed = |said: &str| Cause::Deed(said.to_owned());
        toasts.error("keydeck broke");
        toasts.failure("Nothing was copied: no terminal.", Cause::Copy);
        toasts.failure("The disk is full.", deed("A is revoked"));
        toasts.over(&deed("B is revoked"));
        assert_eq!(texts(&toasts).len(), 3, "another deed says nothing of the first");
        toasts.over(&deed("A is revoked"));
        toasts.over(&Cause::Copy);
        assert_eq!(texts(&toasts), ["keydeck broke"]);
    }

    #[test]
    fn notes_stand_at_the_lower_right() {
        let mut toasts = Toasts::default();
        toasts.error("No answer from the store.");
        toasts.success("Copied", at(0));
        let drawn = testing::draw(40, 4, |canvas, area| toasts.draw(canvas, area, "backspace", None));
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
                testing::draw(width, height, |canvas, area| toasts.draw(canvas, area, "x", Some(area)));
            }
        }
    }

    #[test]
    fn in_a_small_window_one_line_of_good_news_and_never_over_the_selection() {
        let mut toasts = Toasts::default();
        toasts.success("Paused A", at(0));
        toasts.success("Paused B", at(0));
        let draw = |toasts: &Toasts, kept: Option<(u16, u16)>| {
            testing::draw(40, 6, |canvas, area| {
                let kept = kept.map(|(y, height)| Rect { y, height, ..area });
                toasts.draw(canvas, area, "x", kept);
            })
        };
        let one = draw(&toasts, Some((0, 1)));
        assert!(one[5].contains("Paused B") && one[..5].iter().all(String::is_empty), "{one:?}");
        assert_eq!(draw(&toasts, Some((3, 2))), one);
        toasts.error("No answer from the store.");
        assert!(draw(&toasts, Some((0, 1)))[5].contains("Paused B"));
        let moved = draw(&toasts, Some((4, 1)));
        assert!(moved[0].contains("No answer") && moved[2].contains("Paused B"), "{moved:?}");
        assert!(moved[3..].iter().all(String::is_empty), "{moved:?}");
    }

    #[test]
    fn a_long_error_is_told_whole_where_there_is_room_and_never_over_a_dialog() {
        let mut toasts = Toasts::default();
        let end = "and see that it was written before you restart keydeck.";
        toasts.error(format!("{} {end}", "The disk is full. ".repeat(12)));
        let draw = |height, kept: Rect| {
            testing::draw(60, height, |canvas, area| {
                for y in kept.top()..kept.bottom() {
                    canvas.fit(0, y, 60, "dialog", Role::Text);
                }
                toasts.draw(canvas, area, "x", Some(kept));
            })
        };
        let whole = draw(34, Rect::new(0, 0, 60, 20));
        assert!(
            whole.join(" ").contains("restart keydeck.") && whole[33].contains("(x dismisses)"),
            "{whole:?}"
        );
        let cut = draw(16, Rect::new(0, 3, 60, 12));
        assert!(cut[3..15].iter().all(|line| line == "dialog"), "{cut:?}");
        assert!(cut[2].ends_with('…'), "{cut:?}");
    }
}
