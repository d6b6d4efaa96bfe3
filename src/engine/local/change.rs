//! The one way a state changes: judge, write durably, apply, tell. What takes access away is in force even when the
//! disk fails, and written when it can be.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::LocalEngine;
use crate::crypto::token::{Token, TokenKind};
use crate::crypto::{CryptoError, public_id};
use crate::domain::audit::{ChangeLine, Entry, Outcome, SubjectLine};
use crate::domain::{
    self, Command, Context, Event, HeaderMark, Key, Minted, Place, Record, Refusal, Role, State, decide,
};
use crate::engine::ledger::Ledger;
use crate::engine::{Done, Engine as _, EngineError, News, Session, audit_log};

/// Fresh ids dealt to one command: as many as it may need and some to spare for collisions.
const IDS: usize = 72;
/// Draws of a token before a run of collisions counts as a broken generator.
const DRAWS: usize = 4;

impl LocalEngine {
    /// Judges a command without doing it, so that a slot is not written for somebody who may not.
    pub(in crate::engine) fn rehearse(
        &self,
        session: &Session,
        command: &Command,
    ) -> Result<(), EngineError> {
        self.rehearse_with(session, command, None)
    }

    pub(super) fn rehearse_with(
        &self,
        session: &Session,
        command: &Command,
        minted: Option<Minted>,
    ) -> Result<(), EngineError> {
        let mut ledger = self.ledger();
        self.judge(&mut ledger, session, command, minted).map(drop).map_err(EngineError::from_judge).or_else(
            |error| {
                if let EngineError::Refused(refusal) = &error {
                    self.note_refusal(&mut ledger, session, command, refusal)?;
                }
                Err(error)
            },
        )
    }

    fn judge(
        &self,
        ledger: &mut Ledger,
        session: &Session,
        command: &Command,
        minted: Option<Minted>,
    ) -> Result<Vec<Event>, Judged> {
        let mut ids = Vec::with_capacity(IDS);
        let wanted = match command {
            Command::AddLocations(_) => IDS,
            Command::AddOperator { .. } => DRAWS,
            _ => 0,
        };
        for _ in 0..wanted {
            ids.push(public_id::generate(ledger.entropy())?);
        }
        let dial = self.time.dial();
        let context = Context {
            actor: session.actor(),
            now: dial.now.time,
            doubted: dial.now.suspect.then_some(dial.wall),
            catalog: &self.catalog,
            ids: &ids,
            minted,
        };
        Ok(decide(&self.state(), command, &context)?)
    }

    /// Judges and, when a key or the secret of an app is to be issued, mints it first; a collision of ids draws again.
    fn judge_minting(
        &self,
        ledger: &mut Ledger,
        session: &Session,
        command: &Command,
        imported: Option<Box<domain::Imported>>,
    ) -> Result<(Vec<Event>, Option<Token>), Judged> {
        if imported.is_some() {
            let id = public_id::generate(ledger.entropy())?;
            let minted = Minted { id, verifier: domain::Verifier::NONE, imported };
            return Ok((self.judge(ledger, session, command, Some(minted))?, None));
        }
        let (kind, id) = match command {
            Command::IssueKey(new) => match new.place {
                Place::Agency => (TokenKind::Agency, None),
                Place::Location(_) => (TokenKind::Location, None),
                Place::App(_) => (TokenKind::App, None),
            },
            Command::CreateApp(_) => (TokenKind::AppSecret, None),
            // The secret of an app carries its application id, which stays.
            Command::RenewAppSecret(app) => (TokenKind::AppSecret, Some(*app.public())),
            _ => return Ok((self.judge(ledger, session, command, None)?, None)),
        };
        let mut last = Refusal::IdTaken;
        for _ in 0..DRAWS {
            let token = match id {
                Some(id) => Token::mint_for(kind, id, ledger.entropy())?,
                None => Token::mint(kind, ledger.entropy())?,
            };
            let minted = Minted { id: token.id(), verifier: self.verifier.digest(&token), imported: None };
            match self.judge(ledger, session, command, Some(minted)) {
                Ok(events) => return Ok((events, Some(token))),
                Err(Judged::No(Refusal::IdTaken)) => last = Refusal::IdTaken,
                Err(other) => return Err(other),
            }
        }
        Err(Judged::No(last))
    }

