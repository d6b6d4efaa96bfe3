//! Every kind of notice that a channel can be set up for arrives, once: what is wrong with the store and the machine too, while
//! nothing can be written down, and what becomes of rotations and of deletions that are off.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where a promise breaks")]

use std::path::Path;
use std::sync::Arc;

use keydeck::crypto::passphrase::Passphrase;
use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::command::KeyEdit;
use keydeck::domain::delivery::KINDS;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{
    AppId, Command, Counted, Expiry, Extent, KeyId, NewApp, NewKey, Note, Place, Profile, Reason, RecordKey,
    Rotation, SourceApp, Timestamp, Url, UserType,
};
use keydeck::engine::open::{Key, found, open};
use keydeck::engine::{Engine, Origin, Sweeping};
use keydeck::store::{Fault, Op, SledOptions, SledStore, Store as _};
use serde_json::Value;

use crate::delivery::{HOUR, Post, run};
use crate::sweeps::{START, issue, name, options};
use crate::watched::Hook;

#[test]
fn what_is_wrong_is_told_once_each_time_and_with_its_id_when_a_process_ended_in_between() {
    let post = Post::new();
    let right = post.house.open.engine.now().time;
    let wrong = right.plus_days(400).unwrap();
    let store = Arc::clone(&post.house.store);
    let mut moves = 0;
    let hook: Hook = Box::new(move |ops| {
        if ops.iter().any(|op| op.key() == b"d/mail") {
            moves += 1;
            if moves >= 2 {
                store.inner.fail_next(Fault::Unavailable);
            }
        }
    });
    *post.house.store.before_commit.lock().unwrap() = Some(hook);
    post.house.clock.set(wrong);
    assert_eq!(post.run().sent, 1);
    *post.house.store.before_commit.lock().unwrap() = None;
    assert_eq!(post.run().sent, 0, "this process knows what it could not write down");
    // Another one would not.
    post.house.open.engine.keep_alarms("mail".parse().unwrap(), None);
    let passed = post.channel().claim.unwrap().until.since(wrong);
    post.house.clock.pass(passed);
    assert_eq!((post.run().sent, post.run().sent), (1, 0));
    let ids = || post.given().iter().map(|message| message["id"].to_string()).collect::<Vec<_>>();
    assert_eq!(post.told(), ["maria: clock_in_doubt -"; 2]);
    assert_eq!(ids()[0], ids()[1]);
    post.house.clock.set(Timestamp(right.0 + passed));
    assert_eq!(post.run().sent, 0);
    post.house.clock.set(wrong);
    assert_eq!(post.run().sent, 1);
    assert_ne!(ids()[1], ids()[2]);
    assert!(post.house.is_whole());
}

#[test]
fn what_is_wrong_is_told_once_while_the_store_takes_nothing() {
    let post = Post::new();
    post.house.store.inner.go_down();
    assert_eq!((post.run().sent, post.run().sent), (1, 0));
    assert_eq!(post.told(), ["maria: store_down -"]);
    post.house.store.inner.come_back();
    assert_eq!(post.run().sent, 0);
    post.house.store.inner.go_down();
    assert_eq!((post.run().sent, post.run().sent), (1, 0));
    post.house.store.inner.come_back();
}

#[test]
fn who_was_told_of_a_deletion_is_told_that_it_is_off() {
    let post = Post::new();
    let (key, _) = post.house.issue("Webhook relay");
    post.house.clock.pass(75 * DAY_MS);
    post.sweep();
    post.house.does(Command::KeepKey(key)).unwrap();
    post.sweep();
    post.days(1);
    assert_eq!(post.told(), ["maria: deletion Webhook relay", "maria: withdrawn Webhook relay"]);
}

