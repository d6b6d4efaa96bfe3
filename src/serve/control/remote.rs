//! [`Engine`] by asking: each call is one request, but for what the replica holds.

use std::sync::RwLockReadGuard;

use tokio::sync::broadcast;
use zeroize::Zeroizing;

use super::client::{RemoteEngine, reach};
use super::frame;
use super::requests::AUDIT_PAGE;
use super::wire::{Answer, BroughtLine, Reach, Request, Said};
use crate::crypto::recovery::RecoveryCode;
use crate::crypto::token::Token;
use crate::domain::command::Beside;
use crate::domain::{Access, Actor, Catalog, Command, Decision, KeyId, PublicId, Reason, ScopeId, State};
use crate::engine::{
    Anchor, AuditPage, AuditReport, Brought, Class, Condition, Dial, Done, Doors, Doubt, Engine, EngineError,
    News, Now, Session, Tried,
};

/// An answer to something that was not asked.
pub fn unexpected() -> EngineError {
    EngineError::Remote {
        class: Class::Unavailable,
        code: "store_unavailable".into(),
        text: "The process that has the store open gave an answer that cannot be understood. End it and start it again."
            .into(),
    }
}

/// The answer in a frame, given to `read`.
fn open<T>(
    bytes: &[u8],
    read: impl FnOnce(Answer<'_>) -> Option<Result<T, EngineError>>,
) -> Result<T, EngineError> {
    match frame::message(bytes) {
        Some(Said::Answer { answer, .. }) => read(answer).unwrap_or_else(|| Err(unexpected())),
        Some(Said::Refused { fault, .. }) => Err(fault.into_engine()),
        _ => Err(unexpected()),
    }
}

fn nothing(bytes: &[u8]) -> Result<(), EngineError> {
    open(bytes, |answer| matches!(answer, Answer::Nothing).then_some(Ok(())))
}

/// What a command led to, but for what only this process knows of it.
fn done(bytes: &[u8]) -> Result<Done, EngineError> {
    open(bytes, |answer| match answer {
        Answer::Done { token, code, events } => {
            let token = token.map(|text| Token::received(text.as_bytes())).transpose();
            let code = code.map(RecoveryCode::parse).transpose();
            let done = token.and_then(|token| Ok(Done { events, token, code: code?, ..Done::default() }));
            Some(done.map_err(EngineError::from))
        }
        _ => None,
    })
}

/// What a command goes with in the words of the wire.
fn line(brought: Brought<'_>) -> BroughtLine<'_> {
    match brought {
        Brought::Nothing => BroughtLine::Nothing,
        Brought::Passphrase(passphrase) => BroughtLine::Passphrase(passphrase.expose()),
        Brought::KeyFile(content) => BroughtLine::KeyFile(content.expose()),
        Brought::Imported(secret) => BroughtLine::Imported(secret),
    }
}

impl RemoteEngine {
    fn ask(&self, session: &Session, what: Request<'_>) -> Result<Zeroizing<Vec<u8>>, EngineError> {
        self.line.ask(reach(session.actor().access)?, what)
    }

    /// For what does not depend on who asks. A session for a new passphrase only is refused it by the owner.
    fn ask_plainly(&self, what: Request<'_>) -> Result<Zeroizing<Vec<u8>>, EngineError> {
        self.line.ask(self.line.base(), what)
    }

    /// The key that comes with an answer is learnt: whoever holds the secret may know what it opens.
    fn verdict(&self, bytes: &[u8]) -> Result<Decision, EngineError> {
        open(bytes, |answer| match answer {
            Answer::Verdict { decision, key } => {
                let learnt = key.as_ref().map_or(Ok(()), |row| self.replica.learn(row));
                Some(learnt.map(|()| decision.into()).map_err(|_| unexpected()))
            }
            _ => None,
        })
    }
}

impl Engine for RemoteEngine {
    fn act(&self, session: &Session, command: Command, brought: Brought<'_>) -> Result<Done, EngineError> {
        let access = session.actor().access;
        let widens = command.spec().beside == Beside::Session;
        // The whole view is opened from one's own, again too.
        let from = if widens && access == Access::Agency { Reach::Own } else { reach(access)? };
        let what = Request::Act { command, brought: line(brought) };
        let done = done(&self.line.ask(from, what)?)?;
        let actor = Actor { access: Access::Agency, ..session.actor() };
        Ok(Done { session: widens.then(|| Session::stand_in(actor, session.via())), ..done })
    }

    fn shown(&self, token: PublicId) -> Result<(), EngineError> {
        self.line.tell(self.line.base(), Request::Shown(token))
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.replica.state()
    }

    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn now(&self) -> Now {
        self.replica.time.now()
    }

    fn clock(&self) -> Dial {
        self.replica.time.dial()
    }

    fn subscribe(&self) -> broadcast::Receiver<News> {
        let news = self.replica.subscribe();
        // What was told before anybody listened.
        if let Some(why) = self.line.gone() {
            self.replica.tell(News::Gone(why));
        }
        news
    }

    fn verify(&self, presented: &[u8], wanted: &[ScopeId]) -> Decision {
        let asked = self.ask_plainly(Request::Verify { presented, wanted: wanted.to_vec(), counts: true });
        asked.and_then(|bytes| self.verdict(&bytes)).unwrap_or_else(|error| {
            tracing::warn!(%error, "a token could not be verified");
            Decision::deny(Reason::StoreError, None)
        })
    }

    fn test(&self, session: &Session, presented: &[u8], wanted: &[ScopeId]) -> Result<Decision, EngineError> {
        let what = Request::Verify { presented, wanted: wanted.to_vec(), counts: false };
        self.verdict(&self.ask(session, what)?)
    }

    fn audit(
        &self,
        session: &Session,
        before: Option<u64>,
        limit: usize,
        about: Option<KeyId>,
    ) -> Result<AuditPage, EngineError> {
        let mut page = AuditPage::default();
        let mut before = before;
        loop {
            let wanted = u32::try_from(limit - page.lines.len()).unwrap_or(u32::MAX).min(AUDIT_PAGE);
            let bytes = self.ask(session, Request::Audit { before, limit: wanted, about })?;
            let part: AuditPage = open(&bytes, |answer| match answer {
                Answer::Audit(line) => Some(Ok(line.into())),
                _ => None,
            })?;
            page.lines.extend(part.lines);
            page.next = part.next;
            if page.next.is_none() || page.lines.len() >= limit {
                return Ok(page);
            }
            before = page.next;
        }
    }

    fn tried(&self, session: &Session, presented: &[u8]) -> Result<Tried, EngineError> {
        open(&self.ask(session, Request::Tried(presented))?, |answer| match answer {
            Answer::Tried(tried) => Some(Ok(*tried)),
            _ => None,
        })
    }

    fn check_audit(&self, session: &Session) -> Result<AuditReport, EngineError> {
        open(&self.ask(session, Request::CheckAudit)?, |answer| match answer {
            Answer::Report(line) => Some(Ok(line.into())),
            _ => None,
        })
    }

    fn anchor(&self) -> Result<Anchor, EngineError> {
        open(&self.ask_plainly(Request::Anchor)?, |answer| match answer {
            Answer::Line(line) => Anchor::parse(&line).map(Ok),
            _ => None,
        })
    }

    fn audit_hash(&self, seq: u64) -> Result<Option<String>, EngineError> {
        open(&self.ask_plainly(Request::AuditHash(seq))?, |answer| match answer {
            Answer::Hash(hash) => Some(Ok(hash)),
            _ => None,
        })
    }

    fn doors(&self, session: &Session) -> Result<Doors, EngineError> {
        open(&self.ask(session, Request::Doors)?, |answer| match answer {
            Answer::Doors(line) => Some(Ok(line.into())),
            _ => None,
        })
    }

    fn condition(&self) -> Condition {
        self.replica.condition()
    }

    fn doubts(&self) -> &[Doubt] {
        &self.doubts
    }

    fn settle(&self) -> Result<(), EngineError> {
        nothing(&self.ask_plainly(Request::Settle)?)
    }
}
