//! The engine that owns the store. One lock orders the writers; readers and verifications never wait for a disk.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::broadcast;

use super::audit_log::{self, AuditPage, AuditReport, Doubt};
use super::clock::Clock;
use super::error::EngineError;
use super::imported::{self, Imported};
use super::ledger::Ledger;
use super::load::Loaded;
use super::oauth::TokenDesk;
use super::scribe::{Desk, Scribe, Writing};
use super::seal_thread::SealThread;
use super::session::Session;
use super::timekeeper::{Mark, Now, Timekeeper};
use super::verifier::{Counting, Verifier};
use super::{Done, Doors, Engine, NewSecret, News, Origin, doors};
use crate::crypto::header_file::HeaderFile;
use crate::crypto::passphrase::Cost;
use crate::crypto::phc::MAX_SECRET;
use crate::crypto::random::{Entropy, OsEntropy};
use crate::crypto::recovery::RecoveryCode;
use crate::crypto::token::{Token, TokenKind};
use crate::crypto::{CryptoError, Keyring, jwt, public_id};
use crate::domain::audit::{ChangeLine, ENTRY_VERSION, Entry, Outcome, SubjectLine};
use crate::domain::authorize::acting;
use crate::domain::{
    self, Access, Catalog, Command, Context, Decision, Event, HeaderMark, Key, KeyId, KeysAfter, Minted,
    Name, OperatorId, Place, Reason, Record, Refusal, Role, ScopeId, State, Timestamp, decide,
};
use crate::store::{Health, Store};

/// Events a slow listener may fall behind.
const FEED: usize = 1_024;
/// Fresh ids dealt to one command: as many as it may need and some to spare for collisions.
const IDS: usize = 72;
/// Draws of a token before a run of collisions counts as a broken generator.
const DRAWS: usize = 4;
/// What an engine is made of.
pub(super) struct Parts {
    pub store: Arc<dyn Store>,
    pub keyring: Keyring,
    pub loaded: Loaded,
    pub catalog: Arc<Catalog>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Box<dyn Entropy + Send>,
    /// Where the header lies; a store in memory has none, and its operators no slots.
    pub header: Option<HeaderFile>,
    /// How often the header was changed.
    pub header_generation: u64,
    pub cost: Cost,
    pub dir: Option<PathBuf>,
}

/// Owns a store and everything known of it.
pub struct LocalEngine {
    pub(super) store: Arc<dyn Store>,
    pub(super) keyring: Keyring,
    state: Arc<RwLock<State>>,
    verifier: Arc<Verifier>,
    imported: Imported,
    pub(super) tokens: TokenDesk,
    ledger: Arc<Mutex<Ledger>>,
    /// What takes access away and is in force in this process, but could not be written yet.
    overdue: Mutex<Vec<(Session, Command)>>,
    catalog: Arc<Catalog>,
    time: Arc<Timekeeper>,
    feed: broadcast::Sender<News>,
    doubts: Vec<Doubt>,
    pub(super) header: Option<Mutex<HeaderFile>>,
    /// Changes to the header file so far.
    pub(super) header_generation: AtomicU64,
    pub(super) cost: Cost,
    dir: Option<PathBuf>,
    sealing: SealThread,
    desk: Arc<Desk>,
    pub(super) scribe: Scribe,
}

