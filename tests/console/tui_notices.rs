//! The notices as a person uses them: what happens next stands first, each can be dealt with where it stands, and what was put
//! away comes back with its next step.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::sync::Arc;
use std::time::Duration;

use keydeck::crypto::random::OsEntropy;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{Command, Expiry, Key, KeyState, Name, NewKey, Note, Place, Role, Timestamp};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Open, in_memory};
use keydeck::engine::{LocalEngine, Origin, Session, Sweeping, Via};
use keydeck::tui::action::Tab;
use keydeck::tui::app::effect::Outcome;
use keydeck::tui::app::testing::{Console, desk_on};
use keydeck::tui::screens::all;
use keydeck::tui::testing::FakeClipboard;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

struct House {
    engine: Arc<LocalEngine>,
    session: Session,
    clock: TestClock,
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

impl House {
    fn new() -> Self {
        let clock = TestClock::at(NOW);
        let time = Arc::new(clock.clone());
        let open = in_memory(name("Acme"), name("maria"), time, Via::Console, Box::new(OsEntropy)).unwrap();
        Self { engine: open.engine, session: open.session, clock }
    }

    fn run(&self, command: Command) {
        self.engine.execute(&self.session, command).unwrap();
    }

    /// A new key, which ends in so many days; its token.
    fn issue(&self, called: &str, days: Option<i64>) -> String {
        let now = self.engine.now().time;
        let expiry = Some(days.map_or(Expiry::Never, |days| Expiry::At(Timestamp(now.0 + days * DAY_MS))));
        let scopes = vec!["contacts.read".into()];
        let new = NewKey {
            name: name(called),
            place: Place::Agency,
            scopes,
            expiry,
            note: Note::default(),
            decoy: false,
        };
        let done = self.engine.execute(&self.session, Command::IssueKey(new)).unwrap();
        done.token.unwrap().reveal().to_owned()
    }

    /// So many days pass, and then somebody sweeps.
    fn pass(&self, days: i64) {
        self.clock.pass(days * DAY_MS);
        self.engine.sweep(&self.session, Sweeping::Do).unwrap();
    }

    fn key(&self, called: &str) -> Key {
        self.engine.state().keys().find(|key| key.name.as_str() == called).unwrap().clone()
    }

