//! What takes access away on a disk that fails: in force at once, not undone by anything that happens next, shown
//! everywhere, and written first when the disk is well. And what nobody can say of a commit is found out.

use std::path::Path;
use std::sync::Arc;

use crate::support::wait::until;
use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::crypto::random::OsEntropy;
use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::{
    AppStatus, Command, Counted, KeyId, LocationId, Name, NewApp, NewKey, Note, OperatorId, Place, Profile,
    Reason, Role, Rotation, SourceApp, Status, Url, UserType,
};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Key, Open, Options, found, in_store, open};
use keydeck::engine::{Engine as _, EngineError, Integrity, Via};
use keydeck::store::{Fault, MemoryStore, Store};

const START: keydeck::domain::Timestamp = keydeck::domain::Timestamp(1_790_000_000_000);
const PHRASE: &str = "correct horse battery staple";

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn options(dir: &Path) -> Options {
    Options { cost: Cost::IMPORTED, ..Options::new(dir, "test", Via::CommandLine) }
}

pub fn sign_in(dir: &Path) -> Open {
    let phrase = Passphrase::choose(PHRASE).unwrap();
    open(&options(dir), &Key::Operator { name: "maria", passphrase: &phrase }).unwrap()
}

pub fn found_in(dir: &Path) -> Open {
    let phrase = Passphrase::choose(PHRASE).unwrap();
    found(&options(dir), name("Acme"), name("maria"), &phrase).unwrap().open
}

pub fn new_key(called: &str, place: Place) -> Command {
    Command::IssueKey(NewKey {
        name: name(called),
        place,
        scopes: vec!["contacts.read".into(), "contacts.write".into()],
        expiry: None,
        note: Note::default(),
        decoy: false,
    })
}

/// A store whose disk does as it is told, with one location.
struct House {
    disk: Arc<MemoryStore>,
    open: Open,
}

impl House {
    fn new() -> Self {
        let disk = Arc::new(MemoryStore::new());
        let store: Arc<dyn Store> = Arc::<MemoryStore>::clone(&disk);
        let clock = Arc::new(TestClock::at(START));
        let open = in_store(store, name("Acme"), name("maria"), clock, Via::CommandLine, Box::new(OsEntropy));
        let house = Self { disk, open: open.unwrap() };
        house.does(Command::AddLocations(vec![name("Harbour")])).unwrap();
        house.does(Command::AddOperator { name: name("otto"), role: Role::Manager }).unwrap();
        house
    }

    fn does(&self, command: Command) -> Result<Option<String>, EngineError> {
        let done = self.open.engine.execute(&self.open.session, command)?;
        Ok(done.token.map(|token| token.reveal().to_owned()))
    }

    fn location(&self) -> LocationId {
        self.open.engine.state().locations().next().unwrap().id
    }

    fn owner(&self) -> OperatorId {
        self.open.session.actor().operator
    }

    fn issue(&self, called: &str) -> (KeyId, String) {
        let token = self.does(new_key(called, Place::Location(self.location()))).unwrap().unwrap();
        let id = self.open.engine.state().keys().find(|key| key.name.as_str() == called).unwrap().id;
        (id, token)
    }

    fn answer(&self, token: &str) -> Option<Reason> {
        self.open.engine.verify(token.as_bytes(), &[]).reason()
    }

    fn events(&self) -> Vec<(String, Option<String>)> {
        let page = self.open.engine.audit(&self.open.session, None, 100, None).unwrap();
        let mut events: Vec<_> =
            page.lines.into_iter().map(|line| (line.entry.event, line.entry.reason)).collect();
        events.reverse();
        events
    }

    fn intact(&self) {
        let report = self.open.engine.check_audit(&self.open.session).unwrap();
        assert_eq!(report.integrity, Integrity::Intact, "{:?}", report.faults);
    }
}

#[test]
fn a_key_revoked_on_a_full_disk_stays_refused_when_its_location_is_renamed_or_its_owner_gets_another_role() {
    let others: [fn(&House) -> Command; 4] = [
        |house| Command::RenameLocation { location: house.location(), name: name("Port"), basis: None },
        |house| Command::RemoveLocation { location: house.location() },
        |house| Command::SetRole { operator: house.owner(), role: Role::Manager, basis: None },
        |house| new_key("Another", Place::Location(house.location())),
    ];
    for (n, other) in others.into_iter().enumerate() {
        for well_again in [false, true] {
            let house = House::new();
            let (id, token) = house.issue("Leaked");
            let second = house.does(Command::AddOperator { name: name("ada"), role: Role::Admin });
            assert!(second.is_ok());
            house.disk.go_down();
            let told = house.does(Command::revoke(id)).unwrap_err();
            assert!(matches!(told, EngineError::DeniedNotDurable(_)), "{told}");
            assert_eq!(house.answer(&token), Some(Reason::Revoked));
            if well_again {
                house.disk.come_back();
            }
            let done = house.does(other(&house));
            assert_eq!(done.is_ok(), well_again, "{n}: {:?}", done.err());
            assert_eq!(house.answer(&token), Some(Reason::Revoked), "{n}, {well_again}");
            let left = house.open.engine.condition().unwritten;
            assert_eq!(left.denials == 0, well_again, "{n}: what waited is written before anything else");
            house.disk.come_back();
            house.open.engine.settle().unwrap();
            assert_eq!(house.open.engine.condition().unwritten.denials, 0);
            let revoked = house.events().iter().filter(|(event, _)| event == "key.revoke").count();
            assert_eq!(revoked, 1, "{n}: the trail tells it once");
            house.intact();
        }
    }
}

