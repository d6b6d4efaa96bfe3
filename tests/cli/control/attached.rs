//! An attached process works as if the store were its own, and sees what others do when they do it.

use std::sync::Arc;

use keydeck::crypto::keyfile::KeyFileSecret;
use keydeck::crypto::random::OsEntropy;
use keydeck::crypto::token::{Token, TokenKind};
use keydeck::domain::LastUse;
use keydeck::domain::basis::Basis;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{
    Access, AppId, Command, Counted, KeyId, KeyState, KeysAfter, NewApp, Reason, Role, Rotation, Status, View,
};
use keydeck::domain::{Catalog, Profile, Timestamp, catalog::AuthMethod};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{CATALOG_FILE, Key, Open, Options, found};
use keydeck::engine::{AuditLine, Brought, Integrity, Many, Sweeping, Via, Whose, take_back};
use keydeck::serve::control::Control;
use keydeck::serve::door::{Entrance, open_or_attach};
use keydeck::store::Standing;
use tempfile::TempDir;

use super::house::{Guest, House, PHRASE, enter, issued, key, name, open_as, options, phrase, settings};
use crate::support::desk::with_checksum;
use crate::support::wait::until;

/// A store whose time a test makes pass, and its founder attached to the process that has it.
struct Timed {
    maria: Entrance,
    _control: Control,
    owner: Open,
    clock: TestClock,
    _dir: TempDir,
}

impl Timed {
    fn founded() -> Self {
        let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::at(Timestamp(1_790_000_000_000)));
        let here = Options { clock: Arc::new(clock.clone()), ..options(dir.path(), Via::CommandLine) };
        let owner = found(&here, name("Acme"), name("maria"), &phrase(PHRASE)).unwrap().open;
        let control = Control::start(Arc::clone(&owner.engine), &settings()).unwrap();
        let maria =
            open_or_attach(&here, &Key::Operator { name: "maria", passphrase: &phrase(PHRASE) }).unwrap();
        Self { maria, _control: control, owner, clock, _dir: dir }
    }
}

#[test]
fn an_edit_based_on_what_another_process_changed_is_refused_through_the_socket() {
    let house = House::with(&[]);
    let (one, other) = (house.attach("maria"), house.attach("maria"));
    let (key, _) = one.issue("Nightly export");
    let basis = Some(Basis::of_key(one.engine.state().key(key).unwrap()));
    let rescope = |scope: &str| Command::RescopeKey { key, scopes: vec![scope.into()], basis };
    one.run(rescope("contacts.write"));
    let refused = other.try_run(rescope("calendars.read")).map(drop).unwrap_err();
    assert_eq!(refused.code(), "changed_meanwhile");
    assert!(refused.to_string().contains("it may do contacts.write"), "{refused}");
}

#[test]
fn whose_a_found_secret_is_is_told_to_who_holds_it_and_no_more_to_who_has_its_id() {
    let house = House::with(&[("carl", Role::Manager)]);
    let (maria, carl) = (house.attach("maria"), house.attach("carl"));
    let (_, token) = maria.issue("Nightly export");
    let about = |who: &Guest, text: &str| who.engine.whose(&who.session, text.as_bytes()).unwrap();
    let told = about(&carl, &token);
    assert!(told.works(), "{told:?}");
    let Whose::Known(holder) = told else { panic!("{told:?}") };
    let named = (holder.party.name.as_str(), holder.owner.as_str(), holder.is_own);
    assert_eq!((named, holder.last_use), (("Nightly export", "maria", false), LastUse::Never));
    let other = if token.as_bytes()[20] == b'z' { "y" } else { "z" };
    let guessed = with_checksum(&format!("{}{other}{}", &token[..20], &token[21..]));
    assert_eq!(about(&carl, &guessed), Whose::Other(None));
    assert!(matches!(about(&maria, &guessed), Whose::Other(Some(party)) if party.name == "Nightly export"));
    let foreign = Token::mint(TokenKind::AppSecret, &mut OsEntropy).unwrap();
    assert_eq!(about(&maria, foreign.reveal()), Whose::Nobody);
}

