//! What is known of a key's use besides when and how often: where the last request came from, and which of its
//! scopes were ever needed. The caller's own words are untrusted: they are bounded and made harmless when they
//! come in, so that nothing that shows them has to.

use std::fmt;
// Of core, where addresses are mere numbers: std::net is forbidden here for its sockets.
use core::net::IpAddr;
use std::sync::Arc;

use minicbor::decode::{Decoder, Error as DecodeError};
use minicbor::encode::{Encoder, Error as EncodeError, Write};
use minicbor::{Decode, Encode};

use super::state::USE_DISORDER_MS;
use super::{ScopeId, Scopes, Timestamp, Usage};

/// A caller's address, stored as text. An IPv4 address that came through an IPv6 socket is an IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address(IpAddr);

impl Address {
    /// As a number.
    pub const fn ip(self) -> IpAddr {
        self.0
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<C> Encode<C> for Address {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.str(&self.to_string())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Address {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let at = d.position();
        d.str()?.parse::<IpAddr>().map(Self::from).map_err(|e| DecodeError::message(e).at(at))
    }
}

/// What a caller says it is: printable ASCII, at most [`Agent::MAX`] characters. Everything else in it is spelt
/// out (`\u{1b}`): RFC 9110 §10.1.5 needs no more, and what is not sent cannot move a cursor or turn a line around.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Agent(Arc<str>);

impl Agent {
    /// The most characters.
    pub const MAX: usize = 160;
    const CUT: &str = "...";

    /// From the bytes of a `User-Agent`, or their beginning; nothing when they are blank.
    pub fn read(raw: &[u8]) -> Option<Self> {
        // Enough for the longest text that is kept, and no more work than that for a hostile one.
        let raw = raw.get(..Self::MAX * 2).unwrap_or(raw);
        let text = String::from_utf8_lossy(raw);
        let mut kept = String::with_capacity(raw.len());
        // How much fits when the cut has to be shown, so that no escape is left half.
        let mut whole = 0;
        for c in text.trim().chars() {
            if kept.len() <= Self::MAX - Self::CUT.len() {
                whole = kept.len();
            }
            if matches!(c, ' '..='~') {
                kept.push(c);
            } else {
                kept.extend(c.escape_unicode());
            }
            if kept.len() > Self::MAX {
                kept.truncate(whole);
                kept.push_str(Self::CUT);
                break;
            }
        }
        (!kept.is_empty()).then(|| Self(kept.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<C> Encode<C> for Agent {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Agent {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let at = d.position();
        Self::read(d.str()?.as_bytes()).ok_or_else(|| DecodeError::message("an empty agent").at(at))
    }
}

/// A request that said where it came from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Sighting {
    /// When.
    #[n(0)]
    pub at: Timestamp,
    /// The caller's address.
    #[n(1)]
    pub address: Option<Address>,
    /// The caller's program, in its own words.
    #[n(2)]
    pub agent: Option<Agent>,
}

/// A scope that was needed by a request that was allowed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ScopeUse {
    /// Which.
    #[n(0)]
    pub scope: ScopeId,
    /// The last time, within a few seconds.
    #[n(1)]
    pub at: Timestamp,
}

/// Requests that were refused although the secret was right, of a key or app of which that is often so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Denied {
    /// As of when.
    #[n(0)]
    pub at: Timestamp,
    /// How many in the seven days before; 0 when it is often no longer.
    #[n(1)]
    pub count: u64,
}

/// Where a key was used from, and what for.
#[derive(Clone, Debug, PartialEq, Eq, Default, Encode, Decode)]
pub struct Trace {
    /// The last request that said where it came from.
    #[n(0)]
    pub sighting: Option<Sighting>,
    /// The scopes that were needed, each once, by name.
    #[n(1)]
    scopes: Vec<ScopeUse>,
    /// Of a key that was deleted, and of a decoy: the last request with it, which was refused.
    #[n(2)]
    presented: Option<Box<Sighting>>,
    /// That its requests are refused often. Boxed: of few it is said.
    #[n(3)]
    denied: Option<Box<Denied>>,
}

impl Trace {
    /// Whether it says nothing.
    pub const fn is_empty(&self) -> bool {
        self.sighting.is_none() && self.scopes.is_empty() && self.presented.is_none() && self.denied.is_none()
    }

    /// Notes that a scope was needed; times only move forward.
    pub fn note_scope(&mut self, scope: &ScopeId, at: Timestamp) {
        match self.scopes.binary_search_by(|known| known.scope.cmp(scope)) {
            Ok(known) => {
                if let Some(known) = self.scopes.get_mut(known) {
                    known.at = known.at.max(at);
                }
            }
            Err(place) => self.scopes.insert(place, ScopeUse { scope: scope.clone(), at }),
        }
    }

    /// Notes that the key was presented though it opens nothing. What a clock saw that was ahead gives way to what follows it.
    pub fn note_presented(&mut self, seen: Sighting) {
        let is_later = |known: &Sighting| known.at <= seen.at || known.at.since(seen.at) > USE_DISORDER_MS;
        if self.presented.as_deref().is_none_or(is_later) {
            self.presented = Some(Box::new(seen));
        }
    }

    /// The last request with the key since it was deleted, or at all with a decoy.
    pub fn presented(&self) -> Option<&Sighting> {
        self.presented.as_deref()
    }

    /// Nothing but who presented it though it opens nothing.
    pub fn presented_by(seen: Sighting) -> Self {
        Self { presented: Some(Box::new(seen)), ..Self::default() }
    }

    /// Nothing but how often its requests are refused.
    pub fn refused(denied: Denied) -> Self {
        Self { denied: Some(Box::new(denied)), ..Self::default() }
    }

    /// Notes how often its requests are refused. What a clock saw that was ahead gives way to what follows it.
    pub fn note_denied(&mut self, denied: Denied) {
        let is_later = |known: &Denied| known.at <= denied.at || known.at.since(denied.at) > USE_DISORDER_MS;
        if self.denied.as_deref().is_none_or(is_later) {
            self.denied = Some(Box::new(denied));
        }
    }

    /// How often its requests are refused, where that was often.
    pub fn denied(&self) -> Option<Denied> {
        self.denied.as_deref().copied()
    }

    /// Adds what was seen later or elsewhere: the later sighting, for each scope the later time.
    pub fn merge(&mut self, other: &Self) {
        if let Some(seen) = &other.sighting
            && self.sighting.as_ref().is_none_or(|known| known.at <= seen.at)
        {
            self.sighting = Some(seen.clone());
        }
        for used in &other.scopes {
            self.note_scope(&used.scope, used.at);
        }
        if let Some(seen) = other.presented() {
            self.note_presented(seen.clone());
        }
        if let Some(denied) = other.denied() {
            self.note_denied(denied);
        }
    }

    /// Has it share the name of the last program with others.
    pub fn share_agent(&mut self, share: impl FnOnce(Agent) -> Agent) {
        if let Some(seen) = &mut self.sighting {
            seen.agent = seen.agent.take().map(share);
        }
    }

    /// Forgets scopes that are not held, so that it stays as small as the key. The names left are those of `held`:
    /// shared, not copied.
    pub fn keep(&mut self, held: &Scopes) {
        self.scopes.retain_mut(|used| match held.get(used.scope.as_str()) {
            Some(own) => {
                used.scope = own.clone();
                true
            }
            None => false,
        });
        self.scopes.shrink_to_fit();
    }

    /// The scopes that were needed, by name.
    pub fn scopes(&self) -> &[ScopeUse] {
        &self.scopes
    }

    /// When a scope was needed last.
    pub fn scope_used_at(&self, scope: &ScopeId) -> Option<Timestamp> {
        let at = self.scopes.binary_search_by(|known| known.scope.cmp(scope)).ok()?;
        self.scopes.get(at).map(|used| used.at)
    }

    /// The sighting when it is the last use itself, and no later use came from nowhere.
    pub fn of_last_use(&self, usage: Usage) -> Option<&Sighting> {
        let second = |at: Timestamp| at.0.div_euclid(1_000);
        self.sighting
            .as_ref()
            .filter(|seen| usage.last_used_at.is_none_or(|at| second(at) <= second(seen.at)))
    }
}

impl fmt::Display for Sighting {
    /// `203.0.113.7 by curl/8.5`, as far as it is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.address, &self.agent) {
            (Some(address), Some(agent)) => write!(f, "{address} by {agent}"),
            (Some(address), None) => write!(f, "{address}"),
            (None, Some(agent)) => write!(f, "an unknown address by {agent}"),
            (None, None) => f.write_str("an unknown address"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scope(text: &str) -> ScopeId {
        text.parse().unwrap()
    }

    fn seen(at: i64, address: &str, agent: &[u8]) -> Trace {
        let address = Some(address.parse::<IpAddr>().unwrap().into());
        let sighting = Sighting { at: Timestamp(at), address, agent: Agent::read(agent) };
        Trace { sighting: Some(sighting), ..Trace::default() }
    }

    #[test]
    fn an_agent_is_kept_as_it_is_when_it_is_harmless() {
        assert_eq!(Agent::read(b"curl/8.5.0").unwrap().as_str(), "curl/8.5.0");
        assert_eq!(
            Agent::read(b" Mozilla/5.0 (X11; \"q\") \t").unwrap().as_str(),
            "Mozilla/5.0 (X11; \"q\")"
        );
        assert_eq!((Agent::read(b""), Agent::read(b" \t\r\n")), (None, None));
    }

    #[test]
    fn a_hostile_agent_is_spelt_out_and_cut() {
        let told = |raw: &[u8]| Agent::read(raw).unwrap().to_string();
        assert_eq!(told(b"a\x1b[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(told("a\u{202e}b".as_bytes()), "a\\u{202e}b");
        assert_eq!(told(b"a\xffb"), "a\\u{fffd}b");
        let long = told(&[b'x'; 10_240]);
        assert_eq!((long.len(), long.ends_with("x...")), (Agent::MAX, true));
        let long = told("\u{202e}".repeat(4_000).as_bytes());
        assert!(long.len() <= Agent::MAX && long.ends_with("\\u{202e}..."), "{long}");
        assert_eq!(told(&[b'x'; Agent::MAX]), "x".repeat(Agent::MAX));
    }

    proptest! {
        #[test]
        fn any_agent_is_short_printable_and_the_same_when_read_again(raw in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Some(agent) = Agent::read(&raw) {
                prop_assert!(agent.as_str().len() <= Agent::MAX);
                prop_assert!(agent.as_str().bytes().all(|b| matches!(b, b' '..=b'~')));
                prop_assert_eq!(Agent::read(agent.as_str().as_bytes()), Some(agent));
            }
        }
    }

    #[test]
    fn the_later_sighting_wins_in_either_order() {
        let (early, late) = (seen(1_000, "203.0.113.7", b"curl/8.5"), seen(2_000, "2001:db8::1", b"a"));
        let (mut one, mut other) = (early.clone(), late.clone());
        one.merge(&late);
        other.merge(&early);
        assert_eq!((&one, &other), (&late, &late));
        assert_eq!(one.sighting.unwrap().to_string(), "2001:db8::1 by a");
    }

    #[test]
    fn scope_times_move_forward_and_only_held_scopes_are_kept() {
        let mut trace = Trace::default();
        for (name, at) in [("b.read", 5), ("a.read", 7), ("b.read", 9), ("b.read", 3)] {
            trace.note_scope(&scope(name), Timestamp(at));
        }
        let told: Vec<_> = trace.scopes().iter().map(|u| (u.scope.as_str(), u.at.0)).collect();
        assert_eq!(told, [("a.read", 7), ("b.read", 9)]);
        trace.keep(&"b.read c.read".parse().unwrap());
        assert_eq!((trace.scope_used_at(&scope("a.read")), trace.scopes().len()), (None, 1));
        assert_eq!(trace.scope_used_at(&scope("b.read")), Some(Timestamp(9)));
    }

    #[test]
    fn a_later_use_from_nowhere_is_not_put_down_to_the_one_seen_before() {
        let trace = seen(10_000, "203.0.113.7", b"");
        let used = |at| Usage { last_used_at: Some(Timestamp(at)), count: 1, first_used_at: None };
        assert!(trace.of_last_use(used(10_999)).is_some());
        assert!(trace.of_last_use(used(11_000)).is_none());
    }

    #[test]
    fn it_survives_being_written() {
        let mut trace = seen(1_000, "::ffff:203.0.113.7", b"curl/8.5");
        trace.note_scope(&scope("a.read"), Timestamp(7));
        let bytes = minicbor::to_vec(&trace).unwrap();
        assert_eq!(minicbor::decode::<Trace>(&bytes).unwrap(), trace);
        assert_eq!(trace.sighting.unwrap().to_string(), "203.0.113.7 by curl/8.5");
    }
}
