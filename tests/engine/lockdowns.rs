//! Everything refused at once: in one small commit, from the next request on, on a disk that fails, after a restart and when
//! somebody puts the record back that it stands in; and all as it was when it is lifted.

#![expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]

use std::sync::{Arc, Mutex};

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::{Command, Extent, NewKey, Note, Place, Reason};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Key, Open, Options, found, open};
use keydeck::engine::{Engine as _, EngineError, Via};
use keydeck::store::{Op, SledOptions, SledStore, Store as _};

use crate::sweeps::{House, START, issue, name};

fn lock(what: Extent) -> Command {
    Command::LockDown { what, why: Note::new("a laptop was stolen").unwrap() }
}

fn lift(what: Extent) -> Command {
    Command::LiftLockdown { what, basis: None }
}

fn answer(open: &Open, token: &str) -> Option<Reason> {
    open.engine.verify(token.as_bytes(), &[]).reason()
}

fn does(open: &Open, command: Command) -> Result<(), EngineError> {
    open.engine.execute(&open.session, command).map(drop)
}

/// A store on disk, its directory, and maria signed in.
struct Disk {
    dir: tempfile::TempDir,
    clock: TestClock,
}

impl Disk {
    fn new() -> (Self, Open) {
        let disk = Self { dir: tempfile::tempdir().unwrap(), clock: TestClock::at(START) };
        let open = found(&disk.options(), name("Acme"), name("maria"), &Self::phrase()).unwrap().open;
        (disk, open)
    }

    fn phrase() -> Passphrase {
        Passphrase::choose("correct horse battery staple").unwrap()
    }

    fn options(&self) -> Options {
        let clock = Arc::new(self.clock.clone());
        Options { clock, cost: Cost::IMPORTED, ..Options::new(self.dir.path(), "test", Via::CommandLine) }
    }

    fn open(&self) -> Open {
        open(&self.options(), &Key::Operator { name: "maria", passphrase: &Self::phrase() }).unwrap()
    }
}

#[test]
fn one_record_is_written_however_many_keys_are_covered_and_the_next_request_is_refused() {
    let house = House::founded();
    let raise =
        |rule: &str, to: &str| Command::SetPolicy { name: rule.into(), value: to.into(), basis: None };
    house.does(raise("keys-per-operator", "400")).unwrap();
    let owner = Extent::Owner(house.open.session.actor().operator);
    let mut written = Vec::new();
    for many in [1, 150] {
        let tokens: Vec<String> = (0..many).map(|n| house.issue(&format!("Key {many} {n}")).1).collect();
        for what in [owner, Extent::Agency] {
            let commits = Arc::new(Mutex::new(Vec::new()));
            let heard = Arc::clone(&commits);
            *house.store.before_commit.lock().unwrap() =
                Some(Box::new(move |ops: &[Op]| heard.lock().unwrap().push(ops.len())));
            house.does(lock(what)).unwrap();
            *house.store.before_commit.lock().unwrap() = None;
            for token in &tokens {
                assert_eq!(answer(&house.open, token), Some(Reason::LockedDown));
            }
            written.push(commits.lock().unwrap().clone());
            house.does(lift(what)).unwrap();
            assert!(tokens.iter().all(|token| answer(&house.open, token).is_none()));
        }
    }
    assert!(written.iter().all(|commits| *commits == written[0]), "{written:?}");
    assert_eq!(written[0].len(), 1, "one commit: {written:?}");
    assert!(house.is_whole());
}

