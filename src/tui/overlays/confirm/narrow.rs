//! The scopes that report-only tried to do without, taken away: which, who needed them so far, and what stops by it.

use super::before::{About, Use, stops};
use super::{Accept, Confirm, Wanted};
use crate::domain::blast::Blast;
use crate::domain::history::Picture;
use crate::domain::{Bearer, Command, Key, KeyId, ScopeId};
use crate::tui::action::Danger;
use crate::tui::app::look::Look;
use crate::tui::list::page::Line;
use crate::tui::sight::seen::{Seen, seen};
use crate::tui::sight::{radius, report_only};
use crate::tui::theme::Role;

/// The line before which it is told who needed them.
const RADIUS: usize = 3;

/// The question whether what is tried on a key is enforced; `None` where nothing is.
pub fn ask(look: &Look, key: KeyId) -> Option<Confirm> {
    seen(look, |seen| {
        let found = seen.view.key(key)?;
        let begun = found.reports_only()?.begun;
        let lost = found.would_lose()?;
        let blast = blast(found, lost.iter(), None, seen);
        let name = &found.name;
        let lines = vec![
            Line::of(Role::Title, name.as_str()),
            Line::of(Role::Dim, found.hint()),
            Line::of(Role::Warn, format!("It loses {lost}.")),
            Line::blank(),
            Line::of(Role::Text, "Whoever needs one of them is refused from the next request on."),
        ];
        let command = Command::EnforceReportOnly { key, begun: Some(begun) };
        let said = format!("{name} has lost the scopes that report-only tried to do without");
        let does = ("Enforce", Danger::Dangerous);
        let mut question = Confirm::new("Enforce fewer scopes", lines, does, Accept::One(command, said));
        question.typed = (!blast.lost.is_empty() && blast.in_use(seen.now()).is_some())
            .then(|| Wanted::name("the key's name", name.to_string()));
        let tell = move |used: Use<'_>, seen: &Seen<'_>| tell(key, used.picture(), seen);
        Some(question.telling(About::One(Bearer::Key(key)), RADIUS, tell, seen))
    })
}

/// The key goes on, so nothing else stops with what it loses.
fn blast<'s>(
    key: &Key,
    lost: impl Iterator<Item = &'s ScopeId>,
    picture: Option<&Picture>,
    seen: &Seen<'_>,
) -> Blast {
    let blast = Blast::of_key(seen.view, key, lost, picture, seen.now());
    Blast { notices: 0, siblings: 0, ..blast }
}

fn tell(key: KeyId, picture: Option<&Picture>, seen: &Seen<'_>) -> Vec<Line> {
    let Some(key) = seen.view.key(key) else { return Vec::new() };
    let Some(lost) = key.would_lose() else { return Vec::new() };
    let ago = |at| seen.times.relative(at);
    let mut told = radius::lines(&blast(key, lost.iter(), picture, seen), seen.now(), ago);
    let lacked = picture.and_then(|picture| picture.lacked.as_deref());
    // The first says what it would lose.
    let so_far = report_only::lines(key, "", lacked, seen.now(), ago).into_iter().skip(1);
    told.extend(so_far.enumerate().map(|(at, said)| (if at == 0 { "So far" } else { "" }, said)));
    stops(told)
}
