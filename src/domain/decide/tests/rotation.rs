//! A key takes over from another: two secrets for a while, one for people, and never none by itself.

mod graces;

use proptest::prelude::*;

use super::*;
use crate::domain::command::KeyEdit;
use crate::domain::lifecycle::Pass;

const HOUR: i64 = 3_600_000;
const SERVICE: Actor = Actor { operator: OperatorId(PublicId::NOBODY), access: Access::Service };

fn later(ms: i64) -> Timestamp {
    Timestamp(NOW.0 + ms)
}

fn grace(text: &str) -> Grace {
    text.parse().unwrap()
}

fn for_a_grace(text: &str) -> Rotation {
    Rotation { id: None, grace: grace(text), counted: Counted::FromNow, expiry: None }
}

fn from_first_use(text: &str) -> Rotation {
    Rotation { counted: Counted::FromFirstUse, ..for_a_grace(text) }
}

impl World {
    fn rotate(&mut self, actor: Actor, key: KeyId, rotation: &Rotation) -> Result<KeyId, Refusal> {
        let events = self.run(actor, &Command::RotateKey { key, rotation: rotation.clone() })?;
        let Some(Event::KeySucceeded(new, _)) = events.first() else { panic!("{events:?}") };
        Ok(new.id)
    }

    /// A key that was rotated with a day of grace: the old half and the new one.
    fn rotated(&mut self, actor: Actor) -> (KeyId, KeyId) {
        let old = self.issue(actor, agency_key("Booking widget")).unwrap();
        (old, self.rotate(actor, old, &for_a_grace("24h")).unwrap())
    }

    fn works(&self, key: KeyId) -> bool {
        self.refused_for(key).is_none()
    }

    fn refused_for(&self, key: KeyId) -> Option<Reason> {
        verdict::refused(&self.state, self.key(key), self.now)
    }

    fn is_used(&mut self, key: KeyId) {
        let used = Usage { last_used_at: Some(self.now), count: 1, first_used_at: Some(self.now) };
        self.state.note_use(*key.public(), used);
    }

    fn start_graces(&mut self) -> usize {
        self.run_with(SERVICE, &Pass::Graces.command(), &[], None).map_or(0, |events| events.len())
    }
}

#[test]
fn a_rotated_key_is_one_key_with_two_secrets() {
    let (mut world, maria) = World::founded();
    world.rule(maria, "keys-per-operator", "1");
    let old = world.issue(maria, agency_key("Booking widget")).unwrap();
    let why = Note::new("the kiosks").unwrap();
    world.run(maria, &Command::ProtectKey { key: old, why }).unwrap();
    let before = world.key(old).clone();
    world.now = later(DAY_MS);
    let new = world.rotate(maria, old, &for_a_grace("24h")).unwrap();
    let (first, second) = (world.key(old), world.key(new));
    assert_eq!(first.state(world.now), KeyState::Superseded);
    assert_eq!(first.grace_ends(), Some(later(2 * DAY_MS)));
    assert_eq!((second.state(world.now), second.succeeds), (KeyState::Active, Some(old)));
    let same = Key {
        id: new,
        created_at: world.now,
        succeeds: Some(old),
        verifier: second.verifier,
        ..before.clone()
    };
    assert_eq!(*second, same, "all but the secret and its age");
    assert!(world.works(old) && world.works(new));
    assert_eq!(world.state.live_keys_of(maria.operator, world.now), 1, "the quota counts one");
    let view = View::new(&world.state, maria);
    for sought in [view::Sought::Living, view::Sought::Ended] {
        assert_eq!(view.find_key("Booking widget", sought, world.now), view::Found::One(second));
    }
    world.now = later(2 * DAY_MS);
    assert_eq!((world.refused_for(old), world.refused_for(new)), (Some(Reason::Expired), None));
}

