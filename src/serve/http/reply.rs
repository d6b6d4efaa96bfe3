//! Everything the server can say, and what each of it means (RFC 6750 §3). All but the allow are fixed texts, so a
//! refusal cannot tell one bad token from another.

use std::pin::Pin;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};

use super::ask::Profile;
use crate::domain::ScopeId;

/// A request without its body.
pub type Head<'r> = &'r Request<Incoming>;
/// An answer.
pub type Reply = Response<Full<Bytes>>;
/// An answer that takes a moment.
pub type Later = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// An answer, or the promise of one.
pub enum Said {
    /// There.
    Now(Reply),
    /// On its way.
    Later(Later),
}

/// A proxy that kept an answer would be the delay of every revocation.
pub const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="keydeck""#);
const INVALID_TOKEN: HeaderValue =
    HeaderValue::from_static(r#"Bearer realm="keydeck", error="invalid_token""#);
const INVALID_REQUEST: HeaderValue =
    HeaderValue::from_static(r#"Bearer realm="keydeck", error="invalid_request""#);
const INSUFFICIENT: &str = r#"Bearer realm="keydeck", error="insufficient_scope""#;

/// An empty answer that nobody keeps.
fn empty(status: StatusCode) -> Reply {
    let mut reply = Reply::default();
    *reply.status_mut() = status;
    reply.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    reply
}

fn refusal(status: StatusCode, challenge: HeaderValue) -> Reply {
    let mut reply = empty(status);
    reply.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    reply
}

/// A short text.
pub fn text(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = empty(status);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    *reply.body_mut() = Full::new(body.into());
    reply
}

/// The request may pass; `headers` say whose it is.
pub(super) fn allow(headers: HeaderMap) -> Reply {
    let mut reply = Reply::default();
    *reply.headers_mut() = headers;
    reply
}

/// No credential came: what is expected, and no error (RFC 6750 §3.1).
pub(in crate::serve) fn no_credential() -> Reply {
    refusal(StatusCode::UNAUTHORIZED, CHALLENGE)
}

/// The credential is not good, for whatever reason.
pub(in crate::serve) fn invalid_token() -> Reply {
    refusal(StatusCode::UNAUTHORIZED, INVALID_TOKEN)
}

/// More than one credential.
pub(in crate::serve) fn several(profile: Profile) -> Reply {
    match profile {
        Profile::Strict => invalid_token(),
        Profile::Full => refusal(StatusCode::BAD_REQUEST, INVALID_REQUEST),
    }
}

/// The path of the request reads in two ways.
pub(super) fn ambiguous_path(profile: Profile) -> Reply {
    let status = match profile {
        Profile::Strict => StatusCode::FORBIDDEN,
        Profile::Full => StatusCode::BAD_REQUEST,
    };
    refusal(status, INVALID_REQUEST)
}

/// The credential is good, but not for this; `wanted` is what this needs.
pub(in crate::serve) fn insufficient_scope(wanted: &[ScopeId]) -> Reply {
    let mut text = String::from(INSUFFICIENT);
    for (n, scope) in wanted.iter().enumerate() {
        text.push_str(if n == 0 { ", scope=\"" } else { " " });
        text.push_str(scope.as_str());
    }
    if !wanted.is_empty() {
        text.push('"');
    }
    // A scope is lower-case letters, digits and four signs: always a header's text.
    let challenge = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(INSUFFICIENT));
    refusal(StatusCode::FORBIDDEN, challenge)
}

/// A refusal that says in its challenge where it is written who gives out tokens (RFC 9728 §5.1), if that is written.
pub(super) fn pointing_to(mut reply: Reply, metadata: Option<&str>) -> Reply {
    let challenge = reply.headers().get(WWW_AUTHENTICATE).and_then(|challenge| challenge.to_str().ok());
    // An address has neither quotes nor backslashes.
    let more = challenge.zip(metadata).map(|(said, at)| format!("{said}, resource_metadata=\"{at}\""));
    if let Some(more) = more.and_then(|more| HeaderValue::try_from(more).ok()) {
        reply.headers_mut().insert(WWW_AUTHENTICATE, more);
    }
    reply
}

/// The store cannot vouch for the key now.
pub(in crate::serve) fn unavailable(profile: Profile) -> Reply {
    match profile {
        Profile::Strict => empty(StatusCode::FORBIDDEN),
        Profile::Full => empty(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// Too many tries of one key, or too much to do; the next try may be heard.
pub(in crate::serve) fn too_many(profile: Profile) -> Reply {
    match profile {
        Profile::Strict => empty(StatusCode::FORBIDDEN),
        Profile::Full => {
            let mut reply = empty(StatusCode::TOO_MANY_REQUESTS);
            reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            reply
        }
    }
}

/// No route there.
pub(super) fn not_found() -> Reply {
    empty(StatusCode::NOT_FOUND)
}

/// Another method.
pub(super) fn method_not_allowed(methods: &[Method]) -> Reply {
    let mut reply = empty(StatusCode::METHOD_NOT_ALLOWED);
    let list = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    if let Ok(list) = HeaderValue::try_from(list) {
        reply.headers_mut().insert(ALLOW, list);
    }
    reply
}

/// A request line that says more than its parser keeps. The connection is closed: which of its requests it was is not
/// known.
pub(super) fn malformed() -> Reply {
    let mut reply = empty(StatusCode::BAD_REQUEST);
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}

/// The address is longer than any that is asked for.
pub(super) fn uri_too_long() -> Reply {
    empty(StatusCode::URI_TOO_LONG)
}

/// A mistake in keydeck.
pub(super) fn broken() -> Reply {
    empty(StatusCode::INTERNAL_SERVER_ERROR)
}
