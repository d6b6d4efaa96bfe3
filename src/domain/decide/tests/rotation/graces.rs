//! How long an old half works: since when that is counted, how far it goes, what is told of its end.

use super::*;
use crate::domain::lifecycle;
use crate::domain::notice::{What, board};

#[test]
fn the_old_half_works_to_the_last_millisecond_of_its_grace_and_not_beyond_its_own_end() {
    for (life, grace, end) in [(None, "1h", HOUR), (Some(1_000), "24h", 1_000), (Some(DAY_MS), "24h", DAY_MS)]
    {
        let (mut world, maria) = World::founded();
        let expiry = life.map_or(Expiry::Never, |ms| Expiry::At(later(ms)));
        let old = world.issue(maria, NewKey { expiry: Some(expiry), ..agency_key("K") }).unwrap();
        let new = world.rotate(maria, old, &for_a_grace(grace)).unwrap();
        assert_eq!(world.key(new).expiry, expiry, "a rotation lengthens no life");
        for (ms, works) in [(end - 1, true), (end, false), (end + 1, false)] {
            world.now = later(ms);
            assert_eq!(world.works(old), works, "{grace} at {ms}");
            assert_eq!(world.works(new), !expiry.is_over(world.now));
        }
    }
}

#[test]
fn no_old_half_works_for_longer_than_the_key_that_people_see() {
    let soon = Expiry::At(later(2 * DAY_MS));
    for rotation in [for_a_grace("7d"), from_first_use("24h")] {
        let (mut world, maria) = World::founded();
        let [asked, edited] = ["A", "E"].map(|name| world.issue(maria, agency_key(name)).unwrap());
        world.rotate(maria, asked, &Rotation { expiry: Some(soon), ..rotation.clone() }).unwrap();
        let new = world.rotate(maria, edited, &rotation).unwrap();
        let change = KeyEdit { expiry: soon, ..KeyEdit::of(world.key(new)) };
        world.run(maria, &Command::EditKey { key: new, change, basis: None }).unwrap();
        let longer = world.run(maria, &Command::LengthenGrace { key: new, by: grace("7d") });
        assert_eq!(longer.is_ok(), rotation.counted == Counted::FromFirstUse);
        world.is_used(new);
        world.start_graces();
        let mut taken = world.clone();
        taken.run(maria, &Command::CancelRotation(new)).unwrap();
        assert_eq!(taken.key(edited).expiry, soon, "to take it back lengthens nothing");
        world.now = later(2 * DAY_MS);
        for half in [asked, edited, new] {
            assert!(!world.works(half));
        }
    }
}

#[test]
fn a_key_whose_old_half_works_is_not_deleted_for_want_of_use() {
    let (mut world, maria) = World::founded();
    let old = world.issue(maria, agency_key("K")).unwrap();
    let new = world.rotate(maria, old, &from_first_use("24h")).unwrap();
    let at = |now| Grounds { now, complete_since: Some(NOW) };
    let far = later(400 * DAY_MS);
    assert_eq!(lifecycle::deletes_at(&world.state, world.key(new), at(far)), None);
    assert!(lifecycle::plan(&world.state, at(far)).notices.is_empty());
    world.run(maria, &Command::revoke(old)).unwrap();
    assert!(lifecycle::deletes_at(&world.state, world.key(new), at(far)).is_some());
}

#[test]
fn a_first_use_that_a_clock_ahead_noted_is_no_later_than_now() {
    let (mut world, maria) = World::founded();
    let old = world.issue(maria, agency_key("K")).unwrap();
    let new = world.rotate(maria, old, &from_first_use("1h")).unwrap();
    world.now = later(300 * DAY_MS);
    world.is_used(new);
    world.now = later(HOUR);
    assert_eq!(world.start_graces(), 1);
    assert_eq!(world.key(old).grace_ends(), Some(later(2 * HOUR)));
}

#[test]
fn seven_days_are_counted_from_the_rotation_also_when_the_new_half_is_used_late() {
    let (mut world, maria) = World::founded();
    let old = world.issue(maria, agency_key("K")).unwrap();
    let new = world.rotate(maria, old, &for_a_grace("7d")).unwrap();
    world.now = later(6 * DAY_MS);
    world.is_used(new);
    let answer = world.run(maria, &Command::LengthenGrace { key: new, by: grace("7d") });
    assert!(matches!(answer, Err(Refusal::NoChange(_))), "{answer:?}");
}

#[test]
fn a_grace_from_the_first_use_begins_with_it_and_never_before() {
    let (mut world, maria) = World::founded();
    let ends = NewKey { expiry: Some(Expiry::At(later(90 * DAY_MS))), ..agency_key("K") };
    let old = world.issue(maria, ends).unwrap();
    let new = world.rotate(maria, old, &from_first_use("1h")).unwrap();
    assert_eq!((world.key(old).expiry, world.key(old).grace_ends()), (Expiry::At(later(90 * DAY_MS)), None));
    world.now = later(40 * DAY_MS);
    assert_eq!(world.start_graces(), 0);
    assert!(world.works(old), "nobody has used the new one");
    world.is_used(new);
    world.now = later(40 * DAY_MS + HOUR / 2);
    world.is_used(new);
    assert_eq!((world.start_graces(), world.start_graces()), (1, 0));
    let end = later(40 * DAY_MS + HOUR);
    assert_eq!(world.key(old).grace_ends(), Some(end));
    world.now = Timestamp(end.0 - 1);
    assert!(world.works(old));
    world.now = end;
    assert_eq!((world.works(old), world.works(new)), (false, true));
    // Nothing is counted by a clock that nobody should believe, or from uses that nobody wrote down.
    for (doubted, complete) in [(true, Some(Timestamp(0))), (false, None)] {
        let (mut world, maria) = World::founded();
        let old = world.issue(maria, agency_key("K")).unwrap();
        let new = world.rotate(maria, old, &from_first_use("1h")).unwrap();
        world.is_used(new);
        (world.doubted, world.complete_since) = (doubted, complete);
        assert_eq!(world.start_graces(), 0);
        assert_eq!(world.key(old).expiry, Expiry::Never);
    }
}

