//! What a client finds without being told: who gives out tokens, for whom, and how to ask; and what a resource server is
//! told over HTTP.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::signing::PartyName;
use keydeck::domain::{Command, NewApp, Place, Terms, TokenAlg};
use serde_json::{Value, json};

use crate::oauth::{App, GRANT, app, created, new_app, post, refused, token_of, told};
use crate::support::http::{Heard, House, START, ask};

const SERVER: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";
const RESOURCE: &str = "/.well-known/oauth-protected-resource";

fn names(house: &House, issuer: &str, audience: &str) {
    for (name, value) in [("token-issuer", issuer), ("token-audience", audience)] {
        house.does(Command::SetPolicy { name: name.into(), value: value.into(), basis: None });
    }
}

fn made(house: &House, name: &str, method: AuthMethod, alg: TokenAlg, audiences: &[&str]) -> App {
    let audiences = audiences.iter().map(|name| PartyName::new(name).unwrap()).collect();
    let new = new_app(name, method);
    let scopes = if method == AuthMethod::ResourceServer { Vec::new() } else { new.scopes.clone() };
    created(house, NewApp { terms: Terms { alg, audiences }, scopes, ..new })
}

#[track_caller]
fn read(heard: &Heard) -> Value {
    assert_eq!((heard.status, heard.one("content-type")), (200, "application/json"), "{heard:?}");
    assert_eq!(heard.one("cache-control"), "public, max-age=900");
    serde_json::from_str(&heard.body).unwrap()
}

