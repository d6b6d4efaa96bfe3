//! What becomes of the keys of a large sample store: when each is issued, how it is used, which ones are paused, rotated,
//! revoked or deleted, and when.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::town::{Spot, Town, named};
use super::{Halt, Hear, SPAN_MS, Stage, tell};
use crate::crypto::token::Token;
use crate::domain::time::{DAY_MS, HOUR_MS};
use crate::domain::{Command, Counted, Expiry, Grace, KeyId, NewKey, Note, Rotation, Timestamp};
use crate::engine::clock::{Clock as _, SystemClock};
use crate::engine::demo::{Caller, origin_of};
use crate::engine::{Done, Engine as _, EngineError, OpenError, Sweeping};

const MINUTE_MS: i64 = HOUR_MS / 60;
/// Keys whose uses are noted before they are written: about as many as the histories that are gathered.
const AT_ONCE: usize = 4_096;
/// On so many days of its life a living key is used, the last of them included.
const DAYS_USED: i64 = 3;
/// Idle keys at most: more of them than an operator reads about.
const MOST_IDLE: usize = 200;
/// Without use for less than this nobody is told.
const MONTHS_MS: i64 = 60 * DAY_MS;

/// What people do to a key.
#[derive(Clone, Copy)]
enum End {
    Paused,
    Revoked,
    Deleted,
    Rotated,
}

/// A key that was issued. Times are milliseconds before now.
struct Issued {
    id: KeyId,
    by: usize,
    kind: usize,
    token: Box<[u8]>,
    caller: Caller,
    born: i64,
    /// When it was used last; `None` is never.
    last: Option<i64>,
}

/// See the module.
pub(super) struct Lives {
    town: Town,
    now: Timestamp,
    made: usize,
    /// Those that nobody ends, and what becomes of the others and when.
    living: Vec<Issued>,
    ends: BTreeMap<(Reverse<i64>, usize), (Issued, End)>,
    /// Keys used since that was written down.
    used: usize,
    /// Keys nobody used for so long that their owners may be told.
    idle: usize,
}

impl Lives {
    /// No key is there.
    pub fn new(town: Town) -> Self {
        let now = SystemClock.read().wall;
        Self { town, now, made: 0, living: Vec::new(), ends: BTreeMap::new(), used: 0, idle: 0 }
    }

    /// Keys are issued, evenly over the time, and ended in between.
    pub fn begin(&mut self, hear: Hear<'_>) -> Result<(), Halt> {
        let all = self.town.size.keys;
        while self.made < all {
            if self.made.is_multiple_of(1_024) {
                tell(hear, Stage::Keys, self.made, all)?;
            }
            let part = i64::try_from(self.made).unwrap_or(0);
            let ago = SPAN_MS - (SPAN_MS - HOUR_MS) / i64::try_from(all).unwrap_or(1).max(1) * part;
            self.end_until(ago)?;
            if self.made < all {
                self.town.clock.set(ago);
                self.issue(ago)?;
            }
        }
        self.end_until(0)?;
        self.town.clock.set(0);
        tell(hear, Stage::Keys, all, all)
    }

    fn issue(&mut self, ago: i64) -> Result<(), Halt> {
        let Spot { owner, place, kind, name } = self.town.spot(self.made);
        let life = match self.town.dice.roll(100) {
            0..30 => None,
            30..55 => Some(365),
            55..75 => Some(180),
            75..85 => Some(90),
            _ => Some(730),
        };
        let expiry =
            life.map_or(Expiry::Never, |days| Expiry::At(Timestamp(self.now.0 - ago + days * DAY_MS)));
        let scopes = self.town.kinds.get(kind).map(|kind| kind.scopes.clone()).unwrap_or_default();
        let new = NewKey {
            name: named(&name)?,
            place,
            scopes,
            expiry: Some(expiry),
            note: Note::default(),
            decoy: false,
        };
        let done = self.town.act(owner, Command::IssueKey(new))?;
        // Its use ends with its life.
        let over = life.map_or(0, |days| (ago - days * DAY_MS).max(0));
        self.plan(done, (owner, kind), (ago, over));
        Ok(())
    }

    /// What becomes of a key that is just made: `ago`, and expires `over` milliseconds before now at the latest.
    fn plan(&mut self, done: Done, (by, kind): (usize, usize), (ago, over): (i64, i64)) {
        self.made += 1;
        let Some(token) = done.token else { return };
        let end = match self.town.dice.roll(100) {
            0..3 => Some(End::Paused),
            3..8 => Some(End::Revoked),
            8..10 => Some(End::Deleted),
            10..13 => Some(End::Rotated),
            _ => None,
        };
        let since = match end {
            // Of what was deleted longer ago than a month nothing is left to look at.
            Some(End::Deleted) => ago.min(28 * DAY_MS),
            // What has been paused for longer would be idle.
            Some(End::Paused) => ago.min(MONTHS_MS),
            Some(End::Revoked | End::Rotated) | None => ago,
        };
        let until = end.map(|_| over + self.throw(since - over)).filter(|until| *until < ago - HOUR_MS);
        let last = self.last_use(ago, until.unwrap_or(over));
        let one = issued(&token, (by, kind), self.town.dice.caller(), (ago, last));
        match end.zip(until) {
            Some((end, until)) => drop(self.ends.insert((Reverse(until), self.made), (one, end))),
            None => self.living.push(one),
        }
    }

