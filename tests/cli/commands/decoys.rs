//! A day of a decoy: laid among ordinary keys, found by somebody who should not have looked there, and told of to whom it
//! concerns and to nobody else.

use serde_json::Value;

use crate::support::desk::{Desk, Person, with_checksum};

/// What `verify` says to somebody about a presented text, with the steps or as a use.
fn told(person: &Person<'_>, token: &str, explain: bool) -> (String, Value) {
    let words = if explain { vec!["verify", "--json", "--explain"] } else { vec!["verify", "--json"] };
    let said = person.gives(&words, token).expect(1).json();
    (said["reason"].as_str().unwrap().to_owned(), said["key"].clone())
}

fn of_key<'l>(lines: &'l Value, name: &str) -> Vec<&'l Value> {
    lines.as_array().unwrap().iter().filter(|line| line["name"] == name).collect()
}

#[test]
fn a_decoy_rings_for_its_owner_and_is_a_token_that_nobody_issued_to_all_others() {
    let desk = Desk::founded();
    let (ann, carl, eve) =
        (desk.hire("ann", "manager"), desk.hire("carl", "manager"), desk.hire("eve", "admin"));
    desk.maria().does(&["policy", "set", "issue-agency", "manager"]);
    let like = ["--name", "Payroll export", "--like", "Nightly export"];
    ann.does(&[
        "key",
        "create",
        "--name",
        "Nightly export",
        "--agency",
        "--scope",
        "contacts.read",
        "--expires",
        "90d",
    ]);
    let made = ann.does(&[&["key", "create", "--decoy"], &like[..]].concat());
    assert!(made.err.contains("It never expires. It is a decoy"), "{made:?}");
    // A key that works is not made of a decoy by mistake.
    ann.says(&["key", "create", "--name", "Real", "--like", "Payroll export"]).fails(1, "add --decoy");
    ann.does(&[
        "key",
        "create",
        "--decoy",
        "--name",
        "Another",
        "--like",
        "Payroll export",
        "--token-file",
        "another.env",
    ]);
    ann.does(&["key", "delete", "Another", "--yes"]);
    let token = made.out.trim();
    assert!(token.len() == 56 && token.starts_with("kdag_"), "of the ordinary form");
    let id = &token[5..17];

    // Lists tell whoever sees it.
    let seen = |person: &Person<'_>, words: &[&str]| person.asks(&[&["key", "list"], words].concat());
    let own = seen(&ann, &[]);
    let line = of_key(&own, "Payroll export")[0];
    assert_eq!(
        (&line["state"], &line["refused"], &line["decoy"]),
        (&"active".into(), &"decoy".into(), &true.into())
    );
    assert!(of_key(&own, "Nightly export")[0].get("decoy").is_none());
    assert_eq!((seen(&carl, &[]), seen(&eve, &[])), (serde_json::json!([]), serde_json::json!([])));
    assert_eq!(of_key(&seen(&eve, &["--all", "--state", "decoy"]), "Payroll export").len(), 1);
    assert_eq!(of_key(&seen(&ann, &["--state", "active"]), "Payroll export").len(), 0);
    assert!(ann.does(&["key", "list"]).out.contains("◇ decoy"));

    // Whoever has the token and may not know is told what every stranger is, also with another secret.
    let flip = |c: &str| if c == "z" { "y" } else { "z" };
    let guessed = with_checksum(&format!("{}{}{}", &token[..18], flip(&token[18..19]), &token[19..]));
    let nobody = ("unknown".to_owned(), Value::Null);
    for explain in [true, false] {
        for text in [token, &guessed] {
            assert_eq!(told(&carl, text, explain), nobody);
        }
        assert_eq!(told(&ann, token, true), ("decoy".to_owned(), id.into()));
        assert_eq!(told(&eve, token, true), ("decoy".to_owned(), id.into()), "admins may know");
        assert_eq!(told(&ann, &guessed, true).0, "mac_mismatch");
    }
    desk.file("deploy.env", format!("KEY={token}\n"));
    let scan = |person: &Person<'_>| person.says(&["scan", "deploy.env"]).expect(1).out;
    assert!(scan(&carl).contains("this store never issued it"), "{}", scan(&carl));
    let known = scan(&ann);
    assert!(
        known.contains("a decoy, the key Payroll export of ann") && known.lines().count() == 1,
        "{known}"
    );
    let bare = desk.run(&["scan", "--no-store", "deploy.env"], "").expect(1).out;
    assert_eq!(bare, format!("deploy.env:1:5: agency key kdag_{id}_…\n"));

    // It rang when carl presented it, and asking after it did not.
    let notices = ann.asks(&["notices", "list"]);
    let rung = of_key(&notices, "Payroll export");
    assert!(rung.len() == 1 && rung[0]["what"] == "presented" && rung[0]["decoy"] == true, "{notices}");
    assert_eq!(
        (carl.asks(&["notices", "list"]), eve.asks(&["notices", "list"])),
        (serde_json::json!([]), serde_json::json!([]))
    );
    assert!(ann.does(&["notices", "list"]).out.contains("a decoy, and somebody presents it"));
    let swept = ann.does(&["sweep"]);
    assert!(swept.out.contains("Payroll export"), "{swept:?}");
    let shown = ann.does(&["key", "show", "Payroll export"]).out;
    assert!(shown.contains("active; a decoy: it opens nothing") && shown.contains("\nPresented "), "{shown}");
    let trail = eve.asks(&["audit", "list"]);
    let denied: Vec<_> =
        trail.as_array().unwrap().iter().filter(|entry| entry["reason"] == "decoy").collect();
    assert!(!denied.is_empty() && denied[0]["subjects"][0]["name"] == "Payroll export", "{trail}");
    let own = carl.asks(&["audit", "list"]).to_string();
    assert!(!own.contains("decoy") && !own.contains(id), "{own}");

    // What makes no sense for it is refused with a reason, what ends it is done.
    for deed in ["pause", "keep"] {
        ann.says(&["key", deed, "Payroll export"]).fails(1, "it is a decoy: it opens nothing and rings");
    }
    ann.says(&["key", "lost", "Payroll export", "--yes"]).fails(1, "it is a decoy");
    ann.does(&["key", "revoke", "Payroll export", "--yes"]);
    assert_eq!(told(&ann, token, true).0, "revoked");
    assert_eq!(told(&carl, token, true), nobody, "nor does its end tell them");
    assert_eq!(ann.asks(&["notices", "list"]), serde_json::json!([]));
}
