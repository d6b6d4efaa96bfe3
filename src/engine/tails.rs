//! Who knocks now, for whoever watches. While nobody does, a request pays one look at a flag. While somebody does, each
//! request is counted and some are told: of many that come at once every second, fourth, eighth, allowed and refused ones
//! apart, so that a flood of the one does not drown the other. Who does not ask for five seconds watches no more.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::uses::agent;
use super::{EngineError, LocalEngine, Origin, Session};
use crate::domain::authorize::acting;
use crate::domain::tail::{Arrival, SCOPES, Second, Tail, Watched};
use crate::domain::trace::Sighting;
use crate::domain::{Actor, Decision, ScopeId, State, Timestamp, View};

/// Who does not ask for so long watches no more.
const LAPSE_MS: i64 = 5_000;
/// Requests of one kind that are told with one answer.
const LANE: usize = 256;
/// Seconds that wait to be told; more than a watch lasts unasked, for a clock that is put right meanwhile.
const SECONDS: usize = 32;
/// As many watch at once as can be attached, and one that has the store. Whoever asked longest ago gives way.
const WATCHERS: usize = 65;

/// One request, as it was decided about.
#[derive(Clone, Copy)]
pub(super) struct Knock<'k> {
    /// What was decided.
    pub decision: &'k Decision,
    /// The scopes it asked for.
    pub wanted: &'k [ScopeId],
    /// Where it came from.
    pub origin: Origin<'k>,
    /// When.
    pub at: Timestamp,
}

/// Those who watch.
#[derive(Default)]
pub(super) struct Tails {
    on: AtomicBool,
    // Taken while the state is read, never the other way round.
    watchers: Mutex<Vec<Watcher>>,
}

/// A session that watches: one thing at a time.
struct Watcher {
    session: String,
    actor: Actor,
    watched: Watched,
    asked: Timestamp,
    heard: Heard,
}

/// What waits to be told.
#[derive(Default)]
struct Heard {
    allowed: Lane,
    refused: Lane,
    seconds: VecDeque<Second>,
    count: u64,
}

/// Requests of one kind, or an even part of them.
struct Lane {
    /// With their places among all.
    kept: Vec<(u64, Arrival)>,
    count: u64,
    /// One of so many is kept.
    stride: u64,
}

impl Default for Lane {
    fn default() -> Self {
        Self { kept: Vec::new(), count: 0, stride: 1 }
    }
}

impl Lane {
    fn put(&mut self, place: u64, arrival: impl FnOnce() -> Arrival) {
        let nth = self.count;
        self.count += 1;
        if nth.is_multiple_of(self.stride) && self.kept.len() == LANE {
            let mut stays = false;
            self.kept.retain(|_| {
                stays = !stays;
                stays
            });
            self.stride = self.stride.saturating_mul(2);
        }
        if nth.is_multiple_of(self.stride) {
            self.kept.push((place, arrival()));
        }
    }

    fn left_out(&self) -> u64 {
        self.count.saturating_sub(u64::try_from(self.kept.len()).unwrap_or(u64::MAX))
    }
}

impl Heard {
    /// The second in which something arrives at `at`.
    fn second(&mut self, at: Timestamp) -> Option<&mut Second> {
        let at = Timestamp(at.0 - at.0.rem_euclid(1_000));
        if self.seconds.back().is_none_or(|last| last.at != at) {
            if self.seconds.len() == SECONDS {
                self.seconds.pop_front();
            }
            self.seconds.push_back(Second { at, allowed: 0, refused: 0, strangers: 0 });
        }
        self.seconds.back_mut()
    }

    fn told(self, since: Timestamp, until: Timestamp) -> Tail {
        let left_out = self.allowed.left_out().saturating_add(self.refused.left_out());
        let mut kept = self.allowed.kept;
        kept.extend(self.refused.kept);
        kept.sort_unstable_by_key(|(place, _)| *place);
        let arrivals = kept.into_iter().map(|(_, arrival)| arrival).collect();
        Tail { since, until, arrivals, left_out, seconds: self.seconds.into() }
    }
}

impl Watcher {
    fn is_asked_for(&self, now: Timestamp) -> bool {
        // A clock that was put back must not keep it for as long as it was ahead.
        (-LAPSE_MS..LAPSE_MS).contains(&now.since(self.asked))
    }

    fn hear(&mut self, state: &State, knock: Knock<'_>) {
        let view = View::new(state, self.actor);
        let Knock { decision, wanted, origin, at } = knock;
        let Some(bearer) = decision.bearer() else {
            if self.watched.counts_strangers(view)
                && let Some(second) = self.heard.second(at)
            {
                second.strangers += 1;
            }
            return;
        };
        let Some(name) = self.watched.caught(view, bearer) else { return };
        let reason = decision.reason();
        if let Some(second) = self.heard.second(at) {
            *(if reason.is_none() { &mut second.allowed } else { &mut second.refused }) += 1;
        }
        let place = self.heard.count;
        self.heard.count += 1;
        let lane = if reason.is_none() { &mut self.heard.allowed } else { &mut self.heard.refused };
        lane.put(place, || Arrival {
            bearer,
            name,
            reason,
            scopes: wanted.iter().take(SCOPES).cloned().collect(),
            more: u32::try_from(wanted.len().saturating_sub(SCOPES)).unwrap_or(u32::MAX),
            from: Sighting {
                at,
                address: origin.address.map(Into::into),
                agent: origin.agent.and_then(agent),
            },
        });
    }
}

