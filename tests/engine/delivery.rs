//! Notices that leave the screen: each step once a channel and recipient, never what is over, and again when nobody took
//! it. What a channel runs is a script that writes down what it was given.

#![expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use keydeck::crypto::digest::Pepper;
use keydeck::crypto::passphrase::Passphrase;
use keydeck::crypto::random::OsEntropy;
use keydeck::deliver::{Program, Quit, Report, Setup, Way};
use keydeck::domain::command::KeyEdit;
use keydeck::domain::delivery::{Channel, Claim, Named, TRIED_DAYS};
use keydeck::domain::id::BASE58;
use keydeck::domain::key::Key as DomainKey;
use keydeck::domain::notice::Trouble;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{
    Command, Contacts, Expiry, KeyId, KeysAfter, NewKey, Note, OperatorId, Place, PublicId, Record, Refusal,
    Role, State,
};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Key, found, in_store_holding, open};
use keydeck::engine::{Brought, Engine as _, EngineError, LocalEngine, Sweeping, Via, troubles};
use keydeck::store::Store;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::wait::until;
use crate::sweeps::{House, START, issue, name, options};
use crate::watched::{Hook, Watched};

pub const HOUR: i64 = 3_600_000;

/// A house with a channel, and the place where that puts what it was given.
pub struct Post {
    pub house: House,
    dir: TempDir,
    pub channels: Vec<Setup>,
}

impl Post {
    pub fn new() -> Self {
        let post = Self { house: House::founded(), dir: tempfile::tempdir().unwrap(), channels: Vec::new() };
        let post = post.with("mail", &[]);
        // A channel tells of what happens after it was first seen.
        assert_eq!(post.run().sent, 0);
        post
    }

    /// A house with these records, and a channel that begins there.
    pub fn holding(fill: impl FnOnce(&Pepper, OperatorId, &mut State)) -> Self {
        let mut post = Self::new();
        let clock = post.house.clock.clone();
        let (store, with) = (Arc::<Watched>::default(), Arc::new(clock.clone()));
        let (own, rng) = (Arc::clone(&store) as Arc<dyn Store>, Box::new(OsEntropy));
        let open = in_store_holding(own, name("Acme"), name("maria"), with, Via::CommandLine, rng, fill);
        post.house = House { store, clock, open: open.unwrap() };
        assert_eq!(post.run().sent, 0);
        post
    }

    pub fn with(mut self, channel: &str, only: &[&str]) -> Self {
        self.channels.push(setup(self.dir.path(), channel, only));
        self
    }

    pub fn run(&self) -> Report {
        run(&self.house.open.engine, &self.channels)
    }

    /// The same by a process that ends after that channel took a message: the claim is written, what came of it is not.
    pub fn run_cut_off(&self, channel: &str) -> Report {
        self.run_cut_off_after(channel, 1)
    }

    pub fn run_cut_off_after(&self, channel: &str, messages: usize) -> Report {
        let (store, row) = (Arc::clone(&self.house.store), format!("d/{channel}").into_bytes());
        let mut moves = 0;
        let hook: Hook = Box::new(move |ops| {
            if ops.iter().any(|op| op.key() == row) {
                moves += 1;
                if moves == messages + 1 {
                    store.inner.fail_next(keydeck::store::Fault::Unavailable);
                }
            }
        });
        *self.house.store.before_commit.lock().unwrap() = Some(hook);
        let report = self.run();
        *self.house.store.before_commit.lock().unwrap() = None;
        report
    }

    /// A sweep and what follows; nothing may fail.
    pub fn sweep(&self) {
        self.house.sweep();
        let report = self.run();
        assert_eq!(report.failed, []);
    }

    pub fn days(&self, days: i64) {
        for _ in 0..days {
            self.house.clock.pass(DAY_MS);
            self.sweep();
        }
    }

    /// What a channel was given, oldest first.
    pub fn given_to(&self, channel: &str) -> Vec<Value> {
        given(self.dir.path(), channel)
    }

    pub fn given(&self) -> Vec<Value> {
        self.given_to("mail")
    }

