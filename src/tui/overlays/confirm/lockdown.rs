//! Locking everything of somebody or something down, or lifting that: what stops or works again, and who uses it, first.

use super::{Accept, Confirm, Wanted};
use crate::domain::basis::Basis;
use crate::domain::lockdown::{Recent, Stops};
use crate::domain::{Command, Extent, Lockdown, Note};
use crate::tui::action::Danger;
use crate::tui::app::look::Look;
use crate::tui::list::page::Line;
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
    let stops = Stops::of(seen.view, extent, seen.now());
    let mut lines = vec![
        Line::of(Role::Title, name.as_str()),
        Line::of(Role::Warn, format!("Stops {}: {}.", stops.count_in_words(), stops.use_in_words())),
    ];
    lines.extend(used_last(&stops, seen));
    lines.push(Line::of(
        Role::Text,
        "Refused from the next request on, and with it what is issued meanwhile. No key is changed: lifting it leaves all as \
         it would be without.",
    ));
    let command = Command::LockDown { what: extent, why: Note::default() };
    let accept = Accept::One(command, format!("locked down: {called}; the notices lift it"));
    let title = format!("Lock down {called}?");
    let typed = Wanted::new("Type its name to confirm:", "the name", name);
    Confirm { typed: Some(typed), ..Confirm::new(title, lines, ("Lock down", Danger::Dangerous), accept) }
}

fn lift(seen: &Seen<'_>, extent: Extent, stands: &Lockdown) -> Confirm {
    let called = seen.view.extent_in_words(extent);
    let back = Stops::given_back(seen.view, extent, seen.now());
    let mut lines = vec![
        Line::of(Role::Title, seen.view.extent_name(extent)),
        Line::of(Role::Dim, locked_down(&[(extent, stands)], seen)),
        Line::of(Role::Warn, format!("Gives back {}.", back.count_in_words())),
    ];
    lines.extend(used_last(&back, seen));
    lines.push(Line::of(Role::Text, "What was paused stays paused, and what has ended meanwhile has ended."));
    let basis = Some(Basis::of_lockdown(extent, stands));
    let accept = Accept::One(
        Command::LiftLockdown { what: extent, basis },
        format!("lifted: the lockdown of {called}"),
    );
    Confirm::new(format!("Lift the lockdown of {called}?"), lines, ("Lift it", Danger::Safe), accept)
}

/// Who is met by it: what was used last, and from where.
fn used_last(stops: &Stops<'_>, seen: &Seen<'_>) -> Vec<Line> {
    let told = |recent: &Recent<'_>| {
        let from = recent.caller.as_ref().map_or_else(String::new, |caller| format!(" from {caller}"));
        let at = seen.times.relative(recent.at);
        Line::of(Role::Dim, format!("{} of {}, used {at}{from}", recent.name, recent.owner))
    };
    stops.recent.iter().map(told).chain([Line::blank()]).collect()
}
