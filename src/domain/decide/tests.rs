//! The rules, told as small stories, and a model that runs any sequence of commands and looks for a broken
//! promise.

mod apps;

use proptest::prelude::*;

use super::decide;
use crate::domain::time::DAY_MS;
use crate::domain::*;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

/// A state and what it takes to run commands on it.
struct World {
    state: State,
    now: Timestamp,
    drawn: usize,
}

fn id(n: usize) -> PublicId {
    let mut bytes = [b'1'; 12];
    let mut rest = n;
    for byte in &mut bytes {
        *byte = id::BASE58[rest % 58];
        rest /= 58;
    }
    PublicId::from_bytes(bytes).unwrap()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn scope(text: &str) -> String {
    text.to_owned()
}

impl World {
    /// An agency with its founder, whose id is drawn first.
    fn founded() -> (Self, Actor) {
        let mut world = Self { state: State::default(), now: NOW, drawn: 1 };
        let maria = Actor { operator: OperatorId(id(0)), access: Access::Own };
        let command = Command::Found { agency: name("Acme"), operator: name("maria") };
        world.run(maria, &command).unwrap();
        (world, maria)
    }

    fn run(&mut self, actor: Actor, command: &Command) -> Result<Vec<Event>, Refusal> {
        let ids: Vec<_> = (0..70).map(|n| id(self.drawn + n)).collect();
        self.drawn += 70;
        let minted = Some(Minted {
            id: id(self.drawn),
            verifier: Verifier { digest: [0; 32], pepper: 1 },
            imported: None,
        });
        self.drawn += 1;
        let context =
            Context { actor, now: self.now, doubted: None, catalog: Catalog::builtin(), ids: &ids, minted };
        let events = decide(&self.state, command, &context)?;
        for event in &events {
            self.state.apply(event);
        }
        Ok(events)
    }

    fn operator(&mut self, admin: Actor, who: &str, role: Role) -> Actor {
        let events = self.run(admin, &Command::AddOperator { name: name(who), role }).unwrap();
        let [Event::OperatorAdded(o)] = events.as_slice() else { panic!("{events:?}") };
        Actor { operator: o.id, access: Access::Own }
    }

    fn location(&mut self, admin: Actor, called: &str) -> LocationId {
        let events = self.run(admin, &Command::AddLocations(vec![name(called)])).unwrap();
        let [Event::LocationAdded(l)] = events.as_slice() else { panic!("{events:?}") };
        l.id
    }

    fn issue(&mut self, actor: Actor, new: NewKey) -> Result<KeyId, Refusal> {
        let events = self.run(actor, &Command::IssueKey(new))?;
        let [Event::KeyIssued(k)] = events.as_slice() else { panic!("{events:?}") };
        Ok(k.id)
    }

    fn key(&self, id: KeyId) -> &Key {
        self.state.key(id).unwrap()
    }
}

fn agency_key(called: &str) -> NewKey {
    NewKey {
        name: name(called),
        place: Place::Agency,
        scopes: vec![scope("contacts.read")],
        expiry: None,
        note: Note::default(),
    }
}

fn location_key(called: &str, at: LocationId) -> NewKey {
    NewKey { place: Place::Location(at), ..agency_key(called) }
}

#[test]
fn an_edit_of_what_somebody_else_changed_meanwhile_is_refused_and_says_how_it_is_now() {
    use basis::Basis;
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Manager).operator;
    let at = world.location(maria, "North");
    let new =
        NewKey { scopes: vec![scope("contacts.read"), scope("contacts.write")], ..agency_key("Export") };
    let key = world.issue(maria, new).unwrap();
    let seen = Some(Basis::of_key(key, &world.key(key).scopes));
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
    let seen = Some(Basis::of_key(key, &world.key(key).scopes));
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
    for end in [Some(Command::DeleteKey as fn(KeyId) -> Command), Some(Command::RevokeKey), None] {
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
    world.run(maria, &Command::RevokeKey(keys[2])).unwrap();
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
    world.run(maria, &Command::RevokeKey(plain)).unwrap();
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

#[test]
fn a_store_is_founded_once() {
    let (mut world, maria) = World::founded();
    assert_eq!(world.state.operator(maria.operator).unwrap().role, Role::Admin);
    let again = Command::Found { agency: name("Other"), operator: name("eve") };
    assert_eq!(world.run(maria, &again), Err(Refusal::AlreadyFounded));
}

#[test]
fn another_operators_key_is_answered_like_one_that_does_not_exist() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Manager);
    let at = world.location(maria, "North");
    let theirs = world.issue(jonas, location_key("Export", at)).unwrap();
    let nobodys = KeyId(id(1_000_000));
    // Not even an admin sees it before opening the whole-agency view.
    let priya = world.operator(maria, "priya", Role::Manager);
    for actor in [maria, priya, Actor { access: Access::Agency, ..priya }] {
        for make in [
            Command::PauseKey,
            Command::ResumeKey,
            Command::RevokeKey,
            Command::DeleteKey,
            Command::RestoreKey,
        ] {
            assert_eq!(world.run(actor, &make(theirs)), Err(Refusal::NoSuchKey));
            assert_eq!(world.run(actor, &make(nobodys)), Err(Refusal::NoSuchKey));
        }
        assert_eq!(View::new(&world.state, actor).keys().count(), 0);
        assert_eq!(
            View::new(&world.state, actor).find_key("Export", view::Sought::Living, NOW),
            view::Found::None
        );
        assert_eq!(
            View::new(&world.state, actor).find_key(&theirs.to_string(), view::Sought::Living, NOW),
            view::Found::None
        );
    }
    let whole = Actor { access: Access::Agency, ..maria };
    assert_eq!(View::new(&world.state, whole).keys().count(), 1);
    assert!(world.run(whole, &Command::RevokeKey(theirs)).is_ok());
}

