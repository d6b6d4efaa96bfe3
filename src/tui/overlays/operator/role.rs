//! Changing what an operator may do.

use super::Person;
use crate::domain::basis::Basis;
use crate::domain::{Command, Role};
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::form::choice::Radio;
use crate::tui::form::meanwhile::{Choice, Moved};
use crate::tui::form::{Asking, Face, Form, Manner, Own, Pages, Spot};

/// What the roles may do, the least first.
pub const ROLES: [(Role, &str, &str); 3] = [
    (Role::Viewer, "viewer", "sees, issues nothing"),
    (Role::Manager, "manager", "issues and manages own keys"),
    (Role::Admin, "admin", "manages operators, places, policy"),
];

pub struct SetRole {
    person: Person,
    role: Radio<Role>,
}

pub fn new(person: Person, look: &Look) -> Form<SetRole> {
    let role = Radio::new("Role", ROLES).choosing(&person.role);
    Form::new(SetRole { person, role }, look)
}

impl SetRole {
    fn chosen(&self) -> Role {
        self.role.value().unwrap_or(self.person.role)
    }
}

impl Asking for SetRole {
    fn manner(&self) -> Manner {
        Manner { doing: "changing the role", ..Manner::small("operator-role") }
    }

    fn fields(&mut self) -> Pages<'_> {
        vec![vec![&mut self.role]]
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        let (name, role) = (&self.person.name, self.chosen());
        let intro = match role {
            _ if role == self.person.role => format!("{name} is {role}."),
            Role::Viewer => format!("{name} will issue nothing any more. The keys they have go on working."),
            Role::Manager | Role::Admin if role < self.person.role && self.person.oneself => {
                format!("You will be {role}, and only another admin can undo that.")
            }
            Role::Manager | Role::Admin => format!("{name} will be {role} from the next thing they do."),
        };
        Face { title: format!("Role of {name}"), intro, ..Face::default() }
    }

    fn submit(&mut self, _: &Look) -> Result<Job, String> {
        let (operator, role) = (self.person.id, self.chosen());
        let said = format!("{} is {role} now", self.person.name);
        let basis = Some(Basis::of_role(operator, self.person.role));
        Ok(Job::Run { command: Command::SetRole { operator, role, basis }, said })
    }

    fn what(&self) -> String {
        format!("the role of {}", self.person.name)
    }

    fn moved(&mut self, look: &Look) -> Vec<Moved> {
        let now = Person::of(self.person.id, look);
        let (was, mine) = (self.person.role.as_str(), self.chosen());
        now.and_then(|now| Moved::of("role", was, now.role.as_str(), mine.as_str())).into_iter().collect()
    }

    fn rebase(&mut self, choice: Choice, look: &Look) -> Own {
        if let Some(now) = Person::of(self.person.id, look) {
            self.person = now;
        }
        if choice != Choice::Theirs {
            return Own::Left;
        }
        self.role.choose(&self.person.role);
        Own::Gone
    }
}
