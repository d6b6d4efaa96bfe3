//! The use of keys over time: counted by the hour and the day, once whatever the disk does, by caller and scope, for those
//! who may see the key, and gone with it.

#![expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]

use std::sync::Arc;
use std::time::Duration;

use crate::support::wait::until;
use keydeck::crypto::random::OsEntropy;
use keydeck::domain::blast::many::Busy;
use keydeck::domain::history::Picture;
use keydeck::domain::history::ring::Tally;
use keydeck::domain::time::{DAY_MS, HOUR_MS};
use keydeck::domain::{Bearer, Command, KeyId, Name, NewKey, Note, Place, ScopeId, Timestamp};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Open, in_store};
use keydeck::engine::{Engine, LookOnly, Origin, Via, Writing};
use keydeck::store::{Fault, MemoryStore, Store};

const START: Timestamp = Timestamp(1_790_000_000_000);
const QUICK: Duration = Duration::from_millis(3);

struct House {
    open: Open,
    store: Arc<MemoryStore>,
    clock: TestClock,
}

impl House {
    fn new() -> Self {
        let (store, clock) = (Arc::new(MemoryStore::new()), TestClock::at(START));
        let name = |text| Name::new(text).unwrap();
        let (own, with) = (Arc::clone(&store) as Arc<dyn Store>, Arc::new(clock.clone()));
        let open = in_store(own, name("Acme"), name("maria"), with, Via::CommandLine, Box::new(OsEntropy));
        Self { open: open.unwrap(), store, clock }
    }

    fn issue(&self, called: &str) -> (KeyId, String) {
        let new = NewKey {
            name: Name::new(called).unwrap(),
            place: Place::Agency,
            scopes: vec!["contacts.read".into(), "contacts.write".into()],
            expiry: None,
            note: Note::default(),
            decoy: false,
        };
        let token = self.open.engine.execute(&self.open.session, Command::IssueKey(new)).unwrap();
        let token = token.token.unwrap();
        (KeyId(token.id()), token.reveal().to_owned())
    }

    fn ask(&self, token: &str, wanted: &str, address: &str, agent: &str) {
        let wanted: Vec<ScopeId> = wanted.split_whitespace().map(|scope| scope.parse().unwrap()).collect();
        let origin = Origin { address: Some(address.parse().unwrap()), agent: Some(agent.as_bytes()) };
        self.open.engine.verify_from(token.as_bytes(), &wanted, origin);
    }

    fn picture(&self, id: KeyId) -> Picture {
        self.open.engine.history(&self.open.session, Bearer::Key(id)).unwrap()
    }

    fn rows(&self) -> usize {
        let mut rows = 0;
        let mut count = |_: keydeck::store::RowView<'_>| {
            rows += 1;
            std::ops::ControlFlow::Continue(())
        };
        self.store.scan(b"h/", &mut count).unwrap();
        rows
    }
}

fn ago(bars: &[keydeck::domain::history::picture::Bar], n: usize) -> Option<(u64, u64)> {
    let Tally { allowed, denied } = bars[bars.len() - 1 - n].known()?;
    Some((allowed, denied))
}

#[test]
fn many_are_asked_for_together_and_what_is_not_known_of_one_is_not_known_of_all() {
    let house = House::new();
    let keys: Vec<_> = (0..15).map(|n| house.issue(&format!("Key {n}"))).collect();
    for (n, (_, token)) in keys.iter().enumerate() {
        (0..n).for_each(|_| house.ask(token, "contacts.read", "203.0.113.7", "curl/8.5"));
    }
    house.ask(&keys[3].1, "payments.refund", "203.0.113.7", "curl/8.5");
    let all: Vec<Bearer> = keys.iter().map(|(id, _)| Bearer::Key(*id)).collect();
    // What is written and what is not yet.
    for _ in 0..2 {
        house.open.engine.settle().unwrap();
        let busy = house.open.engine.busy(&house.open.session, &all).unwrap();
        assert_eq!((busy.tally, busy.unknown), (Tally { allowed: 105, denied: 1 }, 0));
        let counts: Vec<u64> = busy.busiest.iter().map(|one| one.day.tally.allowed).collect();
        assert_eq!(counts, (5..15).rev().collect::<Vec<_>>());
        assert_eq!(busy.busiest.first().unwrap().what, all[14]);
    }
    let nobody = Bearer::Key(KeyId(keydeck::domain::PublicId::NOBODY));
    let busy = house.open.engine.busy(&house.open.session, &[all[3], nobody]).unwrap();
    assert_eq!((busy.tally.allowed, busy.unknown), (3, 1));
    // More than one question takes are several.
    let many = vec![nobody; Busy::MOST + 1];
    assert_eq!(house.open.engine.busy(&house.open.session, &many).unwrap(), Busy::unknown(Busy::MOST + 1));
    house.clock.pass(DAY_MS + HOUR_MS);
    let busy = house.open.engine.busy(&house.open.session, &all).unwrap();
    assert_eq!((busy.tally, busy.day().whole), (Tally::default(), true));
}

