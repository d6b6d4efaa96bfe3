//! What came of a delivery, and what every delivery keeps to.

use super::Setup;
use crate::domain::delivery::{ChannelName, Claim};
use crate::domain::{Refusal, Timestamp};
use crate::engine::{EngineError, LocalEngine};

/// Messages refused one after another, after which the channel itself is taken to be down and is left alone for now.
pub(super) const STRIKES: u32 = 3;
/// A claim outlasts a message by this.
const SPARE_MS: i64 = 60_000;
/// The least time until something is tried again.
const PAUSE_MS: i64 = 60_000;

/// What came of a delivery.
#[derive(Debug, Default)]
pub struct Report {
    /// Messages that were accepted.
    pub sent: usize,
    /// What was not, and why, in words.
    pub failed: Vec<(ChannelName, String)>,
    /// Where another process had ended while it delivered: what was under way was sent again, with its id.
    pub taken_over: Vec<ChannelName>,
    /// When something is to be tried again, if anything is.
    pub next: Option<Timestamp>,
}

impl Report {
    pub(super) fn try_at(&mut self, at: Timestamp) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    /// With what came of another run.
    pub fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.failed.extend(other.failed);
        self.taken_over.extend(other.taken_over);
        if let Some(at) = other.next {
            self.try_at(at);
        }
    }

    /// Takes in what came of one channel.
    pub(super) fn note(&mut self, engine: &LocalEngine, channel: ChannelName, done: Result<(), EngineError>) {
        match done {
            Ok(()) => {}
            // Somebody else sends; what they do not come to is sent later.
            Err(EngineError::Refused(Refusal::NoChange(_))) => self.try_at(later(engine.now().time)),
            Err(error) => self.failed.push((channel, error.to_string())),
        }
    }
}

/// When something is tried again at the earliest.
pub(super) const fn later(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_add(PAUSE_MS))
}

/// That somebody sends one message through a channel.
pub(super) fn claim(setup: &Setup, by: &str, now: Timestamp) -> Claim {
    let limit = i64::try_from(setup.way.limit().as_millis()).unwrap_or(i64::MAX);
    Claim { by: by.to_owned(), until: Timestamp(now.0.saturating_add(limit).saturating_add(SPARE_MS)) }
}
