//! Many keys at once: each is judged as if it came alone.

use super::*;
use crate::domain::command::{KeyEdit, Stands, Together};

/// All kinds that stand together, as one would ask for them; `None` of those that do not.
fn asked(kind: CommandKind, key: &Key) -> Option<Command> {
    if kind.spec().stands == Stands::Alone {
        return None;
    }
    let id = key.id;
    let expiry = Expiry::At(Timestamp(NOW.0 + 90 * DAY_MS));
    let all = [
        Command::PauseKey(id, None),
        Command::ResumeKey(id),
        Command::revoke(id),
        Command::DeleteKey(id),
        Command::RestoreKey(id),
        Command::RescopeKey { key: id, scopes: vec![scope("contacts.write")], basis: None },
        Command::EditKey { key: id, change: KeyEdit { expiry, ..KeyEdit::of(key) }, basis: None },
        Command::KeepKey(id),
        Command::ProtectKey { key: id, why: Note::new("needed").unwrap() },
        Command::UnprotectKey(id),
    ];
    Some(all.into_iter().find(|command| command.kind() == kind).unwrap_or_else(|| panic!("no {kind:?}")))
}

/// Three keys, of which the first two can be asked for it and the last one was revoked.
fn three(kind: CommandKind) -> (World, Actor, [KeyId; 3]) {
    let (mut world, maria) = World::founded();
    let keys = ["A", "B", "C"].map(|called| world.issue(maria, agency_key(called)).unwrap());
    for key in &keys[..2] {
        match kind {
            CommandKind::ResumeKey => drop(world.run(maria, &Command::PauseKey(*key, None)).unwrap()),
            CommandKind::UnprotectKey => {
                let why = Note::new("once").unwrap();
                world.run(maria, &Command::ProtectKey { key: *key, why }).unwrap();
            }
            CommandKind::RestoreKey => drop(world.run(maria, &Command::DeleteKey(*key)).unwrap()),
            _ => {}
        }
    }
    // What lives is not restored.
    if kind != CommandKind::RestoreKey {
        world.run(maria, &Command::DeleteKey(keys[2])).unwrap();
    }
    (world, maria, keys)
}

#[test]
fn whatever_stands_together_comes_to_the_same_as_one_after_the_other_and_leaves_out_what_is_refused() {
    let mut kinds = 0;
    for kind in CommandKind::ALL.iter().copied() {
        let (mut world, maria, keys) = three(kind);
        let commands: Vec<_> = keys.iter().filter_map(|key| asked(kind, world.key(*key))).collect();
        if commands.is_empty() {
            continue;
        }
        kinds += 1;
        let mut alone = world.clone();
        let judged: Vec<_> = commands.iter().map(|command| alone.run(maria, command)).collect();
        assert!(judged[0].is_ok() && judged[1].is_ok() && judged[2].is_err(), "{kind:?}: {judged:?}");
        let events = world.run(maria, &Command::Each(Together::of(commands).unwrap())).unwrap();
        assert_eq!(events, judged.into_iter().flatten().flatten().collect::<Vec<_>>(), "{kind:?}");
        for key in keys {
            assert_eq!(world.key(key), alone.key(key), "{kind:?}");
        }
    }
    assert_eq!(kinds, 10);
}

#[test]
fn many_of_which_none_may_be_done_are_refused_as_the_first_is() {
    let (mut world, maria, keys) = three(CommandKind::ResumeKey);
    let vera = world.operator(maria, "vera", Role::Viewer);
    let together = || Together::of(keys.map(Command::ResumeKey).to_vec()).unwrap();
    assert_eq!(world.run(vera, &Command::Each(together())), Err(Refusal::NoSuchKey));
    for key in &keys[..2] {
        world.run(maria, &Command::ResumeKey(*key)).unwrap();
    }
    let told = world.run(maria, &Command::Each(together()));
    assert!(matches!(told, Err(Refusal::WrongState { state: KeyState::Active, .. })), "{told:?}");
}

#[test]
fn of_many_nothing_but_the_end_can_be_changed_so_that_no_two_get_one_name() {
    let (mut world, maria, keys) = three(CommandKind::EditKey);
    let same_name = |key: KeyId, world: &World| {
        let change = KeyEdit { name: name("One"), ..KeyEdit::of(world.key(key)) };
        Command::EditKey { key, change, basis: None }
    };
    let all = keys[..2].iter().map(|key| same_name(*key, &world)).collect();
    let told = world.run(maria, &Command::Each(Together::of(all).unwrap()));
    assert_eq!(told, Err(Refusal::OneByOne));
    assert!(world.run(maria, &same_name(keys[0], &world.clone())).is_ok());
}

#[test]
fn the_old_half_of_a_rotation_ends_with_its_key_also_among_many() {
    let (mut world, maria, keys) = three(CommandKind::RevokeKey);
    let rotation = Rotation { id: None, grace: Grace::DEFAULT, counted: Counted::FromNow, expiry: None };
    world.run(maria, &Command::RotateKey { key: keys[0], rotation }).unwrap();
    let new = world.state.keys().find(|key| key.succeeds == Some(keys[0])).unwrap().id;
    let all = vec![Command::revoke(new), Command::revoke(keys[0]), Command::revoke(keys[1])];
    world.run(maria, &Command::Each(Together::of(all).unwrap())).unwrap();
    for key in [new, keys[0], keys[1]] {
        assert_eq!(world.key(key).state(NOW), KeyState::Revoked);
    }
}
