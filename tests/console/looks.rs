//! Pictures of the console, read as a person reads it: an agency whose ids and times are the same in every run, and what it
//! looks like at each size. `INSTA_UPDATE=always` writes the pictures anew; they are reviewed like code.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::sync::Arc;
use std::time::Duration;

use keydeck::crypto::CryptoError;
use keydeck::crypto::random::Entropy;
use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::command::NoticeRef;
use keydeck::domain::lifecycle::NoticeKind;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{
    App, Command, Counted, Event, Expiry, KeyId, LocationId, Name, NewApp, NewKey, Note, Place, Profile,
    Role, Rotation, SourceApp, Timestamp, Url, UserType,
};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Open, in_memory};
use keydeck::engine::{Engine as _, Origin, Sweeping, Via};
use keydeck::tui::action::Tab;
use keydeck::tui::app::testing::{Console, desk_on};
use keydeck::tui::screens::settings::{Facts, Settings};
use keydeck::tui::screens::{Tabbed, behind};
use keydeck::tui::testing::FakeClipboard;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

/// The same "random" bytes in every run, so that ids are; no secret is ever in a picture.
pub struct Counting(pub u64);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), CryptoError> {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[0];
        }
        Ok(())
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// An agency without anything.
pub fn empty() -> Open {
    empty_at(&TestClock::at(NOW))
}

fn empty_at(clock: &TestClock) -> Open {
    let clock = Arc::new(clock.clone());
    in_memory(name("Acme"), name("maria"), clock, Via::Console, Box::new(Counting(1))).unwrap()
}

/// A new key that lives so many days, and its token.
fn key(open: &Open, called: &str, days: Option<i64>) -> (KeyId, String) {
    let now = open.engine.now().time;
    let expiry = Some(days.map_or(Expiry::Never, |days| Expiry::At(Timestamp(now.0 + days * DAY_MS))));
    let (place, scopes, note) = (Place::Agency, vec!["contacts.read".into()], Note::new("").unwrap());
    let new = NewKey { name: name(called), place, scopes, expiry, note, decoy: false };
    let token = open.engine.execute(&open.session, Command::IssueKey(new)).unwrap().token.unwrap();
    (KeyId(token.id()), token.reveal().to_owned())
}

/// A request from the address that ends so, by that program.
fn used(open: &Open, token: &str, (last, program): (u8, &[u8])) {
    let origin = Origin { address: Some([10, 1, 4, last].into()), agent: Some(program) };
    assert!(open.engine.verify_from(token.as_bytes(), &[], origin).is_allow());
}

/// An agency in which keys were rotated: one that is called with both of its secrets, one whose new secret nobody has yet, and
/// one whose old half has ended.
pub fn rotated() -> Open {
    let clock = TestClock::at(Timestamp(NOW.0 - 40 * DAY_MS));
    let open = empty_at(&clock);
    let rotate = |key: KeyId, grace: &str, counted| {
        let rotation = Rotation { id: None, grace: grace.parse().unwrap(), counted, expiry: None };
        let done = open.engine.execute(&open.session, Command::RotateKey { key, rotation }).unwrap();
        done.token.unwrap().reveal().to_owned()
    };
    let (both, old) = key(&open, "Booking widget", None);
    let (waits, unused) = key(&open, "Nightly export", Some(90));
    let (over, _) = key(&open, "Web shop", None);
    used(&open, &unused, (20, b"curl/8.5"));
    rotate(over, "24h", Counted::FromNow);
    clock.pass(36 * DAY_MS);
    let new = rotate(both, "7d", Counted::FromNow);
    rotate(waits, "24h", Counted::FromFirstUse);
    for hours in [4, 40, 52] {
        clock.pass(hours * DAY_MS / 24 - 120_000);
        used(&open, &old, (7, b"kiosk/2.1"));
        clock.pass(120_000);
        used(&open, &new, (9, b"kiosk/3.0"));
    }
    open.engine.sweep(&open.session, Sweeping::Do).unwrap();
    open
}

/// An agency in which time has passed: keys go for want of use, some of them held back, others end or have ended, and a
/// notice was put away.
pub fn noticed() -> Open {
    let clock = TestClock::at(Timestamp(NOW.0 - 120 * DAY_MS));
    let open = empty_at(&clock);
    let key = |called: &str, days: Option<i64>| key(&open, called, days);
    let used = |token: &str| used(&open, token, (20, b"curl/8.5"));
    let pass = |days: i64| {
        clock.pass(days * DAY_MS);
        open.engine.sweep(&open.session, Sweeping::Do).unwrap();
    };
    for n in 1..=7 {
        key(&format!("Till {n} of the old shop"), None);
    }
    pass(37);
    let (_, relay) = key("Webhook relay", None);
    used(&relay);
    // The days of the shop's notices, then of those of the relay.
    pass(38);
    pass(8);
    let (forms, _) = key("Lead forms, renewed each quarter", Some(40));
    let (_, sync) = key("Legacy CRM sync", Some(41));
    key("Migration of last year", Some(35));
    pass(6);
    pass(11);
    pass(12);
    pass(8);
    used(&sync);
    open.engine.settle().unwrap();
    let since = open.engine.state().key(forms).unwrap().expiry.instant().unwrap();
    let notice = NoticeRef { key: forms, kind: NoticeKind::Ends, since: Timestamp(since.0 - 7 * DAY_MS) };
    run(&open, Command::AckNotice(notice));
    open
}

fn run(open: &Open, command: Command) -> Vec<Event> {
    open.engine.execute(&open.session, command).unwrap().events
}

