//! A backup is the store of one moment, whoever works on it meanwhile, and a store put back from it is that store: what was
//! ended in it stays ended, nothing is deleted before somebody says so, and a file that is not as it was made opens nothing.
//!
//! `KEYDECK_BACKUP_ROUNDS=200 cargo nextest run --release --test engine backups::` for the long run; `KEYDECK_BACKUP_STEP=1`
//! bends every byte of a backup, not some.

#![expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};

use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::notice::{What, board};
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{
    Command, Extent, Grounds, KeyId, NewKey, Note, Place, Reason, Refusal, Role, Timestamp, View,
};
use keydeck::engine::audit_log::Integrity;
use keydeck::engine::backup::{
    Anchors, BackupError, Part, Restored, Saved, Source, Target, Under, Want, restore, save, sealed_lock,
};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Key, Open, found, is_store, open};
use keydeck::engine::{Brought, Engine as _, EngineError, OpenError, Sweeping};
use keydeck::store::Seal;

use crate::sweeps::{START, issue, name, options};

const PHRASE: &str = "correct horse battery staple";

/// A store on the disk, and room beside it.
struct House {
    root: tempfile::TempDir,
    clock: TestClock,
    open: Option<Open>,
}

impl House {
    fn founded() -> Self {
        let (root, clock) = (tempfile::tempdir().unwrap(), TestClock::at(START));
        let founded =
            found(&options(&root.path().join("data"), &clock), name("Acme"), name("maria"), &phrase());
        Self { root, clock, open: Some(founded.unwrap().open) }
    }

    fn open(&self) -> &Open {
        self.open.as_ref().unwrap()
    }

    fn at(&self, called: &str) -> PathBuf {
        self.root.path().join(called)
    }

    fn does(&self, command: Command) {
        self.open().engine.execute(&self.open().session, command).unwrap();
    }

    fn save(&self, called: &str) -> Result<Saved, BackupError> {
        self.save_under(called, None)
    }

    fn save_under(&self, called: &str, under: Option<Under<'_>>) -> Result<Saved, BackupError> {
        let path = &*self.at(called);
        let target = Target { path, replace: false, under, stops: &|| false };
        save(&*self.open().engine, &self.open().session, &maria(&phrase()), target)
    }

    fn restore(&self, file: &str, into: &str, anchors: &Anchors) -> Result<Restored, BackupError> {
        restore(&options(&self.at(into), &self.clock), &maria(&phrase()), Source::of(&self.at(file)), anchors)
    }

    fn enter(&self, dir: &str) -> Open {
        open(&options(&self.at(dir), &self.clock), &maria(&phrase())).unwrap()
    }
}

fn phrase() -> Passphrase {
    Passphrase::choose(PHRASE).unwrap()
}

fn maria(passphrase: &Passphrase) -> Key<'_> {
    Key::Operator { name: "maria", passphrase }
}

fn verify(open: &Open, token: &str) -> Option<Reason> {
    open.engine.verify(token.as_bytes(), &[]).reason()
}

fn is_whole(open: &Open) -> bool {
    open.engine.doubts().is_empty()
        && open.engine.check_audit(&open.session).unwrap().integrity == Integrity::Intact
}

fn told(open: &Open) -> Vec<What> {
    let (state, now) = (open.engine.state(), open.engine.now().time);
    let grounds = Grounds::of(now, false, open.engine.condition().complete_since);
    board(View::new(&state, open.session.actor()), grounds, &[])
        .into_iter()
        .map(|notice| notice.what)
        .collect()
}