    /// The same in short: to whom, and what of which key.
    pub fn told(&self) -> Vec<String> {
        self.told_through("mail")
    }

    pub fn told_through(&self, channel: &str) -> Vec<String> {
        self.given_to(channel).iter().map(short).collect()
    }

    /// Delivers, and does something while the message to somebody is on its way.
    pub fn run_and_meanwhile(&self, recipient: &str, deed: impl FnOnce()) -> Report {
        let holds = format!("mail.holds-{recipient}");
        self.breaks_at(&holds, true);
        thread::scope(|scope| {
            let run = scope.spawn(|| self.run());
            until("the message to be on its way", || self.dir.path().join("mail.held").exists());
            deed();
            self.breaks_at(&holds, false);
            run.join().unwrap()
        })
    }

    pub fn breaks(&self, is_broken: bool) {
        self.breaks_at("mail.broken", is_broken);
    }

    /// Refuses what goes to somebody.
    pub fn refuses(&self, recipient: &str, is_broken: bool) {
        self.breaks_at(&format!("mail.broken-{recipient}"), is_broken);
    }

    fn breaks_at(&self, file: &str, is_broken: bool) {
        let path = self.dir.path().join(file);
        if is_broken { fs::write(path, "").unwrap() } else { fs::remove_file(path).unwrap() }
    }

    pub fn channel(&self) -> Channel {
        self.house.open.engine.state().channel("mail".parse().unwrap()).unwrap().clone()
    }

    pub fn issue_ending(&self, called: &str, days: u32) -> KeyId {
        let at = self.house.open.engine.now().time.plus_days(days).unwrap();
        let new = NewKey {
            name: name(called),
            place: Place::Agency,
            scopes: vec!["contacts.read".into()],
            expiry: Some(Expiry::At(at)),
            note: Note::default(),
            decoy: false,
        };
        let done = self.house.open.engine.execute(&self.house.open.session, Command::IssueKey(new)).unwrap();
        KeyId(done.token.unwrap().id())
    }
}

pub fn run(engine: &LocalEngine, channels: &[Setup]) -> Report {
    keydeck::deliver::run(engine, channels, &Quit::default())
}

/// A channel that writes down what it is given, unless it is broken.
fn setup(dir: &Path, channel: &str, only: &[&str]) -> Setup {
    let out = dir.join(channel).display().to_string();
    let script = format!(
        r#"m=$(cat); r=${{m#*'"recipient":"'}}; r=${{r%%'"'*}}
        while test -e "{out}.holds-$r"; do : >{out}.held; sleep 0.05; done
        for at in {out}.broken "{out}.broken-$r"; do test -e "$at" && {{ echo no such user >&2; exit 1; }}; done
        case $r in bad*) echo no such user >&2; exit 1;; esac
        printf '%s\n' "$m" >>{out}"#
    );
    let arguments = vec!["-c".into(), script];
    let limit = Duration::from_secs(300);
    let way = Way::Program(Program { path: "/bin/sh".into(), arguments, limit });
    Setup { name: channel.parse().unwrap(), way, only: only.iter().map(ToString::to_string).collect() }
}

