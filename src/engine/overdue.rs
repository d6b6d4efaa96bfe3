//! Denials that the disk did not take. They are in force in memory at once, as what the state says, so that no later
//! refresh can forget them; they wait here in their order, are kept in the journal beside the database, and are
//! written before anything else is: by a timer, and by whoever writes next.

mod journal;
mod take_up;
mod timer;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minicbor::{Decode, Encode};
use tokio::sync::broadcast;

pub(super) use self::journal::Kept;
pub(super) use self::take_up::{Left, sort_out};
use self::timer::Timer;
use super::denials::Denials;
use super::error::EngineError;
use super::image::{Image, touched};
use super::ledger::{Change, Fate, Head, Ledger, Sequel};
use super::owed::{Note, Why};
use super::reading::Reading;
use super::seal_thread::SealThread;
use super::session::Session;
use super::timekeeper::Timekeeper;
use super::{News, audit_log};
use crate::domain::audit::{ChangeLine, Entry, SubjectLine};
use crate::domain::command::{Draws, Yields};
use crate::domain::event::Subject;
use crate::domain::lineage::{instead, taking_back};
use crate::domain::{Catalog, Command, Context, Event, KeyId, RecordKey, Refusal, State, Timestamp, decide};
use crate::store::{CommitError, Store};

/// What is refused already and not written yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Unwritten {
    /// How many changes wait for the disk.
    #[n(0)]
    pub denials: usize,
    /// Since when the oldest waits.
    #[n(1)]
    pub since: Option<Timestamp>,
    /// What the store said last.
    #[n(2)]
    pub why: String,
    /// Whether all of them are durable in the journal beside the database, and so outlive this process.
    #[n(3)]
    pub kept: bool,
    /// The keys they concern.
    #[n(4)]
    pub keys: Vec<KeyId>,
}

impl Unwritten {
    /// In a sentence for a status line; nothing when all is written.
    pub fn in_words(&self) -> Option<String> {
        let changes = match self.denials {
            0 => return None,
            1 => "1 denial is in force and not written yet".to_owned(),
            n => format!("{n} denials are in force and not written yet"),
        };
        let lasts = if self.kept { "kept beside the database" } else { "a restart would forget it" };
        Some(format!("{changes} ({lasts}): {}", self.why))
    }

    /// Whether what a key's state says waits for the disk.
    pub fn concerns(&self, key: KeyId) -> bool {
        self.keys.binary_search(&key).is_ok()
    }
}

/// One that waits.
struct Denial {
    note: Note,
    /// What it comes to; `None` while even that depends on what the store holds.
    events: Option<Arc<Vec<Event>>>,
    keys: Vec<KeyId>,
    /// Whether it is durable in the journal.
    kept: bool,
}

#[derive(Default)]
struct Waiting {
    denials: Vec<Denial>,
    /// What is neither in force nor crossed out, because nobody can say whether it should be. It stays in the journal.
    held: Vec<Note>,
    why: String,
    /// Whether the journal was written since something came or went.
    current: bool,
}

/// See the module.
pub(super) struct Overdue {
    pub parts: Parts,
    pub denials: Arc<Denials>,
    /// Why the store takes nothing at all, if so.
    frozen: Option<String>,
    waiting: Mutex<Waiting>,
    timer: Timer,
}

/// The parts of an engine that writing needs.
pub(super) struct Parts {
    pub image: Image,
    pub ledger: Arc<Mutex<Ledger>>,
    pub store: Arc<dyn Store>,
    pub catalog: Arc<Catalog>,
    pub time: Arc<Timekeeper>,
    pub feed: broadcast::Sender<News>,
    pub sealing: Arc<SealThread>,
    pub kept: Option<Kept>,
}

