//! Decoys: nothing that is asked makes one open anything, what only changes how it looks is done, and who presents it is told of.

use super::*;
use crate::domain::command::NoticeRef;
use crate::domain::filter::keys::KeyFilter;
use crate::domain::handover::Way;
use crate::domain::lifecycle::NoticeKind;
use crate::domain::notice::{What, of_key};
use crate::domain::review::{Breadth, Reviewer, review};
use crate::domain::trace::Sighting;
use crate::domain::verdict::{judge, refused};

impl World {
    fn lay(&mut self, actor: Actor, called: &str) -> KeyId {
        self.issue(actor, NewKey { decoy: true, ..agency_key(called) }).unwrap()
    }

    fn knock_at(&mut self, key: KeyId, at: Timestamp) {
        let mut trace = Trace::default();
        trace.note_presented(Sighting { at, address: None, agent: None });
        self.state.note_trace(*key.public(), &trace);
    }

    /// When a sweep told that it was presented, if it tells that now.
    fn rings(&mut self) -> Vec<KeyId> {
        match self.run_with(SERVER, &Command::GiveNotices, &[], None) {
            Ok(events) => events
                .iter()
                .filter_map(|event| match event {
                    Event::NoticeGiven(key, _, Told::Presented { .. }) => Some(key.id),
                    _ => None,
                })
                .collect(),
            Err(_) => Vec::new(),
        }
    }
}

/// What becomes of a command about a decoy: the code of the refusal, or nothing where it is done.
type Expected = Option<&'static str>;

#[test]
fn what_changes_how_it_looks_is_done_and_what_gives_or_takes_access_is_refused() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Manager);
    let rotation = |grace| Rotation { id: None, grace, counted: Counted::FromNow, expiry: None };
    let (hour, why) = (Grace::DEFAULT, Note::new("the yearly report needs it").unwrap());
    let looks = |key: &Key| KeyEdit {
        name: name("Old export"),
        note: Note::new("kept in the wiki").unwrap(),
        expiry: Expiry::At(day(900)),
        ..KeyEdit::of(key)
    };
    let decoy = world.lay(maria, "Export");
    let change = looks(world.key(decoy));
    let notice = NoticeRef { key: decoy, kind: NoticeKind::Presented, since: NOW };
    let rescoped = vec![scope("contacts.write")];
    let table: [(Command, Expected); 22] = [
        (Command::PauseKey(decoy, None), Some("decoy")),
        (Command::PauseKey(decoy, Some(hour)), Some("decoy")),
        (Command::ResumeKey(decoy), Some("decoy")),
        (Command::KeepKey(decoy), Some("decoy")),
        (Command::ProtectKey { key: decoy, why: why.clone() }, Some("decoy")),
        (Command::UnprotectKey(decoy), Some("no_change")),
        (Command::RotateKey { key: decoy, rotation: rotation(Grace::DEFAULT) }, Some("decoy")),
        (Command::RotateKey { key: decoy, rotation: rotation(Grace::NONE) }, Some("decoy")),
        (Command::RepeatRotation(decoy), Some("not_rotated")),
        (Command::CancelRotation(decoy), Some("not_rotated")),
        (Command::LengthenGrace { key: decoy, by: hour }, Some("not_rotated")),
        (Command::RestoreKey(decoy), Some("wrong_state")),
        (Command::AckNotice(notice), None),
        (Command::RescopeKey { key: decoy, scopes: rescoped, basis: None }, None),
        (Command::EditKey { key: decoy, change, basis: None }, None),
        (Command::HandOver { key: decoy, way: Way::File }, None),
        (Command::LockDown { what: Extent::Owner(maria.operator), why: Note::default() }, None),
        (Command::LiftLockdown { what: Extent::Owner(maria.operator), basis: None }, None),
        (Command::TransferKey { key: decoy, to: jonas.operator }, None),
        (Command::RevokeKey(decoy, Motive::default()), None),
        (Command::DeleteKey(decoy), None),
        (Command::RestoreKey(decoy), None),
    ];
    for (command, expected) in table {
        world.now = Timestamp(world.now.0 + 1);
        world.knock_at(decoy, world.now);
        let actor = Actor { access: Access::Agency, ..maria };
        let seen = of_key(&world.state, world.key(decoy), world.grounds());
        let command = match command {
            Command::AckNotice(notice) => {
                Command::AckNotice(NoticeRef { since: seen.first().unwrap().since, ..notice })
            }
            command => command,
        };
        let said = world.run(actor, &command).err().map(|refusal| refusal.code());
        assert_eq!(said, expected, "{command:?}");
        let key = world.key(decoy);
        assert!(key.is_decoy(), "{command:?}");
        let closed = verdict::closed(&world.state, key);
        let expected = match key.status {
            Status::Active => Reason::Decoy,
            Status::Revoked(_) => Reason::Revoked,
            _ => Reason::Tombstoned,
        };
        assert_eq!(closed, Some(expected), "{command:?}");
        for at in [Timestamp(0), world.now, day(899), day(40_000), Timestamp(i64::MAX)] {
            assert!(refused(&world.state, key, at).is_some(), "{command:?} at {at}");
            for wanted in [&[][..], &["contacts.read".parse().unwrap()]] {
                let answer = judge(Bearer::Key(decoy), closed, key.expiry, &key.scopes, wanted, at);
                assert!(!answer.is_allow(), "{command:?} at {at}");
            }
        }
    }
}

