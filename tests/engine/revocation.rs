//! What is taken away is gone: for the very next request, whoever asks how many at a time, on a disk that fails, and
//! after a restart.
//!
//! `KEYDECK_REVOKE_ROUNDS=10000 cargo nextest run --release --test engine revocation:: --no-capture` for the long run.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::support::http::{House, START, connect, read};
use crate::support::wait::until;
use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::crypto::random::OsEntropy;
use keydeck::domain::{Command, Extent, KeyId, Name, NewKey, Note, Place, Reason};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Options, found, in_store};
use keydeck::engine::{Engine as _, EngineError, Via};
use keydeck::serve::http::Limits;
use keydeck::store::{Fault, MemoryStore, Store};

const ROUNDS: &str = "KEYDECK_REVOKE_ROUNDS";
/// Rounds of a plain `cargo test`.
const FEW: usize = 150;
/// Others who ask at the same time, each on a connection of its own.
const CROWD: usize = 8;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn key(called: &str) -> Command {
    let scopes = vec!["contacts.read".into()];
    let expiry = None;
    Command::IssueKey(NewKey {
        name: name(called),
        place: Place::Agency,
        scopes,
        expiry,
        note: Note::default(),
        decoy: false,
    })
}

/// A server on a real store on disk.
fn on_disk(dir: &std::path::Path) -> House {
    let clock = TestClock::at(START);
    let own = Arc::new(clock.clone());
    let options = Options { clock: own, cost: Cost::IMPORTED, ..Options::new(dir, "test", Via::CommandLine) };
    let phrase = Passphrase::choose("correct horse battery staple").unwrap();
    let founded = found(&options, name("Acme"), name("maria"), &phrase).unwrap();
    House::over(founded.open, clock, Limits::default())
}

/// Asks on an open connection; the status.
fn status(socket: &mut std::net::TcpStream, token: &str) -> u16 {
    let text = format!("GET /verify HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n\r\n");
    socket.write_all(text.as_bytes()).unwrap();
    read(socket).unwrap().status
}

