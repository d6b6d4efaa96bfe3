//! What an entry of the audit chain says. The body of an entry is JSON text: what is chained, sealed, shown and
//! exported are the same bytes, so a reader can check a hash without knowing this program.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::event::{Change, Event, Subject};
use super::{Access, AppId, Bearer, KeyId, OperatorId, Reason, Role, State, Timestamp};

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
    /// The refused requests, or further refused commands, it stands for, when it is about such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries: Option<TriesLine>,
    /// The sealed records this entry wrote: a record that is not as its last entry says was tampered with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RecordLine>,
    /// Digest of all records after this entry.
    pub state: String,
    /// Generation of the file that keeps denials beside the database, as it was durable when this entry was made. Entries
    /// of stores that had no such file name none.
    #[serde(default, skip_serializing_if = "is_none")]
    pub journal: u64,
    /// Which entries are in the store no more. Each entry names it, so that the beginning of the trail cannot be moved
    /// unseen. None of a trail that is whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trimmed: Option<Trimmed>,
}

/// That the oldest entries were taken out of the store into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trimmed {
    /// Number of the last of them: the chain goes on from it.
    pub upto: u64,
    /// Number of the entry that tells who did it, and which file.
    pub told: u64,
}

/// 0 names nothing.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_none(number: &u64) -> bool {
    *number == 0
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
    /// `key`, `app`, `location`, `operator`, `agency`, `channel`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name then.
    pub name: String,
    /// The owner of a key or an app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

#[cfg(test)]
impl ActorLine {
    /// Somebody at the command line, for tests that ask nothing of them.
    pub fn of(name: &str, role: &str) -> Self {
        Self {
            id: "zzzzzzzzzzzz".into(),
            name: name.into(),
            role: role.into(),
            auth: "passphrase".into(),
            access: "own".into(),
            via: "cli".into(),
            uid: 1,
            pid: 2,
            session: "s".into(),
        }
    }
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
    /// The id of the subject it is of, where many were changed at once and this is not true of all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
}

/// One sealed record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordLine {
    /// Where it lives.
    pub key: String,
    /// Authentication tag of its ciphertext, hex.
    pub tag: String,
    /// Number of the entry that wrote it, where this one only says so again because that one leaves the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrote: Option<u64>,
}

/// Refused requests with one key or app and for one reason, or with what nobody issued, told together: a request is
/// no change, and a flood of them must not fill the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriesLine {
    /// How many.
    pub n: u64,
    /// When the first came.
    pub first: i64,
    /// When the last came.
    pub last: i64,
    /// Where the last came from, if anybody told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the last said it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// A scope the last lacked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The texts that were presented and not recognised, the first few of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<TokenLine>,
}

/// A presented text that nobody recognised, by its fingerprint: who has the text can ask for it, and nobody can tell
/// the text from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenLine {
    /// The fingerprint, 16 hexadecimal digits.
    pub fp: String,
    /// How often it was presented.
    pub n: u64,
    /// When first.
    pub first: i64,
    /// When last.
    pub last: i64,
    /// Where from the last time, if anybody told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// A change that says a lot is cut here, so that an entry always fits a row.
const CHANGE_MAX: usize = 2_000;

impl From<&Change> for ChangeLine {
    fn from(change: &Change) -> Self {
        Self { field: change.field.clone(), from: cut(&change.from), to: cut(&change.to), of: None }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(CHANGE_MAX) {
        Some((end, _)) => format!("{}… ({} bytes)", text.get(..end).unwrap_or_default(), text.len()),
        None => text.to_owned(),
    }
}

impl SubjectLine {
    /// The kind of the agency, which has no id but this.
    pub const AGENCY: &'static str = "agency";

