//! A single line of text with a cursor: a name, a search, a passphrase.
//!
//! The cursor moves by grapheme, so an accent is never torn from its letter. A secret field keeps its text in a
//! buffer that never moves and is zeroed, and shows a dot per character. Pasted lines become one line.

use std::fmt;

use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Focus, text};
use crate::tui::{
    canvas::Canvas,
    router::{Cue, Edit},
    secret::{SecretBuffer, SecretText},
    theme::Role,
};

/// Bytes an ordinary field takes at most: a name or an address is far below, a pasted file far above.
pub const FIELD_CAPACITY: usize = 4096;

enum Content {
    Plain(String),
    Masked(SecretBuffer),
}

/// The state of one field.
pub struct TextField {
    content: Content,
    /// Byte offset of the cursor, always between graphemes.
    cursor: usize,
    /// A secret that is shown as it is typed: guarded in memory, not on the screen.
    bare: bool,
    /// What the field is called.
    pub label: String,
    /// An example, shown while the field is empty.
    pub placeholder: String,
    /// What is wrong with the text, shown below it.
    pub error: Option<String>,
    /// What to know about the field, shown below it while nothing is wrong.
    pub note: String,
}

impl TextField {
    pub fn new(label: impl Into<String>) -> Self {
        Self::with(Content::Plain(String::new()), label.into())
    }

    /// An empty field that shows dots.
    pub fn secret(label: impl Into<String>) -> Self {
        Self::with(Content::Masked(SecretBuffer::new()), label.into())
    }

    /// A secret field that shows its text, for copying from paper.
    pub fn bare_secret(label: impl Into<String>) -> Self {
        Self { bare: true, ..Self::secret(label) }
    }

    fn with(content: Content, label: String) -> Self {
        Self {
            content,
            cursor: 0,
            bare: false,
            label,
            placeholder: String::new(),
            error: None,
            note: String::new(),
        }
    }

    /// With an example to show while empty.
    #[must_use]
    pub fn placeholder(mut self, example: impl Into<String>) -> Self {
        self.placeholder = example.into();
        self
    }

    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// With `text` in it and the cursor at its end.
    #[must_use]
    pub fn filled(mut self, text: &str) -> Self {
        self.set(text);
        self
    }

    /// The text. Of a secret field too: whoever asks must not log it.
    pub fn text(&self) -> &str {
        match &self.content {
            Content::Plain(text) => text,
            Content::Masked(buffer) => buffer.expose(),
        }
    }

    /// Whether what is typed goes on behind the text.
    pub fn is_at_end(&self) -> bool {
        self.cursor == self.text().len()
    }

    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    /// Replaces the text; the cursor goes to its end.
    pub fn set(&mut self, text: &str) {
        self.clear();
        self.insert(text);
    }

    pub fn clear(&mut self) {
        self.remove(0, self.text().len());
        self.cursor = 0;
        self.error = None;
    }

    /// Takes the secret out and leaves the field empty.
    pub fn take_secret(&mut self) -> SecretText {
        self.cursor = 0;
        match &mut self.content {
            Content::Masked(buffer) => buffer.take(),
            Content::Plain(text) => SecretText::new(std::mem::take(text)),
        }
    }

    /// Takes in what changes a text; `false` for cues of another kind.
    pub fn take_in(&mut self, cue: Cue<'_>) -> bool {
        match cue {
            Cue::Type(typed) => self.type_char(typed.0),
            Cue::Edit(edit) => self.edit(edit),
            Cue::Paste(pasted) => self.paste(pasted.0),
            Cue::Do(_) | Cue::Click(_) | Cue::Wheel { .. } | Cue::Tick => return false,
        }
        true
    }

    pub fn type_char(&mut self, c: char) {
        let mut utf8 = [0; 4];
        self.insert(c.encode_utf8(&mut utf8));
    }

    /// Inserts pasted text. Line breaks at its ends are dropped, those within it and tabs become a space each, other
    /// controls are dropped. A hidden text of several lines is refused: nobody could see what became of it.
    pub fn paste(&mut self, pasted: &str) {
        let line = pasted.trim_matches('\n');
        if matches!(self.content, Content::Masked(_)) && !self.bare && line.contains('\n') {
            self.error = Some("what was pasted has several lines; paste one of them".to_owned());
            return;
        }
        let mut clean = zeroize::Zeroizing::new(String::with_capacity(line.len()));
        for c in line.chars() {
            match c {
                // The lines of a text that was broken to fit are words apart, whatever blanks were at the break.
                '\n' if clean.ends_with(' ') => {}
                '\n' | '\t' => clean.push(' '),
                _ if c.is_control() => {}
                _ => clean.push(c),
            }
        }
        self.insert(&clean);
    }

    /// Changes the text or moves the cursor.
    pub fn edit(&mut self, edit: Edit) {
        let (here, end) = (self.cursor, self.text().len());
        match edit {
            Edit::Left => self.cursor = self.before(here),
            Edit::Right => self.cursor = self.after(here),
            Edit::Start => self.cursor = 0,
            Edit::End => self.cursor = end,
            Edit::Backspace => self.remove(self.before(here), here),
            Edit::Delete => self.remove(here, self.after(here)),
            Edit::DeleteWord => self.remove(self.word_before(here), here),
            Edit::DeleteToStart => self.remove(0, here),
            Edit::DeleteToEnd => self.remove(here, end),
        }
    }

