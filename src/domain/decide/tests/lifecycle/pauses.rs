//! A pause that ends by itself: by a sweep and by nothing else, and only where somebody would have been let to end it.

use super::*;
use crate::domain::audit::{ActorLine, Entry, Outcome, SubjectLine, TriesLine};
use crate::domain::knock::knocked;

const HOUR: i64 = 3_600_000;

fn hours(n: i64) -> Timestamp {
    Timestamp(NOW.0 + n * HOUR)
}

fn an_hour() -> Grace {
    "1h".parse().unwrap()
}

impl World {
    fn paused(&mut self, owner: Actor, time: Option<Grace>) -> KeyId {
        let key = self.issue(owner, agency_key("Nightly")).unwrap();
        self.run(owner, &Command::PauseKey(key, time)).unwrap();
        key
    }

    fn refused(&self, key: KeyId) -> Option<Reason> {
        verdict::refused(&self.state, self.key(key), self.now)
    }
}

#[test]
fn a_key_paused_for_an_hour_works_again_after_the_sweep_that_follows_and_not_before() {
    let (mut world, maria) = World::founded();
    let key = world.paused(maria, Some(an_hour()));
    assert_eq!((world.key(key).resumes_at(), world.next()), (Some(hours(1)), Some(hours(1))));
    world.now = just_before(hours(1));
    assert_eq!(world.sweep(), []);
    world.now = hours(30);
    assert_eq!(world.refused(key), Some(Reason::Disabled), "a clock resumes nothing");
    assert_eq!(world.sweep(), [Did::Resumed(key)]);
    assert_eq!((world.refused(key), world.sweep()), (None, vec![]));
    let now = world.key(key);
    assert_eq!((now.pause_ends, now.counted_from), (None, Some(hours(30))));
}

#[test]
fn no_pause_ends_by_a_clock_that_is_in_doubt_nor_while_uses_are_not_written() {
    let (mut world, maria) = World::founded();
    let key = world.paused(maria, Some(an_hour()));
    world.now = hours(24 * 400);
    world.doubted = true;
    assert_eq!(world.sweep(), []);
    let lasting = world.issue(maria, agency_key("Other")).unwrap();
    let timed = Command::PauseKey(lasting, Some(an_hour()));
    assert_eq!(world.run(maria, &timed), Err(Refusal::ClockSuspect));
    assert!(world.run(maria, &Command::PauseKey(lasting, None)).is_ok(), "to stop is always possible");
    world.doubted = false;
    world.complete_since = None;
    assert_eq!((world.sweep(), world.refused(key)), (vec![], Some(Reason::Disabled)));
}

#[test]
fn what_was_paused_for_good_or_ended_meanwhile_stays_so() {
    let (mut world, maria) = World::founded();
    let key = world.paused(maria, Some(an_hour()));
    world.run(maria, &Command::PauseKey(key, None)).unwrap();
    let again = world.run(maria, &Command::PauseKey(key, Some(an_hour())));
    assert!(matches!(again, Err(Refusal::WrongState { .. })), "that would give access back: {again:?}");
    let revoked = world.issue(maria, agency_key("Revoked")).unwrap();
    world.run(maria, &Command::PauseKey(revoked, Some(an_hour()))).unwrap();
    world.run(maria, &Command::revoke(revoked)).unwrap();
    let ending = NewKey { expiry: Some(Expiry::At(hours(1))), ..agency_key("Ending") };
    let ending = world.issue(maria, ending).unwrap();
    world.run(maria, &Command::PauseKey(ending, Some(an_hour()))).unwrap();
    let resumed = world.issue(maria, agency_key("Resumed")).unwrap();
    world.run(maria, &Command::PauseKey(resumed, Some(an_hour()))).unwrap();
    world.run(maria, &Command::ResumeKey(resumed)).unwrap();
    world.now = hours(2);
    assert!(!world.sweep().iter().any(|did| matches!(did, Did::Resumed(_))));
    let states = [key, revoked, ending, resumed].map(|key| world.key(key).state(world.now));
    let expected = [KeyState::Paused, KeyState::Revoked, KeyState::Expired, KeyState::Active];
    assert_eq!(states, expected);
}