#[test]
fn a_decoy_opens_nothing_whatever_becomes_of_whom_and_what_it_belongs_to_and_rings_all_the_same() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Manager);
    world.rule(maria, "issue-agency", "manager");
    let north = world.location(maria, "North");
    let lay = |new| NewKey { decoy: true, ..new };
    let decoys = [
        world.issue(jonas, lay(agency_key("A"))).unwrap(),
        world.issue(jonas, lay(location_key("B", north))).unwrap(),
    ];
    let (stop, work) = (KeysAfter::Stop, KeysAfter::Work);
    for command in [
        Command::RemoveLocation { location: north },
        Command::LockDown { what: Extent::Agency, why: Note::default() },
        Command::DisableOperator { operator: jonas.operator, keys: stop },
        Command::EnableOperator(jonas.operator),
        Command::DisableOperator { operator: jonas.operator, keys: work },
        Command::LiftLockdown { what: Extent::Agency, basis: None },
    ] {
        world.run(maria, &command).unwrap();
        for key in decoys {
            let said = refused(&world.state, world.key(key), world.now);
            assert_eq!(said, Some(Reason::Decoy), "{command:?}");
        }
    }
}

#[test]
fn no_rule_of_the_policy_ends_a_decoy_and_it_counts_as_a_key_of_its_owner() {
    let (mut world, maria) = World::founded();
    for (rule, value) in [("max-life", "30"), ("default-life-agency", "20"), ("keys-per-operator", "2")] {
        world
            .run(maria, &Command::SetPolicy { name: rule.into(), value: value.into(), basis: None })
            .unwrap();
    }
    let decoy = world.lay(maria, "Export");
    assert_eq!(world.key(decoy).expiry, Expiry::Never);
    let ends = NewKey { decoy: true, expiry: Some(Expiry::At(day(900))), ..agency_key("Old export") };
    let ending = world.issue(maria, ends).unwrap();
    assert_eq!(world.issue(maria, agency_key("K")), Err(Refusal::QuotaReached { limit: 2 }));
    let past = NewKey { decoy: true, expiry: Some(Expiry::At(NOW)), ..agency_key("P") };
    world.run(maria, &Command::revoke(decoy)).unwrap();
    assert!(matches!(world.issue(maria, past), Err(Refusal::BadExpiry(_))));
    world.now = day(900);
    assert_eq!(refused(&world.state, world.key(ending), world.now), Some(Reason::Expired));
}

