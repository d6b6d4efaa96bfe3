//! Access tokens over HTTP: issued (RFC 6749 §4.4), asked about (RFC 7662), ended (RFC 7009), and the keys to check
//! them with (RFC 7517). Only apps may ask, each about its own, and resource servers about what is for them; nobody is
//! told why something is refused beyond what the standards name.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, HeaderValue, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::http::request::Parts;
use serde::Serialize;

use super::Front;
use super::credentials::{Credentials, Fields, Unread};
use super::form::{self, BadForm};
use super::gate;
use super::lines::Lines;
use super::metrics::Fault;
use super::reply::{self, Reply};
use super::reply::{Head, Later};
use crate::domain::Timestamp;
use crate::engine::Origin;
use crate::engine::oauth::{Client, Granted, Introspection, Known, PublicJwk, TokenRefusal};

const JSON: &str = "application/json";
/// A next key is published an hour before it signs; whoever looks four times in an hour always knows it.
const KEYS_LIVE: HeaderValue = HeaderValue::from_static("public, max-age=900");
const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Basic realm="keydeck", charset="UTF-8""#);

#[derive(Serialize)]
struct Problem<'a> {
    error: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'a str>,
}

#[derive(Serialize)]
struct TokenAnswer<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u32,
    scope: String,
}

/// RFC 7662 §2.2. A key that is of no app has no client, and one that never ends no end.
#[derive(Serialize)]
struct Good {
    active: bool,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    iat: i64,
    sub: String,
    aud: String,
    iss: String,
    jti: String,
}

#[derive(Serialize)]
struct Unknown {
    active: bool,
}

#[derive(Serialize)]
struct Ended {}

#[derive(Serialize)]
struct Keys {
    keys: Vec<PublicJwk>,
}

/// Why there is no answer.
enum No {
    Form(BadForm),
    Unread(Unread),
    Grant,
    Refused(TokenRefusal),
}

impl From<Unread> for No {
    fn from(unread: Unread) -> Self {
        Self::Unread(unread)
    }
}

impl From<TokenRefusal> for No {
    fn from(refusal: TokenRefusal) -> Self {
        Self::Refused(refusal)
    }
}

/// `POST /oauth/token`.
pub fn token(front: Arc<Front>, head: Parts, body: Incoming, peer: Option<IpAddr>) -> Later {
    Box::pin(async move {
        let counting = Arc::clone(&front);
        let done = async {
            let (client, fields) = asker(&front, &head, body, peer).await?;
            match fields.get("grant_type") {
                Some("client_credentials") => {}
                Some(_) => return Err(No::Grant),
                None => return Err(Unread::Request("The parameter grant_type is missing.").into()),
            }
            // The signing key may be due, and a new one is written to disk first.
            let grant = move || front.engine.grant(&client, fields.get("scope"), fields.get("resource"));
            let granted = blocking(grant).await?;
            Ok(issued(&granted))
        };
        done.await.unwrap_or_else(|no| {
            if matches!(no, No::Refused(TokenRefusal::ClockSuspect)) {
                counting.metrics.count_fault(Fault::Clock);
            }
            refusal(&no)
        })
    })
}

/// `POST /oauth/introspect`.
pub fn introspect(front: Arc<Front>, head: Parts, body: Incoming, peer: Option<IpAddr>) -> Later {
    Box::pin(async move {
        let done = async {
            let (client, fields) = asker(&front, &head, body, peer).await?;
            // An imported key costs a slow hash.
            let slow = gate::is_slow(presented(&fields)?.as_bytes());
            let look =
                move || front.engine.introspect(&client, fields.get("token").unwrap_or_default().as_bytes());
            Ok(match if slow { blocking(move || Ok(look())).await? } else { look() } {
                Some(known) => json(StatusCode::OK, &active(&known)),
                None => json(StatusCode::OK, &Unknown { active: false }),
            })
        };
        done.await.unwrap_or_else(|no| refusal(&no))
    })
}

/// `POST /oauth/revoke`.
pub fn revoke(front: Arc<Front>, head: Parts, body: Incoming, peer: Option<IpAddr>) -> Later {
    Box::pin(async move {
        let done = async {
            let (client, fields) = asker(&front, &head, body, peer).await?;
            presented(&fields)?;
            let end = move || {
                front.engine.revoke_token(&client, fields.get("token").unwrap_or_default().as_bytes())
            };
            blocking(end).await?;
            // RFC 7009 §2.2 has clients look at the status alone; some read JSON whatever the answer is about.
            Ok(json(StatusCode::OK, &Ended {}))
        };
        done.await.unwrap_or_else(|no| refusal(&no))
    })
}

/// `GET /.well-known/jwks.json`.
pub fn keys(front: &Front, _: Head<'_>, _: Option<IpAddr>) -> Reply {
    let keys = front.engine.jwks();
    let live = !keys.is_empty();
    let Ok(body) = serde_json::to_vec(&Keys { keys }) else { return broken() };
    let mut reply = reply::text(StatusCode::OK, "application/jwk-set+json", body);
    // The first key of all signs at once, so that there is none must not be remembered.
    if live {
        reply.headers_mut().insert(CACHE_CONTROL, KEYS_LIVE);
    }
    reply
}

