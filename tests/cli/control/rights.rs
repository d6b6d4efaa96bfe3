//! Who may do what and who sees what, over the socket: the owner decides, whatever an attached process says about
//! itself, and what somebody may not see is not in the bytes either.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};

use keydeck::domain::view::Sought;
use keydeck::domain::{
    Access, Actor, App, Command, Counted, Event, KeysAfter, NewKey, Note, OperatorId, Place, Reason, Role,
    Rotation, Status, View,
};
use keydeck::engine::open::{Key, Options, Wants};
use keydeck::engine::{Brought, EngineError, Session, Via, Whose};
use keydeck::serve::control::SOCKET_FILE;
use keydeck::serve::door::open_or_attach;

use super::house::{Guest, House, enter, issued, key, name, options, phrase, phrase_of};
use super::unshown::app;
use crate::support::wait::until;

const PEOPLE: [(&str, Role); 2] = [("carl", Role::Manager), ("dora", Role::Viewer)];

fn code(result: Result<impl Sized, EngineError>) -> String {
    result.map_or_else(|error| error.code().to_owned(), |_| "done".into())
}

fn open_to_managers(house: &House) {
    let owner = house.owner();
    let set = Command::SetPolicy { name: "issue-agency".into(), value: "manager".into(), basis: None };
    owner.engine.execute(&owner.session, set).unwrap();
}

fn operator(house: &House, who: &str) -> OperatorId {
    house.engine().state().operator_named(who).unwrap().id
}

#[test]
fn roles_reach_as_far_as_they_do_at_home() {
    let house = House::with(&PEOPLE);
    let owner = house.owner();
    owner.engine.execute(&owner.session, Command::AddLocations(vec![name("Harbour")])).unwrap();
    let harbour = house.engine().state().location_named(&name("Harbour")).unwrap().id;
    let carl_id = operator(&house, "carl");
    let at_harbour = |called: &str| {
        Command::IssueKey(NewKey {
            name: name(called),
            place: Place::Location(harbour),
            scopes: vec!["contacts.read".into()],
            expiry: None,
            note: Note::default(),
            decoy: false,
        })
    };
    let tried = |who: &Guest, n: u32| -> Vec<String> {
        let secret = phrase("a passphrase for somebody");
        let (engine, session) = (&who.engine, &who.session);
        vec![
            code(who.try_run(key(&format!("agency {n}")))),
            code(who.try_run(at_harbour(&format!("location {n}")))),
            code(who.try_run(Command::AddLocations(vec![name(&format!("Town {n}"))]))),
            code(who.try_run(Command::SetPolicy {
                name: "notice-days".into(),
                value: format!("{}", 7 + n),
                basis: None,
            })),
            code(who.try_run(Command::RotateSigningKey)),
            code(who.try_run(Command::ReadAudit)),
            code(engine.execute(session, Command::OpenAgencyView)),
            code(engine.act(
                session,
                Command::AddOperator { name: name(&format!("person {n}")), role: Role::Admin },
                Brought::Passphrase(&secret),
            )),
            code(engine.act(
                session,
                Command::SetSecret(carl_id),
                Brought::Passphrase(&phrase(&phrase_of("carl"))),
            )),
            code(engine.execute(session, Command::ReplaceRecovery)),
            code(engine.audit(session, None, 10, None)),
            code(engine.execute(
                session,
                Command::DisableOperator { operator: operator(&house, "maria"), keys: KeysAfter::Work },
            )),
        ]
    };
    let low = "role_too_low";
    let dora = house.attach("dora");
    let mut least = [low; 12];
    least[10] = "done";
    assert_eq!(tried(&dora, 1), least);
    let carl = house.attach("carl");
    least[1] = "done";
    least[8] = "done";
    assert_eq!(tried(&carl, 2), least, "location keys and his own passphrase");
    let maria = house.attach("maria");
    assert_eq!(tried(&maria, 3), ["done"; 12], "another admin was added before she ended her own access");
    // Each refusal is in the trail, with who it was.
    let carl_again = house.attach("carl");
    let page = carl_again.engine.audit(&carl_again.session, None, 50, None).unwrap();
    let refused = page.lines.iter().filter(|line| line.entry.reason.as_deref() == Some(low));
    assert!(refused.count() >= 8);
    assert!(
        page.lines
            .iter()
            .all(|line| line.entry.actor.name == "carl"
                || line.entry.subjects.iter().any(|s| s.name == "carl"))
    );
}

