//! [`Engine`] by asking: each call is one request, but for what the replica holds.

use tokio::sync::broadcast;
use zeroize::Zeroizing;

use super::client::RemoteEngine;
use super::frame;
use super::wire::{Answer, BroughtLine, Reach, Request, Said};
use crate::crypto::recovery::RecoveryCode;
use crate::crypto::token::Token;
use crate::domain::command::Beside;
use crate::domain::{Access, Actor, Command, Decision, PublicId, Reason, ScopeId};
use crate::engine::{
    Brought, Condition, Done, Engine, EngineError, Finding, News, Question, Session, Snapshot,
};

/// The answer in a frame, given to `read`.
fn open<T>(
    bytes: &[u8],
    read: impl FnOnce(Answer<'_>) -> Option<Result<T, EngineError>>,
) -> Result<T, EngineError> {
    match frame::message(bytes) {
        Some(Said::Answer { answer, .. }) => read(answer).unwrap_or_else(|| Err(EngineError::unexpected())),
        Some(Said::Refused { fault, .. }) => Err(fault.into_engine()),
        _ => Err(EngineError::unexpected()),
    }
}

fn nothing(bytes: &[u8]) -> Result<(), EngineError> {
    open(bytes, |answer| matches!(answer, Answer::Nothing).then_some(Ok(())))
}

/// What a command led to, but for what only this process knows of it.
fn done(bytes: &[u8]) -> Result<Done, EngineError> {
    open(bytes, |answer| match answer {
        Answer::Done { token, code, events, left } => {
            let token = token.map(|text| Token::received(text.as_bytes())).transpose();
            let code = code.map(RecoveryCode::parse).transpose();
            let done =
                token.and_then(|token| Ok(Done { events, token, code: code?, left, ..Done::default() }));
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
        Brought::ImportedSha256(digest) => BroughtLine::ImportedSha256(*digest),
    }
}

impl RemoteEngine {
    /// For what does not depend on who asks. A session for a new passphrase only is refused it by the owner.
    fn ask_plainly(&self, what: Request<'_>) -> Result<Zeroizing<Vec<u8>>, EngineError> {
        self.line.ask(self.line.base(), what)
    }

    /// What was found. Whom it is about is learnt, for it may be nobody the operator sees.
    fn found(&self, bytes: &[u8]) -> Result<Finding, EngineError> {
        open(bytes, |answer| match answer {
            Answer::Found { finding, bearer } => {
                let learnt = bearer.as_ref().map_or(Ok(()), |row| self.replica.learn(row));
                Some(learnt.map(|()| finding).map_err(|_| EngineError::unexpected()))
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
        let from = if widens && access == Access::Agency { Reach::Own } else { Reach::of(access)? };
        let what = Request::Act { command, brought: line(brought) };
        let done = done(&self.line.ask(from, what)?)?;
        let actor = Actor { access: Access::Agency, ..session.actor() };
        Ok(Done { session: widens.then(|| Session::stand_in(actor, session.via())), ..done })
    }

    fn ask(&self, session: &Session, question: Question<'_>) -> Result<Finding, EngineError> {
        self.found(&self.line.ask(Reach::of(session.actor().access)?, Request::Ask(question))?)
    }

    fn verify(&self, presented: &[u8], wanted: &[ScopeId]) -> Decision {
        let asked = self.ask_plainly(Request::Verify { presented, wanted: wanted.to_vec() });
        match asked.and_then(|bytes| self.found(&bytes)) {
            Ok(Finding::Test(decision)) => decision,
            answer => {
                let error = answer.err().unwrap_or_else(EngineError::unexpected);
                tracing::warn!(%error, "a token could not be verified");
                Decision::deny(Reason::StoreError, None)
            }
        }
    }

    fn snapshot(&self) -> Snapshot<'_> {
        let Self { replica, catalog, doubts, .. } = self;
        Snapshot { state: replica.state(), catalog, doubts, time: &replica.time }
    }

    fn subscribe(&self) -> broadcast::Receiver<News> {
        let news = self.replica.subscribe();
        // What was told before anybody listened.
        if let Some(why) = self.line.gone() {
            self.replica.tell(News::Gone(why));
        }
        news
    }

    fn condition(&self) -> Condition {
        self.replica.condition()
    }

    fn shown(&self, token: PublicId) -> Result<(), EngineError> {
        self.line.tell(self.line.base(), Request::Shown(token))
    }

    fn settle(&self) -> Result<(), EngineError> {
        nothing(&self.ask_plainly(Request::Settle)?)
    }
}
