//! Many keys at once: one commit and one entry hold as many as fit, whoever owns a key reads of no other's, and what a
//! reopened store says agrees with its trail.

#![expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]

use std::sync::Arc;

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::audit::Entry;
use keydeck::domain::command::Together;
use keydeck::domain::{Command, Expiry, KeyId, KeyState, Motive, Name, NewKey, Note, Place, Role, Why};
use keydeck::engine::Via;
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Key, Open, Options, found, open};
use keydeck::engine::{Brought, Done, Engine as _, Integrity, Many, Session};

use crate::sweeps::{House, START, name};

fn issue(house: &House, called: &str, scopes: &[&str]) -> KeyId {
    issue_by(house, &house.open.session, called, scopes)
}

fn issue_by(house: &House, session: &Session, called: &str, scopes: &[&str]) -> KeyId {
    let new = NewKey {
        name: name(called),
        place: Place::Agency,
        scopes: scopes.iter().map(ToString::to_string).collect(),
        expiry: Some(Expiry::Never),
        note: Note::default(),
        decoy: false,
    };
    let done = house.open.engine.execute(session, Command::IssueKey(new)).unwrap();
    KeyId(done.token.unwrap().id())
}

fn raise(house: &House) {
    let value = "1000".into();
    house.does(Command::SetPolicy { name: "keys-per-operator".into(), value, basis: None }).unwrap();
}

fn each(house: &House, all: Vec<Command>) -> Done {
    let together = Together::of(all).unwrap();
    house.open.engine.execute(&house.open.session, Command::Each(together)).unwrap()
}

/// Entries of that name, the oldest first.
fn entries(open: &Open, event: &str) -> Vec<Entry> {
    let page = open.engine.audit(&open.session, None, 1_000, None).unwrap();
    let mut found: Vec<Entry> = page.lines.into_iter().map(|line| line.entry).collect();
    found.retain(|entry| entry.event == event);
    found.reverse();
    found
}

#[test]
fn as_many_as_fit_are_one_entry_that_names_them_and_the_history_of_each_finds_it() {
    let house = House::founded();
    raise(&house);
    let keys: Vec<KeyId> = (0..40).map(|n| issue(&house, &format!("Key {n}"), &["contacts.read"])).collect();
    house.does(Command::revoke(keys[7])).unwrap();
    let motive = Motive { why: Why::Leaked, because: Note::new("a screenshot").unwrap() };
    let done = each(&house, keys.iter().map(|key| Command::RevokeKey(*key, motive.clone())).collect());
    assert_eq!((done.events.len(), done.left.len()), (39, 1));
    assert_eq!((done.left[0].key, done.left[0].code.as_str()), (keys[7], "wrong_state"));
    let told = entries(&house.open, "key.revoke");
    // The one before, the one that was refused, and the one for all.
    let sizes: Vec<usize> = told.iter().map(|entry| entry.subjects.len()).collect();
    assert_eq!(sizes, [1, 1, 39]);
    let of_all = &told[2];
    assert_eq!(of_all.records.len(), 39);
    let changes: Vec<_> = of_all.changes.iter().map(|change| (change.to.as_str(), &change.of)).collect();
    assert_eq!(changes, [("leaked", &None), ("a screenshot", &None)], "what holds for all is told once");
    for key in [keys[0], keys[39]] {
        let page = house.open.engine.audit(&house.open.session, None, 10, Some(key)).unwrap();
        assert_eq!(page.lines[0].entry.seq, of_all.seq);
    }
    assert!(house.is_whole());
}