    fn console(&self) -> Console {
        let open = Open { engine: self.engine.clone(), session: self.session.clone(), notices: Vec::new() };
        desk_on(open, all(), (120, 34), &FakeClipboard::default())
    }
}

/// A store in which one key goes for want of use and two end, and the console on its notices.
fn noticed() -> (House, Console) {
    let house = House::new();
    let token = house.issue("Webhook relay", None);
    let origin = Origin { address: Some("10.1.4.20".parse().unwrap()), agent: Some(b"curl/8.5") };
    assert!(house.engine.verify_from(token.as_bytes(), &[], origin).is_allow());
    house.pass(75);
    house.issue("Lead forms", Some(11));
    house.issue("Legacy CRM sync", Some(14));
    house.pass(8);
    let mut console = house.console();
    console.press("4");
    (house, console)
}

/// How many stand beside the name of the tab.
fn badge(console: &mut Console, count: &str) {
    console.sees(&format!("4 Notices{count}   5 Review"));
}

#[test]
fn what_happens_next_stands_first_with_what_follows_if_nobody_does_anything() {
    let (_, mut console) = noticed();
    badge(&mut console, " ●3");
    let screen = console.screen();
    let at = |text: &str| screen.lines().position(|line| line.contains(text)).unwrap();
    assert!(
        at("Lead forms") < at("Legacy CRM sync") && at("Legacy CRM sync") < at("Webhook relay"),
        "{screen}"
    );
    console.sees("in 3 d").sees("▲ expires").sees("nobody is cut off: never used");
    console.sees("◐ deleted, unused (2 of 3)").sees("dead for good");
    console.sees("Webhook relay is deleted in 7 days · 2 keys expire within 7 days");
    // Why, below: who used it last, when that was told, and what stops it.
    console.press("G").sees("Unused since 2026-09-21 14:13 from 10.1.4.20 by curl/8.5.");
    console.sees("Deleted on 2026-12-20 14:13, not before. A use stops that, and so does keeping it (K).");
    console
        .sees("K keep")
        .press("l pgdn")
        .sees("of its deletion 2026-12-05 (15 d before), 2026-12-13 (7 d before)");
}

#[test]
fn a_key_that_is_kept_or_protected_or_put_off_is_on_the_list_no_more() {
    let (house, mut console) = noticed();
    console.press("G K").sees("Webhook relay is kept").sees_no("deleted, unused");
    badge(&mut console, " ●2");
    assert_eq!(house.key("Webhook relay").counted_from, Some(house.engine.now().time));
    // Another end, right where the end stands.
    console.press("g e").sees("Edit Lead forms").sees("it ends 2026-12-16").type_text("90d");
    console.sees("87 d later than now").press("ctrl-s").sees("Lead forms ends 2027-03-13");
    badge(&mut console, " ●1");
    console.press("f").sees("Protect Legacy CRM sync").type_text("the old CRM lives on").press("ctrl-s");
    console.sees("is protected").press("enter").sees("Protected  ⚑ by maria just now: the old CRM");
    assert_eq!(house.key("Legacy CRM sync").protection.unwrap().why.as_str(), "the old CRM lives on");
}

#[test]
fn a_notice_put_away_is_out_of_sight_until_its_next_step() {
    let (house, mut console) = noticed();
    console.press("G d").sees("the notice of Webhook relay is not shown until its next step");
    // Who has seen it has not stopped it: the line below says that there is more than the list shows.
    console.press("backspace").sees_no("Webhook relay").sees("2 keys expire within 7 days · 1 put away");
    badge(&mut console, " ●2");
    console.press("/").type_text("is:seen").press("enter").sees("Webhook relay");
    console.sees("Seen by maria just now; not shown until its next step.").press("d").sees("already");
    console.press("esc").sees_no("Webhook relay");
    house.pass(6);
    console.news(Outcome::Changed).sees("deleted, unused (3 of 3)");
}

#[test]
fn a_key_that_is_kept_is_not_said_to_be_safe_from_its_end() {
    let (house, mut console) = noticed();
    console.press("g K").sees("Lead forms is kept, but still ends in 3 d: e puts that off");
    console.press("backspace").sees("▲ expires");
    badge(&mut console, " ●3");
    assert!(house.key("Lead forms").counted_from.is_some());
    console.press("1 a K").sees("2 of them have an end, which stands.");
}

#[test]
fn a_notice_put_off_comes_back_after_that_time() {
    let (house, mut console) = noticed();
    console.press("g z").sees("Show it again later").sees("1 week").press("enter");
    console.sees("the notice of Lead forms is shown again in 1 day").press("backspace").sees_no("Lead forms");
    badge(&mut console, " ●2");
    house.clock.pass(DAY_MS);
    console.news(Outcome::Changed).sees("Lead forms");
    badge(&mut console, " ●3");
}

#[test]
fn a_key_is_paused_revoked_and_gone_to_from_its_notice() {
    let (house, mut console) = noticed();
    console.press("g P").sees("Pause key").press("tab enter").sees("Lead forms is paused; u resumes it");
    console.press("u").sees("Lead forms is active again");
    console.press("X").type_text("Lead forms").press("enter").sees("Lead forms is revoked");
    assert_eq!(house.key("Lead forms").state(house.engine.now().time), KeyState::Revoked);
    badge(&mut console, " ●2");
    // What was queued about it is announced no more.
    house.pass(4);
    console.news(Outcome::Changed).press("backspace").sees_no("Lead forms");
    console.press("g enter").sees("Agency keys 3").sees("Legacy CRM sync").sees("✗ revoked");
    assert_eq!(console.program().desk().unwrap().tab(), Some(Tab::Agency));
    // What one came from is one step back, whatever lies open there.
    console.press("l esc").sees("What happens");
    assert_eq!(console.program().desk().unwrap().tab(), Some(Tab::Notices));
    // But not from what one looks for there oneself.
    console.press("g enter / esc esc");
    assert_eq!(console.program().desk().unwrap().tab(), Some(Tab::Agency));
}

#[test]
fn who_knocks_at_a_paused_key_is_told_at_its_notice_while_it_stays_selected() {
    let house = House::new();
    let token = house.issue("Lead forms", Some(3));
    house.pass(1);
    let open = Open { engine: house.engine.clone(), session: house.session.clone(), notices: Vec::new() };
    let mut console = desk_on(open, all(), (120, 60), &FakeClipboard::default());
    console.press("4 g P tab enter").sees("Lead forms is paused");
    console.advance(Duration::from_millis(500)).sees("nobody since it was paused");
    let origin = Origin { address: Some([10, 2, 0, 7].into()), agent: Some(b"kiosk/2.1") };
    assert!(!house.engine.verify_from(token.as_bytes(), &[], origin).is_allow());
    house.clock.pass(61_000);
    house.engine.settle().unwrap();
    console.news(Outcome::Changed).advance(Duration::from_millis(500));
    console.sees_no("nobody since it was paused").sees("10.2.0.7 by kiosk/2.1");
}

#[test]
fn many_deletions_at_once_wait_until_somebody_types_how_many_they_are() {
    let house = House::new();
    for n in 1..=7 {
        house.issue(&format!("Till {n}"), None);
    }
    for days in [75, 8, 6, 1] {
        house.pass(days);
    }
    let mut console = house.console();
    console.press("!").sees("◇ 7 deletions wait for you").sees("nothing is deleted");
    console.sees("waiting").sees("▲ 7 deletions wait for a word").sees_no("deleted by the next sweep");
    badge(&mut console, " ●1");
    console.press("g K").sees("that is not about one key; Enter opens it");
    // Their day is over, and none of them is said to go in a number of days that is none.
    console
        .press("1")
        .sees("◐ deletion due")
        .sees_no("gone in")
        .sees("they are deleted when an admin")
        .press("4");
    console
        .press("enter")
        .sees("Let 7 deletions go")
        .type_text("6")
        .press("enter")
        .sees("exactly as it stands");
    console.press("ctrl-u").type_text("7").press("enter").sees("7 deletions go with the next sweep");
    house.pass(0);
    console.news(Outcome::Changed).press("backspace").sees("× was deleted, unused").sees("purged in 30 d");
    badge(&mut console, " ●7");
    // A deleted one is led to as well.
    console
        .press("g enter")
        .sees("/ state:deleted")
        .sees("× deleted")
        .press("esc")
        .sees("was deleted, unused");
    console.press("1").sees_no("/ state:deleted");
}

#[test]
fn a_key_that_is_protected_from_being_deleted_for_being_idle_is_not_called_idle() {
    let house = House::new();
    house.issue("Emergency access", None);
    let why = Note::new("for the day the portal is down").unwrap();
    house.run(Command::ProtectKey { key: house.key("Emergency access").id, why });
    house.pass(300);
    let mut console = house.console();
    console.sees("Emergency access").sees("● active").sees_no("idle 300 d");
    console.press("/").type_text("state:due").sees("No key matches");
}

#[test]
fn what_is_wrong_stands_first_and_says_what_to_do() {
    let (house, mut console) = noticed();
    house.clock.set(Timestamp(NOW.0 + 4_000 * DAY_MS));
    console.news(Outcome::Changed).press("g").sees("✗ this machine's clock is in doubt");
    console.sees("nothing is deleted, and nobody is told").sees("Set the clock right, or say in Settings");
    console.press("d").sees("that stays until it is over").press("enter");
    assert_eq!(console.program().desk().unwrap().tab(), Some(Tab::Settings));
}

#[test]
fn an_empty_board_says_so_in_words_and_calls_nobody() {
    let mut console = House::new().console();
    console
        .press("4")
        .sees("Nothing is due: no key ends soon or goes unused for long, and nothing is wrong.");
    badge(&mut console, "");
    console.press("d").sees("there is no notice here").press("K").sees("there is no notice here");
}

#[test]
fn a_viewer_reads_the_notices_and_is_told_why_nothing_can_be_done() {
    let (house, _) = noticed();
    let maria = house.session.actor().operator;
    house.run(Command::AddOperator { name: name("jonas"), role: Role::Admin });
    house.run(Command::SetRole { operator: maria, role: Role::Viewer, basis: None });
    let mut console = house.console();
    console.press("4").sees("Lead forms");
    for key in ["K", "d", "z", "e", "f", "P"] {
        console.press(key).sees("this needs the role manager, and you are viewer").press("backspace");
    }
}

#[test]
fn of_a_key_that_was_used_and_deleted_later_it_is_not_said_that_nobody_had_used_it() {
    let (house, _) = noticed();
    for days in [6, 1] {
        house.pass(days);
    }
    let mut console = house.console();
    console
        .press("4 G")
        .sees("was deleted, unused")
        .sees("Unused since 2026-09-21 14:13 from 10.1.4.20 by curl/8.5.");
}

#[test]
fn who_puts_an_end_off_in_the_console_is_told_that_the_key_is_deleted_all_the_same() {
    let house = House::new();
    house.issue("Short", Some(80));
    house.pass(75);
    let mut console = house.console();
    console.press("4").sees("▲ expires").sees_no("deleted, unused").sees_no("is deleted in");
    console.press("e").sees("Edit Short").type_text("1y").press("ctrl-s");
    console.sees("; unused, it is deleted").sees("deleted, unused (1 of 3)");
}
