//! Every way out of every form that is given a secret, and of every showing of one.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::domain::catalog::AuthMethod;
use crate::domain::{
    Command, Expiry, KeyState, NewApp, NewKey, Note, Place, Profile, SourceApp, Url, UserType,
};
use crate::engine::open;
use crate::serve::door::Entrance;
use crate::tui::app::testing::stores::{self, PHRASE, founded, name, options};
use crate::tui::app::testing::{self, Console};
use crate::tui::program::Msg;
use crate::tui::screens;
use crate::tui::testing::FakeClipboard;

const IDLE: Duration = Duration::from_secs(15 * 60);

/// A store in a directory with one app.
fn store(dir: &Path) -> open::Open {
    let open = founded(dir);
    let profile = Profile {
        uri: Url::new("https://bot.example").unwrap(),
        description: Note::default(),
        user_type: UserType::Guest,
        source: SourceApp::Bot,
        post_login: Vec::new(),
        post_logout: Vec::new(),
    };
    let app = NewApp {
        name: name("Bot"),
        profile,
        method: AuthMethod::ApiKey,
        scopes: vec!["contacts.read".into()],
        terms: crate::domain::Terms::default(),
    };
    open.engine.execute(&open.session, Command::CreateApp(app)).unwrap();
    open
}

/// A desk on such a store, and the store.
fn desk() -> (TempDir, Console, Entrance) {
    let dir = tempfile::tempdir().unwrap();
    let open = store(dir.path());
    let kept = open::Open { engine: open.engine.clone(), session: open.session.clone(), notices: Vec::new() };
    let console = testing::desk_on(open, screens::all(), (120, 40), &FakeClipboard::default());
    (dir, console, kept.into())
}

/// A console that signed in at the door of such a store, so that it can be locked.
fn signed_in(dir: &Path) -> Console {
    drop(store(dir));
    stores::signed_in(dir, (120, 40))
}

fn fill_key(console: &mut Console) {
    console.press("1 n").type_text("Nightly export").press("tab tab tab tab tab /");
    console.type_text("contacts.read").press("enter space");
}

fn state_of(house: &Entrance, called: &str) -> KeyState {
    let now = house.engine.now().time;
    let state = house.engine.state();
    state.keys().find(|key| key.name.as_str() == called).unwrap().state(now)
}

