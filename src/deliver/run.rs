//! What is sent to whom. What a channel has to tell of comes from the trail, what still holds of it from the state; each
//! message leaves after a claim was written that no other process has, and before the next one it is written down what became
//! of it. So a process that ends in between repeats one message, with the id it had.

use std::collections::BTreeSet;
use std::thread;

use super::message::Letter;
use super::report::{Report, STRIKES, claim, later};
use super::{Quit, Setup, Unsent, alarms};
use crate::domain::delivery::{Batch, Channel, Circle, Parcel, Recipient, mail};
use crate::domain::{Grounds, State, Timestamp};
use crate::engine::{EngineError, LocalEngine};

/// The same where one was accepted just before: then it is for want of an address.
const STRIKES_WHERE_IT_WORKS: u32 = 32;
/// Entries after which it is written down that there was nothing in them to tell of.
const FAR: u64 = 10_000;

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

/// Has channels that nobody has delivered through begin here: they tell of what happens from now on. What cannot be written
/// down is tried again when something is delivered.
pub fn begin(engine: &LocalEngine, channels: &[Setup]) {
    for setup in channels {
        if let Err(error) = begun(engine, setup) {
            tracing::warn!(channel = %setup.name, %error, "a channel could not be begun");
        }
    }
}

/// The channel as the store has it.
fn begun(engine: &LocalEngine, setup: &Setup) -> Result<Channel, EngineError> {
    let known = engine.state().channel(setup.name).cloned();
    if let Some(known) = known {
        return Ok(known);
    }
    let new = Channel::begun(setup.name, engine.trail_head());
    engine.move_channel(None, new.clone())?;
    Ok(new)
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
    fn open(
        engine: &'a LocalEngine,
        setup: &'a Setup,
        by: String,
        quit: &'a Quit,
    ) -> Result<Self, EngineError> {
        let at = begun(engine, setup)?;
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
        let done = self.news().and_then(|()| self.again());
        report.sent += self.sent;
        report.failed.extend(self.why.take().map(|why| (self.setup.name, why)));
        if let Some(next) = self.at.next_try(now) {
            report.try_at(next.max(later(now)));
        }
        if self.put_off {
            report.try_at(later(now));
        }
        done
    }

    /// Tells what is new: operators first. What came while something else was under way is told with the next batch.
    fn news(&mut self) -> Result<(), EngineError> {
        while self.batch(Circle::Operators)? {}
        while self.batch(Circle::Contacts)? {}
        Ok(())
    }

    /// Whether the channel is to be left alone for now.
    fn is_enough(&self) -> bool {
        let limit = if self.sent == 0 { STRIKES } else { STRIKES_WHERE_IT_WORKS };
        self.strikes >= limit || self.at.gone.is_some() || self.quit.is_said()
    }

    /// Tells everybody of a circle of what was done since the last time. True when there is more: it was what somebody else had
    /// begun, or others are to be told in place of who left meanwhile.
    fn batch(&mut self, circle: Circle) -> Result<bool, EngineError> {
        if self.is_enough() {
            return Ok(false);
        }
        let (course, contacts) = (self.at.course(circle), self.at.course(Circle::Contacts));
        let waiting = self.at.waiting.iter().map(|message| message.after);
        let tidings = self.engine.tidings(waiting.fold(course.upto.min(contacts.upto), u64::min))?;
        let open = course.under_way().cloned();
        let (upto, past) = open.clone().map_or((tidings.head, None), |batch| (batch.upto, batch.past));
        let (mut mails, of_contacts, left) = {
            let state = self.engine.state();
            let to = |circle| mail(&state, &self.at, (circle, upto), &tidings.all);
            let left = if open.is_none() { who_left(&self.at, circle, &state) } else { Vec::new() };
            (to(circle), to(Circle::Contacts), left)
        };
        mails.retain(|to, parcel| !parcel.fresh.is_empty() && past.as_ref().is_none_or(|past| to > past));
        // While nothing can be judged, nothing is told of keys; that is come back to.
        let Some(grounds) = self.engine.telling() else {
            self.put_off |= !mails.is_empty();
            return Ok(false);
        };
        let is_news = |parcel: &Parcel| self.is_news(&self.engine.state(), grounds, parcel);
        mails.retain(|_, parcel| is_news(parcel));
        // Those for whom nothing is going on are not left behind, or all of that would be read each time.
        let idle = circle == Circle::Operators
            && contacts.under_way().is_none()
            && !of_contacts.values().any(is_news);
        let finish = |next: &mut Channel| {
            next.reach(circle, upto);
            if idle {
                next.reach(Circle::Contacts, upto.max(contacts.upto));
            }
            // Others were told instead of them.
            for to in &left {
                next.leave(to);
            }
        };
        if mails.is_empty() {
            // Whoever was left is concerned no more.
            let is_far = upto.saturating_sub(course.upto) > FAR;
            let mut next = self.at.clone();
            finish(&mut next);
            let is_over = open.is_some() || is_far || next.waiting != self.at.waiting;
            return if is_over { self.write(next, Going::Home).map(|()| open.is_some()) } else { Ok(false) };
        }
        let mut next = self.at.clone();
        next.start(circle, Batch { upto, past });
        self.write(next, Going::On)?;
        let mut mails = mails.into_iter().peekable();
        while let Some((to, parcel)) = mails.next() {
            let mut next = self.at.clone();
            let Some(grounds) = self.engine.telling().filter(|_| !self.is_enough()) else {
                return self.write(next, Going::Home).map(|()| false);
            };
            match self.send(&to, upto, &parcel, grounds)? {
                None => {}
                Some(Ok(())) => next.accepted(&to, upto, self.now()),
                Some(Err(Unsent::Failed(why))) => {
                    if !next.make_room(&to, self.now()) {
                        return self.write(self.at.clone(), Going::Home).map(|()| false);
                    }
                    next.put_off(&to, upto, self.now(), &why);
                }
                Some(Err(Unsent::BrokenOff)) => return self.write(next, Going::Home).map(|()| false),
                Some(Err(Unsent::Gone(why))) => return self.close(&why).map(|()| false),
            }
            next.pass(&to);
            let going = if mails.peek().is_some() { Going::On } else { Going::Home };
            if going == Going::Home {
                finish(&mut next);
            }
            self.write(next, going)?;
        }
        Ok(open.is_some() || !who_left(&self.at, circle, &self.engine.state()).is_empty())
    }

    /// Tries again what was not accepted and whose time has come.
    fn again(&mut self) -> Result<(), EngineError> {
        let now = self.now();
        let mut due: Vec<Recipient> = Vec::new();
        for message in self.at.waiting.iter().filter(|message| message.is_due(now)) {
            // What waits for somebody who has left is told others as news.
            if !due.contains(&message.to) && !message.to.has_left(&self.engine.state()) {
                due.push(message.to.clone());
            }
        }
        let Some(after) =
            self.at.waiting.iter().map(|message| message.after).min().filter(|_| !due.is_empty())
        else {
            return Ok(());
        };
        if self.is_enough() {
            return Ok(());
        }
        let tidings = self.engine.tidings(after)?;
        self.write(self.at.clone(), Going::On)?;
        for to in due {
            let Some(grounds) = self.engine.telling().filter(|_| !self.is_enough()) else { break };
            let upto =
                self.at.waiting.iter().filter(|message| message.to == to).map(|message| message.upto).max();
            let upto = upto.unwrap_or_default();
            let mut mails = mail(&self.engine.state(), &self.at, (to.circle(), upto), &tidings.all);
            // What is over by now is told to nobody.
            let parcel = Parcel { fresh: BTreeSet::new(), ..mails.remove(&to).unwrap_or_default() };
            let mut next = self.at.clone();
            match self.send(&to, upto, &parcel, grounds)? {
                None => next.leave(&to),
                Some(Ok(())) => next.accepted(&to, upto, self.now()),
                Some(Err(Unsent::Failed(why))) => next.put_off(&to, upto, self.now(), &why),
                Some(Err(Unsent::BrokenOff)) => break,
                Some(Err(Unsent::Gone(why))) => return self.close(&why),
            }
            self.write(next, Going::On)?;
        }
        self.write(self.at.clone(), Going::Home)
    }

    /// Sends what still holds of some matters and is theirs to hear by now; nothing when none of it is. What is not sent to who
    /// left meanwhile waits, so that others are told.
    fn send(
        &mut self,
        to: &Recipient,
        upto: u64,
        parcel: &Parcel,
        grounds: Grounds,
    ) -> Result<Option<Result<(), Unsent>>, EngineError> {
        let mark = self.engine.entry_mark(upto)?;
        let letter = {
            let state = self.engine.state();
            if to.has_left(&state) {
                return Ok(Some(Err(Unsent::Failed("they can sign in no more".into()))));
            }
            let mut notices = parcel.pending(&state, grounds, |code| self.setup.wants(code));
            notices.retain(|pending| pending.matter.concerns(&state, to));
            if notices.is_empty() {
                return Ok(None);
            }
            let id = self.at.message_id(&self.engine.store_name(), to, &mark);
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
        Ok(Some(sent))
    }

    /// Whether there is anything in it that was not told before.
    fn is_news(&self, state: &State, grounds: Grounds, parcel: &Parcel) -> bool {
        let pending = parcel.pending(state, grounds, |code| self.setup.wants(code));
        pending.iter().any(|pending| parcel.fresh.contains(&pending.matter))
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

/// Those of a circle whose messages wait and who can sign in no more.
fn who_left(at: &Channel, circle: Circle, state: &State) -> Vec<Recipient> {
    let left =
        at.waiting.iter().filter(|message| message.to.circle() == circle && message.to.has_left(state));
    left.map(|message| message.to.clone()).collect()
}

/// Whether more is sent after this.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Going {
    On,
    Home,
}
