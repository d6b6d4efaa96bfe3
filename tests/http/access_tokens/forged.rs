//! Everything that is no access token of ours, most of it signed with the very key: what is wrong must be found
//! for its own sake, not because a signature fails.

use std::sync::LazyLock;

use base64ct::{Base64, Base64Url, Base64UrlUnpadded, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use keydeck::crypto::fuzzing;
use keydeck::crypto::jwt::TokenKey;
use keydeck::domain::{Command, Reason, TokenAlg};
use keydeck::engine::Engine as _;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{App, Day, START};

/// A day on which somebody has the key that signs.
struct Forge {
    day: Day,
    app: App,
    key: TokenKey,
    header: Value,
    claims: Value,
    token: String,
}

fn part(token: &str, n: usize) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(token.split('.').nth(n).unwrap()).unwrap()
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    Base64UrlUnpadded::encode_string(bytes.as_ref())
}

impl Forge {
    fn new() -> Self {
        let day = Day::new();
        let app = day.app("Web store");
        let token = day.token(&app);
        let key = day.keyring().token_key(1, TokenAlg::EdDsa);
        let header = serde_json::from_slice(&part(&token, 0)).unwrap();
        let claims = serde_json::from_slice(&part(&token, 1)).unwrap();
        Self { day, app, key, header, claims, token }
    }

    /// The header as it must be, for a payload that need not be.
    fn header_text(&self) -> String {
        String::from_utf8(part(&self.token, 0)).unwrap()
    }

    fn sign(&self, header: &str, payload: &str) -> String {
        fuzzing::forge(&self.key, header.as_bytes(), payload.as_bytes())
    }

    /// Properly signed, saying whatever.
    fn says(&self, payload: &str) -> String {
        self.sign(&self.header_text(), payload)
    }

    fn with(&self, claim: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[claim] = value;
        self.says(&claims.to_string())
    }

    fn without(&self, claim: &str) -> String {
        let mut claims = self.claims.clone();
        claims.as_object_mut().unwrap().remove(claim).unwrap();
        self.says(&claims.to_string())
    }

    fn headed(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut header = self.header.clone();
        change(&mut header);
        self.sign(&header.to_string(), &self.claims.to_string())
    }

    fn check(&self, token: &str, reason: Reason, what: &str) {
        assert_eq!(self.day.refused(token), Some(reason), "{what}");
        let caller = self.day.client(&self.app);
        assert_eq!(self.day.engine().introspect(&caller, token.as_bytes()), None, "{what}");
    }
}

#[test]
fn the_forge_makes_good_tokens_so_that_bad_ones_mean_something() {
    let forge = Forge::new();
    let again = forge.says(&forge.claims.to_string());
    assert!(forge.day.verify(&again).is_allow());
    assert!(forge.day.verify(&forge.with("jti", json!("111111111112"))).is_allow());
    let second = START.0 / 1_000;
    assert!(
        forge.day.verify(&forge.with("iat", json!(second + 30))).is_allow(),
        "clocks may disagree a little"
    );
    assert!(forge.day.verify(&forge.with("exp", json!(second + 3_600))).is_allow());
}

#[test]
fn row_43_another_algorithm_is_no_algorithm() {
    let forge = Forge::new();
    let claims = b64(forge.claims.to_string());
    let kid = forge.header["kid"].as_str().unwrap();
    let signature = forge.token.rsplit('.').next().unwrap();
    for alg in ["none", "None", "NONE", "HS256", "RS256", "ES256", "Ed25519", "EdDSA ", "eddsa", "", "x"] {
        let header = json!({ "alg": alg, "typ": "at+jwt", "kid": kid }).to_string();
        // One we sign with as well, and not with that key.
        let reason = if alg == "ES256" { Reason::Unknown } else { Reason::Malformed };
        forge.check(&forge.sign(&header, &forge.claims.to_string()), reason, alg);
        forge.check(&format!("{}.{claims}.", b64(&header)), reason, alg);
        forge.check(&format!("{}.{claims}.{signature}", b64(&header)), reason, alg);
    }
    // The oldest trick: the public key as the secret of a MAC.
    let public = serde_json::to_value(&forge.day.engine().jwks()[0]).unwrap();
    let x = public["x"].as_str().unwrap();
    for secret in
        [Base64UrlUnpadded::decode_vec(x).unwrap(), x.as_bytes().to_vec(), public.to_string().into()]
    {
        for alg in ["HS256", "EdDSA"] {
            let header = format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"{kid}"}}"#);
            let signed = format!("{}.{claims}", b64(&header));
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&secret).unwrap();
            mac.update(signed.as_bytes());
            let token = format!("{signed}.{}", b64(mac.finalize().into_bytes()));
            forge.check(&token, Reason::Malformed, alg);
        }
    }
}