/// A form that is given a secret: its name, how it is filled in, what sends it off, and what shows the secret.
type Form = (&'static str, fn(&mut Console), &'static str, &'static str);

const FORMS: [Form; 5] = [
    ("create-key", fill_key, "ctrl-s", "Nightly export is issued"),
    ("create-key", |console| _ = console.press("3 i").sees("New key"), "ctrl-s", "Bot is issued"),
    (
        "app-form",
        |console| {
            console.press("3 n").type_text("Kiosk").press("tab").type_text("https://kiosk.example");
            console.press("tab tab space ctrl-s /").type_text("contacts.read").press("enter space");
        },
        "ctrl-s",
        "Kiosk is created",
    ),
    (
        "confirm",
        |console| _ = console.press("3 N").sees("New secret for an app").press("tab"),
        "enter",
        "Bot has a new secret",
    ),
    (
        "confirm",
        |console| {
            console.press("7").advance(Duration::from_millis(50)).press("esc g j j enter C right");
        },
        "enter",
        "New recovery code",
    ),
];

#[test]
fn no_form_closes_while_the_secret_it_asked_for_is_on_its_way() {
    for (form, fill, submit, shown) in FORMS {
        let (_dir, mut console, _house) = desk();
        fill(&mut console);
        console.stall().press(submit);
        let open = |console: &Console| console.program().desk().unwrap().overlays();
        // At once, and when the spinner shows.
        for wait in [0, 149, 2_000] {
            console.advance(Duration::from_millis(wait));
            console.press("esc esc").sees("the new secret is shown once").press("enter ctrl-s tab q");
            console.press("ctrl-z ctrl-q");
            if console.screen().contains("‹ Cancel ›") {
                console.click_on("‹ Cancel ›").click_on("‹ Cancel ›");
            }
            assert_eq!(open(&console), [form], "{}", console.screen());
        }
        console.press("ctrl-c").sees("A new secret is on its way").press("esc");
        assert_eq!((open(&console), console.has_quit(), console.suspensions), (vec![form], false, 0));
        console.go_on().sees(shown).sees("kd");
        console.press("ctrl-c").sees("[ Stay ]").press("enter").sees(shown);
        assert!(console.program().custody().take_said().is_empty());
    }
}

#[test]
fn every_command_that_makes_a_secret_is_waited_for() {
    use crate::tui::app::ask::Job;
    let new = NewKey {
        name: name("Nightly export"),
        place: Place::Agency,
        scopes: Vec::new(),
        expiry: Some(Expiry::Never),
        note: Note::default(),
        decoy: false,
    };
    let job = |command| Job::Run { command, said: String::new() };
    assert_eq!(job(Command::IssueKey(new.clone())).secret_of().unwrap(), "The key Nightly export");
    assert!(Job::RenewRecovery.secret_of().is_some());
    assert!(
        job(Command::ImportKey(new, None)).secret_of().is_none() && Job::CheckAudit.secret_of().is_none()
    );
}

#[test]
fn ctrl_c_on_the_screen_of_a_new_secret_asks_once_and_then_takes_the_key_back() {
    let (_dir, mut console, house) = desk();
    fill_key(&mut console);
    console.press("ctrl-s").sees("Nightly export is issued");
    console.press("ctrl-c").sees("Quit keydeck?").sees("never shown again").sees("the key is revoked");
    assert_eq!((console.has_quit(), state_of(&house, "Nightly export")), (false, KeyState::Active));
    console.press("ctrl-c");
    assert_eq!((console.has_quit(), state_of(&house, "Nightly export")), (true, KeyState::Revoked));
    let said = console.program().custody().wait(Duration::ZERO);
    assert_eq!(said, ["Nightly export was issued and is revoked again: nobody saw or copied its token."]);
}

#[test]
fn a_token_nobody_saw_or_copied_cannot_be_ticked_as_stored() {
    for (_, fill, submit, shown) in FORMS {
        let (_dir, mut console, _house) = desk();
        fill(&mut console);
        console.press(submit).sees(shown);
        if shown == "New recovery code" {
            // It is read already.
            console.sees("kdrc_").press("space").sees("[✓] I stored it");
            continue;
        }
        console.sees("[ ] I stored it   once it is copied or shown").press("space");
        console.sees("you have neither seen nor copied it: c copies it, r shows it").sees("[ ] I stored it");
        console.press("enter").sees("tick \"I stored it\" first").sees(shown);
        console.click_on("I stored it").sees("neither seen nor copied").sees("[ ] I stored it");
        console.press("r").sees("[ ] I stored it   space ticks").press("space").sees("[✓] I stored it");
        console.press("enter").sees_no("I stored it");
    }
}

#[test]
fn esc_on_a_new_key_asks_and_then_revokes_it_whether_it_was_seen_or_not() {
    for key in ["r", "c"] {
        let (_dir, mut console, house) = desk();
        fill_key(&mut console);
        console.press("ctrl-s").press(key).press("esc").sees("Revoke it and leave?").sees("esc revokes it");
        // Any other key stays.
        console.press("c").sees("[ ] I stored it").sees_no("Revoke it and leave?");
        assert_eq!(state_of(&house, "Nightly export"), KeyState::Active);
        let wiped = console.wipes;
        console.press("esc esc").sees_no("I stored it").sees("is revoked again: nobody stored");
        assert_eq!((state_of(&house, "Nightly export"), console.wipes), (KeyState::Revoked, wiped + 1));
    }
    let (_dir, mut console, house) = desk();
    fill_key(&mut console);
    console.press("ctrl-s esc esc").sees("is revoked again: nobody saw");
    assert_eq!(state_of(&house, "Nightly export"), KeyState::Revoked);
}

#[test]
fn a_new_recovery_code_can_be_left_and_quitting_over_it_speaks_of_the_code_and_not_of_keys() {
    let (_, renew, submit, shown) = FORMS[4];
    let (_dir, mut console, _house) = desk();
    renew(&mut console);
    console.press(submit).sees(shown).press("ctrl-c").sees("Quit keydeck?").sees("this recovery code");
    console.sees("before it is void").sees_no("A key").sees_no("the app");
    console.press("esc").sees(shown).press("esc").sees("Leave without it?").sees("there would be none");
    console.press("esc").sees_no(shown).sees("The new recovery code was not stored");
}

#[test]
fn an_app_whose_new_secret_nobody_has_is_told_with_what_to_do() {
    let (_dir, mut console, _house) = desk();
    console.press("3 N").sees("New secret for an app").press("tab enter").sees("Bot has a new secret");
    console.press("ctrl-c").sees("another secret").press("ctrl-c");
    let said = console.program().custody().wait(Duration::ZERO).concat();
    for words in
        ["The new secret of Bot was not stored", "Nobody saw or copied it", "make another secret (N in"]
    {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_token_somebody_copied_goes_on_working_when_the_terminal_is_lost() {
    for key in ["c", "r", "p"] {
        let (_dir, mut console, house) = desk();
        fill_key(&mut console);
        console.press("ctrl-s").press(key).end();
        assert_eq!(state_of(&house, "Nightly export"), KeyState::Active);
        let said = console.program().custody().wait(Duration::ZERO);
        assert!(said.concat().contains("Nightly export works, but nobody said they stored"), "{said:?}");
    }
}

#[test]
fn a_signal_while_a_secret_is_on_its_way_takes_back_what_it_opens() {
    for (_, fill, submit, _) in FORMS {
        let (_dir, mut console, house) = desk();
        fill(&mut console);
        console.stall().press(submit).end().go_on();
        let now = house.engine.now().time;
        let live = house.engine.state().keys().filter(|key| key.state(now).is_live()).count();
        let said = console.program().custody().wait(Duration::ZERO);
        assert_eq!((live, said.len()), (0, 1), "{said:?}");
    }
}

#[test]
fn what_did_not_come_in_time_is_told_too() {
    let custody = super::Custody::default();
    let under_way = custody.begin("The key Nightly export".into());
    let said = custody.wait(Duration::ZERO);
    assert!(said.concat().starts_with("The key Nightly export was still being made"), "{said:?}");
    drop(under_way);
    assert!(custody.wait(Duration::ZERO).is_empty());
}

#[test]
fn a_console_that_locks_over_a_secret_nobody_saw_says_that_the_key_is_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = signed_in(dir.path());
    fill_key(&mut console);
    console.press("ctrl-s").sees("Nightly export is issued").advance(IDLE);
    console.sees("Locked, because").sees("Nightly export was issued and is revoked again");
    let mut console = signed_in_again(console);
    console.press("1").sees("revoked");
}

fn signed_in_again(mut console: Console) -> Console {
    console.type_text(PHRASE).press("enter").sees("maria · admin");
    console
}

#[test]
fn a_console_that_locks_while_a_key_is_being_issued_takes_it_back_when_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = signed_in(dir.path());
    fill_key(&mut console);
    // Stopped and continued: waiting for the idle time would turn the spinner nine thousand times.
    console.stall().press("ctrl-s").hear(Msg::Resumed).sees("Locked while");
    console.go_on().sees("is revoked again");
}

#[test]
fn ctrl_c_on_the_code_of_a_new_store_asks_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = testing::door(options(dir.path()), (80, 24), &FakeClipboard::default());
    console.type_text("Acme").press("tab").type_text("maria").press("tab").type_text(PHRASE).press("tab");
    console.type_text(PHRASE).stall().press("enter ctrl-c");
    assert!(!console.has_quit(), "the store is just being founded");
    console.go_on().sees("kdrc_").type_text("k").press("ctrl-c").sees("The same key again quits");
    assert!(!console.has_quit());
    console.press("ctrl-c");
    assert!(console.has_quit());
    let said = console.program().custody().wait(Duration::ZERO);
    assert!(said.concat().contains("make another in Settings"), "{said:?}");
}
