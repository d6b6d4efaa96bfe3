//! The SHA-256 digest by which another system knows a secret, as such systems write it. Only that of the secret alone: of
//! anything that was mixed in, and of any other function, is said what it is and that it cannot be taken over.

use thiserror::Error;

use super::phc::base64;
use super::sum::from_hex;

/// Bytes of a SHA-256.
const LEN: usize = 32;
/// Characters of it in Base64 without padding.
const BASE64: usize = 43;
/// SHA-256 of nothing: what a system stored that took an empty field for a secret.
const OF_NOTHING: [u8; LEN] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];
/// What may stand before it: who wrote it says what it is.
const BEFORE: [&str; 4] = ["sha256:", "sha256-", "sha-256:", "{sha256}"];

/// Why a text is no digest that can be taken over.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoDigest {
    /// Salted, or slow on purpose.
    #[error(
        "it is a salted or slow hash, which cannot be taken over; only the SHA-256 of the secret alone can. Bring the secret, or \
         have keydeck make a new one"
    )]
    Salted,
    /// Hexadecimal, and not of that length.
    #[error(
        "it has {0} hex digits, and SHA-256 has 64; only the SHA-256 of the secret alone can be taken over"
    )]
    Digits(usize),
    /// Nothing that can be read.
    #[error("it is no SHA-256: 64 hex digits, or 43 characters of Base64")]
    Unreadable,
    /// Of an empty text.
    #[error("it is the SHA-256 of nothing: there was no secret")]
    OfNothing,
}

/// Reads one: 64 hex digits in either case, or Base64 of either alphabet, with or without a word before it.
///
/// # Errors
/// When it is something else, what.
pub fn sha256(text: &str) -> Result<[u8; LEN], NoDigest> {
    let text = text.trim();
    let said = BEFORE
        .iter()
        .find(|word| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)));
    let bare = text.get(said.map_or(0, |word| word.len())..).unwrap_or_default();
    if bare.contains(['$', '{', ':']) {
        return Err(NoDigest::Salted);
    }
    let digest = if bare.len() != BASE64 && bare.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        hex(bare)?
    } else {
        let plain = bare.strip_suffix('=').unwrap_or(bare).replace('-', "+").replace('_', "/");
        base64(&plain, BASE64).ok_or(NoDigest::Unreadable)?
    };
    if digest == OF_NOTHING { Err(NoDigest::OfNothing) } else { Ok(digest) }
}

fn hex(digits: &str) -> Result<[u8; LEN], NoDigest> {
    match digits.len() {
        0 => Err(NoDigest::Unreadable),
        len => from_hex(digits).ok_or(NoDigest::Digits(len)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_digest_is_read_however_it_is_written() {
        let abc = {
            let mut sum = super::super::sum::Sum::default();
            sum.add(b"abc");
            sum.so_far()
        };
        for text in [
            HEX,
            &HEX.to_uppercase(),
            &format!(" sha256:{HEX} "),
            &format!("SHA-256:{HEX}"),
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0",
            "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0",
            "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
            "{SHA256}ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
        ] {
            assert_eq!(sha256(text), Ok(abc), "{text}");
        }
    }

    #[test]
    fn what_is_another_hash_or_none_is_said_to_be_what_it_is() {
        for (text, why) in [
            ("$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW", NoDigest::Salted),
            ("$5$salt$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc8", NoDigest::Salted),
            ("pbkdf2_sha256$600000$salt$aaaa", NoDigest::Salted),
            ("{SSHA256}ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", NoDigest::Salted),
            (&format!("{HEX}:salt"), NoDigest::Salted),
            ("a9993e364706816aba3e25717850c26c9cd0d89d", NoDigest::Digits(40)),
            (&HEX[1..], NoDigest::Digits(63)),
            (&format!("{HEX}00"), NoDigest::Digits(66)),
            ("", NoDigest::Unreadable),
            ("sha256:", NoDigest::Unreadable),
            ("the secret itself", NoDigest::Unreadable),
            ("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa1=", NoDigest::Unreadable),
            ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", NoDigest::OfNothing),
        ] {
            assert_eq!(sha256(text), Err(why), "{text}");
        }
    }
}