fn app(open: &Open, called: &str) -> App {
    open.engine.state().apps().find(|app| app.name.as_str() == called).unwrap().clone()
}

fn create(open: &Open, called: &str, method: AuthMethod, source: SourceApp, user_type: UserType) -> App {
    let profile = Profile {
        uri: Url::new("https://bot.acme.example").unwrap(),
        description: Note::new("answers guests at night; run by the web team").unwrap(),
        user_type,
        source,
        post_login: vec![Url::new("https://bot.acme.example/in").unwrap()],
        post_logout: vec![Url::new("https://bot.acme.example/out").unwrap()],
    };
    let scopes = vec!["contacts.read".into(), "calendars.read".into(), "appointments.read".into()];
    run(
        open,
        Command::CreateApp(NewApp {
            name: name(called),
            profile,
            method,
            scopes,
            terms: keydeck::domain::Terms::default(),
        }),
    );
    app(open, called)
}

fn issue(open: &Open, called: &str, app: &App, days: i64) {
    let expiry = Some(Expiry::At(Timestamp(NOW.0 + days * DAY_MS)));
    let (place, scopes, note) = (Place::App(app.id), vec!["contacts.read".into()], Note::new("").unwrap());
    run(open, Command::IssueKey(NewKey { name: name(called), place, scopes, expiry, note, decoy: false }));
}

/// An agency with a few apps in different states.
pub fn some() -> Open {
    let open = empty();
    let bot = create(&open, "Booking bot", AuthMethod::ApiKey, SourceApp::Bot, UserType::Guest);
    issue(&open, "Booking bot", &bot, 300);
    issue(&open, "Booking bot, night shift", &bot, 5);
    create(&open, "Guest app", AuthMethod::Jwt, SourceApp::ExternalCma, UserType::Both);
    let kiosk = create(
        &open,
        "Self check-in kiosk of the Harbour Street branch",
        AuthMethod::ApiKey,
        SourceApp::ClientApp,
        UserType::Employee,
    );
    issue(&open, "Kiosk", &kiosk, 90);
    run(&open, Command::PauseApp(kiosk.id));
    open
}

/// The same with operators, locations and keys in every state.
pub fn whole() -> Open {
    let open = some();
    for (called, role) in [("jonas", Role::Admin), ("priya", Role::Manager), ("sam", Role::Viewer)] {
        run(&open, Command::AddOperator { name: name(called), role });
    }
    let places = ["Amsterdam Jordaan", "Barcelona Gràcia", "Zürich Seefeld, the branch behind the station"];
    let added = run(&open, Command::AddLocations(places.map(name).to_vec()));
    let places: Vec<LocationId> = added
        .iter()
        .filter_map(|event| if let Event::LocationAdded(place) = event { Some(place.id) } else { None })
        .collect();
    let key = |called: &str, place, days: Option<i64>, note: &str| {
        let expiry = Some(days.map_or(Expiry::Never, |days| Expiry::At(Timestamp(NOW.0 + days * DAY_MS))));
        let scopes = vec!["contacts.read".into(), "calendars.read".into()];
        let note = Note::new(note).unwrap();
        let made = run(
            &open,
            Command::IssueKey(NewKey { name: name(called), place, scopes, expiry, note, decoy: false }),
        );
        made.iter()
            .find_map(|event| if let Event::KeyIssued(key) = event { Some(key.id) } else { None })
            .unwrap()
    };
    key("Nightly export", Place::Agency, None, "warehouse load at 02:00");
    key("Lead forms", Place::Agency, Some(3), "website forms, renewed each quarter");
    let ended: [KeyId; 3] = ["Chatbot pilot", "Reporting (old)", "Test key, please ignore"]
        .map(|called| key(called, Place::Agency, Some(200), "leaked in a ticket"));
    run(&open, Command::PauseKey(ended[0], None));
    run(&open, Command::revoke(ended[1]));
    run(&open, Command::DeleteKey(ended[2]));
    for (called, place) in ["Front desk", "Web shop"].into_iter().zip(&places) {
        key(called, Place::Location(*place), Some(90), "");
    }
    key("Booking widget", Place::Location(places[0]), Some(6), "");
    open
}

/// All screens there are, on a machine that is always the same.
fn screens() -> Vec<Tabbed> {
    let facts = Facts { terminal: "test terminal".into(), clipboard: "test clipboard".into() };
    vec![
        behind(Tab::Agency),
        behind(Tab::Locations),
        behind(Tab::Apps),
        behind(Tab::Notices),
        behind(Tab::Review),
        behind(Tab::Audit),
        (Tab::Settings, Box::new(Settings::new(facts))),
    ]
}

/// Does something in the console, and compares a picture of it at each size.
#[track_caller]
pub fn looks(scene: &str, open: Open, sizes: &[(u16, u16)], act: impl FnOnce(&mut Console)) {
    let mut console = desk_on(open, screens(), sizes[0], &FakeClipboard::default());
    act(&mut console);
    // What is read beside the drawing is there.
    console.advance(Duration::from_millis(500));
    for (width, height) in sizes {
        console.resize(*width, *height);
        let screen = console.screen();
        assert!(screen.lines().all(|line| line.chars().count() <= usize::from(*width)));
        insta::assert_snapshot!(format!("{scene}_{width}x{height}"), screen);
    }
}

/// A wide window, an ordinary one, a small one.
pub const ALL: [(u16, u16); 3] = [(120, 34), (80, 24), (60, 16)];