/// What a channel was given, oldest first.
fn given(dir: &Path, channel: &str) -> Vec<Value> {
    let text = fs::read_to_string(dir.join(channel)).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// To whom, and what of which key.
fn short(message: &Value) -> String {
    let notices = message["notices"].as_array().unwrap().iter();
    let told =
        notices.map(|n| format!("{} {}", n["what"].as_str().unwrap(), n["name"].as_str().unwrap_or("-")));
    format!("{}: {}", message["recipient"].as_str().unwrap(), told.collect::<Vec<_>>().join(", "))
}

#[test]
fn who_is_told_that_a_key_has_ended_is_told_when_its_record_goes_and_not_again_when_it_does() {
    let post = Post::new();
    let days = Command::SetPolicy { name: "ended-days".into(), value: "30".into(), basis: None };
    post.house.does(days).unwrap();
    let key = post.issue_ending("Widget", 3);
    post.days(40);
    let (told, given) = (post.told(), post.given());
    assert_eq!(told, ["maria: ends Widget", "maria: ends Widget", "maria: ended Widget"]);
    let text = given[2]["notices"][0]["text"].as_str().unwrap();
    assert!(text.contains("refused. Its record is cleared away in 30 days, on "), "{text}");
    assert!(post.house.open.engine.state().key(key).unwrap().was_over());
}

#[test]
fn an_owner_is_told_of_each_step_once_and_in_time() {
    let post = Post::new();
    post.house.issue("Webhook relay");
    post.days(91);
    let given = post.given();
    let told: Vec<_> = given
        .iter()
        .map(|message| {
            (message["notices"][0]["what"].as_str().unwrap(), message["notices"][0]["days"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(told, [("deletion", 15), ("deletion", 7), ("deletion", 1), ("deleted", 30)]);
    let mut ids: Vec<_> = given.iter().map(|message| message["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    let first = &given[0];
    assert_eq!((first["agency"].as_str(), first["recipient"].as_str()), (Some("Acme"), Some("maria")));
    assert_eq!((first["recipient_kind"].as_str(), &first["test"]), (Some("operator"), &Value::Bool(false)));
    let notice = &first["notices"][0];
    assert_eq!((notice["name"].as_str(), notice["owner"].as_str()), (Some("Webhook relay"), Some("maria")));
    assert!(notice["text"].as_str().unwrap().starts_with("Webhook relay (kdag_"), "{notice}");
    assert!(post.house.is_whole());
}

#[test]
fn a_sweep_each_hour_repeats_nothing_and_leaves_the_trail_alone() {
    let post = Post::new();
    post.issue_ending("Lead forms", 8);
    post.days(1);
    assert_eq!(post.told(), ["maria: ends Lead forms"]);
    let anchor = || post.house.open.engine.anchor(&post.house.open.session).unwrap().seq;
    let before = anchor();
    for _ in 0..24 {
        post.house.clock.pass(HOUR);
        post.sweep();
    }
    assert_eq!((post.given().len(), anchor()), (1, before));
}

#[test]
fn keys_of_one_owner_come_in_one_message_and_those_of_somebody_who_left_go_to_the_admins() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::at(START));
    let phrases = ["correct horse battery staple", "purple monkey dishwasher rain"];
    let [ours, theirs] = phrases.map(|phrase| Passphrase::choose(phrase).unwrap());
    let options = options(&dir.path().join("store"), &clock);
    let maria = found(&options, name("Acme"), name("maria"), &ours).unwrap().open;
    let channels = [setup(dir.path(), "mail", &[])];
    run(&maria.engine, &channels);
    let add = Command::AddOperator { name: name("jonas"), role: Role::Admin };
    maria.engine.act(&maria.session, add, Brought::Passphrase(&theirs)).unwrap();
    issue(&maria, "Maria's");
    drop(maria);
    let jonas = open(&options, &Key::Operator { name: "jonas", passphrase: &theirs }).unwrap();
    issue(&jonas, "Jonas's");
    issue(&jonas, "Jonas's other");
    drop(jonas);
    let maria = open(&options, &Key::Operator { name: "maria", passphrase: &ours }).unwrap();
    let told_before = Cell::new(0);
    let told = |days: i64| {
        clock.pass(days * DAY_MS);
        maria.engine.sweep(&maria.session, Sweeping::Do).unwrap();
        let report = run(&maria.engine, &channels);
        let given = given(dir.path(), "mail").split_off(told_before.replace(told_before.get() + report.sent));
        given.iter().map(|message| short(message).replace("deletion ", "")).collect::<Vec<_>>()
    };
    let first = told(80);
    assert_eq!(first.len(), 2);
    assert!(
        first[0] == "jonas: Jonas's, Jonas's other" || first[0] == "jonas: Jonas's other, Jonas's",
        "{first:?}"
    );
    assert_eq!(first[1], "maria: Maria's");
    let jonas = maria.engine.state().operator_named("jonas").unwrap().id;
    let leave = Command::DisableOperator { operator: jonas, keys: KeysAfter::Work };
    maria.engine.execute(&maria.session, leave).unwrap();
    let second = told(8);
    assert_eq!(second.len(), 1, "{second:?}");
    assert!(second[0].starts_with("maria: ") && second[0].matches("Jonas's").count() == 2, "{second:?}");
}

#[test]
fn what_is_over_by_the_time_it_would_be_told_is_told_to_nobody() {
    let extended = |post: &Post, key| {
        let expiry = Expiry::At(post.house.open.engine.now().time.plus_days(90).unwrap());
        let as_it_is = KeyEdit::of(post.house.open.engine.state().key(key).unwrap());
        Command::EditKey { key, change: KeyEdit { expiry, ..as_it_is }, basis: None }
    };
    for how in ["revoked", "deleted", "extended"] {
        let post = Post::new();
        let key = post.issue_ending("Lead forms", 8);
        post.house.clock.pass(2 * DAY_MS);
        assert_eq!(post.house.sweep(), ["Lead forms ends, 7"]);
        let command = match how {
            "revoked" => Command::revoke(key),
            "deleted" => Command::DeleteKey(key),
            _ => extended(&post, key),
        };
        post.house.does(command).unwrap();
        assert_eq!(post.run().sent, 0, "{how}");
        assert_eq!(post.told(), [""; 0], "{how}");
    }
    // So is a notice of a deletion when the key is kept or used.
    let post = Post::new();
    let (kept, _) = post.house.issue("Kept");
    let (_, token) = post.house.issue("Used");
    post.house.issue("Unused");
    post.house.clock.pass(75 * DAY_MS);
    assert_eq!(post.house.sweep().len(), 3);
    post.house.clock.pass(HOUR);
    post.house.does(Command::KeepKey(kept)).unwrap();
    assert!(post.house.open.engine.verify(token.as_bytes(), &[]).is_allow());
    post.sweep();
    assert_eq!(post.told(), ["maria: deletion Unused"]);
}

#[test]
fn a_message_that_is_not_accepted_comes_again_with_its_id_and_holds_up_nothing() {
    let post = Post::new().with("desk", &[]);
    post.run();
    post.issue_ending("Lead forms", 8);
    post.issue_ending("Booking widget", 10);
    post.breaks(true);
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    let report = post.run();
    assert_eq!(report.sent, 2, "the other channel, of the keys and of this one");
    assert_eq!(report.failed.len(), 1);
    assert!(report.failed[0].1.contains("exit code 1: no such user"), "{report:?}");
    let next = report.next.unwrap();
    let waiting = post.channel().waiting[0].clone();
    assert_eq!((waiting.next, waiting.tries), (next, 1));
    assert_eq!(post.channel().failing(Named::Yes, waiting.since).unwrap().since, waiting.since);
    assert_eq!(post.run().sent, 0, "its time has not come");
    let wrong = troubles(&*post.house.open.engine);
    assert_eq!(wrong.when(), [(Trouble::Delivery, waiting.since)]);
    assert_eq!(wrong.why(Trouble::Delivery), Some("mail: it ended with exit code 1: no such user"));
    // What is new by then goes with it.
    post.breaks(false);
    post.house.clock.pass(DAY_MS);
    post.house.sweep();
    assert_eq!(post.run().sent, 2);
    assert_eq!(post.told(), ["maria: ends Lead forms, ends Booking widget"]);
    assert!(troubles(&*post.house.open.engine).when().is_empty());
    assert!(post.channel().failing(Named::Yes, waiting.since).is_none() && post.channel().waiting.is_empty());
    assert_eq!(post.given_to("desk").len(), 3);
    assert_eq!(post.run().sent, 0);
    assert!(post.house.is_whole());
}

#[test]
fn what_nobody_accepts_for_a_week_is_given_up_and_that_is_remembered() {
    let post = Post::new();
    post.house.issue("Webhook relay");
    post.breaks(true);
    post.house.clock.pass(75 * DAY_MS);
    post.house.sweep();
    let (begun, mut next, mut tries) = (post.house.open.engine.now().time, post.run().next, 1);
    while let Some(at) = next {
        post.house.clock.pass(at.since(post.house.open.engine.now().time));
        let report = post.run();
        assert_eq!(report.failed.len(), 1, "it is tried when it said");
        (next, tries) = (report.next, tries + 1);
    }
    let days = post.house.open.engine.now().time.since(begun) / DAY_MS;
    assert!((20..60).contains(&tries) && days == TRIED_DAYS, "{tries} in {days} days");
    let channel = post.channel();
    assert!(channel.waiting.is_empty());
    assert!(channel.lost.unwrap().why.contains("no such user"));
    // However long nothing is tried, until it works again.
    post.house.clock.pass(5 * DAY_MS);
    let wrong = troubles(&*post.house.open.engine);
    assert!(wrong.why(Trouble::Delivery).unwrap().starts_with("mail: a message was given up"), "{wrong:?}");
    post.breaks(false);
    post.days(4);
    assert_eq!(post.told(), ["maria: deletion Webhook relay"]);
    assert_eq!(troubles(&*post.house.open.engine).why(Trouble::Delivery), None);
}

#[test]
fn all_channels_that_fail_are_named() {
    let post = Post::new().with("desk", &[]);
    post.run();
    post.issue_ending("Lead forms", 8);
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    post.breaks(true);
    fs::write(post.dir.path().join("desk.broken"), "").unwrap();
    assert_eq!(post.run().sent, 0);
    let wrong = troubles(&*post.house.open.engine);
    let why = wrong.why(Trouble::Delivery).unwrap();
    assert!(why.contains("desk: it ended") && why.contains("; mail: it ended"), "{why}");
}

#[test]
fn what_waits_for_a_channel_that_was_renamed_is_told_and_moved_or_dropped() {
    let mut post = Post::new();
    let renamed = |post: &mut Post| {
        let channels = vec![setup(post.dir.path(), "post", &[])];
        post.house.open.engine.deliver_through(channels.iter().map(|setup| setup.name));
        post.channels = channels;
    };
    post.issue_ending("Lead forms", 8);
    post.breaks(true);
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    assert_eq!(post.run().failed.len(), 1);
    renamed(&mut post);
    assert_eq!(post.run().failed, []);
    let why = || troubles(&*post.house.open.engine).why(Trouble::Delivery).map(ToOwned::to_owned);
    assert!(why().unwrap().starts_with("mail: 1 message waits for it"), "{:?}", why());
    let (channel, into) = ("mail".parse().unwrap(), Some("post".parse().unwrap()));
    let nowhere = Command::EmptyChannel { channel, into: Some("desk".parse().unwrap()) };
    let told = post.house.does(nowhere).unwrap_err();
    assert!(matches!(told, EngineError::Refused(Refusal::NoSuchChannel)), "{told}");
    post.house.does(Command::EmptyChannel { channel, into }).unwrap();
    assert_eq!(post.run().sent, 1);
    let told: Vec<String> = post.given_to("post").iter().map(short).collect();
    assert_eq!(told, ["maria: delivery_failed -", "maria: ends Lead forms"]);
    assert_eq!(why(), None);
    let told = post.house.does(Command::EmptyChannel { channel, into: None }).unwrap_err();
    assert!(matches!(told, EngineError::Refused(Refusal::NoChange(_))), "{told}");
    assert!(post.house.is_whole());
}

#[test]
fn a_channel_that_hangs_holds_up_no_other() {
    let mut post = Post::new().with("desk", &[]);
    post.run();
    let (desk, mail) = (post.dir.path().join("desk"), post.dir.path().join("mail"));
    // It ends when the other one was given its message.
    let script = format!("until test -e {}; do sleep 0.05; done; cat >>{}", desk.display(), mail.display());
    for setup in post.channels.iter_mut().filter(|setup| setup.name.as_str() == "mail") {
        let (arguments, limit) = (vec!["-c".into(), script.clone()], Duration::from_secs(300));
        setup.way = Way::Program(Program { path: "/bin/sh".into(), arguments, limit });
    }
    post.issue_ending("Lead forms", 8);
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    assert_eq!(post.run().sent, 2);
}

#[test]
fn what_a_process_that_was_killed_had_claimed_is_sent_at_once_by_the_next() {
    let post = Post::new();
    post.issue_ending("Lead forms", 8);
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    let now = post.house.open.engine.now().time;
    let claim = |by: &str| Some(Claim { by: by.into(), until: now.plus_days(1).unwrap() });
    let claims = |claim| {
        let before = post.channel();
        let after = Channel { claim, ..before.clone() };
        post.house.open.engine.move_channel(Some(before), after).unwrap();
    };
    claims(claim(&post.house.open.engine.delivery_name().unwrap()));
    assert_eq!(
        (post.run().sent, post.run().taken_over),
        (0, Vec::new()),
        "somebody of this process is at it"
    );
    claims(claim("another process"));
    let report = post.run();
    assert_eq!((report.sent, report.taken_over), (1, vec!["mail".parse().unwrap()]));
}

#[test]
fn the_trail_says_of_nobody_who_waits_that_they_were_reached() {
    let post = Post::new();
    post.issue_ending("Lead forms", 8);
    post.breaks(true);
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    post.run();
    let told = || {
        let page = post.house.open.engine.audit(&post.house.open.session, None, 100, None).unwrap();
        let all = page.lines.into_iter().flat_map(|line| line.entry.changes);
        all.map(|change| format!("{}: {}", change.field, change.to)).collect::<Vec<_>>()
    };
    assert!(told().contains(&"waiting: maria".to_owned()), "{:?}", told());
    assert!(!told().iter().any(|change| change.starts_with("reached")), "{:?}", told());
    post.breaks(false);
    post.days(1);
    assert!(told().iter().any(|change| change.starts_with("reached: maria, entry ")), "{:?}", told());
}

#[test]
fn a_process_that_ends_after_a_message_left_repeats_that_one_with_its_id() {
    let post = Post::new();
    post.issue_ending("Lead forms", 8);
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    assert_eq!(post.run_cut_off("mail").failed.len(), 1);
    assert_eq!(post.told(), ["maria: ends Lead forms"]);
    // While the one who had begun may still be at it, nobody else sends.
    let report = post.run();
    assert_eq!((report.sent, post.given().len()), (0, 1));
    let until = report.next.unwrap();
    post.issue_ending("Booking widget", 7);
    post.house.clock.pass(until.since(post.house.open.engine.now().time));
    post.house.sweep();
    assert_eq!(post.run().sent, 2, "what is new does not join what was on its way, and leaves after it");
    let ids = |given: Vec<Value>| given.iter().map(|message| message["id"].clone()).collect::<Vec<_>>();
    let both = ids(post.given());
    assert_eq!((both.len(), &both[0]), (3, &both[1]));
    assert_eq!(post.told()[2], "maria: ends Booking widget");
    post.days(1);
    assert_eq!(post.given().len(), 3);
    assert!(post.house.is_whole());
}

#[test]
fn of_two_channels_the_one_that_was_cut_off_repeats_its_message_and_the_other_does_not() {
    let post = Post::new().with("chat", &[]);
    assert_eq!(post.run().sent, 0);
    post.issue_ending("Lead forms", 8);
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    post.run_cut_off("mail");
    post.house.clock.pass(DAY_MS / 2);
    post.run();
    let ids = |channel: &str| -> Vec<_> {
        post.given_to(channel).iter().map(|message| message["id"].clone()).collect()
    };
    let (mail, chat) = (ids("mail"), ids("chat"));
    assert_eq!((mail.len(), &mail[0], chat.len()), (2, &mail[1], 1));
    post.days(1);
    assert_eq!((post.given().len(), post.given_to("chat").len()), (2, 1));
}

#[test]
fn two_that_deliver_at_once_send_one_message() {
    let post = Post::new();
    post.issue_ending("Lead forms", 8);
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                start.wait();
                post.run()
            });
        }
    });
    assert_eq!(post.told(), ["maria: ends Lead forms"]);
    assert!(post.channel().claim.is_none());
}

