//! Sweeps: what time brings is done, when somebody asks for it. Each sweep asks the rules anew and
//! does a bounded part at a time; a sweep that is done again, or by two at once, does nothing twice.

use minicbor::{Decode, Encode};

use super::scribe::Refused;
use super::session::Session;
use super::{Engine as _, EngineError, LocalEngine};
use crate::domain::authorize::acting;
use crate::domain::event::Subject;
use crate::domain::lifecycle::{Grounds, Pass, plan};
use crate::domain::{Access, Actor, Audience, Event, Refusal, State, Timestamp, View};

/// How often a deletion is judged anew because a key was used just then, before it is left to the next sweep.
const TRIES: usize = 4;

/// Whether a sweep is done or only told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Sweeping {
    /// What is due is done.
    #[n(0)]
    Do,
    /// Nothing is changed.
    #[n(1)]
    Tell,
}

/// What a sweep did or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(context_bound = "Audience")]
pub struct Swept {
    /// As far as whoever asks may see it, in the order in which it is done.
    #[n(0)]
    pub events: Vec<Event>,
    /// How much of it is about keys of others.
    #[n(1)]
    pub others: u32,
    /// When something is due that is not now, if anything is.
    #[n(2)]
    pub next: Option<Timestamp>,
}

impl Swept {
    fn add(&mut self, state: &State, actor: Actor, event: Event) {
        let seen = match event.subject() {
            Subject::Key(key) | Subject::Notices(key, _) => actor.sees(state, key),
            _ => true,
        };
        if !seen {
            self.others += 1;
        } else if let Event::DeletionsHeld(hold) = event {
            self.events.push(Event::DeletionsHeld(View::new(state, actor).part_of(&hold)));
        } else {
            self.events.push(event);
        }
    }
}

impl LocalEngine {
    pub(super) fn sweep_for(&self, session: &Session, how: Sweeping) -> Result<Swept, EngineError> {
        let actor = session.actor();
        if actor.access != Access::Service {
            acting(&self.state(), &actor)?;
        }
        if actor.access == Access::Recovery {
            return Err(Refusal::RecoveryOnly.into());
        }
        let mut swept = Swept::default();
        match how {
            Sweeping::Tell => {
                let (state, grounds) = (self.state(), self.grounds()?);
                let plan = plan(&state, grounds);
                for event in Pass::ALL.iter().flat_map(|pass| plan.events(*pass, grounds.now)) {
                    swept.add(&state, actor, event);
                }
                swept.next = plan.next;
            }
            Sweeping::Do => {
                // What was used and not taken yet counts, and what cannot be written leaves no grounds.
                self.register.write(Refused::WhenDue)?;
                self.register.vouch()?;
                let service = Session::service()?;
                let is_due = !plan(&self.state(), self.grounds()?).is_empty();
                for pass in Pass::ALL.iter().filter(|_| is_due) {
                    for event in self.pass(&service, *pass)? {
                        swept.add(&self.state(), actor, event);
                    }
                }
                self.register.keep_time()?;
                swept.next = plan(&self.state(), self.grounds()?).next;
            }
        }
        Ok(swept)
    }

    /// What there is to judge by, or why there is nothing.
    fn grounds(&self) -> Result<Grounds, Refusal> {
        let now = self.now();
        match self.register.complete_since() {
            _ if now.suspect => Err(Refusal::ClockSuspect),
            None => Err(Refusal::UsesIncomplete),
            since => Ok(Grounds::of(now.time, false, since)),
        }
    }

    /// All of one kind that is due, in as many commits as it takes.
    fn pass(&self, service: &Session, pass: Pass) -> Result<Vec<Event>, EngineError> {
        let (command, mut events, mut used) = (pass.command(), Vec::new(), 0);
        loop {
            let grounds = self.grounds()?;
            let due = plan(&self.state(), grounds).events(pass, grounds.now).count();
            for _ in 0..due.div_ceil(Pass::AT_ONCE) {
                // No use is on its way to the state while the rules look at it.
                let done = self.register.without_uses(|| self.run(service, &command));
                match done {
                    Ok(done) => events.extend(done.events),
                    Err(EngineError::Refused(Refusal::UsedMeanwhile)) if used < TRIES => {
                        used += 1;
                        self.register.write(Refused::WhenDue)?;
                    }
                    Err(EngineError::Refused(Refusal::UsedMeanwhile | Refusal::NoChange(_))) => {
                        return Ok(events);
                    }
                    Err(error) => return Err(error),
                }
            }
            if due == 0 || used == 0 {
                return Ok(events);
            }
            used = TRIES;
        }
    }

    /// Keys that end for want of use are refused before that is written: a request that was let in until then has been
    /// counted by now, and keeps its key alive.
    pub(super) fn shut_unused(&self, events: &[Event]) -> Result<(), Refusal> {
        let mut used = false;
        for event in events {
            if let Event::KeyDeleted(key) = event
                && let state = self.state()
                && let Some(key) = state.key(key.id)
            {
                used |= self.verifier().shut(&state, key);
            }
        }
        if used {
            self.overdue.parts.image.refresh(events);
            return Err(Refusal::UsedMeanwhile);
        }
        Ok(())
    }
}
