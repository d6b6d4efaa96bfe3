//! What would break is told before it does: which keys stop or lose what, who uses them now, how much, and nothing is changed.

use serde_json::{Value, json};

use crate::support::desk::{Desk, Person};

/// Acme with an admin who has a till at the harbour, of which a request was just allowed, and a manager who has another.
fn house(desk: &Desk) -> (Person<'_>, Person<'_>, [String; 2]) {
    let (ann, jo) = (desk.hire("ann", "admin"), desk.hire("jo", "manager"));
    ann.does(&["location", "add", "Harbour"]);
    let at = ["key", "create", "--location", "Harbour", "--scope", "contacts.read", "--name"];
    let till =
        |who: &Person<'_>, name: &str| who.does(&[&at[..], &[name]].concat()).out.trim_end().to_owned();
    let tokens = [till(&ann, "Till 1"), till(&jo, "Till 2")];
    assert_eq!(ann.verifies(&tokens[0]), "allow");
    (ann, jo, tokens)
}

fn allowed(count: u64) -> Value {
    json!({ "allowed": count, "denied": 0, "complete": true })
}

#[test]
fn what_stops_with_a_location_is_told_before_it_is_removed() {
    let desk = Desk::founded();
    let (ann, jo, tokens) = house(&desk);
    let remove = ["location", "remove", "Harbour", "--dry-run"];
    let told = ann.does(&remove);
    let said = "Removing the location Harbour stops 1 key, 1 live key of others: 1 in use now, 1 used within a day; how those \
                of others are used is not in view.";
    assert!(told.out.starts_with(said) && told.err.contains("Nothing was changed."), "{told:?}");
    assert!(told.out.contains("\nIn use now  1 of 1: Till 1"), "{told:?}");
    assert!(
        told.out.contains(
            "\n24 hours    at least 1 request allowed, 0 refused; those of others are not in view\n"
        ),
        "{told:?}"
    );
    assert!(told.out.contains("Till 1 (kdlo_"), "{told:?}");
    let stops = &ann.asks(&remove)["stops"];
    assert_eq!((&stops["requests"]["complete"], &stops["use_unknown"]), (&json!(false), &json!(1)));
    let told = ann.asks(&[&remove[..], &["--all"]].concat());
    let stops = &told["stops"];
    assert_eq!(
        (&stops["keys"], &stops["others"], &stops["used_within_5_min"]),
        (&json!(2), &json!(0), &json!(1))
    );
    assert_eq!((&stops["requests"], &stops["used_last"][0]["name"]), (&allowed(1), &json!("Till 1")));
    assert_eq!(stops["used_last"][0]["requests"], allowed(1));
    jo.says(&remove).fails(1, "admin");
    assert!(tokens.iter().all(|token| ann.verifies(token) == "allow"));
    ann.does(&["location", "remove", "Harbour", "--yes"]);
    assert!(tokens.iter().all(|token| ann.verifies(token) != "allow"));
}

#[test]
fn of_keys_of_others_nothing_is_told_as_none_and_a_rotated_key_is_one_key() {
    let desk = Desk::founded();
    let (ann, jo, tokens) = house(&desk);
    ann.does(&["location", "add", "Depot"]);
    let at = ["key", "create", "--location", "Depot", "--scope", "contacts.read", "--name", "Gate"];
    let token = jo.does(&at).out.trim_end().to_owned();
    assert_eq!(ann.verifies(&token), "allow");
    for words in
        [&["location", "remove", "Depot", "--dry-run"][..], &["lockdown", "--location", "Depot", "--dry-run"]]
    {
        let told = ann.asks(words);
        let stops = told.get("stops").unwrap_or(&told);
        assert_eq!(
            (&stops["keys"], &stops["others"], &stops["use_unknown"]),
            (&json!(0), &json!(1), &json!(1))
        );
        assert_eq!(stops["requests"]["complete"], json!(false), "{words:?}");
        assert!(stops["used_within_5_min"].is_null() && stops["used_within_a_day"].is_null(), "{told}");
        let told = ann.does(words);
        assert!(!told.out.contains("no request"), "{told:?}");
    }
    // Both halves of a rotation are one key, in words and in JSON.
    ann.does(&["key", "rotate", "Till 1"]);
    jo.does(&["key", "rotate", "Till 2"]);
    let remove = ["location", "remove", "Harbour", "--dry-run", "--all"];
    let told = ann.does(&remove);
    assert!(told.out.contains("stops 2 keys: "), "{told:?}");
    assert_eq!(ann.asks(&remove)["stops"]["keys"], json!(2));
    let lock = ["lockdown", "--location", "Harbour", "--dry-run", "--all"];
    assert_eq!(ann.asks(&lock)["keys"], json!(2));
    let disable = ["operator", "disable", "jo", "--dry-run", "--all", "--keys", "stop"];
    let told = ann.does(&disable);
    assert!(told.out.contains("Their keys stop: 2 live keys. "), "{told:?}");
    assert_eq!(ann.asks(&disable)["stops"]["keys"], json!(2));
    assert!(tokens.iter().all(|token| ann.verifies(token) == "allow"));
}

