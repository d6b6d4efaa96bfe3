//! From the secret to the last second of a token.

use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::{Command, Extent, KeysAfter, Note, Reason};
use keydeck::engine::Engine as _;
use keydeck::engine::oauth::Known;
use keydeck::engine::oauth::TokenRefusal;

use super::{Day, MINUTE, described};

#[test]
fn a_secret_becomes_a_token_that_opens_what_the_app_may_do() {
    let day = Day::new();
    let app = day.app("Web store");
    let granted = day.asks(&app, None).unwrap();
    assert_eq!(granted.seconds, 600);
    assert_eq!(granted.scopes.to_string(), "contacts.read contacts.write");
    let token = granted.token.reveal();
    let decision = day.verify_for(token, "contacts.write");
    assert!(decision.is_allow());
    assert_eq!((decision.app(), decision.key()), (Some(app.id), None));
    let missing = day.verify_for(token, "contacts.delete");
    assert_eq!(missing.reason(), Some(Reason::Scope));
    assert_eq!(missing.missing().map(ToString::to_string).as_deref(), Some("contacts.delete"));
}

#[test]
fn a_token_holds_what_was_asked_for_and_no_more() {
    let day = Day::new();
    let app = day.app("Web store");
    let granted = day.asks(&app, Some("contacts.read")).unwrap();
    assert_eq!(granted.scopes.to_string(), "contacts.read");
    let token = granted.token.reveal();
    assert!(day.verify_for(token, "contacts.read").is_allow());
    assert_eq!(day.verify_for(token, "contacts.write").reason(), Some(Reason::Scope));
    assert_eq!(day.asks(&app, Some("")).unwrap().scopes.len(), 2);
    for (asked, why) in [
        ("contacts.delete", TokenRefusal::ScopeNotHeld("contacts.delete".parse().unwrap())),
        ("contacts.read contacts.delete", TokenRefusal::ScopeNotHeld("contacts.delete".parse().unwrap())),
        ("*", TokenRefusal::ScopesUnreadable),
        ("contacts.*", TokenRefusal::ScopesUnreadable),
        (" ", TokenRefusal::ScopesUnreadable),
        ("contacts.read  contacts.write", TokenRefusal::ScopesUnreadable),
        ("contacts.read contacts.read", TokenRefusal::ScopesUnreadable),
        ("contacts.read,contacts.write", TokenRefusal::ScopesUnreadable),
    ] {
        assert_eq!(day.asks(&app, Some(asked)).err(), Some(why), "{asked}");
    }
}

#[test]
fn only_the_right_secret_of_a_working_app_gets_anything() {
    let day = Day::new();
    let (app, other) = (day.app("Web store"), day.app("Bot"));
    let keys = day.app_with("Old one", AuthMethod::ApiKey, &["contacts.read"]);
    let tries = |id: &str, secret: &str| day.engine().authenticate(id, secret.as_bytes()).err();
    let id = app.id.to_string();
    let mut mistyped = app.secret.clone().into_bytes();
    mistyped[30] = if mistyped[30] == b'x' { b'y' } else { b'x' };
    for (id, secret) in [
        (id.as_str(), ""),
        (&id, "secret"),
        (&id, &other.secret),
        (&id, &String::from_utf8(mistyped).unwrap()),
        (&id, &app.secret[..55]),
        (&id, &format!("{} ", app.secret)),
        (&other.id.to_string(), &app.secret),
        (&id.to_lowercase(), &app.secret),
        (&id[4..], &app.secret),
        ("", &app.secret),
        ("app_111111111111", &app.secret),
    ] {
        assert_eq!(tries(id, secret), Some(TokenRefusal::InvalidClient), "{id} {secret}");
    }
    assert_eq!(tries(&id, &app.secret), None);
    assert_eq!(day.asks(&keys, None).err(), Some(TokenRefusal::UnauthorizedClient));

    day.does(Command::PauseApp(app.id));
    assert_eq!(tries(&id, &app.secret), Some(TokenRefusal::InvalidClient));
    day.does(Command::ResumeApp(app.id));
    assert_eq!(tries(&id, &app.secret), None);
    day.does(Command::RenewAppSecret(app.id, None));
    assert_eq!(tries(&id, &app.secret), Some(TokenRefusal::InvalidClient), "the old secret is over");
}

#[test]
fn the_secret_itself_opens_nothing() {
    let day = Day::new();
    let app = day.app("Web store");
    assert_eq!(day.refused(&app.secret), Some(Reason::Unknown), "there is no key of that id");
}

