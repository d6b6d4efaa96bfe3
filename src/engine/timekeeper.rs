//! What time it is for decisions that deny. Setting the clock back revives nothing: the keeper remembers the
//! highest time it believes in. A jump forward is obeyed while it lasts (what is past its expiry is refused) but
//! not believed, so putting the clock right undoes it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minicbor::{Decode, Encode};

use super::clock::{Clock, Reading};
use crate::domain::Timestamp;

/// How far the two clocks may drift apart within one boot.
const TOLERANCE_MS: u64 = 120_000;

/// The highest believed time, as kept in the store.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Mark {
    /// The time.
    #[n(0)]
    pub wall: Timestamp,
    /// Milliseconds since boot at that moment.
    #[n(1)]
    pub since_boot: i64,
    /// Which boot.
    #[n(2)]
    pub boot: String,
}

/// The time for a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// What to compare with.
    pub time: Timestamp,
    /// Whether the wall clock disagrees with the boot clock or with what was seen before.
    pub suspect: bool,
}

/// Keeps the mark.
pub struct Timekeeper {
    clock: Arc<dyn Clock>,
    mark: Mutex<Mark>,
    /// What the wall clock said when it was last compared with the other one and nothing was wrong. The clock ticks
    /// some hundred times a second, and until its next tick it need not be doubted again.
    honest: AtomicI64,
}

/// No clock says that.
const NEVER: i64 = i64::MIN;

/// All there is to know about the clocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dial {
    /// What the wall clock says, believed or not.
    pub wall: Timestamp,
    /// Milliseconds since boot.
    pub since_boot: i64,
    /// The highest believed time, as it was last held against the other clock.
    pub mark: Mark,
    /// What the wall clock should say by the mark and the time that passed since.
    pub expected: Timestamp,
    /// What decisions go by.
    pub now: Now,
}

impl Dial {
    /// Why nobody should believe the wall clock, while nobody should.
    pub fn doubt(&self) -> Option<String> {
        let off = self.wall.since(self.expected);
        let far = match off.saturating_abs() / 60_000 {
            minutes @ ..120 => format!("{minutes} min"),
            minutes @ ..2_880 => format!("{} h", (minutes + 30) / 60),
            minutes => format!("{} d", (minutes + 720) / 1_440),
        };
        let (side, seen) = if off < 0 {
            ("behind", "the latest time this store has seen and the time that passed since")
        } else {
            ("ahead of", "what it should say by the clock that counts from the start of this machine")
        };
        self.now.suspect.then(|| format!("it is {far} {side} {seen}"))
    }
}

impl Timekeeper {
    /// Starts from the stored mark, or from now when there is none.
    pub fn new(clock: Arc<dyn Clock>, stored: Option<Mark>) -> Self {
        let fresh = fresh(&*clock);
        let mark = stored.map_or_else(|| fresh.clone(), |stored| continued(stored, &fresh));
        Self { clock, mark: Mutex::new(mark), honest: AtomicI64::new(NEVER) }
    }

    /// Goes on from a mark that somebody else keeps on this machine.
    pub fn follow(&self, theirs: Mark) {
        let fresh = fresh(&*self.clock);
        self.set(continued(theirs, &fresh));
    }

    /// What the mark is when an admin says that the wall clock is right, and the time it says.
    pub fn fresh(&self) -> Mark {
        fresh(&*self.clock)
    }

    /// Believes a mark from now on.
    pub fn set(&self, mark: Mark) {
        let mut held = self.held();
        *held = mark;
        self.honest.store(NEVER, Ordering::Relaxed);
    }

    /// What time it is.
    pub fn now(&self) -> Now {
        let wall = self.clock.wall();
        if wall.0 == self.honest.load(Ordering::Relaxed) && wall.0 != NEVER {
            return Now { time: wall, suspect: false };
        }
        self.compare()
    }

    fn compare(&self) -> Now {
        self.held_against().2
    }

    /// Both clocks held against each other and against the mark.
    pub fn dial(&self) -> Dial {
        let (Reading { wall, since_boot }, expected, now) = self.held_against();
        Dial { wall, since_boot, mark: self.mark(), expected, now }
    }

