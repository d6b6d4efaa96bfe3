//! Access tokens: an app trades its secret for one, anybody who may asks about one, and the app ends one early.
//! What a token may do is never its own to say: each look at one asks the state how its app stands now.
//!
//! - `LocalEngine::grant`, `introspect`, `revoke_token` and `jwks`, for the server. Verification comes in through
//!   [`super::Engine::verify`].
//! - `token_desk`: what is kept in memory for that: keys and names.

use std::sync::Arc;

use super::caller::Caller;
use super::local::LocalEngine;
use super::session::Session;
use super::token_desk::{Read, Whom};
use super::verifier::Counting;
use super::{EngineError, Origin};
use crate::crypto::jwt::{self, AccessToken, Claims};
use crate::crypto::public_id;
use crate::crypto::random::OsEntropy;
use crate::crypto::token::{self, TokenKind};
use crate::domain::app::{Revoked, concerns};
use crate::domain::catalog::AuthMethod;
use crate::domain::signing::{PartyName, TOKEN_LIFE_MAX};
use crate::domain::verdict::{closed_app, judge};
use crate::domain::{
    App, AppId, Bearer, Command, Decision, Expiry, KeyId, Reason, ScopeId, Scopes, State, Timestamp, TokenAlg,
};

pub use super::token_desk::TokenRefusal;
pub use crate::crypto::jwt::{PublicJwk, TokenConfig};

/// A token that was issued.
pub struct Granted {
    /// The token: here once and nowhere else.
    pub token: AccessToken,
    /// How long it lives, in seconds.
    pub seconds: u32,
    /// What it may do.
    pub scopes: Scopes,
}

/// An app that proved who it is.
#[derive(Clone, Debug)]
pub struct Client {
    app: AppId,
    method: AuthMethod,
    scopes: Scopes,
    alg: TokenAlg,
    audiences: Vec<PartyName>,
    /// The `not_before` of the secret it proved it with: one that ended meanwhile fetches nothing.
    epoch: Timestamp,
}

/// What is known of what somebody asks about, while it is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspection {
    /// Under which names a token was issued, or would be that stands for the key.
    pub config: TokenConfig,
    /// What it is.
    pub known: Known,
}

/// What somebody asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// An access token, and what it says.
    Token(Claims),
    /// A key.
    Key {
        /// Which.
        key: KeyId,
        /// The app it is of.
        app: Option<AppId>,
        /// What it may do.
        scopes: Scopes,
        /// When it was made.
        issued: Timestamp,
        /// When it ends.
        expiry: Expiry,
    },
}

impl LocalEngine {
    /// The names tokens are issued under: the store's own for both, unless the policy says otherwise.
    pub fn token_config(&self) -> TokenConfig {
        self.tokens.config()
    }

    /// Where clients read who gives out tokens for the platform (RFC 9728 §3.1), when its name and the issuer's are
    /// addresses.
    pub fn resource_metadata(&self) -> Option<Arc<str>> {
        self.tokens.resource_metadata()
    }

    /// Checks the credentials of an app. What is wrong is not told.
    pub fn authenticate(&self, client_id: &str, secret: &[u8]) -> Result<Client, TokenRefusal> {
        self.authenticate_from(client_id, secret, Origin::default())
    }

    /// [`LocalEngine::authenticate`] for a request that came from somewhere, which is noted as a use of the secret.
    pub fn authenticate_from(
        &self,
        client_id: &str,
        secret: &[u8],
        origin: Origin<'_>,
    ) -> Result<Client, TokenRefusal> {
        if !self.doubts().is_empty() {
            return Err(TokenRefusal::Unavailable);
        }
        let id = client_id.parse::<AppId>().ok();
        // A malformed secret is told by its checksum, which is no secret.
        let presented = token::parse(secret).map_err(|_| TokenRefusal::InvalidClient)?;
        let state = self.state();
        let app = id.and_then(|id| state.app(id));
        let now = self.now().time;
        let good = app.map_or([None, None], |app| app.secrets(now));
        let known = self.verifier().recognises(&presented, good.map(|secret| secret.map(|s| s.verifier)));
        let shown = good.into_iter().zip(known).find_map(|(secret, known)| secret.filter(|_| known));
        let app = app.filter(|_| presented.kind() == TokenKind::AppSecret);
        let works = app.filter(|app| closed_app(&state, app).is_none());
        let (app, shown) = works.zip(shown).ok_or(TokenRefusal::InvalidClient)?;
        if let Some(uses) = shown.uses {
            self.verifier().note(uses, &[], origin, now);
        }
        Ok(Client {
            app: app.id,
            method: app.method,
            scopes: app.scopes.clone(),
            alg: app.alg(),
            audiences: app.audiences().to_vec(),
            epoch: shown.epoch,
        })
    }

