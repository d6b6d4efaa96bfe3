//! What one operator may see of a state. Screens and lists read through this and through nothing else, so a key
//! that is not theirs cannot appear by mistake.

use std::ops::Range;

use super::name::{fold, plain};
use super::time::DAY_MS;
use super::trace::Sighting;
use super::verdict::{self, Reason};
use super::{
    Access, Actor, App, AppId, Key, KeyId, KeyState, LastUse, Location, Name, Operator, Place, Role, State,
    Timestamp,
};

/// A state seen by an actor.
#[derive(Clone, Copy)]
pub struct View<'a> {
    state: &'a State,
    actor: Actor,
}

/// What a typed reference (id, hint or name) leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a, T> {
    /// Exactly one.
    One(&'a T),
    /// None that the actor may see.
    None,
    /// Several of that name.
    Many(Vec<&'a T>),
}

impl<'a, T> Found<'a, T> {
    /// All of them.
    pub fn all(self) -> Vec<&'a T> {
        match self {
            Self::One(one) => vec![one],
            Self::None => Vec::new(),
            Self::Many(all) => all,
        }
    }
}

/// Which of those that share a name somebody looks for: what their command can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// The one that lives.
    Living,
    /// The old half of a rotation, whose name its successor has.
    Superseded,
    /// One that has ended and was not removed from sight.
    Ended,
    /// One that has ended and stands in the row of another, which took over and has its name.
    Replaced,
    /// One that was removed from sight.
    Deleted,
}

impl<'a> View<'a> {
    /// The state as `actor` may see it.
    pub const fn new(state: &'a State, actor: Actor) -> Self {
        Self { state, actor }
    }

