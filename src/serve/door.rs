//! The way into a store: opens it, or attaches to the process that has it open, whichever is possible; nobody has to
//! say which.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use super::control::client::{NotAttached, attach};
use super::control::{Control, Owner, Settings, knock};
use crate::deliver::{Courier, Setup};
use crate::engine::open::{self, Key, Open, Options};
use crate::engine::{Engine, LocalEngine, LookOnly, OpenError, Pace, Session, Sweeper};
use crate::store;

/// How long a store that somebody has without a socket is asked for: a command line has it for a moment only, and a
/// process that starts has it before its socket.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// What a process does for the store that it has, beside its own work, for as long as it stays.
pub struct Hosting {
    /// Delivers what sweeps tell of. First, because it breaks off what is under way; nobody waits for that.
    courier: Option<Courier>,
    /// Does what time brings. A sweep that is under way is ended before those attached are told.
    _sweeper: Sweeper,
    /// What others attach to.
    _control: Option<Control>,
}

impl Hosting {
    /// Sweeps, delivers through these channels, and lets others attach to `control`, until it is dropped.
    pub fn begin(engine: &Arc<LocalEngine>, control: Option<Control>, channels: &[Setup]) -> Self {
        Self {
            courier: Some(Courier::start(engine, channels)),
            _sweeper: engine.sweep_by_itself(Pace::default()),
            _control: control,
        }
    }

    /// Delivers through these channels from now on, and no longer through those of before.
    pub fn deliver_through(&mut self, engine: &Arc<LocalEngine>, channels: &[Setup]) {
        // One after the other: what is broken off is sent again by whoever comes next.
        drop(self.courier.take());
        self.courier = Some(Courier::start(engine, channels));
    }
}

/// A store to work on.
pub struct Entrance {
    /// While this process owns the store and stays. First, because it ends before the store is closed.
    pub hosting: Option<Hosting>,
    /// Runs commands.
    pub engine: Arc<dyn Engine>,
    /// The same, when this process owns the store.
    pub local: Option<Arc<LocalEngine>>,
    /// Who is signed in.
    pub session: Session,
    /// What there is to say about the store, in words.
    pub notices: Vec<String>,
    /// The process that owns the store, when it is another.
    pub owner: Option<Owner>,
}

impl From<Open> for Entrance {
    fn from(open: Open) -> Self {
        let Open { engine, session, notices } = open;
        Self { hosting: None, local: Some(Arc::clone(&engine)), engine, session, notices, owner: None }
    }
}

impl Entrance {
    /// The same, changing nothing if so it was asked. Nobody attaches to that: what others do could not be written.
    fn looking(self, options: &Options) -> Self {
        if !options.read_only {
            return self;
        }
        Self { engine: LookOnly::over(self.engine, &self.session), local: None, ..self }
    }

    /// The same, for a process that stays; while it owns the store it sweeps, delivers through these
    /// channels, and others attach to it.
    #[must_use]
    pub fn hosted(mut self, command: &str, channels: &[Setup]) -> Self {
        let Some(engine) = self.local.clone() else { return self };
        if engine.dir().is_none() {
            return self;
        }
        let settings = Settings { socket: None, command: command.into() };
        let control = Control::start(Arc::clone(&engine), &settings);
        let control = control.map_err(|error| self.notices.push(error.to_string())).ok();
        self.hosting = Some(Hosting::begin(&engine, control, channels));
        self
    }
}

/// Opens the store and signs in, or signs in to the process that has it open.
pub fn open_or_attach(options: &Options, key: &Key<'_>) -> Result<Entrance, OpenError> {
    let deadline = Instant::now() + PATIENCE;
    // Nobody sends on this channel: waiting on it is waiting for the pause to end.
    let (_quiet, never) = mpsc::channel::<()>();
    loop {
        match attach(options, key) {
            Ok((engine, session)) => {
                let owner = Some(engine.owner().clone());
                let engine: Arc<dyn Engine> = Arc::new(engine);
                let notices = engine.doubts().iter().map(|doubt| doubt.what.clone()).collect();
                let entrance = Entrance { hosting: None, engine, local: None, session, notices, owner };
                return Ok(entrance.looking(options));
            }
            Err(NotAttached::Refused(error)) => return Err(error),
            Err(NotAttached::Nobody) => {}
        }
        match open::open(options, key) {
            Err(OpenError::Store(store::OpenError::InUse { .. })) if Instant::now() < deadline => {
                let _elapsed = never.recv_timeout(PAUSE);
            }
            opened => return Ok(Entrance::from(opened?).looking(options)),
        }
    }
}

