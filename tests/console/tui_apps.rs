//! A person's day with apps: creating them in three steps, editing, new secrets and keys, pausing, deleting, and
//! finding out how to call and why a token is refused, in a console made of memory.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::sync::Arc;
use std::time::Duration;

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::crypto::random::OsEntropy;
use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::signing::PartyName;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{
    App, AppStatus, Command, Counted, Expiry, Key, KeyState, KeysAfter, Name, NewApp, NewKey, Note, Place,
    Profile, Role, Rotation, SourceApp, Timestamp, Url, UserType,
};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{self as door, Open, Options, found, in_memory, open};
use keydeck::engine::{Brought, Engine, LocalEngine, Session, Via};
use keydeck::tui::action::Tab;
use keydeck::tui::app::testing::{Console, desk, desk_on, sample};
use keydeck::tui::screens::{Tabbed, behind};
use keydeck::tui::testing::FakeClipboard;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

fn screens() -> Vec<Tabbed> {
    vec![behind(Tab::Agency), behind(Tab::Locations), behind(Tab::Apps)]
}

/// A small store and the console on it.
struct House {
    engine: Arc<LocalEngine>,
    session: Session,
    clipboard: FakeClipboard,
}

impl House {
    fn new() -> Self {
        let clock = TestClock::at(NOW);
        let (agency, operator) = (name("Acme"), name("maria"));
        let open = in_memory(agency, operator, Arc::new(clock), Via::Console, Box::new(OsEntropy)).unwrap();
        Self { engine: open.engine, session: open.session, clipboard: FakeClipboard::default() }
    }

    fn run(&self, command: Command) {
        self.engine.execute(&self.session, command).unwrap();
    }

    fn create(&self, called: &str, method: AuthMethod) -> App {
        let profile = Profile {
            uri: Url::new("https://example.com").unwrap(),
            description: Note::new("").unwrap(),
            user_type: UserType::Guest,
            source: SourceApp::Bot,
            post_login: vec![Url::new("https://example.com/in").unwrap()],
            post_logout: Vec::new(),
        };
        let scopes = vec!["contacts.read".into(), "calendars.read".into()];
        self.run(Command::CreateApp(NewApp {
            name: name(called),
            profile,
            method,
            scopes,
            terms: keydeck::domain::Terms::default(),
        }));
        self.app(called)
    }

    /// A key of an app with its token.
    fn issue(&self, called: &str, app: &App, scopes: &[&str]) -> String {
        let scopes = scopes.iter().map(ToString::to_string).collect();
        let note = Note::new("").unwrap();
        let place = Place::App(app.id);
        let new =
            NewKey { name: name(called), place, scopes, expiry: Some(Expiry::Never), note, decoy: false };
        let done = self.engine.execute(&self.session, Command::IssueKey(new)).unwrap();
        done.token.unwrap().reveal().to_owned()
    }

    /// The console on its apps.
    fn console(&self) -> Console {
        self.console_of(120, 40)
    }

    fn console_of(&self, width: u16, height: u16) -> Console {
        let open = Open { engine: self.engine.clone(), session: self.session.clone(), notices: Vec::new() };
        let mut console = desk_on(open, screens(), (width, height), &self.clipboard);
        console.press("3");
        console
    }

    fn app(&self, called: &str) -> App {
        let state = self.engine.state();
        state.apps().find(|app| app.name.as_str() == called).unwrap().clone()
    }

    fn key(&self, called: &str) -> Key {
        let state = self.engine.state();
        state.keys().find(|key| key.name.as_str() == called).unwrap().clone()
    }

