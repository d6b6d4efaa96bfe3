//! What one attached process asks, carried out on the engine with the session that the owner keeps for it. Nothing a
//! request says about itself is believed: who asks comes from the secret it signed in with and from the kernel, how
//! far it reaches from what was granted here.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::fault::Fault;
use super::frame;
use super::lines::HealthLine;
use super::visible;
use super::wire::{Answer, Ask, BroughtLine, Reach, Request, Said, Welcome, With, via};
use crate::crypto::keyfile::KeyFileSecret;
use crate::crypto::passphrase::Passphrase;
use crate::crypto::recovery::RecoveryCode;
use crate::crypto::token::Token;
use crate::domain::authorize::acting;
use crate::domain::command::AskedBy;
use crate::domain::{Access, Actor, Bearer, Catalog, Command, Event, PublicId, Record, RecordKey, Timestamp};
use crate::engine::open::{Key, Wants};
use crate::engine::{
    Brought, Done, Engine, EngineError, Finding, Left, LocalEngine, OpenError, Peer, Question, Session,
    Unshown, Via,
};

/// News of uses have come to everybody after this.
const LATELY_MS: i64 = 10_000;

/// What came of a request, to be written once the number of the request is beside it.
pub enum Reply {
    /// As it is.
    Plain(Answer<'static>),
    /// What a command led to.
    Done {
        /// A token.
        token: Option<Token>,
        /// A recovery code.
        code: Option<RecoveryCode>,
        /// What happened, as far as it may be seen.
        events: Vec<Event>,
        /// Of many at once, those that were not done.
        left: Vec<Left>,
    },
}

impl Reply {
    /// The answer to the request of that number, as it goes out. What is secret in it is wiped with it.
    pub fn into_frame(self, id: u32) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Plain(answer) => frame::frame(&Said::Answer { id, answer }),
            Self::Done { token, code, events, left } => {
                let code = code.as_ref().map(RecoveryCode::reveal);
                let code = code.as_ref().map(|code| code.as_str());
                let answer = Answer::Done { token: token.as_ref().map(Token::reveal), code, events, left };
                frame::frame(&Said::Answer { id, answer })
            }
        }
    }
}

/// What carrying out a request comes to.
pub type Carried = Result<Reply, Fault>;

/// Carries out the requests of one attached process.
pub struct Clerk {
    engine: Arc<LocalEngine>,
    /// The owner's own command, for those who attach.
    command: Arc<str>,
    peer: Peer,
    session: Option<Session>,
    /// The same session with the whole agency in view, once that was granted.
    widened: Option<Session>,
    /// An end of the session is in the trail already.
    ended: bool,
    wants: Wants,
    /// Records the last request changed or named.
    touched: Vec<RecordKey>,
    /// Keys and apps whose use the last request asked to know.
    used: Vec<PublicId>,
    /// Secrets that were handed over, by the ids of their tokens, and nobody said yet that they were shown.
    unshown: Vec<(PublicId, Unshown)>,
}

impl Clerk {
    /// For somebody at the other end of a connection, whom the kernel says is `peer`.
    pub fn new(engine: Arc<LocalEngine>, command: Arc<str>, peer: Peer) -> Self {
        Self {
            engine,
            command,
            peer,
            session: None,
            widened: None,
            ended: false,
            wants: Wants::All,
            touched: Vec::new(),
            used: Vec::new(),
            unshown: Vec::new(),
        }
    }

    /// Who is signed in, as far as they see.
    pub fn actor(&self) -> Option<Actor> {
        self.widened.as_ref().or(self.session.as_ref()).map(Session::actor)
    }

    /// What its process must have of keys and apps.
    pub const fn wants(&self) -> Wants {
        self.wants
    }

    /// The records the last request changed or named.
    pub fn take_touched(&mut self) -> Vec<RecordKey> {
        std::mem::take(&mut self.touched)
    }

    /// The keys and apps whose use the last request asked to know: it is told as it is now, before the answer.
    pub fn take_used(&mut self) -> Vec<PublicId> {
        std::mem::take(&mut self.used)
    }

    /// Takes back the secrets that the process was given and did not come to show.
    fn take_back(&mut self) {
        for (id, unshown) in self.unshown.drain(..) {
            tracing::warn!(pid = self.peer.pid, %id, "an attached process ended before it showed a secret");
            self.engine.take_back(unshown);
        }
    }

