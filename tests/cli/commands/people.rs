//! Operators, locations and the policy: who may come in, and what becomes of what they leave behind.

use crate::support::desk::Desk;

#[test]
fn operators_come_change_and_go() {
    let desk = Desk::founded();
    let maria = desk.maria();
    desk.file("zoe.pass", "zoe has a long passphrase");
    maria.does(&["operator", "add", "Zoë", "--role", "viewer", "--new-passphrase-file", "zoe.pass"]);
    // Typed on another keyboard: decomposed and in another case.
    let zoe = desk.by_passphrase("zoe\u{308}", "zoe.pass");
    let create = ["key", "create", "--name", "K", "--agency", "--scope", "contacts.read"];
    zoe.says(&create).fails(1, "needs the role admin, and you are viewer");
    zoe.says(&["operator", "role", "Zoë", "admin"]).fails(1, "needs the role admin");
    maria
        .says(&["operator", "add", "zoË", "--role", "viewer", "--new-passphrase-file", "zoe.pass"])
        .fails(1, "is taken");
    maria
        .says(&["operator", "add", "x", "--role", "root", "--new-passphrase-file", "zoe.pass"])
        .fails(2, "a role is admin, manager or viewer");

    assert_eq!(maria.asks(&["operator", "role", "Zoë", "admin"])["role"], "admin");
    let token = zoe.issues("K", "contacts.read");
    desk.file("zoe2.pass", "zoe has another passphrase");
    zoe.does(&["operator", "passphrase", "--new-passphrase-file", "zoe2.pass"]);
    zoe.says(&["key", "list"]).fails(4, "Cannot unseal");
    let zoe = desk.by_passphrase("Zoë", "zoe2.pass");
    assert_eq!(zoe.verifies(&token), "allow");

    maria.says(&["operator", "disable", "Zoë"]).fails(2, "--keys");
    maria.says(&["operator", "disable", "Zoë", "--keys", "give:"]).fails(2, "work, stop or give:OTHER");
    maria.does(&["operator", "disable", "Zoë", "--keys", "stop"]);
    zoe.says(&["key", "list"]).fails(4, "Cannot unseal");
    assert_eq!(maria.verifies(&token), "deny owner_disabled");
    let said = maria.does(&["operator", "disable", "Zoë", "--keys", "give:maria"]).err;
    assert!(said.contains("become maria's and work again, but for paused ones: 1 live key."), "{said}");
    assert_eq!(maria.verifies(&token), "allow");
    assert_eq!(maria.asks(&["key", "show", "K"])["owner"], "maria");
    maria.does(&["operator", "enable", "Zoë", "--new-passphrase-file", "zoe.pass"]);
    assert_eq!(desk.by_passphrase("Zoë", "zoe.pass").asks(&["key", "list"]), serde_json::json!([]));

    maria.does(&["operator", "role", "Zoë", "viewer"]);
    maria.says(&["operator", "disable", "maria", "--keys", "work"]).fails(1, "last active admin");
    maria.says(&["operator", "role", "maria", "viewer"]).fails(1, "last active admin");
}

#[test]
fn a_policy_says_whom_it_would_touch_before_it_is_set() {
    let desk = Desk::founded();
    let maria = desk.maria();
    maria.issues("Nightly export", "contacts.read");
    let said = maria.does(&["policy", "set", "idle-days", "30", "--dry-run"]).err;
    assert!(
        said.contains("1 key would be deleted for want of use, or sooner than now: Nightly export"),
        "{said}"
    );
    assert!(said.contains("Nothing was changed."), "{said}");
    let touched = maria.asks(&["policy", "set", "idle-days", "30", "--dry-run"]);
    assert_eq!(
        (&touched[0]["what"], &touched[0]["names"][0]),
        (&"deleted_sooner".into(), &"Nightly export".into())
    );
    assert_eq!(maria.asks(&["policy", "show"])["idle-days"], "90d");
    let said = maria.does(&["policy", "set", "lock-minutes", "5", "--dry-run"]).err;
    assert!(said.contains("It would touch no key and no operator. Nothing was changed."), "{said}");
    maria.says(&["policy", "set", "idle-days", "3", "--dry-run"]).fails(1, "idle-days takes");
    assert_eq!(maria.asks(&["policy", "set", "idle-days", "30"])["idle-days"], "30d");
}

