//! Who may say what to the rules of time, and what of it is written down.

use super::*;
use crate::domain::lifecycle::{Protection, Step, Word};

fn words_about(world: &World, key: KeyId) -> [Command; 4] {
    let why = Note::new("needed").unwrap();
    [
        Command::KeepKey(key),
        Command::ProtectKey { key, why },
        Command::UnprotectKey(key),
        world.edit(key, Expiry::At(day(30)), Some(14)),
    ]
}

#[test]
fn who_may_only_look_keeps_protects_and_extends_nothing() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Manager);
    let at = world.location(maria, "North");
    let key = world.issue(jonas, location_key("K", at)).unwrap();
    let [keep, protect, unprotect, edit] = words_about(&world, key);
    for command in [keep, protect, edit, unprotect] {
        let low = Refusal::RoleTooLow { role: Role::Viewer, least: Role::Manager };
        let mut seen = world.clone();
        let role = Command::SetRole { operator: jonas.operator, role: Role::Viewer, basis: None };
        seen.run(maria, &role).unwrap();
        assert_eq!(seen.run(jonas, &command), Err(low), "{command:?}");
        world.run(jonas, &command).unwrap();
    }
}

#[test]
fn the_key_of_another_operator_does_not_exist_unless_the_whole_agency_is_in_view() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Admin);
    let priya = world.operator(maria, "priya", Role::Manager);
    let key = world.issue(jonas, agency_key("K")).unwrap();
    let whole = |actor: Actor| Actor { access: Access::Agency, ..actor };
    for command in words_about(&world, key) {
        for actor in [maria, priya, whole(priya)] {
            assert_eq!(world.run(actor, &command), Err(Refusal::NoSuchKey), "{command:?}");
        }
        world.run(whole(maria), &command).unwrap();
    }
}

#[test]
fn only_the_server_itself_does_what_is_due_and_it_says_no_word() {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    world.now = day(75);
    for pass in PASSES {
        for access in [Access::Own, Access::Agency, Access::Recovery] {
            assert_eq!(world.run(Actor { access, ..maria }, &pass), Err(Refusal::ServiceOnly), "{pass:?}");
        }
    }
    let words = words_about(&world, key).into_iter().chain([Command::ConfirmHold { count: 0 }]);
    for command in words {
        assert_eq!(world.run(SERVER, &command), Err(Refusal::ServiceOnly), "{command:?}");
        let rescue = Actor { access: Access::Recovery, ..maria };
        assert_eq!(world.run(rescue, &command), Err(Refusal::RecoveryOnly), "{command:?}");
    }
    assert_eq!(world.sweep(), [Did::Idle(key, 15)]);
}

#[test]
fn only_an_admin_lets_deletions_go() {
    let (mut world, maria) = World::founded();
    world.keys(maria, 6);
    world.sweep_on([75, 83, 89, 90]);
    let confirm = Command::ConfirmHold { count: 6 };
    for (who, role) in [("vera", Role::Viewer), ("jonas", Role::Manager)] {
        let actor = world.operator(maria, who, role);
        let low = Refusal::RoleTooLow { role, least: Role::Admin };
        assert_eq!(world.run(actor, &confirm), Err(low));
    }
    world.run(maria, &confirm).unwrap();
}

#[test]
fn words_that_change_nothing_or_come_too_late_are_refused() {
    let (mut world, maria) = World::founded();
    let [live, over, revoked] = [("L", 100), ("O", 1), ("R", 100)].map(|(n, on)| world.ending(maria, n, on));
    world.run(maria, &Command::revoke(revoked)).unwrap();
    world.now = day(1);
    assert_eq!(world.run(maria, &Command::UnprotectKey(live)).unwrap_err().code(), "no_change");
    let silent = Command::ProtectKey { key: live, why: Note::default() };
    assert_eq!(world.run(maria, &silent).unwrap_err().code(), "bad_text");
    world.protect(maria, live);
    let why = Note::new("again").unwrap();
    let again = Command::ProtectKey { key: live, why };
    assert_eq!(world.run(maria, &again).unwrap_err().code(), "no_change");
    let same = world.edit(live, Expiry::At(day(100)), None);
    assert_eq!(world.run(maria, &same).unwrap_err().code(), "no_change");
    let past = world.edit(live, Expiry::At(world.now), None);
    assert_eq!(world.run(maria, &past).unwrap_err().code(), "bad_expiry");
    for ended in [over, revoked] {
        for command in
            words_about(&world, ended).into_iter().filter(|word| !matches!(word, Command::UnprotectKey(_)))
        {
            assert_eq!(world.run(maria, &command).unwrap_err().code(), "wrong_state", "{command:?}");
        }
    }
    // No word and no end is reckoned from a clock in doubt; what an end has nothing to do with is.
    world.doubted = true;
    let [keep, _, unprotect, extend] = words_about(&world, live);
    for command in [keep, extend] {
        assert_eq!(world.run(maria, &command), Err(Refusal::ClockSuspect));
    }
    let noted = world.edit(live, Expiry::At(day(100)), Some(14));
    for command in [noted, unprotect] {
        assert!(world.run(maria, &command).is_ok(), "{command:?}");
    }
}

