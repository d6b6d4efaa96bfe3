//! A store in a directory of its own, the process that owns it (this one), and people who attach to it.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::support::wait::PATIENCE;
use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::{Command, Event, KeyId, Name, NewKey, Note, Place, Role, View};
use keydeck::engine::open::{Key, Open, Options, found, open};
use keydeck::engine::{Brought, Done, Engine, EngineError, LocalEngine, News, OpenError, Session, Via};
use keydeck::serve::control::{Control, Settings};
use keydeck::serve::door::{Entrance, open_or_attach};

pub const PHRASE: &str = "correct horse battery staple";

/// A founded store and this process as its owner, with the socket open.
pub struct House {
    // Dropped in this order: the socket, the store, the directory.
    pub control: Option<Control>,
    pub owner: Option<Open>,
    pub dir: tempfile::TempDir,
}

pub fn phrase(text: &str) -> Passphrase {
    Passphrase::choose(text).unwrap()
}

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// The cheapest passphrase that is accepted: stores are opened by the dozen here.
pub fn options(dir: &Path, via: Via) -> Options {
    Options { cost: Cost::IMPORTED, ..Options::new(dir, "keydeck test", via) }
}

/// What operators of these stores sign in with.
pub fn phrase_of(who: &str) -> String {
    if who == "maria" { PHRASE.to_owned() } else { format!("the passphrase of {who}") }
}

pub fn settings() -> Settings {
    Settings { socket: None, command: "keydeck serve".into() }
}

/// Opens the store as its owner.
pub fn open_as(dir: &Path, who: &str) -> Open {
    let passphrase = phrase(&phrase_of(who));
    open(&options(dir, Via::CommandLine), &Key::Operator { name: who, passphrase: &passphrase }).unwrap()
}

/// Opens the store or attaches, as every front end does.
pub fn enter(dir: &Path, who: &str, secret: &str, via: Via) -> Result<Entrance, OpenError> {
    let passphrase = Passphrase::present(secret).unwrap();
    open_or_attach(&options(dir, via), &Key::Operator { name: who, passphrase: &passphrase })
}

impl House {
    /// Founded by maria, an admin; others are hired. The socket is open.
    pub fn with(people: &[(&str, Role)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let owner =
            found(&options(dir.path(), Via::CommandLine), name("Acme"), name("maria"), &phrase(PHRASE))
                .unwrap()
                .open;
        for (who, role) in people {
            let secret = phrase(&phrase_of(who));
            owner
                .engine
                .act(
                    &owner.session,
                    Command::AddOperator { name: name(who), role: *role },
                    Brought::Passphrase(&secret),
                )
                .unwrap();
        }
        let control = Control::start(Arc::clone(&owner.engine), &settings()).unwrap();
        Self { control: Some(control), owner: Some(owner), dir }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn owner(&self) -> &Open {
        self.owner.as_ref().unwrap()
    }

    pub fn engine(&self) -> &LocalEngine {
        &self.owner().engine
    }

    /// Somebody attaches.
    #[track_caller]
    pub fn attach(&self, who: &str) -> Guest {
        let entrance = enter(self.path(), who, &phrase_of(who), Via::CommandLine).unwrap();
        assert!(entrance.owner.is_some() && entrance.local.is_none(), "{who} opened the store itself");
        Guest { engine: entrance.engine, session: entrance.session }
    }

    /// The owner lets go of the store.
    pub fn close(&mut self) {
        self.control = None;
        self.owner = None;
    }
}

/// Somebody attached.
pub struct Guest {
    pub engine: Arc<dyn Engine>,
    pub session: Session,
}

impl Guest {
    #[track_caller]
    pub fn run(&self, command: Command) -> Done {
        self.engine.execute(&self.session, command).unwrap()
    }

    pub fn try_run(&self, command: Command) -> Result<Done, EngineError> {
        self.engine.execute(&self.session, command)
    }

    #[track_caller]
    pub fn issue(&self, called: &str) -> (KeyId, String) {
        let (id, token) = issued(self.run(key(called)));
        self.engine.shown(*id.public()).unwrap();
        (id, token)
    }

    /// The names of the keys in view, sorted.
    pub fn sees(&self) -> Vec<String> {
        let state = self.engine.state();
        let mut names: Vec<_> =
            View::new(&state, self.session.actor()).keys().map(|key| key.name.to_string()).collect();
        names.sort();
        names
    }

    /// Waits for news until the replica is as wanted. No news, no look: there is nothing to poll.
    #[track_caller]
    pub fn until(&self, news: &mut Ear, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(news.next(deadline).is_some(), "it was never so: {what}");
        }
    }

    pub fn listen(&self) -> Ear {
        Ear(self.engine.subscribe())
    }
}

/// Listens to news.
pub struct Ear(tokio::sync::broadcast::Receiver<News>);

impl Ear {
    /// The next news, before the deadline.
    pub fn next(&mut self, deadline: Instant) -> Option<News> {
        use tokio::sync::broadcast::error::RecvError;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            loop {
                match tokio::time::timeout_at(deadline.into(), self.0.recv()).await {
                    Ok(Ok(news)) => return Some(news),
                    Ok(Err(RecvError::Lagged(_))) => {}
                    Ok(Err(RecvError::Closed)) | Err(_) => return None,
                }
            }
        })
    }

    /// Waits for the end, and says why it came.
    #[track_caller]
    pub fn end(&mut self) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.next(deadline) {
                Some(News::Gone(why)) => return why.to_string(),
                Some(_) => {}
                None => panic!("nobody said that it is over"),
            }
        }
    }
}

/// A command that issues an agency key.
pub fn key(called: &str) -> Command {
    Command::IssueKey(NewKey {
        name: name(called),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: None,
        note: Note::default(),
        decoy: false,
    })
}

/// The key a command issued.
#[track_caller]
pub fn issued(done: Done) -> (KeyId, String) {
    let token = done.token.unwrap();
    let key = done.events.iter().find_map(|event| match event {
        Event::KeyIssued(key) => Some(key.id),
        _ => None,
    });
    assert_eq!(key, Some(KeyId(token.id())));
    (KeyId(token.id()), token.reveal().to_owned())
}