#[test]
fn what_was_told_is_withdrawn_also_where_a_later_step_was_not_delivered_yet() {
    let relay = ["maria: deletion Webhook relay", "maria: withdrawn Webhook relay"];
    for is_delivered in [true, false] {
        let post = Post::new();
        let (key, _) = post.house.issue("Webhook relay");
        post.house.clock.pass(75 * DAY_MS);
        assert_eq!(post.house.sweep(), ["Webhook relay unused, 15"]);
        if is_delivered {
            post.run();
        }
        post.house.clock.pass(8 * DAY_MS);
        assert_eq!(post.house.sweep(), ["Webhook relay unused, 7"]);
        post.house.does(Command::KeepKey(key)).unwrap();
        assert_eq!(post.house.sweep(), ["Webhook relay withdrawn"]);
        post.run();
        // What is told and withdrawn at once was never told.
        assert_eq!(post.told(), if is_delivered { &relay[..] } else { &[] });
    }
    let post = Post::new();
    let key = post.issue_ending("Lead forms", 8);
    post.house.clock.pass(2 * DAY_MS);
    post.sweep();
    post.house.clock.pass(5 * DAY_MS + HOUR);
    assert_eq!(post.house.sweep(), ["Lead forms ends, 1"]);
    let expiry = Expiry::At(post.house.open.engine.now().time.plus_days(90).unwrap());
    let change = KeyEdit { expiry, ..KeyEdit::of(post.house.open.engine.state().key(key).unwrap()) };
    post.house.does(Command::EditKey { key, change, basis: None }).unwrap();
    assert_eq!(post.house.sweep(), ["Lead forms withdrawn"]);
    post.run();
    assert_eq!(post.told(), ["maria: ends Lead forms", "maria: withdrawn Lead forms"]);
}

#[test]
fn of_held_deletions_admins_hear_again_when_another_joins_them_and_not_when_one_is_used() {
    let post = Post::new();
    let tokens: Vec<String> = (0..7).map(|n| post.house.issue(&format!("Kiosk {n}")).1).collect();
    post.house.clock.pass(5 * DAY_MS);
    post.house.issue("Late");
    let after = |days: &[i64]| {
        for days in days {
            post.house.clock.pass(days * DAY_MS);
            post.sweep();
        }
        post.told().iter().filter(|told| told.contains("held -")).count()
    };
    assert_eq!(after(&[70, 5, 3, 5, 1]), 0);
    assert_eq!(after(&[1]), 1);
    assert!(post.house.open.engine.verify(tokens[0].as_bytes(), &[]).is_allow());
    assert_eq!(after(&[4]), 1, "one fewer is no news");
    assert_eq!(after(&[1]), 2, "another one is");
    assert_eq!(post.house.open.engine.state().hold().keys.len(), 7);
}

/// Rotates a key with a day of grace.
fn rotate(post: &Post, key: KeyId) {
    let rotation =
        Rotation { id: None, grace: "24h".parse().unwrap(), counted: Counted::FromNow, expiry: None };
    post.house.does(Command::RotateKey { key, rotation }).unwrap();
}

#[test]
fn an_old_half_is_told_of_when_it_was_rotated_and_an_hour_before_its_end_if_it_is_still_used() {
    let post = Post::new();
    let (used, token) = post.house.issue("Booking widget");
    let (unused, _) = post.house.issue("Lead forms");
    rotate(&post, used);
    rotate(&post, unused);
    post.sweep();
    for _ in 0..23 {
        post.house.clock.pass(HOUR);
        assert!(post.house.open.engine.verify(token.as_bytes(), &[]).is_allow());
        post.sweep();
    }
    let mut told = post.told();
    let first = told.remove(0);
    assert_eq!(first.matches("grace_ends").count(), 2, "{first}");
    assert_eq!(told, ["maria: still_used Booking widget"]);
    // Lengthened, it has another end, of which is told anew.
    post.house.does(Command::LengthenGrace { key: used, by: "24h".parse().unwrap() }).unwrap();
    post.sweep();
    assert_eq!(post.told().len(), 3, "{:?}", post.told());
    for _ in 0..25 {
        post.house.clock.pass(HOUR);
        post.house.open.engine.verify(token.as_bytes(), &[]);
        post.sweep();
    }
    assert_eq!(post.told()[2..], ["maria: grace_ends Booking widget", "maria: still_used Booking widget"]);
}

