//! Old halves of rotations and old secrets that end soon and are used still: somebody has not changed over.

use super::before;
use crate::domain::time::DAY_MS;
use crate::domain::{App, Key, KeyState, State, Timestamp, View};

/// Whether somebody is about to be refused: the old half of a rotation ends within the hour, or within the day where there
/// was a day to change over, and was used within the last day.
pub fn still_used(state: &State, key: &Key, now: Timestamp) -> bool {
    let used = state.usage(key.id).last_used_at;
    key.state(now) == KeyState::Superseded
        && missed_from(key).is_some_and(|from| from <= now)
        && used.is_some_and(|at| now.since(at) <= DAY_MS)
}

/// The same of the old secret of an app.
pub fn old_secret_used(state: &State, app: &App, now: Timestamp) -> bool {
    let used = app.old_secret(now).and_then(|old| state.usage_of(old.uses).last_used_at);
    secret_missed_from(app).is_some_and(|from| from <= now) && used.is_some_and(|at| now.since(at) <= DAY_MS)
}

/// From when on a use of the old half of a rotation is told.
pub(super) fn missed_from(key: &Key) -> Option<Timestamp> {
    let (how, end) = key.superseded.as_ref().zip(key.expiry.instant())?;
    Some(told_from(how.since, end))
}

/// The same of the old secret of an app.
pub(super) fn secret_missed_from(app: &App) -> Option<Timestamp> {
    let (replaced, old) = app.replaced.as_ref().zip(app.previous())?;
    Some(told_from(replaced.since, old.until.instant()?))
}

fn told_from(since: Timestamp, end: Timestamp) -> Timestamp {
    let day = before(end, 1).0.max(since.0.saturating_add(DAY_MS));
    Timestamp(day.min(end.0.saturating_sub(DAY_MS / 24)))
}

impl View<'_> {
    /// [`still_used`], of a key in view.
    pub fn still_used(&self, key: &Key, now: Timestamp) -> bool {
        still_used(self.state(), key, now)
    }
}