impl Overdue {
    /// Nothing waits. A store in doubt takes nothing.
    pub fn new(parts: Parts, doubts: &[audit_log::Doubt]) -> Self {
        Self {
            parts,
            denials: Arc::default(),
            frozen: (!doubts.is_empty()).then(|| audit_log::in_one_line(doubts)),
            waiting: Mutex::new(Waiting { current: true, ..Waiting::default() }),
            timer: Timer::default(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing waits and the journal beside the database says so.
    pub fn is_at_rest(&self) -> bool {
        let waiting = self.waiting();
        let is_told = waiting.current || self.parts.kept.is_none();
        waiting.denials.is_empty() && waiting.held.is_empty() && is_told
    }

    /// What waits, for whoever shows it.
    pub fn unwritten(&self) -> Unwritten {
        let waiting = self.waiting();
        let mut keys: Vec<KeyId> = waiting.denials.iter().flat_map(|denial| denial.keys.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        Unwritten {
            denials: waiting.denials.len(),
            since: waiting.denials.iter().map(|denial| denial.note.at).min(),
            why: waiting.why.clone(),
            kept: waiting.denials.iter().all(|denial| denial.kept),
            keys,
        }
    }

    /// Whether a command waits.
    pub fn waits(&self, command: &Command) -> bool {
        self.waiting().denials.iter().any(|denial| denial.note.command == *command)
    }

    /// What a command that waits comes to.
    pub fn events_of(&self, command: &Command) -> Option<Arc<Vec<Event>>> {
        let waiting = self.waiting();
        let same = waiting.denials.iter().find(|denial| denial.note.command == *command);
        same.and_then(|denial| denial.events.clone())
    }

    /// Finds out what became of the last change, and writes what waits. Only then may anything else be written.
    pub fn clear_the_way(self: &Arc<Self>, ledger: &mut Ledger) -> Result<(), EngineError> {
        if let Some(doubts) = &self.frozen {
            return Err(EngineError::Suspect(doubts.clone()));
        }
        let cleared = self.learn(ledger).and_then(|()| self.write_all(ledger));
        let mut waiting = self.waiting();
        match &cleared {
            Ok(()) => waiting.why.clear(),
            Err(error) => waiting.why = error.to_string(),
        }
        let stale = !waiting.current;
        drop(waiting);
        if stale {
            self.keep();
        }
        if cleared.is_err() {
            self.set_out();
        }
        cleared
    }

    /// Takes in a change whose outcome had been open.
    fn learn(&self, ledger: &mut Ledger) -> Result<(), EngineError> {
        match ledger.settle()? {
            Some((Fate::Made, Sequel::Change(Change { events, header }))) => {
                if events.iter().any(|event| matches!(event, Event::ClockConfirmed(..))) {
                    self.parts.time.set(self.parts.time.fresh());
                }
                self.parts.image.apply(&events, header);
                self.done(&events);
                // A secret that is about to be taken back is not sealed as if somebody had been shown it.
                if self.waiting().denials.is_empty() {
                    self.parts.sealing.soon(ledger.seal());
                }
                self.tell(&events);
            }
            Some((Fate::NotMade, Sequel::Told(book))) => self.denials.put_back(*book),
            // What was shut for it opens again.
            Some((Fate::NotMade, Sequel::Change(change))) => self.parts.image.refresh(&change.events),
            Some((Fate::Made, Sequel::Told(_) | Sequel::Nothing) | (Fate::NotMade, Sequel::Nothing))
            | None => {}
        }
        Ok(())
    }

    fn tell(&self, events: &Arc<Vec<Event>>) {
        // Nobody may be listening.
        let _ = self.parts.feed.send(News::Happened(Arc::clone(events)));
    }

    /// What was written waits no more.
    fn done(&self, events: &Arc<Vec<Event>>) {
        let mut waiting = self.waiting();
        let before = waiting.denials.len();
        waiting.denials.retain(|denial| denial.events.as_ref().is_none_or(|own| !Arc::ptr_eq(own, events)));
        waiting.current &= waiting.denials.len() == before;
    }

    fn write_all(&self, ledger: &mut Ledger) -> Result<(), EngineError> {
        loop {
            let next = self.waiting().denials.first().map(|d| (d.note.clone(), d.events.clone()));
            let Some((note, events)) = next else { return Ok(()) };
            let events = match events {
                Some(events) => events,
                None => match self.judge(&note) {
                    Ok(events) => self.put_in_force(events),
                    Err(refusal) => {
                        // What may have been made was not: there is nothing to take back.
                        tracing::info!(%refusal, command = note.command.name(), "nothing to take back");
                        let mut waiting = self.waiting();
                        waiting.denials.remove(0);
                        waiting.current = false;
                        continue;
                    }
                },
            };
            if let Some(first) = self.waiting().denials.first_mut() {
                first.events = Some(Arc::clone(&events));
            }
            let records = events.iter().flat_map(Event::records).collect();
            let mut entry = {
                let state = Reading::of(&self.parts.image.state);
                entry_of(&state, &note.session, &note.command, &events, note.at)
            };
            entry.reason = (note.why == Why::NeverShown).then(|| Entry::UNCONFIRMED.into());
            let sequel = Sequel::Change(Change { events: Arc::clone(&events), header: None });
            ledger.write(entry, records, Some(&self.parts.time.mark()), None, sequel)?;
            self.done(&events);
            if let Err(error) = self.parts.store.write_seal(&ledger.seal()) {
                tracing::warn!(%error, "the seal is behind");
                self.parts.sealing.soon(ledger.seal());
            }
            self.tell(&events);
            tracing::info!(command = note.command.name(), "what was in force already is written now");
        }
    }

    /// What a command comes to for whoever asked, as of when they asked.
    fn judge(&self, note: &Note) -> Result<Vec<Event>, Refusal> {
        let context = Context {
            actor: note.session.actor(),
            now: note.at,
            doubted: None,
            // What is due by time is never in force before it is written.
            complete_since: None,
            catalog: &self.parts.catalog,
            ids: &[],
            minted: None,
            outlook: None,
        };
        let state = Reading::of(&self.parts.image.state);
        let judged = decide(&state, &note.command, &context);
        match judged {
            Err(refusal) if note.why == Why::NeverShown => match instead(&note.command, refusal.code()) {
                Some(command) => decide(&state, &command, &context),
                None => Err(refusal),
            },
            judged => judged,
        }
    }

    fn put_in_force(&self, events: Vec<Event>) -> Arc<Vec<Event>> {
        self.parts.image.apply(&events, None);
        let events = Arc::new(events);
        self.tell(&events);
        events
    }

    /// The disk did not take a change. If it takes access away and does nothing else, it is in force all the same.
    pub fn deny(
        self: &Arc<Self>,
        session: &Session,
        command: &Command,
        events: &Arc<Vec<Event>>,
        (at, head): (Timestamp, Head),
        error: EngineError,
    ) -> EngineError {
        // A new secret is not made by itself later on: nobody would be there to take it.
        let held = command.denies()
            && command.yields() == Yields::Nothing
            && events.iter().all(Event::only_takes_away)
            && error.may_pass();
        if !held {
            return error;
        }
        self.parts.image.apply(events, None);
        let note = Note {
            session: session.clone(),
            command: command.clone(),
            at,
            why: Why::Asked,
            after: Some(head.seq),
        };
        self.wait_for(note, Some(Arc::clone(events)), &error);
        self.tell(events);
        self.in_force(command, error)
    }

    /// As what a denial that waits is told.
    pub fn in_force(&self, command: &Command, error: EngineError) -> EngineError {
        let kept = |denial: &Denial| denial.kept && denial.note.command == *command;
        if self.waiting().denials.iter().any(kept) {
            EngineError::DeniedKept(Box::new(error))
        } else {
            EngineError::DeniedNotDurable(Box::new(error))
        }
    }

    /// A secret may have been made and nobody was shown it: if it was, `unshown` takes it back.
    pub fn take_back(self: &Arc<Self>, unshown: Note, error: EngineError) -> EngineError {
        self.wait_for(unshown, None, &error);
        EngineError::NeverShown(Box::new(error))
    }

    /// A secret was made, and nobody said that it was shown: `unshown` takes it back.
    pub fn never_shown(self: &Arc<Self>, unshown: Note) {
        self.wait_for(unshown, None, &"a secret was shown to nobody");
    }

    fn wait_for(self: &Arc<Self>, note: Note, events: Option<Arc<Vec<Event>>>, why: &impl ToString) {
        let denial = self.denial(note, events);
        let mut waiting = self.waiting();
        waiting.denials.push(denial);
        waiting.why = why.to_string();
        waiting.current = false;
        drop(waiting);
        self.keep();
        self.set_out();
    }

    fn denial(&self, note: Note, events: Option<Arc<Vec<Event>>>) -> Denial {
        let state = Reading::of(&self.parts.image.state);
        let keys = match &events {
            // Of everything there is no list.
            Some(_) if note.records() == [RecordKey::Agency] => Vec::new(),
            Some(events) => touched(&state, events).into_iter().map(|key| key.id).collect(),
            None => note.command.keys().collect(),
        };
        Denial { note, events, keys, kept: false }
    }

    /// Brings the journal up to date with what waits.
    fn keep(&self) {
        let Some(kept) = &self.parts.kept else { return };
        let waiting = &mut *self.waiting();
        let notes: Vec<&Note> =
            waiting.held.iter().chain(waiting.denials.iter().map(|denial| &denial.note)).collect();
        match kept.write(&notes) {
            Ok(fit) => {
                for (denial, fit) in waiting.denials.iter_mut().zip(fit.into_iter().skip(waiting.held.len()))
                {
                    denial.kept = fit;
                }
                waiting.current = true;
            }
            // What was kept before is in the text that is still there.
            Err(why) => {
                tracing::warn!(%why, "what waits for the disk could not be kept beside the database");
                waiting.current = false;
            }
        }
    }
}

/// What takes back the secret that a command makes, should nobody be shown it; `own` is the entry that tells of the making.
pub(super) fn unshown(
    session: &Session,
    command: &Command,
    events: &[Event],
    (at, own): (Timestamp, u64),
) -> Option<Note> {
    let command = match (command.draws(), events.first().map(Event::subject)) {
        (Draws::AppSecret(None), Some(Subject::App(app))) => Command::DeleteApp(app.id),
        // What an app has is not deleted for a secret: the one it had may be the one that holds.
        (Draws::Token(_) | Draws::Successor(_) | Draws::AppSecret(_), _) => taking_back(events, at)?,
        (Draws::Nothing | Draws::Ids | Draws::ImportedId | Draws::RecoveryCode, _) => return None,
    };
    Some(Note { session: session.clone(), command, at, why: Why::NeverShown, after: Some(own) })
}

/// The entry that tells what somebody did.
pub(super) fn entry_of(
    state: &State,
    session: &Session,
    command: &Command,
    events: &[Event],
    at: Timestamp,
) -> Entry {
    let mut entry = Entry::of(session.line(state), at, command.name());
    if let Command::Each(_) = command {
        entry.tell_of_many(events);
        return entry;
    }
    entry.subjects = events.iter().filter_map(SubjectLine::of).collect();
    entry.changes = events.iter().flat_map(Event::changes).map(|change| ChangeLine::from(&change)).collect();
    entry
}

impl EngineError {
    /// Whether trying again later may help: the store said no and not the change itself.
    const fn may_pass(&self) -> bool {
        match self {
            Self::Commit(
                CommitError::Unavailable(_)
                | CommitError::Unknown(_)
                | CommitError::ReadOnly(_)
                | CommitError::Conflict { .. },
            )
            | Self::Read(_)
            | Self::Suspect(_)
            | Self::Crypto(_)
            | Self::DeniedKept(_)
            | Self::DeniedNotDurable(_)
            | Self::NeverShown(_) => true,
            Self::Commit(CommitError::TooLarge { .. } | CommitError::Invalid(_))
            | Self::Unwritable(_)
            | Self::Refused(_)
            | Self::Closed
            | Self::Misfit
            | Self::LookOnly
            | Self::Unkept(_)
            | Self::Remote { .. }
            | Self::Gone(_) => false,
        }
    }
}

#[cfg(test)]
mod tests;
