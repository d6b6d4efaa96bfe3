//! Who and what there is in a large sample store before its first key: operators, locations, apps.

use std::sync::Arc;

use super::{Halt, Hear, SPAN_MS, Size, Stage, failed, tell};
use crate::crypto::keyfile::{self, KeyFileSecret};
use crate::crypto::random::{self, OsEntropy};
use crate::domain::catalog::{AuthMethod, Level};
use crate::domain::command::MAX_LOCATIONS_AT_ONCE;
use crate::domain::{
    AppId, Command, Event, LocationId, Name, NewApp, Note, Place, Profile, Refusal, Role, ScopeId, SourceApp,
    Url, UserType,
};
use crate::engine::demo::keys::{LOCATIONS, USES};
use crate::engine::demo::{Dice, PastClock, bad_text, refused, scopes_in, sign_in};
use crate::engine::{Brought, Done, Engine as _, LocalEngine, OpenError, Session};

const FIRST: [&str; 32] = [
    "Aiko", "Amara", "Anton", "Bruno", "Carla", "Chen", "Dana", "Elif", "Emil", "Farah", "Greta", "Hugo",
    "Ines", "Ivan", "Jonas", "Kaya", "Lena", "Luca", "Mila", "Nadia", "Nils", "Olga", "Omar", "Priya",
    "Quinn", "Rosa", "Sam", "Sofia", "Tomás", "Uma", "Yusuf", "Zoë",
];
const LAST: [&str; 32] = [
    "Adler", "Bauer", "Costa", "Dubois", "Eriksen", "Ferrari", "Garcia", "Haas", "Ito", "Jansen", "Kaplan",
    "Lopez", "Meyer", "Novak", "Okafor", "Petrov", "Quist", "Rossi", "Silva", "Tanaka", "Ueda", "Vogel",
    "Weber", "Xu", "Yilmaz", "Zeman", "Brandt", "Cohen", "Drake", "Fischer", "Hansen", "Moreau",
];
const AGENCY: [(&str, &str); 6] = [
    ("Nightly export", "accounting-export"),
    ("Marketing automation", "marketing-automation"),
    ("Data warehouse", "read-only"),
    ("Lead forms", "lead-capture"),
    ("Roll-out", "agency-roll-out"),
    ("Receipts mailer", "mailer"),
];
const APPS: [(&str, &str); 4] = [
    ("Booking bot", "booking-widget"),
    ("Web shop", "webstore"),
    ("Insights", "read-only"),
    ("Campaign", "lead-capture"),
];
/// Most locations and apps there are, however many keys.
const MOST_LOCATIONS: usize = 4_000;
const MOST_APPS: usize = 2_500;
/// Keys an app of a large store gets at most.
const KEYS_OF_APP: usize = 24;

/// What a key is called and may do.
pub(super) struct Kind {
    pub title: &'static str,
    pub scopes: Vec<String>,
    /// What its requests need.
    pub needs: Option<ScopeId>,
}

struct App {
    owner: usize,
    id: AppId,
    name: String,
    kind: usize,
    room: usize,
}

/// Where a key shall be, and how it is called there.
pub(super) struct Spot {
    pub owner: usize,
    pub place: Place,
    pub kind: usize,
    pub name: String,
}

/// See the module.
pub(super) struct Town {
    pub engine: Arc<LocalEngine>,
    /// The founder first.
    pub people: Vec<Session>,
    owners: Vec<usize>,
    locations: Vec<(LocationId, String)>,
    apps: Vec<App>,
    /// Of the agency, of locations, of apps, one after another.
    pub kinds: Vec<Kind>,
    pub clock: Arc<PastClock>,
    pub dice: Dice,
    pub size: Size,
}

impl Town {
    /// Nobody but the founder is there.
    pub fn new(engine: Arc<LocalEngine>, founder: Session, clock: Arc<PastClock>, size: Size) -> Self {
        let levels = [(Level::Agency, &AGENCY[..]), (Level::Location, &USES[..]), (Level::App, &APPS[..])];
        let mut kinds = Vec::new();
        for (level, all) in levels {
            for (title, preset) in all {
                let mut scopes = scopes_in(engine.catalog(), preset, level, AuthMethod::ApiKey);
                if scopes.is_empty() {
                    // A catalog of one's own may have other presets.
                    let allowed = engine.catalog().allowed_for(level, AuthMethod::ApiKey);
                    scopes.extend(allowed.take(3).map(|permission| permission.id.to_string()));
                }
                let needs = scopes.first().and_then(|scope| scope.parse().ok());
                kinds.push(Kind { title, scopes, needs });
            }
        }
        Self {
            engine,
            people: vec![founder],
            owners: vec![0],
            locations: Vec::new(),
            apps: Vec::new(),
            kinds,
            clock,
            dice: Dice(size.seed),
            size,
        }
    }

    /// Somebody has something done.
    pub fn act(&self, who: usize, command: Command) -> Result<Done, Halt> {
        let session = self.people.get(who).ok_or(OpenError::NoOperator)?;
        Ok(self.engine.execute(session, command)?)
    }

    /// Operators, locations and apps come.
    pub fn settle_down(&mut self, hear: Hear<'_>) -> Result<(), Halt> {
        self.clock.set(SPAN_MS);
        let Size { keys, operators, .. } = self.size;
        // A lucky owner has a few times as many as another.
        let most = (keys.saturating_mul(4) / operators.max(1)).saturating_add(50).min(1_000_000);
        for (name, value) in [
            ("keys-per-operator", most.to_string()),
            ("issue-agency", "manager".into()),
            ("issue-app", "manager".into()),
        ] {
            self.act(0, Command::SetPolicy { name: name.into(), value, basis: None })?;
        }
        for n in 1..operators {
            if n % 16 == 1 {
                tell(hear, Stage::Operators, n, operators)?;
            }
            self.add_operator(n)?;
        }
        self.add_locations()?;
        self.add_apps()
    }

