//! Renaming a location. Its keys and their tokens stay as they are.

use super::meanwhile::{Choice, Moved};
use super::question::{Asking, Question};
use super::small_form::{Part, SmallForm};
use crate::domain::basis::Basis;
use crate::domain::{Command, Location, LocationId, Name};
use crate::tui::action::Danger;
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::sight::deeds;
use crate::tui::sight::seen::seen;
use crate::tui::widgets::field::TextField;

/// Which location gets another name.
pub struct Rename {
    /// As it was when the form was filled.
    before: Location,
}

/// The form for a location one sees.
pub fn new(location: LocationId, look: &Look) -> Option<Question<Rename>> {
    let before = look.view(|view| view.location(location).cloned())?;
    let field = TextField::new("Name").filled(before.name.as_str()).note("its keys go on working");
    let title = format!("Rename {}", before.name);
    let form = SmallForm::new(title, "", vec![Part::Text(field)], "Rename", Danger::Safe);
    Some(Question::new(form, Rename { before }, look))
}

impl Rename {
    fn command(&self, form: &SmallForm, look: &Look) -> Result<Job, String> {
        let name = Name::new(form.text(0)).map_err(|why| why.to_string())?;
        let said = format!("{} is now called {name}", self.before.name);
        let basis = Some(Basis::of_location(&self.before));
        let command = Command::RenameLocation { location: self.before.id, name, basis };
        match seen(look, |seen| deeds::objection(&command, seen, look.engine.catalog())) {
            Some(refusal) => Err(refusal.to_string()),
            None => Ok(Job::Run { command, said }),
        }
    }
}

impl Asking for Rename {
    fn name(&self) -> &'static str {
        "location-rename"
    }

    fn doing(&self) -> &'static str {
        "renaming the location"
    }

    fn what(&self) -> String {
        format!("the location {}", self.before.name)
    }

    fn moved(&self, form: &SmallForm, look: &Look) -> Option<Moved> {
        let now = look.view(|view| view.location(self.before.id).map(|location| location.name.clone()))?;
        Moved::of("name", self.before.name.as_str(), now.as_str(), form.text(0).trim())
    }

    fn rebase(&mut self, form: &mut SmallForm, now: &str, choice: Choice) {
        if let Ok(name) = Name::new(now) {
            self.before.name = name;
        }
        if choice == Choice::Theirs {
            form.fill(0, now);
        }
    }

    fn submit(&mut self, form: &mut SmallForm, look: &Look) -> Option<Job> {
        self.command(form, look).map_err(|why| form.wrong(0, why)).ok()
    }
}
