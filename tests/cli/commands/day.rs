//! Days in the life of an agency, told by the commands its people type.

use crate::support::desk::{Desk, PASSPHRASE, holds};
use keydeck::domain::Timestamp;
use keydeck::engine::clock::{Clock as _, SystemClock};
use serde_json::json;

#[test]
fn a_store_is_founded_once_and_hands_out_its_recovery_code_once() {
    let desk = Desk::new();
    desk.file("pw", format!("{PASSPHRASE}\n"));
    let init =
        ["init", "--agency", "Acme Agency", "--operator", "maria", "--passphrase-file", "pw", "--json"];
    let said = desk.run(&init, "").expect(0);
    let code = said.json()["recovery_code"].as_str().unwrap().to_owned();
    assert!(code.starts_with("kdrc_"), "{said:?}");
    assert!(!said.err.contains(&code) && !holds(&desk.data(), &code.replace('-', "")));
    desk.run(&init, "").fails(1, "There already is a store");

    // The newline of the file is no part of the passphrase.
    desk.file("typed", PASSPHRASE);
    let typed = desk.by_passphrase("MARIA", "typed");
    assert_eq!(typed.asks(&["operator", "list"])[0]["name"], "maria");
    desk.file("short", "too short");
    desk.run(&["--data", "x", "init", "--agency", "A", "--operator", "m", "--passphrase-file", "short"], "")
        .fails(1, "at least 15 characters");
    assert!(!desk.path("x").exists());
    desk.run(&["--data", "x", "key", "list", "--operator", "m", "--passphrase-file", "typed"], "")
        .fails(3, "There is no store in");
}

#[test]
fn a_key_lives_through_all_its_states_and_verify_tells_each() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let created = ann.asks(&[
        "key",
        "create",
        "--name",
        "Nightly export",
        "--agency",
        "--scope",
        "contacts.read",
        "contacts.write",
        "--expires",
        "120d",
        "--note",
        "the warehouse",
    ]);
    let token = created["token"].as_str().unwrap().to_owned();
    let id = created["id"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 56);
    assert_eq!(created["hint"], format!("kdag_{id}_…"));
    assert_eq!(created["scopes"], serde_json::json!(["contacts.read", "contacts.write"]));
    assert!(created["expires_at"].as_str().unwrap().ends_with('Z'));

    assert_eq!(ann.verifies(&token), "allow");
    assert_eq!(ann.verifies(format!("{token}\n")), "allow");
    let said =
        ann.gives(&["verify", "--scope", "contacts.read", "--scope", "calendars.read", "--json"], &token);
    assert_eq!(
        said.expect(1).json(),
        serde_json::json!({
            "decision": "deny", "reason": "scope", "key": id, "scopes": ["contacts.read", "contacts.write"]
        })
    );
    let listed = ann.asks(&["key", "list"]);
    let row = &listed[0];
    for field in
        "id kind name hint state owner location app scopes created_at last_used_at expires_at deletes_at"
            .split(' ')
    {
        assert!(row.get(field).is_some(), "{field} is missing: {row}");
    }
    assert_eq!(row["use_count"], 2);
    assert_eq!(
        (&row["owner"], &row["state"], &row["note"]),
        (&"ann".into(), &"active".into(), &"the warehouse".into())
    );
    assert!(row["location"].is_null() && row["app"].is_null() && row["deletes_at"].is_string());
    assert!(row.get("token").is_none());

    let hint = created["hint"].as_str().unwrap();
    ann.does(&["key", "pause", hint]);
    assert_eq!(ann.verifies(&token), "deny disabled");
    ann.says(&["key", "pause", &id]).fails(1, "it is stopped already");
    ann.does(&["key", "resume", "nightly EXPORT"]);
    assert_eq!(ann.verifies(&token), "allow");
    ann.does(&["key", "rescope", &id, "--add", "calendars.read", "--remove", "contacts.write"]);
    assert_eq!(
        ann.asks(&["key", "show", &id])["scopes"],
        serde_json::json!(["calendars.read", "contacts.read"])
    );
    ann.says(&["key", "rescope", &id, "--remove", "contacts.write"]).fails(1, "does not hold contacts.write");
    ann.does(&["key", "rescope", &id, "--scope", "contacts.read"]);
    let said = ann.gives(&["verify", "--scope", "calendars.read"], &token).expect(1);
    assert!(said.out == "deny scope\n" && said.err.contains("Missing: calendars.read"), "{said:?}");

    ann.does(&["key", "revoke", &id]);
    assert_eq!(ann.verifies(&token), "deny revoked");
    ann.says(&["key", "resume", &id]).fails(1, "that is final");
    ann.does(&["key", "delete", &id]);
    assert_eq!(ann.verifies(&token), "deny tombstoned");
    assert_eq!(ann.asks(&["key", "list"]), serde_json::json!([]));
    assert_eq!(ann.asks(&["key", "list", "--state", "deleted"])[0]["id"], id);
    assert_eq!(ann.asks(&["key", "restore", &id])["state"], "revoked");
    assert_eq!(ann.verifies(&token), "deny revoked");
    assert!(!holds(desk.path("").as_path(), &token), "the token is written down somewhere");
}

