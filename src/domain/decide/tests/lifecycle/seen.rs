//! Notices that somebody has seen: put away until their next step, shown again when they were put off, void with what they
//! told of.

use super::*;
use crate::domain::View;
use crate::domain::command::NoticeRef;
use crate::domain::lifecycle::NoticeKind;
use crate::domain::notice::{Notice, What, board, of_key};
use crate::domain::trace::{Sighting, Trace};
use crate::domain::{Motive, Note, Why};

impl World {
    fn notices(&self, key: KeyId) -> Vec<Notice> {
        of_key(&self.state, self.key(key), self.grounds())
    }

    /// The one notice there is of a key.
    fn notice(&self, key: KeyId) -> Notice {
        let all = self.notices(key);
        assert_eq!(all.len(), 1, "{all:?}");
        all[0]
    }

    fn noticed(&self, key: KeyId) -> NoticeRef {
        let notice = self.notice(key);
        NoticeRef { key, kind: notice.what.kind().unwrap(), since: notice.since }
    }

    fn acknowledge(&mut self, actor: Actor, key: KeyId) -> Result<Vec<Event>, Refusal> {
        let notice = self.noticed(key);
        self.run(actor, &Command::AckNotice(notice))
    }

    fn is_seen(&self, key: KeyId) -> bool {
        self.notice(key).seen.is_some()
    }
}

#[test]
fn a_notice_put_away_comes_back_with_its_next_step_and_not_before() {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    world.sweep_on([75]);
    let events = world.acknowledge(maria, key).unwrap();
    assert_eq!(events.len(), 1);
    assert!(world.key(key).counted_from.is_none(), "the key is as it was");
    for n in 75..83 {
        world.sweep_on([n]);
        assert!(world.is_seen(key), "day {n}");
    }
    assert_eq!(world.sweep_on([83]), [(83, Did::Idle(key, 7))], "it goes on as was told");
    assert!(!world.is_seen(key));
    world.acknowledge(maria, key).unwrap();
    assert!(world.is_seen(key));
    assert_eq!(world.sweep_on(84..=90), [(89, Did::Idle(key, 1)), (90, Did::Deleted(key))]);
    assert_eq!(world.notice(key).what, What::Deleted);
    assert!(!world.is_seen(key), "that it was deleted nobody has seen");
    world.acknowledge(maria, key).unwrap();
    assert!(world.is_seen(key));
}

#[test]
fn who_presents_a_deleted_key_stands_on_the_board_until_that_was_seen_and_anew_after_a_week() {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    world.run(maria, &Command::DeleteKey(key)).unwrap();
    assert!(world.notices(key).is_empty(), "somebody deleted it by hand, and knows");
    let knock = |world: &mut World, at: Timestamp| {
        let mut trace = Trace::default();
        trace.note_presented(Sighting { at, address: None, agent: None });
        world.state.note_trace(*key.public(), &trace);
    };
    world.now = day(3);
    // By a clock that was ahead nobody knows when it was.
    knock(&mut world, day(300));
    assert!(world.notices(key).is_empty());
    knock(&mut world, day(3));
    assert_eq!((world.notice(key).what, world.notice(key).when), (What::Presented { decoy: false }, day(3)));
    world.acknowledge(maria, key).unwrap();
    assert!(world.is_seen(key));
    for n in 3..30 {
        knock(&mut world, day(n));
        assert_eq!(world.sweep_on([n]), []);
        let told = world.state.cycle(key).unwrap().presented;
        assert_eq!(told, Some(day(n - (n - 3) % 7)), "day {n}: once a week, as long as it goes on");
        assert_eq!(world.is_seen(key), n < 10, "day {n}: a week later it is news");
    }
    // Who presented it before it was deleted anew does so no more.
    world.now = Timestamp(day(29).0 + 1);
    world.run(maria, &Command::RestoreKey(key)).unwrap();
    world.run(maria, &Command::DeleteKey(key)).unwrap();
    world.now = day(30);
    assert!(world.notices(key).is_empty());
    knock(&mut world, day(30));
    assert_eq!(world.notice(key).what, What::Presented { decoy: false });
    assert_eq!(world.sweep_on([30]), []);
    assert_eq!(world.state.cycle(key).unwrap().presented, Some(day(30)), "nor was that told");
    assert_eq!(world.sweep_on([60]), [(60, Did::Purged(key))]);
    assert!(world.notices(key).is_empty());
}

