//! The one thread that writes: it gathers waiting commits, judges their guards, writes one batch, syncs, answers.
//!
//! After a failed write the handle is not trusted again: sled keeps failing even when the disk has recovered. The
//! database is reopened, which also tells whether the failed batch is in it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use super::core::{Core, Shared};
use super::open::{Opening, Ready};
use super::plan::Plan;
use super::recent::Recent;
use crate::store::contract::{Guard, Op, limits};
use crate::store::error::CommitError;
use crate::store::feed::Batch;
use crate::store::rows::Rev;

/// Commits gathered into one batch at most.
const BATCH_COMMITS: usize = 64;
/// Keys and values gathered into one batch at most, in bytes and in rows: what one batch makes sled write has to stay
/// well below a segment of its log.
const BATCH_BYTES: usize = limits::COMMIT_BYTES;
const BATCH_ROWS: usize = 2 * limits::OPS;
/// How long a store that is down waits before it tries again by itself, and before a commit makes it try.
const REVIVE_EVERY: Duration = Duration::from_secs(2);

/// What the committer is asked.
pub(super) enum Request {
    Commit { guards: Vec<Guard>, ops: Vec<Op>, weight: usize, answer: SyncSender<Result<Rev, CommitError>> },
    Stop,
}

/// A commit waiting for its answer.
struct Waiting {
    guards: Vec<Guard>,
    ops: Vec<Op>,
    answer: SyncSender<Result<Rev, CommitError>>,
}

/// The writer's state.
pub(super) struct Committer {
    pub(super) shared: Arc<Shared>,
    pub(super) requests: Receiver<Request>,
    pub(super) opening: Opening,
    /// Where the newest commits are written a second time.
    pub(super) recent: Recent,
    /// Below this, commits are refused before anything is written.
    pub(super) free_to_write: u64,
    pub(super) last_try: Option<Instant>,
}

impl Committer {
    /// Works until told to stop or until nobody can ask any more.
    pub(super) fn run(mut self) {
        let mut held = None;
        loop {
            let request = match held.take() {
                Some(request) => request,
                None => match self.next() {
                    Some(request) => request,
                    None => break,
                },
            };
            match request {
                Request::Stop => break,
                Request::Commit { guards, ops, weight, answer } => {
                    let mut batch = vec![Waiting { guards, ops, answer }];
                    held = self.gather(&mut batch, weight);
                    self.serve(batch);
                }
            }
        }
        self.shared.feed.close();
    }

