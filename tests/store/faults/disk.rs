//! Disks that are full or read-only, directories that are not ours, a store another process has open. What is
//! refused is refused with a sentence that helps, and nothing on the disk is changed by it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use keydeck::store::{
    CommitError, Op, OpenError, Rev, SledOptions, SledStore, Standing, Store, Update, panic_is_expected,
};

use super::child::{self, Load};
use super::system::{run, run_in_the_end};

/// A file system of its own, in memory; unmounted when dropped.
pub struct SmallDisk {
    _scratch: tempfile::TempDir,
    pub root: PathBuf,
}

impl SmallDisk {
    /// `None`, said aloud, when this machine does not let us mount.
    pub fn new(size: &str) -> Option<Self> {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().join("disk");
        fs::create_dir(&root).unwrap();
        let options = format!("size={size},mode=0700");
        if !run("mount", &["-t", "tmpfs", "-o", &options, "keydeck-test", root.to_str().unwrap()]) {
            println!("skipped: needs root and mount");
            return None;
        }
        Some(Self { _scratch: scratch, root })
    }

    fn remount(&self, how: &str) {
        assert!(run_in_the_end("mount", &["-o", &format!("remount,{how}"), self.root.to_str().unwrap()]));
    }

    /// Fills the disk but for about `left` bytes.
    fn fill(&self, left: usize) -> PathBuf {
        let ballast = self.root.join("ballast");
        let mut size = 0;
        let block = vec![7; 4096];
        let mut file = fs::File::create(&ballast).unwrap();
        while std::io::Write::write_all(&mut file, &block).is_ok() {
            size += block.len();
        }
        file.set_len(size.saturating_sub(left) as u64).unwrap();
        ballast
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        assert!(run_in_the_end("umount", &[self.root.to_str().unwrap()]));
    }
}

fn options(dir: &Path) -> SledOptions {
    SledOptions::new(dir).create().free_bytes(0, 0)
}

/// Everything in a directory: names, contents, permissions.
fn picture(dir: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut seen = BTreeMap::new();
    for item in fs::read_dir(dir).unwrap().flatten() {
        let meta = item.metadata().unwrap();
        if meta.is_dir() {
            seen.extend(picture(&item.path()));
        }
        let bytes = if meta.is_file() { fs::read(item.path()).unwrap() } else { Vec::new() };
        seen.insert(item.path(), (meta.permissions().mode(), bytes));
    }
    seen
}

fn row(n: u32, fill: usize) -> Op {
    Op::Put(format!("k/{n:06}").into_bytes(), vec![b'.'; fill])
}

/// Writes rows until the store says no; answers with the acknowledged ones and what was said.
fn write_until_refused(store: &SledStore, from: u32) -> (Vec<u32>, u32, CommitError) {
    let mut acked = Vec::new();
    for n in from.. {
        match store.commit(&[], &[row(n, 8000)]) {
            Ok(_) => acked.push(n),
            Err(error) => return (acked, n, error),
        }
    }
    unreachable!()
}

