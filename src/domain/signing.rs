//! The keys that sign access tokens: when each was made, when it signs and how long others must know it. The keys
//! themselves are derived from the store's root by their number, so none is ever written down. And the names tokens are
//! issued under.

use std::fmt;
use std::sync::Arc;

use minicbor::decode::{Decoder, Error as DecodeError};
use minicbor::encode::{Encoder, Error as EncodeError, Write};
use minicbor::{Decode, Encode};

use super::{Timestamp, Url};

/// The longest life of an access token, in seconds.
pub const TOKEN_LIFE_MAX: u32 = 3_600;
/// What clocks may disagree by, in seconds.
pub const LEEWAY: u32 = 30;
/// Milliseconds for which a new key is published before it signs, and an old one after it stopped.
const OVERLAP_MS: i64 = (TOKEN_LIFE_MAX as i64 + 2 * LEEWAY as i64) * 1_000;

/// Sets of former names that are remembered: as many changes within the life of a token.
const FORMER_MAX: usize = 16;

/// Who issues tokens, or whom they are for: 1 to [`PartyName::MAX`] visible ASCII characters that are the same in JSON as
/// they are.
#[derive(Clone, PartialEq, Eq)]
pub struct PartyName(Arc<str>);

impl PartyName {
    /// The most bytes.
    pub const MAX: usize = 256;
    /// What one looks like, for whoever typed none.
    pub const FORM: &str =
        "visible ASCII characters without quotes, 256 at most, such as https://api.example.com";

    /// Any such name.
    pub fn new(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        ((1..=Self::MAX).contains(&text.len()) && text.bytes().all(plain)).then(|| Self(text.into()))
    }

    /// One that is an address as issuers have it: no query and no fragment (RFC 8414 §2).
    pub fn address(text: &str) -> Option<Self> {
        Url::new(text).ok().filter(|_| !text.contains('?')).and_then(|_| Self::new(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PartyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<C> Encode<C> for PartyName {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for PartyName {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let at = d.position();
        Self::new(d.str()?).ok_or_else(|| DecodeError::message("not a name of a party").at(at))
    }
}

/// The names in the claims `iss` and `aud`; without one, it is the store's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct TokenNames {
    /// Who issues.
    #[n(0)]
    pub issuer: Option<PartyName>,
    /// Whom for.
    #[n(1)]
    pub audience: Option<PartyName>,
}

impl TokenNames {
    /// The platform's name, where it and the issuer's are addresses: only then can a client find one by the other.
    pub fn resource(&self) -> Option<&str> {
        self.issuer.as_ref()?;
        self.audience.as_ref().map(PartyName::as_str).filter(|name| PartyName::address(name).is_some())
    }

    /// Where that is written about the platform (RFC 9728 §3.1): between the host and the path of its name.
    pub fn resource_metadata(&self) -> Option<String> {
        let (host, path) = split(self.resource()?)?;
        Some(format!("{host}{RESOURCE_METADATA}{}", if path == "/" { "" } else { path }))
    }
}

/// Where a server says of itself who gives out tokens for it.
pub const RESOURCE_METADATA: &str = "/.well-known/oauth-protected-resource";

/// An address up to its host, and its path.
pub fn split(address: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = address.split_once("://")?;
    let host = scheme.len() + 3 + rest.find('/').unwrap_or(rest.len());
    address.split_at_checked(host)
}

/// Names that tokens were issued under.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct FormerNames {
    /// The names.
    #[n(0)]
    pub names: TokenNames,
    /// When the last token that bears them is over.
    #[n(1)]
    pub until: Timestamp,
}

impl FormerNames {
    /// Whether a token that bears them counts at `now`: one that was issued before they were given up, until all such are over.
    pub fn count_for(&self, issued: Timestamp, now: Timestamp) -> bool {
        now < self.until && issued.0 <= self.until.0.saturating_sub(OVERLAP_MS)
    }
}

/// The names in force and those that tokens may still bear.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Naming {
    /// In force.
    #[n(0)]
    pub now: TokenNames,
    /// Former ones, the oldest first.
    #[n(1)]
    pub former: Vec<FormerNames>,
}

impl Naming {
    /// As it must be after a change from `before`: what bears the names given up stays good until it is over. When names
    /// were given up too often for all of them to be remembered, the time from which on another change fits.
    pub fn following(mut self, before: &Self, now: Timestamp) -> Result<Self, Timestamp> {
        if self.now == before.now {
            return Ok(self);
        }
        self.former.clone_from(&before.former);
        self.former.retain(|former| former.until > now && former.names != before.now);
        if self.former.len() >= FORMER_MAX {
            return Err(self.former.iter().map(|former| former.until).min().unwrap_or(now));
        }
        self.former.push(FormerNames {
            names: before.now.clone(),
            until: Timestamp(now.0.saturating_add(OVERLAP_MS)),
        });
        Ok(self)
    }
}

/// One key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SigningKey {
    /// Which: never used twice.
    #[n(0)]
    pub number: u32,
    /// When it was made, and published.
    #[n(1)]
    pub created_at: Timestamp,
    /// When it begins to sign.
    #[n(2)]
    pub signs_from: Timestamp,
}

/// All keys that still matter, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct SigningKeys {
    /// The keys.
    #[n(0)]
    pub keys: Vec<SigningKey>,
}

impl SigningKeys {
    /// The key that signs at `now`.
    pub fn signer(&self, now: Timestamp) -> Option<SigningKey> {
        self.keys.iter().rev().find(|key| key.signs_from <= now).copied()
    }