#[test]
fn a_store_put_back_lets_in_whom_it_let_in_and_nobody_whose_key_was_ended() {
    let house = House::founded();
    let (_, lives) = issue(house.open(), "Lives");
    let (ended, dead) = issue(house.open(), "Ended");
    house.does(Command::revoke(ended));
    assert_eq!(verify(house.open(), &lives), None);
    // Uses and their history are written down by now.
    house.open().engine.settle().unwrap();
    let saved = house.save("backup").unwrap();
    let about = fs::metadata(house.at("backup")).unwrap();
    assert_eq!((about.len(), about.permissions().mode() & 0o777), (saved.bytes, 0o600));
    assert_eq!(fs::read_dir(house.root.path()).unwrap().count(), 2, "nothing else is left");
    assert!(matches!(house.save("backup"), Err(BackupError::Io(why)) if why.to_string().contains("--force")));

    house.clock.pass(5 * DAY_MS);
    let restored = house.restore("backup", "new/data", &Anchors::default()).unwrap();
    assert_eq!((restored.rows, &restored.closing), (saved.rows, &saved.closing));
    let back = house.enter("new/data");
    assert!(is_whole(&back));
    assert_eq!((verify(&back, &lives), verify(&back, &dead)), (None, Some(Reason::Revoked)));
    let trail = back.engine.audit(&back.session, None, 100, None).unwrap().lines;
    let events: Vec<&str> = trail.iter().rev().map(|line| line.entry.event.as_str()).collect();
    let from = usize::try_from(saved.closing.seq).unwrap() - 1;
    assert_eq!(events[from..], ["store.backup", "store.restore"]);
    assert_eq!(back.engine.condition().complete_since, Some(house.open().engine.now().time));
    // It says so until somebody has said that they know.
    assert_eq!(told(&back), [What::PutBack]);
    back.engine.execute(&back.session, Command::ConfirmHold { count: 0 }).unwrap();
    assert_eq!(told(&back), []);
    assert!(is_store(&house.at("new/data")).unwrap() && !house.at("new/data/restoring").exists());
}

#[test]
fn in_a_store_put_back_nothing_is_deleted_unasked_and_idle_days_count_from_then() {
    let house = House::founded();
    let (_, token) = issue(house.open(), "Quiet");
    house.clock.pass(89 * DAY_MS);
    house.save("backup").unwrap();
    house.restore("backup", "new", &Anchors::default()).unwrap();
    let back = house.enter("new");
    let put_back = house.clock.clone();
    let sweep = || back.engine.sweep(&back.session, Sweeping::Do).unwrap().events.len();
    assert_eq!(sweep(), 0, "nobody knows whether it was used");
    for _ in 0..120 {
        put_back.pass(DAY_MS);
        sweep();
    }
    assert!(told(&back).contains(&What::Held(1)), "{:?}", told(&back));
    assert_eq!(back.engine.test(&back.session, token.as_bytes(), &[]).unwrap().reason(), None);
    back.engine.execute(&back.session, Command::ConfirmHold { count: 1 }).unwrap();
    sweep();
    assert_eq!(verify(&back, &token), Some(Reason::Tombstoned));
}

#[test]
fn what_was_revoked_after_the_backup_is_told_by_an_anchor_and_the_backup_refused() {
    let house = House::founded();
    let (key, token) = issue(house.open(), "Leaked");
    let engine = &house.open().engine;
    let older = engine.anchor(&house.open().session).unwrap();
    house.save("backup").unwrap();
    let known = Anchors { lines: vec![older.clone()], accept_loss: false, ..Anchors::default() };
    assert_eq!(house.restore("backup", "one", &known).unwrap().missing, 0);
    house.does(Command::revoke(key));
    let newer = engine.anchor(&house.open().session).unwrap();
    let mut anchors = Anchors { lines: vec![newer, older.clone()], accept_loss: false, ..Anchors::default() };
    let refused = house.restore("backup", "two", &anchors).unwrap_err();
    assert!(matches!(refused, BackupError::Older { .. }), "{refused}");
    // That the backup was made, and the revocation.
    assert!(refused.to_string().contains("2 entries are missing"), "{refused}");
    assert!(!house.at("two").exists(), "nothing is left");
    anchors.accept_loss = true;
    assert_eq!(house.restore("backup", "two", &anchors).unwrap().missing, 2);
    assert_eq!(verify(&house.enter("two"), &token), None, "it lives again, as was said");
    for wrong in [
        keydeck::engine::Anchor { head: "0".repeat(64), ..older.clone() },
        keydeck::engine::Anchor { store: "0".repeat(32), ..older },
    ] {
        let refused = house.restore(
            "backup",
            "three",
            &Anchors { lines: vec![wrong], accept_loss: true, ..Anchors::default() },
        );
        assert!(matches!(refused, Err(BackupError::Unproven(_) | BackupError::Foreign(_))));
    }
}

