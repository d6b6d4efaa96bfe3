//! `/verify`: may this request pass? The credential first, then the path, then the question, then the engine; whatever
//! is wrong at any step is a refusal.

use std::net::IpAddr;
use std::sync::Arc;

use super::ask::Ask;
use super::credential::{self, Presented};
use super::gate::Verdict;
use super::lines::Lines;
use super::metrics::{Outcome, Stopwatch};
use super::reply::{self, Reply};
use super::reply::{Head, Said};
use super::{Front, gate, path};
use crate::domain::Reason;

/// Answers a proxy that puts its question into the address, `/verify?scope=…`.
pub fn answer(front: &Arc<Front>, request: Head<'_>, peer: Option<IpAddr>) -> Said {
    let uri = request.uri();
    about(front, request, peer, uri.path().strip_prefix("/verify"), uri.query())
}

/// Answers Envoy, which puts the caller's own path and query behind the address it is given. That query is no question:
/// it could neither be trusted nor be understood. Not below `/verify`, where a caller's path could lead to it.
pub fn answer_envoy(front: &Arc<Front>, request: Head<'_>, peer: Option<IpAddr>) -> Said {
    about(front, request, peer, request.uri().path().strip_prefix("/envoy"), None)
}

/// Answers one request about the caller's `path`, if there is one, and counts the answer.
fn about(
    front: &Arc<Front>,
    request: Head<'_>,
    peer: Option<IpAddr>,
    path: Option<&str>,
    query: Option<&str>,
) -> Said {
    let watch = Stopwatch::start();
    let mut lines = Lines::of(request.headers());
    lines.is_ambiguous |= path.is_some_and(|path| !path.is_empty() && !path::is_plain(path.as_bytes()));
    let ask = Ask::of(query, &lines.require);
    let presented = match presented(&lines, &ask) {
        Ok(presented) => presented,
        Err(outcome) => {
            let reply = refusal(outcome, &ask);
            front.metrics.count(outcome, watch.read());
            return Said::Now(pointing(front, reply));
        }
    };
    if !gate::is_slow(presented) {
        let verdict = gate::decide(front, presented, &ask.wanted, &lines, peer);
        return Said::Now(conclude(front, &ask, verdict, watch));
    }
    let verdict = gate::decide_slowly(front, presented, &ask.wanted, &lines, peer);
    let front = Arc::clone(front);
    Said::Later(Box::pin(async move {
        // A thread that broke decided nothing.
        let verdict = verdict.await.unwrap_or(Verdict::none());
        conclude(&front, &ask, verdict, watch)
    }))
}

/// The credential to decide about, or why there is nothing to decide.
fn presented<'r>(lines: &Lines<'r>, ask: &Ask) -> Result<&'r [u8], Outcome> {
    match credential::read(lines) {
        Presented::One(_) if lines.is_ambiguous => Err(Outcome::AmbiguousPath),
        Presented::One(_) if ask.unreadable || lines.is_odd => Err(Outcome::Unreadable),
        Presented::One(presented) => Ok(presented),
        Presented::Nothing => Err(Outcome::NoCredential),
        Presented::Several => Err(Outcome::SeveralCredentials),
    }
}

fn refusal(outcome: Outcome, ask: &Ask) -> Reply {
    match outcome {
        Outcome::NoCredential => reply::no_credential(),
        Outcome::SeveralCredentials => reply::several(ask.profile),
        Outcome::AmbiguousPath => reply::ambiguous_path(ask.profile),
        _ => reply::insufficient_scope(&[]),
    }
}

fn conclude(front: &Front, ask: &Ask, verdict: Verdict, watch: Stopwatch) -> Reply {
    let (outcome, reply) = answer_to(ask, verdict);
    front.metrics.count(outcome, watch.read());
    if outcome == Outcome::Allowed { reply } else { pointing(front, reply) }
}

fn pointing(front: &Front, reply: Reply) -> Reply {
    reply::pointing_to(reply, front.engine.resource_metadata().as_deref())
}

fn answer_to(ask: &Ask, verdict: Verdict) -> (Outcome, Reply) {
    let Verdict { decision, identity } = verdict;
    if let Some(identity) = identity
        && decision.is_allow()
    {
        return (Outcome::Allowed, reply::allow(identity));
    }
    // Allowed, and nobody knows whose: that would be an engine that disagrees with itself.
    let reason = decision.reason().unwrap_or(Reason::StoreError);
    let reply = match reason {
        Reason::Scope => reply::insufficient_scope(&ask.wanted),
        Reason::Rate => reply::too_many(ask.profile),
        Reason::StoreError => reply::unavailable(ask.profile),
        _ => reply::invalid_token(),
    };
    (Outcome::Denied(reason), reply)
}
