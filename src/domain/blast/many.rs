//! The blast radius of many at once: how many they are, how they are used, and which of them are the busiest. Requests are
//! in the histories, which are asked for all of them together: [`Busy`] is what comes of that.

use std::cmp::Reverse;
use std::collections::HashSet;

use minicbor::{Decode, Encode};

use super::{Day, IN_USE_MS, notices_of};
use crate::domain::catalog::AuthMethod;
use crate::domain::history::ring::{Joins as _, Tally};
use crate::domain::time::DAY_MS;
use crate::domain::verdict::{closed, closed_app};
use crate::domain::{App, Bearer, Key, KeyId, LastUse, OperatorId, Timestamp, View};

/// Those that are named.
pub const NAMED: usize = 10;

/// Those whose requests are asked for: of more, the ones used last.
pub const ASKED: usize = 16 * 1_024;

/// Requests of the last 24 hours of many together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Busy {
    /// As far as they are known.
    #[n(0)]
    pub tally: Tally,
    /// Of how many not all is known.
    #[n(1)]
    pub unknown: usize,
    /// Those with the most, the busiest first; [`NAMED`] at most.
    #[n(2)]
    pub busiest: Vec<Busiest>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Busiest {
    /// Which.
    #[n(0)]
    pub what: Bearer,
    /// Its requests.
    #[n(1)]
    pub day: Day,
}

impl Busy {
    /// As many as are asked for at once.
    pub const MOST: usize = 2_048;

    /// Of so many nothing is known.
    pub fn unknown(count: usize) -> Self {
        Self { unknown: count, ..Self::default() }
    }

    /// Adds what is known of one.
    pub fn add(&mut self, what: Bearer, day: Day) {
        self.tally = self.tally.join(day.tally);
        self.unknown += usize::from(!day.whole);
        if !day.tally.is_zero() {
            self.rank([Busiest { what, day }]);
        }
    }

    /// Adds what is known of others.
    pub fn join(&mut self, others: Self) {
        self.tally = self.tally.join(others.tally);
        self.unknown = self.unknown.saturating_add(others.unknown);
        self.rank(others.busiest);
    }

    fn rank(&mut self, more: impl IntoIterator<Item = Busiest>) {
        self.busiest.extend(more);
        self.busiest
            .sort_by_key(|one| (Reverse(one.day.tally.allowed), Reverse(one.day.tally.denied), one.what));
        self.busiest.truncate(NAMED);
    }

    /// All of it together.
    pub const fn day(&self) -> Day {
        Day { tally: self.tally, whole: self.unknown == 0 }
    }

    fn of(&self, what: Bearer) -> Option<Day> {
        self.busiest.iter().find(|one| one.what == what).map(|one| one.day)
    }
}

/// One of many, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<'a> {
    /// What.
    pub what: Bearer,
    /// Its name.
    pub name: &'a str,
    /// The public part of its token or secret.
    pub hint: String,
    /// Whose it is.
    pub owner: &'a str,
    /// When it was used last.
    pub last: LastUse,
    /// Where from, as far as anybody said.
    pub caller: Option<String>,
    /// Its requests, where it is one of the busiest.
    pub day: Option<Day>,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Struck {
    /// Keys in view, both halves of a rotation as one.
    pub keys: usize,
    /// Live keys of others besides, whose use is not in view.
    pub others: usize,
    /// Apps in view, as of keys.
    pub apps: usize,
    /// Of these, those that fetch access tokens.
    pub token_apps: usize,
    /// Keys and apps with access tokens that were used within five minutes.
    pub used_now: usize,
    /// … within a day.
    pub used_today: usize,
    /// Of which that is not known.
    pub unsure: usize,
    /// Notices that end with the keys.
    pub notices: usize,
    /// All whose use is told, those used last first; [`ASKED`] at most.
    pub all: Vec<Bearer>,
    /// Those that are not among them.
    pub more: usize,
}

