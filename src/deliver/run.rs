//! What is sent to whom. What a channel has to tell of comes from the trail, what still holds of it from the state; each
//! message leaves after a claim was written that no other process has, and before the next one it is written down what became
//! of it. So a process that ends in between repeats one message, with the id it had.

use std::collections::BTreeSet;
use std::thread;

use super::message::Letter;
use super::{Quit, Setup, Unsent, alarms};
use crate::domain::delivery::{
    Batch, Channel, ChannelName, Claim, Matter, Pending, Recipient, WAITING_MAX, Waiting, addressed, still,
};
use crate::domain::{Grounds, Refusal, State, Timestamp};
use crate::engine::{Engine as _, EngineError, LocalEngine};

/// Messages refused one after another, after which the channel itself is taken to be down and is left alone for now.
pub(super) const STRIKES: u32 = 3;
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
    /// Where another process had ended while it delivered: what was under way was sent again, with its id.
    pub taken_over: Vec<ChannelName>,
    /// When something is to be tried again, if anything is.
    pub next: Option<Timestamp>,
}

impl Report {
    pub(super) fn try_at(&mut self, at: Timestamp) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.failed.extend(other.failed);
        self.taken_over.extend(other.taken_over);
        if let Some(at) = other.next {
            self.try_at(at);
        }
    }

    /// Takes in what came of one channel.
    fn note(&mut self, engine: &LocalEngine, channel: ChannelName, done: Result<(), EngineError>) {
        match done {
            Ok(()) => {}
            // Somebody else sends; what they do not come to is sent later.
            Err(EngineError::Refused(Refusal::NoChange(_))) => self.try_at(later(engine.now().time)),
            Err(error) => self.failed.push((channel, error.to_string())),
        }
    }
}

/// Delivers what is to be told through these channels, unless it is time to end; none waits for another. Two that do so at
/// once do not send the same.
pub fn run(engine: &LocalEngine, channels: &[Setup], quit: &Quit) -> Report {
    let mut report = each(
        channels,
        |setup, report| {
            let by = engine.delivery_name();
            by.and_then(|by| Post::open(engine, setup, by, quit)?.deliver(report))
        },
        engine,
    );
    // Afterwards: a channel that failed just now is told of through the others.
    report.add(each(channels, |setup, report| alarms::tell(engine, setup, quit, report), engine));
    report
}

/// Does something for each channel, all at once.
fn each(
    channels: &[Setup],
    work: impl Fn(&Setup, &mut Report) -> Result<(), EngineError> + Sync,
    engine: &LocalEngine,
) -> Report {
    let one = |setup: &Setup| {
        let mut report = Report::default();
        let done = work(setup, &mut report);
        report.note(engine, setup.name, done);
        report
    };
    let mut all = Report::default();
    thread::scope(|scope| {
        let begun: Vec<_> = channels.iter().map(|setup| scope.spawn(|| one(setup))).collect();
        for thread in begun {
            // It panics only if the store does, which has been logged.
            all.add(thread.join().unwrap_or_default());
        }
    });
    all
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

pub(super) const fn later(now: Timestamp) -> Timestamp {
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
    /// Whether there is something to tell that nothing can be said of now.
    put_off: bool,
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
        Ok(Self { engine, setup, by, quit, at, strikes: 0, sent: 0, why: None, put_off: false })
    }

    fn deliver(mut self, report: &mut Report) -> Result<(), EngineError> {
        let now = self.now();
        if self.at.gone.is_some() {
            return Ok(());
        }
        if let Some(claim) = self.at.claimed(now) {
            if self.engine.is_ours(&claim.by) {
                report.try_at(claim.until);
                return Ok(());
            }
            // Whoever claimed it had the store open, which only one process has at a time.
            report.taken_over.push(self.setup.name);
        }
        let done = self.batch().and_then(|()| self.waiting());
        report.sent += self.sent;
        report.failed.extend(self.why.take().map(|why| (self.setup.name, why)));
        if let Some(next) = self.at.waiting.first() {
            report.try_at(next.next.max(later(now)));
        }
        if self.put_off {
            report.try_at(later(now));
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
        // While nothing can be judged, nothing is told of keys; that is come back to.
        let Some(grounds) = self.engine.telling() else {
            self.put_off |= !mail.is_empty();
            return Ok(());
        };
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
                None => next.pass(&to),
                Some(Ok(())) => {
                    next.pass(&to);
                    next.accepted(&to, upto);
                }
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
                None => {}
                Some(Ok(())) => next.accepted(&message.to, message.upto),
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
        // What would be told and withdrawn at once was never told.
        let both = |matter: Matter| self.setup.wants(matter.code()) && matters.contains(&matter);
        let was_told = |key| both(Matter::Unused(key)) || both(Matter::Ends(key));
        let wanted = |matter: &&Matter| {
            let is_news = !matches!(matter, Matter::Withdrawn(key) if was_told(*key));
            is_news && self.setup.wants(matter.code())
        };
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
        next.claim = match going {
            Going::On => Some(claim(self.setup, &self.by, self.now())),
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

/// That somebody sends one message through a channel.
pub(super) fn claim(setup: &Setup, by: &str, now: Timestamp) -> Claim {
    let limit = i64::try_from(setup.way.limit().as_millis()).unwrap_or(i64::MAX);
    Claim { by: by.to_owned(), until: Timestamp(now.0.saturating_add(limit).saturating_add(SPARE_MS)) }
}

/// Whether more is sent after this.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Going {
    On,
    Home,
}
