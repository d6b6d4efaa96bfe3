//! A person looks for secrets in files: what is found is told with its place and what it opens, never what it is.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::support::desk::{Desk, Person, Said, with_checksum};

/// Everything that was said, which must hold no secret.
fn clean<'s>(said: &'s Said, secrets: &[&str]) -> &'s str {
    for secret in secrets {
        // The last group of a code, the last characters of a token.
        let tail = &secret[secret.len() - 6..];
        assert!(!said.out.contains(tail) && !said.err.contains(tail), "{said:?}");
    }
    &said.out
}

fn agency_key(person: &Person<'_>, name: &str) -> (String, String) {
    let token = person.issues(name, "contacts.read");
    let id = token[5..17].to_owned();
    (token, id)
}

#[test]
fn secrets_are_found_wherever_they_stand_and_never_shown() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let (token, id) = agency_key(&ann, "Nightly export");
    let code = desk.read("recovery");
    let code = code.trim();
    for dir in ["repo/.git", "repo/.config", "repo/src", "repo/build", "elsewhere"] {
        fs::create_dir_all(desk.path(dir)).unwrap();
    }
    desk.file("repo/.gitignore", "build\n");
    desk.file("repo/.git/config", &token);
    desk.file("repo/build/out", &token);
    desk.file("repo/.config/env", format!("A=1\nKEY='{token}'\n"));
    desk.file("repo/src/blob", [&b"\0\xff\xfe"[..], token.as_bytes(), b"\0"].concat());
    desk.file("repo/src/long", format!("{}{token}", "x".repeat(300_000)));
    desk.file("repo/src/near", with_checksum(&token).replace('_', "-") + &token[..55]);
    desk.file("elsewhere/notes", format!("paper: {code}\nkdim_7HqP2mVx9KtR_old-Secret\nkdim_7HqP2mVx9KtR_…"));
    symlink(desk.path("elsewhere"), desk.path("repo/link")).unwrap();
    symlink(desk.path("elsewhere/notes"), desk.path("repo/notes")).unwrap();

    let said = desk.run(&["scan", "repo", "--no-store"], "").expect(1);
    let hint = format!("agency key kdag_{id}_…");
    let expected =
        format!("repo/.config/env:2:6: {hint}\nrepo/src/blob:1:4: {hint}\nrepo/src/long:1:300001: {hint}\n");
    assert_eq!(clean(&said, &[&token, code]), expected);
    let all = desk.run(&["scan", "repo", "--no-store", "--no-ignore"], "").expect(1);
    assert_eq!(clean(&all, &[&token]).lines().count(), 4, "{all:?}");
    assert!(all.out.contains("repo/build/out:1:1: "), "{all:?}");
    // A link that is named is followed, and a file that is named is searched whatever git thinks of it.
    let said = desk.run(&["scan", "--no-store", "repo/notes", "repo/build/out"], "").expect(1);
    let out = clean(&said, &[&token, code]);
    assert!(
        out.starts_with(&format!("repo/build/out:1:1: {hint}\nrepo/notes:1:8: recovery code kdrc_…\n")),
        "{out}"
    );
    assert!(out.ends_with(
        "repo/notes:2:1: imported key kdim_7HqP2mVx9KtR_…: by its shape only, which has no checksum\n"
    ));
    assert!(said.err.contains("3 secrets were found."), "{said:?}");

    let piped = desk.run(&["scan", "--no-store", "-"], format!("+{token}\n")).expect(1);
    assert_eq!(clean(&piped, &[&token]), format!("(standard input):1:2: {hint}\n"));
    let quiet = desk.run(&["scan", "--no-store", "-q", "repo", "-"], "").expect(1);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
    let utf16: Vec<u8> = format!("\u{feff}é {token}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let said = desk.run(&["scan", "--no-store", "-"], utf16).expect(1);
    assert_eq!(clean(&said, &[&token]), format!("(standard input):1:3: {hint}\n"));

    let unmarked: Vec<u8> = format!("é\n {token}").encode_utf16().flat_map(u16::to_be_bytes).collect();
    desk.file("elsewhere/wide", unmarked);
    let said = desk.run(&["scan", "--no-store", "elsewhere/wide"], "").expect(1);
    assert_eq!(clean(&said, &[&token]), format!("elsewhere/wide:2:2: {hint}\n"));

    // A directory that is called like a secret does not bring it into what is said.
    desk.file(&format!("elsewhere/{token}"), &token);
    let said = desk.run(&["scan", "--no-store", "elsewhere", "--json"], "").expect(1);
    assert!(clean(&said, &[&token, code]).contains(&format!("elsewhere/kdag_{id}_…")), "{said:?}");
}

