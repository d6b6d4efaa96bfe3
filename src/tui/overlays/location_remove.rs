//! Removing a location: says how many keys stop with it, and wants its name typed.

use ratatui::layout::Rect;

use crate::domain::{Command, LocationId};
use crate::tui::action::{Action, Layer};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::screens::keys::seen::seen;
use crate::tui::theme::Role;
use crate::tui::widgets::buttons::{Button, ButtonRow};
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Focus, layout, popup, text};

/// The question.
pub struct RemoveLocation {
    location: LocationId,
    name: String,
    stops: String,
    typed: TextField,
    buttons: ButtonRow,
}

impl RemoveLocation {
    /// For a location with its name.
    pub fn new(look: &Look, location: LocationId, name: &str) -> Self {
        // All keys of the location stop, also those the operator does not see: the number is the whole truth.
        let live = seen(look, |seen| seen.state().live_keys_at(location, seen.now()));
        let stops = match live {
            0 => "It has no live keys: nothing stops.".to_owned(),
            1 => "1 key stops at once and is refused from then on.".to_owned(),
            n => format!("{n} keys stop at once and are refused from then on."),
        };
        Self {
            location,
            name: name.to_owned(),
            stops,
            typed: TextField::new(""),
            buttons: ButtonRow::new([Button::safe("Cancel"), Button::dangerous("Remove")]),
        }
    }

    fn is_typed(&self) -> bool {
        self.typed.text().trim() == self.name
    }

    fn press(&self, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        let cancelled = self.buttons.focused() == 0;
        if cancelled && self.typed.is_empty() {
            return Heard::Close;
        }
        if !self.is_typed() {
            out.push(Ask::Say("type the location's name exactly as it stands there; esc cancels".to_owned()));
            return Heard::Consumed;
        }
        if !cancelled {
            let said = format!("{} is removed", self.name);
            let command = Command::RemoveLocation { location: self.location };
            out.push(Ask::Do(Job::Run { command, said }));
        }
        Heard::Close
    }

    fn aim(&mut self) {
        self.buttons.focus(usize::from(self.is_typed()));
    }
}

impl Overlay<Look, Ask, Answer> for RemoveLocation {
    fn name(&self) -> &'static str {
        "location-remove"
    }

    fn layer(&self) -> Layer {
        Layer::Dialog
    }

    fn text_focus(&self) -> TextFocus {
        TextFocus::Here
    }

    fn hear(&mut self, cue: Cue<'_>, _: &Look, _: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        match cue {
            Cue::Do(Action::Press) => return self.press(out),
            Cue::Do(Action::Submit) => {
                self.buttons.focus(1);
                return self.press(out);
            }
            Cue::Click(Target::Button(button)) => {
                self.buttons.focus(button);
                if button == 0 {
                    return Heard::Close;
                }
                return self.press(out);
            }
            Cue::Do(Action::NextField | Action::PrevField) => {
                self.buttons.focus(1 - self.buttons.focused().min(1));
            }
            Cue::Type(typed) => {
                self.typed.type_char(typed.0);
                self.aim();
            }
            Cue::Edit(edit) => {
                self.typed.edit(edit);
                self.aim();
            }
            Cue::Paste(pasted) => {
                self.typed.paste(pasted.0);
                self.aim();
            }
            _ => return Heard::Ignored,
        }
        Heard::Consumed
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _: Rect, _: &Look, _: Now) {
        let inner = popup::draw(canvas, "Remove location", 68, 14);
        let (upper, buttons) = layout::bottom(inner, 1);
        let (upper, asked) = layout::bottom(upper, 3);
        let mut lines = vec![(Role::Title, self.name.clone()), (Role::Warn, self.stops.clone())];
        let rest = "Removing is final. The history of its keys stays readable; a location of the same name is a new one.";
        lines.extend(text::wrap(rest, upper.width.max(1)).into_iter().map(|line| (Role::Text, line)));
        for (line, (role, said)) in (0..upper.height).zip(&lines) {
            let row = layout::row(upper, line);
            canvas.fit(row.x, row.y, row.width, said, *role);
        }
        let label = layout::row(asked, 0);
        let x = canvas.fit(label.x, label.y, label.width, "Type its name to confirm:", Role::Dim);
        canvas.fit(
            x.saturating_add(1),
            label.y,
            label.right().saturating_sub(x + 1),
            &self.name,
            Role::Accent,
        );
        self.buttons.draw(canvas, buttons, Focus::Here);
        self.typed.draw_input(canvas, layout::row(asked, 1), Focus::Here);
    }

    fn hints(&self) -> &[Action] {
        &[Action::Press, Action::NextField, Action::Cancel]
    }
}
