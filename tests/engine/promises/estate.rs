//! A store in which one of each kind was ended: a key, a scope, a location, an operator, an app, a secret, a token. What it
//! looked like before is kept, as somebody who copies files would have it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keydeck::crypto::passphrase::Cost;
use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::{
    AppId, Command, Expiry, KeyId, KeysAfter, Name, NewApp, NewKey, Note, Place, Profile, Role, SourceApp,
    Url, UserType,
};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Key, Open, Options, found, open};
use keydeck::engine::{Brought, Engine, LocalEngine, OpenError, Via};
use keydeck::store::{SledOptions, SledStore, Store};

use super::{PHRASE, START, copy, phrase};

/// Row keys and what lies there, sealed.
pub type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// Something that must not open anything any more.
pub struct Ended {
    /// What was ended, in a word.
    pub what: &'static str,
    /// What is presented.
    pub token: String,
    /// The scope that is asked for.
    pub scope: &'static str,
    /// The record that says so.
    pub record: String,
}

/// The store, its past, and what it must refuse.
pub struct Estate {
    home: tempfile::TempDir,
    clock: TestClock,
    /// All rows before the endings.
    pub past: Rows,
    /// All rows after them.
    pub present: Rows,
    /// What must be refused.
    pub ended: Vec<Ended>,
    /// An app whose secret was renewed, and the old secret.
    pub old_secret: (AppId, String),
    /// A key nothing happened to, whose owner and place are untouched.
    pub bystander: String,
    /// … and its record.
    pub bystander_record: String,
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn new_key(text: &str, place: Place, scopes: &[&str]) -> Command {
    Command::IssueKey(NewKey {
        name: name(text),
        place,
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        expiry: Some(Expiry::Never),
        note: Note::default(),
        decoy: false,
    })
}

fn new_app(text: &str, method: AuthMethod) -> Command {
    Command::CreateApp(NewApp {
        name: name(text),
        profile: Profile {
            uri: Url::new("https://example.com").unwrap(),
            description: Note::default(),
            user_type: UserType::Both,
            source: SourceApp::ClientApp,
            post_login: Vec::new(),
            post_logout: Vec::new(),
        },
        method,
        scopes: vec!["contacts.read".into()],
        terms: keydeck::domain::Terms::default(),
    })
}

/// Every row of a store that is not open.
fn rows(dir: &Path) -> Rows {
    let opened = SledStore::open(&SledOptions::new(dir)).unwrap();
    let mut rows = Rows::new();
    let row = &mut |row: keydeck::store::RowView<'_>| {
        rows.insert(row.key.to_vec(), row.value.to_vec());
        ControlFlow::Continue(())
    };
    opened.store.scan(b"", row).unwrap();
    rows
}

/// Opens with the passphrase of maria.
pub fn open_at(dir: &Path, clock: &TestClock) -> Result<Open, OpenError> {
    open(&options(dir, clock), &Key::Operator { name: "maria", passphrase: &phrase(PHRASE) })
}

fn options(dir: &Path, clock: &TestClock) -> Options {
    // The cheapest passphrase that is accepted.
    Options {
        clock: Arc::new(clock.clone()),
        cost: Cost::IMPORTED,
        ..Options::new(dir, "test", Via::CommandLine)
    }
}

impl Estate {
    /// Founds it, lives in it, ends things.
    pub fn new() -> Self {
        Self::of_a_day(|_| ())
    }

    /// The same, and all entries that tell of it were taken out of the trail.
    pub fn trimmed() -> Self {
        Self::of_a_day(|open| {
            let upto = open.engine.anchor(&open.session).unwrap().seq;
            let head = open.engine.audit_hash(&open.session, upto).unwrap().unwrap();
            let trim = Command::TrimAudit { upto, head, file: "/mnt/other/trail.jsonl".into() };
            open.engine.execute(&open.session, trim).unwrap();
            open.engine.execute(&open.session, Command::ReadAudit).unwrap();
        })
    }