#[test]
fn what_is_done_to_either_half_follows_a_table() {
    let scopes = || vec![scope("contacts.write")];
    let edit = |key: &Key| KeyEdit { name: name("Other"), ..KeyEdit::of(key) };
    let why = Note::new("needed").unwrap();
    let commands = |key: &Key| {
        let id = key.id;
        [
            Command::PauseKey(id, None),
            Command::ResumeKey(id),
            Command::revoke(id),
            Command::DeleteKey(id),
            Command::RestoreKey(id),
            Command::RescopeKey { key: id, scopes: scopes(), basis: None },
            Command::EditKey { key: id, change: edit(key), basis: None },
            Command::KeepKey(id),
            Command::ProtectKey { key: id, why: why.clone() },
            Command::RotateKey { key: id, rotation: for_a_grace("24h") },
            Command::RotateKey { key: id, rotation: for_a_grace("0") },
            Command::RepeatRotation(id),
            Command::CancelRotation(id),
            Command::LengthenGrace { key: id, by: grace("1h") },
        ]
    };
    // What follows: how many records change, or why not. In the order of the commands above.
    let table = "
        plain    1 wrong_state 1 1 wrong_state 1 1 1 1 2 2 not_rotated not_rotated not_rotated
        paused   wrong_state 1 1 1 wrong_state 1 1 1 1 wrong_state wrong_state not_rotated not_rotated not_rotated
        expired  wrong_state wrong_state 1 1 wrong_state wrong_state wrong_state wrong_state wrong_state wrong_state wrong_state not_rotated not_rotated not_rotated
        revoked  wrong_state wrong_state wrong_state 1 wrong_state wrong_state wrong_state wrong_state wrong_state wrong_state wrong_state not_rotated not_rotated not_rotated
        deleted  wrong_state wrong_state wrong_state wrong_state 1 wrong_state wrong_state wrong_state wrong_state wrong_state wrong_state not_rotated not_rotated not_rotated
        old      1 wrong_state 1 1 wrong_state wrong_state wrong_state wrong_state wrong_state wrong_state wrong_state 3 2 1
        new      2 wrong_state 2 2 wrong_state 2 1 1 1 in_grace 3 3 2 1
        stopped  wrong_state 2 2 2 wrong_state 2 1 1 1 wrong_state wrong_state wrong_state 2 1
        used     2 wrong_state 2 2 wrong_state 2 1 1 1 in_grace 3 successor_used 2 1
        over     wrong_state wrong_state wrong_state 1 wrong_state wrong_state wrong_state wrong_state wrong_state wrong_state wrong_state 3 old_half_over old_half_over
        after    1 wrong_state 1 1 wrong_state 1 1 1 1 2 2 3 old_half_over old_half_over
        finished 1 wrong_state 1 1 wrong_state 1 1 1 1 2 2 3 old_half_over old_half_over
        lost     1 wrong_state 1 1 wrong_state 1 1 1 1 2 2 3 old_half_over old_half_over";
    for row in table.trim().lines().map(str::trim) {
        let (case, expected) = row.split_once(' ').unwrap();
        let (mut world, maria) = World::founded();
        let ends = NewKey { expiry: Some(Expiry::At(later(90 * DAY_MS))), ..agency_key("K") };
        let key = match case {
            "plain" | "paused" | "expired" | "revoked" | "deleted" => world.issue(maria, ends).unwrap(),
            _ => world.rotated(maria).1,
        };
        let old = world.key(key).succeeds;
        let key = match case {
            "paused" | "stopped" => world.run(maria, &Command::PauseKey(key, None)).map(|_| key).unwrap(),
            "revoked" => world.run(maria, &Command::revoke(key)).map(|_| key).unwrap(),
            "deleted" => world.run(maria, &Command::DeleteKey(key)).map(|_| key).unwrap(),
            "finished" => world.run(maria, &Command::revoke(old.unwrap())).map(|_| key).unwrap(),
            "lost" => {
                world.run(maria, &Command::revoke(old.unwrap())).unwrap();
                world.rotate(maria, key, &for_a_grace("0")).unwrap()
            }
            "old" | "over" => old.unwrap(),
            _ => key,
        };
        match case {
            "expired" => world.now = later(90 * DAY_MS),
            "over" | "after" => world.now = later(DAY_MS),
            "used" => world.is_used(key),
            _ => {}
        }
        let answers = commands(world.key(key)).map(|command| match world.clone().run(maria, &command) {
            Ok(events) => events.len().to_string(),
            Err(refusal) => refusal.code().to_owned(),
        });
        let expected: Vec<&str> = expected.split_whitespace().collect();
        assert_eq!(answers.as_slice(), expected, "{case}");
    }
}

#[test]
fn to_stop_a_key_stops_the_secret_it_took_over_from_as_well() {
    let (mut world, maria) = World::founded();
    let (old, new) = world.rotated(maria);
    world.run(maria, &Command::PauseKey(new, None)).unwrap();
    assert_eq!(
        (world.refused_for(old), world.refused_for(new)),
        (Some(Reason::Disabled), Some(Reason::Disabled))
    );
    world.run(maria, &Command::ResumeKey(new)).unwrap();
    assert!(world.works(old) && world.works(new));
    // The old half alone, to see who misses it.
    world.run(maria, &Command::PauseKey(old, None)).unwrap();
    assert!(!world.works(old) && world.works(new));
    assert_eq!(world.key(old).state(world.now), KeyState::Superseded);
    assert!(world.run(maria, &Command::PauseKey(old, None)).is_err(), "it is paused already");
    world.run(maria, &Command::ResumeKey(old)).unwrap();
    let write = Command::RescopeKey { key: new, scopes: vec![scope("contacts.write")], basis: None };
    world.run(maria, &write).unwrap();
    assert_eq!(world.key(old).scopes, world.key(new).scopes, "a scope taken away is taken from both");
    world.run(maria, &Command::revoke(new)).unwrap();
    assert_eq!(
        (world.refused_for(old), world.refused_for(new)),
        (Some(Reason::Revoked), Some(Reason::Revoked))
    );
}