#[test]
fn the_old_directory_tells_that_nothing_but_the_word_that_the_backup_was_made_is_missing() {
    let mut house = House::founded();
    let (key, _) = issue(house.open(), "Leaked");
    house.save("backup").unwrap();
    house.open().engine.settle().unwrap();
    house.open = None;
    let data = house.at("data");
    let seal = || Seal::read(&data.join(Seal::FILE)).unwrap();
    let old = || Anchors { seal: seal(), old: Some(data.clone()), ..Anchors::default() };
    let refused = house.restore("backup", "seal", &Anchors { seal: seal(), ..Anchors::default() });
    assert!(matches!(refused, Err(BackupError::Older { .. })), "a seal alone says only that there is one");
    assert_eq!(house.restore("backup", "one", &old()).unwrap().missing, 0);
    // While somebody works on it nobody can say what comes next.
    house.open = Some(house.enter("data"));
    assert!(matches!(house.restore("backup", "two", &old()), Err(BackupError::Older { .. })));
    house.does(Command::revoke(key));
    house.open().engine.settle().unwrap();
    house.open = None;
    assert!(matches!(house.restore("backup", "two", &old()), Err(BackupError::Older { .. })));
}

#[test]
fn what_was_denied_on_a_failing_disk_and_is_not_in_the_trail_yet_is_missing_too() {
    let mut house = House::founded();
    let (key, _) = issue(house.open(), "Leaked");
    house.save("backup").unwrap();
    house.open().engine.settle().unwrap();
    // From here on no commit succeeds.
    let (store, aside) = (house.at("data/store"), house.at("aside"));
    fs::rename(&store, &aside).unwrap();
    let Open { engine, session, .. } = house.open();
    assert!(matches!(engine.execute(session, Command::revoke(key)), Err(EngineError::DeniedKept(_))));
    house.open = None;
    fs::rename(&aside, &store).unwrap();
    let data = house.at("data");
    let seal = Seal::read(&data.join(Seal::FILE)).unwrap();
    let old = || Anchors { seal: seal.clone(), old: Some(data.clone()), ..Anchors::default() };
    assert!(matches!(house.restore("backup", "one", &old()), Err(BackupError::Older { .. })));
    // Nor does anybody know what would be in a file that cannot be read.
    for copy in fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()) {
        if copy.file_name().is_some_and(|name| name.to_string_lossy().starts_with("denials")) {
            let held = fs::read(&copy).unwrap().len();
            fs::write(&copy, vec![7; held]).unwrap();
        }
    }
    assert!(matches!(house.restore("backup", "two", &old()), Err(BackupError::Older { .. })));
}

#[test]
fn another_entry_than_the_word_that_this_backup_was_made_is_missing_for_all_that() {
    let mut house = House::founded();
    house.save("first").unwrap();
    let begun = house.open().engine.copy(&house.open().session, Want::Begin);
    assert!(begun.is_ok());
    house.open().engine.settle().unwrap();
    house.open = None;
    let data = house.at("data");
    let seal = Seal::read(&data.join(Seal::FILE)).unwrap();
    let old = Anchors { seal, old: Some(data), ..Anchors::default() };
    assert!(matches!(house.restore("first", "one", &old), Err(BackupError::Older { .. })));
}

