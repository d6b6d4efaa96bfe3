//! What can be done about one operator, and why the rest cannot.

use ratatui::layout::Rect;

use super::disable::Disable;
use super::{Person, Verb, passphrase, role};
use crate::tui::action::{Action, Layer};
use crate::tui::app::ask::{Answer, Ask, Layered};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::Now;
use crate::tui::input::TextFocus;
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::widgets::picker::{PickItem, Picker};
use crate::tui::widgets::popup;

/// Its name among the overlays.
pub const NAME: &str = "operator-menu";

/// The form behind a verb.
pub fn form(verb: Verb, person: &Person, look: &Look) -> Box<Layered> {
    match verb {
        Verb::Role => Box::new(role::new(person.clone(), look)),
        Verb::Passphrase => Box::new(passphrase::set(person, look)),
        Verb::Disable | Verb::Keys => Box::new(Disable::new(person.clone())),
        Verb::Enable => Box::new(passphrase::enable(person, look)),
    }
}

/// The key that does it without the menu.
const fn action(verb: Verb) -> Option<Action> {
    match verb {
        Verb::Role => Some(Action::Edit),
        Verb::Passphrase => Some(Action::Passphrase),
        Verb::Disable | Verb::Enable => Some(Action::EndAccess),
        Verb::Keys => None,
    }
}

/// The overlay.
pub struct Menu {
    person: Person,
    picker: Picker<Verb>,
}

impl Menu {
    /// The menu for `person`.
    pub fn new(person: Person, look: &Look) -> Self {
        let items = Verb::ALL.into_iter().map(|verb| {
            let text = match verb {
                Verb::Role => "Change the role",
                Verb::Passphrase if person.oneself => "Set your own passphrase",
                Verb::Passphrase => "Set a new passphrase",
                Verb::Disable => "End the access",
                Verb::Keys => "Decide again about the keys",
                Verb::Enable => "Give access again",
            };
            let hint = action(verb).and_then(|action| look.keymap.label(Layer::Screen, action));
            let disabled = person.allows(verb, look).err();
            PickItem { key: verb, text: text.into(), hint: hint.unwrap_or_default(), disabled }
        });
        let picker = Picker::new(items.collect(), "type to find");
        Self { person, picker }
    }

    fn choose(&self, look: &Look, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        match self.picker.selected() {
            Some(item) => match &item.disabled {
                Some(reason) => {
                    out.push(Ask::Say(reason.to_string()));
                    Heard::Consumed
                }
                None => Heard::Replace(form(item.key, &self.person, look)),
            },
            None => Heard::Consumed,
        }
    }
}

impl Overlay<Look, Ask, Answer> for Menu {
    fn name(&self) -> &'static str {
        NAME
    }

    fn layer(&self) -> Layer {
        Layer::Picker
    }

    fn text_focus(&self) -> TextFocus {
        TextFocus::Here
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, _: Now, out: &mut Vec<Ask>) -> Heard<Look, Ask, Answer> {
        match cue {
            Cue::Type(c) => self.picker.type_char(c.0),
            Cue::Edit(edit) => self.picker.edit(edit),
            Cue::Paste(pasted) => self.picker.paste(pasted.0),
            Cue::Do(Action::Press) => return self.choose(look, out),
            Cue::Do(Action::Cancel) => return Heard::Ignored,
            Cue::Do(action) => {
                self.picker.act(action);
            }
            Cue::Click(Target::Row { row, .. }) => {
                self.picker.select(row);
                return self.choose(look, out);
            }
            _ => return Heard::Ignored,
        }
        Heard::Consumed
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _: Rect, _: &Look, _: Now) {
        let inner = popup::draw(canvas, &format!("{}, {}", self.person.name, self.person.role), 72, 11);
        self.picker.draw(canvas, inner, 0);
    }

    fn hints(&self) -> &[Action] {
        &[Action::Press, Action::Cancel]
    }
}
