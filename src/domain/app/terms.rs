//! What the access tokens of an app are like, where somebody chose: how they are signed, and whom they are for.

use minicbor::{Decode, Encode};

use super::App;
use crate::domain::signing::PartyName;

/// How an access token is signed. An app has one way, so a token has none to choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum TokenAlg {
    /// Ed25519 (RFC 8037).
    #[default]
    #[n(0)]
    EdDsa,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4), for verifiers that know no Ed25519.
    #[n(1)]
    Es256,
}

impl TokenAlg {
    /// All of them, the usual one first.
    pub const ALL: [Self; 2] = [Self::EdDsa, Self::Es256];

    /// The word for it in headers, key sets and on the command line.
    pub const fn code(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        }
    }

    /// Reads [`TokenAlg::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alg| alg.code() == code)
    }
}

/// The terms of one app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Terms {
    /// How its tokens are signed.
    #[n(0)]
    pub alg: TokenAlg,
    /// Whom they may be for, the first unless another is asked for; nobody named is the platform, whose name is the policy
    /// `token-audience`. Of an app that checks: for whom it does.
    #[n(1)]
    pub audiences: Vec<PartyName>,
}

impl Terms {
    /// Audiences one app may have.
    pub const AUDIENCES: usize = 10;

    /// What an app keeps of them: most have the usual ones, and take no room for it.
    pub fn kept(&self) -> Option<Box<Self>> {
        (*self != Self::default()).then(|| Box::new(self.clone()))
    }
}

impl App {
    /// What its access tokens are like.
    pub fn terms(&self) -> Terms {
        self.terms.as_deref().cloned().unwrap_or_default()
    }

    /// How its access tokens are signed.
    pub fn alg(&self) -> TokenAlg {
        self.terms.as_ref().map_or(TokenAlg::EdDsa, |terms| terms.alg)
    }

    /// Whom its access tokens may be for; nobody named is the platform.
    pub fn audiences(&self) -> &[PartyName] {
        self.terms.as_ref().map_or(&[], |terms| &terms.audiences)
    }

    /// Whether it has to do with this audience, which is the platform's own or is not.
    pub fn is_for(&self, audience: &str, own: bool) -> bool {
        concerns(self.audiences(), audience, own)
    }
}

/// Whether `audience`, which is the platform's own or is not, is among those named; nobody named is the platform.
pub fn concerns(named: &[PartyName], audience: &str, own: bool) -> bool {
    match named {
        [] => own,
        some => some.iter().any(|name| name.as_str() == audience),
    }
}
