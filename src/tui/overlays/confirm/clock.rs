//! Saying that the clock is right: what the clocks say and what changes, then one question.

use super::{Accept, Awaited, Confirm, run};
use crate::domain::name::first_few;
use crate::domain::{Aftermath, Command, Key};
use crate::tui::action::Danger;
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::list::page::Line;
use crate::tui::overlay::Heard;
use crate::tui::theme::Role;

/// How the answer is waited for.
const BELIEVING: Awaited = Awaited {
    doing: "believing the clock",
    held: "one moment: it is being written",
    then: |_, _| Heard::Close,
};

pub fn ask(look: &Look) -> Confirm {
    let dial = look.engine.clock();
    let times = Times::of(look);
    let mut about = format!("This machine's clock says {}", times.exact(dial.wall));
    about.push_str(&dial.doubt().map_or_else(|| ".".to_owned(), |why| format!(": {why}.")));
    if dial.wall < dial.now.time {
        about.push_str(
            " When it is believed, access tokens signed until now are worthless; revoked keys stay revoked.",
        );
    }
    look.view(|view| {
        let left = Aftermath::of(*view, dial.now.time, dial.wall);
        about.push_str(&named(" Work again: ", &left.expired));
        about.push_str(&named(" Made in the future, and look so: ", &left.made));
        about.push_str(&named(" Used last in the future: ", &left.used));
        if !view.is_whole() {
            about.push_str(" Keys of others are concerned as well.");
        }
    });
    let job = || run(&Command::ConfirmClock, "The clock is believed from now on");
    let accept = Accept::Awaited(Box::new(job), BELIEVING);
    let lines = vec![Line::of(Role::Text, about)];
    Confirm::new("Is the clock right?", lines, ("It is right", Danger::Dangerous), accept)
}

/// The first few, and how many more.
fn named(what: &str, keys: &[&Key]) -> String {
    if keys.is_empty() {
        return String::new();
    }
    format!("{what}{}.", first_few(keys.iter().map(|key| key.name.as_str())))
}