#[test]
fn an_admin_who_sees_their_own_keys_is_told_how_many_of_others_a_policy_touches() {
    let desk = Desk::founded();
    let (maria, bob) = (desk.maria(), desk.hire("bob", "admin"));
    for name in ["Relay", "Export"] {
        bob.issues(name, "contacts.read");
    }
    let set = ["policy", "set", "idle-days", "20", "--dry-run"];
    let said = maria.does(&set).err;
    assert!(
        said.contains("2 keys of others would be deleted for want of use, or sooner than now (the first "),
        "{said}"
    );
    assert!(!said.contains("no key") && !said.contains("Relay"), "{said}");
    let touched = maria.asks(&set);
    assert_eq!((&touched[0]["names"], &touched[0]["others"]), (&serde_json::json!([]), &2.into()));
    maria.issues("Nightly export", "contacts.read");
    let said = maria.does(&set).err;
    assert!(said.contains("1 key would be deleted for want of use, or sooner than now: Nightly export; besides, 2 keys of others (the first"), "{said}");
    let all = maria.does(&[&set[..], &["--all"]].concat()).err;
    assert!(all.contains("3 keys would be") && all.contains("Relay") && !all.contains("of others"), "{all}");
    desk.hire("eve", "viewer");
    let viewer = desk.by_key_file("eve.key").does(&set).err;
    assert!(viewer.contains("It would touch no key and no operator."), "{viewer}");
}

#[test]
fn a_key_is_given_to_a_colleague_and_its_callers_notice_nothing() {
    let desk = Desk::founded();
    let maria = desk.maria();
    desk.hire("bob", "manager");
    let bob = desk.by_key_file("bob.key");
    let token = maria.issues("Nightly export", "contacts.read");
    maria.says(&["key", "transfer", "Nightly export", "--to", "nobody"]).fails(1, "no such operator");
    let said = maria.does(&["key", "transfer", "Nightly export", "--to", "bob"]).err;
    assert!(said.contains("Nightly export is bob's from now on. Its token is the same."), "{said}");
    assert_eq!(maria.verifies(&token), "allow");
    assert_eq!(bob.asks(&["key", "show", "Nightly export"])["owner"], "bob");
    maria.says(&["key", "show", "Nightly export"]).fails(1, "no such key");
    bob.says(&["key", "transfer", "Nightly export", "--to", "bob"]).fails(1, "needs the role admin");
    assert_eq!(
        maria.asks(&["key", "transfer", "Nightly export", "--to", "maria", "--all"])["owner"],
        "maria"
    );
    assert!(maria.does(&["audit", "list"]).out.contains("key.transfer"));
}

#[test]
fn a_forgotten_passphrase_is_set_anew_with_the_recovery_code_once() {
    let desk = Desk::founded();
    desk.file("new.pass", "maria has thought of another");
    let recover = [
        "operator",
        "passphrase",
        "maria",
        "--recovery-file",
        "recovery",
        "--new-passphrase-file",
        "new.pass",
    ];
    let said = desk.run(&recover, "").expect(0);
    assert!(said.out.starts_with("kdrc_") && said.out != desk.read("recovery"), "{said:?}");
    desk.maria().says(&["key", "list"]).fails(4, "Cannot unseal");
    let maria = desk.by_passphrase("maria", "new.pass");
    maria.does(&["key", "list"]);
    desk.run(&recover, "").fails(4, "Cannot unseal");
    desk.file("recovery", said.out.replace('-', " "));
    desk.run(&recover, "").expect(0);
    desk.file("recovery", "kdrc_nonsense");
    desk.run(&recover, "").fails(4, "not a recovery code");
}

