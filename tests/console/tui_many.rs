//! Many marked keys given another end, other scopes or a protection, and the report of it in a file, in a console made of memory.

use keydeck::domain::time::DAY_MS;
use keydeck::domain::{Command, Expiry, KeyState, Note, Place, Timestamp};

use crate::tui_keys::House;

#[test]
fn marked_keys_are_given_another_end_by_their_number_and_u_gives_each_its_own_back() {
    let house = House::new();
    house.agency_keys(&["Alpha", "Beta", "Gamma"]);
    let soon = Timestamp(house.engine.now().time.0 + 9 * DAY_MS);
    house.issue("Delta", Place::Agency, Expiry::At(soon));
    house.run(Command::revoke(house.key("Gamma").id));
    let mut console = house.console();
    console.press("a e").sees("Change the end of 4 keys").sees("30d").press("ctrl-u").type_text("90d");
    console.press("ctrl-s").sees("Change the end of 3 keys").sees("1 marked stays as it is (Gamma)");
    console
        .sees("Alpha: never used")
        .sees("For 2 of them that is sooner than now.")
        .sees("Type the number of keys");
    console.press("tab enter").sees("the number of keys exactly");
    console.type_text("3").press("enter").sees("3 keys are given another end; u takes it back");
    console.sees("ctrl-r saves");
    let ends = |called: &str| house.key(called).expiry;
    let at = Expiry::At(Timestamp(house.engine.now().time.0 + 90 * DAY_MS));
    assert_eq!(["Alpha", "Beta", "Delta"].map(ends), [at, at, at]);
    console.press("u").sees("Take back the edit of 3 keys");
    console.press("enter").sees("3 keys are");
    assert_eq!((ends("Alpha"), ends("Delta")), (Expiry::Never, Expiry::At(soon)));
}

#[test]
fn scopes_are_added_to_marked_keys_and_taken_away_at_once_and_those_that_had_none_of_it_are_told() {
    let house = House::new();
    house.agency_keys(&["Alpha", "Beta"]);
    let scopes = |called: &str| house.key(called).scopes.to_string();
    let mut console = house.console();
    console.press("a o").sees("Change the scopes of 2 keys").sees("nothing changed yet").press("ctrl-s");
    console.sees("tick what is added, or on the second page what is taken away");
    console.press("/").type_text("calendars.read").press("enter space").sees("+ calendars.read");
    console.press("tab enter").sees("2 of 2").press("space").sees("- contacts.read");
    console.press("ctrl-s").sees("Change the scopes of 2 keys").sees("+ calendars.read  - contacts.read");
    console.sees("is refused from the next request").type_text("2").press("enter");
    console.sees("2 keys are given other scopes; u takes it back");
    assert_eq!(["Alpha", "Beta"].map(scopes), ["calendars.read", "calendars.read"]);
    // One judged set: one entry of the trail names both.
    let page = house.engine.audit(&house.session, None, 10, None).unwrap();
    let entry = page.lines.iter().find(|line| line.entry.event == "key.rescope").unwrap();
    assert_eq!(entry.entry.subjects.len(), 2);
    console.press("u").sees("Take back the change of scopes of 2 keys").press("tab enter");
    assert_eq!(["Alpha", "Beta"].map(scopes), ["contacts.read", "contacts.read"]);
}

#[test]
fn marked_keys_are_protected_for_one_reason_and_of_a_mixed_selection_those_that_are_not() {
    let house = House::new();
    house.agency_keys(&["Alpha", "Beta", "Gamma"]);
    let why = Note::new("an older reason").unwrap();
    house.run(Command::ProtectKey { key: house.key("Beta").id, why });
    let mut console = house.console();
    console.press("a f").sees("Protect 3 keys").press("ctrl-s").sees("a reason is needed");
    console
        .type_text("for the auditors")
        .press("ctrl-s")
        .sees("Why: for the auditors")
        .sees("1 marked stays as it is (Beta)")
        .type_text("2")
        .press("enter");
    console.sees("2 keys are protected; u takes it back");
    let reason = |called: &str| house.key(called).protection.unwrap().why.to_string();
    assert_eq!(
        ["Alpha", "Beta", "Gamma"].map(reason),
        ["for the auditors", "an older reason", "for the auditors"]
    );
    // All are protected by now: the same key ends it.
    console.press("f").sees("Unprotect 3 keys");
}

#[test]
fn the_report_of_many_is_saved_as_the_command_line_prints_it_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::new();
    house.agency_keys(&["Alpha", "Beta", "Gamma"]);
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("report.json");
    let mut console = house.console();
    console.press("ctrl-r").sees("nothing was done to many keys here yet").press("a P").sees("Pause 3 keys");
    house.run(Command::revoke(house.key("Beta").id));
    console.press("tab enter").sees("1 of 3 not done").sees("ctrl-r").press("ctrl-r");
    console.sees("Save the report of 3 keys").sees("report-").press("ctrl-u");
    console.type_text(to.to_str().unwrap()).press("ctrl-s").sees("the report is in ");
    assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&to).unwrap()).unwrap();
    let ids = |names: &[&str]| -> Vec<String> {
        let mut ids: Vec<String> = names.iter().map(|called| house.key(called).id.to_string()).collect();
        ids.sort();
        ids
    };
    let mut done: Vec<&str> =
        report["done"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    done.sort_unstable();
    assert_eq!(done, ids(&["Alpha", "Gamma"]));
    assert_eq!((&report["found"], &report["undo"]), (&3.into(), &"resume".into()));
    assert_eq!(report["refused"][0]["name"], "Beta");
    assert_eq!(report["takes_back"].as_array().unwrap().len(), 2);
    // From the screen too, and one that is there is left as it is.
    console.press("esc ctrl-r ctrl-u").type_text(to.to_str().unwrap()).press("ctrl-s").sees("exists");
}

#[test]
fn each_line_of_the_menu_is_about_the_marked_keys_or_says_that_it_is_about_the_row() {
    let house = House::new();
    house.agency_keys(&["Alpha", "Beta", "Gamma"]);
    let mut console = house.console();
    console.press("space space x").sees("With these 2 keys").sees("Change their end");
    console
        .sees("See everything about it (only Gamma)")
        .sees("How to call with it (only Gamma)")
        .press("esc");
    // One that is marked while the cursor is elsewhere is no less meant.
    console
        .press("A g space x")
        .sees("With the marked Alpha")
        .sees("(only Beta)")
        .type_text("pause")
        .press("enter");
    console.sees("Pause key").sees("Alpha").press("tab enter").sees("Alpha is paused");
    assert_eq!((house.state_of("Alpha"), house.state_of("Beta")), (KeyState::Paused, KeyState::Active));
    console.press("A").sees_no("marked").press("x").sees("With this key").sees_no("only Beta");
}
