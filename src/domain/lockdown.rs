//! Lockdowns: while one stands, everything of an owner, a location, an app or the agency is refused, whatever else is true of
//! it. It is a part of the record of what it covers, so that one small record is written however many keys that are, and
//! lifting it touches no key: each is as it would be had nobody locked anything down. What is issued meanwhile is covered too.

mod stops;

use minicbor::{Decode, Encode};

pub use self::stops::{given_back, stops};
use super::{
    Agency, App, AppId, Audience, Key, Location, LocationId, Note, Operator, OperatorId, Place, Refusal,
    State, Timestamp, View,
};

/// What a lockdown covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Extent {
    /// Every key and app.
    #[n(0)]
    Agency,
    /// What this operator owns, with the keys of their apps.
    #[n(1)]
    Owner(#[n(0)] OperatorId),
    /// The keys of this location.
    #[n(2)]
    Location(#[n(0)] LocationId),
    /// This app, its keys and its access tokens.
    #[n(3)]
    App(#[n(0)] AppId),
}

impl Extent {
    /// Its word for scripts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Agency => "agency",
            Self::Owner(_) => "owner",
            Self::Location(_) => "location",
            Self::App(_) => "app",
        }
    }

    /// The id of what it covers; the agency has none.
    pub fn id(self) -> Option<String> {
        match self {
            Self::Agency => None,
            Self::Owner(id) => Some(id.to_string()),
            Self::Location(id) => Some(id.to_string()),
            Self::App(id) => Some(id.to_string()),
        }
    }
}

/// The last lockdown of something.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Lockdown {
    /// Since when it stands, or stood.
    #[n(0)]
    pub since: Timestamp,
    /// Who said so.
    #[n(1)]
    pub by: OperatorId,
    /// Why, as far as that was said.
    #[n(2)]
    pub why: Note,
    /// When it was lifted. Days without use count anew from then.
    #[n(3)]
    pub lifted: Option<Timestamp>,
}

impl Lockdown {
    /// The word of the trail for why.
    pub const WHY: &'static str = "why";

    /// Whether it is in force.
    pub const fn stands(&self) -> bool {
        self.lifted.is_none()
    }
}

