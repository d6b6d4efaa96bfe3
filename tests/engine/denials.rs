//! What is refused leaves a trail: once a minute for each key and reason, bounded whatever comes, kept while the disk
//! fails, and readable by those whom it concerns. What nobody issued is known by its fingerprint, never by itself.

#![expect(clippy::unwrap_used, reason = "a test stops where a promise breaks")]

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::support::wait::until;
use crate::watched::Watched;
use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::crypto::random::OsEntropy;
use keydeck::crypto::token::{Token, TokenKind};
use keydeck::domain::audit::Entry;
use keydeck::domain::{Command, KeyId, Name, NewKey, Note, Place, Role, Timestamp};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Key, Open, Options, found, in_store, open};
use keydeck::engine::{Brought, Engine, Integrity, News, Origin, Peer, Session, Via, Writing};
use keydeck::store::{Fault, MemoryStore, Store};

const START: Timestamp = Timestamp(1_790_000_000_000);
const PHRASE: &str = "correct horse battery staple";
const QUICK: Duration = Duration::from_millis(2);
const MINUTE: i64 = 60_000;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn in_memory(clock: &TestClock) -> (Open, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::new());
    let own = Arc::clone(&store) as Arc<dyn Store>;
    let clock = Arc::new(clock.clone());
    let open = in_store(own, name("Acme"), name("maria"), clock, Via::CommandLine, Box::new(OsEntropy));
    (open.unwrap(), store)
}

/// An engine with operators who can sign in, with the cheapest passphrases that are accepted.
fn on_disk(dir: &Path) -> (Options, Open) {
    let clock = Arc::new(TestClock::at(START));
    let options = Options { clock, cost: Cost::IMPORTED, ..Options::new(dir, "test", Via::CommandLine) };
    let phrase = Passphrase::choose(PHRASE).unwrap();
    let open = found(&options, name("Acme"), name("maria"), &phrase).unwrap().open;
    (options, open)
}

fn issue(open: &Open, session: &Session, called: &str) -> (KeyId, String) {
    let new = NewKey {
        name: name(called),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: None,
        note: Note::default(),
        decoy: false,
    };
    let token = open.engine.execute(session, Command::IssueKey(new)).unwrap().token.unwrap();
    (KeyId(token.id()), token.reveal().to_owned())
}

fn from<'a>(address: &str) -> Origin<'a> {
    Origin { address: Some(address.parse().unwrap()), agent: Some(b"curl/8.5") }
}

fn stranger() -> String {
    Token::mint(TokenKind::Agency, &mut OsEntropy).unwrap().reveal().to_owned()
}

/// The entries about refused requests that a session may read, oldest first.
fn denials(open: &Open, session: &Session) -> Vec<Entry> {
    let page = open.engine.audit(session, None, 1_000, None).unwrap();
    let mut found: Vec<Entry> = page.lines.into_iter().map(|line| line.entry).collect();
    found.retain(|entry| entry.tries.is_some());
    found.reverse();
    found
}

fn told(open: &Open) -> Vec<String> {
    denials(open, &open.session).iter().map(|entry| entry.denial().unwrap()).collect()
}

/// Lets the writer come round twice.
fn rounds(open: &Open) {
    let before = open.engine.use_writer_wakes();
    until("two rounds of the writer", || open.engine.use_writer_wakes() > before + 2);
}

