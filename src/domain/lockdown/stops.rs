//! What beginning a lockdown stops, or lifting one gives back, told before it is done. Nothing of it is stored.

use super::Extent;
use crate::domain::blast::many::Struck;
use crate::domain::verdict::{closed, closed_app, unlocked, unlocked_app};
use crate::domain::{App, Key, State, Timestamp, View};

/// What a lockdown of this would stop, of what works.
pub fn stops(view: View<'_>, extent: Extent, now: Timestamp) -> Struck {
    let state = view.state();
    let key = |key: &Key| closed(state, key).is_none() && !key.expiry.is_over(now);
    over(view, extent, now, key, |app| closed_app(state, app).is_none())
}

/// What works again when the lockdown of this is lifted: what no other covers and nothing else keeps from it. Nothing
/// where none stands.
pub fn given_back(view: View<'_>, extent: Extent, now: Timestamp) -> Struck {
    let state = view.state();
    let key = |key: &Key| {
        state.lockdowns_of_key(key).map(|(covers, _)| covers).eq([extent])
            && unlocked(state, key).is_none()
            && !key.expiry.is_over(now)
    };
    let app = |app: &App| {
        state.lockdowns_of_app(app).map(|(covers, _)| covers).eq([extent])
            && unlocked_app(state, app).is_none()
    };
    over(view, extent, now, key, app)
}

fn over(
    view: View<'_>,
    extent: Extent,
    now: Timestamp,
    is_key_of_it: impl Fn(&Key) -> bool,
    is_app_of_it: impl Fn(&App) -> bool,
) -> Struck {
    let mut live = 0;
    let covered = keys(view, extent).inspect(|key| live += usize::from(key.state(now).is_live()));
    let covered: Vec<&Key> = covered.filter(|key| is_key_of_it(key)).collect();
    let struck = Struck::of(view, covered, apps(view, extent).filter(|app| is_app_of_it(app)), now);
    // A number is no look at somebody's keys.
    let all = if view.sets_policy() { all_live(view.state(), extent, now) } else { live };
    // The records are as they were.
    Struck { others: all.saturating_sub(live), notices: 0, ..struck }
}

/// The keys in view that a lockdown covers.
fn keys<'a>(view: View<'a>, extent: Extent) -> Box<dyn Iterator<Item = &'a Key> + 'a> {
    match extent {
        Extent::Agency => view.keys(),
        Extent::Location(id) => Box::new(view.keys_at(id)),
        Extent::App(id) => Box::new(view.keys_of_app(id)),
        Extent::Owner(id) => {
            let state = view.state();
            let of_apps = state.apps_of(id).flat_map(|app| state.keys_of_app(app.id));
            let all = state.keys_of(id).chain(of_apps.filter(move |key| key.owner != id));
            Box::new(all.filter(move |key| view.key(key.id).is_some()))
        }
    }
}

/// The apps in view that it covers.
fn apps(view: View<'_>, extent: Extent) -> impl Iterator<Item = &App> {
    view.apps().into_iter().filter(move |app| match extent {
        Extent::Agency => true,
        Extent::Owner(id) => app.owner == id,
        Extent::Location(_) => false,
        Extent::App(id) => app.id == id,
    })
}

/// How many live keys it covers, in view or not.
fn all_live(state: &State, extent: Extent, now: Timestamp) -> usize {
    match extent {
        Extent::Agency => {
            state.keys().filter(|key| key.state(now).is_live()).count() + state.keys_elsewhere()
        }
        Extent::Owner(id) => state.live_keys_of(id, now),
        Extent::Location(id) => state.live_keys_at(id, now),
        Extent::App(id) => state.live_keys_of_app(id, now),
    }
}
