use base64ct::{Base64UrlUnpadded, Encoding as _};

use super::*;
use crate::domain::{Scopes, Timestamp};

/// The key of RFC 8037 appendix A.1.
fn rfc_key() -> TokenKey {
    let mut seed = [0; 32];
    Base64UrlUnpadded::decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", &mut seed).unwrap();
    TokenKey::new(&seed)
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

/// A point of small order as public key signs everything with one signature; strict verification knows it.
#[test]
fn a_key_that_would_vouch_for_anything_vouches_for_nothing() {
    let mut weak = rfc_key();
    let identity: [u8; 32] = std::array::from_fn(|at| u8::from(at == 0));
    weak.public = VerifyingKey::from_bytes(&identity).unwrap();
    let message = format!("{}.e30", weak.header);
    let mut signature = [0; 64];
    signature[0] = 1;
    assert!(
        ed25519_dalek::Verifier::verify(&weak.public, message.as_bytes(), &Signature::from_bytes(&signature))
            .is_ok()
    );
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
    let payload = open(token.reveal().as_bytes(), [&key]).unwrap();
    assert_eq!(Claims::read(&payload, std::slice::from_ref(&party), now).unwrap().0, few);
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
