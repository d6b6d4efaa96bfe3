//! Renewing the recovery code: one question, then the new code, shown once and until somebody says they stored it.

use super::{Accept, Awaited, Confirm};
use crate::tui::action::Danger;
use crate::tui::app::ask::Job;
use crate::tui::list::page::Line;
use crate::tui::overlays::secret::Secret;
use crate::tui::theme::Role;

const WHY: &str = "A new recovery code is made and shown once. The old one, wherever it is kept, opens nothing from then on.";

/// How the code is waited for.
const CODE: Awaited = Awaited {
    doing: "making a new code",
    held: "one moment: the new code is about to be shown",
    then: |answer, look| Secret::of(answer, Vec::new(), look),
};

/// Asks before the old code becomes worthless.
pub fn renew() -> Confirm {
    let accept = Accept::Awaited(Box::new(|| Job::RenewRecovery), CODE);
    let lines = vec![Line::of(Role::Text, WHY)];
    Confirm::new("Renew the recovery code?", lines, ("Make a new code", Danger::Dangerous), accept)
}
