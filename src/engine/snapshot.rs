//! What an engine holds in memory, whoever owns the store: read without asking anybody.

use std::sync::RwLock;

use super::timekeeper::{Dial, Now, Timekeeper};
use super::{Brought, Done, Doubt, Engine, EngineError, Reading, Session};
use crate::domain::{Catalog, Command, State};

/// What is held, in parts. The state is read when somebody asks for it.
#[derive(Clone, Copy)]
pub struct Snapshot<'a> {
    pub(crate) state: &'a RwLock<State>,
    pub(crate) catalog: &'a Catalog,
    pub(crate) doubts: &'a [Doubt],
    pub(crate) time: &'a Timekeeper,
}

impl dyn Engine + '_ {
    /// [`Engine::act`] for a command that goes with nothing.
    ///
    /// # Errors
    /// As of [`Engine::act`].
    pub fn execute(&self, session: &Session, command: Command) -> Result<Done, EngineError> {
        self.act(session, command, Brought::Nothing)
    }

    /// The state as it is now. Hold it for the length of a draw, not longer; read it through a
    /// [`crate::domain::View`] of the session's actor.
    pub fn state(&self) -> Reading<'_> {
        Reading::of(self.snapshot().state)
    }

    /// The scopes that exist.
    pub fn catalog(&self) -> &Catalog {
        self.snapshot().catalog
    }

    /// What does not agree between the store and its audit trail; empty when all is well. As it was found when the store
    /// was opened.
    pub fn doubts(&self) -> &[Doubt] {
        self.snapshot().doubts
    }

    /// What time it is for decisions.
    pub fn now(&self) -> Now {
        self.snapshot().time.now()
    }

    /// What the clocks say, and whether they are believed.
    pub fn clock(&self) -> Dial {
        self.snapshot().time.dial()
    }
}
