//! Everything a store holds, in memory. Changed only by [`State::put`] through the events of `decide`; read
//! through a [`super::View`], which shows an operator no more than theirs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::app::{Revoked, RevokedTokens};
use super::delivery::{Channel, ChannelName};
use super::index::{Lives, Names};
use super::proof::Against;
use super::shelf::{Marks, Shelf, ShelfMark};
use super::signing::SigningKeys;
use super::used::{AllUsed, Under};
use super::{
    Agency, App, AppId, Cycle, Event, Expiry, Extent, HeaderMark, Hold, Key, KeyId, Location, LocationId,
    Lockdown, Name, Operator, OperatorId, Place, Policy, Proof, PublicId, Record, RecordKey, Timestamp,
    Trace, Usage,
};

/// Uses are told in the order they happened, give or take this: threads count them side by side.
pub(super) const USE_DISORDER_MS: i64 = 120_000;

/// The records of one store and the indexes that make them quick to find.
#[derive(Clone, Debug, Default)]
pub struct State {
    agency: Option<Agency>,
    policy: Policy,
    header: HeaderMark,
    operators: BTreeMap<OperatorId, Operator>,
    locations: BTreeMap<LocationId, Location>,
    keys: Shelf,
    apps: BTreeMap<AppId, App>,
    revoked: BTreeMap<AppId, RevokedTokens>,
    signing: SigningKeys,
    // Of those that were given notices. Boxed: such a table is up to half empty.
    cycles: HashMap<KeyId, Box<Cycle>>,
    hold: Hold,
    // The last of each thing, out of its record: nearly always there is none, and that is all that has to be asked.
    lockdowns: BTreeMap<Extent, Lockdown>,
    channels: BTreeMap<ChannelName, Channel>,
    uses: AllUsed,
    // What is not noted there may have happened before that.
    uses_since: Option<Timestamp>,
    // Under what the use of single secrets of apps is noted.
    secrets: HashMap<PublicId, AppId>,
    // Kept beside the keys because the quota, an operator's own list and a location's count are asked for on
    // every screen, and must not cost a walk over a million keys.
    by_owner: HashMap<OperatorId, Marks>,
    lives: HashMap<OperatorId, Lives>,
    // Of what is not ended, since those names must be unique.
    key_names: Names<ShelfMark>,
    app_names: Names<AppId>,
    location_names: Names<LocationId>,
    by_location: HashMap<LocationId, Marks>,
    by_app: HashMap<AppId, Marks>,
    /// Which records are vouched for: all, until somebody says otherwise.
    proof: Arc<Proof>,
    /// Live keys that exist elsewhere and are not held here: whose and where, and how many. Empty where the state is
    /// whole.
    census: BTreeMap<(OperatorId, Place), u32>,
}

impl State {
    /// The agency; `None` only before the store is founded.
    pub const fn agency(&self) -> Option<&Agency> {
        self.agency.as_ref()
    }

    /// The agency's name, or nothing before the store is founded.
    pub fn agency_name(&self) -> &str {
        self.agency.as_ref().map_or("", |a| a.name.as_str())
    }

    /// The policy in force.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What is remembered of the store's header.
    pub const fn header(&self) -> &HeaderMark {
        &self.header
    }

    /// All operators, by id.
    pub fn operators(&self) -> impl Iterator<Item = &Operator> {
        self.operators.values()
    }

    /// One operator.
    pub fn operator(&self, id: OperatorId) -> Option<&Operator> {
        self.operators.get(&id)
    }

    /// The operator of that name, compared as names are; the one who writes it just so before any other.
    pub fn operator_named(&self, name: &str) -> Option<&Operator> {
        let wanted = super::name::fold(name);
        let mut same = self.operators.values().filter(|o| o.name.folded() == wanted);
        let first = same.next();
        let exact = first.into_iter().chain(same).find(|o| o.name.as_str() == name);
        exact.or(first)
    }

