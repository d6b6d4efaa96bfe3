//! How the keys in sight were used in the last days: asked for together when the rows have rested for a moment, and kept for
//! those rows only.

use std::collections::HashMap;

use crate::domain::KeyId;
use crate::domain::history::picture::Bar;
use crate::domain::history::spark::{MOST, Spark};
use crate::tui::app::ask::{Ask, Job};
use crate::tui::clock::{Moment, Now};
use crate::tui::sight::wanted::Wanted;

/// The strips of the rows in sight, as far as they are known.
#[derive(Debug, Default)]
pub struct Sparks {
    wanted: Wanted<Vec<KeyId>, ()>,
    known: HashMap<KeyId, Vec<Bar>>,
}

impl Sparks {
    /// These rows are in sight; none where there is no room for strips.
    pub fn want(&mut self, rows: &[KeyId], now: Now) {
        let rows = rows.get(..MOST).unwrap_or(rows);
        if rows.is_empty() {
            self.known = HashMap::new();
        }
        self.wanted.want((!rows.is_empty()).then(|| rows.to_vec()), now);
    }

    /// Something happened somewhere: what is known may have grown.
    pub const fn outdate(&mut self) {
        self.wanted.outdate();
    }

    /// The strips that are known.
    pub const fn known(&self) -> &HashMap<KeyId, Vec<Bar>> {
        &self.known
    }

    /// Asks for them when it is time to.
    pub fn tick(&mut self, now: Now, out: &mut Vec<Ask>) {
        out.extend(self.wanted.tick(now).map(|rows| Ask::Do(Job::Sparks(rows))));
    }

    /// When it wants a tick.
    pub fn wake_at(&self) -> Option<Moment> {
        self.wanted.wake_at()
    }

    /// They came.
    pub fn take(&mut self, found: Vec<Spark>) {
        self.wanted.take(|_| ());
        self.known = found.into_iter().map(|spark| (spark.key, spark.days)).collect();
    }

    /// They could not be read; not asked for again until something changes.
    pub fn give_up(&mut self) {
        self.wanted.take(|_| ());
    }
}
