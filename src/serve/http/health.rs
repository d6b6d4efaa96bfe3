//! Is it alive, is it ready, what has it counted: for supervisors, load balancers and Prometheus.

use std::net::IpAddr;

use hyper::StatusCode;

use super::Front;
use super::reply::{self, Reply};
use super::router::Head;
use crate::engine::{Engine as _, Writing};

const PLAIN: &str = "text/plain; charset=utf-8";
/// The text format of Prometheus, as its documentation names it.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The process runs and answers.
pub fn alive(_: &Front, _: Head<'_>, _: Option<IpAddr>) -> Reply {
    reply::text(StatusCode::OK, PLAIN, "alive\n")
}

/// Requests may be sent here.
pub fn ready(front: &Front, _: Head<'_>, _: Option<IpAddr>) -> Reply {
    if front.is_ready() {
        reply::text(StatusCode::OK, PLAIN, "ready\n")
    } else {
        reply::text(StatusCode::SERVICE_UNAVAILABLE, PLAIN, "not ready\n")
    }
}

/// What was counted since the start.
pub fn metrics(front: &Front, _: Head<'_>, _: Option<IpAddr>) -> Reply {
    let (connections, answering) = front.seats.count();
    let keys = front.engine.state().key_count();
    let unwritten = match front.engine.use_writer() {
        Writing::Ok => 0,
        // Failing with nothing in hand is failing all the same.
        Writing::Failing { unwritten, .. } => unwritten.max(1),
    };
    let gauges = [
        ("keydeck_http_connections", "Connections open now.", connections),
        ("keydeck_http_requests_in_flight", "Requests being answered now.", answering),
        ("keydeck_keys", "Keys in the store, in any state.", keys),
        (
            "keydeck_uses_unwritten",
            "Keys and apps whose use waits for a disk that fails; 0 while all is written.",
            unwritten,
        ),
        (
            "keydeck_clock_suspect",
            "1 while this machine's clock is in doubt: no access token is signed.",
            front.engine.now().suspect.into(),
        ),
        (
            "keydeck_ready",
            "1 while the store can vouch for its keys and the server stays.",
            front.is_ready().into(),
        ),
    ];
    reply::text(StatusCode::OK, PROMETHEUS, front.metrics.render(&gauges))
}