#[test]
fn many_keys_are_ended_through_the_socket_part_by_part_and_others_see_it() {
    let house = House::with(&[]);
    let (maria, other) = (house.attach("maria"), house.attach("maria"));
    let value = "1000".into();
    maria.run(Command::SetPolicy { name: "keys-per-operator".into(), value, basis: None });
    let keys: Vec<_> = (0..70).map(|n| maria.issue(&format!("Key {n}")).0).collect();
    maria.run(Command::revoke(keys[3]));
    let mut news = other.listen();
    let mut many = Many::of(keys.iter().copied().map(Command::revoke).collect());
    let mut parts = 0;
    while !many.is_over() {
        many.go_on(&*maria.engine, &maria.session);
        parts += 1;
    }
    assert_eq!((parts, many.done.len(), many.left.len()), (2, 69, 1));
    assert_eq!((many.left[0].key, many.left[0].code.as_str()), (keys[3], "wrong_state"));
    let ended = |guest: &Guest| {
        let state = guest.engine.state();
        state.keys().all(|key| matches!(key.status, Status::Revoked(_)))
    };
    assert!(ended(&maria), "what was done is seen before it is answered");
    other.until(&mut news, "it has heard of all of them", ended);
    let engine = house.engine();
    let page = engine.audit(&house.owner().session, None, 10, Some(keys[0])).unwrap();
    assert_eq!(page.lines[0].entry.subjects.len(), 63);
}

