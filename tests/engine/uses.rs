//! What is known of a key's use: counted exactly, written down off the request path, kept while the disk fails,
//! harmless whatever a caller says of itself.

#![expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::support::wait::until;
use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::crypto::random::OsEntropy;
use keydeck::domain::catalog::{AuthMethod, Level};
use keydeck::domain::{
    AppId, Command, KeyId, Name, NewKey, Note, Place, PublicId, ScopeId, Scopes, State, Timestamp, Usage,
};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Key, Open, Options, found, in_store, open};
use keydeck::engine::{Engine, News, Origin, Via, Writing};
use keydeck::store::{Fault, MemoryStore, RowView, SledOptions, SledStore, Store};

const START: Timestamp = Timestamp(1_790_000_000_000);
const PHRASE: &str = "correct horse battery staple";
const QUICK: Duration = Duration::from_millis(5);

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// An engine in memory whose store can be made to fail.
fn in_memory(clock: &TestClock) -> (Open, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::new());
    let clock = Arc::new(clock.clone());
    let open = in_store(
        Arc::clone(&store) as Arc<dyn Store>,
        name("Acme"),
        name("maria"),
        clock,
        Via::CommandLine,
        Box::new(OsEntropy),
    );
    (open.unwrap(), store)
}

fn options(dir: &Path, clock: &TestClock) -> Options {
    // The cheapest passphrase that is accepted.
    Options {
        clock: Arc::new(clock.clone()),
        cost: Cost::IMPORTED,
        ..Options::new(dir, "test", Via::CommandLine)
    }
}

fn founded(dir: &Path, clock: &TestClock) -> Open {
    let phrase = Passphrase::choose(PHRASE).unwrap();
    found(&options(dir, clock), name("Acme"), name("maria"), &phrase).unwrap().open
}

fn reopened(dir: &Path, clock: &TestClock) -> Open {
    let passphrase = &Passphrase::choose(PHRASE).unwrap();
    open(&options(dir, clock), &Key::Operator { name: "maria", passphrase }).unwrap()
}

fn issue(open: &Open, called: &str, scopes: &str) -> (KeyId, String) {
    let new = NewKey {
        name: name(called),
        place: Place::Agency,
        scopes: scopes.split(' ').map(Into::into).collect(),
        expiry: None,
        note: Note::default(),
        decoy: false,
    };
    let token = open.engine.execute(&open.session, Command::IssueKey(new)).unwrap().token.unwrap();
    (KeyId(token.id()), token.reveal().to_owned())
}

fn scope(text: &str) -> ScopeId {
    text.parse().unwrap()
}

fn from<'a>(address: &str, agent: &'a [u8]) -> Origin<'a> {
    Origin { address: Some(address.parse().unwrap()), agent: Some(agent) }
}

fn usage(open: &Open, id: KeyId) -> Usage {
    open.engine.state().usage(id)
}

fn last_seen(state: &State, id: KeyId) -> String {
    state.trace(id).and_then(|trace| trace.sighting.as_ref()).unwrap().to_string()
}