#[test]
fn a_token_ends_on_its_second() {
    let day = Day::new();
    day.clock.pass(417);
    let app = day.app("Web store");
    let token = day.token(&app);
    // Issued within a second, it counts from the beginning of it.
    day.clock.pass(600_000 - 418);
    assert!(day.verify(&token).is_allow());
    day.clock.pass(1);
    assert_eq!(day.refused(&token), Some(Reason::Expired));
    day.clock.set(super::START);
    assert_eq!(day.refused(&token), Some(Reason::Expired), "setting the clock back revives nothing");
}

#[test]
fn what_happens_to_the_app_happens_to_its_tokens_at_once() {
    let day = Day::new();
    let app = day.app("Web store");
    let (whole, half) = (day.token(&app), day.asks(&app, Some("contacts.read")).unwrap());
    let half = half.token.reveal();
    let caller = day.client(&app);
    let active = |token: &str| day.engine().introspect(&caller, token.as_bytes()).is_some();
    assert!(active(&whole) && active(half));

    let change = described("Web store", AuthMethod::Jwt, &["contacts.read"]);
    day.does(Command::EditApp { app: app.id, change, basis: None });
    assert_eq!(day.refused(&whole), Some(Reason::Revoked), "it promises what the app may not do any more");
    assert!(!active(&whole), "row 44");
    assert!(day.verify(half).is_allow() && active(half));

    day.does(Command::PauseApp(app.id));
    assert_eq!(day.refused(half), Some(Reason::AppDisabled));
    assert!(!active(half), "row 44");
    day.does(Command::ResumeApp(app.id));
    assert!(day.verify(half).is_allow());

    day.does(Command::RenewAppSecret(app.id, None));
    assert_eq!(day.refused(half), Some(Reason::Revoked));
    assert!(!active(half), "row 44");

    day.does(Command::DeleteApp(app.id));
    assert_eq!(day.refused(half), Some(Reason::Tombstoned));
}

#[test]
fn a_lockdown_of_the_app_its_owner_or_the_agency_ends_its_tokens_for_as_long_as_it_stands() {
    let mut day = Day::new();
    let app = day.app("Web store");
    let token = day.token(&app);
    let caller = day.client(&app);
    let owner = Extent::Owner(day.open().session.actor().operator);
    for what in [Extent::App(app.id), owner, Extent::Agency] {
        day.does(Command::LockDown { what, why: Note::default() });
        assert_eq!(day.refused(&token), Some(Reason::LockedDown), "{what:?}");
        assert!(day.engine().introspect(&caller, token.as_bytes()).is_none(), "{what:?}");
        let again = day.engine().authenticate(&app.id.to_string(), app.secret.as_bytes());
        assert_eq!(again.err(), Some(TokenRefusal::InvalidClient), "{what:?}: no other is given out");
        let late = day.engine().grant(&caller, None, None).err();
        assert_eq!(late, Some(TokenRefusal::InvalidClient), "{what:?}: nor to who proved themselves before");
        day.restart();
        assert_eq!(day.refused(&token), Some(Reason::LockedDown), "{what:?}");
        day.does(Command::LiftLockdown { what, basis: None });
        assert!(day.verify(&token).is_allow(), "{what:?}");
    }
}

#[test]
fn an_operator_who_leaves_takes_the_tokens_of_their_apps_along() {
    let day = Day::new();
    let app = day.app("Web store");
    let token = day.token(&app);
    let open = day.open();
    let phrase = keydeck::crypto::passphrase::Passphrase::choose("another long passphrase").unwrap();
    let secret = keydeck::engine::Brought::Passphrase(&phrase);
    let name = keydeck::domain::Name::new("paul").unwrap();
    open.engine
        .act(&open.session, Command::AddOperator { name, role: keydeck::domain::Role::Admin }, secret)
        .unwrap();
    let maria = open.session.actor().operator;
    open.engine
        .execute(&open.session, Command::DisableOperator { operator: maria, keys: KeysAfter::Stop })
        .unwrap();
    assert_eq!(day.refused(&token), Some(Reason::OwnerDisabled));
    let again = day.engine().authenticate(&app.id.to_string(), app.secret.as_bytes());
    assert_eq!(again.err(), Some(TokenRefusal::InvalidClient));
}