    /// The line for what an event is about, unless it is the store as a whole.
    pub fn of(event: &Event) -> Option<Self> {
        let (kind, id, name, owner) = match event.subject() {
            Subject::Store
            | Subject::Founding(..)
            | Subject::Policy(_)
            | Subject::Signing(_)
            | Subject::Hold(_) => return None,
            Subject::Agency(a) => (Self::AGENCY, Self::AGENCY.to_owned(), a.name.to_string(), None),
            Subject::Operator(o) => ("operator", o.id.to_string(), o.name.to_string(), None),
            Subject::Location(l) => ("location", l.id.to_string(), l.name.to_string(), None),
            Subject::Key(k) | Subject::Notices(k, _) => {
                ("key", k.id.to_string(), k.name.to_string(), Some(k.owner.to_string()))
            }
            Subject::Channel(c) => ("channel", c.name.to_string(), c.name.to_string(), None),
            Subject::App(a) | Subject::Tokens(a, _) => {
                ("app", a.id.to_string(), a.name.to_string(), Some(a.owner.to_string()))
            }
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

impl SubjectLine {
    /// The line for whom a presented token speaks.
    pub fn of_bearer(state: &State, bearer: Bearer) -> Option<Self> {
        match bearer {
            Bearer::Key(id) => Self::of_key(state, id),
            Bearer::App(id) => Self::of_app(state, id),
        }
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
    /// The name of entries about refused requests.
    pub const DENIED: &'static str = "verify.denied";

    /// The name of entries that say again what entries that leave the store say of records.
    pub const CARRIED: &'static str = "audit.carried";

    /// The reason for taking back a secret of which nothing says that somebody was shown it.
    pub const UNCONFIRMED: &'static str = "secret_unconfirmed";

    /// An entry that says who and what, to be filled in.
    pub fn of(actor: ActorLine, at: Timestamp, event: &str) -> Self {
        Self {
            v: ENTRY_VERSION,
            store: String::new(),
            seq: 0,
            at: at.0,
            event: event.into(),
            outcome: Outcome::Done,
            reason: None,
            actor,
            subjects: Vec::new(),
            changes: Vec::new(),
            tries: None,
            records: Vec::new(),
            state: String::new(),
            journal: 0,
            trimmed: None,
        }
    }

    /// Tells of what happened to many at once: each subject once, and a change that is the same for all of them once.
    pub fn tell_of_many(&mut self, events: &[Event]) {
        let mut changes: Vec<(Change, Vec<String>)> = Vec::new();
        for event in events {
            let Some(subject) = SubjectLine::of(event) else { continue };
            for change in event.changes() {
                match changes.iter_mut().find(|(known, _)| *known == change) {
                    Some((_, whose)) => whose.push(subject.id.clone()),
                    None => changes.push((change, vec![subject.id.clone()])),
                }
            }
            if self.subjects.iter().all(|known| *known != subject) {
                self.subjects.push(subject);
            }
        }
        for (change, whose) in changes {
            let line = ChangeLine::from(&change);
            let is_shared = self.subjects.iter().all(|subject| whose.contains(&subject.id));
            if is_shared {
                self.changes.push(line);
            } else {
                self.changes.extend(whose.into_iter().map(|of| ChangeLine { of: Some(of), ..line.clone() }));
            }
        }
    }

    /// What it says of one of those it is about.
    #[must_use]
    pub fn narrowed(&self, key: KeyId) -> Self {
        let id = key.to_string();
        let mut entry = self.clone();
        entry.subjects.retain(|subject| subject.id == id);
        entry.changes.retain(|change| change.of.as_ref().is_none_or(|of| *of == id));
        entry
    }

    /// The name of the first key it is about, and how many more there are beside the halves of one rotation.
    pub fn first_key_and_others(&self) -> Option<(&str, usize)> {
        let whose = |subject: &SubjectLine| (subject.name.clone(), subject.owner.clone());
        let first = self.subjects.first()?;
        let keys: HashSet<_> = self.subjects.iter().map(whose).collect();
        let all_keys = self.subjects.iter().all(|subject| subject.kind == "key");
        all_keys.then_some((first.name.as_str(), keys.len() - 1))
    }

    /// Refused requests in words, why and with what: `denied 37× · revoked · Nightly export`. Nothing for an entry about
    /// anything else.
    pub fn denial(&self) -> Option<String> {
        let tries = self.tries.as_ref().filter(|_| self.event == Self::DENIED)?;
        let why = match &self.reason {
            Some(code) => Reason::of_code(code).map_or(code.as_str(), |reason| reason.brief()),
            None => "more keys and reasons than are told apart",
        };
        let missing = tries.scope.as_ref().map(|scope| format!(" {scope}")).unwrap_or_default();
        let name = self.subjects.first().map(|subject| format!(" · {}", subject.name)).unwrap_or_default();
        Some(format!("denied {}× · {why}{missing}{name}", tries.n))
    }

    /// Why keydeck did it by itself; nothing for what somebody asked for.
    pub fn unasked(&self) -> Option<&str> {
        let code = self.reason.as_deref().filter(|_| self.outcome == Outcome::Done)?;
        Some(if code == Self::UNCONFIRMED { "nothing says that its secret was shown" } else { code })
    }

    /// How many refused commands it stands for; nothing for an entry about anything else.
    pub fn refused_again(&self) -> Option<u64> {
        self.tries.as_ref().filter(|_| self.event != Self::DENIED).map(|tries| tries.n)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry::of(ActorLine::of("keydeck", ""), Timestamp(7), Entry::DENIED)
    }

    fn tries(n: u64) -> TriesLine {
        TriesLine { n, first: 1, last: 2, address: None, agent: None, scope: None, tokens: Vec::new() }
    }

    #[test]
    fn refused_requests_are_told_in_one_line() {
        let key = SubjectLine {
            kind: "key".into(),
            id: "7HqP2mVx9KtR".into(),
            name: "Nightly export".into(),
            owner: None,
        };
        let told = |reason: Option<&str>, subjects: Vec<SubjectLine>, tries| {
            Entry { reason: reason.map(Into::into), subjects, tries: Some(tries), ..entry() }
                .denial()
                .unwrap()
        };
        assert_eq!(
            told(Some("revoked"), vec![key.clone()], tries(37)),
            "denied 37× · revoked · Nightly export"
        );
        let lacking = TriesLine { scope: Some("contacts.write".into()), ..tries(1) };
        assert_eq!(
            told(Some("scope"), vec![key], lacking),
            "denied 1× · lacks the scope contacts.write · Nightly export"
        );
        assert_eq!(told(Some("unknown"), Vec::new(), tries(5)), "denied 5× · never issued here");
        assert_eq!(told(Some("later_word"), Vec::new(), tries(5)), "denied 5× · later_word");
        assert!(told(None, Vec::new(), tries(9)).starts_with("denied 9× · more keys"));
        assert_eq!(entry().denial(), None);
    }

    #[test]
    fn entries_written_before_refused_requests_were_told_are_read_and_written_as_they_were() {
        let body = serde_json::to_string(&entry()).unwrap();
        assert!(!body.contains("tries"), "{body}");
        assert_eq!(serde_json::from_str::<Entry>(&body).unwrap(), entry());
        let denied = Entry { tries: Some(tries(3)), ..entry() };
        let body = serde_json::to_string(&denied).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&body).unwrap(), denied);
    }
}
