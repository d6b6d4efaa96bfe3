//! One look at the state for the length of a draw: what the operator may see, what time it is, and how each key
//! stands, in the words the screens use. Reads only.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::history::picture::Bar;
use crate::domain::review::Reviewer;
use crate::domain::time::{DAY_MS, HOUR_MS};
use crate::domain::{
    Actor, Catalog, Extent, Key, KeyId, KeyState, Lockdown, Reason, State, Timestamp, Trace, Usage, View,
};
use crate::tui::app::ask::{Ask, Found};
use crate::tui::app::look::Look;
use crate::tui::app::times::{Times, remaining};
use crate::tui::theme::Badge;

/// The state while it is being looked at. Holds the engine's lock: neither ask the engine anything meanwhile, nor
/// keep it.
pub struct Seen<'a> {
    state: &'a State,
    /// What the operator may see.
    pub view: View<'a>,
    /// How to say times.
    pub times: Times,
    pub catalog: &'a Catalog,
    /// How keys were used in the last days, where a list shows it.
    sparks: Option<&'a HashMap<KeyId, Vec<Bar>>>,
}

/// Looks at the state as the operator of `look` may see it.
pub fn seen<R>(look: &Look, read: impl FnOnce(&Seen<'_>) -> R) -> R {
    // The clock is the engine's too, so it is asked before the lock is taken.
    let times = Times::of(look);
    let actor = look.session.actor();
    look.state(|state| read(&Seen::new(state, actor, times, look.engine.catalog())))
}

/// Looks at the state once, and holds it only as long as that takes.
pub type Glance<'g> = &'g dyn Fn(&mut dyn FnMut(&Seen<'_>));

/// Has this done on another thread, with looks at the state as the operator of `look` may see it then.
pub fn elsewhere(look: &Look, work: impl FnOnce(Glance<'_>) -> Found + Send + 'static) -> Ask {
    let (engine, session, zone) = (Arc::clone(&look.engine), look.session.clone(), look.zone);
    Ask::Search(Box::new(move || {
        work(&|read| {
            let times = Times::new(engine.now().time, zone);
            read(&Seen::new(&engine.state(), session.actor(), times, engine.catalog()));
        })
    }))
}

impl<'a> Seen<'a> {
    /// The state as `actor` may see it.
    pub const fn new(state: &'a State, actor: Actor, times: Times, catalog: &'a Catalog) -> Self {
        Self { state, view: View::new(state, actor), times, catalog, sparks: None }
    }

    /// The same, with strips of the last days.
    pub const fn with<'b>(&self, sparks: &'b HashMap<KeyId, Vec<Bar>>) -> Seen<'b>
    where
        'a: 'b,
    {
        let Self { state, view, times, catalog, .. } = *self;
        Seen { state, view, times, catalog, sparks: Some(sparks) }
    }

    /// The strip of a key, where it is known.
    pub fn spark(&self, key: &Key) -> Option<&'a [Bar]> {
        self.sparks?.get(&key.id).map(Vec::as_slice)
    }

    pub const fn now(&self) -> Timestamp {
        self.times.now()
    }

    /// Whoever reviews what is seen.
    pub const fn reviewer(&self) -> Reviewer<'a> {
        Reviewer { view: self.view, catalog: self.catalog, now: self.times.now() }
    }

    /// The whole state, for rules that are asked whether something would be possible.
    pub const fn state(&self) -> &State {
        self.state
    }

    /// What is known of a key's use.
    pub fn usage(&self, key: &Key) -> Usage {
        self.view.usage(key)
    }

    /// Where a key was used from and what for.
    pub fn trace(&self, key: &Key) -> Option<&'a Trace> {
        self.view.trace(key)
    }

    /// When a key is deleted for want of use, if that was announced and nothing has stopped it since.
    pub fn goes(&self, key: &Key) -> Option<Timestamp> {
        self.view.goes(key, self.now())
    }

    /// Whether lists leave a key out unless it is asked for: it was deleted, or is shown with the one that took over.
    pub fn is_aside(&self, key: &Key) -> bool {
        self.view.is_aside(key, self.now())
    }

    pub fn standing(&self, key: &Key) -> Standing {
        match self.view.refused(key, self.now()) {
            None if key.state(self.now()) == KeyState::Superseded => Standing::Superseded,
            None => self.standing_of_working(key),
            Some(Reason::Tombstoned) => Standing::Deleted,
            Some(Reason::Revoked) => Standing::Revoked,
            Some(Reason::Expired) => Standing::Expired,
            Some(Reason::LockedDown) => Standing::LockedDown,
            Some(Reason::LocationDisabled) => Standing::LocationGone,
            Some(Reason::OwnerDisabled) => Standing::OwnerStopped,
            Some(Reason::AppDisabled) => Standing::AppStopped,
            Some(Reason::Decoy) => Standing::Decoy,
            // What has ended is told as ended: no doubt gives it back.
            Some(Reason::StoreError) => match key.state(self.now()) {
                KeyState::Active | KeyState::Paused | KeyState::Superseded => Standing::InDoubt,
                KeyState::Expired => Standing::Expired,
                KeyState::Revoked => Standing::Revoked,
                KeyState::Deleted => Standing::Deleted,
            },
            // The others are not a record's own.
            Some(_) => Standing::Paused,
        }
    }

    fn standing_of_working(&self, key: &Key) -> Standing {
        let policy = self.view.policy();
        let (ends, goes) = (key.expires_soon(policy, self.now()), self.goes(key));
        match (ends, goes) {
            (Some(ends), Some(goes)) if ends <= goes => return Standing::ExpiresSoon,
            (Some(_), None) => return Standing::ExpiresSoon,
            (_, Some(goes)) => return Standing::Going(goes.since(self.now())),
            (None, None) => {}
        }
        if let Some(old) = self.view.old_half(key, self.now()) {
            return Standing::InGrace(old.grace_ends().map(|at| at.since(self.now())));
        }
        match self.view.idle_days(key, self.now()) {
            Some(days) => Standing::Idle(days),
            None => Standing::Active,
        }
    }
}

