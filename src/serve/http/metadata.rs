//! What clients find by themselves: the metadata of the authorization server (RFC 8414), under OpenID's name too, and that
//! of the platform it protects (RFC 9728). There is some only while their names are addresses: any other name leads
//! nobody anywhere.

use std::net::IpAddr;

use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, HeaderValue};
use serde::Serialize;

use super::Front;
use super::reply::{self, Head, Reply};
use crate::domain::signing::{PartyName, RESOURCE_METADATA, TokenNames, split};

const SERVER: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";
/// As long as the key set.
const LIVE: HeaderValue = HeaderValue::from_static("public, max-age=900");
const BY_SECRET: &[&str] = &["client_secret_basic", "client_secret_post"];

/// RFC 8414 §2, and `protected_resources` of RFC 9728 §4.
#[derive(Serialize)]
struct Server<'a> {
    issuer: &'a str,
    token_endpoint: String,
    jwks_uri: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    grant_types_supported: &'static [&'static str],
    /// Nobody is sent here to sign in.
    response_types_supported: &'static [&'static str],
    token_endpoint_auth_methods_supported: &'static [&'static str],
    introspection_endpoint_auth_methods_supported: &'static [&'static str],
    revocation_endpoint_auth_methods_supported: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    protected_resources: Option<[&'a str; 1]>,
}

/// RFC 9728 §2.
#[derive(Serialize)]
struct Platform<'a> {
    resource: &'a str,
    authorization_servers: [&'a str; 1],
    bearer_methods_supported: &'static [&'static str],
}

/// `GET /.well-known/oauth-authorization-server`, with the path of the issuer behind it, if it has one, or without.
pub fn server(front: &Front, request: Head<'_>, _: Option<IpAddr>) -> Reply {
    of_server(front, request.uri().path().strip_prefix(SERVER))
}

/// `GET /.well-known/openid-configuration`: the same, for clients that look nowhere else.
pub fn openid(front: &Front, request: Head<'_>, _: Option<IpAddr>) -> Reply {
    of_server(front, request.uri().path().strip_prefix(OPENID))
}

fn of_server(front: &Front, below: Option<&str>) -> Reply {
    let names = names(front);
    let Some(issuer) = names.issuer.as_ref().map(PartyName::as_str) else { return reply::not_found() };
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    let path = split(base).map_or("", |(_, path)| path);
    if !below.is_some_and(|below| below.is_empty() || below == path) {
        return reply::not_found();
    }
    json(&Server {
        issuer,
        token_endpoint: format!("{base}/oauth/token"),
        jwks_uri: format!("{base}/.well-known/jwks.json"),
        introspection_endpoint: format!("{base}/oauth/introspect"),
        revocation_endpoint: format!("{base}/oauth/revoke"),
        grant_types_supported: &["client_credentials"],
        response_types_supported: &[],
        token_endpoint_auth_methods_supported: BY_SECRET,
        introspection_endpoint_auth_methods_supported: BY_SECRET,
        revocation_endpoint_auth_methods_supported: BY_SECRET,
        protected_resources: names.resource().map(|resource| [resource]),
    })
}

/// `GET /.well-known/oauth-protected-resource`, with the path of the platform's name behind it, if it has one.
pub fn resource(front: &Front, request: Head<'_>, _: Option<IpAddr>) -> Reply {
    let names = names(front);
    let (Some(issuer), Some(resource)) = (names.issuer.as_ref(), names.resource()) else {
        return reply::not_found();
    };
    let path = split(resource).map_or("", |(_, path)| if path == "/" { "" } else { path });
    if request.uri().path().strip_prefix(RESOURCE_METADATA) != Some(path) {
        return reply::not_found();
    }
    json(&Platform {
        resource,
        authorization_servers: [issuer.as_str()],
        bearer_methods_supported: &["header"],
    })
}

fn names(front: &Front) -> TokenNames {
    front.engine.state().policy().token_names.now.clone()
}

fn json(body: &impl Serialize) -> Reply {
    let Ok(body) = serde_json::to_vec(body) else { return reply::broken() };
    let mut reply = reply::text(StatusCode::OK, "application/json", body);
    reply.headers_mut().insert(CACHE_CONTROL, LIVE);
    reply
}
