//! A power cut, as far as one machine can play it: the store lies on ext4 on a loop device; at a random moment the
//! writer is stopped and the device's image is copied as it is, so that only what the file system has sent to the
//! device is in it. The copy is mounted, its journal replayed, and every acknowledged commit is looked up.
//!
//! `KEYDECK_POWERCUT_ROUNDS` sets the number of cuts (everyday: 6). What a real drive keeps in its own cache is
//! not covered.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::child::{self, Load};
use super::rounds;
use super::system::{run, run_in_the_end};

/// A mounted image; unmounted when dropped.
struct Mounted {
    point: PathBuf,
}

impl Mounted {
    /// `None` when this machine does not let us mount.
    fn image(image: &Path, point: PathBuf) -> Option<Self> {
        fs::create_dir_all(&point).unwrap();
        // A long commit interval: the journal is written by our syncs or not at all.
        run("mount", &["-o", "loop,commit=60", path(image), path(&point)]).then_some(Self { point })
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        assert!(run_in_the_end("umount", &[path(&self.point)]), "{} stays mounted", self.point.display());
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A fresh ext4 image, or `None` when there is no mkfs.
fn image(at: &Path) -> Option<()> {
    let _absent = fs::remove_file(at);
    fs::File::create(at).unwrap().set_len(256 << 20).unwrap();
    run("mkfs.ext4", &["-q", "-F", path(at)]).then_some(())
}

/// One cut; `None` when this machine cannot play it.
fn cut(scratch: &Path, load: Load, writers: u64, round: u32) -> Option<u64> {
    let (device, copy, acks) = (scratch.join("device"), scratch.join("copy"), scratch.join("acks"));
    let _absent = fs::remove_file(&acks);
    image(&device)?;
    let mounted = Mounted::image(&device, scratch.join("mounted"))?;
    let mut process = child::spawn(&mounted.point.join("data"), &acks, load, writers);
    rounds::let_run(&mut process, Duration::from_millis(150 + rounds::scatter(round, 1500)));
    kill_process(Pid::from_child(&process), Signal::STOP).unwrap();
    while !stopped(process.id()) {
        std::thread::yield_now();
    }
    assert!(run("cp", &["--sparse=always", path(&device), path(&copy)]));
    let acked = child::acknowledged(&acks);
    process.kill().unwrap();
    process.wait().unwrap();
    drop(mounted);

    let after = Mounted::image(&copy, scratch.join("after")).unwrap();
    child::check(
        &after.point.join("data"),
        load,
        &acked,
        &format!("cut {round}, {writers} writers, {load:?}"),
    );
    Some(acked.values().sum())
}

/// Whether every thread of the process has stopped.
fn stopped(pid: u32) -> bool {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks.flatten().all(|task| {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
    })
}

#[test]
fn nothing_acknowledged_is_lost_in_a_power_cut() {
    let scratch = tempfile::tempdir().unwrap();
    let mut total = 0;
    let rounds = rounds::rounds("KEYDECK_POWERCUT_ROUNDS", 6);
    for round in 0..rounds {
        let load = Load::ALL[round as usize % 4];
        let writers = if round / 4 % 2 == 0 { 4 } else { 1 };
        let Some(acked) = cut(scratch.path(), load, writers, round) else {
            println!("skipped: needs root and loop devices");
            return;
        };
        total += acked;
    }
    println!("{rounds} power cuts, {total} acknowledged commits, all there");
    assert!(total > 0);
}