    /// Who looks.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// The operator who looks, while they may.
    pub fn operator(&self) -> Option<&'a Operator> {
        self.state.operator(self.actor.operator).filter(|o| o.standing.is_active())
    }

    /// Their role now.
    pub fn role(&self) -> Role {
        self.operator().map_or(Role::Viewer, |o| o.role)
    }

    /// Whether the whole agency is in view.
    pub fn is_whole(&self) -> bool {
        self.actor.access == Access::Agency && self.role() == Role::Admin
    }

    /// Whether they may change the policy and so are told how many keys of others that touches.
    pub fn sets_policy(&self) -> bool {
        self.role() == Role::Admin && self.actor.access != Access::Recovery
    }

    /// The agency's name.
    pub fn agency_name(&self) -> &'a str {
        self.state.agency_name()
    }

    /// The policy in force.
    pub const fn policy(&self) -> &'a super::Policy {
        self.state.policy()
    }

    /// One key, if the actor may see it.
    pub fn key(&self, id: KeyId) -> Option<&'a Key> {
        self.state.key(id).filter(|k| !k.is_purged() && self.actor.sees(self.state, k))
    }

    /// Why requests with a key are refused, whatever they need; see [`verdict::refused`].
    pub fn refused(&self, key: &Key, now: Timestamp) -> Option<Reason> {
        verdict::refused(self.state, key, now)
    }

    /// Why access tokens of an app and requests with its keys are refused.
    pub fn app_refused(&self, app: &App) -> Option<Reason> {
        verdict::closed_app(self.state, app)
    }

    /// All keys the actor may see, in no order.
    pub fn keys(&self) -> Box<dyn Iterator<Item = &'a Key> + 'a> {
        if self.operator().is_none() {
            Box::new(std::iter::empty())
        } else if self.is_whole() {
            Box::new(self.state.keys().filter(|key| !key.is_purged()))
        } else {
            Box::new(self.state.keys_of(self.actor.operator).filter(|key| !key.is_purged()))
        }
    }

    /// Of the keys at these places of all there are those the actor may see, and whether more lie behind them: for whoever goes
    /// through a million a few at a time.
    pub fn keys_between(&self, places: Range<usize>) -> (Vec<&'a Key>, bool) {
        let (from, most) = (places.start, places.len());
        let (state, own) = (self.state, self.actor.operator);
        let (some, all): (Vec<&Key>, usize) = if self.operator().is_none() {
            (Vec::new(), 0)
        } else if self.is_whole() {
            (state.keys_from(from).take(most).collect(), state.key_count())
        } else {
            (state.keys_of(own).skip(from).take(most).collect(), state.keys_of(own).count())
        };
        (some.into_iter().filter(|key| !key.is_purged()).collect(), places.end < all)
    }

    /// A key by id, hint (`kdag_7HqP2mVx9KtR_…`) or name. A bare id that is also what another key is called means both.
    pub fn find_key(&self, reference: &str, sought: Sought, now: Timestamp) -> Found<'a, Key> {
        let reference = reference.trim();
        let bare = ["kdag_", "kdlo_", "kdap_", super::key::IMPORTED_PREFIX]
            .iter()
            .find_map(|p| reference.strip_prefix(p))
            .map(|rest| rest.trim_end_matches('…').trim_end_matches("...").trim_end_matches('_'));
        let by_id = bare.unwrap_or(reference).parse().ok().and_then(|id| self.key(id));
        let stands = |key: &Key| match key.state(now) {
            KeyState::Active | KeyState::Paused => Sought::Living,
            KeyState::Superseded => Sought::Superseded,
            KeyState::Revoked if key.superseded.is_some() || self.state.is_given_up(key, now) => {
                Sought::Replaced
            }
            KeyState::Expired | KeyState::Revoked => Sought::Ended,
            KeyState::Deleted => Sought::Deleted,
        };
        let by_name = || named(self.keys(), reference, |key| &key.name, |key| sought.rank(stands(key)));
        meant(by_id, bare.is_some(), by_name, |one, other| one.id == other.id)
    }

    /// One app, if the actor may see it.
    pub fn app(&self, id: AppId) -> Option<&'a App> {
        self.state.app(id).filter(|a| self.actor.sees_app(self.state, a))
    }

    /// All apps the actor may see, deleted ones too, by name.
    pub fn apps(&self) -> Vec<&'a App> {
        let mut all: Vec<_> = self.state.apps().filter(|a| self.actor.sees_app(self.state, a)).collect();
        all.sort_by_cached_key(|a| (plain(a.name.as_str()), a.id));
        all
    }

    /// An app by application id, hint of its secret or name. Names prefer what is not deleted.
    pub fn find_app(&self, reference: &str) -> Found<'a, App> {
        let reference = reference.trim();
        let bare = ["app_", "kdas_"]
            .iter()
            .find_map(|p| reference.strip_prefix(p))
            .map(|rest| rest.trim_end_matches('…').trim_end_matches("...").trim_end_matches('_'));
        let by_id = bare.unwrap_or(reference).parse().ok().and_then(|id| self.app(AppId(id)));
        let apps = self.state.apps().filter(|a| self.actor.sees_app(self.state, a));
        let by_name = || named(apps, reference, |app| &app.name, |app| usize::from(app.is_deleted()));
        meant(by_id, bare.is_some(), by_name, |one, other| one.id == other.id)
    }

    /// The keys of one app that the actor may see, in no order.
    pub fn keys_of_app(&self, app: AppId) -> impl Iterator<Item = &'a Key> + use<'a> {
        let (state, actor) = (self.state, self.actor);
        state.keys_of_app(app).filter(move |k| !k.is_purged() && actor.sees(state, k))
    }

    /// Whether a list shows it with the key that took over from it: one row for each key that people know. What still works
    /// stands alone where that one is not in sight.
    pub fn is_folded(&self, key: &Key, now: Timestamp) -> bool {
        let Some(how) = &key.superseded else { return self.state.is_given_up(key, now) };
        let sees = |key: &Key| key.state(now) != KeyState::Deleted;
        key.state(now) != KeyState::Superseded || self.key(how.by).is_some_and(sees)
    }

    /// Whether lists leave a key out unless it is asked for: it was deleted, or is shown with the one that took over.
    pub fn is_aside(&self, key: &Key, now: Timestamp) -> bool {
        key.state(now) == KeyState::Deleted || self.is_folded(key, now)
    }

    /// Both halves of the rotation a key is a part of, if the actor may see them.
    pub fn halves(&self, key: &'a Key) -> Option<super::Halves<'a>> {
        self.state
            .halves(key)
            .filter(|halves| [halves.old.id, halves.new.id].iter().all(|id| self.key(*id).is_some()))
    }

    /// The old half of a key that took over, while its grace runs.
    pub fn old_half(&self, key: &'a Key, now: Timestamp) -> Option<&'a Key> {
        let old = self.state.old_half(key, now)?;
        self.key(old.id)
    }

    /// The key and, while its grace runs, its old half: to people they are one.
    pub fn halves_of(&self, key: &'a Key, now: Timestamp) -> impl Iterator<Item = &'a Key> + use<'a> {
        [Some(key), self.old_half(key, now)].into_iter().flatten()
    }

    /// When a key was used last, with either half.
    pub fn last_use_of_whole(&self, key: &'a Key, now: Timestamp) -> LastUse {
        self.halves_of(key, now).map(|half| self.last_use(half)).max().unwrap_or(LastUse::Never)
    }

    /// Where that came from, if anybody told.
    pub fn last_seen_of_whole(&self, key: &'a Key, now: Timestamp) -> Option<&'a Sighting> {
        let seen =
            self.halves_of(key, now).filter_map(|half| self.trace(half)?.of_last_use(self.usage(half)));
        seen.max_by_key(|seen| seen.at)
    }

    /// What is known of the use of an app's access tokens.
    pub fn app_usage(&self, app: &App) -> super::Usage {
        self.state.app_usage(app.id)
    }

    /// Where an app's access tokens were used from and what for.
    pub fn app_trace(&self, app: &App) -> Option<&'a super::Trace> {
        self.state.app_trace(app.id)
    }

    /// The name of an app's owner.
    pub fn app_owner_name(&self, app: &App) -> &'a str {
        self.state.operator(app.owner).map_or("?", |o| o.name.as_str())
    }

    /// The locations, removed ones left out, by name.
    pub fn locations(&self) -> Vec<&'a Location> {
        let mut all: Vec<_> = self.state.locations().filter(|l| l.is_open()).collect();
        all.sort_by_cached_key(|l| (plain(l.name.as_str()), l.id));
        all
    }

    /// One location, removed or not.
    pub fn location(&self, id: super::LocationId) -> Option<&'a Location> {
        self.state.location(id)
    }

    /// An open location by id or name.
    pub fn find_location(&self, reference: &str) -> Found<'a, Location> {
        if let Ok(id) = reference.trim().parse()
            && let Some(location) = self.state.location(id).filter(|l| l.is_open())
        {
            return Found::One(location);
        }
        let open = self.state.locations().filter(|l| l.is_open());
        named(open, reference, |location| &location.name, |_| 0)
    }

    /// The keys of one location that the actor may see, in no order.
    pub fn keys_at(&self, location: super::LocationId) -> impl Iterator<Item = &'a Key> + use<'a> {
        let (state, actor) = (self.state, self.actor);
        state.keys_at(location).filter(move |k| !k.is_purged() && actor.sees(state, k))
    }

    /// The operators an actor may see: all for an admin, oneself for the others.
    pub fn operators(&self) -> Vec<&'a Operator> {
        let admin = self.role() == Role::Admin && self.actor.access != Access::Recovery;
        let mut all: Vec<_> =
            self.state.operators().filter(|o| admin || o.id == self.actor.operator).collect();
        all.sort_by_cached_key(|o| (plain(o.name.as_str()), o.id));
        all
    }

    /// An operator by id or name, among those the actor may see.
    pub fn find_operator(&self, reference: &str, sought: Sought) -> Found<'a, Operator> {
        let operators = self.operators();
        let id = reference.trim().parse().ok();
        if let Some(operator) = operators.iter().find(|o| Some(o.id) == id) {
            return Found::One(operator);
        }
        let stands = |o: &Operator| if o.standing.is_active() { Sought::Living } else { Sought::Ended };
        named(operators.into_iter(), reference, |o| &o.name, |o| sought.rank(stands(o)))
    }

    /// The name of somebody who owns what is seen, or did something to it.
    pub fn name_of(&self, operator: super::OperatorId) -> &'a str {
        self.state.operator(operator).map_or("?", |o| o.name.as_str())
    }

    /// The name of a key's owner.
    pub fn owner_name(&self, key: &Key) -> &'a str {
        self.name_of(key.owner)
    }

    /// The name of a key's location or app, or nothing for an agency key.
    pub fn place_name(&self, place: Place) -> Option<&'a str> {
        match place {
            Place::Agency => None,
            Place::Location(id) => Some(self.state.location(id).map_or("?", |l| l.name.as_str())),
            Place::App(id) => Some(self.state.app(id).map_or("?", |a| a.name.as_str())),
        }
    }

    /// A name with a number to it that no live key of the actor has.
    pub fn another_name(&self, name: &Name, now: Timestamp) -> Option<Name> {
        let own = self.actor.operator;
        let is_free = |name: &Name| self.state.live_key_named(own, name, now).is_none();
        (2..=99).filter_map(|number| name.numbered(number)).find(is_free)
    }

    /// What is known of a key's use.
    pub fn usage(&self, key: &Key) -> super::Usage {
        self.state.usage(key.id)
    }

    /// When a key was last used, as far as that is known.
    pub fn last_use(&self, key: &Key) -> LastUse {
        self.last_use_since(self.usage(key).last_used_at, key.created_at)
    }

    /// When an app was last used, by an access token or by one of its keys that the actor sees.
    pub fn last_use_of_app(&self, app: &App) -> LastUse {
        let own = self.last_use_since(self.app_usage(app).last_used_at, app.created_at);
        self.keys_of_app(app.id).map(|key| self.last_use(key)).fold(own, LastUse::max)
    }

    /// When the secret an app had before was last used since another took its place.
    pub fn last_use_of_old_secret(&self, app: &App, now: Timestamp) -> Option<LastUse> {
        let since = app.replaced.as_ref()?.since;
        Some(self.last_use_since(self.noted(app.old_secret(now)?.uses).0.last_used_at, since))
    }

    /// When something that is there since `made` was last used, as far as that is known, where that is what was noted.
    pub fn last_use_since(&self, noted: Option<Timestamp>, made: Timestamp) -> LastUse {
        LastUse::of(noted, made, self.state.uses_since())
    }

    /// Since when a key is known to be unused: its last use, or since it was made; not before what may have been lost.
    pub fn unused_since(&self, key: &Key) -> Timestamp {
        let known = self.usage(key).last_used_at.unwrap_or(key.created_at);
        self.state.uses_since().map_or(known, |since| known.max(since))
    }

    /// Whole days since then, when at least the policy's idle days. None of a protected key, since somebody has said that it may
    /// be idle, nor of a decoy, which is to be.
    pub fn idle_days(&self, key: &Key, now: Timestamp) -> Option<i64> {
        let days = now.since(self.unused_since(key)) / DAY_MS;
        let is_asked = key.state(now).is_live() && key.protection.is_none() && !key.is_decoy();
        let limit = self.policy().idle_days.filter(|_| is_asked)?;
        (days >= i64::from(limit)).then_some(days)
    }

    /// When a key is deleted for want of use if nothing happens; `None` while nobody watches it.
    pub fn deletes_at(&self, key: &Key, grounds: super::Grounds) -> Option<Timestamp> {
        super::lifecycle::deletes_at(self.state, key, grounds).map(|(at, _)| at)
    }

    /// When the record of an expired key is cleared away, if the policy has days for that.
    pub fn clears_at(&self, key: &Key, now: Timestamp) -> Option<Timestamp> {
        super::lifecycle::clears_at(self.policy(), key, self.cycle(key), now)
    }

    /// The notices a key was given.
    pub fn cycle(&self, key: &Key) -> Option<&'a super::Cycle> {
        self.state.cycle(key.id)
    }

    /// The deletions that wait for a word, as far as the actor may know of them.
    pub fn hold(&self) -> super::Hold {
        self.part_of(self.state.hold())
    }

    /// The names of the keys whose deletion waits for a word: as many as wait, those that the actor does not see last.
    pub fn held_names(&self) -> Vec<&'a str> {
        let hold = self.hold();
        let mut names: Vec<_> =
            hold.keys.iter().filter_map(|id| self.key(*id)).map(|key| key.name.as_str()).collect();
        names.resize(hold.keys.len(), "a key of somebody else");
        names
    }

    /// The channels that notices are delivered through, for admins: what is kept of them names whom others are told through.
    pub fn channels(&self) -> impl Iterator<Item = &'a super::delivery::Channel> + use<'a> {
        let sees = self.role() == Role::Admin && self.actor.access != Access::Recovery;
        self.state.channels().filter(move |_| sees)
    }

    /// As much of a hold as the actor may know of: all of it who can let it go, the others what is about keys they see.
    pub fn part_of(&self, hold: &super::Hold) -> super::Hold {
        if self.role() == Role::Admin && self.actor.access != Access::Recovery {
            hold.clone()
        } else {
            hold.about(|id| self.key(id).is_some())
        }
    }

    /// The state behind it, for rules that ask it about what the actor sees already.
    pub(super) const fn state(&self) -> &'a State {
        self.state
    }

    /// Where a key was used from and what for.
    pub fn trace(&self, key: &Key) -> Option<&'a super::Trace> {
        self.state.trace(key.id)
    }
}

