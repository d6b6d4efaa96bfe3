//! Somebody attached ends between the making of a secret and its showing. Nobody has it, so it does not live.

use std::io::Write as _;
use std::process::{Command as Process, Stdio};

use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::{
    App, AppId, Command, KeyId, NewApp, Note, Place, Profile, Reason, SourceApp, Status, Url, UserType,
};
use keydeck::engine::{Engine as _, LocalEngine};
use rustix::fs::OFlags;

use super::house::{Guest, House, PHRASE, issued, key, name};
use crate::support::wait::until;

fn is_revoked(engine: &LocalEngine, id: KeyId) -> bool {
    engine.state().key(id).is_some_and(|key| matches!(key.status, Status::Revoked(_)))
}

/// It is in force before it is written.
#[track_caller]
fn is_told(house: &House) {
    let owner = house.owner();
    until("the trail says that nobody was shown it", || {
        let page = owner.engine.audit(&owner.session, None, 1, None).unwrap();
        page.lines.iter().any(|line| {
            line.entry.event == "key.revoke" && line.entry.reason.as_deref() == Some("secret_unconfirmed")
        })
    });
}

pub fn app(called: &str) -> Command {
    let uri = Url::new("https://shop.example").unwrap();
    let profile = Profile {
        uri,
        description: Note::default(),
        user_type: UserType::Guest,
        source: SourceApp::ClientApp,
        post_login: Vec::new(),
        post_logout: Vec::new(),
    };
    let scopes = vec!["contacts.read".into()];
    Command::CreateApp(NewApp { name: name(called), profile, method: AuthMethod::ApiKey, scopes })
}

fn create_app(guest: &Guest, called: &str) -> AppId {
    AppId(guest.run(app(called)).token.unwrap().id())
}

#[test]
fn a_key_handed_to_a_process_that_ends_before_it_showed_the_token_is_revoked() {
    let house = House::with(&[]);
    let maria = house.attach("maria");
    let (kept, kept_token) = maria.issue("Kept");
    let (lost, lost_token) = issued(maria.run(key("Lost")));
    assert!(house.engine().verify(lost_token.as_bytes(), &[]).is_allow(), "as long as somebody may show it");
    drop(maria);
    until("the key that nobody has is revoked", || is_revoked(house.engine(), lost));
    assert_eq!(house.engine().verify(lost_token.as_bytes(), &[]).reason(), Some(Reason::Revoked));
    assert!(
        house.engine().verify(kept_token.as_bytes(), &[]).is_allow() && !is_revoked(house.engine(), kept)
    );
    is_told(&house);
}

#[test]
fn a_new_app_whose_secret_nobody_was_shown_is_deleted_and_one_in_use_is_not() {
    let house = House::with(&[]);
    let maria = house.attach("maria");
    let [lost, renewed, keyed] = ["Lost", "Renewed", "Keyed"].map(|called| create_app(&maria, called));
    let other = house.attach("maria");
    other.run(Command::RenewAppSecret(renewed));
    let Command::IssueKey(mut new) = key("Of an app") else { unreachable!() };
    new.place = Place::App(keyed);
    let (id, _) = issued(other.run(Command::IssueKey(new)));
    other.engine.shown(*id.public()).unwrap();
    let deleted = |id| house.engine().state().app(id).is_some_and(App::is_deleted);
    drop(maria);
    until("the app whose secret nobody has is deleted", || deleted(lost));
    drop(other);
    until("all have left", || house.control.as_ref().unwrap().attached() == 0);
    assert!(!deleted(renewed) && !deleted(keyed) && !is_revoked(house.engine(), id));
}

#[test]
fn a_command_killed_before_its_token_was_written_leaves_no_key_alive() {
    let house = House::with(&[]);
    let pass = house.path().join("maria.pass");
    std::fs::write(&pass, PHRASE).unwrap();
    std::fs::set_permissions(&pass, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    // Nobody reads, and there is no room left: the token stays in the program.
    let (_reader, writer) = std::io::pipe().unwrap();
    let mut full = writer.try_clone().unwrap();
    rustix::fs::fcntl_setfl(&full, OFlags::NONBLOCK).unwrap();
    while full.write(&[b'.'; 4096]).is_ok() {}
    while full.write(b".").is_ok() {}
    rustix::fs::fcntl_setfl(&full, OFlags::empty()).unwrap();
    let mut process = Process::new(env!("CARGO_BIN_EXE_keydeck"));
    process.args(["key", "create", "--name", "Nightly", "--agency", "--scope", "contacts.read"]);
    process.args(["--operator", "maria", "--passphrase-file"]).arg(&pass).arg("--data").arg(house.path());
    process.env_clear().env("HOME", house.path()).stdin(Stdio::null()).stdout(writer).stderr(Stdio::null());
    let mut child = process.spawn().unwrap();
    let made = || house.engine().state().keys().next().map(|key| key.id);
    until("the key is made", || made().is_some());
    assert!(child.try_wait().unwrap().is_none(), "it waits for room");
    child.kill().unwrap();
    child.wait().unwrap();
    let id = made().unwrap();
    until("the key that nobody has is revoked", || is_revoked(house.engine(), id));
    is_told(&house);
}
