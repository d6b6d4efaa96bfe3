//! Adding an operator: name, role, passphrase twice.

use super::{guide, judge, passphrase_parts};
use crate::domain::{Name, Role};
use crate::tui::action::Danger;
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::overlay::Secrecy;
use crate::tui::overlays::question::{Asking, Question};
use crate::tui::overlays::small_form::{Part, SmallForm};
use crate::tui::widgets::choice::Radio;
use crate::tui::widgets::field::TextField;

/// Its name among the overlays.
pub const NAME: &str = "operator-add";
/// Number of the first passphrase field.
const PASSPHRASE: usize = 2;

/// What the roles may do, the least first.
pub const ROLES: [(usize, &str, &str); 3] = [
    (0, "viewer", "sees, issues nothing"),
    (1, "manager", "issues and manages own keys"),
    (2, "admin", "manages operators, places, policy"),
];

/// The form's meaning.
pub struct Add;

/// The form.
pub fn new(look: &Look) -> Question<Add> {
    let mut roles = Radio::new("Role", ROLES);
    roles.choose(&1);
    let name = TextField::new("Name")
        .placeholder("sam")
        .note("what they sign in with; never given to somebody else");
    let mut parts = vec![Part::Text(name), Part::Choice(roles)];
    parts.extend(passphrase_parts());
    let form = SmallForm::new("Add an operator", "", parts, "Add", Danger::Safe);
    Question::new(form, Add, look)
}

impl Asking for Add {
    fn name(&self) -> &'static str {
        NAME
    }

    fn doing(&self) -> &'static str {
        "adding the operator"
    }

    fn changed(&mut self, form: &mut SmallForm, _: &Look) {
        guide(form, PASSPHRASE);
    }

    fn submit(&mut self, form: &mut SmallForm, look: &Look) -> Option<Job> {
        let name = match Name::new(form.text(0)) {
            Ok(name) => name,
            Err(why) => {
                form.wrong(0, why.to_string());
                return None;
            }
        };
        if look.state(|state| state.operator_named(name.as_str()).is_some()) {
            form.wrong(0, "that name is taken; names are never given twice");
            return None;
        }
        if !judge(form, PASSPHRASE) {
            return None;
        }
        let role = Role::ALL.get(form.chosen(1)?).copied()?;
        let passphrase = form.field(PASSPHRASE)?.take_secret();
        form.field(PASSPHRASE + 1)?.clear();
        Some(Job::AddOperator { name, role, passphrase })
    }

    fn secrecy(&self) -> Secrecy {
        Secrecy::Secret
    }
}
