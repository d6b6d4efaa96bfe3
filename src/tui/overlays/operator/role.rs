//! Changing what an operator may do.

use super::Person;
use super::add::ROLES;
use crate::domain::basis::Basis;
use crate::domain::{Command, Role};
use crate::tui::action::Danger;
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::overlays::meanwhile::{Choice, Moved};
use crate::tui::overlays::question::{Asking, Question};
use crate::tui::overlays::small_form::{Part, SmallForm};
use crate::tui::widgets::choice::Radio;

/// Its name among the overlays.
pub const NAME: &str = "operator-role";

/// Whose role.
pub struct SetRole {
    person: Person,
}

/// The form.
pub fn new(person: Person, look: &Look) -> Question<SetRole> {
    let mut roles = Radio::new("Role", ROLES);
    if let Some(now) = Role::ALL.iter().position(|role| *role == person.role) {
        roles.choose(&now);
    }
    let title = format!("Role of {}", person.name);
    let form = SmallForm::new(title, "", vec![Part::Choice(roles)], "Change", Danger::Safe);
    Question::new(form, SetRole { person }, look)
}

impl Asking for SetRole {
    fn name(&self) -> &'static str {
        NAME
    }

    fn doing(&self) -> &'static str {
        "changing the role"
    }

    fn changed(&mut self, form: &mut SmallForm, _: &Look) {
        let chosen = form.chosen(0).and_then(|at| Role::ALL.get(at)).copied();
        form.set_intro(match chosen {
            Some(role) if role == self.person.role => format!("{} is {role}.", self.person.name),
            Some(Role::Viewer) => {
                format!("{} will issue nothing any more. The keys they have go on working.", self.person.name)
            }
            Some(role) if role < self.person.role && self.person.oneself => {
                format!("You will be {role}, and only another admin can undo that.")
            }
            Some(role) => format!("{} will be {role} from the next thing they do.", self.person.name),
            None => String::new(),
        });
    }

    fn what(&self) -> String {
        format!("the role of {}", self.person.name)
    }

    fn moved(&self, form: &SmallForm, look: &Look) -> Option<Moved> {
        let now = Person::of(self.person.id, look)?.role;
        let mine = form.chosen(0).and_then(|at| Role::ALL.get(at))?;
        Moved::of("role", self.person.role.as_str(), now.as_str(), mine.as_str())
    }

    fn rebase(&mut self, form: &mut SmallForm, now: &str, choice: Choice) {
        let Some(at) = Role::ALL.iter().position(|role| role.as_str() == now) else { return };
        self.person.role = Role::ALL.get(at).copied().unwrap_or(self.person.role);
        if choice == Choice::Theirs {
            form.choose(0, at);
        }
    }

    fn submit(&mut self, form: &mut SmallForm, _: &Look) -> Option<Job> {
        let role = Role::ALL.get(form.chosen(0)?).copied()?;
        let said = format!("{} is {role} now", self.person.name);
        let basis = Some(Basis::of_role(self.person.id, self.person.role));
        Some(Job::Run { command: Command::SetRole { operator: self.person.id, role, basis }, said })
    }
}
