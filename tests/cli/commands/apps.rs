//! Apps: made, edited, given keys and secrets, stopped, and what becomes of the tokens others hold.

use crate::support::desk::{Desk, Person};

const CREATE: [&str; 15] = [
    "app",
    "create",
    "--name",
    "Web store",
    "--uri",
    "https://store.example",
    "--user-type",
    "both",
    "--source",
    "external_webstore",
    "--auth",
    "key",
    "--scope",
    "contacts.read",
    "appointments.book",
];

/// Two scopes a key of an app may hold, by the catalog and not by heart.
fn scopes(maria: &Person<'_>) -> (String, String) {
    let all = maria.asks(&["scope", "list", "--level", "app"]);
    let ids = all.as_array().unwrap().iter();
    let mut keys = ids.filter(|s| s["auth"] != "jwt").map(|s| s["id"].as_str().unwrap().to_owned());
    (keys.next().unwrap(), keys.next().unwrap())
}

fn created(maria: &Person<'_>) -> (serde_json::Value, String, String) {
    let (one, two) = scopes(maria);
    let mut words = CREATE;
    words[13] = &one;
    words[14] = &two;
    let app = maria.asks(&words);
    (app, one, two)
}

#[test]
fn the_secret_of_an_app_is_given_once_and_its_keys_work_for_it() {
    let desk = Desk::founded();
    let maria = desk.hire("jonas", "admin");
    let (app, one, two) = created(&maria);
    let secret = app["secret"].as_str().unwrap();
    assert!(secret.starts_with("kdas_") && secret.len() == 56, "{secret}");
    let id = app["id"].as_str().unwrap();
    assert_eq!(id.strip_prefix("app_"), secret.get(5..17), "the application id is in the secret");
    assert_eq!(maria.verifies(secret), "deny unknown", "it is no key");

    let token = maria.does(&["app", "new-key", "Web store"]).out.trim_end().to_owned();
    assert!(token.starts_with("kdap_"), "{token}");
    let said = maria.gives(&["verify", "--scope", &one, "--scope", &two, "--json"], &token).expect(0).json();
    assert_eq!(said["decision"], "allow");
    let key = &maria.asks(&["key", "list", "--app", id])[0];
    assert_eq!(
        (&key["kind"], &key["app"], &key["location"]),
        (&"app".into(), &"Web store".into(), &().into())
    );
    assert!(key["expires_at"].as_str().is_some(), "app keys end after a year unless told otherwise: {key}");

    maria.does(&["app", "pause", id]);
    assert_eq!(maria.verifies(&token), "deny app_disabled");
    maria.does(&["app", "resume", "Web store"]);
    assert_eq!(maria.verifies(&token), "allow");
    assert!(maria.asks(&["app", "show", id])["last_used_at"].as_str().is_some());

    let second = ["app", "new-key", id, "--name", "Second", "--revoke-others", "--token-file", "second"];
    maria.does(&second);
    assert_eq!(maria.verifies(&token), "deny revoked");
    assert_eq!(maria.verifies(desk.read("second").trim_end()), "allow");
    maria.does(&["app", "delete", id]);
    assert_eq!(maria.verifies(desk.read("second").trim_end()), "deny revoked");
    assert_eq!(maria.asks(&["app", "list"]), serde_json::json!([]));
    assert_eq!(maria.asks(&["app", "list", "--deleted"])[0]["state"], "deleted");
    maria.says(&["app", "new-secret", id]).fails(1, "that is final");
    maria.does(&["audit", "verify"]);
}

#[test]
fn an_app_is_edited_by_field_and_says_what_is_wrong() {
    let desk = Desk::founded();
    let maria = desk.hire("jonas", "admin");
    let (app, one, two) = created(&maria);
    let id = app["id"].as_str().unwrap();
    let edited = maria.asks(&[
        "app",
        "edit",
        id,
        "--name",
        "Shop",
        "--post-login",
        "https://store.example/in",
        "http://localhost:3000/in",
    ]);
    assert_eq!(edited["name"], "Shop");
    assert_eq!(edited["uri"], "https://store.example", "what is not named stays");
    assert_eq!(edited["post_login"].as_array().unwrap().len(), 2);
    let rev = edited["rev"].as_str().unwrap();
    assert_eq!(maria.asks(&["app", "edit", id, "--no-post-login"])["post_login"], serde_json::json!([]));
    maria
        .says(&["app", "edit", id, "--name", "Store", "--if-rev", rev])
        .fails(1, "Shop was changed meanwhile");
    for (words, why) in [
        (["--uri", "http://store.example"], "only https is safe"),
        (["--post-logout", "https://a:b@store.example"], "no user name or password"),
        (["--post-logout", "https://store.example/#x"], "no # part"),
        (["--name", "\u{202e}"], "invisible or control character"),
    ] {
        maria.says(&["app", "edit", id, words[0], words[1]]).fails(2, why);
    }
    maria.says(&["app", "edit", id, "--name", "Shop"]).fails(1, "nothing to do");

    maria.does(&["key", "create", "--name", "Part", "--app", "Shop", "--scope", &two]);
    maria
        .says(&["app", "edit", id, "--scope", &one])
        .fails(1, "the key Part of this app would be left without");
    maria.does(&["key", "revoke", "Part"]);
    maria.does(&["app", "edit", id, "--scope", &one]);
    let more = maria.says(&["key", "create", "--name", "More", "--app", id, "--scope", &two]);
    more.fails(1, "the app itself may not do");
    let jwt = maria.asks(&[
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
        "jwt",
        "--scope",
        &one,
    ]);
    assert_eq!(jwt["auth"], "jwt");
    maria.says(&["app", "new-key", "Bot"]).fails(1, "uses access tokens, not keys");
}

