//! The engine that owns the store. One lock orders the writers; readers and verifications never wait for a disk.
//! How it changes anything is in `change`, many at once in `each`, with the header in `slots`.

mod change;
mod each;
mod slots;

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::broadcast;

pub(super) use self::change::Aside;
use super::audit_log::{Anchor, Doubt, Readable, Trail};
use super::backup::Copying;
use super::caller::Caller;
use super::clock::Clock;
use super::delivery::Posting;
use super::error::EngineError;
use super::image::Image;
use super::imported::{self, Imported};
use super::ledger::{Head, Ledger, Standing, hex};
use super::load::Loaded;
use super::overdue::{self, Kept, Overdue};
use super::scribe::{Refused, Register, Scribe};
use super::seal_thread::SealThread;
use super::session::Session;
use super::sweep::Sweeps;
use super::tails::Tails;
use super::throttle::Callers;
use super::timekeeper::{Mark, Timekeeper};
use super::token_desk::TokenDesk;
use super::tried::Search;
use super::verifier::{Counting, Verifier};
use super::{Brought, Condition, Done, Engine, Finding, News, Origin, Question, Snapshot, Tried};
use crate::crypto::header_file::HeaderFile;
use crate::crypto::passphrase::Cost;
use crate::crypto::phc::{Known, MAX_SECRET};
use crate::crypto::random::{Entropy, OsEntropy};
use crate::crypto::{CryptoError, Keyring, jwt, public_id};
use crate::domain::authorize::acting;
use crate::domain::command::Beside;
use crate::domain::{
    self, Access, Action, Catalog, Command, Decision, Minted, PublicId, Reason, ScopeId, State,
};
use crate::store::{CommitError, Store};

/// Events a slow listener may fall behind.
const FEED: usize = 1_024;
/// What an engine is made of.
pub(super) struct Parts {
    pub store: Arc<dyn Store>,
    pub keyring: Keyring,
    pub loaded: Loaded,
    pub catalog: Arc<Catalog>,
    pub clock: Arc<dyn Clock>,
    /// Who tried to sign in before.
    pub callers: Arc<Callers>,
    pub entropy: Box<dyn Entropy + Send>,
    /// Where the header lies; a store in memory has none, and its operators no slots.
    pub header: Option<HeaderFile>,
    pub cost: Cost,
    pub dir: Option<PathBuf>,
    /// Where denials are kept that the disk does not take; a store in memory has no such place.
    pub kept: Option<Kept>,
}

/// Owns a store and everything known of it.
pub struct LocalEngine {
    pub(super) store: Arc<dyn Store>,
    pub(super) keyring: Arc<Keyring>,
    state: Arc<RwLock<State>>,
    verifier: Arc<Verifier>,
    imported: Arc<Imported>,
    pub(super) tokens: Arc<TokenDesk>,
    ledger: Arc<Mutex<Ledger>>,
    /// What takes access away and is in force, but could not be written yet.
    pub(super) overdue: Arc<Overdue>,
    catalog: Arc<Catalog>,
    pub(super) time: Arc<Timekeeper>,
    pub(super) feed: broadcast::Sender<News>,
    pub(super) doubts: Vec<Doubt>,
    /// Held for the whole of a change to it, the commit that names its slots included.
    header: Option<Mutex<HeaderFile>>,
    pub(super) callers: Arc<Callers>,
    pub(super) clock: Arc<dyn Clock>,
    cost: Cost,
    dir: Option<PathBuf>,
    pub(super) sealing: Arc<SealThread>,
    pub(super) register: Arc<Register>,
    pub(super) scribe: Scribe,
    turn: Mutex<()>,
    pub(super) sweeps: Mutex<Sweeps>,
    pub(super) posting: Posting,
    /// Sign-ins the disk did not take, and how many tries failed before each. They are told before the next change.
    pub(super) untold: Mutex<Vec<(Session, u32)>>,
    pub(super) copying: Copying,
    pub(super) tails: Tails,
}