#[test]
fn every_allow_under_eight_threads_is_counted_once() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(START);
    let first = founded(dir.path(), &clock);
    first.engine.write_uses_every(QUICK);
    let keys: Vec<_> =
        (0..5).map(|n| issue(&first, &format!("K{n}"), "contacts.read contacts.write")).collect();
    let app: PublicId = keys[0].0.public().to_string().chars().rev().collect::<String>().parse().unwrap();
    let allowed: Vec<AtomicU64> = keys.iter().map(|_| AtomicU64::new(0)).collect();
    let wanted = [[scope("contacts.read")], [scope("contacts.write")], [scope("calendars.read")]];
    std::thread::scope(|threads| {
        for thread in 0..8_usize {
            let (first, keys, allowed, wanted) = (&first, &keys, &allowed, &wanted);
            threads.spawn(move || {
                for n in 0..3_000 {
                    let at = (thread + n) % keys.len();
                    let agent = format!("agent/{}", n % 3);
                    let origin = from(&format!("203.0.113.{thread}"), agent.as_bytes());
                    let origin = if n % 4 == 0 { Origin::default() } else { origin };
                    let decision = first.engine.verify_from(keys[at].1.as_bytes(), &wanted[n % 3], origin);
                    allowed[at].fetch_add(u64::from(decision.is_allow()), Ordering::SeqCst);
                    first.engine.verifier().note(app, &[], origin, START);
                }
            });
        }
    });
    first.engine.settle().unwrap();
    let counts = |open: &Open| keys.iter().map(|(id, _)| usage(open, *id).count).collect::<Vec<_>>();
    let expected: Vec<u64> = allowed.iter().map(|count| count.load(Ordering::SeqCst)).collect();
    assert_eq!(expected.iter().sum::<u64>(), 8 * 3_000 * 2 / 3, "every third asks for a scope no key has");
    assert_eq!(counts(&first), expected);
    drop(first);
    let second = reopened(dir.path(), &clock);
    assert_eq!(counts(&second), expected);
    let state = second.engine.state();
    assert_eq!(
        state.app_usage(AppId(app)),
        Usage { last_used_at: Some(START), count: 24_000, first_used_at: Some(START) }
    );
    for (id, _) in &keys {
        let trace = state.trace(*id).unwrap();
        let used: Vec<&str> = trace.scopes().iter().map(|used| used.scope.as_str()).collect();
        assert_eq!(used, ["contacts.read", "contacts.write"]);
        assert!(last_seen(&state, *id).starts_with("203.0.113."));
    }
}

