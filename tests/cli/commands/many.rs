//! One thing done to many keys by words: which are found, the number that must fit, what is done and what is not, and why.

use serde_json::{Value, json};

use crate::support::desk::{Desk, Person};

/// Five keys of ann, one of them paused, and one of bob.
fn keys(desk: &Desk) -> (Person<'_>, [String; 5]) {
    let ann = desk.hire("ann", "admin");
    let bob = desk.hire("bob", "admin");
    let tokens =
        ["Till 1", "Till 2", "Till 3", "Report", "Widget"].map(|called| ann.issues(called, "contacts.read"));
    bob.issues("Till of bob", "contacts.read");
    ann.does(&["key", "pause", "Till 3"]);
    (ann, tokens)
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap()).collect()
}

#[test]
fn a_list_finds_by_words_what_a_filter_line_of_the_console_finds() {
    let desk = Desk::founded();
    let (ann, _) = keys(&desk);
    let found = |words: &[&str]| {
        let list = ann.asks(&[&["key", "list"], words].concat());
        names(&list).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found(&["--where", "till NOT state:paused"]), ["Till 1", "Till 2"]);
    assert_eq!(found(&["--where", "\"till 3\" OR report"]), ["Report", "Till 3"]);
    assert_eq!(found(&["--where", "till", "--state", "paused"]), ["Till 3"]);
    assert_eq!(found(&["--all", "--where", "owner:bob"]), ["Till of bob"]);
    assert!(found(&["--where", "used:never idle>1d"]).is_empty());
    ann.says(&["key", "list", "--where", "colour:red"]).fails(
        2,
        "there is no filter colour: here, only scope: state: owner: at: note: from: by: expires< used<",
    );
    ann.says(&["key", "list", "--where", "till or report"]).fails(2, "or is looked for as a word; write OR");
    let ids = ann.does(&["key", "list", "--where", "till", "--ids"]).out;
    let all = ann.asks(&["key", "list", "--where", "till", "--ids"]);
    assert_eq!(
        ids.lines().collect::<Vec<_>>(),
        all.as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect::<Vec<_>>()
    );
    assert_eq!((ids.lines().count(), ids.lines().all(|id| id.len() == 12)), (3, true));
}

#[test]
fn keys_are_listed_for_other_programs_and_no_spreadsheet_runs_a_name() {
    let desk = Desk::founded();
    let (ann, _) = keys(&desk);
    ann.issues("=HYPERLINK(1)", "contacts.read");
    let text = ann.does(&["key", "list", "--csv", "--where", "hyperlink OR report"]).out;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("id,name,hint,kind,place,owner,state,scopes,"), "{text}");
    assert!(
        lines[1].contains(",'=HYPERLINK(1),kdag_") && lines[1].contains(",agency,,ann,active,"),
        "{text}"
    );
    assert!(lines[2].contains(",Report,") && lines.len() == 3, "{text}");
    assert_eq!(ann.does(&["key", "list", "--csv", "--where", "nothing"]).out.lines().count(), 1);
    ann.says(&["key", "list", "--csv", "--json"]).fails(2, "two forms of one list");
}

