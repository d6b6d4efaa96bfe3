//! The one call into the engine, and where the request came from, as the proxy tells it.

use std::net::{IpAddr, SocketAddr};

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue, USER_AGENT};

use super::Front;
use crate::domain::{Decision, ScopeId};
use crate::engine::Origin;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// Decides about a presented text for a request that needs all of `wanted`.
pub fn decide(
    front: &Front,
    presented: &[u8],
    wanted: &[ScopeId],
    headers: &HeaderMap,
    peer: Option<IpAddr>,
) -> Decision {
    let agent = headers.get(USER_AGENT).map(HeaderValue::as_bytes);
    front.engine.verify_from(presented, wanted, Origin { address: address(headers, peer), agent })
}

/// The hop the proxy in front of keydeck added, and none before it: those are the caller's own words. It is noted
/// with a key's use and never decides.
fn address(headers: &HeaderMap, peer: Option<IpAddr>) -> Option<IpAddr> {
    let hops = headers.get_all(FORWARDED_FOR).iter().next_back();
    let last = hops.and_then(|line| line.to_str().ok()?.rsplit(',').next()?.parse_hop());
    last.or_else(|| headers.get(REAL_IP)?.to_str().ok()?.parse_hop()).or(peer)
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
        let of = |lines: &[(HeaderName, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in lines {
                map.append(name, HeaderValue::from_static(value));
            }
            address(&map, peer).unwrap().to_string()
        };
        let xff = |value| (FORWARDED_FOR, value);
        assert_eq!(of(&[]), "10.0.0.9");
        assert_eq!(of(&[xff("1.1.1.1, 192.0.2.7")]), "192.0.2.7");
        assert_eq!(of(&[xff("1.1.1.1"), xff("2001:db8::1")]), "2001:db8::1");
        assert_eq!(of(&[xff("192.0.2.7:4711"), (REAL_IP, "1.1.1.1")]), "192.0.2.7");
        assert_eq!(of(&[xff("[2001:db8::1]:4711")]), "2001:db8::1");
        assert_eq!(of(&[xff("[2001:db8::1]")]), "2001:db8::1");
        assert_eq!(of(&[xff("unknown"), (REAL_IP, "192.0.2.8")]), "192.0.2.8");
        assert_eq!(of(&[xff("1.1.1.1, x"), (REAL_IP, "\"")]), "10.0.0.9");
    }
}
