//! What is read of the selected row when the selection has rested for a moment, one row at a time: reading takes the disk.

use std::time::Duration;

use crate::tui::clock::{Moment, Now};

/// How long the selection must rest before anything is read of it.
const REST: Duration = Duration::from_millis(120);

/// What is known of one thing, and of which it is wanted.
#[derive(Debug)]
pub struct Wanted<K, T> {
    /// Of which it is wanted.
    of: Option<K>,
    since: Moment,
    /// Of which it is being read.
    asked: Option<K>,
    /// The last that was read.
    known: Option<(K, T)>,
    /// The known one may have changed.
    stale: bool,
}

impl<K, T> Default for Wanted<K, T> {
    fn default() -> Self {
        Self { of: None, since: Moment::default(), asked: None, known: None, stale: false }
    }
}

impl<K: Clone + PartialEq, T> Wanted<K, T> {
    /// The selection is on `what`.
    pub fn want(&mut self, what: Option<K>, now: Now) {
        if self.of != what {
            self.of = what;
            self.since = now.at;
        }
    }

    /// Something happened somewhere: what is known may have changed.
    pub const fn outdate(&mut self) {
        self.stale = true;
    }

    /// What is known of `what`.
    pub fn of(&self, what: &K) -> Option<&T> {
        self.known.as_ref().filter(|(known, _)| known == what).map(|(_, found)| found)
    }

    /// What is to be read now, if it is time to.
    pub fn tick(&mut self, now: Now) -> Option<K> {
        if self.wake_at().is_none_or(|due| due > now.at) {
            return None;
        }
        self.asked.clone_from(&self.of);
        self.stale = false;
        self.asked.clone()
    }

    /// When it wants a tick.
    pub fn wake_at(&self) -> Option<Moment> {
        let missing = self.stale || self.known.as_ref().map(|(known, _)| known) != self.of.as_ref();
        (missing && self.asked.is_none() && self.of.is_some()).then(|| self.since + REST)
    }

    /// What was asked for has come; or nothing is to come, and it is not asked for again until something changes.
    pub fn take(&mut self, found: impl FnOnce(K) -> T) {
        if let Some(asked) = self.asked.take() {
            let found = found(asked.clone());
            self.known = Some((asked, found));
        }
    }

    /// This was found of `what`.
    pub fn learn(&mut self, what: K, found: T) {
        self.asked.take_if(|asked| *asked == what);
        self.known = Some((what, found));
    }
}
