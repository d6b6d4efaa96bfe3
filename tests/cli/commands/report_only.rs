//! What follows from a review, by words: fewer scopes tried first, counted, told, then enforced or dropped; a sign-off and its report.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::desk::Desk;
use crate::support::wait::until;
use serde_json::json;

#[test]
fn fewer_scopes_are_tried_counted_told_and_enforced() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let words =
        ["key", "create", "--name", "Widget", "--agency", "--scope", "contacts.read", "contacts.write"];
    let token = ann.does(&words).out.trim_end().to_owned();
    let begin = |days: &'static str| {
        ["key", "rescope", "Widget", "--remove", "contacts.write", "--report-only", days]
    };
    ann.says(&begin("soon")).fails(2, "--report-only soon: a number of days such as 30d.");
    ann.says(&begin("91d")).fails(1, "from 1 to 90 days");
    ann.says(&["key", "rescope", "Widget", "--enforce"]).fails(1, "not on report-only");
    ann.says(&["key", "rescope", "Widget", "--enforce", "--drop"]).fails(2, "--drop");
    let said = ann.asks(&begin("14d"));
    let tried = &said["report_only"];
    assert_eq!(
        (&tried["scopes"], &tried["over"], &tried["by"]),
        (&json!(["contacts.read"]), &json!(false), &json!("ann"))
    );
    assert_eq!(said["scopes"], json!(["contacts.read", "contacts.write"]));
    let asked = ["verify", "--scope", "contacts.write"];
    assert_eq!(ann.gives(&asked, &token).expect(0).out.trim_end(), "allow");
    let shown = ann.asks(&["key", "show", "Widget"]);
    let refused = &shown["report_only"]["would_refuse"];
    assert_eq!((&refused["requests"], &refused["scopes"][0]["scope"]), (&json!(1), &json!("contacts.write")));
    let page = ann.does(&["key", "show", "Widget"]).out;
    assert!(page.contains("Report only ends in ") && page.contains("it would lose contacts.write"), "{page}");
    assert!(page.contains("1 request would have been refused"), "{page}");
    assert!(page.contains("contacts.write 1×"), "{page}");
    assert!(ann.asks(&["key", "list"])[0]["report_only"]["until"].is_string());
    let list = ann.does(&["audit", "list"]).out;
    assert!(
        list.contains("key.report-only") && list.contains("report only: contacts.read contacts.write → "),
        "{list}"
    );
    let trial = ["key", "rescope", "Widget", "--enforce", "--dry-run"];
    let told = ann.does(&trial);
    for said in [
        "Would stop  contacts.write, used ",
        "Report only 1 request would have been refused",
        "contacts.write 1×",
    ] {
        assert!(told.out.contains(said), "{said}: {told:?}");
    }
    assert!(told.err.contains("Nothing was changed."), "{told:?}");
    assert_eq!(ann.asks(&trial)["would_refuse"]["requests"], json!(1));
    let other =
        ann.says(&["key", "rescope", "Widget", "--remove", "contacts.read", "--dry-run", "--json"]).json();
    assert!(other.get("would_refuse").is_none(), "{other}");
    assert_eq!(ann.gives(&asked, &token).expect(0).out.trim_end(), "allow");
    let said = ann.does(&["key", "rescope", "Widget", "--enforce"]);
    assert!(said.err.contains("It loses contacts.write."), "{said:?}");
    ann.says(&trial).fails(1, "not on report-only");
    assert_eq!(ann.gives(&asked, &token).out.trim_end(), "deny scope");
    let after = ann.asks(&["key", "show", "Widget"]);
    assert!(after.get("report_only").is_none() && after["scopes"] == json!(["contacts.read"]), "{after}");
}