#[test]
fn an_old_half_does_not_work_for_a_year_because_a_clock_was_ahead_when_the_new_one_was_first_used() {
    let (mut world, maria) = World::founded();
    let old = world.issue(maria, agency_key("Booking widget")).unwrap();
    let new = world.rotate(maria, old, &from_first_use("24h")).unwrap();
    world.now = later(400 * DAY_MS);
    world.is_used(new);
    world.now = later(HOUR);
    assert_eq!(world.start_graces(), 1);
    assert_eq!(world.key(old).grace_ends(), Some(later(25 * HOUR)), "it began before now");
    let lengthened = Command::LengthenGrace { key: old, by: grace("7d") };
    world.run(maria, &lengthened).unwrap();
    assert_eq!(world.key(old).grace_ends(), Some(later(HOUR + 7 * DAY_MS)), "seven days in all");
    assert_eq!(world.run(maria, &lengthened).unwrap_err().code(), "no_change");
    world.now = later(HOUR + 7 * DAY_MS);
    assert!(!world.works(old) && world.works(new));
}

#[test]
fn a_grace_is_lengthened_up_to_seven_days_and_the_own_end() {
    let (mut world, maria) = World::founded();
    let ends = NewKey { expiry: Some(Expiry::At(later(3 * DAY_MS))), ..agency_key("K") };
    let short = world.issue(maria, ends).unwrap();
    let long = world.issue(maria, agency_key("L")).unwrap();
    let waits = world.issue(maria, agency_key("W")).unwrap();
    for (key, rotation) in
        [(short, for_a_grace("24h")), (long, for_a_grace("24h")), (waits, from_first_use("1h"))]
    {
        world.rotate(maria, key, &rotation).unwrap();
    }
    let longer = |world: &mut World, key, by| {
        let done = world.run(maria, &Command::LengthenGrace { key, by: grace(by) });
        done.map(|_| world.key(key).expiry.instant())
    };
    assert_eq!(longer(&mut world, short, "24h"), Ok(Some(later(2 * DAY_MS))));
    assert_eq!(longer(&mut world, short, "7d"), Ok(Some(later(3 * DAY_MS))));
    assert!(matches!(longer(&mut world, short, "1h"), Err(Refusal::NoChange(_))));
    world.now = later(DAY_MS / 2);
    assert_eq!(longer(&mut world, long, "7d"), Ok(Some(later(7 * DAY_MS))));
    assert!(matches!(longer(&mut world, long, "1h"), Err(Refusal::NoChange(_))));
    assert_eq!(longer(&mut world, waits, "1h"), Ok(None));
    let how = world.key(waits).superseded.clone().unwrap();
    assert_eq!(how.waits, Some(grace("2h")));
    assert_eq!(
        longer(&mut world, waits, "7d").and_then(|_| longer(&mut world, waits, "1h")).unwrap_err().code(),
        "no_change"
    );
}

#[test]
fn a_sweep_writes_down_that_a_grace_is_over() {
    let (mut world, maria) = World::founded();
    let (old, new) = world.rotated(maria);
    assert_eq!(lifecycle::plan(&world.state, world.grounds()).next, Some(later(DAY_MS)));
    world.now = later(2 * DAY_MS);
    assert_eq!(world.key(old).state(world.now), KeyState::Revoked, "computed before it is written");
    let events = world.run_with(SERVICE, &Pass::Ended.command(), &[], None).unwrap();
    let [Event::KeyRevoked(key)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((key.id, key.status), (old, Status::Revoked(later(DAY_MS))));
    assert!(lifecycle::plan(&world.state, world.grounds()).is_empty() && world.works(new));
    assert_eq!(
        world.run_with(SERVICE, &Pass::Ended.command(), &[], None),
        Err(Refusal::NoChange("nothing is due"))
    );
}

#[test]
fn that_an_old_half_is_still_used_is_told_an_hour_before_its_end_once() {
    let (mut world, maria) = World::founded();
    let (old, _) = world.rotated(maria);
    let next = |world: &World| lifecycle::plan(&world.state, world.grounds()).next;
    let given = |world: &World| lifecycle::plan(&world.state, world.grounds()).notices.len();
    world.now = later(20 * HOUR);
    assert_eq!(next(&world), Some(later(DAY_MS)), "nobody uses it");
    world.is_used(old);
    assert_eq!((given(&world), next(&world)), (0, Some(later(23 * HOUR))));
    world.now = later(23 * HOUR);
    assert_eq!(given(&world), 1);
    world.run_with(SERVICE, &Pass::Notices.command(), &[], None).unwrap();
    assert_eq!((given(&world), next(&world)), (0, Some(later(DAY_MS))));
}

#[test]
fn the_board_tells_that_an_old_half_ends_and_whether_it_is_still_used() {
    let (mut world, maria) = World::founded();
    let (old, _) = world.rotated(maria);
    let told = |world: &World| {
        let told = board(View::new(&world.state, maria), world.grounds(), &[]);
        told.iter().map(|notice| (notice.what, notice.key.unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(told(&world), [(What::GraceEnds, old)]);
    world.is_used(old);
    assert_eq!(told(&world), [(What::GraceEnds, old)], "its callers have a day yet");
    world.now = later(23 * HOUR);
    assert_eq!(told(&world), [(What::StillUsed, old)]);
    world.now = later(DAY_MS);
    assert_eq!(told(&world), [], "that it ended was the plan");
}
