//! The review: which keys and apps may do more than they need, or should not be there, worst first. Read off the records and
//! what is known of use, as one operator may see it; nothing of it is kept. What is not known of use is never told as none.
//!
//! - [`concern`]: what can be said of one, and how much it weighs. [`about`]: what is looked at. [`kept`]: a review that was signed.
//! - [`matrix`]: several keys side by side.

pub mod about;
pub mod concern;
pub mod kept;
pub mod matrix;
#[cfg(test)]
pub(super) mod tests;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};

pub use self::about::About;
pub use self::concern::{Breadth, Concern, risk, why};
pub use self::kept::{Keep, Kept, Looked, Signed, looked};
pub use self::matrix::{Grant, Matrix};
use super::catalog::Risk;
use super::lifecycle::presented;
use super::name::plain;
use super::time::DAY_MS;
use super::{
    App, Bearer, Catalog, Key, KeyId, KeyState, LastUse, OperatorId, PublicId, ScopeId, Timestamp, View,
};

/// For so many days nothing is said of what is new: whoever has it may not have begun.
const NEW_DAYS: i64 = 7;
/// Days without use that are told, where the policy has none.
const IDLE_DAYS: u32 = 30;
/// What a key weighs at most that was kept: it stays in the list, at its end.
const QUIET: u16 = 3;
/// Days after which a secret is old.
const OLD_DAYS: i64 = 365;

/// One key or app of which something is to be said. What, is read again when it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which.
    pub who: Bearer,
    /// The sum of what weighs against it.
    pub risk: u16,
    /// Whether a live key of another owner is called the same.
    pub shares_name: bool,
}

/// Whoever reviews: what they see, the catalog that tells how much harm a scope does, and the time.
#[derive(Clone, Copy)]
pub struct Reviewer<'a> {
    /// What they see.
    pub view: View<'a>,
    /// Tells which scopes are of admin risk.
    pub catalog: &'a Catalog,
    /// The time that days are counted to.
    pub now: Timestamp,
}

/// Whether somebody has said lately that a thing may be unused.
#[derive(Clone, Copy)]
enum Excuse {
    /// Nobody has.
    None,
    /// Its days count from then.
    Since(Timestamp),
    /// It may be for ever.
    Always,
}

impl<'a> Reviewer<'a> {
    /// What is to be said of a key, worst first; nothing of one that has ended, unless somebody still comes with it, and of an
    /// old half whose end is set. `shares_name` is of the row: it takes all keys to know.
    pub fn of_key(self, key: &Key, shares_name: bool) -> Vec<Concern> {
        match key.state(self.now) {
            // Whatever is said of use, of what was granted or of its end is meant of what opens something.
            KeyState::Active | KeyState::Paused if key.is_decoy() => return Vec::new(),
            KeyState::Active | KeyState::Paused => {}
            KeyState::Deleted => {
                let comes = presented(self.view.state(), key, self.now);
                return comes.map(|_| Concern::Presented).into_iter().collect();
            }
            KeyState::Superseded | KeyState::Expired | KeyState::Revoked => return Vec::new(),
        }
        let excuse = match (&key.protection, key.counted_from) {
            (Some(_), _) => Excuse::Always,
            (None, Some(at)) => Excuse::Since(at),
            (None, None) => Excuse::None,
        };
        let mut all = self.of_any(About::key(self.view, key), excuse, key.created_at);
        let over = key.reports_only().and_then(|tried| tried.over_for(self.now));
        all.extend(over.map(Concern::ReportOnlyOver));
        all.extend(key.expiry.instant().is_none().then_some(Concern::NoEnd));
        all.extend(shares_name.then_some(Concern::SameName));
        all.extend(key.imported.is_some().then_some(Concern::MadeElsewhere));
        all.sort_unstable();
        all
    }

