//! Keys whose secrets were made elsewhere: they work under their id, and guessing at them costs the guesser, not
//! the callers of other keys.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]
#![expect(clippy::panic, reason = "a test stops where something is not as it must be")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::support::child;
use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{Command, Event, Expiry, KeyId, Name, NewKey, Note, Place, Reason, ScopeId, Timestamp};
use keydeck::engine::clock::TestClock;
use keydeck::engine::open::{Key, Open, Options, found, open};
use keydeck::engine::{Brought, Done, Engine, EngineError, Origin, Via};

const START: Timestamp = Timestamp(1_790_000_000_000);
const SECRET: &[u8] = b"Legacy-Secret_2019!";

struct House {
    dir: tempfile::TempDir,
    clock: TestClock,
}

impl House {
    fn new() -> (Self, Open) {
        let house = Self { dir: tempfile::tempdir().unwrap(), clock: TestClock::at(START) };
        let name = |text| Name::new(text).unwrap();
        let phrase = Passphrase::choose("correct horse battery staple").unwrap();
        let founded = found(&house.options(), name("Acme"), name("maria"), &phrase).unwrap();
        (house, founded.open)
    }

    fn options(&self) -> Options {
        let clock = Arc::new(self.clock.clone());
        Options { clock, cost: Cost::IMPORTED, ..Options::new(self.dir.path(), "test", Via::CommandLine) }
    }

    fn reopen(&self, open_before: Open) -> Open {
        drop(open_before);
        let passphrase = Passphrase::present("correct horse battery staple").unwrap();
        open(&self.options(), &Key::Operator { name: "maria", passphrase: &passphrase }).unwrap()
    }
}

fn new_key(name: &str) -> NewKey {
    NewKey {
        name: Name::new(name).unwrap(),
        place: Place::Agency,
        scopes: vec!["contacts.read".into()],
        expiry: None,
        note: Note::default(),
        decoy: false,
    }
}

fn import(open: &Open, secret: &[u8]) -> Result<KeyId, EngineError> {
    let Done { events, token, .. } = open.engine.act(
        &open.session,
        Command::ImportKey(new_key("Legacy"), None),
        Brought::Imported(secret),
    )?;
    assert!(token.is_none());
    let [Event::KeyImported(key)] = events.as_slice() else { panic!("{events:?}") };
    assert!(key.hint().starts_with("kdim_"));
    Ok(key.id)
}

fn presented(id: KeyId, secret: &[u8]) -> Vec<u8> {
    [format!("kdim_{id}_").as_bytes(), secret].concat()
}

#[test]
fn the_old_secret_works_under_its_id_and_is_nowhere_in_the_store() {
    let (house, open) = House::new();
    let id = import(&open, SECRET).unwrap();
    let read: ScopeId = "contacts.read".parse().unwrap();
    let other: ScopeId = "contacts.write".parse().unwrap();
    let open = house.reopen(open);
    let engine = &open.engine;
    assert!(engine.verify(&presented(id, SECRET), std::slice::from_ref(&read)).is_allow());
    assert_eq!(engine.verify(&presented(id, SECRET), &[other]).reason(), Some(Reason::Scope));
    let reason = |text: &[u8]| engine.verify(text, &[]).reason();
    assert_eq!(reason(&presented(id, b"Legacy-Secret_2019")), Some(Reason::MacMismatch));
    assert_eq!(reason(SECRET), Some(Reason::Malformed), "without the id it is nothing");
    let unknown = presented("111111111111".parse().unwrap(), SECRET);
    assert_eq!(reason(&unknown), Some(Reason::Unknown));
    engine.execute(&open.session, Command::PauseKey(id, None)).unwrap();
    assert_eq!(reason(&presented(id, SECRET)), Some(Reason::Disabled));
    engine.execute(&open.session, Command::ResumeKey(id)).unwrap();
    assert!(engine.verify(&presented(id, SECRET), &[]).is_allow());
    engine.execute(&open.session, Command::revoke(id)).unwrap();
    assert_eq!(reason(&presented(id, SECRET)), Some(Reason::Revoked));
    assert_eq!(engine.state().usage(id).count, 0, "uses are written with the settling");
    engine.settle().unwrap();
    assert_eq!(engine.state().usage(id).count, 2);
    assert!(!holds(house.dir.path(), SECRET));
}

