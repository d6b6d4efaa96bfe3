//! Deeds on keys, taken back: each leaves the key as it was, none what somebody else made of it, and nothing that ended.

use super::*;
use crate::domain::basis::Basis;
use crate::domain::command::{Back, KeyEdit, Together};
use crate::domain::undo::Undo;
use crate::domain::{Expiry, Note, View};

/// The admin with the whole agency in view.
fn whole(actor: Actor) -> Actor {
    Actor { access: Access::Agency, ..actor }
}

fn undo_of(world: &World, actor: Actor, events: &[Event]) -> Undo {
    let all = Undo::of_all(events, View::new(&world.state, actor));
    let [undo] = all.as_slice() else { panic!("{all:?}") };
    undo.clone()
}

#[test]
fn each_deed_is_taken_back_once_and_not_when_somebody_else_was_there() {
    let (mut world, maria) = World::founded();
    let maria = whole(maria);
    let jonas = world.operator(maria, "jonas", Role::Manager);
    let key = world.issue(maria, agency_key("Nightly export")).unwrap();
    let why = Note::new("the counters").unwrap();
    let ends = KeyEdit { expiry: Expiry::At(Timestamp(NOW.0 + 90 * DAY_MS)), ..KeyEdit::of(world.key(key)) };
    let scopes = vec!["contacts.read".to_owned(), "calendars.read".to_owned()];
    let deeds = [
        Command::PauseKey(key, None),
        Command::RescopeKey { key, scopes, basis: None },
        Command::EditKey { key, change: ends, basis: None },
        Command::ProtectKey { key, why: why.clone() },
        Command::TransferKey { key, to: jonas.operator },
    ];
    for deed in deeds {
        let before = Basis::of_whole_key(world.key(key));
        let events = world.run(maria, &deed).unwrap();
        let undo = undo_of(&world, maria, &events);
        let back = undo.command(View::new(&world.state, maria)).unwrap();
        assert_eq!(minicbor::decode::<Undo>(&minicbor::to_vec(&undo).unwrap()).unwrap(), undo);
        // Somebody else was there in between.
        let mut other = world.clone();
        let change = KeyEdit { note: Note::new("theirs").unwrap(), ..KeyEdit::of(other.key(key)) };
        other.run(maria, &Command::EditKey { key, change, basis: None }).unwrap();
        let refused = undo.command(View::new(&other.state, maria));
        assert!(matches!(refused, Err(Refusal::ChangedMeanwhile { .. })), "{deed:?}: {refused:?}");
        // Also when that comes between the question and the deed.
        let refused = other.run(maria, &back);
        assert!(matches!(refused, Err(Refusal::ChangedMeanwhile { .. })), "{deed:?}: {refused:?}");
        let events = world.run(maria, &back).unwrap();
        assert_eq!(Basis::of_whole_key(world.key(key)), before, "{deed:?}");
        assert!(undo.command(View::new(&world.state, maria)).is_err(), "{deed:?}: only once");
        // And that can be taken back as well.
        assert!(Undo::of_all(&events, View::new(&world.state, maria)).len() == 1, "{deed:?}");
    }
    // The end of a protection, with the reason it had.
    world.run(maria, &Command::ProtectKey { key, why: why.clone() }).unwrap();
    let events = world.run(maria, &Command::UnprotectKey(key)).unwrap();
    let back = undo_of(&world, maria, &events).command(View::new(&world.state, maria)).unwrap();
    world.run(maria, &back).unwrap();
    assert_eq!(world.key(key).protection.as_ref().unwrap().why, why);
}

#[test]
fn the_resumption_of_a_pause_that_had_an_end_gives_back_that_end() {
    let (mut world, maria) = World::founded();
    let key = world.issue(maria, agency_key("Nightly export")).unwrap();
    world.run(maria, &Command::PauseKey(key, Some("1h".parse().unwrap()))).unwrap();
    let ends = world.key(key).pause_ends.unwrap();
    let events = world.run(maria, &Command::ResumeKey(key)).unwrap();
    let undo = undo_of(&world, maria, &events);
    let mut later = world.clone();
    world.run(maria, &undo.command(View::new(&world.state, maria)).unwrap()).unwrap();
    assert_eq!(world.key(key).pause_ends, Some(ends));
    // Once that is over there is nothing to give back.
    later.now = ends;
    let back = undo.command(View::new(&later.state, maria)).unwrap();
    assert!(matches!(later.run(maria, &back), Err(Refusal::NoChange(_))));
    // What was stopped for good is so again.
    world.run(maria, &Command::PauseKey(key, None)).unwrap();
    let events = world.run(maria, &Command::ResumeKey(key)).unwrap();
    let undo = undo_of(&world, maria, &events);
    world.run(maria, &undo.command(View::new(&world.state, maria)).unwrap()).unwrap();
    assert_eq!(world.key(key).pause_ends, None);
}