#[test]
fn a_secret_renewed_within_the_same_millisecond_parts_old_tokens_from_new_ones() {
    let day = Day::new();
    let mut app = day.app("Web store");
    let mut old: Vec<String> = Vec::new();
    for _ in 0..3 {
        let token = day.token(&app);
        assert!(day.verify(&token).is_allow());
        old.push(token);
        // The clock stands still all the while.
        let renewed =
            day.open().engine.execute(&day.open().session, Command::RenewAppSecret(app.id, None)).unwrap();
        app.secret = renewed.token.unwrap().reveal().to_owned();
        for token in &old {
            assert_eq!(day.refused(token), Some(Reason::Revoked));
        }
    }
    assert!(day.verify(&day.token(&app)).is_allow());
}

#[test]
fn who_proved_themselves_before_the_secret_was_renewed_gets_nothing() {
    let day = Day::new();
    let app = day.app("Web store");
    let client = day.client(&app);
    day.does(Command::RenewAppSecret(app.id, None));
    day.clock.pass(5 * MINUTE);
    // Not even what is refused here: others check tokens by the public keys alone.
    assert_eq!(day.engine().grant(&client, None, None).err(), Some(TokenRefusal::InvalidClient));
}

#[test]
fn a_revoked_token_stays_revoked_and_others_go_on() {
    let mut day = Day::new();
    let (app, other) = (day.app("Web store"), day.app("Bot"));
    let (first, second, foreign) = (day.token(&app), day.token(&app), day.token(&other));
    let caller = day.client(&app);
    let try_revoke = |day: &Day, token: &str| day.engine().revoke_token(&caller, token.as_bytes());
    let revoke = |day: &Day, token: &str| try_revoke(day, token).unwrap();
    let entries =
        |day: &Day| day.open().engine.audit(&day.open().session, None, 100, None).unwrap().lines.len();
    let before = entries(&day);
    for nothing in ["", "x", "a.b.c"] {
        revoke(&day, nothing);
    }
    assert_eq!(try_revoke(&day, &app.secret), Err(TokenRefusal::NoAccessToken));
    assert_eq!(try_revoke(&day, &foreign), Err(TokenRefusal::NotYours));
    assert_eq!(entries(&day), before, "nothing happened, so nothing is written");
    assert!(day.verify(&foreign).is_allow(), "another app's token is not theirs to end");

    revoke(&day, &first);
    assert_eq!(day.refused(&first), Some(Reason::Revoked));
    assert_eq!(day.engine().introspect(&caller, first.as_bytes()), None);
    assert!(day.verify(&second).is_allow());
    revoke(&day, &first);
    assert_eq!(entries(&day), before + 1, "once is enough");

    day.restart();
    assert_eq!(day.refused(&first), Some(Reason::Revoked));
    assert!(day.verify(&second).is_allow());
    day.clock.pass(10 * MINUTE);
    assert_eq!(day.refused(&first), Some(Reason::Revoked));
    assert_eq!(day.refused(&second), Some(Reason::Expired));
}

#[test]
fn an_app_hears_of_its_own_tokens_only() {
    let day = Day::new();
    let (app, other) = (day.app("Web store"), day.app("Bot"));
    let token = day.token(&app);
    let seen = day.engine().introspect(&day.client(&app), token.as_bytes()).unwrap();
    let Known::Token(claims) = seen.known else { panic!("{seen:?}") };
    assert_eq!((claims.app, claims.scopes.len()), (app.id, 2));
    assert_eq!(claims.expires.since(claims.issued), 600_000);
    assert_eq!(day.engine().introspect(&day.client(&other), token.as_bytes()), None, "row 45");
    for none in ["", "x", &app.secret, &token[..token.len() - 1]] {
        assert_eq!(day.engine().introspect(&day.client(&app), none.as_bytes()), None);
    }
    day.clock.pass(10 * MINUTE);
    assert_eq!(day.engine().introspect(&day.client(&app), token.as_bytes()), None, "over");
}

#[test]
fn use_is_counted_and_survives() {
    let mut day = Day::new();
    let app = day.app("Web store");
    let token = day.token(&app);
    day.clock.pass(MINUTE);
    assert!(day.verify(&token).is_allow());
    assert!(!day.verify_for(&token, "contacts.delete").is_allow());
    day.restart();
    let usage = day.engine().state().app_usage(app.id);
    assert_eq!(usage.count, 2, "one token, one use; a refusal is none");
    assert_eq!(usage.last_used_at.map(|at| at.0), Some(super::START.0 + MINUTE));
}