/// Reads the form, and who sent it.
async fn asker(
    front: &Front,
    head: &Parts,
    body: Incoming,
    peer: Option<IpAddr>,
) -> Result<(Client, Fields), No> {
    let bytes = form::read(&head.headers, body).await.map_err(No::Form)?;
    let fields = Fields::read(&bytes)?;
    let credentials = Credentials::read(head, &fields)?;
    let lines = Lines::of(&head.headers);
    let origin =
        Origin { address: gate::address(&lines, peer), agent: lines.agent.map(HeaderValue::as_bytes) };
    let secret = credentials.secret.as_bytes();
    let client = front.engine.authenticate_from(&credentials.id, secret, origin)?;
    Ok((client, fields))
}

fn presented(fields: &Fields) -> Result<&str, Unread> {
    fields.get("token").ok_or(Unread::Request("The parameter token is missing."))
}

/// Off the threads that answer others.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TokenRefusal> + Send + 'static,
) -> Result<T, TokenRefusal> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(TokenRefusal::Unavailable))
}

fn issued(granted: &Granted) -> Reply {
    json(
        StatusCode::OK,
        &TokenAnswer {
            access_token: granted.token.reveal(),
            token_type: "Bearer",
            expires_in: granted.seconds,
            scope: granted.scopes.to_string(),
        },
    )
}

fn active(told: &Introspection) -> Good {
    let second = |at: Timestamp| at.0 / 1_000;
    let (client, scopes, issued, ends, subject, id) = match &told.known {
        Known::Token(claims) => {
            let (app, id) = (claims.app.to_string(), claims.id.to_string());
            (Some(app.clone()), &claims.scopes, claims.issued, Some(claims.expires), app, id)
        }
        Known::Key { key, app, scopes, issued, expiry } => {
            let app = app.map(|app| app.to_string());
            (app, scopes, *issued, expiry.instant(), key.to_string(), key.to_string())
        }
    };
    Good {
        active: true,
        scope: scopes.to_string(),
        client_id: client,
        token_type: "Bearer",
        exp: ends.map(second),
        iat: second(issued),
        sub: subject,
        aud: told.config.audience().to_owned(),
        iss: told.config.issuer().to_owned(),
        jti: id,
    }
}

fn refusal(no: &No) -> Reply {
    let problem = |status, error, about| json(status, &Problem { error, error_description: about });
    let bad = StatusCode::BAD_REQUEST;
    match no {
        No::Form(BadForm::Kind) => {
            problem(bad, "invalid_request", Some("The body must be application/x-www-form-urlencoded."))
        }
        No::Form(BadForm::TooLong) => {
            problem(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", Some("The body is too long."))
        }
        No::Form(BadForm::Broken) => problem(bad, "invalid_request", Some("The body ended early.")),
        No::Unread(Unread::Request(about)) => problem(bad, "invalid_request", Some(about)),
        No::Grant => problem(bad, "unsupported_grant_type", Some("Only client_credentials is supported.")),
        No::Unread(Unread::Client) | No::Refused(TokenRefusal::InvalidClient) => {
            let mut reply = problem(StatusCode::UNAUTHORIZED, "invalid_client", None);
            reply.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
            reply
        }
        No::Refused(refusal) => {
            let about = refusal.to_string();
            match refusal {
                TokenRefusal::Unavailable | TokenRefusal::ClockSuspect => {
                    let status = StatusCode::SERVICE_UNAVAILABLE;
                    let mut reply = problem(status, "temporarily_unavailable", Some(&about));
                    let wait = if *refusal == TokenRefusal::Unavailable { "1" } else { "60" };
                    reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(wait));
                    reply
                }
                TokenRefusal::NoAccessToken => problem(bad, "unsupported_token_type", Some(&about)),
                TokenRefusal::UnauthorizedClient | TokenRefusal::NotYours => {
                    problem(bad, "unauthorized_client", Some(&about))
                }
                TokenRefusal::InvalidTarget => problem(bad, "invalid_target", Some(&about)),
                TokenRefusal::InvalidClient
                | TokenRefusal::ScopesUnreadable
                | TokenRefusal::ScopeNotHeld(_)
                | TokenRefusal::TooManyScopes => problem(bad, "invalid_scope", Some(&about)),
            }
        }
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Reply {
    serde_json::to_vec(body).map_or_else(|_| broken(), |body| private(reply::text(status, JSON, body)))
}

/// An answer that cannot be written is no answer: an empty one would be taken for it.
fn broken() -> Reply {
    private(reply::text(StatusCode::INTERNAL_SERVER_ERROR, JSON, r#"{"error":"server_error"}"#))
}

/// An answer nobody between here and the client may keep, however old (RFC 6749 §5.1).
fn private(mut reply: Reply) -> Reply {
    reply.headers_mut().insert(CACHE_CONTROL, reply::NO_STORE);
    reply.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    reply
}