#[test]
fn two_keys_are_not_given_one_name_by_taking_edits_back_together() {
    let (mut world, maria) = World::founded();
    let keys = ["One", "Two"].map(|called| world.issue(maria, agency_key(called)).unwrap());
    let backs: Vec<Command> = keys
        .into_iter()
        .map(|key| {
            let change = KeyEdit { name: name(&format!("Other {key}")), ..KeyEdit::of(world.key(key)) };
            let events = world.run(maria, &Command::EditKey { key, change, basis: None }).unwrap();
            undo_of(&world, maria, &events).command(View::new(&world.state, maria)).unwrap()
        })
        .collect();
    let together = Command::Each(Together::of(backs).unwrap());
    assert_eq!(world.run(maria, &together), Err(Refusal::OneByOne));
}

#[test]
fn what_ended_is_not_taken_back() {
    let (mut world, maria) = World::founded();
    let keys = ["One", "Two"].map(|called| world.issue(maria, agency_key(called)).unwrap());
    let mut events = world.run(maria, &Command::revoke(keys[0])).unwrap();
    events.extend(world.run(maria, &Command::DeleteKey(keys[1])).unwrap());
    events.extend(world.run(maria, &Command::RestoreKey(keys[1])).unwrap());
    assert!(Undo::of_all(&events, View::new(&world.state, maria)).is_empty());
    // Nor what ended after it.
    let key = world.issue(maria, agency_key("Three")).unwrap();
    let events = world.run(maria, &Command::PauseKey(key, None)).unwrap();
    let undo = undo_of(&world, maria, &events);
    world.run(maria, &Command::revoke(key)).unwrap();
    assert!(undo.command(View::new(&world.state, maria)).is_err());
}

#[test]
fn a_pause_that_was_there_before_is_not_resumed_and_another_end_of_it_is_somebody_elses() {
    let (mut world, maria) = World::founded();
    let maria = whole(maria);
    let key = world.issue(maria, agency_key("Nightly export")).unwrap();
    let hour = Some("1h".parse().unwrap());
    let events = world.run(maria, &Command::PauseKey(key, hour)).unwrap();
    let undo = undo_of(&world, maria, &events);
    assert!(undo.command(View::new(&world.state, maria)).is_ok());
    // Somebody stops it for good: neither undo makes it work.
    let events = world.run(maria, &Command::PauseKey(key, None)).unwrap();
    assert!(undo.command(View::new(&world.state, maria)).is_err());
    assert!(Undo::of_all(&events, View::new(&world.state, maria)).is_empty());
}

#[test]
fn scopes_are_not_given_back_over_somebody_elses_report_only() {
    let (mut world, maria) = World::founded();
    let maria = whole(maria);
    let key = world.issue(maria, agency_key("Nightly export")).unwrap();
    let wide = ["contacts.read", "calendars.read"].map(str::to_owned).to_vec();
    let events = world.run(maria, &Command::RescopeKey { key, scopes: wide, basis: None }).unwrap();
    let undo = undo_of(&world, maria, &events);
    let begin = Command::BeginReportOnly { key, scopes: vec!["contacts.read".to_owned()], days: 14 };
    world.run(maria, &begin).unwrap();
    assert!(undo.command(View::new(&world.state, maria)).is_err());
}

/// As it is read from a file.
fn read<T: for<'b> minicbor::Decode<'b, ()>>(text: &str) -> T {
    minicbor::decode(&minicbor::to_vec(text).unwrap()).unwrap()
}

#[test]
fn what_a_report_says_was_there_before_is_checked_as_if_somebody_typed_it() {
    let (mut world, maria) = World::founded();
    let key = world.issue(maria, agency_key("Nightly export")).unwrap();
    let events = world.run(maria, &Command::PauseKey(key, None)).unwrap();
    let undo = undo_of(&world, maria, &events);
    let of = |world: &World| KeyEdit::of(world.key(key));
    let long = "x".repeat(65);
    for bad in ["a\u{1b}[31m", "", "two\nlines", "a\u{202e}b", " a ", &long] {
        let back = Back::Edit(Box::new(KeyEdit { name: read(bad), ..of(&world) }));
        let refused = world.run(maria, &Command::TakeBack(Undo { back, ..undo.clone() }));
        assert!(refused.is_err(), "{bad:?}");
    }
    let bells = [
        Back::Edit(Box::new(KeyEdit { note: read("\u{7}"), ..of(&world) })),
        Back::Protect(read("\u{7}")),
        Back::Pause(Some(Timestamp(NOW.0 + 8 * DAY_MS))),
        Back::Pause(Some(Timestamp(i64::MAX))),
    ];
    for back in bells {
        let refused = world.run(maria, &Command::TakeBack(Undo { back: back.clone(), ..undo.clone() }));
        let why = refused.unwrap_err();
        assert!(matches!(why, Refusal::BadText { .. } | Refusal::BadPause), "{back:?}: {why:?}");
    }
}
