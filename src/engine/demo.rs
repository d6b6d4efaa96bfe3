//! A store full of sample data, for `keydeck demo`: in memory, sealed like any other, gone when keydeck ends. Made
//! by running a year of real commands, requests and sweeps through the engine on a clock that catches up with now, so
//! everything a screen shows, history and notices included, came about the way it does in earnest. `large`: as many keys and
//! operators as one likes.

mod apps;
mod chance;
mod keys;
pub mod large;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use self::apps::AppPlan;
use self::chance::{Caller, Dice, PastClock, origin_of};
use self::keys::LOCATIONS;
use super::clock::{Clock, SystemClock};
use super::denials::WINDOW_MS;
use super::open::{Open, in_memory};
use super::session::{Auth, Session, Via};
use super::{Engine, LocalEngine, OpenError, Origin, Sweeping};
use crate::crypto::random::{Entropy, OsEntropy};
use crate::domain::catalog::{AuthMethod, Level};
use crate::domain::name::BadText;
use crate::domain::time::{DAY_MS, HOUR_MS};
use crate::domain::{
    Access, Actor, AppId, Catalog, Command, Counted, Grace, KeyId, KeysAfter, Name, NewApp, NewKey, Note,
    OperatorId, Refusal, Role, Rotation, Timestamp,
};
use crate::engine::EngineError;

/// How far back the story begins.
const STORY_DAYS: i64 = 420;
/// For how long somebody has swept, every other day: since before the first notices of what is deleted by now.
const SWEPT_DAYS: i64 = 30;
const MINUTE_MS: i64 = HOUR_MS / 60;

const OPERATORS: [(&str, Role); 6] = [
    ("jonas", Role::Admin),
    ("priya", Role::Manager),
    ("tomás", Role::Manager),
    ("aiko", Role::Manager),
    ("lena", Role::Manager),
    ("sam", Role::Viewer),
];

/// What becomes of a key.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Lives,
    Paused,
    Revoked,
    /// Revoked, and somebody goes on with it.
    Leaked,
    Deleted,
    /// Never deleted for want of use: why.
    Protected(&'static str),
    /// Restored after it was deleted for want of use.
    Restored,
    /// Deleted for want of use, and somebody comes with it after that.
    Missed,
    /// Another takes over so many hours ago, with that grace; both have callers.
    Rotated {
        hours: i64,
        grace: &'static str,
    },
}

/// A key that is to be issued, used and brought to its end.
struct Issue {
    by: usize,
    new: NewKey,
    /// Days ago; `None` is never.
    last_use: Option<i64>,
    uses: u64,
    fate: Fate,
}