#[test]
fn locations_come_by_the_thousand_or_not_at_all() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let names: Vec<String> = (1..=1000).map(|n| format!("{n},Branch {n}\r\n")).collect();
    desk.file("branches.csv", format!("\u{feff}id,Name\r\n{}", names.concat()));
    ann.does(&["location", "add", "--from", "branches.csv"]);
    assert_eq!(ann.asks(&["location", "list"]).as_array().unwrap().len(), 1000);

    desk.file("bad.csv", "name\nBerlin\n\"\"\nBRANCH 7\nberlin\nA\u{202e}B\n");
    let said = ann.says(&["location", "add", "--from", "bad.csv"]).fails(1, "Nothing was added");
    for line in [
        "line 3: a name is needed",
        "line 5: berlin is the same name as on line 2",
        "line 6: it holds the invisible",
    ] {
        assert!(said.err.contains(line), "{line}: {said:?}");
    }
    desk.file("bad.csv", "name\nBerlin\nBRANCH 7\n");
    ann.says(&["location", "add", "--from", "bad.csv"]).fails(1, "line 3: BRANCH 7 is there already");
    assert_eq!(ann.asks(&["location", "list"]).as_array().unwrap().len(), 1000);
    ann.says(&["location", "add", "--from", "absent.csv"]).fails(2, "cannot be read");

    let created =
        ann.asks(&["key", "create", "--name", "Till", "--location", "branch 7", "--scope", "contacts.read"]);
    assert_eq!((&created["kind"], &created["location"]), (&"location".into(), &"Branch 7".into()));
    let token = created["token"].as_str().unwrap();
    assert!(token.starts_with("kdlo_"));
    ann.does(&["location", "rename", "Branch 7", "Mitte"]);
    assert_eq!(ann.asks(&["key", "list", "--location", "Mitte"])[0]["location"], "Mitte");
    assert_eq!(ann.verifies(token), "allow");
    let listed = ann.asks(&["location", "list"]);
    let mitte = listed.as_array().unwrap().iter().find(|l| l["name"] == "Mitte").unwrap();
    assert_eq!(mitte["keys"], 1);
    ann.does(&["location", "remove", "Mitte"]);
    assert_eq!(ann.verifies(token), "deny location_disabled");
    ann.says(&["location", "remove", "Mitte"]).fails(1, "no such location");
}

#[test]
fn an_edit_based_on_an_old_revision_is_refused() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    ann.issues("Till", "contacts.read");
    ann.does(&["location", "add", "North"]);
    let rev = |words: &[&str]| {
        let told = ann.asks(words);
        let told = told.as_array().map_or(&told, |all| &all[0]);
        told["rev"].as_str().unwrap().to_owned()
    };
    let key = rev(&["key", "show", "Till"]);
    assert_eq!(key, rev(&["key", "list"]));
    let edit =
        |scopes: &str, rev: &str| ann.says(&["key", "rescope", "Till", "--scope", scopes, "--if-rev", rev]);
    edit("contacts.write", &key).expect(0);
    let said =
        edit("contacts.read", &key).fails(1, "the key Till was changed meanwhile: it may do contacts.write");
    let now = rev(&["key", "show", "Till"]);
    assert!(said.err.contains(&now), "{said:?}");
    edit("contacts.read", &now).expect(0);
    assert_eq!(rev(&["key", "show", "Till"]), key, "the same values are the same revision");
    edit("contacts.read", "soon").fails(2, "16 hexadecimal digits");
    // Without one, the last word holds.
    ann.does(&["key", "rescope", "Till", "--scope", "calendars.read"]);

    let north = rev(&["location", "list"]);
    ann.does(&["location", "rename", "North", "Nord", "--if-rev", &north]);
    ann.says(&["location", "rename", "Nord", "Norden", "--if-rev", &north]).fails(1, "it is called Nord,");
    desk.hire("bob", "manager");
    let bob = ann.asks(&["operator", "list"]);
    let bob =
        bob.as_array().unwrap().iter().find(|one| one["name"] == "bob").unwrap()["rev"].as_str().unwrap();
    ann.does(&["operator", "role", "bob", "viewer", "--if-rev", bob]);
    ann.says(&["operator", "role", "bob", "admin", "--if-rev", bob]).fails(1, "the role of bob was changed");
}

#[test]
fn a_name_means_the_key_that_lives_and_is_found_without_its_accents() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let first = ann.issues("Export Łódź", "contacts.read");
    ann.does(&["key", "revoke", "Export Łódź", "--yes"]);
    let second = ann.issues("Export Łódź", "contacts.read");
    ann.does(&["key", "pause", "export lodz"]);
    assert_eq!(ann.verifies(&second), "deny disabled");
    ann.does(&["key", "resume", "Export Łódź"]);
    // Of the two it is the one that ended that is put away; the other goes on.
    let said = ann.does(&["key", "delete", "Export Łódź", "--yes"]);
    assert!(said.err.contains(&first[..17]), "{said:?}");
    assert_eq!(ann.verifies(&second), "allow");
    let restored = ann.asks(&["key", "restore", "Export Łódź"]);
    assert_eq!(restored["id"], first[5..17]);
    ann.does(&["key", "revoke", "Export Łódź", "--yes"]);
    assert_eq!(ann.verifies(&second), "deny revoked");
    ann.says(&["key", "revoke", "Export Łódź", "--yes"]).fails(1, "More than one key has that name");
}

