//! Lives at random, led by the program and by a [`Reckoning`] side by side: each sweep does the same in both, and keys
//! stand the same way after each step. `PROPTEST_CASES` sets how many (everyday: 256).

use proptest::prelude::*;
use proptest::sample::select;

use super::reckoning::{Entry, Reckoning};
use super::witness::stands;
use super::*;

#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    Sweep,
    SweepInDoubt,
    /// While uses are not written down.
    SweepBlind,
    /// When uses have been written down for so many days.
    SweepSince(i64),
    Use,
    Pause,
    Resume,
    Revoke,
    Delete,
    Restore,
    Protect,
    Unprotect,
    Keep,
    /// In so many days, told of so many before.
    End(Option<i64>, Option<u32>),
    IdleDays(Option<u32>),
    NoticeDays(u32),
    Confirm,
    /// With a grace of so many hours, from the first use or from now; none: it was lost.
    Rotate(i64, bool),
    /// The new half was lost before anybody used it.
    Again,
    Cancel,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// Milliseconds after the one before.
    pub(super) after: i64,
    pub(super) key: usize,
    pub(super) deed: Deed,
}

#[derive(Clone, Debug)]
pub(super) struct Life {
    /// When each key ends, in days, and how many before it is told of that.
    pub(super) keys: Vec<(Option<i64>, Option<u32>)>,
    pub(super) steps: Vec<Step>,
}

fn notice() -> impl Strategy<Value = u32> {
    select(vec![1, 2, 7, 14, 30, 100])
}

fn end() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![1 => Just(None), 3 => (1..30i64).prop_map(Some), 2 => (30..200i64).prop_map(Some)]
}

fn own() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![3 => Just(None), 1 => notice().prop_map(Some)]
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        50 => Just(Deed::Sweep),
        2 => Just(Deed::SweepInDoubt),
        2 => Just(Deed::SweepBlind),
        2 => select(vec![0, 1, 16, 40, 74, 90]).prop_map(Deed::SweepSince),
        8 => Just(Deed::Use),
        3 => select(vec![Deed::Pause, Deed::Resume, Deed::Resume, Deed::Keep]),
        3 => select(vec![Deed::Protect, Deed::Unprotect, Deed::Unprotect]),
        1 => select(vec![Deed::Revoke, Deed::Delete, Deed::Restore, Deed::Restore]),
        10 => (end(), own()).prop_map(|(end, own)| Deed::End(end, own)),
        1 => select(vec![None, Some(16), Some(30), Some(90), Some(120)]).prop_map(Deed::IdleDays),
        1 => notice().prop_map(Deed::NoticeDays),
        3 => Just(Deed::Confirm),
        4 => (1..168i64, any::<bool>()).prop_map(|(hours, waits)| Deed::Rotate(hours, waits)),
        1 => Just(Deed::Rotate(0, false)),
        2 => Just(Deed::Again),
        1 => Just(Deed::Cancel),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    const HOUR: i64 = DAY_MS / 24;
    let after = prop_oneof![
        4 => select(vec![0, 1, HOUR, DAY_MS / 2, DAY_MS - 1, DAY_MS + 1]),
        25 => select(vec![1, 1, 1, 2, 3, 6, 8]).prop_map(|days| days * DAY_MS),
        1 => select(vec![15, 30, 40, 75, 90]).prop_map(|days| days * DAY_MS),
    ];
    (after, any::<usize>(), deed()).prop_map(|(after, key, deed)| Step { after, key, deed })
}

pub(super) fn life() -> impl Strategy<Value = Life> {
    let keys = prop_oneof![16 => 1..5usize, 7 => 6..13usize, 1 => 66..80usize];
    let steps = prop::collection::vec(step(), 1..80);
    let first = prop_oneof![3 => Just(None), 2 => (15..200i64).prop_map(Some)];
    (keys.prop_flat_map(move |keys| prop::collection::vec((first.clone(), own()), keys)), steps)
        .prop_map(|(keys, steps)| Life { keys, steps })
}

