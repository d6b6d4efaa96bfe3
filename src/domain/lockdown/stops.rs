//! What beginning a lockdown stops, or lifting one gives back, told before it is done. Nothing of it is stored.

use std::cmp::Reverse;

use super::Extent;
use crate::domain::catalog::AuthMethod;
use crate::domain::time::DAY_MS;
use crate::domain::verdict::{closed, closed_app, unlocked, unlocked_app};
use crate::domain::{App, Bearer, Key, State, Timestamp, View};

/// Those used last that are named.
pub const RECENT: usize = 10;

/// In use now: used within the last five minutes.
const NOW_MS: i64 = 5 * 60 * 1_000;

/// Something that was used not long ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent<'a> {
    /// What.
    pub what: Bearer,
    /// Its name.
    pub name: &'a str,
    /// The public part of its token or secret.
    pub hint: String,
    /// Whose it is.
    pub owner: &'a str,
    /// When it was used last.
    pub at: Timestamp,
    /// Where from, as far as anybody said.
    pub caller: Option<String>,
}

/// What stops, or works again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stops<'a> {
    /// Keys in view that work and would be refused, or the other way round.
    pub keys: usize,
    /// Live keys of others that it covers, whose use is not in view.
    pub others: usize,
    /// Apps in view, as of keys.
    pub apps: usize,
    /// Of these, those that fetch access tokens.
    pub token_apps: usize,
    /// Keys and apps with access tokens that were used within five minutes.
    pub used_now: usize,
    /// … within a day.
    pub used_today: usize,
    /// Those used last, the latest first; [`RECENT`] at most.
    pub recent: Vec<Recent<'a>>,
}

impl<'a> Stops<'a> {
    /// What a lockdown of this would stop, of what works.
    pub fn of(view: View<'a>, extent: Extent, now: Timestamp) -> Self {
        let state = view.state();
        let key = |key: &Key| closed(state, key).is_none() && !key.expiry.is_over(now);
        Self::over(view, extent, now, key, |app| closed_app(state, app).is_none())
    }

    /// What works again when the lockdown of this is lifted: what no other covers and nothing else keeps from it.
    pub fn given_back(view: View<'a>, extent: Extent, now: Timestamp) -> Self {
        let state = view.state();
        let key = |key: &Key| {
            state.lockdowns_of_key(key).all(|(other, _)| other == extent)
                && unlocked(state, key).is_none()
                && !key.expiry.is_over(now)
        };
        let app = |app: &App| {
            state.lockdowns_of_app(app).all(|(other, _)| other == extent)
                && unlocked_app(state, app).is_none()
        };
        Self::over(view, extent, now, key, app)
    }

    fn over(
        view: View<'a>,
        extent: Extent,
        now: Timestamp,
        is_key_of_it: impl Fn(&Key) -> bool,
        is_app_of_it: impl Fn(&App) -> bool,
    ) -> Self {
        let (mut stops, mut live, mut used) = (Self::default(), 0, Vec::new());
        for key in keys(view, extent) {
            live += usize::from(key.state(now).is_live());
            if is_key_of_it(key) {
                stops.keys += 1;
                used.extend(view.usage(key).last_used_at.map(|at| (at, Used::Key(key))));
            }
        }
        for app in apps(view, extent).filter(|app| is_app_of_it(app)) {
            stops.apps += 1;
            if app.method == AuthMethod::Jwt {
                stops.token_apps += 1;
                used.extend(view.app_usage(app).last_used_at.map(|at| (at, Used::App(app))));
            }
        }
        // A number is no look at somebody's keys.
        let all = if view.sets_policy() { all_live(view.state(), extent, now) } else { live };
        stops.others = all.saturating_sub(live);
        let within = |ms: i64| used.iter().filter(|(at, _)| now.since(*at) <= ms).count();
        (stops.used_now, stops.used_today) = (within(NOW_MS), within(DAY_MS));
        used.sort_by_key(|(at, used)| (Reverse(*at), used.bearer().public()));
        stops.recent = used.into_iter().take(RECENT).map(|(at, used)| used.told(view, at)).collect();
        stops
    }

    /// How much that is: `7 keys and 2 apps, 1 of them with access tokens`.
    pub fn count_in_words(&self) -> String {
        let of = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        let others = match self.others {
            0 => String::new(),
            count => format!(", {} of others", of(count, "live key")),
        };
        let tokens = match self.token_apps {
            0 => String::new(),
            count => format!(", {count} with access tokens"),
        };
        let keys = of(self.keys, "key");
        if self.apps == 0 {
            format!("{keys}{others}")
        } else {
            format!("{keys}{others} and {}{tokens}", of(self.apps, "app"))
        }
    }

    /// How much of it is in use, as far as last uses tell.
    pub fn use_in_words(&self) -> String {
        let used = match (self.used_now, self.used_today) {
            (0, 0) if self.others > 0 => return "how those of others are used is not in view".to_owned(),
            (0, 0) => "none of it was used within a day".to_owned(),
            (0, day) => format!("{day} used within a day, none within 5 min"),
            (now, day) => format!("{now} in use now, {day} used within a day"),
        };
        let unseen = if self.others > 0 { "; how those of others are used is not in view" } else { "" };
        format!("{used}{unseen}")
    }
}

enum Used<'a> {
    Key(&'a Key),
    App(&'a App),
}

impl<'a> Used<'a> {
    const fn bearer(&self) -> Bearer {
        match self {
            Self::Key(key) => Bearer::Key(key.id),
            Self::App(app) => Bearer::App(app.id),
        }
    }

    fn told(&self, view: View<'a>, at: Timestamp) -> Recent<'a> {
        let (name, hint, owner, trace, usage) = match *self {
            Self::Key(key) => {
                (key.name.as_str(), key.hint(), view.owner_name(key), view.trace(key), view.usage(key))
            }
            Self::App(app) => (
                app.name.as_str(),
                app.secret_hint(),
                view.app_owner_name(app),
                view.app_trace(app),
                view.app_usage(app),
            ),
        };
        let caller = trace.and_then(|trace| trace.of_last_use(usage)).map(ToString::to_string);
        Recent { what: self.bearer(), name, hint, owner, at, caller }
    }
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
