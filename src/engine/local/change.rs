//! The one way a state changes: judge, write durably, apply, tell. What takes access away is in force even when the
//! disk fails, and written when it can be.

use std::sync::Arc;

use super::LocalEngine;
use crate::crypto::token::{Token, TokenKind};
use crate::crypto::{CryptoError, public_id};
use crate::domain::audit::{Entry, Outcome, SubjectLine, Trimmed};
use crate::domain::command::{About, Draws, Toll, Yields};
use crate::domain::lifecycle::Outlook;
use crate::domain::{
    self, Command, Context, Event, Extent, HeaderMark, Minted, Place, PublicId, Record, Refusal, Role, State,
    Timestamp, decide,
};
use crate::engine::ledger::{Change, Ledger, Sequel};
use crate::engine::overdue::{entry_of, unshown};
use crate::engine::owed::Note;
use crate::engine::refusals::Kind;
use crate::engine::scribe::Refused;
use crate::engine::{Done, EngineError, News, Session, Unshown};
use crate::store::CommitError;

/// Fresh ids dealt to one command: as many as it may need and some to spare for collisions.
const IDS: usize = 72;
/// The same for one that gives an app a new secret.
const SECRETS: usize = 4;
/// What a judgement is given besides the command.
#[derive(Default)]
pub(in crate::engine) struct Aside<'a> {
    /// What recognises a secret made elsewhere.
    pub imported: Option<Box<domain::Imported>>,
    /// Where a sweep is to look.
    pub outlook: Option<&'a Outlook>,
}

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
        self.judge(&mut ledger, session, command, minted, None)
            .map(drop)
            .map_err(EngineError::from_judge)
            .or_else(|error| {
                if let EngineError::Refused(refusal) = &error {
                    self.note_refusal(&mut ledger, session, command, refusal)?;
                }
                Err(error)
            })
    }

    fn judge(
        &self,
        ledger: &mut Ledger,
        session: &Session,
        command: &Command,
        minted: Option<Minted>,
        outlook: Option<&Outlook>,
    ) -> Result<Vec<Event>, Judged> {
        // The uses of both secrets of an app are noted under ids of their own.
        let wanted = match command.draws() {
            Draws::Ids => IDS,
            Draws::AppSecret(Some(_)) => SECRETS,
            Draws::Nothing
            | Draws::Token(_)
            | Draws::Successor(_)
            | Draws::AppSecret(None)
            | Draws::ImportedId
            | Draws::RecoveryCode => 0,
        };
        let mut ids = Vec::with_capacity(wanted);
        for _ in 0..wanted {
            ids.push(public_id::generate(ledger.entropy())?);
        }
        let context = Context { outlook, ..self.context(session, &ids, minted) };
        Ok(decide(&self.state(), command, &context)?)
    }

    /// All that a judgement may know besides the state and the command.
    pub(super) fn context<'c>(
        &'c self,
        session: &Session,
        ids: &'c [PublicId],
        minted: Option<Minted>,
    ) -> Context<'c> {
        let dial = self.time.dial();
        Context {
            actor: session.actor(),
            now: dial.now.time,
            doubted: dial.now.suspect.then_some(dial.wall),
            complete_since: self.register.complete_since(),
            catalog: &self.catalog,
            ids,
            minted,
            outlook: None,
        }
    }

    /// Judges and, when a key or the secret of an app is to be issued, mints it first; a collision of ids draws again.
    fn judge_minting(
        &self,
        ledger: &mut Ledger,
        session: &Session,
        command: &Command,
        Aside { imported, outlook }: Aside<'_>,
    ) -> Result<(Vec<Event>, Option<Token>), Judged> {
        let (kind, id) = match command.draws() {
            // A recovery code goes into the header, which is not judged here.
            Draws::Nothing | Draws::Ids | Draws::RecoveryCode => {
                return Ok((self.judge(ledger, session, command, None, outlook)?, None));
            }
            Draws::ImportedId => {
                let id = public_id::generate(ledger.entropy())?;
                let minted = Minted { id, verifier: domain::Verifier::NONE, imported };
                return Ok((self.judge(ledger, session, command, Some(minted), None)?, None));
            }
            Draws::Token(place) => (kind_of(place), None),
            // For one that is not there nothing is made.
            Draws::Successor(key) => {
                (kind_of(self.state().key(key).map_or(Place::Agency, |key| key.place)), None)
            }
            // The secret of an app carries its application id, which stays.
            Draws::AppSecret(app) => (TokenKind::AppSecret, app.map(|app| *app.public())),
        };
        let mut last = Refusal::IdTaken;
        for _ in 0..DRAWS {
            let token = match id {
                Some(id) => Token::mint_for(kind, id, ledger.entropy())?,
                None => Token::mint(kind, ledger.entropy())?,
            };
            let minted = Minted { id: token.id(), verifier: self.verifier.digest(&token), imported: None };
            match self.judge(ledger, session, command, Some(minted), None) {
                Ok(events) => return Ok((events, Some(token))),
                Err(Judged::No(Refusal::IdTaken)) => last = Refusal::IdTaken,
                Err(other) => return Err(other),
            }
        }
        Err(Judged::No(last))
    }

    pub(super) fn note_refusal(
        &self,
        ledger: &mut Ledger,
        session: &Session,
        command: &Command,
        refusal: &Refusal,
    ) -> Result<(), EngineError> {
        // Somebody else swept at the same moment: nobody was refused anything.
        if session.is_service() && matches!(refusal, Refusal::NoChange(_)) {
            return Ok(());
        }
        let entry = {
            let state = self.state();
            let mut entry = Entry::of(session.line(&state), self.time.now().time, command.name());
            entry.outcome = Outcome::Refused;
            entry.reason = Some(refusal.code().into());
            // A key that is not theirs is not named as such: only what they typed would be, and that is theirs.
            let actor = session.actor();
            let seen = match command.about() {
                About::Key(id) => state
                    .key(id)
                    .filter(|key| actor.sees(&state, key))
                    .and_then(|key| SubjectLine::of_key(&state, key.id)),
                About::App(id) | About::Token(id) | About::Extent(Extent::App(id)) => state
                    .app(id)
                    .filter(|app| actor.sees_app(&state, app))
                    .and_then(|app| SubjectLine::of_app(&state, app.id)),
                About::Nothing
                | About::Operator(_)
                | About::Location(_)
                | About::Keys
                | About::Policy
                | About::Extent(Extent::Agency | Extent::Owner(_) | Extent::Location(_)) => None,
            };
            entry.subjects = seen.into_iter().collect();
            entry
        };
        let kind =
            Kind { operator: session.actor().operator, command: command.name(), reason: refusal.code() };
        let now = self.time.now().time;
        let Some(first) = self.register.refusals.note(kind, entry, now) else {
            self.verifier.uses().bell.ring();
            return Ok(());
        };
        if let Err(error) = ledger.write(first.clone(), Vec::new(), None, None, Sequel::Nothing) {
            // Told with those that follow, when the disk can take it.
            self.register.refusals.note(kind, first, now);
            return Err(error);
        }
        self.sealing.soon(ledger.seal());
        Ok(())
    }

    pub(in crate::engine) fn run(&self, session: &Session, command: &Command) -> Result<Done, EngineError> {
        match command {
            Command::Each(together) => Ok(self.run_each(session, together)),
            Command::TrimAudit { upto, head, .. } => self.trim(session, command, (*upto, head)),
            command => self.run_with(session, command, Aside::default(), None),
        }
    }

    /// One pass of a sweep over what a look has found.
    pub(in crate::engine) fn run_within(
        &self,
        session: &Session,
        command: &Command,
        outlook: &Outlook,
    ) -> Result<Done, EngineError> {
        let aside = Aside { outlook: Some(outlook), ..Aside::default() };
        self.run_with(session, command, aside, None)
    }

    /// A change that goes with one of the header: from the commit on, the slots that `header` names count and no others.
    pub(in crate::engine) fn run_naming(
        &self,
        session: &Session,
        command: &Command,
        header: HeaderMark,
    ) -> Result<Done, EngineError> {
        self.run_with(session, command, Aside::default(), Some(header))
    }

    /// The one way a state changes: judge, write durably, apply, tell. Of many it is [`LocalEngine::run_each`].
    pub(in crate::engine) fn run_with(
        &self,
        session: &Session,
        command: &Command,
        aside: Aside<'_>,
        header: Option<HeaderMark>,
    ) -> Result<Done, EngineError> {
        if !matches!(command, Command::StartSession { .. }) {
            self.tell_of_starts();
        }
        let repeats = matches!(command, Command::RepeatRotation(_));
        if repeats || matches!(command, Command::RepeatAppSecret(_)) {
            // It is refused for a secret in use: what was used and not taken yet counts, whether or not it can be written.
            let _noted = self.register.write(Refused::WhenDue);
        }
        let mut ledger = self.ledger();
        // Asked again while it waited: it is written now, or refused again.
        let waited = self.overdue.events_of(command);
        let way = self.overdue.clear_the_way(&mut ledger);
        match (way, waited) {
            (Ok(()), None) => {}
            (Ok(()), Some(events)) => {
                return Ok(Done { events: events.to_vec(), ..Done::default() });
            }
            (Err(error), Some(_)) => return Err(self.overdue.in_force(command, error)),
            (Err(error), None) => {
                let at = self.now().time;
                return Err(self.deny_at_once(&mut ledger, session, (command, at), error));
            }
        }
        let (events, token) = match self.judge_minting(&mut ledger, session, command, aside) {
            Ok((events, token)) => (Arc::new(events), token),
            Err(Judged::No(refusal)) => {
                self.note_refusal(&mut ledger, session, command, &refusal)?;
                return Err(refusal.into());
            }
            Err(Judged::Failed(error)) => return Err(error.into()),
        };
        let unshown = self.carry(&mut ledger, session, command, &events, header)?;
        let sealed = self.seal_now_or_soon(&mut ledger, command, unshown.clone());
        drop(ledger);
        self.tell(&events);
        sealed?;
        Ok(Done { events: events.to_vec(), token, unshown, ..Done::default() })
    }

    pub(in crate::engine) fn tell(&self, events: &Arc<Vec<Event>>) {
        // Nobody may be listening.
        let _ = self.feed.send(News::Happened(Arc::clone(events)));
    }

    /// Writes what a command comes to, and applies it; what takes back the secret that it made. What takes access away is in
    /// force although the disk did not take it.
    pub(super) fn carry(
        &self,
        ledger: &mut Ledger,
        session: &Session,
        command: &Command,
        events: &Arc<Vec<Event>>,
        header: Option<HeaderMark>,
    ) -> Result<Option<Note>, EngineError> {
        let ends = command.spec().toll == Toll::Ends;
        if ends {
            self.shut_unused(events)?;
        }
        let at = self.now().time;
        let mut entry = entry_of(&self.state(), session, command, events, at);
        if let Command::Found { operator, .. } = command {
            entry.actor.name = operator.to_string();
            entry.actor.role = Role::Admin.to_string();
        }
        if let Command::TrimAudit { upto, .. } = command {
            entry.trimmed = Some(Trimmed { upto: *upto, told: ledger.head().seq + 1 });
        }
        let mut records: Vec<Record> = events.iter().flat_map(Event::records).collect();
        records.extend(header.clone().map(Record::Header));
        let purged = |event: &Event| {
            if let Event::KeyPurged(key, _) = event { Some(*key.id.public()) } else { None }
        };
        let purged: Vec<_> = events.iter().filter_map(purged).collect();
        if !purged.is_empty() {
            // Before, so that none is left behind.
            ledger.forget_histories(&purged)?;
        }
        let sequel = Sequel::Change(Change { events: Arc::clone(events), header: header.clone() });
        let confirmed = events.iter().any(|event| matches!(event, Event::ClockConfirmed(..)));
        let mark = if confirmed { self.time.fresh() } else { self.time.mark() };
        let unshown = unshown(session, command, events, (at, ledger.head().seq + 1));
        if let Err(error) = ledger.write(entry, records, Some(&mark), unshown.as_ref(), sequel) {
            let unknown = matches!(error, EngineError::Commit(CommitError::Unknown(_)));
            // What may have been written stays shut until that is known.
            if ends && !unknown {
                self.overdue.parts.image.refresh(events);
            }
            if unknown {
                self.overdue.set_out();
            }
            let error = match unshown {
                Some(unshown) if unknown => self.overdue.take_back(unshown, error),
                _ => error,
            };
            if command.yields() == Yields::Nothing {
                let when = (at, ledger.head());
                return Err(self.overdue.deny(session, command, events, when, error));
            }
            return Err(self.deny_at_once(ledger, session, (command, at), error));
        }
        if confirmed {
            // While the ledger is held: nobody writes the old mark after the new one.
            self.time.set(mark);
        }
        self.overdue.parts.image.apply(events, header);
        Ok(unshown)
    }

    /// The disk does not take a command. What of it takes access away is in force all the same.
    fn deny_at_once(
        &self,
        ledger: &mut Ledger,
        session: &Session,
        (command, at): (&Command, Timestamp),
        error: EngineError,
    ) -> EngineError {
        let Some(command) = command.at_once() else { return error };
        if self.overdue.waits(&command) {
            return self.overdue.in_force(&command, error);
        }
        match self.judge(ledger, session, &command, None, None) {
            Ok(events) => self.overdue.deny(session, &command, &Arc::new(events), (at, ledger.head()), error),
            Err(_) => error,
        }
    }

    /// Has the seal know of a change. A denial it knows at once: without that a store put back in time would go unnoticed.
    /// A secret too, before it is shown: who finds one the seal does not know takes it back, see `load`.
    pub(super) fn seal_now_or_soon(
        &self,
        ledger: &mut Ledger,
        command: &Command,
        unshown: Option<Note>,
    ) -> Result<(), EngineError> {
        if !command.denies() && unshown.is_none() {
            self.sealing.soon(ledger.seal());
            return Ok(());
        }
        let Err(error) = self.store.write_seal(&ledger.seal()) else { return Ok(()) };
        if let Some(unshown) = unshown {
            let why = error.to_string().trim_end_matches('.').to_owned();
            let error = self.overdue.take_back(unshown, CommitError::Unknown(why).into());
            // Before anything follows it in the trail; where the disk does not allow it, it waits and is tried again.
            let _waits = self.overdue.clear_the_way(ledger);
            return Err(error);
        }
        tracing::warn!(%error, "the seal is behind");
        self.sealing.soon(ledger.seal());
        Ok(())
    }

    /// Takes back a secret that went to another process, which ended without a word that it was shown. An app that has another
    /// secret by now, or a key, is somebody's who knows it is there: that stays.
    pub fn take_back(&self, unshown: Unshown) {
        let mut ledger = self.ledger();
        let is_used = |state: &State, id| {
            // One that was taken back had been somebody's as well.
            let renewed =
                state.app(id).is_some_and(|app| app.not_before > app.created_at || app.spent.is_some());
            renewed || state.keys_of_app(id).next().is_some()
        };
        if matches!(unshown.command, Command::DeleteApp(id) if is_used(&self.state(), id)) {
            return tracing::warn!("the first secret of an app was shown to nobody, and the app is in use");
        }
        self.overdue.never_shown(unshown);
        if let Err(error) = self.overdue.clear_the_way(&mut ledger) {
            tracing::warn!(%error, "a secret nobody was shown is to be taken back when the disk allows");
        }
    }

    /// Finds out what became of a change whose outcome is open, and writes what took access away while the disk failed.
    pub fn write_overdue(&self) -> Result<(), EngineError> {
        // A store in doubt takes nothing; what is in force stays in force.
        if !self.doubts.is_empty() {
            return Ok(());
        }
        self.overdue.clear_the_way(&mut self.ledger())
    }
}

/// What a token of a key at that place is called.
const fn kind_of(place: Place) -> TokenKind {
    match place {
        Place::Agency => TokenKind::Agency,
        Place::Location(_) => TokenKind::Location,
        Place::App(_) => TokenKind::App,
    }
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
