//! What follows from a rotation, and the key that was lost: which secret ends, who uses it, and which one works on. A new
//! secret is shown where the question was.

use super::apps::SECRET;
use super::{Accept, Confirm, run, used};
use crate::domain::KeyId;
use crate::tui::action::{Action, Danger};
use crate::tui::app::look::Look;
use crate::tui::list::page::Line;
use crate::tui::sight::deeds;
use crate::tui::sight::seen::seen;
use crate::tui::theme::Role;

/// The question whether to do what `action` means to the rotation of a key; `None` where it means nothing.
pub fn ask(look: &Look, action: Action, key: KeyId) -> Option<Confirm> {
    seen(look, |seen| {
        let key = seen.view.key(key)?;
        let command = deeds::of_rotation(action, key.id, seen)?;
        let (old, new) = match seen.view.halves(key) {
            Some(halves) => (halves.old, halves.new),
            None => (key, key),
        };
        let name = &key.name;
        let (title, verb, ends, then, done) = match action {
            Action::Lost => (
                "Replace a lost key",
                "Replace",
                key,
                "Its token stops working at once, for good, and that of its old half if it has one. The new one is shown \
                 once, right after this.",
                String::new(),
            ),
            Action::FinishGrace => (
                "End the old half",
                "End",
                old,
                if seen.usage(new).last_used_at.is_some() {
                    "It is refused at once, for good. The new half works on."
                } else {
                    "It is refused at once, for good. Nobody has used the new half yet: whoever calls is cut off."
                },
                format!("the old half of {name} is revoked"),
            ),
            Action::CancelRotation => (
                "Take the rotation back",
                "Take back",
                new,
                "The new half is refused at once, for good. The old one is as it was before.",
                format!("the rotation of {name} is taken back"),
            ),
            Action::RotateAgain => (
                "Rotate again",
                "Rotate",
                new,
                "Nobody has used it: another new half takes its place, and is shown once, right after this. The old half \
                 stays as it is.",
                String::new(),
            ),
            _ => return None,
        };
        let lines = vec![
            Line::of(Role::Title, name.as_str()),
            Line::of(Role::Dim, ends.hint()),
            Line::of(Role::Warn, used(seen.view.last_use(ends), ": what uses it will stop at once.", seen)),
            Line::blank(),
            Line::of(Role::Text, then),
        ];
        let accept = if done.is_empty() {
            Accept::Awaited(Box::new(move || run(&command, "")), SECRET)
        } else {
            Accept::One(command, done)
        };
        Some(Confirm::new(title, lines, (verb, Danger::Dangerous), accept))
    })
}
