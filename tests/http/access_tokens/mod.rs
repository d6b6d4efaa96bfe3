//! Access tokens on a real store: who gets one, what it opens while its app lives, and everything that is none.

#![expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]

mod disk;
mod forged;
mod life;
mod names;
mod rotation;
mod secrets;
mod terms;

use std::sync::Arc;

use keydeck::crypto::Keyring;
use keydeck::crypto::header::Unlock;
use keydeck::crypto::header_file::HeaderFile;
use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::{
    AppId, Command, Decision, Name, NewApp, Note, Profile, Reason, ScopeId, SourceApp, Timestamp, Url,
    UserType,
};
use keydeck::engine::clock::TestClock;
use keydeck::engine::oauth::{Client, Granted, TokenRefusal};
use keydeck::engine::open::{Key, Open, Options, found, open};
use keydeck::engine::{Engine as _, Via};

const START: Timestamp = Timestamp(1_790_000_000_000);
const PHRASE: &str = "correct horse battery staple";
const MINUTE: i64 = 60_000;

/// A store, its clock, and maria signed in.
struct Day {
    dir: tempfile::TempDir,
    clock: TestClock,
    open: Option<Open>,
}

/// An app and what it knows.
struct App {
    id: AppId,
    secret: String,
}

impl Day {
    fn new() -> Self {
        let mut day = Self { dir: tempfile::tempdir().unwrap(), clock: TestClock::at(START), open: None };
        let name = |text| Name::new(text).unwrap();
        let phrase = Passphrase::choose(PHRASE).unwrap();
        let founded = found(&day.options(), name("Acme Agency"), name("maria"), &phrase).unwrap();
        day.open = Some(founded.open);
        day
    }

    fn options(&self) -> Options {
        Options {
            clock: Arc::new(self.clock.clone()),
            cost: Cost::IMPORTED,
            ..Options::new(self.dir.path(), "test", Via::CommandLine)
        }
    }

    fn open(&self) -> &Open {
        self.open.as_ref().unwrap()
    }

    fn engine(&self) -> &keydeck::engine::LocalEngine {
        &self.open().engine
    }

    /// The process ends and another one begins.
    fn restart(&mut self) {
        self.open = None;
        let phrase = Passphrase::choose(PHRASE).unwrap();
        let key = Key::Operator { name: "maria", passphrase: &phrase };
        self.open = Some(open(&self.options(), &key).unwrap());
        assert!(self.open().notices.is_empty(), "{:?}", self.open().notices);
    }

    /// Somebody who has the root key.
    fn keyring(&self) -> Keyring {
        let phrase = Passphrase::choose(PHRASE).unwrap();
        let with = Unlock::Operator { name: "maria", passphrase: &phrase };
        let header = HeaderFile::new(self.dir.path()).load().unwrap();
        Keyring::new(header.unlock(&with).unwrap().root, header.store())
    }

    fn does(&self, command: Command) {
        self.open().engine.execute(&self.open().session, command).unwrap();
    }

    /// Issues under other names from now on.
    fn names(&self, issuer: &str, audience: &str) {
        for (name, value) in [("token-issuer", issuer), ("token-audience", audience)] {
            self.does(Command::SetPolicy { name: name.into(), value: value.into(), basis: None });
        }
    }

    fn app_with(&self, name: &str, method: AuthMethod, scopes: &[&str]) -> App {
        let command = Command::CreateApp(described(name, method, scopes));
        let done = self.open().engine.execute(&self.open().session, command).unwrap();
        let token = done.token.unwrap();
        App { id: AppId(token.id()), secret: token.reveal().to_owned() }
    }

    fn app(&self, name: &str) -> App {
        self.app_with(name, AuthMethod::Jwt, &["contacts.read", "contacts.write"])
    }

    fn client(&self, app: &App) -> Client {
        self.engine().authenticate(&app.id.to_string(), app.secret.as_bytes()).unwrap()
    }

    fn asks(&self, app: &App, scopes: Option<&str>) -> Result<Granted, TokenRefusal> {
        self.engine().grant(&self.client(app), scopes, None)
    }

    fn token(&self, app: &App) -> String {
        self.asks(app, None).unwrap().token.reveal().to_owned()
    }

    fn verify(&self, token: &str) -> Decision {
        self.engine().verify(token.as_bytes(), &[])
    }

    fn verify_for(&self, token: &str, scope: &str) -> Decision {
        self.engine().verify(token.as_bytes(), &[scope.parse::<ScopeId>().unwrap()])
    }

    fn refused(&self, token: &str) -> Option<Reason> {
        self.verify(token).reason()
    }
}

fn described(name: &str, method: AuthMethod, scopes: &[&str]) -> NewApp {
    NewApp {
        name: Name::new(name).unwrap(),
        profile: Profile {
            uri: Url::new("https://example.com").unwrap(),
            description: Note::default(),
            user_type: UserType::Both,
            source: SourceApp::ClientApp,
            post_login: Vec::new(),
            post_logout: Vec::new(),
        },
        method,
        scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
        terms: keydeck::domain::Terms::default(),
    }
}