#[test]
fn a_backup_that_is_broken_off_leaves_nothing_wherever_it_is_by_then() {
    let house = House::founded();
    issue(house.open(), "Lives");
    let (path, left) =
        (house.at("vault").join("backup"), || fs::read_dir(house.at("vault")).unwrap().count());
    fs::create_dir(house.at("vault")).unwrap();
    for after in (0..).step_by(2) {
        let asked = AtomicUsize::new(0);
        let stops = || asked.fetch_add(1, Ordering::Relaxed) >= after;
        let target = Target { path: &path, replace: false, under: None, stops: &stops };
        match save(&*house.open().engine, &house.open().session, &maria(&phrase()), target) {
            Err(BackupError::BrokenOff) => assert_eq!(left(), 0, "after {after}"),
            made => {
                made.unwrap();
                assert!(after > 3 && left() == 1);
                break;
            }
        }
    }
}

#[test]
fn a_backup_under_a_passphrase_of_its_own_needs_that_and_a_secret_of_the_store() {
    let house = House::founded();
    let (_, token) = issue(house.open(), "Lives");
    let (own, other) = (phrase_of("a passphrase for the vault"), phrase_of("another one for the vault"));
    let at = house.at("backup");
    let save = |own| {
        let under = Some(Under { passphrase: own, cost: Cost::IMPORTED, sealed: Some("for somebody") });
        let target = Target { path: &at, replace: false, under, stops: &|| false };
        save(&*house.open().engine, &house.open().session, &maria(&phrase()), target).unwrap()
    };
    save(&own);
    // A file that asks for more work than any keydeck does is not one to try a passphrase on.
    let dear = Under { passphrase: &own, cost: Cost::new(19 * 1024, 16, 1).unwrap(), sealed: None };
    assert!(house.save_under("dear", Some(dear)).unwrap_err().to_string().contains("would cost more"));
    assert_eq!(sealed_lock(&at).unwrap().as_deref(), Some("for somebody"));
    let bytes = fs::read(&at).unwrap();
    assert!(bytes.starts_with(b"keydeck backup 2\n"), "a keydeck that does not know of it says so");
    let holds = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    assert!(!holds(b"maria"), "nor do the slots of the store lie open in it");
    let put_back = |into: &str, secret: &Passphrase, under: Option<&Passphrase>| {
        let into = options(&house.at(into), &house.clock);
        restore(&into, &maria(secret), Source { file: &at, under }, &Anchors::default())
    };
    assert!(matches!(put_back("one", &phrase(), None), Err(BackupError::Locked)));
    assert!(matches!(put_back("one", &phrase(), Some(&other)), Err(BackupError::WrongLock)));
    assert!(matches!(put_back("one", &phrase(), Some(&phrase())), Err(BackupError::WrongLock)));
    assert!(
        matches!(put_back("one", &own, Some(&own)), Err(BackupError::Unseal(_))),
        "it lets nobody in by itself"
    );
    assert!(!house.at("one").exists());
    put_back("one", &phrase(), Some(&own)).unwrap();
    let back = house.enter("one");
    assert!(is_whole(&back) && verify(&back, &token).is_none());
    // Its first line made to say otherwise.
    let mut bent = bytes;
    bent[b"keydeck backup ".len()] = b'1';
    fs::write(&at, bent).unwrap();
    assert!(matches!(put_back("two", &phrase(), Some(&own)), Err(BackupError::Damaged { .. })));
}

fn phrase_of(text: &str) -> Passphrase {
    Passphrase::choose(text).unwrap()
}