impl World {
    /// A world with the keys of a life, in their order.
    pub(super) fn born(life: &Life) -> (Self, Actor, Vec<KeyId>) {
        let (mut world, maria) = Self::roomy();
        let keys = world.keys(maria, life.keys.len());
        for (key, (end, own)) in keys.iter().zip(&life.keys) {
            world.done(maria, *key, Deed::End(*end, *own));
        }
        (world, maria, keys)
    }

    /// Does what is no sweep, on the part of an operator who may; whether it was done.
    pub(super) fn done(&mut self, who: Actor, key: KeyId, deed: Deed) -> bool {
        let policy = |name: &str, value| Command::SetPolicy { name: name.to_owned(), value, basis: None };
        let command = match deed {
            Deed::Sweep | Deed::SweepInDoubt | Deed::SweepBlind | Deed::SweepSince(_) => {
                unreachable!("{deed:?}")
            }
            Deed::Use => {
                let is_let_in = verdict::refused(&self.state, self.key(key), self.now).is_none();
                if is_let_in {
                    self.use_key(key);
                    // A sweep that comes late lets the old half work for longer; here it comes at once.
                    let _begun = self.run_with(SERVER, &Command::StartGraces, &[], None);
                }
                return is_let_in;
            }
            Deed::Pause => Command::PauseKey(key, None),
            Deed::Resume => Command::ResumeKey(key),
            Deed::Revoke => Command::revoke(key),
            Deed::Delete => Command::DeleteKey(key),
            Deed::Restore => Command::RestoreKey(key),
            Deed::Protect => Command::ProtectKey { key, why: Note::new("needed").unwrap() },
            Deed::Unprotect => Command::UnprotectKey(key),
            Deed::Keep => Command::KeepKey(key),
            Deed::End(days, own) => {
                let at = days.map(|days| Expiry::At(Timestamp(self.now.0 + days * DAY_MS)));
                self.edit(key, at.unwrap_or(Expiry::Never), own)
            }
            Deed::IdleDays(days) => policy("idle-days", days.map_or("off".into(), |n| n.to_string())),
            Deed::NoticeDays(days) => policy("notice-days", days.to_string()),
            Deed::Rotate(..) | Deed::Again => return self.has_taken_over(who, key, deed).is_some(),
            Deed::Cancel if self.key(key).superseded.is_none() => return false,
            Deed::Cancel => Command::CancelRotation(key),
            Deed::Confirm => {
                Command::ConfirmHold { count: u32::try_from(self.state.hold().keys.len()).unwrap() }
            }
        };
        self.run_with(who, &command, &[], None).is_ok()
    }

    /// Has another key take over, if that is the deed: that one.
    pub(super) fn has_taken_over(&mut self, who: Actor, key: KeyId, deed: Deed) -> Option<KeyId> {
        let command = match deed {
            Deed::Rotate(hours, waits) => {
                let grace = if hours == 0 { Grace::NONE } else { format!("{hours}h").parse().unwrap() };
                let counted = if waits { Counted::FromFirstUse } else { Counted::FromNow };
                Command::RotateKey { key, rotation: Rotation { id: None, grace, counted, expiry: None } }
            }
            Deed::Again => Command::RepeatRotation(key),
            _ => return None,
        };
        let events = self.run(who, &command).ok()?;
        events.iter().find_map(Event::key).map(|new| new.id)
    }

    /// Sweeps, if that is the deed.
    pub(super) fn sweeps(&mut self, deed: Deed) -> Option<Vec<Did>> {
        (self.doubted, self.complete_since) = match deed {
            Deed::Sweep => (false, Some(Timestamp(0))),
            Deed::SweepInDoubt => (true, Some(Timestamp(0))),
            Deed::SweepBlind => (false, None),
            Deed::SweepSince(days) => (false, Some(Timestamp(self.now.0 - days * DAY_MS))),
            _ => return None,
        };
        let did = self.sweep();
        self.doubted = false;
        Some(did)
    }

