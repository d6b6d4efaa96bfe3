//! The one call into the engine, whose the request is, and where the request came from, as the proxy tells it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::HeaderValue;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::lines::Lines;
use super::{Front, bearer};
use crate::domain::key::IMPORTED_PREFIX;
use crate::domain::{Decision, Reason, ScopeId};
use crate::engine::{Caller, Origin};

/// The answer of the engine, and the headers that say whose an allowed request is.
pub struct Verdict {
    /// The answer.
    pub decision: Decision,
    /// Whose it is.
    pub identity: Option<HeaderMap>,
}

impl Verdict {
    /// Nobody decided.
    pub const fn none() -> Self {
        Self { decision: Decision::deny(Reason::StoreError, None), identity: None }
    }
}

/// Decides about a presented text for a request that needs all of `wanted`.
pub fn decide(
    front: &Front,
    presented: &[u8],
    wanted: &[ScopeId],
    lines: &Lines<'_>,
    peer: Option<IpAddr>,
) -> Verdict {
    let agent = lines.agent.map(HeaderValue::as_bytes);
    ask(front, presented, wanted, Origin { address: address(lines, peer), agent })
}

fn ask(front: &Front, presented: &[u8], wanted: &[ScopeId], origin: Origin<'_>) -> Verdict {
    let mut identity = None;
    let tell = |caller: &Caller<'_>| identity = Some(bearer::headers(caller));
    let decision = front.engine.verify_for(presented, wanted, origin, tell);
    Verdict { decision, identity }
}

/// Whether the text claims to be an imported key, whose secret costs a slow hash.
pub fn is_slow(presented: &[u8]) -> bool {
    presented.starts_with(IMPORTED_PREFIX.as_bytes())
}

/// [`decide`] on a thread where it keeps nobody waiting. The engine bounds how many hash at once and how many wait.
pub fn decide_slowly(
    front: &Arc<Front>,
    presented: &[u8],
    wanted: &[ScopeId],
    lines: &Lines<'_>,
    peer: Option<IpAddr>,
) -> JoinHandle<Verdict> {
    let (front, presented, wanted) = (Arc::clone(front), Zeroizing::new(presented.to_vec()), wanted.to_vec());
    let (address, agent) = (address(lines, peer), lines.agent.map(|agent| agent.as_bytes().to_vec()));
    tokio::task::spawn_blocking(move || {
        ask(&front, &presented, &wanted, Origin { address, agent: agent.as_deref() })
    })
}

/// The hop the proxy in front of keydeck added, and none before it: those are the caller's own words. It is noted
/// with a key's use and decides nothing but who waits for whom when many guess.
pub fn address(lines: &Lines<'_>, peer: Option<IpAddr>) -> Option<IpAddr> {
    let last = lines.forwarded_for.and_then(|line| line.to_str().ok()?.rsplit(',').next()?.parse_hop());
    last.or_else(|| lines.real_ip?.to_str().ok()?.parse_hop()).or(peer)
}

trait ParseHop {
    fn parse_hop(&self) -> Option<IpAddr>;
}

impl ParseHop for str {
    /// An address, with or without a port and brackets.
    fn parse_hop(&self) -> Option<IpAddr> {
        let text = self.trim();
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_hop_counts_and_what_is_no_address_does_not() {
        let peer: Option<IpAddr> = Some("10.0.0.9".parse().unwrap());
        let of = |lines: &[(&'static str, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in lines {
                map.append(*name, HeaderValue::from_static(value));
            }
            address(&Lines::of(&map), peer).unwrap().to_string()
        };
        let xff = |value| ("x-forwarded-for", value);
        assert_eq!(of(&[]), "10.0.0.9");
        assert_eq!(of(&[xff("1.1.1.1, 192.0.2.7")]), "192.0.2.7");
        assert_eq!(of(&[xff("1.1.1.1"), xff("2001:db8::1")]), "2001:db8::1");
        assert_eq!(of(&[xff("192.0.2.7:4711"), ("x-real-ip", "1.1.1.1")]), "192.0.2.7");
        assert_eq!(of(&[xff("[2001:db8::1]:4711")]), "2001:db8::1");
        assert_eq!(of(&[xff("[2001:db8::1]")]), "2001:db8::1");
        assert_eq!(of(&[xff("unknown"), ("x-real-ip", "192.0.2.8")]), "192.0.2.8");
        assert_eq!(of(&[xff("1.1.1.1, x"), ("x-real-ip", "\"")]), "10.0.0.9");
    }
}
