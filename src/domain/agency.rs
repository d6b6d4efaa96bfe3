//! The agency: the organisation that owns a store. There is one per store.

use minicbor::{Decode, Encode};

use super::{Lockdown, Name, Timestamp};

/// Who the keys of this store belong to.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Agency {
    /// Shown in the console's title.
    #[n(0)]
    pub name: Name,
    /// When the store was founded.
    #[n(1)]
    pub founded_at: Timestamp,
    /// That all its keys and apps are refused, or were.
    #[n(2)]
    pub lockdown: Option<Box<Lockdown>>,
}