/// An app that fetches access tokens, and its secret.
fn create(post: &Post, called: &str) -> (AppId, String) {
    let profile = Profile {
        uri: Url::new("https://example.com").unwrap(),
        description: Note::default(),
        user_type: UserType::Guest,
        source: SourceApp::Bot,
        post_login: Vec::new(),
        post_logout: Vec::new(),
    };
    let scopes = vec!["contacts.read".into()];
    let new = NewApp {
        name: name(called),
        profile,
        method: AuthMethod::Jwt,
        scopes,
        terms: keydeck::domain::Terms::default(),
    };
    let open = &post.house.open;
    let secret = open.engine.execute(&open.session, Command::CreateApp(new)).unwrap().token.unwrap();
    (AppId(secret.id()), secret.reveal().to_owned())
}

#[test]
fn the_old_secret_of_an_app_is_told_of_as_an_old_half_is() {
    let post = Post::new();
    let [(used, secret), (unused, _), (lost, _)] =
        ["Web store", "Bot", "Kiosk"].map(|called| create(&post, called));
    let rotation =
        Rotation { id: None, grace: "24h".parse().unwrap(), counted: Counted::FromNow, expiry: None };
    for app in [used, unused] {
        post.house.does(Command::RenewAppSecret(app, Some(rotation.clone()))).unwrap();
    }
    post.house.does(Command::RenewAppSecret(lost, None)).unwrap();
    post.run();
    let is_shown = || post.house.open.engine.authenticate(&used.to_string(), secret.as_bytes()).is_ok();
    let hours = |hours: usize| {
        for _ in 0..hours {
            post.house.clock.pass(HOUR);
            is_shown();
            post.house.open.engine.sweep(&post.house.open.session, Sweeping::Do).unwrap();
            post.run();
        }
    };
    hours(23);
    let mut told = post.told();
    let first = told.remove(0);
    assert_eq!(first.matches("grace_ends").count(), 2, "{first}");
    assert!(!first.contains("Kiosk"), "what ended at once is never announced: {first}");
    assert_eq!(told, ["maria: still_used Web store"]);
    let given = post.given();
    let line = &given[1]["notices"][0];
    assert_eq!(line["app"], used.to_string());
    assert!(line["key"].is_null() && line["owner"] == "maria", "{line}");
    let text = line["text"].as_str().unwrap();
    assert!(text.starts_with("The old secret of Web store (kdas_"), "{text}");
    // Lengthened, it has another end, of which is told anew; ended early, it has none.
    post.house.does(Command::LengthenAppSecret { app: used, by: "24h".parse().unwrap() }).unwrap();
    post.run();
    assert_eq!(post.told()[2..], ["maria: grace_ends Web store"]);
    post.house.does(Command::EndAppSecret(used)).unwrap();
    assert!(!is_shown());
    hours(25);
    assert_eq!(post.told().len(), 3, "{:?}", post.told());
    assert!(post.house.is_whole());
}

#[test]
fn who_presents_a_deleted_key_is_told_of_at_once_and_again_after_a_week_of_it() {
    let post = Post::new();
    let (key, token) = post.house.issue("Webhook relay");
    let (unseen, _) = post.house.issue("Stock sync");
    for key in [key, unseen] {
        post.house.does(Command::DeleteKey(key)).unwrap();
    }
    let from = Origin { address: Some([203, 0, 113, 7].into()), agent: Some(b"curl/8.5") };
    let knock = || post.house.open.engine.verify_from(token.as_bytes(), &[], from).reason();
    let mut told = Vec::new();
    for day in 0..16 {
        // Not every hour anew.
        let times = if day < 12 { 3 } else { 0 };
        for _ in 0..times {
            assert_eq!(knock(), Some(Reason::Tombstoned));
            post.sweep();
            post.house.clock.pass(HOUR);
        }
        post.house.clock.pass(DAY_MS - times * HOUR);
        post.sweep();
        told.resize(post.told().len(), day);
    }
    // The last time of what came since the second.
    assert_eq!((post.told(), told), (vec!["maria: presented Webhook relay".to_owned(); 3], vec![0, 6, 13]));
    let text = post.given()[0]["notices"][0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains(", from 203.0.113.7 by curl/8.5. It is refused."), "{text}");
    // Nobody is deleted or kept for it, and it is no use.
    assert_eq!(post.house.open.engine.state().usage(key).count, 0);
    post.house.does(Command::RestoreKey(key)).unwrap();
    assert_eq!(knock(), Some(Reason::Revoked));
    post.sweep();
    assert_eq!(post.told()[3..], ["maria: restored Webhook relay"]);
    assert!(post.house.is_whole());
}

