//! The engine that owns the store. One lock orders the writers; readers and verifications never wait for a disk.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::broadcast;

use super::audit_log::{self, AuditPage, AuditReport, Doubt};
use super::clock::Clock;
use super::error::EngineError;
use super::ledger::Ledger;
use super::load::Loaded;
use super::seal_thread::SealThread;
use super::session::Session;
use super::timekeeper::{Now, Timekeeper};
use super::verifier::Verifier;
use super::{Done, Doors, Engine, NewSecret, News, Origin, doors};
use crate::crypto::header_file::HeaderFile;
use crate::crypto::passphrase::Cost;
use crate::crypto::random::Entropy;
use crate::crypto::recovery::RecoveryCode;
use crate::crypto::token::{Token, TokenKind};
use crate::crypto::{CryptoError, Keyring, public_id};
use crate::domain::audit::{ChangeLine, ENTRY_VERSION, Entry, Outcome, SubjectLine};
use crate::domain::authorize::acting;
use crate::domain::{
    Access, Catalog, Command, Context, Decision, Event, HeaderMark, Key, KeyId, KeysAfter, Minted, Name,
    OperatorId, Place, Reason, Record, Refusal, Role, ScopeId, State, decide,
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
    state: RwLock<State>,
    verifier: Verifier,
    ledger: Mutex<Ledger>,
    catalog: Arc<Catalog>,
    time: Timekeeper,
    feed: broadcast::Sender<News>,
    doubts: Vec<Doubt>,
    pub(super) header: Option<Mutex<HeaderFile>>,
    /// Changes to the header file so far.
    pub(super) header_generation: AtomicU64,
    pub(super) cost: Cost,
    dir: Option<PathBuf>,
    sealing: SealThread,
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
        let sealing = SealThread::start(Arc::clone(&store));
        let ledger =
            Ledger::new(Arc::clone(&store), &keyring, loaded.head, loaded.digest, loaded.rev, entropy);
        Arc::new(Self {
            store,
            keyring,
            state: RwLock::new(loaded.state),
            verifier,
            ledger: Mutex::new(ledger),
            catalog,
            time: Timekeeper::new(clock, loaded.mark),
            feed: broadcast::channel(FEED).0,
            doubts: loaded.doubts,
            header: header.map(Mutex::new),
            header_generation: AtomicU64::new(header_generation),
            cost,
            dir,
            sealing,
        })
    }

    /// Where the store lives; `None` in memory.
    pub fn dir(&self) -> Option<&std::path::Path> {
        self.dir.as_deref()
    }

    /// The table that decides about tokens, for callers that need nothing else.
    pub const fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// [`Engine::verify`] for a request that came from somewhere.
    pub fn verify_from(&self, presented: &[u8], wanted: &[ScopeId], origin: Origin<'_>) -> Decision {
        self.verifier.verify_from(presented, wanted, origin, self.time.now().time)
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges a command without doing it, so that a slot is not written for somebody who may not.
    pub(super) fn rehearse(&self, session: &Session, command: &Command) -> Result<(), EngineError> {
        let mut ledger = self.ledger();
        self.judge(&mut ledger, session, command, None).map(drop).map_err(EngineError::from_judge).or_else(
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
    ) -> Result<(Vec<Event>, Option<Token>), Judged> {
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
            let minted = Minted { id: token.id(), verifier: self.verifier.digest(&token) };
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

    /// The one way a state changes: judge, write durably, apply, tell.
    fn run(&self, session: &Session, command: &Command) -> Result<Done, EngineError> {
        if !self.doubts.is_empty() {
            return Err(EngineError::Suspect(audit_log::in_one_line(&self.doubts)));
        }
        let mut ledger = self.ledger();
        let (events, token) = match self.judge_minting(&mut ledger, session, command) {
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
            return Err(self.deny_anyway(command, &events, error));
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
        }
    }

    /// The disk failed. What takes access away is in force in this process all the same.
    fn deny_anyway(&self, command: &Command, events: &[Event], error: EngineError) -> EngineError {
        let EngineError::Commit(why) = error else { return error };
        if !command.denies() {
            return EngineError::Commit(why);
        }
        let mut after = self.state().clone();
        for event in events {
            after.apply(event);
        }
        for key in touched(&after, events) {
            self.verifier.refresh(&after, key);
        }
        EngineError::DeniedNotDurable(why)
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
        if let Err(error) = self.settle() {
            tracing::warn!(%error, "what was used could not be written");
        }
    }
}

impl Engine for LocalEngine {
    fn execute(&self, session: &Session, command: Command) -> Result<Done, EngineError> {
        self.run(session, &command)
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
        self.verifier.verify(presented, wanted, self.time.now().time)
    }

    fn test(&self, session: &Session, presented: &[u8], wanted: &[ScopeId]) -> Result<Decision, EngineError> {
        acting(&self.state(), &session.actor()).map_err(EngineError::Refused)?;
        Ok(self.verifier.test(presented, wanted, self.time.now().time))
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

    fn settle(&self) -> Result<(), EngineError> {
        let uses = self.verifier.take_uses();
        if !uses.is_empty() && self.doubts.is_empty() {
            let totals: Vec<_> = {
                let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
                uses.into_iter()
                    .map(|(id, seen)| {
                        state.note_use(*id.public(), seen);
                        (id, state.usage(id))
                    })
                    .collect()
            };
            self.ledger().write_uses(&totals, &self.time.mark())?;
            let _ = self.feed.send(News::Used(totals.iter().map(|(id, _)| *id.public()).collect()));
        }
        if self.doubts.is_empty() {
            self.write_seal();
        }
        Ok(())
    }
}
