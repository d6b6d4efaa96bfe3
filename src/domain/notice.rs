//! The notice board: what time is about to do to keys and what it has done, as one operator may see it. Nothing of it is
//! kept: it is read off the records, so what is over is never announced.

use super::lifecycle::{FIRST, Grounds, STEPS, deletes_at};
use super::time::DAY_MS;
use super::{Key, KeyState, Status, Timestamp, View};

/// Days for which the board tells of what has happened.
const REMEMBERED_DAYS: i64 = 7;

/// What a notice tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// More deletions than may be done without a word are due; so many wait for one.
    Held(usize),
    /// The key is deleted for want of use then, unless something happens; so many notices of it were given.
    Deletion {
        /// Of [`STEPS`].
        told: usize,
    },
    /// The key ends then.
    Ends,
    /// It has ended.
    Ended,
    /// It was deleted for want of use; its record can be restored until then.
    Deleted,
}

impl What {
    /// Its word for scripts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Held(_) => "held",
            Self::Deletion { .. } => "deletion",
            Self::Ends => "ends",
            Self::Ended => "ended",
            Self::Deleted => "deleted",
        }
    }
}

/// One notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice<'a> {
    /// What it tells.
    pub what: What,
    /// Of which key, if of one.
    pub key: Option<&'a Key>,
    /// When it happens or has happened.
    pub when: Timestamp,
}

/// Whether a deleted key was deleted no sooner than its last notice said.
fn told_out(view: View<'_>, key: &Key) -> bool {
    let last = view.cycle(key).filter(|cycle| cycle.idle.len() == STEPS.len()).and_then(|c| c.idle.last());
    let Status::Deleted(at) = key.status else { return false };
    last.is_some_and(|step| at.since(step.at) >= i64::from(step.days) * DAY_MS)
}

/// The board: what happens next stands first. Where nothing is to judge by, nothing is said of deletions to come.
pub fn board(view: View<'_>, grounds: Grounds) -> Vec<Notice<'_>> {
    let now = grounds.now;
    let mut board: Vec<Notice<'_>> = Vec::new();
    let held = view.hold();
    if let Some(since) = held.since.filter(|_| !held.is_empty() && held.confirmed.is_none()) {
        board.push(Notice { what: What::Held(held.keys.len()), key: None, when: since });
    }
    for key in view.keys() {
        let tell = |what, when| Notice { what, key: Some(key), when };
        match key.state(now) {
            KeyState::Expired => {
                let ended = key.expiry.instant().filter(|at| now.since(*at) <= REMEMBERED_DAYS * DAY_MS);
                board.extend(ended.map(|at| tell(What::Ended, at)));
            }
            KeyState::Deleted => {
                // Not what somebody deleted by hand after it had been told of.
                let idle = key.restorable_until().filter(|until| now < *until && told_out(view, key));
                board.extend(idle.map(|until| tell(What::Deleted, until)));
            }
            KeyState::Active | KeyState::Paused => {
                board.extend(key.expires_soon(view.policy(), now).map(|at| tell(What::Ends, at)));
            }
            KeyState::Revoked => {}
        }
        if let Some((when, told)) = view.deletion(key, grounds) {
            board.push(tell(What::Deletion { told }, when));
        }
    }
    board.sort_by_key(|notice| {
        let late = matches!(notice.what, What::Ended | What::Deleted);
        (late, notice.when, notice.key.map(|key| key.id))
    });
    board
}

impl View<'_> {
    /// When a key is deleted for want of use if nothing happens, and how many notices of that were given. `None` while that
    /// is further away than the first notice.
    pub fn deletion(&self, key: &Key, grounds: Grounds) -> Option<(Timestamp, usize)> {
        let (at, told) = deletes_at(self.state(), key, grounds)?;
        (told > 0 || at.since(grounds.now) <= i64::from(FIRST) * DAY_MS).then_some((at, told))
    }
}
