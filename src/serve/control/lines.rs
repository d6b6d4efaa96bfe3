//! How the health of a store travels, and what is refused and not written with it.

use std::time::{Duration, Instant};

use minicbor::{Decode, Encode};

use crate::domain::{Actor, KeyId, State, Timestamp};
use crate::engine::{Condition, Engine as _, LocalEngine, Mark, Unwritten, Writing};
use crate::store::{Health, Rev, Standing};

/// [`Unwritten`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
struct UnwrittenLine {
    #[n(0)]
    denials: u64,
    #[n(1)]
    since: Option<Timestamp>,
    #[n(2)]
    why: String,
    #[n(3)]
    kept: bool,
    #[n(4)]
    keys: Vec<KeyId>,
}

impl UnwrittenLine {
    /// With the keys the actor may see.
    fn of(unwritten: Unwritten, state: &State, actor: Actor) -> Self {
        let Unwritten { denials, since, why, kept, mut keys } = unwritten;
        keys.retain(|id| state.key(*id).is_some_and(|key| actor.sees(state, key)));
        Self { denials: u64::try_from(denials).unwrap_or(u64::MAX), since, why, kept, keys }
    }
}

impl From<UnwrittenLine> for Unwritten {
    fn from(UnwrittenLine { denials, since, why, kept, keys }: UnwrittenLine) -> Self {
        Self { denials: usize::try_from(denials).unwrap_or(usize::MAX), since, why, kept, keys }
    }
}

/// [`Condition`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct HealthLine {
    #[n(0)]
    backend: String,
    #[n(1)]
    rev: u64,
    #[n(2)]
    writable: bool,
    #[n(3)]
    read_only: Option<String>,
    #[n(4)]
    down: Option<String>,
    #[n(5)]
    disk_bytes: Option<u64>,
    #[n(6)]
    free_bytes: Option<u64>,
    #[n(7)]
    synced_ms_ago: Option<u64>,
    /// Since when, why, and how many uses wait.
    #[n(8)]
    uses_failing: Option<(Timestamp, String, u64)>,
    #[n(9)]
    complete_since: Option<Timestamp>,
    #[n(10)]
    unwritten: UnwrittenLine,
    /// The highest believed time: who attaches goes by the owner's.
    #[n(11)]
    pub mark: Mark,
    #[n(12)]
    seal_behind: Option<String>,
}

impl HealthLine {
    /// How this process's store is doing, as far as `actor` may see.
    pub fn of(engine: &LocalEngine, actor: Actor) -> Self {
        let Condition { health, writing, complete_since, unwritten } = engine.condition();
        let (writable, read_only, down) = match health.standing {
            Standing::Writable => (true, None, None),
            Standing::ReadOnly(why) => (false, Some(why), None),
            Standing::Down(why) => (false, None, Some(why)),
        };
        let uses_failing = match writing {
            Writing::Ok => None,
            Writing::Failing { since, why, unwritten } => {
                Some((since, why, u64::try_from(unwritten).unwrap_or(u64::MAX)))
            }
        };
        Self {
            backend: health.backend.into(),
            rev: health.rev.0,
            writable,
            read_only,
            down,
            disk_bytes: health.disk_bytes,
            free_bytes: health.free_bytes,
            synced_ms_ago: health
                .last_sync
                .map(|at| u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX)),
            uses_failing,
            complete_since,
            unwritten: UnwrittenLine::of(unwritten, &engine.state(), actor),
            mark: engine.mark(),
            seal_behind: health.seal_behind,
        }
    }

    /// Whether a person would notice the difference: not the free space alone.
    pub fn tells_more_than(&self, before: &Self) -> bool {
        let said = |line: &Self| {
            (line.rev, line.writable, line.read_only.clone(), line.down.clone(), line.uses_failing.is_some())
        };
        said(self) != said(before)
            || self.complete_since != before.complete_since
            || self.unwritten != before.unwritten
            || self.seal_behind != before.seal_behind
    }
}

impl From<HealthLine> for Condition {
    fn from(line: HealthLine) -> Self {
        let standing = match (line.writable, line.read_only, line.down) {
            (true, ..) => Standing::Writable,
            (false, Some(why), _) => Standing::ReadOnly(why),
            (false, None, why) => Standing::Down(why.unwrap_or_default()),
        };
        let writing = match line.uses_failing {
            None => Writing::Ok,
            Some((since, why, unwritten)) => {
                Writing::Failing { since, why, unwritten: usize::try_from(unwritten).unwrap_or(usize::MAX) }
            }
        };
        let health = Health {
            backend: if line.backend == "sled" { "sled" } else { "another process" },
            rev: Rev(line.rev),
            standing,
            disk_bytes: line.disk_bytes,
            free_bytes: line.free_bytes,
            last_sync: line
                .synced_ms_ago
                .and_then(|ago| Instant::now().checked_sub(Duration::from_millis(ago))),
            seal_behind: line.seal_behind,
        };
        Self { health, writing, complete_since: line.complete_since, unwritten: line.unwritten.into() }
    }
}
