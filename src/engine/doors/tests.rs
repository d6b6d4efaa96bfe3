//! Every write a change of secret takes fails once, and from then on for good, with every way the commit can end: what
//! was told is what opens.

mod slots;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::crypto::StoreId;
use crate::crypto::header_file::{HEADER, HEADER_COPY, HeaderDisk};
use crate::crypto::keyfile::KeyFileSecret;
use crate::crypto::keyring::{Keyring, RootKey};
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::domain::audit::Entry;
use crate::domain::{
    Catalog, Command, KeysAfter, Operator, OperatorId, PublicId, Record, RecordKey, Role, Standing,
};
use crate::engine::clock::TestClock;
use crate::engine::ledger::Sequel;
use crate::engine::local::{LocalEngine, Parts};
use crate::engine::open::{Key, Options, found, open, unlock};
use crate::engine::session::{Auth, Session, Via};
use crate::engine::{Brought, Engine as _};
use crate::store::{CommitError, Fault, MemoryStore, Store};

const HERE: &str = "data";

/// A disk in memory, full at a given step of writing or from it on.
#[derive(Clone, Default)]
struct FullDisk {
    files: Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>,
    steps: Arc<AtomicUsize>,
    full: Arc<Mutex<Option<(usize, bool)>>>,
}

impl FullDisk {
    fn fill(&self, full: Option<(usize, bool)>) {
        self.steps.store(0, Ordering::SeqCst);
        *self.full.lock().unwrap() = full;
    }

