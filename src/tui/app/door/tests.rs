//! Flows at the door, over real stores in throw-away directories.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::domain::Command;
use crate::engine::open;
use crate::tui::app::testing::stores::{self, PHRASE, founded, options, passphrase};
use crate::tui::app::testing::{self, Console};
use crate::tui::program::Program as _;
use crate::tui::testing::FakeClipboard;

fn console(dir: &Path) -> Console {
    testing::door(options(dir), (80, 24), &FakeClipboard::default())
}

/// Signed in on the desk.
fn signed_in(dir: &Path) -> Console {
    stores::signed_in(dir, (80, 24))
}

fn shown_code(console: &Console) -> String {
    let screen = console.screen();
    let at = screen.find("kdrc_").unwrap();
    screen[at..].chars().take_while(|c| !c.is_whitespace()).collect()
}

#[test]
fn the_first_start_makes_a_store_and_has_its_code_typed_back() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("store");
    let mut console = console(&home);
    console.sees("Welcome to keydeck").sees("No store is in");
    console.type_text("Acme").press("enter").type_text("maria").press("enter");
    console.type_text("too short").sees("9 of at least 15 characters").press("enter enter");
    console
        .sees("The passphrase is too short")
        .press("ctrl-u")
        .type_text("aaaaaaaaaaaaaaaaaaaa")
        .sees("too simple");
    console.press("ctrl-u").type_text("by maria for everyone").sees("it contains a name from above");
    console.press("ctrl-u").type_text(PHRASE).sees("strong").sees_no("battery").press("enter");
    console.type_text("correct horse").sees("the same so far").type_text("s").sees("differs from the first");
    console.press("enter").sees("That is not the same").press("ctrl-u").type_text(PHRASE);
    console.sees("the same").press("enter").sees("It is shown only now");
    let code = shown_code(&console);
    console.press("enter").sees("This is not a recovery code").press("esc").sees("Type the code back first");
    console
        .type_text(&code[..7])
        .sees("7 of 43, right so far")
        .type_text("!")
        .sees("The first 7 characters are right");
    console.press("ctrl-u").type_text(&code.replace('-', " ")).sees("That is it").press("enter");
    console.sees("keydeck · Acme").sees("maria · admin · own keys · sealed ✓").sees_no("kdrc_");
    assert_eq!(console.wipes, 1);
}

#[test]
fn a_store_one_may_not_look_into_is_not_told_as_none() {
    let dir = tempfile::tempdir().unwrap();
    // A file where a directory is expected is as unreadable as a closed door, also for those who may open all doors.
    let place = dir.path().join("file");
    std::fs::write(&place, "").unwrap();
    let mut console = console(&place);
    console.sees("cannot be read").sees("cannot be seen").sees_no("This makes one");
    assert!(is_store(&place).is_err() && !is_store(dir.path()).unwrap());
}

#[test]
fn ending_before_the_code_is_confirmed_leaves_a_usable_store() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("store");
    let mut first = console(&home);
    for typed in ["Acme", "maria", PHRASE, PHRASE] {
        first.type_text(typed).press("enter");
    }
    first.sees("sign").sees("in with your passphrase").press("ctrl-c ctrl-c");
    assert!(first.has_quit());
    drop(first);
    signed_in(&home);
}

#[test]
fn a_wrong_passphrase_is_said_and_too_many_make_one_wait() {
    let dir = tempfile::tempdir().unwrap();
    drop(founded(dir.path()));
    let mut console = console(dir.path());
    console
        .press("enter")
        .press("enter")
        .sees("The operator's name is missing")
        .type_text("maria")
        .press("tab");
    for _ in 0..4 {
        console.type_text("wrong").press("enter").sees("no slot of this store opens with that").sees_no("•");
    }
    console.type_text(PHRASE).press("enter").sees("4 attempts failed. You may try again in 1 s.");
    console.press("enter").sees("You may try again in 1 s.");
    console.advance(Duration::from_secs(1)).sees("Now you may try again.");
}

#[test]
fn a_store_in_use_is_said_and_not_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    drop(founded(dir.path()));
    let key = open::Key::Operator { name: "maria", passphrase: &passphrase() };
    let other = open::open(&options(dir.path()), &key).unwrap();
    let mut console = console(dir.path());
    console.type_text("maria").press("enter").type_text(PHRASE).press("enter").sees("is in use by");
    assert_eq!(console.program().wake_at(), None, "nothing tries again by itself");
    drop(other);
    console.press("enter").sees("maria · admin");
}

