//! Keys that change, by words: revoked for a reason, made like one another, edited, kept, and told of by the policy of their
//! kind.

use crate::support::desk::Desk;
use serde_json::json;

#[test]
fn why_a_key_was_revoked_is_told_by_its_page_and_by_the_trail_in_every_form() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let token = ann.issues("Widget", "contacts.read");
    ann.issues("Other", "contacts.read");
    ann.says(&["key", "revoke", "Widget", "--reason", "stolen"])
        .fails(2, "leaked, unused, replaced, owner-left");
    ann.says(&["key", "revoke", "Widget", "--because", "a\u{202e}b"]).fails(2, "--because");
    let said =
        ann.asks(&["key", "revoke", "Widget", "--reason", "leaked", "--because", "a screenshot shows it"]);
    assert_eq!(
        (&said["revoked"]["reason"], &said["revoked"]["because"]),
        (&json!("leaked"), &json!("a screenshot shows it"))
    );
    assert!(said["revoked"]["since"].is_string() && said["protected"].is_null());
    assert_eq!(ann.verifies(&token), "deny revoked");
    let page = ann.does(&["key", "show", "Widget"]).out;
    assert!(page.contains("Reason      leaked: a screenshot shows it"), "{page}");
    let list = ann.does(&["audit", "list"]).out;
    assert!(list.contains("reason: leaked; because: a screenshot shows it"), "{list}");
    let rows = ann.asks(&["audit", "list", "--key", "Widget"]);
    let changes = json!([
        { "field": "reason", "from": "", "to": "leaked" },
        { "field": "because", "from": "", "to": "a screenshot shows it" },
    ]);
    let revoked = rows.as_array().unwrap().iter().find(|row| row["event"] == "key.revoke").unwrap();
    assert_eq!(revoked["changes"], changes);
    for format in ["jsonl", "csv"] {
        let export = ann.does(&["audit", "export", "--format", format]).out;
        assert!(export.contains("leaked") && export.contains("a screenshot shows it"), "{export}");
    }
    // Nobody has to say anything.
    let silent = ann.asks(&["key", "revoke", "Other"]);
    assert_eq!((&silent["revoked"]["reason"], &silent["revoked"]["because"]), (&json!("other"), &json!("")));
    assert!(!ann.does(&["key", "show", "Other"]).out.contains("Reason"));
}

#[test]
fn a_reason_that_holds_for_both_halves_of_a_rotation_is_told_once() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    ann.issues("Widget", "contacts.read");
    let new = ann.asks(&["key", "rotate", "Widget"]);
    let old = new["succeeds"].as_str().unwrap();
    ann.does(&["key", "revoke", "Widget", "--reason", "owner-left"]);
    let list = ann.does(&["audit", "list", "--limit", "2"]).out;
    assert_eq!(list.matches("reason: owner-left").count(), 1, "{list}");
    assert_eq!(ann.asks(&["key", "show", old])["revoked"]["reason"], "owner-left");
    ann.issues("Gadget", "contacts.read");
    ann.does(&["key", "rotate", "Gadget"]);
    let ended = ann.asks(&["key", "rotate", "Gadget", "--finish"]);
    assert_eq!(ended["revoked"]["reason"], "replaced");
}

#[test]
fn a_key_like_another_takes_over_what_is_not_said() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    ann.does(&["location", "add", "Berlin Mitte"]);
    let first = ann.asks(&[
        "key",
        "create",
        "--name",
        "Till 1",
        "--location",
        "Berlin Mitte",
        "--scope",
        "contacts.read",
        "--expires",
        "90d",
        "--note",
        "the counter",
        "--contact",
        "ops@acme.example",
    ]);
    let second = ann.asks(&["key", "create", "--like", "Till 1"]);
    for field in ["kind", "location", "scopes", "note", "contacts", "state", "owner"] {
        assert_eq!(first[field], second[field], "{field}");
    }
    assert_eq!((&second["name"], &second["contacts"]), (&json!("Till 2"), &json!(["ops@acme.example"])));
    assert!(second["expires_at"].as_str() >= first["expires_at"].as_str(), "as long a life, from now on");
    for secret in ["id", "token"] {
        assert_ne!(first[secret], second[secret]);
    }
    assert_eq!(ann.asks(&["key", "create", "--like", "Till 1"])["name"], "Till 3");
    let other = ann.asks(&[
        "key",
        "create",
        "--like",
        "Till 1",
        "--name",
        "Office",
        "--agency",
        "--scope",
        "calendars.read",
        "--expires",
        "never",
        "--note",
        "",
        "--contact",
        "web@acme.example",
    ]);
    let said = ["kind", "scopes", "expires_at", "note", "contacts"].map(|field| other[field].clone());
    let expected =
        [json!("agency"), json!(["calendars.read"]), json!(null), json!(""), json!(["web@acme.example"])];
    assert_eq!(said, expected);
    ann.says(&["key", "create", "--name", "X", "--scope", "contacts.read"]).fails(2, "--like");
    ann.says(&["key", "create", "--like", "Nothing"]).fails(1, "no such key");
    desk.hire("bob", "manager");
    desk.by_key_file("bob.key").says(&["key", "create", "--like", "Till 1"]).fails(1, "no such key");
}

