//! A person's day with keys: issuing, finding, pausing, revoking, changing scopes, in a console made of memory.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::sync::Arc;
use std::time::Duration;

use keydeck::crypto::random::OsEntropy;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{Command, Expiry, Key, KeyState, Name, NewKey, Note, Place, Role, Timestamp};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Open, in_memory};
use keydeck::engine::{Engine, LocalEngine, Origin, Session, Via};
use keydeck::tui::action::Tab;
use keydeck::tui::app::effect::Outcome;
use keydeck::tui::app::testing::{Console, desk, desk_on};
use keydeck::tui::screens::{Tabbed, behind};
use keydeck::tui::testing::FakeClipboard;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

fn screens() -> Vec<Tabbed> {
    vec![behind(Tab::Agency), behind(Tab::Locations)]
}

fn demo() -> Console {
    desk(screens())
}

/// A small store and the console on it.
pub struct House {
    pub engine: Arc<LocalEngine>,
    pub session: Session,
    pub clock: TestClock,
    pub clipboard: FakeClipboard,
}

impl House {
    pub fn new() -> Self {
        let clock = TestClock::at(NOW);
        let (agency, operator) = (name("Acme"), name("maria"));
        let open =
            in_memory(agency, operator, Arc::new(clock.clone()), Via::Console, Box::new(OsEntropy)).unwrap();
        Self { engine: open.engine, session: open.session, clock, clipboard: FakeClipboard::default() }
    }

    pub fn run(&self, command: Command) {
        self.engine.execute(&self.session, command).unwrap();
    }

    pub fn issue(&self, called: &str, place: Place, expiry: Expiry) {
        let scopes = vec!["contacts.read".into()];
        let note = Note::new("").unwrap();
        let new = NewKey { name: name(called), place, scopes, expiry: Some(expiry), note, decoy: false };
        self.run(Command::IssueKey(new));
    }

    pub fn agency_keys(&self, names: &[&str]) {
        for called in names {
            self.issue(called, Place::Agency, Expiry::Never);
        }
    }

    pub fn console(&self) -> Console {
        self.console_of(120, 40)
    }

    pub fn console_of(&self, width: u16, height: u16) -> Console {
        let open = Open { engine: self.engine.clone(), session: self.session.clone(), notices: Vec::new() };
        desk_on(open, screens(), (width, height), &self.clipboard)
    }

    pub fn key(&self, called: &str) -> Key {
        let state = self.engine.state();
        state.keys().find(|key| key.name.as_str() == called).unwrap().clone()
    }

    pub fn state_of(&self, called: &str) -> KeyState {
        self.key(called).state(self.engine.now().time)
    }
}

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// Fills in a form for an agency key that may read contacts, and leaves the focus on the tree.
fn fill(console: &mut Console, called: &str) {
    console.press("n").type_text(called).press("tab tab tab tab tab / ").type_text("contacts.read");
    console.press("enter space");
}

#[test]
fn a_decoy_is_laid_among_the_keys_and_told_of_when_somebody_presents_it() {
    let house = House::new();
    house.agency_keys(&["Nightly export"]);
    let mut console = house.console();
    console.press("I").sees("New decoy").type_text("Payroll export").press("tab tab tab tab tab / ");
    console.type_text("contacts.read").press("enter space");
    console.sees("Issues a decoy that looks like an agency key: it opens nothing").press("ctrl-s");
    console.sees("Payroll export is issued, a decoy").press("c space enter").sees_no("and works");
    let token = house.clipboard.text();
    assert!(house.key("Payroll export").is_laid() && !house.key("Nightly export").is_decoy());
    console.sees("◇ decoy").sees("● active");
    // It has no end of its own, and nothing gives or takes what it does not have.
    assert_eq!(house.key("Payroll export").expiry, Expiry::Never);
    console.press("/").type_text("state:decoy").press("enter P").sees("it is a decoy: it opens nothing");
    assert!(!house.engine.verify(token.as_bytes(), &[]).is_allow());
    house.engine.settle().unwrap();
    console.press("enter").sees("A decoy: it opens nothing.").sees("Presented");
    // The status line says it in words, whatever is looked at.
    console.press("esc").news(Outcome::Changed).advance(Duration::from_millis(500));
    // Until then the line below says when the clipboard is cleared.
    console.advance(Duration::from_secs(46)).sees("a decoy rings: somebody presents it");
}

#[test]
fn the_first_key_is_issued_copied_stored_and_found_in_the_list() {
    let house = House::new();
    let mut console = house.console();
    console.sees("No agency keys yet. n issues the first one; 0 shows how all are doing.");
    fill(&mut console, "Nightly export");
    console.sees("Issues an agency key: 1 scope, risk read, never expires").press("ctrl-s");
    console.sees("Nightly export is issued").sees("•••••");
    let key = house.key("Nightly export");
    let public = format!("kdag_{}_", key.id);
    console.sees(&public);
    // Dots until it is revealed; copying needs no revealing.
    console.press("c");
    let token = house.clipboard.text();
    assert!(token.starts_with(&public) && token.len() == 56, "{token:?}");
    console.sees_no(&token).press("r").sees(&token).press("r").sees_no(&token);
    // Nothing beside it and nothing around it in the bare view.
    console.press("p");
    assert!(console.screen().lines().any(|line| line == token));
    console.press("esc").sees("I stored it");
    // Neither Enter nor q closes it before it is ticked, and Esc asks.
    console.press("enter q").sees("never shown again").sees("I stored it");
    console.press("esc").sees("Revoke it and leave?").press("r r").sees("I stored it");
    // Nor do the keys that would close the store and lose it.
    console.press("ctrl-z").sees("say first that you stored the secret").sees("I stored it");
    assert_eq!(console.suspensions, 0);
    let wiped = console.wipes;
    console.press("space enter").sees("Nightly export is issued and works").sees_no(&token);
    assert!(console.wipes > wiped, "the screen is wiped after a secret");
    console.sees("▸  Nightly export").sees("1 scope");
    assert!(house.engine.verify(token.as_bytes(), &[]).is_allow());
}