#[test]
fn what_a_request_says_about_itself_is_not_believed() {
    let house = House::with(&PEOPLE);
    open_to_managers(&house);
    let maria = house.attach("maria");
    let (hers, _) = maria.issue("Hers");
    let carl = house.attach("carl");
    let forged = |operator, access| Session::stand_in(Actor { operator, access }, Via::Console);
    let (carl_id, maria_id) = (operator(&house, "carl"), operator(&house, "maria"));

    // A wider reach than was granted.
    for access in [Access::Agency, Access::Recovery] {
        let session = forged(carl_id, access);
        assert_eq!(code(carl.engine.execute(&session, Command::revoke(hers))), "not_granted");
        assert_eq!(code(carl.engine.audit(&session, None, 10, Some(hers))), "not_granted");
    }
    assert!(carl.engine.execute(&forged(carl_id, Access::Service), Command::RotateSigningKey).is_err());
    // Somebody else's name: the owner knows who signed in.
    let (id, _) = issued(carl.engine.execute(&forged(maria_id, Access::Own), key("Whose")).unwrap());
    assert_eq!(house.engine().state().key(id).unwrap().owner, carl_id);
    assert_eq!(
        code(carl.engine.execute(&forged(maria_id, Access::Own), Command::revoke(hers))),
        "no_such_key"
    );
    // An admin, too, sees the whole agency only after asking for it, because that is in the trail.
    let session = forged(maria_id, Access::Agency);
    assert_eq!(code(maria.engine.execute(&session, Command::PauseKey(id, None))), "not_granted");
    let wide = maria.engine.execute(&maria.session, Command::OpenAgencyView).unwrap().session.unwrap();
    maria.engine.execute(&wide, Command::PauseKey(id, None)).unwrap();
    // What the door alone asks for.
    assert_eq!(code(maria.try_run(Command::StartSession { failed_attempts: 9 })), "bad_request");
    // What does not go with what came beside it.
    let secret = phrase("a passphrase for somebody");
    let ghost = || Command::AddOperator { name: name("ghost"), role: Role::Admin };
    for (command, brought) in [
        (ghost(), Brought::Nothing),
        (ghost(), Brought::Imported(b"0123456789abcdef")),
        (key("Unasked"), Brought::Passphrase(&secret)),
        (Command::ReplaceRecovery, Brought::Passphrase(&secret)),
    ] {
        assert_eq!(code(maria.engine.act(&maria.session, command, brought)), "bad_request");
    }
    assert!(house.engine().state().operator_named("ghost").is_none());
    assert!(house.engine().state().key(hers).is_some_and(|key| key.status == Status::Active));
}

