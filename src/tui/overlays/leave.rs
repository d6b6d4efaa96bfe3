//! The one question before the console ends with something unfinished.

use ratatui::layout::Rect;

use crate::tui::action::{Action, Layer};
use crate::tui::app::ask::{Answer, Ask};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::theme::Role;
use crate::tui::widgets::buttons::{Button, ButtonRow};
use crate::tui::widgets::{Focus, layout, popup, text};

/// Its name.
pub const NAME: &str = "leave";
const WIDTH: u16 = 58;

/// Asks whether to quit all the same.
pub struct Leave {
    why: &'static str,
    buttons: ButtonRow,
}

impl Leave {
    /// `why` says what would be lost.
    pub fn new(why: &'static str) -> Self {
        Self { why, buttons: ButtonRow::new([Button::safe("Stay"), Button::dangerous("Quit")]) }
    }

    fn press(&self, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        if self.buttons.focused() == 1 {
            out.push(Ask::Quit);
            return Heard::Consumed;
        }
        Heard::Close
    }
}

impl Overlay<Look, Ask, Answer> for Leave {
    fn name(&self) -> &'static str {
        NAME
    }

    fn layer(&self) -> Layer {
        Layer::Dialog
    }

    fn hear(&mut self, cue: Cue<'_>, _: &Look, _: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        match cue {
            Cue::Do(Action::Press | Action::Toggle) => self.press(out),
            Cue::Do(action @ (Action::Left | Action::Right)) => {
                self.buttons.act(action);
                Heard::Consumed
            }
            Cue::Do(Action::NextField | Action::PrevField) => {
                self.buttons.focus(1 - self.buttons.focused());
                Heard::Consumed
            }
            Cue::Click(Target::Button(at)) => {
                self.buttons.focus(at);
                self.press(out)
            }
            _ => Heard::Ignored,
        }
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _: Rect, _: &Look, _: Now) {
        let lines = text::wrap(self.why, WIDTH - 6);
        let height = u16::try_from(lines.len()).unwrap_or(1).saturating_add(6);
        let inside = popup::draw(canvas, "Quit keydeck?", WIDTH, height);
        for (row, line) in (0..).zip(&lines) {
            let row = layout::row(inside, row);
            canvas.fit(row.x, row.y, row.width, line, Role::Text);
        }
        let (_, last) = layout::bottom(inside, 1);
        self.buttons.draw(canvas, last, Focus::Here);
    }

    fn hints(&self) -> &[Action] {
        &[Action::Press, Action::NextField, Action::Cancel]
    }
}
