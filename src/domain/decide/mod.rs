//! `decide`: from a state, a command and a context to the events that follow, or to the reason why not. The only
//! place where a command is judged; the console, the command line and the sweeper all end here.

mod apps;
mod keys;
mod lifecycle;
mod locations;
mod lockdown;
mod making;
mod operators;
mod report_only;
mod review;
mod rotation;
mod secrets;
#[cfg(test)]
mod tests;

pub use self::lifecycle::file_name;
use super::authorize::{Access, Action, Actor, authorize};
use super::basis::Basis;
use super::command::{AskedBy, Command, Context, KeyEdit, Together};
use super::event::Event;
use super::lifecycle::Pass;
use super::{Agency, Operator, OperatorId, Policy, PublicId, Refusal, Role, Standing, State, Timestamp};

/// Judges a command. Pure: the same state, command and context give the same answer.
#[expect(clippy::too_many_lines, reason = "an arm for each command")]
pub fn decide(state: &State, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    asked_by(command, &context.actor)?;
    command.is_typed()?;
    let may = |action| authorize(state, &context.actor, action);
    match command {
        Command::Found { agency, operator } => found(state, agency, operator, context),
        Command::StartSession { failed_attempts } => {
            may(Action::Session)?;
            Ok(vec![Event::SessionStarted(*failed_attempts)])
        }
        Command::EndSession => {
            may(Action::Session)?;
            Ok(vec![Event::SessionEnded])
        }
        Command::OpenAgencyView => {
            may(Action::OpenAgencyView)?;
            Ok(vec![Event::AgencyViewOpened])
        }
        Command::ReadAudit => {
            may(Action::ReadWholeAudit)?;
            Ok(vec![Event::AuditRead])
        }
        Command::BackUp => {
            may(Action::BackUp)?;
            Ok(vec![Event::BackupBegun])
        }
        Command::CloseBackup { sum, seq } => {
            may(Action::BackUp)?;
            Ok(vec![Event::BackedUp { sum: *sum, seq: *seq }])
        }
        Command::Upgrade { from, to } => {
            may(Action::Session)?;
            Ok(vec![Event::Upgraded { from: *from, to: *to }])
        }
        Command::TrimAudit { upto, head, file } => {
            may(Action::TrimAudit)?;
            lifecycle::trim_audit(state, *upto, head, file)
        }
        Command::PutBack { made, missing } => lifecycle::put_back(state, *made, *missing, context),
        Command::ExportAudit => {
            may(Action::ReadWholeAudit)?;
            Ok(vec![Event::AuditExported])
        }
        Command::SetPolicy { name, value, basis } => {
            may(Action::SetPolicy)?;
            set_policy(state, name, value, *basis, context.now)
        }
        Command::RotateSigningKey => {
            may(Action::RotateSigningKey)?;
            believed(context)?;
            Ok(vec![Event::SigningKeyAdded(state.signing().with_next(context.now))])
        }
        Command::ConfirmClock => {
            may(Action::ConfirmClock)?;
            confirm_clock(state, context)
        }
        Command::ReplaceRecovery => {
            may(Action::RenewRecovery)?;
            Ok(vec![Event::RecoveryRenewed])
        }
        Command::AddOperator { name, role } => operators::add(state, name, *role, context),
        Command::SetRole { operator, role, basis } => {
            operators::set_role(state, *operator, *role, *basis, context)
        }
        Command::SetSecret(operator) => operators::set_secret(state, *operator, context),
        Command::DisableOperator { operator, keys } => operators::disable(state, *operator, *keys, context),
        Command::EnableOperator(operator) => operators::enable(state, *operator, context),
        Command::AddLocations(names) => locations::add(state, names, context),
        Command::RenameLocation { location, name, basis } => {
            locations::rename(state, *location, name, *basis, context)
        }
        Command::RemoveLocation { location } => locations::remove(state, *location, context),
        Command::LockDown { what, why } => lockdown::begin(state, *what, why, context),
        Command::LiftLockdown { what, basis } => lockdown::lift(state, *what, *basis, context),
        Command::IssueKey(new) => making::issue(state, new, context),
        Command::ImportKey(new, owner) => making::import(state, new, *owner, context),
        Command::PauseKey(key, time) => keys::pause(state, *key, *time, context),
        Command::ResumeDue => lifecycle::sweep(state, Pass::Resumptions, context),
        Command::ResumeKey(key) => keys::resume(state, *key, context),
        Command::RevokeKey(key, motive) => keys::revoke(state, *key, motive, context),
        Command::DeleteKey(key) => keys::delete(state, *key, context),
        Command::RestoreKey(key) => keys::restore(state, *key, context),
        Command::RescopeKey { key, scopes, basis } => keys::rescope(state, *key, scopes, *basis, context),
        Command::BeginReportOnly { key, scopes, days } => {
            report_only::begin(state, *key, scopes, *days, context)
        }
        Command::EnforceReportOnly { key, begun } => report_only::enforce(state, *key, *begun, context),
        Command::DropReportOnly(key) => report_only::drop(state, *key, context),
        Command::SignReview { looked, kept, note } => review::sign(state, looked, kept, note, context),
        Command::EditKey { key, change, basis } => keys::edit(state, *key, change, *basis, context),
        Command::RotateKey { key, rotation } => rotation::rotate(state, *key, rotation, context),
        Command::RepeatRotation(key) => rotation::again(state, *key, context),
        Command::CancelRotation(key) => rotation::cancel(state, *key, context),
        Command::LengthenGrace { key, by } => rotation::lengthen(state, *key, *by, context),
        Command::StartGraces => lifecycle::sweep(state, Pass::Graces, context),
        Command::EndGraces => lifecycle::sweep(state, Pass::Ended, context),
        Command::KeepKey(key) => keys::keep(state, *key, context),
        Command::HandOver { key, way } => keys::hand_over(state, *key, way, context),
        Command::ProtectKey { key, why } => keys::protect(state, *key, why, context),
        Command::UnprotectKey(key) => keys::unprotect(state, *key, context),
        Command::TransferKey { key, to } => keys::transfer(state, *key, *to, context),
        Command::ConfirmHold { count } => lifecycle::confirm_hold(state, *count, context),
        Command::AckNotice(notice) => lifecycle::see(state, *notice, None, context),
        Command::SnoozeNotice { notice, until } => lifecycle::see(state, *notice, Some(*until), context),
        Command::RenewNotices => lifecycle::sweep(state, Pass::Renewals, context),
        Command::GiveNotices => lifecycle::sweep(state, Pass::Notices, context),
        Command::DeleteUnused => lifecycle::sweep(state, Pass::Deletions, context),
        Command::HoldDeletions => lifecycle::sweep(state, Pass::Hold, context),
        Command::ClearEnded => lifecycle::sweep(state, Pass::Cleared, context),
        Command::PurgeDeleted => lifecycle::sweep(state, Pass::Purges, context),
        Command::MoveChannel { to, from } => lifecycle::move_channel(state, to, from.as_deref(), context),
        Command::EmptyChannel { channel, into } => lifecycle::empty_channel(state, *channel, *into, context),
        Command::CreateApp(new) => apps::create(state, new, context),
        Command::EditApp { app, change, basis } => apps::edit(state, *app, change, *basis, context),
        Command::RenewAppSecret(app, rotation) => secrets::renew(state, *app, rotation.as_ref(), context),
        Command::RepeatAppSecret(app) => secrets::again(state, *app, context),
        Command::CancelAppSecret { app, epoch } => secrets::cancel(state, *app, *epoch, context),
        Command::EndAppSecret(app) => secrets::end(state, *app, context),
        Command::LengthenAppSecret { app, by } => secrets::lengthen(state, *app, *by, context),
        Command::HandOverSecret { app, way } => secrets::hand_over(state, *app, way, context),
        Command::PauseApp(app) => apps::pause(state, *app, context),
        Command::ResumeApp(app) => apps::resume(state, *app, context),
        Command::DeleteApp(app) => apps::delete(state, *app, context),
        Command::RevokeToken { app, token } => apps::revoke_token(state, *app, token, context),
        Command::TakeBack(undo) => keys::take_back(state, undo, context),
        Command::Each(together) => {
            let judged = decide_each(state, together, context);
            let refused = judged.iter().find_map(|judged| judged.as_ref().err().cloned());
            let events: Vec<Event> = judged.into_iter().flatten().flatten().collect();
            refused.filter(|_| events.is_empty()).map_or(Ok(events), Err)
        }
    }
}

