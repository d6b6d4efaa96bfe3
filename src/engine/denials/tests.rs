use std::cell::Cell;

use super::*;
use crate::crypto::random::OsEntropy;
use crate::crypto::token::{Token, TokenKind};
use crate::domain::audit::Entry;
use crate::engine::Session;

fn token() -> Token {
    Token::mint(TokenKind::Agency, &mut OsEntropy).unwrap()
}

fn revoked(token: &Token) -> Decision {
    Decision::deny(Reason::Revoked, Some(Bearer::Key(KeyId(token.id()))))
}

fn unknown() -> Decision {
    Decision::deny(Reason::Unknown, None)
}

fn origin(address: &str) -> Origin<'_> {
    Origin { address: Some(address.parse().unwrap()), agent: Some(b"curl/8.5") }
}

fn entries(book: &Book) -> Vec<Entry> {
    let actor = Session::service().unwrap().line(&State::default());
    book.entries(&State::default(), &actor, Timestamp(9))
}

fn tries(book: &Book) -> Vec<TriesLine> {
    entries(book).into_iter().map(|entry| entry.tries.unwrap()).collect()
}

#[test]
fn requests_of_one_key_and_reason_are_one_count_with_the_last_origin() {
    let (denials, token) = (Denials::default(), token());
    for (at, address) in [(1, "203.0.113.7"), (3, "203.0.113.8"), (2, "203.0.113.9")] {
        let noted = denials.note(token.bytes(), &revoked(&token), origin(address), Timestamp(at), || {
            unreachable!("it was recognised")
        });
        assert!(noted);
    }
    let told = tries(&denials.take());
    let [only] = &told[..] else { panic!("{told:?}") };
    assert_eq!((only.n, only.first, only.last), (3, 1, 3));
    assert_eq!((only.address.as_deref(), only.agent.as_deref()), (Some("203.0.113.9"), Some("curl/8.5")));
    assert!(!denials.wait() && tries(&denials.take()).is_empty());
}

#[test]
fn what_is_no_token_and_what_a_store_in_doubt_refuses_is_not_told() {
    let denials = Denials::default();
    for reason in [Reason::Malformed, Reason::StoreError] {
        let decision = Decision::deny(reason, None);
        assert!(!denials.note(b"x", &decision, Origin::default(), Timestamp(1), String::new));
    }
    assert!(!denials.wait());
}

#[test]
fn a_wrong_secret_is_told_of_the_key_it_was_tried_on() {
    let (denials, token) = (Denials::default(), token());
    let wrong = Decision::deny(Reason::MacMismatch, None);
    denials.note(token.bytes(), &wrong, Origin::default(), Timestamp(1), || "fp".into());
    let book = denials.take();
    assert!(book.pairs.contains_key(&(Some(Bearer::Key(KeyId(token.id()))), Reason::MacMismatch)));
    assert_eq!(tries(&book)[0].tokens[0].fp, "fp");
}

#[test]
fn a_flood_of_unknown_texts_costs_a_bounded_number_of_fingerprints() {
    let (denials, asked) = (Denials::default(), Cell::new(0));
    for n in 0..5_000_u32 {
        // Every text twice, and the first one in between.
        for text in [n / 2, 0] {
            denials.note(&text.to_be_bytes(), &unknown(), Origin::default(), Timestamp(1), || {
                asked.set(asked.get() + 1);
                text.to_string()
            });
        }
    }
    assert_eq!(asked.get(), TOKENS);
    let told = tries(&denials.take());
    let [only] = &told[..] else { panic!("{told:?}") };
    assert_eq!((only.n, only.tokens.len()), (10_000, TOKENS));
    assert_eq!((only.tokens[0].n, only.tokens[1].n), (5_002, 2), "the known ones are counted to the end");
}

#[test]
fn a_flood_of_keys_is_told_apart_up_to_a_bound_and_counted_beyond_it() {
    let denials = Denials::default();
    let keys: Vec<Token> = (0..PAIRS + 10).map(|_| token()).collect();
    for _ in 0..2 {
        for key in &keys {
            denials.note(key.bytes(), &revoked(key), Origin::default(), Timestamp(1), String::new);
        }
    }
    denials.note(b"stranger", &unknown(), Origin::default(), Timestamp(1), || "fp".into());
    let told = entries(&denials.take());
    assert_eq!(told.len(), PAIRS + 2, "the keys, the stranger, the rest");
    let rest = told.last().unwrap();
    assert_eq!((rest.reason.as_deref(), rest.tries.as_ref().unwrap().n), (None, 20));
    let all: u64 = told.iter().filter_map(|entry| entry.tries.as_ref()).map(|tries| tries.n).sum();
    assert_eq!(all, 2 * (PAIRS as u64 + 10) + 1);
}

