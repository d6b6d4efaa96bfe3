//! Names and notes: text that people type and others read. Normalised once (NFC, trimmed, single spaces), free
//! of control, format and bidirectional characters, so nothing typed here can disguise itself on a screen. And the two
//! forms in which they are compared: [`fold`] says which names are the same, [`plain`] what a search finds.

use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::sync::Arc;

use caseless::Caseless as _;
use minicbor::{Decode, Decoder, Encode, Encoder};
use unicode_normalization::UnicodeNormalization;

use super::id::reads_like_one;
use super::invisible::{invisible, leaves_no_trace};

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
    /// No reason where one is needed.
    #[error("a reason is needed, for whoever wonders about it later")]
    NoReason,
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
    /// Not in the form in which texts are kept.
    #[error("it is not in the form in which keydeck keeps a text; type it again")]
    Untidy,
    /// It reads like what means another thing.
    #[error("it reads like an id or a token of keydeck's; choose another name")]
    LikeAnId,
}

impl Name {
    /// Normalises and checks; see the module.
    pub fn new(text: &str) -> Result<Self, BadText> {
        let clean = clean(text, NAME_MAX)?;
        if clean.is_empty() {
            Err(BadText::Empty)
        } else if reads_like_one(&clean) {
            Err(BadText::LikeAnId)
        } else {
            Ok(Self(clean.into()))
        }
    }

    /// Of a key of which nothing is left but its id.
    pub fn purged() -> Self {
        Self("–".into())
    }

    /// The same with this number at its end, in place of a small one that is there, and shortened to make room for it.
    pub fn numbered(&self, number: u32) -> Option<Self> {
        let small = |word: &str| word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit());
        let base = self.0.rsplit_once(' ').filter(|(_, last)| small(last)).map_or(&*self.0, |(base, _)| base);
        let number = format!(" {number}");
        let base: String = base.chars().take(NAME_MAX - number.len()).collect();
        Self::new(&format!("{base}{number}")).ok()
    }

    /// The name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that decides whether two names are the same; see [`fold`].
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}

/// The form in which names are compared: `ROOT` and full-width `ｒｏｏｔ` fold to `root`, `STRASSE` and `Straße` to
/// `strasse`; what leaves no trace on a screen leaves none here. Compatibility caseless matching, D146 of the Unicode
/// Standard, composed at the end.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.trim().to_ascii_lowercase();
    }
    caseless(text).nfkc().collect::<String>().trim().to_owned()
}

/// Names in words, the first few of many: `Berlin, Köln, Rome and 12 more`.
pub fn first_few<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let mut words = names.by_ref().take(FEW).collect::<Vec<_>>().join(", ");
    let more = names.count();
    if more > 0 {
        let _ = write!(words, " and {more} more");
    }
    words
}

/// Names that are read at a glance.
const FEW: usize = 3;

/// The characters one sees, all in one case and taken apart.
fn caseless(text: &str) -> impl Iterator<Item = char> + '_ {
    let seen = text.chars().filter(|c| !leaves_no_trace(*c));
    seen.nfd().default_case_fold().nfkd().default_case_fold()
}

/// The form in which is searched: as [`fold`], and without accents, so that `lodz` finds Łódź. Only what Latin, Greek
/// and Cyrillic letters wear is taken off: in other scripts a mark is a letter.
pub fn plain(text: &str) -> String {
    if text.is_ascii() {
        return fold(text);
    }
    let mut plain = String::with_capacity(text.len());
    for c in caseless(text).filter(|c| !('\u{300}'..='\u{36f}').contains(c)).nfkc() {
        // A stroke through a letter is no mark of its own to Unicode, and is one to who types without it.
        match c {
            'ł' => plain.push('l'),
            'ø' => plain.push('o'),
            'đ' | 'ð' => plain.push('d'),
            'ħ' => plain.push('h'),
            'ŧ' => plain.push('t'),
            'ı' => plain.push('i'),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'þ' => plain.push_str("th"),
            _ => plain.push(c),
        }
    }
    plain.trim().to_owned()
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

pub(super) fn clean(text: &str, limit: usize) -> Result<String, BadText> {
    // Bound the work before normalising: one character may become several.
    let length = text.chars().take(limit * 4 + 1).count();
    if length > limit * 4 {
        return Err(BadText::TooLong { length: text.chars().count(), limit });
    }
    let normal: String = text.nfc().collect();
    let joined = normal.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    let joined = joined.trim();
    if let Some((_, bad)) = invisible(joined).next() {
        return Err(BadText::Invisible { code: bad as u32 });
    }
    let length = joined.chars().count();
    if length > limit {
        return Err(BadText::TooLong { length, limit });
    }
    Ok(joined.to_owned())
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
    fn the_same_street_in_capitals_is_the_same_name() {
        for same in [
            ["STRASSE", "Straße"],
            ["Straẞe", "strasse"],
            ["ΟΔΟΣ", "οδος"],
            ["ﬁne", "FINE"],
            ["İzmir", "i\u{307}zmir"],
            ["نامه\u{200c}ای", "نامهای"],
            ["❤\u{fe0f}", "❤"],
        ] {
            assert_eq!(fold(same[0]), fold(same[1]), "{same:?}");
        }
        assert_ne!(fold("Lodz"), fold("Łódź"), "with accents it is another name");
        assert_ne!(fold("Kırık"), fold("Kirik"));
    }

    #[test]
    fn a_search_without_accents_finds_the_name_with_them() {
        for (typed, name) in [
            ("lodz", "Łódź"),
            ("gracia", "Gràcia"),
            ("strasse", "Straße"),
            ("malmo", "MALMÖ"),
            ("aeroskobing", "Ærøskøbing"),
            ("istanbul", "İstanbul"),
            ("kirik", "Kırık"),
            ("da nang", "Đà Nẵng"),
            ("Łódź", "Łódź"),
        ] {
            assert_eq!(plain(typed), plain(name), "{name}");
        }
        // Here a mark makes another letter, and another word.
        assert_ne!(plain("が"), plain("か"));
        assert_ne!(plain("कि"), plain("का"));
        assert_eq!(plain("한글"), "한글");
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
