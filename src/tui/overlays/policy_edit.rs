//! Changing one rule of the policy: the value, what it takes, and at every key whether it is one.

use super::meanwhile::{Choice, Moved};
use super::question::{Asking, Question};
use super::small_form::{Part, SmallForm, sentence};
use crate::domain::basis::Basis;
use crate::domain::{Command, Policy};
use crate::tui::action::Danger;
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::widgets::field::TextField;

/// Its name among the overlays.
pub const NAME: &str = "policy-edit";

/// Which rule is changed.
pub struct PolicyEdit {
    rule: &'static str,
    form: &'static str,
    /// Its value when the form was filled.
    before: String,
}

/// A rule's name as a person would say it: `Keys per operator`.
pub fn spoken(rule: &str) -> String {
    sentence(&rule.replace('-', " "))
}

/// The form for `rule`; `None` when there is no such rule.
pub fn new(rule: &'static str, look: &Look) -> Option<Question<PolicyEdit>> {
    let known = Policy::RULES.iter().find(|known| known.name == rule)?;
    let value = look.state(|state| state.policy().get(rule)).unwrap_or_default();
    let field = TextField::new("Value").filled(&value).note(known.form);
    let form = SmallForm::new(spoken(rule), known.about, vec![Part::Text(field)], "Change", Danger::Safe);
    Some(Question::new(form, PolicyEdit { rule, form: known.form, before: value }, look))
}

impl PolicyEdit {
    fn judge(&self, form: &mut SmallForm, look: &Look) -> bool {
        let judged = look.state(|state| state.policy().with(self.rule, form.text(0)));
        if let Some(field) = form.field(0) {
            field.note = format!("takes {}", self.form);
            field.error = judged.is_err().then(|| format!("takes {}", self.form));
        }
        judged.is_ok()
    }
}

impl Asking for PolicyEdit {
    fn name(&self) -> &'static str {
        NAME
    }

    fn doing(&self) -> &'static str {
        "changing the policy"
    }

    fn changed(&mut self, form: &mut SmallForm, look: &Look) {
        self.judge(form, look);
    }

    fn what(&self) -> String {
        format!("the rule {}", self.rule)
    }

    fn moved(&self, form: &SmallForm, look: &Look) -> Option<Moved> {
        let now = look.state(|state| state.policy().get(self.rule))?;
        Moved::of("value", &self.before, &now, form.text(0).trim())
    }

    fn rebase(&mut self, form: &mut SmallForm, now: &str, choice: Choice) {
        now.clone_into(&mut self.before);
        if choice == Choice::Theirs {
            form.fill(0, now);
        }
    }

    fn submit(&mut self, form: &mut SmallForm, look: &Look) -> Option<Job> {
        if !self.judge(form, look) {
            return None;
        }
        let value = form.text(0).trim().to_owned();
        let said = format!("{} is {value} now", spoken(self.rule));
        let basis = Some(Basis::of_rule(self.rule, &self.before));
        Some(Job::Run { command: Command::SetPolicy { name: self.rule.into(), value, basis }, said })
    }
}