#[test]
fn the_request_after_a_revoke_is_refused_however_many_ask() {
    let rounds = std::env::var(ROUNDS).map_or(FEW, |n| n.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let house = on_disk(dir.path());
    let (_, steady) = house.issue("Steady", Place::Agency, &["contacts.read"]);
    let (asked, wrong, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let started = Instant::now();
    let stale = thread::scope(|scope| {
        for _ in 0..CROWD {
            scope.spawn(|| {
                let mut socket = connect(house.address);
                while !stop.load(Ordering::Relaxed) {
                    wrong.fetch_add(u64::from(status(&mut socket, &steady) != 200), Ordering::Relaxed);
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut socket = connect(house.address);
        let mut other = connect(house.address);
        let mut stale = 0;
        for round in 0..rounds {
            let (id, token) = house.issue(&format!("Round {round}"), Place::Agency, &["contacts.read"]);
            assert_eq!(status(&mut socket, &token), 200, "round {round}: a fresh key works at once");
            house.does(Command::revoke(id));
            // On a connection that was allowed before, and on one that never was.
            stale += usize::from(status(&mut socket, &token) == 200);
            stale += usize::from(status(&mut other, &token) == 200);
        }
        stop.store(true, Ordering::Relaxed);
        stale
    });
    let asked = asked.into_inner();
    println!(
        "{rounds} rounds, {stale} stale allows, {asked} requests beside them in {:?}",
        started.elapsed()
    );
    assert_eq!((stale, wrong.into_inner()), (0, 0));
    assert!(asked > 0, "nobody else asked");
}

#[test]
fn no_verification_that_starts_after_a_revoke_returned_succeeds_on_any_of_64_threads() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let clock = Arc::new(TestClock::at(START));
    let entropy = Box::new(OsEntropy);
    let open = in_store(store, name("Acme"), name("maria"), clock, Via::CommandLine, entropy).unwrap();
    for round in 0..6 {
        let done = open.engine.execute(&open.session, key(&format!("K{round}"))).unwrap();
        let token = done.token.unwrap();
        let (revoked, running) = (AtomicBool::new(false), AtomicUsize::new(0));
        let (before, late) = thread::scope(|scope| {
            let threads: Vec<_> = (0..64)
                .map(|_| {
                    scope.spawn(|| {
                        running.fetch_add(1, Ordering::SeqCst);
                        let (mut before, mut late) = (0, 0);
                        let mut after = 0;
                        while after < 20 {
                            let returned = revoked.load(Ordering::SeqCst);
                            let allowed = open.engine.verify(token.bytes(), &[]).is_allow();
                            after += u32::from(returned);
                            late += u32::from(returned && allowed);
                            before += u32::from(!returned && allowed);
                        }
                        (before, late)
                    })
                })
                .collect();
            until("all threads to verify", || running.load(Ordering::SeqCst) == 64);
            open.engine.execute(&open.session, Command::revoke(KeyId(token.id()))).unwrap();
            revoked.store(true, Ordering::SeqCst);
            threads.into_iter().map(|t| t.join().unwrap()).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
        });
        assert_eq!(late, 0, "round {round}");
        assert!(before > 0, "round {round}: nobody was allowed while it worked");
    }
}

#[test]
fn on_a_disk_that_fails_a_revoke_is_in_force_says_so_and_is_written_when_it_can_be() {
    for fault in [Fault::Unavailable, Fault::ReadOnly, Fault::UnknownLost] {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(TestClock::at(START));
        let shared: Arc<dyn Store> = Arc::<MemoryStore>::clone(&store);
        let open =
            in_store(shared, name("Acme"), name("maria"), clock, Via::CommandLine, Box::new(OsEntropy))
                .unwrap();
        let token = open.engine.execute(&open.session, key("Leaked")).unwrap().token.unwrap();
        let id = KeyId(token.id());
        assert!(open.engine.verify(token.bytes(), &[]).is_allow());
        store.fail_next(fault);
        let refused = open.engine.execute(&open.session, Command::revoke(id));
        assert!(matches!(refused, Err(EngineError::DeniedNotDurable(_))), "{fault:?}");
        let answer = || open.engine.verify(token.bytes(), &[]).reason();
        assert_eq!(answer(), Some(Reason::Revoked), "{fault:?}: refused in this process at once");
        let left = open.engine.condition().unwritten;
        assert!(
            (left.denials, left.kept) == (1, false) && left.concerns(id),
            "{fault:?}: nor believed to be written"
        );
        let told = || {
            let page = open.engine.audit(&open.session, None, 10, Some(id)).unwrap();
            page.lines.iter().filter(|line| line.entry.event == "key.revoke").count()
        };
        assert_eq!(told(), 0, "{fault:?}");
        // The disk is well again: the next time anything is written down, so is this.
        open.engine.settle().unwrap();
        assert_eq!((open.engine.condition().unwritten.denials, told()), (0, 1), "{fault:?}");
        assert_eq!(answer(), Some(Reason::Revoked));
    }
}

#[test]
fn whoever_watches_sees_a_denial_that_waits_for_the_disk() {
    let disk = Arc::new(MemoryStore::new());
    let (clock, shared): (_, Arc<dyn Store>) = (TestClock::at(START), Arc::<MemoryStore>::clone(&disk));
    let own = Arc::new(clock.clone());
    let open = in_store(shared, name("Acme"), name("maria"), own, Via::CommandLine, Box::new(OsEntropy));
    let house = House::over(open.unwrap(), clock, Limits::default());
    let (id, token) = house.issue("Leaked", Place::Agency, &["contacts.read"]);
    let watched = || {
        ["denials_unwritten", "denials_at_risk", "store_writable"]
            .map(|gauge| house.metric(&format!("keydeck_{gauge}")).unwrap())
    };
    let ready = || {
        let heard = house.ask("/readyz", "");
        (heard.status, heard.body)
    };
    assert_eq!(watched(), [0, 0, 1], "from the start");
    assert_eq!(ready(), (200, "ready\n".to_owned()));
    disk.go_down();
    let told = house.open.engine.execute(&house.open.session, Command::revoke(id));
    assert!(told.is_err());
    assert_eq!(watched(), [1, 1, 0]);
    let (status, text) = ready();
    assert_eq!(status, 503);
    assert!(text.contains("cannot be written") && text.contains("not written yet: 1; a restart"), "{text}");
    // Whoever asks all the same is refused.
    assert_eq!(house.bearer("/verify", &token).status, 401);
    disk.come_back();
    house.open.engine.settle().unwrap();
    assert_eq!(watched(), [0, 0, 1]);
}

#[test]
fn a_dead_key_is_refused_like_any_stranger_and_told_apart_only_within() {
    let house = House::new();
    let ask = |token: &str| house.bearer("/verify", token).undated();
    let stranger = ask("kdag_7HqP2mVx9KtR_nothing");
    assert_eq!(stranger.status, 401);
    let (gone, deleted) = house.issue("Deleted", Place::Agency, &["contacts.read"]);
    let (_, revoked) = house.issue("Revoked", Place::Agency, &["contacts.read"]);
    let revoked_id = house.open.engine.verify(revoked.as_bytes(), &[]).key().unwrap();
    house.does(Command::DeleteKey(gone));
    house.does(Command::revoke(revoked_id));
    let (paused_id, paused) = house.issue("Paused", Place::Agency, &["contacts.read"]);
    house.does(Command::PauseKey(paused_id, None));
    assert_eq!(ask(&paused), stranger);
    let owner = Extent::Owner(house.open.session.actor().operator);
    let (_, locked) = house.issue("Locked", Place::Agency, &["contacts.read"]);
    house.does(Command::LockDown { what: owner, why: Note::default() });
    for (token, reason) in [(&deleted, "tombstoned"), (&revoked, "revoked"), (&locked, "locked_down")] {
        assert_eq!(ask(token), stranger, "{reason}");
        let name = format!("keydeck_verify_decisions_total{{outcome=\"deny\",reason=\"{reason}\"}}");
        assert_eq!(house.metric(&name), Some(1), "whoever watches sees that a dead key is tried");
    }
}