    /// All locations, removed ones too, by id.
    pub fn locations(&self) -> impl Iterator<Item = &Location> {
        self.locations.values()
    }

    /// One location.
    pub fn location(&self, id: LocationId) -> Option<&Location> {
        self.locations.get(&id)
    }

    /// The open location of that name.
    pub fn location_named(&self, name: &Name) -> Option<&Location> {
        let wanted = name.folded();
        let likely = self.location_names.likely((), &wanted).filter_map(|id| self.location(id));
        likely.filter(|l| l.name.folded() == wanted).min_by_key(|l| l.id)
    }

    /// One key, whoever owns it. Only for rules and verification; screens and commands go through a view.
    pub fn key(&self, id: KeyId) -> Option<&Key> {
        self.keys.get(id)
    }

    /// All keys, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// Those of them from this place on, which it takes no time to find.
    pub fn keys_from(&self, place: usize) -> impl Iterator<Item = &Key> {
        self.keys.iter_from(place)
    }

    /// How many keys there are, in any state.
    pub fn key_count(&self) -> usize {
        self.keys.len()
    }

    /// The keys of one owner, in no order.
    pub fn keys_of(&self, owner: OperatorId) -> impl Iterator<Item = &Key> {
        self.at(self.by_owner.get(&owner))
    }

    /// A live key of that owner and name.
    pub fn live_key_named(&self, owner: OperatorId, name: &Name, now: Timestamp) -> Option<&Key> {
        let wanted = name.folded();
        let mut likely = self.key_names.likely(owner, &wanted).filter_map(|mark| self.keys.at(mark));
        likely.find(|k| k.owner == owner && k.state(now).is_live() && k.name.folded() == wanted)
    }

    /// The keys of one location, whoever owns them, in no order.
    pub fn keys_at(&self, location: LocationId) -> impl Iterator<Item = &Key> {
        self.at(self.by_location.get(&location))
    }

    fn at<'s>(&'s self, marks: Option<&'s Marks>) -> impl Iterator<Item = &'s Key> {
        marks.into_iter().flat_map(Marks::iter).filter_map(|mark| self.keys.at(*mark))
    }

    /// All apps, deleted ones too, by id.
    pub fn apps(&self) -> impl Iterator<Item = &App> {
        self.apps.values()
    }

    /// One app, whoever owns it. Only for rules and verification; screens and commands go through a view.
    pub fn app(&self, id: AppId) -> Option<&App> {
        self.apps.get(&id)
    }

    /// An app of that owner and name, but for deleted ones and for `but`.
    pub fn app_named(&self, owner: OperatorId, name: &Name, but: Option<AppId>) -> Option<&App> {
        let wanted = name.folded();
        let mut likely = self.app_names.likely(owner, &wanted).filter_map(|id| self.app(id));
        likely.find(|a| a.owner == owner && Some(a.id) != but && a.name.folded() == wanted)
    }

    /// The apps of one owner, by id.
    pub fn apps_of(&self, owner: OperatorId) -> impl Iterator<Item = &App> {
        self.apps.values().filter(move |app| app.owner == owner)
    }

    /// The keys of one app, whoever owns them, in no order.
    pub fn keys_of_app(&self, app: AppId) -> impl Iterator<Item = &Key> {
        self.at(self.by_app.get(&app))
    }

    /// The access tokens of an app that were revoked and may not have ended yet.
    pub fn revoked_tokens(&self, app: AppId) -> &[Revoked] {
        self.revoked.get(&app).map_or(&[], |revoked| &revoked.tokens)
    }

    /// The keys that sign access tokens.
    pub const fn signing(&self) -> &SigningKeys {
        &self.signing
    }

    /// The notices a key was given; `None` when it was never given any.
    pub fn cycle(&self, key: KeyId) -> Option<&Cycle> {
        self.cycles.get(&key).map(AsRef::as_ref)
    }

