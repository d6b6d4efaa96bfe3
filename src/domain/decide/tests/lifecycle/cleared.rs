//! Records of keys that have expired: how long they stay where the policy says so, and what is never cleared away.

use super::*;
use crate::domain::notice::{What, of_key};

impl World {
    /// A world that keeps the record of an expired key for thirty days.
    fn clearing() -> (Self, Actor) {
        let (mut world, maria) = Self::founded();
        world.rule(maria, "ended-days", "30");
        (world, maria)
    }

    /// What the board says of a key.
    fn board_of(&self, key: KeyId) -> Vec<What> {
        of_key(&self.state, self.key(key), self.grounds()).iter().map(|notice| notice.what).collect()
    }

    fn clears_at(&self, who: Actor, key: KeyId) -> Option<Timestamp> {
        View::new(&self.state, who).clears_at(self.key(key), self.now)
    }
}

#[test]
fn an_expired_key_is_cleared_away_so_many_days_after_its_end_and_purged_like_any_deleted_one() {
    let (mut world, maria) = World::clearing();
    let key = world.ending(maria, "Ends", 20);
    world.now = day(19);
    assert_eq!((world.sweep(), world.clears_at(maria, key)), (vec![Did::Ends(key, 1)], None));
    world.now = day(20);
    assert_eq!((world.sweep(), world.next()), (vec![Did::Ends(key, 0)], Some(day(50))));
    world.now = just_before(day(50));
    assert_eq!((world.swept(), world.next()), ((vec![], 0), Some(day(50))));
    assert_eq!(world.clears_at(maria, key), Some(day(50)));
    world.now = day(50);
    assert_eq!(world.sweep(), [Did::Deleted(key)]);
    assert_eq!(world.key(key).status, Status::Deleted(day(50)));
    assert_eq!(verdict::closed(&world.state, world.key(key)), Some(Reason::Tombstoned));
    assert_eq!((world.clears_at(maria, key), world.next()), (None, Some(day(80))));
    assert_eq!(world.sweep_on([51, 79, 80, 81, 400]), [(80, Did::Purged(key))]);
}

#[test]
fn the_trail_tells_a_key_that_was_cleared_away_from_one_that_nobody_used() {
    let (mut world, maria) = World::clearing();
    let key = world.ending(maria, "Ends", 20);
    world.sweep_on([20]);
    world.now = day(50);
    for other in [Command::DeleteUnused, Command::PurgeDeleted, Command::RenewNotices] {
        assert!(matches!(world.run(SERVER, &other), Err(Refusal::NoChange(_))), "{other:?}");
    }
    let events = world.run(SERVER, &Command::ClearEnded).unwrap();
    assert!(matches!(&events[..], [Event::KeyDeleted(over)] if over.id == key && over.was_over()));
    assert_eq!(Command::ClearEnded.name(), "key.clear");
}

#[test]
fn unless_the_policy_says_so_an_expired_key_stays() {
    let (mut world, maria) = World::founded();
    let key = world.ending(maria, "Ends", 5);
    assert_eq!(world.sweep_on([5, 6, 400, 3_000]), [(5, Did::Ends(key, 0))]);
    assert_eq!((world.next(), world.clears_at(maria, key)), (None, None));
    // It was told long ago, so it goes with the next sweep, unless the policy is put back before that.
    world.rule(maria, "ended-days", "365d");
    assert_eq!(world.clears_at(maria, key), Some(day(370)));
    world.rule(maria, "ended-days", "never");
    assert_eq!(world.swept(), (vec![], 0));
    world.rule(maria, "ended-days", "1");
    assert_eq!(world.sweep(), [Did::Deleted(key)]);
}

#[test]
fn a_late_sweep_tells_of_the_end_first_and_waits_from_then_on() {
    let (mut world, maria) = World::clearing();
    let key = world.ending(maria, "Ends", 20);
    world.now = day(400);
    assert_eq!(world.clears_at(maria, key), Some(day(430)));
    let log = [(400, Did::Ends(key, 0)), (430, Did::Deleted(key))];
    assert_eq!(world.sweep_on(400..=430), log);
}

