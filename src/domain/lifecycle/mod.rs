//! The rules of time: what becomes of a key that nobody uses, of one whose end is near, and of one that was deleted. A
//! state and what is known of clock and uses lead to a [`Plan`]; nothing else decides what is due.
//!
//! **Unused.** A key is watched while it is active, neither its owner nor its location or app nor a lockdown keeps it from working,
//! nobody protects it and the policy has idle days. It goes at the latest
//! of: so many days after its base, and for each notice that was given, as many days after it as the notice said. Its base
//! is the latest of: made, used, resumed, kept, protected no more, no lockdown on it any more, and since when no use was lost. A sweep gives at most
//! one notice a key, in the order of [`STEPS`], when its day has come; it deletes when all were given and the time has
//! come. So late sweeps delay and never skip, and no life is shorter than announced. A use or an operator's word after a
//! notice voids it; one that is still to come, by a clock that was put right, counts as never given.
//!
//! **Held.** More deletions at once than [`allowed`] are not done: a [`Hold`] names them and waits for an operator's word. In a
//! store that was put back from a backup, each waits until somebody has said that deletions go on.
//!
//! **Ends.** Before a key's own end, and at it, a notice is due: the tightest that is and was not given, and with it all
//! wider ones. A key whose end was put off far enough is told anew.
//!
//! **Cleared away.** Where the policy has days for that, the record of an expired key that nobody protects is deleted so many
//! days after its end, and after a sweep told that it had come. Nobody is told of it, and none waits for a word: nothing that
//! works is taken away.
//!
//! **Deleted.** A deleted record is purged when it can no longer be restored. Until then, who presents the key is told of. So is
//! who presents a decoy, until somebody ends it.
//!
//! **Rotated.** The grace of an old half that waits for the first use of the new one ends so long after it. When its end is
//! near and it is still used, that is told, once for that end. An old half whose grace is over is written down as revoked.
//! The same holds of the old secret of an app.
//!
//! **Paused for some time.** When that is over the key is resumed, unless its own time is over as well. Until then no clock
//! gives it back.
//!
//! Nothing is due while the clock is in doubt or uses are not written down: [`Grounds`].

mod cycle;
mod missed;
mod outlook;
mod pass;
mod presented;

use self::cycle::after;
pub(in crate::domain) use self::cycle::before;
pub use self::cycle::{Cycle, Hold, NoticeKind, Protection, Seen, Step, Word};
use self::missed::{missed_from, secret_missed_from};
pub use self::missed::{old_secret_used, still_used};
pub use self::outlook::Outlook;
pub use self::pass::{Pass, Plan};
pub(in crate::domain) use self::presented::presented;
use self::presented::ring;
pub use self::presented::{is_noted, rings};
use super::time::DAY_MS;
use super::verdict::closed;
use super::{App, Expiry, Key, KeyId, KeyState, Policy, State, Timestamp};

/// Days before a deletion at which it is announced, in their order.
pub const STEPS: [u32; 3] = [FIRST, 7, 1];
/// Days before a deletion at which it is first announced.
pub const FIRST: u32 = 15;

/// Deletions in one pass that need no word, of a store with so many live keys.
pub fn allowed(live: usize) -> usize {
    (live / 20).clamp(5, 20)
}

/// What the rules go by besides the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grounds {
    /// The time.
    pub now: Timestamp,
    /// Since when no use was lost; `None` leaves nothing to judge by, and nothing is due.
    pub complete_since: Option<Timestamp>,
}

impl Grounds {
    /// None while the clock is in doubt.
    pub fn of(now: Timestamp, suspect: bool, complete_since: Option<Timestamp>) -> Self {
        Self { now, complete_since: complete_since.filter(|_| !suspect) }
    }
}

/// A notice that is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub enum Told {
    /// The key is unused, and is deleted so many days from now at the earliest.
    #[n(0)]
    Unused {
        /// One of [`STEPS`].
        #[n(0)]
        days: u32,
        /// When it goes unless something happens.
        #[n(1)]
        deletes_at: Timestamp,
    },
    /// The key ends within so many days; 0 when it has ended.
    #[n(1)]
    Ends {
        /// The days.
        #[n(0)]
        days: u32,
        /// When it ends.
        #[n(1)]
        at: Timestamp,
    },
    /// The key was deleted or is a decoy, and somebody presents it.
    #[n(2)]
    Presented {
        /// When that was last.
        #[n(0)]
        at: Timestamp,
    },
}

