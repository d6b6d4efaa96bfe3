//! Finds secrets in text, so that none is taken from the command line and none reaches the log. Looks at the
//! shape only: a secret with a typing error is nearly a secret.

use std::ffi::OsStr;
use std::ops::Range;

use crate::domain::id::is_base58;
use crate::domain::key::IMPORTED_PREFIX;

/// How our secrets start: three kinds of keys, the secret of an app, an imported key, the recovery code.
const TOKENS: [&[u8]; 4] = [b"kdag_", b"kdlo_", b"kdap_", b"kdas_"];
const IMPORTED: &[u8] = IMPORTED_PREFIX.as_bytes();
const RECOVERY: &[u8] = b"kdrc_";
const PREFIX: usize = 5;
/// Characters of the public id.
const ID: usize = 12;
/// Characters of secret and checksum.
const SECRET: usize = 38;

/// The first secret in `text`, as a range of bytes.
pub fn find(text: &[u8]) -> Option<Range<usize>> {
    (0..text.len().saturating_sub(PREFIX)).find_map(|start| {
        let length = length_at(text.get(start..)?)?;
        Some(start..start + length)
    })
}

/// The length of the secret `text` starts with.
fn length_at(text: &[u8]) -> Option<usize> {
    let (prefix, rest) = text.split_at_checked(PREFIX)?;
    if TOKENS.contains(&prefix) {
        let (id, rest) = rest.split_at_checked(ID)?;
        let (separator, rest) = rest.split_first()?;
        let secret = rest.get(..SECRET)?;
        let shaped = all_base58(id) && *separator == b'_' && all_base58(secret);
        shaped.then_some(PREFIX + ID + 1 + SECRET)
    } else if prefix == IMPORTED {
        let (id, rest) = rest.split_at_checked(ID)?;
        let secret = rest.strip_prefix(b"_")?;
        let length = secret.iter().take_while(|byte| byte.is_ascii_graphic()).count();
        (all_base58(id) && length > 0).then_some(PREFIX + ID + 1 + length)
    } else if prefix == RECOVERY {
        // Written in groups, with dashes or spaces between them.
        let mut left = SECRET;
        for (at, byte) in rest.iter().enumerate() {
            match byte {
                b if is_base58(*b) => left -= 1,
                b'-' | b' ' => {}
                _ => return None,
            }
            if left == 0 {
                return Some(PREFIX + at + 1);
            }
        }
        None
    } else {
        None
    }
}

fn all_base58(text: &[u8]) -> bool {
    text.iter().all(|b| is_base58(*b))
}

/// Whether a word of the command line holds a secret.
pub fn in_word(word: &OsStr) -> bool {
    find(word.as_encoded_bytes()).is_some()
}

/// The text with every secret cut down to its prefix and public id.
pub fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = find(rest.as_bytes()) {
        let keep =
            if rest.as_bytes()[found.start..].starts_with(RECOVERY) { PREFIX } else { PREFIX + ID + 1 };
        out.push_str(rest.get(..found.start + keep).unwrap_or_default());
        out.push('…');
        rest = rest.get(found.end..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::random::OsEntropy;
    use crate::crypto::recovery::RecoveryCode;
    use crate::crypto::token::{Token, TokenKind};

    #[test]
    fn every_kind_of_secret_is_found_wherever_it_stands() {
        for kind in TokenKind::ALL {
            let token = Token::mint(kind, &mut OsEntropy).unwrap();
            let line = format!("--name=x{} and {}é", token.reveal(), token.reveal());
            assert!(in_word(OsStr::new(&line)));
            assert_eq!(redacted(&line), format!("--name=x{} and {}é", token.hint(), token.hint()));
        }
        let imported = "use kdim_7HqP2mVx9KtR_old-Secret! now";
        assert!(in_word(OsStr::new(imported)));
        assert_eq!(redacted(imported), "use kdim_7HqP2mVx9KtR_… now");
        let code = RecoveryCode::generate(&mut OsEntropy).unwrap();
        for written in [code.reveal().to_string(), code.reveal().replace('-', " ")] {
            assert_eq!(redacted(&format!("it is {written}.")), "it is kdrc_….");
        }
    }

    #[test]
    fn hints_ids_and_halves_are_no_secrets() {
        let token = Token::mint(TokenKind::Agency, &mut OsEntropy).unwrap();
        let hint = token.hint();
        for harmless in [
            "",
            "kdag_",
            hint.as_str(),
            &token.reveal()[..55],
            "kdrc_abc-def",
            "kdxx_7HqP2mVx9KtR_x",
            "kdim_7HqP2mVx9KtR_",
        ] {
            assert!(!in_word(OsStr::new(harmless)), "{harmless}");
            assert_eq!(redacted(harmless), harmless);
        }
    }
}
