//! Access tokens: JWTs with the claims of RFC 9068, signed with Ed25519 (RFC 8032, RFC 8037), in one shape only.
//!
//! One algorithm and one header for each key, so the header of a presented token is not interpreted: it is compared
//! with those of the keys we know, byte by byte. Nothing in it can choose an algorithm, a key, or an address to fetch
//! one from. No JWT library: `jsonwebtoken` 11 wants a provider of cryptography set for the whole process, asks the
//! system's clock, and after that is worked round leaves Base64 and a look at a header whose bytes are known; its
//! laxer checks (type, issue time, lists as issuer) would all have to be made here again.
//!
//! The keys are derived from the store's root by their number and never written down. `claims`: what a token says.

mod claims;
#[cfg(test)]
mod tests;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

pub use self::claims::{Claims, TokenConfig};

/// The most bytes a token has; what is longer is not looked at. Fits the buffer a proxy keeps for one header.
pub const MAX_BYTES: usize = 4_096;

/// Characters of an Ed25519 signature in Base64.
const SIGNATURE: usize = 86;
const ALGORITHM: &str = "EdDSA";
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

/// A public key as others fetch it (RFC 7517, RFC 8037 §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicJwk {
    kty: &'static str,
    crv: &'static str,
    #[serde(rename = "use")]
    purpose: &'static str,
    alg: &'static str,
    /// Which key.
    pub kid: String,
    /// The public key itself, in Base64.
    pub x: String,
}

/// A fresh access token. Cannot be copied or printed; wiped when dropped.
pub struct AccessToken(Zeroizing<String>);

impl AccessToken {
    /// The whole token. Only the answer to the request that asked for it may call this.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// A key that signs access tokens. On the heap, so that moving it leaves no copy, and wiped when dropped.
pub struct TokenKey {
    key: Box<SigningKey>,
    public: VerifyingKey,
    kid: String,
    /// The first part of every token it signs.
    header: String,
}

impl TokenKey {
    pub(super) fn new(seed: &[u8; 32]) -> Self {
        let key = Box::new(SigningKey::from_bytes(seed));
        let public = key.verifying_key();
        let kid = thumbprint(&x_of(&public));
        let header = Base64UrlUnpadded::encode_string(header_of(&kid).as_bytes());
        Self { key, public, kid, header }
    }

    /// The header of every token it signs.
    pub(super) fn header_json(&self) -> String {
        header_of(&self.kid)
    }

    /// Its name: the thumbprint of the public key (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What others need to check its signatures.
    pub fn public(&self) -> PublicJwk {
        PublicJwk {
            kty: "OKP",
            crv: "Ed25519",
            purpose: "sig",
            alg: ALGORITHM,
            kid: self.kid.clone(),
            x: x_of(&self.public),
        }
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
        let signature = self.key.sign(text.as_bytes());
        text.push('.');
        text.push_str(&Base64UrlUnpadded::encode_string(&signature.to_bytes()));
        AccessToken(text)
    }
}

/// Whether a presented text can only be an access token: a JSON object in Base64 begins with these two letters, and
/// no key does.
pub fn is_likely(presented: &[u8]) -> bool {
    presented.starts_with(b"ey")
}

/// What a presented token says, when one of `keys` signed it. [`Claims::read`] looks at what is said.
pub fn open<'k>(presented: &[u8], keys: impl IntoIterator<Item = &'k TokenKey>) -> Result<Vec<u8>, Fault> {
    if presented.len() > MAX_BYTES {
        return Err(Fault::Shape);
    }
    let text = str::from_utf8(presented).map_err(|_| Fault::Shape)?;
    let mut parts = text.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Fault::Shape);
    };
    let key = keys.into_iter().find(|key| key.header == header).ok_or_else(|| fault_of(header))?;
    let mut bytes = [0; Signature::BYTE_SIZE];
    // Base64 in its one spelling: no padding, no bits to spare.
    match Base64UrlUnpadded::decode(signature, &mut bytes) {
        Ok(decoded) if decoded.len() == Signature::BYTE_SIZE => {}
        _ => return Err(Fault::Shape),
    }
    let signed = text.get(..header.len() + 1 + payload.len()).ok_or(Fault::Shape)?;
    key.public
        .verify_strict(signed.as_bytes(), &Signature::from_bytes(&bytes))
        .map_err(|_| Fault::Signature)?;
    Base64UrlUnpadded::decode_vec(payload).map_err(|_| Fault::Shape)
}

/// A header that is none of ours: of another key of this kind, or nothing we would write.
fn fault_of(header: &str) -> Fault {
    let json = Base64UrlUnpadded::decode_vec(header).unwrap_or_default();
    match serde_json::from_slice::<Header<'_>>(&json) {
        Ok(Header { alg: ALGORITHM, typ: TYPE, .. }) => Fault::Key,
        _ => Fault::Shape,
    }
}

fn header_of(kid: &str) -> String {
    // Nothing in the three of them needs an escape: two constants and a hash in Base64.
    format!(r#"{{"alg":"{ALGORITHM}","typ":"{TYPE}","kid":"{kid}"}}"#)
}

fn x_of(key: &VerifyingKey) -> String {
    Base64UrlUnpadded::encode_string(key.as_bytes())
}

/// RFC 7638 §3: the required members in the order of their names, without a space, hashed.
fn thumbprint(x: &str) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    Base64UrlUnpadded::encode_string(&Sha256::digest(members.as_bytes()))
}
