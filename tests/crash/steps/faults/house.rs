//! A store with something of everything, and what can be told of it by opening it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use keydeck::crypto::keyfile::KeyFileSecret;
use keydeck::crypto::passphrase::Passphrase;
use keydeck::crypto::recovery::RecoveryCode;
use keydeck::domain::{Command, Location, Name};
use keydeck::engine::clock::TestClock;
use keydeck::engine::oauth::Client;
use keydeck::engine::open::{Key, Open, Options, open};
use keydeck::engine::{Engine as _, Integrity, OpenError, Via};

use serde_json::Value;

use super::table::Deed;
use crate::steps::site::copy_into;
use crate::support::desk::{Desk, PASSPHRASE, Person};

/// Who does everything: an admin with a key file, for whom no passphrase is paid.
pub const KEY_FILE: &str = "cron.key";
const APP: [&str; 6] = ["--uri", "https://shop.example", "--user-type", "both", "--source", "bot"];
/// What each copy has in its home.
const FILES: [&str; 7] = [KEY_FILE, "otto.key", "ada.key", "recovery", "many.csv", "secret", "theirs.csv"];
/// What the locations are called that are added to see whether a store takes a change.
pub const PROBE: &str = "Probe";
/// More than one commit takes.
const MANY: usize = 70;

/// A store that is copied for each fault.
pub struct House {
    home: Desk,
    tokens: BTreeMap<&'static str, String>,
    web: App,
    pub before: Standing,
}

/// An app that fetches access tokens.
#[derive(Default)]
pub struct App {
    id: String,
    secret: String,
}

/// What is in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Each record, without what time writes by itself.
    records: BTreeMap<String, String>,
    /// What the trail tells, the oldest first: number, event, reason.
    trail: Vec<(u64, String, Option<String>)>,
}

/// What happened to a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The kinds of the records that are new or other.
    pub records: Vec<String>,
    pub trail: Vec<String>,
}

impl House {
    pub fn new() -> Self {
        let home = Desk::founded();
        let cron = home.hire("cron", "admin");
        let mut tokens = BTreeMap::new();
        let mut keep = |name, text: String| drop(tokens.insert(name, text));
        for (name, role) in [("otto", "manager"), ("ada", "manager")] {
            home.hire(name, role);
        }
        cron.does(&["location", "add", "Harbour", "Hill"]);
        let issue = |who: &Person<'_>, name: &str, place: &[&str]| {
            let words =
                [&["key", "create", "--name", name, "--scope", "contacts.read", "contacts.write"], place];
            who.does(&words.concat()).out.trim_end().to_owned()
        };
        for name in ["Nightly", "Paused", "Gone"] {
            keep(name, issue(&cron, name, &["--agency"]));
        }
        keep("Yearly report", issue(&cron, "Yearly report", &["--agency"]));
        cron.does(&["key", "protect", "Yearly report", "--why", "runs once a year"]);
        cron.does(&["key", "rescope", "Yearly report", "--remove", "contacts.write", "--report-only", "14d"]);
        keep("Ends soon", issue(&cron, "Ends soon", &["--agency", "--expires", "3d"]));
        issue(&cron, "Widget", &["--agency"]);
        keep("Widget", cron.does(&["key", "rotate", "Widget"]).out.trim_end().to_owned());
        keep("Branch", issue(&cron, "Branch", &["--location", "Harbour"]));
        keep("Otto's", issue(&home.by_key_file("otto.key"), "Otto's", &["--location", "Hill"]));
        keep("Ada's", issue(&home.by_key_file("ada.key"), "Ada's", &["--location", "Hill"]));
        let create = |name: &str, auth: &str| {
            let words = ["app", "create", "--name", name, "--auth", auth, "--scope", "contacts.read"];
            let said = cron.asks(&[&words[..], &["contacts.write"], &APP[..]].concat());
            let [id, secret] = ["id", "secret"].map(|of| said[of].as_str().unwrap().to_owned());
            App { id, secret }
        };
        for name in ["Shop", "Asleep", "Stand"] {
            create(name, "key");
        }
        cron.does(&["app", "rotate", "Stand"]);
        let web = create("Web", "jwt");
        keep(
            "Counter",
            cron.does(&["app", "new-key", "Shop", "--name", "Counter"]).out.trim_end().to_owned(),
        );
        cron.does(&["key", "pause", "Paused"]);
        cron.does(&["key", "delete", "Gone"]);
        cron.does(&["app", "pause", "Asleep"]);
        create("Cellar", "key");
        keep(
            "Cellar",
            cron.does(&["app", "new-key", "Cellar", "--name", "Cellar"]).out.trim_end().to_owned(),
        );
        cron.does(&["lockdown", "--app", "Cellar", "--yes"]);
        cron.does(&["operator", "disable", "ada", "--keys", "stop"]);
        // What is due is done: a sweep that a slow server gets to finds nothing beside a deed.
        cron.does(&["sweep"]);
        let many: Vec<String> = (0..MANY).map(|n| format!("Branch {n}")).collect();
        home.file("many.csv", format!("name\n{}", many.join("\n")));
        home.file("secret", "a9Lk2mXq77TzWcB1Ys0PdR5uNe3Ha");
        home.file("theirs.csv", "name,secret\nTheirs,a9Lk2mXq77TzWcB1Ys0PdR5uNe3Ha\n");
        let before = Standing { records: BTreeMap::new(), trail: Vec::new() };
        let house = Self { home, tokens, web, before };
        let before = Look::at(&house.copy()).unwrap().standing();
        Self { before, ..house }
    }

    /// Another machine with the same store.
    pub fn copy(&self) -> Desk {
        let desk = Desk::new();
        for name in FILES {
            desk.file(name, fs::read(self.home.path(name)).unwrap());
        }
        copy_into(&self.home.data(), &desk.data());
        desk
    }

    /// Another one, with the clock a deed is done under.
    pub fn copy_for(&self, deed: &Deed) -> Desk {
        let desk = self.copy();
        if let Some(ahead) = deed.clock {
            desk.file("clock", ahead);
        }
        desk
    }

    pub const fn web(&self) -> &App {
        &self.web
    }

    pub fn token(&self, of: &str) -> &str {
        &self.tokens[of]
    }
}

