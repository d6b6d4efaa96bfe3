//! Adding an operator: name, role, passphrase twice.

use super::role::ROLES;
use crate::domain::{Command, Name, Role};
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::form::choice::Radio;
use crate::tui::form::passphrase::NewPassphrase;
use crate::tui::form::{Asking, Face, Form, Manner, Pages, Spot, Told};
use crate::tui::widgets::field::TextField;

pub struct Add {
    name: TextField,
    role: Radio<Role>,
    passphrase: NewPassphrase,
}

pub fn new(look: &Look) -> Form<Add> {
    let name = TextField::new("Name")
        .placeholder("sam")
        .note("what they sign in with; never given to somebody else");
    let role = Radio::new("Role", ROLES).choosing(&Role::Manager);
    Form::new(Add { name, role, passphrase: NewPassphrase::new() }, look)
}

impl Asking for Add {
    fn manner(&self) -> Manner {
        Manner { does: "Add", doing: "adding the operator", ..Manner::secret("operator-add") }
    }

    fn fields(&mut self) -> Pages<'_> {
        let [first, again] = self.passphrase.fields();
        vec![vec![&mut self.name, &mut self.role, first, again]]
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        Face { title: "Add an operator".into(), ..Face::default() }
    }

    fn check(&mut self, look: &Look, told: Told) -> Option<String> {
        let text = self.name.text().trim();
        let taken = look.state(|state| state.operator_named(text).is_some());
        let taken = taken.then(|| "that name is taken; names are never given twice".to_owned());
        let wrong = Name::new(text).err().map(|why| why.to_string()).or(taken);
        self.passphrase.check(told, &[text]);
        self.name.error = wrong.filter(|_| told == Told::Whole || !self.name.is_empty());
        None
    }

    fn submit(&mut self, _: &Look) -> Result<Job, String> {
        let name = Name::new(self.name.text()).map_err(|why| why.to_string())?;
        let role = self.role.value().unwrap_or(Role::Viewer);
        let said = format!("{name} may sign in as {role}");
        let command = Command::AddOperator { name, role };
        Ok(Job::LetIn { command, passphrase: self.passphrase.take(), said })
    }
}
