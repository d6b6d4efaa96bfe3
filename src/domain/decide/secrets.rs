//! The secrets of an app: a new one takes the place of the present one, which works on for a grace, and what follows from
//! there: another new one, the old one as before, its end, more time. The rules are those of keys.

use super::apps::living;
use super::{believed, fresh_ids};
use crate::domain::app::{Previous, Replaced};
use crate::domain::command::Context;
use crate::domain::event::Event;
use crate::domain::handover::{Handed, Way};
use crate::domain::lineage::BadGrace;
use crate::domain::{
    App, AppId, Counted, Expiry, Grace, KeyId, PublicId, Refusal, Rotation, State, Timestamp, Verifier,
};

pub(super) fn renew(
    state: &State,
    id: AppId,
    rotation: Option<&Rotation>,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let (app, now) = (living(state, id, context)?, context.now);
    let name = rotation.and_then(|rotation| rotation.id.clone());
    let known = app.replaced.as_ref().and_then(|replaced| replaced.rotation.clone());
    if name.is_some() && name == known {
        return Err(Refusal::SecretRotatedBefore { app: id });
    }
    let grace = rotation.map_or(Grace::NONE, |rotation| rotation.grace);
    if !grace.is_allowed() {
        return Err(Refusal::BadGrace(BadGrace));
    }
    if rotation.is_some_and(|rotation| rotation.expiry.is_some()) {
        return Err(Refusal::NoChange("a secret of an app has no end of its own"));
    }
    let is_lost = grace == Grace::NONE;
    if !is_lost {
        if app.old_secret(now).is_some() {
            return Err(Refusal::SecretInGrace { app: id });
        }
        believed(context)?;
    }
    let secret = minted(context)?;
    let mut ids = fresh_ids(context, |id| id, |id| in_use(state, *id));
    let (uses, old_uses) = (ids.next().ok_or(Refusal::IdTaken)?, ids.next().ok_or(Refusal::IdTaken)?);
    let waits = rotation.filter(|rotation| rotation.counted == Counted::FromFirstUse).map(|_| grace);
    let until = if waits.is_some() { Expiry::Never } else { Expiry::At(grace.after(now)) };
    let previous = (!is_lost).then_some(Previous {
        secret: app.secret,
        epoch: app.not_before,
        until,
        waits,
        uses: old_uses,
        begun: None,
        missed: None,
        handed: app.handed.clone(),
    });
    // One without a name forgets none: whoever asks for that again shall not get a third secret by it.
    let replaced = Some(Box::new(Replaced { since: now, rotation: name.or(known), previous, uses }));
    let not_before = app.next_epoch(now);
    Ok(vec![Event::AppSecretRenewed(App { secret, not_before, replaced, handed: None, ..app.clone() })])
}

pub(super) fn again(state: &State, id: AppId, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let app = living(state, id, context)?;
    if app.replaced.is_none() {
        return Err(Refusal::NoOldSecret { app: id });
    }
    let used = state.secret_usage(app);
    if used.count > 0 || used.last_used_at.is_some() {
        return Err(Refusal::SecretUsed { app: id });
    }
    let (secret, not_before) = (minted(context)?, app.next_epoch(context.now));
    Ok(vec![Event::AppSecretRenewed(App { secret, not_before, handed: None, ..app.clone() })])
}

pub(super) fn cancel(
    state: &State,
    id: AppId,
    epoch: Option<Timestamp>,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let (app, old) = in_grace(state, id, context)?;
    if epoch.is_some_and(|epoch| epoch != app.not_before) {
        return Err(Refusal::NoChange("another secret took the place of the one that was meant"));
    }
    let spent = app.spent.max(Some(app.not_before));
    let handed = old.handed.clone();
    let before =
        App { secret: old.secret, not_before: old.epoch, replaced: None, spent, handed, ..app.clone() };
    Ok(vec![Event::AppSecretReinstated(before, old.until)])
}

/// Notes how the present secret was handed over.
pub(super) fn hand_over(
    state: &State,
    id: AppId,
    way: &Way,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let app = living(state, id, context)?;
    let handed = Some(Box::new(Handed { way: way.clone(), at: context.now }));
    Ok(vec![Event::AppHandedOver(App { handed, ..app.clone() })])
}

pub(super) fn end(state: &State, id: AppId, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let (app, _) = in_grace(state, id, context)?;
    Ok(vec![Event::AppSecretEnded(app.without_old_secret())])
}

pub(super) fn lengthen(
    state: &State,
    id: AppId,
    by: Grace,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let (app, old) = in_grace(state, id, context)?;
    if !by.is_allowed() {
        return Err(Refusal::BadGrace(BadGrace));
    }
    believed(context)?;
    let after = if let Some(grace) = old.waits {
        Previous { waits: Some(grace.and(by)), ..old.clone() }
    } else {
        // Seven days in all, from where the grace was counted.
        let since = app.replaced.as_ref().map_or(context.now, |replaced| replaced.since);
        let begun = old.begun.unwrap_or(since);
        let ends = old.until.instant().unwrap_or(context.now);
        let until = Expiry::At(by.after(ends).min(Grace::MAX.after(begun)).max(ends));
        Previous { until, ..old.clone() }
    };
    if after == *old {
        return Err(Refusal::NoChange("the old secret works for seven days at most"));
    }
    Ok(vec![Event::AppSecretEnds(app.with_old_secret(after), old.until)])
}

/// An app and the secret it had before, while that works.
fn in_grace<'s>(
    state: &'s State,
    id: AppId,
    context: &Context<'_>,
) -> Result<(&'s App, &'s Previous), Refusal> {
    let app = living(state, id, context)?;
    let old = app.old_secret(context.now).ok_or(Refusal::NoOldSecret { app: id })?;
    Ok((app, old))
}

fn minted(context: &Context<'_>) -> Result<Verifier, Refusal> {
    Ok(context.minted.as_ref().ok_or(Refusal::IdTaken)?.verifier)
}

/// Whether anything is noted under it, or may be.
fn in_use(state: &State, id: PublicId) -> bool {
    let taken = state.key(KeyId(id)).is_some() || state.app(AppId(id)).is_some();
    taken || state.usage_of(id).count > 0 || state.app_noting(id).is_some()
}
