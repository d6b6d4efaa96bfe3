//! Killed while issuing: whatever was acknowledged before a SIGKILL is in force after it, and nothing is half done.
//!
//! This binary starts itself again as the one that is killed. The child opens the store, issues and revokes as
//! fast as the disk allows and says so on its output after each `Ok`; the parent kills it at a random moment,
//! opening included, opens the store itself and asks for everything that was said. The directory lives through
//! many deaths before it is replaced. `steps` kills at each step of one change instead.
//!
//! `KEYDECK_CRASH_ROUNDS=1000 cargo nextest run --test crash issue:: --no-capture` for the long run.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where a promise breaks")]

use std::collections::{HashMap, HashSet};
use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::process::{Command as Process, Stdio};

use crate::support::child;
use crate::victim::{Victim, is_killed_opening, say};
use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::{Command, KeyId, Name, NewKey, Note, Place, Reason};
use keydeck::engine::open::{Key, Open, Options, found, open};
use keydeck::engine::{Integrity, Via};
use keydeck::store::{RowView, SledOptions, SledStore, Store};

const CHILD: &str = "KEYDECK_CRASH_CHILD";
/// The program that is killed.
const VICTIM: &str = concat!(module_path!(), "::victim");
const STEPS: &str = "KEYDECK_CRASH_STEPS";
const ROUNDS: &str = "KEYDECK_CRASH_ROUNDS";
const PHRASE: &str = "correct horse battery staple";

/// Rounds of a plain `cargo test`: a few seconds.
const FEW: u32 = 8;
/// Deaths a directory lives through.
const LIVES: u32 = 20;
/// A key of every so many is revoked again.
const REVOKE_EVERY: usize = 3;
/// When the child is killed: this long after it opened the store, in milliseconds.
const AT_WORK: Range<u64> = 20..300;

/// What the store looked like to those who were told.
#[derive(Default)]
struct Said {
    tokens: HashMap<String, String>,
    revoked: HashSet<String>,
}

fn options(dir: &Path) -> Options {
    // The cheapest passphrase that is accepted: the store is opened twice in each round.
    Options { cost: Cost::IMPORTED, ..Options::new(dir, "crash test", Via::CommandLine) }
}

fn phrase() -> Passphrase {
    Passphrase::choose(PHRASE).unwrap()
}

fn sign_in(dir: &Path) -> Open {
    let name = "maria";
    open(&options(dir), &Key::Operator { name, passphrase: &phrase() })
        .unwrap_or_else(|error| panic!("the store does not open any more: {error}"))
}

fn found_in(dir: &Path) {
    let name = |text| Name::new(text).unwrap();
    let founded = found(&options(dir), name("Acme Agency"), name("maria"), &phrase()).unwrap();
    let Open { engine, session, .. } = founded.open;
    let raise = Command::SetPolicy { name: "keys-per-operator".into(), value: "10000".into(), basis: None };
    engine.execute(&session, raise).unwrap();
}

#[test]
#[ignore = "not a test: the program that is killed"]
fn victim() {
    if let Some(dir) = std::env::var_os(CHILD) {
        work_until_killed(Path::new(&dir));
    }
}

/// What it does.
fn work_until_killed(dir: &Path) {
    say("begin");
    let Open { engine, session, .. } = sign_in(dir);
    say("open");
    let steps = std::env::var(STEPS).map_or(usize::MAX, |n| n.parse().unwrap());
    let mut issued = Vec::new();
    for n in 0..steps {
        let name = Name::new(&format!("Nightly export {} {n}", std::process::id())).unwrap();
        let scopes = vec!["contacts.read".into()];
        let new =
            NewKey { name, place: Place::Agency, scopes, expiry: None, note: Note::default(), decoy: false };
        let token = engine.execute(&session, Command::IssueKey(new)).unwrap().token.unwrap();
        say(&format!("issued {} {}", token.id(), token.reveal()));
        issued.push(KeyId(token.id()));
        if n % REVOKE_EVERY == 0 {
            // Not the newest one, so that both old and fresh records are rewritten.
            let id = issued.swap_remove(issued.len() / 2);
            engine.execute(&session, Command::revoke(id)).unwrap();
            say(&format!("revoked {}", id.public()));
        }
    }
}

impl Said {
    /// Takes in what a victim said. The number of acknowledgements.
    fn hear(&mut self, lines: &[String]) -> usize {
        let mut acks = 0;
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["issued", id, token] if token.len() == 56 => {
                    self.tokens.insert(id.into(), token.into());
                    acks += 1;
                }
                ["revoked", id] if id.len() == 12 => {
                    self.revoked.insert(id.into());
                    acks += 1;
                }
                _ => {}
            }
        }
        acks
    }

    /// Opens the store and finds everything in force. The number of entries in its trail, of revocations that were
    /// written when the kill came before they could be said (from now on these count as said), and of keys that were
    /// issued and are taken back now, since the kill came before they could be shown.
    fn check(&mut self, dir: &Path) -> (u64, usize, usize) {
        let Open { engine, session, notices } = sign_in(dir);
        let taken = notices.iter().filter(|notice| notice.contains("the seal does not know of")).count();
        assert!(engine.doubts().is_empty() && notices.len() == taken, "{notices:?} {:?}", engine.doubts());
        let mut unsaid = Vec::new();
        for (id, token) in &self.tokens {
            // As a verification decides, and without an entry of its own in the trail that is counted here.
            let decision = engine.test(&session, token.as_bytes(), &[]).unwrap();
            match (self.revoked.contains(id), decision.reason()) {
                (true, Some(Reason::Revoked)) | (false, None) => {}
                (true, answer) => panic!("the revocation of {id} is lost: {answer:?}"),
                (false, Some(Reason::Revoked)) => unsaid.push(id.clone()),
                (false, answer) => panic!("the key {id} is lost: {answer:?}"),
            }
        }
        assert!(unsaid.len() <= 1, "revoked, and nobody asked for it: {unsaid:?}");
        let count = unsaid.len();
        self.revoked.extend(unsaid);
        let report = engine.check_audit(&session).unwrap();
        assert_eq!(report.integrity, Integrity::Intact, "{:?}", report.faults);
        (report.entries, count, taken)
    }
}

