//! What can be locked down, and what is: one chosen leads to the question.

use super::chooser::Chooser;
use super::confirm;
use crate::domain::authorize::Action as Act;
use crate::domain::{Extent, OperatorId, View};
use crate::tui::app::ask::Ask;
use crate::tui::app::look::Look;
use crate::tui::widgets::picker::{PickItem, Picker};

/// What stands first, then what is possible; why the rest is not stands beside it.
pub fn menu(look: &Look) -> Chooser<Extent> {
    let all = look.view(|view| extents(*view));
    let mut items: Vec<_> = all
        .into_iter()
        .map(|(extent, called, by)| {
            let act = by.map_or(Act::LockDown(extent), |by| Act::LiftLockdown(extent, by));
            let (verb, hint) = if by.is_some() { ("Lift: ", "locked down") } else { ("", extent.code()) };
            let disabled = look.may_change().and_then(|()| look.may(act)).err();
            PickItem { key: extent, text: format!("{verb}{called}"), hint: hint.to_owned(), disabled }
        })
        .collect();
    items.sort_by_key(|item| item.disabled.is_some());
    let picker = Picker::new(items, "whose or what's keys?");
    Chooser::new("Lock down", (76, 20), picker, |extent, look| {
        Ask::open(confirm::lockdown::ask(look, extent))
    })
}

/// All there is, by its words, with who locked it down.
fn extents(view: View<'_>) -> Vec<(Extent, String, Option<OperatorId>)> {
    let standing = view.lockdowns();
    let owners = view.operators().into_iter().map(|operator| Extent::Owner(operator.id));
    let locations = view.locations().into_iter().map(|location| Extent::Location(location.id));
    let apps = view.apps().into_iter().filter(|app| !app.is_deleted()).map(|app| Extent::App(app.id));
    let free = [Extent::Agency].into_iter().chain(owners).chain(locations).chain(apps);
    let free = free
        .filter(|extent| standing.iter().all(|(stands, _)| stands != extent))
        .map(|extent| (extent, None));
    let standing = standing.iter().map(|(extent, lockdown)| (*extent, Some(lockdown.by)));
    standing.chain(free).map(|(extent, by)| (extent, view.extent_in_words(extent), by)).collect()
}