    /// The next request; while the store is down, also looks after it in between.
    fn next(&mut self) -> Option<Request> {
        loop {
            if self.shared.peek().down.is_none() {
                return self.requests.recv().ok();
            }
            match self.requests.recv_timeout(REVIVE_EVERY) {
                Ok(request) => return Some(request),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    let _still_down = self.revive(&[]);
                }
            }
        }
    }

    /// Adds commits that already wait, up to the limits; hands back the first request that does not fit. To the first commit of a
    /// store none is added: where more than that was noted beside it, a database that is not there was lost.
    fn gather(&self, batch: &mut Vec<Waiting>, mut weight: usize) -> Option<Request> {
        if self.shared.peek().ledger.rev == Rev(0) {
            return None;
        }
        let mut rows: usize = batch.iter().map(|waiting| waiting.ops.len()).sum();
        while batch.len() < BATCH_COMMITS && rows <= BATCH_ROWS - limits::OPS {
            match self.requests.try_recv().ok()? {
                Request::Commit { guards, ops, weight: more, answer } if weight + more <= BATCH_BYTES => {
                    weight += more;
                    rows += ops.len();
                    batch.push(Waiting { guards, ops, answer });
                }
                other => return Some(other),
            }
        }
        None
    }

    /// Carries out a batch and answers everyone in it.
    fn serve(&mut self, batch: Vec<Waiting>) {
        if let Err(refusal) = self.ready_to_write() {
            for waiting in batch {
                let _gone = waiting.answer.send(Err(refusal.clone()));
            }
            return;
        }
        let (answers, work): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|waiting| (waiting.answer, (waiting.guards, waiting.ops))).unzip();
        let outcomes = self.write(work);
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            let _gone = answer.send(outcome);
        }
    }

    /// `Err` with the answer for everybody when nothing can be written now.
    fn ready_to_write(&mut self) -> Result<(), CommitError> {
        let down = self.shared.peek().down.is_some();
        if down && self.last_try.is_none_or(|last| last.elapsed() >= REVIVE_EVERY) {
            self.revive(&[]);
        }
        let core = self.shared.peek();
        if let Some(why) = &core.down {
            return Err(CommitError::Unavailable(why.clone()));
        }
        if let Some(why) = &core.read_only {
            return Err(CommitError::ReadOnly(why.clone()));
        }
        let dir = &self.opening.dir;
        if !core.live.as_ref().is_some_and(|live| live.is_in_place(&dir.store())) {
            return Err(CommitError::Unavailable(OUT_OF_PLACE.into()));
        }
        // Asked first, because sled does not recover from a full disk without being reopened.
        match dir.free_bytes() {
            Some(free) if free < self.free_to_write => Err(CommitError::Unavailable(no_space(free))),
            _ => Ok(()),
        }
    }

    /// Judges, writes and syncs; the outcomes are in the order of `work`.
    fn write(&mut self, work: Vec<(Vec<Guard>, Vec<Op>)>) -> Vec<Result<Rev, CommitError>> {
        let shared = Arc::clone(&self.shared);
        let mut core = shared.write();
        let Some(live) = &core.live else {
            return work.iter().map(|_| Err(CommitError::Unavailable("it is not open".into()))).collect();
        };
        let mut plan = Plan::new(live, &shared.feed, core.ledger.clone());
        let outcomes: Vec<_> = work.into_iter().map(|(guards, ops)| plan.admit(&guards, ops)).collect();
        if plan.batches.is_empty() {
            return outcomes;
        }
        self.recent.note(core.ledger.rev, plan.ledger.rev, &plan.rows);
        let written = live.write(plan.to_batch());
        let Plan { ledger, rows, batches, .. } = plan;
        match written {
            Ok(()) => {
                self.recent.mark(ledger.rev);
                core.ledger = ledger;
                shared.note(&core, Some(Instant::now()));
                drop(core);
                shared.feed.publish(batches);
                outcomes
            }
            Err(why) => {
                core.uncertain = rows.into_keys().collect();
                core.down = Some(why.clone());
                shared.note(&core, None);
                drop(core);
                self.settle(&why, ledger.rev, &batches, outcomes)
            }
        }
    }

    /// After a failed write: finds out what became of it, if the database can be reopened at once.
    fn settle(
        &mut self,
        why: &str,
        reached: Rev,
        batches: &[Batch],
        outcomes: Vec<Result<Rev, CommitError>>,
    ) -> Vec<Result<Rev, CommitError>> {
        match self.revive(batches) {
            Some(rev) if rev == reached => outcomes,
            Some(_) => outcomes.iter().map(|_| Err(CommitError::Unavailable(why.to_owned()))).collect(),
            // Even a conflict may have been with a commit whose fate is open.
            None => outcomes.iter().map(|_| Err(CommitError::Unknown(why.to_owned()))).collect(),
        }
    }

    /// Tries to reopen the database; `Some` is the revision it came back with. `failed` are the commits of the
    /// write that brought it down: when it holds them after all, watchers get them; what else may have happened
    /// they must list again.
    fn revive(&mut self, failed: &[Batch]) -> Option<Rev> {
        self.last_try = Some(Instant::now());
        let shared = Arc::clone(&self.shared);
        let mut core = shared.write();
        if let Err(error) = self.opening.dir.require_free(self.opening.free_bytes) {
            core.down = Some(lower(&error.to_string()));
            self.shared.note(&core, None);
            return None;
        }
        let known = core.ledger.rev;
        if let Some(live) = core.live.take() {
            live.abandon();
        }
        let opening = Opening { at_least: Some(known).filter(|rev| *rev > Rev(0)), ..self.opening.clone() };
        let renewed = opening.write_again().map_err(|error| error.to_string());
        let reopened = renewed.and_then(|()| opening.open().map_err(|error| error.to_string()));
        let reopened = reopened.and_then(|ready| match ready.live.sync() {
            Ok(()) => Ok(ready),
            Err(error) => Err(error.to_string()),
        });
        match reopened {
            Ok(ready) => Some(self.welcome(&mut core, ready, known, failed)),
            Err(why) => {
                core.down = Some(lower(&why));
                self.shared.note(&core, None);
                None
            }
        }
    }

    /// Takes a reopened database into service.
    fn welcome(&mut self, core: &mut Core, ready: Ready, known: Rev, failed: &[Batch]) -> Rev {
        let rev = ready.ledger.rev;
        self.recent = ready.recent;
        core.live = Some(ready.live);
        core.ledger = ready.ledger;
        core.uncertain.clear();
        core.down = None;
        if rev < known {
            let lost = format!("it came back at revision {rev} after a disk error, but stood at {known}");
            core.read_only.get_or_insert(lost);
        }
        self.shared.note(core, Some(Instant::now()));
        if rev != known {
            match failed.last() {
                Some(last) if last.rev == rev => self.shared.feed.publish(failed.to_vec()),
                _ => self.shared.feed.restart(rev),
            }
        }
        rev
    }
}

/// Why an open database takes no commits that would go to no file anybody can find.
pub(super) const OUT_OF_PLACE: &str = "the database file was moved, replaced or deleted while it was open";

fn no_space(free: u64) -> String {
    format!("its disk is almost full ({} MiB free); free some space", free / (1024 * 1024))
}

/// A message of ours as part of another sentence.
fn lower(text: &str) -> String {
    text.trim_end_matches('.').to_owned()
}