/// What happens at a moment of the story.
enum Scene {
    Act(usize, Command),
    Issue(Issue),
    Use(Vec<u8>, Caller),
    /// Somebody comes so often with a token that is refused.
    Refused(Vec<u8>, u32),
    Rotate {
        by: usize,
        key: KeyId,
        old: Vec<u8>,
        caller: Caller,
        hours: i64,
        grace: &'static str,
    },
    Sweep,
    End(usize, KeyId, Fate),
    Create(usize, &'static AppPlan, NewApp),
    EndApp(usize, AppId, Fate),
}

struct Story {
    engine: Arc<LocalEngine>,
    people: Vec<Session>,
    clock: Arc<PastClock>,
    now: Timestamp,
    /// Milliseconds ago → what happens; the later of two at a moment was added later.
    scenes: BTreeMap<(Reverse<i64>, u32), Scene>,
    count: u32,
    dice: Dice,
}

/// A demo store and its admin, who sees the whole agency.
pub fn open() -> Result<Open, OpenError> {
    open_by(Arc::new(SystemClock), Box::new(OsEntropy))
}

/// The same by another clock, with ids and secrets drawn elsewhere: by those that stand still it is the same each time.
pub fn open_by(present: Arc<dyn Clock>, entropy: Box<dyn Entropy + Send>) -> Result<Open, OpenError> {
    let now = present.read().wall;
    let clock = PastClock::begin(present, STORY_DAYS * DAY_MS);
    let named = |text: &str| Name::new(text).map_err(bad_text);
    let open = in_memory(
        named("Acme Wellness Group")?,
        named("maria")?,
        Arc::clone(&clock) as Arc<dyn Clock>,
        Via::Console,
        entropy,
    )?;
    let engine = open.engine;
    let mut story = Story {
        engine: Arc::clone(&engine),
        people: vec![open.session],
        now,
        clock,
        scenes: BTreeMap::new(),
        count: 0,
        dice: Dice(0x5DEE_CE66),
    };
    story.set_the_stage()?;
    story.plan_agency_keys()?;
    story.plan_location_keys()?;
    story.plan_kiosks()?;
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

/// What of a preset such a key may have.
fn scopes_in(catalog: &Catalog, preset: &str, level: Level, method: AuthMethod) -> Vec<String> {
    let wanted = catalog.preset(preset).map(|p| p.scopes.clone()).unwrap_or_default();
    let allowed =
        |scope: &&crate::domain::ScopeId| catalog.allowed_for(level, method).any(|p| p.id == **scope);
    wanted.iter().filter(allowed).map(ToString::to_string).collect()
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
        self.dice.roll(sides)
    }

    fn days(&mut self, sides: u64) -> i64 {
        i64::try_from(self.roll(sides)).unwrap_or(0)
    }

    /// It happens at some hour of a day so many days ago.
    fn at(&mut self, days_ago: i64, scene: Scene) {
        let hours = self.days(20);
        self.ago(days_ago * DAY_MS + hours * HOUR_MS + MINUTE_MS, scene);
    }

    fn ago(&mut self, ms: i64, scene: Scene) {
        self.count += 1;
        self.scenes.insert((Reverse(ms), self.count), scene);
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
        scopes_in(self.engine.catalog(), preset, level, method)
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
        // Later than anything else of that day, and once more just now.
        for day in (0..SWEPT_DAYS).step_by(2) {
            self.ago(day * DAY_MS + 20 * HOUR_MS, Scene::Sweep);
        }
        self.ago(MINUTE_MS, Scene::Sweep);
    }

    /// Somebody goes on with a key that is refused, until the trail tells.
    fn refuse(&self, token: &[u8], tries: u32) -> Result<(), OpenError> {
        let address = IpAddr::from([203, 0, 113, 7]);
        let origin = Origin { address: Some(address), agent: Some(b"export-script/2.1") };
        for _ in 0..tries {
            self.engine.verify_from(token, &[], origin);
        }
        self.clock.set(self.clock.behind() - WINDOW_MS);
        Ok(self.engine.settle()?)
    }

    /// One is issued: its uses and its end are planned.
    fn begin(&mut self, issue: Issue, ago: i64) -> Result<(), OpenError> {
        let Issue { by, new, last_use, uses, fate } = issue;
        let Some(token) = self.act(by, Command::IssueKey(new))?.token else { return Ok(()) };
        let (key, text, caller) = (KeyId(token.id()), token.reveal().as_bytes().to_vec(), self.dice.caller());
        let days = ago / DAY_MS;
        if let Some(last) = last_use {
            // Often enough that nobody is told of it in between.
            let uses = i64::try_from(uses).unwrap_or(1).max((days - last) / 45 + 1);
            for n in 1..uses {
                self.at(last + n * (days - last) / uses, Scene::Use(text.clone(), caller));
            }
            match last {
                0 => {
                    let minutes = 2 + self.days(90);
                    self.ago(minutes * MINUTE_MS, Scene::Use(text.clone(), caller));
                }
                _ => self.at(last, Scene::Use(text.clone(), caller)),
            }
        }
        match fate {
            Fate::Lives => {}
            Fate::Paused | Fate::Revoked => {
                self.at(last_use.unwrap_or(days).min(days), Scene::End(by, key, fate));
            }
            Fate::Leaked => {
                self.at(last_use.unwrap_or(days), Scene::End(by, key, Fate::Revoked));
                self.at(1, Scene::Refused(text, 37));
            }
            Fate::Deleted => self.at(days.min(9), Scene::End(by, key, fate)),
            Fate::Protected(why) => {
                let why = Note::new(why).map_err(bad_text)?;
                self.at(days, Scene::Act(by, Command::ProtectKey { key, why }));
            }
            Fate::Restored => self.at(5, Scene::Act(by, Command::RestoreKey(key))),
            Fate::Missed => self.at(2, Scene::Refused(text, 4)),
            Fate::Rotated { hours, grace } => {
                let scene = Scene::Rotate { by, key, old: text, caller, hours, grace };
                self.ago(hours * HOUR_MS, scene);
            }
        }
        Ok(())
    }

    /// Another key takes over, and both are used from then on: the new one soon, the old one still.
    fn rotate(
        &mut self,
        by: usize,
        key: KeyId,
        (old, caller): (Vec<u8>, Caller),
        (hours, grace): (i64, &str),
    ) -> Result<(), OpenError> {
        let grace = grace.parse().unwrap_or(Grace::DEFAULT);
        let rotation = Rotation { id: None, grace, counted: Counted::FromNow, expiry: None };
        let Some(new) = self.act(by, Command::RotateKey { key, rotation })?.token else { return Ok(()) };
        let other = self.dice.caller();
        for hour in (0..hours - 2).step_by(4) {
            let ms = hour * HOUR_MS;
            self.ago(ms + 4 * MINUTE_MS, Scene::Use(old.clone(), caller));
            self.ago(ms + 2 * MINUTE_MS, Scene::Use(new.reveal().as_bytes().to_vec(), other));
        }
        Ok(())
    }

    /// Runs the scenes in order, each at its moment.
    fn play(&mut self) -> Result<(), OpenError> {
        while let Some(((Reverse(ago), _), scene)) = self.scenes.pop_first() {
            // What follows from a scene may have been planned for a moment before it.
            let behind = ago.min(self.clock.behind());
            self.clock.set(behind);
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
                Scene::Use(token, caller) => {
                    let now = self.engine.now().time;
                    drop(self.engine.verifier().verify_from(&token, &[], origin_of(caller), now));
                }
                Scene::Refused(token, tries) => self.refuse(&token, tries)?,
                Scene::Rotate { by, key, old, caller, hours, grace } => {
                    self.rotate(by, key, (old, caller), (hours, grace))?;
                }
                Scene::Sweep => {
                    let maria = self.people.first().ok_or(OpenError::NoOperator)?;
                    drop(self.engine.sweep(maria, Sweeping::Do)?);
                }
                Scene::End(who, key, fate) => {
                    let command = match fate {
                        Fate::Paused => Command::PauseKey(key, None),
                        Fate::Revoked => Command::revoke(key),
                        Fate::Deleted => Command::DeleteKey(key),
                        _ => continue,
                    };
                    // An expired key cannot be paused any more; that is a state of its own.
                    match self.act(who, command) {
                        Ok(_) | Err(OpenError::Engine(EngineError::Refused(Refusal::WrongState { .. }))) => {}
                        Err(error) => return Err(error),
                    }
                }
                Scene::Issue(issue) => self.begin(issue, ago)?,
            }
        }
        self.clock.set(0);
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
    use crate::domain::notice::{What, board};
    use crate::domain::{Key, KeyState, Place, Policy, SourceApp, View};

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
        assert!((12..=16).contains(&agency) && (130..=200).contains(&branch), "{agency} {branch}");
        for wanted in KeyState::ALL {
            assert!(view.keys().any(|k| k.state(now) == wanted), "no key is {wanted}");
        }
        let policy = Policy::default();
        assert!(view.keys().filter(|k| k.expires_soon(&policy, now).is_some()).count() >= 2);
        assert!(view.keys().any(|k| view.idle_days(k, now).is_some()));
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

    #[test]
    fn the_demo_has_a_notice_of_every_kind_that_needs_no_trouble() {
        let open = open().unwrap();
        let (state, grounds) = (open.engine.state(), open.engine.grounds().unwrap());
        let view = View::new(&state, open.session.actor());
        let notices = board(view, grounds, &[]);
        let of = |wanted: fn(&What) -> bool| notices.iter().filter(|notice| wanted(&notice.what)).count();
        assert_eq!(of(|what| matches!(what, What::Held(12))), 1, "{notices:?}");
        for (told, count) in [(0, 0), (1, 1), (2, 1), (3, 1)] {
            let given = notices.iter().filter(|notice| notice.what == What::Deletion { told }).count();
            assert_eq!(given, count, "{told} of 3");
        }
        let once: [fn(&What) -> bool; 7] = [
            |what| *what == What::Deleted,
            |what| matches!(what, What::Presented { .. }),
            |what| *what == What::Restored,
            |what| *what == What::GraceEnds,
            |what| *what == What::StillUsed,
            |what| matches!(what, What::OwnerGone(..)),
            |what| *what == What::Ended,
        ];
        for wanted in once {
            assert!(of(wanted) >= 1, "{notices:?}");
        }
        assert!(of(|what| *what == What::Ends) >= 3);

        let called = |name: &str| -> &Key { view.keys().find(|key| key.name.as_str() == name).unwrap() };
        let restored = called("Winter kiosk Amsterdam Jordaan");
        assert_eq!(restored.state(grounds.now), KeyState::Revoked);
        assert_eq!(state.cycle(restored.id).unwrap().idle.len(), 3);
        assert!(called("Emergency access").protection.is_some());
        // Who still calls with the old half, and who with the new one.
        for key in view.keys().filter(|key| key.state(grounds.now) == KeyState::Superseded) {
            let halves = state.halves(key).unwrap();
            for half in [halves.old, halves.new] {
                let used = state.usage(half.id);
                assert!(used.last_used_at.is_some_and(|at| grounds.now.since(at) < HOUR_MS), "{}", half.name);
                assert!(state.trace(half.id).unwrap().of_last_use(used).is_some());
            }
        }
    }
}