impl Tails {
    /// Whether somebody watches: all that a request pays while nobody does.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    fn watchers(&self) -> MutexGuard<'_, Vec<Watcher>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells those who watch of a request.
    pub fn hear(&self, state: &State, knock: Knock<'_>) {
        let mut watchers = self.watchers();
        watchers.retain(|watcher| watcher.is_asked_for(knock.at));
        self.on.store(!watchers.is_empty(), Ordering::Relaxed);
        watchers.iter_mut().for_each(|watcher| watcher.hear(state, knock));
    }

    /// What arrived for a session since it asked last. Watching begins with the first time.
    fn take(&self, session: &Session, watched: Watched, now: Timestamp) -> Tail {
        let (id, actor) = (session.id(), session.actor());
        let mut watchers = self.watchers();
        watchers.retain(|watcher| watcher.is_asked_for(now));
        self.on.store(true, Ordering::Relaxed);
        let same = |watcher: &&mut Watcher| {
            watcher.session == id && watcher.actor == actor && watcher.watched == watched
        };
        if let Some(watcher) = watchers.iter_mut().find(same) {
            let since = std::mem::replace(&mut watcher.asked, now);
            return std::mem::take(&mut watcher.heard).told(since, now);
        }
        watchers.retain(|watcher| watcher.session != id);
        if watchers.len() >= WATCHERS {
            let longest = watchers.iter().map(|watcher| watcher.asked).min();
            watchers.retain(|watcher| Some(watcher.asked) != longest);
        }
        watchers.push(Watcher { session: id.into(), actor, watched, asked: now, heard: Heard::default() });
        Heard::default().told(now, now)
    }

    fn end(&self, session: &Session) {
        let mut watchers = self.watchers();
        watchers.retain(|watcher| watcher.session != session.id());
        self.on.store(!watchers.is_empty(), Ordering::Relaxed);
    }
}

impl LocalEngine {
    /// Tells those who watch of a request.
    #[cold]
    pub(super) fn tell_watchers(&self, decision: &Decision, wanted: &[ScopeId], origin: Origin<'_>) {
        let at = self.now().time;
        let state = self.state();
        self.tails.hear(&state, Knock { decision, wanted, origin, at });
    }

    /// What arrived since the session asked last, or the end of asking.
    pub(super) fn tail_of(
        &self,
        session: &Session,
        watched: Option<Watched>,
    ) -> Result<Option<Tail>, EngineError> {
        let Some(watched) = watched else {
            self.tails.end(session);
            return Ok(None);
        };
        let now = self.now().time;
        {
            let state = self.state();
            acting(&state, &session.actor())?;
            watched.in_view(View::new(&state, session.actor()))?;
        }
        Ok(Some(self.tails.take(session, watched, now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Bearer, KeyId, Name, PublicId};

    fn arrival() -> Arrival {
        Arrival {
            bearer: Bearer::Key(KeyId(PublicId::NOBODY)),
            name: Name::new("Nightly export").unwrap(),
            reason: None,
            scopes: Vec::new(),
            more: 0,
            from: Sighting { at: Timestamp(0), address: None, agent: None },
        }
    }

    #[test]
    fn of_many_an_even_part_is_kept_and_the_others_are_counted() {
        let mut lane = Lane::default();
        for place in 0..100_000 {
            lane.put(place, arrival);
        }
        assert!((LANE / 2..=LANE).contains(&lane.kept.len()), "{}", lane.kept.len());
        assert_eq!(lane.left_out(), 100_000 - lane.kept.len() as u64);
        let steps: Vec<u64> = lane.kept.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        assert!(steps.iter().all(|step| *step == lane.stride), "{steps:?}");
        assert!(lane.kept.last().unwrap().0 + lane.stride >= 100_000, "up to the last of them");
    }

    #[test]
    fn a_few_are_all_told_in_their_order() {
        let mut heard = Heard::default();
        for place in 0..10 {
            let lane = if place % 3 == 0 { &mut heard.refused } else { &mut heard.allowed };
            let at = Timestamp(i64::try_from(place).unwrap());
            lane.put(place, || Arrival { from: Sighting { at, address: None, agent: None }, ..arrival() });
        }
        let tail = heard.told(Timestamp(0), Timestamp(9));
        let order: Vec<i64> = tail.arrivals.iter().map(|arrival| arrival.from.at.0).collect();
        assert_eq!((order, tail.left_out), ((0..10).collect(), 0));
    }

    #[test]
    fn the_counts_of_a_second_are_whole_however_often_somebody_asks() {
        let mut heard = Heard::default();
        for at in [999, 1_000, 1_001, 1_999, 2_000] {
            heard.second(Timestamp(at)).unwrap().allowed += 1;
        }
        let counts: Vec<_> = heard.seconds.iter().map(|second| (second.at.0, second.allowed)).collect();
        assert_eq!(counts, [(0, 1), (1_000, 3), (2_000, 1)]);
    }
}
