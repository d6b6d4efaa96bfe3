//! Who is told what. The trail says of which keys a sweep gave notice; the state says what of that still holds, and to whom
//! it matters. What is over by now is told to nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use minicbor::{Decode, Encode};

use super::{Channel, Circle};
use crate::domain::audit::{Entry, Outcome, SubjectLine};
use crate::domain::lifecycle::{Told, deletes_at, presented};
use crate::domain::notice::{Trouble, old_secret_used, still_used};
use crate::domain::{
    App, AppId, CommandKind, Contact, Contacts, Grounds, KeyId, KeyState, Name, OperatorId, Role, State,
    Timestamp,
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
pub const KINDS: [&str; 18] = [
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
    /// A key was told that it is deleted for want of use.
    Unused(KeyId),
    /// … that it ends.
    Ends(KeyId),
    /// … that it has ended.
    Ended(KeyId),
    /// A key was deleted for want of use.
    Deleted(KeyId),
    /// Somebody presents a key that was deleted.
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

/// What an entry of the trail has people told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tiding {
    /// Something was done.
    Done(Matter),
    /// A key or an app was given to another owner, who is told of this if it was told before.
    Given(Matter),
    /// Somebody can sign in no more: who answers for their keys and apps is told what was told of these.
    Left(OperatorId),
}

impl Tiding {
    /// What an entry says.
    pub fn of(entry: &Entry) -> Vec<Self> {
        if entry.outcome != Outcome::Done {
            return Vec::new();
        }
        let given = |subject: &SubjectLine| match subject.kind.as_str() {
            "key" => subject.id.parse().map(|key| Matter::of_key(key).map(Self::Given).to_vec()),
            "app" => subject.id.parse().map(|app| Matter::of_app(app).map(Self::Given).to_vec()),
            "operator" => subject.id.parse().map(|operator| vec![Self::Left(operator)]),
            _ => Ok(Vec::new()),
        };
        match CommandKind::of_code(&entry.event) {
            Some(CommandKind::TransferKey | CommandKind::DisableOperator) => {
                entry.subjects.iter().filter_map(|subject| given(subject).ok()).flatten().collect()
            }
            _ => Matter::of(entry).into_iter().map(Self::Done).collect(),
        }
    }
}

impl Matter {
    /// What may have been told of a key and can still be done something about.
    const fn of_key(key: KeyId) -> [Self; 4] {
        [Self::Unused(key), Self::Ends(key), Self::GraceEnds(key), Self::StillUsed(key)]
    }

    /// The same of an app.
    const fn of_app(app: AppId) -> [Self; 2] {
        [Self::SecretEnds(app), Self::SecretUsed(app)]
    }

    /// What an entry of the trail says that a sweep did.
    fn of(entry: &Entry) -> Vec<Self> {
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
                            Told::PRESENTED => Some(Self::Presented(key)),
                            _ => None,
                        }
                    })
                    .collect()
            }
            Some(CommandKind::DeleteUnused) => all(Self::Deleted),
            Some(CommandKind::RestoreKey) => all(Self::Restored),
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
            Self::Held | Self::SecretEnds(_) | Self::SecretUsed(_) => None,
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
            Self::SecretEnds(app) | Self::SecretUsed(app) => Some(app),
            Self::Held
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
            if channel.owes(to, *entry) {
                all.entry(to.clone()).or_default().left.insert(matter);
            } else if *entry > course.upto || owner.is_some_and(was_owed) {
                all.entry(to.clone()).or_default().fresh.insert(matter);
            }
        };
        for (matter, is_done) in tiding.matters(state) {
            let key = matter.key().and_then(|id| state.key(id));
            let app = matter.app().and_then(|id| state.app(id));
            if matter.key().is_some() != key.is_some() || matter.app().is_some() != app.is_some() {
                continue;
            }
            let contacts = key.and_then(|key| key.contacts.as_deref()).filter(|_| is_done);
            for contact in contacts.into_iter().flat_map(Contacts::iter) {
                tell(&Recipient::Contact(contact.clone()), matter, None);
            }
            let owner = key.map(|key| key.owner).or_else(|| app.map(|app| app.owner));
            let owner =
                owner.and_then(|id| state.operator(id)).map(|owner| Recipient::Operator(owner.name.clone()));
            match owner {
                Some(owner) if !owner.has_left(state) => tell(&owner, matter, None),
                left => admins.iter().for_each(|admin| tell(admin, matter, left.as_ref())),
            }
        }
    }
    all
}

impl Tiding {
    /// What there is to tell, and whether a sweep or a rotation did it: else it was told somebody before.
    fn matters(self, state: &State) -> Vec<(Matter, bool)> {
        let told = |matter: Matter| was_told(state, matter).then_some((matter, false));
        match self {
            Self::Done(matter) => vec![(matter, true)],
            Self::Given(matter) => told(matter).into_iter().collect(),
            Self::Left(who) if state.operator(who).is_some_and(|who| who.standing.is_active()) => Vec::new(),
            Self::Left(who) => {
                let keys = state.keys_of(who).flat_map(|key| Matter::of_key(key.id));
                let apps = state.apps_of(who).flat_map(|app| Matter::of_app(app.id));
                keys.chain(apps).filter_map(told).collect()
            }
        }
    }
}

/// Whether a sweep has told of it, as far as that is not for [`still`] to say.
fn was_told(state: &State, matter: Matter) -> bool {
    let cycle = || matter.key().and_then(|key| state.cycle(key));
    match matter {
        Matter::Ends(_) => cycle().is_some_and(|cycle| !cycle.ends.is_empty()),
        Matter::StillUsed(_) => cycle().is_some_and(|cycle| cycle.missed.is_some()),
        Matter::SecretUsed(app) => {
            state.app(app).and_then(App::previous).is_some_and(|old| old.missed.is_some())
        }
        Matter::Held
        | Matter::Unused(_)
        | Matter::Ended(_)
        | Matter::Deleted(_)
        | Matter::Presented(_)
        | Matter::Restored(_)
        | Matter::Withdrawn(_)
        | Matter::GraceEnds(_)
        | Matter::SecretEnds(_) => true,
    }
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
        Matter::Presented(_) => presented(state, key?, now)?,
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
