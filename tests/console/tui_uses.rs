//! What a person at the console sees of the use of a key: when, from where, what for; and that uses are not
//! written down.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::sync::Arc;

use keydeck::crypto::random::OsEntropy;
use keydeck::domain::{Command, Name, NewKey, Note, Place, ScopeId, Timestamp};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Open, in_store};
use keydeck::engine::{Engine, LocalEngine, Origin, Via};
use keydeck::store::{Fault, MemoryStore, Store};
use keydeck::tui::action::Tab;
use keydeck::tui::app::testing::{Console, desk_on};
use keydeck::tui::app::worker::Outcome;
use keydeck::tui::screens::behind;
use keydeck::tui::testing::FakeClipboard;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

struct House {
    engine: Arc<LocalEngine>,
    store: Arc<MemoryStore>,
    clock: TestClock,
    token: String,
    console: Console,
}

impl House {
    fn new() -> Self {
        let clock = TestClock::at(NOW);
        let name = |text| Name::new(text).unwrap();
        let store = Arc::new(MemoryStore::new());
        let shared = Arc::clone(&store) as Arc<dyn Store>;
        let time = Arc::new(clock.clone());
        let Open { engine, session, .. } =
            in_store(shared, name("Acme"), name("maria"), time, Via::Console, Box::new(OsEntropy)).unwrap();
        let scopes = ["calendars.read", "contacts.read", "contacts.write"].map(Into::into).to_vec();
        let (note, expiry) = (Note::default(), None);
        let new = NewKey { name: name("Nightly export"), place: Place::Agency, scopes, expiry, note };
        let token = engine.execute(&session, Command::IssueKey(new)).unwrap().token.unwrap();
        let open = Open { engine: Arc::clone(&engine), session, notices: Vec::new() };
        let console = desk_on(open, vec![behind(Tab::Agency)], (150, 44), &FakeClipboard::default());
        Self { engine, store, clock, token: token.reveal().to_owned(), console }
    }

    fn used(&mut self, wanted: &[&str], agent: Option<&[u8]>) {
        let wanted: Vec<ScopeId> = wanted.iter().map(|scope| scope.parse().unwrap()).collect();
        let origin =
            agent.map(|agent| Origin { address: Some("203.0.113.7".parse().unwrap()), agent: Some(agent) });
        let decision = self.engine.verify_from(self.token.as_bytes(), &wanted, origin.unwrap_or_default());
        assert!(decision.is_allow());
        let _ = self.engine.settle();
        self.console.news(Outcome::Changed);
    }
}

#[test]
fn the_last_use_and_the_scopes_never_used_are_in_the_detail() {
    let mut house = House::new();
    house.console.press("enter").sees("Last used  never").sees("3 scopes").sees_no("never used");
    house.used(&["contacts.read"], Some(b"curl/8.5"));
    house.console.sees("from 203.0.113.7").sees("curl/8.5").sees("1 allowed");
    house
        .console
        .sees("Scopes used 1 of 3")
        .sees("contacts.write  never used")
        .sees_no("contacts.read  never");
    // Somebody tries it by hand later: that came from no address, and is not put down to the one before.
    house.clock.pass(7_200_000);
    house.used(&["contacts.write"], None);
    house.console.sees("Last seen  2 h ago at 203.0.113.7 by curl/8.5").sees("Scopes used 2 of 3");
    house.console.sees_no("from 203.0.113.7").sees("calendars.read  never used");
}

#[test]
fn a_hostile_agent_cannot_touch_the_screen() {
    let mut house = House::new();
    house.console.press("enter");
    house.used(&[], Some(b"\x1b[2J\x1b]0;owned\x07\xe2\x80\xaecurl"));
    house.console.sees("\\u{1b}[2J").sees("\\u{202e}curl");
    assert!(!house.console.screen().contains(['\x1b', '\u{202e}', '\x07']));
    house.used(&[], Some(&[b'W'; 10_240]));
    house.console.sees("WWWWWWWW").sees("...").sees("Requests   2 allowed");
}

#[test]
fn uses_that_are_not_written_down_are_trouble_until_they_are() {
    let mut house = House::new();
    house.store.fail_next(Fault::Unavailable);
    house.used(&[], None);
    house.console.sees("uses are not written down, no key is deleted for being idle");
    house.used(&[], None);
    house.console.sees_no("uses are not written down");
}