#[test]
fn every_action_has_its_least_role() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Manager);
    let vera = world.operator(maria, "vera", Role::Viewer);
    let at = world.location(maria, "North");
    let commands = [
        (Command::OpenAgencyView, Role::Admin),
        (Command::ReadAudit, Role::Admin),
        (Command::ExportAudit, Role::Admin),
        (Command::ReplaceRecovery, Role::Admin),
        (Command::AddOperator { name: name("new"), role: Role::Viewer }, Role::Admin),
        (Command::SetRole { operator: vera.operator, role: Role::Manager, basis: None }, Role::Admin),
        (Command::SetSecret(maria.operator), Role::Admin),
        (Command::DisableOperator { operator: vera.operator, keys: KeysAfter::Stop }, Role::Admin),
        (Command::AddLocations(vec![name("South")]), Role::Admin),
        (Command::RenameLocation { location: at, name: name("Nord"), basis: None }, Role::Admin),
        (Command::RemoveLocation { location: at }, Role::Admin),
        (Command::SetPolicy { name: "notice-days".into(), value: "14d".into(), basis: None }, Role::Admin),
        (Command::IssueKey(agency_key("A")), Role::Admin),
        (Command::IssueKey(location_key("L", at)), Role::Manager),
        (Command::StartSession { failed_attempts: 0 }, Role::Viewer),
        (Command::EndSession, Role::Viewer),
    ];
    for (command, least) in commands {
        for (actor, role) in [(vera, Role::Viewer), (jonas, Role::Manager), (maria, Role::Admin)] {
            let mut copy = World { state: world.state.clone(), now: NOW, drawn: world.drawn };
            let answer = copy.run(actor, &command);
            if role >= least {
                assert!(answer.is_ok(), "{role} {command:?}: {answer:?}");
            } else {
                assert_eq!(answer, Err(Refusal::RoleTooLow { role, least }), "{command:?}");
            }
        }
    }
    assert!(world.run(vera, &Command::SetSecret(vera.operator)).is_ok());
}

#[test]
fn the_recovery_code_sets_a_passphrase_and_nothing_else() {
    let (mut world, maria) = World::founded();
    let rescue = Actor { access: Access::Recovery, ..maria };
    assert!(world.run(rescue, &Command::SetSecret(maria.operator)).is_ok());
    assert!(world.run(rescue, &Command::ReplaceRecovery).is_ok());
    for command in [
        Command::IssueKey(agency_key("A")),
        Command::OpenAgencyView,
        Command::ConfirmClock,
        Command::AddOperator { name: name("eve"), role: Role::Admin },
        Command::SetPolicy { name: "max-life".into(), value: "1d".into(), basis: None },
    ] {
        assert_eq!(world.run(rescue, &command), Err(Refusal::RecoveryOnly));
    }
}