impl Told {
    /// The word of the trail for [`Told::Unused`].
    pub const UNUSED: &'static str = "deleted for want of use";
    /// For [`Told::Ends`].
    pub const ENDS: &'static str = "ends";
    /// For [`Told::Ends`] of a key that has ended.
    pub const ENDED: &'static str = "ended";
    /// For [`Told::Ends`] of a key that another took over from, and that is used all the same.
    pub const MISSED: &'static str = "ends, still used";
    /// For [`Told::Presented`] of a key that was deleted.
    pub const PRESENTED: &'static str = "deleted, still presented";
    /// For [`Told::Presented`] of a decoy.
    pub const RANG: &'static str = "decoy, presented";

    /// Whether it is the first that its key was told, of what holds with it.
    pub fn is_first(self, cycle: &Cycle) -> bool {
        match self {
            Self::Unused { .. } => cycle.ends.is_empty() && cycle.idle.len() == 1,
            // Those of one sweep stand with the tightest in front.
            Self::Presented { .. } => false,
            Self::Ends { days, .. } => cycle.idle.is_empty() && cycle.ends.first() == Some(&days),
        }
    }
}

/// What a sweep of the whole state finds due.
pub fn plan(state: &State, grounds: Grounds) -> Plan<'_> {
    let keys = state.keys().map(|key| (key, usize::from(!key.state(grounds.now).is_over())));
    plan_of(state, grounds, state.apps(), keys, 0)
}

/// What is due of these apps and keys, where each counts for so many live ones beside `live` others.
fn plan_of<'s>(
    state: &'s State,
    grounds: Grounds,
    apps: impl Iterator<Item = &'s App>,
    keys: impl Iterator<Item = (&'s Key, usize)>,
    mut live: usize,
) -> Plan<'s> {
    let now = grounds.now;
    let mut plan = Plan::default();
    if grounds.complete_since.is_none() {
        return plan;
    }
    for app in apps {
        survey_app(state, app, now, &mut plan);
    }
    let mut due = Vec::new();
    for (key, lives) in keys {
        live += lives;
        survey(state, key, grounds, &mut plan, &mut due);
    }
    due.sort_unstable_by_key(|key: &&Key| key.id);
    let hold = state.hold();
    let (confirmed, mut free): (Vec<_>, Vec<_>) = due.into_iter().partition(|key| hold.lets_go(key.id));
    let may_go = if hold.put_back.is_some() { 0 } else { allowed(live) };
    let wanted = if free.len() > may_go {
        // Those beyond what a hold can name wait for the one after it.
        let keys: Vec<KeyId> = free.drain(..).map(|key| key.id).take(Hold::MAX).collect();
        let since = hold.since.filter(|_| hold.confirmed.is_none()).unwrap_or(now);
        Hold { keys, since: Some(since), confirmed: None, put_back: hold.put_back }
    } else {
        let since = hold.since.filter(|_| hold.put_back.is_some());
        Hold { since, put_back: hold.put_back, ..Hold::default() }
    };
    // A word is used up when the last deletion it was given for is done. Its keys are none of those that want one.
    if confirmed.is_empty() && wanted.keys != hold.keys {
        let new = wanted.keys.iter().filter(|key| hold.keys.binary_search(key).is_err()).count();
        plan.hold = Some((wanted, u32::try_from(new).unwrap_or(u32::MAX)));
    }
    plan.deletions = free;
    plan.deletions.extend(confirmed);
    plan.notices.sort_by_key(|(key, ..)| key.id);
    plan.renewed.sort_by_key(|(key, _)| key.id);
    plan.cleared.sort_by_key(|key| key.id);
    plan.purges.sort_by_key(|key| key.id);
    plan.graces.sort_by_key(|(key, _)| key.id);
    plan.ended.sort_by_key(|key| key.id);
    plan.resumed.sort_by_key(|key| key.id);
    plan
}

/// What is due for the old secret of an app, and when something will be. That of a deleted app opens nothing.
fn survey_app<'s>(state: &'s State, app: &'s App, now: Timestamp, plan: &mut Plan<'s>) {
    let Some(old) = app.previous().filter(|_| !app.is_deleted()) else { return };
    plan.secrets.extend(state.secret_grace_end(app, now).map(|grace| (app, grace)));
    match old.until.instant() {
        Some(end) if now >= end => plan.spent.push(app),
        Some(end) => {
            let (is_told, used) = (old.missed == Some(end), state.usage_of(old.uses).last_used_at);
            let from = secret_missed_from(app).filter(|_| !is_told);
            plan.next = earliest(plan.next, from.and_then(|from| missed_at(from, used, now)).or(Some(end)));
            if !is_told && old_secret_used(state, app, now) {
                plan.missed.push((app, end));
            }
        }
        None => {}
    }
}