#[test]
fn one_operators_keys_do_not_exist_for_another() {
    let desk = Desk::founded();
    let (maria, ann) = (desk.maria(), desk.hire("ann", "manager"));
    maria.does(&["policy", "set", "issue-agency", "manager"]);
    let token = maria.issues("Secret project", "contacts.read");
    let id = &token[5..17];
    ann.issues("Mine", "contacts.read");

    let random = ann.says(&["key", "show", "7HqP2mVx9KtR"]).expect(1);
    for reference in [id, &format!("kdag_{id}_…"), "Secret project"] {
        for verb in ["show", "pause", "revoke", "delete", "restore"] {
            let said = ann.says(&["key", verb, reference]).expect(1);
            assert_eq!((&said.err, &said.out), (&random.err, &random.out), "{}", said.words);
        }
    }
    assert_eq!(ann.asks(&["key", "list"]).as_array().unwrap().len(), 1);
    ann.says(&["key", "list", "--all"]).fails(1, "needs the role admin");
    assert_eq!(maria.asks(&["key", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(maria.asks(&["key", "list", "--all"]).as_array().unwrap().len(), 2);
    let trail = maria.asks(&["audit", "list"]);
    assert!(trail.as_array().unwrap().iter().any(|e| e["event"] == "view.agency"), "{trail}");
    // Nor in the trail: ann reads what she did, and nothing about the key she does not have.
    let hers = ann.asks(&["audit", "list"]);
    assert!(!hers.as_array().unwrap().is_empty() && !hers.to_string().contains("Secret project"), "{hers}");
    assert_eq!(ann.verifies(&token), "allow");
    // The same name belongs to two owners.
    ann.issues("Secret project", "contacts.read");
}

#[test]
fn twenty_live_keys_are_the_most_one_operator_owns() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    for n in 1..=20 {
        ann.issues(&format!("Key {n}"), "contacts.read");
    }
    let one_more = ["key", "create", "--name", "Key 21", "--agency", "--scope", "contacts.read"];
    ann.says(&one_more).fails(1, "keys-per-operator allows 20");
    ann.does(&["key", "revoke", "Key 7"]);
    ann.does(&one_more);
    assert_eq!(ann.asks(&["key", "list", "--state", "active"]).as_array().unwrap().len(), 20);
}

#[test]
fn names_scopes_and_lives_that_are_none_are_refused_before_a_key_exists() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let create = |name: &str, scopes: &[&str], rest: &[&str]| {
        let words = [&["key", "create", "--name", name, "--agency", "--scope"], scopes, rest].concat();
        ann.says(&words)
    };
    for name in ["", "   ", "a\u{1b}[31mb", "a\u{202e}b", "a\u{200b}b", &"x".repeat(65), &"y".repeat(10_000)]
    {
        let said = create(name, &["contacts.read"], &[]).fails(2, "name:");
        assert!(!said.err.contains('\u{1b}') && said.err.len() < 300, "{said:?}");
    }
    let many: Vec<String> = (0..10_000).map(|n| format!("contacts.s{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    create("A", &many, &[]).fails(1, "scopes on one key");
    for (scopes, why) in [
        (&["*"][..], "wildcard"),
        (&["contacts.*"], "wildcard"),
        (&[""], "empty"),
        (&["contacts.raed"], "Did you mean contacts.read?"),
        (&["contacts.read", "contacts.read"], "listed twice"),
        (&["contacts.read.all"], "not a scope name"),
        (&["contacts"], "not a scope name"),
        (&["Contacts.read"], "contacts.read"),
    ] {
        create("A", scopes, &[]).fails(1, why);
    }
    for life in ["0", "0d", "-1d", "1.5d", "90", "9223372036854775807d", "inf", "2020-01-01", "11y", ""] {
        create("A", &["contacts.read"], &["--expires", life]).expect(2);
    }
    create("A", &["contacts.read"], &["--location", "Berlin"]).expect(2);
    ann.says(&["key", "create", "--name", "A", "--location", "Berlin", "--scope", "contacts.read"])
        .fails(1, "no such location");
    assert_eq!(ann.asks(&["key", "list"]), serde_json::json!([]));

    // A joiner is invisible, so two names could look alike; but not where it makes one emoji of two.
    create("Ti\u{200d}ll", &["contacts.read"], &[]).fails(2, "U+200D");
    create("👩\u{200d}🚀", &["contacts.read"], &[]).expect(0);
    create("👩🚀", &["contacts.read"], &[]).fails(1, "is taken");
    // What looks odd and is harmless is taken as it is.
    for name in ["=cmd()", "Müller & Söhne 東京", "🚀", "نامه\u{200c}ای"] {
        create(name, &["contacts.read"], &[]).expect(0);
    }
    let csv = ann.does(&["audit", "export", "--format", "csv"]).out;
    assert!(
        csv.contains("key =cmd()") && !csv.lines().any(|l| l.split(',').any(|c| c.starts_with('='))),
        "{csv}"
    );
    ann.does(&[
        "key",
        "create",
        "--name",
        "P",
        "--agency",
        "--preset",
        "read-only",
        "--scope",
        "contacts.read",
    ]);
    create("Q", &["contacts.read"], &["--preset", "read-onli"]).fails(2, "Did you mean read-only?");
}

#[test]
fn a_key_stops_at_the_instant_it_expires() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let end = Timestamp(SystemClock.read().wall.0 + 3_000).rfc3339();
    let said = ann.does(&[
        "key",
        "create",
        "--name",
        "Brief",
        "--agency",
        "--scope",
        "contacts.read",
        "--expires",
        &end,
    ]);
    let token = said.out.trim_end();
    let deadline = SystemClock.read().wall.0 + 20_000;
    loop {
        let before = SystemClock.read().wall.rfc3339();
        let answer = ann.verifies(token);
        let after = SystemClock.read().wall.rfc3339();
        match answer.as_str() {
            "allow" => assert!(before < end, "allowed at {before} although it ended at {end}"),
            "deny expired" => {
                assert!(after >= end, "refused at {after} although it ends at {end}");
                break;
            }
            other => panic!("{other}"),
        }
        assert!(SystemClock.read().wall.0 < deadline, "it never expires");
    }
    assert_eq!(ann.asks(&["key", "list"])[0]["state"], "expired");
}

#[test]
fn a_token_nobody_could_read_is_revoked_at_once() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let words =
        ["key", "create", "--name", "Lost", "--agency", "--scope", "contacts.read", "--key-file", "ann.key"];
    for json in [false, true] {
        let words: Vec<&str> = words.iter().copied().chain(json.then_some("--json")).collect();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = desk.command(&words);
        command.stdout(writer);
        let said = Desk::finish(command, &words, b"").expect(1);
        assert!(said.err.contains("was revoked at once"), "{said:?}");
    }
    let states: Vec<_> =
        ann.asks(&["key", "list"]).as_array().unwrap().iter().map(|k| k["state"].clone()).collect();
    assert_eq!(states, ["revoked", "revoked"]);

    // Into a file: new, for its owner alone, and gone again when no key was issued.
    let into = |name: &str, scope: &str| {
        ann.says(&["key", "create", "--name", name, "--agency", "--scope", scope, "--token-file", "token"])
    };
    into("A", "contacts.raed").expect(1);
    assert!(!desk.path("token").exists());
    let said = into("A", "contacts.read").expect(0);
    assert!(said.out.is_empty());
    assert_eq!(ann.verifies(desk.read("token")), "allow");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(desk.path("token")).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    into("B", "contacts.read").fails(2, "No secret was made");
    assert_eq!(ann.verifies(desk.read("token")), "allow");
}

#[test]
fn a_key_says_how_its_token_was_handed_over_and_what_came_of_it() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let create = |name: &'static str, to: &[&'static str]| {
        [&["key", "create", "--name", name, "--agency", "--scope", "contacts.read"][..], to].concat()
    };
    ann.does(&create("Shown", &[]));
    let shown = ann.asks(&["key", "show", "Shown"]);
    assert!(
        shown["handed_over"].is_null() && !ann.does(&["key", "show", "Shown"]).out.contains("Handed over")
    );

    let said = ann.does(&create("Crm", &["--token-file", "env", "--env", "CRM_KEY"]));
    assert!(said.out.is_empty() && said.err.contains("Its token is in env as CRM_KEY"), "{said:?}");
    assert!(ann.does(&["key", "show", "Crm"]).out.contains("in a file, as CRM_KEY, just now; not used yet"));
    ann.does(&create("Shop", &["--token-file", "env", "--env", "SHOP_KEY"]));
    let env = desk.read("env");
    let tokens: Vec<(&str, &str)> = env.lines().map(|line| line.split_once('=').unwrap()).collect();
    let [("CRM_KEY", crm), ("SHOP_KEY", shop)] = tokens[..] else { panic!("{}", tokens.len()) };
    assert_eq!([ann.verifies(crm), ann.verifies(shop)], ["allow", "allow"]);
    let page = ann.does(&["key", "show", "Crm"]).out;
    assert!(page.contains("just now; first used less than 1 min later"), "{page}");
    let line = ann.asks(&["key", "show", "Crm"]);
    assert_eq!(
        (&line["handed_over"]["way"], &line["handed_over"]["said"]),
        (&json!("variable"), &json!("in a file, as CRM_KEY"))
    );
    let told = ann.does(&["audit", "list"]).out;
    assert!(told.contains("handed over: in a file, as CRM_KEY"), "{told}");

    // A name that is set already makes no key, nor does one without a file, nor a file that others read.
    ann.says(&create("Other", &["--token-file", "env", "--env", "CRM_KEY"])).fails(2, "sets CRM_KEY already");
    ann.says(&create("Other", &["--env", "CRM_KEY"])).fails(2, "--token-file");
    ann.says(&create("Other", &["--token-file", "env", "--env", "2ND"])).fails(2, "no digit first");
    std::fs::set_permissions(desk.path("env"), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    ann.says(&create("Other", &["--token-file", "env", "--env", "OTHER"])).fails(2, "others may read it");
    assert_eq!(desk.read("env"), env);
    assert_eq!(ann.asks(&["key", "list"]).as_array().unwrap().len(), 3);

    // The new half of a rotation was handed over its own way.
    ann.does(&["key", "rotate", "Crm", "--token-file", "token"]);
    assert_eq!(ann.asks(&["key", "show", "Crm"])["handed_over"]["way"], "file");
    ann.does(&["key", "rotate", "Crm", "--cancel"]);
    assert_eq!(ann.asks(&["key", "show", "Crm"])["handed_over"]["way"], "variable");
}

