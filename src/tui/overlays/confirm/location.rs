//! Removing a location: how many keys stop with it, and who uses them.

use super::{Accept, Confirm, Wanted};
use crate::domain::lockdown::stops;
use crate::domain::{Command, Extent, LocationId};
use crate::tui::action::Danger;
use crate::tui::app::look::Look;
use crate::tui::list::page::Line;
use crate::tui::sight::radius::Whom;
use crate::tui::sight::seen::seen;
use crate::tui::theme::Role;
use crate::tui::widgets::text::sentence;

/// The question, for a location with its name.
pub fn remove(look: &Look, location: LocationId, name: &str) -> Confirm {
    seen(look, |seen| {
        // All keys of the location stop, also those the operator does not see: the number is the whole truth.
        let live = seen.state().live_keys_at(location, seen.now());
        let said = match live {
            0 => "It has no live keys: nothing stops.".to_owned(),
            1 => "1 key stops at once and is refused from then on.".to_owned(),
            n => format!("{n} keys stop at once and are refused from then on."),
        };
        let struck = stops(seen.view, Extent::Location(location), seen.now());
        let mut lines = vec![Line::of(Role::Title, name), Line::of(Role::Warn, said)];
        if live > 0 {
            let used = struck.use_in_words();
            lines.push(Line::of(Role::Text, format!("{}.", sentence(&used))));
        }
        let radius = lines.len();
        let final_ = "Removing is final. The history of its keys stays readable; a location of the same name is a new one.";
        lines.push(Line::of(Role::Text, final_));
        let accept = Accept::One(Command::RemoveLocation { location }, format!("{name} is removed"));
        let typed = Wanted::name("the location's name", name.to_owned());
        let question = Confirm::new("Remove location", lines, ("Remove", Danger::Dangerous), accept);
        Confirm { typed: Some(typed), ..question }.telling_of_many(struck, Whom::Users, radius, seen)
    })
}
