//! How the words of the engine travel: each as a line of its own form, and back.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use minicbor::{Decode, Encode};

use crate::crypto::slots::SlotKind;
use crate::domain::audit::Entry;
use crate::domain::verdict::judge;
use crate::domain::{Actor, Bearer, Decision, Expiry, KeyId, Reason, ScopeId, Scopes, State, Timestamp};
use crate::engine::{
    AuditLine, AuditPage, AuditReport, AuditStanding, Condition, Door, Doors, Doubt, Engine as _,
    LocalEngine, Mark, Unwritten, Writing,
};
use crate::store::{Health, Rev, Standing};

/// [`AuditStanding`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum StandingLine {
    /// Whole.
    #[n(0)]
    Intact,
    /// Changed.
    #[n(1)]
    Altered,
    /// Cut.
    #[n(2)]
    Short,
    /// Unknown.
    #[n(3)]
    Unverifiable,
}

impl From<AuditStanding> for StandingLine {
    fn from(standing: AuditStanding) -> Self {
        match standing {
            AuditStanding::Intact => Self::Intact,
            AuditStanding::Altered => Self::Altered,
            AuditStanding::Short => Self::Short,
            AuditStanding::Unverifiable => Self::Unverifiable,
        }
    }
}

impl From<StandingLine> for AuditStanding {
    fn from(line: StandingLine) -> Self {
        match line {
            StandingLine::Intact => Self::Intact,
            StandingLine::Altered => Self::Altered,
            StandingLine::Short => Self::Short,
            StandingLine::Unverifiable => Self::Unverifiable,
        }
    }
}

/// [`Doubt`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DoubtLine(#[n(0)] StandingLine, #[n(1)] String);

impl From<&Doubt> for DoubtLine {
    fn from(doubt: &Doubt) -> Self {
        Self(doubt.standing.into(), doubt.what.clone())
    }
}

impl From<DoubtLine> for Doubt {
    fn from(DoubtLine(standing, what): DoubtLine) -> Self {
        Self { standing: standing.into(), what }
    }
}

/// [`AuditPage`]: the entries as the texts that were chained.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AuditPageLine {
    #[n(0)]
    lines: Vec<(String, String, String)>,
    #[n(1)]
    next: Option<u64>,
}

impl From<AuditPage> for AuditPageLine {
    fn from(page: AuditPage) -> Self {
        let lines = page.lines.into_iter().map(|line| (line.body, line.hash, line.mac)).collect();
        Self { lines, next: page.next }
    }
}

impl From<AuditPageLine> for AuditPage {
    fn from(line: AuditPageLine) -> Self {
        let lines = line.lines.into_iter().filter_map(|(body, hash, mac)| {
            let entry: Entry = serde_json::from_str(&body).ok()?;
            Some(AuditLine { entry, body, hash, mac })
        });
        Self { lines: lines.collect(), next: line.next }
    }
}

/// [`AuditReport`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ReportLine {
    #[n(0)]
    standing: StandingLine,
    #[n(1)]
    faults: Vec<String>,
    #[n(2)]
    entries: u64,
    #[n(3)]
    head: String,
}

impl From<AuditReport> for ReportLine {
    fn from(report: AuditReport) -> Self {
        let AuditReport { standing, faults, entries, head } = report;
        Self { standing: standing.into(), faults, entries, head }
    }
}

impl From<ReportLine> for AuditReport {
    fn from(line: ReportLine) -> Self {
        let ReportLine { standing, faults, entries, head } = line;
        Self { standing: standing.into(), faults, entries, head }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
enum KindLine {
    #[n(0)]
    Passphrase,
    #[n(1)]
    Recovery,
    #[n(2)]
    KeyFile,
}

/// [`Doors`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DoorsLine {
    #[n(0)]
    dir: Option<String>,
    #[n(1)]
    slots: Vec<(KindLine, String, Timestamp)>,
    #[n(2)]
    sealed_at: Option<Timestamp>,
}

impl From<Doors> for DoorsLine {
    fn from(doors: Doors) -> Self {
        let kind = |kind| match kind {
            SlotKind::Passphrase => KindLine::Passphrase,
            SlotKind::Recovery => KindLine::Recovery,
            SlotKind::KeyFile => KindLine::KeyFile,
        };
        let slots = doors.slots.into_iter().map(|door| (kind(door.kind), door.label, door.created_at));
        let dir = doors.dir.map(|dir| dir.display().to_string());
        Self { dir, slots: slots.collect(), sealed_at: doors.sealed_at }
    }
}

impl From<DoorsLine> for Doors {
    fn from(line: DoorsLine) -> Self {
        let kind = |kind| match kind {
            KindLine::Passphrase => SlotKind::Passphrase,
            KindLine::Recovery => SlotKind::Recovery,
            KindLine::KeyFile => SlotKind::KeyFile,
        };
        let slots =
            line.slots.into_iter().map(|(of, label, created_at)| Door { kind: kind(of), label, created_at });
        Self { dir: line.dir.map(PathBuf::from), slots: slots.collect(), sealed_at: line.sealed_at }
    }
}

/// [`Decision`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DecisionLine {
    #[n(0)]
    reason: Option<Reason>,
    #[n(1)]
    bearer: Option<Bearer>,
    #[n(2)]
    missing: Option<ScopeId>,
}

impl From<&Decision> for DecisionLine {
    fn from(decision: &Decision) -> Self {
        Self { reason: decision.reason(), bearer: decision.bearer(), missing: decision.missing().cloned() }
    }
}

impl From<DecisionLine> for Decision {
    /// What the owner decided, said again by the one function that can say allow.
    fn from(line: DecisionLine) -> Self {
        let (none, at) = (Scopes::default(), Timestamp(0));
        match (line.reason, line.bearer) {
            (None, Some(bearer)) => judge(bearer, None, Expiry::Never, &none, &[], at),
            (Some(Reason::Scope), Some(bearer)) if line.missing.is_some() => {
                let wanted: Vec<ScopeId> = line.missing.into_iter().collect();
                judge(bearer, None, Expiry::Never, &none, &wanted, at)
            }
            (Some(reason), bearer) => Self::deny(reason, bearer),
            (None, None) => Self::deny(Reason::StoreError, None),
        }
    }
}

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
