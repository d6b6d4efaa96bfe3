//! The first start: the agency's name, the first operator's name, a passphrase twice.

use std::path::Path;

use super::{Gate, Want};
use crate::domain::Name;
use crate::engine::open::Options;
use crate::tui::app::entry::Entry;
use crate::tui::clock::Moment;
use crate::tui::form::body::Body;
use crate::tui::form::field::Field;
use crate::tui::form::passphrase::NewPassphrase;
use crate::tui::form::{Face, Manner, Pages, Told};
use crate::tui::theme::Glyphs;
use crate::tui::widgets::field::TextField;

/// The form of the first start.
pub struct FoundForm {
    pub(super) body: Body,
    dir: String,
    agency: TextField,
    operator: TextField,
    passphrase: NewPassphrase,
}

/// A name, or what is wrong with it: nothing while it is empty and nobody wanted it.
fn named(field: &mut TextField, missing: &str, told: Told) -> Option<Name> {
    let empty = field.text().trim().is_empty();
    let name = Name::new(field.text());
    field.error = match &name {
        Err(_) if empty => (told == Told::Whole).then(|| missing.to_owned()),
        Err(why) => Some(why.to_string()),
        Ok(_) => None,
    };
    name.ok()
}

impl FoundForm {
    pub fn new(dir: &Path, operator: Option<&str>) -> Self {
        let mut agency = TextField::new("Agency")
            .placeholder("Acme Agency")
            .note("the organisation whose API keys these are");
        let mut operator = TextField::new("Your name")
            .placeholder("maria")
            .filled(operator.unwrap_or_default())
            .note("you sign in with it; you are the first operator, and an admin");
        let mut passphrase = NewPassphrase::new();
        passphrase.check(Told::AsTyped, &[]);
        let manner = Manner {
            leaves: "",
            leaving: "",
            does: "Create the store",
            doing: "creating the store",
            width: super::WIDTH,
            ..Manner::secret("found")
        };
        let [first, again] = passphrase.fields();
        let mut sheet = vec![vec![&mut agency as &mut dyn Field, &mut operator, first, again]].into();
        let body = Body::new(manner, &mut sheet);
        Self { body, dir: dir.display().to_string(), agency, operator, passphrase }
    }
}

impl Gate for FoundForm {
    fn parts(&mut self) -> (&mut Body, Pages<'_>) {
        let [first, again] = self.passphrase.fields();
        (&mut self.body, vec![vec![&mut self.agency, &mut self.operator, first, again]])
    }

    fn check(&mut self, told: Told) {
        named(&mut self.agency, "The agency's name is missing.", told);
        named(&mut self.operator, "Your name is missing.", told);
        self.passphrase.check(told, &[self.agency.text().trim(), self.operator.text().trim()]);
    }

    fn submit(&mut self, options: &Options, _: Moment) -> Want {
        let (agency, operator) = (Name::new(self.agency.text()), Name::new(self.operator.text()));
        let (Ok(agency), Ok(operator)) = (agency, operator) else { return Want::Nothing };
        let passphrase = self.passphrase.copy();
        Want::Try(Entry::Found { options: Box::new(options.clone()), agency, operator, passphrase })
    }

    fn face(&self, _: &Glyphs, _: Moment) -> Face {
        let intro = format!("No store is in {} yet. This makes one.", self.dir);
        Face { title: "Welcome to keydeck".into(), intro, ..Face::default() }
    }
}
