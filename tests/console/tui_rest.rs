//! The audit and settings tabs as a person uses them, on sample data and on a real store in a directory.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where the console does not do what is asked"
)]

use std::sync::Arc;
use std::time::Duration;

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::crypto::random::OsEntropy;
use keydeck::crypto::recovery::RecoveryCode;
use keydeck::crypto::token::{Token, TokenKind};
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{Command, Expiry, KeyId, KeysAfter, Name, NewKey, Note, Place, Role, Timestamp};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Key, Open, Options, found, open};
use keydeck::engine::{Brought, Engine as _, Origin, Via};
use keydeck::tui::action::Tab;
use keydeck::tui::app::testing::{Console, desk, desk_on, sample};
use keydeck::tui::screens::settings::{Facts, Settings};
use keydeck::tui::screens::{Tabbed, behind};
use keydeck::tui::testing::FakeClipboard;

const START: Timestamp = Timestamp(1_790_000_000_000);
const PHRASE: &str = "correct horse battery staple";
const OTHER: &str = "a second long passphrase";

fn screens() -> Vec<Tabbed> {
    let facts = Facts { terminal: "test terminal".into(), clipboard: "test clipboard".into() };
    vec![behind(Tab::Audit), (Tab::Settings, Box::new(Settings::new(facts)))]
}

/// The demo on its audit tab.
fn audit() -> Console {
    let mut console = desk(screens());
    console.press("6").advance(Duration::from_millis(50));
    console
}

/// The demo on a section of its settings, 0 the first.
fn settings(section: usize) -> Console {
    let mut console = desk(screens());
    go_to(&mut console, section);
    console
}

fn go_to(console: &mut Console, section: usize) {
    console.press("7").advance(Duration::from_millis(50));
    console.press("esc").press("g");
    for _ in 0..section {
        console.press("j");
    }
    console.press("enter");
}

/// A store in a directory, with maria as its admin.
struct Bench {
    dir: tempfile::TempDir,
    clipboard: FakeClipboard,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), clipboard: FakeClipboard::default() }
    }

    fn options(&self) -> Options {
        Options {
            clock: Arc::new(TestClock::at(START)),
            // The cheapest that is accepted: these tests open stores by the dozen.
            cost: Cost::IMPORTED,
            ..Options::new(self.dir.path(), "test", Via::Console)
        }
    }

    fn found(&self) -> Open {
        let name = |text| Name::new(text).unwrap();
        let phrase = Passphrase::choose(PHRASE).unwrap();
        found(&self.options(), name("Acme Agency"), name("maria"), &phrase).unwrap().open
    }

    fn can_sign_in(&self, name: &str, passphrase: &str) -> bool {
        let passphrase = Passphrase::present(passphrase).unwrap();
        match open(&self.options(), &Key::Operator { name, passphrase: &passphrase }) {
            Ok(_) => true,
            Err(error) if error.is_unseal() => false,
            Err(error) => panic!("the store cannot be opened at all: {error}"),
        }
    }

    fn opened(&self, name: &str, passphrase: &str) -> Open {
        let passphrase = Passphrase::present(passphrase).unwrap();
        open(&self.options(), &Key::Operator { name, passphrase: &passphrase }).unwrap()
    }

    fn console(&self, open: Open) -> Console {
        desk_on(open, screens(), (100, 30), &self.clipboard)
    }
}

/// A command that issues an agency key.
fn issue(called: &str) -> Command {
    Command::IssueKey(NewKey {
        name: Name::new(called).unwrap(),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: None,
        note: Note::default(),
        decoy: false,
    })
}

fn add(open: &Open, name: &str, role: Role) {
    let phrase = Passphrase::choose(OTHER).unwrap();
    open.engine
        .act(
            &open.session,
            Command::AddOperator { name: Name::new(name).unwrap(), role },
            Brought::Passphrase(&phrase),
        )
        .unwrap();
}

/// The session of the demo's operator called `name`.
fn as_operator(name: &str) -> Open {
    let bench = Bench::new();
    let founded = bench.found();
    add(&founded, name, Role::Viewer);
    drop(founded);
    let passphrase = Passphrase::present(OTHER).unwrap();
    let opened = open(&bench.options(), &Key::Operator { name, passphrase: &passphrase }).unwrap();
    // The directory goes with the test's process; sled keeps its files open.
    std::mem::forget(bench);
    opened
}

