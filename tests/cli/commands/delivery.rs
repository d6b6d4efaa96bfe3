//! Notices on their way out of the program: what cron sends after its sweep, and what an operator tries by hand.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use keydeck::domain::time::DAY_MS;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::desk::Desk;
use crate::support::wait::until;

/// A desk with a channel that keeps what it is given in `mail`, unless there is a file `broken`.
fn desk() -> Desk {
    let desk = Desk::founded();
    let home = desk.path("").display().to_string();
    let script = format!(
        "test -e {home}/broken && {{ echo no such user >&2; exit 1; }}; cat >>{home}/mail; echo >>{home}/mail"
    );
    desk.file("clock", "0 one");
    desk.file(
        "config.toml",
        format!("[channel.mail]\ncommand = ['/bin/sh', '-c', '{script}']\nseconds = 300\n"),
    );
    desk
}

fn given(desk: &Desk) -> Vec<Value> {
    let text = fs::read_to_string(desk.path("mail")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sweeps(desk: &Desk) -> Value {
    desk.maria().asks(&["sweep", "--config", "config.toml"])
}

/// A sweep after which somebody is not told.
fn sweeps_in_vain(desk: &Desk) -> Value {
    desk.maria().says(&["sweep", "--config", "config.toml", "--json"]).expect(1).json()
}

/// A key of which the next sweep tells; the channel has begun before.
fn with_a_notice_due(desk: &Desk) {
    let words =
        ["key", "create", "--name", "Lead forms", "--agency", "--scope", "contacts.read", "--expires", "9d"];
    desk.maria().does(&words);
    sweeps(desk);
    desk.file("clock", format!("{} two", 3 * DAY_MS));
}

#[test]
fn cron_sends_each_step_once_and_says_what_was_not_accepted() {
    let desk = desk();
    let maria = desk.maria();
    let words = [
        "key",
        "create",
        "--name",
        "Lead \"forms\"",
        "--agency",
        "--scope",
        "contacts.read",
        "--expires",
        "9d",
    ];
    let token = maria.does(&words).out;
    assert_eq!(sweeps(&desk)["delivered"], 0);
    desk.file("clock", format!("{} two", 3 * DAY_MS));
    let before = sweeps(&desk);
    assert_eq!((&before["delivered"], &before["undelivered"]), (&json!(1), &json!([])));
    assert_eq!(sweeps(&desk)["delivered"], 0, "once");
    let trail = maria.does(&["audit", "list"]).out;
    assert!(trail.contains("reached: maria"), "who was told last is nowhere: {trail}");
    let mail = given(&desk);
    let notice = &mail[0]["notices"][0];
    assert_eq!(
        (&notice["what"], &notice["name"], &notice["days"]),
        (&json!("ends"), &json!("Lead \"forms\""), &json!(6))
    );
    assert!(!mail[0].to_string().contains(token.trim()), "a secret is in a message");

    desk.file("broken", "");
    desk.file("clock", format!("{} three", 8 * DAY_MS + DAY_MS / 2));
    let said = maria.says(&["sweep", "--config", "config.toml"]).expect(1);
    assert!(said.err.contains("through mail") && said.err.contains("no such user"), "{}", said.err);
    fs::remove_file(desk.path("broken")).unwrap();
    assert_eq!(sweeps_in_vain(&desk)["delivered"], 0, "its time has not come");
    let info = maria.does(&["info"]).out;
    assert!(info.contains("mail delivers nothing since") && info.contains(", 1 message waits: "), "{info}");
    desk.file("clock", format!("{} four", 8 * DAY_MS + DAY_MS / 2 + 120_000));
    assert_eq!(sweeps(&desk)["delivered"], 1);
    assert_eq!(given(&desk).len(), 2);
    let trail = maria.does(&["audit", "list"]).out;
    assert!(trail.contains("notice.deliver") && trail.contains("waiting: maria"), "{trail}");
}

#[test]
fn a_channel_that_was_set_up_before_the_first_sweep_gets_what_that_tells() {
    let desk = desk();
    let words =
        ["key", "create", "--name", "Lead forms", "--agency", "--scope", "contacts.read", "--expires", "9d"];
    desk.maria().does(&words);
    desk.file("clock", format!("{} two", 3 * DAY_MS));
    assert_eq!(sweeps(&desk)["delivered"], 1);
    assert_eq!(given(&desk)[0]["notices"][0]["what"], "ends");
}

#[test]
fn a_test_message_says_what_became_of_it_and_is_marked_as_a_test() {
    let desk = desk();
    let maria = desk.maria();
    let said = maria.does(&["notices", "test", "--config", "config.toml"]);
    assert_eq!(said.out, "mail: accepted\n");
    let mail = given(&desk);
    assert_eq!((&mail[0]["test"], &mail[0]["recipient"]), (&json!(true), &json!("maria")));
    desk.file("broken", "");
    let said = maria.says(&["notices", "test", "mail", "--config", "config.toml", "--json"]).expect(1).json();
    assert_eq!(said[0]["accepted"], false);
    assert!(said[0]["why"].as_str().unwrap().ends_with("no such user"), "{said}");
    // What a program says is no order to the terminal.
    desk.file(
        "config.toml",
        "[channel.mail]\ncommand = ['/bin/sh', '-c', 'printf \"\\033[31mno\\nuser\"; exit 3']\n",
    );
    let said = maria.says(&["notices", "test", "--config", "config.toml"]).expect(1).out;
    assert_eq!(said, "mail: not accepted: it ended with exit code 3: \\u{1b}[31mno user\n");
    maria.says(&["notices", "test", "desk", "--config", "config.toml"]).fails(2, "There are: mail.");
    maria.says(&["notices", "test"]).fails(2, "No channel is set up");
}

#[test]
fn what_was_given_up_after_a_week_is_told_and_fails_the_sweep_until_the_channel_works() {
    let desk = desk();
    let maria = desk.maria();
    with_a_notice_due(&desk);
    desk.file("broken", "");
    sweeps_in_vain(&desk);
    for (days, clock) in [(11, "three"), (20, "four")] {
        desk.file("clock", format!("{} {clock}", days * DAY_MS));
        let said = maria.says(&["sweep", "--config", "config.toml"]).expect(1);
        assert!(said.err.contains("no such user"), "{}", said.err);
        let info = maria.does(&["info", "--config", "config.toml"]).out;
        assert!(info.contains("mail delivers nothing since"), "{info}");
    }
    assert!(maria.does(&["info"]).out.contains("given up: to maria after a week"));
    let board = maria.does(&["notices", "list", "--config", "config.toml"]).out;
    assert!(board.contains("notices are not delivered: mail: "), "{board}");
    fs::remove_file(desk.path("broken")).unwrap();
    let words =
        ["key", "create", "--name", "Kiosk", "--agency", "--scope", "contacts.read", "--expires", "6d"];
    maria.does(&words);
    // What was not given up waits for its hour.
    desk.file("clock", format!("{} five", 21 * DAY_MS));
    assert_eq!(sweeps(&desk)["undelivered"], json!([]));
    let board = maria.does(&["notices", "list", "--config", "config.toml"]).out;
    assert!(!board.contains("notices are not delivered"), "{board}");
}

#[test]
fn what_waits_for_a_channel_that_was_renamed_is_told_until_it_is_moved() {
    let desk = desk();
    let maria = desk.maria();
    with_a_notice_due(&desk);
    desk.file("broken", "");
    sweeps_in_vain(&desk);
    fs::remove_file(desk.path("broken")).unwrap();
    desk.file("config.toml", desk.read("config.toml").replace("[channel.mail]", "[channel.post]"));
    let said = maria.says(&["sweep", "--config", "config.toml"]).expect(1);
    assert!(
        said.err.contains("1 message waits for it, and the configuration in use does not name it"),
        "{}",
        said.err
    );
    let info = maria.does(&["info", "--config", "config.toml"]).out;
    assert!(info.contains("does not name it"), "{info}");
    maria.says(&["notices", "move", "mail", "desk"]).fails(1, "no such channel");
    let said = maria.does(&["notices", "move", "mail", "post"]);
    assert!(said.err.contains("1 message of mail will be sent through post."), "{}", said.err);
    assert_eq!(sweeps(&desk)["delivered"], 1);
    assert_eq!(given(&desk).last().unwrap()["notices"][0]["name"], "Lead forms");
    maria.says(&["notices", "drop", "mail"]).fails(1, "nothing waits");
}

#[test]
fn a_channel_that_was_renamed_goes_on_before_a_sweep_tells_anything_through_it() {
    let desk = desk();
    let maria = desk.maria();
    with_a_notice_due(&desk);
    assert_eq!(sweeps(&desk)["delivered"], 1);
    let words =
        ["key", "create", "--name", "Kiosk", "--agency", "--scope", "contacts.read", "--expires", "6d"];
    maria.does(&words);
    // It tells nobody, for want of a channel.
    maria.does(&["sweep"]);
    desk.file("config.toml", desk.read("config.toml").replace("[channel.mail]", "[channel.post]"));
    let said = maria.does(&["notices", "move", "mail", "post", "--config", "config.toml"]);
    assert!(said.err.contains("post goes on where mail stopped."), "{}", said.err);
    assert_eq!(sweeps(&desk)["delivered"], 1);
    assert_eq!(given(&desk).last().unwrap()["notices"][0]["name"], "Kiosk");
}

#[test]
fn a_configuration_in_a_directory_where_others_may_write_runs_no_programs() {
    let desk = desk();
    fs::create_dir(desk.path("open")).unwrap();
    fs::copy(desk.path("config.toml"), desk.path("open/config.toml")).unwrap();
    fs::set_permissions(desk.path("open"), fs::Permissions::from_mode(0o777)).unwrap();
    let told = "open is not safe: others may write it";
    desk.maria().says(&["sweep", "--config", "open/config.toml"]).fails(2, told);
    assert!(given(&desk).is_empty());
}

#[test]
fn a_configuration_file_that_others_may_write_runs_no_programs() {
    let desk = desk();
    fs::set_permissions(desk.path("config.toml"), fs::Permissions::from_mode(0o620)).unwrap();
    desk.maria().says(&["sweep", "--config", "config.toml"]).fails(2, "others may write it");
    assert!(given(&desk).is_empty());
}

#[test]
fn a_mistake_in_a_channel_stops_those_that_deliver_and_nobody_else() {
    let desk = desk();
    let maria = desk.maria();
    let with = |words: &[&'static str]| [words, &["--config", "config.toml"]].concat();
    desk.file("config.toml", "[channel.mail]\ncommand = '/bin/true'\n");
    let told = "line 2: \"command\" must be a list of texts";
    for words in [&["sweep"][..], &["notices", "test"], &["serve", "--listen", "127.0.0.1:0"]] {
        maria.says(&with(words)).fails(2, told);
    }
    desk.run(&with(&[]), "").fails(2, told);
    for words in [&["key", "list"][..], &["sweep", "--dry-run"], &["notices", "list"]] {
        let said = maria.does(&with(words));
        assert!(said.err.contains(told) && !said.out.contains("channel"), "{said:?}");
    }
    // Nor does a file that others may write, from which no program is run.
    desk.file("config.toml", "[channel.mail]\ncommand = ['/bin/true']\n");
    fs::set_permissions(desk.path("config.toml"), fs::Permissions::from_mode(0o620)).unwrap();
    let said = maria.does(&with(&["key", "list", "--json"]));
    assert_eq!(said.json(), json!([]));
    assert!(said.err.contains("others may write it"), "{said:?}");
    maria.says(&with(&["notices", "test"])).fails(2, "others may write it");
}

#[test]
fn a_key_has_contacts_from_its_making_on_and_another_is_told_with_its_owner() {
    let desk = desk();
    let maria = desk.maria();
    let words = [
        "key",
        "create",
        "--name",
        "Lead forms",
        "--agency",
        "--scope",
        "contacts.read",
        "--contact",
        "ops@acme.example",
    ];
    let made = maria.asks(&words);
    assert_eq!(made["contacts"], json!(["ops@acme.example"]));
    let edited = maria.asks(&[
        "key",
        "edit",
        "Lead forms",
        "--contact",
        "web@acme.example",
        "--contact",
        "ops@acme.example",
        "--note",
        "moved",
    ]);
    assert_eq!(
        (&edited["contacts"], &edited["note"]),
        (&json!(["web@acme.example", "ops@acme.example"]), &json!("moved"))
    );
    assert!(maria.does(&["key", "show", "Lead forms"]).out.contains("web@acme.example, ops@acme.example"));
    assert_eq!(maria.asks(&["key", "edit", "Lead forms", "--contact", "none"])["contacts"], json!([]));
    maria.says(&["key", "edit", "Lead forms", "--contact=-rf"]).fails(2, "hyphen");
    maria.says(&["key", "edit", "Lead forms", "--contact", "a b"]).fails(2, "one word");
    let history = maria.does(&["audit", "list"]).out;
    assert!(history.contains("contacts: ops@acme.example → web@acme.example, ops@acme.example"), "{history}");
}

#[test]
fn a_server_delivers_what_a_sweep_tells_that_somebody_attached_asked_for() {
    let desk = desk();
    let maria = desk.maria();
    with_a_notice_due(&desk);
    let words = maria.words(&["serve", "--listen", "127.0.0.1:0", "--config", "config.toml"]);
    let mut server = desk.command(&words).stderr(Stdio::null()).spawn().unwrap();
    until("the server to be there", || desk.data().join("control.sock").exists());
    // Without the configuration: whoever is attached has no say in what is run.
    assert_eq!(maria.asks(&["sweep"])["delivered"], 0);
    until("the message to arrive", || given(&desk).len() == 1);
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
    assert_eq!(sweeps(&desk)["delivered"], 0, "once");
}

#[test]
fn a_sweep_says_that_the_process_it_is_attached_to_delivers_nothing_through_its_channel() {
    let desk = desk();
    let maria = desk.maria();
    with_a_notice_due(&desk);
    let words = maria.words(&["serve", "--listen", "127.0.0.1:0"]);
    let mut server = desk.command(&words).stderr(Stdio::null()).spawn().unwrap();
    until("the server to be there", || desk.data().join("control.sock").exists());
    let said = maria.says(&["sweep", "--config", "config.toml"]).expect(1);
    assert!(said.err.contains("delivers nothing through mail"), "{}", said.err);
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
    assert_eq!(sweeps(&desk)["delivered"], 1);
}

#[test]
fn a_server_that_is_told_to_end_waits_for_no_program_and_the_message_comes_later() {
    let desk = desk();
    let maria = desk.maria();
    with_a_notice_due(&desk);
    let begun = desk.path("begun");
    let hangs = format!("touch {}; sleep 1000", begun.display());
    desk.file(
        "hangs.toml",
        format!("[channel.mail]\ncommand = ['/bin/sh', '-c', '{hangs}']\nseconds = 600\n"),
    );
    let words = maria.words(&["serve", "--listen", "127.0.0.1:0", "--config", "hangs.toml"]);
    let mut server = desk.command(&words).stderr(Stdio::null()).spawn().unwrap();
    until("the server to be there", || desk.data().join("control.sock").exists());
    maria.does(&["sweep"]);
    until("the program to run", || begun.exists());
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
    assert_eq!(sweeps(&desk)["delivered"], 1);
}

#[test]
fn while_a_sweep_waits_for_a_program_others_go_on() {
    let desk = desk();
    let maria = desk.maria();
    with_a_notice_due(&desk);
    let token = maria.issues("Leaked", "contacts.read");
    let (begun, answer) = (desk.path("begun"), desk.path("answer"));
    let waits = format!(
        "touch {}; until test -e {}; do sleep 0.1; done; cat >>{mail}; echo >>{mail}",
        begun.display(),
        answer.display(),
        mail = desk.path("mail").display()
    );
    desk.file(
        "waits.toml",
        format!("[channel.mail]\ncommand = ['/bin/sh', '-c', '{waits}']\nseconds = 600\n"),
    );
    let words = maria.words(&["sweep", "--config", "waits.toml"]);
    let mut sweep = desk.command(&words).stdout(Stdio::null()).spawn().unwrap();
    until("the program to run", || begun.exists());
    // The program itself may ask keydeck too.
    maria.does(&["key", "revoke", "Leaked", "--yes"]);
    assert_eq!(maria.verifies(&token), "deny revoked");
    let words =
        ["key", "create", "--name", "Short", "--agency", "--scope", "contacts.read", "--expires", "2d"];
    maria.does(&words);
    maria.does(&["sweep"]);
    desk.file("answer", "");
    assert!(sweep.wait().unwrap().success());
    assert_eq!(maria.verifies(&token), "deny revoked");
    let told: Vec<_> = given(&desk).iter().map(|mail| mail["notices"][0]["name"].clone()).collect();
    assert_eq!(told, ["Lead forms", "Short"], "what was told meanwhile does not wait for tomorrow");
}
