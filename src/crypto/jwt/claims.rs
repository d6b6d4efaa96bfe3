//! What an access token says: the claims of RFC 9068 for a client that acts for itself, each of one type, each
//! once, and nothing else. The signature has been checked before any of this is read.

use serde::{Deserialize, Serialize};

use super::Fault;
use crate::crypto::StoreId;
use crate::domain::signing::{LEEWAY, PartyName, TOKEN_LIFE_MAX, TokenNames};
use crate::domain::{AppId, PublicId, Scopes, Timestamp};

/// Who issues access tokens, and for whom: the claims `iss` and `aud`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenConfig {
    issuer: String,
    audience: String,
}

impl TokenConfig {
    /// The names an admin chose, and the store's own where they chose none.
    pub fn named(store: StoreId, names: &TokenNames) -> Self {
        let own = Self::of_store(store);
        let chosen =
            |name: Option<&PartyName>, own: String| name.map_or(own, |name| name.as_str().to_owned());
        Self {
            issuer: chosen(names.issuer.as_ref(), own.issuer),
            audience: chosen(names.audience.as_ref(), own.audience),
        }
    }

    /// The name of the store for both, so that every process that opens it agrees without being told anything.
    pub fn of_store(store: StoreId) -> Self {
        let name = format!("urn:keydeck:{store}");
        Self { issuer: name.clone(), audience: name }
    }

    /// The same issuer, for somebody else.
    #[must_use]
    pub fn aimed(&self, audience: &str) -> Self {
        Self { issuer: self.issuer.clone(), audience: audience.to_owned() }
    }

    /// Whether these are its names.
    pub fn is(&self, issuer: &str, audience: &str) -> bool {
        self.issuer == issuer && self.audience == audience
    }

    /// Whose tokens they are.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whom they are meant for.
    pub fn audience(&self) -> &str {
        &self.audience
    }
}

/// What one token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Whom it speaks for: `sub` and `client_id`.
    pub app: AppId,
    /// Its own name: `jti`.
    pub id: PublicId,
    /// When it was issued, in whole seconds: `iat`.
    pub issued: Timestamp,
    /// When it ends, in whole seconds: `exp`.
    pub expires: Timestamp,
    /// The `not_before` of the secret it was fetched with: `epoch`, in milliseconds. No two secrets of an app have the same,
    /// so a token is good as long as that secret is, whatever clocks and seconds say.
    pub epoch: Timestamp,
    /// What it may do: `scope`.
    pub scopes: Scopes,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    client_id: &'a str,
    iat: u64,
    exp: u64,
    jti: &'a str,
    scope: &'a str,
    epoch: u64,
}

impl Claims {
    /// As they are signed; nothing when they are no JSON, for an empty text must not be signed in their place.
    pub(super) fn write(&self, config: &TokenConfig) -> Option<Vec<u8>> {
        let (app, id, scope) = (self.app.to_string(), self.id.to_string(), self.scopes.to_string());
        let wire = Wire {
            iss: &config.issuer,
            aud: &config.audience,
            sub: &app,
            client_id: &app,
            iat: seconds(self.issued),
            exp: seconds(self.expires),
            jti: &id,
            scope: &scope,
            epoch: u64::try_from(self.epoch.0).unwrap_or(0),
        };
        serde_json::to_vec(&wire).ok()
    }

    /// Reads what one of our keys signed. `party` knows the names of an issuer and an audience that count. Whether it is over
    /// is for the verdict to say.
    pub fn read<P>(
        payload: &[u8],
        now: Timestamp,
        party: impl FnOnce(&str, &str) -> Option<P>,
    ) -> Result<(Self, P), Fault> {
        let wire: Wire<'_> =
            serde_json::from_slice(payload).map_err(|_| Fault::Claims("other members or types"))?;
        let party = party(wire.iss, wire.aud).ok_or(Fault::Party)?;
        if wire.sub != wire.client_id {
            return Err(Fault::Claims("it speaks for two"));
        }
        let issued = instant(wire.iat)?;
        let expires = instant(wire.exp)?;
        if issued.since(now) > i64::from(LEEWAY) * 1_000 {
            return Err(Fault::Claims("it was issued in the future"));
        }
        let life = expires.since(issued);
        if life <= 0 || life > i64::from(TOKEN_LIFE_MAX) * 1_000 {
            return Err(Fault::Claims("its life is none we give"));
        }
        let claims = Self {
            app: wire.sub.parse().map_err(|_| Fault::Claims("it speaks for no app"))?,
            id: wire.jti.parse().map_err(|_| Fault::Claims("its id is none"))?,
            issued,
            expires,
            epoch: Timestamp(i64::try_from(wire.epoch).map_err(|_| Fault::Claims("its epoch is no time"))?),
            scopes: wire
                .scope
                .parse::<Scopes>()
                .and_then(Scopes::require_some)
                .map_err(|_| Fault::Claims("its scopes are none"))?,
        };
        Ok((claims, party))
    }
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.0 / 1_000).unwrap_or(0)
}

fn instant(seconds: u64) -> Result<Timestamp, Fault> {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| seconds.checked_mul(1_000))
        .map(Timestamp)
        .ok_or(Fault::Claims("a time beyond all times"))
}
