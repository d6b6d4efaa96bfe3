//! Too many deletions at once: they wait for a word, which counts for what it was given for and for nothing else.

use super::*;

/// As many keys, all of them told that they go on the 90th day; `busy` more are in use.
fn due_on_day_90(due: usize, busy: usize) -> (World, Actor, Vec<KeyId>) {
    let (mut world, maria) = World::roomy();
    let mut keys = world.keys(maria, due);
    let used = world.keys(maria, busy);
    world.now = day(74);
    for key in used {
        world.use_key(key);
    }
    assert_eq!(world.sweep_on([75, 83, 89]).len(), 3 * due);
    world.now = day(90);
    keys.sort_unstable();
    (world, maria, keys)
}

fn confirm(count: u32) -> Command {
    Command::ConfirmHold { count }
}

fn deleted(keys: &[KeyId]) -> Vec<Did> {
    keys.iter().copied().map(Did::Deleted).collect()
}

#[test]
fn six_of_six_keys_wait_for_a_word_and_one_that_is_used_meanwhile_stays() {
    let (mut world, maria, keys) = due_on_day_90(6, 0);
    assert_eq!(world.run(maria, &confirm(0)), Err(Refusal::NoChange("no deletion waits for a word")));
    assert_eq!(world.sweep(), [Did::Held(6)]);
    assert_eq!((world.state.hold().keys.clone(), world.state.hold().since), (keys.clone(), Some(day(90))));
    assert_eq!(world.sweep_on([90, 91, 120]), [], "that is said once");
    world.use_key(keys[0]);
    for other in [0, 5, 7] {
        let said = world.run(maria, &confirm(other));
        assert_eq!(said, Err(Refusal::OtherHold { held: 6, said: other }));
    }
    world.run(maria, &confirm(6)).unwrap();
    let word = world.state.hold().confirmed.unwrap();
    assert_eq!((word.by, word.at), (maria.operator, day(120)));
    assert!(matches!(world.run(maria, &confirm(6)), Err(Refusal::NoChange(_))));
    assert_eq!(world.sweep(), deleted(&keys[1..]));
    assert!(world.state.hold().is_empty());
    assert_eq!(world.key(keys[0]).state(world.now), KeyState::Active);
}

#[test]
fn of_those_that_wait_the_trail_says_how_many_did_not_before() {
    let (mut world, _, keys) = due_on_day_90(7, 0);
    let held = |world: &mut World| -> Vec<String> {
        let events = world.run(SERVER, &Command::HoldDeletions).unwrap();
        events.iter().flat_map(Event::changes).map(|change| change.to).collect()
    };
    assert_eq!(held(&mut world), ["7", "7"]);
    world.use_key(keys[0]);
    assert_eq!(held(&mut world), ["6", "0"]);
}

#[test]
fn up_to_five_or_a_twentieth_and_never_more_than_twenty_need_no_word() {
    for (due, busy, held) in [
        (5, 0, false),
        (6, 0, true),
        (6, 113, true),
        (6, 114, false),
        (20, 379, true),
        (20, 380, false),
        (21, 479, true),
    ] {
        let (mut world, _, keys) = due_on_day_90(due, busy);
        let did = if held { vec![Did::Held(due)] } else { deleted(&keys) };
        assert_eq!(world.sweep(), did, "{due} of {}", due + busy);
    }
}

#[test]
fn ended_keys_do_not_make_the_share_that_needs_no_word_greater() {
    let (mut world, maria, _) = due_on_day_90(6, 114);
    let busy = world.state.keys().find(|key| world.state.usage(key.id).last_used_at.is_some()).unwrap().id;
    world.run(maria, &Command::revoke(busy)).unwrap();
    assert_eq!(world.sweep(), [Did::Held(6)]);
}

#[test]
fn what_comes_due_after_a_word_was_given_waits_for_its_own() {
    let (mut world, maria) = World::roomy();
    let mut first = world.keys(maria, 70);
    world.now = day(5);
    let mut second = world.keys(maria, 6);
    first.sort_unstable();
    second.sort_unstable();
    world.sweep_on([75, 80, 83, 88, 89]);
    assert_eq!(world.sweep_on([90]), [(90, Did::Held(70))]);
    world.run(maria, &confirm(70)).unwrap();
    world.doubted = true;
    assert_eq!(world.sweep_on([91]), [], "a word is not used up by a sweep that is none");
    world.doubted = false;
    world.sweep_on([94]);
    world.now = day(95);
    assert_eq!(world.state.hold().keys, [], "the word was used on the day before");
    assert_eq!(world.sweep(), [Did::Held(6)]);
    assert_eq!(world.state.hold().keys, second);
    assert!(first.iter().all(|key| world.key(*key).state(world.now) == KeyState::Deleted));
}

