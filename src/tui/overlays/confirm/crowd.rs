//! What questions about many keys have in common: which of them stay as they are, and which they are. [`ask`] is the question
//! about what was worked out before it.

use super::{Accept, Confirm, Told, Wanted};
use crate::domain::blast::many::NAMED;
use crate::domain::name::first_few;
use crate::domain::{Key, KeyId};
use crate::engine::handover::Purse;
use crate::tui::action::Danger;
use crate::tui::list::page::Line;
use crate::tui::sight::plan::Plan;
use crate::tui::sight::radius::Whom;
use crate::tui::sight::seen::Seen;
use crate::tui::theme::Role;

/// What is to be done to many, in words.
pub struct Deal {
    /// The title, without how many: `Change the end of`.
    pub title: &'static str,
    /// The verb on the button.
    pub verb: &'static str,
    pub danger: Danger,
    /// What follows from it.
    pub then: Vec<String>,
    /// What they are afterwards.
    pub done: &'static str,
    /// What takes it back, for one and for many.
    pub undo: Option<(&'static str, &'static str)>,
    /// The verb of the command line that does.
    pub back: Option<&'static str>,
    /// Where the secrets go that it makes.
    pub purse: Option<Purse>,
}

/// The question whether to do so to those to which it can be done: and their number is typed.
/// `None` where there are none.
pub fn ask(plan: Plan, deal: Deal, seen: &Seen<'_>) -> Option<Confirm> {
    let Plan { possible, left, struck } = plan;
    let count = possible.len();
    if count == 0 {
        return None;
    }
    let keys = if count == 1 { "1 key".to_owned() } else { format!("{count} keys") };
    // What is done stands first: in a small window the rest gives way to it.
    let mut lines: Vec<Line> = deal.then.into_iter().map(|said| Line::of(Role::Text, said)).collect();
    lines.extend(left.iter().map(|(keys, why)| left_out(keys, "marked", why, seen)));
    lines.push(Line::blank());
    let radius = lines.len();
    let unmarks = deal.purse.is_some();
    let told = Told { done: deal.done, undo: deal.undo, back: deal.back, unmarks };
    let accept = Accept::Many(possible, told);
    let title = format!("{} {keys}", deal.title);
    let mut question = Confirm::new(title, lines, (deal.verb, deal.danger), accept);
    question.typed = Some(Wanted::number_of_keys(&count));
    question.purse = deal.purse;
    Some(question.telling_of_many(struck, Whom::Any, radius, seen))
}

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
