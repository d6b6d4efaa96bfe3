//! Keys that change: revoked for a reason, made like one another, given contacts, in a console made of memory.

use std::time::Duration;

use keydeck::domain::command::KeyEdit;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{Command, Contacts, Expiry, KeyState, Note, Place, Role, Timestamp, Why};

use crate::tui_keys::{House, name};

#[test]
fn a_key_is_revoked_for_a_reason_that_its_detail_and_the_trail_go_on_telling() {
    let house = House::new();
    house.agency_keys(&["Nightly export"]);
    let mut console = house.console();
    console
        .press("X")
        .sees("Reason   (*) other")
        .sees("Because")
        .type_text("Nightly export")
        .sees("[ Revoke ]");
    console
        .press("up")
        .type_text("it was in a screenshot")
        .press("up right")
        .sees("(*) leaked")
        .press("enter");
    console.sees("Nightly export is revoked").press("backspace enter");
    console.sees("Reason     leaked: it was in a screenshot");
    console.advance(Duration::from_secs(1)).sees("revoked by maria");
    let motive = house.key("Nightly export").motive.unwrap();
    assert_eq!((motive.why, motive.because.as_str()), (Why::Leaked, "it was in a screenshot"));
}

#[test]
fn nobody_has_to_say_why_before_a_key_is_revoked() {
    let house = House::new();
    house.agency_keys(&["Alpha", "Beta"]);
    let mut console = house.console_of(60, 15);
    console.press("X").type_text("Alpha").press("enter").sees("Alpha is revoked");
    assert_eq!((house.state_of("Alpha"), house.key("Alpha").motive), (KeyState::Revoked, None));
    // Nor to look for the reason that is chosen, where there is no room for all.
    console.press("j X up up right right right right").sees("(*) owner left");
    console.press("down down").type_text("Beta").press("enter").sees("Beta is revoked");
    assert_eq!(house.key("Beta").motive.unwrap().why, Why::OwnerLeft);
}

#[test]
fn many_keys_are_revoked_for_one_reason_and_other_questions_ask_for_none() {
    let house = House::new();
    house.agency_keys(&["Alpha", "Beta"]);
    let mut console = house.console();
    console.press("a P").sees_no("Reason").press("esc D").sees_no("Reason").press("esc X");
    // Down again from there the number is typed.
    console.press("up up right right").sees("(*) unused").press("down down").type_text("2").press("enter");
    console.sees("2 keys are revoked");
    for called in ["Alpha", "Beta"] {
        assert_eq!(house.key(called).motive.unwrap().why, Why::Unused);
    }
}

#[test]
fn a_key_like_another_is_issued_with_all_of_it_but_its_secret() {
    let house = House::new();
    house.run(Command::AddLocations(vec![name("Berlin Mitte")]));
    let at = house.engine.state().locations().next().unwrap().id;
    house.issue("Till", Place::Location(at), Expiry::At(Timestamp(house.engine.now().time.0 + 90 * DAY_MS)));
    let first = house.key("Till");
    let contacts = Contacts::of(["ops@acme.example", "#oncall"]).unwrap();
    let change = KeyEdit { note: Note::new("the counter").unwrap(), contacts, ..KeyEdit::of(&first) };
    house.run(Command::EditKey { key: first.id, change, basis: None });
    house.clock.pass(5 * DAY_MS);
    let mut console = house.console();
    console.press("2 l m").sees("New key").sees("Till 2").sees("90d").sees("the counter");
    console.sees("ops@acme.example, #oncall").sees("Issues a key of Berlin Mitte: 1 scope");
    // Nothing was filled in by hand, so nothing is lost by leaving.
    console.press("esc").sees_no("New key").press("m ctrl-s").sees("Till 2 is issued");
    console.press("c space enter").sees("Till 2 is issued and works");
    let (first, second) = (house.key("Till"), house.key("Till 2"));
    assert_eq!(second.expiry, Expiry::At(Timestamp(second.created_at.0 + 90 * DAY_MS)));
    assert_eq!((second.place, &second.scopes, &second.note), (first.place, &first.scopes, &first.note));
    assert_eq!((&second.contacts, second.id == first.id), (&first.contacts, false));
    // One that was revoked is a template as good as another, and lends its end to nobody.
    house.run(Command::revoke(second.id));
    console.press("m").sees("Till 2").press("ctrl-s").sees("Till 2 is issued");
}

#[test]
fn who_is_told_of_a_key_is_changed_where_it_is_edited() {
    let house = House::new();
    house.agency_keys(&["Nightly export"]);
    let mut console = house.console();
    console.press("e tab tab tab tab").type_text("-rf").sees("a contact does not begin with a hyphen");
    console
        .press("ctrl-u")
        .type_text("ops@acme.example,#oncall")
        .press("ctrl-s")
        .sees("Nightly export is changed");
    assert_eq!(house.key("Nightly export").contacts.unwrap().to_string(), "ops@acme.example, #oncall");
    console.press("enter").sees("Contacts   ops@acme.example, #oncall").press("esc e");
    // Somebody else changes them meanwhile.
    console.sees("ops@acme.example, #oncall").press("tab tab tab tab ctrl-u").type_text("web@acme.example");
    let key = house.key("Nightly export");
    let change = KeyEdit { contacts: Contacts::default(), ..KeyEdit::of(&key) };
    house.run(Command::EditKey { key: key.id, change, basis: None });
    console.press("ctrl-s").sees("Contacts: was ops@acme.example, #oncall, is now nothing");
    console.sees("yours: web@acme.example").press("tab tab enter").sees("Nightly export is changed");
    assert_eq!(house.key("Nightly export").contacts.unwrap().to_string(), "web@acme.example");
}

#[test]
fn a_protected_key_says_by_whom_since_when_and_why() {
    let house = House::new();
    house.agency_keys(&["Nightly export"]);
    let why = Note::new("runs once a year").unwrap();
    house.run(Command::ProtectKey { key: house.key("Nightly export").id, why });
    house.clock.pass(3 * DAY_MS);
    house.console().press("enter").sees("Protected  ⚑ by maria 3 d ago: runs once a").sees("year");
}

#[test]
fn keys_are_given_to_a_colleague_several_at_once_and_what_cannot_go_says_why() {
    let house = House::new();
    house.agency_keys(&["Alpha", "Beta", "Gamma"]);
    house.run(Command::AddOperator { name: name("vera"), role: Role::Viewer });
    house.run(Command::AddOperator { name: name("jonas"), role: Role::Manager });
    house.run(Command::revoke(house.key("Gamma").id));
    let mut console = house.console();
    console.press("O").sees("Give to another operator").type_text("vera").press("enter");
    console.sees("a viewer owns no keys").press("esc a O").type_text("jon").press("enter");
    console.sees("Give 2 keys").sees("1 marked stays as it is (Gamma)").press("tab enter");
    console.sees("2 keys are another operator's now").sees_no("Alpha");
    let jonas = house.engine.state().operators().find(|who| who.name.as_str() == "jonas").unwrap().id;
    assert_eq!(["Alpha", "Beta"].map(|called| house.key(called).owner), [jonas, jonas]);
    // One that is over is given to nobody.
    console.press("O").sees("Issue a new key");
}