#[test]
fn a_form_that_is_not_right_says_so_beside_the_field_and_keeps_everything() {
    let house = House::new();
    house.agency_keys(&["Nightly export"]);
    let mut console = house.console();
    console.press("n ctrl-s").sees("a name is needed");
    console.type_text("nightly EXPORT").sees("another key of yours has this name");
    console.type_text(" 2").sees_no("has this name").press("tab tab").press("ctrl-u").type_text("soon");
    console
        .sees("write 90d, 12h, a date (its end) or never")
        .press("ctrl-u")
        .type_text("30d")
        .sees("in 30 d");
    console
        .press("tab")
        .type_text("for the warehouse")
        .press("ctrl-s")
        .sees("a key needs at least one scope");
    // Back at the name everything is still there.
    console.sees("nightly EXPORT 2").sees("for the warehouse");
    console.press("/").type_text("calendars.read").press("enter space ctrl-s").sees("is issued");
    let key = house.key("nightly EXPORT 2");
    assert_eq!(key.expiry, Expiry::At(Timestamp(NOW.0 + 30 * DAY_MS)));
    assert_eq!((key.scopes.to_string(), key.note.as_str()), ("calendars.read".into(), "for the warehouse"));
}

#[test]
fn what_changed_meanwhile_is_refused_at_the_field_it_concerns() {
    let house = House::new();
    let mut console = house.console();
    fill(&mut console, "Nightly export");
    // Somebody else is quicker between the last key press and the submission.
    house.agency_keys(&["Nightly export"]);
    console.press("ctrl-s").sees("another key of yours has this name").sees("New key");
    console.type_text(" 2").press("ctrl-s").sees("Nightly export 2 is issued");
}

#[test]
fn the_policy_bounds_the_life_and_names_its_default() {
    let house = House::new();
    house.run(Command::SetPolicy { name: "max-life".into(), value: "90d".into(), basis: None });
    let mut console = house.console();
    console.press("n").sees("the agency's rule: 90 days").sees_no("1y").press("tab tab ctrl-u");
    console.type_text("91d").sees("the agency allows 90 days at most");
    console.press("ctrl-u").type_text("never").sees("the agency allows 90 days at most");
}

#[test]
fn a_full_quota_is_told_before_the_form_opens() {
    let house = House::new();
    house.run(Command::SetPolicy { name: "keys-per-operator".into(), value: "2".into(), basis: None });
    house.agency_keys(&["One"]);
    let mut console = house.console();
    console.press("n").sees("1 of 2 keys").press("esc");
    house.agency_keys(&["Two"]);
    let mut console = house.console();
    console.press("n").sees("you own 2 live keys").sees_no("New key");
}

#[test]
fn a_viewer_sees_why_nothing_can_be_done() {
    let house = House::new();
    house.agency_keys(&["Nightly export"]);
    house.run(Command::AddOperator { name: name("jonas"), role: Role::Admin });
    let me = house.session.actor().operator;
    house.run(Command::SetRole { operator: me, role: Role::Viewer, basis: None });
    let mut console = house.console();
    for key in ["n", "e", "P", "X", "D"] {
        console.press(key).sees("and you are viewer").sees_no("[ Cancel ]");
        console.advance(Duration::from_secs(5)).sees_no("and you are viewer");
    }
    console.press("2").sees("An admin adds them").press("n").sees("and you are viewer");
}

#[test]
fn the_filter_narrows_as_it_is_typed_and_says_what_it_does_not_understand() {
    let mut console = demo();
    console.press("/").type_text("export").sees("Nightly export").sees_no("Data warehouse").sees("1 of 13");
    console.press("enter").sees("/ export").press("esc").sees("Data warehouse").sees_no("/ export");
    console.press("/").type_text("state:paused").sees("Chatbot pilot").sees_no("Nightly export");
    console
        .press("ctrl-u")
        .type_text("state:purple")
        .sees("state: needs active, paused")
        .sees("Nightly export");
    console
        .press("ctrl-u")
        .type_text("expires<7d")
        .sees("Lead forms")
        .sees("Legacy CRM sync")
        .sees_no("Webhook");
    console.press("ctrl-u").type_text("idle>60d state:live").sees("Webhook relay").sees_no("Partner portal");
    console.press("ctrl-u").type_text("owner:jonas mailer").sees("Receipts mailer").sees("1 of 13");
    console.press("ctrl-u").type_text("warehouse load").sees("Nightly export");
    console.press("ctrl-u").type_text("state:deleted").sees("Test key, please ignore");
    console.press("esc").sees_no("Test key");
}

#[test]
fn not_and_or_are_understood_and_never_silently_find_nothing() {
    let mut console = demo();
    console.press("/").type_text("NOT state:active").sees("Chatbot pilot").sees_no("Nightly export");
    console.sees_no("No key matches").sees_no("Test key, please ignore");
    console.press("ctrl-u").type_text("export OR state:paused").sees("Chatbot pilot").sees("Nightly export");
    console.press("ctrl-u").type_text("export NOT").sees("NOT needs something behind it").sees("1 of 13");
    console
        .press("ctrl-u")
        .type_text("colour:red OR export")
        .sees("there is no filter colour:")
        .sees("1 of 13");
}

#[test]
fn who_asks_for_keys_among_the_locations_is_told_where_they_are() {
    let mut console = demo();
    console.press("2 /").type_text("state:paused").sees("asks for keys");
    console.sees_no("No location matches").press("ctrl-u").type_text("NOT ber OR berlin").sees("Berlin");
    console.press("ctrl-u").type_text("nowhere").sees("No location matches").sees_no("asks for keys");
}