#[test]
fn a_cancelled_rotation_leaves_the_old_half_as_it_was() {
    for rotation in [for_a_grace("1h"), from_first_use("7d")] {
        let (mut world, maria) = World::founded();
        let ends = NewKey { expiry: Some(Expiry::At(later(90 * DAY_MS))), ..agency_key("K") };
        let old = world.issue(maria, ends).unwrap();
        let before = world.key(old).clone();
        let new = world.rotate(maria, old, &rotation).unwrap();
        for half in [old, new] {
            let mut world = world.clone();
            world.run(maria, &Command::CancelRotation(half)).unwrap();
            // But that it is needed was said.
            assert_eq!(*world.key(old), Key { counted_from: Some(world.now), ..before.clone() });
            assert_eq!(world.refused_for(new), Some(Reason::Revoked));
            assert_eq!(world.state.live_keys_of(maria.operator, world.now), 1);
        }
        // What people called the key meanwhile it is called then.
        let change = KeyEdit { name: name("New name"), ..KeyEdit::of(world.key(new)) };
        world.run(maria, &Command::EditKey { key: new, change, basis: None }).unwrap();
        world.issue(maria, agency_key("K")).unwrap();
        world.run(maria, &Command::CancelRotation(new)).unwrap();
        assert_eq!(world.key(old).name, name("New name"));
    }
}

#[test]
fn what_takes_a_secret_back_that_nobody_saw_works_after_the_grace_as_well() {
    let (mut world, maria) = World::founded();
    let old = world.issue(maria, agency_key("K")).unwrap();
    let command = Command::RotateKey { key: old, rotation: for_a_grace("1h") };
    let events = world.run(maria, &command).unwrap();
    let back = lineage::taking_back(&events, world.now).unwrap();
    world.run(maria, &Command::revoke(old)).unwrap();
    let refusal = world.run(maria, &back).unwrap_err();
    let other = lineage::instead(&back, refusal.code()).unwrap();
    world.run(maria, &other).unwrap();
    assert!(!world.works(events[0].key().unwrap().id));
}

#[test]
fn the_same_rotation_asked_for_twice_makes_no_third_secret() {
    let (mut world, maria) = World::founded();
    let old = world.issue(maria, agency_key("K")).unwrap();
    let named = Rotation { id: Some(name("2026-11")), ..for_a_grace("24h") };
    let new = world.rotate(maria, old, &named).unwrap();
    let state = world.state.key_count();
    // By the name it has now, which leads to the successor, or by the old id; in the grace or after it.
    for now in [NOW, later(DAY_MS), later(30 * DAY_MS)] {
        world.now = now;
        for key in [old, new] {
            assert_eq!(world.rotate(maria, key, &named), Err(Refusal::RotatedBefore { by: new }));
        }
    }
    assert_eq!(world.state.key_count(), state);
    let next = Rotation { id: Some(name("2026-12")), ..named.clone() };
    let third = world.rotate(maria, new, &next).unwrap();
    world.now = later(60 * DAY_MS);
    assert_eq!(world.rotate(maria, third, &named), Err(Refusal::RotatedBefore { by: new }));
}