#[test]
fn an_admin_reads_the_trail_which_says_so_itself() {
    let mut console = audit();
    console.sees("Read the audit trail").sees("maria (admin)").sees("Disabled lena, keys work");
    let entries = console.screen().matches("Read the audit trail").count();
    console.press("7 6").advance(Duration::from_secs(1));
    assert_eq!(console.screen().matches("Read the audit trail").count(), entries);
}

#[test]
fn one_entry_is_opened_and_its_hash_copied() {
    let clipboard = FakeClipboard::default();
    let mut console = desk_on(sample(), screens(), (120, 40), &clipboard);
    console.press("6").advance(Duration::from_millis(50));
    console.type_text("/revoked").press("enter").press("enter");
    console.sees("Audit entry").sees("In the chain").sees("key.revoke").sees("Records");
    // Whose it is stands there by name.
    console.sees(", owner ").sees_no("owner op_");
    console.press("y");
    let copied = clipboard.text();
    assert!(copied.len() == 64 && console.screen().contains(&copied), "{copied}");
    console.press("esc").sees_no("In the chain").sees("/ revoked");
}

#[test]
fn the_filter_takes_names_events_and_refusals_and_esc_shows_all() {
    let mut console = audit();
    console.type_text("/who:jonas").sees("jonas (admin)").sees_no("maria (admin)");
    console.press("enter").sees("/ who:jonas");
    console.press("esc").sees("maria (admin)");
    console.type_text("/event:policy.set").press("enter").sees("Set policy keys-per-operator to 60, was 20");
    console.sees_no("Issued");
    console.press("esc").type_text("/refused nothing-like-this").sees("No entry matches");
    console.press("ctrl-u").type_text("colour:red").sees("there is no filter colour: here, only who:");
    console.press("ctrl-u").type_text("NOT who:maria").sees("jonas (admin)").sees_no("maria (admin)");
}

#[test]
fn older_entries_come_as_one_goes_down() {
    let mut console = audit();
    console.sees("older ones come as you go down").sees_no("Founded the store");
    // Once is enough to come to the first.
    console.press("G");
    for _ in 0..9 {
        console.advance(Duration::from_millis(50));
    }
    console.sees("Founded the store").sees("that is all");
}

#[test]
fn a_trail_that_was_trimmed_ends_with_where_the_rest_is() {
    let sample = sample();
    let (engine, session) = (Arc::clone(&sample.engine), sample.session.clone());
    let trim = |left: u64| {
        let upto = engine.anchor(&session).unwrap().seq - left;
        let head = engine.audit_hash(&session, upto).unwrap().unwrap();
        let file = "/mnt/old.jsonl".to_owned();
        engine.execute(&session, Command::TrimAudit { upto, head, file }).unwrap();
    };
    trim(9);
    let mut console = desk_on(sample, screens(), (120, 40), &FakeClipboard::default());
    console.press("6").advance(Duration::from_millis(50));
    console.sees("are in /mnt/old.jsonl, trimmed by maria").sees_no("older ones come").sees_no("that is all");
    console.sees("Took the oldest entries out of the audit trail").sees("Said again who wrote");
    console.sees_no("Founded the store");
    console.press("V").sees("The chain is intact").sees(", after entry ").press("esc");
    // What is taken out while somebody looks is gone from the list.
    let shown = |console: &Console| console.screen().matches("Set policy").count();
    trim(0);
    console.news(keydeck::tui::app::effect::Outcome::Changed).advance(Duration::from_millis(50));
    console.sees("are in /mnt/old.jsonl, trimmed by maria");
    assert_eq!(shown(&console), 0);
}

