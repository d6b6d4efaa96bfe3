//! The red part of a form that takes something away: who uses what goes, and the name that is typed where somebody uses it at
//! this moment.

use crate::domain::Bearer;
use crate::domain::blast::many::{Busy, Struck};
use crate::domain::blast::{Blast, Day};
use crate::tui::app::ask::{Answer, Job};
use crate::tui::form::Told;
use crate::tui::sight::radius;
use crate::tui::sight::seen::Seen;
use crate::tui::theme::Role;
use crate::tui::widgets::field::TextField;

/// See the module.
pub struct Guard {
    about: Vec<Bearer>,
    busy: Option<Busy>,
    word: String,
    typed: TextField,
    /// Whether the name is wanted.
    wants: bool,
}

impl Guard {
    /// Of these, whose name is `word`.
    pub fn new(about: Vec<Bearer>, word: &str) -> Self {
        let typed = TextField::new("Type its name").placeholder(format!("it is in use now: type {word}"));
        Self { about, busy: None, word: word.to_owned(), typed, wants: false }
    }

    /// What is to be read of it.
    pub fn wonders(&self) -> Option<Job> {
        (!self.about.is_empty()).then(|| Job::Busy(self.about.clone()))
    }

    /// It was read.
    pub fn learns(&mut self, answer: Answer) {
        if let Answer::Busy(busy) = answer {
            self.busy = Some(*busy);
        }
    }

    /// Requests of the last 24 hours, once that was read.
    pub fn day(&self) -> Option<Day> {
        self.busy.as_ref().map(Busy::day)
    }

    /// Wants the name while what goes is in use and somebody needed it.
    pub fn heed(&mut self, wants: bool, told: Told) {
        self.wants = wants;
        let slip = wants && told == Told::Whole && self.typed.text().trim() != self.word;
        self.typed.error = slip.then(|| format!("type {} exactly as it stands there", self.word));
    }

    /// The field for it, while it is wanted.
    pub fn field(&mut self) -> Option<&mut TextField> {
        self.wants.then_some(&mut self.typed)
    }

    /// What is said of one that loses something.
    pub fn of_one(&self, blast: Blast, seen: &Seen<'_>) -> Vec<(Role, String)> {
        let blast = Blast { day: self.day(), ..blast };
        lines(radius::lines(&blast, seen.now(), |at| seen.times.relative(at)))
    }

    /// What is said of many that stop.
    pub fn of_many(&self, struck: &Struck, seen: &Seen<'_>) -> Vec<(Role, String)> {
        if struck.all.is_empty() {
            return Vec::new();
        }
        lines(radius::summary(struck, self.busy.as_ref(), (seen.view, seen.now())))
    }
}

fn lines(told: Vec<(&'static str, String)>) -> Vec<(Role, String)> {
    let line = |(label, said): (&str, String)| {
        let role = if label == radius::IN_USE { Role::Warn } else { Role::Text };
        (role, format!("{label:<12}{said}"))
    };
    told.into_iter().map(line).collect()
}
