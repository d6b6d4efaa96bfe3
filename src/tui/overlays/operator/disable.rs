//! Ending an operator's access. What becomes of their keys is an explicit choice, with a list of who may get them; the
//! name must be typed.

use super::Person;
use crate::domain::{Command, KeysAfter, OperatorId, Role};
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::form::choice::Radio;
use crate::tui::form::drop_down::DropDown;
use crate::tui::form::{Asking, Face, Form, Manner, Pages, Spot, Told};
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::picker::PickItem;

/// What may become of the keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Work,
    Stop,
    Give,
}

/// Whose access ends, and how.
pub struct Disable {
    person: Person,
    keys: Radio<Fate>,
    heir: DropDown<OperatorId>,
    typed: TextField,
}

impl Disable {
    /// Asks what becomes of the keys of `person`, who may still sign in or left before.
    pub fn new(person: Person) -> Form<Self> {
        let options = [
            (Fate::Work, "go on working", "until revoked or expired"),
            (Fate::Stop, "stop", "until enabled again or given away"),
            (Fate::Give, "go to somebody", "who owns them from then on"),
        ];
        let mut heir = DropDown::new("To whom", "type to find one", "who gets the keys?");
        heir.title = format!("Who gets the keys of {}?", person.name);
        Form::blank(Self {
            keys: Radio::new("Their keys", options),
            heir,
            typed: TextField::new("Type the name").placeholder(person.name.clone()),
            person,
        })
    }

    fn gives(&self) -> bool {
        self.keys.value() == Some(Fate::Give)
    }

    /// Who may own keys, and why the others may not.
    fn heirs(&self, look: &Look) -> Vec<PickItem<OperatorId>> {
        look.view(|view| {
            let others = view.operators().into_iter().filter(|operator| operator.id != self.person.id);
            let items = others.map(|operator| PickItem {
                key: operator.id,
                text: operator.name.to_string(),
                hint: operator.role.to_string(),
                disabled: match (operator.standing.is_active(), operator.role >= Role::Manager) {
                    (false, _) => Some("disabled".into()),
                    (_, false) => Some("a viewer owns no keys".into()),
                    _ => None,
                },
            });
            items.collect()
        })
    }
}

impl Asking for Disable {
    fn manner(&self) -> Manner {
        let does = if self.person.active { "Disable" } else { "Decide" };
        Manner { does, doing: "ending the access", ..Manner::dangerous("operator-disable") }
    }

    fn fields(&mut self) -> Pages<'_> {
        if self.gives() {
            vec![vec![&mut self.keys, &mut self.heir, &mut self.typed]]
        } else {
            vec![vec![&mut self.keys, &mut self.typed]]
        }
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        let Person { name, active, live, keys_work, .. } = &self.person;
        let keys = match live {
            Some(count) if *count > 1 => format!("Their {count} live keys"),
            _ => "Their live keys".to_owned(),
        };
        let keys = match (self.keys.value(), self.heir.value()) {
            _ if *live == Some(0) => "They own no live key.".to_owned(),
            (Some(Fate::Stop), _) => {
                format!("{keys} are refused until they are enabled again or the keys given away.")
            }
            (Some(Fate::Give), Some(_)) => {
                let again = if *keys_work { "work" } else { "work again, but for paused ones" };
                format!("{keys} belong to {} from then on, and {again}.", self.heir.words)
            }
            (Some(Fate::Give | Fate::Work), _) if !keys_work => {
                format!("{keys} work again, but for paused ones.")
            }
            (Some(Fate::Give), None) => format!("{keys} change owner."),
            (Some(Fate::Work) | None, _) => format!("{keys} go on working."),
        };
        let (title, access) = match active {
            true => (format!("Disable {name}?"), "may not sign in any more."),
            false => (format!("Keys of {name}"), "is disabled."),
        };
        Face { title, intro: format!("{name} {access} {keys}"), ..Face::default() }
    }

    fn check(&mut self, look: &Look, told: Told) -> Option<String> {
        let heirs = self.heirs(look);
        self.heir.offer(|| heirs);
        let name = &self.person.name;
        let missing = self.heir.value().is_none().then(|| "say who gets them".to_owned());
        self.heir.error = missing.filter(|_| told == Told::Whole && self.gives());
        let slip = self.typed.text() != name;
        self.typed.error =
            (slip && told == Told::Whole).then(|| format!("Type {name} exactly, so that it is no slip"));
        None
    }

    fn submit(&mut self, _: &Look) -> Result<Job, String> {
        let keys = match (self.keys.value(), self.heir.value()) {
            (Some(Fate::Give), Some(heir)) => KeysAfter::GiveTo(*heir),
            (Some(Fate::Give), None) => return Err("say who gets the keys".to_owned()),
            (Some(Fate::Stop) | None, _) => KeysAfter::Stop,
            (Some(Fate::Work), _) => KeysAfter::Work,
        };
        let said = format!("{} may not sign in any more", self.person.name);
        Ok(Job::Run { command: Command::DisableOperator { operator: self.person.id, keys }, said })
    }
}