#[test]
fn what_becomes_of_somebodys_keys_is_told_before_their_access_ends() {
    let desk = Desk::founded();
    let (ann, jo, tokens) = house(&desk);
    assert_eq!(ann.verifies(&tokens[1]), "allow");
    let disable = |keys: &'static str| ["operator", "disable", "jo", "--dry-run", "--all", "--keys", keys];
    let told = ann.does(&disable("stop"));
    assert!(told.out.starts_with("jo could not sign in any more. Their keys stop: 1 live key."), "{told:?}");
    assert!(told.out.contains("\nIn use now  1 of 1: Till 2"), "{told:?}");
    let stops = &ann.asks(&disable("stop"))["stops"];
    assert_eq!((&stops["keys"], &stops["requests"]), (&json!(1), &allowed(1)));
    for keys in ["work", "give:ann"] {
        assert_eq!(ann.asks(&disable(keys))["stops"]["keys"], json!(0), "{keys}");
    }
    // What would be refused is not told as if it could be done.
    jo.says(&["operator", "disable", "ann", "--dry-run", "--keys", "stop"]).fails(1, "");
    assert_eq!(ann.verifies(&tokens[1]), "allow");
    // What is locked down as well does not go on working.
    ann.does(&["lockdown", "--location", "Harbour", "--yes"]);
    let told = ann.does(&disable("work"));
    assert!(
        told.out.contains("But 1 of them is locked down as well: refused until that is lifted."),
        "{told:?}"
    );
    assert_eq!(ann.asks(&disable("stop"))["stops"]["keys"], json!(0), "it is refused already");
}

#[test]
fn a_policy_that_ends_keys_sooner_says_how_those_are_used() {
    let desk = Desk::founded();
    let (ann, ..) = house(&desk);
    let set = ["policy", "set", "idle-days", "30d", "--dry-run"];
    let told = ann.asks(&set);
    assert_eq!((&told[0]["what"], &told[0]["stops"]["requests"]), (&json!("deleted_sooner"), &allowed(1)));
    assert_eq!(told[0]["stops"]["used_within_5_min"], json!(1));
    let told = ann.does(&set);
    assert!(
        told.err.contains("In use now  1 of 1: Till 1") && told.err.contains("Nothing was changed."),
        "{told:?}"
    );
    // What takes nothing away has nobody who uses it to tell of.
    let told = ann.asks(&["policy", "set", "idle-days", "off", "--dry-run"]);
    assert_eq!((&told[0]["what"], &told[0]["stops"]), (&json!("deleted_later"), &Value::Null));
}

#[test]
fn what_an_app_and_its_keys_would_lose_is_told_before_its_scopes_are_taken_away() {
    let desk = Desk::founded();
    let maria = desk.maria();
    let profile = ["--uri", "https://example.com", "--user-type", "guest", "--source", "bot"];
    let create =
        ["app", "create", "--name", "Bot", "--auth", "key", "--scope", "contacts.read", "calendars.read"];
    maria.does(&[&create[..], &profile].concat());
    let token = maria.does(&["app", "new-key", "Bot"]).out.trim_end().to_owned();
    let wanted = maria.gives(&["verify", "--scope", "contacts.read"], &token);
    assert_eq!(wanted.code, 0, "{wanted:?}");
    let edit = ["app", "edit", "Bot", "--scope", "calendars.read", "--dry-run"];
    let told = maria.asks(&edit);
    assert_eq!((&told["in_use"], &told["app_keys_stop"]), (&json!(true), &json!(1)));
    assert_eq!(
        (&told["scopes_lost"][0]["scope"], &told["scopes_unused"]),
        (&json!("contacts.read"), &json!(0))
    );
    assert_eq!(
        (&told["access_tokens_end"], &told["access_tokens_live_until"]),
        (&json!(false), &Value::Null)
    );
    let told = maria.does(&edit);
    assert!(
        told.out.contains("Would stop  contacts.read, used ") && told.err.contains("Nothing was changed"),
        "{told:?}"
    );
    maria.says(&["app", "edit", "Bot", "--scope", "nonsense", "--dry-run"]).fails(1, "nonsense");
    assert_eq!(maria.gives(&["verify", "--scope", "contacts.read"], &token).code, 0);
    // Of a key that loses scopes nothing is told as if it ended.
    let told = maria.asks(&["key", "rescope", "Bot", "--remove", "calendars.read", "--dry-run"]);
    assert_eq!((&told["scopes_lost"], &told["scopes_unused"]), (&json!([]), &json!(1)));
    assert_eq!((&told["notices_end"], &told["app_keys_go_on"]), (&json!(0), &json!(0)));
}

#[test]
fn a_lockdown_that_does_not_stand_gives_nothing_back_and_the_list_says_who_may_lift() {
    let desk = Desk::founded();
    let (ann, jo, tokens) = house(&desk);
    for dry in [&["--dry-run"][..], &["--yes"]] {
        ann.says(&[&["lockdown", "lift", "--agency"], dry].concat()).fails(1, "it is not locked down");
    }
    jo.does(&["lockdown", "--owner", "jo", "--yes"]);
    ann.does(&["lockdown", "--location", "Harbour", "--yes"]);
    ann.says(&["lockdown", "--location", "Harbour", "--dry-run"]).fails(1, "it is locked down already");
    let list = ann.asks(&["lockdown", "list"]);
    let may = |at: usize| list[at]["may_lift"].as_str().unwrap().to_owned();
    assert_eq!((may(0), may(1)), ("jo or an admin".to_owned(), "an admin".to_owned()));
    let page = jo.does(&["lockdown", "list"]).out;
    assert!(page.contains("May lift it") && page.contains("jo or an admin"), "{page}");
    // What another lockdown or its owner keeps from it is not given back.
    let back = ["lockdown", "lift", "--location", "Harbour", "--dry-run", "--all"];
    assert_eq!(ann.asks(&back)["keys"], json!(1));
    ann.does(&["lockdown", "lift", "--location", "Harbour", "--yes"]);
    assert_eq!(tokens.each_ref().map(|token| ann.verifies(token) == "allow"), [true, false]);
}
