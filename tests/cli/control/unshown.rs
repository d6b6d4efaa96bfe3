//! Somebody attached ends between the making of a secret and its showing. Nobody has it, so it does not live.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use keydeck::crypto::token::Token;
use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::{
    App, AppId, Command, Counted, Grace, Key, KeyId, NewApp, Note, Place, Profile, Reason, Rotation,
    SourceApp, Status, Url, UserType,
};
use keydeck::engine::{Engine as _, LocalEngine};
use keydeck::serve::control::SOCKET_FILE;
use rustix::fs::OFlags;

use super::house::{Guest, House, PHRASE, issued, key, name};
use crate::support::wait::until;

fn is_revoked(engine: &LocalEngine, id: KeyId) -> bool {
    engine.state().key(id).is_some_and(|key| matches!(key.status, Status::Revoked(_)))
}

/// It is in force before it is written.
#[track_caller]
fn is_told(house: &House, event: &str) {
    let owner = house.owner();
    until("the trail says that nobody was shown it", || {
        let page = owner.engine.audit(&owner.session, None, 1, None).unwrap();
        page.lines.iter().any(|line| {
            line.entry.event == event && line.entry.reason.as_deref() == Some("secret_unconfirmed")
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
    Command::CreateApp(NewApp {
        name: name(called),
        profile,
        method: AuthMethod::ApiKey,
        scopes,
        terms: keydeck::domain::Terms::default(),
    })
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
    is_told(&house, "key.revoke");
}

#[test]
fn a_new_app_whose_secret_nobody_was_shown_is_deleted_and_one_in_use_is_not() {
    let house = House::with(&[]);
    let maria = house.attach("maria");
    let called = ["Lost", "Renewed", "Rotated", "Keyed"];
    let [lost, renewed, rotated, keyed] = called.map(|called| create_app(&maria, called));
    let other = house.attach("maria");
    other.run(Command::RenewAppSecret(renewed, None));
    let rotation =
        Rotation { id: None, grace: "1h".parse().unwrap(), counted: Counted::FromNow, expiry: None };
    other.run(Command::RenewAppSecret(rotated, Some(rotation)));
    other.engine.shown(*rotated.public()).unwrap();
    other.run(Command::CancelAppSecret { app: rotated, epoch: None });
    let Command::IssueKey(mut new) = key("Of an app") else { unreachable!() };
    new.place = Place::App(keyed);
    let (id, _) = issued(other.run(Command::IssueKey(new)));
    other.engine.shown(*id.public()).unwrap();
    let deleted = |id| house.engine().state().app(id).is_some_and(App::is_deleted);
    drop(maria);
    until("the app whose secret nobody has is deleted", || deleted(lost));
    drop(other);
    until("all have left", || house.control.as_ref().unwrap().attached() == 0);
    assert!(!deleted(renewed) && !deleted(rotated) && !deleted(keyed));
    assert!(!is_revoked(house.engine(), id));
}

#[test]
fn a_command_killed_before_its_token_was_written_leaves_no_key_alive() {
    let house = House::with(&[]);
    let pass = house.path().join("maria.pass");
    fs::write(&pass, PHRASE).unwrap();
    fs::set_permissions(&pass, PermissionsExt::from_mode(0o600)).unwrap();
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
    is_told(&house, "key.revoke");
}

/// Bytes that are let through of an answer of any length.
const WHOLE: i64 = i64::MAX / 2;

/// Somebody between the owner of a store and those attached, who can break off what the owner says.
struct Between {
    /// How many bytes are still let through to whoever is attached.
    left: Arc<AtomicI64>,
}

impl Between {
    fn step_in(dir: &Path) -> Self {
        let (socket, behind) = (dir.join(SOCKET_FILE), dir.join("behind.sock"));
        fs::rename(&socket, &behind).unwrap();
        let listener = UnixListener::bind(&socket).unwrap();
        fs::set_permissions(&socket, PermissionsExt::from_mode(0o600)).unwrap();
        let left = Arc::new(AtomicI64::new(WHOLE));
        let shared = Arc::clone(&left);
        thread::spawn(move || {
            for guest in listener.incoming().map_while(Result::ok) {
                Self::pass_on(guest, &behind, &shared);
            }
        });
        Self { left }
    }

    fn pass_on(mut guest: UnixStream, behind: &Path, left: &Arc<AtomicI64>) {
        let Ok(mut owner) = UnixStream::connect(behind) else { return };
        let (mut to_owner, mut from_guest) = (owner.try_clone().unwrap(), guest.try_clone().unwrap());
        thread::spawn(move || {
            let _gone = std::io::copy(&mut from_guest, &mut to_owner);
            let _gone = to_owner.shutdown(Shutdown::Both);
        });
        let left = Arc::clone(left);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = owner.read(&mut bytes) {
                let count = i64::try_from(count).unwrap();
                let may = left.fetch_sub(count, Ordering::SeqCst).clamp(0, count);
                let passed = guest.write_all(&bytes[..usize::try_from(may).unwrap()]);
                if passed.is_err() || may < count {
                    break;
                }
            }
            let _gone = (guest.shutdown(Shutdown::Both), owner.shutdown(Shutdown::Both));
        });
    }

    fn lets_through(&self, bytes: i64) {
        self.left.store(bytes, Ordering::SeqCst);
    }
}

/// `KEYDECK_EVERY_BYTE=1` for all of them; else some.
#[test]
fn a_rotation_whose_answer_is_cut_off_at_any_byte_leaves_the_old_secret_working_alone() {
    let house = House::with(&[]);
    let (old, token) = {
        let maria = house.attach("maria");
        maria.issue("Booking widget")
    };
    let before = house.engine().state().key(old).cloned();
    let between = Between::step_in(house.path());
    let rotation = Rotation {
        id: Some(name("2026-11")),
        grace: Grace::DEFAULT,
        counted: Counted::FromNow,
        expiry: None,
    };
    let rotate = Command::RotateKey { key: old, rotation };
    let ends = |key: &Option<Key>| key.as_ref().map(|key| (key.status, key.expiry, key.superseded.clone()));
    let cut = |bytes: i64| {
        between.lets_through(WHOLE);
        let maria = house.attach("maria");
        let trail = house.engine().trail_head();
        between.lets_through(bytes);
        let answered = maria.try_run(rotate.clone()).is_ok();
        let said = bytes - between.left.load(Ordering::SeqCst);
        // Nobody was shown the secret.
        drop(maria);
        until("the rotation and that it was taken back are written", || {
            house.engine().trail_head() >= trail + 2
        });
        is_told(&house, "key.rotate-cancel");
        let state = house.engine().state();
        assert_eq!(ends(&state.key(old).cloned()), ends(&before), "cut off after {bytes}");
        let working = state.keys().filter(|key| key.status == Status::Active).count();
        assert_eq!(working, 1, "cut off after {bytes}");
        drop(state);
        assert!(house.engine().verify(token.as_bytes(), &[]).is_allow());
        (answered, said)
    };
    let (answered, length) = cut(WHOLE);
    assert!(answered && length > 56, "{length}");
    let all = std::env::var_os("KEYDECK_EVERY_BYTE").is_some();
    let places: Vec<i64> = (0..length).step_by(if all { 1 } else { 97 }).chain([length - 1]).collect();
    for bytes in places {
        cut(bytes);
    }
}

#[test]
fn a_rotated_secret_handed_to_a_process_that_ends_before_it_showed_it_is_taken_back() {
    let house = House::with(&[]);
    let maria = house.attach("maria");
    let rotation =
        Rotation { id: None, grace: "1h".parse().unwrap(), counted: Counted::FromNow, expiry: None };
    let [lost, kept] = ["Lost", "Kept"].map(|called| {
        let old = maria.run(app(called)).token.unwrap();
        let id = AppId(old.id());
        maria.engine.shown(*id.public()).unwrap();
        let new = maria.run(Command::RenewAppSecret(id, Some(rotation.clone()))).token.unwrap();
        (id, old, new)
    });
    maria.engine.shown(*kept.0.public()).unwrap();
    drop(maria);
    let is_good = |id: AppId, token: &Token| {
        house.engine().authenticate(&id.to_string(), token.reveal().as_bytes()).is_ok()
    };
    until("the secret that nobody has is taken back", || !is_good(lost.0, &lost.2));
    assert!(is_good(lost.0, &lost.1) && is_good(kept.0, &kept.1) && is_good(kept.0, &kept.2));
    is_told(&house, "app.secret-cancel");
}
