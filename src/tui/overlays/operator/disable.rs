//! Ending an operator's access. What becomes of their keys is an explicit choice, with a list of who may get them; the
//! name must be typed.

use super::{Person, heirs};
use crate::domain::blast::many::Struck;
use crate::domain::{Command, KeysAfter, OperatorId};
use crate::tui::app::ask::{Answer, Job};
use crate::tui::app::look::Look;
use crate::tui::form::choice::Radio;
use crate::tui::form::drop_down::DropDown;
use crate::tui::form::{Asking, Face, Form, Manner, Pages, Spot, Told};
use crate::tui::overlays::guard::Guard;
use crate::tui::sight::seen::{Seen, seen};
use crate::tui::theme::Role;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::text::sentence;

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
    /// What works and would stop with them.
    struck: Struck,
    guard: Guard,
}

impl Disable {
    /// Asks what becomes of the keys of `person`, who may still sign in or left before.
    pub fn new(person: Person, look: &Look) -> Form<Self> {
        let struck = seen(look, |seen| Struck::of_operator(seen.view, person.id, seen.now()));
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
            guard: Guard::new(struck.all.clone(), &person.name),
            struck,
            person,
        })
    }

    /// How what stops is used.
    fn used(&self, seen: &Seen<'_>) -> Vec<(Role, String)> {
        if self.struck.told() == 0 && self.struck.others == 0 {
            return Vec::new();
        }
        let used = (Role::Text, format!("{}.", sentence(&self.struck.use_in_words())));
        [used].into_iter().chain(self.guard.of_many(&self.struck, seen)).collect()
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

    fn face(&self, look: &Look, _: Spot) -> Face {
        let Person { name, active, live, keys_work, id, .. } = &self.person;
        let locked = seen(look, |seen| seen.view.locked_down_of(*id, seen.now()));
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
        let locked = match locked {
            0 => String::new(),
            1 => " But 1 of them is locked down as well: refused until that is lifted.".to_owned(),
            n => format!(" But {n} of them are locked down as well: refused until that is lifted."),
        };
        let stops = self.keys.value() == Some(Fate::Stop);
        let lines = if stops { seen(look, |seen| self.used(seen)) } else { Vec::new() };
        Face { title, intro: format!("{name} {access} {keys}{locked}"), lines, ..Face::default() }
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

    fn wonders(&self) -> Option<Job> {
        self.guard.wonders()
    }

    fn learns(&mut self, answer: Answer, _: &Look) {
        self.guard.learns(answer);
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