    fn step(&self) -> io::Result<()> {
        let step = self.steps.fetch_add(1, Ordering::SeqCst) + 1;
        match *self.full.lock().unwrap() {
            Some((at, lasting)) if step == at || lasting && step > at => {
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            _ => Ok(()),
        }
    }
}

impl HeaderDisk for FullDisk {
    fn read(&mut self, path: &Path, _: usize) -> io::Result<Option<Vec<u8>>> {
        Ok(self.files.lock().unwrap().get(path).cloned())
    }

    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // What a full disk leaves: a file with its beginning in it.
        self.files.lock().unwrap().insert(path.to_owned(), bytes[..bytes.len() / 2].to_vec());
        self.step()?;
        self.files.lock().unwrap().insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        let mut files = self.files.lock().unwrap();
        let bytes = files.remove(from).unwrap();
        files.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn sync_directory(&mut self, _: &Path) -> io::Result<()> {
        self.step()
    }
}

/// A store in memory with a header beside it, founded by maria, who signs in with a key file: no hash to wait for.
struct World {
    disk: FullDisk,
    store: Arc<MemoryStore>,
    engine: Arc<LocalEngine>,
    session: Session,
    maria: KeyFileSecret,
    recovery: RecoveryCode,
}

fn key_file(byte: u8) -> KeyFileSecret {
    KeyFileSecret::received(&[byte; 32]).unwrap()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

impl World {
    fn new() -> Self {
        let (disk, store) = (FullDisk::default(), Arc::new(MemoryStore::new()));
        let (id, root) = (StoreId([3; 16]), RootKey::generate(&mut OsEntropy).unwrap());
        let (maria, recovery) = (key_file(1), RecoveryCode::generate(&mut OsEntropy).unwrap());
        let slot = |label, secret| NewSlot { label, created_ms: 1, secret };
        let header =
            Header::create(id, &root, slot("recovery", SlotSecret::Recovery(&recovery)), &mut OsEntropy)
                .and_then(|h| h.add_slot(&root, slot("maria", SlotSecret::KeyFile(&maria)), &mut OsEntropy))
                .unwrap();
        let mut file = Self::file(&disk);
        file.create(&header).unwrap();
        let keyring = Keyring::new(root, id);
        let loaded = crate::engine::open::founding::empty(&keyring);
        let engine = LocalEngine::new(Parts {
            store: Arc::clone(&store) as Arc<dyn Store>,
            keyring,
            loaded,
            catalog: Arc::new(Catalog::builtin().clone()),
            clock: Arc::new(TestClock::at(Timestamp(1_790_000_000_000))),
            callers: Arc::default(),
            entropy: Box::new(OsEntropy),
            header: Some(file),
            cost: Cost::IMPORTED,
            dir: None,
            kept: None,
        });
        let session =
            crate::engine::open::founding::founding_session(Auth::KeyFile, Via::CommandLine).unwrap();
        let found = Command::Found { agency: name("Acme"), operator: name("maria") };
        engine.run_naming(&session, &found, naming(&header, |_| true)).unwrap();
        Self { disk, store, engine, session, maria, recovery }
    }

    fn file(disk: &FullDisk) -> HeaderFile {
        HeaderFile::on(Box::new(disk.clone()), Path::new(HERE))
    }

    fn maria_id(&self) -> OperatorId {
        self.session.actor().operator
    }

    /// Whether a secret opens for a process that starts now and reads what is on the disk.
    fn opens(&self, key: &Key<'_>) -> bool {
        let (header, spare) = Self::file(&self.disk).copies().unwrap();
        let Some(keyring) = [Some(&header), spare.as_ref()].into_iter().flatten().find_map(|copy| {
            let first = unlock(copy, key, |_| true).ok()?;
            Some(Keyring::new(first.root, copy.store()))
        }) else {
            return false;
        };
        let row = self.store.get(b"m/header").unwrap().unwrap();
        let opened = keyring.sealer().open(b"m/header", &row.value).unwrap();
        let Ok(Record::Header(mark)) = Record::decode(RecordKey::Header, &opened.plain) else { panic!() };
        let belongs = |header: &Header| belongs(header, keyring.root(), &mark);
        let header = spare.filter(|spare| !belongs(&header) && belongs(spare)).unwrap_or(header);
        assert!(header.generation() >= mark.generation, "the header would be taken for an old one");
        unlock(&header, key, |slot| mark.counts(slot.number())).is_ok()
    }

    /// Whether it opens for one who attaches to the process that has the store open.
    fn admits(&self, key: &Key<'_>) -> bool {
        let header = self.engine.held().unwrap().current().unwrap();
        unlock(&header, key, |slot| self.engine.state().header().counts(slot.number())).is_ok()
    }
}

/// How the commit ends.
const COMMITS: [Option<Fault>; 4] =
    [None, Some(Fault::Unavailable), Some(Fault::UnknownDone), Some(Fault::UnknownLost)];

/// Runs `change` with each failure in turn and has `judge` look at what opens then; how many ended well and not.
fn all_failures<T>(
    change: impl Fn(&World) -> Result<T, EngineError>,
    judge: impl Fn(&World, Result<T, EngineError>, &str),
) -> (usize, usize) {
    // Two headers, two copies each, three steps for a copy; taking a slot back may take six more.
    let steps = (1..=18).flat_map(|at| [Some((at, false)), Some((at, true))]).chain([None]);
    let (mut done, mut failed) = (0, 0);
    for full in steps {
        for commit in COMMITS {
            let world = World::new();
            if let Some(fault) = commit {
                world.store.fail_next(fault);
            }
            world.disk.fill(full);
            let outcome = change(&world);
            world.disk.fill(None);
            if outcome.is_ok() {
                done += 1;
            } else {
                failed += 1;
            }
            judge(&world, outcome, &format!("header {full:?}, commit {commit:?}"));
        }
    }
    (done, failed)
}

fn is_unknown<T>(outcome: &Result<T, EngineError>) -> bool {
    matches!(outcome, Err(EngineError::Commit(CommitError::Unknown(_))))
}

#[test]
fn a_new_secret_on_a_full_disk_is_in_force_or_the_old_one_is() {
    let new = key_file(2);
    let counted = all_failures(
        |w| w.engine.act(&w.session, Command::SetSecret(w.maria_id()), Brought::KeyFile(&new)),
        |w, outcome, case| {
            let keys = [Key::KeyFile(&w.maria), Key::KeyFile(&new)];
            let opens = keys.each_ref().map(|key| w.opens(key));
            match outcome {
                Ok(_) => assert_eq!(opens, [false, true], "{case}: it was told that the new one is in force"),
                _ if is_unknown(&outcome) => assert_ne!(opens[0], opens[1], "{case}: one of them must open"),
                Err(_) => assert_eq!(opens, [true, false], "{case}: it was told that nothing was changed"),
            }
            let admits = keys.each_ref().map(|key| w.admits(key));
            assert_ne!(admits[0], admits[1], "{case}: in the process that has the store");
            assert!(w.opens(&Key::Recovery { name: "maria", code: &w.recovery }), "{case}");
        },
    );
    assert!(counted.0 > 20 && counted.1 > 20, "{counted:?}");
}

#[test]
fn an_operator_who_could_not_be_added_does_not_get_in_and_can_be_added_again() {
    let theirs = key_file(3);
    let add = |w: &World, secret: &KeyFileSecret| {
        w.engine.act(
            &w.session,
            Command::AddOperator { name: name("jonas"), role: Role::Manager },
            Brought::KeyFile(secret),
        )
    };
    let counted = all_failures(
        |w| add(w, &theirs),
        |w, outcome, case| {
            assert!(w.opens(&Key::KeyFile(&w.maria)), "{case}: nothing is lost");
            match outcome {
                Ok(_) => assert!(w.opens(&Key::KeyFile(&theirs)), "{case}"),
                _ if is_unknown(&outcome) => return,
                Err(_) => assert!(!w.opens(&Key::KeyFile(&theirs)), "{case}"),
            }
            // Where the header failed first, the commit that was to fail is still to come.
            let _ = w.engine.execute(&w.session, Command::ReadAudit);
            let again = key_file(4);
            let second = add(w, &again);
            assert_eq!(second.is_ok(), outcome.is_err(), "{case}");
            assert_eq!(
                [w.opens(&Key::KeyFile(&theirs)), w.opens(&Key::KeyFile(&again))],
                [outcome.is_ok(), outcome.is_err()],
                "{case}"
            );
        },
    );
    assert!(counted.0 > 20 && counted.1 > 20, "{counted:?}");
}

#[test]
fn a_spent_recovery_code_opens_with_no_header_of_before_and_a_renewal_cut_off_can_be_repeated() {
    let (mut shown, mut repeated) = (0, 0);
    for step in 1..20 {
        let w = World::new();
        let old = Key::Recovery { name: "maria", code: &w.recovery };
        w.disk.fill(Some((step, false)));
        let first = w.engine.execute(&w.session, Command::ReplaceRecovery);
        let copies = w.disk.files.lock().unwrap().clone();
        w.disk.fill(None);
        if first.is_ok() {
            shown += 1;
            // One copy may be of a moment at which both codes counted.
            let named = w.engine.state().header().clone();
            for name in [HEADER, HEADER_COPY] {
                let alone = FullDisk::default();
                let bytes = copies.get(&Path::new(HERE).join(name)).unwrap().clone();
                alone.files.lock().unwrap().insert(Path::new(HERE).join(HEADER), bytes);
                let Ok(header) = World::file(&alone).load() else { continue };
                let current = header.generation() >= named.generation;
                let opens = unlock(&header, &old, |slot| named.counts(slot.number())).is_ok();
                assert!(!(current && opens), "step {step}: {name} lets the spent code in");
            }
        } else {
            repeated += 1;
            let code = w.engine.execute(&w.session, Command::ReplaceRecovery).unwrap().code.unwrap();
            assert!(w.opens(&Key::Recovery { name: "maria", code: &code }), "step {step}");
            assert!(!w.opens(&old), "step {step}: the old one is spent");
        }
    }
    assert!(shown > 3 && repeated > 3, "{shown} {repeated}");
}

#[test]
fn a_recovery_code_nobody_was_shown_does_not_end_the_one_on_paper() {
    let counted = all_failures(
        |w| w.engine.execute(&w.session, Command::ReplaceRecovery).map(|done| done.code.unwrap()),
        |w, outcome, case| {
            let old = w.opens(&Key::Recovery { name: "maria", code: &w.recovery });
            match outcome {
                Ok(code) => {
                    assert!(
                        w.opens(&Key::Recovery { name: "maria", code: &code }),
                        "{case}: the shown one opens"
                    );
                    assert!(!old, "{case}: the old one is spent");
                }
                Err(_) => assert!(old, "{case}: the one on paper must open"),
            }
        },
    );
    assert!(counted.0 > 20 && counted.1 > 20, "{counted:?}");
}

#[test]
fn whoever_gets_access_back_gets_it_with_what_they_chose_or_not_at_all() {
    let (before, after) = (key_file(5), key_file(6));
    let counted = all_failures(
        |w| {
            // All of this on a disk with room.
            let full = w.disk.full.lock().unwrap().take();
            let added = w.engine.act(
                &w.session,
                Command::AddOperator { name: name("ann"), role: Role::Viewer },
                Brought::KeyFile(&before),
            );
            // The commit that was to fail is one of these; only the last one is looked at here.
            if added.is_err() {
                return Err(EngineError::Closed);
            }
            let ann = w.engine.state().operator_named("ann").unwrap().id;
            w.engine
                .execute(&w.session, Command::DisableOperator { operator: ann, keys: KeysAfter::Work })
                .unwrap();
            assert!(!w.opens(&Key::KeyFile(&before)), "a slot of nobody");
            w.disk.fill(full);
            w.engine.act(&w.session, Command::EnableOperator(ann), Brought::KeyFile(&after))
        },
        |w, outcome, case| {
            if matches!(outcome, Err(EngineError::Closed)) {
                return;
            }
            assert!(!w.opens(&Key::KeyFile(&before)), "{case}");
            assert_eq!(w.opens(&Key::KeyFile(&after)), outcome.is_ok(), "{case}");
        },
    );
    assert!(counted.0 > 5 && counted.1 > 20, "{counted:?}");
}

#[test]
fn of_two_admins_who_add_one_name_at_once_one_succeeds_and_that_passphrase_works() {
    for round in 0..6 {
        let world = World::new();
        let phrases: Vec<_> = (0..2)
            .map(|n| Passphrase::choose(&format!("passphrase {n} of round {round}")).unwrap())
            .collect();
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let adding: Vec<_> = phrases
                .iter()
                .map(|phrase| {
                    let world = &world;
                    scope.spawn(move || {
                        let secret = Brought::Passphrase(phrase);
                        world
                            .engine
                            .act(
                                &world.session,
                                Command::AddOperator { name: name("jonas"), role: Role::Manager },
                                secret,
                            )
                            .is_ok()
                    })
                })
                .collect();
            adding.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let opens: Vec<_> = phrases
            .iter()
            .map(|passphrase| world.opens(&Key::Operator { name: "jonas", passphrase }))
            .collect();
        assert_eq!(outcomes, opens, "who was told done gets in, and nobody else");
        assert_eq!(outcomes.iter().filter(|done| **done).count(), 1);
    }
}
