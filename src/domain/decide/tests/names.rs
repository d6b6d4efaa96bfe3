//! What a name means, and what is based on an older state.

use super::*;

#[test]
fn an_edit_of_what_somebody_else_changed_meanwhile_is_refused_and_says_how_it_is_now() {
    use basis::Basis;
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Manager).operator;
    let at = world.location(maria, "North");
    let new =
        NewKey { scopes: vec![scope("contacts.read"), scope("contacts.write")], ..agency_key("Export") };
    let key = world.issue(maria, new).unwrap();
    let seen = Some(Basis::of_key(world.key(key)));
    let scopes = |scopes: &[&str], basis| Command::RescopeKey {
        key,
        scopes: scopes.iter().map(ToString::to_string).collect(),
        basis,
    };
    let role = |role, basis| Command::SetRole { operator: jonas, role, basis };
    let called = |to: &str, basis| Command::RenameLocation { location: at, name: name(to), basis };
    let rule =
        |value: &str, basis| Command::SetPolicy { name: "max-life".into(), value: value.into(), basis };
    let manager = Some(Basis::of_role(jonas, Role::Manager));
    let north = Some(Basis::of_location(world.state.location(at).unwrap()));
    let none = Some(Basis::of_rule("max-life", "none"));
    // One console takes something away; the other still shows it as it was.
    for (first, second, now) in [
        (
            scopes(&["contacts.read"], seen),
            scopes(&["contacts.read", "contacts.write", "calendars.read"], seen),
            "contacts.read,",
        ),
        (role(Role::Viewer, manager), role(Role::Admin, manager), "viewer"),
        (called("Nord", north), called("Norden", north), "Nord,"),
        (rule("90d", none), rule("365d", none), "it is 90d"),
    ] {
        world.run(maria, &first).unwrap();
        let refused = world.run(maria, &second).unwrap_err();
        assert_eq!(refused.code(), "changed_meanwhile", "{second:?}");
        assert!(refused.to_string().contains(now), "{refused}");
    }
    assert_eq!(world.key(key).scopes.to_string(), "contacts.read");
    // Based on what there is now, or on nothing, it is done.
    let seen = Some(Basis::of_key(world.key(key)));
    world.run(maria, &scopes(&["contacts.read", "calendars.read"], seen)).unwrap();
    world.run(maria, &scopes(&["contacts.write"], None)).unwrap();
    // What was changed and changed back is what was seen.
    let seen = Some(Basis::of_rule("max-life", "90d"));
    world.run(maria, &rule("30d", None)).unwrap();
    world.run(maria, &rule("90d", None)).unwrap();
    world.run(maria, &rule("60d", seen)).unwrap();
}

#[test]
fn a_name_means_the_key_that_lives_and_for_what_is_done_to_the_ended_the_one_that_ended() {
    use view::{Found, Sought, View};
    let (mut world, maria) = World::founded();
    let mut keys = Vec::new();
    for end in [Some(Command::DeleteKey as fn(KeyId) -> Command), Some(Command::revoke), None] {
        let key = world.issue(maria, agency_key("Nightly export")).unwrap();
        if let Some(end) = end {
            world.run(maria, &end(key)).unwrap();
        }
        keys.push(key);
    }
    let find = |typed: &str, sought| match View::new(&world.state, maria).find_key(typed, sought, NOW) {
        Found::One(key) => key.id,
        other => panic!("{other:?}"),
    };
    for typed in ["Nightly export", "NIGHTLY EXPORT"] {
        assert_eq!(find(typed, Sought::Living), keys[2]);
        assert_eq!(find(typed, Sought::Ended), keys[1]);
        assert_eq!(find(typed, Sought::Deleted), keys[0]);
    }
    world.run(maria, &Command::revoke(keys[2])).unwrap();
    let two = View::new(&world.state, maria).find_key("Nightly export", Sought::Living, NOW);
    assert!(matches!(two, Found::Many(keys) if keys.len() == 2), "none lives, and two are alike");
}

#[test]
fn a_name_is_found_without_its_accents_but_never_in_place_of_one_that_is_called_so() {
    use view::{Found, Sought, View};
    let (mut world, maria) = World::founded();
    let lodz = world.issue(maria, agency_key("Łódź")).unwrap();
    let find = |world: &World, typed: &str| match View::new(&world.state, maria).find_key(
        typed,
        Sought::Living,
        NOW,
    ) {
        Found::One(key) => Some(key.id),
        _ => None,
    };
    assert_eq!(find(&world, "lodz"), Some(lodz));
    let plain = world.issue(maria, agency_key("Lodz")).unwrap();
    world.run(maria, &Command::revoke(plain)).unwrap();
    // Ended, and yet the one that was named: another key is not revoked in its place.
    assert_eq!(find(&world, "lodz"), Some(plain));
    assert_eq!(find(&world, "łódź"), Some(lodz));
    let gracia = world.location(maria, "Gràcia");
    let at = View::new(&world.state, maria).find_location("gracia");
    assert!(matches!(at, Found::One(location) if location.id == gracia));
    let taken =
        world.issue(maria, agency_key("Straße")).and_then(|_| world.issue(maria, agency_key("STRASSE")));
    assert!(matches!(taken, Err(Refusal::NameTaken { .. })));
}

#[test]
fn of_two_operators_whose_names_are_the_same_by_now_each_is_meant_by_their_own() {
    use view::{Found, Sought, View};
    let (mut world, maria) = World::founded();
    // As a store holds them that was made when these were two names.
    let mut add = |n, called: &str| {
        let operator = Operator {
            id: OperatorId(id(n)),
            name: name(called),
            role: Role::Viewer,
            standing: Standing::Active,
            lockdown: None,
            created_at: NOW,
        };
        world.state.put(Record::Operator(operator.clone()));
        operator
    };
    let (one, other) = (add(900, "Straße"), add(901, "STRASSE"));
    for each in [&one, &other] {
        assert_eq!(world.state.operator_named(each.name.as_str()), Some(each));
        let found = View::new(&world.state, maria).find_operator(each.name.as_str(), Sought::Living);
        assert_eq!(found, Found::One(each));
    }
    assert!(world.state.operator_named("strasse").is_some());
    let found = View::new(&world.state, maria).find_operator("strasse", Sought::Living);
    assert!(matches!(found, Found::Many(_)), "nobody is meant in place of somebody else");
    let third = Command::AddOperator { name: name("Strasse"), role: Role::Viewer };
    assert!(matches!(world.run(maria, &third), Err(Refusal::NameTaken { .. })));
}
