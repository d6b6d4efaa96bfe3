//! A store full of sample data, for `keydeck demo`: in memory, sealed like any other, gone when keydeck ends. Made
//! by running a year of real commands through the engine on a clock that catches up with now, so everything a
//! screen shows, the history included, came about the way it does in earnest.

mod apps;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use self::apps::AppPlan;
use super::clock::{Clock, Reading, SystemClock};
use super::denials::WINDOW_MS;
use super::open::{Open, in_memory};
use super::session::{Auth, Session, Via};
use super::{Engine, LocalEngine, OpenError, Origin};
use crate::crypto::random::OsEntropy;
use crate::domain::catalog::{AuthMethod, Level};
use crate::domain::name::BadText;
use crate::domain::time::DAY_MS;
use crate::domain::{
    Access, Actor, AppId, Command, Counted, Expiry, Grace, KeyId, KeysAfter, LocationId, Name, NewApp,
    NewKey, Note, OperatorId, Place, Refusal, Role, Rotation, Timestamp,
};
use crate::engine::EngineError;

/// How far back the story begins.
const STORY_DAYS: i64 = 420;

const OPERATORS: [(&str, Role); 6] = [
    ("jonas", Role::Admin),
    ("priya", Role::Manager),
    ("tomás", Role::Manager),
    ("aiko", Role::Manager),
    ("lena", Role::Manager),
    ("sam", Role::Viewer),
];

const LOCATIONS: [&str; 40] = [
    "Amsterdam Jordaan",
    "Antwerp Zuid",
    "Athens Kolonaki",
    "Barcelona Gràcia",
    "Basel Altstadt",
    "Berlin Mitte",
    "Berlin Prenzlauer Berg",
    "Bordeaux Chartrons",
    "Bristol Clifton",
    "Brussels Ixelles",
    "Cologne Ehrenfeld",
    "Copenhagen Nørrebro",
    "Dublin Docklands",
    "Düsseldorf Oberkassel",
    "Edinburgh New Town",
    "Florence Oltrarno",
    "Frankfurt Westend",
    "Geneva Eaux-Vives",
    "Ghent Centrum",
    "Hamburg Eppendorf",
    "Helsinki Kallio",
    "Kraków Kazimierz",
    "Leipzig Südvorstadt",
    "Lisbon Chiado",
    "London Marylebone",
    "London Shoreditch",
    "Lyon Presqu'île",
    "Madrid Salamanca",
    "Milan Brera",
    "Munich Schwabing",
    "Naples Chiaia",
    "Oslo Grünerløkka",
    "Paris Le Marais",
    "Paris Montmartre",
    "Porto Cedofeita",
    "Prague Vinohrady",
    "Rome Trastevere",
    "Stockholm Södermalm",
    "Vienna Neubau",
    "Zürich Seefeld",
];

/// Agency keys: name, preset, days old, life in days (0 never), days since last use (-1 never), fate, note.
const AGENCY_KEYS: [(&str, &str, i64, u32, i64, Fate, &str); 14] = [
    ("Marketing automation", "marketing-automation", 281, 365, 0, Fate::Lives, "campaign engine, EU cluster"),
    ("Nightly export", "accounting-export", 400, 0, 81, Fate::Lives, "warehouse load at 02:00"),
    ("Legacy CRM sync", "agency-roll-out", 359, 365, 3, Fate::Lives, "goes away with the old CRM"),
    ("Partner portal", "read-only", 120, 180, 1, Fate::Lives, ""),
    ("Data warehouse", "read-only", 203, 0, 0, Fate::Lives, "read replicas only"),
    ("Lead forms", "lead-capture", 88, 90, 0, Fate::Lives, "website forms, renewed each quarter"),
    ("Payroll bridge", "payroll-export", 62, 365, 6, Fate::Lives, ""),
    ("Receipts mailer", "mailer", 31, 365, 0, Fate::Lives, "sends receipts and reminders"),
    ("Migration 2025", "agency-roll-out", 410, 90, 330, Fate::Lives, "one-off import"),
    ("Chatbot pilot", "lead-capture", 150, 365, 40, Fate::Paused, "paused until the contract is signed"),
    (
        "Reporting (old)",
        "read-only",
        390,
        0,
        200,
        Fate::Revoked,
        "leaked in a ticket, replaced by Data warehouse",
    ),
    ("Audit snapshot", "read-only", 12, 30, -1, Fate::Lives, "for the auditors, one month"),
    ("Test key, please ignore", "lead-capture", 33, 0, -1, Fate::Deleted, ""),
    ("Webhook relay", "marketing-automation", 97, 0, 95, Fate::Lives, ""),
];