/// The record reads back from its bytes, and from no others.
fn survives(record: &Record) {
    let (at, bytes) = (record.key(), record.encode().unwrap());
    assert_eq!(RecordKey::parse(at.to_string().as_bytes()), Some(at));
    assert_eq!(Record::decode(at, &bytes).unwrap(), *record);
    for cut in 0..bytes.len() {
        assert!(Record::decode(at, &bytes[..cut]).is_err(), "{at} cut at {cut}");
    }
    assert!(Record::decode(at, &[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn notices_holds_and_protected_keys_survive_their_bytes_and_no_others() {
    let (mut world, maria) = World::founded();
    let key = world.ending(maria, "K", 95);
    world.keys(maria, 5);
    assert_eq!(world.sweep_on([75, 83, 89, 90]).last(), Some(&(90, Did::Held(6))));
    survives(&Record::Cycle(world.state.cycle(key).unwrap().clone()));
    survives(&Record::Cycle(Cycle::of(key)));
    survives(&Record::Cycle(Cycle { ended: Some(day(95)), ..Cycle::of(key) }));
    survives(&Record::Hold(world.state.hold().clone()));
    world.run(maria, &Command::ConfirmHold { count: 6 }).unwrap();
    survives(&Record::Hold(world.state.hold().clone()));
    survives(&Record::Hold(Hold::default()));
    world.protect(maria, key);
    world.run(maria, &Command::KeepKey(key)).unwrap();
    let edit = world.edit(key, Expiry::At(day(120)), Some(14));
    world.run(maria, &edit).unwrap();
    survives(&Record::Key(world.key(key).clone()));
    survives(&Record::Key(world.key(key).purged(day(90))));
    let cycle = Record::Cycle(Cycle::of(key)).encode().unwrap();
    assert!(Record::decode(RecordKey::Cycle(KeyId(id(77))), &cycle).is_err(), "the notices of another key");
}

#[test]
fn notices_a_store_remembers_hold_after_it_was_opened_again() {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    world.sweep_on([75, 83]);
    let steps = [Step { days: 15, at: day(75) }, Step { days: 7, at: day(83) }];
    assert_eq!(world.state.cycle(key).unwrap().idle, steps);
    let mut opened = World { state: State::default(), ..world.clone() };
    let agency = Record::Agency(world.state.agency().unwrap().clone());
    let person = Record::Operator(world.state.operator(maria.operator).unwrap().clone());
    let notices = Record::Cycle(world.state.cycle(key).unwrap().clone());
    for record in [notices, agency, person, Record::Key(world.key(key).clone())] {
        opened.state.put(Record::decode(record.key(), &record.encode().unwrap()).unwrap());
    }
    assert_eq!(opened.sweep_on([83, 89, 90]), [(89, Did::Idle(key, 1)), (90, Did::Deleted(key))]);
}

#[test]
fn a_key_written_before_keys_could_be_protected_is_read() {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    let word = Word { by: maria.operator, at: NOW };
    let with = Key {
        imported: Some(Box::new(Imported { phc: "$argon2id$".into(), digested: None })),
        counted_from: Some(NOW),
        protection: Some(Box::new(Protection { word, why: Note::new("needed").unwrap() })),
        notice_days: Some(14),
        ..world.key(key).clone()
    };
    let bytes = Record::Key(with.clone()).encode().unwrap();
    assert_eq!(bytes[0], 0x80 + 14);
    let later = [
        minicbor::to_vec(with.counted_from).unwrap(),
        minicbor::to_vec(&with.protection).unwrap(),
        minicbor::to_vec(with.notice_days).unwrap(),
    ]
    .concat();
    let mut old = bytes.strip_suffix(&later[..]).unwrap().to_vec();
    old[0] -= 3;
    let read = Record::decode(RecordKey::Key(key), &old).unwrap();
    let without = Key { counted_from: None, protection: None, notice_days: None, contacts: None, ..with };
    assert_eq!(read, Record::Key(without));
}
