//! Locations: sub-accounts or branches of the agency.

use minicbor::{Decode, Encode};

use super::{LocationId, Lockdown, Name, Timestamp};

/// A branch. A removed one keeps its record, so that the history of its keys stays readable.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Location {
    /// Its id.
    #[n(0)]
    pub id: LocationId,
    /// Unique among the locations that are not removed.
    #[n(1)]
    pub name: Name,
    /// When it was added.
    #[n(2)]
    pub created_at: Timestamp,
    /// When it was removed, if it was.
    #[n(3)]
    pub removed_at: Option<Timestamp>,
    /// That all its keys are refused, or were.
    #[n(4)]
    pub lockdown: Option<Box<Lockdown>>,
}

impl Location {
    /// Whether keys can be issued for it and its keys can work.
    pub const fn is_open(&self) -> bool {
        self.removed_at.is_none()
    }
}