/// The key that another took over from just now, while its callers still have the old secret.
const ROTATED: &str = "Partner portal";

const USES: [(&str, &str); 6] = [
    ("Booking widget", "booking-widget"),
    ("Front desk", "front-desk"),
    ("Stock sync", "stock-sync"),
    ("Web shop", "webstore"),
    ("Door display", "read-only"),
    ("Reminder mails", "mailer"),
];

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Lives,
    Paused,
    Revoked,
    Deleted,
}

/// The machine's clock, some time ago.
struct PastClock {
    behind_ms: AtomicI64,
}

impl Clock for PastClock {
    fn read(&self) -> Reading {
        let now = SystemClock.read();
        let behind = self.behind_ms.load(Ordering::SeqCst);
        Reading { wall: Timestamp(now.wall.0 - behind), since_boot: now.since_boot - behind }
    }

    fn boot(&self) -> String {
        SystemClock.boot()
    }
}

/// What happens on a day of the story.
enum Scene {
    Act(usize, Command),
    Issue { by: usize, new: NewKey, last_use: Option<i64>, uses: u32, fate: Fate },
    Use(Vec<u8>),
    Refused(Vec<u8>),
    End(usize, KeyId, Fate),
    Create(usize, &'static AppPlan, NewApp),
    EndApp(usize, AppId, Fate),
}

struct Story {
    engine: Arc<LocalEngine>,
    people: Vec<Session>,
    clock: Arc<PastClock>,
    now: Timestamp,
    /// Days ago → what happens; the later of two on a day was added later.
    scenes: std::collections::BTreeMap<(std::cmp::Reverse<i64>, u32), Scene>,
    count: u32,
    dice: u64,
    /// Whose the key is that is rotated, and its token.
    rotated: Option<(usize, Vec<u8>)>,
}

/// A demo store and its admin, who sees the whole agency.
pub fn open() -> Result<Open, OpenError> {
    let clock = Arc::new(PastClock { behind_ms: AtomicI64::new(STORY_DAYS * DAY_MS) });
    let named = |text: &str| Name::new(text).map_err(bad_text);
    let open = in_memory(
        named("Acme Wellness Group")?,
        named("maria")?,
        Arc::clone(&clock) as Arc<dyn Clock>,
        Via::Console,
        Box::new(OsEntropy),
    )?;
    let engine = open.engine;
    let mut story = Story {
        engine: Arc::clone(&engine),
        people: vec![open.session],
        now: SystemClock.read().wall,
        clock,
        scenes: std::collections::BTreeMap::new(),
        count: 0,
        dice: 0x5DEE_CE66,
        rotated: None,
    };
    story.set_the_stage()?;
    story.plan_agency_keys()?;
    story.plan_location_keys()?;
    story.plan_apps()?;
    story.plan_the_rest();
    story.play()?;
    let maria = story.people.first().ok_or(OpenError::NoOperator)?.clone();
    engine.settle()?;
    let view = engine.execute(&maria, Command::OpenAgencyView)?;
    let session = view.session.ok_or(OpenError::NoOperator)?;
    Ok(Open { engine, session, notices: Vec::new() })
}

fn bad_text(why: BadText) -> OpenError {
    refused(Refusal::BadText { field: "name", why })
}

fn refused(why: Refusal) -> OpenError {
    OpenError::Engine(EngineError::Refused(why))
}

fn sign_in(operator: OperatorId) -> Result<Session, OpenError> {
    let actor = Actor { operator, access: Access::Own };
    Ok(Session::new(&mut OsEntropy, actor, Auth::Demo, Via::Console).map_err(EngineError::from)?)
}

impl Story {
    fn act(&self, who: usize, command: Command) -> Result<super::Done, OpenError> {
        let session = self.people.get(who).ok_or(OpenError::NoOperator)?;
        Ok(self.engine.execute(session, command)?)
    }

