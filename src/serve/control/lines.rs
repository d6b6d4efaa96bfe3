//! How the health of a store travels, and what is refused and not written with it.

use std::time::{Duration, Instant};

use minicbor::{Decode, Encode};

use crate::domain::delivery::ChannelName;
use crate::domain::{Actor, Timestamp, View};
use crate::engine::{Condition, Engine as _, LocalEngine, Mark, Sweeps, Unwritten, Writing};
use crate::store::{Health, Rev, Standing};

/// [`Condition`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct HealthLine {
    #[n(0)]
    backend: String,
    #[n(1)]
    rev: u64,
    #[n(2)]
    standing: Standing,
    #[n(3)]
    disk_bytes: Option<u64>,
    #[n(4)]
    free_bytes: Option<u64>,
    #[n(5)]
    synced_ms_ago: Option<u64>,
    #[n(6)]
    seal_behind: Option<String>,
    #[n(7)]
    writing: Writing,
    #[n(8)]
    complete_since: Option<Timestamp>,
    #[n(9)]
    unwritten: Unwritten,
    /// The highest believed time: who attaches goes by the owner's.
    #[n(10)]
    pub mark: Mark,
    #[n(11)]
    sweeps: Sweeps,
    #[n(12)]
    channels: Option<Vec<ChannelName>>,
}

impl HealthLine {
    /// How this process's store is doing, as far as `actor` may see.
    pub fn of(engine: &LocalEngine, actor: Actor) -> Self {
        let Condition { health, writing, complete_since, mut unwritten, sweeps, channels } =
            engine.condition();
        let state = engine.state();
        unwritten.keys.retain(|id| state.key(*id).is_some_and(|key| actor.sees(&state, key)));
        let since = |at: Instant| u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
        Self {
            backend: health.backend.into(),
            rev: health.rev.0,
            standing: health.standing,
            disk_bytes: health.disk_bytes,
            free_bytes: health.free_bytes,
            synced_ms_ago: health.last_sync.map(since),
            seal_behind: health.seal_behind,
            writing,
            complete_since,
            unwritten,
            mark: engine.mark(),
            sweeps,
            // The others see none of them.
            channels: channels.filter(|_| View::new(&state, actor).channels().next().is_some()),
        }
    }

    /// Whether a person would notice the difference: not the free space alone.
    pub fn tells_more_than(&self, before: &Self) -> bool {
        let said = |line: &Self| (line.rev, line.writing == Writing::Ok, line.complete_since);
        said(self) != said(before)
            || self.sweeps.why_not != before.sweeps.why_not
            || self.standing != before.standing
            || self.unwritten != before.unwritten
            || self.seal_behind != before.seal_behind
    }
}

impl From<HealthLine> for Condition {
    fn from(line: HealthLine) -> Self {
        let at = |ago| Instant::now().checked_sub(Duration::from_millis(ago));
        let health = Health {
            backend: if line.backend == "sled" { "sled" } else { "another process" },
            rev: Rev(line.rev),
            standing: line.standing,
            disk_bytes: line.disk_bytes,
            free_bytes: line.free_bytes,
            last_sync: line.synced_ms_ago.and_then(at),
            seal_behind: line.seal_behind,
        };
        let HealthLine { writing, complete_since, unwritten, sweeps, channels, .. } = line;
        Self { health, writing, complete_since, unwritten, sweeps, channels }
    }
}
