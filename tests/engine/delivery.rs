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
use keydeck::domain::delivery::{Channel, TRIED_DAYS};
use keydeck::domain::id::BASE58;
use keydeck::domain::key::Key as DomainKey;
use keydeck::domain::notice::Trouble;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{
    Command, Contacts, Expiry, KeyId, KeysAfter, NewKey, Note, Place, PublicId, Record, Refusal, Role, State,
};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Key, found, in_store_holding, open};
use keydeck::engine::{Brought, Engine as _, EngineError, LocalEngine, Sweeping, Via, troubles};
use keydeck::store::Store;
use serde_json::Value;
use tempfile::TempDir;

use crate::sweeps::{House, START, issue, name, options};
use crate::watched::{Hook, Watched};

const HOUR: i64 = 3_600_000;

/// A house with a channel, and the place where that puts what it was given.
struct Post {
    house: House,
    dir: TempDir,
    channels: Vec<Setup>,
}

impl Post {
    fn new() -> Self {
        let post = Self { house: House::founded(), dir: tempfile::tempdir().unwrap(), channels: Vec::new() };
        let post = post.with("mail", &[]);
        // A channel tells of what happens after it was first seen.
        assert_eq!(post.run().sent, 0);
        post
    }

    fn with(mut self, channel: &str, only: &[&str]) -> Self {
        self.channels.push(setup(self.dir.path(), channel, only));
        self
    }

    fn run(&self) -> Report {
        run(&self.house.open.engine, &self.channels)
    }

    /// A sweep and what follows; nothing may fail.
    fn sweep(&self) {
        self.house.sweep();
        let report = self.run();
        assert_eq!(report.failed, []);
    }

    fn days(&self, days: i64) {
        for _ in 0..days {
            self.house.clock.pass(DAY_MS);
            self.sweep();
        }
    }

    /// What a channel was given, oldest first.
    fn given_to(&self, channel: &str) -> Vec<Value> {
        given(self.dir.path(), channel)
    }

    fn given(&self) -> Vec<Value> {
        self.given_to("mail")
    }

    /// The same in short: to whom, and what of which key.
    fn told(&self) -> Vec<String> {
        self.given().iter().map(short).collect()
    }

    fn breaks(&self, is_broken: bool) {
        let path = self.dir.path().join("mail.broken");
        if is_broken { fs::write(path, "").unwrap() } else { fs::remove_file(path).unwrap() }
    }

    fn channel(&self) -> Channel {
        self.house.open.engine.state().channel("mail".parse().unwrap()).unwrap().clone()
    }

    fn issue_ending(&self, called: &str, days: u32) -> KeyId {
        let at = self.house.open.engine.now().time.plus_days(days).unwrap();
        let new = NewKey {
            name: name(called),
            place: Place::Agency,
            scopes: vec!["contacts.read".into()],
            expiry: Some(Expiry::At(at)),
            note: Note::default(),
        };
        let done = self.house.open.engine.execute(&self.house.open.session, Command::IssueKey(new)).unwrap();
        KeyId(done.token.unwrap().id())
    }
}

fn run(engine: &LocalEngine, channels: &[Setup]) -> Report {
    keydeck::deliver::run(engine, channels, &Quit::default())
}

