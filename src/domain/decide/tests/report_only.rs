//! Fewer scopes are tried: nothing changes by that, and what becomes of it is always somebody's word.

use super::*;
use crate::domain::event::Change;
use crate::domain::lifecycle::Pass;

const WIDE: [&str; 3] = ["contacts.delete", "contacts.read", "contacts.write"];

fn wide(called: &str) -> NewKey {
    NewKey { scopes: WIDE.map(scope).to_vec(), ..agency_key(called) }
}

fn begin(key: KeyId, kept: &[&str], days: u32) -> Command {
    Command::BeginReportOnly { key, scopes: kept.iter().map(|name| scope(name)).collect(), days }
}

/// A key on which it is tried to leave it `contacts.read`.
fn tried() -> (World, Actor, KeyId) {
    let (mut world, maria) = World::founded();
    let key = world.issue(maria, wide("Data warehouse")).unwrap();
    world.run(maria, &begin(key, &["contacts.read"], 14)).unwrap();
    (world, maria, key)
}

fn scopes(world: &World, key: KeyId) -> String {
    world.key(key).scopes.to_string()
}

#[test]
fn only_fewer_scopes_of_a_key_that_lives_are_tried_and_for_a_time() {
    let (mut world, maria, key) = tried();
    let limit = ReportOnly::MAX_DAYS;
    for days in [0, 91, u32::MAX] {
        let answer = world.run(maria, &begin(key, &["contacts.read"], days));
        assert_eq!(answer, Err(Refusal::BadReportOnly { limit }));
    }
    let other = world.run(maria, &begin(key, &["contacts.read", "users.read"], 14));
    assert_eq!(other, Err(Refusal::NotNarrower { scopes: "users.read".into() }));
    assert_eq!(world.run(maria, &begin(key, &[], 14)), Err(Refusal::NoScopes));
    assert!(matches!(world.run(maria, &begin(key, &WIDE, 14)), Err(Refusal::NoChange(_))));
    let vera = world.operator(maria, "vera", Role::Manager);
    assert_eq!(world.run(vera, &begin(key, &["contacts.read"], 14)), Err(Refusal::NoSuchKey));
    let plain = world.issue(maria, wide("Plain")).unwrap();
    for command in [Command::EnforceReportOnly { key: plain, begun: None }, Command::DropReportOnly(plain)] {
        assert_eq!(world.run(maria, &command), Err(Refusal::NoReportOnly { key: plain }));
    }
    world.run(maria, &Command::revoke(plain)).unwrap();
    assert!(matches!(
        world.run(maria, &begin(plain, &["contacts.read"], 14)),
        Err(Refusal::WrongState { .. })
    ));
}

