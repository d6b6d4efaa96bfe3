//! Adding, renaming and removing locations.

use super::fresh_ids;
use crate::domain::authorize::{Action, authorize};
use crate::domain::basis::Basis;
use crate::domain::command::{Context, MAX_LOCATIONS_AT_ONCE};
use crate::domain::event::Event;
use crate::domain::{Location, LocationId, Name, Refusal, State};

pub(super) fn rename(
    state: &State,
    id: LocationId,
    name: &Name,
    basis: Option<Basis>,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::ManageLocations)?;
    let before = open(state, id)?;
    if before.name == *name {
        return Err(Refusal::NoChange("it already has that name"));
    }
    if state.location_named(name).is_some_and(|other| other.id != id) {
        return Err(taken(name));
    }
    let found = Basis::of_location(before);
    Basis::holds(basis, found, || {
        ("the location".into(), format!("it is called {}, revision {found}", before.name))
    })?;
    Ok(vec![Event::LocationRenamed(Location { name: name.clone(), ..before.clone() }, before.name.clone())])
}

pub(super) fn remove(state: &State, id: LocationId, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::ManageLocations)?;
    let before = open(state, id)?;
    Ok(vec![Event::LocationRemoved(Location { removed_at: Some(context.now), ..before.clone() })])
}

pub(super) fn add(state: &State, names: &[Name], context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    authorize(state, &context.actor, Action::ManageLocations)?;
    if names.is_empty() || names.len() > MAX_LOCATIONS_AT_ONCE {
        return Err(Refusal::ListSize { limit: MAX_LOCATIONS_AT_ONCE });
    }
    let mut ids = fresh_ids(context, LocationId, |id| state.location(*id).is_some());
    let mut seen = std::collections::HashSet::new();
    names
        .iter()
        .map(|name| {
            if state.location_named(name).is_some() || !seen.insert(name.folded()) {
                return Err(taken(name));
            }
            let id = ids.next().ok_or(Refusal::IdTaken)?;
            let location = Location {
                id,
                name: name.clone(),
                created_at: context.now,
                removed_at: None,
                lockdown: None,
            };
            Ok(Event::LocationAdded(location))
        })
        .collect()
}

fn open(state: &State, id: LocationId) -> Result<&Location, Refusal> {
    state.location(id).filter(|l| l.is_open()).ok_or(Refusal::NoSuchLocation)
}

fn taken(name: &Name) -> Refusal {
    Refusal::NameTaken { name: name.to_string(), what: "location" }
}