/// An open store, looked at in this process.
pub struct Look(Open);

impl Look {
    pub fn at(desk: &Desk) -> Result<Self, String> {
        Self::with(desk, KEY_FILE).map_err(|error| closed(&error))
    }

    /// At another time than the machine's.
    pub fn as_of(desk: &Desk, clock: &TestClock) -> Result<Self, String> {
        let secret = KeyFileSecret::read(&desk.path(KEY_FILE)).map_err(|error| error.to_string())?;
        let options = Options { clock: Arc::new(clock.clone()), ..options(desk) };
        open(&options, &Key::KeyFile(&secret)).map(Self).map_err(|error| closed(&error))
    }

    pub fn by_passphrase(desk: &Desk) -> Result<Self, String> {
        let passphrase = &Passphrase::choose(PASSPHRASE).unwrap();
        open(&options(desk), &Key::Operator { name: "maria", passphrase })
            .map(Self)
            .map_err(|error| closed(&error))
    }

    pub fn by_recovery(desk: &Desk, name: &str, code: &RecoveryCode) -> Result<Self, String> {
        open(&options(desk), &Key::Recovery { name, code }).map(Self).map_err(|error| closed(&error))
    }

    /// With the key in a file.
    fn with(desk: &Desk, key: &str) -> Result<Self, OpenError> {
        let secret = KeyFileSecret::read(&desk.path(key)).map_err(OpenError::Unseal)?;
        open(&options(desk), &Key::KeyFile(&secret)).map(Self)
    }

    /// All of it but the locations that are called so: see [`PROBE`].
    pub fn standing(&self) -> Standing {
        let engine = &self.0.engine;
        let whole = engine.execute(&self.0.session, Command::OpenAgencyView).unwrap().session.unwrap();
        let mut records = BTreeMap::new();
        let state = engine.state();
        let mut put =
            |kind: &str, id: String, text: String| drop(records.insert(format!("{kind} {id}"), text));
        state.operators().for_each(|o| put("operator", o.id.to_string(), format!("{o:?}")));
        let kept = |l: &&Location| !l.name.as_str().starts_with(PROBE);
        state.locations().filter(kept).for_each(|l| put("location", l.id.to_string(), format!("{l:?}")));
        for key in state.keys() {
            put("key", key.id.to_string(), format!("{key:?}"));
            if let Some(cycle) = state.cycle(key.id) {
                put("notices", key.id.to_string(), format!("{cycle:?}"));
            }
        }
        state.apps().for_each(|a| put("app", a.id.to_string(), format!("{a:?}")));
        put("policy", String::new(), format!("{:?}", state.policy()));
        put("agency", String::new(), format!("{:?}", state.agency()));
        drop(state);
        let own = std::process::id();
        let lines = engine.audit(&whole, None, usize::MAX, None).unwrap().lines;
        let mut trail: Vec<_> = lines
            .into_iter()
            .filter(|line| line.entry.actor.pid != own && !line.entry.event.starts_with("session."))
            .filter(|line| line.entry.subjects.iter().all(|subject| !subject.name.starts_with(PROBE)))
            .map(|line| (line.entry.seq, line.entry.event, line.entry.reason))
            .collect();
        trail.reverse();
        Standing { records, trail }
    }

