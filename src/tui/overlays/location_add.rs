//! Adding locations: one name per line, typed or pasted, any number at once. Each name is judged when it is added
//! to the list; nothing is lost when one is refused.

use ratatui::layout::Rect;

use crate::domain::command::MAX_LOCATIONS_AT_ONCE;
use crate::domain::{Command, Name, Refusal, name::first_few};
use crate::tui::action::{Action, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::sight::deeds;
use crate::tui::sight::seen::seen;
use crate::tui::theme::Role;
use crate::tui::widgets::buttons::{Button, ButtonRow};
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::{Focus, layout, popup};

/// The form.
pub struct AddLocations {
    field: TextField,
    names: Vec<Name>,
    buttons: ButtonRow,
    on_buttons: bool,
    busy: bool,
    leaving: bool,
}

/// Why a name is not put on the list.
enum Not {
    /// It is there already, in words.
    Again(String, Name),
    /// It cannot be.
    Possible(String),
}

impl AddLocations {
    /// An empty form.
    pub fn new() -> Self {
        Self {
            field: TextField::new("Name")
                .placeholder("Berlin Mitte; paste a list to add many")
                .note("enter puts it on the list, ctrl-s adds the list"),
            names: Vec::new(),
            buttons: ButtonRow::new([Button::safe("Cancel"), Button::safe("Add")]),
            on_buttons: false,
            busy: false,
            leaving: false,
        }
    }

    /// Puts one name on the list, or says why not.
    fn add(&mut self, text: &str, look: &Look) -> Result<(), Not> {
        let name = Name::new(text).map_err(|why| Not::Possible(format!("{}: {why}", text.trim())))?;
        if self.names.iter().any(|known| known.folded() == name.folded()) {
            return Err(Not::Again(format!("{name} is on the list already"), name));
        }
        if self.names.len() >= MAX_LOCATIONS_AT_ONCE {
            let why = format!("{name}: at most {MAX_LOCATIONS_AT_ONCE} locations can be added at once");
            return Err(Not::Possible(why));
        }
        let command = Command::AddLocations(vec![name.clone()]);
        match seen(look, |seen| deeds::objection(&command, seen, look.engine.catalog())) {
            None => self.names.push(name),
            Some(why @ Refusal::NameTaken { .. }) => return Err(Not::Again(why.to_string(), name)),
            Some(why) => return Err(Not::Possible(why.to_string())),
        }
        Ok(())
    }

    /// Puts what is in the field on the list. `false` when there was something wrong with it.
    fn take(&mut self, look: &Look) -> bool {
        if self.field.text().trim().is_empty() {
            return true;
        }
        let text = self.field.text().to_owned();
        match self.add(&text, look) {
            Ok(()) => {
                self.field.clear();
                true
            }
            Err(Not::Again(why, _) | Not::Possible(why)) => {
                self.field.error = Some(why);
                false
            }
        }
    }

    fn submit(&mut self, look: &Look, out: &mut Vec<Ask>) {
        if self.busy || !self.take(look) {
            return;
        }
        if self.names.is_empty() {
            self.field.error = Some("type the name of a location first".to_owned());
            self.on_buttons = false;
            return;
        }
        self.busy = true;
        let said = match self.names.as_slice() {
            [one] => format!("{one} is added"),
            many => format!("{} locations are added", many.len()),
        };
        out.push(Ask::Do(Job::Run { command: Command::AddLocations(self.names.clone()), said }));
    }

    fn paste(&mut self, pasted: &str, look: &Look) {
        let lines: Vec<&str> = pasted.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if lines.len() < 2 {
            self.field.paste(pasted);
            return;
        }
        // Whole lines are names; those that cannot be are told, the others are on the list.
        let before = self.field.text().trim().to_owned();
        let (mut again, mut wrong) = (Vec::new(), Vec::new());
        for line in std::iter::once(before.as_str()).filter(|before| !before.is_empty()).chain(lines) {
            match self.add(line, look) {
                Ok(()) => {}
                Err(Not::Again(_, name)) => again.push(name),
                Err(Not::Possible(why)) => wrong.push(why),
            }
        }
        self.field.clear();
        let mut told = Vec::new();
        if !again.is_empty() {
            let are = if again.len() == 1 { "is" } else { "are" };
            let names = first_few(again.iter().map(Name::as_str));
            told.push(format!("{} {are} there already: {names}", again.len()));
        }
        if !wrong.is_empty() {
            told.push(format!(
                "{} cannot be added: {}",
                wrong.len(),
                first_few(wrong.iter().map(String::as_str))
            ));
        }
        self.field.error = (!told.is_empty()).then(|| told.join("; "));
    }

    fn act(&mut self, action: Action, look: &Look, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        match action {
            Action::Submit => self.submit(look, out),
            Action::NextField | Action::PrevField => {
                self.on_buttons = !self.on_buttons;
                self.buttons.focus(1);
            }
            Action::Left | Action::Right if self.on_buttons => {
                self.buttons.act(action);
            }
            Action::Press if self.on_buttons && self.buttons.focused() == 0 => return self.leave(out),
            Action::Press if self.on_buttons || self.field.text().trim().is_empty() => self.submit(look, out),
            Action::Press => {
                self.take(look);
            }
            Action::Cancel => return self.leave(out),
            _ => return Heard::Ignored,
        }
        Heard::Consumed
    }

    fn leave(&mut self, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        if self.leaving || self.names.len() < 2 {
            return Heard::Close;
        }
        self.leaving = true;
        out.push(Ask::Say("nothing is added yet; esc again throws the list away".to_owned()));
        Heard::Consumed
    }
}

impl Default for AddLocations {
    fn default() -> Self {
        Self::new()
    }
}

impl Overlay<Look, Ask, Answer> for AddLocations {
    fn name(&self) -> &'static str {
        "location-add"
    }

    fn layer(&self) -> Layer {
        Layer::Dialog
    }

    fn text_focus(&self) -> TextFocus {
        if self.on_buttons { TextFocus::Elsewhere } else { TextFocus::Here }
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, _: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        if cue != Cue::Do(Action::Cancel) {
            self.leaving = false;
        }
        match cue {
            Cue::Do(action) => return self.act(action, look, out),
            Cue::Type(typed) => self.field.type_char(typed.0),
            Cue::Edit(edit) => {
                // Backspace in an empty field takes the last name back for mending.
                if self.field.is_empty()
                    && edit == crate::tui::router::Edit::Backspace
                    && let Some(name) = self.names.pop()
                {
                    self.field.set(name.as_str());
                } else {
                    self.field.edit(edit);
                }
            }
            Cue::Paste(pasted) => self.paste(pasted.0, look),
            Cue::Click(Target::Button(0)) => return self.leave(out),
            Cue::Click(Target::Button(_)) => self.submit(look, out),
            Cue::Click(Target::Field(_)) => self.on_buttons = false,
            Cue::Click(_) | Cue::Wheel { .. } | Cue::Tick => return Heard::Ignored,
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

    fn unsaved(&self) -> bool {
        !self.names.is_empty() || !self.field.is_empty()
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _: Rect, _: &Look, _: Now) {
        let inner = popup::draw(canvas, "Add locations", 66, 18);
        let (upper, buttons) = layout::bottom(inner, 1);
        let below = self.field.rows_below(upper.width.saturating_sub(6)).max(1);
        let (field, list) = layout::top(upper, 2 + below.min(upper.height / 2));
        self.field.draw(canvas, field, 6, Focus::when(!self.on_buttons), 0);
        let rows = usize::from(list.height.saturating_sub(1));
        let hidden = self.names.len().saturating_sub(rows);
        for (line, name) in (0..list.height).zip(self.names.iter().skip(hidden)) {
            let row = layout::row(list, line);
            canvas.fit(row.x + 6, row.y, row.width.saturating_sub(6), name.as_str(), Role::Text);
        }
        let said = match (self.busy, self.names.len()) {
            (true, _) => "adding…".to_owned(),
            (_, 0) => String::new(),
            (_, 1) => "1 location".to_owned(),
            (_, n) => format!("{n} locations"),
        };
        canvas.fit(buttons.x, buttons.y, buttons.width / 2, &said, Role::Dim);
        self.buttons.draw(canvas, buttons, Focus::when(self.on_buttons));
    }

    fn hints(&self) -> &[Action] {
        &[Action::Submit, Action::Press, Action::NextField, Action::Cancel]
    }

    fn enabled(&self, action: Action, _: &Look) -> Result<(), Reason> {
        match action {
            Action::Submit if self.busy => Err("the locations are being added".into()),
            _ => Ok(()),
        }
    }
}