/// Judges each of many that stand together as if it came alone, in their order.
pub fn decide_each(
    state: &State,
    together: &Together,
    context: &Context<'_>,
) -> Vec<Result<Vec<Event>, Refusal>> {
    let judge = |command: &Command| {
        if let Some((key, change)) = command.edit()
            && let Some(key) = state.key(key)
            && *change != (KeyEdit { expiry: change.expiry, ..KeyEdit::of(key) })
        {
            // Of two keys one could be given the name of the other.
            return Err(Refusal::OneByOne);
        }
        decide(state, command, context)
    };
    together.commands().iter().map(judge).collect()
}

/// Keeps what the server does by itself and what people do apart, whatever they may do otherwise.
const fn asked_by(command: &Command, actor: &Actor) -> Result<(), Refusal> {
    let serves = matches!(actor.access, Access::Service);
    match command.spec().asked_by {
        AskedBy::Both => Ok(()),
        AskedBy::Service if serves => Ok(()),
        AskedBy::Founder | AskedBy::Door | AskedBy::Operator if !serves => Ok(()),
        AskedBy::Service | AskedBy::Founder | AskedBy::Door | AskedBy::Operator => Err(Refusal::ServiceOnly),
    }
}

fn found(
    state: &State,
    agency: &super::Name,
    operator: &super::Name,
    context: &Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    if state.agency().is_some() || state.operators().next().is_some() {
        return Err(Refusal::AlreadyFounded);
    }
    let agency = Agency { name: agency.clone(), founded_at: context.now, lockdown: None };
    // The founder is whom the session already names, so that the first entry of the trail has an actor.
    let first = Operator {
        id: context.actor.operator,
        name: operator.clone(),
        role: Role::Admin,
        standing: Standing::Active,
        created_at: context.now,
        lockdown: None,
    };
    let mut events = vec![Event::AgencyFounded(agency, Policy::default()), Event::OperatorAdded(first)];
    if believed(context).is_ok() {
        // Known to everybody long before the first token needs it.
        events.push(Event::SigningKeyAdded(state.signing().with_next(context.now)));
    }
    Ok(events)
}