#[test]
fn refused_requests_are_one_entry_a_minute_for_each_key_and_reason() {
    let clock = TestClock::at(START);
    let (open, _) = in_memory(&clock);
    open.engine.write_uses_every(QUICK);
    let (id, token) = issue(&open, &open.session, "Nightly export");
    let (_, other) = issue(&open, &open.session, "Import");
    open.engine.execute(&open.session, Command::revoke(id)).unwrap();
    let mut news = open.engine.subscribe();
    let lacking = ["contacts.write".parse().unwrap()];
    for n in 0..37 {
        open.engine.verify_from(token.as_bytes(), &[], from(&format!("203.0.113.{n}")));
    }
    // Entries of one moment come in the order of ids, which are random.
    clock.pass(1);
    open.engine.verify_from(other.as_bytes(), &lacking, from("203.0.113.99"));
    assert!(open.engine.verify_from(other.as_bytes(), &[], from("203.0.113.98")).is_allow());
    clock.pass(MINUTE - 2);
    rounds(&open);
    assert!(told(&open).is_empty(), "the minute is not over");
    clock.pass(1);
    until("the entries", || told(&open).len() == 2);
    assert_eq!(
        told(&open),
        ["denied 37× · revoked · Nightly export", "denied 1× · lacks the scope contacts.write · Import"]
    );
    until("somebody is told", || matches!(news.try_recv(), Ok(News::Happened(events)) if events.is_empty()));
    let entry = &denials(&open, &open.session)[0];
    let tries = entry.tries.as_ref().unwrap();
    assert_eq!((tries.first, tries.last, entry.at), (START.0, START.0, START.0 + MINUTE));
    assert_eq!(tries.address.as_deref(), Some("203.0.113.36"));
    assert_eq!((entry.event.as_str(), entry.reason.as_deref()), ("verify.denied", Some("revoked")));
    assert!(entry.records.is_empty());
    // The next minute is another entry, and one without requests is none: nobody wakes for it.
    open.engine.verify(token.as_bytes(), &[]);
    clock.pass(MINUTE);
    until("the next entry", || told(&open).len() == 3);
    until("the end of the round", || {
        let wakes = open.engine.use_writer_wakes();
        (0..1_000).for_each(|_| std::thread::yield_now());
        wakes == open.engine.use_writer_wakes()
    });
    let (head, wakes) = (open.engine.anchor(&open.session).unwrap().seq, open.engine.use_writer_wakes());
    clock.pass(10 * MINUTE);
    open.engine.settle().unwrap();
    assert_eq!(
        (open.engine.anchor(&open.session).unwrap().seq, open.engine.use_writer_wakes()),
        (head, wakes)
    );
    let report = open.engine.check_audit(&open.session).unwrap();
    assert_eq!((report.integrity, report.faults), (Integrity::Intact, Vec::<String>::new()));
}

#[test]
fn a_process_that_ends_tells_what_it_refused_and_the_chain_is_whole_when_it_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let phrase = Passphrase::choose(PHRASE).unwrap();
    let (options, first) = on_disk(dir.path());
    let (id, token) = issue(&first, &first.session, "Nightly export");
    first.engine.execute(&first.session, Command::PauseKey(id, None)).unwrap();
    first.engine.verify(token.as_bytes(), &[]);
    first.engine.verify(stranger().as_bytes(), &[]);
    first.engine.write_uses();
    drop(first);
    let second = open(&options, &Key::Operator { name: "maria", passphrase: &phrase }).unwrap();
    assert!(second.engine.doubts().is_empty());
    let mut told = told(&second);
    told.sort();
    assert_eq!(told, ["denied 1× · never issued here", "denied 1× · paused · Nightly export"]);
    assert_eq!(second.engine.check_audit(&second.session).unwrap().integrity, Integrity::Intact);
    // And what comes after follows on.
    issue(&second, &second.session, "Import");
    assert_eq!(second.engine.check_audit(&second.session).unwrap().integrity, Integrity::Intact);
}

