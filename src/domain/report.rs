//! How an operator's keys and apps are doing, in numbers: by state, age, end, use and risk, where they belong and whose they
//! are. Of keys each number is that of the rows which a filter line lets through, and says which; a lineage counts once, as
//! in every list. Beside them what became of keys in the last days.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::filter::keys::exactly;
use super::review::{Concern, Review, Reviewer};
use super::time::DAY_MS;
use super::{App, AppStatus, Bearer, Key, KeyState, LastUse, OperatorId, Place, Status, Timestamp};

/// How many there are of something, each kind by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Agency keys.
    pub agency: usize,
    /// Location keys.
    pub location: usize,
    /// Keys of apps.
    pub app: usize,
    /// Apps themselves.
    pub apps: usize,
}

impl Count {
    /// All of them.
    pub const fn total(self) -> usize {
        self.agency + self.location + self.app + self.apps
    }

    const fn add(&mut self, place: Place) {
        let kind = match place {
            Place::Agency => &mut self.agency,
            Place::Location(_) => &mut self.location,
            Place::App(_) => &mut self.app,
        };
        *kind += 1;
    }

    fn join(&mut self, other: Self) {
        self.agency += other.agency;
        self.location += other.location;
        self.app += other.app;
        self.apps += other.apps;
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// How keys stand.
    State,
    /// When live keys end.
    End,
    /// When they were used last.
    Use,
    /// When they were issued.
    Age,
    /// What a review says against keys and apps.
    Risk,
    /// Which locations and apps have the most live keys.
    Place,
    /// Who owns the most.
    Owner,
    /// How apps stand.
    AppState,
    /// When apps that are not deleted were used last.
    AppUse,
    /// When they were made.
    AppAge,
}

impl Topic {
    /// Its word for scripts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::End => "end",
            Self::Use => "use",
            Self::Age => "age",
            Self::Risk => "risk",
            Self::Place => "place",
            Self::Owner => "owner",
            Self::AppState => "app_state",
            Self::AppUse => "app_use",
            Self::AppAge => "app_age",
        }
    }

    /// Its heading for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::State => "State",
            Self::End => "End of live keys",
            Self::Use => "Last use of live keys",
            Self::Age => "Age of live keys",
            Self::Risk => "Said in the review",
            Self::Place => "Live keys by location or app",
            Self::Owner => "Live keys by owner",
            Self::AppState => "Apps",
            Self::AppUse => "Last use of apps",
            Self::AppAge => "Age of apps",
        }
    }
}

/// One number, and what it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// For scripts; of a location, an app or an owner its name.
    pub code: String,
    /// For people.
    pub words: String,
    /// The filter line that leads to these: of keys for lists of keys, of what is said for the review, of apps for theirs.
    /// Empty where there is none.
    pub filter: String,
    /// How many.
    pub count: Count,
}

/// What is counted of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What.
    pub topic: Topic,
    /// In their own order; places and owners with the most first.
    pub blocks: Vec<Block>,
}

/// What became of keys in the last days, as far as their records are still there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lately {
    /// Issued, decoys left out.
    pub issued: Count,
    /// Taken over from another system.
    pub imported: Count,
    /// Made to take over from another key.
    pub rotated: Count,
    /// Revoked, but not as the old half of a rotation.
    pub revoked: Count,
    /// Ended by themselves.
    pub expired: Count,
    /// Deleted, by somebody or for want of use.
    pub deleted: Count,
}

