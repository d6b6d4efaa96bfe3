//! What questions about many keys have in common: which of them stay as they are, and which they are.

use crate::domain::blast::many::NAMED;
use crate::domain::name::first_few;
use crate::domain::{Key, KeyId};
use crate::tui::list::page::Line;
use crate::tui::sight::seen::Seen;
use crate::tui::theme::Role;

/// That nothing is done to these, and why. `which` is what they are: `marked`, or nothing.
pub(super) fn left_out(keys: &[KeyId], which: &str, why: &str, seen: &Seen<'_>) -> Line {
    let stay = if keys.len() == 1 { "stays as it is" } else { "stay as they are" };
    let names = keys.iter().filter_map(|id| seen.view.key(*id)).map(|key| key.name.as_str());
    let which = if which.is_empty() { String::new() } else { format!("{which} ") };
    Line::of(Role::Dim, format!("{} {which}{stay} ({}): {why}", keys.len(), first_few(names)))
}

/// The first of them, each with what `say` says of it, and how many more there are.
pub(super) fn named(keys: &[&Key], say: impl Fn(&Key) -> String) -> Vec<Line> {
    let line = |key: &&Key| Line {
        spans: vec![(Role::Text, format!("{}   ", key.name)), (Role::Text, say(key))],
        ..Line::default()
    };
    let more = keys.len().saturating_sub(NAMED);
    let rest = (more > 0).then(|| Line::of(Role::Dim, format!("and {more} more")));
    keys.iter().take(NAMED).map(line).chain(rest).collect()
}