#[test]
fn a_change_that_gives_as_well_as_takes_is_not_in_force_before_it_is_written() {
    let house = House::new();
    let (id, token) = house.issue("Nightly");
    let rescope = |scopes: &[&str]| Command::RescopeKey {
        key: id,
        scopes: scopes.iter().map(ToString::to_string).collect(),
        basis: None,
    };
    let allowed = |scope: &str| {
        let wanted = [scope.parse().unwrap()];
        house.open.engine.verify(token.as_bytes(), &wanted).is_allow()
    };
    house.disk.fail_next(Fault::Unavailable);
    let told = house.does(rescope(&["contacts.read", "locations.read"])).unwrap_err();
    assert!(matches!(told, EngineError::Commit(_)), "{told}");
    assert!(!allowed("locations.read") && allowed("contacts.write"), "nothing was changed");
    house.disk.fail_next(Fault::Unavailable);
    let told = house.does(rescope(&["contacts.read"])).unwrap_err();
    assert!(matches!(told, EngineError::DeniedNotDurable(_)), "{told}");
    assert!(allowed("contacts.read") && !allowed("contacts.write"));
    house.disk.fail_next(Fault::Unavailable);
    let otto = house.open.engine.state().operator_named("otto").unwrap().id;
    let _unwritten = house.does(Command::SetRole { operator: otto, role: Role::Admin, basis: None });
    assert_eq!(
        house.open.engine.state().operator(otto).unwrap().role,
        Role::Manager,
        "nobody rises unwritten"
    );
}

#[test]
fn after_a_write_nobody_can_tell_the_outcome_of_the_next_change_is_no_conflict() {
    for fault in [Fault::DownDone, Fault::DownLost] {
        let house = House::new();
        let (id, token) = house.issue("Before");
        house.disk.fail_next(fault);
        let harbour = house.location();
        let rename = Command::RenameLocation { location: harbour, name: name("Port"), basis: None };
        let told = house.does(rename).unwrap_err();
        assert!(told.to_string().contains("may or may not"), "{told}");
        let told = house.does(Command::AddLocations(vec![name("Hill")])).unwrap_err();
        assert!(!told.to_string().contains("Somebody else"), "{fault:?}: {told}");
        // A denial is in force meanwhile.
        house.does(Command::revoke(id)).unwrap_err();
        assert_eq!(house.answer(&token), Some(Reason::Revoked));
        house.disk.come_back();
        house.does(Command::AddLocations(vec![name("Hill")])).unwrap();
        let renamed = house.open.engine.state().location(harbour).unwrap().name.to_string();
        assert_eq!(
            renamed == "Port",
            fault == Fault::DownDone,
            "{fault:?}: memory shows what the store holds"
        );
        let told = house.events();
        assert_eq!(told.iter().any(|(event, _)| event == "location.rename"), fault == Fault::DownDone);
        assert!(told.iter().any(|(event, _)| event == "key.revoke"), "{fault:?}: the denial was written");
        house.intact();
    }
}

#[test]
fn a_key_that_may_have_been_made_and_whose_secret_nobody_saw_is_taken_back() {
    for fault in [Fault::DownDone, Fault::DownLost] {
        let house = House::new();
        house.disk.fail_next(fault);
        let told = house.does(new_key("Lost", Place::Agency)).unwrap_err();
        assert!(matches!(told, EngineError::NeverShown(_)), "{told}");
        assert_eq!(house.open.engine.condition().unwritten.denials, 1);
        house.disk.come_back();
        house.open.engine.settle().unwrap();
        assert_eq!(house.open.engine.condition().unwritten.denials, 0);
        let keys: Vec<_> = house.open.engine.state().keys().map(|key| key.status).collect();
        let told = house.events();
        let last = told.last().unwrap();
        if fault == Fault::DownDone {
            assert!(matches!(keys[..], [Status::Revoked(_)]), "{keys:?}");
            assert_eq!(*last, ("key.revoke".into(), Some("secret_unconfirmed".into())));
        } else {
            assert!(keys.is_empty(), "{keys:?}");
            assert_eq!(last.0, "operator.add", "there was nothing to take back");
        }
        house.intact();
        house.does(new_key("Lost", Place::Agency)).unwrap();
    }
}

