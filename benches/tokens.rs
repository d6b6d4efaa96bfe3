//! How long access tokens take, beside the one signature check they cannot do without.
//!
//! `cargo bench --bench tokens`.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where its scene cannot be set")]
#![expect(clippy::cast_precision_loss, reason = "figures")]
#![allow(dead_code, reason = "the support files serve several benchmarks")]
#![allow(clippy::allow_attributes, reason = "what is unused differs from one to the next")]

mod support;

use std::hint::black_box;
use std::sync::Arc;

use ed25519_dalek::{Signer as _, SigningKey};
use keydeck::crypto::random::OsEntropy;
use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::{AppId, Command, Name, NewApp, Note, Profile, SourceApp, Url, UserType};
use keydeck::engine::clock::SystemClock;
use keydeck::engine::open::in_memory;
use keydeck::engine::{Engine, Via};
use support::{Case, Effort, compare, quick};

fn main() {
    let name = |text| Name::new(text).unwrap();
    let open =
        in_memory(name("Acme"), name("maria"), Arc::new(SystemClock), Via::CommandLine, Box::new(OsEntropy))
            .unwrap();
    let new = NewApp {
        name: name("Web store"),
        profile: Profile {
            uri: Url::new("https://example.com").unwrap(),
            description: Note::default(),
            user_type: UserType::Both,
            source: SourceApp::Bot,
            post_login: Vec::new(),
            post_logout: Vec::new(),
        },
        method: AuthMethod::Jwt,
        scopes: vec!["contacts.read".into(), "contacts.write".into()],
        terms: keydeck::domain::Terms::default(),
    };
    let engine = &open.engine;
    let secret = engine.execute(&open.session, Command::CreateApp(new)).unwrap().token.unwrap();
    let id = AppId(secret.id()).to_string();
    let client = engine.authenticate(&id, secret.bytes()).unwrap();
    let granted = engine.grant(&client, None, None).unwrap();
    let token = granted.token.reveal().as_bytes();
    let wanted = ["contacts.read".parse().unwrap()];
    assert!(engine.verify(token, &wanted).is_allow());

    let key = SigningKey::from_bytes(&[7; 32]);
    let signature = key.sign(token);
    let effort = if quick() { Effort { rounds: 3, batch: 50 } } else { Effort { rounds: 31, batch: 500 } };
    compare(
        "access tokens",
        effort,
        &mut [
            Case::new("Ed25519, one strict check", |n| {
                for _ in 0..n {
                    key.verifying_key().verify_strict(black_box(token), &signature).unwrap();
                }
            }),
            Case::new("Engine::verify, one scope", |n| {
                for _ in 0..n {
                    assert!(engine.verify(black_box(token), &wanted).is_allow());
                }
            }),
            Case::new("Engine::verify, a header that is none of ours", |n| {
                for _ in 0..n {
                    assert!(!engine.verify(black_box(b"eyJhbGciOiJub25lIn0.e30."), &wanted).is_allow());
                }
            }),
            Case::new("introspect", |n| {
                for _ in 0..n {
                    assert!(engine.introspect(&client, black_box(token)).is_some());
                }
            }),
            Case::new("authenticate", |n| {
                for _ in 0..n {
                    engine.authenticate(black_box(&id), secret.bytes()).unwrap();
                }
            }),
            Case::new("grant, two scopes", |n| {
                for _ in 0..n {
                    black_box(engine.grant(&client, None, None).unwrap());
                }
            }),
        ],
    );
}
