//! Fewer scopes are tried on a key: every request is answered as before, and as many are counted as the fewer scopes refuse.

#![expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]

use std::sync::Arc;

use keydeck::crypto::random::OsEntropy;
use keydeck::domain::history::Lacked;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{
    Bearer, Command, Counted, KeyId, Name, NewKey, Note, Place, Rotation, ScopeId, Timestamp,
};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Open, in_memory};
use keydeck::engine::{Origin, Via};
use proptest::prelude::*;

const START: Timestamp = Timestamp(1_790_000_000_000);
const WIDE: [&str; 4] = ["calendars.read", "contacts.delete", "contacts.read", "contacts.write"];

struct House {
    open: Open,
    clock: TestClock,
}

impl House {
    fn new() -> Self {
        let clock = TestClock::at(START);
        let name = |text| Name::new(text).unwrap();
        let with = Arc::new(clock.clone());
        let open = in_memory(name("Acme"), name("maria"), with, Via::CommandLine, Box::new(OsEntropy));
        Self { open: open.unwrap(), clock }
    }

    fn does(&self, command: Command) -> Option<(KeyId, String)> {
        let done = self.open.engine.execute(&self.open.session, command).unwrap();
        done.token.map(|token| (KeyId(token.id()), token.reveal().to_owned()))
    }

    fn issue(&self, called: &str, scopes: &[&str]) -> (KeyId, String) {
        let scopes = scopes.iter().map(ToString::to_string).collect();
        let (name, note) = (Name::new(called).unwrap(), Note::default());
        self.does(Command::IssueKey(NewKey {
            name,
            place: Place::Agency,
            scopes,
            expiry: None,
            note,
            decoy: false,
        }))
        .unwrap()
    }

    fn tries(&self, key: KeyId, kept: &[&str], days: u32) {
        let scopes = kept.iter().map(ToString::to_string).collect();
        self.does(Command::BeginReportOnly { key, scopes, days });
    }

    fn asks(&self, token: &str, wanted: &[&str], address: u8) -> bool {
        let wanted: Vec<ScopeId> = wanted.iter().map(|scope| scope.parse().unwrap()).collect();
        let origin = Origin { address: Some([10, 0, 0, address].into()), agent: Some(b"backup/3.2") };
        self.open.engine.verify_from(token.as_bytes(), &wanted, origin).is_allow()
    }

    fn lacked(&self, key: KeyId) -> Option<Lacked> {
        self.open.engine.settle().unwrap();
        self.open.engine.history(&self.open.session, Bearer::Key(key)).unwrap().lacked.map(|lacked| *lacked)
    }
}

#[test]
fn requests_are_let_through_and_counted_by_scope_and_caller_until_the_time_is_over() {
    let house = House::new();
    let (key, token) = house.issue("Data warehouse", &WIDE);
    assert_eq!(house.lacked(key), None);
    house.tries(key, &["contacts.read"], 14);
    assert_eq!(house.lacked(key).unwrap().count, 0);
    for (wanted, address) in [
        (&["contacts.read"][..], 1),
        (&["contacts.read", "contacts.write"], 1),
        (&["contacts.write", "contacts.delete"], 2),
        (&[], 2),
    ] {
        assert!(house.asks(&token, wanted, address));
    }
    assert!(!house.asks(&token, &["payments.read"], 3), "what it never could it cannot now");
    let lacked = house.lacked(key).unwrap();
    let scopes: Vec<_> = lacked.scopes.iter().map(|known| (known.scope.as_str(), known.count)).collect();
    assert_eq!((lacked.count, scopes), (2, vec![("contacts.delete", 1), ("contacts.write", 2)]));
    assert_eq!(lacked.callers.iter().map(|caller| caller.count).collect::<Vec<_>>(), [1, 1]);
    house.clock.pass(14 * DAY_MS);
    assert!(house.asks(&token, &["contacts.write"], 1), "its end refuses nothing");
    assert_eq!(house.lacked(key).unwrap().count, 2);
    // Begun anew it counts anew.
    house.tries(key, &["contacts.read"], 14);
    assert_eq!(house.lacked(key).unwrap().count, 0);
    house.does(Command::EnforceReportOnly { key, begun: None });
    assert!(!house.asks(&token, &["contacts.write"], 1) && house.asks(&token, &["contacts.read"], 1));
    assert_eq!(house.lacked(key), None);
}

#[test]
fn both_halves_of_a_rotation_count_for_one_key() {
    let house = House::new();
    let (old, first) = house.issue("Data warehouse", &WIDE);
    house.tries(old, &["contacts.read"], 14);
    assert!(house.asks(&first, &["contacts.write"], 1));
    let rotation =
        Rotation { id: None, grace: "1h".parse().unwrap(), counted: Counted::FromNow, expiry: None };
    let (new, second) = house.does(Command::RotateKey { key: old, rotation }).unwrap();
    assert!(house.asks(&first, &["contacts.write"], 1) && house.asks(&second, &["contacts.write"], 1));
    assert_eq!(house.lacked(new).unwrap().count, 3);
    house.clock.pass(DAY_MS);
    assert!(!house.asks(&first, &["contacts.write"], 1));
    assert_eq!(house.lacked(new).unwrap().count, 3, "what the old half lacked is not forgotten with it");
}

/// Some of the scopes, by bits.
fn some(bits: u8) -> Vec<&'static str> {
    WIDE.into_iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, scope)| scope).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_is_another_and_the_count_is_what_the_fewer_scopes_refuse(
        kept in 1..15_u8,
        wanted in prop::collection::vec((0..32_u8, 0..12_u8), 0..40),
    ) {
        let house = House::new();
        let kept = some(kept);
        let (key, tried) = house.issue("Tried", &WIDE);
        let [(_, as_before), (_, narrow)] = [house.issue("As before", &WIDE), house.issue("Narrow", &kept)];
        house.tries(key, &kept, 14);
        let mut refused = 0;
        for (bits, address) in wanted {
            let mut wanted = some(bits);
            wanted.extend((bits >= 16).then_some("payments.read"));
            let allowed = house.asks(&as_before, &wanted, address);
            prop_assert_eq!(house.asks(&tried, &wanted, address), allowed);
            refused += u64::from(allowed && !house.asks(&narrow, &wanted, address));
        }
        prop_assert_eq!(house.lacked(key).unwrap().count, refused);
        house.does(Command::DropReportOnly(key));
        prop_assert!(house.asks(&tried, &WIDE, 1));
    }
}
