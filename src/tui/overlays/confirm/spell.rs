//! For how long a pause is meant, chosen by a digit in the question; nothing chosen is until somebody resumes.

use ratatui::layout::Rect;

use crate::domain::{Command, Grace};
use crate::tui::canvas::Canvas;
use crate::tui::overlay::{Cue, Typed};
use crate::tui::theme::Role;

/// For how long, chosen by a digit: `1` is the first.
#[derive(Default)]
pub(super) struct Spell(Option<usize>);

impl Spell {
    const ALL: [(&str, &str); 3] = [("5m", "5 min"), ("1h", "1 h"), ("1d", "1 d")];

    fn chosen(&self) -> Option<Grace> {
        Self::ALL.get(self.0?).and_then(|(text, _)| text.parse().ok())
    }

    /// Takes a digit in; the same one again takes the choice back. `false` of anything else.
    pub(super) fn take_in(&mut self, cue: Cue<'_>) -> bool {
        let Cue::Type(Typed(digit)) = cue else { return false };
        let at = digit.to_digit(10).and_then(|digit| usize::try_from(digit).ok()?.checked_sub(1));
        let Some(at) = at.filter(|at| *at < Self::ALL.len()) else { return false };
        self.0 = (self.0 != Some(at)).then_some(at);
        true
    }

    /// What was to be done, for as long.
    pub(super) fn over(&self, command: Command) -> Command {
        match command {
            Command::PauseKey(key, None) => Command::PauseKey(key, self.chosen()),
            other => other,
        }
    }

    /// Draws what there is to choose.
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>, row: Rect) {
        let mut x = canvas.fit(row.x, row.y, row.width, "Resumes after", Role::Dim);
        for (at, (_, words)) in Self::ALL.iter().enumerate() {
            let chosen = self.0 == Some(at);
            let sign = if chosen { "(*)" } else { "( )" };
            let role = if chosen { Role::Accent } else { Role::Text };
            let option = format!("  {} {sign} {words}", at + 1);
            x = canvas.fit(x, row.y, row.right().saturating_sub(x), &option, role);
        }
    }
}