#[test]
fn what_was_not_searched_is_told_and_nothing_found_is_no_answer_then() {
    let desk = Desk::founded();
    desk.file("clean", "mkdir kdag_ kdag_7HqP2mVx9KtR_…");
    desk.run(&["scan", "--no-store", "clean"], "").expect(0);
    assert_eq!(desk.run(&["scan", "clean", "--json"], "").expect(0).json(), serde_json::json!([]));
    desk.run(&["scan", "--no-store", "clean", "gone"], "").fails(3, "Not searched: gone: ");
    let token = desk.hire("ann", "admin").issues("A", "contacts.read");
    desk.file("leak", &token);
    let said = desk.run(&["scan", "--no-store", "gone", "leak"], "").expect(1);
    assert!(said.err.contains("Not searched: gone: ") && said.out.starts_with("leak:1:1: "), "{said:?}");
    // What has no end is not begun.
    let pipe = desk.path("pipe");
    let (here, fifo) = (rustix::fs::CWD, rustix::fs::FileType::Fifo);
    rustix::fs::mknodat(here, &pipe, fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    let hint =
        "it is a pipe and no regular file; what comes through it is searched with `keydeck scan - < pipe`";
    desk.run(&["scan", "--no-store", "pipe"], "").fails(3, hint);
    desk.run(&["scan", "--no-store", "/dev/full"], "")
        .fails(3, "/dev/full: it is a device and no regular file");
    fs::create_dir(desk.path("tree")).unwrap();
    fs::rename(&pipe, desk.path("tree/pipe")).unwrap();
    let said = desk.run(&["scan", "--no-store", "tree"], "").expect(0);
    assert!(said.err.contains("1 pipe, socket or device was passed over."), "{said:?}");
    desk.run(&["scan"], "").fails(2, "PATH");
    desk.run(&["scan", "--sarif", "--json", "leak"], "").fails(2, "Leave one");
    desk.run(&["scan", "-", "--operator", "maria", "--passphrase-file", "-"], "").fails(2, "standard input");
}

/// What the store says of each line of standard input, by its number.
fn asked(person: &Person<'_>, lines: &[&str], words: &[&str]) -> Vec<Value> {
    let said = person.gives(&[&["scan", "-", "--json"], words].concat(), lines.join("\n")).expect(1);
    clean(&said, lines);
    let all = said.json();
    let mut all = all.as_array().unwrap().clone();
    assert_eq!(all.len(), lines.len(), "{all:?}");
    all.iter_mut().map(|line| line["store"].take()).collect()
}

#[test]
fn the_store_says_whose_a_secret_is_whether_it_works_and_what_to_do() {
    let desk = Desk::founded();
    let (ann, carl) = (desk.hire("ann", "admin"), desk.hire("carl", "manager"));
    let (works, id) = agency_key(&ann, "Nightly export");
    let (paused, paused_id) = agency_key(&ann, "Paused");
    let (deleted, _) = agency_key(&ann, "Deleted");
    ann.does(&["key", "pause", "Paused"]);
    ann.does(&["key", "delete", "Deleted", "--yes"]);
    let flip = |c: &str| if c == "z" { "y" } else { "z" };
    let guessed = with_checksum(&format!("{}{}{}", &works[..18], flip(&works[18..19]), &works[19..]));
    let unknown = with_checksum(&format!("{}{}{}", &works[..5], flip(&works[5..6]), &works[6..]));
    let app = ["app", "create", "--name", "Bot", "--uri", "https://bot.example", "--user-type", "guest"];
    let more = ["--source", "bot", "--auth", "jwt", "--scope", "contacts.read"];
    let secret = ann.does(&[&app[..], &more].concat()).out.trim().to_owned();
    desk.file("old.txt", "Legacy-Secret_2019!");
    let import = [
        "key",
        "import",
        "--name",
        "Old",
        "--agency",
        "--scope",
        "contacts.read",
        "--secret-file",
        "old.txt",
    ];
    let old = ann.asks(&import)["id"].as_str().unwrap().to_owned();
    let imported = format!("kdim_{old}_Legacy-Secret_2019!");
    let quoted = format!(r#""{imported}","next":1"#);
    let code = desk.read("recovery").trim().to_owned();

    ann.verifies(&works);
    let trail = || {
        let all = ann.asks(&["audit", "list"]);
        all.as_array().unwrap().iter().filter(|entry| entry["event"] != "audit.read").count()
    };
    let before = trail();
    let lines = [&works, &paused, &deleted, &guessed, &unknown, &secret, &imported, &code];
    let lines = lines.map(String::as_str);
    let told = asked(&ann, &lines, &[]);
    let secrets: Vec<_> = told.iter().map(|line| line["secret"].as_str().unwrap()).collect();
    let known =
        ["known", "known", "known", "other_secret", "not_issued_here", "known", "known", "opens_the_store"];
    assert_eq!(secrets, known);
    let working: Vec<_> = told.iter().map(|line| line["works"].as_bool().unwrap()).collect();
    assert_eq!(working, [true, false, false, false, false, true, true, true]);
    let own = &told[0];
    assert_eq!(
        (&own["name"], &own["owner"], &own["whose_id"]),
        (&"Nightly export".into(), &"ann".into(), &id.as_str().into())
    );
    assert!(own["last_used_at"].is_string(), "{own}");
    let remedies = |of: &Value| {
        of["remedies"].as_array().unwrap().iter().map(|r| r.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        remedies(own),
        [format!("keydeck key lost {id}"), format!("keydeck key revoke {id} --reason leaked")]
    );
    assert_eq!(remedies(&told[1]), [format!("keydeck key revoke {paused_id} --reason leaked")]);
    assert_eq!(
        (told[1]["refused"].as_str(), told[2]["refused"].as_str()),
        (Some("disabled"), Some("tombstoned"))
    );
    assert!(remedies(&told[2]).is_empty() && remedies(&told[3]).is_empty());
    assert_eq!(told[3]["name"], "Nightly export", "whose id it has, for its owner");
    assert_eq!(remedies(&told[5]), [format!("keydeck app new-secret app_{}", &secret[5..17])]);
    assert_eq!(asked(&ann, &[&quoted], &[])[0]["name"], "Old", "in the midst of a text");

    // Whoever holds a secret may know whose it is; whoever holds an id may not.
    let told = asked(&carl, &lines, &[]);
    assert_eq!((&told[0]["owner"], &told[3]["name"]), (&"ann".into(), &Value::Null));
    assert!(remedies(&told[0])[0].ends_with(" --all"), "{told:?}");
    // It is no use, nothing that the trail tells of, and nothing that is changed.
    assert_eq!(asked(&ann, &lines[..1], &["--read-only"])[0]["works"], true);
    let show = ann.asks(&["key", "show", &id]);
    assert_eq!(show["use_count"], 1);
    assert_eq!(trail(), before);

    // What it says to do, done.
    ann.does(&["key", "revoke", &id, "--reason", "leaked", "--yes"]);
    let said = ann.gives(&["scan", "-"], &works).expect(1);
    let line = clean(&said, &[&works]);
    assert!(line.contains(": revoked, the key Nightly export of ann, last used "), "{line}");
    assert!(said.err.contains("1 secret was found, 0 working today."), "{said:?}");
}

#[test]
fn a_store_that_cannot_be_asked_takes_nothing_from_what_was_found() {
    let desk = Desk::founded();
    let token = desk.hire("ann", "admin").issues("A", "contacts.read");
    let wrong = desk.file("wrong.pass", "some other passphrase");
    let wrong = wrong.to_str().unwrap();
    for words in [
        &["scan", "-"][..],
        &["scan", "-", "--operator", "maria", "--passphrase-file", wrong],
        &["scan", "-", "--key-file", "ann.key", "--data", "nowhere"],
    ] {
        let said = desk.run(words, &token).expect(1);
        assert!(clean(&said, &[&token]).starts_with("(standard input):1:1: agency key kdag_"), "{said:?}");
        assert!(said.err.contains("The store was not asked"), "{said:?}");
    }
    let said = desk.run(&["scan", "-", "--no-store"], &token).expect(1);
    assert!(!said.err.contains("The store"), "{said:?}");
}

#[test]
fn the_result_is_sarif_that_code_hosts_read() {
    let desk = Desk::founded();
    let ann = desk.hire("ann", "admin");
    let (token, id) = agency_key(&ann, "A");
    desk.file("a b.env", format!("\n  {token}"));
    let said = ann.says(&["scan", "--sarif", "./a b.env"]).expect(1);
    clean(&said, &[&token]);
    let log = said.json();
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().ends_with("sarif-2.1.0.json"));
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let result = &run["results"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 6);
    assert_eq!(
        rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["id"],
        result["ruleId"]
    );
    assert_eq!((&result["ruleId"], &result["level"]), (&"keydeck-agency-key".into(), &"error".into()));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b.env");
    assert_eq!(place["region"], serde_json::json!({ "startLine": 2, "startColumn": 3, "endColumn": 59 }));
    let text = result["message"]["text"].as_str().unwrap();
    assert!(text.starts_with(&format!("agency key kdag_{id}_…: works today, the key A of ann")), "{text}");
    let none = desk.run(&["scan", "--no-store", "--sarif", "ann.key"], "").expect(0).json();
    assert_eq!(none["runs"][0]["results"], serde_json::json!([]));
}
