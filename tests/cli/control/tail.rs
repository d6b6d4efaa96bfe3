//! `keydeck tail` beside the process that has the store: what is decided there is told as it happens.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command as Process, Stdio};

use keydeck::domain::Role;
use keydeck::engine::Origin;
use rustix::process::{Pid, Signal, kill_process};

use super::house::{House, PHRASE, issued, key, phrase_of};
use crate::support::wait::until;

/// The program, watching in the house's store.
fn watch(house: &House, who: &str, words: &[&str]) -> Child {
    let file = house.path().join(format!("{who}.pass"));
    std::fs::File::create(&file).unwrap().write_all(phrase_of(who).as_bytes()).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut process = Process::new(env!("CARGO_BIN_EXE_keydeck"));
    process.arg("tail").args(words).args(["--operator", who, "--passphrase-file"]).arg(&file);
    process.arg("--data").arg(house.path()).env_clear().env("HOME", house.path()).env("TZ", "UTC");
    process.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What a person is told before anything comes.
fn greeted(child: &mut Child) -> BufReader<std::process::ChildStderr> {
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    err.read_line(&mut line).unwrap();
    assert!(line.starts_with("Who knocks: "), "{line}");
    err
}

fn knock(house: &House, token: &str, scope: &str) {
    let wanted: Vec<_> = scope.split_whitespace().map(|scope| scope.parse().unwrap()).collect();
    let origin = Origin { address: Some([10, 2, 0, 7].into()), agent: Some(b"kiosk/2.1") };
    house.engine().verify_from(token.as_bytes(), &wanted, origin);
}

fn issue(house: &House, called: &str) -> String {
    let done = house.owner().engine.execute(&house.owner().session, key(called)).unwrap();
    issued(done).1
}

#[test]
fn each_request_is_a_line_for_people_until_there_are_as_many_as_wanted() {
    let house = House::with(&[]);
    let (token, other) = (issue(&house, "Booking widget"), issue(&house, "Other"));
    let mut tail = watch(&house, "maria", &["Booking widget", "--count", "2"]);
    let mut err = greeted(&mut tail);
    knock(&house, &other, "");
    knock(&house, &token, "contacts.read");
    knock(&house, &token, "contacts.write");
    let (mut out, mut rest) = (String::new(), String::new());
    tail.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    err.read_to_string(&mut rest).unwrap();
    assert!(tail.wait().unwrap().success());
    let lines: Vec<&str> = out.lines().map(|line| &line[8..]).collect();
    let told = [
        "  ● Booking widget            contacts.read             10.2.0.7         kiosk/2.1",
        "  ✗ Booking widget            lacks the scope           10.2.0.7         kiosk/2.1",
    ];
    assert_eq!(lines, told);
    assert_eq!(rest, "1 allowed, 1 refused\n");
    assert!(!out.contains(&token[17..]) && !rest.contains(&token[17..]));
}

#[test]
fn each_request_is_an_object_for_scripts_and_of_others_keys_nothing_is_told() {
    let house = House::with(&[("carl", Role::Manager)]);
    let token = issue(&house, "Booking widget");
    let mut tail = watch(&house, "maria", &["--json", "--count", "1"]);
    let mut carl = watch(&house, "carl", &["--json", "--for", "2s"]);
    let mut ended = None;
    until("it has told of one", || {
        knock(&house, &token, "");
        ended = tail.try_wait().unwrap();
        ended.is_some()
    });
    let mut out = String::new();
    tail.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert!(ended.unwrap().success());
    let said: serde_json::Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!((&said["name"], &said["decision"]), (&"Booking widget".into(), &"allow".into()));
    assert_eq!((&said["from"], &said["agent"]), (&"10.2.0.7".into(), &"kiosk/2.1".into()));
    assert!(said["reason"].is_null() && said["scopes"].as_array().unwrap().is_empty(), "{said}");
    until("the time is over", || {
        knock(&house, &token, "");
        carl.try_wait().unwrap().is_some()
    });
    let said = carl.wait_with_output().unwrap();
    assert!(said.status.success() && said.stdout.is_empty(), "{said:?}");
}

#[test]
fn a_closed_pipe_ends_it_quietly_and_an_interrupt_with_a_sum() {
    let house = House::with(&[]);
    let token = issue(&house, "Booking widget");
    let mut tail = watch(&house, "maria", &[]);
    let mut err = greeted(&mut tail);
    drop(tail.stdout.take());
    let mut rest = String::new();
    err.read_to_string(&mut rest).unwrap();
    assert!(tail.wait().unwrap().success() && rest.is_empty(), "{rest}");
    let mut tail = watch(&house, "maria", &[]);
    let mut err = greeted(&mut tail);
    knock(&house, &token, "");
    let mut line = String::new();
    BufReader::new(tail.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("Booking widget"), "{line}");
    kill_process(Pid::from_child(&tail), Signal::INT).unwrap();
    err.read_to_string(&mut rest).unwrap();
    assert!(tail.wait().unwrap().success());
    assert_eq!(rest, "1 allowed, 0 refused\n");
}

#[test]
fn who_has_the_store_alone_is_told_that_nobody_else_can_knock() {
    let mut house = House::with(&[]);
    issue(&house, "Booking widget");
    house.close();
    let tail = watch(&house, "maria", &["--for", "1s"]);
    let said = tail.wait_with_output().unwrap();
    let err = String::from_utf8(said.stderr).unwrap();
    assert!(err.contains("start `keydeck serve`") && err.ends_with("0 allowed, 0 refused\n"), "{err}");
    let missing = watch(&house, "maria", &["No such thing"]).wait_with_output().unwrap();
    let err = String::from_utf8(missing.stderr).unwrap();
    assert!(err.contains("No key, app or location that you may see"), "{err}");
    assert_eq!(missing.status.code(), Some(1));
    assert!(!err.contains(PHRASE));
}