#[test]
fn a_server_without_an_address_of_its_own_says_nothing_of_itself() {
    let house = House::new();
    for path in [SERVER, OPENID, RESOURCE] {
        assert_eq!(house.ask(path, "").status, 404, "{path}");
    }
    names(&house, "https://keys.example.com", "platform");
    assert_eq!(house.ask(RESOURCE, "").status, 404, "the platform has a name and no address");
    assert_eq!(house.ask("/verify", "").all("www-authenticate"), [r#"Bearer realm="keydeck""#]);
    names(&house, "default", "https://api.example.com");
    for path in [SERVER, OPENID, RESOURCE] {
        assert_eq!(house.ask(path, "").status, 404, "{path}");
    }
    assert_eq!(house.ask("/verify", "").all("www-authenticate"), [r#"Bearer realm="keydeck""#]);
}

#[test]
fn a_server_with_an_address_says_where_everything_is() {
    let house = House::new();
    names(&house, "https://keys.example.com", "https://api.example.com/v1");
    let said = read(&house.ask(SERVER, ""));
    let by = json!(["client_secret_basic", "client_secret_post"]);
    assert_eq!(
        said,
        json!({
            "issuer": "https://keys.example.com",
            "token_endpoint": "https://keys.example.com/oauth/token",
            "jwks_uri": "https://keys.example.com/.well-known/jwks.json",
            "introspection_endpoint": "https://keys.example.com/oauth/introspect",
            "revocation_endpoint": "https://keys.example.com/oauth/revoke",
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": by,
            "introspection_endpoint_auth_methods_supported": by,
            "revocation_endpoint_auth_methods_supported": by,
            "protected_resources": ["https://api.example.com/v1"],
        })
    );
    assert_eq!(read(&house.ask(OPENID, "")), said);
    assert_eq!(
        read(&house.ask(&format!("{RESOURCE}/v1"), "")),
        json!({
            "resource": "https://api.example.com/v1",
            "authorization_servers": ["https://keys.example.com"],
            "bearer_methods_supported": ["header"],
        })
    );
    for other in [
        RESOURCE.to_owned(),
        format!("{RESOURCE}/v2"),
        format!("{RESOURCE}/v1/"),
        format!("{SERVER}/x"),
        format!("{SERVER}/"),
        format!("{OPENID}/v1"),
    ] {
        assert_eq!(house.ask(&other, "").status, 404, "{other}");
    }
    assert_eq!(ask(house.address, "POST", SERVER, "Content-Length: 0\r\n").status, 405);

    // An issuer with a path: with it behind, and without, for a proxy that takes it off.
    names(&house, "https://example.com/keys/", "https://api.example.com");
    for path in [SERVER.to_owned(), format!("{SERVER}/keys"), OPENID.to_owned()] {
        let said = read(&house.ask(&path, ""));
        assert_eq!(said["issuer"], "https://example.com/keys/", "as it is in tokens");
        assert_eq!(said["token_endpoint"], "https://example.com/keys/oauth/token");
    }
    assert_eq!(house.ask(&format!("{SERVER}/other"), "").status, 404);
    assert_eq!(read(&house.ask(RESOURCE, ""))["resource"], "https://api.example.com");
}

#[test]
fn whoever_is_refused_is_told_where_it_is_written_who_gives_out_tokens() {
    let house = House::new();
    names(&house, "https://keys.example.com", "https://api.example.com/v1");
    let token = token_of(&house, &app(&house, "Bot"));
    let at = r#", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/v1""#;
    for (target, with, status, error) in [
        ("/verify", String::new(), 401, ""),
        ("/verify", "Authorization: Bearer x\r\n".into(), 401, r#", error="invalid_token""#),
        ("/envoy/any/path", "Authorization: Bearer x\r\n".into(), 401, r#", error="invalid_token""#),
        (
            "/verify?scope=contacts.delete",
            format!("Authorization: Bearer {token}\r\n"),
            403,
            r#", error="insufficient_scope", scope="contacts.delete""#,
        ),
    ] {
        let heard = house.ask(target, &with);
        assert_eq!(heard.status, status, "{target}");
        assert_eq!(heard.all("www-authenticate"), [format!(r#"Bearer realm="keydeck"{error}{at}"#)]);
    }
    let heard = house.bearer("/verify", &token);
    assert_eq!((heard.status, heard.all("www-authenticate").len()), (200, 0));
    house.does(Command::SetPolicy { name: "token-audience".into(), value: "default".into(), basis: None });
    assert_eq!(house.ask("/verify", "").all("www-authenticate"), [r#"Bearer realm="keydeck""#]);
}

#[test]
fn a_resource_that_is_not_allowed_is_no_target() {
    let house = House::new();
    names(&house, "https://keys.example.com", "https://api.example.com");
    let files = "https://files.example.com";
    let app = made(&house, "Bot", AuthMethod::Jwt, TokenAlg::Es256, &["https://api.example.com", files]);
    let get = |more: &str| post(&house, "/oauth/token", &app.basic(), &format!("{GRANT}{more}"));
    let token = |heard: &Heard| told(heard, 200)["access_token"].as_str().unwrap().to_owned();
    for own in ["", "&resource=", "&resource=https%3A%2F%2Fapi.example.com"] {
        assert_eq!(house.bearer("/verify", &token(&get(own))).status, 200, "{own}");
    }
    let other = token(&get("&resource=https://files.example.com"));
    assert_eq!(house.bearer("/verify", &other).status, 401);
    for no in ["https://files.example.com/", "https://evil.example", "files", "%00"] {
        refused(&get(&format!("&resource={no}")), 400, "invalid_target");
    }
    refused(
        &get("&resource=https://files.example.com&resource=https://api.example.com"),
        400,
        "invalid_request",
    );
}

#[test]
fn a_resource_server_asks_about_tokens_and_keys_and_hears_of_an_end_at_once() {
    let house = House::new();
    names(&house, "https://keys.example.com", "https://api.example.com");
    let usual = TokenAlg::EdDsa;
    let server = made(&house, "API", AuthMethod::ResourceServer, usual, &[]);
    let files = made(&house, "Files", AuthMethod::ResourceServer, usual, &["https://files.example.com"]);
    let bot = app(&house, "Bot");
    let (token, (key, owned)) = (token_of(&house, &bot), house.issue("K", Place::Agency, &["contacts.read"]));
    let about = |who: &App, what: &str| {
        told(&post(&house, "/oauth/introspect", &who.basic(), &format!("token={what}")), 200)
    };
    let inactive = json!({ "active": false });
    let said = about(&server, &token);
    assert_eq!((&said["active"], &said["client_id"]), (&json!(true), &json!(bot.id)));
    let second = START.0 / 1_000;
    let said = about(&server, &owned);
    assert_eq!(
        said,
        json!({ "active": true, "scope": "contacts.read", "token_type": "Bearer", "iat": second,
                "sub": key.to_string(), "jti": key.to_string(), "aud": "https://api.example.com",
                "iss": "https://keys.example.com" })
    );
    for what in [token.as_str(), owned.as_str(), server.secret.as_str(), "kdim_x", "x"] {
        assert_eq!(about(&files, what), inactive, "{what}");
    }
    refused(&post(&house, "/oauth/token", &server.basic(), GRANT), 400, "unauthorized_client");
    let ends = |what: &str| post(&house, "/oauth/revoke", &server.basic(), &format!("token={what}"));
    refused(&ends(&token), 400, "unauthorized_client");
    refused(&ends(&owned), 400, "unsupported_token_type");
    assert_eq!(about(&server, &token)["active"], true, "it may ask, not end");

    house.does(Command::revoke(key));
    assert_eq!(about(&server, &owned), inactive);
    assert_eq!(post(&house, "/oauth/revoke", &bot.basic(), &format!("token={token}")).status, 200);
    assert_eq!(about(&server, &token), inactive);
}