#[test]
fn the_selection_stays_on_its_key_through_sort_filter_and_change() {
    let house = House::new();
    house.agency_keys(&["Alpha", "Beta", "Gamma"]);
    let mut console = house.console();
    console.press("G").sees("▸  Gamma").press("s n").sees("Name ▼").sees("▸  Gamma");
    console.press("/").type_text("a").sees("▸  Gamma").press("esc");
    house.agency_keys(&["Aardvark"]);
    console.advance(Duration::from_secs(61)).sees("Aardvark").sees("▸  Gamma");
    console
        .press("esc")
        .click_on("Scopes")
        .sees("Scopes ▲")
        .press("S")
        .sees("Columns")
        .press("c esc")
        .sees_no("Scopes ▲");
}

#[test]
fn a_key_that_expires_is_told_as_expired_at_that_instant() {
    let house = House::new();
    house.issue("Nightly export", Place::Agency, Expiry::At(Timestamp(NOW.0 + 20_000)));
    let mut console = house.console();
    console.sees("Nightly export expires in < 1 min").sees("expires soon");
    house.clock.pass(20_000);
    console.advance(Duration::from_secs(20)).sees_no("expires soon").sees("expired");
    console.sees_no("expires in <");
}

#[test]
fn the_tab_counts_the_rows_that_the_table_has() {
    let house = House::new();
    house.agency_keys(&["Alpha", "Beta", "Gamma"]);
    house.run(Command::revoke(house.key("Beta").id));
    house.run(Command::DeleteKey(house.key("Gamma").id));
    let mut console = house.console();
    console.sees("1 Agency keys 2").sees("Alpha").sees("Beta").sees_no("Gamma");
}

#[test]
fn columns_and_mistakes_are_shown_whole_in_a_small_window() {
    for (width, height) in [(80, 24), (60, 16)] {
        let house = House::new();
        house.agency_keys(&["Alpha"]);
        let mut console = house.console_of(width, height);
        console
            .sees("? help")
            .press("S")
            .sees("columns have no room")
            .sees("esc done")
            .press("esc")
            .press("s")
            .sees("turns it round")
            .press("esc");
        console.press("/").type_text("state:purple").sees("state: needs active, paused");
        let screen = console.screen();
        assert!(!screen.lines().skip(3).take(4).any(|line| line.ends_with('…')), "{screen}");
    }
}

#[test]
fn a_question_about_many_says_all_of_it_in_a_small_window() {
    let house = House::new();
    let names: Vec<String> = (10..22).map(|n| format!("Key {n}")).collect();
    house.agency_keys(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut console = house.console_of(60, 16);
    // Who uses them comes first, and what it means is not missing.
    console.press("a X").sees("Revoke 12 keys").sees("Among them");
    console
        .sees_no("Revoking is final")
        .press("pgdn pgdn pgdn pgdn pgdn pgdn pgdn pgdn")
        .sees("Revoking is final");
    console.sees("and 2 more");
}

#[test]
fn a_pause_of_many_is_undone_by_u() {
    let house = House::new();
    let names = ["Alpha", "Beta", "Gamma"];
    house.agency_keys(&names);
    let mut console = house.console();
    console.press("a P").sees("Pause 3 keys").press("tab enter");
    console.sees("3 keys are paused; u resumes them");
    assert!(names.iter().all(|name| house.state_of(name) == KeyState::Paused));
    // One of them ended meanwhile: it stays as it is, and that is said.
    house.run(Command::revoke(house.key("Beta").id));
    console
        .press("u")
        .sees("Take back the pause of 2 keys")
        .sees("1 stays as it is (Beta): changed meanwhile");
    console.press("enter").sees("2 keys are active again");
    assert_eq!(house.state_of("Beta"), KeyState::Revoked);
    assert!(["Alpha", "Gamma"].iter().all(|name| house.state_of(name) == KeyState::Active));
    console.press("u").sees("nothing done to keys here can be undone");
    // Of those that are taken back to a standstill, which is asked as any pause is.
    console.press("a P").sees("Pause 2 keys").press("tab enter").sees("2 keys are paused");
    console
        .press("P")
        .sees("Resume 2 keys")
        .press("tab enter")
        .sees("2 keys are active again; u takes it back");
    console
        .press("u")
        .sees("Take back the resumption of 2 keys")
        .press("tab enter")
        .sees("2 keys are paused");
    assert!(["Alpha", "Gamma"].iter().all(|name| house.state_of(name) == KeyState::Paused));
}

#[test]
fn what_was_done_to_many_is_taken_back_from_its_report_too() {
    let house = House::new();
    house.agency_keys(&["Alpha", "Beta", "Gamma"]);
    let mut console = house.console();
    console.press("a P").sees("Pause 3 keys");
    house.run(Command::revoke(house.key("Beta").id));
    console.press("tab enter").sees("1 of 3 not done").sees("2 keys are paused").sees("u undo");
    console.press("u").sees_no("1 of 3 not done").sees("Take back the pause of 2 keys").press("enter");
    assert!(["Alpha", "Gamma"].iter().all(|name| house.state_of(name) == KeyState::Active));
}

#[test]
fn a_pause_that_had_an_end_has_it_again_when_its_resumption_is_taken_back() {
    let house = House::new();
    house.agency_keys(&["Alpha"]);
    let mut console = house.console();
    console.press("P 2 enter").sees("Alpha is paused");
    let ends = house.key("Alpha").pause_ends;
    assert!(ends.is_some(), "{}", console.screen());
    console.press("P").sees("Resume key").press("tab enter").sees("Alpha is active again; u takes it back");
    console.press("u").sees("Take back the resumption of 1 key").press("tab enter");
    assert_eq!((house.state_of("Alpha"), house.key("Alpha").pause_ends), (KeyState::Paused, ends));
}

#[test]
fn the_marked_keys_are_written_to_a_file_that_only_its_owner_reads() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::new();
    house.agency_keys(&["=1+1", "Beta", "Gamma"]);
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("keys.csv");
    let mut console = house.console();
    console.press("space space >").sees("Write 2 keys to a file").press("ctrl-u");
    console.type_text(to.to_str().unwrap()).press("ctrl-s").sees("2 keys are in ");
    let text = std::fs::read_to_string(&to).unwrap();
    assert!(text.contains(",'=1+1,kdag_") && text.contains(",Beta,") && !text.contains("Gamma"), "{text}");
    assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
    // One that is there is left as it is.
    console.press(">").press("ctrl-u").type_text(to.to_str().unwrap()).press("ctrl-s").sees("exists");
    assert_eq!(std::fs::read_to_string(&to).unwrap(), text);
}

