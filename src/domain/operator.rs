//! Operators: the people who sign in, and their roles.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};

use super::{Lockdown, Name, OperatorId, Timestamp};

/// What an operator may do; see [`super::authorize()`]. Ordered: a later role may do all an earlier one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// Sees; issues nothing.
    #[n(0)]
    Viewer,
    /// Issues and manages keys of their own, within policy.
    #[n(1)]
    Manager,
    /// Everything administrative; may open the whole-agency view, which is audited.
    #[n(2)]
    Admin,
}

impl Role {
    /// All roles, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Manager, Self::Admin];

    /// The word people use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|r| r.as_str() == text).ok_or("a role is admin, manager or viewer")
    }
}

/// Whether an operator may sign in, and what becomes of their keys when not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Standing {
    /// May sign in.
    #[n(0)]
    Active,
    /// May not sign in; their keys go on working.
    #[n(1)]
    DisabledKeysWork(#[n(0)] Timestamp),
    /// May not sign in, and none of their keys works.
    #[n(2)]
    DisabledKeysStopped(#[n(0)] Timestamp),
}

impl Standing {
    /// May sign in and act.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Active)
    }

    /// Whether keys this operator owns may work.
    pub const fn keys_work(self) -> bool {
        !matches!(self, Self::DisabledKeysStopped(_))
    }
}

/// A person who signs in. Their passphrase is not here: it opens the slot of the store's header that carries
/// their name.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Operator {
    /// Their id.
    #[n(0)]
    pub id: OperatorId,
    /// Unique among all operators ever, so that the audit trail names one person only.
    #[n(1)]
    pub name: Name,
    /// What they may do.
    #[n(2)]
    pub role: Role,
    /// Whether they may sign in.
    #[n(3)]
    pub standing: Standing,
    /// When they were added.
    #[n(4)]
    pub created_at: Timestamp,
    /// That all they own is refused, or was.
    #[n(5)]
    pub lockdown: Option<Box<Lockdown>>,
}

impl Operator {
    /// Whether keys and apps may be given to them.
    pub fn may_own(&self) -> bool {
        self.standing.is_active() && self.role >= Role::Manager
    }
}