#[test]
fn a_full_disk_takes_nothing_acknowledged_and_the_store_comes_back_by_itself() {
    // Where less than `to_open` is free, a store that failed is not reopened at once: its old handle goes on
    // reading, and what became of the last write stays open.
    for (size, to_open) in [("16m", 0), ("23m", 0), ("18m", 6 << 20)] {
        let Some(disk) = SmallDisk::new(size) else { return };
        let dir = disk.root.join("data");
        let store = SledStore::open(&options(&dir).free_bytes(to_open, 0)).unwrap().store;
        let ballast = disk.root.join("ballast");
        fs::write(&ballast, vec![1; 9 << 20]).unwrap();
        let mut watch = store.watch(b"k/", Rev(0));
        let (mut acked, unsure, said) = write_until_refused(&store, 0);
        assert!(matches!(said, CommitError::Unknown(_) | CommitError::Unavailable(_)), "{size}: {said}");
        assert!(!acked.is_empty());
        assert!(to_open == 0 || matches!(said, CommitError::Unknown(_)), "{size}: {said}");
        assert!(matches!(store.health().standing, Standing::Down(_)), "{size}: {:?}", store.health());
        // Reads tell the truth or nothing.
        let newest = *acked.last().unwrap();
        for n in [0, newest] {
            if let Ok(found) = store.get(format!("k/{n:06}").as_bytes()) {
                assert!(found.is_some(), "{size}: acknowledged row {n} is not there");
            }
        }
        if matches!(said, CommitError::Unknown(_)) {
            assert!(
                store.get(format!("k/{unsure:06}").as_bytes()).is_err(),
                "{size}: an unsure row was answered for"
            );
        }
        // Space again: the same handle takes commits again, without being reopened by anyone.
        fs::remove_file(&ballast).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        let back = loop {
            match store.commit(&[], &[row(999_999, 10)]) {
                Ok(rev) => break rev,
                Err(error) => assert!(Instant::now() < deadline, "{size}: {error}"),
            }
        };
        acked.push(999_999);
        let happened = store.get(format!("k/{unsure:06}").as_bytes()).unwrap().is_some();
        for n in &acked {
            assert!(store.get(format!("k/{n:06}").as_bytes()).unwrap().is_some(), "{size}: row {n} is lost");
        }
        assert_eq!(back, Rev(acked.len() as u64 + u64::from(happened)), "{size}: revisions have no holes");
        assert_eq!(store.verify(), Ok(back));
        // The watcher has seen every commit, or was told to list again.
        let mut seen = Rev(0);
        while let Some(update) = watch.try_next() {
            match update {
                Update::Batch { rev, .. } => {
                    assert_eq!(rev, seen.next(), "{size}: a commit was left out");
                    seen = rev;
                }
                Update::Relist { oldest } => seen = oldest,
                Update::Lost => panic!("{size}: the feed ended"),
            }
        }
        assert_eq!(seen, back, "{size}");
        drop(store);
        let opened = SledStore::open(&options(&dir)).unwrap();
        assert_eq!((opened.rev, opened.doubt), (back, None));
        assert_eq!(opened.store.verify(), Ok(back));
    }
}

#[test]
fn a_disk_that_is_full_while_opening_costs_nothing() {
    let Some(disk) = SmallDisk::new("24m") else { return };
    let dir = disk.root.join("data");
    let store = SledStore::open(&options(&dir)).unwrap().store;
    for n in 0..600 {
        store.commit(&[], &[row(n, 4000)]).unwrap();
    }
    let rev = store.health().rev;
    drop(store);
    for left in [0, 4096, 8192, 16384, 65536] {
        let ballast = disk.fill(left);
        // With the limits a person gets, it is not even tried, and nothing is touched.
        let before = picture(&dir);
        let refused = SledStore::open(&SledOptions::new(&dir)).map(|opened| opened.rev);
        assert!(matches!(refused, Err(OpenError::NoSpace { .. })), "{refused:?}");
        assert!(picture(&dir).keys().eq(before.keys()));
        // Without them, whatever happens is undone once there is room.
        let tried = SledStore::open(&options(&dir)).map(|opened| opened.rev);
        fs::remove_file(ballast).unwrap();
        let opened =
            SledStore::open(&options(&dir)).unwrap_or_else(|error| panic!("{left} left, {tried:?}: {error}"));
        assert_eq!((opened.rev, opened.doubt), (rev, None), "{left} left");
        assert_eq!(opened.store.verify(), Ok(rev), "{left} left");
    }
}

#[test]
fn a_nearly_full_disk_is_refused_before_anything_is_written() {
    let Some(disk) = SmallDisk::new("90m") else { return };
    let dir = disk.root.join("data");
    let store = SledStore::open(&SledOptions::new(&dir).create()).unwrap().store;
    store.commit(&[], &[row(1, 100)]).unwrap();
    let ballast = disk.fill(12 << 20);
    let said = store.commit(&[], &[row(2, 100)]).unwrap_err();
    assert!(matches!(&said, CommitError::Unavailable(why) if why.contains("12 MiB free")), "{said}");
    assert_eq!(store.get(b"k/000002"), Ok(None));
    assert!(store.get(b"k/000001").unwrap().is_some());
    fs::remove_file(ballast).unwrap();
    assert_eq!(store.commit(&[], &[row(2, 100)]), Ok(Rev(2)));
}

