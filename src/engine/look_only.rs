//! Looking without leaving a trace: an engine that answers what changes nothing and refuses everything else, whoever
//! owns the store behind it. Not a guard against its operator, who may open the store without it; a promise to them.

use std::sync::{Arc, RwLockReadGuard};

use tokio::sync::broadcast;

use super::{
    Anchor, AuditPage, AuditReport, Brought, Condition, Dial, Done, Doors, Doubt, Engine, EngineError, News,
    Now, Session, Tried,
};
use crate::domain::{Catalog, Command, Decision, KeyId, PublicId, Reason, Role, ScopeId, State};

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

    fn shown(&self, _: PublicId) -> Result<(), EngineError> {
        Err(EngineError::LookOnly)
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.inner.state()
    }

    fn catalog(&self) -> &Catalog {
        self.inner.catalog()
    }

    fn now(&self) -> Now {
        self.inner.now()
    }

    fn clock(&self) -> Dial {
        self.inner.clock()
    }

    fn subscribe(&self) -> broadcast::Receiver<News> {
        self.inner.subscribe()
    }

    /// Decides, and notes no use.
    fn verify(&self, presented: &[u8], wanted: &[ScopeId]) -> Decision {
        self.inner
            .test(&self.session, presented, wanted)
            .unwrap_or_else(|_| Decision::deny(Reason::StoreError, None))
    }

    fn test(&self, session: &Session, presented: &[u8], wanted: &[ScopeId]) -> Result<Decision, EngineError> {
        self.inner.test(session, presented, wanted)
    }

    fn audit(
        &self,
        session: &Session,
        before: Option<u64>,
        limit: usize,
        about: Option<KeyId>,
    ) -> Result<AuditPage, EngineError> {
        if about.is_some() {
            return self.inner.audit(session, before, limit, about);
        }
        let mut all = AuditPage { lines: Vec::new(), next: before };
        loop {
            let mut page =
                self.inner.audit(session, all.next, limit.saturating_sub(all.lines.len()), None)?;
            // The whole trail is read by admins who are noted for it.
            page.lines.retain(|line| line.entry.readable_by(session.actor().operator, Role::Viewer));
            all.lines.append(&mut page.lines);
            all.next = page.next;
            if all.next.is_none() || all.lines.len() >= limit {
                return Ok(all);
            }
        }
    }

    // Who asks after a token is told by the trail, or gets no answer.
    fn tried(&self, _: &Session, _: &[u8]) -> Result<Tried, EngineError> {
        Err(EngineError::LookOnly)
    }

    fn check_audit(&self, session: &Session) -> Result<AuditReport, EngineError> {
        self.inner.check_audit(session)
    }

    fn anchor(&self) -> Result<Anchor, EngineError> {
        self.inner.anchor()
    }

    fn audit_hash(&self, seq: u64) -> Result<Option<String>, EngineError> {
        self.inner.audit_hash(seq)
    }

    fn doors(&self, session: &Session) -> Result<Doors, EngineError> {
        self.inner.doors(session)
    }

    fn condition(&self) -> Condition {
        self.inner.condition()
    }

    fn doubts(&self) -> &[Doubt] {
        self.inner.doubts()
    }

    fn settle(&self) -> Result<(), EngineError> {
        Ok(())
    }
}
