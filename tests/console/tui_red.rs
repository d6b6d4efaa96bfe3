//! Before a red button: who uses what would stop or lose something, and the name that is typed where somebody uses it now.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::sync::Arc;
use std::time::Duration;

use keydeck::crypto::random::OsEntropy;
use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::{
    AppId, AppStatus, Command, Expiry, Key, KeyState, Name, NewApp, NewKey, Note, Place, Profile, SourceApp,
    Timestamp, Url, UserType,
};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Open, in_memory};
use keydeck::engine::{Engine as _, LocalEngine, Origin, Session, Via};
use keydeck::tui::app::testing::{Console, desk_on};
use keydeck::tui::screens::all;
use keydeck::tui::testing::FakeClipboard;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

struct House {
    engine: Arc<LocalEngine>,
    session: Session,
}

impl House {
    fn new() -> Self {
        let time = Arc::new(TestClock::at(Timestamp(1_790_000_000_000)));
        let open = in_memory(name("Acme"), name("maria"), time, Via::Console, Box::new(OsEntropy)).unwrap();
        Self { engine: Arc::clone(&open.engine), session: open.session }
    }

    fn run(&self, command: Command) -> keydeck::engine::Done {
        self.engine.execute(&self.session, command).unwrap()
    }

    /// A key of two scopes, of which one was just needed by a request.
    fn used(&self, called: &str, place: Place) -> String {
        let scopes = ["contacts.read", "calendars.read"].map(Into::into).to_vec();
        let (expiry, note) = (Some(Expiry::Never), Note::default());
        let new = NewKey { name: name(called), place, scopes, expiry, note, decoy: false };
        let token = self.run(Command::IssueKey(new)).token.unwrap();
        let origin = Origin { address: Some("10.1.4.20".parse().unwrap()), agent: Some(b"curl/8.5") };
        let wanted = ["contacts.read".parse().unwrap()];
        assert!(self.engine.verify_from(token.bytes(), &wanted, origin).is_allow());
        self.engine.settle().unwrap();
        token.reveal().to_owned()
    }

    /// An app that a key of those two scopes may be of.
    fn bot(&self) -> AppId {
        let profile = Profile {
            uri: Url::new("https://example.com/").unwrap(),
            description: Note::default(),
            user_type: UserType::Guest,
            source: SourceApp::Bot,
            post_login: Vec::new(),
            post_logout: Vec::new(),
        };
        let scopes = ["contacts.read", "calendars.read"].map(Into::into).to_vec();
        let new = NewApp {
            name: name("Bot"),
            profile,
            method: AuthMethod::ApiKey,
            scopes,
            terms: keydeck::domain::Terms::default(),
        };
        self.run(Command::CreateApp(new));
        self.engine.state().apps().next().unwrap().id
    }

    fn console(&self, size: (u16, u16)) -> Console {
        let open =
            Open { engine: Arc::clone(&self.engine), session: self.session.clone(), notices: Vec::new() };
        desk_on(open, all(), size, &FakeClipboard::default())
    }

    fn key(&self, called: &str) -> Key {
        let state = self.engine.state();
        state.keys().find(|key| key.name.as_str() == called).cloned().unwrap()
    }
}

#[test]
fn who_loses_a_scope_that_is_in_use_now_is_told_and_its_name_is_typed() {
    for size in [(120, 34), (80, 24)] {
        let house = House::new();
        house.used("Nightly export", Place::Agency);
        let mut console = house.console(size);
        console.press("o").sees("Scopes of Nightly export").sees_no("In use now");
        // What nobody needed is taken away without a word.
        console.press("/").type_text("calendars.read").press("enter space").sees("- calendars.read");
        console.sees("In use now  just now from 10.1.4.20").sees_no("type Nightly export").press("space");
        console.sees_no("In use now").press("/ ctrl-u").type_text("contacts.read").press("enter space");
        console.sees("- contacts.read (used just now)").sees("type Nightly export");
        console.advance(Duration::from_millis(50)).sees("24 hours    1 request allowed, 0 refused");
        console.press("ctrl-s").sees("exactly as it stands there");
        assert_eq!(house.key("Nightly export").scopes.to_string(), "calendars.read contacts.read");
        console.type_text("Nightly export").press("ctrl-s").sees("the scopes of Nightly export are changed");
        assert_eq!(house.key("Nightly export").scopes.to_string(), "calendars.read");
    }
}

