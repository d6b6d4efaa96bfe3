//! The keys that sign: made when needed, replaced in time, known to others before and after.

use keydeck::domain::time::DAY_MS;
use keydeck::domain::{Command, Reason, Timestamp, TokenAlg};
use keydeck::engine::clock::TestClock;
use keydeck::engine::oauth::TokenRefusal;

use super::{Day, MINUTE, START};

fn kid_of(token: &str) -> String {
    use base64ct::{Base64UrlUnpadded, Encoding as _};
    let header = Base64UrlUnpadded::decode_vec(token.split('.').next().unwrap()).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// Those of one algorithm: of the other there are as many.
fn published(day: &Day) -> Vec<String> {
    let (other, usual): (Vec<_>, Vec<_>) = day.engine().jwks().into_iter().partition(|key| key.y.is_some());
    assert_eq!(other.len(), usual.len());
    usual.into_iter().map(|key| key.kid).collect()
}

#[test]
fn the_key_set_is_not_empty_before_the_first_token_and_the_next_key_is_known_before_it_signs() {
    let mut day = Day::new();
    let before = published(&day);
    assert_eq!(before.len(), 1, "known before there is an app");
    let app = day.app("Web store");
    let first = day.token(&app);
    assert_eq!(published(&day), [kid_of(&first)]);
    assert_eq!(published(&day), before);
    assert_eq!(kid_of(&day.token(&app)), kid_of(&first));

    day.clock.pass(30 * DAY_MS);
    let last = day.token(&app);
    assert_eq!(kid_of(&last), kid_of(&first), "the next key does not sign yet");
    let known = published(&day);
    assert_eq!((known.len(), &known[0]), (2, &kid_of(&first)), "but it is known");
    assert_eq!(published(&day), known, "and one is enough");

    day.clock.pass(60 * MINUTE);
    let old = day.token(&app);
    assert_eq!(kid_of(&old), known[0]);
    day.clock.pass(MINUTE);
    let new = day.token(&app);
    assert_eq!(kid_of(&new), known[1], "now it signs");
    assert!(day.verify(&old).is_allow() && day.verify(&new).is_allow());
    day.restart();
    assert_eq!(published(&day), known);
    assert!(day.verify(&old).is_allow() && day.verify(&new).is_allow());

    day.clock.pass(9 * MINUTE);
    assert_eq!(day.refused(&old), Some(Reason::Expired), "until the end of its last token");
    day.clock.pass(60 * MINUTE);
    assert_eq!(published(&day), known[1..]);
    assert_eq!(day.refused(&old), Some(Reason::Unknown));
}

#[test]
fn a_key_replaced_by_hand_harms_no_token() {
    let day = Day::new();
    let app = day.app("Web store");
    let before = day.token(&app);
    for _ in 0..3 {
        day.does(Command::RotateSigningKey);
    }
    assert!(day.verify(&before).is_allow());
    assert!(day.verify(&day.token(&app)).is_allow());
}

#[test]
fn a_clock_that_jumps_signs_nothing_and_replaces_no_key() {
    let day = Day::new();
    let app = day.app("Web store");
    let kid = kid_of(&day.token(&app));
    for days in [-4_000, -1, 40, 400, 4_000] {
        day.clock.set(Timestamp(START.0 + days * DAY_MS));
        assert!(day.engine().now().suspect);
        assert_eq!(day.asks(&app, None).err(), Some(TokenRefusal::ClockSuspect));
        let rotated = day.open().engine.execute(&day.open().session, Command::RotateSigningKey);
        assert_eq!(rotated.err().unwrap().code(), "clock_suspect");
    }
    day.clock.set(START);
    let token = day.token(&app);
    assert_eq!(published(&day), [kid]);
    assert!(day.verify(&token).is_allow());
}

#[test]
fn tokens_signed_in_one_boot_with_a_clock_ahead_are_believed_by_nobody_once_it_is_right() {
    let mut day = Day::new();
    day.clock.pass(60 * MINUTE);
    let app = day.app("Web store");
    let before = day.token(&app);
    let right = day.clock.clone();
    // Another boot, and nothing to compare a clock with that is ahead.
    day.clock = TestClock::at(Timestamp(START.0 + 400 * DAY_MS));
    day.restart();
    assert!(!day.engine().now().suspect);
    let wrong = day.token(&app);
    assert!(day.verify(&wrong).is_allow());

    right.pass(MINUTE);
    day.clock = right;
    day.restart();
    assert!(day.engine().now().suspect);
    assert_eq!(day.asks(&app, None).err(), Some(TokenRefusal::ClockSuspect), "nothing is signed meanwhile");
    day.does(Command::ConfirmClock);
    assert!(!day.engine().now().suspect);
    let known = published(&day);
    assert!(!known.contains(&kid_of(&wrong)), "whoever checks offline learns that its key is withdrawn");
    assert_eq!(day.refused(&wrong), Some(Reason::Unknown));
    assert!(!day.verify(&before).is_allow());
    let token = day.token(&app);
    assert_eq!(known, [kid_of(&token)]);
    assert!(day.verify(&token).is_allow());
    let again = day.open().engine.execute(&day.open().session, Command::ConfirmClock);
    assert_eq!(again.err().unwrap().code(), "no_change");
    day.restart();
    assert!(!day.engine().now().suspect, "what was said is remembered");
    assert!(day.verify(&token).is_allow());
}

#[test]
fn many_at_once_make_one_key() {
    let day = Day::new();
    let app = day.app("Web store");
    let client = day.client(&app);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(day.engine().grant(&client, None, None).is_ok()));
        }
    });
    assert_eq!(published(&day).len(), 1);
}

#[test]
fn keys_of_one_store_say_nothing_about_those_of_another() {
    let (one, other) = (Day::new(), Day::new());
    let (a, b) = (one.keyring(), other.keyring());
    let mut kids: Vec<_> = (1..4)
        .flat_map(|n| [&a, &b].map(|ring| ring.token_key(n, TokenAlg::EdDsa).kid().to_owned()))
        .collect();
    assert_eq!(a.token_key(2, TokenAlg::EdDsa).kid(), kids[2]);
    kids.sort();
    kids.dedup();
    assert_eq!(kids.len(), 6);
    let token = one.token(&one.app("Web store"));
    assert_eq!(other.refused(&token), Some(Reason::Unknown));
}