#[test]
fn a_secret_whose_answer_was_lost_is_made_again_while_nobody_has_used_it() {
    let (mut world, maria) = World::founded();
    let (old, lost) = world.rotated(maria);
    let end = world.key(old).expiry;
    let events = world.run(maria, &Command::RepeatRotation(old)).unwrap();
    let Some(Event::KeySucceeded(again, _)) = events.first() else { panic!("{events:?}") };
    let again = again.id;
    assert_eq!((world.refused_for(lost), world.refused_for(again)), (Some(Reason::Revoked), None));
    assert_eq!((world.key(old).expiry, world.state.halves(world.key(again)).unwrap().old.id), (end, old));
    assert!(world.state.halves(world.key(lost)).is_none());
    world.is_used(again);
    let answer = world.run(maria, &Command::RepeatRotation(again));
    assert_eq!(answer, Err(Refusal::SuccessorUsed { new: again }));
    // Of a key that was lost as well, but nothing that was ended comes back that way.
    let other = world.rotate(maria, again, &for_a_grace("0")).unwrap();
    let events = world.run(maria, &Command::RepeatRotation(again)).unwrap();
    let last = events[0].key().unwrap().id;
    assert_eq!(world.refused_for(again), Some(Reason::Revoked), "what was lost stays dead");
    assert_eq!((world.works(other), world.works(last)), (false, true));
    assert!(world.run(maria, &Command::RepeatRotation(old)).is_err(), "only the last rotation is done again");
    assert_eq!(world.state.live_keys_of(maria.operator, world.now), 1);
    world.run(maria, &Command::revoke(last)).unwrap();
    let answer = world.run(maria, &Command::RepeatRotation(again));
    assert!(matches!(answer, Err(Refusal::WrongState { state: KeyState::Revoked, .. })), "{answer:?}");
}

#[test]
fn a_lost_key_is_dead_in_the_same_step_whatever_the_clock() {
    let (mut world, maria) = World::founded();
    let (old, key) = world.rotated(maria);
    world.doubted = true;
    let new = world.rotate(maria, key, &for_a_grace("0")).unwrap();
    for dead in [old, key] {
        world.now = NOW;
        assert_eq!(world.refused_for(dead), Some(Reason::Revoked));
        world.now = Timestamp(NOW.0 - 400 * DAY_MS);
        assert_eq!(world.refused_for(dead), Some(Reason::Revoked), "no clock revives it");
    }
    assert!(world.works(new));
    let early = world.rotate(maria, new, &for_a_grace("1h"));
    assert_eq!(early, Err(Refusal::ClockSuspect), "no end is reckoned from a clock in doubt");
}

#[test]
fn a_longer_life_is_asked_for_and_told_apart() {
    let (mut world, maria) = World::founded();
    let ends = NewKey { expiry: Some(Expiry::At(later(DAY_MS))), ..agency_key("K") };
    let old = world.issue(maria, ends).unwrap();
    let longer = Rotation { expiry: Some(Expiry::At(later(90 * DAY_MS))), ..for_a_grace("7d") };
    let command = Command::RotateKey { key: old, rotation: longer };
    world.rule(maria, "max-life", "30d");
    assert_eq!(world.run(maria, &command), Err(Refusal::LifeTooLong { limit: 30 }));
    world.rule(maria, "max-life", "90d");
    let events = world.run(maria, &command).unwrap();
    let fields: Vec<String> = events.iter().flat_map(Event::changes).map(|change| change.field).collect();
    assert_eq!(fields, ["extended", "old half ends"]);
    assert_eq!(world.key(old).expiry, Expiry::At(later(DAY_MS)), "the old half keeps its own end");
}

#[test]
fn both_halves_go_where_their_owner_app_and_place_go() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Manager);
    let at = world.location(maria, "North");
    let old = world.issue(jonas, location_key("K", at)).unwrap();
    let new = world.rotate(jonas, old, &for_a_grace("24h")).unwrap();
    assert_eq!(world.state.live_keys_at(at, world.now), 1);
    let to = Command::TransferKey { key: new, to: maria.operator };
    let whole = Actor { access: Access::Agency, ..maria };
    let mut given = world.clone();
    given.run(whole, &to).unwrap();
    assert!([old, new].iter().all(|half| given.key(*half).owner == maria.operator));
    let to = Command::TransferKey { key: old, to: maria.operator };
    assert!(matches!(world.run(whole, &to), Err(Refusal::WrongState { .. })), "never one half alone");
    let keys = KeysAfter::GiveTo(maria.operator);
    world.run(maria, &Command::DisableOperator { operator: jonas.operator, keys }).unwrap();
    assert!(world.works(old) && world.works(new), "the callers of neither notice");
    assert_eq!(world.key(old).owner, maria.operator);
    world.run(maria, &Command::RemoveLocation { location: at }).unwrap();
    assert!(!world.works(old) && !world.works(new));
}

