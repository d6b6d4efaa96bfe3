//! The table of all routes. There is no other way to a handler, and none of these manages anything: whoever adds a
//! route meets the test that lists them.

use std::any::Any;
use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::service::Service;
use hyper::{Method, Request};

use super::limits::URI_BYTES;
use super::metrics::Fault;
use super::reply::{self, Head, Later, Reply, Said};
use super::seat::{Seat, Stage};
use super::{Front, health, metadata, oauth, verify};
use crate::domain::signing::RESOURCE_METADATA;

/// What answers.
#[derive(Clone, Copy)]
pub enum Handler {
    /// At once, from the head alone; the body is not read.
    Now(fn(&Front, Head<'_>, Option<IpAddr>) -> Reply),
    /// From the head alone, at once unless it takes work that would keep others waiting.
    Ask(fn(&Arc<Front>, Head<'_>, Option<IpAddr>) -> Said),
    /// After reading the body.
    Form(fn(Arc<Front>, Parts, Incoming, Option<IpAddr>) -> Later),
}

/// A path and what answers there.
pub struct Route {
    /// The whole path.
    pub path: &'static str,
    /// Whether every path below it is meant too.
    pub below: bool,
    /// The methods taken; none named means all.
    pub methods: &'static [Method],
    /// What answers.
    pub handler: Handler,
}

const READ: &[Method] = &[Method::GET, Method::HEAD];
const POST: &[Method] = &[Method::POST];

/// All routes, the busiest first.
pub const ROUTES: &[Route] = &[
    Route { path: "/verify", below: true, methods: &[], handler: Handler::Ask(verify::answer) },
    Route { path: "/envoy", below: true, methods: &[], handler: Handler::Ask(verify::answer_envoy) },
    Route { path: "/oauth/token", below: false, methods: POST, handler: Handler::Form(oauth::token) },
    Route {
        path: "/oauth/introspect",
        below: false,
        methods: POST,
        handler: Handler::Form(oauth::introspect),
    },
    Route { path: "/oauth/revoke", below: false, methods: POST, handler: Handler::Form(oauth::revoke) },
    Route { path: "/.well-known/jwks.json", below: false, methods: READ, handler: Handler::Now(oauth::keys) },
    Route {
        path: "/.well-known/oauth-authorization-server",
        below: true,
        methods: READ,
        handler: Handler::Now(metadata::server),
    },
    Route {
        path: "/.well-known/openid-configuration",
        below: true,
        methods: READ,
        handler: Handler::Now(metadata::openid),
    },
    Route { path: RESOURCE_METADATA, below: true, methods: READ, handler: Handler::Now(metadata::resource) },
    Route { path: "/healthz", below: false, methods: READ, handler: Handler::Now(health::alive) },
    Route { path: "/readyz", below: false, methods: READ, handler: Handler::Now(health::ready) },
    Route { path: "/metrics", below: false, methods: READ, handler: Handler::Now(health::metrics) },
];

impl Route {
    fn is_at(&self, path: &str) -> bool {
        path.strip_prefix(self.path)
            .is_some_and(|rest| rest.is_empty() || self.below && rest.starts_with('/'))
    }
}

/// Answers the requests of one connection.
pub struct Router {
    front: Arc<Front>,
    seat: Arc<Seat>,
    peer: Option<IpAddr>,
}

impl Router {
    /// For a connection from `peer`.
    pub const fn new(front: Arc<Front>, seat: Arc<Seat>, peer: Option<IpAddr>) -> Self {
        Self { front, seat, peer }
    }

    fn answer(&self, request: Request<Incoming>) -> Answer {
        if self.seat.has_fragment() {
            self.front.metrics.count_fault(Fault::Malformed);
            return Answer::Now(Some(reply::malformed()));
        }
        let uri = request.uri();
        let length = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
        if length > URI_BYTES {
            return Answer::Now(Some(reply::uri_too_long()));
        }
        let Some(route) = ROUTES.iter().find(|route| route.is_at(uri.path())) else {
            return Answer::Now(Some(reply::not_found()));
        };
        if !route.methods.is_empty() && !route.methods.contains(request.method()) {
            return Answer::Now(Some(reply::method_not_allowed(route.methods)));
        }
        match route.handler {
            Handler::Now(handler) => Answer::Now(Some(handler(&self.front, &request, self.peer))),
            Handler::Ask(handler) => match handler(&self.front, &request, self.peer) {
                Said::Now(reply) => Answer::Now(Some(reply)),
                Said::Later(later) => self.later(later),
            },
            Handler::Form(handler) => {
                let (head, body) = request.into_parts();
                self.later(handler(Arc::clone(&self.front), head, body, self.peer))
            }
        }
    }

    fn later(&self, later: Later) -> Answer {
        let front = Arc::clone(&self.front);
        let caught =
            AssertUnwindSafe(later).catch_unwind().map(move |done| done.unwrap_or_else(|_| broken(&front)));
        Answer::Later { reply: Box::pin(caught), seat: Arc::clone(&self.seat) }
    }
}

/// A handler broke. Nobody passes on that.
fn broken(front: &Front) -> Reply {
    front.metrics.count_fault(Fault::Panic);
    reply::broken()
}

impl Service<Request<Incoming>> for Router {
    type Response = Reply;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<Incoming>) -> Answer {
        self.seat.enter(Stage::Answer);
        // The locks a handler may leave poisoned are taken all the same; nothing is half changed by reading.
        let answer = catch_unwind(AssertUnwindSafe(|| self.answer(request)))
            .unwrap_or_else(|_: Box<dyn Any + Send>| Answer::Now(Some(broken(&self.front))));
        if matches!(answer, Answer::Now(_)) {
            self.seat.enter(Stage::Idle);
        }
        answer
    }
}

/// An answer, there already or on its way.
pub enum Answer {
    /// There.
    Now(Option<Reply>),
    /// On its way.
    Later {
        /// The answer.
        reply: Later,
        /// Whose connection is idle again after it.
        seat: Arc<Seat>,
    },
}

impl Future for Answer {
    type Output = Result<Reply, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Now(reply) => Poll::Ready(Ok(reply.take().unwrap_or_else(reply::broken))),
            Self::Later { reply, seat } => reply.as_mut().poll(cx).map(|reply| {
                seat.enter(Stage::Idle);
                Ok(reply)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_known_and_none_manages_anything() {
        let listed: Vec<_> =
            ROUTES.iter().map(|route| (route.path, route.below, route.methods.len())).collect();
        assert_eq!(
            listed,
            [
                ("/verify", true, 0),
                ("/envoy", true, 0),
                ("/oauth/token", false, 1),
                ("/oauth/introspect", false, 1),
                ("/oauth/revoke", false, 1),
                ("/.well-known/jwks.json", false, 2),
                ("/.well-known/oauth-authorization-server", true, 2),
                ("/.well-known/openid-configuration", true, 2),
                ("/.well-known/oauth-protected-resource", true, 2),
                ("/healthz", false, 2),
                ("/readyz", false, 2),
                ("/metrics", false, 2)
            ],
            "a route was added or changed: say here that a stranger may reach it, and test what it refuses"
        );
    }

    #[test]
    fn a_path_that_only_looks_like_a_route_is_none() {
        let found = |path: &str| ROUTES.iter().find(|route| route.is_at(path)).map(|route| route.path);
        for path in ["/verify", "/verify/", "/verify/a/../b", "/verify//x"] {
            assert_eq!(found(path), Some("/verify"), "{path}");
        }
        for path in ["", "/", "*", "/verifyx", "/Verify", "//verify", "/x/verify", "/metrics/", "/healthz/x"]
        {
            assert_eq!(found(path), None, "{path}");
        }
    }
}