#[test]
fn what_the_tokens_of_an_app_are_like_is_said_when_it_is_made_and_afterwards() {
    let desk = Desk::founded();
    let maria = desk.hire("jonas", "admin");
    let profile = ["--uri", "https://x.example", "--user-type", "both", "--source", "client_app"];
    let create = |name: &'static str, more: &[&'static str]| {
        [&["app", "create", "--name", name], &profile[..], more].concat()
    };
    let bot = create("Bot", &["--auth", "jwt", "--scope", "contacts.read", "--alg", "es256"]);
    let bot = maria.asks(&bot);
    assert_eq!((&bot["alg"], &bot["audiences"]), (&"ES256".into(), &serde_json::json!([])));
    let files = ["https://files.example.com", "files"];
    let edited = maria.asks(&["app", "edit", "Bot", "--audience", files[0], files[1]]);
    assert_eq!((&edited["alg"], &edited["audiences"]), (&"ES256".into(), &serde_json::json!(files)));
    let page = maria.does(&["app", "show", "Bot"]).out;
    assert!(
        page.contains("Signed with     ES256") && page.contains("For             https://files"),
        "{page}"
    );
    let again = maria.asks(&["app", "edit", "Bot", "--no-audience", "--alg", "EdDSA"]);
    assert_eq!((&again["alg"], &again["audiences"]), (&"EdDSA".into(), &serde_json::json!([])));
    maria.says(&["app", "edit", "Bot", "--audience", "a\"b"]).fails(2, "--audience");
    maria.says(&["app", "edit", "Bot", "--audience", "a", "a"]).fails(1, "different audiences");

    let server = maria.asks(&create("Files", &["--auth", "resource-server", "--audience", files[0]]));
    assert_eq!((&server["auth"], &server["alg"]), (&"resource-server".into(), &().into()));
    assert_eq!(
        (&server["scopes"], &server["audiences"]),
        (&serde_json::json!([]), &serde_json::json!([files[0]]))
    );
    maria.says(&["app", "new-key", "Files"]).fails(1, "checks what others present");
    let scoped = create("A", &["--auth", "resource-server", "--scope", "contacts.read"]);
    maria.says(&scoped).fails(1, "only audiences");
    maria.says(&create("A", &["--auth", "jwt"])).fails(2, "needs --scope or --preset");
    maria
        .says(&create("A", &["--auth", "key", "--scope", "contacts.read", "--alg", "ES256"]))
        .fails(1, "no access tokens");
}

#[test]
fn another_operators_app_is_answered_like_one_that_does_not_exist() {
    let desk = Desk::founded();
    let maria = desk.hire("jonas", "admin");
    let (app, ..) = created(&maria);
    let id = app["id"].as_str().unwrap();
    let zoe = desk.hire("zoe", "manager");
    for verb in ["show", "pause", "resume", "delete", "rotate", "new-secret", "new-key"] {
        let theirs = zoe.says(&["app", verb, id]).fails(1, "there is no such app");
        let absent = zoe.says(&["app", verb, "app_111111111111"]).fails(1, "there is no such app");
        assert_eq!(theirs.err, absent.err);
    }
    zoe.says(&CREATE).fails(1, "needs the role admin");
    zoe.says(&["app", "list", "--all"]).fails(1, "needs the role admin");
}

#[test]
fn a_secret_that_cannot_be_written_is_not_made() {
    let desk = Desk::founded();
    let maria = desk.hire("jonas", "admin");
    let (app, ..) = created(&maria);
    desk.file("taken", "");
    let id = app["id"].as_str().unwrap();
    maria.says(&["app", "new-secret", id, "--secret-file", "taken"]).fails(2, "No secret was made");
    let since = &maria.asks(&["app", "show", id])["secret_since"];
    assert_eq!(since, &app["secret_since"]);
    let said = maria.does(&["app", "new-secret", id, "--secret-file", "fresh"]);
    assert_eq!((said.out.as_str(), desk.read("fresh").len()), ("", 57));
    assert_ne!(desk.read("fresh").trim_end(), app["secret"].as_str().unwrap());
}

