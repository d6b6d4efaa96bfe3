//! How keys and apps are doing, by words: numbers that lists agree with, for people and for scripts.

use serde_json::Value;

use crate::support::desk::Desk;

#[test]
fn each_number_of_a_report_is_that_of_the_list_its_filter_finds() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let bob = desk.hire("bob", "admin");
    let token = ann.issues("Till 1", "contacts.read");
    for name in ["Till 2", "Till 3", "Till 4"] {
        ann.issues(name, "contacts.read");
    }
    bob.issues("Till of bob", "contacts.read");
    ann.does(&["location", "add", "Harbour Station"]);
    ann.does(&[
        "key",
        "create",
        "--name",
        "Gate",
        "--location",
        "Harbour Station",
        "--scope",
        "contacts.read",
        "--expires",
        "5d",
    ]);
    ann.does(&["key", "create", "--name", "Bait", "--agency", "--scope", "contacts.read", "--decoy"]);
    ann.does(&["key", "pause", "Till 2"]);
    ann.does(&["key", "revoke", "Till 3", "--reason", "leaked"]);
    ann.does(&["key", "rotate", "Till 4"]);
    assert_eq!(ann.verifies(&token), "allow");

    let told = ann.asks(&["report", "--all"]);
    assert_eq!(told["extent"], "agency");
    let counts = told["counts"].as_object().unwrap();
    for topic in ["state", "end", "use", "age", "place", "owner"] {
        for block in counts[topic].as_array().unwrap() {
            let line = block["filter"].as_str().unwrap();
            let rows = ann.asks(&["key", "list", "--all", "--where", line]);
            assert_eq!(block["count"], rows.as_array().unwrap().len(), "{line}");
        }
    }
    let count = |topic: &str, code: &str| {
        let all = counts[topic].as_array().unwrap();
        all.iter().find(|block| block["code"] == code).map_or(Value::Null, |block| block["count"].clone())
    };
    assert_eq!((count("state", "active"), count("state", "paused")), (4.into(), 1.into()));
    assert_eq!((count("state", "revoked"), count("state", "decoy")), (1.into(), 1.into()));
    assert_eq!((count("end", "within_7_days"), count("place", "Harbour Station")), (1.into(), 1.into()));
    assert_eq!((count("use", "within_a_day"), count("owner", "bob")), (1.into(), 1.into()));
    let lately = &told["lately"];
    assert_eq!((&lately["days"], &lately["issued"]["count"]), (&30.into(), &6.into()));
    assert_eq!((&lately["rotated"]["count"], &lately["revoked"]["count"]), (&1.into(), &1.into()));
    assert_eq!(told["used"]["requests"]["allowed"], 1);

    // Whose they are is not for everybody.
    let own = bob.asks(&["report"]);
    assert_eq!((&own["extent"], &own["counts"]["state"][0]["count"]), (&"own".into(), &1.into()));
    let page = ann.does(&["report", "--all", "--days", "7"]).out;
    for said in [
        "all keys and apps",
        "End of live keys",
        "within 7 days",
        "expires<7d",
        "In the last 7 days",
        "Till 1",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    ann.says(&["report", "--days", "0"]).fails(2, "a whole number from 1 to 366");
}