    fn state_of(&self, called: &str) -> KeyState {
        self.key(called).state(self.engine.now().time)
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// Fills in the first page for an app guests sign in through, and goes on to the second.
fn details(console: &mut Console, called: &str) {
    console.press("n").sees("1 Details").type_text(called).press("tab").type_text("https://bot.example");
    console.press("tab").type_text("answers guests").press("tab space").press("ctrl-s").sees("Sends");
}

#[test]
fn an_app_with_a_key_is_created_stored_and_gets_its_key() {
    let house = House::new();
    let mut console = house.console();
    console.sees("No apps yet. n creates the first one.");
    details(&mut console, "Booking bot");
    console.press("/").type_text("contacts.read").press("enter space");
    console.sees("Creates Booking bot, which uses API keys: 1 scope, risk read").press("ctrl-s");
    console.sees("Booking bot is created").sees("3 Secret").sees("•••••");
    let app = house.app("Booking bot");
    console.sees(&app.id.to_string()).press("y");
    assert_eq!(house.clipboard.text(), app.id.to_string());
    console.press("c").sees("cleared in 45 s");
    let secret = house.clipboard.text();
    assert!(secret.starts_with(&format!("kdas_{}_", app.id.public())) && secret.len() == 56, "{secret:?}");
    console.sees_no(&secret).press("r").sees(&secret).press("p");
    assert!(console.screen().lines().any(|line| line == secret));
    console.press("esc").sees("I stored it").press("enter").sees("tick \"I stored it\" first");
    let wiped = console.wipes;
    console.press("space enter").sees("Step 3 of 3: its API key").sees_no(&secret);
    assert!(console.wipes > wiped, "the screen is wiped after a secret");
    // The key is offered whole: name, life of the policy, all the app may do.
    console.sees("the agency's rule: 365 days").sees("[ Issue key ]").press("enter");
    console.sees("Booking bot is issued").sees("app key of Booking bot").press("c");
    let token = house.clipboard.text();
    assert!(token.starts_with("kdap_"), "{token:?}");
    console.press("space enter").sees("Booking bot is issued and works").sees("Keys of Booking bot");
    assert!(house.engine.verify(token.as_bytes(), &[]).is_allow());
    let key = house.key("Booking bot");
    assert_eq!((key.place, key.expiry), (Place::App(app.id), Expiry::At(Timestamp(NOW.0 + 365 * DAY_MS))));
    assert_eq!((app.profile.user_type, app.profile.source), (UserType::Guest, SourceApp::ExternalCma));
    assert_eq!(app.profile.description.as_str(), "answers guests");
}

#[test]
fn an_app_with_access_tokens_is_told_how_to_fetch_them() {
    let house = House::new();
    let mut console = house.console();
    details(&mut console, "Guest app");
    console.press("down").sees("(*) Access tokens").press("tab").type_text("guest app").press("enter");
    console.sees("Preset         Guest app").press("ctrl-s").sees("Guest app is created");
    let app = house.app("Guest app");
    console.sees("How it fetches an access token").sees("grant_type=client_credentials");
    console.sees(&format!("{}:$KEYDECK_APP_SECRET", app.id));
    assert!(!console.screen().contains("issue its API key"));
    console.press("c space enter").sees("Guest app is created and works").sees("tokens");
    assert_eq!(app.method, AuthMethod::Jwt);
    // It has no keys to go to, and says so.
    console.press("l").sees("this app uses access tokens and has no keys");
    console.advance(Duration::from_secs(5)).press("i").sees("uses access tokens, not keys");
}

#[test]
fn switching_the_method_keeps_what_remains_allowed_and_says_what_went() {
    let house = House::new();
    let mut console = house.console();
    details(&mut console, "Guest app");
    console.press("down").press("tab").type_text("guest app").press("enter").sees("14 scopes");
    console.press("shift-tab shift-tab").press("up");
    console.sees("not possible with API keys, left out: guests.sign-in").sees("13 scopes");
    console.press("down").sees("14 scopes").sees_no("13 scopes");
}

#[test]
fn what_is_wrong_stands_beside_its_field_and_stepping_back_keeps_everything() {
    let house = House::new();
    house.create("Booking bot", AuthMethod::ApiKey);
    let mut console = house.console();
    console.press("n ctrl-s").sees("a name is needed").type_text("booking BOT");
    console.sees("another app of yours has this name").type_text(" 2").sees_no("has this name");
    console.press("tab").type_text("http://bot.example").sees("only https is safe").press("ctrl-s");
    console.sees("1 Details").press("ctrl-u").type_text("bot.example").sees("not a complete address");
    console.press("ctrl-u").type_text("https://u:p@bot.example").sees("no user name or password");
    console.press("ctrl-u").type_text("https://bot.example").sees_no("no user name");
    // Nobody signs in through it yet.
    console.press("ctrl-s").sees("tick who signs in through it").press("tab space").sees("[✓] employees");
    console.press("shift-tab space").sees("[✓] guests").press("tab tab down down down").sees("(*) Bot");
    // Several addresses: typed, pasted, one of them wrong, one taken out again.
    console.press("tab").type_text("https://bot.example/in").press("enter");
    console.paste("https://bot.example/a\nhttps://bot.example/b").sees("https://bot.example/b");
    console.press("enter").type_text("https://bot.example/in").sees("it is on the list already");
    console.press("ctrl-s").sees("it is on the list already").press("ctrl-u");
    console
        .press("tab")
        .type_text("https://bot.example/#out")
        .sees("no # part")
        .press("ctrl-s")
        .sees("no # part");
    console.press("ctrl-u").type_text("https://bot.example/out").press("ctrl-s").sees("Sends");
    console.press("ctrl-s").sees("an app needs at least one scope");
    console.press("/").type_text("contacts.read").press("enter space");
    // Back and forth: all of it is still there.
    console.press("esc esc").sees("booking BOT 2").sees("(*) Bot").sees("https://bot.example/out");
    console.press("ctrl-s").sees("1 scope, risk read").press("ctrl-s").sees("booking BOT 2 is created");
    let profile = house.app("booking BOT 2").profile;
    let texts = |urls: &[Url]| urls.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        texts(&profile.post_login),
        ["https://bot.example/in", "https://bot.example/a", "https://bot.example/b"]
    );
    assert_eq!(texts(&profile.post_logout), ["https://bot.example/out"]);
    assert_eq!((profile.user_type, profile.source), (UserType::Both, SourceApp::Bot));
}

#[test]
fn the_wizard_can_be_clicked_through() {
    let house = House::new();
    let mut console = house.console();
    console
        .press("n")
        .type_text("Kiosk")
        .click_on("https://example.com, where")
        .type_text("https://kiosk.example");
    console.click_on("employees").sees("[✓] employees").click_on("( ) Client app").sees("(*) Client app");
    console.click_on("After logout").type_text("https://kiosk.example/out").click_on("Next ›").sees("Sends");
    console
        .click_on("( ) Access tokens")
        .sees("(*) Access tokens")
        .click_on("none; type to find")
        .type_text("guest");
    console.press("enter").sees("14 scopes").click_on("Back").sees("kiosk.example/out").click_on("Next ›");
    console
        .click_on("Create app")
        .sees("Kiosk is created")
        .press("c")
        .click_on("I stored it")
        .sees("[✓] I stored it");
    let app = house.app("Kiosk");
    assert_eq!((app.profile.source, app.profile.user_type), (SourceApp::ClientApp, UserType::Employee));
    assert_eq!((app.method, app.profile.post_logout.len()), (AuthMethod::Jwt, 1));
}

#[test]
fn a_begun_form_is_thrown_away_only_after_a_second_esc() {
    let house = House::new();
    let mut console = house.console();
    console.press("n esc").sees_no("1 Details");
    console
        .press("n")
        .type_text("Kiosk")
        .press("esc")
        .sees("esc again throws the form away")
        .sees("1 Details");
    console.press("esc").sees_no("1 Details").sees("No apps yet");
}

#[test]
fn leaving_the_secret_early_asks_and_a_new_one_is_made_instead() {
    let house = House::new();
    let mut console = house.console();
    details(&mut console, "Booking bot");
    console.press("/").type_text("contacts.read").press("enter space ctrl-s").sees("is created");
    console.press("r");
    let shown = console.screen();
    let first = shown.split_whitespace().find(|word| word.starts_with("kdas_")).unwrap().to_owned();
    console.press("esc").sees("Leave without it?").sees("you would have to make a new secret").sees(&first);
    // Any other key stays.
    console.press("r").sees_no("Leave without it?").sees("I stored it");
    console
        .press("esc esc")
        .sees("The new secret of Booking bot was not stored")
        .sees_no("I stored it")
        .sees_no(&first);
    let before = house.app("Booking bot").secret;
    console.press("backspace N").sees("New secret for an app").sees("ends at once").sees("[ Cancel ]");
    console.press("enter").sees_no("New secret for an app");
    console.press("N tab enter").sees("Booking bot has a new secret").sees_no("3 Secret").press("c");
    assert_ne!(house.clipboard.text(), first);
    assert_ne!(house.app("Booking bot").secret, before);
    console.press("space enter").sees("the old one is worthless");
}

#[test]
fn an_edit_of_an_app_leaves_alone_what_somebody_else_changed_meanwhile() {
    let house = House::new();
    let app = house.create("Booking bot", AuthMethod::ApiKey);
    let mut console = house.console();
    console.press("e").sees("Edit Booking bot").press("tab tab").type_text("for the front desk");
    let profile = Profile { description: Note::new("for guests").unwrap(), ..app.profile.clone() };
    let change = NewApp {
        name: name("Reception bot"),
        profile,
        method: AuthMethod::ApiKey,
        scopes: vec!["calendars.read".into()],
        terms: keydeck::domain::Terms::default(),
    };
    house.run(Command::EditApp { app: app.id, change, basis: None });
    console.press("ctrl-s").sees("Changed meanwhile").sees("was Booking bot, is now Reception bot");
    console.sees("- contacts.read").sees("is now for guests").sees("yours: for the front desk");
    // Looking again keeps what was typed, above what there is now.
    console.press("enter").sees("Edit").sees("Reception bot").sees("for the front desk").press("ctrl-s");
    console.sees("Reception bot is changed");
    let app = house.app("Reception bot");
    assert_eq!(
        (app.scopes.to_string(), app.profile.description.as_str()),
        ("calendars.read".into(), "for the front desk")
    );
}

#[test]
fn a_resource_server_has_nothing_to_tick_and_says_whom_it_asks_for() {
    let house = House::new();
    let mut console = house.console();
    details(&mut console, "Files");
    console.press("down down").sees("(*) Nothing").press("tab").type_text("https://files.example.com");
    console.sees("Creates Files, which asks about what its callers present").press("ctrl-s");
    console.sees("Files is created").sees("asks about what its callers present").press("c space enter");
    let app = house.app("Files");
    assert_eq!((app.method, app.scopes.len()), (AuthMethod::ResourceServer, 0));
    assert_eq!(
        app.audiences().iter().map(PartyName::as_str).collect::<Vec<_>>(),
        ["https://files.example.com"]
    );
    console.sees("checks").press("o").sees("Edit Files").sees("Sends");
}

#[test]
fn how_the_tokens_of_an_app_are_signed_is_edited_with_what_that_ends_in_sight() {
    let house = House::new();
    house.create("Guest app", AuthMethod::Jwt);
    let mut console = house.console();
    console.press("o").sees("Edit Guest app").sees("(*) EdDSA").click_on("( ) ES256").sees("(*) ES256");
    console.sees("Its access tokens signed with EdDSA end at once.").press("ctrl-s");
    console.sees("Guest app is changed");
    assert_eq!(house.app("Guest app").alg(), keydeck::domain::TokenAlg::Es256);
}

#[test]
fn what_an_app_may_do_is_a_key_press_away() {
    let house = House::new();
    house.create("Booking bot", AuthMethod::ApiKey);
    let mut console = house.console();
    console.press("o").sees("Edit Booking bot").sees("Sends").press("/").type_text("contacts.read");
    console.press("enter space").sees("Loses the scopes: contacts.read.").press("ctrl-s");
    console.sees("Booking bot is changed");
    assert_eq!(house.app("Booking bot").scopes.to_string(), "calendars.read");
}

#[test]
fn an_app_is_edited_with_what_its_keys_lose_in_sight() {
    let house = House::new();
    let app = house.create("Booking bot", AuthMethod::ApiKey);
    house.issue("Live", &app, &["contacts.read", "calendars.read"]);
    house.issue("Narrow", &app, &["calendars.read"]);
    let mut console = house.console();
    console.press("e").sees("Edit Booking bot").press("ctrl-s").sees("the app is exactly so");
    console.press("ctrl-u").type_text("Reception bot").press("tab tab").type_text("for the front desk");
    console
        .press("tab tab tab tab tab tab tab")
        .press("enter")
        .sees("Sends")
        .sees("API keys, as it was made");
    console.press("/").type_text("contacts.read").press("enter space").sees("its key Live changes with it");
    console.sees("Loses the scopes: contacts.read.");
    console.press("/ ctrl-u").type_text("calendars.read").press("enter space").press("ctrl-s");
    console.sees("an app needs at least one scope").press("/ ctrl-u").type_text("contacts.read");
    console.press("enter space").sees("the key Narrow of this app would be left without scopes");
    console.press("space").press("/ ctrl-u").type_text("calendars.read").press("enter space ctrl-s");
    console.sees("Reception bot is changed");
    assert_eq!(house.key("Live").scopes.to_string(), "calendars.read");
    let app = house.app("Reception bot");
    assert_eq!(
        (app.scopes.to_string(), app.profile.description.as_str()),
        ("calendars.read".into(), "for the front desk")
    );
}

#[test]
fn a_new_key_may_retire_the_old_ones_once_it_is_stored() {
    let house = House::new();
    let app = house.create("Booking bot", AuthMethod::ApiKey);
    let old = house.issue("Booking bot", &app, &["contacts.read"]);
    let mut console = house.console();
    console.press("i").sees("Booking bot 2").sees("[ ] revoke Booking bot").sees("it goes on working");
    console.press("tab tab tab space").sees("[✓] revoke Booking bot").sees("once the new one is stored");
    console.press("ctrl-s").sees("Booking bot 2 is issued");
    assert!(house.engine.verify(old.as_bytes(), &[]).is_allow(), "nothing ends before the new one is stored");
    console.press("c space enter").sees("Booking bot is revoked; Booking bot 2 takes its place");
    assert_eq!(
        (house.state_of("Booking bot"), house.state_of("Booking bot 2")),
        (KeyState::Revoked, KeyState::Active)
    );
    // Without the tick the old ones stay.
    console.press("n ctrl-s c space enter").sees("Booking bot is issued and works");
    assert_eq!(house.state_of("Booking bot 2"), KeyState::Active);
}

#[test]
fn an_app_is_paused_resumed_and_deleted_by_its_name() {
    let house = House::new();
    let app = house.create("Booking bot", AuthMethod::ApiKey);
    let token = house.issue("Live", &app, &["contacts.read"]);
    let allowed = || house.engine.verify(token.as_bytes(), &[]).is_allow();
    let mut console = house.console();
    console.press("P").sees("Pause app").sees("Its 1 key stop").sees("[ Cancel ]").press("enter");
    assert!(allowed());
    console
        .press("P tab enter")
        .sees("Booking bot is paused; u resumes it")
        .sees("‖ paused")
        .sees("app stopped");
    assert!(!allowed());
    console.press("u").sees("Booking bot is active again");
    assert!(allowed());
    console.press("D").sees("Its 1 key go with it").sees("Type its name to confirm: Booking bot");
    console.type_text("booking bot").press("enter").sees("exactly as it stands there").press("esc");
    assert_eq!(house.app("Booking bot").status, AppStatus::Active);
    console
        .press("D")
        .type_text("Booking bot")
        .sees("[ Delete ]")
        .press("enter")
        .sees("Booking bot is deleted");
    assert!(!allowed());
    assert_eq!(house.state_of("Live"), KeyState::Revoked);
    console.sees("Only deleted apps are left here").press("/").type_text("state:deleted").press("enter");
    console.sees("▸  Booking bot").press("D").sees("that is final");
}

/// A house whose maria is not admin any more.
fn demoted(role: Role, rule: Option<&str>) -> House {
    let house = House::new();
    house.create("Booking bot", AuthMethod::ApiKey);
    house.run(Command::AddOperator { name: name("jonas"), role: Role::Admin });
    if let Some(least) = rule {
        house.run(Command::SetPolicy { name: "issue-app".into(), value: least.into(), basis: None });
    }
    let operator = house.session.actor().operator;
    house.run(Command::SetRole { operator, role, basis: None });
    house
}

#[test]
fn who_may_not_change_apps_sees_why() {
    demoted(Role::Manager, None).console().press("n").sees("this needs the role admin").sees_no("1 Details");
    demoted(Role::Manager, Some("manager")).console().press("n").sees("1 Details");
    let mut console = demoted(Role::Viewer, Some("manager")).console();
    for key in ["n", "e", "i", "N", "P", "D"] {
        console.press(key).sees("and you are viewer").sees_no("[ Cancel ]");
        console.advance(Duration::from_secs(5)).sees_no("and you are viewer");
    }
    // Looking, copying and asking how are everybody's.
    console.press("H").sees("Calling with an API key").press("esc").press("t").sees("Test a token");
}

#[test]
fn the_table_is_filtered_sorted_and_clicked() {
    let mut console = desk(screens());
    console.press("3").sees("Booking bot").sees("Guest app").sees("Keys of Booking bot");
    console.press("/").type_text("method:tokens").sees("Guest app").sees_no("Rota planner").sees("2 of 8");
    console.press("ctrl-u").type_text("source:bot user:employee").sees("1 of 8").press("ctrl-u");
    console.type_text("state:paused").sees("Voice assistant pilot").press("ctrl-u").type_text("colour:red");
    console.sees("there is no filter colour:").press("ctrl-u").type_text("state:deleted").press("enter");
    console.sees("Summer campaign").press("esc").sees("Guest app").sees_no("Summer campaign");
    console.press("s k").sees("Keys ▲").press("s k").sees("Keys ▼").press("S").sees("Columns").press("m esc");
    console.press("S m esc").click_on("Guest app").sees("Guest app has no keys: it fetches access tokens");
    console.press("g").click_on("Gift shop").sees("Keys of Gift shop").sees("shop.acme-wellness");
    console.press("x").sees("With this app").sees("Replace its secret as lost").press("esc");
}

#[test]
fn how_to_call_is_copied_block_by_block_and_holds_no_secret() {
    let house = House::new();
    let app = house.create("Booking bot", AuthMethod::ApiKey);
    let token = house.issue("Live", &app, &["contacts.read"]);
    house.create("Guest app", AuthMethod::Jwt);
    let mut console = house.console();
    console
        .press("H")
        .sees("Calling with an API key: Booking bot")
        .sees("API 1.0")
        .sees(&house.key("Live").hint());
    console.press("tab y");
    let copied = house.clipboard.text();
    assert!(copied.starts_with("curl") && copied.contains("$KEYDECK_TOKEN"), "{copied}");
    assert!(!copied.contains(&token[18..]));
    console.press("tab").sees("copies Python").press("tab tab y");
    assert!(house.clipboard.text().contains("keydeck guide nginx"));
    console.press("esc j H").sees("Calling with access tokens: Guest app").sees("API 2.0");
    console.press("y");
    assert!(house.clipboard.text().contains(&house.app("Guest app").id.to_string()));
}

#[test]
fn examples_name_the_platform_once_an_admin_said_where_it_answers() {
    let house = House::new();
    let app = house.create("Booking bot", AuthMethod::ApiKey);
    house.issue("Live", &app, &["contacts.read"]);
    house.create("Guest app", AuthMethod::Jwt);
    let mut console = house.console();
    // Until then it is said that the address is made up, where it is read and where it is copied from.
    console.press("H").sees("only stands for the address of your platform").sees("Base URL, under Settings");
    console.sees("\"https://api.example.com/v1/contacts\"").press("esc");
    house.run(Command::SetPolicy {
        name: "base-url".into(),
        value: "https://api.acme.com/crm/".into(),
        basis: None,
    });
    console.press("H").sees("\"https://api.acme.com/crm/v1/contacts\"").sees_no("example.com").press("tab y");
    assert!(house.clipboard.text().starts_with("curl --fail-with-body \"https://api.acme.com/crm/v1/"));
    console
        .press("esc j H")
        .sees("\"https://api.acme.com/crm/oauth/token\"")
        .sees_no("stands for")
        .press("esc");
    console.press("N").type_text("Guest app").press("tab enter").sees("has a new secret");
    console.sees("How it fetches an access token:").sees("https://api.acme.com/crm/oauth/token");
}

#[test]
fn a_token_is_tested_step_by_step_and_counts_no_use() {
    let house = House::new();
    let app = house.create("Booking bot", AuthMethod::ApiKey);
    let token = house.issue("Live", &app, &["contacts.read"]);
    let mut console = house.console();
    console.press("t enter").sees("paste a token first").paste(&format!("{token}\n")).sees_no(&token[18..]);
    console.press("enter").sees("✓ Allowed: the key Live").sees("✓ scopes: all that the request needs");
    console
        .press("tab")
        .type_text("contacts.wriet")
        .sees("no scope is called contacts.wriet")
        .press("ctrl-u");
    console.type_text("contacts.write").press("enter").sees("✗ Refused: the key Live");
    console.sees("✗ scopes: all that the request needs").sees("Missing: contacts.write").press("esc");
    console.sees_no("Test a token").press("t").sees("paste it; it shows as dots").press("esc");
    house.engine.settle().unwrap();
    let live = house.key("Live").id;
    assert_eq!(house.engine.state().usage(live).count, 0);
    // The order is that of the verifier: what comes after the refusal was not asked.
    house.run(Command::PauseApp(app.id));
    console.press("t").paste(&token).press("enter").sees("✗ app: none, or works").sees("· not paused");
    console.sees("Resume the app if it should work").press("ctrl-u").type_text("nonsense").press("enter");
    console.sees("✗ form: length").sees("Not a keydeck token");
}

#[test]
fn a_key_of_somebody_else_is_not_named() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        clock: Arc::new(TestClock::at(NOW)),
        // The cheapest that is accepted: nothing here depends on it.
        cost: Cost::IMPORTED,
        ..Options::new(dir.path(), "test", Via::Console)
    };
    let phrase = Passphrase::choose("correct horse battery staple").unwrap();
    let founded = found(&options, name("Acme"), name("maria"), &phrase).unwrap().open;
    let secret = Brought::Passphrase(&phrase);
    founded
        .engine
        .act(&founded.session, Command::AddOperator { name: name("jonas"), role: Role::Manager }, secret)
        .unwrap();
    let house = House {
        engine: founded.engine.clone(),
        session: founded.session.clone(),
        clipboard: FakeClipboard::default(),
    };
    let app = house.create("Booking bot", AuthMethod::ApiKey);
    let token = house.issue("Secret project", &app, &["contacts.read"]);
    let clipboard = house.clipboard.clone();
    drop((house, founded));
    let jonas = open(&options, &door::Key::Operator { name: "jonas", passphrase: &phrase }).unwrap();
    let mut console = desk_on(jonas, screens(), (120, 40), &clipboard);
    console.press("3").sees("No apps here").sees("this needs the role admin");
    console.press("t").paste(&token).press("enter").sees("✓ Allowed");
    console.sees("a key or app that is not yours to see").sees_no("Secret project");
}