#[test]
fn locking_closes_the_store_and_forgets_what_was_on_the_screen() {
    let dir = tempfile::tempdir().unwrap();
    drop(founded(dir.path()));
    let mut console = signed_in(dir.path());
    console
        .press("ctrl-x")
        .sees("Locked.")
        .sees("The store is closed.")
        .sees_no("filling in")
        .sees_no("keydeck · Acme")
        .sees("maria");
    assert_eq!(console.wipes, 1);
    let key = open::Key::Operator { name: "maria", passphrase: &passphrase() };
    drop(open::open(&options(dir.path()), &key).expect("the locked console let go of the store"));
    console.type_text(PHRASE).press("enter").sees("maria · admin · own keys");
}

#[test]
fn it_locks_itself_when_no_key_is_pressed() {
    let dir = tempfile::tempdir().unwrap();
    drop(founded(dir.path()));
    let mut console = signed_in(dir.path());
    console.advance(Duration::from_secs(14 * 60)).sees("maria · admin").press("?").press("esc");
    console.advance(Duration::from_secs(15 * 60 - 1)).sees("maria · admin");
    console.advance(Duration::from_secs(1)).sees("no key was pressed for 15 minutes");
}

#[test]
fn the_policy_says_when_it_locks() {
    let dir = tempfile::tempdir().unwrap();
    drop(founded(dir.path()));
    let mut console = signed_in(dir.path());
    let look = console.program().desk().unwrap().look();
    let off = Command::SetPolicy { name: "lock-minutes".into(), value: "off".into(), basis: None };
    look.engine.execute(&look.session, off).unwrap();
    console.advance(Duration::from_secs(24 * 3600)).sees("maria · admin");
}

#[test]
fn it_locks_before_it_goes_to_the_background() {
    let dir = tempfile::tempdir().unwrap();
    drop(founded(dir.path()));
    let mut console = signed_in(dir.path());
    console.press("ctrl-z").sees("Locked while keydeck was in the background");
    assert_eq!(console.suspensions, 1);
    console.type_text(PHRASE).press("enter").sees("maria · admin");
    console.hear(Msg::Suspending).sees("Locked while");
    assert_eq!(console.suspensions, 2);
}

#[test]
fn no_size_makes_the_door_fail() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = console(&dir.path().join("new"));
    drop(founded(dir.path()));
    let mut second = console(dir.path());
    for (width, height) in [(0, 0), (1, 1), (20, 5), (60, 15), (61, 16), (300, 90)] {
        first.resize(width, height);
        second.resize(width, height);
    }
}

/// The lid was closed for an hour: the steady clock stood still, and the first key comes before any tick.
#[test]
fn a_key_pressed_before_one_sees_that_it_is_locked_goes_nowhere() {
    use crate::tui::app::console::Keydeck;
    use crate::tui::app::desk::Desk;
    use crate::tui::chord::Chord;
    use crate::tui::input::Held;
    use crate::tui::program::Capture;

    let dir = tempfile::tempdir().unwrap();
    let look = testing::look(founded(dir.path()));
    let now = |minutes: i64| Now { at: Moment::default(), utc_ms: minutes * 60_000 };
    let desk = Desk::new(look, Vec::new(), false, Capture::Taken, now(0));
    let mut keydeck = Keydeck::open(testing::setting(), Way::Store(Box::new(options(dir.path()))), desk);
    let mut orders = Orders::new();
    let press = |key: &str| Msg::Input(Input::Key { chord: Chord::parse(key).unwrap(), held: Held::First });
    keydeck.update(press("j"), now(0), &mut orders);
    keydeck.update(press("j"), now(14), &mut orders);
    assert!(keydeck.desk().is_some());
    keydeck.update(press("x"), now(29), &mut orders);
    assert!(keydeck.desk().is_none());
    let mut buffer = ratatui::buffer::Buffer::empty(Rect::new(0, 0, 80, 24));
    keydeck.view(&mut buffer, now(29));
    let screen = crate::tui::testing::rows(&buffer).join("\n");
    assert!(screen.contains("no key was pressed for 15 minutes") && !screen.contains('•'), "{screen}");
}

#[test]
fn ctrl_c_at_the_door_asks_before_it_throws_away_what_is_half_filled_in() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = console(&dir.path().join("new"));
    first.type_text("Acme").press("ctrl-c").sees("What you filled in is not sent yet");
    assert!(!first.has_quit());
    first.press("ctrl-c");
    assert!(first.has_quit());
    drop(founded(dir.path()));
    let mut second = console(dir.path());
    second.type_text("maria").press("ctrl-c").sees("is not sent yet. The same key again");
    assert!(!second.has_quit());
    let mut third = console(dir.path());
    third.press("ctrl-c");
    assert!(third.has_quit(), "an empty form loses nothing");
}
