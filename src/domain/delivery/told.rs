//! Who is told what. The trail says of which keys a sweep gave notice; the state says what of that still holds, and to whom
//! it matters. What is over by now is told to nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use minicbor::{Decode, Encode};

use crate::domain::audit::{Entry, Outcome, SubjectLine};
use crate::domain::lifecycle::{Told, deletes_at};
use crate::domain::notice::{Trouble, old_secret_used, still_used};
use crate::domain::{
    App, AppId, CommandKind, Contact, Contacts, Grounds, KeyId, KeyState, Name, Role, State, Timestamp,
};

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Recipient {
    /// An operator, by name.
    #[n(0)]
    Operator(#[n(0)] Name),
    /// A contact of a key.
    #[n(1)]
    Contact(#[n(0)] Contact),
}

impl Recipient {
    /// What kind of recipient, for whoever has to find an address.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Operator(_) => "operator",
            Self::Contact(_) => "contact",
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        match self {
            Self::Operator(name) => name.as_str(),
            Self::Contact(contact) => contact.as_str(),
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The kinds of notices that are delivered, by [`Matter::code`] and [`Trouble::code`].
pub const KINDS: [&str; 16] = [
    "deletion",
    "ends",
    "ended",
    "deleted",
    "withdrawn",
    "grace_ends",
    "still_used",
    "held",
    Trouble::Doubt.code(),
    Trouble::Denials.code(),
    Trouble::Disk.code(),
    Trouble::Seal.code(),
    Trouble::Uses.code(),
    Trouble::Clock.code(),
    Trouble::Sweep.code(),
    Trouble::Delivery.code(),
];

/// A matter that still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Which.
    pub matter: Matter,
    /// When it happens or has happened; of a deleted key, until when it can be restored.
    pub when: Timestamp,
}

/// Something a sweep or a rotation did that people are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matter {
    /// Deletions wait for a word.
    Held,
    /// A key was told that it is deleted for want of use.
    Unused(KeyId),
    /// … that it ends.
    Ends(KeyId),
    /// … that it has ended.
    Ended(KeyId),
    /// A key was deleted for want of use.
    Deleted(KeyId),
    /// What a key was told holds no more.
    Withdrawn(KeyId),
    /// Another took over from a key, or its grace was fixed anew.
    GraceEnds(KeyId),
    /// The grace of a key is nearly over, and the key is used all the same.
    StillUsed(KeyId),
    /// Another took the place of the secret of an app, or the grace of that was fixed anew.
    SecretEnds(AppId),
    /// That grace is nearly over, and the old secret is used all the same.
    SecretUsed(AppId),
}

impl Matter {
    /// What an entry of the trail says that a sweep did.
    pub fn of(entry: &Entry) -> Vec<Self> {
        if entry.outcome != Outcome::Done {
            return Vec::new();
        }
        let key = |id: &str| id.parse().ok();
        let app = |subject: &SubjectLine| subject.id.parse::<AppId>().ok().filter(|_| subject.kind == "app");
        let all = |what: fn(KeyId) -> Self| {
            entry.subjects.iter().filter_map(|subject| key(&subject.id).map(what)).collect()
        };
        match CommandKind::of_code(&entry.event) {
            // Each notice is one subject and one change.
            Some(CommandKind::GiveNotices) => {
                let pairs = entry.subjects.iter().zip(&entry.changes);
                pairs
                    .filter_map(|(subject, change)| {
                        if let Some(app) = app(subject) {
                            return (change.field == Told::MISSED).then_some(Self::SecretUsed(app));
                        }
                        let key = key(&subject.id)?;
                        match change.field.as_str() {
                            Told::UNUSED => Some(Self::Unused(key)),
                            Told::ENDS => Some(Self::Ends(key)),
                            Told::ENDED => Some(Self::Ended(key)),
                            Told::MISSED => Some(Self::StillUsed(key)),
                            _ => None,
                        }
                    })
                    .collect()
            }
            Some(CommandKind::DeleteUnused) => all(Self::Deleted),
            Some(CommandKind::RenewNotices) => all(Self::Withdrawn),
            // The new half is among them; nothing holds of that.
            Some(CommandKind::RotateKey | CommandKind::LengthenGrace) => all(Self::GraceEnds),
            Some(CommandKind::RenewAppSecret | CommandKind::LengthenAppSecret | CommandKind::StartGraces) => {
                let ends = |subject: &SubjectLine| match app(subject) {
                    Some(app) => Some(Self::SecretEnds(app)),
                    None => key(&subject.id).map(Self::GraceEnds),
                };
                entry.subjects.iter().filter_map(ends).collect()
            }
            Some(CommandKind::HoldDeletions) => vec![Self::Held],
            _ => Vec::new(),
        }
    }

    /// Its kind, in the word of the notice board.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Unused(_) => "deletion",
            Self::Ends(_) => "ends",
            Self::Ended(_) => "ended",
            Self::Deleted(_) => "deleted",
            Self::Withdrawn(_) => "withdrawn",
            Self::GraceEnds(_) | Self::SecretEnds(_) => "grace_ends",
            Self::StillUsed(_) | Self::SecretUsed(_) => "still_used",
        }
    }

    /// The key it is about, if about one.
    pub const fn key(self) -> Option<KeyId> {
        match self {
            Self::Held | Self::SecretEnds(_) | Self::SecretUsed(_) => None,
            Self::Unused(key)
            | Self::Ends(key)
            | Self::Ended(key)
            | Self::Deleted(key)
            | Self::Withdrawn(key)
            | Self::GraceEnds(key)
            | Self::StillUsed(key) => Some(key),
        }
    }

    /// The app it is about, if about one.
    pub const fn app(self) -> Option<AppId> {
        match self {
            Self::SecretEnds(app) | Self::SecretUsed(app) => Some(app),
            Self::Held
            | Self::Unused(_)
            | Self::Ends(_)
            | Self::Ended(_)
            | Self::Deleted(_)
            | Self::Withdrawn(_)
            | Self::GraceEnds(_)
            | Self::StillUsed(_) => None,
        }
    }
}

