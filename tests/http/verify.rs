//! `/verify` as a proxy meets it: who passes, who does not, and that no trick of a client turns a no into a yes.

use crate::support::desk::with_checksum;
use crate::support::http::{Heard, House, START, ask, send};
use crate::support::wait::until;
use keydeck::domain::{Command, Expiry, Place, Timestamp};
use keydeck::engine::Engine as _;

const IDENTITY: [&str; 9] = [
    "keydeck-key-id",
    "keydeck-kind",
    "keydeck-name",
    "keydeck-owner",
    "keydeck-scopes",
    "keydeck-location",
    "keydeck-app",
    "keydeck-source-app",
    "keydeck-user-type",
];
const CHALLENGE: &str = r#"Bearer realm="keydeck""#;
const INVALID: &str = r#"Bearer realm="keydeck", error="invalid_token""#;

/// A refusal says nothing about anybody.
#[track_caller]
fn is_refusal(heard: &Heard, status: u16, challenge: &str) {
    assert_eq!(heard.status, status, "{heard:?}");
    assert_eq!(heard.one("www-authenticate"), challenge);
    assert_eq!(heard.one("cache-control"), "no-store");
    assert!(
        heard.body.is_empty() && !heard.headers.iter().any(|(name, _)| name.starts_with("keydeck")),
        "{heard:?}"
    );
}

#[test]
fn an_allow_names_the_key_in_all_its_headers() {
    let house = House::new();
    house.does(Command::AddLocations(vec![keydeck::domain::Name::new("Downtown").unwrap()]));
    let location = house.open.engine.state().locations().next().unwrap().id;
    let (id, token) =
        house.issue("Müller & Söhne", Place::Location(location), &["contacts.read", "contacts.write"]);
    let heard = house.bearer("/verify", &token);
    assert_eq!((heard.status, heard.body.as_str()), (200, ""));
    assert_eq!(heard.one("cache-control"), "no-store");
    let (id, location) = (id.to_string(), location.to_string());
    let values = [
        &id,
        "location",
        "M%C3%BCller %26 S%C3%B6hne",
        "maria",
        "contacts.read contacts.write",
        &location,
        "",
        "",
        "",
    ];
    for (name, value) in IDENTITY.into_iter().zip(values) {
        assert_eq!(heard.one(name), value, "{name}");
    }
    let (_, agency) = house.issue("Plain", Place::Agency, &["contacts.read"]);
    let heard = house.bearer("/verify", &agency);
    assert_eq!((heard.one("keydeck-kind"), heard.one("keydeck-location")), ("agency", ""));
}

#[test]
fn every_path_below_verify_and_every_method_gets_the_same_answer() {
    let house = House::new();
    let (_, token) = house.issue("A", Place::Agency, &["contacts.read"]);
    let headers = format!("X-API-Key: {token}\r\n");
    let plain = house.ask("/verify", &headers).undated();
    assert_eq!(plain.status, 200);
    for path in [
        "/verify/",
        "/verify/contacts/7",
        "http://other/verify",
        "/envoy/",
        "/envoy/contacts/7?x=y&scopes=contacts.write&scope=none&profile=none",
    ] {
        assert_eq!(house.ask(path, &headers).undated(), plain, "{path}");
    }
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "TRACE"] {
        assert_eq!(ask(house.address, method, "/verify", &headers).undated(), plain, "{method}");
    }
    // A body that came with the head is not looked at.
    let body = format!("{headers}Content-Length: 6\r\n");
    assert_eq!(
        send(
            house.address,
            format!("POST /verify HTTP/1.1\r\nConnection: close\r\n{body}\r\nscope=").as_bytes()
        )
        .undated(),
        plain
    );
    for path in ["/", "/verifyx", "/Verify", "//verify", "/metrics/x", "/keys", "/admin", "*"] {
        assert_eq!(house.ask(path, &headers).status, 404, "{path}");
    }
    assert_eq!(ask(house.address, "POST", "/metrics", "").one("allow"), "GET, HEAD");
}

