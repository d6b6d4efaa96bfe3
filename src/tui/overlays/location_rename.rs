//! Renaming a location. Its keys and their tokens stay as they are.

use crate::domain::basis::Basis;
use crate::domain::{Command, Location, LocationId, Name};
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::form::meanwhile::{Choice, Moved};
use crate::tui::form::{Asking, Face, Form, Manner, Own, Pages, Spot, Told};
use crate::tui::sight::deeds;
use crate::tui::sight::seen::seen;
use crate::tui::widgets::field::TextField;

/// Which location gets another name.
pub struct Rename {
    /// As it was when the form was filled.
    before: Location,
    name: TextField,
}

/// The form for a location one sees.
pub fn new(location: LocationId, look: &Look) -> Option<Form<Rename>> {
    let before = look.view(|view| view.location(location).cloned())?;
    let name = TextField::new("Name").filled(before.name.as_str()).note("its keys go on working");
    Some(Form::new(Rename { before, name }, look))
}

impl Rename {
    fn command(&self, look: &Look) -> Result<Command, String> {
        let name = Name::new(self.name.text()).map_err(|why| why.to_string())?;
        let basis = Some(Basis::of_location(&self.before));
        let command = Command::RenameLocation { location: self.before.id, name, basis };
        match seen(look, |seen| deeds::objection(&command, seen)) {
            Some(refusal) => Err(refusal.to_string()),
            None => Ok(command),
        }
    }
}

impl Asking for Rename {
    fn manner(&self) -> Manner {
        Manner { does: "Rename", doing: "renaming the location", ..Manner::small("location-rename") }
    }

    fn fields(&mut self) -> Pages<'_> {
        vec![vec![&mut self.name]]
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        Face { title: format!("Rename {}", self.before.name), ..Face::default() }
    }

    fn check(&mut self, look: &Look, told: Told) -> Option<String> {
        let wrong = self.command(look).err();
        self.name.error = wrong.filter(|_| told == Told::Whole);
        None
    }

    fn submit(&mut self, look: &Look) -> Result<Job, String> {
        let command = self.command(look)?;
        let said = format!("{} is now called {}", self.before.name, self.name.text().trim());
        Ok(Job::Run { command, said })
    }

    fn what(&self) -> String {
        format!("the location {}", self.before.name)
    }

    fn moved(&mut self, look: &Look) -> Vec<Moved> {
        let now = look.view(|view| view.location(self.before.id).map(|location| location.name.clone()));
        let moved = now.and_then(|now| {
            Moved::of("name", self.before.name.as_str(), now.as_str(), self.name.text().trim())
        });
        moved.into_iter().collect()
    }

    fn rebase(&mut self, choice: Choice, look: &Look) -> Own {
        if let Some(now) = look.view(|view| view.location(self.before.id).cloned()) {
            self.before = now;
        }
        if choice != Choice::Theirs {
            return Own::Left;
        }
        self.name.set(self.before.name.as_str());
        Own::Gone
    }
}
