//! What others found that readers of signatures and tokens get wrong: each vector against our own wrappers, and each
//! token against the reader. Where we differ, why.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::Value;

use super::*;
use crate::crypto::vectors::{bytes, groups, is_valid, tell, tests};

fn b64(value: &Value) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(value.as_str().unwrap()).unwrap()
}

fn id(test: &Value) -> String {
    test["tcId"].to_string()
}

/// Whether a key takes a signature, of whatever length.
fn takes(key: &Public, test: &Value) -> bool {
    let signature: Result<[u8; SIGNATURE_BYTES], _> = bytes(&test["sig"]).try_into();
    signature.is_ok_and(|signature| key.vouches(&bytes(&test["msg"]), &signature))
}

#[test]
fn signatures_of_ed25519_are_taken_as_the_vectors_say() {
    let file = "ed25519_test.json";
    let Some(groups) = groups(file) else { return };
    let mut run = 0;
    for group in &groups {
        let public: [u8; 32] = bytes(&group["publicKey"]["pk"]).try_into().unwrap();
        let key = Public::Ed25519(ed25519_dalek::VerifyingKey::from_bytes(&public).unwrap());
        for test in tests(group) {
            assert_eq!(takes(&key, test), is_valid(test), "{test}");
            run += 1;
        }
    }
    tell(file, run, run, &[]);
}

/// We differ in one way, which we mean: of the two spellings of a signature only the one with the lower `s` is taken, so
/// that a token has no twin.
#[test]
fn signatures_of_p256_are_taken_as_the_vectors_say_in_one_spelling() {
    let file = "ecdsa_secp256r1_sha256_p1363_test.json";
    let Some(groups) = groups(file) else { return };
    let (mut run, mut odd) = (0, Vec::new());
    for group in &groups {
        let public = bytes(&group["publicKey"]["uncompressed"]);
        let key = Public::P256(p256::ecdsa::VerifyingKey::from_sec1_bytes(&public).unwrap());
        for test in tests(group) {
            run += 1;
            if takes(&key, test) == is_valid(test) {
                continue;
            }
            assert!(is_valid(test), "taken and must not be: {test}");
            let signature = p256::ecdsa::Signature::from_slice(&bytes(&test["sig"])).unwrap();
            let lower = signature.normalize_s();
            assert_ne!(lower, signature, "refused, and not for its spelling: {test}");
            assert!(key.vouches(&bytes(&test["msg"]), &lower.to_bytes().into()), "{test}");
            odd.push(id(test));
        }
    }
    tell(file, run, run - odd.len(), &odd);
}

/// Our reader as it would be if it knew that key, and wrote that header.
fn reader(public: Public, header: &str) -> TokenKey {
    TokenKey { public, header: header.to_owned(), ..TokenKey::ed25519(&[7; 32]) }
}

fn header_in(test: &Value) -> &str {
    test["jws"].as_str().unwrap().split('.').next().unwrap()
}

/// The same with its signature in the spelling we take.
fn lowered(text: &str) -> String {
    let (signed, signature) = text.rsplit_once('.').unwrap();
    let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
    let signature = p256::ecdsa::Signature::from_slice(&signature).unwrap().normalize_s();
    format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature.to_bytes()))
}

/// The reader knows ES256 and EdDSA. What is signed in another way is refused though it is good, under the very header and
/// with each kind of key, and so is what is good but has not the header of an access token, or the other spelling of a
/// signature.
#[test]
fn signed_texts_of_others_are_read_as_the_vectors_say_or_not_at_all() {
    let file = "json_web_signature_test.json";
    let Some(groups) = groups(file) else { return };
    let ours = [TokenKey::ed25519(&[7; 32]), TokenKey::p256(&[7; 32]).unwrap()];
    let (mut run, mut agreed, mut odd) = (0, 0, Vec::new());
    for group in &groups {
        let public = &group["public"];
        let es256 = public["crv"] == "P-256";
        let theirs = || {
            let point = [&[4][..], &b64(&public["x"]), &b64(&public["y"])].concat();
            Public::P256(p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).unwrap())
        };
        let header = tests(group).iter().find(|test| is_valid(test)).map_or("", header_in);
        for test in tests(group) {
            let text = test["jws"].as_str().unwrap();
            assert!(open(text.as_bytes(), &ours).is_err(), "{test}");
            for key in &ours {
                let confused = reader(key.public.clone(), header_in(test));
                assert!(open(text.as_bytes(), [&confused]).is_err(), "another key, the same header: {test}");
            }
            let taken = es256 && open(text.as_bytes(), [&reader(theirs(), header)]).is_ok();
            run += 1;
            if taken == is_valid(test) {
                agreed += 1;
                continue;
            }
            assert!(!taken, "taken and must not be: {test}");
            if es256 {
                let other = lowered(text);
                assert_ne!(other, text, "refused, and not for its spelling: {test}");
                assert!(open(other.as_bytes(), [&reader(theirs(), header)]).is_ok(), "{test}");
            }
            odd.push(id(test));
        }
    }
    tell(file, run, agreed, &odd);
}