#[test]
fn both_halves_of_a_rotation_are_stopped_for_as_long_and_a_pause_can_be_made_another() {
    let (mut world, maria) = World::founded();
    let old = world.issue(maria, agency_key("Nightly")).unwrap();
    let rotation =
        Rotation { id: None, grace: "24h".parse().unwrap(), counted: Counted::FromNow, expiry: None };
    let events = world.run(maria, &Command::RotateKey { key: old, rotation }).unwrap();
    let new = events.iter().find_map(Event::key).unwrap().id;
    world.run(maria, &Command::PauseKey(new, Some(an_hour()))).unwrap();
    world.now = hours(1);
    world.run(maria, &Command::PauseKey(new, Some(an_hour()))).unwrap();
    let halves = [old, new].map(|half| (world.key(half).status, world.key(half).resumes_at()));
    assert_eq!(halves, [(Status::Paused(NOW), Some(hours(2))); 2], "it was stopped all the while");
    world.now = hours(2);
    let mut both = [Did::Resumed(old), Did::Resumed(new)];
    both.sort_unstable();
    assert_eq!(world.sweep(), both);
    for bad in ["0", "7d"] {
        let time = Some(bad.parse::<Grace>().unwrap());
        assert_eq!(world.run(maria, &Command::PauseKey(new, time)).is_ok(), bad == "7d", "{bad}");
    }
}

#[test]
fn who_knocked_while_a_key_was_paused_is_told_by_caller_the_last_first() {
    let (mut world, maria) = World::founded();
    let key = world.paused(maria, Some(an_hour()));
    let denied = |at: i64, reason: Reason, address: &str, n: u64| {
        let tries = TriesLine {
            n,
            first: NOW.0 + at,
            last: NOW.0 + at + 5,
            address: Some(address.into()),
            agent: Some("curl/8.5".into()),
            scope: None,
            tokens: Vec::new(),
        };
        let subject =
            SubjectLine { kind: "key".into(), id: key.to_string(), name: "Nightly".into(), owner: None };
        Entry {
            outcome: Outcome::Refused,
            reason: Some(reason.code().into()),
            subjects: vec![subject],
            tries: Some(tries),
            ..Entry::of(ActorLine::of("keydeck", ""), Timestamp(NOW.0 + at), Entry::DENIED)
        }
    };
    let entries = [
        denied(300, Reason::Disabled, "10.0.0.7", 2),
        denied(200, Reason::Disabled, "10.0.0.9", 1),
        denied(150, Reason::Scope, "10.0.0.8", 9),
        denied(100, Reason::Disabled, "10.0.0.7", 40),
        denied(-1, Reason::Disabled, "10.0.0.6", 7),
    ];
    let told = |world: &World, entries: &[Entry], after: i64| {
        let knocked = knocked(world.key(key), entries.iter(), Timestamp(NOW.0 + after))?;
        let of = knocked.by.iter();
        let of = of.map(|knock| (knock.whence(), knock.count, knock.first.0 - NOW.0, knock.last.0 - NOW.0));
        Some((knocked.ended.map(|at| at.0 - NOW.0), of.collect::<Vec<_>>()))
    };
    let by = |address: &str| format!("{address} by curl/8.5");
    let all = vec![(by("10.0.0.7"), 42, 100, 305), (by("10.0.0.9"), 1, 200, 205)];
    assert_eq!(told(&world, &entries, 400), Some((None, all.clone())));
    world.run(maria, &Command::ResumeKey(key)).unwrap();
    assert_eq!(told(&world, &entries, 400), None, "nothing says when it was paused");
    let done = |kind: CommandKind, at: i64| {
        let entry = Entry::of(ActorLine::of("maria", "admin"), Timestamp(NOW.0 + at), kind.spec().code);
        Entry { subjects: entries[0].subjects.clone(), ..entry }
    };
    let (resumed, paused) = (done(CommandKind::ResumeDue, 302), done(CommandKind::PauseKey, 10));
    let [last, others @ .., before] = &entries;
    // The last minute is written down when the key works again.
    let mut trail = vec![last.clone(), resumed];
    trail.extend(others.iter().cloned());
    trail.extend([paused, before.clone(), done(CommandKind::ResumeKey, -5)]);
    assert_eq!(told(&world, &trail, 400), Some((Some(302), all)));
    assert_eq!(told(&world, &trail, 303 + Grace::MAX.ms()), None, "that was long ago");
}