#[test]
fn the_policy_is_read_set_and_obeyed() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let bob = desk.hire("bob", "manager");
    let policy = ann.asks(&["policy", "show"]);
    assert_eq!((&policy["keys-per-operator"], &policy["idle-days"]), (&"20".into(), &"90d".into()));
    ann.does(&["policy", "set", "max-life", "30d"]);
    ann.says(&["key", "create", "--name", "A", "--agency", "--scope", "contacts.read", "--expires", "31d"])
        .fails(1, "max-life allows 30 days");
    ann.says(&["key", "create", "--name", "A", "--agency", "--scope", "contacts.read", "--expires", "never"])
        .expect(1);
    assert!(ann.does(&["policy", "show"]).out.contains("max-life               30d"));
    ann.says(&["policy", "set", "max-lief", "30d"]).fails(1, "the names are keys-per-operator");
    ann.says(&["policy", "set", "idle-days", "-1"]).fails(1, "idle-days takes off or a number of days");
    ann.says(&["policy", "set", "max-life", "30d"]).fails(1, "nothing to do");
    ann.says(&["policy", "set", "max-life", "60d", "--was", "90d"]).fails(1, "changed meanwhile: it is 30d");
    ann.does(&["policy", "set", "max-life", "60d", "--was", "30"]);
    bob.says(&["policy", "set", "max-life", "none"]).fails(1, "needs the role admin");
    bob.does(&["policy", "show"]);
}

#[test]
fn a_list_from_a_spreadsheet_is_not_stored_as_its_own_lines() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let listed = || -> Vec<String> {
        let all = ann.asks(&["location", "list"]);
        all.as_array().unwrap().iter().map(|l| l["name"].as_str().unwrap().to_owned()).collect()
    };
    let add = ["location", "add", "--from", "list.csv"];
    for (text, line, why) in [
        ("name,city\nBerlin,Mitte\nRome,\"x\nParis,y\n", 3, "never closed"),
        ("name\nBerlin\nSmith, Jones & Co\n", 3, "a comma parts it"),
        ("name;city\nBerlin;Mitte\n;x\n", 3, "a name is needed"),
    ] {
        desk.file("list.csv", text);
        let said = ann.says(&add).fails(1, "Nothing was added");
        assert!(said.err.contains(&format!("line {line}: {why}")) || said.err.contains(why), "{said:?}");
        assert!(listed().is_empty());
    }
    desk.file("list.csv", "Smith, Jones & Co\nRome\n");
    ann.says(&add).fails(1, "put it in double quotes, or say with --lines that each line is one name");
    let said = ann.says(&[&add[..], &["--lines", "--dry-run"]].concat()).expect(0);
    assert_eq!(said.out, "Smith, Jones & Co\nRome\n");
    for option in ["--column=2", "--heading", "--no-heading", "--lines"] {
        ann.says(&["location", "add", "X", option]).fails(2, "cannot be used with");
    }
    desk.file("list.csv", "nr;Wo\n1;Berlin\n2;\"Köln; Deutz\"\n");
    ann.says(&add).fails(1, "`nr`, `Wo`");
    let by_name = ["location", "add", "--from", "list.csv", "--column", "wo"];
    let said = ann.says(&[&by_name[..], &["--dry-run"]].concat()).expect(0);
    assert_eq!(said.out, "Berlin\nKöln; Deutz\n");
    assert!(said.err.contains("column 2 of 2, parted by semicolons; its heading is `Wo`"), "{said:?}");
    assert!(said.err.contains("2 would be added") && listed().is_empty(), "{said:?}");
    ann.does(&by_name);
    assert_eq!(listed(), ["Berlin", "Köln; Deutz"]);
    let told = ann.asks(&[&by_name[..], &["--dry-run", "--skip-existing"]].concat());
    assert_eq!(told, serde_json::json!({ "add": [], "existing": ["Berlin", "Köln; Deutz"] }));
    // A list that has grown: what is there is left as it is.
    desk.file("list.csv", "nr;Wo\n1;Berlin\n2;\"Köln; Deutz\"\n3;Rome\n");
    ann.says(&by_name).fails(1, "line 2: Berlin is there already");
    let said = ann.says(&[&by_name[..], &["--skip-existing"]].concat()).expect(0);
    assert!(said.err.contains("Rome is added. 2 are there already: Berlin, Köln; Deutz."), "{said:?}");
    assert_eq!(listed(), ["Berlin", "Köln; Deutz", "Rome"]);
    let told = ann.asks(&[&by_name[..], &["--skip-existing"]].concat());
    let told: Vec<_> = told.as_array().unwrap().iter().map(|l| (&l["name"], &l["added"])).collect();
    let left = |name: &'static str| (serde_json::Value::from(name), serde_json::Value::from(false));
    let all = ["Berlin", "Köln; Deutz", "Rome"].map(left);
    assert_eq!(told, all.iter().map(|(name, added)| (name, added)).collect::<Vec<_>>());
    let viewer = desk.hire("vera", "viewer");
    desk.file("list.csv", "name\nOslo\n");
    viewer.says(&[&add[..], &["--dry-run"]].concat()).fails(1, "admin");
}

