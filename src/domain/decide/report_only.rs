//! Report only: beginning to count what fewer scopes would refuse, and what becomes of that. It is said of both halves of a
//! rotation, since people see one key.

use std::collections::BTreeSet;

use super::keys::{LIVE, find, need, whole};
use super::{actor_id, believed};
use crate::domain::command::Context;
use crate::domain::event::Event;
use crate::domain::{Key, KeyId, Refusal, ReportOnly, ScopeId, Scopes, State, Timestamp};

/// Another one takes the place of one that runs, and counts from nothing.
pub(super) fn begin(
    state: &State,
    id: KeyId,
    scopes: &[String],
    days: u32,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let key = find(state, id, context)?;
    key.opens_something()?;
    need(key, LIVE, None, context)?;
    believed(context)?;
    let limit = ReportOnly::MAX_DAYS;
    let until = context.now.plus_days(days).filter(|_| (1..=limit).contains(&days));
    let until = until.ok_or(Refusal::BadReportOnly { limit })?;
    let others: Vec<&str> =
        scopes.iter().map(String::as_str).filter(|name| !key.scopes.contains_name(name)).collect();
    if !others.is_empty() {
        return Err(Refusal::NotNarrower { scopes: others.join(" ") });
    }
    let kept: BTreeSet<ScopeId> = scopes.iter().filter_map(|name| key.scopes.get(name)).cloned().collect();
    let kept = Scopes::new(kept).unwrap_or_default();
    if kept.is_empty() {
        return Err(Refusal::NoScopes);
    }
    if kept == key.scopes {
        return Err(Refusal::NoChange("these are all its scopes, so nothing would be refused"));
    }
    let tried = ReportOnly { scopes: kept, begun: context.now, until, by: actor_id(context) };
    let begun = |half: &Key| Key { report_only: Some(Box::new(tried.clone())), ..half.clone() };
    Ok(whole(state, key, context).map(|half| Event::ReportOnlyBegun(begun(half))).collect())
}

/// Before its time is over or after that.
pub(super) fn enforce(
    state: &State,
    id: KeyId,
    begun: Option<Timestamp>,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let key = find(state, id, context)?;
    need(key, LIVE, None, context)?;
    let tried = key.reports_only().ok_or(Refusal::NoReportOnly { key: id })?;
    if begun.is_some_and(|begun| begun != tried.begun) {
        let now = format!("another set is tried, {}", tried.scopes);
        return Err(Refusal::ChangedMeanwhile { what: format!("the report-only of {}", key.name), now });
    }
    let mut events = Vec::new();
    for half in whole(state, key, context).filter(|half| half.reports_only().is_some()) {
        // Never more than it has, whatever was tried.
        let kept = half.scopes.intersection(&tried.scopes);
        if kept.is_empty() {
            return Err(Refusal::NoScopes);
        }
        let after = Key { scopes: kept, report_only: None, ..half.clone() };
        events.push(Event::ReportOnlyEnforced(after, half.scopes.clone()));
    }
    Ok(events)
}

pub(super) fn drop(state: &State, id: KeyId, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let key = find(state, id, context)?;
    need(key, LIVE, None, context)?;
    key.reports_only().ok_or(Refusal::NoReportOnly { key: id })?;
    let tried = whole(state, key, context).filter(|half| half.reports_only().is_some());
    Ok(tried.map(|half| Event::ReportOnlyDropped(Key { report_only: None, ..half.clone() })).collect())
}
