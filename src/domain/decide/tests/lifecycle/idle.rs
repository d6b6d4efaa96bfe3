//! Keys nobody uses: the notices, in what order and when, and what keeps a key.

use super::*;

/// A world in which one key was told that it goes tomorrow, which is the 90th day.
fn on_the_last_day() -> (World, Actor, KeyId) {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    let told = [(75, Did::Idle(key, 15)), (83, Did::Idle(key, 7)), (89, Did::Idle(key, 1))];
    assert_eq!(world.sweep_on(75..=89), told);
    (world, maria, key)
}

#[test]
fn an_unused_key_is_announced_15_7_and_1_days_before_it_is_deleted() {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    let mut log = Vec::new();
    for quarter in 0..400 {
        world.now = Timestamp(NOW.0 + quarter * DAY_MS / 4);
        log.extend(world.sweep().into_iter().map(|did| (quarter, did)));
    }
    let ladder = [
        (75 * 4, Did::Idle(key, 15)),
        (83 * 4, Did::Idle(key, 7)),
        (89 * 4, Did::Idle(key, 1)),
        (90 * 4, Did::Deleted(key)),
    ];
    assert_eq!(log, ladder);
}

#[test]
fn nothing_comes_a_millisecond_early() {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    let steps =
        [(75, Did::Idle(key, 15)), (83, Did::Idle(key, 7)), (89, Did::Idle(key, 1)), (90, Did::Deleted(key))];
    for (n, did) in steps {
        world.now = just_before(day(n));
        assert_eq!(world.swept(), (vec![], 0), "before day {n}");
        world.now = day(n);
        assert_eq!(world.sweep(), [did]);
    }
}

#[test]
fn sweeping_every_minute_of_a_day_tells_everything_once() {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    world.now = day(75);
    let mut told = Vec::new();
    for _ in 0..24 * 60 {
        told.extend(world.sweep());
        world.now = Timestamp(world.now.0 + 60_000);
    }
    assert_eq!(told, [Did::Idle(key, 15)]);
}

#[test]
fn a_late_sweep_moves_the_end_and_leaves_no_notice_out() {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    let ladder = [
        (75, Did::Idle(key, 15)),
        (95, Did::Idle(key, 7)),
        (101, Did::Idle(key, 1)),
        (102, Did::Deleted(key)),
    ];
    assert_eq!(world.sweep_on([75, 95, 100, 101, 102, 103]), ladder);
}

#[test]
fn when_nobody_swept_for_400_days_the_notices_begin_then_and_take_their_15_days() {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    let ladder = [
        (400, Did::Idle(key, 15)),
        (408, Did::Idle(key, 7)),
        (414, Did::Idle(key, 1)),
        (415, Did::Deleted(key)),
    ];
    assert_eq!(world.sweep_on(400..=416), ladder);
}

#[test]
fn a_clock_in_doubt_tells_nothing_and_deletes_nothing() {
    for ahead in [55, 400, 3_000, 20_000, 2_900_000] {
        let (mut world, maria, key) = on_the_last_day();
        let deleted = world.ending(maria, "Deleted", 200);
        world.run(maria, &Command::DeleteKey(deleted)).unwrap();
        let right = world.now;
        world.doubted = true;
        world.now = day(ahead);
        for pass in PASSES {
            assert_eq!(world.run(SERVER, &pass), Err(Refusal::ClockSuspect));
        }
        assert_eq!(world.swept(), (vec![], 0));
        (world.doubted, world.now) = (false, right);
        assert_eq!(world.sweep_on([89, 90]), [(90, Did::Deleted(key))], "all goes on as if nothing had been");
    }
}

#[test]
fn while_uses_are_not_written_down_nothing_is_told_and_nothing_deleted() {
    let (mut world, _, key) = on_the_last_day();
    world.complete_since = None;
    assert_eq!(world.sweep_on([90, 3_000]), []);
    assert_eq!(world.run(SERVER, &Command::DeleteUnused), Err(Refusal::UsesIncomplete));
    // Once they are again, days without use count from then.
    world.complete_since = Some(day(3_000));
    let again = [(3_075, Did::Idle(key, 15)), (3_083, Did::Idle(key, 7))];
    assert_eq!(world.sweep_on([3_001, 3_074, 3_075, 3_083]), again);
}

#[test]
fn days_in_which_uses_were_lost_do_not_count() {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    world.complete_since = Some(day(60));
    assert_eq!(world.deletes_at(key), Some((day(150), false)));
    assert_eq!(world.sweep_on([74, 75, 134, 135]), [(135, Did::Idle(key, 15))]);
}

