//! What an operator asks for, and what the shell knows when it asks. Owner, role and time are never part of a
//! command: they come from the session and the clock, so no request can claim them.

use super::{
    Actor, Catalog, Expiry, KeyId, LocationId, Name, Note, OperatorId, Place, PublicId, Role, Timestamp,
    Verifier,
};

/// A request to change something, or to do something that is audited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Found the store: its agency and first admin. Only on an empty store.
    Found {
        /// The agency's name.
        agency: Name,
        /// The first operator's name.
        operator: Name,
    },
    /// Sign in; carries what happened at the door before.
    StartSession {
        /// Failed attempts to unseal since the last successful one.
        failed_attempts: u32,
    },
    /// Sign out.
    EndSession,
    /// Open the whole-agency view.
    OpenAgencyView,
    /// Read the whole audit trail.
    ReadAudit,
    /// Export the whole audit trail.
    ExportAudit,
    /// Add an operator.
    AddOperator {
        /// Unique among operators.
        name: Name,
        /// What they may do.
        role: Role,
    },
    /// Change what an operator may do.
    SetRole {
        /// Whose role.
        operator: OperatorId,
        /// The new role.
        role: Role,
    },
    /// Replace the passphrase or key file an operator signs in with.
    SetSecret(OperatorId),
    /// Replace the recovery code; written when a used or lost one is renewed.
    ReplaceRecovery,
    /// End an operator's access.
    DisableOperator {
        /// Whose access.
        operator: OperatorId,
        /// What becomes of their keys: an explicit choice.
        keys: KeysAfter,
    },
    /// Give an operator access again; their passphrase is new.
    EnableOperator(OperatorId),
    /// Add locations, up to [`MAX_LOCATIONS_AT_ONCE`].
    AddLocations(Vec<Name>),
    /// Rename a location.
    RenameLocation {
        /// Which.
        location: LocationId,
        /// Its new name.
        name: Name,
    },
    /// Remove a location; all its keys are refused from then on.
    RemoveLocation {
        /// Which.
        location: LocationId,
    },
    /// Issue a key; its token is minted and in the context.
    IssueKey(NewKey),
    /// Stop a key for a while.
    PauseKey(KeyId),
    /// Let a paused key work again.
    ResumeKey(KeyId),
    /// Stop a key for good.
    RevokeKey(KeyId),
    /// Revoke a key and remove it from sight.
    DeleteKey(KeyId),
    /// Bring a deleted record back, as revoked.
    RestoreKey(KeyId),
    /// Change what a key may do.
    RescopeKey {
        /// Which.
        key: KeyId,
        /// All it may do from now on, as they were chosen or typed.
        scopes: Vec<String>,
    },
    /// Change one rule of the policy.
    SetPolicy {
        /// The rule.
        name: String,
        /// Its new value.
        value: String,
    },
}

/// What a new key shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Unique among the owner's live keys.
    pub name: Name,
    /// Agency or which location.
    pub place: Place,
    /// What it may do, as it was chosen or typed; checked against the catalog.
    pub scopes: Vec<String>,
    /// When it stops working; `None` takes the policy's default.
    pub expiry: Option<Expiry>,
    /// What it is for.
    pub note: Note,
}

/// What becomes of the keys of an operator who leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysAfter {
    /// They go on working.
    Work,
    /// None works until the operator is enabled or the keys are given to somebody.
    Stop,
    /// They become another operator's, and work.
    GiveTo(OperatorId),
}

/// Locations one command may add: their records must fit one commit.
pub const MAX_LOCATIONS_AT_ONCE: usize = 64;

/// A token that was just drawn: its public id and what recognises it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minted {
    /// Its public id.
    pub id: KeyId,
    /// What recognises it.
    pub verifier: Verifier,
}

/// All that `decide` may know besides the state and the command.
pub struct Context<'a> {
    /// Who asks.
    pub actor: Actor,
    /// When.
    pub now: Timestamp,
    /// The scopes that exist.
    pub catalog: &'a Catalog,
    /// Fresh random ids for new operators and locations.
    pub ids: &'a [PublicId],
    /// The token of a key about to be issued.
    pub minted: Option<Minted>,
}

impl Command {
    /// Its name in the audit trail.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Found { .. } => "store.found",
            Self::StartSession { .. } => "session.start",
            Self::EndSession => "session.end",
            Self::OpenAgencyView => "view.agency",
            Self::ReadAudit => "audit.read",
            Self::ExportAudit => "audit.export",
            Self::AddOperator { .. } => "operator.add",
            Self::SetRole { .. } => "operator.role",
            Self::SetSecret(_) => "operator.passphrase",
            Self::ReplaceRecovery => "recovery.renew",
            Self::DisableOperator { .. } => "operator.disable",
            Self::EnableOperator(_) => "operator.enable",
            Self::AddLocations(_) => "location.add",
            Self::RenameLocation { .. } => "location.rename",
            Self::RemoveLocation { .. } => "location.remove",
            Self::IssueKey(_) => "key.issue",
            Self::PauseKey(_) => "key.pause",
            Self::ResumeKey(_) => "key.resume",
            Self::RevokeKey(_) => "key.revoke",
            Self::DeleteKey(_) => "key.delete",
            Self::RestoreKey(_) => "key.restore",
            Self::RescopeKey { .. } => "key.rescope",
            Self::SetPolicy { .. } => "policy.set",
        }
    }

    /// The key it is about, if it is about one that exists.
    pub const fn key(&self) -> Option<KeyId> {
        match self {
            Self::PauseKey(id)
            | Self::ResumeKey(id)
            | Self::RevokeKey(id)
            | Self::DeleteKey(id)
            | Self::RestoreKey(id)
            | Self::RescopeKey { key: id, .. } => Some(*id),
            _ => None,
        }
    }

    /// Whether it takes access away. Such a command is in force in memory even when the disk fails.
    pub const fn denies(&self) -> bool {
        matches!(
            self,
            Self::PauseKey(_)
                | Self::RevokeKey(_)
                | Self::DeleteKey(_)
                | Self::RemoveLocation { .. }
                | Self::DisableOperator { .. }
                | Self::SetRole { .. }
                | Self::RescopeKey { .. }
        )
    }
}