#[test]
fn use_is_told_and_written_soon_after_and_an_idle_engine_sleeps() {
    let (busy, store) = in_memory(&TestClock::at(START));
    let (idle, _) = in_memory(&TestClock::at(START));
    for open in [&busy, &idle] {
        open.engine.write_uses_every(QUICK);
    }
    let (id, token) = issue(&busy, "Nightly export", "contacts.read");
    issue(&idle, "Unused", "contacts.read");
    let mut news = busy.engine.subscribe();
    let rows = |store: &MemoryStore| {
        let mut rows = 0;
        store
            .scan(b"t/", &mut |_| {
                rows += 1;
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
        rows
    };
    assert_eq!(rows(&store), 0);
    assert!(busy.engine.verify_from(token.as_bytes(), &[], from("203.0.113.7", b"curl/8.5")).is_allow());
    until("the news of a use", || match news.try_recv() {
        Ok(News::Used(ids)) => {
            assert_eq!(&ids[..], [*id.public()]);
            true
        }
        _ => false,
    });
    assert_eq!(rows(&store), 1, "told after it was written");
    assert_eq!(last_seen(&busy.engine.state(), id), "203.0.113.7 by curl/8.5");
    // Many rounds of one that works; the one beside it is asked with what is no token, and sleeps.
    let before = idle.engine.use_writer_wakes();
    for round in 1..=20_u64 {
        busy.engine.verify(token.as_bytes(), &[]);
        assert!(!idle.engine.verify(&token.as_bytes()[1..], &[]).is_allow());
        until("the next round", || usage(&busy, id).count == round + 1);
    }
    assert_eq!(idle.engine.use_writer_wakes(), before);
    assert!(busy.engine.use_writer_wakes() >= 40);
    // And when its work is done it sleeps, too.
    busy.engine.settle().unwrap();
    until("the last of its rounds", || {
        let wakes = busy.engine.use_writer_wakes();
        idle.engine.settle().unwrap();
        wakes == busy.engine.use_writer_wakes()
    });
}

#[test]
fn a_failing_disk_loses_no_use_while_the_process_lives_and_stops_nothing_else() {
    let clock = TestClock::at(START);
    let (open, store) = in_memory(&clock);
    let (id, token) = issue(&open, "Nightly export", "contacts.read");
    let used = || assert!(open.engine.verify(token.as_bytes(), &[scope("contacts.read")]).is_allow());
    used();
    open.engine.settle().unwrap();
    assert_eq!(
        (open.engine.condition().writing, open.engine.condition().complete_since),
        (Writing::Ok, Some(START))
    );
    for round in 1..=3 {
        clock.pass(60_000);
        used();
        store.fail_next([Fault::Unavailable, Fault::UnknownLost, Fault::UnknownDone][round - 1]);
        open.engine.settle().unwrap_err();
        let Writing::Failing { since, why, unwritten } = open.engine.condition().writing else {
            panic!("{round}")
        };
        assert_eq!((since, unwritten), (Timestamp(START.0 + 60_000), 1), "the first failure counts");
        assert!(why.contains("a test wants it so"), "{why}");
        assert_eq!(open.engine.condition().complete_since, None, "nothing may be judged idle now");
        assert_eq!(usage(&open, id).count, round as u64 + 1, "what is known in memory is right");
    }
    let mut news = open.engine.subscribe();
    open.engine.settle().unwrap();
    assert!(
        matches!(news.try_recv(), Ok(News::Used(ids)) if ids[..] == [*id.public()]),
        "the end of it is told"
    );
    assert_eq!(
        (open.engine.condition().writing, open.engine.condition().complete_since),
        (Writing::Ok, Some(START))
    );
    assert_eq!(usage(&open, id).count, 4);
}

#[test]
fn a_failing_disk_is_tried_again_by_itself() {
    let (open, store) = in_memory(&TestClock::at(START));
    let (id, token) = issue(&open, "Nightly export", "contacts.read");
    open.engine.verify(token.as_bytes(), &[]);
    (0..4).for_each(|_| store.fail_next(Fault::ReadOnly));
    open.engine.settle().unwrap_err();
    open.engine.write_uses_every(QUICK);
    until("a write that succeeds", || open.engine.condition().writing == Writing::Ok);
    assert!(store.get(format!("t/{id}").as_bytes()).unwrap().is_some());
}

#[test]
fn many_keys_with_much_to_say_are_written_in_commits_that_fit() {
    let clock = TestClock::at(START);
    let (open, store) = in_memory(&clock);
    let policy = Command::SetPolicy { name: "keys-per-operator".into(), value: "300".into(), basis: None };
    open.engine.execute(&open.session, policy).unwrap();
    let catalog = open.engine.catalog();
    let all: Vec<ScopeId> =
        catalog.allowed_for(Level::Agency, AuthMethod::ApiKey).map(|p| p.id.clone()).collect();
    let held = all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let keys: Vec<_> = (0..200).map(|n| issue(&open, &format!("K{n}"), &held)).collect();
    for (_, token) in &keys {
        let origin = from("2001:db8:1111:2222:3333:4444:5555:6666", &[b'x'; 4_000]);
        assert!(open.engine.verify_from(token.as_bytes(), &all, origin).is_allow());
    }
    open.engine.settle().unwrap();
    let (mut rows, mut bytes) = (0, 0);
    let mut count = |row: RowView<'_>| {
        (rows, bytes) = (rows + 1, bytes + row.value.len());
        std::ops::ControlFlow::Continue(())
    };
    store.scan(b"t/", &mut count).unwrap();
    assert_eq!(rows, keys.len());
    assert!(bytes / rows * 90 > 200 * 1024, "too little to be split by bytes: {bytes}");
}

#[test]
fn scopes_used_follow_a_change_of_scopes_and_stay_within_what_is_held() {
    let (open, _) = in_memory(&TestClock::at(START));
    let (id, token) = issue(&open, "Nightly export", "calendars.read contacts.read contacts.write");
    let wants = |scopes: &str| {
        let wanted: Scopes = scopes.parse().unwrap();
        open.engine.verify(token.as_bytes(), &wanted.iter().cloned().collect::<Vec<_>>()).is_allow()
    };
    let used = || -> Vec<String> {
        let state = open.engine.state();
        let trace = state.trace(id).unwrap();
        trace.scopes().iter().map(|used| used.scope.to_string()).collect()
    };
    assert!(wants("contacts.read contacts.write"));
    assert!(!wants("calendars.read payments.read"), "a refusal is no use");
    // The scope in the middle goes while its use is not yet taken.
    let scopes = vec!["calendars.read".into(), "contacts.write".into()];
    open.engine.execute(&open.session, Command::RescopeKey { key: id, scopes, basis: None }).unwrap();
    open.engine.settle().unwrap();
    assert_eq!(used(), ["contacts.write"]);
    assert!(wants("calendars.read") && !wants("contacts.read"));
    open.engine.settle().unwrap();
    assert_eq!(used(), ["calendars.read", "contacts.write"]);
    assert_eq!(open.engine.state().trace(id).unwrap().scope_used_at(&scope("contacts.write")), Some(START));
}

#[test]
fn a_process_that_does_not_end_in_order_leaves_a_gap_to_be_seen() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(START);
    let copy = tempfile::tempdir().unwrap();
    let first = founded(dir.path(), &clock);
    let (id, token) = issue(&first, "Nightly export", "contacts.read");
    first.engine.write_uses_every(QUICK);
    first.engine.verify(token.as_bytes(), &[]);
    first.engine.settle().unwrap();
    until("the note that uses are gathered", || is_kept(&first));
    // These are lost with the process: the store as it is now, as a kill would leave it.
    let stopped = clone_of(dir.path(), copy.path());
    drop(first);
    clock.pass(86_400_000);
    let in_order = reopened(dir.path(), &clock);
    assert_eq!(in_order.engine.condition().complete_since, Some(START));
    assert_eq!(usage(&in_order, id).count, 1);
    drop(in_order);
    let killed = reopened(stopped, &clock);
    assert_eq!(killed.engine.condition().complete_since, Some(Timestamp(START.0 + 86_400_000)));
    assert_eq!(usage(&killed, id).count, 1, "what was written is there");
    // The gap stays visible after an orderly end.
    killed.engine.verify(token.as_bytes(), &[]);
    drop(killed);
    clock.pass(86_400_000);
    let after = reopened(stopped, &clock);
    assert_eq!(after.engine.condition().complete_since, Some(Timestamp(START.0 + 86_400_000)));
    assert_eq!(usage(&after, id).count, 2);
}