/// Rounded up, so that nothing comes before the day that is told.
const fn whole_days(ms: i64) -> i64 {
    ms.saturating_add(DAY_MS - 1).div_euclid(DAY_MS)
}

/// The same for hours.
const fn whole_hours(ms: i64) -> i64 {
    ms.saturating_add(HOUR_MS - 1).div_euclid(HOUR_MS)
}

/// What stands beside a key or an app that the store does not vouch for.
pub use crate::domain::filter::keys::{IN_DOUBT, LOCKED_DOWN};
/// What that means, and what to do about it.
pub const REFUSED_IN_DOUBT: &str =
    "Refused: the store is in doubt and does not vouch for it. Settings, Security tells why.";

/// What it means that its owner's keys were stopped.
pub const REFUSED_WITH_ITS_OWNER: &str =
    "Refused: its owner was disabled and their keys stopped. An admin can give it to somebody else.";

/// How a key or an app stands, as a person would say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    ExpiresSoon,
    /// Deleted for want of use in so many milliseconds, as was announced.
    Going(i64),
    /// Unused for so many days.
    Idle(i64),
    Active,
    /// It took over from another, which ends in so many milliseconds; none: that waits for its first use.
    InGrace(Option<i64>),
    /// Another took over, and its grace runs.
    Superseded,
    Paused,
    /// Refused because the store does not vouch for it.
    InDoubt,
    /// Refused because everything of its owner, location, app or the agency is.
    LockedDown,
    /// Refused because its owner's keys were stopped.
    OwnerStopped,
    /// Refused because its location was removed.
    LocationGone,
    /// Refused because its app is paused or gone.
    AppStopped,
    /// Refused because it opens nothing, and rings.
    Decoy,
    Expired,
    Revoked,
    Deleted,
}

