//! Forms that wait behind a locked console for whoever was filling them in. They hold what was typed and nothing
//! that was locked away: no engine, no session, no secret. Whoever else signs in neither sees nor inherits them.

use super::look::Look;
use crate::domain::Role;
use crate::tui::action::{Action, Layer};
use crate::tui::overlay::Return;

/// What became of what was open when the console locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forms {
    /// Nothing was open that anything could be lost of.
    None,
    /// They wait for the operator.
    Wait,
    /// What was typed was secret, and is gone.
    Gone,
    /// A secret was on the screen that nobody said they stored.
    SecretGone,
}

/// What a form says that is about something its operator does not see: who sees the whole agency may see it again
/// once they look that far, and until then it waits.
pub fn out_of_sight(look: &Look, form: &str) -> Return {
    if look.is_whole() || look.role() != Role::Admin {
        return Return::Never(format!("what {form} was about is not there any more").into());
    }
    let key = look.keymap.label(Layer::Screen, Action::Whole).unwrap_or_default();
    Return::Later(format!("{form} waits until you see the whole agency again ({key})").into())
}
