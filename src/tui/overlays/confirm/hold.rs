//! Letting deletions go that were held back because they were too many at once: what they are, and their number to be typed.

use super::{Accept, Confirm, Wanted};
use crate::domain::Command;
use crate::domain::name::first_few;
use crate::tui::action::Danger;
use crate::tui::app::look::Look;
use crate::tui::list::page::Line;
use crate::tui::theme::Role;

/// The question; `None` when nothing waits for a word.
pub fn ask(look: &Look) -> Option<Confirm> {
    look.view(|view| {
        let hold = view.hold();
        let count = u32::try_from(hold.keys.len()).ok().filter(|_| hold.confirmed.is_none())?;
        if count == 0 {
            return hold.put_back.map(|_| go_on());
        }
        let names = first_few(view.held_names());
        let mut lines = vec![
            Line::of(
                Role::Text,
                "Nobody has used them for long, and they were told of three times. Their secrets never work again; records \
                 can be restored for 30 days.",
            ),
            Line::of(
                Role::Dim,
                "They go with the next sweep, within the hour, but for those that are used in between.",
            ),
        ];
        if !names.is_empty() {
            lines.push(Line::blank());
            lines.push(Line::of(Role::Text, names));
        }
        let title = if count == 1 { "Let 1 deletion go".to_owned() } else { format!("Let {count} deletions go") };
        let said = match count {
            1 => "1 deletion goes with the next sweep".to_owned(),
            n => format!("{n} deletions go with the next sweep"),
        };
        let accept = Accept::One(Command::ConfirmHold { count }, said);
        let mut question = Confirm::new(title, lines, ("Let them go", Danger::Dangerous), accept);
        question.typed = Some(Wanted::number_of_keys(&count));
        Some(question)
    })
}

/// Of a store that was put back from a backup, in which no deletion waits yet.
fn go_on() -> Confirm {
    let lines = vec![
        Line::of(
            Role::Text,
            "This store was put back from a backup. What was ended after that was made lives again here: end it anew first.",
        ),
        Line::of(Role::Dim, "Days without use count from the day it was put back. No deletion is due yet."),
    ];
    let accept = Accept::One(Command::ConfirmHold { count: 0 }, "Deletions for want of use go on".to_owned());
    Confirm::new("Let deletions go on".to_owned(), lines, ("Let them go on", Danger::Dangerous), accept)
}