#[test]
fn where_something_is_nothing_is_put_back_and_what_is_there_stays() {
    let house = House::founded();
    house.save("backup").unwrap();
    fs::create_dir(house.at("empty")).unwrap();
    house.restore("backup", "empty", &Anchors::default()).unwrap();
    fs::create_dir(house.at("full")).unwrap();
    fs::write(house.at("full/note"), "mine").unwrap();
    for taken in ["full", "data", "backup"] {
        let refused = house.restore("backup", taken, &Anchors::default());
        assert!(matches!(refused, Err(BackupError::NotEmpty(_))), "{taken}");
    }
    assert_eq!(fs::read_dir(house.at("full")).unwrap().count(), 1);
    let wrong = Passphrase::present("a wrong horse battery staple").unwrap();
    let into = options(&house.at("none"), &house.clock);
    let refused = restore(&into, &maria(&wrong), Source::of(&house.at("backup")), &Anchors::default());
    assert!(matches!(refused, Err(BackupError::Unseal(_))) && !house.at("none").exists());
}

#[test]
fn no_byte_of_a_backup_can_be_changed_or_missing_and_nothing_is_written_for_it() {
    let step = std::env::var("KEYDECK_BACKUP_STEP").map_or(211, |step| step.parse().unwrap());
    let house = House::founded();
    issue(house.open(), "Lives");
    house.save("backup").unwrap();
    let whole = fs::read(house.at("backup")).unwrap();
    let is_refused = |bytes: &[u8], what: &str| {
        fs::write(house.at("bent"), bytes).unwrap();
        let refused = house.restore("bent", "none", &Anchors::default());
        assert!(matches!(refused, Err(BackupError::Damaged { .. } | BackupError::Foreign(_))), "{what}");
        assert!(!house.at("none").exists(), "{what}");
    };
    for at in (0..whole.len()).step_by(step) {
        let mut bent = whole.clone();
        bent[at] ^= 1 << (at % 8);
        is_refused(&bent, &format!("byte {at}"));
        is_refused(&whole[..at], &format!("cut at {at}"));
    }
}

#[test]
fn only_admins_copy_a_store_and_the_trail_tells_of_each() {
    let house = House::founded();
    let Open { engine, session, .. } = house.open();
    let add = Command::AddOperator { name: name("jonas"), role: Role::Manager };
    engine.act(session, add, Brought::Passphrase(&phrase())).unwrap();
    let asked = |want| engine.copy(session, want).map(drop);
    for early in [Want::Rows(None), Want::Since(0), Want::Close(0)] {
        let refused = asked(early).unwrap_err();
        assert!(matches!(refused, EngineError::Refused(Refusal::NoChange(_))), "{refused}");
    }
    let Part::Begun(_, rev) = engine.copy(session, Want::Begin).unwrap() else { panic!("it begins") };
    asked(Want::Rows(None)).unwrap();
    assert!(matches!(engine.copy(session, Want::Close(rev)).unwrap(), Part::Last(..)));
    assert!(asked(Want::Rows(None)).is_err(), "the next copy is told of again");
    let jonas = Key::Operator { name: "jonas", passphrase: &phrase() };
    house.save("backup").unwrap();
    let into = options(&house.at("none"), &house.clock);
    let refused = restore(&into, &jonas, Source::of(&house.at("backup")), &Anchors::default());
    assert!(refused.is_err() && !house.at("none").exists(), "nor puts anybody else one back");
}

#[test]
fn a_copy_made_while_keys_are_issued_and_revoked_is_the_store_of_one_moment() {
    let rounds: usize = std::env::var("KEYDECK_BACKUP_ROUNDS").map_or(3, |rounds| rounds.parse().unwrap());
    for first in (0..rounds).step_by(ROUNDS_A_STORE) {
        copies_under_load(first..rounds.min(first + ROUNDS_A_STORE));
    }
}

/// Then a new store is founded: a long run does not drown in keys.
const ROUNDS_A_STORE: usize = 20;

