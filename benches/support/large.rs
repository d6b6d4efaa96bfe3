//! Stores full of keys.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use keydeck::crypto::keyfile::KeyFileSecret;
use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::crypto::random::OsEntropy;
use keydeck::crypto::token::Token;
use keydeck::domain::{Command, KeyId, Name, NewKey, Note, Place, Role};
use keydeck::engine::demo::large::{Making, Size};
use keydeck::engine::open::{Key, Open, Options, found, open};
use keydeck::engine::{Brought, Engine, Via};

use super::quick;

const PHRASE: &str = "correct horse battery staple";
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
    KeyId(issued(open, n).id())
}

/// The token of another one.
pub fn token(open: &Open, n: usize) -> String {
    issued(open, n).reveal().to_owned()
}

fn issued(open: &Open, n: usize) -> Token {
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
    open.engine.execute(&open.session, Command::IssueKey(new)).unwrap().token.unwrap()
}

/// How many keys a large store has: a hundred thousand, or as `KEYDECK_BENCH_KEYS` says.
pub fn keys() -> usize {
    let wanted = std::env::var("KEYDECK_BENCH_KEYS").ok();
    if quick() { 2_000 } else { wanted.map_or(100_000, |keys| keys.parse().unwrap()) }
}

/// A store with so many keys as life has them, as `keydeck demo --keys` makes it, opened by the key file `key` beside it.
pub fn large_store(dir: &Path, keys: usize) -> PathBuf {
    let store = dir.join("data");
    let making = Making::begin(&options(&store), name("Acme Agency"), name("maria"), &phrase()).unwrap();
    let size = Size { keys, operators: Size::operators_for(keys), seed: 1 };
    making.complete(size, &mut |_| ControlFlow::Continue(())).unwrap().unwrap();
    let secret = KeyFileSecret::create(&dir.join("key"), &mut OsEntropy).unwrap();
    let first = open(&options(&store), &Key::Operator { name: "maria", passphrase: &phrase() }).unwrap();
    let add = Command::AddOperator { name: name("reader"), role: Role::Admin };
    first.engine.act(&first.session, add, Brought::KeyFile(&secret)).unwrap();
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
