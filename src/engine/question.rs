//! What can be asked about a store beside what its state shows: one list for whoever owns it, for whoever only looks, and
//! for the socket between two processes. A question that is added does not compile until each of them has an answer.

use minicbor::{Decode, Encode};

use super::audit_log::{Anchor, AuditPage, AuditReport};
use super::doors::Doors;
use super::tried::Tried;
use crate::domain::{Decision, KeyId, ScopeId};

/// What is asked; whoever asks is beside it.
#[derive(Encode, Decode)]
pub enum Question<'q> {
    /// [`super::Engine::audit`]. The answer may hold fewer entries than there are; it says where to go on.
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
    /// [`super::Engine::tried`].
    #[n(1)]
    Tried(#[cbor(b(0), with = "minicbor::bytes")] &'q [u8]),
    /// [`super::Engine::check_audit`].
    #[n(2)]
    CheckAudit,
    /// [`super::Engine::anchor`].
    #[n(3)]
    Anchor,
    /// [`super::Engine::audit_hash`].
    #[n(4)]
    AuditHash(#[n(0)] u64),
    /// [`super::Engine::doors`].
    #[n(5)]
    Doors,
    /// [`super::Engine::test`].
    #[n(6)]
    Test {
        /// What somebody presented.
        #[cbor(b(0), with = "minicbor::bytes")]
        presented: &'q [u8],
        /// The scopes needed.
        #[n(1)]
        wanted: Vec<ScopeId>,
    },
    /// [`super::Engine::look_up`].
    #[n(7)]
    Called(#[b(0)] &'q str),
}

/// What was found: for each question its own.
#[derive(Encode, Decode)]
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
}