#[test]
fn what_happens_meanwhile_comes_on_top_and_the_selection_stays() {
    let sample = sample();
    let (engine, session) = (Arc::clone(&sample.engine), sample.session.clone());
    let mut console = desk_on(sample, screens(), (120, 40), &FakeClipboard::default());
    console.press("6").advance(Duration::from_millis(50)).press("j j");
    let selected = |console: &Console| {
        let screen = console.screen();
        screen.lines().find(|line| line.starts_with('▸')).unwrap().chars().skip(36).collect::<String>()
    };
    let before = selected(&console);
    engine
        .execute(&session, Command::SetPolicy { name: "idle-days".into(), value: "60d".into(), basis: None })
        .unwrap();
    console.news(keydeck::tui::app::effect::Outcome::Changed).advance(Duration::from_millis(50));
    console.sees("Set policy idle-days to 60d");
    assert_eq!(selected(&console), before);
}

#[test]
fn the_chain_is_checked_and_the_head_copied() {
    let clipboard = FakeClipboard::default();
    let mut console = desk_on(sample(), screens(), (120, 40), &clipboard);
    console.press("6").advance(Duration::from_millis(50)).press("V");
    console.sees("✓ The chain is intact").sees("Entries checked").press("y");
    assert_eq!(clipboard.text().len(), 64);
    console.press("esc").sees_no("The chain is intact");
}

#[test]
fn a_viewer_reads_what_concerns_them_and_changes_nothing() {
    let mut console = desk_on(as_operator("sam"), screens(), (100, 30), &FakeClipboard::default());
    console.press("6").advance(Duration::from_millis(50));
    console.sees("only what you did and what concerns your keys").sees("Added operator sam as viewer");
    console.sees_no("Founded the store").sees_no("Read the audit trail");
    go_to(&mut console, 0);
    console.sees("Not yours to change").press("e").sees("this needs the role admin, and you are viewer");
    go_to(&mut console, 1);
    console.sees("sam (you)").sees_no("maria").press("n").sees("this needs the role admin");
    console.press("enter").sees("Set your own passphrase").press("esc");
    go_to(&mut console, 2);
    console.press("C").sees("this needs the role admin");
}

#[test]
fn a_refused_attempt_is_in_the_trail_with_its_reason() {
    let opened = as_operator("sam");
    let set = Command::SetPolicy { name: "idle-days".into(), value: "60d".into(), basis: None };
    assert!(opened.engine.execute(&opened.session, set).is_err());
    let mut console = desk_on(opened, screens(), (120, 30), &FakeClipboard::default());
    console.press("6").advance(Duration::from_millis(50));
    console.sees("✗ refused, role too low: changing the policy");
    console.type_text("/refused").press("enter").sees("1 of").press("enter").sees("refused: role too low");
}

#[test]
fn refused_requests_are_read_in_the_trail_and_opened_with_what_they_mean() {
    let bench = Bench::new();
    let founded = bench.found();
    let new = NewKey {
        name: Name::new("Nightly export").unwrap(),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: None,
        note: Note::default(),
        decoy: false,
    };
    let token = founded.engine.execute(&founded.session, Command::IssueKey(new)).unwrap().token.unwrap();
    founded.engine.execute(&founded.session, Command::revoke(KeyId(token.id()))).unwrap();
    let origin = Origin { address: Some("203.0.113.7".parse().unwrap()), agent: Some(b"curl/8.5") };
    for _ in 0..37 {
        founded.engine.verify_from(token.bytes(), &[], origin);
    }
    let stranger = Token::mint(TokenKind::Agency, &mut OsEntropy).unwrap();
    founded.engine.verify_from(stranger.bytes(), &[], origin);
    // A process that ends tells what it refused.
    drop(founded);
    let passphrase = &Passphrase::present(PHRASE).unwrap();
    let again = open(&bench.options(), &Key::Operator { name: "maria", passphrase }).unwrap();
    let mut console = desk_on(again, screens(), (140, 40), &bench.clipboard);
    console.press("6").advance(Duration::from_millis(50));
    console.sees("✗ Denied 37× · revoked · Nightly export · last from 203.0.113.7");
    console.sees("✗ Denied 1× · never issued here · last from 203.0.113.7").sees_no("refused,");
    console.type_text("/refused 37").press("enter").sees("1 of ").press("enter");
    console.sees("Requests").sees("Last by").sees("curl/8.5").sees("The key was revoked. Issue a new one.");
    console.press("esc").press("esc").type_text("/never issued").press("enter").press("enter");
    console.sees("Fingerprints").sees("  1× from 203.0.113.7").sees_no(stranger.reveal());
}