#[test]
fn a_paused_app_of_somebody_whose_keys_were_stopped_does_not_promise_to_work_when_resumed() {
    let open = sample();
    let portal = |app: &&App| app.name.as_str() == "Franchise portal";
    let app = open.engine.state().apps().find(portal).unwrap().clone();
    open.engine.execute(&open.session, Command::PauseApp(app.id)).unwrap();
    open.engine
        .execute(&open.session, Command::DisableOperator { operator: app.owner, keys: KeysAfter::Stop })
        .unwrap();
    let mut console = desk_on(open, screens(), (120, 40), &FakeClipboard::default());
    console.press("3 /").type_text("Franchise").press("enter").sees("▸  Franchise portal");
    console.sees("owner stopped").sees_no("until it is resumed");
}

#[test]
fn every_size_is_drawn_and_the_small_ones_can_do_everything() {
    let house = House::new();
    let app = house.create("Booking bot", AuthMethod::ApiKey);
    house.issue("Live", &app, &["contacts.read"]);
    house.create("Guest app", AuthMethod::Jwt);
    for keys in [
        "", "enter", "l", "l enter", "n", "e", "e ctrl-s", "i", "N", "P", "D", "H", "t", "x", "/", "s", "S",
        "j",
    ] {
        let mut console = house.console();
        console.press(keys);
        for (width, height) in [(120, 40), (80, 24), (60, 15), (20, 5), (1, 1), (300, 90)] {
            console.resize(width, height);
        }
    }
    let mut console = house.console_of(60, 15);
    console
        .sees("▸  Booking bot")
        .press("enter")
        .sees("back to the table")
        .sees("app_")
        .press("l")
        .sees("Live");
    console.press("h").sees("Guest app");
    details(&mut console, "Small window");
    console.press("/").type_text("contacts.read").press("enter space ctrl-s").sees("Small window is created");
    console.press("r");
    let secret = console.screen().lines().find(|line| line.contains("kdas_")).unwrap().trim().to_owned();
    assert_eq!(secret.len(), 56);
    console.sees("[ ] I stored it").press("esc").sees("Leave?").press("space enter");
    console
        .sees("its API key")
        .press("enter")
        .sees("Small window is issued")
        .press("c space enter")
        .sees("● active");
}

