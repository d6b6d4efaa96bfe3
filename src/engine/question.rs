//! What can be asked about a store beside what its state shows: one list for whoever owns it, for whoever only looks, and
//! for the socket between two processes. A question that is added does not compile until each of them has an answer.

use minicbor::{Decode, Encode};

use super::audit_log::{Anchor, AuditPage, AuditReport, Span};
use super::backup::{Part, Want};
use super::doors::Doors;
use super::sweep::{Sweeping, Swept};
use super::tried::Tried;
use super::whose::Whose;
use super::{Engine, EngineError, Session};
use crate::domain::blast::many::Busy;
use crate::domain::history::Picture;
use crate::domain::history::spark::Spark;
use crate::domain::tail::{Tail, Watched};
use crate::domain::{Audience, Bearer, Decision, KeyId, ScopeId};

/// What is asked; whoever asks is beside it.
#[derive(Encode, Decode)]
pub enum Question<'q> {
    /// Entries of the trail. The answer may hold fewer than there are; it says where to go on.
    #[n(0)]
    Audit {
        /// Older than this.
        #[n(0)]
        before: Option<u64>,
        /// At most.
        #[n(1)]
        limit: usize,
        /// About this key.
        #[n(2)]
        about: Option<KeyId>,
    },
    /// Whether a text was ever presented.
    #[n(1)]
    Tried(#[cbor(b(0), with = "minicbor::bytes")] &'q [u8]),
    /// Whether the whole chain agrees with the state.
    #[n(2)]
    CheckAudit,
    /// The newest entry, as a line.
    #[n(3)]
    Anchor,
    /// The hash of the entry with this number.
    #[n(4)]
    AuditHash(#[n(0)] u64),
    /// What opens the store.
    #[n(5)]
    Doors,
    /// What would be decided about a presented token.
    #[n(6)]
    Test {
        /// What somebody presented.
        #[cbor(b(0), with = "minicbor::bytes")]
        presented: &'q [u8],
        /// The scopes needed.
        #[n(1)]
        wanted: Vec<ScopeId>,
    },
    /// That the state hold what a typed reference may mean.
    #[n(7)]
    Called(#[b(0)] &'q str),
    /// What time brings, done or told.
    #[n(8)]
    Sweep(#[n(0)] Sweeping),
    /// How a key or an app was used.
    #[n(9)]
    History(#[n(0)] Bearer),
    /// A part of a copy of the whole store.
    #[n(10)]
    Copy(#[n(0)] Want),
    /// Whose a secret is.
    #[n(11)]
    Whose(#[cbor(b(0), with = "minicbor::bytes")] &'q [u8]),
    /// What arrived since that was asked last; nothing any more.
    #[n(12)]
    Tail(#[n(0)] Option<Watched>),
    /// How the keys in sight were used in the last days.
    #[n(13)]
    Sparks(#[n(0)] Vec<KeyId>),
    /// That the state know what was used until now.
    #[n(14)]
    Used,
    /// How many requests many together had of late.
    #[n(15)]
    Busy(#[n(0)] Vec<Bearer>),
    /// Which entries of the trail are in the store, and where older ones are.
    #[n(21)]
    Span,
}

/// What was found: for each question its own.
#[derive(Encode, Decode)]
#[cbor(context_bound = "Audience")]
pub enum Finding {
    /// Entries of the trail.
    #[n(0)]
    Audit(#[n(0)] AuditPage),
    /// What is known of a presented text.
    #[n(1)]
    Tried(#[n(0)] Box<Tried>),
    /// How the trail stands.
    #[n(2)]
    CheckAudit(#[n(0)] AuditReport),
    /// The newest entry.
    #[n(3)]
    Anchor(#[n(0)] Anchor),
    /// The hash of an entry, if there is one.
    #[n(4)]
    AuditHash(#[n(0)] Option<String>),
    /// What opens the store.
    #[n(5)]
    Doors(#[n(0)] Doors),
    /// About a presented token.
    #[n(6)]
    Test(#[n(0)] Decision),
    /// The state holds them.
    #[n(7)]
    Called,
    /// What a sweep did or would do.
    #[n(8)]
    Swept(#[n(0)] Box<Swept>),
    /// How a key or an app was used.
    #[n(9)]
    History(#[n(0)] Box<Picture>),
    /// A part of a copy.
    #[n(10)]
    Copy(#[n(0)] Box<Part>),
    /// Whose a secret is.
    #[n(11)]
    Whose(#[n(0)] Whose),
    /// What arrived, while somebody watches.
    #[n(12)]
    Tail(#[n(0)] Option<Tail>),
    /// How keys were used, those of them that are in view.
    #[n(13)]
    Sparks(#[n(0)] Vec<Spark>),
    /// The state knows it.
    #[n(14)]
    Used,
    /// How many requests many together had.
    #[n(15)]
    Busy(#[n(0)] Box<Busy>),
    /// From where to where the trail goes.
    #[n(21)]
    Span(#[n(0)] Span),
}

/// What was found, if it answers what was asked.
macro_rules! found {
    ($asked:expr, $kind:path) => {
        match $asked? {
            $kind(found) => Ok(found),
            _ => Err(EngineError::unexpected()),
        }
    };
}

impl dyn Engine + '_ {
    /// Decides as [`Engine::verify`] would, for somebody who wants to know why, and notes no use. Whom the decision
    /// recognised is told by id only: name it through a view, which knows what the session may see.
    pub fn test(
        &self,
        session: &Session,
        presented: &[u8],
        wanted: &[ScopeId],
    ) -> Result<Decision, EngineError> {
        found!(self.ask(session, Question::Test { presented, wanted: wanted.to_vec() }), Finding::Test)
    }

    /// Decides as [`Engine::verify`] does, and tells of a refusal what the session may hear.
    pub fn verify_for(
        &self,
        session: &Session,
        presented: &[u8],
        wanted: &[ScopeId],
    ) -> Result<Decision, EngineError> {
        let decision = self.verify(presented, wanted);
        if decision.is_allow() { Ok(decision) } else { self.test(session, presented, wanted) }
    }

    /// Entries of the audit trail the session may read, newest first: at most `limit`, older than `before`.
    /// With `about`, only those about that key.
    pub fn audit(
        &self,
        session: &Session,
        before: Option<u64>,
        limit: usize,
        about: Option<KeyId>,
    ) -> Result<AuditPage, EngineError> {
        let mut all = AuditPage { next: before, ..AuditPage::default() };
        loop {
            let more = limit.saturating_sub(all.lines.len());
            let question = Question::Audit { before: all.next, limit: more, about };
            let page = found!(self.ask(session, question), Finding::Audit)?;
            all.lines.extend(page.lines);
            (all.next, all.older) = (page.next, page.older);
            if all.next.is_none() || all.lines.len() >= limit {
                return Ok(all);
            }
        }
    }

    /// Whether a text was ever presented here, when and where from. For admins; the trail says that it was asked.
    pub fn tried(&self, session: &Session, presented: &[u8]) -> Result<Tried, EngineError> {
        found!(self.ask(session, Question::Tried(presented)), Finding::Tried).map(|tried| *tried)
    }

    /// Checks the whole chain against the state.
    pub fn check_audit(&self, session: &Session) -> Result<AuditReport, EngineError> {
        found!(self.ask(session, Question::CheckAudit), Finding::CheckAudit)
    }

    /// The newest entry of the trail as a line to keep elsewhere.
    pub fn anchor(&self, session: &Session) -> Result<Anchor, EngineError> {
        found!(self.ask(session, Question::Anchor), Finding::Anchor)
    }

    /// The hash of one entry, hex, if the trail has it.
    pub fn audit_hash(&self, session: &Session, seq: u64) -> Result<Option<String>, EngineError> {
        found!(self.ask(session, Question::AuditHash(seq)), Finding::AuditHash)
    }

    /// Which entries of the trail are in the store, and where older ones are.
    pub fn span(&self, session: &Session) -> Result<Span, EngineError> {
        found!(self.ask(session, Question::Span), Finding::Span)
    }

    /// Where the store lies and what opens it: all slots for an admin, for the others their own and the
    /// recovery slot.
    pub fn doors(&self, session: &Session) -> Result<Doors, EngineError> {
        found!(self.ask(session, Question::Doors), Finding::Doors)
    }

    /// Has the state hold the keys and apps that a typed reference may mean, for whoever was not sent all of them.
    pub fn look_up(&self, session: &Session, reference: &str) -> Result<(), EngineError> {
        self.ask(session, Question::Called(reference)).map(drop)
    }

    /// Has the state know what was used until now, for whoever is about to say what would stop: it hears of uses a little
    /// later otherwise.
    pub fn know_uses(&self, session: &Session) -> Result<(), EngineError> {
        self.ask(session, Question::Used).map(drop)
    }

    /// Does what time brings, or says what it would: for any operator, since nobody but the rules decides it.
    pub fn sweep(&self, session: &Session, how: Sweeping) -> Result<Swept, EngineError> {
        found!(self.ask(session, Question::Sweep(how)), Finding::Swept).map(|swept| *swept)
    }

    /// How a key or an app was used: by the hour and the day, by whom, what for. Reads the disk.
    pub fn history(&self, session: &Session, about: Bearer) -> Result<Picture, EngineError> {
        found!(self.ask(session, Question::History(about)), Finding::History).map(|picture| *picture)
    }

    /// How many requests many keys and apps had within the last 24 hours, each counted alone. Reads the disk.
    pub fn busy(&self, session: &Session, about: &[Bearer]) -> Result<Busy, EngineError> {
        let mut all = Busy::default();
        for some in about.chunks(Busy::MOST) {
            all.join(*found!(self.ask(session, Question::Busy(some.to_vec())), Finding::Busy)?);
        }
        Ok(all)
    }

    /// How keys were used in the last days, [`crate::domain::history::spark::MOST`] at most: those in view. Reads the disk.
    pub fn sparks(&self, session: &Session, keys: Vec<KeyId>) -> Result<Vec<Spark>, EngineError> {
        found!(self.ask(session, Question::Sparks(keys)), Finding::Sparks)
    }

    /// A part of a copy of the whole store, as it lies; for admins, and the trail tells that it was begun. See [`super::backup`].
    pub fn copy(&self, session: &Session, want: Want) -> Result<Part, EngineError> {
        found!(self.ask(session, Question::Copy(want)), Finding::Copy).map(|part| *part)
    }

    /// Whose a secret is that was found somewhere, and whether it works: a key's, an app's, or a recovery code. No use is
    /// noted, and the trail says nothing of it.
    pub fn whose(&self, session: &Session, presented: &[u8]) -> Result<Whose, EngineError> {
        found!(self.ask(session, Question::Whose(presented)), Finding::Whose)
    }
    /// Requests about `watched` that arrived since that was asked last, as they are decided in the process that has the store.
    /// The first time none: watching begins with it, and ends when nobody asks for five seconds. Who watches something else,
    /// or less than before, begins anew.
    pub fn tail(&self, session: &Session, watched: Watched) -> Result<Tail, EngineError> {
        let tail = found!(self.ask(session, Question::Tail(Some(watched))), Finding::Tail)?;
        tail.ok_or_else(EngineError::unexpected)
    }

    /// Ends watching now.
    pub fn stop_watching(&self, session: &Session) -> Result<(), EngineError> {
        self.ask(session, Question::Tail(None)).map(drop)
    }
}
