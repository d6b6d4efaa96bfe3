//! What an entry of the audit chain says. The body of an entry is JSON text: what is chained, sealed, shown and
//! exported are the same bytes, so a reader can check a hash without knowing this program.

use serde::{Deserialize, Serialize};

use super::event::{Change, Event, Subject};
use super::{Access, AppId, KeyId, OperatorId, Role, State};

/// Version of the entry format.
pub const ENTRY_VERSION: u32 = 1;

/// One entry. Times are UTC milliseconds; `state` and the tags are lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// [`ENTRY_VERSION`].
    pub v: u32,
    /// The store, hex.
    pub store: String,
    /// Gapless, from 1.
    pub seq: u64,
    /// When.
    pub at: i64,
    /// The command's name: `key.revoke`.
    pub event: String,
    /// Whether it was done.
    pub outcome: Outcome,
    /// The refusal's code, when refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who.
    pub actor: ActorLine,
    /// What it was about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<SubjectLine>,
    /// Fields that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeLine>,
    /// The sealed records this entry wrote: a record that is not as its last entry says was tampered with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RecordLine>,
    /// Digest of all records after this entry.
    pub state: String,
}

/// Done, or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It happened.
    Done,
    /// It did not, and why is beside it.
    Refused,
}

/// Who acted, with the role they had then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActorLine {
    /// Operator id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: String,
    /// How they were signed in: `passphrase`, `keyfile`, `recovery`.
    pub auth: String,
    /// How far the session reached: `own`, `agency`, `recovery`.
    pub access: String,
    /// Where from: `console`, `cli`.
    pub via: String,
    /// Operating system user id and process id.
    pub uid: u32,
    /// The process.
    pub pid: u32,
    /// Random name of the session.
    pub session: String,
}

/// What it was about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectLine {
    /// `key`, `app`, `location`, `operator`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name then.
    pub name: String,
    /// The owner of a key or an app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// One field that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeLine {
    /// The field.
    pub field: String,
    /// Before.
    pub from: String,
    /// After.
    pub to: String,
}

/// One sealed record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordLine {
    /// Where it lives.
    pub key: String,
    /// Authentication tag of its ciphertext, hex.
    pub tag: String,
}

/// A change that says a lot is cut here, so that an entry always fits a row.
const CHANGE_MAX: usize = 2_000;

impl From<&Change> for ChangeLine {
    fn from(change: &Change) -> Self {
        Self { field: change.field.clone(), from: cut(&change.from), to: cut(&change.to) }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(CHANGE_MAX) {
        Some((end, _)) => format!("{}… ({} bytes)", text.get(..end).unwrap_or_default(), text.len()),
        None => text.to_owned(),
    }
}

impl SubjectLine {
    /// The line for what an event is about, unless it is the store as a whole.
    pub fn of(event: &Event) -> Option<Self> {
        let (kind, id, name, owner) = match event.subject() {
            Subject::Store => return None,
            Subject::Operator(o) => ("operator", o.id.to_string(), o.name.to_string(), None),
            Subject::Location(l) => ("location", l.id.to_string(), l.name.to_string(), None),
            Subject::Key(k) => ("key", k.id.to_string(), k.name.to_string(), Some(k.owner.to_string())),
            Subject::App(a) => ("app", a.id.to_string(), a.name.to_string(), Some(a.owner.to_string())),
        };
        Some(Self { kind: kind.into(), id, name, owner })
    }

    /// The line for a key that a refused command named and the actor may see.
    pub fn of_key(state: &State, id: KeyId) -> Option<Self> {
        let key = state.key(id)?;
        let owner = Some(key.owner.to_string());
        Some(Self { kind: "key".into(), id: id.to_string(), name: key.name.to_string(), owner })
    }
}

impl SubjectLine {
    /// The line for an app that a refused command named and the actor may see.
    pub fn of_app(state: &State, id: AppId) -> Option<Self> {
        let app = state.app(id)?;
        let owner = Some(app.owner.to_string());
        Some(Self { kind: "app".into(), id: id.to_string(), name: app.name.to_string(), owner })
    }
}

impl Access {
    /// Its word in the trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Agency => "agency",
            Self::Recovery => "recovery",
            Self::Service => "service",
        }
    }
}

impl Entry {
    /// Whether an operator who is no admin may read it: they acted, or one of their keys is concerned.
    pub fn concerns(&self, operator: OperatorId) -> bool {
        let id = operator.to_string();
        self.actor.id == id
            || self.subjects.iter().any(|s| s.id == id || s.owner.as_deref() == Some(id.as_str()))
    }

    /// Whether it is about that key.
    pub fn is_about(&self, key: KeyId) -> bool {
        let id = key.to_string();
        self.subjects.iter().any(|s| s.kind == "key" && s.id == id)
    }

    /// Whether that role may read the whole trail.
    pub fn readable_by(&self, operator: OperatorId, role: Role) -> bool {
        role == Role::Admin || self.concerns(operator)
    }
}
