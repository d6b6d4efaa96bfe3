//! The review as a person goes through it: the worst first, each relieved of what it does not need where it stands, until there
//! is nothing to say.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::sync::Arc;
use std::time::Duration;

use keydeck::crypto::random::OsEntropy;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{Command, Expiry, Key, KeyState, Name, NewKey, Note, Place, ScopeId, Timestamp};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Open, in_memory};
use keydeck::engine::{LocalEngine, Origin, Session, Via};
use keydeck::tui::app::testing::{Console, desk_on};
use keydeck::tui::screens::all;
use keydeck::tui::testing::FakeClipboard;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

struct House {
    engine: Arc<LocalEngine>,
    session: Session,
    clock: TestClock,
}

impl House {
    fn new() -> Self {
        let clock = TestClock::at(NOW);
        let name = |text| Name::new(text).unwrap();
        let time = Arc::new(clock.clone());
        let open = in_memory(name("Acme"), name("maria"), time, Via::Console, Box::new(OsEntropy)).unwrap();
        Self { engine: open.engine, session: open.session, clock }
    }

    fn issue(&self, called: &str, scopes: &[&str], expiry: Expiry) -> String {
        let scopes = scopes.iter().map(ToString::to_string).collect();
        let (name, note) = (Name::new(called).unwrap(), Note::default());
        let new = NewKey { name, place: Place::Agency, scopes, expiry: Some(expiry), note, decoy: false };
        let done = self.engine.execute(&self.session, Command::IssueKey(new)).unwrap();
        done.token.unwrap().reveal().to_owned()
    }

    fn used(&self, token: &str, wanted: &[&str]) {
        let wanted: Vec<ScopeId> = wanted.iter().map(|scope| scope.parse().unwrap()).collect();
        assert!(self.engine.verify_from(token.as_bytes(), &wanted, Origin::default()).is_allow());
        self.engine.settle().unwrap();
    }

    fn key(&self, called: &str) -> Key {
        self.engine.state().keys().find(|key| key.name.as_str() == called).unwrap().clone()
    }
}

/// A store in which a key may do too much, one was never used, and one is as it should be; and the console on its review.
fn reviewed() -> (House, Console) {
    let house = House::new();
    let ends = Expiry::At(Timestamp(NOW.0 + 200 * DAY_MS));
    let wide = ["contacts.read", "contacts.write", "contacts.delete"];
    let wide = house.issue("Data warehouse", &wide, Expiry::Never);
    house.issue("Audit snapshot", &["contacts.read"], ends);
    let fine = house.issue("Front desk", &["contacts.read"], ends);
    house.clock.pass(20 * DAY_MS);
    house.used(&wide, &["contacts.read"]);
    house.used(&fine, &["contacts.read"]);
    let open = Open { engine: house.engine.clone(), session: house.session.clone(), notices: Vec::new() };
    let mut console = desk_on(open, all(), (120, 34), &FakeClipboard::default());
    console.press("5").advance(Duration::from_millis(500));
    (house, console)
}

#[test]
fn the_worst_stands_first_and_its_scopes_show_when_they_were_needed() {
    let (_, mut console) = reviewed();
    console.sees("5 Review 2   6 Audit").sees_no("Front desk");
    let screen = console.screen();
    let at = |text: &str| screen.lines().position(|line| line.contains(text)).unwrap();
    assert!(at("Data warehouse") < at("Audit snapshot"), "{screen}");
    console.sees("███    admin scope never needed, 2 of 3 scopes");
    console.sees("It may move money, remove for good").sees("Scopes used 1 of 3").sees("a sign is 3 d of 90");
    assert!(
        at("contacts.delete") < at("contacts.write") && at("contacts.write") < at("contacts.read"),
        "{screen}"
    );
    console.sees("·▃  just now").sees("··  never");
    console.press("/").type_text("why:never risk<30").press("enter").sees("Audit snapshot").sees_no("Data w");
    console.sees("never used in 20 d").sees("where does its secret lie?");
}