#[test]
fn a_doubted_clock_ends_no_key_and_only_an_admin_says_that_it_is_right() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Manager);
    let wall = Timestamp(NOW.0 - 400 * DAY_MS);
    let judged = |actor, command: &Command| {
        let minted =
            Some(Minted { id: id(900), verifier: Verifier { digest: [0; 32], pepper: 1 }, imported: None });
        let context =
            Context { actor, now: NOW, doubted: Some(wall), catalog: Catalog::builtin(), ids: &[], minted };
        decide(&world.state, command, &context)
    };
    let ends = NewKey { expiry: Some(Expiry::At(Timestamp(NOW.0 + DAY_MS))), ..agency_key("Ends") };
    assert_eq!(judged(maria, &Command::IssueKey(ends)), Err(Refusal::ClockSuspect));
    let never = NewKey { expiry: Some(Expiry::Never), ..agency_key("Never") };
    assert!(judged(maria, &Command::IssueKey(never)).is_ok());
    assert_eq!(judged(maria, &Command::RotateSigningKey), Err(Refusal::ClockSuspect));
    let low = Refusal::RoleTooLow { role: Role::Manager, least: Role::Admin };
    assert_eq!(judged(jonas, &Command::ConfirmClock), Err(low));
    let events = judged(maria, &Command::ConfirmClock).unwrap();
    let [Event::ClockConfirmed(believed, right), Event::SigningKeyAdded(keys)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((*believed, *right), (NOW, wall));
    assert_eq!(keys.keys.iter().map(|key| (key.number, key.signs_from)).collect::<Vec<_>>(), [(2, wall)]);
    assert!(matches!(world.run(maria, &Command::ConfirmClock), Err(Refusal::NoChange(_))));
}

#[test]
fn a_role_taken_away_counts_at_commit() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Admin);
    world
        .run(maria, &Command::SetRole { operator: jonas.operator, role: Role::Viewer, basis: None })
        .unwrap();
    let answer = world.run(jonas, &Command::IssueKey(agency_key("Late")));
    assert_eq!(answer, Err(Refusal::RoleTooLow { role: Role::Viewer, least: Role::Admin }));
    world.run(maria, &Command::DisableOperator { operator: jonas.operator, keys: KeysAfter::Stop }).unwrap();
    assert_eq!(world.run(jonas, &Command::EndSession), Err(Refusal::SignedOut));
}

