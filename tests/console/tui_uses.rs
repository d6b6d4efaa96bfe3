//! What a person at the console sees of the use of a key: when, from where, what for; and that uses are not
//! written down.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::crypto::random::OsEntropy;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{Command, Counted, Expiry, Name, NewKey, Note, Place, Rotation, ScopeId, Timestamp};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Open, Options, found, in_store};
use keydeck::engine::{Engine, LocalEngine, Origin, Session, Via};
use keydeck::store::{Fault, MemoryStore, Store};
use keydeck::tui::action::Tab;
use keydeck::tui::app::effect::Outcome;
use keydeck::tui::app::testing::{Console, desk_on};
use keydeck::tui::screens::behind;
use keydeck::tui::testing::FakeClipboard;

use crate::support::wait::until;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

struct House {
    engine: Arc<LocalEngine>,
    store: Arc<MemoryStore>,
    clock: TestClock,
    token: String,
    session: Session,
    console: Console,
}

fn issue(engine: &LocalEngine, session: &Session, called: &str) -> String {
    let scopes = ["calendars.read", "contacts.read", "contacts.write"].map(Into::into).to_vec();
    let (note, expiry) = (Note::default(), None);
    let new =
        NewKey { name: Name::new(called).unwrap(), place: Place::Agency, scopes, expiry, note, decoy: false };
    engine.execute(session, Command::IssueKey(new)).unwrap().token.unwrap().reveal().to_owned()
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
        let token = issue(&engine, &session, "Nightly export");
        let open = Open { engine: Arc::clone(&engine), session: session.clone(), notices: Vec::new() };
        let console = desk_on(open, vec![behind(Tab::Agency)], (150, 44), &FakeClipboard::default());
        Self { engine, store, clock, token, session, console }
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
fn a_rotated_key_whose_old_half_is_used_is_no_key_that_was_never_used() {
    let mut house = House::new();
    let key = house.engine.state().keys().next().unwrap().id;
    let rotation =
        Rotation { id: None, grace: "7d".parse().unwrap(), counted: Counted::FromNow, expiry: None };
    house.engine.execute(&house.session, Command::RotateKey { key, rotation }).unwrap();
    let row = |house: &mut House| {
        let screen = house.console.news(Outcome::Changed).screen();
        let line = screen.lines().find(|line| line.contains("↻ grace")).unwrap().to_owned();
        // Without the detail beside it.
        line.split('│').next().unwrap().to_owned()
    };
    assert!(!row(&mut house).contains("just now"));
    house.used(&["contacts.read"], Some(b"curl/8.5"));
    assert!(row(&mut house).contains("just now"), "{}", house.console.screen());
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
    house.console.advance(Duration::from_millis(200)).sees("90 days    ").sees("2 allowed, 0 refused");
    house.console.sees("Callers    1× 203.0.113.7 by curl/8.5").sees("and 1 request from nowhere");
    // What is refused is told by a shape of its own.
    let mut lacking: Vec<ScopeId> = vec!["payments.refund".parse().unwrap()];
    assert!(!house.engine.verify(house.token.as_bytes(), &lacking).is_allow());
    lacking.clear();
    assert!(house.engine.verify(house.token.as_bytes(), &lacking).is_allow());
    let _ = house.engine.settle();
    house.console.news(Outcome::Changed);
    house.console.advance(Duration::from_millis(200)).sees("refused").sees("×").sees("3 allowed, 1 refused");
}

#[test]
fn what_is_in_use_wants_its_name_even_for_a_pause_and_says_who_uses_it() {
    let mut house = House::new();
    house.used(&["contacts.read"], Some(b"curl/8.5"));
    house.console.press("P").sees("In use now  just now from 203.0.113.7 by curl/8.5");
    house.console.sees("Would stop  contacts.read, used just now").sees("Type its name");
    house.console.advance(Duration::from_millis(200)).sees("24 hours    1 request allowed, 0 refused");
    house.console.sees("Callers     1× 203.0.113.7 by curl/8.5");
    // Not by a key that slipped; for how long it lasts is chosen as ever.
    house.console.press("enter").sees_no("is paused").press("P").press("2").sees("2 (*) 1 h");
    house.console.type_text("Nightly export").press("enter").sees("Nightly export is paused");
    let mut quiet = House::new();
    quiet.used(&[], Some(b"curl/8.5"));
    quiet.clock.pass(5 * 60_000 + 1);
    quiet.console.news(Outcome::Changed).press("P").sees("Used 5 min ago").sees_no("In use now");
    quiet.console.sees_no("Type its name");
}

#[test]
fn of_many_it_is_said_which_are_in_use_and_by_whom_the_busiest_first_and_their_number_is_wanted() {
    let mut house = House::new();
    let others = ["Alpha", "Beta", "Gamma"].map(|called| issue(&house.engine, &house.session, called));
    for _ in 0..7 {
        assert!(house.engine.verify(others[2].as_bytes(), &[]).is_allow());
    }
    // It was busy, and is not in use.
    let _ = house.engine.settle();
    house.clock.pass(5 * 60_000 + 1);
    house.used(&[], Some(b"curl/8.5"));
    house
        .console
        .press("a P")
        .sees("Pause 4 keys")
        .sees("In use now  1 of 4: Nightly export from 203.0.113.7");
    house.console.sees("Used last   Nightly export: used just now").sees("Alpha: never used");
    house.console.advance(Duration::from_millis(200)).sees("24 hours    8 requests allowed, 0 refused");
    house.console.sees("Busiest     Gamma: 7 requests, used 5 min ago");
    house.console.sees("Nightly export: 1 request, used just now from").sees("203.0.113.7 by curl/8.5  ");
    house.console.press("tab enter").sees("Pause 4 keys").sees("exactly as it stands there");
    house.console.type_text("4").press("enter").sees("4 keys are paused");
    // Where nothing is in use a pause asks for no number.
    let mut quiet = House::new();
    issue(&quiet.engine, &quiet.session, "Alpha");
    quiet.console.news(Outcome::Changed).press("a P").sees("Pause 2 keys").sees_no("In use now");
    quiet.console.sees_no("Type the number").press("tab enter").sees("2 keys are paused");
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

#[test]
fn what_was_used_while_uses_were_lost_is_called_neither_never_used_nor_idle() {
    let (dir, killed, clock) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), TestClock::at(NOW));
    let here = |dir: &Path| Options {
        clock: Arc::new(clock.clone()),
        cost: Cost::IMPORTED,
        ..Options::new(dir, "test", Via::Console)
    };
    let (name, phrase) =
        (|text| Name::new(text).unwrap(), Passphrase::choose("correct horse battery staple"));
    let phrase = phrase.unwrap();
    let open = found(&here(dir.path()), name("Acme"), name("maria"), &phrase).unwrap().open;
    let issue = |called| {
        let (scopes, note) = (vec!["contacts.read".into()], Note::default());
        let expiry = Some(Expiry::Never);
        let new = NewKey { name: name(called), place: Place::Agency, scopes, expiry, note, decoy: false };
        open.engine.execute(&open.session, Command::IssueKey(new)).unwrap().token.unwrap()
    };
    let (_unused, rung) = (issue("Nightly export"), issue("Other"));
    open.engine.write_uses_every(Duration::from_millis(5));
    assert!(open.engine.verify(rung.reveal().as_bytes(), &[]).is_allow());
    until("the note that uses are gathered", || open.engine.use_writer_wakes() > 0);
    open.engine.settle().unwrap();
    copy(dir.path(), killed.path());
    drop(open);
    clock.pass(100 * DAY_MS);
    let key = keydeck::engine::open::Key::Operator { name: "maria", passphrase: &phrase };
    let again = keydeck::engine::open::open(&here(killed.path()), &key).unwrap();
    let mut console = desk_on(again, vec![behind(Tab::Agency)], (150, 44), &FakeClipboard::default());
    console.sees("not known").sees_no("idle").sees_no("never used");
    console.press("g").sees("Last used  not known before 2026-12-30 14:13, just now");
    console.press("X").sees("It may have been used before 2026-12-30 14:13: what uses it");
}