#[test]
fn a_word_for_more_than_one_commit_goes_to_its_end_and_no_further() {
    let (mut world, maria) = World::roomy();
    let mut first = world.keys(maria, 150);
    world.now = day(5);
    let second = world.keys(maria, 10);
    world.sweep_on([75, 80, 83, 88, 89]);
    assert_eq!(world.sweep_on([90]), [(90, Did::Held(150))]);
    assert_eq!(world.sweep_on([94]).len(), second.len(), "those are told of tomorrow");
    world.run(maria, &confirm(150)).unwrap();
    world.now = day(95);
    first.sort_unstable();
    // Whatever another sweep does beside it, and wherever this one is broken off.
    let hold = |world: &mut World| world.run(SERVER, &Command::HoldDeletions).unwrap_err().code();
    assert_eq!(hold(&mut world), "no_change");
    let begun = world.run(SERVER, &Command::DeleteUnused).unwrap();
    assert_eq!(begun.iter().filter_map(Did::of).collect::<Vec<_>>(), deleted(&first[..64]));
    assert_eq!(hold(&mut world), "no_change");
    let mut did = deleted(&first[64..]);
    did.push(Did::Held(10));
    did.sort_unstable();
    assert_eq!(world.swept(), (did, 2 + 1));
    assert_eq!((world.state.hold().since, world.state.hold().confirmed), (Some(day(95)), None));
}

#[test]
fn a_word_is_gone_when_nothing_it_was_given_for_is_due_any_more() {
    let (mut world, maria, keys) = due_on_day_90(6, 0);
    world.sweep();
    world.run(maria, &confirm(6)).unwrap();
    for key in keys {
        world.use_key(key);
    }
    assert_eq!(world.sweep(), []);
    assert!(world.state.hold().is_empty() && world.state.hold().confirmed.is_none());
    assert_eq!(world.sweep_on([165, 173, 179]).len(), 18);
    assert_eq!(world.sweep_on([180]), [(180, Did::Held(6))]);
}

#[test]
fn once_few_enough_are_left_they_need_no_word() {
    let (mut world, maria, keys) = due_on_day_90(6, 0);
    assert_eq!(world.sweep(), [Did::Held(6)]);
    world.protect(maria, keys[2]);
    let rest: Vec<_> = keys.iter().copied().filter(|key| *key != keys[2]).collect();
    assert_eq!(world.sweep(), deleted(&rest));
    assert!(world.state.hold().is_empty());
}

#[test]
fn more_keys_than_a_hold_can_name_wait_for_the_one_after_it() {
    let (mut world, maria) = World::founded();
    let one = world.keys(maria, 1)[0];
    world.sweep_on([75, 83, 89]);
    let (key, cycle) = (world.key(one).clone(), world.state.cycle(one).unwrap().clone());
    for n in 1..Hold::MAX + 30 {
        let id = KeyId(id(1_000_000 + n));
        world.state.put(Record::Key(Key { id, ..key.clone() }));
        world.state.put(Record::Cycle(Cycle { key: id, ..cycle.clone() }));
    }
    world.now = day(90);
    let held = |world: &World| plan(&world.state, world.grounds()).hold.map(|(hold, _)| hold);
    let first = held(&world).unwrap();
    assert_eq!(first.keys.len(), Hold::MAX);
    world.state.put(Record::Hold(first.clone()));
    assert_eq!(held(&world), None, "it is not placed twice");
    world.run(maria, &confirm(4_096)).unwrap();
    let let_go: Vec<_> = plan(&world.state, world.grounds()).deletions.iter().map(|key| key.id).collect();
    assert_eq!(let_go, first.keys);
    for id in let_go {
        world.state.put(Record::Key(Key { id, status: Status::Deleted(world.now), ..key.clone() }));
    }
    assert_eq!(held(&world).unwrap().keys.len(), 30);
}

#[test]
fn who_can_let_them_go_knows_of_all_and_the_others_of_their_own() {
    let (mut world, maria, keys) = due_on_day_90(6, 0);
    let jonas = world.operator(maria, "jonas", Role::Manager);
    let lena = world.operator(maria, "lena", Role::Admin);
    world.sweep();
    for (who, knows) in [(maria, 6), (lena, 6), (jonas, 0)] {
        let view = View::new(&world.state, who);
        assert_eq!((view.hold().keys.len(), view.held_names().len()), (knows, knows));
    }
    assert_eq!(View::new(&world.state, lena).key(keys[0]), None, "no look at the keys themselves");
    assert_eq!(View::new(&world.state, lena).held_names(), ["a key of somebody else"; 6]);
}

#[test]
fn in_a_store_put_back_from_a_backup_a_single_deletion_waits_until_somebody_says_that_they_go_on() {
    let (mut world, maria, keys) = due_on_day_90(1, 0);
    world.run(maria, &Command::PutBack { made: day(80), missing: 0 }).unwrap();
    assert_eq!(world.state.hold().put_back, Some(day(80)));
    assert_eq!(world.sweep(), [Did::Held(1)]);
    assert_eq!(world.sweep_on([91, 120]), []);
    let said = world.run(maria, &confirm(0));
    assert_eq!(said, Err(Refusal::OtherHold { held: 1, said: 0 }), "what waits by now was not seen");
    world.run(maria, &confirm(1)).unwrap();
    assert_eq!(world.sweep(), deleted(&keys));
    assert_eq!(*world.state.hold(), Hold::default());
}

#[test]
fn that_deletions_go_on_can_be_said_before_any_is_due_and_once() {
    let (mut world, maria, keys) = due_on_day_90(1, 0);
    world.run(maria, &Command::PutBack { made: day(80), missing: 7 }).unwrap();
    world.run(maria, &confirm(0)).unwrap();
    assert!(matches!(world.run(maria, &confirm(0)), Err(Refusal::NoChange(_))));
    assert_eq!(world.sweep(), deleted(&keys));
}