#[test]
fn a_lockdown_outlives_the_process_and_so_does_its_end() {
    let (disk, open) = Disk::new();
    does(&open, Command::AddLocations(vec![name("North")])).unwrap();
    let north = open.engine.state().locations().next().unwrap().id;
    let new = NewKey {
        name: name("At North"),
        place: Place::Location(north),
        scopes: vec!["contacts.read".into()],
        expiry: None,
        note: Note::default(),
        decoy: false,
    };
    let done = open.engine.execute(&open.session, Command::IssueKey(new)).unwrap();
    let at_north = done.token.unwrap().reveal().to_owned();
    let (_, other) = issue(&open, "Other");
    does(&open, lock(Extent::Location(north))).unwrap();
    drop(open);
    let open = disk.open();
    assert_eq!((answer(&open, &at_north), answer(&open, &other)), (Some(Reason::LockedDown), None));
    let told = open.engine.state().lockdown(Extent::Location(north)).unwrap().clone();
    assert_eq!((told.why.as_str(), told.by), ("a laptop was stolen", open.session.actor().operator));
    does(&open, lift(Extent::Location(north))).unwrap();
    drop(open);
    let open = disk.open();
    assert_eq!((answer(&open, &at_north), answer(&open, &other)), (None, None));
    let page = open.engine.audit(&open.session, None, 10, None).unwrap();
    let events: Vec<_> = page.lines.iter().map(|line| line.entry.event.as_str()).collect();
    assert!(events.contains(&"lockdown.begin") && events.contains(&"lockdown.lift"), "{events:?}");
}

#[test]
fn on_a_disk_that_fails_it_is_in_force_at_once_and_after_a_restart_and_written_when_it_can_be() {
    for locked in ["agency", "owner"] {
        let (disk, open) = Disk::new();
        let (_, token) = issue(&open, "Leaked");
        let what = match locked {
            "agency" => Extent::Agency,
            _ => Extent::Owner(open.session.actor().operator),
        };
        let (store, aside) = (disk.dir.path().join("store"), disk.dir.path().join("aside"));
        std::fs::rename(&store, &aside).unwrap();
        let told = does(&open, lock(what));
        assert!(matches!(told, Err(EngineError::DeniedKept(_))), "{locked}: {told:?}");
        assert_eq!(answer(&open, &token), Some(Reason::LockedDown), "{locked}: refused at once");
        assert_eq!(open.engine.condition().unwritten.denials, 1);
        // The process ends before the disk is well.
        drop(open);
        std::fs::remove_dir_all(&store).ok();
        std::fs::rename(&aside, &store).unwrap();
        let open = disk.open();
        assert_eq!(answer(&open, &token), Some(Reason::LockedDown), "{locked}: known again");
        assert_eq!(open.engine.condition().unwritten.denials, 0, "{locked}: and written by now");
        drop(open);
        let open = disk.open();
        assert_eq!(answer(&open, &token), Some(Reason::LockedDown), "{locked}");
        does(&open, lift(what)).unwrap();
        assert_eq!(answer(&open, &token), None, "{locked}");
    }
}

#[test]
fn a_record_put_back_or_taken_away_lifts_nothing() {
    for locked in ["agency", "owner"] {
        let (disk, open) = Disk::new();
        let (_, token) = issue(&open, "Leaked");
        let owner = open.session.actor().operator;
        let (what, at) = match locked {
            "agency" => (Extent::Agency, "m/agency".to_owned()),
            _ => (Extent::Owner(owner), format!("u/{}", owner.public())),
        };
        drop(open);
        let row = |dir: &std::path::Path| {
            let store = SledStore::open(&SledOptions::new(dir)).unwrap().store;
            store.get(at.as_bytes()).unwrap().unwrap().value.clone()
        };
        let before = row(disk.dir.path());
        let open = disk.open();
        does(&open, lock(what)).unwrap();
        drop(open);
        for op in [
            Op::Put(at.clone().into_bytes(), before.clone()),
            Op::Put(at.clone().into_bytes(), b"junk".to_vec()),
            Op::Delete(at.clone().into_bytes()),
        ] {
            let store = SledStore::open(&SledOptions::new(disk.dir.path())).unwrap().store;
            store.commit(&[], std::slice::from_ref(&op)).unwrap();
            drop(store);
            let phrase = Disk::phrase();
            // A store that does not open at all lets nobody in either.
            let Ok(open) = keydeck::engine::open::open(
                &disk.options(),
                &Key::Operator { name: "maria", passphrase: &phrase },
            ) else {
                continue;
            };
            assert_eq!(answer(&open, &token), Some(Reason::StoreError), "{locked}: {op:?}");
        }
    }
}