#[test]
fn a_record_that_is_back_is_told_for_a_week_unless_it_was_revoked_for_a_reason() {
    let (mut world, maria) = World::founded();
    let keys = world.keys(maria, 2);
    let leaked = Motive { why: Why::Leaked, because: Note::default() };
    world.run(maria, &Command::RevokeKey(keys[1], leaked.clone())).unwrap();
    for key in &keys {
        world.run(maria, &Command::DeleteKey(*key)).unwrap();
        world.run(maria, &Command::RestoreKey(*key)).unwrap();
    }
    assert_eq!(world.key(keys[1]).motive.as_deref(), Some(&leaked));
    assert!(world.notices(keys[1]).is_empty());
    assert_eq!(world.notice(keys[0]).what, What::Restored);
    world.acknowledge(maria, keys[0]).unwrap();
    assert!(world.is_seen(keys[0]));
    world.now = day(8);
    assert!(world.notices(keys[0]).is_empty());
}

#[test]
fn a_notice_put_off_comes_back_when_its_time_has_come() {
    let (mut world, maria) = World::founded();
    let key = world.ending(maria, "Ends", 30);
    world.now = day(23);
    let (notice, until) = (world.noticed(key), day(26));
    world.run(maria, &Command::SnoozeNotice { notice, until }).unwrap();
    world.now = just_before(day(26));
    assert_eq!(world.notice(key).seen.unwrap().until, Some(day(26)));
    world.now = day(26);
    assert!(!world.is_seen(key));
    // Put off beyond its next step, it is shown at that.
    let notice = world.noticed(key);
    world.run(maria, &Command::SnoozeNotice { notice, until: day(40) }).unwrap();
    assert!(world.is_seen(key));
    for (n, what) in [(29, What::Ends), (30, What::Ended)] {
        world.now = day(n);
        assert_eq!((world.notice(key).what, world.is_seen(key)), (what, false), "day {n}");
    }
    let past = Command::SnoozeNotice { notice: world.noticed(key), until: day(30) };
    assert!(matches!(world.run(maria, &past), Err(Refusal::BadExpiry(_))));
}

#[test]
fn what_somebody_has_seen_of_an_older_step_does_not_put_the_newer_one_away() {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    world.sweep_on([75]);
    let seen = world.noticed(key);
    world.sweep_on([83]);
    let late = world.run(maria, &Command::AckNotice(seen));
    assert!(matches!(late, Err(Refusal::ChangedMeanwhile { .. })), "{late:?}");
    assert!(!world.is_seen(key));
}

#[test]
fn what_was_seen_is_void_with_what_it_told_of() {
    let (mut world, maria) = World::founded();
    let key = world.keys(maria, 1)[0];
    world.sweep_on([75]);
    world.acknowledge(maria, key).unwrap();
    world.now = day(80);
    world.use_key(key);
    assert_eq!(world.notices(key), []);
    assert_eq!(world.sweep_on([80, 80 + 75]), [(80 + 75, Did::Idle(key, 15))]);
    assert!(!world.is_seen(key), "it is told anew");
    assert_eq!(world.state.cycle(key).unwrap().seen, []);
    world.rule(maria, "idle-days", "off");
    let ends = world.ending(maria, "Ends", 200);
    world.now = day(194);
    world.acknowledge(maria, ends).unwrap();
    let extend = world.edit(ends, Expiry::At(day(300)), None);
    world.run(maria, &extend).unwrap();
    world.sweep();
    assert!(world.state.cycle(ends).is_none(), "nothing is left of it");
    world.now = day(294);
    assert!(!world.is_seen(ends));
}

#[test]
fn an_end_that_is_put_nearer_is_shown_to_who_had_put_its_notice_away() {
    let (mut world, maria) = World::founded();
    let key = world.ending(maria, "Short", 6);
    world.sweep();
    world.acknowledge(maria, key).unwrap();
    assert!(world.is_seen(key));
    let sooner = world.edit(key, Expiry::At(Timestamp(world.now.0 + DAY_MS / 2)), None);
    world.run(maria, &sooner).unwrap();
    assert!(!world.is_seen(key));
    world.sweep();
    assert!(!world.is_seen(key), "the day before is a step that nobody has seen");
    world.acknowledge(maria, key).unwrap();
    world.sweep();
    assert!(world.is_seen(key));
}