fn rotate(key: KeyId, grace: &str) -> Command {
    let (grace, counted) = (grace.parse().unwrap(), Counted::FromNow);
    Command::RotateKey { key, rotation: Rotation { id: None, grace, counted, expiry: None } }
}

#[test]
fn a_lost_key_is_refused_on_a_full_disk_and_no_new_secret_is_shown() {
    for (fault, told_of) in [(Fault::Unavailable, 1), (Fault::DownLost, 1), (Fault::DownDone, 3)] {
        let house = House::new();
        let (id, token) = house.issue("Lost");
        house.disk.fail_next(fault);
        let told = house.does(rotate(id, "0")).unwrap_err();
        assert!(matches!(told, EngineError::DeniedNotDurable(_)), "{fault:?}: {told}");
        assert_eq!(house.answer(&token), Some(Reason::Revoked), "{fault:?}");
        // Asked again meanwhile: the same answer, and nothing more.
        if fault != Fault::Unavailable {
            let told = house.does(rotate(id, "0")).unwrap_err();
            assert!(matches!(told, EngineError::DeniedNotDurable(_)), "{fault:?}: {told}");
        }
        house.disk.come_back();
        house.open.engine.settle().unwrap();
        assert_eq!(house.open.engine.condition().unwritten.denials, 0);
        assert_eq!(house.answer(&token), Some(Reason::Revoked), "{fault:?}");
        let state: Vec<_> = house.open.engine.state().keys().map(|key| key.status).collect();
        assert!(state.iter().all(|status| matches!(status, Status::Revoked(_))), "{fault:?}: {state:?}");
        let own = |event: &str| event == "key.rotate" || event == "key.revoke";
        let events = house.events();
        assert_eq!(events.iter().filter(|(event, _)| own(event)).count(), told_of, "{fault:?}: {events:?}");
        house.intact();
    }
}

#[test]
fn a_key_lost_while_the_disk_is_down_is_refused_at_once() {
    let house = House::new();
    let (id, token) = house.issue("Lost");
    let (kept, other) = house.issue("Kept");
    house.disk.go_down();
    for _ in 0..2 {
        let told = house.does(rotate(id, "0")).unwrap_err();
        assert!(matches!(told, EngineError::DeniedNotDurable(_)), "{told}");
        assert_eq!(house.answer(&token), Some(Reason::Revoked));
    }
    // One that goes on working for a grace loses nothing.
    house.does(rotate(kept, "24h")).unwrap_err();
    assert_eq!(house.answer(&other), None);
    assert_eq!(house.open.engine.state().key_count(), 2);
    house.disk.come_back();
    house.open.engine.settle().unwrap();
    house.intact();
}

#[test]
fn a_rotation_whose_secret_nobody_saw_leaves_the_old_half_as_it_was() {
    for fault in [Fault::DownDone, Fault::DownLost] {
        let house = House::new();
        let (id, token) = house.issue("Widget");
        let before = house.open.engine.state().key(id).cloned();
        house.disk.fail_next(fault);
        let told = house.does(rotate(id, "1h")).unwrap_err();
        assert!(matches!(told, EngineError::NeverShown(_)), "{told}");
        assert_eq!(house.answer(&token), None);
        house.disk.come_back();
        house.open.engine.settle().unwrap();
        let end =
            |key: &Option<keydeck::domain::Key>| key.as_ref().map(|key| (key.expiry, key.superseded.clone()));
        assert_eq!(end(&house.open.engine.state().key(id).cloned()), end(&before), "{fault:?}");
        assert_eq!(house.answer(&token), None);
        let (told, last) = (house.events(), ("key.rotate-cancel".into(), Some("secret_unconfirmed".into())));
        assert_eq!(told.last() == Some(&last), fault == Fault::DownDone, "{told:?}");
        house.intact();
        house.does(rotate(id, "1h")).unwrap();
    }
}

