//! Why keys are revoked: one of a few words, and words of one's own, above the line in which the name is typed. Nobody has
//! to go there, least of all in an emergency: up leads to it, and what is not said is told as nothing.

use ratatui::layout::Rect;

use crate::domain::{Command, Motive, Note, Why};
use crate::tui::action::Action;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::form::choice::Radio;
use crate::tui::form::field::{Field as _, Slot};
use crate::tui::overlay::Cue;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Focus, layout};

/// The numbers of both lines for the mouse.
const LINES: (u8, u8) = (1, 2);
/// Columns of their labels.
const LABELS: u16 = 9;

/// Where the keyboard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Why,
    Because,
    /// Below both: at the name, or at the buttons.
    Below,
}

pub(super) struct Reasons {
    why: Radio<Why>,
    because: TextField,
    at: At,
}

impl Reasons {
    /// Rows both take in so many cells.
    pub fn rows(&self, cells: u16) -> u16 {
        self.whys(cells).saturating_add(2)
    }

    fn whys(&self, cells: u16) -> u16 {
        self.why.lines_in(cells.saturating_sub(LABELS))
    }

    /// Nothing said, and the keyboard below.
    pub fn new() -> Self {
        let options = Why::ALL.map(|why| (why, why.words(), ""));
        Self {
            why: Radio::new("Reason", options).wrapped(),
            because: TextField::new("Because").placeholder("if there is more to say; up leads here"),
            at: At::Below,
        }
    }

    pub fn is_here(&self) -> bool {
        self.at != At::Below
    }

    pub fn takes_text(&self) -> bool {
        self.at == At::Because
    }

    /// Hears a cue, unless it is for what lies below.
    pub fn hear(&mut self, cue: Cue<'_>) -> bool {
        self.at = match (self.at, cue) {
            (_, Cue::Click(Target::Row { pane, .. })) if pane == LINES.0 => {
                self.why.hear(cue);
                At::Why
            }
            (_, Cue::Click(Target::Field(line))) if line == usize::from(LINES.1) => At::Because,
            (At::Why, Cue::Do(Action::Left | Action::Right | Action::Toggle)) => {
                self.why.hear(cue);
                At::Why
            }
            (At::Because, Cue::Type(_) | Cue::Paste(_) | Cue::Edit(_)) => {
                self.because.take_in(cue);
                At::Because
            }
            (At::Below, Cue::Do(Action::Up | Action::PrevField))
            | (At::Why, Cue::Do(Action::Down | Action::NextField)) => At::Because,
            (At::Because | At::Why, Cue::Do(Action::Up | Action::PrevField)) => At::Why,
            (At::Because, Cue::Do(Action::Down | Action::NextField)) => At::Below,
            _ => return false,
        };
        true
    }

    /// What was said.
    ///
    /// # Errors
    /// When the words cannot be kept, and why.
    pub fn motive(&self) -> Result<Motive, String> {
        let because = Note::new(self.because.text()).map_err(|why| format!("the reason: {why}"))?;
        Ok(Motive { why: self.why.value().unwrap_or_default(), because })
    }

    pub fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect) {
        let slot = |at, number| Slot { labels: LABELS, focus: Focus::when(self.at == at), number, skip: 0 };
        let (why, because) = (slot(At::Why, LINES.0), slot(At::Because, LINES.1));
        let (whys, rest) = layout::top(area, self.whys(area.width));
        self.why.draw(canvas, whys, why);
        self.because.draw(canvas, layout::row(rest, 0), because);
    }
}

/// The same command, for that reason.
pub(super) fn told(command: &Command, motive: &Motive) -> Command {
    match command {
        Command::RevokeKey(key, _) => Command::RevokeKey(*key, motive.clone()),
        other => other.clone(),
    }
}