#[test]
fn row_43_a_header_says_what_ours_says_and_nothing_else() {
    let forge = Forge::new();
    let evil = "https://evil.example/jwks.json";
    for (member, value) in [
        ("jku", json!(evil)),
        ("x5u", json!(evil)),
        ("jwk", serde_json::to_value(forge.key.public()).unwrap()),
        ("x5c", json!([])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("typ", json!("JWT")),
        ("typ", json!("at+JWT")),
        ("typ", json!("application/at+jwt")),
        ("typ", json!("id_token")),
        ("typ", json!("dpop+jwt")),
        ("typ", Value::Null),
        ("kid", json!(7)),
        ("kid", json!(["x"])),
        ("alg", json!(["EdDSA"])),
    ] {
        let what = format!("{member} {value}");
        forge.check(&forge.headed(|h| h[member] = value), Reason::Malformed, &what);
    }
    for member in ["typ", "kid", "alg"] {
        let token = forge.headed(|h| drop(h.as_object_mut().unwrap().remove(member)));
        forge.check(&token, Reason::Malformed, member);
    }
    for kid in ["", "1", "../../etc/passwd", "/dev/null", "' OR 1=1 --", "http://evil.example/k", "x\u{0}y"] {
        let token = forge.headed(|h| h["kid"] = json!(kid));
        assert!(!forge.day.verify(&token).is_allow(), "{kid}");
    }
    let other = forge.day.keyring().token_key(2, TokenAlg::EdDsa);
    forge.check(&forge.headed(|h| h["kid"] = json!(other.kid())), Reason::Unknown, "a key not made yet");
    let stranger = Forge::new();
    forge.check(&stranger.token, Reason::Unknown, "another store's");

    // The same header in other words, and with a member twice.
    let kid = forge.header["kid"].as_str().unwrap();
    for header in [
        format!(r#"{{"typ":"at+jwt","alg":"EdDSA","kid":"{kid}"}}"#),
        format!(r#"{{ "alg":"EdDSA","typ":"at+jwt","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{kid}","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"EdDS\u0041","typ":"at+jwt","kid":"{kid}"}}"#),
        format!(r#"[{{"alg":"EdDSA","typ":"at+jwt","kid":"{kid}"}}]"#),
        String::new(),
    ] {
        let token = forge.sign(&header, &forge.claims.to_string());
        assert!(!forge.day.verify(&token).is_allow(), "{header}");
    }
}

#[test]
fn row_43_three_parts_of_plain_base64_and_no_more_bytes_than_a_header_takes() {
    let forge = Forge::new();
    let token = &forge.token;
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("{token}") };
    let raw = part(token, 2);
    for (shape, what) in [
        (format!("{header}.{claims}."), "an empty signature"),
        (format!("{header}.{claims}"), "two parts"),
        (format!("{token}.{signature}"), "four parts"),
        (format!("{token}."), "four parts, the last of them empty"),
        (format!(".{token}"), "four parts, the first of them empty"),
        (format!("{header}..{signature}"), "no claims"),
        ("ey".into(), "a beginning"),
        ("ey..".into(), "nothing between dots"),
        (format!("{header}.{claims}.{signature}=="), "padding"),
        (format!("{header}.{claims}=.{signature}"), "padding inside"),
        (format!("{header}.{claims}.{}", Base64Url::encode_string(&raw)), "the padded alphabet"),
        (format!("{header}.{claims}.{}", &signature[..85]), "a short signature"),
        (format!("{header}.{claims}.{signature}AA"), "a long signature"),
        (format!("{header}.{claims}.{}", b64(&raw[..63])), "63 bytes of signature"),
        (format!("{header}.{claims}.{}", b64([0; 64])), "a signature of zeros"),
        (format!("{token}\n"), "a line end"),
        (format!("{token} "), "a space"),
        (token.replacen('.', "%2E", 1), "percent signs"),
        (token.replacen('.', "\u{2024}", 1), "another dot"),
    ] {
        let reason = forge.day.refused(&shape);
        let fits = matches!(reason, Some(Reason::Malformed | Reason::MacMismatch));
        assert!(fits, "{what}: {reason:?}");
    }
    let standard = Base64::encode_string(&raw).trim_end_matches('=').to_owned();
    if standard != signature {
        forge.check(&format!("{header}.{claims}.{standard}"), Reason::Malformed, "+ and / for - and _");
    }
    forge.check(&format!(" {token}"), Reason::Malformed, "a space before");

    let long = forge.says(&format!("{}{}", forge.claims, " ".repeat(3_000)));
    assert!(long.len() > 4_096);
    forge.check(&long, Reason::Malformed, "longer than any of ours, properly signed");
    forge.check(&format!("{header}.{}.{signature}", "A".repeat(5 << 20)), Reason::Malformed, "5 MiB");
    forge.check(&format!("ey{}", ".".repeat(1_000_000)), Reason::Malformed, "a million dots");
    forge.check(&".".repeat(1_000_000), Reason::Malformed, "nothing but dots");
    assert_eq!(forge.day.engine().verify(b"ey\xff\xfe.\x80.\x00", &[]).reason(), Some(Reason::Malformed));
}

#[test]
fn row_43_claims_have_one_type_each() {
    let forge = Forge::new();
    let second = START.0 / 1_000;
    for claim in ["exp", "iat", "epoch"] {
        forge.check(&forge.without(claim), Reason::Malformed, claim);
        for value in [
            json!(second.to_string()),
            json!("never"),
            json!(1_790_000_300.5),
            json!(-1),
            json!(1e300),
            json!(u64::MAX),
            json!(i64::MAX),
            json!(null),
            json!(true),
            json!([second + 300]),
            json!({}),
        ] {
            let what = format!("{claim} {value}");
            if claim != "epoch" || value != json!(i64::MAX) {
                forge.check(&forge.with(claim, value), Reason::Malformed, &what);
            }
        }
    }
    for claim in ["iss", "aud", "sub", "client_id", "jti", "scope"] {
        forge.check(&forge.without(claim), Reason::Malformed, claim);
        let own = forge.claims[claim].clone();
        for value in [json!([own]), json!([]), json!({ "a": own }), json!(null), json!(7), json!(true)] {
            let what = format!("{claim} {value}");
            forge.check(&forge.with(claim, value), Reason::Malformed, &what);
        }
    }
    // A number too big for any type, and one with a fraction of nothing.
    let text = forge.claims.to_string();
    let exp = format!("\"exp\":{}", forge.claims["exp"]);
    for other in
        ["\"exp\":1e400", "\"exp\":1790000300.0", "\"exp\":1.79e9", "\"exp\":0x6aa", "\"exp\":01790000300"]
    {
        forge.check(&forge.says(&text.replacen(&exp, other, 1)), Reason::Malformed, other);
    }
}

#[test]
fn row_43_claims_say_what_ours_say() {
    let forge = Forge::new();
    let second = START.0 / 1_000;
    let day = 86_400;
    for (claim, value, reason) in [
        ("iat", json!(second + 31), Reason::Malformed),
        ("iat", json!(second + day), Reason::Malformed),
        ("iat", json!(second - 3_001), Reason::Malformed),
        ("iat", json!(second + 600), Reason::Malformed),
        ("exp", json!(second), Reason::Malformed),
        ("exp", json!(second - 1), Reason::Malformed),
        ("exp", json!(0), Reason::Malformed),
        ("exp", json!(second + 3_601), Reason::Malformed),
        ("exp", json!(second + 10 * 365 * day), Reason::Malformed),
        ("nbf", json!(second), Reason::Malformed),
        ("nbf", json!("now"), Reason::Malformed),
        ("nonce", json!("x"), Reason::Malformed),
        ("admin", json!(true), Reason::Malformed),
        ("iss", json!("https://evil.example"), Reason::Unknown),
        ("iss", json!(""), Reason::Unknown),
        ("aud", json!("somebody-else"), Reason::Unknown),
        ("aud", json!(""), Reason::Unknown),
        ("sub", json!("app_111111111111"), Reason::Malformed),
        ("client_id", json!("app_111111111111"), Reason::Malformed),
        ("jti", json!(""), Reason::Malformed),
        ("jti", json!("../111111111"), Reason::Malformed),
        ("scope", json!(""), Reason::Malformed),
        ("scope", json!("*"), Reason::Malformed),
        ("scope", json!("contacts.read contacts.read"), Reason::Malformed),
        ("scope", json!("contacts.read  contacts.write"), Reason::Malformed),
        ("scope", json!("contacts.read contacts.delete"), Reason::Revoked),
        ("epoch", json!(START.0 - 1), Reason::Revoked),
        ("epoch", json!(0), Reason::Revoked),
    ] {
        let what = format!("{claim} {value}");
        forge.check(&forge.with(claim, value), reason, &what);
    }
    let mut claims = forge.claims.clone();
    for claim in ["sub", "client_id"] {
        claims[claim] = json!("app_111111111111");
    }
    forge.check(&forge.says(&claims.to_string()), Reason::Unknown, "an app that is none");
    for claim in ["sub", "client_id"] {
        claims[claim] = json!(forge.app.id.to_string().to_uppercase());
    }
    forge.check(&forge.says(&claims.to_string()), Reason::Malformed, "no application id");
}

#[test]
fn row_43_a_claim_said_twice_is_a_claim_too_many() {
    let forge = Forge::new();
    let text = forge.claims.to_string();
    for (name, value) in forge.claims.as_object().unwrap() {
        for extra in [value.clone(), json!(null), json!(9_999_999_999u64)] {
            let first = format!("{{\"{name}\":{extra},{}", &text[1..]);
            let last = format!("{},\"{name}\":{extra}}}", &text[..text.len() - 1]);
            forge.check(&forge.says(&first), Reason::Malformed, name);
            forge.check(&forge.says(&last), Reason::Malformed, name);
        }
    }
    for payload in [
        "",
        "null",
        "[]",
        "{}",
        "\"x\"",
        "{",
        &format!("{text}{text}"),
        &format!("[{text}]"),
        &"[".repeat(2_000),
    ] {
        forge.check(&forge.says(payload), Reason::Malformed, payload);
    }
    // Space around and between is still the same JSON.
    assert!(forge.day.verify(&forge.says(&format!(" {text} "))).is_allow());
}

#[test]
fn a_token_bears_a_pair_of_names_that_was_in_force_and_no_mixture() {
    let forge = Forge::new();
    forge.day.names("https://keys.example.com", "platform");
    let claims: Value = serde_json::from_slice(&part(&forge.day.token(&forge.app), 1)).unwrap();
    assert!(forge.day.verify(&forge.says(&claims.to_string())).is_allow());
    for (claim, value) in [
        ("iss", &forge.claims["iss"]),
        ("iss", &json!("https://keys.example.com/")),
        ("aud", &json!("Platform")),
        ("aud", &json!("shop")),
    ] {
        let mut mixed = claims.clone();
        mixed[claim] = value.clone();
        forge.check(&forge.says(&mixed.to_string()), Reason::Unknown, &mixed.to_string());
    }
}

#[test]
fn row_18_neither_token_nor_secret_is_a_session() {
    let forge = Forge::new();
    // Management wants a session, and only a slot of the store makes one; what the server may do on its own behalf
    // is refused to operators as well.
    let token = keydeck::domain::app::Revoked { token: *forge.app.id.public(), until: START };
    let command = Command::RevokeToken { app: forge.app.id, token };
    let open = forge.day.open();
    assert!(open.engine.execute(&open.session, command).is_err());
}

static FORGE: LazyLock<Forge> = LazyLock::new(Forge::new);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn any_change_of_any_byte_refuses(place in any::<proptest::sample::Index>(), byte: u8) {
        let mut token = FORGE.token.clone().into_bytes();
        let place = place.index(token.len());
        prop_assume!(token[place] != byte);
        token[place] = byte;
        prop_assert!(!FORGE.day.engine().verify(&token, &[]).is_allow());
    }

    #[test]
    fn any_cut_or_growth_refuses(place in any::<proptest::sample::Index>(), byte: u8, grow: bool) {
        let mut token = FORGE.token.clone().into_bytes();
        let place = place.index(token.len());
        if grow {
            token.insert(place, byte);
        } else {
            token.remove(place);
        }
        prop_assert!(!FORGE.day.engine().verify(&token, &[]).is_allow());
    }
}

/// Each of the 86 characters of the signature in each of its 63 other values, the last one's spare bits included.
#[test]
fn every_other_letter_of_the_signature_refuses() {
    let token = FORGE.token.as_bytes();
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for place in token.len() - 86..token.len() {
        for letter in alphabet.iter().filter(|letter| **letter != token[place]) {
            let mut other = token.to_vec();
            other[place] = *letter;
            assert!(!FORGE.day.engine().verify(&other, &[]).is_allow(), "{place} {letter}");
        }
    }
}