    /// Writes down that a console is gone which did not say so itself.
    fn leave(&mut self) {
        let Some(session) = self.session.take() else { return };
        let signed_in = acting(&self.engine.state(), &session.actor()).is_ok();
        if session.via() == Via::Console && signed_in && !self.ended && self.engine.doubts().is_empty() {
            let said = self.engine.execute(&session, Command::EndSession);
            if let Err(error) = said {
                tracing::warn!(%error, "the end of an attached session was not recorded");
            }
        }
    }

    /// Does it, or says why not.
    pub fn carry_out(&mut self, ask: Ask<'_>) -> Carried {
        if let Request::SignIn { console, with, read_only, wants } = ask.what {
            // Whoever looks only ends without a word, as they came.
            self.ended = read_only;
            self.wants = wants;
            return self.sign_in(console, with, read_only);
        }
        let session = self.session_for(ask.reach)?.clone();
        // Some requests ask no rule of their own.
        acting(&self.engine.state(), &session.actor()).map_err(|refusal| Fault::of(&refusal.into()))?;
        self.answer(&session, ask.what).map_err(|error| Fault::of(&error))
    }

    fn session_for(&self, reach: Reach) -> Result<&Session, Fault> {
        let refused = |text| {
            tracing::warn!(
                pid = self.peer.pid,
                ?reach,
                "an attached process claims more than it was granted"
            );
            Fault::refused("not_granted", text)
        };
        let Some(session) = &self.session else {
            return Err(Fault::usage("not_signed_in", "Sign in first."));
        };
        match (session.actor().access, reach) {
            (Access::Own, Reach::Own) | (Access::Recovery, Reach::Recovery) => Ok(session),
            (Access::Own, Reach::Agency) => {
                let closed = "the whole-agency view is not open in this session. Open it first.";
                self.widened.as_ref().ok_or_else(|| refused(closed))
            }
            _ => Err(refused("this session does not reach that far.")),
        }
    }

    fn sign_in(&mut self, console: bool, with: With<'_>, read_only: bool) -> Carried {
        if self.session.is_some() {
            return Err(Fault::usage("signed_in", "This connection is signed in already."));
        }
        let session = self.try_door(with, via(console), read_only).map_err(|error| Fault::at_door(&error))?;
        let actor = session.actor();
        let reach = Reach::of(actor.access).unwrap_or(Reach::Own);
        self.session = Some(session);
        let engine = &self.engine;
        let own_catalog = engine.catalog().source() != Catalog::builtin().source();
        Ok(Reply::Plain(Answer::Welcome(Box::new(Welcome {
            operator: actor.operator,
            reach,
            command: self.command.to_string(),
            pid: std::process::id(),
            catalog: own_catalog.then(|| engine.catalog().source().to_owned()),
            doubts: engine.doubts().to_vec(),
            health: HealthLine::of(engine, actor),
        }))))
    }

