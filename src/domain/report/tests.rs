use proptest::prelude::*;

use super::*;
use crate::domain::decoy::Decoy;
use crate::domain::filter::keys::KeyFilter;
use crate::domain::lineage::Superseded;
use crate::domain::review::tests::{JONAS, MARIA, World, ago, app, id, key, operator};
use crate::domain::review::{Breadth, review};
use crate::domain::{AppId, Expiry, KeyId, Location, LocationId, Name, Record, Usage};

const PLACES: [&str; 4] = ["Berlin", "Berlin Mitte", "Zürich", "zurich"];

fn location(n: usize) -> Place {
    Place::Location(LocationId(id(10 + n)))
}

/// Two admins, some locations, and an app.
fn world() -> World {
    let mut world = World::new(200);
    for (n, name) in PLACES.into_iter().enumerate() {
        world.state.put(Record::Location(Location {
            id: LocationId(id(10 + n)),
            name: Name::new(name).unwrap(),
            created_at: ago(900),
            removed_at: None,
            lockdown: None,
        }));
    }
    world.state.put(Record::App(app()));
    world
}

/// A key in one of many states, and when it was used last.
fn any_key() -> impl Strategy<Value = (Key, Option<i64>)> {
    let status = prop_oneof![
        4 => Just(Status::Active),
        1 => (0_i64..40).prop_map(|days| Status::Paused(ago(days))),
        1 => (0_i64..40).prop_map(|days| Status::Revoked(ago(days))),
        1 => (0_i64..20).prop_map(|days| Status::Deleted(ago(days))),
    ];
    let place =
        prop_oneof![Just(Place::Agency), (0_usize..4).prop_map(location), Just(Place::App(AppId(id(50)))),];
    let expiry = prop_oneof![Just(Expiry::Never), (-60_i64..60).prop_map(|days| Expiry::At(ago(days)))];
    let used = prop::option::of(0_i64..120);
    (status, place, expiry, 0_i64..800, used, any::<bool>(), 0_u8..8).prop_map(
        |(status, place, expiry, made, used, jonas, decoy)| {
            let mut one = key(0);
            (one.status, one.place, one.expiry, one.created_at) = (status, place, expiry, ago(made));
            one.owner = operator(if jonas { JONAS } else { MARIA });
            one.decoy = (decoy == 0).then_some(Decoy);
            (one, used.map(|used| used.min(made)))
        },
    )
}

/// As many lineages as there are keys; every third took over from another, which stands beside it.
fn fill(world: &mut World, keys: &[(Key, Option<i64>)]) {
    for (n, (one, used)) in keys.iter().enumerate() {
        let mut one = one.clone();
        one.id = KeyId(id(1_000 + 2 * n));
        if n % 3 == 0 && one.decoy.is_none() {
            let mut old = key(0);
            (old.id, old.place, old.owner) = (KeyId(id(1_001 + 2 * n)), one.place, one.owner);
            old.superseded = Some(Box::new(Superseded {
                by: one.id,
                since: ago(1),
                rotation: None,
                expiry: Expiry::Never,
                waits: None,
                begun: None,
            }));
            old.expiry = Expiry::At(ago(if n % 2 == 0 { 1 } else { -1 }));
            one.succeeds = Some(old.id);
            world.state.put(Record::Key(old));
        }
        if let Some(days) = used {
            let usage = Usage { last_used_at: Some(ago(*days)), count: 1, first_used_at: Some(ago(*days)) };
            world.state.note_use(*one.id.public(), usage);
        }
        world.state.put(Record::Key(one));
    }
}

fn of(report: &Report, topic: Topic) -> &Section {
    report.sections.iter().find(|section| section.topic == topic).unwrap()
}

/// How many rows a filter line lets through, by kind.
fn rows(world: &World, line: &str) -> Count {
    let by = world.by();
    let filter = KeyFilter::parse(line);
    assert!(filter.mistakes.is_empty(), "{line}: {:?}", filter.mistakes);
    let mut count = Count::default();
    by.view.keys().filter(|key| filter.finds(key, by.view, by.now)).for_each(|key| count.add(key.place));
    count
}