#[test]
fn a_clock_that_was_ahead_clears_nothing_away_and_what_it_told_counts_for_nothing() {
    let (mut world, maria) = World::clearing();
    world.rule(maria, "idle-days", "off");
    let [ended, live] = [("Ended", 20), ("Live", 300)].map(|(called, on)| world.ending(maria, called, on));
    let mut told = [(8_000, Did::Ends(ended, 0)), (8_000, Did::Ends(live, 0))];
    told.sort_unstable();
    assert_eq!(world.sweep_on([8_000]), told);
    world.now = day(25);
    assert_eq!(world.clears_at(maria, ended), Some(day(55)), "as if it had never been told");
    assert_eq!((world.sweep(), world.next()), (vec![Did::Ends(ended, 0)], Some(day(55))));
    let log = [(55, Did::Deleted(ended)), (85, Did::Purged(ended))];
    assert_eq!(world.sweep_on([25, 54, 55, 84, 85]), log);
    let log = [(293, Did::Ends(live, 7)), (299, Did::Ends(live, 1)), (300, Did::Ends(live, 0))];
    assert_eq!(world.sweep_on([292, 293, 299, 300, 329]), log);
    assert_eq!(world.sweep_on([330]), [(330, Did::Deleted(live))]);
}

#[test]
fn an_end_that_only_a_clock_ahead_had_told_is_told_when_it_has_come() {
    let (mut world, maria) = World::clearing();
    let key = world.ending(maria, "Ends", 20);
    assert_eq!(world.sweep_on([13, 8_000]), [(13, Did::Ends(key, 7)), (8_000, Did::Ends(key, 0))]);
    assert_eq!(world.sweep_on([15, 20, 49]), [(20, Did::Ends(key, 0))]);
    assert_eq!(world.sweep_on([50]), [(50, Did::Deleted(key))]);
}

#[test]
fn nothing_is_cleared_away_by_a_clock_in_doubt_nor_while_uses_are_not_written() {
    let (mut world, maria) = World::clearing();
    let key = world.ending(maria, "Ends", 20);
    world.sweep_on([20]);
    world.now = day(400);
    world.doubted = true;
    assert_eq!(world.swept(), (vec![], 0));
    world.doubted = false;
    world.complete_since = None;
    assert_eq!(world.swept(), (vec![], 0));
    world.complete_since = Some(day(400));
    assert_eq!(world.sweep(), [Did::Deleted(key)]);
}

#[test]
fn a_protected_key_stays_when_it_has_ended_until_nobody_protects_it() {
    let (mut world, maria) = World::clearing();
    let key = world.ending(maria, "Ends", 20);
    world.protect(maria, key);
    assert_eq!(world.sweep_on([20, 50, 400]), [(20, Did::Ends(key, 0))]);
    assert_eq!((world.clears_at(maria, key), world.next()), (None, None));
    world.run(maria, &Command::UnprotectKey(key)).unwrap();
    assert_eq!(world.sweep(), [Did::Deleted(key)]);
}

#[test]
fn what_somebody_ended_or_another_took_over_from_is_not_cleared_away() {
    let (mut world, maria) = World::clearing();
    let [old, revoked, paused] = ["Old", "Revoked", "Paused"].map(|called| world.ending(maria, called, 20));
    let (grace, counted) = (Grace::DEFAULT, Counted::FromNow);
    let rotation = Rotation { id: None, grace, counted, expiry: None };
    let events = world.run(maria, &Command::RotateKey { key: old, rotation }).unwrap();
    let new = events.iter().find_map(Event::key).unwrap().id;
    world.run(maria, &Command::revoke(revoked)).unwrap();
    world.run(maria, &Command::PauseKey(paused, None)).unwrap();
    assert_eq!(world.sweep_on([1]), [(1, Did::GraceEnded(old))]);
    // What was only paused has expired like any other.
    let both = |done: fn(KeyId) -> Did, on: i64| {
        let mut log = [new, paused].map(|key| (on, done(key)));
        log.sort_unstable();
        log
    };
    assert_eq!(world.sweep_on([20, 49]), both(|key| Did::Ends(key, 0), 20));
    assert_eq!(world.sweep_on([50, 51]), both(Did::Deleted, 50));
    assert_eq!(world.sweep_on([80, 400]), both(Did::Purged, 80));
    for key in [old, revoked] {
        assert_eq!(world.key(key).state(world.now), KeyState::Revoked);
    }
}

