//! The panic button: what it stops is told first, it stops that at once, and lifting it leaves all as it was.

use serde_json::json;

use crate::support::desk::{Desk, Person};

/// Acme with two admins and a manager, a location and an app of each kind; the tokens of ann's and jo's keys.
fn house(desk: &Desk) -> (Person<'_>, Person<'_>, [String; 3]) {
    let (ann, jo) = (desk.hire("ann", "admin"), desk.hire("jo", "manager"));
    ann.does(&["location", "add", "Harbour"]);
    let nightly = ann.issues("Nightly export", "contacts.read");
    let at = ["key", "create", "--location", "Harbour", "--scope", "contacts.read", "--name"];
    let till =
        |who: &Person<'_>, name: &str| who.does(&[&at[..], &[name]].concat()).out.trim_end().to_owned();
    let (till_1, till_2) = (till(&ann, "Till 1"), till(&jo, "Till 2"));
    (ann, jo, [nightly, till_1, till_2])
}

#[test]
fn the_agency_is_locked_down_in_one_step_and_lifted_as_it_was() {
    let desk = Desk::founded();
    let (ann, jo, tokens) = house(&desk);
    let answers = || tokens.each_ref().map(|token| ann.verifies(token));
    ann.verifies(&tokens[0]);
    ann.does(&["key", "pause", "Till 1"]);
    let before = ["allow", "deny disabled", "allow"].map(str::to_owned);
    assert_eq!(answers(), before);

    // Nothing without a word: who is no terminal says it beforehand.
    ann.says(&["lockdown", "--agency"]).fails(2, "--yes");
    ann.says(&["lockdown"]).fails(2, "--agency");
    ann.says(&["lockdown", "--agency", "--owner", "jo"]).fails(2, "");
    let told = ann.does(&["lockdown", "--agency", "--dry-run"]);
    assert!(told.out.contains("Locking down the whole agency stops 1 key, 1 live key of others"), "{told:?}");
    assert!(told.out.contains("Nightly export (kdag_"), "{told:?}");
    assert_eq!(answers(), before, "a dry run changes nothing");
    let told = ann.asks(&["lockdown", "--agency", "--dry-run", "--all"]);
    assert_eq!((&told["done"], &told["keys"], &told["others"]), (&json!(false), &json!(2), &json!(0)));
    let used = told["used_last"].as_array().unwrap();
    for owner in ["ann", "jo"] {
        assert!(used.iter().any(|recent| recent["owner"] == owner), "{told}");
    }

    let said = ann.does(&["lockdown", "--agency", "--reason", "a laptop was stolen", "--yes"]);
    assert!(said.err.contains("Locked down: the whole agency"), "{said:?}");
    assert_eq!(answers(), ["deny locked_down"; 3].map(str::to_owned));
    ann.says(&["lockdown", "--agency", "--yes"]).fails(1, "already");
    // What is issued meanwhile is covered, and whoever issues it is told.
    let issue = ["key", "create", "--name", "New", "--agency", "--scope", "contacts.read"];
    let new = ann.does(&issue);
    assert!(new.err.contains("it is refused as long as it is locked down with the whole agency"), "{new:?}");
    assert_eq!(ann.verifies(new.out.trim_end()), "deny locked_down");

    let page = ann.does(&["key", "show", "Nightly export"]).out;
    assert!(
        page.contains("Locked down with the whole agency, since") && page.contains("a laptop was stolen"),
        "{page}"
    );
    assert_eq!(ann.asks(&["key", "show", "Nightly export"])["refused"], "locked_down");
    let list = ann.asks(&["lockdown", "list"]);
    let one = &list.as_array().unwrap()[..];
    assert_eq!(one.len(), 1);
    assert_eq!((&one[0]["covers"], &one[0]["by"]), (&json!("agency"), &json!("ann")));
    let due = ann.says(&["due", "--json"]).expect(1).json();
    assert!(due.as_array().unwrap().iter().any(|notice| notice["what"] == "locked_down"), "{due}");
    let board = ann.does(&["notices", "list"]).out;
    assert!(board.contains("locked down: a laptop was stolen (said by ann)"), "{board}");
    assert_eq!(ann.asks(&["info"])["store"]["unsealed"]["lockdowns"][0]["reason"], "a laptop was stolen");

    // A manager sees that, and lifts nothing of it.
    assert_eq!(jo.asks(&["lockdown", "list"]).as_array().unwrap().len(), 1);
    jo.says(&["lockdown", "lift", "--agency", "--yes"]).fails(1, "admin");

    let told = ann.does(&["lockdown", "lift", "--agency", "--dry-run"]).out;
    assert!(told.contains("gives back 2 keys, 1 live key of others"), "{told}");
    ann.says(&["lockdown", "lift", "--agency", "--if-rev", "0123456789abcdef", "--yes"]).fails(1, "changed");
    let lifted = ann.asks(&["lockdown", "lift", "--agency", "--yes"]);
    assert_eq!(lifted["done"], true);
    assert_eq!(answers(), before, "what was paused is paused");
    ann.says(&["lockdown", "lift", "--agency", "--yes"]).fails(1, "not locked down");
    assert!(ann.asks(&["lockdown", "list"]).as_array().unwrap().is_empty());
    let trail = ann.does(&["audit", "list"]).out;
    assert!(trail.contains("Acme") && trail.contains("why: a laptop was stolen"), "{trail}");
}

#[test]
fn an_owner_a_location_and_an_app_are_locked_down_each_by_itself() {
    let desk = Desk::founded();
    let (ann, jo, tokens) = house(&desk);
    let answers = || tokens.each_ref().map(|token| ann.verifies(token) == "allow");
    // A manager what is theirs, and nothing else.
    jo.says(&["lockdown", "--location", "Harbour", "--yes"]).fails(1, "admin");
    jo.does(&["lockdown", "--owner", "jo", "--yes"]);
    assert_eq!(answers(), [true, true, false]);
    ann.does(&["lockdown", "--owner", "jo", "--yes", "--reason", "not them"]);
    jo.says(&["lockdown", "lift", "--owner", "jo", "--yes"]).fails(1, "admin");
    let give = ["key", "transfer", "Till 2", "--to", "ann", "--all"];
    ann.says(&give).fails(1, "lockdown lift");
    ann.does(&["lockdown", "--location", "Harbour", "--yes"]);
    assert_eq!(answers(), [true, false, false]);
    // Of a location that was removed meanwhile as well.
    ann.does(&["location", "remove", "Harbour", "--yes"]);
    ann.does(&["lockdown", "lift", "--location", "Harbour", "--yes"]);
    ann.does(&["lockdown", "lift", "--owner", "jo", "--yes"]);
    assert_eq!(ann.verifies(&tokens[2]), "deny location_disabled");
    let app = [
        "app",
        "create",
        "--name",
        "Bot",
        "--uri",
        "https://bot.example",
        "--user-type",
        "guest",
        "--source",
        "bot",
        "--auth",
        "key",
        "--scope",
        "contacts.read",
    ];
    ann.does(&app);
    let token = ann.does(&["app", "new-key", "Bot", "--name", "Bot 1"]).out;
    ann.does(&["lockdown", "--app", "Bot", "--yes"]);
    assert_eq!(ann.verifies(token.trim_end()), "deny locked_down");
    let page = ann.does(&["app", "show", "Bot"]).out;
    assert!(page.contains("Locked down     with the app Bot"), "{page}");
    ann.does(&["lockdown", "lift", "--app", "Bot", "--yes"]);
    assert_eq!(ann.verifies(token.trim_end()), "allow");
}
