//! Writes down what was used: off the request path, at most every two seconds, many keys in one commit. What could
//! not be written is kept and written later, and as long as that lasts everybody who asks is told, because keys
//! must not be deleted for want of uses that nobody wrote down. What was refused is written here too, once a minute, as
//! entries of the audit trail; and the histories of keys and apps, [`histories`].

mod histories;

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use minicbor::{Decode, Encode};
use tokio::sync::broadcast;

use self::histories::{Histories, is_kept};
pub use self::histories::{Rows, rows_of};
use super::denials::Denials;
use super::error::EngineError;
use super::ledger::{Ledger, Sequel};
use super::load::Others;
use super::overdue::Overdue;
use super::reading::Reading;
use super::refusals::{Kind, Refusals};
use super::rows::{Unbroken, UseRow};
use super::seal_thread::SealThread;
use super::session::Session;
use super::timekeeper::Timekeeper;
use super::verifier::Verifier;
use super::{LocalEngine, News};
use crate::domain::history::Coverage;
use crate::domain::lifecycle::is_noted;
use crate::domain::{KeyId, PublicId, State, Timestamp, Trace, Usage};
use crate::store::CommitError;

/// How long uses are gathered before they are written.
pub const EVERY: Duration = Duration::from_secs(2);
/// Rounds in the minute that a history waits to be written.
const ROUNDS: u32 = 30;
/// Between two commits of one round: time for a command that waits to have its turn.
const COURTESY: Duration = Duration::from_millis(1);
/// Refused commands told in one commit: they fit it, each with a long name.
const REFUSALS_AT_ONCE: usize = 64;
/// Keys whose rows are made at once, so that the state is not held for long.
const AT_ONCE: usize = 1_024;

/// Whether what is used gets written down.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Writing {
    /// It does.
    #[n(0)]
    Ok,
    /// It does not, for now. Nothing is lost while this process lives.
    #[n(1)]
    Failing {
        /// Since when.
        #[n(0)]
        since: Timestamp,
        /// What the store said.
        #[n(1)]
        why: String,
        /// Keys and apps whose use waits.
        #[n(2)]
        unwritten: usize,
    },
}

/// What is to be written, and how that goes.
struct Book {
    /// Whose totals in the state are newer than those in the store.
    unwritten: BTreeSet<PublicId>,
    unbroken: Unbroken,
    /// What the store has of it.
    stored: Option<Unbroken>,
    histories: Histories,
}

/// Whether what was refused is written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Once it was counted for a minute.
    WhenDue,
    /// Whatever there is.
    AtOnce,
}

/// Where uses are written down, by whoever comes: the thread, or a command that is about to end.
pub(super) struct Register {
    state: Arc<RwLock<State>>,
    verifier: Arc<Verifier>,
    ledger: Arc<Mutex<Ledger>>,
    time: Arc<Timekeeper>,
    feed: broadcast::Sender<News>,
    sealing: Arc<SealThread>,
    /// Requests that were refused and are not told in the trail.
    pub denials: Arc<Denials>,
    /// Commands that were.
    pub refusals: Refusals,
    overdue: Arc<Overdue>,
    /// A store in doubt is not written to.
    frozen: bool,
    /// Held while the disk is written to. Taken before the locks of state and ledger; where both are held, the ledger's was
    /// taken first, as by a command.
    book: Mutex<Book>,
    /// How it goes, for those who must not wait for a disk.
    writing: Mutex<Writing>,
    complete_since: Timestamp,
    /// What others write down: no part of what is written here.
    others: Others,
}