impl LocalEngine {
    pub(super) fn new(parts: Parts) -> Arc<Self> {
        let Parts { store, keyring, loaded, catalog, clock, callers, entropy, header, cost, dir, kept } =
            parts;
        let proof = Arc::new(loaded.proof);
        let mut state = loaded.state;
        state.believe(Arc::clone(&proof));
        let verifier = Verifier::new(keyring.pepper(), &state, Arc::clone(&proof));
        let imported = Arc::new(Imported::new(keyring.imported_secrets(), keyring.pepper(), &state));
        let tokens = Arc::new(TokenDesk::new(&keyring, &state, proof));
        let sealing = Arc::new(SealThread::start(Arc::clone(&store)));
        let generation = kept.as_ref().map_or_else(Arc::default, Kept::generation);
        let Loaded { head, digest, rev, trimmed, .. } = loaded;
        let standing = Standing { head, digest, rev, trimmed };
        let ledger = Ledger::new(Arc::clone(&store), &keyring, standing, generation, entropy);
        let (state, verifier) = (Arc::new(RwLock::new(state)), Arc::new(verifier));
        let ledger = Arc::new(Mutex::new(ledger));
        let time = Arc::new(Timekeeper::new(Arc::clone(&clock), loaded.mark));
        let feed = broadcast::channel(FEED).0;
        let keyring = Arc::new(keyring);
        let image = Image {
            state: Arc::clone(&state),
            verifier: Arc::clone(&verifier),
            imported: Arc::clone(&imported),
            tokens: Arc::clone(&tokens),
            keyring: Arc::clone(&keyring),
        };
        let writing = overdue::Parts {
            image,
            ledger: Arc::clone(&ledger),
            store: Arc::clone(&store),
            catalog: Arc::clone(&catalog),
            time: Arc::clone(&time),
            feed: feed.clone(),
            sealing: Arc::clone(&sealing),
            kept,
        };
        let overdue = Arc::new(Overdue::new(writing, &loaded.doubts));
        let before = (loaded.unbroken, loaded.covered);
        let register = Arc::new(Register::new(&overdue, before, loaded.others, !loaded.doubts.is_empty()));
        Arc::new(Self {
            store,
            keyring,
            state,
            verifier,
            imported,
            tokens,
            ledger,
            overdue,
            catalog,
            time,
            feed,
            doubts: loaded.doubts,
            header: header.map(Mutex::new),
            callers,
            clock,
            cost,
            dir,
            sealing,
            scribe: Scribe::new(Arc::clone(&register)),
            register,
            turn: Mutex::default(),
            sweeps: Mutex::default(),
            posting: Posting::default(),
            untold: Mutex::default(),
            copying: Copying::default(),
            tails: Tails::default(),
        })
    }

    /// Has the store know that uses are gathered from now on without a gap.
    pub(super) fn vouch_for_uses(&self) -> Result<(), EngineError> {
        self.register.vouch()
    }

    /// The newest entry of the trail as a line to keep elsewhere.
    pub fn newest_anchor(&self) -> Anchor {
        let (store, head) = (self.keyring.store().to_string(), self.ledger().head());
        Anchor { store, seq: head.seq, head: hex(&head.hash), at: self.now().time.rfc3339() }
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
        self.verify_for(presented, wanted, origin, |_| ())
    }

