//! The keys behind access tokens. A key is made for one algorithm and knows no other, so nothing that is presented can
//! have it used in another way. Every primitive is RustCrypto's.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ed25519_dalek::Signer as _;
use p256::ecdsa::signature::Verifier as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::domain::TokenAlg;

/// Bytes of a signature, of either kind.
pub(super) const SIGNATURE_BYTES: usize = 64;

/// A public key as others fetch it (RFC 7517, RFC 8037 §2, RFC 7518 §6.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicJwk {
    kty: &'static str,
    crv: &'static str,
    #[serde(rename = "use")]
    purpose: &'static str,
    alg: &'static str,
    /// Which key.
    pub kid: String,
    /// The public key itself, or its first coordinate, in Base64.
    pub x: String,
    /// Its second coordinate, of a key that has two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
}

/// A secret key. On the heap, so that moving it leaves no copy; both kinds are wiped when dropped.
pub(super) enum Secret {
    Ed25519(Box<ed25519_dalek::SigningKey>),
    P256(Box<p256::ecdsa::SigningKey>),
}

impl Secret {
    pub(super) fn ed25519(seed: &[u8; 32]) -> Self {
        Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(seed)))
    }

    /// `None` where the number is nought, or as large as the order of the curve.
    pub(super) fn p256(scalar: &[u8; 32]) -> Option<Self> {
        p256::ecdsa::SigningKey::from_slice(scalar).ok().map(|key| Self::P256(Box::new(key)))
    }

    pub(super) fn public(&self) -> Public {
        match self {
            Self::Ed25519(key) => Public::Ed25519(key.verifying_key()),
            Self::P256(key) => Public::P256(*key.verifying_key()),
        }
    }

    /// Signs without chance: Ed25519 needs none, ECDSA draws its number from key and text (RFC 6979).
    pub(super) fn sign(&self, text: &[u8]) -> [u8; SIGNATURE_BYTES] {
        match self {
            Self::Ed25519(key) => key.sign(text).to_bytes(),
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(text);
                signature.normalize_s().to_bytes().into()
            }
        }
    }
}

/// A public key, and with it the algorithm.
#[derive(Clone)]
pub(super) enum Public {
    Ed25519(ed25519_dalek::VerifyingKey),
    P256(p256::ecdsa::VerifyingKey),
}

impl Public {
    pub(super) const fn alg(&self) -> TokenAlg {
        match self {
            Self::Ed25519(_) => TokenAlg::EdDsa,
            Self::P256(_) => TokenAlg::Es256,
        }
    }

    /// Whether this key signed `text`. Of each signature one spelling is taken: of ECDSA, which has two, the one with the
    /// lower `s`, which is what we write.
    pub(super) fn vouches(&self, text: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        match self {
            Self::Ed25519(key) => {
                key.verify_strict(text, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
            }
            Self::P256(key) => p256::ecdsa::Signature::from_slice(signature).is_ok_and(|signature| {
                signature.normalize_s() == signature && key.verify(text, &signature).is_ok()
            }),
        }
    }

    pub(super) fn jwk(&self, kid: String) -> PublicJwk {
        let (kty, crv) = self.kind();
        let (x, y) = self.coordinates();
        PublicJwk { kty, crv, purpose: "sig", alg: self.alg().code(), kid, x, y }
    }

    /// RFC 7638 §3: the required members in the order of their names, without a space, hashed.
    pub(super) fn thumbprint(&self) -> String {
        let (kty, crv) = self.kind();
        let (x, y) = self.coordinates();
        let y = y.map_or_else(String::new, |y| format!(r#","y":"{y}""#));
        let members = format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}"{y}}}"#);
        Base64UrlUnpadded::encode_string(&Sha256::digest(members.as_bytes()))
    }

    const fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::Ed25519(_) => ("OKP", "Ed25519"),
            Self::P256(_) => ("EC", "P-256"),
        }
    }

    fn coordinates(&self) -> (String, Option<String>) {
        let written = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
        match self {
            Self::Ed25519(key) => (written(key.as_bytes()), None),
            Self::P256(key) => {
                // A key of the curve is a point that has both.
                let point = key.to_sec1_point(false);
                let x = point.x().map_or_else(String::new, |x| written(x));
                (x, point.y().map(|y| written(y)))
            }
        }
    }
}