#[test]
fn a_rule_is_changed_and_a_bad_value_is_refused_while_typing() {
    let mut console = settings(0);
    console.sees("Keys per operator").press("e").sees("Value");
    console.press("ctrl-u").type_text("0").sees("✗ takes").press("enter").sees("✗ takes");
    // Whom it would touch is said before it is done.
    console.press("ctrl-u").type_text("1").sees("would own as many keys as may be or more");
    console.press("ctrl-u").type_text("35").sees_no("✗ takes").sees("1 operator would own").press("enter");
    console.sees("Keys per operator is 35 now");
}

#[test]
fn somebody_joins_and_can_sign_in() {
    let bench = Bench::new();
    let mut console = bench.console(bench.found());
    go_to(&mut console, 1);
    console.sees("maria (you)").press("n").type_text("maria").press("tab tab");
    console.type_text("short").press("tab").type_text("short").press("enter");
    console.sees("taken").press("ctrl-u").type_text("lena").press("tab tab tab").press("enter");
    console.sees("15");
    console
        .press("ctrl-u")
        .type_text(OTHER)
        .press("tab ctrl-u")
        .type_text("something else entirely")
        .press("enter");
    console.sees("That is not the same");
    console.press("ctrl-u").type_text(OTHER).sees("the same").press("enter");
    console.sees("lena may sign in as manager").sees("manager");
    assert!(!console.screen().contains(OTHER));
    drop(console);
    assert!(bench.can_sign_in("lena", OTHER));
}

#[test]
fn a_passphrase_is_replaced() {
    let bench = Bench::new();
    let mut console = bench.console(bench.found());
    go_to(&mut console, 1);
    console
        .press("p")
        .sees("Your new passphrase")
        .type_text(OTHER)
        .press("enter")
        .type_text(OTHER)
        .press("enter");
    console.sees("passphrase of maria is set").sees_no("Your new passphrase");
    drop(console);
    assert!(bench.can_sign_in("maria", OTHER) && !bench.can_sign_in("maria", PHRASE));
}

#[test]
fn the_last_admin_stays_and_the_reason_is_said() {
    let bench = Bench::new();
    let mut console = bench.console(bench.found());
    go_to(&mut console, 1);
    console.press("e").sees("last active admin").press("E").sees("last active admin");
    console.press("enter").sees("End the access").sees("they are the last active admin");
}

#[test]
fn somebody_leaves_their_keys_are_given_away_and_they_come_back() {
    let bench = Bench::new();
    let founded = bench.found();
    add(&founded, "lena", Role::Manager);
    add(&founded, "tomás", Role::Manager);
    let to = founded.engine.state().operators().find(|who| who.name.as_str() == "lena").unwrap().id;
    for called in ["Till", "Door"] {
        let key = founded.engine.execute(&founded.session, issue(called)).unwrap().token.unwrap().id();
        founded.engine.execute(&founded.session, Command::TransferKey { key: KeyId(key), to }).unwrap();
    }
    let mut console = bench.console(founded);
    go_to(&mut console, 1);
    console.press("g E").sees("Disable lena?").sees("Their 2 live keys go on working.").press("down");
    console.sees("Their 2 live keys stop working at").sees("until lena is enabled again or they are given");
    console.press("down").press("enter").sees("type to find one");
    console.type_text("tom").sees("Who gets the keys of lena?").press("enter").sees("belong to tomás");
    console.type_text("Lena").press("ctrl-s").sees("Type lena exactly");
    console.press("ctrl-u").type_text("lena").press("enter").sees("[ Cancel ]");
    console.press("right enter").sees("lena may not sign in any more").sees("disabled, keys stopped");
    console.press("E").sees("Enable lena").type_text(PHRASE).press("enter").type_text(PHRASE).press("enter");
    console.sees("lena may sign in again");
    drop(console);
    assert!(bench.can_sign_in("lena", PHRASE));
}

