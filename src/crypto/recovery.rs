//! The recovery code: the slot for the day every passphrase is forgotten, kept on paper.
//!
//! `kdrc_` + 32 Base58 characters (187 bits) + 6 characters CRC-32. Printed in groups; typed back with any spaces
//! and dashes, with or without how all codes begin, but in the right case. It is no token: verification never accepts it.

use zeroize::Zeroizing;

use super::CryptoError;
use super::random::{self, Entropy};
use super::token::{CHECKSUM, Malformed, checksum, checksum_matches, is_base58};

pub(super) const PREFIX: &str = "kdrc_";
const SIGNED: usize = PREFIX.len() + 32;
const LEN: usize = SIGNED + CHECKSUM;
/// More than a code in any grouping, far less than a pasted file.
const MAX_TYPED: usize = 256;

/// A recovery code. Not to be copied, printed by accident or stored; wiped when dropped.
pub struct RecoveryCode(Box<Zeroizing<[u8; LEN]>>);

impl RecoveryCode {
    /// A new code.
    pub fn generate(entropy: &mut (impl Entropy + ?Sized)) -> Result<Self, CryptoError> {
        let mut code = Box::new(Zeroizing::new([0; LEN]));
        code[..PREFIX.len()].copy_from_slice(PREFIX.as_bytes());
        random::base58(entropy, &mut code[PREFIX.len()..SIGNED])?;
        let checksum = checksum(&code[..SIGNED]);
        code[SIGNED..].copy_from_slice(&checksum);
        Ok(Self(code))
    }

    /// Reads a code as a person types it: spaces, line breaks and dashes are skipped, and how all of them begin may be left out;
    /// everything else counts.
    pub fn parse(typed: &str) -> Result<Self, CryptoError> {
        if typed.len() > MAX_TYPED {
            return Err(CryptoError::RecoveryCode(Malformed::Length));
        }
        let mut code = Box::new(Zeroizing::new([0; LEN]));
        code[..PREFIX.len()].copy_from_slice(PREFIX.as_bytes());
        let bytes = || typed.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'-');
        // Base58 has no underscore: whatever stands before one is how a secret begins.
        let left_out = if bytes().any(|byte| byte == b'_') { 0 } else { PREFIX.len() };
        let mut places = code.iter_mut().skip(left_out);
        for byte in bytes() {
            *places.next().ok_or(CryptoError::RecoveryCode(Malformed::Length))? = byte;
        }
        if places.next().is_some() {
            return Err(CryptoError::RecoveryCode(Malformed::Length));
        }
        check(&code).map_err(CryptoError::RecoveryCode)?;
        Ok(Self(code))
    }

    /// The code in groups, for the one time it is shown: `kdrc_7HqP-2mVx-…`.
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(LEN + 16));
        text.push_str(PREFIX);
        for (place, byte) in self.0[PREFIX.len()..].iter().enumerate() {
            // Eight groups of four, and the checksum as the last group.
            if place > 0 && place.is_multiple_of(4) && place + PREFIX.len() <= SIGNED {
                text.push('-');
            }
            text.push(char::from(*byte));
        }
        text
    }

    /// The secret a slot's key is derived from.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0[..]
    }
}

fn check(code: &[u8; LEN]) -> Result<(), Malformed> {
    if !code.is_ascii() {
        return Err(Malformed::NotAscii);
    }
    if !code.starts_with(PREFIX.as_bytes()) {
        return Err(Malformed::Prefix);
    }
    if !is_base58(&code[PREFIX.len()..]) {
        return Err(Malformed::Alphabet);
    }
    if !checksum_matches(&code[..SIGNED], &code[SIGNED..]) {
        return Err(Malformed::Checksum);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::random::OsEntropy;

    #[test]
    fn a_code_typed_back_from_paper_is_the_same_code() {
        let code = RecoveryCode::generate(&mut OsEntropy).unwrap();
        let shown = code.reveal();
        assert_eq!(shown.len(), 5 + 32 + 6 + 8, "{}", *shown);
        assert_eq!(shown.split('-').next_back().unwrap().len(), 6);
        for typed in [
            shown.to_string(),
            shown.replace('-', " "),
            shown.replace('-', ""),
            shown[5..].to_owned(),
            shown[5..].replace('-', " "),
            format!("  {}\r\n", shown.replace('-', "\n")),
        ] {
            assert_eq!(RecoveryCode::parse(&typed).unwrap().bytes(), code.bytes(), "{typed:?}");
        }
    }

    #[test]
    fn a_mistyped_code_is_refused_with_its_reason() {
        let shown = RecoveryCode::generate(&mut OsEntropy).unwrap().reveal();
        let reason = |typed: &str| match RecoveryCode::parse(typed) {
            Err(CryptoError::RecoveryCode(reason)) => reason,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("accepted {typed:?}"),
        };
        assert_eq!(reason(""), Malformed::Length);
        assert_eq!(reason(&shown[..shown.len() - 1]), Malformed::Length);
        assert_eq!(reason(&format!("{}1", *shown)), Malformed::Length);
        assert_eq!(reason(&" ".repeat(1 << 20)), Malformed::Length);
        assert_eq!(reason(&shown.replace("kdrc", "kdag")), Malformed::Prefix);
        let mut zero = shown.to_string();
        zero.replace_range(6..7, "0");
        assert_eq!(reason(&zero), Malformed::Alphabet);
        for place in 5..shown.len() {
            if shown.as_bytes()[place] == b'-' {
                continue;
            }
            let mut other = shown.to_string();
            other.replace_range(place..=place, if &shown[place..=place] == "z" { "y" } else { "z" });
            assert_eq!(reason(&other), Malformed::Checksum);
        }
        // A folded case is another code, not a spelling of this one.
        let swapped: String = shown
            .chars()
            .map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect();
        assert!(RecoveryCode::parse(&swapped).is_err());
    }
}