#[test]
fn nobody_uses_a_decoy_and_that_is_no_reason_to_end_it_or_to_speak_of_it() {
    let (mut world, maria) = World::founded();
    let (decoy, key) = (world.lay(maria, "Export"), world.issue(maria, agency_key("K")).unwrap());
    let whole = Actor { access: Access::Agency, ..maria };
    // Somebody else's key of that name.
    let jonas = world.operator(maria, "jonas", Role::Manager);
    world.rule(maria, "issue-agency", "manager");
    world.issue(jonas, agency_key("Export")).unwrap();
    for n in 1..400 {
        world.now = day(n);
        world.sweep();
    }
    assert_eq!(world.key(decoy).status, Status::Active);
    assert_ne!(world.key(key).status, Status::Active, "an ordinary one goes");
    let view = View::new(&world.state, whole);
    let catalog = Catalog::builtin();
    let rows = review(Reviewer { view, catalog, now: world.now }, Breadth::All);
    assert!(rows.iter().all(|row| row.who != Bearer::Key(decoy)), "{rows:?}");
    assert_eq!(view.idle_days(world.key(decoy), world.now), None);
    let finds = |line: &str| KeyFilter::parse(line).finds(world.key(decoy), view, world.now);
    for (line, expected) in [
        ("state:decoy", true),
        ("state:live", true),
        ("Export", true),
        ("state:active", false),
        ("used:never", false),
        ("idle>30d", false),
        ("idle<30d", false),
        ("state:idle", false),
        ("state:due", false),
        ("state:stopped", false),
    ] {
        assert_eq!(finds(line), expected, "{line}");
    }
    assert!(KeyFilter::parse("state:active").finds(world.key(key), view, NOW) || world.key(key).is_ended());
}

#[test]
fn who_presents_a_decoy_is_told_at_once_and_again_each_day_until_somebody_ends_it() {
    let (mut world, maria) = World::founded();
    let (decoy, other) = (world.lay(maria, "Export"), world.lay(maria, "Other"));
    let board = |world: &World, key| -> Vec<What> {
        of_key(&world.state, world.key(key), world.grounds()).iter().map(|notice| notice.what).collect()
    };
    assert!((world.rings().is_empty(), board(&world, decoy).is_empty()) == (true, true));
    world.now = day(3);
    world.knock_at(decoy, world.now);
    assert_eq!(board(&world, decoy), [What::Presented { decoy: true }]);
    assert_eq!((world.rings(), world.rings()), (vec![decoy], vec![]));
    // It goes on: once a day.
    let told: Vec<i64> = (0..72)
        .filter(|hour| {
            world.now = Timestamp(day(3).0 + hour * DAY_MS / 24);
            world.knock_at(decoy, world.now);
            world.rings() == [decoy]
        })
        .collect();
    assert_eq!(told, [24, 48]);
    assert!(board(&world, other).is_empty());
    // Long after the last it is no news.
    world.now = day(13);
    assert!(board(&world, decoy).is_empty());
    world.knock_at(decoy, world.now);
    world.run(maria, &Command::revoke(decoy)).unwrap();
    assert!(world.rings().is_empty() && board(&world, decoy).is_empty(), "whoever revoked it knows");
}

#[test]
fn that_it_ends_and_that_it_was_presented_are_told_in_one_sweep_and_neither_is_told_twice() {
    let (mut world, maria) = World::founded();
    let ends = NewKey { decoy: true, expiry: Some(Expiry::At(day(20))), ..agency_key("Ends") };
    let decoy = world.issue(maria, ends).unwrap();
    world.now = day(19);
    world.knock_at(decoy, world.now);
    world.sweep();
    let cycle = world.state.cycle(decoy).unwrap();
    assert_eq!((cycle.presented, cycle.ends.contains(&1)), (Some(day(19)), true), "{cycle:?}");
    assert_eq!(world.swept(), (vec![], 0));
}

#[test]
fn that_a_key_is_a_decoy_is_for_admins_and_its_owner() {
    let (mut world, maria) = World::founded();
    let (jonas, priya) =
        (world.operator(maria, "jonas", Role::Manager), world.operator(maria, "priya", Role::Manager));
    world.rule(maria, "issue-agency", "manager");
    let decoy = world.lay(jonas, "Export");
    let knows = |world: &World, who: Actor| View::new(&world.state, who).may_know_of(world.key(decoy));
    assert!(knows(&world, jonas) && knows(&world, maria) && !knows(&world, priya));
    for access in [Access::Recovery, Access::Service] {
        assert!(!knows(&world, Actor { access, ..maria }));
    }
    let to = priya.operator;
    world.run(Actor { access: Access::Agency, ..maria }, &Command::TransferKey { key: decoy, to }).unwrap();
    assert!(!knows(&world, jonas) && knows(&world, priya));
}