#[test]
fn nothing_is_delivered_while_the_clock_is_in_doubt_and_nothing_is_lost_for_it() {
    let post = Post::new();
    post.issue_ending("Lead forms", 8);
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    let right = post.house.open.engine.now().time;
    post.house.clock.set(right.plus_days(400).unwrap());
    let report = post.run();
    assert_eq!((report.sent, post.told()), (1, vec!["maria: clock_in_doubt -".to_owned()]));
    assert!(report.next.is_some(), "it is come back to");
    post.house.clock.set(right);
    assert_eq!(post.run().sent, 1);
    assert_eq!(post.told()[1..], ["maria: ends Lead forms"]);
}

#[test]
fn a_channel_gets_the_kinds_it_wants() {
    let post = Post::new().with("desk", &["ended"]);
    post.run();
    post.issue_ending("Lead forms", 8);
    post.days(9);
    assert_eq!(post.given().len(), 3, "within a week, within a day, and that it ended");
    let desk = post.given_to("desk");
    assert_eq!(desk.len(), 1);
    assert_eq!(desk[0]["notices"][0]["what"], "ended");
}

#[test]
fn thousands_of_ends_at_one_instant_are_one_message_a_step_and_recipient_of_bounded_size() {
    const MANY: usize = 5_000;
    let template = Post::new();
    let id = template.issue_ending("Kiosk", 8);
    let template = template.house.open.engine.state().key(id).unwrap().clone();
    let fill = |_: &Pepper, owner, state: &mut State| {
        for n in 0..MANY {
            let digit = |n: usize| BASE58[n % 58];
            let mut id = *template.id.public().as_bytes();
            (id[0], id[1], id[2]) = (digit(n), digit(n / 58), digit(n / 3_364));
            let (id, name) = (KeyId(PublicId::from_bytes(id).unwrap()), name(&format!("Kiosk {n}")));
            let contacts = Some(Box::new(Contacts::of(["ops@acme.example"]).unwrap()));
            state.put(Record::Key(DomainKey { id, name, owner, contacts, ..template.clone() }));
        }
    };
    let post = Post::holding(fill);
    // A week and a day before the end, and at it: a message each for the owner and for those who asked to be told.
    for (days, runs) in [(2, 2), (5, 4), (2, 6)] {
        post.house.clock.pass(days * DAY_MS);
        assert_eq!(post.house.sweep().len(), MANY);
        assert_eq!((post.run().sent, post.run().sent), (2, 0));
        assert_eq!(post.given().len(), runs);
    }
    for message in post.given() {
        assert_eq!(message["notices"].as_array().unwrap().len(), 100);
        assert_eq!(message["more"], MANY - 100);
        let bytes = message.to_string().len();
        assert!(bytes < 100_000, "{bytes} bytes");
    }
}

