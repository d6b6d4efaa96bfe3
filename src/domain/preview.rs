//! What a change of the policy would touch of what there is, told before it is taken. Nothing of it is stored.

use super::lifecycle::{clears_at, deletes_under};
use super::time::DAY_MS;
use super::{Grounds, Key, KeyId, KeyState, Policy, Role, Timestamp, View};

/// Names that are told; the others are counted.
const NAMED: usize = 5;

/// One thing that a change of the policy would bring about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched<'a> {
    /// What, for one and for several, as what is said of them: `would be …`.
    pub what: What,
    /// Of whom: keys or operators, by name.
    pub names: Vec<&'a str>,
    /// Which keys those are.
    pub keys: Vec<KeyId>,
    /// Keys of others besides, for who may change the policy and looks at their own only.
    pub others: usize,
    /// When it happens to the first of them, if there is such a time.
    pub first: Option<Timestamp>,
}

/// What would happen to keys and operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Deleted for want of use, which they are not today, or later.
    DeletedSooner,
    /// Not deleted for want of use, or later than today.
    DeletedLater,
    /// Ended, and cleared away for that, which they are not today, or later.
    ClearedSooner,
    /// Ended, and not cleared away, or later than today.
    ClearedLater,
    /// Told of their end at once.
    Told,
    /// They end later than a new key might, or never. They stay as they are.
    OutliveLimit,
    /// They own more keys than they might; none is taken away, and they issue no more.
    OverQuota,
    /// Can no longer issue agency keys.
    IssueAgencyNoMore,
    /// Can no longer issue location keys.
    IssueLocationNoMore,
    /// Can no longer create apps and issue their keys.
    IssueAppNoMore,
}

impl What {
    /// Its word for scripts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::DeletedSooner => "deleted_sooner",
            Self::DeletedLater => "deleted_later",
            Self::ClearedSooner => "cleared_sooner",
            Self::ClearedLater => "cleared_later",
            Self::Told => "told",
            Self::OutliveLimit => "outlive_limit",
            Self::OverQuota => "over_quota",
            Self::IssueAgencyNoMore => "issue_agency_no_more",
            Self::IssueLocationNoMore => "issue_location_no_more",
            Self::IssueAppNoMore => "issue_app_no_more",
        }
    }

    /// Who it happens to and what happens, for so many.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::DeletedSooner => ("key", "would be deleted for want of use, or sooner than now"),
            Self::DeletedLater => ("key", "would not be deleted for want of use, or later than now"),
            Self::ClearedSooner => ("ended key", "would be cleared away, or sooner than now"),
            Self::ClearedLater => ("ended key", "would not be cleared away by a sweep, or later than now"),
            Self::Told => ("key", "would be told of at once, since its end is near"),
            Self::OutliveLimit => ("key", "would last longer than a new one may, and stay so"),
            Self::OverQuota => ("operator", "would own as many keys as may be or more, and issue none"),
            Self::IssueAgencyNoMore => ("operator", "could issue agency keys no longer"),
            Self::IssueLocationNoMore => ("operator", "could issue location keys no longer"),
            Self::IssueAppNoMore => ("operator", "could create apps no longer"),
        }
    }
}

impl Touched<'_> {
    /// Whether it takes keys away, or sooner than now.
    pub const fn ends(&self) -> bool {
        match self.what {
            What::DeletedSooner | What::ClearedSooner => true,
            What::DeletedLater
            | What::ClearedLater
            | What::Told
            | What::OutliveLimit
            | What::OverQuota
            | What::IssueAgencyNoMore
            | What::IssueLocationNoMore
            | What::IssueAppNoMore => false,
        }
    }

    /// In a sentence without its end: `2 keys would be …: Nightly export, Legacy CRM sync; besides, 6 keys of others`.
    pub fn in_words(&self) -> String {
        let (count, (whom, what)) = (self.names.len(), self.what.words());
        let number = |count: usize| format!("{count} {whom}{}", if count == 1 { "" } else { "s" });
        if count == 0 {
            return format!("{} of others {what}", number(self.others));
        }
        let named: Vec<&str> = self.names.iter().copied().take(NAMED).collect();
        let more = if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
        let others = number(self.others);
        let others = if self.others > 0 { format!("; besides, {others} of others") } else { String::new() };
        format!("{} {what}: {}{more}{others}", number(count), named.join(", "))
    }
}

/// When something becomes of a key under a policy.
type Goes<'f> = &'f dyn Fn(&Policy, &Key) -> Option<Timestamp>;