/// The admins, whom everything concerns that concerns nobody else.
pub fn admins(state: &State) -> Vec<Recipient> {
    let active = state.operators().filter(|operator| operator.standing.is_active());
    let admins = active.filter(|operator| operator.role == Role::Admin);
    admins.map(|operator| Recipient::Operator(operator.name.clone())).collect()
}

/// Who is told of what, each of everything in one message. What concerns nobody who can be told goes to the admins.
pub fn addressed(
    state: &State,
    matters: impl IntoIterator<Item = Matter>,
) -> BTreeMap<Recipient, BTreeSet<Matter>> {
    let admins = admins(state);
    let mut all: BTreeMap<Recipient, BTreeSet<Matter>> = BTreeMap::new();
    let mut tell = |to: Recipient, matter: Matter| {
        all.entry(to).or_default().insert(matter);
    };
    for matter in matters {
        let key = matter.key().and_then(|id| state.key(id));
        let app = matter.app().and_then(|id| state.app(id));
        if matter.key().is_some() != key.is_some() || matter.app().is_some() != app.is_some() {
            continue;
        }
        for contact in key.and_then(|key| key.contacts.as_deref()).into_iter().flat_map(Contacts::iter) {
            tell(Recipient::Contact(contact.clone()), matter);
        }
        let owner = key.map(|key| key.owner).or_else(|| app.map(|app| app.owner));
        let owner = owner.and_then(|id| state.operator(id)).filter(|owner| owner.standing.is_active());
        match owner {
            Some(owner) => tell(Recipient::Operator(owner.name.clone()), matter),
            None => admins.iter().for_each(|admin| tell(admin.clone(), matter)),
        }
    }
    all
}

/// What still holds of a matter.
pub fn still(state: &State, matter: Matter, grounds: Grounds) -> Option<Pending> {
    let now = grounds.now;
    let key = matter.key().and_then(|id| state.key(id));
    let app = matter.app().and_then(|id| state.app(id)).filter(|app| !app.is_deleted());
    let ends = |app: &App| app.old_secret(now)?.until.instant();
    let when = match matter {
        Matter::Held => {
            let hold = state.hold();
            hold.since.filter(|_| !hold.is_empty() && hold.confirmed.is_none())?
        }
        Matter::Unused(_) => deletes_at(state, key?, grounds).filter(|(_, told)| *told > 0)?.0,
        Matter::Ends(_) => key?.expires_soon(state.policy(), now)?,
        Matter::Ended(_) => key.filter(|key| key.state(now) == KeyState::Expired)?.expiry.instant()?,
        Matter::Deleted(_) => key?.restorable_until().filter(|until| now < *until)?,
        Matter::GraceEnds(_) => {
            key.filter(|key| key.state(now) == KeyState::Superseded)?.grace_ends().filter(|end| now < *end)?
        }
        Matter::StillUsed(_) => key.filter(|key| still_used(state, key, now))?.expiry.instant()?,
        Matter::SecretEnds(_) => ends(app?)?,
        Matter::SecretUsed(_) => ends(app.filter(|app| old_secret_used(state, app, now))?)?,
        Matter::Withdrawn(_) => {
            let key = key.filter(|key| !key.state(now).is_over() && key.superseded.is_none())?;
            let is_told = deletes_at(state, key, grounds).is_some_and(|(_, told)| told > 0);
            let ends = key.expires_soon(state.policy(), now);
            (!is_told && ends.is_none()).then_some(now)?
        }
    };
    Some(Pending { matter, when })
}