#[test]
fn a_read_only_disk_is_refused_and_left_as_it_is() {
    let Some(disk) = SmallDisk::new("24m") else { return };
    let dir = disk.root.join("data");
    drop(SledStore::open(&options(&dir)).unwrap());
    disk.remount("ro");
    let said = SledStore::open(&options(&dir)).unwrap_err().to_string();
    assert!(said.contains("cannot be the data directory: it cannot be written to"), "{said}");
    let said = SledStore::open(&options(&disk.root.join("new"))).unwrap_err().to_string();
    assert!(said.contains("it cannot be created"), "{said}");
    disk.remount("rw");
    assert!(SledStore::open(&options(&dir)).is_ok());
}

#[test]
fn directories_that_are_not_ours_to_use_are_refused_unchanged() {
    let scratch = tempfile::tempdir().unwrap();
    let refused = |dir: &Path| {
        let before = picture(scratch.path());
        let said = SledStore::open(&options(dir)).unwrap_err().to_string();
        assert_eq!(picture(scratch.path()), before, "{said}");
        said
    };
    let file = scratch.path().join("file");
    fs::write(&file, "mine").unwrap();
    let said = refused(&file);
    assert!(said.contains("file cannot be the data directory: it is not a directory."), "{said}");
    assert!(refused(&file.join("below")).contains("cannot be the data directory"));

    let open_to_all = scratch.path().join("open");
    fs::create_dir(&open_to_all).unwrap();
    fs::set_permissions(&open_to_all, fs::Permissions::from_mode(0o777)).unwrap();
    let said = refused(&open_to_all);
    assert!(said.contains("others may write in it (mode 777); take that away with `chmod go-w`"), "{said}");

    let absent = SledStore::open(&SledOptions::new(scratch.path().join("none"))).unwrap_err();
    assert!(absent.to_string().contains("Create one with `keydeck init`"), "{absent}");
    let empty = scratch.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let absent = SledStore::open(&SledOptions::new(&empty)).unwrap_err();
    assert!(matches!(absent, OpenError::Absent { .. }), "{absent}");

    let foreign = scratch.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    if chown(&foreign, Some(12345), None).is_err() {
        println!("skipped: needs root to give a directory away");
        return;
    }
    assert!(refused(&foreign).contains("it belongs to user 12345, and you are user 0"));
}

#[test]
fn what_is_created_is_closed_to_everyone_else() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("deep/down/data");
    let opened = SledStore::open(&options(&dir)).unwrap();
    assert!(opened.created);
    opened.store.commit(&[], &[row(1, 10)]).unwrap();
    drop(opened);
    assert!(!SledStore::open(&options(&dir)).unwrap().created);
    for (path, (mode, _)) in picture(&dir) {
        assert_eq!(mode & 0o077, 0, "{} is {mode:o}", path.display());
    }
    assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_second_process_is_told_who_the_first_is_and_changes_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let (dir, acks) = (scratch.path().join("data"), scratch.path().join("acks"));
    let mut holder = child::spawn(&dir, &acks, Load::Issue, 1);
    let deadline = Instant::now() + Duration::from_secs(20);
    while child::acknowledged(&acks).is_empty() {
        assert!(Instant::now() < deadline, "the child does not write");
        std::thread::yield_now();
    }
    let said = SledStore::open(&options(&dir)).unwrap_err();
    assert!(matches!(said, OpenError::InUse { .. }), "{said}");
    assert!(said.to_string().contains(&format!("in use by process {}", holder.id())), "{said}");
    holder.kill().unwrap();
    holder.wait().unwrap();
    child::check(&dir, Load::Issue, &child::acknowledged(&acks), "after the holder died");
}

#[test]
fn a_database_moved_away_under_a_running_store_is_not_written_into_the_void() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data");
    let store = SledStore::open(&options(&dir)).unwrap().store;
    store.commit(&[], &[row(1, 10)]).unwrap();
    fs::rename(dir.join("store"), dir.join("moved")).unwrap();
    let said = store.commit(&[], &[row(2, 10)]).unwrap_err();
    assert!(said.to_string().contains("moved, replaced or deleted while it was open"), "{said}");
    fs::rename(dir.join("moved"), dir.join("store")).unwrap();
    assert_eq!(store.commit(&[], &[row(2, 10)]), Ok(Rev(2)));
}

#[test]
fn a_panic_inside_the_database_says_nothing_on_the_terminal() {
    // Each test runs in a process of its own or beside others; only the store's own threads are hushed.
    assert!(!panic_is_expected());
    let outcome =
        std::thread::Builder::new().name("sled-io-test".into()).spawn(panic_is_expected).unwrap().join();
    assert!(outcome.unwrap());
}