    /// Draws the text alone on one row, scrolled so that the cursor is seen.
    pub fn draw_input(&self, canvas: &mut Canvas<'_>, row: Rect, focus: Focus) {
        if row.is_empty() {
            return;
        }
        let role = if focus.is_here() { Role::FieldFocused } else { Role::Field };
        let style = canvas.style(role);
        canvas.print(row.x, row.y, row.width, &" ".repeat(row.width.into()), style);
        if self.is_empty() {
            canvas.fit(row.x, row.y, row.width, &self.placeholder, Role::Placeholder);
            if focus.is_here() {
                canvas.cursor(row.x, row.y);
            }
            return;
        }
        let mask = canvas.glyphs().mask;
        let (shown, cursor_cells) = self.shown(mask);
        // One cell stays free for the cursor at the end of the text.
        let scroll = cursor_cells.saturating_sub(usize::from(row.width.saturating_sub(1)));
        let hidden = text::prefix(&shown, scroll);
        // A wide character half scrolled out takes its other half with it.
        let hidden = if text::width(hidden) < scroll { text::prefix(&shown, scroll + 1) } else { hidden };
        let visible = shown.get(hidden.len()..).unwrap_or_default();
        canvas.print(row.x, row.y, row.width, visible, style);
        if focus.is_here() {
            let at = cursor_cells.saturating_sub(text::width(hidden));
            canvas.cursor(row.x.saturating_add(u16::try_from(at).unwrap_or(u16::MAX)), row.y);
        }
    }

    /// The text as it is shown, and how many cells are before the cursor.
    fn shown(&self, mask: &str) -> (zeroize::Zeroizing<String>, usize) {
        let before = self.text().get(..self.cursor).unwrap_or_default();
        if let Content::Masked(buffer) = &self.content
            && !self.bare
        {
            return (
                zeroize::Zeroizing::new(mask.repeat(buffer.graphemes())),
                before.graphemes(true).count(),
            );
        }
        let shown = zeroize::Zeroizing::new(text::clean(self.text()).into_owned());
        (shown, text::width(&text::clean(before)))
    }

    fn insert(&mut self, text: &str) {
        let at = self.cursor;
        match &mut self.content {
            Content::Plain(content) => {
                let room = FIELD_CAPACITY.saturating_sub(content.len());
                let fits =
                    text.grapheme_indices(true).take_while(|(start, g)| start + g.len() <= room).last();
                let taken = fits.map_or(0, |(start, g)| start + g.len());
                content.insert_str(at, text.get(..taken).unwrap_or_default());
                self.cursor = at + taken;
                self.error = None;
            }
            Content::Masked(buffer) => match buffer.insert(at, text) {
                Ok(()) => {
                    self.cursor = at + text.len();
                    self.error = None;
                }
                // Half a secret is worse than none.
                Err(too_long) => self.error = Some(too_long.to_string()),
            },
        }
        self.settle();
    }

    fn remove(&mut self, from: usize, to: usize) {
        match &mut self.content {
            Content::Plain(text) => text.replace_range(from..to, ""),
            Content::Masked(buffer) => buffer.remove(from, to),
        }
        self.cursor = from;
        self.error = None;
        self.settle();
    }

    /// An inserted or removed character may join its neighbours into one grapheme; the cursor stays outside.
    fn settle(&mut self) {
        let mut borders = self.text().grapheme_indices(true).map(|(at, g)| at + g.len());
        if self.cursor > 0 {
            self.cursor = borders.find(|border| *border >= self.cursor).unwrap_or(self.text().len());
        }
    }

    fn before(&self, at: usize) -> usize {
        let before = self.text().get(..at).unwrap_or_default();
        before.grapheme_indices(true).next_back().map_or(0, |(start, _)| start)
    }

    fn after(&self, at: usize) -> usize {
        let rest = self.text().get(at..).unwrap_or_default();
        at + rest.graphemes(true).next().map_or(0, str::len)
    }

    fn word_before(&self, at: usize) -> usize {
        let before = self.text().get(..at).unwrap_or_default();
        let trimmed = before.trim_end();
        // In a secret a word border would tell its shape to who looks on.
        if matches!(self.content, Content::Masked(_)) {
            return 0;
        }
        trimmed.char_indices().rev().find(|(_, c)| c.is_whitespace()).map_or(0, |(i, c)| i + c.len_utf8())
    }
}

