//! What the keys of a store come to, for whoever watches over it: how many in which state, which ends first, how many notices
//! wait for somebody. Counted when somebody asks, some keys at a time: of a large store each question goes on where the one
//! before it ended, and is answered with the last whole count, so that no request waits for a walk over all of them.

use std::sync::{Mutex, PoisonError};

use crate::domain::notice::Board;
use crate::domain::{Grounds, KeyState, Timestamp};
use crate::engine::{Engine as _, LocalEngine, troubles};

/// Keys that are looked at for one question: a few milliseconds.
const AT_ONCE: usize = 20_000;

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Keys by their state, in the order of [`KeyState::ALL`].
    pub states: [usize; KeyState::ALL.len()],
    /// When the first of the live keys ends.
    pub soonest: Option<Timestamp>,
    /// Notices that nobody has put away.
    pub notices: usize,
}

/// A count that goes on.
#[derive(Default)]
pub struct Tally(Mutex<Round>);

#[derive(Default)]
struct Round {
    from: usize,
    counts: Counts,
    board: Option<Board>,
    last: Counts,
}

impl Tally {
    /// Goes on counting, and says what the last whole count came to.
    pub fn read(&self, engine: &LocalEngine) -> Counts {
        let now = engine.now();
        let grounds = Grounds::of(now.time, now.suspect, engine.condition().complete_since);
        let wrong = troubles(engine).when();
        let mut round = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = engine.state();
        let mut board = round.board.take().unwrap_or_else(|| Board::new(grounds));
        for key in state.keys().skip(round.from).take(AT_ONCE).filter(|key| !key.is_purged()) {
            board.add(&state, key);
            let stands = key.state(now.time);
            let at = KeyState::ALL.iter().position(|known| *known == stands);
            if let Some(count) = at.and_then(|at| round.counts.states.get_mut(at)) {
                *count += 1;
            }
            let ends = key.expiry.instant().filter(|_| stands.is_live());
            round.counts.soonest = round.counts.soonest.into_iter().chain(ends).min();
        }
        round.from += AT_ONCE;
        if round.from < state.key_count() {
            round.board = Some(board);
        } else {
            for app in state.apps() {
                board.add_app(&state, app);
            }
            board.add_lockdowns(state.lockdowns());
            let all = board.finish(&state, state.hold(), &wrong);
            let notices = all.iter().filter(|notice| notice.seen.is_none()).count();
            round.last = Counts { notices, ..std::mem::take(&mut round.counts) };
            round.from = 0;
        }
        round.last.clone()
    }
}
