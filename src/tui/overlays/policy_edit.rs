//! Changing one rule of the policy: the value, what it takes, and at every key whether it is one.

use crate::domain::basis::Basis;
use crate::domain::policy::Rule;
use crate::domain::{Command, Policy};
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::form::meanwhile::{Choice, Moved};
use crate::tui::form::{Asking, Face, Form, Manner, Own, Pages, Spot, Told};
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::text::sentence;

pub struct PolicyEdit {
    rule: &'static Rule,
    /// Its value when the form was filled.
    before: String,
    value: TextField,
}

/// A rule's name as a person would say it: `Keys per operator`.
pub fn spoken(rule: &str) -> String {
    sentence(&rule.replace('-', " "))
}

/// The form for `rule`; `None` when there is no such rule.
pub fn new(rule: &str, look: &Look) -> Option<Form<PolicyEdit>> {
    let rule = Policy::RULES.iter().find(|known| known.name == rule)?;
    let before = look.state(|state| state.policy().get(rule.name)).unwrap_or_default();
    let value = TextField::new("Value").filled(&before).note(format!("takes {}", rule.form));
    Some(Form::new(PolicyEdit { rule, before, value }, look))
}

impl Asking for PolicyEdit {
    fn manner(&self) -> Manner {
        Manner { doing: "changing the policy", ..Manner::small("policy-edit") }
    }

    fn fields(&mut self) -> Pages<'_> {
        vec![vec![&mut self.value]]
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        Face { title: spoken(self.rule.name), intro: self.rule.about.to_owned(), ..Face::default() }
    }

    fn check(&mut self, look: &Look, _: Told) -> Option<String> {
        let judged = look.state(|state| state.policy().with(self.rule.name, self.value.text()));
        self.value.error = judged.is_err().then(|| self.value.note.clone());
        None
    }

    fn submit(&mut self, _: &Look) -> Result<Job, String> {
        let (name, value) = (self.rule.name.to_owned(), self.value.text().trim().to_owned());
        let said = format!("{} is {value} now", spoken(&name));
        let basis = Some(Basis::of_rule(self.rule.name, &self.before));
        Ok(Job::Run { command: Command::SetPolicy { name, value, basis }, said })
    }

    fn what(&self) -> String {
        format!("the rule {}", self.rule.name)
    }

    fn moved(&mut self, look: &Look) -> Vec<Moved> {
        let now = look.state(|state| state.policy().get(self.rule.name));
        let moved = now.and_then(|now| Moved::of("value", &self.before, &now, self.value.text().trim()));
        moved.into_iter().collect()
    }

    fn rebase(&mut self, choice: Choice, look: &Look) -> Own {
        self.before = look.state(|state| state.policy().get(self.rule.name)).unwrap_or_default();
        if choice != Choice::Theirs {
            return Own::Left;
        }
        self.value.set(&self.before);
        Own::Gone
    }
}