    /// What both clocks say, what the wall clock should say, and what that makes of the time.
    fn held_against(&self) -> (Reading, Timestamp, Now) {
        let mut mark = self.held();
        let reading = self.clock.read();
        let Reading { wall, since_boot } = reading;
        let expected = mark.wall.0.saturating_add(since_boot.saturating_sub(mark.since_boot));
        let off = wall.0.saturating_sub(expected);
        let suspect = off.unsigned_abs() > TOLERANCE_MS;
        if !suspect && wall > mark.wall {
            mark.wall = wall;
            mark.since_boot = since_boot;
        }
        // While the clock is behind, time still passes: the boot clock says how much.
        let time = wall.max(mark.wall).max(Timestamp(if off < 0 { expected } else { wall.0 }));
        let honest = !suspect && time == wall;
        self.honest.store(if honest { wall.0 } else { NEVER }, Ordering::Relaxed);
        (reading, Timestamp(expected), Now { time, suspect })
    }

    /// The mark, to be stored.
    pub fn mark(&self) -> Mark {
        self.held().clone()
    }

    fn held(&self) -> MutexGuard<'_, Mark> {
        self.mark.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fresh(clock: &dyn Clock) -> Mark {
    let Reading { wall, since_boot } = clock.read();
    Mark { wall, since_boot, boot: clock.boot() }
}

/// Where a mark stands in this boot.
fn continued(old: Mark, fresh: &Mark) -> Mark {
    if old.boot == fresh.boot && old.since_boot <= fresh.since_boot {
        return old;
    }
    // Another boot: the time between cannot be checked, so a later clock is believed. Machines are off for weeks. An
    // earlier one is not: the mark stays.
    Mark { wall: old.wall.max(fresh.wall), ..fresh.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::DAY_MS;
    use crate::engine::clock::TestClock;

    const START: Timestamp = Timestamp(1_790_000_000_000);

    fn keeper(clock: &TestClock, stored: Option<Mark>) -> Timekeeper {
        Timekeeper::new(Arc::new(clock.clone()), stored)
    }

    #[test]
    fn honest_time_passes() {
        let clock = TestClock::at(START);
        let keeper = keeper(&clock, None);
        clock.pass(400 * DAY_MS);
        assert_eq!(keeper.now(), Now { time: Timestamp(START.0 + 400 * DAY_MS), suspect: false });
    }

    #[test]
    fn a_clock_set_back_revives_nothing() {
        let clock = TestClock::at(START);
        let keeper = keeper(&clock, None);
        clock.set(Timestamp(START.0 - 3_650 * DAY_MS));
        assert_eq!(keeper.now(), Now { time: START, suspect: true });
        clock.pass(1_000);
        assert_eq!(keeper.now().time, Timestamp(START.0 + 1_000));
    }

    #[test]
    fn a_jump_forward_is_obeyed_while_it_lasts_and_forgotten_after() {
        let clock = TestClock::at(START);
        let keeper = keeper(&clock, None);
        clock.set(Timestamp(START.0 + 55 * DAY_MS));
        assert_eq!(keeper.now(), Now { time: Timestamp(START.0 + 55 * DAY_MS), suspect: true });
        clock.set(START);
        assert_eq!(keeper.now(), Now { time: START, suspect: false });
        assert_eq!(keeper.mark().wall, START);
    }

    #[test]
    fn the_mark_survives_a_restart_and_a_reboot() {
        let clock = TestClock::at(START);
        let mark = keeper(&clock, None).mark();
        clock.set(Timestamp(START.0 - 55 * DAY_MS));
        assert_eq!(keeper(&clock, Some(mark.clone())).now().time, START);
        let other_boot = Mark { boot: "earlier".into(), ..mark.clone() };
        assert_eq!(keeper(&clock, Some(other_boot.clone())).now().time, START);
        clock.set(Timestamp(START.0 + 100 * DAY_MS));
        let now = keeper(&clock, Some(other_boot)).now();
        assert_eq!(now, Now { time: Timestamp(START.0 + 100 * DAY_MS), suspect: false });
        assert!(keeper(&clock, Some(mark)).now().suspect);
    }

    #[test]
    fn absurd_clocks_do_not_overflow() {
        let clock = TestClock::at(START);
        let keeper = keeper(&clock, None);
        for wall in [i64::MIN, -1, 0, 1 << 31, i64::MAX] {
            clock.set(Timestamp(wall));
            assert!(keeper.now().time >= START);
        }
    }
}
