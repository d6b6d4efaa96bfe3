//! Many keys ended at once on a disk that takes nothing: all are refused, one note keeps a part of them, and each is told once
//! when the disk is well again, by this process or the next.

use super::*;
use crate::domain::View;
use crate::domain::command::Together;
use crate::domain::undo::Undo;
use crate::engine::{Done, Integrity, Left, Many, Stays};

/// As many as take two parts.
const KEYS: usize = 70;

fn many(open: &Open) -> Vec<(KeyId, String)> {
    let raise = Command::SetPolicy { name: "keys-per-operator".into(), value: "1000".into(), basis: None };
    does(open, raise).unwrap();
    (0..KEYS).map(|n| issue(open, &format!("Key {n}"))).collect()
}

fn revoke(open: &Open, keys: &[(KeyId, String)]) -> Many {
    let mut many = Many::of(keys.iter().map(|(key, _)| Command::revoke(*key)).collect());
    while !many.is_over() {
        many.go_on(&*open.engine, &open.session);
    }
    many
}

/// Entries of one kind, the oldest first, with how many each is about.
fn told(open: &Open) -> Vec<usize> {
    let page = open.engine.audit(&open.session, None, 1_000, None).unwrap();
    let about = page.lines.iter().filter(|line| line.entry.event == "key.revoke");
    about.map(|line| line.entry.subjects.len()).rev().collect()
}

#[test]
fn many_that_were_ended_on_a_failing_disk_are_refused_now_and_after_a_restart_and_told_in_two_entries() {
    for restarts in [false, true] {
        let (house, mut open) = House::new();
        let keys = many(&open);
        house.fail();
        let ended = revoke(&open, &keys);
        assert!(ended.done.is_empty() && ended.untried() == 0);
        assert!(ended.left.iter().all(|left| left.code == "denied_kept"), "{:?}", ended.left);
        // They are not as they were, and nobody says that nothing was changed.
        assert!(ended.left.iter().all(|left| left.stays() == Stays::Refused));
        assert!(!ended.left[0].text.contains("Nothing was changed"), "{}", ended.left[0].text);
        assert_eq!((ended.left.len(), open.engine.condition().unwritten.keys.len()), (KEYS, KEYS));
        assert_eq!(open.engine.condition().unwritten.denials, 2, "one note keeps a part");
        assert!(keys.iter().all(|(_, token)| answer(&open, token) == Some(Reason::Revoked)));
        if restarts {
            // Killed while the disk still fails.
            let left = house.copy();
            fs::create_dir(left.path().join("store")).unwrap();
            copy_all(&house.home.path().join("aside"), &left.path().join("store"));
            open = house.open_at(left.path());
            assert!(keys.iter().all(|(_, token)| answer(&open, token) == Some(Reason::Revoked)));
            assert_eq!(told(&open), [64, 6]);
            assert_eq!(open.engine.check_audit(&open.session).unwrap().integrity, Integrity::Intact);
            continue;
        }
        house.mend();
        open.engine.write_overdue().unwrap();
        assert_eq!(open.engine.condition().unwritten.denials, 0);
        assert_eq!(told(&open), [64, 6]);
        drop(open);
        let open = house.open();
        assert!(keys.iter().all(|(_, token)| answer(&open, token) == Some(Reason::Revoked)));
        assert_eq!(told(&open), [64, 6], "what was told is not told again");
    }
}

#[test]
fn what_gives_access_to_many_is_not_done_by_a_disk_that_fails_and_not_later_either() {
    let (house, open) = House::new();
    let keys = many(&open);
    let mut pause = Many::of(keys.iter().map(|(key, _)| Command::PauseKey(*key, None)).collect());
    while !pause.is_over() {
        pause.go_on(&*open.engine, &open.session);
    }
    house.fail();
    let mut resume = Many::of(keys.iter().map(|(key, _)| Command::ResumeKey(*key)).collect());
    resume.go_on(&*open.engine, &open.session);
    assert!(resume.is_over() && resume.untried() == KEYS - Together::MOST, "nothing more is asked of it");
    assert_eq!(resume.waiting().count(), resume.untried());
    let told = |left: &Left| left.stays() == Stays::Undone && !left.text.contains("Nothing was changed");
    assert!(resume.left.iter().all(told), "{:?}", resume.left[0]);
    house.mend();
    open.engine.write_overdue().unwrap();
    assert!(keys.iter().all(|(_, token)| answer(&open, token) == Some(Reason::Disabled)));
}

#[test]
fn what_a_rescoping_of_many_takes_away_is_in_force_on_a_failing_disk_and_what_it_gives_is_not() {
    let (house, open) = House::new();
    let ids = ["Narrower", "Wider"].map(|called| issue(&open, called).0);
    let rescope = |key, scopes: &[&str]| {
        let scopes = scopes.iter().map(ToString::to_string).collect();
        Command::RescopeKey { key, scopes, basis: None }
    };
    does(&open, rescope(ids[0], &["contacts.read", "contacts.write"])).unwrap();
    house.fail();
    let both =
        vec![rescope(ids[0], &["contacts.read"]), rescope(ids[1], &["contacts.read", "contacts.write"])];
    let both = Command::Each(Together::of(both).unwrap());
    let Done { events, left, .. } = open.engine.execute(&open.session, both).unwrap();
    let codes: Vec<_> = left.iter().map(|left| (left.key, left.code.as_str())).collect();
    assert_eq!((events.len(), codes), (0, vec![(ids[0], "denied_kept"), (ids[1], "not_written")]));
    let state = open.engine.state();
    let scopes = ids.map(|key| state.key(key).unwrap().scopes.len());
    assert_eq!(scopes, [1, 1], "the one is narrower, the other no wider");
}

#[test]
fn a_resumption_that_is_taken_back_on_a_failing_disk_stops_the_key_all_the_same() {
    let (house, open) = House::new();
    let (key, token) = issue(&open, "Nightly export");
    does(&open, Command::PauseKey(key, None)).unwrap();
    let resumed = open.engine.execute(&open.session, Command::ResumeKey(key)).unwrap();
    assert_eq!(answer(&open, &token), None);
    house.fail();
    let back = {
        let state = open.engine.state();
        let view = View::new(&state, open.session.actor());
        Undo::of_all(&resumed.events, view)[0].command(view).unwrap()
    };
    assert!(matches!(does(&open, back), Err(EngineError::DeniedKept(_))));
    assert_eq!(answer(&open, &token), Some(Reason::Disabled));
}
