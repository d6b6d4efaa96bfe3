//! The last days of many keys at once, as a list shows them: a strip beside each.

use minicbor::{Decode, Encode};

use super::picture::{Bar, Picture};
use crate::domain::KeyId;

/// Days of a strip.
pub const DAYS: usize = 14;
/// Keys that are asked about at once: more rows than any window has.
pub const MOST: usize = 256;

/// How one key was used.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Spark {
    /// Which.
    #[n(0)]
    pub key: KeyId,
    /// [`DAYS`] days, the oldest first; the last one goes on.
    #[n(1)]
    pub days: Vec<Bar>,
}

impl Spark {
    /// Of what is known of `key`.
    pub fn of(key: KeyId, picture: &Picture) -> Self {
        let from = picture.days.len().saturating_sub(DAYS);
        Self { key, days: picture.days.get(from..).unwrap_or_default().to_vec() }
    }
}