impl Standing {
    /// Its sign and look.
    pub const fn badge(self) -> Badge {
        match self {
            Self::Active => Badge::Active,
            Self::ExpiresSoon => Badge::Expiring,
            Self::Idle(_) | Self::Going(_) => Badge::Idle,
            Self::InGrace(_) | Self::Superseded => Badge::Superseded,
            Self::Paused => Badge::Paused,
            Self::InDoubt
            | Self::LockedDown
            | Self::OwnerStopped
            | Self::LocationGone
            | Self::AppStopped
            | Self::Decoy => Badge::Pending,
            Self::Expired => Badge::Expired,
            Self::Revoked => Badge::Revoked,
            Self::Deleted => Badge::Deleted,
        }
    }

    /// Its words, at most 13 cells: the column has two more for the sign.
    pub fn words(self) -> String {
        match self {
            Self::Idle(days) => format!("idle {days} d"),
            Self::InGrace(Some(ms)) if ms > DAY_MS => format!("grace {} d", whole_days(ms)),
            Self::InGrace(Some(ms)) => format!("grace {} h", whole_hours(ms)),
            Self::InGrace(None) => "in grace".to_owned(),
            // Its time has come, and a sweep or a word has not.
            Self::Going(..=0) => "deletion due".to_owned(),
            // Short, as the column is; in the units of all times to come, and none below an hour.
            Self::Going(ms) => format!("gone in {}", remaining(ms.max(HOUR_MS))),
            Self::InDoubt => IN_DOUBT.to_owned(),
            Self::LockedDown => LOCKED_DOWN.to_owned(),
            Self::OwnerStopped => "owner stopped".to_owned(),
            Self::LocationGone => "location gone".to_owned(),
            Self::AppStopped => "app stopped".to_owned(),
            Self::Decoy => "decoy".to_owned(),
            other => other.badge().word().to_owned(),
        }
    }

    /// Whether a request with the key is allowed now.
    pub const fn works(self) -> bool {
        matches!(
            self,
            Self::Active
                | Self::InGrace(_)
                | Self::Superseded
                | Self::ExpiresSoon
                | Self::Idle(_)
                | Self::Going(_)
        )
    }

