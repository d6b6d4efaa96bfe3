//! The token's promises: one spelling, refused cheaply, digested whole, never made without randomness.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use keydeck::crypto::CryptoError;
use keydeck::crypto::fuzzing;
use keydeck::crypto::random::{Entropy, OsEntropy};
use keydeck::crypto::token::{LEN, Malformed, Token, TokenKind, parse};
use proptest::prelude::*;

/// Deterministic bytes, so that a failing case can be replayed.
struct Seeded(u64);
impl Entropy for Seeded {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
        for byte in out {
            // xorshift64*, enough for a test.
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            *byte = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D).to_be_bytes()[0];
        }
        Ok(())
    }
}

struct Broken;
impl Entropy for Broken {
    fn fill(&mut self, _: &mut [u8]) -> Result<(), CryptoError> {
        Err(CryptoError::Randomness("out of order".into()))
    }
}

fn kinds() -> impl Strategy<Value = TokenKind> {
    proptest::sample::select(&TokenKind::ALL[..])
}

fn mint(kind: TokenKind, seed: u64) -> Token {
    Token::mint(kind, &mut Seeded(seed | 1)).unwrap()
}

/// The checksum an attacker would fix up: CRC-32 in six Base58 digits, computed apart from the code under test.
fn with_checksum(text: &str) -> String {
    const ALPHABET: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let crc = text.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1)))
    });
    let mut digits: Vec<char> = Vec::new();
    let mut rest = !crc;
    for _ in 0..6 {
        digits.insert(0, char::from(ALPHABET[(rest % 58) as usize]));
        rest /= 58;
    }
    text.chars().chain(digits).collect()
}

#[test]
fn the_format_is_the_published_one() {
    // A fixed token: the format may never change, or issued keys stop working.
    let text = with_checksum("kdag_7HqP2mVx9KtR_abcdefghijkmnopqrstuvwxyz1234567");
    let presented = parse(text.as_bytes()).unwrap();
    assert_eq!(text.len(), LEN);
    assert_eq!(presented.kind(), TokenKind::Agency);
    assert_eq!(presented.id().as_str(), "7HqP2mVx9KtR");
    assert_eq!(presented.hint(), "kdag_7HqP2mVx9KtR_…");
    assert_eq!(format!("{presented:?}"), "Presented(\"kdag_7HqP2mVx9KtR_…\")");
}

#[test]
fn the_length_is_checked_before_anything_else() {
    let token = Token::mint(TokenKind::App, &mut OsEntropy).unwrap();
    let text = token.reveal();
    for cut in 0..LEN {
        assert_eq!(parse(&text.as_bytes()[..cut]).unwrap_err(), Malformed::Length);
        if cut > 0 {
            assert_eq!(parse(&text.as_bytes()[cut..]).unwrap_err(), Malformed::Length);
        }
    }
    for size in [57, 1 << 20, 10 << 20] {
        assert_eq!(parse(&vec![b'k'; size]).unwrap_err(), Malformed::Length);
    }
}

#[test]
fn a_token_dressed_up_in_any_way_is_malformed() {
    let token = Token::mint(TokenKind::Location, &mut OsEntropy).unwrap();
    let text = token.reveal();
    for wrap in [
        format!(" {text}"),
        format!("{text} "),
        format!("\t{text}"),
        format!("{text}\r\n"),
        format!("{text}\0"),
        format!("\u{feff}{text}"),
        format!("\"{text}\""),
        format!("{text},{text}"),
        text.replace("kdlo", "%6bdlo"),
        text.replace("kdlo", "ｋdlo"),
        text.to_uppercase(),
        text.to_lowercase(),
    ] {
        assert!(parse(wrap.as_bytes()).is_err(), "{wrap:?}");
    }
    // The same length, with one character that is not what it seems.
    let tail = &text[4..];
    assert_eq!(parse(format!("kd\u{14d}{tail}").as_bytes()).unwrap_err(), Malformed::NotAscii);
    assert_eq!(parse(format!(" kdl{}", &text[4..]).as_bytes()).unwrap_err(), Malformed::Prefix);
    assert_eq!(parse(text.replace("kdlo", "kdrc").as_bytes()).unwrap_err(), Malformed::Prefix);
    assert_eq!(
        parse(format!("{}-{}", &text[..17], &text[18..]).as_bytes()).unwrap_err(),
        Malformed::Separator
    );
    for never in ['0', 'O', 'I', 'l', '_', '\n', '\0', '+', '/'] {
        let text = format!("{}{never}{}", &text[..30], &text[31..]);
        assert_eq!(parse(text.as_bytes()).unwrap_err(), Malformed::Alphabet, "{never:?}");
    }
}