proptest! {
    #[test]
    fn each_number_is_that_of_the_rows_of_its_filter_and_none_is_counted_twice(
        keys in prop::collection::vec(any_key(), 0..40),
    ) {
        let mut world = world();
        fill(&mut world, &keys);
        let report = report(world.by(), ago(30));
        for topic in [Topic::State, Topic::End, Topic::Use, Topic::Age, Topic::Place, Topic::Owner] {
            for block in &of(&report, topic).blocks {
                prop_assert_eq!(block.count, rows(&world, &block.filter), "{}", block.filter);
            }
        }
        let sum = |topic| of(&report, topic).blocks.iter().map(|block| block.count.total()).sum::<usize>();
        let live = rows(&world, LIVE).total();
        for topic in [Topic::End, Topic::Use, Topic::Age, Topic::Owner] {
            prop_assert_eq!(sum(topic), live, "{}", topic.code());
        }
        let all = rows(&world, "").total() + rows(&world, "state:deleted").total();
        prop_assert_eq!(sum(Topic::State), all);
        let by = world.by();
        let reviewed = review(by, Breadth::Telling);
        for block in &of(&report, Topic::Risk).blocks {
            let has = |row: &&crate::domain::review::Row| by.of(row).iter().any(|said| said.code() == block.code);
            prop_assert_eq!(block.count.total(), reviewed.iter().filter(has).count(), "{}", block.code);
        }
    }
}

#[test]
fn what_is_said_in_the_review_is_counted_in_its_order_and_by_its_words() {
    let known: Vec<_> = Concern::CODES.into_iter().filter(|code| *code != "no_expiry").collect();
    assert_eq!(RISKS.map(|(code, _)| code).to_vec(), known);
}

#[test]
fn places_of_one_name_are_told_as_one_and_a_part_of_a_name_is_another_place() {
    let mut world = world();
    let at = |n| {
        let mut one = key(n);
        one.place = location(n);
        (one, None)
    };
    fill(
        &mut world,
        &[at(0), at(1), at(1), at(2), at(3)].map(|(mut key, used)| {
            key.decoy = None;
            (key, used)
        }),
    );
    let report = report(world.by(), ago(30));
    let told: Vec<_> = of(&report, Topic::Place)
        .blocks
        .iter()
        .map(|block| (block.words.as_str(), block.count.location, block.filter.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("Berlin Mitte", 2, r#"state:live NOT state:decoy at:="Berlin Mitte""#),
            ("Zürich", 2, r#"state:live NOT state:decoy at:="Zürich""#),
            ("Berlin", 1, r#"state:live NOT state:decoy at:="Berlin""#),
        ]
    );
}

#[test]
fn what_became_of_keys_lately_is_told_once_of_each_life() {
    let mut world = world();
    let made = |n: usize, change: &dyn Fn(&mut Key)| {
        let mut one = key(n);
        change(&mut one);
        one
    };
    let all = [
        made(1, &|key| key.created_at = ago(10)),
        made(2, &|key| key.created_at = ago(31)),
        made(3, &|key| key.status = Status::Revoked(ago(29))),
        made(4, &|key| key.status = Status::Revoked(ago(31))),
        made(5, &|key| key.expiry = Expiry::At(ago(5))),
        made(6, &|key| key.status = Status::Deleted(ago(2))),
        made(7, &|key| {
            key.created_at = ago(3);
            key.decoy = Some(Decoy);
        }),
    ];
    for key in all {
        world.state.put(Record::Key(key));
    }
    fill(&mut world, &[(made(0, &|key| key.created_at = ago(1)), None)]);
    let told = report(world.by(), ago(30)).lately.all().map(|(code, _, count)| (code, count.agency));
    assert_eq!(
        told,
        [("issued", 1), ("imported", 0), ("rotated", 1), ("revoked", 1), ("expired", 1), ("deleted", 1)]
    );
}
