//! What an entry of the trail has people told: what a sweep or a rotation did, and to whom it matters anew what was told before.

use super::Matter;
use crate::domain::audit::{ChangeLine, Entry, Outcome, SubjectLine};
use crate::domain::lifecycle::{Hold, Told};
use crate::domain::{App, AppId, CommandKind, Contact, Contacts, Extent, KeyId, OperatorId, State};

/// What an entry of the trail has people told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tiding {
    /// Something was done.
    Done(Matter),
    /// The same, of a key of which nothing was told before.
    First(Matter),
    /// A key or an app was given to another owner, who is told of this if it was told before.
    Given(Matter),
    /// A contact was put into a key, who is told of this if it was told before.
    Named(Contact, Matter),
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
            Some(CommandKind::EditKey) => named(entry),
            // Each notice is one subject and one change.
            Some(CommandKind::GiveNotices) => {
                let pairs = entry.subjects.iter().zip(&entry.changes);
                pairs.filter_map(|(subject, change)| notice(subject, change)).collect()
            }
            _ => Matter::of(entry).into_iter().map(Self::Done).collect(),
        }
    }

    /// What there is to tell.
    pub(super) fn matters(&self, state: &State) -> Vec<Matter> {
        let told = |matter: Matter| was_told(state, matter).then_some(matter);
        match self {
            Self::Done(matter) | Self::First(matter) => vec![*matter],
            Self::Given(matter) | Self::Named(_, matter) => told(*matter).into_iter().collect(),
            Self::Left(who) if state.operator(*who).is_some_and(|who| who.standing.is_active()) => Vec::new(),
            Self::Left(who) => {
                let keys = state.keys_of(*who).flat_map(|key| Matter::of_key(key.id));
                let apps = state.apps_of(*who).flat_map(|app| Matter::of_app(app.id));
                keys.chain(apps).filter_map(told).collect()
            }
        }
    }

    /// Whether it is for this contact of the key it is about.
    pub(super) fn is_for(&self, contact: &Contact) -> bool {
        match self {
            Self::Done(_) | Self::First(_) => true,
            Self::Named(new, _) => new == contact,
            // It was told them before.
            Self::Given(_) | Self::Left(_) => false,
        }
    }

    /// Whether it is for whoever answers for the key or the app.
    pub(super) const fn is_for_owner(&self) -> bool {
        match self {
            Self::Done(_) | Self::First(_) | Self::Given(_) | Self::Left(_) => true,
            Self::Named(..) => false,
        }
    }

    /// Whether it is the first that those it is for hear of the key.
    pub(super) const fn is_first(&self) -> bool {
        match self {
            Self::First(_) | Self::Given(_) | Self::Named(..) | Self::Left(_) => true,
            Self::Done(_) => false,
        }
    }
}

/// The contacts that an edit put into a key, each with what may have been told of that.
fn named(entry: &Entry) -> Vec<Tiding> {
    let key = entry.subjects.first().and_then(|key| key.id.parse().ok());
    let change = entry.changes.iter().find(|change| change.field == Contacts::FIELD);
    let Some((key, change)) = key.zip(change) else { return Vec::new() };
    let read = |text: &str| Contacts::read(text).unwrap_or_default();
    let (before, after) = (read(&change.from), read(&change.to));
    let new = after.iter().filter(|contact| before.iter().all(|known| known != *contact));
    new.flat_map(|contact| Matter::of_key(key).map(|matter| Tiding::Named(contact.clone(), matter))).collect()
}

/// One notice that a sweep gave.
fn notice(subject: &SubjectLine, change: &ChangeLine) -> Option<Tiding> {
    if let Some(app) = app(subject) {
        return (change.field == Told::MISSED).then_some(Tiding::Done(Matter::SecretUsed(app)));
    }
    let key = subject.id.parse().ok()?;
    let step = if change.from.is_empty() { Tiding::First } else { Tiding::Done };
    match change.field.as_str() {
        Told::UNUSED => Some(step(Matter::Unused(key))),
        Told::ENDS => Some(step(Matter::Ends(key))),
        Told::ENDED => Some(Tiding::Done(Matter::Ended(key))),
        Told::MISSED => Some(Tiding::Done(Matter::StillUsed(key))),
        Told::PRESENTED | Told::RANG => Some(Tiding::Done(Matter::Presented(key))),
        _ => None,
    }
}