    /// Whether everything in it is vouched for.
    pub fn is_whole(&self) -> Result<(), String> {
        let engine = &self.0.engine;
        let report = engine.check_audit(&self.0.session).map_err(|error| error.to_string())?;
        let whole = engine.doubts().is_empty() && report.integrity == Integrity::Intact;
        let waits = engine.condition().unwritten.denials;
        if whole && waits == 0 {
            Ok(())
        } else {
            Err(format!("{:?}, {:?}, {waits} changes wait", engine.doubts(), report.faults))
        }
    }

    /// What a token is answered, as at the command line.
    pub fn answer(&self, token: &str) -> String {
        let reason = self.0.engine.verify(token.as_bytes(), &[]).reason();
        reason.map_or_else(|| "allow".into(), |reason| format!("deny {reason}"))
    }

    fn client(&self, app: &App) -> Result<Client, String> {
        self.0.engine.authenticate(&app.id, app.secret.as_bytes()).map_err(|error| error.to_string())
    }

    /// An access token for an app.
    pub fn grants(&self, app: &App) -> Result<String, String> {
        let granted =
            self.0.engine.grant(&self.client(app)?, None, None).map_err(|error| error.to_string())?;
        Ok(granted.token.reveal().to_owned())
    }

    /// Ends one.
    pub fn ends(&self, app: &App, token: &str) -> Result<(), String> {
        let client = self.client(app)?;
        self.0.engine.revoke_token(&client, token.as_bytes()).map_err(|error| error.to_string())
    }

    /// The public keys of those that sign.
    pub fn announced(&self) -> Vec<Value> {
        self.0.engine.jwks().iter().map(|key| serde_json::to_value(key).unwrap()).collect()
    }

    /// Something that has not been there.
    pub fn takes_a_change(&self) -> Result<(), String> {
        let probe = Command::AddLocations(vec![Name::new(&format!("{PROBE} of what is left")).unwrap()]);
        self.0.engine.execute(&self.0.session, probe).map(drop).map_err(|error| error.to_string())
    }
}

fn options(desk: &Desk) -> Options {
    Options::new(&desk.data(), "test", Via::CommandLine)
}

fn closed(error: &OpenError) -> String {
    format!("it does not open: {error}")
}

impl App {
    /// What it says of itself in a form.
    pub fn form(&self) -> String {
        format!("client_id={}&client_secret={}", self.id, self.secret)
    }
}

/// Whether a key file opens the store.
pub fn opens(desk: &Desk, key: &str) -> bool {
    Path::new(&desk.path(key)).exists() && Look::with(desk, key).is_ok()
}

impl Standing {
    /// What happened since.
    pub fn since(&self, before: &Self) -> Change {
        let other = self.records.iter().filter(|(key, text)| before.records.get(*key) != Some(text));
        let mut records: Vec<String> =
            other.map(|(key, _)| key.split(' ').next().unwrap().to_owned()).collect();
        records.sort();
        let trail = self.trail[before.trail.len()..].iter().map(|(_, event, reason)| match reason {
            Some(reason) => format!("{event} {reason}"),
            None => event.clone(),
        });
        Change { records, trail: trail.collect() }
    }
}

impl Deed {
    /// As the operator types it.
    pub fn typed(&self) -> Vec<&'static str> {
        let sign_in: &[&str] = if self.words.contains(&"--recovery-file") {
            &["--json"]
        } else {
            &["--json", "--key-file", KEY_FILE]
        };
        [self.words, sign_in].concat()
    }
}

/// Whether the recovery code opens that was handed over, to set a passphrase of whoever.
pub fn opens_with_its_code(desk: &Desk, name: &str, said: &Value) -> Result<(), String> {
    let code = said["recovery_code"].as_str().and_then(|code| RecoveryCode::parse(code).ok());
    Look::by_recovery(desk, name, &code.ok_or("no recovery code")?).map(drop)
}