fn holds(dir: &std::path::Path, needle: &[u8]) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, needle);
        }
        std::fs::read(&path).unwrap_or_default().windows(needle.len()).any(|window| window == needle)
    })
}

#[test]
fn a_secret_no_request_could_carry_is_refused_before_it_is_hashed() {
    let (_house, open) = House::new();
    for bad in [&b""[..], b"two words", b"line\n", "n\u{f6}n".as_bytes(), &[b'x'; 1_025]] {
        assert!(matches!(import(&open, bad), Err(EngineError::Crypto(_))));
    }
    assert_eq!(open.engine.state().key_count(), 0);
}

#[test]
fn guesses_at_an_imported_key_tell_nothing_of_its_id() {
    let (_house, open) = House::new();
    let id = import(&open, SECRET).unwrap();
    let nobodys: KeyId = "111111111111".parse().unwrap();
    for n in 0..4 {
        let guess = |id| open.engine.verify(&presented(id, format!("wrong{n}").as_bytes()), &[]).reason();
        // Both are answered as an invalid token.
        assert_eq!(guess(id), Some(Reason::MacMismatch));
        assert_eq!(guess(nobodys), Some(Reason::Unknown));
    }
}

#[test]
fn the_owner_of_an_imported_key_gets_through_a_storm_of_guesses() {
    let (house, open) = House::new();
    let id = import(&open, SECRET).unwrap();
    // Nobody has seen the right secret since.
    let open = house.reopen(open);
    let from = |address: &str| Origin { address: Some(address.parse().unwrap()), agent: None };
    let over = AtomicBool::new(false);
    let guessed = AtomicUsize::new(0);
    thread::scope(|scope| {
        for n in 0..100 {
            let (open, over, guessed) = (&open, &over, &guessed);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let guess = presented(id, format!("guess{n}").as_bytes());
                    assert!(!open.engine.verify_from(&guess, &[], from("192.0.2.66")).is_allow());
                    guessed.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while guessed.load(Ordering::Relaxed) < 200 {
            thread::yield_now();
        }
        let right = presented(id, SECRET);
        let first = open.engine.verify_from(&right, &[], from("198.51.100.7"));
        let again = open.engine.verify_from(&right, &[], from("192.0.2.66"));
        over.store(true, Ordering::Relaxed);
        assert!(first.is_allow(), "{:?}", first.reason());
        assert!(
            again.is_allow(),
            "once right, it is known again wherever it comes from: {:?}",
            again.reason()
        );
    });
}

/// They have the right secret and come again and again, from where others come too.
#[test]
fn callers_who_retry_with_keys_that_have_ended_do_not_keep_out_their_neighbours() {
    let (house, open) = House::new();
    let ended: Vec<Vec<u8>> = (0..3)
        .map(|n| {
            let expiry = Some(Expiry::At(START.plus_days(1).unwrap()));
            let command = Command::ImportKey(NewKey { expiry, ..new_key(&format!("Kiosk {n}")) }, None);
            let done = open.engine.act(&open.session, command, Brought::Imported(SECRET)).unwrap();
            presented(done.events.iter().find_map(Event::key).unwrap().id, SECRET)
        })
        .collect();
    let live = presented(import(&open, SECRET).unwrap(), SECRET);
    house.clock.pass(DAY_MS);
    let open = house.reopen(open);
    let from = Origin { address: Some("192.0.2.66".parse().unwrap()), agent: None };
    for n in 0..1_000 {
        assert!(!open.engine.verify_from(&ended[n % ended.len()], &[], from).is_allow());
    }
    assert_eq!(open.engine.verify_from(&live, &[], from).reason(), None);
    assert_eq!(open.engine.verify_from(&ended[0], &[], from).reason(), Some(Reason::Expired));
}

/// After a restart no secret is known, and all callers of a key come at once.
#[test]
fn callers_of_one_key_who_come_at_once_after_a_restart_do_not_wait_as_if_they_guessed() {
    let (house, open) = House::new();
    let id = import(&open, SECRET).unwrap();
    let open = house.reopen(open);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..40)
            .map(|_| scope.spawn(|| open.engine.verify(&presented(id, SECRET), &[]).is_allow()))
            .collect();
        assert!(callers.into_iter().all(|caller| caller.join().unwrap()));
    });
}

