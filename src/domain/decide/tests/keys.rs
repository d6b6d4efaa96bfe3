//! Keys from their issue to their end.

use super::*;

#[test]
fn the_quota_counts_live_keys_of_one_owner() {
    let (mut world, maria) = World::founded();
    let keys: Vec<_> = (0..20).map(|n| world.issue(maria, agency_key(&format!("K{n}"))).unwrap()).collect();
    assert_eq!(world.issue(maria, agency_key("K20")), Err(Refusal::QuotaReached { limit: 20 }));
    world.run(maria, &Command::revoke(keys[3])).unwrap();
    assert!(world.issue(maria, agency_key("K20")).is_ok());
    let jonas = world.operator(maria, "jonas", Role::Admin);
    assert!(
        world.issue(jonas, agency_key("K20")).is_ok(),
        "the same name and a fresh quota for another owner"
    );
}

#[test]
fn live_keys_of_one_owner_have_different_names() {
    let (mut world, maria) = World::founded();
    let first = world.issue(maria, agency_key("Nightly export")).unwrap();
    let again = world.issue(maria, agency_key("NIGHTLY  export"));
    assert!(matches!(again, Err(Refusal::NameTaken { .. })), "{again:?}");
    world.run(maria, &Command::revoke(first)).unwrap();
    assert!(world.issue(maria, agency_key("nightly export")).is_ok());
}

#[test]
fn an_admin_gives_a_key_to_an_operator_who_may_own_it_and_nobody_else_does() {
    let (mut world, maria) = World::founded();
    let (jonas, priya) =
        (world.operator(maria, "jonas", Role::Manager), world.operator(maria, "priya", Role::Viewer));
    let give = |key, to: Actor| Command::TransferKey { key, to: to.operator };
    let key = world.issue(maria, agency_key("Nightly export")).unwrap();
    let known = world.key(key).clone();
    assert_eq!(world.run(maria, &give(key, maria)), Err(Refusal::NoChange("the key is theirs already")));
    assert_eq!(world.run(maria, &give(key, priya)), Err(Refusal::BadHeir), "a viewer owns nothing");
    world.run(maria, &give(key, jonas)).unwrap();
    assert_eq!(*world.key(key), Key { owner: jonas.operator, ..known });
    // It is theirs: it is not there for whoever gave it, and a manager gives nothing to anybody.
    assert_eq!(world.run(maria, &give(key, maria)), Err(Refusal::NoSuchKey));
    assert!(matches!(world.run(jonas, &give(key, maria)), Err(Refusal::RoleTooLow { .. })));
    let same = world.issue(maria, agency_key("NIGHTLY export")).unwrap();
    assert!(matches!(world.run(maria, &give(same, jonas)), Err(Refusal::NameTaken { .. })));
    let ended = world.issue(maria, agency_key("Ended")).unwrap();
    world.run(maria, &Command::revoke(ended)).unwrap();
    assert!(matches!(world.run(maria, &give(ended, jonas)), Err(Refusal::WrongState { .. })));
    world
        .run(maria, &Command::SetPolicy { name: "keys-per-operator".into(), value: "2".into(), basis: None })
        .unwrap();
    let more = ["One", "Two"].map(|name| world.issue(maria, agency_key(name)));
    let [Ok(one), Err(Refusal::QuotaReached { limit: 2 })] = more else { panic!("{more:?}") };
    world.run(maria, &give(one, jonas)).unwrap();
    let full = world.issue(maria, agency_key("Two")).unwrap();
    let told = world.run(maria, &give(full, jonas));
    assert_eq!(told, Err(Refusal::HeirFull { name: "jonas".into(), limit: 2 }));
}