/// What is due for one key, deleted or not, and when something will be.
fn survey<'s>(state: &'s State, key: &'s Key, grounds: Grounds, plan: &mut Plan<'s>, due: &mut Vec<&'s Key>) {
    #[cfg(test)]
    tests::LOOKS.with(|looks| looks.set(looks.get() + 1));
    if let Some(until) = key.restorable_until() {
        if grounds.now >= until {
            plan.purges.push(key);
        } else {
            plan.next = earliest(plan.next, Some(until));
        }
    }
    ring(state, key, grounds.now, plan);
    plan.graces.extend(state.grace_end(key, grounds.now).map(|begun| (key, begun)));
    if key.superseded.is_some() && !key.is_ended() {
        match key.expiry.instant() {
            Some(end) if grounds.now >= end => plan.ended.push(key),
            Some(end) => miss(state, key, end, grounds.now, plan),
            None => {}
        }
    }
    match key.resumes_at().filter(|_| !key.expiry.is_over(grounds.now)) {
        Some(at) if grounds.now >= at => plan.resumed.push(key),
        at => plan.next = earliest(plan.next, at),
    }
    judge(state, key, grounds, plan, due);
}

/// Whether somebody is to be told that an old half is still used that ends then.
fn miss<'s>(state: &'s State, key: &'s Key, end: Timestamp, now: Timestamp, plan: &mut Plan<'s>) {
    let known = state.cycle(key.id);
    let is_told = known.and_then(|cycle| cycle.missed) == Some(end);
    let used = state.usage(key.id).last_used_at;
    let works = key.state(now) == KeyState::Superseded;
    let from = missed_from(key).filter(|_| works && !is_told);
    plan.next = earliest(plan.next, from.and_then(|from| missed_at(from, used, now)).or(Some(end)));
    if !is_told && still_used(state, key, now) {
        let cycle = known.cloned().unwrap_or_else(|| Cycle::of(key.id));
        plan.notices.push((key, Cycle { missed: Some(end), ..cycle }, Told::Ends { days: 1, at: end }));
    }
}

/// When it will be told of what is used that it ends soon: that time is known as far as nobody uses it until then.
fn missed_at(from: Timestamp, used: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    (now < from && used.is_some_and(|at| from.since(at) <= DAY_MS)).then_some(from)
}

/// What is due for one key: its notices, and whether it goes.
fn judge<'s>(state: &'s State, key: &'s Key, grounds: Grounds, plan: &mut Plan<'s>, due: &mut Vec<&'s Key>) {
    // What was told of a key that was ended, or that another took over from, is left as it was told.
    if key.is_ended() || key.superseded.is_some() {
        return;
    }
    let now = grounds.now;
    let known = state.cycle(key.id);
    let told = |plan: &Plan<'s>| {
        let last = plan.notices.last().filter(|(last, ..)| last.id == key.id);
        last.map(|(_, cycle, _)| cycle.clone())
    };
    // What is told of it already is written down with what follows, too.
    let cycle = told(plan).or_else(|| known.cloned());
    let mut cycle = cycle.unwrap_or_else(|| Cycle::of(key.id)).believed(now);
    let watch = watch(state, state.policy(), key, &cycle, grounds);
    // First of all, so that whatever notice is given writes down that these hold no more.
    if watch.as_ref().is_none_or(|watch| watch.is_void) {
        cycle.idle.clear();
        cycle.forget(&[NoticeKind::Deletion]);
    }
    if key.expiry == Expiry::Never {
        cycle.forget_end();
    }
    if let Some(at) = key.expiry.instant() {
        let days = key.notice(state.policy());
        if now < before(at, days) {
            cycle.forget_end();
        }
        cycle.believe_end(at, now);
        let mut steps = [0, 1.min(days), days];
        steps.sort_unstable();
        let mut hit = steps.into_iter().filter(|step| now >= before(at, *step));
        if let Some(tightest) = hit.next() {
            // Told by a keydeck that wrote down no time for it, it is told once more before the record goes.
            let clears = clears_at(state.policy(), key, Some(&cycle), now);
            let is_new = !cycle.ends.contains(&tightest) || clears.is_some() && cycle.ended.is_none();
            for step in [tightest].into_iter().chain(hit) {
                if !cycle.ends.contains(&step) {
                    cycle.ends.push(step);
                }
            }
            if is_new {
                if tightest == 0 {
                    cycle.ended = Some(now);
                }
                plan.notices.push((key, cycle.clone(), Told::Ends { days: tightest, at }));
            }
        }
        match clears_at(state.policy(), key, Some(&cycle), now) {
            Some(at) if now >= at => plan.cleared.push(key),
            at => plan.next = earliest(plan.next, at),
        }
        let to_come = steps.into_iter().filter(|step| !cycle.ends.contains(step));
        let coming = to_come.map(|step| before(at, step)).filter(|at| now < *at);
        plan.next = earliest(plan.next, coming.min());
    }
    if let Some(watch) = watch {
        let coming = match cycle.next_step() {
            Some(days) if now >= before(watch.deletes_at, days) => {
                cycle.idle.push(Step { days, at: now });
                let deletes_at = watch.deletes_at.max(after(now, days));
                plan.notices.push((key, cycle.clone(), Told::Unused { days, deletes_at }));
                before(deletes_at, cycle.next_step().unwrap_or(0))
            }
            Some(days) => before(watch.deletes_at, days),
            None if now >= watch.deletes_at => {
                due.push(key);
                now
            }
            None => watch.deletes_at,
        };
        plan.next = earliest(plan.next, Some(coming).filter(|at| now < *at));
    }
    // A notice writes down the rest of it as well.
    if told(plan).is_none() && known.is_some_and(|known| *known != cycle) {
        plan.renewed.push((key, cycle));
    }
}

