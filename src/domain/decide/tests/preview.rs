//! What a change of the policy would touch, before it is taken.

use super::*;
use crate::domain::lifecycle::Grounds;
use crate::domain::preview::{What, touched};

/// What is told if `rule` were `value`: what, whom, and when first, in days after the beginning.
fn told(world: &World, who: Actor, rule: &str, value: &str) -> Vec<(What, Vec<String>, Option<i64>)> {
    let after = world.state.policy().with(rule, value).unwrap();
    let grounds = Grounds::of(world.now, false, Some(Timestamp(0)));
    let found = touched(View::new(&world.state, who), &after, grounds);
    let days = |at: Timestamp| at.since(NOW) / DAY_MS;
    found
        .into_iter()
        .map(|one| (one.what, one.names.into_iter().map(str::to_owned).collect(), one.first.map(days)))
        .collect()
}

#[test]
fn a_change_of_the_policy_says_whom_it_would_touch_and_only_them() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Manager);
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let at = |days: i64| Some(Expiry::At(Timestamp(NOW.0 + days * DAY_MS)));
    for (name, expiry) in [("Export", Some(Expiry::Never)), ("Ends", at(20)), ("Over", at(1))] {
        world.issue(maria, NewKey { expiry, ..agency_key(name) }).unwrap();
    }
    let kept = world.issue(maria, NewKey { expiry: Some(Expiry::Never), ..agency_key("Kept") }).unwrap();
    let why = Note::new("runs once a year").unwrap();
    world.run(maria, &Command::ProtectKey { key: kept, why }).unwrap();
    world.now = Timestamp(NOW.0 + 2 * DAY_MS);

    // Days without use count from the beginning; the notices that are still to come take fifteen days.
    // Not the one that ends by itself before that.
    let sooner = (What::DeletedSooner, names(&["Export"]), Some(30));
    assert_eq!(told(&world, maria, "idle-days", "30"), [sooner]);
    let soonest = (What::DeletedSooner, names(&["Ends", "Export"]), Some(17));
    assert_eq!(told(&world, maria, "idle-days", "16"), [soonest]);
    let never = (What::DeletedLater, names(&["Export"]), None);
    assert_eq!(told(&world, maria, "idle-days", "off"), [never]);
    assert_eq!(told(&world, maria, "idle-days", "90"), []);
    let soon = [(What::Told, names(&["Ends"]), Some(20))];
    assert_eq!(told(&world, maria, "notice-days", "30"), soon);
    assert_eq!(told(&world, maria, "notice-days-agency", "30"), soon);
    assert_eq!(told(&world, maria, "notice-days-app", "30"), [], "there is no key of that kind");
    assert_eq!(
        told(&world, maria, "max-life", "30"),
        [(What::OutliveLimit, names(&["Export", "Kept"]), None)]
    );
    assert_eq!(told(&world, maria, "keys-per-operator", "3"), [(What::OverQuota, names(&["maria"]), None)]);
    assert_eq!(told(&world, maria, "keys-per-operator", "4"), []);
    assert_eq!(
        told(&world, maria, "issue-location", "admin"),
        [(What::IssueLocationNoMore, names(&["jonas"]), None)]
    );
    assert_eq!(told(&world, maria, "lock-minutes", "5"), []);
    // Nobody was told yet that it has ended: the next sweep does.
    let cleared = |days| (What::ClearedSooner, names(&["Over"]), Some(days));
    assert_eq!(told(&world, maria, "ended-days", "30"), [cleared(32)]);
    assert_eq!(told(&world, maria, "ended-days", "never"), []);
    world.rule(maria, "ended-days", "30");
    assert_eq!(told(&world, maria, "ended-days", "10d"), [cleared(12)]);
    let later = |days| (What::ClearedLater, names(&["Over"]), days);
    assert_eq!(told(&world, maria, "ended-days", "60"), [later(Some(62))]);
    assert_eq!(told(&world, maria, "ended-days", "never"), [later(None)]);
    assert_eq!(told(&world, jonas, "ended-days", "10d"), []);
    // Whose keys are not seen, of those nothing is told.
    assert_eq!(told(&world, jonas, "idle-days", "30"), []);
}

#[test]
fn of_many_that_are_touched_the_first_are_named_and_all_counted() {
    let (mut world, maria) = World::founded();
    for n in 0..8 {
        world.issue(maria, agency_key(&format!("K{n}"))).unwrap();
    }
    let after = world.state.policy().with("idle-days", "30").unwrap();
    let grounds = Grounds::of(world.now, false, Some(Timestamp(0)));
    let found = touched(View::new(&world.state, maria), &after, grounds);
    assert_eq!(
        found[0].in_words(),
        "8 keys would be deleted for want of use, or sooner than now: K0, K1, K2, K3, K4 and 3 more"
    );
}
