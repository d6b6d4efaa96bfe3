//! What time brings, told as small stories. A sweep does here what it does in the engine: one command after the other
//! on the server's own behalf, each until there is nothing left of its kind.

mod bounds;
mod cleared;
mod decoys;
mod ends;
mod held;
mod idle;
mod lives;
mod pauses;
mod reckoning;
mod seen;
mod witness;

use self::witness::Did;
use super::*;
use crate::domain::command::KeyEdit;
use crate::domain::lifecycle::{Told, deletes_at, plan};

const SERVER: Actor = Actor { operator: OperatorId(PublicId::NOBODY), access: Access::Service };

/// What a sweep consists of, in its order.
const PASSES: [Command; 9] = [
    Command::StartGraces,
    Command::EndGraces,
    Command::ResumeDue,
    Command::RenewNotices,
    Command::GiveNotices,
    Command::DeleteUnused,
    Command::HoldDeletions,
    Command::ClearEnded,
    Command::PurgeDeleted,
];

/// So many days after the beginning.
fn day(n: i64) -> Timestamp {
    Timestamp(NOW.0 + n * DAY_MS)
}

fn just_before(at: Timestamp) -> Timestamp {
    Timestamp(at.0 - 1)
}

impl World {
    /// Whatever is due now is done; what that was, and in how many commits.
    fn swept(&mut self) -> (Vec<Did>, usize) {
        let (mut did, mut commits) = (Vec::new(), 0);
        for pass in PASSES {
            loop {
                assert!(commits < 500, "no end of {pass:?}");
                match self.run_with(SERVER, &pass, &[], None) {
                    Ok(events) => {
                        assert!((1..=64).contains(&events.len()), "{} in one commit", events.len());
                        did.extend(events.iter().filter_map(Did::of));
                        commits += 1;
                    }
                    Err(Refusal::NoChange(_) | Refusal::ClockSuspect | Refusal::UsesIncomplete) => break,
                    Err(other) => panic!("{pass:?}: {other}"),
                }
            }
        }
        let left = plan(&self.state, self.grounds());
        assert!(left.is_empty(), "left over: {left:?}");
        did.sort_unstable();
        (did, commits)
    }

    fn sweep(&mut self) -> Vec<Did> {
        self.swept().0
    }

    /// Sweeps on each of these days: what was done on which.
    fn sweep_on(&mut self, days: impl IntoIterator<Item = i64>) -> Vec<(i64, Did)> {
        let mut log = Vec::new();
        for n in days {
            self.now = day(n);
            log.extend(self.sweep().into_iter().map(|did| (n, did)));
        }
        log
    }

    /// A request with the key is let in.
    fn use_key(&mut self, key: KeyId) {
        self.state.note_use(
            *key.public(),
            Usage { last_used_at: Some(self.now), count: 1, first_used_at: Some(self.now) },
        );
    }

    /// As many keys, all made now.
    fn keys(&mut self, owner: Actor, count: usize) -> Vec<KeyId> {
        let first = self.state.key_count();
        (first..first + count)
            .map(|n| {
                self.issue(owner, NewKey { expiry: Some(Expiry::Never), ..agency_key(&format!("K{n}")) })
            })
            .map(Result::unwrap)
            .collect()
    }

    /// A world whose policy lets an operator have as many keys as they like.
    fn roomy() -> (Self, Actor) {
        let (mut world, maria) = Self::founded();
        world.rule(maria, "keys-per-operator", "10000");
        (world, maria)
    }

    pub(super) fn rule(&mut self, admin: Actor, rule: &str, value: &str) {
        let command = Command::SetPolicy { name: rule.into(), value: value.into(), basis: None };
        self.run(admin, &command).unwrap();
    }

    fn protect(&mut self, actor: Actor, key: KeyId) {
        let why = Note::new("the yearly report needs it").unwrap();
        self.run(actor, &Command::ProtectKey { key, why }).unwrap();
    }

    /// A key that ends so many days after the beginning.
    fn ending(&mut self, owner: Actor, called: &str, on: i64) -> KeyId {
        self.issue(owner, NewKey { expiry: Some(Expiry::At(day(on))), ..agency_key(called) }).unwrap()
    }

    /// The key as it is, but for its end and when that is told of.
    fn edit(&self, key: KeyId, expiry: Expiry, notice_days: Option<u32>) -> Command {
        let change = KeyEdit { expiry, notice_days, ..KeyEdit::of(self.key(key)) };
        Command::EditKey { key, change, basis: None }
    }

    /// When lists say that a key will be deleted, and whether that was announced.
    fn deletes_at(&self, key: KeyId) -> Option<(Timestamp, bool)> {
        deletes_at(&self.state, self.key(key), self.grounds()).map(|(at, told)| (at, told > 0))
    }

    /// When there is something to do again.
    fn next(&self) -> Option<Timestamp> {
        plan(&self.state, self.grounds()).next
    }

    pub(super) fn grounds(&self) -> Grounds {
        Grounds::of(self.now, self.doubted, self.complete_since)
    }
}