#[test]
fn keys_that_were_stopped_are_not_given_back_to_life_without_a_word() {
    let bench = Bench::new();
    let founded = bench.found();
    add(&founded, "lena", Role::Admin);
    drop(founded);
    let lena = bench.opened("lena", OTHER);
    lena.engine.execute(&lena.session, issue("Nightly export")).unwrap();
    drop(lena);
    let maria = bench.opened("maria", PHRASE);
    let lena = maria.engine.state().operator_named("lena").unwrap().id;
    let stop = Command::DisableOperator { operator: lena, keys: KeysAfter::Stop };
    maria.engine.execute(&maria.session, stop).unwrap();
    let mut console = bench.console(maria);
    go_to(&mut console, 1);
    console.press("g enter").press("down down down enter").sees("Keys of lena");
    console
        .sees("Their 1 live key works again, but for paused ones")
        .press("down down")
        .press("enter")
        .type_text("maria");
    console
        .press("enter")
        .sees("Their 1 live key belongs to maria from then")
        .sees("works again, but for paused ones");
}

#[test]
fn a_key_of_a_store_in_doubt_is_not_said_to_work() {
    let bench = Bench::new();
    let founded = bench.found();
    founded.engine.execute(&founded.session, issue("Nightly export")).unwrap();
    drop(founded);
    std::fs::remove_file(bench.dir.path().join("seal")).unwrap();
    let open = bench.opened("maria", PHRASE);
    let mut console = desk_on(open, vec![behind(Tab::Agency)], (140, 30), &bench.clipboard);
    console.sees("Nightly export").sees("◇ in doubt").sees_no("● active");
    console.press("enter").sees("Refused: the store is in doubt").sees_no("It works");
}

#[test]
fn enter_on_cancel_ends_nobodys_access() {
    let mut console = settings(1);
    console.press("g").press("E").sees("Disable aiko?").press("tab").type_text("aiko").press("enter enter");
    console.sees_no("Disable aiko?").sees_no("may not sign in");
}

#[test]
fn a_role_is_changed() {
    let mut console = settings(1);
    console
        .press("g")
        .press("e")
        .sees("Role of aiko")
        .press("down")
        .sees("aiko will be admin")
        .press("enter");
    console.sees("aiko is admin now");
}

#[test]
fn a_role_or_a_rule_that_somebody_else_changed_meanwhile_is_asked_about() {
    let sample = sample();
    let (engine, session) = (Arc::clone(&sample.engine), sample.session.clone());
    let mut console = desk_on(sample, screens(), (120, 40), &FakeClipboard::default());
    let aiko = engine.state().operator_named("aiko").unwrap().id;
    let role = || engine.state().operator(aiko).unwrap().role;
    go_to(&mut console, 1);
    console.press("g").press("e").sees("Role of aiko").press("down").sees("aiko will be admin");
    let set = Command::SetRole { operator: aiko, role: Role::Viewer, basis: None };
    engine.execute(&session, set).unwrap();
    console.press("enter").sees("was manager, is now viewer").sees("yours: admin");
    assert_eq!(role(), Role::Viewer);
    console.press("tab enter").sees("Role of aiko").sees("(*) viewer").press("esc");
    assert_eq!(role(), Role::Viewer);

    go_to(&mut console, 0);
    console.press("g").press("e").sees("Keys per operator").press("ctrl-u").type_text("70");
    let rule = |value: &str| Command::SetPolicy {
        name: "keys-per-operator".into(),
        value: value.into(),
        basis: None,
    };
    engine.execute(&session, rule("10")).unwrap();
    console.press("enter").sees("is now 10").sees("yours: 70").press("enter").sees_no("is now 10");
    // Seen, and wanted all the same.
    console.press("enter").sees("Keys per operator is 70 now");
}

