//! Text as cells: how wide it is, where to cut it, and what of it must not reach a terminal.

use std::{borrow::Cow, fmt::Write as _};

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::domain::invisible::shapes;

/// Cells that `text` takes. Text is measured as it is shown, so clean it first if it may hold controls.
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` with everything escaped that would move the cursor, change its direction or hide: controls as
/// `\x1b`, direction marks and invisible characters as `\u{202e}`.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.char_indices().any(|(at, c)| hides(text, at, c)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            _ if c.is_control() => drop(write!(shown, "\\x{:02x}", u32::from(c))),
            _ if hides(text, at, c) => drop(write!(shown, "\\u{{{:x}}}", u32::from(c))),
            _ => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Whether what stands there is hidden, and does not keep letters apart that would join.
fn hides(text: &str, at: usize, c: char) -> bool {
    hidden(c) && !shapes(text, at, c)
}

/// Controls, direction overrides and isolates, and characters without width that are no joiner of emoji.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// `text` in at most `cells`, cut on a grapheme and ended by `ellipsis` when something is missing.
pub fn fit<'t>(text: &'t str, cells: u16, ellipsis: &str) -> Cow<'t, str> {
    let shown = clean(text);
    let cells = usize::from(cells);
    if width(&shown) <= cells {
        return shown;
    }
    let room = cells.saturating_sub(width(ellipsis));
    let mut cut = String::from(prefix(&shown, room));
    if cells >= width(ellipsis) {
        cut.push_str(ellipsis);
    }
    Cow::Owned(cut)
}

/// The longest start of `text` that is at most `cells` wide and ends between graphemes.
pub fn prefix(text: &str, cells: usize) -> &str {
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += width(grapheme);
        if used > cells {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// `text` as a sentence of its own: refusals begin small because they follow a colon elsewhere.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// `text` in lines of at most `cells`, broken between words; a word wider than a line is broken inside, where an address or
/// a name has a joint if it has one. Line breaks in `text` are kept.
pub fn wrap(text: &str, cells: u16) -> Vec<String> {
    let cells = usize::from(cells.max(1));
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let first = lines.len();
        let mut line = String::new();
        for word in clean(paragraph).split(' ') {
            let gap = usize::from(!line.is_empty());
            if width(&line) + gap + width(word) <= cells {
                if gap == 1 {
                    line.push(' ');
                }
                line.push_str(word);
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            let mut rest = word;
            while width(rest) > cells {
                // A grapheme wider than the line still has to go somewhere.
                let first = rest.graphemes(true).next().map_or(rest.len(), str::len);
                let most = prefix(rest, cells).len().max(first);
                let at = joint(rest.get(..most).unwrap_or_default()).unwrap_or(most);
                lines.push(rest.get(..at).unwrap_or_default().to_owned());
                rest = rest.get(at..).unwrap_or_default();
            }
            line.push_str(rest);
        }
        // An empty line is kept, but a word that filled its last line to the edge leaves none behind.
        if !line.is_empty() || lines.len() == first {
            lines.push(line);
        }
    }
    lines
}

/// Where `start` of a word may end: behind the last sign that joins its parts, if that leaves more than a third of it.
fn joint(start: &str) -> Option<usize> {
    let at = start.rfind(['/', '?', '&', '=', '.', '-', '_', ',', '@'])? + 1;
    (at * 3 > start.len()).then_some(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_hides_or_moves_is_shown() {
        assert_eq!(clean("plain é 日本"), "plain é 日本");
        assert_eq!(clean("a\x1b[31m\u{9b}\n"), "a\\x1b[31m\\x9b\\n");
        assert_eq!(clean("abc\u{202e}fdp\u{200b}"), "abc\\u{202e}fdp\\u{200b}");
        assert_eq!(clean("👩‍💻"), "👩‍💻");
    }

    #[test]
    fn an_ellipsis_stands_where_something_is_missing() {
        assert_eq!(fit("Marketing", 9, "…"), "Marketing");
        assert_eq!(fit("Marketing", 8, "…"), "Marketi…");
        assert_eq!(fit("日本語", 4, "…"), "日…");
        assert_eq!(fit("e\u{301}e\u{301}e\u{301}", 2, "…"), "e\u{301}…");
        assert_eq!(fit("abc", 0, "…"), "");
    }

    #[test]
    fn a_refusal_reads_as_a_sentence() {
        assert_eq!(sentence("this needs the role admin."), "This needs the role admin.");
        assert_eq!((sentence(""), sentence("é")), (String::new(), "É".into()));
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("a\n\nb", 9), ["a", "", "b"]);
        assert_eq!(wrap("日本", 1), ["日", "本"]);
        let address = "https://bot.acme-wellness.example/login/done";
        assert_eq!(wrap(address, 32), ["https://bot.acme-wellness.", "example/login/done"]);
        assert_eq!(wrap("a/bcdefghijkl", 8), ["a/bcdefg", "hijkl"], "no line is left nearly empty");
    }

    proptest! {
        #[test]
        fn a_fitted_text_fits(text in "\\PC*|[\u{0}-\u{1f}a-z日é👩\u{200d}]{0,20}", cells in 0_u16..30) {
            let fitted = fit(&text, cells, "…");
            prop_assert!(width(&fitted) <= usize::from(cells));
            prop_assert!(!fitted.chars().any(char::is_control));
        }

        #[test]
        fn wrapped_lines_fit(text in "[a-z é日\n]{0,60}", cells in 2_u16..20) {
            for line in wrap(&text, cells) {
                prop_assert!(width(&line) <= usize::from(cells));
            }
        }
    }
}