    /// Issues a token for an app that proved who it is: for the scopes it asks for, or for all it has. For the platform, or
    /// for the first audience the app has; `resource` names another of them (RFC 8707). Blocks on the disk when the
    /// signing key is due to be replaced.
    pub fn grant(
        &self,
        client: &Client,
        requested: Option<&str>,
        resource: Option<&str>,
    ) -> Result<Granted, TokenRefusal> {
        if client.method != AuthMethod::Jwt {
            return Err(TokenRefusal::UnauthorizedClient);
        }
        let scopes = chosen(&client.scopes, requested)?;
        let audience = self.aimed(client, resource)?;
        let now = self.ready_to_sign()?;
        let seconds = self.state().policy().token_seconds.min(TOKEN_LIFE_MAX);
        let issued = Timestamp(now.0 - now.0.rem_euclid(1_000));
        let ends = Timestamp(issued.0.saturating_add(i64::from(seconds) * 1_000));
        let secret = {
            let state = self.state();
            let app = state.app(client.app).filter(|app| closed_app(&state, app).is_none());
            app.and_then(|app| app.secret_of(client.epoch, now)).map(|secret| secret.until)
        };
        // One that ended meanwhile fetches nothing: whoever checks a token without asking here would believe it.
        let until = secret.ok_or(TokenRefusal::InvalidClient)?;
        // It ends with the secret, also for those; they count in whole seconds.
        let ends =
            until.instant().map_or(ends, |until| ends.min(Timestamp(until.0 - until.0.rem_euclid(1_000))));
        let seconds = u32::try_from(ends.since(issued) / 1_000).unwrap_or(0);
        if seconds == 0 {
            return Err(TokenRefusal::InvalidClient);
        }
        let claims = Claims {
            app: client.app,
            id: public_id::generate(&mut OsEntropy).map_err(|error| {
                tracing::error!(%error, "no access token was issued");
                TokenRefusal::Unavailable
            })?,
            issued,
            expires: ends,
            epoch: client.epoch,
            scopes: scopes.clone(),
        };
        let token = self.tokens.sign(&claims, client.alg, audience, now)?;
        let token = token.ok_or(TokenRefusal::TooManyScopes)?;
        // An app that only fetches tokens and has them checked elsewhere is in use all the same.
        self.verifier().note(*client.app.public(), &[], Origin::default(), now);
        Ok(Granted { token, seconds, scopes })
    }