#[test]
fn a_list_that_was_killed_half_way_goes_on_where_it_stopped() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let rows = (1..=2_000).map(|n| format!("Branch {n}")).collect::<Vec<_>>().join("\n");
    desk.file("list.csv", rows);
    let add = ["location", "add", "--from", "list.csv", "--no-heading", "--skip-existing"];
    let words = ann.words(&add);
    // Killed once something of it is in the store, wherever it is then.
    let seal = desk.data().join("seal");
    let before = std::fs::read(&seal).unwrap();
    let mut child = desk.command(&words).spawn().unwrap();
    while child.try_wait().unwrap().is_none() && std::fs::read(&seal).is_ok_and(|now| now == before) {
        std::thread::yield_now();
    }
    let _ended = child.kill();
    child.wait().unwrap();
    let count = || ann.asks(&["location", "list"]).as_array().unwrap().len();
    let there = count();
    let said = ann.says(&add).expect(0);
    if there < 2_000 {
        assert!(said.err.contains(&format!("{} locations are added.", 2_000 - there)), "{said:?}");
    }
    if there > 1 {
        assert!(said.err.contains(&format!("{there} are there already: Branch ")), "{said:?}");
    }
    assert_eq!(count(), 2_000);
    assert_eq!(ann.does(&["audit", "verify"]).out.split(':').next(), Some("intact"));
}

#[test]
fn a_key_of_a_removed_location_is_not_shown_as_one_that_works() {
    let desk = Desk::founded();
    let maria = desk.maria();
    maria.does(&["location", "add", "Harbour"]);
    let create = ["key", "create", "--name", "Till", "--location", "Harbour", "--scope", "contacts.read"];
    let token = maria.asks(&create)["token"].as_str().unwrap().to_owned();
    let refused = |words: &[&str]| maria.asks(words)[0]["refused"].clone();
    assert_eq!(refused(&["key", "list", "--state", "active"]), serde_json::Value::Null);
    maria.does(&["location", "remove", "Harbour", "--yes"]);
    assert_eq!(maria.verifies(&token), "deny location_disabled");
    let shown = maria.asks(&["key", "show", "Till"]);
    assert_eq!(
        (shown["state"].as_str(), shown["refused"].as_str()),
        (Some("active"), Some("location_disabled"))
    );
    assert_eq!(refused(&["key", "list", "--state", "stopped"]), "location_disabled");
    assert_eq!(maria.asks(&["key", "list", "--state", "active"]), serde_json::json!([]));
    let list = maria.does(&["key", "list"]).out;
    assert!(list.contains("✕ location removed") && !list.contains("active"), "{list}");
    let page = maria.does(&["key", "show", "Till"]).out;
    assert!(page.contains("active; refused all the same: its location was removed."), "{page}");
    maria.does(&["key", "revoke", "Till", "--yes"]);
    assert_eq!(refused(&["key", "list"]), "revoked");
}