    fn try_door(&self, with: With<'_>, via: Via, read_only: bool) -> Result<Session, OpenError> {
        let admit = |key: &Key<'_>| {
            if read_only {
                self.engine.admit_to_look(key, via, self.peer)
            } else {
                self.engine.admit(key, via, self.peer)
            }
        };
        match with {
            With::Passphrase { name, passphrase } => {
                let passphrase = Passphrase::present(passphrase).map_err(EngineError::from)?;
                admit(&Key::Operator { name, passphrase: &passphrase })
            }
            With::KeyFile { content } => {
                let wrong = || OpenError::Unseal(crate::crypto::CryptoError::WrongSecret);
                admit(&Key::KeyFile(&KeyFileSecret::received(content).ok_or_else(wrong)?))
            }
            With::Recovery { name, code } => {
                let code = RecoveryCode::parse(code).map_err(EngineError::from)?;
                admit(&Key::Recovery { name, code: &code })
            }
        }
    }

    fn answer(&mut self, session: &Session, what: Request<'_>) -> Result<Reply, EngineError> {
        let engine = Arc::clone(&self.engine);
        let plain = |answer| Ok(Reply::Plain(answer));
        match what {
            Request::SignIn { .. } => plain(Answer::Nothing),
            Request::Act { command, brought } => self.act(session, command, brought),
            Request::Ask(question) => {
                if let Question::Called(reference) = question {
                    let now = engine.now().time;
                    self.touched = visible::called(&engine.state(), session.actor(), reference, now);
                }
                let of_uses = matches!(question, Question::Used);
                let finding = engine.ask(session, question)?;
                if of_uses {
                    let since = Timestamp(engine.now().time.0.saturating_sub(LATELY_MS));
                    self.used = visible::used_since(&engine.state(), session.actor(), since);
                }
                plain(self.found(session, finding))
            }
            Request::Verify { presented, wanted } => {
                let decision = (&*engine as &dyn Engine).verify_for(session, presented, &wanted)?;
                plain(self.found(session, Finding::Test(decision)))
            }
            Request::Shown(token) => {
                self.unshown.retain(|(id, _)| *id != token);
                plain(Answer::Nothing)
            }
            Request::Settle => {
                engine.settle()?;
                plain(Answer::Nothing)
            }
        }
    }

    fn act(
        &mut self,
        session: &Session,
        command: Command,
        brought: BroughtLine<'_>,
    ) -> Result<Reply, EngineError> {
        if !matches!(command.spec().asked_by, AskedBy::Operator | AskedBy::Both) {
            return Err(Fault::usage("bad_request", "This cannot be asked for in this way.").into_engine());
        }
        let ends = matches!(command, Command::EndSession);
        let done = take(brought, |brought| self.engine.act(session, command, brought))?;
        self.ended |= ends;
        self.widened = done.session.or(self.widened.take());
        self.touched = done.events.iter().flat_map(Event::records).map(|record| record.key()).collect();
        let events = match self.actor() {
            Some(actor) => visible::events(&self.engine.state(), actor, &done.events),
            None => Vec::new(),
        };
        self.unshown.extend(done.token.as_ref().map(Token::id).zip(done.unshown));
        Ok(Reply::Done { token: done.token, code: done.code, events, left: done.left })
    }

    /// An answer, with whom it recognised: whoever holds the secret of a key may know what it opens, whoever's it is.
    /// Of a sweep only what may be seen is told.
    fn found(&self, session: &Session, mut finding: Finding) -> Answer<'static> {
        let state = self.engine.state();
        let bearer = match &mut finding {
            Finding::Test(decision) => decision.bearer(),
            Finding::Swept(swept) => {
                swept.events = visible::events(&state, session.actor(), &swept.events);
                None
            }
            Finding::Audit(_)
            | Finding::Tried(_)
            | Finding::CheckAudit(_)
            | Finding::Anchor(_)
            | Finding::AuditHash(_)
            | Finding::Doors(_)
            | Finding::History(_)
            | Finding::Copy(_)
            | Finding::Whose(_)
            | Finding::Span(_)
            | Finding::Busy(_)
            | Finding::Tail(_)
            | Finding::Used
            | Finding::Sparks(_)
            | Finding::Called => None,
        };
        let record = bearer.and_then(|bearer| match bearer {
            Bearer::Key(id) => state.key(id).cloned().map(Record::Key),
            Bearer::App(id) => visible::record(&state, session.actor(), RecordKey::App(id)),
        });
        let bearer = record.and_then(|record| visible::row(&record, state.proof()).ok());
        Answer::Found { finding, bearer }
    }
}

/// However the connection ends.
impl Drop for Clerk {
    fn drop(&mut self) {
        self.take_back();
        self.leave();
    }
}

/// Hands to `give` what came with a command.
fn take(
    brought: BroughtLine<'_>,
    give: impl FnOnce(Brought<'_>) -> Result<Done, EngineError>,
) -> Result<Done, EngineError> {
    match brought {
        BroughtLine::Nothing => give(Brought::Nothing),
        BroughtLine::Passphrase(text) => give(Brought::Passphrase(&Passphrase::choose(text)?)),
        BroughtLine::KeyFile(content) => {
            let none = || Fault::usage("bad_request", "That is not the content of a key file.").into_engine();
            give(Brought::KeyFile(&KeyFileSecret::received(content).ok_or_else(none)?))
        }
        BroughtLine::Imported(secret) => give(Brought::Imported(secret)),
        BroughtLine::ImportedSha256(digest) => give(Brought::ImportedSha256(&digest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_attached_has_the_owner_make_a_file_at_a_path_they_name() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["catalog.toml", "a-path-that-is-as-long-as-a-key"] {
            let path = dir.path().join(name);
            for path in [path.as_os_str().as_encoded_bytes(), name.as_bytes()] {
                let outcome = take(BroughtLine::KeyFile(path), |_| Ok(Done::default()));
                // Thirty-two bytes are a key, whatever they spell; no file comes of either.
                assert_eq!(outcome.is_ok(), path.len() == 32);
            }
            assert!(!path.exists() && !std::path::Path::new(name).exists());
        }
    }
}