impl LocalEngine {
    pub(super) fn new(parts: Parts) -> Arc<Self> {
        let Parts { store, keyring, loaded, catalog, clock, entropy, header, header_generation, cost, dir } =
            parts;
        let verifier = Verifier::new(keyring.pepper(), &loaded.state);
        if !loaded.doubts.is_empty() {
            let named: Vec<_> = loaded.suspects.iter().filter_map(|id| loaded.state.key(*id)).collect();
            for key in &named {
                verifier.close(key, Reason::StoreError);
            }
            // Doubts that are not about certain keys put all of them in doubt.
            if loaded.suspects.len() < loaded.doubts.len() {
                verifier.shut();
            }
        }
        let imported = Imported::new(keyring.imported_secrets(), keyring.pepper(), &loaded.state);
        let tokens = TokenDesk::new(&keyring, &loaded.state);
        let sealing = SealThread::start(Arc::clone(&store));
        let ledger =
            Ledger::new(Arc::clone(&store), &keyring, loaded.head, loaded.digest, loaded.rev, entropy);
        let (state, verifier) = (Arc::new(RwLock::new(loaded.state)), Arc::new(verifier));
        let ledger = Arc::new(Mutex::new(ledger));
        let time = Arc::new(Timekeeper::new(clock, loaded.mark));
        let feed = broadcast::channel(FEED).0;
        let frozen = !loaded.doubts.is_empty();
        let desk = Desk::new((&state, &verifier, &ledger), &time, feed.clone(), loaded.unbroken, frozen);
        let desk = Arc::new(desk);
        Arc::new(Self {
            store,
            keyring,
            state,
            verifier,
            imported,
            tokens,
            ledger,
            overdue: Mutex::default(),
            catalog,
            time,
            feed,
            doubts: loaded.doubts,
            header: header.map(Mutex::new),
            header_generation: AtomicU64::new(header_generation),
            cost,
            dir,
            sealing,
            scribe: Scribe::new(Arc::clone(&desk)),
            desk,
        })
    }

    /// Where the store lives; `None` in memory.
    pub fn dir(&self) -> Option<&std::path::Path> {
        self.dir.as_deref()
    }

    /// The table that decides about tokens, for callers that need nothing else.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// [`Engine::verify`] for a request that came from somewhere.
    pub fn verify_from(&self, presented: &[u8], wanted: &[ScopeId], origin: Origin<'_>) -> Decision {
        self.decide(presented, wanted, Counting::From(origin))
    }

    fn decide(&self, presented: &[u8], wanted: &[ScopeId], counting: Counting<'_>) -> Decision {
        if jwt::is_likely(presented) {
            return self.verify_access_token(presented, wanted, counting);
        }
        let now = self.time.now().time;
        match imported::parse(presented) {
            Some(theirs) => match self.imported.check(&theirs, now) {
                Ok(()) => self.verifier.admit_known(theirs.id, wanted, counting, now),
                Err(reason) => Decision::deny(reason, None),
            },
            None => self.verifier.decide(presented, wanted, counting, now),
        }
    }

