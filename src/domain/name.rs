//! Names and notes: text that people type and others read. Normalised once (NFC, trimmed, single spaces), free
//! of control, format and bidirectional characters, so nothing typed here can disguise itself on a screen.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use minicbor::{Decode, Decoder, Encode, Encoder};
use unicode_normalization::UnicodeNormalization;

/// The longest name, in characters.
pub const NAME_MAX: usize = 64;
/// The longest note, in characters.
pub const NOTE_MAX: usize = 500;

/// A name: 1 to 64 characters. Two names are the same when their [`Name::folded`] forms are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// A note: 0 to 500 characters on one line.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Note(Arc<str>);

/// Why a text cannot be a name or a note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    /// Nothing left after trimming.
    #[error("a name is needed")]
    Empty,
    /// Longer than the limit.
    #[error("{length} characters; at most {limit} fit")]
    TooLong {
        /// Characters given.
        length: usize,
        /// Characters allowed.
        limit: usize,
    },
    /// A character nobody can see, or that reorders what follows.
    #[error("it holds the invisible or control character U+{code:04X}; remove it")]
    Invisible {
        /// The code point.
        code: u32,
    },
}

impl Name {
    /// Normalises and checks; see the module.
    pub fn new(text: &str) -> Result<Self, BadText> {
        let clean = clean(text, NAME_MAX)?;
        if clean.is_empty() { Err(BadText::Empty) } else { Ok(Self(clean.into())) }
    }

    /// The name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that decides whether two names are the same: compatibility-composed, lower case. `ROOT` and
    /// full-width `ｒｏｏｔ` fold to `root`.
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}

/// Folds a text as names are folded, for look-ups by what somebody typed.
pub fn fold(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).nfkc().collect::<String>().trim().to_owned()
}

impl Note {
    /// Normalises and checks; the empty note is fine.
    pub fn new(text: &str) -> Result<Self, BadText> {
        Ok(Self(clean(text, NOTE_MAX)?.into()))
    }

    /// The note as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn clean(text: &str, limit: usize) -> Result<String, BadText> {
    // Bound the work before normalising: one character may become several.
    let length = text.chars().take(limit * 4 + 1).count();
    if length > limit * 4 {
        return Err(BadText::TooLong { length: text.chars().count(), limit });
    }
    let normal: String = text.nfc().collect();
    let joined = normal.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    let joined = joined.trim();
    if let Some(bad) = joined.chars().find(|c| is_invisible(*c)) {
        return Err(BadText::Invisible { code: bad as u32 });
    }
    let length = joined.chars().count();
    if length > limit {
        return Err(BadText::TooLong { length, limit });
    }
    Ok(joined.to_owned())
}

/// Unicode control (Cc), format (Cf), line separators, private use, non-characters and the blank letters that
/// pass as empty names. Ranges from the Unicode Character Database 16, general category Cf.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{600}'..='\u{605}' | '\u{61C}' | '\u{6DD}' | '\u{70F}'
            | '\u{890}'..='\u{891}' | '\u{8E2}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{E000}'..='\u{F8FF}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{FFFE}'..='\u{FFFF}'
            | '\u{110BD}' | '\u{110CD}' | '\u{13430}'..='\u{1343F}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{10FFFF}')
        || (c.is_whitespace() && c != ' ')
}

macro_rules! text_impls {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadText;

            fn from_str(text: &str) -> Result<Self, BadText> {
                Self::new(text)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                // Sealed by us after the check, so the work is not repeated for each of a million records.
                let text = d.str()?;
                if text.len() > NOTE_MAX * 4 {
                    return Err(minicbor::decode::Error::message("text too long"));
                }
                // All empty notes are one.
                Ok(if text.is_empty() { Self(Arc::default()) } else { Self(text.into()) })
            }
        }
    };
}

text_impls!(Name);
text_impls!(Note);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_composed() {
        assert_eq!(Name::new("  Nightly   export ").unwrap().as_str(), "Nightly export");
        assert_eq!(Name::new("Cafe\u{301}").unwrap(), Name::new("Café").unwrap());
    }

    #[test]
    fn names_that_look_alike_fold_alike() {
        let root = Name::new("root").unwrap().folded();
        assert_eq!(Name::new("ROOT ").unwrap().folded(), root);
        assert_eq!(Name::new("ｒｏｏｔ").unwrap().folded(), root);
    }

    #[test]
    fn text_that_hides_or_reorders_is_refused() {
        for bad in
            ["a\u{1b}[31m", "a\u{202e}b", "a\nb", "\u{feff}a", "a\u{200d}b", "\u{2800}", "a\u{7f}", "tab\tb"]
        {
            assert!(matches!(Name::new(bad), Err(BadText::Invisible { .. })), "{bad:?}");
        }
        assert_eq!(Name::new("   "), Err(BadText::Empty));
    }

    #[test]
    fn length_is_counted_in_characters_and_bounded_early() {
        assert!(Name::new(&"é".repeat(NAME_MAX)).is_ok());
        assert!(matches!(
            Name::new(&"é".repeat(NAME_MAX + 1)),
            Err(BadText::TooLong { length: 65, limit: 64 })
        ));
        assert!(matches!(Name::new(&"x".repeat(10_000)), Err(BadText::TooLong { length: 10_000, .. })));
        assert_eq!(Note::new("").unwrap(), Note::default());
    }

    #[test]
    fn a_formula_is_only_text() {
        assert_eq!(Name::new("=cmd()").unwrap().as_str(), "=cmd()");
    }
}
