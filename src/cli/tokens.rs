//! Finds secrets in text, so that none is taken from the command line and none reaches the log. Looks at the
//! shape only: a secret with a typing error is nearly a secret.

use std::ffi::OsStr;

use crate::crypto::scan::{Shape, shape_at};

/// The first secret in `text` and where it begins.
fn find(text: &[u8]) -> Option<(usize, Shape)> {
    (0..text.len()).find_map(|start| Some((start, shape_at(text.get(start..)?)?)))
}

/// Whether a word of the command line holds a secret.
pub fn in_word(word: &OsStr) -> bool {
    find(word.as_encoded_bytes()).is_some()
}

/// The text with every secret cut down to its prefix and public id.
pub fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((start, shape)) = find(rest.as_bytes()) {
        out.push_str(rest.get(..start + shape.shown).unwrap_or_default());
        out.push('…');
        rest = rest.get(start + shape.len..).unwrap_or_default();
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
