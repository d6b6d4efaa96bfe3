//! Denials on a disk that is full or fails, and a process that is killed at any moment: every denial that was said to
//! last is in force after it. `KEYDECK_DENIAL_ROUNDS` sets how many processes are killed (everyday: 6),
//! `KEYDECK_FAULT_POINTS` at how many calls of each kind a fault is put (everyday: 1).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use keydeck::domain::{Command, KeyId, Place, PublicId, Reason};
use keydeck::engine::open::Open;
use keydeck::engine::{Engine as _, EngineError, Integrity};
use rustix::fs::{FallocateFlags, fallocate};

use super::denials::{found_in, name, new_key, sign_in};
use super::disk::SmallDisk;
use super::rounds;
use super::system::run;
use crate::support::child as again;

const CHILD: &str = "KEYDECK_DENIAL_CHILD";
const TURNS: &str = "KEYDECK_DENIAL_TURNS";

/// A line written whole by one call: one that was read was said.
fn say(line: &str) {
    // Whoever listens may be gone; then this process soon is, too.
    let _gone = std::io::stdout().write_all(format!("{line}\n").as_bytes());
}

fn ballast(dir: &Path) -> PathBuf {
    dir.with_file_name("ballast")
}

/// Fills the disk to the last block.
fn fill(dir: &Path) {
    let file = fs::File::create(ballast(dir)).unwrap();
    let (mut at, mut step) = (0, 16 << 20);
    while step >= 4096 {
        match fallocate(&file, FallocateFlags::empty(), at, step) {
            Ok(()) => at += step,
            Err(_) => step /= 2,
        }
    }
}

/// Issues, fills the disk, denies, makes room, goes on.
#[test]
#[ignore = "not a test: the program that is killed"]
fn denier() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let dir = PathBuf::from(dir);
    let turns: u32 = std::env::var(TURNS).map_or(u32::MAX, |n| n.parse().unwrap());
    let full = turns == u32::MAX;
    let Open { engine, session, .. } = sign_in(&dir);
    say("open");
    for turn in 0..turns {
        let mut issued = Vec::new();
        for n in 0..3 {
            let called = format!("Key {} {turn} {n}", std::process::id());
            match engine.execute(&session, new_key(&called, Place::Agency)) {
                Ok(done) => {
                    let token = done.token.unwrap();
                    say(&format!("issued {} {}", token.id(), token.reveal()));
                    issued.push(KeyId(token.id()));
                }
                Err(error) => say(&format!("failed {}", error.code())),
            }
        }
        if full {
            fill(&dir);
        }
        for (n, id) in issued.into_iter().enumerate() {
            // The last one stays, to show that not everything is refused.
            let command = match n {
                0 => Command::revoke(id),
                1 => Command::PauseKey(id, None),
                _ => break,
            };
            say(&format!("trying {}", id.public()));
            match engine.execute(&session, command) {
                Ok(_) => say(&format!("denied {} written", id.public())),
                Err(EngineError::DeniedKept(_)) => say(&format!("denied {} kept", id.public())),
                Err(error) => say(&format!("failed {}", error.code())),
            }
        }
        if full {
            fs::remove_file(ballast(&dir)).unwrap();
        }
        let other = engine.execute(&session, Command::AddLocations(vec![name(&format!("Place {turn}"))]));
        say(if other.is_ok() { "wrote" } else { "failed other" });
    }
}

/// What was said to whoever asked.
#[derive(Default)]
struct Said {
    tokens: BTreeMap<PublicId, String>,
    tried: BTreeSet<PublicId>,
    denied: BTreeSet<PublicId>,
    kept: usize,
    failed: usize,
}

impl Said {
    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["issued", id, token] => drop(self.tokens.insert(id.parse().unwrap(), token.into())),
            ["trying", id] => drop(self.tried.insert(id.parse().unwrap())),
            ["denied", id, how] => {
                self.denied.insert(id.parse().unwrap());
                self.kept += usize::from(how == "kept");
            }
            ["failed", ..] => self.failed += 1,
            _ => {}
        }
    }

    /// Opens the store on a disk that is well, and finds everything in force.
    fn check(&self, dir: &Path, context: &str) {
        let Open { engine, session, .. } = sign_in(dir);
        assert!(engine.doubts().is_empty(), "{context}: {:?}", engine.doubts());
        for (id, token) in &self.tokens {
            let answer = engine.test(&session, token.as_bytes(), &[]).unwrap().reason();
            match answer {
                Some(Reason::Revoked | Reason::Disabled) => {
                    assert!(self.tried.contains(id), "{context}: {id} was denied and nobody asked");
                }
                None => assert!(!self.denied.contains(id), "{context}: the denial of {id} is lost"),
                other => panic!("{context}: {id}: {other:?}"),
            }
        }
        assert_eq!(engine.condition().unwritten.denials, 0, "{context}: all of it is in the store now");
        engine.execute(&session, new_key(context, Place::Agency)).unwrap();
        let report = engine.check_audit(&session).unwrap();
        assert_eq!(report.integrity, Integrity::Intact, "{context}: {:?}", report.faults);
    }
}

