//! What commands carry besides the ids they are about: what shall be, as somebody chose or typed it, or what was seen.

use minicbor::{Decode, Encode};

use crate::domain::catalog::AuthMethod;
use crate::domain::lifecycle::NoticeKind;
use crate::domain::{Contacts, Expiry, Key, KeyId, Name, Note, OperatorId, Place, Profile, Terms, Timestamp};

/// What a new key shall be.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct NewKey {
    /// Unique among the owner's live keys.
    #[n(0)]
    pub name: Name,
    /// Agency or which location.
    #[n(1)]
    pub place: Place,
    /// What it may do, as it was chosen or typed; checked against the catalog.
    #[n(2)]
    pub scopes: Vec<String>,
    /// When it stops working; `None` takes the policy's default.
    #[n(3)]
    pub expiry: Option<Expiry>,
    /// What it is for.
    #[n(4)]
    pub note: Note,
    /// Whether it opens nothing and rings when it is presented.
    #[cbor(n(5), default)]
    pub decoy: bool,
}

/// What can be changed of a key besides its scopes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct KeyEdit {
    /// Unique among the owner's live keys.
    #[n(0)]
    pub name: Name,
    /// What it is for.
    #[n(1)]
    pub note: Note,
    /// When it stops working. Putting it off is all there is to extending a key.
    #[n(2)]
    pub expiry: Expiry,
    /// Days before its end at which it is told of; `None` goes by the policy.
    #[n(3)]
    pub notice_days: Option<u32>,
    /// Who is told of it besides its owner.
    #[n(4)]
    pub contacts: Contacts,
}

impl KeyEdit {
    /// The key as it is.
    pub fn of(key: &Key) -> Self {
        Self {
            name: key.name.clone(),
            note: key.note.clone(),
            expiry: key.expiry,
            notice_days: key.notice_days,
            contacts: key.contacts.as_deref().cloned().unwrap_or_default(),
        }
    }
}

/// A notice of one key, as somebody saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct NoticeRef {
    /// Of which key.
    #[n(0)]
    pub key: KeyId,
    /// Of what kind.
    #[n(1)]
    pub kind: NoticeKind,
    /// Since when it said what it said: a step that came meanwhile was not seen.
    #[n(2)]
    pub since: Timestamp,
}

/// What an app shall be.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct NewApp {
    /// Unique among the owner's apps.
    #[n(0)]
    pub name: Name,
    /// What it tells about itself.
    #[n(1)]
    pub profile: Profile,
    /// Keys of its own, or access tokens.
    #[n(2)]
    pub method: AuthMethod,
    /// What it may do, as it was chosen or typed; checked against the catalog.
    #[n(3)]
    pub scopes: Vec<String>,
    /// What its access tokens are like.
    #[n(4)]
    #[cbor(default)]
    pub terms: Terms,
}

/// What becomes of the keys of an operator who leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum KeysAfter {
    /// They go on working.
    #[n(0)]
    Work,
    /// None works until the operator is enabled or the keys are given to somebody.
    #[n(1)]
    Stop,
    /// They become another operator's, and work.
    #[n(2)]
    GiveTo(#[n(0)] OperatorId),
}
