//! Watching who knocks, by keys: rows as they come, standing still, filtered, and gone when it is closed.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::time::Duration;

use keydeck::domain::{Command, Expiry, Motive, NewKey, Note, Place};
use keydeck::engine::Origin;
use keydeck::tui::app::testing::{Console, whole_desk};

use super::tui_keys::{House, name};

const A_LITTLE: Duration = Duration::from_millis(300);

fn token(house: &House, called: &str) -> String {
    let new = NewKey {
        name: name(called),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: Some(Expiry::Never),
        note: Note::default(),
        decoy: false,
    };
    let done = house.engine.execute(&house.session, Command::IssueKey(new)).unwrap();
    done.token.unwrap().reveal().to_owned()
}

fn knock(house: &House, token: &str, wanted: &str, last: u8) {
    let wanted: Vec<_> = wanted.split_whitespace().map(|scope| scope.parse().unwrap()).collect();
    let origin = Origin { address: Some([10, 2, 0, last].into()), agent: Some(b"kiosk/2.1") };
    house.engine.verify_from(token.as_bytes(), &wanted, origin);
}

fn watching(house: &House, width: u16, height: u16) -> Console {
    let mut console = house.console_of(width, height);
    console.press("w").advance(A_LITTLE).sees("Who knocks: Booking widget");
    console
}

fn row(console: &Console, with: &str) -> usize {
    console.screen().lines().position(|line| line.contains(with)).unwrap()
}

#[test]
fn who_knocks_comes_row_by_row_the_newest_last_and_says_why_not() {
    let house = House::new();
    let token = token(&house, "Booking widget");
    for (width, height) in [(120, 34), (80, 24), (60, 16)] {
        let mut console = watching(&house, width, height);
        console.sees("Nobody has knocked").sees("allowed 0/s");
        knock(&house, &token, "contacts.read", 7);
        knock(&house, &token, "contacts.write", 8);
        console.advance(A_LITTLE).sees("allowed 1/s   refused 1/s").sees("contacts.read").sees("lacks con");
        assert!(row(&console, "contacts.read") < row(&console, "lacks con"), "{}", console.screen());
        console.sees_no(&token[17..]);
        console.press("esc").sees_no("Who knocks");
        house.clock.pass(10_000);
    }
}

#[test]
fn space_has_it_stand_still_while_what_comes_is_counted_and_goes_on_with_it() {
    let house = House::new();
    let token = token(&house, "Booking widget");
    let mut console = watching(&house, 120, 34);
    knock(&house, &token, "", 1);
    console.advance(A_LITTLE).sees("10.2.0.1").press("space").sees("frozen, 0 more came");
    console.sees("space go on").sees_no("space freeze");
    knock(&house, &token, "", 2);
    knock(&house, &token, "", 3);
    console.advance(A_LITTLE).sees("frozen, 2 more came").sees_no("10.2.0.2");
    console.press("space").sees("10.2.0.2").sees("10.2.0.3").sees_no("frozen").sees("space freeze");
    // Whoever looks back wants it to stand still.
    console.press("k").sees("frozen, 0 more came");
}

#[test]
fn a_filter_shows_what_matches_of_what_came_and_of_what_comes() {
    let house = House::new();
    let token = token(&house, "Booking widget");
    let mut console = watching(&house, 120, 34);
    knock(&house, &token, "", 1);
    knock(&house, &token, "contacts.write", 2);
    console.advance(A_LITTLE).press("/").type_text("is:refused").press("enter");
    console.sees("10.2.0.2").sees_no("10.2.0.1").sees("1 of 2");
    knock(&house, &token, "", 3);
    knock(&house, &token, "contacts.write", 4);
    console.advance(A_LITTLE).sees("10.2.0.4").sees_no("10.2.0.3").sees("2 of 4");
    console.press("/ ctrl-u").type_text("refused").press("enter").sees("2 of 4").sees_no("10.2.0.1");
    console.sees("lacks contacts.write");
    console.press("esc").sees("10.2.0.3").press("esc").sees_no("Who knocks");
}

#[test]
fn nothing_is_drawn_while_nothing_comes_and_nobody_watches_when_it_is_closed() {
    let house = House::new();
    let token = token(&house, "Booking widget");
    let mut console = watching(&house, 120, 34);
    console.advance(Duration::from_secs(3));
    let drawn = console.frames;
    console.advance(Duration::from_secs(5));
    assert_eq!(console.frames, drawn);
    knock(&house, &token, "", 1);
    console.advance(A_LITTLE);
    assert!(console.frames > drawn);
    console.press("esc w").advance(A_LITTLE).sees("Nobody has knocked").sees_no("10.2.0.1");
}

#[test]
fn a_dead_key_is_watched_too() {
    let house = House::new();
    let token = token(&house, "Booking widget");
    house.run(Command::RevokeKey(house.key("Booking widget").id, Motive::default()));
    let mut console = watching(&house, 80, 24);
    knock(&house, &token, "", 1);
    console.advance(A_LITTLE).sees("revoked").sees("10.2.0.1");
}

#[test]
fn locations_and_apps_are_watched_and_the_jump_and_the_menus_know_it() {
    let mut console = whole_desk();
    console.press("2 g j w").sees("Who knocks: Amsterdam Jordaan (").press("esc");
    console.press("2 g").press("w").sees("select one location first");
    console
        .press("3 w")
        .sees("Who knocks: ")
        .press("esc 1 x")
        .type_text("knocks")
        .sees("Watch who knocks with it")
        .press("esc esc");
    console
        .press(":")
        .type_text("who knocks")
        .press("enter")
        .sees("Who knocks: ")
        .press("q")
        .sees_no("Who knocks: ");
    console.press("6 w").sees("that is for keys and apps");
}