#[test]
fn each_is_relieved_where_it_stands_until_there_is_nothing_to_say() {
    let (house, mut console) = reviewed();
    console.press("e").sees("Edit Data warehouse").sees("it never ends").type_text("90d").press("ctrl-s");
    console.sees("5 Review 2").sees_no("no expiry");
    console.press("-").sees("Scopes of Data warehouse").sees("- contacts.delete  - contacts.write");
    console.press("ctrl-s").sees("the scopes of Data warehouse are changed").sees_no("never needed");
    assert_eq!(house.key("Data warehouse").scopes.to_string(), "contacts.read");
    // Of the one that is left nothing can be taken: nobody knows what it needs.
    console.sees("5 Review 1").press("-").sees("there is no scope to take away");
    console.press("X").sees("Revoke key").type_text("Audit snapshot").press("enter");
    assert_eq!(house.key("Audit snapshot").state(house.engine.now().time), KeyState::Revoked);
    console.sees("Nothing to say against any key or app").sees("5 Review   6 Audit");
}

#[test]
fn fewer_scopes_are_tried_first_and_enforced_or_dropped_when_it_is_known_what_they_refuse() {
    let (house, mut console) = reviewed();
    console.press("_").sees("Report only: Data warehouse with fewer scopes");
    console.sees("let through and counted").sees("- contacts.delete  - contacts.write");
    console
        .press("ctrl-s")
        .sees("Data warehouse is on report-only for 14 d")
        .sees("it would lose contacts.delete");
    let key = house.key("Data warehouse");
    assert_eq!(key.scopes.len(), 3);
    console.advance(Duration::from_millis(500)).sees("no request would have been refused");
    house.clock.pass(15 * DAY_MS);
    console.press("_").sees("Enforce it: take contacts.delete contacts.write away").press("esc");
    console.press("_ down enter").sees("Data warehouse keeps all its scopes");
    assert_eq!(house.key("Data warehouse").reports_only(), None);
    console
        .press("_ ctrl-s _ down down enter")
        .sees("It loses contacts.delete contacts.write.")
        .press("tab enter")
        .sees("has lost the scopes");
    assert_eq!(house.key("Data warehouse").scopes.to_string(), "contacts.read");
}

#[test]
fn a_review_is_signed_off_and_what_was_kept_stands_quiet_at_the_end_with_the_reason() {
    let (house, mut console) = reviewed();
    console.press("Y").sees("Sign the review off").sees("2 keys and apps are listed").sees("none is marked");
    console.press("esc space Y").sees("The marked key is kept").press("ctrl-s").sees("a reason is needed");
    console.type_text("moves house in spring").press("ctrl-s").sees("the review is signed off, 1 kept");
    // What was marked for it is marked no more.
    console.sees_no("marked");
    console.advance(Duration::from_millis(500)).sees("kept by maria because moves house");
    let screen = console.screen();
    let at = |text: &str| screen.lines().position(|line| line.contains(text)).unwrap();
    assert!(at("Audit snapshot") < at("Data warehouse"), "{screen}");
    let kept = house.key("Data warehouse").kept.unwrap();
    assert_eq!(kept.why.as_str(), "moves house in spring");
}

#[test]
fn what_is_signed_is_what_the_review_says_by_then() {
    let (house, mut console) = reviewed();
    console.press("Y").sees("Sign the review off").type_text("as every quarter");
    // One of the two says nothing any more before it is signed.
    house.engine.execute(&house.session, Command::revoke(house.key("Data warehouse").id)).unwrap();
    console.press("ctrl-s").sees("review was changed meanwhile");
    console.sees_no("the review is signed off");
}

#[test]
fn marked_keys_stand_side_by_side_with_what_each_needed() {
    let (_, mut console) = reviewed();
    console.press("a =").sees("Scopes side by side").sees("Data warehouse").sees("1 of 3 needed");
    // The numbers stand over their columns.
    let column = |line: &str, sign: char| {
        let screen = console.screen();
        let line = screen.lines().find(|row| row.contains(line)).unwrap().to_owned();
        line.chars().position(|c| c == sign)
    };
    assert_eq!(column("  1  2  ", '2'), column("contacts.read    ●", '○'), "{}", console.screen());
    console.sees("contacts.delete  ○  ·  0/1").sees("contacts.read    ●  ○  1/2").sees("not granted");
    console.press("esc").sees_no("side by side");
}

#[test]
fn of_a_key_whose_use_says_nothing_of_scopes_it_is_not_said_that_it_needed_none() {
    let house = House::new();
    let token = house.issue("Data warehouse", &["contacts.read", "contacts.write"], Expiry::Never);
    house.used(&token, &[]);
    let open = Open { engine: house.engine.clone(), session: house.session.clone(), notices: Vec::new() };
    let mut console = desk_on(open, all(), (120, 34), &FakeClipboard::default());
    console.press("=").sees("how many of 2 were needed is not known").sees_no("0 of 2");
    console.sees("contacts.read   ?  ?/1");
}
