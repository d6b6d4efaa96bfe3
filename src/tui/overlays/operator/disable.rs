//! Ending an operator's access. What becomes of their keys is an explicit choice, with a list of who may get them; the
//! name must be typed.

use super::{Person, heirs};
use crate::domain::{Command, KeysAfter, OperatorId};
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::form::choice::Radio;
use crate::tui::form::drop_down::DropDown;
use crate::tui::form::{Asking, Face, Form, Manner, Pages, Spot, Told};
use crate::tui::widgets::field::TextField;

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
        let (keys, one) = match live {
            1 => ("Their 1 live key".to_owned(), true),
            count => (format!("Their {count} live keys"), false),
        };
        let verb = |of_one: &'static str, of_many: &'static str| if one { of_one } else { of_many };
        let keys = match (self.keys.value(), self.heir.value()) {
            _ if *live == 0 => "They own no live key.".to_owned(),
            (Some(Fate::Stop), _) => format!(
                "{keys} {} working at once, until {name} is enabled again or {} to somebody.",
                verb("stops", "stop"),
                verb("it is given", "they are given")
            ),
            (Some(Fate::Give), Some(_)) => {
                let again = if *keys_work { "" } else { " again, but for paused ones" };
                let (belongs, work) = (verb("belongs", "belong"), verb("works", "work"));
                format!("{keys} {belongs} to {} from then on, and {work}{again}.", self.heir.words)
            }
            (Some(Fate::Give | Fate::Work), _) if !keys_work => {
                format!("{keys} {} again, but for paused ones.", verb("works", "work"))
            }
            (Some(Fate::Give), None) => {
                format!("{keys} {} owner and {}.", verb("changes", "change"), verb("works on", "work on"))
            }
            (Some(Fate::Work) | None, _) => format!("{keys} {} on working.", verb("goes", "go")),
        };
        let (title, access) = match active {
            true => (format!("Disable {name}?"), "may not sign in any more."),
            false => (format!("Keys of {name}"), "is disabled."),
        };
        Face { title, intro: format!("{name} {access} {keys}"), ..Face::default() }
    }

    fn check(&mut self, look: &Look, told: Told) -> Option<String> {
        let heirs = heirs(look, Some(self.person.id));
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