    fn roll(&mut self, sides: u64) -> u64 {
        // Knuth's MMIX generator: the same story each time.
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % sides
    }

    fn days(&mut self, sides: u64) -> i64 {
        i64::try_from(self.roll(sides)).unwrap_or(0)
    }

    fn at(&mut self, days_ago: i64, scene: Scene) {
        self.count += 1;
        self.scenes.insert((std::cmp::Reverse(days_ago), self.count), scene);
    }

    fn set_the_stage(&mut self) -> Result<(), OpenError> {
        for (name, role) in OPERATORS {
            let name = Name::new(name).map_err(bad_text)?;
            let done = self.act(0, Command::AddOperator { name, role })?;
            for event in done.events {
                if let crate::domain::Event::OperatorAdded(operator) = event {
                    let session = sign_in(operator.id)?;
                    self.people.push(session);
                }
            }
        }
        self.act(
            0,
            Command::SetPolicy { name: "keys-per-operator".into(), value: "60".into(), basis: None },
        )?;
        let names: Result<Vec<_>, _> = LOCATIONS.iter().map(|n| Name::new(n)).collect();
        self.act(0, Command::AddLocations(names.map_err(bad_text)?))?;
        Ok(())
    }

    fn scopes(&self, preset: &str, level: Level) -> Vec<String> {
        self.scopes_for(preset, level, AuthMethod::ApiKey)
    }

    fn scopes_for(&self, preset: &str, level: Level, method: AuthMethod) -> Vec<String> {
        let catalog = self.engine.catalog();
        let wanted = catalog.preset(preset).map(|p| p.scopes.clone()).unwrap_or_default();
        let allowed =
            |scope: &&crate::domain::ScopeId| catalog.allowed_for(level, method).any(|p| p.id == **scope);
        wanted.iter().filter(allowed).map(ToString::to_string).collect()
    }

    fn plan_agency_keys(&mut self) -> Result<(), OpenError> {
        for (index, (name, preset, old, life, idle, fate, note)) in AGENCY_KEYS.into_iter().enumerate() {
            let new = NewKey {
                name: Name::new(name).map_err(bad_text)?,
                place: Place::Agency,
                scopes: self.scopes(preset, Level::Agency),
                expiry: Some(self.expiry(old, life)),
                note: Note::new(note).map_err(bad_text)?,
            };
            let uses = 3 + u32::try_from(self.roll(40)).unwrap_or(0);
            let last_use = (idle >= 0).then_some(idle);
            self.at(old, Scene::Issue { by: index % 2, new, last_use, uses, fate });
        }
        Ok(())
    }

    /// The expiry a key has when it was issued `old` days ago for `life` days.
    fn expiry(&self, old: i64, life: u32) -> Expiry {
        match life {
            0 => Expiry::Never,
            days => Expiry::At(Timestamp(self.now.0 + (i64::from(days) - old) * DAY_MS)),
        }
    }