#[cfg(not(feature = "age"))]
#[test]
fn a_build_without_age_says_so_before_it_makes_a_key() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let words =
        ["key", "create", "--name", "A", "--agency", "--scope", "contacts.read", "--seal-to", "age1xyz"];
    ann.says(&words).fails(1, "--features age");
    assert_eq!(ann.asks(&["key", "list"]).as_array().unwrap().len(), 0);
}

#[cfg(feature = "age")]
#[test]
fn a_token_is_sealed_to_a_public_key_and_shown_to_nobody() {
    const SSH: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN alice@laptop";
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let create = |name: &'static str, to: &[&'static str]| {
        [&["key", "create", "--name", name, "--agency", "--scope", "contacts.read"][..], to].concat()
    };
    let said = ann.does(&create("A", &["--seal-to", SSH]));
    assert!(
        said.out.starts_with("-----BEGIN AGE ENCRYPTED FILE-----") && !said.out.contains("kdag_"),
        "{said:?}"
    );
    let page = ann.does(&["key", "show", "A"]).out;
    assert!(page.contains("sealed to alice@laptop, just now; not used yet"), "{page}");
    let said = ann.asks(&create("B", &["--seal-to", SSH, "--token-file", "sealed"]));
    assert!(said["token"].is_null() && said["sealed"].is_null(), "{said}");
    assert!(desk.read("sealed").starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
    ann.says(&create("C", &["--seal-to", "age1xyz"])).fails(2, "No secret was made");
    assert_eq!(ann.asks(&["key", "list"]).as_array().unwrap().len(), 2);
}