    /// When a key is used last that may be used from `born` until `over`.
    fn last_use(&mut self, born: i64, over: i64) -> Option<i64> {
        let days = match self.town.dice.roll(100) {
            // In life what is never used does not get old.
            0..8 if born < MONTHS_MS => return None,
            0..70 => 2,
            70..90 => 30,
            98.. if self.idle < MOST_IDLE => {
                self.idle += 1;
                200
            }
            _ => 60,
        };
        let last = over + MINUTE_MS + self.throw(days * DAY_MS);
        Some(last.min(born - MINUTE_MS)).filter(|last| *last > over)
    }

    fn throw(&mut self, ms: i64) -> i64 {
        let sides = u64::try_from(ms).unwrap_or(0);
        i64::try_from(self.town.dice.roll(sides)).unwrap_or(0)
    }

    /// Does what people did to keys until then.
    fn end_until(&mut self, ago: i64) -> Result<(), Halt> {
        while self.ends.first_key_value().is_some_and(|((Reverse(at), _), _)| *at >= ago) {
            let Some(((Reverse(at), _), (one, end))) = self.ends.pop_first() else { break };
            self.use_it(&one, 0);
            self.used += 1;
            if self.used >= AT_ONCE {
                self.write_uses()?;
            }
            self.town.clock.set(at);
            let done = match end {
                End::Paused => self.town.act(one.by, Command::PauseKey(one.id, None)),
                End::Revoked => self.town.act(one.by, Command::revoke(one.id)),
                End::Deleted => self.town.act(one.by, Command::DeleteKey(one.id)),
                End::Rotated if self.made < self.town.size.keys => self.rotate(&one, at),
                End::Rotated => continue,
            };
            match done {
                // It expired before, or took over from another only just: then its own end comes.
                Ok(_) | Err(Halt::Failed(OpenError::Engine(EngineError::Refused(_)))) => {}
                Err(halt) => return Err(halt),
            }
        }
        Ok(())
    }

    /// Another takes over, with the life that is usual.
    fn rotate(&mut self, one: &Issued, at: i64) -> Result<Done, Halt> {
        let (grace, life) = (Grace::MAX, 365);
        let expiry = Some(Expiry::At(Timestamp(self.now.0 - at + life * DAY_MS)));
        let rotation = Rotation { id: None, grace, counted: Counted::FromNow, expiry };
        let done = self.town.act(one.by, Command::RotateKey { key: one.id, rotation })?;
        self.plan(done, (one.by, one.kind), (at, (at - life * DAY_MS).max(0)));
        Ok(Done::default())
    }

    /// It is used on the last of its days, or so many before.
    fn use_it(&mut self, one: &Issued, before: i64) {
        let Some(last) = one.last else { return };
        let ago = last + (one.born - last) / (DAYS_USED + 1) * before;
        let at = Timestamp(self.now.0 - ago);
        let needs = self.town.kinds.get(one.kind).and_then(|kind| kind.needs.as_ref());
        for _ in 0..=self.town.dice.roll(3) {
            let wanted = needs.map(std::slice::from_ref).unwrap_or_default();
            drop(self.town.engine.verifier().verify_from(&one.token, wanted, origin_of(one.caller), at));
        }
    }

    /// What lives is used.
    pub fn go_on(&mut self, hear: Hear<'_>) -> Result<(), Halt> {
        let living = std::mem::take(&mut self.living);
        for (part, some) in living.chunks(AT_ONCE).enumerate() {
            tell(hear, Stage::Uses, part * AT_ONCE, living.len())?;
            for before in (0..DAYS_USED).rev() {
                for one in some {
                    self.use_it(one, before);
                }
                let founder = self.town.people.first().ok_or(OpenError::NoOperator)?;
                self.town.engine.know_uses(founder)?;
            }
            self.write_uses()?;
        }
        tell(hear, Stage::Uses, living.len(), living.len())
    }

    fn write_uses(&mut self) -> Result<(), Halt> {
        self.used = 0;
        Ok(self.town.engine.settle()?)
    }

    /// What time brought is done, for the first time, and all of it is written down.
    pub fn end(mut self) -> Result<(), Halt> {
        let founder = self.town.people.first().ok_or(OpenError::NoOperator)?;
        drop(self.town.engine.sweep(founder, Sweeping::Do)?);
        self.town.engine.vouch_for_uses()?;
        self.write_uses()
    }
}

fn issued(
    token: &Token,
    (by, kind): (usize, usize),
    caller: Caller,
    (born, last): (i64, Option<i64>),
) -> Issued {
    Issued { id: KeyId(token.id()), by, kind, token: token.reveal().as_bytes().into(), caller, born, last }
}
