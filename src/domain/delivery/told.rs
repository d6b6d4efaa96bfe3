//! Who is told what. The trail says of which keys a sweep gave notice; the state says what of that still holds, and to whom
//! it matters. What is over by now is told to nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use minicbor::{Decode, Encode};

use super::{Channel, Circle, Tiding};
use crate::domain::lifecycle::{deletes_at, old_secret_used, presented, still_used};
use crate::domain::notice::{Trouble, What};
use crate::domain::{
    App, AppId, Contact, Contacts, Extent, Grounds, KeyId, KeyState, Name, Role, State, Timestamp,
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

    /// With whom they are told.
    pub const fn circle(&self) -> Circle {
        match self {
            Self::Operator(_) => Circle::Operators,
            Self::Contact(_) => Circle::Contacts,
        }
    }

    /// Whether it is an operator who can sign in no more.
    pub fn has_left(&self, state: &State) -> bool {
        match self {
            Self::Operator(name) => {
                state.operator_named(name.as_str()).is_none_or(|who| !who.standing.is_active())
            }
            Self::Contact(_) => false,
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
pub const KINDS: [&str; 19] = [
    "deletion",
    "ends",
    "ended",
    "deleted",
    "presented",
    "restored",
    "withdrawn",
    "grace_ends",
    "still_used",
    "held",
    What::LOCKED_DOWN,
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
    /// When it happens or has happened; of a key deleted for want of use, until when it can be restored.
    pub when: Timestamp,
}

/// Something a sweep or a rotation did that people are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matter {
    /// Deletions wait for a word.
    Held,
    /// Everything of this was locked down.
    LockedDown(Extent),
    /// A key was told that it is deleted for want of use.
    Unused(KeyId),
    /// … that it ends.
    Ends(KeyId),
    /// … that it has ended.
    Ended(KeyId),
    /// A key was deleted for want of use.
    Deleted(KeyId),
    /// Somebody presents a key that was deleted, or a decoy.
    Presented(KeyId),
    /// The record of a deleted key is back.
    Restored(KeyId),
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
    /// Its kind, in the word of the notice board.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::LockedDown(_) => What::LOCKED_DOWN,
            Self::Unused(_) => "deletion",
            Self::Ends(_) => "ends",
            Self::Ended(_) => "ended",
            Self::Deleted(_) => "deleted",
            Self::Presented(_) => "presented",
            Self::Restored(_) => "restored",
            Self::Withdrawn(_) => "withdrawn",
            Self::GraceEnds(_) | Self::SecretEnds(_) => "grace_ends",
            Self::StillUsed(_) | Self::SecretUsed(_) => "still_used",
        }
    }

    /// The key it is about, if about one.
    pub const fn key(self) -> Option<KeyId> {
        match self {
            Self::Held | Self::LockedDown(_) | Self::SecretEnds(_) | Self::SecretUsed(_) => None,
            Self::Unused(key)
            | Self::Ends(key)
            | Self::Ended(key)
            | Self::Deleted(key)
            | Self::Presented(key)
            | Self::Restored(key)
            | Self::Withdrawn(key)
            | Self::GraceEnds(key)
            | Self::StillUsed(key) => Some(key),
        }
    }

    /// The app it is about, if about one.
    pub const fn app(self) -> Option<AppId> {
        match self {
            Self::SecretEnds(app) | Self::SecretUsed(app) | Self::LockedDown(Extent::App(app)) => Some(app),
            Self::Held
            | Self::LockedDown(Extent::Agency | Extent::Owner(_) | Extent::Location(_))
            | Self::Unused(_)
            | Self::Ends(_)
            | Self::Ended(_)
            | Self::Deleted(_)
            | Self::Presented(_)
            | Self::Restored(_)
            | Self::Withdrawn(_)
            | Self::GraceEnds(_)
            | Self::StillUsed(_) => None,
        }
    }

    /// Whether there is a record of what it is about.
    fn is_known(self, state: &State) -> bool {
        self.key().is_none_or(|id| state.key(id).is_some())
            && self.app().is_none_or(|id| state.app(id).is_some())
    }

    /// Whose the key or app is that it is about, also when they have left.
    fn owner(self, state: &State) -> Option<Recipient> {
        let of_key = self.key().and_then(|id| state.key(id)).map(|key| key.owner);
        let of_app = || self.app().and_then(|id| state.app(id)).map(|app| app.owner);
        let own = if let Self::LockedDown(Extent::Owner(id)) = self { Some(id) } else { None };
        let owner = of_key.or_else(of_app).or(own)?;
        state.operator(owner).map(|owner| Recipient::Operator(owner.name.clone()))
    }

    /// The contacts of the key it is about.
    fn contacts(self, state: &State) -> impl Iterator<Item = &Contact> {
        let key = self.key().and_then(|id| state.key(id));
        key.and_then(|key| key.contacts.as_deref()).into_iter().flat_map(Contacts::iter)
    }

    /// Whether it is somebody's to hear as things are.
    pub fn concerns(self, state: &State, who: &Recipient) -> bool {
        match who {
            Recipient::Contact(contact) => self.contacts(state).any(|known| known == contact),
            Recipient::Operator(_) => match self.owner(state).filter(|owner| !owner.has_left(state)) {
                Some(owner) => owner == *who,
                None => admins(state).contains(who),
            },
        }
    }
}

