//! What waits to be told is told: after what was cut off, past contacts that nobody takes, and to whoever answers for a key by
//! then.

#![expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]

use keydeck::crypto::passphrase::Passphrase;
use keydeck::deliver::{Courier, begin};
use keydeck::domain::command::KeyEdit;
use keydeck::domain::delivery::Named;
use keydeck::domain::key::Key as DomainKey;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{
    Command, Contacts, KeyId, KeysAfter, OperatorId, PublicId, Record, Refusal, Role, State,
};
use keydeck::engine::{Brought, Engine as _, EngineError};

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

fn gives(post: &Post, key: KeyId, called: &str) {
    let to = operator(post, called);
    post.house.does(Command::TransferKey { key, to }).unwrap();
}

/// Has a key have these contacts and no others.
fn names(post: &Post, key: KeyId, contacts: &[&str]) {
    let as_it_is = KeyEdit::of(post.house.open.engine.state().key(key).unwrap());
    let change = KeyEdit { contacts: Contacts::of(contacts).unwrap(), ..as_it_is };
    post.house.does(Command::EditKey { key, change, basis: None }).unwrap();
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
    for is_delivered in [true, false] {
        let post = with_managers(&[("priya", 300)]);
        let key = post.issue_ending("Lead forms", 8);
        if !is_delivered {
            post.refuses("maria", true);
        }
        post.house.clock.pass(2 * DAY_MS);
        post.house.sweep();
        post.run();
        gives(&post, key, "priya");
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
    gives(&post, key, "priya");
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

#[test]
fn a_contact_put_into_a_key_is_told_what_still_holds_of_it_and_those_before_are_not_told_again() {
    const OPS: &str = "ops@acme.example";
    for is_delivered in [true, false] {
        let post = Post::new();
        let key = post.issue_ending("Lead forms", 8);
        names(&post, key, &["ann@acme.example", OPS]);
        if !is_delivered {
            post.refuses("ann@acme.example", true);
        }
        post.house.clock.pass(2 * DAY_MS);
        post.house.sweep();
        post.run();
        let before = post.told().len();
        assert_eq!(before, 2 + usize::from(is_delivered), "{:?}", post.told());
        names(&post, key, &[OPS, "web@acme.example"]);
        post.house.clock.pass(HOUR);
        post.sweep();
        assert_eq!(post.told()[before..], ["web@acme.example: ends Lead forms"]);
        post.days(1);
        assert_eq!(post.told().len(), before + 1, "once");
        assert!(post.channel().waiting.is_empty());
    }
    // Nothing is told of what no sweep has told.
    let post = Post::new();
    let key = post.issue_ending("Lead forms", 200);
    names(&post, key, &[OPS]);
    post.days(1);
    assert_eq!(post.told(), [""; 0]);
}

#[test]
fn who_is_disabled_while_another_is_told_hears_nothing_and_the_admins_do() {
    let post = with_managers(&[("anna", 8), ("jonas", 8)]);
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    let report = post.run_and_meanwhile("anna", || leaves(&post, "jonas"));
    assert_eq!((report.sent, report.failed), (2, Vec::new()));
    assert_eq!(post.told(), ["anna: ends Key of anna", "maria: ends Key of jonas"]);
    assert!(post.channel().waiting.is_empty());
    // Also of what has happened already, of which nothing more will be told.
    let post = with_managers(&[("anna", 8), ("jonas", 8)]);
    post.house.clock.pass(9 * DAY_MS);
    post.house.sweep();
    post.run_and_meanwhile("anna", || leaves(&post, "jonas"));
    assert_eq!(post.told(), ["anna: ended Key of anna", "maria: ended Key of jonas"]);
    post.days(1);
    assert_eq!(post.told().len(), 2);
    assert!(post.house.is_whole());
}

#[test]
fn whose_key_is_given_away_while_another_is_told_hears_nothing_of_it() {
    let post = with_managers(&[("anna", 8), ("priya", 300)]);
    let key = post.issue_ending("Lead forms", 8);
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    post.run_and_meanwhile("anna", || gives(&post, key, "priya"));
    post.run();
    assert_eq!(post.told(), ["anna: ends Key of anna", "priya: ends Lead forms"]);
    // So is a contact who is none any more.
    let post = Post::new();
    let key = post.issue_ending("Lead forms", 8);
    names(&post, key, &["ann@acme.example", "bob@acme.example"]);
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    post.run_and_meanwhile("ann@acme.example", || names(&post, key, &["ann@acme.example", "web"]));
    post.run();
    let told = ["maria", "ann@acme.example", "web"].map(|who| format!("{who}: ends Lead forms"));
    assert_eq!(post.told(), told);
}

/// A house whose channel was cut off after it told anna, and renamed after that.
fn renamed() -> Post {
    let post = with_managers(&[("anna", 8), ("jonas", 8), ("zora", 8)]);
    post.house.clock.pass(2 * DAY_MS);
    post.house.sweep();
    post.run_cut_off_after("mail", 2);
    assert_eq!(post.told(), ["anna: ends Key of anna", "jonas: ends Key of jonas"]);
    // Until whoever sent is known to have ended.
    post.house.clock.pass(HOUR);
    post.issue_ending("Booking widget", 7);
    post.house.sweep();
    let mut post = post.with("post", &[]);
    post.channels.remove(0);
    begin(&post.house.open.engine, &post.channels);
    post
}

#[test]
fn a_channel_that_was_renamed_while_it_told_goes_on_under_its_new_name() {
    let post = renamed();
    assert_eq!(post.run().sent, 0);
    let (channel, into) = ("mail".parse().unwrap(), Some("post".parse().unwrap()));
    post.house.does(Command::EmptyChannel { channel, into }).unwrap();
    let now = post.house.open.engine.now().time;
    assert_eq!(post.channel().failing(Named::NoMore, now), None);
    assert_eq!(post.run().sent, 3);
    // The message that was cut off, those after it, and what was done before the new name was known.
    let told = ["jonas: ends Key of jonas", "zora: ends Key of zora", "maria: ends Booking widget"];
    assert_eq!(post.told_through("post"), told);
    for into in [into, None] {
        let refused = post.house.does(Command::EmptyChannel { channel, into }).unwrap_err();
        assert!(matches!(refused, EngineError::Refused(Refusal::NoChange(_))), "{refused}");
    }
    post.days(1);
    assert_eq!((post.told_through("post").len(), post.told().len()), (3, 2));
    assert!(post.house.is_whole());
}

#[test]
fn a_channel_that_has_told_people_already_takes_over_nothing_that_was_under_way() {
    let post = renamed();
    post.issue_ending("Kiosk", 7);
    post.sweep();
    assert_eq!(post.told_through("post"), ["maria: ends Kiosk"]);
    let (channel, into) = ("mail".parse().unwrap(), Some("post".parse().unwrap()));
    let refused = post.house.does(Command::EmptyChannel { channel, into }).unwrap_err();
    assert!(matches!(refused, EngineError::Refused(Refusal::ChannelUnderWay)), "{refused}");
    let now = post.house.open.engine.now().time;
    assert!(post.channel().failing(Named::NoMore, now).is_some());
    post.house.does(Command::EmptyChannel { channel, into: None }).unwrap();
    assert_eq!(post.channel().failing(Named::NoMore, now), None);
}

#[test]
fn whoever_answers_for_somebody_who_left_hears_who_presents_a_deleted_key_of_theirs() {
    let post = with_managers(&[("jonas", 400)]);
    let (key, token) = post.house.issue("Relay");
    gives(&post, key, "jonas");
    for days in [75, 8, 6, 1] {
        post.house.clock.pass(days * DAY_MS);
        post.sweep();
    }
    assert!(!post.house.open.engine.verify(token.as_bytes(), &[]).is_allow());
    post.sweep();
    assert_eq!(post.told().last().unwrap(), "jonas: presented Relay");
    leaves(&post, "jonas");
    post.sweep();
    assert_eq!(post.told().last().unwrap(), "maria: presented Relay");
}
