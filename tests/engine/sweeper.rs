//! Sweeps that nobody asks for: they begin when a process stays, come again when something is due, end with it, and say when
//! they cannot be done. The sweeper's own pauses are as short as they can be; whether it is time is said by the clock of the
//! test.

#![expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]

use std::sync::{Arc, Barrier};
use std::time::Duration;

use keydeck::domain::audit::Entry;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{Command, Key, KeyId, Status, Timestamp};
use keydeck::engine::{Engine, Pace, Sweeper, Sweeping, Sweeps};
use keydeck::store::Fault;

use crate::support::wait::until;
use crate::sweeps::{House, START};
use crate::watched::Hook;

/// As quick as it can be.
const QUICK: Pace = {
    let soon = Duration::from_millis(1);
    Pace { first: soon, least: soon, again: soon, most: soon }
};
/// It sweeps once and then no more.
const ONCE: Pace =
    Pace { first: Duration::ZERO, least: Duration::MAX, again: Duration::MAX, most: Duration::MAX };

fn sweeper(house: &House, pace: Pace) -> Sweeper {
    house.open.engine.sweep_by_itself(pace)
}

fn sweeps(house: &House) -> Sweeps {
    house.open.engine.condition().sweeps
}

/// How many notices the key was given that still hold.
fn told(house: &House, key: KeyId) -> usize {
    house.open.engine.state().cycle(key).map_or(0, |cycle| cycle.idle.len())
}

fn status(house: &House, key: KeyId) -> Status {
    house.open.engine.state().key(key).map(|Key { status, .. }| *status).unwrap()
}

/// What the trail says was done that nobody asked for.
fn by_itself(house: &House) -> Vec<String> {
    let lines = house.open.engine.audit(&house.open.session, None, 1_000, None).unwrap().lines;
    let service = |entry: &Entry| entry.actor.auth == "service";
    lines.iter().filter(|line| service(&line.entry)).map(|line| line.entry.event.clone()).collect()
}

#[test]
fn while_a_process_stays_a_key_is_told_of_and_deleted_without_anybody_sweeping() {
    let house = House::founded();
    let (key, _) = house.issue("Webhook relay");
    assert_eq!(sweeps(&house), Sweeps::default());
    let sweeper = sweeper(&house, QUICK);
    until("the first sweep", || sweeps(&house).done == Some(START));
    for (days, notices) in [(75, 1), (8, 2), (6, 3)] {
        house.clock.pass(days * DAY_MS);
        until("the notice", || told(&house, key) == notices);
    }
    assert_eq!(status(&house, key), Status::Active);
    house.clock.pass(DAY_MS);
    until("its end", || matches!(status(&house, key), Status::Deleted(_)));
    drop(sweeper);
    assert_eq!(by_itself(&house), ["key.delete-unused", "notice.give", "notice.give", "notice.give"]);
    assert!(house.is_whole());
}

#[test]
fn nothing_holds_the_store_any_more_when_whoever_swept_has_ended() {
    let house = House::founded();
    let (began, done) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    // It is in the middle of a sweep when it is to end.
    let (first, second) = (Arc::clone(&began), Arc::clone(&done));
    let mut once = true;
    let hook: Hook = Box::new(move |_| {
        if std::mem::take(&mut once) {
            first.wait();
            second.wait();
        }
    });
    *house.store.before_commit.lock().unwrap() = Some(hook);
    let sweeper = sweeper(&house, QUICK);
    began.wait();
    std::thread::scope(|threads| {
        let ended = threads.spawn(|| drop(sweeper));
        done.wait();
        ended.join().unwrap();
    });
    assert_eq!(Arc::strong_count(&house.open.engine), 1);
    assert!(sweeps(&house).done.is_some(), "it came to its end first");
}

#[test]
fn whoever_sweeps_does_not_keep_a_store_open_that_others_have_let_go_of() {
    let house = House::founded();
    let sweeper = sweeper(&house, ONCE);
    until("the first sweep", || sweeps(&house).done.is_some());
    let engine = Arc::downgrade(&house.open.engine);
    let House { open, .. } = house;
    drop(open);
    until("nobody has it", || engine.upgrade().is_none());
    drop(sweeper);
}

