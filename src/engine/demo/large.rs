//! Sample stores of any size: up to a thousand operators and millions of keys with a year behind them, for trying and for
//! measuring. Made through the same doors as in earnest, one command and one request after the other, so that records,
//! trail and histories are what they would be; on a clock that runs as fast as they come.
//!
//! `town` is who there is, `lives` what becomes of their keys, `dir` a store that is written to a directory.

mod dir;
mod lives;
mod town;

use std::ops::ControlFlow;
use std::sync::Arc;

pub use self::dir::Making;
use self::lives::Lives;
use self::town::Town;
use super::{PastClock, Session};
use crate::crypto::random::OsEntropy;
use crate::domain::time::DAY_MS;
use crate::domain::{Command, Name};
use crate::engine::clock::SystemClock;
use crate::engine::open::{Open, in_memory};
use crate::engine::{EngineError, OpenError, Via};

/// How far back such a story begins.
const SPAN_MS: i64 = 400 * DAY_MS;

/// How large a store shall be.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Keys in all, ended ones too.
    pub keys: usize,
    /// Operators, the founder too; 1 to 1 024.
    pub operators: usize,
    /// Another number tells another story. Ids and secrets are random in any.
    pub seed: u64,
}

impl Size {
    /// So many operators own so many keys, where nothing else is said.
    #[must_use]
    pub fn operators_for(keys: usize) -> usize {
        (keys / 1_000).clamp(6, 1_000)
    }
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Operators are added.
    Operators,
    /// Keys are issued, and some of them ended.
    Keys,
    /// Those that live are used.
    Uses,
    /// All of it is written to the directory.
    Rows,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// With what.
    pub stage: Stage,
    /// How many of them.
    pub done: usize,
    /// Of how many.
    pub all: usize,
}

/// Hears how far it is, some times a second; [`ControlFlow::Break`] gives it up.
pub type Hear<'h> = &'h mut dyn FnMut(Progress) -> ControlFlow<()>;

/// Why a store is not there.
enum Halt {
    GivenUp,
    Failed(OpenError),
}

impl<E: Into<OpenError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Halt {
    /// `None` of what was given up.
    fn told<T>(result: Result<T, Self>) -> Result<Option<T>, OpenError> {
        match result {
            Ok(made) => Ok(Some(made)),
            Err(Self::GivenUp) => Ok(None),
            Err(Self::Failed(error)) => Err(error),
        }
    }
}

/// Says how far it is.
fn tell(hear: Hear<'_>, stage: Stage, done: usize, all: usize) -> Result<(), Halt> {
    match hear(Progress { stage, done, all }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Halt::GivenUp),
    }
}

/// A store of that size in memory, and its founder, who sees the whole agency. `None` when it was given up.
///
/// # Errors
/// When the system's generator draws nothing.
pub fn open(size: Size, hear: Hear<'_>) -> Result<Option<Open>, OpenError> {
    let clock = PastClock::begin(Arc::new(SystemClock), SPAN_MS);
    let named = |text: &str| Name::new(text).map_err(super::bad_text);
    let (agency, founder) = (named("Acme Wellness Group")?, named("maria")?);
    let Open { engine, session, .. } =
        in_memory(agency, founder, clock.clone(), Via::Console, Box::new(OsEntropy))?;
    let Some(()) = Halt::told(fill(Town::new(engine.clone(), session.clone(), clock, size), hear))? else {
        return Ok(None);
    };
    let view = engine.execute(&session, Command::OpenAgencyView)?;
    let session: Session = view.session.ok_or(OpenError::NoOperator)?;
    Ok(Some(Open { engine, session, notices: Vec::new() }))
}

/// Tells the whole story.
fn fill(mut town: Town, hear: Hear<'_>) -> Result<(), Halt> {
    town.settle_down(hear)?;
    let mut lives = Lives::new(town);
    lives.begin(hear)?;
    lives.go_on(hear)?;
    lives.end()
}

/// What goes wrong here is told as the engine tells it.
fn failed(error: impl Into<EngineError>) -> Halt {
    Halt::Failed(OpenError::Engine(error.into()))
}

#[cfg(test)]
mod tests;