/// Row 10: by whatever way a key comes, and whatever scopes it must hold, the decision is the engine's.
#[test]
fn every_transport_and_every_scope_rule_lead_to_the_engines_decision() {
    let house = House::new();
    let (_, token) = house.issue("A", Place::Agency, &["contacts.read", "calendars.read"]);
    let (revoked, gone) = house.issue("B", Place::Agency, &["contacts.read", "calendars.read"]);
    house.does(Command::revoke(revoked));
    let rules: [&[&str]; 7] = [
        &[],
        &["contacts.read"],
        &["contacts.read", "calendars.read"],
        &["calendars.read", "contacts.read", "contacts.read"],
        &["contacts.write"],
        &["contacts.read", "contacts.write"],
        &["contacts.rea"],
    ];
    for presented in [&token, &gone] {
        for rule in rules {
            let wanted: Vec<_> = rule.iter().map(|scope| scope.parse().unwrap()).collect();
            let decision = house.open.engine.verify(presented.as_bytes(), &wanted);
            let status = match decision.reason().map(keydeck::domain::Reason::code) {
                None => 200,
                Some("scope") => 403,
                Some(_) => 401,
            };
            let query: Vec<_> =
                rule.iter().map(|scope| format!("scope={}", scope.replace('.', "%2e"))).collect();
            let query = query.join("&");
            let line = if rule.is_empty() {
                String::new()
            } else {
                format!("Keydeck-Require-Scope: {}\r\n", rule.join(" "))
            };
            for credential in [
                format!("Authorization: Bearer {presented}\r\n"),
                format!("authorization: bEaReR {presented}\r\n"),
                format!("X-API-Key: {presented}\r\n"),
                format!("x-api-key:{presented}  \r\n"),
            ] {
                for (target, more) in [
                    (format!("/verify?{query}"), ""),
                    (format!("/verify?profile=strict&{query}"), ""),
                    (format!("/verify/contacts/1?{query}"), ""),
                    ("/envoy/contacts/1?x=y&scope=none".to_owned(), line.as_str()),
                    ("/verify".to_owned(), line.as_str()),
                ] {
                    let heard = house.ask(&target, &format!("{credential}{more}"));
                    assert_eq!(heard.status, status, "{target} {credential}{more} {decision:?}");
                    if status == 403 {
                        let wanted = format!(
                            "Bearer realm=\"keydeck\", error=\"insufficient_scope\", scope=\"{}\"",
                            rule.join(" ")
                        );
                        is_refusal(&heard, 403, &wanted);
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_wrong_with_a_token_is_not_told() {
    let house = House::new();
    let (_, good) = house.issue("A", Place::Agency, &["contacts.read"]);
    let (revoked, b) = house.issue("B", Place::Agency, &["contacts.read"]);
    let (paused, c) = house.issue("C", Place::Agency, &["contacts.read"]);
    let (deleted, d) = house.issue("D", Place::Agency, &["contacts.read"]);
    house.does(Command::revoke(revoked));
    house.does(Command::PauseKey(paused, None));
    house.does(Command::DeleteKey(deleted));
    let other = House::new();
    let (_, unknown) = other.issue("A", Place::Agency, &["contacts.read"]);
    let texts = [
        &b,
        &c,
        &d,
        &unknown,
        &good[1..],
        &good[..55],
        &good.to_lowercase(),
        &format!("{good}x"),
        &format!("\"{good}\""),
        &format!("{good},{good}"),
        &format!("{good}, Bearer {good}"),
        "x",
        "",
        &"k".repeat(9_000),
        "ключ",
        "kdag_7HqP2mVx9KtR_…",
    ];
    let first = house.bearer("/verify?scope=contacts.read", "nonsense").undated();
    is_refusal(&first, 401, INVALID);
    for text in texts {
        for target in ["/verify", "/verify?scope=contacts.write", "/verify?profile=strict"] {
            assert_eq!(house.bearer(target, text).undated(), first, "{text}");
            assert_eq!(house.ask(target, &format!("X-API-Key: {text}\r\n")).undated(), first, "{text}");
        }
    }
    let bytes = b"GET /verify HTTP/1.1\r\nConnection: close\r\nX-API-Key: \xff\xfe\x80\r\n\r\n";
    assert_eq!(send(house.address, bytes).undated(), first);
    // Time passes, and the key is over: the same words.
    let end = Expiry::At(Timestamp(START.0 + 1_000));
    let (_, short) = house.issue_until("E", Place::Agency, &["contacts.read"], Some(end));
    house.clock.pass(999);
    assert_eq!(house.bearer("/verify", &short).status, 200);
    house.clock.pass(1);
    assert_eq!(house.bearer("/verify", &short).undated(), first);
}

/// Rows 8 and 9.
#[test]
fn one_credential_from_one_place_or_none_at_all() {
    let house = House::new();
    let (_, token) = house.issue("A", Place::Agency, &["contacts.read"]);
    let (_, other) = house.issue("B", Place::Agency, &["contacts.read"]);
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let key = format!("X-API-Key: {token}\r\n");
    let invalid_request = r#"Bearer realm="keydeck", error="invalid_request""#;
    for two in [
        format!("{bearer}{bearer}"),
        format!("{key}{key}"),
        format!("{bearer}{key}"),
        format!("{key}Authorization: Bearer {other}\r\n"),
        format!("Authorization: Basic dTpw\r\n{bearer}"),
        format!("Authorization: Basic dTpw\r\n{key}"),
        format!("{bearer}X-API-Key:\r\n"),
    ] {
        is_refusal(&house.ask("/verify", &two), 400, invalid_request);
        is_refusal(&house.ask("/verify?profile=full", &two), 400, invalid_request);
        is_refusal(&house.ask("/verify?profile=strict", &two), 401, INVALID);
    }
    for none in [
        String::new(),
        format!("Authorization: Basic {token}\r\n"),
        format!("Authorization: {token}\r\n"),
        format!("Authorization: Api-Key {token}\r\n"),
        format!("Authorization: Bearer\t{token}\r\n"),
        format!("Proxy-Authorization: Bearer {token}\r\n"),
        format!("X_API_Key: {token}\r\n"),
        format!("Cookie: x-api-key={token}\r\n"),
        "Authorization:\r\n".to_owned(),
    ] {
        for target in [
            "/verify".to_owned(),
            format!("/verify?access_token={token}&api_key={token}&x-api-key={token}"),
            format!("/verify/{token}"),
        ] {
            is_refusal(&house.ask(&target, &none), 401, CHALLENGE);
        }
    }
    for empty in
        ["Authorization: Bearer\r\n", "Authorization: Bearer \r\n", "X-API-Key:\r\n", "X-API-Key: \r\n"]
    {
        is_refusal(&house.ask("/verify", empty), 401, INVALID);
    }
}

#[test]
fn a_question_that_cannot_be_read_is_answered_no() {
    let house = House::new();
    let (_, token) = house.issue("A", Place::Agency, &["contacts.read"]);
    let many = "scope=contacts.read&".repeat(33);
    for query in [
        "scope=",
        "scope",
        "scope=*",
        "scope=contacts.*",
        "scope=contacts.read+contacts.read",
        "scope=CONTACTS.READ",
        "scope=%ff",
        "profile=none",
        "profile=strict&profile=strict",
        &many,
    ] {
        let heard = house.bearer(&format!("/verify?{query}"), &token);
        is_refusal(&heard, 403, r#"Bearer realm="keydeck", error="insufficient_scope""#);
    }
    assert_eq!(
        house.metric(r#"keydeck_verify_decisions_total{outcome="deny",reason="unreadable_question"}"#),
        Some(10)
    );
    assert_eq!(house.metric(r#"keydeck_verify_decisions_total{outcome="allow",reason=""}"#), Some(0));
}

/// What a proxy's owner meant for a scope and wrote otherwise.
#[test]
fn a_misspelt_question_opens_no_door() {
    let house = House::new();
    let (_, token) = house.issue("A", Place::Agency, &["contacts.read"]);
    let insufficient = r#"Bearer realm="keydeck", error="insufficient_scope""#;
    for query in [
        "scopes=contacts.read",
        "Scope=contacts.read",
        "SCOPE=contacts.read",
        "scope[]=contacts.read",
        "scope%5B%5D=contacts.read",
        "scope[0]=contacts.read",
        "require=contacts.read",
        "scope=contacts.read&x",
        "scope=contacts.read;scopes=contacts.read",
        "Profile=strict",
        "profile=STRICT",
        "profile=",
        "profile=strict&profile=full",
        "access_token=x",
    ] {
        for path in ["/verify", "/verify/", "/verify/contacts"] {
            is_refusal(&house.bearer(&format!("{path}?{query}"), &token), 403, insufficient);
        }
    }
    for header in [
        "Keydeck-Require-Scope:",
        "Keydeck-Require-Scope: contacts.raed",
        "Keydeck-Require-Scope: Contacts.Read",
        "Keydeck-Require-Scope: contacts.read,contacts.read",
        "Keydeck-Require-Scopes: contacts.read",
        "Keydeck_Require_Scope: contacts.read",
        "Keydeck-Required-Scope: contacts.read",
        "Keydeck-Scope: contacts.read",
        "Keydeck-Scopes: contacts.read",
        "Keydeck-Owner: maria",
        "KeydeckRequireScope: contacts.read",
    ] {
        for path in ["/verify", "/envoy/contacts?x=y"] {
            let heard = house.ask(path, &format!("{header}\r\nX-API-Key: {token}\r\n"));
            assert_eq!(heard.status, 403, "{header}");
        }
    }
}

#[test]
fn a_path_that_reads_in_two_ways_is_refused_wherever_the_proxy_tells_it() {
    let house = House::new();
    let (_, token) = house.issue("A", Place::Agency, &["contacts.read"]);
    let key = format!("X-API-Key: {token}\r\n");
    let invalid = r#"Bearer realm="keydeck", error="invalid_request""#;
    for path in
        ["/;/contacts", "/%63ontacts", "//contacts", "/a/../b", "/x/..%3b/y", "/%2e", "/a%5cb", "/%c0%af"]
    {
        for below in ["/verify", "/envoy"] {
            is_refusal(&house.ask(&format!("{below}{path}"), &key), 400, invalid);
        }
        for name in ["X-Original-URI", "x-forwarded-uri"] {
            let lines = format!("{name}: {path}?x=y\r\n{key}");
            is_refusal(&house.ask("/verify", &lines), 400, invalid);
            is_refusal(&house.ask("/verify?profile=strict&scope=contacts.read", &lines), 403, invalid);
            let two = format!("{name}: /\r\n{lines}{name}: /\r\n");
            is_refusal(&house.ask("/verify", &two), 400, invalid);
        }
        // A stranger is told what a stranger is told.
        is_refusal(&house.ask("/verify", &format!("X-Original-URI: {path}\r\n")), 401, CHALLENGE);
    }
    for uri in ["/", "/contacts/7?x=//../;%2e", "/M%C3%BCller", "/a..b/.c"] {
        let lines = format!("X-Original-URI: {uri}\r\nX-Forwarded-Uri: {uri}\r\n{key}");
        assert_eq!(house.ask("/verify", &lines).status, 200, "{uri}");
        assert_eq!(house.ask(&format!("/envoy{uri}"), &key).status, 200, "{uri}");
    }
    let counter = r#"keydeck_verify_decisions_total{outcome="deny",reason="ambiguous_path"}"#;
    assert_eq!(house.metric(counter), Some(8 * 8));
}

/// RFC 6750 §2.1: `credentials = "Bearer" 1*SP b64token`.
#[test]
fn two_spaces_after_bearer_are_as_good_as_one() {
    let house = House::new();
    let (_, token) = house.issue("A", Place::Agency, &["contacts.read"]);
    for spaces in [" ", "  ", "      "] {
        let heard = house.ask("/verify", &format!("Authorization: Bearer{spaces}{token}\r\n"));
        assert_eq!(heard.status, 200, "{spaces:?}");
    }
    is_refusal(&house.ask("/verify", &format!("Authorization: Bearer \t{token}\r\n")), 401, INVALID);
}

#[test]
fn the_next_request_after_a_change_meets_it() {
    let house = House::new();
    let (id, token) = house.issue("A", Place::Agency, &["contacts.read"]);
    let status = || house.bearer("/verify?scope=contacts.read", &token).status;
    assert_eq!(status(), 200);
    house.does(Command::PauseKey(id, None));
    assert_eq!(status(), 401);
    house.does(Command::ResumeKey(id));
    assert_eq!(status(), 200);
    house.does(Command::revoke(id));
    assert_eq!(status(), 401);
    assert_eq!(house.open.engine.now().time, Timestamp(START.0));
}

#[test]
fn the_counters_agree_with_what_was_answered() {
    let house = House::new();
    let (id, token) = house.issue("A", Place::Agency, &["contacts.read"]);
    for _ in 0..3 {
        house.bearer("/verify", &token);
    }
    house.bearer("/verify?scope=contacts.write", &token);
    house.ask("/verify", "");
    house.ask("/verify", "X-API-Key: a\r\nX-API-Key: b\r\n");
    house.does(Command::revoke(id));
    house.bearer("/verify", &token);
    let count = |outcome, reason| {
        house.metric(&format!(r#"keydeck_verify_decisions_total{{outcome="{outcome}",reason="{reason}"}}"#))
    };
    assert_eq!(count("allow", ""), Some(3));
    for reason in ["scope", "no_credential", "several_credentials", "revoked"] {
        assert_eq!(count("deny", reason), Some(1), "{reason}");
    }
    assert_eq!(count("deny", "unknown"), Some(0));
    // One in eight is timed, the first of each thread among them.
    let timed = house.metric("keydeck_verify_seconds_count");
    assert!(timed.is_some_and(|timed| (1..=7).contains(&timed)), "{timed:?}");
    assert_eq!(house.metric(r#"keydeck_verify_seconds_bucket{le="+Inf"}"#), timed);
    assert_eq!(house.metric("keydeck_keys"), Some(1));
    for (state, count) in [("active", 0), ("revoked", 1)] {
        assert_eq!(
            house.metric(&format!(r#"keydeck_keys_in_state{{state="{state}"}}"#)),
            Some(count),
            "{state}"
        );
    }
    for quiet in
        ["key_soonest_end_timestamp_seconds", "notices_open", "sweep_done_timestamp_seconds", "sweep_failing"]
    {
        assert_eq!(house.metric(&format!("keydeck_{quiet}")), Some(0), "{quiet}");
    }
    assert_eq!(house.metric("keydeck_ready"), Some(1));
    assert_eq!(
        house.metric(&format!("keydeck_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))),
        Some(1)
    );
    let heard = house.ask("/metrics", "");
    assert_eq!(heard.one("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(!heard.body.contains(&token) && !heard.body.contains(&id.to_string()));
}

/// The secret of an imported key costs a slow hash. Who guesses hears the same whether the key exists or not, and keeps
/// neither its callers nor keydeck's own keys waiting.
#[test]
fn imported_keys_pass_by_the_same_door_and_guesses_tell_nothing() {
    let house = House::new();
    let (_, own) = house.issue("Own", Place::Agency, &["contacts.read"]);
    let presented = house.import("Old", &["contacts.read"], b"legacy-secret-0001");
    let wrong = presented.replace("0001", "0002");
    let nobodys = format!("kdim_{}_legacy-secret-0001", "2".repeat(12));
    assert_eq!(house.bearer("/verify?scope=contacts.read", &presented).one("keydeck-name"), "Old");
    assert_eq!(house.bearer("/verify?scope=contacts.write", &presented).status, 403);
    for guess in [&wrong, &nobodys] {
        for _ in 0..6 {
            is_refusal(&house.bearer("/verify", guess), 401, INVALID);
        }
    }
    for known in [&presented, &own] {
        assert_eq!(house.bearer("/verify", known).status, 200);
    }
}

#[test]
fn what_was_refused_is_in_the_trail_a_minute_later_with_the_callers_address() {
    let house = House::new();
    house.open.engine.write_uses_every(std::time::Duration::from_millis(5));
    let (id, token) = house.issue("Nightly export", Place::Agency, &["contacts.read"]);
    house.does(Command::revoke(id));
    for n in 0..5 {
        let headers =
            format!("X-API-Key: {token}\r\nX-Forwarded-For: 203.0.113.{n}\r\nUser-Agent: curl/8.5\r\n");
        is_refusal(&house.ask("/verify", &headers), 401, INVALID);
    }
    assert_eq!(house.bearer("/verify", "kdag_nothing").status, 401);
    let told = || -> Vec<_> {
        let page = house.open.engine.audit(&house.open.session, None, 100, None).unwrap();
        page.lines.into_iter().map(|line| line.entry).filter(|entry| entry.tries.is_some()).collect()
    };
    assert!(told().is_empty());
    house.clock.pass(60_000);
    until("the entry", || !told().is_empty());
    let told = told();
    let [only] = &told[..] else { panic!("{told:?}") };
    assert_eq!(only.denial().unwrap(), "denied 5× · revoked · Nightly export");
    let tries = only.tries.as_ref().unwrap();
    assert_eq!((tries.address.as_deref(), tries.agent.as_deref()), (Some("203.0.113.4"), Some("curl/8.5")));
    assert_eq!(only.actor.name, "keydeck");
}

#[test]
fn a_decoy_is_answered_to_the_byte_as_a_token_that_nobody_issued_and_as_one_that_is_dead() {
    let house = House::new();
    let (dead, revoked) = house.issue("Revoked", Place::Agency, &["contacts.read"]);
    let (gone, deleted) = house.issue("Deleted", Place::Agency, &["contacts.read"]);
    house.does(Command::revoke(dead));
    house.does(Command::DeleteKey(gone));
    let decoy = house.lays("Nightly export", &["contacts.read"]);
    let flip = |c: &str| if c == "z" { "y" } else { "z" };
    let unknown = with_checksum(&format!("{}{}{}", &revoked[..5], flip(&revoked[5..6]), &revoked[6..]));
    let altered =
        |token: &str| with_checksum(&format!("{}{}{}", &token[..18], flip(&token[18..19]), &token[19..]));
    for target in ["/verify", "/verify?scope=contacts.read", "/verify?scope=contacts.write", "/verify/a/b"] {
        for profile in ["full", "strict"] {
            let target = format!("{target}{}profile={profile}", if target.contains('?') { "&" } else { "?" });
            for header in ["Authorization: Bearer ", "X-API-Key: "] {
                let heard = |token: &str| house.ask(&target, &format!("{header}{token}\r\n")).undated();
                let stranger = heard(&unknown);
                for token in [&decoy, &revoked, &deleted, &altered(&decoy), &altered(&revoked)] {
                    assert_eq!(heard(token), stranger, "{target} {header}");
                }
            }
        }
    }
    // Who watches over the house sees which it was.
    let count = |reason: &str| {
        let labels = format!("outcome=\"deny\",reason=\"{reason}\"");
        house.metric(&format!("keydeck_verify_decisions_total{{{labels}}}")).unwrap()
    };
    assert!(
        count("decoy") > 0 && count("decoy") == count("revoked"),
        "{} {}",
        count("decoy"),
        count("revoked")
    );
    assert_eq!(house.metric("keydeck_verify_decisions_total{outcome=\"allow\",reason=\"\"}"), Some(0));
}