    /// The deletions that wait for a word.
    pub const fn hold(&self) -> &Hold {
        &self.hold
    }

    /// The last lockdown of something, whether or not it stands.
    pub(super) fn last_lockdown(&self, extent: Extent) -> Option<&Lockdown> {
        self.lockdowns.get(&extent)
    }

    /// The last lockdowns of everything.
    pub(super) fn last_lockdowns(&self) -> impl Iterator<Item = (Extent, &Lockdown)> {
        self.lockdowns.iter().map(|(extent, lockdown)| (*extent, lockdown))
    }

    /// Whether nothing was ever locked down.
    pub(super) fn has_no_lockdowns(&self) -> bool {
        self.lockdowns.is_empty()
    }

    /// What is remembered of a channel; `None` when nothing was ever delivered through it.
    pub fn channel(&self, name: ChannelName) -> Option<&Channel> {
        self.channels.get(&name)
    }

    /// All channels that something was delivered through, by name.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values()
    }

    /// Which records are vouched for.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Takes over what is vouched for.
    pub fn believe(&mut self, proof: Arc<Proof>) {
        self.proof = proof;
    }

    /// Learns of a record that nobody vouches for.
    pub fn doubt(&mut self, at: RecordKey) {
        Arc::make_mut(&mut self.proof).doubt([at], Against::Silence);
    }

    /// What is known of a key's use.
    pub fn usage(&self, id: KeyId) -> Usage {
        self.usage_of(*id.public())
    }

    /// What is known of the use of an app's access tokens.
    pub fn app_usage(&self, id: AppId) -> Usage {
        self.usage_of(*id.public())
    }

    /// What is noted under an id, whatever it is of.
    pub fn usage_of(&self, id: PublicId) -> Usage {
        self.uses.usage(self.whose(id))
    }

    /// Where what is noted under an id came from, whatever it is of.
    pub fn trace_of(&self, id: PublicId) -> Option<&Trace> {
        self.uses.trace(self.whose(id))
    }

    /// The app of whose secrets one has its use noted under this id.
    pub fn app_noting(&self, id: PublicId) -> Option<&App> {
        self.app(*self.secrets.get(&id)?)
    }

    /// Adds what the store says of a use: what one process wrote down, and others that write to it.
    pub fn merge_use(&mut self, id: PublicId, said: Usage) {
        let whose = self.whose(id);
        self.uses.set_usage(whose, self.uses.usage(whose).merged(said));
    }

    /// Adds observed use of a key or an app to what is known; times only move forward.
    pub fn note_use(&mut self, id: PublicId, seen: Usage) {
        let whose = self.whose(id);
        let before = self.uses.usage(whose);
        let mut after = before.merged(seen);
        // A use a wrong clock saw in the future must not hide those that follow it.
        if let (Some(known), Some(last)) = (before.last_used_at, seen.last_used_at)
            && known.since(last) > USE_DISORDER_MS
        {
            after.last_used_at = Some(last);
        }
        self.uses.set_usage(whose, after);
    }

    /// Since when no use was lost; `None` where none can be vouched for.
    pub const fn uses_since(&self) -> Option<Timestamp> {
        self.uses_since
    }

    /// Says since when no use was lost.
    pub fn know_uses_since(&mut self, since: Option<Timestamp>) {
        self.uses_since = since;
    }

    /// Where a key was used from and what for; nothing when no request ever said.
    pub fn trace(&self, id: KeyId) -> Option<&Trace> {
        self.trace_of(*id.public())
    }

    /// Where an app's access tokens were used from and what for.
    pub fn app_trace(&self, id: AppId) -> Option<&Trace> {
        self.trace_of(*id.public())
    }

    /// Adds what a use left behind to what is known, and forgets scopes the key or app does not hold any more.
    pub fn note_trace(&mut self, id: PublicId, seen: &Trace) {
        if seen.is_empty() {
            return;
        }
        let whose = self.whose(id);
        let held = match self.keys.get(KeyId(id)) {
            Some(key) => &key.scopes,
            None => match self.apps.get(&AppId(id)).or_else(|| self.apps.get(self.secrets.get(&id)?)) {
                Some(app) => &app.scopes,
                None => return,
            },
        };
        let mut trace = self.uses.trace(whose).cloned().unwrap_or_default();
        trace.merge(seen);
        trace.keep(held);
        self.uses.set_trace(whose, Some(trace));
    }

    /// Puts what is known of the use of a key or an app in place of what was known.
    pub fn put_use(&mut self, id: PublicId, known: Usage, trace: Option<Trace>) {
        let whose = self.whose(id);
        self.uses.set_usage(whose, known);
        self.uses.set_trace(whose, trace);
    }

    /// Under what the use of that is noted.
    fn whose(&self, id: PublicId) -> Under {
        Under { id, place: self.keys.mark(KeyId(id)) }
    }

    /// Live keys of one owner: what the quota counts.
    pub fn live_keys_of(&self, owner: OperatorId, now: Timestamp) -> usize {
        let elsewhere =
            self.census.iter().filter(|((whose, _), _)| *whose == owner).map(|(_, n)| *n as usize);
        self.lives.get(&owner).map_or(0, |lives| lives.live(now)) + elsewhere.sum::<usize>()
    }

    /// Live keys of one location, whoever owns them.
    pub fn live_keys_at(&self, location: LocationId, now: Timestamp) -> usize {
        let here = self.keys_at(location).filter(|k| k.state(now).is_live()).count();
        here + self.counted_in(Place::Location(location))
    }

    /// Live keys of one app, whoever owns them.
    pub fn live_keys_of_app(&self, app: AppId, now: Timestamp) -> usize {
        let here = self.keys_of_app(app).filter(|k| k.state(now).is_live()).count();
        here + self.counted_in(Place::App(app))
    }

    /// Live keys that are not held here.
    pub fn keys_elsewhere(&self) -> usize {
        self.census.values().map(|count| *count as usize).sum()
    }

    /// Live keys of one place that are not held here.
    fn counted_in(&self, place: Place) -> usize {
        self.census.iter().filter(|((_, at), _)| *at == place).map(|(_, n)| *n as usize).sum()
    }

    /// Says how many live keys are not held here, by owner and place.
    pub fn set_census(&mut self, census: BTreeMap<(OperatorId, Place), u32>) {
        self.census = census;
    }

    /// Makes room for so many more keys.
    pub fn reserve(&mut self, keys: usize) {
        self.keys.reserve(keys);
        self.key_names.reserve(keys);
        self.uses.reserve(keys);
    }

    /// Puts one record in place of what was there.
    pub fn put(&mut self, record: Record) {
        match record {
            Record::Agency(agency) => {
                self.put_lockdown(Extent::Agency, agency.lockdown.as_deref());
                self.agency = Some(agency);
            }
            Record::Policy(policy) => self.policy = policy,
            Record::Header(header) => self.header = header,
            Record::Operator(operator) => {
                self.put_lockdown(Extent::Owner(operator.id), operator.lockdown.as_deref());
                self.operators.insert(operator.id, operator);
            }
            Record::Location(location) => self.put_location(location),
            Record::Key(key) => self.put_key(key),
            Record::Signing(keys) => self.signing = keys,
            Record::App(app) => self.put_app(app),
            Record::Revoked(revoked) => {
                self.revoked.insert(revoked.app, revoked);
            }
            Record::Cycle(cycle) if cycle.is_empty() => drop(self.cycles.remove(&cycle.key)),
            Record::Cycle(cycle) => drop(self.cycles.insert(cycle.key, Box::new(cycle))),
            Record::Hold(hold) => self.hold = hold,
            Record::Channel(channel) => drop(self.channels.insert(channel.name, channel)),
        }
    }

    fn put_lockdown(&mut self, extent: Extent, last: Option<&Lockdown>) {
        match last {
            Some(last) => drop(self.lockdowns.insert(extent, last.clone())),
            None => drop(self.lockdowns.remove(&extent)),
        }
    }

    fn put_location(&mut self, location: Location) {
        let id = location.id;
        self.put_lockdown(Extent::Location(id), location.lockdown.as_deref());
        let name = location.is_open().then(|| location.name.clone());
        let before = self.locations.insert(id, location).filter(Location::is_open);
        if let Some(before) = before {
            self.location_names.take((), &before.name.folded(), id);
        }
        if let Some(name) = name {
            self.location_names.put((), &name.folded(), id);
        }
    }

    fn put_app(&mut self, app: App) {
        self.put_lockdown(Extent::App(app.id), app.lockdown.as_deref());
        if let Some(trace) = self.uses.trace_mut(Under { id: *app.id.public(), place: None }) {
            trace.keep(&app.scopes);
        }
        let (id, owner) = (app.id, app.owner);
        let name = (!app.is_deleted()).then(|| app.name.clone());
        for noted in self.apps.get(&id).into_iter().flat_map(App::notes_uses) {
            self.secrets.remove(&noted);
        }
        self.secrets.extend(app.notes_uses().map(|noted| (noted, id)));
        let before = self.apps.insert(id, app).filter(|before| !before.is_deleted());
        if let Some(before) = before {
            self.app_names.take(before.owner, &before.name.folded(), id);
        }
        if let Some(name) = name {
            self.app_names.put(owner, &name.folded(), id);
        }
    }

    fn put_key(&mut self, key: Key) {
        let (id, owner, place) = (*key.id.public(), key.owner, key.place);
        let live = Life::of(&key);
        let Some((mark, before)) = self.keys.put(key) else { return };
        let whose = Under { id, place: Some(mark) };
        if before.is_none() {
            self.uses.place(whose);
        }
        if let (Some(trace), Some(key)) = (self.uses.trace_mut(whose), self.keys.at(mark)) {
            trace.keep(&key.scopes);
        }
        self.renew_life(mark, before.as_ref().and_then(Life::of), live);
        if let Some(before) = before.filter(|before| before.owner != owner)
            && let Some(owned) = self.by_owner.get_mut(&before.owner)
        {
            owned.take(mark);
        }
        self.by_owner.entry(owner).or_default().put(mark);
        if let Some(location) = place.location() {
            self.by_location.entry(location).or_default().put(mark);
        }
        if let Some(app) = place.app() {
            self.by_app.entry(app).or_default().put(mark);
        }
    }

    /// What is counted and unique of a key was `before` and is `after`.
    fn renew_life(&mut self, mark: ShelfMark, before: Option<Life>, after: Option<Life>) {
        if before == after {
            return;
        }
        if let Some(Life { owner, name, expiry }) = before {
            self.key_names.take(owner, &name.folded(), mark);
            if let Some(lives) = self.lives.get_mut(&owner) {
                lives.take(expiry);
            }
        }
        if let Some(Life { owner, name, expiry }) = after {
            self.key_names.put(owner, &name.folded(), mark);
            self.lives.entry(owner).or_default().put(expiry);
        }
    }

    /// Applies one event.
    pub fn apply(&mut self, event: &Event) {
        for record in event.records() {
            self.put(record);
        }
    }
}

/// What the quota and the rule of different names need to know of a key that nobody has ended and no other took over from.
#[derive(PartialEq)]
struct Life {
    owner: OperatorId,
    name: Name,
    expiry: Expiry,
}

impl Life {
    fn of(key: &Key) -> Option<Self> {
        let counts = !key.is_ended() && key.superseded.is_none();
        counts.then(|| Self { owner: key.owner, name: key.name.clone(), expiry: key.expiry })
    }
}