/// Whether what the policy says of keys that exist would be another.
pub fn is_about_keys(before: &Policy, after: &Policy) -> bool {
    let rules = |policy: &Policy| {
        let kinds = [policy.notice_days_agency, policy.notice_days_location, policy.notice_days_app];
        (policy.idle_days, policy.ended_days, policy.max_life, policy.notice_days, kinds)
    };
    rules(before) != rules(after)
}

/// One that a change would touch, by name where it is in view, and when.
type Found<'a> = (Option<(&'a str, Option<KeyId>)>, Option<Timestamp>);

/// What would be touched if `after` were the policy: by name as far as it is seen, and who may change the policy is told how
/// many keys of others there are besides.
pub fn touched<'a>(view: View<'a>, after: &Policy, grounds: Grounds) -> Vec<Touched<'a>> {
    let (before, now) = (view.policy(), grounds.now);
    let mut all = Vec::new();
    // Of those that have ended only the days after their end tell.
    let is_looked_at = |key: &&Key| key.state(now).is_live() || key.state(now) == KeyState::Expired;
    let mut keys: Vec<&Key> = if is_about_keys(before, after) && view.sets_policy() {
        view.state().keys().filter(is_looked_at).collect()
    } else {
        view.keys().filter(is_looked_at).collect()
    };
    keys.sort_by(|one, other| (one.name.as_str(), one.id).cmp(&(other.name.as_str(), other.id)));
    // Of the names that are not told there is none.
    let name = |key: &Key| view.key(key.id).map(|key| (key.name.as_str(), Some(key.id)));
    let mut tell = |what, found: Vec<Found<'a>>| {
        if !found.is_empty() {
            let first = found.iter().filter_map(|(_, at)| *at).min();
            let named = || found.iter().filter_map(|(named, _)| *named);
            let (names, keys): (Vec<&str>, _) =
                (named().map(|(name, _)| name).collect(), named().filter_map(|(_, key)| key).collect());
            let others = found.len() - names.len();
            all.push(Touched { what, names, keys, others, first });
        }
    };
    let mut moved = |under: Goes<'_>, whats: [What; 2]| {
        let (mut sooner, mut later) = (Vec::new(), Vec::new());
        for key in &keys {
            match (under(before, key), under(after, key)) {
                (was, Some(at)) if was.is_none_or(|was| at < was) => {
                    sooner.push((name(key), Some(at)));
                }
                (Some(was), at) if at.is_none_or(|at| was < at) => later.push((name(key), at)),
                _ => {}
            }
        }
        whats.into_iter().zip([sooner, later]).for_each(|(what, found)| tell(what, found));
    };
    let state = view.state();
    if before.idle_days != after.idle_days {
        let under = |policy: &Policy, key: &Key| deletes_under(state, policy, key, grounds).map(|(at, _)| at);
        moved(&under, [What::DeletedSooner, What::DeletedLater]);
    }
    if before.ended_days != after.ended_days {
        // What is due by now goes with the next sweep.
        let under = |policy: &Policy, key: &Key| {
            clears_at(policy, key, state.cycle(key.id), now).map(|at| at.max(now))
        };
        moved(&under, [What::ClearedSooner, What::ClearedLater]);
    }
    let mut of_keys = |what, applies: &dyn Fn(&Key) -> bool| {
        let found = keys.iter().filter(|key| applies(key));
        tell(what, found.map(|key| (name(key), key.expiry.instant())).collect());
    };
    of_keys(What::Told, &|key| {
        key.expires_soon(before, now).is_none() && key.expires_soon(after, now).is_some()
    });
    let within = |key: &Key, limit: Option<u32>| {
        limit.is_none_or(|days| {
            key.expiry.instant().is_some_and(|at| at.since(now) <= i64::from(days) * DAY_MS)
        })
    };
    of_keys(What::OutliveLimit, &|key| {
        !key.is_decoy() && within(key, before.max_life) && !within(key, after.max_life)
    });
    let mut of_operators = |what, applies: &dyn Fn(super::OperatorId, Role) -> bool| {
        let active = view.operators().into_iter().filter(|who| who.standing.is_active());
        let found = active.filter(|who| applies(who.id, who.role));
        tell(what, found.map(|who| (Some((who.name.as_str(), None)), None)).collect());
    };
    let full =
        |policy: &Policy, owner| view.state().live_keys_of(owner, now) >= policy.keys_per_operator as usize;
    of_operators(What::OverQuota, &|owner, _| !full(before, owner) && full(after, owner));
    for (what, least) in [
        (What::IssueAgencyNoMore, (|policy| policy.issue_agency) as fn(&Policy) -> Role),
        (What::IssueLocationNoMore, |policy| policy.issue_location),
        (What::IssueAppNoMore, |policy| policy.issue_app),
    ] {
        of_operators(what, &|_, role| role >= least(before) && role < least(after));
    }
    all
}
