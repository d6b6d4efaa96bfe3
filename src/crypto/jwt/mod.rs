//! Access tokens: JWTs with the claims of RFC 9068, signed with Ed25519 (RFC 8032, RFC 8037) or with ECDSA on P-256
//! (RFC 7518 §3.4), in one shape only.
//!
//! One algorithm and one header for each key, so the header of a presented token is not interpreted: it is compared
//! with those of the keys we know, byte by byte. Nothing in it can choose an algorithm, a key, or an address to fetch
//! one from. No JWT library: `jsonwebtoken` 11 wants a provider of cryptography set for the whole process, asks the
//! system's clock, and after that is worked round leaves Base64 and a look at a header whose bytes are known; its
//! laxer checks (type, issue time, lists as issuer) would all have to be made here again.
//!
//! The keys are derived from the store's root by their number and never written down. `claims`: what a token says.
//! `pair`: the two kinds of keys.

mod claims;
mod pair;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde::Deserialize;
use zeroize::Zeroizing;

pub use self::claims::{Claims, TokenConfig};
pub use self::pair::PublicJwk;
use self::pair::{Public, SIGNATURE_BYTES, Secret};
use crate::domain::TokenAlg;

/// The most bytes a token has; what is longer is not looked at. Fits the buffer a proxy keeps for one header.
pub const MAX_BYTES: usize = 4_096;

/// Characters of a signature in Base64.
const SIGNATURE: usize = 86;
/// RFC 9068 §2.1: what keeps an ID token or any other JWT from being taken for an access token.
const TYPE: &str = "at+jwt";

/// Why a presented text is no access token of ours. For the operator; a stranger learns none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not three parts of Base64 with a header such as ours.
    #[error("it is not an access token")]
    Shape,
    /// Signed with a key that is not, or no longer, one of ours.
    #[error("it was signed with a key this store does not know")]
    Key,
    /// The signature is not that key's.
    #[error("its signature is wrong")]
    Signature,
    /// The signature is good, and what is signed is not what we sign.
    #[error("its claims are not as they must be: {0}")]
    Claims(&'static str),
    /// Issued under another name, or for somebody else.
    #[error("it was issued by or for somebody else")]
    Party,
}

/// The header of an access token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    #[expect(dead_code, reason = "it must be there; which key signed is found by trying them")]
    kid: &'a str,
}

/// A fresh access token. Cannot be copied or printed; wiped when dropped.
pub struct AccessToken(Zeroizing<String>);

impl AccessToken {
    /// The whole token. Only the answer to the request that asked for it may call this.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// A key that signs access tokens, with the one algorithm it is for. Wiped when dropped.
pub struct TokenKey {
    secret: Secret,
    public: Public,
    kid: String,
    /// The first part of every token it signs.
    header: String,
}

impl TokenKey {
    /// One that signs with Ed25519, of any 32 bytes.
    pub(super) fn ed25519(seed: &[u8; 32]) -> Self {
        Self::of(Secret::ed25519(seed))
    }

    /// One that signs with ECDSA on P-256; `None` for the one in 2^32 of all texts that is no key of that curve.
    pub(super) fn p256(scalar: &[u8; 32]) -> Option<Self> {
        Secret::p256(scalar).map(Self::of)
    }

    fn of(secret: Secret) -> Self {
        let public = secret.public();
        let kid = public.thumbprint();
        let header = Base64UrlUnpadded::encode_string(header_of(public.alg(), &kid).as_bytes());
        Self { secret, public, kid, header }
    }

    /// The header of every token it signs.
    pub(super) fn header_json(&self) -> String {
        header_of(self.alg(), &self.kid)
    }

    /// The algorithm it is for.
    pub const fn alg(&self) -> TokenAlg {
        self.public.alg()
    }

    /// Its name: the thumbprint of the public key (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What others need to check its signatures.
    pub fn public(&self) -> PublicJwk {
        self.public.jwk(self.kid.clone())
    }

    /// The token that says `claims`; `None` when it cannot be written or would be longer than [`MAX_BYTES`].
    pub fn sign(&self, claims: &Claims, config: &TokenConfig) -> Option<AccessToken> {
        let payload = claims.write(config)?;
        Some(self.sign_text(&self.header, &payload)).filter(|t| t.0.len() <= MAX_BYTES)
    }

    /// Signs a payload under a header that is in Base64 already.
    pub(super) fn sign_text(&self, header: &str, payload: &[u8]) -> AccessToken {
        let payload = Base64UrlUnpadded::encode_string(payload);
        // All of it at once, so that growing leaves no copies behind.
        let mut text = Zeroizing::new(String::with_capacity(header.len() + payload.len() + SIGNATURE + 2));
        text.push_str(header);
        text.push('.');
        text.push_str(&payload);
        let signature = self.secret.sign(text.as_bytes());
        text.push('.');
        text.push_str(&Base64UrlUnpadded::encode_string(&signature));
        AccessToken(text)
    }
}

/// Whether a presented text can only be an access token: a JSON object in Base64 begins with these two letters, and
/// no key does.
pub fn is_likely(presented: &[u8]) -> bool {
    presented.starts_with(b"ey")
}

/// What a presented token says, and how it was signed, when one of `keys` signed it. [`Claims::read`] looks at what is
/// said.
pub fn open<'k>(
    presented: &[u8],
    keys: impl IntoIterator<Item = &'k TokenKey>,
) -> Result<(Vec<u8>, TokenAlg), Fault> {
    if presented.len() > MAX_BYTES {
        return Err(Fault::Shape);
    }
    let text = str::from_utf8(presented).map_err(|_| Fault::Shape)?;
    let parts = Parts::of(text).ok_or(Fault::Shape)?;
    let key =
        keys.into_iter().find(|key| key.header == parts.header).ok_or_else(|| fault_of(parts.header))?;
    let payload = parts.vouched(&key.public)?;
    Ok((payload, key.alg()))
}

/// The three parts of a token.
struct Parts<'t> {
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
    /// The first two of them, as they are signed.
    signed: &'t str,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        (!payload.contains('.')).then_some(Self { header, payload, signature, signed })
    }

    /// The payload, when `key` signed it.
    fn vouched(&self, key: &Public) -> Result<Vec<u8>, Fault> {
        let mut bytes = [0; SIGNATURE_BYTES];
        // Base64 in its one spelling: no padding, no bits to spare.
        match Base64UrlUnpadded::decode(self.signature, &mut bytes) {
            Ok(decoded) if decoded.len() == SIGNATURE_BYTES => {}
            _ => return Err(Fault::Shape),
        }
        if !key.vouches(self.signed.as_bytes(), &bytes) {
            return Err(Fault::Signature);
        }
        Base64UrlUnpadded::decode_vec(self.payload).map_err(|_| Fault::Shape)
    }
}

/// A header that is none of ours: of another key of these kinds, or nothing we would write.
fn fault_of(header: &str) -> Fault {
    let json = Base64UrlUnpadded::decode_vec(header).unwrap_or_default();
    match serde_json::from_slice::<Header<'_>>(&json) {
        Ok(Header { alg, typ: TYPE, .. }) if TokenAlg::from_code(alg).is_some() => Fault::Key,
        _ => Fault::Shape,
    }
}

fn header_of(alg: TokenAlg, kid: &str) -> String {
    // Nothing in the three of them needs an escape: two constants and a hash in Base64.
    format!(r#"{{"alg":"{}","typ":"{TYPE}","kid":"{kid}"}}"#, alg.code())
}
