//! The way into a store: opens it, or attaches to the process that has it open, whichever is possible; nobody has to
//! say which.

use std::path::Path;
use std::sync::{Arc, RwLockReadGuard, mpsc};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use super::control::client::{NotAttached, attach};
use super::control::{Control, Owner, Settings, knock};
use crate::crypto::recovery::RecoveryCode;
use crate::domain::{
    Catalog, Command, Decision, KeyId, KeysAfter, Name, NewKey, OperatorId, Role, ScopeId, State, Timestamp,
};
use crate::engine::open::{self, Key, Open, Options};
use crate::engine::{
    Anchor, AuditPage, AuditReport, Done, Doors, Doubt, Engine, EngineError, LocalEngine, NewSecret, News,
    Now, OpenError, Session, Tried, Writing,
};
use crate::store::{self, Health};

/// How long a store that somebody has without a socket is asked for: a command line has it for a moment only, and a
/// process that starts has it before its socket.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// A store to work on.
pub struct Entrance {
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
        Self { local: Some(Arc::clone(&engine)), engine, session, notices, owner: None }
    }
}

impl Entrance {
    /// The same; while this process owns the store, others attach to it.
    #[must_use]
    pub fn hosted(mut self, command: &str) -> Self {
        let Some(engine) = self.local.clone() else { return self };
        if engine.dir().is_none() {
            return self;
        }
        match Control::start(Arc::clone(&engine), &Settings { socket: None, command: command.into() }) {
            Ok(control) => self.engine = Arc::new(Hosted { _control: control, engine }),
            Err(error) => self.notices.push(error.to_string()),
        }
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
                let notices = engine.doubts().iter().map(|doubt| doubt.what.clone()).collect();
                let owner = Some(engine.owner().clone());
                return Ok(Entrance { engine: Arc::new(engine), local: None, session, notices, owner });
            }
            Err(NotAttached::Refused(error)) => return Err(error),
            Err(NotAttached::Nobody) => {}
        }
        match open::open(options, key) {
            Err(OpenError::Store(store::OpenError::InUse { .. })) if Instant::now() < deadline => {
                let _elapsed = never.recv_timeout(PAUSE);
            }
            opened => return Ok(opened?.into()),
        }
    }
}

/// Whether somebody answers at the socket of the store in `dir`.
pub fn is_reachable(dir: &Path) -> bool {
    knock(dir).is_ok()
}

/// An engine of this process that others are attached to: with it, their connections end.
struct Hosted {
    // Dropped first: those attached are told before the store is closed.
    _control: Control,
    engine: Arc<LocalEngine>,
}

impl Engine for Hosted {
    fn execute(&self, session: &Session, command: Command) -> Result<Done, EngineError> {
        self.engine.execute(session, command)
    }

    fn import_key(&self, session: &Session, new: NewKey, secret: &[u8]) -> Result<Done, EngineError> {
        self.engine.import_key(session, new, secret)
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.engine.state()
    }

    fn catalog(&self) -> &Catalog {
        self.engine.catalog()
    }

    fn now(&self) -> Now {
        self.engine.now()
    }

    fn subscribe(&self) -> broadcast::Receiver<News> {
        self.engine.subscribe()
    }

    fn verify(&self, presented: &[u8], wanted: &[ScopeId]) -> Decision {
        self.engine.verify(presented, wanted)
    }

    fn test(&self, session: &Session, presented: &[u8], wanted: &[ScopeId]) -> Result<Decision, EngineError> {
        self.engine.test(session, presented, wanted)
    }

    fn open_agency_view(&self, session: &Session) -> Result<Session, EngineError> {
        self.engine.open_agency_view(session)
    }

    fn audit(
        &self,
        session: &Session,
        before: Option<u64>,
        limit: usize,
        about: Option<KeyId>,
    ) -> Result<AuditPage, EngineError> {
        self.engine.audit(session, before, limit, about)
    }

    fn tried(&self, session: &Session, presented: &[u8]) -> Result<Tried, EngineError> {
        self.engine.tried(session, presented)
    }

    fn check_audit(&self, session: &Session) -> Result<AuditReport, EngineError> {
        self.engine.check_audit(session)
    }

    fn anchor(&self) -> Result<Anchor, EngineError> {
        Ok(self.engine.anchor())
    }

    fn audit_hash(&self, seq: u64) -> Result<Option<String>, EngineError> {
        self.engine.audit_hash(seq)
    }

    fn add_operator(
        &self,
        session: &Session,
        name: Name,
        role: Role,
        secret: NewSecret<'_>,
    ) -> Result<Done, EngineError> {
        self.engine.add_operator(session, name, role, secret)
    }

    fn set_secret(
        &self,
        session: &Session,
        operator: OperatorId,
        secret: NewSecret<'_>,
    ) -> Result<Done, EngineError> {
        self.engine.set_secret(session, operator, secret)
    }

    fn disable_operator(
        &self,
        session: &Session,
        operator: OperatorId,
        keys: KeysAfter,
    ) -> Result<Done, EngineError> {
        self.engine.disable_operator(session, operator, keys)
    }

    fn enable_operator(
        &self,
        session: &Session,
        operator: OperatorId,
        secret: NewSecret<'_>,
    ) -> Result<Done, EngineError> {
        self.engine.enable_operator(session, operator, secret)
    }

    fn renew_recovery(&self, session: &Session) -> Result<RecoveryCode, EngineError> {
        self.engine.renew_recovery(session)
    }

    fn doors(&self, session: &Session) -> Result<Doors, EngineError> {
        self.engine.doors(session)
    }

    fn health(&self) -> Health {
        self.engine.health()
    }

    fn doubts(&self) -> &[Doubt] {
        self.engine.doubts()
    }

    fn use_writer(&self) -> Writing {
        self.engine.use_writer()
    }

    fn uses_complete_since(&self) -> Option<Timestamp> {
        self.engine.uses_complete_since()
    }

    fn settle(&self) -> Result<(), EngineError> {
        self.engine.settle()
    }
}
