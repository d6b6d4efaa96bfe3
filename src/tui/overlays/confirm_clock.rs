//! Saying that the clock is right: what the clocks say and what changes, then one question.

use super::question::{Asking, Question};
use super::small_form::SmallForm;
use crate::domain::{Aftermath, Command, Key, name::first_few};
use crate::tui::action::Danger;
use crate::tui::app::ask::Job;
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;

/// The question's name among the overlays.
pub const NAME: &str = "confirm-clock";

/// Asks before a clock is believed.
pub struct ConfirmClock;

/// The question.
pub fn form(look: &Look) -> Question<ConfirmClock> {
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
    let form = SmallForm::new("Is the clock right?", about, Vec::new(), "It is right", Danger::Dangerous);
    Question::new(form, ConfirmClock, look)
}

/// The first few, and how many more.
fn named(what: &str, keys: &[&Key]) -> String {
    if keys.is_empty() {
        return String::new();
    }
    format!("{what}{}.", first_few(keys.iter().map(|key| key.name.as_str())))
}

impl Asking for ConfirmClock {
    fn name(&self) -> &'static str {
        NAME
    }

    fn doing(&self) -> &'static str {
        "believing the clock"
    }

    fn submit(&mut self, _: &mut SmallForm, _: &Look) -> Option<Job> {
        let said = "The clock is believed from now on".into();
        Some(Job::Run { command: Command::ConfirmClock, said })
    }
}