#[test]
fn the_contacts_of_a_key_are_told_besides_its_owner_each_of_theirs() {
    let post = Post::new();
    let contacts = |texts: &[&str]| Contacts::of(texts).unwrap();
    for (called, texts) in
        [("Lead forms", &["ops@acme.example", "web@acme.example"][..]), ("Booking", &["ops@acme.example"])]
    {
        let key = post.issue_ending(called, 8);
        let as_it_is = KeyEdit::of(post.house.open.engine.state().key(key).unwrap());
        let change = KeyEdit { contacts: contacts(texts), ..as_it_is };
        post.house.does(Command::EditKey { key, change, basis: None }).unwrap();
    }
    post.days(2);
    let mut told: Vec<(String, usize)> = post
        .given()
        .iter()
        .map(|message| (message["recipient"].to_string(), message["notices"].as_array().unwrap().len()))
        .collect();
    told.sort();
    let expected = [("maria", 2), ("ops@acme.example", 2), ("web@acme.example", 1)];
    assert_eq!(told, expected.map(|(who, n)| (format!("\"{who}\""), n)));
    let kinds: Vec<Value> = post.given().iter().map(|message| message["recipient_kind"].clone()).collect();
    assert_eq!(kinds, ["operator", "contact", "contact"]);
    assert!(post.house.is_whole());
}

#[test]
fn nobody_who_signs_in_moves_a_channel() {
    let post = Post::new();
    let to = Box::new(Channel::begun("mail".parse().unwrap(), 1_000));
    let from = Some(Box::new(post.channel()));
    let told = post.house.does(Command::MoveChannel { to, from }).unwrap_err();
    assert!(matches!(told, EngineError::Refused(Refusal::ServiceOnly)), "{told}");
}
