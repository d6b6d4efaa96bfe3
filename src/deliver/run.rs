//! What is sent to whom. What a channel has to tell of comes from the trail, what still holds of it from the state; each
//! message leaves after a claim was written that no other process has, and before the next one it is written down what became
//! of it. So a process that ends in between repeats one message, with the id it had.

use std::collections::BTreeSet;

use super::message::Letter;
use super::{Quit, Setup, Unsent};
use crate::domain::delivery::{
    Batch, Channel, ChannelName, Claim, Matter, Pending, Recipient, WAITING_MAX, Waiting, addressed, still,
};
use crate::domain::{Grounds, Refusal, State, Timestamp};
use crate::engine::{Engine as _, EngineError, LocalEngine};

/// Messages refused one after another, after which the channel itself is taken to be down and is left alone for now.
const STRIKES: u32 = 3;
/// A claim outlasts a message by this.
const SPARE_MS: i64 = 60_000;
/// The least time until something is tried again.
const PAUSE_MS: i64 = 60_000;
/// Entries after which it is written down that there was nothing in them to tell of.
const FAR: u64 = 10_000;

/// What came of a delivery.
#[derive(Debug, Default)]
pub struct Report {
    /// Messages that were accepted.
    pub sent: usize,
    /// What was not, and why, in words.
    pub failed: Vec<(ChannelName, String)>,
    /// When something is to be tried again, if anything is.
    pub next: Option<Timestamp>,
}

impl Report {
    fn try_at(&mut self, at: Timestamp) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}

/// Delivers what is to be told through these channels, unless it is time to end. Two that do so at once do not send the
/// same.
pub fn run(engine: &LocalEngine, channels: &[Setup], quit: &Quit) -> Report {
    let mut report = Report::default();
    for setup in channels {
        let done = LocalEngine::delivery_name()
            .and_then(|by| Post::open(engine, setup, by, quit)?.deliver(&mut report));
        match done {
            Ok(()) => {}
            // Somebody else sends; what they do not come to is sent later.
            Err(EngineError::Refused(Refusal::NoChange(_))) => {
                report.try_at(later(engine.now().time));
            }
            Err(error) => report.failed.push((setup.name, error.to_string())),
        }
    }
    report
}

/// Sends a message that says that it is a test to `to`, through one channel. Nothing is written down.
///
/// # Errors
/// When it is not accepted.
pub fn test(engine: &dyn crate::engine::Engine, setup: &Setup, to: &str) -> Result<(), Unsent> {
    let at = engine.now().time;
    let letter = Letter::trial(format!("msg_test_{}_{}", setup.name, at.0), at, to, &engine.state());
    setup.way.send(&letter, &Quit::default())
}

const fn later(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_add(PAUSE_MS))
}

/// One channel at work.
struct Post<'a> {
    engine: &'a LocalEngine,
    setup: &'a Setup,
    /// Who we are to others.
    by: String,
    quit: &'a Quit,
    /// The channel as the store has it.
    at: Channel,
    /// Messages that were refused one after another.
    strikes: u32,
    /// Messages that were accepted.
    sent: usize,
    /// Why the last one was not.
    why: Option<String>,
}

impl<'a> Post<'a> {
    /// A channel nobody has delivered through begins with what happens from now on.
    fn open(
        engine: &'a LocalEngine,
        setup: &'a Setup,
        by: String,
        quit: &'a Quit,
    ) -> Result<Self, EngineError> {
        let known = engine.state().channel(setup.name).cloned();
        let at = match known {
            Some(known) => known,
            None => {
                let new = Channel::begun(setup.name, engine.trail_head());
                engine.move_channel(None, new.clone())?;
                new
            }
        };
        Ok(Self { engine, setup, by, quit, at, strikes: 0, sent: 0, why: None })
    }

    fn deliver(mut self, report: &mut Report) -> Result<(), EngineError> {
        let now = self.now();
        if self.at.gone.is_some() {
            return Ok(());
        }
        if let Some(until) = self.at.claimed_until(now) {
            report.try_at(until);
            return Ok(());
        }
        let done = self.batch().and_then(|()| self.waiting());
        report.sent += self.sent;
        report.failed.extend(self.why.take().map(|why| (self.setup.name, why)));
        if let Some(next) = self.at.waiting.first() {
            report.try_at(next.next.max(later(now)));
        }
        done
    }

