//! What a person fills in, one thing at a time. All of it hears, complains and is drawn in the same way, so that one
//! form holds any of it. Here: what that way is, and a line of text.

use std::hash::{Hash as _, Hasher};

use ratatui::layout::Rect;

use crate::tui::action::{Action, Layer, Reason};
use crate::tui::canvas::{Canvas, Target};
use crate::tui::overlay::Cue;
use crate::tui::theme::Role;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Focus, layout, text};

/// What a field made of a cue.
#[derive(Debug, PartialEq, Eq)]
pub enum Took {
    /// Its value may be another now.
    Changed,
    /// It was for the field, and the value is as it was.
    Kept,
    /// It wants to know what can be chosen.
    Opened,
    /// A value was chosen, and there is nothing more to do here.
    Done,
    /// It is for somebody else: the form moves on, or has no use for it.
    Left,
    /// It is not possible, and why.
    Refused(Reason),
}

/// Where the keyboard comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// From the field before, or from nowhere.
    Above,
    /// From the field after.
    Below,
}

/// Where a field is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// Columns of its label.
    pub labels: u16,
    /// Whether the keyboard is here.
    pub focus: Focus,
    /// Its number in the form, for the mouse.
    pub number: u8,
    /// Rows of it that do not fit above; only of one that [`Field::seen`] lets be cut.
    pub skip: u16,
}

/// How a field shares a form with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// It takes the rows it needs.
    Low,
    /// It takes all the rows that the others leave.
    Tall,
    /// It takes what it needs, and never the keyboard.
    Fact,
    /// It takes all that is left, and never the keyboard.
    Pane,
}

/// Something to fill in.
pub trait Field {
    /// Hears a cue while it has the keyboard; clicks and wheel only when they hit it. A fact never hears any.
    fn hear(&mut self, _cue: Cue<'_>) -> Took {
        Took::Left
    }

    /// Rows it takes when it has `cells` columns beside its label, with what is said below it; `air` rows are kept
    /// free after it or for that.
    fn rows(&self, cells: u16, air: u16) -> u16;

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, slot: Slot);

    /// Whether something is wrong with its value, until that changes.
    fn is_wrong(&self) -> bool {
        false
    }

    /// Tells its value from others. A fact has none.
    fn sign(&self, _into: &mut dyn Hasher) {}

    /// How it shares the form.
    fn build(&self) -> Build {
        Build::Low
    }

    /// Whether letters are text for it.
    fn wants_text(&self) -> bool {
        false
    }

    /// Whose keys are searched: a list that it opened has keys of its own.
    fn layer(&self) -> Layer {
        Layer::Dialog
    }

    /// The keys that matter in it.
    fn hints(&self) -> &'static [Action] {
        &[Action::NextField, Action::Submit, Action::Cancel, Action::PrevField]
    }

    /// How many of its rows must be in sight, when not all of them.
    fn seen(&self, _cells: u16) -> Option<u16> {
        None
    }

    fn enter(&mut self, _from: Side) {}

    /// Closes what it opened.
    fn close(&mut self) {}

    /// Draws what lies above the whole form: a list that is open.
    fn draw_above(&mut self, _canvas: &mut Canvas<'_>) {}
}

/// The lines below a field: what is wrong, else what to know, whole.
fn below(error: Option<&str>, note: &str, cells: u16) -> Vec<String> {
    match error {
        Some(error) => text::wrap(error, cells.saturating_sub(2).max(1)),
        None if note.is_empty() => Vec::new(),
        None => text::wrap(note, cells.max(1)),
    }
}

/// How many they are.
pub fn rows_below(error: Option<&str>, note: &str, cells: u16) -> u16 {
    rows(below(error, note, cells).len())
}

/// Draws them, as many as there is room for; the last one shows where more is missing.
pub fn draw_below(canvas: &mut Canvas<'_>, area: Rect, error: Option<&str>, note: &str) {
    let (bad, more) = (canvas.glyphs().bad, canvas.glyphs().ellipsis);
    let lines = below(error, note, area.width);
    let missing = lines.len() > area.height.into();
    for (line, mut said) in (0..area.height).zip(lines) {
        if missing && line + 1 == area.height {
            said = text::fit(&format!("{said} {more}"), area.width, more).into_owned();
        }
        let row = layout::row(area, line);
        let (said, role) = match (error, line) {
            (Some(_), 0) => (format!("{bad} {said}"), Role::Bad),
            (Some(_), _) => (format!("  {said}"), Role::Bad),
            (None, _) => (said, Role::Dim),
        };
        canvas.fit(row.x, row.y, row.width, &said, role);
    }
}

/// Draws the label of a field at the left of `area`, and gives what is beside it.
pub fn draw_label(canvas: &mut Canvas<'_>, area: Rect, label: &str, slot: Slot) -> Rect {
    let (place, beside) = layout::left(area, slot.labels);
    let role = if slot.focus.is_here() { Role::Accent } else { Role::Dim };
    canvas.fit(place.x, place.y, place.width.saturating_sub(1), label, role);
    beside
}

/// Rows of a number of lines.
pub fn rows(lines: usize) -> u16 {
    u16::try_from(lines).unwrap_or(u16::MAX)
}

impl Field for TextField {
    fn hear(&mut self, cue: Cue<'_>) -> Took {
        if !self.take_in(cue) {
            return if matches!(cue, Cue::Click(_)) { Took::Kept } else { Took::Left };
        }
        // What it would not take it has said already.
        if self.error.is_some() { Took::Kept } else { Took::Changed }
    }

    fn wants_text(&self) -> bool {
        true
    }

    fn rows(&self, cells: u16, air: u16) -> u16 {
        1 + rows_below(self.error.as_deref(), &self.note, cells).max(air)
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, slot: Slot) {
        canvas.hit(area, Target::Field(slot.number.into()));
        let input = draw_label(canvas, area, &self.label, slot);
        self.draw_input(canvas, layout::row(input, 0), slot.focus);
        draw_below(canvas, layout::top(input, 1).1, self.error.as_deref(), &self.note);
    }

    fn is_wrong(&self) -> bool {
        self.error.is_some()
    }

    fn sign(&self, mut into: &mut dyn Hasher) {
        self.text().hash(&mut into);
    }
}
