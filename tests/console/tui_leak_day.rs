//! The day a key leaks, at the console: what was found is pasted, whose it is and who would miss it is seen, the key is rotated
//! without a grace, and whoever still comes with the old secret shows.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::time::Duration;

use keydeck::domain::{Command, Expiry, KeyState, NewKey, Note, Place};
use keydeck::engine::{Engine as _, Origin};
use keydeck::tui::app::testing::desk_on;
use keydeck::tui::screens;

use super::tui_keys::{House, name};

fn comes(house: &House, token: &str, program: &str) -> bool {
    let wanted = ["contacts.read".parse().unwrap()];
    let origin = Origin { address: Some([10, 2, 0, 7].into()), agent: Some(program.as_bytes()) };
    house.engine.verify_from(token.as_bytes(), &wanted, origin).is_allow()
}

#[test]
fn a_leaked_key_is_found_replaced_and_watched_in_a_minute_of_keys() {
    let house = House::new();
    house.agency_keys(&["Nightly export"]);
    let new = NewKey {
        name: name("Booking widget"),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: Some(Expiry::Never),
        note: Note::default(),
        decoy: false,
    };
    let done = house.engine.execute(&house.session, Command::IssueKey(new)).unwrap();
    let leaked = done.token.unwrap().reveal().to_owned();
    let old = house.key("Booking widget").id;
    assert!((0..12).all(|_| comes(&house, &leaked, "kiosk/2.1")));
    house.engine.settle().unwrap();
    let open = keydeck::engine::open::Open {
        engine: house.engine.clone(),
        session: house.session.clone(),
        notices: Vec::new(),
    };
    let mut console = desk_on(open, screens::all(), (120, 34), &house.clipboard);

    // Found: whose is it, and does it work?
    console.press("b").paste(&format!("KEY={leaked}\n")).sees("1 secret is in that").press("enter");
    console.sees("1 found, 1 working today").sees("the key Booking widget of").press("enter");
    // Who would miss it?
    console.sees("Booking widget").sees("10.2.0.7").sees("kiosk/2.1").sees("12 allowed");
    // A new secret, and the old one is refused from now on.
    console.press("R").sees("Rotate Booking widget").press("left left").sees("is refused at once, for good.");
    console.press("ctrl-s").sees("Booking widget is replaced").press("c space enter");
    let fresh = house.clipboard.text();
    assert_eq!(house.engine.state().key(old).unwrap().state(house.engine.now().time), KeyState::Revoked);
    // Who still comes with the old one?
    console.press("w").sees("Who knocks: Booking widget").advance(Duration::from_millis(300));
    assert!(!comes(&house, &leaked, "kiosk/2.1"));
    assert!(comes(&house, &fresh, "kiosk/2.2"));
    console.advance(Duration::from_millis(300)).sees("revoked").sees("kiosk/2.1").sees("kiosk/2.2");
    console.sees_no(&leaked[17..]).press("esc").sees_no("Who knocks");
}
