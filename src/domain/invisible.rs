//! Characters nobody sees: controls, format and bidirectional characters, blanks that pass as letters. A text that
//! people read holds none, except where one changes what is seen: a joiner between letters of a script that needs it
//! (RFC 5892 appendix A, as UTS #39 asks) and what makes one emoji of several (UTS #51).

use unicode_joining_type::{JoiningType, get_joining_type};
use unicode_normalization::char::canonical_combining_class;
use unicode_segmentation::UnicodeSegmentation as _;

/// Keeps letters apart that would join: ZERO WIDTH NON-JOINER.
const APART: char = '\u{200C}';
/// Joins what stands beside it: ZERO WIDTH JOINER.
const JOINED: char = '\u{200D}';
/// Asks for the picture rather than the sign: VARIATION SELECTOR-16.
const PICTURE: char = '\u{FE0F}';
/// The canonical combining class of the sign that takes a consonant its vowel.
const VIRAMA: u8 = 9;

/// The characters of a text that nobody sees and that change nothing one sees, with where they stand.
pub fn invisible(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    text.char_indices().filter(|(at, c)| is_invisible(*c) && !shapes(text, *at, *c))
}

/// Unicode control (Cc), format (Cf), line separators, private use, non-characters and the blank letters that
/// pass as empty names, wherever they stand. Ranges from the Unicode Character Database 16, general category Cf.
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

/// Whether it may stand in a text and is nothing by itself: two texts that differ by it alone are one to a reader.
pub const fn leaves_no_trace(c: char) -> bool {
    matches!(c, APART | JOINED | PICTURE)
}

/// Whether `c`, which stands at `at`, changes what is seen of its neighbours.
pub fn shapes(text: &str, at: usize, c: char) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let after = text.get(at + c.len_utf8()..).unwrap_or_default();
    let Some(last) = before.chars().next_back() else { return false };
    let next = after.chars().next();
    match c {
        APART | JOINED if canonical_combining_class(last) == VIRAMA => true,
        APART => {
            let letter = |c: &char| get_joining_type(*c) != JoiningType::Transparent;
            let joins = |c: Option<char>, one, other| {
                c.map(get_joining_type).is_some_and(|its| its == one || its == other)
            };
            joins(before.chars().rev().find(letter), JoiningType::LeftJoining, JoiningType::DualJoining)
                && joins(after.chars().find(letter), JoiningType::RightJoining, JoiningType::DualJoining)
        }
        JOINED => next.is_some_and(|next| {
            let tail = before.graphemes(true).next_back().unwrap_or_default();
            is_picture(next) && is_one(&format!("{tail}{JOINED}{next}"))
        }),
        PICTURE => is_picture(last) || (matches!(last, '0'..='9' | '#' | '*') && next == Some('\u{20E3}')),
        _ => false,
    }
}

/// Whether a character is an `Extended_Pictographic` one. Two become one with a joiner between, and nothing else
/// does that stays two without (UAX #29, rule GB11).
fn is_picture(c: char) -> bool {
    is_one(&format!("{c}{JOINED}{c}")) && !is_one(&format!("{c}{c}"))
}

/// Whether it is one character to a reader.
fn is_one(text: &str) -> bool {
    text.graphemes(true).count() == 1
}

#[cfg(test)]
mod tests {
    use crate::domain::Name;

    #[test]
    fn a_persian_or_indic_name_and_an_emoji_are_kept_as_they_were_typed() {
        for name in [
            "نامه\u{200c}ای",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "क्\u{200c}ष",
            "ශ්\u{200d}රී ලංකා",
            "👩\u{200d}💻 team",
            "👩🏽\u{200d}💻",
            "🏳\u{fe0f}\u{200d}🌈",
            "👨\u{200d}👩\u{200d}👧\u{200d}👦",
            "I ❤\u{fe0f} Oslo",
            "1\u{fe0f}\u{20e3} first",
        ] {
            assert_eq!(Name::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn a_joiner_that_changes_nothing_one_sees_is_refused() {
        for bad in [
            "a\u{200d}b",
            "a\u{200c}b",
            "root\u{200d}",
            "\u{200d}root",
            "root\u{200c} ",
            "\u{200c}نامه",
            "نامه\u{200c}",
            "نامه\u{200c}\u{200c}ای",
            "نا\u{200c}مه",
            "क\u{200d}ष",
            "👩\u{200d}a",
            "a\u{200d}👩",
            "👩\u{200d}\u{200d}💻",
            "👩\u{200d}\u{301}",
            "a\u{200d}\u{301}b",
            "🇩\u{200d}🇪",
            "각\u{200d}각",
            "a\u{fe0f}",
            "1\u{fe0f}",
            "❤\u{fe0f}\u{fe0f}",
            "❤\u{fe0e}",
            "🏴\u{e0067}\u{e0062}\u{e007f}",
            "نامه\u{202e}ای",
            "نامه\u{200f}ای",
        ] {
            assert!(Name::new(bad).is_err(), "{bad:?}");
        }
    }
}