#[test]
fn an_app_says_how_its_secret_was_handed_over_and_takes_the_ways_of_a_key() {
    let desk = Desk::founded();
    let maria = desk.hire("jonas", "admin");
    let said = maria.does(&[&CREATE[..], &["--token-file", "env", "--env", "STORE_SECRET"]].concat());
    assert!(said.out.is_empty() && said.err.contains("in env as STORE_SECRET"), "{said:?}");
    assert!(desk.read("env").starts_with("STORE_SECRET=kdas_"));
    let page = maria.does(&["app", "show", "Web store"]).out;
    assert!(page.contains("Handed over     in a file, as STORE_SECRET, just now; not used yet"), "{page}");
    let twice = ["app", "rotate", "Web store", "--token-file", "env", "--env", "STORE_SECRET"];
    maria.says(&twice).fails(2, "sets STORE_SECRET already");
    maria.says(&["app", "rotate", "Web store", "--cancel", "--seal-to", "age1x"]).fails(2, "cannot be used");
    maria.does(&["app", "rotate", "Web store", "--token-file", "fresh"]);
    let way = |maria: &Person<'_>| maria.asks(&["app", "show", "Web store"])["handed_over"]["way"].clone();
    assert_eq!(way(&maria), "file");
    maria.does(&["app", "rotate", "Web store", "--cancel", "--yes"]);
    assert_eq!(way(&maria), "variable", "the old secret is as it was");
    maria.does(&["app", "new-secret", "Web store", "--yes"]);
    assert!(way(&maria).is_null());
    let told = maria.does(&["audit", "list"]).out;
    assert!(told.contains("app.hand-over"), "{told}");
    assert!(told.contains("handed over: in a file, as STORE_SECRET"), "{told}");
}

#[test]
fn a_secret_is_rotated_lengthened_taken_back_done_again_and_finished() {
    let desk = Desk::founded();
    let maria = desk.hire("jonas", "admin");
    let (app, ..) = created(&maria);
    let id = app["id"].as_str().unwrap();
    let said = maria.does(&["app", "rotate", id, "--grace", "1h", "--from", "now", "--id", "march"]);
    let secret = said.out.trim_end().to_owned();
    assert!(secret.starts_with("kdas_") && secret.len() == 56, "the secret alone: {secret}");
    assert!(said.err.contains("The old one works until") && said.err.contains("access tokens"), "{said:?}");
    maria.says(&["app", "rotate", id, "--id", "march"]).fails(1, "that rotation was done before");
    maria.says(&["app", "rotate", id]).fails(1, "more than two are never alive");
    let shown = maria.asks(&["app", "show", id]);
    assert!(shown["old_secret"]["ends_at"].is_string(), "{shown}");
    assert_eq!(shown["old_secret"]["use_count"], 0);
    let page = maria.does(&["app", "show", id]).out;
    assert!(page.contains("Old secret") && page.contains("not used since it was replaced"), "{page}");
    let notices = maria.asks(&["notices", "list"]);
    assert_eq!((&notices[0]["what"], &notices[0]["app"]), (&"grace_ends".into(), &id.into()));
    let table = maria.does(&["notices", "list"]).out;
    assert!(table.contains("its grace ends") && table.contains("Web store (kdas_"), "{table}");

    let before = shown["old_secret"]["ends_at"].as_str().unwrap().to_owned();
    maria.does(&["app", "rotate", id, "--longer", "24h"]);
    assert!(maria.asks(&["app", "show", id])["old_secret"]["ends_at"].as_str().unwrap() > before.as_str());
    let other = maria.does(&["app", "rotate", id, "--again"]).out.trim_end().to_owned();
    assert!(other.len() == 56 && other != secret);
    maria.does(&["app", "rotate", id, "--cancel"]);
    assert!(maria.asks(&["app", "show", id])["old_secret"].is_null());
    maria.says(&["app", "rotate", id, "--finish"]).fails(1, "the app has one secret");
    let said = maria.does(&["app", "rotate", id]);
    assert!(said.err.contains("works for 24 h after the new one is first used"), "{said:?}");
    maria.does(&["app", "rotate", id, "--finish"]);
    maria.does(&["app", "rotate", id, "--grace", "0"]);
    assert!(maria.asks(&["app", "show", id])["old_secret"].is_null());
    let trail = maria.does(&["audit", "list", "--json"]).out;
    for told in
        ["app.new-secret", "app.new-secret-again", "app.secret-cancel", "app.secret-end", "app.secret-longer"]
    {
        assert!(trail.contains(told), "{told}");
    }
    assert!(!trail.contains(&secret[18..]) && !trail.contains(&other[18..]));
}

#[test]
fn a_rotated_secret_that_could_not_be_written_leaves_the_old_one_as_it_was() {
    let desk = Desk::founded();
    let maria = desk.hire("jonas", "admin");
    let (app, ..) = created(&maria);
    let id = app["id"].as_str().unwrap();
    if !std::path::Path::new("/dev/full").exists() {
        println!("skipped: needs /dev/full");
        return;
    }
    let mut command = desk.command(&maria.words(&["app", "rotate", id]));
    command.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let done = command.stdin(std::process::Stdio::null()).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.contains("taken back at once"), "{said}");
    let after = maria.asks(&["app", "show", id]);
    assert!(after["old_secret"].is_null());
    assert_eq!(after["secret_since"], app["secret_since"]);
}
