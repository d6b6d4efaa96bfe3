//! Signing a review off: what was looked at, and of the marked keys why they are kept.

use crate::domain::name::BadText;
use crate::domain::review::{Keep, Kept, Looked};
use crate::domain::{Command, KeyId, Note, Refusal};
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::form::{Asking, Face, Form, Manner, Pages, Spot, Told};
use crate::tui::widgets::field::TextField;

pub struct SignOff {
    listed: usize,
    looked: Vec<Looked>,
    kept: Vec<KeyId>,
    why: TextField,
    note: TextField,
}

/// The form: so many keys and apps are listed, this is said of them, and these are kept.
pub fn new(listed: usize, looked: Vec<Looked>, kept: Vec<KeyId>) -> Form<SignOff> {
    let why = TextField::new("Keep because").placeholder("such as: runs once a year, for the auditors");
    let note = TextField::new("Note").placeholder("for whoever reviews next");
    Form::blank(SignOff { listed, looked, kept, why, note })
}

impl SignOff {
    fn command(&self) -> Result<Command, String> {
        let text = |field: &TextField| Note::new(field.text()).map_err(|why| why.to_string());
        let (why, note) = (text(&self.why)?, text(&self.note)?);
        let kept = self.kept.iter().map(|key| Keep { key: *key, why: why.clone() }).collect();
        if !self.kept.is_empty() && why.as_str().is_empty() {
            return Err(Refusal::BadText { field: "why", why: BadText::NoReason }.to_string());
        }
        // What else there is to say against it takes a look at all keys: that comes with the answer.
        Ok(Command::SignReview { looked: self.looked.clone(), kept, note })
    }
}

impl Asking for SignOff {
    fn manner(&self) -> Manner {
        Manner { does: "Sign off", doing: "signing the review off", labels: 13, ..Manner::small("sign-off") }
    }

    fn fields(&mut self) -> Pages<'_> {
        if self.kept.is_empty() {
            vec![vec![&mut self.note]]
        } else {
            vec![vec![&mut self.why, &mut self.note]]
        }
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        let said = self.looked.iter().map(|one| format!("{} {}", one.count, one.code.replace('_', " ")));
        let said = said.collect::<Vec<_>>().join(", ");
        let kept = match self.kept.len() {
            0 => "Mark the keys that are to be kept first; none is marked.".to_owned(),
            1 => format!("The marked key is kept: quiet for {} days, unless more is said of it.", Kept::DAYS),
            many => {
                format!(
                    "The {many} marked keys are kept: quiet for {} days, unless more is said of them.",
                    Kept::DAYS
                )
            }
        };
        Face {
            title: "Sign the review off".to_owned(),
            intro: format!("{} keys and apps are listed: {said}. {kept}", self.listed),
            ..Face::default()
        }
    }

    fn check(&mut self, _: &Look, told: Told) -> Option<String> {
        let field = if self.kept.is_empty() { &self.note } else { &self.why };
        let error = self.command().err().filter(|_| told == Told::Whole || !field.is_empty());
        if self.kept.is_empty() {
            self.note.error = error;
        } else {
            self.why.error = error;
        }
        None
    }

    fn submit(&mut self, _: &Look) -> Result<Job, String> {
        let said = match self.kept.len() {
            0 => "the review is signed off".to_owned(),
            kept => format!("the review is signed off, {kept} kept"),
        };
        Ok(Job::Run { command: self.command()?, said })
    }
}
