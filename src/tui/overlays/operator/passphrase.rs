//! Setting a passphrase: one's own, as an admin anybody's, or the new one of somebody who may sign in again.

use super::{Person, guide, judge, passphrase_parts};
use crate::domain::OperatorId;
use crate::tui::action::Danger;
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::overlay::Secrecy;
use crate::tui::overlays::question::{Asking, Question};
use crate::tui::overlays::small_form::SmallForm;

/// Its name among the overlays when a passphrase is set.
pub const SET: &str = "operator-passphrase";
/// Its name among the overlays when access is given again.
pub const ENABLE: &str = "operator-enable";

/// What the new passphrase is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    Active,
    Disabled,
}

/// Whose passphrase.
pub struct SetPassphrase {
    operator: OperatorId,
    what_for: For,
}

/// The form for somebody who may sign in.
pub fn set(person: &Person, look: &Look) -> Question<SetPassphrase> {
    let (title, why) = if person.oneself {
        (
            "Your new passphrase".to_owned(),
            "The old one, or your key file, opens nothing from then on.".to_owned(),
        )
    } else {
        let why = format!(
            "What {} signed in with until now opens nothing from then on. Tell them the new one.",
            person.name
        );
        (format!("New passphrase for {}", person.name), why)
    };
    form(title, why, "Set", SetPassphrase { operator: person.id, what_for: For::Active }, look)
}

/// The form for somebody who is disabled.
pub fn enable(person: &Person, look: &Look) -> Question<SetPassphrase> {
    let keys = if person.keys_work { "" } else { " Their keys work again, too." };
    let why = format!("{} may sign in again, with this passphrase.{keys}", person.name);
    let title = format!("Enable {}", person.name);
    form(title, why, "Enable", SetPassphrase { operator: person.id, what_for: For::Disabled }, look)
}

fn form(
    title: String,
    why: String,
    doing: &str,
    asks: SetPassphrase,
    look: &Look,
) -> Question<SetPassphrase> {
    let form = SmallForm::new(title, why, passphrase_parts().into(), doing, Danger::Safe);
    Question::new(form, asks, look)
}

impl Asking for SetPassphrase {
    fn name(&self) -> &'static str {
        match self.what_for {
            For::Active => SET,
            For::Disabled => ENABLE,
        }
    }

    fn doing(&self) -> &'static str {
        "making a slot for the passphrase"
    }

    fn changed(&mut self, form: &mut SmallForm, _: &Look) {
        guide(form, 0);
    }

    fn submit(&mut self, form: &mut SmallForm, _: &Look) -> Option<Job> {
        if !judge(form, 0) {
            return None;
        }
        let passphrase = form.field(0)?.take_secret();
        form.field(1)?.clear();
        Some(match self.what_for {
            For::Active => Job::SetPassphrase { operator: self.operator, passphrase },
            For::Disabled => Job::Enable { operator: self.operator, passphrase },
        })
    }

    fn secrecy(&self) -> Secrecy {
        Secrecy::Secret
    }
}