#[test]
fn who_presents_a_decoy_is_told_of_at_once_and_again_after_each_day_of_it() {
    let post = Post::new();
    let new = NewKey {
        name: name("Payroll export"),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: None,
        note: Note::default(),
        decoy: true,
    };
    let engine = &post.house.open.engine;
    let token = engine.execute(&post.house.open.session, Command::IssueKey(new)).unwrap().token.unwrap();
    let key = KeyId(token.id());
    let from = Origin { address: Some([203, 0, 113, 7].into()), agent: Some(b"curl/8.5") };
    let knock = || engine.verify_from(token.reveal().as_bytes(), &[], from).reason();
    post.house.clock.pass(100 * DAY_MS);
    post.sweep();
    assert!(post.told().is_empty(), "that nobody uses it is told to nobody");
    let mut told = Vec::new();
    for hour in 0..60 {
        assert_eq!(knock(), Some(Reason::Decoy));
        post.sweep();
        told.resize(post.told().len(), hour);
        post.house.clock.pass(HOUR);
    }
    assert_eq!((post.told(), told), (vec!["maria: presented Payroll export".to_owned(); 3], vec![0, 24, 48]));
    let line = &post.given()[0]["notices"][0];
    let text = line["text"].as_str().unwrap();
    assert!(
        line["decoy"] == true && text.contains("is a decoy, and somebody presents it: last on"),
        "{line}"
    );
    assert!(
        text.contains(", from 203.0.113.7 by curl/8.5. It is refused as if nobody had issued it."),
        "{text}"
    );
    // It is no use, and asking about it is no request.
    assert_eq!(engine.state().usage(key).count, 0);
    let presented = || engine.state().trace(key).and_then(|trace| trace.presented().map(|seen| seen.at));
    let last = presented();
    let engine: &dyn Engine = &**engine;
    engine.test(&post.house.open.session, token.reveal().as_bytes(), &[]).unwrap();
    engine.whose(&post.house.open.session, token.reveal().as_bytes()).unwrap();
    post.sweep();
    assert_eq!(presented(), last);
    // Ended, it is a dead key like any other.
    post.house.does(Command::revoke(key)).unwrap();
    assert_eq!(knock(), Some(Reason::Revoked));
    post.house.clock.pass(2 * DAY_MS);
    post.sweep();
    assert_eq!(post.told().len(), 3);
    assert!(post.house.is_whole());
}