#[test]
fn every_kind_of_call_works_through_the_socket() {
    let house = House::with(&[]);
    let maria = house.attach("maria");
    let (engine, session) = (&maria.engine, &maria.session);

    let (id, token) = maria.issue("Nightly export");
    assert_eq!(maria.sees(), ["Nightly export"], "seen as soon as it is answered");
    let allowed = engine.verify(token.as_bytes(), &["contacts.read".parse().unwrap()]);
    assert!(allowed.is_allow() && allowed.key() == Some(id), "{allowed:?}");
    let refused = engine.verify(token.as_bytes(), &["contacts.write".parse().unwrap()]);
    assert_eq!(refused.reason(), Some(Reason::Scope));
    assert_eq!(refused.missing().unwrap().as_str(), "contacts.write");
    assert_eq!(engine.verify(b"nonsense", &[]).reason(), Some(Reason::Malformed));
    engine.settle().unwrap();
    assert!(engine.state().usage(id).last_used_at.is_some(), "the use is known here");

    maria.run(Command::PauseKey(id, None));
    assert_eq!(engine.state().key(id).unwrap().state(engine.now().time), KeyState::Paused);
    assert_eq!(engine.verify(token.as_bytes(), &[]).reason(), Some(Reason::Disabled));
    maria.run(Command::ResumeKey(id));
    maria.run(Command::revoke(id));
    assert_eq!(
        house.engine().verify(token.as_bytes(), &[]).reason(),
        Some(Reason::Revoked),
        "0 stale allows"
    );

    maria.run(Command::AddLocations(vec![name("Harbour")]));
    let harbour = engine.state().location_named(&name("Harbour")).unwrap().id;
    maria.run(Command::RenameLocation { location: harbour, name: name("Port"), basis: None });
    assert!(engine.state().location_named(&name("Port")).is_some());
    maria.run(Command::RemoveLocation { location: harbour });
    maria.run(Command::SetPolicy { name: "keys-per-operator".into(), value: "7".into(), basis: None });
    assert_eq!(engine.state().policy().keys_per_operator, 7);

    let app = Command::CreateApp(NewApp {
        name: name("Kiosk"),
        profile: profile(),
        method: AuthMethod::ApiKey,
        scopes: vec!["contacts.read".into()],
        terms: keydeck::domain::Terms::default(),
    });
    assert!(maria.run(app).token.is_some(), "the secret of the app");
    assert_eq!(engine.state().apps().count(), 1);

    let secret = phrase("a passphrase for carl");
    engine
        .act(
            session,
            Command::AddOperator { name: name("carl"), role: Role::Viewer },
            Brought::Passphrase(&secret),
        )
        .unwrap();
    let carl = engine.state().operator_named("carl").unwrap().id;
    maria.run(Command::SetRole { operator: carl, role: Role::Manager, basis: None });
    let file = house.path().join("carl.key");
    let read = KeyFileSecret::create(&file, &mut OsEntropy).unwrap();
    engine.act(session, Command::SetSecret(carl), Brought::KeyFile(&read)).unwrap();
    let by_file = open_or_attach(&options(house.path(), Via::CommandLine), &Key::KeyFile(&read)).unwrap();
    assert_eq!(by_file.session.actor().operator, carl);
    engine.execute(session, Command::DisableOperator { operator: carl, keys: KeysAfter::Stop }).unwrap();
    let secret = phrase("carl is back with this");
    engine.act(session, Command::EnableOperator(carl), Brought::Passphrase(&secret)).unwrap();
    drop(enter(house.path(), "carl", "carl is back with this", Via::CommandLine).unwrap());

    let code = engine.execute(session, Command::ReplaceRecovery).unwrap().code.unwrap();
    let key = Key::Recovery { name: "carl", code: &code };
    let recovering = open_or_attach(&options(house.path(), Via::CommandLine), &key).unwrap();
    assert_eq!(recovering.session.actor().access, Access::Recovery);
    let secret = phrase("carl had forgotten it");
    recovering
        .engine
        .act(&recovering.session, Command::SetSecret(carl), Brought::Passphrase(&secret))
        .unwrap();
    let more = recovering.engine.execute(&recovering.session, Command::RotateSigningKey).err().unwrap();
    assert_eq!(more.code(), "recovery_only");

    let doors = engine.doors(session).unwrap();
    assert_eq!(doors.dir.as_deref(), house.path().to_str());
    assert!(doors.slots.iter().any(|door| door.label == "carl"));
    assert!(matches!(engine.condition().health.standing, Standing::Writable));
    assert_eq!(engine.condition().health.rev, house.engine().condition().health.rev);
    assert!(engine.doubts().is_empty());
    assert_eq!(engine.catalog(), house.engine().catalog());
    let apart = engine.now().time.0 - house.engine().now().time.0;
    assert!(apart.abs() < 60_000, "the same machine, the same time: {apart} ms");

    let report = engine.check_audit(session).unwrap();
    assert_eq!(report.integrity, Integrity::Intact, "{:?}", report.faults);
    let anchor = engine.anchor(session).unwrap();
    let own = house.engine().anchor(&house.owner().session).unwrap();
    assert_eq!(anchor, keydeck::engine::Anchor { at: anchor.at.clone(), ..own });
    assert_eq!(engine.audit_hash(session, anchor.seq).unwrap().as_deref(), Some(&anchor.head[..]));
    let about = engine.audit(session, None, 100, Some(id)).unwrap();
    let events: Vec<_> = about.lines.iter().rev().map(|line| line.entry.event.as_str()).collect();
    assert_eq!(events, ["key.issue", "verify.denied", "key.pause", "key.resume", "key.revoke"]);
    let who = |line: &AuditLine| if line.entry.tries.is_some() { "keydeck" } else { "maria" };
    assert!(about.lines.iter().all(|line| line.entry.actor.name == who(line)));
    let tried = engine.tried(session, token.as_bytes()).unwrap();
    assert_eq!(tried, house.engine().tried(&house.owner().session, token.as_bytes()).unwrap());
    let reasons: Vec<_> = tried.tries.iter().rev().map(|one| one.reason.as_str()).collect();
    assert_eq!(
        (tried.refused, tried.usage.count, &reasons[..]),
        (3, 1, &["scope", "disabled", "revoked"][..])
    );
}

fn profile() -> Profile {
    Profile {
        uri: "https://kiosk.example".parse().unwrap(),
        description: keydeck::domain::Note::default(),
        user_type: keydeck::domain::UserType::Guest,
        source: keydeck::domain::SourceApp::Bot,
        post_login: Vec::new(),
        post_logout: Vec::new(),
    }
}