#[test]
fn an_operator_reads_what_was_refused_of_their_own_keys_and_of_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let (_, open) = on_disk(dir.path());
    let phrase = Passphrase::choose(PHRASE).unwrap();
    let hire = |called: &str, role| {
        let secret = Brought::Passphrase(&phrase);
        open.engine.act(&open.session, Command::AddOperator { name: name(called), role }, secret).unwrap();
        let key = Key::Operator { name: called, passphrase: &phrase };
        open.engine.admit(&key, Via::CommandLine, Peer::this()).unwrap()
    };
    let grant = Command::SetPolicy { name: "issue-agency".into(), value: "manager".into(), basis: None };
    open.engine.execute(&open.session, grant).unwrap();
    let (bob, eve) = (hire("bob", Role::Manager), hire("eve", Role::Manager));
    let (id, token) = issue(&open, &bob, "Bobs");
    open.engine.execute(&bob, Command::revoke(id)).unwrap();
    open.engine.verify(token.as_bytes(), &[]);
    // Somebody guesses at it, too.
    let guess = Token::mint_for(TokenKind::Agency, *id.public(), &mut OsEntropy).unwrap();
    open.engine.verify(guess.bytes(), &[]);
    open.engine.verify(stranger().as_bytes(), &[]);
    open.engine.settle().unwrap();
    let mut seen: Vec<String> = denials(&open, &bob).iter().map(|entry| entry.denial().unwrap()).collect();
    seen.sort();
    assert_eq!(seen, ["denied 1× · revoked · Bobs", "denied 1× · wrong secret · Bobs"]);
    assert!(denials(&open, &eve).is_empty());
    assert_eq!(denials(&open, &open.session).len(), 3);
    let about = |session| open.engine.audit(session, None, 100, Some(id)).map(|page| page.lines.len());
    assert_eq!(about(&bob).unwrap(), 4, "issued, revoked, refused for two reasons");
    about(&eve).unwrap_err();
    // Whether a token was tried is for admins to ask: it may be anybody's.
    open.engine.tried(&bob, token.as_bytes()).unwrap_err();
    assert!(open.engine.tried(&open.session, token.as_bytes()).is_ok());
}

#[test]
fn a_failing_disk_loses_no_refusal_and_writes_none_twice() {
    let clock = TestClock::at(START);
    let (open, store) = in_memory(&clock);
    let (id, token) = issue(&open, &open.session, "Nightly export");
    open.engine.execute(&open.session, Command::revoke(id)).unwrap();
    for fault in [Fault::Unavailable, Fault::UnknownLost, Fault::ReadOnly] {
        open.engine.verify(token.as_bytes(), &[]);
        store.fail_next(fault);
        open.engine.settle().unwrap_err();
        assert!(
            matches!(open.engine.condition().writing, Writing::Failing { .. }),
            "it is told as it is of uses"
        );
    }
    open.engine.verify(token.as_bytes(), &[]);
    // One whose outcome nobody heard, and which happened.
    store.fail_next(Fault::UnknownDone);
    open.engine.settle().unwrap();
    assert_eq!(open.engine.condition().writing, Writing::Ok);
    open.engine.settle().unwrap();
    assert_eq!(told(&open), ["denied 4× · revoked · Nightly export"]);
    issue(&open, &open.session, "Import");
    assert_eq!(open.engine.check_audit(&open.session).unwrap().integrity, Integrity::Intact);
}

