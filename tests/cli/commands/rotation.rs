//! Rotation as people and scripts meet it: a token alone on standard output, one row for two secrets, and words for what
//! comes next.

use crate::support::desk::{Desk, Person};
use serde_json::{Value, json};

fn issue(who: &Person<'_>, called: &str) -> (String, String) {
    let said = who.asks(&["key", "create", "--name", called, "--agency", "--scope", "contacts.read"]);
    (said["id"].as_str().unwrap().to_owned(), said["token"].as_str().unwrap().to_owned())
}

fn rows(said: &Value) -> Vec<(&str, &str)> {
    let rows = said.as_array().unwrap().iter();
    rows.map(|row| (row["id"].as_str().unwrap(), row["state"].as_str().unwrap())).collect()
}

#[test]
fn a_key_is_rotated_and_both_secrets_work_until_the_old_one_is_finished() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let (old, token) = issue(&ann, "Widget");
    let said = ann.does(&["key", "rotate", "Widget", "--grace", "1h", "--from", "now"]);
    let fresh = said.out.trim_end().to_owned();
    assert_eq!(fresh.len(), 56, "the token alone");
    assert!(said.err.contains("Widget is rotated") && said.err.contains("works until"), "{said:?}");
    assert_eq!([ann.verifies(&token), ann.verifies(&fresh)], ["allow", "allow"]);

    let all = ann.asks(&["key", "list"]);
    let [(new, "active")] = rows(&all)[..] else { panic!("{all}") };
    assert_eq!((&all[0]["succeeds"], &all[0]["superseded_by"]), (&json!(old), &Value::Null));
    assert!(ann.does(&["key", "list"]).out.contains("old half ends in"));
    let superseded = ann.asks(&["key", "list", "--state", "superseded"]);
    assert_eq!(rows(&superseded), [(old.as_str(), "superseded")]);
    assert_eq!(superseded[0]["superseded_by"], new);
    assert_eq!(superseded[0]["grace_ends_at"], all[0]["grace_ends_at"]);
    assert!(all[0]["grace_ends_at"].is_string());
    for half in [old.as_str(), new] {
        let page = ann.does(&["key", "show", half]).out;
        assert!(page.contains(&format!("kdag_{old}_…")) && page.contains(&format!("kdag_{new}_…")), "{page}");
        assert!(page.contains("Old half") && page.contains("New half"), "{page}");
    }

    ann.says(&["key", "rotate", "Widget"]).fails(1, "more than two secrets are never alive");
    ann.says(&["key", "pause", &old]).expect(0);
    assert_eq!([ann.verifies(&token), ann.verifies(&fresh)], ["deny disabled", "allow"]);
    ann.does(&["key", "resume", &old]);
    ann.does(&["key", "rotate", "Widget", "--finish"]);
    assert_eq!([ann.verifies(&token), ann.verifies(&fresh)], ["deny revoked", "allow"]);
    ann.says(&["key", "rotate", "Widget", "--cancel"]).fails(1, "what has ended stays so");
    assert_eq!(rows(&ann.asks(&["key", "list"])), [(new, "active")], "the dead half is no row of its own");
    assert!(
        ann.does(&["key", "list"]).out.contains("active") && !ann.does(&["key", "list"]).out.contains("↻")
    );
}

#[test]
fn a_rotation_can_be_done_again_lengthened_and_cancelled() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let (old, token) = issue(&ann, "Widget");
    let first = ann.asks(&["key", "rotate", "Widget", "--grace", "1h", "--from", "now", "--id", "2026-11"]);
    // Its answer was lost: asked again under the same name it makes no other, and says what does.
    let refused = ann.says(&["key", "rotate", "Widget", "--id", "2026-11"]);
    refused.fails(1, "its secret was shown once");
    let lost = first["token"].as_str().unwrap();
    let again = ann.asks(&["key", "rotate", "Widget", "--again"]);
    let again = again["token"].as_str().unwrap();
    assert_eq!([&*token, lost, again].map(|token| ann.verifies(token)), ["allow", "deny revoked", "allow"]);
    ann.says(&["key", "rotate", "Widget", "--again"]).fails(1, "in use already");
    let before = ann.asks(&["key", "show", &old])["grace_ends_at"].clone();
    ann.does(&["key", "rotate", &old, "--longer", "24h"]);
    assert_ne!(ann.asks(&["key", "show", &old])["grace_ends_at"], before);
    ann.does(&["key", "rotate", "Widget", "--cancel"]);
    assert_eq!([&*token, again].map(|token| ann.verifies(token)), ["allow", "deny revoked"]);
    let key = ann.asks(&["key", "show", &old]);
    assert_eq!(
        (&key["state"], &key["expires_at"], &key["superseded_by"]),
        (&json!("active"), &Value::Null, &Value::Null)
    );
    ann.says(&["key", "rotate", "Widget", "--finish"]).fails(1, "no half of a rotation");
}