    /// The keys a verifier must know at `now`: the one that signs, those that will, and those whose last token may
    /// still live.
    pub fn published(&self, now: Timestamp) -> impl Iterator<Item = SigningKey> + '_ {
        self.keys.iter().enumerate().filter(move |(at, _)| !self.is_over(*at, now)).map(|(_, key)| *key)
    }

    fn is_over(&self, at: usize, now: Timestamp) -> bool {
        self.keys.get(at + 1).is_some_and(|next| now.since(next.signs_from) > OVERLAP_MS)
    }

    /// With one key more. When none signs it does at once; else when everybody had time to fetch it. Those that are
    /// over are dropped, and those a wrong clock made in the future.
    #[must_use]
    pub fn with_next(&self, now: Timestamp) -> Self {
        let mut keys: Vec<_> = self.published(now).filter(|key| key.created_at <= now).collect();
        let signs_from =
            if self.signer(now).is_none() { now } else { Timestamp(now.0.saturating_add(OVERLAP_MS)) };
        keys.push(SigningKey { number: self.next_number(), created_at: now, signs_from });
        Self { keys }
    }

    /// With one new key alone, which signs at once: all tokens signed until now are worthless.
    #[must_use]
    pub fn anew(&self, now: Timestamp) -> Self {
        Self { keys: vec![SigningKey { number: self.next_number(), created_at: now, signs_from: now }] }
    }

    fn next_number(&self) -> u32 {
        self.keys.last().map_or(1, |key| key.number.saturating_add(1))
    }

    /// Whether the newest is older than `days` or of a time that has not come, or there is none.
    pub fn is_due(&self, days: u32, now: Timestamp) -> bool {
        let life = i64::from(days) * super::time::DAY_MS;
        self.keys.last().is_none_or(|key| key.created_at > now || now.since(key.created_at) >= life)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn after(ms: i64) -> Timestamp {
        Timestamp(NOW.0 + ms)
    }

    fn numbers(keys: &SigningKeys, now: Timestamp) -> Vec<u32> {
        keys.published(now).map(|k| k.number).collect()
    }

    #[test]
    fn the_first_signs_at_once_and_the_next_when_it_is_known_everywhere() {
        let none = SigningKeys::default();
        assert!(none.is_due(30, NOW));
        assert_eq!(none.signer(NOW), None);
        let one = none.with_next(NOW);
        assert_eq!(one.signer(NOW).map(|k| k.number), Some(1));
        assert!(!one.is_due(30, after(29 * super::super::time::DAY_MS)));
        assert!(one.is_due(30, after(30 * super::super::time::DAY_MS)));

        let two = one.with_next(NOW);
        assert_eq!(two.signer(after(OVERLAP_MS - 1)).map(|k| k.number), Some(1));
        assert_eq!(two.signer(after(OVERLAP_MS)).map(|k| k.number), Some(2));
        assert_eq!(numbers(&two, NOW), [1, 2]);
        // The last token of the first key may live for an hour after the second took over.
        assert_eq!(numbers(&two, after(2 * OVERLAP_MS)), [1, 2]);
        assert_eq!(numbers(&two, after(2 * OVERLAP_MS + 1)), [2]);
    }

    #[test]
    fn a_key_made_in_the_future_does_not_stop_tokens_until_then() {
        let year = 400 * super::super::time::DAY_MS;
        let first_made_wrong = SigningKeys::default().with_next(after(year));
        let replaced_wrong = SigningKeys::default().with_next(NOW).with_next(after(year));
        for wrong in [first_made_wrong, replaced_wrong] {
            assert!(wrong.is_due(30, after(1)));
            let right = wrong.with_next(after(1));
            assert!(!right.is_due(30, after(2)) && right.signer(after(1)).is_some());
            assert!(
                right.published(after(2)).all(|key| key.created_at <= after(1)),
                "the wrong one is withdrawn"
            );
        }
    }

    #[test]
    fn what_is_written_about_the_platform_lies_between_its_host_and_its_path() {
        let issuer = PartyName::address("https://keys.example.com");
        let of = |audience: &str| {
            TokenNames { issuer: issuer.clone(), audience: PartyName::new(audience) }.resource_metadata()
        };
        let at =
            |path: &str| Some(format!("https://api.example.com/.well-known/oauth-protected-resource{path}"));
        assert_eq!(of("https://api.example.com"), at(""));
        assert_eq!(of("https://api.example.com/"), at(""));
        assert_eq!(of("https://api.example.com/v1"), at("/v1"));
        assert_eq!(of("https://api.example.com/v1/"), at("/v1/"));
        assert_eq!(
            of("https://api.example.com:8443/v1").as_deref(),
            Some("https://api.example.com:8443/.well-known/oauth-protected-resource/v1")
        );
        for none in ["platform", "urn:keydeck:x", "http://api.example.com", "https://api.example.com/?a=b"] {
            assert_eq!(of(none), None, "{none}");
        }
        let nobody = TokenNames { issuer: None, audience: PartyName::new("https://api.example.com") };
        assert_eq!(nobody.resource_metadata(), None);
    }

    #[test]
    fn numbers_are_never_used_twice_though_old_keys_are_dropped() {
        let mut keys = SigningKeys::default();
        for day in 0..50 {
            keys = keys.with_next(after(day * super::super::time::DAY_MS));
        }
        assert_eq!(keys.keys.last().map(|k| k.number), Some(50));
        assert_eq!(keys.keys.len(), 2);
    }
}