#[test]
fn a_flood_is_a_few_entries_and_leaves_no_token_anywhere() {
    let (open, store) = in_memory(&TestClock::at(START));
    let keys: Vec<_> = (0..12).map(|n| issue(&open, &open.session, &format!("K{n}"))).collect();
    let before = open.engine.anchor(&open.session).unwrap().seq;
    let strangers: Vec<String> = (0..2_000).map(|_| stranger()).collect();
    for stranger in &strangers {
        assert!(!open.engine.verify_from(stranger.as_bytes(), &[], from("203.0.113.7")).is_allow());
        assert!(!open.engine.verify_from(&stranger.as_bytes()[1..], &[], from("203.0.113.7")).is_allow());
    }
    for (id, _) in &keys {
        for _ in 0..50 {
            let guess = Token::mint_for(TokenKind::Agency, *id.public(), &mut OsEntropy).unwrap();
            open.engine.verify(guess.bytes(), &[]);
        }
    }
    open.engine.settle().unwrap();
    assert_eq!(
        open.engine.anchor(&open.session).unwrap().seq,
        before + 13,
        "one for each key, one for all the strangers"
    );
    let entries = denials(&open, &open.session);
    let all: u64 = entries.iter().map(|entry| entry.tries.as_ref().unwrap().n).sum();
    assert_eq!(all, 2_000 + 12 * 50);
    let fingerprints: usize = entries.iter().map(|entry| entry.tries.as_ref().unwrap().tokens.len()).sum();
    assert_eq!(fingerprints, 32);
    // The first is found by who has it, the last one of the flood is only counted.
    let tried = |token: &str| open.engine.tried(&open.session, token.as_bytes()).unwrap();
    assert_eq!(tried(&strangers[0]).refused, 1);
    assert!(tried(&strangers[1_999]).is_never());
    let mut text = String::new();
    for entry in open.engine.audit(&open.session, None, 100, None).unwrap().lines {
        text.push_str(&entry.body);
    }
    let mut raw = Vec::new();
    store
        .scan(b"", &mut |row| {
            raw.extend_from_slice(row.value);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(strangers.iter().all(|token| !text.contains(token.as_str()) && !text.contains(&token[18..])));
    assert!(!String::from_utf8_lossy(&raw).contains(&strangers[0]));
}

#[test]
fn a_token_that_leaked_is_found_whether_it_worked_or_not() {
    let clock = TestClock::at(START);
    let (open, _) = in_memory(&clock);
    let (id, token) = issue(&open, &open.session, "Nightly export");
    let tried = |token: &str| open.engine.tried(&open.session, token.as_bytes()).unwrap();
    let fresh = tried(&token);
    assert!(fresh.is_never());
    assert_eq!(fresh.speaks_for.unwrap().name, "Nightly export");
    open.engine.verify_from(token.as_bytes(), &[], from("203.0.113.7"));
    open.engine.verify(b"kdag_no_token", &[]);
    // Somebody tries other secrets of it: that was not this token.
    let guess = Token::mint_for(TokenKind::Agency, *id.public(), &mut OsEntropy).unwrap();
    open.engine.verify_from(guess.bytes(), &[], from("203.0.113.66"));
    let used = tried(&token);
    assert_eq!((used.usage.count, used.refused), (1, 0));
    assert_eq!(used.seen.unwrap().to_string(), "203.0.113.7 by curl/8.5");
    open.engine.execute(&open.session, Command::revoke(id)).unwrap();
    for minute in 0..3 {
        clock.pass(MINUTE);
        for _ in 0..=minute {
            open.engine.verify_from(token.as_bytes(), &[], from(&format!("203.0.113.{minute}")));
        }
        open.engine.settle().unwrap();
    }
    let after = tried(&token);
    assert_eq!(after.refused, 6);
    let lines: Vec<_> =
        after.tries.iter().map(|one| (one.n, one.reason.as_str(), one.address.as_deref().unwrap())).collect();
    assert_eq!(
        lines,
        [(3, "revoked", "203.0.113.2"), (2, "revoked", "203.0.113.1"), (1, "revoked", "203.0.113.0")]
    );
    let guessed = tried(guess.reveal());
    assert_eq!((guessed.refused, guessed.tries[0].reason.as_str()), (1, "mac_mismatch"));
    assert_eq!((guessed.speaks_for, guessed.usage.count), (None, 0), "it opens nothing, so it tells nothing");
    let unknown = stranger();
    open.engine.verify_from(unknown.as_bytes(), &[], from("203.0.113.9"));
    let found = tried(&unknown);
    assert_eq!((found.refused, found.tries[0].address.as_deref()), (1, Some("203.0.113.9")));
    assert!(tried(&stranger()).is_never());
    let asked = open.engine.audit(&open.session, None, 1, None).unwrap();
    assert_eq!(asked.lines[0].entry.event, "audit.read", "and the trail says that it was asked");
}

#[test]
fn a_viewer_who_asks_in_vain_without_end_does_not_fill_the_trail() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(START);
    let shared = Arc::new(clock.clone());
    let options =
        Options { clock: shared, cost: Cost::IMPORTED, ..Options::new(dir.path(), "test", Via::CommandLine) };
    let phrase = Passphrase::choose(PHRASE).unwrap();
    let open = found(&options, name("Acme"), name("maria"), &phrase).unwrap().open;
    let secret = Brought::Passphrase(&phrase);
    open.engine
        .act(&open.session, Command::AddOperator { name: name("vera"), role: Role::Viewer }, secret)
        .unwrap();
    let key = Key::Operator { name: "vera", passphrase: &phrase };
    let vera = open.engine.admit(&key, Via::CommandLine, Peer::this()).unwrap();
    let length = || open.engine.anchor(&open.session).unwrap().seq;
    let before = length();
    let ask = |n: usize| {
        let wanted = Command::AddLocations(vec![name(&format!("Branch {n}"))]);
        assert!(open.engine.execute(&vera, wanted).is_err());
    };
    ask(0);
    assert_eq!(length(), before + 1, "the first is seen at once");
    (1..=1_700).for_each(ask);
    assert_eq!(length(), before + 1);
    open.engine.execute(&vera, Command::ReadAudit).err().unwrap();
    assert_eq!(length(), before + 2, "another command is another kind");
    clock.pass(MINUTE);
    open.engine.settle().unwrap();
    assert_eq!(length(), before + 3);
    let told = denials(&open, &vera);
    let [told] = told.as_slice() else { panic!("{told:?}") };
    let reason = told.reason.as_deref();
    assert_eq!(
        (told.event.as_str(), reason, told.refused_again()),
        ("location.add", Some("role_too_low"), Some(1_700))
    );
    // Told when the process ends, too, whatever the minute.
    clock.pass(2 * MINUTE);
    (0..3).for_each(ask);
    drop(open);
    let again =
        keydeck::engine::open::open(&options, &Key::Operator { name: "maria", passphrase: &phrase }).unwrap();
    let counts: Vec<_> = denials(&again, &again.session).iter().filter_map(Entry::refused_again).collect();
    assert_eq!(counts, [1_700, 2]);
    assert_eq!(again.engine.check_audit(&again.session).unwrap().integrity, Integrity::Intact);
}

#[test]
fn whoever_checks_the_trail_keeps_no_writer_waiting() {
    let store = Arc::new(Watched::default());
    let own = Arc::clone(&store) as Arc<dyn Store>;
    let clock = Arc::new(TestClock::at(START));
    let open =
        in_store(own, name("Acme"), name("maria"), clock, Via::CommandLine, Box::new(OsEntropy)).unwrap();
    for n in 0..300 {
        open.engine
            .execute(&open.session, Command::AddLocations(vec![name(&format!("Branch {n}"))]))
            .unwrap();
    }
    let before = store.scans.load(Ordering::SeqCst);
    std::thread::scope(|scope| {
        // Entries that come while it is read are the next reader's.
        let writer = scope.spawn(|| {
            for n in 300..350 {
                let add = Command::AddLocations(vec![name(&format!("Branch {n}"))]);
                open.engine.execute(&open.session, add).unwrap();
            }
        });
        let readers: Vec<_> =
            (0..4).map(|_| scope.spawn(|| open.engine.check_audit(&open.session).unwrap())).collect();
        for reader in readers {
            let report = reader.join().unwrap();
            assert_eq!(report.integrity, Integrity::Intact, "{:?}", report.faults);
            assert!(report.entries > 300);
        }
        writer.join().unwrap();
    });
    open.engine.tried(&open.session, stranger().as_bytes()).unwrap();
    assert_eq!(store.scans.load(Ordering::SeqCst), before);
}