    fn plan_location_keys(&mut self) -> Result<(), OpenError> {
        let places: Vec<LocationId> = {
            let state = self.engine.state();
            let mut all: Vec<_> = state.locations().map(|l| (l.name.folded(), l.id)).collect();
            all.sort();
            all.into_iter().map(|(_, id)| id).collect()
        };
        for (at, place) in places.into_iter().enumerate() {
            let many = 2 + self.roll(5);
            let first = self.roll(6);
            for n in 0..many.min(6) {
                let which = usize::try_from((first + n) % 6).unwrap_or(0);
                let Some((title, preset)) = USES.get(which) else { continue };
                let old = 5 + self.days(360);
                let life = [0, 365, 365, 180, 400][usize::try_from(self.roll(5)).unwrap_or(0)];
                let idle = match self.roll(12) {
                    0 => None,
                    1 => Some(old.min(75 + self.days(30))),
                    2 | 3 => Some(old.min(self.days(30))),
                    _ => Some(old.min(self.days(2))),
                };
                let fate = match self.roll(24) {
                    0 => Fate::Paused,
                    1 | 2 => Fate::Revoked,
                    3 => Fate::Deleted,
                    _ => Fate::Lives,
                };
                let new = NewKey {
                    // Names are unique per owner, so the branch is part of them, as it is in real life.
                    name: Name::new(&format!("{title} {}", LOCATIONS.get(at).map_or("", |l| l)))
                        .map_err(bad_text)?,
                    place: Place::Location(place),
                    scopes: self.scopes(preset, Level::Location),
                    expiry: Some(self.expiry(old, life)),
                    note: Note::default(),
                };
                let uses = u32::try_from(self.roll(25)).unwrap_or(0) + 1;
                self.at(old, Scene::Issue { by: 2 + at % 4, new, last_use: idle, uses, fate });
            }
        }
        Ok(())
    }

    fn plan_the_rest(&mut self) {
        self.at(
            200,
            Scene::Act(
                0,
                Command::SetPolicy {
                    name: "default-life-location".into(),
                    value: "365d".into(),
                    basis: None,
                },
            ),
        );
        self.at(2, Scene::Act(1, Command::OpenAgencyView));
    }

    /// Somebody goes on with a key that was revoked, until the trail tells.
    fn refuse(&self, token: &[u8]) -> Result<(), OpenError> {
        let address = std::net::IpAddr::from([203, 0, 113, 7]);
        let origin = Origin { address: Some(address), agent: Some(b"export-script/2.1") };
        for _ in 0..37 {
            self.engine.verify_from(token, &[], origin);
        }
        self.clock.behind_ms.fetch_sub(WINDOW_MS, Ordering::SeqCst);
        Ok(self.engine.settle()?)
    }

    /// One key is rotated, and has callers on both halves.
    fn rotate(&mut self) -> Result<(), OpenError> {
        let Some((by, old)) = self.rotated.take() else { return Ok(()) };
        let decision = self.engine.verify(&old, &[]);
        let Some(key) = decision.key() else { return Ok(()) };
        let rotation = Rotation { id: None, grace: Grace::MAX, counted: Counted::FromNow, expiry: None };
        let Some(token) = self.act(by, Command::RotateKey { key, rotation })?.token else { return Ok(()) };
        for (token, last, program) in
            [(&*old, 9, &b"kiosk/2.1"[..]), (token.reveal().as_bytes(), 4, b"kiosk/3.0")]
        {
            let address = std::net::IpAddr::from([10, 2, 0, last]);
            self.engine.verify_from(token, &[], Origin { address: Some(address), agent: Some(program) });
        }
        Ok(())
    }