#[test]
fn two_who_are_attached_see_each_others_changes_without_asking() {
    let house = House::with(&[]);
    let (one, two) = (house.attach("maria"), house.attach("maria"));
    let mut news = two.listen();
    let (id, _) = one.issue("Nightly export");
    two.until(&mut news, "two sees the new key", |two| two.sees() == ["Nightly export"]);
    let mut news = one.listen();
    two.run(Command::revoke(id));
    let revoked = |status| matches!(status, Some(Status::Revoked(_)));
    one.until(&mut news, "one sees it revoked", |one| {
        revoked(one.engine.state().key(id).map(|key| key.status))
    });
    // And the owner's own changes.
    let mut news = one.listen();
    house.engine().execute(&house.owner().session, Command::DeleteKey(id)).unwrap();
    one.until(&mut news, "one sees it deleted", |one| {
        matches!(one.engine.state().key(id).map(|key| key.status), Some(Status::Deleted(_)))
    });
    // Uses come as news, too.
    let (id, token) = one.issue("Another");
    let mut news = two.listen();
    assert!(house.engine().verify(token.as_bytes(), &[]).is_allow());
    house.engine().settle().unwrap();
    two.until(&mut news, "two sees the use", |two| two.engine.state().usage(id).count == 1);
    assert!(house.engine().verify(token.as_bytes(), &[]).is_allow());
    house.engine().settle().unwrap();
    two.until(&mut news, "counts are told, not summed up", |two| two.engine.state().usage(id).count == 2);
}

#[test]
fn many_threads_ask_through_one_connection() {
    let house = House::with(&[]);
    let maria = house.attach("maria");
    maria.run(Command::SetPolicy { name: "keys-per-operator".into(), value: "100".into(), basis: None });
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let maria = &maria;
            scope.spawn(move || {
                for n in 0..5 {
                    let (id, token) = maria.issue(&format!("Key {thread}-{n}"));
                    assert!(maria.engine.verify(token.as_bytes(), &[]).is_allow());
                    assert!(maria.engine.state().key(id).is_some(), "read one's own writes");
                }
            });
        }
    });
    assert_eq!(maria.sees().len(), 20);
    assert_eq!(house.engine().state().key_count(), 20);
}

#[test]
fn a_large_store_comes_whole_and_the_trail_page_by_page() {
    let house = House::with(&[]);
    let owner = house.owner();
    let set = Command::SetPolicy { name: "keys-per-operator".into(), value: "10000".into(), basis: None };
    owner.engine.execute(&owner.session, set).unwrap();
    for n in 0..1_010 {
        owner.engine.execute(&owner.session, key(&format!("Key {n}"))).unwrap();
    }
    let maria = house.attach("maria");
    assert_eq!(maria.sees().len(), 1_010);
    let local = owner.engine.audit(&owner.session, None, 1_005, None).unwrap();
    let page = maria.engine.audit(&maria.session, None, 1_005, None).unwrap();
    assert_eq!((page.lines.len(), page.next), (1_005, local.next));
    let bodies = |page: &keydeck::engine::AuditPage| -> Vec<String> {
        page.lines.iter().map(|line| line.body.clone()).collect()
    };
    assert_eq!(bodies(&page), bodies(&local));
}

#[test]
fn the_trail_names_the_process_that_asked() {
    let house = House::with(&[]);
    let maria = house.attach("maria");
    let (id, _) = maria.issue("Nightly export");
    let page = maria.engine.audit(&maria.session, None, 1, Some(id)).unwrap();
    let actor = &page.lines[0].entry.actor;
    assert_eq!((actor.uid, actor.pid), (rustix::process::getuid().as_raw(), std::process::id()));
    assert_eq!((actor.via.as_str(), actor.auth.as_str()), ("cli", "passphrase"));
    let events = |house: &House| -> Vec<String> {
        let page = house.engine().audit(&house.owner().session, None, 100, None).unwrap();
        page.lines.iter().map(|line| line.entry.event.clone()).filter(|e| e.starts_with("session")).collect()
    };
    assert!(events(&house).is_empty(), "a command line leaves no trace of its own");
    let console = enter(house.path(), "maria", PHRASE, Via::Console).unwrap();
    assert_eq!(events(&house), ["session.start"]);
    console.engine.execute(&console.session, Command::EndSession).unwrap();
    drop(console);
    drop(enter(house.path(), "maria", PHRASE, Via::Console).unwrap());
    // One said so itself, for the other the owner noticed.
    until("the second end is in the trail", || {
        events(&house) == ["session.end", "session.start", "session.end", "session.start"]
    });
    until("only maria is attached", || house.control.as_ref().unwrap().attached() == 1);
}