/// Refuses what reckons a future from a clock nobody should believe: it could be far too late, and stay so.
const fn believed(context: &Context<'_>) -> Result<(), Refusal> {
    if context.doubted.is_some() { Err(Refusal::ClockSuspect) } else { Ok(()) }
}

fn confirm_clock(state: &State, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    let wall = context.doubted.ok_or(Refusal::NoChange("the clock is believed already"))?;
    let mut events = vec![Event::ClockConfirmed(context.now, wall)];
    if wall < context.now {
        // Tokens signed in the wrong hour end in a far future, and whoever checks them without asking here believes
        // that. Their keys are withdrawn; nothing was signed since the clock was doubted.
        events.push(Event::SigningKeyAdded(state.signing().anew(wall)));
    }
    Ok(events)
}

fn set_policy(
    state: &State,
    name: &str,
    value: &str,
    basis: Option<Basis>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let before = state.policy();
    let after = before.changed(name, value, now)?;
    if after == *before {
        return Err(Refusal::NoChange("the policy already has that value"));
    }
    let (from, to) = (before.get(name).unwrap_or_default(), after.get(name).unwrap_or_default());
    Basis::holds(basis, Basis::of_rule(name, &from), || {
        (format!("the rule {name}"), format!("it is {from}"))
    })?;
    Ok(vec![Event::PolicySet(after, name.to_owned(), from, to)])
}

/// Deals out the context's fresh ids, skipping any that is in use already.
fn fresh_ids<'c, T>(
    context: &'c Context<'_>,
    make: impl Fn(PublicId) -> T + 'c,
    in_use: impl Fn(&T) -> bool + 'c,
) -> impl Iterator<Item = T> + 'c {
    context.ids.iter().map(move |id| make(*id)).filter(move |id| !in_use(id))
}

/// The operator who acts; `authorize` has passed, so they exist.
const fn actor_id(context: &Context<'_>) -> OperatorId {
    context.actor.operator
}