    /// Tells everybody whom it concerns of what was done since the last time.
    fn batch(&mut self) -> Result<(), EngineError> {
        let tidings = self.engine.tidings(self.at.upto)?;
        let upto = self.at.under_way().map_or(tidings.head, |batch| batch.upto);
        let past = self.at.under_way().and_then(|batch| batch.past.clone());
        let matters = tidings.matters.iter().filter(|(seq, _)| *seq <= upto).map(|(_, matter)| *matter);
        let mut mail = addressed(&self.engine.state(), matters);
        // While nothing can be judged, nothing is told: the next sweep comes back to it.
        let Some(grounds) = self.engine.telling() else { return Ok(()) };
        mail.retain(|to, matters| {
            past.as_ref().is_none_or(|past| to > past)
                && !self.digest(&self.engine.state(), grounds, matters).is_empty()
        });
        if mail.is_empty() {
            // Whoever was left is concerned no more.
            let is_over = self.at.under_way().is_some() || upto.saturating_sub(self.at.upto) > FAR;
            let next = Channel { upto, batch: None, ..self.at.clone() };
            return if is_over { self.write(next, Going::Home) } else { Ok(()) };
        }
        if self.at.waiting.len() >= WAITING_MAX {
            return Ok(());
        }
        self.write(Channel { batch: Some(Batch { upto, past }), ..self.at.clone() }, Going::On)?;
        let mut mail = mail.into_iter().peekable();
        while let Some((to, matters)) = mail.next() {
            let is_full = self.at.waiting.len() >= WAITING_MAX;
            let Some(grounds) = self.engine.telling().filter(|_| self.strikes < STRIKES && !is_full) else {
                return self.write(self.at.clone(), Going::Home);
            };
            let mut next = self.at.clone();
            match self.send(&to, upto, &matters, grounds) {
                None | Some(Ok(())) => next.told(&to),
                Some(Err(Unsent::Failed(why))) => next.put_off(&to, self.now(), &why),
                Some(Err(Unsent::BrokenOff)) => return self.write(next, Going::Home),
                Some(Err(Unsent::Gone(why))) => return self.close(&why),
            }
            if mail.peek().is_some() {
                self.write(next, Going::On)?;
            } else {
                next.finish();
                return self.write(next, Going::Home);
            }
        }
        Ok(())
    }

    /// Tries again what was not accepted and whose time has come.
    fn waiting(&mut self) -> Result<(), EngineError> {
        if self.at.gone.is_some() || self.quit.is_said() {
            return Ok(());
        }
        let now = self.now();
        let due: Vec<Waiting> = self.at.waiting.iter().filter(|one| one.next <= now).cloned().collect();
        let Some(after) = due.iter().map(|one| one.after).min() else { return Ok(()) };
        let tidings = self.engine.tidings(after)?;
        self.write(self.at.clone(), Going::On)?;
        for message in due {
            let Some(grounds) = self.engine.telling().filter(|_| self.strikes < STRIKES) else { break };
            let told = tidings.matters.iter().filter(|(seq, _)| message.after < *seq && *seq <= message.upto);
            let mut mail = addressed(&self.engine.state(), told.map(|(_, matter)| *matter));
            // What is over by now is told to nobody.
            let matters = mail.remove(&message.to).unwrap_or_default();
            let sent = self.send(&message.to, message.upto, &matters, grounds);
            let mut next = self.at.clone();
            next.waiting.retain(|other| *other != message);
            match sent {
                None | Some(Ok(())) => {}
                Some(Err(Unsent::Failed(why))) => next.put_off_again(message, self.now(), &why),
                Some(Err(Unsent::BrokenOff)) => break,
                Some(Err(Unsent::Gone(why))) => return self.close(&why),
            }
            self.write(next, Going::On)?;
        }
        self.write(self.at.clone(), Going::Home)
    }

    /// Sends what still holds of some matters; nothing when none of it does.
    fn send(
        &mut self,
        to: &Recipient,
        upto: u64,
        matters: &BTreeSet<Matter>,
        grounds: Grounds,
    ) -> Option<Result<(), Unsent>> {
        let letter = {
            let state = self.engine.state();
            let notices = self.digest(&state, grounds, matters);
            if notices.is_empty() {
                return None;
            }
            let id = self.at.message_id(&self.engine.store_name(), to, upto);
            Letter::of(id, grounds.now, to, &state, &notices)
        };
        let sent = self.setup.way.send(&letter, self.quit);
        match &sent {
            Ok(()) => (self.strikes, self.sent) = (0, self.sent + 1),
            Err(Unsent::BrokenOff) => {}
            Err(why) => {
                self.strikes += 1;
                self.why = Some(why.to_string());
            }
        }
        Some(sent)
    }

    fn digest(&self, state: &State, grounds: Grounds, matters: &BTreeSet<Matter>) -> Vec<Pending> {
        let only = &self.setup.only;
        let wanted = |matter: &&Matter| only.is_empty() || only.iter().any(|code| code == matter.code());
        let mut all: Vec<_> =
            matters.iter().filter(wanted).filter_map(|matter| still(state, *matter, grounds)).collect();
        all.sort_by_key(|pending| pending.when);
        all
    }

    /// Nothing is sent any more: so the other end wants it.
    fn close(&mut self, why: &str) -> Result<(), EngineError> {
        let mut next = self.at.clone();
        next.close(self.now(), why);
        self.write(next, Going::Home)
    }

    /// Writes down how the channel stands, unless somebody else has meanwhile.
    fn write(&mut self, mut next: Channel, going: Going) -> Result<(), EngineError> {
        let limit = i64::try_from(self.setup.way.limit().as_millis()).unwrap_or(i64::MAX);
        next.claim = match going {
            Going::On => {
                let until = Timestamp(self.now().0.saturating_add(limit).saturating_add(SPARE_MS));
                Some(Claim { by: self.by.clone(), until })
            }
            Going::Home => None,
        };
        self.engine.move_channel(Some(self.at.clone()), next.clone())?;
        self.at = next;
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.engine.now().time
    }
}

/// Whether more is sent after this.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Going {
    On,
    Home,
}