    /// Runs the scenes in order, each on its day.
    fn play(&mut self) -> Result<(), OpenError> {
        while let Some(((std::cmp::Reverse(days), _), scene)) = self.scenes.pop_first() {
            let hours = self.days(20);
            let behind =
                (days * DAY_MS + hours * 3_600_000 + 60_000).min(self.clock.behind_ms.load(Ordering::SeqCst));
            self.clock.behind_ms.store(behind, Ordering::SeqCst);
            match scene {
                Scene::Act(who, command) => drop(self.act(who, command)?),
                Scene::Create(by, plan, new) => {
                    let done = self.act(by, Command::CreateApp(new))?;
                    for event in done.events {
                        if let crate::domain::Event::AppCreated(app) = event {
                            self.plan_app(by, plan, app.id)?;
                        }
                    }
                }
                Scene::EndApp(by, app, Fate::Paused) => drop(self.act(by, Command::PauseApp(app))?),
                Scene::EndApp(by, app, _) => drop(self.act(by, Command::DeleteApp(app))?),
                // Some are used beyond their end: no use, and not all of it is worth telling.
                Scene::Use(token) => {
                    drop(self.engine.verifier().verify(&token, &[], self.engine.now().time));
                }
                Scene::Refused(token) => self.refuse(&token)?,
                Scene::End(who, key, fate) => {
                    let command = match fate {
                        Fate::Paused => Command::PauseKey(key),
                        Fate::Revoked => Command::revoke(key),
                        Fate::Deleted => Command::DeleteKey(key),
                        Fate::Lives => continue,
                    };
                    // An expired key cannot be paused any more; that is a state of its own.
                    match self.act(who, command) {
                        Ok(_) | Err(OpenError::Engine(EngineError::Refused(Refusal::WrongState { .. }))) => {}
                        Err(error) => return Err(error),
                    }
                }
                Scene::Issue { by, new, last_use, uses, fate } => {
                    let is_rotated = new.name.as_str() == ROTATED;
                    let Some(token) = self.act(by, Command::IssueKey(new))?.token else { continue };
                    let text = token.reveal().as_bytes().to_vec();
                    if is_rotated {
                        self.rotated = Some((by, text.clone()));
                    }
                    if let Some(last) = last_use {
                        for n in 0..uses {
                            let day = last + i64::from(n) * (days - last) / i64::from(uses);
                            self.at(day, Scene::Use(text.clone()));
                        }
                    }
                    if fate == Fate::Revoked
                        && !self.scenes.values().any(|scene| matches!(scene, Scene::Refused(_)))
                    {
                        self.at(1, Scene::Refused(text));
                    }
                    if fate != Fate::Lives {
                        let end = if fate == Fate::Deleted {
                            days.min(9)
                        } else {
                            last_use.unwrap_or(days).min(days)
                        };
                        self.at(end, Scene::End(by, KeyId(token.id()), fate));
                    }
                }
            }
        }
        self.clock.behind_ms.store(0, Ordering::SeqCst);
        self.rotate()?;
        // Last of all, because nobody signs in after that: lena leaves, her keys go on.
        if let Some(operator) = self.people.get(5).map(|s| s.actor().operator) {
            self.act(0, Command::DisableOperator { operator, keys: KeysAfter::Work })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::apps::APPS;
    use super::*;
    use crate::domain::{KeyState, Policy, SourceApp, View};

    #[test]
    fn the_demo_shows_every_state_and_something_due() {
        let open = open().unwrap();
        let state = open.engine.state();
        let now = open.engine.now().time;
        let view = View::new(&state, open.session.actor());
        assert!(view.is_whole());
        assert_eq!(view.locations().len(), 40);
        let agency = view.keys().filter(|k| k.place == Place::Agency).count();
        let branch = view.keys().filter(|k| k.place.location().is_some()).count();
        assert!((12..=16).contains(&agency) && (120..=180).contains(&branch), "{agency} {branch}");
        for wanted in KeyState::ALL {
            assert!(view.keys().any(|k| k.state(now) == wanted), "no key is {wanted}");
        }
        let policy = Policy::default();
        assert!(view.keys().filter(|k| k.expires_soon(&policy, now).is_some()).count() >= 2);
        assert!(view.keys().any(|k| view.usage(k).idle_days(k, &policy, now).is_some()));
        assert!(view.keys().all(|k| k.created_at <= now));
        let apps = view.apps();
        assert_eq!(apps.len(), APPS.len());
        for method in [AuthMethod::ApiKey, AuthMethod::Jwt] {
            assert!(apps.iter().any(|app| app.method == method && app.is_active()), "{method}");
        }
        assert!(apps.iter().any(|app| app.is_deleted()));
        assert!(apps.iter().any(|app| !app.is_deleted() && !app.is_active()));
        assert!(apps.iter().all(|app| SourceApp::ALL.contains(&app.profile.source)));
        let due = view.keys().find(|k| k.place.app().is_some() && k.expires_soon(&policy, now).is_some());
        assert!(due.is_some(), "no key of an app expires soon");
        assert!(!open.engine.now().suspect);
    }
}