#[test]
fn nothing_can_be_called_what_means_another_key() {
    let desk = Desk::founded();
    let maria = desk.maria();
    let shown = maria.asks(&["key", "create", "--name", "Export", "--agency", "--scope", "contacts.read"]);
    let id = shown["id"].as_str().unwrap();
    for name in [id, &format!("kdag_{id}"), &format!("kdag_{id}_…"), "loc_7HqP2mVx9KtR"] {
        let create = ["key", "create", "--name", name, "--agency", "--scope", "contacts.read"];
        let said = maria.says(&create);
        assert!(said.code != 0 && said.err.contains("reads like an id"), "{said:?}");
    }
    maria.says(&["location", "add", "loc_7HqP2mVx9KtR"]).fails(1, "reads like an id");
    maria.does(&["location", "add", "Headquarters"]);
    maria.does(&["location", "rename", "Headquarters", "Hauptquartier"]);
    maria.says(&["location", "rename", "Hauptquartier", "op_7HqP2mVx9KtR"]).fails(2, "reads like an id");
}

#[test]
fn a_heading_in_another_language_does_not_become_a_location() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    desk.file("list.csv", "Filialen\nZürich\nÄpfelgasse\nBerlin\n");
    let add = ["location", "add", "--from", "list.csv"];
    ann.says(&add).fails(1, "line 1: `Filialen` may be what the column is called or the first of the names");
    ann.says(&[&add[..], &["--heading", "--no-heading"]].concat()).expect(2);
    let said = ann.does(&[&add[..], &["--heading"]].concat());
    assert!(said.err.contains("its heading is `Filialen`") && said.err.contains("3 locations"), "{said:?}");
    // In the order of a dictionary, whatever their accents.
    let listed = ann.does(&["location", "list"]).out;
    let at = |name: &str| listed.find(name).unwrap_or_else(|| panic!("{name}: {listed}"));
    assert!(at("Äpfelgasse") < at("Berlin") && at("Berlin") < at("Zürich"), "{listed}");
    desk.file("list.csv", "name\nBerlin\nRome\n");
    let said = ann.does(&[&add[..], &["--skip-existing", "--dry-run"]].concat());
    assert!(said.err.contains("1 would be added. 1 is there already: Berlin."), "{said:?}");
    ann.says(&["location", "add", "--from", "/dev/zero"]).fails(2, "it is a device");
}

#[test]
fn whoever_ends_a_location_an_app_or_an_operator_is_told_how_many_keys_stop() {
    let desk = Desk::founded();
    let maria = desk.maria();
    let issue = |name: &str, place: &[&str]| {
        maria.does(&[&["key", "create", "--name", name, "--scope", "contacts.read"], place].concat());
    };
    for place in ["Harbour", "Station", "Airport"] {
        maria.does(&["location", "add", place]);
    }
    for key in ["Till 1", "Till 2"] {
        issue(key, &["--location", "Harbour"]);
    }
    issue("Till 3", &["--location", "Station"]);
    let said = maria.does(&["location", "remove", "Harbour", "--yes"]).err;
    assert!(said.contains("Refused from now on with it: 2 live keys."), "{said}");
    assert_eq!(maria.asks(&["location", "remove", "Station", "--yes"])["keys_stopped"], 1);
    let said = maria.does(&["location", "remove", "Airport", "--yes"]).err;
    assert!(said.contains("with it: no live key."), "{said}");

    let app = ["app", "create", "--uri", "https://a.example", "--source", "bot", "--user-type", "guest"];
    let app = |name: &str| {
        maria.does(&[&app[..], &["--name", name, "--auth", "key", "--scope", "contacts.read"]].concat());
        maria.does(&["app", "new-key", name]);
    };
    app("Bot");
    app("Crawler");
    let said = maria.does(&["app", "pause", "Bot"]).err;
    assert!(said.contains("until it is resumed: 1 live key."), "{said}");
    assert_eq!(maria.asks(&["app", "pause", "Crawler"])["keys_stopped"], 1);
    let said = maria.does(&["app", "delete", "Bot", "--yes"]).err;
    assert!(said.contains("Revoked with it: 1 live key."), "{said}");
    assert_eq!(maria.asks(&["app", "delete", "Crawler", "--yes"])["keys_stopped"], 1);

    for name in ["ann", "bob"] {
        let own = desk.hire(name, "admin");
        own.issues(&format!("Export of {name}"), "contacts.read");
    }
    let said = maria.does(&["operator", "disable", "ann", "--keys", "stop", "--yes"]).err;
    assert!(said.contains("Their keys stop: 1 live key."), "{said}");
    let told = maria.asks(&["operator", "disable", "bob", "--keys", "work", "--yes"]);
    assert_eq!((&told["keys"], &told["keys_stopped"]), (&1.into(), &0.into()));
}
