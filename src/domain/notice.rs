//! The notice board: what time is about to do to keys and what it has done, and what keeps it from that, as one operator may
//! see it. Nothing of it is kept but who has seen what: it is read off the records, so what is over is never announced.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::lifecycle::{
    FIRST, Grounds, NoticeKind, STEPS, Seen, before, deletes_at, old_secret_used, presented, still_used,
};
use super::time::DAY_MS;
use super::{
    App, AppId, Cycle, Extent, Hold, Key, KeyId, KeyState, Lockdown, OperatorId, Standing, State, Status,
    Timestamp, View,
};

/// Days for which the board tells of what has happened.
const REMEMBERED_DAYS: i64 = 7;

/// What a notice tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Something is wrong with the store or this machine.
    Trouble(Trouble),
    /// More deletions than may be done without a word are due; so many wait for one.
    Held(usize),
    /// The store was put back from a backup that was made then, and nobody has said yet that deletions go on.
    PutBack,
    /// Everything of this is locked down.
    LockedDown(Extent),
    /// Somebody whose access was ended owns so many keys that live and work.
    OwnerGone(OperatorId, usize),
    /// The key is deleted for want of use then, unless something happens; so many notices of it were given.
    Deletion {
        /// Of [`STEPS`].
        told: usize,
    },
    /// The key ends then.
    Ends,
    /// The grace ends then of a key that another took over from, or of the old secret of an app.
    GraceEnds,
    /// It ends soon, and the key or secret was used not long ago.
    StillUsed,
    /// It has ended.
    Ended,
    /// It has, and its record is cleared away then. Not on the board: that it has ended was told.
    Clears,
    /// It was deleted for want of use; its record can be restored until then.
    Deleted,
    /// It opens nothing, and was presented then all the same.
    Presented {
        /// It is a decoy; else it was deleted.
        decoy: bool,
    },
    /// Its record was deleted and is back, revoked.
    Restored,
}

/// What is wrong, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Trouble {
    /// The store does not agree with its own trail.
    #[n(0)]
    Doubt,
    /// What took access away waits for the disk.
    #[n(1)]
    Denials,
    /// It takes no changes, and would.
    #[n(2)]
    Disk,
    /// It takes none because it was opened so.
    #[n(3)]
    ReadOnly,
    /// The seal beside the store is behind.
    #[n(4)]
    Seal,
    /// What is used is not written down, so nothing is judged by it.
    #[n(5)]
    Uses,
    /// The clock is in doubt.
    #[n(6)]
    Clock,
    /// The last sweep was not done.
    #[n(7)]
    Sweep,
    /// A channel does not deliver notices.
    #[n(8)]
    Delivery,
}

impl What {
    /// The word for [`What::LockedDown`], also where it is delivered.
    pub const LOCKED_DOWN: &'static str = "locked_down";

    /// Its word for scripts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Trouble(trouble) => trouble.code(),
            Self::Held(_) => "held",
            Self::PutBack => "put_back",
            Self::LockedDown(_) => Self::LOCKED_DOWN,
            Self::OwnerGone(..) => "owner_disabled",
            Self::GraceEnds => "grace_ends",
            Self::StillUsed => "still_used",
            Self::Clears => "clears",
            Self::Deletion { .. }
            | Self::Ends
            | Self::Ended
            | Self::Deleted
            | Self::Presented { .. }
            | Self::Restored => match self.kind() {
                Some(kind) => kind.code(),
                None => "",
            },
        }
    }

    /// Of what kind it is, if it is one that somebody can have seen.
    pub const fn kind(self) -> Option<NoticeKind> {
        match self {
            Self::Trouble(_)
            | Self::Held(_)
            | Self::PutBack
            | Self::LockedDown(_)
            | Self::OwnerGone(..)
            | Self::GraceEnds
            | Self::StillUsed
            | Self::Clears => None,
            Self::Deletion { .. } => Some(NoticeKind::Deletion),
            Self::Ends => Some(NoticeKind::Ends),
            Self::Ended => Some(NoticeKind::Ended),
            Self::Deleted => Some(NoticeKind::Deleted),
            Self::Presented { .. } => Some(NoticeKind::Presented),
            Self::Restored => Some(NoticeKind::Restored),
        }
    }

    /// What is wrong or waits for somebody stands before what is to come, and that before what has happened.
    const fn rank(self) -> (u8, Option<Trouble>) {
        match self {
            Self::Trouble(trouble) => (0, Some(trouble)),
            Self::Held(_) | Self::PutBack | Self::LockedDown(_) | Self::Presented { .. } => (1, None),
            Self::OwnerGone(..)
            | Self::Deletion { .. }
            | Self::Ends
            | Self::GraceEnds
            | Self::StillUsed
            | Self::Clears => (2, None),
            Self::Ended | Self::Deleted | Self::Restored => (3, None),
        }
    }
}