#[test]
fn a_view_widens_by_asking_and_narrows_with_the_role() {
    let house = House::with(&PEOPLE);
    open_to_managers(&house);
    let (maria, carl) = (house.attach("maria"), house.attach("carl"));
    carl.issue("Carl's");
    let other = "dora";
    let owner = house.owner();
    let promote = |role| Command::SetRole { operator: operator(&house, other), role, basis: None };
    owner.engine.execute(&owner.session, promote(Role::Admin)).unwrap();
    let dora = house.attach(other);
    assert!(dora.sees().is_empty());
    // A number is no look at somebody's keys.
    let now = dora.engine.now().time;
    assert_eq!(dora.engine.state().live_keys_of(operator(&house, "carl"), now), 1);

    let mut news = dora.listen();
    carl.issue("Another of Carl's");
    dora.until(&mut news, "the number grows", |dora| {
        dora.engine.state().live_keys_of(operator(&house, "carl"), now) == 2
    });
    dora.issue("Dora's");
    let counted = house.attach(other);
    let own = counted.engine.state().live_keys_of(operator(&house, other), now);
    assert_eq!(own, 1, "what is held is not counted a second time");

    let wide = Guest {
        engine: Arc::clone(&dora.engine),
        session: dora.engine.execute(&dora.session, Command::OpenAgencyView).unwrap().session.unwrap(),
    };
    assert_eq!(wide.sees(), ["Another of Carl's", "Carl's", "Dora's"]);
    assert_eq!(
        wide.engine.state().live_keys_of(operator(&house, "carl"), now),
        2,
        "and none is counted twice"
    );
    let mut news = wide.listen();
    maria.issue("Maria's");
    wide.until(&mut news, "the whole agency, live", |wide| wide.sees().contains(&"Maria's".to_owned()));

    owner.engine.execute(&owner.session, promote(Role::Manager)).unwrap();
    wide.until(&mut news, "the keys are forgotten", |wide| {
        wide.sees() == ["Dora's"] && wide.engine.state().key_count() == 1
    });
    assert_eq!(wide.engine.state().operators().count(), 1, "and the operators");
    assert_eq!(code(wide.try_run(key("Mine"))), "done", "what the role still allows");
    assert_eq!(wide.sees(), ["Dora's", "Mine"]);
}

#[test]
fn keys_of_one_who_leaves_come_to_the_heir_and_the_one_who_left_is_told() {
    let house = House::with(&[("carl", Role::Manager), ("dora", Role::Manager)]);
    open_to_managers(&house);
    let (maria, carl, dora) = (house.attach("maria"), house.attach("carl"), house.attach("dora"));
    carl.issue("Inherited");
    let (mut of_dora, mut of_carl) = (dora.listen(), carl.listen());
    let heir = KeysAfter::GiveTo(operator(&house, "dora"));
    let done = maria
        .engine
        .execute(&maria.session, Command::DisableOperator { operator: operator(&house, "carl"), keys: heir })
        .unwrap();
    assert!(done.events.iter().all(|event| !matches!(event, Event::KeyGiven(..))), "not hers to see");
    dora.until(&mut of_dora, "dora has carl's key", |dora| dora.sees() == ["Inherited"]);
    assert!(of_carl.end().contains("Your access was ended"));
    let late = carl.try_run(key("Late")).err().unwrap();
    assert!(matches!(&late, EngineError::Gone(why) if why.contains("Ask an admin")), "{late}");
    assert_eq!(house.engine().state().key_count(), 1);
}

/// Between an attached process and the owner: passes everything on and keeps a copy of what the owner sends.
fn overhear(house: &House) -> Arc<Mutex<Vec<u8>>> {
    let real = house.path().join("real.sock");
    let name = house.path().join(SOCKET_FILE);
    std::fs::rename(&name, &real).unwrap();
    let between = house.path().join("between.sock");
    let listener = UnixListener::bind(&between).unwrap();
    symlink(&between, &name).unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let copy = Arc::clone(&heard);
    std::thread::spawn(move || {
        for guest in listener.incoming() {
            let (Ok(guest), Ok(owner)) = (guest, UnixStream::connect(&real)) else { return };
            let (mut from_guest, mut to_owner) = (guest.try_clone().unwrap(), owner.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from_guest, &mut to_owner);
                let _ = to_owner.shutdown(Shutdown::Both);
            });
            let (mut guest, mut owner, copy) = (guest, owner, Arc::clone(&copy));
            std::thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(read @ 1..) = owner.read(&mut bytes) {
                    copy.lock().unwrap().extend_from_slice(&bytes[..read]);
                    let _ = guest.write_all(&bytes[..read]);
                }
                let _ = guest.shutdown(Shutdown::Both);
            });
        }
    });
    heard
}