/// What a kill leaves of a directory.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else if path.is_file() {
            // The seal comes and goes by renaming.
            assert!(std::fs::copy(&path, to.join(name)).is_ok() || !path.exists());
        }
    }
}

#[test]
fn the_picture_of_days_fits_the_window_on_one_line() {
    let mut house = House::new();
    house.used(&["contacts.read"], Some(b"curl/8.5"));
    for (width, height) in [(150, 44), (80, 24), (60, 16), (61, 40)] {
        house.console.resize(width, height).press("enter").advance(Duration::from_millis(300));
        let mut pages = house.console.screen();
        for _ in 0..24 {
            pages += "\n";
            pages += &house.console.press("down").screen();
        }
        let lines: Vec<&str> = pages.lines().collect();
        let fits =
            |label| lines.windows(2).any(|pair| pair[0].contains(label) && pair[1].contains("a sign is"));
        assert!(fits("90 days  ") && fits("48 hours  "), "{width}x{height}:\n{pages}");
        house.console.press("esc");
    }
}

#[test]
fn a_strip_of_the_last_days_stands_in_the_row_where_there_is_room_that_nothing_else_needs() {
    let mut house = House::new();
    house.used(&["contacts.read"], Some(b"curl/8.5"));
    house.clock.pass(2 * DAY_MS);
    house.used(&["contacts.read"], Some(b"curl/8.5"));
    house.console.resize(200, 44).sees("14 days").advance(Duration::from_millis(300)).sees("···········▁·▁");
    house.console.resize(120, 44).advance(Duration::from_millis(300)).sees_no("14 days").sees_no("▁·▁");
}