    /// The highest believed time, for a process on this machine that keeps time of its own.
    pub fn mark(&self) -> Mark {
        self.time.mark()
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges a command without doing it, so that a slot is not written for somebody who may not.
    pub(super) fn rehearse(&self, session: &Session, command: &Command) -> Result<(), EngineError> {
        self.rehearse_with(session, command, None)
    }

    fn rehearse_with(
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
        let context = Context {
            actor: session.actor(),
            now: self.time.now().time,
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
        Entry {
            v: ENTRY_VERSION,
            store: String::new(),
            seq: 0,
            at: self.time.now().time.0,
            event: event.into(),
            outcome: Outcome::Done,
            reason: None,
            actor: session.line(state),
            subjects: Vec::new(),
            changes: Vec::new(),
            records: Vec::new(),
            state: String::new(),
        }
    }

    fn run(&self, session: &Session, command: &Command) -> Result<Done, EngineError> {
        self.run_with(session, command, None)
    }

    /// The one way a state changes: judge, write durably, apply, tell.
    fn run_with(
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
        if let Err(error) = ledger.write(entry, records, Some(&self.time.mark())) {
            return Err(self.deny_anyway(session, command, &events, error));
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

    fn write_seal(&self) {
        let seal = self.ledger().seal();
        if let Err(error) = self.store.write_seal(&seal) {
            tracing::warn!(%error, "the seal is behind");
        }
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

impl Drop for LocalEngine {
    fn drop(&mut self) {
        self.sealing.stop();
        self.scribe.stop();
        if let Err(error) = self.desk.close() {
            tracing::warn!(%error, "what was used could not be written");
        } else if self.doubts.is_empty() {
            self.write_seal();
        }
    }
}

impl Engine for LocalEngine {
    fn execute(&self, session: &Session, command: Command) -> Result<Done, EngineError> {
        self.run(session, &command)
    }

    fn import_key(&self, session: &Session, new: domain::NewKey, secret: &[u8]) -> Result<Done, EngineError> {
        if !(1..=MAX_SECRET).contains(&secret.len()) || !secret.iter().all(u8::is_ascii_graphic) {
            return Err(CryptoError::ImportedSecret.into());
        }
        let command = Command::ImportKey(new);
        // Judged before the work is done, so that nobody who may not import can ask for it.
        let stand_in = domain::Imported { phc: String::new() };
        let minted = Minted {
            id: public_id::generate(self.ledger().entropy())?,
            verifier: domain::Verifier::NONE,
            imported: Some(Box::new(stand_in)),
        };
        self.rehearse_with(session, &command, Some(minted))?;
        let phc = self.imported.secrets().hash(secret, &mut OsEntropy)?.to_string();
        self.run_with(session, &command, Some(Box::new(domain::Imported { phc })))
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn now(&self) -> Now {
        self.time.now()
    }

    fn subscribe(&self) -> broadcast::Receiver<News> {
        self.feed.subscribe()
    }

    fn verify(&self, presented: &[u8], wanted: &[ScopeId]) -> Decision {
        self.verify_from(presented, wanted, Origin::default())
    }

    fn test(&self, session: &Session, presented: &[u8], wanted: &[ScopeId]) -> Result<Decision, EngineError> {
        acting(&self.state(), &session.actor()).map_err(EngineError::Refused)?;
        Ok(self.decide(presented, wanted, Counting::Off))
    }

    fn open_agency_view(&self, session: &Session) -> Result<Session, EngineError> {
        self.run(session, &Command::OpenAgencyView)?;
        Ok(session.with_access(Access::Agency))
    }

    fn audit(
        &self,
        session: &Session,
        before: Option<u64>,
        limit: usize,
        about: Option<KeyId>,
    ) -> Result<AuditPage, EngineError> {
        audit_log::page(self, session, before, limit, about)
    }

    fn check_audit(&self, session: &Session) -> Result<AuditReport, EngineError> {
        audit_log::check(self, session)
    }

    fn anchor(&self) -> Result<audit_log::Anchor, EngineError> {
        Ok(Self::anchor(self))
    }

    fn audit_hash(&self, seq: u64) -> Result<Option<String>, EngineError> {
        Self::audit_hash(self, seq)
    }

    fn add_operator(
        &self,
        session: &Session,
        name: Name,
        role: Role,
        secret: NewSecret<'_>,
    ) -> Result<Done, EngineError> {
        doors::add_operator(self, session, &name, role, &secret)
    }

    fn set_secret(
        &self,
        session: &Session,
        operator: OperatorId,
        secret: NewSecret<'_>,
    ) -> Result<Done, EngineError> {
        doors::set_secret(self, session, operator, &secret)
    }

    fn disable_operator(
        &self,
        session: &Session,
        operator: OperatorId,
        keys: KeysAfter,
    ) -> Result<Done, EngineError> {
        doors::disable_operator(self, session, operator, keys)
    }

    fn enable_operator(
        &self,
        session: &Session,
        operator: OperatorId,
        secret: NewSecret<'_>,
    ) -> Result<Done, EngineError> {
        doors::enable_operator(self, session, operator, &secret)
    }

    fn renew_recovery(&self, session: &Session) -> Result<RecoveryCode, EngineError> {
        doors::renew_recovery(self, session)
    }

    fn doors(&self, session: &Session) -> Result<Doors, EngineError> {
        doors::doors(self, session)
    }

    fn health(&self) -> Health {
        self.store.health()
    }

    fn doubts(&self) -> &[Doubt] {
        &self.doubts
    }

    fn use_writer(&self) -> Writing {
        self.desk.writing()
    }

    fn uses_complete_since(&self) -> Option<Timestamp> {
        self.desk.complete_since()
    }

    fn settle(&self) -> Result<(), EngineError> {
        self.write_overdue()?;
        self.desk.write()?;
        if self.doubts.is_empty() {
            self.write_seal();
        }
        Ok(())
    }
}