/// How a watched key stands.
struct Watch {
    /// Whether the notices that were given hold no more.
    is_void: bool,
    /// When it goes.
    deletes_at: Timestamp,
}

fn watch(state: &State, policy: &Policy, key: &Key, cycle: &Cycle, grounds: Grounds) -> Option<Watch> {
    let idle_days = policy.idle_days.filter(|_| watched(state, key, grounds.now))?;
    let used = state.usage(key.id).last_used_at;
    // Lifting a lockdown gives it back as resuming a key does.
    let touched = used.max(key.counted_from).max(state.lifted(key));
    let base = touched.max(Some(key.created_at.max(grounds.complete_since?)))?;
    let is_void = cycle.idle.iter().any(|step| touched.is_some_and(|at| step.at <= at))
        || grounds.now < after(base, idle_days.saturating_sub(FIRST));
    let told = cycle.idle.iter().filter(|_| !is_void).map(|step| after(step.at, step.days)).max();
    Some(Watch { is_void, deletes_at: told.max(Some(after(base, idle_days)))? })
}

/// Whether days without use count for this key: nobody can use one that is refused for what it belongs to, and while the
/// old half of a rotation works, whoever uses that uses the key.
fn watched(state: &State, key: &Key, now: Timestamp) -> bool {
    let works = key.state(now) == KeyState::Active && closed(state, key).is_none();
    works && key.protection.is_none() && state.old_half(key, now).is_none()
}

/// When a key will be deleted for want of use if nothing happens, and how many notices of that were given. `None` while it
/// is not watched, and of one that ends by itself before that: what a sweep notes of it is nobody's to hear.
pub fn deletes_at(state: &State, key: &Key, grounds: Grounds) -> Option<(Timestamp, usize)> {
    deletes_under(state, state.policy(), key, grounds)
}

/// The same, if that were the policy.
pub fn deletes_under(
    state: &State,
    policy: &Policy,
    key: &Key,
    grounds: Grounds,
) -> Option<(Timestamp, usize)> {
    let known = state.cycle(key.id).cloned().unwrap_or_else(|| Cycle::of(key.id)).believed(grounds.now);
    let watch = watch(state, policy, key, &known, grounds)?;
    let given = if watch.is_void { 0 } else { known.idle.len() };
    // The notices that are still to come take their days.
    let soonest = STEPS.get(given).map(|days| after(grounds.now, *days));
    let at = soonest.max(Some(watch.deletes_at))?;
    key.expiry.instant().is_none_or(|end| at < end).then_some((at, given))
}

/// When the record of a key is cleared away under a policy, by what is remembered of its notices: so many days after its end,
/// and after that was told, which it is now if it was not yet. `None` of one that has not expired, or is protected.
pub fn clears_at(policy: &Policy, key: &Key, cycle: Option<&Cycle>, now: Timestamp) -> Option<Timestamp> {
    let has_expired = key.state(now) == KeyState::Expired && key.protection.is_none();
    let days = policy.ended_days.filter(|_| has_expired)?;
    let end = key.expiry.instant()?;
    let told = cycle.and_then(|cycle| cycle.told_ended(end, now)).unwrap_or(now);
    Some(after(end.max(told), days))
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;

    thread_local! {
        /// Keys that were looked at on this thread, each as often as it was.
        pub(crate) static LOOKS: Cell<usize> = const { Cell::new(0) };
    }
}
