//! Setting a passphrase: one's own, as an admin anybody's, or the new one of somebody who may sign in again.

use super::Person;
use crate::domain::Command;
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::form::passphrase::NewPassphrase;
use crate::tui::form::{Asking, Face, Form, Manner, Pages, Spot, Told};

/// Whose passphrase. Whoever is disabled may sign in again with it.
pub struct SetPassphrase {
    person: Person,
    passphrase: NewPassphrase,
}

pub fn new(person: Person, look: &Look) -> Form<SetPassphrase> {
    Form::new(SetPassphrase { person, passphrase: NewPassphrase::new() }, look)
}

impl Asking for SetPassphrase {
    fn manner(&self) -> Manner {
        let (name, does) =
            if self.person.active { ("operator-passphrase", "Set") } else { ("operator-enable", "Enable") };
        Manner { does, doing: "making a slot for the passphrase", ..Manner::secret(name) }
    }

    fn fields(&mut self) -> Pages<'_> {
        vec![self.passphrase.fields().into()]
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        let Person { name, active, oneself, keys_work, .. } = &self.person;
        let (title, intro) = match (active, oneself) {
            (false, _) => {
                let keys = if *keys_work { "" } else { " Their keys work again, too." };
                (format!("Enable {name}"), format!("{name} may sign in again, with this passphrase.{keys}"))
            }
            (true, true) => (
                "Your new passphrase".to_owned(),
                "The old one, or your key file, opens nothing from then on.".to_owned(),
            ),
            (true, false) => (
                format!("New passphrase for {name}"),
                format!(
                    "What {name} signed in with until now opens nothing from then on. Tell them the new one."
                ),
            ),
        };
        Face { title, intro, ..Face::default() }
    }

    fn check(&mut self, _: &Look, told: Told) -> Option<String> {
        self.passphrase.check(told, &[&self.person.name]);
        None
    }

    fn submit(&mut self, _: &Look) -> Result<Job, String> {
        let Person { id, name, active, .. } = &self.person;
        let (command, said) = if *active {
            (Command::SetSecret(*id), format!("The passphrase of {name} is set"))
        } else {
            (Command::EnableOperator(*id), format!("{name} may sign in again"))
        };
        Ok(Job::LetIn { command, passphrase: self.passphrase.take(), said })
    }
}