#[test]
fn requests_are_counted_by_hour_day_caller_and_scope_and_written_once_a_minute() {
    let house = House::new();
    let (id, token) = house.issue("Nightly export");
    assert!(house.picture(id).is_blank());
    house.open.engine.write_uses_every(QUICK);
    for _ in 0..5 {
        house.ask(&token, "contacts.read", "10.1.4.20", "backup/3.2");
    }
    house.ask(&token, "", "203.0.113.9", "python-requests/2.31");
    house.ask(&token, "calendars.read", "203.0.113.9", "python-requests/2.31");
    house.ask(&token[..token.len() - 1], "", "203.0.113.9", "nobody");
    let told = |picture: &Picture| -> Vec<(String, u64)> {
        let whence = |visit: &keydeck::domain::history::picture::Visit| visit.address.unwrap().to_string();
        picture.visits.iter().map(|visit| (whence(visit), visit.count)).collect()
    };
    until("the writer's round", || ago(&house.picture(id).hours, 0) == Some((6, 1)));
    // It waits for its minute, and is told all the same.
    assert_eq!(house.rows(), 0);
    house.clock.pass(60_000);
    until("the end of the minute", || house.rows() == 1);
    house.clock.pass(2 * HOUR_MS);
    house.ask(&token, "", "10.1.4.20", "backup/3.2");
    house.open.engine.settle().unwrap();
    let picture = house.picture(id);
    assert_eq!((ago(&picture.hours, 0), ago(&picture.hours, 2)), (Some((1, 0)), Some((6, 1))));
    assert_eq!((ago(&picture.days, 0), ago(&picture.days, 89)), (Some((7, 1)), Some((0, 0))));
    assert_eq!(told(&picture), [("10.1.4.20".to_owned(), 6), ("203.0.113.9".to_owned(), 1)]);
    let scopes: Vec<&str> = picture.scopes.iter().map(|used| used.scope.as_str()).collect();
    assert_eq!((scopes, picture.others), (vec!["contacts.read"], 0));
    assert_eq!(picture.scopes[0].days, [0]);
    // Days later it is as it was, on other days.
    house.clock.pass(3 * DAY_MS);
    let picture = house.picture(id);
    assert_eq!((ago(&picture.days, 3), picture.last_day().tally), (Some((7, 1)), Tally::default()));
    assert_eq!(picture.scopes[0].days, [3]);
}

#[test]
fn a_write_whose_answer_was_lost_counts_once() {
    for fault in [Fault::Unavailable, Fault::UnknownDone, Fault::UnknownLost] {
        let house = House::new();
        let (id, token) = house.issue("Nightly export");
        house.open.engine.write_uses_every(QUICK);
        (0..3).for_each(|_| house.ask(&token, "", "10.1.4.20", "backup/3.2"));
        until("the writer's round", || {
            house.store.get(format!("t/{id}").as_bytes()).unwrap().is_some()
                && ago(&house.picture(id).hours, 0) == Some((3, 0))
        });
        // Nothing but the history waits.
        let before = house.open.engine.use_writer_wakes();
        until("another round", || house.open.engine.use_writer_wakes() > before + 2);
        house.store.fail_next(fault);
        house.clock.pass(60_000);
        until("a write that is known to be made", || {
            house.rows() == 1 && house.open.engine.condition().writing == Writing::Ok
        });
        house.open.engine.settle().unwrap();
        let picture = house.picture(id);
        assert_eq!((ago(&picture.days, 0), picture.visits[0].count), (Some((3, 0)), 3), "{fault:?}");
    }
}

