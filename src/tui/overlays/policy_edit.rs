//! Changing one rule of the policy: the value, what it takes, and at every key whether it is one.

use crate::domain::basis::Basis;
use crate::domain::blast::many::Struck;
use crate::domain::policy::Rule;
use crate::domain::preview::{Touched, is_about_keys, touched};
use crate::domain::{Command, Grounds, Policy, State, Timestamp, View};
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::form::meanwhile::{Choice, Moved};
use crate::tui::form::{Asking, Face, Form, Manner, Own, Pages, Spot, Told};
use crate::tui::theme::Role;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::text;

pub struct PolicyEdit {
    rule: &'static Rule,
    /// Its value when the form was filled.
    before: String,
    value: TextField,
    /// What a change to it would touch, in sentences.
    touches: Vec<String>,
}

/// Keys a change is held against at every key press; of larger stores the command line tells.
const LOOKED_THROUGH: usize = 2_000;

fn touches(after: &Policy, look: &Look) -> Vec<String> {
    let is_about_keys = look.state(|state| is_about_keys(state.policy(), after));
    let elsewhere = look.state(State::keys_elsewhere);
    let unseen = (is_about_keys && elsewhere > 0).then(|| {
        format!("Keys of others were not looked at: {elsewhere}. `keydeck policy set --dry-run --all` tells of all.")
    });
    if look.state(State::key_count) > LOOKED_THROUGH {
        let many =
            "There are too many keys to look at here: `keydeck policy set --dry-run` tells which it touches.";
        return is_about_keys.then(|| many.to_owned()).into_iter().chain(unseen).collect();
    }
    let now = look.engine.now();
    let grounds = Grounds::of(now.time, now.suspect, look.engine.condition().complete_since);
    look.view(|view| {
        let told = touched(*view, after, grounds);
        let said = |one: &Touched<'_>| match struck(*view, one, now.time) {
            Some(struck) => format!("{}: {}.", one.in_words(), struck.use_in_words()),
            None => format!("{}.", one.in_words()),
        };
        told.iter().map(said).chain(unseen).collect()
    })
}

/// How those are used that it would end, or sooner than now.
fn struck(view: View<'_>, one: &Touched<'_>, now: Timestamp) -> Option<Struck> {
    (one.ends() && !one.keys.is_empty())
        .then(|| Struck::of(view, one.keys.iter().filter_map(|id| view.key(*id)), [], now))
}

/// What a rule is called on a screen: `Keys per operator`.
pub fn spoken(rule: &str) -> &str {
    Policy::RULES.iter().find(|known| known.name == rule).map_or(rule, |known| known.title)
}

/// The form for `rule`; `None` when there is no such rule.
pub fn new(rule: &str, look: &Look) -> Option<Form<PolicyEdit>> {
    let rule = Policy::RULES.iter().find(|known| known.name == rule)?;
    let before = look.state(|state| state.policy().get(rule.name)).unwrap_or_default();
    let value = TextField::new("Value").filled(&before).note(format!("takes {}", rule.form));
    Some(Form::new(PolicyEdit { rule, before, value, touches: Vec::new() }, look))
}

impl Asking for PolicyEdit {
    fn manner(&self) -> Manner {
        Manner { doing: "changing the policy", ..Manner::small("policy-edit") }
    }

    fn fields(&mut self) -> Pages<'_> {
        vec![vec![&mut self.value]]
    }

    fn face(&self, _: &Look, spot: Spot) -> Face {
        let lines = self.touches.iter().flat_map(|said| text::wrap(said, spot.cells));
        let lines = lines.map(|line| (Role::Warn, line)).collect();
        Face {
            title: self.rule.title.to_owned(),
            intro: self.rule.about.to_owned(),
            lines,
            ..Face::default()
        }
    }

    fn check(&mut self, look: &Look, _: Told) -> Option<String> {
        let judged = look.state(|state| state.policy().with(self.rule.name, self.value.text()));
        self.touches = judged.as_ref().map(|after| touches(after, look)).unwrap_or_default();
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