#[test]
fn all_that_is_edited_at_once_is_one_change_of_the_key() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    ann.issues("Widget", "contacts.read");
    ann.does(&["key", "edit", "Widget", "--note", "moved", "--contact", "ops@acme.example"]);
    let rows = ann.asks(&["audit", "list", "--key", "Widget"]);
    let fields: Vec<_> =
        rows[0]["changes"].as_array().unwrap().iter().map(|change| &change["field"]).collect();
    assert_eq!((&rows[0]["event"], fields), (&json!("key.edit"), vec![&json!("note"), &json!("contacts")]));
    let key = ann.asks(&["key", "edit", "Widget", "--contact", "none"]);
    assert_eq!((&key["contacts"], &key["note"]), (&json!([]), &json!("moved")));
}

#[test]
fn who_keeps_or_protects_a_key_that_ends_is_told_that_it_still_does() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    ann.does(&["key", "create", "--name", "Ends", "--agency", "--scope", "contacts.read", "--expires", "5d"]);
    ann.issues("Stays", "contacts.read");
    for (words, said) in [(vec!["keep"], "is kept."), (vec!["protect", "--why", "needed"], "is protected.")] {
        let told = |called| {
            let all: Vec<&str> =
                ["key", words[0], called].into_iter().chain(words[1..].iter().copied()).collect();
            ann.does(&all).err
        };
        let (ends, stays) = (told("Ends"), told("Stays"));
        assert!(
            ends.contains(said) && ends.contains("It still ends in ") && ends.contains("--expires"),
            "{ends}"
        );
        assert!(stays.contains(said) && !stays.contains("still ends"), "{stays}");
    }
    let key = ann.asks(&["key", "show", "Ends"]);
    assert_eq!((&key["protected"]["by"], &key["protected"]["why"]), (&json!("ann"), &json!("needed")));
}

#[test]
fn keys_of_a_kind_are_told_of_as_early_as_the_policy_says_for_that_kind() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    ann.does(&["location", "add", "Berlin Mitte"]);
    let create = |called, place: &[&str]| {
        let words = ["key", "create", "--name", called, "--scope", "contacts.read", "--expires", "20d"];
        ann.does(&[&words[..], place].concat());
    };
    create("Office", &["--agency"]);
    create("Till", &["--location", "Berlin Mitte"]);
    let dry = ann.does(&["policy", "set", "notice-days-location", "30", "--dry-run"]).err;
    assert!(dry.contains("1 key would be told of at once, since its end is near: Till"), "{dry}");
    assert_eq!(ann.asks(&["notices", "list"]), json!([]));
    assert_eq!(ann.asks(&["policy", "set", "notice-days-location", "30"])["notice-days-location"], "30d");
    let told = ann.asks(&["notices", "list"]);
    assert_eq!((told.as_array().unwrap().len(), &told[0]["name"]), (1, &json!("Till")), "{told}");
    ann.does(&["key", "edit", "Office", "--notice", "25"]);
    assert_eq!(ann.asks(&["notices", "list"]).as_array().unwrap().len(), 2, "a key's own days stay its own");
    assert_eq!(
        ann.asks(&["policy", "set", "notice-days-location", "default"])["notice-days-location"],
        "default"
    );
    ann.says(&["policy", "set", "notice-days-app", "never"]).fails(1, "default or a number of days");
}

#[test]
fn whoever_stops_the_keys_of_somebody_who_leaves_is_told_how_many_and_how_they_work_again() {
    let desk = Desk::founded();
    let maria = desk.maria();
    let bob = desk.hire("bob", "admin");
    let token = bob.issues("Widget", "contacts.read");
    let said = maria.does(&["operator", "disable", "bob", "--keys", "stop"]).err;
    assert!(
        said.contains("Their keys stop: 1 live key.") && said.contains("keydeck key transfer KEY --to OTHER"),
        "{said}"
    );
    assert_eq!(maria.verifies(&token), "deny owner_disabled");
    maria.does(&["key", "transfer", "Widget", "--to", "maria", "--all"]);
    assert_eq!(maria.verifies(&token), "allow");
}