#[test]
fn what_cannot_be_taken_back_is_the_last_deed_all_the_same() {
    let house = House::new();
    house.agency_keys(&["Alpha", "Beta", "Gamma"]);
    let mut console = house.console();
    console.press("P tab enter").sees("Alpha is paused; u resumes it");
    console.press("j X").type_text("Beta").press("enter").sees("Beta is revoked");
    console.press("u").sees("nothing done to keys here can be undone");
    assert_eq!(house.state_of("Alpha"), KeyState::Paused);
    // What a form did is the last deed as well.
    console.press("k P tab enter").sees("Alpha is active again");
    console.press("j j o / ").type_text("calendars.read").press("enter space ctrl-s").sees("are changed");
    console.press("u").sees("Take back the change of scopes of 1 key").press("tab enter");
    console.sees("1 key is given the former scopes");
    assert_eq!(house.state_of("Alpha"), KeyState::Active);
}

#[test]
fn who_knocks_at_a_paused_key_is_told_while_it_stays_selected() {
    let house = House::new();
    let new = NewKey {
        name: name("Widget"),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: Some(Expiry::Never),
        note: Note::default(),
        decoy: false,
    };
    let token = house.engine.execute(&house.session, Command::IssueKey(new)).unwrap().token.unwrap();
    let mut console = house.console();
    console.press("P tab enter enter").advance(Duration::from_millis(500)).sees("nobody since it was paused");
    let origin = Origin { address: Some([10, 2, 0, 7].into()), agent: Some(b"kiosk/2.1") };
    assert!(!house.engine.verify_from(token.bytes(), &[], origin).is_allow());
    house.clock.pass(61_000);
    house.engine.settle().unwrap();
    console.news(Outcome::Changed).advance(Duration::from_millis(500));
    console.sees_no("nobody since it was paused").sees("10.2.0.7 by kiosk/2.1");
}

#[test]
fn what_somebody_else_made_of_a_key_meanwhile_is_not_undone() {
    let house = House::new();
    house.agency_keys(&["Nightly export"]);
    let mut console = house.console();
    console.press("P tab enter").sees("Nightly export is paused; u resumes it");
    let key = house.key("Nightly export").id;
    let scopes = vec!["contacts.read".into(), "contacts.write".into()];
    house.run(Command::RescopeKey { key, scopes, basis: None });
    console.news(Outcome::Changed).press("u").sees("can be undone").press("esc");
    assert_eq!(house.state_of("Nightly export"), KeyState::Paused);
    // Other scopes are given back, as long as they are those.
    house.run(Command::ResumeKey(key));
    house.run(Command::RescopeKey { key, scopes: vec!["contacts.read".into()], basis: None });
    console.news(Outcome::Changed);
    console.press("o / ").type_text("calendars.read").press("enter space ctrl-s").sees("are changed");
    assert_eq!(house.key("Nightly export").scopes.len(), 2);
    console.press("u").sees("Take back the change of scopes of 1 key").press("tab enter");
    console.sees("1 key is given the former scopes");
    assert_eq!(house.key("Nightly export").scopes.len(), 1);
}

#[test]
fn a_mixed_selection_is_paused_or_resumed_and_says_what_stays() {
    let house = House::new();
    house.agency_keys(&["Alpha", "Beta", "Gamma", "Delta"]);
    house.run(Command::PauseKey(house.key("Beta").id, None));
    house.run(Command::revoke(house.key("Gamma").id));
    let mut console = house.console();
    console.press("a P").sees("Pause 2 keys").sees("1 marked stays as it is (Beta): the key is paused");
    console.sees("the key is revoked").sees("Resume 1 instead").press("tab tab enter");
    console.sees("Resume key").sees("Beta").press("enter").sees("Beta is active again");
    assert_eq!(house.state_of("Alpha"), KeyState::Active);
    // None that works is among them: the same key resumes what is paused.
    for name in ["Alpha", "Delta"] {
        house.run(Command::revoke(house.key(name).id));
    }
    house.run(Command::PauseKey(house.key("Beta").id, None));
    console
        .press("P")
        .sees("Resume key")
        .sees("3 marked stay as they are (Alpha, Delta, Gamma)")
        .press("tab enter");
    assert_eq!(house.state_of("Beta"), KeyState::Active);
}

#[test]
fn a_key_is_paused_without_typing_and_resumed_with_undo() {
    let house = House::new();
    house.agency_keys(&["Nightly export"]);
    let mut console = house.console();
    console.press("P").sees("Pause key").sees("[ Cancel ]").press("enter").sees_no("Pause key");
    assert_eq!(house.state_of("Nightly export"), KeyState::Active);
    console.press("P tab enter").sees("Nightly export is paused; u resumes it").sees("‖ paused");
    console.press("u").sees("Nightly export is active again").sees("● active");
    console.press("u").sees("nothing done to keys here can be undone");
    console.press("P tab enter P").sees("Resume key").press("tab enter");
    assert_eq!(house.state_of("Nightly export"), KeyState::Active);
    // Where the key that takes it back means nothing it is not offered.
    console.press("P tab enter").sees("u resumes it").press("2").sees_no("u resumes it");
}