#[test]
fn what_came_just_now_is_counted_while_a_server_has_the_store() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let words =
        ["key", "create", "--name", "Widget", "--agency", "--scope", "contacts.read", "contacts.write"];
    let token = ann.does(&words).out.trim_end().to_owned();
    ann.does(&["key", "rescope", "Widget", "--remove", "contacts.write", "--report-only", "14d"]);
    let serve = ann.words(&["serve", "--listen", "127.0.0.1:0"]);
    let mut server = desk.command(&serve).stderr(Stdio::null()).spawn().unwrap();
    until("the server to be there", || desk.data().join("control.sock").exists());
    for all in [2, 4] {
        for _ in 0..2 {
            ann.gives(&["verify", "--scope", "contacts.write"], &token).expect(0);
        }
        let shown = ann.asks(&["key", "show", "Widget"]);
        assert_eq!(shown["report_only"]["would_refuse"]["requests"], json!(all));
    }
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
}

#[test]
fn what_is_dropped_leaves_all_as_it_was_and_another_change_of_scopes_ends_it() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    ann.does(&[
        "key",
        "create",
        "--name",
        "Widget",
        "--agency",
        "--scope",
        "contacts.read",
        "contacts.write",
    ]);
    let begin = ["key", "rescope", "Widget", "--scope", "contacts.read", "--report-only", "7d"];
    ann.does(&begin);
    let dropped = ann.asks(&["key", "rescope", "Widget", "--drop"]);
    assert_eq!(dropped["scopes"], json!(["contacts.read", "contacts.write"]));
    assert!(dropped.get("report_only").is_none());
    ann.does(&begin);
    let said = ann.says(&["key", "rescope", "Widget", "--add", "calendars.read"]).expect(0);
    assert!(said.err.contains("report-only has ended"), "{}", said.err);
    ann.says(&["key", "rescope", "Widget", "--drop"]).fails(1, "not on report-only");
}

#[test]
fn a_review_is_signed_off_with_a_reason_for_what_is_kept_and_written_down_for_auditors() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    ann.issues("Wid|get <b>", "contacts.read");
    ann.issues("Other", "contacts.read");
    let report = |name: &str| desk.path(name).to_str().unwrap().to_owned();
    let first = report("first.json");
    let written = ann.asks(&["review", "report", &first]);
    let text: serde_json::Value = serde_json::from_str(&desk.read("first.json")).unwrap();
    // As many as the review itself has.
    let listed = ann.asks(&["review"]);
    assert_eq!(
        (&written["file"], &written["rows"]),
        (&json!(first), &json!(listed.as_array().unwrap().len()))
    );
    assert!(text["last_sign_off"].is_null() && text["extent"] == "own", "{text}");
    assert_eq!(text["rows"].as_array().unwrap().len(), listed.as_array().unwrap().len());
    ann.says(&["review", "sign", "--keep", "Other"]).fails(2, "a key, = and why");
    ann.says(&["review", "sign", "--keep", "Nobody=why"]).fails(1, "no such key");
    let signed = ann.asks(&["review", "sign", "--note", "Q4", "--keep", "Other=for the auditors"]);
    assert_eq!(signed["kept"].as_array().unwrap().len(), 1);
    ann.does(&["key", "pause", "Other"]);
    ann.does(&["key", "pause", "Wid|get <b>"]);
    let file = report("second.md");
    ann.does(&["review", "report", &file]);
    let text = desk.read("second.md");
    for said in [
        "# Review of keys: ",
        "Wid\\|get &lt;b&gt;",
        "by ann, audit entry",
        "- Note: Q4",
        "- Kept: Other (",
        "because for the auditors",
        "Paused Other",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("<b>"), "{text}");
    ann.says(&["review", "report", &file]).fails(1, "Name one that is not there yet");
    ann.says(&["review", "report", "review.txt"]).fails(2, ".md or .json");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let trail = ann.asks(&["audit", "list"]);
    let entry = trail.as_array().unwrap().iter().find(|row| row["event"] == "review.sign").unwrap();
    let fields: Vec<_> = entry["changes"].as_array().unwrap().iter().map(|one| &one["to"]).collect();
    assert!(fields.contains(&&json!("Q4")) && fields.contains(&&json!("for the auditors")), "{entry}");
}
