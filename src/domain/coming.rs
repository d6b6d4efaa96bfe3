//! What time brings until a moment: keys that end, are deleted for want of use or cleared away, graces that end. Told or not, seen
//! or not: for whoever looks ahead, as `keydeck due` and the calendar do.

use super::notice::{Board, Notice, What};
use super::{Grounds, Hold, Key, KeyState, Timestamp, View};

/// See the module.
pub struct Coming<'a> {
    view: View<'a>,
    grounds: Grounds,
    until: Timestamp,
    hold: Hold,
}

impl<'a> Coming<'a> {
    /// What comes until then, of what is seen.
    pub fn new(view: View<'a>, grounds: Grounds, until: Timestamp) -> Self {
        Self { view, grounds, until, hold: view.hold() }
    }

    /// To one key. A deletion that waits for a word has no time.
    pub fn of_key(&self, key: &Key) -> impl Iterator<Item = Notice> + use<> {
        let (view, now) = (self.view, self.grounds.now);
        let at = |what: What, when: Option<Timestamp>| {
            when.filter(|when| *when <= self.until).map(|when| Notice::of_key(what, key, when))
        };
        let both = match key.state(now) {
            KeyState::Active | KeyState::Paused => {
                let waits = self.hold.confirmed.is_none() && self.hold.keys.binary_search(&key.id).is_ok();
                let goes = view.deletes_at(key, self.grounds).filter(|when| !waits && *when <= self.until);
                let told = goes.and_then(|_| view.deletion(key, self.grounds)).map_or(0, |(_, told)| told);
                [at(What::Deletion { told }, goes), at(What::Ends, key.expiry.instant())]
            }
            KeyState::Superseded => {
                let what = if view.still_used(key, now) { What::StillUsed } else { What::GraceEnds };
                [at(what, key.expiry.instant()), None]
            }
            KeyState::Expired => [at(What::Clears, view.clears_at(key, now)), None],
            KeyState::Revoked | KeyState::Deleted => [None, None],
        };
        both.into_iter().flatten()
    }

    /// To the old secrets of apps; and what waits for somebody, which has no time.
    pub fn of_others(&self) -> Vec<Notice> {
        let state = self.view.state();
        let mut board = Board::new(self.grounds);
        self.view.apps().into_iter().for_each(|app| board.add_app(state, app));
        board.add_lockdowns(self.view.lockdowns());
        let mut all = board.finish(state, &self.hold, &[]);
        all.retain(|notice| {
            let of_app = notice.app.is_some() && notice.when <= self.until;
            matches!(notice.what, What::Held(_) | What::LockedDown(_)) || of_app
        });
        all
    }

    /// All of it, what comes first before the rest.
    pub fn all(&self) -> Vec<Notice> {
        let mut all = self.of_others();
        all.extend(self.view.keys().flat_map(|key| self.of_key(key)));
        all.sort_by_key(|notice| (notice.when, notice.key));
        all
    }
}

/// What becomes of something on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// A key is deleted for want of use: its secret is dead for good.
    Deleted,
    /// A key expires.
    Ends,
    /// A grace ends.
    Grace,
    /// The record of a key that has ended is cleared away.
    Cleared,
}

impl Fate {
    /// All of them, in the order in which they are told: what cannot be taken back comes first.
    pub const ALL: [Self; 4] = [Self::Deleted, Self::Ends, Self::Grace, Self::Cleared];

    /// Of a notice; of one that has no day to come none.
    pub const fn of(what: What) -> Option<Self> {
        match what {
            What::Ends => Some(Self::Ends),
            What::Deletion { .. } => Some(Self::Deleted),
            What::GraceEnds | What::StillUsed => Some(Self::Grace),
            What::Clears => Some(Self::Cleared),
            What::Trouble(_)
            | What::Held(_)
            | What::PutBack
            | What::LockedDown(_)
            | What::OwnerGone(..)
            | What::Ended
            | What::Deleted
            | What::Presented { .. }
            | What::Restored => None,
        }
    }
}