#[test]
fn a_use_on_the_last_day_keeps_the_key() {
    let (mut world, _, key) = on_the_last_day();
    world.now = just_before(day(90));
    world.use_key(key);
    assert_eq!(world.deletes_at(key), Some((Timestamp(day(180).0 - 1), false)));
    assert_eq!(world.sweep_on([90, 91, 164]), []);
    assert_eq!(world.sweep_on([165]), [(165, Did::Idle(key, 15))], "the notices begin with the first");
}

#[test]
fn a_use_since_any_notice_or_in_its_very_moment_begins_them_anew_even_when_nobody_swept_meanwhile() {
    for (until, later) in [(75, 0), (75, 1), (83, 0), (83, 1), (89, 0), (89, 1)] {
        let (mut world, maria) = World::founded();
        let key = world.keys(maria, 1)[0];
        world.sweep_on(75..=until);
        world.now = Timestamp(day(until).0 + later);
        world.use_key(key);
        // So late that all would be due.
        assert_eq!(world.sweep_on([until + 300, until + 301]), [(until + 300, Did::Idle(key, 15))]);
    }
}

#[test]
fn a_protected_key_is_never_deleted_and_counts_from_the_day_it_is_no_longer() {
    let (mut world, maria, key) = on_the_last_day();
    world.protect(maria, key);
    let protection = world.key(key).protection.clone().unwrap();
    assert_eq!((protection.word.by, protection.word.at), (maria.operator, day(89)));
    assert_eq!(world.deletes_at(key), None);
    assert_eq!(world.sweep_on([90, 91, 4_000]), []);
    world.run(maria, &Command::UnprotectKey(key)).unwrap();
    assert_eq!(world.sweep_on(4_000..=4_090).first(), Some(&(4_075, Did::Idle(key, 15))));
    assert!(world.key(key).state(world.now) == KeyState::Deleted);
}

#[test]
fn protecting_a_key_for_a_moment_gives_it_all_its_days_again() {
    let (mut world, maria, key) = on_the_last_day();
    world.protect(maria, key);
    world.run(maria, &Command::UnprotectKey(key)).unwrap();
    assert_eq!(world.sweep_on(89..=164), [(164, Did::Idle(key, 15))]);
}

#[test]
fn a_key_that_somebody_keeps_counts_anew() {
    let (mut world, maria, key) = on_the_last_day();
    world.run(maria, &Command::KeepKey(key)).unwrap();
    assert_eq!(world.deletes_at(key), Some((day(89 + 90), false)));
    assert_eq!(world.sweep_on(89..=164), [(164, Did::Idle(key, 15))]);
}

#[test]
fn a_paused_key_is_not_deleted_and_counts_from_when_it_is_resumed() {
    let (mut world, maria, key) = on_the_last_day();
    world.run(maria, &Command::PauseKey(key, None)).unwrap();
    assert_eq!(world.deletes_at(key), None);
    assert_eq!(world.sweep_on([90, 91, 1_000]), []);
    world.run(maria, &Command::ResumeKey(key)).unwrap();
    assert_eq!(world.sweep_on(1_000..=1_075), [(1_075, Did::Idle(key, 15))]);
    // Without a sweep in between as well.
    world.run(maria, &Command::PauseKey(key, None)).unwrap();
    world.run(maria, &Command::ResumeKey(key)).unwrap();
    assert_eq!(world.sweep_on(1_075..=1_150), [(1_150, Did::Idle(key, 15))]);
}

#[test]
fn of_a_key_that_was_revoked_or_deleted_meanwhile_nothing_more_is_said() {
    for end in [Command::revoke as fn(KeyId) -> Command, Command::DeleteKey] {
        let (mut world, maria, key) = on_the_last_day();
        world.run(maria, &end(key)).unwrap();
        assert_eq!((world.swept(), world.deletes_at(key)), ((vec![], 0), None));
        world.now = day(91);
        assert_eq!(world.swept(), (vec![], 0));
    }
}

#[test]
fn after_a_deletion_the_trail_does_not_say_that_its_notices_were_withdrawn() {
    let (mut world, _, key) = on_the_last_day();
    assert_eq!(world.sweep_on([90]), [(90, Did::Deleted(key))]);
    world.now = day(91);
    assert_eq!(world.swept(), (vec![], 0));
}

#[test]
fn a_key_whose_time_is_over_is_not_deleted_for_want_of_use() {
    let (mut world, maria) = World::founded();
    let key = world.ending(maria, "Ends", 80);
    let log = world.sweep_on(60..=200);
    let told =
        [(73, Did::Ends(key, 7)), (75, Did::Idle(key, 15)), (79, Did::Ends(key, 1)), (80, Did::Ends(key, 0))];
    assert_eq!(log, told);
    assert_eq!(world.key(key).state(world.now), KeyState::Expired);
}

