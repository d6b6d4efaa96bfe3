//! A web server that guards itself: no proxy, no other process. It opens the store of the agency, refuses what may not
//! pass and greets whoever may. Meanwhile `keydeck` commands and consoles attach to it and change what it lets pass.
//!
//!     cargo run --features tower --example embed -- ~/.local/share/keydeck maria pass.txt
//!     curl -H "Authorization: Bearer $KEYDECK_TOKEN" http://127.0.0.1:3000/

#![expect(clippy::print_stdout, reason = "a program that says where it listens")]

use std::convert::Infallible;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use keydeck::{Identity, Key, Options, Passphrase, Verifier, VerifyLayer, Via};
use tokio::net::TcpListener;
use tower_layer::Layer as _;
use tower_service::Service;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let mut word = |what: &str| {
        words.next().ok_or(format!("usage: embed DIR OPERATOR PASSPHRASE-FILE ({what} missing)"))
    };
    let (dir, name, file) = (word("DIR")?, word("OPERATOR")?, word("PASSPHRASE-FILE")?);
    let passphrase = Passphrase::present(std::fs::read_to_string(file)?.trim_end_matches('\n'))?;
    let options = Options::new(Path::new(&dir), "embed", Via::CommandLine);
    let verifier =
        Arc::new(Verifier::open(&options, &Key::Operator { name: &name, passphrase: &passphrase })?);

    // Every request needs this scope.
    let guard = VerifyLayer::new(verifier, ["contacts.read".parse()?]);
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (socket, peer) = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = tokio::signal::ctrl_c() => return Ok(()),
        };
        let service = guard.layer(Greeter);
        tokio::spawn(async move {
            let service = Told { peer, service };
            let http = hyper::server::conn::http1::Builder::new();
            let _closed =
                http.serve_connection(TokioIo::new(socket), TowerToHyperService::new(service)).await;
        });
    }
}

/// Tells the guard where the connection comes from, so that the use of a key is noted with it.
#[derive(Clone)]
struct Told<S> {
    peer: std::net::SocketAddr,
    service: S,
}

impl<S: Service<Request<Incoming>>> Service<Request<Incoming>> for Told<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Incoming>) -> S::Future {
        request.extensions_mut().insert(self.peer);
        self.service.call(request)
    }
}

/// The program itself: it is only reached by requests that may pass.
#[derive(Clone)]
struct Greeter;

impl Service<Request<Incoming>> for Greeter {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let name = request.extensions().get::<Identity>().map(|who| who.name.to_string());
        let text = format!("hello {}\n", name.unwrap_or_default());
        std::future::ready(Ok(Response::new(Full::new(Bytes::from(text)))))
    }
}
