//! Looking without leaving a trace: an engine that answers what changes nothing and refuses everything else, whoever
//! owns the store behind it. Not a guard against its operator, who may open the store without it; a promise to them.

use std::sync::Arc;

use tokio::sync::broadcast;

use super::{
    Brought, Condition, Done, Engine, EngineError, Finding, News, Question, Session, Snapshot, Sweeping,
};
use crate::domain::{Command, Decision, PublicId, Reason, Role, ScopeId};

/// An engine that changes nothing.
pub struct LookOnly {
    inner: Arc<dyn Engine>,
    /// Who looks.
    session: Session,
}

impl LookOnly {
    /// Looks at `inner` for `session`.
    pub fn over(inner: Arc<dyn Engine>, session: &Session) -> Arc<dyn Engine> {
        Arc::new(Self { inner, session: session.clone() })
    }
}

/// Every method is written out: one that is added later does not compile until somebody has said what it is here.
impl Engine for LookOnly {
    fn act(&self, _: &Session, command: Command, _: Brought<'_>) -> Result<Done, EngineError> {
        // Who came without a word leaves without one; and what would be told of who reads the trail is not read here.
        if command == Command::EndSession || command == Command::ReadAudit {
            return Ok(Done::default());
        }
        Err(EngineError::LookOnly)
    }

    fn ask(&self, session: &Session, question: Question<'_>) -> Result<Finding, EngineError> {
        use Question as Q;
        let whole_trail = match question {
            // Who asks after a token or copies the store is told by the trail, or gets no answer.
            Q::Tried(_) | Q::Copy(_) | Q::Sweep(Sweeping::Do) => return Err(EngineError::LookOnly),
            Q::Audit { about, .. } => about.is_none(),
            Q::CheckAudit
            | Q::Anchor
            | Q::AuditHash(_)
            | Q::Doors
            | Q::Span
            | Q::Test { .. }
            | Q::Called(_)
            | Q::Whose(_)
            | Q::History(_)
            | Q::Busy(_)
            | Q::Tail(_)
            | Q::Used
            | Q::Sparks(_)
            | Q::Sweep(Sweeping::Tell) => false,
        };
        let mut finding = self.inner.ask(session, question)?;
        if let Finding::Audit(page) = &mut finding
            && whole_trail
        {
            // The whole trail is read by admins who are noted for it.
            page.lines.retain(|line| line.entry.readable_by(session.actor().operator, Role::Viewer));
        }
        Ok(finding)
    }

    /// Decides, and notes no use.
    fn verify(&self, presented: &[u8], wanted: &[ScopeId]) -> Decision {
        self.inner
            .test(&self.session, presented, wanted)
            .unwrap_or_else(|_| Decision::deny(Reason::StoreError, None))
    }

    fn snapshot(&self) -> Snapshot<'_> {
        self.inner.snapshot()
    }

    fn subscribe(&self) -> broadcast::Receiver<News> {
        self.inner.subscribe()
    }

    fn condition(&self) -> Condition {
        self.inner.condition()
    }

    fn shown(&self, _: PublicId) -> Result<(), EngineError> {
        Err(EngineError::LookOnly)
    }

    fn settle(&self) -> Result<(), EngineError> {
        Ok(())
    }
}