    fn note_refusal(
        &self,
        ledger: &mut Ledger,
        session: &Session,
        command: &Command,
        refusal: &Refusal,
    ) -> Result<(), EngineError> {
        let entry = {
            let state = self.state();
            let mut entry = self.entry(&state, session, command.name());
            entry.outcome = Outcome::Refused;
            entry.reason = Some(refusal.code().into());
            // A key that is not theirs is not named as such: only what they typed would be, and that is theirs.
            let seen =
                command.key().filter(|id| state.key(*id).is_some_and(|k| session.actor().sees(&state, k)));
            entry.subjects = seen.and_then(|id| SubjectLine::of_key(&state, id)).into_iter().collect();
            let seen = command
                .app()
                .filter(|id| state.app(*id).is_some_and(|a| session.actor().sees_app(&state, a)));
            entry.subjects.extend(seen.and_then(|id| SubjectLine::of_app(&state, id)));
            entry
        };
        ledger.write(entry, Vec::new(), None)?;
        self.sealing.soon(ledger.seal());
        Ok(())
    }

    fn entry(&self, state: &State, session: &Session, event: &str) -> Entry {
        Entry::of(session.line(state), self.time.now().time, event)
    }

    pub(super) fn run(&self, session: &Session, command: &Command) -> Result<Done, EngineError> {
        self.run_with(session, command, None)
    }

    /// The one way a state changes: judge, write durably, apply, tell.
    pub(super) fn run_with(
        &self,
        session: &Session,
        command: &Command,
        imported: Option<Box<domain::Imported>>,
    ) -> Result<Done, EngineError> {
        if !self.doubts.is_empty() {
            let error = EngineError::Suspect(audit_log::in_one_line(&self.doubts));
            let judged = command.denies().then(|| self.judge(&mut self.ledger(), session, command, None));
            return Err(match judged {
                Some(Ok(events)) => self.deny_anyway(session, command, &events, error),
                _ => error,
            });
        }
        let mut ledger = self.ledger();
        let (events, token) = match self.judge_minting(&mut ledger, session, command, imported) {
            Ok(judged) => judged,
            Err(Judged::No(refusal)) => {
                self.note_refusal(&mut ledger, session, command, &refusal)?;
                return Err(refusal.into());
            }
            Err(Judged::Failed(error)) => return Err(error.into()),
        };
        let entry = {
            let state = self.state();
            let mut entry = self.entry(&state, session, command.name());
            entry.subjects = events.iter().filter_map(SubjectLine::of).collect();
            entry.changes = events.iter().flat_map(Event::changes).map(|c| ChangeLine::from(&c)).collect();
            if let Command::Found { operator, .. } = command {
                entry.actor.name = operator.to_string();
                entry.actor.role = Role::Admin.to_string();
            }
            entry
        };
        let mut records: Vec<Record> = events.iter().flat_map(Event::records).collect();
        // The header changes beside the store; the next commit remembers how often.
        let header = HeaderMark { generation: self.header_generation.load(Ordering::SeqCst) };
        let header = Some(header).filter(|mark| *mark > self.state().header());
        records.extend(header.map(Record::Header));
        let confirmed = events.iter().any(|event| matches!(event, Event::ClockConfirmed(..)));
        let mark = if confirmed { self.time.fresh() } else { self.time.mark() };
        if let Err(error) = ledger.write(entry, records, Some(&mark)) {
            return Err(self.deny_anyway(session, command, &events, error));
        }
        if confirmed {
            // While the ledger is held: nobody writes the old mark after the new one.
            self.time.set(mark);
        }
        self.apply(&events, header);
        if command.denies() {
            // A seal that knows of the denial: without it a store put back in time would go unnoticed.
            if let Err(error) = self.store.write_seal(&ledger.seal()) {
                tracing::warn!(%error, "the seal is behind");
                self.sealing.soon(ledger.seal());
            }
        } else {
            self.sealing.soon(ledger.seal());
        }
        drop(ledger);
        // Nobody may be listening.
        let _ = self.feed.send(News::Happened(Arc::new(events.clone())));
        Ok(Done { events, token })
    }

