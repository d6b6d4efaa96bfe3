//! What can be done about one operator, and why the rest cannot.

use super::disable::Disable;
use super::{Person, Verb, passphrase, role};
use crate::tui::action::{Action, Layer};
use crate::tui::app::ask::Ask;
use crate::tui::app::look::Look;
use crate::tui::overlay::Overlay;
use crate::tui::overlays::chooser::Chooser;
use crate::tui::widgets::picker::{PickItem, Picker};

/// The form behind a verb.
pub fn form(verb: Verb, person: &Person, look: &Look) -> Box<dyn Overlay> {
    match verb {
        Verb::Role => Box::new(role::new(person.clone(), look)),
        Verb::Passphrase | Verb::Enable => Box::new(passphrase::new(person.clone(), look)),
        Verb::Disable | Verb::Keys => Box::new(Disable::new(person.clone(), look)),
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

pub fn menu(person: Person, look: &Look) -> Chooser<Verb> {
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
    let title = format!("{}, {}", person.name, person.role);
    Chooser::new(title, (72, 11), picker, move |verb, look| Ask::Push(form(verb, &person, look)))
}