#[test]
fn a_command_about_one_key_is_sent_that_key_and_no_other() {
    let house = House::with(&[]);
    let owner = house.owner();
    let at_home = |command| owner.engine.execute(&owner.session, command).unwrap();
    for n in 10..20 {
        at_home(key(&format!("Bulk{n}")));
    }
    let heard = overhear(&house);
    let has = |needle: &[u8]| heard.lock().unwrap().windows(needle.len()).any(|window| window == needle);
    let brief = Options { wants: Wants::Named, ..options(house.path(), Via::CommandLine) };
    let passphrase = phrase(super::house::PHRASE);
    let door = Key::Operator { name: "maria", passphrase: &passphrase };
    let maria = open_or_attach(&brief, &door).unwrap();
    let sees = |called: &str| {
        let state = maria.engine.state();
        let view = View::new(&state, maria.session.actor());
        let found = view.find_key(called, Sought::Living, maria.engine.now().time).all();
        found.first().map(|key| (key.id, key.status))
    };
    assert_eq!(sees("Bulk13"), None, "nobody asked for it");
    maria.engine.look_up(&maria.session, "Bulk13").unwrap();
    let (id, _) = sees("Bulk13").unwrap();
    maria.engine.execute(&maria.session, Command::PauseKey(id, None)).unwrap();
    assert!(matches!(sees("Bulk13"), Some((_, Status::Paused(_)))), "as it is now");
    // Everything else is sent again, and what it was sent of keys stays.
    maria.engine.execute(&maria.session, Command::OpenAgencyView).unwrap();
    assert!(sees("Bulk13").is_some());
    maria.engine.look_up(&maria.session, "nothing of that name").unwrap();
    let sent: Vec<_> = (10..20).filter(|n| has(format!("Bulk{n}").as_bytes())).collect();
    assert_eq!(sent, [13]);
}