#[test]
fn the_quota_counts_live_keys_of_one_owner() {
    let (mut world, maria) = World::founded();
    let keys: Vec<_> = (0..20).map(|n| world.issue(maria, agency_key(&format!("K{n}"))).unwrap()).collect();
    assert_eq!(world.issue(maria, agency_key("K20")), Err(Refusal::QuotaReached { limit: 20 }));
    world.run(maria, &Command::RevokeKey(keys[3])).unwrap();
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
    world.run(maria, &Command::RevokeKey(first)).unwrap();
    assert!(world.issue(maria, agency_key("nightly export")).is_ok());
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
    world.run(maria, &Command::PauseKey(key)).unwrap();
    assert!(wrong(world.run(maria, &Command::PauseKey(key))));
    assert_eq!(world.key(key).state(NOW), KeyState::Paused);
    world.run(maria, &Command::ResumeKey(key)).unwrap();
    world.run(maria, &Command::RevokeKey(key)).unwrap();
    for again in
        [Command::RevokeKey(key), Command::PauseKey(key), Command::ResumeKey(key), Command::RestoreKey(key)]
    {
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
    assert!(world.run(maria, &Command::PauseKey(key)).is_err());
    let scopes = vec![scope("contacts.write")];
    assert!(world.run(maria, &Command::RescopeKey { key, scopes, basis: None }).is_err());
    assert!(world.run(maria, &Command::RevokeKey(key)).is_ok());
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
fn the_last_active_admin_stays() {
    let (mut world, maria) = World::founded();
    let demote = Command::SetRole { operator: maria.operator, role: Role::Manager, basis: None };
    assert_eq!(world.run(maria, &demote), Err(Refusal::LastAdmin));
    let leave = Command::DisableOperator { operator: maria.operator, keys: KeysAfter::Stop };
    assert_eq!(world.run(maria, &leave), Err(Refusal::LastAdmin));
    world.operator(maria, "jonas", Role::Admin);
    assert!(world.run(maria, &demote).is_ok());
}

#[test]
fn locations_are_added_all_or_none() {
    let (mut world, maria) = World::founded();
    let names = |list: &[&str]| Command::AddLocations(list.iter().map(|n| name(n)).collect());
    assert!(matches!(world.run(maria, &names(&["A", "B", "a"])), Err(Refusal::NameTaken { .. })));
    assert_eq!(world.state.locations().count(), 0);
    assert!(matches!(world.run(maria, &names(&[])), Err(Refusal::ListSize { .. })));
    let many: Vec<_> = (0..65).map(|n| format!("L{n}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert!(matches!(world.run(maria, &names(&many)), Err(Refusal::ListSize { .. })));
    assert_eq!(world.run(maria, &names(&many[..64])).unwrap().len(), 64);
}

#[test]
fn an_id_drawn_twice_is_drawn_again() {
    let (mut world, maria) = World::founded();
    let key = world.issue(maria, agency_key("K")).unwrap();
    let minted =
        Some(Minted { id: *key.public(), verifier: Verifier { digest: [1; 32], pepper: 1 }, imported: None });
    let context =
        Context { actor: maria, now: NOW, doubted: None, catalog: Catalog::builtin(), ids: &[], minted };
    let answer = decide(&world.state, &Command::IssueKey(agency_key("Other")), &context);
    assert_eq!(answer, Err(Refusal::IdTaken));
}

#[test]
fn records_survive_their_bytes_and_no_others() {
    let (mut world, maria) = World::founded();
    let at = world.location(maria, "North");
    let key = world.issue(maria, location_key("K", at)).unwrap();
    let records = [
        Record::Agency(world.state.agency().unwrap().clone()),
        Record::Policy(world.state.policy().clone()),
        Record::Operator(world.state.operator(maria.operator).unwrap().clone()),
        Record::Location(world.state.location(at).unwrap().clone()),
        Record::Key(world.key(key).clone()),
    ];
    for record in records {
        let bytes = record.encode().unwrap();
        let at = record.key();
        assert_eq!(RecordKey::parse(at.to_string().as_bytes()), Some(at));
        assert_eq!(Record::decode(at, &bytes).unwrap(), record);
        for cut in 0..bytes.len() {
            assert!(Record::decode(at, &bytes[..cut]).is_err(), "{at} cut at {cut}");
        }
        assert!(Record::decode(at, &[&bytes[..], &[0]].concat()).is_err());
    }
    let Record::Key(mut other) = Record::Key(world.key(key).clone()) else { unreachable!() };
    other.id = KeyId(id(77));
    assert!(Record::decode(RecordKey::Key(key), &Record::Key(other).encode().unwrap()).is_err());
}

/// Steps of the model: small numbers stand for whatever exists.
#[derive(Clone, Debug)]
enum Step {
    Issue(usize, u8, i64),
    Key(usize, usize, u8),
    Operator(usize, u8),
    Location(u8),
    Pass(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4usize, any::<u8>(), 1..60i64).prop_map(|(who, place, days)| Step::Issue(who, place, days)),
        6 => (0..4usize, any::<usize>(), 0..6u8).prop_map(|(who, key, verb)| Step::Key(who, key, verb)),
        2 => (0..4usize, 0..6u8).prop_map(|(who, verb)| Step::Operator(who, verb)),
        1 => any::<u8>().prop_map(Step::Location),
        1 => (0..20 * DAY_MS).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    /// Whatever is asked in whatever order: what was refused for good stays refused, quotas hold, names of live
    /// keys of one owner differ, an admin remains, and owners see no key but theirs.
    #[test]
    fn no_sequence_of_commands_breaks_a_promise(steps in prop::collection::vec(step(), 1..80)) {
        let (mut world, maria) = World::founded();
        let mut people = vec![maria];
        for (who, role) in [("jonas", Role::Admin), ("priya", Role::Manager), ("vera", Role::Viewer)] {
            people.push(world.operator(maria, who, role));
        }
        world.location(maria, "L0");
        world.run(maria, &Command::SetPolicy { name: "keys-per-operator".into(), value: "3".into(), basis: None }).unwrap();
        let mut dead: std::collections::BTreeSet<KeyId> = std::collections::BTreeSet::new();
        for (n, step) in steps.into_iter().enumerate() {
            let mut keys: Vec<_> = world.state.keys().map(|k| k.id).collect();
            keys.sort();
            match step {
                Step::Issue(who, place, days) => {
                    let spots: Vec<_> = world.state.locations().map(|l| l.id).collect();
                    let place = if place % 2 == 0 { Place::Agency } else { Place::Location(spots[place as usize % spots.len()]) };
                    let expiry = Some(Expiry::At(Timestamp(world.now.0 + days * DAY_MS)));
                    let new = NewKey { place, expiry, ..agency_key(&format!("K{}", n % 7)) };
                    let _ = world.issue(people[who], new);
                }
                Step::Key(who, key, verb) if !keys.is_empty() => {
                    let key = keys[key % keys.len()];
                    let command = match verb {
                        0 => Command::PauseKey(key),
                        1 => Command::ResumeKey(key),
                        2 => Command::RevokeKey(key),
                        3 => Command::DeleteKey(key),
                        4 => Command::RestoreKey(key),
                        _ => Command::RescopeKey { key, scopes: vec![scope("contacts.write")], basis: None },
                    };
                    let access = if verb % 2 == 0 { Access::Own } else { Access::Agency };
                    let actor = Actor { access, ..people[who] };
                    let foreign = world.key(key).owner != actor.operator
                        && !(access == Access::Agency && View::new(&world.state, actor).role() == Role::Admin);
                    let answer = world.run(actor, &command);
                    prop_assert!(!foreign || matches!(answer, Err(Refusal::NoSuchKey | Refusal::SignedOut)));
                }
                Step::Operator(who, verb) => {
                    let operator = people[who].operator;
                    let command = match verb {
                        0 => Command::SetRole { operator, role: Role::Viewer, basis: None },
                        1 => Command::SetRole { operator, role: Role::Admin, basis: None },
                        2 => Command::DisableOperator { operator, keys: KeysAfter::Stop },
                        3 => Command::DisableOperator { operator, keys: KeysAfter::Work },
                        4 => Command::DisableOperator { operator, keys: KeysAfter::GiveTo(people[1].operator) },
                        _ => Command::EnableOperator(operator),
                    };
                    let _ = world.run(people[n % 2], &command);
                }
                Step::Location(0..128) => {
                    let _ = world.run(maria, &Command::AddLocations(vec![name(&format!("L{}", n % 5))]));
                }
                Step::Location(_) => {
                    let location = world.state.locations().next().unwrap().id;
                    let _ = world.run(maria, &Command::RemoveLocation { location });
                }
                Step::Pass(ms) => world.now = Timestamp(world.now.0 + ms),
                Step::Key(..) => {}
            }
            for key in world.state.keys() {
                let closed = verdict::closed(&world.state, key);
                if matches!(closed, Some(Reason::Revoked | Reason::Tombstoned)) {
                    dead.insert(key.id);
                } else {
                    prop_assert!(!dead.contains(&key.id), "{} came back to life", key.id);
                }
            }
            prop_assert!(world.state.operators().any(|o| o.role == Role::Admin && o.standing.is_active()));
            for person in &people {
                let live: Vec<_> =
                    world.state.keys_of(person.operator).filter(|k| k.state(world.now).is_live()).collect();
                // What is kept of names and lives is what a walk over the keys would find.
                prop_assert_eq!(world.state.live_keys_of(person.operator, world.now), live.len());
                for key in world.state.keys_of(person.operator) {
                    let found = world.state.live_key_named(person.operator, &key.name, world.now);
                    let walked = live.iter().any(|other| other.name.folded() == key.name.folded());
                    prop_assert_eq!(found.is_some(), walked);
                }
                // Keys given away may exceed the heir's quota; nothing else may.
                if person.operator != people[1].operator {
                    prop_assert!(live.len() <= 3);
                    let mut names: Vec<_> = live.iter().map(|k| k.name.folded()).collect();
                    names.sort();
                    names.dedup();
                    prop_assert_eq!(names.len(), live.len());
                }
                let view = View::new(&world.state, *person);
                prop_assert!(view.keys().all(|k| k.owner == person.operator));
            }
        }
    }
}
