//! Keys whose end is near, and those that were deleted: what is told, until when a record comes back, and what is left.

use super::*;

#[test]
fn the_end_of_a_key_is_told_of_7_and_1_days_before_it_and_when_it_has_come() {
    let (mut world, maria) = World::founded();
    let key = world.ending(maria, "Ends", 30);
    let told = [(23, Did::Ends(key, 7)), (29, Did::Ends(key, 1)), (30, Did::Ends(key, 0))];
    assert_eq!(world.sweep_on(0..60), told);
}

#[test]
fn an_end_is_not_told_of_a_millisecond_early_and_each_time_once() {
    let (mut world, maria) = World::founded();
    let key = world.ending(maria, "Ends", 30);
    for (n, days) in [(23, 7), (29, 1), (30, 0)] {
        world.now = just_before(day(n));
        assert_eq!((world.swept(), world.next()), ((vec![], 0), Some(day(n))));
        world.now = day(n);
        assert_eq!((world.sweep(), world.sweep()), (vec![Did::Ends(key, days)], vec![]));
    }
    assert_eq!(world.next(), None);
}

#[test]
fn of_several_notices_of_an_end_that_are_due_only_the_tightest_is_given() {
    for (late, days) in [(28, 7), (29, 1), (30, 0), (400, 0)] {
        let (mut world, maria) = World::founded();
        let key = world.ending(maria, "Ends", 30);
        assert_eq!(world.sweep_on([late]), [(late, Did::Ends(key, days))]);
        assert_eq!(world.sweep(), []);
    }
}

#[test]
fn an_extended_key_is_told_of_anew_and_the_trail_says_that_the_notices_are_withdrawn() {
    let (mut world, maria) = World::founded();
    let key = world.ending(maria, "Ends", 30);
    assert_eq!(world.sweep_on([23, 29]).len(), 2);
    let extend = world.edit(key, Expiry::At(day(60)), None);
    world.run(maria, &extend).unwrap();
    assert_eq!(world.run(SERVER, &Command::RenewNotices).unwrap().len(), 1);
    let again = [(53, Did::Ends(key, 7)), (59, Did::Ends(key, 1)), (60, Did::Ends(key, 0))];
    assert_eq!(world.sweep_on(29..70), again);
}

#[test]
fn a_key_that_is_given_no_end_and_then_one_again_is_told_of_it() {
    let (mut world, maria) = World::founded();
    let key = world.ending(maria, "Ends", 30);
    assert_eq!(world.sweep_on([29]), [(29, Did::Ends(key, 1))]);
    let never = world.edit(key, Expiry::Never, None);
    world.run(maria, &never).unwrap();
    assert_eq!(world.sweep_on([30, 39]), []);
    let again = world.edit(key, Expiry::At(day(45)), None);
    world.run(maria, &again).unwrap();
    let told = [(39, Did::Ends(key, 7)), (44, Did::Ends(key, 1)), (45, Did::Ends(key, 0))];
    assert_eq!(world.sweep_on(39..=45), told);
}

#[test]
fn what_was_told_already_is_not_said_to_be_due_next() {
    let (mut world, maria) = World::founded();
    let key = world.ending(maria, "Ends", 30);
    assert_eq!(world.sweep_on([29]), [(29, Did::Ends(key, 1))]);
    // Not so far that it is told of anew: the next that is said is that it has ended.
    let extend = world.edit(key, Expiry::At(day(33)), None);
    world.run(maria, &extend).unwrap();
    assert_eq!((world.sweep(), world.next()), (vec![], Some(day(33))));
    assert_eq!(world.sweep_on(29..=33), [(33, Did::Ends(key, 0))]);
}

#[test]
fn a_key_can_be_told_of_earlier_or_later_than_the_policy_says() {
    let (mut world, maria) = World::founded();
    let (early, late) = (world.ending(maria, "Early", 100), world.ending(maria, "Late", 100));
    for (key, days) in [(early, 30), (late, 1)] {
        let edit = world.edit(key, Expiry::At(day(100)), Some(days));
        world.run(maria, &edit).unwrap();
    }
    for bad in [0, 366, u32::MAX] {
        let edit = world.edit(early, Expiry::At(day(100)), Some(bad));
        assert_eq!(world.run(maria, &edit), Err(Refusal::BadNotice));
    }
    world.rule(maria, "idle-days", "off");
    let mut told = vec![
        (70, Did::Ends(early, 30)),
        (99, Did::Ends(early, 1)),
        (99, Did::Ends(late, 1)),
        (100, Did::Ends(early, 0)),
        (100, Did::Ends(late, 0)),
    ];
    told.sort_unstable();
    assert_eq!(world.sweep_on(0..=101), told);
}

#[test]
fn the_policy_tells_of_all_ends_earlier_when_it_is_changed() {
    let (mut world, maria) = World::founded();
    let key = world.ending(maria, "Ends", 60);
    assert_eq!(world.sweep_on([40]), []);
    world.rule(maria, "notice-days", "30d");
    assert_eq!(world.sweep_on(40..=60).first(), Some(&(40, Did::Ends(key, 30))));
}

#[test]
fn the_end_of_a_paused_key_is_told_of_and_that_of_one_that_was_ended_is_not() {
    let (mut world, maria) = World::founded();
    let [paused, revoked, deleted] = ["P", "R", "D"].map(|called| world.ending(maria, called, 30));
    world.run(maria, &Command::PauseKey(paused, None)).unwrap();
    assert_eq!(world.sweep_on([23]).len(), 3);
    world.run(maria, &Command::revoke(revoked)).unwrap();
    world.run(maria, &Command::DeleteKey(deleted)).unwrap();
    assert_eq!(world.swept(), (vec![], 0));
    assert_eq!(world.sweep_on(24..=40), [(29, Did::Ends(paused, 1)), (30, Did::Ends(paused, 0))]);
}

