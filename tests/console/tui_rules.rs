//! Rules that hold on every screen: how Esc steps back, that no state is told by colour alone, whose the mouse is, and where a
//! new secret stands.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::collections::HashSet;

use keydeck::tui::app::testing::{Console, desk_on, sample, whole_desk};
use keydeck::tui::program::Capture;
use keydeck::tui::screens;
use keydeck::tui::testing::FakeClipboard;

fn overlays(console: &Console) -> Vec<&'static str> {
    console.program().desk().unwrap().overlays()
}

/// Fills in a new key and issues it.
fn issue(console: &mut Console, called: &str) {
    console.press("1 n").type_text(called).press("tab tab tab tab tab /").type_text("contacts.read");
    console.press("enter space ctrl-s");
    console.sees("is issued");
}

#[test]
fn esc_goes_one_step_back_from_the_inmost_to_the_outmost_and_never_quits() {
    let mut console = whole_desk();
    // From the outside in: a detail, marks, a filter, a form, the list of one of its fields.
    console.press("2 l").press("g space space").sees("2 marked");
    console.press("/").type_text("a").press("enter").sees("/ a");
    console.press("n tab tab").type_text("prenz").sees("Berlin Prenzlauer Berg");
    let form = overlays(&console);
    assert_eq!(form.len(), 1);
    console.press("esc").sees_no("Berlin Prenzlauer Berg").sees("Issue key");
    assert_eq!(overlays(&console), form, "the list of the field goes alone");
    console.press("esc");
    assert_eq!(overlays(&console), Vec::<&str>::new(), "the form");
    console.sees("/ a").sees("2 marked");
    // A line that is being written is the inmost again.
    console.press("/").type_text("b").sees("/ ab").press("esc").sees_no("/ ab").sees("2 marked");
    console.press("esc").sees_no("2 marked");
    console.press("esc esc esc esc esc esc").sees("there is nothing to step back from; q quits");
    assert!(!console.has_quit());
    // The detail that stands beside a list goes after its marks.
    console.press("1 g space space").press("/").type_text("e").press("enter").sees("/ e").sees("2 marked");
    console.sees("Created");
    console.press("esc").sees_no("/ e").sees("2 marked").sees("Created");
    console.press("esc").sees_no("2 marked").sees("Created");
    console.press("esc").sees_no("Created");
    console.press("esc").sees("there is nothing to step back from; q quits");
    assert!(!console.has_quit());
}

#[test]
fn every_state_has_a_sign_and_a_word_of_its_own_on_the_screen_without_any_colour() {
    let mut console = desk_on(sample(), screens::all(), (120, 40), &FakeClipboard::default());
    let states = [
        ("state:active", "●", "active"),
        ("state:expiring", "▲", "expires soon"),
        ("state:expired", "○", "expired"),
        ("state:revoked", "✗", "revoked"),
        ("state:paused", "‖", "paused"),
        ("webhook", "◐", "gone in"),
        ("partner", "↻", "grace"),
    ];
    let mut signs = HashSet::new();
    for (asked, sign, word) in states {
        console.press("1 g /").type_text(asked).press("enter");
        let screen = console.screen();
        let told = screen.lines().any(|line| line.contains(&format!("{sign} {word}")));
        assert!(told, "{asked}: {screen}");
        assert!(signs.insert(sign), "{sign} is told twice");
        console.press("esc");
    }
    // A plain console has no colour in any cell.
    let buffer = console.buffer();
    let colours: HashSet<_> = buffer.content().iter().flat_map(|cell| [cell.fg, cell.bg]).collect();
    assert_eq!(colours.len(), 1, "{colours:?}");
}

#[test]
fn the_mouse_is_the_terminals_while_a_secret_is_shown_and_whenever_somebody_wants_it() {
    let mut console = whole_desk();
    console.press("M").sees("select text with it");
    assert_eq!(console.mouse, Some(Capture::Free));
    console.press("M").sees("click tabs, rows and hints");
    assert_eq!(console.mouse, Some(Capture::Taken));
    issue(&mut console, "Weekly export");
    assert_eq!(console.mouse, Some(Capture::Free), "it can be selected there");
    console.press("c space enter").sees_no("I stored it");
    assert_eq!(console.mouse, Some(Capture::Taken));
}

#[test]
fn a_bare_secret_stands_on_one_line_with_nothing_beside_it_in_every_size_and_is_gone_when_closed() {
    for size in [(120, 40), (80, 24), (60, 15)] {
        let clipboard = FakeClipboard::default();
        let mut console = desk_on(sample(), screens::all(), size, &clipboard);
        issue(&mut console, "Weekly export");
        console.press("c");
        let token = clipboard.text();
        assert_eq!(token.len(), 56);
        for keys in ["r", "p"] {
            console.press(keys);
            let screen = console.screen();
            let line =
                screen.lines().find(|line| line.contains(&token)).unwrap_or_else(|| panic!("{screen}"));
            assert_eq!(line.trim(), token, "{size:?} {keys}");
        }
        console.press("esc space enter").sees_no(&token).sees_no(&token[18..50]);
        // Nor does it come back with anything that lists what was done.
        for keys in ["6", "1 :", "esc ?"] {
            console.press(keys).sees_no(&token[18..50]);
        }
    }
}