    #[expect(clippy::too_many_lines, reason = "one day, told from morning to evening")]
    fn of_a_day(at_the_end: fn(&Open)) -> Self {
        let home = tempfile::tempdir().unwrap();
        let clock = TestClock::at(START);
        let now = home.path().join("now");
        let open = found(&options(&now, &clock), name("Acme"), name("maria"), &phrase(PHRASE)).unwrap().open;
        let does = |open: &Open, command| open.engine.execute(&open.session, command).unwrap();
        let issue = |open: &Open, command| {
            let token = does(open, command).token.unwrap();
            (KeyId(token.id()), token.reveal().to_owned())
        };
        let secret = phrase("jonas has a long passphrase");
        let new = Brought::Passphrase(&secret);
        open.engine
            .act(&open.session, Command::AddOperator { name: name("jonas"), role: Role::Admin }, new)
            .unwrap();
        does(&open, Command::AddLocations(vec![name("North"), name("South")]));
        let (north, jonas) = {
            let state = open.engine.state();
            (state.location_named(&name("North")).unwrap().id, state.operator_named("jonas").unwrap().id)
        };
        let (bystander, bystander_token) =
            issue(&open, new_key("Bystander", Place::Agency, &["contacts.read"]));
        let (revoked, revoked_token) = issue(&open, new_key("Revoked", Place::Agency, &["contacts.read"]));
        let (narrowed, narrowed_token) =
            issue(&open, new_key("Narrowed", Place::Agency, &["contacts.read", "contacts.write"]));
        let (_, north_token) = issue(&open, new_key("Northern", Place::Location(north), &["contacts.read"]));
        let app = |text, method| {
            let token = does(&open, new_app(text, method)).token.unwrap();
            (AppId(token.id()), token.reveal().to_owned())
        };
        let (paused, paused_secret) = app("Paused", AuthMethod::Jwt);
        let (keyed, _) = app("Keyed", AuthMethod::ApiKey);
        let (renewed, renewed_secret) = app("Renewed", AuthMethod::Jwt);
        let (leaky, leaky_secret) = app("Leaky", AuthMethod::Jwt);
        let (_, keyed_token) = issue(&open, new_key("Of an app", Place::App(keyed), &["contacts.read"]));
        let grant = |engine: &LocalEngine, app: AppId, secret: &str| {
            let client = engine.authenticate(&app.to_string(), secret.as_bytes()).unwrap();
            engine.grant(&client, None, None).unwrap().token.reveal().to_owned()
        };
        let paused_access = grant(&open.engine, paused, &paused_secret);
        let renewed_access = grant(&open.engine, renewed, &renewed_secret);
        let (first_access, leaked_access) =
            (grant(&open.engine, leaky, &leaky_secret), grant(&open.engine, leaky, &leaky_secret));
        let leaky_client = open.engine.authenticate(&leaky.to_string(), leaky_secret.as_bytes()).unwrap();
        open.engine.revoke_token(&leaky_client, first_access.as_bytes()).unwrap();
        drop(open);
        let theirs =
            super::open(&options(&now, &clock), &Key::Operator { name: "jonas", passphrase: &secret })
                .unwrap();
        let (_, jonas_token) = issue(&theirs, new_key("Of jonas", Place::Agency, &["contacts.read"]));
        drop(theirs);

        let open = open_at(&now, &clock).unwrap();
        let contacts = "contacts.read".parse().unwrap();
        for token in [
            &bystander_token,
            &revoked_token,
            &narrowed_token,
            &north_token,
            &keyed_token,
            &jonas_token,
            &paused_access,
            &renewed_access,
            &leaked_access,
        ] {
            let wanted = std::slice::from_ref(&contacts);
            assert!(open.engine.verify(token.as_bytes(), wanted).is_allow(), "before it was ended");
        }
        drop(open);
        copy(&now, &home.path().join("past"));
        let past = rows(&home.path().join("past"));

        clock.pass(1_000);
        let open = open_at(&now, &clock).unwrap();
        does(&open, Command::revoke(revoked));
        does(&open, Command::RescopeKey { key: narrowed, scopes: vec!["contacts.read".into()], basis: None });
        does(&open, Command::RemoveLocation { location: north });
        does(&open, Command::PauseApp(paused));
        does(&open, Command::DeleteApp(keyed));
        does(&open, Command::RenewAppSecret(renewed, None));
        let leaky_client = open.engine.authenticate(&leaky.to_string(), leaky_secret.as_bytes()).unwrap();
        open.engine.revoke_token(&leaky_client, leaked_access.as_bytes()).unwrap();
        open.engine
            .execute(&open.session, Command::DisableOperator { operator: jonas, keys: KeysAfter::Stop })
            .unwrap();
        does(
            &open,
            Command::SetPolicy {
                name: "base-url".into(),
                value: "https://api.acme.example".into(),
                basis: None,
            },
        );
        // Somebody goes on working: what was ended is not the newest thing that happened.
        let (_, later) = issue(&open, new_key("Later", Place::Agency, &["contacts.read"]));
        assert!(open.engine.verify(later.as_bytes(), &[]).is_allow());
        at_the_end(&open);
        drop(open);
        let present = rows(&now);

        let ended =
            |what, token: &String, scope, record: String| Ended { what, token: token.clone(), scope, record };
        let ended = vec![
            ended("revoked key", &revoked_token, "contacts.read", format!("p/{revoked}")),
            ended("scope taken away", &narrowed_token, "contacts.write", format!("p/{narrowed}")),
            ended("removed location", &north_token, "contacts.read", format!("l/{}", north.public())),
            ended("disabled operator", &jonas_token, "contacts.read", format!("u/{}", jonas.public())),
            ended("deleted app", &keyed_token, "contacts.read", format!("x/{}", keyed.public())),
            ended("paused app", &paused_access, "contacts.read", format!("x/{}", paused.public())),
            ended("renewed secret", &renewed_access, "contacts.read", format!("x/{}", renewed.public())),
            ended("revoked token", &leaked_access, "contacts.read", format!("r/{}", leaky.public())),
        ];
        let estate = Self {
            home,
            clock,
            past,
            present,
            ended,
            old_secret: (renewed, renewed_secret),
            bystander: bystander_token,
            bystander_record: format!("p/{bystander}"),
        };
        estate.assert_ended(&open_at(&estate.now(), &estate.clock).unwrap(), "untouched");
        estate
    }