#[test]
fn a_pause_that_ends_by_itself_is_chosen_by_a_digit_and_told() {
    let house = House::new();
    house.agency_keys(&["Alpha", "Beta"]);
    let ends = |called: &str| house.key(called).resumes_at().map(|at| at.since(NOW));
    let mut console = house.console();
    console.press("P").sees("Resumes after  1 ( ) 5 min  2 ( ) 1 h  3 ( ) 1 d");
    console
        .press("2")
        .sees("2 (*) 1 h")
        .press("3 3")
        .sees("3 ( ) 1 d")
        .press("2 enter")
        .sees("Alpha is paused");
    assert_eq!(ends("Alpha"), Some(3_600_000));
    console.press("enter").sees("by the first sweep").advance(Duration::from_millis(500));
    console.sees("Knocked").sees("nobody since it was paused");
    console.press("esc esc u").sees("Alpha is active again");
    assert_eq!(ends("Alpha"), None);
    // The arrows walk between the buttons all the same, and many are paused for as long.
    console.press("a P").sees("Pause 2 keys").press("right left 1 enter").sees("2 keys are paused");
    assert_eq!([ends("Alpha"), ends("Beta")], [Some(300_000); 2]);
}

#[test]
fn a_key_is_rotated_and_its_old_half_is_lengthened_and_ended() {
    let house = House::new();
    house.agency_keys(&["Widget"]);
    let old = house.key("Widget");
    let mut console = house.console();
    console.press("x").type_text("old half").sees_no("End its old half now").press("esc");
    console.press("R").sees("Rotate Widget").sees("works for 24 h after the new one is first used");
    // From now, and not from the first use.
    console.press("tab left").sees("works for 24 h from now").press("ctrl-s").sees("Widget is rotated");
    console.press("c space enter").sees("Widget is rotated and works");
    let superseded = |house: &House| house.engine.state().key(old.id).unwrap().clone();
    assert_eq!(superseded(&house).state(NOW), KeyState::Superseded);
    // One row for both, which says so; the old half by itself when it is asked for.
    console.sees("↻ grace 24 h").sees("1 Agency keys 1");
    console.press("/").type_text("state:superseded").press("enter").sees(&old.hint()).press("esc esc");
    console.press("enter").sees("New half").sees("Old half").sees("Rotated");
    console.press("x").type_text("old half").sees("End its old half now").press("esc");
    console.press("R").sees("its old half still works, and more than two secrets");
    console.press("+").sees("works a day longer");
    let ends = superseded(&house).grace_ends().unwrap();
    assert_eq!(ends.since(NOW), 2 * DAY_MS);
    console.press("F").sees("End the old half").press("tab enter").sees("the old half of Widget is revoked");
    assert_eq!(superseded(&house).state(NOW), KeyState::Revoked);
    console.press("Z").sees("the old half has ended, and what has ended stays so");
}

#[test]
fn a_rotation_whose_secret_nobody_took_is_taken_back_and_a_lost_key_stays_dead() {
    let house = House::new();
    house.agency_keys(&["Widget"]);
    let old = house.key("Widget").id;
    let state = |house: &House| house.engine.state().key(old).unwrap().state(NOW);
    let mut console = house.console();
    console
        .press("R ctrl-s")
        .sees("Widget is rotated")
        .press("esc")
        .sees("Take the rotation back and leave?");
    console.press("esc").sees("The rotation of Widget is taken back");
    assert_eq!(state(&house), KeyState::Active);
    console.press("/").type_text("state:active").press("enter");
    console.press("L").sees("Replace a lost key").press("tab enter").sees("Widget is replaced");
    assert_eq!(state(&house), KeyState::Revoked);
    console.press("esc").sees("Revoke it and leave?").press("esc");
    assert_eq!(state(&house), KeyState::Revoked, "what was lost stays dead");
    let working = house.engine.state().keys().filter(|key| key.state(NOW) == KeyState::Active).count();
    assert_eq!(working, 0);
}

#[test]
fn a_live_key_is_revoked_only_when_its_name_is_typed_exactly() {
    let house = House::new();
    house.agency_keys(&["Nightly export"]);
    let mut console = house.console();
    console
        .press("X")
        .sees("Never used.")
        .sees("Type its name to confirm: Nightly export")
        .sees("[ Cancel ]");
    console.type_text("nightly export").press("enter").sees("exactly as it stands there");
    console.press("tab enter").sees("exactly as it stands there").press("esc");
    assert_eq!(house.state_of("Nightly export"), KeyState::Active);
    console.press("X").type_text("Nightly export").sees("[ Revoke ]").press("enter");
    console.sees("Nightly export is revoked").sees("✗ revoked");
    assert_eq!(house.state_of("Nightly export"), KeyState::Revoked);
    // What does not work any more needs no name to be deleted, and is gone from the list.
    console.press("X").sees("there is nothing left to do");
    console.press("D").sees_no("Type its name").press("tab enter").sees("Nightly export is deleted");
    console.sees("Only deleted keys are left here").press("/").type_text("state:deleted").press("enter B");
    console.sees("Restore key").press("tab enter").sees("restored, as revoked");
    assert_eq!(house.state_of("Nightly export"), KeyState::Revoked);
}