#[test]
fn a_reader_who_has_seen_enough_is_no_failure() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    ann.issues("A", "contacts.read");
    for words in [
        &["key", "list", "--key-file", "ann.key"][..],
        &["--help"],
        &["audit", "export", "--key-file", "ann.key"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = desk.command(words);
        command.stdout(writer);
        let said = Desk::finish(command, words, b"").expect(0);
        assert!(said.err.is_empty(), "{said:?}");
    }
}

#[test]
fn a_key_made_elsewhere_is_taken_over_and_its_secret_never_typed_as_a_word() {
    let desk = Desk::founded();
    let maria = desk.hire("jonas", "admin");
    desk.file("old.secret", "Legacy-Secret_2019!\n");
    let words = ["key", "import", "--name", "Legacy CRM", "--agency", "--scope", "contacts.read"];
    let with_file: Vec<&str> = words.iter().copied().chain(["--secret-file", "old.secret"]).collect();
    let id = maria.does(&with_file).out.trim_end().to_owned();
    let presented = format!("kdim_{id}_Legacy-Secret_2019!");
    assert_eq!(maria.verifies(&presented), "allow");
    assert_eq!(maria.verifies(presented.replace("2019", "2020")), "deny mac_mismatch");
    assert_eq!(maria.asks(&["key", "show", "Legacy CRM"])["hint"], format!("kdim_{id}_…"));
    maria.says(&["key", "show", &presented]).fails(2, "A secret stands on the command line");
    maria.does(&["key", "revoke", &format!("kdim_{id}_…")]);
    assert_eq!(maria.verifies(&presented), "deny revoked");
    desk.file("spaced.secret", "two words");
    let spaced: Vec<&str> = words.iter().copied().chain(["--secret-file", "spaced.secret"]).collect();
    maria.says(&spaced).fails(2, "no request could carry it");
    assert!(!holds(&desk.data(), "Legacy-Secret_2019!"));
}
