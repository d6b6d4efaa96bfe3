//! The way into a store: opens it, or attaches to the process that has it open, whichever is possible; nobody has to
//! say which.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use super::control::client::{NotAttached, attach};
use super::control::{Control, Owner, Settings, knock};
use crate::engine::open::{self, Key, Open, Options};
use crate::engine::{Engine, LocalEngine, OpenError, Session};
use crate::store;

/// How long a store that somebody has without a socket is asked for: a command line has it for a moment only, and a
/// process that starts has it before its socket.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// A store to work on.
pub struct Entrance {
    /// What others attach to while this process owns the store. First, because it ends first: those attached are told
    /// before the store is closed.
    pub control: Option<Control>,
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
        Self { control: None, local: Some(Arc::clone(&engine)), engine, session, notices, owner: None }
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
        match Control::start(engine, &Settings { socket: None, command: command.into() }) {
            Ok(control) => self.control = Some(control),
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
                let engine = Arc::new(engine);
                return Ok(Entrance { control: None, engine, local: None, session, notices, owner });
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