/// A channel that writes down what it is given, unless it is broken.
fn setup(dir: &Path, channel: &str, only: &[&str]) -> Setup {
    let out = dir.join(channel).display().to_string();
    let script =
        format!("test -e {out}.broken && {{ echo no such user >&2; exit 1; }}\ncat >>{out}\necho >>{out}\n");
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
        let change = KeyEdit { name: name("Lead forms"), note: Note::default(), expiry, notice_days: None };
        Command::EditKey { key, change, basis: None }
    };
    for how in ["revoked", "deleted", "extended"] {
        let post = Post::new();
        let key = post.issue_ending("Lead forms", 8);
        post.house.clock.pass(2 * DAY_MS);
        assert_eq!(post.house.sweep(), ["Lead forms ends, 7"]);
        let command = match how {
            "revoked" => Command::RevokeKey(key),
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
    assert_eq!(report.sent, 1, "the other channel");
    assert_eq!(report.failed.len(), 1);
    assert!(report.failed[0].1.contains("exit code 1: no such user"), "{report:?}");
    let next = report.next.unwrap();
    let waiting = post.channel().waiting[0].clone();
    assert_eq!((waiting.next, waiting.tries), (next, 1));
    assert_eq!(post.channel().failing(waiting.since).unwrap().since, waiting.since);
    assert_eq!(post.run().sent, 0, "its time has not come");
    let wrong = troubles(&*post.house.open.engine);
    assert_eq!(wrong.when(), [(Trouble::Delivery, waiting.since)]);
    assert_eq!(wrong.why(Trouble::Delivery), Some("mail: it ended with exit code 1: no such user"));
    // What is new by then goes by itself.
    post.breaks(false);
    post.house.clock.pass(DAY_MS);
    post.house.sweep();
    assert_eq!(post.run().sent, 3);
    assert_eq!(post.told(), ["maria: ends Booking widget", "maria: ends Lead forms"]);
    assert!(troubles(&*post.house.open.engine).when().is_empty());
    assert!(post.channel().failing(waiting.since).is_none() && post.channel().waiting.is_empty());
    assert_eq!(post.given_to("desk").len(), 2);
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
}

#[test]
fn a_process_that_ends_after_a_message_left_repeats_that_one_with_its_id() {
    let post = Post::new();
    post.issue_ending("Lead forms", 8);
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    // The claim is written, what came of it is not.
    let store = Arc::clone(&post.house.store);
    let mut moves = 0;
    let hook: Hook = Box::new(move |ops| {
        if ops.iter().any(|op| op.key() == b"d/mail") {
            moves += 1;
            if moves == 2 {
                store.inner.fail_next(keydeck::store::Fault::Unavailable);
            }
        }
    });
    *post.house.store.before_commit.lock().unwrap() = Some(hook);
    assert_eq!(post.run().failed.len(), 1);
    *post.house.store.before_commit.lock().unwrap() = None;
    assert_eq!(post.told(), ["maria: ends Lead forms"]);
    // While the one who had begun may still be at it, nobody else sends.
    let report = post.run();
    assert_eq!((report.sent, post.given().len()), (0, 1));
    let until = report.next.unwrap();
    post.issue_ending("Booking widget", 7);
    post.house.clock.pass(until.since(post.house.open.engine.now().time));
    post.house.sweep();
    assert_eq!(post.run().sent, 1, "what is new does not join what was on its way");
    let ids = |given: Vec<Value>| given.iter().map(|message| message["id"].clone()).collect::<Vec<_>>();
    let both = ids(post.given());
    assert_eq!((both.len(), &both[0]), (2, &both[1]));
    assert_eq!(post.run().sent, 1);
    assert_eq!(post.told()[2], "maria: ends Booking widget");
    post.days(1);
    assert_eq!(post.given().len(), 3);
    assert!(post.house.is_whole());
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
    assert_eq!((post.run().sent, post.told().len()), (0, 0));
    post.house.clock.set(right);
    assert_eq!(post.run().sent, 1);
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
fn thousands_of_ends_at_one_instant_are_one_message_of_bounded_size() {
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
            state.put(Record::Key(DomainKey { id, name, owner, ..template.clone() }));
        }
    };
    let mut post = Post::new();
    let clock = post.house.clock.clone();
    let (store, with) = (Arc::<Watched>::default(), Arc::new(clock.clone()));
    let own = Arc::clone(&store) as Arc<dyn Store>;
    let open =
        in_store_holding(own, name("Acme"), name("maria"), with, Via::CommandLine, Box::new(OsEntropy), fill);
    post.house = House { store, clock, open: open.unwrap() };
    assert_eq!(post.run().sent, 0);
    post.house.clock.pass(2 * DAY_MS);
    assert_eq!(post.house.sweep().len(), MANY);
    assert_eq!(post.run().sent, 1);
    let given = post.given();
    assert_eq!(given.len(), 1);
    assert_eq!(given[0]["notices"].as_array().unwrap().len(), 100);
    assert_eq!(given[0]["more"], MANY - 100);
}

#[test]
fn the_contacts_of_a_key_are_told_besides_its_owner_each_of_theirs() {
    let post = Post::new();
    let contacts = |texts: &[&str]| Contacts::of(texts).unwrap();
    for (called, texts) in
        [("Lead forms", &["ops@acme.example", "web@acme.example"][..]), ("Booking", &["ops@acme.example"])]
    {
        let key = post.issue_ending(called, 8);
        let command = Command::SetContacts { key, contacts: contacts(texts), basis: None };
        post.house.does(command).unwrap();
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