#[test]
fn many_keys_are_revoked_by_their_number() {
    let house = House::new();
    let names: Vec<String> = (1..=14).map(|n| format!("Key {n:02}")).collect();
    house.agency_keys(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut console = house.console();
    console.press("a").sees("14 marked").press("k space").sees("13 marked").press("X");
    console.sees("Revoke 13 keys").sees("Key 11").sees("and 3 more");
    assert_eq!(console.screen().matches("never used").count(), 10);
    console.type_text("12").press("enter").sees("the number of keys").press("ctrl-u").type_text("13");
    console.press("enter").sees("13 keys are revoked").sees_no("marked");
    let live = names.iter().filter(|called| house.state_of(called) == KeyState::Active).count();
    assert_eq!(live, 1);
}

#[test]
fn a_new_token_is_written_to_a_file_instead_of_being_copied_and_the_record_says_so() {
    let house = House::new();
    let dir = tempfile::tempdir().unwrap();
    let taken = dir.path().join("taken");
    std::fs::write(&taken, "theirs").unwrap();
    let mut console = house.console();
    fill(&mut console, "Nightly export");
    console.press("ctrl-s f").sees("nightly-export.token").sees("for you alone to read");
    // Esc is back at the secret, which is as it was; nobody has it.
    console.press("esc").sees("once it is copied or shown").press("f ctrl-u enter").sees("a file is needed");
    console.type_text(&taken.display().to_string()).press("enter").sees("cannot be made");
    assert_eq!(std::fs::read_to_string(&taken).unwrap(), "theirs");
    let token = dir.path().join("token");
    console.press("ctrl-u").type_text(&token.display().to_string()).press("enter");
    console.sees("[✓] I stored it").sees("it is in").press("space").sees("[✓] I stored it");
    let text = std::fs::read_to_string(&token).unwrap();
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&token).unwrap());
    assert_eq!((text.len(), mode & 0o777), (57, 0o600));
    assert!(house.engine.verify(text.trim_end().as_bytes(), &[]).is_allow());
    console.press("esc").sees_no(text.trim_end()).sees("Nightly export is issued and works");
    assert_eq!(house.state_of("Nightly export"), KeyState::Active);
    console.press("enter").sees("Handed     in a file, just now;");
    // A token that was not written is nobody's, and leaving takes it back.
    fill(&mut console, "Other");
    console.press("ctrl-s f esc esc").sees("Revoke it and leave?").press("esc");
    assert_eq!(house.state_of("Other"), KeyState::Revoked);
}

#[test]
fn many_keys_are_rotated_into_a_file_and_none_of_their_tokens_is_shown() {
    let house = House::new();
    house.agency_keys(&["Till 1", "Till-1", "Büro", "Stopped"]);
    house.run(Command::PauseKey(house.key("Stopped").id, None));
    let old = house.key("Büro").id;
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("tokens.env");
    let mut console = house.console();
    console.press("a R").sees("Rotate 4 keys").sees("Each old half works for 24 h after").press("ctrl-s");
    console.sees("their tokens are never shown: say where they go");
    console.type_text(&to.display().to_string()).press("ctrl-s");
    console.sees("Rotate 3 keys").sees("a line each").sees("1 marked stays as it is (Stopped)");
    // Whoever does not want it leaves nothing behind.
    assert!(to.exists());
    console.press("esc").sees_no("Rotate 3 keys");
    assert!(!to.exists() && house.engine.state().keys().all(|key| key.succeeds.is_none()));
    console.press("R").sees("Rotate 4 keys");
    console.press("tab tab").type_text(&to.display().to_string()).press("ctrl-s").sees("Rotate 3 keys");
    console.type_text("3").press("enter").sees("3 keys are rotated; their tokens are in").sees_no("marked");
    let text = std::fs::read_to_string(&to).unwrap();
    let lines: Vec<(&str, &str)> = text.lines().map(|line| line.split_once('=').unwrap()).collect();
    let mut names: Vec<&str> = lines.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert_eq!(names, ["BURO", "TILL_1", "TILL_1_2"]);
    assert!(lines.iter().all(|(_, token)| house.engine.verify(token.as_bytes(), &[]).is_allow()));
    let state = house.engine.state();
    let new = state.keys().find(|key| key.succeeds == Some(old)).unwrap();
    assert_eq!(new.handed.as_ref().unwrap().way.to_string(), "in a file, as BURO");
    assert_eq!(state.key(old).unwrap().state(house.engine.now().time), KeyState::Superseded);
    assert!(
        !console.screen().contains("kdag_")
            || lines.iter().all(|(_, token)| !console.screen().contains(token))
    );
}

