//! What waits to be told is told: after what was cut off, past contacts that nobody takes, and to whoever answers for a key by
//! then.

#![expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]

use keydeck::crypto::passphrase::Passphrase;
use keydeck::deliver::Courier;
use keydeck::domain::key::Key as DomainKey;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{Command, Contacts, KeyId, KeysAfter, OperatorId, PublicId, Record, Role, State};
use keydeck::engine::{Brought, Engine as _};

use crate::delivery::{HOUR, Post};
use crate::sweeps::name;

const MINUTE: i64 = 60_000;

/// Keys made from one, each under an id of its own.
fn copies(template: &DomainKey, count: u8) -> impl Iterator<Item = DomainKey> {
    (0..count).map(|n| {
        let mut id = *template.id.public().as_bytes();
        (id[0], id[1]) = (b'1' + n / 8, b'1' + n % 8);
        DomainKey { id: KeyId(PublicId::from_bytes(id).unwrap()), ..template.clone() }
    })
}

/// A key that ends in so many days.
fn ending(days: u32) -> DomainKey {
    let template = Post::new();
    let id = template.issue_ending("Kiosk", days);
    template.house.open.engine.state().key(id).unwrap().clone()
}

/// A house with managers, and for each of them a key that ends in so many days.
fn with_managers(managers: &[(&str, u32)]) -> Post {
    let (post, phrase) = (Post::new(), Passphrase::choose("purple monkey dishwasher rain").unwrap());
    for (who, days) in managers {
        let open = &post.house.open;
        let add = Command::AddOperator { name: name(who), role: Role::Manager };
        open.engine.act(&open.session, add, Brought::Passphrase(&phrase)).unwrap();
        let key = post.issue_ending(&format!("Key of {who}"), *days);
        post.house.does(Command::TransferKey { key, to: operator(&post, who) }).unwrap();
    }
    post
}

fn operator(post: &Post, called: &str) -> OperatorId {
    post.house.open.engine.state().operator_named(called).unwrap().id
}

fn leaves(post: &Post, called: &str) {
    let operator = operator(post, called);
    post.house.does(Command::DisableOperator { operator, keys: KeysAfter::Work }).unwrap();
}

#[test]
fn the_last_notice_before_a_deletion_leaves_in_the_run_after_one_that_was_cut_off() {
    let post = Post::new();
    post.house.issue("Relay");
    for days in [75, 8] {
        post.house.clock.pass(days * DAY_MS);
        post.sweep();
    }
    post.issue_ending("Zed", 12);
    post.house.clock.pass(5 * DAY_MS);
    post.house.sweep();
    assert_eq!(post.run_cut_off("mail").failed.len(), 1);
    post.house.clock.pass(DAY_MS);
    assert_eq!(post.house.sweep(), ["Relay unused, 1"]);
    post.run();
    assert_eq!(post.told()[2..], ["maria: ends Zed", "maria: ends Zed", "maria: deletion Relay"]);
    post.days(1);
    assert_eq!(post.told()[5..], ["maria: deleted Relay"]);
}

#[test]
fn contacts_that_do_not_exist_keep_no_message_from_anybody_else() {
    let (template, soon) = (ending(8), ending(10));
    let post = Post::holding(move |_, owner, state: &mut State| {
        for (n, key) in copies(&template, 8).enumerate() {
            let bad = ["a", "b", "c", "d", "e"].map(|c| format!("bad{n}{c}@acme.example"));
            let contacts = Some(Box::new(Contacts::of(bad).unwrap()));
            state.put(Record::Key(DomainKey { name: name(&format!("X{n}")), owner, contacts, ..key }));
        }
        let contacts = Some(Box::new(Contacts::of(["ops@acme.example"]).unwrap()));
        state.put(Record::Key(DomainKey { name: name("Soon"), owner, contacts, ..soon }));
    });
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    for _ in 0..14 {
        post.run();
        post.house.clock.pass(10 * MINUTE);
    }
    assert_eq!(post.told().len(), 1, "nobody but the owner");
    post.house.clock.pass(DAY_MS);
    assert_eq!(post.house.sweep(), ["Soon ends, 7"]);
    post.run();
    assert_eq!(post.told()[1..], ["maria: ends Soon", "ops@acme.example: ends Soon"]);
    assert!(post.channel().waiting.len() <= 32 && post.house.is_whole());
}

#[test]
fn a_channel_begins_when_a_process_that_stays_opens_the_store() {
    let post = Post::new().with("desk", &[]);
    let knows = || post.house.open.engine.state().channel("desk".parse().unwrap()).is_some();
    assert!(!knows());
    drop(Courier::start(&post.house.open.engine, &post.channels));
    assert!(knows());
    post.issue_ending("Lead forms", 8);
    post.house.clock.pass(2 * DAY_MS);
    post.sweep();
    assert_eq!(post.given_to("desk").len(), 1);
}

#[test]
fn what_waited_for_an_owner_who_was_disabled_is_told_the_admins() {
    let post = with_managers(&[("jonas", 8)]);
    post.refuses("jonas", true);
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    assert_eq!(post.run().failed.len(), 1);
    leaves(&post, "jonas");
    post.refuses("jonas", false);
    post.house.clock.pass(HOUR);
    post.sweep();
    assert_eq!(post.told(), ["maria: ends Key of jonas"]);
    assert!(post.channel().waiting.is_empty());
    // Also what has happened already, of which nothing more will be told.
    post.days(5);
    let post = with_managers(&[("jonas", 8)]);
    post.refuses("jonas", true);
    post.house.clock.pass(9 * DAY_MS);
    post.house.sweep();
    post.run();
    leaves(&post, "jonas");
    post.house.clock.pass(HOUR);
    post.sweep();
    assert_eq!(post.told(), ["maria: ended Key of jonas"]);
    post.days(3);
    assert_eq!(post.told().len(), 1);
}

#[test]
fn what_holds_of_a_key_that_is_given_to_somebody_is_told_them() {
    let give = |post: &Post, key| {
        let to = operator(post, "priya");
        post.house.does(Command::TransferKey { key, to }).unwrap();
    };
    for is_delivered in [true, false] {
        let post = with_managers(&[("priya", 300)]);
        let key = post.issue_ending("Lead forms", 8);
        if !is_delivered {
            post.refuses("maria", true);
        }
        post.house.clock.pass(2 * DAY_MS);
        post.house.sweep();
        post.run();
        give(&post, key);
        post.house.clock.pass(HOUR);
        post.sweep();
        let told = post.told();
        assert_eq!(told.last().unwrap(), "priya: ends Lead forms", "{told:?}");
        post.days(1);
        assert_eq!((told.len(), post.told().len()), (1 + usize::from(is_delivered), told.len()), "once");
        assert!(post.channel().waiting.is_empty());
    }
    // Nothing is told of what no sweep has told.
    let post = with_managers(&[("priya", 300)]);
    let key = post.issue_ending("Lead forms", 200);
    give(&post, key);
    post.days(1);
    assert_eq!(post.told(), [""; 0]);
}

#[test]
fn an_admin_who_was_told_already_hears_also_of_the_keys_of_who_left_before_they_were() {
    let post = with_managers(&[("zora", 8)]);
    post.issue_ending("Lead forms", 8);
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    post.run_cut_off_after("mail", 2);
    assert_eq!(post.told(), ["maria: ends Lead forms", "zora: ends Key of zora"]);
    leaves(&post, "zora");
    post.house.clock.pass(HOUR);
    post.sweep();
    assert_eq!(post.told()[2..], ["maria: ends Key of zora"]);
}
