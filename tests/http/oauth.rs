//! The OAuth endpoints as a program meets them: what it posts, what it is told, and what nobody keeps.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use crate::support::http::{Heard, House, START, ask, send};
use base64ct::{Base64, Encoding as _};
use keydeck::domain::catalog::AuthMethod;
use keydeck::domain::time::DAY_MS;
use keydeck::domain::{
    Command, Counted, Name, NewApp, Note, Place, Profile, Rotation, SourceApp, Timestamp, Url, UserType,
};
use keydeck::engine::Engine as _;
use serde_json::{Value, json};

pub const GRANT: &str = "grant_type=client_credentials";
const BASIC: &str = r#"Basic realm="keydeck", charset="UTF-8""#;

pub struct App {
    pub id: String,
    pub secret: String,
}

fn app_with(house: &House, name: &str, method: AuthMethod) -> App {
    created(house, new_app(name, method))
}

pub fn created(house: &House, new: NewApp) -> App {
    let done = house.does(Command::CreateApp(new));
    let token = done.token.unwrap();
    App { id: format!("app_{}", token.id()), secret: token.reveal().to_owned() }
}

pub fn new_app(name: &str, method: AuthMethod) -> NewApp {
    NewApp {
        name: Name::new(name).unwrap(),
        profile: Profile {
            uri: Url::new("https://example.com").unwrap(),
            description: Note::default(),
            user_type: UserType::Both,
            source: SourceApp::Bot,
            post_login: Vec::new(),
            post_logout: Vec::new(),
        },
        method,
        scopes: vec!["contacts.read".into(), "contacts.write".into()],
        terms: keydeck::domain::Terms::default(),
    }
}

pub fn app(house: &House, name: &str) -> App {
    app_with(house, name, AuthMethod::Jwt)
}

impl App {
    pub fn basic(&self) -> String {
        format!(
            "Authorization: Basic {}\r\n",
            Base64::encode_string(format!("{}:{}", self.id, self.secret).as_bytes())
        )
    }

    fn body(&self) -> String {
        format!("client_id={}&client_secret={}", self.id, self.secret)
    }

    pub fn id(&self) -> keydeck::domain::AppId {
        self.id.parse().unwrap()
    }
}

