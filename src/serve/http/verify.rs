//! `/verify`: may this request pass? The credential first, then the question, then the engine; whatever is wrong at
//! any step is a refusal.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::ask::Ask;
use super::credential::{self, Presented};
use super::lines::Lines;
use super::metrics::Outcome;
use super::reply::{self, Reply};
use super::router::{Head, Said};
use super::{Front, bearer, gate};
use crate::domain::{Decision, Reason};
use crate::engine::Engine as _;

/// Answers one request, and counts the answer.
pub fn answer(front: &Arc<Front>, request: Head<'_>, peer: Option<IpAddr>) -> Said {
    let start = Instant::now();
    let lines = Lines::of(request.headers());
    let ask = Ask::read(request.uri().query(), &lines.require);
    let presented = match presented(&lines, &ask) {
        Ok(presented) => presented,
        Err(outcome) => {
            let reply = refusal(outcome, &ask);
            front.metrics.count(outcome, start.elapsed());
            return Said::Now(reply);
        }
    };
    if !gate::is_slow(presented) {
        let decision = gate::decide(front, presented, &ask.wanted, &lines, peer);
        return Said::Now(conclude(front, &ask, &decision, start));
    }
    let decision = gate::decide_slowly(front, presented, &ask.wanted, &lines, peer);
    let front = Arc::clone(front);
    Said::Later(Box::pin(async move {
        // A thread that broke decided nothing.
        let decision = decision.await.unwrap_or(Decision::deny(Reason::StoreError, None));
        conclude(&front, &ask, &decision, start)
    }))
}

/// The credential to decide about, or why there is nothing to decide.
fn presented<'r>(lines: &Lines<'r>, ask: &Ask) -> Result<&'r [u8], Outcome> {
    match credential::read(lines) {
        Presented::One(_) if ask.unreadable => Err(Outcome::Unreadable),
        Presented::One(presented) => Ok(presented),
        Presented::Nothing => Err(Outcome::NoCredential),
        Presented::Several => Err(Outcome::SeveralCredentials),
    }
}

fn refusal(outcome: Outcome, ask: &Ask) -> Reply {
    match outcome {
        Outcome::NoCredential => reply::no_credential(),
        Outcome::SeveralCredentials => reply::several(ask.profile),
        _ => reply::insufficient_scope(&[]),
    }
}

fn conclude(front: &Front, ask: &Ask, decision: &Decision, start: Instant) -> Reply {
    let (outcome, reply) = answer_to(front, ask, decision);
    front.metrics.count(outcome, start.elapsed());
    reply
}

fn answer_to(front: &Front, ask: &Ask, decision: &Decision) -> (Outcome, Reply) {
    let vouched = match decision.reason() {
        None => decision.bearer(),
        Some(Reason::Scope) => {
            return (Outcome::Denied(Reason::Scope), reply::insufficient_scope(&ask.wanted));
        }
        Some(Reason::Rate) => return (Outcome::Denied(Reason::Rate), reply::too_many(ask.profile)),
        Some(Reason::StoreError) => None,
        Some(reason) => return (Outcome::Denied(reason), reply::invalid_token()),
    };
    // A bearer that is good and yet unknown would be a store that disagrees with itself.
    match vouched.and_then(|bearer| bearer::headers(&front.engine.state(), bearer, &ask.wanted)) {
        Some(headers) if decision.is_allow() => (Outcome::Allowed, reply::allow(headers)),
        _ => (Outcome::Denied(Reason::StoreError), reply::unavailable(ask.profile)),
    }
}
