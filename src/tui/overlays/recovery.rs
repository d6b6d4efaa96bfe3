//! Renewing the recovery code: one question, then the new code, shown once and until somebody says they stored it.

use super::secret::Secret;
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::look::Look;
use crate::tui::form::{Asking, Face, Form, Manner, Next, Pages, Spot};
use crate::tui::overlay::Heard;

/// The question's name among the overlays.
pub const RENEW: &str = "recovery-renew";

const WHY: &str = "A new recovery code is made and shown once. The old one, wherever it is kept, opens nothing from then on.";

/// Asks before the old code becomes worthless.
pub struct Renew;

/// The question.
pub fn renew(_: &Look) -> Form<Renew> {
    Form::blank(Renew)
}

impl Asking for Renew {
    fn manner(&self) -> Manner {
        Manner { does: "Make a new code", doing: "making a new code", ..Manner::dangerous(RENEW) }
    }

    fn fields(&mut self) -> Pages<'_> {
        Vec::new()
    }

    fn face(&self, _: &Look, _: Spot) -> Face {
        let (title, intro) = ("Renew the recovery code?".into(), WHY.into());
        Face { title, intro, ..Face::default() }
    }

    fn submit(&mut self, _: &Look) -> Result<Job, String> {
        Ok(Job::RenewRecovery)
    }

    fn done(&mut self, answer: Answer, _: &Look, _: &mut Vec<Ask>) -> Next {
        match answer {
            Answer::Recovery(code) => Heard::Replace(Box::new(Secret::code(code))),
            _ => Heard::Close,
        }
    }
}
