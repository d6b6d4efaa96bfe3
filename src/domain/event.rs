//! What happened. An event carries the whole new records, so applying it is putting them, and what is written
//! to disk is what is held in memory.

use super::{Agency, Key, Location, Operator, Policy, Record, Role, Scopes};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The store was founded.
    AgencyFounded(Agency, Policy),
    /// An operator signed in; failed attempts since the last time.
    SessionStarted(u32),
    /// An operator signed out.
    SessionEnded,
    /// An admin looked at the whole agency.
    AgencyViewOpened,
    /// The whole trail was read.
    AuditRead,
    /// The whole trail was exported.
    AuditExported,
    /// A new operator.
    OperatorAdded(Operator),
    /// A new role; the old one beside it.
    RoleSet(Operator, Role),
    /// A new passphrase or key file.
    SecretSet(Operator),
    /// A new recovery code.
    RecoveryRenewed,
    /// Access ended.
    OperatorDisabled(Operator),
    /// Access given again.
    OperatorEnabled(Operator),
    /// A key changed owner.
    KeyGiven(Key, Operator),
    /// New location.
    LocationAdded(Location),
    /// New name; the old one beside it.
    LocationRenamed(Location, super::Name),
    /// Removed.
    LocationRemoved(Location),
    /// A new key.
    KeyIssued(Key),
    /// Stopped for a while.
    KeyPaused(Key),
    /// Works again.
    KeyResumed(Key),
    /// Stopped for good.
    KeyRevoked(Key),
    /// Gone from sight.
    KeyDeleted(Key),
    /// The record is back, revoked.
    KeyRestored(Key),
    /// New scopes; the old ones beside it.
    KeyRescoped(Key, Scopes),
    /// A rule changed: the whole policy, the rule, old and new value.
    PolicySet(Policy, &'static str, String, String),
}

/// What an event is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// The store as a whole.
    Store,
    /// An operator.
    Operator(&'a Operator),
    /// A location.
    Location(&'a Location),
    /// A key.
    Key(&'a Key),
}

/// One field that changed, for the audit trail. Never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The field.
    pub field: &'static str,
    /// Before.
    pub from: String,
    /// After.
    pub to: String,
}

impl Event {
    /// The records it writes.
    pub fn records(&self) -> Vec<Record> {
        match self {
            Self::AgencyFounded(agency, policy) => {
                vec![Record::Agency(agency.clone()), Record::Policy(policy.clone())]
            }
            Self::SessionStarted(_)
            | Self::SessionEnded
            | Self::AgencyViewOpened
            | Self::AuditRead
            | Self::AuditExported
            | Self::RecoveryRenewed => Vec::new(),
            Self::OperatorAdded(o)
            | Self::RoleSet(o, _)
            | Self::SecretSet(o)
            | Self::OperatorDisabled(o)
            | Self::OperatorEnabled(o) => vec![Record::Operator(o.clone())],
            Self::LocationAdded(l) | Self::LocationRenamed(l, _) | Self::LocationRemoved(l) => {
                vec![Record::Location(l.clone())]
            }
            Self::KeyIssued(k)
            | Self::KeyGiven(k, _)
            | Self::KeyPaused(k)
            | Self::KeyResumed(k)
            | Self::KeyRevoked(k)
            | Self::KeyDeleted(k)
            | Self::KeyRestored(k)
            | Self::KeyRescoped(k, _) => vec![Record::Key(k.clone())],
            Self::PolicySet(policy, ..) => vec![Record::Policy(policy.clone())],
        }
    }

    /// What it is about.
    pub const fn subject(&self) -> Subject<'_> {
        match self {
            Self::OperatorAdded(o)
            | Self::RoleSet(o, _)
            | Self::SecretSet(o)
            | Self::OperatorDisabled(o)
            | Self::OperatorEnabled(o) => Subject::Operator(o),
            Self::LocationAdded(l) | Self::LocationRenamed(l, _) | Self::LocationRemoved(l) => {
                Subject::Location(l)
            }
            Self::KeyIssued(k)
            | Self::KeyGiven(k, _)
            | Self::KeyPaused(k)
            | Self::KeyResumed(k)
            | Self::KeyRevoked(k)
            | Self::KeyDeleted(k)
            | Self::KeyRestored(k)
            | Self::KeyRescoped(k, _) => Subject::Key(k),
            _ => Subject::Store,
        }
    }

    /// The fields that changed.
    pub fn changes(&self) -> Vec<Change> {
        let one = |field, from: String, to: String| vec![Change { field, from, to }];
        match self {
            Self::RoleSet(o, before) => one("role", before.to_string(), o.role.to_string()),
            Self::OperatorAdded(o) => one("role", String::new(), o.role.to_string()),
            Self::OperatorDisabled(o) => {
                let keys = if o.standing.keys_work() { "keys work" } else { "keys stopped" };
                one("standing", "active".into(), format!("disabled, {keys}"))
            }
            Self::OperatorEnabled(_) => one("standing", "disabled".into(), "active".into()),
            Self::KeyGiven(_, to) => one("owner", String::new(), to.name.to_string()),
            Self::LocationRenamed(l, before) => one("name", before.to_string(), l.name.to_string()),
            Self::KeyIssued(k) => {
                let mut all = one("scopes", String::new(), k.scopes.to_string());
                all.extend(one("expires", String::new(), k.expiry.to_string()));
                all
            }
            Self::KeyRescoped(k, before) => one("scopes", before.to_string(), k.scopes.to_string()),
            Self::PolicySet(_, rule, from, to) => one(rule, from.clone(), to.clone()),
            Self::SessionStarted(failed) if *failed > 0 => {
                one("failed attempts before", "0".into(), failed.to_string())
            }
            _ => Vec::new(),
        }
    }

    /// A sentence for the audit list and a key's history.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::AgencyFounded(..) => "store founded",
            Self::SessionStarted(_) => "signed in",
            Self::SessionEnded => "signed out",
            Self::AgencyViewOpened => "opened the whole-agency view",
            Self::AuditRead => "read the whole audit trail",
            Self::AuditExported => "exported the audit trail",
            Self::OperatorAdded(_) => "operator added",
            Self::RoleSet(..) => "role changed",
            Self::SecretSet(_) => "passphrase set",
            Self::RecoveryRenewed => "recovery code renewed",
            Self::OperatorDisabled(_) => "operator disabled",
            Self::OperatorEnabled(_) => "operator enabled",
            Self::KeyGiven(..) => "key given to another owner",
            Self::LocationAdded(_) => "location added",
            Self::LocationRenamed(..) => "location renamed",
            Self::LocationRemoved(_) => "location removed",
            Self::KeyIssued(_) => "key issued",
            Self::KeyPaused(_) => "key paused",
            Self::KeyResumed(_) => "key resumed",
            Self::KeyRevoked(_) => "key revoked",
            Self::KeyDeleted(_) => "key deleted",
            Self::KeyRestored(_) => "key restored as revoked",
            Self::KeyRescoped(..) => "scopes changed",
            Self::PolicySet(..) => "policy changed",
        }
    }
}