/// Reads the numbers of the audit rows past the engine: one after the other, from 1 on.
fn trail_is_gapless(dir: &Path) -> u64 {
    let opened = SledStore::open(&SledOptions::new(dir)).unwrap();
    let mut next = 1;
    let each = &mut |row: RowView<'_>| {
        assert_eq!(row.key, format!("a/{next:020}").as_bytes(), "a gap in the audit trail");
        next += 1;
        ControlFlow::Continue(())
    };
    opened.store.scan(b"a/", each).unwrap();
    next - 1
}

#[derive(Default, Debug)]
struct Figures {
    rounds: u32,
    killed_opening: u32,
    acknowledged: usize,
    written_but_unsaid: u64,
    revoked_but_unsaid: usize,
    taken_back: usize,
}

#[test]
fn what_was_acknowledged_survives_a_kill_at_any_moment() {
    let rounds = std::env::var(ROUNDS).map_or(FEW, |n| n.parse().unwrap());
    let mut figures = Figures::default();
    let mut home = None;
    for round in 0..rounds {
        let (dir, said, entries) = match &mut home {
            Some(home) if round % LIVES != 0 => home,
            _ => {
                let dir = tempfile::tempdir().unwrap();
                found_in(dir.path());
                let entries = trail_is_gapless(dir.path());
                home.insert((dir, Said::default(), entries))
            }
        };
        let victim = Victim::start(VICTIM, &[(CHILD, dir.path().as_os_str())]);
        let acks = said.hear(&victim.kill(round, AT_WORK));
        let (found, unsaid, taken) = said.check(dir.path());
        assert_eq!(found, trail_is_gapless(dir.path()));
        // Each acknowledgement is one entry, and one more may have been on its way; what is taken back is told by another.
        let more = found - *entries - (acks + taken) as u64;
        assert!(
            more <= 1 && taken as u64 <= more,
            "{more} entries that nobody was told of, {taken} taken back"
        );
        *entries = found;
        figures.rounds += 1;
        figures.killed_opening += u32::from(is_killed_opening(round));
        figures.acknowledged += acks;
        figures.written_but_unsaid += more;
        figures.revoked_but_unsaid += unsaid;
        figures.taken_back += taken;
        if round % 50 == 49 {
            println!("{figures:?}");
        }
    }
    assert!(figures.acknowledged > 0, "no child ever got to work");
    println!("{figures:?}, none lost");
}

/// What one line of `strace` says, as far as it matters here.
enum Seen {
    Written,
    Synced,
    Said,
    Other,
}

impl Seen {
    fn of(line: &str) -> Self {
        // A call that another thread interrupts is written in two halves; the second one has the result.
        let whole = !line.contains("<unfinished");
        let call = line.split_once(' ').map_or("", |(_, call)| call.trim_start());
        match call {
            _ if call.starts_with("pwrite") => Self::Written,
            _ if call.contains("fdatasync") && whole && line.ends_with("= 0") => Self::Synced,
            _ if call.starts_with("write(1, \"issued") || call.starts_with("write(1, \"revoked") => {
                Self::Said
            }
            _ => Self::Other,
        }
    }
}

#[test]
fn every_acknowledgement_follows_a_sync_of_what_was_written() {
    let (victim, words) = child::program(VICTIM);
    let dir = tempfile::tempdir().unwrap();
    found_in(dir.path());
    let log = dir.path().join("strace.log");
    let ran = Process::new("strace")
        .args(["-f", "-s", "16", "-e", "trace=write,pwrite64,pwritev,fdatasync", "-o"])
        .arg(&log)
        .arg(victim)
        .args(words)
        .env(CHILD, dir.path())
        .env(STEPS, "60")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !ran.is_ok_and(|status| status.success()) {
        println!("skipped: needs strace and the right to trace a child");
        return;
    }
    let (mut said, mut unsynced, mut synced) = (0, 0, false);
    for line in std::fs::read_to_string(&log).unwrap().lines() {
        match Seen::of(line) {
            Seen::Written => unsynced += 1,
            Seen::Synced => (unsynced, synced) = (0, true),
            Seen::Said => {
                assert!(synced, "acknowledged without a sync: {line}");
                assert_eq!(unsynced, 0, "acknowledged before it was synced: {line}");
                (said, synced) = (said + 1, false);
            }
            Seen::Other => {}
        }
    }
    assert_eq!(said, 80, "60 keys issued and every third step one revoked");
}
