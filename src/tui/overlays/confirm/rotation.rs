//! What follows from a rotation, and the key that was lost: which secret ends, who uses it, and which one works on. A new
//! secret is shown where the question was.

use super::apps::SECRET;
use super::before::{About, Use};
use super::crowd::{self, Deal};
use super::{Accept, Confirm, Wanted, keys, run, used};
use crate::domain::blast::IN_USE_MS;
use crate::domain::{Bearer, Command, KeyId, LastUse, Timestamp};
use crate::engine::handover::Purse;
use crate::tui::action::{Action, Danger};
use crate::tui::app::look::Look;
use crate::tui::list::page::Line;
use crate::tui::sight::deeds;
use crate::tui::sight::plan::Plan;
use crate::tui::sight::seen::{Seen, seen};
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
        // A lost key ends with its old half; of a half that is ended by itself its own use counts.
        let last = match action {
            Action::Lost => keys::radius_of(key, None, seen).last,
            _ => seen.view.last_use(ends),
        };
        let said = match last {
            LastUse::Never if old.id != new.id => "Nobody has used this half.".to_owned(),
            last => used(last, ": what uses it will stop at once.", seen),
        };
        let lines = vec![
            Line::of(Role::Title, name.as_str()),
            Line::of(Role::Dim, ends.hint()),
            Line::of(Role::Warn, said),
            Line::blank(),
            Line::of(Role::Text, then),
        ];
        let accept = if done.is_empty() {
            Accept::Awaited(Box::new(move || run(&command, "")), SECRET)
        } else {
            Accept::One(command, done)
        };
        let mut question = Confirm::new(title, lines, (verb, Danger::Dangerous), accept);
        question.typed = is_now(last, seen.now()).then(|| Wanted::name("the key's name", name.to_string()));
        // What would be told of a new half is that of both.
        if matches!(action, Action::Lost | Action::FinishGrace) {
            let ends = ends.id;
            let tell = move |used: Use<'_>, seen: &Seen<'_>| keys::tell(ends, used.picture(), seen);
            question = question.telling(About::One(Bearer::Key(ends)), 3, tell, seen);
        }
        Some(question)
    })
}

fn is_now(last: LastUse, now: Timestamp) -> bool {
    last.at().is_some_and(|at| now.since(at) <= IN_USE_MS)
}

/// The question whether to rotate many keys, with what becomes of their old halves; their tokens go in there. `None` where none
/// can be rotated.
pub fn many(look: &Look, commands: Vec<Command>, then: &str, purse: Purse) -> Option<Confirm> {
    seen(look, |seen| {
        let deal = Deal {
            title: "Rotate",
            verb: "Rotate",
            danger: Danger::Safe,
            then: vec![then.to_owned(), format!("Their tokens go {}.", purse.goes())],
            done: "rotated",
            undo: None,
            back: None,
            purse: Some(purse),
        };
        crowd::ask(Plan::of(commands, seen), deal, seen)
    })
}
