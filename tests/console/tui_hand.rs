//! What a person does with hand and eye: the mouse, the cursor that a magnifier follows, themes, mistakes in their files.

#![expect(clippy::panic, reason = "a test may stop")]

use std::time::Duration;

use keydeck::tui::Located;
use keydeck::tui::app::testing::{Console, desk_mistaken, whole_desk};
use keydeck::tui::input::Gesture;
use keydeck::tui::keymap::Keymap;
use keydeck::tui::screens;

fn at_cursor(console: &Console) -> String {
    console.at_cursor().unwrap_or_else(|| panic!("no cursor on\n{}", console.screen()))
}

#[test]
fn one_click_selects_and_two_in_a_moment_open() {
    let mut console = whole_desk();
    console.press("7 esc g").click_on("Security").sees("Locks itself").sees("▸ Security");
    console.advance(Duration::from_secs(1)).click_on("Policy").sees("▸ Policy");
    console.advance(Duration::from_secs(1)).click_on("Keys per operator").sees("▸  Keys per operator");
    assert!(console.program().desk().unwrap().overlays().is_empty(), "one click opens nothing");
    console.advance(Duration::from_secs(1)).click_on("Keys per operator");
    assert!(console.program().desk().unwrap().overlays().is_empty(), "nor do two with a pause between them");
    console.click_on("Keys per operator");
    assert!(!console.program().desk().unwrap().overlays().is_empty(), "two in a moment open it");
}

#[test]
fn suggestions_are_chosen_by_the_mouse() {
    let mut console = whole_desk();
    console.press("1 n").sees("New key").click_on("30d").sees("Expires   30d");
}

#[test]
fn the_wheel_scrolls_what_it_is_over_and_takes_the_keyboard_nowhere() {
    let mut console = whole_desk();
    console.resize(120, 20).press("7 esc g");
    let before = console.screen();
    console.wheel_on("Keys per operator", Gesture::WheelDown);
    assert_ne!(before, console.screen(), "the list under the pointer moves");
    assert!(at_cursor(&console).starts_with("▸ Policy"), "the keyboard stays where it was");
    console.press("1 n");
    let field = at_cursor(&console);
    console.wheel_on("30d", Gesture::WheelDown);
    assert_eq!(field, at_cursor(&console));
}

#[test]
fn trees_and_choices_are_walked_with_j_and_k_too() {
    for (down, up) in [("down", "up"), ("j", "k")] {
        let mut console = whole_desk();
        console.press("1 o").sees("Scopes");
        let first = at_cursor(&console);
        console.press(down).press(down);
        let walked = at_cursor(&console);
        console.press(up).press(down);
        assert_eq!(walked, at_cursor(&console), "{down} {up}");
        assert!(!first.is_empty());
    }
}

/// Where a list has the keyboard.
const LISTS: [&str; 12] = [
    "1",
    "2",
    "2 l",
    "3",
    "3 l",
    "4",
    "5",
    "6",
    "7 esc g",
    "7 esc g enter",
    "7 esc g j enter",
    "7 esc g j j enter",
];

/// Where something else has it.
const OTHERS: [&str; 44] = [
    "1 /",
    "1 s",
    "1 S",
    "1 n",
    "1 e",
    "1 o",
    "1 m",
    "1 -",
    "1 _",
    "1 P",
    "1 X",
    "1 D",
    "1 R",
    "1 L",
    "1 O",
    "1 f",
    "1 x",
    "1 ?",
    "1 :",
    "1 f2",
    "1 f3",
    "1 H",
    "1 w",
    "1 t",
    "1 b",
    "1 J",
    "1 I",
    "1 l",
    "2 n",
    "2 j e",
    "2 j D",
    "3 n",
    "3 e",
    "3 H",
    "3 R",
    "3 D",
    "3 i",
    "4 enter",
    "5 l",
    "5 Y",
    "6 enter",
    "7 esc g enter enter",
    "7 esc g j enter enter",
    "7 n",
];

#[test]
fn the_cursor_stands_on_what_has_the_keyboard_on_every_screen_and_overlay() {
    for keys in LISTS {
        let mut console = whole_desk();
        console.press(keys);
        assert!(at_cursor(&console).starts_with('▸'), "{keys}:\n{}", console.screen());
    }
    for keys in OTHERS {
        let mut console = whole_desk();
        console.press(keys);
        assert!(!at_cursor(&console).trim().is_empty(), "{keys}:\n{}", console.screen());
    }
}

#[test]
fn themes_are_tried_on_while_one_walks_and_esc_goes_back() {
    let mut console = whole_desk();
    console.press("1 f3").sees("as it began").press("down down").press("esc").sees_no("as it began");
    console
        .press("f3 down")
        .press("enter")
        .sees("for now; theme = \"dark\" in the configuration file keeps it");
    console.press("f3").sees("now").press("esc");
    assert_eq!(console.program().desk().unwrap().look().worn, Some("dark"));
    console.press("f3 down down down esc");
    assert_eq!(console.program().desk().unwrap().look().worn, Some("dark"));
    console.press(":").type_text("theme light").press("enter");
    assert_eq!(console.program().desk().unwrap().look().worn, Some("light"));
}

#[test]
fn all_mistakes_in_the_files_are_listed_with_their_places() {
    let (_, mistakes) = Keymap::with_file("keys.toml", "[screen]\nrevok = \"f5\"\nedit = \"n\"\n");
    let mut console = desk_mistaken(&mistakes, screens::all());
    console.press("1 f4").sees("Mistakes in your settings").sees("keys.toml").sees("line 2").sees("line 3");
    console.sees("did you mean \"revoke\"?").sees("already means \"new\"").press("esc").sees_no("line 2");
    let none: &[Located] = &[];
    desk_mistaken(none, screens::all())
        .press("1 f4")
        .sees("nothing is wrong in configuration, keymap and theme");
}