impl Trouble {
    /// What it means, for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Doubt => "the store is in doubt, what it does not vouch for is refused",
            Self::Denials => "what took access away is not written yet",
            Self::Disk | Self::ReadOnly => "the store takes no changes",
            Self::Seal => "a store put back in time might go unnoticed",
            Self::Uses => "uses are not written down, no key is deleted for being idle",
            Self::Clock => "this machine's clock is in doubt",
            Self::Sweep => "what time brings is not done",
            Self::Delivery => "notices are not delivered",
        }
    }

    /// Its word for scripts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Doubt => "store_in_doubt",
            Self::Denials => "denials_unwritten",
            Self::Disk => "store_down",
            Self::ReadOnly => "store_read_only",
            Self::Seal => "seal_behind",
            Self::Uses => "uses_unwritten",
            Self::Clock => "clock_in_doubt",
            Self::Sweep => "sweep_failed",
            Self::Delivery => "delivery_failed",
        }
    }
}

/// One notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it tells.
    pub what: What,
    /// Of which key, if of one.
    pub key: Option<KeyId>,
    /// Of which app, if of the secret of one.
    pub app: Option<AppId>,
    /// When it happens or has happened.
    pub when: Timestamp,
    /// Since when it says just this. What somebody has seen before then was another step.
    pub since: Timestamp,
    /// Who has seen it, while that holds.
    pub seen: Option<Seen>,
}

impl Notice {
    /// A notice of no key.
    pub const fn of(what: What, when: Timestamp) -> Self {
        Self { what, key: None, app: None, when, since: when, seen: None }
    }

    /// A notice of one key that nobody has seen.
    pub fn of_key(what: What, key: &Key, when: Timestamp) -> Self {
        Self { key: Some(key.id), ..Self::of(what, when) }
    }

    const fn since(self, since: Timestamp) -> Self {
        Self { since, ..self }
    }

    /// Whether somebody can say that they have seen it: not before it was told.
    pub const fn can_be_seen(&self) -> bool {
        match self.what {
            What::Deletion { told } => told > 0,
            What::Ends | What::Ended | What::Deleted | What::Presented { .. } | What::Restored => true,
            What::Trouble(_)
            | What::Held(_)
            | What::PutBack
            | What::LockedDown(_)
            | What::OwnerGone(..)
            | What::GraceEnds
            | What::StillUsed
            | What::Clears => false,
        }
    }
}

/// Whether a deleted key was deleted no sooner than its last notice said.
fn told_out(cycle: Option<&Cycle>, deleted: Timestamp) -> bool {
    let last = cycle.filter(|cycle| cycle.idle.len() == STEPS.len()).and_then(|cycle| cycle.idle.last());
    last.is_some_and(|step| deleted.since(step.at) >= i64::from(step.days) * DAY_MS)
}

/// The board while it is being read off the records, some keys at a time.
#[derive(Debug)]
pub struct Board {
    grounds: Grounds,
    notices: Vec<Notice>,
    orphans: BTreeMap<OperatorId, usize>,
}

impl Board {
    /// Nothing yet. Where nothing is to judge by, nothing is said of deletions to come.
    pub const fn new(grounds: Grounds) -> Self {
        Self { grounds, notices: Vec::new(), orphans: BTreeMap::new() }
    }

    /// What there is to tell of one key.
    pub fn add(&mut self, state: &State, key: &Key) {
        self.notices.extend(of_key(state, key, self.grounds));
        let works = key.state(self.grounds.now) == KeyState::Active && !key.is_decoy();
        let owner = state.operator(key.owner).map(|owner| owner.standing);
        if works && owner.is_some_and(|owner| !owner.is_active() && owner.keys_work()) {
            *self.orphans.entry(key.owner).or_default() += 1;
        }
    }

    /// What there is to tell of one app.
    pub fn add_app(&mut self, state: &State, app: &App) {
        let now = self.grounds.now;
        let ends = app.old_secret(now).filter(|_| !app.is_deleted()).and_then(|old| old.until.instant());
        if let Some(at) = ends.filter(|at| at.since(now) <= REMEMBERED_DAYS * DAY_MS) {
            let what = if old_secret_used(state, app, now) { What::StillUsed } else { What::GraceEnds };
            self.notices.push(Notice { app: Some(app.id), ..Notice::of(what, at) });
        }
    }

    /// What there is to tell of lockdowns that stand.
    pub fn add_lockdowns<'l>(&mut self, lockdowns: impl IntoIterator<Item = (Extent, &'l Lockdown)>) {
        let notice =
            |(extent, lockdown): (Extent, &Lockdown)| Notice::of(What::LockedDown(extent), lockdown.since);
        self.notices.extend(lockdowns.into_iter().map(notice));
    }

    /// All of it after the last key and app, what happens next first.
    pub fn finish(self, state: &State, held: &Hold, troubles: &[(Trouble, Timestamp)]) -> Vec<Notice> {
        let Self { mut notices, orphans, .. } = self;
        notices.extend(troubles.iter().map(|(trouble, since)| Notice::of(What::Trouble(*trouble), *since)));
        if let Some((made, since)) = held.put_back.zip(held.since) {
            notices.push(Notice::of(What::PutBack, made).since(since));
        }
        if let Some(since) = held.since.filter(|_| !held.is_empty() && held.confirmed.is_none()) {
            // They do not go before somebody says so, all of them together.
            notices.retain(|notice| {
                notice.what.kind() != Some(NoticeKind::Deletion)
                    || !notice.key.is_some_and(|key| held.keeps(key))
            });
            notices.push(Notice::of(What::Held(held.keys.len()), since));
        }
        notices.extend(orphans.into_iter().filter_map(|(owner, keys)| {
            let Standing::DisabledKeysWork(since) = state.operator(owner)?.standing else { return None };
            Some(Notice::of(What::OwnerGone(owner, keys), since))
        }));
        notices.sort_by_key(|notice| {
            (notice.what.rank(), notice.when, notice.key, notice.app, notice.what.kind())
        });
        notices
    }
}