fn app(subject: &SubjectLine) -> Option<AppId> {
    subject.id.parse().ok().filter(|_| subject.kind == "app")
}

/// What was locked down.
fn extent(subject: &SubjectLine) -> Option<Extent> {
    match subject.kind.as_str() {
        SubjectLine::AGENCY => Some(Extent::Agency),
        "operator" => subject.id.parse().ok().map(Extent::Owner),
        "location" => subject.id.parse().ok().map(Extent::Location),
        "app" => subject.id.parse().ok().map(Extent::App),
        _ => None,
    }
}

impl Matter {
    /// What may have been told of a key and can still be done something about.
    const fn of_key(key: KeyId) -> [Self; 5] {
        [Self::Unused(key), Self::Ends(key), Self::GraceEnds(key), Self::StillUsed(key), Self::Presented(key)]
    }

    /// The same of an app.
    const fn of_app(app: AppId) -> [Self; 2] {
        [Self::SecretEnds(app), Self::SecretUsed(app)]
    }

    /// What an entry of the trail says that was done, other than notices.
    fn of(entry: &Entry) -> Vec<Self> {
        let key = |subject: &SubjectLine| subject.id.parse().ok();
        let all = |what: fn(KeyId) -> Self| entry.subjects.iter().filter_map(key).map(what).collect();
        match CommandKind::of_code(&entry.event) {
            Some(CommandKind::DeleteUnused) => all(Self::Deleted),
            Some(CommandKind::RestoreKey) => all(Self::Restored),
            Some(CommandKind::RenewNotices) => all(Self::Withdrawn),
            // The new half is among them; nothing holds of that.
            Some(CommandKind::RotateKey | CommandKind::LengthenGrace) => all(Self::GraceEnds),
            Some(CommandKind::RenewAppSecret | CommandKind::LengthenAppSecret | CommandKind::StartGraces) => {
                let ends = |subject: &SubjectLine| match app(subject) {
                    Some(app) => Some(Self::SecretEnds(app)),
                    None => key(subject).map(Self::GraceEnds),
                };
                entry.subjects.iter().filter_map(ends).collect()
            }
            Some(CommandKind::LockDown) => {
                entry.subjects.iter().filter_map(extent).map(Self::LockedDown).collect()
            }
            Some(CommandKind::HoldDeletions) => {
                // That fewer wait is no news.
                let is_known = |change: &ChangeLine| change.field == Hold::NEW && change.to == "0";
                if entry.changes.iter().any(is_known) { Vec::new() } else { vec![Self::Held] }
            }
            _ => Vec::new(),
        }
    }
}

/// Whether a sweep has told of it, as far as that is not for [`super::still`] to say.
fn was_told(state: &State, matter: Matter) -> bool {
    let cycle = || matter.key().and_then(|key| state.cycle(key));
    match matter {
        Matter::Ends(_) => cycle().is_some_and(|cycle| !cycle.ends.is_empty()),
        Matter::StillUsed(_) => cycle().is_some_and(|cycle| cycle.missed.is_some()),
        Matter::Presented(_) => cycle().is_some_and(|cycle| cycle.presented.is_some()),
        Matter::SecretUsed(app) => {
            state.app(app).and_then(App::previous).is_some_and(|old| old.missed.is_some())
        }
        Matter::Held
        | Matter::LockedDown(_)
        | Matter::Unused(_)
        | Matter::Ended(_)
        | Matter::Deleted(_)
        | Matter::Restored(_)
        | Matter::Withdrawn(_)
        | Matter::GraceEnds(_)
        | Matter::SecretEnds(_) => true,
    }
}