#[test]
fn two_hundred_keys_that_end_at_one_instant_are_each_told_of_once() {
    let (mut world, maria) = World::roomy();
    let mut keys: Vec<_> = (0..200).map(|n| world.ending(maria, &format!("K{n}"), 30)).collect();
    keys.sort_unstable();
    world.now = day(30);
    let (told, commits) = world.swept();
    assert_eq!(told, keys.into_iter().map(|key| Did::Ends(key, 0)).collect::<Vec<_>>());
    assert_eq!(commits, 4);
}

#[test]
fn a_deleted_record_comes_back_for_30_days_and_is_purged_in_the_moment_they_are_over() {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    world.run(maria, &Command::DeleteKey(key)).unwrap();
    world.now = just_before(day(30));
    assert_eq!((world.swept(), world.next()), ((vec![], 0), Some(day(30))));
    world.run(maria, &Command::RestoreKey(key)).unwrap();
    assert_eq!(world.key(key).state(world.now), KeyState::Revoked);
    world.now = day(40);
    assert_eq!(world.swept(), (vec![], 0), "a restored record is not purged");
    world.run(maria, &Command::DeleteKey(key)).unwrap();
    world.now = day(70);
    assert_eq!(world.run(maria, &Command::RestoreKey(key)), Err(Refusal::RestoreTooLate { ended: day(70) }));
    assert_eq!(world.sweep(), [Did::Purged(key)]);
    assert_eq!(world.sweep_on([71, 4_000]), []);
    assert_eq!(world.next(), None);
}

#[test]
fn what_was_deleted_for_want_of_use_comes_back_as_a_record_and_is_not_deleted_again() {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    assert_eq!(world.sweep_on([75, 83, 89, 90]).last(), Some(&(90, Did::Deleted(key))));
    assert_eq!(verdict::closed(&world.state, world.key(key)), Some(Reason::Tombstoned));
    world.run(maria, &Command::RestoreKey(key)).unwrap();
    assert_eq!(verdict::closed(&world.state, world.key(key)), Some(Reason::Revoked));
    assert_eq!(world.sweep_on([90, 91, 400]), []);
}

#[test]
fn nobody_sees_a_purged_key_nothing_of_it_is_left_and_its_id_is_never_given_again() {
    use view::{Found, Sought};
    let (mut world, maria) = World::founded();
    let at = world.location(maria, "North");
    let note = Note::new("whom to call").unwrap();
    let keys = [
        world.issue(maria, NewKey { note: note.clone(), ..agency_key("Old") }).unwrap(),
        world.issue(maria, NewKey { note, ..location_key("Old too", at) }).unwrap(),
    ];
    let whole = Actor { access: Access::Agency, ..maria };
    for key in keys {
        world.protect(maria, key);
        let contacts = Contacts::of(["whom@acme.example"]).unwrap();
        let change =
            KeyEdit { expiry: Expiry::Never, notice_days: Some(30), contacts, ..KeyEdit::of(world.key(key)) };
        world.run(maria, &Command::EditKey { key, change, basis: None }).unwrap();
        world.run(maria, &Command::DeleteKey(key)).unwrap();
    }
    world.now = day(30);
    assert_eq!(world.sweep().len(), 2);
    for key in keys {
        let left = world.key(key).clone();
        assert_eq!(left, left.purged(day(30)));
        let words = format!("{left:?}");
        assert!(!words.contains("Old") && !words.contains("whom") && !words.contains("contacts."), "{words}");
        assert_eq!(verdict::closed(&world.state, &left), Some(Reason::Tombstoned));
        for actor in [maria, whole] {
            let view = View::new(&world.state, actor);
            assert_eq!((view.key(key), view.keys().count(), view.keys_at(at).count()), (None, 0, 0));
            for reference in [key.to_string(), left.hint(), "Old".into(), left.name.to_string()] {
                for sought in [Sought::Living, Sought::Ended, Sought::Deleted] {
                    assert_eq!(view.find_key(&reference, sought, world.now), Found::None, "{reference}");
                }
            }
            for command in [
                Command::RestoreKey(key),
                Command::DeleteKey(key),
                Command::revoke(key),
                Command::KeepKey(key),
                Command::UnprotectKey(key),
                world.edit(key, Expiry::Never, None),
            ] {
                assert_eq!(world.run(actor, &command), Err(Refusal::NoSuchKey), "{command:?}");
            }
        }
        let verifier = Verifier { digest: [7; 32], pepper: 1 };
        let minted = Some(Minted { id: *key.public(), verifier, imported: None });
        let again = world.run_with(maria, &Command::IssueKey(agency_key("New")), &[], minted);
        assert_eq!(again, Err(Refusal::IdTaken));
    }
    assert!(world.issue(maria, agency_key("Old")).is_ok(), "its name is free");
}

#[test]
fn who_wants_to_restore_an_expired_key_is_told_that_only_deleted_ones_can_be() {
    let (mut world, maria) = World::founded();
    let key = world.ending(maria, "Short", 5);
    world.now = day(6);
    let refused = world.run(maria, &Command::RestoreKey(key)).unwrap_err();
    assert!(
        matches!(refused, Refusal::WrongState { why, .. } if why.contains("only a deleted key")),
        "{refused}"
    );
}