#[test]
fn what_could_not_be_written_is_told_with_what_came_later() {
    let (denials, key) = (Denials::default(), token());
    let note = |text: &[u8], decision: &Decision, at: i64| {
        let name = String::from_utf8_lossy(text).into_owned();
        denials.note(text, decision, origin("203.0.113.7"), Timestamp(at), || name);
    };
    note(b"one", &unknown(), 1);
    note(key.bytes(), &revoked(&key), 2);
    let book = denials.take();
    note(b"one", &unknown(), 5);
    note(b"two", &unknown(), 6);
    denials.put_back(book);
    note(b"two", &unknown(), 7);
    assert!(denials.are_due(Timestamp(1 + WINDOW_MS)) && !denials.are_due(Timestamp(WINDOW_MS)));
    assert!(denials.are_due(Timestamp(-5)), "a clock put back holds nothing");
    let book = denials.take();
    let told = tries(&book);
    assert_eq!((told[0].n, told[0].first, told[0].last, told[1].n), (4, 1, 7, 1));
    let tokens: Vec<(&str, u64)> = told[0].tokens.iter().map(|token| (&*token.fp, token.n)).collect();
    assert_eq!((tokens, book.tokens), (vec![("one", 2), ("two", 2)], 2));
    // However often it fails, it stays within its bounds.
    let mut held = book;
    for round in 0..50_u8 {
        (0..20).for_each(|n| note(&[round, n], &unknown(), 8));
        (0..20).for_each(|_| {
            let key = token();
            note(key.bytes(), &revoked(&key), 8);
        });
        denials.put_back(held);
        held = denials.take();
    }
    assert!(held.pairs.len() <= PAIRS + 1 && held.tokens == TOKENS, "{}", held.pairs.len());
    let told = tries(&held);
    assert_eq!(told.iter().map(|line| line.tokens.len()).sum::<usize>(), TOKENS);
    assert_eq!(told.iter().map(|line| line.n).sum::<u64>(), 5 + 50 * 40);
}

#[test]
fn the_fullest_book_fits_one_commit() {
    use crate::store::limits;
    let mut actor = Session::service().unwrap().line(&State::default());
    actor.name = "keydeck".into();
    let denials = Denials::default();
    let agent = [b'"'; AGENT_BYTES];
    let address: IpAddr = "2001:db8:1111:2222:3333:4444:5555:6666".parse().unwrap();
    let origin = Origin { address: Some(address), agent: Some(&agent) };
    for n in 0..TOKENS {
        let text = n.to_be_bytes();
        denials.note(&text, &unknown(), origin, Timestamp(1_790_000_000_000), || "0123456789abcdef".into());
    }
    for _ in 0..=PAIRS {
        let key = token();
        denials.note(key.bytes(), &revoked(&key), origin, Timestamp(1_790_000_000_000), String::new);
    }
    let mut bytes = 0;
    let entries = denials.take().entries(&State::default(), &actor, Timestamp(1_790_000_000_000));
    assert!(entries.len() < limits::OPS);
    for mut entry in entries {
        // The longest names there are, in the letters that need most room.
        let name: String = "\u{1f98a}".repeat(crate::domain::name::NAME_MAX);
        entry.subjects = vec![SubjectLine {
            kind: "key".into(),
            id: "7HqP2mVx9KtR".into(),
            name,
            owner: Some("7HqP2mVx9KtR".into()),
        }];
        entry.state = "0".repeat(64);
        let body = serde_json::to_string(&entry).unwrap();
        assert!(body.len() + 1_024 < limits::VALUE_BYTES);
        // Hashes, MAC and sealing around the body.
        bytes += body.len() + 256;
    }
    assert!(bytes < limits::COMMIT_BYTES, "{bytes}");
}

#[test]
fn who_presents_a_key_that_opens_nothing_is_told_once_from_what_is_counted_of_every_refusal() {
    let (denials, decoy) = (Denials::default(), token());
    let id = decoy.id();
    let knocks = |token: &Token, reason, at| {
        let decision = Decision::deny(reason, Some(Bearer::Key(KeyId(token.id()))));
        denials.note(token.bytes(), &decision, origin("203.0.113.7"), Timestamp(at), String::new)
    };
    let presented =
        || denials.take_refused().presented.get(&id).map(|seen| (seen.at, seen.address.is_some()));
    knocks(&decoy, Reason::Decoy, 1);
    knocks(&decoy, Reason::Decoy, 2);
    assert_eq!((presented(), presented()), (Some((Timestamp(2), true)), None));
    knocks(&decoy, Reason::Decoy, 3);
    denials.take();
    assert_eq!(presented(), Some((Timestamp(3), true)), "also when the trail is told first");
    // Behind so many others that it is not told apart from them in the trail it rings all the same.
    for _ in 0..PAIRS {
        knocks(&token(), Reason::Revoked, 4);
    }
    knocks(&decoy, Reason::Decoy, 5);
    assert_eq!(presented(), Some((Timestamp(5), true)));
    knocks(&decoy, Reason::Revoked, 6);
    assert_eq!(presented(), None, "one that was ended rings no more");
}