    /// In a directory each has a key file that nobody keeps: who is to sign in is given a passphrase by an admin.
    fn add_operator(&mut self, n: usize) -> Result<(), Halt> {
        let called = format!("{} {}", at(&FIRST, n), at(&LAST, n / FIRST.len() + n));
        let role = if n % 50 == 1 {
            Role::Admin
        } else if n % 20 == 7 {
            Role::Viewer
        } else {
            Role::Manager
        };
        let content: [u8; keyfile::LEN] = random::bytes(&mut OsEntropy).map_err(failed)?;
        let secret = KeyFileSecret::received(&content);
        let command = Command::AddOperator { name: named(&called)?, role };
        let founder = self.people.first().ok_or(OpenError::NoOperator)?;
        let brought = secret.as_ref().map_or(Brought::Nothing, Brought::KeyFile);
        let done = self.engine.act(founder, command, brought)?;
        for event in &done.events {
            if let Event::OperatorAdded(operator) = event {
                if operator.may_own() {
                    self.owners.push(self.people.len());
                }
                self.people.push(sign_in(operator.id)?);
            }
        }
        Ok(())
    }

    fn add_locations(&mut self) -> Result<(), Halt> {
        let all = (self.size.keys / 150).clamp(1, MOST_LOCATIONS);
        let called = |n: usize| match n / LOCATIONS.len() {
            0 => at(&LOCATIONS, n).to_owned(),
            round => format!("{} {}", at(&LOCATIONS, n), round + 1),
        };
        for first in (0..all).step_by(MAX_LOCATIONS_AT_ONCE) {
            let last = all.min(first + MAX_LOCATIONS_AT_ONCE);
            let names = (first..last).map(|n| named(&called(n))).collect::<Result<Vec<_>, _>>()?;
            self.act(0, Command::AddLocations(names))?;
        }
        let state = self.engine.state();
        let mut locations: Vec<_> = state.locations().map(|l| (l.id, l.name.to_string())).collect();
        drop(state);
        // By name: ids are random, and the story is to be the same.
        locations.sort_unstable_by(|(_, a), (_, b)| a.cmp(b));
        self.locations = locations;
        Ok(())
    }

    fn add_apps(&mut self) -> Result<(), Halt> {
        let all = (self.size.keys / 200).clamp(1, MOST_APPS);
        let first = AGENCY.len() + USES.len();
        for n in 0..all {
            let owner = self.owner();
            let at = first + n % APPS.len();
            let Some(kind) = self.kinds.get(at) else { continue };
            let name = format!("{} {}", kind.title, n + 1);
            let url = |path: &str| {
                let text = format!("https://app{n}.acme-wellness.example{path}");
                Url::new(&text).map_err(|why| refused(Refusal::BadUrl { field: "URI", why }))
            };
            let profile = Profile {
                uri: url("")?,
                description: Note::default(),
                user_type: UserType::Guest,
                source: if n.is_multiple_of(3) { SourceApp::Bot } else { SourceApp::ClientApp },
                post_login: vec![url("/callback")?],
                post_logout: Vec::new(),
            };
            let new = NewApp {
                name: named(&name)?,
                profile,
                method: AuthMethod::ApiKey,
                scopes: kind.scopes.clone(),
                terms: crate::domain::Terms::default(),
            };
            let done = self.act(owner, Command::CreateApp(new))?;
            for event in &done.events {
                if let Event::AppCreated(app) = event {
                    self.apps.push(App {
                        owner,
                        id: app.id,
                        name: name.clone(),
                        kind: at,
                        room: KEYS_OF_APP,
                    });
                }
            }
        }
        Ok(())
    }

    fn owner(&mut self) -> usize {
        self.dice.pick(&self.owners).copied().unwrap_or(0)
    }

    /// Where the next key shall be: half of them are the agency's. The number makes its name the only one.
    pub fn spot(&mut self, number: usize) -> Spot {
        let (agency, location) = (AGENCY.len(), USES.len());
        let share = self.dice.roll(100);
        if share < 8 {
            let app = self.throw(self.apps.len());
            if let Some(app) = self.apps.get_mut(app).filter(|app| app.room > 0) {
                app.room -= 1;
                let name = format!("{} {number}", app.name);
                return Spot { owner: app.owner, place: Place::App(app.id), kind: app.kind, name };
            }
        }
        let owner = self.owner();
        if share < 60 {
            let kind = self.throw(agency);
            let name = format!("{} {number}", self.title(kind));
            return Spot { owner, place: Place::Agency, kind, name };
        }
        let kind = agency + self.throw(location);
        let branch = self.dice.pick(&self.locations);
        let place = branch.map_or(Place::Agency, |(id, _)| Place::Location(*id));
        let name = format!("{} {} {number}", self.title(kind), branch.map_or("", |(_, name)| name));
        Spot { owner, place, kind, name }
    }

    fn throw(&mut self, sides: usize) -> usize {
        usize::try_from(self.dice.roll(sides as u64)).unwrap_or(0)
    }

    fn title(&self, kind: usize) -> &'static str {
        self.kinds.get(kind).map_or("Key", |kind| kind.title)
    }
}

pub(super) fn named(text: &str) -> Result<Name, OpenError> {
    Name::new(text).map_err(bad_text)
}

fn at<'o>(of: &[&'o str], n: usize) -> &'o str {
    of.get(n % of.len().max(1)).copied().unwrap_or_default()
}