    /// Where the store lies as it is.
    pub fn now(&self) -> PathBuf {
        self.home.path().join("now")
    }

    /// Where it lies as it was.
    pub fn past_dir(&self) -> PathBuf {
        self.home.path().join("past")
    }

    /// A copy to do something to.
    pub fn copy(&self) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        copy(&self.now(), dir.path());
        dir
    }

    /// Opens a copy.
    pub fn open(&self, dir: &Path) -> Result<Open, OpenError> {
        open_at(dir, &self.clock)
    }

    /// The row of a record as it was before the endings, if it was another one.
    pub fn before(&self, record: &str) -> Option<&Vec<u8>> {
        let key = record.as_bytes();
        self.past.get(key).filter(|row| self.present.get(key) != Some(row))
    }

    /// Stops when something that was ended opens anything.
    pub fn assert_ended(&self, open: &Open, case: &str) {
        for ended in &self.ended {
            let scope = ended.scope.parse().unwrap();
            let decision = open.engine.verify(ended.token.as_bytes(), &[scope]);
            assert!(!decision.is_allow(), "{case}: the {} came back", ended.what);
        }
        let (app, secret) = &self.old_secret;
        let asked = open.engine.authenticate(&app.to_string(), secret.as_bytes());
        assert!(asked.is_err(), "{case}: the old secret of an app came back");
    }

    /// Whether the key nothing happened to still opens what it should.
    pub fn bystander_works(&self, open: &Open) -> bool {
        open.engine.verify(self.bystander.as_bytes(), &["contacts.read".parse().unwrap()]).is_allow()
    }
}