#[test]
fn a_rotation_the_seal_does_not_know_of_is_cancelled_at_the_next_start() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let Open { engine, session, .. } = found_in(&dir);
    engine.execute(&session, new_key("Widget", Place::Agency)).unwrap();
    engine.settle().unwrap();
    let old = engine.state().keys().next().unwrap().clone();
    for (grace, lives) in [("1h", true), ("0", false)] {
        let copy = scratch.path().join(format!("before {grace}"));
        copied(&dir, &copy);
        let Open { engine, session, .. } = sign_in(&copy);
        engine.settle().unwrap();
        let before = std::fs::read(copy.join("seal")).unwrap();
        engine.execute(&session, rotate(old.id, grace)).unwrap();
        let cut = scratch.path().join(format!("after {grace}"));
        copied(&copy, &cut);
        std::fs::write(cut.join("seal"), &before).unwrap();
        drop((engine, session));
        let Open { engine, session, notices } = sign_in(&cut);
        assert!(
            notices.iter().any(|notice| notice.contains("that the seal does not know of")),
            "{notices:?}"
        );
        let state = engine.state();
        let working = state.keys().filter(|key| key.status == Status::Active).count();
        assert_eq!(working, usize::from(lives), "{grace}");
        if lives {
            let key = state.key(old.id).unwrap();
            assert_eq!((key.expiry, &key.superseded), (old.expiry, &None));
        }
        drop(state);
        let report = engine.check_audit(&session).unwrap();
        assert_eq!(report.integrity, Integrity::Intact, "{grace}: {:?}", report.faults);
    }
}

/// Everything in a directory once more, as it is at this moment.
fn copied(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copied(&path, &copy);
        } else {
            std::fs::copy(&path, &copy).unwrap();
        }
    }
}

#[test]
fn a_secret_that_was_made_and_shown_to_nobody_before_the_end_is_taken_back_and_one_that_was_shown_is_not() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let Open { engine, session, .. } = found_in(&dir);
    let app = NewApp {
        name: name("Shop"),
        profile: Profile {
            uri: Url::new("https://shop.example").unwrap(),
            description: Note::default(),
            user_type: UserType::Both,
            source: SourceApp::Bot,
            post_login: Vec::new(),
            post_logout: Vec::new(),
        },
        method: AuthMethod::ApiKey,
        scopes: vec!["contacts.read".into()],
        terms: keydeck::domain::Terms::default(),
    };
    for (n, command) in [new_key("Nightly", Place::Agency), Command::CreateApp(app)].into_iter().enumerate() {
        engine.settle().unwrap();
        let before = std::fs::read(dir.join("seal")).unwrap();
        engine.execute(&session, command).unwrap();
        let ended = |how: &str, seal_is_behind: bool| {
            let copy = scratch.path().join(format!("{n} {how}"));
            copied(&dir, &copy);
            if seal_is_behind {
                std::fs::write(copy.join("seal"), &before).unwrap();
            }
            let Open { engine, session, notices } = sign_in(&copy);
            let page = engine.audit(&session, None, 100, None).unwrap();
            let back = Some("secret_unconfirmed");
            let taken = page.lines.iter().any(|line| line.entry.reason.as_deref() == back);
            assert_eq!(
                notices.iter().any(|notice| notice.contains("that the seal does not know of")),
                taken,
                "{how}: {notices:?}"
            );
            let lives = match n {
                0 => engine.state().keys().all(|key| key.status == Status::Active),
                _ => engine.state().apps().all(|app| app.status == AppStatus::Active),
            };
            assert_eq!(lives, !taken, "{how}");
            let report = engine.check_audit(&session).unwrap();
            assert_eq!(report.integrity, Integrity::Intact, "{how}: {:?}", report.faults);
            taken
        };
        assert!(ended("the seal does not know of it", true));
        assert!(!ended("the seal knows of it", false));
        engine.execute(&session, Command::AddLocations(vec![name(&format!("Harbour {n}"))])).unwrap();
        assert!(!ended("something follows it", true));
    }
}

#[test]
fn a_secret_the_seal_cannot_know_of_is_taken_back_and_not_shown() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let Open { engine, session, .. } = found_in(&dir);
    let seal = dir.join("seal");
    std::fs::remove_file(&seal).unwrap();
    std::fs::create_dir_all(seal.join("in the way")).unwrap();
    let told = engine.execute(&session, new_key("Lost", Place::Agency)).map(drop).unwrap_err();
    assert!(matches!(told, EngineError::NeverShown(_)), "{told}");
    let keys: Vec<_> = engine.state().keys().map(|key| key.status).collect();
    assert!(matches!(keys[..], [Status::Revoked(_)]), "{keys:?}");
    std::fs::remove_dir_all(&seal).unwrap();
    engine.execute(&session, new_key("Lost", Place::Agency)).unwrap();
}

#[test]
fn a_timer_writes_what_waits_although_nobody_comes() {
    let house = House::new();
    let (id, _) = house.issue("Leaked");
    house.disk.fail_next(Fault::Unavailable);
    house.does(Command::revoke(id)).unwrap_err();
    until("somebody to write it", || house.open.engine.condition().unwritten.denials == 0);
    assert!(house.events().iter().any(|(event, _)| event == "key.revoke"));
}