#[test]
fn one_boot_with_a_clock_ahead_is_put_right_in_the_settings() {
    let bench = Bench::new();
    let phrase = Passphrase::choose(PHRASE).unwrap();
    let key = Key::Operator { name: "maria", passphrase: &phrase };
    let at = |wall| Options { clock: Arc::new(TestClock::at(Timestamp(wall))), ..bench.options() };
    let clock = TestClock::at(START);
    let named = |text| Name::new(text).unwrap();
    let first = Options { clock: Arc::new(clock.clone()), ..bench.options() };
    let opened = found(&first, named("Acme Agency"), named("maria"), &phrase).unwrap().open;
    let thirty = Expiry::At(Timestamp(START.0 + 30 * DAY_MS));
    let new = NewKey {
        name: named("Thirty days"),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: Some(thirty),
        note: Note::default(),
        decoy: false,
    };
    let issued = opened.engine.execute(&opened.session, Command::IssueKey(new)).unwrap();
    clock.pass(3_600_000);
    opened.engine.execute(&opened.session, Command::EndSession).unwrap();
    drop(opened);
    // The machine starts anew, and its clock is more than a year ahead; then it is right.
    drop(open(&at(START.0 + 400 * DAY_MS), &key).unwrap());
    let opened = open(&at(START.0 + DAY_MS), &key).unwrap();
    let engine = Arc::clone(&opened.engine);
    let token = issued.token.unwrap();
    assert!(!engine.verify(token.reveal().as_bytes(), &[]).is_allow());
    let mut console = bench.console(opened);
    console.sees("clock is in doubt");
    go_to(&mut console, 2);
    console.sees("in doubt: it is 399 d behind").press("T").sees("Is the clock right?");
    console.sees("Work again: Thirty days.").press("right enter").sees("The clock is believed from now on");
    console.sees_no("in doubt").press("T").sees("the clock is believed already");
    assert!(engine.verify(token.reveal().as_bytes(), &[]).is_allow());
}

#[test]
fn the_recovery_code_is_shown_once_and_must_be_stored() {
    let bench = Bench::new();
    let mut console = bench.console(bench.found());
    go_to(&mut console, 2);
    console.sees("sealed, and it agrees").sees("1 passphrase: maria").sees("the recovery code made");
    console.press("C").sees("Renew the recovery code?").press("enter").sees_no("New recovery code");
    console.press("C").press("right enter").sees("New recovery code").sees("kdrc_");
    let shown: String = console.screen().split_whitespace().find(|w| w.starts_with("kdrc_")).unwrap().into();
    console
        .press("enter")
        .sees("never shown again")
        .sees("New recovery code")
        .press("esc")
        .sees("New recovery code");
    console.press("c");
    assert_eq!(bench.clipboard.text(), shown);
    console.press("r").sees_no(&shown).press("r").press("p").sees(&shown).press("esc");
    let wiped = console.wipes;
    console.press("space enter").sees_no("kdrc_").sees("is in force");
    assert!(console.wipes > wiped);
    drop(console);
    let code = RecoveryCode::parse(&shown).unwrap();
    assert!(open(&bench.options(), &Key::Recovery { name: "maria", code: &code }).is_ok());
}

#[test]
fn about_says_what_one_is_asked_for_when_asking_for_help() {
    let bench = Bench::new();
    let mut console = bench.console(bench.found());
    go_to(&mut console, 3);
    console.sees(env!("CARGO_PKG_VERSION")).sees("sled, revision").sees("free").sees("test terminal");
    console.sees("scopes in").sees("MIT OR Apache-2.0");
    console.press("enter").sees("Developer guide").sees("Authorization: Bearer");
    console.type_text("/malformed").press("enter").sees("malformed").press("esc");
    console.press("down enter").sees("Licences").press("esc").sees_no("minicbor");
}

#[test]
fn no_size_breaks_a_frame() {
    for keys in [
        "6",
        "6 enter",
        "6 V",
        "7",
        "7 enter e",
        "7 j enter E",
        "7 j enter n",
        "7 j j enter",
        "7 j j j enter enter",
    ] {
        let mut console = desk(screens());
        for key in keys.split(' ') {
            console.press(key).advance(Duration::from_millis(50));
        }
        for (width, height) in [(120, 40), (80, 24), (60, 15), (40, 10), (20, 5), (1, 1), (200, 60)] {
            console.resize(width, height);
        }
    }
}

#[test]
fn what_was_done_is_read_in_narrow_windows_too() {
    let mut console = audit();
    console.sees("maria (admin)");
    console.resize(80, 24).sees("Disabled lena, keys work").sees_no("(manager)").sees_no("Via");
    console.resize(60, 15).sees("Disabled lena, keys work").sees_no("(manager)");
}