impl Struck {
    /// Of these keys and apps, of which each comes once.
    pub fn of<'a>(
        view: View<'a>,
        keys: impl IntoIterator<Item = &'a Key>,
        apps: impl IntoIterator<Item = &'a App>,
        now: Timestamp,
    ) -> Self {
        let keys: Vec<&Key> = keys.into_iter().collect();
        let mut struck = Self::default();
        // To people both halves of a rotation are one key.
        let old: HashSet<KeyId> =
            keys.iter().filter_map(|key| view.old_half(key, now)).map(|old| old.id).collect();
        let mut used: Vec<(LastUse, Bearer)> = Vec::with_capacity(keys.len());
        for key in keys {
            struck.notices += notices_of(view, key);
            if !old.contains(&key.id) {
                struck.keys += 1;
                used.push((view.last_use_of_whole(key, now), Bearer::Key(key.id)));
            }
        }
        for app in apps {
            struck.apps += 1;
            if app.method == AuthMethod::Jwt {
                struck.token_apps += 1;
                used.push((last_of_tokens(view, app), Bearer::App(app.id)));
            }
        }
        let within =
            |ms: i64| used.iter().filter(|(last, _)| last.at().is_some_and(|at| now.since(at) <= ms)).count();
        (struck.used_now, struck.used_today) = (within(IN_USE_MS), within(DAY_MS));
        struck.unsure = used.iter().filter(|(last, _)| is_unsure(*last, now)).count();
        // Those that were never used stay in the order they came in.
        used.sort_by_key(|(last, what)| (Reverse(last.at()), last.at().map(|_| what.public())));
        struck.more = used.len().saturating_sub(ASKED);
        struck.all = used.into_iter().take(ASKED).map(|(_, what)| what).collect();
        struck
    }

    /// What stops when the keys of an operator stop with them: the keys they own, and the access tokens of their apps.
    pub fn of_operator(view: View<'_>, who: OperatorId, now: Timestamp) -> Self {
        let state = view.state();
        let works = |key: &&Key| closed(state, key).is_none() && !key.expiry.is_over(now);
        let seen = || state.keys_of(who).filter(|key| view.key(key.id).is_some());
        let apps = view.apps().into_iter();
        let apps = apps.filter(|app| {
            app.owner == who && app.method == AuthMethod::Jwt && closed_app(state, app).is_none()
        });
        let live = seen().filter(|key| key.state(now).is_live()).count();
        let others = state.live_keys_of(who, now).saturating_sub(live);
        // The records are as they were.
        Self { others, notices: 0, ..Self::of(view, seen().filter(works), apps, now) }
    }

    /// How many have a use that is told.
    pub const fn told(&self) -> usize {
        self.all.len().saturating_add(self.more)
    }

    /// Whether any of it is in use now: what happens, happens to somebody.
    pub const fn in_use(&self) -> bool {
        self.used_now > 0
    }

    /// All their requests, with those that were not asked for and those of others, of which nothing is known.
    pub const fn day(&self, busy: &Busy) -> Day {
        let day = busy.day();
        Day { tally: day.tally, whole: day.whole && self.more == 0 && self.others == 0 }
    }

    /// Of how many it is not known whether they were used within a day.
    pub const fn use_unknown(&self) -> usize {
        self.unsure.saturating_add(self.others)
    }

    /// How many were used, of `used` that are known to be: none known is none only where all of them are in view.
    pub fn known(&self, used: usize) -> Option<usize> {
        (used > 0 || self.others == 0).then_some(used)
    }

    /// The ten of them that matter most: the busiest, then those used last.
    pub fn first<'a>(&self, view: View<'a>, busy: Option<&Busy>, now: Timestamp) -> Vec<Named<'a>> {
        let busiest = busy.iter().flat_map(|busy| &busy.busiest).map(|one| one.what);
        let mut first: Vec<Bearer> = Vec::with_capacity(NAMED);
        for what in busiest.chain(self.all.iter().copied()) {
            if first.len() == NAMED {
                break;
            }
            if !first.contains(&what) {
                first.push(what);
            }
        }
        let day = |what| busy.and_then(|busy| busy.of(what));
        first.into_iter().filter_map(|what| named(view, what, day(what), now)).collect()
    }

    /// Those in use now, the latest first; [`NAMED`] at most.
    pub fn users<'a>(&self, view: View<'a>, now: Timestamp) -> Vec<Named<'a>> {
        let first = self.all.iter().take(self.used_now.min(NAMED));
        first.filter_map(|what| named(view, *what, None, now)).collect()
    }

    /// How much that is: `7 keys and 2 apps, 1 with access tokens`.
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
            (0, 0) if self.unsure > 0 => {
                format!("whether {} of it was used within a day is not known", self.unsure)
            }
            (0, 0) => "none of it was used within a day".to_owned(),
            (0, day) => format!("{day} used within a day, none within 5 min"),
            (now, day) => format!("{now} in use now, {day} used within a day"),
        };
        let unseen = if self.others > 0 { "; how those of others are used is not in view" } else { "" };
        format!("{used}{unseen}")
    }
}

