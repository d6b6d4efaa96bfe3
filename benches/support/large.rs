//! Stores full of keys, made by issuing them.

use std::fs::File;
use std::path::{Path, PathBuf};

use keydeck::crypto::keyfile::KeyFileSecret;
use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::crypto::random::OsEntropy;
use keydeck::domain::{Command, KeyId, Name, NewKey, Note, Place, Role};
use keydeck::engine::open::{Key, Open, Options, found, open};
use keydeck::engine::{Brought, Engine, Via};

const PHRASE: &str = "correct horse battery staple";
/// Live keys one operator of the large store owns; each operator takes one of the header's 63 slots.
pub const EACH: usize = 2_000;

pub fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

pub fn options(dir: &Path) -> Options {
    // The cheapest passphrase that is accepted: its price is known and not what is measured here.
    Options { cost: Cost::IMPORTED, ..Options::new(dir, "benchmark", Via::CommandLine) }
}

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn phrase() -> Passphrase {
    Passphrase::choose(PHRASE).unwrap()
}

pub fn found_in(dir: &Path) -> Open {
    let open = found(&options(dir), name("Acme Agency"), name("maria"), &phrase()).unwrap().open;
    let raise = Command::SetPolicy { name: "keys-per-operator".into(), value: "10000".into(), basis: None };
    open.engine.execute(&open.session, raise).unwrap();
    open
}

pub fn issue(open: &Open, n: usize) -> KeyId {
    let sets: [&[&str]; 3] = [
        &["contacts.read"],
        &["contacts.read", "contacts.write"],
        &["calendars.read", "contacts.read", "opportunities.read"],
    ];
    let new = NewKey {
        name: name(&format!("Nightly export {n}")),
        place: Place::Agency,
        scopes: sets[n % sets.len()].iter().map(|scope| (*scope).to_owned()).collect(),
        expiry: None,
        note: Note::default(),
        decoy: false,
    };
    KeyId(open.engine.execute(&open.session, Command::IssueKey(new)).unwrap().token.unwrap().id())
}

/// A store with `operators` times [`EACH`] keys, all issued one by one, opened by the key file `key`.
pub fn large_store(dir: &Path, operators: usize) -> PathBuf {
    let quicker = Path::new("/dev/shm");
    let nursery = if quicker.is_dir() { tempfile::tempdir_in(quicker).unwrap() } else { scratch() };
    let first = found_in(nursery.path());
    let key = dir.join("key");
    let add = |operator: &str, secret: Brought<'_>| {
        first
            .engine
            .act(&first.session, Command::AddOperator { name: name(operator), role: Role::Admin }, secret)
            .unwrap();
    };
    let secret = KeyFileSecret::create(&key, &mut OsEntropy).unwrap();
    add("reader", Brought::KeyFile(&secret));
    (0..operators).for_each(|n| add(&format!("operator {n}"), Brought::Passphrase(&phrase())));
    drop(first);
    for operator in 0..operators {
        let name = format!("operator {operator}");
        let key = Key::Operator { name: &name, passphrase: &phrase() };
        let open = open(&options(nursery.path()), &key).unwrap();
        for n in 0..EACH {
            issue(&open, n);
        }
    }
    let store = dir.join("data");
    copy(nursery.path(), &store);
    store
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
            File::open(&target).unwrap().sync_all().unwrap();
        }
    }
}
