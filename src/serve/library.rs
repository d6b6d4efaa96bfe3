//! Verification inside another Rust program: [`Verifier`] opens the store, decides about tokens in the program's own
//! process, and lets the console and the command line attach to it meanwhile. Feature `tower` adds a layer for
//! services: `layer`.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::header::HeaderValue;
use hyper::{HeaderMap, StatusCode};

use super::control::{Control, Settings};
use super::http::reply::{self, Reply};
use super::http::{Lines, Presented, address, read_credential};
use crate::domain::{
    AppId, Bearer, Decision, KeyId, LocationId, Name, Place, Reason, ScopeId, SourceApp, State, UserType,
};
use crate::engine::open::{self, Key, Options};
use crate::engine::{LocalEngine, OpenError, Origin};

/// A store opened inside another program, to decide about the tokens its callers present.
///
/// A change that has returned, by whoever made it, is in force for the next call: there is no cache in between. Calls
/// take less than a microsecond, but for access tokens (one signature) and imported keys that were not seen before
/// (one Argon2id hash): give the latter, which [`Verifier::is_slow`] tells, to a thread where they keep nobody
/// waiting.
pub struct Verifier {
    engine: Arc<LocalEngine>,
    // Ends first: whoever is attached is told before the store is closed.
    _control: Option<Control>,
}

/// Who a request comes from: what `keydeck serve` says in headers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// A key, or an app with an access token.
    pub bearer: Bearer,
    /// The key's kind: `agency`, `location` or `app`.
    pub kind: &'static str,
    /// The name of the key or, with an access token, of the app.
    pub name: Name,
    /// The operator who owns it.
    pub owner: Option<Name>,
    /// What a key may do; with an access token, what was asked for and found.
    pub scopes: Vec<ScopeId>,
    /// The location of a location key.
    pub location: Option<LocationId>,
    /// The app of an app key or access token.
    pub app: Option<AppId>,
    /// What kind of app that is.
    pub source: Option<SourceApp>,
    /// Who signs in through it.
    pub user_type: Option<UserType>,
}

/// Why a request may not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It presents nothing that is taken here.
    NoCredential,
    /// It presents more than one credential.
    SeveralCredentials,
    /// What it presents is refused. The reason is for the log; a caller is told less.
    Denied(Reason),
}

impl Verifier {
    /// Opens a store and signs in. While the value lives, `keydeck` commands and consoles attach to this process.
    ///
    /// # Errors
    /// The store is not there, is open in another process, cannot be unsealed with `key`, or is damaged.
    pub fn open(options: &Options, key: &Key<'_>) -> Result<Self, OpenError> {
        let engine = open::open(options, key)?.engine;
        engine.write_uses();
        let settings = Settings { socket: None, command: options.command.clone() };
        let control = Control::start(Arc::clone(&engine), &settings);
        let control = control.inspect_err(|error| tracing::warn!(%error, "nobody can attach")).ok();
        Ok(Self { engine, _control: control })
    }

    /// On an engine that is open already, in a test for example.
    pub const fn on(engine: Arc<LocalEngine>) -> Self {
        Self { engine, _control: None }
    }

    /// The engine behind it: commands, state, events.
    pub const fn engine(&self) -> &Arc<LocalEngine> {
        &self.engine
    }

    /// Decides about a presented token for a request that needs all of `wanted`, and notes its use.
    pub fn verify(&self, presented: &[u8], wanted: &[ScopeId]) -> Result<Identity, Refused> {
        self.verify_from(presented, wanted, Origin::default())
    }

    /// [`Verifier::verify`] for a request that came from somewhere.
    pub fn verify_from(
        &self,
        presented: &[u8],
        wanted: &[ScopeId],
        origin: Origin<'_>,
    ) -> Result<Identity, Refused> {
        self.identify(&self.engine.verify_from(presented, wanted, origin), wanted)
    }

    /// Decides about a request by its headers, as `keydeck serve` does: `Authorization: Bearer` or `X-API-Key`,
    /// exactly one of them, once. `peer` is the other end of the connection, noted where no proxy said better.
    pub fn authorize(
        &self,
        headers: &HeaderMap,
        wanted: &[ScopeId],
        peer: Option<IpAddr>,
    ) -> Result<Identity, Refused> {
        let lines = Lines::of(headers);
        let presented = match read_credential(&lines) {
            Presented::One(presented) => presented,
            Presented::Nothing => return Err(Refused::NoCredential),
            Presented::Several => return Err(Refused::SeveralCredentials),
        };
        let agent = lines.agent.map(HeaderValue::as_bytes);
        self.verify_from(presented, wanted, Origin { address: address(&lines, peer), agent })
    }

    /// Whether deciding about a request with these headers may cost a slow hash.
    pub fn is_slow(headers: &HeaderMap) -> bool {
        let lines = Lines::of(headers);
        matches!(read_credential(&lines), Presented::One(presented) if super::http::is_slow(presented))
    }

    fn identify(&self, decision: &Decision, wanted: &[ScopeId]) -> Result<Identity, Refused> {
        if let Some(reason) = decision.reason() {
            return Err(Refused::Denied(reason));
        }
        let known = decision.bearer().and_then(|bearer| Identity::of(&self.engine.state(), bearer, wanted));
        // A bearer that is good and yet unknown would be a store that disagrees with itself.
        known.filter(|_| decision.is_allow()).ok_or(Refused::Denied(Reason::StoreError))
    }
}

impl Identity {
    fn of(state: &State, bearer: Bearer, wanted: &[ScopeId]) -> Option<Self> {
        let owner = |id| state.operator(id).map(|operator| operator.name.clone());
        let (name, owner, scopes, place, kind) = match bearer {
            Bearer::Key(id) => {
                let key = state.key(id)?;
                let scopes = key.scopes.iter().cloned().collect();
                (key.name.clone(), owner(key.owner), scopes, key.place, key.place.kind())
            }
            Bearer::App(id) => {
                let app = state.app(id)?;
                (app.name.clone(), owner(app.owner), wanted.to_vec(), Place::App(id), "app")
            }
        };
        let app = place.app().and_then(|id| state.app(id));
        Some(Self {
            bearer,
            kind,
            name,
            owner,
            scopes,
            location: place.location(),
            app: place.app(),
            source: app.map(|app| app.profile.source),
            user_type: app.map(|app| app.profile.user_type),
        })
    }

    /// The key, unless an access token was presented.
    pub const fn key(&self) -> Option<KeyId> {
        match self.bearer {
            Bearer::Key(id) => Some(id),
            Bearer::App(_) => None,
        }
    }
}

impl Refused {
    /// What a caller is told: status, `WWW-Authenticate` and `Cache-Control`, and an empty body (RFC 6750 §3).
    pub fn reply(self, wanted: &[ScopeId]) -> Reply {
        use super::http::Profile::Full;
        match self {
            Self::NoCredential => reply::no_credential(),
            Self::SeveralCredentials => reply::several(Full),
            Self::Denied(Reason::Scope) => reply::insufficient_scope(wanted),
            Self::Denied(Reason::Rate) => reply::too_many(Full),
            Self::Denied(Reason::StoreError) => reply::unavailable(Full),
            Self::Denied(_) => reply::invalid_token(),
        }
    }

    /// The status of that.
    pub fn status(self) -> StatusCode {
        self.reply(&[]).status()
    }
}