#[test]
fn of_many_that_are_revoked_those_that_ended_meanwhile_are_told_with_why() {
    let house = House::new();
    let value = "1000".into();
    house.run(Command::SetPolicy { name: "keys-per-operator".into(), value, basis: None });
    let names: Vec<String> = (1..=70).map(|n| format!("Key {n:02}")).collect();
    house.agency_keys(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut console = house.console();
    console.press("a X").sees("Revoke 70 keys");
    house.run(Command::revoke(house.key("Key 05").id));
    console.type_text("70").press("enter").sees("1 of 70 not done").sees("69 keys are revoked");
    console
        .sees("1 is as it was (Key 05)")
        .sees("there is nothing left to do")
        .press("u")
        .sees("nothing was done here that could be taken back")
        .press("esc")
        .sees_no("marked");
    assert!(names.iter().all(|called| house.state_of(called) == KeyState::Revoked));
    // As many as fit are one entry of the trail, whoever asks for them.
    let page = house.engine.audit(&house.session, None, 10, None).unwrap();
    let revoked = page.lines.iter().filter(|line| line.entry.event == "key.revoke");
    let sizes: Vec<usize> = revoked.map(|line| line.entry.subjects.len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 71, "{sizes:?}");
    assert_eq!(sizes.len(), 4, "two parts, the one before and the one refused: {sizes:?}");
}

#[test]
fn scopes_are_changed_with_what_comes_and_goes_in_sight() {
    let house = House::new();
    house.agency_keys(&["Nightly export"]);
    let mut console = house.console();
    console.press("o").sees("Scopes of Nightly export").sees("nothing changed yet");
    console.press("ctrl-s").sees("nothing to do");
    console.press("/").type_text("contacts.read").press("enter space").sees("- contacts.read");
    console.press("ctrl-s").sees("a key needs at least one scope");
    console.press("/ ctrl-u").type_text("calendars.read").press("enter space").sees("+ calendars.read");
    console.press("esc esc").sees("esc again").press("space space ctrl-s");
    console.sees("the scopes of Nightly export are changed");
    assert_eq!(house.key("Nightly export").scopes.to_string(), "calendars.read");
    console
        .advance(Duration::from_secs(1))
        .sees("scopes changed by maria")
        .sees("+calendars.read")
        .sees("-contacts.read");
}

/// A console with the scopes of a key open and one more ticked, while another console took one away.
fn overtaken(house: &House) -> Console {
    house.agency_keys(&["Nightly export"]);
    let key = house.key("Nightly export").id;
    let set = |scopes: &[&str]| {
        let scopes = scopes.iter().map(ToString::to_string).collect();
        house.run(Command::RescopeKey { key, scopes, basis: None });
    };
    set(&["contacts.read", "contacts.write"]);
    let mut console = house.console();
    console.press("o").sees("Scopes of Nightly export").press("/").type_text("calendars.read");
    console.press("enter space").sees("+ calendars.read");
    set(&["contacts.read"]);
    console
        .press("ctrl-s")
        .sees("Changed meanwhile")
        .sees("- contacts.write")
        .sees("yours: + calendars.read");
    assert_eq!(house.key("Nightly export").scopes.to_string(), "contacts.read");
    console
}

#[test]
fn saving_scopes_does_not_put_back_what_another_console_took_away() {
    let house = House::new();
    let scopes = || house.key("Nightly export").scopes.to_string();
    let mut console = overtaken(&house);
    // Esc leaves the form as it was, and it asks again.
    console.press("esc").sees_no("Changed meanwhile").press("ctrl-s").sees("Changed meanwhile");
    console.press("enter").sees_no("Changed meanwhile").sees("+ calendars.read").sees_no("contacts.write  ");
    console.press("ctrl-s").sees("the scopes of Nightly export are changed");
    assert_eq!(scopes(), "calendars.read contacts.read");
}

#[test]
fn one_keeps_ones_own_change_of_scopes_or_takes_the_other() {
    let house = House::new();
    let mut console = overtaken(&house);
    console.press("tab tab enter").sees("the scopes of Nightly export are changed");
    assert_eq!(house.key("Nightly export").scopes.to_string(), "calendars.read contacts.read");
    let house = House::new();
    let mut console = overtaken(&house);
    console.press("tab enter").sees("nothing changed yet").sees("Scopes of Nightly export");
    assert_eq!(house.key("Nightly export").scopes.to_string(), "contacts.read");
}

#[test]
fn what_changed_again_while_one_read_the_question_is_asked_again() {
    let house = House::new();
    let mut console = overtaken(&house);
    let key = house.key("Nightly export").id;
    let scopes = vec!["contacts.read".into(), "invoices.read".into()];
    house.run(Command::RescopeKey { key, scopes, basis: None });
    console.press("tab tab enter").sees("Changed meanwhile").sees("+ invoices.read");
    assert!(!house.key("Nightly export").scopes.to_string().contains("calendars"));
}

#[test]
fn renaming_a_location_says_how_it_is_called_by_now() {
    let house = House::new();
    house.run(Command::AddLocations(vec![name("North")]));
    let location = house.engine.state().locations().next().unwrap().id;
    let called = || house.engine.state().location(location).unwrap().name.to_string();
    let mut console = house.console();
    console.press("2 j e").sees("Rename North").press("ctrl-u").type_text("Norden");
    house.run(Command::RenameLocation { location, name: name("Nord"), basis: None });
    console.press("enter").sees("was North, is now Nord").sees("yours: Norden").press("tab tab enter");
    console.sees("is now called Norden");
    assert_eq!(called(), "Norden");
}

#[test]
fn keys_and_locations_are_found_without_typing_their_accents() {
    let house = House::new();
    house.agency_keys(&["Łódź", "Gràcia", "Straße", "Oslo"]);
    let mut console = house.console();
    for (typed, name) in [("lodz", "Łódź"), ("gracia", "Gràcia"), ("STRASSE", "Straße")] {
        console.press("/ ctrl-u").type_text(typed).press("enter").sees(name).sees_no("Oslo");
    }
}

#[test]
fn the_detail_tells_all_and_narrow_windows_show_it_over_the_table() {
    let house = House::new();
    house.issue("Lead forms", Place::Agency, Expiry::At(Timestamp(NOW.0 + 5 * DAY_MS)));
    let mut console = house.console();
    console
        .advance(Duration::from_secs(1))
        .sees("▲ expires soon")
        .sees("Read contacts")
        .sees("issued by maria");
    console.press("esc").sees_no("Read contacts").press("enter").sees("Read contacts");
    let mut console = house.console_of(80, 24);
    console.sees_no("Read contacts").press("l").sees("Read contacts").sees("back to the table");
    console.press("h").sees_no("Read contacts").sees("▸  Lead forms");
    // Time goes on, and so does what is said of it.
    house.clock.pass(6 * DAY_MS);
    console.advance(Duration::from_secs(61)).sees("○ expired").sees("24 h ago");
}

#[test]
fn a_list_pasted_in_tmux_is_not_one_location_called_north_south_west() {
    let house = House::new();
    let mut console = house.console();
    console.press("2 n").paste("North\rSouth\rWest\r").sees("3 locations").press("ctrl-s");
    console.sees("3 locations are added").sees("Locations 3").sees("North").sees("South").sees("West");
    console.press("n").paste("East\rEnd\r").sees("2 locations");
}

#[test]
fn a_pasted_list_says_which_of_its_names_were_there_already() {
    let house = House::new();
    house.run(Command::AddLocations(["A", "B", "C", "D", "E"].map(name).to_vec()));
    let mut console = house.console_of(80, 24);
    console.press("2 n").paste("A\nB\nNorth\nC\nD\nE\nNorth\nX\u{202e}Y\n").sees("1 location");
    console.sees("6 are there already: A, B, C and 3 more").sees("1 cannot be").sees("remove it");
}

#[test]
fn the_key_of_a_removed_location_is_found_beside_the_others() {
    let house = House::new();
    house.run(Command::AddLocations(vec![name("North"), name("South")]));
    let location = house.engine.state().locations().find(|l| l.name.as_str() == "North").unwrap().id;
    house.issue("Front desk", Place::Location(location), Expiry::Never);
    house.run(Command::RemoveLocation { location });
    let mut console = house.console();
    console.press("2").sees("2 Location keys 1").sees("Locations 1").sees("removed: North");
    console.press("/").type_text("north").press("enter").sees("Front desk").sees("location gone");
    console.press("D").sees("it was removed").press("l").sees("▸  Front desk").press("n");
    console.sees("there is no such location");
}

#[test]
fn a_mistake_in_the_expiry_is_told_whole_in_a_small_window() {
    for (width, height) in [(80, 24), (60, 16)] {
        let house = House::new();
        let mut console = house.console_of(width, height);
        console.press("n").type_text("Nightly export").press("tab tab ctrl-u").type_text("11y");
        let screen = console.screen();
        let words =
            screen.split(['│', '\n', ' ']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        assert!(words.contains("ten years away; write never if it must not expire"), "{screen}");
    }
}

#[test]
fn what_a_key_press_was_told_is_gone_with_the_next_one() {
    let house = House::new();
    house.agency_keys(&["Alpha", "Beta"]);
    let mut console = house.console();
    console.press("n").type_text("Gamma").press("esc").sees("esc again throws the form away");
    console.press("esc").sees_no("esc again").sees("▸  Alpha");
    console.press("P tab enter").sees("Alpha is paused; u resumes it");
    console.press("u").sees("Alpha is active again").sees_no("u resumes it");
}

#[test]
fn locations_are_added_by_the_list_renamed_and_removed_by_name() {
    let house = House::new();
    let mut console = house.console();
    console.press("2 n").type_text("Berlin Mitte").press("enter").sees("1 location");
    console.type_text("berlin mitte").press("enter").sees("is on the list already").press("ctrl-u");
    console.paste("Hamburg\nKöln\n\n  München \n").sees("4 locations").press("ctrl-s");
    console.sees("4 locations are added").sees("Locations 4");
    // A key of Köln, from the keys' side of the screen.
    console.press("j j j").sees("▸ Köln").press("l n").sees("(*) Location key").sees("Köln");
    console
        .type_text("Front desk")
        .press("tab tab tab tab tab tab / ")
        .type_text("calendars.read")
        .press("enter space ctrl-s");
    console.sees("is issued").sees("location key of Köln").press("c space enter").sees("● active");
    console.press("h").press("e").press("ctrl-u").type_text("Berlin Mitte").press("enter").sees("is taken");
    console.press("ctrl-u").type_text("Köln Süd").press("enter").sees("Köln is now called Köln Süd");
    console
        .press("D")
        .sees("1 key stops at once")
        .type_text("Köln Süd")
        .press("enter")
        .sees("Köln Süd is removed");
    console.press("g").sees("Locations 3").sees("location gone");
}

#[test]
fn a_location_is_found_by_typing_in_the_form() {
    let mut console = demo();
    console
        .press("2 l n")
        .type_text("Kiosk")
        .press("tab tab")
        .type_text("prenz")
        .sees("Berlin Prenzlauer Berg");
    console.press("enter").sees("Issues a key of Berlin Prenzlauer Berg");
    console.press("tab tab").type_text("front").press("enter").sees("Preset    Front desk");
    console.press("ctrl-s").sees("Kiosk is issued").press("c space enter").sees("▸  Kiosk");
}

#[test]
fn every_size_is_drawn_and_the_small_ones_can_do_everything() {
    let house = House::new();
    house.run(Command::AddLocations(vec![name("Berlin Mitte")]));
    house.agency_keys(&["Nightly export"]);
    for keys in [
        "",
        "n",
        "n tab tab tab tab",
        "X",
        "e",
        "x",
        "l",
        "/",
        "2",
        "2 l",
        "2 n",
        "2 j e",
        "2 j D",
        "a P",
        "s",
        "S",
    ] {
        let mut console = house.console();
        console.press(keys);
        for (width, height) in [(120, 40), (80, 24), (60, 15), (20, 5), (1, 1), (300, 90)] {
            console.resize(width, height);
        }
    }
    let mut console = house.console_of(60, 15);
    fill(&mut console, "Small window");
    console.sees("2 of 2: what it may do").press("ctrl-s").sees("Small window is issued").press("r");
    let token = console.screen().lines().find(|line| line.contains("kdag_")).unwrap().trim().to_owned();
    assert_eq!(token.len(), 56);
    // What is said meanwhile covers neither the key nor what is to be ticked.
    console
        .press("enter")
        .sees("tick \"I stored it\" first")
        .sees(&token)
        .sees("[ ] I stored it   space ticks");
    console.press("c").sees("Secret copied").sees(&token).sees("then enter closes");
    console.press("space enter");
    console.press("X").type_text("Small window").sees("[ Revoke ]").press("enter");
    assert_eq!(house.state_of("Small window"), KeyState::Revoked);
}

#[test]
fn the_guide_opens_on_every_tab() {
    let mut console = demo();
    for tab in ["1", "2", "3", "4", "5", "6", "7"] {
        console.press(tab).press("f2").sees("Using a key").press("esc").sees_no("Using a key");
    }
}
