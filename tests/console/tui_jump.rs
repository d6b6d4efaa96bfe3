//! One jump to anything, as a person uses it: typed, chosen, and there.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::time::Duration;

use keydeck::domain::{KeyState, Place};
use keydeck::tui::action::Tab;
use keydeck::tui::app::testing::{Console, desk_on, sample, whole_desk};
use keydeck::tui::screens;
use keydeck::tui::testing::FakeClipboard;

const A_LITTLE: Duration = Duration::from_millis(200);

fn tab(console: &Console) -> Option<Tab> {
    console.program().desk().unwrap().tab()
}

fn is_closed(console: &Console) -> bool {
    console.program().desk().unwrap().overlays().is_empty()
}

#[test]
fn one_jump_leads_to_a_key_wherever_one_is_and_esc_leads_back() {
    for key in ["ctrl-k", "ctrl-p", ":"] {
        let mut console = whole_desk();
        console.press("3").press(key).type_text("nightly exp").sees("key       Nightly export");
        console.press("enter").sees("warehouse load at 02:00");
        assert!(is_closed(&console));
        assert_eq!(tab(&console), Some(Tab::Agency));
        console.press("esc");
        assert_eq!(tab(&console), Some(Tab::Apps));
    }
}

#[test]
fn where_there_is_no_room_for_both_the_detail_is_open() {
    let mut console = desk_on(sample(), screens::all(), (80, 24), &FakeClipboard::default());
    console.press("6 ctrl-k").type_text("data ware").press("enter").sees("read replicas only");
}

#[test]
fn places_people_and_settings_are_found_without_their_accents() {
    let mut console = whole_desk();
    console.press("ctrl-k").type_text("gracia").sees("location  Barcelona Gràcia").press("enter");
    assert_eq!(tab(&console), Some(Tab::Locations));
    console.sees("▸ Barcelona Gràcia");
    console.press("ctrl-k").type_text("tomas").sees("operator  tomás").press("enter");
    assert_eq!(tab(&console), Some(Tab::Settings));
    console.sees("▸  tomás").press("ctrl-k").type_text("keys per oper").press("enter");
    console.sees("changes it; so does `keydeck policy set keys-per-operator VALUE`.");
    console.press("ctrl-k").type_text("booking bot").sees("app       Booking bot").press("enter");
    assert_eq!(tab(&console), Some(Tab::Apps));
    console.sees("▸  Booking bot");
}

#[test]
fn an_action_is_done_with_what_is_selected_and_one_that_cannot_be_says_why() {
    let mut console = whole_desk();
    console.press("1 ctrl-k").type_text("data warehouse").press("enter");
    console.press("ctrl-k").type_text("revoke the key").sees("action    Revoke the key for good");
    console.press("enter").sees("Revoke key").sees("Data warehouse").press("esc");
    console.press(":").type_text("lock the console").press("enter").sees("the demo has no passphrase");
    console.press("esc");
    assert!(is_closed(&console));
}

#[test]
fn what_an_operator_may_not_see_is_not_found() {
    let open = sample();
    let own = open.session.actor().operator;
    let now = open.engine.now().time;
    let (name, id) = {
        let state = open.engine.state();
        let theirs = state
            .keys()
            .find(|key| key.owner != own && key.place == Place::Agency && key.state(now) == KeyState::Active);
        let theirs = theirs.unwrap();
        (theirs.name.to_string(), theirs.id.to_string())
    };
    let mut console = desk_on(open, screens::all(), (120, 40), &FakeClipboard::default());
    console.press("ctrl-k").type_text(&id).sees(&format!("key       {name}")).press("esc");
    console.press("W").sees("you see your own keys only");
    console.press("ctrl-k").type_text(&id).sees("nothing matches");
}

#[test]
fn of_the_trail_is_found_what_was_read_and_typing_reads_none_of_it() {
    let open = sample();
    let read = |open: &keydeck::engine::open::Open| {
        let page = open.engine.audit(&open.session, None, 100, None).unwrap();
        page.lines.iter().filter(|line| line.entry.event == "audit.read").count()
    };
    let engine = std::sync::Arc::clone(&open.engine);
    let session = open.session.clone();
    let before = read(&open);
    let mut console = desk_on(open, screens::all(), (120, 40), &FakeClipboard::default());
    console.press("ctrl-k").type_text("revoked reporting").sees("nothing matches").press("esc");
    let again = keydeck::engine::open::Open { engine, session, notices: Vec::new() };
    assert_eq!(read(&again), before, "nobody read the trail");
    console.press("6").advance(A_LITTLE).press("1 ctrl-k").type_text("revoked reporting");
    console.sees("audit     Revoked Reporting (old)").press("enter").advance(A_LITTLE);
    assert_eq!(tab(&console), Some(Tab::Audit));
    console.sees("key.revoke");
}

#[test]
fn whoever_has_walked_to_a_row_stays_on_it_and_another_letter_begins_at_the_top() {
    let mut console = whole_desk();
    console.press("ctrl-k").type_text("berlin").press("down down").type_text("x").press("ctrl-u");
    console.sees("Create a key, a location or an app").type_text("zzqq").sees("nothing matches");
}

#[test]
fn an_action_with_a_name_behind_it_asks_its_own_question_about_that_one_thing() {
    let mut console = whole_desk();
    // From wherever one is, whatever is marked.
    console.press("1 a 3 :").type_text("revoke nightly exp").sees("action    Revoke: Nightly export");
    console.press("enter").sees("Revoke key").sees("Type its name to confirm: Nightly export").press("esc");
    assert_eq!(tab(&console), Some(Tab::Agency));
    console.press("esc esc 3 :").type_text("pause booking").sees("Pause: Booking bot").press("enter");
    console.sees("Pause app").press("esc");
    assert_eq!(tab(&console), Some(Tab::Apps));
    console.press(":").type_text("rename gracia").press("enter").sees("Rename Barcelona Gràcia").press("esc");
    console.press(":").type_text("lock down gracia").sees("Lock down: Barcelona Gràcia").press("enter");
    console.sees("Lock down the location Barcelona Gràcia").press("esc");
    // Of several all are listed, and what does not fit says why.
    console.press("1 :").type_text("resume nightly exp").sees("it is so already").press("enter").press("esc");
    assert!(is_closed(&console));
    console.press(":").type_text("go gracia").sees("location  Barcelona Gràcia").press("enter");
    assert_eq!(tab(&console), Some(Tab::Locations));
    console.press("1 :").type_text("filter expires<7d OR Nightly").sees("filter    expires<7d OR Nightly");
    console.press("enter").sees("/ expires<7d OR Nightly");
    assert_eq!(tab(&console), Some(Tab::Agency));
}

#[test]
fn a_name_that_holds_the_word_comes_before_actions_that_hold_its_letters() {
    let mut console = whole_desk();
    console.press(":").type_text("gra");
    let screen = console.screen();
    let at = |text: &str| screen.lines().position(|line| line.contains(text)).unwrap_or(usize::MAX);
    assert!(at("Barcelona Gràcia") < at("action    "), "{screen}");
}
