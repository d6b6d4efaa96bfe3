//! What many keys share in the verification table: scopes, owner and place. A start compares those of each key, so they are
//! looked for as the state has them, and copied only where they are new.

use std::hash::{BuildHasher as _, RandomState};

use crate::domain::{App, Key, Name, Place, PublicId, ReportOnly, Scopes, SourceApp, State, UserType};
use crate::engine::caller::{Caller, Named};
use crate::engine::table::Hit;

/// What many keys have in common besides what decides: all that callers are told of a key but its id and name.
pub(super) struct Terms {
    pub scopes: Scopes,
    owner: Option<Name>,
    place: Place,
    profile: Option<(SourceApp, UserType)>,
    /// The narrower set that is tried: it decides nothing.
    pub report_only: Option<Box<ReportOnly>>,
}

/// The terms of one key, as its state has them: copied only where no other key has the same.
pub(super) struct Sought<'s> {
    pub scopes: &'s Scopes,
    pub owner: Option<&'s Name>,
    pub place: Place,
    profile: Option<(SourceApp, UserType)>,
    report_only: Option<&'s ReportOnly>,
}

impl<'s> Sought<'s> {
    /// Of a key.
    pub fn of(state: &'s State, key: &'s Key) -> Self {
        let profile = |app: &App| (app.profile.source, app.profile.user_type);
        Self {
            scopes: &key.scopes,
            owner: state.operator(key.owner).map(|owner| &owner.name),
            place: key.place,
            profile: key.place.app().and_then(|id| state.app(id)).map(profile),
            report_only: key.reports_only(),
        }
    }

    /// Whether they are those.
    pub fn is(&self, terms: &Terms) -> bool {
        self.place == terms.place
            && self.owner == terms.owner.as_ref()
            && self.profile == terms.profile
            && self.scopes == &terms.scopes
            && self.report_only == terms.report_only.as_deref()
    }

    /// To be kept.
    pub fn to_terms(&self) -> Terms {
        Terms {
            scopes: self.scopes.clone(),
            owner: self.owner.cloned(),
            place: self.place,
            profile: self.profile,
            report_only: self.report_only.cloned().map(Box::new),
        }
    }
}

/// Of a set of scopes as much as tells most of them apart: a million keys are put in with each start.
pub(super) fn hash_of(hasher: &RandomState, scopes: &Scopes, owner: Option<&Name>, place: Place) -> u64 {
    let ends = scopes.as_slice().first().zip(scopes.as_slice().last());
    hasher.hash_one((scopes.len(), ends, owner, place))
}

impl Terms {
    /// As [`hash_of`] says.
    pub fn hash(&self, hasher: &RandomState) -> u64 {
        hash_of(hasher, &self.scopes, self.owner.as_ref(), self.place)
    }

    /// Who comes with the key of that id.
    pub fn caller<'a>(&'a self, id: PublicId, hit: Hit<'a>) -> Caller<'a> {
        let Self { scopes, owner, place, profile, report_only: _ } = self;
        Caller {
            key: Some(id),
            kind: place.kind(),
            named: Named::InTable(hit),
            owner: owner.as_ref().map_or("", Name::as_str),
            scopes: scopes.as_slice(),
            location: place.location(),
            app: place.app().zip(*profile).map(|(app, (source, user_type))| (app, source, user_type)),
        }
    }
}