    /// [`LocalEngine::verify_from`] for somebody who must say whose an allowed request is: `tell` hears it, and is not
    /// called for one that is refused. What `tell` does keeps changes to the store waiting.
    pub fn verify_for(
        &self,
        presented: &[u8],
        wanted: &[ScopeId],
        origin: Origin<'_>,
        tell: impl FnOnce(&Caller<'_>),
    ) -> Decision {
        let decision = self.decide(presented, wanted, Counting::From(origin), tell);
        if self.tails.is_on() {
            self.tell_watchers(&decision, wanted, origin);
        }
        if !decision.is_allow() {
            self.note_denial(presented, &decision, origin);
        }
        decision
    }

    /// Has the trail tell of a refused request, later and with others like it.
    #[cold]
    fn note_denial(&self, presented: &[u8], decision: &Decision, origin: Origin<'_>) {
        let fingerprint = || self.keyring.fingerprint(presented);
        let now = self.time.now().time;
        if self.register.denials.note(presented, decision, origin, now, fingerprint) {
            self.verifier.uses().bell.ring();
        }
    }

    pub(super) fn decide(
        &self,
        presented: &[u8],
        wanted: &[ScopeId],
        counting: Counting<'_>,
        tell: impl FnOnce(&Caller<'_>),
    ) -> Decision {
        if jwt::is_likely(presented) {
            return self.verify_access_token(presented, wanted, counting, tell);
        }
        let now = self.time.now().time;
        match imported::parse(presented) {
            Some(theirs) => match self.imported.check(&theirs, counting.address()) {
                Ok(()) => self.verifier.admit_known(theirs.id, wanted, counting, now, tell),
                Err(Reason::Unknown) => Decision::deny(self.verifier.absent(theirs.id), None),
                Err(reason) => Decision::deny(reason, None),
            },
            None => self.verifier.decide(presented, wanted, counting, now, tell),
        }
    }

    /// The highest believed time, for a process on this machine that keeps time of its own.
    pub fn mark(&self) -> Mark {
        self.time.mark()
    }

    /// Takes over a key whose secret was made elsewhere.
    fn import(&self, session: &Session, command: &Command, known: Known<'_>) -> Result<Done, EngineError> {
        if let Known::Secret(secret) = known
            && (!(1..=MAX_SECRET).contains(&secret.len()) || !secret.iter().all(u8::is_ascii_graphic))
        {
            return Err(CryptoError::ImportedSecret.into());
        }
        // Judged before the work is done, so that nobody who may not import can ask for it.
        let digested = known.digested();
        let stand_in = domain::Imported { phc: String::new(), digested };
        let minted = Minted {
            id: public_id::generate(self.ledger().entropy())?,
            verifier: domain::Verifier::NONE,
            imported: Some(Box::new(stand_in)),
        };
        self.rehearse_with(session, command, Some(minted))?;
        let phc = self.imported.secrets().hash(known, &mut OsEntropy)?.to_string();
        let imported = Some(Box::new(domain::Imported { phc, digested }));
        let aside = Aside { imported, ..Aside::default() };
        let done = self.run_with(session, command, aside, None)?;
        for event in &done.events {
            if let (domain::Event::KeyImported(key), Known::Secret(secret)) = (event, known) {
                self.imported.know(key.id, secret);
            }
        }
        Ok(done)
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The seal of a store without an entry.
    pub(super) fn write_first_seal(&self) -> Result<(), EngineError> {
        let written = self.store.write_seal(&self.ledger().seal());
        written.map_err(|error| CommitError::Unavailable(error.to_string()).into())
    }

    /// One whole reading of the trail at a time: the others wait for their turn, and the machine stays free for those
    /// who write and verify.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn trail(&self) -> Trail<'_> {
        Trail { store: &*self.store, keyring: &self.keyring }
    }

    /// The newest entry, and the one before the first that is in the store.
    fn trail_ends(&self) -> (Head, u64) {
        let ledger = self.ledger();
        (ledger.head(), ledger.trimmed().map_or(0, |trimmed| trimmed.upto))
    }

    fn search(&self, session: &Session, presented: &[u8]) -> Result<Tried, EngineError> {
        self.execute(session, Command::ReadAudit)?;
        self.register.write(Refused::AtOnce)?;
        let bearer = self.decide(presented, &[], Counting::Off, |_| ()).bearer();
        let search = Search::of(&self.state(), self.keyring.fingerprint(presented), bearer);
        let _turn = self.turn();
        let (known, base) = self.trail_ends();
        search.through(self.trail(), known, base)
    }

    fn write_seal(&self) {
        let seal = self.ledger().seal();
        if let Err(error) = self.store.write_seal(&seal) {
            tracing::warn!(%error, "the seal is behind");
            self.sealing.soon(seal);
        }
    }
}

/// Whoever has the store is asked in the same words as whoever asks another process for it.
impl Deref for LocalEngine {
    type Target = dyn Engine;

    fn deref(&self) -> &Self::Target {
        self
    }
}

impl Drop for LocalEngine {
    fn drop(&mut self) {
        self.sealing.stop();
        self.overdue.stop();
        self.scribe.stop();
        if let Err(error) = self.register.close() {
            tracing::warn!(%error, "what was used could not be written");
        } else if self.doubts.is_empty() {
            self.write_seal();
        }
    }
}

impl Engine for LocalEngine {
    fn act(&self, session: &Session, command: Command, brought: Brought<'_>) -> Result<Done, EngineError> {
        use Brought as B;
        match (command.spec().beside, brought) {
            (Beside::Nothing, B::Nothing) => self.run(session, &command),
            (Beside::Session, B::Nothing) => {
                let done = self.run(session, &command)?;
                Ok(Done { session: Some(session.with_access(Access::Agency)), ..done })
            }
            (Beside::Slots, B::Nothing) => self.shut_out(session, &command),
            (Beside::RecoverySlot, B::Nothing) => self.renew_recovery(session, &command),
            (Beside::Passphrase, B::Nothing | B::Passphrase(_) | B::KeyFile(_)) => {
                self.let_in(session, &command, brought)
            }
            (Beside::ImportedSecret, B::Imported(secret)) => {
                self.import(session, &command, Known::Secret(secret))
            }
            (Beside::ImportedSecret, B::ImportedSha256(digest)) => {
                self.import(session, &command, Known::Sha256(digest))
            }
            (
                Beside::Nothing | Beside::Session | Beside::Slots | Beside::RecoverySlot,
                B::Passphrase(_) | B::KeyFile(_) | B::Imported(_) | B::ImportedSha256(_),
            )
            | (Beside::Passphrase, B::Imported(_) | B::ImportedSha256(_))
            | (Beside::ImportedSecret, B::Nothing | B::Passphrase(_) | B::KeyFile(_)) => {
                Err(EngineError::Misfit)
            }
        }
    }

    fn ask(&self, session: &Session, question: Question<'_>) -> Result<Finding, EngineError> {
        Ok(match question {
            Question::Audit { before, limit, about } => {
                let readable = Readable::of(&self.state(), session, about)?;
                Finding::Audit(self.trail().page(&readable, before, limit)?)
            }
            Question::Tried(presented) => Finding::Tried(Box::new(self.search(session, presented)?)),
            Question::CheckAudit => {
                domain::authorize(&self.state(), &session.actor(), Action::ReadOwnAudit)?;
                let _turn = self.turn();
                let (known, base) = self.trail_ends();
                Finding::CheckAudit(self.trail().check(known, base, &self.doubts)?)
            }
            Question::Anchor => Finding::Anchor(self.newest_anchor()),
            Question::AuditHash(seq) => Finding::AuditHash(self.trail().hash(seq)?),
            Question::Doors => Finding::Doors(self.see_doors(session)?),
            Question::Test { presented, wanted } => {
                acting(&self.state(), &session.actor())?;
                let decision = self.decide(presented, &wanted, Counting::Off, |_| ());
                Finding::Test(self.heard(session, presented, decision))
            }
            Question::Called(_) => Finding::Called,
            Question::Sparks(keys) => Finding::Sparks(self.sparks(session, &keys)?),
            Question::Used => {
                self.register.catch_up();
                Finding::Used
            }
            Question::Sweep(how) => Finding::Swept(Box::new(self.sweep_for(session, how)?)),
            Question::History(about) => Finding::History(Box::new(self.picture(session, about)?)),
            Question::Copy(want) => Finding::Copy(Box::new(self.copy_part(session, want)?)),
            Question::Whose(presented) => Finding::Whose(self.whose(session, presented)?),
            Question::Span => {
                domain::authorize(&self.state(), &session.actor(), Action::ReadOwnAudit)?;
                Finding::Span(self.trail().span()?)
            }
            Question::Busy(about) => Finding::Busy(Box::new(self.busy(session, &about)?)),
            Question::Tail(watched) => Finding::Tail(self.tail_of(session, watched)?),
        })
    }

    fn verify(&self, presented: &[u8], wanted: &[ScopeId]) -> Decision {
        self.verify_from(presented, wanted, Origin::default())
    }

    fn snapshot(&self) -> Snapshot<'_> {
        Snapshot { state: &self.state, catalog: &self.catalog, doubts: &self.doubts, time: &self.time }
    }

    fn subscribe(&self) -> broadcast::Receiver<News> {
        self.feed.subscribe()
    }

    fn condition(&self) -> Condition {
        Condition {
            health: self.store.health(),
            writing: self.register.writing(),
            complete_since: self.register.complete_since(),
            unwritten: self.overdue.unwritten(),
            sweeps: self.sweeps(),
            channels: self.posting.channels(),
        }
    }

    /// Who has the store and shows what it made has nobody to tell: what it did not come to show is found at the next opening.
    fn shown(&self, _: PublicId) -> Result<(), EngineError> {
        Ok(())
    }

    fn settle(&self) -> Result<(), EngineError> {
        self.write_overdue()?;
        // Who stays tells of what was refused when its minute has passed; who is about to end tells now.
        self.register.write(if self.scribe.works() { Refused::WhenDue } else { Refused::AtOnce })?;
        self.register.settle_histories()?;
        if self.doubts.is_empty() {
            self.write_seal();
        }
        Ok(())
    }
}