/// What happens to the keys of one lineage; numbers stand for whichever keys there are.
#[derive(Clone, Debug)]
enum Step {
    Rotate(usize, u32, bool),
    Lose(usize),
    Again(usize),
    Cancel(usize),
    Longer(usize, u32),
    Use(usize),
    Pass(i64),
    Graces,
    Revoke(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let key = || any::<usize>();
    prop_oneof![
        6 => (key(), 1..170u32, any::<bool>()).prop_map(|(key, hours, first)| Step::Rotate(key, hours, first)),
        1 => key().prop_map(Step::Lose),
        2 => key().prop_map(Step::Again),
        3 => key().prop_map(Step::Cancel),
        2 => (key(), 1..100u32).prop_map(|(key, hours)| Step::Longer(key, hours)),
        4 => key().prop_map(Step::Use),
        4 => (0..3 * DAY_MS).prop_map(Step::Pass),
        2 => Just(Step::Graces),
        1 => key().prop_map(Step::Revoke),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// However a key is rotated: never a third secret works, never none unless somebody ended the key or its own time
    /// did, what was dead stays dead but for what a cancelled rotation brings back, no old half outlives its own end.
    #[test]
    fn no_sequence_of_rotations_leaves_three_secrets_or_none(
        life in prop::option::of(1..60i64),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let (mut world, maria) = World::founded();
        let end = life.map_or(Expiry::Never, |days| Expiry::At(later(days * DAY_MS)));
        world.issue(maria, NewKey { expiry: Some(end), ..agency_key("K") }).unwrap();
        let mut was_ended = false;
        for step in steps {
            let mut keys: Vec<KeyId> = world.state.keys().map(|key| key.id).collect();
            keys.sort_unstable();
            let pick = |n: usize| keys[n % keys.len()];
            let dead: Vec<KeyId> = keys.iter().copied().filter(|key| !world.works(*key)).collect();
            let is_cancelled = matches!(step, Step::Cancel(_));
            match step {
                Step::Rotate(key, hours, first) => {
                    let hours = format!("{}h", hours.min(168));
                    let rotation = if first { from_first_use(&hours) } else { for_a_grace(&hours) };
                    drop(world.rotate(maria, pick(key), &rotation));
                }
                Step::Lose(key) => drop(world.rotate(maria, pick(key), &for_a_grace("0"))),
                Step::Again(key) => drop(world.run(maria, &Command::RepeatRotation(pick(key)))),
                Step::Cancel(key) => drop(world.run(maria, &Command::CancelRotation(pick(key)))),
                Step::Longer(key, hours) => {
                    let by = grace(&format!("{hours}h"));
                    drop(world.run(maria, &Command::LengthenGrace { key: pick(key), by }));
                }
                Step::Use(key) if world.works(pick(key)) => world.is_used(pick(key)),
                Step::Use(_) => {}
                Step::Pass(ms) => world.now = Timestamp(world.now.0 + ms),
                Step::Graces => drop(world.start_graces()),
                Step::Revoke(key) => {
                    let key = pick(key);
                    // To end the old half leaves the new one; to end the new one is to end the key.
                    let ends_all = world.state.old_half(world.key(key), world.now).is_some()
                        || world.key(key).state(world.now) == KeyState::Active;
                    was_ended |= world.run(maria, &Command::revoke(key)).is_ok() && ends_all;
                }
            }
            let working = world.state.keys().filter(|key| world.works(key.id)).count();
            prop_assert!(working <= 2, "{working} secrets work");
            prop_assert!(working >= 1 || was_ended || end.is_over(world.now), "no secret works");
            prop_assert!(world.state.live_keys_of(maria.operator, world.now) <= 1);
            for key in dead {
                prop_assert!(!world.works(key) || is_cancelled, "{} came back to life", key);
            }
            for key in world.state.keys() {
                prop_assert!(key.superseded.as_ref().is_none_or(|how| how.expiry == end));
                prop_assert!(!end.is_over(world.now) || !world.works(key.id), "{} outlives its end", key.id);
            }
        }
    }
}

#[test]
fn what_a_rotation_ends_is_told_as_replaced() {
    let (mut world, maria) = World::founded();
    let replaced = |world: &World, key| world.key(key).motive.as_deref() == Some(&Motive::replaced());
    let (old, new) = world.rotated(maria);
    let other = world.clone().run(maria, &Command::RepeatRotation(new)).unwrap();
    let said: Vec<_> =
        other.iter().flat_map(Event::changes).filter(|change| change.field == "reason").collect();
    assert_eq!(said.iter().map(|change| change.to.as_str()).collect::<Vec<_>>(), ["replaced"]);
    let mut cancelled = world.clone();
    cancelled.run(maria, &Command::CancelRotation(new)).unwrap();
    assert!(replaced(&cancelled, new) && cancelled.key(old).motive.is_none());
    // The grace is over.
    world.now = later(DAY_MS);
    world.run_with(SERVICE, &Pass::Ended.command(), &[], None).unwrap();
    assert!(replaced(&world, old) && world.key(new).motive.is_none());
    let newest = world.rotate(maria, new, &for_a_grace("0")).unwrap();
    assert!(replaced(&world, new) && world.key(newest).motive.is_none(), "a lost one");
}