impl Lately {
    /// All of it, with a word for scripts and one for people.
    pub const fn all(&self) -> [(&'static str, &'static str, Count); 6] {
        [
            ("issued", "issued", self.issued),
            ("imported", "imported", self.imported),
            ("rotated", "rotated", self.rotated),
            ("revoked", "revoked", self.revoked),
            ("expired", "expired", self.expired),
            ("deleted", "deleted", self.deleted),
        ]
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// As of when.
    pub at: Timestamp,
    /// Since when [`Report::lately`] counts.
    pub since: Timestamp,
    /// What there is.
    pub sections: Vec<Section>,
    /// What became of keys.
    pub lately: Lately,
}

impl Report {
    /// Days that are looked back on unless somebody says otherwise.
    pub const DAYS: u32 = 30;
    /// Places and owners that are named.
    pub const NAMED: usize = 10;
}

/// A block of fixed meaning: its word for scripts, that for people, and its filter.
type Bin = (&'static str, &'static str, &'static str);

const STATES: [Bin; 7] = [
    ("active", "active", "state:active"),
    ("paused", "paused", "state:paused NOT state:decoy"),
    ("decoy", "decoys", "state:decoy state:live"),
    ("superseded", "old halves alone", "NOT state:live NOT state:ended"),
    ("expired", "expired", "state:expired"),
    ("revoked", "revoked", "state:ended NOT state:expired"),
    ("deleted", "deleted", "state:deleted"),
];
const ENDS: [Bin; 4] = [
    ("within_7_days", "within 7 days", "expires<7d"),
    ("within_30_days", "8 to 30 days", "expires<30d NOT expires<7d"),
    ("later", "later", "expires>30d NOT expires:never"),
    ("never", "never", "expires:never"),
];
const USES: [Bin; 6] = [
    ("within_a_day", "within a day", "used<1d"),
    ("within_30_days", "2 to 30 days ago", "used<30d NOT used<1d"),
    ("within_90_days", "31 to 90 days ago", "used<90d NOT used<30d"),
    ("longer_ago", "longer ago", "used>90d"),
    ("never", "never used", "used:never"),
    ("unknown", "not known", "used:unknown"),
];
const AGES: [Bin; 3] = [
    ("up_to_90_days", "up to 90 days", "created<90d"),
    ("up_to_a_year", "up to a year", "created<1y NOT created<90d"),
    ("older", "older", "created>1y"),
];
/// That a key never ends is among the ends.
const RISKS: [(&str, &str); 11] = [
    ("admin_scopes_unneeded", "admin scopes never needed"),
    ("owner_disabled", "owner disabled"),
    ("presented_after_deletion", "deleted, still presented"),
    ("never_used", "never used"),
    ("unused", "unused for long"),
    ("denied_often", "refused often"),
    ("report_only_over", "report-only over"),
    ("scopes_unneeded", "scopes never needed"),
    ("not_rotated", "not rotated for a year"),
    ("same_name", "name used twice"),
    ("imported", "secret made elsewhere"),
];
const APP_STATES: [Bin; 3] = [
    ("active", "active", "state:active"),
    ("paused", "paused", "state:paused"),
    ("deleted", "deleted", "state:deleted"),
];

/// What comes before the filter of a part of the live keys.
const LIVE: &str = "state:live NOT state:decoy";

fn state_of(key: &Key, by: Reviewer<'_>) -> Option<usize> {
    let state = key.state(by.now);
    if state != KeyState::Deleted && by.view.is_folded(key, by.now) {
        return None;
    }
    Some(match state {
        KeyState::Active | KeyState::Paused if key.is_decoy() => 2,
        KeyState::Active => 0,
        KeyState::Paused => 1,
        KeyState::Superseded => 3,
        KeyState::Expired => 4,
        KeyState::Revoked => 5,
        KeyState::Deleted => 6,
    })
}

/// Which of the bounds, in days, it lies within.
fn within<const N: usize>(ms: i64, days: [i64; N]) -> usize {
    days.iter().position(|days| ms <= days * DAY_MS).unwrap_or(N)
}

fn end_of(key: &Key, now: Timestamp) -> usize {
    key.expiry.instant().map_or(3, |at| within(at.since(now), [7, 30]))
}

fn use_of(last: LastUse, now: Timestamp) -> usize {
    match last {
        LastUse::At(at) => within(now.since(at), [1, 30, 90]),
        LastUse::Never => 4,
        LastUse::NotKnown(_) => 5,
    }
}

fn age_of(made: Timestamp, now: Timestamp) -> usize {
    within(now.since(made), [90, 365])
}

/// A report while it is being made, some keys at a time.
#[derive(Debug)]
pub struct Counting {
    since: Timestamp,
    states: [Count; 7],
    ends: [Count; 4],
    uses: [Count; 6],
    ages: [Count; 3],
    places: HashMap<Place, Count>,
    owners: HashMap<OperatorId, Count>,
    app_states: [Count; 3],
    app_uses: [Count; 6],
    app_ages: [Count; 3],
    review: Review,
    lately: Lately,
}

fn note(counts: &mut [Count], at: usize, place: Place) {
    if let Some(count) = counts.get_mut(at) {
        count.add(place);
    }
}

fn note_app(counts: &mut [Count], at: usize) {
    if let Some(count) = counts.get_mut(at) {
        count.apps += 1;
    }
}

impl Counting {
    /// Nothing yet; what became of keys counts since then.
    pub fn new(since: Timestamp) -> Self {
        Self {
            since,
            states: Default::default(),
            ends: Default::default(),
            uses: Default::default(),
            ages: Default::default(),
            places: HashMap::new(),
            owners: HashMap::new(),
            app_states: Default::default(),
            app_uses: Default::default(),
            app_ages: Default::default(),
            review: Review::default(),
            lately: Lately::default(),
        }
    }

    /// Counts one key.
    pub fn add(&mut self, by: Reviewer<'_>, key: &Key) {
        let (place, now) = (key.place, by.now);
        self.review.add(by, key);
        self.add_lately(by, key);
        if let Some(state) = state_of(key, by) {
            note(&mut self.states, state, place);
        }
        // Of what is live nothing stands in another's row.
        if !key.state(now).is_live() || key.is_decoy() {
            return;
        }
        note(&mut self.ends, end_of(key, now), place);
        note(&mut self.uses, use_of(by.view.last_use(key), now), place);
        note(&mut self.ages, age_of(key.created_at, now), place);
        self.owners.entry(key.owner).or_default().add(place);
        if place != Place::Agency {
            self.places.entry(place).or_default().add(place);
        }
    }

    fn add_lately(&mut self, by: Reviewer<'_>, key: &Key) {
        let place = key.place;
        if key.created_at >= self.since && !key.is_decoy() {
            let made = if key.succeeds.is_some() {
                &mut self.lately.rotated
            } else if key.imported.is_some() {
                &mut self.lately.imported
            } else {
                &mut self.lately.issued
            };
            made.add(place);
        }
        // Its life goes on in the key that took over.
        if key.superseded.is_some() || by.view.is_folded(key, by.now) {
            return;
        }
        match key.status {
            Status::Revoked(at) if at >= self.since => self.lately.revoked.add(place),
            Status::Deleted(at) if at >= self.since => self.lately.deleted.add(place),
            Status::Active | Status::Paused(_) => {
                let ended = key.expiry.instant().filter(|at| *at <= by.now && *at >= self.since);
                if ended.is_some() {
                    self.lately.expired.add(place);
                }
            }
            Status::Revoked(_) | Status::Deleted(_) | Status::Purged(_) => {}
        }
    }

    /// Counts one app.
    pub fn add_app(&mut self, by: Reviewer<'_>, app: &App) {
        self.review.add_app(by, app);
        note_app(
            &mut self.app_states,
            match app.status {
                AppStatus::Active => 0,
                AppStatus::Paused(_) => 1,
                AppStatus::Deleted(_) => 2,
            },
        );
        if !app.is_deleted() {
            note_app(&mut self.app_uses, use_of(by.view.last_use_of_app(app), by.now));
            note_app(&mut self.app_ages, age_of(app.created_at, by.now));
        }
    }

    /// The whole of it after the last key and app.
    pub fn finish(self, by: Reviewer<'_>) -> Report {
        let place = |place| by.view.place_name(place).unwrap_or("?");
        let sections = vec![
            fixed(Topic::State, &STATES, &self.states, str::to_owned),
            fixed(Topic::End, &ENDS, &self.ends, live),
            fixed(Topic::Use, &USES, &self.uses, live),
            fixed(Topic::Age, &AGES, &self.ages, live),
            risks(by, self.review),
            named(Topic::Place, "at", self.places, place),
            named(Topic::Owner, "owner", self.owners, |owner| by.view.name_of(owner)),
            fixed(Topic::AppState, &APP_STATES, &self.app_states, str::to_owned),
            fixed(Topic::AppUse, &USES, &self.app_uses, |_| String::new()),
            fixed(Topic::AppAge, &AGES, &self.app_ages, |_| String::new()),
        ];
        Report { at: by.now, since: self.since, sections, lately: self.lately }
    }
}

fn live(filter: &str) -> String {
    format!("{LIVE} {filter}")
}

fn fixed(topic: Topic, bins: &[Bin], counts: &[Count], filter: impl Fn(&str) -> String) -> Section {
    let block = |((code, words, wanted), count): (&Bin, &Count)| Block {
        code: (*code).to_owned(),
        words: (*words).to_owned(),
        filter: filter(wanted),
        count: *count,
    };
    // Few keys are a decoy, or an old half whose other half is gone.
    let rare = ["decoy", "superseded"];
    let all = bins.iter().zip(counts).filter(|((code, ..), count)| !rare.contains(code) || count.total() > 0);
    Section { topic, blocks: all.map(block).collect() }
}

/// How often each thing is said of keys and apps in the list of the review.
fn risks(by: Reviewer<'_>, review: Review) -> Section {
    // Looked through while it changed, one may have been seen twice.
    let rows: BTreeMap<Bearer, _> = review.finish(by).into_iter().map(|row| (row.who, row)).collect();
    let mut counts: HashMap<&'static str, Count> = HashMap::new();
    for row in rows.values() {
        for code in by.of(row).into_iter().map(Concern::code) {
            let count = counts.entry(code).or_default();
            match row.who {
                Bearer::App(_) => count.apps += 1,
                Bearer::Key(id) => {
                    if let Some(key) = by.view.key(id) {
                        count.add(key.place);
                    }
                }
            }
        }
    }
    let block = |(code, words): &(&str, &str)| Block {
        code: (*code).to_owned(),
        words: (*words).to_owned(),
        filter: format!("why:{code}"),
        count: counts.get(code).copied().unwrap_or_default(),
    };
    Section { topic: Topic::Risk, blocks: RISKS.iter().map(block).collect() }
}

/// Those with the most. What is called the same is told as one: the filter cannot tell it apart.
fn named<'a, K>(
    topic: Topic,
    field: &str,
    counts: HashMap<K, Count>,
    name: impl Fn(K) -> &'a str,
) -> Section {
    let mut all: BTreeMap<String, (&str, Count)> = BTreeMap::new();
    for (what, count) in counts {
        let name = name(what);
        let (first, sum) = all.entry(exactly(name)).or_insert((name, Count::default()));
        *first = name.min(*first);
        sum.join(count);
    }
    let mut all: Vec<_> = all.into_values().collect();
    all.sort_by_key(|(name, count)| (Reverse(count.total()), *name));
    let block = |(name, count): (&str, Count)| Block {
        code: name.to_owned(),
        words: name.to_owned(),
        filter: live(&format!("{field}:=\"{}\"", name.replace('"', ""))),
        count,
    };
    Section { topic, blocks: all.into_iter().take(Report::NAMED).map(block).collect() }
}

/// The whole report as an operator may see it.
pub fn report(by: Reviewer<'_>, since: Timestamp) -> Report {
    let mut counting = Counting::new(since);
    for key in by.view.keys() {
        counting.add(by, key);
    }
    for app in by.view.apps() {
        counting.add_app(by, app);
    }
    counting.finish(by)
}

#[cfg(test)]
mod tests;