/// Whether the store says that uses are gathered.
fn is_kept(open: &Open) -> bool {
    open.engine.use_writer_wakes() > 0
}

/// The files of an open store, copied.
fn clone_of<'p>(from: &Path, to: &'p Path) -> &'p Path {
    for entry in walk(from) {
        let target = to.join(entry.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        // The seal comes and goes by renaming.
        assert!(std::fs::copy(&entry, target).is_ok() || !entry.exists());
    }
    to
}

fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn a_hostile_agent_is_inert_in_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(START);
    let first = founded(dir.path(), &clock);
    let (id, token) = issue(&first, "Nightly export", "contacts.read");
    let long = [b'x'; 10_240];
    let hostile: [&[u8]; 6] = [
        b"\x1b]0;owned\x07\x1b[2J",
        "\u{202e}lruc\u{200b}".as_bytes(),
        b"\xff\xfe\x00bad",
        &long,
        token.as_bytes(),
        b"\r\nSet-Cookie: a=b",
    ];
    for agent in hostile {
        assert!(first.engine.verify_from(token.as_bytes(), &[], from("203.0.113.7", agent)).is_allow());
        first.engine.settle().unwrap();
        let seen = last_seen(&first.engine.state(), id);
        assert!(seen.len() <= "203.0.113.7 by ".len() + 160, "{seen}");
        assert!(seen.bytes().all(|b| matches!(b, b' '..=b'~')) && !seen.contains(&token), "{seen}");
        assert!(seen.starts_with("203.0.113.7 by "));
    }
    let last = last_seen(&first.engine.state(), id);
    drop(first);
    assert_eq!(last_seen(&reopened(dir.path(), &clock).engine.state(), id), last);
    // No row is longer than what may be kept.
    let opened = SledStore::open(&SledOptions::new(dir.path())).unwrap();
    let row = opened.store.get(format!("t/{id}").as_bytes()).unwrap().unwrap();
    assert!(row.value.len() < 400, "{}", row.value.len());
}