#[test]
fn a_lost_key_is_replaced_in_one_step() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let (old, token) = issue(&ann, "Widget");
    ann.does(&["key", "lost", "Widget", "--token-file", "token"]);
    let fresh = desk.read("token").trim_end().to_owned();
    assert_eq!([&*token, &*fresh].map(|token| ann.verifies(token)), ["deny revoked", "allow"]);
    assert_eq!(ann.asks(&["key", "show", &old])["state"], "revoked");
    // Where the token cannot be written, the new one is not left alive.
    ann.says(&["key", "lost", "Widget", "--token-file", "token"]).fails(2, "cannot be made");
    assert_eq!(ann.verifies(&fresh), "allow", "nothing was done");
    for ended in ["pause", "revoke"] {
        ann.does(&["key", ended, "Widget"]);
        ann.says(&["key", "rotate", "Widget"]).fails(1, "ssue a new");
    }
    ann.says(&["key", "rotate", &old, "--grace", "8d"]).fails(2, "up to seven days");
}

#[test]
fn a_grace_from_the_first_use_is_counted_by_a_sweep() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let (old, token) = issue(&ann, "Widget");
    let fresh = ann.does(&["key", "rotate", "Widget"]).out.trim_end().to_owned();
    assert_eq!(ann.asks(&["key", "show", &old])["grace_ends_at"], Value::Null);
    assert_eq!(ann.verifies(&token), "allow");
    ann.does(&["sweep"]);
    assert_eq!(ann.asks(&["key", "show", &old])["grace_ends_at"], Value::Null, "nobody has used the new one");
    assert_eq!(ann.verifies(&fresh), "allow");
    let swept = ann.asks(&["sweep"]);
    assert_eq!(
        (&swept["actions"][0]["action"], &swept["actions"][0]["key"]),
        (&json!("grace_begun"), &json!(old))
    );
    let ends = ann.asks(&["key", "show", &old])["grace_ends_at"].clone();
    assert_eq!(swept["actions"][0]["at"], ends);
    let notices = ann.asks(&["notices", "list"]);
    assert_eq!((&notices[0]["what"], &notices[0]["when"]), (&json!("grace_ends"), &ends));
}

#[test]
fn a_key_paused_for_a_while_is_resumed_by_a_sweep_and_tells_who_knocked() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let (id, token) = issue(&ann, "Widget");
    desk.file("clock", "0 monday");
    let said = ann.does(&["key", "pause", "Widget", "--for", "1h"]);
    assert!(
        said.err.contains("until the first sweep after") && said.err.contains("keydeck sweep"),
        "{said:?}"
    );
    assert_eq!([ann.verifies(&token), ann.verifies(&token)], ["deny disabled", "deny disabled"]);
    ann.does(&["sweep"]);
    let shown = ann.asks(&["key", "show", "Widget"]);
    assert_eq!(shown["state"], "paused");
    assert!(shown["resumes_at"].is_string() && shown["knocked"].is_array(), "{shown}");
    assert!(ann.asks(&["key", "list"])[0].get("knocked").is_none());
    assert!(ann.does(&["key", "show", &id]).out.contains("Resumes"));
    desk.file("clock", "3700000 tuesday");
    assert_eq!(ann.verifies(&token), "deny disabled", "no clock resumes it");
    let done = ann.asks(&["sweep"]);
    assert_eq!(
        (&done["actions"][0]["action"], &done["actions"][0]["name"]),
        (&json!("resumed"), &json!("Widget"))
    );
    assert_eq!(ann.verifies(&token), "allow");
    let trail = ann.does(&["audit", "list", "--json"]).out;
    assert!(trail.contains("key.resume-due"), "{trail}");
    let shown = ann.asks(&["key", "show", "Widget"]);
    assert!(shown["resumes_at"].is_null() && shown["knocked"].is_array(), "who did meanwhile: {shown}");
    ann.does(&["key", "keep", "Widget"]);
    let page = ann.does(&["key", "show", "Widget"]).out;
    assert!(page.contains("Knocked") && page.contains("while it was paused, until"), "{page}");
    let (other, _) = issue(&ann, "Lead forms");
    assert!(ann.asks(&["key", "show", &other]).get("knocked").is_none());
    ann.says(&["key", "pause", "Widget", "--for", "0"]).fails(1, "more than no time");
    ann.says(&["key", "pause", "Widget", "--for", "8d"]).fails(2, "seven days");
}
