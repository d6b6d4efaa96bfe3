//! Protecting a key: it is never deleted for want of use, and whoever wonders in a year finds why.

use crate::domain::{Command, KeyId, Note};
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::form::{Asking, Face, Form, Manner, Pages, Spot, Told};
use crate::tui::sight::deeds;
use crate::tui::sight::seen::seen;
use crate::tui::widgets::field::TextField;

pub struct Protect {
    key: KeyId,
    name: String,
    why: TextField,
}

/// The form for a key the operator sees.
pub fn new(look: &Look, key: KeyId) -> Option<Form<Protect>> {
    let name = look.view(|view| view.key(key).map(|key| key.name.to_string()))?;
    let why = TextField::new("Why").placeholder("such as: runs once a year, for the auditors");
    Some(Form::new(Protect { key, name, why }, look))
}

impl Protect {
    fn command(&self, look: &Look) -> Result<Command, String> {
        let why = Note::new(self.why.text()).map_err(|why| why.to_string())?;
        let command = Command::ProtectKey { key: self.key, why };
        match seen(look, |seen| deeds::objection(&command, seen)) {
            Some(refusal) => Err(refusal.to_string()),
            None => Ok(command),
        }
    }
}

impl Asking for Protect {
    fn manner(&self) -> Manner {
        Manner { does: "Protect", doing: "protecting the key", labels: 6, ..Manner::small("protect") }
    }

    fn fields(&mut self) -> Pages<'_> {
        vec![vec![&mut self.why]]
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        Face {
            title: format!("Protect {}", self.name),
            intro: "It is never deleted for want of use, until somebody ends that. It still ends at its end."
                .to_owned(),
            ..Face::default()
        }
    }

    fn check(&mut self, look: &Look, told: Told) -> Option<String> {
        self.why.error = self.command(look).err().filter(|_| told == Told::Whole);
        None
    }

    fn submit(&mut self, look: &Look) -> Result<Job, String> {
        let said = format!("{} is protected: it is never deleted for want of use", self.name);
        Ok(Job::Run { command: self.command(look)?, said })
    }
}