#[test]
fn who_is_given_a_key_is_shown_what_its_owner_before_had_seen() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Admin);
    let key = world.keys(maria, 1)[0];
    world.sweep_on([75, 83, 89]);
    world.acknowledge(maria, key).unwrap();
    world.run(maria, &Command::TransferKey { key, to: jonas.operator }).unwrap();
    assert!(!world.is_seen(key), "it goes within the day");
    world.acknowledge(jonas, key).unwrap();
    world
        .run(
            maria,
            &Command::DisableOperator { operator: jonas.operator, keys: KeysAfter::GiveTo(maria.operator) },
        )
        .unwrap();
    assert!(!world.is_seen(key));
}

#[test]
fn who_may_not_change_a_key_puts_no_notice_of_it_away_and_nobody_what_was_not_told() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Manager);
    let sam = world.operator(maria, "sam", Role::Viewer);
    let key = world.ending(maria, "Ends", 5);
    assert_eq!(world.acknowledge(jonas, key).unwrap_err(), Refusal::NoSuchKey);
    assert_eq!(world.acknowledge(sam, key).unwrap_err(), Refusal::NoSuchKey);
    let idle = world.keys(maria, 1)[0];
    world.now = day(76);
    let notice = NoticeRef { key: idle, kind: NoticeKind::Deletion, since: world.now };
    let untold = world.run(maria, &Command::AckNotice(notice));
    assert!(matches!(untold, Err(Refusal::NoChange(why)) if why.contains("was given yet")), "{untold:?}");
    let none = NoticeRef { kind: NoticeKind::Ends, ..notice };
    assert!(matches!(world.run(maria, &Command::AckNotice(none)), Err(Refusal::NoChange(_))));
    world.sweep();
    world.acknowledge(maria, idle).unwrap();
    assert!(matches!(world.acknowledge(maria, idle), Err(Refusal::NoChange(_))), "once is enough");
}

#[test]
fn the_board_names_who_has_left_with_keys_that_work_once_for_all_of_them() {
    let (mut world, maria) = World::founded();
    let jonas = world.operator(maria, "jonas", Role::Admin);
    world.keys(jonas, 3);
    let whole = Actor { access: Access::Agency, ..maria };
    let gone = |world: &World, who: Actor| {
        let all = board(View::new(&world.state, who), world.grounds(), &[]);
        all.into_iter().filter(|notice| matches!(notice.what, What::OwnerGone(..))).collect::<Vec<_>>()
    };
    assert_eq!(gone(&world, whole), []);
    let leave = |keys| Command::DisableOperator { operator: jonas.operator, keys };
    world.run(maria, &leave(KeysAfter::Work)).unwrap();
    assert_eq!(
        gone(&world, whole).iter().map(|n| n.what).collect::<Vec<_>>(),
        [What::OwnerGone(jonas.operator, 3)]
    );
    assert_eq!(gone(&world, maria), [], "of keys one does not see nothing is told");
    world.run(maria, &Command::EnableOperator(jonas.operator)).unwrap();
    world.run(maria, &leave(KeysAfter::Stop)).unwrap();
    assert_eq!(gone(&world, whole), [], "none of them works");
}

#[test]
fn of_a_key_that_ends_before_it_would_be_deleted_no_deletion_is_told() {
    let (mut world, maria) = World::founded();
    let key = world.ending(maria, "Short", 80);
    world.sweep_on([75]);
    assert_eq!(world.state.cycle(key).unwrap().idle.len(), 1, "a sweep notes it all the same");
    assert_eq!((world.notice(key).what, world.deletes_at(key)), (What::Ends, None));
    let later = world.edit(key, Expiry::At(day(200)), None);
    world.run(maria, &later).unwrap();
    assert_eq!(world.notice(key).what, What::Deletion { told: 1 });
    assert_eq!(world.deletes_at(key), Some((day(90), true)));
}