/// The record that a lockdown is a part of.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "Audience")]
pub enum Locked {
    /// The agency.
    #[n(0)]
    Agency(#[n(0)] Agency),
    /// An owner.
    #[n(1)]
    Operator(#[n(0)] Operator),
    /// A location.
    #[n(2)]
    Location(#[n(0)] Location),
    /// An app.
    #[n(3)]
    App(#[n(0)] App),
}

impl Locked {
    /// The record of what is to be locked down or was.
    pub(super) fn find(state: &State, extent: Extent) -> Result<Self, Refusal> {
        match extent {
            Extent::Agency => state.agency().cloned().map(Self::Agency).ok_or(Refusal::SignedOut),
            Extent::Owner(id) => {
                state.operator(id).cloned().map(Self::Operator).ok_or(Refusal::NoSuchOperator)
            }
            Extent::Location(id) => {
                state.location(id).cloned().map(Self::Location).ok_or(Refusal::NoSuchLocation)
            }
            Extent::App(id) => state.app(id).cloned().map(Self::App).ok_or(Refusal::NoSuchApp),
        }
    }

    /// What it covers.
    pub const fn extent(&self) -> Extent {
        match self {
            Self::Agency(_) => Extent::Agency,
            Self::Operator(operator) => Extent::Owner(operator.id),
            Self::Location(location) => Extent::Location(location.id),
            Self::App(app) => Extent::App(app.id),
        }
    }

    /// The last lockdown of it.
    pub fn lockdown(&self) -> Option<&Lockdown> {
        match self {
            Self::Agency(agency) => agency.lockdown.as_deref(),
            Self::Operator(operator) => operator.lockdown.as_deref(),
            Self::Location(location) => location.lockdown.as_deref(),
            Self::App(app) => app.lockdown.as_deref(),
        }
    }

    /// The same record with another.
    #[must_use]
    pub(super) fn with(self, lockdown: Lockdown) -> Self {
        let lockdown = Some(Box::new(lockdown));
        match self {
            Self::Agency(agency) => Self::Agency(Agency { lockdown, ..agency }),
            Self::Operator(operator) => Self::Operator(Operator { lockdown, ..operator }),
            Self::Location(location) => Self::Location(Location { lockdown, ..location }),
            Self::App(app) => Self::App(App { lockdown, ..app }),
        }
    }
}

impl State {
    /// The lockdown of just this, while it stands.
    pub fn lockdown(&self, extent: Extent) -> Option<&Lockdown> {
        self.last_lockdown(extent).filter(|lockdown| lockdown.stands())
    }

    /// All that stand, the widest first.
    pub fn lockdowns(&self) -> impl Iterator<Item = (Extent, &Lockdown)> {
        self.last_lockdowns().filter(|(_, lockdown)| lockdown.stands())
    }

    /// Those that cover a key, the widest first.
    pub fn lockdowns_of_key(&self, key: &Key) -> impl Iterator<Item = (Extent, &Lockdown)> {
        let covering = self.covering(key.owner, key.place).into_iter().flatten();
        covering.filter_map(|extent| self.lockdown(extent).map(|lockdown| (extent, lockdown)))
    }

    /// Those that cover an app and its access tokens, the widest first.
    pub fn lockdowns_of_app(&self, app: &App) -> impl Iterator<Item = (Extent, &Lockdown)> {
        let covering = [Extent::Agency, Extent::Owner(app.owner), Extent::App(app.id)].into_iter();
        covering.filter_map(|extent| self.lockdown(extent).map(|lockdown| (extent, lockdown)))
    }

    /// When the last lockdown that covered a key was lifted.
    pub(super) fn lifted(&self, key: &Key) -> Option<Timestamp> {
        if self.has_no_lockdowns() {
            return None;
        }
        let covering = self.covering(key.owner, key.place).into_iter().flatten();
        covering.filter_map(|extent| self.last_lockdown(extent)?.lifted).max()
    }

    /// All that may cover a key of that owner and place. Where nothing was ever locked down no record is asked.
    fn covering(&self, owner: OperatorId, place: Place) -> [Option<Extent>; 5] {
        if self.has_no_lockdowns() {
            return [None; 5];
        }
        let app = place.app();
        [
            Some(Extent::Agency),
            Some(Extent::Owner(owner)),
            place.location().map(Extent::Location),
            app.map(Extent::App),
            app.and_then(|id| self.app(id))
                .filter(|app| app.owner != owner)
                .map(|app| Extent::Owner(app.owner)),
        ]
    }
}

impl<'a> View<'a> {
    /// The lockdowns that stand, of what the actor may know of, the widest first.
    pub fn lockdowns(&self) -> Vec<(Extent, &'a Lockdown)> {
        self.state().lockdowns().filter(|(extent, _)| self.knows(*extent)).collect()
    }

    /// Those that cover a key in view.
    pub fn lockdowns_of_key(&self, key: &Key) -> Vec<(Extent, &'a Lockdown)> {
        self.state().lockdowns_of_key(key).collect()
    }

    /// Those that cover an app in view.
    pub fn lockdowns_of_app(&self, app: &App) -> Vec<(Extent, &'a Lockdown)> {
        self.state().lockdowns_of_app(app).collect()
    }

    /// How many live keys of an operator are locked down with something: a number is no look at them.
    pub fn locked_down_of(&self, who: OperatorId, now: Timestamp) -> usize {
        let state = self.state();
        let is_locked = |key: &&Key| key.state(now).is_live() && state.lockdowns_of_key(key).next().is_some();
        state.keys_of(who).filter(is_locked).count()
    }

    /// Whether a key that the actor issues there would be covered by one.
    pub fn is_locked_down(&self, place: Place) -> bool {
        let covering = self.state().covering(self.actor().operator, place);
        covering.into_iter().flatten().any(|extent| self.state().lockdown(extent).is_some())
    }

    /// What is locked down, in words: `the agency`, `the keys and apps of jonas`.
    pub fn extent_in_words(&self, extent: Extent) -> String {
        match extent {
            Extent::Agency => "the whole agency".to_owned(),
            Extent::Owner(id) if id == self.actor().operator => "all your keys and apps".to_owned(),
            Extent::Owner(_) => format!("all keys and apps of {}", self.extent_name(extent)),
            Extent::Location(_) => format!("the location {}", self.extent_name(extent)),
            Extent::App(_) => format!("the app {}", self.extent_name(extent)),
        }
    }

    /// Who may lift a lockdown, in words.
    pub fn lifters_in_words(&self, extent: Extent, stands: &Lockdown) -> String {
        match extent {
            Extent::Owner(id) if stands.by == id => format!("{} or an admin", self.name_of(id)),
            Extent::Agency | Extent::Owner(_) | Extent::Location(_) | Extent::App(_) => "an admin".to_owned(),
        }
    }

    /// The name of what is locked down.
    pub fn extent_name(&self, extent: Extent) -> &'a str {
        match extent {
            Extent::Agency => self.agency_name(),
            Extent::Owner(id) => self.name_of(id),
            Extent::Location(id) => self.location(id).map_or("?", |location| location.name.as_str()),
            Extent::App(id) => self.app(id).map_or("?", |app| app.name.as_str()),
        }
    }

    /// Whether the actor sees what a lockdown covers.
    fn knows(&self, extent: Extent) -> bool {
        match extent {
            Extent::Agency | Extent::Location(_) => self.operator().is_some(),
            Extent::Owner(id) => self.sets_policy() || id == self.actor().operator,
            Extent::App(id) => self.app(id).is_some(),
        }
    }
}