/// Has something of a kind happen.
#[expect(clippy::too_many_lines, reason = "an arm for each kind")]
fn happen(post: &mut Post, dir: &Path, kind: &str) {
    let steps = |post: &Post, days: &[i64]| {
        for days in days {
            post.house.clock.pass(days * DAY_MS);
            post.house.sweep();
        }
    };
    match kind {
        "deletion" => {
            post.house.issue("Webhook relay");
            steps(post, &[75]);
        }
        "deleted" => {
            post.house.issue("Webhook relay");
            steps(post, &[75, 8, 6, 1]);
        }
        "presented" | "restored" => {
            let (key, token) = post.house.issue("Webhook relay");
            post.house.does(Command::DeleteKey(key)).unwrap();
            if kind == "restored" {
                post.house.does(Command::RestoreKey(key)).unwrap();
            } else {
                assert!(!post.house.open.engine.verify(token.as_bytes(), &[]).is_allow());
                post.house.sweep();
            }
        }
        "held" => {
            for n in 0..6 {
                post.house.issue(&format!("Kiosk {n}"));
            }
            steps(post, &[75, 8, 6, 1]);
        }
        "withdrawn" => {
            let (key, _) = post.house.issue("Webhook relay");
            steps(post, &[75]);
            post.run();
            post.house.does(Command::KeepKey(key)).unwrap();
            post.house.sweep();
        }
        "ends" | "ended" => {
            post.issue_ending("Lead forms", 8);
            steps(post, if kind == "ends" { &[2] } else { &[2, 7] });
        }
        "grace_ends" => {
            let (key, _) = post.house.issue("Booking widget");
            rotate(post, key);
        }
        "still_used" => {
            let (key, token) = post.house.issue("Booking widget");
            rotate(post, key);
            post.house.clock.pass(23 * HOUR);
            assert!(post.house.open.engine.verify(token.as_bytes(), &[]).is_allow());
            post.house.sweep();
        }
        "locked_down" => {
            let why = Note::new("a laptop was stolen").unwrap();
            post.house.does(Command::LockDown { what: Extent::Agency, why }).unwrap();
        }
        "clock_in_doubt" => post.house.clock.set(START.plus_days(400).unwrap()),
        "store_down" => post.house.store.inner.go_down(),
        "seal_behind" => {
            *post.house.store.seal_behind.lock().unwrap() = Some("the disk is full".into());
        }
        "denials_unwritten" => {
            let (key, _) = post.house.issue("Booking widget");
            post.house.store.inner.go_down();
            post.house.does(Command::revoke(key)).unwrap_err();
        }
        "uses_unwritten" => {
            let (_, token) = post.house.issue("Booking widget");
            assert!(post.house.open.engine.verify(token.as_bytes(), &[]).is_allow());
            post.house.store.inner.fail_next(Fault::Unavailable);
            post.house.open.engine.settle().unwrap_err();
        }
        "sweep_failed" => {
            post.issue_ending("Lead forms", 8);
            post.house.clock.pass(2 * DAY_MS);
            post.house.store.inner.fail_next(Fault::Unavailable);
            post.house.open.engine.sweep(&post.house.open.session, Sweeping::Do).map(drop).unwrap_err();
        }
        "delivery_failed" => {
            post.breaks(true);
            post.issue_ending("Lead forms", 8);
            steps(post, &[2]);
        }
        "store_in_doubt" => {
            let passphrase = Passphrase::choose("correct horse battery staple").unwrap();
            let options = options(dir, &post.house.clock);
            let before = found(&options, name("Acme"), name("maria"), &passphrase).unwrap().open;
            let (key, _) = issue(&before, "Booking widget");
            run(&before.engine, &post.channels);
            drop(before);
            let store = SledStore::open(&SledOptions::new(dir)).unwrap().store;
            let bent = Op::Put(RecordKey::Key(key).to_string().into_bytes(), b"junk".to_vec());
            store.commit(&[], &[bent]).unwrap();
            drop(store);
            let as_maria = Key::Operator { name: "maria", passphrase: &passphrase };
            post.house.open = open(&options, &as_maria).unwrap();
            assert!(!post.house.open.engine.doubts().is_empty());
        }
        other => panic!("nothing is known to cause {other}"),
    }
}

#[test]
fn every_kind_that_can_be_set_up_arrives_through_a_program_once() {
    for kind in KINDS {
        let mut post = Post::new().with("one", &[kind]);
        post.run();
        let dir = tempfile::tempdir().unwrap();
        happen(&mut post, &dir.path().join("store"), kind);
        post.run();
        let given = post.given_to("one");
        let told: Vec<&Value> =
            given.iter().flat_map(|message| message["notices"].as_array().unwrap()).collect();
        assert!(!told.is_empty(), "{kind} was not told");
        assert!(told.iter().all(|notice| notice["what"] == kind), "{kind}: {told:?}");
        assert!(told.iter().all(|notice| !notice["text"].as_str().unwrap().is_empty()), "{kind}: {told:?}");
        post.run();
        assert_eq!(post.given_to("one").len(), given.len(), "{kind} is told again");
        post.house.store.inner.come_back();
    }
}