    /// What is said to be next is: nothing is due before it, and something when it comes.
    fn waits_for_what_is_next(&self) -> Result<(), TestCaseError> {
        let (next, mut later) = (self.next(), self.clone());
        later.now = next.map_or(day(20_000), just_before);
        if later.now > self.now {
            prop_assert_eq!(later.swept(), (vec![], 0), "before {:?}", next);
        }
        if let Some(next) = next {
            prop_assert!(next > self.now);
            later.now = next;
            prop_assert!(later.swept().1 > 0, "nothing was due on {}", next);
        }
        Ok(())
    }
}

impl Reckoning {
    fn born(life: &Life, keys: &[KeyId]) -> Self {
        let mut reckoning = Self::new(Some(90), 7);
        for (key, (end, own)) in keys.iter().zip(&life.keys) {
            reckoning.happens(*key, NOW.0, Entry::Made);
            reckoning.done(*key, NOW.0, Deed::End(*end, *own));
        }
        reckoning
    }

    fn done(&mut self, key: KeyId, now: i64, deed: Deed) -> bool {
        let mut both = |entry| self.happens_to_both(key, now, entry);
        let entry = match deed {
            Deed::Use => Entry::Used,
            Deed::Pause => return both(Entry::Paused),
            Deed::Resume => return both(Entry::Resumed),
            Deed::Revoke => return both(Entry::Revoked),
            Deed::Delete => return both(Entry::Deleted),
            Deed::Restore => Entry::Restored,
            Deed::Protect => Entry::Protected,
            Deed::Unprotect => Entry::Unprotected,
            Deed::Keep => Entry::Kept,
            Deed::End(days, own) => Entry::Ends(days.map(|days| now + days * DAY_MS), own),
            Deed::IdleDays(days) => return std::mem::replace(&mut self.idle_days, days) != days,
            Deed::NoticeDays(days) => return std::mem::replace(&mut self.notice_days, days) != days,
            Deed::Confirm => return self.confirm(),
            Deed::Cancel => return self.cancel(key, now),
            Deed::Rotate(..)
            | Deed::Again
            | Deed::Sweep
            | Deed::SweepInDoubt
            | Deed::SweepBlind
            | Deed::SweepSince(_) => {
                return false;
            }
        };
        self.happens(key, now, entry)
    }
}

proptest! {
    #[test]
    fn the_program_does_to_any_life_what_the_contract_says(life in life()) {
        let (mut world, maria, mut keys) = World::born(&life);
        let mut reckoning = Reckoning::born(&life, &keys);
        for (n, Step { after, key, deed }) in life.steps.iter().copied().enumerate() {
            world.now = Timestamp(world.now.0 + after);
            let (key, now) = (keys[key % keys.len()], world.now);
            if let Some(did) = world.sweeps(deed) {
                let complete = world.complete_since.filter(|_| !matches!(deed, Deed::SweepInDoubt));
                prop_assert_eq!(did, reckoning.sweep(now.0, complete.map(|at| at.0)), "step {}", n);
            } else if matches!(deed, Deed::Rotate(..) | Deed::Again) {
                let new = world.has_taken_over(maria, key, deed);
                let to = new.unwrap_or(KeyId(id(usize::MAX)));
                let expected = match deed {
                    Deed::Rotate(hours, waits) => reckoning.rotate(key, to, now.0, (hours * DAY_MS / 24, waits)),
                    _ => reckoning.again(key, to, now.0),
                };
                prop_assert_eq!(new.is_some(), expected, "step {}", n);
                keys.extend(new);
            } else {
                prop_assert_eq!(world.done(maria, key, deed), reckoning.done(key, now.0, deed), "step {}", n);
            }
            let complete = world.complete_since.unwrap_or(Timestamp(0));
            world.complete_since = Some(complete);
            for key in keys.iter().copied() {
                prop_assert_eq!(stands(world.key(key), now), reckoning.stands(key, now.0), "step {}", n);
                let at = world.deletes_at(key).map(|(at, is_told)| (at.0, is_told));
                prop_assert_eq!(at, reckoning.deletes_at(key, now.0, complete.0), "step {}", n);
            }
        }
        world.sweep();
        world.waits_for_what_is_next()?;
    }
}