#[test]
fn it_changes_nothing_until_it_is_enforced_also_after_its_time() {
    let (mut world, maria, key) = tried();
    let refused = |world: &World| verdict::refused(&world.state, world.key(key), world.now);
    world.now = NOW.plus_days(400).unwrap();
    let service = Actor { operator: OperatorId(PublicId::NOBODY), access: Access::Service };
    for pass in Pass::ALL {
        drop(world.run(service, &pass.command()));
    }
    assert_eq!((scopes(&world, key), refused(&world)), (WIDE.join(" "), None));
    assert_eq!(world.key(key).reports_only().unwrap().over_for(world.now), Some(386));
    let events = world.clone().run(maria, &Command::DropReportOnly(key)).unwrap();
    let [Event::ReportOnlyDropped(dropped)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((dropped.scopes.to_string(), dropped.reports_only()), (WIDE.join(" "), None));
    let events = world.run(maria, &Command::EnforceReportOnly { key, begun: None }).unwrap();
    assert!(events.iter().all(Event::only_takes_away));
    assert_eq!((scopes(&world, key), world.key(key).reports_only()), ("contacts.read".into(), None));
}

#[test]
fn what_is_enforced_is_what_somebody_saw() {
    let (mut world, maria, key) = tried();
    let seen = world.key(key).reports_only().unwrap().begun;
    world.now = NOW.plus_days(1).unwrap();
    world.run(maria, &begin(key, &["contacts.write"], 14)).unwrap();
    let enforce = |begun| Command::EnforceReportOnly { key, begun };
    assert!(matches!(world.run(maria, &enforce(Some(seen))), Err(Refusal::ChangedMeanwhile { .. })));
    world.run(maria, &enforce(Some(world.now))).unwrap();
    assert_eq!(scopes(&world, key), "contacts.write");
}

#[test]
fn whatever_else_changes_the_scopes_or_ends_the_key_ends_it() {
    let (world, maria, key) = tried();
    let rescope = |names: &[&str]| Command::RescopeKey {
        key,
        scopes: names.iter().map(|name| scope(name)).collect(),
        basis: None,
    };
    let over = [
        rescope(&["contacts.read", "contacts.write"]),
        rescope(&["contacts.read", "contacts.write", "contacts.delete", "users.read"]),
        Command::revoke(key),
        Command::DeleteKey(key),
    ];
    for command in over {
        let mut world = world.clone();
        world.run(maria, &command).unwrap();
        assert_eq!(world.key(key).reports_only(), None, "{command:?}");
        assert!(world.run(maria, &Command::EnforceReportOnly { key, begun: None }).is_err());
        // Nor does it come back with the record.
        drop(world.run(maria, &Command::RestoreKey(key)));
        assert_eq!(world.key(key).reports_only(), None, "{command:?}");
    }
    let mut world = world;
    world.run(maria, &Command::PauseKey(key, None)).unwrap();
    world.run(maria, &Command::ResumeKey(key)).unwrap();
    let jonas = world.operator(maria, "jonas", Role::Manager);
    world.run(maria, &Command::TransferKey { key, to: jonas.operator }).unwrap();
    assert!(world.key(key).reports_only().is_some());
}

#[test]
fn a_rotation_carries_it_over_and_both_halves_lose_the_scopes_or_keep_them() {
    let (mut world, maria, old) = tried();
    let rotation =
        Rotation { id: None, grace: "24h".parse().unwrap(), counted: Counted::FromNow, expiry: None };
    let events = world.run(maria, &Command::RotateKey { key: old, rotation }).unwrap();
    let Some(Event::KeySucceeded(new, _)) = events.first() else { panic!("{events:?}") };
    let new = new.id;
    assert_eq!(world.key(new).reports_only(), world.key(old).reports_only());
    let (ids, begun) = crate::domain::report_only::lineage(&world.state, world.key(new)).unwrap();
    assert_eq!((ids, begun), (vec![*new.public(), *old.public()], NOW));
    let mut dropped = world.clone();
    dropped.run(maria, &Command::DropReportOnly(new)).unwrap();
    assert_eq!([old, new].map(|key| dropped.key(key).reports_only().is_some()), [false, false]);
    world.run(maria, &Command::EnforceReportOnly { key: new, begun: None }).unwrap();
    assert_eq!([old, new].map(|key| scopes(&world, key)), ["contacts.read", "contacts.read"]);
}

#[test]
fn the_trail_says_what_is_tried_until_when_and_what_came_of_it() {
    let (mut world, maria, key) = tried();
    let told = |events: Vec<Event>| -> Vec<(String, String, String)> {
        events.iter().flat_map(Event::changes).map(|Change { field, from, to }| (field, from, to)).collect()
    };
    let began = told(world.run(maria, &begin(key, &["contacts.read"], 7)).unwrap());
    let until = NOW.plus_days(7).unwrap().to_string();
    let text = |text: &str| text.to_owned();
    assert_eq!(
        began,
        [(text("report only"), WIDE.join(" "), text("contacts.read")), (text("until"), String::new(), until)]
    );
    let enforced = told(world.run(maria, &Command::EnforceReportOnly { key, begun: None }).unwrap());
    assert_eq!(enforced, [(text("scopes"), WIDE.join(" "), text("contacts.read"))]);
}