#[test]
fn scopes_that_are_not_in_the_catalog_or_not_for_this_level_are_named() {
    let (mut world, maria) = World::founded();
    for bad in [
        "contacts.reed",
        "contacts",
        "*",
        "contacts.*",
        "contacts.read.all",
        "contacts.read ",
        "",
        "Contacts.read",
    ] {
        let answer = world.issue(maria, NewKey { scopes: vec![scope(bad)], ..agency_key("A") });
        let Err(Refusal::Scopes(problems)) = answer else { panic!("{bad}: {answer:?}") };
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
    let twice = vec![scope("contacts.read"), scope("contacts.read")];
    assert!(matches!(
        world.issue(maria, NewKey { scopes: twice, ..agency_key("A") }),
        Err(Refusal::Scopes(_))
    ));
    let many = (0..10_000).map(|n| format!("contacts.s{n}")).collect();
    assert!(matches!(
        world.issue(maria, NewKey { scopes: many, ..agency_key("A") }),
        Err(Refusal::Scopes(_))
    ));
    let none = world.issue(maria, NewKey { scopes: vec![], ..agency_key("A") });
    assert_eq!(none, Err(Refusal::NoScopes));
}

#[test]
fn expiry_follows_default_limit_and_wish() {
    let (mut world, maria) = World::founded();
    let free = world.issue(maria, agency_key("Free")).unwrap();
    assert_eq!(world.key(free).expiry, Expiry::Never);
    for (rule, value) in [("default-life-agency", "365d"), ("max-life", "90d")] {
        world
            .run(maria, &Command::SetPolicy { name: rule.into(), value: value.into(), basis: None })
            .unwrap();
    }
    let bent = world.issue(maria, agency_key("Bent")).unwrap();
    assert_eq!(world.key(bent).expiry, Expiry::At(NOW.plus_days(90).unwrap()));
    let wish = |expiry| NewKey { expiry: Some(expiry), ..agency_key("Wish") };
    assert_eq!(world.issue(maria, wish(Expiry::Never)), Err(Refusal::LifeTooLong { limit: 90 }));
    let far = Expiry::At(NOW.plus_days(91).unwrap());
    assert_eq!(world.issue(maria, wish(far)), Err(Refusal::LifeTooLong { limit: 90 }));
    assert_eq!(world.issue(maria, wish(Expiry::At(NOW))), Err(Refusal::BadExpiry(time::BadExpiry::Past)));
    assert!(world.issue(maria, wish(Expiry::At(Timestamp(NOW.0 + 1)))).is_ok());
}

#[test]
fn a_key_goes_through_its_states_and_never_back_from_the_end() {
    let (mut world, maria) = World::founded();
    let key = world
        .issue(maria, NewKey { expiry: Some(Expiry::At(NOW.plus_days(40).unwrap())), ..agency_key("K") });
    let key = key.unwrap();
    let wrong = |answer: Result<Vec<Event>, Refusal>| matches!(answer, Err(Refusal::WrongState { .. }));
    assert!(wrong(world.run(maria, &Command::ResumeKey(key))));
    world.run(maria, &Command::PauseKey(key, None)).unwrap();
    assert!(wrong(world.run(maria, &Command::PauseKey(key, None))));
    assert_eq!(world.key(key).state(NOW), KeyState::Paused);
    world.run(maria, &Command::ResumeKey(key)).unwrap();
    world.run(maria, &Command::revoke(key)).unwrap();
    for again in [
        Command::revoke(key),
        Command::PauseKey(key, None),
        Command::ResumeKey(key),
        Command::RestoreKey(key),
    ] {
        assert!(wrong(world.run(maria, &again)));
    }
    world.run(maria, &Command::DeleteKey(key)).unwrap();
    world.now = NOW.plus_days(29).unwrap();
    world.run(maria, &Command::RestoreKey(key)).unwrap();
    assert_eq!(world.key(key).state(world.now), KeyState::Revoked);
    world.run(maria, &Command::DeleteKey(key)).unwrap();
    world.now = world.now.plus_days(30).unwrap();
    assert!(matches!(world.run(maria, &Command::RestoreKey(key)), Err(Refusal::RestoreTooLate { .. })));
}

#[test]
fn a_deleted_key_comes_back_as_a_record_and_never_as_a_secret() {
    let (mut world, maria) = World::founded();
    let key = world.issue(maria, agency_key("K")).unwrap();
    world.run(maria, &Command::DeleteKey(key)).unwrap();
    assert_eq!(verdict::closed(&world.state, world.key(key)), Some(Reason::Tombstoned));
    world.run(maria, &Command::RestoreKey(key)).unwrap();
    assert_eq!(verdict::closed(&world.state, world.key(key)), Some(Reason::Revoked));
}

#[test]
fn an_expired_key_can_be_revoked_but_not_paused_or_rescoped() {
    let (mut world, maria) = World::founded();
    let soon = NewKey { expiry: Some(Expiry::At(Timestamp(NOW.0 + 5))), ..agency_key("K") };
    let key = world.issue(maria, soon).unwrap();
    world.now = Timestamp(NOW.0 + 5);
    assert_eq!(world.key(key).state(world.now), KeyState::Expired);
    assert!(world.run(maria, &Command::PauseKey(key, None)).is_err());
    let scopes = vec![scope("contacts.write")];
    assert!(world.run(maria, &Command::RescopeKey { key, scopes, basis: None }).is_err());
    assert!(world.run(maria, &Command::revoke(key)).is_ok());
}

#[test]
fn keys_of_a_removed_location_and_a_stopped_operator_are_closed() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Manager);
    let at = world.location(maria, "North");
    let key = world.issue(jonas, location_key("K", at)).unwrap();
    assert_eq!(verdict::closed(&world.state, world.key(key)), None);
    world.run(maria, &Command::DisableOperator { operator: jonas.operator, keys: KeysAfter::Work }).unwrap();
    assert_eq!(verdict::closed(&world.state, world.key(key)), None);
    world.run(maria, &Command::DisableOperator { operator: jonas.operator, keys: KeysAfter::Stop }).unwrap();
    assert_eq!(verdict::closed(&world.state, world.key(key)), Some(Reason::OwnerDisabled));
    world.run(maria, &Command::EnableOperator(jonas.operator)).unwrap();
    assert_eq!(verdict::closed(&world.state, world.key(key)), None);
    world.run(maria, &Command::RemoveLocation { location: at }).unwrap();
    assert_eq!(verdict::closed(&world.state, world.key(key)), Some(Reason::LocationDisabled));
    assert_eq!(world.issue(jonas, location_key("L", at)), Err(Refusal::NoSuchLocation));
    assert!(world.run(maria, &Command::AddLocations(vec![name("north")])).is_ok(), "the name is free again");
}