#[test]
fn only_who_sees_a_key_sees_how_it_was_used_and_who_looks_only_may() {
    let house = House::new();
    let (id, token) = house.issue("Nightly export");
    house.ask(&token, "", "10.1.4.20", "backup/3.2");
    house.open.engine.settle().unwrap();
    let ask = |engine: &dyn Engine, id: KeyId| engine.history(&house.open.session, Bearer::Key(id));
    let looking = LookOnly::over(Arc::clone(&house.open.engine) as Arc<dyn Engine>, &house.open.session);
    assert_eq!(ask(&*looking, id).unwrap().days, house.picture(id).days);
    let other: KeyId = token[5..17].chars().rev().collect::<String>().parse().unwrap();
    assert_eq!(ask(&*house.open.engine, other).unwrap_err().code(), "no_such_key");
}

#[test]
fn that_requests_are_refused_often_is_remembered_with_the_key_and_forgotten_when_it_is_over() {
    let house = House::new();
    let (id, token) = house.issue("Nightly export");
    let denied = || {
        house.open.engine.settle().unwrap();
        house
            .open
            .engine
            .state()
            .trace(id)
            .and_then(keydeck::domain::Trace::denied)
            .map(|denied| denied.count)
    };
    (0..19).for_each(|_| house.ask(&token, "payments.read", "10.1.4.20", "backup/3.2"));
    assert_eq!(denied(), None);
    (0..6).for_each(|_| house.ask(&token, "payments.read", "10.1.4.20", "backup/3.2"));
    assert_eq!(denied(), Some(25));
    house.clock.pass(8 * DAY_MS);
    house.ask(&token, "contacts.read", "10.1.4.20", "backup/3.2");
    assert_eq!(denied(), Some(0));
}

#[test]
fn where_the_first_request_of_all_came_from_is_kept_where_every_one_of_the_first_said_so() {
    let house = House::new();
    let (id, token) = house.issue("Nightly export");
    let (other, hidden) = house.issue("Relay");
    assert_eq!(house.picture(id).first, None);
    house.clock.pass(180_000);
    house.ask(&token, "", "10.2.0.7", "kiosk/2.1");
    house.ask(&token, "", "203.0.113.9", "curl/8.5");
    house.open.engine.verify(hidden.as_bytes(), &[]);
    house.ask(&hidden, "", "10.2.0.7", "kiosk/2.1");
    house.open.engine.settle().unwrap();
    house.clock.pass(3 * DAY_MS);
    house.ask(&token, "", "10.9.9.9", "late/1.0");
    house.ask(&hidden, "", "10.9.9.9", "late/1.0");
    house.open.engine.settle().unwrap();
    let first = house.picture(id).first.unwrap();
    assert_eq!(
        (first.to_string().as_str(), first.at),
        ("10.2.0.7 by kiosk/2.1", Timestamp(START.0 + 180_000))
    );
    assert_eq!(house.open.engine.state().usage(id).first_used_at, Some(first.at));
    assert_eq!(house.picture(other).first, None, "one of the first came from nowhere");
}

#[test]
fn whoever_asks_to_know_of_uses_is_told_of_the_request_before() {
    let house = House::new();
    let (id, token) = house.issue("Nightly export");
    let count = || house.open.engine.state().usage(id).count;
    house.ask(&token, "", "10.2.0.7", "kiosk/2.1");
    assert_eq!(count(), 0);
    house.open.engine.know_uses(&house.open.session).unwrap();
    assert_eq!((ago(&house.picture(id).hours, 0), count()), (Some((1, 0)), 1));
    house.open.engine.settle().unwrap();
    assert!(
        house.store.get(format!("t/{id}").as_bytes()).unwrap().is_some(),
        "and it is written down as ever"
    );
}

#[test]
fn the_last_days_of_many_keys_are_told_at_once_and_of_none_that_is_not_in_view() {
    let house = House::new();
    let (id, token) = house.issue("Nightly export");
    let (quiet, _) = house.issue("Relay");
    house.ask(&token, "", "10.2.0.7", "kiosk/2.1");
    house.open.engine.settle().unwrap();
    house.clock.pass(3 * DAY_MS);
    house.ask(&token, "", "10.2.0.7", "kiosk/2.1");
    house.open.engine.settle().unwrap();
    let gone: KeyId = "7HqP2mVx9KtR".parse().unwrap();
    let sparks = house.open.engine.sparks(&house.open.session, vec![id, gone, quiet]).unwrap();
    let told: Vec<_> =
        sparks.iter().map(|spark| (spark.key, spark.days.len(), ago(&spark.days, 3))).collect();
    assert_eq!(told, [(id, 14, Some((1, 0))), (quiet, 14, Some((0, 0)))]);
}
