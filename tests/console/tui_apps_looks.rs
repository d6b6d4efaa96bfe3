//! What the apps tab looks like, read as a person reads it: the table, an app, the wizard step by step, nothing yet,
//! and all of it in a small window. `INSTA_UPDATE=always` writes the pictures anew; they are reviewed like code.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::sync::Arc;

use keydeck::crypto::CryptoError;
use keydeck::crypto::random::Entropy;
use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{
    App, Command, Expiry, Name, NewApp, NewKey, Note, Place, Profile, SourceApp, Timestamp, Url, UserType,
};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Open, in_memory};
use keydeck::engine::{Engine as _, Via};
use keydeck::tui::app::testing::{Console, desk_on};
use keydeck::tui::screens::Screen;
use keydeck::tui::screens::agency_keys::AgencyKeys;
use keydeck::tui::screens::apps::Apps;
use keydeck::tui::screens::location_keys::LocationKeys;
use keydeck::tui::testing::FakeClipboard;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

/// The same "random" bytes in every run, so that ids are; no secret is ever in a picture.
struct Counting(u64);

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

/// An agency without apps.
fn empty() -> Open {
    let clock = Arc::new(TestClock::at(NOW));
    in_memory(name("Acme"), name("maria"), clock, Via::Console, Box::new(Counting(1))).unwrap()
}

fn run(open: &Open, command: Command) {
    open.engine.execute(&open.session, command).unwrap();
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
    run(open, Command::CreateApp(NewApp { name: name(called), profile, method, scopes }));
    app(open, called)
}

fn issue(open: &Open, called: &str, app: &App, days: i64) {
    let expiry = Some(Expiry::At(Timestamp(NOW.0 + days * DAY_MS)));
    let (place, scopes, note) = (Place::App(app.id), vec!["contacts.read".into()], Note::new("").unwrap());
    run(open, Command::IssueKey(NewKey { name: name(called), place, scopes, expiry, note }));
}

/// An agency with a few apps in different states.
fn some() -> Open {
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

/// The console on its apps after these keys, and a picture of it at each size.
#[track_caller]
fn looks(scene: &str, open: Open, sizes: &[(u16, u16)], act: impl FnOnce(&mut Console)) {
    let screens: Vec<Box<dyn Screen>> =
        vec![Box::new(AgencyKeys::new()), Box::new(LocationKeys::new()), Box::new(Apps::new())];
    let mut console = desk_on(open, screens, sizes[0], &FakeClipboard::default());
    console.press("3");
    act(&mut console);
    for (width, height) in sizes {
        console.resize(*width, *height);
        let screen = console.screen();
        assert!(screen.lines().all(|line| line.chars().count() <= usize::from(*width)));
        insta::assert_snapshot!(format!("{scene}_{width}x{height}"), screen);
    }
}

const ALL: [(u16, u16); 3] = [(120, 34), (80, 24), (60, 16)];

fn details(console: &mut Console) {
    console
        .press("n")
        .type_text("Booking bot")
        .press("tab")
        .type_text("https://bot.acme.example")
        .press("tab");
    console.type_text("answers guests").press("tab space tab tab down down down tab");
    console.type_text("https://bot.acme.example/in");
}

#[test]
fn nothing_yet() {
    looks("nothing_yet", empty(), &ALL, |_| {});
}

#[test]
fn the_table() {
    looks("table", some(), &ALL, |_| {});
}

#[test]
fn one_app() {
    looks("one_app", some(), &ALL, |console| {
        console.press("enter");
    });
}

#[test]
fn a_paused_app() {
    looks("paused_app", some(), &ALL[..2], |console| {
        console.press("G enter");
    });
}

#[test]
fn the_keys_of_an_app() {
    looks("keys_of_an_app", some(), &ALL, |console| {
        console.press("l");
    });
}

#[test]
fn step_1_empty_and_with_what_is_missing_said() {
    looks("step_1_empty", empty(), &ALL, |console| {
        console.press("n");
    });
    looks("step_1_missing", empty(), &ALL[1..2], |console| {
        console.press("n ctrl-s");
    });
}

#[test]
fn step_1_filled_in() {
    looks("step_1", empty(), &ALL, details);
}

#[test]
fn step_2_scopes() {
    looks("step_2", empty(), &ALL, |console| {
        details(console);
        console.press("ctrl-s / ").type_text("contacts").press("enter down space");
    });
}

#[test]
fn step_3_the_secret_and_the_key() {
    looks("step_3_secret", empty(), &ALL, |console| {
        details(console);
        console.press("ctrl-s /").type_text("contacts.read").press("enter space ctrl-s").sees("is created");
    });
    looks("step_3_key", empty(), &ALL, |console| {
        details(console);
        console.press("ctrl-s /").type_text("contacts.read").press("enter space ctrl-s space enter");
    });
    looks("step_3_tokens", empty(), &ALL[..2], |console| {
        details(console);
        console.press("ctrl-s down /").type_text("contacts.read").press("enter space ctrl-s");
        console.sees("is created");
    });
}

#[test]
fn how_to_call() {
    looks("how_to", some(), &ALL, |console| {
        console.press("H");
    });
}