#[test]
fn a_key_just_imported_needs_no_hash_to_be_known() {
    let (_house, open) = House::new();
    let id = import(&open, SECRET).unwrap();
    thread::scope(|scope| {
        for n in 0..200 {
            let open = &open;
            scope.spawn(move || open.engine.verify(&presented(id, format!("guess{n}").as_bytes()), &[]));
        }
        for _ in 0..100 {
            assert!(open.engine.verify(&presented(id, SECRET), &[]).is_allow());
        }
    });
}

/// The most memory this process ever had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn five_hundred_guessers_at_once_take_two_hashes_of_memory_and_no_time_of_others() {
    let own = concat!(
        module_path!(),
        "::five_hundred_guessers_at_once_take_two_hashes_of_memory_and_no_time_of_others"
    );
    if !child::is_alone(own) {
        return;
    }
    let (_house, open) = House::new();
    let ids: Vec<_> = (0..20)
        .map(|n| {
            let new = new_key(&format!("Legacy {n}"));
            let done =
                open.engine.act(&open.session, Command::ImportKey(new, None), Brought::Imported(SECRET));
            match done {
                Ok(done) => done.events.iter().find_map(|event| match event {
                    Event::KeyImported(key) => Some(key.id),
                    _ => None,
                }),
                // The quota: one key of the owner's twenty is left for the generated one below.
                Err(_) => None,
            }
        })
        .take(19)
        .map(Option::unwrap)
        .collect();
    let issued = open.engine.execute(&open.session, Command::IssueKey(new_key("Generated"))).unwrap();
    let token = issued.token.unwrap();
    let before = peak();
    let (outcomes, allowed) = thread::scope(|scope| {
        let guessers: Vec<_> = (0..500)
            .map(|n| {
                let (engine, id) = (&open.engine, ids[n % ids.len()]);
                scope.spawn(move || {
                    engine.verify(&presented(id, format!("guess{n}").as_bytes()), &[]).reason()
                })
            })
            .collect();
        let allowed = (0..20_000).filter(|_| open.engine.verify(token.bytes(), &[]).is_allow()).count();
        let mut outcomes: HashMap<_, u32> = HashMap::new();
        for guesser in guessers {
            *outcomes.entry(guesser.join().unwrap()).or_default() += 1;
        }
        (outcomes, allowed)
    });
    assert_eq!(allowed, 20_000);
    // Each hash takes 19 MiB; five hundred would take more than nine GiB. Stacks of the threads come on top.
    let grown = peak() - before;
    assert!(grown < 200 * 1024, "{grown} KiB for {outcomes:?}");
    let refused: u32 = outcomes.values().sum();
    assert_eq!(refused, 500);
    assert!(!outcomes.contains_key(&None), "nobody guessed right: {outcomes:?}");
    assert!(outcomes.contains_key(&Some(Reason::Rate)), "the queue is bounded: {outcomes:?}");
    for id in ids {
        assert!(!open.engine.verify(&presented(id, b"again"), &[]).is_allow());
    }
}