fn copies_under_load(rounds: std::ops::Range<usize>) {
    let house = House::founded();
    // What was acknowledged: tokens that live, and those that are dead.
    let (alive, dead): (Mutex<Vec<String>>, Mutex<Vec<String>>) = (Mutex::default(), Mutex::default());
    let policy =
        |name: &str, value: &str| Command::SetPolicy { name: name.into(), value: value.into(), basis: None };
    house.does(policy("keys-per-operator", "10000"));
    // More entries than are read at once: some come while those before them are still being read.
    for n in 0..300 {
        issue(house.open(), &format!("Before {n}"));
    }
    std::thread::scope(|scope| {
        let work: Vec<mpsc::Sender<()>> = (0..2)
            .map(|worker| {
                let (give, take) = mpsc::channel();
                let (house, alive, dead) = (&house, &alive, &dead);
                scope.spawn(move || {
                    for (n, ()) in take.iter().enumerate() {
                        let (key, token) = issue(house.open(), &format!("Key {worker}.{n}"));
                        if n % 2 == 0 {
                            alive.lock().unwrap().push(token);
                        } else {
                            house.does(Command::revoke(key));
                            dead.lock().unwrap().push(token);
                        }
                    }
                });
                give
            })
            .collect();
        for round in rounds {
            for _ in 0..40 {
                for give in &work {
                    give.send(()).unwrap();
                }
            }
            let (file, into) = (format!("backup{round}"), format!("new{round}"));
            let (lived, died) = (alive.lock().unwrap().clone(), dead.lock().unwrap().clone());
            let saved = house.save(&file).unwrap();
            let restored = house.restore(&file, &into, &Anchors::default()).unwrap();
            assert_eq!(restored.closing, saved.closing);
            let back = house.enter(&into);
            assert!(is_whole(&back), "round {round}");
            assert!(lived.iter().all(|token| verify(&back, token).is_none()), "round {round}");
            assert!(died.iter().all(|token| verify(&back, token) == Some(Reason::Revoked)), "round {round}");
            drop(back);
            fs::remove_dir_all(house.at(&into)).unwrap();
            fs::remove_file(house.at(&file)).unwrap();
        }
    });
}

/// A backup of each format there was, with the token of a key in it. What was released is never written
/// again: a new format gets a new name.
const EARLIER: [&str; 3] = [FIRST, "format-2", PRESENT];
/// The one in which nothing was that came later.
const FIRST: &str = "0.1.0";
/// The format that is written now.
const PRESENT: &str = "format-3";
/// The secrets of keys in it that were made elsewhere; of the second only the digest was brought.
const BROUGHT: [&[u8]; 2] = [b"sk_live_4eC39HqLyjWDarjtT1zdp7dc", b"sk_live_hT5wQ2mVx9KtR7HqP2mVx9Kt"];

fn kept(name: &str, ending: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/engine/earlier/{name}.{ending}"))
}

/// A store with everything in it that an older keydeck would not know of.
fn filled() -> (House, String) {
    let house = House::founded();
    let (_, token) = issue(house.open(), "Nightly export");
    let (ended, _) = issue(house.open(), "Ended");
    house.does(Command::revoke(ended));
    let Open { engine, session, .. } = house.open();
    let theirs = |called: &str| NewKey {
        name: name(called),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: None,
        note: Note::default(),
        decoy: false,
    };
    let mut sum = keydeck::crypto::sum::Sum::default();
    sum.add(BROUGHT[1]);
    let digest = sum.so_far();
    for (called, brought) in
        [("By secret", Brought::Imported(BROUGHT[0])), ("By digest", Brought::ImportedSha256(&digest))]
    {
        engine.act(session, Command::ImportKey(theirs(called), None), brought).unwrap();
    }
    let add = Command::AddOperator { name: name("jonas"), role: Role::Manager };
    engine.act(session, add, Brought::Passphrase(&phrase())).unwrap();
    let jonas = engine.state().operator_named("jonas").unwrap().id;
    let locked = Command::ImportKey(theirs("Locked down"), Some(jonas));
    engine.act(session, locked, Brought::Imported(b"sk_live_7HqP2mVx9KtR7HqP2mVx9KtR")).unwrap();
    house.does(Command::LockDown { what: Extent::Owner(jonas), why: Note::default() });
    (house, token)
}