/// Whether somebody answers at the socket of the store in `dir`.
pub fn is_reachable(dir: &Path) -> bool {
    knock(dir).is_ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::crypto::passphrase::{Cost, Passphrase};
    use crate::domain::{Command, KeysAfter, Name, NewKey, Note, Place, Role};
    use crate::engine::open::{Key, Options, found};
    use crate::engine::{Brought, EngineError, Via};
    use crate::store::{SledOptions, SledStore, Store as _};

    const PHRASE: &str = "correct horse battery staple";

    fn options(dir: &Path, read_only: bool) -> Options {
        Options { cost: Cost::IMPORTED, read_only, ..Options::new(dir, "keydeck", Via::Console) }
    }

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    /// All rows, and the files beside them.
    fn all(dir: &Path) -> (Vec<Vec<u8>>, Vec<Option<Vec<u8>>>) {
        let mut rows = Vec::new();
        let store = SledStore::open(&SledOptions::new(dir)).unwrap().store;
        store
            .scan(b"", &mut |row| {
                rows.push([row.key, row.value].concat());
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
        let files = ["header", "header.bak", "seal", "attempts"];
        (rows, files.map(|file| std::fs::read(dir.join(file)).ok()).into())
    }

    #[test]
    fn a_read_only_console_issues_no_key_and_leaves_the_store_byte_for_byte() {
        let dir = tempfile::tempdir().unwrap();
        let passphrase = Passphrase::choose(PHRASE).unwrap();
        drop(found(&options(dir.path(), false), name("Acme"), name("maria"), &passphrase).unwrap());
        let wrong = Passphrase::present("a wrong horse battery staple").unwrap();
        assert!(
            open_or_attach(&options(dir.path(), true), &Key::Operator { name: "maria", passphrase: &wrong })
                .is_err()
        );
        let before = all(dir.path());
        assert!(before.1[3].is_some(), "wrong secrets are counted in any case");
        let key = Key::Operator { name: "maria", passphrase: &passphrase };
        let entrance = open_or_attach(&options(dir.path(), true), &key).unwrap();
        assert!(entrance.local.is_none(), "nobody is let in whose changes could not be written");
        let (engine, session) = (&entrance.engine, &entrance.session);
        let maria = session.actor().operator;
        let new = || NewKey {
            name: name("Nightly export"),
            place: Place::Agency,
            scopes: vec!["contacts.read".into()],
            expiry: None,
            note: Note::default(),
            decoy: false,
        };
        let secret = || Brought::Passphrase(&passphrase);
        let policy = Command::SetPolicy { name: "notice-days".into(), value: "3".into(), basis: None };
        let tries: Vec<Option<EngineError>> = vec![
            engine.execute(session, Command::IssueKey(new())).err(),
            engine.execute(session, policy).err(),
            engine
                .act(session, Command::ImportKey(new(), None), Brought::Imported(b"0123456789abcdef"))
                .err(),
            engine.execute(session, Command::OpenAgencyView).err(),
            engine.tried(session, b"kdag_").err(),
            engine
                .act(session, Command::AddOperator { name: name("jonas"), role: Role::Admin }, secret())
                .err(),
            engine.act(session, Command::SetSecret(maria), secret()).err(),
            engine
                .execute(session, Command::DisableOperator { operator: maria, keys: KeysAfter::Work })
                .err(),
            engine.act(session, Command::EnableOperator(maria), secret()).err(),
            engine.execute(session, Command::ReplaceRecovery).err(),
        ];
        for (at, refused) in tries.iter().enumerate() {
            assert!(matches!(refused, Some(EngineError::LookOnly)), "{at}: {refused:?}");
        }
        engine.execute(session, Command::ReadAudit).unwrap();
        let read = engine.audit(session, None, 10, None).unwrap().lines;
        assert!(!read.is_empty(), "looking goes on");
        assert!(
            read.iter().all(|line| line.entry.readable_by(maria, Role::Viewer)),
            "and unnoted not at all of it"
        );
        engine.verify(b"kdag_nothing", &[]);
        engine.execute(session, Command::EndSession).unwrap();
        engine.settle().unwrap();
        drop(entrance);
        assert!(all(dir.path()) == before, "something was written");
    }
}
