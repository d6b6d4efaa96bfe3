//! A process that writes to a store until it is killed, and the check of what it left.
//!
//! It is the function [`writer`], with `KEYDECK_CHILD_DIR` set.
//! Each acknowledged commit is a line `A <writer> <n>` in the file `KEYDECK_CHILD_ACKS`.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::child as again;
use keydeck::store::{Op, Seal, SledOptions, SledStore, Store};

/// What each commit of a child holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// A record, an index row and an audit row, as issuing a key would write.
    Issue,
    /// As much as one commit may hold, as an import would write.
    Import,
    /// A hundred small rows, as recording use would write.
    Touch,
    /// A hundred records all over the store, as a sweep would write: the most log for its bytes.
    Sweep,
}

impl Load {
    pub const ALL: [Self; 4] = [Self::Issue, Self::Import, Self::Touch, Self::Sweep];

    fn name(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Import => "import",
            Self::Touch => "touch",
            Self::Sweep => "sweep",
        }
    }

    /// The keys that commit `n` of `writer` puts, each with `n` as its value.
    fn keys(self, writer: u64, n: u64) -> Vec<String> {
        let rows = if self == Self::Issue { 3 } else { 98 };
        let mut keys: Vec<_> = match self {
            Self::Sweep => {
                (0..rows).map(|row| format!("k/{writer}/{:04}", (n * 31 + row * 37) % 3700)).collect()
            }
            // The slot moves, so that commits overwrite rows of different ages.
            _ => (0..rows).map(|row| format!("k/{writer}/{:03}/{row:03}", n % 40)).collect(),
        };
        keys.push(format!("a/{writer}/{n:020}"));
        keys.push(format!("c/{writer}"));
        keys
    }

    fn ops(self, writer: u64, n: u64) -> Vec<Op> {
        let size = match self {
            Self::Issue | Self::Sweep => 590,
            Self::Import => 2030,
            Self::Touch => 16,
        };
        let mut value = n.to_be_bytes().to_vec();
        value.resize(size, b'.');
        self.keys(writer, n).into_iter().map(|key| Op::Put(key.into_bytes(), value.clone())).collect()
    }
}

#[test]
#[ignore = "not a test: the program that is killed"]
fn writer() {
    let Some(dir) = std::env::var_os("KEYDECK_CHILD_DIR") else { return };
    let var = |name: &str| std::env::var(name).unwrap();
    let load = *Load::ALL.iter().find(|load| load.name() == var("KEYDECK_CHILD_LOAD")).unwrap();
    let writers: u64 = var("KEYDECK_CHILD_WRITERS").parse().unwrap();
    let commits: u64 = var("KEYDECK_CHILD_COMMITS").parse().unwrap();
    let store = SledStore::open(&SledOptions::new(dir).create().free_bytes(0, 0)).unwrap().store;
    std::thread::scope(|scope| {
        for writer in 0..writers {
            let store = &store;
            scope.spawn(move || write(store, load, writer, commits));
        }
    });
}

fn write(store: &SledStore, load: Load, writer: u64, commits: u64) {
    let path = std::env::var_os("KEYDECK_CHILD_ACKS").unwrap();
    let mut acks = OpenOptions::new().append(true).create(true).open(path).unwrap();
    let done = counter(store, writer);
    let mut acknowledge = |n| acks.write_all(format!("A {writer} {n}\n").as_bytes()).unwrap();
    if done > 0 {
        // What can be read is as good as acknowledged; the one before us may have died before saying so.
        acknowledge(done);
    }
    for n in done + 1..=done.saturating_add(commits) {
        let rev = store.commit(&[], &load.ops(writer, n)).unwrap();
        acknowledge(n);
        if n % 16 == 0 {
            store.write_seal(&Seal { store: [1; 16], rev, audit_head: vec![], mac: vec![] }).unwrap();
        }
    }
}

fn counter(store: &SledStore, writer: u64) -> u64 {
    let entry = store.get(format!("c/{writer}").as_bytes()).unwrap();
    entry.map_or(0, |entry| number(&entry.value))
}

fn number(value: &[u8]) -> u64 {
    u64::from_be_bytes(*value.first_chunk().unwrap())
}

/// The command that starts it.
pub fn command(dir: &Path, acks: &Path, load: Load, writers: u64, commits: u64) -> Command {
    let mut command = again::command(concat!(module_path!(), "::writer"));
    command.env("KEYDECK_CHILD_DIR", dir).env("KEYDECK_CHILD_ACKS", acks);
    command.env("KEYDECK_CHILD_LOAD", load.name());
    command.env("KEYDECK_CHILD_WRITERS", writers.to_string());
    command.env("KEYDECK_CHILD_COMMITS", commits.to_string());
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// A child that writes until it is killed.
pub fn spawn(dir: &Path, acks: &Path, load: Load, writers: u64) -> Child {
    command(dir, acks, load, writers, u64::MAX).spawn().unwrap()
}

/// The newest acknowledged commit of each writer. A line cut off by the kill is no acknowledgement.
pub fn acknowledged(acks: &Path) -> BTreeMap<u64, u64> {
    let text = std::fs::read_to_string(acks).unwrap_or_default();
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let pairs = whole.filter_map(|line| {
        let (writer, n) = line.trim_end().strip_prefix("A ")?.split_once(' ')?;
        Some((writer.parse().ok()?, n.parse().ok()?))
    });
    pairs.collect()
}

/// Opens what a child left in `dir` and checks that every acknowledged commit is in it, whole, and that nothing
/// else is but at most the commits that were under way.
pub fn check(dir: &Path, load: Load, acked: &BTreeMap<u64, u64>, context: &str) {
    let opened = SledStore::open(&SledOptions::new(dir).create().free_bytes(0, 0))
        .unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(opened.doubt, None, "{context}");
    let store = opened.store;
    // Also adds up every row against the store's own ledger.
    let mut rows = BTreeMap::new();
    let scanned = store.scan(b"", &mut |row| {
        rows.insert(String::from_utf8(row.key.to_vec()).unwrap(), number(row.value));
        ControlFlow::Continue(())
    });
    scanned.unwrap_or_else(|error| panic!("{context}: {error}"));
    let mut expected = BTreeMap::new();
    for writer in 0..8 {
        let reached = rows.get(&format!("c/{writer}")).copied().unwrap_or(0);
        let acked = acked.get(&writer).copied().unwrap_or(0);
        assert!(reached >= acked, "{context}: writer {writer} lost commits {reached}..{acked}");
        assert!(reached <= acked + 1, "{context}: writer {writer} was at {acked}, found {reached}");
        for n in 1..=reached {
            expected.extend(load.keys(writer, n).into_iter().map(|key| (key, n)));
        }
    }
    assert!(rows == expected, "{context}: half a commit, or a hole in the audit rows");
}
