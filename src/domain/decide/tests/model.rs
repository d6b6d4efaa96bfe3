//! A model that runs any sequence of commands and looks for a broken promise.

use proptest::prelude::*;

use super::*;

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
                    let decoy = days % 4 == 0;
                    let new = NewKey { place, expiry, decoy, ..agency_key(&format!("K{}", n % 7)) };
                    let _ = world.issue(people[who], new);
                }
                Step::Key(who, key, verb) if !keys.is_empty() => {
                    let key = keys[key % keys.len()];
                    let command = match verb {
                        0 => Command::PauseKey(key, None),
                        1 => Command::ResumeKey(key),
                        2 => Command::revoke(key),
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
                prop_assert!(!key.is_decoy() || closed.is_some(), "the decoy {} opens something", key.id);
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
