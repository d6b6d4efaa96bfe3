//! Which keys are meant, by where they belong.

use super::seen::Seen;
use crate::domain::{AppId, Key, LocationId, Place};

/// Which keys a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subset {
    Agency,
    /// The keys of all locations.
    Locations,
    At(LocationId),
    /// The keys of all apps.
    Apps,
    Of(AppId),
}

impl Subset {
    /// The keys the operator sees of it, in no order.
    pub fn keys<'a>(self, seen: &Seen<'a>) -> Box<dyn Iterator<Item = &'a Key> + 'a> {
        let holds = move |place: Place| match self {
            Self::Locations => place.location().is_some(),
            Self::Apps => place.app().is_some(),
            Self::Agency | Self::At(_) | Self::Of(_) => place == Place::Agency,
        };
        match self {
            Self::At(location) => Box::new(seen.view.keys_at(location)),
            Self::Of(app) => Box::new(seen.view.keys_of_app(app)),
            Self::Agency | Self::Locations | Self::Apps => {
                Box::new(seen.view.keys().filter(move |key| holds(key.place)))
            }
        }
    }
}