pub fn post(house: &House, target: &str, headers: &str, body: &str) -> Heard {
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let text = format!(
        "POST {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{form}Content-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    send(house.address, text.as_bytes())
}

/// Nobody keeps it, and it is JSON.
#[track_caller]
pub fn told(heard: &Heard, status: u16) -> Value {
    assert_eq!(heard.status, status, "{heard:?}");
    assert_eq!((heard.one("cache-control"), heard.one("pragma")), ("no-store", "no-cache"));
    assert_eq!(heard.one("content-type"), "application/json");
    serde_json::from_str(&heard.body).unwrap()
}

#[track_caller]
pub fn refused(heard: &Heard, status: u16, error: &str) {
    assert_eq!(told(heard, status)["error"], error, "{heard:?}");
    let challenge = if status == 401 { vec![BASIC] } else { vec![] };
    assert_eq!(heard.all("www-authenticate"), challenge);
}

pub fn token_of(house: &House, app: &App) -> String {
    let said = told(&post(house, "/oauth/token", &app.basic(), GRANT), 200);
    said["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn a_token_by_header_or_by_body_opens_verify() {
    let house = House::new();
    let app = app(&house, "Müller's bot");
    for (headers, body) in [
        (app.basic(), GRANT.to_owned()),
        (String::new(), format!("{GRANT}&{}", app.body())),
        (app.basic(), format!("{GRANT}&client_id={}&unknown=x&scope=", app.id)),
    ] {
        let said = told(&post(&house, "/oauth/token", &headers, &body), 200);
        let token = said["access_token"].as_str().unwrap();
        assert_eq!(
            said,
            json!({ "access_token": token, "token_type": "Bearer", "expires_in": 600,
                    "scope": "contacts.read contacts.write" })
        );
        let heard = house.bearer("/verify?scope=contacts.write", token);
        assert_eq!(heard.status, 200, "{heard:?}");
        for (name, value) in [
            ("keydeck-kind", "app"),
            ("keydeck-key-id", ""),
            ("keydeck-app", app.id.as_str()),
            ("keydeck-name", "M%C3%BCller%27s bot"),
            ("keydeck-source-app", "bot"),
            ("keydeck-user-type", "guest employee"),
        ] {
            assert_eq!(heard.one(name), value, "{name}");
        }
        assert_eq!(house.bearer("/verify?scope=contacts.delete", token).status, 403);
        assert_eq!(house.bearer("/verify", &format!("{token}x")).status, 401);
        assert_eq!(house.ask("/verify", &format!("X-API-Key: {token}\r\n")).status, 200);
    }
    let half =
        told(&post(&house, "/oauth/token", &app.basic(), &format!("{GRANT}&scope=contacts.read")), 200);
    assert_eq!(half["scope"], "contacts.read");
    assert_eq!(
        house.bearer("/verify?scope=contacts.write", half["access_token"].as_str().unwrap()).status,
        403
    );
}

#[test]
fn a_request_for_a_token_that_is_not_as_it_must_be() {
    let house = House::new();
    let (app, keys) = (app(&house, "Bot"), app_with(&house, "Old", AuthMethod::ApiKey));
    let post = |headers: &str, body: &str| post(&house, "/oauth/token", headers, body);
    let whole = format!("{GRANT}&{}", app.body());

    refused(&post("", GRANT), 401, "invalid_client");
    refused(&post("", &whole.replace("kdas_", "kdap_")), 401, "invalid_client");
    refused(&post("", &whole.replace(&app.id, "app_111111111111")), 401, "invalid_client");
    refused(&post("Authorization: Bearer x\r\n", GRANT), 401, "invalid_client");
    refused(&post("Authorization: Basic !\r\n", GRANT), 401, "invalid_client");
    refused(&post(&keys.basic(), GRANT), 400, "unauthorized_client");

    refused(&post(&app.basic(), &whole), 400, "invalid_request");
    refused(&post(&format!("{0}{0}", app.basic()), GRANT), 400, "invalid_request");
    refused(&post("", &format!("{whole}&{GRANT}")), 400, "invalid_request");
    refused(&post("", &app.body()), 400, "invalid_request");
    refused(&post("", &format!("grant_type=&{}", app.body())), 400, "invalid_request");
    for grant in ["password", "authorization_code", "refresh_token", "Client_Credentials", "x"] {
        refused(&post(&app.basic(), &format!("grant_type={grant}")), 400, "unsupported_grant_type");
    }
    for scope in
        ["contacts.delete", "*", "contacts.read++contacts.write", "contacts.read+contacts.read", "%00", "%FF"]
    {
        refused(&post(&app.basic(), &format!("{GRANT}&scope={scope}")), 400, "invalid_scope");
    }
    assert_eq!(post(&app.basic(), &format!("{GRANT}&scope=contacts.read+contacts.write")).status, 200);

    let long = format!("{whole}&x={}", "y".repeat(8 * 1024));
    refused(&post("", &long), 413, "invalid_request");
    let in_url = send(
        house.address,
        format!(
            "POST /oauth/token?{whole} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n\r\n"
        )
        .as_bytes(),
    );
    refused(&in_url, 400, "invalid_request");
    for kind in ["", "Content-Type: application/json\r\n", "Content-Type: text/plain\r\n"] {
        let text = format!(
            "POST /oauth/token HTTP/1.1\r\nHost: t\r\nConnection: close\r\n{kind}Content-Length: {}\r\n\r\n{whole}",
            whole.len()
        );
        refused(&send(house.address, text.as_bytes()), 400, "invalid_request");
    }
}

#[test]
fn other_methods_are_told_which_one_is_meant() {
    let house = House::new();
    for path in ["/oauth/token", "/oauth/introspect", "/oauth/revoke"] {
        for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
            let heard = ask(house.address, method, path, "");
            assert_eq!((heard.status, heard.one("allow")), (405, "POST"), "{method} {path}");
        }
    }
    assert_eq!(ask(house.address, "POST", "/.well-known/jwks.json", "Content-Length: 0\r\n").status, 405);
    for none in ["/oauth", "/oauth/", "/oauth/token/", "/oauth/authorize", "/.well-known/", "/jwks.json"] {
        assert_eq!(house.ask(none, "").status, 404, "{none}");
    }
}

#[test]
fn the_key_set_is_public_and_says_nothing_secret() {
    let house = House::new();
    let heard = house.ask("/.well-known/jwks.json", "");
    let app = app(&house, "Bot");
    token_of(&house, &app);
    assert_eq!(house.ask("/.well-known/jwks.json", "").body, heard.body, "known before the first token");
    assert_eq!(heard.one("content-type"), "application/jwk-set+json");
    assert_eq!(heard.one("cache-control"), "public, max-age=900");
    let set: Value = serde_json::from_str(&heard.body).unwrap();
    let keys = set["keys"].as_array().unwrap();
    let members: Vec<Vec<&str>> =
        keys.iter().map(|key| key.as_object().unwrap().keys().map(String::as_str).collect()).collect();
    assert_eq!(
        members,
        [vec!["alg", "crv", "kid", "kty", "use", "x"], vec!["alg", "crv", "kid", "kty", "use", "x", "y"]],
        "no d, which would be the secret half"
    );
    assert_eq!((&keys[0]["alg"], &keys[1]["alg"]), (&json!("EdDSA"), &json!("ES256")));
    house.does(Command::RotateSigningKey);
    let set: Value = serde_json::from_str(&house.ask("/.well-known/jwks.json", "").body).unwrap();
    assert_eq!(set["keys"].as_array().map(Vec::len), Some(4), "the next one is known before it signs");
}

#[test]
fn a_clock_in_doubt_signs_no_token_and_says_when_to_come_again() {
    let house = House::new();
    let app = app(&house, "Bot");
    let wrong = "keydeck_http_faults_total{kind=\"clock_suspect\"}";
    assert_eq!((house.metric(wrong), house.metric("keydeck_clock_suspect")), (Some(0), Some(0)));
    for ahead in [400 * DAY_MS, -DAY_MS] {
        house.clock.set(Timestamp(START.0 + ahead));
        let heard = post(&house, "/oauth/token", &app.basic(), GRANT);
        let said = told(&heard, 503);
        assert_eq!(
            (said["error"].as_str(), heard.one("retry-after")),
            (Some("temporarily_unavailable"), "60")
        );
        assert!(said["error_description"].as_str().unwrap().contains("clock"), "{said}");
        assert_eq!(house.metric("keydeck_clock_suspect"), Some(1));
    }
    assert_eq!(house.metric(wrong), Some(2));
    house.clock.set(START);
    token_of(&house, &app);
    assert_eq!(house.metric("keydeck_clock_suspect"), Some(0));
}

#[test]
fn row_45_introspection_is_for_apps_and_each_sees_its_own() {
    let house = House::new();
    let (app, other) = (app(&house, "Bot"), app(&house, "Spy"));
    let token = token_of(&house, &app);
    let ask = |headers: &str, body: &str| post(&house, "/oauth/introspect", headers, body);
    let about = format!("token={token}");

    refused(&ask("", &about), 401, "invalid_client");
    refused(&ask(&format!("Authorization: Bearer {token}\r\n"), &about), 401, "invalid_client");
    let (_, key) = house.issue("K", Place::Agency, &["contacts.read"]);
    refused(&ask(&format!("X-API-Key: {key}\r\n"), &about), 401, "invalid_client");
    refused(&ask(&app.basic(), ""), 400, "invalid_request");
    refused(&ask(&app.basic(), "token="), 400, "invalid_request");
    refused(&ask(&app.basic(), &format!("{about}&{about}")), 400, "invalid_request");

    let said = told(&ask(&app.basic(), &format!("{about}&token_type_hint=refresh_token")), 200);
    let second = START.0 / 1_000;
    let issuer = said["iss"].as_str().unwrap();
    assert!(issuer.starts_with("urn:keydeck:"), "{issuer}");
    assert_eq!(
        said,
        json!({ "active": true, "scope": "contacts.read contacts.write", "client_id": app.id,
                "token_type": "Bearer", "exp": second + 600, "iat": second, "sub": app.id,
                "aud": issuer, "iss": issuer, "jti": said["jti"] })
    );

    let inactive = json!({ "active": false });
    for (who, what) in [
        (&other, about.as_str()),
        (&app, "token=x"),
        (&app, "token=eyJhbGciOiJub25lIn0.e30."),
        (&app, &format!("token={key}")),
        (&app, &format!("token={}", app.secret)),
        (&app, &format!("{about}x")),
    ] {
        assert_eq!(told(&ask(&who.basic(), what), 200), inactive, "{what}");
    }
    house.clock.set(Timestamp(START.0 + 600_000));
    assert_eq!(told(&ask(&app.basic(), &about), 200), inactive, "over");
}

#[test]
fn a_revoked_token_is_refused_by_the_next_request() {
    let house = House::new();
    let (app, other) = (app(&house, "Bot"), app(&house, "Spy"));
    let (token, kept) = (token_of(&house, &app), token_of(&house, &app));
    let revoke = |headers: &str, body: &str| post(&house, "/oauth/revoke", headers, body);
    let about = format!("token={token}");

    refused(&revoke("", &about), 401, "invalid_client");
    refused(&revoke(&app.basic(), ""), 400, "invalid_request");
    refused(&revoke(&other.basic(), &about), 400, "unauthorized_client");
    let secret = format!("token={}", other.secret);
    refused(&revoke(&app.basic(), &secret), 400, "unsupported_token_type");
    for what in ["token=x", "token=eyJ.e30."] {
        let heard = revoke(&app.basic(), what);
        assert_eq!((heard.status, heard.body.as_str()), (200, "{}"));
    }
    assert_eq!(house.bearer("/verify", &token).status, 200, "none of these ended it");

    let heard = revoke("", &format!("{}&{about}", app.body()));
    assert_eq!((heard.status, heard.body.as_str(), heard.one("cache-control")), (200, "{}", "no-store"));
    assert_eq!(house.bearer("/verify", &token).status, 401);
    assert_eq!(house.bearer("/verify", &kept).status, 200);
    let said = told(&post(&house, "/oauth/introspect", &app.basic(), &about), 200);
    assert_eq!(said, json!({ "active": false }));
    assert_eq!(revoke(&app.basic(), &about).status, 200, "again is no error");
}

#[test]
fn row_44_whoever_changes_the_app_changes_its_tokens() {
    let house = House::new();
    let app = app(&house, "Bot");
    let token = token_of(&house, &app);
    assert_eq!(house.bearer("/verify", &token).status, 200);
    house.does(Command::PauseApp(app.id()));
    let heard = house.bearer("/verify", &token);
    assert_eq!(heard.status, 401);
    assert_eq!(heard.one("www-authenticate"), r#"Bearer realm="keydeck", error="invalid_token""#);
    refused(&post(&house, "/oauth/token", &app.basic(), GRANT), 401, "invalid_client");
    house.does(Command::ResumeApp(app.id()));
    assert_eq!(house.bearer("/verify", &token).status, 200);
    house.does(Command::DeleteApp(app.id()));
    assert_eq!(house.bearer("/verify", &token).status, 401);
    refused(&post(&house, "/oauth/token", &app.basic(), GRANT), 401, "invalid_client");
}

#[test]
fn an_app_is_moved_from_one_secret_to_the_next_without_a_request_being_refused() {
    let house = House::new();
    let old = app(&house, "Bot");
    let rotation =
        Rotation { id: None, grace: "1h".parse().unwrap(), counted: Counted::FromNow, expiry: None };
    let done = house.does(Command::RenewAppSecret(old.id(), Some(rotation)));
    let new = App { id: old.id.clone(), secret: done.token.unwrap().reveal().to_owned() };
    assert_eq!(house.metric("keydeck_notices_open"), Some(1), "its old secret ends");
    let token = token_of(&house, &old);
    for app in [&old, &new] {
        let by_body = post(&house, "/oauth/token", "", &format!("{GRANT}&{}", app.body()));
        let fetched = told(&by_body, 200)["access_token"].as_str().unwrap().to_owned();
        assert_eq!(house.bearer("/verify", &fetched).status, 200);
        let about = format!("token={token}");
        assert_eq!(told(&post(&house, "/oauth/introspect", &app.basic(), &about), 200)["active"], true);
        assert_eq!(post(&house, "/oauth/revoke", &app.basic(), &format!("token={fetched}")).status, 200);
        assert_eq!(house.bearer("/verify", &fetched).status, 401);
    }
    let by_proxy = format!("{}X-Forwarded-For: 203.0.113.9\r\nUser-Agent: kiosk/2.1\r\n", old.basic());
    assert_eq!(post(&house, "/oauth/token", &by_proxy, GRANT).status, 200);
    house.open.engine.settle().unwrap();
    let used = || {
        let state = house.open.engine.state();
        let uses = state.app(old.id()).unwrap().previous().unwrap().uses;
        let whence = state.trace_of(uses).unwrap().sighting.as_ref().unwrap().to_string();
        (state.usage_of(uses).count, whence)
    };
    assert_eq!(used(), (6, "203.0.113.9 by kiosk/2.1".to_owned()));

    house.clock.pass(3_600_000 - 1_500);
    let short = told(&post(&house, "/oauth/token", &old.basic(), GRANT), 200);
    assert_eq!(short["expires_in"], 2, "it ends with the secret");
    house.clock.pass(1_500);
    refused(
        &post(&house, "/oauth/introspect", &old.basic(), &format!("token={token}")),
        401,
        "invalid_client",
    );
    refused(&post(&house, "/oauth/token", "", &format!("{GRANT}&{}", old.body())), 401, "invalid_client");
    assert_eq!(house.bearer("/verify", &token_of(&house, &new)).status, 200);
}

#[test]
fn neither_secret_nor_token_is_told_again() {
    let house = House::new();
    let app = app(&house, "Bot");
    let token = token_of(&house, &app);
    let secret = &app.secret[18..];
    for (target, headers, body) in [
        ("/oauth/token", app.basic(), format!("{GRANT}&scope={token}")),
        ("/oauth/token", app.basic(), format!("grant_type={token}")),
        ("/oauth/token", String::new(), format!("{}&client_id=x", app.body())),
        ("/oauth/introspect", app.basic(), format!("token={token}")),
        ("/oauth/introspect", app.basic(), format!("token={token}&client_secret={}", app.secret)),
        ("/oauth/revoke", app.basic(), format!("token={token}")),
    ] {
        let heard = format!("{:?}", post(&house, target, &headers, &body));
        assert!(!heard.contains(secret) && !heard.contains(&token), "{heard}");
    }
    let metrics = house.ask("/metrics", "").body;
    assert!(!metrics.contains(&app.id) && !metrics.contains(secret), "{metrics}");
}