impl Register {
    /// A register over the parts of an engine. `stored` is what the store says of the time before, and of which time histories
    /// are whole; `others` of what is not ours.
    pub fn new(
        overdue: &Arc<Overdue>,
        (stored, covered): (Option<Unbroken>, Option<Coverage>),
        others: Others,
        frozen: bool,
    ) -> Self {
        let whole = stored.filter(|stored| !stored.open);
        let now = overdue.parts.time.now().time;
        let mut unbroken = whole.unwrap_or(Unbroken { since: now, open: false });
        // Said by a clock that was ahead: it was some time before now.
        unbroken.since = unbroken.since.min(now);
        // What is used meanwhile is known to the state at once, but for a store in doubt.
        let mut state = overdue.parts.image.state.write().unwrap_or_else(PoisonError::into_inner);
        let complete_since = unbroken.since.max(others.since.unwrap_or(unbroken.since));
        state.know_uses_since(Some(complete_since).filter(|_| !frozen));
        drop(state);
        let histories = Histories::new(covered, whole.is_some(), now);
        let book = Book { unwritten: BTreeSet::new(), unbroken, stored, histories };
        Self {
            state: Arc::clone(&overdue.parts.image.state),
            verifier: Arc::clone(&overdue.parts.image.verifier),
            ledger: Arc::clone(&overdue.parts.ledger),
            time: Arc::clone(&overdue.parts.time),
            feed: overdue.parts.feed.clone(),
            sealing: Arc::clone(&overdue.parts.sealing),
            denials: Arc::clone(&overdue.denials),
            refusals: Refusals::default(),
            overdue: Arc::clone(overdue),
            frozen,
            book: Mutex::new(book),
            writing: Mutex::new(Writing::Ok),
            complete_since,
            others,
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was used, applies it to the state, writes it down and tells whoever listens. What was refused is
    /// written when `refused` says so.
    pub fn write(&self, refused: Refused) -> Result<(), EngineError> {
        if self.frozen {
            return Ok(());
        }
        let mut book = self.book();
        let mut told = self.take(&mut book);
        let result = self.clear_the_way().and_then(|()| self.write_book(&mut book)).and_then(|written| {
            let now = self.time.now().time;
            let due = refused == Refused::AtOnce || self.denials.are_due(now);
            self.write_denials(refused)?;
            self.write_refusals(refused)?;
            // With what was refused, where that is due: they wait for the same minute.
            if book.histories.are_due(now) || (due && book.histories.wait()) {
                told.extend(self.write_histories_of(&mut book)?);
            }
            Ok(written)
        });
        let before = self.writing();
        match (&result, before) {
            (Ok(_), Writing::Ok) => {}
            (Ok(written), Writing::Failing { .. }) => {
                *self.standing() = Writing::Ok;
                tracing::info!("uses are written down again");
                // Who showed the trouble should show its end.
                told.clone_from(written);
            }
            (Err(error), before) => {
                let since = match before {
                    Writing::Failing { since, .. } => since,
                    Writing::Ok => {
                        tracing::warn!(%error, "uses cannot be written down; they are kept and tried again");
                        self.time.now().time
                    }
                };
                let unwritten = book.unwritten.len();
                *self.standing() = Writing::Failing { since, why: error.to_string(), unwritten };
            }
        }
        drop(book);
        if !told.is_empty() {
            // Nobody may be listening.
            let _ = self.feed.send(News::Used(told.into()));
        }
        result.map(drop)
    }

    /// Has the state know what was used until now. It is written down when its time comes.
    pub fn catch_up(&self) {
        if self.frozen {
            return;
        }
        let told = self.take(&mut self.book());
        if !told.is_empty() {
            // Nobody may be listening.
            let _ = self.feed.send(News::Used(told.into()));
        }
    }

    /// Does something while no use is on its way to the state.
    pub fn without_uses<T>(&self, something: impl FnOnce() -> T) -> T {
        let _book = self.book();
        something()
    }

    /// What took access away comes before what was used.
    fn clear_the_way(&self) -> Result<(), EngineError> {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        self.overdue.clear_the_way(&mut ledger)
    }

    fn take(&self, book: &mut Book) -> Vec<PublicId> {
        self.verifier.uses().bell.hush();
        let uses = self.verifier.take_uses();
        let mut ids: Vec<PublicId> = uses.iter().map(|used| used.id).collect();
        let refused = self.denials.take_refused();
        let now = self.time.now().time;
        let mut firsts = HashSet::new();
        if !uses.is_empty() || !refused.presented.is_empty() {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            for (id, seen) in &refused.presented {
                if state.key(KeyId(*id)).is_some_and(is_noted) {
                    state.note_trace(*id, &Trace::presented_by(seen.clone()));
                    ids.push(*id);
                }
            }
            for used in &uses {
                if state.usage_of(used.id) == Usage::default() {
                    firsts.insert(used.id);
                }
                state.note_use(used.id, used.usage);
                state.note_trace(used.id, &used.trace);
            }
        }
        {
            let state = Reading::of(&self.state);
            for used in uses.iter().filter(|used| is_kept(&state, used.id)) {
                let first = if firsts.contains(&used.id) { used.first_caller() } else { None };
                book.histories.gather(used, first, now);
            }
            book.histories.refuse(refused, now, |id| is_kept(&state, id));
        }
        book.unwritten.extend(ids.iter().copied());
        ids
    }

    /// What is written of a use. Of what others counted only the sum is not ours: an earlier or later time of theirs says nothing
    /// new when it is read together with it.
    fn row(&self, state: &State, id: PublicId) -> UseRow {
        let Usage { last_used_at, count, first_used_at } = state.usage_of(id);
        let count = count.saturating_sub(self.others.counted.get(&id).copied().unwrap_or_default());
        UseRow { last_used_at, count, trace: state.trace_of(id).cloned(), first_used_at }
    }

    /// Writes all that is unwritten. Totals, not increments: a write that may have happened can be done again.
    fn write_book(&self, book: &mut Book) -> Result<Vec<PublicId>, EngineError> {
        let due: Vec<PublicId> = book.unwritten.iter().copied().collect();
        for ids in due.chunks(AT_ONCE) {
            let rows: Vec<(PublicId, UseRow)> = {
                let state = Reading::of(&self.state);
                ids.iter().map(|id| (*id, self.row(&state, *id))).collect()
            };
            let mut rest = &rows[..];
            while !rest.is_empty() {
                // A lock for each commit: commands need not wait for all of them.
                let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
                let written = ledger.write_uses(rest, &self.time.mark())?;
                drop(ledger);
                let (done, left) = rest.split_at(written.clamp(1, rest.len()));
                for (id, _) in done {
                    book.unwritten.remove(id);
                }
                rest = left;
                if !rest.is_empty() {
                    self.verifier.uses().bell.pause(COURTESY);
                }
            }
        }
        if !due.is_empty() {
            self.write_unbroken(book)?;
        }
        Ok(due)
    }

    /// Writes what was refused, all of it in one commit or none. What failed is kept, within the bounds it has always.
    fn write_denials(&self, refused: Refused) -> Result<(), EngineError> {
        let now = self.time.now().time;
        let wanted = match refused {
            Refused::WhenDue => self.denials.are_due(now),
            Refused::AtOnce => self.denials.wait(),
        };
        if !wanted {
            return Ok(());
        }
        let service = Session::service()?;
        let counted = self.denials.take();
        let entries = {
            let state = Reading::of(&self.state);
            counted.entries(&state, &service.line(&state), now)
        };
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let sequel = Sequel::Told(Box::new(counted.clone()));
        if let Err(error) = ledger.write_notes(entries, &self.time.mark(), sequel) {
            // Where the outcome is open, whoever learns it puts them back: they are told once.
            if !matches!(error, EngineError::Commit(CommitError::Unknown(_))) {
                self.denials.put_back(counted);
            }
            return Err(error);
        }
        self.sealing.soon(ledger.seal());
        drop(ledger);
        // The trail is longer; no record changed. Nobody may be listening.
        let _ = self.feed.send(News::Happened(Arc::new(Vec::new())));
        Ok(())
    }

    /// Writes which commands were refused again, some at a time. What failed is kept.
    fn write_refusals(&self, refused: Refused) -> Result<(), EngineError> {
        let now = self.time.now().time;
        let mut taken = self.refusals.take(now, refused == Refused::AtOnce);
        while !taken.is_empty() {
            let rest = taken.split_off(taken.len().min(REFUSALS_AT_ONCE));
            let entries = taken.iter().map(|(_, entry): &(Kind, _)| entry.clone()).collect();
            let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = ledger.write_notes(entries, &self.time.mark(), Sequel::Nothing) {
                taken.extend(rest);
                self.refusals.put_back(taken);
                return Err(error);
            }
            self.sealing.soon(ledger.seal());
            drop(ledger);
            // The trail is longer; no record changed. Nobody may be listening.
            let _ = self.feed.send(News::Happened(Arc::new(Vec::new())));
            taken = rest;
        }
        Ok(())
    }

    fn write_unbroken(&self, book: &mut Book) -> Result<(), EngineError> {
        let now = Some(book.unbroken);
        if book.stored != now {
            // Whoever finds that row finds of which time histories are whole as of then.
            let coverage = book.histories.written();
            let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
            ledger.write_unbroken(book.unbroken, coverage)?;
            book.stored = now;
        }
        Ok(())
    }

    /// Has the store know since when no use was lost: before that, no process can tell.
    pub fn vouch(&self) -> Result<(), EngineError> {
        if self.frozen {
            return Ok(());
        }
        self.write_unbroken(&mut self.book())
    }

    /// Writes down what time is believed: a clock that is wrong later in this boot is held against it.
    pub fn keep_time(&self) -> Result<(), EngineError> {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.write_uses(&[], &self.time.mark()).map(drop)
    }

    /// Says in the store that uses are being gathered from now on.
    fn open(&self) -> Result<(), EngineError> {
        let mut book = self.book();
        book.unbroken.open = true;
        self.write_unbroken(&mut book)
    }

    /// Writes the last uses, and that none is missing.
    pub fn close(&self) -> Result<(), EngineError> {
        self.write(Refused::AtOnce)?;
        self.settle_histories()?;
        let mut book = self.book();
        if book.unbroken.open {
            book.unbroken.open = false;
            self.write_unbroken(&mut book)?;
        }
        Ok(())
    }

    fn standing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How writing goes.
    pub fn writing(&self) -> Writing {
        self.standing().clone()
    }

    /// Since when no use was lost; nothing while uses are not written down.
    pub fn complete_since(&self) -> Option<Timestamp> {
        (*self.standing() == Writing::Ok && !self.frozen)
            .then(|| self.complete_since.min(self.time.now().time))
    }
}

/// The thread that comes to the register when there is something, and sleeps otherwise.
pub(super) struct Scribe {
    register: Arc<Register>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Scribe {
    /// Nobody writes yet.
    pub const fn new(register: Arc<Register>) -> Self {
        Self { register, thread: Mutex::new(None) }
    }

    /// Starts the thread, unless it runs.
    pub fn start(&self, every: Duration) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_some() || self.register.frozen {
            return;
        }
        let register = Arc::clone(&self.register);
        let spawned =
            std::thread::Builder::new().name("keydeck-uses".into()).spawn(move || work(&register, every));
        match spawned {
            Ok(started) => *thread = Some(started),
            Err(error) => tracing::warn!(%error, "no thread for uses; they are written when keydeck ends"),
        }
    }

    /// Whether the thread was started and not stopped.
    pub fn works(&self) -> bool {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Ends the thread and waits for it. What is still to be written is the caller's to write.
    pub fn stop(&self) {
        self.register.verifier.uses().bell.end();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It panics only if the store does, which has been logged.
            let _ = thread.join();
        }
    }
}

fn work(register: &Register, every: Duration) {
    if let Err(error) = register.open() {
        tracing::warn!(%error, "the store does not know that uses are gathered");
    }
    let bell = &register.verifier.uses().bell;
    loop {
        // For a history nobody gets up before its minute is over, unless something comes.
        let waits = register.book().histories.wait();
        let goes_on = if waits { bell.wait_for(every.saturating_mul(ROUNDS)) } else { bell.wait() };
        if !goes_on {
            return;
        }
        // What could not be written is tried again at the same pace.
        loop {
            if !bell.pause(every) {
                return;
            }
            // Nor does it sleep while something refused waits for its minute to end.
            if register.write(Refused::WhenDue).is_ok()
                && !register.denials.wait()
                && !register.refusals.wait()
            {
                break;
            }
        }
    }
}

impl LocalEngine {
    /// Writes uses down in the background from now on, every two seconds while there are any, until the engine ends.
    /// For processes that stay; a command writes what it used before it ends.
    pub fn write_uses(&self) {
        self.write_uses_every(EVERY);
    }

    /// [`LocalEngine::write_uses`] at another pace.
    pub fn write_uses_every(&self, every: Duration) {
        self.scribe.start(every);
    }

    /// How often the thread that writes uses came out of its sleep: while nothing is used, it does not.
    pub fn use_writer_wakes(&self) -> u64 {
        self.verifier().uses().bell.wakes()
    }
}
