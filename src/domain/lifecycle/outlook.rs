//! What a look over a whole state finds, some keys at a time. A sweep looks once; what it does then goes by the keys and apps
//! that were found, so that its cost is one look and what is due, and not a look for each part of it.

use super::{Grounds, Pass, Plan, earliest, plan_of, survey, survey_app};
use crate::domain::{AppId, Event, KeyId, State, Timestamp};

/// Keys that are looked at together, so that the state is not held for as long as all of them take.
const IN_SIGHT: usize = 4_096;

/// Of which keys and apps something may be due. Nothing is missed of what was due before the look began; what is due since is
/// for the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    keys: Vec<KeyId>,
    apps: Vec<AppId>,
    /// Keys whose time is not over: how many may be deleted without a word hangs on that.
    live: usize,
    /// Whether deletions wait for a word, or have it.
    holds: bool,
    next: Option<Timestamp>,
    looked: usize,
}

impl Outlook {
    /// Looks at some more keys; `false` when none is left. Between two calls the state may be let go of: it only grows.
    pub fn look_on(&mut self, state: &State, grounds: Grounds) -> bool {
        if grounds.complete_since.is_none() {
            return false;
        }
        let (mut plan, mut due, mut looked) = (Plan::default(), Vec::new(), 0);
        if self.looked == 0 {
            self.look_at_apps(state, grounds.now);
        }
        for key in state.keys_from(self.looked).take(IN_SIGHT) {
            looked += 1;
            self.live += usize::from(!key.state(grounds.now).is_over());
            survey(state, key, grounds, &mut plan, &mut due);
            if plan.is_empty() && due.is_empty() {
                self.next = earliest(self.next, plan.next.take());
            } else {
                self.keys.push(key.id);
                (plan, due) = (Plan::default(), Vec::new());
            }
        }
        self.looked += looked;
        // Whatever waits for a word, or has it, is for the whole plan to weigh.
        self.holds |= !state.hold().is_empty();
        looked == IN_SIGHT
    }

    fn look_at_apps(&mut self, state: &State, now: Timestamp) {
        for app in state.apps() {
            let mut plan = Plan::default();
            survey_app(state, app, now, &mut plan);
            if plan.is_empty() {
                self.next = earliest(self.next, plan.next);
            } else {
                self.apps.push(app.id);
            }
        }
    }

    /// Whether a plan may have something to do.
    pub const fn is_due(&self) -> bool {
        self.holds || !self.keys.is_empty() || !self.apps.is_empty()
    }

    /// When something is due that is not now, if anything is: of all that was looked at, and of what was found as it is by now.
    pub fn next(&self, state: &State, grounds: Grounds) -> Option<Timestamp> {
        earliest(self.next, self.plan(state, grounds).next)
    }

    /// What is due of what was found, as it is by now.
    pub fn plan<'s>(&self, state: &'s State, grounds: Grounds) -> Plan<'s> {
        let apps = self.apps.iter().filter_map(|app| state.app(*app));
        let keys = self.keys.iter().filter_map(|key| state.key(*key));
        plan_of(state, grounds, apps, keys.map(|key| (key, 0)), self.live)
    }

    /// What one pass has to do, one commit's worth at a time. Deletions are weighed together, so that not more of them are
    /// done than need no word.
    pub fn parts(&self, state: &State, grounds: Grounds, pass: Pass) -> Vec<Self> {
        let plan = self.plan(state, grounds);
        let events: Vec<Event> = plan.events(pass, grounds.now).collect();
        let part = |some: &[Event]| match pass {
            Pass::Deletions | Pass::Hold => self.clone(),
            Pass::Renewals
            | Pass::Notices
            | Pass::Cleared
            | Pass::Purges
            | Pass::Graces
            | Pass::Ended
            | Pass::Resumptions => self.of(some),
        };
        events.chunks(Pass::AT_ONCE).map(part).collect()
    }

    /// The part of it that some events are about.
    fn of(&self, events: &[Event]) -> Self {
        let mut part = Self { live: self.live, ..Self::default() };
        for event in events {
            // One key may be told two things, and is looked at once.
            if let Some(key) = event.key_or_noticed().filter(|key| !part.keys.contains(&key.id)) {
                part.keys.push(key.id);
            }
            if let Some(app) = event.app().filter(|app| !part.apps.contains(&app.id)) {
                part.apps.push(app.id);
            }
        }
        part
    }
}
