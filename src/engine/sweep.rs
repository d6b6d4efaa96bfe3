//! Sweeps: what time brings is done, when somebody asks for it or when a [`super::Sweeper`] does. Each sweep asks the rules
//! anew and does a bounded part at a time; a sweep that is done again, or by two at once, does nothing twice.

use std::sync::{Arc, PoisonError};

use minicbor::{Decode, Encode};

use super::scribe::Refused;
use super::session::Session;
use super::{EngineError, LocalEngine, News};
use crate::domain::authorize::acting;
use crate::domain::event::Subject;
use crate::domain::lifecycle::{Grounds, Outlook, Pass, plan};
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

/// How sweeps go in the process that has the store. Nothing of it is kept when that ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Sweeps {
    /// When one was begun last.
    #[n(0)]
    pub tried: Option<Timestamp>,
    /// When one was done last.
    #[n(1)]
    pub done: Option<Timestamp>,
    /// Why the last one was not done; `None` when it was.
    #[n(2)]
    pub why_not: Option<String>,
}

impl Swept {
    fn add(&mut self, state: &State, actor: Actor, event: Event) {
        let seen = match event.subject() {
            Subject::Key(key) | Subject::Notices(key, _) => actor.sees(state, key),
            Subject::App(app) | Subject::Tokens(app, _) => actor.sees_app(state, app),
            Subject::Store
            | Subject::Founding(..)
            | Subject::Agency(_)
            | Subject::Policy(_)
            | Subject::Signing(_)
            | Subject::Operator(_)
            | Subject::Location(_)
            | Subject::Hold(_)
            | Subject::Channel(_) => true,
        };
        if !seen {
            self.others += 1;
        } else if let Event::DeletionsHeld(hold, _) = event {
            // How many of them are new is for the trail.
            self.events.push(Event::DeletionsHeld(View::new(state, actor).part_of(&hold), 0));
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
        match how {
            Sweeping::Tell => {
                let mut swept = Swept::default();
                // What was used and not taken yet counts, as when it is done; what cannot be written leaves no grounds.
                let _noted = self.register.write(Refused::WhenDue);
                let (state, grounds) = (self.state(), self.grounds()?);
                let plan = plan(&state, grounds);
                for event in Pass::ALL.iter().flat_map(|pass| plan.events(*pass, grounds.now)) {
                    swept.add(&state, actor, event);
                }
                swept.next = plan.next;
                Ok(swept)
            }
            Sweeping::Do => {
                let at = self.now().time;
                let swept = self.sweep_now(actor);
                self.note_sweep(at, swept.as_ref().err());
                swept
            }
        }
    }

    fn sweep_now(&self, actor: Actor) -> Result<Swept, EngineError> {
        let mut swept = Swept::default();
        // What was used and not taken yet counts, and what cannot be written leaves no grounds.
        self.register.write(Refused::WhenDue)?;
        self.register.vouch()?;
        let service = Session::service()?;
        let outlook = self.look_ahead()?;
        if outlook.is_due() {
            for pass in Pass::ALL {
                for event in self.pass(&service, pass, &outlook)? {
                    swept.add(&self.state(), actor, event);
                }
            }
        }
        self.register.keep_time()?;
        self.clear_trimmed()?;
        swept.next = outlook.next(&self.state(), self.grounds()?);
        Ok(swept)
    }

    /// Where something is due, and when something will be. Nobody waits for the state as long as that takes.
    fn look_ahead(&self) -> Result<Outlook, Refusal> {
        let (grounds, mut outlook) = (self.grounds()?, Outlook::default());
        while outlook.look_on(&self.state(), grounds) {}
        Ok(outlook)
    }

    /// Remembers how a sweep went, and has listeners look when it went otherwise than the one before.
    fn note_sweep(&self, at: Timestamp, error: Option<&EngineError>) {
        let mut sweeps = self.sweeps.lock().unwrap_or_else(PoisonError::into_inner);
        let before = sweeps.why_not.take();
        sweeps.tried = Some(at);
        sweeps.why_not = error.map(ToString::to_string);
        if error.is_none() {
            sweeps.done = Some(at);
        }
        let is_news = sweeps.why_not != before;
        drop(sweeps);
        if is_news {
            // Nobody may be listening.
            let _ = self.feed.send(News::Happened(Arc::default()));
        }
    }

    /// How sweeps go.
    pub(super) fn sweeps(&self) -> Sweeps {
        self.sweeps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What there is to judge by, or why there is nothing.
    pub(super) fn grounds(&self) -> Result<Grounds, Refusal> {
        let now = self.now();
        match self.register.complete_since() {
            _ if now.suspect => Err(Refusal::ClockSuspect),
            None => Err(Refusal::UsesIncomplete),
            since => Ok(Grounds::of(now.time, false, since)),
        }
    }

    /// All of one kind that is due, in as many commits as it takes.
    fn pass(&self, service: &Session, pass: Pass, outlook: &Outlook) -> Result<Vec<Event>, EngineError> {
        let (command, mut events, mut used) = (pass.command(), Vec::new(), 0);
        loop {
            let grounds = self.grounds()?;
            let parts = outlook.parts(&self.state(), grounds, pass);
            for part in &parts {
                // No use is on its way to the state while the rules look at it.
                let done = self.register.without_uses(|| self.run_within(service, &command, part));
                match done {
                    Ok(done) => events.extend(done.events),
                    Err(EngineError::Refused(Refusal::UsedMeanwhile)) if used < TRIES => {
                        used += 1;
                        self.register.write(Refused::WhenDue)?;
                    }
                    Err(EngineError::Refused(Refusal::UsedMeanwhile)) => return Ok(events),
                    // Somebody else did that part; what follows may still be due.
                    Err(EngineError::Refused(Refusal::NoChange(_))) => {}
                    Err(error) => return Err(error),
                }
            }
            if parts.is_empty() || used == 0 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::random::OsEntropy;
    use crate::domain::lifecycle::tests::LOOKS;
    use crate::domain::time::DAY_MS;
    use crate::domain::{Command, Expiry, Name, NewKey, Note, Place};
    use crate::engine::Via;
    use crate::engine::clock::TestClock;
    use crate::engine::open::{Open, in_memory};

    const START: Timestamp = Timestamp(1_790_000_000_000);

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    /// A store in memory with so many keys that end in so many days.
    fn store_of(clock: &TestClock, keys: usize, days: u32) -> Open {
        let time = Arc::new(clock.clone());
        let open = in_memory(name("Acme"), name("maria"), time, Via::Console, Box::new(OsEntropy)).unwrap();
        let raise =
            Command::SetPolicy { name: "keys-per-operator".into(), value: "1000".into(), basis: None };
        open.engine.execute(&open.session, raise).unwrap();
        for n in 0..keys {
            let new = NewKey {
                name: name(&format!("Relay {n}")),
                place: Place::Agency,
                scopes: vec!["contacts.read".into()],
                expiry: START.plus_days(days).map(Expiry::At),
                note: Note::default(),
                decoy: false,
            };
            open.engine.execute(&open.session, Command::IssueKey(new)).unwrap();
        }
        open
    }

    #[test]
    fn a_sweep_looks_at_each_key_equally_often_however_many_are_due_and_once_where_none_is() {
        let looks = |keys: usize, passed: i64| {
            let clock = TestClock::at(START);
            let open = store_of(&clock, keys, 30);
            clock.pass(passed * DAY_MS);
            LOOKS.set(0);
            let swept = open.engine.sweep(&open.session, Sweeping::Do).unwrap();
            (LOOKS.get(), swept.events.len(), swept.next)
        };
        let (few, many) = (looks(65, 29), looks(325, 29));
        assert_eq!((few.1, many.1), (65, 325), "each is told that its end is near");
        assert_eq!(few.0 * 5, many.0);
        assert!(few.0 <= 65 * 13, "{} looks at 65 keys", few.0);
        assert_eq!(few.2, START.plus_days(30), "the end itself is told next");
        assert_eq!(looks(65, 1), (65, 0, START.plus_days(23)), "nothing is due");
    }

    #[test]
    fn a_key_used_a_moment_ago_is_not_told_to_be_deleted_by_a_sweep_that_would_keep_it() {
        let clock = TestClock::at(START);
        let time = Arc::new(clock.clone());
        let open = in_memory(name("Acme"), name("maria"), time, Via::Console, Box::new(OsEntropy)).unwrap();
        let new = NewKey {
            name: name("Relay"),
            place: Place::Agency,
            scopes: vec!["contacts.read".into()],
            expiry: Some(Expiry::Never),
            note: Note::default(),
            decoy: false,
        };
        let token = open.engine.execute(&open.session, Command::IssueKey(new)).unwrap().token.unwrap();
        for days in [75, 8, 6, 1] {
            clock.pass(days * DAY_MS);
            let how = if days == 1 { Sweeping::Tell } else { Sweeping::Do };
            let told = open.engine.sweep(&open.session, how).unwrap();
            assert_eq!(told.events.len(), 1, "{told:?}");
        }
        assert!(open.engine.verify(token.reveal().as_bytes(), &[]).is_allow());
        let deletes = |swept: Swept| swept.events.iter().any(|event| matches!(event, Event::KeyDeleted(_)));
        assert!(!deletes(open.engine.sweep(&open.session, Sweeping::Tell).unwrap()));
        assert!(!deletes(open.engine.sweep(&open.session, Sweeping::Do).unwrap()));
    }
}