impl Sought {
    /// How near one that stands so comes to it: what lives is meant before what was removed from sight.
    fn rank(self, stands: Self) -> usize {
        use Sought::{Deleted, Ended, Living, Replaced, Superseded};
        let order = match self {
            Self::Living => [Living, Superseded, Ended, Replaced, Deleted],
            Self::Superseded => [Superseded, Living, Ended, Replaced, Deleted],
            Self::Ended | Self::Replaced => [Ended, Living, Superseded, Replaced, Deleted],
            Self::Deleted => [Deleted, Ended, Living, Superseded, Replaced],
        };
        order.iter().position(|one| *one == stands).unwrap_or(order.len())
    }
}

/// What was found by id, unless it was typed bare and is also what another is called: then both are meant, since nobody
/// can tell which. With its prefix it is no name.
fn meant<'a, T>(
    by_id: Option<&'a T>,
    prefixed: bool,
    by_name: impl FnOnce() -> Found<'a, T>,
    same: impl Fn(&T, &T) -> bool,
) -> Found<'a, T> {
    let Some(found) = by_id else { return by_name() };
    if prefixed {
        return Found::One(found);
    }
    let mut all = match by_name() {
        Found::None => Vec::new(),
        Found::One(one) => vec![one],
        Found::Many(several) => several,
    };
    all.retain(|one| !same(one, found));
    if all.is_empty() {
        return Found::One(found);
    }
    all.push(found);
    Found::Many(all)
}

/// What a typed name means: what is called so, else what is called so without its accents; of several those of the
/// lowest rank, and of these the one written just so.
fn named<'a, T>(
    all: impl Iterator<Item = &'a T>,
    typed: &str,
    name: impl Fn(&T) -> &Name,
    rank: impl Fn(&T) -> usize,
) -> Found<'a, T> {
    let typed = typed.trim();
    let (folded, bare) = (fold(typed), plain(typed));
    let (mut found, mut nearest) = (Vec::new(), None);
    for one in all {
        let its = name(one);
        let near = if its.folded() == folded {
            (0, rank(one), its.as_str() != typed)
        } else if plain(its.as_str()) == bare {
            (1, rank(one), false)
        } else {
            continue;
        };
        if nearest.is_none_or(|nearest| near < nearest) {
            nearest = Some(near);
            found.clear();
        }
        if nearest == Some(near) {
            found.push(one);
        }
    }
    match found.as_slice() {
        [] => Found::None,
        [one] => Found::One(one),
        _ => Found::Many(found),
    }
}
