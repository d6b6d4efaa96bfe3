//! Everything one can do about an operator: add, change the role, set the passphrase, end the access, give it again.
//!
//! Who may do what is the engine's to say; what is offered here only spares a refusal. Reasons are those of the
//! rules themselves.

pub mod add;
pub mod disable;
pub mod menu;
pub mod passphrase;
pub mod role;

use crate::domain::authorize::Action as Act;
use crate::domain::{OperatorId, Role};
use crate::tui::action::Reason;
use crate::tui::app::look::Look;
use crate::tui::widgets::picker::PickItem;

/// What the screen knows of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: OperatorId,
    pub name: String,
    pub role: Role,
    /// Whether they may sign in.
    pub active: bool,
    /// Whether their keys may work.
    pub keys_work: bool,
    /// How many of their keys live. A number is no look at somebody's keys.
    pub live: usize,
    /// Whether it is the one who looks.
    pub oneself: bool,
}

/// What can be done about an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Role,
    Passphrase,
    /// No access any more.
    Disable,
    /// Another end for the keys of somebody who left.
    Keys,
    Enable,
}

impl Verb {
    /// All, in the order of the menu.
    pub const ALL: [Self; 5] = [Self::Role, Self::Passphrase, Self::Disable, Self::Keys, Self::Enable];
}

/// Who may own keys besides somebody, and why the others may not.
pub fn heirs(look: &Look, but: Option<OperatorId>) -> Vec<PickItem<OperatorId>> {
    look.view(|view| {
        let others = view.operators().into_iter().filter(|operator| Some(operator.id) != but);
        let items = others.map(|operator| PickItem {
            key: operator.id,
            text: operator.name.to_string(),
            hint: operator.role.to_string(),
            disabled: match (operator.standing.is_active(), operator.role >= Role::Manager) {
                (false, _) => Some("disabled".into()),
                (_, false) => Some("a viewer owns no keys".into()),
                _ => None,
            },
        });
        items.collect()
    })
}

impl Person {
    /// The operator with that id, if the one who looks may see them.
    pub fn of(id: OperatorId, look: &Look) -> Option<Self> {
        let now = look.now();
        let live = look.state(|state| state.live_keys_of(id, now));
        look.view(|view| {
            let operator = view.operators().into_iter().find(|operator| operator.id == id)?;
            let oneself = id == view.actor().operator;
            Some(Self {
                id,
                name: operator.name.to_string(),
                role: operator.role,
                active: operator.standing.is_active(),
                keys_work: operator.standing.keys_work(),
                live,
                oneself,
            })
        })
    }

    /// Why a verb is not possible for them, in the words of the rules.
    pub fn allows(&self, verb: Verb, look: &Look) -> Result<(), Reason> {
        let act = match verb {
            Verb::Passphrase => Act::SetPassphrase(self.id),
            Verb::Role | Verb::Disable | Verb::Keys | Verb::Enable => Act::ManageOperators,
        };
        look.may_change()?;
        look.may(act)?;
        let last_admin = || {
            look.state(|state| {
                let admins = state.operators().filter(|o| o.role == Role::Admin && o.standing.is_active());
                self.role == Role::Admin && self.active && admins.count() == 1
            })
        };
        match verb {
            Verb::Role | Verb::Disable if last_admin() => {
                Err("they are the last active admin. Make somebody else an admin first.".into())
            }
            Verb::Passphrase | Verb::Disable if !self.active => {
                Err(format!("{} is disabled", self.name).into())
            }
            Verb::Enable | Verb::Keys if self.active => {
                Err(format!("{} may sign in already", self.name).into())
            }
            _ => Ok(()),
        }
    }
}