/// The admins, whom everything concerns that concerns nobody else.
pub fn admins(state: &State) -> Vec<Recipient> {
    let active = state.operators().filter(|operator| operator.standing.is_active());
    let admins = active.filter(|operator| operator.role == Role::Admin);
    admins.map(|operator| Recipient::Operator(operator.name.clone())).collect()
}

/// What is to be told somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parcel {
    /// What they were not told yet.
    pub fresh: BTreeSet<Matter>,
    /// What they were told and nobody accepted.
    pub left: BTreeSet<Matter>,
    /// With what of it they first hear of a key.
    pub first: BTreeSet<Matter>,
}

impl Parcel {
    /// They hear of a key with this, unless something that comes before it says that they have.
    fn begin(&mut self, matter: Matter) {
        let knows = |matter: &Matter| self.fresh.contains(matter) || self.left.contains(matter);
        let is_known =
            |key| [Matter::Unused(key), Matter::Ends(key), Matter::Withdrawn(key)].iter().any(knows);
        if matter.key().is_some_and(|key| !is_known(key)) {
            self.first.insert(matter);
        }
    }

    /// What still holds of it, of the kinds that are wanted, what happens next first. What would be told and withdrawn at once
    /// was never told.
    pub fn pending(&self, state: &State, grounds: Grounds, wants: impl Fn(&str) -> bool) -> Vec<Pending> {
        let is_first = |matter: Matter| wants(matter.code()) && self.first.contains(&matter);
        let never_told = |key| is_first(Matter::Unused(key)) || is_first(Matter::Ends(key));
        let is_told = |matter: &&Matter| {
            wants(matter.code()) && !matches!(matter, Matter::Withdrawn(key) if never_told(*key))
        };
        let all = self.fresh.union(&self.left).filter(is_told);
        let mut all: Vec<_> = all.filter_map(|matter| still(state, *matter, grounds)).collect();
        all.sort_by_key(|pending| pending.when);
        all
    }
}

/// What is to be told whom of one circle of what was done up to an entry, each everything in one message. What concerns nobody
/// who can be told goes to the admins, also what waits for somebody who has left, unless a message is only repeated.
pub fn mail(
    state: &State,
    channel: &Channel,
    (circle, upto): (Circle, u64),
    tidings: &[(u64, Tiding)],
) -> BTreeMap<Recipient, Parcel> {
    let (course, admins) = (channel.course(circle), admins(state));
    let is_repeated = course.under_way().is_some();
    let mut all: BTreeMap<Recipient, Parcel> = BTreeMap::new();
    for (entry, tiding) in tidings.iter().filter(|(entry, _)| *entry <= upto) {
        let mut tell = |to: &Recipient, matter: Matter, owner: Option<&Recipient>| {
            if to.circle() != circle {
                return;
            }
            let was_owed = |owner: &Recipient| !is_repeated && channel.owes(owner, *entry);
            let is_left = channel.owes(to, *entry);
            if !is_left && *entry <= course.upto && !owner.is_some_and(was_owed) {
                return;
            }
            let parcel = all.entry(to.clone()).or_default();
            if tiding.is_first() {
                parcel.begin(matter);
            }
            let part = if is_left { &mut parcel.left } else { &mut parcel.fresh };
            part.insert(matter);
        };
        for matter in tiding.matters(state).into_iter().filter(|matter| matter.is_known(state)) {
            for contact in matter.contacts(state).filter(|contact| tiding.is_for(contact)) {
                tell(&Recipient::Contact(contact.clone()), matter, None);
            }
            if !tiding.is_for_owner() {
                continue;
            }
            match matter.owner(state) {
                Some(owner) if !owner.has_left(state) => tell(&owner, matter, None),
                left => admins.iter().for_each(|admin| tell(admin, matter, left.as_ref())),
            }
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
        Matter::LockedDown(extent) => state.lockdown(extent)?.since,
        Matter::Unused(_) => deletes_at(state, key?, grounds).filter(|(_, told)| *told > 0)?.0,
        Matter::Ends(_) => key?.expires_soon(state.policy(), now)?,
        Matter::Ended(_) => key.filter(|key| key.state(now) == KeyState::Expired)?.expiry.instant()?,
        Matter::Deleted(_) => key?.restorable_until().filter(|until| now < *until)?,
        Matter::Presented(_) => presented(state, key?, now)?.0,
        Matter::Restored(_) => key?.restored_at()?,
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
