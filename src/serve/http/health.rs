//! Is it alive, is it ready, what has it counted: for supervisors, load balancers and Prometheus.

use std::fmt::Write as _;
use std::net::IpAddr;

use hyper::StatusCode;

use super::reply::Head;
use super::reply::{self, Reply};
use super::{Front, process};
use crate::domain::{KeyState, Timestamp};
use crate::engine::{self, Condition, Engine as _, Unwritten, Writing};
use crate::store::Standing;

const PLAIN: &str = "text/plain; charset=utf-8";
/// The text format of Prometheus, as its documentation names it.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The process runs and answers.
pub fn alive(_: &Front, _: Head<'_>, _: Option<IpAddr>) -> Reply {
    reply::text(StatusCode::OK, PLAIN, "alive\n")
}

/// Requests may be sent here, and why not; what is denied and not written yet is told either way, and so is a seal that
/// is behind.
pub fn ready(front: &Front, _: Head<'_>, _: Option<IpAddr>) -> Reply {
    let (status, mut text) = match front.not_ready() {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")),
    };
    let Condition { health, unwritten: Unwritten { denials, kept, .. }, .. } = front.engine.condition();
    if denials > 0 {
        let lasts = if kept { "" } else { "; a restart would forget them" };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "denials in force and not written yet: {denials}{lasts}");
    }
    if health.seal_behind.is_some() {
        text.push_str("the seal cannot be written: a store put back in time might go unnoticed\n");
    }
    reply::text(status, PLAIN, text)
}

/// What was counted since the start.
pub fn metrics(front: &Front, _: Head<'_>, _: Option<IpAddr>) -> Reply {
    let (connections, answering) = front.seats.count();
    let keys = front.engine.state().key_count();
    let now = front.engine.now().time;
    let Condition { health, writing, unwritten: left, sweeps, channels, .. } = front.engine.condition();
    let failing = engine::failing(&front.engine.state(), channels.as_deref(), now).len();
    let unwritten = match writing {
        Writing::Ok => 0,
        // Failing with nothing in hand is failing all the same.
        Writing::Failing { unwritten, .. } => unwritten.max(1),
    };
    let counts = front.tally.read(&front.engine);
    let states: Vec<_> = KeyState::ALL.iter().map(|state| state.as_str()).zip(counts.states).collect();
    let seconds = |at: Option<Timestamp>| at.map_or(0, |at| usize::try_from(at.0 / 1_000).unwrap_or(0));
    let gauges = [
        ("keydeck_http_connections_open", "Connections open now.", connections),
        ("keydeck_http_requests_in_flight", "Requests being answered now.", answering),
        ("keydeck_keys", "Keys in the store, in any state.", keys),
        (
            "keydeck_uses_unwritten",
            "Keys and apps whose use waits for a disk that fails; 0 while all is written.",
            unwritten,
        ),
        (
            "keydeck_denials_unwritten",
            "Changes that took access away, are in force, and wait for a disk that fails.",
            left.denials,
        ),
        (
            "keydeck_denials_at_risk",
            "Those among them that a restart would forget, because the journal did not take them either.",
            if left.kept { 0 } else { left.denials },
        ),
        (
            "keydeck_channels_failing",
            "Channels through which notices are not delivered; `keydeck info` says why.",
            failing,
        ),
        (
            "keydeck_store_writable",
            "1 while the store takes changes.",
            (engine::standing(&*front.engine) == Standing::Writable).into(),
        ),
        (
            "keydeck_seal_behind",
            "1 while the seal cannot be written: a store put back in time might go unnoticed.",
            health.seal_behind.is_some().into(),
        ),
        (
            "keydeck_key_soonest_end_timestamp_seconds",
            "When the first of the keys that live ends; 0 while none has an end.",
            seconds(counts.soonest),
        ),
        (
            "keydeck_notices_open",
            "Notices that nobody has put away: what time does to keys, and what is wrong.",
            counts.notices,
        ),
        (
            "keydeck_sweep_done_timestamp_seconds",
            "When a sweep was done last in this process; 0 while none was.",
            seconds(sweeps.done),
        ),
        (
            "keydeck_sweep_failing",
            "1 while the last sweep of this process was not done: nothing that time brings happens.",
            sweeps.why_not.is_some().into(),
        ),
        (
            "keydeck_clock_suspect",
            "1 while this machine's clock is in doubt: no access token is signed.",
            front.engine.now().suspect.into(),
        ),
        (
            "keydeck_ready",
            "1 while the store can vouch for its keys and take changes, and the server stays.",
            front.not_ready().is_none().into(),
        ),
    ];
    let mut text = front.metrics.render(&gauges, &states);
    process::render(&mut text, front.since);
    reply::text(StatusCode::OK, PROMETHEUS, text)
}
