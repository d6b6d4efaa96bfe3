//! The fuzz entry points under arbitrary bytes and under damaged copies of valid input; `tests/fuzz` runs the same
//! functions for as long as one likes.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::sync::LazyLock;

use keydeck::crypto::StoreId;
use keydeck::crypto::fuzzing::{self, Fixed};
use keydeck::crypto::header::Header;
use keydeck::crypto::keyring::RootKey;
use keydeck::crypto::passphrase::{Cost, Passphrase};
use keydeck::crypto::recovery::RecoveryCode;
use keydeck::crypto::slots::{NewSlot, SlotSecret};
use keydeck::crypto::token::{Token, TokenKind};
use proptest::prelude::*;

static TOKEN: LazyLock<Vec<u8>> =
    LazyLock::new(|| Token::mint(TokenKind::Agency, &mut Fixed).unwrap().bytes().to_vec());

/// A header with a slot that can be guessed at and one that cannot.
static HEADER: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let root = RootKey::generate(&mut Fixed).unwrap();
    let passphrase = Passphrase::choose("correct horse battery staple").unwrap();
    let secret = SlotSecret::Passphrase(&passphrase, Cost::IMPORTED);
    let first = NewSlot { label: "maria", created_ms: 1, secret };
    let code = RecoveryCode::generate(&mut Fixed).unwrap();
    let second = NewSlot { label: "recovery code", created_ms: 2, secret: SlotSecret::Recovery(&code) };
    // Ids are random: two generators, or both slots would have one.
    let header = Header::create(StoreId([9; 16]), &root, first, &mut Fixed).unwrap();
    header.add_slot(&root, second, &mut keydeck::crypto::random::OsEntropy).unwrap().encode()
});

static RECORD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let sealed = fuzzing::keyring().unwrap().sealer().seal(b"key1", 3, b"a record of some length").unwrap();
    [b"key1", &sealed[..]].concat()
});

const PHC: &[u8] =
    b"$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

const CLAIMS: &[u8] = br#"{"iss":"urn:keydeck:09090909090909090909090909090909","aud":"urn:keydeck:09090909090909090909090909090909","sub":"app_7HqP2mVx9KtR","client_id":"app_7HqP2mVx9KtR","iat":1790000000,"exp":1790000600,"jti":"7HqP2mVx9KtR","scope":"contacts.read","epoch":1790000000000}"#;

/// `whole` with up to eight edits: a byte replaced, removed, inserted, or the tail cut off.
fn damaged(whole: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<proptest::sample::Index>(), any::<u8>(), 0..5u8);
    proptest::collection::vec(edit, 0..8).prop_map(move |edits| {
        let mut bytes = whole.to_vec();
        for (place, byte, how) in edits {
            if bytes.is_empty() {
                break;
            }
            let place = place.index(bytes.len());
            match how {
                0 => bytes.truncate(place),
                1 => bytes.insert(place, byte),
                2 => drop(bytes.remove(place)),
                _ => bytes[place] = byte,
            }
        }
        bytes
    })
}

#[test]
fn the_seeds_are_valid_so_that_damaging_them_means_something() {
    assert!(keydeck::crypto::token::parse(&TOKEN).is_ok());
    assert!(Header::decode(&HEADER).is_ok_and(|header| header.slots().len() == 2));
    assert!(fuzzing::keyring().unwrap().sealer().open(b"key1", &RECORD[4..]).is_ok());
    assert!(fuzzing::reads_claims(CLAIMS));
    assert!(str::from_utf8(PHC).unwrap().parse::<keydeck::crypto::phc::Phc>().is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_are_refused_or_read_in_one_way(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        fuzzing::token(&bytes);
        fuzzing::header(&bytes);
        fuzzing::record(&bytes);
        fuzzing::phc(&bytes);
        fuzzing::access_token(&bytes);
    }

    #[test]
    fn a_token_anywhere_is_found_once_in_any_pieces(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        fuzzing::scan(&bytes);
    }

    #[test]
    fn a_token_among_what_nearly_is_one_is_found_once(start in any::<[u8; 3]>(), bytes in damaged(&TOKEN)) {
        fuzzing::scan(&[&start[..], &bytes].concat());
    }

    #[test]
    fn a_damaged_claim_is_refused_or_read_in_bounds(bytes in damaged(CLAIMS)) {
        fuzzing::access_token(&bytes);
    }

    #[test]
    fn a_damaged_token_is_refused_or_read_in_one_way(bytes in damaged(&TOKEN)) {
        fuzzing::token(&bytes);
    }

    #[test]
    fn a_damaged_header_is_refused_or_read_in_one_way(bytes in damaged(&HEADER)) {
        fuzzing::header(&bytes);
    }

    #[test]
    fn a_damaged_record_is_refused_or_read_in_one_way(bytes in damaged(&RECORD)) {
        fuzzing::record(&bytes);
    }

    #[test]
    fn a_damaged_phc_string_is_refused_or_read_in_one_way(bytes in damaged(PHC)) {
        fuzzing::phc(&bytes);
    }
}