#[test]
fn what_an_app_and_its_keys_lose_is_told_and_its_name_is_typed() {
    let house = House::new();
    let app = house.bot();
    house.used("Of the bot", Place::App(app));
    let mut console = house.console((120, 40));
    console.press("3 e").sees("Edit Bot").press("tab tab tab tab tab tab tab tab enter");
    console.sees("as it was made").press("/").type_text("contacts.read").press("enter space");
    console.sees("In use now  just now from 10.1.4.20").sees("Would stop  contacts.read, used just now");
    console.sees("Also        1 live key of it").sees("type Bot");
    console.advance(Duration::from_millis(50)).sees("24 hours    1 request allowed, 0 refused");
    console.press("ctrl-s").sees("exactly as it stands there").type_text("Bot").press("ctrl-s");
    console.sees("Bot is changed");
    assert_eq!(house.key("Of the bot").scopes.to_string(), "calendars.read");
}

#[test]
fn who_uses_the_keys_of_a_location_is_told_before_it_is_removed() {
    let house = House::new();
    house.run(Command::AddLocations(vec![name("Harbour")]));
    let harbour = house.engine.state().location_named(&name("Harbour")).unwrap().id;
    house.used("Till", Place::Location(harbour));
    let mut console = house.console((120, 34));
    console.press("2").sees("Harbour").press("j D").sees("Remove location").sees("1 key stops at once");
    console.sees("1 in use now, 1 used within a day").sees("In use now  1 of 1: Till from 10.1.4.20");
    console.advance(Duration::from_millis(200)).sees("24 hours    1 request allowed, 0 refused");
    console.sees("Busiest     Till: 1 request, used just now from 10.1.4.20 by");
    console.type_text("Harbour").press("enter").sees("Harbour is removed");
    assert_eq!(house.key("Till").state(Timestamp(1_790_000_000_000)), KeyState::Active);
}

#[test]
fn who_uses_a_lost_key_or_an_old_half_is_told_and_its_name_is_typed() {
    for size in [(120, 40), (80, 24)] {
        let house = House::new();
        house.used("Widget", Place::Agency);
        let mut console = house.console(size);
        console.press("R ctrl-s").sees("Widget is rotated").press("c space enter").sees("and works");
        // The new half nobody used; to people both are one key.
        console.press("L").sees("Replace a lost key").sees("In use now  just now from 10.1.4.20");
        console.sees_no("Never used").sees("Type its name to confirm: Widget");
        console.press("tab enter").sees("exactly as it stands there").press("esc");
        let active = || house.engine.state().keys().filter(|key| key.name.as_str() == "Widget").count();
        assert_eq!(active(), 2);
        console.press("F").sees("End the old half").sees("In use now  just now from 10.1.4.20");
        console.advance(Duration::from_millis(200)).sees("24 hours    1 request allowed, 0 refused");
        console.press("tab enter").sees("exactly as it stands there");
        console.type_text("Widget").press("enter").sees("the old half of Widget is revoked");
        // Nobody uses what is left.
        console
            .press("L")
            .sees("Replace a lost key")
            .sees("Nobody has used this half")
            .sees_no("Type its name");
    }
}

#[test]
fn fewer_scopes_that_somebody_needs_are_enforced_with_the_name_of_the_key_and_not_by_one_key_press() {
    let house = House::new();
    let token = house.used("Nightly export", Place::Agency);
    let key = house.key("Nightly export").id;
    house.run(Command::BeginReportOnly { key, scopes: vec!["calendars.read".into()], days: 14 });
    let wanted = ["contacts.read".parse().unwrap()];
    assert!(house.engine.verify_from(token.as_bytes(), &wanted, Origin::default()).is_allow());
    house.engine.settle().unwrap();
    let mut console = house.console((120, 34));
    // What comes first takes nothing away.
    console.press("_").sees("Enforce it: take contacts.read away").press("enter").sees("with fewer scopes");
    console.press("esc _ down down enter").sees("Enforce fewer scopes").sees("It loses contacts.read.");
    console.sees("In use now  just now").sees("Would stop  contacts.read, used just now");
    console.advance(Duration::from_millis(200)).sees("So far      1 request would have been refused");
    console.press("tab enter").sees("exactly as it stands there");
    assert_eq!(house.key("Nightly export").scopes.len(), 2);
    console.type_text("Nightly export").press("enter").sees("has lost the scopes");
    assert_eq!(house.key("Nightly export").scopes.to_string(), "calendars.read");
}

#[test]
fn what_is_done_to_an_app_after_its_pause_is_the_last_deed() {
    let house = House::new();
    let app = house.bot();
    let mut console = house.console((120, 34));
    console.press("3 P tab enter").sees("Bot is paused; u resumes it");
    console.press("e").sees("Edit Bot").type_text(" 2").press("ctrl-s").sees("Bot 2 is changed");
    console.press("u").sees_no("active again");
    let state = house.engine.state();
    assert!(!matches!(state.app(app).unwrap().status, AppStatus::Active));
}
