//! What is wrong, told to the admins through a channel: what the notice board says of the store, of this machine and of other
//! channels. It is told while nothing of keys can be, and while the store takes no changes: then this process alone remembers
//! what it told.

use super::message::Letter;
use super::report::{Report, STRIKES, claim, later};
use super::{Quit, Setup, Unsent};
use crate::domain::delivery::{Alarm, Channel, Recipient, Wrong, admins};
use crate::domain::notice::Trouble;
use crate::domain::{Refusal, Timestamp};
use crate::engine::{Engine as _, EngineError, LocalEngine, failing, troubles};

/// Tells what is wrong and was not told yet.
pub(super) fn tell(
    engine: &LocalEngine,
    setup: &Setup,
    quit: &Quit,
    report: &mut Report,
) -> Result<(), EngineError> {
    let known = engine.state().channel(setup.name).cloned();
    let mut at = known.clone().unwrap_or_else(|| Channel::begun(setup.name, engine.trail_head()));
    let now = engine.now().time;
    if at.gone.is_some() || quit.is_said() {
        return Ok(());
    }
    if let Some(claim) = at.claimed(now).filter(|claim| engine.is_ours(&claim.by)) {
        report.try_at(claim.until);
        return Ok(());
    }
    if let Some(alarms) = engine.alarms(setup.name) {
        at.alarms = alarms;
    }
    let wrong = wrong(engine, setup, now);
    at.note(&reasons(&wrong), engine.trail_mark(), now);
    let mut teller = Teller { engine, setup, by: engine.delivery_name()?, known, at };
    teller.keep(now)?;
    let to = admins(&engine.state());
    teller.tell_each(&to, &wrong, quit, report)?;
    if let Some(next) = teller.at.next_alarm(&to) {
        report.try_at(next.max(later(now)));
    }
    Ok(())
}

/// What is wrong, each with why.
type Reasons = Vec<(Wrong, String)>;

fn reasons(wrong: &Reasons) -> Vec<Wrong> {
    wrong.iter().map(|(wrong, _)| *wrong).collect()
}

/// What is wrong now and wanted by this channel. Of itself it tells nothing.
fn wrong(engine: &LocalEngine, setup: &Setup, now: Timestamp) -> Reasons {
    let found = troubles(engine);
    let of_store = found.when().into_iter().filter_map(|(trouble, _)| {
        // Of channels each by itself; who opened the store to look at it knows that.
        let is_told = !matches!(trouble, Trouble::Delivery | Trouble::ReadOnly);
        let why = found.why(trouble).unwrap_or_default().to_owned();
        is_told.then_some((Wrong { trouble, channel: None }, why))
    });
    let named = engine.condition().channels;
    let state = engine.state();
    let others = failing(&state, named.as_deref(), now).into_iter().filter_map(|(channel, failing)| {
        let wrong = Wrong { trouble: Trouble::Delivery, channel: Some(channel.name) };
        (channel.name != setup.name).then(|| (wrong, format!("{}: {}", channel.name, failing.why)))
    });
    of_store.chain(others).filter(|(wrong, _)| setup.wants(wrong.trouble.code())).collect()
}

/// One channel that tells of what is wrong.
struct Teller<'a> {
    engine: &'a LocalEngine,
    setup: &'a Setup,
    /// Who we are to others.
    by: String,
    /// The channel as the store has it.
    known: Option<Channel>,
    /// As it is.
    at: Channel,
}

impl Teller<'_> {
    fn tell_each(
        &mut self,
        all: &[Recipient],
        wrong: &Reasons,
        quit: &Quit,
        report: &mut Report,
    ) -> Result<(), EngineError> {
        let (mut strikes, mut why) = (0, None);
        for to in all {
            let now = self.engine.now().time;
            let due: Vec<&Alarm> = self.at.alarms.iter().filter(|alarm| alarm.is_due(to, now)).collect();
            // Who was an admin may be none by now.
            if due.is_empty() || strikes >= STRIKES || !admins(&self.engine.state()).contains(to) {
                continue;
            }
            let id = self.at.alarm_id(&self.engine.store_name(), to, &due);
            let lines: Vec<(&Alarm, String)> = due
                .iter()
                .filter_map(|alarm| {
                    let (_, why) = wrong.iter().find(|(wrong, _)| *wrong == alarm.wrong)?;
                    Some((*alarm, why.clone()))
                })
                .collect();
            let letter = Letter::alarm(id, now, to, &self.engine.state(), &lines);
            match self.setup.way.send(&letter, quit) {
                Ok(()) => {
                    report.sent += 1;
                    self.at.alarmed(to, now);
                    self.keep(now)?;
                }
                Err(Unsent::Failed(said)) => (strikes, why) = (strikes + 1, Some(said)),
                Err(Unsent::BrokenOff) => break,
                Err(Unsent::Gone(said)) => {
                    self.at.close(now, &said);
                    why = Some(said);
                    break;
                }
            }
        }
        let now = self.engine.now().time;
        if let Some(why) = why {
            self.at.put_off_alarms(all, now, &why);
            report.failed.push((self.setup.name, why));
        }
        self.keep(now)
    }

    /// Remembers what was told, in the store where that takes it. While somebody is still to be told, the channel is claimed.
    fn keep(&mut self, now: Timestamp) -> Result<(), EngineError> {
        let to = admins(&self.engine.state());
        let is_on = to.iter().any(|to| self.at.alarms.iter().any(|alarm| alarm.is_due(to, now)));
        self.at.claim = is_on.then(|| claim(self.setup, &self.by, now));
        let written = match &self.known {
            Some(known) if *known == self.at => Ok(true),
            Some(known) => self.engine.move_channel(Some(known.clone()), self.at.clone()).map(|()| true),
            // It is begun where notices of keys are told.
            None => Ok(false),
        };
        let is_written = match written {
            Ok(is_written) => is_written,
            Err(error @ EngineError::Refused(Refusal::NoChange(_))) => return Err(error),
            Err(error) => {
                tracing::warn!(channel = %self.setup.name, %error, "what is told of trouble is remembered here alone");
                false
            }
        };
        if is_written {
            self.known = Some(self.at.clone());
        }
        self.engine.keep_alarms(self.setup.name, (!is_written).then(|| self.at.alarms.clone()));
        Ok(())
    }
}