/// Whether it may have been used within a day and nobody knows.
fn is_unsure(last: LastUse, now: Timestamp) -> bool {
    match last {
        LastUse::Never | LastUse::At(_) => false,
        LastUse::NotKnown(since) => since.is_none_or(|since| now.since(since) < DAY_MS),
    }
}

fn last_of_tokens(view: View<'_>, app: &App) -> LastUse {
    view.last_use_since(view.app_usage(app).last_used_at, app.created_at)
}

fn named(view: View<'_>, what: Bearer, day: Option<Day>, now: Timestamp) -> Option<Named<'_>> {
    Some(match what {
        Bearer::Key(id) => {
            let key = view.key(id)?;
            let caller = view.last_seen_of_whole(key, now).map(ToString::to_string);
            let (last, owner) = (view.last_use_of_whole(key, now), view.owner_name(key));
            Named { what, name: key.name.as_str(), hint: key.hint(), owner, last, caller, day }
        }
        Bearer::App(id) => {
            let app = view.app(id)?;
            let seen = view.app_trace(app).and_then(|trace| trace.of_last_use(view.app_usage(app)));
            let (last, owner) = (last_of_tokens(view, app), view.app_owner_name(app));
            let (hint, caller) = (app.secret_hint(), seen.map(ToString::to_string));
            Named { what, name: app.name.as_str(), hint, owner, last, caller, day }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PublicId;

    fn key(last: u8) -> Bearer {
        let mut bytes = *b"111111111111";
        bytes[11] = last;
        Bearer::Key(KeyId(PublicId::from_bytes(bytes).unwrap()))
    }

    const fn day(allowed: u64, denied: u64, whole: bool) -> Day {
        Day { tally: Tally { allowed, denied }, whole }
    }

    #[test]
    fn what_is_not_known_of_one_is_not_known_of_all_and_in_whatever_parts_it_comes_it_is_the_same() {
        let all: Vec<(Bearer, Day)> =
            (b'a'..=b'k').map(|n| (key(n), day(u64::from(n % 7), 1, n != b'c'))).collect();
        let of = |some: &[(Bearer, Day)]| {
            let mut busy = Busy::default();
            for (what, day) in some {
                busy.add(*what, *day);
            }
            busy
        };
        let whole = of(&all);
        assert_eq!((whole.unknown, whole.day().whole, whole.busiest.len()), (1, false, NAMED));
        assert_eq!(whole.tally.denied, 11);
        let counts: Vec<u64> = whole.busiest.iter().map(|one| one.day.tally.allowed).collect();
        assert!(counts.is_sorted_by(|one, next| one >= next), "{counts:?}");
        for cut in 0..all.len() {
            let mut parts = of(&all[..cut]);
            parts.join(of(&all[cut..]));
            assert_eq!(parts, whole, "cut at {cut}");
        }
        // Nothing known is not nothing.
        let none = Busy::unknown(3);
        assert_eq!((none.day(), none.busiest.len()), (day(0, 0, false), 0));
    }

    #[test]
    fn whether_something_was_used_within_a_day_is_only_known_where_no_use_was_lost_since() {
        let now = Timestamp(1_790_000_000_000);
        for (last, unsure) in [
            (LastUse::Never, false),
            (LastUse::At(now), false),
            (LastUse::NotKnown(None), true),
            (LastUse::NotKnown(Some(Timestamp(now.0 - 1_000))), true),
            (LastUse::NotKnown(Some(Timestamp(now.0 - DAY_MS))), false),
        ] {
            assert_eq!(is_unsure(last, now), unsure, "{last:?}");
        }
        let unsure = Struck { keys: 2, unsure: 2, ..Struck::default() };
        assert_eq!(unsure.use_in_words(), "whether 2 of it was used within a day is not known");
        assert_eq!(Struck::default().use_in_words(), "none of it was used within a day");
    }
}