    /// Whom the token shall be for; nothing is the platform. By its exact name, and only whom the app was given: one that
    /// could choose would have a service take what was never meant for it.
    fn aimed<'c>(&self, client: &'c Client, resource: Option<&str>) -> Result<Option<&'c str>, TokenRefusal> {
        let first = client.audiences.first().map(PartyName::as_str);
        let Some(wanted) = resource else { return Ok(first) };
        if first.is_none() && wanted == self.tokens.config().audience() {
            return Ok(None);
        }
        let named = client.audiences.iter().map(PartyName::as_str).find(|name| *name == wanted);
        named.map(Some).ok_or(TokenRefusal::InvalidTarget)
    }

    /// What is known of a presented text while it is good: of an access token for the app it was issued to; of those for
    /// its audiences, and of keys if the platform is one, for a resource server. `None` for everybody and everything
    /// else. A resource server asks for the sake of a request, so that counts as a use.
    pub fn introspect(&self, caller: &Client, presented: &[u8]) -> Option<Introspection> {
        let checks = caller.method == AuthMethod::ResourceServer;
        let now = self.now().time;
        if checks {
            self.verifier().note(*caller.app.public(), &[], Origin::default(), now);
        }
        if !jwt::is_likely(presented) {
            let serves = checks && concerns(&caller.audiences, self.tokens.config().audience(), true);
            return if serves { self.introspect_key(presented) } else { None };
        }
        let read = self.tokens.read(presented, Whom::Anybody, now).ok()?;
        let may_ask = match caller.method {
            AuthMethod::ResourceServer => concerns(&caller.audiences, read.config.audience(), read.own),
            AuthMethod::Jwt | AuthMethod::ApiKey => read.claims.app == caller.app,
        };
        if !may_ask || !self.judge_token(&read, &[], now, |_| ()).is_allow() {
            return None;
        }
        if checks {
            self.note_token(&read.claims, &[], Origin::default(), now);
        }
        Some(Introspection { config: read.config, known: Known::Token(read.claims) })
    }

    fn introspect_key(&self, presented: &[u8]) -> Option<Introspection> {
        let decision = self.verify_from(presented, &[], Origin::default());
        let Some(Bearer::Key(id)) = decision.bearer().filter(|_| decision.is_allow()) else { return None };
        let state = self.state();
        let key = state.key(id)?;
        let known = Known::Key {
            key: id,
            app: key.place.app(),
            scopes: key.scopes.clone(),
            issued: key.created_at,
            expiry: key.expiry,
        };
        Some(Introspection { config: self.tokens.config(), known })
    }

    /// Ends a token of the caller's own before its time. A token that is unknown or over is no error, and nothing happens
    /// (RFC 7009 §2.2). `Ok` means it is durable, and that what was presented opens nothing.
    ///
    /// # Errors
    /// Also when it is another app's, or a key (RFC 7009 §2.1, §2.2.1): nobody shall believe that it is ended.
    pub fn revoke_token(&self, caller: &Client, presented: &[u8]) -> Result<(), TokenRefusal> {
        let now = self.now().time;
        let Ok(Read { claims, .. }) = self.tokens.read(presented, Whom::Anybody, now) else {
            return if token::parse(presented).is_ok() { Err(TokenRefusal::NoAccessToken) } else { Ok(()) };
        };
        let over = Expiry::At(claims.expires).is_over(now);
        let known = self.state().revoked_tokens(claims.app).iter().any(|old| old.token == claims.id);
        let token = Revoked { token: claims.id, until: claims.expires };
        let command = Command::RevokeToken { app: claims.app, token };
        // One that waits for the disk is known and not durable: asked again, it is written or refused again.
        let durable = known && !self.overdue.waits(&command);
        if over || durable {
            return Ok(());
        }
        if claims.app != caller.app {
            return Err(TokenRefusal::NotYours);
        }
        self.serve(command)
    }

    /// The public keys a verifier must know, the oldest first. The first is made with the store.
    pub fn jwks(&self) -> Vec<PublicJwk> {
        self.tokens.public(self.now().time)
    }

    /// Decides about an access token as [`super::Engine::verify`] does about a key.
    pub(super) fn verify_access_token(
        &self,
        presented: &[u8],
        wanted: &[ScopeId],
        counting: Counting<'_>,
        tell: impl FnOnce(&Caller<'_>),
    ) -> Decision {
        let now = self.now().time;
        let read = match self.tokens.read(presented, Whom::Platform, now) {
            Ok(read) => read,
            Err(fault) => return Decision::deny(self.tokens.unrecognised(fault), None),
        };
        let decision = self.judge_token(&read, wanted, now, tell);
        if let Counting::From(origin) = counting
            && decision.is_allow()
        {
            self.note_token(&read.claims, wanted, origin, now);
        }
        decision
    }

    /// A token was used, and with it the secret it was fetched with.
    fn note_token(&self, claims: &Claims, wanted: &[ScopeId], origin: Origin<'_>, now: Timestamp) {
        let secret = {
            let state = self.state();
            let secret = state.app(claims.app).and_then(|app| app.secret_of(claims.epoch, now));
            secret.and_then(|secret| secret.uses)
        };
        self.verifier().note(*claims.app.public(), wanted, origin, now);
        if let Some(uses) = secret {
            self.verifier().note(uses, &[], origin, now);
        }
    }

    fn judge_token(
        &self,
        read: &Read,
        wanted: &[ScopeId],
        now: Timestamp,
        tell: impl FnOnce(&Caller<'_>),
    ) -> Decision {
        let state = self.state();
        let claims = &read.claims;
        let Some(app) = state.app(claims.app) else {
            return Decision::deny(self.tokens.absent(claims.app), None);
        };
        let closed = closed(&state, app, read, now);
        let expiry = Expiry::At(claims.expires);
        let decision = judge(Bearer::App(claims.app), closed, expiry, &claims.scopes, wanted, now);
        if decision.is_allow() {
            Caller::with_token(&state, app, wanted, tell);
        }
        decision
    }

    /// Sees to it that there is a key to sign with, and that the next one is made in time.
    fn ready_to_sign(&self) -> Result<Timestamp, TokenRefusal> {
        let wants_key = |now| {
            let state = self.state();
            state.signing().is_due(state.policy().signing_key_days, now)
        };
        if wants_key(self.believed()?) {
            let _alone = self.tokens.making();
            if wants_key(self.believed()?) && self.serve(Command::RotateSigningKey).is_err() {
                tracing::warn!("the key that signs access tokens could not be replaced");
            }
        }
        let now = self.believed()?;
        self.state().signing().signer(now).map(|_| now).ok_or(TokenRefusal::Unavailable)
    }

    /// Makes the first key for a store that has none, so that verifiers know it before the first token comes. Where that
    /// is not possible now, the first token makes it.
    pub fn publish_first_key(&self) {
        let wanted = || self.state().signing().keys.is_empty() && self.doubts().is_empty();
        if wanted() && self.believed().is_ok() {
            let _alone = self.tokens.making();
            if wanted() && self.serve(Command::RotateSigningKey).is_err() {
                tracing::warn!("the first key that signs access tokens could not be made");
            }
        }
    }

    /// The time, if it is one to sign with.
    fn believed(&self) -> Result<Timestamp, TokenRefusal> {
        let now = self.now();
        if self.tokens.heed(now.suspect) {
            return Err(TokenRefusal::ClockSuspect);
        }
        Ok(now.time)
    }

    /// Runs a command on the server's own behalf.
    fn serve(&self, command: Command) -> Result<(), TokenRefusal> {
        let done = Session::service()
            .map_err(EngineError::from)
            .and_then(|session| self.execute(&session, command).map(drop));
        done.map_err(|error| {
            tracing::error!(%error, "a change to access tokens was not written");
            TokenRefusal::Unavailable
        })
    }
}

/// Why a token is refused, whatever is asked of it.
fn closed(state: &State, app: &App, read: &Read, now: Timestamp) -> Option<Reason> {
    let closed = closed_app(state, app);
    let claims = &read.claims;
    let revoked = state.revoked_tokens(app.id);
    let ended = app.secret_of(claims.epoch, now).is_none()
        || app.method != AuthMethod::Jwt
        || revoked.iter().any(|old| old.token == claims.id)
        // It promises what the app may not do any more, or is not as its tokens are: the client shall fetch another one.
        || !claims.scopes.is_subset(&app.scopes)
        || read.alg != app.alg()
        || !app.is_for(read.config.audience(), read.own);
    match closed {
        Some(Reason::Tombstoned | Reason::StoreError) => closed,
        _ if ended => Some(Reason::Revoked),
        _ => closed,
    }
}

fn chosen(held: &Scopes, requested: Option<&str>) -> Result<Scopes, TokenRefusal> {
    // RFC 6749 §3.1: a parameter without a value is as good as none.
    let Some(requested) = requested.filter(|text| !text.is_empty()) else { return Ok(held.clone()) };
    let scopes: Scopes = requested.parse().map_err(|_| TokenRefusal::ScopesUnreadable)?;
    match scopes.iter().find(|scope| !held.contains(scope)) {
        Some(scope) => Err(TokenRefusal::ScopeNotHeld(scope.clone())),
        None => Ok(scopes),
    }
}