#[test]
fn keys_given_away_work_for_the_heir() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Manager);
    let vera = world.operator(maria, "vera", Role::Viewer);
    let at = world.location(maria, "North");
    let key = world.issue(jonas, location_key("K", at)).unwrap();
    let leave = |to: Actor| Command::DisableOperator {
        operator: jonas.operator,
        keys: KeysAfter::GiveTo(to.operator),
    };
    for heir in [vera, jonas] {
        assert_eq!(world.run(maria, &leave(heir)), Err(Refusal::BadHeir));
    }
    world.run(maria, &leave(maria)).unwrap();
    assert_eq!(world.key(key).owner, maria.operator);
    assert_eq!(verdict::closed(&world.state, world.key(key)), None);
    assert_eq!(world.state.keys_of(jonas.operator).count(), 0);
}

#[test]
fn why_a_key_was_revoked_stays_with_it_until_nothing_of_it_is_left() {
    let (mut world, maria) = World::founded();
    let motive = Motive { why: Why::Leaked, because: Note::new("it was in a screenshot").unwrap() };
    let told = world.issue(maria, agency_key("Told")).unwrap();
    let silent = world.issue(maria, agency_key("Silent")).unwrap();
    let events = world.run(maria, &Command::RevokeKey(told, motive.clone())).unwrap();
    let changes = events[0].changes().into_iter().map(|change| (change.field, change.to));
    let said = [("reason", "leaked"), ("because", "it was in a screenshot")];
    assert_eq!(changes.collect::<Vec<_>>(), said.map(|(field, to)| (field.to_owned(), to.to_owned())));
    // Who says nothing is not held up, and nothing is made up for them.
    assert!(world.run(maria, &Command::revoke(silent)).unwrap()[0].changes().is_empty());
    assert_eq!(world.key(silent).motive, None);
    world.run(maria, &Command::DeleteKey(told)).unwrap();
    world.run(maria, &Command::RestoreKey(told)).unwrap();
    let key = world.key(told).clone();
    assert_eq!(key.motive.as_deref(), Some(&motive));
    assert_eq!(key.purged(NOW).motive, None);
    let record = Record::Key(key);
    assert_eq!(Record::decode(record.key(), &record.encode().unwrap()).unwrap(), record);
}

#[test]
fn a_revocation_that_was_kept_before_reasons_were_told_is_read() {
    #[derive(minicbor::Encode)]
    enum Kept {
        #[n(18)]
        RevokeKey(#[n(0)] KeyId),
    }
    let key = KeyId(id(7));
    let kept = minicbor::to_vec(Kept::RevokeKey(key)).unwrap();
    assert_eq!(minicbor::decode::<Command>(&kept).unwrap(), Command::revoke(key));
}

#[test]
fn a_key_made_like_another_lives_as_long_and_has_a_name_of_its_own() {
    let (mut world, maria) = World::founded();
    let ends = |ms| Some(Expiry::At(Timestamp(NOW.0 + ms)));
    for (expiry, days) in [
        (Some(Expiry::Never), None),
        (ends(90 * DAY_MS), Some(90)),
        (ends(89 * DAY_MS + 1), Some(90)),
        (ends(1), Some(1)),
    ] {
        let called = format!("Ends {days:?} {expiry:?}");
        let key = world.issue(maria, NewKey { expiry, ..agency_key(&called) }).unwrap();
        assert_eq!(world.key(key).life_days(), days);
    }
    let another = |world: &World, called: &str| {
        View::new(&world.state, maria).another_name(&name(called), world.now).unwrap().to_string()
    };
    assert_eq!(another(&world, "Till"), "Till 2");
    for called in ["Till 2", "Till 3"] {
        world.issue(maria, agency_key(called)).unwrap();
    }
    assert_eq!([another(&world, "Till"), another(&world, "Till 2")], ["Till 4", "Till 4"]);
    assert_eq!(another(&world, "Export 2026"), "Export 2026 2");
    let long = "x".repeat(64);
    assert_eq!(another(&world, &long), format!("{} 2", "x".repeat(62)));
}