#[test]
fn what_was_cleared_away_comes_back_as_a_dead_record_and_is_not_cleared_away_again() {
    let (mut world, maria) = World::clearing();
    let key = world.ending(maria, "Ends", 20);
    world.sweep_on([20, 50]);
    world.now = just_before(day(80));
    world.run(maria, &Command::RestoreKey(key)).unwrap();
    assert_eq!(world.key(key).state(world.now), KeyState::Revoked);
    assert_eq!(verdict::closed(&world.state, world.key(key)), Some(Reason::Revoked));
    for command in [Command::ResumeKey(key), world.edit(key, Expiry::At(day(400)), None)] {
        assert_eq!(world.run(maria, &command).unwrap_err().code(), "wrong_state", "{command:?}");
    }
    assert_eq!(world.sweep_on([80, 110, 400]), []);
}

#[test]
fn two_hundred_ended_keys_are_cleared_away_in_bounded_commits_and_none_waits_for_a_word() {
    let (mut world, maria) = World::roomy();
    world.rule(maria, "ended-days", "30");
    let mut keys: Vec<_> = (0..200).map(|n| world.ending(maria, &format!("K{n}"), 5)).collect();
    keys.sort_unstable();
    world.sweep_on([5]);
    world.now = day(35);
    assert_eq!(world.swept(), (keys.into_iter().map(Did::Deleted).collect::<Vec<_>>(), 4));
}

#[test]
fn an_end_that_was_told_before_its_time_was_written_down_is_told_once_more_and_only_where_that_counts() {
    let (mut world, maria) = World::founded();
    let [key, kept] = ["Ends", "Kept"].map(|called| world.ending(maria, called, 5));
    world.protect(maria, kept);
    assert_eq!(world.sweep_on([5]).len(), 2);
    for key in [key, kept] {
        let known = world.state.cycle(key).unwrap().clone();
        assert_eq!(known.ended, Some(day(5)));
        world.state.put(Record::Cycle(Cycle { ended: None, ..known }));
    }
    assert_eq!(world.sweep_on([6, 100]), []);
    world.rule(maria, "ended-days", "30");
    assert_eq!(world.clears_at(maria, key), Some(day(130)));
    assert_eq!(world.sweep_on([100, 129, 130]), [(100, Did::Ends(key, 0)), (130, Did::Deleted(key))]);
}

#[test]
fn of_a_key_that_had_ended_the_board_never_says_that_nobody_used_it() {
    let (mut world, maria) = World::clearing();
    let [key, by_hand] = ["Ends", "By hand"].map(|called| world.ending(maria, called, 90));
    world.sweep_on([75, 83, 89]);
    assert_eq!(world.state.cycle(key).unwrap().idle.len(), 3);
    world.now = day(91);
    world.run(maria, &Command::DeleteKey(by_hand)).unwrap();
    assert_eq!(world.board_of(by_hand), [], "what a person deletes is no notice");
    assert_eq!(world.sweep(), [Did::Ends(key, 0)]);
    assert_eq!(world.board_of(key), [What::Ended]);
    world.now = day(121);
    // By then nothing is left of the other.
    assert_eq!(world.sweep(), [Did::Deleted(key), Did::Purged(by_hand)]);
    assert_eq!(world.board_of(key), []);
}