#[test]
fn whoever_comes_first_owns_the_store_and_nobody_has_to_say_so() {
    let mut house = House::with(&[]);
    house.close();
    let own = Catalog::builtin().source().replace("version = \"1.0\"", "version = \"1.1\"");
    std::fs::write(house.path().join(CATALOG_FILE), own).unwrap();
    let first = enter(house.path(), "maria", PHRASE, Via::Console).unwrap().hosted("keydeck", &[]);
    assert!(first.owner.is_none() && first.local.is_some(), "nobody had it");
    let second = house.attach("maria");
    assert_eq!(second.engine.catalog(), first.engine.catalog());
    assert_ne!(second.engine.catalog(), Catalog::builtin(), "the scopes are those of the store");
    let mut news = second.listen();
    first.engine.execute(&first.session, key("By the first")).unwrap();
    second.until(&mut news, "the second sees it", |second| second.sees() == ["By the first"]);
    let (id, _) = issued(second.run(key("By the second")));
    assert!(View::new(&first.engine.state(), first.session.actor()).key(id).is_some());
    drop(first);
    assert!(news.end().contains("has closed it"));
    // The store is free at once.
    let third = enter(house.path(), "maria", PHRASE, Via::Console).unwrap();
    assert!(third.owner.is_none());
    assert_eq!(third.engine.state().key_count(), 2);
}

#[test]
fn a_store_in_memory_offers_no_socket_and_one_with_a_long_path_does() {
    let demo = keydeck::engine::demo::open().unwrap();
    assert!(Control::start(demo.engine, &settings()).is_err());
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("x".repeat(120));
    let open =
        found(&options(&deep, Via::CommandLine), name("Acme"), name("maria"), &phrase(PHRASE)).unwrap().open;
    let control = Control::start(Arc::clone(&open.engine), &settings()).unwrap();
    assert!(control.socket().unwrap().as_os_str().len() < 108);
    let entered = enter(&deep, "maria", PHRASE, Via::CommandLine).unwrap();
    assert!(entered.owner.is_some());
}

#[test]
fn who_is_attached_believes_the_clock_when_its_owner_does() {
    let timed = Timed::founded();
    let (clock, owner, maria) = (&timed.clock, &timed.owner, &timed.maria);
    assert!(maria.owner.is_some() && !maria.engine.now().suspect);
    let early = maria.engine.execute(&maria.session, Command::ConfirmClock).err().unwrap();
    assert_eq!(early.code(), "no_change");
    clock.set(Timestamp(1_790_000_000_000 - 55 * DAY_MS));
    assert!(maria.engine.clock().doubt().unwrap().starts_with("it is 55 d behind"));
    maria.engine.execute(&maria.session, Command::ConfirmClock).unwrap();
    assert!(!owner.engine.now().suspect);
    until("the one who is attached believes it too", || !maria.engine.now().suspect);
    assert_eq!(maria.engine.now().time, owner.engine.now().time);
}

#[test]
fn who_is_attached_to_a_store_in_doubt_sees_that_its_keys_are_refused() {
    let mut house = House::with(&[]);
    let owner = house.owner();
    let (id, _) = issued(owner.engine.execute(&owner.session, key("Nightly export")).unwrap());
    house.close();
    std::fs::remove_file(house.path().join("seal")).unwrap();
    let owner = open_as(house.path(), "maria");
    let _control = Control::start(Arc::clone(&owner.engine), &settings()).unwrap();
    let maria = enter(house.path(), "maria", PHRASE, Via::CommandLine).unwrap();
    assert!(maria.owner.is_some());
    let state = maria.engine.state();
    let view = View::new(&state, maria.session.actor());
    let key = view.key(id).unwrap();
    assert_eq!(view.refused(key, maria.engine.now().time), Some(Reason::StoreError));
}