    fn apply(&self, events: &[Event], header: Option<HeaderMark>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(header) = header {
            state.put(Record::Header(header));
        }
        for event in events {
            state.apply(event);
        }
        for key in touched(&state, events) {
            self.verifier.refresh(&state, key);
            self.imported.put(key);
        }
        self.tokens.apply(&self.keyring, &state, events);
    }

    /// The disk failed. What takes access away is in force in this process all the same.
    fn deny_anyway(
        &self,
        session: &Session,
        command: &Command,
        events: &[Event],
        error: EngineError,
    ) -> EngineError {
        // A new secret is not made by itself later on: nobody would be there to take it.
        if !command.denies() || matches!(command, Command::RenewAppSecret(_)) {
            return error;
        }
        let mut after = self.state().clone();
        for event in events {
            after.apply(event);
        }
        for key in touched(&after, events) {
            self.verifier.refresh(&after, key);
        }
        self.tokens.hold(&after, events);
        let mut overdue = self.overdue();
        if !overdue.iter().any(|(_, known)| known == command) {
            overdue.push((session.clone(), command.clone()));
        }
        drop(overdue);
        EngineError::DeniedNotDurable(Box::new(error))
    }

    fn overdue(&self) -> MutexGuard<'_, Vec<(Session, Command)>> {
        self.overdue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what took access away while the disk failed. What still cannot be written stays overdue.
    pub fn write_overdue(&self) -> Result<(), EngineError> {
        // A store in doubt takes nothing; what is in force stays in force.
        while self.doubts.is_empty() {
            // Taken out while it runs: failing, it puts itself back.
            let Some((session, command)) = self.overdue().pop() else { return Ok(()) };
            match self.run(&session, &command) {
                Err(error @ EngineError::DeniedNotDurable(_)) => return Err(error),
                Ok(_) => tracing::info!(command = command.name(), "what was in force already is written now"),
                // Somebody else ended it, or the operator who asked may not any more: what the store says holds.
                Err(error) => tracing::warn!(%error, command = command.name(), "not written any more"),
            }
        }
        Ok(())
    }
}

/// The keys whose answer an event may change.
fn touched<'s>(state: &'s State, events: &'s [Event]) -> Vec<&'s Key> {
    let mut keys: Vec<&Key> = Vec::new();
    for record in events.iter().flat_map(Event::records) {
        match record {
            Record::Key(key) => keys.extend(state.key(key.id)),
            Record::Operator(operator) => keys.extend(state.keys_of(operator.id)),
            Record::Location(location) => keys.extend(state.keys_at(location.id)),
            Record::App(app) => keys.extend(state.keys_of_app(app.id)),
            Record::Agency(_)
            | Record::Policy(_)
            | Record::Header(_)
            | Record::Signing(_)
            | Record::Revoked(_) => {}
        }
    }
    keys
}

/// No, or not possible.
enum Judged {
    No(Refusal),
    Failed(CryptoError),
}

impl From<Refusal> for Judged {
    fn from(refusal: Refusal) -> Self {
        Self::No(refusal)
    }
}

impl From<CryptoError> for Judged {
    fn from(error: CryptoError) -> Self {
        Self::Failed(error)
    }
}

impl EngineError {
    fn from_judge(judged: Judged) -> Self {
        match judged {
            Judged::No(refusal) => refusal.into(),
            Judged::Failed(error) => error.into(),
        }
    }
}