#[test]
fn a_sweep_that_is_refused_or_fails_says_so_until_one_is_done() {
    let house = House::founded();
    let mut news = house.open.engine.subscribe();
    let sweeper = sweeper(&house, QUICK);
    until("the first sweep", || sweeps(&house).done == Some(START));
    assert!(news.try_recv().is_err(), "a sweep in which nothing was due is no news");
    let why_not = || sweeps(&house).why_not.unwrap_or_default();
    house.clock.set(Timestamp(START.0 + 4_000 * DAY_MS));
    until("it is refused", || why_not().contains("clock is in doubt"));
    assert_eq!(sweeps(&house).done, Some(START));
    until("whoever watches looks again", || news.try_recv().is_ok());
    house.clock.set(START);
    until("it is done again", || sweeps(&house).why_not.is_none());
    until("whoever watches looks again", || news.try_recv().is_ok());
    for _ in 0..3 {
        house.store.inner.fail_next(Fault::Unavailable);
        for what in ["that it failed is told", "that it is done again is told"] {
            until(what, || news.try_recv().is_ok());
        }
        assert_eq!(why_not(), "");
    }
    drop(sweeper);
    assert_eq!(by_itself(&house), Vec::<String>::new(), "what was refused to nobody is not in the trail");
}

#[test]
fn a_clock_that_is_said_to_be_right_has_what_is_due_done_at_once() {
    let house = House::founded();
    let (key, _) = house.issue("Webhook relay");
    house.clock.set(START.plus_days(75).unwrap());
    let patient = Pace { least: Duration::ZERO, ..ONCE };
    let sweeper = sweeper(&house, patient);
    until("it is refused", || sweeps(&house).why_not.is_some());
    house.open.engine.execute(&house.open.session, Command::ConfirmClock).unwrap();
    until("it is done", || told(&house, key) == 1);
    // So it is after any word that changes what is due.
    house.open.engine.execute(&house.open.session, Command::KeepKey(key)).unwrap();
    until("what was told is withdrawn", || told(&house, key) == 0);
    drop(sweeper);
}

#[test]
fn a_console_a_server_and_cron_that_sweep_at_once_tell_of_a_key_once() {
    let house = House::founded();
    let keys: Vec<KeyId> = (0..12).map(|n| house.issue(&format!("K{n}")).0).collect();
    let swept = [sweeper(&house, QUICK), sweeper(&house, QUICK)];
    for (days, notices) in [(75, 1), (8, 2), (6, 3)] {
        house.clock.pass(days * DAY_MS);
        let all = |n: usize| keys.iter().all(|key| told(&house, *key) == n);
        while !all(notices) {
            house.open.engine.sweep(&house.open.session, Sweeping::Do).unwrap();
        }
    }
    drop(swept);
    let page = house.open.engine.audit(&house.open.session, None, 1_000, None).unwrap();
    let given = page.lines.iter().filter(|line| line.entry.event == "notice.give");
    assert_eq!(given.map(|line| line.entry.subjects.len()).sum::<usize>(), 36);
    assert!(house.is_whole());
}

#[test]
fn a_sweep_every_minute_of_a_day_gives_one_notice_a_step() {
    let house = House::founded();
    let (key, _) = house.issue("Webhook relay");
    house.clock.pass(75 * DAY_MS - DAY_MS / 2);
    let mut said = Vec::new();
    for _ in 0..24 * 60 {
        house.clock.pass(60_000);
        said.extend(house.sweep());
    }
    assert_eq!(said, ["Webhook relay unused, 15"]);
    house.open.engine.execute(&house.open.session, Command::KeepKey(key)).unwrap();
    assert_eq!(house.sweep(), ["Webhook relay withdrawn"]);
}

#[test]
fn a_sweeper_that_means_to_sleep_long_wakes_for_a_pause_that_ends_sooner() {
    let house = House::founded();
    let (key, _) = house.issue("Webhook relay");
    let soon = Duration::from_millis(1);
    let _sweeper = sweeper(&house, Pace { first: soon, least: soon, again: soon, most: Duration::MAX });
    until("the first sweep", || sweeps(&house).done.is_some());
    // By when the pause is written, it is over: whoever hears of it need not wait for real minutes.
    let clock = house.clock.clone();
    let mut once = true;
    let hook: Hook = Box::new(move |_| {
        if std::mem::take(&mut once) {
            clock.pass(600_000);
        }
    });
    *house.store.before_commit.lock().unwrap() = Some(hook);
    house.does(Command::PauseKey(key, Some("5m".parse().unwrap()))).unwrap();
    until("it works again", || status(&house, key) == Status::Active);
    assert_eq!(by_itself(&house), ["key.resume-due"]);
}
