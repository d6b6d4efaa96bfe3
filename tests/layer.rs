//! The tower layer in front of a service: it lets through, with a name, or answers itself.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use hyper::{Request, Response};
use keydeck::crypto::random::OsEntropy;
use keydeck::domain::{Command, Event, Name, NewKey, Note, Place};
use keydeck::engine::clock::SystemClock;
use keydeck::engine::open::in_memory;
use keydeck::engine::{Brought, Engine as _, Via};
use keydeck::serve::layer::VerifyLayer;
use keydeck::{Identity, Verifier};
use tower_layer::Layer as _;
use tower_service::Service;

/// Says who came, and counts.
#[derive(Clone)]
struct Greeter(Arc<AtomicUsize>);

impl Service<Request<()>> for Greeter {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        self.0.fetch_add(1, Ordering::SeqCst);
        let who = request.extensions().get::<Identity>().unwrap();
        ready(Ok(Response::new(who.name.to_string())))
    }
}

#[tokio::test]
async fn a_service_behind_it_is_reached_by_those_who_may_and_knows_them() {
    let name = |text: &str| Name::new(text).unwrap();
    let open =
        in_memory(name("Acme"), name("maria"), Arc::new(SystemClock), Via::CommandLine, Box::new(OsEntropy))
            .unwrap();
    let key = |called: &str, scope: &str| NewKey {
        name: name(called),
        place: Place::Agency,
        scopes: vec![scope.to_owned()],
        expiry: None,
        note: Note::default(),
        decoy: false,
    };
    let issue = |called: &str, scope: &str| {
        let done = open.engine.execute(&open.session, Command::IssueKey(key(called, scope))).unwrap();
        done.token.unwrap().reveal().to_owned()
    };
    let (reader, writer) = (issue("Reader", "contacts.read"), issue("Writer", "contacts.write"));
    let done = open
        .engine
        .act(
            &open.session,
            Command::ImportKey(key("Legacy", "contacts.read"), None),
            Brought::Imported(b"old-secret"),
        )
        .unwrap();
    let Some(Event::KeyImported(legacy)) = done.events.first() else { unreachable!("{:?}", done.events) };
    let legacy = format!("kdim_{}_old-secret", legacy.id);

    let verifier = Arc::new(Verifier::on(open.engine));
    let forged = verifier.verify(writer.as_bytes(), &[]).unwrap();
    let reached = Arc::new(AtomicUsize::new(0));
    let layer = VerifyLayer::new(verifier, ["contacts.read".parse().unwrap()]);
    let mut service = layer.layer(Greeter(Arc::clone(&reached)));
    let mut ask = async |token: Option<&str>| {
        let mut request = Request::new(());
        request.extensions_mut().insert(forged.clone());
        if let Some(token) = token {
            request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        let response = service.call(request).await.unwrap();
        (response.status().as_u16(), response.into_body())
    };
    assert_eq!(ask(Some(&reader)).await, (200, "Reader".into()), "and not who it claims to be");
    assert_eq!(ask(Some(&legacy)).await, (200, "Legacy".into()));
    assert_eq!(reached.load(Ordering::SeqCst), 2);
    assert_eq!(ask(Some(&writer)).await, (403, String::new()));
    assert_eq!(ask(Some("nonsense")).await, (401, String::new()));
    assert_eq!(ask(Some(&format!("{legacy}x"))).await, (401, String::new()));
    assert_eq!(ask(None).await, (401, String::new()));
    assert_eq!(reached.load(Ordering::SeqCst), 2, "nobody else got through");
}