/// The whole board as an operator may see it.
pub fn board(view: View<'_>, grounds: Grounds, troubles: &[(Trouble, Timestamp)]) -> Vec<Notice> {
    let mut board = Board::new(grounds);
    for key in view.keys() {
        board.add(view.state(), key);
    }
    for app in view.apps() {
        board.add_app(view.state(), app);
    }
    board.add_lockdowns(view.lockdowns());
    board.finish(view.state(), &view.hold(), troubles)
}

/// What there is to tell of one key, the next first.
pub fn of_key(state: &State, key: &Key, grounds: Grounds) -> Vec<Notice> {
    let now = grounds.now;
    let cycle = state.cycle(key.id);
    let mut all = Vec::new();
    match key.state(now) {
        KeyState::Expired => {
            let ended = key.expiry.instant().filter(|at| now.since(*at) <= REMEMBERED_DAYS * DAY_MS);
            all.extend(ended.map(|at| Notice::of_key(What::Ended, key, at)));
        }
        KeyState::Deleted => {
            // Not what somebody deleted by hand after it had been told of, nor what was deleted after its end.
            if let Status::Deleted(at) = key.status
                && let Some(until) = key.restorable_until().filter(|until| now < *until)
                && !key.was_over()
                && told_out(cycle, at)
            {
                all.push(Notice::of_key(What::Deleted, key, until).since(at));
            }
        }
        KeyState::Active | KeyState::Paused => {
            all.extend(key.expires_soon(state.policy(), now).map(|at| {
                let last_day = before(at, 1);
                let since = if now < last_day { before(at, key.notice(state.policy())) } else { last_day };
                Notice::of_key(What::Ends, key, at).since(since)
            }));
        }
        KeyState::Superseded => {
            let ends = key.expiry.instant().filter(|at| at.since(now) <= REMEMBERED_DAYS * DAY_MS);
            let what = if still_used(state, key, now) { What::StillUsed } else { What::GraceEnds };
            all.extend(ends.map(|at| Notice::of_key(what, key, at)));
        }
        KeyState::Revoked => {
            let back = key.restored_at().filter(|at| now.since(*at) <= REMEMBERED_DAYS * DAY_MS);
            all.extend(back.map(|at| Notice::of_key(What::Restored, key, at)));
        }
    }
    if let Some((at, told)) = presented(state, key, now) {
        let what = What::Presented { decoy: key.is_laid() };
        all.push(Notice::of_key(what, key, at).since(told.unwrap_or(at)));
    }
    if let Some((when, told)) = deletion(state, key, grounds) {
        let given = cycle.and_then(|cycle| cycle.idle.get(told.checked_sub(1)?));
        let since = given.map_or(now, |step| step.at);
        all.push(Notice::of_key(What::Deletion { told }, key, when).since(since));
    }
    for notice in &mut all {
        let seen = cycle.zip(notice.what.kind()).and_then(|(cycle, kind)| cycle.seen(kind));
        let holds = |seen: &&Seen| {
            notice.since <= seen.word.at && seen.until.is_none_or(|until| now < until) && seen.is_of(key)
        };
        notice.seen = seen.filter(holds).copied();
    }
    all.sort_by_key(|notice| notice.when);
    all
}

/// When a key is deleted for want of use if nothing happens, and how many notices of that were given. `None` while that
/// is further away than the first notice.
fn deletion(state: &State, key: &Key, grounds: Grounds) -> Option<(Timestamp, usize)> {
    let (at, told) = deletes_at(state, key, grounds)?;
    (told > 0 || at.since(grounds.now) <= i64::from(FIRST) * DAY_MS).then_some((at, told))
}

impl View<'_> {
    /// When a key is deleted for want of use if nothing happens, and how many notices of that were given. `None` while that
    /// is further away than the first notice.
    pub fn deletion(&self, key: &Key, grounds: Grounds) -> Option<(Timestamp, usize)> {
        deletion(self.state(), key, grounds)
    }

    /// When a key is deleted for want of use, if that was announced and nothing has stopped it since. Where uses were lost
    /// it comes later than this.
    pub fn goes(&self, key: &Key, now: Timestamp) -> Option<Timestamp> {
        let grounds = Grounds { now, complete_since: Some(key.created_at) };
        self.deletion(key, grounds).filter(|(_, told)| *told > 0).map(|(at, _)| at)
    }
}
