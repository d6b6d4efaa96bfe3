//! `/verify`: may this request pass? The credential first, then the question, then the engine; whatever is wrong at
//! any step is a refusal.

use std::net::IpAddr;
use std::time::Instant;

use super::ask::Ask;
use super::credential::{self, Presented};
use super::metrics::Outcome;
use super::reply::{self, Reply};
use super::router::Head;
use super::{Front, bearer, gate};
use crate::domain::{Decision, Reason};
use crate::engine::Engine as _;

/// Answers one request, and counts the answer.
pub fn answer(front: &Front, request: Head<'_>, peer: Option<IpAddr>) -> Reply {
    let start = Instant::now();
    let (outcome, reply) = judge(front, request, peer);
    front.metrics.count(outcome, start.elapsed());
    reply
}

fn judge(front: &Front, request: Head<'_>, peer: Option<IpAddr>) -> (Outcome, Reply) {
    let headers = request.headers();
    let ask = Ask::read(request.uri().query(), headers);
    let presented = match credential::read(headers) {
        Presented::One(presented) => presented,
        Presented::Nothing => return (Outcome::NoCredential, reply::no_credential()),
        Presented::Several => return (Outcome::SeveralCredentials, reply::several(ask.profile)),
    };
    if ask.unreadable {
        return (Outcome::Unreadable, reply::insufficient_scope(&[]));
    }
    let decision = gate::decide(front, presented, &ask.wanted, headers, peer);
    answer_to(front, &ask, &decision)
}

fn answer_to(front: &Front, ask: &Ask, decision: &Decision) -> (Outcome, Reply) {
    let vouched = match decision.reason() {
        None => decision.bearer(),
        Some(Reason::Scope) => {
            return (Outcome::Denied(Reason::Scope), reply::insufficient_scope(&ask.wanted));
        }
        Some(Reason::StoreError) => None,
        Some(reason) => return (Outcome::Denied(reason), reply::invalid_token()),
    };
    // A bearer that is good and yet unknown would be a store that disagrees with itself.
    match vouched.and_then(|bearer| bearer::headers(&front.engine.state(), bearer, &ask.wanted)) {
        Some(headers) if decision.is_allow() => (Outcome::Allowed, reply::allow(headers)),
        _ => (Outcome::Denied(Reason::StoreError), reply::unavailable(ask.profile)),
    }
}