fn child(dir: &Path) -> Process {
    let mut process = again::command(concat!(module_path!(), "::denier"));
    process.env(CHILD, dir).stdout(Stdio::piped()).stderr(Stdio::null());
    process
}

fn listen(child: &mut Child) -> mpsc::Receiver<String> {
    let out = BufReader::new(child.stdout.take().unwrap());
    let (tell, lines) = mpsc::channel();
    std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
    lines
}

#[test]
fn what_was_denied_on_a_full_disk_is_denied_after_kill_9() {
    let Some(disk) = SmallDisk::new("160m") else { return };
    let rounds = rounds::rounds("KEYDECK_DENIAL_ROUNDS", 6);
    let (mut denied, mut kept) = (0, 0);
    let mut home = None;
    for round in 0..rounds {
        let dir = disk.root.join("data");
        if round % 20 == 0 {
            let _absent = fs::remove_dir_all(&dir);
            let Open { engine, session, .. } = found_in(&dir);
            let raise =
                Command::SetPolicy { name: "keys-per-operator".into(), value: "10000".into(), basis: None };
            engine.execute(&session, raise).unwrap();
            home = Some(Said::default());
        }
        let said = home.as_mut().unwrap();
        let mut process = child(&dir).spawn().unwrap();
        let lines = listen(&mut process);
        let patience = Duration::from_secs(120);
        while !lines.recv_timeout(patience).expect("the child did not get to work").ends_with("open") {}
        let end = std::time::Instant::now() + Duration::from_millis(rounds::scatter(round, 400));
        // At least one denial, or the round would show nothing.
        let mut more = true;
        while let Some(left) =
            end.checked_duration_since(std::time::Instant::now()).or(more.then_some(patience))
        {
            let line = match lines.recv_timeout(left) {
                Ok(line) => line,
                Err(mpsc::RecvTimeoutError::Timeout) => continue,
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            };
            more &= !line.starts_with("denied");
            said.hear(&line);
        }
        process.kill().unwrap();
        process.wait().unwrap();
        for line in &lines {
            said.hear(&line);
        }
        let _absent = fs::remove_file(ballast(&dir));
        said.check(&dir, &format!("round {round}"));
        if round % 20 == 19 || round + 1 == rounds {
            denied += said.denied.len();
            kept += said.kept;
            println!(
                "{} rounds: {denied} denials acknowledged, {kept} of them on a full disk, 0 lost",
                round + 1
            );
        }
    }
    assert!(kept > 0, "the disk was never full");
}

#[test]
fn whatever_call_fails_and_for_how_long_what_was_acknowledged_holds_and_writing_goes_on_after_it() {
    if !run("strace", &["-f", "-o", "/dev/null", "true"]) {
        println!("skipped: needs strace and the right to trace a child");
        return;
    }
    let points = rounds::rounds("KEYDECK_FAULT_POINTS", 1);
    let (mut runs, mut failed, mut acknowledged) = (0, 0, 0);
    for call in ["fdatasync", "fsync", "pwrite64", "rename"] {
        for error in ["EIO", "ENOSPC"] {
            for point in 0..points {
                // Far apart at first, then in between.
                let first = 1 + rounds::scatter(point, 40);
                for when in [format!("{first}"), format!("{first}..{}", first + 6), format!("{first}+")] {
                    let scratch = tempfile::tempdir().unwrap();
                    let dir = scratch.path().join("data");
                    drop(found_in(&dir));
                    let inner = child(&dir);
                    let mut strace = Process::new("strace");
                    strace.args(["-f", "--seccomp-bpf", "-o", "/dev/null", "-e"]);
                    strace.arg(format!("inject={call}:error={error}:when={when}"));
                    strace.arg(inner.get_program()).args(inner.get_args());
                    strace.env(CHILD, &dir).env(TURNS, "3");
                    let mut process = strace.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
                    let mut said = Said::default();
                    for line in &listen(&mut process) {
                        said.hear(&line);
                    }
                    process.wait().unwrap();
                    said.check(&dir, &format!("{call} {error} {when}"));
                    runs += 1;
                    failed += said.failed;
                    acknowledged += said.tokens.len() + said.denied.len();
                }
            }
        }
    }
    println!("{runs} faults, {failed} commands refused, {acknowledged} acknowledged: all of them hold");
    assert!(runs == 0 || (failed > 0 && acknowledged > 0));
}