#[test]
fn the_secret_of_an_app_is_rotated_and_the_old_one_lengthened_and_ended() {
    let house = House::new();
    house.create("Booking bot", AuthMethod::Jwt);
    let mut console = house.console();
    console
        .press("R")
        .sees("Rotate Booking bot")
        .sees("after the new one is first used")
        .sees_no("New one ends");
    console.press("tab left").sees("works for 24 h from now").press("ctrl-s").sees("has a new secret");
    console.press("c space enter").sees("has a new secret; the old one works on");
    let ends = |house: &House| house.app("Booking bot").previous().and_then(|old| old.until.instant());
    assert_eq!(ends(&house), Some(Timestamp(NOW.0 + DAY_MS)));
    console.sees("grace 24 h").press("enter").sees("Old secret").sees("not used since it was replaced");
    console.press("R").sees("and more than two are").press("+").sees("works a day longer");
    assert_eq!(ends(&house), Some(Timestamp(NOW.0 + 2 * DAY_MS)));
    console.press("F").sees("End the old secret").sees("Nobody has used it").press("tab enter");
    console.sees("the old secret of Booking bot has ended");
    assert!(house.app("Booking bot").previous().is_none());
    console.press("Z").sees("it has one secret, and what has ended stays so");
}

#[test]
fn a_new_secret_nobody_took_is_taken_back_and_a_lost_one_stays_dead() {
    let house = House::new();
    let before = house.create("Booking bot", AuthMethod::Jwt);
    let mut console = house.console();
    console
        .press("R ctrl-s")
        .sees("has a new secret")
        .press("esc")
        .sees("Take the new secret back and leave?");
    console.press("esc").sees("The new secret of Booking bot is taken back");
    let after = house.app("Booking bot");
    assert_eq!((after.secret, after.not_before), (before.secret, before.not_before));
    console.press("R ctrl-s").sees("has a new secret").press("c space enter").sees("the old one works on");
    console
        .press("r")
        .sees("Another new secret")
        .press("tab enter")
        .sees("has a new secret")
        .press("c space enter");
    console
        .press("Z")
        .sees("Take the new secret back")
        .press("tab enter")
        .sees("has the secret it had before");
    assert_eq!(house.app("Booking bot").secret, before.secret);
    console
        .press("L")
        .sees("New secret for an app")
        .sees("every access token")
        .press("tab enter")
        .press("c space enter");
    console.sees("the old one is worthless");
    assert!(house.app("Booking bot").previous().is_none());
}

#[test]
fn the_status_line_tells_that_an_old_secret_is_still_used_and_calls_it_no_half() {
    let house = House::new();
    let app = house.create("Booking bot", AuthMethod::Jwt).id;
    let renewed = house.engine.execute(&house.session, Command::RenewAppSecret(app, None)).unwrap();
    let old = renewed.token.unwrap();
    let rotation =
        Rotation { id: None, grace: "1h".parse().unwrap(), counted: Counted::FromNow, expiry: None };
    house.run(Command::RenewAppSecret(app, Some(rotation)));
    house.engine.authenticate(&app.to_string(), old.reveal().as_bytes()).unwrap();
    house.engine.settle().unwrap();
    let mut console = house.console();
    console.sees("1 old secret ends, still used").sees_no("old half");
}