#[test]
fn nothing_that_may_not_be_seen_is_in_the_bytes() {
    let house = House::with(&PEOPLE);
    open_to_managers(&house);
    let owner = house.owner();
    let at_home = |called: &str| issued(owner.engine.execute(&owner.session, key(called)).unwrap()).0;
    let before = at_home("CanaryBefore");
    let heard = overhear(&house);
    let has = |needle: &[u8]| heard.lock().unwrap().windows(needle.len()).any(|window| window == needle);

    let carl = house.attach("carl");
    let (own, token) = carl.issue("CarlsOwnKey");
    let mut news = carl.listen();
    let after = at_home("CanaryAfter");
    owner.engine.execute(&owner.session, Command::PauseKey(before, None)).unwrap();
    owner
        .engine
        .execute(
            &owner.session,
            Command::RescopeKey { key: after, scopes: vec!["contacts.write".into()], basis: None },
        )
        .unwrap();
    owner.engine.execute(&owner.session, Command::AddLocations(vec![name("EverybodySeesThis")])).unwrap();
    carl.until(&mut news, "carl sees the location", |carl| carl.engine.state().locations().count() == 1);
    for guess in [before, after] {
        assert_eq!(code(carl.try_run(Command::revoke(guess))), "no_such_key");
        assert_eq!(code(carl.engine.audit(&carl.session, None, 10, Some(guess))), "no_such_key");
    }
    drop(carl.engine.audit(&carl.session, None, 500, None).unwrap());
    drop(carl.engine.doors(&carl.session).unwrap());
    carl.run(Command::PauseKey(own, None));
    assert!(has(b"CarlsOwnKey") && has(b"EverybodySeesThis"), "the copy is one");
    assert!(has(token.as_bytes()), "the token, once, to the one who issued it");
    assert!(!has(b"Canary"), "carl was sent what is not his");
    let of_others = |id: keydeck::domain::KeyId| has(id.public().as_bytes());
    assert!(of_others(own) && !of_others(before) && !of_others(after), "nor under its id");

    // An admin who did not open the whole view sees no more; only how many there are.
    let maria = enter(house.path(), "maria", super::house::PHRASE, Via::CommandLine).unwrap();
    let count = View::new(&maria.engine.state(), maria.session.actor()).keys().count();
    assert_eq!(count, 2, "her own");
    let ears = heard.lock().unwrap().len();
    let dora = house.attach("dora");
    assert!(dora.sees().is_empty());
    let of_dora = heard.lock().unwrap()[ears..].to_vec();
    let in_hers = |needle: &[u8]| of_dora.windows(needle.len()).any(|window| window == needle);
    assert!(in_hers(b"EverybodySeesThis") && !in_hers(b"Canary") && !in_hers(b"CarlsOwnKey"));
    let run = |command, brought| maria.engine.act(&maria.session, command, brought).unwrap();
    run(app("Kiosk"), Brought::Nothing);
    let kiosk = house.engine().state().apps().next().unwrap().id;
    let Command::CreateApp(change) = app("Terminal") else { unreachable!() };
    run(Command::EditApp { app: kiosk, change, basis: None }, Brought::Nothing);
    let grace = "1h".parse().unwrap();
    let rotation = Rotation { id: None, grace, counted: Counted::FromNow, expiry: None };
    run(Command::RenewAppSecret(kiosk, Some(rotation)), Brought::Nothing);
    let Command::IssueKey(theirs) = key("Taken over") else { unreachable!() };
    run(Command::ImportKey(theirs, None), Brought::Imported(b"0123456789abcdef"));
    let state = house.engine().state();
    // One that was taken over has none.
    for key in state.keys().filter(|key| key.imported.is_none()) {
        assert!(!has(&key.verifier.digest), "the digest of {} was sent", key.name);
    }
    assert!(has(b"Kiosk") && has(b"Terminal") && has(b"Taken over"));
    let old = |app: &App| app.previous().is_some_and(|old| has(&old.secret.digest));
    assert!(state.apps().any(|app| app.previous().is_some()), "there is an old secret to look for");
    assert!(
        state.apps().all(|app| !has(&app.secret.digest) && !old(app)),
        "the digest of an app's secret was sent"
    );
    assert!(!has(b"argon2id"), "what recognises a secret made elsewhere was sent");
    drop(state);
    until("nobody else is told", || house.control.as_ref().unwrap().attached() == 3);
}

#[test]
fn a_decoy_is_a_key_that_nobody_issued_to_whoever_must_not_know_and_is_not_sent_to_them() {
    let house = House::with(&PEOPLE);
    let (maria, carl) = (house.attach("maria"), house.attach("carl"));
    let Command::IssueKey(ordinary) = key("Hers") else { unreachable!() };
    let (id, token) = issued(maria.try_run(Command::IssueKey(NewKey { decoy: true, ..ordinary })).unwrap());
    until("she sees it", || maria.engine.state().key(id).is_some_and(keydeck::domain::Key::is_decoy));
    let token = token.as_bytes();
    let told = |guest: &Guest| {
        let used = guest.engine.verify(token, &[]);
        let tested = guest.engine.test(&guest.session, token, &[]).unwrap();
        assert_eq!(used, tested);
        (used.reason(), used.key())
    };
    assert_eq!(told(&carl), (Some(Reason::Unknown), None));
    assert_eq!(told(&maria), (Some(Reason::Decoy), Some(id)));
    assert_eq!(carl.engine.whose(&carl.session, token).unwrap(), Whose::Nobody);
    let hers = maria.engine.whose(&maria.session, token).unwrap();
    assert!(matches!(hers, Whose::Known(holder) if holder.refused == Some(Reason::Decoy)));
    assert!(carl.engine.state().keys().next().is_none());
}