#[test]
fn many_are_ended_when_the_number_fits_and_none_when_it_does_not() {
    let desk = Desk::founded();
    let (ann, tokens) = keys(&desk);
    let revoke = ["key", "revoke", "--where", "till", "--reason", "leaked"];
    let with = |more: &[&str]| ann.says(&[&revoke, more].concat());
    assert!(ann.verifies(&tokens[0]).starts_with("allow"));
    with(&[]).fails(2, "3 keys are like that. Nothing was done: --expect 3 says that they are meant");
    with(&["--yes"]).fails(2, "--expect 3");
    with(&["--expect", "2"]).fails(1, "3 keys are like that now, not 2. Nothing was done");
    let none = ann.says(&["key", "revoke", "--where", "nothing"]);
    none.fails(1, "No key of yours is like that, and no others were looked at: --all looks at everybody's. Nothing was done.");
    let none = ann.says(&["key", "revoke", "--all", "--where", "nothing"]);
    none.fails(1, "No key is like that. Nothing was done.");
    ann.says(&["key", "revoke", "--where", "owner:bob", "--expect", "1"])
        .fails(1, "--all looks at everybody's");
    assert!(ann.does(&["key", "list", "--where", "owner:bob"]).err.contains("--all looks at everybody's"));
    ann.says(&["key", "revoke", "--where", "", "--expect", "5"]).fails(2, "--where is empty");
    ann.says(&["key", "revoke", "Till 1", "--where", "till"]).fails(2, "cannot be used with");
    let dry = with(&["--dry-run"]).expect(0);
    assert!(dry.out.starts_with("3 keys would be revoked\n"), "{dry:?}");
    assert!(
        dry.out.contains("In use now  1 of 3: Till 1") && dry.out.contains("\n  Till 1  kdag_"),
        "{dry:?}"
    );
    assert!(dry.out.contains("24 hours    1 request allowed, 0 refused\n"), "{dry:?}");
    assert!(dry.out.contains(", 1 request within 24 h\n"), "{dry:?}");
    assert!(dry.out.contains("ann, last used never") && dry.err.contains("Nothing was changed."), "{dry:?}");
    assert!(tokens[..2].iter().all(|token| ann.verifies(token).starts_with("allow")));
    let done = with(&["--expect", "3"]).expect(0);
    assert_eq!(done.out.lines().count(), 3, "{done:?}");
    assert!(done.err.contains("3 keys are revoked.") && !done.err.contains("takes it back"), "{done:?}");
    assert!(tokens[..3].iter().all(|token| ann.verifies(token) == "deny revoked"));
    assert!(ann.verifies(&tokens[3]).starts_with("allow"));
    let rows = ann.asks(&["audit", "list", "--key", "Till 2"]);
    let revoked = rows.as_array().unwrap().iter().find(|row| row["event"] == "key.revoke").unwrap();
    assert_eq!(revoked["subjects"].as_array().unwrap().len(), 3);
    assert_eq!(revoked["changes"], json!([{ "field": "reason", "from": "", "to": "leaked" }]));
    let list = ann.does(&["audit", "list", "--limit", "12"]).out;
    assert!(list.contains("key Till 1, key Till 2, key Till 3"), "{list}");
}

