//! Renaming a location. Its keys and their tokens stay as they are.

use ratatui::layout::Rect;

use crate::domain::{Command, LocationId, Name};
use crate::tui::action::{Action, Layer};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::screens::keys::deeds;
use crate::tui::screens::keys::seen::seen;
use crate::tui::widgets::buttons::{Button, ButtonRow};
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Focus, layout, popup};

/// The form.
pub struct RenameLocation {
    location: LocationId,
    before: String,
    field: TextField,
    buttons: ButtonRow,
    on_buttons: bool,
    busy: bool,
}

impl RenameLocation {
    /// For a location with its present name.
    pub fn new(location: LocationId, name: &str) -> Self {
        Self {
            location,
            before: name.to_owned(),
            field: TextField::new("Name").filled(name).note("its keys go on working"),
            buttons: ButtonRow::new([Button::safe("Cancel"), Button::safe("Rename")]),
            on_buttons: false,
            busy: false,
        }
    }

    fn command(&self, look: &Look) -> Result<(Command, String), String> {
        let name = Name::new(self.field.text()).map_err(|why| why.to_string())?;
        let said = format!("{} is now called {name}", self.before);
        let command = Command::RenameLocation { location: self.location, name, basis: None };
        match seen(look, |seen| deeds::objection(&command, seen, look.engine.catalog())) {
            Some(refusal) => Err(refusal.to_string()),
            None => Ok((command, said)),
        }
    }

    fn submit(&mut self, look: &Look, out: &mut Vec<Ask>) {
        if self.busy {
            return;
        }
        match self.command(look) {
            Ok((command, said)) => {
                self.busy = true;
                out.push(Ask::Do(Job::Run { command, said }));
            }
            Err(why) => self.field.error = Some(why),
        }
    }
}

impl Overlay<Look, Ask, Answer> for RenameLocation {
    fn name(&self) -> &'static str {
        "location-rename"
    }

    fn layer(&self) -> Layer {
        Layer::Dialog
    }

    fn text_focus(&self) -> TextFocus {
        if self.on_buttons { TextFocus::Elsewhere } else { TextFocus::Here }
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, _: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        match cue {
            Cue::Do(Action::NextField | Action::PrevField) => {
                self.on_buttons = !self.on_buttons;
                self.buttons.focus(1);
            }
            Cue::Do(action @ (Action::Left | Action::Right)) if self.on_buttons => {
                self.buttons.act(action);
            }
            Cue::Do(Action::Press) if self.on_buttons && self.buttons.focused() == 0 => return Heard::Close,
            Cue::Do(Action::Press | Action::Submit) | Cue::Click(Target::Button(1)) => self.submit(look, out),
            Cue::Click(Target::Button(_)) => return Heard::Close,
            Cue::Click(Target::Field(_)) => self.on_buttons = false,
            Cue::Type(typed) => self.field.type_char(typed.0),
            Cue::Edit(edit) => self.field.edit(edit),
            Cue::Paste(pasted) => self.field.paste(pasted.0),
            _ => return Heard::Ignored,
        }
        Heard::Consumed
    }

    fn told(&mut self, answer: Answer, _: &Look, _: Now, _: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        self.busy = false;
        match answer {
            Answer::Refused(why) => {
                self.field.error = Some(why);
                Heard::Consumed
            }
            _ => Heard::Close,
        }
    }

    fn waits(&self) -> bool {
        true
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _: Rect, _: &Look, _: Now) {
        let inner = popup::draw(canvas, &format!("Rename {}", self.before), 66, 9);
        let (upper, buttons) = layout::bottom(inner, 1);
        self.field.draw(canvas, layout::top(upper, 2).0, 6, Focus::when(!self.on_buttons), 0);
        self.buttons.draw(canvas, buttons, Focus::when(self.on_buttons));
    }

    fn hints(&self) -> &[Action] {
        &[Action::Submit, Action::NextField, Action::Cancel]
    }
}
