//! What a wrong clock left behind: keys that only its hour ended, and keys made or used in an hour that has not come.
//! Computed when asked for; nothing is stored of it.

use super::name::plain;
use super::{Key, KeyState, Timestamp, View};

/// What differs between the time decisions go by and the time a clock says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Aftermath<'a> {
    /// Keys that are over by the one and not by the other: they work again when the clock is believed.
    pub expired: Vec<&'a Key>,
    /// Keys made in the future, by the clock. Their lives are counted from then.
    pub made: Vec<&'a Key>,
    /// Keys used last in the future, by the clock.
    pub used: Vec<&'a Key>,
}

impl<'a> Aftermath<'a> {
    /// Of the keys in a view, by name: `time` is what decisions go by, `wall` what the clock says.
    pub fn of(view: View<'a>, time: Timestamp, wall: Timestamp) -> Self {
        let mut keys: Vec<&Key> = view
            .keys()
            .filter(|key| !matches!(key.state(wall), KeyState::Revoked | KeyState::Deleted))
            .collect();
        keys.sort_by_cached_key(|key| (plain(key.name.as_str()), key.id));
        let those = |fits: &dyn Fn(&Key) -> bool| keys.iter().copied().filter(|key| fits(key)).collect();
        Self {
            expired: those(&|key| key.expiry.is_over(time) && !key.expiry.is_over(wall)),
            made: those(&|key| key.created_at > wall),
            used: those(&|key| view.usage(key).last_used_at.is_some_and(|used| used > wall)),
        }
    }

    /// Whether it left nothing.
    pub const fn is_nothing(&self) -> bool {
        self.expired.is_empty() && self.made.is_empty() && self.used.is_empty()
    }
}
