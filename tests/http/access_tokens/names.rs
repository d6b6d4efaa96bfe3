//! Under which names tokens are issued: the policy says so, whoever opens the store knows, and what was issued under
//! former names stays good until it is over.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use keydeck::domain::{Command, Reason};
use serde_json::Value;

use super::{Day, MINUTE};

/// Whose token it is and whom it is for, as whoever reads it sees.
fn names(token: &str) -> (String, String) {
    let claims = Base64UrlUnpadded::decode_vec(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    (claims["iss"].as_str().unwrap().into(), claims["aud"].as_str().unwrap().into())
}

#[test]
fn names_are_in_force_at_once_and_another_process_knows_them() {
    let mut day = Day::new();
    let app = day.app("Web store");
    let before = day.token(&app);
    assert!(names(&before).0.starts_with("urn:keydeck:"));
    day.names("https://keys.example.com", "platform");
    let after = day.token(&app);
    assert_eq!(names(&after), ("https://keys.example.com".into(), "platform".into()));
    let config = day.engine().token_config();
    assert_eq!((config.issuer(), config.audience()), ("https://keys.example.com", "platform"));
    let told = day.engine().introspect(&day.client(&app), after.as_bytes()).unwrap();
    assert_eq!(told.config, config);
    for token in [&before, &after] {
        assert!(day.verify(token).is_allow());
    }
    day.restart();
    for token in [&before, &after] {
        assert!(day.verify(token).is_allow(), "the store remembers");
    }
    assert_eq!(names(&day.token(&app)), names(&after));
}

#[test]
fn what_was_issued_under_a_name_that_is_given_up_is_good_until_it_is_over() {
    let mut day = Day::new();
    let app = day.app("Web store");
    day.does(Command::SetPolicy { name: "token-seconds".into(), value: "3600".into(), basis: None });
    day.names("https://old.example.com", "old");
    let old = day.token(&app);
    day.clock.pass(MINUTE);
    day.names("https://new.example.com", "default");
    let new = day.token(&app);
    assert_eq!(names(&new).0, "https://new.example.com");
    assert!(names(&new).1.starts_with("urn:keydeck:"));
    day.clock.pass(58 * MINUTE);
    day.restart();
    assert!(day.verify(&old).is_allow(), "its last minute");
    let told = day.engine().introspect(&day.client(&app), old.as_bytes()).unwrap();
    assert_eq!(told.config.audience(), "old", "and it is told as it was issued");
    day.clock.pass(MINUTE);
    assert_eq!(day.refused(&old), Some(Reason::Expired));
    assert!(day.verify(&new).is_allow());
    // Nobody remembers it for longer than that.
    day.clock.pass(5 * MINUTE);
    day.names("default", "platform");
    let state = day.engine().state();
    let former = &state.policy().token_names.former;
    assert!(!former.is_empty() && !format!("{former:?}").contains("old.example.com"), "{former:?}");
}

#[test]
fn only_an_admin_names_and_the_trail_says_who() {
    let day = Day::new();
    day.names("https://keys.example.com", "platform");
    let page = day.engine().audit(&day.open().session, None, 2, None).unwrap();
    let told: Vec<String> = page
        .lines
        .iter()
        .map(|line| {
            let change = &line.entry.changes[0];
            format!("{}: {} → {}", change.field, change.from, change.to)
        })
        .collect();
    assert_eq!(
        told,
        ["token-audience: default → platform", "token-issuer: default → https://keys.example.com"]
    );
    for bad in
        ["keys.example.com", "http://keys.example.com", "https://a b", "https://keys.example.com/?x", "\"x\""]
    {
        let set = Command::SetPolicy { name: "token-issuer".into(), value: bad.into(), basis: None };
        assert!(day.engine().execute(&day.open().session, set).is_err(), "{bad}");
    }
}
