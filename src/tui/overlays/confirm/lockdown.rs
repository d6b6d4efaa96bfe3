//! Locking everything of somebody or something down, or lifting that: what stops or works again, and who uses it, first.

use super::{Accept, Confirm, Wanted};
use crate::domain::basis::Basis;
use crate::domain::lockdown::{given_back, stops};
use crate::domain::{Command, Extent, Lockdown, Note};
use crate::tui::action::Danger;
use crate::tui::app::look::Look;
use crate::tui::list::page::Line;
use crate::tui::sight::radius::Whom;
use crate::tui::sight::seen::{Seen, locked_down, seen};
use crate::tui::theme::Role;

/// The question: to lift it where it stands, to begin it where it does not.
pub fn ask(look: &Look, extent: Extent) -> Confirm {
    seen(look, |seen| match seen.state().lockdown(extent) {
        Some(stands) => lift(seen, extent, stands),
        None => begin(seen, extent),
    })
}

fn begin(seen: &Seen<'_>, extent: Extent) -> Confirm {
    let (called, name) = (seen.view.extent_in_words(extent), seen.view.extent_name(extent).to_owned());
    let stops = stops(seen.view, extent, seen.now());
    let mut lines = vec![
        Line::of(Role::Title, name.as_str()),
        Line::of(Role::Warn, format!("Stops {}: {}.", stops.count_in_words(), stops.use_in_words())),
    ];
    let radius = lines.len();
    lines.extend([Line::blank()]);
    lines.push(Line::of(
        Role::Text,
        "Refused from the next request on, and with it what is issued meanwhile. No key is changed: lifting it leaves all as \
         it would be without.",
    ));
    let command = Command::LockDown { what: extent, why: Note::default() };
    let accept = Accept::One(command, format!("locked down: {called}; the notices lift it"));
    let title = format!("Lock down {called}?");
    let typed = Wanted::name("the name", name);
    let question = Confirm::new(title, lines, ("Lock down", Danger::Dangerous), accept);
    Confirm { typed: Some(typed), ..question }.telling_of_many(stops, Whom::Users, radius, seen)
}

fn lift(seen: &Seen<'_>, extent: Extent, stands: &Lockdown) -> Confirm {
    let called = seen.view.extent_in_words(extent);
    let back = given_back(seen.view, extent, seen.now());
    let mut lines = vec![
        Line::of(Role::Title, seen.view.extent_name(extent)),
        Line::of(Role::Dim, locked_down(&[(extent, stands)], seen)),
        Line::of(Role::Warn, format!("Gives back {}.", back.count_in_words())),
    ];
    let radius = lines.len();
    lines.extend([Line::blank()]);
    lines.push(Line::of(Role::Text, "What was paused stays paused, and what has ended meanwhile has ended."));
    let basis = Some(Basis::of_lockdown(extent, stands));
    let accept = Accept::One(
        Command::LiftLockdown { what: extent, basis },
        format!("lifted: the lockdown of {called}"),
    );
    let title = format!("Lift the lockdown of {called}?");
    Confirm::new(title, lines, ("Lift it", Danger::Safe), accept).telling_of_many(
        back,
        Whom::Users,
        radius,
        seen,
    )
}
