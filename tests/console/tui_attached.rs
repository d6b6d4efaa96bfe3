//! A person's day at a console whose store another process has: they see so, with whom, and when it ends.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::sync::Arc;
use std::time::Duration;

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::{Command, Name, NewKey, Note, Place, Status};
use keydeck::engine::clock::SystemClock;
use keydeck::engine::open::{Open, Options, found};
use keydeck::engine::{Origin, Via};
use keydeck::serve::control::{Control, Settings};
use keydeck::tui::app::effect::Outcome;
use keydeck::tui::app::testing::{Console, door};
use keydeck::tui::testing::FakeClipboard;

const PHRASE: &str = "correct horse battery staple";

/// A store that this process serves to others.
struct Served {
    // Dropped in this order: the socket, the store, the directory.
    _control: Control,
    owner: Open,
    dir: tempfile::TempDir,
}

impl Served {
    fn of(agency: &str, command: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (agency, operator) = (Name::new(agency).unwrap(), Name::new("maria").unwrap());
        let passphrase = Passphrase::choose(PHRASE).unwrap();
        let owner = found(&options(dir.path()), agency, operator, &passphrase).unwrap().open;
        let settings = Settings { socket: None, command: command.into() };
        let control = Control::start(Arc::clone(&owner.engine), &settings).unwrap();
        Self { _control: control, owner, dir }
    }

    /// Maria signs in beside it.
    fn console(&self, width: u16, height: u16) -> Console {
        let mut console = door(options(self.dir.path()), (width, height), &FakeClipboard::default());
        console.type_text("maria").press("enter").type_text(PHRASE).press("enter").sees("1 Agency");
        console
    }
}

fn options(dir: &std::path::Path) -> Options {
    Options {
        clock: Arc::new(SystemClock),
        // The cheapest that is accepted: nothing here depends on it.
        cost: Cost::IMPORTED,
        ..Options::new(dir, "keydeck", Via::Console)
    }
}

fn title(console: &Console) -> String {
    console.screen().lines().next().unwrap_or_default().trim().to_owned()
}

#[test]
fn who_knocks_at_the_process_that_has_the_store_is_seen_as_it_happens() {
    let served = Served::of("Acme", "keydeck serve");
    let new = NewKey {
        name: Name::new("Booking widget").unwrap(),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: None,
        note: Note::default(),
        decoy: false,
    };
    let issued = served.owner.engine.execute(&served.owner.session, Command::IssueKey(new)).unwrap();
    let token = issued.token.unwrap();
    let mut console = served.console(120, 34);
    console.press("1 w").sees("Who knocks: Booking widget").advance(Duration::from_millis(300));
    console.sees("Nobody has knocked").sees_no("run keydeck serve first");
    let origin = Origin { address: Some([10, 2, 0, 7].into()), agent: Some(b"kiosk/2.1") };
    let wanted = ["contacts.write".parse().unwrap()];
    served.owner.engine.verify_from(token.reveal().as_bytes(), &wanted, origin);
    console.advance(Duration::from_millis(300)).sees("lacks ").sees("10.2.0.7").sees("kiosk/2.1");
    console.press("esc").sees_no("Who knocks");
}

#[test]
fn whose_store_it_is_stands_in_the_title_at_every_width() {
    let served = Served::of("Acme", "keydeck serve");
    let pid = std::process::id();
    let mut console = served.console(120, 40);
    let line = title(&console);
    let facts = format!("maria · admin · own keys · attached to keydeck serve {pid} · sealed ✓");
    assert!(line.ends_with(&facts), "{line}");
    console.resize(60, 15);
    let line = title(&console);
    assert!(
        line.starts_with("keydeck · Acme ") && line.ends_with(&format!("attached: serve {pid}")),
        "{line}"
    );
    assert!(line.contains("maria"), "who is signed in goes only for what must be seen: {line}");
    // Above a form it stands too, and a store of one's own says nothing of the kind.
    console.resize(80, 24).press("n").sees(&format!("attached: serve {pid}"));
    drop(console);
    let Served { _control: control, owner, dir } = served;
    drop((control, owner));
    let mut alone = door(options(dir.path()), (120, 40), &FakeClipboard::default());
    alone.type_text("maria").press("enter").type_text(PHRASE).press("enter");
    alone.sees("maria · admin · own keys · sealed ✓").sees_no("attached");
}

#[test]
fn a_long_agency_name_leaves_room_for_whose_store_it_is() {
    let served = Served::of("The Harbour Street Wellness and Sports Group", "keydeck");
    let console = served.console(60, 15);
    let line = title(&console);
    assert!(line.ends_with(&format!("attached: keydeck {}", std::process::id())), "{line}");
    assert!(line.starts_with("keydeck · The Harbour"), "{line}");
}

#[test]
fn that_the_owner_has_gone_is_said_beside_a_secret_and_on_the_locked_screen() {
    let served = Served::of("Acme", "keydeck serve");
    let gone = || Outcome::Gone("The process that had the store open (keydeck serve) has gone.".into());
    let mut console = served.console(80, 24);
    console.press("n").type_text("Nightly export").press("tab tab tab tab tab / ").type_text("contacts.read");
    console.press("enter space ctrl-s").sees("Nightly export is issued").news(gone());
    // The key is on the screen this once: it stays, and the title and a message say how things stand.
    console.sees("(keydeck serve) has gone.").sees("Put this away first").press("backspace");
    console.sees_no("Put this away first").sees_no("attached").sees("own keys · ✗ serve has gone");
    console.press("c space enter").sees("Locked").sees("(keydeck serve) has").sees("Sign in again");
    let mut console = served.console(80, 24);
    console.news(gone()).sees("Locked").sees("(keydeck serve) has");
}

#[test]
fn a_token_that_the_owner_took_back_as_it_ended_is_not_shown_as_one_that_works() {
    let served = Served::of("Acme", "keydeck serve");
    let mut console = served.console(80, 24);
    console.press("n").type_text("Nightly export").press("tab tab tab tab tab / ").type_text("contacts.read");
    console.press("enter space ctrl-s").sees("Nightly export is issued").sees_no("taken back");
    let Served { _control: control, owner, dir } = served;
    drop(control);
    let state = owner.engine.state();
    assert!(
        state.keys().all(|key| matches!(key.status, Status::Revoked(_))),
        "nobody said that it was shown"
    );
    drop(state);
    console.press("r").sees("The key Nightly export may be taken back").sees("before you rely on it");
    drop((console, owner, dir));
}