/// Never the text: it may be a secret, and logs keep what a person typed and took back.
impl fmt::Debug for TextField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextField").field("label", &self.label).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tui::form::field::{Field as _, Slot};
    use crate::tui::testing;

    fn drawn(field: &mut TextField, labels: u16, width: u16) -> Vec<String> {
        let slot = Slot { labels, focus: Focus::Here, number: 0, skip: 0 };
        testing::draw(width, 2, |canvas, area| field.draw(canvas, area, slot))
    }

    #[test]
    fn the_cursor_keeps_letters_and_accents_together() {
        let mut field = TextField::new("Name").filled("ae\u{301}👩‍💻");
        field.edit(Edit::Backspace);
        assert_eq!(field.text(), "ae\u{301}");
        field.edit(Edit::Left);
        field.type_char('x');
        assert_eq!(field.text(), "axe\u{301}");
        field.edit(Edit::Delete);
        assert_eq!(field.text(), "ax");
        field.edit(Edit::DeleteToStart);
        assert!(field.is_empty());
    }

    #[test]
    fn words_go_as_a_whole() {
        let mut field = TextField::new("Name").filled("Nightly export  ");
        field.edit(Edit::DeleteWord);
        assert_eq!(field.text(), "Nightly ");
        field.edit(Edit::DeleteWord);
        assert_eq!(field.text(), "");
    }

    #[test]
    fn pasted_lines_become_one_and_their_words_stay_apart() {
        let pasted = |text: &str| {
            let mut field = TextField::new("Note");
            field.paste(text);
            field.text().to_owned()
        };
        assert_eq!(pasted("Nightly export\nof the warehouse\n"), "Nightly export of the warehouse");
        assert_eq!(pasted("\none \ntwo\tthree\x1b\n\nfour\n"), "one two three four");
        assert_eq!(pasted("  kept  "), "  kept  ");
    }

    #[test]
    fn a_secret_of_several_lines_is_refused_and_one_with_its_line_end_is_taken() {
        let mut field = TextField::secret("Passphrase");
        field.paste("correct horse\n");
        assert_eq!(field.text(), "correct horse");
        field.paste("kdag_one\nkdag_two");
        assert_eq!(field.text(), "correct horse");
        assert!(drawn(&mut field, 6, 80)[1].contains("several lines"));
        let mut shown = TextField::bare_secret("Recovery code");
        shown.paste("ABCD-EFGH\nJKLM");
        assert_eq!(shown.text(), "ABCD-EFGH JKLM");
    }

    #[test]
    fn a_secret_is_dots_and_moves_nowhere() {
        let mut field = TextField::secret("Pass");
        field.paste("hünter2");
        assert_eq!(drawn(&mut field, 6, 20), ["Pass  •••••••", ""]);
        field.edit(Edit::Left);
        field.edit(Edit::Backspace);
        assert_eq!(field.text(), "hünte2");
        field.paste(&"x".repeat(5000));
        assert_eq!(field.text(), "hünte2");
        assert!(drawn(&mut field, 6, 60)[1].contains("at most 4096 bytes"));
        assert_eq!(field.take_secret().expose(), "hünte2");
        assert!(field.is_empty() && !format!("{field:?}").contains("nte2"));
    }

    #[test]
    fn a_long_text_scrolls_with_its_cursor() {
        let mut field = TextField::new("Name").filled("abcdefghij");
        assert_eq!(drawn(&mut field, 6, 11)[0], "Name  ghij");
        field.edit(Edit::Start);
        assert_eq!(drawn(&mut field, 6, 11)[0], "Name  abcde");
        let mut field = TextField::new("Name").filled("a日本語");
        assert_eq!(drawn(&mut field, 6, 11)[0], "Name  本語");
    }

    #[test]
    fn an_empty_field_shows_its_example_and_its_mistake() {
        let mut field = TextField::new("Name").placeholder("Nightly export").note("seen in lists");
        assert_eq!(drawn(&mut field, 6, 24), ["Name  Nightly export", "      seen in lists"]);
        field.error = Some("a key needs a name".into());
        assert_eq!(drawn(&mut field, 6, 30)[1], "      ✗ a key needs a name");
        field.type_char('N');
        assert_eq!(field.error, None);
    }

    #[test]
    fn a_flood_is_cut_not_taken() {
        let mut field = TextField::new("Name");
        field.paste(&"é".repeat(FIELD_CAPACITY));
        assert_eq!(field.text().len(), FIELD_CAPACITY);
    }

    proptest! {
        #[test]
        fn no_editing_leaves_the_cursor_inside_a_grapheme(
            steps in proptest::collection::vec((0_usize..11, "[aé\u{301}\u{200d}👩💻日 ]{0,3}"), 0..40),
        ) {
            let mut field = TextField::new("Name");
            let edits = [Edit::Left, Edit::Right, Edit::Start, Edit::End, Edit::Backspace, Edit::Delete,
                Edit::DeleteWord, Edit::DeleteToStart, Edit::DeleteToEnd];
            for (step, typed) in steps {
                match edits.get(step) {
                    Some(edit) => field.edit(*edit),
                    None => typed.chars().for_each(|c| field.type_char(c)),
                }
                let border = field.cursor == field.text().len()
                    || field.text().grapheme_indices(true).any(|(at, _)| at == field.cursor);
                prop_assert!(border, "{:?} at {}", field.text(), field.cursor);
                drawn(&mut field, 2, 7);
            }
        }
    }
}
