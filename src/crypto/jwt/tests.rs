use base64ct::{Base64UrlUnpadded, Encoding as _};

use super::*;
use crate::domain::{Scopes, Timestamp};

/// The key of RFC 8037 appendix A.1.
fn rfc_key() -> TokenKey {
    let mut seed = [0; 32];
    Base64UrlUnpadded::decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", &mut seed).unwrap();
    TokenKey::ed25519(&seed)
}

/// RFC 8037 appendices A.2 and A.3.
#[test]
fn a_public_key_and_its_name_are_as_published() {
    let public = rfc_key().public();
    assert_eq!(public.x, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!(public.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(
        serde_json::to_string(&public).unwrap(),
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"sig\",\"alg\":\"EdDSA\",\
         \"kid\":\"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"
    );
}

/// RFC 8037 appendix A.4.
#[test]
fn a_signature_is_as_published() {
    let header = Base64UrlUnpadded::encode_string(br#"{"alg":"EdDSA"}"#);
    let signed = rfc_key().sign_text(&header, b"Example of Ed25519 signing");
    assert_eq!(
        signed.reveal(),
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhij\
         cNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
    // Good as it is, it is not of the type we issue.
    assert_eq!(open(signed.reveal().as_bytes(), [&rfc_key()]), Err(Fault::Shape));
}

/// The key of RFC 7515 appendix A.3, whose signature there is one of chance; and RFC 6979 appendix A.2.5, whose key and
/// signature are not.
#[test]
fn a_key_of_the_other_kind_and_its_signature_are_as_published() {
    let mut scalar = [0; 32];
    Base64UrlUnpadded::decode("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI", &mut scalar).unwrap();
    let public = TokenKey::p256(&scalar).unwrap().public();
    assert_eq!(
        serde_json::to_string(&public).unwrap(),
        format!(
            "{{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"sig\",\"alg\":\"ES256\",\"kid\":\"{}\",\
             \"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}}",
            public.kid
        )
    );
    let hex = |text: &str| -> [u8; 32] {
        std::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
    };
    let secret =
        Secret::p256(&hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")).unwrap();
    let r = hex("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716");
    let s = hex("f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
    let published = p256::ecdsa::Signature::from_scalars(r, s).unwrap();
    assert_eq!(secret.sign(b"sample"), <[u8; 64]>::from(published.normalize_s().to_bytes()));
    assert!(secret.public().vouches(b"sample", &secret.sign(b"sample")));
    assert!(!secret.public().vouches(b"sample", &published.to_bytes().into()), "the other spelling of it");
}

#[test]
fn what_is_no_key_of_the_curve_is_none() {
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order: [u8; 32] =
        std::array::from_fn(|at| u8::from_str_radix(&order[2 * at..2 * at + 2], 16).unwrap());
    let mut last = order;
    last[31] -= 1;
    assert!(TokenKey::p256(&last).is_some());
    for none in [[0; 32], order, [255; 32]] {
        assert!(TokenKey::p256(&none).is_none());
    }
}

/// Each kind under the header of the other: a token says nothing about how it is to be checked.
#[test]
fn a_key_checks_in_its_own_way_whatever_the_header_says() {
    let keys = [rfc_key(), TokenKey::p256(&[7; 32]).unwrap()];
    let header =
        |key: &TokenKey, kid: &str| Base64UrlUnpadded::encode_string(header_of(key.alg(), kid).as_bytes());
    for (key, other) in [(&keys[0], &keys[1]), (&keys[1], &keys[0])] {
        let own = key.sign_text(&key.header, b"{}");
        let (payload, alg) = open(own.reveal().as_bytes(), &keys).unwrap();
        assert_eq!((payload.as_slice(), alg), (&b"{}"[..], key.alg()));
        let as_other = key.sign_text(&other.header, b"{}");
        assert_eq!(open(as_other.reveal().as_bytes(), &keys), Err(Fault::Signature));
        for mixed in [header(key, other.kid()), header(other, key.kid())] {
            let signed = key.sign_text(&mixed, b"{}");
            assert_eq!(open(signed.reveal().as_bytes(), &keys), Err(Fault::Key));
        }
    }
}

/// A point of small order as public key signs everything with one signature; strict verification knows it.
#[test]
fn a_key_that_would_vouch_for_anything_vouches_for_nothing() {
    let mut weak = rfc_key();
    let identity: [u8; 32] = std::array::from_fn(|at| u8::from(at == 0));
    let public = ed25519_dalek::VerifyingKey::from_bytes(&identity).unwrap();
    weak.public = Public::Ed25519(public);
    let message = format!("{}.e30", weak.header);
    let mut signature = [0; 64];
    signature[0] = 1;
    let lax = ed25519_dalek::Signature::from_bytes(&signature);
    assert!(ed25519_dalek::Verifier::verify(&public, message.as_bytes(), &lax).is_ok());
    let token = format!("{message}.{}", Base64UrlUnpadded::encode_string(&signature));
    assert_eq!(open(token.as_bytes(), [&weak]), Err(Fault::Signature));
}

#[test]
fn the_longest_token_that_is_signed_is_one_that_is_read() {
    let key = rfc_key();
    let party = TokenConfig::of_store(crate::crypto::StoreId([9; 16]));
    let now = Timestamp(1_790_000_000_000);
    let few = Claims {
        app: "app_7HqP2mVx9KtR".parse().unwrap(),
        id: "7HqP2mVx9KtR".parse().unwrap(),
        issued: now,
        expires: Timestamp(now.0 + 600_000),
        epoch: now,
        scopes: "contacts.read contacts.write".parse().unwrap(),
    };
    let token = key.sign(&few, &party).unwrap();
    let (payload, _) = open(token.reveal().as_bytes(), [&key]).unwrap();
    assert_eq!(
        Claims::read(&payload, now, |issuer, audience| party.is(issuer, audience).then_some(())).unwrap().0,
        few
    );
    let held = |n: usize| {
        let names =
            (0..n).map(|n| format!("group.{}{}", ["a", "b"][n % 2], "x".repeat(n / 2)).parse().unwrap());
        Claims { scopes: Scopes::new(names).unwrap(), ..few.clone() }
    };
    let most = (1..100).take_while(|n| key.sign(&held(*n), &party).is_some()).last().unwrap();
    assert!((40..99).contains(&most), "{most}");
    let token = key.sign(&held(most), &party).unwrap();
    assert!((4_000..=MAX_BYTES).contains(&token.reveal().len()));
    assert!(open(token.reveal().as_bytes(), [&key]).is_ok());
}