#[test]
fn through_the_socket_a_rotated_secret_ends_on_its_millisecond_and_a_pause_with_a_sweep() {
    let timed = Timed::founded();
    let (clock, owner, maria) = (&timed.clock, &timed.owner, &timed.maria);
    let run = |command: Command| maria.engine.execute(&maria.session, command).unwrap();
    let old = run(super::unshown::app("Shop")).token.unwrap();
    let app = AppId(old.id());
    maria.engine.shown(*app.public()).unwrap();
    let rotation =
        Rotation { id: None, grace: "1h".parse().unwrap(), counted: Counted::FromNow, expiry: None };
    let new = run(Command::RenewAppSecret(app, Some(rotation))).token.unwrap();
    maria.engine.shown(*app.public()).unwrap();
    let uses = maria.engine.state().app(app).unwrap().previous().unwrap().uses;
    let key = issued(run(key("Nightly"))).0;
    maria.engine.shown(*key.public()).unwrap();
    run(Command::PauseKey(key, Some("1h".parse().unwrap())));
    let is_good = |token: &str| owner.engine.authenticate(&app.to_string(), token.as_bytes()).is_ok();
    for (pass, works) in [(3_600_000 - 1, true), (1, false), (1, false)] {
        clock.pass(pass);
        assert_eq!((is_good(old.reveal()), is_good(new.reveal())), (works, true), "after {pass}");
        let now = maria.engine.now().time;
        let seen = maria.engine.state().app(app).unwrap().old_secret(now).is_some();
        assert_eq!(seen, works, "as it is seen here");
    }
    owner.engine.settle().unwrap();
    until("who used the old one is known here", || maria.engine.state().usage_of(uses).count == 1);
    let stands = || maria.engine.state().key(key).unwrap().state(maria.engine.now().time);
    assert_eq!(stands(), KeyState::Paused);
    let swept = maria.engine.sweep(&maria.session, Sweeping::Do).unwrap();
    assert_eq!((swept.events.len(), stands()), (2, KeyState::Active));
}

#[test]
fn through_the_socket_too_a_key_nobody_saw_is_revoked_when_the_old_half_has_ended_meanwhile() {
    let timed = Timed::founded();
    let (clock, owner, maria) = (&timed.clock, &timed.owner, &timed.maria);
    let run = |command: Command| maria.engine.execute(&maria.session, command).unwrap();
    let old = issued(run(key("Nightly"))).0;
    maria.engine.shown(*old.public()).unwrap();
    let rotation =
        Rotation { id: None, grace: "1h".parse().unwrap(), counted: Counted::FromNow, expiry: None };
    let token = run(Command::RotateKey { key: old, rotation }).token.unwrap();
    let new = KeyId(token.id());
    clock.pass(3_600_000);
    let back = take_back(&*maria.engine, &maria.session, Command::CancelRotation(new));
    assert_eq!(back.unwrap(), Command::revoke(new));
    assert_eq!(owner.engine.verify(token.reveal().as_bytes(), &[]).reason(), Some(Reason::Revoked));
}

#[test]
fn who_is_attached_tells_never_used_from_not_known_as_the_owner_of_the_store_does() {
    let house = House::with(&[]);
    let known = house.owner().engine.state().uses_since();
    assert!(known.is_some());
    assert_eq!(house.attach("maria").engine.state().uses_since(), known);
}

#[test]
fn who_asks_what_would_stop_knows_of_the_request_before_through_the_socket() {
    let house = House::with(&[]);
    let maria = house.attach("maria");
    let (key, token) = maria.issue("Nightly export");
    let count = || maria.engine.state().usage(key).count;
    house.engine().verify(token.as_bytes(), &[]);
    assert_eq!(count(), 0);
    maria.engine.know_uses(&maria.session).unwrap();
    assert_eq!(count(), 1);
}