#[test]
fn a_store_of_every_earlier_format_opens_and_lets_in_whom_it_let_in() {
    if std::env::var_os("KEYDECK_UPDATE").is_some() {
        let (house, token) = filled();
        assert_eq!(verify(house.open(), &token), None);
        house.open().engine.settle().unwrap();
        house.save("backup").unwrap();
        fs::copy(house.at("backup"), kept(PRESENT, "backup")).unwrap();
        fs::write(kept(PRESENT, "token"), token).unwrap();
    }
    for name in EARLIER {
        let (root, clock) = (tempfile::tempdir().unwrap(), TestClock::at(Timestamp(START.0 + DAY_MS)));
        let into = options(&root.path().join("data"), &clock);
        let file = kept(name, "backup");
        assert!(fs::metadata(&file).unwrap().len() <= 64 * 1024, "{name}: a small one will do");
        restore(&into, &maria(&phrase()), Source::of(&file), &Anchors::default()).unwrap();
        let back = open(&into, &maria(&phrase())).unwrap();
        let token = fs::read_to_string(kept(name, "token")).unwrap();
        assert!(is_whole(&back), "{name}");
        assert_eq!(verify(&back, &token), None, "{name}");
        let keys: Vec<(KeyId, String)> =
            back.engine.state().keys().map(|key| (key.id, key.name.to_string())).collect();
        assert_eq!(keys.len(), if name == FIRST { 2 } else { 5 }, "{name}");
        for (called, secret) in [("By secret", BROUGHT[0]), ("By digest", BROUGHT[1])] {
            for (id, _) in keys.iter().filter(|(_, known)| known == called) {
                let presented = format!("kdim_{id}_{}", str::from_utf8(secret).unwrap());
                assert_eq!(verify(&back, &presented), None, "{called}");
            }
        }
        let state = back.engine.state();
        let refused = |called: &str| {
            let key = state.keys().find(|key| key.name.as_str() == called).cloned();
            key.and_then(|key| View::new(&state, back.session.actor()).refused(&key, back.engine.now().time))
        };
        assert_eq!(refused("Ended"), Some(Reason::Revoked), "{name}");
        assert_eq!(refused("Locked down").is_some(), name != FIRST);
    }
}

#[test]
fn an_older_keydeck_does_not_open_a_store_in_which_it_would_ignore_something() {
    let (root, clock) = (tempfile::tempdir().unwrap(), TestClock::at(Timestamp(START.0 + DAY_MS)));
    let into = options(&root.path().join("data"), &clock);
    let format = |name: &str| {
        let header = fs::read(root.path().join("data").join(name)).unwrap();
        u16::from_be_bytes([header[8], header[9]])
    };
    restore(&into, &maria(&phrase()), Source::of(&kept("0.1.0", "backup")), &Anchors::default()).unwrap();
    assert_eq!((format("header"), format("header.bak")), (3, 3), "and no copy of before is left beside it");
    let back = open(&into, &maria(&phrase())).unwrap();
    let trail = back.engine.audit(&back.session, None, 100, None).unwrap().lines;
    let told: Vec<&str> = trail.iter().rev().map(|line| line.entry.event.as_str()).collect();
    assert_eq!(told.iter().filter(|event| **event == "store.upgrade").count(), 1, "once: {told:?}");
    drop(back);
    // The header of before, put back so that an older keydeck opens it again, is told by its number.
    let backup = fs::read(kept("0.1.0", "backup")).unwrap();
    let at = backup.windows(8).position(|bytes| bytes == b"keydeck\0").unwrap();
    let old = (at + 100..backup.len())
        .map(|end| &backup[at..end])
        .find(|bytes| keydeck::crypto::header::Header::decode(bytes).is_ok())
        .unwrap();
    for copy in ["header", "header.bak"] {
        fs::write(root.path().join("data").join(copy), old).unwrap();
    }
    assert!(matches!(open(&into, &maria(&phrase())), Err(OpenError::OldHeader)));
}
