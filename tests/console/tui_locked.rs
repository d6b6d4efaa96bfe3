//! What a person was filling in when the console locked is there again when they are back; for nobody else.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::sync::Arc;
use std::time::Duration;

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{Command, Expiry, Key, KeyId, Name, NewKey, Note, Place, Role, Timestamp};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{self as way, Open, Options, found, open};
use keydeck::engine::{Brought, Done, Engine as _, Via};
use keydeck::tui::action::Tab;
use keydeck::tui::app::testing::{Console, desk, door};
use keydeck::tui::screens::behind;
use keydeck::tui::testing::FakeClipboard;

const START: Timestamp = Timestamp(1_790_000_000_000);
const IDLE: Duration = Duration::from_secs(15 * 60);

fn phrase(who: &str) -> String {
    format!("the long passphrase of {who}")
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A store in a directory, with maria and jonas as its admins.
struct House {
    dir: tempfile::TempDir,
    clock: Arc<TestClock>,
}

impl House {
    fn new() -> Self {
        let house = Self { dir: tempfile::tempdir().unwrap(), clock: Arc::new(TestClock::at(START)) };
        let secret = Passphrase::choose(&phrase("maria")).unwrap();
        let open = found(&house.options(), name("Acme"), name("maria"), &secret).unwrap().open;
        let secret = Passphrase::choose(&phrase("jonas")).unwrap();
        let secret = Brought::Passphrase(&secret);
        open.engine
            .act(&open.session, Command::AddOperator { name: name("jonas"), role: Role::Admin }, secret)
            .unwrap();
        house
    }

    fn options(&self) -> Options {
        Options {
            clock: Arc::clone(&self.clock) as Arc<_>,
            // The cheapest that is accepted: these tests open stores by the dozen.
            cost: Cost::IMPORTED,
            ..Options::new(self.dir.path(), "test", Via::Console)
        }
    }

    /// The store, opened without a console while none has it.
    fn open(&self, who: &str) -> Open {
        let passphrase = Passphrase::present(&phrase(who)).unwrap();
        open(&self.options(), &way::Key::Operator { name: who, passphrase: &passphrase }).unwrap()
    }

    fn run(&self, who: &str, command: Command) -> Done {
        let open = self.open(who);
        open.engine.execute(&open.session, command).unwrap()
    }

    fn issue(&self, who: &str, called: &str) -> KeyId {
        let scopes = vec!["contacts.read".into()];
        let note = Note::new("").unwrap();
        let new = NewKey {
            name: name(called),
            place: Place::Agency,
            scopes,
            expiry: Some(Expiry::Never),
            note,
            decoy: false,
        };
        self.run(who, Command::IssueKey(new));
        self.key(called).id
    }

    fn key(&self, called: &str) -> Key {
        let open = self.open("maria");
        let state = open.engine.state();
        state.keys().find(|key| key.name.as_str() == called).unwrap().clone()
    }

    fn console(&self, who: &str) -> Console {
        let mut console = door(self.options(), (120, 40), &FakeClipboard::default());
        console.type_text(who).press("enter").type_text(&phrase(who)).press("enter");
        console.sees(&format!("{who} · admin"));
        console
    }
}

/// The same operator is back.
fn back(console: &mut Console, who: &str) {
    console.type_text(&phrase(who)).press("enter").sees("1 Agency");
}

/// Somebody else signs in where it says who was there.
fn instead(console: &mut Console, who: &str) {
    console.press("shift-tab ctrl-u").type_text(who).press("tab");
    back(console, who);
}

fn fill(console: &mut Console, called: &str) {
    console
        .press("n")
        .type_text(called)
        .press("tab tab tab")
        .type_text("on the build host")
        .press("tab tab /");
    console.type_text("contacts.read").press("enter space shift-tab shift-tab").sees("1 scope, risk read");
}

#[test]
fn a_new_key_half_filled_in_is_gone_on_with_after_the_console_locked_itself() {
    let house = House::new();
    let mut console = house.console("maria");
    fill(&mut console, "Nightly export");
    console.advance(IDLE).sees("Locked").sees("What you were filling in waits");
    console.sees_no("Nightly export").sees_no("build host");
    back(&mut console, "maria");
    console.sees("New key").sees("Nightly export").sees("1 scope, risk read");
    console.sees("as you left it; nothing of it is saved yet");
    // The keyboard is where it was: in the note.
    console.type_text(", cron").sees("on the build host, cron").press("ctrl-s");
    console.sees("Nightly export is issued").press("c space enter").press("ctrl-c");
    let key = house.key("Nightly export");
    assert_eq!(key.note.as_str(), "on the build host, cron");
    assert_eq!(key.scopes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["contacts.read"]);
}

#[test]
fn what_dates_from_before_is_reckoned_from_the_day_one_is_back() {
    let house = House::new();
    let mut console = house.console("maria");
    console.press("n").type_text("Nightly export").press("tab tab ctrl-u").type_text("90d");
    console.sees("until 2026-12-20").press("ctrl-x").sees("were filling in waits");
    house.clock.pass(10 * DAY_MS);
    back(&mut console, "maria");
    console.sees("Nightly export").sees("until 2026-12-30").sees_no("until 2026-12-20");
}

#[test]
fn the_wizard_for_an_app_comes_back_on_the_step_it_was_at() {
    let house = House::new();
    let mut console = house.console("maria");
    console.press("3 n").type_text("Booking bot").press("tab").type_text("https://bot.example");
    // Locked while typing, on the first step.
    console.press("ctrl-x").sees("were filling in waits").sees_no("Booking bot");
    back(&mut console, "maria");
    console.sees("1 Details").sees("Booking bot").type_text("/in").sees("https://bot.example/in");
    console.press("tab tab space ctrl-s").sees("Sends").press("down tab").type_text("guest");
    // On the second, in the background, with a list open above it.
    console.sees("─ Preset ─").press("ctrl-z").sees("were filling in waits");
    back(&mut console, "maria");
    console
        .sees("(*) Access tokens")
        .sees_no("─ Preset ─")
        .press("enter")
        .type_text("guest app")
        .press("enter");
    console.sees("14 scopes").press("esc esc").sees("https://bot.example/in").sees("[✓] guests");
    console.press("ctrl-s ctrl-s").sees("Booking bot is created");
}

#[test]
fn ticked_scopes_come_back_and_a_change_made_meanwhile_is_said() {
    let house = House::new();
    let key = house.issue("maria", "Nightly export");
    let mut console = house.console("maria");
    console
        .press("o")
        .sees("Scopes of Nightly export")
        .press("/")
        .type_text("calendars.read")
        .press("enter space");
    console.sees("+ calendars.read").advance(IDLE).sees("were filling in waits").sees_no("calendars.read");
    back(&mut console, "maria");
    console.sees("Scopes of Nightly export").sees("+ calendars.read").sees_no("meanwhile").press("ctrl-x");
    let scopes = vec!["contacts.read".into(), "contacts.write".into()];
    house.run("maria", Command::RescopeKey { key, scopes, basis: None });
    back(&mut console, "maria");
    console.sees("Changed meanwhile").sees("+ contacts.write").sees("yours: + calendars.read");
    console.press("enter").sees("+ calendars.read").press("ctrl-s").sees("are changed").press("ctrl-c");
    let scopes: Vec<_> = house.key("Nightly export").scopes.iter().map(ToString::to_string).collect();
    assert_eq!(scopes, ["calendars.read", "contacts.read", "contacts.write"]);
}

#[test]
fn nobody_else_sees_or_inherits_what_waits() {
    let house = House::new();
    let mut console = house.console("maria");
    fill(&mut console, "Nightly export");
    console.press("ctrl-x").sees("it is dropped when anybody else").sees_no("Nightly export");
    // A wrong passphrase changes nothing of it.
    console.type_text("not this one at all").press("enter").sees("no slot of this store opens with that");
    instead(&mut console, "jonas");
    console.sees("jonas · admin").sees_no("New key").sees_no("Nightly export").sees_no("as you left it");
    assert!(console.program().desk().unwrap().overlays().is_empty());
    // And it is not there for maria either any more: it was dropped, not hidden.
    console.press("ctrl-x").sees("Locked.").sees_no("filling in waits");
    instead(&mut console, "maria");
    console.sees("maria · admin").sees_no("Nightly export");
}

#[test]
fn who_lost_the_right_meanwhile_gets_the_form_and_a_refusal() {
    let house = House::new();
    let mut console = house.console("maria");
    fill(&mut console, "Nightly export");
    console.press("ctrl-x").sees("were filling in waits");
    let maria = house.open("jonas").engine.state().operator_named("maria").unwrap().id;
    house.run("jonas", Command::SetRole { operator: maria, role: Role::Viewer, basis: None });
    back(&mut console, "maria");
    console.sees("Nightly export").sees("and you are viewer").press("ctrl-s").sees("and you are viewer");
    console.sees_no("is issued").press("ctrl-c ctrl-c");
    assert_eq!(house.open("jonas").engine.state().key_count(), 0);
}

#[test]
fn a_form_about_somebody_elses_key_waits_until_the_whole_agency_is_seen_again() {
    let house = House::new();
    house.issue("jonas", "Nightly export");
    let mut console = house.console("maria");
    console.press("W").sees("Nightly export").press("o").sees("Scopes of").press("/");
    console.type_text("calendars.read").press("enter space").sees("+ calendars.read").advance(IDLE);
    back(&mut console, "maria");
    console.sees("own keys").sees("again (W)").sees_no("calendars.read");
    console.press("ctrl-x").sees("were filling in waits");
    back(&mut console, "maria");
    console.sees("again (W)").press("W").sees("Scopes of Nightly export").sees("+ calendars.read");
}

#[test]
fn secrets_do_not_wait() {
    let house = House::new();
    let mut console = house.console("maria");
    console.press("7").advance(Duration::from_millis(50)).press("esc g j enter").sees("maria (you)");
    console.press("n").type_text("carl").press("tab tab").type_text("a passphrase of carl");
    console.press("ctrl-x").sees("secrets do not wait").sees_no("filling in waits");
    back(&mut console, "maria");
    console.sees_no("carl").press("1");
    fill(&mut console, "Nightly export");
    console.press("ctrl-s").sees("Nightly export is issued").press("ctrl-x");
    console.sees("say first that you stored the secret").sees("I stored it");
    console.advance(IDLE).sees("The secret on the screen is gone").sees_no("kdag");
    back(&mut console, "maria");
    console.sees_no("I stored it").sees("Nightly export");
}

#[test]
fn the_demo_says_in_a_form_too_why_it_cannot_be_locked() {
    let mut console = desk(vec![behind(Tab::Agency)]);
    console.press("n").type_text("Nightly export").press("ctrl-x");
    console.sees("the demo has no passphrase to unlock it again").sees("Nightly export");
}