#[test]
fn a_failing_generator_fails_the_issue_and_leaves_nothing() {
    for kind in TokenKind::ALL {
        assert!(matches!(Token::mint(kind, &mut Broken), Err(CryptoError::Randomness(_))));
    }
}

#[test]
fn a_fixed_up_checksum_is_well_formed_but_has_another_digest() {
    let keyring = fuzzing::keyring().unwrap();
    let pepper = keyring.pepper();
    let token = Token::mint(TokenKind::Agency, &mut OsEntropy).unwrap();
    let stored = pepper.digest(token.bytes());
    assert!(pepper.verify(token.bytes(), &stored));

    // Another secret, and another kind, under the same id.
    let text = token.reveal();
    let other = if &text[20..21] == "z" { "y" } else { "z" };
    for changed in [format!("{}{other}{}", &text[..20], &text[21..50]), format!("kdap_{}", &text[5..50])] {
        let forged = with_checksum(&changed);
        let presented = parse(forged.as_bytes()).unwrap();
        assert_eq!(presented.id(), token.id());
        assert!(!pepper.verify(presented.bytes(), &stored));
    }
}

#[test]
fn the_digest_depends_on_the_store_and_its_root_key() {
    use keydeck::crypto::StoreId;
    use keydeck::crypto::keyring::{Keyring, RootKey};
    let token = mint(TokenKind::App, 5);
    let one = fuzzing::keyring().unwrap().pepper().digest(token.bytes());
    let root = RootKey::generate(&mut OsEntropy).unwrap();
    let other_root = Keyring::new(root, StoreId([9; 16])).pepper().digest(token.bytes());
    assert_ne!(one, other_root);
    assert_eq!(one, fuzzing::keyring().unwrap().pepper().digest(token.bytes()));
}

proptest! {
    #[test]
    fn what_is_minted_parses_and_verifies(kind in kinds(), seed: u64) {
        let token = mint(kind, seed);
        fuzzing::token(token.bytes());
        let presented = parse(token.reveal().as_bytes()).unwrap();
        prop_assert_eq!(presented.kind(), kind);
        prop_assert_eq!(presented.id(), token.id());
        prop_assert_eq!(presented.bytes(), token.bytes());
        prop_assert_eq!(presented.hint(), token.hint());
        let pepper = fuzzing::keyring().unwrap().pepper();
        prop_assert!(pepper.verify(presented.bytes(), &pepper.digest(token.bytes())));
        prop_assert!(!pepper.verify(presented.bytes(), &keydeck::crypto::digest::Pepper::NO_DIGEST));
    }

    #[test]
    fn no_single_change_or_swap_is_accepted(kind in kinds(), seed: u64, place in 0..LEN, byte: u8, other in 0..LEN) {
        let token = mint(kind, seed);
        let mut text = *token.bytes();
        text[place] = byte;
        prop_assert_eq!(parse(&text).is_ok(), &text == token.bytes());
        let mut text = *token.bytes();
        text.swap(place, other);
        prop_assert_eq!(parse(&text).is_ok(), &text == token.bytes());
    }
}

#[test]
fn every_single_character_change_of_one_token_is_refused() {
    let token = Token::mint(TokenKind::AppSecret, &mut OsEntropy).unwrap();
    for place in 0..LEN {
        for byte in 0..=255u8 {
            let mut text = *token.bytes();
            if text[place] == byte {
                continue;
            }
            text[place] = byte;
            // A change of kind with its checksum left as it was is caught like any other.
            assert!(parse(&text).is_err(), "byte {place} as {byte}");
        }
    }
}
