//! The panic button in the console: what it stops is said first, a name is typed, the status bar tells of it as long as it lasts,
//! and the notice lifts it.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::sync::Arc;

use keydeck::crypto::random::OsEntropy;
use keydeck::domain::{Command, Expiry, Name, NewKey, Note, Place, Reason, Timestamp};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Open, in_memory};
use keydeck::engine::{Engine as _, Origin, Via};
use keydeck::tui::app::testing::desk_on;
use keydeck::tui::screens::all;
use keydeck::tui::testing::FakeClipboard;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

#[test]
fn everything_is_locked_down_by_name_shown_as_such_and_lifted_from_the_notices() {
    for size in [(120, 34), (80, 24)] {
        let time = Arc::new(TestClock::at(Timestamp(1_790_000_000_000)));
        let open = in_memory(name("Acme"), name("maria"), time, Via::Console, Box::new(OsEntropy)).unwrap();
        let (engine, session) = (Arc::clone(&open.engine), open.session.clone());
        let new = NewKey {
            name: name("Webhook relay"),
            place: Place::Agency,
            scopes: vec!["contacts.read".into()],
            expiry: Some(Expiry::Never),
            note: Note::default(),
            decoy: false,
        };
        let token = engine.execute(&session, Command::IssueKey(new)).unwrap().token.unwrap();
        let origin = Origin { address: Some("10.1.4.20".parse().unwrap()), agent: Some(b"curl/8.5") };
        let answer = || engine.verify_from(token.bytes(), &[], origin).reason();
        assert_eq!(answer(), None);
        engine.settle().unwrap();
        let open = Open { engine: Arc::clone(&engine), session, notices: Vec::new() };
        let mut console = desk_on(open, all(), size, &FakeClipboard::default());
        console.press("J").sees("the whole agency").sees("all your keys and apps").press("enter");
        console.sees("Lock down the whole agency?").sees("Stops 1 key: 1 in use now, 1 used within a day.");
        console.sees("In use now  1 of 1: Webhook relay from 10.1.4.20 by").sees("curl/8.5");
        console.type_text("Acm").press("enter").sees("exactly as it stands there");
        assert_eq!(answer(), None);
        console.type_text("e").press("enter").sees("LOCKED DOWN: agency");
        assert_eq!(answer(), Some(Reason::LockedDown));
        console.press("1").sees("locked down").sees("LOCKED DOWN: agency");
        console.press("l").sees("maria locked the whole agency down");
        console.press("esc 4").sees("locked down").sees("Acme").sees("LOCKED DOWN: agency");
        console.press("enter").sees("Lift the lockdown of the whole agency?").sees("Gives back 1 key.");
        console.press("tab enter").sees_no("LOCKED DOWN");
        assert_eq!(answer(), None);
        // The jump leads there as well.
        console.press(":").type_text("lock down all").press("enter").sees("the whole agency");
    }
}
