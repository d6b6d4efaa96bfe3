//! Decoys: keys that open nothing and ring when somebody presents them. A token of one has the form of any other, and whoever
//! presents it is answered as if nobody had ever issued it. That it is one is for admins and for its owner to know.
//!
//! What only changes how it looks may be done to one: its name, note, scopes, end, contacts and owner. So may what ends it. What
//! gives or takes access may not, since it has none to give or take: [`Refusal::Decoy`]. No command makes a decoy of a key, nor
//! a key of a decoy.

use minicbor::{Decode, Encode};

use super::{Access, Key, Refusal, Role, View};

/// That a key is a decoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Decoy;

impl Key {
    /// Whether it is a decoy, whatever was done to it.
    pub const fn is_decoy(&self) -> bool {
        self.decoy.is_some()
    }

    /// Whether it is a decoy that nobody has ended: one that rings.
    pub const fn is_laid(&self) -> bool {
        self.is_decoy() && !self.is_ended()
    }

    /// Refuses what makes no sense for a key that opens nothing.
    pub(super) const fn opens_something(&self) -> Result<(), Refusal> {
        if self.is_decoy() { Err(Refusal::Decoy) } else { Ok(()) }
    }
}

impl View<'_> {
    /// Whether the actor may know that a key is a decoy, though they may not see it: admins may, and its owner. To all others it is
    /// one that nobody issued.
    pub fn may_know_of(&self, decoy: &Key) -> bool {
        match self.actor().access {
            Access::Own | Access::Agency => {
                self.role() == Role::Admin
                    || self.operator().is_some_and(|operator| operator.id == decoy.owner)
            }
            Access::Recovery | Access::Service => false,
        }
    }
}