#[test]
fn keys_of_one_owner_that_are_due_together_are_all_told_of() {
    let (mut world, maria) = World::roomy();
    let mut keys = world.keys(maria, 150);
    keys.sort_unstable();
    world.now = day(75);
    let (told, commits) = world.swept();
    assert_eq!(told, keys.into_iter().map(|key| Did::Idle(key, 15)).collect::<Vec<_>>());
    assert_eq!(commits, 3, "no commit is about more than 64");
}

#[test]
fn a_rule_that_is_off_deletes_nothing_and_one_that_is_put_on_begins_with_the_first_notice() {
    let (mut world, maria, key) = on_the_last_day();
    world.rule(maria, "idle-days", "off");
    assert_eq!(world.deletes_at(key), None);
    assert_eq!(world.sweep_on([90, 400]), []);
    world.rule(maria, "idle-days", "16d");
    assert_eq!(world.deletes_at(key), Some((day(415), false)));
    let ladder = [
        (400, Did::Idle(key, 15)),
        (408, Did::Idle(key, 7)),
        (414, Did::Idle(key, 1)),
        (415, Did::Deleted(key)),
    ];
    assert_eq!(world.sweep_on(400..=420), ladder);
}

#[test]
fn notices_of_a_rule_that_was_off_meanwhile_do_not_count_though_an_end_was_told_of_just_then() {
    let (mut world, maria) = World::founded();
    let key = world.ending(maria, "Both", 90);
    assert_eq!(world.sweep_on([75]), [(75, Did::Idle(key, 15))]);
    world.rule(maria, "idle-days", "off");
    assert_eq!(world.sweep_on([83]), [(83, Did::Ends(key, 7))]);
    world.rule(maria, "idle-days", "90d");
    assert_eq!(world.sweep_on([84]), [(84, Did::Idle(key, 15))]);
}

#[test]
fn more_idle_days_give_a_key_that_was_announced_its_days_back() {
    let (mut world, maria, key) = on_the_last_day();
    world.rule(maria, "idle-days", "120d");
    assert_eq!(world.deletes_at(key), Some((day(120), false)));
    let ladder = [(105, Did::Idle(key, 15)), (113, Did::Idle(key, 7)), (119, Did::Idle(key, 1))];
    assert_eq!(world.sweep_on(90..120), ladder);
    // A few more, and what was said still holds: it only goes later.
    world.rule(maria, "idle-days", "125d");
    assert_eq!(world.sweep_on(119..=125), [(125, Did::Deleted(key))]);
}

#[test]
fn lists_say_when_an_unused_key_is_deleted_at_the_earliest() {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    let said = |world: &mut World, n: i64| {
        world.now = day(n);
        world.deletes_at(key)
    };
    assert_eq!(said(&mut world, 0), Some((day(90), false)));
    assert_eq!(
        said(&mut world, 80),
        Some((day(95), false)),
        "no notice was given yet, and they take 15 days"
    );
    world.sweep();
    assert_eq!(said(&mut world, 80), Some((day(95), true)));
    assert_eq!(said(&mut world, 92), Some((day(99), true)), "the notice of 7 days is to come");
    world.sweep();
    assert_eq!(said(&mut world, 98), Some((day(99), true)));
    world.sweep();
    assert_eq!((said(&mut world, 98), world.next()), (Some((day(99), true)), Some(day(99))));
}

#[test]
fn a_key_that_nobody_can_use_does_not_run_down_its_days() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Admin);
    let at = world.location(maria, "North");
    let never = |new| NewKey { expiry: Some(Expiry::Never), ..new };
    let stopped = world.issue(jonas, never(agency_key("Stopped"))).unwrap();
    world.issue(maria, never(location_key("Gone", at))).unwrap();
    let stop = Command::DisableOperator { operator: jonas.operator, keys: KeysAfter::Stop };
    world.run(maria, &stop).unwrap();
    world.run(maria, &Command::RemoveLocation { location: at }).unwrap();
    assert_eq!(world.sweep_on(70..=200), []);
    world.run(maria, &Command::EnableOperator(jonas.operator)).unwrap();
    let told = [15, 7, 1].map(|days| Did::Idle(stopped, days));
    let log = [(200, told[0]), (208, told[1]), (214, told[2]), (215, Did::Deleted(stopped))];
    assert_eq!(world.sweep_on(200..=230), log, "it gets all its days once it works again");
}

#[test]
fn a_notice_given_by_a_clock_years_ahead_holds_no_more_when_that_is_put_right() {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    assert_eq!(world.sweep_on([8_000]), [(8_000, Did::Idle(key, 15))]);
    world.now = day(10);
    assert_eq!(world.deletes_at(key), Some((day(90), false)));
    let all =
        [(75, Did::Idle(key, 15)), (83, Did::Idle(key, 7)), (89, Did::Idle(key, 1)), (90, Did::Deleted(key))];
    assert_eq!(world.sweep_on([10, 74, 75, 83, 89, 90]), all);
}