#[test]
fn what_was_refused_of_many_is_told_with_why_and_a_pause_is_taken_back_by_its_ids() {
    let desk = Desk::founded();
    let (ann, tokens) = keys(&desk);
    let pause = ["key", "pause", "--where", "till OR report"];
    let with = |more: &[&'static str]| [&pause[..], more].concat();
    let dry = ann.asks(&with(&["--dry-run"]));
    assert_eq!((&dry["found"], &dry["possible"]), (&json!(4), &json!(3)));
    let requests = json!({ "allowed": 0, "denied": 0, "complete": true });
    assert_eq!((&dry["requests"], &dry["used_within_5_min"]), (&requests, &json!(0)));
    let first: Vec<&str> = names(&dry["first"]);
    assert_eq!(first, ["Report", "Till 1", "Till 2", "Till 3"]);
    assert_eq!((&dry["first"][0]["owner"], &dry["first"][0]["last_used_at"]), (&json!("ann"), &Value::Null));
    let refused = &dry["refused"][0];
    assert_eq!((&refused["name"], &refused["code"]), (&json!("Till 3"), &json!("wrong_state")));
    let said = ann.says(&with(&["--expect", "4", "--json"])).expect(1).json();
    assert_eq!((&said["found"], &said["not_tried"], &said["undo"]), (&json!(4), &json!(0), &json!("resume")));
    assert_eq!((said["done"].as_array().unwrap().len(), &said["refused"]), (3, &dry["refused"]));
    assert_eq!(ann.verifies(&tokens[0]), "deny disabled");
    // In words, and back again.
    let again = ann.says(&with(&["--expect", "4"])).expect(1);
    assert!(again.out.is_empty() && again.err.contains("0 keys are paused."), "{again:?}");
    assert!(
        again.err.contains("4 are as they were (Report, Till 1, Till 2 and 1 more): the key is paused"),
        "{again:?}"
    );
    let ids: Vec<&str> = said["done"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let resume = [&["key", "resume", "--expect", "3", "--ids"], &ids[..]].concat();
    assert!(ann.does(&resume).err.contains("`keydeck key pause --ids` with the ids above takes it back."));
    assert!(ann.verifies(&tokens[0]).starts_with("allow"));
    assert_eq!(ann.verifies(&tokens[2]), "deny disabled", "nobody asked for that one");
    let piped = ann.gives(&["key", "pause", "--expect", "3", "--ids", "-"], ids.join("\n")).expect(0);
    assert_eq!(piped.out.lines().count(), 3);
    ann.says(&["key", "resume", "--ids", "Report", "--expect", "1"]).fails(2, "Report is no id of a key");
    ann.says(&["key", "resume", "--ids", "7HqP2mVx9KtR", "--expect", "1"])
        .fails(1, "7HqP2mVx9KtR: there is no such key");
}

#[test]
fn many_are_rotated_into_a_file_or_a_directory_and_never_onto_the_screen() {
    let desk = Desk::founded();
    let (ann, tokens) = keys(&desk);
    let rotate = |more: &[&str]| {
        ann.says(&[&["key", "rotate", "--where", "till NOT state:paused", "--expect", "2"], more].concat())
    };
    rotate(&[]).fails(2, "The tokens of many keys are never shown. Say with --to where they go");
    rotate(&["--to", "new", "--token-file", "x"]).fails(2, "cannot be used with");
    rotate(&["--to", "new", "--grace", "0"]).fails(2, "Many keys are rotated with a grace");
    rotate(&["--to", "new", "--finish"]).fails(2, "cannot be used with");
    ann.says(&["key", "rotate", "Till 1", "--to", "new"]).fails(2, "cannot be used with");
    desk.file("taken", "theirs");
    rotate(&["--to", "taken"]).fails(2, "cannot be made");
    let other = ["key", "rotate", "--where", "till", "--expect", "9", "--to", "new"];
    ann.says(&other).fails(1, "3 keys are like that now, not 9");
    assert!(!desk.path("new").exists(), "what nothing came into is gone");
    let dry = rotate(&["--dry-run"]).expect(0);
    assert!(
        dry.out.starts_with("2 keys would be rotated\n") && dry.out.contains("\n  Till 1  kdag_"),
        "{dry:?}"
    );

    let said = rotate(&["--to", "new", "--env-prefix", "SHOP_", "--id", "march"]).expect(0);
    assert!(
        said.err.contains("2 keys are rotated. Their tokens are in new;") && !said.out.contains("kdag_"),
        "{said:?}"
    );
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(desk.path("new")).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    let text = desk.read("new");
    let lines: Vec<(&str, &str)> = text.lines().map(|line| line.split_once('=').unwrap()).collect();
    let [("SHOP_TILL_1", one), ("SHOP_TILL_2", two)] = lines[..] else { panic!("{}", lines.len()) };
    for token in [one, two, &tokens[0], &tokens[1]] {
        assert!(ann.verifies(token).starts_with("allow"), "the old ones work on for their grace");
    }
    let shown = ann.asks(&["key", "show", "Till 1"]);
    assert_eq!(shown["handed_over"]["said"], "in a file, as SHOP_TILL_1");
    // Asked for again it makes no other secret, whatever it is to go into.
    let again = rotate(&["--to", "again", "--id", "march"]).expect(1);
    assert!(
        again.err.contains("0 keys are rotated.") && again.err.contains("--again` makes another"),
        "{again:?}"
    );
    assert!(!desk.path("again").exists());
    assert_eq!(desk.read("new"), text);

    // What nobody has used tells how it is given again.
    let words = ["key", "rotate", "--ids", shown["id"].as_str().unwrap(), "--expect", "1", "--to", "x"];
    assert!(ann.says(&words).expect(1).err.contains("more than two secrets are never alive"));
    let report = ["key", "rotate", "--where", "report OR widget", "--expect", "2", "--to", "lines.jsonl"];
    let told = ann.asks(&report);
    assert_eq!((&told["tokens"], told["done"].as_array().unwrap().len()), (&json!("in lines.jsonl"), 2));
    for line in desk.read("lines.jsonl").lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let page = ann.does(&["key", "show", line["id"].as_str().unwrap()]).out;
        assert!(page.contains("if its token is lost, `keydeck key rotate"), "{page}");
        assert!(ann.verifies(line["token"].as_str().unwrap()).starts_with("allow"));
        assert!(line["succeeds"].is_string());
    }
    std::fs::create_dir(desk.path("each")).unwrap();
    desk.file("each/till-of-bob.token", "theirs");
    let bobs = ["key", "rotate", "--all", "--where", "owner:bob", "--expect", "1", "--to", "each"];
    ann.does(&bobs);
    assert_eq!(desk.read("each/till-of-bob.token"), "theirs");
    assert!(ann.verifies(desk.read("each/till-of-bob-2.token")).starts_with("allow"));
    // Where a token finds no place its key is not rotated, and that is no fault of the store.
    std::fs::create_dir(desk.path("full")).unwrap();
    for number in 1..=1_000 {
        let end = if number == 1 { String::new() } else { format!("-{number}") };
        desk.file(&format!("full/lone{end}.token"), "theirs");
    }
    for name in ["Aside", "Lone", "Other"] {
        ann.issues(name, "contacts.read");
    }
    let words =
        ["key", "rotate", "--where", "aside OR lone OR other", "--expect", "3", "--to", "full", "--json"];
    let told = ann.says(&words).expect(1).json();
    assert_eq!(told["done"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&told["refused"][0]["name"], &told["refused"][0]["code"]),
        (&json!("Lone"), &json!("token_lost"))
    );
    assert_eq!((&told["not_tried"], told["untried"].as_array().unwrap().len()), (&json!(1), 1));
    assert!(
        ann.verifies(desk.read("full/aside.token")).starts_with("allow"),
        "what was made before is there"
    );
}

#[cfg(feature = "age")]
#[test]
fn many_tokens_are_sealed_one_by_one() {
    const SSH: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN alice@laptop";
    let desk = Desk::founded();
    let (ann, _) = keys(&desk);
    let rotate = |more: &[&str]| {
        ann.says(&[&["key", "rotate", "--where", "report", "--expect", "1", "--seal-to", SSH], more].concat())
    };
    rotate(&["--to", "env"]).fails(2, "what is sealed takes several lines");
    std::fs::create_dir(desk.path("each")).unwrap();
    rotate(&["--to", "each"]).expect(0);
    assert!(desk.read("each/report.age").starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
    assert_eq!(ann.asks(&["key", "show", "Report"])["handed_over"]["said"], "sealed to alice@laptop");
    let widget = ["key", "rotate", "--where", "widget", "--expect", "1", "--seal-to", SSH, "--to", "w.jsonl"];
    ann.does(&widget);
    let line: Value = serde_json::from_str(desk.read("w.jsonl").trim_end()).unwrap();
    assert!(line["token"].is_null() && line["sealed"].as_str().unwrap().contains("AGE ENCRYPTED"));
}

#[test]
fn whatever_is_done_to_one_key_is_done_to_many() {
    let desk = Desk::founded();
    let (ann, tokens) = keys(&desk);
    let till = ["--where", "till NOT state:paused", "--expect", "2"];
    let does = |words: &[&str]| ann.does(&[words, &till].concat());
    does(&["key", "rescope", "--add", "contacts.write"]);
    does(&["key", "rescope", "--remove", "contacts.read"]);
    does(&["key", "edit", "--expires", "30d"]);
    does(&["key", "keep"]);
    does(&["key", "protect", "--why", "the counters"]);
    does(&["key", "unprotect"]);
    ann.says(&[&["key", "edit", "--note", "x"], &till[..]].concat()).fails(2, "only the end can be changed");
    ann.says(&[&["key", "edit", "--expires", "1d", "--if-rev", "0123456789abcdef"], &till[..]].concat())
        .fails(2, "--if-rev is of one key");
    for name in ["Till 1", "Till 2"] {
        let key = ann.asks(&["key", "show", name]);
        assert_eq!((&key["scopes"], &key["protected"]), (&json!(["contacts.write"]), &Value::Null));
        assert!(key["expires_at"].is_string());
    }
    assert!(ann.asks(&["key", "show", "Report"])["expires_at"].is_null());
    does(&["key", "transfer", "--to", "bob"]);
    assert_eq!(names(&ann.asks(&["key", "list", "--all", "--where", "owner:bob till"])).len(), 3);
    let theirs = ["--all", "--where", "owner:bob", "--expect", "3"];
    let gone = ann.does(&[&["key", "delete"], &theirs[..]].concat());
    assert!(gone.err.contains("brings their records back, not their tokens"), "{gone:?}");
    assert_eq!(ann.verifies(&tokens[0]), "deny tombstoned");
    let back = ["key", "restore", "--all", "--where", "owner:bob state:deleted", "--expect", "3"];
    assert!(ann.does(&back).err.contains("3 keys are back in the lists, as revoked."));
    assert_eq!(ann.verifies(&tokens[0]), "deny revoked");
    // Of one key it can be asked before, too.
    let dry = ann.does(&["key", "revoke", "Report", "--dry-run"]);
    assert!(
        dry.out.starts_with("Name        Report\n") && dry.err.contains("Nothing was changed"),
        "{dry:?}"
    );
    assert!(ann.verifies(&tokens[3]).starts_with("allow"));
}

#[test]
fn what_was_done_to_many_is_taken_back_by_its_report_and_nothing_that_changed_since() {
    let desk = Desk::founded();
    let (ann, tokens) = keys(&desk);
    let till = ["--all", "--where", "till NOT state:paused owner:ann", "--expect", "2", "--json"];
    let report = |words: &[&str]| ann.does(&[words, &till].concat()).out;
    let undo = |report: &str, more: &[&str]| ann.gives(&[&["key", "undo", "-"], more].concat(), report);
    let given = report(&["key", "transfer", "--to", "bob"]);
    let dry = undo(&given, &["--all", "--dry-run"]).expect(0);
    assert!(dry.out.starts_with("2 keys would be with the former owner again\n"), "{dry:?}");
    undo(&given, &["--all", "--expect", "3"]).fails(1, "2 keys are named, not 3");
    undo(&given, &["--all", "--expect", "2"]).expect(0);
    assert_eq!(names(&ann.asks(&["key", "list", "--where", "till"])).len(), 3);
    // Once: what is refused for one reason is told once, with whose it is.
    let again = undo(&given, &["--all", "--expect", "2"]).expect(1);
    assert!(again.err.contains("0 keys are with the former owner again"), "{again:?}");
    assert!(
        again.err.contains("2 are as they were (Till 1, Till 2): the key was changed meanwhile"),
        "{again:?}"
    );
    undo(&given, &["--all", "--expect", "0"]).fails(1, "2 keys are named, not 0");
    // Scopes, ends and protections as they were, each key's own.
    ann.does(&["key", "edit", "Till 1", "--expires", "30d"]);
    // The end of a protection is somebody's word that the key is needed: its days count from then.
    let now = || {
        let mut keys = ann.asks(&["key", "list", "--where", "till"]);
        keys.as_array_mut().unwrap().iter_mut().for_each(|key| key["deletes_at"] = Value::Null);
        keys
    };
    let before = now();
    for words in [
        &["key", "edit", "--expires", "90d"][..],
        &["key", "rescope", "--add", "calendars.read"],
        &["key", "protect", "--why", "the counters"],
        &["key", "pause"],
    ] {
        let done = report(words);
        assert_ne!(now(), before, "{words:?}");
        undo(&done, &["--expect", "2", "--json"]).expect(0);
        assert_eq!(now(), before, "{words:?}");
    }
    // What somebody did in between stays.
    let done = report(&["key", "pause"]);
    ann.does(&["key", "resume", "Till 1"]);
    ann.does(&["key", "pause", "Till 1"]);
    let said = undo(&done, &["--expect", "2", "--json"]).expect(1).json();
    assert_eq!(
        (said["done"].as_array().unwrap().len(), said["refused"][0]["code"].as_str()),
        (1, Some("changed_meanwhile"))
    );
    assert_eq!([0, 1].map(|n| ann.verifies(&tokens[n]) == "allow"), [false, true]);
    // What ended has no way back, and what is no report is none.
    ann.does(&["key", "resume", "Till 1"]);
    let ended = report(&["key", "revoke"]);
    undo(&ended, &["--expect", "2"]).fails(1, "Nothing of what was done can be taken back");
    undo("{}", &["--expect", "2"]).fails(2, "no report");
    undo("{\"takes_back\":[\"AAAA\"]}", &["--expect", "1"]).fails(2, "was altered");
}