    /// The same of an app: of its secret and its access tokens, and of whether it or one of its keys is used.
    pub fn of_app(self, app: &App) -> Vec<Concern> {
        if app.is_deleted() {
            return Vec::new();
        }
        self.of_any(About::app(self.view, app), Excuse::None, app.not_before)
    }

    /// What is to be said of the one of a row; nothing when it is gone.
    pub fn of(self, row: &Row) -> Vec<Concern> {
        match row.who {
            Bearer::Key(id) => self.view.key(id).map(|key| self.of_key(key, row.shares_name)),
            Bearer::App(id) => self.view.app(id).map(|app| self.of_app(app)),
        }
        .unwrap_or_default()
    }

    /// That somebody kept it in spite of all these, lately.
    pub fn kept(self, who: Bearer, concerns: &[Concern]) -> Option<&'a Kept> {
        let Bearer::Key(id) = who else { return None };
        self.view.key(id)?.kept.as_deref().filter(|kept| kept.holds(concerns, self.now))
    }

    /// What these weigh together: next to nothing of a key that was kept in spite of them.
    fn weigh(self, who: Bearer, concerns: &[Concern]) -> u16 {
        let sum = risk(concerns);
        if self.kept(who, concerns).is_some() { sum.min(QUIET) } else { sum }
    }

    /// What is looked at of one that is there.
    pub fn about(self, who: Bearer) -> Option<About<'a>> {
        match who {
            Bearer::Key(id) => self.view.key(id).map(|key| About::key(self.view, key)),
            Bearer::App(id) => self.view.app(id).map(|app| About::app(self.view, app)),
        }
    }

    /// What it is called; nothing when it is gone.
    pub fn name(self, who: Bearer) -> &'a str {
        match who {
            Bearer::Key(id) => self.view.key(id).map(|key| key.name.as_str()),
            Bearer::App(id) => self.view.app(id).map(|app| app.name.as_str()),
        }
        .unwrap_or_default()
    }

    /// What is said of keys and apps alike; the secret has been the same since `secret`.
    fn of_any(self, about: About<'_>, excuse: Excuse, secret: Timestamp) -> Vec<Concern> {
        let (mut count, mut admin) = (0, 0);
        // Who has something new may not have begun with all of it.
        for scope in about.unneeded().filter(|_| self.days_since(about.made) >= NEW_DAYS) {
            count += 1;
            admin += usize::from(self.is_admin(scope));
        }
        let granted = about.scopes.len();
        // Of what needs none of them it is said that it is not used.
        let some = 0 < count && count < granted;
        let old = self.days_since(secret);
        let owner = self.view.state().operator(about.owner);
        [
            (admin > 0).then_some(Concern::AdminUnneeded(admin)),
            owner.is_some_and(|owner| !owner.standing.is_active()).then_some(Concern::OwnerGone),
            self.idle(about, excuse),
            about.denied_often(self.now).map(Concern::DeniedOften),
            some.then_some(Concern::ScopesUnneeded { unneeded: count, granted }),
            (old >= OLD_DAYS).then_some(Concern::NotRotated(old)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whether a scope does great harm in the wrong hands.
    pub fn is_admin(self, scope: &ScopeId) -> bool {
        self.catalog.permission(scope.as_str()).is_some_and(|known| known.risk == Risk::Admin)
    }

    /// That nobody uses it, where no use was lost meanwhile.
    fn idle(self, about: About<'_>, excuse: Excuse) -> Option<Concern> {
        let complete = self.view.state().uses_since()?;
        let since = about.last.at().unwrap_or(about.made).max(complete);
        let counted = match excuse {
            Excuse::None => since,
            Excuse::Since(at) => since.max(at),
            Excuse::Always => return None,
        };
        let never = about.last == LastUse::Never;
        let limit = self.view.policy().idle_days.unwrap_or(IDLE_DAYS);
        let limit = if never { NEW_DAYS } else { i64::from(limit) };
        let days = self.days_since(since);
        (self.days_since(counted) >= limit).then_some(if never {
            Concern::NeverUsed(days)
        } else {
            Concern::Unused(days)
        })
    }

    fn days_since(self, at: Timestamp) -> i64 {
        self.now.since(at) / DAY_MS
    }
}

/// A review while it is being made, some keys at a time.
#[derive(Debug, Default)]
pub struct Review {
    breadth: Breadth,
    rows: Vec<Row>,
    /// Live keys by a hash of their folded names: of a million, no name is kept.
    names: Vec<(u64, OperatorId, KeyId)>,
    hasher: RandomState,
}

impl Review {
    /// Looks at one key.
    pub fn add(&mut self, by: Reviewer<'_>, key: &Key) {
        let risk = by.weigh(Bearer::Key(key.id), &by.of_key(key, false));
        if self.breadth.takes(risk) {
            self.rows.push(Row { who: Bearer::Key(key.id), risk, shares_name: false });
        }
        // The keys of one owner differ in name.
        if by.view.is_whole() && key.state(by.now).is_live() && !key.is_decoy() {
            self.names.push((self.hasher.hash_one(key.name.folded()), key.owner, key.id));
        }
    }

    /// Looks at one app.
    pub fn add_app(&mut self, by: Reviewer<'_>, app: &App) {
        let risk = risk(&by.of_app(app));
        if self.breadth.takes(risk) {
            self.rows.push(Row { who: Bearer::App(app.id), risk, shares_name: false });
        }
    }

    /// All rows after the last key and app, in no order; one that was looked at twice stands there twice.
    pub fn finish(mut self, by: Reviewer<'_>) -> Vec<Row> {
        let mut twins = self.twins(by);
        for row in &mut self.rows {
            if let Bearer::Key(id) = row.who
                && twins.contains(&id)
            {
                row.shares_name = true;
                row.risk = by.weigh(row.who, &by.of(row));
            }
        }
        for row in &self.rows {
            if let Bearer::Key(id) = row.who {
                twins.remove(&id);
            }
        }
        // What was worth no row by itself weighs with it.
        let fresh = |id: KeyId| {
            let row = Row { who: Bearer::Key(id), risk: 0, shares_name: true };
            Row { risk: by.weigh(row.who, &by.of(&row)), ..row }
        };
        self.rows.extend(twins.into_iter().map(fresh));
        self.rows
    }

    /// The keys of which one of another owner has the name.
    fn twins(&mut self, by: Reviewer<'_>) -> BTreeSet<KeyId> {
        self.names.sort_unstable();
        let mut twins = BTreeSet::new();
        for alike in self.names.chunk_by(|(one, ..), (other, ..)| one == other) {
            let Some((_, owner, first)) = alike.first() else { continue };
            if alike.iter().all(|(_, other, _)| other == owner) {
                continue;
            }
            let named = |id: KeyId| by.view.key(id).map(|key| key.name.folded());
            let name = named(*first);
            // Once in a long while two names have the same hash.
            let same: Vec<_> = alike.iter().filter(|(.., id)| named(*id) == name).collect();
            if same.iter().any(|(_, other, _)| other != owner) {
                twins.extend(same.iter().map(|(.., id)| *id));
            }
        }
        twins
    }
}

/// The whole review as an operator may see it, worst first.
pub fn review(by: Reviewer<'_>, breadth: Breadth) -> Vec<Row> {
    let mut review = Review { breadth, ..Review::default() };
    for key in by.view.keys() {
        review.add(by, key);
    }
    for app in by.view.apps() {
        review.add_app(by, app);
    }
    let mut rows = review.finish(by);
    rows.sort_by_cached_key(|row| rank(by, row));
    rows
}

/// What rows are in the order of: the greatest risk first, then by name; no two have the same id.
fn rank(by: Reviewer<'_>, row: &Row) -> (Reverse<u16>, String, PublicId) {
    (Reverse(row.risk), plain(by.name(row.who)), row.who.public())
}