    /// What it means, and what to do about it.
    pub fn means(self, key: &Key, seen: &Seen<'_>) -> String {
        let times = seen.times;
        let when =
            |at: Option<Timestamp>| at.map_or_else(String::new, |at| format!(" on {}", times.minute(at)));
        match self {
            Self::Active => "It works.".to_owned(),
            Self::ExpiresSoon => {
                format!("It works, but ends {}. Issue its successor before then.", times.expiry(key.expiry))
            }
            Self::Going(..=0) if is_held(key, seen) => {
                "It works, but nobody uses it, and many are like it: they are deleted when an admin says so in the \
                 notices. A use stops that, and so does keeping it."
                    .to_owned()
            }
            Self::Going(_) => {
                let goes = seen.goes(key).map_or_else(String::new, |at| times.minute(at));
                format!(
                    "It works, but nobody uses it: it is deleted on {goes} or later. A use stops that, and so does keeping it."
                )
            }
            Self::Idle(days) => {
                format!("It works, but nothing has used it for {days} days. Revoke it if nobody misses it.")
            }
            Self::InGrace(Some(ms)) => {
                let ends = times.minute(Timestamp(seen.now().0.saturating_add(ms)));
                format!("It works, and so does the old half it took over from, until {ends}.")
            }
            Self::InGrace(None) => {
                "It works, and so does the old half it took over from, until this one has been in use for the grace."
                    .to_owned()
            }
            Self::Superseded => match key.grace_ends() {
                Some(at) => format!("It works until {}. Another took over from it.", times.minute(at)),
                None => "It works until its successor has been in use for the grace.".to_owned(),
            },
            Self::Paused => match key.resumes_at() {
                Some(at) => format!(
                    "Paused{}. It is refused until it is resumed, by the first sweep after {} if nobody does it before.",
                    when(changed_at(key)),
                    times.minute(at)
                ),
                None => format!("Paused{}. It is refused until it is resumed.", when(changed_at(key))),
            },
            Self::InDoubt => REFUSED_IN_DOUBT.to_owned(),
            Self::LockedDown => locked_down(&seen.view.lockdowns_of_key(key), seen),
            Self::OwnerStopped => REFUSED_WITH_ITS_OWNER.to_owned(),
            Self::LocationGone => {
                "Refused: its location was removed. Issue a key for another location.".to_owned()
            }
            Self::AppStopped => {
                "Refused: its app is paused or deleted. It works again when the app is resumed.".to_owned()
            }
            Self::Decoy => {
                "A decoy: it opens nothing. Whoever presents it is refused as if nobody had issued it, and you are told."
                    .to_owned()
            }
            Self::Expired => {
                let clears = seen.view.clears_at(key, seen.now());
                let clears = clears.map_or_else(String::new, |at| {
                    format!(" Its record is cleared away on {}, not before.", times.minute(at))
                });
                format!("Refused since{}: its time is over. Issue a new key.", when(key.expiry.instant()))
                    .replace("since on", "since")
                    + &clears
            }
            Self::Revoked => format!("Revoked{}. That is final; issue a new key.", when(changed_at(key))),
            Self::Deleted => {
                let until = key.restorable_until().filter(|end| seen.now() < *end);
                let after = until.map_or_else(
                    || "Its record cannot be restored any more.".to_owned(),
                    |end| {
                        format!(
                            "Until {} its record can be restored, as revoked; its secret stays dead.",
                            times.date(end)
                        )
                    },
                );
                format!("Deleted{}. {after}", when(changed_at(key)))
            }
        }
    }
}

/// What lockdowns mean for what they cover: of several, all have to be lifted.
pub fn locked_down(covering: &[(Extent, &Lockdown)], seen: &Seen<'_>) -> String {
    let each = covering.iter().map(|(extent, lockdown)| {
        let why = match lockdown.why.as_str() {
            "" => String::new(),
            why => format!(": {why}"),
        };
        let (by, since) = (seen.view.name_of(lockdown.by), seen.times.minute(lockdown.since));
        format!("{by} locked {} down on {since}{why}", seen.view.extent_in_words(*extent))
    });
    format!("Refused: {}. It is as it would be when that is lifted.", each.collect::<Vec<_>>().join("; "))
}

/// Whether the deletion of a key waits for a word.
fn is_held(key: &Key, seen: &Seen<'_>) -> bool {
    let hold = seen.view.hold();
    hold.confirmed.is_none() && hold.keys.contains(&key.id)
}

/// When people last changed a key's status.
fn changed_at(key: &Key) -> Option<Timestamp> {
    use crate::domain::Status;
    match key.status {
        Status::Active => None,
        Status::Paused(at) | Status::Revoked(at) | Status::Deleted(at) | Status::Purged(at) => Some(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::filter::keys::KeyFilter;

    #[test]
    fn every_word_that_the_table_says_of_a_state_is_one_that_can_be_asked_for() {
        let standings = [
            Standing::ExpiresSoon,
            Standing::Active,
            Standing::Superseded,
            Standing::Paused,
            Standing::InDoubt,
            Standing::OwnerStopped,
            Standing::LocationGone,
            Standing::AppStopped,
            Standing::Decoy,
            Standing::Expired,
            Standing::Revoked,
            Standing::Deleted,
        ];
        for word in standings.map(Standing::words).iter().map(String::as_str).chain(["stopped", "idle"]) {
            let query = KeyFilter::parse(&format!("state:\"{word}\""));
            assert!(query.mistakes.is_empty(), "{word}: {:?}", query.mistakes);
        }
    }
}