#[test]
fn what_is_too_much_for_one_entry_is_cut_and_what_differs_is_told_of_each() {
    let house = House::founded();
    raise(&house);
    let long = |n: usize| format!("{n:02} {}", "長".repeat(60));
    let keys: Vec<KeyId> = (0..Together::MOST).map(|n| issue(&house, &long(n), &["contacts.read"])).collect();
    let scopes = |n: usize| -> Vec<String> {
        let more = if n.is_multiple_of(2) { "contacts.write" } else { "calendars.read" };
        vec!["contacts.read".into(), more.into()]
    };
    let all = keys.iter().enumerate();
    let all = all.map(|(n, key)| Command::RescopeKey { key: *key, scopes: scopes(n), basis: None });
    let done = each(&house, all.collect());
    assert_eq!((done.events.len(), done.left.len()), (Together::MOST, 0));
    let told = entries(&house.open, "key.rescope");
    assert!(told.len() > 1, "so long names do not fit one");
    assert_eq!(told.iter().map(|entry| entry.subjects.len()).sum::<usize>(), Together::MOST);
    for entry in &told {
        assert_eq!(entry.changes.len(), entry.subjects.len());
        for (change, subject) in entry.changes.iter().map(|change| (change, change.of.as_ref().unwrap())) {
            let n = keys.iter().position(|key| key.to_string() == *subject).unwrap();
            assert!(change.to.contains(&scopes(n)[1]), "{change:?}");
            let narrowed = entry.narrowed(keys[n]);
            assert_eq!((narrowed.subjects.len(), narrowed.changes.len()), (1, 1));
        }
    }
    assert!(house.is_whole());
}

#[test]
fn whoever_owns_a_key_reads_of_no_other_owner_s_key_that_was_ended_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::at(START));
    let options =
        Options { clock, cost: Cost::IMPORTED, ..Options::new(dir.path(), "test", Via::CommandLine) };
    let phrase = |text| Passphrase::choose(text).unwrap();
    let maria = phrase("correct horse battery staple");
    let open_first = found(&options, name("Acme"), name("maria"), &maria).unwrap().open;
    let jonas_has = phrase("another horse battery staple");
    let add = Command::AddOperator { name: Name::new("jonas").unwrap(), role: Role::Admin };
    open_first.engine.act(&open_first.session, add, Brought::Passphrase(&jonas_has)).unwrap();
    let own = crate::sweeps::issue(&open_first, "Maria's").0;
    drop(open_first);
    let jonas = open(&options, &Key::Operator { name: "jonas", passphrase: &jonas_has }).unwrap();
    let theirs = ["One", "Two"].map(|called| crate::sweeps::issue(&jonas, called).0);
    let view = jonas.engine.execute(&jonas.session, Command::OpenAgencyView).unwrap().session.unwrap();
    let all = vec![Command::revoke(theirs[0]), Command::revoke(own), Command::revoke(theirs[1])];
    jonas.engine.execute(&view, Command::Each(Together::of(all).unwrap())).unwrap();
    let about = |key| {
        let page = jonas.engine.audit(&view, None, 10, Some(key)).unwrap();
        page.lines[0].entry.subjects.iter().map(|subject| subject.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!((about(own), about(theirs[0])), (vec!["Maria's".into()], vec!["One".into(), "Two".into()]));
    drop(jonas);
    // What a store says that is opened again is what its trail says.
    let again = open(&options, &Key::Operator { name: "maria", passphrase: &maria }).unwrap();
    assert!(again.engine.doubts().is_empty());
    assert_eq!(again.engine.check_audit(&again.session).unwrap().integrity, Integrity::Intact);
    let state = again.engine.state();
    let now = again.engine.clock().now.time;
    assert!(
        [own, theirs[0], theirs[1]]
            .iter()
            .all(|key| state.key(*key).unwrap().state(now) == KeyState::Revoked)
    );
}

#[test]
fn records_are_restored_together_and_what_lives_is_left() {
    let house = House::founded();
    raise(&house);
    let keys: Vec<KeyId> = (0..5).map(|n| issue(&house, &format!("Key {n}"), &["contacts.read"])).collect();
    for key in &keys[..4] {
        house.does(Command::DeleteKey(*key)).unwrap();
    }
    let mut many = Many::of(keys.iter().copied().map(Command::RestoreKey).collect());
    let mut parts = 0;
    while !many.is_over() {
        many.go_on(&*house.open.engine, &house.open.session);
        parts += 1;
    }
    assert_eq!((parts, many.done.len(), many.untried()), (1, 4, 0));
    assert_eq!((many.left[0].key, many.left[0].code.as_str()), (keys[4], "wrong_state"));
    // Whoever stops between two parts hears what was not tried.
    let mut many = Many::of((0..3).map(|n| Command::PauseKey(keys[n], None)).collect());
    assert_eq!((many.total(), many.untried(), many.is_over()), (3, 3, false));
    many.go_on(&*house.open.engine, &house.open.session);
    assert_eq!((many.untried(), many.is_over(), many.left.len()), (0, true, 3));
}
